/* SPDX-License-Identifier: Apache-2.0 */
/* The table of fft_f32.h by its definition, for its test and its benchmark. */
#ifndef O2C_FFT_TABLE_H
#define O2C_FFT_TABLE_H

/* Ends with 0; returns the floats that the table takes. */
static int64_t fft_factors(int64_t n, int64_t *factor)
{
  int64_t size = 0, p = 4;
  while (n > 1) {
    while (n % p)
      p = p == 4 ? 2 : p == 2 ? 3 : p + 2;
    n /= p;
    size += 2 * (p - 1) * n + (p % 2 ? 2 * p : 0);
    *factor++ = p;
  }
  *factor = 0;
  return size;
}

static void fft_table(int64_t n, const int64_t *factor, float *t)
{
  const double turn = 6.283185307179586476925;
  for (int64_t m = n; *factor; factor++) {
    const int64_t p = *factor;
    m /= p;
    for (int64_t k = 0; p % 2 && k < p; k++) {
      *t++ = (float)cos(turn * (double)k / (double)p);
      *t++ = (float)-sin(turn * (double)k / (double)p);
    }
    for (int64_t j = 0; j < m; j++)
      for (int64_t k = 1; k < p; k++) {
        *t++ = (float)cos(turn * (double)(j * k) / (double)(m * p));
        *t++ = (float)-sin(turn * (double)(j * k) / (double)(m * p));
      }
  }
}
#endif
