/* SPDX-License-Identifier: 0BSD */
/* f32 convolution of 3x3 filters, stride 1, by Winograd's minimal filtering: a
   tile of m x m outputs, m = 2 or 4, takes (m+2)^2 products a channel: 16 for
   36, or 36 for 144.

     y[i*y_row + j*y_pix + o] =
       clamp(bias[o] + sum_{a,b<3} sum_{k<c} X(i-top+a, j-left+b)[k]
             * g[o][k][a][b]  + r[i*r_row + j*r_pix + o], lo, hi)
     X(i, j)[k] = x[i*x_row + j*x_pix + k], zero outside of h rows, w pixels

   static void o2c_winograd_f32(const float *x, const float *u,
                                const float *bias, const float *r, float *y,
                                float *scratch, const o2c_winograd_f32_p *p);
   static void o2c_winograd_f32_tiles(.., int32_t first, int32_t end);

   u is packed [(m+2)^2][ceil(oc/16)][c][16], its first index a position of
   G g G^T, row by row, the last panel padded with zeros. c is at least 16;
   y_pix >= oc; bias and r may be NULL. y may be r (same place), never overlap
   x, u or scratch, which has O2C_WINOGRAD_SCRATCH(m, c, oc, tiles) elements.

   m = 2 takes the points 0, 1, -1 and infinity. m = 4 takes 0, +-sqrt(1/2),
   +-sqrt(2) and infinity: pairs whose product is 1, so that no coefficient of
   the transforms of x and y exceeds 2.83, where points 1 and 2 give 8. An
   infinity or NaN in x reaches all outputs of the tiles that read it.

     G of m = 2:  1  0  0     of m = 4:   1     0        0
                 .5  .5 .5              -2/3  -s/3     -1/3     s = sqrt(2)
                 .5 -.5 .5              -2/3   s/3     -1/3
                  0  0  1                1/6   s/6      1/3
                                         1/6  -s/6      1/3
                                          0     0        1

   One sum, one order: where a pixel stands in its tile follows from its
   place in the image, and each transform and product is one fixed chain; so
   neither `tiles` nor other images change a bit. */
#ifndef O2C_WINOGRAD_F32_H
#define O2C_WINOGRAD_F32_H

#include "conv_f32.h"

typedef struct {
  int32_t m;              /* 2 or 4 */
  int32_t tiles;          /* taken together */
  int32_t h, w, c;        /* input rows, pixels a row, channels */
  int32_t top, left;      /* zeros before them */
  int32_t oh, ow, oc;
  int64_t x_row, x_pix;   /* elements between rows and pixels */
  int64_t y_row, y_pix;
  int64_t r_row, r_pix;
  float lo, hi;           /* -INFINITY, INFINITY: no clamp */
} o2c_winograd_f32_p;

/* Elements of a row of transformed inputs, and of products; of all rows of a
   position, of n tiles. None is a power of two, whose multiples compete for few
   places of the first-level cache. */
#define O2C_WINOGRAD_STEP(n) \
  (((n) + 15) / 16 * 16 + ((n) > 128 ? 16 : 0))
#define O2C_WINOGRAD_ALL(n, tiles) ((tiles) * O2C_WINOGRAD_STEP(n) + 16)
#define O2C_WINOGRAD_SCRATCH(m, c, oc, tiles) \
  (((m) + 2) * ((m) + 2) * (O2C_WINOGRAD_ALL(c, (int64_t)(tiles)) + \
   O2C_WINOGRAD_ALL(oc, (int64_t)(tiles)) + (c)))

#define O2C_WINO_A 0.70710678118654752f
#define O2C_WINO_B 1.41421356237309505f

/* m = 4. B^T d of a line of six: values at 0 and infinity; at +-a, the sum and
   difference of an even and an odd part, where b a = 1. */
typedef struct { o2c_v v0, v1, v2, v3, v4, v5; } o2c_wino6;

