/* SPDX-License-Identifier: Apache-2.0 */
/* Dimensions that inference finds equal become one.
 *
 * Two symbols merge where the operator demands equal sizes, and in broadcasting
 * where the model did not name one of them: its name is ours, and nothing says
 * that it should differ. A symbol that must equal a number becomes the number.
 * x and min(x, 512) are one where x is at most 512. (H + 15) / 16, of a strided
 * convolution, and 2 ((H + 31) / 32), of one that was enlarged again, are one
 * for those H alone that fit: the generated code compares, and a run with
 * others ends in O2C_E_DIMS. The infer function that
 * finds it may hold dimensions already, so merges wait in the pool until it
 * returns; then the whole graph is rewritten. */
#include "make_batch.h"
#include <string.h>

static const Dim *resolve(DimPool *p, const Dim *d)
{
  for (int i = 0; i < p->nmerge; i++)
    d = dim_subst(p, d, p->merge[i].sym, p->merge[i].by);
  return d;
}

/* The argument that `d` is, or -1. */
static int argument(const DimPool *p, const Dim *d)
{
  int s = dim_symbol(d);
  return s >= 0 && p->sym[s].kind == SYM_ARG ? s : -1;
}

static const Dim *merge(DimPool *p, int sym, const Dim *by)
{
  int other = argument(p, by);
  int64_t max = p->sym[sym].max;
  if (other >= 0 && max && (!p->sym[other].max || max < p->sym[other].max))
    p->sym[other].max = max;
  p->merge = arena_grow(&p->m->arena, p->merge, p->nmerge, sizeof *p->merge);
  p->merge[p->nmerge++] = (Merge){sym, by};
  return by;
}

/* A size that data tells is taken to be what it must equal: the node that finds
 * it compares at run time. What it equals must be known before that. */
static int found(const DimPool *p, const Dim *d, const Dim *other)
{
  int s = dim_symbol(d);
  if (s < 0 || p->sym[s].kind != SYM_CAPACITY) return -1;
  for (int k = s; k < p->nsym; k++)
    if (p->sym[k].kind == SYM_CAPACITY && dim_has(p, other, k)) return -1;
  return s;
}

/* x and min(x, k): x is at most k, or the two would differ (and where one is 1,
 * so is the other). Exporters cut position tables so. NULL: of another form. */
static const Dim *bounded(DimPool *p, const Dim *x, const Dim *least)
{
  int s = argument(p, x), cut = dim_symbol(least);
  int64_t k;
  if (s < 0 || cut < 0 || p->sym[cut].kind != SYM_MIN) return NULL;
  const Dim *a = p->sym[cut].a, *b = p->sym[cut].b;
  if (a != x && b != x) return NULL;
  if (!dim_is_int(a == x ? b : a, &k) || k < 1) return NULL;
  if (!p->sym[s].max || k < p->sym[s].max) p->sym[s].max = k;
  return merge(p, cut, x);
}

/* A quotient, minimum or maximum becomes what it must equal, under a condition
 * on the arguments. NULL: not of this form. */
static const Dim *assumed(DimPool *p, const Dim *d, const Dim *by)
{
  int s = dim_symbol(d);
  if (s < 0 || p->sym[s].kind == SYM_ARG || p->sym[s].kind == SYM_CAPACITY ||
      dim_has(p, by, s) || dim_has_capacity(p, d) || dim_has_capacity(p, by))
    return NULL;
  for (int i = 0; i < p->nequal; i++)
    if (p->equal[i].a == d && p->equal[i].b == by) return merge(p, s, by);
  p->equal = arena_grow(&p->m->arena, p->equal, p->nequal, sizeof *p->equal);
  p->equal[p->nequal++] = (Equal){d, by};
  return merge(p, s, by);
}

