/* SPDX-License-Identifier: 0BSD */
/* Elements picked by their data: how many there are, then the picking. */
#if T_IS_STR
#define O2C_IS_ZERO(v) ((v).len == 0)
#elif T_IS_COMPLEX
#define O2C_IS_ZERO(v) ((v).re == 0 && (v).im == 0)
#else
#define O2C_IS_ZERO(v) (LOAD(v) == 0)
#endif
/* ONNX NonZero-13, Compress-11: elements that are not zero. */
O2C_UNUSED static void NAME(size_nonzero)(const T *x, int64_t n,
                                          int64_t *size) {
  int64_t i, count = 0;
  for (i = 0; i < n; i++) count += !O2C_IS_ZERO(x[i]);
  *size = count;
}

/* y[rank][count]: the position of each along each axis, in order. */
O2C_UNUSED static void NAME(nonzero)(const T *x, void *to, int64_t rank,
                                     int64_t count, const int64_t *dim) {
  int64_t *y = (int64_t *)to;
  int64_t n = o2c_numel(rank, dim), found = 0, i, j;
  for (i = 0; i < n; i++) {
    int64_t at = i;
    if (O2C_IS_ZERO(x[i])) continue;
    for (j = rank - 1; j >= 0; j--) {
      y[j * count + found] = at % dim[j];
      at /= dim[j];
    }
    found++;
  }
}
#undef O2C_IS_ZERO

#if T_IS_CARRIER
/* Slices k < `given` of x[outer][n][inner] for which keep[k] is not 0. */
O2C_UNUSED static void NAME(compress)(const void *x, const uint8_t *keep,
                                      void *y, int64_t outer, int64_t n,
                                      int64_t inner, int64_t given) {
  const unsigned char *from = (const unsigned char *)x;
  unsigned char *to = (unsigned char *)y;
  const size_t bytes = (size_t)inner * sizeof(T);
  int64_t i, k;
  for (i = 0; i < outer; i++)
    for (k = 0; k < n; k++, from += bytes) {
      if (k >= given || !keep[k]) continue;
      memcpy(to, from, bytes);
      to += bytes;
    }
}
#endif

#if T_IS_CARRIER
/* The shape that a condition chooses, of two of one rank. */
O2C_UNUSED static void NAME(size_choose)(const uint8_t *cond,
                                         const int64_t *a, const int64_t *b,
                                         int64_t rank, int64_t *size) {
  int64_t i;
  for (i = 0; i < rank; i++) size[i] = *cond ? a[i] : b[i];
}

/* What a condition chooses, copied: a of na elements, or b of nb. The other
 * one may not have been computed. */
O2C_UNUSED static void NAME(choose)(const void *cond, const void *a,
                                    const void *b, void *y, int64_t na,
                                    int64_t nb) {
  const int first = *(const uint8_t *)cond != 0;
  const void *x = first ? a : b;
  int64_t n = first ? na : nb;
  if (n > 0 && x != y) memcpy(y, x, (size_t)n * sizeof(T));
}

/* y = x of n elements, under a condition that must be as `on` says. */
O2C_UNUSED static o2c_status NAME(require)(const void *cond, const void *x,
                                           void *y, int64_t n, int64_t on) {
  if ((*(const uint8_t *)cond != 0) != (on != 0)) return O2C_E_SHAPE;
  if (n > 0) memcpy(y, x, (size_t)n * sizeof(T));
  return O2C_OK;
}
#endif
