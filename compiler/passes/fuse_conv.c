/* SPDX-License-Identifier: Apache-2.0 */
/* A convolution with what follows it: clamp(Conv(X, W, B) + R, lo, hi).
 *
 * A Conv that conv_is_tuned takes becomes FusedConv, and absorbs, while its
 * result has one user:
 *   Add of a tensor of the same shape (the residual), before any clamp
 *   Relu, Clip with constant bounds
 * Gemm and MatMul by a constant matrix become FusedGemm in the same way, and
 * MatMul by a constant column.
 */
#include "../ir.h"

#include <math.h>
#include <string.h>

/* lo, hi of an activation; false if the node is none. */
bool clamp_bounds(const Node *n, float *lo, float *hi)
{
  *lo = -INFINITY;
  *hi = INFINITY;
  if (node_is(n, "Relu")) {
    *lo = 0;
    return true;
  }
  if (!node_is(n, "Clip"))
    return false;
  const Tensor *min = const_input(n, 1), *max = const_input(n, 2);
  if ((node_in(n, 1) && !min) || (node_in(n, 2) && !max))
    return false;
  if (min)
    *lo = (float)tensor_f64(min, 0);
  if (max)
    *hi = (float)tensor_f64(max, 0);
  return *lo <= *hi;
}

static bool absorb_clamp(Node *c)
{
  float lo, hi;
  Node *n = value_only_user(c->out[0]);
  if (!n || attr_get(c, "lo") || n->in[0] != c->out[0] ||
      !clamp_bounds(n, &lo, &hi))
    return false;
  attr_set_float(c, "lo", lo);
  attr_set_float(c, "hi", hi);
  value_replace(n->out[0], c->out[0]);
  node_absorb(c, n);
  return true;
}

static bool comes_before(const Node *a, const Node *b)
{
  for (const Node *n = a; n; n = n->next)
    if (n == b)
      return true;
  return false;
}

/* One filter a channel: its kernel takes no residual. */
static bool is_depthwise(const Node *c)
{
  ConvGeom g;
  int64_t filters;
  return node_is_internal(c, "FusedConv") && conv_geometry(c, &g) &&
         g.group > 1 && dim_is_int(g.filters, &filters) && filters == g.group;
}

/* The residual must exist when the convolution runs: then the convolution
 * moves down to where the Add stands. */
static bool absorb_add(Node *c)
{
  Node *n = value_only_user(c->out[0]);
  if (!n || !node_is(n, "Add") || attr_get(c, "lo") || node_in(c, 3) ||
      is_depthwise(c))
    return false;
  Value *r = n->in[n->in[0] == c->out[0] ? 1 : 0];
  if (r == c->out[0] || r->data || !value_same_shape(r, c->out[0]) ||
      !value_same_shape(n->out[0], c->out[0]))
    return false;
  if (r->def && comes_before(c, r->def))
    node_move_before(c, n);
  node_set_input(c, 3, r);
  value_replace(n->out[0], c->out[0]);
  node_absorb(c, n);
  return true;
}

/* MatMul + constant row vector: the bias. */
static bool absorb_bias(Node *c)
{
  Node *n = value_only_user(c->out[0]);
  if (!n || !node_is(n, "Add") || attr_get(c, "lo") || node_in(c, 2) ||
      node_in(c, 3))
    return false;
  int k = n->in[0] == c->out[0] ? 1 : 0;
  const Tensor *t = const_input(n, k);
  const Tensor *w = const_input(c, 1);
  int64_t columns = w->dim[attr_int(c, "transB", 0) ? 0 : 1];
  if (!t || t->rank < 1 || t->n != columns || t->dim[t->rank - 1] != t->n ||
      !value_same_shape(n->out[0], c->out[0]))
    return false;
  Tensor *flat = tensor_new(&c->g->m->arena, t->dtype, 1, &t->n);
  memcpy((void *)(uintptr_t)flat->data, tensor_aligned(c->g->m, t),
         (size_t)t->n * sizeof(float));
  node_set_input(c, 2, value_const(c->g, "bias", flat));
  value_replace(n->out[0], c->out[0]);
  node_absorb(c, n);
  return true;
}

static Node *replace_by(Node *n, const char *op, int nin)
{
  Node *c = node_new(n->g, n, op, nin, 1, n);
  c->domain = "o2c";
  c->version = 1;
  c->op = op_find("o2c", op);
  Value *y = n->out[0];
  Value *made = value_tmp(n->g, y->name, y);
  node_set_output(c, 0, made);
  value_replace(y, made);
  return c;
}

static bool fuse_conv(Node *n)
{
  if (!conv_is_tuned(n))
    return false;
  Node *c = replace_by(n, "FusedConv", n->nin);
  for (int i = 0; i < n->nin; i++)
    node_set_input(c, i, n->in[i]);
  c->attr = n->attr;
  c->nattr = n->nattr;
  node_remove(n);
  while (absorb_add(c) || absorb_clamp(c))
    continue;
  return true;
}

