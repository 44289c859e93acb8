/* SPDX-License-Identifier: 0BSD */
/* Convolution and matrix product on bfloat16 operands with f32 sums, for
   --math fast: the shape of conv_f32.h, at half its bytes and, where the
   machine multiplies bfloat16 pairs, half its instructions.

     y[i*y_row + j*y_pix + o] =
       clamp(bias[o] + sum_{t<ntap} sum_{k<kc} x[i*x_row + j*x_pix + tap[t] + k]
             * w[o/16][t][k/2][o%16][k%2]  + r[i*r_row + j*r_pix + o], lo, hi)

   static void o2c_conv_bf16(const uint16_t *x, const uint16_t *w,
                             const float *bias, const float *r, float *y,
                             const o2c_conv_f32_p *p);
   static void o2c_pad_hwc_bf16(const float *x, uint16_t *y,
                                const o2c_pad_f32_p *p);

   w is packed [ceil(oc/16)][ntap][ceil(kc/2)][16][2], zero where there is no k
   or o; for an odd kc the element of x behind each tap is read, and multiplied
   by zero: x has one element more than the formula names. bias and r may be
   NULL. y may be r (same place).

   An output element is one chain over pairs of k in order, whatever the tile
   and the number of rows; the two products of a pair are added before or after
   the sum as the instruction set has it, so bits differ between instruction
   sets, not between rows. AVX512-BF16 takes denormals for zero. */
#ifndef O2C_CONV_BF16_H
#define O2C_CONV_BF16_H

#include "conv_f32.h"

/* The tile is MR rows of 2 vectors. */
#if defined(O2C_AVX512) && !defined(O2C_HAVE_AVX512BF16)
#define O2C_BF16_MR 10
#define O2C_BF16_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)
#define O2C_BF16_TILES(X, n) X(1, n) X(2, n) X(3, n) X(4, n) X(5, n) X(6, n) \
  X(7, n) X(8, n) X(9, n) X(10, n)
#elif defined(O2C_AVX512)
#define O2C_BF16_MR 14
#define O2C_BF16_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) \
  X(10) X(11) X(12) X(13)
#define O2C_BF16_TILES(X, n) X(1, n) X(2, n) X(3, n) X(4, n) X(5, n) X(6, n) \
  X(7, n) X(8, n) X(9, n) X(10, n) X(11, n) X(12, n) X(13, n) X(14, n)
#else
#define O2C_BF16_MR 5
#define O2C_BF16_ROWS(X) X(0) X(1) X(2) X(3) X(4)
#define O2C_BF16_TILES(X, n) X(1, n) X(2, n) X(3, n) X(4, n) X(5, n)
#endif

/* Pairs of LANES columns; a pair of a row, in every lane; c += pair . pair. */
#if defined(O2C_AVX512) && defined(O2C_HAVE_AVX512BF16)
typedef __m512i o2c_pair;
O2C_INLINE o2c_pair o2c_pair_ld(const uint16_t *w)
{
  return _mm512_loadu_si512(w);
}
O2C_INLINE o2c_pair o2c_pair_set(uint32_t x)
{
  return _mm512_set1_epi32((int32_t)x);
}
O2C_INLINE o2c_v o2c_pair_dot(o2c_v c, o2c_pair a, o2c_pair b)
{
#if defined(__GNUC__) && !defined(__clang__)
  /* gcc 12 copies accumulators around the intrinsic. */
  __asm__("vdpbf16ps {%2, %1, %0|%0, %1, %2}" : "+v"(c) : "v"(a), "v"(b));
  return c;
#else
  return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b);
