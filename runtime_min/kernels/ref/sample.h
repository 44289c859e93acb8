/* SPDX-License-Identifier: 0BSD */
/* Values between pixels: GridSample, AffineGrid, RoiAlign, MaxRoiPool. Images
 * are [n][c][in..]. */
#ifndef O2C_REF_SAMPLE
#define O2C_REF_SAMPLE
#define O2C_GRID_AXES 5 /* spatial axes of a grid, at most */
enum { O2C_GRID_ZEROS, O2C_GRID_BORDER, O2C_GRID_REFLECTION };

/* Mirrored at lo and hi until it lies between them. */
O2C_UNUSED static double o2c_grid_reflect(double v, double lo, double hi) {
  const double range = hi - lo;
  double off;
  if (v >= lo && v <= hi) return v;
  if (!(range > 0)) return lo;
  off = fmod(v < lo ? lo - v : v - hi, 2 * range);
  if (v < lo) return off <= range ? lo + off : hi - (off - range);
  return off <= range ? hi - off : lo + (off - range);
}

/* Element i of the grid as a position among n pixels: in the grid's own type,
 * of which one pointer is NULL. `nearest`: on a pixel. */
O2C_UNUSED static double o2c_grid_at(const float *narrow, const double *wide,
                                     int64_t i, int64_t n, int64_t nearest,
                                     int64_t pad, int64_t corners) {
  const double lo = corners ? 0 : -0.5, hi = (double)n - (corners ? 1 : 0.5);
  double at;
  if (wide) {
    const double g = wide[i] + 1;
    at = corners ? g / 2 * (double)(n - 1) : (g * (double)n - 1) / 2;
  } else {
    const float g = narrow[i] + 1;
    at = corners ? (double)(g / 2 * (float)(n - 1))
                 : (double)((g * (float)n - 1) / 2);
  }
  if (!(fabs(at) < 1e9)) at = at > 0 ? 1e9 : -1e9;
  if (nearest) at = rint(at);
  if (pad == O2C_GRID_REFLECTION) return o2c_grid_reflect(at, lo, hi);
  if (pad == O2C_GRID_BORDER && (at < lo || at > hi))
    return at < lo ? 0 : (double)(n - 1);
  return at;
}

/* The pixel that stands for number i; -1: none, which is zero. */
O2C_UNUSED static int64_t o2c_grid_tap(int64_t i, int64_t n, int64_t pad,
                                       int64_t corners) {
  if (i >= 0 && i < n) return i;
  if (pad == O2C_GRID_ZEROS || n == 0) return -1;
  if (pad == O2C_GRID_REFLECTION)
    i = (int64_t)o2c_grid_reflect((double)i, corners ? 0 : -0.5,
                                  (double)n - (corners ? 1 : 0.5));
  return i < 0 ? 0 : i < n ? i : n - 1;
}

/* The weight of a pixel t away; cubic with -0.75. */
O2C_UNUSED static double o2c_grid_weight(double t, int64_t cubic) {
  const double a = -0.75;
  t = fabs(t);
  if (!cubic) return t < 1 ? 1 - t : 0;
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}
#endif

/* Nearest. The grid's last axis has the innermost position first. */
O2C_UNUSED static void NAME(grid_pick)(const T *x, const void *narrow,
                                       const void *wide, T *y, int64_t n,
                                       int64_t c, int64_t axes, int64_t pad,
                                       int64_t corners, const int64_t *in,
                                       const int64_t *out) {
  const int64_t ni = o2c_numel(axes, in), no = o2c_numel(axes, out);
  int64_t b, o, f, j, from;
  T none;
  memset(&none, 0, sizeof none);
  for (b = 0; b < n; b++, x += c * ni, y += c * no)
    for (o = 0; o < no; o++) {
      for (j = 0, from = 0; j < axes; j++) {
        const double at = o2c_grid_at((const float *)narrow,
                                      (const double *)wide,
                                      (b * no + o) * axes + axes - 1 - j, in[j],
                                      1, pad, corners);
        const int64_t tap = o2c_grid_tap((int64_t)at, in[j], pad, corners);
        from = tap < 0 || from < 0 ? -1 : from * in[j] + tap;
      }
      for (f = 0; f < c; f++)
        y[f * no + o] = from < 0 ? none : x[f * ni + from];
    }
}
#if T_IS_FLOAT || T_IS_INT || T_IS_COMPLEX
/* Part p of v: numbers have one, complex ones two. */
#if T_IS_COMPLEX
#define O2C_PART(v, p) ((double)((p) ? (v).im : (v).re))
#else
#define O2C_PART(v, p) ((double)LOAD(v))
#endif
O2C_UNUSED static T NAME(grid_value)(double v, double im) {
#if T_IS_COMPLEX
  T z;
  z.re = (T_PART)v;
  z.im = (T_PART)im;
  return z;
#elif T_IS_FLOAT
  (void)im;
  return STORE((A)v);
#else
  (void)im;
  if (!(v > (double)T_MIN)) return STORE((A)T_MIN);
  return v >= (double)T_MAX ? STORE((A)T_MAX) : STORE((A)v);
#endif
}

