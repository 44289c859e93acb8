/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: move.h. */
#ifndef O2C_TEST_MOVE_H
#define O2C_TEST_MOVE_H
#include "../../runtime_min/kernels/move.h"

static unsigned char *random_bytes(size_t n)
{
  unsigned char *p = (unsigned char *)alloc_f32(n / 4 + 1);
  for (size_t i = 0; i < n; i++)
    p[i] = (unsigned char)rnd(256);
  return p;
}

/* Rows with gaps on both sides, of which nothing may be read or written. */
static void transpose_check(int64_t size, int64_t rows, int64_t cols)
{
  const int64_t xr = cols + rnd(3), yr = rows + rnd(2) * rnd(3);
  const size_t nx = (size_t)((xr * (rows - 1) + cols) * size);
  const size_t ny = (size_t)((yr * (cols - 1) + rows) * size);
  unsigned char *x = random_bytes(nx), *y = random_bytes(ny);
  unsigned char *want = random_bytes(ny);
  memcpy(want, y, ny);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < cols; c++)
      memcpy(want + (c * yr + r) * size, x + (r * xr + c) * size,
             (size_t)size);
  o2c_transpose(x, y, size, rows, cols, xr, yr);
  if (memcmp(y, want, ny) != 0)
    fail("transpose", "differs");
  free(x), free(y), free(want);
}

static void test_o2c_transpose(void)
{
  for (int64_t size = 1; size <= 8; size *= 2)
    for (int64_t n = 1; n < 100; n++) {
      transpose_check(size, 3, n);
      transpose_check(size, n, 1 + rnd(80));
      transpose_check(size, 1 + rnd(30), n);
    }
}

#endif
