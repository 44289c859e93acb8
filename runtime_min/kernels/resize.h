/* SPDX-License-Identifier: 0BSD */
/* Images resized along two neighbouring axes.

     static void o2c_resize_nearest(const void *x, void *y, int32_t *at,
                                    const float *how, const o2c_resize_p *p);
     static void o2c_resize_linear_f32(const float *x, float *y, int32_t *at,
                                       float *room, const float *how,
                                       const o2c_resize_p *p);

   x [images][h][w][c] to y [images][oh][ow][c]; c counts bytes in nearest,
   floats in linear. how: four floats each for rows and columns, and coord, of
   ref/resize_at.h. at: room for 2 (oh + ow) numbers; room: oh + ow + w c.

   A pixel of the linear kernel is the sum of two rows, weighted, then that of
   two columns of it, whatever the image's size; where a weight is 0, an
   infinite pixel makes it NaN. */
#ifndef O2C_RESIZE_H
#define O2C_RESIZE_H

#include "simd.h"
#include "ref/resize_at.h"

typedef struct {
  int64_t images, h, w, c, oh, ow;
  int32_t coord, nearest;
} o2c_resize_p;

O2C_UNUSED static void o2c_resize_picks(int32_t *at, const float *how,
                                        int64_t n, int64_t m,
                                        const o2c_resize_p *p)
{
  for (int64_t o = 0; o < m; o++)
    at[o] = (int32_t)o2c_resize_near(o2c_resize_at(o, n, m, how, p->coord),
                                     how[0], n, p->nearest);
}

/* Columns of `size` bytes, a constant where this is inlined. */
O2C_INLINE void o2c_resize_cols(const unsigned char *x, unsigned char *y,
                                const int32_t *at, int64_t ow, size_t size)
{
  for (int64_t o = 0; o < ow; o++)
    memcpy(y + (size_t)o * size, x + (size_t)at[o] * size, size);
}

/* Each of n columns of 4 bytes twice, as one number of 8. */
O2C_INLINE void o2c_resize_twice(const unsigned char *x, unsigned char *y,
                                 int64_t n)
{
  for (int64_t i = 0; i < n; i++) {
    uint32_t v;
    uint64_t both;
    memcpy(&v, x + 4 * i, 4);
    both = v | (uint64_t)v << 32;
    memcpy(y + 8 * i, &both, 8);
  }
}

/* Are the columns 0, 0, 1, 1, 2, 2, ..? */
O2C_INLINE int o2c_resize_doubles(const int32_t *at, int64_t w, int64_t ow)
{
  int same = ow == 2 * w;
  for (int64_t o = 0; same && o < ow; o++)
    same = at[o] == o / 2;
  return same;
}

O2C_UNUSED static void o2c_resize_nearest(const void *x, void *y, int32_t *at,
                                          const float *how,
                                          const o2c_resize_p *p)
{
  const unsigned char *from = (const unsigned char *)x;
  unsigned char *to = (unsigned char *)y;
  const size_t c = (size_t)p->c, line = (size_t)p->ow * c;
  const int32_t *const col = at + p->oh;
  o2c_resize_picks(at, how, p->h, p->oh, p);
  o2c_resize_picks(at + p->oh, how + 4, p->w, p->ow, p);
  const int twice = c == 4 && o2c_resize_doubles(col, p->w, p->ow);
  for (int64_t i = 0; i < p->images; i++, from += (size_t)(p->h * p->w) * c)
    for (int64_t o = 0; o < p->oh; o++, to += line) {
      const unsigned char *row = from + (size_t)(at[o] * p->w) * c;
      if (o && at[o] == at[o - 1])
        memcpy(to, to - line, line);
      else if (p->w == p->ow && how[4] == 1.0f)
        memcpy(to, row, line);
      else if (twice)
        o2c_resize_twice(row, to, p->w);
      else if (c == 4)
        o2c_resize_cols(row, to, col, p->ow, 4);
      else if (c == 1)
        o2c_resize_cols(row, to, col, p->ow, 1);
      else
        o2c_resize_cols(row, to, col, p->ow, c);
    }
}

/* Two positions for each of the m, and the second one's weight. */
O2C_UNUSED static void o2c_resize_pairs(int32_t *at, float *weight,
                                        const float *how, int64_t n, int64_t m,
                                        const o2c_resize_p *p)
{
  for (int64_t o = 0; o < m; o++) {
    const float v = o2c_resize_at(o, n, m, how, p->coord), low = floorf(v);
    at[2 * o] = (int32_t)o2c_resize_clamp(low, n);
    at[2 * o + 1] = (int32_t)o2c_resize_clamp(low + 1.0f, n);
    weight[o] = at[2 * o] < at[2 * o + 1] ? v - low : 0.0f;
  }
}

O2C_INLINE float o2c_resize_mix(float a, float b, float w)
{
  return O2C_FMAF(b, w, a * (1.0f - w));
}

/* y = a (1 - w) + b w, n of each. */
O2C_INLINE void o2c_resize_blend(const float *a, const float *b, float *y,
                                 float w, int64_t n)
{
  const o2c_v wa = o2c_vset1(1.0f - w), wb = o2c_vset1(w);
  int64_t i = 0;
  O2C_ROLLED
  for (; i + O2C_LANES <= n; i += O2C_LANES)
    o2c_vst(y + i, o2c_vfma(o2c_vld(b + i), wb, o2c_vmul(o2c_vld(a + i), wa)));
  if (i < n) {
    const int left = (int)(n - i);
    o2c_vst_n(y + i, o2c_vfma(o2c_vld_n(b + i, left), wb,
                              o2c_vmul(o2c_vld_n(a + i, left), wa)), left);
  }
}

/* A row resized along its columns. */
O2C_UNUSED static void o2c_resize_row(const float *x, float *y,
                                      const int32_t *at, const float *weight,
                                      const o2c_resize_p *p)
{
  const int64_t c = p->c;
  if (c < O2C_LANES) {
    for (int64_t o = 0; o < p->ow; o++, y += c)
      for (int64_t k = 0; k < c; k++)
        y[k] = o2c_resize_mix(x[at[2 * o] * c + k], x[at[2 * o + 1] * c + k],
                              weight[o]);
    return;
  }
  for (int64_t o = 0; o < p->ow; o++, y += c)
    o2c_resize_blend(x + at[2 * o] * c, x + at[2 * o + 1] * c, y, weight[o], c);
}

O2C_UNUSED static void o2c_resize_linear_f32(const float *x, float *y,
                                             int32_t *at, float *room,
                                             const float *how,
                                             const o2c_resize_p *p)
{
  const int64_t line = p->w * p->c;
  const int same = p->w == p->ow && how[4] == 1.0f;
  int32_t *const col = at + 2 * p->oh;
  float *const weight = room + p->oh, *const mixed = weight + p->ow;
  o2c_resize_pairs(at, room, how, p->h, p->oh, p);
  o2c_resize_pairs(col, weight, how + 4, p->w, p->ow, p);
  for (int64_t i = 0; i < p->images; i++, x += p->h * line)
    for (int64_t o = 0; o < p->oh; o++, y += p->ow * p->c) {
      const float *a = x + at[2 * o] * line, *b = x + at[2 * o + 1] * line;
      if (same) {
        o2c_resize_blend(a, b, y, room[o], line);
        continue;
      }
      o2c_resize_blend(a, b, mixed, room[o], line);
      o2c_resize_row(mixed, y, col, weight, p);
    }
}

#endif
