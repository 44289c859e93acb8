/* SPDX-License-Identifier: 0BSD */
/* The half of dw_u8.h for small machines; dw_u8_mve.h has M55 and M85.
 * Cortex-M4, M7 and M33 take 3 x 3 windows from three lines of the image that
 * are held as 16-bit values, channel by channel, in scratch: so SMLAD
 * multiplies two neighbours by two taps. Other windows go tap by tap, four
 * channels of two outputs at once. */
#ifndef O2C_DW_U8_MCU_H
#define O2C_DW_U8_MCU_H

#include "u8.h"

#if defined(O2C_U8_DSP)
/* 1 or 2 where windows overlap by 3 - that many taps, else 0. */
O2C_U8_INLINE int32_t o2c_dwq_step(int64_t window, int64_t tap)
{
  return window == tap ? 1 : window == 2 * tap ? 2 : 0;
}

/* Tall images go by columns: lines are as long as can be. */
O2C_U8_INLINE o2c_dw_u8_p o2c_dwq_turned(const o2c_dw_u8_p *p)
{
  o2c_dw_u8_p t = *p;
  t.oh = p->ow;
  t.ow = p->oh;
  t.x_row = p->x_pix;
  t.x_pix = p->x_row;
  t.tap_row = p->tap_pix;
  t.tap_pix = p->tap_row;
  t.y_row = p->y_pix;
  t.y_pix = p->y_row;
  return t;
}
#endif

#if defined(O2C_U8_ISA_MVE)
#include "dw_u8_mve.h"
#else

#if defined(O2C_U8_ISA_DSP)
/* What o2c_dwq_taps reads by offset. */
typedef struct {
  int32_t c, next, right, down, kw, kh; /* steps in bytes */
} o2c_dwq_steps;

#define O2C_DWQ_X(s0, s1, s2, s3) /* r0: four bytes of x; lr, r12: weights */ \
  "uxtb16 r3, r0\n\tuxtb16 r0, r0, ror #8\n\t"                                \
  "smlabb " s0 ", r3, lr, " s0 "\n\tsmlatt " s2 ", r3, lr, " s2 "\n\t"        \
  "smlabb " s1 ", r0, r12, " s1 "\n\tsmlatt " s3 ", r0, r12, " s3 "\n\t"

/* s[8] += four channels of two outputs, `next` apart, over a kh x kw window.
 * Bytes 0, 2 and 1, 3 of x and w widen in one instruction; SMLABB and SMLATT
 * multiply channel by channel. Frame: s, then a copy of the steps. */
O2C_NAKED static void
o2c_dwq_taps(O2C_BY_ASM int32_t *s, O2C_BY_ASM const uint8_t *x,
             O2C_BY_ASM const int8_t *w, O2C_BY_ASM const o2c_dwq_steps *p)
{
  __asm__ volatile(
      "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"
      "ldm r3, {r4, r5, r6, r7, r8, r9}\n\t"
      "push {r0, r4, r5, r6, r7, r8, r9}\n\t"
      "sub sp, sp, #4\n\t"
      "ldm r0, {r4, r5, r6, r7, r8, r9, r10, r11}\n"
      "1:\tldr r0, [sp, #24]\n\t"
      "str r0, [sp]\n" /* columns left */
      "2:\tldr r0, [sp, #8]\n\t"
      "ldr r12, [r2]\n\t"
      "add r2, r2, r0\n\t"
      "ldr r0, [r1]\n\t"
      "sxtb16 lr, r12\n\tsxtb16 r12, r12, ror #8\n\t" O2C_DWQ_X(
          "r4", "r5", "r6",
          "r7") "ldr r0, [sp, #12]\n\t"
                "ldr r0, [r1, r0]\n\t" O2C_DWQ_X(
                    "r8", "r9", "r10",
                    "r11") "ldr r3, [sp, #16]\n\t"
                           "ldr r0, [sp]\n\t"
                           "add r1, r1, r3\n\t"
                           "subs r0, r0, #1\n\t"
                           "str r0, [sp]\n\t"
                           "bne 2b\n\t"
                           "ldr r3, [sp, #20]\n\t"
                           "ldr r0, [sp, #28]\n\t"
                           "add r1, r1, r3\n\t"
                           "subs r0, r0, #1\n\t"
                           "str r0, [sp, #28]\n\t"
                           "bne 1b\n\t"
                           "ldr r0, [sp, #4]\n\t"
                           "stm r0, {r4, r5, r6, r7, r8, r9, r10, r11}\n\t"
                           "add sp, sp, #32\n\t"
                           "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}");
}

