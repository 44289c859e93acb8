/* SPDX-License-Identifier: 0BSD */
/* The tile of conv_u8.h for AVX2 without VNNI.
 *
 * vpmaddubsw multiplies 32 pairs at a time, where vpmaddwd takes 16 and wants
 * bytes widened first, but its sums of two products saturate at 16 bits. What
 * they can come to is bounded by the weights and by the greatest value that
 * each k has in the block of pixels, which is mostly far below 255: channels
 * share one scale. So the groups of a panel are sorted once for a block: sets
 * of four groups whose products all add up in 16 bits, single groups whose
 * pairs do, and others, which take 16-bit products. Sums of int32 that wrap do
 * not depend on the order: the same bits whatever the values are. */
#ifndef O2C_CONV_U8_AVX2_H
#define O2C_CONV_U8_AVX2_H

/* The groups of a panel as (offset in x, offset in w). */
typedef struct {
  int32_t *at;       /* sets from the front, wide groups from the end */
  int32_t *single;
  uint8_t *most;     /* [ntap][kc], the greatest values of a block */
  int32_t sets, singles, wide, all;
} o2c_u8_order;

O2C_U8_INLINE __m256i o2c_u8_ld256(const void *p)
{
  return _mm256_loadu_si256((const __m256i *)p);
}

/* The greatest of n bytes from x on over all pixels; n >= 4. */
O2C_U8_NOINLINE void o2c_u8_most(const uint8_t *x, uint8_t *most, int32_t n,
                                 const o2c_conv_u8_p *p, const int64_t *size)
{
  int64_t i, j;
  int32_t k = 0;
  while (k < n) {
    const int wide = n - k >= 128 ? 128 : n >= 32 ? 32 : n >= 16 ? 16 : 4;
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    k = k < n - wide ? k : n - wide;
    for (i = 0; i < size[0]; ++i) {
      const uint8_t *from = x + i * p->x_row + k;
      for (j = 0; j < size[1]; ++j, from += p->x_pix) {
        if (wide == 128) {
          a = _mm256_max_epu8(a, o2c_u8_ld256(from));
          b = _mm256_max_epu8(b, o2c_u8_ld256(from + 32));
          c = _mm256_max_epu8(c, o2c_u8_ld256(from + 64));
          d = _mm256_max_epu8(d, o2c_u8_ld256(from + 96));
        } else if (wide == 32) {
          a = _mm256_max_epu8(a, o2c_u8_ld256(from));
        } else {
          const __m128i v =
              wide == 16 ? _mm_loadu_si128((const __m128i *)(const void *)from)
                         : _mm_cvtsi32_si128((int32_t)o2c_ld32(from));
          a = _mm256_max_epu8(a, _mm256_zextsi128_si256(v));
        }
      }
    }
    if (wide >= 32) {
      _mm256_storeu_si256((__m256i *)(void *)(most + k), a);
    } else {
      uint8_t bytes[16];
      _mm_storeu_si128((__m128i *)(void *)bytes, _mm256_castsi256_si128(a));
      memcpy(most + k, bytes, (size_t)wide);
    }
    if (wide == 128) {
      _mm256_storeu_si256((__m256i *)(void *)(most + k + 32), b);
      _mm256_storeu_si256((__m256i *)(void *)(most + k + 64), c);
      _mm256_storeu_si256((__m256i *)(void *)(most + k + 96), d);
    }
    k += wide;
  }
}

/* The greatest and least sums of pairs, each of 16 outputs. */
typedef struct {
  __m256i most0, most1, least0, least1;
} o2c_u8_bounds;

O2C_U8_INLINE o2c_u8_bounds o2c_u8_bounds_of(uint32_t x, const int8_t *w)
{
  const __m256i v = _mm256_set1_epi32((int32_t)x);
  const __m256i w0 = o2c_u8_ld256(w), w1 = o2c_u8_ld256(w + 32);
  const __m256i zero = _mm256_setzero_si256();
  o2c_u8_bounds b;
  b.most0 = _mm256_maddubs_epi16(v, _mm256_max_epi8(w0, zero));
  b.most1 = _mm256_maddubs_epi16(v, _mm256_max_epi8(w1, zero));
  b.least0 = _mm256_maddubs_epi16(v, _mm256_min_epi8(w0, zero));
  b.least1 = _mm256_maddubs_epi16(v, _mm256_min_epi8(w1, zero));
  return b;
}

