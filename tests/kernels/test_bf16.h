/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: conv_bf16.h against sums in double of
 * the same rounded operands; each row alone bit for bit. */
#ifndef O2C_TEST_BF16_H
#define O2C_TEST_BF16_H
#include "../../runtime_min/kernels/conv_bf16.h"

static double bf16_value(uint16_t h)
{
  const uint32_t u = (uint32_t)h << 16;
  float f;
  memcpy(&f, &u, sizeof f);
  return (double)f;
}

static uint16_t *bf16_copy(const float *x, size_t n)
{
  uint16_t *y = (uint16_t *)malloc((n + 1) * sizeof *y);
  if (!y)
    exit(2);
  for (size_t i = 0; i < n; i++)
    y[i] = o2c_bf16_of(x[i] - x[i] == 0.0f ? x[i] : 0.5f);
  y[n] = o2c_bf16_of(0.5f);
  return y;
}

/* [panel][tap][k][16] of f32 as pairs of k. */
static uint16_t *bf16_pairs(const Conv *v)
{
  const int kc = v->p.kc, pairs = (kc + 1) / 2;
  const int rows = (v->p.oc + 15) / 16 * v->p.ntap;
  uint16_t *w = (uint16_t *)calloc((size_t)(rows * pairs * 32) + 1, sizeof *w);
  if (!w)
    exit(2);
  for (int i = 0; i < rows; i++)
    for (int k = 0; k < kc; k++)
      for (int o = 0; o < 16; o++)
        w[((i * pairs + k / 2) * 16 + o) * 2 + k % 2] =
          o2c_bf16_of(v->w[(i * kc + k) * 16 + o]);
  return w;
}

/* The sum of output o of a pixel, and of its terms' magnitudes. */
static double bf16_sum(const Conv *v, const uint16_t *x, const uint16_t *w,
                       int o, double *size)
{
  const int kc = v->p.kc, pairs = (kc + 1) / 2;
  double s = v->bias ? (double)v->bias[o] : 0.0;
  *size = fabs(s);
  for (int t = 0; t < v->p.ntap; t++)
    for (int k = 0; k < kc; k++) {
      const int at = ((o / 16 * v->p.ntap + t) * pairs + k / 2) * 16 + o % 16;
      const double one = bf16_value(x[v->p.tap[t] + k]) *
                         bf16_value(w[at * 2 + k % 2]);
      s += one;
      *size += fabs(one);
    }
  return s;
}

static void bf16_check(const int dims[5])
{
  Conv v;
  uint16_t *x, *w;
  float *y, *one = alloc_f32((size_t)dims[2]);
  o2c_conv_f32_p p;
  conv_make(&v, dims);
  v.p.tap = v.tap;
  x = bf16_copy(v.x, v.nx);
  w = bf16_pairs(&v);
  y = copy_f32(v.y, v.ny);
  o2c_conv_bf16(x, w, v.bias, v.r, y, &v.p);
  p = v.p;
  p.oh = p.ow = 1;
  for (int i = 0; i < v.p.oh; i++)
    for (int j = 0; j < v.p.ow; j++) {
      const uint16_t *from = x + i * p.x_row + j * p.x_pix;
      const float *r = v.r ? v.r + i * p.r_row + j * p.r_pix : NULL;
      float *at = y + i * p.y_row + j * p.y_pix;
      o2c_conv_bf16(from, w, v.bias, r, one, &p);
      if (!same(one, at, (size_t)p.oc))
        fail("bf16", "a row alone has other bits");
      for (int o = 0; o < p.oc; o++) {
        double size, s = bf16_sum(&v, from, w, o, &size);
        s += r ? (double)r[o] : 0.0;
        s = s < (double)p.lo ? (double)p.lo : s;
        s = s > (double)p.hi ? (double)p.hi : s;
        if (!(fabs(s - (double)at[o]) <= 1e-5 * (size + 1.0)))
          fail("bf16", "differs from the sum");
        at[o] = v.y[at + o - y];
      }
    }
  if (!same(y, v.y, v.ny))
    fail("bf16", "writes beside its output");
  free(x), free(w), free(y), free(one);
  conv_free(&v);
}

static void test_o2c_conv_bf16(void)
{
  static const int ocs[] = {1, 4, 15, 16, 17, 31, 32, 33, 48, 70};
  for (int m = 1; m <= 2 * O2C_BF16_MR + 1; m++)
    for (size_t c = 0; c < sizeof ocs / sizeof *ocs; c++) {
      const int flat[5] = {1, m, ocs[c], 1, 1 + (int)rnd(40)};
      const int taps[5] = {1 + (int)rnd(3), m, ocs[c], 1 + (int)rnd(3),
                           1 + (int)rnd(20)};
      bf16_check(flat);
      bf16_check(taps);
    }
}

static void test_o2c_pad_hwc_bf16(void)
{
  for (int n = 0; n < 200; n++) {
    o2c_pad_f32_p p;
    size_t nx, ny, at = 0;
    float *x;
    uint16_t *y;
    int64_t wide;
    p.h = 1 + (int32_t)rnd(4);
    p.w = 1 + (int32_t)rnd(9);
    p.c = 1 + (int32_t)rnd(9);
    p.top = (int32_t)rnd(3);
    p.left = (int32_t)rnd(3);
    p.bottom = (int32_t)rnd(3);
    p.right = (int32_t)rnd(3);
    p.value = 0.0f;
    p.x_pix = p.c + (rnd(2) ? (int64_t)rnd(4) : 0);
    p.x_row = p.w * p.x_pix + (int64_t)rnd(5);
    wide = p.w + p.left + p.right;
    nx = (size_t)((p.h - 1) * p.x_row + (p.w - 1) * p.x_pix + p.c);
    ny = (size_t)((p.h + p.top + p.bottom) * wide * p.c + 1);
    x = random_f32(nx);
    y = (uint16_t *)malloc((ny + 1) * sizeof *y);
    if (!y)
      exit(2);
    y[ny] = 77;
    o2c_pad_hwc_bf16(x, y, &p);
    for (int i = -p.top; i < p.h + p.bottom; i++)
      for (int j = -p.left; j < p.w + p.right; j++)
        for (int c = 0; c < p.c; c++, at++) {
          const int in = i >= 0 && i < p.h && j >= 0 && j < p.w;
          const float v = in ? x[i * p.x_row + j * p.x_pix + c] : 0.0f;
          /* to nearest: no farther than half a step of 8 bits */
          if (fabs(bf16_value(y[at]) - (double)v) > fabs((double)v) / 256.0)
            fail("bf16", "a padded image differs");
        }
    if (y[at] != 0 || y[ny] != 77 || at + 1 != ny)
      fail("bf16", "a padded image's end differs");
    free(x), free(y);
  }
  if (o2c_bf16_of(1.00390625f) != 0x3f80 || o2c_bf16_of(1.01171875f) != 0x3f82)
    fail("bf16", "ties do not go to even");
  if (!(bf16_value(o2c_bf16_of(NAN)) != bf16_value(o2c_bf16_of(NAN))) ||
      o2c_bf16_of(INFINITY) != 0x7f80)
    fail("bf16", "NaN or infinity changes");
}

#endif
