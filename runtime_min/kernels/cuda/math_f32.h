/* SPDX-License-Identifier: 0BSD */
/* What math_f32.h has for CPUs, for GPUs: by the toolkit's functions, whose
 * errors are at most 2 ULP where they are not exact. */
#ifndef O2C_MATH_F32_H
#define O2C_MATH_F32_H
#include "ref/bits.h"

O2C_INLINE float o2c_select_f32(int c, float a, float b) { return c ? a : b; }
/* To the nearest integer, ties to even. */
O2C_INLINE float o2c_rintf_magic(float x) { return rintf(x); }
O2C_INLINE float o2c_expf(float x) { return expf(x); }
O2C_INLINE float o2c_expm1f(float x) { return expm1f(x); }
O2C_INLINE float o2c_logf(float x) { return logf(x); }
O2C_INLINE float o2c_copysignf(float x, float s) { return copysignf(x, s); }
O2C_INLINE float o2c_absf(float x) { return fabsf(x); }
O2C_INLINE float o2c_tanhf(float x) { return tanhf(x); }
O2C_INLINE float o2c_erff(float x) { return erff(x); }

/* log(1 + exp(x)) */
O2C_INLINE float o2c_softplusf(float x)
{
  const float tail = log1pf(expf(x < 0.0f ? x : -x));
  return x < 0.0f ? tail : x + tail;
}

/* By exp of what is not positive, so that nothing overflows. */
O2C_INLINE float o2c_sigmoidf(float x)
{
  const float e = expf(x < 0.0f ? x : -x);
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

O2C_INLINE float o2c_times_sigmoid(float num, float x)
{
  const float s = o2c_sigmoidf(x);
  return s == 0.0f ? 0.0f : num * s;
}

O2C_INLINE float o2c_swishf(float x, float a)
{
  return o2c_times_sigmoid(x, a * x);
}

O2C_INLINE float o2c_gelu_tanhf(float x)
{
  return o2c_times_sigmoid(x, 1.5957691216057307f *
                              (x + 0.044715f * x * x * x));
}

O2C_INLINE float o2c_geluf(float x)
{
  return x == -INFINITY ? 0.0f : 0.5f * x * erfcf(x * -0.70710678118654752440f);
}

O2C_INLINE float o2c_mishf(float x)
{
  const float e = expf(x < 20.0f ? x : 20.0f), n = e * (e + 2.0f);
  return n == 0.0f ? 0.0f : x * (n / (n + 2.0f));
}
#endif
