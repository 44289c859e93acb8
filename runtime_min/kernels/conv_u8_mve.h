/* SPDX-License-Identifier: 0BSD */
/* The part of conv_u8.h for MVE (Cortex-M55, M85): VMLADAVA adds 16 products of
 * one output and one pixel to a register. One output's weights lie a word in
 * every 64 bytes of its panel, so a vector of them is gathered, once for three
 * pixels. VMLADAVA has no mixed signs: weights w are taken as bytes w + 128,
 * and 128 times the sum of a pixel's bytes, found once for all outputs, is
 * taken off. Loops end by predication (LETP), whatever the number of groups. */
#ifndef O2C_CONV_U8_MVE_H
#define O2C_CONV_U8_MVE_H

#include "u8.h"

/* What the tiles read by offset. */
typedef struct {
  const uint8_t *x[3];
  const int8_t *w; /* of a panel */
  int32_t *sum;    /* [16] of each pixel */
  int32_t n;       /* groups */
  int32_t count;   /* tiles: pairs of outputs, or fours */
} o2c_u8_mve;

/* Offsets of four words in r7 + q6, weights' flip in q5. */
#define O2C_U8_MVE_ENTER                                     \
  "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"          \
  "vpush {d8, d9, d10, d11, d12, d13, d14, d15}\n\t"         \
  "mov r12, r0\n\tmovs r2, #0\n\t"                          \
  "vidup.u32 q6, r2, #8\n\tvshl.i32 q6, q6, #3\n\t"         \
  "vmov.i8 q5, #128\n\t"                                     \
  "ldr r7, [r12, #12]\n\tldr r11, [r12, #16]\n\t"           \
  "ldr r9, [r12, #20]\n\tsub r7, r7, #256\n"
#define O2C_U8_MVE_LEAVE                             \
  "ldr r1, [r12, #24]\n\t"                           \
  "subs r1, r1, #1\n\t"                              \
  "str r1, [r12, #24]\n\t"                           \
  "bne 1b\n\t"                                       \
  "vpop {d8, d9, d10, d11, d12, d13, d14, d15}\n\t"  \
  "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}"

/* Sums of three pixels by pairs of outputs: 14 instructions for 96 products,
 * 21 a pair. */
O2C_NAKED static void o2c_u8_mve32(O2C_BY_ASM o2c_u8_mve *g)
{
  __asm__ volatile(O2C_U8_MVE_ENTER
                   "1:\tldrd r1, r3, [r12]\n\t"
                   "ldr r5, [r12, #8]\n\t"
                   "vadd.i32 q7, q6, r7\n\t"
                   "movs r0, #0\n\tmovs r2, #0\n\tmovs r4, #0\n\t"
                   "movs r6, #0\n\tmov r8, #0\n\tmov r10, #0\n\t"
                   "dlstp.32 lr, r9\n"
                   "2:\tvldrw.u32 q0, [q7, #256]!\n\t"
                   "vldrw.u32 q1, [q7, #4]\n\t"
                   "vldrb.u8 q2, [r1], #16\n\t"
                   "veor q0, q0, q5\n\t"
                   "vldrb.u8 q3, [r3], #16\n\t"
                   "vmladava.u8 r0, q0, q2\n\t"
                   "veor q1, q1, q5\n\t"
                   "vldrb.u8 q4, [r5], #16\n\t"
                   "vmladava.u8 r6, q1, q2\n\t"
                   "vmladava.u8 r2, q0, q3\n\t"
                   "vmladava.u8 r8, q1, q3\n\t"
                   "vmladava.u8 r4, q0, q4\n\t"
                   "vmladava.u8 r10, q1, q4\n\t"
                   "letp lr, 2b\n\t"
                   "strd r2, r8, [r11, #64]\n\t"
                   "strd r4, r10, [r11, #128]\n\t"
                   "strd r0, r6, [r11], #8\n\t"
                   "adds r7, r7, #8\n\t" O2C_U8_MVE_LEAVE);
}

