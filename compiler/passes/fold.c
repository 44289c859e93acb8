/* SPDX-License-Identifier: Apache-2.0 */
/* Constant folding by the reference kernels.
 *
 * A node whose outputs inference has found already, or can be computed from
 * constants, goes; its outputs become constants. Not folded is what would
 * make the program larger: an Expand of one number to a megabyte stays. But
 * what dequantises the weight of a float product is: its kernels want floats,
 * packed beforehand. */
#include "../ir.h"

#define SMALL_BYTES 65536

static bool known(const Node *n)
{
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] && !n->out[i]->data) return false;
  return true;
}

static int64_t bytes(const Value *v)
{
  int64_t n;
  if (!dim_is_int(value_numel(v), &n)) return INT64_MAX;
  int64_t size = dtype_info(v->dtype)->size;
  return n > INT64_MAX / 64 ? INT64_MAX : n * size;
}

/* Is v no more than the weight of products, or what such a weight is made of
 * by nodes that follow? */
static bool is_weight(const Value *v, int depth)
{
  if (v->is_output || !v->nuse || depth == 0) return false;
  for (int i = 0; i < v->nuse; i++) {
    const Node *n = v->use[i];
    if ((node_is(n, "MatMul") || node_is(n, "Gemm") || node_is(n, "Conv") ||
         node_is(n, "ConvTranspose")) && n->in[0] != v && n->in[1] == v)
      continue;
    if (n->nout != 1 || !n->out[0] ||
        !(node_is(n, "Mul") || node_is(n, "Sub") || node_is(n, "Add") ||
          node_is(n, "Transpose") || node_is(n, "Reshape")) ||
        !is_weight(n->out[0], depth - 1))
      return false;
    for (int k = 0; k < n->nin; k++)
      if (n->in[k] != v && !n->in[k]->data) return false;
  }
  return true;
}

static bool dequantises_weight(const Node *n)
{
  const Value *x = n->in[0], *y = n->out[0];
  return (node_is(n, "Cast") || node_is(n, "DequantizeLinear")) &&
         dtype_info(x->dtype)->size <= 2 &&
         dtype_info(y->dtype)->cls == DC_FLOAT && is_weight(y, 4);
}

/* All inputs constant, and the outputs not much larger than they are. */
static bool worth_it(const Node *n)
{
  int64_t in = 0, out = 0;
  for (int i = 0; i < n->nin; i++) {
    if (!n->in[i]) continue;
    if (!n->in[i]->data) return false;
    in += bytes(n->in[i]);
  }
  for (int i = 0; i < n->nout; i++) {
    if (!n->out[i]) continue;
    if (n->out[i]->kind != VK_TENSOR || !value_static(n->out[i])) return false;
    int64_t b = bytes(n->out[i]);
    if (b == INT64_MAX) return false;
    out += b;
  }
  return out <= SMALL_BYTES || out <= in || dequantises_weight(n);
}

bool pass_fold(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    if (!n->op || n->op->flags & OP_RANDOM) continue;
    if (!known(n) && !(worth_it(n) && eval_node(n))) continue;
    node_remove(n);
    changed = true;
  }
  return changed;
}
