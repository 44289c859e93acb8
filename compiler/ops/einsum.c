/* SPDX-License-Identifier: Apache-2.0 */
/* Einsum. Labels of the equation become numbers: letters, and after them the
 * axes of the ellipsis, the last one highest. More than two operands are
 * multiplied from the left, two at a time. A product of two that is one of
 * matrices becomes Transpose, Reshape and MatMul (Mul, if nothing is summed),
 * which have tuned kernels; the reference kernel takes whatever is left. */
#include <string.h>
#include "../ir.h"

enum { LETTERS = 52, LABELS = LETTERS + MAX_RANK, MOST = 24 };
typedef struct { int n, label[MOST]; } Axes;
typedef struct {
  int nin;
  Axes *in, out;
  const Dim *size[LABELS]; /* NULL: no such label */
} Equation;

static int letter(char c)
{
  if (c >= 'A' && c <= 'Z') return c - 'A';
  return c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1;
}

static bool has(const Axes *t, int label)
{
  for (int i = 0; i < t->n; i++)
    if (t->label[i] == label) return true;
  return false;
}

/* One term, up to a comma, an arrow or the end; `wide`: axes of its ellipsis.
 * false where it is malformed. */
static bool read_term(const char **s, int wide, Axes *t, bool *dots)
{
  t->n = 0;
  *dots = false;
  for (; **s && **s != ',' && strncmp(*s, "->", 2); (*s)++) {
    if (**s == ' ') continue;
    if (!strncmp(*s, "...", 3) && !*dots) {
      *dots = true;
      *s += 2;
      for (int i = 0; i < wide && t->n < MAX_RANK; i++)
        t->label[t->n++] = LABELS - wide + i;
    } else {
      if (letter(**s) < 0 || t->n == MAX_RANK) return false;
      t->label[t->n++] = letter(**s);
    }
  }
  return true;
}

/* Without an arrow: the ellipsis, then what stands once, in order. */
static void implicit_output(Equation *e, int wide)
{
  e->out.n = 0;
  for (int i = LABELS - wide; i < LABELS; i++) e->out.label[e->out.n++] = i;
  for (int c = 0; c < LETTERS; c++) {
    int times = 0;
    for (int i = 0; i < e->nin; i++)
      for (int k = 0; k < e->in[i].n; k++) times += e->in[i].label[k] == c;
    if (times == 1 && e->out.n < MOST) e->out.label[e->out.n++] = c;
  }
}

/* What is wrong with the equation; NULL: nothing. */
static const char *read_equation(const Node *n, Equation *e)
{
  const char *s = attr_str(n, "equation", "");
  int most = 0;
  bool dots;
  e->nin = n->nin;
  e->in = NEW(&n->g->m->arena, Axes, n->nin);
  for (int i = 0; i < n->nin; i++, s++) {
    const char *again = s;
    if (!read_term(&again, 0, &e->in[i], &dots)) return "a term is malformed";
    int wide = n->in[i]->rank - e->in[i].n;
    if (wide < 0 || (wide > 0 && !dots))
      return "a term has not as many labels as its operand has axes";
    if (wide > most) most = wide;
    read_term(&s, wide, &e->in[i], &dots);
    if ((*s == ',') != (i < n->nin - 1))
      return "the number of terms is not that of operands";
    if (*s != ',') break;
  }
  if (!*s) {
    implicit_output(e, most);
    return e->out.n > MAX_RANK ? "the output has too many axes" : NULL;
  }
  s += 2;
  if (!read_term(&s, most, &e->out, &dots) || *s)
    return "the output is malformed";
  if (most && !dots) return "the output lacks the ellipsis";
  for (int i = 0; i < e->out.n; i++) {
    bool known = false;
    for (int k = 0; k < e->nin; k++) known |= has(&e->in[k], e->out.label[i]);
    if (!known) return "a label of the output is in no operand";
    for (int k = 0; k < i; k++)
      if (e->out.label[k] == e->out.label[i])
        return "a label stands twice in the output";
  }
  return NULL;
}

/* The size of each label; false after a diagnostic. */
static bool read_sizes(Node *n, Equation *e)
{
  int count = 0;
  memset(e->size, 0, sizeof e->size);
  for (int i = 0; i < e->nin; i++)
    for (int k = 0; k < e->in[i].n; k++) {
      const Dim **d = &e->size[e->in[i].label[k]], *own = n->in[i]->dim[k];
      count += !*d;
      *d = *d ? infer_broadcast_dim(n, *d, own, k) : own;
      if (!*d) return false;
    }
  if (count <= MOST) return true;
  fail_unsupported(n, "%d labels (onnx2c: at most %d)", count, MOST);
  return false;
}