/* The weighted sum of a part over `taps` pixels along each axis. */
O2C_UNUSED static double NAME(grid_sum)(const T *x, int part, int64_t axes,
                                        int64_t taps, const int64_t *in,
                                        const int64_t *tap,
                                        const double *weight) {
  double sum = 0;
  int64_t total = 1, t, j;
  for (j = 0; j < axes; j++) total *= taps;
  for (t = 0; t < total; t++) {
    int64_t from = 0, rest = t, scale = 1;
    double w = 1;
    for (j = axes - 1; j >= 0; j--, rest /= taps) {
      const int64_t k = j * taps + rest % taps;
      from = tap[k] < 0 || from < 0 ? -1 : from + tap[k] * scale;
      scale *= in[j];
      w *= weight[k];
    }
    if (from >= 0 && w != 0) sum += w * O2C_PART(x[from], part);
  }
  (void)part;
  return sum;
}
#undef O2C_PART

/* Linear and cubic. */
O2C_UNUSED static void NAME(grid_sample)(const T *x, const void *narrow,
                                         const void *wide, T *y, int64_t n,
                                         int64_t c, int64_t axes, int64_t cubic,
                                         int64_t pad, int64_t corners,
                                         const int64_t *in,
                                         const int64_t *out) {
  const int64_t ni = o2c_numel(axes, in), no = o2c_numel(axes, out);
  const int64_t taps = cubic ? 4 : 2;
  /* ONNX GridSample-16: beyond the border a cubic still bends, as it does in
   * the framework that the operator came from. */
  const int64_t move = cubic && pad == O2C_GRID_BORDER ? (int64_t)O2C_GRID_ZEROS
                                                       : pad;
  int64_t b, o, f, j, k, tap[4 * O2C_GRID_AXES];
  double weight[4 * O2C_GRID_AXES];
  for (b = 0; b < n; b++, x += c * ni, y += c * no)
    for (o = 0; o < no; o++) {
      for (j = 0; j < axes; j++) {
        const double at = o2c_grid_at((const float *)narrow,
                                      (const double *)wide,
                                      (b * no + o) * axes + axes - 1 - j, in[j],
                                      0, move, corners);
        const int64_t first = (int64_t)floor(at) - (cubic ? 1 : 0);
        for (k = 0; k < taps; k++) {
          tap[j * taps + k] = o2c_grid_tap(first + k, in[j], pad, corners);
          weight[j * taps + k] =
            o2c_grid_weight((double)(first + k) - at, cubic);
        }
      }
      for (f = 0; f < c; f++)
        y[f * no + o] = NAME(grid_value)(
          NAME(grid_sum)(x + f * ni, 0, axes, taps, in, tap, weight),
          T_IS_COMPLEX ? NAME(grid_sum)(x + f * ni, 1, axes, taps, in, tap,
                                        weight) : 0);
    }
}
#endif
#if T_IS_FLOAT
/* y [n][out..][axes] of theta [n][axes][axes + 1]. */
O2C_UNUSED static void NAME(affine_grid)(const T *theta, T *y, int64_t n,
                                         int64_t axes, int64_t corners,
                                         const int64_t *out) {
  const int64_t no = o2c_numel(axes, out);
  int64_t b, o, j, k;
  for (b = 0; b < n; b++, theta += axes * (axes + 1))
    for (o = 0; o < no; o++, y += axes)
      for (k = 0; k < axes; k++) {
        double sum = (double)LOAD(theta[k * (axes + 1) + axes]);
        int64_t rest = o;
        for (j = 0; j < axes; j++) { /* the innermost axis comes first */
          const int64_t size = out[axes - 1 - j];
          const double i = (double)(rest % size);
          const double at = !corners ? (2 * i + 1) / (double)size - 1
                            : size > 1 ? 2 * i / (double)(size - 1) - 1 : -1;
          sum += (double)LOAD(theta[k * (axes + 1) + j]) * at;
          rest /= size;
        }
        y[k] = STORE((A)sum);
      }
}

