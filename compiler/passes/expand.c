/* SPDX-License-Identifier: Apache-2.0 */
/* Composite operators become simpler ones, until none is left. */
#include "../ir.h"

bool pass_expand(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    if (!n->op || !n->op->expand) continue;
    /* What it makes stands before it, and may be composite too. */
    Node *before = n->prev;
    n->op->expand(n);
    changed = true;
    if (g->m->nerror) return changed;
    next = before ? before->next : g->first;
    /* A node that is still there declined. */
    if (next == n) next = n->next;
  }
  return changed;
}
