/* SPDX-License-Identifier: 0BSD */
/* Softmax and its logarithm in f32 along the middle of [outer][n][inner].

     static void o2c_softmax_f32(const float *x, float *y, int64_t outer,
                                 int64_t n, int64_t inner);
     static void o2c_log_softmax_f32(the same)

   y may be x. The maximum is taken off first. A row of -inf, or one with NaN
   or +inf, is NaN, as in numpy. The order of the sum depends on n (and on
   whether inner is 1) alone. exp and log are those of math_f32.h.

   Loops which read one array and write another are in vectors by hand: the
   compilers' own would fall back to scalars where y is x. */
#ifndef O2C_SOFTMAX_F32_H
#define O2C_SOFTMAX_F32_H

#include "math_f32.h"

#define O2C_SM_BLOCK 64 /* columns at a time: 256 bytes of locals */
#define O2C_SM_PART 1024 /* elements of a row at a time: 4 KB */

/* The largest of the lanes of a vector, its halves at a time; none is NaN. */
#if defined(O2C_AVX512) || defined(O2C_AVX2) || defined(O2C_SSE2)
#define O2C_ACROSS(op, v) \
  _mm_cvtss_f32(_mm_##op##_ss((v), _mm_shuffle_ps((v), (v), 1)))
#if defined(O2C_AVX512) || defined(O2C_AVX2)
#if defined(O2C_AVX512)
#define O2C_LOW8(v) _mm512_castps512_ps256(v)
#define O2C_HIGH8(v) \
  _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1))
#define O2C_EIGHT(op, v) _mm256_##op##_ps(O2C_LOW8(v), O2C_HIGH8(v))
#else
#define O2C_EIGHT(op, v) (v)
#endif
#define O2C_FOUR(op, v) \
  _mm_##op##_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps((v), 1))
#else
#define O2C_EIGHT(op, v) (v)
#define O2C_FOUR(op, v) (v)
#endif

O2C_INLINE float o2c_vmaxlane(o2c_v v)
{
  const __m128 four = O2C_FOUR(max, O2C_EIGHT(max, v));
  return O2C_ACROSS(max, _mm_max_ps(four, _mm_movehl_ps(four, four)));
}

#else

O2C_INLINE float o2c_vmaxlane(o2c_v v)
{
  float lane[O2C_LANES], m;
  o2c_vst(lane, v);
  m = lane[0];
  for (int i = 1; i < O2C_LANES; i++)
    m = lane[i] > m ? lane[i] : m;
  return m;
}

#endif

/* Loops end at a multiple that is computed before them: gcc 12 takes a tail
 * that starts where a vector loop left off for an endless one, and warns. */

/* The largest number; NaN is passed over (it comes back in the sum). */
O2C_INLINE float o2c_max_f32(const float *x, ptrdiff_t n)
{
  o2c_v a = o2c_vset1(-INFINITY), b = a;
  const ptrdiff_t whole = n - n % (2 * O2C_LANES);
  float m;
  for (ptrdiff_t i = 0; i < whole; i += 2 * O2C_LANES) {
    a = o2c_vmax(o2c_vld(x + i), a);
    b = o2c_vmax(o2c_vld(x + i + O2C_LANES), b);
  }
  m = o2c_vmaxlane(o2c_vmax(b, a));
  for (ptrdiff_t i = whole; i < n; i++)
    m = x[i] > m ? x[i] : m;
  return m;
}

/* y = x - m; y may be x. */
O2C_INLINE void o2c_sub_f32(const float *x, float *y, ptrdiff_t n, float m)
{
  const o2c_v v = o2c_vset1(m);
  const ptrdiff_t whole = n - n % O2C_LANES;
  for (ptrdiff_t i = 0; i < whole; i += O2C_LANES)
    o2c_vst(y + i, o2c_vsub(o2c_vld(x + i), v));
  for (ptrdiff_t i = whole; i < n; i++)
    y[i] = x[i] - m;
}

/* Four vectors of partial sums, then the rest. */
O2C_INLINE float o2c_sum_f32(const float *x, ptrdiff_t n)
{
  const ptrdiff_t l = O2C_LANES;
  o2c_v a = o2c_vzero(), b = a, c = a, d = a;
  const ptrdiff_t four = n - n % (4 * l), whole = n - n % l;
  float s;
  for (ptrdiff_t i = 0; i < four; i += 4 * l) {
    a = o2c_vadd(a, o2c_vld(x + i));
    b = o2c_vadd(b, o2c_vld(x + i + l));
    c = o2c_vadd(c, o2c_vld(x + i + 2 * l));
    d = o2c_vadd(d, o2c_vld(x + i + 3 * l));
  }
  for (ptrdiff_t i = four; i < whole; i += l)
    a = o2c_vadd(a, o2c_vld(x + i));
  s = o2c_vsum(o2c_vadd(o2c_vadd(a, b), o2c_vadd(c, d)));
  for (ptrdiff_t i = whole; i < n; i++)
    s += x[i];
  return s;
}

/* A part of the row at a time, while it is in the first-level cache. */
O2C_INLINE void o2c_softmax_row(const float *x, float *y, ptrdiff_t n)
{
  const float max = o2c_max_f32(x, n);
  float scale, sum = 0.0f;
  for (ptrdiff_t at = 0; at < n; at += O2C_SM_PART) {
    const ptrdiff_t m = n - at < O2C_SM_PART ? n - at : O2C_SM_PART;
    float *const part = y + at;
    o2c_sub_f32(x + at, part, m, max);
    for (ptrdiff_t i = 0; i < m; i++)
      part[i] = o2c_expf(part[i]);
    sum += o2c_sum_f32(part, m);
  }
  scale = 1.0f / sum;
  for (ptrdiff_t i = 0; i < n; i++)
    y[i] *= scale;
}

