/* SPDX-License-Identifier: 0BSD */
/* Distances of rows from the columns of panels, f32.

     y[i][j] = sum over k < K of |x[i][k] - v[k][j]|^p      i < n, j < m

   static void o2c_distance_f32(const float *x, const float *panels, float *y,
     int64_t n, int64_t m, int64_t k, int64_t pitch, int p);

   p is 1 or 2; pitch lies between rows of y. Panels are those of conv_f32.h:
   16 columns, k by k, the last one filled up. Differences are squared as they
   are: |x|^2 - 2 x v + |v|^2 cancels.

   static void o2c_distance_rows_f32(const float *x, const float *v, float *y,
     float *panels, int64_t n, int64_t m, int64_t k, int p);

   has v as [m][K], and packs O2C_MATMUL_COLS of its rows at a time: panels is
   scratch of O2C_MATMUL_PANELS(k, m) floats.

   One sum, one order: an element is one chain of (fused) multiply-adds from 0
   over k, for any n and m. */
#ifndef O2C_DISTANCE_F32_H
#define O2C_DISTANCE_F32_H

#include "matmul_f32.h"

/* s + |a - b|^p. Of d and -d, either is taken where both are NaN. */
O2C_INLINE o2c_v o2c_distance_add(o2c_v s, o2c_v a, o2c_v b, const int p)
{
  const o2c_v d = o2c_vsub(a, b);
  return p == 2 ? o2c_vfma(d, d, s)
                : o2c_vadd(s, o2c_vmax(d, o2c_vsub(b, a)));
}

/* Where vector c of columns begins. */
O2C_INLINE const float *o2c_distance_at(const float *panels, ptrdiff_t c,
                                        ptrdiff_t k)
{
  const ptrdiff_t at = c * O2C_LANES;
  return panels + at / 16 * 16 * k + at % 16;
}

O2C_INLINE void o2c_distance_put(float *y, o2c_v a, ptrdiff_t left)
{
  if (left >= O2C_LANES)
    o2c_vst(y, a);
  else
    o2c_vst_n(y, a, (int)left);
}

/* Four rows by two vectors of columns, from vector c on. */
O2C_INLINE void o2c_distance_4x2(const float *x, const float *panels, float *y,
                                 ptrdiff_t c, ptrdiff_t m, ptrdiff_t k,
                                 ptrdiff_t pitch, const int p)
{
  const float *v = o2c_distance_at(panels, c, k);
  const float *w = o2c_distance_at(panels, c + 1, k);
  const float *const x1 = x + k, *const x2 = x1 + k, *const x3 = x2 + k;
  const ptrdiff_t j = c * O2C_LANES, left = m - j;
  o2c_v a0 = o2c_vzero(), a1 = a0, a2 = a0, a3 = a0;
  o2c_v b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  for (ptrdiff_t i = 0; i < k; i++, v += 16, w += 16) {
    const o2c_v l = o2c_vld(v), r = o2c_vld(w);
    o2c_v one = o2c_vset1(x[i]);
    a0 = o2c_distance_add(a0, one, l, p);
    b0 = o2c_distance_add(b0, one, r, p);
    one = o2c_vset1(x1[i]);
    a1 = o2c_distance_add(a1, one, l, p);
    b1 = o2c_distance_add(b1, one, r, p);
    one = o2c_vset1(x2[i]);
    a2 = o2c_distance_add(a2, one, l, p);
    b2 = o2c_distance_add(b2, one, r, p);
    one = o2c_vset1(x3[i]);
    a3 = o2c_distance_add(a3, one, l, p);
    b3 = o2c_distance_add(b3, one, r, p);
  }
  y += j;
  o2c_vst(y, a0), o2c_distance_put(y + O2C_LANES, b0, left - O2C_LANES);
  y += pitch;
  o2c_vst(y, a1), o2c_distance_put(y + O2C_LANES, b1, left - O2C_LANES);
  y += pitch;
  o2c_vst(y, a2), o2c_distance_put(y + O2C_LANES, b2, left - O2C_LANES);
  y += pitch;
  o2c_vst(y, a3), o2c_distance_put(y + O2C_LANES, b3, left - O2C_LANES);
}

