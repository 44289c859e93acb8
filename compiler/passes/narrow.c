/* SPDX-License-Identifier: Apache-2.0 */
/* What the pass widen made of half types for GPUs goes back:
 *
 *   Cast(FusedConv(Cast(x), w, b), f16)  ->  FusedConv(x, w in f16, b in f16)
 *
 * Values that the model rounds are rounded where they leave a kernel; products,
 * attentions, normalisations and the like, for which a GPU has kernels of half
 * types, then read and write halves. Sums stay f32, and the result is rounded
 * once. Weights that are no halves' values any more, as when a normalisation
 * went into a convolution, are rounded. A Cast moves behind what only moves
 * elements, so that the product finds it; and a Relu or Clip behind the product
 * goes into it, since rounding keeps the order of numbers. The GPU is the only
 * one that has such products: device.c leaves them to it.
 */
#include "../ir.h"
#include "../ops.h"

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

/* Moves elements of its first operand, and maybe others that are 0. */
static bool moves(const Node *n)
{
  return node_moves_first(n) || (node_is(n, "Pad") && !node_in(n, 2));
}

/* T(Cast(x)) -> Cast(T(x)), for T that moves elements. */
static bool sink_cast(Node *n)
{
  Value *x = moves(n) && n->in[0] ? half_of(n->in[0], DT_NONE) : NULL;
  if (!x)
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
    "ReduceMin", "ReduceSum", "Resize", "Softmax",
  };
  for (int i = 0; i < COUNT(name); i++)
    if (node_is(n, name[i]))
      return !node_out(n, 1) && !node_out(n, 2);
  return is_product(n) || (node_is_internal(n, "Attention") && !node_out(n, 1));
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

/* NULL: a number is beyond what a half holds, or, where the model multiplies in
 * f32, none of a half's. */
static Tensor *narrowed(const Node *n, const Tensor *from, Dtype half)
{
  Tensor *t = tensor_new(&n->g->m->arena, half, from->rank, from->dim);
  for (int64_t i = 0; i < t->n; i++) {
    double v = tensor_f64(from, i);
    tensor_set_f64(t, i, v);
    double to = tensor_f64(t, i);
    if (n->half ? isfinite(v) && !isfinite(to) : to != v)
      return NULL;
  }
  return t;
}

/* Axes, sizes and scales do, whatever the data's type is. */
static bool stays(const Node *n, int i)
{
  return i > 0 && (node_is(n, "Resize") || dtype_info(n->in[i]->dtype)->cls !=
                                             DC_FLOAT);
}

/* The half operands; false: one of them is no half's value. */
static bool half_operands(Node *n, Dtype half, Value **to)
{
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    to[i] = NULL;
    if (!v || stays(n, i))
      continue;
    if (v->data && v->data->dtype == DT_F32) {
      Tensor *t = narrowed(n, v->data, half);
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
  Value *to[5];
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

/* A value that stays inside of a loop over elements. */
static bool in_loop(const Value *v)
{
  Node *user = value_only_user(v);
  return user && user->op && v->def->op && !node_is(user, "Cast") &&
         (user->op->flags & v->def->op->flags & OP_ELEMENTWISE);
}

/* v has been rounded, and maybe moved. */
static bool is_half(Value *v, Dtype half)
{
  while (v->def && node_moves_first(v->def))
    v = v->def->in[0];
  return half_of(v, half) != NULL;
}

/* Where the kernel is that makes v. */
static Value *unmoved(Value *v)
{
  while (node_moves_first(v->def) && v->def->in[0]->def &&
         value_only_user(v->def->in[0]))
    v = v->def->in[0];
  return v;
}

static Node *cast_after(Value *v, Dtype to)
{
  Graph *g = v->g;
  Node *c = node_new(g, v->def->next, "Cast", 1, 1, v->def);
  attr_set_int(c, "to", to);
  node_set_input(c, 0, v);
  node_set_output(c, 0, value_tmp(g, "half", NULL));
  infer_node(c);
  return c;
}

/* v -> Cast(Cast(v, half), f32) for all that read v, the outer one for each, so
 * that loops over elements take it in. */
static bool round_value(Value *v, Dtype half)
{
  if (v->dtype != DT_F32 || v->is_output || !v->nuse || in_loop(v))
    return false;
  v = unmoved(v);
  if (only_rounded(v, half) || is_half(v, half))
    return false;
  Node *down = cast_after(v, half);
  for (int i = v->nuse - 1; i >= 0; i--) {
    Node *n = i < v->nuse ? v->use[i] : NULL;
    if (!n || n == down)
      continue;
    Value *up = node_cast(n, down->out[0], DT_F32);
    for (int k = 0; k < n->nin; k++)
      if (n->in[k] == v)
        node_set_input(n, k, up);
  }
  return true;
}

static bool round_all(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    for (int i = 0; n->half && !node_is(n, "Cast") && i < n->nout; i++)
      if (n->out[i])
        changed |= round_value(n->out[i], n->half);
  }
  return changed;
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
  changed = round_all(g);
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
