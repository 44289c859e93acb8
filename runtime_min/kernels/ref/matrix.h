/* SPDX-License-Identifier: 0BSD */
/* n matrices x of rows x cols elements, transposed to y. x_next and y_next
 * lead to the next matrix, x_row and y_row to the next row, all in elements;
 * x and y do not overlap. Blocks of 16 x 16 keep both sides in the first
 * cache; three rows (the planes of a colour image) go straight through. */
#if T_IS_CARRIER && T_IS_INT
O2C_UNUSED static void NAME(planes)(const T *a, T *y, int64_t cols,
                                    int64_t x_row) {
  const T *b = a + x_row, *c = b + x_row;
  int64_t i;
  for (i = 0; i < cols; i++) {
    y[3 * i] = a[i];
    y[3 * i + 1] = b[i];
    y[3 * i + 2] = c[i];
  }
}

O2C_UNUSED static void NAME(block)(const T *x, T *y, int64_t rows,
                                   int64_t cols, int64_t x_row,
                                   int64_t y_row) {
  int64_t r, c;
  for (c = 0; c < cols; c++)
    for (r = 0; r < rows; r++) y[c * y_row + r] = x[r * x_row + c];
}

O2C_UNUSED static void NAME(matrix)(const void *from, void *to, int64_t n,
                                    int64_t rows, int64_t cols,
                                    int64_t x_next, int64_t x_row,
                                    int64_t y_next, int64_t y_row) {
  const T *x = (const T *)from;
  T *y = (T *)to;
  int64_t m, i, j;
  for (m = 0; m < n; m++, x += x_next, y += y_next) {
    if (rows == 3 && y_row == 3) {
      NAME(planes)(x, y, cols, x_row);
      continue;
    }
    for (i = 0; i < cols; i += 16)
      for (j = 0; j < rows; j += 16)
        NAME(block)(x + j * x_row + i, y + i * y_row + j,
                    rows - j < 16 ? rows - j : 16,
                    cols - i < 16 ? cols - i : 16, x_row, y_row);
  }
}
#endif
