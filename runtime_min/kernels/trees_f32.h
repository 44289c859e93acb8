/* SPDX-License-Identifier: 0BSD */
/* Ensembles of trees over rows of floats: what the leaves say, summed (or the
   least, or the greatest) for each target in the order of the trees, whatever
   the number of rows.

   Floats are compared as integers of the same order (o2c_tree_key), in which
   NaN is greatest. A node is two words. The second is its threshold; of a leaf,
   its value, or the number of its row of `leaf`. The first one holds, from bit
   0 on:
     bits of `mask`     the feature
     bit shift - 2      does a NaN go to the first child?
     bit shift - 1      does x < threshold go to the second one too? (== and !=)
     from bit shift on  how far the children are; the second one comes next
   x > threshold goes to the second child. A leaf has distance 0 and compares
   the column behind the last, which is below everything: walking on stays
   there, and no step has a branch but the one that asks whether all lanes have
   arrived. Lanes are eight rows in one tree, or eight trees with one row: they
   do not wait for each other's loads, which are what a walk is made of. Vectors
   are no help: a gather of 16 takes as long as 16 loads. */
#ifndef O2C_TREES_F32_H
#define O2C_TREES_F32_H

#include "simd.h"

typedef struct {
  int32_t columns;  /* of x */
  int32_t trees, targets;
  uint32_t mask;
  int32_t shift;
  int32_t by_node;  /* a NaN goes to the first child of some nodes */
  int32_t equal;    /* some nodes are == or != */
  int32_t kind;     /* 1 sum, 2 least, 3 greatest */
  int32_t wide;     /* leaves have rows in `leaf`, one number a target */
  int32_t bits;     /* trees have at most 32 leaves: see o2c_trees_bits */
} o2c_trees_p;

#define O2C_TREES_ROWS 64 /* that a tree is read once for */
/* Elements of `key`. */
#define O2C_TREES_ROOM(columns) (O2C_TREES_ROWS * ((columns) + 1))

typedef struct { size_t a, b, c, d, e, f, g, h; } o2c_tree8;

O2C_INLINE int32_t o2c_tree_key(float x)
{
  int32_t b;
  x += 0.0f; /* -0 is 0 */
  memcpy(&b, &x, sizeof b);
  b ^= (b >> 31) & INT32_MAX;
  return x != x ? INT32_MAX : b;
}

/* Lanes one after the other: gcc would load for all of them first, and spill;
   the processor looks ahead itself. */
#if defined(__GNUC__)
#define O2C_TREE_LANE(i) __asm__ volatile("" : "+r"(i) : : "memory")
#else
#define O2C_TREE_LANE(i) ((void)0)
#endif

/* general: any node; else the flags of nodes do not matter. */
O2C_INLINE size_t o2c_tree_next(const uint32_t *node, size_t i,
                                const int32_t *key, const o2c_trees_p *p,
                                int general)
{
  const uint32_t *at = node + 2 * i;
  const uint32_t m = at[0];
  const int32_t v = key[m & p->mask], t = (int32_t)at[1];
  uint32_t right = (uint32_t)(v > t);
  if (general) {
    right |= (uint32_t)(v < t) & (m >> (p->shift - 1));
    right &= ~((uint32_t)(v == INT32_MAX) & (m >> (p->shift - 2)));
  }
  i += (m >> p->shift) + right;
  O2C_TREE_LANE(i);
  return i;
}

/* One step of each lane; lane k reads key + k * stride. */
O2C_INLINE void o2c_tree_step(const uint32_t *node, const int32_t *key,
                              int64_t stride, const o2c_trees_p *p,
                              int general, o2c_tree8 *i)
{
  i->a = o2c_tree_next(node, i->a, key, p, general);
  i->b = o2c_tree_next(node, i->b, key + stride, p, general);
  i->c = o2c_tree_next(node, i->c, key + 2 * stride, p, general);
  i->d = o2c_tree_next(node, i->d, key + 3 * stride, p, general);
  i->e = o2c_tree_next(node, i->e, key + 4 * stride, p, general);
  i->f = o2c_tree_next(node, i->f, key + 5 * stride, p, general);
  i->g = o2c_tree_next(node, i->g, key + 6 * stride, p, general);
  i->h = o2c_tree_next(node, i->h, key + 7 * stride, p, general);
}