O2C_U8_INLINE o2c_u8_bounds o2c_u8_bounds_add(o2c_u8_bounds a, o2c_u8_bounds b)
{
  a.most0 = _mm256_adds_epi16(a.most0, b.most0);
  a.most1 = _mm256_adds_epi16(a.most1, b.most1);
  a.least0 = _mm256_adds_epi16(a.least0, b.least0);
  a.least1 = _mm256_adds_epi16(a.least1, b.least1);
  return a;
}

/* Has one saturated, or might have? */
O2C_U8_INLINE int o2c_u8_bounds_over(o2c_u8_bounds b)
{
  const __m256i most = _mm256_max_epi16(b.most0, b.most1);
  const __m256i least = _mm256_min_epi16(b.least0, b.least1);
  return _mm256_movemask_epi8(_mm256_or_si256(
      _mm256_cmpeq_epi16(most, _mm256_set1_epi16(32767)),
      _mm256_cmpeq_epi16(least, _mm256_set1_epi16(-32768)))) != 0;
}

/* Where a block's lists and greatest values stand in the scratch. */
O2C_U8_INLINE void o2c_u8_order_make(o2c_u8_order *o, const o2c_u8_job *j,
                                     const uint8_t *x, const int64_t *size)
{
  const o2c_conv_u8_p *p = j->p;
  int32_t t;
  o->all = p->ntap * j->ng;
  o->at = (int32_t *)(void *)p->scratch;
  o->single = o->at + 2 * o->all;
  o->most = (uint8_t *)(o->single + 2 * o->all);
  for (t = 0; t < p->ntap; ++t)
    o2c_u8_most(x + p->tap[t], o->most + (int64_t)t * p->kc, p->kc, p, size);
}

/* A set takes what still fits, in the order of k. */
O2C_U8_NOINLINE void o2c_u8_sort(const o2c_u8_job *j, const int8_t *w,
                                 o2c_u8_order *o)
{
  o2c_u8_bounds sum = o2c_u8_bounds_of(0, w);
  int32_t *end = o->at + 2 * o->all, *set = o->at, *single = o->single;
  int32_t t, g, at = 0, n = 0;
  for (t = 0; t < j->p->ntap; ++t) {
    const uint8_t *most = o->most + (int64_t)t * j->p->kc;
    for (g = 0; g < j->ng; ++g, at += 64) {
      const int32_t k = g + 1 < j->ng ? 4 * g : j->p->kc - 4;
      const o2c_u8_bounds b = o2c_u8_bounds_of(o2c_ld32(most + k), w + at);
      const o2c_u8_bounds both = o2c_u8_bounds_add(sum, b);
      int32_t *to;
      if (!o2c_u8_bounds_over(both)) {
        to = set + 2 * n++;
        sum = both;
      } else if (!o2c_u8_bounds_over(b)) {
        to = single, single += 2;
      } else {
        to = end -= 2;
      }
      to[0] = j->p->tap[t] + k;
      to[1] = at;
      if (n == 4) {
        sum = o2c_u8_bounds_of(0, w);
        set += 8, n = 0;
      }
    }
  }
  memcpy(single, set, 8 * (size_t)n);
  o->sets = (int32_t)(set - o->at) / 8;
  o->singles = (int32_t)(single - o->single) / 2 + n;
  o->wide = (int32_t)(o->at + 2 * o->all - end) / 2;
}

O2C_U8_INLINE __m256i o2c_u8_short(__m256i c, __m256i x, __m256i w)
{
  return o2c_u8_sum(c, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w),
                                         _mm256_set1_epi16(1)));
}

#define O2C_U8_PIXELS(F) F(0) F(1) F(2) F(3)
#define O2C_U8_ZERO(i) \
  __m256i c##i = _mm256_setzero_si256(), d##i = _mm256_setzero_si256();
