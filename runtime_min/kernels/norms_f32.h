/* SPDX-License-Identifier: 0BSD */
/* Norms, sums of squares, products and logarithms of sums, f32, along the
   middle of [outer][n][inner].

     static void o2c_norms_f32(const float *x, float *y, int64_t outer,
                               int64_t n, int64_t inner, const int of);

   of: one of the names below; it should be literal. LOG_SUM_EXP takes the
   maximum off first, unless that is infinite. exp and log are those of
   math_f32.h.

   The order of a sum depends on n, and on whether inner is 1, alone: rows in
   four vectors (exponentials as softmax_f32.h adds, 64 at a time), columns and
   products in one chain. What is left of a row is a vector filled up with
   zeros: most rows of features are shorter than one, and lanes added one after
   the other would be all of their time. Several short rows' lanes are summed
   in one tree. */
#ifndef O2C_NORMS_F32_H
#define O2C_NORMS_F32_H

#include "reduce_f32.h"

enum {
  O2C_OF_L1, O2C_OF_SUM_SQUARE, O2C_OF_L2, O2C_OF_PROD, O2C_OF_LOG_SUM,
  O2C_OF_LOG_SUM_EXP
};

/* What is summed, of one element. */
O2C_INLINE float o2c_of_one(float v, const int of)
{
  return of == O2C_OF_L1 ? fabsf(v)
       : of == O2C_OF_SUM_SQUARE || of == O2C_OF_L2 ? v * v : v;
}

O2C_INLINE o2c_v o2c_of_v(o2c_v v, const int of)
{
  return of == O2C_OF_L1 ? o2c_vmax(v, o2c_vsub(o2c_vzero(), v))
       : of == O2C_OF_SUM_SQUARE || of == O2C_OF_L2 ? o2c_vmul(v, v) : v;
}

/* What becomes of the sum. */
O2C_INLINE float o2c_of_end(float s, const int of)
{
  return of == O2C_OF_L2 ? sqrtf(s)
       : of == O2C_OF_LOG_SUM || of == O2C_OF_LOG_SUM_EXP ? o2c_logf(s) : s;
}

/* The lanes' sums of a row. */
O2C_INLINE o2c_v o2c_of_lanes(const float *x, ptrdiff_t n, const int of)
{
  const ptrdiff_t l = O2C_LANES;
  o2c_v a = o2c_vzero(), b = a, c = a, d = a;
  const ptrdiff_t four = n - n % (4 * l), whole = n - n % l;
  for (ptrdiff_t i = 0; i < four; i += 4 * l) {
    a = o2c_vadd(a, o2c_of_v(o2c_vld(x + i), of));
    b = o2c_vadd(b, o2c_of_v(o2c_vld(x + i + l), of));
    c = o2c_vadd(c, o2c_of_v(o2c_vld(x + i + 2 * l), of));
    d = o2c_vadd(d, o2c_of_v(o2c_vld(x + i + 3 * l), of));
  }
  for (ptrdiff_t i = four; i < whole; i += l)
    a = o2c_vadd(a, o2c_of_v(o2c_vld(x + i), of));
  if (whole < n)
    a = o2c_vadd(a, o2c_of_v(o2c_vld_n(x + whole, (int)(n - whole)), of));
  return o2c_vadd(o2c_vadd(a, b), o2c_vadd(c, d));
}

/* The same of n < 4 O2C_LANES elements: three of the four vectors are 0. */
O2C_INLINE o2c_v o2c_of_short(const float *x, ptrdiff_t n, const int of)
{
  const ptrdiff_t l = O2C_LANES, whole = n - n % l;
  o2c_v a = o2c_vzero();
  O2C_ROLLED
  for (ptrdiff_t i = 0; i < whole; i += l)
    a = o2c_vadd(a, o2c_of_v(o2c_vld(x + i), of));
  if (whole < n)
    a = o2c_vadd(a, o2c_of_v(o2c_vld_n(x + whole, (int)(n - whole)), of));
  return a;
}

/* O2C_VSUMS short rows of sums, squares or absolute values; by itself, since
   clang would add its frame to others. */
#define O2C_OF_ROW(i) \
  ((i) < O2C_VSUMS ? o2c_of_short(x + (i) * n, n, of) : o2c_vzero())
