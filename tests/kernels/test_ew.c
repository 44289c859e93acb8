/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that elementwise expressions call: accuracy against double,
 * the ends of the types, and quantisation against the plain definition. */
#include "o2c.h"
#include "o2ctest.h"
#include "../../runtime_min/kernels/ew.h"
#include "../../runtime_min/kernels/cast.h"
#include "../../runtime_min/kernels/ew_math.h"
#include "../../runtime_min/kernels/ref/convert.h"

static void test_limits(void)
{
  CHECK(o2c_softplusf(INFINITY) == INFINITY && o2c_softplusf(-INFINITY) == 0);
  CHECK(o2c_expm1f(-INFINITY) == -1 && o2c_expm1f(INFINITY) == INFINITY);
  CHECK(o2c_geluf(-INFINITY) == 0 && o2c_geluf(INFINITY) == INFINITY);
  CHECK(o2c_gelu_tanhf(-INFINITY) == 0 && o2c_gelu_tanh(-INFINITY) == 0);
  CHECK(o2c_gelu_tanhf(INFINITY) == INFINITY && o2c_gelu(-INFINITY) == 0);
  CHECK(o2c_mishf(INFINITY) == INFINITY && o2c_mish(INFINITY) == INFINITY);
  CHECK(o2c_swish(-1000, 1) == 0 && o2c_swish(1000, 1) == 1000);
}

static void test_choices(void)
{
  const float nan = o2c_float_of_bits(0x7fc00000u);
  CHECK(o2c_minf(1, 2) == 1 && o2c_max(1, 2) == 2);
  CHECK(o2c_minf(nan, 1) != o2c_minf(nan, 1));
  CHECK(o2c_maxf(1, nan) != o2c_maxf(1, nan));
  CHECK(o2c_clampf(nan, 0, 1) != 0 && o2c_clampf(7, 0, 1) == 1);
  CHECK(o2c_modf(-7, 3) == 2 && o2c_mod(7, -3) == -2);
  CHECK(o2c_powi(3, 5) == 243 && o2c_powi(-1, -3) == -1);
  CHECK(o2c_powi(2, -1) == 0 && o2c_powi(2, 64) == 0);
}

static void test_casts(void)
{
  const float nan = o2c_float_of_bits(0x7fc00000u);
  CHECK(o2c_f32_to_i32(3e9f) == INT32_MAX && o2c_f32_to_i32(nan) == 0);
  CHECK(o2c_f32_to_i32(-3e9f) == INT32_MIN && o2c_f32_to_i32(-2.9f) == -2);
  CHECK(o2c_f64_to_i64(1e30) == INT64_MAX && o2c_f64_to_u64(-1) == 0);
  CHECK(o2c_f64_to_u32(5e9) == UINT32_MAX && o2c_f32_to_u32(7.5f) == 7);
  CHECK(o2c_low_bits(9, 4) == -7 && o2c_low_bits(-3, 2) == 1);
}

static int quantize(float v, float scale, int zero, int lo, int hi)
{
  double r = rint((double)(v / scale)) + zero;
  return r < lo ? lo : r > hi ? hi : (int)r;
}

static void test_quantize(void)
{
  const float nan = o2c_float_of_bits(0x7fc00000u);
  int wrong = 0, i;
  for (i = -40000; i <= 40000; i++) {
    float v = (float)i * 0.0125f;
    wrong += o2c_quantize_f32(v, 0.025f, 3, -128, 127) !=
             quantize(v, 0.025f, 3, -128, 127);
    wrong += o2c_quantize_f32(v, 1.7f, 128, 0, 255) !=
             quantize(v, 1.7f, 128, 0, 255);
    wrong += o2c_quantize_f32(v, 0.01f, 32768, 0, 65535) !=
             quantize(v, 0.01f, 32768, 0, 65535);
  }
  CHECK_INT(wrong, 0);
  CHECK(o2c_quantize_f32(nan, 1, 0, -128, 127) == -128);
  CHECK(o2c_quantize_f32(INFINITY, 1, 0, 0, 255) == 255);
  CHECK(o2c_dequantize_f32(-128, 0.5f, 127) == -127.5f);
}

int main(void)
{
  test_limits();
  test_choices();
  test_casts();
  test_quantize();
  return test_end();
}
