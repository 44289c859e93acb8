/* SPDX-License-Identifier: 0BSD */
/* exp, log, tanh, sigmoid and erf of a float, without branches, tables or
   calls, so that gcc and clang turn a plain loop over them into vectors at
   -O3 (the loop's tail computes the same bits as its body):

     float o2c_expf(float)     <= 1 ULP, denormal results included
     float o2c_logf(float)     <= 1 ULP
     float o2c_tanhf(float)    <= 2 ULP
     float o2c_sigmoidf(float) <= 3 ULP, 1 / (1 + exp(-x))
     float o2c_erff(float)     <= 2 ULP

   Infinities, NaN, zeros and denormals as in C. Coefficients: minimax fits of
   relative error, rounded to float one after another.
     float o2c_rintf_magic(float)  half to even, for |x| < 2^22 */
#ifndef O2C_MATH_F32_H
#define O2C_MATH_F32_H

#include "ref/bits.h"
#include "simd.h"

/* c ? a : b by masks. With ?: gcc moves the arithmetic of a and b into
   branches, and then makes no vectors of the loop. */
O2C_INLINE float o2c_select_f32(int c, float a, float b)
{
  const uint32_t m = 0u - (uint32_t)c;
  return o2c_float_of_bits((o2c_bits_f32(a) & m) | (o2c_bits_f32(b) & ~m));
}

/* 1.5 * 2^23: a sum with it has no room for a fraction. */
#define O2C_MAGIC_F32 12582912.0f

O2C_INLINE float o2c_rintf_magic(float x)
{
  return (x + O2C_MAGIC_F32) - O2C_MAGIC_F32;
}

/* x = n ln 2 + r, |r| <= ln 2 / 2; exp(r) = 1 + r + r^2 p(r). ln 2 in two
   parts, the first short enough that n times it is exact. 2^n in two factors:
   n may be -150 or 128. */
O2C_INLINE float o2c_expf(float x)
{
  const float top = o2c_select_f32(x > 89.0f, 89.0f, x);
  const float v = o2c_select_f32(top < -104.0f, -104.0f, top);
  const float m = O2C_FMAF(v, 1.44269502f, O2C_MAGIC_F32);
  const float n = m - O2C_MAGIC_F32;
  const float r = O2C_FMAF(n, -1.42860677e-6f, O2C_FMAF(n, -0.693145752f, v));
  const uint32_t i = o2c_bits_f32(m) - 0x4b400000u;
  const uint32_t half = (uint32_t)((int32_t)i >> 1);
  const float s = o2c_float_of_bits((half + 127u) << 23);
  const float t = o2c_float_of_bits((i - half + 127u) << 23);
  float p = O2C_FMAF(0.00138183648f, r, 0.00836871564f);
  p = O2C_FMAF(p, r, 0.0416682959f);
  p = O2C_FMAF(p, r, 0.166665211f);
  p = O2C_FMAF(p, r, 0.49999994f);
  p = O2C_FMAF(p, r * r, r) + 1.0f;
  return p * s * t;
}

/* x = 2^e (1 + f), 1 + f within [sqrt 1/2, sqrt 2);
   log(1 + f) = f - f^2/2 + f^3 p(f). */
O2C_INLINE float o2c_logf(float x)
{
  const int tiny = x < 1.17549435e-38f;
  const float scaled = x * 8388608.0f;
  const uint32_t u = o2c_bits_f32(o2c_select_f32(tiny, scaled, x));
  const int32_t e = (int32_t)(u - 0x3f3504f3u) >> 23;
  const float n = (float)e - o2c_select_f32(tiny, 23.0f, 0.0f);
  const float f = o2c_float_of_bits(u - ((uint32_t)e << 23)) - 1.0f;
  const float f2 = f * f;
  float p = O2C_FMAF(-0.0763787776f, f, 0.12764585f), y;
  p = O2C_FMAF(p, f, -0.131602362f);
  p = O2C_FMAF(p, f, 0.142013058f);
  p = O2C_FMAF(p, f, -0.166233137f);
  p = O2C_FMAF(p, f, 0.20001249f);
  p = O2C_FMAF(p, f, -0.250008225f);
  p = O2C_FMAF(p, f, 0.333333313f);
  y = O2C_FMAF(n, 1.42860677e-6f, p * f * f2);
  y = O2C_FMAF(-0.5f, f2, y);
  y = O2C_FMAF(n, 0.693145752f, f + y);
  y = o2c_select_f32(x == 0.0f, -INFINITY, y);
  y = o2c_select_f32(x < 0.0f, NAN, y);
  return o2c_select_f32(x < INFINITY, y, x); /* else +inf or NaN */
}

O2C_INLINE float o2c_copysignf(float x, float sign)
{
  return o2c_float_of_bits((o2c_bits_f32(x) & 0x7fffffffu) |
                           (o2c_bits_f32(sign) & 0x80000000u));
}

O2C_INLINE float o2c_absf(float x)
{
  return o2c_float_of_bits(o2c_bits_f32(x) & 0x7fffffffu);
}

/* x + x^3 p(x^2) near 0, else 1 - 2 / (exp(2|x|) + 1). */
O2C_INLINE float o2c_tanhf(float x)
{
  const float a = o2c_absf(x), z = x * x;
  const float far = 1.0f - 2.0f / (o2c_expf(a + a) + 1.0f);
  float p = O2C_FMAF(-0.00569234043f, z, 0.0206281934f);
  p = O2C_FMAF(p, z, -0.0537365191f);
  p = O2C_FMAF(p, z, 0.133314058f);
  p = O2C_FMAF(p, z, -0.333332807f);
  p = O2C_FMAF(p * z, x, x);
  return o2c_select_f32(a < 0.625f, p, o2c_copysignf(far, x));
}

/* With exp(-|x|), so that small results keep their digits. */
O2C_INLINE float o2c_sigmoidf(float x)
{
  const float e = o2c_expf(-o2c_absf(x));
  return o2c_select_f32(x < 0.0f, e, 1.0f) / (1.0f + e);
}

/* x + x p(x^2) near 0, else 1 - exp(q(|x|)), q = log erfc. */
O2C_INLINE float o2c_erff(float x)
{
  const float a = o2c_absf(x), z = x * x;
  const float v = o2c_select_f32(a > 4.0f, 4.0f, a);
  float p = O2C_FMAF(-0.000600384199f, z, 0.00499585923f), q;
  p = O2C_FMAF(p, z, -0.0267685819f);
  p = O2C_FMAF(p, z, 0.11281877f);
  p = O2C_FMAF(p, z, -0.376125008f);
  p = O2C_FMAF(p, z, 0.128379151f);
  p = O2C_FMAF(p, x, x);
  q = O2C_FMAF(0.00019822469f, v, -0.0030655195f);
  q = O2C_FMAF(q, v, 0.0223152749f);
  q = O2C_FMAF(q, v, -0.104113735f);
  q = O2C_FMAF(q, v, -0.636976063f);
  q = O2C_FMAF(q, v, -1.12779725f);
  q = O2C_FMAF(q, v, -0.000166445418f);
  return o2c_select_f32(a < 0.92f, p, o2c_copysignf(1.0f - o2c_expf(q), x));
}

#endif
