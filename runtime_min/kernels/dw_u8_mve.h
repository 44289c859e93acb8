/* SPDX-License-Identifier: 0BSD */
/* The part of dw_u8.h for MVE (Cortex-M55, M85). 3 x 3 windows: a word of
 * scratch holds, of one channel and one column of the image, four rows, each
 * in the byte of its number modulo 4; so the three words from a window's first
 * column on are all of it, and one VMLADAV with weights turned to the same
 * rows, zero where there is none, is an output. Bytes are x - 128, and 128
 * times the sum of a channel's nine weights is added to its bias. Other
 * windows: tap by tap, four channels at once. */
#ifndef O2C_DW_U8_MVE_H
#define O2C_DW_U8_MVE_H

#include "u8.h"

/* A channel, as o2c_dwq_lines1 and 2 read it by offset; y moves on. */
typedef struct {
  const uint32_t *x;
  uint8_t *y;
  int32_t n, bias;
  float scale;
  int32_t zp, step, row, lo, hi; /* step: four outputs, row: a line, in bytes */
  uint32_t at[4];                /* where the four go, from y on */
  uint32_t w[4][4];              /* turned by 0 to 3 rows; the last ones 0 */
} o2c_dwq_channel;

/* The bounds q6, q7, the places q5 and what else all four channels share. */
#define O2C_DWQ_ENTER                                 \
  "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"   \
  "vpush {d8, d9, d10, d11, d12, d13, d14, d15}\n\t"  \
  "mov r12, r0\n\tadd r11, r0, #40\n\t"              \
  "vldrw.u32 q5, [r11]\n\tadd r11, r11, r1\n\t"      \
  "ldrd r2, r4, [r0, #32]\n\t"                       \
  "vdup.32 q6, r2\n\tvdup.32 q7, r4\n\t"             \
  "ldrd r9, r10, [r0, #20]\n\tmov lr, #4\n"
/* A channel: weights q4, r1 x, r3 y, r5 outputs left, r7 bias, r8 scale. */
#define O2C_DWQ_CHANNEL                                       \
  "1:\tvldrw.u32 q4, [r11, #16]\n\tldrd r1, r3, [r12]\n\t"  \
  "ldrd r5, r7, [r12, #8]\n\tldr r2, [r12, #28]\n\t"        \
  "ldr r8, [r12, #16]\n\tadd r2, r2, r3\n\tstr r2, [r12, #4]\n"
/* Four outputs, `next` bytes of x apart. */
#define O2C_DWQ_SUMS(next)                                            \
  "2:\tvldrw.u32 q0, [r1], #" next "\n\tvldrw.u32 q1, [r1], #" next  \
  "\n\tvmladav.s8 r0, q0, q4\n\tvldrw.u32 q2, [r1], #" next         \
  "\n\tvmladav.s8 r2, q1, q4\n\tvldrw.u32 q3, [r1], #" next         \
  "\n\tvmladav.s8 r4, q2, q4\n\tvmladav.s8 r6, q3, q4\n\t"         \
  "vmov q0[2], q0[0], r0, r4\n\tvmov q0[3], q0[1], r2, r6\n\t"
#define O2C_DWQ_BYTES                                           \
  "vadd.i32 q0, q0, r7\n\tvcvt.f32.s32 q0, q0\n\t"             \
  "vmul.f32 q0, q0, r8\n\tvcvtn.s32.f32 q0, q0\n\t"            \
  "vqadd.s32 q0, q0, r9\n\t"                                   \
  "vmax.s32 q0, q0, q6\n\tvmin.s32 q0, q0, q7\n\t"             \
  "vctp.32 r5\n\tvpst\n\tvstrbt.32 q0, [r3, q5]\n\t"          \
  "add r3, r3, r10\n\tsubs r5, r5, #4\n\tbgt 2b\n\t"
#define O2C_DWQ_LEAVE                                            \
  "add r11, r11, #120\n\tadd r12, r12, #120\n\t"               \
  "subs lr, lr, #1\n\tbne 1b\n\t"                              \
  "vpop {d8, d9, d10, d11, d12, d13, d14, d15}\n\t"             \
  "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}"

/* A line of n outputs of each of four channels, by the weights `turn` bytes
 * after the first ones: 23 instructions for four outputs, 11 a channel. */
O2C_NAKED static void o2c_dwq_lines1(O2C_BY_ASM o2c_dwq_channel *g,
                                     O2C_BY_ASM int32_t turn)
{
  __asm__ volatile(O2C_DWQ_ENTER O2C_DWQ_CHANNEL O2C_DWQ_SUMS("4")
                       O2C_DWQ_BYTES O2C_DWQ_LEAVE);
}

/* The same at steps of 2. */
O2C_NAKED static void o2c_dwq_lines2(O2C_BY_ASM o2c_dwq_channel *g,
                                     O2C_BY_ASM int32_t turn)
{
  __asm__ volatile(O2C_DWQ_ENTER O2C_DWQ_CHANNEL O2C_DWQ_SUMS("8")
                       O2C_DWQ_BYTES O2C_DWQ_LEAVE);
}

/* Four channels of n pixels, `next` bytes apart, to a byte of words; at: where
 * each channel's words begin. */
O2C_U8_INLINE void o2c_dwq_fill(const uint8_t *x, ptrdiff_t next, int32_t n,
                                uint8_t *to, uint32x4_t at)
{
  const uint32x4_t flip = vdupq_n_u32(128);
  __asm__ volatile("dls lr, %[n]\n"
                   "1:\tvldrb.u32 q0, [%[x]]\n\t"
                   "add %[x], %[x], %[next]\n\t"
                   "veor q0, q0, %q[flip]\n\t"
                   "vstrb.32 q0, [%[to], %q[at]]\n\t"
                   "add %[to], %[to], #4\n\t"
                   "le lr, 1b"
                   : [x] "+r"(x), [to] "+r"(to)
                   : [next] "r"(next), [n] "r"(n), [flip] "w"(flip),
                     [at] "w"(at)
                   : "lr", "q0", "memory");
}

