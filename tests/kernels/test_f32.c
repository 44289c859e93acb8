/* SPDX-License-Identifier: Apache-2.0 */
/* Every f32 row of kernels.def against a plain reference in C. Where a kernel
   promises one chain of operations, the reference runs that chain and the bits
   must be equal; that also shows that no tile, tail or number of rows matters.
   Operands are allocated at their exact size (run it under ASan), outputs lie
   between guards, and what is not output must stay as it was.
   test_f32 full: the functions of one argument over all 2^32 floats. */
#define _POSIX_C_SOURCE 200809L
#include "../../runtime_min/kernels/conv_f32.h"
#include "../../runtime_min/kernels/dw_f32.h"
#include "../../runtime_min/kernels/matmul_f32.h"
#include "../../runtime_min/kernels/move.h"
#include "../../runtime_min/kernels/math_f32.h"
#include "../../runtime_min/kernels/lrn_f32.h"
#include "../../runtime_min/kernels/norm_f32.h"
#include "../../runtime_min/kernels/pool_f32.h"
#include "../../runtime_min/kernels/softmax_f32.h"
#include <stdio.h>
#include <stdlib.h>

static int failures, full;
static uint32_t seed = 1;

static uint32_t rnd(uint32_t n)
{
  seed = seed * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)(seed >> 8) * n) >> 24);
}

static void fail(const char *what, const char *why)
{
  if (failures++ < 20)
    fprintf(stderr, "FAIL %s: %s\n", what, why);
}

static float *alloc_f32(size_t n)
{
  float *p = (float *)malloc(n ? n * sizeof(float) : 1);
  if (!p)
    exit(2);
  return p;
}

static float *random_f32(size_t n)
{
  float *p = alloc_f32(n);
  for (size_t i = 0; i < n; i++)
    p[i] = (float)rnd(1u << 20) / 524288.0f - 1.0f;
  return p;
}

static float *copy_f32(const float *x, size_t n)
{
  float *p = alloc_f32(n);
  memcpy(p, x, n * sizeof(float));
  return p;
}

/* Same bits, or both NaN. */
static int same(const float *a, const float *b, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (memcmp(a + i, b + i, sizeof *a) != 0 &&
        !(a[i] != a[i] && b[i] != b[i]))
      return 0;
  return 1;
}

static float clamp_ref(float v, float lo, float hi)
{
  v = v < lo ? lo : v;
  return v > hi ? hi : v;
}

/* ---- conv ---- */

typedef struct {
  o2c_conv_f32_p p;
  int32_t tap[5];
  size_t nx, ny, nr, nw;
  float *x, *w, *bias, *r, *y;
} Conv;

static size_t span(int64_t row, int64_t pix, const o2c_conv_f32_p *p, int64_t n)
{
  if (p->oh < 1 || p->ow < 1)
    return 0;
  return (size_t)((p->oh - 1) * row + (p->ow - 1) * pix + n);
}

static void conv_ref(const Conv *v, const float *r, float *y)
{
  const o2c_conv_f32_p *p = &v->p;
  for (int i = 0; i < p->oh; i++)
    for (int j = 0; j < p->ow; j++)
      for (int o = 0; o < p->oc; o++) {
        const float *x = v->x + i * p->x_row + j * p->x_pix;
        const float *w = v->w + (int64_t)(o / 16) * p->ntap * p->kc * 16;
        float s = v->bias ? v->bias[o] : 0.0f;
        for (int t = 0; t < p->ntap; t++)
          for (int k = 0; k < p->kc; k++)
            s = O2C_FMAF(x[p->tap[t] + k], w[(t * p->kc + k) * 16 + o % 16], s);
        if (r)
          s = s + r[i * p->r_row + j * p->r_pix + o];
        y[i * p->y_row + j * p->y_pix + o] = clamp_ref(s, p->lo, p->hi);
      }
}

static void conv_free(Conv *v)
{
  free(v->x);
  free(v->w);
  free(v->bias);
  free(v->r);
  free(v->y);
}

