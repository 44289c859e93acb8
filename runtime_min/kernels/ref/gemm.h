/* SPDX-License-Identifier: 0BSD */
/* MatMul and Gemm of any numeric type. A sum runs over k in order; integers
 * wrap. Columns go in blocks, so that b is read along its rows. */
#if T_IS_FLOAT || T_IS_INT
#ifndef O2C_REF_COLUMNS
#define O2C_REF_COLUMNS 16
#endif
/* sum[j] = a . column j of b, for `count` <= O2C_REF_COLUMNS columns. */
O2C_UNUSED static void NAME(gemm_columns)(A *sum, const T *a, const T *b,
                                          int64_t k, int64_t count, int64_t ak,
                                          int64_t bk, int64_t bn) {
  int64_t i, j;
  for (j = 0; j < count; j++) sum[j] = 0;
  for (i = 0; i < k; i++) {
    A v = LOAD(a[i * ak]);
    const T *row = b + i * bk;
    if (bn == 1 && count == O2C_REF_COLUMNS)
      for (j = 0; j < O2C_REF_COLUMNS; j++)
        sum[j] = ADD(sum[j], MUL(v, LOAD(row[j])));
    else
      for (j = 0; j < count; j++)
        sum[j] = ADD(sum[j], MUL(v, LOAD(row[j * bn])));
  }
}

/* y [batch.., m, n] = a [m, k] x b [k, n] for each of the `rank` axes of the
 * batch; as and bs: strides of a and b along them, 0 to broadcast. */
O2C_UNUSED static void NAME(matmul)(const T *a, const T *b, T *y, int64_t m,
                                    int64_t n, int64_t k, int64_t rank,
                                    const int64_t *batch, const int64_t *as,
                                    const int64_t *bs) {
  int64_t count = o2c_numel(rank, batch), t, i, j, c;
  A sum[O2C_REF_COLUMNS];
  for (t = 0; t < count; t++) {
    const T *at = a + o2c_offset(t, rank, batch, as);
    const T *bt = b + o2c_offset(t, rank, batch, bs);
    for (i = 0; i < m; i++, y += n)
      for (j = 0; j < n; j += O2C_REF_COLUMNS) {
        int64_t width = n - j < O2C_REF_COLUMNS ? n - j : O2C_REF_COLUMNS;
        NAME(gemm_columns)(sum, at + i * k, bt + j, k, width, 1, n, 1);
        for (c = 0; c < width; c++) y[j + c] = STORE(sum[c]);
      }
  }
}

/* v * f; an integer is rounded toward zero, and 0 where it does not fit. */
O2C_UNUSED static A NAME(gemm_scale)(A v, double f) {
#if T_IS_FLOAT
  return v * (A)f;
#else
  double scaled = (double)v * f;
  if (f == 1) return v;
  return scaled > -9e18 && scaled < 9e18 ? (A)(int64_t)scaled : 0;
#endif
}

/* y = alpha a x b + beta c; c may be NULL. Strides of a, b and c by row and
 * column of the product: am ak, bk bn, cm cn. */
O2C_UNUSED static void NAME(gemm)(const T *a, const T *b, const T *c, T *y,
                                  int64_t m, int64_t n, int64_t k, int64_t am,
                                  int64_t ak, int64_t bk, int64_t bn,
                                  int64_t cm, int64_t cn, double alpha,
                                  double beta) {
  A sum[O2C_REF_COLUMNS];
  int64_t i, j, t;
  for (i = 0; i < m; i++, y += n)
    for (j = 0; j < n; j += O2C_REF_COLUMNS) {
      int64_t width = n - j < O2C_REF_COLUMNS ? n - j : O2C_REF_COLUMNS;
      NAME(gemm_columns)(sum, a + i * am, b + j * bn, k, width, ak, bk, bn);
      for (t = 0; t < width; t++) {
        A v = NAME(gemm_scale)(sum[t], alpha);
        if (c)
          v = ADD(v, NAME(gemm_scale)(LOAD(c[i * cm + (j + t) * cn]), beta));
        y[j + t] = STORE(v);
      }
    }
}
#endif