#endif
}
#else
/* Their halves as f32: a bfloat16 is the upper half of one. */
typedef struct { o2c_v even, odd; } o2c_pair;
#if defined(O2C_AVX512)
O2C_INLINE o2c_pair o2c_pair_split(__m512i v)
{
  o2c_pair p;
  p.even = _mm512_castsi512_ps(_mm512_slli_epi32(v, 16));
  p.odd = _mm512_castsi512_ps(
    _mm512_and_si512(v, _mm512_set1_epi32(-65536)));
  return p;
}
#define O2C_PAIR_LD(w) _mm512_loadu_si512(w)
#define O2C_PAIR_SET(x) _mm512_set1_epi32((int32_t)(x))
#elif defined(O2C_AVX2)
O2C_INLINE o2c_pair o2c_pair_split(__m256i v)
{
  o2c_pair p;
  p.even = _mm256_castsi256_ps(_mm256_slli_epi32(v, 16));
  p.odd = _mm256_castsi256_ps(
    _mm256_and_si256(v, _mm256_set1_epi32(-65536)));
  return p;
}
#define O2C_PAIR_LD(w) _mm256_loadu_si256((const __m256i *)(const void *)(w))
#define O2C_PAIR_SET(x) _mm256_set1_epi32((int32_t)(x))
#elif defined(O2C_SSE2)
O2C_INLINE o2c_pair o2c_pair_split(__m128i v)
{
  o2c_pair p;
  p.even = _mm_castsi128_ps(_mm_slli_epi32(v, 16));
  p.odd = _mm_castsi128_ps(_mm_and_si128(v, _mm_set1_epi32(-65536)));
  return p;
}
#define O2C_PAIR_LD(w) _mm_loadu_si128((const __m128i *)(const void *)(w))
#define O2C_PAIR_SET(x) _mm_set1_epi32((int32_t)(x))
#elif defined(O2C_NEON)
O2C_INLINE o2c_pair o2c_pair_split(uint32x4_t v)
{
  o2c_pair p;
  p.even = vreinterpretq_f32_u32(vshlq_n_u32(v, 16));
  p.odd = vreinterpretq_f32_u32(vandq_u32(v, vdupq_n_u32(0xffff0000u)));
  return p;
}
#define O2C_PAIR_LD(w) vreinterpretq_u32_u16(vld1q_u16(w))
#define O2C_PAIR_SET(x) vdupq_n_u32(x)
#else
O2C_INLINE float o2c_bf16_float(uint32_t high)
{
  float f;
  memcpy(&f, &high, sizeof f);
  return f;
}
O2C_INLINE o2c_pair o2c_pair_split(uint32_t v)
{
  o2c_pair p;
  p.even = o2c_bf16_float(v << 16);
  p.odd = o2c_bf16_float(v & 0xffff0000u);
  return p;
}
#define O2C_PAIR_LD(w) ((uint32_t)(w)[0] | (uint32_t)(w)[1] << 16)
#define O2C_PAIR_SET(x) (x)
#endif
O2C_INLINE o2c_pair o2c_pair_ld(const uint16_t *w)
{
  return o2c_pair_split(O2C_PAIR_LD(w));
}
O2C_INLINE o2c_pair o2c_pair_set(uint32_t x)
{
  return o2c_pair_split(O2C_PAIR_SET(x));
}
O2C_INLINE o2c_v o2c_pair_dot(o2c_v c, o2c_pair a, o2c_pair b)
{
  return o2c_vfma(a.odd, b.odd, o2c_vfma(a.even, b.even, c));
}
#endif

O2C_INLINE uint32_t o2c_pair_of(const uint16_t *x)
{
  return (uint32_t)x[0] | (uint32_t)x[1] << 16;
}

typedef struct {
  const uint16_t *x[O2C_BF16_MR], *w;
  float *y[O2C_BF16_MR];
  const float *r[O2C_BF16_MR], *bias;
  const int32_t *tap;
  ptrdiff_t w_panel;        /* elements between panels of w */
  int32_t ntap, kc, ncol;
  float lo, hi;
  int residual;
} o2c_tile_bf16;

/* mr and nv are constants at every call. Columns of a panel are 16, so the
   second vector may be the next panel's first. */
