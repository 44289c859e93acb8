/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of the user: --custom Domain.Op=FILE.
 *
 * FILE is C text that the generated code gets as it is, with a signature in a
 * comment for each of its functions that compute the operator:
 *
 *     onnx2c: scale(float x[n...], float w[C]?; float by = 1) -> float y[n...]
 *
 * The function takes pointers to the inputs (NULL for an absent one), then to
 * the outputs, the sizes in the order in which they are first named (int64_t),
 * the attributes (int64_t or double), and returns an o2c_status. The first
 * signature whose types and ranks are those of a node computes it. Sizes with
 * one name are equal; those of outputs are sums of products of such names,
 * attributes that are whole numbers, and numbers.
 */
#include "custom.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  Model *m;
  const char *s;         /* what is left */
  const char *wanted;    /* what did not stand there: the first error */
  CustomForm *form;
} Scan;

/* --- Signatures ----------------------------------------------------------- */

static bool fail_at(Scan *c, const char *wanted)
{
  if (!c->wanted) c->wanted = wanted;
  return false;
}

static bool take(Scan *c, const char *text)
{
  c->s += strspn(c->s, " \t\r\n");
  if (strncmp(c->s, text, strlen(text))) return false;
  c->s += strlen(text);
  return true;
}

static bool expect(Scan *c, const char *text)
{
  return take(c, text) || fail_at(c, text);
}

static const char *word(Scan *c)
{
  size_t n = 0;
  c->s += strspn(c->s, " \t\r\n");
  while (isalnum((unsigned char)c->s[n]) || c->s[n] == '_') n++;
  if (!n) return NULL;
  c->s += n;
  return arena_strn(&c->m->arena, c->s - n, n);
}

static bool type_word(Scan *c, Dtype *t)
{
  const char *s = word(c);
  for (int k = 1; s && k < DT_COUNT; k++)
    if (!strcmp(dtype_info((Dtype)k)->onnx, s)) {
      *t = (Dtype)k;
      return true;
    }
  return fail_at(c, "a type of ONNX, as float or int64,");
}

static bool is_attr(const CustomForm *f, const char *name)
{
  for (int i = 0; i < f->nattr; i++)
    if (!strcmp(f->attr[i].name, name)) return true;
  return false;
}

/* Notes the name of a size; its place among them. */
static int size_at(CustomForm *f, const char *name)
{
  for (int i = 0; i < f->nsize; i++)
    if (!strcmp(f->size[i], name)) return i;
  if (f->nsize == CUSTOM_SIZES) return -1;
  f->size[f->nsize] = name;
  return f->nsize++;
}

/* A size of an input: a number or a name. */
static const char *input_size(Scan *c)
{
  const char *s = word(c);
  if (!s) fail_at(c, "a size");
  else if (!isdigit((unsigned char)*s) && size_at(c->form, s) < 0)
    fail_at(c, "fewer names of sizes (16 at most)");
  return s;
}

/* A size of an output: checked now, computed by output_dim. */
static const char *output_size(Scan *c)
{
  const char *from = c->s, *s;
  do {
    s = word(c);
    if (!s || (!isdigit((unsigned char)*s) && !is_attr(c->form, s) &&
               !(size_at(c->form, s) >= 0)))
      fail_at(c, "a size");
  } while (s && (take(c, "+") || take(c, "-") || take(c, "*") ||
                 take(c, "/")));
  return arena_strn(&c->m->arena, from, (size_t)(c->s - from));
}

static bool port(Scan *c, CustomPort *p, bool output)
{
  if (!type_word(c, &p->type)) return false;
  p->name = word(c);
  if (!p->name) return fail_at(c, "the name of a tensor");
  if (!expect(c, "[")) return false;
  while (!c->wanted && !take(c, "]")) {
    if (p->rank == MAX_RANK) return fail_at(c, "]");
    p->size[p->rank++] = output ? output_size(c) : input_size(c);
    p->any = take(c, "...");
    if (p->any && p->rank > 1) return fail_at(c, "one size before ...");
    if (p->any || !take(c, ",")) {
      if (!expect(c, "]")) return false;
      break;
    }
  }
  p->optional = take(c, "?");
  return !c->wanted;
}

static bool ports(Scan *c, CustomPort *p, int *n, bool output)
{
  do {
    if (*n == CUSTOM_PORTS) return fail_at(c, "fewer tensors (8 at most)");
    if (!port(c, &p[(*n)++], output)) return false;
  } while (take(c, ","));
  return true;
}