/* Nine weights by columns, rows from the lowest byte up, then turned; their
 * sum. Rows are `down` apart, columns `right`. */
O2C_U8_INLINE int32_t o2c_dwq_columns(uint32_t (*to)[4], const int8_t *w,
                                      ptrdiff_t right, ptrdiff_t down)
{
  int32_t r, s, sum = 0;
  for (s = 0; s < 3; ++s) {
    uint32_t v = 0;
    for (r = 0; r < 3; ++r) {
      sum += w[r * down + s * right];
      v |= (uint32_t)(uint8_t)w[r * down + s * right] << 8 * r;
    }
    for (r = 0; r < 4; ++r, v = v << 8 | v >> 24)
      to[r][s] = v;
  }
  return sum;
}

/* Four channels, 3 x 3 at steps of `step` along a line, `down` across. */
O2C_U8_NOINLINE void o2c_dwq_planes(const uint8_t *x, o2c_dwq_channel *g,
                                    const o2c_dw_u8_p *p, int32_t step,
                                    int32_t down)
{
  const int32_t n = (p->ow - 1) * step + 3;
  const uint32x4_t at = vmulq_n_u32(vidupq_n_u32(0, 1), 4 * (uint32_t)n);
  int32_t i, have = 0;
  for (i = 0; i < p->oh; ++i) {
    for (; have < i * down + 3; ++have, x += (ptrdiff_t)p->tap_row)
      o2c_dwq_fill(x, (ptrdiff_t)p->tap_pix, n,
                   (uint8_t *)p->scratch + (have & 3), at);
    if (step == 1)
      o2c_dwq_lines1(g, 16 * (i * down & 3));
    else
      o2c_dwq_lines2(g, 16 * (i * down & 3));
  }
}

/* What stays the same of channel k of each four. */
O2C_U8_INLINE void o2c_dwq_set(o2c_dwq_channel *g, const o2c_dw_u8_p *p,
                               int32_t step, int32_t k)
{
  const int32_t n = (p->ow - 1) * step + 3;
  int32_t i;
  g->x = (const uint32_t *)(const void *)p->scratch + k * n;
  g->n = p->ow;
  g->zp = p->y_zp;
  g->step = 4 * (int32_t)p->y_pix;
  g->row = (int32_t)p->y_row;
  g->lo = p->lo;
  g->hi = p->hi;
  for (i = 0; i < 4; ++i) {
    g->at[i] = (uint32_t)i * (uint32_t)p->y_pix;
    g->w[i][3] = 0;
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
  o2c_dwq_channel g[4];
  int32_t c, k;
  if (!p->scratch || p->kh != 3 || p->kw != 3 || !step || !down)
    return 0;
  for (k = 0; k < 4; ++k)
    o2c_dwq_set(g + k, &t, step, k);
  for (c = 0; c + 4 <= p->c; c += 4) {
    for (k = 0; k < 4; ++k) {
      const int32_t sum =
          o2c_dwq_columns(g[k].w, w + c + k, turn ? 3 * p->c : p->c,
                          turn ? p->c : 3 * p->c);
      g[k].bias = o2c_wrap_add(bias[c + k], 128 * sum);
      g[k].scale = scale[c + k];
      g[k].y = y + c + k;
    }
    o2c_dwq_planes(x + c, g, &t, step, down);
  }
  return 1;
}

/* Channels from c on of all outputs, four at a time. */
O2C_U8_INLINE void o2c_dwq_taps(const uint8_t *x, const int8_t *w,
                                const int32_t *bias, const float *scale,
                                uint8_t *y, const o2c_dw_u8_p *p, int32_t c)
{
  const o2c_rq q = o2c_rq_make(p->y_zp, p->lo, p->hi);
  const int32_t n = p->c - c;
  const mve_pred16_t m = vctp32q((uint32_t)n);
  int32_t i, k, r, s;
  for (i = 0; i < p->oh; ++i)
    for (k = 0; k < p->ow; ++k) {
      const uint8_t *a = x + i * (ptrdiff_t)p->x_row +
                         k * (ptrdiff_t)p->x_pix + c;
      const int8_t *b = w + c;
      int32x4_t v = vld1q_s32(bias + c);
      for (r = 0; r < p->kh; ++r)
        for (s = 0; s < p->kw; ++s, b += p->c) {
          const uint8_t *e = a + r * (ptrdiff_t)p->tap_row +
                             s * (ptrdiff_t)p->tap_pix;
          const uint32x4_t u = vldrbq_z_u32(e, m);
          v = vaddq_s32(v, vmulq_s32(vreinterpretq_s32_u32(u),
                                     vldrbq_z_s32(b, m)));
        }
      o2c_u8_lanes_u8(v, scale + c, q,
                      y + i * (ptrdiff_t)p->y_row + k * (ptrdiff_t)p->y_pix + c,
                      n);
    }
}

O2C_U8_NOINLINE void o2c_dw_u8(const uint8_t *x, const int8_t *w,
                               const int32_t *bias, const float *scale,
                               uint8_t *y, const o2c_dw_u8_p *p)
{
  int32_t c = 0;
  if (o2c_dwq_by_lines(x, w, bias, scale, y, p))
    c = p->c / 4 * 4;
  for (; c < p->c; c += 4)
    o2c_dwq_taps(x, w, bias, scale, y, p, c);
}

#endif /* O2C_DW_U8_MVE_H */
