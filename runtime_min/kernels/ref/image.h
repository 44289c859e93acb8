/* SPDX-License-Identifier: 0BSD */
/* ImageDecoder: BMP, portable anymaps (P1 to P6), PNG, JPEG, TIFF that is not
 * compressed. size_image reads the head; a stream that it cannot read gives an
 * image of 0 x 0. Errors behind the head are O2C_E_DATA.
 *
 * Other formats are for a function of the user's, by a library of their choice:
 * compile with -DO2C_IMAGE_HOOK=name and link
 *   o2c_status name(const uint8_t *stream, size_t n, int layout, int64_t *size,
 *                   uint8_t *pixels);
 * Where `pixels` is NULL it writes height and width to `size`; else it fills
 * [height][width] pixels: layout 0 RGB, 1 BGR, 2 grey, 8 bits a channel. It is
 * asked for what is none of the formats above, and returns O2C_E_DATA where it
 * cannot read the stream either. o2c_image.c is one, by OpenJPEG, libwebp and
 * libtiff. */
#include "image_jpeg.h"
#include "image_tiff.h"
#if T_IS_INT && !T_IS_SIGNED && T_BITS == 8
#ifdef O2C_IMAGE_HOOK
#ifdef __cplusplus
extern "C"
#endif
o2c_status O2C_IMAGE_HOOK(const uint8_t *stream, size_t n, int layout,
                          int64_t *size, uint8_t *pixels);
#endif
/* Puts a pixel of 8 bits a channel; layout: 0 RGB, 1 BGR, 2 luma (BT.601). */
O2C_UNUSED static T *NAME(image_put)(T *y, const uint32_t *rgb,
                                     int64_t layout) {
  if (layout == 2) {
    *y = (T)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >>
             16);
    return y + 1;
  }
  y[0] = (T)rgb[layout ? 2 : 0];
  y[1] = (T)rgb[1];
  y[2] = (T)rgb[layout ? 0 : 2];
  return y + 3;
}

O2C_UNUSED static uint32_t NAME(image_le)(const T *x, int64_t bytes) {
  uint32_t v = 0;
  while (bytes-- > 0) v = v << 8 | x[bytes];
  return v;
}

/* A BMP: its head, and where rows and colours are. */
typedef struct {
  int64_t w, h, bits, head, colours, colour_size, ncolour, data, pitch, flip;
  uint32_t mask[3];
} NAME(bmp);

O2C_UNUSED static int NAME(bmp_head)(const T *x, int64_t n, NAME(bmp) *b) {
  uint32_t method = 0;
  int i;
  if (n < 26 || x[0] != 'B' || x[1] != 'M') return 0;
  b->data = (int64_t)NAME(image_le)(x + 10, 4);
  b->head = (int64_t)NAME(image_le)(x + 14, 4);
  b->colour_size = b->head == 12 ? 3 : 4;
  b->ncolour = 0;
  if (b->head == 12) {
    b->w = (int64_t)NAME(image_le)(x + 18, 2);
    b->h = (int64_t)NAME(image_le)(x + 20, 2);
    b->bits = (int64_t)NAME(image_le)(x + 24, 2);
  } else {
    if (b->head < 40 || n < 54) return 0;
    b->w = (int64_t)(int32_t)NAME(image_le)(x + 18, 4);
    b->h = (int64_t)(int32_t)NAME(image_le)(x + 22, 4);
    b->bits = (int64_t)NAME(image_le)(x + 28, 2);
    method = NAME(image_le)(x + 30, 4);
    b->ncolour = (int64_t)NAME(image_le)(x + 46, 4);
  }
  b->flip = b->h > 0;
  if (b->h < 0) b->h = -b->h;
  if ((method != 0 && method != 3) || (method == 3 && n < 66)) return 0;
  for (i = 0; i < 3; i++)
    b->mask[i] = method == 3 ? NAME(image_le)(x + 54 + 4 * i, 4)
               : b->bits == 16 ? 0x7c00u >> 5 * i : 0xff0000u >> 8 * i;
  b->colours = 14 + b->head + (method == 3 && b->head == 40 ? 12 : 0);
  if (b->bits <= 8 && (b->ncolour <= 0 || b->ncolour > 256))
    b->ncolour = (int64_t)1 << b->bits;
  if ((b->bits != 1 && b->bits != 4 && b->bits != 8 && b->bits != 16 &&
       b->bits != 24 && b->bits != 32) ||
      b->w <= 0 || b->h <= 0 || b->w > O2C_IMAGE_SIDE || b->h > O2C_IMAGE_SIDE)
    return 0;
  b->pitch = (b->w * b->bits + 31) / 32 * 4;
  return b->data <= n && b->pitch * b->h <= n - b->data &&
         (b->bits > 8 || b->colours + b->ncolour * b->colour_size <= n);
}

