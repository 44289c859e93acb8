/* SPDX-License-Identifier: Apache-2.0 */
/* Products, normalisations and pools of half types in half types, for which a
 * GPU has kernels:
 *
 *   Cast(FusedConv(Cast(x), w, b), f16)  ->  FusedConv(x, w in f16, b in f16)
 *
 * What the pass widen made for kernels of f32 goes back: operands that were
 * halves are read as such, sums stay f32, and the result is rounded once, as
 * before. So every weight must be a half's value. A Cast moves behind what only
 * moves elements, so that the product finds it; and a Relu or Clip behind the
 * product goes into it, since rounding keeps the order of numbers. The GPU is
 * the only one that has such products: device.c leaves them to it.
 */
#include "../ir.h"

#include <math.h>

/* The half value that v is the f32 of; NULL: it is none. */
static Value *half_of(Value *v, Dtype half)
{
  Node *n;
  if (!match_op(v, "Cast", &n) || v->dtype != DT_F32)
    return NULL;
  Dtype t = n->in[0]->dtype;
  bool ok = half == DT_NONE ? t == DT_F16 || t == DT_BF16 : t == half;
  return ok ? n->in[0] : NULL;
}

/* T(Cast(x)) -> Cast(T(x)), for T that moves the elements of its operand 0. */
static bool sink_cast(Node *n)
{
  static const char *const moves[] = {
    "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Pad"
  };
  bool known = false;
  for (int i = 0; i < COUNT(moves); i++)
    known = known || node_is(n, moves[i]);
  Value *x = known && n->nin > 0 && n->in[0] ? half_of(n->in[0], DT_NONE)
                                              : NULL;
  if (!x || (node_is(n, "Pad") && node_in(n, 2)))
    return false;
  Value *y = n->out[0];
  Value *moved = value_tmp(n->g, "half", NULL);
  node_set_input(n, 0, x);
  node_set_output(n, 0, moved);
  infer_node(n);
  Node *c = node_new(n->g, n->next, "Cast", 1, 1, n);
  attr_set_int(c, "to", DT_F32);
  node_set_input(c, 0, moved);
  node_set_output(c, 0, y);
  return true;
}

static bool is_product(const Node *n)
{
  return node_is_internal(n, "FusedConv") ||
         node_is_internal(n, "FusedGemm") || node_is(n, "MatMul");
}

/* Computes in f32 whatever its type is, and rounds once. */
static bool has_half_kernel(const Node *n)
{
  static const char *const name[] = {
    "AveragePool", "ConvTranspose", "GlobalAveragePool", "GlobalMaxPool",
    "GroupNormalization", "InstanceNormalization", "LRN", "LayerNormalization",
    "LogSoftmax", "MaxPool", "RMSNormalization", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceSum", "Softmax",
  };
  for (int i = 0; i < COUNT(name); i++)
    if (node_is(n, name[i]))
      return !node_out(n, 1) && !node_out(n, 2);
  return is_product(n);
}

/* All readers of v round it to `half`. */
static bool only_rounded(const Value *v, Dtype half)
{
  if (v->is_output || !v->nuse)
    return false;
  for (int i = 0; i < v->nuse; i++)
    if (!node_is(v->use[i], "Cast") || v->use[i]->out[0]->dtype != half)
      return false;
  return true;
}

static Tensor *narrowed(Arena *a, const Tensor *from, Dtype half)
{
  Tensor *t = tensor_new(a, half, from->rank, from->dim);
  for (int64_t i = 0; i < t->n; i++) {
    double v = tensor_f64(from, i);
    tensor_set_f64(t, i, v);
    if (tensor_f64(t, i) != v)
      return NULL;
  }
  return t;
}

/* The half operands; false: one of them is no half's value. */
static bool half_operands(Node *n, Dtype half, Value **to)
{
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    to[i] = NULL;
    if (!v || (i > 0 && v->dtype != DT_F32 && v->dtype != half))
      continue; /* axes stay */
    if (v->data && v->data->dtype == DT_F32) {
      Tensor *t = narrowed(&n->g->m->arena, v->data, half);
      to[i] = t ? value_const(n->g, "half", t) : NULL;
    } else {
      to[i] = half_of(v, half);
    }
    if (!to[i])
      return false;
  }
  return true;
}

static bool narrow(Node *n)
{
  Value *to[4];
  Value *x = n->nin > 0 && n->nin <= COUNT(to) && n->in[0]
    ? half_of(n->in[0], DT_NONE) : NULL;
  if (!x || !only_rounded(n->out[0], x->dtype) ||
      !half_operands(n, x->dtype, to))
    return false;
  Value *y = n->out[0], *out = value_tmp(n->g, "half", y);
  out->dtype = x->dtype;
  for (int i = 0; i < n->nin; i++)
    if (to[i])
      node_set_input(n, i, to[i]);
  while (y->nuse) {
    Node *cast = y->use[0];
    value_replace(cast->out[0], out);
    node_absorb(n, cast);
  }
  node_set_output(n, 0, out);
  return true;
}

/* The clamp behind a half product becomes its own. */
static bool take_clamp(Node *n)
{
  float lo, hi;
  Node *next = n->nout && n->out[0] ? value_only_user(n->out[0]) : NULL;
  if (node_is(n, "MatMul") || !next || n->out[0]->dtype == DT_F32 ||
      next->out[0]->dtype != n->out[0]->dtype || !clamp_bounds(next, &lo, &hi))
    return false;
  float was_lo = attr_float(n, "lo", -INFINITY);
  float was_hi = attr_float(n, "hi", INFINITY);
  attr_set_float(n, "lo", was_lo > lo ? was_lo : lo);
  attr_set_float(n, "hi", was_hi < hi ? was_hi : hi);
  value_replace(next->out[0], n->out[0]);
  node_absorb(n, next);
  return true;
}

bool pass_narrow(Graph *g)
{
  bool changed = false;
  if (!provider_has(g->m->opt, "cuda"))
    return false;
  for (Node *n = g->first; n; n = n->next)
    changed |= sink_cast(n);
  for (Node *n = g->first; n; n = n->next) {
    if (!has_half_kernel(n))
      continue;
    changed |= narrow(n);
    while (is_product(n) && take_clamp(n))
      changed = true;
  }
  return changed;
}
