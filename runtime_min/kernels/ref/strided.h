/* SPDX-License-Identifier: 0BSD */
/* Copies a block of `dim` elements between two layouts: element (i0, i1, ..)
 * goes from x[xoff + i0 xs[0] + ..] to y[yoff + i0 ys[0] + ..]. Strides are in
 * elements; they may be 0 (broadcast) or negative. Transpose, Slice, Concat,
 * Split, Expand, Tile and plain copies are this one kernel. */
#if T_IS_CARRIER
O2C_UNUSED static void NAME(strided)(const void *x, void *y, int64_t rank,
                                     int64_t xoff, int64_t yoff,
                                     const int64_t *dim, const int64_t *xs,
                                     const int64_t *ys) {
  const unsigned char *from = (const unsigned char *)x;
  unsigned char *to = (unsigned char *)y;
  int64_t at[O2C_MAX_RANK] = {0}, size = (int64_t)sizeof(T), run = 1, n, k, j;
  for (j = 0; j < rank; j++)
    if (dim[j] <= 0) return;
  /* The axes that lie in one piece on both sides. */
  while (rank > 0 && (dim[rank - 1] == 1 ||
                      (xs[rank - 1] == run && ys[rank - 1] == run)))
    run *= dim[--rank];
  n = rank > 0 ? dim[rank - 1] : 1;
  for (;;) {
    const unsigned char *s = from + xoff * size;
    unsigned char *d = to + yoff * size;
    if (rank == 0) {
      memcpy(d, s, (size_t)(run * size));
      return;
    }
    if (run == 1) {
      int64_t sx = xs[rank - 1] * size, sy = ys[rank - 1] * size;
      for (k = 0; k < n; k++) memcpy(d + k * sy, s + k * sx, sizeof(T));
    } else {
      int64_t sx = xs[rank - 1] * size, sy = ys[rank - 1] * size;
      for (k = 0; k < n; k++)
        memcpy(d + k * sy, s + k * sx, (size_t)(run * size));
    }
    for (j = rank - 2; j >= 0; j--) {
      xoff += xs[j];
      yoff += ys[j];
      if (++at[j] < dim[j]) break;
      xoff -= xs[j] * dim[j];
      yoff -= ys[j] * dim[j];
      at[j] = 0;
    }
    if (j < 0) return;
  }
}
#endif
