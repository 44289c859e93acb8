/* SPDX-License-Identifier: 0BSD */
/* TopK along the middle of [outer, n, inner], a block for each row, as
 * ref/topk.h: not-a-number is larger than all, ties go to the lower index. Up
 * to 4096 elements, or 2048 that are computed with in 8 bytes, are sorted by a
 * bitonic network in shared memory. Of more, the last one wanted is found byte
 * by byte of keys that are ordered as the elements are; what comes before it,
 * up to 2048 elements, is sorted. For more the block looks k times for the next
 * one. */
#ifndef O2C_CUDA_TOPK_H
#define O2C_CUDA_TOPK_H
#include "block.h"
#include "type.h"

enum { O2C_TOPK_THREADS = 256, O2C_TOPK_CHOSEN = 2048 };

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

/* Numbers of 0 to 2^(8 BYTES) - 1, larger for what comes first. */
template <class E, bool LARGEST, bool REAL> struct o2c_topk_key {
  typedef uint64_t K;
  enum { BYTES = sizeof(typename E::T) };
  static __device__ __forceinline__ K of(typename E::A v)
  {
    return LARGEST ? (K)v - (K)E::least() : (K)E::most() - (K)v;
  }
};
template <class E, bool LARGEST> struct o2c_topk_key<E, LARGEST, true> {
  typedef typename E::A A;
  typedef std::conditional_t<sizeof(A) == 4, uint32_t, uint64_t> K;
  enum { BYTES = sizeof(A) };
  static __device__ __forceinline__ K of(A v)
  {
    const K top = (K)1 << (8 * BYTES - 1);
    K bits = 0;
    v = v == 0 ? (A)0 : v; /* zeros are equal */
    memcpy(&bits, &v, sizeof v);
    bits = bits & top ? ~bits : bits | top;
    if (v != v)
      bits = ~(K)0;
    return LARGEST ? bits : ~bits;
  }
};

/* The key of the last of the first `want` elements; *equal: how many of those
 * have that key. */
template <class E, class Key>
static __device__ typename Key::K o2c_topk_last(const typename E::T *x,
                                                int64_t n, int64_t inner,
                                                unsigned want,
                                                unsigned *equal)
{
  typedef typename Key::K K;
  __shared__ unsigned count[O2C_TOPK_THREADS], found[2];
  const unsigned me = threadIdx.x;
  K high = 0; /* of the key: the bytes that are known */
  for (int shift = 8 * Key::BYTES - 8; shift >= 0; shift -= 8) {
    count[me] = 0;
    __syncthreads();
    for (int64_t j = me; j < n; j += O2C_TOPK_THREADS) {
      const K key = Key::of(E::load(x[j * inner])) >> shift;
      if (key >> 8 == high)
        atomicAdd(&count[key & 255], 1u);
    }
    __syncthreads();
    for (unsigned d = 1; d < 256; d *= 2) { /* those with this byte or more */
      const unsigned more = me + d < 256 ? count[me + d] : 0;
      __syncthreads();
      count[me] += more;
      __syncthreads();
    }
    const unsigned above = me < 255 ? count[me + 1] : 0;
    if (count[me] >= want && above < want) {
      found[0] = me;
      found[1] = want - above;
    }
    __syncthreads();
    high = high << 8 | found[0];
    want = found[1];
    __syncthreads();
  }
  *equal = want;
  return high;
}

/* The first k elements, k > 0, by the order of their numbers: those before
 * `last`, and the first `equal` ones that are like it. */
template <class E, class Key>
static __device__ void o2c_topk_collect(const typename E::T *x, int64_t n,
                                        int64_t inner, typename Key::K last,
                                        unsigned equal, typename E::A *value,
                                        int *where)
{
  enum { WARPS = O2C_TOPK_THREADS / 32 };
  __shared__ unsigned part[2][2][WARPS];
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  unsigned before[2] = { 0, 0 }, turn = 0;
  for (int64_t from = 0; from < n; from += O2C_TOPK_THREADS, turn ^= 1) {
    const int64_t j = from + threadIdx.x;
    const typename E::A v = E::load(x[(j < n ? j : n - 1) * inner]);
    const typename Key::K key = Key::of(v);
    const bool is[2] = { j < n && key > last, j < n && key == last };
    unsigned own[2];
    for (int s = 0; s < 2; s++) {
      const unsigned lanes = __ballot_sync(0xffffffffu, is[s]);
      own[s] = before[s] + (unsigned)__popc(lanes & ((1u << lane) - 1));
      if (lane == 0)
        part[turn][s][warp] = (unsigned)__popc(lanes);
    }
    __syncthreads(); /* the next turn writes the other part */
    for (int s = 0; s < 2; s++)
      for (unsigned w = 0; w < WARPS; w++) {
        before[s] += part[turn][s][w];
        own[s] += w < warp ? part[turn][s][w] : 0;
      }
    if (is[0] || (is[1] && own[1] < equal)) {
      const unsigned at = own[0] + (own[1] < equal ? own[1] : equal);
      value[at] = v;
      where[at] = (int)j;
    }
  }
}

template <class E, bool LARGEST>
static __device__ void o2c_topk_chosen(const typename E::T *x,
                                       typename E::T *values, int64_t *indices,
                                       int64_t n, int64_t inner, int k)
{
  typedef o2c_topk_key<E, LARGEST, E::real> Key;
  __shared__ typename E::A value[O2C_TOPK_CHOSEN];
  __shared__ int where[O2C_TOPK_CHOSEN], at[O2C_TOPK_CHOSEN];
  unsigned equal;
  const typename Key::K last =
    o2c_topk_last<E, Key>(x, n, inner, (unsigned)k, &equal);
  int size = 1;
  o2c_topk_collect<E, Key>(x, n, inner, last, equal, value, where);
  while (size < k)
    size *= 2;
  for (int i = (int)threadIdx.x; i < size; i += (int)blockDim.x)
    at[i] = i;
  __syncthreads();
  o2c_topk_sort<typename E::A, LARGEST>(value, at, k, size);
  for (int i = (int)threadIdx.x; i < k; i += (int)blockDim.x) {
    const int64_t from = where[at[i]];
    if (values)
      values[i * inner] = x[from * inner];
    if (indices)
      indices[i * inner] = from;
  }
  __syncthreads();
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
    else if (k > O2C_TOPK_CHOSEN || n > INT32_MAX)
      o2c_topk_search<E, LARGEST>(from, v, at, n, inner, k);
    else if (k > 0)
      o2c_topk_chosen<E, LARGEST>(from, v, at, n, inner, (int)k);
  }
}
#endif