/* The bits of a mask as 8. */
O2C_UNUSED static uint32_t NAME(bmp_field)(uint32_t v, uint32_t mask) {
  v &= mask;
  if (!mask) return 0;
  for (; !(mask & 1u); mask >>= 1) v >>= 1;
  return (uint32_t)((uint64_t)v * 255u / mask);
}

O2C_UNUSED static o2c_status NAME(bmp_read)(const T *x, T *y, int64_t layout,
                                            const NAME(bmp) *b) {
  int64_t i, j, k;
  for (i = 0; i < b->h; i++) {
    const T *row = x + b->data + (b->flip ? b->h - 1 - i : i) * b->pitch;
    for (j = 0; j < b->w; j++) {
      uint32_t rgb[3];
      if (b->bits > 8) {
        const uint32_t v = NAME(image_le)(row + j * b->bits / 8, b->bits / 8);
        for (k = 0; k < 3; k++) rgb[k] = NAME(bmp_field)(v, b->mask[k]);
      } else {
        const int64_t at = j * b->bits;
        const int64_t c = (row[at / 8] >> (8 - b->bits - at % 8)) &
                          (((int64_t)1 << b->bits) - 1);
        if (c >= b->ncolour) return O2C_E_DATA;
        for (k = 0; k < 3; k++)
          rgb[k] = x[b->colours + c * b->colour_size + 2 - k];
      }
      y = NAME(image_put)(y, rgb, layout);
    }
  }
  return O2C_OK;
}

/* The number at *at, behind blanks and comments, of `digits` at most; -1. */
O2C_UNUSED static int64_t NAME(pnm_number)(const T *x, int64_t n, int64_t *at,
                                           int digits) {
  int64_t i = *at, v = -1;
  for (; i < n && (x[i] == '#' || x[i] == ' ' || (x[i] >= 9 && x[i] <= 13));
       i++)
    if (x[i] == '#')
      while (i + 1 < n && x[i] != '\n') i++;
  for (; i < n && x[i] >= '0' && x[i] <= '9' && digits-- > 0; i++)
    v = (v < 0 ? 0 : v * 10) + (x[i] - '0');
  *at = i;
  return v;
}

typedef struct {
  int64_t w, h, most, data, kind, channels;
} NAME(pnm);

O2C_UNUSED static int NAME(pnm_head)(const T *x, int64_t n, NAME(pnm) *p) {
  int64_t size;
  if (n < 7 || x[0] != 'P' || x[1] < '1' || x[1] > '6') return 0;
  p->kind = x[1] - '0';
  p->data = 2;
  p->w = NAME(pnm_number)(x, n, &p->data, 7);
  p->h = NAME(pnm_number)(x, n, &p->data, 7);
  p->most = p->kind % 3 == 1 ? 1 : NAME(pnm_number)(x, n, &p->data, 5);
  p->channels = p->kind % 3 == 0 ? 3 : 1;
  if (p->w <= 0 || p->h <= 0 || p->most <= 0 || p->most > 65535 ||
      p->w > O2C_IMAGE_SIDE || p->h > O2C_IMAGE_SIDE)
    return 0;
  p->data++; /* one blank */
  if (p->kind <= 3) return p->data <= n;
  size = p->kind == 4 ? (p->w + 7) / 8
                      : p->w * p->channels * (p->most > 255 ? 2 : 1);
  return p->data <= n && size * p->h <= n - p->data;
}

O2C_UNUSED static int64_t NAME(pnm_sample)(const T *x, int64_t n,
                                           const NAME(pnm) *p, int64_t *at,
                                           int64_t column) {
  int64_t v;
  if (p->kind <= 3) return NAME(pnm_number)(x, n, at, p->kind == 1 ? 1 : 5);
  if (p->kind == 4) {
    v = (x[*at] >> (7 - column % 8)) & 1;
    if (column % 8 == 7 || column + 1 == p->w) ++*at;
    return v;
  }
  v = x[(*at)++];
  return p->most > 255 ? v << 8 | x[(*at)++] : v;
}

O2C_UNUSED static o2c_status NAME(pnm_read)(const T *x, int64_t n, T *y,
                                            int64_t layout,
                                            const NAME(pnm) *p) {
  int64_t i, k, at = p->kind <= 3 ? p->data - 1 : p->data;
  for (i = 0; i < p->w * p->h; i++) {
    uint32_t rgb[3], level = 0;
    for (k = 0; k < 3; k++) {
      if (k < p->channels) {
        int64_t v = NAME(pnm_sample)(x, n, p, &at, i % p->w);
        if (v < 0 || v > p->most) return O2C_E_DATA;
        if (p->kind % 3 == 1) v = 1 - v; /* 1 is black */
        level = (uint32_t)((v * 255 + p->most / 2) / p->most);
      }
      rgb[k] = level;
    }
    y = NAME(image_put)(y, rgb, layout);
  }
  return O2C_OK;
}

