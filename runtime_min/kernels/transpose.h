/* SPDX-License-Identifier: 0BSD */
/* Transposition of matrices of 1-, 2-, 4- or 8-byte elements:
 *
 *   static void o2c_transpose_<bits>(const void *x, void *y, int64_t n,
 *                                    int64_t rows, int64_t cols);
 *
 * for n matrices x [rows][cols] to y [cols][rows], one after the other; x and
 * y do not overlap. Blocks of 16 x 16 keep both sides in the first cache;
 * three or four narrow columns or rows (colours) go straight through. */
#ifndef O2C_TRANSPOSE_H
#define O2C_TRANSPOSE_H

#include <stddef.h>
#include <stdint.h>

#include "simd.h"

#define O2C_TRANSPOSE(bits, T)                                               \
  O2C_UNUSED static void o2c_transpose_##bits(                               \
    const void *from, void *to, int64_t n, int64_t rows, int64_t cols)       \
  {                                                                          \
    const T *x = (const T *)from;                                            \
    T *y = (T *)to;                                                          \
    int64_t m, i, j, r, c;                                                   \
    for (m = 0; m < n; m++, x += rows * cols, y += rows * cols)              \
      for (i = 0; i < cols; i += 16)                                         \
        for (j = 0; j < rows; j += 16) {                                     \
          const int64_t re = rows - j < 16 ? rows - j : 16;                  \
          const int64_t ce = cols - i < 16 ? cols - i : 16;                  \
          for (c = i; c < i + ce; c++)                                       \
            for (r = j; r < j + re; r++)                                     \
              y[c * rows + r] = x[r * cols + c];                             \
        }                                                                    \
  }
O2C_TRANSPOSE(8, uint8_t)
O2C_TRANSPOSE(16, uint16_t)
O2C_TRANSPOSE(32, uint32_t)
O2C_TRANSPOSE(64, uint64_t)
#undef O2C_TRANSPOSE

#endif
