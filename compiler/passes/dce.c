/* SPDX-License-Identifier: Apache-2.0 */
/* Dead code: from the end, so that what only dead nodes read is dead too. */
#include "../ir.h"

/* A live value's shape or content has a size that only this node finds. */
static bool finds_size(const Node *n, const bool *read)
{
  for (int i = 0; i < n->nsize; i++) {
    int s = dim_symbol(n->size[i]);
    if (s >= 0 && read[s]) return true;
  }
  return false;
}

static bool dead(const Node *n, const bool *read)
{
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] && (n->out[i]->nuse || n->out[i]->is_output)) return false;
  return !finds_size(n, read);
}

static void read_dims(DimPool *p, const Dim *const *dim, int64_t n, bool *read)
{
  for (int64_t i = 0; dim && i < n; i++)
    for (int s = 0; dim[i] && s < p->nsym; s++)
      if (p->sym[s].kind == SYM_CAPACITY && dim_has(p, dim[i], s))
        read[s] = true;
}

/* Marks the capacities that a live node's inputs and outputs speak of. */
static void read_sizes(const Node *n, Value *const *v, int count, bool *read)
{
  DimPool *p = &n->g->m->dims;
  for (int i = 0; i < count; i++) {
    int64_t size;
    if (!v[i]) continue;
    read_dims(p, v[i]->dim, v[i]->rank, read);
    if (v[i]->sym && dim_is_int(value_numel(v[i]), &size))
      read_dims(p, v[i]->sym, size, read);
  }
}

bool pass_dce(Graph *g)
{
  bool changed = false;
  bool *read = NEW(&g->m->arena, bool, g->m->dims.nsym + 1);
  for (Node *n = g->last, *prev; n; n = prev) {
    prev = n->prev;
    if (!dead(n, read)) {
      read_sizes(n, n->in, n->nin, read);
      read_sizes(n, n->out, n->nout, read);
      continue;
    }
    node_remove(n);
    changed = true;
  }
  return changed;
}

void dead_code(Graph *g)
{
  pass_dce(g);
}
