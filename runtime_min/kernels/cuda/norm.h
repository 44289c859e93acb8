/* SPDX-License-Identifier: 0BSD */
/* Normalisations, as ref/norm.h: the mean, then the squares of the distances
 * from it, in the type of arithmetic. G threads share a row. Where a scale lies
 * is asked of `at(row, j)`. */
#ifndef O2C_CUDA_NORM_H
#define O2C_CUDA_NORM_H
#include "block.h"
#include "type.h"

/* Mean of n elements, and 1 / sqrt(variance + epsilon). */
template <class E, class I, int G, class R>
static __device__ R o2c_norm_stats(const typename E::T *x, I n, R epsilon,
                                   R *by)
{
  R sum = 0, square = 0;
  for (I i = o2c_own<G>(); i < n; i += G)
    sum += (R)E::load(x[i]);
  const R mean = o2c_all_sum<G>(sum) / (R)n;
  for (I i = o2c_own<G>(); i < n; i += G) {
    const R d = (R)E::load(x[i]) - mean;
    square += d * d;
  }
  *by = (R)1 / o2c_root(o2c_all_sum<G>(square) / (R)n + epsilon);
  return mean;
}

/* Rows of n; scale and bias at their places; bias, means and inverses may be
 * NULL. M is the class of those two. */
template <class E, class M, class I, int G, class Scale, class Bias>
static __device__ void o2c_layer_norm(const typename E::T *x,
                                      const typename E::T *scale,
                                      const typename E::T *bias,
                                      typename E::T *y, typename M::T *means,
                                      typename M::T *inverses, int64_t rows,
                                      I n, typename E::A epsilon,
                                      const Scale &scale_at,
                                      const Bias &bias_at)
{
  typedef typename E::A A;
  for (int64_t r = o2c_row<G>(); r < rows; r += o2c_rows<G>()) {
    const typename E::T *from = x + r * n;
    typename E::T *to = y + r * n;
    A by;
    const A mean = o2c_norm_stats<E, I, G, A>(from, n, epsilon, &by);
    for (I j = o2c_own<G>(); to && j < n; j += G) {
      A v = (E::load(from[j]) - mean) * by * E::load(scale[scale_at(r, j)]);
      if (bias)
        v += E::load(bias[bias_at(r, j)]);
      to[j] = E::store(v);
    }
    if (o2c_own<G>() == 0 && means)
      means[r] = M::store((typename M::A)mean);
    if (o2c_own<G>() == 0 && inverses)
      inverses[r] = M::store((typename M::A)by);
  }
}

/* The same with scale and bias [n], and a row in registers, read once: each of
 * its threads has PER packs of V neighbours. */
template <class E, class M, class I, int G, int PER, int V>
static __device__ void o2c_layer_norm_held(const typename E::T *x,
                                           const typename E::T *scale,
                                           const typename E::T *bias,
                                           typename E::T *y,
                                           typename M::T *means,
                                           typename M::T *inverses,
                                           int64_t rows, I n,
                                           typename E::A epsilon)
{
  typedef typename E::A A;
  typedef o2c_pack<typename E::T, V> Pack;
  const int packs = (int)n / V, own = o2c_own<G>();
  for (int64_t r = o2c_row<G>(); r < rows; r += o2c_rows<G>()) {
    A v[PER][V], sum = 0, square = 0;
    O2C_UNROLL
    for (int k = 0; k < PER; k++) {
      const bool in = own + k * G < packs;
      const Pack one = in ? ((const Pack *)(x + r * n))[own + k * G] : Pack();
      O2C_UNROLL
      for (int j = 0; j < V; j++)
        sum += v[k][j] = in ? E::load(one.v[j]) : (A)0;
    }
    const A mean = o2c_all_sum<G>(sum) / (A)n;
    O2C_UNROLL
    for (int k = 0; k < PER; k++)
      O2C_UNROLL
      for (int j = 0; j < V; j++) {
        v[k][j] -= mean;
        square += own + k * G < packs ? v[k][j] * v[k][j] : (A)0;
      }
    const A by = (A)1 / o2c_root(o2c_all_sum<G>(square) / (A)n + epsilon);
    O2C_UNROLL
    for (int k = 0; k < PER; k++) {
      const int at = own + k * G;
      if (!y || at >= packs)
        break;
      const Pack by_scale = ((const Pack *)scale)[at];
      const Pack more = bias ? ((const Pack *)bias)[at] : Pack();
      Pack to;
      O2C_UNROLL
      for (int j = 0; j < V; j++)
        to.v[j] = E::store(v[k][j] * by * E::load(by_scale.v[j]) +
                           (bias ? E::load(more.v[j]) : (A)0));
      ((Pack *)(y + r * n))[at] = to;
    }
    if (own == 0 && means)
      means[r] = M::store((typename M::A)mean);
    if (own == 0 && inverses)
      inverses[r] = M::store((typename M::A)by);
  }
}

