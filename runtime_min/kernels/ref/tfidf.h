/* SPDX-License-Identifier: 0BSD */
/* TfIdfVectorizer: words become numbers, then all n-grams of a row are looked
 * up in a tree. Node k has the word word[k]; its children are the nodes
 * first[k] to first[k + 1] - 1, sorted by word; 0 is the root. out[k] is where
 * the n-gram that ends there is counted, -1 where none does. */
#include "hash.h"
#if T_IS_FLOAT && T_BITS == 32
O2C_UNUSED static int32_t o2c_ngram_child(const int32_t *word,
                                          const int32_t *first, int32_t node,
                                          int32_t want) {
  int32_t lo = first[node], hi = first[node + 1];
  while (lo < hi) {
    const int32_t mid = lo + (hi - lo) / 2;
    if (word[mid] == want) return mid;
    if (word[mid] < want)
      lo = mid + 1;
    else
      hi = mid;
  }
  return -1;
}

/* Fills slot[mask + 1], the table of nodes that are no words alone, for
 * tfidf_f32.h. */
O2C_UNUSED static void NAME(gram_slots)(const void *words, const void *firsts,
                                        void *slots, int64_t n, int64_t mask) {
  const int32_t *word = (const int32_t *)words;
  const int32_t *first = (const int32_t *)firsts;
  int32_t *slot = (int32_t *)slots, k;
  int64_t i;
  for (i = 0; i <= mask; i++) slot[i] = -1;
  for (i = 1; i < n; i++)
    for (k = first[i]; k < first[i + 1]; k++) {
      int64_t h = (int64_t)(o2c_hash_gram((int32_t)i, word[k]) &
                            (uint64_t)mask);
      while (slot[h] >= 0) h = (h + 1) & mask;
      slot[h] = k;
    }
}

/* shape: rows, words a row, size of a row of y, shortest and longest n-gram,
 * skips, words; a number of a word that is as large as that is none of them.
 * root, slots: for tfidf_f32.h. weight: of the n-gram that ends at a node,
 * NULL: 1; `once`: it stands for any number of that n-gram. Words of one stand
 * 1 to skips + 1 apart; single words count once. */
O2C_UNUSED static void NAME(tfidf)(const void *id, const void *words,
                                   const void *firsts, const void *outs,
                                   const void *root, const void *slots,
                                   const T *weight, T *y, int64_t once,
                                   int64_t mask, const int64_t *shape) {
  const int32_t *x = (const int32_t *)id, *word = (const int32_t *)words;
  const int32_t *first = (const int32_t *)firsts;
  const int32_t *out = (const int32_t *)outs;
  const int64_t c = shape[1], size = shape[2];
  int64_t r, i, apart, at, n;
  (void)root;
  (void)slots;
  (void)mask;
  for (r = 0; r < shape[0]; r++, x += c, y += size) {
    for (i = 0; i < size; i++) y[i] = 0;
    for (i = 0; i < c; i++)
      for (apart = 1; apart <= shape[5] + 1 && (apart == 1 || i + apart < c);
           apart++) {
        int32_t node = 0;
        for (at = i, n = 1; at < c && n <= shape[4]; at += apart, n++) {
          node = x[at] == shape[6] ? -1
                                   : o2c_ngram_child(word, first, node, x[at]);
          if (node < 0) break;
          if (n < shape[3] || (n == 1 && apart > 1) || out[node] < 0) continue;
          if (once) y[out[node]] = 0;
          y[out[node]] += weight ? weight[node] : 1;
        }
      }
  }
}
#endif
