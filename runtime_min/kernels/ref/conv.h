/* SPDX-License-Identifier: 0BSD */
/* Conv and ConvTranspose over any number of spatial axes.
 *   x [n, c, in..] or, if last, [n, in.., c]    w [m, c / group, kernel..]
 *   y [n, m, out..] or, if last, [n, out.., m]  b [m] or NULL
 * ConvTranspose has w [c, m / group, kernel..]. A sum runs over taps, then
 * channels, from the bias on. */
#if T_IS_FLOAT
/* sum += x . w over `count` channels. */
O2C_UNUSED static A NAME(conv_dot)(A sum, const T *x, const T *w, int64_t count,
                                   int64_t xs, int64_t ws) {
  int64_t i;
  for (i = 0; i < count; i++) sum += LOAD(x[i * xs]) * LOAD(w[i * ws]);
  return sum;
}

O2C_UNUSED static void NAME(conv)(const T *x, const T *w, const T *b, T *y,
                                  int64_t n, int64_t c, int64_t m,
                                  int64_t group, int64_t axes, int64_t last,
                                  const int64_t *in, const int64_t *out,
                                  const int64_t *begin, const int64_t *kernel,
                                  const int64_t *stride,
                                  const int64_t *dilation) {
  int64_t start[O2C_MAX_RANK], i, o, f, t;
  int64_t ni = o2c_numel(axes, in), no = o2c_numel(axes, out);
  int64_t taps = o2c_numel(axes, kernel), cg = c / group, mg = m / group;
  int64_t xs = last ? 1 : ni, xp = last ? c : 1; /* per channel, position */
  for (i = 0; i < n; i++, x += c * ni, y += m * no)
    for (o = 0; o < no; o++) {
      o2c_window(o, axes, out, stride, begin, start);
      for (f = 0; f < m; f++) {
        const T *xg = x + f / mg * cg * xs, *wf = w + f * cg * taps;
        A sum = b ? LOAD(b[f]) : K(0);
        for (t = 0; t < taps; t++) {
          int64_t p = o2c_tap(t, axes, start, in, kernel, dilation);
          if (p >= 0)
            sum = NAME(conv_dot)(sum, xg + p * xp, wf + t, cg, xs, taps);
        }
        y[last ? o * m + f : f * no + o] = STORE(sum);
      }
    }
}

/* Input position whose tap t falls on output position `at`; -1: none. */
O2C_UNUSED static int64_t NAME(conv_from)(int64_t t, int64_t axes,
                                          const int64_t *at, const int64_t *in,
                                          const int64_t *kernel,
                                          const int64_t *stride,
                                          const int64_t *dilation) {
  int64_t off = 0, scale = 1, j;
  for (j = axes - 1; j >= 0; j--) {
    int64_t p = at[j] - t % kernel[j] * dilation[j];
    if (p < 0 || p % stride[j] || p / stride[j] >= in[j]) return -1;
    off += p / stride[j] * scale;
    scale *= in[j];
    t /= kernel[j];
  }
  return off;
}

O2C_UNUSED static void NAME(conv_transpose)(
    const T *x, const T *w, const T *b, T *y, int64_t n, int64_t c, int64_t m,
    int64_t group, int64_t axes, int64_t last, const int64_t *in,
    const int64_t *out, const int64_t *begin, const int64_t *kernel,
    const int64_t *stride, const int64_t *dilation) {
  int64_t at[O2C_MAX_RANK], i, o, f, t, j, k;
  int64_t ni = o2c_numel(axes, in), no = o2c_numel(axes, out);
  int64_t taps = o2c_numel(axes, kernel), cg = c / group, mg = m / group;
  int64_t xs = last ? 1 : ni, xp = last ? c : 1;
  for (i = 0; i < n; i++, x += c * ni, y += m * no)
    for (o = 0; o < no; o++) {
      for (j = axes - 1, k = o; j >= 0; j--) {
        at[j] = k % out[j] + begin[j];
        k /= out[j];
      }
      for (f = 0; f < m; f++) {
        int64_t g = f / mg;
        const T *wf = w + (g * cg * mg + f % mg) * taps;
        A sum = b ? LOAD(b[f]) : K(0);
        for (t = 0; t < taps; t++) {
          int64_t p = NAME(conv_from)(t, axes, at, in, kernel, stride,
                                      dilation);
          if (p >= 0)
            sum = NAME(conv_dot)(sum, x + g * cg * xs + p * xp, wf + t, cg, xs,
                                 mg * taps);
        }
        y[last ? o * m + f : f * no + o] = STORE(sum);
      }
    }
}
#endif
