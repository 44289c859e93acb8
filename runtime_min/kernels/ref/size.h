/* SPDX-License-Identifier: 0BSD */
/* Sizes that only the data tells, before a tensor of them is made: each kernel
 * writes the dimensions of the output into `size`. O2C_E_SHAPE where the data
 * asks for what the operator does not allow. */
#if T_IS_INT && T_IS_SIGNED && T_BITS == 64
/* The numbers themselves: ConstantOfShape, Split. */
O2C_UNUSED static o2c_status NAME(size_list)(const T *v, int64_t n,
                                             int64_t *size) {
  int64_t i;
  for (i = 0; i < n; i++) {
    if (v[i] < 0) return O2C_E_SHAPE;
    size[i] = v[i];
  }
  return O2C_OK;
}

/* One that is known. */
O2C_UNUSED static void NAME(size_given)(int64_t v, int64_t *size) {
  size[0] = v;
}

/* Parts that sum to `total`. */
O2C_UNUSED static o2c_status NAME(size_split)(const T *v, int64_t n,
                                              int64_t total, int64_t *size) {
  int64_t i;
  for (i = 0; i < n; i++) {
    if (v[i] < 0 || v[i] > total) return O2C_E_SHAPE;
    size[i] = v[i];
    total -= v[i];
  }
  return total ? O2C_E_SHAPE : O2C_OK;
}

/* ONNX Reshape-14: -1 is what remains, 0 copies unless `allowzero`. */
O2C_UNUSED static o2c_status NAME(size_reshape)(const T *shape, int64_t n,
                                                int64_t allowzero,
                                                int64_t rank, const int64_t *x,
                                                int64_t *size) {
  int64_t i, hole = -1, made = 1, total = o2c_numel(rank, x);
  for (i = 0; i < n; i++) {
    int64_t v = shape[i];
    if (v == 0 && !allowzero) v = i < rank ? x[i] : -1;
    if (shape[i] == -1 && hole < 0) {
      hole = i;
      continue;
    }
    /* No product of the rest can be more than there are elements. */
    if (v < 0 || (v && made > total / v && total)) return O2C_E_SHAPE;
    size[i] = v;
    made *= total ? v : 1;
    if (!total && !v) hole = hole < 0 ? -2 : hole;
  }
  if (!total) {
    if (hole >= 0) size[hole] = 0;
    return O2C_OK;
  }
  if (!made || total % made || (hole < 0 && made != total)) return O2C_E_SHAPE;
  if (hole >= 0) size[hole] = total / made;
  return O2C_OK;
}

/* Ones put in at `axes` (Unsqueeze, `wide` is the output), or taken out. */
O2C_UNUSED static o2c_status NAME(size_axes)(const T *axes, int64_t n,
                                             int64_t rank, int64_t put_in,
                                             const int64_t *x, int64_t *size) {
  int64_t i, k, at = 0, wide = put_in ? rank + n : rank;
  for (k = 0; k < n; k++)
    if (axes[k] < -wide || axes[k] >= wide) return O2C_E_SHAPE;
  for (i = 0; i < wide; i++) {
    int64_t listed = 0;
    for (k = 0; k < n; k++) listed += axes[k] == i || axes[k] + wide == i;
    if (listed > 1) return O2C_E_SHAPE;
    if (put_in) {
      if (!listed && at == rank) return O2C_E_SHAPE;
      size[i] = listed ? 1 : x[at++];
    } else if (!listed) {
      if (at == rank - n) return O2C_E_SHAPE;
      size[at++] = x[i];
    } else if (x[i] != 1) {
      return O2C_E_SHAPE;
    }
  }
  return O2C_OK;
}

/* Expand: the shape, broadcast with that of x. */
O2C_UNUSED static o2c_status NAME(size_expand)(const T *shape, int64_t n,
                                               int64_t xrank, const int64_t *x,
                                               int64_t *size) {
  int64_t i, rank = n > xrank ? n : xrank;
  for (i = 0; i < rank; i++) {
    int64_t a = i < rank - xrank ? 1 : x[i - (rank - xrank)];
    int64_t b = i < rank - n ? 1 : shape[i - (rank - n)];
    if (b < 0 || (a != 1 && b != 1 && a != b)) return O2C_E_SHAPE;
    size[i] = a == 1 ? b : a;
  }
  return O2C_OK;
}

O2C_UNUSED static o2c_status NAME(size_tile)(const T *repeats, int64_t rank,
                                             const int64_t *x, int64_t *size) {
  int64_t i;
  for (i = 0; i < rank; i++) {
    if (repeats[i] < 0 || (x[i] && repeats[i] > INT64_MAX / x[i]))
      return O2C_E_SHAPE;
    size[i] = x[i] * repeats[i];
  }
  return O2C_OK;
}

/* Pad: `count` axes, named by int32 or int64 (`width` bytes) or all. */
O2C_UNUSED static o2c_status NAME(size_pad)(const T *pads, const void *axes,
                                            int64_t width, int64_t count,
                                            int64_t rank, const int64_t *x,
                                            int64_t *size) {
  int64_t j, k, a;
  int32_t small;
  for (j = 0; j < rank; j++) size[j] = x[j];
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
    if (pads[k] > INT32_MAX || pads[count + k] > INT32_MAX || pads[k] < -x[a] ||
        pads[count + k] < -x[a])
      return O2C_E_SHAPE;
    size[a] = x[a] + pads[k] + pads[count + k];
  }
  return O2C_OK;
}

/* ONNX ReduceSum-13: the axes that are listed go, or become one if `keep`; no
 * list means all if `all`. */
O2C_UNUSED static o2c_status NAME(size_reduce)(const T *axes, int64_t count,
                                               int64_t all, int64_t keep,
                                               int64_t rank, int64_t orank,
                                               const int64_t *x,
                                               int64_t *size) {
  int64_t j, k, n = 0;
  for (k = 0; k < count; k++)
    if (axes[k] < -rank || axes[k] >= rank) return O2C_E_SHAPE;
  for (j = 0; j < rank; j++) {
    int64_t listed = all && count == 0;
    for (k = 0; k < count; k++) listed |= axes[k] == j || axes[k] + rank == j;
    if (listed && !keep) continue;
    if (n == orank) return O2C_E_SHAPE;
    size[n++] = listed ? 1 : x[j];
  }
  return n == orank ? O2C_OK : O2C_E_SHAPE;
}
#endif
#if T_IS_FLOAT || T_IS_INT
/* Range: max(ceil((limit - start) / delta), 0). */
O2C_UNUSED static o2c_status NAME(size_range)(const T *start, const T *limit,
                                              const T *delta, int64_t *size) {
  A from = LOAD(*start), to = LOAD(*limit), step = LOAD(*delta);
#if T_IS_FLOAT
  double count = ceil(((double)to - (double)from) / (double)step);
  if (!(step != 0) || !(count < 9e15)) return O2C_E_SHAPE;
  *size = count > 0 ? (int64_t)count : 0;
#else
  uint64_t gap, by;
  if (step == 0) return O2C_E_SHAPE;
  gap = step > 0 ? (uint64_t)to - (uint64_t)from
                 : (uint64_t)from - (uint64_t)to;
  by = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
  if (step > 0 ? to <= from : to >= from) gap = 0;
  if (gap / by > (uint64_t)INT64_MAX - 1) return O2C_E_SHAPE;
  *size = (int64_t)(gap / by + (gap % by != 0));
#endif
  return O2C_OK;
}
#endif
