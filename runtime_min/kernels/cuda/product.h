/* SPDX-License-Identifier: 0BSD */
/* Products of matrices: by a kernel for every type and any strides, or by
 * o2c_cuda_matmul.
 *
 *   y [batch.., m, n] = clamp(alpha a b + beta c + r)
 *
 * y and r are dense. A sum is one thread's, over k in order, so that it does
 * not depend on where the tile of its row begins. */
#ifndef O2C_PRODUCT_H
#define O2C_PRODUCT_H
#include "block.h"
#include "type.h"

/* v + a b, and v f: of integers, which wrap, toward zero, and 0 where it does
 * not fit. */
O2C_INLINE float o2c_mad(float v, float a, float b)
{
  return v + a * b;
}
O2C_INLINE double o2c_mad(double v, double a, double b)
{
  return v + a * b;
}
template <class V>
O2C_DEVICE V o2c_mad(V v, V a, V b)
{
  return (V)((uint64_t)v + (uint64_t)a * (uint64_t)b);
}
O2C_INLINE float o2c_scaled(float v, double f)
{
  return v * (float)f;
}
O2C_INLINE double o2c_scaled(double v, double f)
{
  return v * f;
}
template <class V>
O2C_DEVICE V o2c_scaled(V v, double f)
{
  const double scaled = (double)v * f;
  if (f == 1)
    return v;
  return scaled > -9e18 && scaled < 9e18 ? (V)(int64_t)scaled : (V)0;
}

enum { O2C_PRODUCT_RANK = 10, O2C_PRODUCT_TILE = 64, O2C_PRODUCT_DEEP = 16 };

typedef struct {
  int64_t m, n, k, rank;
  int64_t batch[O2C_PRODUCT_RANK];
  int64_t as[O2C_PRODUCT_RANK], bs[O2C_PRODUCT_RANK]; /* along the batch */
  int64_t am, ak, bk, bn, cm, cn;      /* along rows and columns */
  double alpha, beta, lo, hi;
  int clamp;
} o2c_product_p;

O2C_UNUSED static int64_t o2c_product_count(const o2c_product_p *p)
{
  return o2c_numel(p->rank, p->batch) * p->m * p->n;
}

O2C_UNUSED static int64_t o2c_product_tiles(const o2c_product_p *p)
{
  const int64_t tile = O2C_PRODUCT_TILE;
  return o2c_numel(p->rank, p->batch) * ((p->m + tile - 1) / tile) *
         ((p->n + tile - 1) / tile);
}

/* What follows the sum, of row i and column j of matrix `image`. */
template <class E>
O2C_DEVICE void o2c_product_put(
  typename E::A v, const typename E::T *c, const typename E::T *r,
  typename E::T *y, const o2c_product_p &p, int64_t image, int64_t i,
  int64_t j)
{
  const int64_t at = (image * p.m + i) * p.n + j;
  if (c)
    v = o2c_mad(v, o2c_scaled(E::load(c[i * p.cm + j * p.cn]), p.beta),
                (typename E::A)1);
  if (r)
    v = o2c_mad(v, E::load(r[at]), (typename E::A)1);
  if (p.clamp) {
    v = v < (typename E::A)p.lo ? (typename E::A)p.lo : v;
    v = v > (typename E::A)p.hi ? (typename E::A)p.hi : v;
  }
  y[at] = E::store(v);
}

/* A tile of `lines` lines of 16 elements of a or b, 0 past their end, that a
 * block brings to shared memory by way of registers, so that it can be on its
 * way while another one is multiplied. Neighbour threads take neighbours in
 * memory. */
template <class E> struct o2c_product_side {
  typedef typename E::A A;
  enum { PER = O2C_PRODUCT_TILE * O2C_PRODUCT_DEEP / 256 };
  const typename E::T *from;
  int64_t line, step, lines;
  A held[PER];

  __device__ int line_of(int e) const
  {
    return step == 1 ? e / O2C_PRODUCT_DEEP : e % O2C_PRODUCT_TILE;
  }
  __device__ int place_of(int e) const
  {
    return step == 1 ? e % O2C_PRODUCT_DEEP : e / O2C_PRODUCT_TILE;
  }
  /* The next tile, of which `deep` elements of a line are there. */
  __device__ void fetch(int64_t deep)
  {
    O2C_UNROLL
    for (int q = 0; q < PER; q++) {
      const int e = (int)threadIdx.x + 256 * q, i = line_of(e), k = place_of(e);
      held[q] = i < lines && k < deep ? E::load(from[i * line + k * step])
                                      : (A)0;
    }
    from += O2C_PRODUCT_DEEP * step;
  }
  __device__ void put(A (*to)[O2C_PRODUCT_TILE + 1]) const
  {
    O2C_UNROLL
    for (int q = 0; q < PER; q++) {
      const int e = (int)threadIdx.x + 256 * q;
      to[place_of(e)][line_of(e)] = held[q];
    }
  }
};

