/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: distance_f32.h. */
#ifndef O2C_TEST_DISTANCE_H
#define O2C_TEST_DISTANCE_H
#include "../../runtime_min/kernels/distance_f32.h"

static float distance_ref(const float *x, const float *v, int64_t k, int p)
{
  float s = 0.0f;
  for (int64_t f = 0; f < k; f++) {
    const float d = x[f] - v[f];
    s = p == 2 ? O2C_FMAF(d, d, s) : s + fabsf(d);
  }
  return s;
}

/* Element by element, and the rows from `first` on by themselves. */
static void distance_check(int64_t n, int64_t m, int64_t k, int p)
{
  const size_t all = (size_t)(n * m);
  const int64_t first = (int64_t)rnd((uint32_t)n);
  float *x = random_f32((size_t)(n * k)), *v = random_f32((size_t)(m * k));
  float *want = alloc_f32(all), *y = alloc_f32(all);
  float *room = alloc_f32((size_t)((m + 15) / 16 * 16 * k));
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < m; j++)
      want[i * m + j] = distance_ref(x + i * k, v + j * k, k, p);
  o2c_distance_rows_f32(x, v, y, room, n, m, k, p);
  if (!same(y, want, all))
    fail("distance_rows", "differs");
  o2c_pack_panels_f32(v, room, k, m, 1, k);
  memset(y, 0, all * sizeof *y);
  o2c_distance_f32(x, room, y, first, m, k, m, p);
  o2c_distance_f32(x + first * k, room, y + first * m, n - first, m, k, m, p);
  if (!same(y, want, all))
    fail("distance", "differs");
  free(x), free(v), free(want), free(y), free(room);
}

static void test_o2c_distance_f32(void)
{
  for (int i = 0; i < 60; i++)
    distance_check(1 + rnd(20), 1 + rnd(90), 1 + rnd(30), 1 + i % 2);
}

static void test_o2c_distance_rows_f32(void)
{
  distance_check(5, O2C_MATMUL_COLS + 33, 3, 2);
  distance_check(1, 2 * O2C_MATMUL_COLS, 7, 1);
  distance_check(9, 1, 1, 2);
}
#endif
