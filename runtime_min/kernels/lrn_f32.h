/* SPDX-License-Identifier: 0BSD */
/* Local response normalisation of f32 along the middle of [outer][c][inner].

     static void o2c_lrn_f32(const float *x, float *y, float *room,
       int64_t outer, int64_t c, int64_t inner, int64_t size, float alpha,
       float beta, float bias);

   y = x / (bias + alpha s)^beta, where s is the sum of the squares of the
   (size - 1) / 2 channels before, of x itself, and of the size / 2 after it.
   y is not x; room: c + size + 64 floats, used where inner is 1.

   Squares are summed in the order of the channels; a channel that is not there
   is 0. To the power of 3/4, the usual one, by two square roots, else by exp
   and log: good to some 20 ULP for sums up to 1e6. */
#ifndef O2C_LRN_F32_H
#define O2C_LRN_F32_H

#include "math_f32.h"

#define O2C_LRN_BLOCK 64 /* a multiple of all lanes: 256 bytes of locals */

O2C_NOINLINE void o2c_lrn_power(float *t, float alpha, float beta, float bias)
{
  O2C_ROLLED
  for (int i = 0; i < O2C_LRN_BLOCK; i++)
    t[i] = o2c_expf(beta * o2c_logf(O2C_FMAF(alpha, t[i], bias)));
}

/* y = x / (bias + alpha t)^beta for m <= O2C_LRN_BLOCK elements. */
O2C_INLINE void o2c_lrn_apply(const float *x, float *y, float *t, int m,
                              float alpha, float beta, float bias)
{
  const o2c_v a = o2c_vset1(alpha), b = o2c_vset1(bias);
  if (beta == 0.75f) {
    O2C_ROLLED
    for (int i = 0; i < O2C_LRN_BLOCK; i += O2C_LANES) {
      const o2c_v r = o2c_vsqrt(o2c_vfma(a, o2c_vld(t + i), b));
      o2c_vst(t + i, o2c_vmul(r, o2c_vsqrt(r)));
    }
  } else {
    o2c_lrn_power(t, alpha, beta, bias);
  }
  O2C_ROLLED
  for (int i = 0; i < m; i += O2C_LANES)
    o2c_vst_n(y + i, o2c_vdiv(o2c_vld_n(x + i, m - i), o2c_vld(t + i)), m - i);
}

/* One row of c channels; q: its squares, with size - 1 zeros around them. */
O2C_NOINLINE void o2c_lrn_row(const float *x, float *y, const float *q,
                              int64_t c, int64_t size, float alpha, float beta,
                              float bias)
{
  float t[O2C_LRN_BLOCK];
  for (int64_t f = 0; f < c; f += O2C_LRN_BLOCK, q += O2C_LRN_BLOCK) {
    const int64_t left = c - f;
    memset(t, 0, sizeof t);
    for (int64_t k = 0; k < size; k++)
      for (int i = 0; i < O2C_LRN_BLOCK; i += O2C_LANES)
        o2c_vst(t + i, o2c_vadd(o2c_vld(t + i), o2c_vld(q + k + i)));
    o2c_lrn_apply(x + f, y + f, t,
                  (int)(left < O2C_LRN_BLOCK ? left : O2C_LRN_BLOCK), alpha,
                  beta, bias);
  }
}

/* Channel f at m neighbouring places; the channels are `inner` apart. */
O2C_NOINLINE void o2c_lrn_columns(const float *x, float *y, int64_t f,
                                  int64_t c, int64_t inner, int m,
                                  int64_t size, float alpha, float beta,
                                  float bias)
{
  float t[O2C_LRN_BLOCK];
  const int64_t first = f - (size - 1) / 2, last = f + size / 2;
  memset(t, 0, sizeof t);
  for (int64_t k = first < 0 ? 0 : first; k <= last && k < c; k++) {
    const float *from = x + k * inner;
    for (int i = 0; i < m; i += O2C_LANES) {
      const o2c_v v = o2c_vld_n(from + i, m - i);
      o2c_vst(t + i, o2c_vadd(o2c_vld(t + i), o2c_vmul(v, v)));
    }
  }
  o2c_lrn_apply(x + f * inner, y + f * inner, t, m, alpha, beta, bias);
}

O2C_NOINLINE void o2c_lrn_f32(const float *x, float *y, float *room,
                              int64_t outer, int64_t c, int64_t inner,
                              int64_t size, float alpha, float beta,
                              float bias)
{
  float *const q = room + (size - 1) / 2;
  if (inner == 1)
    memset(room, 0, (size_t)(c + size + O2C_LRN_BLOCK) * sizeof *room);
  for (int64_t o = 0; o < outer; o++, x += c * inner, y += c * inner) {
    if (inner == 1) {
      for (int64_t i = 0; i < c; i++)
        q[i] = x[i] * x[i];
      o2c_lrn_row(x, y, room, c, size, alpha, beta, bias);
      continue;
    }
    for (int64_t j = 0; j < inner; j += O2C_LRN_BLOCK) {
      const int64_t left = inner - j;
      const int m = (int)(left < O2C_LRN_BLOCK ? left : O2C_LRN_BLOCK);
      for (int64_t f = 0; f < c; f++)
        o2c_lrn_columns(x + j, y + j, f, c, inner, m, size, alpha, beta, bias);
    }
  }
}

#endif