/* Tile number t of those of all images: which one, and where it begins. */
typedef struct {
  int64_t image, i, j;
} o2c_product_place;
O2C_DEVICE o2c_product_place
o2c_product_find(const o2c_product_p &p, int64_t t)
{
  const int64_t across = (p.n + O2C_PRODUCT_TILE - 1) / O2C_PRODUCT_TILE;
  const int64_t down = (p.m + O2C_PRODUCT_TILE - 1) / O2C_PRODUCT_TILE;
  o2c_product_place at;
  at.image = t / across / down;
  at.i = t / across % down * O2C_PRODUCT_TILE;
  at.j = t % across * O2C_PRODUCT_TILE;
  return at;
}

/* A block of 256 threads for a tile of 64 by 64, 4 by 4 a thread. */
template <class E>
static __global__ void o2c_product(
  const typename E::T *a, const typename E::T *b, const typename E::T *c,
  const typename E::T *r, typename E::T *y,
  const __grid_constant__ o2c_product_p p)
{
  typedef typename E::A A;
  __shared__ A left[O2C_PRODUCT_DEEP][O2C_PRODUCT_TILE + 1];
  __shared__ A right[O2C_PRODUCT_DEEP][O2C_PRODUCT_TILE + 1];
  const int tx = (int)threadIdx.x % 16, ty = (int)threadIdx.x / 16;
  const int64_t tiles = o2c_product_tiles(&p);
  for (int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const o2c_product_place place = o2c_product_find(p, t);
    const int64_t image = place.image, i0 = place.i, j0 = place.j;
    o2c_product_side<E> one = { a + i0 * p.am + o2c_offset(image, p.rank,
                                                           p.batch, p.as),
                                p.am, p.ak, p.m - i0, {} };
    o2c_product_side<E> two = { b + j0 * p.bn + o2c_offset(image, p.rank,
                                                           p.batch, p.bs),
                                p.bn, p.bk, p.n - j0, {} };
    A sum[4][4] = {};
    one.fetch(p.k);
    two.fetch(p.k);
    for (int64_t k0 = 0; k0 < p.k; k0 += O2C_PRODUCT_DEEP) {
      one.put(left);
      two.put(right);
      __syncthreads();
      if (k0 + O2C_PRODUCT_DEEP < p.k) {
        one.fetch(p.k - k0 - O2C_PRODUCT_DEEP);
        two.fetch(p.k - k0 - O2C_PRODUCT_DEEP);
      }
      for (int k = 0; k < O2C_PRODUCT_DEEP; k++)
        O2C_UNROLL
        for (int i = 0; i < 4; i++)
          if (16 * i < one.lines) /* not so for many where rows are few */
            O2C_UNROLL
            for (int j = 0; j < 4; j++)
              sum[i][j] = o2c_mad(sum[i][j], left[k][ty + 16 * i],
                                  right[k][tx + 16 * j]);
      __syncthreads();
    }
    O2C_UNROLL
    for (int i = 0; i < 4; i++)
      O2C_UNROLL
      for (int j = 0; j < 4; j++)
        if (i0 + ty + 16 * i < p.m && j0 + tx + 16 * j < p.n)
          o2c_product_put<E>(o2c_scaled(sum[i][j], p.alpha), c, r, y, p, image,
                             i0 + ty + 16 * i, j0 + tx + 16 * j);
  }
}

/* What follows the sums, where o2c_cuda_matmul left it; y holds them. */
template <class E>
static __global__ void o2c_product_rest(const typename E::T *c,
                                        typename E::T *y,
                                        const __grid_constant__ o2c_product_p p)
{
  const int64_t count = o2c_numel(p.rank, p.batch) * p.m * p.n;
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
    const int64_t row = e / p.n;
    o2c_product_put<E>(E::load(y[e]), c, (const typename E::T *)0, y, p,
                       row / p.m, row % p.m, e % p.n);
  }
}
#endif
