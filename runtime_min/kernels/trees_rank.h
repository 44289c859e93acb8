/* SPDX-License-Identifier: 0BSD */
/* Ensembles of trees (see trees_f32.h) in which no feature is compared with
   more than 255 numbers, as boosting by histograms makes them, and forests over
   columns of few values. A number is then its rank among the thresholds of its
   column, a byte: x > threshold is rank > number of the threshold.

   Few rows: a node is one word. From bit 0 on: 8 bits of the feature, 8 of
   the threshold's number, 4 whose lowest says that a NaN goes to the first
   child, 12 how far the children are. The lower half of a node and that of a
   column (rank, column) compare as their ranks do. A leaf is of the column
   behind the last, which is below all others, has distance 0, and its number in
   the tree in bits 8 to 19. Lanes are eight rows, or eight trees with one row.

   Many rows: a tree makes all its comparisons for 128 of them, 32 to a vector
   of bytes (64 and 16 without AVX2). Eight leaves in a row are a byte of bits,
   which stay where no comparison takes them away: the first child's go where
   rank > number. The least bit of the least byte left is the leaf. A byte needs
   only the comparisons that can change it, and stays in a register for them.
   With 250 leaves in a tree that takes a fifth of the time of walking.

   Sums go in the order of the trees either way. */
#ifndef O2C_TREES_RANK_H
#define O2C_TREES_RANK_H

#include "trees_f32.h"

typedef struct {
  int32_t columns;  /* of x, at most 255 */
  int32_t trees, targets;
  int32_t by_node;  /* a NaN goes to the first child of some nodes */
  int32_t kind;     /* 1 sum, 2 least, 3 greatest */
  int32_t tests;    /* of a tree, on average */
  int32_t wide;     /* leaves have rows in `leaf` of so many numbers: one for
                       each target, up to a multiple of 4, 8 or 16; or 0 */
} o2c_rank_p;

#define O2C_RANK_ROWS 128 /* from column to column of the ranks of many rows */
#define O2C_RANK_LEAST 24 /* rows that are many */
#define O2C_RANK_WALK 64  /* rows that walk a tree together */
/* Elements of `row`. */
#define O2C_RANK_ROW(columns) (O2C_RANK_WALK * ((columns) + 1))
/* Bytes of `room`: ranks, and of each row its byte of bits, the number of that
   byte, and whether there is a NaN. */
#define O2C_RANK_ROOM(columns) (O2C_RANK_ROWS * ((columns) + 3))
/* A tree's words of `tree`: root, target, first leaf, first of its tests. */
#define O2C_RANK_TREE 4

/* --- Vectors of bytes ----------------------------------------------------- */