/* A random case of the given size: gaps, taps, residual and clamp by chance. */
static void conv_make(Conv *v, const int dims[5])
{
  o2c_conv_f32_p *p = &v->p;
  int32_t last = 0;
  memset(v, 0, sizeof *v);
  p->oh = dims[0];
  p->ow = dims[1];
  p->oc = dims[2];
  p->ntap = dims[3];
  p->kc = dims[4];
  for (int t = 0; t < p->ntap; t++) {
    v->tap[t] = last;
    last += (int32_t)rnd(3) * p->kc + (int32_t)rnd(4);
  }
  last = p->ntap ? v->tap[p->ntap - 1] : 0;
  p->x_pix = rnd(2) ? p->kc : (int64_t)rnd(9) + 1;
  p->x_row = p->ow * p->x_pix + (rnd(2) ? rnd(7) : 0);
  p->y_pix = p->oc + (rnd(2) ? (int)rnd(20) : 0);
  p->y_row = p->ow * p->y_pix + (rnd(3) ? 0 : rnd(5));
  p->r_pix = p->oc + (rnd(2) ? (int)rnd(5) : 0);
  p->r_row = p->ow * p->r_pix + (rnd(3) ? 0 : rnd(5));
  p->lo = rnd(2) ? 0.0f : -INFINITY;
  p->hi = rnd(2) ? 1.5f : INFINITY;
  v->nx = span(p->x_row, p->x_pix, p, last + p->kc);
  v->ny = span(p->y_row, p->y_pix, p, p->oc);
  v->nr = span(p->r_row, p->r_pix, p, p->oc);
  v->nw = (size_t)((p->oc + 15) / 16 * p->ntap * p->kc * 16);
  v->x = random_f32(v->nx);
  v->w = random_f32(v->nw);
  v->bias = rnd(4) ? random_f32((size_t)p->oc) : NULL;
  v->r = rnd(2) ? random_f32(v->nr) : NULL;
  v->y = random_f32(v->ny);
  if (v->nx && rnd(4) == 0)
    v->x[rnd((uint32_t)v->nx)] = rnd(2) ? NAN : INFINITY;
  for (int o = p->oc; p->kc && o < (p->oc + 15) / 16 * 16; o++)
    for (int k = 0; k < p->ntap * p->kc; k++)
      v->w[((size_t)(o / 16 * p->ntap * p->kc) + (size_t)k) * 16 +
           (size_t)(o % 16)] = 0.0f;
}

/* Outputs that nobody has written yet. */
static void conv_forget(const Conv *v, float *y)
{
  for (int64_t i = 0; i < v->p.oh; i++)
    for (int64_t j = 0; j < v->p.ow; j++)
      for (int64_t o = 0; o < v->p.oc; o++)
        y[i * v->p.y_row + j * v->p.y_pix + o] = NAN;
}

/* In ranges, as threads take them: the bits of y, which has no residual. */
static void conv_ranges(const Conv *v, const char *name)
{
  float *part = copy_f32(v->y, v->ny);
  const int32_t all = v->p.oh * v->p.ow, cut = (int32_t)rnd((uint32_t)all + 1);
  const int32_t column = (int32_t)rnd((uint32_t)(v->p.oc + 15) / 16) * 16;
  conv_forget(v, part);
  o2c_conv_f32_pixels(v->x, v->w, v->bias, NULL, part, &v->p, cut, all);
  o2c_conv_f32_pixels(v->x, v->w, v->bias, NULL, part, &v->p, 0, cut);
  if (!same(part, v->y, v->ny))
    fail(name, "ranges of pixels have other bits");
  conv_forget(v, part);
  o2c_conv_f32_columns(v->x, v->w, v->bias, NULL, part, &v->p, column,
                       v->p.oc);
  o2c_conv_f32_columns(v->x, v->w, v->bias, NULL, part, &v->p, 0, column);
  if (!same(part, v->y, v->ny))
    fail(name, "ranges of columns have other bits");
  free(part);
}

