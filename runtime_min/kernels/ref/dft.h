/* SPDX-License-Identifier: 0BSD */
/* DFT and STFT of any length, in double: a Stockham transform by the prime
 * factors of n, which costs n times their sum. Complex numbers are pairs. */
#if T_IS_FLOAT
#define O2C_REF_TURN 6.283185307179586476925

/* w[k] = exp(-2 pi i k / n), or +2 pi of the inverse. */
O2C_UNUSED static void NAME(dft_roots)(double *w, int64_t n, int64_t inverse) {
  int64_t k;
  for (k = 0; k < n; k++) {
    const double at = O2C_REF_TURN * (double)k / (double)n;
    w[2 * k] = cos(at);
    w[2 * k + 1] = inverse ? sin(at) : -sin(at);
  }
}

/* One pass, by the factor p of `left` = n / stride: x to y. */
O2C_UNUSED static void NAME(dft_pass)(const double *x, double *y,
                                      const double *w, int64_t n, int64_t p,
                                      int64_t stride) {
  const int64_t left = n / stride, m = left / p;
  int64_t j, k, r, q;
  for (j = 0; j < m; j++)
    for (k = 0; k < p; k++)
      for (q = 0; q < stride; q++) {
        const double *tw = w + 2 * (j * k * stride);
        double re = 0, im = 0, *to = y + 2 * (q + stride * (p * j + k));
        for (r = 0; r < p; r++) {
          const double *a = x + 2 * (q + stride * (j + m * r));
          const double *b = w + 2 * (r * k % p * (n / p));
          re += a[0] * b[0] - a[1] * b[1];
          im += a[0] * b[1] + a[1] * b[0];
        }
        to[0] = re * tw[0] - im * tw[1];
        to[1] = re * tw[1] + im * tw[0];
      }
}

/* Transforms x; `other` is as large. Returns where the result is. */
O2C_UNUSED static double *NAME(dft_run)(double *x, double *other,
                                        const double *w, int64_t n) {
  int64_t stride = 1, p = 2;
  while (stride < n) {
    double *t = x;
    while (n / stride % p) p = p * p > n / stride ? n / stride : p + 1;
    NAME(dft_pass)(x, other, w, n, p, stride);
    x = other;
    other = t;
    stride *= p;
  }
  return x;
}

O2C_UNUSED static int64_t NAME(dft_scalar)(const void *p, int64_t width) {
  int32_t small;
  int64_t v;
  if (width == 4) {
    memcpy(&small, p, 4);
    return small;
  }
  memcpy(&v, p, 8);
  return v;
}

/* `count` numbers of `parts` parts that lie `step` apart, as the complex row v
 * of n: cut, or with zeros behind. `half`: of a row whose second half is the
 * conjugate of its first. */
O2C_UNUSED static void NAME(dft_load)(const T *x, const T *window, double *v,
                                      int64_t count, int64_t parts,
                                      int64_t step, int64_t n, int64_t half) {
  const int64_t most = half ? n / 2 + 1 : n;
  int64_t k;
  for (k = 0; k < most; k++) {
    const double by = window ? (double)LOAD(window[k]) : 1;
    const int in = k < count;
    v[2 * k] = in ? by * (double)LOAD(x[k * step]) : 0;
    v[2 * k + 1] = in && parts == 2 ? by * (double)LOAD(x[k * step + 1]) : 0;
  }
  if (!half) return;
  v[1] = 0;
  if (n % 2 == 0) v[n + 1] = 0;
  for (k = most; k < n; k++) {
    v[2 * k] = v[2 * (n - k)];
    v[2 * k + 1] = -v[2 * (n - k) + 1];
  }
}

O2C_UNUSED static void NAME(dft_store)(const double *v, T *y, int64_t count,
                                       int64_t parts, int64_t step, double by) {
  int64_t k;
  for (k = 0; k < count; k++) {
    y[k * step] = STORE((A)(v[2 * k] * by));
    if (parts == 2) y[k * step + 1] = STORE((A)(v[2 * k + 1] * by));
  }
}

/* Along `axis`, or the one that `at` holds, of x whose last axis is the parts
 * of a number; of the length that `length` holds, or n, or (-1) what there is.
 * work: 6 n doubles. */
