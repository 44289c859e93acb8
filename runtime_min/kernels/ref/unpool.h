/* SPDX-License-Identifier: 0BSD */
/* Pixels put back: MaxUnpool, Col2Im; and sizes that a list holds. */
#if T_IS_INT
/* `n` sizes. */
O2C_UNUSED static o2c_status NAME(size_ints)(const T *v, int64_t n,
                                             int64_t *size) {
  int64_t i;
  for (i = 0; i < n; i++) {
    const double s = (double)LOAD(v[i]);
    if (!(s >= 0 && s <= INT32_MAX)) return O2C_E_SHAPE;
    size[i] = (int64_t)s;
  }
  return O2C_OK;
}
#endif
#if T_IS_INT && T_IS_SIGNED && T_BITS == 64
/* Col2Im: the channels, then the image. */
O2C_UNUSED static o2c_status NAME(size_col2im)(const T *image, const T *block,
                                               int64_t rows, int64_t axes,
                                               int64_t *size) {
  int64_t j, taps = 1;
  for (j = 0; j < axes; j++) {
    if (block[j] < 1 || block[j] > INT32_MAX || taps > rows || image[j] < 0 ||
        image[j] > INT32_MAX)
      return O2C_E_SHAPE;
    taps *= block[j];
    size[1 + j] = image[j];
  }
  size[0] = rows / taps;
  return rows % taps ? O2C_E_SHAPE : O2C_OK;
}
#endif
#if T_IS_FLOAT
/* x to the places that `index` counts in `inner`, which lies at the start of
 * every axis of y. */
O2C_UNUSED static o2c_status NAME(max_unpool)(const T *x, const void *index,
                                              T *y, int64_t n, int64_t rank,
                                              const int64_t *inner,
                                              const int64_t *out) {
  const int64_t *to = (const int64_t *)index;
  const int64_t most = o2c_numel(rank, inner), all = o2c_numel(rank, out);
  int64_t i, j;
  for (i = 0; i < all; i++) y[i] = STORE(K(0));
  for (i = 0; i < n; i++) {
    int64_t rest = to[i], at = 0, scale = 1;
    if (rest < 0 || rest >= most) return O2C_E_DATA;
    for (j = rank - 1; j >= 0; j--) {
      if (rest % inner[j] >= out[j]) return O2C_E_SHAPE;
      at += rest % inner[j] * scale;
      scale *= out[j];
      rest /= inner[j];
    }
    y[at] = x[i];
  }
  return O2C_OK;
}
#endif
#if T_IS_FLOAT || T_IS_INT || T_IS_COMPLEX
#if T_IS_COMPLEX
#define O2C_ADD_TO(sum, v) ((sum).re += (v).re, (sum).im += (v).im)
#else
#define O2C_ADD_TO(sum, v) ((sum) = ADD(sum, LOAD(v)))
#endif
/* The blocks, along an axis, that a window of this extent has. */
O2C_UNUSED static int64_t NAME(col2im_blocks)(int64_t in, int64_t pads,
                                              int64_t kernel, int64_t stride,
                                              int64_t dilation) {
  const int64_t room = in + pads - (kernel - 1) * dilation - 1;
  return room < 0 ? 0 : room / stride + 1;
}

/* The element of x for tap t at pixel o, or -1. */
O2C_UNUSED static int64_t NAME(col2im_from)(
    int64_t o, int64_t t, int64_t axes, const int64_t *in,
    const int64_t *kernel, const int64_t *begin, const int64_t *end,
    const int64_t *stride, const int64_t *dilation) {
  int64_t j, from = 0, scale = 1;
  for (j = axes - 1; j >= 0; j--) {
    const int64_t at = o % in[j] + begin[j] - t % kernel[j] * dilation[j];
    const int64_t blocks = NAME(col2im_blocks)(in[j], begin[j] + end[j],
                                               kernel[j], stride[j],
                                               dilation[j]);
    if (at < 0 || at % stride[j] || at / stride[j] >= blocks) return -1;
    from += at / stride[j] * scale;
    scale *= blocks;
    o /= in[j];
    t /= kernel[j];
  }
  return from;
}

/* The taps of a kernel; 0: blocks or rows are not as many as it asks for. */
O2C_UNUSED static int64_t NAME(col2im_taps)(
    const int64_t *kernel, int64_t c, int64_t rows, int64_t blocks,
    int64_t axes, const int64_t *in, const int64_t *begin, const int64_t *end,
    const int64_t *stride, const int64_t *dilation) {
  int64_t j, want = 1, taps = 1;
  for (j = 0; j < axes; j++) {
    if (kernel[j] < 1 || kernel[j] > INT32_MAX || taps > rows) return 0;
    taps *= kernel[j];
    want *= NAME(col2im_blocks)(in[j], begin[j] + end[j], kernel[j], stride[j],
                                dilation[j]);
  }
  return want != blocks || c * taps != rows ? 0 : taps;
}

/* Pixel o of a channel, which begins at x. */
O2C_UNUSED static T NAME(col2im_sum)(
    const T *x, int64_t o, int64_t taps, int64_t blocks, int64_t axes,
    const int64_t *in, const int64_t *kernel, const int64_t *begin,
    const int64_t *end, const int64_t *stride, const int64_t *dilation) {
  int64_t t;
  A sum;
  memset(&sum, 0, sizeof sum);
  for (t = 0; t < taps; t++) {
    const int64_t from = NAME(col2im_from)(o, t, axes, in, kernel, begin, end,
                                           stride, dilation);
    if (from >= 0) O2C_ADD_TO(sum, x[t * blocks + from]);
  }
  return STORE(sum);
}

/* x [n][rows][blocks], rows being c times the kernel, summed into y
 * [n][c][in..]. */
O2C_UNUSED static o2c_status NAME(col2im)(
    const T *x, const void *block, T *y, int64_t n, int64_t c, int64_t rows,
    int64_t blocks, int64_t axes, const int64_t *in, const int64_t *begin,
    const int64_t *end, const int64_t *stride, const int64_t *dilation) {
  const int64_t *kernel = (const int64_t *)block, ni = o2c_numel(axes, in);
  const int64_t taps = NAME(col2im_taps)(kernel, c, rows, blocks, axes, in,
                                         begin, end, stride, dilation);
  int64_t i, o;
  if (!taps) return O2C_E_SHAPE;
  for (i = 0; i < n * c; i++, x += taps * blocks)
    for (o = 0; o < ni; o++)
      *y++ = NAME(col2im_sum)(x, o, taps, blocks, axes, in, kernel, begin, end,
                              stride, dilation);
  return O2C_OK;
}
#undef O2C_ADD_TO
#endif