static bool attribute(Scan *c)
{
  if (c->form->nattr == CUSTOM_ATTRS)
    return fail_at(c, "fewer attributes (16 at most)");
  CustomAttr *a = &c->form->attr[c->form->nattr++];
  const char *type = word(c);
  char *end;
  if (!type || (strcmp(type, "float") && strcmp(type, "int")))
    return fail_at(c, "float or int, the type of an attribute,");
  a->real = *type == 'f';
  a->name = word(c);
  if (!a->name) return fail_at(c, "the name of an attribute");
  a->needed = !take(c, "=");
  if (a->needed) return true;
  a->value = strtod(c->s, &end);
  if (end == c->s) return fail_at(c, "a number");
  c->s = end;
  return true;
}

static bool attributes(Scan *c)
{
  do
    if (!attribute(c)) return false;
  while (take(c, ","));
  return expect(c, ")");
}

static bool signature(Scan *c)
{
  CustomForm *f = c->form;
  f->function = word(c);
  if (!f->function || !c_valid(f->function) || c_reserved(f->function))
    return fail_at(c, "the name of a function");
  if (!expect(c, "(")) return false;
  bool more = !take(c, ")");
  if (more && !take(c, ";")) {
    if (!ports(c, f->in, &f->nin, false)) return false;
    more = !take(c, ")");
    if (more && !expect(c, ";")) return false;
  }
  if (more && !attributes(c)) return false;
  return expect(c, "->") && ports(c, f->out, &f->nout, true);
}

/* --- The operator --------------------------------------------------------- */

const Custom *custom_of(const Node *n)
{
  for (const Custom *c = n->g->m->custom; c; c = c->next)
    if (n->op == &c->op) return c;
  return NULL;
}

const OpDef *custom_find(const Model *m, const char *domain, const char *name)
{
  for (const Custom *c = m->custom; c; c = c->next)
    if (!strcmp(c->op.domain, domain) && !strcmp(c->op.name, name))
      return &c->op;
  return op_find(domain, name);
}

static bool attrs_fit(const Node *n, const CustomForm *f)
{
  for (int i = 0; i < n->nattr; i++)
    if (!is_attr(f, n->attr[i].name)) return false;
  for (int i = 0; i < f->nattr; i++)
    if (f->attr[i].needed && !attr_get(n, f->attr[i].name)) return false;
  return true;
}

static bool form_fits(const Node *n, const CustomForm *f)
{
  for (int i = 0; i < f->nin; i++) {
    const Value *v = node_in(n, i);
    const CustomPort *p = &f->in[i];
    if (v ? v->dtype != p->type || (!p->any && v->rank != p->rank)
          : !p->optional)
      return false;
  }
  return n->nin <= f->nin && n->nout <= f->nout && attrs_fit(n, f);
}

/* NULL after a diagnostic. */
static const CustomForm *form_of(Node *n)
{
  const Custom *c = custom_of(n);
  const char *have = "";
  for (const CustomForm *f = c->form; f; f = f->next)
    if (form_fits(n, f)) return f;
  for (int i = 0; i < n->nin; i++)
    if (n->in[i])
      have = arena_printf(&n->g->m->arena, "%s%s%s of rank %d", have,
                          *have ? ", " : "", dtype_info(n->in[i]->dtype)->onnx,
                          n->in[i]->rank);
  for (int i = 0; i < n->nattr; i++)
    have = arena_printf(&n->g->m->arena, "%s%sattribute %s", have,
                        *have ? ", " : "", n->attr[i].name);
  fail_model(n, "no signature in %s takes %s; add a function that does",
             quote(&n->g->m->arena, c->path), *have ? have : "no inputs");
  return NULL;
}

static const CustomPort *shaped_like(const CustomForm *f, const char *size)
{
  for (int i = 0; i < f->nin; i++)
    if (f->in[i].any && !strcmp(f->in[i].size[0], size)) return &f->in[i];
  return NULL;
}

/* Size k of port p, which the input v has. */
static bool meet(Node *n, const CustomForm *f, const CustomPort *p, int k,
                 const Dim *have, const Dim **size)
{
  Arena *a = &n->g->m->arena;
  const char *s = p->size[k];
  const char *what = arena_printf(a, "size %s of %s", s, p->name);
  if (isdigit((unsigned char)*s))
    return infer_equal(n, have, dim_int(node_dims(n), strtoll(s, NULL, 10)),
                       what);
  const Dim **to = &size[size_at((CustomForm *)f, s)];
  if (!*to) *to = have;
  return infer_equal(n, *to, have, what);
}

