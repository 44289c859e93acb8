/* SPDX-License-Identifier: Apache-2.0 */
/* RotaryEmbedding of com.microsoft: the operands of ai.onnx's in another order,
 * positions as a list or as the first one of consecutive ones. */
#include "../ir.h"

/* int64 [1 or batch, rows]; NULL after a diagnostic. */
static Value *positions(Node *n)
{
  Value *at = n->in[1], *x = n->in[0];
  if (at->rank == 2) return at;
  if (at->rank > 1 || !dim_is(value_numel(at), 1)) {
    fail_model(n, "position_ids is rank %d (spec: one element, or [batch, "
               "rows])", at->rank);
    return NULL;
  }
  Value *step = contrib_range(n, NULL, contrib_size(n, x, x->rank - 2));
  return contrib_unsqueeze(n, node_op(n, "Add", 2, step, at), 0);
}

static void upgrade_rotary(Node *n)
{
  int64_t heads = attr_int(n, "num_heads", 0), wide, half;
  int64_t turned = attr_int(n, "rotary_embedding_dim", 0);
  if (!contrib_ready(n) || !contrib_rank(n, 0, 3, 4) ||
      !contrib_rank(n, 2, 2, 2) || !contrib_rank(n, 3, 2, 2))
    return;
  if (attr_int(n, "is_packed_batching", 0)) {
    fail_unsupported(n, "is_packed_batching is not supported; give a batch");
    return;
  }
  /* The tables tell the size of a head where num_heads does not. */
  if (n->in[0]->rank == 3 && heads < 1 && !turned &&
      dim_is_int(n->in[0]->dim[2], &wide) &&
      dim_is_int(n->in[2]->dim[1], &half) && half > 0)
    heads = wide / (2 * half);
  Value *at = positions(n);
  if (!at) return;
  Node *a = contrib_node(n, "RotaryEmbedding", 4, n->in[0], n->in[2], n->in[3],
                         at);
  attr_set_int(a, "interleaved", attr_int(n, "interleaved", 0));
  if (n->in[0]->rank == 3) attr_set_int(a, "num_heads", heads);
  attr_set_int(a, "rotary_embedding_dim", turned);
  contrib_give(n, 0, contrib_out(a));
  node_remove(n);
}

static const OpRow rows[] = {
  { 1, "input:T position_ids:M cos_cache:T sin_cache:T -> output:T",
    "T=f32 f16 bf16; M=i64", "interleaved:i is_packed_batching:i num_heads:i "
    "rotary_embedding_dim:i scale:f", upgrade_rotary },
};
static const OpDef defs[] = {
  { .name = "RotaryEmbedding", .domain = "com.microsoft", .rows = rows,
    .nrow = COUNT(rows) },
};
OPS_DEFINE(ms_rotary, defs)