#if defined(O2C_HAVE_AVX2)
#define O2C_BYTES 32
typedef __m256i o2c_b;
O2C_INLINE o2c_b o2c_bld(const void *p)
{
  return _mm256_loadu_si256((const __m256i *)p);
}
O2C_INLINE void o2c_bst(void *p, o2c_b v)
{
  _mm256_storeu_si256((__m256i *)p, v);
}
O2C_INLINE o2c_b o2c_bset(uint8_t v) { return _mm256_set1_epi8((char)v); }
/* b, without what mask lacks where x > t. */
O2C_INLINE o2c_b o2c_btake(o2c_b b, o2c_b x, o2c_b t, o2c_b mask)
{
  const o2c_b gt = _mm256_cmpgt_epi8(x, t);
#if defined(O2C_HAVE_AVX512VL)
  return _mm256_ternarylogic_epi32(b, gt, mask, 0xb0);
#else
  return _mm256_andnot_si256(_mm256_andnot_si256(mask, gt), b);
#endif
}
/* v, or old where b is 0. */
O2C_INLINE o2c_b o2c_bpick(o2c_b b, o2c_b v, o2c_b old)
{
  const o2c_b none = _mm256_cmpeq_epi8(b, _mm256_setzero_si256());
  return _mm256_blendv_epi8(v, old, none);
}
#elif defined(O2C_HAVE_SSE2)
#define O2C_BYTES 16
typedef __m128i o2c_b;
O2C_INLINE o2c_b o2c_bld(const void *p)
{
  return _mm_loadu_si128((const __m128i *)p);
}
O2C_INLINE void o2c_bst(void *p, o2c_b v)
{
  _mm_storeu_si128((__m128i *)p, v);
}
O2C_INLINE o2c_b o2c_bset(uint8_t v) { return _mm_set1_epi8((char)v); }
O2C_INLINE o2c_b o2c_btake(o2c_b b, o2c_b x, o2c_b t, o2c_b mask)
{
  return _mm_andnot_si128(_mm_andnot_si128(mask, _mm_cmpgt_epi8(x, t)), b);
}
O2C_INLINE o2c_b o2c_bpick(o2c_b b, o2c_b v, o2c_b old)
{
  const o2c_b none = _mm_cmpeq_epi8(b, _mm_setzero_si128());
  return _mm_or_si128(_mm_andnot_si128(none, v), _mm_and_si128(none, old));
}
#elif defined(O2C_HAVE_NEON)
#define O2C_BYTES 16
typedef uint8x16_t o2c_b;
O2C_INLINE o2c_b o2c_bld(const void *p)
{
  return vld1q_u8((const uint8_t *)p);
}
O2C_INLINE void o2c_bst(void *p, o2c_b v) { vst1q_u8((uint8_t *)p, v); }
O2C_INLINE o2c_b o2c_bset(uint8_t v) { return vdupq_n_u8(v); }
O2C_INLINE o2c_b o2c_btake(o2c_b b, o2c_b x, o2c_b t, o2c_b mask)
{
  const o2c_b gt = vcgtq_s8(vreinterpretq_s8_u8(x), vreinterpretq_s8_u8(t));
  return vbicq_u8(b, vbicq_u8(gt, mask));
}
O2C_INLINE o2c_b o2c_bpick(o2c_b b, o2c_b v, o2c_b old)
{
  return vbslq_u8(vceqq_u8(b, vdupq_n_u8(0)), old, v);
}
#else
#define O2C_BYTES 16
typedef struct { int8_t v[16]; } o2c_b;
O2C_INLINE o2c_b o2c_bld(const void *p)
{
  o2c_b v;
  memcpy(&v, p, sizeof v);
  return v;
}
O2C_INLINE void o2c_bst(void *p, o2c_b v) { memcpy(p, &v, sizeof v); }
O2C_INLINE o2c_b o2c_bset(uint8_t v)
{
  o2c_b to;
  memset(&to, v, sizeof to);
  return to;
}
O2C_INLINE o2c_b o2c_btake(o2c_b b, o2c_b x, o2c_b t, o2c_b mask)
{
  int l;
  for (l = 0; l < 16; l++)
    b.v[l] &= (int8_t)(x.v[l] > t.v[l] ? mask.v[l] : -1);
  return b;
}
O2C_INLINE o2c_b o2c_bpick(o2c_b b, o2c_b v, o2c_b old)
{
  int l;
  for (l = 0; l < 16; l++) v.v[l] = b.v[l] ? v.v[l] : old.v[l];
  return v;
}
#endif

/* Tests of a tree that take less time than walking. */
#define O2C_RANK_TESTS (O2C_BYTES == 32 ? INT32_MAX : 150)

/* --- Ranks ---------------------------------------------------------------- */

/* How many of the thresholds, in order and filled up to sixteens by INT32_MAX,
   are less than k. */