/* W scaled by alpha. */
static Value *product_weight(Node *n)
{
  const Tensor *w = n->in[1]->data;
  float alpha = attr_float(n, "alpha", 1);
  if (alpha == 1)
    return n->in[1];
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 2, w->dim);
  float *to = (float *)(uintptr_t)t->data;
  const float *from = tensor_aligned(n->g->m, w);
  for (int64_t i = 0; i < w->n; i++)
    to[i] = alpha * from[i];
  return value_const(n->g, "w", t);
}

static bool gemm_bias(Node *n, int64_t columns, Value **bias)
{
  const Tensor *c = const_input(n, 2);
  *bias = NULL;
  if (!node_in(n, 2))
    return true;
  if (!c || c->dtype != DT_F32)
    return false;
  bool row = c->n == 1 || (c->n == columns && c->dim[c->rank - 1] == columns);
  if (!row)
    return false;
  float beta = attr_float(n, "beta", 1);
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 1, &columns);
  for (int64_t i = 0; i < columns; i++)
    tensor_set_f64(t, i, (double)beta * tensor_f64(c, c->n == 1 ? 0 : i));
  *bias = value_const(n->g, "bias", t);
  return true;
}

/* C of a Gemm, where it is no row, is added behind. */
static bool split_bias(Node *n)
{
  Value *c = n->in[2], *y;
  float beta = attr_float(n, "beta", 1);
  Node *m = node_new(n->g, n, "Gemm", 2, 1, n);
  node_set_input(m, 0, n->in[0]);
  node_set_input(m, 1, n->in[1]);
  attr_set_int(m, "transB", attr_int(n, "transB", 0));
  attr_set_float(m, "alpha", attr_float(n, "alpha", 1));
  node_set_output(m, 0, value_tmp(n->g, n->out[0]->name, NULL));
  infer_node(m);
  if (beta != 1)
    c = node_op(n, "Mul", 2, c,
                value_const_scalar(n->g, "beta", DT_F32, (double)beta));
  y = node_op(n, "Add", 2, m->out[0], c);
  value_replace(n->out[0], y);
  node_remove(n);
  return true;
}

/* A MatMul by a constant column, whose axis the result lacks. */
static bool fuse_column(Node *n)
{
  const Tensor *old = const_input(n, 1);
  const int64_t dim[] = { old->n, 1 }, last = n->in[0]->rank - 1;
  Tensor *w = tensor_new(&n->g->m->arena, DT_F32, 2, dim);
  memcpy((void *)(uintptr_t)w->data, tensor_aligned(n->g->m, old),
         (size_t)old->n * sizeof(float));
  Value *y = node_op(n, "MatMul", 2, n->in[0], value_const(n->g, "column", w));
  y = node_op(n, "Squeeze", 2, y, value_const_ints(n->g, "axis", &last, 1));
  value_replace(n->out[0], y);
  node_remove(n);
  return true;
}

static bool fuse_gemm(Node *n)
{
  bool gemm = node_is(n, "Gemm");
  Value *bias, *x = node_in(n, 0);
  if ((!gemm && !node_is(n, "MatMul")) || !x || x->data || x->rank < 2 ||
      x->dtype != DT_F32 || attr_int(n, "transA", 0))
    return false;
  const Tensor *old = const_input(n, 1);
  if (old && old->rank == 1 && old->dtype == DT_F32 && old->n > 0)
    return fuse_column(n);
  if (!old || old->rank != 2 || old->dtype != DT_F32)
    return false;
  bool trans = gemm && attr_int(n, "transB", 0);
  if (!gemm_bias(n, old->dim[trans ? 0 : 1], &bias))
    return split_bias(n);
  Value *w = product_weight(n);
  Node *c = replace_by(n, "FusedGemm", 4);
  node_set_input(c, 0, x);
  node_set_input(c, 1, w);
  if (trans)
    attr_set_int(c, "transB", 1);
  if (bias)
    node_set_input(c, 2, bias);
  node_remove(n);
  while (absorb_bias(c) || absorb_add(c) || absorb_clamp(c))
    continue;
  return true;
}

bool pass_fuse_conv(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    Node *before = n->prev;
    bool fused = node_is(n, "Conv") ? fuse_conv(n) : fuse_gemm(n);
    changed |= fused;
    /* A fused node may have moved down, past nodes not looked at yet. */
    next = !fused ? n->next : before ? before->next : g->first;
  }
  return changed;
}

/* What the f32 convolution kernels take: channels-last, one or two spatial
 * axes, constant weight and bias. */
bool conv_is_tuned(const Node *n)
{
  ConvGeom g;
  int64_t c;
  const Tensor *w = const_input(n, 1);
  if (!node_is(n, "Conv") || !attr_int(n, "channels_last", 0) || !w ||
      w->dtype != DT_F32 || (node_in(n, 2) && !const_input(n, 2)))
    return false;
  return conv_geometry(n, &g) && g.n <= 2 && dim_is_int(g.channels, &c) &&
         dim_is_int(g.filters, &c);
}
