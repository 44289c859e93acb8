/* SPDX-License-Identifier: 0BSD */
/* MaxPool, AveragePool and LpPool over any number of spatial axes.
 *   x [n, c, in..], y and index [n, c, out..]; if last, the channels are last.
 * A window wholly in padding gives the least value, index 0, or 0. */
#if T_IS_FLOAT || T_IS_INT
/* Position p counted with the first axis fastest (storage_order 1). */
O2C_UNUSED static int64_t NAME(pool_column)(int64_t p, int64_t axes,
                                            const int64_t *in) {
  int64_t at[O2C_MAX_RANK], j, off = 0;
  for (j = axes - 1; j >= 0; j--) {
    at[j] = p % in[j];
    p /= in[j];
  }
  for (j = axes - 1; j >= 0; j--) off = off * in[j] + at[j];
  return off;
}

O2C_UNUSED static int NAME(pool_nan)(A v) {
#if T_IS_FLOAT
  return v != v;
#else
  (void)v;
  return 0;
#endif
}

/* index counts in [n, c, in..] whatever the layout; it may be NULL. */
O2C_UNUSED static void NAME(max_pool)(const T *x, T *y, int64_t *index,
                                      int64_t n, int64_t c, int64_t axes,
                                      int64_t last, int64_t column,
                                      const int64_t *in, const int64_t *out,
                                      const int64_t *begin,
                                      const int64_t *kernel,
                                      const int64_t *stride,
                                      const int64_t *dilation) {
  int64_t start[O2C_MAX_RANK], i, o, f, t;
  int64_t ni = o2c_numel(axes, in), no = o2c_numel(axes, out);
  int64_t taps = o2c_numel(axes, kernel);
  for (i = 0; i < n; i++, x += c * ni)
    for (o = 0; o < no; o++) {
      o2c_window(o, axes, out, stride, begin, start);
      for (f = 0; f < c; f++) {
        A best = T_MIN;
        int64_t at = -1, to;
        for (t = 0; t < taps; t++) {
          int64_t p = o2c_tap(t, axes, start, in, kernel, dilation);
          A v;
          if (p < 0) continue;
          v = LOAD(x[last ? p * c + f : f * ni + p]);
          if (at >= 0 && !(v > best) && !NAME(pool_nan)(v)) continue;
          best = v;
          at = p;
          if (NAME(pool_nan)(v)) break; /* not a number: it stays */
        }
        to = i * c * no + (last ? o * c + f : f * no + o);
        y[to] = STORE(best);
        if (!index) continue;
        if (column && at >= 0) at = NAME(pool_column)(at, axes, in);
        index[to] = at < 0 ? 0 : (i * c + f) * ni + at;
      }
    }
}
#endif
#if T_IS_FLOAT
/* Taps that count: those in x, or (padded) those before the end padding's
 * end: windows of ceil_mode may hang over it. */
O2C_UNUSED static int64_t NAME(pool_count)(int64_t axes, const int64_t *start,
                                           const int64_t *in,
                                           const int64_t *end,
                                           const int64_t *kernel,
                                           const int64_t *dilation,
                                           int64_t padded) {
  int64_t count = 1, j, k;
  for (j = 0; j < axes; j++) {
    int64_t hits = 0, stop = in[j] + (padded ? end[j] : 0);
    for (k = 0; k < kernel[j]; k++) {
      int64_t at = start[j] + k * dilation[j];
      hits += at < stop && (padded || at >= 0);
    }
    count *= hits;
  }
  return count;
}

O2C_UNUSED static void NAME(average_pool)(
    const T *x, T *y, int64_t n, int64_t c, int64_t axes, int64_t last,
    int64_t padded, const int64_t *in, const int64_t *out,
    const int64_t *begin, const int64_t *end, const int64_t *kernel,
    const int64_t *stride, const int64_t *dilation) {
  int64_t start[O2C_MAX_RANK], i, o, f, t;
  int64_t ni = o2c_numel(axes, in), no = o2c_numel(axes, out);
  int64_t taps = o2c_numel(axes, kernel);
  for (i = 0; i < n; i++, x += c * ni, y += c * no)
    for (o = 0; o < no; o++) {
      int64_t count;
      o2c_window(o, axes, out, stride, begin, start);
      count = NAME(pool_count)(axes, start, in, end, kernel, dilation, padded);
      for (f = 0; f < c; f++) {
        A sum = 0;
        for (t = 0; t < taps; t++) {
          int64_t p = o2c_tap(t, axes, start, in, kernel, dilation);
          if (p >= 0) sum += LOAD(x[last ? p * c + f : f * ni + p]);
        }
        y[last ? o * c + f : f * no + o] = STORE(count ? sum / (A)count : sum);
      }
    }
}

O2C_UNUSED static void NAME(lp_pool)(
    const T *x, T *y, int64_t n, int64_t c, int64_t axes, int64_t last,
    const int64_t *in, const int64_t *out, const int64_t *begin,
    const int64_t *kernel, const int64_t *stride, const int64_t *dilation,
    double power) {
  int64_t start[O2C_MAX_RANK], i, o, f, t;
  int64_t ni = o2c_numel(axes, in), no = o2c_numel(axes, out);
  int64_t taps = o2c_numel(axes, kernel);
  for (i = 0; i < n; i++, x += c * ni, y += c * no)
    for (o = 0; o < no; o++) {
      o2c_window(o, axes, out, stride, begin, start);
      for (f = 0; f < c; f++) {
        A sum = 0;
        for (t = 0; t < taps; t++) {
          int64_t p = o2c_tap(t, axes, start, in, kernel, dilation);
          if (p >= 0)
            sum += M(pow)(M(fabs)(LOAD(x[last ? p * c + f : f * ni + p])),
                          (A)power);
        }
        sum = M(pow)(sum, (A)(1 / power));
        y[last ? o * c + f : f * no + o] = STORE(sum);
      }
    }
}
#endif
