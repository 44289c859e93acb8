/* SPDX-License-Identifier: 0BSD */
/* Fills the border around an image that a kernel writes in the middle of a
 * larger buffer, so that a convolution which reads it needs no padded copy.
 * Sizes are in bytes: `row` of the image, `left` and `right` of its border;
 * top, rows and bottom count rows of left + row + right bytes. */
#ifndef O2C_BORDER_H
#define O2C_BORDER_H

#include <stddef.h>
#include <string.h>

#include "simd.h"

O2C_UNUSED static void o2c_border(void *y, size_t top, size_t rows,
                                  size_t bottom, size_t left, size_t row,
                                  size_t right, int value)
{
  const size_t all = left + row + right;
  unsigned char *p = (unsigned char *)y;
  if (rows == 0) {
    memset(p, value, (top + bottom) * all);
    return;
  }
  memset(p, value, top * all + left);
  p += top * all + left + row;
  O2C_ROLLED
  for (; rows > 1; rows--, p += all)
    memset(p, value, right + left);
  memset(p, value, right + bottom * all);
}

#endif
