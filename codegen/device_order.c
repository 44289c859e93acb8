/* SPDX-License-Identifier: Apache-2.0 */
/* The order of nodes where a GPU runs some: what the CPU computes without the
 * GPU's results comes first, so that steps of the GPU follow each other, and
 * are recorded as one graph. Not where there are loops, sizes that steps find,
 * or branches that such results choose: there the order means more. */
#include "target.h"

/* By Value.id: it depends on what the GPU has computed. */
static bool waits(const Node *n, const bool *late)
{
  bool copy = node_is_internal(n, "Transfer");
  if (n->device && !copy)
    return true;
  for (int i = 0; i < n->nin && !node_measures(n); i++)
    if (n->in[i] && late[n->in[i]->id])
      return true;
  return false;
}

static bool may_move(const Plan *p, const bool *late)
{
  for (const Node *n = p->g->first; n; n = n->next) {
    if (node_is_internal(n, "LoopBegin") || n->nsize)
      return false;
    if (node_is_internal(n, "Select") && late[n->in[0]->id])
      return false;
  }
  return true;
}

void device_order(Plan *p)
{
  bool *late = NEW(p->a, bool, p->m->nvalue + 1);
  Node *first = NULL;
  for (Node *n = p->g->first; n; n = n->next)
    for (int i = 0; i < n->nout; i++)
      if (n->out[i])
        late[n->out[i]->id] = waits(n, late);
  if (!may_move(p, late))
    return;
  for (Node *n = p->g->first, *next; n; n = next) {
    next = n->next;
    bool back = waits(n, late);
    if (back && !first)
      first = n;
    if (!back && first)
      node_move_before(n, first);
  }
}
