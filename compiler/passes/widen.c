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
 *
 * With --math fast, and a GPU, a network of one half type is computed in f32
 * throughout, so that the passes find all that they join in f32. The pass
 * narrow stores halves again, where a value lies in memory.
 */
#include "../ir.h"

#include <string.h>

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

/* The half type that all nodes with kernels of f32 have; DT_NONE: not one. */
static Dtype half_of_all(const Graph *g)
{
  Dtype half = DT_NONE;
  for (const Node *n = g->first; n; n = n->next) {
    if (!has_wide_kernel(n)) continue;
    if (!is_half(n->in[0]) || (half != DT_NONE && half != n->in[0]->dtype))
      return DT_NONE;
    half = n->in[0]->dtype;
  }
  return half;
}

static bool is_arithmetic(const Node *n)
{
  return n->op && (n->op->flags & OP_ELEMENTWISE) && !node_is(n, "BitCast") &&
         !strstr(n->op_type, "Cast") && !strstr(n->op_type, "quantize") &&
         !strstr(n->op_type, "Quantize");
}

/* Move(Cast(x)) -> Cast(Move(x)), of an x in f32. */
static void sink_rounding(Node *n)
{
  static const char *const moves[] = {
    "Flatten", "Identity", "Reshape", "Slice", "Squeeze", "Transpose",
    "Unsqueeze"
  };
  Node *c;
  bool known = false;
  for (int i = 0; i < COUNT(moves); i++) known = known || node_is(n, moves[i]);
  if (!known || !is_half(n->in[0]) || !match_op(n->in[0], "Cast", &c) ||
      c->in[0]->dtype != DT_F32)
    return;
  Value *y = n->out[0], *wide = value_tmp(n->g, "wide", NULL);
  node_set_input(n, 0, c->in[0]);
  node_set_output(n, 0, wide);
  infer_node(n);
  c = node_new(n->g, n->next, "Cast", 1, 1, n);
  attr_set_int(c, "to", y->dtype);
  node_set_input(c, 0, wide);
  node_set_output(c, 0, y);
}

/* A Cast back to f32 of what was f32 before. */
static void skip_rounding(Node *n)
{
  Node *c;
  if (node_is(n, "Cast") && n->out[0]->dtype == DT_F32 &&
      !n->out[0]->is_output && is_half(n->in[0]) &&
      match_op(n->in[0], "Cast", &c) && c->in[0]->dtype == DT_F32)
    value_replace(n->out[0], c->in[0]);
}

bool pass_widen(Graph *g)
{
  const Options *opt = g->m->opt;
  bool changed = false, all = opt && opt->math && provider_has(opt, "cuda") &&
                              !strcmp(opt->math, "fast");
  if (all) g->m->half = half_of_all(g);
  all = g->m->half != DT_NONE;
  for (Node *n = g->first; n; n = n->next) {
    bool half = false;
    for (int i = 0; i < n->nin; i++) half = half || is_half(n->in[i]);
    if (!half || n->nout > MAX_RANK) continue;
    if (has_wide_kernel(n) || (all && is_arithmetic(n))) {
      widen(n);
      changed = true;
    }
  }
  for (Node *n = all ? g->first : NULL; n; n = n->next) sink_rounding(n);
  for (Node *n = all ? g->first : NULL; n; n = n->next) skip_rounding(n);
  return changed;
}
