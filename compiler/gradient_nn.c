/* SPDX-License-Identifier: Apache-2.0 */
/* Derivatives of products, reductions, normalisations and losses; those of
 * windows are in gradient_window.c. */
#include "gradient.h"
#include <string.h>

static Value *mul(Grad *g, Value *a, Value *b)
{
  return grad_op(g, "Mul", a, b, NULL);
}
static Value *sub(Grad *g, Value *a, Value *b)
{
  return grad_op(g, "Sub", a, b, NULL);
}
static Value *un(Grad *g, const char *op, Value *a)
{
  return grad_op(g, op, a, NULL, NULL);
}
/* v times the number of elements of y for each of x. */
static Value *shared(Grad *g, Value *v, Value *x, Value *y)
{
  Value *k = grad_op(g, "Div", un(g, "Size", x), un(g, "Size", y), NULL);
  return grad_op(g, "Div", v, grad_cast(g, k, v->dtype), NULL);
}

/* --- Products ------------------------------------------------------------- */

/* The two last axes exchanged. */
static Value *turned(Grad *g, Value *v)
{
  int64_t perm[MAX_RANK];
  for (int i = 0; i < v->rank; i++) perm[i] = i;
  perm[v->rank - 1] = v->rank - 2;
  perm[v->rank - 2] = v->rank - 1;
  Node *t = node_new(v->g, g->at, "Transpose", 1, 1, g->at);
  attr_set_ints(t, "perm", perm, v->rank);
  node_set_input(t, 0, v);
  node_set_output(t, 0, value_tmp(v->g, "grad", NULL));
  infer_node(t);
  return t->out[0];
}

static Value *with_axis(Grad *g, Value *v, int64_t axis)
{
  return grad_op(g, "Unsqueeze", v, grad_ints(g, &axis, 1), NULL);
}

/* A vector is a row on the left, a column on the right; y then lacks its axis
 * of 1. The gradient of an operand is summed over what was broadcast before it
 * loses that axis again. */
static bool d_matmul(Grad *g, Node *n, Value *dy)
{
  Value *a = n->in[0], *b = n->in[1];
  bool row = a->rank == 1, col = b->rank == 1;
  if (col) dy = with_axis(g, dy, -1);
  if (row) dy = with_axis(g, dy, -2);
  Value *left = row ? with_axis(g, a, 0) : a;
  Value *right = col ? with_axis(g, b, 1) : b;
  for (int i = 0; i < 2; i++) {
    Value *v, *x = n->in[i];
    int64_t axes[MAX_RANK];
    int count = 0;
    if (!grad_wanted(g, n, i)) continue;
    v = i ? grad_op(g, "MatMul", turned(g, left), dy, NULL)
          : grad_op(g, "MatMul", dy, turned(g, right), NULL);
    if (x->rank == 1) {
      for (int k = 0; k < v->rank; k++)
        if (k != v->rank - 1 - i) axes[count++] = k;
      v = grad_sum(g, v, axes, count);
      v = grad_shaped(g, v, x);
    }
    grad_give(g, n, i, v);
  }
  return true;
}

static Value *gemm(Grad *g, const Node *n, Value *a, Value *b, int ta, int tb)
{
  Node *m = node_new(n->g, g->at, "Gemm", 2, 1, g->at);
  attr_set_float(m, "alpha", attr_float(n, "alpha", 1));
  attr_set_int(m, "transA", ta);
  attr_set_int(m, "transB", tb);
  node_set_input(m, 0, a);
  node_set_input(m, 1, b);
  node_set_output(m, 0, value_tmp(n->g, "grad", NULL));
  infer_node(m);
  return m->out[0];
}

static bool d_gemm(Grad *g, Node *n, Value *dy)
{
  Value *a = n->in[0], *b = n->in[1];
  int ta = attr_int(n, "transA", 0) != 0, tb = attr_int(n, "transB", 0) != 0;
  float beta = attr_float(n, "beta", 1);
  if (grad_wanted(g, n, 0))
    grad_give(g, n, 0, ta ? gemm(g, n, b, dy, tb, 1)
                          : gemm(g, n, dy, b, 0, !tb));
  if (grad_wanted(g, n, 1))
    grad_give(g, n, 1, tb ? gemm(g, n, dy, a, 1, ta)
                          : gemm(g, n, a, dy, !ta, 0));
  if (grad_wanted(g, n, 2))
    grad_give(g, n, 2, mul(g, grad_number(g, dy, (double)beta), dy));
  return true;
}

