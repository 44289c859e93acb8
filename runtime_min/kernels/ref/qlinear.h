/* SPDX-License-Identifier: 0BSD */
/* ConvInteger, QLinearConv, MatMulInteger, QLinearMatMul.
 *
 * The two factors are bytes, each u8 or i8: read as (byte ^ 128) - 128 the
 * same bits are signed. Sums are int32 and wrap.
 * Requantisation: v = (float)sum * (xs * ws / ys), clamped to the bounds of y
 * less its zero point, rounded half to even, plus the zero point. */
#ifndef O2C_REF_QLINEAR
#define O2C_REF_QLINEAR
/* i8 factors; one scale or zero point for each filter, row or column. */
enum {
  O2C_Q_X_SIGNED = 1, O2C_Q_W_SIGNED = 2, O2C_Q_SCALES = 4, O2C_Q_ZEROS = 8
};

O2C_UNUSED static int32_t o2c_q_byte(const uint8_t *p, int64_t i, int64_t sign)
{
  return sign ? (int32_t)(p[i] ^ 128u) - 128 : (int32_t)p[i];
}

O2C_UNUSED static int32_t o2c_q_zero(const void *wz, int64_t f, int64_t flags) {
  if (!wz) return 0;
  return o2c_q_byte((const uint8_t *)wz, flags & O2C_Q_ZEROS ? f : 0,
                    flags & O2C_Q_W_SIGNED);
}

/* sum += (a - az) (b - bz) over `n` elements; at most 9 bits each. */
O2C_UNUSED static uint32_t o2c_q_dot(uint32_t sum, const uint8_t *a, int64_t as,
                                     int32_t az, const uint8_t *b, int64_t bs,
                                     int32_t bz, int64_t n, int64_t flags) {
  int64_t i;
  for (i = 0; i < n; i++)
    sum += (uint32_t)((o2c_q_byte(a, i * as, flags & O2C_Q_X_SIGNED) - az) *
                      (o2c_q_byte(b, i * bs, flags & O2C_Q_W_SIGNED) - bz));
  return sum;
}

/* A window at `start`: channels lie xs apart, positions xp. Padding adds
 * nothing. */
O2C_UNUSED static int32_t o2c_q_window(const uint8_t *x, int32_t xz, int64_t xs,
                                       int64_t xp, const uint8_t *w, int32_t wz,
                                       int64_t channels, int64_t flags,
                                       int64_t axes, const int64_t *start,
                                       const int64_t *in, const int64_t *kernel,
                                       const int64_t *dilation) {
  int64_t taps = o2c_numel(axes, kernel), t;
  uint32_t sum = 0;
  for (t = 0; t < taps; t++) {
    int64_t p = o2c_tap(t, axes, start, in, kernel, dilation);
    if (p >= 0)
      sum = o2c_q_dot(sum, x + p * xp, xs, xz, w + t, taps, wz, channels,
                      flags);
  }
  return (int32_t)sum;
}
#endif
#if T_IS_INT && T_IS_SIGNED && T_BITS == 32
/* Shapes as conv.h has them. Zero points may be NULL. */
O2C_UNUSED static void NAME(conv_integer)(
    const void *x, const void *w, const void *xz, const void *wz, int32_t *y,
    int64_t n, int64_t c, int64_t m, int64_t group, int64_t axes, int64_t last,
    int64_t flags, const int64_t *in, const int64_t *out, const int64_t *begin,
    const int64_t *kernel, const int64_t *stride, const int64_t *dilation) {
  int64_t start[O2C_MAX_RANK], i, o, f;
  int64_t ni = o2c_numel(axes, in), no = o2c_numel(axes, out);
  int64_t taps = o2c_numel(axes, kernel), cg = c / group, mg = m / group;
  int64_t xs = last ? 1 : ni, xp = last ? c : 1;
  const uint8_t *xb = (const uint8_t *)x, *wb = (const uint8_t *)w;
  int32_t zero =
      xz ? o2c_q_byte((const uint8_t *)xz, 0, flags & O2C_Q_X_SIGNED) : 0;
  for (i = 0; i < n; i++, xb += c * ni, y += m * no)
    for (o = 0; o < no; o++) {
      o2c_window(o, axes, out, stride, begin, start);
      for (f = 0; f < m; f++)
        y[last ? o * m + f : f * no + o] = o2c_q_window(
            xb + f / mg * cg * xs, zero, xs, xp, wb + f * cg * taps,
            o2c_q_zero(wz, f, flags), cg, flags, axes, start, in, kernel,
            dilation);
    }
}

/* As matmul in gemm.h. Zero points may be NULL; their strides: by row of a,
 * azs, by column of b, bzs, and along the batch, azb and bzb. */
