/* SPDX-License-Identifier: 0BSD */
/* Sequences, optional values, maps and sparse tensors: how many bytes what they
 * hold takes, and a copy of it into the caller's storage.
 *
 * Storage begins with the items, all levels of them, as o2c_value; behind them
 * stand the elements of the tensors, each tensor aligned to 16. The characters
 * of string elements are not copied. Nesting is bounded by O2C_VALUE_DEPTH, so
 * that a value which holds itself is refused, and nothing recurses. */
#ifndef O2C_VALUE_H
#define O2C_VALUE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "o2c.h"
#include "simd.h"

#define O2C_VALUE_DEPTH 8
#define O2C_VALUE_MOST (INT64_C(1) << 46) /* bytes: sums stay in range */

/* Bytes of a tensor's elements; -1: malformed. */
O2C_UNUSED static int64_t o2c_tensor_bytes(const o2c_value *v)
{
  int64_t n = (int64_t)o2c_dtype_size(v->dtype);
  int empty = 0;
  int32_t i;
  if (n == 0 || v->rank < 0 || v->rank > O2C_VALUE_RANK)
    return -1;
  for (i = 0; i < v->rank; i++) {
    if (v->dim[i] < 0)
      return -1;
    empty |= v->dim[i] == 0;
  }
  if (empty)
    return 0;
  for (i = 0; i < v->rank; i++) {
    if (v->dim[i] > O2C_VALUE_MOST / n)
      return -1;
    n *= v->dim[i];
  }
  return v->data ? n : -1;
}

/* A tensor of [count]? */
O2C_UNUSED static int o2c_value_is_list(const o2c_value *v, int64_t count)
{
  return v->kind == O2C_TENSOR && v->rank == 1 && v->dim[0] == count;
}

/* How many items v has, which is no tensor. */
O2C_UNUSED static int64_t o2c_value_items(const o2c_value *v)
{
  return v->kind == O2C_MAP || v->kind == O2C_SPARSE ? 2 : v->count;
}

/* Elements, and where they are. */
O2C_UNUSED static int o2c_sparse_holds(const o2c_value *v)
{
  const o2c_value *at = v->item + 1;
  int32_t i;
  if (v->count < 0 || !v->item || v->rank < 0 || v->rank > O2C_VALUE_RANK ||
      !o2c_value_is_list(v->item, v->count) || v->item->dtype != v->dtype)
    return 0;
  for (i = 0; i < v->rank; i++)
    if (v->dim[i] < 0)
      return 0;
  return o2c_value_is_list(at, v->count) ||
         (at->kind == O2C_TENSOR && at->rank == 2 && at->dim[0] == v->count &&
          at->dim[1] == v->rank);
}

/* Is v no tensor, with room for what it says to hold? */
O2C_UNUSED static int o2c_value_holds(const o2c_value *v)
{
  if (v->kind == O2C_SPARSE)
    return o2c_sparse_holds(v);
  if (v->kind == O2C_MAP)
    return v->count >= 0 && v->item && o2c_value_is_list(v->item, v->count) &&
           o2c_value_is_list(v->item + 1, v->count);
  if (v->kind != O2C_SEQUENCE && v->kind != O2C_OPTIONAL)
    return 0;
  if (v->count < 0 || (v->kind == O2C_OPTIONAL && v->count > 1))
    return 0;
  return (v->count == 0 || v->item) &&
         v->count <= O2C_VALUE_MOST / (int64_t)sizeof *v;
}

