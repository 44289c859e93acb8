/* SPDX-License-Identifier: 0BSD */
/* Sums and extremes of f32 along the middle of [outer][n][inner].

     static void o2c_reduce_sum_f32(const float *x, float *y, int64_t outer,
       int64_t n, int64_t inner, float by);
     static void o2c_reduce_max_f32(const float *x, float *y, int64_t outer,
       int64_t n, int64_t inner, float sign);

   sum: divided by `by`, 1 or the n of a mean. max: sign is 1, or -1 for the
   minimum; NaN if any element is.

   The order of a sum depends on n, and on whether inner is 1, alone: rows in
   the four vectors of softmax_f32.h, columns in one chain. */
#ifndef O2C_REDUCE_F32_H
#define O2C_REDUCE_F32_H

#include "softmax_f32.h"

/* The larger; NaN if either is. */
O2C_INLINE float o2c_maxnan_f32(float a, float b)
{
  return b > a || b != b ? b : a;
}

/* The largest of x * sign; NaN if there is one. */
O2C_INLINE float o2c_extreme_f32(const float *x, ptrdiff_t n, float sign)
{
  const ptrdiff_t l = O2C_LANES;
  const o2c_v s = o2c_vset1(sign);
  o2c_v a = o2c_vset1(-INFINITY), b = a;
  const ptrdiff_t whole = n - n % (2 * l);
  float lane[O2C_LANES], m;
  for (ptrdiff_t i = 0; i < whole; i += 2 * l) {
    a = o2c_vmaxnan(a, o2c_vmul(o2c_vld(x + i), s));
    b = o2c_vmaxnan(b, o2c_vmul(o2c_vld(x + i + l), s));
  }
  o2c_vst(lane, o2c_vmaxnan(a, b));
  m = lane[0];
  for (int i = 1; i < O2C_LANES; i++)
    m = o2c_maxnan_f32(m, lane[i]);
  for (ptrdiff_t i = whole; i < n; i++)
    m = o2c_maxnan_f32(m, x[i] * sign);
  return m;
}

/* Neighbouring columns of n elements, inner apart: four vectors of them. */
O2C_INLINE void o2c_sum_cols4_f32(const float *x, float *y, int64_t n,
                                  ptrdiff_t inner, float by)
{
  const ptrdiff_t l = O2C_LANES;
  const o2c_v f = o2c_vset1(by);
  o2c_v a = o2c_vzero(), b = a, c = a, d = a;
  for (int64_t i = 0; i < n; i++, x += inner) {
    a = o2c_vadd(a, o2c_vld(x));
    b = o2c_vadd(b, o2c_vld(x + l));
    c = o2c_vadd(c, o2c_vld(x + 2 * l));
    d = o2c_vadd(d, o2c_vld(x + 3 * l));
  }
  o2c_vst(y, o2c_vdiv(a, f));
  o2c_vst(y + l, o2c_vdiv(b, f));
  o2c_vst(y + 2 * l, o2c_vdiv(c, f));
  o2c_vst(y + 3 * l, o2c_vdiv(d, f));
}

/* Of n rows, those whose vector at m columns' start lies within the rows: a
   load of it all is faster than one of m, and what is too much is not used. */
O2C_INLINE int64_t o2c_whole_rows(int64_t n, ptrdiff_t inner, int m)
{
  const int64_t room = (n - 1) * inner + m - O2C_LANES;
  return n < 1 || room < 0 ? 0 : room / inner + 1;
}

/* The first m of a vector of columns. */
O2C_INLINE void o2c_sum_cols_f32(const float *x, float *y, int64_t n,
                                 ptrdiff_t inner, int m, float by)
{
  const int64_t whole = o2c_whole_rows(n, inner, m);
  o2c_v a = o2c_vzero();
  for (int64_t i = 0; i < whole; i++, x += inner)
    a = o2c_vadd(a, o2c_vld(x));
  for (int64_t i = whole; i < n; i++, x += inner)
    a = o2c_vadd(a, o2c_vld_n(x, m));
  o2c_vst_n(y, o2c_vdiv(a, o2c_vset1(by)), m);
}

/* Two chains: a maximum has a long way from operand to result. */
O2C_INLINE void o2c_max_cols_f32(const float *x, float *y, int64_t n,
                                 ptrdiff_t inner, int m, float sign)
{
  const int64_t whole = o2c_whole_rows(n, inner, m);
  const int64_t even = whole - whole % 2;
  const o2c_v s = o2c_vset1(sign);
  o2c_v a = o2c_vset1(-INFINITY), b = a;
  for (int64_t i = 0; i < even; i += 2, x += 2 * inner) {
    a = o2c_vmaxnan(a, o2c_vmul(o2c_vld(x), s));
    b = o2c_vmaxnan(b, o2c_vmul(o2c_vld(x + inner), s));
  }
  for (int64_t i = even; i < n; i++, x += inner)
    a = o2c_vmaxnan(a, o2c_vmul(i < whole ? o2c_vld(x) : o2c_vld_n(x, m), s));
  o2c_vst_n(y, o2c_vmul(o2c_vmaxnan(a, b), s), m);
}

O2C_INLINE int o2c_cols_left(ptrdiff_t left)
{
  return (int)(left < O2C_LANES ? left : O2C_LANES);
}

O2C_NOINLINE void o2c_reduce_sum_f32(const float *x, float *y, int64_t outer,
                                     int64_t n, int64_t inner, float by)
{
  const ptrdiff_t w = (ptrdiff_t)inner, four = w - w % (4 * O2C_LANES);
  for (int64_t o = 0; o < outer; o++, x += n * inner, y += inner) {
    if (inner == 1) {
      *y = o2c_sum_f32(x, (ptrdiff_t)n) / by;
      continue;
    }
    for (ptrdiff_t j = 0; j < four; j += 4 * O2C_LANES)
      o2c_sum_cols4_f32(x + j, y + j, n, w, by);
    for (ptrdiff_t j = four; j < w; j += O2C_LANES)
      o2c_sum_cols_f32(x + j, y + j, n, w, o2c_cols_left(w - j), by);
  }
}

O2C_NOINLINE void o2c_reduce_max_f32(const float *x, float *y, int64_t outer,
                                     int64_t n, int64_t inner, float sign)
{
  const ptrdiff_t w = (ptrdiff_t)inner;
  for (int64_t o = 0; o < outer; o++, x += n * inner, y += inner) {
    if (inner == 1) {
      *y = o2c_extreme_f32(x, (ptrdiff_t)n, sign) * sign;
      continue;
    }
    for (ptrdiff_t j = 0; j < w; j += O2C_LANES)
      o2c_max_cols_f32(x + j, y + j, n, w, o2c_cols_left(w - j), sign);
  }
}

#endif