/* One sample: the sum of its four pixels, or the largest of their shares. */
O2C_UNUSED static double NAME(roi_at)(const T *x, int64_t h, int64_t w,
                                      double at_y, double at_x, int64_t max) {
  double share[4], ly, lx;
  int64_t y0, x0, y1, x1;
  if (h < 1 || w < 1) return 0;
  if (!(at_y >= -1 && at_y <= (double)h && at_x >= -1 && at_x <= (double)w))
    return 0;
  at_y = at_y > 0 ? at_y : 0;
  at_x = at_x > 0 ? at_x : 0;
  y0 = (int64_t)at_y;
  x0 = (int64_t)at_x;
  if (y0 >= h - 1) at_y = (double)(y0 = h - 1);
  if (x0 >= w - 1) at_x = (double)(x0 = w - 1);
  y1 = y0 < h - 1 ? y0 + 1 : y0;
  x1 = x0 < w - 1 ? x0 + 1 : x0;
  ly = at_y - (double)y0;
  lx = at_x - (double)x0;
  share[0] = (1 - ly) * (1 - lx) * (double)LOAD(x[y0 * w + x0]);
  share[1] = (1 - ly) * lx * (double)LOAD(x[y0 * w + x1]);
  share[2] = ly * (1 - lx) * (double)LOAD(x[y1 * w + x0]);
  share[3] = ly * lx * (double)LOAD(x[y1 * w + x1]);
  if (!max) return share[0] + share[1] + share[2] + share[3];
  share[0] = share[1] > share[0] ? share[1] : share[0];
  share[2] = share[3] > share[2] ? share[3] : share[2];
  return share[2] > share[0] ? share[2] : share[0];
}

/* A cell: samples at from + (i + 0.5) step along y and x. */
O2C_UNUSED static double NAME(roi_cell)(const T *x, int64_t h, int64_t w,
                                        const double *from, const double *step,
                                        const int64_t *count, int64_t max) {
  double best = 0;
  int64_t i, j;
  for (i = 0; i < count[0]; i++)
    for (j = 0; j < count[1]; j++) {
      const double v = NAME(roi_at)(x, h, w, from[0] + ((double)i + 0.5)
                                    * step[0], from[1] + ((double)j + 0.5)
                                    * step[1], max);
      best = !max ? best + v : (i == 0 && j == 0) || v > best ? v : best;
    }
  if (max || count[0] * count[1] == 0) return best;
  return best / (double)(count[0] * count[1]);
}

O2C_UNUSED static o2c_status NAME(roi_align)(
    const T *x, const T *rois, const void *index, T *y, int64_t n, int64_t c,
    int64_t count, int64_t max, int64_t half, int64_t ratio, const int64_t *in,
    const int64_t *out, double scale) {
  const int64_t *batch = (const int64_t *)index;
  const int64_t h = in[0], w = in[1];
  int64_t r, f, i, j, a, grid[2];
  for (r = 0; r < count; r++, rois += 4) {
    double start[2], bin[2], step[2], from[2];
    if (batch[r] < 0 || batch[r] >= n) return O2C_E_DATA;
    for (a = 0; a < 2; a++) {
      const double first = (double)LOAD(rois[1 - a]) * scale;
      double size = (double)LOAD(rois[3 - a]) * scale - first;
      start[a] = first - (half ? 0.5 : 0);
      if (!half && !(size > 1)) size = 1;
      bin[a] = size / (double)out[a];
      if (!(fabs(bin[a]) < 1e6)) return O2C_E_DATA;
      grid[a] = ratio > 0 ? ratio : (int64_t)ceil(bin[a]);
      grid[a] = grid[a] > 0 ? grid[a] : 0;
      step[a] = grid[a] ? bin[a] / (double)grid[a] : 0;
    }
    for (f = 0; f < c; f++)
      for (i = 0; i < out[0]; i++)
        for (j = 0; j < out[1]; j++) {
          from[0] = start[0] + (double)i * bin[0];
          from[1] = start[1] + (double)j * bin[1];
          *y++ = STORE((A)NAME(roi_cell)(x + (batch[r] * c + f) * h * w, h, w,
                                         from, step, grid, max));
        }
  }
  return O2C_OK;
}