static void conv_check(const int dims[5])
{
  Conv v;
  char name[96];
  float *want;
  conv_make(&v, dims);
  v.p.tap = v.tap;
  snprintf(name, sizeof name, "conv oh %d ow %d oc %d ntap %d kc %d", dims[0],
           dims[1], dims[2], dims[3], dims[4]);
  want = copy_f32(v.y, v.ny);
  conv_ref(&v, v.r, want);
  o2c_conv_f32(v.x, v.w, v.bias, v.r, v.y, &v.p);
  if (!same(want, v.y, v.ny))
    fail(name, "differs from the chain");
  /* in place: the residual is the output */
  v.p.r_row = v.p.y_row;
  v.p.r_pix = v.p.y_pix;
  conv_ref(&v, v.y, want);
  o2c_conv_f32(v.x, v.w, v.bias, v.y, v.y, &v.p);
  if (!same(want, v.y, v.ny))
    fail(name, "differs where y is r");
  /* a row alone */
  if (dims[0] > 0 && dims[1] > 0) {
    const int64_t i = (int64_t)rnd((uint32_t)dims[0]);
    const int64_t j = (int64_t)rnd((uint32_t)dims[1]);
    float *one = alloc_f32((size_t)v.p.oc);
    o2c_conv_f32_p p = v.p;
    p.oh = p.ow = 1;
    o2c_conv_f32(v.x, v.w, v.bias, NULL, v.y, &v.p);
    o2c_conv_f32(v.x + i * p.x_row + j * p.x_pix, v.w, v.bias, NULL, one, &p);
    if (!same(one, v.y + i * p.y_row + j * p.y_pix, (size_t)p.oc))
      fail(name, "a row alone has other bits");
    free(one);
    conv_ranges(&v, name);
  }
  free(want);
  conv_free(&v);
}

static void test_o2c_conv_f32(void)
{
  static const int ocs[] = {1, 3, 4, 8, 10, 12, 16, 17, 24, 31, 32, 33, 48, 64,
                            65, 100, 128, 130, 200};
  const int nocs = (int)(sizeof ocs / sizeof *ocs);
  for (int m = 1; m <= 3 * O2C_F32_MR + 1; m++)
    for (int c = 0; c < nocs; c++) {
      const int one[5] = {1, m, ocs[c], 1, 1 + (int)rnd(40)};
      const int taps[5] = {1 + (int)rnd(4), m, ocs[c], 1 + (int)rnd(4),
                           (int)rnd(20)};
      const int rows[5] = {m, 1 + (int)rnd(9), ocs[c], (int)rnd(4),
                           1 + (int)rnd(9)};
      conv_check(one);
      conv_check(taps);
      conv_check(rows);
    }
  {
    /* weights beyond the second-level cache: blocks of rows */
    const int wide[5] = {1, 300, 300, 1, 2000}, deep[5] = {9, 31, 70, 3, 2200};
    const int none[5] = {0, 5, 8, 1, 4};
    conv_check(wide);
    conv_check(deep);
    conv_check(none);
  }
}

static void test_o2c_pad_hwc_f32(void)
{
  for (int n = 0; n < 200; n++) {
    o2c_pad_f32_p p;
    const float *x;
    float *in, *y, *want;
    size_t ny, at = 0;
    p.h = (int32_t)rnd(4);
    p.w = 1 + (int32_t)rnd(5);
    p.c = 1 + (int32_t)rnd(20);
    p.top = (int32_t)rnd(3);
    p.left = (int32_t)rnd(3);
    p.bottom = (int32_t)rnd(3);
    p.right = (int32_t)rnd(3);
    p.value = (float)n;
    ny = (size_t)((p.top + p.h + p.bottom) * (p.left + p.w + p.right) * p.c);
    p.x_pix = p.c + n % 2 * 3;
    p.x_row = p.w * p.x_pix + n % 3;
    x = in = random_f32((size_t)(p.h * p.x_row + 1));
    y = random_f32(ny);
    want = alloc_f32(ny);
    for (int i = -p.top; i < p.h + p.bottom; i++)
      for (int j = -p.left; j < p.w + p.right; j++)
        for (int c = 0; c < p.c; c++)
          want[at++] = i < 0 || i >= p.h || j < 0 || j >= p.w
                         ? p.value : x[i * p.x_row + j * p.x_pix + c];
    o2c_pad_hwc_f32(x, y, &p);
    if (!same(want, y, ny))
      fail("pad", "differs");
    free(in);
    free(y);
    free(want);
  }
}

