/* SPDX-License-Identifier: 0BSD */
/* TopK along the middle of [outer, n, inner], a block for each row, as
 * ref/topk.h: not-a-number is larger than all, ties go to the lower index. Up
 * to 4096 elements, or 2048 that are computed with in 8 bytes, are sorted by a
 * bitonic network in shared memory; of more, the block looks k times for the
 * next one. */
#ifndef O2C_CUDA_TOPK_H
#define O2C_CUDA_TOPK_H
#include "block.h"
#include "type.h"

enum { O2C_TOPK_THREADS = 256 };

/* Does element (a, i) come before (b, j)? */
template <class A, bool LARGEST>
O2C_DEVICE bool o2c_topk_before(A a, int64_t i, A b, int64_t j)
{
  const bool an = o2c_nan(a), bn = o2c_nan(b);
  if (an != bn)
    return LARGEST ? an : bn;
  if (!an && a != b)
    return LARGEST ? a > b : a < b;
  return i < j;
}

/* The next one after what was found; at -1: none. */
template <class A, bool LARGEST> struct o2c_topk_next {
  __device__ o2c_found<A> none() const { return o2c_found<A>{ 0, -1 }; }
  __device__ o2c_found<A> join(o2c_found<A> a, o2c_found<A> b) const
  {
    if (a.at < 0 || b.at < 0)
      return a.at < 0 ? b : a;
    return o2c_topk_before<A, LARGEST>(a.v, a.at, b.v, b.at) ? a : b;
  }
};

/* Sorts at[0..size), size a power of two, of elements value[]; numbers from n
 * on are no elements and come last. */
template <class A, bool LARGEST>
static __device__ void o2c_topk_sort(A *value, int *at, int n, int size)
{
  for (int k = 2; k <= size; k *= 2)
    for (int j = k / 2; j > 0; j /= 2) {
      for (int t = (int)threadIdx.x; t < size / 2; t += (int)blockDim.x) {
        const int i = 2 * t - (t & (j - 1)), other = i + j;
        const int p = at[i], q = at[other];
        const bool right = q >= n || (p < n && o2c_topk_before<A, LARGEST>(
                                                 value[p], p, value[q], q));
        if (right != ((i & k) == 0)) {
          at[i] = q;
          at[other] = p;
        }
      }
      __syncthreads();
    }
}

template <class E, bool LARGEST>
static __device__ void o2c_topk_sorted(const typename E::T *x,
                                       typename E::T *values, int64_t *indices,
                                       int n, int64_t inner, int k)
{
  const int room = sizeof(typename E::A) > 4 ? 2048 : 4096;
  __shared__ typename E::A value[room];
  __shared__ int at[room];
  int size = 1;
  while (size < n)
    size *= 2;
  for (int i = (int)threadIdx.x; i < size; i += (int)blockDim.x) {
    at[i] = i;
    if (i < n)
      value[i] = E::load(x[i * inner]);
  }
  __syncthreads();
  o2c_topk_sort<typename E::A, LARGEST>(value, at, n, size);
  for (int i = (int)threadIdx.x; i < k; i += (int)blockDim.x) {
    if (values)
      values[i * inner] = x[at[i] * inner];
    if (indices)
      indices[i * inner] = at[i];
  }
  __syncthreads();
}

template <class E, bool LARGEST>
static __device__ void o2c_topk_search(const typename E::T *x,
                                       typename E::T *values, int64_t *indices,
                                       int64_t n, int64_t inner, int64_t k)
{
  typedef typename E::A A;
  const o2c_topk_next<A, LARGEST> next = {};
  o2c_found<A> last = next.none();
  for (int64_t i = 0; i < k; i++) {
    o2c_found<A> best = next.none();
    for (int64_t j = threadIdx.x; j < n; j += O2C_TOPK_THREADS) {
      const A v = E::load(x[j * inner]);
      if (last.at < 0 ||
          o2c_topk_before<A, LARGEST>(last.v, last.at, v, j))
        best = next.join(best, o2c_found<A>{ v, j });
    }
    last = o2c_all<O2C_TOPK_THREADS>(best, next);
    if (threadIdx.x == 0 && values)
      values[i * inner] = x[last.at * inner];
    if (threadIdx.x == 0 && indices)
      indices[i * inner] = last.at;
  }
}

/* `given` is the model's k, to be compared; NULL: it is a constant. */
template <class E, bool LARGEST, bool SHORT>
static __device__ void o2c_topk(const typename E::T *x, const int64_t *given,
                                typename E::T *values, int64_t *indices,
                                int64_t outer, int64_t n, int64_t inner,
                                int64_t k, int *fault)
{
  if (k > n || (given && *given != k)) {
    *fault = (int)O2C_E_SHAPE;
    return;
  }
  for (int64_t r = blockIdx.x; r < outer * inner; r += gridDim.x) {
    const int64_t o = r / inner, c = r % inner, to = o * k * inner + c;
    const typename E::T *from = x + o * n * inner + c;
    typename E::T *const v = values ? values + to : values;
    int64_t *const at = indices ? indices + to : indices;
    if constexpr (SHORT)
      o2c_topk_sorted<E, LARGEST>(from, v, at, (int)n, inner, (int)k);
    else
      o2c_topk_search<E, LARGEST>(from, v, at, n, inner, k);
  }
}
#endif