O2C_INLINE uint32_t o2c_rank_of(int32_t k, const int32_t *t,
                                const int32_t *end)
{
  uint32_t n = 0;
#if defined(O2C_AVX512)
  const __m512i v = _mm512_set1_epi32(k);
  for (; t < end; t += 16)
    n += o2c_tree_least(0x10000u | ~(uint32_t)_mm512_cmpgt_epi32_mask(
      v, _mm512_loadu_si512(t)));
#elif defined(O2C_AVX2)
  const __m256i v = _mm256_set1_epi32(k);
  for (; t < end; t += 8) {
    const __m256i at = _mm256_loadu_si256((const __m256i *)(const void *)t);
    n += o2c_tree_least(0x100u | ~(uint32_t)_mm256_movemask_ps(
      _mm256_castsi256_ps(_mm256_cmpgt_epi32(v, at))));
  }
#else
  int l;
  for (; t < end; t += 16)
    for (l = 0; l < 16; l++) n += k > t[l];
#endif
  return n;
}

/* One row's ranks, each above its column, 0xffff for NaN. `limit`: where each
   column's thresholds begin and the last one's end, from there on. */
O2C_INLINE int o2c_rank_row(const float *x, const int32_t *limit,
                            uint16_t *key, const o2c_rank_p *p)
{
  int32_t k;
  int nan = 0;
  for (k = 0; k < p->columns; k++) {
    const uint32_t n = o2c_rank_of(o2c_tree_key(x[k]), limit + limit[k],
                                   limit + limit[k + 1]);
    key[k] = (uint16_t)(x[k] != x[k] ? 0xffffu : n << 8 | (uint32_t)k);
    nan |= x[k] != x[k];
  }
  key[p->columns] = 0;
  return nan;
}

/* Ranks of sixteen rows less 128. */
O2C_INLINE void o2c_rank_sixteen(const int32_t *key, const int32_t *t,
                                 const int32_t *end, int8_t *to)
{
#if defined(O2C_AVX512)
  const __m512i v = _mm512_loadu_si512(key), one = _mm512_set1_epi32(1);
  __m512i n = _mm512_set1_epi32(-128);
  for (; t < end && *t != INT32_MAX; t++)
    n = _mm512_mask_add_epi32(
      n, _mm512_cmpgt_epi32_mask(v, _mm512_set1_epi32(*t)), n, one);
  _mm_storeu_si128((__m128i *)(void *)to, _mm512_cvtepi32_epi8(n));
#elif defined(O2C_AVX2)
  const __m256i *from = (const __m256i *)(const void *)key;
  const __m256i a = _mm256_loadu_si256(from);
  const __m256i b = _mm256_loadu_si256(from + 1);
  __m256i n = _mm256_set1_epi32(-128), m = n;
  for (; t < end && *t != INT32_MAX; t++) {
    const __m256i at = _mm256_set1_epi32(*t);
    n = _mm256_sub_epi32(n, _mm256_cmpgt_epi32(a, at));
    m = _mm256_sub_epi32(m, _mm256_cmpgt_epi32(b, at));
  }
  n = _mm256_permute4x64_epi64(_mm256_packs_epi32(n, m), 0xd8);
  _mm_storeu_si128((__m128i *)(void *)to,
                   _mm_packs_epi16(_mm256_castsi256_si128(n),
                                   _mm256_extracti128_si256(n, 1)));
#else
  int32_t n[16];
  int l;
  for (l = 0; l < 16; l++) n[l] = -128;
  for (; t < end && *t != INT32_MAX; t++)
    for (l = 0; l < 16; l++) n[l] += key[l] > *t;
  for (l = 0; l < 16; l++) to[l] = (int8_t)n[l];
#endif
}

/* Ranks of up to 128 rows, column by column; nan: a byte a row. Rows behind
   the last are like it. */
