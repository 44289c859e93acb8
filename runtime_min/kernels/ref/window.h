/* SPDX-License-Identifier: 0BSD */
/* HannWindow, HammingWindow, BlackmanWindow: a0 - a1 cos(w i) + a2 cos(2 w i)
 * with w = 2 pi / n, or 2 pi / (n - 1) where the window is not periodic; and
 * MelWeightMatrix. All in double, cut off for integers; what is no number (a
 * window of one element that is not periodic divides 0 by 0) is 0 there. */
#if T_IS_FLOAT || T_IS_INT
O2C_UNUSED static T NAME(from_real)(double v) {
#if T_IS_INT
  if (!(v > -9e18 && v < 9e18)) return STORE(K(0));
#endif
  return STORE((A)v);
}

O2C_UNUSED static void NAME(window)(T *y, int64_t n, int64_t periodic,
                                    double a0, double a1, double a2) {
  const double per = (double)(periodic ? n : n - 1);
  int64_t i;
  for (i = 0; i < n; i++) {
    const double at = (double)i * 6.283185307179586476925 / per;
    y[i] = NAME(from_real)(a0 - a1 * cos(at) + a2 * cos(2 * at));
  }
}

/* The spectrogram's bin at number i of `bins` + 2 equal steps on the mel scale
 * from `low` to `high` hertz; the scale is linear in log10(1 + f / 700). */
O2C_UNUSED static int64_t NAME(mel_bin)(int64_t i, int64_t bins, double length,
                                        double rate, double low, double high) {
  const double a = 2595 * log10(1 + low / 700);
  const double b = 2595 * log10(1 + high / 700);
  const double mel = a + (double)i * ((b - a) / (double)(bins + 2));
  const double hertz = 700 * (pow(10, mel / 2595) - 1);
  const double bin = floor((length + 1) * hertz / rate);
  return bin >= -1 && bin < 1e15 ? (int64_t)bin : -1;
}

/* y: [length / 2 + 1, bins], a triangle in each column. Where the edges ask for
 * bins that there are not, O2C_E_DATA. */
O2C_UNUSED static o2c_status NAME(mel)(T *y, const double *length,
                                       const double *rate, const double *low,
                                       const double *high, int64_t rows,
                                       int64_t bins) {
  int64_t i, j;
  if (!(*rate > 0) || *length < 0) return O2C_E_DATA;
  for (i = 0; i < rows * bins; i++) y[i] = STORE(K(0));
  for (i = 0; i < bins; i++) {
    const int64_t left = NAME(mel_bin)(i, bins, *length, *rate, *low, *high);
    const int64_t mid = NAME(mel_bin)(i + 1, bins, *length, *rate, *low, *high);
    const int64_t right =
      NAME(mel_bin)(i + 2, bins, *length, *rate, *low, *high);
    if (left < 0 || mid < left || right < mid || mid >= rows || right > rows)
      return O2C_E_DATA;
    for (j = left; j < mid; j++)
      y[j * bins + i] =
        NAME(from_real)((double)(j - left) / (double)(mid - left));
    y[mid * bins + i] = NAME(from_real)(1);
    for (j = mid; j < right; j++)
      y[j * bins + i] =
        NAME(from_real)((double)(right - j) / (double)(right - mid));
  }
  return O2C_OK;
}
#endif
#if T_IS_INT
/* [length / 2 + 1, bins] of MelWeightMatrix. */
O2C_UNUSED static o2c_status NAME(size_mel)(const T *bins, const T *length,
                                            int64_t *size) {
  const int64_t columns = (int64_t)*bins, n = (int64_t)*length;
  if (columns < 0 || n < 0) return O2C_E_SHAPE;
  size[0] = n / 2 + 1;
  size[1] = columns;
  return O2C_OK;
}
#endif
