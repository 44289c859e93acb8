/* SPDX-License-Identifier: 0BSD */
/* JPEG for image.h: 8 bits, Huffman codes, baseline and progressive, one or
 * three components. All coefficients are unpacked into room of the caller; then
 * pixels are made of them by the inverse transform, the upsampling and the
 * colour conversion, in integers, that ONNX ImageDecoder-20 asks for. */
#ifndef O2C_REF_IMAGE_JPEG_H
#define O2C_REF_IMAGE_JPEG_H
#include "image_png.h"

typedef struct {
  int id, h, v, quant;
  int64_t bw, bh;               /* blocks, with those that pad the last MCU */
  int64_t at;                   /* its first block */
  int64_t w, rows;              /* samples that the image has */
} o2c_jpeg_part;

typedef struct {
  int64_t w, h, blocks;
  int n, progressive, hmax, vmax;
  int rgb;                      /* the components are red, green, blue */
  o2c_jpeg_part part[3];
} o2c_jpeg_head;

/* While scans are read. Codes 0 to 3 are for DC, 4 to 7 for AC. */
typedef struct {
  const uint8_t *s, *end;
  uint32_t bits;
  int nbits, bad, run, interval;
  int from, to, high, low;      /* of a scan: coefficients, and their bits */
  int n, part[3], code[3][2];   /* its components, their codes */
  int dc[3];
  uint16_t quant[4][64], used[3][64];
  uint8_t count[8][17], symbol[8][256];
} o2c_jpeg;

O2C_UNUSED static int o2c_jpeg_natural(int k) {
  static const uint8_t order[64] = {
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40,
    48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36,
    29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61,
    54, 47, 55, 62, 63 };
  return order[k];
}

O2C_UNUSED static int o2c_be16(const uint8_t *s) { return s[0] << 8 | s[1]; }

/* The frame header of `size` bytes at s. */
O2C_UNUSED static int o2c_jpeg_frame(const uint8_t *s, int64_t size,
                                     o2c_jpeg_head *g) {
  int64_t mx, my;
  int i;
  if (size < 6 || s[0] != 8) return 0;
  g->h = o2c_be16(s + 1);
  g->w = o2c_be16(s + 3);
  g->n = s[5];
  g->hmax = g->vmax = 1;
  g->blocks = 0;
  if (!g->h || !g->w || (g->n != 1 && g->n != 3) || size < 6 + 3 * g->n)
    return 0;
  for (i = 0; i < g->n; i++) {
    o2c_jpeg_part *p = g->part + i;
    p->id = s[6 + 3 * i];
    p->h = s[7 + 3 * i] >> 4;
    p->v = s[7 + 3 * i] & 15;
    p->quant = s[8 + 3 * i];
    if (p->h < 1 || p->h > 4 || p->v < 1 || p->v > 4 || p->quant > 3) return 0;
    if (p->h > g->hmax) g->hmax = p->h;
    if (p->v > g->vmax) g->vmax = p->v;
  }
  mx = (g->w + 8 * g->hmax - 1) / (8 * g->hmax);
  my = (g->h + 8 * g->vmax - 1) / (8 * g->vmax);
  for (i = 0; i < g->n; i++) {
    o2c_jpeg_part *p = g->part + i;
    if (g->hmax % p->h || g->vmax % p->v) return 0;
    p->bw = mx * p->h;
    p->bh = my * p->v;
    p->w = (g->w * p->h + g->hmax - 1) / g->hmax;
    p->rows = (g->h * p->v + g->vmax - 1) / g->vmax;
    p->at = g->blocks;
    g->blocks += p->bw * p->bh;
  }
  return 1;
}

/* Skips to the content of the next segment: its marker, or 0. */
O2C_UNUSED static int o2c_jpeg_segment(const uint8_t *x, int64_t n, int64_t *at,
                                       int64_t *size) {
  int m;
  while (n - *at >= 4) {
    if (x[*at] != 0xff || x[*at + 1] == 0xff || x[*at + 1] == 0) {
      ++*at; /* what is left of a scan, or fills up */
      continue;
    }
    m = x[*at + 1];
    *at += 2;
    if (m == 0xd9) return m;
    if (m == 1 || (m >= 0xd0 && m <= 0xd8)) continue;
    *size = o2c_be16(x + *at) - 2;
    *at += 2;
    return *size >= 0 && *size <= n - *at ? m : 0;
  }
  return 0;
}

