/* SPDX-License-Identifier: 0BSD */
/* Softmax, LogSoftmax and Hardmax along the middle of [outer, n, inner]. */
#if T_IS_FLOAT
/* The largest of a row, and where; not-a-number wins. */
O2C_UNUSED static A NAME(softmax_max)(const T *x, int64_t n, int64_t inner,
                                      int64_t *where) {
  A max = T_MIN;
  int64_t i;
  *where = 0;
  for (i = 0; i < n; i++) {
    A v = LOAD(x[i * inner]);
    if (v > max || v != v) {
      max = v;
      *where = i;
    }
    if (v != v) break;
  }
  return max;
}

O2C_UNUSED static A NAME(softmax_sum)(const T *x, int64_t n, int64_t inner,
                                      A max) {
  A sum = 0;
  int64_t i;
  for (i = 0; i < n; i++) sum += M(exp)(LOAD(x[i * inner]) - max);
  return sum;
}

O2C_UNUSED static void NAME(softmax)(const T *x, T *y, int64_t outer, int64_t n,
                                     int64_t inner) {
  int64_t o, i, k, where;
  for (o = 0; o < outer; o++, x += n * inner, y += n * inner)
    for (k = 0; k < inner; k++) {
      A max = NAME(softmax_max)(x + k, n, inner, &where);
      A sum = NAME(softmax_sum)(x + k, n, inner, max);
      for (i = 0; i < n; i++)
        y[i * inner + k] = STORE(M(exp)(LOAD(x[i * inner + k]) - max) / sum);
    }
}

O2C_UNUSED static void NAME(log_softmax)(const T *x, T *y, int64_t outer,
                                         int64_t n, int64_t inner) {
  int64_t o, i, k, where;
  for (o = 0; o < outer; o++, x += n * inner, y += n * inner)
    for (k = 0; k < inner; k++) {
      A max = NAME(softmax_max)(x + k, n, inner, &where);
      A lse = M(log)(NAME(softmax_sum)(x + k, n, inner, max));
      for (i = 0; i < n; i++)
        y[i * inner + k] = STORE(LOAD(x[i * inner + k]) - max - lse);
    }
}

O2C_UNUSED static void NAME(hardmax)(const T *x, T *y, int64_t outer, int64_t n,
                                     int64_t inner) {
  int64_t o, i, k, where;
  for (o = 0; o < outer; o++, x += n * inner, y += n * inner)
    for (k = 0; k < inner; k++) {
      NAME(softmax_max)(x + k, n, inner, &where);
      for (i = 0; i < n; i++)
        y[i * inner + k] = STORE(i == where ? K(1) : K(0));
    }
}
#endif
