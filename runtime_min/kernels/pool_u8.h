/* SPDX-License-Identifier: 0BSD */
/* 8-bit pooling, channels last. Windows are clipped to the input, so it needs
 * no padding; every window must hold at least one input pixel.
 *
 *   o2c_maxpool_u8   the largest byte (scale and zero point pass through)
 *   o2c_avgpool_u8   acc = sum (x - x_zp) over the clipped window, then
 *                    requantised (u8.h) with the scale `scale / count`: one
 *                    f32 division. scale is x_scale / y_scale, rounded to f32
 *                    by the compiler. count is the number of pixels of the
 *                    clipped window, or, if count_pad, of the window clipped
 *                    to the padded input (pads count, at real value zero).
 *
 * A global average is kh = h, kw = w, oh = ow = 1. */
#ifndef O2C_POOL_U8_H
#define O2C_POOL_U8_H

#include "u8.h"

typedef struct {
  int32_t h, w, c, oh, ow, kh, kw;
  int32_t sh, sw, dh, dw;             /* strides and dilations, at least 1 */
  int32_t top, left, bottom, right;   /* pads */
  int64_t x_row, x_pix, y_row, y_pix; /* in elements; of input and output */
  /* average only: */
  float scale;
  int32_t x_zp, y_zp, lo, hi, count_pad;
} o2c_pool_u8_p;

/* First and end tap of a window that begins at `at`, inside 0 .. n - 1. */
typedef struct {
  int32_t from, to;
} o2c_poolq_span;

O2C_U8_INLINE o2c_poolq_span o2c_poolq_clip(int32_t at, int32_t k, int32_t d,
                                            int32_t low, int32_t high)
{
  o2c_poolq_span s;
  s.from = at < low ? (low - at + d - 1) / d : 0;
  s.to = at + (k - 1) * d >= high ? (high - 1 - at) / d + 1 : k;
  return s;
}

/* The taps of one output, and where the first one lies. */
typedef struct {
  o2c_poolq_span r, s;
  const uint8_t *x;
  int32_t count;
} o2c_poolq_window;

O2C_U8_INLINE o2c_poolq_window o2c_poolq_at(const uint8_t *x,
                                            const o2c_pool_u8_p *p, int32_t i,
                                            int32_t j)
{
  const int32_t y0 = i * p->sh - p->top, x0 = j * p->sw - p->left;
  o2c_poolq_window v;
  v.r = o2c_poolq_clip(y0, p->kh, p->dh, 0, p->h);
  v.s = o2c_poolq_clip(x0, p->kw, p->dw, 0, p->w);
  v.x = x + (y0 + v.r.from * p->dh) * p->x_row +
        (x0 + v.s.from * p->dw) * p->x_pix;
  v.count = (v.r.to - v.r.from) * (v.s.to - v.s.from);
  if (p->count_pad) {
    const o2c_poolq_span a =
        o2c_poolq_clip(y0, p->kh, p->dh, -p->top, p->h + p->bottom);
    const o2c_poolq_span b =
        o2c_poolq_clip(x0, p->kw, p->dw, -p->left, p->w + p->right);
    v.count = (a.to - a.from) * (b.to - b.from);
  }
  return v;
}

#if O2C_U8_LANES > 1
#if defined(O2C_U8_ISA_DOT) || defined(O2C_U8_ISA_NEON) || \
    defined(O2C_U8_ISA_MVE)
typedef uint8x16_t o2c_poolq_v;
#define O2C_POOLQ_LOAD(p) vld1q_u8(p)
#define O2C_POOLQ_MAX(a, b) vmaxq_u8(a, b)
#define O2C_POOLQ_SAVE(p, v) vst1q_u8(p, v)
#else
typedef __m128i o2c_poolq_v;
#define O2C_POOLQ_LOAD(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define O2C_POOLQ_MAX(a, b) _mm_max_epu8(a, b)
#define O2C_POOLQ_SAVE(p, v) _mm_storeu_si128((__m128i *)(void *)(p), v)
#endif

/* Sixteen channels. Not left to the compiler: clang 14 keeps the 16 bytes of a
 * plain loop in memory one by one. */
O2C_U8_INLINE void o2c_maxpoolq_lanes(const o2c_poolq_window *v,
                                      const uint8_t *x, uint8_t *y,
                                      const o2c_pool_u8_p *p)
{
  const int32_t nr = v->r.to - v->r.from, ns = v->s.to - v->s.from;
  o2c_poolq_v m = O2C_POOLQ_LOAD(x);
  int32_t r, s;
  for (r = 0; r < nr; ++r)
    for (s = 0; s < ns; ++s)
      m = O2C_POOLQ_MAX(m, O2C_POOLQ_LOAD(x + r * p->dh * p->x_row +
                                          s * p->dw * p->x_pix));
  O2C_POOLQ_SAVE(y, m);
}
#endif