O2C_UNUSED static int o2c_jpeg_open(const uint8_t *x, int64_t n,
                                    o2c_jpeg_head *g) {
  int64_t at = 2, size = 0;
  int m, jfif = 0, adobe = -1;
  if (n < 4 || x[0] != 0xff || x[1] != 0xd8) return 0;
  for (; (m = o2c_jpeg_segment(x, n, &at, &size)) != 0; at += size) {
    if (m == 0xe0 && size >= 5 && !memcmp(x + at, "JFIF", 5)) jfif = 1;
    if (m == 0xee && size >= 12 && !memcmp(x + at, "Adobe", 5))
      adobe = x[at + 11];
    if (m == 0xda || m == 0xd9) return 0;
    if (m < 0xc0 || m > 0xcf || m == 0xc4 || m == 0xc8 || m == 0xcc) continue;
    g->progressive = m == 0xc2;
    if (m > 0xc2 || !o2c_jpeg_frame(x + at, size, g)) return 0;
    g->rgb = jfif ? 0 : adobe >= 0 ? adobe == 0
           : g->part[0].id == 'R' && g->part[1].id == 'G' &&
             g->part[2].id == 'B';
    return 1;
  }
  return 0;
}

O2C_UNUSED static int o2c_jpeg_bit(o2c_jpeg *z) {
  if (!z->nbits) {
    if (z->s >= z->end || (*z->s == 0xff && (z->end - z->s < 2 || z->s[1]))) {
      z->bad = 1;
      return 0;
    }
    z->bits = *z->s++;
    z->s += z->bits == 0xff;
    z->nbits = 8;
  }
  return (int)(z->bits >> --z->nbits & 1u);
}

O2C_UNUSED static int o2c_jpeg_bits(o2c_jpeg *z, int n) {
  int v = 0;
  while (n-- > 0) v = v << 1 | o2c_jpeg_bit(z);
  return v;
}

/* A number of n bits; the lower half of them are the negative ones. */
O2C_UNUSED static int o2c_jpeg_number(o2c_jpeg *z, int n) {
  const int v = o2c_jpeg_bits(z, n);
  return n && v < 1 << (n - 1) ? v - (1 << n) + 1 : v;
}

