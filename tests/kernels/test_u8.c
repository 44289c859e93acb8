/* SPDX-License-Identifier: Apache-2.0 */
/* The 8-bit kernels against plain loops written from their contracts, bit for
 * bit: all small M, odd channels, strides, gaps between output pixels,
 * extreme values, and buffers of the exact size (for the address sanitizer).
 * Also runs on a Cortex-M4 and on AArch64 under qemu. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime_min/kernels/conv_u8.h"
#include "../../runtime_min/kernels/dw_u8.h"
#include "../../runtime_min/kernels/ew_u8.h"
#include "../../runtime_min/kernels/pack_u8.h"
#include "../../runtime_min/kernels/pool_u8.h"

static int failures;
static uint32_t seed = 12345;

static uint32_t rnd(void)
{
  seed = seed * 1664525u + 1013904223u;
  return seed >> 8;
}

static void *grab(size_t n)
{
  void *p = malloc(n ? n : 1);
  if (!p) {
    printf("out of memory\n");
    exit(2);
  }
  return p;
}

/* Values as a channel of a network may have them: below a limit of its own;
 * weights: half of them near the ends. */
static void fill_limited(unsigned char *b, size_t n, int is_signed)
{
  static const int limits[] = {1, 2, 30, 65, 127, 128, 129, 130, 200, 256};
  const int count = (int)(sizeof limits / sizeof *limits);
  int limit[12], most = (int)(rnd() % (uint32_t)count) + 1;
  size_t i;
  for (i = 0; i < 12; ++i)
    limit[i] = limits[rnd() % (uint32_t)most];
  for (i = 0; i < n; ++i) {
    if (!is_signed)
      b[i] = (unsigned char)(rnd() % 4 ? rnd() % (uint32_t)limit[i % 12]
                                       : (uint32_t)limit[i % 12] - 1);
    else
      b[i] = (unsigned char)(rnd() % 2 ? rnd() : 126 + rnd() % 4);
  }
}

/* mode 0: any; 1: the largest magnitudes; 3: as fill_limited. */
static void fill(void *p, size_t n, int mode, int is_signed)
{
  unsigned char *b = (unsigned char *)p;
  size_t i;
  if (mode == 3) {
    fill_limited(b, n, is_signed);
    return;
  }
  for (i = 0; i < n; ++i)
    b[i] = mode ? (is_signed ? 128 : 255) : (unsigned char)rnd();
}

static float some_scale(int mode)
{
  return mode == 2 ? 1e30f : ldexpf((float)(rnd() % 1000 + 1), -19);
}

static int32_t ref_round(float v, const int32_t *q)
{
  double r = nearbyint((double)v) + q[0];
  r = r < q[1] ? q[1] : r;
  return (int32_t)(r > q[2] ? q[2] : r);
}

static int32_t ref_requant(int32_t acc, float scale, const int32_t *q)
{
  const volatile float v = (float)acc * scale;
  return ref_round(v, q);
}

static int bad(const char *what, const int32_t *shape, long at)
{
  printf("FAIL %s (%d %d %d %d %d) at %ld\n", what, (int)shape[0],
         (int)shape[1], (int)shape[2], (int)shape[3], (int)shape[4], at);
  ++failures;
  return 1;
}

/* ---- convolution ---- */
typedef struct {
  uint8_t *x, *y;
  int8_t *w, *pack;
  int32_t *bias, *acc, *yi;
  float *scale, *yf;
  size_t nx, ny;
} Conv;

