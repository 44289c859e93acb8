/* SPDX-License-Identifier: 0BSD */
/* Slice whose starts, ends, axes and steps are known at run time only; `count`
 * of each, int32 or int64 (`width` bytes). Absent axes are the first ones,
 * absent steps are 1. O2C_E_SHAPE where the result is not of shape `out`. */
#if T_IS_CARRIER
O2C_UNUSED static int64_t NAME(slice_number)(const void *v, int64_t width,
                                             int64_t k) {
  int64_t wide;
  int32_t small;
  if (width == 4) {
    memcpy(&small, (const unsigned char *)v + 4 * k, 4);
    return small;
  }
  memcpy(&wide, (const unsigned char *)v + 8 * k, 8);
  return wide;
}

/* Position v in an axis of n elements: within [lo, hi]. */
O2C_UNUSED static int64_t NAME(slice_clamp)(int64_t v, int64_t n, int64_t lo,
                                            int64_t hi) {
  if (v < 0) v = v < -n ? lo : v + n;
  return v < lo ? lo : v > hi ? hi : v;
}

/* Start, step and length of what is cut of n elements; -1: the step is 0. */
O2C_UNUSED static int64_t NAME(slice_axis)(int64_t n, int64_t end,
                                           int64_t *start, int64_t *step) {
  int64_t gap, s = *step;
  if (s == 0) return -1;
  if (s < -n) s = -n - 1; /* one element at most, as any longer step */
  if (s > n) s = n + 1;
  if (s > 0) {
    *start = NAME(slice_clamp)(*start, n, 0, n);
    gap = NAME(slice_clamp)(end, n, 0, n) - *start;
  } else {
    *start = NAME(slice_clamp)(*start, n, -1, n - 1);
    gap = *start - NAME(slice_clamp)(end, n, -1, n - 1);
  }
  *step = s;
  s = s < 0 ? -s : s;
  return gap > 0 ? (gap + s - 1) / s : 0;
}

/* The same of axis j, by the lists; -1 also where an axis is out of range. */
O2C_UNUSED static int64_t NAME(slice_cut)(
    const void *starts, const void *ends, const void *axes, const void *steps,
    int64_t width, int64_t count, int64_t rank, int64_t j, int64_t n,
    int64_t *start, int64_t *step) {
  int64_t end = n, k;
  *start = 0;
  *step = 1;
  for (k = 0; k < count; k++) {
    int64_t a = axes ? NAME(slice_number)(axes, width, k) : k;
    if (a < -rank || a >= rank) return -1;
    if (a != j && a + rank != j) continue;
    *start = NAME(slice_number)(starts, width, k);
    end = NAME(slice_number)(ends, width, k);
    if (steps) *step = NAME(slice_number)(steps, width, k);
  }
  return NAME(slice_axis)(n, end, start, step);
}

O2C_UNUSED static o2c_status NAME(size_slice)(
    const void *starts, const void *ends, const void *axes, const void *steps,
    int64_t width, int64_t count, int64_t rank, const int64_t *dim,
    int64_t *size) {
  int64_t start, step, j;
  for (j = 0; j < rank; j++) {
    size[j] = NAME(slice_cut)(starts, ends, axes, steps, width, count, rank, j,
                              dim[j], &start, &step);
    if (size[j] < 0) return O2C_E_SHAPE;
  }
  return O2C_OK;
}

O2C_UNUSED static o2c_status NAME(slice)(
    const void *x, const void *starts, const void *ends, const void *axes,
    const void *steps, void *y, int64_t width, int64_t count, int64_t rank,
    const int64_t *dim, const int64_t *out) {
  const unsigned char *from = (const unsigned char *)x;
  unsigned char *to = (unsigned char *)y;
  int64_t start[O2C_MAX_RANK], step[O2C_MAX_RANK], at[O2C_MAX_RANK];
  int64_t total = 1, k, j;
  for (j = 0; j < rank; j++) {
    at[j] = 0;
    if (NAME(slice_cut)(starts, ends, axes, steps, width, count, rank, j,
                        dim[j], &start[j], &step[j]) != out[j])
      return O2C_E_SHAPE;
    total *= out[j];
  }
  for (k = 0; k < total; k++, to += sizeof(T)) {
    int64_t pos = 0;
    for (j = 0; j < rank; j++) pos = pos * dim[j] + start[j] + at[j] * step[j];
    memcpy(to, from + pos * (int64_t)sizeof(T), sizeof(T));
    for (j = rank - 1; j >= 0; j--) {
      if (++at[j] < out[j]) break;
      at[j] = 0;
    }
  }
  return O2C_OK;
}
#endif