/* What the names of sizes stand for: NULL where no present input says it. */
static bool bind_sizes(Node *n, const CustomForm *f, const Dim **size)
{
  for (int i = 0; i < f->nsize; i++) size[i] = NULL;
  for (int i = 0; i < f->nin; i++) {
    const Value *v = node_in(n, i);
    const CustomPort *p = &f->in[i];
    if (!v) continue;
    if (p->any && !meet(n, f, p, 0, value_numel(v), size)) return false;
    for (int k = 0; !p->any && k < v->rank; k++)
      if (!meet(n, f, p, k, v->dim[k], size)) return false;
  }
  return true;
}

static double attr_value(const Node *n, const CustomAttr *a)
{
  const Attr *have = attr_get(n, a->name);
  return !have ? a->value : a->real ? have->f : (double)have->i;
}

static const Dim *operand(Node *n, const CustomForm *f, const char *s,
                          const Dim **size)
{
  DimPool *p = node_dims(n);
  if (isdigit((unsigned char)*s)) return dim_int(p, strtoll(s, NULL, 10));
  for (int i = 0; i < f->nattr; i++)
    if (!strcmp(f->attr[i].name, s))
      return dim_int(p, (int64_t)attr_value(n, &f->attr[i]));
  return size[size_at((CustomForm *)f, s)];
}

static const Dim *join(DimPool *p, char op, const Dim *a, const Dim *b)
{
  int64_t zero;
  if (op == '/' && dim_is_int(b, &zero) && zero == 0) return NULL;
  return op == '+' ? dim_add(p, a, b) : op == '-' ? dim_sub(p, a, b)
       : op == '*' ? dim_mul(p, a, b) : dim_div(p, a, b);
}

/* A sum of products, division rounding down; NULL: a name has no size. */
static const Dim *output_dim(Node *n, const CustomForm *f, const char *text,
                             const Dim **size)
{
  DimPool *p = node_dims(n);
  Scan c = {.m = n->g->m, .s = text};
  const Dim *sum = dim_int(p, 0), *product = NULL;
  char plus = '+', times = '*';
  for (;;) {
    const Dim *d = operand(n, f, word(&c), size);
    product = !d ? NULL : product ? join(p, times, product, d) : d;
    if (!product) return NULL;
    c.s += strspn(c.s, " \t\r\n");
    char op = *c.s ? *c.s++ : '+';
    if (op == '*' || op == '/') {
      times = op;
      continue;
    }
    sum = join(p, plus, sum, product);
    if (!*c.s) return sum;
    plus = op;
    product = NULL;
  }
}

static bool infer_port(Node *n, const CustomForm *f, int i, const Dim **size)
{
  const CustomPort *p = &f->out[i], *like = NULL;
  const Dim *dim[MAX_RANK];
  if (p->any) like = shaped_like(f, p->size[0]);
  for (int k = 0; like && k < f->nin; k++)
    if (like == &f->in[k] && node_in(n, k)) {
      infer_out(n, i, p->type, n->in[k]->rank, n->in[k]->dim);
      return true;
    }
  for (int k = 0; k < p->rank; k++) {
    dim[k] = p->any ? NULL : output_dim(n, f, p->size[k], size);
    if (!dim[k]) {
      fail_model(n, "the signature of %s does not say what %s of output %s is",
                 f->function, p->size[k], p->name);
      return false;
    }
  }
  infer_out(n, i, p->type, p->rank, dim);
  return true;
}

static void infer(Node *n)
{
  const Dim *size[CUSTOM_SIZES];
  if (!infer_ready(n)) return;
  const CustomForm *f = form_of(n);
  if (!f || !bind_sizes(n, f, size)) return;
  for (int i = 0; i < n->nout; i++)
    if (!infer_port(n, f, i, size)) return;
}

static void lower(Lower *l, Node *n)
{
  const CustomForm *f = form_of(n);
  const Dim *size[CUSTOM_SIZES], *zero = dim_int(&l->m->dims, 0);
  Call c = {.node = n, .kernel = f ? f->function : "", .custom = custom_of(n)};
  if (!f || !bind_sizes(n, f, size)) return;
  for (int i = 0; i < f->nin; i++)
    c.arg[c.narg++] = (CallArg){.kind = 'i', .v = node_in(n, i)};
  for (int i = 0; i < f->nout; i++)
    c.arg[c.narg++] = (CallArg){.kind = 'o', .v = node_out(n, i)};
  for (int i = 0; i < f->nsize; i++) {
    const Dim **d = NEW(&l->m->arena, const Dim *, 1);
    *d = size[i] ? size[i] : zero;
    c.arg[c.narg++] = (CallArg){.kind = 'd', .dim = d, .n = 1};
  }
  for (int i = 0; i < f->nattr; i++) {
    const Dim **d = NEW(&l->m->arena, const Dim *, 1);
    double v = attr_value(n, &f->attr[i]);
    *d = dim_int(&l->m->dims, f->attr[i].real ? 0 : (int64_t)v);
    c.arg[c.narg++] = f->attr[i].real
      ? (CallArg){.kind = 'f', .f = v}
      : (CallArg){.kind = 'd', .dim = d, .n = 1};
  }
  l->emit(l, &c);
}

