/* SPDX-License-Identifier: 0BSD */
/* DFT and STFT, as ref/dft.h: a Stockham transform by the factors of n, fours
 * and twos before odd primes, forward; the inverse one is that of conjugates.
 * Rows of a constant length that fit are transformed in shared memory, others
 * by a kernel for each pass, and what only the run's data tells by sums of n
 * products, one for each output. */
#ifndef O2C_CUDA_DFT_H
#define O2C_CUDA_DFT_H
#include "device.h"
#include "type.h"

template <class A> struct o2c_pair {
  A re, im;
};

template <class A>
O2C_DEVICE o2c_pair<A> o2c_turned(o2c_pair<A> v, o2c_pair<A> w)
{
  return o2c_pair<A>{ v.re * w.re - v.im * w.im, v.re * w.im + v.im * w.re };
}

/* exp(-2 pi i k / n); exact where it is 1, -1, i or -i. */
template <class A> O2C_DEVICE o2c_pair<A> o2c_dft_root(int64_t k, int64_t n)
{
  const double turn = 6.283185307179586476925 * (double)k / (double)n;
  const bool axis = 4 * k % n == 0, odd = axis && k * 4 / n % 2;
  return o2c_pair<A>{ odd ? (A)0 : (A)cos(turn),
                      axis && !odd ? (A)0 : (A)-sin(turn) };
}

/* Where a row's numbers lie, `step` apart and of `parts` each: `count` of them,
 * then zeros. half: of n, whose second half is the conjugate of the first. */
struct o2c_dft_row {
  int64_t count, step;
  int parts;
  bool half, inverse;
};

template <class E>
O2C_DEVICE o2c_pair<typename E::A>
o2c_dft_load(const typename E::T *x, const typename E::T *window,
             const o2c_dft_row &r, int64_t k, int64_t n)
{
  typedef typename E::A A;
  const bool mirrored = r.half && k > n / 2;
  const int64_t at = mirrored ? n - k : k;
  o2c_pair<A> v = { 0, 0 };
  if (at < r.count) {
    v.re = E::load(x[at * r.step]);
    v.im = r.parts == 2 ? E::load(x[at * r.step + 1]) : (A)0;
  }
  if (window) {
    v.re *= E::load(window[at]);
    v.im *= E::load(window[at]);
  }
  if (r.half && (at == 0 || 2 * at == n))
    v.im = 0;
  return o2c_pair<A>{ v.re, mirrored != r.inverse ? -v.im : v.im };
}

template <class E>
O2C_DEVICE void o2c_dft_store(typename E::T *y, o2c_pair<typename E::A> v,
                              int64_t parts, int64_t n, bool inverse)
{
  typedef typename E::A A;
  const A by = inverse ? (A)(1.0 / (double)n) : (A)1;
  y[0] = E::store(v.re * by);
  if (parts == 2)
    y[1] = E::store(inverse ? -v.im * by : v.im * by);
}

/* Output k of a butterfly of p numbers, `apart` from each other. */
template <class A>
O2C_DEVICE o2c_pair<A> o2c_dft_sum(const o2c_pair<A> *x, int64_t apart,
                                   const o2c_pair<A> *w, int64_t n, int64_t p,
                                   int64_t k)
{
  o2c_pair<A> sum = x[0];
  int64_t at = 0;
  for (int64_t r = 1; r < p; r++) {
    at = at + k < p ? at + k : at + k - p;
    const o2c_pair<A> v = o2c_turned(x[r * apart], w[at * (n / p)]);
    sum.re += v.re;
    sum.im += v.im;
  }
  return sum;
}

/* All outputs of a butterfly of 2 or 4, turned: butterfly b of n / P, where
 * `stride` transforms are done beside each other. */
