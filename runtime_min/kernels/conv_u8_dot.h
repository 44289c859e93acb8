/* SPDX-License-Identifier: 0BSD */
/* The part of conv_u8_vec.h for AArch64 with SDOT: four groups of a pixel are
 * one vector, of which SDOT takes a word by its lane, so that none has to be
 * spread over a vector first. */
#ifndef O2C_CONV_U8_DOT_H
#define O2C_CONV_U8_DOT_H

#include "u8.h"

/* 16 k of a pixel, or 4 and what is not used; signed. */
O2C_U8_INLINE int8x16_t o2c_u8_dot_pixel(const uint8_t *x, const int n)
{
  const uint8x16_t flip = vdupq_n_u8(128);
  if (n == 16)
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(x), flip));
  return vreinterpretq_s8_u8(
      veorq_u8(vreinterpretq_u8_u32(vdupq_n_u32(o2c_ld32(x))), flip));
}

/* In assembly that keeps its order: gcc 12 loads weights so far ahead that they
 * don't fit the registers. */
#if defined(__clang__)
#define O2C_U8_DOT_LANE(c, b, a, g) c = vdotq_laneq_s32(c, b, a, g);
#else
#define O2C_U8_DOT_LANE(c, b, a, g)                    \
  __asm__ volatile("sdot %0.4s, %1.16b, %2.4b[" #g "]" \
                   : "+w"(c)                           \
                   : "w"(b), "w"(a));
#endif

#define O2C_U8_DOT_ROWS(F, v, g) F(0, v, g) F(1, v, g) F(2, v, g) F(3, v, g)
/* Outputs 4v .. 4v + 3 of group g. */
#define O2C_U8_DOT_OUTPUTS(v, g)                            \
  {                                                         \
    const int8x16_t b = vld1q_s8(w + 64 * (g) + 16 * (v));  \
    O2C_U8_DOT_ROWS(O2C_U8_DOT_ONE, v, g)                   \
  }
#define O2C_U8_DOT_ONE(i, v, g)              \
  if (mr > i) {                              \
    O2C_U8_DOT_LANE(c##i##v, b, a##i, g)     \
  }
#define O2C_U8_DOT_GROUP(g)                             \
  O2C_U8_DOT_OUTPUTS(0, g) O2C_U8_DOT_OUTPUTS(1, g)     \
  O2C_U8_DOT_OUTPUTS(2, g) O2C_U8_DOT_OUTPUTS(3, g)
#define O2C_U8_DOT_STEP(n, groups)                                      \
  {                                                                     \
    const int8x16_t a0 = o2c_u8_dot_pixel(p, n);                        \
    const int8x16_t a1 = mr > 1 ? o2c_u8_dot_pixel(p + s, n) : a0;      \
    const int8x16_t a2 = mr > 2 ? o2c_u8_dot_pixel(p + 2 * s, n) : a0;  \
    const int8x16_t a3 = mr > 3 ? o2c_u8_dot_pixel(p + 3 * s, n) : a0;  \
    groups;                                                             \
    (void)a1, (void)a2, (void)a3;                                       \
    w += 16 * (n), p += (n);                                            \
  }
#define O2C_U8_DOT_START(i) \
  int32x4_t c##i##0 = zero, c##i##1 = zero, c##i##2 = zero, c##i##3 = zero;
#define O2C_U8_DOT_PUT(i)                                                \
  if (mr > i) {                                                          \
    const int32x4_t v[4] = {c##i##0, c##i##1, c##i##2, c##i##3};         \
    o2c_u8_out(j, v, 4, 0, o2c_u8_at(y, (i) * j->p->y_pix, kind), kind); \
  }

/* mr pixels, 4 at most, by the 16 outputs of a panel. kc is 4 or more. */
O2C_U8_INLINE void o2c_u8_own_tile(const o2c_u8_job *j, const uint8_t *x,
                                   const int8_t *w, void *y, const int mr,
                                   const int kind)
{
  const int32x4_t zero = vdupq_n_s32(0);
  const int64_t s = j->p->x_pix;
  /* Fours of groups that lie side by side in x too. */
  const int32_t fours = (j->ng - (j->last < 4)) / 4;
  int32_t t, g;
  O2C_U8_DOT_START(0) O2C_U8_DOT_START(1)
  O2C_U8_DOT_START(2) O2C_U8_DOT_START(3)
  O2C_U8_ROLLED
  for (t = 0; t < j->p->ntap; ++t) {
    const uint8_t *p = x + j->p->tap[t];
    O2C_U8_ROLLED
    for (g = fours; g > 0; --g)
      O2C_U8_DOT_STEP(16, O2C_U8_DOT_GROUP(0) O2C_U8_DOT_GROUP(1)
                              O2C_U8_DOT_GROUP(2) O2C_U8_DOT_GROUP(3))
    O2C_U8_ROLLED
    for (g = j->ng - 4 * fours; g > 0; --g) {
      p -= g == 1 ? 4 - j->last : 0;
      O2C_U8_DOT_STEP(4, O2C_U8_DOT_GROUP(0))
    }
  }
  O2C_U8_DOT_PUT(0) O2C_U8_DOT_PUT(1) O2C_U8_DOT_PUT(2) O2C_U8_DOT_PUT(3)
}

#endif /* O2C_CONV_U8_DOT_H */
