/* SPDX-License-Identifier: 0BSD */
/* TIFF for image.h: the first image, in strips that are not compressed: grey,
 * palette or RGB. Compressed ones are no format that image.h reads. */
#ifndef O2C_REF_IMAGE_TIFF_H
#define O2C_REF_IMAGE_TIFF_H
#include "image_png.h"

typedef struct {
  const uint8_t *x;
  int64_t n, list;              /* list: where the tags are */
  int big;                      /* the order of bytes */
  int64_t w, h, bits, kind, samples, rows, pitch;
} o2c_tiff_head;

/* `size` bytes as a number; -1 behind the end. */
O2C_UNUSED static int64_t o2c_tiff_int(const o2c_tiff_head *g, int64_t at,
                                       int size) {
  int64_t v = 0;
  int i;
  if (at < 0 || at > g->n - size) return -1;
  for (i = 0; i < size; i++)
    v = v << 8 | g->x[g->big ? at + i : at + size - 1 - i];
  return v;
}

/* Value `i` of a tag, `none` where there is no such tag, -1 where broken. */
O2C_UNUSED static int64_t o2c_tiff_value(const o2c_tiff_head *g, int tag,
                                         int64_t i, int64_t none) {
  const int64_t count = o2c_tiff_int(g, g->list, 2);
  int64_t k, at = g->list + 2;
  for (k = 0; k < count; k++, at += 12) {
    const int64_t type = o2c_tiff_int(g, at + 2, 2);
    const int64_t many = o2c_tiff_int(g, at + 4, 4);
    const int size = type == 3 ? 2 : type == 4 ? 4 : 1;
    if (o2c_tiff_int(g, at, 2) != tag) continue;
    if ((type != 1 && type != 3 && type != 4) || i >= many) return -1;
    at = many * size <= 4 ? at + 8 : o2c_tiff_int(g, at + 8, 4);
    return at < 0 ? -1 : o2c_tiff_int(g, at + i * size, size);
  }
  return none;
}

O2C_UNUSED static int o2c_tiff_kind_ok(const o2c_tiff_head *g) {
  int64_t i;
  if (o2c_tiff_value(g, 259, 0, 1) != 1 || o2c_tiff_value(g, 284, 0, 1) != 1 ||
      o2c_tiff_value(g, 322, 0, 0) != 0 || g->samples < 1 || g->samples > 8)
    return 0;
  for (i = 1; i < g->samples; i++)
    if (o2c_tiff_value(g, 258, i, 1) != g->bits) return 0;
  if (g->kind == 2)
    return g->samples >= 3 && (g->bits == 8 || g->bits == 16);
  if (g->kind == 3 && (g->bits > 8 || o2c_tiff_value(g, 320, 0, -1) < 0))
    return 0;
  return g->kind >= 0 && g->kind <= 3 && (g->bits == 1 || g->bits == 2 ||
         g->bits == 4 || g->bits == 8 || g->bits == 16);
}

O2C_UNUSED static int o2c_tiff_open(const uint8_t *x, int64_t n,
                                    o2c_tiff_head *g) {
  int64_t i, at, rows;
  if (n < 8 || (memcmp(x, "II*\0", 4) && memcmp(x, "MM\0*", 4))) return 0;
  g->x = x;
  g->n = n;
  g->big = x[0] == 'M';
  g->list = o2c_tiff_int(g, 4, 4);
  g->w = o2c_tiff_value(g, 256, 0, -1);
  g->h = o2c_tiff_value(g, 257, 0, -1);
  g->bits = o2c_tiff_value(g, 258, 0, 1);
  g->kind = o2c_tiff_value(g, 262, 0, -1);
  g->samples = o2c_tiff_value(g, 277, 0, 1);
  g->rows = o2c_tiff_value(g, 278, 0, g->h);
  if (g->w < 1 || g->h < 1 || g->rows < 1 || g->w > O2C_IMAGE_SIDE ||
      g->h > O2C_IMAGE_SIDE || !o2c_tiff_kind_ok(g))
    return 0;
  if (g->rows > g->h) g->rows = g->h;
  g->pitch = (g->w * g->samples * g->bits + 7) / 8;
  for (i = 0; i * g->rows < g->h; i++) {
    rows = g->h - i * g->rows < g->rows ? g->h - i * g->rows : g->rows;
    at = o2c_tiff_value(g, 273, i, -1);
    if (at < 0 || at > n || rows * g->pitch > n - at) return 0;
  }
  return 1;
}

/* 0: a colour that the palette lacks. */
O2C_UNUSED static int o2c_tiff_pixel(const o2c_tiff_head *g, int64_t px,
                                     int64_t py, uint32_t *rgb) {
  const uint8_t *row = g->x + o2c_tiff_value(g, 273, py / g->rows, 0) +
                       py % g->rows * g->pitch;
  const uint32_t top = (1u << (g->bits < 8 ? g->bits : 8)) - 1;
  int64_t k, c;
  for (k = 0; k < 3; k++) {
    const int64_t at = (px * g->samples + (g->kind == 2 ? k : 0)) * g->bits;
    const uint32_t v = g->bits == 16 ? row[at / 8 + !g->big]
      : ((uint32_t)row[at / 8] >> (8 - g->bits - at % 8)) & top;
    rgb[k] = g->kind == 3 ? v : v * 255u / top;
    if (g->kind == 0) rgb[k] = 255 - rgb[k];
  }
  for (k = 0; k < 3 && g->kind == 3; k++) {
    c = o2c_tiff_value(g, 320, (k << g->bits) + (int64_t)rgb[k], -1);
    if (c < 0) return 0;
    rgb[k] = (uint32_t)(c >> 8);
  }
  return 1;
}
#endif
