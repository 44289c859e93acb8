/* SPDX-License-Identifier: Apache-2.0 */
/* Placement of slots with known sizes and lives in one arena.
 *
 * First fit, in several orders (by size, by size x life, by first use); the
 * smallest result wins, and the search ends as soon as one meets the lower
 * bound, the largest live set.
 */
#include "target.h"

#include <stdlib.h>
#include <string.h>

typedef struct { int index; int64_t key; int first; } Order;

static int by_key(const void *pa, const void *pb)
{
  const Order *a = pa, *b = pb;
  if (a->key != b->key)
    return a->key > b->key ? -1 : 1;
  return a->first != b->first ? (a->first < b->first ? -1 : 1)
                              : (a->index < b->index ? -1 : 1);
}

static bool meet(const Slot *a, const Slot *b)
{
  return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset where slot i fits among the first n placed ones. */
static int64_t fit(const Plan *p, const Order *o, int n, int64_t *offset)
{
  const Slot *s = &p->slot[o[n].index];
  int64_t size = O2C_SLOT_BYTES(s->max), at = 0;
  for (bool moved = true; moved;) {
    moved = false;
    for (int k = 0; k < n; k++) {
      const Slot *t = &p->slot[o[k].index];
      int64_t lo = offset[o[k].index], hi = lo + O2C_SLOT_BYTES(t->max);
      if (meet(s, t) && at < hi && lo < at + size) {
        at = hi;
        moved = true;
      }
    }
  }
  return at;
}

static int64_t place(const Plan *p, Order *o, int64_t *offset)
{
  int64_t end = 0;
  qsort(o, (size_t)p->nslot, sizeof *o, by_key);
  for (int i = 0; i < p->nslot; i++) {
    int64_t at = fit(p, o, i, offset);
    int64_t size = O2C_SLOT_BYTES(p->slot[o[i].index].max);
    offset[o[i].index] = at;
    if (at + size > end)
      end = at + size;
  }
  return end;
}

static int64_t order_key(const Slot *s, int how)
{
  int64_t life = s->last - s->first + 1;
  switch (how) {
  case 0: return s->max;
  case 1: return s->max / 64 * life;
  case 2: return life;
  default: return -s->first;
  }
}

void place_slots(Plan *p)
{
  int n = p->nslot;
  Order *o = NEW(p->a, Order, n + 1);
  int64_t *offset = NEW(p->a, int64_t, n + 1), best = -1;
  for (int how = 0; how < 4 && best != p->arena_bound; how++) {
    for (int i = 0; i < n; i++)
      o[i] = (Order){ i, order_key(&p->slot[i], how), p->slot[i].first };
    int64_t end = place(p, o, offset);
    if (best >= 0 && end >= best)
      continue;
    best = end;
    for (int i = 0; i < n; i++)
      p->slot[i].offset = offset[i];
  }
  p->arena_bytes = best < 0 ? 0 : best;
}