/* --- Reductions ----------------------------------------------------------- */

/* A result of the reduction with the axes that are gone, as ones. */
static Value *kept(Grad *g, const Node *n, Value *v, const bool gone[MAX_RANK])
{
  int64_t axes[MAX_RANK];
  int count = 0;
  if (attr_int(n, "keepdims", 1)) return v;
  for (int i = 0; i < n->in[0]->rank; i++)
    if (gone[i]) axes[count++] = i;
  return count ? grad_op(g, "Unsqueeze", v, grad_ints(g, axes, count), NULL)
               : v;
}

static Value *sum_gone(Grad *g, Value *v, const bool gone[MAX_RANK])
{
  int64_t axes[MAX_RANK];
  int count = 0;
  for (int i = 0; i < v->rank; i++)
    if (gone[i]) axes[count++] = i;
  return grad_sum(g, v, axes, count);
}

/* Each of several equal extremes has an equal share. */
static Value *d_extremes(Grad *g, Value *x, Value *y, Value *dy,
                         const bool gone[MAX_RANK])
{
  Value *is = grad_cast(g, grad_op(g, "Equal", x, y, NULL), x->dtype);
  return mul(g, is, grad_op(g, "Div", dy, sum_gone(g, is, gone), NULL));
}

/* Products of the others: of those before, times those behind. */
static Value *d_product(Grad *g, Value *x, Value *dy,
                        const bool gone[MAX_RANK])
{
  for (int i = 0; i < x->rank; i++) {
    if (!gone[i]) continue;
    Value *axis = value_const_scalar(x->g, "axis", DT_I64, i), *part[2];
    for (int k = 0; k < 2; k++) {
      Node *c = node_new(x->g, g->at, "CumProd", 2, 1, g->at);
      attr_set_int(c, "exclusive", 1);
      attr_set_int(c, "reverse", k);
      node_set_input(c, 0, x);
      node_set_input(c, 1, axis);
      node_set_output(c, 0, value_tmp(x->g, "grad", NULL));
      infer_node(c);
      part[k] = c->out[0];
    }
    return mul(g, dy, mul(g, part[0], part[1]));
  }
  return mul(g, dy, grad_op(g, "Div", x, x, NULL));
}

static bool d_reduce(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0], *y = n->out[0], *d;
  const char *op = n->op_type + 6;
  bool gone[MAX_RANK];
  int axes = 0;
  if (!reduce_axes(n, gone))
    return grad_refuse(g, n, "has axes that are not known");
  for (int i = 0; i < x->rank; i++) axes += gone[i];
  if (!strcmp(op, "Prod") && axes != 1)
    return grad_refuse(g, n, "has a derivative along one axis only");
  if (!strcmp(op, "Mean")) dy = shared(g, dy, x, y);
  dy = kept(g, n, dy, gone);
  y = kept(g, n, y, gone);
  if (!strcmp(op, "Prod")) d = d_product(g, x, dy, gone);
  else if (!strcmp(op, "Max") || !strcmp(op, "Min"))
    d = d_extremes(g, x, y, dy, gone);
  else if (!strcmp(op, "L1")) d = mul(g, dy, un(g, "Sign", x));
  else if (!strcmp(op, "SumSquare"))
    d = mul(g, dy, mul(g, grad_number(g, x, 2), x));
  else if (!strcmp(op, "L2")) {
    Value *none = grad_op(g, "Equal", y, grad_number(g, y, 0), NULL);
    y = grad_op(g, "Where", none, grad_number(g, y, 1), y);
    d = mul(g, dy, grad_op(g, "Div", x, y, NULL));
  } else if (!strcmp(op, "LogSum")) d = grad_op(g, "Div", dy, un(g, "Exp", y),
                                               NULL);
  else if (!strcmp(op, "LogSumExp"))
    d = mul(g, dy, un(g, "Exp", sub(g, x, y)));
  else d = dy;
  grad_give(g, n, 0, grad_op(g, "Expand", d, un(g, "Shape", x), NULL));
  return true;
}

