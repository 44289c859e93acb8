/* SPDX-License-Identifier: 0BSD */
/* Resize, one axis at a time: x [outer][n][inner] to y [outer][m][inner].
 * How axis number k of the list is sampled stands in four floats at how + 4 k;
 * see resize_at.h. */
#include "resize_at.h"
O2C_UNUSED static T NAME(resize_value)(double v) {
#if T_IS_FLOAT
  return STORE((A)v);
#elif T_IS_INT
  v = rint(v);
  if (v <= (double)T_MIN) return STORE((A)T_MIN);
  return v >= (double)T_MAX ? STORE((A)T_MAX) : STORE((A)v);
#elif T_IS_BOOL
  return STORE((A)(v != 0));
#else
  T none;
  memset(&none, 0, sizeof none);
#if T_IS_COMPLEX
  none.re = (T_PART)v;
#endif
  (void)v;
  return none;
#endif
}

/* Nearest. `outside`: what lies beyond the region of interest. */
O2C_UNUSED static void NAME(resize_pick)(const T *x, T *y, const void *hows,
                                         int64_t axis, int64_t outer, int64_t n,
                                         int64_t inner, int64_t m,
                                         int64_t coord, int64_t nearest,
                                         double outside) {
  const float *how = (const float *)hows + 4 * axis;
  const T fill = NAME(resize_value)(outside);
  int64_t u, o, i;
  for (o = 0; o < m; o++) {
    const float at = o2c_resize_at(o, n, m, how, coord);
    const int out = coord == O2C_RS_CROP && (at < 0 || at > (float)(n - 1));
    const int64_t from = o2c_resize_near(at, how[0], n, nearest);
    for (u = 0; u < outer; u++)
      for (i = 0; i < inner; i++)
        y[(u * m + o) * inner + i] = out ? fill : x[(u * n + from) * inner + i];
  }
}
#if T_IS_INT
O2C_UNUSED static void NAME(resize_store)(const void *x, T *y, int64_t n) {
  const double *from = (const double *)x;
  int64_t i;
  for (i = 0; i < n; i++) y[i] = NAME(resize_value)(from[i]);
}
#endif
#if T_IS_FLOAT
/* Linear and cubic, of f32 and f64. */
O2C_UNUSED static void NAME(resize_axis)(const T *x, T *y, const void *hows,
                                         int64_t axis, int64_t outer, int64_t n,
                                         int64_t inner, int64_t m,
                                         int64_t coord, int64_t cubic,
                                         int64_t antialias, int64_t exclude,
                                         double a, double outside) {
  const float *how = (const float *)hows + 4 * axis;
  const double s = antialias && how[0] < 1 ? (double)how[0] : 1.0;
  int64_t u, o, i, j;
  for (o = 0; o < m; o++) {
    const float at = o2c_resize_at(o, n, m, how, coord);
    const int out = coord == O2C_RS_CROP && (at < 0 || at > (float)(n - 1));
    const int64_t first = (int64_t)floor((double)at - (cubic ? 2 : 1) / s) + 1;
    const int64_t last = (int64_t)ceil((double)at + (cubic ? 2 : 1) / s) - 1;
    double sum = 0;
    for (u = 0; u < outer; u++)
      for (i = 0; i < inner; i++)
        y[(u * m + o) * inner + i] = STORE((A)(out ? outside : 0));
    if (out) continue;
    for (j = first; j <= last; j++)
      if (!exclude || (j >= 0 && j < n))
        sum += o2c_resize_weight(((double)j - (double)at) * s, cubic, a);
    if (!(antialias || exclude) || sum == 0) sum = 1;
    for (j = first; j <= last; j++) {
      const A w = (A)(o2c_resize_weight(((double)j - (double)at) * s, cubic, a)
                      / sum);
      const int64_t from = j < 0 ? 0 : j < n ? j : n - 1;
      if (w == 0 || (exclude && from != j)) continue;
      for (u = 0; u < outer; u++)
        for (i = 0; i < inner; i++) {
          T *to = y + (u * m + o) * inner + i;
          *to = STORE(LOAD(*to) + w * LOAD(x[(u * n + from) * inner + i]));
        }
    }
  }
}

/* The size that `n` elements of the axis get, or -1; `rounded` or cut off. */
O2C_UNUSED static int64_t NAME(resize_size_of)(int64_t n, float scale,
                                               float region, int64_t rounded) {
  const float size = scale * region * (float)n + (rounded ? 0.5f : 0.0f);
  return size >= 0 && size < 2147483648.0f ? (int64_t)floorf(size) : -1;
}

/* The scale that all axes have to keep their aspect ratio. */
O2C_UNUSED static float NAME(resize_aspect)(const int64_t *sizes,
                                            int64_t policy, int64_t count,
                                            const int64_t *x) {
  float best = 0;
  int64_t k;
  for (k = 0; k < count; k++) {
    const float s = x[k] > 0 ? (float)sizes[k] / (float)x[k] : 0.0f;
    if (k == 0 || (policy == 1 ? s < best : s > best)) best = s;
  }
  return best;
}

/* The sizes of `count` axes, x before. scales, sizes, roi may be NULL. */
O2C_UNUSED static o2c_status NAME(size_resize)(const void *scales,
                                               const void *sizes, const T *roi,
                                               int64_t policy, int64_t count,
                                               const int64_t *x,
                                               int64_t *size) {
  const float *scale = (const float *)scales;
  const int64_t *want = (const int64_t *)sizes;
  const float same = want && policy
                     ? NAME(resize_aspect)(want, policy, count, x) : 0.0f;
  int64_t k;
  for (k = 0; k < count; k++) {
    const float region = roi ? (float)(LOAD(roi[count + k]) - LOAD(roi[k]))
                             : 1.0f;
    if (scale)
      size[k] = NAME(resize_size_of)(x[k], scale[k], region, 0);
    else if (policy)
      size[k] = NAME(resize_size_of)(x[k], same, 1.0f, 1);
    else
      size[k] = want[k];
    if (size[k] < 0 || size[k] > INT32_MAX) return O2C_E_SHAPE;
  }
  return O2C_OK;
}

/* how[4 * k] for `count` axes of sizes x before and y after. `check`: that the
 * data asks for y. */
O2C_UNUSED static o2c_status NAME(resize_how)(const void *scales,
                                              const void *sizes, const T *roi,
                                              void *hows, int64_t policy,
                                              int64_t check, int64_t count,
                                              const int64_t *x,
                                              const int64_t *y) {
  const float *scale = (const float *)scales;
  const int64_t *want = (const int64_t *)sizes;
  float *how = (float *)hows;
  int64_t k, size[O2C_MAX_RANK];
  if (check && NAME(size_resize)(scales, sizes, roi, policy, count, x, size) !=
               O2C_OK)
    return O2C_E_SHAPE;
  for (k = 0; k < count; k++, how += 4) {
    if ((check && size[k] != y[k]) || (x[k] == 0 && y[k] > 0))
      return O2C_E_SHAPE;
    how[0] = scale ? scale[k]
             : want && policy ? NAME(resize_aspect)(want, policy, count, x)
                              : (float)y[k] / (float)(x[k] ? x[k] : 1);
    how[1] = scale || (want && policy) ? how[0] * (float)x[k] : (float)y[k];
    how[2] = roi ? (float)LOAD(roi[k]) : 0.0f;
    how[3] = roi ? (float)LOAD(roi[count + k]) : 1.0f;
    if (!(how[0] > 0) && y[k] > 0) return O2C_E_SHAPE;
  }
  return O2C_OK;
}
#endif
