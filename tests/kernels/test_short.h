/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: conv_short_f32.h. All its sizes have
   the bits of the chain, whole and by ranges of pixels. */
#ifndef O2C_TEST_SHORT_H
#define O2C_TEST_SHORT_H
#include "../../runtime_min/kernels/conv_short_f32.h"

typedef void short_run(const float *x, const float *w, const float *bias,
                       float *y, const o2c_conv_f32_p *p, int32_t from,
                       int32_t to);

static void short_check(int taps, int k, short_run *run)
{
  const int dims[5] = {1 + (int)rnd(9), 1 + (int)rnd(40), 1 + (int)rnd(50),
                       taps, k};
  Conv v;
  char name[96];
  conv_make(&v, dims);
  v.p.tap = v.tap;
  float *want = copy_f32(v.y, v.ny);
  const int32_t all = v.p.oh * v.p.ow, cut = (int32_t)rnd((uint32_t)all + 1);
  snprintf(name, sizeof name, "short oh %d ow %d oc %d ntap %d kc %d", dims[0],
           dims[1], dims[2], taps, k);
  conv_ref(&v, NULL, want);
  run(v.x, v.w, v.bias, v.y, &v.p, 0, cut);
  run(v.x, v.w, v.bias, v.y, &v.p, cut, all);
  if (!same(want, v.y, v.ny))
    fail(name, "differs from the chain");
  memset(v.y, 0, v.ny * sizeof *v.y);
  memset(want, 0, v.ny * sizeof *want);
  conv_ref(&v, NULL, want);
  o2c_short_f32(v.x, v.w, v.bias, v.y, &v.p);
  if (!same(want, v.y, v.ny))
    fail(name, "differs as a whole");
  free(want);
  conv_free(&v);
}

static void test_o2c_short_f32(void)
{
#define O2C_X(t, k) for (int i = 0; i < 20; i++) \
    short_check(t, k, o2c_short_f32_##t##x##k);
  O2C_SHORT_SIZES(O2C_X)
#undef O2C_X
}

#endif
