/* SPDX-License-Identifier: 0BSD */
/* Conversions between float and the half types, which kernels/cuda/half.h has
 * for GPUs. */
#ifndef O2C_REF_HALF_H
#define O2C_REF_HALF_H
#include "base.h"
#include "bits.h"

/* c ? a : b by masks, so that loops over these become vector code. */
O2C_UNUSED static uint32_t o2c_choose_bits(int c, uint32_t a, uint32_t b) {
  uint32_t m = 0u - (uint32_t)c;
  return (a & m) | (b & ~m);
}

/* Below 2^-14 the sum with 1/2 rounds to multiples of 2^-24; above, adding
 * half of what is cut off (less one, if the rest is even) rounds. */
O2C_UNUSED static uint16_t o2c_f32_to_f16(float v) {
  uint32_t u = o2c_bits_f32(v), a = u & 0x7fffffffu, code;
  uint32_t tiny = o2c_bits_f32(o2c_float_of_bits(a) + 0.5f) - 0x3f000000u;
  code = ((a + 0xfffu + (a >> 13 & 1u)) >> 13) - 0x1c000u;
  code = o2c_choose_bits(a < 0x38800000u, tiny, code);
  code = o2c_choose_bits(a >= 0x47800000u, 0x7c00u, code);
  code = o2c_choose_bits(a > 0x7f800000u, 0x7e00u, code);
  return (uint16_t)((u >> 16 & 0x8000u) | code);
}

O2C_UNUSED static float o2c_f16_to_f32(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16, code = h & 0x7fffu;
  uint32_t tiny = o2c_bits_f32((float)(int32_t)code * 5.96046448e-8f);
  uint32_t u = (code << 13) + 0x38000000u;
  u += o2c_choose_bits(code >= 0x7c00u, 0x38000000u, 0);
  return o2c_float_of_bits(sign | o2c_choose_bits(code < 0x400u, tiny, u));
}

O2C_UNUSED static uint16_t o2c_f32_to_bf16(float v) {
  uint32_t u = o2c_bits_f32(v), r = u + 0x7fffu + (u >> 16 & 1u);
  return (uint16_t)(o2c_choose_bits(v != v, u | 0x400000u, r) >> 16);
}

O2C_UNUSED static float o2c_bf16_to_f32(uint16_t h) {
  return o2c_float_of_bits((uint32_t)h << 16);
}
#endif
