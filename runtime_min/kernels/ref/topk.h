/* SPDX-License-Identifier: 0BSD */
/* TopK and OneHot. In TopK not-a-number counts as larger than all; of equal
 * elements the one with the lower index comes first. */
#if T_IS_FLOAT || T_IS_INT
/* Whether element a of a row comes before element b. */
O2C_UNUSED static int NAME(topk_before)(const T *x, int64_t step, int64_t a,
                                        int64_t b, int64_t largest) {
  A u = LOAD(x[a * step]), v = LOAD(x[b * step]);
#if T_IS_FLOAT
  int un = u != u, vn = v != v;
  if (un != vn) return largest ? un : vn;
#endif
  if (u != v && (largest ? u > v : u < v)) return 1;
  if (u != v && (largest ? v > u : v < u)) return 0;
  return a < b;
}

/* heap[root] moves down until none of its children comes after it. */
O2C_UNUSED static void NAME(topk_sift)(const T *x, int64_t *heap, int64_t step,
                                       int64_t root, int64_t n,
                                       int64_t largest) {
  int64_t at = heap[root * step], child;
  for (; (child = 2 * root + 1) < n; root = child) {
    if (child + 1 < n &&
        NAME(topk_before)(x, step, heap[child * step],
                          heap[(child + 1) * step], largest))
      child++;
    if (!NAME(topk_before)(x, step, at, heap[child * step], largest)) break;
    heap[root * step] = heap[child * step];
  }
  heap[root * step] = at;
}

/* Of x[outer, n, inner] the first k along n, sorted, as values and indices.
 * The indices are a heap, the last of the k at its root, until sorted. `given`
 * is k of the model, to be checked. values NULL: not wanted. */
O2C_UNUSED static o2c_status NAME(topk)(const T *x, const void *given,
                                        T *values, void *indices,
                                        int64_t outer, int64_t n,
                                        int64_t inner, int64_t k,
                                        int64_t largest) {
  int64_t *index = (int64_t *)indices, o, c, i;
  if (*(const int64_t *)given != k || k > n) return O2C_E_SHAPE;
  for (o = 0; o < outer; o++)
    for (c = 0; c < inner && k > 0; c++) {
      const T *row = x + o * n * inner + c;
      int64_t *heap = index + o * k * inner + c;
      for (i = 0; i < k; i++) heap[i * inner] = i;
      for (i = k / 2; i-- > 0;)
        NAME(topk_sift)(row, heap, inner, i, k, largest);
      for (i = k; i < n; i++) {
        if (!NAME(topk_before)(row, inner, i, heap[0], largest)) continue;
        heap[0] = i;
        NAME(topk_sift)(row, heap, inner, 0, k, largest);
      }
      for (i = k - 1; i > 0; i--) {
        int64_t last = heap[0];
        heap[0] = heap[i * inner];
        heap[i * inner] = last;
        NAME(topk_sift)(row, heap, inner, 0, i, largest);
      }
      for (i = 0; i < k && values; i++)
        values[(o * k + i) * inner + c] = row[heap[i * inner] * inner];
    }
  return O2C_OK;
}

/* k of TopK, depth of OneHot, as a size; fractions are cut off. */
O2C_UNUSED static o2c_status NAME(size_scalar)(const T *v, int64_t *size) {
  A a = LOAD(*v);
#if T_IS_FLOAT
  if (!(a >= 0 && (double)a < 1e15)) return O2C_E_SHAPE;
#else
  if (a > INT64_C(1000000000000000)) return O2C_E_SHAPE;
#if T_IS_SIGNED
  if (a < 0) return O2C_E_SHAPE;
#endif
#endif
  *size = (int64_t)a;
  return O2C_OK;
}

/* The depth of OneHot, against the one that the code is for. */
O2C_UNUSED static o2c_status NAME(check_depth)(const T *depth, int64_t want) {
  return LOAD(*depth) == K(want) ? O2C_OK : O2C_E_SHAPE;
}

/* Which of `depth` the index selects, -1 where none: indices of [-depth, -1]
 * count from the end. */
O2C_UNUSED static int64_t NAME(one_hot_at)(T x, int64_t depth) {
  A v = LOAD(x);
  int64_t at;
#if T_IS_SIGNED
  if (!(v >= -K(depth) && v < K(depth))) return -1;
#else
  if (v >= K(depth)) return -1;
#endif
  at = (int64_t)v;
  if (at < 0) at += depth;
  return at < depth ? at : -1;
}

/* y[outer, depth, inner] is values[1] at the indices x[outer, inner] and
 * values[0] elsewhere; `width` bytes each. */
O2C_UNUSED static void NAME(one_hot)(const T *x, const void *values, void *y,
                                     int64_t width, int64_t outer,
                                     int64_t depth, int64_t inner) {
  const unsigned char *off = (const unsigned char *)values, *on = off + width;
  unsigned char *to = (unsigned char *)y;
  int64_t total = outer * depth * inner, k, o, c;
  for (k = 0; k < total; k++) memcpy(to + k * width, off, (size_t)width);
  for (o = 0; o < outer; o++, to += depth * inner * width)
    for (c = 0; c < inner; c++) {
      int64_t at = NAME(one_hot_at)(x[o * inner + c], depth);
      if (at >= 0)
        memcpy(to + (at * inner + c) * width, on, (size_t)width);
    }
}
#endif