static void infer_einsum(Node *n)
{
  Equation e;
  const Dim *dim[MAX_RANK];
  const char *error;
  if (!infer_ready(n)) return;
  if ((error = read_equation(n, &e))) {
    fail_model(n, "equation %s: %s",
               quote(&n->g->m->arena, attr_str(n, "equation", "")), error);
    return;
  }
  if (!read_sizes(n, &e)) return;
  for (int i = 0; i < e.out.n; i++) dim[i] = e.size[e.out.label[i]];
  infer_out(n, 0, n->in[0]->dtype, e.out.n, dim);
}

/* The labels of `a` and `b` that `out` or operands from `from` on still have:
 * the result of their product. */
static void left_over(const Equation *e, const Axes *a, const Axes *b, int from,
                      Axes *r)
{
  r->n = 0;
  for (int i = 0; i < a->n + b->n; i++) {
    int c = i < a->n ? a->label[i] : b->label[i - a->n];
    bool wanted = has(&e->out, c);
    for (int k = from; k < e->nin; k++) wanted |= has(&e->in[k], c);
    if (wanted && !has(r, c)) r->label[r->n++] = c;
  }
}

/* A value with named axes; dim NULL: of the labels' sizes. */
typedef struct { Value *v; Axes axes; const Dim *const *dim; } Operand;

/* How far apart in it the elements along a label are. */
static const Dim *stride_of(DimPool *p, const Equation *e, const Operand *o,
                            int label)
{
  const Dim *s = dim_int(p, 0), *step = dim_int(p, 1);
  for (int i = o->axes.n - 1; i >= 0; i--) {
    const Dim *size = o->dim ? o->dim[i] : e->size[o->axes.label[i]];
    if (o->axes.label[i] == label && !dim_is(size, 1)) s = dim_add(p, s, step);
    step = dim_mul(p, step, size);
  }
  return s;
}

static void lower_product(Lower *l, Node *n, const Equation *e,
                          const Operand *a, const Operand *b, Value *y,
                          const Axes *r)
{
  DimPool *p = node_dims(n);
  const Dim *dim[MOST], *as[MOST], *bs[MOST];
  const Dim *over[MOST + 1], *ao[MOST + 1], *bo[MOST + 1];
  int inner = 0;
  for (int i = 0; i < r->n; i++) {
    dim[i] = e->size[r->label[i]];
    as[i] = stride_of(p, e, a, r->label[i]);
    bs[i] = stride_of(p, e, b, r->label[i]);
  }
  for (int c = 0; c < LABELS; c++) {
    if ((!has(&a->axes, c) && !has(&b->axes, c)) || has(r, c)) continue;
    over[inner] = e->size[c];
    ao[inner] = stride_of(p, e, a, c);
    bo[inner++] = stride_of(p, e, b, c);
  }
  if (!inner) {
    over[0] = dim_int(p, 1);
    ao[0] = bo[0] = dim_int(p, 0);
    inner = 1;
  }
  lower_call(l, n, "einsum", y->dtype, "iiokkDDDDDD", a->v, b->v, y,
             (int64_t)r->n, (int64_t)inner, dim, r->n, as, r->n, bs, r->n, over,
             inner, ao, inner, bo, inner);
}

static void lower_einsum(Lower *l, Node *n)
{
  Equation e;
  Operand none = {0};
  if (read_equation(n, &e) || !read_sizes(n, &e)) return;
  Operand a = {n->in[0], e.in[0], n->in[0]->dim};
  if (n->nin == 1) lower_product(l, n, &e, &a, &none, n->out[0], &e.out);
  for (int i = 1; i < n->nin; i++) {
    Operand b = {n->in[i], e.in[i], n->in[i]->dim}, y = {0};
    const Dim *size = dim_int(node_dims(n), 1);
    y.v = n->out[0];
    y.axes = e.out;
    if (i < n->nin - 1) {
      left_over(&e, &a.axes, &b.axes, i + 1, &y.axes);
      for (int k = 0; k < y.axes.n; k++)
        size = dim_mul(node_dims(n), size, e.size[y.axes.label[k]]);
      y.v = lower_scratch(l, n, n->out[0]->dtype, size);
    }
    lower_product(l, n, &e, &a, &b, y.v, &y.axes);
    a = y;
  }
}

/* Groups of the labels of a product of two: in both operands and the output;
 * in one of them and the output; in both only. */