/* Eight lanes to their leaves. */
O2C_INLINE void o2c_tree_walk(const uint32_t *node, const int32_t *key,
                              int64_t stride, const o2c_trees_p *p,
                              int general, o2c_tree8 *to)
{
  o2c_tree8 i = *to;
  uint32_t more;
  do {
    o2c_tree_step(node, key, stride, p, general, &i);
    o2c_tree_step(node, key, stride, p, general, &i);
    o2c_tree_step(node, key, stride, p, general, &i);
    more = node[2 * i.a] | node[2 * i.b] |
           node[2 * i.c] | node[2 * i.d] |
           node[2 * i.e] | node[2 * i.f] |
           node[2 * i.g] | node[2 * i.h];
    O2C_TREE_LANE(more);
  } while (more >> p->shift);
  *to = i;
}

/* What a leaf says: the second word. */
O2C_INLINE float o2c_tree_value(const uint32_t *node, size_t i)
{
  float v;
  memcpy(&v, node + 2 * i + 1, sizeof v);
  return v;
}

O2C_INLINE float o2c_tree_take(float y, float w, int kind)
{
  if (kind == 1) return y + w;
  return (kind == 2 ? w < y : w > y) ? w : y;
}

/* The rows of `leaf` that `count` nodes name, taken into y. */
O2C_INLINE void o2c_tree_rows(const uint32_t *node, const size_t *at,
                              int count, const float *leaf, float *y,
                              const o2c_trees_p *p)
{
  int32_t k;
  int i;
  if (p->kind == 1) {
    for (k = 0; k < p->targets; k += O2C_LANES) {
      const int n = p->targets - k < O2C_LANES ? p->targets - k : O2C_LANES;
      o2c_v v = o2c_vld_n(y + k, n);
      for (i = 0; i < count; i++) {
        const size_t row = node[2 * at[i] + 1];
        v = o2c_vadd(v, o2c_vld_n(leaf + row * (size_t)p->targets + k, n));
      }
      o2c_vst_n(y + k, v, n);
    }
    return;
  }
  for (i = 0; i < count; i++) {
    const float *w = leaf + node[2 * at[i] + 1] * (size_t)p->targets;
    for (k = 0; k < p->targets; k++) y[k] = o2c_tree_take(y[k], w[k], p->kind);
  }
}

/* What eight rows get of the tree at `root`. */
O2C_INLINE void o2c_tree_eight(const int32_t *key, const uint32_t *root,
                               uint32_t target, const float *leaf, float *y,
                               const o2c_trees_p *p)
{
  o2c_tree8 at = { 0, 0, 0, 0, 0, 0, 0, 0 };
  o2c_tree_walk(root, key, p->columns + 1, p, 0, &at);
  {
    const size_t end[8] = { at.a, at.b, at.c, at.d, at.e, at.f, at.g, at.h };
    int32_t k;
    for (k = 0; k < 8; k++) {
      float *to = y + k * (int64_t)p->targets;
      if (p->wide) {
        o2c_tree_rows(root, end + k, 1, leaf, to, p);
      } else {
        to += target;
        *to = o2c_tree_take(*to, o2c_tree_value(root, end[k]), p->kind);
      }
    }
  }
}

/* `tree`: of each tree its root and its target. A tree stays near while eight
   rows after the other walk it. */