/* Sums of one pixel by fours of outputs: 14 instructions for 64 products. */
O2C_NAKED static void o2c_u8_mve14(O2C_BY_ASM o2c_u8_mve *g)
{
  __asm__ volatile(O2C_U8_MVE_ENTER
                   "1:\tldr r1, [r12]\n\t"
                   "vadd.i32 q7, q6, r7\n\t"
                   "movs r0, #0\n\tmovs r2, #0\n\tmovs r4, #0\n\t"
                   "movs r6, #0\n\t"
                   "dlstp.32 lr, r9\n"
                   "2:\tvldrw.u32 q0, [q7, #256]!\n\t"
                   "vldrw.u32 q1, [q7, #4]\n\t"
                   "vldrb.u8 q4, [r1], #16\n\t"
                   "veor q0, q0, q5\n\t"
                   "vldrw.u32 q2, [q7, #8]\n\t"
                   "vmladava.u8 r0, q0, q4\n\t"
                   "veor q1, q1, q5\n\t"
                   "vldrw.u32 q3, [q7, #12]\n\t"
                   "vmladava.u8 r2, q1, q4\n\t"
                   "veor q2, q2, q5\n\t"
                   "vmladava.u8 r4, q2, q4\n\t"
                   "veor q3, q3, q5\n\t"
                   "vmladava.u8 r6, q3, q4\n\t"
                   "letp lr, 2b\n\t"
                   "strd r4, r6, [r11, #8]\n\t"
                   "strd r0, r2, [r11], #16\n\t"
                   "adds r7, r7, #16\n\t" O2C_U8_MVE_LEAVE);
}

/* The sum of n bytes of x, n > 0, added to sum. */
O2C_U8_INLINE uint32_t o2c_u8_sum(const uint8_t *x, int32_t n, uint32_t sum)
{
  __asm__ volatile("dlstp.8 lr, %2\n"
                   "1:\tvldrb.u8 q0, [%0], #16\n\t"
                   "vaddva.u8 %1, q0\n\t"
                   "letp lr, 1b"
                   : "+r"(x), "+Te"(sum)
                   : "r"(n)
                   : "lr", "q0", "memory");
  return sum;
}

/* The same, and x copied to `to`. */
O2C_U8_INLINE uint32_t o2c_u8_copy(const uint8_t *x, uint8_t *to, int32_t n,
                                   uint32_t sum)
{
  __asm__ volatile("dlstp.8 lr, %3\n"
                   "1:\tvldrb.u8 q0, [%0], #16\n\t"
                   "vaddva.u8 %2, q0\n\t"
                   "vstrb.8 q0, [%1], #16\n\t"
                   "letp lr, 1b"
                   : "+r"(x), "+r"(to), "+Te"(sum)
                   : "r"(n)
                   : "lr", "q0", "memory");
  return sum;
}

/* One group, the kc % 4 last ones of a tap or all of a short one. */
O2C_U8_INLINE uint32_t o2c_u8_copy_group(const uint8_t *x, uint8_t *to,
                                         int32_t kc, uint32_t sum)
{
  const uint32_t v = o2c_u8_group(x, kc < 4 ? kc : 0);
  memcpy(to, &v, 4);
  return sum + (v & 255) + (v >> 8 & 255) + (v >> 16 & 255) + (v >> 24);
}

/* All taps of a pixel one after the other; the sum of its bytes. */
O2C_U8_INLINE uint32_t o2c_u8_taps(const o2c_u8_job *j, const uint8_t *x,
                                   uint8_t *to)
{
  const int32_t kc = j->p->kc, whole = kc / 4 * 4;
  uint32_t sum = 0;
  int32_t t;
  for (t = 0; t < j->p->ntap; ++t) {
    const uint8_t *a = x + j->p->tap[t];
    if (whole)
      sum = o2c_u8_copy(a, to, whole, sum);
    to += whole;
    if (kc == whole)
      continue;
    sum = o2c_u8_copy_group(whole ? a + kc - 4 : a, to, kc, sum);
    to += 4;
  }
  return sum;
}

/* n outputs of a pixel to bytes: o2c_u8_lanes_u8 of each four, in 13
 * instructions. */
