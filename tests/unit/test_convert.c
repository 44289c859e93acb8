/* SPDX-License-Identifier: Apache-2.0 */
/* Narrow floats against a second way: values by ldexp, codes by search. Every
 * code of every format is decoded; what is encoded are all halves of float's
 * bit patterns, all codes, all midpoints of neighbours, and those beside. */
#include <math.h>
#include <stdint.h>
#include "o2c.h"
#include "ref/base.h"
#include "ref/convert.h"
#include "o2ctest.h"

typedef struct {
  const char *name;
  int ebits, mbits, bias;
  uint32_t largest;       /* code of the largest finite value */
  uint32_t over[2];       /* code of what is larger: not saturated, saturated */
  uint32_t nan, zero_neg; /* codes of NaN and of -0 */
  int infinite;           /* the code after the largest is infinity */
} Format;

static const Format formats[] = {
  {"f16", 5, 10, 15, 0x7bff, {0x7c00, 0x7c00}, 0x7e00, 0x8000, 1},
  {"bf16", 8, 7, 127, 0x7f7f, {0x7f80, 0x7f80}, 0x7fc0, 0x8000, 1},
  {"f8e4m3fn", 4, 3, 7, 0x7e, {0x7f, 0x7e}, 0x7f, 0x80, 0},
  {"f8e5m2", 5, 2, 15, 0x7b, {0x7c, 0x7b}, 0x7e, 0x80, 1},
  {"f8e4m3fnuz", 4, 3, 8, 0x7f, {0x80, 0x7f}, 0x80, 0, 0},
  {"f8e5m2fnuz", 5, 2, 16, 0x7f, {0x80, 0x7f}, 0x80, 0, 0},
  {"f4e2m1", 2, 1, 1, 7, {7, 7}, 8, 8, 0},
  {"f6e2m3", 2, 3, 1, 31, {31, 31}, 32, 32, 0},
  {"f6e3m2", 3, 2, 3, 31, {31, 31}, 32, 32, 0},
};

static uint32_t encode(int f, double v, int saturate, int from_float)
{
  float s = (float)v;
  switch (f) {
  case 0: return from_float ? o2c_f32_to_f16(s) : o2c_f64_to_f16(v);
  case 1: return from_float ? o2c_f32_to_bf16(s) : o2c_f64_to_bf16(v);
  case 2: return from_float ? o2c_f32_to_f8e4m3fn(s, saturate)
                            : o2c_f64_to_f8e4m3fn(v, saturate);
  case 3: return from_float ? o2c_f32_to_f8e5m2(s, saturate)
                            : o2c_f64_to_f8e5m2(v, saturate);
  case 4: return from_float ? o2c_f32_to_f8e4m3fnuz(s, saturate)
                            : o2c_f64_to_f8e4m3fnuz(v, saturate);
  case 5: return from_float ? o2c_f32_to_f8e5m2fnuz(s, saturate)
                            : o2c_f64_to_f8e5m2fnuz(v, saturate);
  case 6: return from_float ? o2c_f32_to_f4e2m1(s) : o2c_f64_to_f4e2m1(v);
  case 7: return from_float ? o2c_f32_to_f6e2m3(s) : o2c_f64_to_f6e2m3(v);
  default: return from_float ? o2c_f32_to_f6e3m2(s) : o2c_f64_to_f6e3m2(v);
  }
}

static float decode(int f, uint32_t c)
{
  switch (f) {
  case 0: return o2c_f16_to_f32((uint16_t)c);
  case 1: return o2c_bf16_to_f32((uint16_t)c);
  case 2: return o2c_f8e4m3fn_to_f32((uint8_t)c);
  case 3: return o2c_f8e5m2_to_f32((uint8_t)c);
  case 4: return o2c_f8e4m3fnuz_to_f32((uint8_t)c);
  case 5: return o2c_f8e5m2fnuz_to_f32((uint8_t)c);
  case 6: return o2c_f4e2m1_to_f32((uint8_t)c);
  case 7: return o2c_f6e2m3_to_f32((uint8_t)c);
  default: return o2c_f6e3m2_to_f32((uint8_t)c);
  }
}

/* Also for the code after the largest: what would come next. */
static double value_of(const Format *f, uint32_t code)
{
  int m = (int)(code & ((1u << f->mbits) - 1)), e = (int)(code >> f->mbits);
  if (e == 0) return ldexp(m, 1 - f->bias - f->mbits);
  return ldexp(m + (1 << f->mbits), e - f->bias - f->mbits);
}