O2C_INLINE o2c_v o2c_wino_end(o2c_v d0, o2c_v d2, o2c_v d4)
{
  return o2c_vadd(o2c_vfma(o2c_vset1(-2.5f), d2, d0), d4);
}

O2C_INLINE o2c_v o2c_wino_even(o2c_v d2, o2c_v d4, float b2)
{
  return o2c_vfma(o2c_vset1(-b2), d2, d4);
}

O2C_INLINE o2c_v o2c_wino_odd(o2c_v d1, o2c_v d3, float b2, float a)
{
  return o2c_vmul(o2c_vset1(a), o2c_vfma(o2c_vset1(-b2), d1, d3));
}

/* gcc would keep the addresses of all 36 pixels and positions, in memory: seen
   so, a pointer is what it is, and the others are next to it. */
#if defined(__GNUC__) && !defined(__clang__)
#define O2C_WINO_PLAIN(p) __asm__("" : "+r"(p))
#else
#define O2C_WINO_PLAIN(p) ((void)(p))
#endif

/* The second pass: a line of six into v, `step` apart. */
O2C_INLINE void o2c_wino6_row(float *v, ptrdiff_t step, o2c_wino6 d)
{
  const o2c_v ea = o2c_wino_even(d.v2, d.v4, 2.0f);
  const o2c_v oa = o2c_wino_odd(d.v1, d.v3, 2.0f, O2C_WINO_A);
  const o2c_v eb = o2c_wino_even(d.v2, d.v4, 0.5f);
  const o2c_v ob = o2c_wino_odd(d.v1, d.v3, 0.5f, O2C_WINO_B);
  O2C_WINO_PLAIN(v);
  o2c_vst(v, o2c_wino_end(d.v0, d.v2, d.v4));
  o2c_vst(v + step, o2c_vadd(ea, oa));
  o2c_vst(v + 2 * step, o2c_vsub(ea, oa));
  v += 3 * step;
  O2C_WINO_PLAIN(v);
  o2c_vst(v, o2c_vadd(eb, ob));
  o2c_vst(v + step, o2c_vsub(eb, ob));
  o2c_vst(v + 2 * step, o2c_wino_end(d.v1, d.v3, d.v5));
}

/* Lines 0 and 5: from rows x, x + 2 row, x + 4 row. */
O2C_INLINE void o2c_wino6_ends(const float *x, ptrdiff_t row, ptrdiff_t pix,
                               float *v, ptrdiff_t step)
{
  const float *x2 = x + 2 * row, *x4 = x2 + 2 * row;
  o2c_wino6 d;
#define O2C_X(j, at) d.v##j = o2c_wino_end(o2c_vld(x + at * pix), \
    o2c_vld(x2 + at * pix), o2c_vld(x4 + at * pix));
#define O2C_NEXT(p) p += 3 * pix; O2C_WINO_PLAIN(p);
  O2C_X(0, 0) O2C_X(1, 1) O2C_X(2, 2)
  O2C_NEXT(x) O2C_NEXT(x2) O2C_NEXT(x4)
  O2C_X(3, 0) O2C_X(4, 1) O2C_X(5, 2)
#undef O2C_X
  o2c_wino6_row(v, step, d);
}

/* Lines of the points a and -a. */
O2C_INLINE void o2c_wino6_pair(const float *x, ptrdiff_t row, ptrdiff_t pix,
                               float *v, ptrdiff_t step, float b2, float a)
{
  const float *x1 = x + row, *x2 = x1 + row, *x3 = x2 + row, *x4 = x3 + row;
  o2c_wino6 d, e;
#define O2C_X(j, at) { \
    const o2c_v even = o2c_wino_even(o2c_vld(x2 + at * pix), \
                                     o2c_vld(x4 + at * pix), b2); \
    const o2c_v odd = o2c_wino_odd(o2c_vld(x1 + at * pix), \
                                   o2c_vld(x3 + at * pix), b2, a); \
    d.v##j = o2c_vadd(even, odd); \
    e.v##j = o2c_vsub(even, odd); }
  O2C_X(0, 0) O2C_X(1, 1) O2C_X(2, 2)
  O2C_NEXT(x1) O2C_NEXT(x2) O2C_NEXT(x3) O2C_NEXT(x4)
  O2C_X(3, 0) O2C_X(4, 1) O2C_X(5, 2)
#undef O2C_X
#undef O2C_NEXT
  o2c_wino6_row(v, step, d);
  o2c_wino6_row(v + 6 * step, step, e);
}

