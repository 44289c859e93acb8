/* SPDX-License-Identifier: Apache-2.0 */
/* Placement of slots with known sizes and lives in one arena.
 *
 * First fit in several orders (by size, by size x life, by life, by first
 * use), of which the smallest arena wins. Where none meets the lower bound,
 * the largest live set, first fit goes on with orders that learn from what
 * did not fit; and in the end a search by branch and bound looks for the
 * bound itself, then for sizes between it and the best one.
 *
 * The search places slots bottom up. In some best arena every slot rests on
 * the bottom or on one that it meets in time; taken in order of their offsets,
 * each stands at the highest end of those before it that it meets. So an arena
 * is an order of the slots, and one step of the search chooses the next:
 *   - no lower than the one before;
 *   - below the end of every other that could stand lower, else that one fits
 *     in first at no cost;
 *   - at no step of the program may what is placed there and what is still to
 *     be placed above it exceed the size sought.
 * All of it gives up after a number of comparisons, never after a time, so
 * that the same model always gets the same arena.
 */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#define SEARCH_WORK 30000000 /* comparisons for one size sought */
#define URGE_ROUNDS 300
#define URGE_WORK 300000000
#define SEARCH_SLOTS 800     /* more than this: first fit alone */

typedef struct { int index; int64_t key; int first; } Order;
typedef struct {
  Order *order;
  int *low;         /* slots placed, by offset */
  int64_t *offset;
} FirstFit;

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

static int64_t slot_bytes(const Plan *p, int i)
{
  return O2C_SLOT_BYTES(p->slot[i].max);
}

/* The lowest offset where slot i fits among the first n of f->low; *rank: where
 * it comes in that order. */
static int64_t fit(const Plan *p, const FirstFit *f, int i, int n, int *rank)
{
  const int *low = f->low;
  const int64_t *offset = f->offset;
  int64_t at = 0, size = slot_bytes(p, i);
  for (int k = 0; k < n; k++) {
    int64_t lo = offset[low[k]], hi = lo + slot_bytes(p, low[k]);
    if (hi <= at || !meet(&p->slot[i], &p->slot[low[k]]))
      continue;
    if (lo >= at + size)
      break;
    at = hi;
  }
  for (*rank = n; *rank > 0 && offset[low[*rank - 1]] > at;)
    --*rank;
  return at;
}

/* All slots in the order of their keys; returns the arena's size. */
static int64_t place(const Plan *p, FirstFit *f)
{
  int64_t end = 0;
  int rank;
  qsort(f->order, (size_t)p->nslot, sizeof *f->order, by_key);
  for (int n = 0; n < p->nslot; n++) {
    int i = f->order[n].index;
    f->offset[i] = fit(p, f, i, n, &rank);
    memmove(f->low + rank + 1, f->low + rank,
            sizeof *f->low * (size_t)(n - rank));
    f->low[rank] = i;
    if (f->offset[i] + slot_bytes(p, i) > end)
      end = f->offset[i] + slot_bytes(p, i);
  }
  return end;
}

