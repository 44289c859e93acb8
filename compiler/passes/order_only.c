/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax and LogSoftmax keep the order of the numbers along their axis, so an
 * ArgMax along it needs neither. (Two largest that differ so little that their
 * shares would round to the same are told apart, as the mathematics of the
 * model has it. The least of the shares are often all 0, so ArgMin stays.)
 */
#include "../ir.h"

static int axis_of(const Node *n, int64_t dflt)
{
  int64_t axis = attr_int(n, "axis", dflt);
  return (int)(axis < 0 ? axis + n->in[0]->rank : axis);
}

static bool skip_softmax(Node *n)
{
  Value *x = n->in[0];
  Node *s = x ? x->def : NULL;
  if (!s || (!node_is(s, "Softmax") && !node_is(s, "LogSoftmax")) ||
      !node_in(s, 0) || s->in[0]->dtype != x->dtype ||
      axis_of(s, -1) != axis_of(n, 0))
    return false;
  node_set_input(n, 0, s->in[0]);
  if (!x->nuse && !x->is_output)
    node_absorb(n, s);
  return true;
}

bool pass_order_only(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    if (node_is(n, "ArgMax") && n->nin)
      changed |= skip_softmax(n);
  }
  return changed;
}
