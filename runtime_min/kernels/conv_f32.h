/* SPDX-License-Identifier: 0BSD */
/* f32 convolution, matrix product and GEMV, as one implicit GEMM over
   channels-last activations.

     y[i*y_row + j*y_pix + o] =
       clamp(bias[o] + sum_{t<ntap} sum_{k<kc} x[i*x_row + j*x_pix + tap[t] + k]
             * w[o/16][t][k][o%16]  + r[i*r_row + j*r_pix + o], lo, hi)

   static void o2c_conv_f32(const float *x, const float *w, const float *bias,
                            const float *r, float *y, const o2c_conv_f32_p *p);
   static void o2c_conv_f32_pixels(.., int32_t from, int32_t to);
   static void o2c_conv_f32_columns(.., int32_t from, int32_t to);
   static void o2c_pad_hwc_f32(const float *x, float *y,
                               const o2c_pad_f32_p *p);

   bias and r may be NULL. w is packed [ceil(oc/16)][ntap][kc][16], the last
   panel padded with zeros. y may be r (same place), never overlap x or w.
   A 3x3 convolution of C channels in a padded image of Wp pixels a row is
   ntap = 3, kc = 3*C, tap = {0, Wp*C, 2*Wp*C}; a product with M rows is
   ntap = 1, tap = {0}, oh = 1, ow = M. No element past the last one that the
   formula names is read.

   One sum, one order: an output element is one chain of (fused) multiply-adds
   from bias over t, then k; then r, then the clamp. The tile that it falls in
   changes nothing, so row i has the same bits for any number of rows. NaN
   passes the clamp.

   A tile is MR output pixels by NV vectors of output channels. Its pixels may
   lie anywhere (a pointer each), so tiles run on over the ends of image rows.
   Accumulators are scalars named by row and column: gcc keeps arrays of
   vectors in memory. */
#ifndef O2C_CONV_F32_H
#define O2C_CONV_F32_H

#include "simd.h"

typedef struct {
  int32_t oh, ow, oc;     /* output rows, pixels a row, channels */
  int32_t ntap, kc;       /* taps; contiguous input elements of one tap */
  const int32_t *tap;     /* element offset of each tap from the pixel */
  int64_t x_row, x_pix;   /* elements between rows and pixels, as the output
                             steps: x_pix = stride * channels */
  int64_t y_row, y_pix;   /* y_pix >= oc */
  int64_t r_row, r_pix;
  float lo, hi;           /* -INFINITY, INFINITY: no clamp */
} o2c_conv_f32_p;

typedef struct {
  int32_t h, w, c;             /* input */
  int32_t top, left, bottom, right;
  float value;
  int64_t x_row, x_pix;        /* elements from row to row, pixel to pixel */
} o2c_pad_f32_p;

/* The tile is MR rows of 2 vectors (4 on NEON and scalars), of 4 vectors up to
   MR4 rows, of 1 vector up to MR1 rows. AHEAD: how many steps of k before its
   use a GEMV asks for a weight. L2: a size sure to be there. */
#define O2C_F32_AHEAD 16
#if defined(O2C_AVX512)
#define O2C_F32_MR 14
#define O2C_F32_MR4 6
#define O2C_F32_MR1 12
#define O2C_F32_L2 (1024 * 1024)
#elif defined(O2C_AVX2)
#define O2C_F32_MR 6
#define O2C_F32_MR4 2
#define O2C_F32_MR1 O2C_F32_MR
#define O2C_F32_L2 (256 * 1024)
#elif defined(O2C_SSE2)
#define O2C_F32_MR 5
#define O2C_F32_MR4 2
#define O2C_F32_MR1 O2C_F32_MR
#define O2C_F32_L2 (256 * 1024)
#elif defined(O2C_NEON)
#define O2C_F32_MR 6
#define O2C_F32_MR4 6
#define O2C_F32_MR1 O2C_F32_MR
#define O2C_F32_L2 (256 * 1024)
#else
#define O2C_F32_MR 4
#define O2C_F32_MR4 4
#define O2C_F32_MR1 O2C_F32_MR
#define O2C_F32_L2 (128 * 1024)
#endif