static void conv_make(Conv *c, const o2c_conv_u8_p *p, int mode)
{
  const size_t oc16 = ((size_t)p->oc + 15) / 16 * 16;
  const size_t nw = (size_t)(p->oc * p->ntap * p->kc);
  int32_t o;
  c->nx = (size_t)((p->oh - 1) * p->x_row + (p->ow - 1) * p->x_pix +
                   p->tap[p->ntap - 1] + p->kc);
  c->ny = (size_t)((p->oh - 1) * p->y_row + (p->ow - 1) * p->y_pix + p->oc);
  c->x = (uint8_t *)grab(c->nx);
  c->w = (int8_t *)grab(nw);
  c->pack = (int8_t *)grab(o2c_pack_u8_size(p->oc, p->ntap, p->kc));
  c->bias = (int32_t *)grab(oc16 * 4);
  c->scale = (float *)grab(oc16 * 4);
  c->y = (uint8_t *)grab(c->ny);
  c->yi = (int32_t *)grab(c->ny * 4);
  c->yf = (float *)grab(c->ny * 4);
  c->acc = (int32_t *)grab((size_t)(p->oh * p->ow * p->oc) * 4);
  fill(c->x, c->nx, mode, 0);
  fill(c->w, nw, mode, 1);
  memset(c->bias, 0, oc16 * 4);
  memset(c->scale, 0, oc16 * 4);
  for (o = 0; o < p->oc; ++o) {
    c->bias[o] = mode == 1 ? INT32_MIN : (int32_t)(rnd() % 9999) - 5000;
    c->scale[o] = some_scale(mode);
  }
  o2c_pack_u8(c->pack, c->w, p->oc, p->ntap, p->kc);
}

static void conv_free(Conv *c)
{
  free(c->x), free(c->w), free(c->pack), free(c->bias), free(c->scale);
  free(c->y), free(c->yi), free(c->yf), free(c->acc);
}

static void conv_ref(const Conv *c, const o2c_conv_u8_p *p)
{
  int32_t i, j, o, t, k, *to = c->acc;
  for (i = 0; i < p->oh; ++i)
    for (j = 0; j < p->ow; ++j)
      for (o = 0; o < p->oc; ++o) {
        uint32_t a = (uint32_t)c->bias[o];
        for (t = 0; t < p->ntap; ++t)
          for (k = 0; k < p->kc; ++k)
            a += (uint32_t)(c->x[i * p->x_row + j * p->x_pix + p->tap[t] + k] *
                            c->w[(o * p->ntap + t) * p->kc + k]);
        *to++ = (int32_t)a;
      }
}

static int conv_same(const Conv *c, const o2c_conv_u8_p *p,
                     const int32_t *shape)
{
  const int32_t q[3] = {p->y_zp, p->lo, p->hi};
  const int32_t *a = c->acc;
  int64_t at, last = 0;
  int32_t i, j, o;
  for (i = 0; i < p->oh; ++i)
    for (j = 0; j < p->ow; ++j)
      for (o = 0; o < p->oc; ++o, ++a) {
        volatile float f = (float)*a * c->scale[o];
        at = i * p->y_row + j * p->y_pix + o;
        for (; last < at; ++last)
          if (c->y[last] != 0xA5)
            return bad("gap", shape, (long)last);
        last = at + 1;
        if (p->fbias)
          f = f + p->fbias[o];
        if (c->yi[at] != *a)
          return bad("i32", shape, (long)at);
        if (memcmp(&c->yf[at], (const void *)&f, 4))
          return bad("f32", shape, (long)at);
        if (c->y[at] != ref_requant(*a, c->scale[o], q))
          return bad("u8", shape, (long)at);
      }
  return 0;
}

static void conv_case(o2c_conv_u8_p p, int mode)
{
  const int32_t shape[5] = {p.oh, p.ow, p.oc, p.ntap, p.kc};
  float *fbias = 0;
  Conv c;
  conv_make(&c, &p, mode);
  if (rnd() % 2) {
    fbias = (float *)grab(((size_t)p.oc + 15) / 16 * 64);
    memset(fbias, 0, ((size_t)p.oc + 15) / 16 * 64);
    fbias[p.oc / 2] = 0.37f;
    p.fbias = fbias;
  }
  if (rnd() % 2)
    p.scratch = (int16_t *)grab(sizeof(int16_t) *
                                (size_t)O2C_CONV_U8_SCRATCH(p.ntap, p.kc));
  memset(c.y, 0xA5, c.ny);
  conv_ref(&c, &p);
  o2c_conv_u8(c.x, c.pack, c.bias, c.scale, c.y, &p);
  o2c_conv_u8_i32(c.x, c.pack, c.bias, c.yi, &p);
  o2c_conv_u8_f32(c.x, c.pack, c.bias, c.scale, c.yf, &p);
  conv_same(&c, &p, shape);
  conv_free(&c);
  free(p.scratch);
  free(fbias);
}