O2C_U8_INLINE uint8_t o2c_maxpoolq_one(const o2c_poolq_window *v,
                                       const uint8_t *x,
                                       const o2c_pool_u8_p *p)
{
  const int32_t nr = v->r.to - v->r.from, ns = v->s.to - v->s.from;
  const ptrdiff_t step = (ptrdiff_t)p->dw * (ptrdiff_t)p->x_pix;
  uint8_t m = 0;
  int32_t r, s;
  for (r = 0; r < nr; ++r) {
    const uint8_t *a = x + (ptrdiff_t)r * p->dh * (ptrdiff_t)p->x_row;
    for (s = ns; s > 0; --s, a += step)
      m = *a > m ? *a : m;
  }
  return m;
}

O2C_U8_NOINLINE void o2c_maxpool_u8(const uint8_t *x, uint8_t *y,
                                    const o2c_pool_u8_p *p)
{
  int32_t i, j, c;
  for (i = 0; i < p->oh; ++i)
    for (j = 0; j < p->ow; ++j) {
      const o2c_poolq_window v = o2c_poolq_at(x, p, i, j);
      uint8_t *to = y + i * p->y_row + j * p->y_pix;
      c = 0;
#if O2C_U8_LANES > 1
      for (; c + 16 <= p->c; c += 16)
        o2c_maxpoolq_lanes(&v, v.x + c, to + c, p);
#endif
      for (; c < p->c; ++c)
        to[c] = o2c_maxpoolq_one(&v, v.x + c, p);
    }
}

/* One channel. */
O2C_U8_INLINE uint8_t o2c_avgpoolq_one(const o2c_poolq_window *v,
                                       const uint8_t *x, float scale,
                                       const o2c_pool_u8_p *p)
{
  const int32_t nr = v->r.to - v->r.from, ns = v->s.to - v->s.from;
  const ptrdiff_t step = (ptrdiff_t)p->dw * (ptrdiff_t)p->x_pix;
  uint32_t sum = (uint32_t)nr * (uint32_t)ns * (0u - (uint32_t)p->x_zp);
  int32_t r, s;
  for (r = 0; r < nr; ++r) {
    const uint8_t *a = x + (ptrdiff_t)r * p->dh * (ptrdiff_t)p->x_row;
    for (s = ns; s > 0; --s, a += step)
      sum += *a;
  }
  return o2c_requant_u8((int32_t)sum, scale,
                        o2c_rq_make(p->y_zp, p->lo, p->hi));
}

#if O2C_U8_LANES > 1
O2C_U8_INLINE void o2c_avgpoolq_lanes(const o2c_poolq_window *v,
                                      const uint8_t *x, float scale, uint8_t *y,
                                      const o2c_pool_u8_p *p)
{
  const int32_t nr = v->r.to - v->r.from, ns = v->s.to - v->s.from;
  int32_t start[O2C_U8_LANES], r, s, c;
  float scales[O2C_U8_LANES];
  o2c_u8_lanes sum;
  for (c = 0; c < O2C_U8_LANES; ++c) {
    start[c] = -nr * ns * p->x_zp;
    scales[c] = scale;
  }
  sum = o2c_u8_lanes_load(start);
  for (r = 0; r < nr; ++r)
    for (s = 0; s < ns; ++s)
      sum = o2c_u8_lanes_add(sum, o2c_u8_lanes_widen(x + r * p->dh * p->x_row +
                                                     s * p->dw * p->x_pix));
  o2c_u8_lanes_u8(sum, scales, o2c_rq_make(p->y_zp, p->lo, p->hi), y,
                  O2C_U8_LANES);
}
#endif

O2C_U8_NOINLINE void o2c_avgpool_u8(const uint8_t *x, uint8_t *y,
                                    const o2c_pool_u8_p *p)
{
  int32_t i, j, c;
  for (i = 0; i < p->oh; ++i)
    for (j = 0; j < p->ow; ++j) {
      const o2c_poolq_window v = o2c_poolq_at(x, p, i, j);
      const float scale = p->scale / (float)v.count;
      uint8_t *to = y + i * p->y_row + j * p->y_pix;
      c = 0;
#if O2C_U8_LANES > 1
      for (; c + O2C_U8_LANES <= p->c; c += O2C_U8_LANES)
        o2c_avgpoolq_lanes(&v, v.x + c, scale, to + c, p);
#endif
      for (; c < p->c; ++c)
        to[c] = o2c_avgpoolq_one(&v, v.x + c, scale, p);
    }
}

#endif /* O2C_POOL_U8_H */
