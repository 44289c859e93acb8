/* SPDX-License-Identifier: 0BSD */
/* The tile of conv_u8.h for AVX2 without VNNI.
 *
 * vpmaddubsw multiplies 32 pairs at a time, where vpmaddwd takes 16 and wants
 * bytes widened first, but its sums of two products saturate at 16 bits. They
 * can only where the two weights add up to more than 128 in magnitude, since
 * 255 * 128 fits. So the groups of a panel are sorted once for a block of
 * pixels: nearly all go the short way, the others by 16-bit products. Sums of
 * int32 that wrap do not depend on the order: the same bits either way. */
#ifndef O2C_CONV_U8_AVX2_H
#define O2C_CONV_U8_AVX2_H

/* The groups of a panel as (offset in x, offset in w): those of the short way
 * from the front, the others from the end. */
typedef struct {
  int32_t *at; /* 2 * all numbers */
  int32_t safe, all;
} o2c_u8_order;

O2C_U8_INLINE __m256i o2c_u8_ld256(const int8_t *p)
{
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* Magnitudes of the sums of pairs. */
O2C_U8_INLINE __m256i o2c_u8_pairs(const int8_t *w)
{
  return _mm256_abs_epi16(
      _mm256_maddubs_epi16(_mm256_set1_epi8(1), o2c_u8_ld256(w)));
}

O2C_U8_NOINLINE void o2c_u8_sort(const o2c_u8_job *j, const int8_t *w,
                                 o2c_u8_order *o)
{
  const __m256i most = _mm256_set1_epi16(128);
  int32_t t, g, at = 0, end = 2 * j->p->ntap * j->ng;
  o->all = end / 2;
  o->safe = 0;
  for (t = 0; t < j->p->ntap; ++t)
    for (g = 0; g < j->ng; ++g, at += 64) {
      const __m256i v =
          _mm256_max_epi16(o2c_u8_pairs(w + at), o2c_u8_pairs(w + at + 32));
      const int wide = _mm256_movemask_epi8(_mm256_cmpgt_epi16(v, most)) != 0;
      int32_t *to = o->at + (wide ? end -= 2 : 2 * o->safe);
      to[0] = j->p->tap[t] + (g + 1 < j->ng ? 4 * g : j->p->kc - 4);
      to[1] = at;
      o->safe += !wide;
    }
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

  for (n = o->safe; n > 0; --n, list += 2) {
    const __m256i w0 = o2c_u8_ld256(w + list[1]);
    const __m256i w1 = o2c_u8_ld256(w + list[1] + 32);
    O2C_U8_PIXELS(O2C_U8_SHORT)
  }
  for (n = o->all - o->safe; n > 0; --n, list += 2) {
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