static o2c_conv_u8_p gemm_shape(int32_t m, int32_t n, int32_t k,
                                const int32_t *tap)
{
  o2c_conv_u8_p p;
  memset(&p, 0, sizeof p);
  p.oh = 1;
  p.ow = m;
  p.oc = n;
  p.ntap = 1;
  p.kc = k;
  p.tap = tap;
  p.x_pix = k;
  p.y_pix = n;
  p.x_row = (int64_t)m * k;
  p.y_row = (int64_t)m * n;
  p.y_zp = (int32_t)(rnd() % 256);
  p.hi = 255;
  return p;
}

static void test_gemm(void)
{
  static const int32_t zero = 0;
  static const int32_t ns[] = {1,  3,  7,  8,  9,  15, 16, 17,
                               31, 32, 33, 49, 64, 65, 100};
  static const int32_t ks[] = {1, 2, 3, 4, 5, 6, 7, 8, 11, 16, 37, 64};
  int32_t m;
  size_t a, b;
  for (m = 1; m <= 43; ++m)
    for (a = 0; a < sizeof ns / sizeof *ns; ++a)
      for (b = 0; b < sizeof ks / sizeof *ks; ++b) {
        o2c_conv_u8_p p = gemm_shape(m, ns[a], ks[b], &zero);
        if ((uint32_t)m * (uint32_t)(a + b) % 5 == 0)
          p.y_pix += 3, p.x_pix += 5, p.lo = 10, p.hi = 200;
        conv_case(p, m % 11 == 3 ? 1 : m % 11 == 4 ? 2 : 0);
      }
}

static void test_conv(void)
{
  static const int32_t cs[] = {1, 2, 3, 4, 7, 16, 20};
  int32_t tap[7], k, stride, i, w;
  size_t a;
  for (k = 1; k <= 7; k += 2)
    for (stride = 1; stride <= 2; ++stride)
      for (a = 0; a < sizeof cs / sizeof *cs; ++a)
        for (w = 1; w <= 25; w += 4) {
          const int32_t c = cs[a], iw = (w - 1) * stride + k;
          o2c_conv_u8_p p = gemm_shape(w, (w * 7 + c) % 37 + 1, k * c, tap);
          for (i = 0; i < k; ++i)
            tap[i] = i * iw * c;
          p.oh = 1 + w / 4;
          p.ntap = k;
          p.x_pix = stride * c;
          p.x_row = (int64_t)stride * iw * c;
          p.y_row = w * p.y_pix + (w % 3 == 0 ? 8 : 0);
          conv_case(p, w % 4 == 3);
        }
}

/* Products of AVX2 go by what 16 bits hold for these values. */
static void test_limits(void)
{
  static const int32_t tap[2] = {0, 60};
  static const int32_t ks[] = {4, 12, 17, 36, 60, 144, 300};
  int32_t m;
  size_t a;
  for (m = 3; m <= 22; ++m)
    for (a = 0; a < sizeof ks / sizeof *ks; ++a) {
      o2c_conv_u8_p p = gemm_shape(m, 1 + m * 7 % 40, ks[a], tap);
      conv_case(p, 3);
      if (ks[a] == 60) {
        p.ntap = 2;
        p.oh = 3;
        p.x_row = p.ow * p.x_pix + 24;
        p.y_row = p.ow * p.y_pix + 1;
        conv_case(p, 3);
      }
    }
}