O2C_U8_INLINE void o2c_dwq_put(const int32_t *s, const float *scale, o2c_rq q,
                               uint8_t *y)
{
  uint32_t v = o2c_requant_two(s, scale, q) & 0xFFFFu;
  v |= o2c_requant_two(s + 2, scale + 2, q) << 16;
  memcpy(y, &v, 4);
}

/* All multiples of four channels of one output, or of two side by side. */
O2C_U8_INLINE void o2c_dwq_fours(const uint8_t *x, const int8_t *w,
                                 const int32_t *bias, const float *scale,
                                 uint8_t *y, const o2c_dw_u8_p *p, int two)
{
  const o2c_rq q = o2c_rq_make(p->y_zp, p->lo, p->hi);
  const ptrdiff_t y_pix = (ptrdiff_t)p->y_pix;
  o2c_dwq_steps g;
  int32_t c, s[8];
  g.c = p->c;
  g.next = two ? (int32_t)p->x_pix : 0;
  g.right = (int32_t)p->tap_pix;
  g.down = (int32_t)p->tap_row - p->kw * g.right;
  g.kw = p->kw;
  g.kh = p->kh;
  for (c = 0; c + 4 <= p->c; c += 4) {
    memcpy(s, bias + c, 16);
    memcpy(s + 4, bias + c, 16);
    o2c_dwq_taps(s, x + c, w + c, &g);
    o2c_dwq_put(s, scale + c, q, y + c);
    if (two)
      o2c_dwq_put(s + 4, scale + c, q, y + y_pix + c);
  }
}

#if defined(O2C_U8_DSP_FP)
/* A channel: taps 0 and 1, then 1 and 2, of the three rows of its window. */
typedef struct {
  uint32_t w[6];
  int32_t bias;
  float scale;
} o2c_dwq_channel;

/* What o2c_dwq_line1 and 2 read by offset. */
typedef struct {
  const int16_t *line[3];
  const int16_t *end; /* of line[0]; for o2c_dwq_line1 after pairs of outputs */
  int32_t odd;        /* bytes from there to the end after one more output */
  int32_t zp, y_pix;
} o2c_dwq_lines;

/* Sums of one pixel r3, or of two r3 and r12, one row of the window. */
#define O2C_DWQ_ROW1(x, a, b)                 \
  "ldrd r10, r11, [" x "], #4\n\t"            \
  "smlad r3, r10, " a ", r3\n\t"              \
  "smlabt r3, r11, " b ", r3\n\t"
#define O2C_DWQ_ROW2(x, a, b)                 \
  O2C_DWQ_ROW1(x, a, b)                       \
  "smlatb r12, r10, " a ", r12\n\t"           \
  "smlad r12, r11, " b ", r12\n\t"
/* Weights r4-r9, lines r0-r2, y lr; s0, s1 bias, s2 scale, s4 the end, s5 odd,
 * s6 zero point, s7 y_pix. */
#define O2C_DWQ_ENTER                                       \
  "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"         \
  "mov lr, r0\n\t"                                          \
  "vldr s0, [r2, #24]\n\t"                                  \
  "vldr s1, [r2, #24]\n\t"                                  \
  "vldr s2, [r2, #28]\n\t"                                  \
  "ldm r2, {r4, r5, r6, r7, r8, r9}\n\t"                    \
  "add r3, r1, #12\n\t"                                     \
  "vldm r3, {s4, s5, s6, s7}\n\t"                           \
  "ldm r1, {r0, r1, r2}\n\t"

/* One line of outputs of one channel at steps of 1: 35 instructions for two
 * outputs. An odd one at the end is the first of a pair whose second is
 * stored, before it, to the same place. */
