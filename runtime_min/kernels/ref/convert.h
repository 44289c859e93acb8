/* SPDX-License-Identifier: 0BSD */
/* Conversions between float or double and the narrow formats, in integer
 * arithmetic: the same bits with every compiler and on every target. Rounding
 * is to nearest, ties to even; double is rounded once, not by way of float.
 *
 * Every narrow format has sign, exponent and mantissa of `ebits` and `mbits`
 * bits; o2c_narrow rounds a magnitude as if the exponent had no end, and each
 * format then treats the codes past its largest value as ONNX Cast-25 says. */
#ifndef O2C_REF_CONVERT_H
#define O2C_REF_CONVERT_H
#include "base.h"
#include "bits.h"
#include "half.h"

O2C_UNUSED static uint64_t o2c_bits_f64(double v) {
  uint64_t u;
  memcpy(&u, &v, 8);
  return u;
}

/* Code of |v| (finite); exact ties go to the even code. */
O2C_UNUSED static uint32_t o2c_narrow(double v, int mbits, int bias) {
  uint64_t u = o2c_bits_f64(v) & 0x7fffffffffffffffu, m, rest, half;
  int e = (int)(u >> 52) - 1023 + bias, shift = 52 - mbits;
  uint32_t code;
  if (u >> 52 == 0) return 0; /* far below the smallest of any format */
  m = (u & 0xfffffffffffffu) | 0x10000000000000u;
  if (e < 1) shift += 1 - e;
  if (shift > 53) return 0;
  rest = m & (((uint64_t)1 << shift) - 1);
  half = (uint64_t)1 << (shift - 1);
  m >>= shift;
  m += rest > half || (rest == half && (m & 1));
  code = (uint32_t)m; /* the hidden bit, or a carry, raises the exponent */
  if (e > 1) code += (uint32_t)(e - 1) << mbits;
  return code;
}

/* Value of a code without its sign, of a format narrower than float. */
O2C_UNUSED static float o2c_widen(uint32_t code, int mbits, int bias) {
  uint32_t m = code & ((1u << mbits) - 1), e = code >> mbits;
  uint32_t unit = (uint32_t)(128 - bias - mbits) << 23;
  if (e == 0) return (float)m * o2c_float_of_bits(unit);
  return o2c_float_of_bits(((e + 127 - (uint32_t)bias) << 23) |
                           (m << (23 - mbits)));
}

O2C_UNUSED static uint16_t o2c_f64_to_f16(double v) {
  uint16_t sign = (uint16_t)(o2c_bits_f64(v) >> 48 & 0x8000u);
  uint32_t code;
  if (v != v) return (uint16_t)(sign | 0x7e00u);
  code = o2c_narrow(v, 10, 15);
  return (uint16_t)(sign | (code > 0x7c00u ? 0x7c00u : code));
}

/* Subnormal bfloat16 starts 127 - 1 below 1: doubles reach far lower. */
O2C_UNUSED static uint16_t o2c_f64_to_bf16(double v) {
  uint16_t sign = (uint16_t)(o2c_bits_f64(v) >> 48 & 0x8000u);
  uint32_t code;
  if (v != v) return (uint16_t)(sign | 0x7fc0u);
  code = o2c_narrow(v, 7, 127);
  return (uint16_t)(sign | (code > 0x7f80u ? 0x7f80u : code));
}

/* ONNX Cast-19: past the largest value, the largest (`saturate`) or NaN. */
O2C_UNUSED static uint8_t o2c_f64_to_f8e4m3fn(double v, int saturate) {
  uint8_t sign = (uint8_t)(o2c_bits_f64(v) >> 56 & 0x80u);
  uint32_t code;
  if (v != v) return (uint8_t)(sign | 0x7fu);
  code = o2c_narrow(v, 3, 7);
  if (code > 0x7eu) code = saturate ? 0x7eu : 0x7fu;
  return (uint8_t)(sign | code);
}

/* Infinity exists, but `saturate` turns it to the largest value too. */
O2C_UNUSED static uint8_t o2c_f64_to_f8e5m2(double v, int saturate) {
  uint8_t sign = (uint8_t)(o2c_bits_f64(v) >> 56 & 0x80u);
  uint32_t code;
  if (v != v) return (uint8_t)(sign | 0x7eu);
  code = o2c_narrow(v, 2, 15);
  if (code > 0x7bu) code = saturate ? 0x7bu : 0x7cu;
  return (uint8_t)(sign | code);
}

/* The UZ formats have one zero and one NaN: the code 0x80. */
O2C_UNUSED static uint8_t o2c_f64_to_f8uz(double v, int saturate, int mbits,
                                          int bias) {
  uint8_t sign = (uint8_t)(o2c_bits_f64(v) >> 56 & 0x80u);
  uint32_t code;
  if (v != v) return 0x80u;
  code = o2c_narrow(v, mbits, bias);
  if (code == 0) return 0;
  if (code > 0x7fu) {
    if (!saturate) return 0x80u;
    code = 0x7fu;
  }
  return (uint8_t)(sign | code);
}

O2C_UNUSED static uint8_t o2c_f64_to_f8e4m3fnuz(double v, int saturate) {
  return o2c_f64_to_f8uz(v, saturate, 3, 8);
}

O2C_UNUSED static uint8_t o2c_f64_to_f8e5m2fnuz(double v, int saturate) {
  return o2c_f64_to_f8uz(v, saturate, 2, 16);
}