/* B^T d B of the 6x6 pixels at x. The last vector of channels overlaps the one
   before. */
O2C_NOINLINE void o2c_wino6_in(const float *x, ptrdiff_t row, ptrdiff_t pix,
                               ptrdiff_t c, float *v, ptrdiff_t step)
{
  O2C_ROLLED
  for (ptrdiff_t k = 0; k < c; k += O2C_LANES) {
    const ptrdiff_t at = k + O2C_LANES <= c ? k : c - O2C_LANES;
    const float *d = x + at;
    float *to = v + at;
    o2c_wino6_ends(d, row, pix, to, step);
    O2C_WINO_PLAIN(d);
    to += 6 * step;
    o2c_wino6_pair(d, row, pix, to, step, 2.0f, O2C_WINO_A);
    to += 12 * step;
    O2C_WINO_PLAIN(d);
    o2c_wino6_pair(d, row, pix, to, step, 0.5f, O2C_WINO_B);
    to += 12 * step;
    d += row;
    O2C_WINO_PLAIN(d);
    o2c_wino6_ends(d, row, pix, to, step);
  }
}

/* m = 2. A line of the first pass, of two rows of pixels x and z: x - z, or
   x + z; then the second pass. */
O2C_INLINE void o2c_wino4_line(const float *x, const float *z, ptrdiff_t pix,
                               int minus, float *v, ptrdiff_t step)
{
#define O2C_X(j) const o2c_v d##j = minus ? \
    o2c_vsub(o2c_vld(x + j * pix), o2c_vld(z + j * pix)) : \
    o2c_vadd(o2c_vld(x + j * pix), o2c_vld(z + j * pix));
  O2C_X(0) O2C_X(1) O2C_X(2) O2C_X(3)
#undef O2C_X
  o2c_vst(v, o2c_vsub(d0, d2));
  o2c_vst(v + step, o2c_vadd(d1, d2));
  o2c_vst(v + 2 * step, o2c_vsub(d2, d1));
  o2c_vst(v + 3 * step, o2c_vsub(d1, d3));
}

O2C_NOINLINE void o2c_wino4_in(const float *x, ptrdiff_t row, ptrdiff_t pix,
                               ptrdiff_t c, float *v, ptrdiff_t step)
{
  O2C_ROLLED
  for (ptrdiff_t k = 0; k < c; k += O2C_LANES) {
    const ptrdiff_t at = k + O2C_LANES <= c ? k : c - O2C_LANES;
    const float *d0 = x + at, *d1 = d0 + row, *d2 = d1 + row, *d3 = d2 + row;
    float *to = v + at;
    o2c_wino4_line(d0, d2, pix, 1, to, step);
    o2c_wino4_line(d1, d2, pix, 0, to + 4 * step, step);
    o2c_wino4_line(d2, d1, pix, 1, to + 8 * step, step);
    o2c_wino4_line(d1, d3, pix, 1, to + 12 * step, step);
  }
}

/* Products of `count` positions: MR rows of transformed inputs by NV vectors of
   filters, whole ones, as both buffers have room for them. Sums start from 0;
   nothing is added and nothing clamped, so this is less than conv_f32.h's
   tile. Rows stand at one distance and so need few registers. */
