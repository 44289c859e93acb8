/* SPDX-License-Identifier: 0BSD */
/* TfIdfVectorizer: words become numbers, then all n-grams of a row are looked
 * up in a tree. Node k has the word word[k]; its children are the nodes
 * first[k] to first[k + 1] - 1, sorted by word; 0 is the root. out[k] is where
 * the n-gram that ends there is counted, -1 where none does. */
#if T_IS_STR || (T_IS_INT && T_IS_SIGNED && T_BITS >= 32)
/* pool: sorted words, int64_t or o2c_str; id: which one x is, or -1. */
O2C_UNUSED static void NAME(word_ids)(const T *x, const void *pool, void *id,
                                      int64_t n, int64_t npool) {
  int32_t *to = (int32_t *)id;
  int64_t i;
  for (i = 0; i < n; i++) {
    int64_t lo = 0, hi = npool;
    to[i] = -1;
    while (lo < hi) {
      const int64_t mid = (lo + hi) / 2;
#if T_IS_STR
      const T w = ((const T *)pool)[mid];
      const size_t most = x[i].len < w.len ? x[i].len : w.len;
      int order = most ? memcmp(x[i].p, w.p, most) : 0;
      if (!order) order = x[i].len < w.len ? -1 : x[i].len > w.len;
#else
      const int64_t w = ((const int64_t *)pool)[mid], v = (int64_t)x[i];
      const int order = v < w ? -1 : v > w;
#endif
      if (!order) to[i] = (int32_t)mid;
      if (order > 0)
        lo = mid + 1;
      else
        hi = order ? mid : lo;
    }
  }
}
#endif
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

/* shape: rows, words a row, size of a row of y, shortest and longest n-gram,
 * skips. weight: of the n-gram that ends at a node, NULL: 1; `once`: it stands
 * for any number of that n-gram. Words of one stand 1 to skips + 1 apart;
 * single words count once. */
O2C_UNUSED static void NAME(tfidf)(const void *id, const void *words,
                                   const void *firsts, const void *outs,
                                   const T *weight, T *y, int64_t once,
                                   const int64_t *shape) {
  const int32_t *x = (const int32_t *)id, *word = (const int32_t *)words;
  const int32_t *first = (const int32_t *)firsts;
  const int32_t *out = (const int32_t *)outs;
  const int64_t c = shape[1], size = shape[2];
  int64_t r, i, apart, at, n;
  for (r = 0; r < shape[0]; r++, x += c, y += size) {
    for (i = 0; i < size; i++) y[i] = 0;
    for (i = 0; i < c; i++)
      for (apart = 1; apart <= shape[5] + 1 && (apart == 1 || i + apart < c);
           apart++) {
        int32_t node = 0;
        for (at = i, n = 1; at < c && n <= shape[4]; at += apart, n++) {
          node = x[at] < 0 ? -1 : o2c_ngram_child(word, first, node, x[at]);
          if (node < 0) break;
          if (n < shape[3] || (n == 1 && apart > 1) || out[node] < 0) continue;
          if (once) y[out[node]] = 0;
          y[out[node]] += weight ? weight[node] : 1;
        }
      }
  }
}
#endif