O2C_INLINE void o2c_trees_block(const int32_t *key, const uint32_t *node,
                                const uint32_t *tree, const float *leaf,
                                float *y, int64_t rows, const o2c_trees_p *p)
{
  int32_t t;
  int64_t i;
  for (t = 0; t < p->trees; t++, tree += 2) {
    O2C_ROLLED
    for (i = 0; i < rows; i += 8)
      o2c_tree_eight(key + i * (p->columns + 1), node + 2 * (size_t)tree[0],
                     tree[1], leaf, y + i * p->targets, p);
  }
}

O2C_INLINE void o2c_trees_row(const int32_t *key, const uint32_t *node,
                              const uint32_t *tree, const float *leaf,
                              float *y, const o2c_trees_p *p, int general)
{
  int32_t t, k;
  for (t = 0; t < p->trees; t += 8, tree += 16) {
    const int32_t n = p->trees - t < 8 ? p->trees - t : 8;
    size_t end[8];
    o2c_tree8 at;
    for (k = 0; k < 8; k++) end[k] = tree[2 * (k < n ? k : 0)];
    at.a = end[0], at.b = end[1], at.c = end[2], at.d = end[3];
    at.e = end[4], at.f = end[5], at.g = end[6], at.h = end[7];
    o2c_tree_walk(node, key, 0, p, general, &at);
    end[0] = at.a, end[1] = at.b, end[2] = at.c, end[3] = at.d;
    end[4] = at.e, end[5] = at.f, end[6] = at.g, end[7] = at.h;
    if (p->wide) {
      o2c_tree_rows(node, end, n, leaf, y, p);
    } else if (p->targets == 1) {
      float v = *y;
      for (k = 0; k < n; k++)
        v = o2c_tree_take(v, o2c_tree_value(node, end[k]), p->kind);
      *y = v;
    } else {
      for (k = 0; k < n; k++) {
        float *to = y + tree[2 * k + 1];
        *to = o2c_tree_take(*to, o2c_tree_value(node, end[k]), p->kind);
      }
    }
  }
}

/* Rows as keys, each with the column of leaves; returns whether there is a
   NaN. */
O2C_INLINE int o2c_trees_keys(const float *x, int32_t *key, int64_t rows,
                              int64_t columns)
{
  int64_t i, k;
  int nan = 0;
  for (i = 0; i < rows; i++, x += columns, key += columns + 1) {
    for (k = 0; k < columns; k++) {
      key[k] = o2c_tree_key(x[k]);
      nan |= x[k] != x[k];
    }
    key[columns] = INT32_MIN;
  }
  return nan;
}

/* A tree of at most 32 leaves is a list of comparisons, each with a mask of the
   leaves that are left where x > threshold, the first leaf in bit 0: all of
   them are made for sixteen rows at a time, and the least bit that stays is the
   leaf. `test` has where each tree's comparisons begin and the last one's end,
   then three words each: feature, threshold, mask. */
#define O2C_TREES_LANES 16

/* The number of the least bit of b, which is not 0. */
O2C_INLINE uint32_t o2c_tree_least(uint32_t b)
{
#if defined(__GNUC__)
  return (uint32_t)__builtin_ctz(b);
#else
  const float least = (float)(b & (0u - b));
  uint32_t e;
  memcpy(&e, &least, sizeof e); /* its exponent */
  return (e >> 23) - 127;
#endif
}

#if defined(O2C_HAVE_SSE2)
/* Of four rows: b without what m lacks where x > t. */
O2C_INLINE __m128i o2c_tree_left(__m128i b, __m128i x, __m128i t, __m128i m)
{
  return _mm_andnot_si128(_mm_andnot_si128(m, _mm_cmpgt_epi32(x, t)), b);
}
#endif

/* Of sixteen rows: the value of the leaf that is left. */
O2C_INLINE void o2c_tree_values(const uint32_t *left, const float *value,
                                float *sum)
{
  int l;
  for (l = 0; l < 16; l++) sum[l] += value[o2c_tree_least(left[l])];
}