typedef struct {
  const float *v, *u;
  float *s;
  ptrdiff_t c, v_row, s_row;    /* channels; elements between rows */
  ptrdiff_t v_step, u_step, s_step; /* between positions */
  ptrdiff_t count;
  ptrdiff_t next, next_step;    /* from a weight to the one asked for, and how
                                   much further that moves at each k */
} o2c_wino_mul;

/* Row i is i % 4 rows from one of few pointers. */
#define O2C_WINO_AT(i) ((i) < 4 ? x0 : (i) < 8 ? x4 : (i) < 12 ? x8 : x12)[ \
  (i) % 4 * row]

O2C_INLINE void o2c_wino_mul_body(const o2c_wino_mul *a, const int mr,
                                  const int nv)
{
  const ptrdiff_t row = a->v_row, c = a->c, s_row = a->s_row;
  const ptrdiff_t w_panel = c * 16;
  const float *v = a->v, *u = a->u;
  float *s = a->s;
  O2C_ROLLED
  for (ptrdiff_t e = 0; e < a->count; e++) {
    const float *x0 = v, *x4 = v + 4 * row, *x8 = v + 8 * row,
                *x12 = v + 12 * row, *w0 = u;
    const float *const end = v + c, *next = u + a->next;
#define O2C_COL(q) (w_panel * ((q) * O2C_LANES / 16) + (q) * O2C_LANES % 16)
    const float *w1 = w0 + O2C_COL(1), *w2 = w0 + O2C_COL(2),
                *w3 = w0 + O2C_COL(3);
#undef O2C_COL
#define O2C_X2(i) o2c_v c##i##0 = o2c_vzero(), c##i##1 = c##i##0;
#define O2C_X4(i) O2C_X2(i) o2c_v c##i##2 = c##i##0, c##i##3 = c##i##0;
    O2C_F32_ROWS(O2C_X4, O2C_X2)
#undef O2C_X2
#undef O2C_X4
    O2C_ROLLED
    for (; x0 < end; x0++, x4++, x8++, x12++) {
      o2c_v b0 = o2c_vld(w0), b1 = o2c_vld(nv > 1 ? w1 : w0),
            b2 = o2c_vld(nv > 2 ? w2 : w0), b3 = o2c_vld(nv > 3 ? w3 : w0), t;
      if (mr > 1) { O2C_HOLD(b0); }
      if (mr > 1 && nv > 1) { O2C_HOLD(b1); }
      if (mr > 1 && nv > 2) { O2C_HOLD(b2); O2C_HOLD(b3); }
#define O2C_MUL(i, q) if (nv > q) c##i##q = o2c_vfma(t, b##q, c##i##q);
#define O2C_X2(i) if (mr > i) { t = o2c_vset1(O2C_WINO_AT(i)); \
      O2C_MUL(i, 0) O2C_MUL(i, 1) }
#define O2C_X4(i) O2C_X2(i) if (mr > i) { O2C_MUL(i, 2) O2C_MUL(i, 3) }
      O2C_F32_ROWS(O2C_X4, O2C_X2)
#undef O2C_X2
#undef O2C_X4
#undef O2C_MUL
#define O2C_NEXT(q) if (nv > q && (q) * O2C_LANES % 16 == 0) \
        O2C_PREFETCH_L2(next + w_panel * ((q) * O2C_LANES / 16)); \
      w##q += 16;
      O2C_NEXT(0)
      O2C_NEXT(1)
      O2C_NEXT(2)
      O2C_NEXT(3)
#undef O2C_NEXT
      next += a->next_step;
    }
#define O2C_OUT(i, q) if (mr > i && nv > q) \
      o2c_vst(s + i * s_row + (q) * O2C_LANES, c##i##q);
#define O2C_X2(i) O2C_OUT(i, 0) O2C_OUT(i, 1)
#define O2C_X4(i) O2C_X2(i) O2C_OUT(i, 2) O2C_OUT(i, 3)
    O2C_F32_ROWS(O2C_X4, O2C_X2)
#undef O2C_X2
#undef O2C_X4
#undef O2C_OUT
    v += a->v_step;
    u += a->u_step;
    s += a->s_step;
  }
}