O2C_INLINE void o2c_log_softmax_row(const float *x, float *y, ptrdiff_t n)
{
  float e[O2C_SM_BLOCK], sum = 0.0f;
  o2c_sub_f32(x, y, n, o2c_max_f32(x, n));
  for (ptrdiff_t i = 0; i < n; i += O2C_SM_BLOCK) {
    const ptrdiff_t m = n - i < O2C_SM_BLOCK ? n - i : O2C_SM_BLOCK;
    for (ptrdiff_t j = 0; j < m; j++)
      e[j] = o2c_expf(y[i + j]);
    sum += o2c_sum_f32(e, m);
  }
  o2c_sub_f32(y, y, n, o2c_logf(sum));
}

/* max[j] = max(max[j], x[j]) and y[j] = x[j] - max[j], y may be x. */
O2C_INLINE void o2c_sm_max(const float *x, float *max, ptrdiff_t m)
{
  for (ptrdiff_t j = 0; j < m; j++)
    max[j] = x[j] > max[j] ? x[j] : max[j];
}

O2C_INLINE void o2c_sm_sub(const float *x, const float *max, float *y,
                           ptrdiff_t m)
{
  const ptrdiff_t whole = m - m % O2C_LANES;
  for (ptrdiff_t j = 0; j < whole; j += O2C_LANES)
    o2c_vst(y + j, o2c_vsub(o2c_vld(x + j), o2c_vld(max + j)));
  for (ptrdiff_t j = whole; j < m; j++)
    y[j] = x[j] - max[j];
}

/* m <= O2C_SM_BLOCK neighbouring columns of n elements, inner apart. Not
   inlined: its arrays and the row's vectors would share a frame. */
O2C_NOINLINE void o2c_softmax_cols(const float *x, float *y, int64_t n,
                                   ptrdiff_t inner, ptrdiff_t m)
{
  float max[O2C_SM_BLOCK], sum[O2C_SM_BLOCK];
  for (ptrdiff_t j = 0; j < m; j++) {
    max[j] = -INFINITY;
    sum[j] = 0.0f;
  }
  for (int64_t i = 0; i < n; i++)
    o2c_sm_max(x + i * inner, max, m);
  for (int64_t i = 0; i < n; i++) {
    float *const row = y + i * inner;
    o2c_sm_sub(x + i * inner, max, row, m);
    for (ptrdiff_t j = 0; j < m; j++) {
      row[j] = o2c_expf(row[j]);
      sum[j] += row[j];
    }
  }
  for (ptrdiff_t j = 0; j < m; j++)
    sum[j] = 1.0f / sum[j];
  for (int64_t i = 0; i < n; i++)
    for (ptrdiff_t j = 0; j < m; j++)
      y[i * inner + j] *= sum[j];
}

O2C_NOINLINE void o2c_log_softmax_cols(const float *x, float *y, int64_t n,
                                       ptrdiff_t inner, ptrdiff_t m)
{
  float max[O2C_SM_BLOCK], sum[O2C_SM_BLOCK];
  for (ptrdiff_t j = 0; j < m; j++) {
    max[j] = -INFINITY;
    sum[j] = 0.0f;
  }
  for (int64_t i = 0; i < n; i++)
    o2c_sm_max(x + i * inner, max, m);
  for (int64_t i = 0; i < n; i++) {
    float *const row = y + i * inner;
    o2c_sm_sub(x + i * inner, max, row, m);
    for (ptrdiff_t j = 0; j < m; j++)
      sum[j] += o2c_expf(row[j]);
  }
  for (ptrdiff_t j = 0; j < m; j++)
    sum[j] = o2c_logf(sum[j]);
  for (int64_t i = 0; i < n; i++)
    o2c_sm_sub(y + i * inner, sum, y + i * inner, m);
}

O2C_NOINLINE void o2c_softmax_f32(const float *x, float *y, int64_t outer,
                                  int64_t n, int64_t inner)
{
  for (int64_t o = 0; o < outer; o++, x += n * inner, y += n * inner) {
    if (inner == 1)
      o2c_softmax_row(x, y, (ptrdiff_t)n);
    else
      for (int64_t j = 0; j < inner; j += O2C_SM_BLOCK)
        o2c_softmax_cols(x + j, y + j, n, (ptrdiff_t)inner, (ptrdiff_t)
          (inner - j < O2C_SM_BLOCK ? inner - j : O2C_SM_BLOCK));
  }
}

O2C_NOINLINE void o2c_log_softmax_f32(const float *x, float *y,
                                      int64_t outer, int64_t n,
                                      int64_t inner)
{
  for (int64_t o = 0; o < outer; o++, x += n * inner, y += n * inner) {
    if (inner == 1)
      o2c_log_softmax_row(x, y, (ptrdiff_t)n);
    else
      for (int64_t j = 0; j < inner; j += O2C_SM_BLOCK)
        o2c_log_softmax_cols(x + j, y + j, n, (ptrdiff_t)inner, (ptrdiff_t)
          (inner - j < O2C_SM_BLOCK ? inner - j : O2C_SM_BLOCK));
  }
}

#endif