/* ---- depthwise ---- */

static void dw_ref(const float *x, const float *w, const float *bias, float *y,
                   const o2c_dw_f32_p *p)
{
  for (int i = 0; i < p->oh; i++)
    for (int j = 0; j < p->ow; j++)
      for (int c = 0; c < p->c; c++) {
        const float *at = x + i * p->x_row + j * p->x_pix + c;
        float s = bias ? bias[c] : 0.0f;
        for (int a = 0; a < p->kh; a++)
          for (int b = 0; b < p->kw; b++)
            s = O2C_FMAF(at[a * p->tap_row + b * p->tap_pix],
                         w[(a * p->kw + b) * p->w_tap + c], s);
        y[i * p->y_row + j * p->y_pix + c] = clamp_ref(s, p->lo, p->hi);
      }
}

/* v: output rows, pixels, channels, kernel height, width, stride, dilation */
static void dw_check(const int v[7])
{
  o2c_dw_f32_p p;
  const int wide = (v[1] - 1) * v[5] + (v[4] - 1) * v[6] + 1;
  const int high = (v[0] - 1) * v[5] + (v[3] - 1) * v[6] + 1;
  float *x, *w, *bias, *y, *want;
  size_t ny;
  p.oh = v[0];
  p.ow = v[1];
  p.c = v[2];
  p.kh = v[3];
  p.kw = v[4];
  p.tap_pix = (int64_t)v[6] * p.c;
  p.tap_row = (int64_t)v[6] * wide * p.c;
  p.x_pix = (int64_t)v[5] * p.c;
  p.x_row = (int64_t)v[5] * wide * p.c;
  p.w_tap = p.c + (int)rnd(3);
  p.y_pix = p.c + (int)rnd(4);
  p.y_row = p.ow * p.y_pix + rnd(4);
  p.lo = rnd(2) ? 0.0f : -INFINITY;
  p.hi = rnd(2) ? 1.0f : INFINITY;
  ny = (size_t)((p.oh - 1) * p.y_row + (p.ow - 1) * p.y_pix + p.c);
  x = random_f32((size_t)(high * wide * p.c));
  w = random_f32((size_t)((p.kh * p.kw - 1) * p.w_tap + p.c));
  bias = rnd(3) ? random_f32((size_t)p.c) : NULL;
  if (rnd(4) == 0)
    x[rnd((uint32_t)(high * wide * p.c))] = NAN;
  y = random_f32(ny);
  want = copy_f32(y, ny);
  dw_ref(x, w, bias, want, &p);
  o2c_dw_f32(x, w, bias, y, &p);
  if (!same(want, y, ny)) {
    char name[96];
    snprintf(name, sizeof name, "dw %dx%dx%d kernel %dx%d stride %d dil %d",
             v[0], v[1], v[2], v[3], v[4], v[5], v[6]);
    fail(name, "differs from the chain");
  }
  free(x);
  free(w);
  free(bias);
  free(y);
  free(want);
}

static void test_o2c_dw_f32(void)
{
  static const int cs[] = {1, 3, 8, 10, 16, 17, 31, 32, 33, 48, 100, 193, 330};
  static const int ks[] = {3, 3, 5, 1, 2, 4, 7};
  for (int ow = 1; ow <= 13; ow++)
    for (size_t c = 0; c < sizeof cs / sizeof *cs; c++)
      for (size_t k = 0; k < sizeof ks / sizeof *ks; k++)
        for (int s = 1; s <= 3; s++) {
          const int v[7] = {1 + (int)rnd(5), ow, cs[c],
                            rnd(4) ? ks[k] : 1 + (int)rnd(4), ks[k], s,
                            rnd(3) ? 1 : 2};
          dw_check(v);
        }
}

/* ---- pooling ---- */

