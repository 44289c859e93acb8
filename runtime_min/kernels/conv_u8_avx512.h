/* SPDX-License-Identifier: 0BSD */
/* The tile of conv_u8.h for short sums, with AVX-512.
 *
 * Dot products keep two ports of a core busy, requantisation the others; but
 * done one after the other, neither overlaps with the other, since a tile is
 * longer than what a core looks ahead. So the sums of one tile are requantised
 * between the first three steps of the next one: two sets of 6 x 2 sums. The
 * sums are those of o2c_u8_tile, in the same order. */
#ifndef O2C_CONV_U8_AVX512_H
#define O2C_CONV_U8_AVX512_H

/* Is there room for three steps within a tap, and a panel small enough to be
 * read for every six pixels? What overlaps saves less than a rest of one pixel
 * costs where sums are longer. */
O2C_U8_INLINE int o2c_u8_is_short(const o2c_u8_job *j, int64_t n)
{
  return j->ng >= 3 && j->n >= 32 && n >= 18 &&
         j->panel <= (n % 6 ? 4096 : 8192);
}

/* As o2c_u8_dot, but stays where it is written: compilers move all products
 * behind the requantisation otherwise, as nothing reads them before. */
O2C_U8_INLINE __m512i o2c_u8_dot_here(__m512i c, __m512i a, __m512i b)
{
#if defined(__GNUC__)
  __asm__ volatile("vpdpbusd {%2, %1, %0|%0, %1, %2}"
                   : "+v"(c)
                   : "v"(a), "v"(b));
  return c;
#else
  return _mm512_dpbusd_epi32(c, a, b);
#endif
}

O2C_U8_INLINE void o2c_u8_store_two(__m512i v, uint8_t *y, uint8_t *next)
{
  _mm256_storeu_si256((__m256i *)(void *)y, _mm512_castsi512_si256(v));
  _mm256_storeu_si256((__m256i *)(void *)next,
                      _mm512_extracti64x4_epi64(v, 1));
}

/* clang would unroll the loops over k, mix the steps and run out of
 * registers. */
#if defined(__clang__)
#define O2C_U8_ROLLED _Pragma("clang loop unroll(disable)")
#else
#define O2C_U8_ROLLED
#endif

#define O2C_U8_SET(S)                                            \
  o2c_u8_vec S##0 = first0, S##1 = first0, S##2 = first0,        \
             S##3 = first0, S##4 = first0, S##5 = first0;        \
  o2c_u8_vec S##6 = first1, S##7 = first1, S##8 = first1,        \
             S##9 = first1, S##10 = first1, S##11 = first1;
#define O2C_U8_RESET(S)                                 \
  S##0 = S##1 = S##2 = S##3 = S##4 = S##5 = first0;     \
  S##6 = S##7 = S##8 = S##9 = S##10 = S##11 = first1;
#define O2C_U8_DOT2(S, i, k, from)                    \
  {                                                   \
    const o2c_u8_vec v = o2c_u8_word(o2c_ld32(from)); \
    S##i = o2c_u8_dot_here(S##i, v, w0);              \
    S##k = o2c_u8_dot_here(S##k, v, w1);              \
  }
#define O2C_U8_THREE(S, p, a, b, c, d, e, f) \
  O2C_U8_DOT2(S, a, d, p)                    \
  O2C_U8_DOT2(S, b, e, p + s)                \
  O2C_U8_DOT2(S, c, f, p + s + s)
/* One group of k. */
#define O2C_U8_GROUP(S)                                      \
  {                                                          \
    const int32_t step = g == 2 ? j->last : 4;               \
    const o2c_u8_vec w0 = o2c_u8_ldb(wg, j->panel, 0);       \
    const o2c_u8_vec w1 = o2c_u8_ldb(wg, j->panel, 1);       \
    O2C_U8_THREE(S, p0, 0, 1, 2, 6, 7, 8)                    \
    O2C_U8_THREE(S, p3, 3, 4, 5, 9, 10, 11)                  \
    wg += 64, p0 += step, p3 += step, --g;                   \
  }
#if defined(__GNUC__)
#define O2C_U8_HERE __asm__ volatile("" : : : "memory");
#else
#define O2C_U8_HERE
#endif
#define O2C_U8_PAIR(S, a, b, c, d) \
  O2C_U8_HERE \
  o2c_u8_store_two(                                               \
      o2c_u8_in_order(o2c_u8_pack(                                 \
          o2c_u8_round(S##a, s0), o2c_u8_round(S##b, s1),          \
          o2c_u8_round(S##c, s0), o2c_u8_round(S##d, s1), zp, lo, hi)), \
      y + a * t, y + a * t + t);                                   \
  O2C_U8_HERE
#define O2C_U8_REST(S)                              \
  O2C_U8_ROLLED while (g > 0)                       \
    O2C_U8_GROUP(S)                                 \
  for (n = 1; n < j->p->ntap; ++n) {                \
    p0 = x + j->p->tap[n], p3 = p0 + 3 * s;         \
    O2C_U8_ROLLED for (g = j->ng; g > 0;)           \
      O2C_U8_GROUP(S)                               \
  }                                                 \
  x += 6 * s;
#define O2C_U8_BEGIN                                    \
  p0 = x + j->p->tap[0], p3 = p0 + 3 * s, wg = w, g = j->ng;
/* The sums of the next tile in S while those of the last, T, go to y. */
#define O2C_U8_NEXT(S, T)                                          \
  O2C_U8_BEGIN O2C_U8_RESET(S)                                     \
  O2C_U8_GROUP(S) O2C_U8_PAIR(T, 0, 6, 1, 7)                       \
  O2C_U8_GROUP(S) O2C_U8_PAIR(T, 2, 8, 3, 9)                       \
  O2C_U8_GROUP(S) O2C_U8_PAIR(T, 4, 10, 5, 11)                     \
  O2C_U8_REST(S)                                                   \
  y += 6 * t;
#define O2C_U8_ALL(T) \
  O2C_U8_PAIR(T, 0, 6, 1, 7) \
  O2C_U8_PAIR(T, 2, 8, 3, 9) \
  O2C_U8_PAIR(T, 4, 10, 5, 11)

/* `tiles` times six pixels of one row by two panels, to bytes. */
O2C_U8_NOINLINE void o2c_u8_short(const o2c_u8_job *j, const uint8_t *x,
                                  const int8_t *w, uint8_t *y, int64_t tiles)
{
  const o2c_u8_vec first0 = O2C_U8_FIRST(j, 0), first1 = O2C_U8_FIRST(j, 1);
  const __m512 s0 = _mm512_loadu_ps(j->scale);
  const __m512 s1 = _mm512_loadu_ps(j->scale + 16);
  const __m512i zp = _mm512_set1_epi16((short)j->q.zp);
  const __m512i lo = _mm512_set1_epi8((char)j->p->lo);
  const __m512i hi = _mm512_set1_epi8((char)j->p->hi);
  const int64_t s = j->p->x_pix, t = j->p->y_pix;
  const uint8_t *p0, *p3;
  const int8_t *wg;
  int32_t g, n;
  O2C_U8_SET(a)
  O2C_U8_SET(b)

  O2C_U8_BEGIN
  O2C_U8_REST(a)
  for (; tiles > 2; tiles -= 2) {
    O2C_U8_NEXT(b, a)
    O2C_U8_NEXT(a, b)
  }
  if (tiles > 1) {
    O2C_U8_NEXT(b, a)
    O2C_U8_ALL(b)
  } else {
    O2C_U8_ALL(a)
  }
}

#endif
