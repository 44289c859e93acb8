/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes become steps, each by its provider (device.c: which that is).
 *
 * The CPU supports every operator that has a reference kernel. Steps that
 * nothing reads are dropped afterwards: shape computations whose results
 * lowering has put into constants.
 */
#include "target.h"

#include <string.h>

static const Target *const targets[] = {
#define TARGET(name) &target_##name,
#include "targets.def"
#undef TARGET
};

const Target *target_find(const char *name)
{
  for (int i = 0; i < COUNT(targets); i++)
    if (!strcmp(targets[i]->name, name))
      return targets[i];
  return NULL;
}

const Target *target_of(const Plan *p, const Node *n)
{
  const Target *t = target_find(n->device ? "cuda" : "cpu");
  return t && t->supports(p, n) ? t : NULL;
}

static bool step_is_read(const Step *s, const bool *read, const bool *sized)
{
  for (int i = 0; i < s->nfinds; i++)
    if (sized[s->finds[i]])
      return true;
  for (int i = 0; i < s->nptr; i++) {
    const StepPtr *ptr = &s->ptr[i];
    if (ptr->kind == SP_OUT && read[stored_in(s->plan, ptr->v)->id])
      return true;
  }
  return false;
}

/* Backwards from the graph's outputs. */
static void drop_unread(Plan *p)
{
  bool *read = NEW(p->a, bool, p->m->nvalue + 1);
  DimPool *d = &p->m->dims;
  bool *sized = NEW(p->a, bool, d->nsym + 1);
  for (int i = 0; i < p->g->nout; i++) {
    read[stored_in(p, p->g->out[i])->id] = true;
    for (int k = 0; k < p->nfound; k++)
      for (int j = 0; j < p->out[i]->rank; j++)
        sized[p->found[k]] |= dim_has(d, p->out_dim[i][j], p->found[k]);
  }
  Step **all = NEW(p->a, Step *, p->nstep + 1);
  int n = 0;
  for (Step *s = p->first; s; s = s->next)
    all[n++] = s;
  Step *kept = NULL;
  p->last = n ? all[n - 1] : NULL;
  p->nstep = 0;
  for (int k = n - 1; k >= 0; k--) {
    bool follows = all[k]->checks && kept && kept->node == all[k]->node;
    if (!step_is_read(all[k], read, sized) && !follows)
      continue;
    for (int i = 0; i < all[k]->nsizes; i++)
      sized[all[k]->sizes[i]] = true;
    for (int i = 0; i < all[k]->nptr; i++)
      if (all[k]->ptr[i].kind == SP_IN || all[k]->loop == LOOP_CLOSE)
        read[stored_in(p, all[k]->ptr[i].v)->id] = true;
    for (const Guard *g = all[k]->guard; g; g = g->up)
      read[stored_in(p, g->cond)->id] = true;
    if (!kept)
      p->last = all[k];
    all[k]->next = kept;
    kept = all[k];
    p->nstep++;
  }
  p->first = kept;
  if (!kept)
    p->last = NULL;
}

Value *value_root(Value *v)
{
  while (v->def && op_is_view(v->def))
    v = v->def->in[0];
  return v;
}

/* Inference has computed all that the node makes: a pass made it of constants
 * after the last folding. */
static bool is_computed(const Node *n)
{
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] && !n->out[i]->data)
      return false;
  return n->nout > 0;
}

void lower_graph(Plan *p)
{
  const Guard **guard = plan_guards(p);
  plan_pieces(p, guard);
  for (int i = 0; i < COUNT(targets); i++)
    targets[i]->prepare(p);
  int k = 0;
  for (Node *n = p->g->first; n; n = n->next) {
    p->guard = guard[k++];
    if (op_is_view(n) || is_computed(n))
      continue;
    if (lower_loop(p, n) || lower_transfer(p, n) || lower_device_sizes(p, n))
      continue;
    if (n->nsize && n->op->sizes && !n->device)
      lower_sizes(p, n);
    const Target *t = target_of(p, n);
    if (t)
      t->lower(p, n);
    else
      fail_unsupported(n, "no provider of --provider runs this operator");
  }
  drop_unread(p);
  device_only(p);
}
