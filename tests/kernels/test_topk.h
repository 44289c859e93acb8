/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: topk_f32.h, norms_f32.h. */
#ifndef O2C_TEST_TOPK_H
#define O2C_TEST_TOPK_H
#include "../../runtime_min/kernels/norms_f32.h"
#include "../../runtime_min/kernels/topk_f32.h"

static int topk_before(float a, float b, int largest)
{
  if (a != a || b != b)
    return largest ? a != a && b == b : a == a && b != b;
  return largest ? a > b : a < b;
}

/* The place of element i among the row, by counting. */
static int64_t topk_place(const float *row, int64_t n, int64_t i, int largest)
{
  int64_t place = 0;
  for (int64_t j = 0; j < n; j++)
    place += topk_before(row[j], row[i], largest) ||
             (j < i && !topk_before(row[i], row[j], largest));
  return place;
}

static void topk_check(int64_t rows, int64_t n, int64_t k, int largest)
{
  float *x = random_f32((size_t)(rows * n));
  float *values = alloc_f32((size_t)(rows * k));
  int64_t at[4 * O2C_TOPK_MOST];
  for (int64_t i = 0; i < rows * n; i++)
    switch (rnd(8)) {
    case 0: x[i] = rnd(2) ? NAN : -NAN; break;
    case 1: x[i] = rnd(2) ? 0.0f : -0.0f; break;
    case 2: x[i] = rnd(2) ? INFINITY : -INFINITY; break;
    case 3: x[i] = (float)rnd(3) - 1.0f; break;
    default: break;
    }
  o2c_topk_f32(x, values, at, rows, n, k, largest);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t i = 0; i < k; i++) {
      const int64_t one = at[r * k + i];
      if (one < 0 || one >= n || topk_place(x + r * n, n, one, largest) != i ||
          !same(values + r * k + i, x + r * n + one, 1))
        fail("topk", "differs");
    }
  free(x), free(values);
}

static void test_o2c_topk_f32(void)
{
  for (int64_t n = 1; n < 120; n++) {
    const int64_t most = n < O2C_TOPK_MOST ? n : O2C_TOPK_MOST;
    topk_check(1 + rnd(4), n, most, n % 2 == 0);
    topk_check(1 + rnd(4), n, 1 + rnd((uint32_t)most), rnd(2) == 0);
  }
}

static double norms_want(const float *x, int64_t n, int64_t step, int of)
{
  double s = of == O2C_OF_PROD ? 1.0 : 0.0;
  for (int64_t i = 0; i < n; i++) {
    const double v = (double)x[i * step];
    if (of == O2C_OF_PROD)
      s *= v;
    else
      s += of == O2C_OF_L1 ? fabs(v) : of == O2C_OF_LOG_SUM ? v
         : of == O2C_OF_LOG_SUM_EXP ? exp(v) : v * v;
  }
  return of == O2C_OF_L2 ? sqrt(s)
       : of == O2C_OF_LOG_SUM || of == O2C_OF_LOG_SUM_EXP ? log(s) : s;
}

#define NORMS_OF(kind) \
  case kind: o2c_norms_f32(x, y, outer, n, inner, kind); break

static void norms_run(const float *x, float *y, int64_t outer, int64_t n,
                      int64_t inner, int of)
{
  switch (of) {
  NORMS_OF(O2C_OF_L1);
  NORMS_OF(O2C_OF_SUM_SQUARE);
  NORMS_OF(O2C_OF_L2);
  NORMS_OF(O2C_OF_PROD);
  NORMS_OF(O2C_OF_LOG_SUM);
  NORMS_OF(O2C_OF_LOG_SUM_EXP);
  }
}

static void norms_check(int64_t outer, int64_t n, int64_t inner, int of)
{
  const int64_t out = outer * inner;
  float *x = random_f32((size_t)(out * n)), *y = alloc_f32((size_t)out);
  for (int64_t i = 0; i < out * n && of == O2C_OF_LOG_SUM; i++)
    x[i] = 1.5f + x[i];
  norms_run(x, y, outer, n, inner, of);
  for (int64_t k = 0; k < out; k++) {
    const double want =
      norms_want(x + k / inner * n * inner + k % inner, n, inner, of);
    if (!(fabs((double)y[k] - want) <= 2e-6 * fabs(want) + 1e-6))
      fail("norms", "differs");
  }
  for (int64_t o = 0; o < outer && inner == 1; o++) {
    float one;
    norms_run(x + o * n, &one, 1, n, 1, of);
    if (memcmp(&one, y + o, sizeof one))
      fail("norms", "a row alone");
  }
  free(x), free(y);
}

/* What is not finite. */
static void norms_extremes(int of)
{
  const float inf = INFINITY;
  float x[3] = {1.0f, -inf, 2.0f}, y;
  norms_run(x, &y, 1, 3, 1, of);
  if (of == O2C_OF_LOG_SUM_EXP ? !(fabsf(y - 2.3132617f) < 1e-6f)
      : of == O2C_OF_LOG_SUM ? y == y
      : fabsf(y) != inf)
    fail("norms", "one -inf");
  x[0] = x[2] = -inf;
  norms_run(x, &y, 1, 3, 1, of);
  if (of == O2C_OF_LOG_SUM_EXP && y != -inf)
    fail("norms", "all -inf");
  x[1] = inf;
  norms_run(x, &y, 1, 3, 1, of);
  if (of == O2C_OF_LOG_SUM_EXP && y != inf)
    fail("norms", "inf");
  x[1] = NAN;
  norms_run(x, &y, 1, 3, 1, of);
  if (y == y)
    fail("norms", "not-a-number");
}

static void test_o2c_norms_f32(void)
{
  for (int of = O2C_OF_L1; of <= O2C_OF_LOG_SUM_EXP; of++) {
    norms_extremes(of);
    for (int64_t n = 1; n < 150; n += 1 + rnd(4)) {
      norms_check(1 + rnd(20), n, 1, of);
      norms_check(1 + rnd(3), 1 + rnd(20), n, of);
    }
  }
}
#endif
