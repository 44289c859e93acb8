/* SPDX-License-Identifier: Apache-2.0 */
/* Growing strings; numbers as C text read back as the same bits. */
#include <locale.h>
#include <stdlib.h>
#include "ir.h"
#include "o2ctest.h"

static const char *text(double v, bool f32)
{
  static StrBuf b;
  sb_free(&b);
  sb_float(&b, v, f32);
  return b.s;
}

static void test_known(void)
{
  float inf = strtof("inf", NULL);
  CHECK_STR(text(0.5, true), "0.5f");
  CHECK_STR(text(1, true), "1.0f");
  CHECK_STR(text(-0.0, true), "-0.0f");
  CHECK_STR(text(0, false), "0.0");
  CHECK_STR(text(100, true), "100.0f");
  CHECK_STR(text(123456.0, true), "123456.0f");
  CHECK_STR(text((double)1e-7f, true), "1e-07f");
  CHECK_STR(text((double)1.5e-7f, true), "1.5e-07f");
  CHECK_STR(text((double)0.1f, true), "0.1f");
  CHECK_STR(text(0.1, false), "0.1");
  CHECK_STR(text((double)3.4028235e38f, true), "3.4028235e+38f");
  CHECK_STR(text((double)1e-45f, true), "1e-45f");
  CHECK_STR(text(16777216, true), "16777216.0f");
  CHECK_STR(text(1e22, false), "1e+22");
  CHECK_STR(text(-12.25, false), "-12.25");
  CHECK_STR(text((double)inf, true), "INFINITY");
  CHECK_STR(text(-(double)inf, false), "-INFINITY");
  CHECK_STR(text((double)strtof("nan", NULL), true), "NAN");
}

static uint64_t seed = 88172645463325252u;
static uint64_t next(void)
{
  seed ^= seed << 13;
  seed ^= seed >> 7;
  return seed ^= seed << 17;
}

static void check_f32(uint32_t bits)
{
  float f, back;
  memcpy(&f, &bits, sizeof f);
  if (f != f) return;
  back = strtof(text((double)f, true), NULL);
  CHECK(!memcmp(&f, &back, sizeof f));
}

static void test_round_trip(void)
{
  for (int i = 0; i < 200000; i++) check_f32((uint32_t)next());
  /* What weights are like, where the fast path works. */
  for (int i = 0; i < 200000; i++)
    check_f32((uint32_t)(next() % 0x0e000000 + 0x37000000));
  for (int i = 0; i < 50000; i++) {
    uint64_t bits = next();
    double d, back;
    memcpy(&d, &bits, sizeof d);
    if (d != d) continue;
    back = strtod(text(d, false), NULL);
    CHECK(!memcmp(&d, &back, sizeof d));
  }
}

/* The shortest: one digit less does not read back. */
static void test_shortest(void)
{
  for (int i = 0; i < 20000; i++) {
    uint32_t bits = (uint32_t)(next() % 0x0e000000 + 0x37000000);
    float f;
    char want[40];
    memcpy(&f, &bits, sizeof f);
    int p = 0;
    do snprintf(want, sizeof want, "%.*e", p++, (double)f);
    while (strtof(want, NULL) != f);
    int digits = 0, zeros = 0, lead = 1;
    for (const char *s = text((double)f, true); *s && *s != 'e' && *s != 'f';
         s++) {
      if (*s == '.') continue;
      if (*s == '0' && lead) continue;
      lead = 0;
      zeros = *s == '0' ? zeros + 1 : 0;
      digits++;
    }
    CHECK(digits - zeros <= p);
  }
}

static void test_growth(void)
{
  StrBuf b;
  sb_init(&b, NULL);
  for (int i = 0; i < 10000; i++) sb_printf(&b, "%d,", i % 10);
  CHECK(b.n == 20000 && b.s[b.n] == 0);
  sb_write(&b, "x\0y", 3);
  CHECK(b.n == 20003 && b.s[20002] == 'y');
  sb_free(&b);
}

static void test_json(void)
{
  StrBuf b;
  sb_init(&b, NULL);
  sb_json(&b, "a\"b\\c\n\xc3\xa9\xff");
  CHECK_STR(b.s, "\"a\\\"b\\\\c\\u000a\xc3\xa9\\ufffd\"");
  sb_free(&b);
}

int main(void)
{
  test_known();
  test_round_trip();
  test_shortest();
  test_growth();
  test_json();
  /* A locale with a decimal comma, where there is one. */
  if (setlocale(LC_ALL, "de_DE.UTF-8")) {
    CHECK_STR(text(0.5, true), "0.5f");
    CHECK_STR(text(1.5e-300, false), "1.5e-300");
  }
  text(0, true);
  return test_end();
}
