/* SPDX-License-Identifier: Apache-2.0 */
/* Distances of V from X that are transposed are those of X from V, bit for bit:
 *
 *   Transpose(Distance(V, X))  ->  Distance(X, V)
 *
 * scikit-learn's exporter writes them so. Then samples are rows again, and stay
 * apart. */
#include "../ir.h"

static bool turn(Node *n)
{
  Node *d;
  int count;
  const int64_t *perm = attr_ints(n, "perm", &count);
  if (!node_is(n, "Transpose") || n->in[0]->rank != 2 || n->in[0]->is_output ||
      n->in[0]->nuse != 1 || (perm && perm[0] == 0) || !n->in[0]->def ||
      !node_is_internal(n->in[0]->def, "Distance"))
    return false;
  d = n->in[0]->def;
  Value *y = distance_of(n, d->in[1], d->in[0], attr_float(d, "p", 2));
  node_add_origin(y->def, d);
  value_replace(n->out[0], y);
  node_remove(n);
  return true;
}

bool pass_distance(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    changed |= turn(n);
  }
  if (changed)
    dead_code(g);
  return changed;
}