/* Large enough for more than one block of pixels, flat and by rows. */
static void test_blocks(void)
{
  static const int32_t tap[2] = {0, 300};
  o2c_conv_u8_p p = gemm_shape(3000, 18, 100, tap);
#if defined(__arm__)
  p.ow = 50;
#endif
  conv_case(p, 0);
  p.ntap = 2;
  p.oh = 5;
  p.y_row = p.ow * p.y_pix + 1;
  p.x_row = p.ow * p.x_pix;
  conv_case(p, 0);
}

static void test_pad(void)
{
  static const int32_t shape[5] = {3, 4, 5, 0, 0};
  static const o2c_pad_hwc_u8_p dense = {3, 4, 5, 1, 2, 0, 3, 77, 20, 5};
  static const o2c_pad_hwc_u8_p apart = {3, 4, 5, 1, 2, 0, 3, 77, 40, 9};
  uint8_t *x = (uint8_t *)grab(112), *y = (uint8_t *)grab(4 * 9 * 5);
  int32_t i, j, c, k;
  fill(x, 112, 0, 0);
  for (k = 0; k < 2; ++k) {
    const o2c_pad_hwc_u8_p *p = k ? &apart : &dense;
    o2c_pad_hwc_u8(x, y, p);
    for (i = 0; i < 4; ++i)
      for (j = 0; j < 9; ++j)
        for (c = 0; c < 5; ++c) {
          const int in = i >= 1 && j >= 2 && j < 6;
          const uint8_t want =
            in ? x[(i - 1) * p->x_row + (j - 2) * p->x_pix + c] : 77;
          if (y[(i * 9 + j) * 5 + c] != want)
            bad("pad", shape, (i * 9 + j) * 5 + c);
        }
  }
  free(x);
  free(y);
}

/* ---- depthwise ---- */
static int32_t dw_ref(const uint8_t *x, const int8_t *w, const int32_t *bias,
                      const o2c_dw_u8_p *p, const int32_t *at)
{
  int32_t r, s, acc = bias[at[2]];
  for (r = 0; r < p->kh; ++r)
    for (s = 0; s < p->kw; ++s)
      acc += x[at[0] * p->x_row + at[1] * p->x_pix + r * p->tap_row +
               s * p->tap_pix + at[2]] *
             w[(r * p->kw + s) * p->c + at[2]];
  return acc;
}

static void dw_same(const uint8_t *x, const int8_t *w, const int32_t *bias,
                    const float *scale, const o2c_dw_u8_p *p)
{
  const int32_t q[3] = {p->y_zp, p->lo, p->hi};
  const int32_t shape[5] = {p->oh, p->ow, p->c, p->kh, (int32_t)p->x_pix};
  const size_t ny =
      (size_t)((p->oh - 1) * p->y_row + (p->ow - 1) * p->y_pix + p->c);
  uint8_t *y = (uint8_t *)grab(ny);
  int32_t at[3];
  size_t i, gaps = ny - (size_t)(p->oh * p->ow * p->c);
  memset(y, 0xA5, ny);
  o2c_dw_u8(x, w, bias, scale, y, p);
  for (at[0] = 0; at[0] < p->oh; ++at[0])
    for (at[1] = 0; at[1] < p->ow; ++at[1])
      for (at[2] = 0; at[2] < p->c; ++at[2]) {
        const int64_t to = at[0] * p->y_row + at[1] * p->y_pix + at[2];
        const int32_t acc = dw_ref(x, w, bias, p, at);
        if (y[to] != ref_requant(acc, scale[at[2]], q)) {
          bad("dw", shape, (long)to);
          free(y);
          return;
        }
        y[to] = 0;
      }
  for (i = 0; i < ny; ++i)
    gaps -= y[i] == 0xA5;
  if (gaps)
    bad("dw gaps", shape, 0);
  free(y);
}