O2C_INLINE void o2c_rank_rows(const float *x, const int32_t *limit,
                              int8_t *key, uint8_t *nan, int64_t rows,
                              const o2c_rank_p *p)
{
  int64_t i, r;
  int32_t k;
  memset(nan, 0, O2C_RANK_ROWS);
  for (k = 0; k < p->columns; k++) {
    if (limit[k] == limit[k + 1]) continue;
    O2C_ROLLED
    for (i = 0; i < rows; i += 16) {
      int32_t v[16];
      for (r = 0; r < 16; r++) {
        const int64_t at = i + r < rows ? i + r : rows - 1;
        const float w = x[at * p->columns + k];
        v[r] = o2c_tree_key(w);
        nan[i + r] |= (uint8_t)(w != w);
      }
      o2c_rank_sixteen(v, limit + limit[k], limit + limit[k + 1],
                       key + (int64_t)k * O2C_RANK_ROWS + i);
    }
  }
}

/* --- A row ---------------------------------------------------------------- */

O2C_INLINE size_t o2c_rank_next(const uint32_t *node, size_t i,
                                const uint16_t *key, int general)
{
  const uint32_t m = node[i], v = key[m & 255];
  uint32_t second = (uint32_t)((m & 0xffff) < v);
  if (general) second &= ~((uint32_t)(v == 0xffff) & m >> 16);
  i += (m >> 20) + second;
  O2C_TREE_LANE(i);
  return i;
}

/* One step of each lane; lane k reads key + k * stride. */
O2C_INLINE void o2c_rank_step(const uint32_t *node, const uint16_t *key,
                              int64_t stride, int general, o2c_tree8 *i)
{
  i->a = o2c_rank_next(node, i->a, key, general);
  i->b = o2c_rank_next(node, i->b, key + stride, general);
  i->c = o2c_rank_next(node, i->c, key + 2 * stride, general);
  i->d = o2c_rank_next(node, i->d, key + 3 * stride, general);
  i->e = o2c_rank_next(node, i->e, key + 4 * stride, general);
  i->f = o2c_rank_next(node, i->f, key + 5 * stride, general);
  i->g = o2c_rank_next(node, i->g, key + 6 * stride, general);
  i->h = o2c_rank_next(node, i->h, key + 7 * stride, general);
}

/* Eight lanes to their leaves. */
O2C_INLINE void o2c_rank_walk(const uint32_t *node, const uint16_t *key,
                              int64_t stride, int general, o2c_tree8 *to)
{
  o2c_tree8 i = *to;
  uint32_t more;
  do {
    o2c_rank_step(node, key, stride, general, &i);
    o2c_rank_step(node, key, stride, general, &i);
    o2c_rank_step(node, key, stride, general, &i);
    more = node[i.a] | node[i.b] | node[i.c] | node[i.d] |
           node[i.e] | node[i.f] | node[i.g] | node[i.h];
    O2C_TREE_LANE(more);
  } while (more >> 20);
  *to = i;
}

/* w, as many numbers as vectors or fours hold, added to or compared with y. */
O2C_INLINE void o2c_rank_take(const float *w, float *y, const o2c_rank_p *p)
{
  int32_t k;
  if (p->kind == 1 && p->wide % O2C_LANES == 0) {
    for (k = 0; k < p->wide; k += O2C_LANES)
      o2c_vst(y + k, o2c_vadd(o2c_vld(y + k), o2c_vld(w + k)));
    return;
  }
  for (k = 0; k < p->wide; k += 4) {
    const float a = o2c_tree_take(y[k], w[k], p->kind);
    const float b = o2c_tree_take(y[k + 1], w[k + 1], p->kind);
    const float c = o2c_tree_take(y[k + 2], w[k + 2], p->kind);
    const float d = o2c_tree_take(y[k + 3], w[k + 3], p->kind);
    y[k] = a, y[k + 1] = b, y[k + 2] = c, y[k + 3] = d;
  }
}

/* What a leaf says. */
O2C_INLINE void o2c_rank_leaf(uint32_t last, uint32_t target,
                              const float *leaf, float *y,
                              const o2c_rank_p *p)
{
  float v;
  if (p->wide) {
    o2c_rank_take(leaf + (size_t)last * (size_t)p->wide, y, p);
    return;
  }
  memcpy(&v, &last, sizeof v);
  y[target] = o2c_tree_take(y[target], v, p->kind);
}