static float pool_ref(const float *x, const o2c_pool_f32_p *p, int i, int j,
                      int c, int max)
{
  float m = -INFINITY, s = 0.0f;
  int taps = 0, padded = 0;
  for (int a = 0; a < p->kh; a++)
    for (int b = 0; b < p->kw; b++) {
      const int r = i * p->sh - p->top + a * p->dh;
      const int q = j * p->sw - p->left + b * p->dw;
      float v;
      padded += r < p->h + p->bottom && q < p->w + p->right;
      if (r < 0 || r >= p->h || q < 0 || q >= p->w)
        continue;
      v = x[r * p->x_row + q * p->x_pix + c];
      taps++;
      s = s + v;
      m = v > m || v != v ? v : m;
    }
  if (max)
    return m;
  taps = taps && p->include_pad ? padded : taps;
  return taps ? s / (float)taps : 0.0f;
}

static void pool_check(int c, int max)
{
  o2c_pool_f32_p p;
  float *x, *y, *want;
  size_t nx, ny;
  p.h = 1 + (int)rnd(7);
  p.w = 1 + (int)rnd(7);
  p.c = c;
  p.oh = 1 + (int)rnd(4);
  p.ow = 1 + (int)rnd(4);
  p.kh = 1 + (int)rnd(4);
  p.kw = 1 + (int)rnd(4);
  p.sh = 1 + (int)rnd(3);
  p.sw = 1 + (int)rnd(3);
  p.dh = 1 + (int)rnd(2);
  p.dw = 1 + (int)rnd(2);
  p.top = (int)rnd(3);
  p.left = (int)rnd(3);
  p.bottom = (int)rnd(3);
  p.right = (int)rnd(3);
  p.include_pad = (int)rnd(2);
  p.x_pix = c + (int)rnd(3);
  p.x_row = p.w * p.x_pix + rnd(3);
  p.y_pix = c + (int)rnd(3);
  p.y_row = p.ow * p.y_pix + rnd(3);
  nx = (size_t)((p.h - 1) * p.x_row + (p.w - 1) * p.x_pix + c);
  ny = (size_t)((p.oh - 1) * p.y_row + (p.ow - 1) * p.y_pix + c);
  x = random_f32(nx);
  if (rnd(3) == 0)
    x[rnd((uint32_t)nx)] = NAN;
  y = random_f32(ny);
  want = copy_f32(y, ny);
  for (int i = 0; i < p.oh; i++)
    for (int j = 0; j < p.ow; j++)
      for (int k = 0; k < c; k++)
        want[i * p.y_row + j * p.y_pix + k] = pool_ref(x, &p, i, j, k, max);
  if (max)
    o2c_maxpool_f32(x, y, &p);
  else
    o2c_avgpool_f32(x, y, &p);
  if (!same(want, y, ny))
    fail(max ? "maxpool" : "avgpool", "differs");
  free(x);
  free(y);
  free(want);
}

static void test_o2c_maxpool_f32(void)
{
  for (int c = 1; c < 140; c++)
    for (int n = 0; n < 10; n++)
      pool_check(c, 1);
}

static void test_o2c_avgpool_f32(void)
{
  for (int c = 1; c < 140; c++)
    for (int n = 0; n < 10; n++)
      pool_check(c, 0);
}

static void global_check(int64_t n, int c, int max)
{
  const int64_t pix = c + (int)rnd(3);
  const size_t nx = (size_t)((n - 1) * pix + c);
  float *x = random_f32(nx), *y = alloc_f32((size_t)c);
  if (max)
    o2c_gmax_f32(x, y, n, c, pix);
  else
    o2c_gavg_f32(x, y, n, c, pix);
  for (int k = 0; k < c; k++) {
    float m = -INFINITY;
    double s = 0.0;
    for (int64_t i = 0; i < n; i++) {
      m = x[i * pix + k] > m ? x[i * pix + k] : m;
      s += (double)x[i * pix + k];
    }
    if (max ? memcmp(&m, y + k, sizeof m) != 0
            : !(fabs((double)y[k] - s / (double)n) < 1e-6))
      fail(max ? "gmax" : "gavg", "differs");
  }
  free(x);
  free(y);
}

