/* SPDX-License-Identifier: Apache-2.0 */
/* The invariants of a graph, checked after every pass in debug builds: links,
 * definitions before uses, use lists, known types and shapes. */
#include "ir.h"

typedef struct {
  Model *m;
  const char *after;
  bool *defined;  /* by value id */
  int *uses;
} Check;

static void check_value(const Check *c, const Node *n, const Value *v)
{
  if (!v->bad && v->kind == VK_TENSOR && (!v->dtype || v->rank < 0))
    model_panic(c->m, "after %s: %%%d of %s has no type or shape", c->after,
                v->id, n->op_type);
  for (int i = 0; i < v->rank; i++)
    if (!v->dim[i])
      model_panic(c->m, "after %s: %%%d lacks dimension %d", c->after, v->id,
                  i);
}

static void check_node(Check *c, const Node *n)
{
  if (n->next ? n->next->prev != n : n->g->last != n)
    model_panic(c->m, "after %s: the list is broken at a %s", c->after,
                n->op_type);
  for (int i = 0; i < n->nin; i++) {
    const Value *v = n->in[i];
    if (!v) continue;
    check_value(c, n, v);
    c->uses[v->id]++;
    if (v->def && v->g == n->g && !c->defined[v->id])
      model_panic(c->m, "after %s: %s reads %%%d before it is made", c->after,
                  n->op_type, v->id);
    if (!v->def && !v->data && !v->is_input && v->g == n->g && !v->bad)
      model_panic(c->m, "after %s: %s reads %%%d, which nothing makes",
                  c->after, n->op_type, v->id);
  }
  for (int i = 0; i < n->nout; i++) {
    const Value *v = n->out[i];
    if (!v) continue;
    check_value(c, n, v);
    if (v->def != n)
      model_panic(c->m, "after %s: %%%d does not know its node %s", c->after,
                  v->id, n->op_type);
    if (c->defined[v->id])
      model_panic(c->m, "after %s: %%%d is made twice", c->after, v->id);
    c->defined[v->id] = true;
  }
}

static void check_nodes(Check *c, const Graph *g)
{
  if (g->first && g->first->prev)
    model_panic(c->m, "after %s: the list has no beginning", c->after);
  for (const Node *n = g->first; n; n = n->next) {
    for (int i = 0; i < n->nattr; i++)
      if (n->attr[i].type == AT_GRAPH && n->attr[i].g)
        check_nodes(c, n->attr[i].g);
    check_node(c, n);
  }
}

static void check_uses(const Check *c, const Graph *g)
{
  for (const Node *n = g->first; n; n = n->next)
    for (int i = 0; i < n->nin; i++)
      if (n->in[i] && n->in[i]->nuse != c->uses[n->in[i]->id])
        model_panic(c->m, "after %s: %%%d lists %d uses, but has %d", c->after,
                    n->in[i]->id, n->in[i]->nuse, c->uses[n->in[i]->id]);
  for (int i = 0; i < g->nout; i++)
    if (!g->out[i]->is_output)
      model_panic(c->m, "after %s: output %d is not marked", c->after, i);
}

void ir_check(Graph *g, const char *after)
{
  Check c = {g->m, after, NULL, NULL};
  c.defined = NEW(&g->m->arena, bool, g->m->nvalue + 1);
  c.uses = NEW(&g->m->arena, int, g->m->nvalue + 1);
  check_nodes(&c, g);
  check_uses(&c, g);
}