/* What n leaves, of eight at most, say: vectors of sums stay in registers. */
O2C_INLINE void o2c_rank_leaves(const uint32_t *last, const uint32_t *tree,
                                int32_t n, const float *leaf, float *y,
                                const o2c_rank_p *p)
{
  int32_t i, k;
  if (p->wide && p->kind == 1 && p->wide % O2C_LANES == 0) {
    for (k = 0; k < p->wide; k += O2C_LANES) {
      o2c_v v = o2c_vld(y + k);
      for (i = 0; i < n; i++)
        v = o2c_vadd(v, o2c_vld(leaf + (size_t)last[i] * (size_t)p->wide + k));
      o2c_vst(y + k, v);
    }
    return;
  }
  for (i = 0; i < n; i++)
    o2c_rank_leaf(last[i], tree[O2C_RANK_TREE * i + 1], leaf, y, p);
}

O2C_INLINE void o2c_rank_alone(const uint16_t *key, const uint32_t *node,
                               const uint32_t *tree, const uint32_t *last,
                               const float *leaf, float *y,
                               const o2c_rank_p *p, int general)
{
  int32_t t, k;
  for (t = 0; t < p->trees; t += 8, tree += 8 * O2C_RANK_TREE) {
    const int32_t n = p->trees - t < 8 ? p->trees - t : 8;
    uint32_t said[8];
    size_t end[8];
    o2c_tree8 at;
    for (k = 0; k < 8; k++) end[k] = tree[O2C_RANK_TREE * (k < n ? k : 0)];
    at.a = end[0], at.b = end[1], at.c = end[2], at.d = end[3];
    at.e = end[4], at.f = end[5], at.g = end[6], at.h = end[7];
    o2c_rank_walk(node, key, 0, general, &at);
    end[0] = at.a, end[1] = at.b, end[2] = at.c, end[3] = at.d;
    end[4] = at.e, end[5] = at.f, end[6] = at.g, end[7] = at.h;
    for (k = 0; k < n; k++)
      said[k] = last[tree[O2C_RANK_TREE * k + 2] + (node[end[k]] >> 8)];
    o2c_rank_leaves(said, tree, n, leaf, y, p);
  }
}

/* Rows by eights, a tree for all of them, then the next one. */
O2C_INLINE void o2c_rank_eights(const uint16_t *key, const uint32_t *node,
                                const uint32_t *tree, const uint32_t *last,
                                const float *leaf, float *y, int64_t rows,
                                const o2c_rank_p *p)
{
  const int64_t stride = p->columns + 1, each = p->wide ? p->wide : p->targets;
  int64_t i, k;
  int32_t t;
  for (t = 0; t < p->trees; t++, tree += O2C_RANK_TREE) {
    const uint32_t *root = node + tree[0], *of = last + tree[2];
    O2C_ROLLED
    for (i = 0; i < rows; i += 8) {
      o2c_tree8 at = { 0, 0, 0, 0, 0, 0, 0, 0 };
      o2c_rank_walk(root, key + i * stride, stride, 0, &at);
      {
        const size_t end[8] = { at.a, at.b, at.c, at.d,
                                at.e, at.f, at.g, at.h };
        for (k = 0; k < 8; k++)
          o2c_rank_leaf(of[root[end[k]] >> 8], tree[1], leaf,
                        y + (i + k) * each, p);
      }
    }
  }
}

/* Rows that are not many. A NaN that some nodes send elsewhere is for one row
   alone. */