/* --- Files ---------------------------------------------------------------- */

static const char *port_texts(Arena *a, int n)
{
  const char *s = "";
  for (int i = 0; i < n; i++) s = arena_printf(a, "%s p%d:*?", s, i);
  return s;
}

/* The record allows what one of the signatures does; form_of is exact. */
static void make_record(Arena *a, Custom *c)
{
  CustomForm all = {0};
  const char *attrs = "";
  for (const CustomForm *f = c->form; f; f = f->next) {
    if (f->nin > all.nin) all.nin = f->nin;
    if (f->nout > all.nout) all.nout = f->nout;
    for (int i = 0; i < f->nattr && all.nattr < CUSTOM_ATTRS; i++) {
      if (is_attr(&all, f->attr[i].name)) continue;
      all.attr[all.nattr++] = f->attr[i];
      attrs = arena_printf(a, "%s %s:%c", attrs, f->attr[i].name,
                           f->attr[i].real ? 'f' : 'i');
    }
  }
  c->row = (OpRow){1, arena_printf(a, "%s -> %s", port_texts(a, all.nin),
                                   port_texts(a, all.nout)), "", attrs, NULL};
  c->op.rows = &c->row;
  c->op.nrow = 1;
  c->op.infer = infer;
  c->op.lower = lower;
}

/* Signatures in the order of the text. false after a diagnostic. */
static bool read_forms(Model *m, Custom *c)
{
  static const char mark[] = "onnx2c:";
  const CustomForm **end = &c->form;
  for (const char *s = c->text; (s = strstr(s, mark)) != NULL;) {
    CustomForm *f = NEW(&m->arena, CustomForm, 1);
    Scan scan = {.m = m, .s = s + sizeof mark - 1, .form = f};
    if (!signature(&scan)) {
      diag_model(m, SEV_ERROR, EXIT_USAGE, "--custom: a signature in %s wants "
                 "%s before %s", quote(&m->arena, c->path), scan.wanted,
                 quote(&m->arena, arena_strn(&m->arena, scan.s,
                                             strcspn(scan.s, "\n"))));
      return false;
    }
    *end = f;
    end = (const CustomForm **)(void *)&f->next;
    s = scan.s;
  }
  if (!c->form)
    diag_model(m, SEV_ERROR, EXIT_USAGE, "--custom: %s has no signature; write "
               "one in a comment: onnx2c: f(float x[n...]) -> float y[n...]",
               quote(&m->arena, c->path));
  return c->form != NULL;
}

/* Domain.Op: the last dot parts them; "ai.onnx" is "". */
static void set_name(Arena *a, Custom *c, const char *name)
{
  const char *dot = strrchr(name, '.');
  c->op.name = dot ? dot + 1 : name;
  c->op.domain = dot ? arena_strn(a, name, (size_t)(dot - name)) : "";
  if (!strcmp(c->op.domain, "ai.onnx")) c->op.domain = "";
}

void custom_read(Model *m)
{
  Arena *a = &m->arena;
  for (int i = 0; m->opt && i < m->opt->ncustom; i++) {
    const NamePath *given = &m->opt->custom[i];
    Custom *c = NEW(a, Custom, 1);
    set_name(a, c, given->name);
    c->path = given->path;
    c->text = read_text(a, given->path);
    if (!c->text) {
      diag_model(m, SEV_ERROR, EXIT_USAGE, "--custom: can't read %s",
                 quote(a, given->path));
      continue;
    }
    if (custom_find(m, c->op.domain, c->op.name)) {
      diag_model(m, SEV_ERROR, EXIT_USAGE, "--custom: %s is already an "
                 "operator; use another domain", quote(a, given->name));
      continue;
    }
    if (!read_forms(m, c)) continue;
    make_record(a, c);
    c->next = m->custom;
    m->custom = c;
  }
}