template <class A, int P, class I>
O2C_DEVICE void o2c_dft_few(const o2c_pair<A> *x, o2c_pair<A> *y,
                            const o2c_pair<A> *w, I n, I stride, I b)
{
  const I j = b / stride, q = b % stride, m = n / stride / P;
  const I to = q + stride * P * j, at = j * stride;
  const o2c_pair<A> a = x[b], c = x[b + stride * m];
  if constexpr (P == 2) {
    y[to] = o2c_pair<A>{ a.re + c.re, a.im + c.im };
    y[to + stride] =
      o2c_turned(o2c_pair<A>{ a.re - c.re, a.im - c.im }, w[at]);
  } else {
    const o2c_pair<A> d = x[b + 2 * stride * m], e = x[b + 3 * stride * m];
    const o2c_pair<A> s = { a.re + d.re, a.im + d.im };
    const o2c_pair<A> t = { a.re - d.re, a.im - d.im };
    const o2c_pair<A> u = { c.re + e.re, c.im + e.im };
    const o2c_pair<A> v = { c.im - e.im, e.re - c.re }; /* -i (c - e) */
    y[to] = o2c_pair<A>{ s.re + u.re, s.im + u.im };
    y[to + stride] =
      o2c_turned(o2c_pair<A>{ t.re + v.re, t.im + v.im }, w[at]);
    y[to + 2 * stride] =
      o2c_turned(o2c_pair<A>{ s.re - u.re, s.im - u.im }, w[2 * at]);
    y[to + 3 * stride] =
      o2c_turned(o2c_pair<A>{ t.re - v.re, t.im - v.im }, w[3 * at]);
  }
}

/* Output o of a pass by another factor. */
template <class A, class I>
O2C_DEVICE o2c_pair<A> o2c_dft_one(const o2c_pair<A> *x, const o2c_pair<A> *w,
                                   I n, I p, I stride, I o)
{
  const I q = o % stride, k = o / stride % p, j = o / stride / p;
  const I m = n / stride / p;
  return o2c_turned(o2c_dft_sum<A>(x + q + stride * j, stride * m, w, n, p, k),
                    w[j * k * stride]);
}

/* A pass of a row of N numbers in shared memory, by SHARE threads. */
template <class A, int N, int P, int STRIDE, int SHARE>
O2C_DEVICE void o2c_dft_pass(const o2c_pair<A> *x, o2c_pair<A> *y,
                             const o2c_pair<A> *w)
{
  const int own = (int)threadIdx.x % SHARE;
  if constexpr (P == 2 || P == 4) {
    for (int b = own; b < N / P; b += SHARE)
      o2c_dft_few<A, P, int>(x, y, w, N, STRIDE, b);
  } else {
    for (int o = own; o < N; o += SHARE)
      y[o] = o2c_dft_one<A, int>(x, w, N, P, STRIDE, o);
  }
  __syncthreads();
}

/* A pass of `rows` rows in memory, by all threads of the grid. */
template <class A>
O2C_DEVICE void o2c_dft_wide_pass(const o2c_pair<A> *x, o2c_pair<A> *y,
                                  const o2c_pair<A> *w, int64_t rows, int64_t n,
                                  int64_t p, int64_t stride)
{
  const int64_t each = p == 2 || p == 4 ? n / p : n;
  for (int64_t e = o2c_thread(); e < rows * each; e += o2c_threads()) {
    const int64_t at = e / each * n, o = e % each;
    if (p == 4)
      o2c_dft_few<A, 4, int64_t>(x + at, y + at, w, n, stride, o);
    else if (p == 2)
      o2c_dft_few<A, 2, int64_t>(x + at, y + at, w, n, stride, o);
    else
      y[at + o] = o2c_dft_one<A, int64_t>(x + at, w, n, p, stride, o);
  }
}

/* The next factor of what is left. */
O2C_UNUSED static int64_t o2c_dft_factor(int64_t left)
{
  int64_t p = 3;
  if (left % 2 == 0)
    return left % 4 == 0 ? 4 : 2;
  while (left % p)
    p = p * p > left ? left : p + 2;
  return p;
}
#endif