O2C_NOINLINE void o2c_of_rows(const float *x, float *y, ptrdiff_t n,
                              const int of)
{
  const o2c_v s = o2c_vsums(O2C_OF_ROW(0), O2C_OF_ROW(1), O2C_OF_ROW(2),
                            O2C_OF_ROW(3), O2C_OF_ROW(4), O2C_OF_ROW(5),
                            O2C_OF_ROW(6), O2C_OF_ROW(7));
  o2c_vst_n(y, of == O2C_OF_L2 ? o2c_vsqrt(s) : s, O2C_VSUMS);
  if (of == O2C_OF_LOG_SUM)
    for (int i = 0; i < O2C_VSUMS; i++)
      y[i] = o2c_logf(y[i]);
}
#undef O2C_OF_ROW

O2C_INLINE float o2c_of_prod(const float *x, ptrdiff_t n)
{
  float s = 1.0f;
  for (ptrdiff_t i = 0; i < n; i++)
    s *= x[i];
  return s;
}

O2C_INLINE float o2c_log_sum_exp_row(const float *x, ptrdiff_t n)
{
  float e[O2C_SM_BLOCK], max = o2c_extreme_f32(x, n, 1.0f), sum = 0.0f;
  if (max - max != 0.0f)
    max = 0.0f;
  for (ptrdiff_t i = 0; i < n; i += O2C_SM_BLOCK) {
    const ptrdiff_t m = n - i < O2C_SM_BLOCK ? n - i : O2C_SM_BLOCK;
    for (ptrdiff_t j = 0; j < m; j++)
      e[j] = o2c_expf(x[i + j] - max);
    sum += o2c_sum_f32(e, m);
  }
  return o2c_logf(sum) + max;
}

O2C_INLINE float o2c_norm_row(const float *x, ptrdiff_t n, const int of)
{
  return of == O2C_OF_LOG_SUM_EXP ? o2c_log_sum_exp_row(x, n)
       : of == O2C_OF_PROD ? o2c_of_prod(x, n)
                           : o2c_of_end(o2c_vsum(o2c_of_lanes(x, n, of)), of);
}

/* m <= O2C_SM_BLOCK neighbouring columns of n elements, inner apart. */
O2C_NOINLINE void o2c_norm_cols(const float *x, float *y, int64_t n,
                                ptrdiff_t inner, ptrdiff_t m, const int of)
{
  float sum[O2C_SM_BLOCK], max[O2C_SM_BLOCK];
  for (ptrdiff_t j = 0; j < m; j++) {
    sum[j] = of == O2C_OF_PROD ? 1.0f : 0.0f;
    max[j] = -INFINITY;
  }
  for (int64_t i = 0; i < n && of == O2C_OF_LOG_SUM_EXP; i++)
    for (ptrdiff_t j = 0; j < m; j++)
      max[j] = o2c_maxnan_f32(max[j], x[i * inner + j]);
  for (ptrdiff_t j = 0; j < m; j++)
    max[j] = max[j] - max[j] != 0.0f ? 0.0f : max[j];
  for (int64_t i = 0; i < n; i++) {
    const float *const row = x + i * inner;
    for (ptrdiff_t j = 0; j < m; j++)
      if (of == O2C_OF_PROD)
        sum[j] *= row[j];
      else
        sum[j] += of == O2C_OF_LOG_SUM_EXP ? o2c_expf(row[j] - max[j])
                                           : o2c_of_one(row[j], of);
  }
  for (ptrdiff_t j = 0; j < m; j++)
    y[j] = of == O2C_OF_LOG_SUM_EXP ? o2c_logf(sum[j]) + max[j]
                                    : o2c_of_end(sum[j], of);
}

O2C_INLINE void o2c_norms_f32(const float *x, float *y, int64_t outer,
                              int64_t n, int64_t inner, const int of)
{
  int64_t o = 0;
  if (inner == 1 && n < 4 * O2C_LANES && of != O2C_OF_PROD &&
      of != O2C_OF_LOG_SUM_EXP)
    for (; outer - o >= O2C_VSUMS; o += O2C_VSUMS) {
      o2c_of_rows(x, y, (ptrdiff_t)n, of);
      x += O2C_VSUMS * n;
      y += O2C_VSUMS;
    }
  for (; o < outer; o++, x += n * inner, y += inner) {
    if (inner == 1) {
      *y = o2c_norm_row(x, (ptrdiff_t)n, of);
      continue;
    }
    for (int64_t j = 0; j < inner; j += O2C_SM_BLOCK)
      o2c_norm_cols(x + j, y + j, n, (ptrdiff_t)inner, (ptrdiff_t)
        (inner - j < O2C_SM_BLOCK ? inner - j : O2C_SM_BLOCK), of);
  }
}

#endif
