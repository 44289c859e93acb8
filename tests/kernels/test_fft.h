/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: fft_f32.h against sums in double, and
 * one lane against many. */
#ifndef O2C_TEST_FFT_H
#define O2C_TEST_FFT_H
#include "../../runtime_min/kernels/fft_f32.h"
#include "fft_table.h"

/* Result k of one transform, by the definition. */
static void fft_want(const float *x, const float *window, const o2c_fft *f,
                     int64_t k, double *re, double *im)
{
  const int64_t most = f->half ? f->n / 2 + 1 : f->n;
  *re = *im = 0;
  for (int64_t t = 0; t < f->n; t++) {
    const int64_t at = t < most ? t : f->n - t;
    const double turn = (f->inverse ? 1 : -1) * 6.283185307179586476925 *
                        (double)(t * k % f->n) / (double)f->n;
    double a = at < f->have ? (double)x[at * f->xs] : 0, b = 0;
    if (f->parts == 2 && at < f->have)
      b = (double)x[at * f->xs + 1] * (at == t ? 1 : -1);
    if (f->half && (t == 0 || 2 * t == f->n))
      b = 0;
    if (window)
      a *= (double)window[t], b *= (double)window[t];
    *re += a * cos(turn) - b * sin(turn);
    *im += a * sin(turn) + b * cos(turn);
  }
  if (f->inverse)
    *re /= (double)f->n, *im /= (double)f->n;
}

static void fft_check(o2c_fft f, int use_window)
{
  int64_t factor[64], size;
  const int64_t xs = f.outer * f.xo + f.have * f.xs + f.inner * f.xi + 8;
  const int64_t ysize = f.outer * f.yo;
  float *x = random_f32((size_t)xs), *w = random_f32((size_t)f.n);
  float *y = alloc_f32((size_t)ysize), *y1 = alloc_f32((size_t)ysize);
  float *room = alloc_f32((size_t)(4 * f.n * f.lanes));
  size = fft_factors(f.n, factor);
  float *table = alloc_f32((size_t)size + 1);
  fft_table(f.n, factor, table);
  const float *window = use_window ? w : NULL;
  const o2c_fft one = f;
  o2c_fft_f32(x, window, y, table, room, factor, &f);
  f.lanes = 1;
  o2c_fft_f32(x, window, y1, table, room, factor, &f);
  if (memcmp(y, y1, (size_t)ysize * sizeof *y))
    fail("fft", "other bits in another lane");
  for (int64_t i = 0; i < one.outer; i++)
    for (int64_t k = 0; k < one.inner; k++)
      for (int64_t j = 0; j < one.made; j++) {
        double re, im;
        const float *got = y + i * one.yo + k * one.yi + j * one.ys;
        const double tolerance =
          4e-7 * sqrt((double)one.n) * (one.inverse ? 1 / (double)one.n : 1) *
          8;
        fft_want(x + i * one.xo + k * one.xi, window, &one, j, &re, &im);
        if (!(fabs((double)got[0] - re) <= tolerance) ||
            (one.outs == 2 && !(fabs((double)got[1] - im) <= tolerance)))
          fail("fft", "differs");
      }
  free(x), free(w), free(y), free(y1), free(room), free(table);
}

/* A DFT along the middle of [outer, have, inner, parts]. */
static void fft_middle(int64_t n, int64_t have, int64_t inner, int64_t outer,
                       int64_t parts, int inverse, int half)
{
  const int64_t made = half && !inverse ? n / 2 + 1 : n;
  const int64_t outs = half && inverse ? 1 : 2;
  const o2c_fft f = {
    n, outer, inner, have * inner * parts, parts, inner * parts,
    made * inner * outs, outs, inner * outs, have, parts, made, outs,
    half && inverse, inverse, 16};
  fft_check(f, 0);
}

static void test_o2c_fft_f32(void)
{
  static const int64_t length[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15,
                                   16, 20, 24, 32, 49, 60, 64, 65, 91, 128};
  for (size_t i = 0; i < sizeof length / sizeof *length; i++) {
    const int64_t n = length[i];
    fft_middle(n, n, 1 + rnd(3), 1 + rnd(20), 2, 0, 0);
    fft_middle(n, n, 1 + rnd(19), 1 + rnd(2), 2, 1, 0);
    fft_middle(n, n, 1, 1 + rnd(20), 1, 0, 1);
    fft_middle(n, n / 2 + 1, 2, 1 + rnd(20), 2, 1, 1);
    fft_middle(n, 1 + rnd(2 * (int)n), 1, 3, 1, 0, 0);
    const o2c_fft frames = {n, 2, 19, n + 36, 2, 1, 38 * n, 2 * n, 2, n, 1, n,
                            2, 0, 0, 16};
    fft_check(frames, 1);
  }
}

#endif