O2C_NAKED static void
o2c_dwq_line1(O2C_BY_ASM uint8_t *y, O2C_BY_ASM const o2c_dwq_lines *g,
              O2C_BY_ASM const o2c_dwq_channel *c)
{
  __asm__ volatile(O2C_DWQ_ENTER
                   "b 2f\n"
                   "1:\tvmov r3, r12, s0, s1\n\t"
                   O2C_DWQ_ROW2("r0", "r4", "r5")
                   O2C_DWQ_ROW2("r1", "r6", "r7")
                   O2C_DWQ_ROW2("r2", "r8", "r9")
                   "vmov s8, s9, r3, r12\n\t"
                   "vcvt.f32.s32 s8, s8\n\tvcvt.f32.s32 s9, s9\n\t"
                   "vmul.f32 s8, s8, s2\n\tvmul.f32 s9, s9, s2\n\t"
                   "vcvtr.s32.f32 s8, s8\n\tvcvtr.s32.f32 s9, s9\n\t"
                   "vmov r3, r12, s8, s9\n\t"
                   "vmov r10, r11, s6, s7\n\t"
                   "qadd r3, r3, r10\n\tqadd r12, r12, r10\n\t"
                   "usat r3, #8, r3\n\tusat r12, #8, r12\n\t"
                   "strb r12, [lr, r11]\n\t"
                   "strb r3, [lr]\n\t"
                   "add lr, lr, r11, lsl #1\n"
                   "2:\tvmov r10, r3, s4, s5\n\t"
                   "cmp r0, r10\n\t"
                   "bne 1b\n\t"
                   "cbz r3, 3f\n\t"
                   "add r10, r10, r3\n\t"
                   "movs r3, #0\n\t"
                   "vmov s4, s5, r10, r3\n\t"
                   "vmov s7, r3\n\t"
                   "b 1b\n"
                   "3:\tpop {r4, r5, r6, r7, r8, r9, r10, r11, pc}");
}

/* The same at steps of 2. */
O2C_NAKED static void
o2c_dwq_line2(O2C_BY_ASM uint8_t *y, O2C_BY_ASM const o2c_dwq_lines *g,
              O2C_BY_ASM const o2c_dwq_channel *c)
{
  __asm__ volatile(O2C_DWQ_ENTER
                   "1:\tvmov r3, s0\n\t"
                   O2C_DWQ_ROW1("r0", "r4", "r5")
                   O2C_DWQ_ROW1("r1", "r6", "r7")
                   O2C_DWQ_ROW1("r2", "r8", "r9")
                   "vmov s8, r3\n\t"
                   "vcvt.f32.s32 s8, s8\n\t"
                   "vmul.f32 s8, s8, s2\n\t"
                   "vcvtr.s32.f32 s8, s8\n\t"
                   "vmov r3, s8\n\t"
                   "vmov r10, r11, s6, s7\n\t"
                   "qadd r3, r3, r10\n\t"
                   "usat r3, #8, r3\n\t"
                   "strb r3, [lr]\n\t"
                   "add lr, lr, r11\n\t"
                   "vmov r10, s4\n\t"
                   "cmp r0, r10\n\t"
                   "bne 1b\n\t"
                   "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}");
}

/* Four channels of n pixels, `next` bytes apart, to four lines of 16-bit
 * values, `plane` elements apart. */
O2C_U8_INLINE void o2c_dwq_widen(const uint8_t *x, ptrdiff_t next, int32_t n,
                                 int16_t *to, int32_t plane)
{
  uint32_t *y0 = (uint32_t *)(void *)to;
  uint32_t *y1 = (uint32_t *)(void *)(to + plane);
  uint32_t *y2 = (uint32_t *)(void *)(to + 2 * plane);
  uint32_t *y3 = (uint32_t *)(void *)(to + 3 * plane);
  for (; n > 0; n -= 2, x += 2 * next) {
    const uint32_t a = o2c_ld32(x), b = o2c_ld32(n > 1 ? x + next : x);
    const uint32_t e = o2c_uxtb16(a), o = o2c_uxtb16_8(a);
    const uint32_t f = o2c_uxtb16(b), q = o2c_uxtb16_8(b);
    *y0++ = (e & 0xFFFFu) | f << 16;
    *y1++ = (o & 0xFFFFu) | q << 16;
    *y2++ = e >> 16 | (f & 0xFFFF0000u);
    *y3++ = o >> 16 | (q & 0xFFFF0000u);
  }
}

/* Taps of four channels, whose rows of three lie `down` apart in w. */
O2C_U8_INLINE void o2c_dwq_channels(o2c_dwq_channel *ch, const int8_t *w,
                                    ptrdiff_t right, ptrdiff_t down)
{
  int32_t k, r;
  for (k = 0; k < 4; ++k)
    for (r = 0; r < 3; ++r) {
      const int8_t *v = w + k + r * down;
      const uint32_t m = (uint16_t)v[right];
      ch[k].w[2 * r] = (uint16_t)v[0] | m << 16;
      ch[k].w[2 * r + 1] = m | (uint32_t)v[2 * right] << 16;
    }
}

/* What the bytes of a line still need, if the bounds are not 0 and 255. */
O2C_U8_INLINE void o2c_dwq_clamp(uint8_t *y, const o2c_dw_u8_p *p)
{
  int32_t j, k;
  for (j = 0; j < p->ow; ++j, y += (ptrdiff_t)p->y_pix)
    for (k = 0; k < 4; ++k) {
      const int32_t v = y[k] > p->lo ? y[k] : p->lo;
      y[k] = (uint8_t)(v < p->hi ? v : p->hi);
    }
}