/* Not every number of rows is worth its code: fewer rows than asked for are
   what the next ones take. */
#if defined(O2C_AVX512)
#define O2C_WINO_SIZES1(X) X(14, 1) X(8, 1) X(4, 1) X(2, 1) X(1, 1)
#define O2C_WINO_SIZES2(X) X(14, 2) X(8, 2) X(7, 2) X(4, 2) X(2, 2) X(1, 2)
#define O2C_WINO_SIZES4(X) X(6, 4) X(4, 4) X(2, 4) X(1, 4)
#define O2C_WINO_TILES(X) O2C_WINO_SIZES1(X) O2C_WINO_SIZES2(X) \
  O2C_WINO_SIZES4(X)
O2C_UNUSED static int32_t o2c_wino_rows(int32_t want, int nv)
{
#define O2C_X(m, n) if (nv == n && want >= m) return m;
  O2C_WINO_TILES(O2C_X)
#undef O2C_X
  return want;
}
#else
#define O2C_WINO_TILES(X) O2C_F32_TILES(X)
O2C_UNUSED static int32_t o2c_wino_rows(int32_t want, int nv)
{
  (void)nv;
  return want;
}
#endif

#define O2C_X(m, n) O2C_NOINLINE void o2c_wino_mul_##m##x##n( \
  const o2c_wino_mul *a) { o2c_wino_mul_body(a, m, n); }
O2C_WINO_TILES(O2C_X)
#undef O2C_X

O2C_UNUSED static void o2c_wino_mul_run(const o2c_wino_mul *a, int mr, int nv)
{
  switch (16 * nv + mr) {
#define O2C_X(m, n) case 16 * n + m: o2c_wino_mul_##m##x##n(a); break;
  O2C_WINO_TILES(O2C_X)
#undef O2C_X
  default: break;
  }
}

/* Columns from vector q on, nv of them, of n rows in `tiles` tiles: of one
   position, or of more if that is one tile. Each asks for its part of the
   weights that follow. */
O2C_UNUSED static void o2c_wino_columns(const o2c_wino_mul *all, int32_t q,
                                        int nv, int32_t n, int32_t tiles)
{
  const ptrdiff_t col = (ptrdiff_t)q * O2C_LANES;
  o2c_wino_mul a = *all;
  a.u += col / 16 * a.c * 16 + col % 16;
  a.s += col;
  a.next_step = (16 + tiles - 1) / tiles;
  a.next = (nv * O2C_LANES + 15) / 16 * 16 * a.c;
  for (int32_t left = n, t = tiles; left > 0; t -= t > 1) {
    const int32_t rows = o2c_wino_rows((left + t - 1) / t, nv);
    o2c_wino_mul_run(&a, rows, nv);
    left -= rows;
    a.v += rows * a.v_row;
    a.s += rows * a.s_row;
    a.next += a.next_step * a.c;
  }
}

/* All columns and positions of n rows. */
O2C_UNUSED static void o2c_wino_products(const o2c_wino_mul *all, int32_t n,
                                         int32_t oc)
{
  const int32_t nvec = (oc + O2C_LANES - 1) / O2C_LANES;
  const int wide = n <= O2C_F32_MR4 ? 4 : nvec > 1 ? 2 : 1;
  const int32_t cap = wide == 4 ? O2C_F32_MR4
                    : wide == 2 ? O2C_F32_MR : O2C_F32_MR1;
  const int32_t tiles = (n + cap - 1) / cap;
  o2c_wino_mul a = *all;
  if (nvec > wide || nvec == 3 ||
      (tiles > 1 && all->count * all->u_step * 4 > O2C_F32_L2 / 4))
    a.count = 1;
  for (ptrdiff_t e = 0; e < all->count; e += a.count) {
    int nv;
    for (int32_t q = 0; q < nvec; q += nv) {
      const int32_t left = nvec - q;
      nv = left >= wide ? wide : left >= 2 ? 2 : 1;
      o2c_wino_columns(&a, q, nv, n, tiles);
    }
    a.v += a.v_step;
    a.u += a.u_step;
    a.s += a.s_step;
  }
}

