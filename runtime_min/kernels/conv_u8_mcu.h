/* SPDX-License-Identifier: 0BSD */
/* The half of conv_u8.h for small machines: blocks of 2 pixels by 2 outputs in
 * plain registers; for Cortex-M4, M7 and M33 (SMLAD), and for M55 and M85
 * (conv_u8_mve.h), of 3 by 2 where the caller gives scratch. */
#ifndef O2C_CONV_U8_MCU_H
#define O2C_CONV_U8_MCU_H

#include "u8.h"

#if O2C_U8_LANES <= 4

#if defined(O2C_U8_DSP)

/* c: outputs o, o + 1 of the pixel at x0, then (if two) of that at x1. Bytes
 * 0, 2 and 1, 3 widen in one instruction each, on both sides alike. */
O2C_U8_INLINE void o2c_u8_quad(int32_t *c, const uint8_t *x0, const uint8_t *x1,
                               const int8_t *w, const int two)
{
  const int8_t *v = (const int8_t *)__builtin_assume_aligned(w, 4);
  const uint32_t u = o2c_ld32(v), t = o2c_ld32(v + 4);
  const uint32_t u0 = o2c_sxtb16(u), u1 = o2c_sxtb16_8(u);
  const uint32_t t0 = o2c_sxtb16(t), t1 = o2c_sxtb16_8(t);
  uint32_t x = o2c_ld32(x0), e = o2c_uxtb16(x), o = o2c_uxtb16_8(x);
  c[0] = o2c_smlad(o, u1, o2c_smlad(e, u0, c[0]));
  c[1] = o2c_smlad(o, t1, o2c_smlad(e, t0, c[1]));
  if (!two)
    return;
  x = o2c_ld32(x1);
  e = o2c_uxtb16(x);
  o = o2c_uxtb16_8(x);
  c[2] = o2c_smlad(o, u1, o2c_smlad(e, u0, c[2]));
  c[3] = o2c_smlad(o, t1, o2c_smlad(e, t0, c[3]));
}

#else

/* A sum of 4 fits 32 bits whatever the operands; the running sum may wrap. */
O2C_U8_INLINE int32_t o2c_u8_dot4(int32_t c, const uint8_t *x, const int8_t *w)
{
  return o2c_wrap_add(c, x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3]);
}

O2C_U8_INLINE void o2c_u8_quad(int32_t *c, const uint8_t *x0, const uint8_t *x1,
                               const int8_t *w, const int two)
{
  c[0] = o2c_u8_dot4(c[0], x0, w);
  c[1] = o2c_u8_dot4(c[1], x0, w + 4);
  if (!two)
    return;
  c[2] = o2c_u8_dot4(c[2], x1, w);
  c[3] = o2c_u8_dot4(c[3], x1, w + 4);
}

#endif

/* Adds to c outputs o, o + 1 (w: in their panel) of the pixels x0 and x1. */
O2C_U8_INLINE void o2c_u8_tile22(int32_t *c, const uint8_t *x0,
                                 const uint8_t *x1, const int8_t *w,
                                 const o2c_u8_job *j, const int two)
{
  int32_t t, g, k;
  for (t = 0; t < j->p->ntap; ++t) {
    const uint8_t *a = x0 + j->p->tap[t], *b = x1 + j->p->tap[t];
    if (j->p->kc < 4) {
      for (k = 0; k < j->p->kc; ++k) {
        c[0] = o2c_wrap_add(c[0], a[k] * w[k]);
        c[1] = o2c_wrap_add(c[1], a[k] * w[k + 4]);
        c[2] = o2c_wrap_add(c[2], b[k] * w[k]);
        c[3] = o2c_wrap_add(c[3], b[k] * w[k + 4]);
      }
      w += 64;
      continue;
    }
    for (g = j->ng - 1; g > 0; --g, a += 4, b += 4, w += 64)
      o2c_u8_quad(c, a, b, w, two);
    o2c_u8_quad(c, a + j->last - 4, b + j->last - 4, w, two);
    w += 64;
  }
}

