/* SPDX-License-Identifier: 0BSD */
/* CumSum and CumProd: y[i] is the sum or product of x up to i along one axis,
 * with x[i] or (`exclusive`) without it; `reverse` begins at the end. The axis
 * is int32 or int64 (`width` bytes); out of range it is O2C_E_DATA. Half types
 * are rounded where they are stored: the chain itself is of type A. */
#if T_IS_FLOAT || T_IS_INT
O2C_UNUSED static o2c_status NAME(cumulate)(const T *x, const void *axis, T *y,
                                            int64_t width, int64_t product,
                                            int64_t reverse, int64_t exclusive,
                                            int64_t rank, const int64_t *dim) {
  int64_t at, n, outer, inner, o, k, i;
  int32_t small;
  if (width == 4) {
    memcpy(&small, axis, 4);
    at = small;
  } else {
    memcpy(&at, axis, 8);
  }
  if (at < 0) at += rank;
  if (at < 0 || at >= rank) return O2C_E_DATA;
  n = dim[at];
  outer = o2c_numel(at, dim);
  inner = o2c_numel(rank - at - 1, dim + at + 1);
  for (o = 0; o < outer; o++, x += n * inner, y += n * inner)
    for (k = 0; k < inner; k++) {
      A chain = product ? K(1) : K(0);
      for (i = 0; i < n; i++) {
        int64_t j = (reverse ? n - 1 - i : i) * inner + k;
        A v = LOAD(x[j]);
        if (exclusive) y[j] = STORE(chain);
        chain = product ? MUL(chain, v) : ADD(chain, v);
        if (!exclusive) y[j] = STORE(chain);
      }
    }
  return O2C_OK;
}
#endif
