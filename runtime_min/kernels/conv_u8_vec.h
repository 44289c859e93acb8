/* SPDX-License-Identifier: 0BSD */
/* The vector half of conv_u8.h: x86 and AArch64.
 * A tile of `mr` pixels by `nv` vectors of outputs stays in registers over all
 * taps; groups of 4 k are broadcast from each pixel. Accumulators are named
 * scalars, since compilers keep arrays of vectors in memory. */
#ifndef O2C_CONV_U8_VEC_H
#define O2C_CONV_U8_VEC_H

#include "u8.h"

#if O2C_U8_LANES > 4

/* Bias (if not yet in a), requantisation and store of the lanes from output o
 * of the group. */
O2C_U8_INLINE void o2c_u8_put(const o2c_u8_job *j, o2c_u8_lanes a, int32_t o,
                              void *y, int kind)
{
  const int32_t n = j->n - o;
  void *to = o2c_u8_at(y, o, kind);
  if (n <= 0)
    return;
#if !defined(O2C_U8_ISA_AVX512VNNI)
  a = o2c_u8_lanes_add(a, o2c_u8_lanes_load(j->bias + o));
#endif
  if (kind == O2C_U8_TO_U8)
    o2c_u8_lanes_u8(a, j->scale + o, j->q, (uint8_t *)to, n);
  else if (kind == O2C_U8_TO_I32)
    o2c_u8_lanes_i32(a, (int32_t *)to, n);
  else
    o2c_u8_lanes_f32(a, j->scale + o, j->fbias ? j->fbias + o : 0, (float *)to,
                     n);
}

/* ---- what each instruction set brings: o2c_u8_vec of sums, o2c_u8_four for
 * four bytes of a pixel in all lanes, and how to make these (word), load
 * weights (ldb), and multiply (dot) ---------------------------------------- */
#if defined(O2C_U8_ISA_AVX512VNNI)

#define O2C_U8_MR 14 /* pixels of the largest tile */
#define O2C_U8_NV 1  /* vectors per panel of 16 outputs */
#define O2C_U8_NP 2  /* panels of a tile */
typedef __m512i o2c_u8_vec, o2c_u8_four;

