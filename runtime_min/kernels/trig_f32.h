/* SPDX-License-Identifier: 0BSD */
/* sin and cos of any float, as math_f32.h has its functions: no branches,
   tables or calls. Where vectors lack shifts by lanes, those of glibc are
   faster, and as exact; newlib's are not (78,000 ULP at -47177.3).

     o2c_sinf, o2c_cosf   2 ULP; NaN of infinities

   An argument beyond pi/4 is turned to [-pi/4, pi/4] by integers: the 24 bits
   of x times those 96 bits of 2/pi that decide on the quadrant and what is
   behind it, whatever the exponent is. */
#ifndef O2C_TRIG_F32_H
#define O2C_TRIG_F32_H

#include "math_f32.h"

#if defined(O2C_AVX512) || defined(O2C_AVX2) || defined(O2C_NEON) || \
    !defined(__GLIBC__)

typedef struct {
  float r;    /* within [-pi/4, pi/4] */
  uint32_t q; /* |x| = r + q pi/2, but for whole turns */
} o2c_turn_f32;

O2C_INLINE uint32_t o2c_select_u32(uint32_t mask, uint32_t a, uint32_t b)
{
  return (a & mask) | (b & ~mask);
}

/* Word k of 2/pi from word `at` on, 0 to 4; the first word is 0. */
#define O2C_2_PI_WORD(k, a, b, c, d, e)                              \
  const uint32_t k = o2c_select_u32(                                 \
      four, e, o2c_select_u32(two, o2c_select_u32(odd, d, c),        \
                              o2c_select_u32(odd, b, a)));

O2C_INLINE o2c_turn_f32 o2c_turn(float x)
{
  const float v = o2c_absf(x);
  const uint32_t u = o2c_bits_f32(v), m = (u & 0x7fffffu) | 0x800000u;
  /* The first bit that counts has the weight 2^-(start - 31). */
  const uint32_t near = v < 0.785398185f, exponent = u >> 23;
  const uint32_t start = o2c_select_u32(0u - near, 0u, exponent - 120u);
  const uint32_t at = start >> 5, s = start & 31u, left = 31u - s;
  const uint32_t odd = 0u - (at & 1u), two = 0u - (at >> 1 & 1u);
  const uint32_t four = 0u - (at >> 2);
  O2C_2_PI_WORD(t0, 0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u)
  O2C_2_PI_WORD(t1, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u,
                0xdb629599u)
  O2C_2_PI_WORD(t2, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u,
                0x3c439041u)
  O2C_2_PI_WORD(t3, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u,
                0xfe5163abu)
  const uint32_t w0 = (t0 << s) | (t1 >> 1 >> left);
  const uint32_t w1 = (t1 << s) | (t2 >> 1 >> left);
  const uint32_t w2 = (t2 << s) | (t3 >> 1 >> left);
  const uint64_t all = ((uint64_t)(m * w0) << 32) + (uint64_t)m * w1 +
                       ((uint64_t)m * w2 >> 32);
  const uint32_t high = (uint32_t)(all >> 32), low = (uint32_t)all;
  const uint32_t q = (high + 0x20000000u) >> 30;
  const double whole = (double)(int32_t)(high - (q << 30)) * 4294967296.0;
  const double part = (double)(int32_t)(low >> 1) * 2.0;
  const float r = (float)((whole + part) * 3.4061215800304574e-19);
  o2c_turn_f32 t;
  t.r = o2c_select_f32((int)near, v, r);
  t.q = o2c_select_u32(0u - near, 0u, q);
  return t;
}

/* sin(r) or cos(r) by the quadrant; its second bit is the sign. */
O2C_INLINE float o2c_wave(o2c_turn_f32 t, uint32_t sign)
{
  const float r = t.r, z = r * r;
  float a = O2C_FMAF(-0.000195152956f, z, 0.00833216087f);
  float b = O2C_FMAF(2.44331571e-5f, z, -0.00138873162f), y;
  a = O2C_FMAF(a, z, -0.166666546f);
  a = O2C_FMAF(a * z, r, r);
  b = O2C_FMAF(b, z, 0.0416666457f);
  b = O2C_FMAF(b * z, z, O2C_FMAF(-0.5f, z, 1.0f));
  y = o2c_select_f32((int)(t.q & 1u), b, a);
  return o2c_float_of_bits(o2c_bits_f32(y) ^ ((t.q & 2u) << 30) ^ sign);
}

O2C_INLINE float o2c_sinf(float x)
{
  const float y = o2c_wave(o2c_turn(x), o2c_bits_f32(x) & 0x80000000u);
  return o2c_select_f32(o2c_absf(x) < INFINITY, y, x - x);
}

O2C_INLINE float o2c_cosf(float x)
{
  o2c_turn_f32 t = o2c_turn(x);
  t.q += 1u;
  return o2c_select_f32(o2c_absf(x) < INFINITY, o2c_wave(t, 0u), x - x);
}

#else

O2C_INLINE float o2c_sinf(float x)
{
  return sinf(x);
}

O2C_INLINE float o2c_cosf(float x)
{
  return cosf(x);
}

#endif
#endif
