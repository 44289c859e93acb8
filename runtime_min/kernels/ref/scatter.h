/* SPDX-License-Identifier: 0BSD */
/* ScatterElements, ScatterND, TensorScatter: x copied to y, then elements of y
 * replaced by updates or, in order of the updates, reduced with them. Indices
 * are int32 or int64 (`width` bytes); negative ones count from the end; others
 * out of range are O2C_E_DATA. Without reduction a carrier serves every type
 * of its size, so that elements are moved by memcpy. */
#ifndef O2C_REF_SCATTER
#define O2C_REF_SCATTER
enum { O2C_SCAT_NONE, O2C_SCAT_ADD, O2C_SCAT_MUL, O2C_SCAT_MAX, O2C_SCAT_MIN };

/* Index k of the list within [0, n), or -1. */
O2C_UNUSED static int64_t o2c_scatter_at(const void *index, int64_t width,
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
#endif
/* y[i] takes u[i]. A sum of bools is whether one is true. */
O2C_UNUSED static void NAME(scatter_block)(const void *from, void *to,
                                           int64_t n, int64_t op) {
#if T_IS_FLOAT || T_IS_INT || T_IS_BOOL
  const T *u = (const T *)from;
  T *y = (T *)to;
  int64_t i;
  for (i = 0; i < n && op != O2C_SCAT_NONE; i++) {
    A a = LOAD(y[i]), b = LOAD(u[i]);
    int keep = op == O2C_SCAT_MAX ? a > b : a < b;
#if T_IS_FLOAT
    if (a != a) keep = 1; /* not-a-number stays once met */
#endif
#if T_IS_BOOL
    if (op == O2C_SCAT_ADD) a |= b;
    else if (op == O2C_SCAT_MUL) a &= b;
#else
    if (op == O2C_SCAT_ADD) a = ADD(a, b);
    else if (op == O2C_SCAT_MUL) a = MUL(a, b);
#endif
    else if (!keep) a = b;
    y[i] = STORE(a);
  }
#endif
  if (op == O2C_SCAT_NONE && n) memcpy(to, from, (size_t)n * sizeof(T));
}

/* y[..index[..i..]..] takes updates[..i..] at `axis`; the updates have the
 * shape `out` of the indices. O2C_E_SHAPE where that is not inside `dim` on the
 * other axes. */
O2C_UNUSED static o2c_status NAME(scatter_elements)(
    const void *x, const void *index, const void *updates, void *y,
    int64_t width, int64_t op, int64_t rank, int64_t axis, const int64_t *dim,
    const int64_t *out) {
  const unsigned char *from = (const unsigned char *)updates;
  unsigned char *to = (unsigned char *)y;
  int64_t at[O2C_MAX_RANK] = {0}, size = (int64_t)sizeof(T);
  int64_t all = o2c_numel(rank, dim), total = o2c_numel(rank, out), k, j;
  for (j = 0; j < rank; j++)
    if (j != axis && out[j] > dim[j]) return O2C_E_SHAPE;
  if (y != x && all) memcpy(y, x, (size_t)(all * size));
  for (k = 0; k < total; k++, from += size) {
    int64_t i = o2c_scatter_at(index, width, k, dim[axis]), pos = 0;
    if (i < 0) return O2C_E_DATA;
    for (j = 0; j < rank; j++) pos = pos * dim[j] + (j == axis ? i : at[j]);
    NAME(scatter_block)(from, to + pos * size, 1, op);
    for (j = rank - 1; j >= 0; j--) {
      if (++at[j] < out[j]) break;
      at[j] = 0;
    }
  }
  return O2C_OK;
}

/* Each of `count` tuples of `rank` indices places a block of `inner` elements;
 * `dim` are the axes that tuples index. */
O2C_UNUSED static o2c_status NAME(scatter_nd)(const void *x, const void *index,
                                              const void *updates, void *y,
                                              int64_t op, int64_t count,
                                              int64_t rank, int64_t inner,
                                              const int64_t *dim) {
  const unsigned char *from = (const unsigned char *)updates;
  unsigned char *to = (unsigned char *)y;
  int64_t bytes = inner * (int64_t)sizeof(T), k, j;
  int64_t all = o2c_numel(rank, dim) * bytes;
  if (y != x && all) memcpy(y, x, (size_t)all);
  for (k = 0; k < count; k++, from += bytes) {
    int64_t pos = 0;
    for (j = 0; j < rank; j++) {
      int64_t i = o2c_scatter_at(index, 8, k * rank + j, dim[j]);
      if (i < 0) return O2C_E_DATA;
      pos = pos * dim[j] + i;
    }
    NAME(scatter_block)(from, to + pos * bytes, inner, op);
  }
  return O2C_OK;
}

#if T_IS_CARRIER
/* [batch, outer, n, inner] takes rows [batch, outer, s, inner] from row
 * starts[batch] on (NULL: from row 0); `circular`: row n is row 0 again. */
O2C_UNUSED static o2c_status NAME(tensor_scatter)(
    const void *x, const void *updates, const void *starts, void *y,
    int64_t circular, int64_t batch, int64_t outer, int64_t n, int64_t s,
    int64_t inner) {
  const unsigned char *from = (const unsigned char *)updates;
  unsigned char *to = (unsigned char *)y;
  const int64_t *start = (const int64_t *)starts;
  int64_t bytes = inner * (int64_t)sizeof(T), b, o, k;
  int64_t all = batch * outer * n * bytes;
  if (y != x && all) memcpy(y, x, (size_t)all);
  if (s > n) return O2C_E_DATA;
  for (b = 0; b < batch; b++) {
    int64_t first = start ? start[b] : 0;
    if (first < 0 || (!circular && first > n - s)) return O2C_E_DATA;
    if (circular && n > 0) first %= n;
    for (o = 0; o < outer; o++, to += n * bytes)
      for (k = 0; k < s; k++, from += bytes) {
        int64_t row = first + k < n ? first + k : first + k - n;
        if (bytes) memcpy(to + row * bytes, from, (size_t)bytes);
      }
  }
  return O2C_OK;
}
#endif