/* ROWS(X, Y): X of each row that may have 4 vectors, Y of each other row. */
#if defined(O2C_AVX512)
#define O2C_F32_ROWS(X, Y) X(0) X(1) X(2) X(3) X(4) X(5) Y(6) Y(7) Y(8) \
  Y(9) Y(10) Y(11) Y(12) Y(13)
#elif defined(O2C_AVX2)
#define O2C_F32_ROWS(X, Y) X(0) X(1) Y(2) Y(3) Y(4) Y(5)
#elif defined(O2C_SSE2)
#define O2C_F32_ROWS(X, Y) X(0) X(1) Y(2) Y(3) Y(4)
#elif defined(O2C_NEON)
#define O2C_F32_ROWS(X, Y) X(0) X(1) X(2) X(3) X(4) X(5)
#else
#define O2C_F32_ROWS(X, Y) X(0) X(1) X(2) X(3)
#endif

/* One tile's work: a pointer to every row's first channel; columns col to
   col + ncol - 1, though a tile may end before; x0, y0, r0: pixel 0. */
typedef struct {
  const float *x[O2C_F32_MR];
  float *y[O2C_F32_MR];
  const float *r[O2C_F32_MR]; /* all NULL where there is no residual */
  const float *x0, *r0, *w, *bias;
  float *y0;
  const int32_t *tap;
  ptrdiff_t w_panel;      /* elements between panels of w */
  const float *next;      /* weights that later tiles read: asked for */
  ptrdiff_t next_step;    /* meanwhile, so much further at each k */
  ptrdiff_t col;          /* first column, added to y, r and bias */
  int32_t ntap, kc, ncol;
  float lo, hi;
} o2c_tile_f32;

/* Column vector q of nv, of n valid columns: only the last may be partial. */
O2C_INLINE o2c_v o2c_tile_ld(const float *p, int q, int nv, int n)
{
  p += q * O2C_LANES;
  return q + 1 < nv ? o2c_vld(p) : o2c_vld_n(p, n - q * O2C_LANES);
}

O2C_INLINE void o2c_tile_st(float *p, int q, int nv, int n, o2c_v v)
{
  p += q * O2C_LANES;
  if (q + 1 < nv)
    o2c_vst(p, v);
  else
    o2c_vst_n(p, v, n - q * O2C_LANES);
}

O2C_INLINE o2c_v o2c_tile_bias(const o2c_tile_f32 *a, int q, int nv)
{
  if (q >= nv || !a->bias)
    return o2c_vzero();
  return o2c_tile_ld(a->bias + a->col, q, nv, a->ncol);
}

/* Where column vector q's weights stand, from the tile's first. */
#define O2C_F32_WCOL(q) \
  (a->w_panel * ((q) * O2C_LANES / 16) + (q) * O2C_LANES % 16)

/* gcc 12 for AArch64 takes elements of all rows ahead, and then lacks
   registers: a row's sums are done before the next one's element is read. */
#if defined(O2C_NEON) && defined(__GNUC__) && !defined(__clang__)
#define O2C_F32_DONE(sum) __asm__ volatile("" : "+w"(sum) : : "memory");
#else
#define O2C_F32_DONE(sum)
#endif

/* mr and nv are constants at every call: what they exclude vanishes. Below,
   a macro ending in 4 is for rows that may have 4 vectors, in 2 for 2. */
