/* SPDX-License-Identifier: 0BSD */
/* f32 pooling over channels-last activations. Pads are not stored: a window is
   cut to the image.

     static void o2c_maxpool_f32(const float *x, float *y,
                                 const o2c_pool_f32_p *p);
     static void o2c_avgpool_f32(const float *x, float *y,
                                 const o2c_pool_f32_p *p);
     static void o2c_gmax_f32(const float *x, float *y, int64_t n, int32_t c,
                              int64_t x_pix);
     static void o2c_gavg_f32(the same)

   static o2c_pool_f32_p o2c_pool_f32_rows(p, int64_t from, int64_t to);

   o2c_g*: over n pixels, x_pix elements apart, to c values.
   Maximum: a NaN in the window makes the result NaN; -inf of no taps.
   Average: the sum over rows, then pixels of the window, divided by the number
   of taps in the image or, with include_pad, in the padded image (what hangs
   over its end by ceil_mode never counts); 0 of no taps. The global average
   adds up sums of 64 pixels, the same way whatever the tile. */
#ifndef O2C_POOL_F32_H
#define O2C_POOL_F32_H

#include "simd.h"

typedef struct {
  int32_t h, w, c;                  /* input */
  int32_t oh, ow;                   /* output */
  int32_t kh, kw, sh, sw, dh, dw;   /* kernel, strides, dilations */
  int32_t top, left, bottom, right; /* pads; the ends matter to include_pad */
  int32_t include_pad;
  int64_t x_row, x_pix, y_row, y_pix;
} o2c_pool_f32_p;

/* The taps of one window along one axis that lie in the image: from, end;
   and how many count. */
typedef struct {
  int32_t from, end, count;
} o2c_pool_span;

O2C_INLINE o2c_pool_span o2c_pool_cut(int32_t start, int32_t kernel,
                                      int32_t dil, int32_t size, int32_t stop)
{
  o2c_pool_span s;
  s.from = start < 0 ? (-start + dil - 1) / dil : 0;
  s.end = start < size ? (size - start + dil - 1) / dil : 0;
  s.end = s.end < kernel ? s.end : kernel;
  s.from = s.from < s.end ? s.from : s.end;
  s.count = start < stop ? (stop - start + dil - 1) / dil : 0;
  s.count = s.count < kernel ? s.count : kernel;
  return s;
}

/* A window: rows x cols taps from x. */
typedef struct {
  const float *x;
  float *y;
  ptrdiff_t row, col;
  int32_t rows, cols, count, n;
} o2c_pool_tile;

O2C_INLINE o2c_v o2c_pool_op(o2c_v a, const float *p, int full, int n, int max)
{
  const o2c_v v = full ? o2c_vld(p) : o2c_vld_n(p, n);
  return max ? o2c_vmaxnan(a, v) : o2c_vadd(a, v);
}

O2C_INLINE void o2c_pool_st(const o2c_pool_tile *a, int q, o2c_v v, int full,
                            int max)
{
  float *y = a->y + q * O2C_LANES;
  if (!max)
    v = o2c_vdiv(v, o2c_vset1((float)a->count));
  if (full)
    o2c_vst(y, v);
  else
    o2c_vst_n(y, v, a->n);
}

/* One window, vecs (1 or 4) vectors of channels; a part of one if !full. */
O2C_INLINE void o2c_pool_tile_run(const o2c_pool_tile *a, const int vecs,
                                  const int full, const int max)
{
  o2c_v c0 = o2c_vset1(max ? -INFINITY : 0.0f), c1 = c0, c2 = c0, c3 = c0;
  O2C_ROLLED
  for (int32_t i = 0; i < a->rows; i++) {
    const float *x = a->x + i * a->row;
    O2C_ROLLED
    for (int32_t j = 0; j < a->cols; j++, x += a->col) {
      c0 = o2c_pool_op(c0, x, full, a->n, max);
      if (vecs > 1) {
        c1 = o2c_pool_op(c1, x + O2C_LANES, 1, 0, max);
        c2 = o2c_pool_op(c2, x + 2 * O2C_LANES, 1, 0, max);
        c3 = o2c_pool_op(c3, x + 3 * O2C_LANES, 1, 0, max);
      }
    }
  }
  o2c_pool_st(a, 0, c0, full, max);
  if (vecs > 1) {
    o2c_pool_st(a, 1, c1, 1, max);
    o2c_pool_st(a, 2, c2, 1, max);
    o2c_pool_st(a, 3, c3, 1, max);
  }
}

