/* SPDX-License-Identifier: Apache-2.0 */
/* A growing string on the heap, and numbers as C text.
 *
 * sb_float prints the shortest decimal that reads back as the same number.
 * Both directions of the check run under one locale and only digits are taken
 * from the text, so the locale's decimal point never gets into the output.
 * Ordinary floats, of which weights consist, take a faster path in doubles. */
#include "ir.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void sb_init(StrBuf *b, Arena *a)
{
  memset(b, 0, sizeof *b);
  b->a = a;
}

void sb_free(StrBuf *b)
{
  free(b->s);
  b->s = NULL;
  b->n = b->cap = 0;
}

/* Room for `more` bytes and a NUL. */
static void sb_room(StrBuf *b, size_t more)
{
  if (b->cap - b->n > more) return;
  size_t cap = b->cap < 256 ? 256 : b->cap;
  while (cap - b->n <= more && cap <= SIZE_MAX / 2) cap *= 2;
  char *s = cap - b->n > more ? realloc(b->s, cap) : NULL;
  if (!s) {
    if (b->a && b->a->panic) longjmp(*b->a->panic, 1);
    abort();
  }
  b->s = s;
  b->cap = cap;
}

void sb_write(StrBuf *b, const void *s, size_t n)
{
  sb_room(b, n);
  if (n) memcpy(b->s + b->n, s, n);
  b->n += n;
  b->s[b->n] = 0;
}

void sb_puts(StrBuf *b, const char *s)
{
  sb_write(b, s, strlen(s));
}

void sb_vprintf(StrBuf *b, const char *fmt, va_list ap)
{
  va_list again;
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  if (n >= 0) {
    sb_room(b, (size_t)n);
    vsnprintf(b->s + b->n, (size_t)n + 1, fmt, again);
    b->n += (size_t)n;
  }
  va_end(again);
}

void sb_printf(StrBuf *b, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  sb_vprintf(b, fmt, ap);
  va_end(ap);
}

/* Bytes that are no UTF-8 stand as U+FFFD. */
void sb_json(StrBuf *b, const char *text)
{
  const unsigned char *s = (const unsigned char *)text;
  sb_puts(b, "\"");
  for (size_t n; *s; s += n ? n : 1) {
    n = utf8_size(s);
    if (*s == '"' || *s == '\\') sb_printf(b, "\\%c", *s);
    else if (!n) sb_puts(b, "\\ufffd");
    else if (*s < 0x20) sb_printf(b, "\\u%04x", *s);
    else sb_write(b, s, n);
  }
  sb_puts(b, "\"");
}

typedef struct {
  char digit[24]; /* without trailing zeros */
  int n;
  int exp;        /* of ten, of the first digit */
} Decimal;

static void decimal_trim(Decimal *d)
{
  while (d->n > 1 && d->digit[d->n - 1] == '0') d->n--;
}

/* Decimals of up to 9 digits, tried in doubles: v * 10^k and back are exact
 * but for one rounding each. False: the slow path must decide. */
static bool decimal_fast(Decimal *d, float f)
{
  static const double ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8,
    1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
  double v = (double)f;
  if (v < 1e-5 || v >= 1e9) return false;
  int exp = 0; /* 10^exp <= v < 10^(exp+1) */
  while (exp < 8 && v >= ten[exp + 1]) exp++;
  while (exp <= 0 && exp > -5 && v * ten[-exp] < 1.0) exp--;
  for (int n = 6; n <= 9; n++) {
    int k = n - 1 - exp;
    if (k < 0 || k >= COUNT(ten)) return false;
    double q = floor(v * ten[k] + 0.5);
    double back = q / ten[k];
    uint64_t bits;
    memcpy(&bits, &back, sizeof bits);
    /* Halfway between two floats: rounded twice, perhaps wrongly. */
    if ((bits & 0x1fffffff) == 0x10000000) return false;
    if ((float)back != f) continue;
    if (q >= ten[n]) {
      q /= 10;
      exp++;
    }
    uint64_t u = (uint64_t)q;
    d->n = n;
    d->exp = exp;
    for (int i = n; i-- > 0; u /= 10) d->digit[i] = (char)('0' + u % 10);
    decimal_trim(d);
    return true;
  }
  return false;
}

static void decimal_slow(Decimal *d, double v, bool f32)
{
  char buf[64];
  int most = f32 ? 9 : 17;
  for (int p = 0; p < most; p++) {
    snprintf(buf, sizeof buf, "%.*e", p, v);
    if (f32 ? strtof(buf, NULL) == (float)v : strtod(buf, NULL) == v) break;
  }
  d->n = 0;
  const char *s = buf;
  for (; *s && *s != 'e'; s++)
    if (*s >= '0' && *s <= '9') d->digit[d->n++] = *s;
  d->exp = *s ? atoi(s + 1) : 0;
  decimal_trim(d);
}

static void decimal_print(StrBuf *b, const Decimal *d)
{
  char text[64];
  size_t n = 0;
  if (d->exp < -5 || d->exp > 15) {
    text[n++] = d->digit[0];
    if (d->n > 1) text[n++] = '.';
    for (int i = 1; i < d->n; i++) text[n++] = d->digit[i];
    sb_write(b, text, n);
    sb_printf(b, "e%c%02d", d->exp < 0 ? '-' : '+', abs(d->exp));
    return;
  }
  for (int i = d->exp < 0 ? d->exp : 0; i < d->n || i <= d->exp + 1; i++) {
    if (i == d->exp + 1) text[n++] = '.';
    text[n++] = i >= 0 && i < d->n ? d->digit[i] : '0';
  }
  sb_write(b, text, n);
}

char *read_text(Arena *a, const char *path)
{
  StrBuf b;
  char part[4096];
  size_t n;
  FILE *f = fopen(path, "rb");
  if (!f) return NULL;
  sb_init(&b, a);
  while ((n = fread(part, 1, sizeof part, f)) > 0) sb_write(&b, part, n);
  char *text = ferror(f) ? NULL : arena_strn(a, b.n ? b.s : "", b.n);
  fclose(f);
  sb_free(&b);
  return text;
}

void sb_float(StrBuf *b, double v, bool f32)
{
  if (f32) v = (double)(float)v;
  if (isnan(v)) {
    sb_puts(b, "NAN");
    return;
  }
  if (signbit(v)) {
    sb_puts(b, "-");
    v = -v;
  }
  Decimal d = {"0", 1, 0};
  if (isinf(v)) {
    sb_puts(b, "INFINITY");
    return;
  }
  if (v > 0 && !(f32 && decimal_fast(&d, (float)v))) decimal_slow(&d, v, f32);
  decimal_print(b, &d);
  if (f32) sb_puts(b, "f");
}
