/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_fp16.h of the tests' shim: __half as 16 bits, with conversions that
 * round to nearest, ties to even, and give CUDA's one NaN (0x7fff). */
#ifndef O2C_SHIM_CUDA_FP16_H
#define O2C_SHIM_CUDA_FP16_H
#include <stdint.h>
#include <string.h>

namespace o2c_shim {

inline uint16_t float_to_half(float f)
{
  uint32_t u;
  memcpy(&u, &f, 4);
  uint32_t sign = u >> 16 & 0x8000, a = u & 0x7fffffff;
  if (a > 0x7f800000)
    return 0x7fff;
  if (a >= 0x477ff000) /* 65520 and more round to infinity */
    return (uint16_t)(sign | 0x7c00);
  if (a >= 0x38800000) /* normal: rebias the exponent, round 13 bits away */
    return (uint16_t)(sign | ((a - 0x38000000 + 0xfff + (a >> 13 & 1)) >> 13));
  if (a < 0x33000000) /* below half of the smallest one */
    return (uint16_t)sign;
  uint32_t shift = 126 - (a >> 23), m = (a & 0x7fffff) | 0x800000;
  uint32_t r = m >> shift, rest = m & ((1u << shift) - 1);
  uint32_t tie = 1u << (shift - 1);
  return (uint16_t)(sign | (r + (rest > tie || (rest == tie && (r & 1)))));
}

inline float half_to_float(uint16_t h)
{
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31;
  uint32_t m = h & 1023, u;
  if (e == 0) { /* zero or subnormal: m units of 2^-24 */
    float f = (float)m * 0x1p-24f;
    memcpy(&u, &f, 4);
    u |= sign;
  } else {
    u = sign | (e == 31 ? 0x7f800000 : (e + 112) << 23) | m << 13;
  }
  float f;
  memcpy(&f, &u, 4);
  return f;
}

} // namespace o2c_shim

struct __half_raw {
  unsigned short x;
};

struct alignas(2) __half {
  unsigned short bits;
  __half() = default;
  __half(__half_raw r) : bits(r.x) {}
  __half(float f) : bits(o2c_shim::float_to_half(f)) {}
  operator float() const { return o2c_shim::half_to_float(bits); }
};
typedef __half half;

static inline float __half2float(__half h)
{
  return o2c_shim::half_to_float(h.bits);
}
static inline __half __float2half_rn(float f) { return __half(f); }
static inline __half __float2half(float f) { return __half(f); }
static inline __half __ushort_as_half(unsigned short u)
{
  return __half(__half_raw{ u });
}
static inline unsigned short __half_as_ushort(__half h) { return h.bits; }

#endif
