/* SPDX-License-Identifier: 0BSD */
/* Support vector machines: what is no product of matrices. */
#if T_IS_FLOAT && T_BITS == 32
O2C_UNUSED static double o2c_svm_dot(const float *a, const float *b,
                                     int64_t n) {
  double sum[8] = {0};
  int64_t i;
  int l;
  for (i = 0; i + 8 <= n; i += 8)
    for (l = 0; l < 8; l++) sum[l] += (double)(a[i + l] * b[i + l]);
  for (l = 0; i < n; i++, l++) sum[l] += (double)(a[i] * b[i]);
  return ((sum[0] + sum[4]) + (sum[1] + sum[5])) +
         ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

/* y[r] = sum of coef k[r] + rho, in double: where all coefficients are above 0,
 * as those of one class are, rho takes most of the sum away again. */
O2C_UNUSED static void NAME(svr_scores)(const T *k, const T *coef, const T *rho,
                                        T *y, int64_t n, int64_t vectors) {
  int64_t r;
  for (r = 0; r < n; r++, k += vectors)
    y[r] = (T)(o2c_svm_dot(coef, k, vectors) + (double)*rho);
}

/* A score of each pair of classes, i before j. k: [n, vectors], the vectors of
 * class c from start[c] to start[c + 1]; coef: [classes - 1, vectors], those of
 * class c against class d in row d, or d - 1 where d > c. */
O2C_UNUSED static void NAME(svc_scores)(const T *k, const T *coef,
                                        const void *starts, const T *rho, T *y,
                                        int64_t n, int64_t classes,
                                        int64_t vectors) {
  const int64_t *start = (const int64_t *)starts;
  int64_t r, i, j;
  for (r = 0; r < n; r++, k += vectors) {
    const T *shift = rho;
    for (i = 0; i < classes; i++)
      for (j = i + 1; j < classes; j++) {
        const int64_t a = start[i], b = start[j];
        const double sum =
          o2c_svm_dot(coef + (j - 1) * vectors + a, k + a, start[i + 1] - a) +
          o2c_svm_dot(coef + i * vectors + b, k + b, start[j + 1] - b);
        *y++ = (T)(sum + (double)*shift++);
      }
  }
}

/* The class that wins most pairs, of several the first. */
O2C_UNUSED static void NAME(svc_votes)(const T *scores, void *y, void *votes,
                                       int64_t n, int64_t classes) {
  int64_t *top = (int64_t *)y, *vote = (int64_t *)votes, r, i, j;
  for (r = 0; r < n; r++) {
    for (i = 0; i < classes; i++) vote[i] = 0;
    for (i = 0; i < classes; i++)
      for (j = i + 1; j < classes; j++) vote[*scores++ > 0 ? i : j]++;
    top[r] = 0;
    for (i = 1; i < classes; i++)
      if (vote[i] > vote[top[r]]) top[r] = i;
  }
}

/* The probability of i against j (Platt): b and a are those of the pair. */
O2C_UNUSED static float o2c_svm_share(float score, float a, float b) {
  const float v = score * a + b, e = 1 / (1 + expf(-fabsf(v)));
  const float p = 1 - (v < 0 ? 1 - e : e);
  return p < 1e-7f ? 1e-7f : p > 1 - 1e-7f ? 1 - 1e-7f : p;
}

/* Probabilities of the classes from those of their pairs, r[i][j] that of i
 * against j: Wu, Lin and Weng (2004), second method, by its iteration. q and
 * qp are scratch. */
O2C_UNUSED static void o2c_svm_couple(const float *r, float *q, float *qp,
                                      float *p, int64_t c) {
  const float small = 0.005f / (float)c;
  int64_t i, j;
  int turn;
  for (i = 0; i < c; i++) {
    p[i] = 1 / (float)c;
    q[i * c + i] = 0;
    for (j = 0; j < c; j++) {
      if (j == i) continue;
      q[i * c + i] += r[j * c + i] * r[j * c + i];
      q[i * c + j] = -r[j * c + i] * r[i * c + j];
    }
  }
  for (turn = 0; turn < 100; turn++) {
    float pqp = 0, most = 0;
    for (i = 0; i < c; i++) {
      qp[i] = 0;
      for (j = 0; j < c; j++) qp[i] += q[i * c + j] * p[j];
      pqp += p[i] * qp[i];
    }
    for (i = 0; i < c; i++)
      if (fabsf(qp[i] - pqp) > most) most = fabsf(qp[i] - pqp);
    if (most < small) return;
    for (i = 0; i < c; i++) {
      const float d = (pqp - qp[i]) / q[i * c + i];
      p[i] += d;
      pqp = (pqp + d * (d * q[i * c + i] + 2 * qp[i])) / (1 + d) / (1 + d);
      for (j = 0; j < c; j++) {
        qp[j] = (qp[j] + d * q[i * c + j]) / (1 + d);
        p[j] /= 1 + d;
      }
    }
  }
}

/* scratch: 2 classes^2 + classes numbers. */
O2C_UNUSED static void NAME(svc_shares)(const T *scores, const T *a,
                                        const T *b, T *y, T *scratch, int64_t n,
                                        int64_t classes) {
  const int64_t c = classes;
  int64_t row, i, j;
  for (row = 0; row < n; row++, y += c) {
    int64_t pair = 0;
    for (i = 0; i < c; i++)
      for (j = i + 1; j < c; j++, pair++) {
        const float p = o2c_svm_share(*scores++, a[pair], b[pair]);
        scratch[i * c + j] = p;
        scratch[j * c + i] = 1 - p;
      }
    o2c_svm_couple(scratch, scratch + c * c, scratch + 2 * c * c, y, c);
  }
}
#endif