/* Storage that a copy of v, which is no tensor, needs; -1: it is malformed. */
O2C_UNUSED static int64_t o2c_value_bytes(const o2c_value *v)
{
  const o2c_value *at[O2C_VALUE_DEPTH];
  int64_t left[O2C_VALUE_DEPTH];
  int64_t items = 0, bytes = 0;
  int depth = 1;
  if (!v || !o2c_value_holds(v))
    return -1;
  at[0] = v->item;
  left[0] = o2c_value_items(v);
  while (depth > 0) {
    const o2c_value *x = at[depth - 1];
    if (left[depth - 1] == 0) {
      depth--;
      continue;
    }
    left[depth - 1]--;
    at[depth - 1]++;
    items++;
    if (x->kind == O2C_TENSOR) {
      const int64_t n = o2c_tensor_bytes(x);
      if (n < 0)
        return -1;
      bytes += O2C_ALIGN_UP(n, 16);
    } else if (depth == O2C_VALUE_DEPTH || !o2c_value_holds(x)) {
      return -1;
    } else {
      at[depth] = x->item;
      left[depth++] = o2c_value_items(x);
    }
    if (bytes + items * (int64_t)sizeof *x > O2C_VALUE_MOST)
      return -1;
  }
  return O2C_ALIGN_UP(items * (int64_t)sizeof *v, 16) + bytes;
}

/* v becomes a sequence or optional value of `count` items. */
O2C_UNUSED static void o2c_value_set(o2c_value *v, int32_t kind,
                                     o2c_value *item, int64_t count)
{
  v->kind = kind;
  v->dtype = 0;
  v->rank = 0;
  v->item = count > 0 ? item : NULL;
  v->count = count;
}

/* v becomes a tensor, its elements copied to `to`; returns what is behind. */
O2C_UNUSED static unsigned char *
o2c_value_tensor(o2c_value *v, int32_t dtype, int32_t rank, const int64_t *dim,
                 const void *x, int64_t bytes, unsigned char *to)
{
  memset(v, 0, sizeof *v);
  v->kind = O2C_TENSOR;
  v->dtype = dtype;
  v->rank = rank;
  if (rank > 0)
    memcpy(v->dim, dim, (size_t)rank * sizeof *dim);
  v->data = to;
  v->size = (size_t)bytes;
  if (bytes > 0)
    memcpy(to, x, (size_t)bytes);
  return to + O2C_ALIGN_UP(bytes, 16);
}

/* y becomes a copy of x, in y's storage; o2c_value_bytes(x) bytes of it, which
 * the caller has checked. */
O2C_UNUSED static void o2c_value_copy(o2c_value *y, const o2c_value *x)
{
  o2c_value *const item = (o2c_value *)y->data;
  unsigned char *bytes;
  int64_t n = 0, i;
  o2c_value *v = y;
  y->kind = x->kind;
  y->dtype = x->dtype;
  y->rank = x->rank;
  memcpy(y->dim, x->dim, sizeof y->dim);
  y->item = x->item;
  y->count = x->count;
  /* Level by level: item i's own items are put behind those that there are. */
  for (i = 0;; i++) {
    if (v->kind != O2C_TENSOR && o2c_value_items(v) > 0) {
      memcpy(item + n, v->item, (size_t)o2c_value_items(v) * sizeof *item);
      v->item = item + n;
      n += o2c_value_items(v);
    } else {
      v->item = NULL;
    }
    if (i == n)
      break;
    v = item + i;
  }
  bytes = (unsigned char *)y->data +
          O2C_ALIGN_UP((size_t)n * sizeof *item, (size_t)16);
  for (i = 0; i < n; i++) {
    v = item + i;
    if (v->kind != O2C_TENSOR)
      continue;
    v->size = (size_t)o2c_tensor_bytes(v);
    if (v->size)
      memcpy(bytes, v->data, v->size);
    v->data = bytes;
    bytes += O2C_ALIGN_UP(v->size, (size_t)16);
  }
}

/* Is any of these bytes not 0? The element of a sparse tensor, -0 too. */
O2C_UNUSED static int o2c_any_byte(const unsigned char *x, int64_t size)
{
  int64_t i;
  for (i = 0; i < size; i++)
    if (x[i])
      return 1;
  return 0;
}

/* Bytes that the sparse form of n elements takes, at `rank` dimensions; those
 * that are not 0 are counted. */
O2C_UNUSED static int64_t o2c_sparse_bytes(const void *x, int64_t n,
                                           int64_t size, int64_t rank,
                                           int64_t *count)
{
  const unsigned char *from = (const unsigned char *)x;
  int64_t i;
  *count = 0;
  for (i = 0; i < n; i++)
    *count += o2c_any_byte(from + i * size, size);
  return O2C_ALIGN_UP(2 * (int64_t)sizeof(o2c_value), 16) +
         O2C_ALIGN_UP(*count * size, 16) + O2C_ALIGN_UP(*count * rank * 8, 16);
}

