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
 * Where there is a GPU, elementwise nodes become f32, too, and the casts go: so
 * that fusions find the patterns that they know of f32. Node.half tells whose
 * results the model rounds, and the pass narrow makes that so, between kernels:
 * inside of one that takes several nodes, nothing is rounded.
 */
#include "../ir.h"
#include "../ops.h"

static bool is_half(const Value *v)
{
  return v && (v->dtype == DT_F16 || v->dtype == DT_BF16);
}

bool node_moves_first(const Node *n)
{
  static const char *const name[] = {
    "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice"
  };
  for (int i = 0; i < COUNT(name); i++)
    if (node_is(n, name[i])) return n->nin > 0 && n->in[0];
  return false;
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
    if (is_half(node_in(n, i))) n->half = n->in[i]->dtype;
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

/* An elementwise node from halves to a half. */
static bool is_half_loop(const Node *n)
{
  return n->op && (n->op->flags & OP_ELEMENTWISE) && n->nout == 1 &&
         is_half(n->out[0]) && !node_is(n, "Cast") && !node_is(n, "CastLike");
}

/* Cast(T(h)) -> T(Cast(h)), for T that moves elements and has no other use. */
static bool raise_cast(Node *cast)
{
  Node *t = cast->in[0]->def;
  if (!t || !node_moves_first(t) || value_only_user(cast->in[0]) != cast)
    return false;
  Value *y = cast->out[0], *moved = value_tmp(cast->g, "wide", NULL);
  t->half = cast->half;
  node_set_input(t, 0, node_cast(t, t->in[0], DT_F32));
  node_set_output(t, 0, moved);
  infer_node(t);
  value_replace(y, moved);
  return true;
}

/* Cast(Cast(x, half), f32) -> x, where the model has neither. */
static void drop_casts(Node *cast)
{
  Node *down;
  if (match_op(cast->in[0], "Cast", &down) && down->half &&
      down->in[0]->dtype == DT_F32)
    value_replace(cast->out[0], down->in[0]);
}

static void drop_all_casts(Graph *g)
{
  for (Node *n = g->last, *before; n; n = before) {
    before = n->prev;
    if (!node_is(n, "Cast") || !n->half || !is_half(n->in[0]))
      continue;
    if (raise_cast(n))
      before = g->last; /* the new one may go further */
    else
      drop_casts(n);
  }
  dead_code(g);
}

bool pass_widen(Graph *g)
{
  bool changed = false, gpu = provider_has(g->m->opt, "cuda");
  for (Node *n = g->first; n; n = n->next) {
    bool half = false;
    for (int i = 0; i < n->nin; i++) half = half || is_half(n->in[i]);
    if (!half || n->nout > MAX_RANK ||
        (!has_wide_kernel(n) && !(gpu && is_half_loop(n))))
      continue;
    widen(n);
    changed = true;
  }
  if (changed && gpu)
    drop_all_casts(g);
  return changed;
}
