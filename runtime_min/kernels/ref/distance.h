/* SPDX-License-Identifier: 0BSD */
/* Distances of all rows of one matrix from all rows of another. */
#if T_IS_FLOAT && T_BITS >= 32
/* y[i][j] = sum over f of |x[i][f] - v[j][f]|^p, by differences, since the
 * squares of |x|^2 - 2 x v + |v|^2 would cancel. One chain of sums over f. */
O2C_UNUSED static void NAME(distance)(const T *x, const T *v, T *y, int64_t n,
                                      int64_t m, int64_t features, double p) {
  int64_t i, j, f;
  for (i = 0; i < n; i++)
    for (j = 0; j < m; j++) {
      T sum = 0;
      for (f = 0; f < features; f++) {
        const double d = (double)(x[i * features + f] - v[j * features + f]);
        sum += (T)(p == 2 ? d * d : p == 1 ? fabs(d) : pow(fabs(d), p));
      }
      y[i * m + j] = sum;
    }
}
#endif
