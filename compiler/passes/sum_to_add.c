/* SPDX-License-Identifier: Apache-2.0 */
/* Sum of two operands and more becomes Adds, first to last as Sum adds, so that
 * passes need to know one of them only. f32 and f64: a Sum of half types rounds
 * once, at its end.
 */
#include "../ir.h"

static bool sum_to_add(Node *n)
{
  if (!node_is(n, "Sum") || n->nin < 2)
    return false;
  for (int i = 0; i < n->nin; i++)
    if (!n->in[i] || (n->in[i]->dtype != DT_F32 && n->in[i]->dtype != DT_F64))
      return false;
  Value *y = n->in[0];
  for (int i = 1; i < n->nin; i++)
    y = node_op(n, "Add", 2, y, n->in[i]);
  value_replace(n->out[0], y);
  node_remove(n);
  return true;
}

bool pass_sum_to_add(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    changed |= sum_to_add(n);
  }
  return changed;
}