static void dw_case(int32_t c, int32_t k, int32_t stride, int32_t ow, int mode)
{
  const int32_t dil = k == 2 ? 2 : 1,
                iw = (ow - 1) * stride + 1 + (k - 1) * dil;
  const size_t c16 = ((size_t)c + 15) / 16 * 16;
  const int32_t oh = 1 + (c + ow) % 5;
  const int32_t ih = (oh - 1) * stride + 1 + (k - 1) * dil;
  const size_t nx = (size_t)(ih * iw * c), nw = (size_t)(k * k * c);
  uint8_t *x = (uint8_t *)grab(nx);
  int8_t *w = (int8_t *)grab(nw);
  int32_t *bias = (int32_t *)grab(c16 * 4), i;
  float *scale = (float *)grab(c16 * 4);
  o2c_dw_u8_p p = {0};
  fill(x, nx, mode, 0);
  fill(w, nw, mode, 1);
  memset(bias, 0, c16 * 4);
  memset(scale, 0, c16 * 4);
  for (i = 0; i < c; ++i) {
    bias[i] = (int32_t)(rnd() % 9999) - 5000;
    scale[i] = some_scale(ow == 3 ? 2 : mode) * 16;
  }
  p.oh = oh;
  p.ow = ow;
  p.c = c;
  p.kh = p.kw = k;
  p.x_row = (int64_t)stride * iw * c;
  p.x_pix = stride * c;
  p.tap_row = (int64_t)dil * iw * c;
  p.tap_pix = dil * c;
  p.y_pix = c + (ow % 2 ? 3 : 0);
  p.y_row = ow * p.y_pix;
  p.y_zp = (int32_t)(rnd() % 256);
  p.lo = ow == 5 ? p.y_zp : 0;
  p.hi = ow == 6 ? 200 : 255;
  if (rnd() % 4)
    p.scratch = (int16_t *)grab(sizeof(int16_t) *
                                (size_t)O2C_DW_U8_SCRATCH(ih, iw));
  dw_same(x, w, bias, scale, &p);
  free(p.scratch);
  free(x), free(w), free(bias), free(scale);
}

static void test_dw(void)
{
  static const int32_t cs[] = {1,  3,  4,  7,  8,  15, 16, 17,
                               24, 32, 48, 63, 64, 65, 130};
  int32_t k, stride, ow;
  size_t a;
  for (a = 0; a < sizeof cs / sizeof *cs; ++a)
    for (k = 1; k <= 5; ++k)
      for (stride = 1; stride <= 3; ++stride)
        for (ow = 1; ow <= 10; ++ow)
          dw_case(cs[a], k, stride, ow, ow == 7);
}

/* ---- elementwise: every pair of bytes, every length up to 70 ---- */
static void binary_case(float y_scale)
{
  static const int32_t shape[5] = {256, 256, 0, 0, 0};
  uint8_t *a = (uint8_t *)grab(256), *b = (uint8_t *)grab(256 * 256);
  uint8_t *y = (uint8_t *)grab(256 * 256), *z = (uint8_t *)grab(256 * 256);
  o2c_binary_u8_p p = {256,     256, 0, 256, 256, 0.731f, 1.377f,
                       y_scale, 131, 7, 119, 0,   250};
  const int32_t q[3] = {p.y_zp, p.lo, p.hi};
  int32_t i, j;
  for (i = 0; i < 256; ++i) {
    a[i] = (uint8_t)i;
    memset(b + i * 256, i, 256);
  }
  o2c_add_u8(a, b, y, &p);
  p.a_scale = 0.0173f;
  o2c_mul_u8(a, b, z, &p);
  for (i = 0; i < 256; ++i)
    for (j = 0; j < 256; ++j) {
      const volatile float u = (float)(j - 131) * 0.731f;
      const volatile float v = (float)(i - 7) * 1.377f, s = u + v;
      const volatile float d = s / y_scale;
      if (y[i * 256 + j] != ref_round(d, q))
        bad("add", shape, i * 256 + j);
      if (z[i * 256 + j] != ref_requant((j - 131) * (i - 7), 0.0173f, q))
        bad("mul", shape, i * 256 + j);
    }
  free(a), free(b), free(y), free(z);
}

