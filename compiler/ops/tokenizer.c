/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizer of com.microsoft, as exporters of scikit-learn write it: strings of
 * [C] or [N, C] become tokens [.., D], D the most that one has. Tokens are what
 * `tokenexp` matches, or what `separators` leave: regular expressions that cut
 * one after the other; one empty separator stands for characters. onnxruntime's
 * semantics: the leftmost and longest match, `mincharnum` characters at least.
 */
#include <string.h>
#include "../regex.h"

enum { MOST_RULES = 16, RULE = 8 }; /* as ref/token.h has them */

typedef struct {
  Value *classes, *states, *rules;
  int nrule; /* separators; 0: a token expression */
  Value *set; /* tokens are the runs of these bytes; NULL: of no such set */
} Rules;

enum { SET = 256 + 16 }; /* as kernels/text.h has it */

static bool is_characters(const Attr *separators)
{
  return separators && separators->n == 1 && !separators->strs[0].n;
}

static Value *constant(Node *n, const char *name, Dtype t, const void *data,
                       int64_t count)
{
  Tensor *made = tensor_new(&n->g->m->arena, t, 1, &count);
  made->data = data;
  return value_const(n->g, name, made);
}

static bool rule_table(Node *n, const char *attr, Str pattern, RxTable *t)
{
  RxProgram program = {0};
  const char *error =
    rx_parse(&program, &n->g->m->arena, pattern.p, pattern.n);
  if (!error) error = rx_table(t, &program, true);
  if (error) fail_model(n, "attribute %s: %s", attr, error);
  return !error;
}

/* Does the state say that a match ended before the last byte, and no more? */
static bool is_end(const RxTable *t, int state)
{
  for (int c = 0; c < t->nclass; c++)
    if (t->next[state * t->nclass + c]) return false;
  return state >= t->accept;
}

/* Whether a byte of class c begins a match; -1: the automaton knows more than
 * whether a byte is in a set. Matches are single bytes of it, or runs. */
static int begins(const RxTable *t, int c, bool *run)
{
  int width = t->nclass, first = t->next[t->start[0] * width + c];
  for (int k = 1; k < RX_STARTS; k++)
    if (t->next[t->start[k] * width + c] != first) return -1;
  if (!first) return 0;
  if (first >= t->accept) return -1;
  *run = false;
  for (int d = 0; d < width; d++) {
    bool in = t->next[t->start[0] * width + d] != 0;
    int second = t->next[first * width + d];
    if (second < t->accept) return -1;
    if (is_end(t, second)) continue;
    if (!in) return -1;
    *run = true;
    for (int e = 0; e < width; e++) {
      int third = t->next[second * width + e];
      bool stays = t->next[t->start[0] * width + e] != 0;
      if (stays ? third != second : third < t->accept || !is_end(t, third))
        return -1;
    }
  }
  return 1;
}

/* Marks the bytes of ASCII that match; false where matches are none of single
 * bytes, or of runs. */
static bool mark_set(const RxTable *t, bool runs, uint8_t *set)
{
  bool run = false, all_run = true, some = false;
  for (int b = 0; b <= 256; b++) {
    int c = b < 256 ? t->byte_class[b] : t->nclass - 1;
    int k = begins(t, c, &run);
    if (k < 0 || (k > 0 && b >= 128)) return false;
    if (k > 0) {
      set[b] = 1;
      all_run = all_run && run;
      some = true;
    }
  }
  return some && (!runs || all_run);
}

/* Tokens as runs of a set of bytes: those of a token expression, or all but
 * those of the separators. */
static Value *run_set(Node *n, const RxTable *t, int nrule)
{
  uint8_t *set = NEW(&n->g->m->arena, uint8_t, SET);
  for (int i = 0; i < (nrule ? nrule : 1); i++)
    if (!mark_set(&t[i], !nrule, set)) return NULL;
  for (int b = 0; nrule && b < 256; b++) set[b] = !set[b];
  for (int b = 0; b < 128; b++)
    if (set[b]) set[256 + b % 16] |= (uint8_t)(1 << b / 16);
  return constant(n, "set", DT_U8, set, SET);
}

/* The tables one after the other; made once, kept in n->fused. */
static Rules *rules_from(Node *n, const RxTable *t, int count)
{
  Arena *a = &n->g->m->arena;
  int64_t nstate = 0, *rule = NEW(a, int64_t, count * RULE);
  uint8_t *classes = NEW(a, uint8_t, count * 256);
  for (int i = 0; i < count; i++) nstate += (int64_t)t[i].nstate * t[i].nclass;
  uint16_t *states = NEW(a, uint16_t, nstate);
  nstate = 0;
  for (int i = 0; i < count; i++) {
    int64_t *r = rule + i * RULE, size = (int64_t)t[i].nstate * t[i].nclass;
    r[0] = nstate;
    r[1] = t[i].nclass;
    for (int k = 0; k < RX_STARTS; k++) r[2 + k] = t[i].start[k];
    r[6] = t[i].accept;
    r[7] = i * 256;
    memcpy(classes + i * 256, t[i].byte_class, 256);
    memcpy(states + nstate, t[i].next, (size_t)size * sizeof *states);
    nstate += size;
  }
  Rules *made = NEW(a, Rules, 1);
  made->classes = constant(n, "classes", DT_U8, classes, count * 256);
  made->states = constant(n, "states", DT_U16, states, nstate);
  made->rules = constant(n, "rules", DT_I64, rule, (int64_t)count * RULE);
  return made;
}

