/* SPDX-License-Identifier: 0BSD */
/* Transposition of matrices of 1-, 2-, 4- or 8-byte elements:
 *
 *   static void o2c_transpose_<bits>(const void *x, void *y,
 *                                    const o2c_transpose_p *p);
 *
 * n matrices of rows x cols elements; x and y do not overlap. Blocks of
 * 16 x 16 keep both sides in the first cache; three rows (the planes of a
 * colour image) go straight through. */
#ifndef O2C_TRANSPOSE_H
#define O2C_TRANSPOSE_H

#include <stddef.h>
#include <stdint.h>

#include "simd.h"

typedef struct {
  int64_t n, rows, cols;
  int64_t x_next, x_row; /* elements to the next matrix, and row, of x */
  int64_t y_next, y_row; /* the same of y, whose rows are x's columns */
} o2c_transpose_p;

#define O2C_TRANSPOSE(bits, T)                                               \
  O2C_UNUSED static void o2c_planes_##bits(const T *x, T *y,                 \
                                           const o2c_transpose_p *p)         \
  {                                                                          \
    const T *a = x, *b = x + p->x_row, *c = b + p->x_row;                    \
    int64_t i;                                                               \
    for (i = 0; i < p->cols; i++) {                                          \
      y[3 * i] = a[i];                                                       \
      y[3 * i + 1] = b[i];                                                   \
      y[3 * i + 2] = c[i];                                                   \
    }                                                                        \
  }                                                                          \
  O2C_UNUSED static void o2c_block_##bits(const T *x, T *y, int64_t rows,    \
                                          int64_t cols,                      \
                                          const o2c_transpose_p *p)          \
  {                                                                          \
    int64_t r, c;                                                            \
    for (c = 0; c < cols; c++)                                               \
      for (r = 0; r < rows; r++)                                             \
        y[c * p->y_row + r] = x[r * p->x_row + c];                           \
  }                                                                          \
  O2C_UNUSED static void o2c_transpose_##bits(const void *from, void *to,    \
                                              const o2c_transpose_p *p)      \
  {                                                                          \
    const T *x = (const T *)from;                                            \
    T *y = (T *)to;                                                          \
    int64_t m, i, j;                                                         \
    for (m = 0; m < p->n; m++, x += p->x_next, y += p->y_next)               \
      if (p->rows == 3 && p->y_row == 3)                                     \
        o2c_planes_##bits(x, y, p);                                          \
      else                                                                   \
        for (i = 0; i < p->cols; i += 16)                                    \
          for (j = 0; j < p->rows; j += 16)                                  \
            o2c_block_##bits(x + j * p->x_row + i, y + i * p->y_row + j,     \
                             p->rows - j < 16 ? p->rows - j : 16,            \
                             p->cols - i < 16 ? p->cols - i : 16, p);        \
  }
O2C_TRANSPOSE(8, uint8_t)
O2C_TRANSPOSE(16, uint16_t)
O2C_TRANSPOSE(32, uint32_t)
O2C_TRANSPOSE(64, uint64_t)
#undef O2C_TRANSPOSE

#endif
