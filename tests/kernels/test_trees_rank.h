/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: trees_rank.h. */
#ifndef O2C_TEST_TREES_RANK_H
#define O2C_TEST_TREES_RANK_H
#include "../../runtime_min/kernels/trees_rank.h"

enum { RANK_LIMITS = 17, RANK_NODES = 9000 };
typedef struct {
  o2c_rank_p p;
  uint32_t node[RANK_NODES], tree[O2C_RANK_TREE * 40], last[RANK_NODES];
  uint32_t test[16 * RANK_NODES];
  int32_t limit[21 + 32 * 20];
  float leaf[8 * 16];
  uint32_t nodes, lasts, tests;
} RankCase;

/* Thresholds -2, -1.75 and so on, the same for each column. */
static float rank_limit(uint32_t k) { return (float)((int)k - 8) / 4; }

static void rank_limits(RankCase *c)
{
  int32_t n = c->p.columns + 1;
  for (int k = 0; k <= c->p.columns; k++) c->limit[k] = n + 32 * k;
  for (int k = 0; k < c->p.columns; k++)
    for (uint32_t i = 0; i < 32; i++)
      c->limit[n++] = i < RANK_LIMITS ? o2c_tree_key(rank_limit(i)) : INT32_MAX;
}

/* A tree of `inner` tests, their children behind all that is there. */
static void rank_grow(RankCase *c, int inner)
{
  const uint32_t from = c->nodes++;
  for (uint32_t i = from; i < c->nodes; i++) {
    const int branch = inner > 0 && (c->nodes == i + 1 || rnd(8));
    c->node[i] = (uint32_t)c->p.columns;
    if (!branch) continue;
    c->node[i] = rnd((uint32_t)c->p.columns) | rnd(RANK_LIMITS) << 8 |
                 (c->p.by_node ? rnd(2) << 16 : 0) | (c->nodes - i) << 20;
    c->nodes += 2;
    inner--;
  }
}

/* Leaves get numbers, first children first; each test its words, for byte
   `byte` of the leaves. */
static void rank_tests(RankCase *c, uint32_t at, uint32_t *leaf, int byte)
{
  const uint32_t m = c->node[at], begin = *leaf;
  uint32_t keep = 255;
  if (!(m >> 20)) {
    c->node[at] = (m & 255) | *leaf << 8;
    ++*leaf;
    return;
  }
  rank_tests(c, at + (m >> 20), leaf, byte);
  for (uint32_t k = begin; k < *leaf; k++)
    if ((int)(k / 8) == byte) keep &= ~(1u << k % 8);
  if (keep != 255)
    c->test[c->tests++] = (m & 255) * O2C_RANK_ROWS | keep << 24 |
                          (((m >> 8 & 255) - 128) & 255) << 16;
  rank_tests(c, at + (m >> 20) + 1, leaf, byte);
}

static void rank_tree(RankCase *c, uint32_t *of, int inner)
{
  uint32_t leaves = 0, n;
  int byte;
  of[0] = c->nodes, of[1] = rnd((uint32_t)c->p.targets);
  of[2] = c->lasts, of[3] = c->tests;
  rank_grow(c, inner);
  rank_tests(c, of[0], &leaves, -1);
  byte = (int)(leaves + 7) / 8;
  c->test[c->tests++] = (uint32_t)byte;
  while (byte-- > 0) {
    const uint32_t at = c->tests++;
    n = 0;
    rank_tests(c, of[0], &n, byte);
    c->test[at] = c->tests - at - 1;
  }
  for (n = 0; n < leaves; n++) {
    const float v = (float)((int)rnd(1000) - 500) / 64;
    memcpy(&c->last[c->lasts], &v, sizeof v);
    if (c->p.wide) c->last[c->lasts] = rnd(8);
    c->lasts++;
  }
}

