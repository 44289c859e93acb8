/* SPDX-License-Identifier: Apache-2.0 */
/* Operators on f16 and bf16 that have kernels for f32 only:
 *
 *   Conv(x, w)  ->  Cast(Conv(Cast(x), w in f32))
 *
 * A reference kernel of a half type computes in float and rounds once, where
 * it stores; so does this. Constants become f32 here: a model's weights take
 * twice the room, which is what their packed panels take anyway. The casts
 * between two such nodes stay, since the model rounds there; they join the
 * elementwise nodes around them.
 */
#include "../ir.h"

static bool is_half(const Value *v)
{
  return v && (v->dtype == DT_F16 || v->dtype == DT_BF16);
}

static bool has_wide_kernel(const Node *n)
{
  static const char *const name[] = {
    "AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "GRU",
    "Gemm", "GlobalAveragePool", "GlobalMaxPool", "GroupNormalization",
    "InstanceNormalization", "LRN", "LSTM", "LayerNormalization",
    "LinearAttention", "LogSoftmax", "MatMul", "MaxPool", "RMSNormalization",
    "RNN",
    "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Resize", "Softmax"
  };
  for (int i = 0; i < COUNT(name); i++)
    if (node_is(n, name[i])) return true;
  return false;
}

static Value *widened(Node *at, Value *v)
{
  if (!v->data) return node_cast(at, v, DT_F32);
  Tensor *t = tensor_new(&at->g->m->arena, DT_F32, v->data->rank, v->data->dim);
  for (int64_t i = 0; i < t->n; i++)
    tensor_set_f64(t, i, tensor_f64(v->data, i));
  return value_const(at->g, "wide", t);
}

static void widen(Node *n)
{
  Value *half[MAX_RANK] = {0};
  for (int i = 0; i < n->nin; i++)
    if (is_half(node_in(n, i))) node_set_input(n, i, widened(n, n->in[i]));
  for (int i = 0; i < n->nout; i++) {
    half[i] = is_half(n->out[i]) ? n->out[i] : NULL;
    if (half[i]) node_set_output(n, i, value_tmp(n->g, "wide", NULL));
  }
  infer_node(n);
  for (int i = 0; i < n->nout; i++) {
    if (!half[i]) continue;
    Node *c = node_new(n->g, n->next, "Cast", 1, 1, n);
    attr_set_int(c, "to", half[i]->dtype);
    node_set_input(c, 0, n->out[i]);
    node_set_output(c, 0, half[i]);
  }
}

bool pass_widen(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first; n; n = n->next) {
    bool half = false;
    for (int i = 0; i < n->nin; i++) half = half || is_half(n->in[i]);
    if (!half || n->nout > MAX_RANK || !has_wide_kernel(n)) continue;
    widen(n);
    changed = true;
  }
  return changed;
}