const Dim *dims_unify(DimPool *p, const Dim *a, const Dim *b, bool proven)
{
  int64_t k;
  const Dim *same;
  a = resolve(p, a);
  b = resolve(p, b);
  if (a == b) return a;
  /* The batch that --make-batch makes is any number: nothing else equals it. */
  const Rebatch *r = p->m->rebatch;
  if (r && !r->over && (dim_has(p, a, r->sym) || dim_has(p, b, r->sym)))
    return NULL;
  if ((same = bounded(p, a, b)) || (same = bounded(p, b, a))) return same;
  int x = found(p, a, b), y = found(p, b, a);
  if (x >= 0) return merge(p, x, b);
  if (y >= 0) return merge(p, y, a);
  x = argument(p, a);
  y = argument(p, b);
  if (x >= 0 && y >= 0) {
    bool mx = p->sym[x].made, my = p->sym[y].made;
    if (!proven && !mx && !my) return NULL;
    /* A name that the model gives is kept, else the older one. */
    bool keep_a = mx == my ? x < y : my;
    return keep_a ? merge(p, y, a) : merge(p, x, b);
  }
  if ((same = assumed(p, a, b)) || (same = assumed(p, b, a))) return same;
  if (!proven) return NULL;
  if (x >= 0 && dim_is_int(b, &k) && k >= 0) return merge(p, x, b);
  if (y >= 0 && dim_is_int(a, &k) && k >= 0) return merge(p, y, a);
  return NULL;
}

static void rewrite(DimPool *p, const Dim **dim, int64_t n)
{
  for (int64_t i = 0; dim && i < n; i++)
    if (dim[i]) dim[i] = resolve(p, dim[i]);
}

static void rewrite_value(DimPool *p, Value *v)
{
  int64_t n = 0;
  if (!v) return;
  rewrite(p, v->dim, v->rank);
  if (v->sym && dim_is_int(value_numel(v), &n)) rewrite(p, v->sym, n);
  for (const Type *t = v->declared; t; t = t->elem)
    if (t->rank > 0) rewrite(p, t->dim, t->rank);
}

static void rewrite_graph(DimPool *p, Graph *g)
{
  for (int i = 0; i < g->nin; i++) rewrite_value(p, g->in[i]);
  for (Node *n = g->first; n; n = n->next) {
    rewrite(p, n->size, n->nsize);
    for (int i = 0; i < n->nout; i++) rewrite_value(p, n->out[i]);
    for (int i = 0; i < n->nattr; i++)
      if (n->attr[i].type == AT_GRAPH && n->attr[i].g)
        rewrite_graph(p, n->attr[i].g);
  }
}

void dims_same(DimPool *p, const Dim *const *found, const Dim *const *as, int n)
{
  for (int i = 0; i < n; i++) {
    int s = dim_symbol(found[i]);
    if (found[i] != as[i] && s >= 0 && p->sym[s].kind == SYM_CAPACITY)
      merge(p, s, as[i]);
  }
  dims_settle(p);
}

/* The conditions keep the symbols that were taken for others. */
static void rewrite_equal(DimPool *p)
{
  for (int i = 0; i < p->nmerge; i++) {
    const Merge *m = &p->merge[i];
    for (int k = 0; p->sym[m->sym].kind == SYM_ARG && k < p->nequal; k++) {
      p->equal[k].a = dim_subst(p, p->equal[k].a, m->sym, m->by);
      p->equal[k].b = dim_subst(p, p->equal[k].b, m->sym, m->by);
    }
  }
}

void dims_settle(DimPool *p)
{
  if (!p->nmerge) return;
  rewrite_equal(p);
  rewrite_graph(p, p->m->main);
  for (int i = 0; i < p->nsym; i++) rewrite(p, &p->sym[i].bound, 1);
  for (int i = 0; i < p->njoint; i++) rewrite(p, &p->joint[i].most, 1);
  for (int i = 0; i < p->map.n; i++) {
    struct MapSlot *s = &p->map.slot[i];
    if (!s->len || s->key[0] != 'n') continue;
    /* A name now means what its symbol became. */
    const Dim *d = resolve(p, s->value);
    memcpy(&s->value, &d, sizeof d);
  }
  p->nmerge = 0;
}
