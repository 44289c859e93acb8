/* SPDX-License-Identifier: 0BSD */
/* Functions of a float, without branches, tables or calls, so that gcc and
   clang turn a plain loop over them into vectors at -O3 (the loop's tail
   computes the same bits as its body). Errors over all floats, in ULP of the
   exact result, denormal results included:

     o2c_expf, o2c_logf                      1
     o2c_tanhf, o2c_erff                     2
     o2c_sigmoidf   1 / (1 + exp(-x))        3
     o2c_expm1f     exp(x) - 1               2
     o2c_softplusf  log(1 + exp(x))          2
     o2c_swishf     x * sigmoid(a x)         2, without FMA 3; 4 where a = 1
     o2c_geluf      x * Phi(x)               4
     o2c_gelu_tanhf x * sigmoid(2 u)         2, without FMA 3
                    where u = sqrt(2 / pi) (x + 0.044715 x^3)
     o2c_mishf      x * tanh(softplus(x))    2, without FMA 3
     o2c_rintf_magic  half to even, for |x| < 2^22

   Infinities, NaN and zeros as in C; of -inf the last four make their limit 0,
   not the NaN of the product. Coefficients: minimax fits of relative error,
   rounded to float one after another. */
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

/* a * b - h, exactly unless it underflows; h is a * b rounded. */
O2C_INLINE float o2c_mul_tail(float a, float b, float h)
{
#if defined(O2C_HAS_FMA)
  return O2C_FMAF(a, b, -h);
#else
  const float c = o2c_float_of_bits(o2c_bits_f32(a) & 0xfffff000u);
  const float d = o2c_float_of_bits(o2c_bits_f32(b) & 0xfffff000u);
  return ((c * d - h) + c * (b - d) + (a - c) * d) + (a - c) * (b - d);
#endif
}

/* exp(v + tail) = (1 + q) s t; v within [-150, 89] or NaN. v = n ln 2 + r,
   |r| <= ln 2 / 2; q = r + r^2 p(r). ln 2 in two parts, the first short enough
   that n times it is exact. 2^n in two factors: n may be -216 or 128. */
typedef struct {
  float q, s, t;
} o2c_exp_f32;

O2C_INLINE float o2c_exp_reduced(float v, float m)
{
  const float n = m - O2C_MAGIC_F32;
  const float far = O2C_FMAF(n, -0.693145752f, v);
  return O2C_FMAF(n, -1.42860677e-6f, far);
}

O2C_INLINE float o2c_exp_q(float r)
{
  float p = O2C_FMAF(0.00138183648f, r, 0.00836871564f);
  p = O2C_FMAF(p, r, 0.0416682959f);
  p = O2C_FMAF(p, r, 0.166665211f);
  p = O2C_FMAF(p, r, 0.49999994f);
  return O2C_FMAF(p, r * r, r);
}

O2C_INLINE o2c_exp_f32 o2c_exp_parts(float v, float tail)
{
  const float m = O2C_FMAF(v, 1.44269502f, O2C_MAGIC_F32);
  const uint32_t i = o2c_bits_f32(m) - 0x4b400000u;
  const uint32_t half = (uint32_t)((int32_t)i >> 1);
  o2c_exp_f32 e;
  e.q = o2c_exp_q(o2c_exp_reduced(v, m) + tail);
  e.s = o2c_float_of_bits((half + 127u) << 23);
  e.t = o2c_float_of_bits((i - half + 127u) << 23);
  return e;
}

/* The same with t = 1, for v within [-87, 88] or NaN. */
O2C_INLINE o2c_exp_f32 o2c_exp_normal(float v)
{
  const float m = O2C_FMAF(v, 1.44269502f, O2C_MAGIC_F32);
  o2c_exp_f32 e;
  e.q = o2c_exp_q(o2c_exp_reduced(v, m));
  e.s = o2c_float_of_bits((o2c_bits_f32(m) << 23) + 0x3f800000u);
  e.t = 1.0f;
  return e;
}

O2C_INLINE float o2c_expf(float x)
{
  const float top = o2c_select_f32(x > 89.0f, 89.0f, x);
  const float v = o2c_select_f32(top < -104.0f, -104.0f, top);
  const o2c_exp_f32 e = o2c_exp_parts(v, 0.0f);
  return (e.q + 1.0f) * e.s * e.t;
}

/* 2^n q + (2^n - 1), where 2^n - 1 is exact or rounded harmlessly. */
O2C_INLINE float o2c_expm1f(float x)
{
  const float top = o2c_select_f32(x > 89.0f, 89.0f, x);
  const float v = o2c_select_f32(top < -20.0f, -20.0f, top);
  const o2c_exp_f32 e = o2c_exp_parts(v, 0.0f);
  const float one = o2c_float_of_bits(0x7f000000u - o2c_bits_f32(e.t));
  const float y = O2C_FMAF(e.q, e.s, e.s - one) * e.t;
  return o2c_select_f32(x == 0.0f, x, y);
}

