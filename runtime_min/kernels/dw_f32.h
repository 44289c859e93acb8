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
   5 and stride 1 or 2 the pixels share the inputs that overlap; 3x3 takes two
   rows at a time where there are registers for it. */
#ifndef O2C_DW_F32_H
#define O2C_DW_F32_H

#include "simd.h"

/* 8 sums, 6 or 9 inputs and 9 weights want 32 registers. */
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

/* 3x3, stride s of 1 or 2, of one output row or two: input row i meets kernel
   row i for the upper and i - s for the lower. gcc is held to one address a
   row. */
#if defined(__GNUC__) && !defined(__clang__)
#define O2C_DW_PLAIN(p) __asm__("" : "+r"(p))
#else
#define O2C_DW_PLAIN(p) ((void)(p))
#endif
#define O2C_DW_IN(q) if (q < 3 * s + 3) v##q = o2c_dw_ld(x + (q) * t, a, full);
#define O2C_DW_ROW O2C_DW_PLAIN(x); O2C_DW_IN(0) O2C_DW_IN(1) O2C_DW_IN(2) \
  O2C_DW_IN(3) O2C_DW_IN(4) O2C_DW_IN(5) O2C_DW_IN(6) O2C_DW_IN(7) \
  O2C_DW_IN(8) x += a->tap_row;
#define O2C_DW_WEIGHTS(k) O2C_DW_PLAIN(w); k##0 = o2c_dw_ld(w, a, full); \
  k##1 = o2c_dw_ld(w + w_tap, a, full); \
  k##2 = o2c_dw_ld(w + 2 * w_tap, a, full); w += 3 * w_tap;
#define O2C_DW_TAPS(o, w, i, j, k, l) \
  o##0 = o2c_vfma(v##i, w, o##0); o##1 = o2c_vfma(v##j, w, o##1); \
  o##2 = o2c_vfma(v##k, w, o##2); o##3 = o2c_vfma(v##l, w, o##3);
#define O2C_DW_SUMS(o, k) if (s == 1) { O2C_DW_TAPS(o, k##0, 0, 1, 2, 3) \
    O2C_DW_TAPS(o, k##1, 1, 2, 3, 4) O2C_DW_TAPS(o, k##2, 2, 3, 4, 5) \
  } else { O2C_DW_TAPS(o, k##0, 0, 2, 4, 6) O2C_DW_TAPS(o, k##1, 1, 3, 5, 7) \
    O2C_DW_TAPS(o, k##2, 2, 4, 6, 8) }

O2C_INLINE void o2c_dw_3x3(const o2c_dw_tile *a, const int s,
                           const int two, const int full)
{
  const ptrdiff_t t = a->tap_pix, w_tap = a->w_tap;
  const float *x = a->x, *w = a->w;
  o2c_v u0 = o2c_dw_bias(a, full), u1 = u0, u2 = u0, u3 = u0;
  o2c_v d0 = u0, d1 = u0, d2 = u0, d3 = u0;
  o2c_v v0 = u0, v1 = u0, v2 = u0, v3 = u0, v4 = u0, v5 = u0, v6 = u0, v7 = u0,
        v8 = u0, k0, k1, k2, l0, l1, l2, m0, m1, m2;
  O2C_DW_WEIGHTS(k)
  O2C_DW_ROW
  O2C_DW_SUMS(u, k)
  O2C_DW_WEIGHTS(l)
  O2C_DW_ROW
  O2C_DW_SUMS(u, l)
  if (two && s == 1) {
    O2C_DW_SUMS(d, k)
  }
  O2C_DW_WEIGHTS(m)
  O2C_DW_ROW
  O2C_DW_SUMS(u, m)
  if (two && s == 1) {
    O2C_DW_SUMS(d, l)
  } else if (two) {
    O2C_DW_SUMS(d, k)
  }
  o2c_dw_st(a, 0, u0, full);
  o2c_dw_st(a, a->y_pix, u1, full);
  o2c_dw_st(a, 2 * a->y_pix, u2, full);
  o2c_dw_st(a, 3 * a->y_pix, u3, full);
  if (!two)
    return;
  O2C_DW_ROW
  if (s == 2) {
    O2C_DW_SUMS(d, l)
    O2C_DW_ROW
  }
  O2C_DW_SUMS(d, m)
  o2c_dw_st(a, a->y_row, d0, full);
  o2c_dw_st(a, a->y_row + a->y_pix, d1, full);
  o2c_dw_st(a, a->y_row + 2 * a->y_pix, d2, full);
  o2c_dw_st(a, a->y_row + 3 * a->y_pix, d3, full);
}

#undef O2C_DW_SUMS
#undef O2C_DW_TAPS
#undef O2C_DW_WEIGHTS
#undef O2C_DW_ROW
#undef O2C_DW_IN
#undef O2C_DW_PLAIN
#undef O2C_DW_TAP
#undef O2C_DW_X

/* All channels of one tile. */
enum { O2C_DW_ONE, O2C_DW_ANY, O2C_DW_3S1, O2C_DW_3S2, O2C_DW_5S1, O2C_DW_5S2,
       O2C_DW_3X3S1,
       O2C_DW_3X3S2, O2C_DW_3X3S1_TWO, O2C_DW_3X3S2_TWO };

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
  case O2C_DW_3X3S1: o2c_dw_3x3(a, 1, 0, full); break;
  case O2C_DW_3X3S2: o2c_dw_3x3(a, 2, 0, full); break;
  case O2C_DW_3X3S1_TWO: o2c_dw_3x3(a, 1, 1, full); break;
  default: o2c_dw_3x3(a, 2, 1, full); break;
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
O2C_DW_KIND(o2c_dw_3x3s1, O2C_DW_3X3S1)
O2C_DW_KIND(o2c_dw_3x3s2, O2C_DW_3X3S2)
O2C_DW_KIND(o2c_dw_3x3s1_two, O2C_DW_3X3S1_TWO)
O2C_DW_KIND(o2c_dw_3x3s2_two, O2C_DW_3X3S2_TWO)
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
  case O2C_DW_3X3S1: o2c_dw_3x3s1(a, channels); break;
  case O2C_DW_3X3S2: o2c_dw_3x3s2(a, channels); break;
  case O2C_DW_3X3S1_TWO: o2c_dw_3x3s1_two(a, channels); break;
  default: o2c_dw_3x3s2_two(a, channels); break;
  }
}

/* How to compute four pixels of a row. */
O2C_INLINE int o2c_dw_kind(const o2c_dw_f32_p *p)
{
  const int s = p->x_pix == p->tap_pix ? 1 : p->x_pix == 2 * p->tap_pix ? 2 : 0;
  if (p->ow < 4)
    return O2C_DW_ONE;
  if (p->kw == 3 && p->kh == 3 && s > 0 && O2C_DW_PAIRS)
    return s == 1 ? O2C_DW_3X3S1 : O2C_DW_3X3S2;
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
  /* two rows that share some of their inputs */
  const int pair = kind == O2C_DW_3X3S1 && p->x_row == p->tap_row
                   ? O2C_DW_3X3S1_TWO
                 : kind == O2C_DW_3X3S2 && p->x_row == 2 * p->tap_row
                   ? O2C_DW_3X3S2_TWO : 0;
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
    const int two = pair && i + 1 < p->oh;
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
        o2c_dw_run(&a, n, two ? pair : kind);
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
