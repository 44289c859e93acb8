/* SPDX-License-Identifier: 0BSD */
/* The Reduce operators, ArgMax and ArgMin, as ref/reduce.h. A reduction is a
 * class with a state S: none(), take(s, v) an element, join(a, b), and end(s,
 * n) of n elements. What is reduced for output o lies at base(o) + at(r) + i *
 * step, r from 0 to outer, i from 0 to length; where the state goes, put(o, s,
 * reduction) says. With a grid of several rows, row k takes every k-th bite of
 * `length`, and o2c_reduce_parts joins. */
#ifndef O2C_CUDA_REDUCE_H
#define O2C_CUDA_REDUCE_H
#include "block.h"
#include "type.h"

/* A real number as an element; of integers cut off, 0 where there is none. */
template <class E>
static __device__ typename E::T o2c_of_real(typename E::R v)
{
  if constexpr (E::real)
    return E::store(v);
  else
    return E::store(v > -9e18 && v < 9e18 ? (typename E::A)(int64_t)v
                                          : (typename E::A)0);
}

template <class E> struct o2c_red_sum {
  typedef typename E::S S;
  typedef typename E::A A;
  __device__ S none() const { return 0; }
  __device__ S take(S s, A v) const { return s + (S)v; }
  __device__ S join(S a, S b) const { return a + b; }
  __device__ typename E::T end(S s, int64_t) const { return E::store((A)s); }
};
template <class E> struct o2c_red_mean : o2c_red_sum<E> {
  typedef typename E::A A;
  __device__ typename E::T end(typename E::S s, int64_t n) const
  {
    if constexpr (E::real)
      return E::store(s / (A)n);
    else
      return E::store(n ? (A)s / (A)n : (A)0);
  }
};
template <class E> struct o2c_red_l1 : o2c_red_sum<E> {
  typedef typename E::S S;
  __device__ S take(S s, typename E::A v) const
  {
    return s + (E::sign && v < (typename E::A)0 ? (S)0 - (S)v : (S)v);
  }
};
template <class E> struct o2c_red_sum_square : o2c_red_sum<E> {
  typedef typename E::S S;
  __device__ S take(S s, typename E::A v) const { return s + (S)v * (S)v; }
};
template <class E> struct o2c_red_prod {
  typedef typename E::P S;
  typedef typename E::A A;
  __device__ S none() const { return 1; }
  __device__ S take(S s, A v) const { return s * (S)v; }
  __device__ S join(S a, S b) const { return a * b; }
  __device__ typename E::T end(S s, int64_t) const { return E::store((A)s); }
};

template <class E> struct o2c_red_l2 {
  typedef typename E::R S;
  __device__ S none() const { return 0; }
  __device__ S take(S s, typename E::A v) const { return s + (S)v * (S)v; }
  __device__ S join(S a, S b) const { return a + b; }
  __device__ typename E::T end(S s, int64_t) const
  {
    return o2c_of_real<E>(o2c_root(s));
  }
};
template <class E> struct o2c_red_log_sum : o2c_red_l2<E> {
  typedef typename E::R S;
  __device__ S take(S s, typename E::A v) const { return s + (S)v; }
  __device__ typename E::T end(S s, int64_t) const
  {
    return o2c_of_real<E>(o2c_log(s));
  }
};
/* `max` is found first. */
template <class E> struct o2c_red_log_sum_exp : o2c_red_l2<E> {
  typedef typename E::R S;
  S max;
  __device__ S take(S s, typename E::A v) const
  {
    return s + o2c_exp((S)v - max);
  }
  __device__ typename E::T end(S s, int64_t) const
  {
    return o2c_of_real<E>(o2c_log(s) + max);
  }
};

template <class E> struct o2c_red_max {
  typedef typename E::A S;
  __device__ S none() const { return E::least(); }
  __device__ S take(S s, S v) const { return join(s, v); }
  __device__ S join(S a, S b) const { return b > a || o2c_nan(b) ? b : a; }
  __device__ typename E::T end(S s, int64_t) const { return E::store(s); }
};
template <class E> struct o2c_red_min : o2c_red_max<E> {
  typedef typename E::A S;
  __device__ S none() const { return E::most(); }
  __device__ S take(S s, S v) const { return join(s, v); }
  __device__ S join(S a, S b) const { return b < a || o2c_nan(b) ? b : a; }
};

