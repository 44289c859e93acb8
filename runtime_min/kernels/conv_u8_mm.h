/* SPDX-License-Identifier: 0BSD */
/* The part of conv_u8_vec.h for AArch64 with i8mm: USMMLA multiplies two pixels
 * by two outputs over 8 k. Two groups of the panels that all machines share,
 * zipped by words, are its weights: 4 outputs from each pair of vectors, used
 * for all pixels of the tile. A sum's lanes: outputs o, o + 1 of a pixel, then
 * of the next one. */
#ifndef O2C_CONV_U8_MM_H
#define O2C_CONV_U8_MM_H

#include "u8.h"

/* 8 k, or 4 and zeros, of two pixels. */
O2C_U8_INLINE uint8x16_t o2c_u8_mm_pixels(const uint8_t *x, int64_t s,
                                          const int eight)
{
  uint8x16_t a;
  if (!eight)
    return vcombine_u8(vcreate_u8(o2c_ld32(x)), vcreate_u8(o2c_ld32(x + s)));
#if defined(__clang__)
  a = vcombine_u8(vld1_u8(x), vld1_u8(x + s));
#else
  __asm__("ldr %d0, [%1]\n\tld1 {%0.d}[1], [%2]"
          : "=&w"(a)
          : "r"(x), "r"(x + s), "m"(*(const uint8_t(*)[8])x),
            "m"(*(const uint8_t(*)[8])(x + s)));
#endif
  return a;
}

/* Weights of four outputs in two vectors. In assembly, as the next function is,
 * since gcc 12 copies accumulators of the intrinsic, and loads so far ahead
 * that they don't fit the registers. */
O2C_U8_INLINE int8x16x2_t o2c_u8_mm_weights(const int8_t *w, const int eight)
{
  int8x16x2_t b;
#if defined(__clang__)
  const int32x4_t l = vreinterpretq_s32_s8(vld1q_s8(w));
  const int32x4_t h =
      eight ? vreinterpretq_s32_s8(vld1q_s8(w + 64)) : vdupq_n_s32(0);
  b.val[0] = vreinterpretq_s8_s32(vzip1q_s32(l, h));
  b.val[1] = vreinterpretq_s8_s32(vzip2q_s32(l, h));
#else
  int8x16_t l, h = vdupq_n_s8(0);
  if (eight)
    h = vld1q_s8(w + 64);
  __asm__ volatile("ldr %q0, %3\n\t"
                   "zip2 %1.4s, %0.4s, %2.4s\n\t"
                   "zip1 %0.4s, %0.4s, %2.4s"
                   : "=&w"(l), "=&w"(b.val[1])
                   : "w"(h), "m"(*(const int8_t(*)[16])w));
  b.val[0] = l;
#endif
  return b;
}

O2C_U8_INLINE int32x4_t o2c_u8_mm_dot(int32x4_t c, uint8x16_t a, int8x16_t b)
{
#if defined(__clang__)
  return vusmmlaq_s32(c, a, b);
#else
  __asm__ volatile("usmmla %0.4s, %1.16b, %2.16b" : "+w"(c) : "w"(a), "w"(b));
  return c;
#endif
}

/* Outputs 4v .. 4v + 3 of two pixels: sums c and d of two outputs each. */
#define O2C_U8_MM_OUTPUTS(v, n)                                        \
  {                                                                    \
    const int8x16x2_t b = o2c_u8_mm_weights(w + 16 * (v), n == 8);     \
    O2C_U8_MM_DOT(0, v) O2C_U8_MM_DOT(1, v) O2C_U8_MM_DOT(2, v)        \
  }
#define O2C_U8_MM_DOT(i, v)                           \
  if (mr > 2 * i) {                                   \
    c##i##v = o2c_u8_mm_dot(c##i##v, a##i, b.val[0]); \
    d##i##v = o2c_u8_mm_dot(d##i##v, a##i, b.val[1]); \
  }
