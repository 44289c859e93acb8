/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of a program that diff has compiled.
 *
 * The program gives numbers (codegen/tap.c); what they are comes from a plan
 * that is made here as the program's was: the same model under the same options
 * has the same steps. Only tensors that nodes of the main graph make, or that
 * are its inputs, have something to be compared with. */
#include "host_diff.h"
#include <string.h>

static const char *nodes_of(Arena *a, const Node *n)
{
  const char *text = "";
  int count = 0;
  for (const Origin *o = n->origin; o; o = o->next, count++) {
    if (count == 4) return arena_printf(a, "%s + ..", text);
    text = arena_printf(a, "%s%s%d%s%s (%s-%d)", text, count ? " + " : "",
                        o->index, *o->name ? " " : "",
                        *o->name ? quote(a, o->name) : "", o->op, o->version);
  }
  return text;
}

static const char *kernel_of(Arena *a, const Step *s)
{
  return s->nref && !strcmp(s->macro, "REF")
      ? arena_printf(a, "%s %s", s->kernel_note, s->ref[0].file)
      : arena_str(a, s->kernel_note);
}

/* Names of the values that can be compared, by id; others NULL. */
static const char **file_names(Arena *a, const Model *m)
{
  const char **name = NEW(a, const char *, m->nfile + 1);
  const Graph *g = m->main;
  for (int i = 0; i < g->nin; i++) name[g->in[i]->id] = g->in[i]->name;
  for (const Node *n = g->first; n; n = n->next)
    for (int i = 0; i < n->nout; i++)
      if (n->out[i]) name[n->out[i]->id] = n->out[i]->name;
  return name;
}

static void wider(int *width, const char *text, int most)
{
  int n = (int)strlen(text);
  if (n > *width) *width = n < most ? n : most;
}

static void take_layer(Host *h, const Tap *t, const char *const *name,
                       Layers *l)
{
  Layer *x = &l->v[l->n++];
  x->same = t->same;
  x->name = name[t->same.id];
  if (!x->name) return;
  x->name = quote(&h->a, x->name);
  x->step = arena_str(&h->a, t->step->name);
  x->kernel = kernel_of(&h->a, t->step);
  x->nodes = nodes_of(&h->a, t->step->node);
  if (t->same.perm) {
    int *perm = NEW(&h->a, int, t->same.rank);
    memcpy(perm, t->same.perm, (size_t)t->same.rank * sizeof *perm);
    x->same.perm = perm;
  }
  l->wanted[t->same.id]++;
  wider(&l->step_width, x->step, 32);
  wider(&l->kernel_width, x->kernel, 32);
}

static void take_plan(Host *h, const Case *c, const Plan *p, Layers *l)
{
  const Model *m = c->ports.m;
  const char **name = file_names(&h->a, m);
  l->nstep = p->nstep;
  l->nfile = m->nfile;
  l->v = NEW(&h->a, Layer, p->ntap + 1);
  l->wanted = NEW(&h->a, int, m->nfile + 1);
  l->leads = NEW(&h->a, bool, p->g->nin + 1);
  l->batch = -1;
  for (int k = 0; k < p->ntap; k++) take_layer(h, &p->tap[k], name, l);
  for (int i = p->g->nin - 1; p->block && i >= 0; i--) {
    const DimPool *d = &p->m->dims;
    l->leads[i] = p->in[i]->rank > 0 &&
                  dim_has(d, p->in_dim[i][0], p->batch);
    if (l->leads[i] && dim_symbol(p->in_dim[i][0]) == p->batch) l->batch = i;
  }
}

bool layers_find(Host *h, const Case *c, Layers *l)
{
  Options o = *h->opt;
  Plan *p = NULL;
  memset(l, 0, sizeof *l);
  o.command = "compile";
  o.name = c->unit.prefix;
  l->step_width = 4;
  l->kernel_width = 6;
  Model *m = plan_model(&o, c->path, &p);
  if (p) take_plan(h, c, p, l);
  else diag_print(m, stderr, SEV_ERROR);
  model_free(m);
  return p != NULL;
}

/* Axis k of t is axis perm[k] of the result. */
static const Tensor *unpermuted(Arena *a, const Tensor *t, const int *perm)
{
  int64_t dim[MAX_RANK], by[MAX_RANK], at[MAX_RANK] = {0}, stride = 1, to = 0;
  size_t size = (size_t)dtype_info(t->dtype)->size;
  for (int k = 0; k < t->rank; k++) dim[perm[k]] = t->dim[k];
  Tensor *y = tensor_new(a, t->dtype, t->rank, dim);
  for (int i = t->rank - 1; i >= 0; i--) {
    for (int k = 0; k < t->rank; k++)
      if (perm[k] == i) by[k] = stride;
    stride *= dim[i];
  }
  char *p = (char *)(uintptr_t)y->data;
  const char *from = t->data;
  for (int64_t n = 0; n < t->n; n++) {
    memcpy(p + (size_t)to * size, from + (size_t)n * size, size);
    for (int k = t->rank - 1; k >= 0; k--) {
      to += by[k];
      if (++at[k] < t->dim[k]) break;
      to -= by[k] * t->dim[k];
      at[k] = 0;
    }
  }
  return y;
}

const Tensor *layer_tensor(Arena *a, const Layer *l, const Tensor *t)
{
  if (l->same.flipped && t->dtype == DT_U8) {
    Tensor *y = tensor_new(a, DT_I8, t->rank, t->dim);
    for (int64_t i = 0; i < t->n; i++)
      tensor_set_i64(y, i, tensor_i64(t, i) - 128);
    t = y;
  }
  return l->same.perm && l->same.rank == t->rank
      ? unpermuted(a, t, l->same.perm) : t;
}
