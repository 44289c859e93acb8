/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes from the version of the file to the newest one that we know, row by
 * row. Import is faithful; all that follows sees one form of an operator.
 *
 * infer_graph upgrades a node right before it infers it, so that the hooks find
 * the types and shapes of the inputs. */
#include "ir.h"

static bool removed(const Node *n)
{
  return !n->prev && !n->next && n->g->first != n;
}

void upgrade_node(Node *n)
{
  while (n->op) {
    const OpDef *op = n->op;
    const OpRow *row = op_row(op, n->version);
    const OpRow *last = op->rows + op->nrow - 1;
    if (!row || n->bad) return;
    n->version = row->since;
    /* Upsample becomes Resize: its hook may stand in the last row. */
    if (row->upgrade) row->upgrade(n);
    if (removed(n)) return;
    if (n->op != op) continue;
    if (row == last) return;
    n->version = row[1].since;
  }
}

void upgrade_graph(Graph *g)
{
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    upgrade_node(n);
  }
}
