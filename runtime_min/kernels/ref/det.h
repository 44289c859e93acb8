/* SPDX-License-Identifier: 0BSD */
/* Determinants of x[batch][n][n]: elimination in f64 with the largest element
 * of a column as its pivot. `room` has room for one matrix. */
#if T_IS_FLOAT
O2C_UNUSED static void NAME(det)(const T *x, T *y, void *room,
                                 int64_t batch, int64_t n) {
  double *m = (double *)room;
  int64_t b, i, j, k;
  for (b = 0; b < batch; b++, x += n * n) {
    double d = 1;
    for (i = 0; i < n * n; i++) m[i] = (double)LOAD(x[i]);
    for (k = 0; k < n; k++) {
      int64_t best = k;
      for (i = k + 1; i < n; i++)
        if (fabs(m[i * n + k]) > fabs(m[best * n + k])) best = i;
      for (j = k; j < n && best != k; j++) {
        double t = m[k * n + j];
        m[k * n + j] = m[best * n + j];
        m[best * n + j] = t;
      }
      d *= best != k ? -m[k * n + k] : m[k * n + k];
      if (m[k * n + k] == 0) break;
      for (i = k + 1; i < n; i++) {
        double f = m[i * n + k] / m[k * n + k];
        for (j = k; j < n; j++) m[i * n + j] -= f * m[k * n + j];
      }
    }
    y[b] = STORE((A)d);
  }
}
#endif