static void test_binary(void)
{
  binary_case(1.0f);
  binary_case(2.83f);
  binary_case(1e-30f);
}

static void rows_case(int32_t n)
{
  const int32_t shape[5] = {n, 0, 0, 0, 0}, q[3] = {100, 0, 255};
  float *f = (float *)grab((size_t)n * 4), *g = (float *)grab((size_t)n * 4);
  uint8_t *y = (uint8_t *)grab((size_t)n), *z = (uint8_t *)grab((size_t)n);
  uint8_t table[256];
  int32_t i;
  for (i = 0; i < n; ++i)
    f[i] = (float)((int32_t)(rnd() % 4001) - 2000) * 0.0625f;
  if (n > 3)
    f[1] = 3e38f, f[3] = -3e38f;
  fill(table, 256, 0, 0);
  o2c_quantize_u8(f, y, (size_t)n, 0.5f, 100);
  o2c_dequantize_u8(y, g, (size_t)n, 0.37f, 100);
  o2c_map_u8(y, z, (size_t)n, table);
  for (i = 0; i < n; ++i) {
    if (y[i] != ref_round(f[i] / 0.5f, q))
      bad("quantize", shape, i);
    if (g[i] != (float)(y[i] - 100) * 0.37f)
      bad("dequantize", shape, i);
    if (z[i] != table[y[i]])
      bad("map", shape, i);
  }
  free(f), free(g), free(y), free(z);
}

/* Ranges that lie on both sides of 0, on one, and nowhere; NaN. */
static void dynamic_case(int32_t n, float from, float step)
{
  const int32_t shape[5] = {n, 0, 0, 0, 0};
  float *f = (float *)grab((size_t)n * 4), lo = 0, hi = 0, scale, want;
  uint8_t *y = (uint8_t *)grab((size_t)n), zero, zp = 0;
  int32_t i;
  for (i = 0; i < n; ++i)
    f[i] = from + step * (float)(rnd() % 1001);
  if (n > 2)
    memset(&f[1], 255, sizeof *f);
  for (i = 0; i < n; ++i) {
    lo = f[i] < lo ? f[i] : lo;
    hi = f[i] > hi ? f[i] : hi;
  }
  want = (hi - lo) / 255.0f;
  if (want > 0) {
    const int32_t q[3] = {0, 0, 255};
    zp = (uint8_t)ref_round(0.0f - lo / want, q);
  }
  o2c_dynamic_quantize_u8(f, y, &scale, &zero, (size_t)n);
  if (scale != want || zero != zp)
    bad("dynamic_quantize", shape, -1);
  for (i = 0; i < n; ++i) {
    const int32_t q[3] = {zp, 0, 255};
    const int32_t v = f[i] == f[i] && want > 0 ? ref_round(f[i] / want, q) : 0;
    if (y[i] != v)
      bad("dynamic_quantize", shape, i);
  }
  free(f), free(y);
}

static void test_rows(void)
{
  int32_t n;
  for (n = 0; n <= 140; ++n)
    rows_case(n);
  for (n = 0; n <= 70; ++n) {
    dynamic_case(n, -3.0f, 0.01f);
    dynamic_case(n, 2.0f, 0.01f);
    dynamic_case(n, -20.0f, 0.01f);
    dynamic_case(n, 0.0f, 0.0f);
  }
}