O2C_INLINE void o2c_pool_window(o2c_pool_tile a, int32_t c, const int max)
{
  if (a.rows == 0 || a.cols == 0 || a.count == 0) {
    for (int32_t i = 0; i < c; i++)
      a.y[i] = max ? -INFINITY : 0.0f;
    return;
  }
  O2C_ROLLED
  for (; c >= 4 * O2C_LANES; c -= 4 * O2C_LANES) {
    o2c_pool_tile_run(&a, 4, 1, max);
    a.x += 4 * O2C_LANES;
    a.y += 4 * O2C_LANES;
  }
  O2C_ROLLED
  for (; c >= O2C_LANES; c -= O2C_LANES) {
    o2c_pool_tile_run(&a, 1, 1, max);
    a.x += O2C_LANES;
    a.y += O2C_LANES;
  }
  a.n = c;
  if (c > 0)
    o2c_pool_tile_run(&a, 1, 0, max);
}

O2C_INLINE void o2c_pool_f32(const float *x, float *y, const o2c_pool_f32_p *p,
                             const int max)
{
  const int pad = max || p->include_pad;
  o2c_pool_tile a;
  a.n = 0;
  a.row = (ptrdiff_t)(p->dh * p->x_row);
  a.col = (ptrdiff_t)(p->dw * p->x_pix);
  for (int32_t i = 0; i < p->oh; i++) {
    const int32_t y0 = i * p->sh - p->top;
    const o2c_pool_span r = o2c_pool_cut(y0, p->kh, p->dh, p->h,
                                         p->h + p->bottom);
    for (int32_t j = 0; j < p->ow; j++) {
      const int32_t x0 = j * p->sw - p->left;
      const o2c_pool_span s = o2c_pool_cut(x0, p->kw, p->dw, p->w,
                                           p->w + p->right);
      a.rows = r.end - r.from;
      a.cols = s.end - s.from;
      a.count = pad ? r.count * s.count : a.rows * a.cols;
      a.x = x + (y0 + r.from * p->dh) * p->x_row +
            (x0 + s.from * p->dw) * p->x_pix;
      a.y = y + i * p->y_row + j * p->y_pix;
      o2c_pool_window(a, p->c, max);
    }
  }
}

O2C_NOINLINE void o2c_maxpool_f32(const float *x, float *y,
                                  const o2c_pool_f32_p *p)
{
  o2c_pool_f32(x, y, p, 1);
}

O2C_NOINLINE void o2c_avgpool_f32(const float *x, float *y,
                                  const o2c_pool_f32_p *p)
{
  o2c_pool_f32(x, y, p, 0);
}

/* The window of output rows [from, to) alone; y moves by `from` rows. */
O2C_INLINE o2c_pool_f32_p o2c_pool_f32_rows(const o2c_pool_f32_p *p,
                                            int64_t from, int64_t to)
{
  o2c_pool_f32_p q = *p;
  q.oh = (int32_t)(to - from);
  q.top -= (int32_t)from * p->sh;
  return q;
}

O2C_NOINLINE void o2c_gmax_f32(const float *x, float *y, int64_t n,
                               int32_t c, int64_t x_pix)
{
  o2c_pool_tile a;
  a.x = x;
  a.y = y;
  a.row = 0;
  a.col = (ptrdiff_t)x_pix;
  a.rows = 1;
  a.cols = (int32_t)n;
  a.count = 1;
  a.n = 0;
  o2c_pool_window(a, c, 1);
}

/* Sums of 64 pixels, added up: a long chain would lose digits. */
O2C_INLINE void o2c_gavg_cols(const float *x, float *y, int64_t pixels,
                              ptrdiff_t pix, int n)
{
  const int full = n == O2C_LANES;
  o2c_v sum = o2c_vzero();
  for (int64_t i = 0; i < pixels; i += 64) {
    const int64_t end = i + 64 < pixels ? i + 64 : pixels;
    o2c_v part = o2c_vzero();
    for (int64_t j = i; j < end; j++, x += pix)
      part = o2c_pool_op(part, x, full, n, 0);
    sum = o2c_vadd(sum, part);
  }
  if (pixels > 0)
    sum = o2c_vdiv(sum, o2c_vset1((float)pixels));
  o2c_vst_n(y, sum, n);
}

O2C_NOINLINE void o2c_gavg_f32(const float *x, float *y, int64_t n,
                               int32_t c, int64_t x_pix)
{
  for (int32_t i = 0; i < c; i += O2C_LANES)
    if (c - i >= O2C_LANES)
      o2c_gavg_cols(x + i, y + i, n, (ptrdiff_t)x_pix, O2C_LANES);
    else
      o2c_gavg_cols(x + i, y + i, n, (ptrdiff_t)x_pix, c - i);
}

#endif