O2C_UNUSED static void NAME(matmul_integer)(
    const void *a, const void *b, const void *az, const void *bz, int32_t *y,
    int64_t m, int64_t n, int64_t k, int64_t rank, int64_t flags, int64_t azs,
    int64_t bzs, const int64_t *batch, const int64_t *as, const int64_t *bs,
    const int64_t *azb, const int64_t *bzb) {
  const uint8_t *ab = (const uint8_t *)a, *bb = (const uint8_t *)b;
  int64_t count = o2c_numel(rank, batch), t, i, j;
  for (t = 0; t < count; t++) {
    const uint8_t *at = ab + o2c_offset(t, rank, batch, as);
    const uint8_t *bt = bb + o2c_offset(t, rank, batch, bs);
    int64_t ar = o2c_offset(t, rank, batch, azb);
    int64_t bc = o2c_offset(t, rank, batch, bzb);
    for (i = 0; i < m; i++)
      for (j = 0; j < n; j++) {
        int32_t za = az ? o2c_q_byte((const uint8_t *)az, ar + i * azs,
                                     flags & O2C_Q_X_SIGNED) : 0;
        int32_t zb = bz ? o2c_q_byte((const uint8_t *)bz, bc + j * bzs,
                                     flags & O2C_Q_W_SIGNED) : 0;
        *y++ = (int32_t)o2c_q_dot(0, at + i * k, 1, za, bt + j, n, zb, k,
                                  flags);
      }
  }
}
#endif
#if T_IS_INT && T_BITS == 8
O2C_UNUSED static T NAME(requantize)(int32_t sum, float scale, int32_t zero) {
  float lo = (float)((int32_t)T_MIN - zero);
  float hi = (float)((int32_t)T_MAX - zero);
  float v = (float)sum * scale;
  v = v > lo ? v : lo;
  v = v < hi ? v : hi;
  return (T)((int32_t)rintf(v) + zero);
}

/* Zero points and b may be NULL. */
O2C_UNUSED static void NAME(qlinear_conv)(
    const void *x, const float *xscale, const void *xz, const void *w,
    const float *wscale, const void *wz, const float *yscale, const T *yz,
    const int32_t *b, T *y, int64_t n, int64_t c, int64_t m, int64_t group,
    int64_t axes, int64_t last, int64_t flags, const int64_t *in,
    const int64_t *out, const int64_t *begin, const int64_t *kernel,
    const int64_t *stride, const int64_t *dilation) {
  int64_t start[O2C_MAX_RANK], i, o, f;
  int64_t ni = o2c_numel(axes, in), no = o2c_numel(axes, out);
  int64_t taps = o2c_numel(axes, kernel), cg = c / group, mg = m / group;
  int64_t xs = last ? 1 : ni, xp = last ? c : 1;
  const uint8_t *xb = (const uint8_t *)x, *wb = (const uint8_t *)w;
  int32_t zero =
      xz ? o2c_q_byte((const uint8_t *)xz, 0, flags & O2C_Q_X_SIGNED) : 0;
  for (i = 0; i < n; i++, xb += c * ni, y += m * no)
    for (o = 0; o < no; o++) {
      o2c_window(o, axes, out, stride, begin, start);
      for (f = 0; f < m; f++) {
        float scale = *xscale * wscale[flags & O2C_Q_SCALES ? f : 0] / *yscale;
        int32_t sum = o2c_q_window(
            xb + f / mg * cg * xs, zero, xs, xp, wb + f * cg * taps,
            o2c_q_zero(wz, f, flags), cg, flags, axes, start, in, kernel,
            dilation);
        if (b) sum = (int32_t)((uint32_t)sum + (uint32_t)b[f]);
        y[last ? o * m + f : f * no + o] =
            NAME(requantize)(sum, scale, yz ? (int32_t)*yz : 0);
      }
    }
}

/* The int32 product `sum` [batch.., m, n] becomes y. Strides of the scales and
 * of the zero point: by row (of b: by column), and along the batch. */
O2C_UNUSED static void NAME(qlinear_matmul)(
    const int32_t *sum, const float *ascale, const float *bscale,
    const float *yscale, const T *yz, T *y, int64_t m, int64_t n, int64_t rank,
    int64_t ass, int64_t bss, int64_t yss, int64_t yzs, const int64_t *batch,
    const int64_t *ab, const int64_t *bb, const int64_t *yb,
    const int64_t *yzb) {
  int64_t count = o2c_numel(rank, batch), t, i, j;
  for (t = 0; t < count; t++) {
    const float *as = ascale + o2c_offset(t, rank, batch, ab);
    const float *bs = bscale + o2c_offset(t, rank, batch, bb);
    const float *ys = yscale + o2c_offset(t, rank, batch, yb);
    const T *z = yz + o2c_offset(t, rank, batch, yzb);
    for (i = 0; i < m; i++)
      for (j = 0; j < n; j++)
        *y++ = NAME(requantize)(*sum++, as[i * ass] * bs[j * bss] / ys[i * yss],
                                (int32_t)z[i * yzs]);
  }
}
#endif