/* NULL after an error. */
static const Rules *rules_of(Node *n)
{
  const Attr *separators = attr_get(n, "separators");
  const Attr *expression = attr_get(n, "tokenexp");
  RxTable table[MOST_RULES];
  int count = separators ? separators->n : 1;
  if (n->fused) return n->fused;
  if (!separators == !expression) {
    fail_model(n, "it has %s (spec: either separators or tokenexp)",
               separators ? "both separators and tokenexp"
                          : "neither separators nor tokenexp");
    return NULL;
  }
  if (count < 1 || count > MOST_RULES) {
    fail_unsupported(n, "%d separators (onnx2c: 1 to %d; join some as a|b)",
                     count, MOST_RULES);
    return NULL;
  }
  if (is_characters(separators)) {
    if (!rule_table(n, "separators", (Str){"(?s:.)", 6}, table)) return NULL;
  } else {
    for (int i = 0; i < count; i++)
      if (!rule_table(n, separators ? "separators" : "tokenexp",
                      separators ? separators->strs[i] : expression->s,
                      &table[i]))
        return NULL;
  }
  Rules *made = rules_from(n, table, count);
  made->nrule = separators && !is_characters(separators) ? count : 0;
  made->set = run_set(n, table, made->nrule);
  return n->fused = made;
}

static void infer(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[3], *bound = NULL;
  int64_t least = attr_int(n, "mincharnum", 0);
  if (!infer_ready(n)) return;
  if (x->rank < 1 || x->rank > 2) {
    fail_model(n, "the input has rank %d (spec: [C] or [N, C])", x->rank);
    return;
  }
  if (least < 1) {
    fail_model(n, "attribute mincharnum is %lld (spec: at least 1)",
               (long long)least);
    return;
  }
  if (is_characters(attr_get(n, "separators")) && least > 1) {
    fail_model(n, "attribute mincharnum is %lld where tokens are characters "
               "(spec: 1)", (long long)least);
    return;
  }
  if (!rules_of(n)) return;
  for (int i = 0; i < x->rank; i++) dim[i] = x->dim[i];
  dim[x->rank] = NULL;
  if (infer_sizes(n, 1, &bound, dim + x->rank))
    infer_out(n, 0, DT_STR, x->rank + 1, dim);
}

static void sizes(Lower *l, Node *n)
{
  const Rules *r = rules_of(n);
  int64_t mark = attr_int(n, "mark", 0) != 0;
  if (!r) return;
  if (r->set)
    lower_call(l, n, "size_set_tokens", DT_STR, "iidkkS", n->in[0], r->set,
               value_numel(n->in[0]), attr_int(n, "mincharnum", 1), mark);
  else
    lower_call(l, n, "size_tokens", DT_STR, "iiiidkkkS", n->in[0],
               r->classes, r->states, r->rules, value_numel(n->in[0]),
               (int64_t)r->nrule, attr_int(n, "mincharnum", 1), mark);
}

static void lower(Lower *l, Node *n)
{
  const Rules *r = rules_of(n);
  const Attr *pad = attr_get(n, "pad_value");
  Str *text = NEW(&n->g->m->arena, Str, 1);
  int64_t least = attr_int(n, "mincharnum", 1);
  int64_t mark = attr_int(n, "mark", 0) != 0;
  if (!r) return;
  *text = pad ? pad->s : (Str){"", 0};
  Value *fill = constant(n, "pad", DT_STR, text, 1);
  if (r->set)
    lower_call(l, n, "set_tokens", DT_STR, "iiiodkkd", n->in[0], r->set, fill,
               n->out[0], value_numel(n->in[0]), least, mark, n->size[0]);
  else
    lower_call(l, n, "tokens", DT_STR, "iiiiiodkkkd", n->in[0], r->classes,
               r->states, r->rules, fill, n->out[0], value_numel(n->in[0]),
               (int64_t)r->nrule, least, mark, n->size[0]);
}

static const OpRow rows[] = {
  {1, "X:str -> Y:str", "", "mark:i pad_value:s mincharnum:i separators:S "
   "tokenexp:s", NULL},
};
static const OpDef defs[] = {
  {.name = "Tokenizer", .domain = "com.microsoft", .rows = rows,
   .nrow = COUNT(rows), .infer = infer, .lower = lower, .sizes = sizes},
};
OPS_DEFINE(tokenizer, defs)