/* The output transform of one vector of channels of a tile: pixels outside the
   image are left out. */
typedef struct {
  const float *m, *r;
  float *y;
  ptrdiff_t step;         /* between positions of m */
  ptrdiff_t y_row, y_pix, r_row, r_pix;
  int rows, cols;         /* of the tile, in the image */
  int n;                  /* valid channels of the vector */
  o2c_v lo, hi, bias;
} o2c_wino_tile;

O2C_INLINE void o2c_wino_put(const o2c_wino_tile *t, const o2c_v *bias, int i,
                             int j, o2c_v v)
{
  if (i >= t->rows || j >= t->cols)
    return;
  v = o2c_vadd(v, *bias);
  if (t->r)
    v = o2c_vadd(v, o2c_vld_n(t->r + i * t->r_row + j * t->r_pix, t->n));
  o2c_vst_n(t->y + i * t->y_row + j * t->y_pix, o2c_vclamp(v, t->lo, t->hi),
            t->n);
}

/* A^T m A, m = 4: its columns 0 and 2 are made of the sums over +-a and +-b,
   columns 1 and 3 of the differences; so two at a time stay in registers. */
typedef struct { o2c_v p, q; } o2c_wino2;

O2C_INLINE o2c_wino2 o2c_wino6_cols(const float *m, ptrdiff_t step, int odd)
{
  const o2c_v m1 = o2c_vld(m + step), m2 = o2c_vld(m + 2 * step);
  const o2c_v m3 = o2c_vld(m + 3 * step), m4 = o2c_vld(m + 4 * step);
  o2c_wino2 y;
  if (odd) {
    const o2c_v a = o2c_vmul(o2c_vset1(O2C_WINO_A), o2c_vsub(m1, m2));
    const o2c_v b = o2c_vmul(o2c_vset1(O2C_WINO_B), o2c_vsub(m3, m4));
    y.p = o2c_vadd(a, b);
    y.q = o2c_vfma(o2c_vset1(0.5f), a, o2c_vld(m + 5 * step));
    y.q = o2c_vfma(o2c_vset1(2.0f), b, y.q);
  } else {
    const o2c_v a = o2c_vadd(m1, m2), b = o2c_vadd(m3, m4);
    y.p = o2c_vadd(o2c_vadd(a, b), o2c_vld(m));
    y.q = o2c_vfma(o2c_vset1(2.0f), b, o2c_vmul(o2c_vset1(0.5f), a));
  }
  return y;
}

O2C_INLINE void o2c_wino6_out(const o2c_wino_tile *shared, int odd)
{
  /* A copy: stores to y can't change it, so it is loaded once; all but the
     bias, for which no register is left. */
  const o2c_wino_tile tile = *shared, *const t = &tile;
  const o2c_v *const bias = &shared->bias;
  const ptrdiff_t row = 6 * t->step;
#define O2C_X(i) const o2c_wino2 m##i = \
    o2c_wino6_cols(t->m + i * row, t->step, odd);
  O2C_X(0) O2C_X(1) O2C_X(2) O2C_X(3) O2C_X(4) O2C_X(5)
#undef O2C_X
#define O2C_X(q, j) { \
    const o2c_v sa = o2c_vadd(m1.q, m2.q), sb = o2c_vadd(m3.q, m4.q); \
    const o2c_v da = o2c_vmul(o2c_vset1(O2C_WINO_A), o2c_vsub(m1.q, m2.q)); \
    const o2c_v db = o2c_vmul(o2c_vset1(O2C_WINO_B), o2c_vsub(m3.q, m4.q)); \
    o2c_wino_put(t, bias, 0, j, o2c_vadd(o2c_vadd(sa, sb), m0.q)); \
    o2c_wino_put(t, bias, 1, j, o2c_vadd(da, db)); \
    o2c_wino_put(t, bias, 2, j, o2c_vfma(o2c_vset1(2.0f), sb, \
                                   o2c_vmul(o2c_vset1(0.5f), sa))); \
    o2c_wino_put(t, bias, 3, j, o2c_vfma(o2c_vset1(2.0f), db, \
                          o2c_vfma(o2c_vset1(0.5f), da, m5.q))); }
  O2C_X(p, odd)
  O2C_X(q, odd + 2)
