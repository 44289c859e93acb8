/* SPDX-License-Identifier: 0BSD */
/* TfIdfVectorizer: all n-grams of a row of words are counted.

     static void o2c_tfidf_f32(const void *id, const void *word,
                               const void *first, const void *out,
                               const void *root, const void *slots,
                               const float *weight, float *y, int64_t once,
                               int64_t mask, const int64_t *shape);

   The tree of n-grams, weight, once and shape are those of ref/tfidf.h. root[w]
   is the node of word w alone, or -1, as it is for words that are none;
   slots[mask + 1] is a table with open addresses of the other nodes, by
   o2c_hash_gram of their parent and their word. So a word costs one load, and
   each further one of an n-gram one probe. */
#ifndef O2C_TFIDF_F32_H
#define O2C_TFIDF_F32_H

#include "simd.h"
#include "ref/hash.h"

typedef struct {
  const int32_t *word, *first, *out, *slot;
  int64_t mask;
} o2c_grams;

/* The node that `word` leads to from a node that has children; -1: none. */
O2C_INLINE int32_t o2c_gram_next(const o2c_grams *g, int32_t node, int32_t word)
{
  const int32_t from = g->first[node], to = g->first[node + 1];
  int64_t h = (int64_t)(o2c_hash_gram(node, word) & (uint64_t)g->mask);
  int32_t k;
  while ((k = g->slot[h]) >= 0 && (k < from || k >= to || g->word[k] != word))
    h = (h + 1) & g->mask;
  return k;
}

/* What begins with node k, a word alone, and goes on by x[apart], x[2 apart],
   .. before `end`. */
O2C_INLINE void o2c_count_grams(const o2c_grams *g, int32_t k, const int32_t *x,
                                const int32_t *end, int64_t apart,
                                const float *weight, float *y, int64_t once,
                                const int64_t *shape)
{
  for (int64_t n = 1;; n++) {
    const int32_t to = g->out[k];
    if (n >= shape[3] && to >= 0 && (n > 1 || apart == 1))
      y[to] = (once ? 0 : y[to]) + (weight ? weight[k] : 1);
    if (n == shape[4] || end - x <= apart || g->first[k] == g->first[k + 1])
      return;
    x += apart;
    k = o2c_gram_next(g, k, *x);
    if (k < 0)
      return;
  }
}

O2C_UNUSED static void o2c_tfidf_f32(const void *id, const void *word,
                                     const void *first, const void *out,
                                     const void *root, const void *slots,
                                     const float *weight, float *y,
                                     int64_t once, int64_t mask,
                                     const int64_t *shape)
{
  const o2c_grams g = { (const int32_t *)word, (const int32_t *)first,
                        (const int32_t *)out, (const int32_t *)slots, mask };
  const int32_t *x = (const int32_t *)id, *alone = (const int32_t *)root;
  const int64_t c = shape[1], size = shape[2];
  for (int64_t r = 0; r < shape[0]; r++, x += c, y += size) {
    if (size)
      memset(y, 0, (size_t)size * sizeof *y);
    for (int64_t i = 0; i < c; i++) {
      const int32_t k = alone[x[i]];
      for (int64_t apart = 1; k >= 0 && apart <= shape[5] + 1; apart++) {
        if (apart > 1 && i + apart >= c)
          break;
        o2c_count_grams(&g, k, x + i, x + c, apart, weight, y, once, shape);
      }
    }
  }
}
#endif