static void test_o2c_gmax_f32(void)
{
  for (int c = 1; c < 140; c++)
    global_check(1 + (int64_t)rnd(60), c, 1);
}

static void test_o2c_gavg_f32(void)
{
  for (int c = 1; c < 140; c++)
    global_check(1 + (int64_t)rnd(300), c, 0);
}

/* ---- products of two run-time operands ---- */

/* The chain that the contract states; t is the product of the batch. */
static float matmul_ref(const float *a, const float *b,
                        const o2c_matmul_f32_p *p, int32_t i, int32_t j)
{
  float s = 0.0f;
  for (int32_t k = 0; k < p->k; k++)
    s = O2C_FMAF(a[i * p->a_row + k], b[k * p->b_k + j * p->b_n], s);
  return s;
}

/* [2, heads] products, b the same for all of the outer axis where `share`. */
static void matmul_check(int32_t m, int32_t n, int32_t k, int trans, int share)
{
  const int64_t batch[2] = {2, 3}, one = (int64_t)m * k, two = (int64_t)k * n;
  const int64_t a_step[2] = {3 * one, one}, y_step[2] = {3 * m * n, m * n};
  const int64_t b_step[2] = {share ? 0 : 3 * two, two};
  o2c_matmul_f32_p p = {2, m, n, k, batch, a_step, b_step, y_step, k, n,
                        trans ? 1 : n, trans ? k : 1};
  float *a = random_f32((size_t)(6 * one)), *b = random_f32((size_t)(6 * two));
  float *y = random_f32((size_t)(6 * m * n)), *want = random_f32(
    (size_t)(6 * m * n)), *panels = alloc_f32((size_t)O2C_MATMUL_PANELS(k, n));
  o2c_matmul_f32(a, b, y, panels, &p);
  for (int64_t t = 0; t < 6; t++)
    for (int32_t i = 0; i < m; i++)
      for (int32_t j = 0; j < n; j++)
        want[t * m * n + i * n + j] = matmul_ref(
          a + t * one, b + t / 3 * b_step[0] + t % 3 * two, &p, i, j);
  if (!same(y, want, (size_t)(6 * m * n)))
    fail("matmul", "differs");
  free(a);
  free(b);
  free(y);
  free(want);
  free(panels);
}

static void test_o2c_matmul_f32(void)
{
  for (int i = 0; i < 60; i++)
    matmul_check(1 + (int32_t)rnd(40), 1 + (int32_t)rnd(70),
                 1 + (int32_t)rnd(50), i & 1, i >> 1 & 1);
  matmul_check(3, 2 * O2C_MATMUL_COLS + 7, 5, 1, 0);
  matmul_check(3, O2C_MATMUL_COLS + 1, 5, 0, 1);
}

/* Panels of a matrix whose neighbours lie b_k and b_n apart. */
static void test_o2c_pack_panels_f32(void)
{
  for (int64_t n = 1; n < 40; n++)
    for (int64_t b_n = 1; b_n < 40; b_n += 37) {
      const int64_t k = 1 + (int64_t)rnd(40), b_k = b_n == 1 ? n + 2 : 1;
      const int64_t size = (k - 1) * b_k + (n - 1) * b_n + 1;
      const int64_t wide = (n + 15) / 16 * 16;
      float *b = random_f32((size_t)size);
      float *to = alloc_f32((size_t)(k * wide));
      o2c_pack_panels_f32(b, to, k, n, b_k, b_n);
      for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < wide; j++) {
          const float want = j < n ? b[i * b_k + j * b_n] : 0.0f;
          if (!same(to + (j / 16 * k + i) * 16 + j % 16, &want, 1))
            fail("pack_panels", "differs");
        }
      free(b);
      free(to);
    }
}

/* ---- softmax ---- */