#undef O2C_X
}

O2C_NOINLINE void o2c_wino6_out_even(const o2c_wino_tile *t)
{
  o2c_wino6_out(t, 0);
}

O2C_NOINLINE void o2c_wino6_out_odd(const o2c_wino_tile *t)
{
  o2c_wino6_out(t, 1);
}

/* m = 2. */
O2C_INLINE o2c_wino2 o2c_wino4_cols(const float *m, ptrdiff_t step)
{
  const o2c_v m1 = o2c_vld(m + step), m2 = o2c_vld(m + 2 * step);
  o2c_wino2 y;
  y.p = o2c_vadd(o2c_vadd(m1, m2), o2c_vld(m));
  y.q = o2c_vsub(o2c_vsub(m1, m2), o2c_vld(m + 3 * step));
  return y;
}

O2C_NOINLINE void o2c_wino4_out(const o2c_wino_tile *t)
{
  const ptrdiff_t row = 4 * t->step;
#define O2C_X(i) const o2c_wino2 m##i = o2c_wino4_cols(t->m + i * row, t->step);
  O2C_X(0) O2C_X(1) O2C_X(2) O2C_X(3)
#undef O2C_X
#define O2C_X(q, j) \
  o2c_wino_put(t, &t->bias, 0, j, o2c_vadd(o2c_vadd(m1.q, m2.q), m0.q)); \
  o2c_wino_put(t, &t->bias, 1, j, o2c_vsub(o2c_vsub(m1.q, m2.q), m3.q));
  O2C_X(p, 0)
  O2C_X(q, 1)
#undef O2C_X
}

O2C_INLINE void o2c_wino_put_tile(o2c_wino_tile *t, const float *m,
                                  const float *bias, const float *r, float *y,
                                  const o2c_winograd_f32_p *p)
{
  for (int32_t o = 0; o < p->oc; o += O2C_LANES) {
    t->m = m + o;
    t->n = p->oc - o;
    t->y = y + o;
    t->r = r ? r + o : r;
    t->bias = bias ? o2c_vld_n(bias + o, t->n) : o2c_vzero();
    if (p->m == 2) {
      o2c_wino4_out(t);
    } else {
      o2c_wino6_out_even(t);
      o2c_wino6_out_odd(t);
    }
  }
}

/* Writes tiles from .. from + n - 1, of products m. */
O2C_NOINLINE void o2c_wino_output(const float *m, const float *bias,
                                  const float *r, float *y, int32_t from,
                                  int32_t n, const o2c_winograd_f32_p *p)
{
  const int32_t across = (p->ow + p->m - 1) / p->m;
  const ptrdiff_t row = (ptrdiff_t)O2C_WINOGRAD_STEP(p->oc);
  o2c_wino_tile t;
  t.step = O2C_WINOGRAD_ALL(p->oc, n);
  t.y_row = (ptrdiff_t)p->y_row;
  t.y_pix = (ptrdiff_t)p->y_pix;
  t.r_row = (ptrdiff_t)p->r_row;
  t.r_pix = (ptrdiff_t)p->r_pix;
  t.lo = o2c_vset1(p->lo);
  t.hi = o2c_vset1(p->hi);
  for (int32_t k = 0; k < n; k++) {
    const int32_t i = (from + k) / across * p->m;
    const int32_t j = (from + k) % across * p->m;
    t.rows = p->oh - i;
    t.cols = p->ow - j;
    o2c_wino_put_tile(&t, m + k * row, bias,
                      r ? r + i * p->r_row + j * p->r_pix : r,
                      y + i * p->y_row + j * p->y_pix, p);
  }
}

