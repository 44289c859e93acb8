/* SPDX-License-Identifier: 0BSD */
/* Normalisations. Statistics are of type A and taken in two passes: the mean,
 * then the squares of the distances from it. */
#if T_IS_FLOAT
/* x and y are [n, c, s]; scale, bias, mean and var have c elements. */
O2C_UNUSED static void NAME(batch_norm)(const T *x, const A *scale,
                                        const A *bias, const A *mean,
                                        const A *var, T *y, int64_t n,
                                        int64_t c, int64_t s, double epsilon) {
  int64_t i, f, j;
  for (i = 0; i < n; i++)
    for (f = 0; f < c; f++, x += s, y += s) {
      A by = scale[f] / M(sqrt)(var[f] + (A)epsilon);
      for (j = 0; j < s; j++)
        y[j] = STORE((LOAD(x[j]) - mean[f]) * by + bias[f]);
    }
}

/* Mean and variance (of the population) of each channel of [n, c, s]. */
O2C_UNUSED static void NAME(batch_stats)(const T *x, A *mean, A *var, int64_t n,
                                         int64_t c, int64_t s) {
  int64_t i, f, j;
  for (f = 0; f < c; f++) {
    A sum = 0, square = 0, m;
    for (i = 0; i < n; i++)
      for (j = 0; j < s; j++) sum += LOAD(x[(i * c + f) * s + j]);
    mean[f] = m = sum / (A)(n * s);
    for (i = 0; i < n; i++)
      for (j = 0; j < s; j++) {
        A d = LOAD(x[(i * c + f) * s + j]) - m;
        square += d * d;
      }
    var[f] = square / (A)(n * s);
  }
}

/* What training keeps: old * momentum + now * (1 - momentum). */
O2C_UNUSED static void NAME(batch_running)(const T *old, const A *now, T *y,
                                           int64_t c, double momentum) {
  int64_t f;
  for (f = 0; f < c; f++)
    y[f] = STORE(LOAD(old[f]) * (A)momentum + now[f] * (1 - (A)momentum));
}

/* Local response normalisation over `size` channels of [n, c, s]. */
O2C_UNUSED static void NAME(lrn)(const T *x, T *y, int64_t n, int64_t c,
                                 int64_t s, int64_t size, double alpha,
                                 double beta, double bias) {
  int64_t i, j, f, k;
  for (i = 0; i < n; i++, x += c * s, y += c * s)
    for (j = 0; j < s; j++)
      for (f = 0; f < c; f++) {
        int64_t end = f + size / 2 < c - 1 ? f + size / 2 : c - 1;
        A sum = 0;
        k = f - (size - 1) / 2;
        for (k = k > 0 ? k : 0; k <= end; k++)
          sum += LOAD(x[k * s + j]) * LOAD(x[k * s + j]);
        sum = (A)bias + (A)(alpha / (double)size) * sum;
        y[f * s + j] = STORE(LOAD(x[f * s + j]) / M(pow)(sum, (A)beta));
      }
}

/* Mean of n elements, and 1 / sqrt(variance + epsilon). */
O2C_UNUSED static A NAME(norm_stats)(const T *x, int64_t n, double epsilon,
                                     A *by) {
  A sum = 0, square = 0, mean;
  int64_t i;
  for (i = 0; i < n; i++) sum += LOAD(x[i]);
  mean = sum / (A)n;
  for (i = 0; i < n; i++) {
    A d = LOAD(x[i]) - mean;
    square += d * d;
  }
  *by = K(1) / M(sqrt)(square / (A)n + (A)epsilon);
  return mean;
}

/* Each of `groups` groups of channels of [n, c, s]; scale and bias for each
 * channel, or (per_group) for each group. InstanceNormalization: c groups. */
O2C_UNUSED static void NAME(group_norm)(const T *x, const T *scale,
                                        const T *bias, T *y, int64_t n,
                                        int64_t c, int64_t s, int64_t groups,
                                        int64_t per_group, double epsilon) {
  int64_t size = c / groups, i, g, f, j;
  for (i = 0; i < n; i++)
    for (g = 0; g < groups; g++) {
      A by, mean = NAME(norm_stats)(x, size * s, epsilon, &by);
      for (f = g * size; f < (g + 1) * size; f++, x += s, y += s) {
        A a = LOAD(scale[per_group ? g : f]);
        A b = LOAD(bias[per_group ? g : f]);
        for (j = 0; j < s; j++)
          y[j] = STORE((LOAD(x[j]) - mean) * by * a + b);
      }
    }
}

