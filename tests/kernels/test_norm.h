/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: norm_f32.h, reduce_f32.h. */
#ifndef O2C_TEST_NORM_H
#define O2C_TEST_NORM_H
#include "../../runtime_min/kernels/reduce_f32.h"

/* Groups of c * n elements as double has them; f: scale of element or channel;
   rms: no mean is taken off. */
static void norm_check(int kind, int64_t rows, int64_t c, int64_t n)
{
  const int64_t len = c * n, all = rows * len;
  float *x = random_f32((size_t)all), *y = alloc_f32((size_t)all);
  float *f = random_f32((size_t)len), *b = random_f32((size_t)len);
  float *stat = alloc_f32((size_t)(2 * rows));
  const int with_bias = kind != 1 && rnd(3) > 0;
  for (int64_t i = 0; i < all; i++)
    x[i] = x[i] * 3.0f + (rnd(2) ? 0.5f : 0.0f);
  for (int in_place = 0; in_place < 2; in_place++) {
    float *const to = in_place ? copy_f32(x, (size_t)all) : y;
    const float *const from = in_place ? to : x;
    if (kind == 0)
      o2c_layer_norm_f32(from, f, with_bias ? b : NULL, to, stat, stat + rows,
                         rows, len, 1e-3f);
    else if (kind == 1)
      o2c_rms_norm_f32(from, f, to, rows, len, 1e-3f);
    else
      o2c_group_norm_f32(from, f, b, to, rows, 1, c, n, 0, 1e-3f);
    if (in_place && !same(to, y, (size_t)all))
      fail("norm", "other bits where y is x");
    if (in_place)
      free(to);
  }
  for (int64_t r = 0; r < rows; r++) {
    double mean = 0.0, square = 0.0, by;
    for (int64_t i = 0; i < len && kind != 1; i++)
      mean += (double)x[r * len + i] / (double)len;
    for (int64_t i = 0; i < len; i++)
      square += ((double)x[r * len + i] - mean) *
                ((double)x[r * len + i] - mean) / (double)len;
    by = 1.0 / sqrt(square + (double)1e-3f);
    if (kind == 0 && (fabs((double)stat[r] - mean) > 1e-5 ||
                      fabs((double)stat[rows + r] / by - 1.0) > 1e-4))
      fail("layer_norm", "mean or inverse differs");
    for (int64_t i = 0; i < len; i++) {
      const int64_t k = kind == 2 ? i / n : i;
      const double want = ((double)x[r * len + i] - mean) * by * (double)f[k] +
                          (kind == 2 || with_bias ? (double)b[k] : 0.0);
      if (!(fabs((double)y[r * len + i] - want) < 1e-4))
        fail("norm", "differs");
    }
  }
  free(x), free(y), free(f), free(b), free(stat);
}

/* [outer][n][inner] against double; `max`: 0 means, else the sign. */
static void reduce_check(int64_t outer, int64_t n, int64_t inner, int max)
{
  const int64_t out = outer * inner;
  float *x = random_f32((size_t)(out * n)), *y = alloc_f32((size_t)out);
  if (max && rnd(4) == 0)
    x[(int64_t)rnd(9) % (out * n)] = NAN;
  if (max)
    o2c_reduce_max_f32(x, y, outer, n, inner, (float)max);
  else
    o2c_reduce_sum_f32(x, y, outer, n, inner, (float)n);
  for (int64_t k = 0; k < out; k++) {
    const float *from = x + k / inner * n * inner + k % inner;
    double want = max ? (double)from[0] : 0.0;
    for (int64_t i = 0; i < n; i++) {
      const double v = (double)from[i * inner];
      if (!max)
        want += v / (double)n;
      else if (v * max > want * max || v != v)
        want = v;
    }
    if (want != want ? y[k] == y[k]
                     : !(fabs((double)y[k] - want) < (max ? 1e-30 : 1e-5)))
      fail("reduce", "differs");
  }
  free(x), free(y);
}

static void reduce_all(int max)
{
  for (int64_t n = 1; n < 150; n++) {
    reduce_check(1 + (int64_t)rnd(3), n, 1, max);
    reduce_check(1 + (int64_t)rnd(3), 1 + (int64_t)rnd(20), n, max);
  }
}

static void test_o2c_reduce_sum_f32(void) { reduce_all(0); }

static void test_o2c_reduce_max_f32(void)
{
  reduce_all(1);
  reduce_all(-1);
}

#define NORM_TEST(function, kind) \
  static void test_##function(void) \
  { for (int64_t n = 1; n < 150; n++) \
      norm_check(kind, 1 + rnd(3), kind == 2 ? 1 + rnd(5) : 1, n); }
NORM_TEST(o2c_layer_norm_f32, 0)
NORM_TEST(o2c_rms_norm_f32, 1)
NORM_TEST(o2c_group_norm_f32, 2)

#endif