/* y becomes the sparse form of a dense tensor, indices [count, rank]. */
O2C_UNUSED static void o2c_sparse_value(o2c_value *y, const void *x, int64_t n,
                                        int64_t size, int32_t dtype,
                                        int32_t rank, const int64_t *dim,
                                        int64_t count)
{
  const unsigned char *from = (const unsigned char *)x;
  o2c_value *item = (o2c_value *)y->data;
  unsigned char *to = (unsigned char *)y->data +
                      O2C_ALIGN_UP(2 * (int64_t)sizeof *item, 16);
  int64_t *at = (int64_t *)(void *)(to + O2C_ALIGN_UP(count * size, 16));
  int64_t shape[2], i, j, k;
  shape[0] = count;
  shape[1] = rank;
  o2c_tensor_set(item, dtype, to, 1, shape);
  o2c_tensor_set(item + 1, O2C_I64, at, 2, shape);
  y->kind = O2C_SPARSE;
  y->dtype = dtype;
  y->rank = rank;
  for (j = 0; j < rank; j++)
    y->dim[j] = dim[j];
  y->item = item;
  y->count = count;
  for (i = 0; i < n; i++) {
    if (!o2c_any_byte(from + i * size, size))
      continue;
    memcpy(to, from + i * size, (size_t)size);
    to += size;
    for (j = rank - 1, k = i; j >= 0; k /= dim[j], j--)
      at[j] = k % dim[j];
    at += rank;
  }
}

/* What o2c_rows_value makes of rows. */
enum { O2C_ROWS_SEQUENCE, O2C_ROWS_SOME_SEQUENCE, O2C_ROWS_SOME_TENSOR,
       O2C_ROWS_NONE };

/* A sequence from its elements and n rows of 1 + O2C_VALUE_RANK: rank, sizes;
 * or an optional value of it, of its one item, or of nothing. Storage that it
 * takes: `size` is that of an element. */
O2C_UNUSED static int64_t o2c_rows_bytes(const int64_t *row, int64_t n,
                                         int64_t size, int what)
{
  const int64_t items = n + (what == O2C_ROWS_SOME_SEQUENCE);
  int64_t bytes = O2C_ALIGN_UP(items * (int64_t)sizeof(o2c_value), 16);
  int64_t i, j;
  for (i = 0; i < n; i++, row += 1 + O2C_VALUE_RANK) {
    int64_t count = size;
    for (j = 1; j <= O2C_VALUE_RANK; j++)
      count *= row[j];
    bytes += O2C_ALIGN_UP(count, 16);
  }
  return bytes;
}

O2C_UNUSED static void o2c_rows_value(o2c_value *y, const void *flat,
                                      const int64_t *row, int64_t n,
                                      int32_t dtype, int64_t size, int what)
{
  const unsigned char *x = (const unsigned char *)flat;
  const int64_t wrap = what == O2C_ROWS_SOME_SEQUENCE;
  o2c_value *item = (o2c_value *)y->data;
  unsigned char *to = (unsigned char *)y->data +
                      O2C_ALIGN_UP((n + wrap) * (int64_t)sizeof *item, 16);
  int64_t i, j;
  o2c_value_set(y, what == O2C_ROWS_SEQUENCE ? O2C_SEQUENCE : O2C_OPTIONAL,
                item, what == O2C_ROWS_NONE ? 0 : wrap ? 1 : n);
  if (wrap) {
    o2c_value_set(item, O2C_SEQUENCE, item + 1, n);
    item++;
  }
  for (i = 0; i < n; i++, row += 1 + O2C_VALUE_RANK) {
    int64_t bytes = size;
    for (j = 1; j <= O2C_VALUE_RANK; j++)
      bytes *= row[j];
    to = o2c_value_tensor(item + i, dtype, (int32_t)row[0], row + 1, x, bytes,
                          to);
    x += bytes;
  }
}

#endif