#define O2C_U8_MM_STEP(n)                                                     \
  {                                                                           \
    const uint8x16_t a0 = o2c_u8_mm_pixels(p0, s, (n) == 8);                  \
    const uint8x16_t a1 = mr > 2 ? o2c_u8_mm_pixels(p1, s, (n) == 8) : a0;    \
    const uint8x16_t a2 = mr > 4 ? o2c_u8_mm_pixels(p2, s, (n) == 8) : a0;    \
    O2C_U8_MM_OUTPUTS(0, n) O2C_U8_MM_OUTPUTS(1, n)                           \
    O2C_U8_MM_OUTPUTS(2, n) O2C_U8_MM_OUTPUTS(3, n)                           \
    (void)a1, (void)a2;                                                       \
    w += 16 * (n), p0 += (n), p1 += (n), p2 += (n);                           \
  }
#define O2C_U8_MM_START(i)                                                  \
  int32x4_t c##i##0 = zero, c##i##1 = zero, c##i##2 = zero, c##i##3 = zero, \
            d##i##0 = zero, d##i##1 = zero, d##i##2 = zero, d##i##3 = zero;
#define O2C_U8_MM_HALF(zip, c, d)                              \
  vreinterpretq_s32_s64(zip(vreinterpretq_s64_s32(c),          \
                            vreinterpretq_s64_s32(d)))
#define O2C_U8_MM_PUT1(i, zip, k)                                     \
  {                                                                   \
    const int32x4_t v[4] = {O2C_U8_MM_HALF(zip, c##i##0, d##i##0),    \
                            O2C_U8_MM_HALF(zip, c##i##1, d##i##1),    \
                            O2C_U8_MM_HALF(zip, c##i##2, d##i##2),    \
                            O2C_U8_MM_HALF(zip, c##i##3, d##i##3)};   \
    o2c_u8_out(j, v, 4, 0, o2c_u8_at(y, (k) * j->p->y_pix, kind), kind); \
  }
#define O2C_U8_MM_PUT(i)                                              \
  if (mr > 2 * i) {                                                   \
    O2C_U8_MM_PUT1(i, vzip1q_s64, 2 * i)                              \
    O2C_U8_MM_PUT1(i, vzip2q_s64, 2 * i + 1)                          \
  }

/* mr pixels, 6, 4 or 2, by the 16 outputs of a panel. kc is 4 or more. */
O2C_U8_INLINE void o2c_u8_own_tile(const o2c_u8_job *j, const uint8_t *x,
                                   const int8_t *w, void *y, const int mr,
                                   const int kind)
{
  const int32x4_t zero = vdupq_n_s32(0);
  const int64_t s = j->p->x_pix;
  /* Pairs of groups that lie side by side in x too. */
  const int32_t pairs = (j->ng - (j->last < 4)) / 2;
  int32_t t, g;
  O2C_U8_MM_START(0) O2C_U8_MM_START(1) O2C_U8_MM_START(2)
  O2C_U8_ROLLED
  for (t = 0; t < j->p->ntap; ++t) {
    const uint8_t *p0 = x + j->p->tap[t];
    const uint8_t *p1 = mr > 2 ? p0 + 2 * s : p0;
    const uint8_t *p2 = mr > 4 ? p0 + 4 * s : p0;
    O2C_U8_ROLLED
    for (g = pairs; g > 0; --g)
      O2C_U8_MM_STEP(8)
    O2C_U8_ROLLED
    for (g = j->ng - 2 * pairs; g > 0; --g) {
      const int32_t back = g == 1 ? 4 - j->last : 0;
      p0 -= back, p1 -= back, p2 -= back;
      O2C_U8_MM_STEP(4)
    }
  }
  O2C_U8_MM_PUT(0) O2C_U8_MM_PUT(1) O2C_U8_MM_PUT(2)
}

#endif /* O2C_CONV_U8_MM_H */
