/* SPDX-License-Identifier: 0BSD */
/* The first k of each row by size, sorted, f32.

     static void o2c_topk_f32(const float *x, float *values, int64_t *indices,
                              int64_t rows, int64_t n, int64_t k, int largest);

   k is at most n and O2C_TOPK_MOST, n at most INT32_MAX; values may be NULL.
   Not-a-number counts as the largest; of equal elements the one with the lower
   index comes first.

   Elements become integers of the same order, turned round for the largest. A
   short row is ranked by comparing all with all, without a branch; of a long
   one, sixteen at a time are compared with the last of the k found so far. */
#ifndef O2C_TOPK_F32_H
#define O2C_TOPK_F32_H

#include "simd.h"

#define O2C_TOPK_MOST 32
#define O2C_TOPK_SHORT 32

/* Smaller: comes first. -0 is 0. */
O2C_INLINE int32_t o2c_topk_key(float v, int32_t turn)
{
  int32_t i;
  v += 0.0f;
  memcpy(&i, &v, sizeof i);
  i ^= (int32_t)((uint32_t)(i >> 31) >> 1);
  return (v != v ? INT32_MAX : i) ^ turn;
}

O2C_INLINE void o2c_topk_keys(const float *x, int32_t *key, int n, int32_t turn)
{
  for (int i = 0; i < n; i++)
    key[i] = o2c_topk_key(x[i], turn);
}

/* A row of m <= O2C_TOPK_SHORT elements. A loop over fewer than that would be
   unrolled, and its vectors not fit the registers. */
O2C_NOINLINE void o2c_topk_rank(const float *x, int64_t *at, int m, int64_t k,
                                int32_t turn)
{
  int32_t key[O2C_TOPK_SHORT], rank[O2C_TOPK_SHORT];
  for (int i = 0; i < O2C_TOPK_SHORT; i++) {
    key[i] = INT32_MAX;
    rank[i] = 0;
  }
  o2c_topk_keys(x, key, m, turn);
  O2C_ROLLED
  for (int i = 0; i < m; i++) {
    const int32_t one = key[i];
    for (int j = 0; j < O2C_TOPK_SHORT; j++)
      rank[j] += (one < key[j]) | ((one == key[j]) & (i < j));
  }
  for (int j = 0; j < m; j++)
    if (rank[j] < k)
      at[rank[j]] = j;
}

/* Element i, whose key is before that of the last of `have`, or `have` < k. */
O2C_INLINE int64_t o2c_topk_insert(int32_t *key, int64_t *at, int64_t have,
                                   int64_t k, int32_t one, int64_t i)
{
  int64_t j = have < k ? have : k - 1;
  for (; j > 0 && one < key[j - 1]; j--) {
    key[j] = key[j - 1];
    at[j] = at[j - 1];
  }
  key[j] = one;
  at[j] = i;
  return have < k ? have + 1 : k;
}

O2C_NOINLINE void o2c_topk_scan(const float *x, int64_t *at, int64_t n,
                                int64_t k, int32_t turn)
{
  int32_t key[O2C_TOPK_MOST], next[16];
  int64_t have = 0;
  for (int64_t i = 0; i < n; i += 16) {
    const int m = (int)(n - i < 16 ? n - i : 16);
    int32_t any = have < k;
    if (m == 16)
      o2c_topk_keys(x + i, next, 16, turn);
    else
      o2c_topk_keys(x + i, next, m, turn);
    if (!any && m == 16)
      for (int j = 0; j < 16; j++)
        any |= next[j] < key[k - 1];
    for (int j = 0; j < m && (any || m < 16); j++)
      if (have < k || next[j] < key[k - 1])
        have = o2c_topk_insert(key, at, have, k, next[j], i + j);
  }
}

O2C_NOINLINE void o2c_topk_f32(const float *x, float *values, int64_t *indices,
                               int64_t rows, int64_t n, int64_t k, int largest)
{
  const int32_t turn = largest ? -1 : 0;
  for (int64_t r = 0; r < rows && k > 0; r++, x += n, indices += k) {
    if (n <= O2C_TOPK_SHORT)
      o2c_topk_rank(x, indices, (int)n, k, turn);
    else
      o2c_topk_scan(x, indices, n, k, turn);
    for (int64_t i = 0; i < k && values; i++)
      values[r * k + i] = x[indices[i]];
  }
}

#endif
