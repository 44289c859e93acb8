/* SPDX-License-Identifier: 0BSD */
/* f32 depthwise convolution over channels-last activations, already padded.

     y[i*y_row + j*y_pix + c] =
       clamp(bias[c] + sum_{a<kh} sum_{b<kw}
             x[i*x_row + j*x_pix + a*tap_row + b*tap_pix + c]
             * w[(a*kw + b)*w_tap + c], lo, hi)

   static void o2c_dw_f32(const float *x, const float *w, const float *bias,
                          float *y, const o2c_dw_f32_p *p);
   static void o2c_dw_f32_rows(.., int64_t from, int64_t to);

   For an [h][w][C] image: tap_row = dilation*w*C, tap_pix = dilation*C,
   x_row = stride*w*C, x_pix = stride*C, w_tap = C. bias may be NULL; y overlaps
   nothing. Each element is one chain of (fused) multiply-adds from bias over
   a, then b.

   Four pixels of a row at a time, all channels before the next four: memory
   is read forwards, and a vector of weights serves four outputs. With kw 3 or
   5 and stride 1 or 2 the pixels share the inputs that overlap; 3x3 with
   stride 1 takes two rows at a time where there are registers for it. */
#ifndef O2C_DW_F32_H
#define O2C_DW_F32_H

#include "simd.h"

/* 8 sums, 6 inputs and 9 weights want 32 registers. */
#if defined(O2C_AVX512) || defined(O2C_NEON)
#define O2C_DW_PAIRS 1
#else
#define O2C_DW_PAIRS 0
#endif

/* Channels at a time, so that the inputs of a few pixels stay in the
   first-level cache. */
#define O2C_DW_BLOCK 128

typedef struct {
  int32_t oh, ow, c;         /* output rows, pixels a row, channels */
  int32_t kh, kw;
  int64_t x_row, x_pix;      /* elements between rows, pixels: output steps */
  int64_t tap_row, tap_pix;  /* elements between taps */
  int64_t w_tap;             /* elements between taps in w */
  int64_t y_row, y_pix;
  float lo, hi;              /* -INFINITY, INFINITY: no clamp */
} o2c_dw_f32_p;

/* One vector of channels of up to 2x4 pixels; n lanes, all if full. */
typedef struct {
  const float *x, *w, *bias;
  float *y;
  ptrdiff_t x_row, x_pix, tap_row, tap_pix, w_tap, y_row, y_pix;
  int kh, kw, n;
  float lo, hi;
} o2c_dw_tile;

O2C_INLINE o2c_v o2c_dw_ld(const float *p, const o2c_dw_tile *a, int full)
{
  return full ? o2c_vld(p) : o2c_vld_n(p, a->n);
}

O2C_INLINE void o2c_dw_st(const o2c_dw_tile *a, ptrdiff_t at, o2c_v v, int full)
{
  v = o2c_vclamp(v, o2c_vset1(a->lo), o2c_vset1(a->hi));
  if (full)
    o2c_vst(a->y + at, v);
  else
    o2c_vst_n(a->y + at, v, a->n);
}

O2C_INLINE o2c_v o2c_dw_bias(const o2c_dw_tile *a, int full)
{
  return a->bias ? o2c_dw_ld(a->bias, a, full) : o2c_vzero();
}

/* px (1 or 4) pixels of any kernel. */
O2C_INLINE void o2c_dw_any(const o2c_dw_tile *a, const int px, const int full)
{
  const ptrdiff_t s = a->x_pix;
  const float *w = a->w;
  o2c_v c0 = o2c_dw_bias(a, full), c1 = c0, c2 = c0, c3 = c0;
  O2C_ROLLED
  for (int i = 0; i < a->kh; i++) {
    const float *x = a->x + i * a->tap_row;
    O2C_ROLLED
    for (int j = 0; j < a->kw; j++, x += a->tap_pix, w += a->w_tap) {
      const o2c_v v = o2c_dw_ld(w, a, full);
      c0 = o2c_vfma(o2c_dw_ld(x, a, full), v, c0);
      if (px > 1) {
        c1 = o2c_vfma(o2c_dw_ld(x + s, a, full), v, c1);
        c2 = o2c_vfma(o2c_dw_ld(x + 2 * s, a, full), v, c2);
        c3 = o2c_vfma(o2c_dw_ld(x + 3 * s, a, full), v, c3);
      }
    }
  }
  o2c_dw_st(a, 0, c0, full);
  if (px > 1) {
    o2c_dw_st(a, a->y_pix, c1, full);
    o2c_dw_st(a, 2 * a->y_pix, c2, full);
    o2c_dw_st(a, 3 * a->y_pix, c3, full);
  }
}

