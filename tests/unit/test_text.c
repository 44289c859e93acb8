/* SPDX-License-Identifier: Apache-2.0 */
/* Cast between numbers and strings, by the reference kernels, against strtod
 * and strtof: patterns of bits from all over the range, the ends of formats,
 * halves between two numbers, and text that is refused. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include "ir.h"
#include "o2c.h"
#include "o2ctest.h"

static uint64_t seed = 1;

static uint64_t draw(void)
{
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return seed >> 32;
}

static int parse(Dtype t, const char *text, void *y)
{
  Str s = {text, strlen(text)};
  int status = 99;
  RefArgs a = {.p = {&s, y}, .d = {1, 1}};
  CHECK(ref_run("from_text", t, &a, &status));
  return status;
}

static const char *print(Dtype t, void *x, int64_t p, int64_t emin)
{
  static char room[32];
  Str s;
  int status = 99;
  RefArgs a = {.p = {x, &s, room}, .d = {1, p, emin}};
  CHECK(ref_run("to_text", t, &a, &status));
  CHECK(s.n <= 24);
  room[s.n] = 0;
  return room;
}

/* Fewer digits than `text` has can't read back: %.{n-1}g does not. */
static int digits_of(const char *text)
{
  int n = 0, zeros = 0;
  for (; *text && *text != 'e'; text++) {
    if (*text < '0' || *text > '9') continue;
    if (*text == '0') zeros += n > 0;
    else n += zeros + 1, zeros = 0;
  }
  return n;
}

static void check_f64(double v)
{
  const char *text = print(DT_F64, &v, 53, -1074);
  char shorter[40];
  double back = 0;
  CHECK(strtod(text, NULL) == v);
  CHECK_INT(parse(DT_F64, text, &back), 0);
  CHECK(back == v);
  int n = digits_of(text);
  if (n < 2) return;
  snprintf(shorter, sizeof shorter, "%.*e", n - 2, v);
  CHECK(strtod(shorter, NULL) != v);
}

static void check_f32(float v)
{
  const char *text = print(DT_F32, &v, 24, -149);
  char shorter[40];
  float back = 0;
  CHECK(strtof(text, NULL) == v);
  CHECK_INT(parse(DT_F32, text, &back), 0);
  CHECK(back == v);
  int n = digits_of(text);
  if (n < 2) return;
  snprintf(shorter, sizeof shorter, "%.*e", n - 2, (double)v);
  CHECK(strtof(shorter, NULL) != v);
}

static void test_round_trips(void)
{
  for (int i = 0; i < 3000; i++) {
    uint64_t bits = draw() << 32 | draw();
    uint32_t word = (uint32_t)bits;
    double d;
    float f;
    memcpy(&d, &bits, sizeof d);
    memcpy(&f, &word, sizeof f);
    if (isfinite(d)) check_f64(d);
    if (isfinite(f)) check_f32(f);
    check_f64((double)(int64_t)draw() / 1000);
    check_f32((float)(draw() % 100000) / 100);
  }
  for (int e = -1074; e < 1024; e++) check_f64(ldexp(1, e));
  for (int e = -149; e < 128; e++) check_f32(ldexpf(1, e));
  check_f64(DBL_MAX);
  check_f64(DBL_MIN);
  check_f64(-DBL_MIN / 3);
  check_f32(FLT_MAX);
  check_f32(FLT_MIN);
}

/* More digits than the type has, next to the half between two numbers too. */
static void test_rounding(void)
{
  static const char *const tails[] = {"", "00000000000000000001", "9"};
  for (int i = 0; i < 400; i++) {
    char text[1200];
    float f, got32 = 0, next;
    double got64 = 0;
    uint32_t word = (uint32_t)draw() & 0x7fffffff;
    memcpy(&f, &word, sizeof f);
    if (!isfinite(f)) continue;
    next = nextafterf(f, INFINITY);
    if (!isfinite(next)) continue;
    for (int k = 0; k < 3; k++) {
      double half = ((double)f + (double)next) / 2;
      snprintf(text, sizeof text, "%.*f%s", 160, half, tails[k]);
      CHECK_INT(parse(DT_F32, text, &got32), 0);
      CHECK(got32 == strtof(text, NULL));
    }
    snprintf(text, sizeof text, "%llu%llue%d", (unsigned long long)draw(),
             (unsigned long long)draw(), (int)(draw() % 680) - 350);
    CHECK_INT(parse(DT_F64, text, &got64), 0);
    CHECK(got64 == strtod(text, NULL));
  }
}

/* Every half prints and reads back. */
static void test_halves(void)
{
  for (uint32_t i = 0; i < 65536; i += 7) {
    uint16_t h = (uint16_t)i, back = 0;
    if ((h & 0x7c00) != 0x7c00) {
      CHECK_INT(parse(DT_F16, print(DT_F16, &h, 11, -24), &back), 0);
      CHECK_INT(back, h);
    }
    if ((h & 0x7f80) != 0x7f80) {
      CHECK_INT(parse(DT_BF16, print(DT_BF16, &h, 8, -133), &back), 0);
      CHECK_INT(back, h);
    }
  }
  for (int i = 0; i < 127; i++) {
    uint8_t b = (uint8_t)i, back = 0;
    CHECK_INT(parse(DT_F8E4M3FN, print(DT_F8E4M3FN, &b, 4, -9), &back), 0);
    CHECK_INT(back, b);
  }
}

static void test_words(void)
{
  static const char *const bad[] = {"", " ", "1x", "e5", "1e", "1e+", ".",
    "--1", "0x10", "1 2", "in", "infinit", "nanx", "1.2.3", "Hello"};
  double d = 0;
  int8_t i = 0;
  uint8_t u = 0;
  for (int k = 0; k < COUNT(bad); k++)
    CHECK_INT(parse(DT_F64, bad[k], &d), O2C_E_DATA);
  CHECK_INT(parse(DT_F64, "\t+1.5e+2 ", &d), 0);
  CHECK(d == 150);
  CHECK_INT(parse(DT_F64, "-nAn", &d), 0);
  CHECK(isnan(d));
  CHECK_INT(parse(DT_F64, "-INF", &d), 0);
  CHECK(d == -(double)INFINITY);
  CHECK_INT(parse(DT_F64, "0.00e999999999999999999", &d), 0);
  CHECK(d == 0);
  CHECK_INT(parse(DT_F64, "-1e-999999999999999999", &d), 0);
  CHECK(d == 0 && signbit(d));
  CHECK_INT(parse(DT_I8, "-128", &i), 0);
  CHECK_INT(i, -128);
  CHECK_INT(parse(DT_I8, "-129", &i), O2C_E_DATA);
  CHECK_INT(parse(DT_I8, "128", &i), O2C_E_DATA);
  CHECK_INT(parse(DT_I8, "nan", &i), O2C_E_DATA);
  CHECK_INT(parse(DT_I4, "7.99", &i), 0);
  CHECK_INT(i, 7);
  CHECK_INT(parse(DT_I4, "8", &i), O2C_E_DATA);
  CHECK_INT(parse(DT_U8, "-1", &u), O2C_E_DATA);
  CHECK_INT(parse(DT_U8, "25.5e1", &u), 0);
  CHECK_INT(u, 255);
  CHECK_INT(parse(DT_BOOL, "0.0", &u), 0);
  CHECK_INT(u, 0);
}

int main(void)
{
  test_round_trips();
  test_rounding();
  test_halves();
  test_words();
  return test_end();
}
