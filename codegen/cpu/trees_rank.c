/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of trees_rank.h from the nodes of trees_f32.h: nodes of one word whose
 * thresholds are numbers of their columns', leaves numbered through each tree,
 * first children first, and for each eight leaves the comparisons that can take
 * one away.
 */
#include "cpu.h"

#include <string.h>

#define MOST_LIMITS 255   /* thresholds of a column: ranks are bytes */
#define MOST_LEAVES 2040  /* of a tree: a byte numbers eights of them */
#define MOST_EACH 512     /* on average: above, walking is faster */
#define MOST_RANKING 64   /* comparisons a tree for ranks of a lone row */
#define STRIDE 128        /* O2C_RANK_ROWS */
#define BLOCK_LEVELS 3    /* nodes that stand together: 14, a cache line */

typedef struct { uint32_t column, rank; int begin, end; } Test;

typedef struct {
  const TreeNodes *from;
  TreeRanks *to;
  int32_t *limit;         /* [columns][MOST_LIMITS], in order */
  int *count;             /* of them */
  uint32_t *number;       /* of each leaf of this tree */
  int64_t root;           /* of this tree in from->node */
  Test *test;
  int ntest, leaves;
} Ranker;

typedef struct { int64_t from, to; } Place;

static uint32_t far_of(const Ranker *r, int64_t i)
{
  return r->from->node[2 * i] >> r->from->shift;
}

static uint32_t column_of(const Ranker *r, int64_t i)
{
  return r->from->node[2 * i] & r->from->mask;
}