/* Rows of `count` elements of a shape of `rank` axes; ss and bs are the
 * strides of scale and bias along them, 0 to broadcast. bias, means and
 * inverses may be NULL. */
O2C_UNUSED static void NAME(layer_norm)(const T *x, const T *scale,
                                        const T *bias, T *y, A *means,
                                        A *inverses, int64_t rows,
                                        int64_t count, int64_t rank,
                                        const int64_t *dim, const int64_t *ss,
                                        const int64_t *bs, double epsilon) {
  int64_t i, j;
  for (i = 0; i < rows; i++, x += count, y += count) {
    A by, mean = NAME(norm_stats)(x, count, epsilon, &by);
    for (j = 0; j < count; j++) {
      A v = (LOAD(x[j]) - mean) * by;
      v *= LOAD(scale[o2c_offset(i * count + j, rank, dim, ss)]);
      if (bias) v += LOAD(bias[o2c_offset(i * count + j, rank, dim, bs)]);
      y[j] = STORE(v);
    }
    if (means) means[i] = mean;
    if (inverses) inverses[i] = by;
  }
}

O2C_UNUSED static void NAME(rms_norm)(const T *x, const T *scale, T *y,
                                      int64_t rows, int64_t count,
                                      int64_t rank, const int64_t *dim,
                                      const int64_t *ss, double epsilon) {
  int64_t i, j;
  for (i = 0; i < rows; i++, x += count, y += count) {
    A square = 0, root;
    for (j = 0; j < count; j++) square += LOAD(x[j]) * LOAD(x[j]);
    root = M(sqrt)(square / (A)count + (A)epsilon);
    for (j = 0; j < count; j++)
      y[j] = STORE(LOAD(x[j]) / root *
                   LOAD(scale[o2c_offset(i * count + j, rank, dim, ss)]));
  }
}

/* The middle of [outer, n, inner] divided by its norm; 0 where that is 0. */
O2C_UNUSED static void NAME(lp_norm)(const T *x, T *y, int64_t outer, int64_t n,
                                     int64_t inner, int64_t p) {
  int64_t o, i, k;
  for (o = 0; o < outer; o++, x += n * inner, y += n * inner)
    for (k = 0; k < inner; k++) {
      A sum = 0;
      for (i = 0; i < n; i++) {
        A v = LOAD(x[i * inner + k]);
        sum += p == 1 ? M(fabs)(v) : v * v;
      }
      if (p == 2) sum = M(sqrt)(sum);
      for (i = 0; i < n; i++) {
        A v = LOAD(x[i * inner + k]);
        y[i * inner + k] = STORE(sum == 0 ? K(0) : v / sum);
      }
    }
}

/* MeanVarianceNormalization: the axes of x as reduce.h has them. */
O2C_UNUSED static void NAME(mean_variance)(const T *x, T *y, int64_t kept,
                                           int64_t gone, const int64_t *kd,
                                           const int64_t *ks, const int64_t *gd,
                                           const int64_t *gs) {
  int64_t count = o2c_numel(kept, kd), n = o2c_numel(gone, gd), o, i;
  for (o = 0; o < count; o++) {
    int64_t at = o2c_offset(o, kept, kd, ks);
    A sum = 0, square = 0, mean;
    for (i = 0; i < n; i++) sum += LOAD(x[at + o2c_offset(i, gone, gd, gs)]);
    mean = sum / (A)n;
    for (i = 0; i < n; i++) {
      A d = LOAD(x[at + o2c_offset(i, gone, gd, gs)]) - mean;
      square += d * d;
    }
    square = M(sqrt)(square / (A)n) + K(1e-9);
    for (i = 0; i < n; i++) {
      int64_t e = at + o2c_offset(i, gone, gd, gs);
      y[e] = STORE((LOAD(x[e]) - mean) / square);
    }
  }
}
#endif