#define O2C_U8_LISTED(dot, i)                                \
  if (mr > i) {                                              \
    const __m256i v = o2c_u8_word(o2c_ld32(p##i + list[0])); \
    c##i = dot(c##i, v, w0);                                 \
    d##i = dot(d##i, v, w1);                                 \
  }
/* The products of one group for the pixel at x, added to its 16-bit sums or
 * their beginning. Compilers compute those of all pixels first, and keep them
 * in memory, so they are told the order. */
#if defined(__GNUC__)
#define O2C_U8_ANEW __asm__ volatile("" : : : "memory");
#else
#define O2C_U8_ANEW
#endif
typedef struct {
  uint8_t k[4];
} o2c_u8_four_bytes;

O2C_U8_INLINE void o2c_u8_products(__m256i *s0, __m256i *s1, const uint8_t *x,
                                   __m256i w0, __m256i w1, const int first)
{
#if defined(__GNUC__)
  const o2c_u8_four_bytes *at = (const o2c_u8_four_bytes *)(const void *)x;
  __m256i v, u;
  if (first)
    __asm__ volatile("vpbroadcastd {%2, %1|%1, %2}\n\t"
                     "vpmaddubsw {%3, %1, %0|%0, %1, %3}\n\t"
                     "vpmaddubsw {%4, %1, %1|%1, %1, %4}"
                     : "=&x"(*s0), "=&x"(*s1)
                     : "m"(*at), "x"(w0), "x"(w1));
  else
    __asm__ volatile("vpbroadcastd {%4, %2|%2, %4}\n\t"
                     "vpmaddubsw {%5, %2, %3|%3, %2, %5}\n\t"
                     "vpmaddubsw {%6, %2, %2|%2, %2, %6}\n\t"
                     "vpaddw {%3, %0, %0|%0, %0, %3}\n\t"
                     "vpaddw {%2, %1, %1|%1, %1, %2}"
                     : "+x"(*s0), "+x"(*s1), "=&x"(v), "=&x"(u)
                     : "m"(*at), "x"(w0), "x"(w1));
#else
  const __m256i v = o2c_u8_word(o2c_ld32(x));
  const __m256i t0 = _mm256_maddubs_epi16(v, w0);
  const __m256i t1 = _mm256_maddubs_epi16(v, w1);
  *s0 = first ? t0 : _mm256_add_epi16(*s0, t0);
  *s1 = first ? t1 : _mm256_add_epi16(*s1, t1);
#endif
}

/* Group g of a set for two pixels. Weights are loaded again for the next two:
 * registers hold sums. */
#define O2C_U8_SET_GROUP(i, k, g)                                       \
  {                                                                     \
    O2C_U8_ANEW                                                         \
    const __m256i w0 = o2c_u8_ld256(w + list[2 * (g) + 1]);             \
    const __m256i w1 = o2c_u8_ld256(w + list[2 * (g) + 1] + 32);        \
    o2c_u8_products(&s0, &s1, p##i + list[2 * (g)], w0, w1, (g) == 0);  \
    if (mr > k)                                                         \
      o2c_u8_products(&s2, &s3, p##k + list[2 * (g)], w0, w1, (g) == 0); \
  }
#define O2C_U8_SET_ENDS(i, s0, s1)                                        \
  if (mr > i) {                                                           \
    c##i = o2c_u8_sum(c##i, _mm256_madd_epi16(s0, _mm256_set1_epi16(1))); \
    d##i = o2c_u8_sum(d##i, _mm256_madd_epi16(s1, _mm256_set1_epi16(1))); \
  }
#define O2C_U8_SET_OF(i, k)                                      \
  if (mr > i) {                                                  \
    __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0; \
    O2C_U8_SET_GROUP(i, k, 0) O2C_U8_SET_GROUP(i, k, 1)          \
    O2C_U8_SET_GROUP(i, k, 2) O2C_U8_SET_GROUP(i, k, 3)          \
    O2C_U8_SET_ENDS(i, s0, s1) O2C_U8_SET_ENDS(k, s2, s3)        \
  }
#define O2C_U8_SHORT(i) O2C_U8_LISTED(o2c_u8_short, i)
#define O2C_U8_WIDE(i) O2C_U8_LISTED(o2c_u8_dot, i)
/* Rounded but not yet clamped: saturating packs do the rest, if only the
 * number does not overflow the conversion upwards. */
O2C_U8_INLINE __m256i o2c_u8_round(const o2c_u8_job *j, __m256i a, int o)
{
  const __m256i sum = _mm256_add_epi32(a, o2c_u8_lanes_load(j->bias + o));
  const __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(sum),
                                 _mm256_loadu_ps(j->scale + o));
  return _mm256_cvtps_epi32(_mm256_min_ps(v, _mm256_set1_ps(65536.0f)));
}

/* Whole panels of two pixels as bytes; o2c_requant_u8 of each. */
O2C_U8_INLINE void o2c_u8_put_two(const o2c_u8_job *j, __m256i c0, __m256i d0,
                                  __m256i c1, __m256i d1, void *y, void *next)
{
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i zp = _mm256_set1_epi16((short)j->q.zp);
  __m256i l =
      _mm256_packs_epi32(o2c_u8_round(j, c0, 0), o2c_u8_round(j, d0, 8));
  __m256i h =
      _mm256_packs_epi32(o2c_u8_round(j, c1, 0), o2c_u8_round(j, d1, 8));
  l = _mm256_packus_epi16(_mm256_adds_epi16(l, zp), _mm256_adds_epi16(h, zp));
  l = _mm256_max_epu8(l, _mm256_set1_epi8((char)j->p->lo));
  l = _mm256_min_epu8(l, _mm256_set1_epi8((char)j->p->hi));
  l = _mm256_permutevar8x32_epi32(l, order);
  _mm_storeu_si128((__m128i *)y, _mm256_castsi256_si128(l));
  _mm_storeu_si128((__m128i *)next, _mm256_extracti128_si256(l, 1));
}

#define O2C_U8_PUT_LISTED(i)                               \
  if (mr > i && i >= done) {                                          \
    o2c_u8_put(j, c##i, 0, o2c_u8_at(y, i *s, kind), kind); \
    o2c_u8_put(j, d##i, 8, o2c_u8_at(y, i *s, kind), kind); \
  }

/* mr pixels from x by a panel. */
O2C_U8_INLINE void o2c_u8_listed(const o2c_u8_job *j, const o2c_u8_order *o,
                                 const uint8_t *x, const int8_t *w, void *y,
                                 const int mr, const int kind)
{
  int64_t s = mr > 1 ? j->p->x_pix : 0;
  const uint8_t *p0 = x, *p1 = x + s, *p2 = mr > 2 ? p1 + s : x;
  const uint8_t *p3 = mr > 3 ? p2 + s : x;
  const int32_t *list = o->at;
  int32_t n, done = 0;
  O2C_U8_PIXELS(O2C_U8_ZERO)

  for (n = o->sets; n > 0; --n, list += 8) {
    O2C_U8_SET_OF(0, 1)
    O2C_U8_SET_OF(2, 3)
  }
  list = o->single;
  for (n = o->singles; n > 0; --n, list += 2) {
    const __m256i w0 = o2c_u8_ld256(w + list[1]);
    const __m256i w1 = o2c_u8_ld256(w + list[1] + 32);
    O2C_U8_PIXELS(O2C_U8_SHORT)
  }
  list = o->at + 2 * (o->all - o->wide);
  for (n = o->wide; n > 0; --n, list += 2) {
    const __m256i w0 = o2c_u8_ld256(w + list[1]);
    const __m256i w1 = o2c_u8_ld256(w + list[1] + 32);
    O2C_U8_PIXELS(O2C_U8_WIDE)
  }
  s = j->p->y_pix;
  if (kind == O2C_U8_TO_U8 && mr > 1 && j->n >= 16) {
    o2c_u8_put_two(j, c0, d0, c1, d1, y, (uint8_t *)y + s);
    if (mr > 3)
      o2c_u8_put_two(j, c2, d2, c3, d3, (uint8_t *)y + 2 * s,
                     (uint8_t *)y + 3 * s);
    done = mr > 3 ? 4 : 2;
  }
  O2C_U8_PIXELS(O2C_U8_PUT_LISTED)
}

#define O2C_U8_RUN_LISTED(m)                   \
  for (; n >= m; n -= m) {                     \
    o2c_u8_listed(j, o, x, w, y, m, kind);     \
    x += m * j->p->x_pix;                      \
    y = o2c_u8_at(y, m * j->p->y_pix, kind);   \
  }

/* As o2c_u8_rows, in the order of a list. */
O2C_U8_INLINE void o2c_u8_rows_listed(const o2c_u8_job *j,
                                      const o2c_u8_order *o, const uint8_t *x,
                                      const int8_t *w, void *y, int64_t rows,
                                      int64_t cols, const int kind)
{
  for (; rows > 0; --rows) {
    const uint8_t *row = x;
    void *to = y;
    int64_t n = cols;
    O2C_U8_RUN_LISTED(4)
    O2C_U8_RUN_LISTED(3)
    O2C_U8_RUN_LISTED(2)
    O2C_U8_RUN_LISTED(1)
    x = row + j->p->x_row;
    y = o2c_u8_at(to, j->p->y_row, kind);
  }
}

#endif
