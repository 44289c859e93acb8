/* SPDX-License-Identifier: 0BSD */
/* What elementwise expressions need beside math.h and math_f32.h: the same
 * function for float (its name ends in f) and double. Those of float have no
 * branches, so that loops over them become vector code. */
#ifndef O2C_EW_MATH_H
#define O2C_EW_MATH_H
#include "ref/base.h"
#include "math_f32.h"
#include "trig_f32.h"

/* NaN in any operand gives NaN, as ONNX Max-13 has it. */
O2C_UNUSED static float o2c_minf(float a, float b) {
  return a <= b || a != a ? a : b;
}
O2C_UNUSED static double o2c_min(double a, double b) {
  return a <= b || a != a ? a : b;
}
O2C_UNUSED static float o2c_maxf(float a, float b) {
  return a >= b || a != a ? a : b;
}
O2C_UNUSED static double o2c_max(double a, double b) {
  return a >= b || a != a ? a : b;
}
O2C_UNUSED static float o2c_clampf(float v, float lo, float hi) {
  v = v < lo ? lo : v;
  return v > hi ? hi : v;
}
O2C_UNUSED static double o2c_clamp(double v, double lo, double hi) {
  v = v < lo ? lo : v;
  return v > hi ? hi : v;
}

/* log(1 + exp(v)) */
O2C_UNUSED static double o2c_softplus(double v) {
  double tail = log1p(exp(v < 0.0 ? v : -v));
  return v < 0.0 ? tail : v + tail;
}

O2C_UNUSED static double o2c_exp(double v) { return exp(v); }
O2C_UNUSED static double o2c_expm1(double v) { return expm1(v); }
O2C_UNUSED static double o2c_log(double v) { return log(v); }
O2C_UNUSED static double o2c_sin(double v) { return sin(v); }
O2C_UNUSED static double o2c_cos(double v) { return cos(v); }
O2C_UNUSED static double o2c_erf(double v) { return erf(v); }
O2C_UNUSED static double o2c_tanh(double v) { return tanh(v); }
/* By exp of what is not positive, so that nothing overflows. */
O2C_UNUSED static double o2c_sigmoid(double v) {
  double e = exp(v < 0.0 ? v : -v);
  return (v < 0.0 ? e : 1.0) / (1.0 + e);
}
O2C_UNUSED static double o2c_swish(double v, double a) {
  double s = o2c_sigmoid(a * v);
  return s == 0.0 ? 0.0 : v * s;
}
O2C_UNUSED static double o2c_gelu(double v) {
  return v == -INFINITY ? 0.0 : 0.5 * v * erfc(v * -0.70710678118654752440);
}
O2C_UNUSED static double o2c_gelu_tanh(double v) {
  double s = o2c_sigmoid(1.5957691216057307 * (v + 0.044715 * v * v * v));
  return s == 0.0 ? 0.0 : v * s;
}
O2C_UNUSED static double o2c_mish(double v) {
  double e = exp(v < 20.0 ? v : 20.0), n = e * (e + 2.0);
  return n == 0.0 ? 0.0 : v * (n / (n + 2.0));
}

/* The remainder with the sign of the divisor, ONNX Mod-28 with fmod = 0. */
O2C_UNUSED static double o2c_mod(double a, double b) {
  double r = fmod(a, b);
  if (r == 0.0) return b < 0.0 ? -0.0 : 0.0;
  return (r < 0.0) != (b < 0.0) ? r + b : r;
}
O2C_UNUSED static float o2c_modf(float a, float b) {
  float r = fmodf(a, b);
  if (r == 0.0f) return b < 0.0f ? -0.0f : 0.0f;
  return (r < 0.0f) != (b < 0.0f) ? r + b : r;
}

O2C_UNUSED static int o2c_str_equal(o2c_str a, o2c_str b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* Wraps; a negative exponent leaves 0, except of 1 and -1. */
O2C_UNUSED static int64_t o2c_powi(int64_t base, int64_t e) {
  uint64_t r = 1, b = (uint64_t)base;
  if (e < 0) return base == 1 ? 1 : base != -1 ? 0 : e & 1 ? -1 : 1;
  for (; e; e >>= 1) {
    if (e & 1) r *= b;
    b *= b;
  }
  return (int64_t)r;
}
#endif