/* Outputs o and (if there is one) o + 1 of one pixel. */
O2C_U8_INLINE void o2c_u8_put(const o2c_u8_job *j, const int32_t *acc,
                              int32_t o, void *y, const int kind)
{
  const int two = o + 1 < j->n;
  if (kind == O2C_U8_TO_U8) {
    uint8_t *to = (uint8_t *)y + o;
    const uint32_t v = o2c_requant_two(acc, j->scale + o, j->q);
    to[0] = (uint8_t)v;
    if (two)
      to[1] = (uint8_t)(v >> 8);
  } else if (kind == O2C_U8_TO_I32) {
    memcpy((int32_t *)y + o, acc, two ? 8 : 4);
  } else {
    int32_t k;
    for (k = o; k <= o + two; ++k) {
      const float v = (float)acc[k - o] * j->scale[k];
      ((float *)y)[k] = j->fbias ? v + j->fbias[k] : v;
    }
  }
}

/* One pixel, or two. */
O2C_U8_INLINE void o2c_u8_pixels(const o2c_u8_job *j, const uint8_t *x,
                                 const int8_t *w, void *y, const int two,
                                 const int kind)
{
  const uint8_t *x1 = two ? x + j->p->x_pix : x;
  int32_t o;
  for (o = 0; o < j->n; o += 2) {
    int32_t c[4];
    c[0] = c[2] = j->bias[o];
    c[1] = c[3] = j->bias[o + 1];
    o2c_u8_tile22(c, x, x1, w, j, two);
    o2c_u8_put(j, c, o, y, kind);
    if (two)
      o2c_u8_put(j, c + 2, o, o2c_u8_at(y, j->p->y_pix, kind), kind);
    w += o % 16 == 14 ? j->panel - 56 : 8;
  }
}

#if defined(O2C_U8_ISA_DSP)

/* One group of 4 k: weights r12, r0 and lr, r3; pixel after pixel r10, r11. */
#define O2C_U8_PIXEL(a, b)                                          \
  "ldrd r10, r11, [r1], #8\n\t"                                     \
  "smlad " a ", r10, r12, " a "\n\tsmlad " b ", r10, lr, " b "\n\t" \
  "smlad " a ", r11, r0, " a "\n\tsmlad " b ", r11, r3, " b "\n\t"
#define O2C_U8_GROUP                                                    \
  "ldrd r0, r3, [r2], #64\n\t"                                          \
  "sxtb16 r12, r0\n\tsxtb16 r0, r0, ror #8\n\t"                         \
  "sxtb16 lr, r3\n\tsxtb16 r3, r3, ror #8\n\t" O2C_U8_PIXEL("r4", "r5") \
      O2C_U8_PIXEL("r6", "r7") O2C_U8_PIXEL("r8", "r9")

/* Goes where the r3 modulo 4 groups left over from fours begin. */
#define O2C_U8_ENTER    \
  "ands r3, r3, #3\n\t" \
  "beq 1f\n\t"          \
  "cmp r3, #2\n\t"      \
  "beq 3f\n\t"          \
  "bhi 2f\n\t"          \
  "b 4f\n"
#define O2C_U8_FOUR(group) \
  "1:\t" group "\n2:\t" group "\n3:\t" group "\n4:\t" group

/* c[6] += three widened pixels x by two outputs, over n groups. It takes all
 * 14 registers, hence a function of its own: 80 instructions for 96 products
 * and 3 for the loop, which ends at an address of x kept on the stack. */
O2C_NAKED static void
o2c_u8_tile32(O2C_BY_ASM int32_t *c, O2C_BY_ASM const int16_t *x,
              O2C_BY_ASM const int8_t *w, O2C_BY_ASM int32_t n)
{
  __asm__ volatile("push {r0, r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"
                   "ldm r0, {r4, r5, r6, r7, r8, r9}\n\t"
                   "add r0, r3, r3, lsl #1\n\t"
                   "add r0, r1, r0, lsl #3\n\t"
                   "str r0, [sp, #4]\n\t"
                   O2C_U8_ENTER O2C_U8_FOUR(O2C_U8_GROUP)
                   "ldr r0, [sp, #4]\n\t"
                   "cmp r1, r0\n\t"
                   "bne 1b\n\t"
                   "pop {r0, r3}\n\t"
                   "stm r0, {r4, r5, r6, r7, r8, r9}\n\t"
                   "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}");
}

/* One group of one pixel r10, r11: by the weights in w. */
#define O2C_U8_OUTPUT(c, w)                              \
  "sxtb16 r8, " w "\n\tsmlad " c ", r10, r8, " c "\n\t"  \
  "sxtb16 " w ", " w ", ror #8\n\t"                      \
  "smlad " c ", r11, " w ", " c "\n\t"