O2C_UNUSED static int o2c_jpeg_symbol(o2c_jpeg *z, int k) {
  int code = 0, first = 0, index = 0, len;
  for (len = 1; len <= 16 && !z->bad; len++) {
    const int count = z->count[k][len];
    code |= o2c_jpeg_bit(z);
    if (code < first + count && index + code - first < 256)
      return z->symbol[k][index + code - first];
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  z->bad = 1;
  return 0;
}

/* The DC coefficient; a scan that refines adds a bit. */
O2C_UNUSED static void o2c_jpeg_dc(o2c_jpeg *z, int16_t *c, int i) {
  int n;
  if (z->high) {
    if (o2c_jpeg_bit(z)) c[0] = (int16_t)(c[0] | 1 << z->low);
    return;
  }
  n = o2c_jpeg_symbol(z, z->code[i][0]);
  if (n > 15) z->bad = 1;
  if (z->bad) return;
  z->dc[i] = (int16_t)(z->dc[i] + o2c_jpeg_number(z, n));
  c[0] = (int16_t)(z->dc[i] * (1 << z->low));
}

O2C_UNUSED static void o2c_jpeg_ac(o2c_jpeg *z, int16_t *c, int i) {
  int k;
  if (z->run > 0) {
    z->run--;
    return;
  }
  for (k = z->from ? z->from : 1; k <= z->to && !z->bad; k++) {
    const int rs = o2c_jpeg_symbol(z, z->code[i][1]), r = rs >> 4, n = rs & 15;
    if (!n && r < 15) {
      z->run = (1 << r) - 1 + o2c_jpeg_bits(z, r);
      return;
    }
    k += r;
    if (k > z->to)
      z->bad = 1;
    else if (n)
      c[o2c_jpeg_natural(k)] =
        (int16_t)(o2c_jpeg_number(z, n) * (1 << z->low));
  }
}

/* One more bit of a coefficient that is not zero. */
O2C_UNUSED static void o2c_jpeg_refine(o2c_jpeg *z, int16_t *c) {
  const int one = 1 << z->low;
  if (o2c_jpeg_bit(z) && !(*c & one))
    *c = (int16_t)(*c + (*c < 0 ? -one : one));
}

O2C_UNUSED static void o2c_jpeg_ac_more(o2c_jpeg *z, int16_t *c, int i) {
  int k = z->from;
  for (; k <= z->to && !z->run && !z->bad; k++) {
    const int rs = o2c_jpeg_symbol(z, z->code[i][1]), n = rs & 15;
    int r = rs >> 4, fresh = 0;
    if (n) {
      fresh = o2c_jpeg_bit(z) ? 1 << z->low : -(1 << z->low);
    } else if (r < 15) {
      z->run = (1 << r) + o2c_jpeg_bits(z, r);
      break;
    }
    for (; k <= z->to && !z->bad; k++) {
      int16_t *at = c + o2c_jpeg_natural(k);
      if (*at)
        o2c_jpeg_refine(z, at);
      else if (--r < 0)
        break;
    }
    if (fresh && k <= z->to) c[o2c_jpeg_natural(k)] = (int16_t)fresh;
  }
  if (z->run <= 0) return;
  for (; k <= z->to && !z->bad; k++)
    if (c[o2c_jpeg_natural(k)]) o2c_jpeg_refine(z, c + o2c_jpeg_natural(k));
  z->run--;
}

O2C_UNUSED static void o2c_jpeg_block(o2c_jpeg *z, int16_t *c, int i) {
  if (!z->from) o2c_jpeg_dc(z, c, i);
  if (!z->to) return;
  if (z->high)
    o2c_jpeg_ac_more(z, c, i);
  else
    o2c_jpeg_ac(z, c, i);
}

O2C_UNUSED static void o2c_jpeg_restart(o2c_jpeg *z) {
  z->nbits = z->run = 0;
  memset(z->dc, 0, sizeof z->dc);
  while (z->end - z->s > 2 && z->s[0] == 0xff && z->s[1] == 0xff) z->s++;
  if (z->end - z->s < 2 || z->s[0] != 0xff || (z->s[1] & 0xf8) != 0xd0)
    z->bad = 1;
  else
    z->s += 2;
}

/* The blocks of a scan: of one component, those with samples of the image; of
 * several, MCU by MCU. */
O2C_UNUSED static void o2c_jpeg_blocks(o2c_jpeg *z, const o2c_jpeg_head *g,
                                       int16_t *c) {
  const o2c_jpeg_part *p = g->part + z->part[0];
  const int one = z->n == 1;
  const int64_t across = one ? (p->w + 7) / 8 : p->bw / p->h;
  const int64_t all = across * (one ? (p->rows + 7) / 8 : p->bh / p->v);
  int64_t m, x, y, k;
  int i;
  for (m = 0; m < all && !z->bad; m++) {
    if (z->interval && m && m % z->interval == 0) o2c_jpeg_restart(z);
    for (i = 0; i < z->n; i++) {
      const int64_t h = one ? 1 : g->part[z->part[i]].h;
      const int64_t v = one ? 1 : g->part[z->part[i]].v;
      p = g->part + z->part[i];
      for (k = 0; k < h * v && !z->bad; k++) {
        x = m % across * h + k % h;
        y = m / across * v + k / h;
        o2c_jpeg_block(z, c + (p->at + y * p->bw + x) * 64, i);
      }
    }
  }
}

O2C_UNUSED static int o2c_jpeg_scan(o2c_jpeg *z, const o2c_jpeg_head *g,
                                    const uint8_t *s, int64_t size) {
  int i, k;
  if (size < 1 || s[0] < 1 || s[0] > g->n || size < 4 + 2 * s[0]) return 0;
  z->n = s[0];
  for (i = 0; i < z->n; i++) {
    for (k = 0; k < g->n && g->part[k].id != s[1 + 2 * i];) k++;
    if (k == g->n || (s[2 + 2 * i] & 0xcc)) return 0;
    z->part[i] = k;
    z->code[i][0] = s[2 + 2 * i] >> 4;
    z->code[i][1] = 4 + (s[2 + 2 * i] & 15);
    memcpy(z->used[k], z->quant[g->part[k].quant], sizeof z->used[k]);
  }
  s += 1 + 2 * z->n;
  z->from = g->progressive ? s[0] : 0;
  z->to = g->progressive ? s[1] : 63;
  z->high = g->progressive ? s[2] >> 4 : 0;
  z->low = g->progressive ? s[2] & 15 : 0;
  z->nbits = z->run = 0;
  memset(z->dc, 0, sizeof z->dc);
  return z->to <= 63 && z->from <= z->to && z->low <= 13 &&
         (!g->progressive || z->n == 1 || z->to == 0) &&
         (!g->progressive || z->from > 0 || z->to == 0);
}

O2C_UNUSED static int o2c_jpeg_tables(o2c_jpeg *z, int m, const uint8_t *s,
                                      int64_t size) {
  int i, k, n;
  while (size > 0) {
    const int wide = m == 0xdb && s[0] >> 4;
    k = m == 0xdb ? s[0] & 15 : (s[0] & 15) + (s[0] >> 4) * 4;
    if (k > (m == 0xdb ? 3 : 7) || size < (m == 0xdb ? 65 + 64 * wide : 17))
      return 0;
    n = 0;
    for (i = 1; i <= 16 && m == 0xc4; i++) n += z->count[k][i] = s[i];
    if (n > 256 || size < 17 + n) return 0;
    if (m == 0xc4) memcpy(z->symbol[k], s + 17, (size_t)n);
    for (i = 0; i < 64 && m == 0xdb; i++)
      z->quant[k][o2c_jpeg_natural(i)] =
        (uint16_t)(wide ? o2c_be16(s + 1 + 2 * i) : s[1 + i]);
    n = m == 0xdb ? 65 + 64 * wide : 17 + n;
    s += n;
    size -= n;
  }
  return 1;
}

O2C_UNUSED static int64_t o2c_floor_shift(int64_t v, int n) {
  return v >= 0 ? v >> n : -((-v + ((int64_t)1 << n) - 1) >> n);
}

/* Eight numbers `step` apart, in place, through the transform of Loeffler,
 * Ligtenberg and Moschytz with constants of 13 bits; then >> shift. */
O2C_UNUSED static void o2c_jpeg_idct(int64_t *v, int step, int shift) {
  int64_t t[4], o[4], z1, z2, z3, z4, z5;
  int i;
  z1 = (v[2 * step] + v[6 * step]) * 4433;
  t[2] = z1 - v[6 * step] * 15137;
  t[3] = z1 + v[2 * step] * 6270;
  z2 = (v[0] + v[4 * step]) * 8192;
  z3 = (v[0] - v[4 * step]) * 8192;
  t[0] = z2 + t[3];
  t[3] = z2 - t[3];
  t[1] = z3 + t[2];
  t[2] = z3 - t[2];
  z1 = v[7 * step] + v[step];
  z2 = v[5 * step] + v[3 * step];
  z3 = v[7 * step] + v[3 * step];
  z4 = v[5 * step] + v[step];
  z5 = (z3 + z4) * 9633;
  z1 *= -7373;
  z2 *= -20995;
  z3 = z3 * -16069 + z5;
  z4 = z4 * -3196 + z5;
  o[3] = v[7 * step] * 2446 + z1 + z3;
  o[2] = v[5 * step] * 16819 + z2 + z4;
  o[1] = v[3 * step] * 25172 + z2 + z3;
  o[0] = v[step] * 12299 + z1 + z4;
  for (i = 0; i < 4; i++) {
    const int64_t half = (int64_t)1 << (shift - 1);
    v[i * step] = o2c_floor_shift(t[i] + o[i] + half, shift);
    v[(7 - i) * step] = o2c_floor_shift(t[i] - o[i] + half, shift);
  }
}

/* The samples of all blocks of a component, rows of 8 bw. */
O2C_UNUSED static void o2c_jpeg_samples(const o2c_jpeg_part *p,
                                        const uint16_t *quant,
                                        const int16_t *c, uint8_t *y) {
  int64_t b, v[64], at;
  int i;
  for (b = 0; b < p->bw * p->bh; b++, c += 64) {
    for (i = 0; i < 64; i++) v[i] = (int64_t)c[i] * quant[i];
    for (i = 0; i < 8; i++) o2c_jpeg_idct(v + i, 8, 11);
    for (i = 0; i < 8; i++) o2c_jpeg_idct(v + 8 * i, 1, 18);
    at = b / p->bw * p->bw * 64 + b % p->bw * 8;
    for (i = 0; i < 64; i++) {
      const int64_t s = v[i] + 128;
      y[at + i / 8 * p->bw * 8 + i % 8] =
        (uint8_t)(s < 0 ? 0 : s > 255 ? 255 : s);
    }
  }
}

/* Everything behind the o2c_jpeg in `room`: coefficients, then samples. */
O2C_UNUSED static int o2c_jpeg_unpack(const uint8_t *x, int64_t n,
                                      const o2c_jpeg_head *g, void *room) {
  o2c_jpeg *z = (o2c_jpeg *)room;
  int16_t *c = (int16_t *)(void *)(z + 1);
  uint8_t *y = (uint8_t *)(c + g->blocks * 64);
  int64_t at = 2, size = 0;
  int m, i, scans = 0;
  memset(z, 0, sizeof *z);
  memset(c, 0, (size_t)g->blocks * 128);
  while ((m = o2c_jpeg_segment(x, n, &at, &size)) != 0 && m != 0xd9) {
    if ((m == 0xdb || m == 0xc4) && !o2c_jpeg_tables(z, m, x + at, size))
      return 0;
    if (m == 0xdd && size >= 2) z->interval = o2c_be16(x + at);
    if (m == 0xda) {
      if (!o2c_jpeg_scan(z, g, x + at, size)) return 0;
      z->s = x + at + size;
      z->end = x + n;
      o2c_jpeg_blocks(z, g, c);
      scans++;
      if (z->bad) return 0;
      at = z->s - x;
      size = 0;
    }
    at += size;
  }
  for (i = 0; i < g->n; i++)
    o2c_jpeg_samples(g->part + i, z->used[i], c + g->part[i].at * 64,
                     y + g->part[i].at * 64);
  return scans > 0;
}

/* Component i at a pixel. Twice as many samples by weights 3/4 and 1/4, other
 * factors by repeating. */
O2C_UNUSED static int o2c_jpeg_at(const o2c_jpeg_head *g, const uint8_t *y,
                                  int i, int64_t px, int64_t py) {
  const o2c_jpeg_part *p = g->part + i;
  const int64_t across = p->bw * 8, h = g->hmax / p->h, v = g->vmax / p->v;
  const int64_t cx = px / h, cy = py / v, side = px % 2 ? cx + 1 : cx - 1;
  const uint8_t *row = y + p->at * 64 + cy * across, *near;
  int64_t far = py % 2 ? cy + 1 : cy - 1;
  int here, there, odd = (int)(px % 2);
  if (far < 0) far = 0;
  if (far >= p->rows) far = p->rows - 1;
  near = y + p->at * 64 + far * across;
  if (h == 1 && v == 2)
    return (3 * row[cx] + near[cx] + 1 + (int)(py % 2)) >> 2;
  if (h != 2 || v > 2 || p->w <= 2) return row[cx];
  if (v == 1) {
    if (side < 0 || side >= p->w) return row[cx];
    return (3 * row[cx] + row[side] + 1 + odd) >> 2;
  }
  here = 3 * row[cx] + near[cx];
  if (side < 0 || side >= p->w) return (4 * here + 8 - odd) >> 4;
  there = 3 * row[side] + near[side];
  return (3 * here + there + 8 - odd) >> 4;
}

O2C_UNUSED static uint32_t o2c_jpeg_clamp(int64_t v) {
  return v < 0 ? 0 : v > 255 ? 255 : (uint32_t)v;
}

O2C_UNUSED static void o2c_jpeg_pixel(const o2c_jpeg_head *g, const void *room,
                                      int64_t px, int64_t py, uint32_t *rgb) {
  const uint8_t *y = (const uint8_t *)room + sizeof(o2c_jpeg) +
                     g->blocks * 128;
  int64_t s[3];
  int i;
  for (i = 0; i < 3; i++)
    s[i] = o2c_jpeg_at(g, y, i < g->n ? i : 0, px, py);
  for (i = 0; i < 3; i++) rgb[i] = (uint32_t)s[i];
  if (g->n == 1 || g->rgb) return;
  s[1] -= 128;
  s[2] -= 128;
  rgb[0] = o2c_jpeg_clamp(s[0] + o2c_floor_shift(91881 * s[2] + 32768, 16));
  rgb[1] = o2c_jpeg_clamp(
    s[0] + o2c_floor_shift(-22554 * s[1] - 46802 * s[2] + 32768, 16));
  rgb[2] = o2c_jpeg_clamp(s[0] + o2c_floor_shift(116130 * s[1] + 32768, 16));
}
#endif