/* Tap b of pixel q, of stride s: equal inputs are loaded once. */
#define O2C_DW_X(q, b) o2c_dw_ld(x + ((q) * s + (b)) * t, a, full)
#define O2C_DW_TAP(b) if (kw > b) { \
    const o2c_v v = o2c_dw_ld(w + (b) * w_tap, a, full); \
    c0 = o2c_vfma(O2C_DW_X(0, b), v, c0); c1 = o2c_vfma(O2C_DW_X(1, b), v, c1);\
    c2 = o2c_vfma(O2C_DW_X(2, b), v, c2); c3 = o2c_vfma(O2C_DW_X(3, b), v, c3);}

/* Four pixels; kw <= 5 and the stride s in taps are constants. */
O2C_INLINE void o2c_dw_four(const o2c_dw_tile *a, const int kw, const int s,
                            const int full)
{
  ptrdiff_t t = a->tap_pix, w_tap = a->w_tap;
  const float *x = a->x, *w = a->w;
  O2C_IN_MEMORY(t); /* or its multiples take registers from loop to loop */
  O2C_IN_MEMORY(w_tap);
  o2c_v c0 = o2c_dw_bias(a, full), c1 = c0, c2 = c0, c3 = c0;
  O2C_ROLLED
  for (int i = 0; i < a->kh; i++, x += a->tap_row, w += kw * w_tap) {
    O2C_DW_TAP(0)
    O2C_DW_TAP(1)
    O2C_DW_TAP(2)
    O2C_DW_TAP(3)
    O2C_DW_TAP(4)
  }
  o2c_dw_st(a, 0, c0, full);
  o2c_dw_st(a, a->y_pix, c1, full);
  o2c_dw_st(a, 2 * a->y_pix, c2, full);
  o2c_dw_st(a, 3 * a->y_pix, c3, full);
}

/* 3x3, stride 1, two output rows: input row i meets kernel row i for the upper
   and i - 1 for the lower. */
O2C_INLINE void o2c_dw_eight(const o2c_dw_tile *a, const int full)
{
  ptrdiff_t t = a->tap_pix, w_tap = a->w_tap;
  const int kw = 3, s = 1;
  O2C_IN_MEMORY(t);
  O2C_IN_MEMORY(w_tap);
  const float *const x0 = a->x;
  const o2c_v bias = o2c_dw_bias(a, full);
  o2c_v u0 = bias, u1 = bias, u2 = bias, u3 = bias;
  o2c_v d0 = bias, d1 = bias, d2 = bias, d3 = bias;
#define O2C_DW_ROW(i, k, p) { const float *x = x0 + (i) * a->tap_row; \
    const float *w = a->w + 3 * (k) * w_tap; \
    o2c_v c0 = p##0, c1 = p##1, c2 = p##2, c3 = p##3; \
    O2C_DW_TAP(0) O2C_DW_TAP(1) O2C_DW_TAP(2) \
    p##0 = c0; p##1 = c1; p##2 = c2; p##3 = c3; }
  O2C_DW_ROW(0, 0, u)
  O2C_DW_ROW(1, 1, u)
  O2C_DW_ROW(1, 0, d)
  O2C_DW_ROW(2, 2, u)
  O2C_DW_ROW(2, 1, d)
  O2C_DW_ROW(3, 2, d)
#undef O2C_DW_ROW
  o2c_dw_st(a, 0, u0, full);
  o2c_dw_st(a, a->y_pix, u1, full);
  o2c_dw_st(a, 2 * a->y_pix, u2, full);
  o2c_dw_st(a, 3 * a->y_pix, u3, full);
  o2c_dw_st(a, a->y_row, d0, full);
  o2c_dw_st(a, a->y_row + a->y_pix, d1, full);
  o2c_dw_st(a, a->y_row + 2 * a->y_pix, d2, full);
  o2c_dw_st(a, a->y_row + 3 * a->y_pix, d3, full);
}

#undef O2C_DW_TAP
#undef O2C_DW_X

/* All channels of one tile. */
enum { O2C_DW_ONE, O2C_DW_ANY, O2C_DW_3S1, O2C_DW_3S2, O2C_DW_5S1, O2C_DW_5S2,
       O2C_DW_3X3 };

O2C_INLINE void o2c_dw_vector(const o2c_dw_tile *a, const int kind,
                              const int full)
{
  switch (kind) {
  case O2C_DW_ONE: o2c_dw_any(a, 1, full); break;
  case O2C_DW_ANY: o2c_dw_any(a, 4, full); break;
  case O2C_DW_3S1: o2c_dw_four(a, 3, 1, full); break;
  case O2C_DW_3S2: o2c_dw_four(a, 3, 2, full); break;
  case O2C_DW_5S1: o2c_dw_four(a, 5, 1, full); break;
  case O2C_DW_5S2: o2c_dw_four(a, 5, 2, full); break;
  default: o2c_dw_eight(a, full); break;
  }
}

