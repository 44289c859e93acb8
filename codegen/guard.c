/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes run only where a condition holds.
 *
 * A Select (compiler/control.c) reads one operand, so what only that operand
 * needs is computed only where it is chosen. Backwards from the outputs, a
 * node's guard is what the guards of all its readers have in common; a Select
 * adds its condition for an operand. A condition must be known before the
 * node. Sizes found at run time may be read by any tensor's shape: nodes that
 * find some always run. What stands in a loop runs where the loop does.
 */
#include "target.h"

static const Guard *guard_of(Plan *p, const Guard *up, Value *cond, bool on)
{
  for (const Guard *g = p->guards; g; g = g->next)
    if (g->up == up && g->cond == cond && g->on == on)
      return g;
  Guard *g = NEW(p->a, Guard, 1);
  *g = (Guard){ p->guards, up, cond, on, up ? up->depth + 1 : 1 };
  p->guards = g;
  return g;
}

static const Guard *common(const Guard *a, const Guard *b)
{
  while (a != b) {
    int da = a ? a->depth : 0, db = b ? b->depth : 0;
    if (da >= db)
      a = a->up;
    if (db >= da)
      b = b->up;
  }
  return a;
}

typedef struct {
  Plan *p;
  const Guard **guard;  /* by number of the node */
  int *number;          /* by Value.id: 1 + that of its node; 0: none */
  int *home;            /* by number of the node: plan_homes */
} Guards;

/* The guard under which reader `u`, node number `k`, needs `v`. */
static const Guard *need(Guards *s, int k, const Node *u, const Value *v)
{
  bool a = node_is_internal(u, "Select") && u->in[1] == v;
  bool b = node_is_internal(u, "Select") && u->in[2] == v;
  if (a == b || u->in[0] == v)
    return s->guard[k];
  return guard_of(s->p, s->guard[k], u->in[0], a);
}

static int number_of(const Guards *s, const Node *n)
{
  for (int i = 0; i < n->nout; i++)
    if (n->out[i])
      return s->number[n->out[i]->id] - 1;
  return -1;
}

static const Guard *own_guard(Guards *s, const Node *n, int k)
{
  const Guard *g = NULL;
  bool any = false;
  if (n->nsize)
    return NULL;
  for (int i = 0; i < n->nout; i++) {
    const Value *v = n->out[i];
    if (v && v->is_output)
      return NULL;
    for (int j = 0; v && j < v->nuse; j++) {
      if (node_measures(v->use[j])) /* it may even stand before */
        continue;
      int r = number_of(s, v->use[j]);
      const Guard *by = r < 0 ? NULL : need(s, r, v->use[j], v);
      g = any ? common(g, by) : by;
      any = true;
    }
  }
  for (const Guard *h = g; h; h = h->up)
    if (s->number[h->cond->id] > k)
      g = h->up;
  return g;
}

static const Guard *node_guard(Guards *s, const Node *n, int k)
{
  const Guard *g = own_guard(s, n, k);
  const Guard *loop = s->home[k] < 0 ? NULL : s->guard[s->home[k]];
  if (node_is_internal(n, "LoopBegin") || common(g, loop) != loop)
    return loop;
  return g;
}

const Guard **plan_guards(Plan *p)
{
  Guards s = { .p = p };
  int n = 0;
  s.number = NEW(p->a, int, p->m->nvalue + 1);
  for (const Node *x = p->g->first; x; x = x->next, n++)
    for (int i = 0; i < x->nout; i++)
      if (x->out[i])
        s.number[x->out[i]->id] = n + 1;
  s.guard = NEW(p->a, const Guard *, n + 1);
  s.home = plan_homes(p, n);
  for (const Node *x = p->g->last; x; x = x->prev, n--)
    s.guard[n - 1] = node_guard(&s, x, n - 1);
  return s.guard;
}
