/* SPDX-License-Identifier: 0BSD */
/* Characters of UTF-8. Bytes that are none go through unchanged. */
#ifndef O2C_REF_UTF8_H
#define O2C_REF_UTF8_H
#include "base.h"

/* Well-formed UTF-8 at s, or one byte that is none, as itself + 2^24; sets how
 * many bytes of the n > 0. */
O2C_UNUSED static uint32_t o2c_utf8_get(const char *s, size_t n, size_t *used) {
  const unsigned char *u = (const unsigned char *)s;
  const uint32_t lead = u[0];
  const size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  uint32_t c = lead & (0x3fu >> more);
  size_t i;
  *used = 1;
  if (lead < 0x80) return lead;
  if (lead < 0xc2 || lead > 0xf4 || more >= n) return lead + 0x1000000u;
  for (i = 1; i <= more; i++) {
    if ((u[i] & 0xc0u) != 0x80u) return lead + 0x1000000u;
    c = c << 6 | (u[i] & 0x3fu);
  }
  if ((more == 2 && c < 0x800) || (more == 3 && c < 0x10000) || c > 0x10ffff)
    return lead + 0x1000000u;
  *used = more + 1;
  return c;
}

/* The inverse: at most 4 bytes; how many. */
O2C_UNUSED static size_t o2c_utf8_put(char *to, uint32_t c) {
  size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;
  if (c < 0x80 || c >= 0x1000000u) {
    to[0] = (char)(unsigned char)(c & 0xffu);
    return 1;
  }
  for (i = n - 1; i > 0; i--, c >>= 6)
    to[i] = (char)(unsigned char)(0x80u | (c & 0x3fu));
  to[0] = (char)(unsigned char)((0xf00u >> n & 0xffu) | c);
  return n;
}
#endif
