/* SPDX-License-Identifier: 0BSD */
/* Conversions of numbers that C leaves undefined or to the target, and scalar
 * quantisation. ONNX Cast-25 leaves a float out of an integer's range open:
 * here the nearest end of 32 or 64 bits is taken, and 0 for NaN, as Arm's
 * instructions do; narrower integers are the low bits of that. */
#ifndef O2C_CAST_H
#define O2C_CAST_H
#include "math_f32.h"
#include "ref/base.h"

O2C_UNUSED static int32_t o2c_f64_to_i32(double v) {
  if (v != v) return 0;
  return v <= -2147483648.0 ? INT32_MIN : v >= 2147483647.0 ? INT32_MAX
                                                            : (int32_t)v;
}
O2C_UNUSED static uint32_t o2c_f64_to_u32(double v) {
  return v >= 4294967295.0 ? UINT32_MAX : v > 0.0 ? (uint32_t)v : 0;
}
O2C_UNUSED static int64_t o2c_f64_to_i64(double v) {
  if (v != v) return 0;
  return v < -9223372036854775808.0 ? INT64_MIN
       : v >= 9223372036854775808.0 ? INT64_MAX : (int64_t)v;
}
O2C_UNUSED static uint64_t o2c_f64_to_u64(double v) {
  return v >= 18446744073709551616.0 ? UINT64_MAX : v > 0.0 ? (uint64_t)v : 0;
}

O2C_UNUSED static int32_t o2c_f32_to_i32(float v) {
  float in = v > -2147483648.0f && v < 2147483648.0f ? v : 0.0f;
  return v >= 2147483648.0f ? INT32_MAX : v <= -2147483648.0f ? INT32_MIN
                                                              : (int32_t)in;
}
O2C_UNUSED static uint32_t o2c_f32_to_u32(float v) {
  return v >= 4294967296.0f ? UINT32_MAX : v > 0.0f ? (uint32_t)v : 0;
}
O2C_UNUSED static int64_t o2c_f32_to_i64(float v) {
  return o2c_f64_to_i64((double)v);
}
O2C_UNUSED static uint64_t o2c_f32_to_u64(float v) {
  return o2c_f64_to_u64((double)v);
}

/* The low `bits` of v, as a signed number. */
O2C_UNUSED static int8_t o2c_low_bits(int32_t v, int bits) {
  int32_t half = 1 << (bits - 1);
  return (int8_t)((int32_t)(((uint32_t)v & (2u * (uint32_t)half - 1u)) ^
                            (uint32_t)half) - half);
}

#if defined(__GNUC__) && defined(__ARM_FP) && (__ARM_FP & 4) && \
    defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define O2C_VCVTR 1
/* To the nearest integer, ties to even; saturates. */
O2C_UNUSED static int32_t o2c_vcvtr(float v) {
  float t;
  int32_t i;
  __asm__("vcvtr.s32.f32 %0, %1" : "=t"(t) : "t"(v));
  memcpy(&i, &t, sizeof i);
  return i;
}
#endif

/* ONNX QuantizeLinear-25 for types of up to 16 bits: v / scale to the nearest
 * integer, ties to even, plus zero, in [lo, hi]. The clamp comes first, so that
 * adding 1.5 * 2^23 rounds: no call, and vector code on every target. */
O2C_UNUSED static int32_t o2c_quantize_f32(float v, float scale, int32_t zero,
                                           int32_t lo, int32_t hi) {
  float r = v / scale, a = (float)(lo - zero);
#if defined(O2C_VCVTR)
  int32_t i = o2c_vcvtr(r);
  i = r > a ? i : lo - zero;
  return (i < hi - zero ? i : hi - zero) + zero;
#else
  float b = (float)(hi - zero);
  r = o2c_select_f32(r > a, r, a);
  r = o2c_rintf_magic(o2c_select_f32(r < b, r, b));
  return (int32_t)r + zero;
#endif
}
O2C_UNUSED static float o2c_dequantize_f32(int32_t v, float scale,
                                           int32_t zero) {
  return (float)(int32_t)((uint32_t)v - (uint32_t)zero) * scale;
}
#endif
