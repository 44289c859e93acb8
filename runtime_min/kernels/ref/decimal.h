/* SPDX-License-Identifier: 0BSD */
/* Floating point numbers as decimal text and back, exactly, without stdio: the
 * shortest digits that read back as the same number, and the number nearest to
 * any digits. Both compare fractions r/s of large integers, digit by digit, so
 * that no digit is ever lost: made for few numbers and little code.
 *
 * A format is p bits of significand and emin, the power of two of its smallest
 * steps: 53 and -1074 for double, 24 and -149 for float. */
#ifndef O2C_DECIMAL_H
#define O2C_DECIMAL_H
#include <stdint.h>
#include "base.h"

#define O2C_TEXT_ROOM 24 /* bytes: the longest text of a number */
#define O2C_BIG_WORDS 40 /* 10^324 times 2^56, and 2^1078, fit */
typedef struct {
  int n; /* words up to the highest that is not 0 */
  uint32_t w[O2C_BIG_WORDS];
} o2c_big;

O2C_UNUSED static void o2c_big_set(o2c_big *b, uint64_t v) {
  b->w[0] = (uint32_t)v;
  b->w[1] = (uint32_t)(v >> 32);
  b->n = b->w[1] ? 2 : b->w[0] ? 1 : 0;
}

O2C_UNUSED static void o2c_big_mul(o2c_big *b, uint32_t by) {
  uint64_t carry = 0;
  int i;
  for (i = 0; i < b->n; i++) {
    carry += (uint64_t)b->w[i] * by;
    b->w[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry && b->n < O2C_BIG_WORDS) b->w[b->n++] = (uint32_t)carry;
}

O2C_UNUSED static void o2c_big_pow2(o2c_big *b, int k) {
  for (; k > 31; k -= 31) o2c_big_mul(b, (uint32_t)1 << 31);
  if (k > 0) o2c_big_mul(b, (uint32_t)1 << k);
}

O2C_UNUSED static void o2c_big_pow10(o2c_big *b, int k) {
  for (; k >= 9; k -= 9) o2c_big_mul(b, 1000000000);
  for (; k > 0; k--) o2c_big_mul(b, 10);
}

O2C_UNUSED static int o2c_big_cmp(const o2c_big *a, const o2c_big *b) {
  int i;
  if (a->n != b->n) return a->n < b->n ? -1 : 1;
  for (i = a->n - 1; i >= 0; i--)
    if (a->w[i] != b->w[i]) return a->w[i] < b->w[i] ? -1 : 1;
  return 0;
}

O2C_UNUSED static void o2c_big_add(o2c_big *a, const o2c_big *b) {
  uint64_t carry = 0;
  int i;
  for (i = 0; i < O2C_BIG_WORDS && (i < a->n || i < b->n || carry); i++) {
    carry += (uint64_t)(i < a->n ? a->w[i] : 0) + (i < b->n ? b->w[i] : 0);
    a->w[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (i > a->n) a->n = i;
}

/* r becomes r mod s; the quotient, which is below 10. */
O2C_UNUSED static int o2c_big_digit(o2c_big *r, const o2c_big *s) {
  int q = 0;
  while (o2c_big_cmp(r, s) >= 0) {
    int64_t carry = 0;
    int i;
    for (i = 0; i < r->n; i++) {
      carry += (int64_t)r->w[i] - (i < s->n ? s->w[i] : 0);
      r->w[i] = (uint32_t)carry;
      carry = carry < 0 ? -1 : 0;
    }
    while (r->n > 0 && r->w[r->n - 1] == 0) r->n--;
    q++;
  }
  return q;
}

O2C_UNUSED static int o2c_bits(uint64_t v) {
  int n = 0;
  for (; v; v >>= 1) n++;
  return n;
}

/* v > 0 as m 2^e in the format that it has. */
O2C_UNUSED static uint64_t o2c_split(double v, int p, int emin, int *e) {
  uint64_t m;
  int from, to;
  memcpy(&m, &v, sizeof m);
  from = (int)(m >> 52 & 2047);
  m &= ((uint64_t)1 << 52) - 1;
  if (from) m |= (uint64_t)1 << 52;
  from = (from ? from : 1) - 1075;
  to = from + o2c_bits(m) - p;
  if (to < emin) to = emin;
  *e = to;
  return to >= from ? m >> (to - from) : m << (from - to);
}

/* Is r, with the gap above of twice (or once) `half`, past s? */
O2C_UNUSED static int o2c_reaches(const o2c_big *r, const o2c_big *half,
                                  int twice, const o2c_big *s, int even) {
  o2c_big sum = *r;
  o2c_big_add(&sum, half);
  if (twice) o2c_big_add(&sum, half);
  return o2c_big_cmp(&sum, s) >= !even;
}

/* The shortest digits that read back as v > 0, as values, into d (room for
 * 18): v is about 0.ddd 10^exp. How many. */
O2C_UNUSED static int o2c_shortest(double v, int p, int emin, char *d,
                                   int *exp) {
  o2c_big r, s, half;
  int e, n = 0, k, low, high;
  const uint64_t m = o2c_split(v, p, emin, &e);
  const int even = !(m & 1);
  /* Below a power of two the numbers lie twice as close. */
  const int twice = m == (uint64_t)1 << (p - 1) && e > emin;
  o2c_big_set(&r, m);
  o2c_big_set(&s, 1);
  o2c_big_set(&half, 1);
  o2c_big_pow2(&r, 1 + twice + (e > 0 ? e : 0));
  o2c_big_pow2(&half, e);
  o2c_big_pow2(&s, 1 + twice + (e < 0 ? -e : 0));
  /* No more than the exponent; the loop finds it. */
  k = (int)floor((o2c_bits(m) + e - 1) * 0.30102999566398120);
  o2c_big_pow10(&s, k);
  o2c_big_pow10(&r, -k);
  o2c_big_pow10(&half, -k);
  for (; o2c_reaches(&r, &half, twice, &s, even); k++) o2c_big_mul(&s, 10);
  *exp = k;
  do {
    o2c_big_mul(&r, 10);
    o2c_big_mul(&half, 10);
    d[n++] = (char)o2c_big_digit(&r, &s);
    low = o2c_big_cmp(&r, &half) < even;
    high = o2c_reaches(&r, &half, twice, &s, even);
  } while (!low && !high && n < 18);
  if (high) {
    o2c_big rest = r; /* where both digits would do, the nearer; or even */
    o2c_big_add(&rest, &r);
    if (!low || o2c_big_cmp(&rest, &s) >= !(d[n - 1] & 1)) d[n - 1]++;
  }
  return n;
}

O2C_UNUSED static size_t o2c_put(char *to, const char *word) {
  const size_t n = strlen(word);
  memcpy(to, word, n);
  return n;
}

O2C_UNUSED static size_t o2c_put_uint(char *to, uint64_t v) {
  char digit[20];
  size_t n = 0, i;
  do {
    digit[n++] = (char)('0' + v % 10);
    v /= 10;
  } while (v);
  for (i = 0; i < n; i++) to[i] = digit[n - 1 - i];
  return n;
}

/* Plain from 1e-4 to 1e16, else with an exponent; always with a point or an
 * exponent. The text's length, O2C_TEXT_ROOM at most. */
O2C_UNUSED static size_t o2c_put_float(char *to, double v, int p, int emin) {
  char d[18];
  size_t at = 0;
  int n = 1, exp = 1, i;
  if (v != v) return o2c_put(to, "NaN");
  if (signbit(v)) to[at++] = '-';
  v = fabs(v);
  if (v > 1.7976931348623157e308) return at + o2c_put(to + at, "INF");
  d[0] = 0;
  if (v > 0) n = o2c_shortest(v, p, emin, d, &exp);
  if (exp < -3 || exp > 16) {
    to[at++] = (char)('0' + d[0]);
    if (n > 1) to[at++] = '.';
    for (i = 1; i < n; i++) to[at++] = (char)('0' + d[i]);
    to[at++] = 'e';
    to[at++] = exp < 1 ? '-' : '+';
    exp = exp < 1 ? 1 - exp : exp - 1;
    if (exp < 10) to[at++] = '0';
    return at + o2c_put_uint(to + at, (uint64_t)exp);
  }
  for (i = exp < 1 ? exp - 1 : 0; i < n || i <= exp; i++) {
    if (i == exp) to[at++] = '.';
    to[at++] = (char)('0' + (i >= 0 && i < n ? d[i] : 0));
  }
  return at;
}

/* Text as a number: digits 0.ddd 10^exp, a point may stand among them. */
typedef enum { O2C_NO_NUMBER, O2C_FINITE, O2C_INFINITE, O2C_NAN } o2c_sort;
typedef struct {
  o2c_sort sort;
  int negative;
  const char *d, *end; /* NULL: zero */
  int64_t exp;
} o2c_number;

/* Is the text this word, in letters of either case? */
O2C_UNUSED static int o2c_is_word(const char *s, const char *end,
                                  const char *word) {
  for (; s < end && *word; s++, word++)
    if ((*s | 32) != *word) return 0;
  return s == end && !*word;
}

/* Digits and a point from s on; where they end. NULL: no digit. */
O2C_UNUSED static const char *o2c_scan_digits(o2c_number *x, const char *s,
                                              const char *end) {
  int point = 0, any = 0;
  for (; s < end && ((*s >= '0' && *s <= '9') || (*s == '.' && !point)); s++) {
    if (*s == '.') {
      point = 1;
      continue;
    }
    any = 1;
    if (!x->d && *s == '0') {
      x->exp -= point;
      continue;
    }
    if (!x->d) x->d = s;
    x->exp += !point;
    x->end = s + 1;
  }
  return any ? s : NULL;
}

/* What is behind the digits: nothing, or an exponent. */
O2C_UNUSED static int o2c_scan_exponent(o2c_number *x, const char *s,
                                        const char *end) {
  int64_t v = 0;
  int minus = 0;
  if (s == end) return 1;
  if ((*s++ | 32) != 'e') return 0;
  if (s < end && (*s == '+' || *s == '-')) minus = *s++ == '-';
  if (s == end) return 0;
  for (; s < end && *s >= '0' && *s <= '9'; s++)
    if (v < 100000) v = v * 10 + (*s - '0');
  x->exp += minus ? -v : v;
  return s == end;
}

O2C_UNUSED static o2c_number o2c_scan(o2c_str text) {
  o2c_number x = {O2C_NO_NUMBER, 0, NULL, NULL, 0};
  const char *s = text.p, *end;
  if (text.len == 0) return x;
  end = s + text.len;
  while (s < end && (*s == ' ' || (*s >= 9 && *s <= 13))) s++;
  while (s < end && (end[-1] == ' ' || (end[-1] >= 9 && end[-1] <= 13))) end--;
  if (s < end && (*s == '+' || *s == '-')) x.negative = *s++ == '-';
  if (o2c_is_word(s, end, "nan")) {
    x.sort = O2C_NAN;
  } else if (o2c_is_word(s, end, "inf") || o2c_is_word(s, end, "infinity")) {
    x.sort = O2C_INFINITE;
  } else {
    s = o2c_scan_digits(&x, s, end);
    if (s && o2c_scan_exponent(&x, s, end)) x.sort = O2C_FINITE;
  }
  return x;
}

/* The sign of |x| - m 2^e; neither is 0. */
O2C_UNUSED static int o2c_against(const o2c_number *x, uint64_t m, int e) {
  const int bits = o2c_bits(m) + e;
  const double two = 3.3219280948873623; /* powers of two in one of ten */
  o2c_big r, s;
  const char *p;
  if ((double)(x->exp - 1) * two >= bits) return 1;
  if ((double)x->exp * two <= bits - 1) return -1;
  o2c_big_set(&r, m);
  o2c_big_set(&s, 1);
  o2c_big_pow2(&r, e);
  o2c_big_pow2(&s, -e);
  o2c_big_pow10(&r, (int)-x->exp);
  o2c_big_pow10(&s, (int)x->exp);
  if (o2c_big_cmp(&r, &s) >= 0) return -1;
  for (p = x->d; p < x->end; p++) {
    int q;
    if (*p == '.') continue;
    o2c_big_mul(&r, 10);
    q = o2c_big_digit(&r, &s);
    if (*p - '0' != q) return *p - '0' < q ? -1 : 1;
  }
  return r.n ? -1 : 0;
}

/* Number i of a format, counted from 0 up: its bits in IEEE formats. */
O2C_UNUSED static uint64_t o2c_nth(uint64_t i, int p, int emin, int *e) {
  const uint64_t field = i >> (p - 1), one = (uint64_t)1 << (p - 1);
  *e = emin + (field ? (int)field - 1 : 0);
  return (i & (one - 1)) | (field ? one : 0);
}

/* The bits of |x|, which is finite, in an IEEE format: rounded to nearest, or
 * (odd) cut off with the last bit set where that is not exact, which a format
 * of at most p - 2 bits can then round to nearest. `most`: the largest finite
 * one. */
O2C_UNUSED static uint64_t o2c_to_bits(const o2c_number *x, int p, int emin,
                                       uint64_t most, int odd) {
  uint64_t low = 0, high = most + 1, m;
  int e, c;
  if (!x->d) return 0;
  while (high - low > 1) {
    const uint64_t mid = low + (high - low) / 2;
    m = o2c_nth(mid, p, emin, &e);
    if (o2c_against(x, m, e) >= 0) low = mid;
    else high = mid;
  }
  m = o2c_nth(low, p, emin, &e);
  if (odd) return low | (m == 0 || o2c_against(x, m, e) != 0);
  c = o2c_against(x, 2 * m + 1, e - 1);
  return low + (c > 0 || (c == 0 && (low & 1)));
}

O2C_UNUSED static double o2c_to_f64(const o2c_number *x) {
  const uint64_t bits = o2c_to_bits(x, 53, -1074,
                                    UINT64_C(0x7fefffffffffffff), 0);
  double v;
  memcpy(&v, &bits, sizeof v);
  return x->negative ? -v : v;
}

O2C_UNUSED static float o2c_to_f32(const o2c_number *x, int odd) {
  const uint32_t bits = (uint32_t)o2c_to_bits(x, 24, -149, 0x7f7fffff, odd);
  float v;
  memcpy(&v, &bits, sizeof v);
  return x->negative ? -v : v;
}

/* |x| without its fraction; 0: larger than 64 bits, or not finite. */
O2C_UNUSED static int o2c_to_uint(const o2c_number *x, uint64_t *v) {
  const char *p = x->d;
  int64_t k;
  *v = 0;
  if (x->sort != O2C_FINITE) return 0;
  if (!x->d) return 1;
  for (k = 0; k < x->exp; k++) {
    uint64_t digit;
    if (p < x->end && *p == '.') p++;
    digit = p < x->end ? (uint64_t)(*p++ - '0') : 0;
    if (*v > (UINT64_MAX - digit) / 10) return 0;
    *v = *v * 10 + digit;
  }
  return 1;
}
#endif
