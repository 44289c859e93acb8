/* SPDX-License-Identifier: Apache-2.0 */
/* Symbolic content: sym_eval_node follows small integer tensors, the ones that
 * compute shapes, through the graph as dimensions, so that the Shape, Gather,
 * Mul, Concat, Reshape of an exporter end in polynomials over the batch.
 *
 * Operators that only move data need no code for it: eval_moves runs their
 * kernels over handles of Dims instead of numbers. Arithmetic is the table
 * `rules`. Where the result is not certain (a comparison of two symbols, a
 * quotient that may be negative) the content stays unknown. */
#include <string.h>
#include "ir.h"

#define SMALL_IN 4096 /* elements of constants evaluated during inference */

/* What a rule works on: output 0 and the contents of up to three inputs. */
typedef struct {
  Node *n;
  DimPool *p;
  Value *out;
  int nout;               /* elements */
  const Dim **dim;        /* result */
  const Dim *const *in[3];
  int nin[3];
} Sym1;
typedef bool (*Rule)(Sym1 *s);

/* Element of input k that output element i reads, by broadcasting. */
static const Dim *at(const Sym1 *s, int k, int i)
{
  const Value *v = s->n->in[k];
  int64_t d, dv, pos = 0, scale = 1;
  for (int a = s->out->rank - 1, b = v->rank - 1; b >= 0; a--, b--) {
    dim_is_int(s->out->dim[a], &d);
    dim_is_int(v->dim[b], &dv);
    if (dv != 1) pos += i % d * scale;
    scale *= dv;
    i /= (int)d;
  }
  return s->in[k][pos];
}

/* -1, 0, 1 as a is less than, equal to, greater than b; 2: not certain. */
static int compare(DimPool *p, const Dim *a, const Dim *b)
{
  const Dim *one = dim_int(p, 1), *d = dim_sub(p, a, b);
  if (a == b) return 0;
  if (dim_bad(d)) return 2;
  if (dim_nonneg(p, dim_sub(p, d, one))) return 1;
  return dim_nonneg(p, dim_sub(p, dim_sub(p, b, a), one)) ? -1 : 2;
}

static const Dim *quotient(DimPool *p, const Dim *a, const Dim *b)
{
  int64_t x, y;
  if (dim_is_int(a, &x) && dim_is_int(b, &y))
    return y == 0 || y == -1 ? NULL : dim_int(p, x / y); /* ONNX Div-7: to 0 */
  if (!dim_nonneg(p, a) || !dim_nonneg(p, dim_sub(p, b, dim_int(p, 1))))
    return NULL;
  return dim_div(p, a, b);
}

static const Dim *arith(Sym1 *s, const Dim *a, const Dim *b)
{
  const char *op = s->n->op_type;
  if (!strcmp(op, "Add")) return dim_add(s->p, a, b);
  if (!strcmp(op, "Sub")) return dim_sub(s->p, a, b);
  if (!strcmp(op, "Mul")) return dim_mul(s->p, a, b);
  if (!strcmp(op, "Min")) return dim_min(s->p, a, b);
  if (!strcmp(op, "Max")) return dim_max(s->p, a, b);
  if (!strcmp(op, "Div")) return quotient(s->p, a, b);
  /* ONNX Mod-13: fmod=1 takes the sign of the dividend. */
  if (attr_int(s->n, "fmod", 0) && !dim_nonneg(s->p, a)) return NULL;
  return quotient(s->p, a, b) ? dim_mod(s->p, a, b) : NULL;
}

static bool rule_arith(Sym1 *s)
{
  if (s->n->nin > 3) return false;
  for (int i = 0; i < s->nout; i++) {
    s->dim[i] = at(s, 0, i);
    for (int k = 1; k < s->n->nin && s->dim[i]; k++)
      s->dim[i] = arith(s, s->dim[i], at(s, k, i));
    if (!s->dim[i]) return false;
  }
  return true;
}

static bool rule_neg(Sym1 *s)
{
  for (int i = 0; i < s->nout; i++)
    s->dim[i] = dim_sub(s->p, dim_int(s->p, 0), s->in[0][i]);
  return true;
}

static bool rule_abs(Sym1 *s)
{
  for (int i = 0; i < s->nout; i++) {
    s->dim[i] = s->in[0][i];
    if (!dim_nonneg(s->p, s->dim[i])) return false;
  }
  return true;
}

static bool rule_compare(Sym1 *s)
{
  const char *op = s->n->op_type;
  bool less = !strncmp(op, "Less", 4), equal = !!strstr(op, "Equal");
  bool greater = !strncmp(op, "Greater", 7);
  for (int i = 0; i < s->nout; i++) {
    int c = compare(s->p, at(s, 0, i), at(s, 1, i));
    if (c == 2) return false;
    s->dim[i] = dim_int(s->p, (c < 0 && less) || (c == 0 && equal) ||
                              (c > 0 && greater));
  }
  return true;
}

static bool rule_where(Sym1 *s)
{
  int64_t c;
  for (int i = 0; i < s->nout; i++) {
    if (!dim_is_int(at(s, 0, i), &c)) return false;
    s->dim[i] = at(s, c ? 1 : 2, i);
  }
  return true;
}

static bool rule_cast(Sym1 *s)
{
  Dtype t = s->out->dtype;
  for (int i = 0; i < s->nout; i++) s->dim[i] = s->in[0][i];
  return t == DT_I64 || t == DT_I32;
}

