/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: move.h, pad.h. */
#ifndef O2C_TEST_MOVE_H
#define O2C_TEST_MOVE_H
#include "../../runtime_min/kernels/move.h"
#include "../../runtime_min/kernels/pad.h"

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

/* Element i of an axis of n, padded: its place, or -1. */
static int64_t pad_place(int64_t i, int64_t n, int64_t mode)
{
  if (mode == O2C_PAD_CONSTANT)
    return i >= 0 && i < n ? i : -1;
  while (i < 0 || i >= n) {
    if (mode == O2C_PAD_EDGE)
      i = i < 0 ? 0 : n - 1;
    else if (mode == O2C_PAD_WRAP)
      i += i < 0 ? n : -n;
    else
      i = n == 1 ? 0 : i < 0 ? -i : 2 * (n - 1) - i;
  }
  return i;
}

/* Two axes; `crop`: some numbers are negative. */
static void pad_check(int64_t size, int64_t per, int64_t mode, int crop)
{
  const o2c_pad_p p = {2, mode, size, size * per};
  const int64_t dim[2] = {3 + rnd(5), 3 + rnd(40)}, u = p.unit;
  int64_t begin[2], end[2], out[2];
  for (int i = 0; i < 2; i++) {
    begin[i] = crop && rnd(2) ? -(int64_t)rnd(2) : (int64_t)rnd(9);
    end[i] = crop && rnd(2) ? -(int64_t)rnd(2) : (int64_t)rnd(9);
    out[i] = dim[i] + begin[i] + end[i];
  }
  unsigned char *x = random_bytes((size_t)(dim[0] * dim[1] * u));
  unsigned char *y = random_bytes((size_t)(out[0] * out[1] * u));
  unsigned char *value = random_bytes((size_t)size), zero[8] = {0};
  if (rnd(3) == 0)
    memset(value, 7, (size_t)size);
  const int with = rnd(3) > 0;
  o2c_pad(x, with ? value : NULL, y, &p, dim, begin, end);
  for (int64_t k = 0; k < out[0] * out[1]; k++) {
    int64_t at[2] = {k / out[1], k % out[1]}, from = 0, e;
    for (int i = 0; i < 2; i++) {
      const int64_t lo = begin[i] < 0 ? -begin[i] : 0;
      const int64_t hi = end[i] < 0 ? -end[i] : 0;
      e = pad_place(at[i] - begin[i] - lo, dim[i] - lo - hi, mode);
      from = e < 0 || from < 0 ? -1 : from * dim[i] + e + lo;
    }
    for (e = 0; e < per; e++)
      if (memcmp(y + k * u + e * size,
                 from >= 0 ? x + from * u + e * size : with ? value : zero,
                 (size_t)size) != 0)
        fail("pad", "differs");
  }
  free(x), free(y), free(value);
}

static void test_o2c_pad(void)
{
  for (int64_t size = 1; size <= 8; size *= 2)
    for (int64_t mode = O2C_PAD_CONSTANT; mode <= O2C_PAD_WRAP; mode++)
      for (int i = 0; i < 40; i++)
        pad_check(size, 1 + rnd(4), mode, i % 2);
}

#endif
