/* SPDX-License-Identifier: 0BSD */
/* Discrete Fourier transforms of f32, many at a time.

     static void o2c_fft_f32(const float *x, const float *window, float *y,
       const float *table, float *room, const int64_t *factor,
       const o2c_fft *f);

   Transform i k of f->outer x f->inner reads `have` numbers of `parts` floats,
   `xs` apart, from x + i xo + k xi: the first n of them, times window (unless
   NULL), with zeros behind. With `half` they are the first half of a row that
   is its own conjugate backwards. It writes the first `made` results, of which
   `outs` floats each, `ys` apart, to y + i yo + k yi. inverse: of the other
   sign, and divided by n.

   factor: those of n, 4, 2, or odd, ended by 0. table: for each of them, in
   order, with m = n / (factors up to it) and p = this one, the p-th roots
   exp(-2 pi i k / p) where p is odd, then exp(-2 pi i j k / (m p)) for j < m
   and 0 < k < p; all as pairs. room: 4 n lanes floats, where `lanes` is how
   many transforms lie beside each other.

   Stockham's passes: no bits are reversed, and the innermost loop is over what
   lies together, the transforms first. A result is one chain of operations that
   n fixes; in which lane, and beside how many, it is computed changes nothing.
   The inverse is the transform of swapped parts, swapped. */
#ifndef O2C_FFT_F32_H
#define O2C_FFT_F32_H

#include "simd.h"

typedef struct {
  int64_t n, outer, inner, xo, xi, xs, yo, yi, ys, have, parts, made, outs;
  int64_t half, inverse, lanes;
} o2c_fft;

/* (ar, ai) times w, to n lanes at yr, yi. */
O2C_INLINE void o2c_fft_put(float *yr, float *yi, o2c_v ar, o2c_v ai,
                            const float *w, int n)
{
  const o2c_v wr = o2c_vset1(w[0]), wi = o2c_vset1(w[1]);
  const o2c_v back = o2c_vset1(-w[1]);
  o2c_vst_n(yr, o2c_vfma(ai, back, o2c_vmul(ar, wr)), n);
  o2c_vst_n(yi, o2c_vfma(ar, wi, o2c_vmul(ai, wr)), n);
}

O2C_INLINE int o2c_fft_rest(int64_t s, int64_t q)
{
  return s - q < O2C_LANES ? (int)(s - q) : O2C_LANES;
}

/* x and y hold all real parts, then (`im` floats on) the imaginary ones. */
O2C_NOINLINE void o2c_fft_pass2(const float *x, float *y, int64_t im,
                                const float *w, int64_t m, int64_t s)
{
  for (int64_t j = 0; j < m; j++, w += 2, x += s, y += 2 * s)
    for (int64_t q = 0; q < s; q += O2C_LANES) {
      const int n = o2c_fft_rest(s, q);
      const float *a = x + q, *b = a + m * s;
      float *u = y + q, *v = u + s;
      const o2c_v ar = o2c_vld_n(a, n), ai = o2c_vld_n(a + im, n);
      const o2c_v br = o2c_vld_n(b, n), bi = o2c_vld_n(b + im, n);
      o2c_vst_n(u, o2c_vadd(ar, br), n);
      o2c_vst_n(u + im, o2c_vadd(ai, bi), n);
      o2c_fft_put(v, v + im, o2c_vsub(ar, br), o2c_vsub(ai, bi), w, n);
    }
}

O2C_NOINLINE void o2c_fft_pass4(const float *x, float *y, int64_t im,
                                const float *w, int64_t m, int64_t s)
{
  const int64_t far = m * s;
  for (int64_t j = 0; j < m; j++, w += 6, x += s, y += 4 * s)
    for (int64_t q = 0; q < s; q += O2C_LANES) {
      const int n = o2c_fft_rest(s, q);
      const float *a = x + q, *b = a + far, *c = b + far, *d = c + far;
      float *u = y + q;
      const o2c_v ar = o2c_vld_n(a, n), ai = o2c_vld_n(a + im, n);
      const o2c_v br = o2c_vld_n(b, n), bi = o2c_vld_n(b + im, n);
      const o2c_v cr = o2c_vld_n(c, n), ci = o2c_vld_n(c + im, n);
      const o2c_v dr = o2c_vld_n(d, n), di = o2c_vld_n(d + im, n);
      const o2c_v er = o2c_vadd(ar, cr), ei = o2c_vadd(ai, ci);
      const o2c_v fr = o2c_vsub(ar, cr), fi = o2c_vsub(ai, ci);
      const o2c_v gr = o2c_vadd(br, dr), gi = o2c_vadd(bi, di);
      const o2c_v hr = o2c_vsub(bi, di), hi = o2c_vsub(dr, br);
      o2c_vst_n(u, o2c_vadd(er, gr), n);
      o2c_vst_n(u + im, o2c_vadd(ei, gi), n);
      u += s;
      o2c_fft_put(u, u + im, o2c_vadd(fr, hr), o2c_vadd(fi, hi), w, n);
      u += s;
      o2c_fft_put(u, u + im, o2c_vsub(er, gr), o2c_vsub(ei, gi), w + 2, n);
      u += s;
      o2c_fft_put(u, u + im, o2c_vsub(fr, hr), o2c_vsub(fi, hi), w + 4, n);
    }
}

