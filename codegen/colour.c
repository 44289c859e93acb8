/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of tensors whose sizes only the run tells.
 *
 * Two ways, of which the one with less memory where all dimensions are 64 is
 * taken. Colouring: tensors whose lives do not meet share a slot, which is as
 * large as the largest of them. Proportion: sizes that are multiples of one
 * size, as all activations of a transformer are of its tokens, are placed by
 * their factors as constant sizes are (place.c), in one slot that is as large
 * as what comes out, times that size; the rest is coloured.
 */
#include "target.h"

#include <string.h>

enum { TYPICAL = 64, FEWEST = 3 };

typedef struct {
  Slot *slot;         /* shared by those that are not in the group */
  int n;
  int *to;            /* for each slot of the plan, its number here */
} Colours;
typedef struct {
  const Dim *unit;    /* the size that all are multiples of */
  bool *in;           /* for each slot of the plan */
  int *member;        /* their numbers in the plan */
  int n;
  Plan place;         /* their factors as constant sizes */
} Group;

/* a <= b for all values of the symbols, as far as that can be proven. */
static bool at_most(DimPool *d, const Dim *a, const Dim *b)
{
  return a == b || dim_nonneg(d, dim_sub(d, b, a));
}

/* The slot must hold `bytes` too. */
static void slot_add(Plan *p, Slot *s, const Dim *bytes)
{
  DimPool *d = &p->m->dims;
  for (int i = 0; i < s->nbytes; i++)
    if (at_most(d, bytes, s->bytes[i]))
      return;
  int kept = 0;
  for (int i = 0; i < s->nbytes; i++)
    if (!at_most(d, s->bytes[i], bytes))
      s->bytes[kept++] = s->bytes[i];
  s->bytes = arena_grow(p->a, s->bytes, kept, sizeof *s->bytes);
  s->bytes[kept] = bytes;
  s->nbytes = kept + 1;
}

/* How well a tensor fits a free slot: 2 fits in, 1 comparable, 0 neither. */
static int fitness(Plan *p, const Slot *s, const Dim *bytes)
{
  DimPool *d = &p->m->dims;
  int best = 0;
  for (int i = 0; i < s->nbytes; i++) {
    if (at_most(d, bytes, s->bytes[i]))
      return 2;
    if (at_most(d, s->bytes[i], bytes))
      best = 1;
  }
  return best;
}

/* A slot that is large enough comes first. */
static int best_colour(Plan *p, const Colours *c, const Slot *s)
{
  int best = -1, good = -1;
  for (int k = 0; k < c->n; k++) {
    if (c->slot[k].last >= s->first || c->slot[k].device != s->device)
      continue;
    int fit = fitness(p, &c->slot[k], s->bytes[0]);
    if (fit > good) {
      good = fit;
      best = k;
    }
  }
  return best;
}

static Colours colour(Plan *p, const bool *skip)
{
  Colours c = { NEW(p->a, Slot, p->nslot + 1), 0, NEW(p->a, int, p->nslot + 1)
  };
  for (int i = 0; i < p->nslot; i++) {
    const Slot *s = &p->slot[i];
    if (skip && skip[i])
      continue;
    int k = best_colour(p, &c, s);
    if (k < 0) {
      k = c.n++;
      c.slot[k] = *s;
      c.slot[k].bytes = NEW(p->a, const Dim *, 1);
      c.slot[k].bytes[0] = s->bytes[0];
    } else {
      slot_add(p, &c.slot[k], s->bytes[0]);
      c.slot[k].last = s->last;
    }
    c.to[i] = k;
  }
  return c;
}

/* How many `unit`s a slot takes, or 0. Alignment stays where that is a multiple
 * of 64. Blocks have a sample at least, so what has no batch fits in, too. */
static int64_t factor(Plan *p, const Slot *s, const Dim *unit)
{
  DimPool *d = &p->m->dims;
  int64_t k = dim_content(s->bytes[0]);
  if (k <= 0 || k % 64 || s->device)
    return 0;
  const Dim *own = dim_div_exact(d, s->bytes[0], dim_int(d, k));
  bool fits = own == unit ||
              (p->block > 1 && dim_mul(d, own, dim_sym(d, p->batch)) == unit);
  return fits ? k : 0;
}