/* Which of the 32 values each of the rows gets is added to sum. */
O2C_INLINE void o2c_tree_bits(const int32_t *key, const uint32_t *test,
                              const uint32_t *end, const float *value,
                              float *sum)
{
#if defined(O2C_AVX512)
  __m512i b = _mm512_set1_epi32(-1), e;
  __m512 w;
  for (; test < end; test += 3) {
    const __m512i v = _mm512_loadu_si512(key + (size_t)test[0] * 16);
    const __mmask16 gt =
      _mm512_cmpgt_epi32_mask(v, _mm512_set1_epi32((int32_t)test[1]));
    b = _mm512_mask_and_epi32(b, gt, b, _mm512_set1_epi32((int32_t)test[2]));
  }
  b = _mm512_and_si512(b, _mm512_sub_epi32(_mm512_setzero_si512(), b));
  e = _mm512_castps_si512(_mm512_cvtepu32_ps(b)); /* its exponent tells */
  e = _mm512_sub_epi32(_mm512_srli_epi32(e, 23), _mm512_set1_epi32(127));
  w = _mm512_permutex2var_ps(_mm512_loadu_ps(value), e,
                             _mm512_loadu_ps(value + 16));
  _mm512_storeu_ps(sum, _mm512_add_ps(_mm512_loadu_ps(sum), w));
#elif defined(O2C_AVX2)
  __m256i b = _mm256_set1_epi32(-1), c = b;
  for (; test < end; test += 3) {
    const int32_t *at = key + (size_t)test[0] * 16;
    const __m256i t = _mm256_set1_epi32((int32_t)test[1]);
    const __m256i m = _mm256_set1_epi32((int32_t)test[2]);
    const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)at);
    const __m256i w =
      _mm256_loadu_si256((const __m256i *)(const void *)(at + 8));
    b = _mm256_andnot_si256(_mm256_andnot_si256(m, _mm256_cmpgt_epi32(v, t)),
                            b);
    c = _mm256_andnot_si256(_mm256_andnot_si256(m, _mm256_cmpgt_epi32(w, t)),
                            c);
  }
  {
    uint32_t left[16];
    _mm256_storeu_si256((__m256i *)(void *)left, b);
    _mm256_storeu_si256((__m256i *)(void *)(left + 8), c);
    o2c_tree_values(left, value, sum);
  }
#elif defined(O2C_HAVE_SSE2)
  __m128i b = _mm_set1_epi32(-1), c = b, d = b, e = b;
  for (; test < end; test += 3) {
    const __m128i *at = (const __m128i *)(const void *)(key + test[0] * 16);
    const __m128i t = _mm_set1_epi32((int32_t)test[1]);
    const __m128i m = _mm_set1_epi32((int32_t)test[2]);
    b = o2c_tree_left(b, _mm_loadu_si128(at), t, m);
    c = o2c_tree_left(c, _mm_loadu_si128(at + 1), t, m);
    d = o2c_tree_left(d, _mm_loadu_si128(at + 2), t, m);
    e = o2c_tree_left(e, _mm_loadu_si128(at + 3), t, m);
  }
  {
    uint32_t left[16];
    __m128i *to = (__m128i *)(void *)left;
    _mm_storeu_si128(to, b), _mm_storeu_si128(to + 1, c);
    _mm_storeu_si128(to + 2, d), _mm_storeu_si128(to + 3, e);
    o2c_tree_values(left, value, sum);
  }
#else
  uint32_t left[16];
  int l;
  for (l = 0; l < 16; l++) left[l] = UINT32_MAX;
  for (; test < end; test += 3) {
    const int32_t *at = key + (size_t)test[0] * 16, t = (int32_t)test[1];
    const uint32_t m = test[2];
    for (l = 0; l < 16; l++) left[l] &= at[l] > t ? m : UINT32_MAX;
  }
  o2c_tree_values(left, value, sum);