/* |got - want| within ulps units in the last place of want. */
static double ulps(float got, double want)
{
  int e;
  if (want != want)
    return got != got ? 0.0 : INFINITY;
  if (isinf(got) || isinf((float)want))
    return got == (float)want ? 0.0
           : isinf(got) && fabs(want) > 3.4028234e38 ? 0.5 : INFINITY;
  frexp(want, &e);
  if (want == 0.0 || e < -125)
    e = -125;
  return got == got ? fabs((double)got - want) / ldexp(1.0, e - 24) : INFINITY;
}

static void softmax_ref(const float *x, double *y, const int64_t d[3], int ln)
{
  for (int64_t o = 0; o < d[0]; o++)
    for (int64_t j = 0; j < d[2]; j++) {
      const int64_t at = o * d[1] * d[2] + j;
      double m = -INFINITY, s = 0.0;
      for (int64_t i = 0; i < d[1]; i++) {
        const double v = (double)x[at + i * d[2]];
        m = v > m ? v : m;
      }
      for (int64_t i = 0; i < d[1]; i++)
        s += exp((double)x[at + i * d[2]] - m);
      for (int64_t i = 0; i < d[1]; i++) {
        const double v = (double)x[at + i * d[2]] - m;
        y[at + i * d[2]] = ln ? v - log(s) : exp(v) / s;
      }
    }
}

static void softmax_check(const int64_t d[3], int ln)
{
  const size_t n = (size_t)(d[0] * d[1] * d[2]);
  float *x = random_f32(n), *y = random_f32(n);
  double *want = (double *)malloc(n * sizeof *want);
  if (!want)
    exit(2);
  for (size_t i = 0; i < n; i++)
    x[i] *= 10.0f;
  if (rnd(3) == 0) {
    const float odd[4] = {-INFINITY, INFINITY, NAN, 3e38f};
    x[rnd((uint32_t)n)] = odd[rnd(4)];
  }
  if (rnd(5) == 0)
    for (size_t i = 0; i < n; i++)
      x[i] = -INFINITY;
  softmax_ref(x, want, d, ln);
  for (int in_place = 0; in_place < 2; in_place++) {
    float *const out = in_place ? x : y;
    if (ln)
      o2c_log_softmax_f32(x, out, d[0], d[1], d[2]);
    else
      o2c_softmax_f32(x, out, d[0], d[1], d[2]);
    for (size_t i = 0; i < n; i++)
      if (ulps(out[i], want[i]) > 16.0 &&
          !(fabs((double)out[i] - want[i]) < 2e-6)) {
        fail(ln ? "log_softmax" : "softmax", "differs");
        break;
      }
  }
  if (!same(x, y, n))
    fail("softmax", "other bits where y is x");
  free(x);
  free(y);
  free(want);
}

static void softmax_all(int ln)
{
  for (int64_t n = 1; n < 150; n++) {
    const int64_t row[3] = {1 + (int64_t)rnd(3), n, 1};
    const int64_t col[3] = {1 + (int64_t)rnd(3), 1 + (int64_t)rnd(20), n};
    softmax_check(row, ln);
    softmax_check(col, ln);
  }
}

static void test_o2c_softmax_f32(void)
{
  softmax_all(0);
}

static void test_o2c_log_softmax_f32(void)
{
  softmax_all(1);
}

#include "test_winograd.h"
#include "test_short.h"
#include "test_attention.h"
#include "test_linear.h"
#include "test_distance.h"
#include "test_topk.h"
#include "test_svm.h"
#include "test_trees.h"
#include "test_trees_rank.h"
#include "test_bf16.h"
#include "test_dense.h"
#include "test_norm.h"
#include "test_fft.h"
#include "test_lrn.h"
#include "test_strip.h"
#include "test_move.h"
#include "test_recurrent.h"
#include "test_lstm.h"
#include "test_lstm_u8.h"
#include "test_resize.h"

#include "test_functions.h"

int main(int argc, char **argv)
{
  full = argc > 1 && strcmp(argv[1], "full") == 0;
#define TEST_f32(function) test_##function();
#define TEST_u8(function)
#define TEST_str(function)
#define KERNEL(function, type, file, what) TEST_##type(function)
#include "../../runtime_min/kernels/kernels.def"
#undef KERNEL
  printf("%d failures\n", failures);
  return failures != 0;
}
