/* SPDX-License-Identifier: 0BSD */
/* Pad: y is x with begin[k] elements before and end[k] after axis k; negative
 * numbers crop, before anything is repeated. Modes: 0 constant, 1 reflect,
 * 2 edge, 3 wrap. A null value means zero bytes, which is 0 and "". */
#if T_IS_CARRIER
/* Where element i of a padded axis lies in the n elements left by cropping;
 * -1: in the padding that takes the constant. */
O2C_UNUSED static int64_t NAME(pad_index)(int64_t i, int64_t n, int64_t mode) {
  if (i >= 0 && i < n) return i;
  if (mode == 0 || n <= 0) return -1;
  if (mode == 2) return i < 0 ? 0 : n - 1;
  if (mode == 3) return (i % n + n) % n;
  if (n == 1) return 0;
  i = (i < 0 ? -i : i) % (2 * (n - 1));
  return i < n ? i : 2 * (n - 1) - i;
}

/* Position in x of the row that starts at `at` (the last axis apart). */
O2C_UNUSED static int64_t NAME(pad_row)(const int64_t *at, int64_t rank,
                                        int64_t mode, const int64_t *dim,
                                        const int64_t *begin,
                                        const int64_t *end) {
  int64_t pos = 0, j;
  for (j = 0; j < rank - 1; j++) {
    int64_t lo = begin[j] < 0 ? -begin[j] : 0, hi = end[j] < 0 ? -end[j] : 0;
    int64_t i = NAME(pad_index)(at[j] - begin[j] - lo, dim[j] - lo - hi, mode);
    if (i < 0) return -1;
    pos = pos * dim[j] + i + lo;
  }
  return pos * dim[rank - 1];
}

O2C_UNUSED static void NAME(pad)(const void *x, const void *value, void *y,
                                 int64_t rank, int64_t mode,
                                 const int64_t *dim, const int64_t *begin,
                                 const int64_t *end) {
  const unsigned char *from = (const unsigned char *)x;
  unsigned char *to = (unsigned char *)y;
  int64_t at[O2C_MAX_RANK] = {0}, last = rank - 1, row, lo, n, width, i, j;
  T fill;
  memset(&fill, 0, sizeof fill);
  if (value) memcpy(&fill, value, sizeof fill);
  if (rank == 0) {
    memcpy(to, from, sizeof(T));
    return;
  }
  for (j = 0; j < rank; j++)
    if (dim[j] + begin[j] + end[j] <= 0) return;
  lo = begin[last] < 0 ? -begin[last] : 0;
  n = dim[last] - lo - (end[last] < 0 ? -end[last] : 0);
  width = dim[last] + begin[last] + end[last];
  for (;;) {
    row = NAME(pad_row)(at, rank, mode, dim, begin, end);
    for (i = 0; i < width; i++, to += sizeof(T)) {
      int64_t k = NAME(pad_index)(i - begin[last] - lo, n, mode);
      if (row < 0 || k < 0)
        memcpy(to, &fill, sizeof(T));
      else
        memcpy(to, from + (row + lo + k) * (int64_t)sizeof(T), sizeof(T));
    }
    for (j = last - 1; j >= 0; j--) {
      if (++at[j] < dim[j] + begin[j] + end[j]) break;
      at[j] = 0;
    }
    if (j < 0) return;
  }
}

/* Pads, and axes (null: all), that are known at run time only: `count` axes,
 * named by int32 or int64 (`width` bytes). O2C_E_SHAPE unless y has shape
 * `out`. */
O2C_UNUSED static o2c_status NAME(pad_ends)(
    const int64_t *pads, const void *axes, int64_t width, int64_t count,
    int64_t mode, int64_t rank, const int64_t *dim, const int64_t *out,
    int64_t *begin, int64_t *end) {
  int64_t k, j, a;
  int32_t small;
  for (j = 0; j < rank; j++) begin[j] = end[j] = 0;
  for (k = 0; k < count; k++) {
    a = k;
    if (axes && width == 8)
      memcpy(&a, (const unsigned char *)axes + 8 * k, 8);
    else if (axes) {
      memcpy(&small, (const unsigned char *)axes + 4 * k, 4);
      a = small;
    }
    if (a < -rank || a >= rank) return O2C_E_SHAPE;
    if (a < 0) a += rank;
    begin[a] = pads[k];
    end[a] = pads[count + k];
  }
  for (j = 0; j < rank; j++) {
    /* No sum can overflow, and something must be left to repeat. */
    if (begin[j] < -dim[j] || begin[j] > out[j] || end[j] < -dim[j] ||
        end[j] > out[j] || dim[j] + begin[j] + end[j] != out[j])
      return O2C_E_SHAPE;
    if (mode && out[j] && dim[j] + (begin[j] < 0 ? begin[j] : 0) +
                              (end[j] < 0 ? end[j] : 0) <= 0)
      return O2C_E_SHAPE;
  }
  return O2C_OK;
}

O2C_UNUSED static o2c_status NAME(pad_data)(
    const void *x, const void *value, const int64_t *pads, const void *axes,
    void *y, int64_t width, int64_t count, int64_t mode, int64_t rank,
    const int64_t *dim, const int64_t *out) {
  int64_t begin[O2C_MAX_RANK], end[O2C_MAX_RANK];
  o2c_status s = NAME(pad_ends)(pads, axes, width, count, mode, rank, dim, out,
                                begin, end);
  if (s == O2C_OK) NAME(pad)(x, value, y, rank, mode, dim, begin, end);
  return s;
}
#endif