/* To one element. The axes don't matter then. */
static bool rule_reduce(Sym1 *s)
{
  const char *op = s->n->op_type + 6;
  const Dim *r;
  if (s->nout != 1 || s->nin[0] == 0) return false;
  r = s->in[0][0];
  for (int i = 1; i < s->nin[0]; i++) {
    const Dim *d = s->in[0][i];
    r = !strcmp(op, "Sum") ? dim_add(s->p, r, d)
      : !strcmp(op, "Prod") ? dim_mul(s->p, r, d)
      : !strcmp(op, "Max") ? dim_max(s->p, r, d) : dim_min(s->p, r, d);
  }
  s->dim[0] = r;
  return true;
}

static bool rule_range(Sym1 *s)
{
  for (int i = 0; i < s->nout; i++)
    s->dim[i] = dim_add(s->p, s->in[0][0],
                        dim_mul(s->p, s->in[2][0], dim_int(s->p, i)));
  return true;
}

/* The shape is all that the node needs of its input. */
static bool rule_shape(Sym1 *s)
{
  const Value *x = node_in(s->n, 0);
  int64_t start = attr_int(s->n, "start", 0);
  if (x->rank < 0) return false;
  if (start < 0) start += x->rank;
  if (start < 0) start = 0;
  for (int i = 0; i < s->nout; i++) s->dim[i] = x->dim[start + i];
  return true;
}

static bool rule_size(Sym1 *s)
{
  if (s->n->in[0]->rank < 0) return false;
  s->dim[0] = value_numel(s->n->in[0]);
  return true;
}

static bool rule_fill(Sym1 *s)
{
  const Attr *value = attr_get(s->n, "value");
  const Dim *d = dim_int(s->p, value ? tensor_i64(value->t, 0) : 0);
  for (int i = 0; i < s->nout; i++) s->dim[i] = d;
  return true;
}

static const struct { const char *op; Rule rule; int nin; } rules[] = {
  {"Abs", rule_abs, 1}, {"Add", rule_arith, 2}, {"Sub", rule_arith, 2},
  {"Mul", rule_arith, 2}, {"Div", rule_arith, 2}, {"Mod", rule_arith, 2},
  {"Min", rule_arith, -1}, {"Max", rule_arith, -1}, {"Neg", rule_neg, 1},
  {"Equal", rule_compare, 2}, {"Less", rule_compare, 2},
  {"LessOrEqual", rule_compare, 2}, {"Greater", rule_compare, 2},
  {"GreaterOrEqual", rule_compare, 2}, {"Where", rule_where, 3},
  {"Cast", rule_cast, 1}, {"ReduceSum", rule_reduce, 1},
  {"ReduceProd", rule_reduce, 1}, {"ReduceMax", rule_reduce, 1},
  {"ReduceMin", rule_reduce, 1}, {"Range", rule_range, 3},
  {"Shape", rule_shape, 0}, {"Size", rule_size, 0},
  {"ConstantOfShape", rule_fill, 0},
};

static bool whole_type(Dtype t)
{
  return t == DT_I64 || t == DT_I32 || t == DT_BOOL;
}

/* Elements of an output whose content may be followed, or -1. */
static int room(const Value *v)
{
  int64_t n = 1, d;
  if (!v || v->bad || v->kind != VK_TENSOR || v->rank < 0) return -1;
  for (int i = 0; i < v->rank; i++) {
    if (!dim_is_int(v->dim[i], &d) || d < 0 || d > SYM_CONTENT) return -1;
    n *= d;
    if (n > SYM_CONTENT) return -1;
  }
  return (int)n;
}

static bool apply(Node *n, Rule rule, int nin)
{
  Sym1 s = {.n = n, .p = node_dims(n), .out = n->out[0]};
  if (nin < 0) nin = n->nin;
  if (nin > 3 || n->nin < nin) return false;
  for (int k = 0; k < nin; k++) {
    s.in[k] = value_content(n->in[k], &s.nin[k]);
    if (!s.in[k]) return false;
  }
  s.nout = room(s.out);
  if (s.nout < 0 || !whole_type(s.out->dtype)) return false;
  s.dim = NEW(&n->g->m->arena, const Dim *, s.nout + 1);
  if (!rule(&s)) return false;
  n->out[0]->sym = s.dim;
  return true;
}

/* A content without symbols is data like any other. */
static void settle(Value *v)
{
  int n = room(v);
  int64_t dim[MAX_RANK], x;
  Tensor *t;
  for (int i = 0; i < n; i++)
    if (!dim_is_int(v->sym[i], &x)) return;
  for (int i = 0; i < v->rank; i++) dim_is_int(v->dim[i], &dim[i]);
  t = tensor_new(&v->g->m->arena, v->dtype, v->rank, dim);
  for (int i = 0; i < n; i++) {
    dim_is_int(v->sym[i], &x);
    tensor_set_i64(t, i, x);
  }
  t->name = v->name;
  v->data = t;
  v->sym = NULL;
}

static bool all_constant(const Node *n)
{
  for (int i = 0; i < n->nin; i++)
    if (n->in[i] && (!n->in[i]->data || n->in[i]->data->n > SMALL_IN))
      return false;
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] && room(n->out[i]) < 0) return false;
  return true;
}

void sym_eval_node(Node *n)
{
  bool known = false;
  if (!n->op || node_is(n, "Constant")) return;
  for (int i = 0; i < n->nout; i++)
    if (n->out[i]) {
      n->out[i]->data = NULL;
      n->out[i]->sym = NULL;
    }
  if (all_constant(n) && eval_node(n)) return;
  for (int i = 0; i < COUNT(rules); i++)
    if (node_is(n, rules[i].op) && node_out(n, 0))
      known = apply(n, rules[i].rule, rules[i].nin);
  if (!known && (n->op->flags & OP_MOVES)) eval_moves(n);
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] && n->out[i]->sym) settle(n->out[i]);
}
