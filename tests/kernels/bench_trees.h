/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: trees_f32.h, trees_rank.h. */
#ifndef O2C_BENCH_TREES_H
#define O2C_BENCH_TREES_H
#include "../../runtime_min/kernels/trees_rank.h"

enum { FOREST_TREES = 100, FOREST_LEAVES = 64, FOREST_ROWS = 64 };
typedef struct {
  float *x, *y;
  uint32_t node[2 * FOREST_TREES * 2 * FOREST_LEAVES], tree[2 * FOREST_TREES];
  int32_t key[O2C_TREES_ROOM(30)];
  uint8_t is[FOREST_ROWS];
  int rows;
} BenchForest;

static void run_trees(void *arg)
{
  static const o2c_trees_p p = {30, FOREST_TREES, 1, 255, 10, 0, 0, 1, 0, 0};
  static const uint8_t always[1] = {1};
  BenchForest *f = (BenchForest *)arg;
  o2c_trees_f32(f->x, f->node, f->tree, NULL, always, f->y, f->is, f->key,
                NULL, NULL, f->rows, &p);
}

/* A hundred complete trees of depth 6; billions of comparisons a second. */
static void bench_o2c_trees_f32(void)
{
  static BenchForest f;
  f.x = floats(30 * FOREST_ROWS);
  f.y = floats(FOREST_ROWS);
  for (int t = 0; t < FOREST_TREES; t++) {
    uint32_t *node = f.node + 4 * FOREST_LEAVES * t;
    f.tree[2 * t] = (uint32_t)(2 * FOREST_LEAVES * t);
    for (uint32_t i = 0; i < 2 * FOREST_LEAVES - 1; i++) {
      const uint32_t far = i < FOREST_LEAVES - 1 ? i + 1 : 0;
      node[2 * i] = far << 10 | (far ? (i * 7 + (uint32_t)t) % 30 : 30);
      node[2 * i + 1] = (uint32_t)o2c_tree_key(f.x[(i * 31 + t) % 1920]);
    }
  }
  for (f.rows = 1; f.rows <= FOREST_ROWS; f.rows += FOREST_ROWS - 1) {
    const Job job = {run_trees, &f, 600.0 * f.rows, "Gcompare/s"};
    char text[64];
    snprintf(text, sizeof text, "trees, rows %d", f.rows);
    if (strstr(text, only))
      report(text, &job);
  }
}

enum { RANK_TREES = 100, RANK_LEAVES = 256, RANK_ROWS = 128 };
typedef struct {
  float *x, *y;
  uint32_t node[RANK_TREES * (2 * RANK_LEAVES - 1)];
  uint32_t tree[O2C_RANK_TREE * RANK_TREES], last[RANK_TREES * RANK_LEAVES];
  uint32_t test[RANK_TREES * RANK_LEAVES * 4];
  int32_t limit[31 + 30 * 240];
  uint16_t row[O2C_RANK_ROW(30)];
  uint8_t room[O2C_RANK_ROOM(30)], is[RANK_ROWS];
  int rows;
} BenchRanks;

static void run_ranks(void *arg)
{
  static const o2c_rank_p p = {30, RANK_TREES, 1, 0, 1, 0, 0};
  static const uint8_t always[1] = {1};
  BenchRanks *f = (BenchRanks *)arg;
  o2c_trees_rank(f->x, f->node, f->tree, f->limit, f->test, f->last, NULL,
                 always, f->y, f->is, f->row, f->room, NULL, f->rows, &p);
}

/* Tests of a complete tree for leaves 8 * byte to 8 * byte + 7: of those above
   whose first child has them all, and of the seven among them. */
static uint32_t byte_tests(uint32_t *to, const uint32_t *node, uint32_t byte)
{
  static const uint32_t keep[8] = {0, 0xf0, 0xfc, 0xcf, 0xfe, 0xfb, 0xef, 0xbf};
  uint32_t n = 0;
  for (uint32_t i = 1; i < RANK_LEAVES; i++) {
    int level = 0;
    while (i >> (level + 1)) level++;
    const uint32_t m = node[i - 1], at = i - (1u << level);
    const int above = level < 5;
    if (above && (byte >> (5 - level) != at || byte >> (4 - level) & 1))
      continue;
    if (!above && at >> (level - 5) != byte) continue;
    to[++n] = (m & 255) * O2C_RANK_ROWS | ((m >> 8) - 128 & 255) << 16 |
              keep[above ? 0 : i & ((1u << (level - 5)) - 1)
                                  | 1u << (level - 5)] << 24;
  }
  to[0] = n;
  return n + 1;
}

/* A hundred complete trees of depth 8; billions of levels a second. */
static void bench_o2c_trees_rank(void)
{
  static BenchRanks f;
  uint32_t tests = 0;
  f.x = floats(30 * RANK_ROWS);
  f.y = floats(RANK_ROWS);
  for (int k = 0; k <= 30; k++) f.limit[k] = 31 + 240 * k;
  for (int i = 31; i < 31 + 30 * 240; i++)
    f.limit[i] = o2c_tree_key((float)((i - 31) % 240 - 120) / 120);
  for (uint32_t t = 0; t < RANK_TREES; t++) {
    uint32_t *node = f.node + (2 * RANK_LEAVES - 1) * t;
    const uint32_t tree[] = {(2 * RANK_LEAVES - 1) * t, 0, RANK_LEAVES * t,
                             tests};
    memcpy(f.tree + O2C_RANK_TREE * t, tree, sizeof tree);
    for (uint32_t i = 0; i < 2 * RANK_LEAVES - 1; i++)
      node[i] = i < RANK_LEAVES - 1
              ? (i + 1) << 20 | (i * 31 + t) % 240 << 8 | (i * 7 + t) % 30
              : 30 | (i + 1 - RANK_LEAVES) << 8;
    f.test[tests++] = RANK_LEAVES / 8;
    for (uint32_t byte = RANK_LEAVES / 8; byte-- > 0;)
      tests += byte_tests(f.test + tests, node, byte);
  }
  for (f.rows = 1; f.rows <= RANK_ROWS; f.rows += RANK_ROWS - 1) {
    const Job job = {run_ranks, &f, 8.0 * RANK_TREES * f.rows, "Glevel/s"};
    char text[64];
    snprintf(text, sizeof text, "trees by ranks, rows %d", f.rows);
    if (strstr(text, only)) report(text, &job);
  }
}
#endif