O2C_INLINE void o2c_tile_bf16_body(const o2c_tile_bf16 *a, const int mr,
                                   const int nv)
{
  const uint16_t *w0 = a->w, *w1 = w0 + (O2C_LANES < 16 ? 2 * O2C_LANES
                                                        : a->w_panel);
  const int n = a->ncol;
  const o2c_v zero = o2c_vzero();
  const o2c_v b0 = a->bias ? o2c_tile_ld(a->bias, 0, nv, n) : zero;
  const o2c_v b1 = a->bias && nv > 1 ? o2c_tile_ld(a->bias, 1, nv, n) : zero;
  const o2c_v lo = o2c_vset1(a->lo), hi = o2c_vset1(a->hi);
#define O2C_X(i) const uint16_t *x##i = a->x[mr > i ? i : 0]; \
  o2c_v c##i##0 = b0, c##i##1 = b1;
  O2C_BF16_ROWS(O2C_X)
#undef O2C_X
  for (int t = 0; t < a->ntap; t++) {
    const ptrdiff_t end = (ptrdiff_t)a->tap[t] + a->kc;
    for (ptrdiff_t k = a->tap[t]; k < end; k += 2) {
      const o2c_pair v0 = o2c_pair_ld(w0), v1 = o2c_pair_ld(nv > 1 ? w1 : w0);
#define O2C_X(i) if (mr > i) { \
        const o2c_pair s = o2c_pair_set(o2c_pair_of(x##i + k)); \
        c##i##0 = o2c_pair_dot(c##i##0, s, v0); \
        if (nv > 1) c##i##1 = o2c_pair_dot(c##i##1, s, v1); }
      O2C_BF16_ROWS(O2C_X)
#undef O2C_X
      w0 += 32;
      w1 += 32;
    }
  }
#define O2C_X(i) if (mr > i) { \
    if (a->residual) { \
      c##i##0 = o2c_vadd(c##i##0, o2c_tile_ld(a->r[i], 0, nv, n)); \
      if (nv > 1) \
        c##i##1 = o2c_vadd(c##i##1, o2c_tile_ld(a->r[i], 1, nv, n)); \
    } \
    o2c_tile_st(a->y[i], 0, nv, n, o2c_vclamp(c##i##0, lo, hi)); \
    if (nv > 1) o2c_tile_st(a->y[i], 1, nv, n, o2c_vclamp(c##i##1, lo, hi)); }
  O2C_BF16_ROWS(O2C_X)
#undef O2C_X
}

#define O2C_X(m, n) O2C_NOINLINE void o2c_tile_bf16_##m##x##n( \
  const o2c_tile_bf16 *a) { o2c_tile_bf16_body(a, m, n); }
O2C_BF16_TILES(O2C_X, 1)
O2C_BF16_TILES(O2C_X, 2)
#undef O2C_X

O2C_UNUSED static void o2c_tile_bf16_run(const o2c_tile_bf16 *a, int mr, int nv)
{
  switch (16 * nv + mr) {
#define O2C_X(m, n) case 16 * n + m: o2c_tile_bf16_##m##x##n(a); break;
  O2C_BF16_TILES(O2C_X, 1)
  O2C_BF16_TILES(O2C_X, 2)
#undef O2C_X
  default: break;
  }
}

typedef struct {
  const uint16_t *x;
  const float *r;
  float *y;
} o2c_bf16_image;

/* Points the tile's rows at mr output pixels from pixel m on. */
O2C_UNUSED static void o2c_tile_bf16_at(o2c_tile_bf16 *a,
                                        const o2c_bf16_image *image,
                                        const o2c_conv_f32_p *p, int32_t m,
                                        int mr)
{
  for (int q = 0; q < mr; q++) {
    const int64_t i = (m + q) / p->ow, j = (m + q) % p->ow;
    a->x[q] = image->x + i * p->x_row + j * p->x_pix;
    a->y[q] = image->y + i * p->y_row + j * p->y_pix;
    a->r[q] = image->r ? image->r + i * p->r_row + j * p->r_pix : image->r;
  }
}

/* All rows by one column step, so that its weights stay in the cache. */
O2C_UNUSED static void o2c_conv_bf16_columns(o2c_tile_bf16 *a,
                                             o2c_bf16_image image,
                                             const o2c_conv_f32_p *p, int nv)
{
  const int32_t rows = p->oh * p->ow;
  const int32_t tiles = (rows + O2C_BF16_MR - 1) / O2C_BF16_MR;
  int32_t m = 0;
  for (int32_t t = 0; t < tiles; t++) {
    const int mr = rows / tiles + (t < rows % tiles);
    o2c_tile_bf16_at(a, &image, p, m, mr);
    o2c_tile_bf16_run(a, mr, nv);
    m += mr;
  }
}

O2C_NOINLINE void o2c_conv_bf16(const uint16_t *x, const uint16_t *w,
                                const float *bias, const float *r, float *y,
                                const o2c_conv_f32_p *p)
{
  const int32_t nvec = (p->oc + O2C_LANES - 1) / O2C_LANES;
  o2c_tile_bf16 a;
  int nv;
  a.tap = p->tap;
  a.ntap = p->ntap;
  a.kc = p->kc;
  a.lo = p->lo;
  a.hi = p->hi;
  a.residual = r != NULL;
  a.w_panel = (ptrdiff_t)p->ntap * ((p->kc + 1) / 2) * 32;
  if (p->oh <= 0 || p->ow <= 0)
    return;
  for (int32_t v = 0; v < nvec; v += nv) {
    const ptrdiff_t col = (ptrdiff_t)v * O2C_LANES;
    o2c_bf16_image image;
    nv = nvec - v > 1 ? 2 : 1;
    a.w = w + col / 16 * a.w_panel + col % 16 * 2;
    a.ncol = p->oc - (int32_t)col;
    a.bias = bias ? bias + col : bias;
    image.x = x;
    image.y = y + col;
    image.r = r ? r + col : r;
    o2c_conv_bf16_columns(&a, image, p, nv);
  }
}

/* To nearest, ties to even; NaN stays NaN. */
O2C_INLINE uint16_t o2c_bf16_of(float v)
{
  uint32_t u;
  memcpy(&u, &v, sizeof u);
  const uint32_t round = u + 0x7fffu + (u >> 16 & 1u);
  return (uint16_t)((v == v ? round : u | 0x400000u) >> 16);
}

O2C_INLINE uint16_t *o2c_zero_bf16(uint16_t *y, ptrdiff_t n)
{
  memset(y, 0, (size_t)n * sizeof *y);
  return y + n;
}

/* An [h][w][c] image of f32 as bfloat16 with zeros around it, and one element
   more behind it. */
O2C_NOINLINE void o2c_pad_hwc_bf16(const float *x, uint16_t *y,
                                   const o2c_pad_f32_p *p)
{
  const ptrdiff_t c = p->c, dense = p->x_pix == p->c ? (ptrdiff_t)p->w * c : c;
  const ptrdiff_t row = (ptrdiff_t)p->w * c;
  const ptrdiff_t wide = row + ((ptrdiff_t)p->left + p->right) * c;
  y = o2c_zero_bf16(y, p->top * wide);
  for (int32_t i = 0; i < p->h; i++) {
    const float *from = x + i * p->x_row;
    y = o2c_zero_bf16(y, p->left * c);
    for (ptrdiff_t at = 0; at < row; at += dense, from += p->x_pix)
      for (ptrdiff_t k = 0; k < dense; k++)
        y[at + k] = o2c_bf16_of(from[k]);
    y = o2c_zero_bf16(y + row, p->right * c);
  }
  o2c_zero_bf16(y, p->bottom * wide + 1);
}

#undef O2C_BF16_ROWS
#undef O2C_BF16_TILES

#endif
