/* SPDX-License-Identifier: 0BSD */
/* 8-bit convolution and matrix product.
 *
 *   acc[o] = bias[o] + sum_t sum_k x[i*x_row + j*x_pix + tap[t] + k] w[o][t][k]
 *
 * for pixel (i, j); the sum wraps at 32 bits. x is u8, already padded with
 * the zero-point byte where a window hangs over the edge (o2c_pad_hwc_u8), w is
 * s8, and bias already holds -x_zp * sum(w). A k x k convolution without
 * dilation has one tap per kernel row and kc = k * channels; a matrix product
 * is ntap 1, tap {0}, oh 1, ow M. Exactly the elements named by the sum are
 * read, exactly the elements (i, j, o < oc) are written; y must not overlap x.
 *
 * Packed weights (pack_u8.h writes them), one layout for every machine:
 *   [ceil(oc/16)][ntap][ceil(kc/4)][16][4] s8, zeros where o >= oc.
 * Group g holds k = 4g .. 4g+3. Where kc is over 4 and no multiple of 4, the
 * last group holds k = kc-4 .. kc-1 with zeros at those that the group before
 * already had: so no kernel reads past the end of x. w is 4-byte aligned (64
 * is best); bias and scale have 16 * ceil(oc/16) elements. Part of the
 * outputs (threads) is asked for by moving w by panels and o by 16.
 */
#ifndef O2C_CONV_U8_H
#define O2C_CONV_U8_H

#include "u8.h"

typedef struct {
  int32_t oh, ow, oc, ntap, kc;
  const int32_t *tap;
  int64_t x_row, x_pix, y_row, y_pix; /* in elements */
  int32_t y_zp, lo, hi;               /* u8 output only */
  const float *fbias;                 /* f32 output only; may be NULL */
  int16_t *scratch; /* O2C_CONV_U8_SCRATCH elements or NULL */
} o2c_conv_u8_p;

/* Elements of scratch, 4-byte aligned, which Cortex-M and AVX2 use: three
 * pixels as 16-bit values (MVE: bytes), or a list of the groups of a panel. */
#define O2C_CONV_U8_SCRATCH(ntap, kc) (12 * (ntap) * (((kc) + 3) / 4))

enum { O2C_U8_TO_U8, O2C_U8_TO_I32, O2C_U8_TO_F32 };

/* What the tiles of one group of outputs share. */
typedef struct {
  const o2c_conv_u8_p *p;
  const int32_t *bias; /* of the group's first output, as are the next two */
  const float *scale, *fbias;
  o2c_rq q;
  int32_t n;     /* outputs from the group's first to oc */
  int32_t ng;    /* groups of 4 per tap */
  int32_t last;  /* step to the last group */
  int32_t fits;  /* 0: needs the clamp before the conversion (AVX-512) */
  int64_t panel; /* bytes of one panel of weights */
  /* AVX-512: of the next group's weights each pixel of the row at x asks for
   * next_pixel / 16 bytes a step, the first from next on. */
  const uint8_t *x;
  const int8_t *next;
  int32_t next_pixel;
} o2c_u8_job;

O2C_U8_INLINE o2c_u8_job o2c_u8_job_make(const o2c_conv_u8_p *p, int32_t o,
                                         const int32_t *bias,
                                         const float *scale)
{
  o2c_u8_job j;
  j.p = p;
  j.bias = bias + o;
  j.scale = scale ? scale + o : 0;
  j.fbias = p->fbias ? p->fbias + o : 0;
  j.q = o2c_rq_make(p->y_zp, p->lo, p->hi);
  j.n = p->oc - o;
  j.ng = (p->kc + 3) / 4;
  j.last = p->kc % 4 ? p->kc % 4 : 4;
  j.panel = (int64_t)p->ntap * j.ng * 64;
  j.fits = 1;
  j.x = 0;
  j.next = 0;
  j.next_pixel = 0;
  return j;
}

/* The element after e of an output of this kind. */
O2C_U8_INLINE void *o2c_u8_at(void *y, int64_t e, int kind)
{
  return (char *)y + (kind == O2C_U8_TO_U8 ? e : 4 * e);
}

/* A group of a pixel; `few`: kc < 4, where 4 bytes may be too many. */
O2C_U8_INLINE uint32_t o2c_u8_group(const uint8_t *x, int few)
{
  uint32_t v;
  if (!few)
    return o2c_ld32(x);
  v = x[0];
  if (few > 1)
    v |= (uint32_t)x[1] << 8;
  if (few > 2)
    v |= (uint32_t)x[2] << 16;
  return v;
}

#include "conv_u8_vec.h"
#include "conv_u8_mcu.h"

/* ---- the kernels ------------------------------------------------------- */
O2C_U8_NOINLINE void o2c_conv_u8(const uint8_t *x, const int8_t *w,
                                 const int32_t *bias, const float *scale,
                                 uint8_t *y, const o2c_conv_u8_p *p)
{
  o2c_u8_conv(x, w, bias, scale, y, p, O2C_U8_TO_U8);
}

/* y = acc; scale, y_zp, lo, hi are not used. */
O2C_U8_NOINLINE void o2c_conv_u8_i32(const uint8_t *x, const int8_t *w,
                                     const int32_t *bias, int32_t *y,
                                     const o2c_conv_u8_p *p)
{
  o2c_u8_conv(x, w, bias, 0, y, p, O2C_U8_TO_I32);
}

/* y = (float)acc * scale[o] + fbias[o], each operation rounded. */
O2C_U8_NOINLINE void o2c_conv_u8_f32(const uint8_t *x, const int8_t *w,
                                     const int32_t *bias, const float *scale,
                                     float *y, const o2c_conv_u8_p *p)
{
  o2c_u8_conv(x, w, bias, scale, y, p, O2C_U8_TO_F32);
}

typedef struct {
  int32_t h, w, c; /* input */
  int32_t top, left, bottom, right;
  uint8_t value;
  int64_t x_row, x_pix; /* elements from row to row, pixel to pixel */
} o2c_pad_hwc_u8_p;

/* x [h][w][c] into the middle of y [top+h+bottom][left+w+right][c], whose
 * border is `value`, the zero point. */
O2C_U8_NOINLINE void o2c_pad_hwc_u8(const uint8_t *x, uint8_t *y,
                                    const o2c_pad_hwc_u8_p *p)
{
  const size_t c = (size_t)p->c, row = (size_t)p->w * c;
  const size_t left = (size_t)p->left * c, right = (size_t)p->right * c;
  const size_t all = left + row + right;
  int32_t i, j;
  memset(y, p->value, (size_t)p->top * all + left);
  y += (size_t)p->top * all + left;
  for (i = 0; i < p->h; ++i, x += p->x_row, y += all) {
    if (p->x_pix == p->c)
      memcpy(y, x, row);
    else
      for (j = 0; j < p->w; ++j)
        memcpy(y + (size_t)j * c, x + j * p->x_pix, c);
    if (i + 1 < p->h)
      memset(y + row, p->value, right + left);
  }
  y -= left + right;
  memset(y, p->value, right + (size_t)p->bottom * all);
}

#endif /* O2C_CONV_U8_H */
