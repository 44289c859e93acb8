/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes from a line of text; opset.h has the language. The functions that the
 * specification gives for its newer operators read almost like this, so steps
 * that expand an operator are a line or two.
 *
 * Types of new values are told by simple rules, which hold for the operators
 * that steps use: comparisons make bool, Shape and Size int64, Cast what it
 * says, all others the type of their first input. Ranks are kept by what is
 * elementwise. */
#include "opset.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  Convert *c;
  const char *s;
} Text;

static Arena *arena_of(const Text *t) { return t->c->e->a; }

static void skip(Text *t) { t->s += strspn(t->s, " \n"); }

static bool eat(Text *t, char ch)
{
  skip(t);
  if (*t->s != ch) return false;
  t->s++;
  return true;
}

static void expect(Text *t, char ch)
{
  if (!eat(t, ch))
    model_panic(t->c->e->m, "to-opset: '%c' wanted at \"%s\"", ch, t->s);
}

static const char *word(Text *t)
{
  skip(t);
  size_t n = 0;
  while (isalnum((unsigned char)t->s[n]) || t->s[n] == '_') n++;
  const char *w = arena_strn(arena_of(t), t->s, n);
  if (!n) model_panic(t->c->e->m, "to-opset: a word wanted at \"%s\"", t->s);
  t->s += n;
  return w;
}

static const char *local(Text *t, const char *w, bool make)
{
  Convert *c = t->c;
  for (int i = 0; i < c->nlocal; i++)
    if (!strcmp(c->local[i].word, w)) return c->local[i].name;
  if (!make || c->nlocal == COUNT(c->local))
    model_panic(c->e->m, "to-opset: '%s' is not made before", w);
  c->local[c->nlocal].word = w;
  c->local[c->nlocal].name = opset_name(c, w);
  return c->local[c->nlocal++].name;
}

static int number(Text *t)
{
  char *end;
  long v = strtol(t->s, &end, 10);
  t->s = end;
  return (int)v;
}

static const int64_t *list(Text *t, int *n)
{
  int64_t *v = NEW(arena_of(t), int64_t, strlen(t->s) + 1);
  *n = 0;
  expect(t, '[');
  while (!eat(t, ']')) {
    char *end;
    v[(*n)++] = strtoll(t->s, &end, 10);
    if (end == t->s)
      model_panic(t->c->e->m, "to-opset: a number wanted at \"%s\"", t->s);
    t->s = end;
    eat(t, ',');
  }
  return v;
}

/* A number; true: it ends in f, and is a float. */
static bool real(Text *t, double *v, int64_t *i)
{
  char *end;
  *v = strtod(t->s, &end);
  *i = strtoll(t->s, NULL, 10);
  t->s = end;
  return eat(t, 'f');
}

static const char *operand(Text *t)
{
  Convert *c = t->c;
  int n;
  skip(t);
  if (*t->s == '$') {
    t->s++;
    return opset_in(c, number(t));
  }
  if (*t->s == '@') {
    t->s++;
    return opset_out(c, number(t));
  }
  if (*t->s == '[') {
    const int64_t *v = list(t, &n);
    return opset_new_ints(c, v, n);
  }
  if (isdigit((unsigned char)*t->s) || *t->s == '-') {
    double v;
    int64_t i;
    Dtype type = c->literal ? c->literal : opset_dtype(c, opset_in(c, 0));
    if (!real(t, &v, &i)) return opset_new_int(c, i);
    if (type) return opset_new_num(c, type, v);
    opset_refuse(c, "the type of its input is not known");
    return "";
  }
  const char *w = word(t);
  return strcmp(w, "_") ? local(t, w, false) : "";
}

static void attribute(Text *t)
{
  Convert *c = t->c;
  const char *name = word(t);
  double v;
  int64_t i;
  int n;
  expect(t, '=');
  skip(t);
  if (*t->s == '[') {
    const int64_t *ints = list(t, &n);
    opset_put_list(c, name, ints, n);
  } else if (*t->s == '\'') {
    size_t len = strcspn(t->s + 1, "'");
    opset_put_word(c, name, arena_strn(arena_of(t), t->s + 1, len));
    t->s += len + 2;
  } else if (real(t, &v, &i)) {
    opset_put_num(c, name, v);
  } else {
    opset_put_int(c, name, i);
  }
}

