/* SPDX-License-Identifier: 0BSD */
/* What threads of a GPU find out together: reductions over a warp (G = 32) or a
 * whole block (G: its threads, a multiple of 32, at most 1024), by shuffles and
 * then by shared memory; G = 1 is a thread alone. All threads get the result.
 * The tree is fixed, so that a sum has the same bits in every run; all threads
 * of the warp or block must come here together. C++, as a .cu file is.
 *
 * An operation is a class with `none()`, which changes nothing, and
 * `join(a, b)`, which gives the same for (b, a). */
#ifndef O2C_BLOCK_H
#define O2C_BLOCK_H
#include "device.h"

/* A value and where it was found; -1: nothing was. */
template <class V> struct o2c_found {
  V v;
  int64_t at;
};

template <class V>
O2C_DEVICE V o2c_lane_xor(V v, int with)
{
  return __shfl_xor_sync(0xffffffffu, v, with);
}
template <class V>
O2C_DEVICE o2c_found<V> o2c_lane_xor(o2c_found<V> f, int with)
{
  o2c_found<V> r;
  r.v = __shfl_xor_sync(0xffffffffu, f.v, with);
  r.at = __shfl_xor_sync(0xffffffffu, f.at, with);
  return r;
}

template <int G, class V, class Op>
static __device__ V o2c_all(V v, const Op &op)
{
  for (int w = G > 1 ? 16 : 0; w > 0; w >>= 1)
    v = op.join(v, o2c_lane_xor(v, w));
  if constexpr (G > 32) {
    __shared__ V part[32];
    const int lane = (int)(threadIdx.x % 32), warp = (int)(threadIdx.x / 32);
    if (lane == 0)
      part[warp] = v;
    __syncthreads();
    v = lane < G / 32 ? part[lane] : op.none();
    for (int w = 16; w > 0; w >>= 1)
      v = op.join(v, o2c_lane_xor(v, w));
    __syncthreads(); /* before part is written again */
  }
  return v;
}

/* No integer is; asked here, so that no compiler finds it odd. */
O2C_INLINE bool o2c_nan(float v) { return v != v; }
O2C_INLINE bool o2c_nan(double v) { return v != v; }
O2C_INLINE bool o2c_nan(int64_t) { return false; }
O2C_INLINE bool o2c_nan(uint64_t) { return false; }

template <class V> struct o2c_adds {
  __device__ V none() const { return (V)0; }
  __device__ V join(V a, V b) const { return a + b; }
};
/* The largest or (LEAST) least; not-a-number stays once met. */
template <class V, bool LEAST> struct o2c_extreme {
  V start;
  __device__ V none() const { return start; }
  __device__ V join(V a, V b) const
  {
    return (LEAST ? b < a : b > a) || o2c_nan(b) ? b : a;
  }
};
/* The first (LAST: last) of the largest or least; nan: not-a-number is larger
 * than all, or else is passed over by whoever calls. */
template <class V, bool LEAST, bool LAST> struct o2c_first {
  __device__ o2c_found<V> none() const
  {
    o2c_found<V> f;
    f.v = (V)0;
    f.at = -1;
    return f;
  }
  __device__ o2c_found<V> join(o2c_found<V> a, o2c_found<V> b) const
  {
    if (a.at < 0 || b.at < 0)
      return a.at < 0 ? b : a;
    const bool an = o2c_nan(a.v), bn = o2c_nan(b.v);
    if (an != bn)
      return an ? a : b;
    if (!an && a.v != b.v)
      return (LEAST ? a.v < b.v : a.v > b.v) ? a : b;
    return (LAST ? a.at > b.at : a.at < b.at) ? a : b;
  }
};

template <int G, class V> static __device__ V o2c_all_sum(V v)
{
  return o2c_all<G>(v, o2c_adds<V>());
}
template <int G, class V> static __device__ V o2c_all_max(V v)
{
  return o2c_all<G>(v, o2c_extreme<V, false>{ v });
}

/* Rows for G threads each: the first of these threads, and its next one; which
 * of the G threads this one is. */
template <int G> static __device__ __forceinline__ int64_t o2c_row(void)
{
  return o2c_thread() / G;
}
template <int G> static __device__ __forceinline__ int64_t o2c_rows(void)
{
  return o2c_threads() / G;
}
template <int G> static __device__ __forceinline__ int o2c_own(void)
{
  return (int)(threadIdx.x % G);
}
#endif