/* Four channels, 3 x 3 at steps of `step` along a line, `down` across. */
O2C_U8_NOINLINE void o2c_dwq_planes(const uint8_t *x, const o2c_dwq_channel *ch,
                                    uint8_t *y, const o2c_dw_u8_p *p,
                                    int32_t step, int32_t down)
{
  const int32_t n = (p->ow - 1) * step + 3, line = (n + 2) & ~1;
  const int32_t plane = 3 * line;
  const ptrdiff_t row = (ptrdiff_t)p->tap_row, next = (ptrdiff_t)p->tap_pix;
  int32_t i, k, have = 0;
  o2c_dwq_lines g;
  g.odd = step == 1 ? p->ow % 2 * 4 : 0;
  g.zp = p->y_zp;
  g.y_pix = (int32_t)p->y_pix;
  for (i = 0; i < p->oh; ++i, y += (ptrdiff_t)p->y_row) {
    for (; have < i * down + 3; ++have, x += row)
      o2c_dwq_widen(x, next, n, p->scratch + have % 3 * line, plane);
    for (k = 0; k < 3; ++k)
      g.line[k] = p->scratch + (i * down + k) % 3 * line;
    for (k = 0; k < 4; ++k) {
      g.end = g.line[0] + (step == 1 ? p->ow / 2 : p->ow) * 2;
      (step == 1 ? o2c_dwq_line1 : o2c_dwq_line2)(y + k, &g, ch + k);
      g.line[0] += plane;
      g.line[1] += plane;
      g.line[2] += plane;
    }
    if (p->lo > 0 || p->hi < 255)
      o2c_dwq_clamp(y, p);
  }
}

/* All multiples of four channels this way; false if the shape is another. */
O2C_U8_INLINE int o2c_dwq_by_lines(const uint8_t *x, const int8_t *w,
                                   const int32_t *bias, const float *scale,
                                   uint8_t *y, const o2c_dw_u8_p *p)
{
  const int turn = p->oh > p->ow;
  const o2c_dw_u8_p t = turn ? o2c_dwq_turned(p) : *p;
  const int32_t step = o2c_dwq_step(t.x_pix, t.tap_pix);
  const int32_t down = o2c_dwq_step(t.x_row, t.tap_row);
  o2c_dwq_channel ch[4];
  int32_t c, k;
  if (!p->scratch || p->kh != 3 || p->kw != 3 || !step || !down)
    return 0;
  for (c = 0; c + 4 <= p->c; c += 4) {
    o2c_dwq_channels(ch, w + c, turn ? 3 * p->c : p->c,
                     turn ? p->c : 3 * p->c);
    for (k = 0; k < 4; ++k) {
      ch[k].bias = bias[c + k];
      ch[k].scale = scale[c + k];
    }
    o2c_dwq_planes(x + c, ch, y + c, &t, step, down);
  }
  return 1;
}
#endif
#endif

/* Channels from `c` on of one output, or of two side by side. */
O2C_U8_INLINE void o2c_dwq_pixels(const uint8_t *x, const int8_t *w,
                                  const int32_t *bias, const float *scale,
                                  uint8_t *y, const o2c_dw_u8_p *p, int two,
                                  int32_t c)
{
#if defined(O2C_U8_ISA_DSP)
  if (c == 0) {
    o2c_dwq_fours(x, w, bias, scale, y, p, two);
    c = p->c / 4 * 4;
  }
#endif
  for (; c < p->c; ++c) {
    y[c] = o2c_dwq_one(x + c, w + c, bias[c], scale[c], p);
    if (two)
      y[p->y_pix + c] =
          o2c_dwq_one(x + p->x_pix + c, w + c, bias[c], scale[c], p);
  }
}

O2C_U8_NOINLINE void o2c_dw_u8(const uint8_t *x, const int8_t *w,
                               const int32_t *bias, const float *scale,
                               uint8_t *y, const o2c_dw_u8_p *p)
{
  int32_t i, k, c = 0;
#if defined(O2C_U8_DSP_FP)
  if (o2c_dwq_by_lines(x, w, bias, scale, y, p))
    c = p->c / 4 * 4;
#endif
  for (i = 0; i < p->oh && c < p->c; ++i)
    for (k = 0; k < p->ow; k += 2)
      o2c_dwq_pixels(x + i * p->x_row + k * p->x_pix, w, bias, scale,
                     y + i * p->y_row + k * p->y_pix, p, k + 1 < p->ow, c);
}

#endif
#endif /* O2C_DW_U8_MCU_H */