/* x / sqrt(mean(x x) + epsilon) * scale, in R; y is of the scale's class S. */
template <class E, class S, class R, class I, int G, class Scale>
static __device__ void o2c_rms_norm(const typename E::T *x,
                                    const typename S::T *scale,
                                    typename S::T *y, int64_t rows, I n,
                                    R epsilon, const Scale &scale_at)
{
  for (int64_t r = o2c_row<G>(); r < rows; r += o2c_rows<G>()) {
    const typename E::T *from = x + r * n;
    R square = 0;
    for (I j = o2c_own<G>(); j < n; j += G) {
      const R v = (R)E::load(from[j]);
      square += v * v;
    }
    const R root = o2c_root(o2c_all_sum<G>(square) / (R)n + epsilon);
    for (I j = o2c_own<G>(); j < n; j += G)
      y[r * n + j] = S::store((typename S::A)(
        (R)E::load(from[j]) / root * (R)S::load(scale[scale_at(r, j)])));
  }
}

/* Groups of `size` channels of `space` elements, images times groups of them.
 * scale and bias for each channel, or for each group. */
template <class E, class I, int G, bool PER_GROUP>
static __device__ void o2c_group_norm(const typename E::T *x,
                                      const typename E::T *scale,
                                      const typename E::T *bias,
                                      typename E::T *y, int64_t images,
                                      int64_t groups, I size, I space,
                                      typename E::A epsilon)
{
  typedef typename E::A A;
  const I n = size * space;
  for (int64_t r = o2c_row<G>(); r < images * groups; r += o2c_rows<G>()) {
    const typename E::T *from = x + r * n;
    const int64_t g = r % groups;
    A by;
    const A mean = o2c_norm_stats<E, I, G, A>(from, n, epsilon, &by);
    for (I j = o2c_own<G>(); j < n; j += G) {
      const int64_t f = PER_GROUP ? g : g * size + j / space;
      y[r * n + j] = E::store((E::load(from[j]) - mean) * by *
                                E::load(scale[f]) + E::load(bias[f]));
    }
  }
}

/* Elements of [n, channels, space] by constant statistics. */
template <class E, class S, class M>
static __device__ void o2c_batch_norm(const typename E::T *x,
                                      const typename S::T *scale,
                                      const typename S::T *bias,
                                      const typename M::T *mean,
                                      const typename M::T *var,
                                      typename E::T *y, int64_t count,
                                      int64_t channels, int64_t space,
                                      typename E::A epsilon)
{
  typedef typename E::A A;
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
    const int64_t f = e / space % channels;
    const A by = (A)S::load(scale[f]) / o2c_root((A)M::load(var[f]) + epsilon);
    y[e] = E::store((E::load(x[e]) - (A)M::load(mean[f])) * by +
                    (A)S::load(bias[f]));
  }
}

/* What training keeps: old * momentum + now * (1 - momentum). */
template <class M, class A>
static __device__ typename M::T o2c_running(typename M::T old, A now,
                                            float momentum)
{
  typedef typename M::A B;
  return M::store(M::load(old) * (B)momentum + (B)now * ((B)1 - (B)momentum));
}

/* The same by the batch's own statistics, a block for each channel; what they
 * become with the old ones, and they themselves, go to where there is room. */