#define O2C_U8_GROUP_OF_ONE                           \
  "ldrd r10, r11, [r1], #8\n\t"                       \
  "ldrd r12, lr, [r2, #8]\n\t"                        \
  "ldrd r0, r3, [r2], #64\n\t"                        \
  O2C_U8_OUTPUT("r4", "r0") O2C_U8_OUTPUT("r5", "r3") \
      O2C_U8_OUTPUT("r6", "r12") O2C_U8_OUTPUT("r7", "lr")

/* c[4] += one widened pixel x by four outputs, over n groups: 76 instructions
 * for 64 products and 2 for the loop. */
O2C_NAKED static void
o2c_u8_tile14(O2C_BY_ASM int32_t *c, O2C_BY_ASM const int16_t *x,
              O2C_BY_ASM const int8_t *w, O2C_BY_ASM int32_t n)
{
  __asm__ volatile("push {r0, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"
                   "ldm r0, {r4, r5, r6, r7}\n\t"
                   "add r9, r1, r3, lsl #3\n\t"
                   O2C_U8_ENTER O2C_U8_FOUR(O2C_U8_GROUP_OF_ONE)
                   "cmp r1, r9\n\t"
                   "bne 1b\n\t"
                   "pop {r0}\n\t"
                   "stm r0, {r4, r5, r6, r7}\n\t"
                   "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}");
}

#if defined(O2C_U8_DSP_FP)
/* What o2c_u8_pairs reads, and moves on, by offset. */
typedef struct {
  const int16_t *x;
  const int8_t *w;
  const int16_t *end; /* of x */
  const int32_t *bias;
  const float *scale;
  uint8_t *y[3];
  int32_t n, pairs; /* groups; pairs of outputs, all of one panel */
  int32_t back;     /* from the end of a pair's weights to the next pair's */
  int32_t zp;
} o2c_u8_line;

#define O2C_U8_SIX(op, scale)                                               \
  op " s0, s0" scale("s12") op " s1, s1" scale("s13") op " s2, s2" scale(    \
      "s12") op " s3, s3" scale("s13") op " s4, s4" scale("s12") op " s5, s5" \
      scale("s13")
#define O2C_U8_BY(s) ", " s "\n\t"
#define O2C_U8_ALONE(s) "\n\t"
#define O2C_U8_BYTES(a, b, y)                            \
  "qadd " a ", " a ", r11\n\tqadd " b ", " b ", r11\n\t" \
  "usat " a ", #8, " a "\n\tusat " b ", #8, " b "\n\t"   \
  "strb " a ", [" y "], #1\n\tstrb " b ", [" y "], #1\n\t"

/* Pairs of outputs of three pixels to bytes that the clamp to lo .. hi may
 * follow: 70 instructions a pair besides its groups, where a call for each
 * would take 120. Frame: where the loop is entered, the end of x, the line. */
O2C_NAKED static void o2c_u8_pairs(O2C_BY_ASM o2c_u8_line *g)
{
  __asm__ volatile(
      "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"
      "ldr r2, [r0, #8]\n\t"
      "mov r3, r0\n\t"
      "ldr r0, [r0, #32]\n\t"
      "adr.w r1, 1f\n\t"
      "ands r0, r0, #3\n\t"
      "beq 6f\n\t"
      "adr.w r1, 4f\n\t"
      "cmp r0, #2\n\t"
      "blo 6f\n\t"
      "adr.w r1, 3f\n\t"
      "beq 6f\n\t"
      "adr.w r1, 2f\n"
      "6:\tadds r1, r1, #1\n\t" /* Thumb */
      "push {r1, r2, r3}\n"
      "5:\tldr r0, [sp, #8]\n\t"
      "ldm r0, {r1, r2}\n\t"
      "ldr r3, [r0, #12]\n\t"
      "ldrd r4, r5, [r3], #8\n\t"
      "str r3, [r0, #12]\n\t"
      "mov r6, r4\n\tmov r7, r5\n\tmov r8, r4\n\tmov r9, r5\n\t"
      "ldr pc, [sp]\n"
      O2C_U8_FOUR(O2C_U8_GROUP)
      "ldr r0, [sp, #4]\n\t"
      "cmp r1, r0\n\t"
      "bne 1b\n\t"
      "ldr r0, [sp, #8]\n\t"
      "ldr r1, [r0, #40]\n\t"
      "ldr r3, [r0, #16]\n\t"
      "add r2, r2, r1\n\t"
      "str r2, [r0, #4]\n\t"
      "vldmia r3!, {s12, s13}\n\t"
      "str r3, [r0, #16]\n\t"
      "vmov s0, s1, r4, r5\n\tvmov s2, s3, r6, r7\n\t"
      "vmov s4, s5, r8, r9\n\t"
      O2C_U8_SIX("vcvt.f32.s32", O2C_U8_ALONE)
      O2C_U8_SIX("vmul.f32", O2C_U8_BY)
      O2C_U8_SIX("vcvtr.s32.f32", O2C_U8_ALONE)
      "vmov r4, r5, s0, s1\n\tvmov r6, r7, s2, s3\n\t"
      "vmov r8, r9, s4, s5\n\t"
      "ldr r11, [r0, #44]\n\t"
      "add r3, r0, #20\n\t"
      "ldm r3, {r1, r2, r12}\n\t"
      O2C_U8_BYTES("r4", "r5", "r1")
      O2C_U8_BYTES("r6", "r7", "r2")
      O2C_U8_BYTES("r8", "r9", "r12")
      "stm r3, {r1, r2, r12}\n\t"
      "ldr r3, [r0, #36]\n\t"
      "subs r3, r3, #1\n\t"
      "str r3, [r0, #36]\n\t"
      "bne 5b\n\t"
      "add sp, sp, #12\n\t"
      "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}");
}
#endif