O2C_U8_INLINE void o2c_u8_bytes(const o2c_u8_job *j, const int32_t *sum,
                                uint32_t less, int32_t o, uint8_t *y, int32_t n)
{
  const int32x4_t lo = vdupq_n_s32(j->p->lo), hi = vdupq_n_s32(j->p->hi);
  const int32_t *bias = j->bias + o;
  const float *scale = j->scale + o;
  __asm__ volatile("dlstp.32 lr, %[n]\n"
                   "1:\tvldrw.u32 q0, [%[sum]], #16\n\t"
                   "vldrw.u32 q1, [%[bias]], #16\n\t"
                   "vadd.i32 q0, q0, %[more]\n\t"
                   "vldrw.u32 q2, [%[scale]], #16\n\t"
                   "vadd.i32 q0, q0, q1\n\t"
                   "vcvt.f32.s32 q0, q0\n\t"
                   "vmul.f32 q0, q0, q2\n\t"
                   "vcvtn.s32.f32 q0, q0\n\t"
                   "vqadd.s32 q0, q0, %[zp]\n\t"
                   "vmax.s32 q0, q0, %q[lo]\n\t"
                   "vmin.s32 q0, q0, %q[hi]\n\t"
                   "vstrb.32 q0, [%[y]], #4\n\t"
                   "letp lr, 1b"
                   : [sum] "+r"(sum), [bias] "+r"(bias), [scale] "+r"(scale),
                     [y] "+r"(y)
                   : [n] "r"(n), [more] "r"(0u - less), [zp] "r"(j->q.zp),
                     [lo] "w"(lo), [hi] "w"(hi)
                   : "lr", "q0", "q1", "q2", "memory");
}

/* n outputs from o on of a pixel, less what its bytes sum to. */
O2C_U8_INLINE void o2c_u8_put_sums(const o2c_u8_job *j, const int32_t *sum,
                                   uint32_t less, int32_t o, void *y, int32_t n,
                                   const int kind)
{
  int32_t k;
  y = o2c_u8_at(y, o, kind);
  if (kind == O2C_U8_TO_U8) {
    o2c_u8_bytes(j, sum, less, o, (uint8_t *)y, n);
    return;
  }
  for (k = 0; k < n; ++k) {
    const uint32_t s = (uint32_t)sum[k] + (uint32_t)j->bias[o + k] - less;
    if (kind == O2C_U8_TO_I32) {
      ((int32_t *)y)[k] = (int32_t)s;
    } else {
      const float v = (float)(int32_t)s * j->scale[o + k];
      ((float *)y)[k] = j->fbias ? v + j->fbias[o + k] : v;
    }
  }
}

/* All outputs of np pixels, 3 or 1. What taps do not hold in one piece is
 * copied to the scratch. */
O2C_U8_INLINE void o2c_u8_some(const o2c_u8_job *j, const uint8_t *const *x,
                               const int8_t *w, void *const *y, const int np,
                               const int kind)
{
  const o2c_conv_u8_p *p = j->p;
  int32_t sum[48], o, i;
  uint32_t less[3];
  o2c_u8_mve g;
  g.n = p->ntap * j->ng;
  for (i = 0; i < np; ++i) {
    uint8_t *to = (uint8_t *)p->scratch + 4 * i * g.n;
    if (p->ntap == 1 && p->kc % 4 == 0) {
      g.x[i] = x[i] + p->tap[0];
      less[i] = 128 * o2c_u8_sum(g.x[i], p->kc, 0);
    } else {
      g.x[i] = to;
      less[i] = 128 * o2c_u8_taps(j, x[i], to);
    }
  }
  for (o = 0; o < j->n; o += 16, w += j->panel) {
    const int32_t m = j->n - o < 16 ? j->n - o : 16;
    g.w = w;
    g.sum = sum;
    g.count = np == 3 ? (m + 1) / 2 : (m + 3) / 4;
    if (np == 3)
      o2c_u8_mve32(&g);
    else
      o2c_u8_mve14(&g);
    for (i = 0; i < np; ++i)
      o2c_u8_put_sums(j, sum + 16 * i, less[i], o, y[i], m, kind);
  }
}

#endif /* O2C_CONV_U8_MVE_H */
