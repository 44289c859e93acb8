/* SPDX-License-Identifier: Apache-2.0 */
/* Normalisations that exporters write out become one node:
 *
 *   d = x - mean(x); d / sqrt(mean(d d) + eps) * scale + bias
 *     -> LayerNormalization
 *   x / sqrt(mean(x x) + eps) * scale      -> RMSNormalization
 *
 * over the last axes of x, in f32. The square is Mul or Pow, the quotient is
 * Div, or Mul by Reciprocal; scale and bias may be absent, and come on either
 * side. Without a scale the row must have a constant size, for one of ones.
 * It runs after layout, so that channels of images may be the last axis, and
 * after cse, which makes one of a difference that stands twice.
 */
#include "../ir.h"

typedef struct {
  Value *x, *d;          /* d is x, or x less its mean */
  Node *quotient, *last; /* last: the node whose result is the whole */
  Value *scale, *bias;
  int axis;              /* the first of the row */
  float epsilon;
} Norm;

static bool scalar_of(const Value *v, double *x)
{
  if (!v || !v->data || v->data->n != 1 || v->dtype != DT_F32)
    return false;
  *x = tensor_f64(v->data, 0);
  return true;
}

/* The mean over the last axes, kept as ones; *axis is the first of them. */
static bool match_mean(const Value *v, Value **x, int *axis)
{
  Node *n;
  bool gone[MAX_RANK];
  if (!match_op(v, "ReduceMean", &n) || !attr_int(n, "keepdims", 1) ||
      n->in[0]->rank < 1 || !reduce_axes(n, gone))
    return false;
  int rank = n->in[0]->rank, first = rank;
  while (first > 0 && gone[first - 1])
    first--;
  for (int i = 0; i < first; i++)
    if (gone[i])
      return false;
  *x = n->in[0];
  *axis = first;
  return first < rank;
}

/* v = d d */
static bool match_square(const Value *v, Value **d)
{
  Node *n;
  double two;
  if (match_op(v, "Mul", &n) && n->in[0] == n->in[1]) {
    *d = n->in[0];
    return true;
  }
  if (!match_op(v, "Pow", &n) || !scalar_of(n->in[1], &two) || two != 2)
    return false;
  *d = n->in[0];
  return true;
}

/* root = sqrt(mean(d d) + eps) */
static bool match_root(const Value *root, Norm *f)
{
  Node *n, *sum;
  Value *square;
  double eps = 0;
  if (!match_op(root, "Sqrt", &n) || !match_op(n->in[0], "Add", &sum))
    return false;
  int at = scalar_of(sum->in[0], &eps) ? 0 : 1;
  if (!scalar_of(sum->in[at], &eps) || eps < 0)
    return false;
  f->epsilon = (float)eps;
  return match_mean(sum->in[1 - at], &square, &f->axis) &&
         match_square(square, &f->d);
}

static bool match_quotient(Node *n, Norm *f)
{
  Node *r;
  f->quotient = n;
  if (node_is(n, "Div"))
    return match_root(n->in[1], f) && f->d == n->in[0];
  for (int i = 0; i < 2 && node_is(n, "Mul"); i++)
    if (match_op(n->in[i], "Reciprocal", &r) && match_root(r->in[0], f) &&
        f->d == n->in[1 - i])
      return true;
  return false;
}

/* Is d = x - mean(x), over the same axes? Else x is d. */
static bool match_centred(Norm *f)
{
  Node *n;
  Value *x;
  int axis;
  f->x = f->d;
  if (!match_op(f->d, "Sub", &n) || !match_mean(n->in[1], &x, &axis) ||
      x != n->in[0] || axis != f->axis)
    return false;
  f->x = x;
  return true;
}

/* The only user of `last`, where it is `op` with an operand like a row. */
static Value *take(Norm *f, const char *op)
{
  Node *n = value_only_user(f->last->out[0]);
  if (!n || !node_is(n, op))
    return NULL;
  Value *v = n->in[n->in[0] == f->last->out[0] ? 1 : 0];
  if (v == f->last->out[0] || v->dtype != DT_F32 ||
      !norm_row(f->x, v, f->axis))
    return NULL;
  f->last = n;
  return v;
}

static Value *ones(const Norm *f)
{
  Graph *g = f->x->g;
  int64_t dim[MAX_RANK];
  int rank = f->x->rank - f->axis;
  for (int i = 0; i < rank; i++)
    if (!dim_is_int(f->x->dim[f->axis + i], &dim[i]))
      return NULL;
  Tensor *t = tensor_new(&g->m->arena, DT_F32, rank, dim);
  for (int64_t i = 0; i < t->n; i++)
    tensor_set_f64(t, i, 1);
  return value_const(g, "ones", t);
}

static bool fuse(Node *quotient)
{
  Norm f = { 0 };
  if (!quotient->nout || !quotient->out[0] ||
      quotient->out[0]->dtype != DT_F32 || !match_quotient(quotient, &f))
    return false;
  f.last = quotient;
  bool layer = match_centred(&f);
  if (!value_same_shape(f.x, quotient->out[0]))
    return false;
  f.scale = take(&f, "Mul");
  f.bias = layer ? take(&f, "Add") : NULL;
  if (!f.scale && !(f.scale = ones(&f)))
    return false;
  Node *n = node_new(quotient->g, f.last,
                     layer ? "LayerNormalization" : "RMSNormalization",
                     f.bias ? 3 : 2, 1, f.last);
  node_set_input(n, 0, f.x);
  node_set_input(n, 1, f.scale);
  if (f.bias)
    node_set_input(n, 2, f.bias);
  attr_set_int(n, "axis", f.axis);
  attr_set_float(n, "epsilon", f.epsilon);
  node_set_output(n, 0, value_tmp(n->g, n->op_type, NULL));
  infer_node(n);
  value_replace(f.last->out[0], n->out[0]);
  node_remove(f.last);
  return true;
}

bool pass_fuse_norm(Graph *g)
{
  bool changed = false;
  for (Node *n = g->last, *before; n; n = before) {
    before = n->prev;
    changed |= fuse(n);
  }
  if (changed)
    dead_code(g);
  return changed;
}