O2C_INLINE void o2c_tile_f32_body(const o2c_tile_f32 *a, const int mr,
                                  const int nv)
{
  const float *w0 = a->w, *w1 = w0 + O2C_F32_WCOL(1),
              *w2 = w0 + O2C_F32_WCOL(2), *w3 = w0 + O2C_F32_WCOL(3);
  const float *next = a->next;
  ptrdiff_t next_step = a->next_step, next_panel = a->w_panel;
  const o2c_v b0 = o2c_tile_bias(a, 0, nv), b1 = o2c_tile_bias(a, 1, nv),
              b2 = o2c_tile_bias(a, 2, nv), b3 = o2c_tile_bias(a, 3, nv);
#define O2C_X2(i) const float *x##i = a->x[mr > i ? i : 0]; \
  o2c_v c##i##0 = b0, c##i##1 = b1;
#define O2C_X4(i) O2C_X2(i) o2c_v c##i##2 = b2, c##i##3 = b3;
  O2C_F32_ROWS(O2C_X4, O2C_X2)
#undef O2C_X2
#undef O2C_X4
  O2C_ROLLED
  for (int t = 0; t < a->ntap; t++) {
    const ptrdiff_t end = (ptrdiff_t)a->tap[t] + a->kc;
    O2C_ROLLED
    for (ptrdiff_t k = a->tap[t]; k < end; k++) {
      o2c_v v0 = o2c_vld(w0), v1 = o2c_vld(nv > 1 ? w1 : w0),
            v2 = o2c_vld(nv > 2 ? w2 : w0), v3 = o2c_vld(nv > 3 ? w3 : w0), s;
      if (mr > 1) { O2C_HOLD(v0); }
      if (mr > 1 && nv > 1) { O2C_HOLD(v1); }
      if (mr > 1 && nv > 2) { O2C_HOLD(v2); O2C_HOLD(v3); }
#define O2C_MUL(i, q) if (nv > q) c##i##q = o2c_vfma(s, v##q, c##i##q);
#define O2C_X2(i) if (mr > i) { \
      if (i > 8) { O2C_IN_MEMORY(x##i); } \
      s = o2c_vset1(x##i[k]); \
      O2C_MUL(i, 0) O2C_MUL(i, 1) }
#define O2C_X4(i) O2C_X2(i) \
      if (mr > i) { O2C_MUL(i, 2) O2C_MUL(i, 3) O2C_F32_DONE(c##i##3) }
      O2C_F32_ROWS(O2C_X4, O2C_X2)
#undef O2C_X2
#undef O2C_X4
#undef O2C_MUL
      const float *ask = next;
      O2C_IN_MEMORY(next_step);
      O2C_IN_MEMORY(next_panel);
#define O2C_NEXT(q) if (nv > q && (q) * O2C_LANES % 16 == 0) { \
        if (q) ask += next_panel; \
        O2C_PREFETCH_L2(ask); \
      } \
      w##q += 16;
      O2C_NEXT(0)
      O2C_NEXT(1)
      O2C_NEXT(2)
      O2C_NEXT(3)
#undef O2C_NEXT
      next += next_step;
    }
  }
  const o2c_v lo = o2c_vset1(a->lo), hi = o2c_vset1(a->hi);
  const ptrdiff_t col = a->col;
  const int n = a->ncol;
  if (a->r0) {
#define O2C_ADD(i, q) if (mr > i && nv > q) \
      c##i##q = o2c_vadd(c##i##q, o2c_tile_ld(a->r[i] + col, q, nv, n));
#define O2C_X2(i) O2C_ADD(i, 0) O2C_ADD(i, 1)
#define O2C_X4(i) O2C_X2(i) O2C_ADD(i, 2) O2C_ADD(i, 3)
    O2C_F32_ROWS(O2C_X4, O2C_X2)
#undef O2C_X2
#undef O2C_X4
#undef O2C_ADD
  }
#define O2C_OUT(i, q) if (mr > i && nv > q) \
    o2c_tile_st(a->y[i] + col, q, nv, n, o2c_vclamp(c##i##q, lo, hi));
#define O2C_X2(i) O2C_OUT(i, 0) O2C_OUT(i, 1)
#define O2C_X4(i) O2C_X2(i) O2C_OUT(i, 2) O2C_OUT(i, 3)
  O2C_F32_ROWS(O2C_X4, O2C_X2)
#undef O2C_X2
#undef O2C_X4
#undef O2C_OUT
}

/* One row by eight vectors: a product with a vector streams its weights once,
   from memory, so each of its panels is asked for early. */
O2C_INLINE void o2c_gemv_f32_body(const o2c_tile_f32 *a)
{
  const float *w = a->w, *x = a->x[0];
#define O2C_COLS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define O2C_X(q) const float *w##q = w + O2C_F32_WCOL(q); \
  o2c_v c##q = o2c_tile_bias(a, q, 8);
  O2C_COLS(O2C_X)
#undef O2C_X
  ptrdiff_t e = 0;
  O2C_ROLLED
  for (int t = 0; t < a->ntap; t++) {
    const ptrdiff_t end = (ptrdiff_t)a->tap[t] + a->kc;
    O2C_ROLLED
    for (ptrdiff_t k = a->tap[t]; k < end; k++, e += 16) {
      const o2c_v s = o2c_vset1(x[k]);
#define O2C_X(q) c##q = o2c_vfma(s, o2c_vld(w##q + e), c##q); \
      if ((q) * O2C_LANES % 16 == 0) \
        O2C_PREFETCH(w##q + e + 16 * O2C_F32_AHEAD);
      O2C_COLS(O2C_X)
#undef O2C_X
    }
  }
  const o2c_v lo = o2c_vset1(a->lo), hi = o2c_vset1(a->hi);
  const ptrdiff_t col = a->col;
  const int n = a->ncol;
  if (a->r0) {
#define O2C_X(q) c##q = o2c_vadd(c##q, o2c_tile_ld(a->r[0] + col, q, 8, n));
    O2C_COLS(O2C_X)
#undef O2C_X
  }
#define O2C_X(q) \
  o2c_tile_st(a->y[0] + col, q, 8, n, o2c_vclamp(c##q, lo, hi));
  O2C_COLS(O2C_X)
#undef O2C_X
#undef O2C_COLS
}

#define O2C_F32_DO4(X, n) X(1, n) X(2, n) X(3, n) X(4, n)
#define O2C_F32_DO6(X, n) O2C_F32_DO4(X, n) X(5, n) X(6, n)
#define O2C_F32_DO14(X, n) O2C_F32_DO6(X, n) X(7, n) X(8, n) X(9, n) X(10, n) \
  X(11, n) X(12, n) X(13, n) X(14, n)
#if defined(O2C_AVX512)
#define O2C_F32_TILES(X) O2C_F32_DO14(X, 1) O2C_F32_DO14(X, 2) O2C_F32_DO6(X, 4)
#elif defined(O2C_AVX2)
#define O2C_F32_TILES(X) O2C_F32_DO6(X, 1) O2C_F32_DO6(X, 2) \
  X(1, 4) X(2, 4)
#elif defined(O2C_SSE2)
#define O2C_F32_TILES(X) O2C_F32_DO4(X, 1) X(5, 1) O2C_F32_DO4(X, 2) X(5, 2) \
  X(1, 4) X(2, 4)
#elif defined(O2C_NEON)
#define O2C_F32_TILES(X) O2C_F32_DO6(X, 1) O2C_F32_DO6(X, 2) O2C_F32_DO6(X, 4)
#else
#define O2C_F32_TILES(X) O2C_F32_DO4(X, 1) O2C_F32_DO4(X, 2) O2C_F32_DO4(X, 4)
#endif

#define O2C_X(m, n) O2C_NOINLINE void o2c_tile_f32_##m##x##n( \
  const o2c_tile_f32 *a) { o2c_tile_f32_body(a, m, n); }
O2C_F32_TILES(O2C_X)
#undef O2C_X

O2C_NOINLINE void o2c_tile_f32_1x8(const o2c_tile_f32 *a)
{
  o2c_gemv_f32_body(a);
}

O2C_UNUSED static void o2c_tile_f32_run(const o2c_tile_f32 *a, int mr, int nv)
{
  switch (16 * nv + mr) {
#define O2C_X(m, n) case 16 * n + m: o2c_tile_f32_##m##x##n(a); break;
  O2C_F32_TILES(O2C_X)
#undef O2C_X
  default: o2c_tile_f32_1x8(a); break;
  }
}

/* Rows of a tile: where the tile of 4 vectors is a choice, it loads less for
   each product, and is taken where many tiles find its weights in the
   second-level cache; few tiles read them from memory, for more rows at once.
   Pixels a multiple of 4096 bytes apart share one set of the first-level cache:
   14 rows would push each other out of its 8 ways. */
O2C_INLINE int32_t o2c_conv_f32_rows(const o2c_conv_f32_p *p, int32_t nvec)
{
  const int64_t w = (int64_t)p->ntap * p->kc * 4 * O2C_LANES;
  if (nvec == 1)
    return O2C_F32_MR1;
  if (O2C_F32_MR <= 8)
    return O2C_F32_MR;
  if (nvec >= 4 && nvec % 4 == 0 && w <= O2C_F32_L2 / 8 &&
      (int64_t)p->oh * p->ow >= 16 * O2C_F32_MR4)
    return O2C_F32_MR4;
  return p->x_pix % 1024 == 0 ? O2C_F32_MR4 : O2C_F32_MR;
}

/* Vectors of columns that the next tile takes, of those that are left. */
O2C_INLINE int o2c_tile_f32_cols(int mr, int32_t left)
{
  if (mr == 1 && left >= 8)
    return 8;
  if (mr <= O2C_F32_MR4 && left >= 4)
    return 4;
  return left >= 2 ? 2 : 1;
}

/* Has tile t of n that share their columns ask for its part of the columns
   that come next, so that memory works while it multiplies; past the end of w
   this does no harm. */
O2C_INLINE void o2c_tile_f32_next(o2c_tile_f32 *a, int nv, int32_t t,
                                  int32_t n)
{
  a->next_step = (16 + n - 1) / n;
  a->next = a->w + (nv * O2C_LANES + 15) / 16 * a->w_panel +
            t * a->next_step * (a->w_panel / 16);
}

/* Points the tile's rows at mr output pixels from pixel m on. */
O2C_UNUSED static void o2c_tile_f32_at(o2c_tile_f32 *a,
                                       const o2c_conv_f32_p *p, int32_t m,
                                       int mr)
{
  const int32_t i = p->oh > 1 ? m / p->ow : 0;
  int32_t j = m - i * p->ow;
  ptrdiff_t x = (ptrdiff_t)(i * p->x_row + j * p->x_pix);
  ptrdiff_t y = (ptrdiff_t)(i * p->y_row + j * p->y_pix);
  ptrdiff_t r = (ptrdiff_t)(i * p->r_row + j * p->r_pix);
  for (int q = 0; q < mr; q++) {
    a->x[q] = a->x0 + x;
    a->y[q] = a->y0 + y;
    a->r[q] = a->r0 ? a->r0 + r : a->r0;
    x += (ptrdiff_t)p->x_pix;
    y += (ptrdiff_t)p->y_pix;
    r += (ptrdiff_t)p->r_pix;
    if (++j == p->ow) {
      j = 0;
      x += (ptrdiff_t)(p->x_row - p->ow * p->x_pix);
      y += (ptrdiff_t)(p->y_row - p->ow * p->y_pix);
      r += (ptrdiff_t)(p->r_row - p->ow * p->r_pix);
    }
  }
}

/* Image rows that follow each other without a gap are one long row. */
O2C_INLINE int o2c_conv_f32_flat(const o2c_conv_f32_p *p, const float *r)
{
  return p->x_row == p->ow * p->x_pix && p->y_row == p->ow * p->y_pix &&
         (!r || p->r_row == p->ow * p->r_pix);
}

/* How many tiles of rows to take through all columns before the next ones:
   one where all weights stay in the second-level cache, else as many as their
   own input leaves room for, so that weights are read few times. */
O2C_INLINE int32_t o2c_conv_f32_block(const o2c_conv_f32_p *p, int32_t mr,
                                      int64_t w_panel)
{
  const int64_t room = O2C_F32_L2 / 2 / (int64_t)sizeof(float);
  const int64_t step = p->oh > 1 ? p->x_row / p->ow : p->x_pix;
  const int64_t rows = room / (step > 0 ? step : 1);
  if (w_panel * ((p->oc + 15) / 16) <= room || rows < 2 * mr)
    return 1;
  return (int32_t)(rows / mr);
}

/* Pixels [from, to) of the oh * ow. */
O2C_NOINLINE void o2c_conv_f32_pixels(const float *x, const float *w,
                                      const float *bias, const float *r,
                                      float *y, const o2c_conv_f32_p *conv,
                                      int32_t from, int32_t to)
{
  o2c_conv_f32_p p = *conv;
  o2c_tile_f32 a;
  const int32_t rows = to - from, nvec = (p.oc + O2C_LANES - 1) / O2C_LANES;
  const int32_t cap = o2c_conv_f32_rows(conv, nvec);
  const int32_t tiles = (rows + cap - 1) / cap;
  int32_t base, extra, block; /* the first extra tiles have a row more */
  int mr, nv;
  if (rows <= 0)
    return;
  if (o2c_conv_f32_flat(&p, r)) {
    p.ow *= p.oh;
    p.oh = 1;
  }
  a.x0 = x;
  a.y0 = y;
  a.r0 = r;
  a.bias = bias;
  a.tap = p.tap;
  a.ntap = p.ntap;
  a.kc = p.kc;
  a.lo = p.lo;
  a.hi = p.hi;
  a.w_panel = (ptrdiff_t)p.ntap * p.kc * 16;
  base = rows / tiles;
  extra = rows % tiles;
  mr = base + (extra > 0);
  block = o2c_conv_f32_block(&p, mr, a.w_panel);
  for (int32_t t0 = 0; t0 < tiles; t0 += block)
    for (int32_t v = 0; v < nvec; v += nv) {
      const int32_t end = t0 + block < tiles ? t0 + block : tiles;
      nv = o2c_tile_f32_cols(mr, nvec - v);
      a.col = (ptrdiff_t)v * O2C_LANES;
      a.w = w + a.col / 16 * a.w_panel + a.col % 16;
      a.ncol = p.oc - v * O2C_LANES;
      for (int32_t t = t0; t < end; t++) {
        const int n = base + (t < extra);
        o2c_tile_f32_next(&a, nv, t - t0, end - t0);
        if (v == 0 || block > 1)
          o2c_tile_f32_at(&a, &p, from + t * base + (t < extra ? t : extra),
                          n);
        o2c_tile_f32_run(&a, n, nv);
      }
    }
}

O2C_UNUSED static void o2c_conv_f32(const float *x, const float *w,
                                    const float *bias, const float *r,
                                    float *y, const o2c_conv_f32_p *p)
{
  o2c_conv_f32_pixels(x, w, bias, r, y, p, 0, p->oh * p->ow);
}

/* Columns [from, to) of the oc; from is a multiple of 16. */
O2C_UNUSED static void o2c_conv_f32_columns(const float *x, const float *w,
                                            const float *bias, const float *r,
                                            float *y, const o2c_conv_f32_p *p,
                                            int32_t from, int32_t to)
{
  o2c_conv_f32_p q = *p;
  q.oc = to - from;
  w += (ptrdiff_t)from * p->ntap * p->kc;
  o2c_conv_f32_pixels(x, w, bias ? bias + from : bias, r ? r + from : r,
                      y + from, &q, 0, p->oh * p->ow);
}

O2C_INLINE float *o2c_fill_f32(float *y, float value, ptrdiff_t n)
{
  for (ptrdiff_t i = 0; i < n; i++)
    y[i] = value;
  return y + n;
}

/* Copies an [h][w][c] image into a buffer of
   [top + h + bottom][left + w + right][c] whose border has one value. */
O2C_NOINLINE void o2c_pad_hwc_f32(const float *x, float *y,
                                  const o2c_pad_f32_p *p)
{
  const ptrdiff_t row = (ptrdiff_t)p->w * p->c, c = p->c;
  const ptrdiff_t wide = row + ((ptrdiff_t)p->left + p->right) * c;
  y = o2c_fill_f32(y, p->value, p->top * wide);
  for (int32_t i = 0; i < p->h; i++) {
    y = o2c_fill_f32(y, p->value, p->left * c);
    if (p->x_pix == c)
      memcpy(y, x, (size_t)row * sizeof(float));
    else
      for (int32_t j = 0; j < p->w; j++)
        memcpy(y + j * c, x + j * p->x_pix, (size_t)c * sizeof(float));
    x += p->x_row;
    y = o2c_fill_f32(y + row, p->value, p->right * c);
  }
  o2c_fill_f32(y, p->value, p->bottom * wide);
}

#endif