/* The largest pixel of each bin; 0 of none. rois: image, x, y, x, y. */
O2C_UNUSED static o2c_status NAME(max_roi_pool)(const T *x, const T *rois, T *y,
                                                int64_t n, int64_t c,
                                                int64_t count,
                                                const int64_t *in,
                                                const int64_t *out,
                                                double scale) {
  int64_t r, f, o, i, j, a, from[2], to[2], first[2];
  for (r = 0; r < count; r++, rois += 5) {
    const double image = (double)LOAD(rois[0]);
    double bin[2];
    if (!(image >= 0 && image < (double)n)) return O2C_E_DATA;
    for (a = 0; a < 2; a++) {
      const double begin = round((double)LOAD(rois[2 - a]) * scale);
      const double size = round((double)LOAD(rois[4 - a]) * scale) - begin + 1;
      if (!(fabs(begin) < 1e9 && fabs(size) < 1e9)) return O2C_E_DATA;
      first[a] = (int64_t)begin;
      bin[a] = (size > 1 ? size : 1) / (double)out[a];
    }
    for (f = 0; f < c; f++)
      for (o = 0; o < out[0] * out[1]; o++) {
        const T *map = x + ((int64_t)image * c + f) * in[0] * in[1];
        A best = K(0);
        int some = 0;
        for (a = 0; a < 2; a++) {
          const double k = (double)(a ? o % out[1] : o / out[1]);
          from[a] = first[a] + (int64_t)floor(k * bin[a]);
          to[a] = first[a] + (int64_t)ceil((k + 1) * bin[a]);
          if (from[a] < 0) from[a] = 0;
          if (to[a] > in[a]) to[a] = in[a];
        }
        for (i = from[0]; i < to[0]; i++)
          for (j = from[1]; j < to[1]; j++) {
            const A v = LOAD(map[i * in[1] + j]);
            if (!some || v > best) best = v;
            some = 1;
          }
        *y++ = STORE(best);
      }
  }
  return O2C_OK;
}

/* x where a kernel's tap was moved to; nothing outside. */
O2C_UNUSED static double NAME(deform_at)(const T *x, int64_t axes,
                                         const int64_t *in, const double *at) {
  int64_t tap[2 * O2C_GRID_AXES], j, k;
  double weight[2 * O2C_GRID_AXES];
  for (j = 0; j < axes; j++) {
    const double v = fabs(at[j]) < 1e9 ? at[j] : -2;
    for (k = 0; k < 2; k++) {
      tap[2 * j + k] = o2c_grid_tap((int64_t)floor(v) + k, in[j],
                                    O2C_GRID_ZEROS, 0);
      weight[2 * j + k] = o2c_grid_weight(floor(v) + (double)k - v, 0);
    }
  }
  return NAME(grid_sum)(x, 0, axes, 2, in, tap, weight);
}

/* offset [n][groups][taps][axes][out..], mask [n][groups][taps][out..]. */
O2C_UNUSED static void NAME(deform_conv)(
    const T *x, const T *w, const T *offset, const T *b, const T *mask, T *y,
    int64_t n, int64_t c, int64_t filters, int64_t group, int64_t groups,
    int64_t axes, const int64_t *in, const int64_t *out, const int64_t *begin,
    const int64_t *kernel, const int64_t *stride, const int64_t *dilation) {
  const int64_t ni = o2c_numel(axes, in), no = o2c_numel(axes, out);
  const int64_t taps = o2c_numel(axes, kernel), cg = c / group;
  int64_t i, f, o, k, t, j, start[O2C_MAX_RANK];
  for (i = 0; i < n; i++, x += c * ni)
    for (f = 0; f < filters; f++)
      for (o = 0; o < no; o++) {
        double sum = b ? (double)LOAD(b[f]) : 0;
        o2c_window(o, axes, out, stride, begin, start);
        for (k = 0; k < cg; k++)
          for (t = 0; t < taps; t++) {
            const int64_t from = f / (filters / group) * cg + k;
            const int64_t set = (i * groups + from / (c / groups)) * taps + t;
            double at[O2C_GRID_AXES], v;
            int64_t rest = t;
            for (j = axes - 1; j >= 0; rest /= kernel[j], j--)
              at[j] = (double)(start[j] + rest % kernel[j] * dilation[j]) +
                      (double)LOAD(offset[(set * axes + j) * no + o]);
            v = NAME(deform_at)(x + from * ni, axes, in, at) *
                (double)LOAD(w[(f * cg + k) * taps + t]);
            sum += mask ? v * (double)LOAD(mask[set * no + o]) : v;
          }
        *y++ = STORE((A)sum);
      }
}
#endif