/* The elements first, first + by, .. of each of `outer` runs. */
template <class E, class I, class Red, class At>
static __device__ typename Red::S o2c_reduce_walk(
  const typename E::T *x, int64_t first, int64_t by, int64_t outer,
  int64_t length, int64_t step, const At &at, const Red &red)
{
  typename Red::S s = red.none();
  for (int64_t r = 0; r < outer; r++) {
    const typename E::T *from = x + at(r);
    for (I i = (I)first; i < (I)length; i += (I)by)
      s = red.take(s, E::load(from[i * step]));
  }
  return s;
}

/* What the reduction has to know before: LogSumExp its maximum. */
template <class E, class I, int G, class Red, class At>
static __device__ void o2c_reduce_ready(const typename E::T *x, int64_t outer,
                                        int64_t length, int64_t step,
                                        const At &at, Red *red)
{
  if constexpr (std::is_same<Red, o2c_red_log_sum_exp<E>>::value) {
    const o2c_red_max<E> best = {};
    const typename E::R max = (typename E::R)o2c_all<G>(
      o2c_reduce_walk<E, I>(x, o2c_own<G>(), G, outer, length, step, at, best),
      best);
    red->max = max - max != 0 ? 0 : max; /* infinite: 0 or infinity */
  } else {
    (void)x, (void)outer, (void)length, (void)step, (void)at, (void)red;
  }
}

/* G threads share an output. */
template <class E, class Red, class I, int G, class Base, class At, class Put>
static __device__ void o2c_reduce_rows(const typename E::T *x, int64_t kept,
                                       int64_t outer, int64_t length,
                                       int64_t step, const Base &base,
                                       const At &at, const Put &put)
{
  for (int64_t o = o2c_row<G>(); o < kept; o += o2c_rows<G>()) {
    const typename E::T *from = x + base(o);
    Red red = {};
    o2c_reduce_ready<E, I, G>(from, outer, length, step, at, &red);
    const typename Red::S s = o2c_all<G>(
      o2c_reduce_walk<E, I>(from, o2c_own<G>() + (int64_t)blockIdx.y * G,
                            (int64_t)gridDim.y * G, outer, length, step, at,
                            red), red);
    if (o2c_own<G>() == 0)
      put(o, s, red);
  }
}

/* A block has 32 neighbouring outputs; eight warps share their elements. */
template <class E, class Red, class I, int G, class Base, class At, class Put>
static __device__ void o2c_reduce_tile(const typename E::T *x, int64_t kept,
                                       int64_t outer, int64_t length,
                                       int64_t step, const Base &base,
                                       const At &at, const Put &put)
{
  __shared__ typename Red::S part[8][32];
  const int lane = (int)(threadIdx.x % 32), warp = (int)(threadIdx.x / 32);
  for (int64_t c = (int64_t)blockIdx.x * 32; c < kept;
       c += (int64_t)gridDim.x * 32) {
    const int64_t o = c + lane;
    const Red red = {};
    part[warp][lane] = o < kept
      ? o2c_reduce_walk<E, I>(x + base(o), warp + (int64_t)blockIdx.y * 8,
                              (int64_t)gridDim.y * 8, outer, length, step, at,
                              red)
      : red.none();
    __syncthreads();
    if (warp == 0 && o < kept) {
      typename Red::S s = part[0][lane];
      for (int w = 1; w < 8; w++)
        s = red.join(s, part[w][lane]);
      put(o, s, red);
    }
    __syncthreads();
  }
}

/* A warp joins the states of an output: part[parts, kept]. */
template <class E, class Red>
static __device__ void o2c_reduce_parts(const typename Red::S *part,
                                        typename E::T *y, int64_t kept,
                                        int64_t parts, int64_t n)
{
  const Red red = {};
  for (int64_t o = o2c_row<32>(); o < kept; o += o2c_rows<32>()) {
    typename Red::S s = red.none();
    for (int64_t k = o2c_own<32>(); k < parts; k += 32)
      s = red.join(s, part[k * kept + o]);
    s = o2c_all<32>(s, red);
    if (o2c_own<32>() == 0)
      y[o] = red.end(s, n);
  }
}