static bool d_cumsum(Grad *g, Node *n, Value *dy)
{
  Node *c = node_new(n->g, g->at, "CumSum", 2, 1, g->at);
  attr_set_int(c, "exclusive", attr_int(n, "exclusive", 0));
  attr_set_int(c, "reverse", !attr_int(n, "reverse", 0));
  node_set_input(c, 0, dy);
  node_set_input(c, 1, n->in[1]);
  node_set_output(c, 0, value_tmp(n->g, "grad", NULL));
  infer_node(c);
  grad_give(g, n, 0, c->out[0]);
  return true;
}

/* --- Softmax and losses --------------------------------------------------- */

static Value *sum_along(Grad *g, Value *v, int64_t axis)
{
  return grad_sum(g, v, &axis, 1);
}

static bool d_softmax(Grad *g, Node *n, Value *dy)
{
  Value *y = n->out[0], *d;
  int64_t axis = attr_int(n, "axis", -1);
  if (attr_int(n, "flatten", 0)) return false;
  if (node_is(n, "Softmax"))
    d = mul(g, y, sub(g, dy, sum_along(g, mul(g, dy, y), axis)));
  else
    d = sub(g, dy, mul(g, un(g, "Exp", y), sum_along(g, dy, axis)));
  grad_give(g, n, 0, d);
  return true;
}

/* The weight of each class for each target: 0 but for the target's own. */
static Value *chosen(Grad *g, Node *n, Value *x)
{
  Value *t = grad_cast(g, n->in[1], DT_I64), *weight = node_in(n, 2);
  int64_t list[MAX_RANK] = {1}, one = 1;
  Value *classes = grad_op(g, "Gather", un(g, "Shape", x),
                           value_const_scalar(x->g, "one", DT_I64, 1), NULL);
  Value *zero = value_const_scalar(x->g, "zero", DT_I64, 0);
  Value *step = value_const_scalar(x->g, "step", DT_I64, 1);
  Value *c = grad_op(g, "Range", zero, classes, step);
  for (int i = 0; i < x->rank - 1; i++) list[i] = i ? i + 1 : 0;
  Value *shape = grad_ints(g, list, x->rank - 1);
  c = grad_op(g, "Unsqueeze", c, shape, NULL);
  t = grad_op(g, "Unsqueeze", t, grad_ints(g, &one, 1), NULL);
  Value *is = grad_op(g, "Equal", t, c, NULL);
  if (attr_get(n, "ignore_index")) {
    Value *no = value_const_scalar(x->g, "ignored", DT_I64,
                                   (double)attr_int(n, "ignore_index", 0));
    is = grad_op(g, "And", is, un(g, "Not", grad_op(g, "Equal", t, no, NULL)),
                 NULL);
  }
  is = grad_cast(g, is, x->dtype);
  return weight ? mul(g, is, grad_op(g, "Unsqueeze", weight, shape, NULL)) : is;
}

static bool d_loss(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0], *d = NULL;
  const char *how = attr_str(n, "reduction", "mean");
  bool entropy = node_is(n, "SoftmaxCrossEntropyLoss");
  int64_t one = 1;
  if (grad_wanted(g, n, 2))
    return grad_refuse(g, n, "has no derivative by its weight");
  if (dy) {
    d = chosen(g, n, x);
    if (!strcmp(how, "none"))
      dy = grad_op(g, "Unsqueeze", dy, grad_ints(g, &one, 1), NULL);
    if (!strcmp(how, "mean"))
      dy = grad_op(g, "Div", dy,
                   grad_op_int(g, "ReduceSum", d, NULL, "keepdims", 0), NULL);
    d = un(g, "Neg", mul(g, d, dy));
  }
  if (entropy) {
    Value *log = grad_of(g, node_out(n, 1)), *p;
    if (log) d = d ? grad_op(g, "Add", d, log, NULL) : log;
    p = grad_op_int(g, "Softmax", x, NULL, "axis", 1);
    d = sub(g, d, mul(g, p, sum_along(g, d, 1)));
  }
  grad_give(g, n, 0, d);
  return true;
}

