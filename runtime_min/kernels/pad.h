/* SPDX-License-Identifier: 0BSD */
/* ONNX Pad of any element type.

     static void o2c_pad(const void *x, const void *value, void *y,
       const o2c_pad_p *p, const int64_t *dim, const int64_t *begin,
       const int64_t *end);

   y is x with begin[k] elements before and end[k] after axis k; negative
   numbers crop, before anything is repeated. value: an element, or NULL for
   zero bytes. Along the last axis an element is of `unit` bytes; what fills it
   has `size` bytes, of which unit is a multiple. */
#ifndef O2C_PAD_H
#define O2C_PAD_H

#include "simd.h"

typedef enum { O2C_PAD_CONSTANT, O2C_PAD_REFLECT, O2C_PAD_EDGE, O2C_PAD_WRAP }
  o2c_pad_mode;
typedef struct {
  int64_t rank, mode, size, unit;
} o2c_pad_p;

/* n elements of `size` bytes. */
O2C_NOINLINE void o2c_fill(unsigned char *y, const unsigned char *value,
                           int64_t n, int64_t size)
{
  const int64_t all = n * size;
  int64_t done = 1;
  if (n <= 0)
    return;
  while (value && done < size && value[done] == value[0])
    done++;
  if (!value || done == size) {
    memset(y, value ? value[0] : 0, (size_t)all);
    return;
  }
  memcpy(y, value, (size_t)size);
  for (done = size; done < all;) {
    const int64_t more = all - done < done ? all - done : done;
    memcpy(y + done, y, (size_t)more);
    done += more;
  }
}

/* Where element i of a padded axis lies in the n elements left by cropping;
   -1: in the padding that takes the value. */
O2C_INLINE int64_t o2c_pad_at(int64_t i, int64_t n, int64_t mode)
{
  if (i >= 0 && i < n)
    return i;
  if (mode == O2C_PAD_CONSTANT || n <= 0)
    return -1;
  if (mode == O2C_PAD_EDGE)
    return i < 0 ? 0 : n - 1;
  if (mode == O2C_PAD_WRAP)
    return (i % n + n) % n;
  if (n == 1)
    return 0;
  i = (i < 0 ? -i : i) % (2 * (n - 1));
  return i < n ? i : 2 * (n - 1) - i;
}

/* Elements [i, end) of a padded row, of the n at x, where they are repeated. */
O2C_INLINE void o2c_pad_repeat(const unsigned char *x, unsigned char *y,
                               int64_t i, int64_t end, int64_t n,
                               const o2c_pad_p *p)
{
  for (; i < end; i++, y += p->unit) {
    const unsigned char *from = x + o2c_pad_at(i, n, p->mode) * p->unit;
    if (p->unit == 4)
      memcpy(y, from, 4);
    else if (p->unit == 1)
      *y = *from;
    else
      memcpy(y, from, (size_t)p->unit);
  }
}

/* A row: `before` elements, the n at x, `after` elements. */
O2C_INLINE void o2c_pad_row(const unsigned char *x, const unsigned char *value,
                            unsigned char *y, int64_t before, int64_t n,
                            int64_t after, const o2c_pad_p *p)
{
  const int64_t per = p->unit / p->size;
  if (p->mode == O2C_PAD_CONSTANT)
    o2c_fill(y, value, before * per, p->size);
  else
    o2c_pad_repeat(x, y, -before, 0, n, p);
  y += before * p->unit;
  memcpy(y, x, (size_t)(n * p->unit));
  y += n * p->unit;
  if (p->mode == O2C_PAD_CONSTANT)
    o2c_fill(y, value, after * per, p->size);
  else
    o2c_pad_repeat(x, y, n, n + after, n, p);
}

/* Which row of x is the one at `at`; -1: none. */
O2C_INLINE int64_t o2c_pad_from(const int64_t *at, const o2c_pad_p *p,
                                const int64_t *dim, const int64_t *begin,
                                const int64_t *end)
{
  int64_t row = 0;
  for (int64_t j = 0; j < p->rank - 1; j++) {
    const int64_t lo = begin[j] < 0 ? -begin[j] : 0;
    const int64_t hi = end[j] < 0 ? -end[j] : 0;
    const int64_t i = o2c_pad_at(at[j] - begin[j] - lo, dim[j] - lo - hi,
                                 p->mode);
    if (i < 0)
      return -1;
    row = row * dim[j] + i + lo;
  }
  return row;
}

O2C_NOINLINE void o2c_pad(const void *x, const void *value, void *y,
                          const o2c_pad_p *p, const int64_t *dim,
                          const int64_t *begin, const int64_t *end)
{
  const int64_t last = p->rank - 1;
  const int64_t before = begin[last] > 0 ? begin[last] : 0;
  const int64_t after = end[last] > 0 ? end[last] : 0;
  const int64_t width = dim[last] + begin[last] + end[last];
  const int64_t n = width - before - after, lo = before - begin[last];
  const unsigned char *v = (const unsigned char *)value;
  unsigned char *to = (unsigned char *)y;
  int64_t at[12] = {0}, j;
  for (j = 0; j <= last; j++)
    if (dim[j] + begin[j] + end[j] <= 0)
      return;
  for (;;) {
    const int64_t row = o2c_pad_from(at, p, dim, begin, end);
    if (row < 0 || n <= 0)
      o2c_fill(to, v, width * (p->unit / p->size), p->size);
    else
      o2c_pad_row((const unsigned char *)x + (row * dim[last] + lo) * p->unit,
                  v, to, before, n, after, p);
    to += width * p->unit;
    for (j = last - 1; j >= 0; j--) {
      if (++at[j] < dim[j] + begin[j] + end[j])
        break;
      at[j] = 0;
    }
    if (j < 0)
      return;
  }
}

#endif