/* All taps of np pixels, 3 or 1, as 16-bit values: of each group of 4 and each
 * pixel, first 0 and 2, then 1 and 3. */
O2C_U8_INLINE void o2c_u8_widen(const o2c_u8_job *j, const uint8_t *const *x,
                                uint32_t *to, const int np)
{
  int32_t t, g, i;
  for (t = 0; t < j->p->ntap; ++t) {
    const uint8_t *a = x[0] + j->p->tap[t];
    const ptrdiff_t b = x[np > 1] - x[0], c = x[np > 1 ? 2 : 0] - x[0];
    for (g = j->ng; g > 0; --g) {
      if (j->p->kc < 4) {
        for (i = 0; i < np; ++i, to += 2) {
          const uint32_t v = o2c_u8_group(a + (x[i] - x[0]), j->p->kc);
          to[0] = o2c_uxtb16(v);
          to[1] = o2c_uxtb16_8(v);
        }
        continue;
      }
      if (g == 1)
        a += j->last - 4;
      {
        const uint32_t u = o2c_ld32(a);
        to[0] = o2c_uxtb16(u);
        to[1] = o2c_uxtb16_8(u);
      }
      if (np > 1) {
        const uint32_t v = o2c_ld32(a + b), z = o2c_ld32(a + c);
        to[2] = o2c_uxtb16(v);
        to[3] = o2c_uxtb16_8(v);
        to[4] = o2c_uxtb16(z);
        to[5] = o2c_uxtb16_8(z);
      }
      a += 4;
      to += 2 * np;
    }
  }
}

#if defined(O2C_U8_DSP_FP)
/* Whole pairs of outputs of three pixels to bytes; how many outputs. */
O2C_U8_INLINE int32_t o2c_u8_whole_pairs(const o2c_u8_job *j, const int8_t *w,
                                         void *const *y)
{
  o2c_u8_line g;
  int32_t o, i;
  g.x = j->p->scratch;
  g.n = j->p->ntap * j->ng;
  g.end = g.x + 12 * g.n;
  g.back = 8 - (int32_t)j->panel;
  g.zp = j->q.zp;
  for (i = 0; i < 3; ++i)
    g.y[i] = (uint8_t *)y[i];
  for (o = 0; o + 1 < j->n; o += 16, w += j->panel) {
    g.pairs = j->n - o < 16 ? (j->n - o) / 2 : 8;
    g.w = w;
    g.bias = j->bias + o;
    g.scale = j->scale + o;
    o2c_u8_pairs(&g);
  }
  if (j->q.lo4 | j->q.over4)
    for (i = 0; i < 3; ++i)
      for (o = 0; o + 1 < j->n; o += 2) {
        uint32_t v = 0;
        memcpy(&v, (uint8_t *)y[i] + o, 2);
        v = o2c_clamp_bytes(v, j->q);
        memcpy((uint8_t *)y[i] + o, &v, 2);
      }
  return j->n / 2 * 2;
}
#endif

