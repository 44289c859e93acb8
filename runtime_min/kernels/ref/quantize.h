/* SPDX-License-Identifier: 0BSD */
/* QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear.
 *
 * Tensors are [outer, n, inner]. Element (o, i, k) has the scale and the zero
 * point number o * so + i / block * sa + k * si: all 0 for one scale, sa = 1
 * for one per index of the axis, and so on for blocks along it. The type is
 * that of the quantised side; a zero point may be NULL. */
#if T_IS_INT || (T_IS_FLOAT && T_BITS <= 8)
/* What a division in half (16) or bfloat16 (17) sees and gives. */
O2C_UNUSED static float NAME(quantize_in)(float v, int64_t precision) {
  if (precision == 16) return o2c_f16_to_f32(o2c_f32_to_f16(v));
  if (precision == 17) return o2c_bf16_to_f32(o2c_f32_to_bf16(v));
  return v;
}

O2C_UNUSED static float NAME(quantize_ratio)(float x, float scale,
                                             int64_t precision) {
  return NAME(quantize_in)(
      NAME(quantize_in)(x, precision) / NAME(quantize_in)(scale, precision),
      precision);
}

O2C_UNUSED static T NAME(quantize_round)(float v, A zero, int64_t saturate) {
#if T_IS_INT
  float lo = (float)((int64_t)T_MIN - (int64_t)zero);
  float hi = (float)((int64_t)T_MAX - (int64_t)zero);
  (void)saturate;
  v = v > lo ? v : lo; /* not a number becomes the least */
  v = v < hi ? v : hi;
  return STORE((A)((int64_t)rintf(v) + (int64_t)zero));
#else
  (void)saturate; /* float4 always does */
  return STORE_MODE(v + zero, saturate != 0);
#endif
}

O2C_UNUSED static void NAME(quantize)(const float *x, const float *scale,
                                      const T *zero, T *y, int64_t outer,
                                      int64_t n, int64_t inner, int64_t block,
                                      int64_t so, int64_t sa, int64_t si,
                                      int64_t saturate, int64_t precision) {
  int64_t o, i, k;
  for (o = 0; o < outer; o++)
    for (i = 0; i < n; i++, x += inner, y += inner)
      for (k = 0; k < inner; k++) {
        int64_t at = o * so + i / block * sa + k * si;
        float v = NAME(quantize_ratio)(x[k], scale[at], precision);
        y[k] = NAME(quantize_round)(v, zero ? LOAD(zero[at]) : K(0), saturate);
      }
}

O2C_UNUSED static void NAME(dequantize)(const T *x, const float *scale,
                                        const T *zero, float *y, int64_t outer,
                                        int64_t n, int64_t inner, int64_t block,
                                        int64_t so, int64_t sa, int64_t si) {
  int64_t o, i, k;
  for (o = 0; o < outer; o++)
    for (i = 0; i < n; i++, x += inner, y += inner)
      for (k = 0; k < inner; k++) {
        int64_t at = o * so + i / block * sa + k * si;
#if T_IS_INT
        int64_t v = (int64_t)LOAD(x[k]);
        if (zero) v -= (int64_t)LOAD(zero[at]);
#else
        float v = LOAD(x[k]);
        if (zero) v -= LOAD(zero[at]);
#endif
        y[k] = (float)v * scale[at];
      }
}
#endif
#if T_IS_FLOAT && T_BITS == 32
/* Scale and zero point from the range of x, which is made to hold 0. */
O2C_UNUSED static void NAME(dynamic_quantize)(const float *x, uint8_t *y,
                                              float *scale, uint8_t *zero,
                                              int64_t n) {
  float lo = 0, hi = 0, zp;
  int64_t i;
  for (i = 0; i < n; i++) {
    if (x[i] < lo) lo = x[i];
    if (x[i] > hi) hi = x[i];
  }
  *scale = (hi - lo) / 255.0f;
  zp = *scale > 0 ? rintf(0 - lo / *scale) : 0;
  zp = zp > 0 ? zp : 0;
  *zero = (uint8_t)(zp < 255 ? zp : 255);
  for (i = 0; i < n; i++) {
    float v = *scale > 0 ? rintf(x[i] / *scale) + (float)*zero : 0;
    v = v > 0 ? v : 0;
    y[i] = (uint8_t)(v < 255 ? v : 255);
  }
}
#endif