/* ---- pooling ---- */
static void pool_ref(const uint8_t *x, const o2c_pool_u8_p *p,
                     const int32_t *at, uint8_t *want)
{
  const int32_t q[3] = {p->y_zp, p->lo, p->hi};
  int32_t r, s, most = 0, sum = 0, valid = 0, padded = 0;
  for (r = 0; r < p->kh; ++r)
    for (s = 0; s < p->kw; ++s) {
      const int32_t i = at[0] * p->sh - p->top + r * p->dh;
      const int32_t j = at[1] * p->sw - p->left + s * p->dw;
      uint8_t v;
      padded += i < p->h + p->bottom && j < p->w + p->right;
      if (i < 0 || i >= p->h || j < 0 || j >= p->w)
        continue;
      v = x[i * p->x_row + j * p->x_pix + at[2]];
      most = v > most ? v : most;
      sum += v - p->x_zp;
      ++valid;
    }
  want[0] = (uint8_t)most;
  want[1] = (uint8_t)ref_requant(
      sum, p->scale / (float)(p->count_pad ? padded : valid), q);
}

static void pool_case(const o2c_pool_u8_p *p)
{
  const int32_t shape[5] = {p->oh, p->ow, p->c, p->kh, p->sh};
  const size_t nx = (size_t)(p->h * p->w * p->c);
  const size_t ny = (size_t)(p->oh * p->ow * p->c);
  uint8_t *x = (uint8_t *)grab(nx), *y = (uint8_t *)grab(ny);
  uint8_t *z = (uint8_t *)grab(ny), want[2];
  int32_t at[3];
  fill(x, nx, p->c == 17, 0);
  o2c_maxpool_u8(x, y, p);
  o2c_avgpool_u8(x, z, p);
  for (at[0] = 0; at[0] < p->oh; ++at[0])
    for (at[1] = 0; at[1] < p->ow; ++at[1])
      for (at[2] = 0; at[2] < p->c; ++at[2]) {
        const size_t to = (size_t)((at[0] * p->ow + at[1]) * p->c + at[2]);
        pool_ref(x, p, at, want);
        if (y[to] != want[0])
          bad("max", shape, (long)to);
        if (z[to] != want[1])
          bad("average", shape, (long)to);
      }
  free(x), free(y), free(z);
}

static void test_pool(void)
{
  static const int32_t cs[] = {1, 5, 16, 17, 64, 81};
  int32_t k, stride, pad, dil;
  size_t a;
  for (a = 0; a < sizeof cs / sizeof *cs; ++a)
    for (k = 1; k <= 3; ++k)
      for (stride = 1; stride <= 2; ++stride)
        for (pad = 0; pad < k; ++pad)
          for (dil = 1; dil <= (k == 2 ? 2 : 1); ++dil) {
            const int32_t n = 7, span = (k - 1) * dil;
            const int32_t o = (n + 2 * pad - span - 1) / stride + 1;
            o2c_pool_u8_p p = {n,         n,     cs[a],     o,      o,
                               k,         k,     stride,    stride, dil,
                               dil,       pad,   pad,       pad,    pad,
                               n * cs[a], cs[a], o * cs[a], cs[a],  0.77f,
                               13,        20,    0,         255,    pad};
            if (pad * 2 < span + 1)
              pool_case(&p);
          }
  {
    o2c_pool_u8_p p = {30, 40, 17,  1,  1,  30, 40,   1, 1, 1, 1,   0, 0,
                       0,  0,  680, 17, 17, 17, 1.1f, 3, 9, 0, 255, 0};
    pool_case(&p);
    p.w = p.kw = 300;
    p.x_row = 300 * 17;
    p.h = p.kh = 2;
    pool_case(&p);
  }
}

int main(void)
{
#ifdef O2C_NEEDS_AMX
  if (!(o2c_cpu() & O2C_CPU_AMX)) {
    printf("AMX is not granted\n");
    return 2;
  }
#endif
  test_gemm();
  test_conv();
  test_limits();
  test_blocks();
  test_pad();
  test_dw();
  test_binary();
  test_rows();
  test_pool();
  printf(failures ? "%d failures\n" : "ok\n", failures);
  return failures != 0;
}