/* All outputs of three pixels, widened in the scratch. */
O2C_U8_INLINE void o2c_u8_three(const o2c_u8_job *j, const int8_t *w,
                                void *const *y, const int kind)
{
  const int32_t n = j->p->ntap * j->ng;
  int32_t o = 0;
#if defined(O2C_U8_DSP_FP)
  if (kind == O2C_U8_TO_U8)
    o = o2c_u8_whole_pairs(j, w, y);
#endif
  w += o / 16 * (int32_t)j->panel + o % 16 * 4;
  for (; o < j->n; o += 2) {
    int32_t c[6];
    c[0] = c[2] = c[4] = j->bias[o];
    c[1] = c[3] = c[5] = j->bias[o + 1];
    o2c_u8_tile32(c, j->p->scratch, w, n);
    o2c_u8_put(j, c, o, y[0], kind);
    o2c_u8_put(j, c + 2, o, y[1], kind);
    o2c_u8_put(j, c + 4, o, y[2], kind);
    w += o % 16 == 14 ? j->panel - 56 : 8;
  }
}

/* All outputs of one pixel, widened in the scratch. */
O2C_U8_INLINE void o2c_u8_one(const o2c_u8_job *j, const int8_t *w, void *y,
                              const int kind)
{
  const int32_t n = j->p->ntap * j->ng;
  int32_t o;
  for (o = 0; o < j->n; o += 4) {
    int32_t c[4];
    memcpy(c, j->bias + o, sizeof c);
    o2c_u8_tile14(c, j->p->scratch, w, n);
    o2c_u8_put(j, c, o, y, kind);
    if (o + 2 < j->n)
      o2c_u8_put(j, c + 2, o + 2, y, kind);
    w += o % 16 == 12 ? j->panel - 48 : 16;
  }
}

/* All outputs of np pixels, 3 or 1. */
O2C_U8_INLINE void o2c_u8_some(const o2c_u8_job *j, const uint8_t *const *x,
                               const int8_t *w, void *const *y, const int np,
                               const int kind)
{
  o2c_u8_widen(j, x, (uint32_t *)(void *)j->p->scratch, np);
  if (np == 3)
    o2c_u8_three(j, w, y, kind);
  else
    o2c_u8_one(j, w, y[0], kind);
}

#elif defined(O2C_U8_ISA_MVE)
#include "conv_u8_mve.h"
#endif

#if defined(O2C_U8_DSP)
/* With scratch: pixels in threes, on over the ends of rows. */
O2C_U8_INLINE void o2c_u8_threes(const o2c_u8_job *j, const uint8_t *x,
                                 const int8_t *w, void *y, const int kind)
{
  const o2c_conv_u8_p *p = j->p;
  const uint8_t *a[3];
  void *b[3];
  int32_t i, k, n = 0;
  for (i = 0; i < p->oh; ++i) {
    const uint8_t *from = x + (ptrdiff_t)i * (ptrdiff_t)p->x_row;
    void *to = o2c_u8_at(y, (ptrdiff_t)i * (ptrdiff_t)p->y_row, kind);
    for (k = p->ow; k > 0; --k) {
      a[n] = from;
      b[n] = to;
      from += (ptrdiff_t)p->x_pix;
      to = o2c_u8_at(to, (ptrdiff_t)p->y_pix, kind);
      if (++n < 3)
        continue;
      n = 0;
      o2c_u8_some(j, a, w, b, 3, kind);
    }
  }
  for (i = 0; i < n; ++i)
    o2c_u8_some(j, a + i, w, b + i, 1, kind);
}
#endif

O2C_U8_INLINE void o2c_u8_conv(const uint8_t *x, const int8_t *w,
                               const int32_t *bias, const float *scale, void *y,
                               const o2c_conv_u8_p *p, const int kind)
{
  const o2c_u8_job j = o2c_u8_job_make(p, 0, bias, scale);
  int32_t i, k;
#if defined(O2C_U8_DSP)
  if (p->scratch) {
    o2c_u8_threes(&j, x, w, y, kind);
    return;
  }
#endif
  for (i = 0; i < p->oh; ++i) {
    const uint8_t *a = x + i * p->x_row;
    void *to = o2c_u8_at(y, i * p->y_row, kind);
    for (k = 0; k + 2 <= p->ow; k += 2, a += 2 * p->x_pix) {
      o2c_u8_pixels(&j, a, w, to, 1, kind);
      to = o2c_u8_at(to, 2 * p->y_pix, kind);
    }
    if (k < p->ow)
      o2c_u8_pixels(&j, a, w, to, 0, kind);
  }
}

#endif /* O2C_U8_LANES */
#endif /* O2C_CONV_U8_MCU_H */
