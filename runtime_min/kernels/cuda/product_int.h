/* SPDX-License-Identifier: 0BSD */
/* Products of matrices of bytes, dense, with zero points: int32, which wraps.
 *
 *   y [batch.., m, n] = (a - za) (b - zb)
 *
 * Four bytes along k are a word, which __dp4a multiplies. It takes signed ones,
 * so u8 and their zero points lose 128, and what zero points do comes after:
 * a b - zb sum(a) - za sum(b) + k za zb, exact as all of it wraps. Bytes past
 * the end are 0, which adds to none of it. */
#ifndef O2C_PRODUCT_INT_H
#define O2C_PRODUCT_INT_H
#include "product.h"

enum { O2C_BYTES_WORDS = 8, O2C_BYTES_DEEP = 4 * O2C_BYTES_WORDS };

/* Of p, what tells the shape; zs: of zero points, along rows of a or columns of
 * b, and zb: along the batch. */
typedef struct {
  o2c_product_p p;
  int64_t azs, bzs;
  int64_t azb[O2C_PRODUCT_RANK], bzb[O2C_PRODUCT_RANK];
} o2c_product_int_p;

/* A byte less 128, if it is a u8. */
template <class T>
O2C_DEVICE int o2c_signed(T v)
{
  return (T)-1 < (T)0 ? (int)v : (int)v - 128;
}

/* Four of them, `step` elements apart; 0 from number `have` on. */
template <class T>
O2C_DEVICE int o2c_signed_word(const T *from, int64_t step, int64_t have)
{
  unsigned v = 0;
  for (int i = 0; i < 4; i++)
    if (i < have)
      v |= ((unsigned)o2c_signed(from[i * step]) & 255u) << 8 * i;
  return (int)v;
}

template <class T>
O2C_DEVICE unsigned o2c_signed_zero(const T *z, int64_t at)
{
  return (unsigned)o2c_signed(z ? z[at] : (T)0);
}

/* A block of 256 threads for a tile of 64 by 64, 4 by 4 a thread. */
template <class S, class T>
static __global__ void o2c_product_int(const S *a, const T *b, const S *az,
                                       const T *bz, int32_t *y,
                                       const o2c_product_int_p q)
{
  const o2c_product_p &p = q.p;
  __shared__ int left[O2C_BYTES_WORDS][O2C_PRODUCT_TILE + 4];
  __shared__ int right[O2C_BYTES_WORDS][O2C_PRODUCT_TILE];
  const int me = (int)threadIdx.x, tx = me % 16, ty = me / 16;
  const int64_t tiles = o2c_product_tiles(&p);
  for (int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const o2c_product_place place = o2c_product_find(p, t);
    const int64_t image = place.image, i0 = place.i, j0 = place.j;
    const S *const at = a + o2c_offset(image, p.rank, p.batch, p.as);
    const T *const bt = b + o2c_offset(image, p.rank, p.batch, p.bs);
    int sum[4][4] = {}, rows[4] = {}, columns[4] = {};
    for (int64_t k0 = 0; k0 < p.k; k0 += O2C_BYTES_DEEP) {
      for (int e = me; e < O2C_PRODUCT_TILE * O2C_BYTES_WORDS; e += 256) {
        const int64_t i = i0 + e / O2C_BYTES_WORDS, j = j0 + e % 64;
        const int64_t ka = k0 + e % O2C_BYTES_WORDS * 4, kb = k0 + e / 64 * 4;
        left[e % O2C_BYTES_WORDS][e / O2C_BYTES_WORDS] =
          i < p.m ? o2c_signed_word(at + i * p.k + ka, 1, p.k - ka) : 0;
        right[e / 64][e % 64] =
          j < p.n ? o2c_signed_word(bt + kb * p.n + j, p.n, p.k - kb) : 0;
      }
      __syncthreads();
      O2C_UNROLL
      for (int w = 0; w < O2C_BYTES_WORDS; w++) {
        O2C_UNROLL
        for (int i = 0; i < 4; i++) {
          rows[i] = __dp4a(left[w][ty + 16 * i], 0x01010101, rows[i]);
          columns[i] = __dp4a(right[w][tx + 16 * i], 0x01010101, columns[i]);
          O2C_UNROLL
          for (int j = 0; j < 4; j++)
            sum[i][j] = __dp4a(left[w][ty + 16 * i], right[w][tx + 16 * j],
                               sum[i][j]);
        }
      }
      __syncthreads();
    }
    const int64_t za = o2c_offset(image, p.rank, p.batch, q.azb);
    const int64_t zb = o2c_offset(image, p.rank, p.batch, q.bzb);
    for (int e = 0; e < 16; e++) {
      const int64_t i = i0 + ty + 16 * (e / 4), j = j0 + tx + 16 * (e % 4);
      if (i >= p.m || j >= p.n)
        continue;
      const unsigned u = o2c_signed_zero(az, za + i * q.azs);
      const unsigned v = o2c_signed_zero(bz, zb + j * q.bzs);
      y[(image * p.m + i) * p.n + j] = (int32_t)((unsigned)sum[e / 4][e % 4] -
        v * (unsigned)rows[e / 4] - u * (unsigned)columns[e % 4] +
        (unsigned)p.k * u * v);
    }
  }
}
#endif