/* --- Normalisations ------------------------------------------------------- */

static Value *mean_of(Grad *g, Value *v, const int64_t *axes, int n)
{
  return grad_op(g, "ReduceMean", v, grad_ints(g, axes, n), NULL);
}

static Value *inverse_root(Grad *g, Value *v, double epsilon)
{
  v = grad_op(g, "Add", v, grad_number(g, v, epsilon), NULL);
  return un(g, "Reciprocal", un(g, "Sqrt", v));
}

/* x less its mean (not of RMSNormalization), by its deviation, is `hat`. */
static bool d_layer_norm(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0], *c = x;
  bool centred = node_is(n, "LayerNormalization");
  int64_t axes[MAX_RANK], axis = axis_norm(n, attr_int(n, "axis", -1),
                                           x->rank);
  int count = 0;
  if (!dy || axis < 0) return false;
  for (int i = (int)axis; i < x->rank; i++) axes[count++] = i;
  if (centred) c = sub(g, x, mean_of(g, x, axes, count));
  Value *inv = inverse_root(g, mean_of(g, mul(g, c, c), axes, count),
                            (double)attr_float(n, "epsilon", 1e-5f));
  Value *hat = mul(g, c, inv), *d = mul(g, dy, n->in[1]);
  Value *along = mul(g, hat, mean_of(g, mul(g, d, hat), axes, count));
  if (grad_wanted(g, n, 1)) grad_give(g, n, 1, mul(g, dy, hat));
  if (centred && grad_wanted(g, n, 2)) grad_give(g, n, 2, dy);
  if (centred) d = sub(g, d, mean_of(g, d, axes, count));
  grad_give(g, n, 0, mul(g, inv, sub(g, d, along)));
  return true;
}

static bool d_batch_norm(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0], *in[5];
  int64_t axes[MAX_RANK];
  int count = 0;
  if (attr_int(n, "training_mode", 0))
    return grad_refuse(g, n, "is in training mode, which is not supported");
  for (int i = 2; i < x->rank; i++) axes[count++] = i - 1;
  for (int i = 1; i < 5; i++)
    in[i] = count ? grad_op(g, "Unsqueeze", n->in[i],
                            grad_ints(g, axes, count), NULL) : n->in[i];
  Value *inv = inverse_root(g, in[4], (double)attr_float(n, "epsilon", 1e-5f));
  Value *d = mul(g, dy, inv), *c = sub(g, x, in[3]), *by[5];
  by[0] = mul(g, d, in[1]);
  by[1] = mul(g, d, c);
  by[2] = dy;
  by[3] = un(g, "Neg", by[0]);
  by[4] = mul(g, mul(g, by[3], c),
              mul(g, grad_number(g, inv, 0.5), mul(g, inv, inv)));
  for (int i = 0; i < 5; i++) {
    if (!grad_wanted(g, n, i)) continue;
    Value *v = by[i];
    for (int k = x->rank; i && k-- > 0;)
      if (k != 1) v = sum_along(g, v, k);
    grad_give(g, n, i, i ? grad_shaped(g, v, n->in[i]) : v);
  }
  return true;
}

const GradRow grad_rows_nn[] = {
  {"MatMul", d_matmul}, {"Gemm", d_gemm}, {"ReduceSum", d_reduce},
  {"ReduceMean", d_reduce}, {"ReduceProd", d_reduce}, {"ReduceL1", d_reduce},
  {"ReduceL2", d_reduce}, {"ReduceSumSquare", d_reduce},
  {"ReduceLogSum", d_reduce}, {"ReduceLogSumExp", d_reduce},
  {"ReduceMax", d_reduce}, {"ReduceMin", d_reduce}, {"CumSum", d_cumsum},
  {"Softmax", d_softmax}, {"LogSoftmax", d_softmax},
  {"NegativeLogLikelihoodLoss", d_loss},
  {"SoftmaxCrossEntropyLoss", d_loss},
  {"LayerNormalization", d_layer_norm}, {"RMSNormalization", d_layer_norm},
  {"BatchNormalization", d_batch_norm}, {NULL, NULL}
};