O2C_INLINE void o2c_dw_channels(const o2c_dw_tile *tile, int32_t channels,
                                const int kind)
{
  o2c_dw_tile a = *tile;
  O2C_ROLLED
  for (; channels >= O2C_LANES; channels -= O2C_LANES) {
    o2c_dw_vector(&a, kind, 1);
    a.x += O2C_LANES;
    a.w += O2C_LANES;
    a.y += O2C_LANES;
    a.bias = a.bias ? a.bias + O2C_LANES : a.bias;
  }
  if (channels > 0) {
    a.n = channels;
    o2c_dw_vector(&a, kind, 0);
  }
}

/* One function a kind: as one, clang gives each its own piece of the frame. */
#define O2C_DW_KIND(name, kind) \
  O2C_NOINLINE void name(const o2c_dw_tile *a, int32_t channels) \
  { \
    o2c_dw_channels(a, channels, kind); \
  }
O2C_DW_KIND(o2c_dw_one, O2C_DW_ONE)
O2C_DW_KIND(o2c_dw_any_size, O2C_DW_ANY)
O2C_DW_KIND(o2c_dw_3s1, O2C_DW_3S1)
O2C_DW_KIND(o2c_dw_3s2, O2C_DW_3S2)
O2C_DW_KIND(o2c_dw_5s1, O2C_DW_5S1)
O2C_DW_KIND(o2c_dw_5s2, O2C_DW_5S2)
O2C_DW_KIND(o2c_dw_3x3, O2C_DW_3X3)
#undef O2C_DW_KIND

O2C_INLINE void o2c_dw_run(const o2c_dw_tile *a, int32_t channels, int kind)
{
  switch (kind) {
  case O2C_DW_ONE: o2c_dw_one(a, channels); break;
  case O2C_DW_ANY: o2c_dw_any_size(a, channels); break;
  case O2C_DW_3S1: o2c_dw_3s1(a, channels); break;
  case O2C_DW_3S2: o2c_dw_3s2(a, channels); break;
  case O2C_DW_5S1: o2c_dw_5s1(a, channels); break;
  case O2C_DW_5S2: o2c_dw_5s2(a, channels); break;
  default: o2c_dw_3x3(a, channels); break;
  }
}

/* How to compute four pixels of a row. */
O2C_INLINE int o2c_dw_kind(const o2c_dw_f32_p *p)
{
  const int s = p->x_pix == p->tap_pix ? 1 : p->x_pix == 2 * p->tap_pix ? 2 : 0;
  if (p->ow < 4)
    return O2C_DW_ONE;
  if (p->kw == 3 && s > 0)
    return s == 1 ? O2C_DW_3S1 : O2C_DW_3S2;
  if (p->kw == 5 && s > 0)
    return s == 1 ? O2C_DW_5S1 : O2C_DW_5S2;
  return O2C_DW_ANY;
}

O2C_NOINLINE void o2c_dw_f32(const float *x, const float *w,
                             const float *bias, float *y,
                             const o2c_dw_f32_p *p)
{
  const int kind = o2c_dw_kind(p), px = kind == O2C_DW_ONE ? 1 : 4;
  const int pairs = kind == O2C_DW_3S1 && p->kh == 3 &&
                    p->x_row == p->tap_row && O2C_DW_PAIRS;
  o2c_dw_tile a;
  a.x_row = (ptrdiff_t)p->x_row;
  a.x_pix = (ptrdiff_t)p->x_pix;
  a.tap_row = (ptrdiff_t)p->tap_row;
  a.tap_pix = (ptrdiff_t)p->tap_pix;
  a.w_tap = (ptrdiff_t)p->w_tap;
  a.y_row = (ptrdiff_t)p->y_row;
  a.y_pix = (ptrdiff_t)p->y_pix;
  a.kh = p->kh;
  a.kw = p->kw;
  a.n = O2C_LANES;
  a.lo = p->lo;
  a.hi = p->hi;
  for (int32_t i = 0; i < p->oh; i++) {
    const int two = pairs && i + 1 < p->oh;
    for (int32_t c = 0, n; c < p->c; c += n) {
      const int32_t left = p->c - c;
      n = left > O2C_DW_BLOCK * 3 / 2 ? O2C_DW_BLOCK : left;
      for (int32_t j = 0; j < p->ow; j += px) {
        /* the last four pixels may repeat some of those before */
        const int32_t q = j + px > p->ow ? p->ow - px : j;
        a.x = x + i * a.x_row + q * a.x_pix + c;
        a.y = y + i * a.y_row + q * a.y_pix + c;
        a.w = w + c;
        a.bias = bias ? bias + c : bias;
        o2c_dw_run(&a, n, two ? O2C_DW_3X3 : kind);
      }
    }
    i += two;
  }
}

/* Output rows [from, to) alone. */
O2C_UNUSED static void o2c_dw_f32_rows(const float *x, const float *w,
                                       const float *bias, float *y,
                                       const o2c_dw_f32_p *p, int64_t from,
                                       int64_t to)
{
  o2c_dw_f32_p q = *p;
  q.oh = (int32_t)(to - from);
  o2c_dw_f32(x + from * p->x_row, w, bias, y + from * p->y_row, &q);
}

#endif