/* Keeps this arena if it is the best so far. */
static void take(Plan *p, const FirstFit *f, int64_t end)
{
  if (p->arena_bytes >= 0 && end >= p->arena_bytes)
    return;
  p->arena_bytes = end;
  for (int i = 0; i < p->nslot; i++)
    p->slot[i].offset = f->offset[i];
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

static void first_fit(Plan *p, FirstFit *f)
{
  for (int how = 0; how < 4 && p->arena_bytes != p->arena_bound; how++) {
    for (int i = 0; i < p->nslot; i++)
      f->order[i] = (Order){ i, order_key(&p->slot[i], how),
                             p->slot[i].first };
    take(p, f, place(p, f));
  }
}

/* First fit again and again: what ended above the bound comes earlier the next
 * time, since what comes late has no room. */
static void urge(Plan *p, FirstFit *f)
{
  int n = p->nslot;
  int64_t most = URGE_WORK / ((int64_t)n * n + 1);
  int rounds = most < URGE_ROUNDS ? (int)most : URGE_ROUNDS;
  int64_t *key = NEW(p->a, int64_t, n + 1);
  for (int i = 0; i < n; i++)
    key[i] = p->slot[i].max;
  for (int t = 0; t < rounds && p->arena_bytes > p->arena_bound; t++) {
    for (int i = 0; i < n; i++)
      f->order[i] = (Order){ i, key[i], p->slot[i].first };
    take(p, f, place(p, f));
    for (int i = 0; i < n; i++)
      if (f->offset[i] + slot_bytes(p, i) > p->arena_bound)
        key[i] += p->slot[i].max / 4 + 64;
  }
}

typedef struct Saved { int64_t *offset, *top; Order *o; } Saved;
typedef struct {
  const Plan *p;
  int64_t want;     /* bytes: no slot may end above */
  int64_t *offset;  /* of placed slots, else where one would stand now */
  bool *placed;
  int64_t *rest;    /* by step: bytes of slots not placed yet */
  int64_t *top;     /* by step: the end of what is placed */
  int64_t work;     /* comparisons left */
  Saved *saved;     /* by depth */
} Search;

typedef enum { FOUND, NONE, TIRED } Answer;

static int64_t end_of(const Search *s, int i)
{
  return s->offset[i] + slot_bytes(s->p, i);
}

/* Is there room at every step for all that must still come there, at
 * `least` or higher? */
static bool has_room(const Search *s, int64_t least)
{
  for (int k = 0; k < s->p->nstep; k++)
    if (s->rest[k] > 0 &&
        (s->top[k] > least ? s->top[k] : least) + s->rest[k] > s->want)
      return false;
  return true;
}

static void count_rest(Search *s, int i, int64_t sign)
{
  const Slot *x = &s->p->slot[i];
  for (int k = x->first; k <= x->last; k++)
    s->rest[k] += sign * slot_bytes(s->p, i);
}

/* Puts slot i down, and lifts those that it meets; false: no room is left. */
static bool put_slot(Search *s, int i, Saved *was)
{
  const Plan *p = s->p;
  const Slot *x = &p->slot[i];
  memcpy(was->offset, s->offset, sizeof *s->offset * (size_t)p->nslot);
  memcpy(was->top, s->top, sizeof *s->top * (size_t)p->nstep);
  s->work -= p->nslot + p->nstep;
  s->placed[i] = true;
  count_rest(s, i, -1);
  for (int k = x->first; k <= x->last; k++)
    s->top[k] = end_of(s, i);
  for (int k = 0; k < p->nslot; k++) {
    if (s->placed[k])
      continue;
    if (meet(x, &p->slot[k]) && s->offset[k] < end_of(s, i))
      s->offset[k] = end_of(s, i);
    else if (s->offset[k] < s->offset[i])
      s->offset[k] = s->offset[i];
    if (end_of(s, k) > s->want)
      return false;
  }
  return has_room(s, s->offset[i]);
}

static void take_slot(Search *s, int i, const Saved *was)
{
  memcpy(s->offset, was->offset, sizeof *s->offset * (size_t)s->p->nslot);
  memcpy(s->top, was->top, sizeof *s->top * (size_t)s->p->nstep);
  s->placed[i] = false;
  count_rest(s, i, 1);
}

/* Those that may come next, lowest first, then by how much they block. */
static int candidates(const Search *s, Order *o)
{
  const Plan *p = s->p;
  int64_t least = INT64_MAX;
  int n = 0;
  for (int i = 0; i < p->nslot; i++)
    if (!s->placed[i] && end_of(s, i) < least)
      least = end_of(s, i);
  for (int i = 0; i < p->nslot; i++) {
    const Slot *x = &p->slot[i];
    if (s->placed[i] || s->offset[i] >= least)
      continue;
    o[n++] = (Order){ i, -s->offset[i], x->first - x->last };
  }
  qsort(o, (size_t)n, sizeof *o, by_key);
  return n;
}

static Answer search(Search *s, int left)
{
  const Plan *p = s->p;
  if (!left)
    return FOUND;
  if (s->work <= 0)
    return TIRED;
  Saved *was = &s->saved[left];
  if (!was->o) {
    was->offset = NEW(p->a, int64_t, p->nslot);
    was->top = NEW(p->a, int64_t, p->nstep);
    was->o = NEW(p->a, Order, p->nslot);
  }
  int n = candidates(s, was->o);
  s->work -= 2 * p->nslot;
  Answer answer = NONE;
  for (int i = 0; i < n && answer == NONE; i++) {
    int next = was->o[i].index;
    if (put_slot(s, next, was))
      answer = search(s, left - 1);
    if (answer != FOUND)
      take_slot(s, next, was);
  }
  return answer;
}

/* Looks for an arena of `want` bytes; offsets go into the slots if found. */
static Answer look_for(Plan *p, Search *s, int64_t want)
{
  size_t n = (size_t)p->nslot;
  s->want = want;
  s->work = SEARCH_WORK;
  memset(s->placed, 0, sizeof *s->placed * n);
  memset(s->offset, 0, sizeof *s->offset * n);
  memset(s->rest, 0, sizeof *s->rest * (size_t)p->nstep);
  memset(s->top, 0, sizeof *s->top * (size_t)p->nstep);
  for (int i = 0; i < p->nslot; i++)
    count_rest(s, i, 1);
  Answer answer = search(s, p->nslot);
  for (int i = 0; answer == FOUND && i < p->nslot; i++)
    p->slot[i].offset = s->offset[i];
  return answer;
}

static int64_t arena_end(const Plan *p)
{
  int64_t end = 0;
  for (int i = 0; i < p->nslot; i++)
    if (p->slot[i].offset + slot_bytes(p, i) > end)
      end = p->slot[i].offset + slot_bytes(p, i);
  return end;
}

/* By bisection: an arena that can be is no smaller than one that can't. */
static void bisect(Plan *p)
{
  Search s = { .p = p,
               .offset = NEW(p->a, int64_t, p->nslot + 1),
               .placed = NEW(p->a, bool, p->nslot + 1),
               .rest = NEW(p->a, int64_t, p->nstep + 1),
               .top = NEW(p->a, int64_t, p->nstep + 1),
               .saved = NEW(p->a, Saved, p->nslot + 1) };
  int64_t low = p->arena_bound, want = low;
  while (low < p->arena_bytes) {
    if (look_for(p, &s, want) == FOUND)
      p->arena_bytes = arena_end(p);
    else
      low = want + 64;
    want = low + (p->arena_bytes - low) / 128 * 64;
  }
}

void place_slots(Plan *p)
{
  FirstFit f = { NEW(p->a, Order, p->nslot + 1), NEW(p->a, int, p->nslot + 1),
                 NEW(p->a, int64_t, p->nslot + 1) };
  p->arena_bytes = p->nslot ? -1 : 0;
  first_fit(p, &f);
  urge(p, &f);
  if (p->nslot <= SEARCH_SLOTS)
    bisect(p);
}