typedef struct { Axes batch, m, n, k; } Groups;

static bool add_group(const Equation *e, const Node *n, int in, Groups *g)
{
  const Axes *own = &e->in[in], *other = &e->in[1 - in];
  for (int i = 0; i < own->n; i++) {
    int c = own->label[i];
    Axes *t = has(other, c) ? has(&e->out, c) ? &g->batch : &g->k
                            : in ? &g->n : &g->m;
    for (int k = 0; k < i; k++)
      if (own->label[k] == c) return false;
    if (n->in[in]->dim[i] != e->size[c]) return false;
    if (!has(other, c) && !has(&e->out, c)) return false;
    if (in == 0 || !has(other, c)) t->label[t->n++] = c;
  }
  return true;
}

static const Dim *group_size(DimPool *p, const Equation *e, const Axes *t)
{
  const Dim *d = dim_int(p, 1);
  for (int i = 0; i < t->n; i++) d = dim_mul(p, d, e->size[t->label[i]]);
  return d;
}

static Value *one_input(Node *at, const char *op, Value *x, const char *attr,
                        const int64_t *v, int count)
{
  Node *n = node_new(at->g, at, op, 1, 1, at);
  if (attr) attr_set_ints(n, attr, v, count);
  else node_set_input(n, 1, value_const_ints(at->g, "shape", v, count));
  node_set_input(n, 0, x);
  node_set_output(n, 0, value_tmp(at->g, op, x));
  n->out[0]->rank = -1;
  infer_node(n);
  return n->out[0];
}

/* x, whose axes are `from`, with the axes `to`. */
static Value *ordered(Node *at, Value *x, const Axes *from, const Axes *to)
{
  int64_t perm[MOST];
  bool same = true;
  for (int i = 0; i < to->n; i++)
    for (int k = 0; k < from->n; k++)
      if (from->label[k] == to->label[i]) {
        perm[i] = k;
        same &= i == k;
      }
  return same ? x : one_input(at, "Transpose", x, "perm", perm, to->n);
}

/* The operand of Reshape that makes `dim` of `from`; false: there is none. */
static bool shape_text(const Dim *const *from, int nfrom, const Dim *const *dim,
                       int rank, int64_t *shape)
{
  int holes = 0;
  for (int i = 0; i < rank; i++) {
    if (dim_is_int(dim[i], &shape[i]) && shape[i] > 0) continue;
    bool copied = i < nfrom && from[i] == dim[i];
    shape[i] = copied ? 0 : -1;
    holes += !copied;
  }
  return holes <= 1;
}

static void append(Axes *to, const Axes *t)
{
  for (int i = 0; i < t->n; i++) to->label[to->n++] = t->label[i];
}

/* A Reshape between axes in full and the three parts of a matrix. */
typedef struct {
  Axes axes;
  int rank;                /* batch, and two */
  const Dim *full[MOST], *part[MOST];
  int64_t to_part[MOST], to_full[MOST];
} Matrix;

static bool matrix_of(const Node *n, const Equation *e, const Groups *g,
                      const Axes *rows, const Axes *columns, Matrix *m)
{
  DimPool *p = node_dims(n);
  m->axes = g->batch;
  append(&m->axes, rows);
  append(&m->axes, columns);
  m->rank = g->batch.n + 2;
  for (int i = 0; i < m->axes.n; i++) m->full[i] = e->size[m->axes.label[i]];
  for (int i = 0; i < g->batch.n; i++) m->part[i] = m->full[i];
  m->part[m->rank - 2] = group_size(p, e, rows);
  m->part[m->rank - 1] = group_size(p, e, columns);
  if (m->axes.n > MAX_RANK || m->rank > MAX_RANK) return false;
  return shape_text(m->full, m->axes.n, m->part, m->rank, m->to_part) &&
         shape_text(m->part, m->rank, m->full, m->axes.n, m->to_full);
}

static bool reshaped(const Matrix *m)
{
  if (m->rank != m->axes.n) return true;
  for (int i = 0; i < m->rank; i++)
    if (m->part[i] != m->full[i]) return true;
  return false;
}

static Value *as_matrix(Node *at, Value *x, const Axes *from, const Matrix *m)
{
  x = ordered(at, x, from, &m->axes);
  return reshaped(m) ? one_input(at, "Reshape", x, NULL, m->to_part, m->rank)
                     : x;
}