static void rank_want(const RankCase *c, const float *x, float *y)
{
  for (int t = 0; t < c->p.trees; t++) {
    const uint32_t *of = c->tree + O2C_RANK_TREE * t;
    uint32_t i = of[0], last;
    while (c->node[i] >> 20) {
      const uint32_t m = c->node[i];
      const float v = x[m & 255];
      const int second = v != v ? !(m >> 16 & 1) : v > rank_limit(m >> 8 & 255);
      i += (m >> 20) + (uint32_t)second;
    }
    last = c->last[of[2] + (c->node[i] >> 8)];
    for (int k = 0; k < c->p.targets; k++) {
      float w;
      if (!c->p.wide && k != (int)of[1]) continue;
      memcpy(&w, &last, sizeof w);
      if (c->p.wide) w = c->leaf[last * (uint32_t)c->p.wide + (uint32_t)k];
      y[k] = o2c_tree_take(y[k], w, c->p.kind);
    }
  }
}

static void rank_case(const RankCase *c, int64_t rows)
{
  const o2c_rank_p *p = &c->p;
  const size_t nx = (size_t)(rows * p->columns);
  const size_t ny = (size_t)(rows * p->targets);
  float *x = random_f32(nx), *y = random_f32(ny), *want = alloc_f32(ny);
  uint16_t *row = (uint16_t *)alloc_f32((size_t)O2C_RANK_ROW(p->columns) / 2);
  uint8_t *room = (uint8_t *)alloc_f32((size_t)O2C_RANK_ROOM(p->columns) / 4);
  float *part = alloc_f32((size_t)(O2C_RANK_ROWS * p->wide) + 1);
  uint8_t always[5] = {0}, *is = (uint8_t *)alloc_f32(ny);
  for (int t = 0; t < p->trees; t++)
    for (int k = 0; k < p->targets; k++)
      if (p->wide || k == (int)c->tree[O2C_RANK_TREE * t + 1]) always[k] = 1;
  for (size_t i = 0; i < nx; i++) {
    x[i] = (float)((int)rnd(19) - 9) / 4;
    if (rnd(20) == 0) x[i] = -0.0f;
    if (rnd(300) == 0) x[i] = NAN;
    if (rnd(50) == 0) x[i] = rnd(2) ? INFINITY : -INFINITY;
  }
  for (size_t i = 0; i < ny; i++)
    want[i] = !always[i % (size_t)p->targets] || p->kind == 1 ? 0.0f
            : p->kind == 2 ? INFINITY : -INFINITY;
  o2c_trees_rank(x, c->node, c->tree, c->limit, c->test, c->last, c->leaf,
                 always, y, is, row, room, part, rows, p);
  for (int64_t i = 0; i < rows; i++)
    rank_want(c, x + i * p->columns, want + i * p->targets);
  if (!same(y, want, ny)) fail("trees_rank", "sums differ");
  for (size_t i = 0; i < ny; i++)
    if (is[i] != always[i % (size_t)p->targets]) fail("trees_rank", "presence");
  free(x), free(y), free(want), free(row), free(room), free(is);
  free(part);
}

static void test_o2c_trees_rank(void)
{
  RankCase *c = (RankCase *)calloc(1, sizeof *c);
  if (!c) exit(2);
  for (int run = 0; run < 60; run++) {
    static const int rows[] = {1, 7, 15, 16, 33, 64, 75, 131, 300};
    c->nodes = c->lasts = c->tests = 0;
    c->p = (o2c_rank_p){
      .columns = 1 + (int)rnd(20), .trees = 1 + (int)rnd(40),
      .targets = 1 + (int)rnd(5), .by_node = rnd(2) != 0,
      .kind = 1 + (int)rnd(3)
    };
    if (rnd(3) == 0) c->p.tests = 1000; /* some machines walk then */
    if (rnd(2))
      c->p.wide = rnd(2) ? 16 : c->p.targets > 4 || rnd(2) ? 8 : 4;
    rank_limits(c);
    for (int t = 0; t < c->p.trees; t++)
      rank_tree(c, c->tree + O2C_RANK_TREE * t,
                (int)rnd(run % 3 ? 40 : 100));
    for (int i = 0; i < 8 * 16; i++) c->leaf[i] = (float)rnd(1000) / 64 - 7;
    for (int k = 0; k < 9; k++) rank_case(c, rows[k]);
  }
  free(c);
}
#endif
