/* SPDX-License-Identifier: 0BSD */
/* NegativeLogLikelihoodLoss: x [n, c, s] holds log-probabilities, target
 * [n, s] (int32 or int64, `width` bytes) classes, weight [c] or NULL ones.
 * `reduction`: 0 gives y [n, s], 1 the sum, 2 the sum over that of the weights,
 * one element each. Targets equal to `ignore` (`ignoring`) count nothing; other
 * ones outside of the classes are O2C_E_DATA. Sums are of type double. */
#if T_IS_FLOAT
/* The class of element i; -1: not counted, -2: none. */
O2C_UNUSED static int64_t NAME(loss_class)(const void *target, int64_t i,
                                           int64_t width, int64_t ignoring,
                                           int64_t ignore, int64_t c) {
  int32_t small;
  int64_t at;
  if (width == 4) {
    memcpy(&small, (const char *)target + 4 * i, 4);
    at = small;
  } else {
    memcpy(&at, (const char *)target + 8 * i, 8);
  }
  if (ignoring && at == ignore) return -1;
  return at >= 0 && at < c ? at : -2;
}

O2C_UNUSED static o2c_status NAME(nll_loss)(
  const T *x, const void *target, const T *weight, T *y, int64_t width,
  int64_t ignoring, int64_t ignore, int64_t reduction, int64_t n, int64_t c,
  int64_t s) {
  double sum = 0, total = 0;
  int64_t i;
  for (i = 0; i < n * s; i++) {
    int64_t at = NAME(loss_class)(target, i, width, ignoring, ignore, c);
    A loss = 0, w = 0;
    if (at == -2) return O2C_E_DATA;
    if (at >= 0) {
      w = weight ? LOAD(weight[at]) : K(1);
      loss = -LOAD(x[(i / s * c + at) * s + i % s]) * w;
    }
    if (!reduction) y[i] = STORE(loss);
    sum += (double)loss;
    total += (double)w;
  }
  if (reduction) y[0] = STORE((A)(reduction == 2 ? sum / total : sum));
  return O2C_OK;
}
#endif