O2C_INLINE void o2c_rank_few(const float *x, const int32_t *limit,
                             uint16_t *key, const uint32_t *node,
                             const uint32_t *tree, const uint32_t *last,
                             const float *leaf, float *y, int64_t rows,
                             const o2c_rank_p *p)
{
  const int64_t stride = p->columns + 1, each = p->wide ? p->wide : p->targets;
  int64_t i, n, k;
  for (i = 0; i < rows; i += n) {
    int general = 0;
    n = rows - i < O2C_RANK_WALK ? rows - i : O2C_RANK_WALK;
    n = n < 8 ? n : n - n % 8;
    for (k = 0; k < n; k++)
      general |= o2c_rank_row(x + (i + k) * p->columns, limit, key + k * stride,
                              p);
    general &= p->by_node != 0;
    if (n >= 8 && !general) {
      o2c_rank_eights(key, node, tree, last, leaf, y + i * each, n, p);
      continue;
    }
    for (k = 0; k < n; k++)
      if (general)
        o2c_rank_alone(key + k * stride, node, tree, last, leaf,
                       y + (i + k) * each, p, 1);
      else
        o2c_rank_alone(key + k * stride, node, tree, last, leaf,
                       y + (i + k) * each, p, 0);
  }
}

/* --- Many rows ------------------------------------------------------------ */

/* A tree's tests: how many bytes its leaves take, then of each, the last byte
   first, how many tests there are, and these: 16 bits where the ranks of the
   column are, 8 of the threshold's number less 128, 8 of the leaves that stay
   where the rank is greater. To each row its byte of bits that is not 0, and
   which one that is. */
O2C_INLINE void o2c_rank_tree(const int8_t *key, const uint32_t *test,
                              uint8_t *bits, uint8_t *which, int four)
{
  const o2c_b zero = o2c_bset(0);
  o2c_b bits0 = zero, bits1 = zero, bits2 = zero, bits3 = zero;
  o2c_b at0 = zero, at1 = zero, at2 = zero, at3 = zero;
  uint32_t byte = *test++;
  while (byte-- > 0) {
    const uint32_t *end = test + 1 + *test;
    o2c_b a = o2c_bset(255), b = a, c = a, d = a, n;
    O2C_ROLLED
    for (test++; test < end; test++) {
      const uint8_t *of = (const uint8_t *)test;
      const int8_t *x = key + (*test & 0xffff);
      const o2c_b t = o2c_bset(of[2]), mask = o2c_bset(of[3]);
      a = o2c_btake(a, o2c_bld(x), t, mask);
      if (!four) continue;
      b = o2c_btake(b, o2c_bld(x + O2C_BYTES), t, mask);
      c = o2c_btake(c, o2c_bld(x + 2 * O2C_BYTES), t, mask);
      d = o2c_btake(d, o2c_bld(x + 3 * O2C_BYTES), t, mask);
    }
    n = o2c_bset((uint8_t)byte);
    at0 = o2c_bpick(a, n, at0), bits0 = o2c_bpick(a, a, bits0);
    if (!four) continue;
    at1 = o2c_bpick(b, n, at1), bits1 = o2c_bpick(b, b, bits1);
    at2 = o2c_bpick(c, n, at2), bits2 = o2c_bpick(c, c, bits2);
    at3 = o2c_bpick(d, n, at3), bits3 = o2c_bpick(d, d, bits3);
  }
  o2c_bst(bits, bits0), o2c_bst(which, at0);
  if (!four) return;
  o2c_bst(bits + O2C_BYTES, bits1), o2c_bst(which + O2C_BYTES, at1);
  o2c_bst(bits + 2 * O2C_BYTES, bits2), o2c_bst(which + 2 * O2C_BYTES, at2);
  o2c_bst(bits + 3 * O2C_BYTES, bits3), o2c_bst(which + 3 * O2C_BYTES, at3);
}

