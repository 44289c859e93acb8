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
 *
 * Where widen made f32 of a whole network, for --math fast, every such node
 * rounds its weights and results, and what lies between them is read and
 * written as halves; only chains of elementwise nodes stay in f32 inside.
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
    "ReduceMin", "ReduceSum", "Resize", "Softmax",
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

/* v as halves: what it is the f32 of, or one Cast for all its readers. */
static Value *rounded(Value *v, Dtype half)
{
  Value *h = half_of(v, half);
  for (int i = 0; i < v->nuse && !h; i++)
    if (node_is(v->use[i], "Cast") && v->use[i]->out[0]->dtype == half)
      h = v->use[i]->out[0];
  if (h)
    return h;
  Node *at = v->def ? v->def->next : v->g->first;
  return node_cast(at ? at : v->g->last, v, half);
}

static Value *rounded_constant(Graph *g, const Tensor *from, Dtype half)
{
  Tensor *t = tensor_new(&g->m->arena, half, from->rank, from->dim);
  for (int64_t i = 0; i < t->n; i++) {
    double v = tensor_f64(from, i);
    tensor_set_f64(t, i, v);
    if (isfinite(v) && !isfinite(tensor_f64(t, i)))
      return NULL;
  }
  return value_const(g, "half", t);
}

/* The node as one of halves; numbers that are none leave it as it is. */
static bool store_halves(Node *n, Dtype half)
{
  Value *to[MAX_RANK] = { NULL }, *y = n->nout ? n->out[0] : NULL;
  bool attends = node_is_internal(n, "Attention") && !node_out(n, 1);
  if ((!attends && !has_half_kernel(n)) || !y || y->dtype != DT_F32 ||
      n->nin > MAX_RANK || n->in[0]->dtype != DT_F32)
    return false;
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    if (!v || v->dtype != DT_F32 || !v->data || stays(n, i))
      continue;
    to[i] = rounded_constant(n->g, v->data, half);
    if (!to[i])
      return false;
  }
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    if (v && v->dtype == DT_F32 && !stays(n, i))
      node_set_input(n, i, to[i] ? to[i] : rounded(v, half));
  }
  Value *out = value_tmp(n->g, "half", y);
  out->dtype = half;
  node_set_output(n, 0, out);
  Node *c = node_new(n->g, n->next, "Cast", 1, 1, n);
  attr_set_int(c, "to", DT_F32);
  node_set_input(c, 0, out);
  node_set_output(c, 0, y);
  return true;
}

/* Readers of v in f32 read it from halves, each by a Cast of its own, which
 * then joins it. */
static void read_halves(Value *v, Value *h)
{
  for (int i = v->nuse - 1; i >= 0; i--) {
    Node *n = i < v->nuse ? v->use[i] : NULL;
    if (!n || n == h->def)
      continue;
    Value *own = node_cast(n, h, DT_F32);
    for (int k = 0; k < n->nin; k++)
      if (n->in[k] == v)
        node_set_input(n, k, own);
  }
}

static bool store_all(Graph *g, Dtype half)
{
  bool changed = false;
  for (Node *n = g->first; n; n = n->next)
    changed |= sink_cast(n) || store_halves(n, half);
  for (Node *n = g->first; n; n = n->next) {
    if (!node_is(n, "Cast") || n->out[0]->is_output)
      continue;
    Value *x = n->in[0], *y = n->out[0];
    Value *same = y->dtype == half ? half_of(x, half) : NULL;
    if (same)
      value_replace(y, same);
    else if (x->dtype == half && y->dtype == DT_F32 && y->nuse > 1)
      read_halves(y, x);
    else if (y->dtype == half && x->dtype == DT_F32 && x->nuse > 1)
      read_halves(x, y);
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
  if (g->m->half != DT_NONE)
    return store_all(g, g->m->half);
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
