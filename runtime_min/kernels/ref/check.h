/* SPDX-License-Identifier: 0BSD */
/* Shapes, axes and sizes that a model computes at run time, against those that
 * the code was generated for: O2C_E_SHAPE where they differ. */
#if T_IS_INT && T_IS_SIGNED && T_BITS == 64
O2C_UNUSED static o2c_status NAME(check_list)(const T *v, int64_t n,
                                              const int64_t *want) {
  int64_t i;
  for (i = 0; i < n; i++)
    if (v[i] != want[i]) return O2C_E_SHAPE;
  return O2C_OK;
}

/* ONNX Reshape-14: -1 is what remains, 0 copies unless `allowzero`. */
O2C_UNUSED static o2c_status NAME(check_reshape)(const T *shape, int64_t n,
                                                 int64_t allowzero,
                                                 int64_t rank,
                                                 const int64_t *x,
                                                 const int64_t *y) {
  int64_t i, holes = 0;
  for (i = 0; i < n; i++) {
    int64_t v = shape[i];
    if (v == -1 && ++holes == 1) continue;
    if (v == 0 && !allowzero) v = i < rank ? x[i] : -1;
    if (v != y[i]) return O2C_E_SHAPE;
  }
  return O2C_OK;
}

/* Reshape keeps the number of elements. */
O2C_UNUSED static o2c_status NAME(check_count)(int64_t from, int64_t to) {
  return from == to ? O2C_OK : O2C_E_SHAPE;
}

/* The wide shape is the narrow one with ones at the listed axes: Unsqueeze,
 * and the other way round, Squeeze. */
O2C_UNUSED static o2c_status NAME(check_axes)(const T *axes, int64_t n,
                                              int64_t rank,
                                              const int64_t *wide,
                                              const int64_t *narrow) {
  int64_t i, k, at = 0;
  for (k = 0; k < n; k++)
    if (axes[k] < -rank || axes[k] >= rank) return O2C_E_SHAPE;
  for (i = 0; i < rank; i++) {
    int64_t listed = 0;
    for (k = 0; k < n; k++) listed += axes[k] == i || axes[k] + rank == i;
    if (listed > 1 || (listed && wide[i] != 1)) return O2C_E_SHAPE;
    if (listed) continue;
    if (at == rank - n || wide[i] != narrow[at]) return O2C_E_SHAPE;
    at++;
  }
  return at == rank - n ? O2C_OK : O2C_E_SHAPE;
}

/* Expand: the shape, broadcast with that of x, gives that of y. */
O2C_UNUSED static o2c_status NAME(check_expand)(const T *shape, int64_t n,
                                                int64_t xrank, int64_t rank,
                                                const int64_t *x,
                                                const int64_t *y) {
  int64_t i;
  if (rank != (n > xrank ? n : xrank)) return O2C_E_SHAPE;
  for (i = 0; i < rank; i++) {
    int64_t a = i < rank - xrank ? 1 : x[i - (rank - xrank)];
    int64_t b = i < rank - n ? 1 : shape[i - (rank - n)];
    if ((a != 1 && b != 1 && a != b) || y[i] != (a == 1 ? b : a))
      return O2C_E_SHAPE;
  }
  return O2C_OK;
}
#endif
