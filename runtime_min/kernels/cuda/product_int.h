/* SPDX-License-Identifier: 0BSD */
/* Products of matrices of bytes that both come from the run, dense, by tiles.
 *
 *   [batch.., m, n] = a b, in int32, which wraps
 *
 * What zero points and scales do comes after, from the sums of a's rows and of
 * b's columns: bytes past the end are 0, which adds to none of them. */
#ifndef O2C_PRODUCT_INT_H
#define O2C_PRODUCT_INT_H
#include "product.h"
#include "tile.h"

/* Of p, what tells the shape; others: of scales and zero points, along the
 * batch. */
typedef struct {
  o2c_product_p p;
  int64_t az[O2C_PRODUCT_RANK], bz[O2C_PRODUCT_RANK], as[O2C_PRODUCT_RANK];
  int64_t bs[O2C_PRODUCT_RANK], ys[O2C_PRODUCT_RANK], yz[O2C_PRODUCT_RANK];
} o2c_product_int_p;

template <class T>
O2C_UNUSED static int64_t o2c_product_int_tiles(const o2c_product_p *p)
{
  return o2c_numel(p->rank, p->batch) * o2c_tile_count<T>(p->m, p->n);
}

/* 16 bytes of a row of k, from k0 on. */
template <class A>
O2C_DEVICE o2c_four o2c_row_bytes(const A *row, int64_t k0, int64_t k)
{
  o2c_four v = {};
  if (k % 16 == 0 && k0 < k)
    return *(const o2c_four *)(row + k0);
  O2C_UNROLL
  for (int e = 0; e < 16; e += 4) {
    if (k % 4 == 0 && k0 + e < k)
      v.v[e / 4] = *(const unsigned *)(row + k0 + e);
    O2C_UNROLL
    for (int i = 0; i < 4; i++)
      if (k % 4 != 0 && k0 + e + i < k)
        v.v[e / 4] |= (unsigned)(uint8_t)row[k0 + e + i] << 8 * i;
  }
  return v;
}

/* 16 bytes down a column of rows of n, from k0 on. */
template <class B>
O2C_DEVICE o2c_four o2c_column_bytes(const B *column, int64_t n, int64_t k0,
                                     int64_t k)
{
  o2c_four v = {};
  O2C_UNROLL
  for (int e = 0; e < 16; e++)
    if (k0 + e < k)
      v.v[e / 4] |= (unsigned)(uint8_t)column[(k0 + e) * n] << 8 * (e % 4);
  return v;
}

/* put(image, i, j, sum, sum of the row, sum of the column) for all elements,
 * the latter ones if ROWS, COLUMNS. Blocks have T::THREADS. */
template <class T, bool ROWS, bool COLUMNS, class A, class B, class F>
O2C_DEVICE void o2c_product_int(const A *a, const B *b, const o2c_product_p &p,
                                const F &put)
{
  __shared__ o2c_four room[T::ROOM];
  o2c_tile_sums<T, (A)-1 < (A)0, (B)-1 < (B)0, ROWS, COLUMNS> sums;
  const int64_t across = (p.n + T::N - 1) / T::N;
  const int64_t down = (p.m + T::M - 1) / T::M;
  const int64_t tiles = across * down * o2c_numel(p.rank, p.batch);
  for (int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const int64_t image = t / across / down;
    const int64_t i0 = t / across % down * T::M, j0 = t % across * T::N;
    const A *const at = a + o2c_offset(image, p.rank, p.batch, p.as);
    const B *const bt = b + o2c_offset(image, p.rank, p.batch, p.bs);
    const auto left = [&](int h, int64_t k) {
      const int64_t i = i0 + o2c_left_row<T, false>(h);
      return i < p.m ? o2c_row_bytes(at + i * p.k, k, p.k) : o2c_four{};
    };
    const auto right = [&](int h, int64_t k) {
      const int64_t j = j0 + o2c_right_row<T, true>(h);
      return j < p.n ? o2c_column_bytes(bt + j, p.n, k, p.k) : o2c_four{};
    };
    o2c_tile_multiply<false, true>(sums, room, p.k, left, right);
    const auto begin = [](int) { return 0; };
    o2c_tile_each(sums, begin, [&](int row, int column, int, int sum,
                                   int row_sum, int column_sum) {
      if (i0 + row < p.m && j0 + column < p.n)
        put(image, i0 + row, j0 + column, sum, row_sum, column_sum);
    });
  }
}
#endif