static bool one_of(const char *op, const char *list)
{
  size_t n = strlen(op);
  for (const char *s = strstr(list, op); s; s = strstr(s + 1, op))
    if ((s == list || s[-1] == ' ') && (s[n] == ' ' || !s[n])) return true;
  return false;
}

static void say(Convert *c, NodeProto *n)
{
  int rank = -1;
  Dtype type = DT_NONE;
  for (size_t i = 0; i < n->n_input; i++) {
    int r = opset_rank(c, n->input[i]);
    if (!*n->input[i]) continue;
    if (r < 0) {
      rank = -1;
      break;
    }
    if (r > rank) rank = r;
  }
  if (!one_of(n->op_type, "Add Sub Mul Div Pow Sqrt Exp Log Tanh Sigmoid Erf "
              "Neg Abs Cast Where Equal Less Greater And Or Not Max Min Clip "
              "Relu Floor Reciprocal Softplus HardSigmoid Identity"))
    rank = -1;
  if (n->n_input)
    type = opset_dtype(c, n->input[!strcmp(n->op_type, "Where")]);
  if (one_of(n->op_type, "Equal Less Greater And Or Not")) type = DT_BOOL;
  if (one_of(n->op_type, "Shape Size ArgMax ArgMin NonZero")) type = DT_I64;
  if (!strcmp(n->op_type, "Cast")) {
    NodeProto *was = c->n;
    c->n = n;
    type = (Dtype)opset_int(c, "to", 0);
    c->n = was;
  }
  for (size_t i = 0; i < n->n_output; i++)
    if (*n->output[i] && !types_find(c->types, n->output[i]))
      opset_say(c, n->output[i], type, rank);
}

static void statement(Text *t)
{
  Convert *c = t->c;
  const char *out[8], *in[16];
  int nout = 0, nin = 0;
  bool used = false;
  do {
    skip(t);
    if (*t->s == '@') {
      t->s++;
      out[nout] = opset_out(c, number(t));
    } else {
      const char *w = word(t);
      out[nout] = strcmp(w, "_") ? local(t, w, true) : "";
    }
    used = used || *out[nout];
  } while (eat(t, ',') && ++nout < COUNT(out) - 1);
  nout++;
  expect(t, '=');
  NodeProto *n = opset_node_new(c, word(t), 0, 0), *was = c->n;
  if (was->name && *was->name)
    n->name = arena_printf(arena_of(t), "%s/%s_%d", was->name, n->op_type,
                           c->e->fresh++);
  if (eat(t, '<'))
    while (!eat(t, '>')) {
      c->n = n;
      attribute(t);
      c->n = was;
      eat(t, ',');
    }
  expect(t, '(');
  while (!eat(t, ')')) {
    if (nin == COUNT(in)) model_panic(c->e->m, "to-opset: too many operands");
    in[nin++] = operand(t);
    eat(t, ',');
  }
  if (!used) return;
  c->n = n;
  for (int i = 0; i < nin; i++) opset_set_in(c, i, in[i]);
  for (int i = 0; i < nout; i++) opset_set_out(c, i, out[i]);
  opset_trim(c);
  c->n = was;
  say(c, n);
  opset_add(c, &c->before, n);
}

static void run(Convert *c, const char *s)
{
  Text t = {c, s};
  for (skip(&t); *t.s; skip(&t)) {
    statement(&t);
    eat(&t, ';');
  }
}

void opset_text(Convert *c, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  const char *s = arena_vprintf(c->e->a, fmt, ap);
  va_end(ap);
  run(c, s);
}

void opset_replace(Convert *c, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  const char *s = arena_vprintf(c->e->a, fmt, ap);
  va_end(ap);
  run(c, s);
  c->drop = true;
}

void opset_alias(Convert *c, const char *word, const char *name)
{
  c->local[c->nlocal].word = word;
  c->local[c->nlocal++].name = name;
}