/* log(2^n (1 + f)), 1 + f within [sqrt 1/2, sqrt 2]:
   log(1 + f) = f - f^2/2 + f^3 p(f). */
O2C_INLINE float o2c_log_parts(float n, float f)
{
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
  return O2C_FMAF(n, 0.693145752f, f + y);
}

O2C_INLINE float o2c_logf(float x)
{
  const int tiny = x < 1.17549435e-38f;
  const float scaled = x * 8388608.0f;
  const uint32_t u = o2c_bits_f32(o2c_select_f32(tiny, scaled, x));
  const int32_t e = (int32_t)(u - 0x3f3504f3u) >> 23;
  const float n = (float)e - o2c_select_f32(tiny, 23.0f, 0.0f);
  float y = o2c_log_parts(n, o2c_float_of_bits(u - ((uint32_t)e << 23)) - 1.0f);
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

/* x + x^3 p(x^2) near 0, else 1 - 2 / (exp(2|x|) + 1), 1 from 10 on. */
O2C_INLINE float o2c_tanhf(float x)
{
  const float a = o2c_absf(x), z = x * x, twice = a + a;
  const o2c_exp_f32 e =
    o2c_exp_normal(o2c_select_f32(twice > 20.0f, 20.0f, twice));
  const float far = 1.0f - 2.0f / (O2C_FMAF(e.q, e.s, e.s) + 1.0f);
  float p = O2C_FMAF(-0.00569234043f, z, 0.0206281934f);
  p = O2C_FMAF(p, z, -0.0537365191f);
  p = O2C_FMAF(p, z, 0.133314058f);
  p = O2C_FMAF(p, z, -0.333332807f);
  p = O2C_FMAF(p * z, x, x);
  return o2c_select_f32(a < 0.625f, p, o2c_copysignf(far, x));
}

/* -|x|, no less than -150: x exp(x) is 0 from there on. */
O2C_INLINE float o2c_exp_argument(float x)
{
  const float v = -o2c_absf(x);
  return o2c_select_f32(v < -150.0f, -150.0f, v);
}

/* log1p(e), e = exp(-|x|), and x where x > 0. e + `low` is e before it was
   rounded. */
O2C_INLINE float o2c_softplusf(float x)
{
  const o2c_exp_f32 p = o2c_exp_parts(o2c_exp_argument(x), 0.0f);
  const float h = 1.0f + p.q, low = (p.q - (h - 1.0f)) * p.s * p.t;
  const float e = h * p.s * p.t;
  const int twice = e > 0.4142f;
  const float n = o2c_select_f32(twice, 1.0f, 0.0f);
  const float f = o2c_select_f32(twice, 0.5f * e - 0.5f, e);
  const float y = O2C_FMAF(low, O2C_FMAF(-0.5f, e, 1.0f), o2c_log_parts(n, f));
  return o2c_select_f32(x < 0.0f, 0.0f, x) + y;
}

/* (n + n_low) / (d + d_low), with one division. */
O2C_INLINE float o2c_quotient(float n, float n_low, float d, float d_low)
{
  const float over = 1.0f / d, y = n * over;
  const float low = O2C_FMAF(-y, d, n) + O2C_FMAF(-y, d_low, n_low);
  return O2C_FMAF(low, over, y);
}

/* sigmoid(x + tail) = y s t: 1 / (1 + e) or e / (1 + e), e = exp(-|x|). What
   rounding took from e and 1 + e is given back. A product with y comes before
   those with s and t, so that it is rounded once where it is denormal. */
typedef struct {
  float y, s, t;
} o2c_sigmoid_f32;

O2C_INLINE o2c_sigmoid_f32 o2c_sigmoid_parts(float x, float tail)
{
  const int neg = x < 0.0f;
  const o2c_exp_f32 p = o2c_exp_parts(o2c_exp_argument(x),
                                      o2c_select_f32(neg, tail, -tail));
  const float h = 1.0f + p.q, low = p.q - (h - 1.0f);
  const float e = h * p.s * p.t, d = 1.0f + e;
  const float d_low = O2C_FMAF(low * p.s, p.t, e - (d - 1.0f));
  o2c_sigmoid_f32 r;
  r.y = o2c_quotient(o2c_select_f32(neg, h, 1.0f),
                     o2c_select_f32(neg, low, 0.0f), d, d_low);
  r.s = o2c_select_f32(neg, p.s, 1.0f);
  r.t = o2c_select_f32(neg, p.t, 1.0f);
  return r;
}

/* num sigmoid(x) where x >= 0, and below num e / (1 + e), without what rounding
   took. 2^t comes last, so that denormal results are rounded once more. */
O2C_INLINE float o2c_times_sigmoid(float num, float x)
{
  const int neg = x < 0.0f;
  const o2c_exp_f32 p = o2c_exp_parts(o2c_exp_argument(x), 0.0f);
  const float h = O2C_FMAF(p.q, p.s, p.s);
  const float y = num * o2c_select_f32(neg, h, 1.0f) / O2C_FMAF(h, p.t, 1.0f);
  return y * o2c_select_f32(neg, p.t, 1.0f);
}

O2C_INLINE float o2c_sigmoidf(float x)
{
  return o2c_times_sigmoid(1.0f, x);
}

O2C_INLINE float o2c_swishf(float x, float a)
{
  if (a == 1.0f) /* a constant */
    return o2c_select_f32(x < -150.0f, 0.0f, o2c_times_sigmoid(x, x));
  const float v = a * x;
  const float tail = o2c_select_f32(o2c_absf(v) < 128.0f,
                                    o2c_mul_tail(a, x, v), 0.0f);
  const o2c_sigmoid_f32 p = o2c_sigmoid_parts(v, tail);
  return o2c_select_f32(v < -150.0f, 0.0f, x * p.y * p.s * p.t);
}

/* 2 u = x (c + d x^2), in two floats at each step; below -12 it is 0. */
O2C_INLINE float o2c_gelu_tanhf(float x)
{
  const float top = o2c_select_f32(x > 12.0f, 12.0f, x);
  const float v = o2c_select_f32(top < -12.0f, -12.0f, top);
  const float z = v * v, z_low = o2c_mul_tail(v, v, z);
  const float d = 0.0713548139f, c = 1.59576917f;
  const float w = d * z, w_low = O2C_FMAF(d, z_low, o2c_mul_tail(d, z, w));
  const float k = c + w, from = k - c, u = v * k;
  const float k_low = (c - (k - from)) + (w - from) +
                      O2C_FMAF(2.39037e-9f, z, w_low - 4.75446e-8f);
  const float u_low = O2C_FMAF(v, k_low, o2c_mul_tail(v, k, u));
  const o2c_sigmoid_f32 p = o2c_sigmoid_parts(u, u_low);
  return o2c_select_f32(x < -12.0f, v, x) * p.y * p.s * p.t;
}

/* max(x, 0) - |x| Phi(-|x|), where Phi(-a) = exp(-a^2 / 2) R(a), R a
   polynomial of t = 1 / (1 + a / 4). t_low is what rounding took from t, over
   t; dR / R is nearly 3.2 dt. */
O2C_INLINE float o2c_geluf(float x)
{
  const float b = o2c_absf(x), a = o2c_select_f32(b > 14.6f, 14.6f, b);
  const float d = O2C_FMAF(a, 0.25f, 1.0f), t = 1.0f / d, one = t * d;
  const float t_low = (1.0f - one) - o2c_mul_tail(t, d, one) -
                      t * O2C_FMAF(a, 0.25f, 1.0f - d);
  const float z = a * a;
  const float v = -0.5f * z, positive = o2c_select_f32(x < 0.0f, 0.0f, x);
  const o2c_exp_f32 e = o2c_exp_parts(v, -0.5f * o2c_mul_tail(a, a, z));
  float p = O2C_FMAF(0.0172511879f, t, -0.0664847493f);
  p = O2C_FMAF(p, t, 0.0604537092f);
  p = O2C_FMAF(p, t, 0.0165207423f);
  p = O2C_FMAF(p, t, 0.0227912236f);
  p = O2C_FMAF(p, t, 0.0811409876f);
  p = O2C_FMAF(p, t, 0.0739489049f);
  p = O2C_FMAF(p, t, 0.0950873122f);
  p = O2C_FMAF(p, t, 0.099545598f);
  p = O2C_FMAF(p, t, 0.0997450873f);
  p = p * t * a;
  p = O2C_FMAF(p, 3.2f * t * t_low, p);
  return positive - O2C_FMAF(p, e.q, p) * e.s * e.t;
}

/* x n / (n + 2), n = e (e + 2), e = exp(x). */
O2C_INLINE float o2c_mishf(float x)
{
  const float top = o2c_select_f32(x > 20.0f, 20.0f, x);
  const float v = o2c_select_f32(top < -150.0f, -150.0f, top);
  const o2c_exp_f32 p = o2c_exp_parts(v, 0.0f);
  const float h = 1.0f + p.q, low = p.q - (h - 1.0f), scale = p.s * p.t;
  const float e = h * p.s * p.t, k = e + 2.0f, from = k - e;
  const float k_low = (e - (k - from)) + (2.0f - from) + low * scale;
  const float n = h * k;
  const float tail = o2c_mul_tail(h, k, n);
  const float n_low = O2C_FMAF(h, k_low, O2C_FMAF(low, k, tail));
  const float m = n * p.s * p.t, d = m + 2.0f, back = d - m;
  const float d_low = (m - (d - back)) + (2.0f - back) + n_low * scale;
  const float y = x * o2c_quotient(n, n_low, d, d_low) * p.s * p.t;
  return o2c_select_f32(x < -150.0f, 0.0f, y);
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