/* Height, width, and bytes of room that decoding needs. */
O2C_UNUSED static void NAME(size_image)(const T *x, int64_t n, int64_t layout,
                                        int64_t *size) {
  NAME(bmp) b;
  NAME(pnm) p;
  o2c_png_head g;
  o2c_jpeg_head j;
  o2c_tiff_head t;
  size[0] = size[1] = size[2] = 0;
  (void)layout;
  if (NAME(bmp_head)(x, n, &b)) {
    size[0] = b.h;
    size[1] = b.w;
  } else if (NAME(pnm_head)(x, n, &p)) {
    size[0] = p.h;
    size[1] = p.w;
  } else if (o2c_png_open(x, n, &g)) {
    size[0] = g.h;
    size[1] = g.w;
    size[2] = (int64_t)sizeof(o2c_inflate) + g.raw;
  } else if (o2c_jpeg_open(x, n, &j)) {
    size[0] = j.h;
    size[1] = j.w;
    size[2] = (int64_t)sizeof(o2c_jpeg) + j.blocks * 192;
  } else if (o2c_tiff_open(x, n, &t)) {
    size[0] = t.h;
    size[1] = t.w;
#ifdef O2C_IMAGE_HOOK
  } else if (O2C_IMAGE_HOOK(x, (size_t)n, (int)layout, size, NULL) != O2C_OK) {
    size[0] = size[1] = 0;
#endif
  }
}

O2C_UNUSED static o2c_status NAME(png_read)(const T *x, int64_t n, T *y,
                                            void *room, int64_t layout,
                                            const o2c_png_head *g) {
  const T *raw = (const T *)room + sizeof(o2c_inflate);
  int64_t i, j;
  if (!o2c_png_unpack(x, n, g, room)) return O2C_E_DATA;
  for (i = 0; i < g->h; i++)
    for (j = 0; j < g->w; j++) {
      uint32_t rgb[3];
      if (!o2c_png_pixel(x, g, raw, j, i, rgb)) return O2C_E_DATA;
      y = NAME(image_put)(y, rgb, layout);
    }
  return O2C_OK;
}

O2C_UNUSED static o2c_status NAME(jpeg_read)(const T *x, int64_t n, T *y,
                                             void *room, int64_t layout,
                                             const o2c_jpeg_head *g) {
  int64_t i, j;
  if (!o2c_jpeg_unpack(x, n, g, room)) return O2C_E_DATA;
  for (i = 0; i < g->h; i++)
    for (j = 0; j < g->w; j++) {
      uint32_t rgb[3];
      o2c_jpeg_pixel(g, room, j, i, rgb);
      y = NAME(image_put)(y, rgb, layout);
    }
  return O2C_OK;
}

O2C_UNUSED static o2c_status NAME(tiff_read)(T *y, int64_t layout,
                                             const o2c_tiff_head *g) {
  int64_t i, j;
  for (i = 0; i < g->h; i++)
    for (j = 0; j < g->w; j++) {
      uint32_t rgb[3];
      if (!o2c_tiff_pixel(g, j, i, rgb)) return O2C_E_DATA;
      y = NAME(image_put)(y, rgb, layout);
    }
  return O2C_OK;
}

O2C_UNUSED static o2c_status NAME(image)(const T *x, T *y, void *room,
                                         int64_t n, int64_t pixels,
                                         int64_t layout) {
  NAME(bmp) b;
  NAME(pnm) p;
  o2c_png_head g;
  o2c_jpeg_head j;
  o2c_tiff_head t;
  if (NAME(bmp_head)(x, n, &b)) return NAME(bmp_read)(x, y, layout, &b);
  if (NAME(pnm_head)(x, n, &p)) return NAME(pnm_read)(x, n, y, layout, &p);
  if (o2c_png_open(x, n, &g))
    return NAME(png_read)(x, n, y, room, layout, &g);
  if (o2c_jpeg_open(x, n, &j))
    return NAME(jpeg_read)(x, n, y, room, layout, &j);
  if (o2c_tiff_open(x, n, &t)) return NAME(tiff_read)(y, layout, &t);
#ifdef O2C_IMAGE_HOOK
  {
    int64_t size[2];
    if (pixels > 0)
      return O2C_IMAGE_HOOK(x, (size_t)n, (int)layout, size, y);
  }
#endif
  (void)pixels;
  return O2C_OK;
}
#endif
