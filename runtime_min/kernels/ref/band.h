/* SPDX-License-Identifier: 0BSD */
/* Trilu and EyeLike: matrices cut or filled along a diagonal. Diagonal k is
 * above the main one, -k below; both may lie outside of the matrix. */
#if T_IS_CARRIER
/* Row by row: zeros, and the part on and above (`upper`) or on and below
 * diagonal k, copied. k NULL: the main diagonal. */
O2C_UNUSED static void NAME(trilu)(const void *x, const void *k, void *y,
                                   int64_t n, int64_t rows, int64_t cols,
                                   int64_t upper) {
  const unsigned char *from = (const unsigned char *)x;
  unsigned char *to = (unsigned char *)y;
  int64_t size = (int64_t)sizeof(T), shift = k ? *(const int64_t *)k : 0, i, r;
  if (shift < -rows) shift = -rows;
  if (shift > cols) shift = cols;
  if (!upper && shift < cols) shift++;
  for (i = 0; i < n; i++)
    for (r = 0; r < rows; r++, from += cols * size, to += cols * size) {
      int64_t cut = r + shift, left, right;
      if (cut < 0) cut = 0;
      if (cut > cols) cut = cols;
      left = cut * size;
      right = (cols - cut) * size;
      if (left && upper) memset(to, 0, (size_t)left);
      if (left && !upper) memcpy(to, from, (size_t)left);
      if (right && upper) memcpy(to + left, from + left, (size_t)right);
      if (right && !upper) memset(to + left, 0, (size_t)right);
    }
}
#if T_IS_INT
/* Zeros, and the element with the low bits of `bits` on diagonal k. */
O2C_UNUSED static void NAME(eye)(void *y, int64_t rows, int64_t cols,
                                 int64_t k, int64_t bits) {
  unsigned char *to = (unsigned char *)y;
  T one = (T)(uint64_t)bits;
  int64_t size = (int64_t)sizeof(T), r;
  if (k < -rows) k = -rows;
  if (k > cols) k = cols;
  for (r = 0; r < rows; r++, to += cols * size) {
    if (cols) memset(to, 0, (size_t)(cols * size));
    if (r + k >= 0 && r + k < cols)
      memcpy(to + (r + k) * size, &one, sizeof(T));
  }
}
#endif
#endif
