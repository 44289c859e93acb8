/* SPDX-License-Identifier: 0BSD */
/* CumSum and CumProd along the middle of [outer, n, inner]. A column is a
 * thread's, one chain in order. A row (inner is 1) is a warp's: 32 elements at
 * a time by shuffles, after what came before them. Products of floats are
 * double, as their order could make one overflow that does not in order. */
#ifndef O2C_CUDA_CUMULATE_H
#define O2C_CUDA_CUMULATE_H
#include "block.h"
#include "type.h"

template <class E, bool PRODUCT> struct o2c_chain {
  typedef typename E::S S;
  static __device__ S none() { return 0; }
  static __device__ S join(S a, S b) { return a + b; }
};
template <class E> struct o2c_chain<E, true> {
  typedef typename E::P S;
  static __device__ S none() { return 1; }
  static __device__ S join(S a, S b) { return a * b; }
};

template <class E, class I, bool PRODUCT, bool REVERSE, bool EXCLUSIVE>
static __device__ void o2c_cumulate_rows(const typename E::T *x,
                                         typename E::T *y, int64_t rows, I n)
{
  typedef o2c_chain<E, PRODUCT> Chain;
  typedef typename Chain::S S;
  const int lane = o2c_own<32>();
  for (int64_t r = o2c_row<32>(); r < rows; r += o2c_rows<32>()) {
    S before = Chain::none();
    for (I from = 0; from < n; from += 32) {
      const I i = from + lane, j = REVERSE ? n - 1 - i : i;
      S v = i < n ? (S)E::load(x[r * n + j]) : Chain::none();
      for (int d = 1; d < 32; d *= 2) {
        const S left = __shfl_up_sync(0xffffffffu, v, (unsigned)d);
        v = lane >= d ? Chain::join(left, v) : v;
      }
      const S last = __shfl_sync(0xffffffffu, v, 31);
      if (EXCLUSIVE) {
        const S left = __shfl_up_sync(0xffffffffu, v, 1u);
        v = lane > 0 ? left : Chain::none();
      }
      if (i < n)
        y[r * n + j] = E::store((typename E::A)Chain::join(before, v));
      before = Chain::join(before, last);
    }
  }
}

template <class E, class I, bool PRODUCT, bool REVERSE, bool EXCLUSIVE>
static __device__ void o2c_cumulate_columns(const typename E::T *x,
                                            typename E::T *y, int64_t outer,
                                            I n, int64_t inner)
{
  typedef o2c_chain<E, PRODUCT> Chain;
  for (int64_t c = o2c_thread(); c < outer * inner; c += o2c_threads()) {
    const int64_t at = c / inner * inner * n + c % inner;
    typename Chain::S chain = Chain::none();
    for (I i = 0; i < n; i++) {
      const int64_t j = at + (REVERSE ? n - 1 - i : i) * inner;
      const typename Chain::S v = (typename Chain::S)E::load(x[j]);
      const typename Chain::S next = Chain::join(chain, v);
      y[j] = E::store((typename E::A)(EXCLUSIVE ? chain : next));
      chain = next;
    }
  }
}
#endif
