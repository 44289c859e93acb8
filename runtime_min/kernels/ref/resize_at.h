/* SPDX-License-Identifier: 0BSD */
/* Where Resize samples, for the reference and the tuned kernels.
 *
 * How an axis is sampled stands in four floats: the scale, the length of the
 * output (a fraction, if scales are given), start and end of the region.
 * Positions are floats, as other runtimes have them, so that `nearest` picks
 * what they pick: 1 / 0.333333343 is 3, not 2.99999991. */
#ifndef O2C_REF_RESIZE
#define O2C_REF_RESIZE
#include "base.h"
enum {
  O2C_RS_HALF_PIXEL, O2C_RS_SYMMETRIC, O2C_RS_PYTORCH, O2C_RS_CORNERS,
  O2C_RS_ASYMMETRIC, O2C_RS_TF_NEAREST, O2C_RS_CROP
};
enum {
  O2C_RS_PREFER_FLOOR, O2C_RS_PREFER_CEIL, O2C_RS_FLOOR, O2C_RS_CEIL,
  O2C_RS_BY_SCALE /* Resize-10: up where it shrinks, else down */
};

/* Where position o of m lies among the n of the input. */
O2C_UNUSED static float o2c_resize_at(int64_t o, int64_t n, int64_t m,
                                      const float *how, int64_t coord) {
  const float at = (float)o, last = (float)(n - 1), scale = how[0];
  const float half = (at + 0.5f) / scale - 0.5f;
  if (scale == 1.0f && n == m && coord != O2C_RS_CROP) return at;
  switch (coord) {
  case O2C_RS_SYMMETRIC:
    return half + (float)n / 2 * (1 - (float)m / how[1]);
  case O2C_RS_PYTORCH: return m > 1 ? half : 0.0f;
  case O2C_RS_CORNERS: return how[1] == 1.0f ? 0.0f : at * last / (how[1] - 1);
  case O2C_RS_ASYMMETRIC: return at / scale;
  case O2C_RS_TF_NEAREST: return (at + 0.5f) / scale;
  case O2C_RS_CROP:
    if (m <= 1) return 0.5f * (how[2] + how[3]) * last;
    return how[2] * last + at * (how[3] - how[2]) * last / (float)(m - 1);
  default: return half;
  }
}

O2C_UNUSED static int64_t o2c_resize_clamp(float at, int64_t n) {
  return at < 1.0f ? 0 : at < (float)(n - 1) ? (int64_t)at : n - 1;
}

/* The pixel nearest to it. */
O2C_UNUSED static int64_t o2c_resize_near(float at, float scale, int64_t n,
                                          int64_t nearest) {
  switch (nearest) {
  case O2C_RS_PREFER_FLOOR: at = ceilf(at - 0.5f); break;
  case O2C_RS_PREFER_CEIL: at = floorf(at + 0.5f); break;
  case O2C_RS_CEIL: at = ceilf(at); break;
  case O2C_RS_BY_SCALE: at = scale < 1.0f ? ceilf(at) : floorf(at); break;
  default: at = floorf(at);
  }
  return o2c_resize_clamp(at, n);
}

/* The weight of a pixel t away; cubic with coefficient a. */
O2C_UNUSED static double o2c_resize_weight(double t, int64_t cubic, double a) {
  t = fabs(t);
  if (!cubic) return t < 1 ? 1 - t : 0;
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}
#endif