/* No infinity and no NaN: always saturates; NaN becomes -0. */
O2C_UNUSED static uint8_t o2c_f64_to_f4e2m1(double v) {
  uint8_t sign = (uint8_t)(o2c_bits_f64(v) >> 60 & 0x8u);
  uint32_t code;
  if (v != v) return 0x8u;
  code = o2c_narrow(v, 1, 1);
  return (uint8_t)(sign | (code > 7u ? 7u : code));
}

/* The same of 6 bits. */
O2C_UNUSED static uint8_t o2c_f64_to_f6(double v, int mbits, int bias) {
  uint8_t sign = (uint8_t)(o2c_bits_f64(v) >> 58 & 0x20u);
  uint32_t code;
  if (v != v) return 0x20u;
  code = o2c_narrow(v, mbits, bias);
  return (uint8_t)(sign | (code > 31u ? 31u : code));
}

O2C_UNUSED static uint8_t o2c_f64_to_f6e2m3(double v) {
  return o2c_f64_to_f6(v, 3, 1);
}

O2C_UNUSED static uint8_t o2c_f64_to_f6e3m2(double v) {
  return o2c_f64_to_f6(v, 2, 3);
}

/* ONNX Cast-24 round_mode: 0 up, 1 down, 2 nearest. A power of two, 2^(code -
 * 127); NaN is 0xff, and so is a negative number, which the format lacks.
 * Outside the range: the nearest end (`saturate`) or NaN. */
O2C_UNUSED static uint8_t o2c_f64_to_f8e8m0_mode(double v, int saturate,
                                                 int mode) {
  uint64_t u = o2c_bits_f64(v), m = u & 0xfffffffffffffu;
  int code = (int)(u >> 52 & 0x7ff) - 1023 + 127;
  if (v != v || v < 0) return 0xffu;
  if (mode == 0) code += m != 0;
  if (mode == 2) code += m >= 0x8000000000000u;
  if (v == 0 || code < 0) return saturate ? 0 : 0xffu;
  if (code > 0xfe) return saturate ? 0xfeu : 0xffu;
  return (uint8_t)code;
}

O2C_UNUSED static uint8_t o2c_f64_to_f8e8m0(double v, int saturate) {
  return o2c_f64_to_f8e8m0_mode(v, saturate, 0);
}

O2C_UNUSED static uint8_t o2c_f32_to_f8e4m3fn(float v, int saturate) {
  return o2c_f64_to_f8e4m3fn((double)v, saturate);
}

O2C_UNUSED static uint8_t o2c_f32_to_f8e5m2(float v, int saturate) {
  return o2c_f64_to_f8e5m2((double)v, saturate);
}

O2C_UNUSED static uint8_t o2c_f32_to_f8e4m3fnuz(float v, int saturate) {
  return o2c_f64_to_f8e4m3fnuz((double)v, saturate);
}

O2C_UNUSED static uint8_t o2c_f32_to_f8e5m2fnuz(float v, int saturate) {
  return o2c_f64_to_f8e5m2fnuz((double)v, saturate);
}

O2C_UNUSED static uint8_t o2c_f32_to_f4e2m1(float v) {
  return o2c_f64_to_f4e2m1((double)v);
}

O2C_UNUSED static uint8_t o2c_f32_to_f6e2m3(float v) {
  return o2c_f64_to_f6e2m3((double)v);
}

O2C_UNUSED static uint8_t o2c_f32_to_f6e3m2(float v) {
  return o2c_f64_to_f6e3m2((double)v);
}

O2C_UNUSED static uint8_t o2c_f32_to_f8e8m0(float v, int saturate) {
  return o2c_f64_to_f8e8m0((double)v, saturate);
}

#define O2C_F32_NAN o2c_float_of_bits(0x7fc00000u)

O2C_UNUSED static float o2c_f8e4m3fn_to_f32(uint8_t c) {
  float v = (c & 0x7fu) == 0x7fu ? O2C_F32_NAN : o2c_widen(c & 0x7fu, 3, 7);
  return c & 0x80u ? -v : v;
}

O2C_UNUSED static float o2c_f8e5m2_to_f32(uint8_t c) {
  return o2c_f16_to_f32((uint16_t)(c << 8)); /* the upper byte of a half */
}

O2C_UNUSED static float o2c_f8e4m3fnuz_to_f32(uint8_t c) {
  float v = o2c_widen(c & 0x7fu, 3, 8);
  if (c == 0x80u) return O2C_F32_NAN;
  return c & 0x80u ? -v : v;
}

O2C_UNUSED static float o2c_f8e5m2fnuz_to_f32(uint8_t c) {
  float v = o2c_widen(c & 0x7fu, 2, 16);
  if (c == 0x80u) return O2C_F32_NAN;
  return c & 0x80u ? -v : v;
}

O2C_UNUSED static float o2c_f4e2m1_to_f32(uint8_t c) {
  float v = o2c_widen(c & 0x7u, 1, 1);
  return c & 0x8u ? -v : v;
}

O2C_UNUSED static float o2c_f6e2m3_to_f32(uint8_t c) {
  float v = o2c_widen(c & 0x1fu, 3, 1);
  return c & 0x20u ? -v : v;
}

O2C_UNUSED static float o2c_f6e3m2_to_f32(uint8_t c) {
  float v = o2c_widen(c & 0x1fu, 2, 3);
  return c & 0x20u ? -v : v;
}

O2C_UNUSED static float o2c_f8e8m0_to_f32(uint8_t c) {
  if (c == 0xffu) return O2C_F32_NAN;
  return o2c_float_of_bits(c ? (uint32_t)c << 23 : 0x400000u);
}
#endif
