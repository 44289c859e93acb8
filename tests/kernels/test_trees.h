/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: trees_f32.h. */
#ifndef O2C_TEST_TREES_H
#define O2C_TEST_TREES_H
#include "../../runtime_min/kernels/trees_f32.h"

enum { TREE_NODES = 4000 };
typedef struct {
  o2c_trees_p p;
  uint32_t node[2 * TREE_NODES], tree[2 * 40];
  float limit[TREE_NODES];  /* thresholds as floats */
  uint8_t flags[TREE_NODES]; /* 1 NaN to the first, 2 ==, 4 a leaf */
  float leaf[8 * 5], value[32 * 40];
  uint32_t test[41 + 3 * TREE_NODES], tests;
  int nodes;
} TreeCase;

/* A tree whose children stand behind all that is there. */
static void grow(TreeCase *c, int most)
{
  const int from = c->nodes++;
  for (int i = from; i < c->nodes; i++) {
    const uint32_t distance = (uint32_t)(c->nodes - i);
    const int inner = c->nodes + 2 <= from + most && (i == from || rnd(8));
    const float v = (float)((int)rnd(17) - 8) / 4;
    c->flags[i] = inner ? 0 : 4;
    c->limit[i] = v;
    if (inner) {
      c->flags[i] = (uint8_t)((c->p.by_node && rnd(2) ? 1 : 0) |
                              (c->p.equal && rnd(4) == 0 ? 2 : 0));
      c->node[2 * i] = distance << c->p.shift | rnd((uint32_t)c->p.columns) |
                       (uint32_t)(c->flags[i] & 1) << (c->p.shift - 2) |
                       (uint32_t)(c->flags[i] >> 1) << (c->p.shift - 1);
      c->node[2 * i + 1] = (uint32_t)o2c_tree_key(v);
      c->nodes += 2;
      continue;
    }
    c->node[2 * i] = (uint32_t)c->p.columns;
    c->node[2 * i + 1] = rnd(8);
    if (!c->p.wide) memcpy(&c->node[2 * i + 1], &v, sizeof v);
  }
}

static void tree_want(const TreeCase *c, const float *x, float *y)
{
  for (int t = 0; t < c->p.trees; t++) {
    uint32_t i = c->tree[2 * t];
    while (!(c->flags[i] & 4)) {
      const uint32_t m = c->node[2 * i];
      const float v = x[m & c->p.mask], l = c->limit[i];
      const int second = v != v ? !(c->flags[i] & 1)
                                : c->flags[i] & 2 ? v != l : v > l;
      i += (m >> c->p.shift) + (uint32_t)second;
    }
    for (int k = 0; k < c->p.targets; k++) {
      float w;
      if (!c->p.wide && k != (int)c->tree[2 * t + 1]) continue;
      memcpy(&w, &c->node[2 * i + 1], sizeof w);
      if (c->p.wide)
        w = c->leaf[c->node[2 * i + 1] * (uint32_t)c->p.targets + (uint32_t)k];
      if (c->p.kind == 1) y[k] += w;
      else if (c->p.kind == 2 ? w < y[k] : w > y[k]) y[k] = w;
    }
  }
}

/* The lists of small trees. */
static void small_tree(TreeCase *c, uint32_t at, uint32_t *leaf, float *value)
{
  const uint32_t m = c->node[2 * at], begin = *leaf;
  uint32_t *test = c->test + c->tests;
  if (!(m >> c->p.shift)) {
    memcpy(&value[(*leaf)++], &c->node[2 * at + 1], sizeof *value);
    return;
  }
  c->tests += 3;
  small_tree(c, at + (m >> c->p.shift), leaf, value);
  test[0] = m & c->p.mask;
  test[1] = c->node[2 * at + 1];
  test[2] = ~0u;
  for (uint32_t k = begin; k < *leaf; k++) test[2] &= ~(1u << k);
  small_tree(c, at + (m >> c->p.shift) + 1, leaf, value);
}

static void small_trees(TreeCase *c)
{
  c->tests = (uint32_t)c->p.trees + 1;
  for (int t = 0; t < c->p.trees; t++) {
    uint32_t leaf = 0;
    c->test[t] = c->tests;
    small_tree(c, c->tree[2 * t], &leaf, c->value + 32 * t);
  }
  c->test[c->p.trees] = c->tests;
}

static void tree_case(TreeCase *c, int64_t rows)
{
  const o2c_trees_p *p = &c->p;
  const size_t nx = (size_t)(rows * p->columns);
  const size_t ny = (size_t)(rows * p->targets);
  float *x = random_f32(nx), *y = random_f32(ny), *want = alloc_f32(ny);
  int32_t *key = (int32_t *)alloc_f32((size_t)O2C_TREES_ROOM(p->columns));
  float *part = alloc_f32((size_t)(16 * p->targets));
  uint8_t always[5] = {0}, *is = (uint8_t *)alloc_f32(ny);
  for (int t = 0; t < p->trees; t++)
    for (int k = 0; k < p->targets; k++)
      if (p->wide || k == (int)c->tree[2 * t + 1]) always[k] = 1;
  for (size_t i = 0; i < nx; i++) {
    x[i] = (float)((int)rnd(19) - 9) / 4;
    if (rnd(20) == 0) x[i] = -0.0f;
    if (rnd(300) == 0) x[i] = NAN;
    if (rnd(50) == 0) x[i] = -INFINITY;
  }
  for (size_t i = 0; i < ny; i++)
    want[i] = !always[i % (size_t)p->targets] || p->kind == 1 ? 0.0f
            : p->kind == 2 ? INFINITY : -INFINITY;
  o2c_trees_f32(x, c->node, c->tree, p->bits ? c->value : c->leaf, always, y,
                is, key, part, c->test, rows, p);
  for (int64_t i = 0; i < rows; i++)
    tree_want(c, x + i * p->columns, want + i * p->targets);
  if (!same(y, want, ny)) fail("trees", "sums differ");
  for (size_t i = 0; i < ny; i++)
    if (is[i] != always[i % (size_t)p->targets]) fail("trees", "presence");
  free(x), free(y), free(want), free(key), free(is);
  free(part);
}

static void test_o2c_trees_f32(void)
{
  TreeCase *c = (TreeCase *)calloc(1, sizeof *c);
  if (!c) exit(2);
  for (int run = 0; run < 60; run++) {
    static const int rows[] = {1, 7, 8, 63, 64, 75, 131};
    const int bits = run % 2 ? 8 : 16;
    c->nodes = 0;
    c->p = (o2c_trees_p){
      .columns = 1 + (int)rnd(20), .trees = 1 + (int)rnd(40),
      .targets = 1 + (int)rnd(5), .mask = (1u << bits) - 1, .shift = bits + 2,
      .by_node = rnd(2) != 0, .equal = rnd(4) == 0, .kind = 1 + (int)rnd(3),
      .wide = rnd(2) != 0
    };
    if (run % 3 == 0) {
      c->p.equal = c->p.wide = 0;
      c->p.kind = c->p.bits = 1;
    }
    for (int t = 0; t < c->p.trees; t++) {
      c->tree[2 * t] = (uint32_t)c->nodes;
      c->tree[2 * t + 1] = rnd((uint32_t)c->p.targets);
      grow(c, 1 + (int)rnd(run % 3 ? 99 : 63));
    }
    if (c->p.bits) small_trees(c);
    for (int i = 0; i < 40; i++) c->leaf[i] = (float)rnd(1000) / 64 - 7;
    for (int k = 0; k < 7; k++) tree_case(c, rows[k]);
  }
  free(c);
}
#endif
