/* SPDX-License-Identifier: 0BSD */
/* PNG for image.h: every colour type, depth and interlacing. The whole stream
 * is unpacked into room of the caller, then pixels are picked. Checksums are
 * not looked at. */
#ifndef O2C_REF_IMAGE_PNG_H
#define O2C_REF_IMAGE_PNG_H
#include "base.h"

#define O2C_IMAGE_SIDE 1048576 /* pixels: the longest side */

typedef struct {
  int64_t w, h, raw;            /* raw: bytes unpacked */
  int64_t data;                 /* of the first IDAT chunk */
  int64_t palette, ncolour;     /* of PLTE's content */
  int depth, colour, channels, interlace;
} o2c_png_head;

/* Inflating; of the two codes: literals and lengths, distances. */
typedef struct {
  const uint8_t *s, *end, *stop; /* rest of this chunk; end of the file */
  uint8_t *out;
  size_t n, room;
  uint32_t bits;
  int nbits, bad;
  uint16_t count[2][16], symbol[2][288];
  uint8_t length[320];
} o2c_inflate;

O2C_UNUSED static int64_t o2c_be32(const uint8_t *s) {
  return (int64_t)((uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 |
                   (uint32_t)s[2] << 8 | s[3]);
}

/* Pass `k` of an image, 0 to 6, or the whole: first pixel, step, size. */
O2C_UNUSED static void o2c_png_pass(const o2c_png_head *g, int k,
                                    int64_t *v) {
  static const int8_t at[7][4] = { { 0, 0, 8, 8 }, { 4, 0, 8, 8 },
                                   { 0, 4, 4, 8 }, { 2, 0, 4, 4 },
                                   { 0, 2, 2, 4 }, { 1, 0, 2, 2 },
                                   { 0, 1, 1, 2 } };
  int i;
  for (i = 0; i < 4; i++) v[i] = g->interlace ? at[k][i] : i / 2;
  v[4] = (g->w - v[0] + v[2] - 1) / v[2];
  v[5] = (g->h - v[1] + v[3] - 1) / v[3];
}

O2C_UNUSED static int64_t o2c_png_row(const o2c_png_head *g, int64_t w) {
  return (w * g->channels * g->depth + 7) / 8;
}

O2C_UNUSED static int o2c_png_kind_ok(o2c_png_head *g) {
  static const uint8_t channels[7] = { 1, 0, 3, 1, 2, 0, 4 };
  const int d = g->depth;
  if (g->colour > 6 || !channels[g->colour]) return 0;
  g->channels = channels[g->colour];
  if (d != 1 && d != 2 && d != 4 && d != 8 && d != 16) return 0;
  return g->colour == 0 || d == 8 || (g->colour == 3 ? d < 8 : d == 16);
}

O2C_UNUSED static int o2c_png_open(const uint8_t *x, int64_t n,
                                   o2c_png_head *g) {
  static const uint8_t magic[] = { 137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13,
                                   73, 72, 68, 82 };
  int64_t at = 33, v[6];
  int k;
  if (n < 45 || memcmp(x, magic, sizeof magic) != 0) return 0;
  g->w = o2c_be32(x + 16);
  g->h = o2c_be32(x + 20);
  g->depth = x[24];
  g->colour = x[25];
  g->interlace = x[28];
  g->palette = g->ncolour = g->raw = 0;
  if (!o2c_png_kind_ok(g) || x[26] || x[27] || g->interlace > 1 || g->w < 1 ||
      g->h < 1 || g->w > O2C_IMAGE_SIDE || g->h > O2C_IMAGE_SIDE)
    return 0;
  for (; n - at >= 12 && memcmp(x + at + 4, "IDAT", 4); at += 12) {
    const int64_t size = o2c_be32(x + at);
    if (size > n - at - 12) return 0;
    if (!memcmp(x + at + 4, "PLTE", 4)) {
      g->palette = at + 8;
      g->ncolour = size / 3;
    }
    at += size;
  }
  g->data = at;
  for (k = 0; k < (g->interlace ? 7 : 1); k++) {
    o2c_png_pass(g, k, v);
    if (v[4] > 0 && v[5] > 0) g->raw += v[5] * (1 + o2c_png_row(g, v[4]));
  }
  return n - at >= 12 && (g->colour != 3 || g->ncolour > 0);
}

O2C_UNUSED static uint32_t o2c_inflate_byte(o2c_inflate *z) {
  while (z->s == z->end && !z->bad) { /* the next chunk, behind a checksum */
    const size_t left = (size_t)(z->stop - z->end);
    const uint8_t *c = z->end + 4;
    if (left < 12 || memcmp(c + 4, "IDAT", 4) != 0 ||
        o2c_be32(c) > (int64_t)left - 12) {
      z->bad = 1;
    } else {
      z->s = c + 8;
      z->end = z->s + o2c_be32(c);
    }
  }
  return z->bad ? 0 : *z->s++;
}

O2C_UNUSED static uint32_t o2c_inflate_bits(o2c_inflate *z, int n) {
  uint32_t v;
  for (; z->nbits < n; z->nbits += 8)
    z->bits |= o2c_inflate_byte(z) << z->nbits;
  v = z->bits & ((1u << n) - 1);
  z->bits >>= n;
  z->nbits -= n;
  return v;
}

/* Canonical codes of the n lengths: symbols in order of their codes. */
O2C_UNUSED static void o2c_inflate_code(o2c_inflate *z, int k,
                                        const uint8_t *length, int n) {
  uint16_t at[16];
  int i, left = 1;
  memset(z->count[k], 0, sizeof z->count[k]);
  for (i = 0; i < n; i++) z->count[k][length[i]]++;
  z->count[k][0] = 0;
  at[1] = 0;
  for (i = 1; i < 16; i++) {
    left = left * 2 - z->count[k][i];
    if (left < 0) z->bad = 1;
    if (i < 15) at[i + 1] = (uint16_t)(at[i] + z->count[k][i]);
  }
  for (i = 0; i < n; i++)
    if (length[i]) z->symbol[k][at[length[i]]++] = (uint16_t)i;
}

O2C_UNUSED static uint32_t o2c_inflate_symbol(o2c_inflate *z, int k) {
  uint32_t code = 0, first = 0, index = 0;
  int len;
  for (len = 1; len < 16 && !z->bad; len++) {
    const uint32_t count = z->count[k][len];
    code |= o2c_inflate_bits(z, 1);
    if (code < first + count) return z->symbol[k][index + code - first];
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  z->bad = 1;
  return 0;
}

O2C_UNUSED static void o2c_inflate_lengths(o2c_inflate *z) {
  static const uint8_t order[19] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4,
                                     12, 3, 13, 2, 14, 1, 15 };
  const int nlit = 257 + (int)o2c_inflate_bits(z, 5);
  const int ndist = 1 + (int)o2c_inflate_bits(z, 5);
  const int n = 4 + (int)o2c_inflate_bits(z, 4);
  int i;
  memset(z->length, 0, sizeof z->length);
  for (i = 0; i < n; i++)
    z->length[order[i]] = (uint8_t)o2c_inflate_bits(z, 3);
  o2c_inflate_code(z, 0, z->length, 19);
  if (nlit > 286) z->bad = 1;
  for (i = 0; i < nlit + ndist && !z->bad;) {
    const uint32_t s = o2c_inflate_symbol(z, 0);
    int times = s < 16 ? 1 : s == 16 ? 3 + (int)o2c_inflate_bits(z, 2)
              : s == 17 ? 3 + (int)o2c_inflate_bits(z, 3)
                        : 11 + (int)o2c_inflate_bits(z, 7);
    const uint8_t len = (uint8_t)(s < 16 ? s : s == 16 && i ? z->length[i - 1]
                                             : 0);
    if ((s == 16 && !i) || times > nlit + ndist - i) z->bad = 1;
    while (times-- > 0 && !z->bad) z->length[i++] = len;
  }
  o2c_inflate_code(z, 1, z->length + nlit, z->bad ? 0 : ndist);
  o2c_inflate_code(z, 0, z->length, z->bad ? 0 : nlit);
}

O2C_UNUSED static void o2c_inflate_put(o2c_inflate *z, uint32_t byte) {
  if (z->n == z->room) z->bad = 1;
  if (!z->bad) z->out[z->n++] = (uint8_t)byte;
}

O2C_UNUSED static void o2c_inflate_copy(o2c_inflate *z, uint32_t s) {
  /* Lengths from 3 and distances from 1 on, by bits more than the code. */
  uint32_t length = s - 254, far, more;
  if (s == 285) {
    length = 258;
  } else if (s >= 265) {
    more = (s - 261) / 4;
    length = 3 + ((4 + (s - 261) % 4) << more) +
             o2c_inflate_bits(z, (int)more);
  }
  s = o2c_inflate_symbol(z, 1);
  far = s + 1;
  if (s >= 4) {
    more = s / 2 - 1;
    far = 1 + ((2 + s % 2) << more) + o2c_inflate_bits(z, (int)more);
  }
  if (far > z->n || s > 29) z->bad = 1;
  while (length-- > 0 && !z->bad) o2c_inflate_put(z, z->out[z->n - far]);
}

O2C_UNUSED static void o2c_inflate_block(o2c_inflate *z, uint32_t kind) {
  uint32_t s = 0, n;
  if (kind == 0) {
    z->bits = 0;
    z->nbits = 0;
    n = o2c_inflate_bits(z, 16);
    if ((n ^ 0xffffu) != o2c_inflate_bits(z, 16)) z->bad = 1;
    while (n-- > 0 && !z->bad) o2c_inflate_put(z, o2c_inflate_byte(z));
    return;
  }
  if (kind == 2) {
    o2c_inflate_lengths(z);
  } else {
    for (n = 0; n < 288; n++)
      z->length[n] = n < 144 ? 8 : n < 256 ? 9 : n < 280 ? 7 : 8;
    o2c_inflate_code(z, 0, z->length, 288);
    memset(z->length, 5, 30);
    o2c_inflate_code(z, 1, z->length, 30);
  }
  while (!z->bad && (s = o2c_inflate_symbol(z, 0)) != 256) {
    if (s < 256)
      o2c_inflate_put(z, s);
    else if (s < 286)
      o2c_inflate_copy(z, s);
    else
      z->bad = 1;
  }
}

/* The filters of rows, undone in place; 0: an unknown one. */
O2C_UNUSED static int o2c_png_filter(uint8_t *row, int64_t n, int64_t step,
                                     const uint8_t *above) {
  const int kind = row[0];
  int64_t i;
  row++;
  for (i = 0; i < n; i++) {
    const int a = i < step ? 0 : row[i - step], b = above ? above[i] : 0;
    const int c = i < step || !above ? 0 : above[i - step];
    const int pa = b > c ? b - c : c - b, pb = a > c ? a - c : c - a;
    const int pc = a + b > 2 * c ? a + b - 2 * c : 2 * c - a - b;
    const int add = kind == 1 ? a : kind == 2 ? b : kind == 3 ? (a + b) / 2
                  : kind == 0 ? 0 : pa <= pb && pa <= pc ? a
                  : pb <= pc ? b : c;
    row[i] = (uint8_t)(row[i] + add);
  }
  return kind <= 4;
}

/* All rows of all passes behind the o2c_inflate in `room`; 0: broken. */
O2C_UNUSED static int o2c_png_unpack(const uint8_t *x, int64_t n,
                                     const o2c_png_head *g, void *room) {
  o2c_inflate *z = (o2c_inflate *)room;
  uint8_t *row = (uint8_t *)room + sizeof *z;
  const int64_t step = (g->channels * g->depth + 7) / 8;
  int64_t v[6], i, size;
  int k, ok = 1;
  uint32_t last = 0;
  memset(z, 0, sizeof *z);
  z->out = row;
  z->room = (size_t)g->raw;
  z->stop = x + n;
  z->s = z->end = x + g->data - 4;
  if ((o2c_inflate_byte(z) & 15u) != 8 || (o2c_inflate_byte(z) & 0x20u))
    return 0;
  while (!last && !z->bad) {
    last = o2c_inflate_bits(z, 1);
    k = (int)o2c_inflate_bits(z, 2);
    if (k == 3) z->bad = 1;
    if (!z->bad) o2c_inflate_block(z, (uint32_t)k);
  }
  if (z->bad || z->n != z->room) return 0;
  for (k = 0; k < (g->interlace ? 7 : 1); k++) {
    o2c_png_pass(g, k, v);
    size = o2c_png_row(g, v[4]);
    for (i = 0; v[4] > 0 && i < v[5]; i++, row += 1 + size)
      ok &= o2c_png_filter(row, size, step, i ? row - size : NULL);
  }
  return ok;
}

/* Sample k of pixel j of a row, as 8 bits, but an index as it is. */
O2C_UNUSED static uint32_t o2c_png_sample(const o2c_png_head *g,
                                          const uint8_t *row, int64_t j,
                                          int k) {
  const int64_t at = (j * g->channels + k) * g->depth;
  const uint32_t top = (1u << (g->depth < 8 ? g->depth : 8)) - 1;
  const uint32_t v = g->depth >= 8 ? row[at / 8]
    : ((uint32_t)row[at / 8] >> (8 - g->depth - at % 8)) & top;
  return g->colour == 3 ? v : v * 255u / top;
}

O2C_UNUSED static int o2c_png_pixel(const uint8_t *x, const o2c_png_head *g,
                                    const uint8_t *raw, int64_t px, int64_t py,
                                    uint32_t *rgb) {
  int64_t v[6], size;
  int k;
  for (k = 0;; k++) {
    o2c_png_pass(g, k, v);
    size = v[4] > 0 && v[5] > 0 ? 1 + o2c_png_row(g, v[4]) : 0;
    if (px >= v[0] && py >= v[1] && (px - v[0]) % v[2] == 0 &&
        (py - v[1]) % v[3] == 0)
      break;
    raw += size * v[5];
  }
  raw += (py - v[1]) / v[3] * size + 1;
  for (k = 0; k < 3; k++)
    rgb[k] = o2c_png_sample(g, raw, (px - v[0]) / v[2],
                            g->channels >= 3 ? k : 0);
  if (g->colour != 3) return 1;
  if (rgb[0] >= (uint32_t)g->ncolour) return 0;
  x += g->palette + 3 * (int64_t)rgb[0];
  for (k = 0; k < 3; k++) rgb[k] = x[k];
  return 1;
}
#endif
