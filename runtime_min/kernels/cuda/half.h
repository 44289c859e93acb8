/* SPDX-License-Identifier: 0BSD */
/* What ref/half.h has for CPUs, for GPUs: by their own instructions, of which
 * only the bits of a NaN differ. */
#ifndef O2C_REF_HALF_H
#define O2C_REF_HALF_H
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include "ref/base.h"
#include "ref/bits.h"

O2C_UNUSED static uint16_t o2c_f32_to_f16(float v)
{
  return __half_as_ushort(__float2half_rn(v));
}
O2C_UNUSED static float o2c_f16_to_f32(uint16_t h)
{
  return __half2float(__ushort_as_half(h));
}
O2C_UNUSED static uint16_t o2c_f32_to_bf16(float v)
{
  return __bfloat16_as_ushort(__float2bfloat16_rn(v));
}
O2C_UNUSED static float o2c_bf16_to_f32(uint16_t h)
{
  return o2c_float_of_bits((uint32_t)h << 16);
}
#endif
