/* SPDX-License-Identifier: Apache-2.0 */
/* Dead code: from the end, so that what only dead nodes read is dead too. */
#include "../ir.h"

static bool dead(const Node *n)
{
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] && (n->out[i]->nuse || n->out[i]->is_output)) return false;
  return true;
}

bool pass_dce(Graph *g)
{
  bool changed = false;
  for (Node *n = g->last, *prev; n; n = prev) {
    prev = n->prev;
    if (!dead(n)) continue;
    node_remove(n);
    changed = true;
  }
  return changed;
}

void dead_code(Graph *g)
{
  pass_dce(g);
}