O2C_UNUSED static o2c_status
NAME(dft)(const T *x, const void *length, const void *at, T *y, double *work,
          int64_t width, int64_t n, int64_t axis, int64_t inverse,
          int64_t onesided, int64_t rank, const int64_t *xdim,
          const int64_t *ydim) {
  const int64_t ins = xdim[rank - 1], outs = ydim[rank - 1];
  const int64_t half = inverse && onesided;
  int64_t outer, inner, o, i, made;
  if (length) n = NAME(dft_scalar)(length, width);
  if (at) axis = NAME(dft_scalar)(at, 8);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank - 1) return O2C_E_DATA;
  if (n < 0 && !length) n = half ? 2 * (xdim[axis] - 1) : xdim[axis];
  if (n < 1) return O2C_E_DATA;
  made = onesided && !inverse ? n / 2 + 1 : n;
  for (i = 0; i < rank - 1; i++)
    if (ydim[i] != (i == axis ? made : xdim[i])) return O2C_E_SHAPE;
  outer = o2c_numel(axis, xdim);
  inner = o2c_numel(rank - axis - 2, xdim + axis + 1);
  NAME(dft_roots)(work, n, inverse);
  for (o = 0; o < outer; o++)
    for (i = 0; i < inner; i++) {
      double *v = work + 2 * n;
      NAME(dft_load)(x + (o * xdim[axis] * inner + i) * ins, NULL, v,
                     xdim[axis], ins, inner * ins, n, half);
      v = NAME(dft_run)(v, v + 2 * n, work, n);
      NAME(dft_store)(v, y + (o * made * inner + i) * outs, made, outs,
                      inner * outs, inverse ? 1.0 / (double)n : 1);
    }
  return O2C_OK;
}

/* x [batch, length, parts] to y [batch, frames, bins, 2]: a transform of each
 * `n` numbers that begin `hop` apart, or what `step` holds, times window. The
 * numbers of `frame` and `step` take `width` bytes. work: 6 n doubles. */
O2C_UNUSED static o2c_status
NAME(stft)(const T *x, const void *step, const T *window, const void *frame,
           T *y, double *work, int64_t width, int64_t hop, int64_t n,
           int64_t batch, int64_t length, int64_t parts, int64_t frames,
           int64_t bins) {
  int64_t b, f;
  if (step) hop = NAME(dft_scalar)(step, width);
  if (frame && NAME(dft_scalar)(frame, width) != n) return O2C_E_SHAPE;
  if (hop < 1 || n < 1) return O2C_E_DATA;
  if (frames != (length < n ? 0 : (length - n) / hop + 1)) return O2C_E_SHAPE;
  NAME(dft_roots)(work, n, 0);
  for (b = 0; b < batch; b++)
    for (f = 0; f < frames; f++, y += 2 * bins) {
      double *v = work + 2 * n;
      NAME(dft_load)(x + (b * length + f * hop) * parts, window, v, n, parts,
                     parts, n, 0);
      v = NAME(dft_run)(v, v + 2 * n, work, n);
      NAME(dft_store)(v, y, bins, 2, 2, 1);
    }
  return O2C_OK;
}
#undef O2C_REF_TURN
#endif
#if T_IS_INT
/* The shape of DFT's output, as far as its axis and length decide. */
O2C_UNUSED static o2c_status
NAME(size_dft)(const T *length, const void *at, int64_t n, int64_t axis,
               int64_t inverse, int64_t onesided, int64_t rank,
               const int64_t *xdim, int64_t *size) {
  int64_t i;
  if (at) memcpy(&axis, at, 8);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank - 1) return O2C_E_SHAPE;
  for (i = 0; i < rank; i++) size[i] = xdim[i];
  if (length) n = (int64_t)*length;
  else if (n < 0) n = inverse && onesided ? 2 * (xdim[axis] - 1) : xdim[axis];
  if (n < 1) return O2C_E_SHAPE;
  size[axis] = onesided && !inverse ? n / 2 + 1 : n;
  size[rank - 1] = inverse && onesided ? 1 : 2;
  return O2C_OK;
}

/* The number of STFT's frames and bins, and the length of a frame. */
O2C_UNUSED static o2c_status
NAME(size_stft)(const T *step, const T *frame, int64_t n, int64_t length,
                int64_t onesided, int64_t *size) {
  const int64_t hop = (int64_t)*step;
  if (frame) n = (int64_t)*frame;
  if (hop < 1 || n < 1) return O2C_E_SHAPE;
  size[0] = length < n ? 0 : (length - n) / hop + 1;
  size[1] = onesided ? n / 2 + 1 : n;
  size[2] = n;
  return O2C_OK;
}
#endif
