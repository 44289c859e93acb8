/* SPDX-License-Identifier: Apache-2.0 */
/* An Expand whose reader broadcasts its operands anyway is passed by:
 *
 *   Add(Expand(x), y)  ->  Add(x, y)
 *
 * where y has all that x lacks. The masks of exported attentions are such: a
 * copy of [1, 1, S, S] for each head.
 */
#include "../ir.h"

/* Dimension `axis`, counted as one of `rank` axes; NULL: v has no such one. */
static const Dim *dim_at(const Value *v, int axis, int rank)
{
  axis -= rank - v->rank;
  return axis >= 0 ? v->dim[axis] : NULL;
}

static bool broadcasts(const Node *n)
{
  const EwOp *op = n->domain && *n->domain ? NULL : ew_find(n->op_type);
  return op && op->arity > 1 && !node_is(n, "PRelu") && n->nout == 1;
}

/* Does another operand of n have what x lacks of the result? */
static bool is_covered(const Node *n, int in, const Value *x)
{
  const Value *y = n->out[0];
  bool ranked = x->rank == y->rank;
  for (int k = 0; k < n->nin; k++)
    ranked = ranked || (k != in && n->in[k]->rank == y->rank);
  for (int i = 0; i < y->rank; i++) {
    const Dim *d = dim_at(x, i, y->rank);
    bool found = d == y->dim[i];
    for (int k = 0; k < n->nin && (!d || dim_is(d, 1)); k++)
      found = found || (k != in && dim_at(n->in[k], i, y->rank) == y->dim[i]);
    if (!found) return false;
  }
  return ranked;
}

bool pass_broadcast(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first; n; n = n->next) {
    if (!n->op || !broadcasts(n)) continue;
    for (int k = 0; k < n->nin; k++) {
      Node *e;
      int count;
      if (!match_op(n->in[k], "Expand", &e) || e->nsize ||
          !value_content(e->in[1], &count) || !is_covered(n, k, e->in[0]))
        continue;
      node_set_input(n, k, e->in[0]);
      changed = true;
    }
  }
  return changed;
}