#endif
}

/* Sixteen rows whose keys stand beside each other, column by column. */
O2C_INLINE void o2c_trees_bits(const int32_t *key, const uint32_t *tree,
                               const uint32_t *test, const float *value,
                               float *part, float *y, const o2c_trees_p *p)
{
  int32_t t, k, l;
  for (k = 0; k < p->targets * 16; k++) part[k] = 0.0f;
  for (t = 0; t < p->trees; t++)
    o2c_tree_bits(key, test + test[t], test + test[t + 1], value + 32 * t,
                  part + 16 * tree[2 * t + 1]);
  for (k = 0; k < p->targets; k++)
    for (l = 0; l < 16; l++) y[l * p->targets + k] = part[k * 16 + l];
}

/* Keys of sixteen rows for that; returns whether there is a NaN. Not inlined:
   of a constant number of columns clang keeps them all in a frame of 2 KB. */
O2C_NOINLINE int o2c_trees_turn(const float *x, int32_t *key, int64_t columns)
{
  int64_t i, k;
  int nan = 0;
  for (k = 0; k < columns; k++)
    for (i = 0; i < 16; i++) {
      const float v = x[i * columns + k];
      key[k * 16 + i] = o2c_tree_key(v);
      nan |= v != v;
    }
  return nan;
}

/* Rows from the first one that go by o2c_trees_bits: as many are done. */
O2C_INLINE int64_t o2c_trees_small(const float *x, const uint32_t *tree,
                                   const uint32_t *test, const float *value,
                                   float *y, int32_t *key, float *part,
                                   int64_t rows, const o2c_trees_p *p)
{
  int64_t i;
  for (i = 0; i + 16 <= rows; i += 16) {
    if (o2c_trees_turn(x + i * p->columns, key, p->columns) && p->by_node)
      break;
    o2c_trees_bits(key, tree, test, value, part, y + i * p->targets, p);
  }
  return i;
}

/* y: [rows, targets]; is: of the same size, whether a target has a value in
   any row (`always`, one byte a target). One that has none gets 0. key: room
   of O2C_TREES_ROOM; part: 16 elements a target, test: see above, where trees
   are small. */
O2C_INLINE void o2c_trees_f32(const float *x, const uint32_t *node,
                              const uint32_t *tree, const float *leaf,
                              const uint8_t *always, float *y, uint8_t *is,
                              int32_t *key, float *part,
                              const uint32_t *test, int64_t rows,
                              const o2c_trees_p *p)
{
  const float none = p->kind == 1 ? 0.0f : p->kind == 2 ? INFINITY : -INFINITY;
  int64_t i, k, n;
  for (i = 0; i < rows; i++)
    for (k = 0; k < p->targets; k++) {
      y[i * p->targets + k] = always[k] ? none : 0.0f;
      is[i * p->targets + k] = always[k];
    }
  for (i = 0; i < rows; i += n) {
    float *to = y + i * p->targets;
    n = 0;
    if (p->bits)
      n = o2c_trees_small(x + i * p->columns, tree, test, leaf, to, key, part,
                          rows - i, p);
    if (n) continue;
    n = rows - i < O2C_TREES_ROWS ? rows - i : O2C_TREES_ROWS;
    if (p->bits && n > 16) n = 16;
    const int nan = o2c_trees_keys(x + i * p->columns, key, n, p->columns);
    const int general = p->equal || (p->by_node && nan);
    const int64_t whole = general ? 0 : n - n % 8;
    if (whole) o2c_trees_block(key, node, tree, leaf, to, whole, p);
    for (k = whole; k < n; k++)
      if (general)
        o2c_trees_row(key + k * (p->columns + 1), node, tree, leaf,
                      to + k * p->targets, p, 1);
      else
        o2c_trees_row(key + k * (p->columns + 1), node, tree, leaf,
                      to + k * p->targets, p, 0);
  }
}
#endif