/* Transforms the tile at row i, column j of x, with zeros where x ends. */
O2C_UNUSED static void o2c_wino_input(const float *x, float *v, ptrdiff_t step,
                                      float *patch, ptrdiff_t i, ptrdiff_t j,
                                      const o2c_winograd_f32_p *p)
{
  const ptrdiff_t e = p->m + 2, c = p->c;
  const ptrdiff_t i1 = i + e < p->h ? i + e : p->h;
  const ptrdiff_t j0 = j > 0 ? j : 0, j1 = j + e < p->w ? j + e : p->w;
  ptrdiff_t row = (ptrdiff_t)p->x_row, pix = (ptrdiff_t)p->x_pix;
  if (i >= 0 && j >= 0 && i1 - i == e && j1 - j == e) {
    x += i * row + j * pix;
  } else {
    memset(patch, 0, (size_t)(e * e * c) * sizeof(float));
    for (ptrdiff_t a = i > 0 ? i : 0; a < i1; a++)
      for (ptrdiff_t b = j0; b < j1; b++)
        memcpy(patch + ((a - i) * e + b - j) * c, x + a * row + b * pix,
               (size_t)c * sizeof(float));
    x = patch;
    row = e * c;
    pix = c;
  }
  if (e == 4)
    o2c_wino4_in(x, row, pix, c, v, step);
  else
    o2c_wino6_in(x, row, pix, c, v, step);
}

/* Tiles [first, end) of the image's. */
O2C_NOINLINE void o2c_winograd_f32_tiles(const float *x, const float *u,
                                         const float *bias, const float *r,
                                         float *y, float *scratch,
                                         const o2c_winograd_f32_p *p,
                                         int32_t first, int32_t end)
{
  const int32_t m = p->m, across = (p->ow + m - 1) / m;
  const int32_t all = end - first, e = (m + 2) * (m + 2);
  const int32_t blocks = (all + p->tiles - 1) / p->tiles;
  float *const v = scratch + (ptrdiff_t)e * p->c;
  o2c_wino_mul q;
  q.v = v;
  q.u = u;
  q.c = p->c;
  q.v_row = O2C_WINOGRAD_STEP(p->c);
  q.s_row = O2C_WINOGRAD_STEP(p->oc);
  q.u_step = (ptrdiff_t)((p->oc + 15) / 16) * p->c * 16;
  q.count = e;
  for (int32_t b = 0; b < blocks; b++) {
    const int32_t from = first + (int32_t)((int64_t)all * b / blocks);
    const int32_t n = first + (int32_t)((int64_t)all * (b + 1) / blocks) - from;
    q.v_step = O2C_WINOGRAD_ALL(p->c, n);
    q.s_step = O2C_WINOGRAD_ALL(p->oc, n);
    q.s = v + e * q.v_step;
    for (int32_t t = 0; t < n; t++)
      o2c_wino_input(x, v + t * q.v_row, q.v_step, scratch,
                     (from + t) / across * m - p->top,
                     (from + t) % across * m - p->left, p);
    o2c_wino_products(&q, n, p->oc);
    o2c_wino_output(q.s, bias, r, y, from, n, p);
  }
}

O2C_UNUSED static void o2c_winograd_f32(const float *x, const float *u,
                                        const float *bias, const float *r,
                                        float *y, float *scratch,
                                        const o2c_winograd_f32_p *p)
{
  const int32_t m = p->m;
  o2c_winograd_f32_tiles(x, u, bias, r, y, scratch, p, 0,
                         (p->ow + m - 1) / m * ((p->oh + m - 1) / m));
}

#endif