template <class E, class S, class M, int G>
static __device__ void o2c_batch_train(
  const typename E::T *x, const typename S::T *scale,
  const typename S::T *bias, const typename M::T *old_mean,
  const typename M::T *old_var, typename E::T *y, typename M::T *run_mean,
  typename M::T *run_var, typename M::T *own_mean, typename M::T *own_var,
  int64_t n, int64_t channels, int64_t space, typename E::A epsilon,
  float momentum)
{
  typedef typename E::A A;
  const int64_t count = n * space;
  for (int64_t f = o2c_row<G>(); f < channels; f += o2c_rows<G>()) {
    A sum = 0, square = 0;
    for (int64_t i = o2c_own<G>(); i < count; i += G)
      sum += E::load(x[(i / space * channels + f) * space + i % space]);
    const A mean = o2c_all_sum<G>(sum) / (A)count;
    for (int64_t i = o2c_own<G>(); i < count; i += G) {
      const A d =
        E::load(x[(i / space * channels + f) * space + i % space]) - mean;
      square += d * d;
    }
    const A var = o2c_all_sum<G>(square) / (A)count;
    if (o2c_own<G>() == 0) {
      if (run_mean)
        run_mean[f] = o2c_running<M>(old_mean[f], mean, momentum);
      if (run_var)
        run_var[f] = o2c_running<M>(old_var[f], var, momentum);
      if (own_mean)
        own_mean[f] = M::store((typename M::A)mean);
      if (own_var)
        own_var[f] = M::store((typename M::A)var);
    }
    const A by = (A)S::load(scale[f]) / o2c_root(var + epsilon);
    for (int64_t i = o2c_own<G>(); i < count; i += G) {
      const int64_t e = (i / space * channels + f) * space + i % space;
      y[e] = E::store((E::load(x[e]) - mean) * by + (A)S::load(bias[f]));
    }
  }
}

/* Local response over `size` channels of [n, channels, space]. */
template <class E>
static __device__ void o2c_lrn(const typename E::T *x, typename E::T *y,
                               int64_t count, int64_t channels, int64_t space,
                               int64_t size, typename E::A by,
                               typename E::A beta, typename E::A bias)
{
  typedef typename E::A A;
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
    const int64_t f = e / space % channels;
    const int64_t from = f < (size - 1) / 2 ? -f : -((size - 1) / 2);
    const int64_t to = channels - 1 - f < size / 2 ? channels - 1 - f
                                                   : size / 2;
    A sum = 0;
    for (int64_t k = from; k <= to; k++) {
      const A v = E::load(x[e + k * space]);
      sum += v * v;
    }
    y[e] = E::store(E::load(x[e]) / o2c_pow(bias + by * sum, beta));
  }
}

/* The middle of [outer, n, inner] divided by its norm; 0 where that is 0. */
template <class E, class I, int G, int P>
static __device__ void o2c_lp_norm(const typename E::T *x, typename E::T *y,
                                   int64_t outer, I n, int64_t inner)
{
  typedef typename E::A A;
  for (int64_t r = o2c_row<G>(); r < outer * inner; r += o2c_rows<G>()) {
    const int64_t at = r / inner * inner * n + r % inner;
    A sum = 0;
    for (I i = o2c_own<G>(); i < n; i += G) {
      const A v = E::load(x[at + i * inner]);
      sum += P == 2 ? v * v : v < 0 ? -v : v;
    }
    sum = o2c_all_sum<G>(sum);
    if (P == 2)
      sum = o2c_root(sum);
    for (I i = o2c_own<G>(); i < n; i += G) {
      const A v = E::load(x[at + i * inner]);
      y[at + i * inner] = E::store(sum == 0 ? (A)0 : v / sum);
    }
  }
}

/* MeanVarianceNormalization: kept elements lie at base(o), those that share
 * statistics with one at base(o) + at(i). */
template <class E, int G, class Base, class At>
static __device__ void o2c_mean_variance(const typename E::T *x,
                                         typename E::T *y, int64_t kept,
                                         int64_t n, const Base &base,
                                         const At &at)
{
  typedef typename E::A A;
  for (int64_t o = o2c_row<G>(); o < kept; o += o2c_rows<G>()) {
    const int64_t from = base(o);
    A sum = 0, square = 0;
    for (int64_t i = o2c_own<G>(); i < n; i += G)
      sum += E::load(x[from + at(i)]);
    const A mean = o2c_all_sum<G>(sum) / (A)n;
    for (int64_t i = o2c_own<G>(); i < n; i += G) {
      const A d = E::load(x[from + at(i)]) - mean;
      square += d * d;
    }
    square = o2c_root(o2c_all_sum<G>(square) / (A)n) + (A)1e-9;
    for (int64_t i = o2c_own<G>(); i < n; i += G) {
      const int64_t e = from + at(i);
      y[e] = E::store((E::load(x[e]) - mean) / square);
    }
  }
}
#endif
