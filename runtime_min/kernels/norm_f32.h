/* SPDX-License-Identifier: 0BSD */
/* Normalisation of f32 rows.

     static void o2c_layer_norm_f32(const float *x, const float *scale,
       const float *bias, float *y, float *means, float *inverses,
       int64_t rows, int64_t n, float epsilon);
     static void o2c_rms_norm_f32(const float *x, const float *scale, float *y,
       int64_t rows, int64_t n, float epsilon);
     static void o2c_group_norm_f32(const float *x, const float *scale,
       const float *bias, float *y, int64_t images, int64_t groups,
       int64_t channels, int64_t size, int64_t per_group, float epsilon);

   Rows of n elements; scale and bias have n; bias, means and inverses (of the
   deviation) may be NULL. group_norm: x is [images][groups][channels][size],
   with a scale and bias for each channel, or (per_group) for each group.

   y may be x. Two passes: the mean, then the squares of the distances from it.
   The order of a sum depends on its length alone. Loops are in vectors by
   hand, as those of softmax_f32.h, whose sum this uses. */
#ifndef O2C_NORM_F32_H
#define O2C_NORM_F32_H

#include "softmax_f32.h"

/* Sum of (x - m)^2: four vectors of partial sums, then the rest. */
O2C_INLINE float o2c_sum_square_f32(const float *x, ptrdiff_t n, float m)
{
  const ptrdiff_t l = O2C_LANES;
  const o2c_v mv = o2c_vset1(m);
  o2c_v a = o2c_vzero(), b = a, c = a, d = a, v;
  const ptrdiff_t four = n - n % (4 * l), whole = n - n % l;
  float s;
  for (ptrdiff_t i = 0; i < four; i += 4 * l) {
    v = o2c_vsub(o2c_vld(x + i), mv);
    a = o2c_vfma(v, v, a);
    v = o2c_vsub(o2c_vld(x + i + l), mv);
    b = o2c_vfma(v, v, b);
    v = o2c_vsub(o2c_vld(x + i + 2 * l), mv);
    c = o2c_vfma(v, v, c);
    v = o2c_vsub(o2c_vld(x + i + 3 * l), mv);
    d = o2c_vfma(v, v, d);
  }
  for (ptrdiff_t i = four; i < whole; i += l) {
    v = o2c_vsub(o2c_vld(x + i), mv);
    a = o2c_vfma(v, v, a);
  }
  s = o2c_vsum(o2c_vadd(o2c_vadd(a, b), o2c_vadd(c, d)));
  for (ptrdiff_t i = whole; i < n; i++)
    s = O2C_FMAF(x[i] - m, x[i] - m, s);
  return s;
}

/* The mean of n elements, and 1 / sqrt(variance + epsilon). */
O2C_INLINE float o2c_norm_stats_f32(const float *x, ptrdiff_t n, float epsilon,
                                    float *by)
{
  const float mean = o2c_sum_f32(x, n) / (float)n;
  const float square = o2c_sum_square_f32(x, n, mean);
  *by = 1.0f / sqrtf(square / (float)n + epsilon);
  return mean;
}

/* y = (x - mean) * by * scale + bias */
O2C_INLINE void o2c_norm_row_f32(const float *x, const float *scale,
                                 const float *bias, float *y, ptrdiff_t n,
                                 float mean, float by)
{
  const ptrdiff_t l = O2C_LANES, whole = n - n % l;
  const o2c_v m = o2c_vset1(mean), f = o2c_vset1(by);
  for (ptrdiff_t i = 0; i < whole; i += l) {
    const o2c_v v = o2c_vmul(o2c_vsub(o2c_vld(x + i), m), f);
    o2c_vst(y + i, o2c_vfma(v, o2c_vld(scale + i),
                            bias ? o2c_vld(bias + i) : o2c_vzero()));
  }
  for (ptrdiff_t i = whole; i < n; i++)
    y[i] = O2C_FMAF((x[i] - mean) * by, scale[i], bias ? bias[i] : 0.0f);
}

O2C_NOINLINE void o2c_layer_norm_f32(const float *x, const float *scale,
                                     const float *bias, float *y, float *means,
                                     float *inverses, int64_t rows, int64_t n,
                                     float epsilon)
{
  for (int64_t i = 0; i < rows; i++, x += n, y += n) {
    float by, mean = o2c_norm_stats_f32(x, (ptrdiff_t)n, epsilon, &by);
    o2c_norm_row_f32(x, scale, bias, y, (ptrdiff_t)n, mean, by);
    if (means)
      means[i] = mean;
    if (inverses)
      inverses[i] = by;
  }
}

O2C_NOINLINE void o2c_rms_norm_f32(const float *x, const float *scale,
                                   float *y, int64_t rows, int64_t n,
                                   float epsilon)
{
  const ptrdiff_t l = O2C_LANES, m = (ptrdiff_t)n, whole = m - m % l;
  for (int64_t i = 0; i < rows; i++, x += n, y += n) {
    const float square = o2c_sum_square_f32(x, m, 0.0f);
    const float by = 1.0f / sqrtf(square / (float)n + epsilon);
    const o2c_v f = o2c_vset1(by);
    for (ptrdiff_t j = 0; j < whole; j += l)
      o2c_vst(y + j, o2c_vmul(o2c_vmul(o2c_vld(x + j), f),
                              o2c_vld(scale + j)));
    for (ptrdiff_t j = whole; j < m; j++)
      y[j] = x[j] * by * scale[j];
  }
}

/* y = (x - mean) * a + b for n elements */
O2C_INLINE void o2c_affine_f32(const float *x, float *y, ptrdiff_t n,
                               float mean, float a, float b)
{
  const ptrdiff_t l = O2C_LANES, whole = n - n % l;
  const o2c_v m = o2c_vset1(mean), av = o2c_vset1(a), bv = o2c_vset1(b);
  for (ptrdiff_t i = 0; i < whole; i += l)
    o2c_vst(y + i, o2c_vfma(o2c_vsub(o2c_vld(x + i), m), av, bv));
  for (ptrdiff_t i = whole; i < n; i++)
    y[i] = O2C_FMAF(x[i] - mean, a, b);
}

O2C_NOINLINE void o2c_group_norm_f32(const float *x, const float *scale,
                                     const float *bias, float *y,
                                     int64_t images, int64_t groups,
                                     int64_t channels, int64_t size,
                                     int64_t per_group, float epsilon)
{
  for (int64_t i = 0; i < images; i++)
    for (int64_t g = 0; g < groups; g++) {
      float by, mean = o2c_norm_stats_f32(x, (ptrdiff_t)(channels * size),
                                          epsilon, &by);
      for (int64_t c = 0; c < channels; c++, x += size, y += size) {
        const int64_t k = per_group ? g : g * channels + c;
        o2c_affine_f32(x, y, (ptrdiff_t)size, mean, by * scale[k], bias[k]);
      }
    }
}

#endif
