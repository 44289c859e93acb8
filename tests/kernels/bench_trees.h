/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: trees_f32.h. */
#ifndef O2C_BENCH_TREES_H
#define O2C_BENCH_TREES_H
#include "../../runtime_min/kernels/trees_f32.h"

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
#endif
