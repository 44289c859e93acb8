/* SPDX-License-Identifier: Apache-2.0 */
/* Constant folding by the reference kernels.
 *
 * A node whose outputs inference has found already, or can be computed from
 * constants, goes; its outputs become constants. Not folded is what would
 * make the program larger: an Expand of one number to a megabyte stays. */
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
  return out <= SMALL_BYTES || out <= in;
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