static uint32_t nearest(const Format *f, double v, int saturate)
{
  uint32_t sign = (uint32_t)1 << (f->ebits + f->mbits), lo = 0;
  uint32_t hi = f->largest + 1, code;
  double a = fabs(v), down, up;
  if (isnan(v)) return f->nan;
  while (hi - lo > 1) {
    uint32_t mid = (lo + hi) / 2;
    if (value_of(f, mid) <= a) lo = mid;
    else hi = mid;
  }
  down = a - value_of(f, lo);
  up = value_of(f, hi) - a;
  code = isinf(a) || up < down || (up == down && (lo & 1)) ? hi : lo;
  if (code > f->largest) code = f->over[saturate];
  if (code == 0 && signbit(v)) return f->zero_neg;
  if (f->zero_neg == 0 && code == f->nan) return code;
  return signbit(v) ? code | sign : code;
}

static void check_value(int i, double v)
{
  const Format *f = &formats[i];
  uint32_t ignore = isnan(v) ? (uint32_t)1 << (f->ebits + f->mbits) : 0;
  if (f->zero_neg == 0 || i == 6) ignore = 0;
  for (int saturate = 0; saturate < 2; saturate++) {
    uint32_t want = nearest(f, v, saturate), got = encode(i, v, saturate, 0);
    if ((got | ignore) != (want | ignore)) {
      printf("%s of %a: %x, not %x\n", f->name, v, got, want);
      CHECK(0);
    }
    if ((double)(float)v != v && !isnan(v)) continue;
    got = encode(i, v, saturate, 1);
    if ((got | ignore) != (want | ignore) && !isnan(v)) {
      printf("%s of float %a: %x, not %x\n", f->name, v, got, want);
      CHECK(0);
    }
  }
}

static void check_around(int i, double v)
{
  check_value(i, v);
  check_value(i, -v);
  check_value(i, nextafter(v, 0));
  check_value(i, nextafter(v, INFINITY));
  check_value(i, (double)nextafterf((float)v, 0));
  check_value(i, (double)nextafterf((float)v, INFINITY));
}

static void test_format(int i)
{
  const Format *f = &formats[i];
  uint32_t sign = (uint32_t)1 << (f->ebits + f->mbits);
  for (uint32_t c = 0; c <= f->largest; c++) {
    double v = value_of(f, c), next = value_of(f, c + 1);
    if ((double)decode(i, c) != v) CHECK(0);
    if (c != 0 && (double)decode(i, c | sign) != -v) CHECK(0);
    check_around(i, v);
    check_around(i, (v + next) / 2);
  }
  for (uint32_t u = 0; u < 65536; u++)
    check_value(i, (double)o2c_float_of_bits(u << 16));
  check_value(i, (double)INFINITY);
  check_value(i, 1e300);
  check_value(i, -1e300);
  check_value(i, 5e-324);
  CHECK(isnan(decode(i, f->nan)) || i == 6);
  if (f->infinite) CHECK(isinf(decode(i, f->over[0])));
  if (f->zero_neg) CHECK(signbit(decode(i, f->zero_neg)) != 0);
}

/* ONNX Cast-24: 2^(code - 127); up, down or nearest; no sign. */
static void test_e8m0(void)
{
  for (int c = 0; c < 255; c++) {
    double v = ldexp(1, c - 127);
    CHECK((double)o2c_f8e8m0_to_f32((uint8_t)c) == v);
    for (int mode = 0; mode < 3; mode++)
      CHECK_INT(o2c_f64_to_f8e8m0_mode(v, 1, mode), c);
    int next = c == 254 ? 254 : c + 1;
    CHECK_INT(o2c_f64_to_f8e8m0_mode(v * 1.25, 1, 0), next);
    CHECK_INT(o2c_f64_to_f8e8m0_mode(v * 1.25, 1, 1), c);
    CHECK_INT(o2c_f64_to_f8e8m0_mode(v * 1.25, 1, 2), c);
    CHECK_INT(o2c_f64_to_f8e8m0_mode(v * 1.75, 1, 2), next);
  }
  CHECK(isnan(o2c_f8e8m0_to_f32(255)));
  CHECK_INT(o2c_f32_to_f8e8m0(NAN, 1), 255);
  CHECK_INT(o2c_f32_to_f8e8m0(0, 1), 0);
  CHECK_INT(o2c_f32_to_f8e8m0(0, 0), 255);
  CHECK_INT(o2c_f32_to_f8e8m0(INFINITY, 1), 254);
  CHECK_INT(o2c_f32_to_f8e8m0(INFINITY, 0), 255);
}

int main(void)
{
  for (int i = 0; i < 7; i++) test_format(i);
  test_e8m0();
  /* By way of float this would be a tie, and round to even, down. */
  CHECK_INT(o2c_f64_to_f16(1 + ldexp(1, -11) + ldexp(1, -40)), 0x3c01);
  return test_end();
}