/* Where the threshold is, or where it belongs. */
static int limit_place(const Ranker *r, uint32_t column, int32_t t)
{
  const int32_t *v = r->limit + (int64_t)column * MOST_LIMITS;
  int lo = 0, hi = r->count[column];
  while (lo < hi) {
    int mid = (lo + hi) / 2;
    if (v[mid] < t) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

static bool find_limits(Ranker *r)
{
  for (int64_t i = 0; i < r->from->nodes; i++) {
    if (!far_of(r, i)) continue;
    uint32_t c = column_of(r, i);
    int32_t t = (int32_t)r->from->node[2 * i + 1];
    int32_t *v = r->limit + (int64_t)c * MOST_LIMITS;
    int at = limit_place(r, c, t);
    if (at < r->count[c] && v[at] == t) continue;
    if (r->count[c] == MOST_LIMITS) return false;
    memmove(v + at + 1, v + at,
            (size_t)(r->count[c]++ - at) * sizeof *v);
    v[at] = t;
  }
  return true;
}

/* Do the tables' limits allow it, and does it pay? */
static bool is_small(const Ranker *r)
{
  const TreeNodes *f = r->from;
  int64_t compares = 0;
  if (f->nodes > (int64_t)2 * MOST_EACH * f->trees) return false;
  for (int t = 0; t < f->trees; t++) {
    int64_t end = t + 1 < f->trees ? f->tree[2 * t + 2] : f->nodes;
    if (end - f->tree[2 * t] > 2 * MOST_LEAVES - 1) return false;
  }
  for (uint32_t c = 0; c < f->columns; c++) compares += 8 + r->count[c];
  return compares <= (int64_t)MOST_RANKING * f->trees;
}

/* Where each column's thresholds begin, then all of them, by sixteens. */
static void put_limits(Ranker *r)
{
  TreeRanks *to = r->to;
  int64_t n = r->from->columns + 1;
  for (uint32_t c = 0; c < r->from->columns; c++)
    n += (r->count[c] + 15) / 16 * 16;
  to->limit = NEW(r->from->a, int32_t, n);
  to->limits = n;
  n = r->from->columns + 1;
  for (uint32_t c = 0; c < r->from->columns; c++) {
    to->limit[c] = (int32_t)n;
    for (int k = 0; k < (r->count[c] + 15) / 16 * 16; k++)
      to->limit[n++] = k < r->count[c]
                     ? r->limit[(int64_t)c * MOST_LIMITS + k] : INT32_MAX;
  }
  to->limit[r->from->columns] = (int32_t)n;
}

/* Numbers the leaves below a node and lists its tests. */
static void walk(Ranker *r, int64_t i)
{
  if (!far_of(r, i)) {
    r->number[i - r->root] = (uint32_t)r->leaves++;
    r->to->last[r->to->lasts++] = r->from->node[2 * i + 1];
    return;
  }
  uint32_t c = column_of(r, i);
  Test *t = &r->test[r->ntest++];
  *t = (Test){c, (uint32_t)limit_place(r, c, (int32_t)r->from->node[2 * i + 1]),
              r->leaves, 0};
  walk(r, i + far_of(r, i));
  t->end = r->leaves;
  walk(r, i + far_of(r, i) + 1);
}

static uint32_t test_word(const Test *t, int byte)
{
  int from = t->begin - 8 * byte, to = t->end - 8 * byte;
  uint32_t below = from > 0 ? (1u << from) - 1 : 0;
  uint32_t above = to < 8 ? 255u << to & 255u : 0;
  return t->column * STRIDE | ((t->rank - 128) & 255u) << 16 |
         (below | above) << 24;
}

static void put_tests(Ranker *r)
{
  int bytes = (r->leaves + 7) / 8;
  int64_t at[(MOST_LEAVES + 7) / 8 + 1] = {0};
  uint32_t *to = r->to->test + r->to->tests;
  for (const Test *t = r->test; t < r->test + r->ntest; t++)
    for (int b = t->begin / 8; b <= (t->end - 1) / 8; b++) at[b]++;
  int64_t n = 0;
  to[n++] = (uint32_t)bytes;
  for (int b = bytes; b-- > 0;) {
    int64_t count = at[b];
    to[n++] = (uint32_t)count;
    at[b] = n;
    n += count;
  }
  for (const Test *t = r->test; t < r->test + r->ntest; t++)
    for (int b = t->begin / 8; b <= (t->end - 1) / 8; b++)
      to[at[b]++] = test_word(t, b);
  r->to->tests += n;
}

static int64_t tests_of(const Ranker *r)
{
  int64_t n = 1 + (r->leaves + 7) / 8;
  for (const Test *t = r->test; t < r->test + r->ntest; t++)
    n += (t->end - 1) / 8 - t->begin / 8 + 1;
  return n;
}

/* A node; where it has children, they go to the end. */
static void put_node(Ranker *r, Place at, Place *next, int *count)
{
  const TreeNodes *f = r->from;
  uint32_t m = f->node[2 * at.from], c = m & f->mask;
  uint32_t *to = &r->to->node[at.to];
  if (!far_of(r, at.from)) {
    *to = f->columns | r->number[at.from - r->root] << 8;
    return;
  }
  int64_t pair = r->to->nodes;
  *to = c | (uint32_t)limit_place(r, c, (int32_t)f->node[2 * at.from + 1]) << 8
      | (m >> (f->shift - 2) & 1) << 16 | (uint32_t)(pair - at.to) << 20;
  r->to->nodes += 2;
  for (int k = 0; k < 2; k++)
    next[(*count)++] = (Place){at.from + far_of(r, at.from) + k, pair + k};
}

static void put_below(Ranker *r, Place root)
{
  Place level[2][1 << BLOCK_LEVELS] = {{root}};
  int count = 1, now = 0;
  for (int k = 0; k < BLOCK_LEVELS; k++, now = !now) {
    int more = 0;
    for (int i = 0; i < count; i++)
      put_node(r, level[now][i], level[!now], &more);
    count = more;
  }
  for (int i = 0; i < count; i++) put_below(r, level[now][i]);
}

static bool grow_tests(Ranker *r, int64_t *room)
{
  int64_t wanted = r->to->tests + tests_of(r);
  if (wanted > INT32_MAX) return false;
  if (wanted <= *room) return true;
  int64_t more = 2 * wanted;
  uint32_t *to = NEW(r->from->a, uint32_t, more);
  if (r->to->tests)
    memcpy(to, r->to->test, (size_t)r->to->tests * sizeof *to);
  r->to->test = to;
  *room = more;
  return true;
}

bool trees_rank(const TreeNodes *f, TreeRanks *to)
{
  Ranker r = {.from = f, .to = to};
  int64_t room = 0;
  *to = (TreeRanks){0};
  if (f->columns > 255) return false;
  r.limit = NEW(f->a, int32_t, (int64_t)f->columns * MOST_LIMITS);
  r.count = NEW(f->a, int, f->columns);
  if (!find_limits(&r) || !is_small(&r)) return false;
  put_limits(&r);
  to->node = NEW(f->a, uint32_t, f->nodes);
  to->last = NEW(f->a, uint32_t, f->nodes);
  to->tree = NEW(f->a, uint32_t, 4 * f->trees);
  r.number = NEW(f->a, uint32_t, 2 * MOST_LEAVES);
  r.test = NEW(f->a, Test, MOST_LEAVES);
  for (int t = 0; t < f->trees; t++) {
    uint32_t *of = to->tree + 4 * t;
    r.root = f->tree[2 * t];
    r.leaves = r.ntest = 0;
    of[0] = (uint32_t)to->nodes;
    of[1] = f->tree[2 * t + 1];
    of[2] = (uint32_t)to->lasts;
    of[3] = (uint32_t)to->tests;
    walk(&r, r.root);
    if (!grow_tests(&r, &room)) return false;
    put_tests(&r);
    put_below(&r, (Place){r.root, to->nodes++});
  }
  return true;
}