/* One row by four vectors. */
O2C_INLINE void o2c_distance_1x4(const float *x, const float *panels, float *y,
                                 ptrdiff_t c, ptrdiff_t m, ptrdiff_t k,
                                 const int p)
{
  const float *v0 = o2c_distance_at(panels, c, k);
  const float *v1 = o2c_distance_at(panels, c + 1, k);
  const float *v2 = o2c_distance_at(panels, c + 2, k);
  const float *v3 = o2c_distance_at(panels, c + 3, k);
  const ptrdiff_t j = c * O2C_LANES;
  o2c_v a0 = o2c_vzero(), a1 = a0, a2 = a0, a3 = a0;
  for (ptrdiff_t i = 0; i < k; i++) {
    const o2c_v one = o2c_vset1(x[i]);
    a0 = o2c_distance_add(a0, one, o2c_vld(v0 + i * 16), p);
    a1 = o2c_distance_add(a1, one, o2c_vld(v1 + i * 16), p);
    a2 = o2c_distance_add(a2, one, o2c_vld(v2 + i * 16), p);
    a3 = o2c_distance_add(a3, one, o2c_vld(v3 + i * 16), p);
  }
  y += j;
  o2c_vst(y, a0);
  o2c_vst(y + O2C_LANES, a1);
  o2c_vst(y + 2 * O2C_LANES, a2);
  o2c_distance_put(y + 3 * O2C_LANES, a3, m - j - 3 * O2C_LANES);
}

O2C_INLINE void o2c_distance_1x1(const float *x, const float *panels, float *y,
                                 ptrdiff_t c, ptrdiff_t m, ptrdiff_t k,
                                 const int p)
{
  const float *v = o2c_distance_at(panels, c, k);
  o2c_v a = o2c_vzero();
  for (ptrdiff_t i = 0; i < k; i++)
    a = o2c_distance_add(a, o2c_vset1(x[i]), o2c_vld(v + i * 16), p);
  o2c_distance_put(y + c * O2C_LANES, a, m - c * O2C_LANES);
}

/* Columns outside: their vectors stay in the first-level cache for all rows. */
O2C_INLINE void o2c_distance_all(const float *x, const float *panels, float *y,
                                 ptrdiff_t n, ptrdiff_t m, ptrdiff_t k,
                                 ptrdiff_t pitch, const int p)
{
  const ptrdiff_t end = (m + O2C_LANES - 1) / O2C_LANES, rows = n - n % 4;
  const ptrdiff_t two = end - end % 2, four = end - end % 4;
  for (ptrdiff_t c = 0; c < two; c += 2)
    for (ptrdiff_t i = 0; i < rows; i += 4)
      o2c_distance_4x2(x + i * k, panels, y + i * pitch, c, m, k, pitch, p);
  for (ptrdiff_t c = two; c < end; c++)
    for (ptrdiff_t i = 0; i < rows; i++)
      o2c_distance_1x1(x + i * k, panels, y + i * pitch, c, m, k, p);
  for (ptrdiff_t i = rows; i < n; i++) {
    for (ptrdiff_t c = 0; c < four; c += 4)
      o2c_distance_1x4(x + i * k, panels, y + i * pitch, c, m, k, p);
    for (ptrdiff_t c = four; c < end; c++)
      o2c_distance_1x1(x + i * k, panels, y + i * pitch, c, m, k, p);
  }
}

O2C_NOINLINE void o2c_distance_f32(const float *x, const float *panels,
                                   float *y, int64_t n, int64_t m, int64_t k,
                                   int64_t pitch, int p)
{
  if (p == 2)
    o2c_distance_all(x, panels, y, (ptrdiff_t)n, (ptrdiff_t)m, (ptrdiff_t)k,
                     (ptrdiff_t)pitch, 2);
  else
    o2c_distance_all(x, panels, y, (ptrdiff_t)n, (ptrdiff_t)m, (ptrdiff_t)k,
                     (ptrdiff_t)pitch, 1);
}

O2C_UNUSED static void o2c_distance_rows_f32(const float *x, const float *v,
                                             float *y, float *panels,
                                             int64_t n, int64_t m, int64_t k,
                                             int p)
{
  for (int64_t j = 0; j < m; j += O2C_MATMUL_COLS) {
    const int64_t c = m - j < O2C_MATMUL_COLS ? m - j : O2C_MATMUL_COLS;
    o2c_pack_panels_f32(v + j * k, panels, k, c, 1, k);
    o2c_distance_f32(x, panels, y + j, n, c, k, m, p);
  }
}

#endif