O2C_U8_INLINE o2c_u8_four o2c_u8_word(uint32_t x)
{
  return _mm512_set1_epi32((int32_t)x);
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_ldb(const int8_t *w, int64_t panel, int v)
{
  return _mm512_loadu_si512(w + v * panel);
}

/* gcc 12 makes a slow loop of the intrinsic: it copies accumulators. */
O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, o2c_u8_vec a, o2c_u8_vec b)
{
#if defined(__GNUC__) && !defined(__clang__)
  __asm__("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(c) : "v"(a), "v"(b));
  return c;
#else
  return _mm512_dpbusd_epi32(c, a, b);
#endif
}

#elif defined(O2C_U8_ISA_AVXVNNI) || defined(O2C_U8_ISA_AVX2)

#define O2C_U8_NP 1
typedef __m256i o2c_u8_vec, o2c_u8_four;

#if defined(O2C_U8_ISA_AVXVNNI)
#define O2C_U8_MR 6
#define O2C_U8_NV 2
O2C_U8_INLINE o2c_u8_four o2c_u8_word(uint32_t x)
{
  return _mm256_set1_epi32((int32_t)x);
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_ldb(const int8_t *w, int64_t panel, int v)
{
  (void)panel;
  return _mm256_loadu_si256((const __m256i *)(const void *)(w + 32 * v));
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, o2c_u8_vec a, o2c_u8_vec b)
{
#if defined(__GNUC__) && !defined(__clang__)
  __asm__("%{vex%} vpdpbusd {%2, %1, %0|%0, %1, %2}"
          : "+x"(c)
          : "x"(a), "x"(b));
  return c;
#else
  return _mm256_dpbusd_avx_epi32(c, a, b);
#endif
}
#else
/* Products of s16 pairs, the even bytes and the odd ones: exact, where
 * vpmaddubsw would saturate. For a few pixels; conv_u8_avx2.h for more. */
#define O2C_U8_MR 2
#define O2C_U8_NV 2
O2C_U8_INLINE o2c_u8_four o2c_u8_word(uint32_t x)
{
  return _mm256_set1_epi32((int32_t)x);
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_ldb(const int8_t *w, int64_t panel, int v)
{
  (void)panel;
  return _mm256_loadu_si256((const __m256i *)(const void *)(w + 32 * v));
}

/* gcc 12 makes copies of the sums, and keeps those in memory. */
O2C_U8_INLINE o2c_u8_vec o2c_u8_sum(o2c_u8_vec c, o2c_u8_vec a)
{
#if defined(__GNUC__) && !defined(__clang__)
  __asm__("vpaddd {%1, %0, %0|%0, %0, %1}" : "+x"(c) : "x"(a));
  return c;
#else
  return _mm256_add_epi32(c, a);
#endif
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, o2c_u8_vec a, o2c_u8_vec b)
{
  const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8);
  const __m256i odd = _mm256_srai_epi16(b, 8);
  const __m256i low = _mm256_and_si256(a, _mm256_set1_epi16(255));
  c = o2c_u8_sum(c, _mm256_madd_epi16(low, even));
  return o2c_u8_sum(c, _mm256_madd_epi16(_mm256_srli_epi16(a, 8), odd));
}

#include "conv_u8_avx2.h"
#endif

#elif defined(O2C_U8_ISA_SSE2)

#define O2C_U8_MR 2
#define O2C_U8_NV 4
#define O2C_U8_NP 1
#define O2C_U8_HALF 1 /* a tile has 8 of the panel's 16 outputs */
typedef __m128i o2c_u8_vec, o2c_u8_four;

O2C_U8_INLINE o2c_u8_four o2c_u8_word(uint32_t x)
{
  return _mm_unpacklo_epi8(_mm_set1_epi32((int32_t)x), _mm_setzero_si128());
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_ldb(const int8_t *w, int64_t panel, int v)
{
  __m128i b = _mm_loadl_epi64((const __m128i *)(const void *)(w + 8 * v));
  (void)panel;
  return _mm_srai_epi16(_mm_unpacklo_epi8(b, b), 8);
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, o2c_u8_vec a, o2c_u8_vec b)
{
  return _mm_add_epi32(c, _mm_madd_epi16(a, b));
}

O2C_U8_INLINE __m128i o2c_u8_fold(__m128i a, __m128i b)
{
  __m128 x = _mm_castsi128_ps(a), y = _mm_castsi128_ps(b);
  return _mm_add_epi32(_mm_castps_si128(_mm_shuffle_ps(x, y, 0x88)),
                       _mm_castps_si128(_mm_shuffle_ps(x, y, 0xDD)));
}

#elif defined(O2C_U8_ISA_DOT)

#define O2C_U8_MR 6
#define O2C_U8_NV 4
#define O2C_U8_NP 1
typedef int32x4_t o2c_u8_vec;

#if defined(O2C_U8_I8MM)
/* USDOT for single pixels; conv_u8_mm.h for more. */
typedef uint8x16_t o2c_u8_four;
O2C_U8_INLINE o2c_u8_four o2c_u8_word(uint32_t x)
{
  return vreinterpretq_u8_u32(vdupq_n_u32(x));
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, o2c_u8_four a, int8x16_t b)
{
  return vusdotq_s32(c, a, b);
}
#else
/* SDOT wants two signed operands: x - 128, and 128 * sum(w) added to the bias
 * once per panel (o2c_u8_signed_bias). conv_u8_dot.h where kc is 4 or more. */
#define O2C_U8_SIGNED 1
typedef int8x16_t o2c_u8_four;
O2C_U8_INLINE o2c_u8_four o2c_u8_word(uint32_t x)
{
  return vreinterpretq_s8_u32(vdupq_n_u32(x ^ 0x80808080u));
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, o2c_u8_four a, int8x16_t b)
{
  return vdotq_s32(c, a, b);
}
#endif

O2C_U8_INLINE int8x16_t o2c_u8_ldb(const int8_t *w, int64_t panel, int v)
{
  (void)panel;
  return vld1q_s8(w + 16 * v);
}

#else /* NEON without SDOT: products of 8 bits, added in pairs */

#define O2C_U8_MR 4
#define O2C_U8_NV 4
#define O2C_U8_NP 1
#define O2C_U8_HALF 1
#define O2C_U8_SIGNED 1
typedef int32x4_t o2c_u8_vec;
typedef int8x8_t o2c_u8_four;

O2C_U8_INLINE o2c_u8_four o2c_u8_word(uint32_t x)
{
  return vreinterpret_s8_u32(vdup_n_u32(x ^ 0x80808080u));
}

O2C_U8_INLINE int8x8_t o2c_u8_ldb(const int8_t *w, int64_t panel, int v)
{
  (void)panel;
  return vld1_s8(w + 8 * v);
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, o2c_u8_four a, int8x8_t b)
{
  return vpadalq_s16(c, vmull_s8(a, b));
}

O2C_U8_INLINE int32x4_t o2c_u8_fold(int32x4_t a, int32x4_t b)
{
  return vpaddq_s32(a, b);
}
#endif

/* What vector v of the sums begins with: zero, and o2c_u8_put adds the bias;
 * with AVX-512 the bias itself. */
#if defined(O2C_U8_ISA_DOT) || defined(O2C_U8_ISA_NEON)
#define O2C_U8_FIRST(j, v) vdupq_n_s32(0)
#elif defined(O2C_U8_ISA_AVX512VNNI)
#define O2C_U8_FIRST(j, v) o2c_u8_lanes_load((j)->bias + 16 * (v))
#elif defined(O2C_U8_ISA_SSE2)
#define O2C_U8_FIRST(j, v) _mm_setzero_si128()
#else
#define O2C_U8_FIRST(j, v) _mm256_setzero_si256()
#endif

#if defined(O2C_U8_ISA_AVX512VNNI)
/* The bytes of four vectors, one after the other; b and d belong to the next
 * panel, or to the same. */
O2C_U8_INLINE __m512i o2c_u8_bytes(const o2c_u8_job *j, __m512i a, __m512i b,
                                   __m512i c, __m512i d, const int next)
{
  const __m512 s0 = _mm512_loadu_ps(j->scale);
  const __m512 s1 = next ? _mm512_loadu_ps(j->scale + 16) : s0;
  return o2c_u8_in_order(
      o2c_u8_pack(o2c_u8_round(a, s0), o2c_u8_round(b, s1), o2c_u8_round(c, s0),
                  o2c_u8_round(d, s1), _mm512_set1_epi16((short)j->q.zp),
                  _mm512_set1_epi8((char)j->p->lo),
                  _mm512_set1_epi8((char)j->p->hi)));
}

O2C_U8_INLINE void o2c_u8_store2(const o2c_u8_job *j, __m512i v, uint8_t *y,
                                 int64_t y_pix)
{
  const __m256i l = _mm512_castsi512_si256(v);
  const __m256i h = _mm512_extracti64x4_epi64(v, 1);
  if (j->n >= 32) {
    _mm256_storeu_si256((__m256i *)(void *)y, l);
    _mm256_storeu_si256((__m256i *)(void *)(y + y_pix), h);
  } else {
    const __mmask32 m = ((__mmask32)1 << j->n) - 1;
    _mm256_mask_storeu_epi8(y, m, l);
    _mm256_mask_storeu_epi8(y + y_pix, m, h);
  }
}

O2C_U8_INLINE void o2c_u8_store4(const o2c_u8_job *j, __m512i v, uint8_t *y,
                                 int64_t y_pix)
{
  const __mmask16 m = o2c_u8_lanes_mask(j->n);
  _mm_mask_storeu_epi8(y, m, _mm512_castsi512_si128(v));
  _mm_mask_storeu_epi8(y + y_pix, m, _mm512_extracti32x4_epi32(v, 1));
  y += 2 * y_pix;
  _mm_mask_storeu_epi8(y, m, _mm512_extracti32x4_epi32(v, 2));
  _mm_mask_storeu_epi8(y + y_pix, m, _mm512_extracti32x4_epi32(v, 3));
}
#endif

/* Lanes out of two vectors of a pixel (NEON, SSE2: four). */
O2C_U8_INLINE o2c_u8_lanes o2c_u8_pair(const o2c_u8_vec *v)
{
#if defined(O2C_U8_ISA_AVX512VNNI) || defined(O2C_U8_ISA_AVXVNNI) || \
    defined(O2C_U8_ISA_AVX2)
  return v[0];
#else
  o2c_u8_lanes r;
#if defined(O2C_U8_HALF)
  r.a = o2c_u8_fold(v[0], v[1]);
  r.b = o2c_u8_fold(v[2], v[3]);
#else
  r.a = v[0];
  r.b = v[1];
#endif
  return r;
#endif
}

/* The nv vectors of one pixel, on their way out; o: the first's output. */
O2C_U8_INLINE void o2c_u8_out(const o2c_u8_job *j, const o2c_u8_vec *v, int nv,
                              int32_t o, void *y, int kind)
{
#if defined(O2C_U8_HALF)
  (void)nv;
  o2c_u8_put(j, o2c_u8_pair(v), o, y, kind);
#elif defined(O2C_U8_ISA_DOT)
  (void)nv;
  o2c_u8_put(j, o2c_u8_pair(v), o, y, kind);
  o2c_u8_put(j, o2c_u8_pair(v + 2), o + 8, y, kind);
#else
  o2c_u8_put(j, v[0], o, y, kind);
  if (nv > 1)
    o2c_u8_put(j, v[1], o + O2C_U8_LANES, y, kind);
  if (nv > 2)
    o2c_u8_put(j, v[2], o + 2 * O2C_U8_LANES, y, kind);
  if (nv > 3)
    o2c_u8_put(j, v[3], o + 3 * O2C_U8_LANES, y, kind);
#endif
}

/* ---- the tile ---------------------------------------------------------- */
#define O2C_U8_ROWS(F)                                                 \
  F(0, p0, 0)                                                          \
  F(1, p0, s) F(2, p0, s + s) F(3, p3, 0) F(4, p3, s) F(5, p3, s + s)  \
      F(6, p6, 0) F(7, p6, s) F(8, p6, s + s) F(9, p9, 0) F(10, p9, s) \
          F(11, p9, s + s) F(12, p12, 0) F(13, p12, s)
#define O2C_U8_START(i, p, m) \
  o2c_u8_vec c##i = first0, d##i = first1, e##i = first2, f##i = first3;
#define O2C_U8_STEP(i, p, m)                                          \
  if (mr > i) {                                                       \
    const o2c_u8_four x##i = o2c_u8_word(o2c_u8_group(p + (m), few)); \
    O2C_U8_DOT(c##i, x##i, 0) O2C_U8_DOT(d##i, x##i, 1)               \
    O2C_U8_DOT(e##i, x##i, 2) O2C_U8_DOT(f##i, x##i, 3)               \
  }
#define O2C_U8_DOT(c, x, v) \
  if (nv > v)               \
    c = o2c_u8_dot(c, x, o2c_u8_ldb(w, panel, v));
#define O2C_U8_PUT(i, p, m)                                     \
  if (mr > i && i >= done) {                                    \
    const o2c_u8_vec v##i[4] = {c##i, d##i, e##i, f##i};        \
    o2c_u8_out(j, v##i, nv, o, o2c_u8_at(y, i *s, kind), kind); \
  }

#define O2C_U8_TWOS(F) \
  F(0, 1) F(2, 3) F(4, 5) F(6, 7) F(8, 9) F(10, 11) F(12, 13)
#define O2C_U8_PUT2(i, k)                                        \
  if (mr > k)                                                    \
    o2c_u8_store2(j, o2c_u8_bytes(j, c##i, d##i, c##k, d##k, 1), \
                  (uint8_t *)y + i * s, s);
#define O2C_U8_FOURS(F) F(0, 1, 2, 3) F(4, 5, 6, 7) F(8, 9, 10, 11)
#define O2C_U8_PUT4(i, k, l, m)                                  \
  if (mr > m)                                                    \
    o2c_u8_store4(j, o2c_u8_bytes(j, c##i, c##k, c##l, c##m, 0), \
                  (uint8_t *)y + i * s, s);

#if defined(O2C_U8_ISA_AVX512VNNI)
/* The tiles of a column group share the asking for the next group's weights,
 * each by its pixels. Short panels come in time by themselves, and for many
 * pixels weights are a small part of the time. */
O2C_U8_INLINE void o2c_u8_ask_next(o2c_u8_job *j, const int8_t *w,
                                   const int64_t *size)
{
  const int64_t pixels = size[0] * size[1];
  j->next = j->n > 32 ? w + 2 * j->panel : w;
  if (j->panel > 4096 && pixels <= 2048)
    j->next_pixel = (int32_t)((2048 + pixels - 1) / pixels);
}

/* Where the tile of the pixel at x begins to ask. */
O2C_U8_INLINE const int8_t *o2c_u8_next(const o2c_u8_job *j, const uint8_t *x)
{
  if (!j->next_pixel || !j->p->x_pix)
    return j->next;
  return j->next +
         (x - j->x) / j->p->x_pix * j->next_pixel * (j->panel / 64) / 16;
}
#endif

/* mr pixels from x by nv vectors of outputs; o: the first, counted from the
 * group's first, which y and j point to. mr, nv, few, kind are literals at
 * every call, so what they rule out costs nothing. */
O2C_U8_INLINE void o2c_u8_tile(const o2c_u8_job *j, const uint8_t *x,
                               const int8_t *w, int32_t o, void *y,
                               const int mr, const int nv, const int few,
                               const int kind)
{
  const o2c_u8_vec first0 = O2C_U8_FIRST(j, 0);
  const o2c_u8_vec first1 = O2C_U8_FIRST(j, nv > 1);
  const o2c_u8_vec first2 = O2C_U8_FIRST(j, nv > 2 ? 2 : 0);
  const o2c_u8_vec first3 = O2C_U8_FIRST(j, nv > 3 ? 3 : 0);
  const int64_t panel = j->panel;
  int64_t s = j->p->x_pix;
  int32_t t, g, done = 0;
  O2C_U8_ROWS(O2C_U8_START)
#if defined(O2C_U8_ISA_AVX512VNNI)
  const int asks = mr > 4 && nv == 2;
  const int8_t *next = asks ? o2c_u8_next(j, x) : w;
  const int64_t ahead = (j->next_pixel * mr + 15) / 16;
#endif

  O2C_U8_ROLLED
  for (t = 0; t < j->p->ntap; ++t) {
    const uint8_t *p0 = x + j->p->tap[t];
    const uint8_t *p3 = mr > 3 ? p0 + 3 * s : p0;
    const uint8_t *p6 = mr > 6 ? p3 + 3 * s : p0;
    const uint8_t *p9 = mr > 9 ? p6 + 3 * s : p0;
    const uint8_t *p12 = mr > 12 ? p9 + 3 * s : p0;
    O2C_U8_ROLLED
    for (g = j->ng; g > 0; --g) {
      const int32_t step = g == 2 ? j->last : 4;
      O2C_U8_ROWS(O2C_U8_STEP)
      w += 64;
#if defined(O2C_U8_ISA_AVX512VNNI)
      if (asks) {
        _mm_prefetch((const char *)next, _MM_HINT_T1);
        next += ahead;
      }
#endif
      p0 += step, p3 += step, p6 += step, p9 += step, p12 += step;
    }
  }
  s = j->p->y_pix;
#if defined(O2C_U8_ISA_AVX512VNNI)
  if (kind == O2C_U8_TO_U8 && nv == 2) {
    O2C_U8_TWOS(O2C_U8_PUT2)
    done = mr / 2 * 2;
  } else if (kind == O2C_U8_TO_U8 && nv == 1) {
    O2C_U8_FOURS(O2C_U8_PUT4)
    done = mr / 4 * 4;
  }
#endif
  O2C_U8_ROWS(O2C_U8_PUT)
}

#if defined(O2C_U8_ISA_AVX512VNNI)
#include "conv_u8_avx512.h"
#elif defined(O2C_U8_I8MM)
#include "conv_u8_mm.h"
#elif defined(O2C_U8_ISA_DOT)
#include "conv_u8_dot.h"
#endif
#if defined(O2C_U8_ISA_AMX)
#include "conv_u8_amx.h"
#endif

/* The tile sizes of this machine, largest first. */
#if O2C_U8_MR == 14
#define O2C_U8_SIZES(F) F(14) F(8) F(7) F(4) F(2) F(1)
#elif defined(O2C_U8_I8MM)
#define O2C_U8_SIZES(F) \
  O2C_U8_RUN_OWN(6) O2C_U8_RUN_OWN(4) O2C_U8_RUN_OWN(2) F(1)
#elif defined(O2C_U8_ISA_DOT)
#define O2C_U8_SIZES(F) O2C_U8_RUN_OWN(4) O2C_U8_RUN_OWN(2) O2C_U8_RUN_OWN(1)
#elif O2C_U8_MR == 6
#define O2C_U8_SIZES(F) F(6) F(4) F(2) F(1)
#elif O2C_U8_MR == 4
#define O2C_U8_SIZES(F) F(4) F(2) F(1)
#else
#define O2C_U8_SIZES(F) F(2) F(1)
#endif
#define O2C_U8_RUN(m)                           \
  O2C_U8_ROLLED                                 \
  for (; n >= m; n -= m) {                      \
    o2c_u8_tile(j, x, w, o, y, m, nv, 0, kind); \
    x += m * j->p->x_pix;                       \
    y = o2c_u8_at(y, m * j->p->y_pix, kind);    \
  }

#define O2C_U8_RUN_OWN(m)                     \
  O2C_U8_ROLLED                              \
  for (; n >= m; n -= m) {                   \
    o2c_u8_own_tile(j, x, w, y, m, kind);    \
    x += m * j->p->x_pix;                    \
    y = o2c_u8_at(y, m * j->p->y_pix, kind); \
  }

/* n pixels of one row. */
O2C_U8_INLINE void o2c_u8_strip(const o2c_u8_job *j, const uint8_t *x,
                                const int8_t *w, int32_t o, void *y, int64_t n,
                                const int nv, const int kind)
{
  if (j->p->kc < 4 || !j->fits) {
    const int few = j->p->kc < 4 ? j->p->kc : 0;
    O2C_U8_ROLLED
    for (; n > 0; --n) {
      o2c_u8_tile(j, x, w, o, y, 1, nv, few, kind);
      x += j->p->x_pix;
      y = o2c_u8_at(y, j->p->y_pix, kind);
    }
    return;
  }
#if defined(O2C_U8_ISA_AVX512VNNI)
  if (nv == 2 && kind == O2C_U8_TO_U8 && o2c_u8_is_short(j, n)) {
    const int64_t tiles = n / 6;
    o2c_u8_short(j, x, w, (uint8_t *)y, tiles);
    n -= 6 * tiles;
    x += 6 * tiles * j->p->x_pix;
    y = o2c_u8_at(y, 6 * tiles * j->p->y_pix, kind);
  }
#endif
  O2C_U8_SIZES(O2C_U8_RUN)
}

/* The rows of one group of outputs: np panels, or a half of one. */
O2C_U8_INLINE void o2c_u8_rows(o2c_u8_job *j, const uint8_t *x,
                               const int8_t *w, void *y, int64_t rows,
                               int64_t cols, const int np, const int kind)
{
  for (; rows > 0; --rows) {
    j->x = x;
    o2c_u8_strip(j, x, w, 0, y, cols, O2C_U8_NV * np, kind);
#if defined(O2C_U8_HALF)
    if (j->n > 8)
      o2c_u8_strip(j, x, w + 32, 8, y, cols, O2C_U8_NV, kind);
#endif
#if defined(O2C_U8_ISA_AVX512VNNI)
    if (np == 2)
      j->next += cols * j->next_pixel * (j->panel / 64) / 16;
#endif
    x += j->p->x_row;
    y = o2c_u8_at(y, j->p->y_row, kind);
  }
}

#if defined(O2C_U8_SIGNED)
/* sum (x - 128) w = sum x w - 128 sum w: what the signed products lack. */
O2C_U8_INLINE void o2c_u8_signed_bias(const o2c_u8_job *j, const int8_t *w,
                                      int32_t *bias)
{
  int64_t i;
  int32_t o, sum[16] = {0};
  for (i = 0; i < j->panel; i += 64)
    for (o = 0; o < 16; ++o)
      sum[o] +=
          w[i + 4 * o] + w[i + 4 * o + 1] + w[i + 4 * o + 2] + w[i + 4 * o + 3];
  for (o = 0; o < 16; ++o)
    bias[o] = o2c_wrap_add(j->bias[o], (int32_t)(128u * (uint32_t)sum[o]));
}
#endif

/* One pass over a block of pixels that fits the cache, all outputs. */
O2C_U8_INLINE void o2c_u8_block(const uint8_t *x, const int8_t *w,
                                const int32_t *bias, const float *scale,
                                void *y, const o2c_conv_u8_p *p,
                                const int64_t *size, const int kind)
{
  int32_t o, np;
#if defined(O2C_U8_ISA_AMX)
  o2c_amx_plan amx;
  const int tiles = o2c_u8_amx_plan_make(p, size, &amx);
#endif
#if defined(O2C_U8_ISA_AVX2)
  const int listed = p->scratch && p->kc >= 4 && size[0] * size[1] > 2;
  o2c_u8_order order;
#endif
  for (o = 0; o < p->oc; o += 16 * np) {
    o2c_u8_job j = o2c_u8_job_make(p, o, bias, scale);
    const int8_t *wo = w + o / 16 * j.panel;
    void *yo = o2c_u8_at(y, o, kind);
#if defined(O2C_U8_SIGNED)
    int32_t sb[16];
    o2c_u8_signed_bias(&j, wo, sb);
    j.bias = sb;
#endif
    np = j.n > 16 * (O2C_U8_NP - 1) ? O2C_U8_NP : 1;
#if defined(O2C_U8_ISA_AVX512VNNI)
    if (kind == O2C_U8_TO_U8)
      j.fits = o2c_u8_fits(j.bias, j.scale, 16 * np, (int64_t)p->ntap * p->kc);
#endif
#if defined(O2C_U8_ISA_AMX)
    if (tiles && np == 2)
      o2c_u8_amx_rows(&j, &amx, x, wo, yo, 2, kind);
    else if (tiles)
      o2c_u8_amx_rows(&j, &amx, x, wo, yo, 1, kind);
    else
#endif
#if defined(O2C_U8_ISA_AVX512VNNI)
    if (j.n > 48 && size[0] * size[1] == 1 && p->kc >= 4) {
      np = 4; /* one pixel: four chains hide the latency */
      o2c_u8_tile(&j, x, wo, 0, yo, 1, 4, 0, kind);
    } else if (np == 2) {
      o2c_u8_ask_next(&j, wo, size);
      o2c_u8_rows(&j, x, wo, yo, size[0], size[1], 2, kind);
    } else
#elif defined(O2C_U8_ISA_AVX2)
    if (listed) {
      if (o == 0)
        o2c_u8_order_make(&order, &j, x, size);
      o2c_u8_sort(&j, wo, &order);
      o2c_u8_rows_listed(&j, &order, x, wo, yo, size[0], size[1], kind);
    } else
#endif
      o2c_u8_rows(&j, x, wo, yo, size[0], size[1], 1, kind);
  }
}

/* Blocks of about 256 KB of input, so that it is read from the cache for all
 * outputs while a panel of weights is used for the whole block. */
O2C_U8_INLINE void o2c_u8_conv(const uint8_t *x, const int8_t *w,
                               const int32_t *bias, const float *scale, void *y,
                               const o2c_conv_u8_p *p, const int kind)
{
  const int64_t budget = 262144;
  int64_t n[2], size[2], at[2] = {0, 0};
  const int flat = p->oh == 1 || (p->x_row == p->ow * p->x_pix &&
                                  p->y_row == p->ow * p->y_pix);
  n[0] = flat ? 1 : p->oh;
  n[1] = flat ? (int64_t)p->oh * p->ow : p->ow;
  size[0] = p->x_row > 0 && !flat ? budget / p->x_row + 1 : 1;
  size[1] = flat && p->x_pix > 0 ? (budget / p->x_pix + 84) / 84 * 84 : n[1];
#if defined(O2C_U8_ISA_AMX)
  o2c_u8_amx_open(p);
#endif
  for (at[0] = 0; at[0] < n[0]; at[0] += size[0]) {
    for (at[1] = 0; at[1] < n[1]; at[1] += size[1]) {
      int64_t now[2];
      now[0] = n[0] - at[0] < size[0] ? n[0] - at[0] : size[0];
      now[1] = n[1] - at[1] < size[1] ? n[1] - at[1] : size[1];
      o2c_u8_block(x + at[0] * p->x_row + at[1] * p->x_pix, w, bias, scale,
                   o2c_u8_at(y, at[0] * p->y_row + at[1] * p->y_pix, kind), p,
                   now, kind);
    }
  }
#if defined(O2C_U8_ISA_AMX)
  o2c_u8_amx_close(p);
#endif
}

#endif /* O2C_U8_LANES */
#endif /* O2C_CONV_U8_VEC_H */
