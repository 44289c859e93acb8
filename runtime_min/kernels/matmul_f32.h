/* SPDX-License-Identifier: 0BSD */
/* f32 products of two run-time operands, batched and strided: b is packed into
   panels of 16 columns, and conv_f32.h multiplies.

     y[t, i, j] = sum_{k<K} a[t, i, k] * b[t, k, j]      i < m, j < n

   static void o2c_matmul_f32(const float *a, const float *b, float *y,
                              float *panels, const o2c_matmul_f32_p *p);
   static void o2c_matmul_f32_products(.., int64_t from, int64_t to);

   t runs over `rank` batch axes of extents `batch`, with steps of their own in
   a, b and y; a step of 0 broadcasts. A row of a and of y is contiguous, rows
   lie a_row and y_row apart; element (k, j) of b is b[k * b_k + j * b_n], so b
   may be transposed, or a head within rows of many. panels is scratch of
   O2C_MATMUL_PANELS(k, n) floats. y overlaps nothing.

   One sum, one order: an element is one chain of (fused) multiply-adds from 0
   over k, for any m, n, batch and strides. */
#ifndef O2C_MATMUL_F32_H
#define O2C_MATMUL_F32_H

#include "conv_f32.h"

/* Columns of b that are packed at a time, and what they take. */
#define O2C_MATMUL_COLS 256
#define O2C_MATMUL_PANELS(k, n) \
  ((k) * ((n) < O2C_MATMUL_COLS ? ((n) + 15) / 16 * 16 : O2C_MATMUL_COLS))

typedef struct {
  int32_t rank, m, n, k;
  const int64_t *batch, *a_step, *b_step, *y_step; /* outermost axis first */
  int64_t a_row, y_row, b_k, b_n;
} o2c_matmul_f32_p;

/* Columns that are neighbours in memory: a row of 16 at a time. */
O2C_INLINE void o2c_panel_rows(const float *b, float *to, ptrdiff_t k,
                               ptrdiff_t step, int n)
{
  for (ptrdiff_t i = 0; i < k; i++, b += step, to += 16) {
    if (n == 16) {
      memcpy(to, b, 16 * sizeof(float));
      continue;
    }
    for (int j = 0; j < 16; j++)
      to[j] = j < n ? b[j] : 0.0f;
  }
}

/* Any strides; blocks of 16 rows keep the lines of a transposed b in cache. */
O2C_INLINE void o2c_panel_any(const float *b, float *to, ptrdiff_t k,
                              ptrdiff_t b_k, ptrdiff_t b_n, int n)
{
  for (ptrdiff_t i0 = 0; i0 < k; i0 += 16) {
    const ptrdiff_t end = i0 + 16 < k ? i0 + 16 : k;
    for (int j = 0; j < n; j++)
      for (ptrdiff_t i = i0; i < end; i++)
        to[i * 16 + j] = b[i * b_k + j * b_n];
    for (ptrdiff_t i = i0; i < end; i++)
      for (int j = n; j < 16; j++)
        to[i * 16 + j] = 0.0f;
  }
}

/* n columns of b as [ceil(n/16)][k][16], zero where there is no column. */
O2C_NOINLINE void o2c_pack_panels_f32(const float *b, float *to, int64_t k,
                                      int64_t n, int64_t b_k, int64_t b_n)
{
  for (int64_t j = 0; j < n; j += 16, to += k * 16) {
    const int cols = n - j < 16 ? (int)(n - j) : 16;
    if (b_n == 1)
      o2c_panel_rows(b + j, to, (ptrdiff_t)k, (ptrdiff_t)b_k, cols);
    else
      o2c_panel_any(b + j * b_n, to, (ptrdiff_t)k, (ptrdiff_t)b_k,
                    (ptrdiff_t)b_n, cols);
  }
}

/* The offset of product t in an operand whose batch axes have these steps. */
O2C_INLINE ptrdiff_t o2c_matmul_at(const o2c_matmul_f32_p *p,
                                   const int64_t *step, int64_t t)
{
  int64_t at = 0;
  for (int32_t i = p->rank; i-- > 0; t /= p->batch[i])
    at += t % p->batch[i] * step[i];
  return (ptrdiff_t)at;
}

/* Products [from, to) of those over the batch axes. */
O2C_NOINLINE void o2c_matmul_f32_products(const float *a, const float *b,
                                          float *y, float *panels,
                                          const o2c_matmul_f32_p *p,
                                          int64_t from, int64_t to)
{
  static const int32_t tap[] = {0};
  o2c_conv_f32_p q;
  memset(&q, 0, sizeof q);
  q.oh = 1;
  q.ow = p->m;
  q.ntap = 1;
  q.kc = p->k;
  q.tap = tap;
  q.x_pix = p->a_row;
  q.y_pix = p->y_row;
  q.lo = -INFINITY;
  q.hi = INFINITY;
  for (int32_t j = 0; j < p->n; j += q.oc) {
    ptrdiff_t packed = -1;
    q.oc = p->n - j < O2C_MATMUL_COLS ? p->n - j : O2C_MATMUL_COLS;
    for (int64_t t = from; t < to; t++) {
      const ptrdiff_t at = o2c_matmul_at(p, p->b_step, t);
      if (at != packed) /* else the product before had the same b */
        o2c_pack_panels_f32(b + at + j * p->b_n, panels, p->k, q.oc, p->b_k,
                            p->b_n);
      packed = at;
      o2c_conv_f32(a + o2c_matmul_at(p, p->a_step, t), panels, NULL, NULL,
                   y + o2c_matmul_at(p, p->y_step, t) + j, &q);
    }
  }
}

O2C_UNUSED static void o2c_matmul_f32(const float *a, const float *b, float *y,
                                      float *panels, const o2c_matmul_f32_p *p)
{
  int64_t products = 1;
  for (int32_t i = 0; i < p->rank; i++)
    products *= p->batch[i];
  o2c_matmul_f32_products(a, b, y, panels, p, 0, products);
}

#endif
