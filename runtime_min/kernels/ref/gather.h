/* SPDX-License-Identifier: 0BSD */
/* Gather, GatherElements, GatherND. Indices are int32 or int64 (`width` bytes);
 * negative ones count from the end; others out of range are O2C_E_DATA. */
#if T_IS_CARRIER
/* Index k of the list within [0, n), or -1. */
O2C_UNUSED static int64_t NAME(gather_at)(const void *index, int64_t width,
                                          int64_t k, int64_t n) {
  int64_t i;
  int32_t small;
  if (width == 4) {
    memcpy(&small, (const unsigned char *)index + 4 * k, 4);
    i = small;
  } else {
    memcpy(&i, (const unsigned char *)index + 8 * k, 8);
  }
  if (i < 0) i += n;
  return i >= 0 && i < n ? i : -1;
}

/* y[outer, count, inner] = x[outer, n, inner] at the indices. */
O2C_UNUSED static o2c_status NAME(gather)(const void *x, const void *index,
                                          void *y, int64_t width,
                                          int64_t outer, int64_t n,
                                          int64_t inner, int64_t count) {
  const unsigned char *from = (const unsigned char *)x;
  unsigned char *to = (unsigned char *)y;
  int64_t bytes = inner * (int64_t)sizeof(T), o, k;
  for (o = 0; o < outer; o++, from += n * bytes)
    for (k = 0; k < count; k++, to += bytes) {
      int64_t i = NAME(gather_at)(index, width, k, n);
      if (i < 0) return O2C_E_DATA;
      if (bytes) memcpy(to, from + i * bytes, (size_t)bytes);
    }
  return O2C_OK;
}

/* y[..i..] = x[..index[..i..]..] at `axis`; y has the shape of the indices.
 * O2C_E_SHAPE where that is not inside the shape of x on the other axes. */
O2C_UNUSED static o2c_status NAME(gather_elements)(
    const void *x, const void *index, void *y, int64_t width, int64_t rank,
    int64_t axis, const int64_t *dim, const int64_t *out) {
  const unsigned char *from = (const unsigned char *)x;
  unsigned char *to = (unsigned char *)y;
  int64_t at[O2C_MAX_RANK] = {0}, total = 1, k, j;
  for (j = 0; j < rank; j++) {
    if (j != axis && out[j] > dim[j]) return O2C_E_SHAPE;
    total *= out[j];
  }
  for (k = 0; k < total; k++, to += sizeof(T)) {
    int64_t i = NAME(gather_at)(index, width, k, dim[axis]), pos = 0;
    if (i < 0) return O2C_E_DATA;
    for (j = 0; j < rank; j++) pos = pos * dim[j] + (j == axis ? i : at[j]);
    memcpy(to, from + pos * (int64_t)sizeof(T), sizeof(T));
    for (j = rank - 1; j >= 0; j--) {
      if (++at[j] < out[j]) break;
      at[j] = 0;
    }
  }
  return O2C_OK;
}

/* Each of `count` tuples of `rank` indices picks a block of `inner` elements
 * of x, within its batch; `dim` are the axes that tuples index. */
O2C_UNUSED static o2c_status NAME(gather_nd)(const void *x, const void *index,
                                             void *y, int64_t batches,
                                             int64_t count, int64_t rank,
                                             int64_t inner,
                                             const int64_t *dim) {
  const unsigned char *from = (const unsigned char *)x;
  unsigned char *to = (unsigned char *)y;
  int64_t bytes = inner * (int64_t)sizeof(T), block = bytes, b, k, j;
  for (j = 0; j < rank; j++) block *= dim[j];
  for (b = 0; b < batches; b++, from += block)
    for (k = 0; k < count; k++, to += bytes) {
      int64_t pos = 0;
      for (j = 0; j < rank; j++) {
        int64_t i = NAME(gather_at)(index, 8, (b * count + k) * rank + j,
                                    dim[j]);
        if (i < 0) return O2C_E_DATA;
        pos = pos * dim[j] + i;
      }
      if (bytes) memcpy(to, from + pos * bytes, (size_t)bytes);
    }
  return O2C_OK;
}
#endif