/* Result k of a butterfly of p, before its twiddle; root: the p-th roots. */
O2C_INLINE void o2c_fft_sum(const float *x, int64_t far, int64_t im, int n,
                            const float *root, int64_t p, int64_t k, o2c_v *re,
                            o2c_v *iv)
{
  o2c_v r = o2c_vld_n(x, n), i = o2c_vld_n(x + im, n);
  for (int64_t t = 1, at = k; t < p; t++, at += k) {
    at = at >= p ? at - p : at;
    x += far;
    const o2c_v br = o2c_vld_n(x, n), bi = o2c_vld_n(x + im, n);
    const o2c_v wr = o2c_vset1(root[2 * at]);
    const o2c_v wi = o2c_vset1(root[2 * at + 1]);
    r = o2c_vfma(bi, o2c_vset1(-root[2 * at + 1]), o2c_vfma(br, wr, r));
    i = o2c_vfma(br, wi, o2c_vfma(bi, wr, i));
  }
  *re = r;
  *iv = i;
}

O2C_NOINLINE void o2c_fft_pass(const float *x, float *y, int64_t im,
                               const float *root, int64_t p, int64_t m,
                               int64_t s)
{
  const float *w = root + 2 * p;
  for (int64_t j = 0; j < m; j++, w += 2 * (p - 1), x += s, y += p * s)
    for (int64_t q = 0; q < s; q += O2C_LANES) {
      const int n = o2c_fft_rest(s, q);
      float *u = y + q;
      o2c_v r, i;
      o2c_fft_sum(x + q, m * s, im, n, root, p, 0, &r, &i);
      o2c_vst_n(u, r, n);
      o2c_vst_n(u + im, i, n);
      for (int64_t k = 1; k < p; k++) {
        u += s;
        o2c_fft_sum(x + q, m * s, im, n, root, p, k, &r, &i);
        o2c_fft_put(u, u + im, r, i, w + 2 * (k - 1), n);
      }
    }
}

/* One transform's numbers into its lane: v[k * lanes], and `im` on. */
O2C_NOINLINE void o2c_fft_load(const float *x, const float *window, float *v,
                               int64_t lanes, int64_t im, const o2c_fft *f)
{
  const int64_t n = f->n, most = f->half ? n / 2 + 1 : n;
  const int64_t have = f->have < most ? f->have : most;
  float *re = f->inverse ? v + im : v, *iv = f->inverse ? v : v + im;
  int64_t k;
  for (k = 0; k < have; k++) {
    const float by = window ? window[k] : 1.0f;
    re[k * lanes] = x[k * f->xs] * by;
    iv[k * lanes] = f->parts == 2 ? x[k * f->xs + 1] * by : 0.0f;
  }
  for (; k < most; k++)
    re[k * lanes] = iv[k * lanes] = 0.0f;
  if (!f->half)
    return;
  iv[0] = 0.0f;
  if (n % 2 == 0)
    iv[n / 2 * lanes] = 0.0f;
  for (; k < n; k++) {
    re[k * lanes] = re[(n - k) * lanes];
    iv[k * lanes] = -iv[(n - k) * lanes];
  }
}

O2C_NOINLINE void o2c_fft_save(const float *v, float *y, int64_t lanes,
                               int64_t im, const o2c_fft *f)
{
  const float *re = f->inverse ? v + im : v, *iv = f->inverse ? v : v + im;
  const float by = f->inverse ? 1.0f / (float)f->n : 1.0f;
  for (int64_t k = 0; k < f->made; k++) {
    y[k * f->ys] = re[k * lanes] * by;
    if (f->outs == 2)
      y[k * f->ys + 1] = iv[k * lanes] * by;
  }
}

/* All passes; returns where the results are. */
O2C_NOINLINE float *o2c_fft_passes(float *x, float *y, const float *table,
                                   const int64_t *factor, int64_t n,
                                   int64_t lanes)
{
  const int64_t im = n * lanes;
  int64_t s = lanes, m = n;
  for (; *factor; factor++) {
    const int64_t p = *factor;
    float *t = x;
    m /= p;
    if (p == 2)
      o2c_fft_pass2(x, y, im, table, m, s);
    else if (p == 4)
      o2c_fft_pass4(x, y, im, table, m, s);
    else
      o2c_fft_pass(x, y, im, table, p, m, s);
    table += 2 * (p - 1) * m + (p % 2 ? 2 * p : 0);
    s *= p;
    x = y;
    y = t;
  }
  return x;
}

O2C_NOINLINE void o2c_fft_f32(const float *x, const float *window, float *y,
                              const float *table, float *room,
                              const int64_t *factor, const o2c_fft *f)
{
  const int64_t all = f->outer * f->inner;
  for (int64_t at = 0; at < all; at += f->lanes) {
    const int64_t lanes = all - at < f->lanes ? all - at : f->lanes;
    const int64_t im = f->n * lanes;
    const float *v;
    for (int64_t l = 0; l < lanes; l++) {
      const int64_t i = (at + l) / f->inner, k = (at + l) % f->inner;
      o2c_fft_load(x + i * f->xo + k * f->xi, window, room + l, lanes, im, f);
    }
    v = o2c_fft_passes(room, room + 2 * im, table, factor, f->n, lanes);
    for (int64_t l = 0; l < lanes; l++) {
      const int64_t i = (at + l) / f->inner, k = (at + l) % f->inner;
      o2c_fft_save(v + l, y + i * f->yo + k * f->yi, lanes, im, f);
    }
  }
}
#endif
