/* SPDX-License-Identifier: 0BSD */
/* Unique: the slices of x[outer][n][inner] along n, each once. They are sorted
 * as rows of numbers, not-a-number last and equal to itself; complex numbers by
 * their parts, strings by their bytes. `order` has room for n indices. */
#if T_IS_STR
#define O2C_CMP(a, b) NAME(unique_text)(a, b)
O2C_UNUSED static int NAME(unique_text)(T a, T b) {
  const size_t n = (size_t)(a.len < b.len ? a.len : b.len);
  const int c = n ? memcmp(a.p, b.p, n) : 0;
  return c ? c : a.len < b.len ? -1 : a.len > b.len;
}
#elif T_IS_COMPLEX
#define O2C_CMP(a, b) \
  ((a).re != (b).re ? ((a).re < (b).re ? -1 : 1) \
                    : (a).im < (b).im ? -1 : (a).im > (b).im)
#else
#define O2C_CMP(a, b) NAME(unique_number)(LOAD(a), LOAD(b))
O2C_UNUSED static int NAME(unique_number)(A a, A b) {
#if T_IS_FLOAT
  if (a != a || b != b) return (a != a) - (b != b);
#endif
  return a < b ? -1 : a > b;
}
#endif
/* Slice i against slice j: negative if it comes first. */
O2C_UNUSED static int NAME(unique_compare)(const T *x, int64_t outer, int64_t n,
                                           int64_t inner, int64_t i,
                                           int64_t j) {
  int64_t o, k;
  for (o = 0; o < outer; o++)
    for (k = 0; k < inner; k++) {
      const int c = O2C_CMP(x[(o * n + i) * inner + k],
                            x[(o * n + j) * inner + k]);
      if (c) return c;
    }
  return 0;
}
#undef O2C_CMP

O2C_UNUSED static void NAME(unique_sift)(const T *x, int64_t *order,
                                         int64_t outer, int64_t n,
                                         int64_t inner, int64_t root,
                                         int64_t end) {
  const int64_t at = order[root];
  int64_t child;
  int c;
  for (; (child = 2 * root + 1) < end; root = child) {
    if (child + 1 < end) {
      c = NAME(unique_compare)(x, outer, n, inner, order[child],
                               order[child + 1]);
      if (c < 0 || (c == 0 && order[child] < order[child + 1])) child++;
    }
    c = NAME(unique_compare)(x, outer, n, inner, at, order[child]);
    if (c > 0 || (c == 0 && at > order[child])) break;
    order[root] = order[child];
  }
  order[root] = at;
}

/* Sorts by heap, equal ones in the order of x; returns how many differ. */
O2C_UNUSED static int64_t NAME(unique_sort)(const T *x, int64_t *order,
                                            int64_t outer, int64_t n,
                                            int64_t inner) {
  int64_t i, count = n > 0;
  for (i = 0; i < n; i++) order[i] = i;
  for (i = n / 2; i-- > 0;)
    NAME(unique_sift)(x, order, outer, n, inner, i, n);
  for (i = n - 1; i > 0; i--) {
    const int64_t last = order[0];
    order[0] = order[i];
    order[i] = last;
    NAME(unique_sift)(x, order, outer, n, inner, 0, i);
  }
  for (i = 1; i < n; i++)
    count += NAME(unique_compare)(x, outer, n, inner, order[i - 1],
                                  order[i]) != 0;
  return count;
}

O2C_UNUSED static void NAME(size_unique)(const T *x, void *order,
                                         int64_t outer, int64_t n,
                                         int64_t inner, int64_t *size) {
  *size = NAME(unique_sort)(x, (int64_t *)order, outer, n, inner);
}

/* y[outer][count][inner]; of each its first position (null: not wanted) and its
 * count; of each slice of x where it is in y. Not `sorted`: in the order of
 * their first positions. */
O2C_UNUSED static o2c_status NAME(unique)(
    const T *x, void *room, T *y, void *firsts, void *inverses, void *counters,
    int64_t outer, int64_t n, int64_t inner, int64_t count, int64_t sorted) {
  int64_t *order = (int64_t *)room, *indices = (int64_t *)firsts;
  int64_t *inverse = (int64_t *)inverses, *counts = (int64_t *)counters;
  int64_t i, o, k, group = -1, next = 0;
  if (NAME(unique_sort)(x, order, outer, n, inner) != count) return O2C_E_SHAPE;
  for (i = 0; i < n; i++) {
    if (i == 0 || NAME(unique_compare)(x, outer, n, inner, order[i - 1],
                                       order[i]))
      group++;
    inverse[order[i]] = group;
  }
  for (i = 0; i < count; i++) counts[i] = 0;
  /* A group met gets its number, from -1 downwards. */
  for (i = 0; i < n && !sorted; i++) {
    if (counts[inverse[i]] == 0) counts[inverse[i]] = --next;
    inverse[i] = -1 - counts[inverse[i]];
  }
  for (i = 0; i < count; i++) counts[i] = 0;
  for (i = 0; i < n; i++) {
    k = inverse[i];
    if (counts[k]++) continue;
    if (indices) indices[k] = i;
    for (o = 0; o < outer && inner > 0; o++)
      memcpy(y + (o * count + k) * inner, x + (o * n + i) * inner,
             (size_t)inner * sizeof(T));
  }
  return O2C_OK;
}
