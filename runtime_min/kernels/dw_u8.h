/* SPDX-License-Identifier: 0BSD */
/* 8-bit depthwise convolution, channels last.
 *
 *   acc[i][j][c] = bias[c] + sum_{r < kh, s < kw} w[r*kw + s][c] *
 *                  x[i*x_row + j*x_pix + r*tap_row + s*tap_pix + c]
 *
 * requantised as in u8.h. x is already padded with the zero point, and bias
 * holds -x_zp * sum(w). w is plain [kh*kw][c] s8; bias and scale have a
 * multiple of 16 elements. y must not overlap x; some of it may be written
 * twice, with the same bytes.
 *
 * Vectors run over channels. With VNNI, one column of three pixels is
 * interleaved into groups of four bytes (r0 r1 r2 0) once and serves the
 * three outputs it is part of; elsewhere taps go in pairs of 16 bits. */
#ifndef O2C_DW_U8_H
#define O2C_DW_U8_H

#include "u8.h"

typedef struct {
  int32_t oh, ow, c, kh, kw;
  int64_t x_row, x_pix, tap_row, tap_pix, y_row, y_pix; /* in elements */
  int32_t y_zp, lo, hi;
  int16_t *scratch; /* O2C_DW_U8_SCRATCH or NULL; Cortex-M, 3 x 3 only */
} o2c_dw_u8_p;

/* Elements of scratch, 4-byte aligned, for a padded image of h x w: three of
 * its rows or columns, whichever are longer, of four channels. */
#define O2C_DW_U8_SCRATCH(h, w) (12 * (((h) > (w) ? (h) : (w)) + 2))

/* One output, for the few channels that fill no vector. */
O2C_U8_INLINE uint8_t o2c_dwq_one(const uint8_t *x, const int8_t *w,
                                  int32_t acc, float scale,
                                  const o2c_dw_u8_p *p)
{
  int32_t r, s;
  for (r = 0; r < p->kh; ++r)
    for (s = 0; s < p->kw; ++s, w += p->c)
      acc = o2c_wrap_add(acc, x[r * p->tap_row + s * p->tap_pix] * *w);
  return o2c_requant_u8(acc, scale, o2c_rq_make(p->y_zp, p->lo, p->hi));
}

/* n channels one by one. */
O2C_U8_INLINE void o2c_dwq_few(const uint8_t *x, const int8_t *w,
                               const int32_t *bias, const float *scale,
                               uint8_t *y, int32_t n, const o2c_dw_u8_p *p)
{
  int32_t c, i, k;
  for (c = 0; c < n; ++c)
    for (i = 0; i < p->oh; ++i)
      for (k = 0; k < p->ow; ++k)
        y[i * p->y_row + k * p->y_pix + c] = o2c_dwq_one(
            x + i * p->x_row + k * p->x_pix + c, w + c, bias[c], scale[c], p);
}

#if defined(O2C_U8_ISA_AVX512VNNI)

typedef struct {
  __m512i a, b, c, d;
} o2c_dwq_col;

/* Rows of 64 channels to dwords of 4 rows; in each 128-bit lane a has
 * channels 0-3 of the lane's 16, b 4-7, c 8-11, d 12-15. */
O2C_U8_INLINE o2c_dwq_col o2c_dwq_mix(__m512i r0, __m512i r1, __m512i r2,
                                      __m512i r3)
{
  const __m512i l0 = _mm512_unpacklo_epi8(r0, r1);
  const __m512i h0 = _mm512_unpackhi_epi8(r0, r1);
  const __m512i l1 = _mm512_unpacklo_epi8(r2, r3);
  const __m512i h1 = _mm512_unpackhi_epi8(r2, r3);
  o2c_dwq_col k;
  k.a = _mm512_unpacklo_epi16(l0, l1);
  k.b = _mm512_unpackhi_epi16(l0, l1);
  k.c = _mm512_unpacklo_epi16(h0, h1);
  k.d = _mm512_unpackhi_epi16(h0, h1);
  return k;
}

