/* SPDX-License-Identifier: 0BSD */
/* Stages of strip.h by conv_f32.h, conv_short_f32.h and dw_f32.h: p is the
   o2c_conv_f32_p or o2c_dw_f32_p of the whole map, r the residual of a
   convolution, or NULL. */
#ifndef O2C_STRIP_F32_H
#define O2C_STRIP_F32_H

#include "conv_short_f32.h"
#include "dw_f32.h"
#include "strip.h"

O2C_UNUSED static void o2c_strip_conv_f32(const o2c_strip_stage *s,
                                          const void *x, void *y, int32_t i,
                                          int32_t rows)
{
  o2c_conv_f32_p p = *(const o2c_conv_f32_p *)s->p;
  const float *r = (const float *)s->r;
  p.oh = rows;
  o2c_conv_f32((const float *)x, (const float *)s->w, (const float *)s->b,
               r ? r + i * p.r_row : r, (float *)y, &p);
}

#define O2C_X(t, k) O2C_UNUSED static void o2c_strip_short_f32_##t##x##k( \
  const o2c_strip_stage *s, const void *x, void *y, int32_t i, int32_t rows) \
{ \
  o2c_conv_f32_p p = *(const o2c_conv_f32_p *)s->p; \
  (void)i; \
  p.oh = rows; \
  o2c_short_f32_##t##x##k((const float *)x, (const float *)s->w, \
                          (const float *)s->b, (float *)y, &p, 0, \
                          rows * p.ow); \
}
O2C_SHORT_SIZES(O2C_X)
#undef O2C_X

O2C_UNUSED static void o2c_strip_dw_f32(const o2c_strip_stage *s,
                                        const void *x, void *y, int32_t i,
                                        int32_t rows)
{
  o2c_dw_f32_p p = *(const o2c_dw_f32_p *)s->p;
  (void)i;
  p.oh = rows;
  o2c_dw_f32((const float *)x, (const float *)s->w, (const float *)s->b,
             (float *)y, &p);
}

#endif
