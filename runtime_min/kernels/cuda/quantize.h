/* SPDX-License-Identifier: 0BSD */
/* DynamicQuantizeLinear as ref/quantize.h, bit for bit: the range of x by
 * blocks, and then every block joins those ranges and quantises its share. Four
 * numbers are read together; x begins where that may be. */
#ifndef O2C_CUDA_QUANTIZE_H
#define O2C_CUDA_QUANTIZE_H
#include "block.h"

enum { O2C_RANGES = 256 }; /* blocks that look for the range, at most */

/* Not-a-number is passed over. */
struct o2c_range_end {
  bool high;
  __device__ float none() const { return 0.0f; }
  __device__ float join(float a, float b) const
  {
    return (high ? b > a : b < a) ? b : a;
  }
};

O2C_DEVICE void o2c_dynamic_range(const float *x, float *range, int64_t n)
{
  const o2c_range_end low = { false }, high = { true };
  float lo = 0.0f, hi = 0.0f;
  for (int64_t i = o2c_thread(); i < n / 4; i += o2c_threads()) {
    const o2c_pack<float, 4> v = ((const o2c_pack<float, 4> *)x)[i];
    O2C_UNROLL
    for (int k = 0; k < 4; k++) {
      lo = low.join(lo, v.v[k]);
      hi = high.join(hi, v.v[k]);
    }
  }
  if (o2c_thread() < n % 4) {
    lo = low.join(lo, x[n / 4 * 4 + o2c_thread()]);
    hi = high.join(hi, x[n / 4 * 4 + o2c_thread()]);
  }
  lo = o2c_all<256>(lo, low);
  hi = o2c_all<256>(hi, high);
  if (threadIdx.x == 0) {
    range[blockIdx.x] = lo;
    range[O2C_RANGES + blockIdx.x] = hi;
  }
}

O2C_DEVICE uint8_t o2c_dynamic_byte(float x, float scale, float zp)
{
  float v = scale > 0 ? rintf(x / scale) + zp : 0;
  v = v > 0 ? v : 0;
  return (uint8_t)(v < 255 ? v : 255);
}

O2C_DEVICE void o2c_dynamic_quantize(const float *x, const float *range,
                                     uint8_t *y, float *scale_out,
                                     uint8_t *zero_out, int64_t n, int ranges)
{
  const o2c_range_end low = { false }, high = { true };
  const int own = (int)threadIdx.x;
  const float lo = o2c_all<256>(own < ranges ? range[own] : 0.0f, low);
  const float hi = o2c_all<256>(own < ranges ? range[O2C_RANGES + own] : 0.0f,
                                high);
  const float scale = (hi - lo) / 255.0f;
  float zp = scale > 0 ? rintf(0 - lo / scale) : 0;
  zp = zp > 0 ? zp : 0;
  zp = zp < 255 ? zp : 255;
  for (int64_t i = o2c_thread(); i < n / 4; i += o2c_threads()) {
    const o2c_pack<float, 4> v = ((const o2c_pack<float, 4> *)x)[i];
    o2c_pack<uint8_t, 4> to;
    O2C_UNROLL
    for (int k = 0; k < 4; k++)
      to.v[k] = o2c_dynamic_byte(v.v[k], scale, zp);
    ((o2c_pack<uint8_t, 4> *)y)[i] = to;
  }
  if (o2c_thread() < n % 4)
    y[n / 4 * 4 + o2c_thread()] =
      o2c_dynamic_byte(x[n / 4 * 4 + o2c_thread()], scale, zp);
  if (o2c_thread() == 0 && scale_out)
    *scale_out = scale;
  if (o2c_thread() == 0 && zero_out)
    *zero_out = (uint8_t)zp;
}
#endif