O2C_U8_INLINE __m512i o2c_dwq_dot1(__m512i c, __m512i a, __m512i b)
{
#if defined(__GNUC__) && !defined(__clang__)
  __asm__("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(c) : "v"(a), "v"(b));
  return c;
#else
  return _mm512_dpbusd_epi32(c, a, b);
#endif
}

O2C_U8_INLINE o2c_dwq_col o2c_dwq_dot(o2c_dwq_col s, o2c_dwq_col x,
                                      o2c_dwq_col w)
{
  s.a = o2c_dwq_dot1(s.a, x.a, w.a);
  s.b = o2c_dwq_dot1(s.b, x.b, w.b);
  s.c = o2c_dwq_dot1(s.c, x.c, w.c);
  s.d = o2c_dwq_dot1(s.d, x.d, w.d);
  return s;
}

/* 64 numbers of 32 bits in the order of o2c_dwq_mix. */
O2C_U8_INLINE o2c_dwq_col o2c_dwq_spread(__m512i q0, __m512i q1, __m512i q2,
                                         __m512i q3)
{
  const __m512i l0 = _mm512_shuffle_i32x4(q0, q1, 0x44);
  const __m512i h0 = _mm512_shuffle_i32x4(q0, q1, 0xEE);
  const __m512i l1 = _mm512_shuffle_i32x4(q2, q3, 0x44);
  const __m512i h1 = _mm512_shuffle_i32x4(q2, q3, 0xEE);
  o2c_dwq_col k;
  k.a = _mm512_shuffle_i32x4(l0, l1, 0x88);
  k.b = _mm512_shuffle_i32x4(l0, l1, 0xDD);
  k.c = _mm512_shuffle_i32x4(h0, h1, 0x88);
  k.d = _mm512_shuffle_i32x4(h0, h1, 0xDD);
  return k;
}

/* The same of n numbers, then zeros. */
O2C_U8_INLINE o2c_dwq_col o2c_dwq_consts(const void *from, int32_t n)
{
  const int32_t *p = (const int32_t *)from;
  const __m512i q0 = _mm512_maskz_loadu_epi32(o2c_u8_lanes_mask(n), p);
  const __m512i q1 =
      _mm512_maskz_loadu_epi32(o2c_u8_lanes_mask(n > 16 ? n - 16 : 0), p + 16);
  const __m512i q2 =
      _mm512_maskz_loadu_epi32(o2c_u8_lanes_mask(n > 32 ? n - 32 : 0), p + 32);
  const __m512i q3 =
      _mm512_maskz_loadu_epi32(o2c_u8_lanes_mask(n > 48 ? n - 48 : 0), p + 48);
  return o2c_dwq_spread(q0, q1, q2, q3);
}

O2C_U8_INLINE __m512i o2c_dwq_round(__m512i a, __m512i scale)
{
  return o2c_u8_round(a, _mm512_castsi512_ps(scale));
}

O2C_U8_INLINE __m512i o2c_dwq_bytes(o2c_dwq_col s, o2c_dwq_col scale,
                                    const o2c_dw_u8_p *p)
{
  return o2c_u8_pack(o2c_dwq_round(s.a, scale.a), o2c_dwq_round(s.b, scale.b),
                     o2c_dwq_round(s.c, scale.c), o2c_dwq_round(s.d, scale.d),
                     _mm512_set1_epi16((short)p->y_zp),
                     _mm512_set1_epi8((char)p->lo),
                     _mm512_set1_epi8((char)p->hi));
}

typedef struct {
  const o2c_dw_u8_p *p;
  __mmask64 m;
  o2c_dwq_col bias, scale;
} o2c_dwq_job;

O2C_U8_INLINE o2c_dwq_col o2c_dwq_load3(const uint8_t *x, int64_t row,
                                        __mmask64 m)
{
  return o2c_dwq_mix(
      _mm512_maskz_loadu_epi8(m, x), _mm512_maskz_loadu_epi8(m, x + row),
      _mm512_maskz_loadu_epi8(m, x + 2 * row), _mm512_setzero_si512());
}

/* 3 x 3 where windows overlap by 3 - step columns, step 1 or 2. */
O2C_U8_INLINE void o2c_dwq_3x3(const o2c_dwq_job *j, const uint8_t *x,
                               const int8_t *w, uint8_t *y, const int step)
{
  const o2c_dw_u8_p *p = j->p;
  const uint8_t *wb = (const uint8_t *)w;
  const __mmask64 m = j->m;
  const int64_t next = p->tap_pix, row = p->tap_row;
  const o2c_dwq_col w0 = o2c_dwq_load3(wb, 3 * (int64_t)p->c, m);
  const o2c_dwq_col w1 = o2c_dwq_load3(wb + p->c, 3 * (int64_t)p->c, m);
  const o2c_dwq_col w2 = o2c_dwq_load3(wb + 2 * p->c, 3 * (int64_t)p->c, m);
  int32_t i, k;
  for (i = 0; i < p->oh; ++i) {
    const uint8_t *a = x + i * p->x_row;
    uint8_t *to = y + i * p->y_row;
    o2c_dwq_col c0 = o2c_dwq_load3(a, row, m), c1, c2;
    a += next;
    c1 = c0;
    if (step == 1) {
      c1 = o2c_dwq_load3(a, row, m);
      a += next;
    }
    O2C_U8_ROLLED
    for (k = 0; k < p->ow; ++k, to += p->y_pix) {
      o2c_dwq_col s;
      if (step == 2) {
        c1 = o2c_dwq_load3(a, row, m);
        a += next;
      }
      c2 = o2c_dwq_load3(a, row, m);
      a += next;
      s = o2c_dwq_dot(j->bias, c0, w0);
      s = o2c_dwq_dot(s, c1, w1);
      s = o2c_dwq_dot(s, c2, w2);
      c0 = step == 1 ? c1 : c2;
      c1 = c2;
      _mm512_mask_storeu_epi8(to, m, o2c_dwq_bytes(s, j->scale, p));
    }
  }
}

/* c is 8, 16 or 32: 64 bytes hold several pixels. */
O2C_U8_INLINE __m512i o2c_dwq_again8(const int8_t *w, int32_t c)
{
  int64_t few;
  if (c == 32)
    return _mm512_broadcast_i64x4(
        _mm256_loadu_si256((const __m256i *)(const void *)w));
  if (c == 16)
    return _mm512_broadcast_i32x4(
        _mm_loadu_si128((const __m128i *)(const void *)w));
  memcpy(&few, w, 8);
  return _mm512_set1_epi64(few);
}

/* 64 numbers of 32 bits in the order of o2c_dwq_mix, the same c again. */
O2C_U8_INLINE o2c_dwq_col o2c_dwq_again32(const void *from, int32_t c)
{
  const int32_t *p = (const int32_t *)from;
  __m512i q0, q1;
  if (c == 8) {
    q0 = q1 = _mm512_broadcast_i64x4(
        _mm256_loadu_si256((const __m256i *)(const void *)p));
  } else {
    q0 = _mm512_loadu_si512(p);
    q1 = c == 32 ? _mm512_loadu_si512(p + 16) : q0;
  }
  return o2c_dwq_spread(q0, q1, q0, q1);
}

O2C_U8_INLINE o2c_dwq_col o2c_dwq_again3(const int8_t *w, int32_t c)
{
  return o2c_dwq_mix(o2c_dwq_again8(w, c), o2c_dwq_again8(w + 3 * c, c),
                     o2c_dwq_again8(w + 6 * c, c), _mm512_setzero_si512());
}

/* 3 x 3 of few channels, side by side in x and y: as many pixels of a row as
 * 64 bytes hold. */
O2C_U8_INLINE void o2c_dwq_pixels(const uint8_t *x, const int8_t *w,
                                  const int32_t *bias, const float *scale,
                                  uint8_t *y, const o2c_dw_u8_p *p)
{
  const int32_t c = p->c;
  const o2c_dwq_col w0 = o2c_dwq_again3(w, c);
  const o2c_dwq_col w1 = o2c_dwq_again3(w + c, c);
  const o2c_dwq_col w2 = o2c_dwq_again3(w + 2 * c, c);
  const o2c_dwq_col b = o2c_dwq_again32(bias, c);
  const o2c_dwq_col m = o2c_dwq_again32(scale, c);
  const int64_t row = p->tap_row;
  int32_t i, k;
  for (i = 0; i < p->oh; ++i, x += p->x_row, y += p->y_row)
    O2C_U8_ROLLED
    for (k = 0; k < p->ow * c; k += 64) {
      const int32_t left = p->ow * c - k;
      const __mmask64 some =
          left < 64 ? ((__mmask64)1 << left) - 1 : ~(__mmask64)0;
      o2c_dwq_col s = o2c_dwq_dot(b, o2c_dwq_load3(x + k, row, some), w0);
      s = o2c_dwq_dot(s, o2c_dwq_load3(x + k + c, row, some), w1);
      s = o2c_dwq_dot(s, o2c_dwq_load3(x + k + 2 * c, row, some), w2);
      _mm512_mask_storeu_epi8(y + k, some, o2c_dwq_bytes(s, m, p));
    }
}

O2C_U8_INLINE int o2c_dwq_has_pixels(const o2c_dw_u8_p *p)
{
  return (p->c == 8 || p->c == 16 || p->c == 32) && p->kh == 3 && p->kw == 3 &&
         p->x_pix == p->c && p->tap_pix == p->c && p->y_pix == p->c;
}

/* Any window: four taps at a time, one output. */
O2C_U8_INLINE o2c_dwq_col o2c_dwq_any(const o2c_dwq_job *j, const uint8_t *x,
                                      const int8_t *w)
{
  const int32_t n = j->p->kh * j->p->kw;
  o2c_dwq_col s = j->bias;
  int32_t t, k, col = 0;
  int64_t row = 0;
  O2C_U8_ROLLED
  for (t = 0; t < n; t += 4) {
    __m512i a[4], b[4];
    for (k = 0; k < 4; ++k) {
      const __mmask64 m = t + k < n ? j->m : 0;
      a[k] = _mm512_maskz_loadu_epi8(m, x + row + col * j->p->tap_pix);
      b[k] = _mm512_maskz_loadu_epi8(m, w + (int64_t)(t + k) * j->p->c);
      if (++col == j->p->kw) {
        col = 0;
        row += j->p->tap_row;
      }
    }
    s = o2c_dwq_dot(s, o2c_dwq_mix(a[0], a[1], a[2], a[3]),
                    o2c_dwq_mix(b[0], b[1], b[2], b[3]));
  }
  return s;
}

O2C_U8_INLINE void o2c_dwq_block(const o2c_dwq_job *j, const uint8_t *x,
                                 const int8_t *w, uint8_t *y)
{
  const o2c_dw_u8_p *p = j->p;
  int32_t i, k;
  if (p->kh == 3 && p->kw == 3 && p->x_pix == p->tap_pix)
    o2c_dwq_3x3(j, x, w, y, 1);
  else if (p->kh == 3 && p->kw == 3 && p->x_pix == 2 * p->tap_pix)
    o2c_dwq_3x3(j, x, w, y, 2);
  else
    for (i = 0; i < p->oh; ++i)
      O2C_U8_ROLLED
      for (k = 0; k < p->ow; ++k)
        _mm512_mask_storeu_epi8(
            y + i * p->y_row + k * p->y_pix, j->m,
            o2c_dwq_bytes(o2c_dwq_any(j, x + i * p->x_row + k * p->x_pix, w),
                          j->scale, p));
}

O2C_U8_NOINLINE void o2c_dw_u8(const uint8_t *x, const int8_t *w,
                               const int32_t *bias, const float *scale,
                               uint8_t *y, const o2c_dw_u8_p *p)
{
  int32_t c;
  if (o2c_dwq_has_pixels(p) && o2c_u8_fits(bias, scale, p->c, 9)) {
    o2c_dwq_pixels(x, w, bias, scale, y, p);
    return;
  }
  for (c = 0; c < p->c; c += 64) {
    const int32_t n = p->c - c < 64 ? p->c - c : 64;
    o2c_dwq_job j;
    if (!o2c_u8_fits(bias + c, scale + c, n, (int64_t)p->kh * p->kw)) {
      o2c_dwq_few(x + c, w + c, bias + c, scale + c, y + c, n, p);
      continue;
    }
    j.p = p;
    j.m = n == 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1;
    j.bias = o2c_dwq_consts(bias + c, n);
    j.scale = o2c_dwq_consts(scale + c, n);
    o2c_dwq_block(&j, x + c, w + c, y + c);
  }
}

#elif O2C_U8_LANES > 4

/* A pair of taps: a and b are the halves of the channels (x86), or the two
 * taps themselves (NEON). o2c_dwq_sum: the halves of the sums. */
#if defined(O2C_U8_ISA_AVX2) || defined(O2C_U8_ISA_AVXVNNI)
#define O2C_DWQ_C 16
typedef __m256i o2c_dwq_half;
typedef __m256i o2c_dwq_word;
#elif defined(O2C_U8_ISA_SSE2)
#define O2C_DWQ_C 8
typedef __m128i o2c_dwq_half;
typedef __m128i o2c_dwq_word;
#else
#define O2C_DWQ_C 8
typedef int16x8_t o2c_dwq_half;
typedef int32x4_t o2c_dwq_word;
#endif
typedef struct {
  o2c_dwq_half a, b;
} o2c_dwq_pair;
typedef struct {
  o2c_dwq_word a, b;
} o2c_dwq_sum;

#if O2C_DWQ_C == 16
O2C_U8_INLINE __m256i o2c_dwq_wide(const void *p, const int is_signed)
{
  const __m128i v = _mm_loadu_si128((const __m128i *)p);
  return is_signed ? _mm256_cvtepi8_epi16(v) : _mm256_cvtepu8_epi16(v);
}

O2C_U8_INLINE o2c_dwq_pair o2c_dwq_taps(const void *p0, const void *p1,
                                        const int is_signed)
{
  const __m256i t0 = o2c_dwq_wide(p0, is_signed);
  const __m256i t1 = p1 ? o2c_dwq_wide(p1, is_signed) : _mm256_setzero_si256();
  o2c_dwq_pair r;
  r.a = _mm256_unpacklo_epi16(t0, t1);
  r.b = _mm256_unpackhi_epi16(t0, t1);
  return r;
}

O2C_U8_INLINE o2c_dwq_sum o2c_dwq_mac(o2c_dwq_sum s, o2c_dwq_pair x,
                                      o2c_dwq_pair w)
{
  s.a = _mm256_add_epi32(s.a, _mm256_madd_epi16(x.a, w.a));
  s.b = _mm256_add_epi32(s.b, _mm256_madd_epi16(x.b, w.b));
  return s;
}
#elif defined(O2C_U8_ISA_SSE2)
O2C_U8_INLINE __m128i o2c_dwq_wide(const void *p, const int is_signed)
{
  const __m128i v = _mm_loadl_epi64((const __m128i *)p);
  return is_signed ? _mm_srai_epi16(_mm_unpacklo_epi8(v, v), 8)
                   : _mm_unpacklo_epi8(v, _mm_setzero_si128());
}

O2C_U8_INLINE o2c_dwq_pair o2c_dwq_taps(const void *p0, const void *p1,
                                        const int is_signed)
{
  const __m128i t0 = o2c_dwq_wide(p0, is_signed);
  const __m128i t1 = p1 ? o2c_dwq_wide(p1, is_signed) : _mm_setzero_si128();
  o2c_dwq_pair r;
  r.a = _mm_unpacklo_epi16(t0, t1);
  r.b = _mm_unpackhi_epi16(t0, t1);
  return r;
}

O2C_U8_INLINE o2c_dwq_sum o2c_dwq_mac(o2c_dwq_sum s, o2c_dwq_pair x,
                                      o2c_dwq_pair w)
{
  s.a = _mm_add_epi32(s.a, _mm_madd_epi16(x.a, w.a));
  s.b = _mm_add_epi32(s.b, _mm_madd_epi16(x.b, w.b));
  return s;
}
#else
O2C_U8_INLINE int16x8_t o2c_dwq_wide(const void *p, const int is_signed)
{
  if (is_signed)
    return vmovl_s8(vld1_s8((const int8_t *)p));
  return vreinterpretq_s16_u16(vmovl_u8(vld1_u8((const uint8_t *)p)));
}

O2C_U8_INLINE o2c_dwq_pair o2c_dwq_taps(const void *p0, const void *p1,
                                        const int is_signed)
{
  o2c_dwq_pair r;
  r.a = o2c_dwq_wide(p0, is_signed);
  r.b = p1 ? o2c_dwq_wide(p1, is_signed) : vdupq_n_s16(0);
  return r;
}

O2C_U8_INLINE o2c_dwq_sum o2c_dwq_mac(o2c_dwq_sum s, o2c_dwq_pair x,
                                      o2c_dwq_pair w)
{
  s.a = vmlal_s16(s.a, vget_low_s16(x.a), vget_low_s16(w.a));
  s.b = vmlal_s16(s.b, vget_high_s16(x.a), vget_high_s16(w.a));
  s.a = vmlal_s16(s.a, vget_low_s16(x.b), vget_low_s16(w.b));
  s.b = vmlal_s16(s.b, vget_high_s16(x.b), vget_high_s16(w.b));
  return s;
}
#endif

O2C_U8_INLINE void o2c_dwq_put(o2c_dwq_sum s, const int32_t *bias,
                               const float *scale, o2c_rq q, uint8_t *y)
{
#if O2C_DWQ_C == 16
  o2c_u8_lanes l = _mm256_permute2x128_si256(s.a, s.b, 0x20);
  o2c_u8_lanes h = _mm256_permute2x128_si256(s.a, s.b, 0x31);
  l = o2c_u8_lanes_add(l, o2c_u8_lanes_load(bias));
  h = o2c_u8_lanes_add(h, o2c_u8_lanes_load(bias + 8));
  o2c_u8_lanes_u8(l, scale, q, y, 8);
  o2c_u8_lanes_u8(h, scale + 8, q, y + 8, 8);
#else
  o2c_u8_lanes l;
  l.a = s.a;
  l.b = s.b;
  o2c_u8_lanes_u8(o2c_u8_lanes_add(l, o2c_u8_lanes_load(bias)), scale, q, y, 8);
#endif
}

/* mr outputs of one row, O2C_DWQ_C channels; weights are widened once for
 * all of them. */
O2C_U8_INLINE void o2c_dwq_tile(const uint8_t *x, const int8_t *w,
                                const int32_t *bias, const float *scale,
                                uint8_t *y, const o2c_dw_u8_p *p, const int mr)
{
  const int32_t n = p->kh * p->kw;
  const int64_t sx = p->x_pix;
  const o2c_rq q = o2c_rq_make(p->y_zp, p->lo, p->hi);
  o2c_dwq_sum s0, s1, s2, s3;
  int32_t t, col = 0;
  const uint8_t *row = x;
  memset(&s0, 0, sizeof s0);
  s1 = s2 = s3 = s0;
  for (t = 0; t < n; t += 2) {
    const int pair = t + 1 < n;
    const uint8_t *a = row + col * p->tap_pix, *b;
    o2c_dwq_pair v;
    if (++col == p->kw)
      col = 0, row += p->tap_row;
    b = row + col * p->tap_pix;
    if (++col == p->kw)
      col = 0, row += p->tap_row;
    v = o2c_dwq_taps(w, pair ? w + p->c : 0, 1);
    w += 2 * (int64_t)p->c;
    b = pair ? b : a; /* its weights are zero */
    s0 = o2c_dwq_mac(s0, o2c_dwq_taps(a, b, 0), v);
    if (mr > 1) {
      s1 = o2c_dwq_mac(s1, o2c_dwq_taps(a + sx, b + sx, 0), v);
      s2 = o2c_dwq_mac(s2, o2c_dwq_taps(a + 2 * sx, b + 2 * sx, 0), v);
      s3 = o2c_dwq_mac(s3, o2c_dwq_taps(a + 3 * sx, b + 3 * sx, 0), v);
    }
  }
  o2c_dwq_put(s0, bias, scale, q, y);
  if (mr > 1) {
    o2c_dwq_put(s1, bias, scale, q, y + p->y_pix);
    o2c_dwq_put(s2, bias, scale, q, y + 2 * p->y_pix);
    o2c_dwq_put(s3, bias, scale, q, y + 3 * p->y_pix);
  }
}

O2C_U8_INLINE void o2c_dwq_block(const uint8_t *x, const int8_t *w,
                                 const int32_t *bias, const float *scale,
                                 uint8_t *y, const o2c_dw_u8_p *p)
{
  int32_t i, k;
  for (i = 0; i < p->oh; ++i) {
    const uint8_t *a = x + i * p->x_row;
    uint8_t *to = y + i * p->y_row;
    for (k = 0; k + 4 <= p->ow; k += 4, a += 4 * p->x_pix) {
      o2c_dwq_tile(a, w, bias, scale, to, p, 4);
      to += 4 * p->y_pix;
    }
    for (; k < p->ow; ++k, a += p->x_pix, to += p->y_pix)
      o2c_dwq_tile(a, w, bias, scale, to, p, 1);
  }
}

#if O2C_DWQ_C == 16
/* Eight channels, side by side in x and y. */
O2C_U8_INLINE int o2c_dwq_has_twos(const o2c_dw_u8_p *p)
{
  return p->c == 8 && p->x_pix == 8 && p->y_pix == 8 && p->kh * p->kw <= 9;
}

/* Two pixels of a row are one of 16 channels, whose weights come twice. */
O2C_U8_INLINE void o2c_dwq_twos(const uint8_t *x, const int8_t *w,
                                const int32_t *bias, const float *scale,
                                uint8_t *y, const o2c_dw_u8_p *p)
{
  o2c_dw_u8_p two = *p;
  int8_t w2[9 * 16];
  int32_t bias2[16], t;
  float scale2[16];
  for (t = 0; t < p->kh * p->kw; ++t) {
    memcpy(w2 + 16 * t, w + 8 * t, 8);
    memcpy(w2 + 16 * t + 8, w + 8 * t, 8);
  }
  for (t = 0; t < 16; ++t) {
    bias2[t] = bias[t % 8];
    scale2[t] = scale[t % 8];
  }
  two.c = 16;
  two.x_pix = two.y_pix = 16;
  two.ow = p->ow / 2;
  o2c_dwq_block(x, w2, bias2, scale2, y, &two);
  if (p->ow % 2) {
    const int64_t last = 8 * (int64_t)(p->ow - 1);
    two = *p;
    two.ow = 1;
    o2c_dwq_few(x + last, w, bias, scale, y + last, 8, &two);
  }
}
#endif

O2C_U8_NOINLINE void o2c_dw_u8(const uint8_t *x, const int8_t *w,
                               const int32_t *bias, const float *scale,
                               uint8_t *y, const o2c_dw_u8_p *p)
{
  int32_t c;
#if O2C_DWQ_C == 16
  if (o2c_dwq_has_twos(p)) {
    o2c_dwq_twos(x, w, bias, scale, y, p);
    return;
  }
#endif
  for (c = 0; c + O2C_DWQ_C <= p->c; c += O2C_DWQ_C)
    o2c_dwq_block(x + c, w + c, bias + c, scale + c, y + c, p);
  if (c < p->c && c) { /* the last whole vector of channels, again */
    c = p->c - O2C_DWQ_C;
    o2c_dwq_block(x + c, w + c, bias + c, scale + c, y + c, p);
    return;
  }
  if (c < p->c)
    o2c_dwq_few(x, w, bias, scale, y, p->c, p);
}

#else
#include "dw_u8_mcu.h"
#endif
#endif /* O2C_DW_U8_H */