static bool expand_product(Node *n, const Equation *e)
{
  Groups g = {0};
  Matrix a, b, y;
  if (!add_group(e, n, 0, &g) || !add_group(e, n, 1, &g) ||
      !matrix_of(n, e, &g, &g.m, &g.k, &a) ||
      !matrix_of(n, e, &g, &g.k, &g.n, &b) ||
      !matrix_of(n, e, &g, &g.m, &g.n, &y))
    return false;
  Value *r = node_op(n, g.k.n ? "MatMul" : "Mul", 2,
                     as_matrix(n, n->in[0], &e->in[0], &a),
                     as_matrix(n, n->in[1], &e->in[1], &b));
  if (reshaped(&y))
    r = one_input(n, "Reshape", r, NULL, y.to_full, y.axes.n);
  value_replace(n->out[0], ordered(n, r, &y.axes, &e->out));
  node_remove(n);
  return true;
}

static char *write_term(char *s, const Axes *t, const char *name)
{
  for (int i = 0; i < t->n; i++) *s++ = name[t->label[i]];
  return s;
}

/* The first two operands by an Einsum of their own. */
static bool expand_first(Node *n, const Equation *e)
{
  char text[4 * MOST + 8], name[LABELS], *s;
  Axes r;
  int used = 0;
  left_over(e, &e->in[0], &e->in[1], 2, &r);
  if (r.n > MAX_RANK) return false;
  for (int c = 0; c < LABELS; c++)
    if (e->size[c]) name[c] = (char)('a' + used++);
  Arena *a = &n->g->m->arena;
  s = write_term(text, &e->in[0], name);
  *s++ = ',';
  s = write_term(s, &e->in[1], name);
  memcpy(s, "->", 2);
  *write_term(s + 2, &r, name) = 0;
  Node *first = node_new(n->g, n, "Einsum", 2, 1, n);
  attr_set_str(first, "equation", arena_str(a, text));
  node_set_input(first, 0, n->in[0]);
  node_set_input(first, 1, n->in[1]);
  node_set_output(first, 0, value_tmp(n->g, "product", n->in[0]));
  first->out[0]->rank = -1;
  infer_node(first);
  StrBuf rest;
  sb_init(&rest, a);
  *write_term(text, &r, name) = 0;
  sb_puts(&rest, text);
  for (int i = 2; i < e->nin; i++) {
    *write_term(text, &e->in[i], name) = 0;
    sb_printf(&rest, ",%s", text);
  }
  *write_term(text, &e->out, name) = 0;
  sb_printf(&rest, "->%s", text);
  attr_set_str(n, "equation", arena_str(a, rest.s));
  sb_free(&rest);
  node_set_input(n, 0, first->out[0]);
  for (int i = 2; i < e->nin; i++) node_set_input(n, i - 1, n->in[i]);
  node_drop_inputs(n, e->nin - 1);
  return true;
}

/* Types that MatMul and Mul have too. */
static bool type_ok(Dtype t)
{
  return t == DT_F32 || t == DT_F64 || t == DT_F16 || t == DT_BF16 ||
         t == DT_I32 || t == DT_I64 || t == DT_U32 || t == DT_U64;
}

static void expand_einsum(Node *n)
{
  Equation e;
  while (n->nin > 2) {
    if (read_equation(n, &e) || !read_sizes(n, &e) || !expand_first(n, &e))
      return;
    /* The new node stands before this one, and is a product of two. */
    Node *first = n->prev;
    if (!read_equation(first, &e) && read_sizes(first, &e) &&
        type_ok(n->in[0]->dtype))
      expand_product(first, &e);
  }
  if (n->nin == 2 && type_ok(n->in[0]->dtype) && !read_equation(n, &e) &&
      read_sizes(n, &e))
    expand_product(n, &e);
}

static int axis_einsum(const Node *n, int in, int axis, int out)
{
  Equation e;
  int times = 0;
  (void)out;
  if (read_equation(n, &e)) return AXIS_MIXES;
  for (int k = 0; k < e.in[in].n; k++)
    times += e.in[in].label[k] == e.in[in].label[axis];
  for (int k = 0; k < e.out.n && times == 1; k++)
    if (e.out.label[k] == e.in[in].label[axis]) return k;
  return AXIS_MIXES;
}

static const OpRow rows[] = {
  {12, "Inputs:T... -> Output:T", "T=num", "equation:s!", NULL},
  {28, NULL, "T=num bf16", NULL, NULL},
};
static const OpDef defs[] = {
  {.name = "Einsum", .rows = rows, .nrow = COUNT(rows), .infer = infer_einsum,
   .lower = lower_einsum, .expand = expand_einsum, .axis = axis_einsum},
};
OPS_DEFINE(einsum, defs)