/* The size whose multiples are the most bytes. */
static const Dim *common_unit(Plan *p)
{
  DimPool *d = &p->m->dims;
  const Dim **unit = NEW(p->a, const Dim *, p->nslot + 1), *best = NULL;
  int64_t most = 0;
  for (int i = 0; i < p->nslot; i++) {
    int64_t k = dim_content(p->slot[i].bytes[0]);
    if (k > 0 && k % 64 == 0 && !p->slot[i].device)
      unit[i] = dim_div_exact(d, p->slot[i].bytes[0], dim_int(d, k));
  }
  for (int i = 0; i < p->nslot; i++) {
    int64_t sum = 0;
    for (int k = 0; unit[i] && k < p->nslot; k++)
      sum += factor(p, &p->slot[k], unit[i]);
    if (sum > most) {
      most = sum;
      best = unit[i];
    }
  }
  return best;
}

static bool find_group(Plan *p, Group *g)
{
  *g = (Group){ .unit = common_unit(p), .in = NEW(p->a, bool, p->nslot + 1),
                .member = NEW(p->a, int, p->nslot + 1), .place = *p };
  int64_t v;
  if (!g->unit || dim_is_int(g->unit, &v))
    return false;
  g->place.slot = NEW(p->a, Slot, p->nslot + 1);
  g->place.arena_bound = 0;
  for (int i = 0; i < p->nslot; i++) {
    const Slot *s = &p->slot[i];
    int64_t k = factor(p, s, g->unit);
    if (!k)
      continue;
    g->in[i] = true;
    g->place.slot[g->n] = (Slot){ .max = k, .first = s->first,
                                  .last = s->last };
    g->member[g->n++] = i;
  }
  g->place.nslot = g->n;
  return g->n >= FEWEST;
}

/* Bytes where every dimension is TYPICAL. */
static double typical(Plan *p, const Colours *c, const Dim *more)
{
  DimPool *d = &p->m->dims;
  int64_t *sym = NEW(p->a, int64_t, d->nsym + 1);
  for (int i = 0; i < d->nsym; i++)
    sym[i] = TYPICAL;
  double sum = more ? (double)dim_eval(d, more, sym) : 0;
  for (int i = 0; i < c->n; i++) {
    int64_t most = 0;
    for (int k = 0; k < c->slot[i].nbytes; k++) {
      int64_t bytes = dim_eval(d, c->slot[i].bytes[k], sym);
      most = bytes > most ? bytes : most;
    }
    sum += (double)most;
  }
  return sum;
}

/* The slot of the whole group, and its members within. */
static void add_group(Plan *p, const Group *g, const Dim *bytes, Colours *c)
{
  int whole = c->n++;
  Slot *all = NEW(p->a, Slot, c->n + g->n);
  memcpy(all, c->slot, (size_t)whole * sizeof *all);
  c->slot = all;
  c->slot[whole] = (Slot){ .nbytes = 1, .first = 0, .last = p->nstep - 1 };
  c->slot[whole].bytes = NEW(p->a, const Dim *, 1);
  c->slot[whole].bytes[0] = bytes;
  for (int i = 0; i < g->n; i++) {
    Slot *s = &c->slot[c->n];
    *s = g->place.slot[i];
    s->unit = g->unit;
    s->whole = whole;
    c->to[g->member[i]] = c->n++;
  }
}

static void take(Plan *p, const Colours *c)
{
  for (int i = 0; i < p->m->nvalue; i++)
    if (p->store[i].kind == ST_ARENA)
      p->store[i].index = c->to[p->store[i].index];
  for (Step *s = p->first; s; s = s->next)
    for (int i = 0; i < s->nptr; i++)
      if (s->ptr[i].kind == SP_SCRATCH)
        s->ptr[i].slot = c->to[s->ptr[i].slot];
  p->slot = c->slot;
  p->nslot = c->n;
}

void share_slots(Plan *p)
{
  DimPool *d = &p->m->dims;
  Group g;
  Colours plain = colour(p, NULL);
  if (find_group(p, &g)) {
    plan_bound(&g.place);
    place_slots(&g.place);
    const Dim *bytes = dim_mul(d, g.unit, dim_int(d, g.place.arena_bytes));
    Colours rest = colour(p, g.in);
    if (typical(p, &rest, bytes) < typical(p, &plain, NULL)) {
      add_group(p, &g, bytes, &rest);
      take(p, &rest);
      return;
    }
  }
  take(p, &plain);
}
