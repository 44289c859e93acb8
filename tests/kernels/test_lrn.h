/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: lrn_f32.h. */
#ifndef O2C_TEST_LRN_H
#define O2C_TEST_LRN_H
#include "../../runtime_min/kernels/lrn_f32.h"

static void lrn_check(int64_t outer, int64_t c, int64_t inner, int64_t size,
                      float beta)
{
  const int64_t all = outer * c * inner;
  float *x = random_f32((size_t)all), *y = alloc_f32((size_t)all);
  float *room = alloc_f32((size_t)(c + size + 64));
  for (int64_t i = 0; i < all; i++)
    x[i] *= 30.0f;
  o2c_lrn_f32(x, y, room, outer, c, inner, size, 0.3f, beta, 1.5f);
  for (int64_t i = 0; i < all; i++) {
    const int64_t f = i / inner % c;
    double sum = 0.0, want;
    for (int64_t k = f - (size - 1) / 2; k <= f + size / 2; k++)
      if (k >= 0 && k < c)
        sum += (double)x[i + (k - f) * inner] * (double)x[i + (k - f) * inner];
    want = (double)x[i] / pow(1.5 + (double)0.3f * sum, (double)beta);
    if (!(fabs((double)y[i] - want) <= 2e-6 * fabs(want) + 1e-30))
      fail("lrn", "differs");
  }
  free(x), free(y), free(room);
}

static void test_o2c_lrn_f32(void)
{
  for (int64_t n = 1; n < 150; n++) {
    const float beta = rnd(2) ? 0.75f : rnd(2) ? 0.5f : 1.0f;
    lrn_check(1 + rnd(3), n, 1, 1 + rnd(7), beta);
    lrn_check(1 + rnd(3), 1 + rnd(9), n, 1 + rnd(7), beta);
  }
}

#endif