/* The axes of x [dim] as the run tells: `count` of them, or all or none where
 * there are none; false unless y, which keeps them as ones if `keep`, has shape
 * `out`. The lists end at their last element, and begin at kept and gone. */
struct o2c_reduce_axes {
  int64_t kd[O2C_MAX_RANK], ks[O2C_MAX_RANK], kept;
  int64_t gd[O2C_MAX_RANK + 1], gs[O2C_MAX_RANK + 1], gone;
};
O2C_UNUSED static bool o2c_reduce_split(o2c_reduce_axes *a,
                                        const int64_t *axes, int64_t count,
                                        bool all, bool keep, int64_t rank,
                                        int64_t orank, const int64_t *dim,
                                        const int64_t *out)
{
  int64_t stride = 1;
  a->kept = a->gone = O2C_MAX_RANK;
  a->gd[O2C_MAX_RANK] = a->gs[O2C_MAX_RANK] = 1;
  for (int64_t k = 0; k < count; k++)
    if (axes[k] < -rank || axes[k] >= rank)
      return false;
  for (int64_t j = rank - 1; j >= 0; j--) {
    bool listed = all && count == 0;
    for (int64_t k = 0; k < count; k++)
      listed = listed || axes[k] == j || axes[k] + rank == j;
    int64_t *const d = listed ? &a->gd[--a->gone] : &a->kd[--a->kept];
    int64_t *const s = listed ? &a->gs[a->gone] : &a->ks[a->kept];
    *d = dim[j];
    *s = stride;
    stride *= dim[j];
    if (listed && !keep)
      continue;
    if (orank == 0 || out[--orank] != (listed ? 1 : dim[j]))
      return false;
  }
  return orank == 0;
}

template <class E, class Red>
static __device__ void o2c_reduce_data(const typename E::T *x,
                                       typename E::T *y,
                                       const o2c_reduce_axes &a)
{
  const int64_t *const kd = a.kd + a.kept, *const ks = a.ks + a.kept;
  const int64_t *const gd = a.gd + a.gone, *const gs = a.gs + a.gone;
  const int64_t kept = O2C_MAX_RANK - a.kept, last = O2C_MAX_RANK - a.gone;
  const int64_t outer = o2c_numel(last, gd), n = outer * gd[last];
  o2c_reduce_rows<E, Red, int64_t, 1>(
    x, o2c_numel(kept, kd), outer, gd[last], gs[last],
    [=](int64_t o) { return o2c_offset(o, kept, kd, ks); },
    [=](int64_t r) { return o2c_offset(r, last, gd, gs); },
    [=](int64_t o, typename Red::S v, const Red &red) {
      y[o] = red.end(v, n);
    });
}

/* Index of the largest or least along the middle of [outer, n, inner]. A
 * not-a-number is never chosen, unless it is the first element. */
template <class E, class I, int G, bool LEAST, bool LAST>
static __device__ void o2c_arg(const typename E::T *x, int64_t *y,
                               int64_t outer, int64_t n, int64_t inner)
{
  typedef typename E::A A;
  const o2c_first<A, LEAST, LAST> first = {};
  for (int64_t o = o2c_row<G>(); o < outer * inner; o += o2c_rows<G>()) {
    const typename E::T *from = x + o / inner * inner * n + o % inner;
    o2c_found<A> best = first.none();
    for (I i = o2c_own<G>(); i < (I)n; i += G) {
      const A v = E::load(from[i * inner]);
      if (!o2c_nan(v))
        best = first.join(best, o2c_found<A>{ v, i });
    }
    best = o2c_all<G>(best, first);
    if (o2c_own<G>() == 0)
      y[o] = best.at < 0 || o2c_nan(E::load(from[0])) ? 0 : best.at;
  }
}
#endif
