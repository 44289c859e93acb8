/* SPDX-License-Identifier: 0BSD */
/* Softmax, LogSoftmax and Hardmax along the middle of [outer, n, inner], as
 * ref/softmax.h: a row of a not-a-number is all not-a-number. Where inner is
 * 1, G threads share a row; PER elements of each are kept in registers, if PER
 * is not 0. Else each thread has a column. */
#ifndef O2C_CUDA_SOFTMAX_H
#define O2C_CUDA_SOFTMAX_H
#include "block.h"
#include "type.h"

enum { O2C_SOFTMAX, O2C_LOG_SOFTMAX, O2C_HARDMAX };

/* The result for one element, by the row's maximum and sum. */
template <int KIND, class A>
O2C_DEVICE A o2c_softmax_of(A v, A max, A sum)
{
  return KIND == O2C_LOG_SOFTMAX ? v - max - sum : o2c_exp(v - max) / sum;
}

template <class E, class I, int G, int PER, int KIND>
static __device__ void o2c_softmax_held(const typename E::T *x,
                                        typename E::T *y, I n)
{
  typedef typename E::A A;
  const int own = o2c_own<G>();
  A v[PER], max = E::least(), sum = 0;
  O2C_UNROLL
  for (int k = 0; k < PER; k++) {
    v[k] = own + k * G < n ? E::load(x[own + k * G]) : E::least();
    max = v[k] > max || v[k] != v[k] ? v[k] : max;
  }
  max = o2c_all_max<G>(max);
  O2C_UNROLL
  for (int k = 0; k < PER; k++) {
    const A e = o2c_exp(v[k] - max);
    if (own + k * G < n)
      sum += e;
    v[k] = KIND == O2C_SOFTMAX ? e : v[k] - max;
  }
  sum = o2c_all_sum<G>(sum);
  const A by = KIND == O2C_SOFTMAX ? sum : o2c_log(sum);
  O2C_UNROLL
  for (int k = 0; k < PER; k++)
    if (own + k * G < n)
      y[own + k * G] = E::store(KIND == O2C_SOFTMAX ? v[k] / by : v[k] - by);
}

template <class E, class I, int G, int KIND>
static __device__ void o2c_softmax_long(const typename E::T *x,
                                        typename E::T *y, I n)
{
  typedef typename E::A A;
  const int own = o2c_own<G>();
  A max = E::least(), sum = 0;
  for (I i = own; i < n; i += G) {
    const A v = E::load(x[i]);
    max = v > max || v != v ? v : max;
  }
  max = o2c_all_max<G>(max);
  for (I i = own; i < n; i += G)
    sum += o2c_exp(E::load(x[i]) - max);
  sum = o2c_all_sum<G>(sum);
  if (KIND == O2C_LOG_SOFTMAX)
    sum = o2c_log(sum);
  for (I i = own; i < n; i += G)
    y[i] = E::store(o2c_softmax_of<KIND>(E::load(x[i]), max, sum));
}

template <class E, class I, int G>
static __device__ void o2c_hardmax_row(const typename E::T *x,
                                       typename E::T *y, I n)
{
  typedef o2c_first<typename E::A, false, false> First;
  o2c_found<typename E::A> best = First().none();
  for (I i = o2c_own<G>(); i < n; i += G)
    best = First().join(best, o2c_found<typename E::A>{ E::load(x[i]), i });
  best = o2c_all<G>(best, First());
  for (I i = o2c_own<G>(); i < n; i += G)
    y[i] = E::store(i == best.at ? (typename E::A)1 : (typename E::A)0);
}

template <class E, class I, int G, int PER, int KIND>
static __device__ void o2c_softmax_rows(const typename E::T *x,
                                        typename E::T *y, int64_t rows, I n)
{
  for (int64_t r = o2c_row<G>(); r < rows; r += o2c_rows<G>()) {
    if constexpr (KIND == O2C_HARDMAX)
      o2c_hardmax_row<E, I, G>(x + r * n, y + r * n, n);
    else if constexpr (PER > 0)
      o2c_softmax_held<E, I, G, PER, KIND>(x + r * n, y + r * n, n);
    else
      o2c_softmax_long<E, I, G, KIND>(x + r * n, y + r * n, n);
  }
}

template <class E, class I, int KIND>
static __device__ void o2c_softmax_column(const typename E::T *x,
                                          typename E::T *y, I n, int64_t step)
{
  typedef typename E::A A;
  A max = E::least();
  I where = 0;
  for (I i = 0; i < n; i++) {
    const A v = E::load(x[i * step]);
    if (max == max && (v > max || v != v)) {
      max = v;
      where = i;
    }
  }
  (void)where;
  if constexpr (KIND == O2C_HARDMAX) {
    for (I i = 0; i < n; i++)
      y[i * step] = E::store(i == where ? (A)1 : (A)0);
  } else {
    A sum = 0;
    for (I i = 0; i < n; i++)
      sum += o2c_exp(E::load(x[i * step]) - max);
    if (KIND == O2C_LOG_SOFTMAX)
      sum = o2c_log(sum);
    for (I i = 0; i < n; i++)
      y[i * step] = E::store(o2c_softmax_of<KIND>(E::load(x[i * step]), max,
                                                  sum));
  }
}

template <class E, class I, int KIND>
static __device__ void o2c_softmax_columns(const typename E::T *x,
                                           typename E::T *y, int64_t outer,
                                           I n, int64_t inner)
{
  for (int64_t c = o2c_thread(); c < outer * inner; c += o2c_threads()) {
    const int64_t at = c / inner * inner * n + c % inner;
    o2c_softmax_column<E, I, KIND>(x + at, y + at, n, inner);
  }
}
#endif
