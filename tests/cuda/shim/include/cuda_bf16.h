/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_bf16.h of the tests' shim: __nv_bfloat16 as 16 bits, with conversions
 * that round to nearest, ties to even, and give CUDA's one NaN (0x7fff). */
#ifndef O2C_SHIM_CUDA_BF16_H
#define O2C_SHIM_CUDA_BF16_H
#include <stdint.h>
#include <string.h>

namespace o2c_shim {

inline uint16_t float_to_bf16(float f)
{
  uint32_t u;
  memcpy(&u, &f, 4);
  if ((u & 0x7fffffff) > 0x7f800000)
    return 0x7fff;
  return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

inline float bf16_to_float(uint16_t b)
{
  uint32_t u = (uint32_t)b << 16;
  float f;
  memcpy(&f, &u, 4);
  return f;
}

} // namespace o2c_shim

struct __nv_bfloat16_raw {
  unsigned short x;
};

struct alignas(2) __nv_bfloat16 {
  unsigned short bits;
  __nv_bfloat16() = default;
  __nv_bfloat16(__nv_bfloat16_raw r) : bits(r.x) {}
  __nv_bfloat16(float f) : bits(o2c_shim::float_to_bf16(f)) {}
  operator float() const { return o2c_shim::bf16_to_float(bits); }
};
typedef __nv_bfloat16 nv_bfloat16;

static inline float __bfloat162float(__nv_bfloat16 b)
{
  return o2c_shim::bf16_to_float(b.bits);
}
static inline __nv_bfloat16 __float2bfloat16_rn(float f)
{
  return __nv_bfloat16(f);
}
static inline __nv_bfloat16 __float2bfloat16(float f)
{
  return __nv_bfloat16(f);
}
static inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short u)
{
  return __nv_bfloat16(__nv_bfloat16_raw{ u });
}
static inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 b)
{
  return b.bits;
}

#endif