/* Up to four vectors of rows whose ranks are known. */
O2C_INLINE void o2c_rank_block(const int8_t *key, const uint32_t *tree,
                               const uint32_t *test, const uint32_t *last,
                               const float *leaf, uint8_t *room, float *y,
                               int64_t rows, const o2c_rank_p *p)
{
  uint8_t *bits = room, *which = room + O2C_RANK_ROWS;
  int32_t t;
  int64_t i;
  for (t = 0; t < p->trees; t++, tree += O2C_RANK_TREE) {
    const uint32_t *of = last + tree[2];
    if (rows > O2C_BYTES) o2c_rank_tree(key, test + tree[3], bits, which, 1);
    else o2c_rank_tree(key, test + tree[3], bits, which, 0);
    O2C_ROLLED
    for (i = 0; i < rows; i++)
      o2c_rank_leaf(of[8u * which[i] + o2c_tree_least(bits[i])], tree[1], leaf,
                    y + i * (p->wide ? p->wide : p->targets), p);
  }
}

/* Sums, least and greatest values before the first tree, and where a row's
   are: rows of leaves go to room of their width. */
O2C_INLINE float o2c_rank_none(uint8_t always, int32_t kind)
{
  return !always || kind == 1 ? 0.0f : kind == 2 ? INFINITY : -INFINITY;
}

O2C_INLINE void o2c_rank_begin(float *y, const uint8_t *always, int64_t rows,
                               const o2c_rank_p *p)
{
  const int32_t each = p->wide ? p->wide : p->targets;
  int64_t i;
  int32_t k;
  for (i = 0; i < rows; i++, y += each)
    for (k = 0; k < each; k++)
      y[k] = k < p->targets ? o2c_rank_none(always[k], p->kind) : 0.0f;
}

/* x, node, tree, limit, test: see above. last: of each leaf, tree by tree, its
   value, or the number of its row of `leaf`. y: [rows, targets]; is: of the
   same size, whether a target has a value in any row (`always`, one byte a
   target). One that has none gets 0. row: O2C_RANK_ROW; room:
   O2C_RANK_ROOM; part: O2C_RANK_ROWS rows of p->wide. */
O2C_INLINE void o2c_trees_rank(const float *x, const uint32_t *node,
                               const uint32_t *tree, const int32_t *limit,
                               const uint32_t *test, const uint32_t *last,
                               const float *leaf, const uint8_t *always,
                               float *y, uint8_t *is, uint16_t *row,
                               uint8_t *room, float *part, int64_t rows,
                               const o2c_rank_p *p)
{
  uint8_t *more = room + O2C_RANK_ROWS * (size_t)p->columns;
  uint8_t *nan = more + 2 * O2C_RANK_ROWS;
  const int32_t each = p->wide ? p->wide : p->targets;
  int64_t i, k, n;
  for (i = 0; i < rows; i += n, x += n * p->columns, y += n * p->targets) {
    float *sum = p->wide ? part : y;
    int many;
    n = rows - i < 4 * O2C_BYTES ? rows - i : 4 * O2C_BYTES;
    many = n >= O2C_RANK_LEAST && p->tests <= O2C_RANK_TESTS;
    o2c_rank_begin(sum, always, n, p);
    if (many) {
      o2c_rank_rows(x, limit, (int8_t *)room, nan, n, p);
      o2c_rank_block((const int8_t *)room, tree, test, last, leaf, more, sum,
                     n, p);
    } else {
      o2c_rank_few(x, limit, row, node, tree, last, leaf, sum, n, p);
    }
    for (k = 0; many && p->by_node && k < n; k++) {
      if (!nan[k]) continue;
      o2c_rank_begin(sum + k * each, always, 1, p);
      o2c_rank_few(x + k * p->columns, limit, row, node, tree, last, leaf,
                   sum + k * each, 1, p);
    }
    for (k = 0; k < n; k++) {
      if (p->wide)
        memcpy(y + k * p->targets, part + k * p->wide,
               (size_t)p->targets * sizeof *y);
      memcpy(is + (i + k) * p->targets, always, (size_t)p->targets);
    }
  }
}
#endif
