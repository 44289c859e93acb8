/* SPDX-License-Identifier: 0BSD */
/* Scores of support vector machines, from the kernels k [n][vectors] of rows
   with support vectors.

     static void o2c_svr_scores_f32(const float *k, const float *coef,
       const float *rho, float *y, int64_t n, int64_t vectors);

   y[r] = sum of coef k[r] + rho.

     static void o2c_svc_scores_f32(const float *k, const float *coef,
       const int64_t *start, const float *rho, float *y, int64_t n,
       int64_t classes, int64_t vectors);

   A score of each pair of classes, i before j. The vectors of class c go from
   start[c] to start[c + 1]; coef is [classes - 1][vectors], those of class c
   against class d in row d, or d - 1 where d > c.

     static void o2c_svc_votes(const float *scores, int64_t *y, int64_t *votes,
                               int64_t n, int64_t classes);

   The class that wins most pairs, of several the first; votes is scratch of
   `classes`.

     static void o2c_svc_shares_f32(const float *scores, const float *a,
       const float *b, float *y, float *room, int64_t n, int64_t classes);

   Probabilities of the classes: those of pairs (Platt), coupled by the second
   method of Wu, Lin and Weng (2004). Rows are lanes; one that has converged
   stays as it is, so that its bits do not depend on its neighbours. room is
   O2C_SVC_ROOM(classes) floats.

   Products are floats, sums are doubles: where all coefficients have one sign,
   rho takes most of the sum away again. The order of a sum depends on how many
   vectors there are alone. */
#ifndef O2C_SVM_F32_H
#define O2C_SVM_F32_H

#include "math_f32.h"

/* The two halves of a vector as doubles. */
#if defined(O2C_AVX512)
typedef __m512d o2c_vd;
#define O2C_VD_ZERO() _mm512_setzero_pd()
#define O2C_VD_ADD(a, b) _mm512_add_pd((a), (b))
#define O2C_VD_LOW(v) _mm512_cvtps_pd(_mm512_castps512_ps256(v))
#define O2C_VD_HIGH(v) _mm512_cvtps_pd(_mm256_castpd_ps( \
  _mm512_extractf64x4_pd(_mm512_castps_pd(v), 1)))
#define O2C_VD_PUT(p, v) _mm512_storeu_pd((p), (v))
#define O2C_VD_LANES 8
#elif defined(O2C_AVX2)
typedef __m256d o2c_vd;
#define O2C_VD_ZERO() _mm256_setzero_pd()
#define O2C_VD_ADD(a, b) _mm256_add_pd((a), (b))
#define O2C_VD_LOW(v) _mm256_cvtps_pd(_mm256_castps256_ps128(v))
#define O2C_VD_HIGH(v) _mm256_cvtps_pd(_mm256_extractf128_ps((v), 1))
#define O2C_VD_PUT(p, v) _mm256_storeu_pd((p), (v))
#define O2C_VD_LANES 4
#elif defined(O2C_SSE2)
typedef __m128d o2c_vd;
#define O2C_VD_ZERO() _mm_setzero_pd()
#define O2C_VD_ADD(a, b) _mm_add_pd((a), (b))
#define O2C_VD_LOW(v) _mm_cvtps_pd(v)
#define O2C_VD_HIGH(v) _mm_cvtps_pd(_mm_movehl_ps((v), (v)))
#define O2C_VD_PUT(p, v) _mm_storeu_pd((p), (v))
#define O2C_VD_LANES 2
#elif defined(O2C_NEON)
typedef float64x2_t o2c_vd;
#define O2C_VD_ZERO() vdupq_n_f64(0.0)
#define O2C_VD_ADD(a, b) vaddq_f64((a), (b))
#define O2C_VD_LOW(v) vcvt_f64_f32(vget_low_f32(v))
#define O2C_VD_HIGH(v) vcvt_f64_f32(vget_high_f32(v))
#define O2C_VD_PUT(p, v) vst1q_f64((p), (v))
#define O2C_VD_LANES 2
#else
typedef double o2c_vd;
#define O2C_VD_ZERO() 0.0
#define O2C_VD_ADD(a, b) ((a) + (b))
#define O2C_VD_LOW(v) ((double)(v))
#define O2C_VD_HIGH(v) 0.0
#define O2C_VD_PUT(p, v) (*(p) = (v))
#define O2C_VD_LANES 1
#endif

typedef struct { o2c_vd low, high; } o2c_svm_sum;

/* Adds a[i] b[i]. */
O2C_INLINE o2c_svm_sum o2c_svm_add(o2c_svm_sum s, const float *a,
                                   const float *b, ptrdiff_t n)
{
  const ptrdiff_t whole = n - n % O2C_LANES;
  for (ptrdiff_t i = 0; i < whole; i += O2C_LANES) {
    const o2c_v p = o2c_vmul(o2c_vld(a + i), o2c_vld(b + i));
    s.low = O2C_VD_ADD(s.low, O2C_VD_LOW(p));
    s.high = O2C_VD_ADD(s.high, O2C_VD_HIGH(p));
  }
  if (whole < n) {
    const int left = (int)(n - whole);
    const o2c_v p = o2c_vmul(o2c_vld_n(a + whole, left),
                             o2c_vld_n(b + whole, left));
    s.low = O2C_VD_ADD(s.low, O2C_VD_LOW(p));
    s.high = O2C_VD_ADD(s.high, O2C_VD_HIGH(p));
  }
  return s;
}

O2C_INLINE double o2c_svm_total(o2c_svm_sum s)
{
  double lane[O2C_VD_LANES];
  O2C_VD_PUT(lane, O2C_VD_ADD(s.low, s.high));
  for (int half = O2C_VD_LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++)
      lane[i] += lane[i + half];
  return lane[0];
}

O2C_UNUSED static void o2c_svr_scores_f32(const float *k, const float *coef,
                                          const float *rho, float *y, int64_t n,
                                          int64_t vectors)
{
  const o2c_svm_sum none = {O2C_VD_ZERO(), O2C_VD_ZERO()};
  for (int64_t r = 0; r < n; r++, k += vectors)
    y[r] = (float)(o2c_svm_total(o2c_svm_add(none, coef, k,
                                             (ptrdiff_t)vectors)) +
                   (double)*rho);
}

O2C_UNUSED static void o2c_svc_scores_f32(const float *k, const float *coef,
                                          const int64_t *start,
                                          const float *rho, float *y, int64_t n,
                                          int64_t classes, int64_t vectors)
{
  const o2c_svm_sum none = {O2C_VD_ZERO(), O2C_VD_ZERO()};
  for (int64_t r = 0; r < n; r++, k += vectors) {
    const float *shift = rho;
    for (int64_t i = 0; i < classes; i++)
      for (int64_t j = i + 1; j < classes; j++) {
        const int64_t a = start[i], b = start[j];
        o2c_svm_sum s = o2c_svm_add(none, coef + (j - 1) * vectors + a, k + a,
                                    (ptrdiff_t)(start[i + 1] - a));
        s = o2c_svm_add(s, coef + i * vectors + b, k + b,
                        (ptrdiff_t)(start[j + 1] - b));
        *y++ = (float)(o2c_svm_total(s) + (double)*shift++);
      }
  }
}

O2C_UNUSED static void o2c_svc_votes(const float *scores, int64_t *y,
                                     int64_t *votes, int64_t n, int64_t classes)
{
  for (int64_t r = 0; r < n; r++) {
    int64_t top = 0;
    for (int64_t i = 0; i < classes; i++)
      votes[i] = 0;
    for (int64_t i = 0; i < classes; i++)
      for (int64_t j = i + 1; j < classes; j++) {
        const int64_t won = *scores++ > 0.0f;
        votes[i] += won;
        votes[j] += 1 - won;
      }
    for (int64_t i = 1; i < classes; i++)
      top = votes[i] > votes[top] ? i : top;
    y[r] = top;
  }
}

#define O2C_SVC_LANES 16
/* r, q: [classes][classes]; qp, p: [classes]; each of the lanes. */
#define O2C_SVC_ROOM(classes) \
  ((2 * (classes) * (classes) + 2 * (classes)) * O2C_SVC_LANES)

/* The probability of i against j: b and a are those of the pair. */
O2C_INLINE float o2c_svc_platt(float score, float a, float b)
{
  const float v = score * a + b, e = 1.0f / (1.0f + o2c_expf(-fabsf(v)));
  const float p = 1.0f - (v < 0.0f ? 1.0f - e : e);
  return p < 1e-7f ? 1e-7f : p > 1.0f - 1e-7f ? 1.0f - 1e-7f : p;
}

/* Apart, lest compilers keep the lanes of all of them in one frame.
   Of m rows, those of pairs into r; lanes beyond have those of the first. */
O2C_NOINLINE void o2c_svc_pairs(const float *scores, const float *a,
                                const float *b, float *r, int m, int64_t c)
{
  const int64_t pairs = c * (c - 1) / 2;
  int64_t pair = 0;
  for (int64_t i = 0; i < c; i++)
    for (int64_t j = i + 1; j < c; j++, pair++) {
      float *const won = r + (i * c + j) * O2C_SVC_LANES;
      float *const lost = r + (j * c + i) * O2C_SVC_LANES;
      for (int l = 0; l < O2C_SVC_LANES; l++)
        won[l] = scores[(l < m ? l : 0) * pairs + pair];
      for (int l = 0; l < O2C_SVC_LANES; l++) {
        won[l] = o2c_svc_platt(won[l], a[pair], b[pair]);
        lost[l] = 1.0f - won[l];
      }
    }
}

O2C_NOINLINE void o2c_svc_matrix(const float *r, float *q, float *p, int64_t c)
{
  const float first = 1.0f / (float)c;
  for (int64_t i = 0; i < c; i++) {
    float *const own = q + (i * c + i) * O2C_SVC_LANES;
    for (int l = 0; l < O2C_SVC_LANES; l++) {
      p[i * O2C_SVC_LANES + l] = first;
      own[l] = 0.0f;
    }
    for (int64_t j = 0; j < c; j++) {
      const float *const ji = r + (j * c + i) * O2C_SVC_LANES;
      const float *const ij = r + (i * c + j) * O2C_SVC_LANES;
      float *const to = q + (i * c + j) * O2C_SVC_LANES;
      for (int l = 0; l < O2C_SVC_LANES && j != i; l++) {
        own[l] += ji[l] * ji[l];
        to[l] = -ji[l] * ij[l];
      }
    }
  }
}

/* q p and p q p of each lane; on[l] becomes 0 where they agree. */
O2C_NOINLINE int o2c_svc_open(const float *q, float *qp, const float *p,
                              float *pqp, int32_t *on, int64_t c)
{
  const float small = 0.005f / (float)c;
  float most[O2C_SVC_LANES];
  int any = 0;
  for (int l = 0; l < O2C_SVC_LANES; l++)
    pqp[l] = most[l] = 0.0f;
  for (int64_t i = 0; i < c; i++) {
    float *const to = qp + i * O2C_SVC_LANES;
    for (int l = 0; l < O2C_SVC_LANES; l++)
      to[l] = 0.0f;
    for (int64_t j = 0; j < c; j++)
      for (int l = 0; l < O2C_SVC_LANES; l++)
        to[l] += q[(i * c + j) * O2C_SVC_LANES + l] *
                 p[j * O2C_SVC_LANES + l];
    for (int l = 0; l < O2C_SVC_LANES; l++)
      pqp[l] += p[i * O2C_SVC_LANES + l] * to[l];
  }
  for (int64_t i = 0; i < c; i++)
    for (int l = 0; l < O2C_SVC_LANES; l++) {
      const float d = fabsf(qp[i * O2C_SVC_LANES + l] - pqp[l]);
      most[l] = d > most[l] ? d : most[l];
    }
  for (int l = 0; l < O2C_SVC_LANES; l++) {
    on[l] &= !(most[l] < small);
    any |= on[l];
  }
  return any;
}

/* Class i of the lanes that are on. */
O2C_NOINLINE void o2c_svc_step(const float *q, float *qp, float *p, float *pqp,
                               const int32_t *on, int64_t i, int64_t c)
{
  const float *const row = q + i * c * O2C_SVC_LANES;
  float d[O2C_SVC_LANES], by[O2C_SVC_LANES];
  for (int l = 0; l < O2C_SVC_LANES; l++) {
    const float own = row[i * O2C_SVC_LANES + l];
    const float one = qp[i * O2C_SVC_LANES + l];
    d[l] = on[l] ? (pqp[l] - one) / own : 0.0f;
    by[l] = 1.0f + d[l];
    p[i * O2C_SVC_LANES + l] += d[l];
    pqp[l] = (pqp[l] + d[l] * (d[l] * own + 2.0f * one)) / by[l] / by[l];
  }
  for (int64_t j = 0; j < c; j++)
    for (int l = 0; l < O2C_SVC_LANES; l++) {
      const int64_t at = j * O2C_SVC_LANES + l;
      qp[at] = (qp[at] + d[l] * row[at]) / by[l];
      p[at] /= by[l];
    }
}

O2C_NOINLINE void o2c_svc_shares_f32(const float *scores, const float *a,
                                     const float *b, float *y, float *room,
                                     int64_t n, int64_t classes)
{
  const int64_t c = classes, pairs = c * (c - 1) / 2;
  float *const q = room + c * c * O2C_SVC_LANES;
  float *const qp = q + c * c * O2C_SVC_LANES, *const p = qp +
    c * O2C_SVC_LANES;
  for (int64_t r = 0; r < n; r += O2C_SVC_LANES) {
    const int m = (int)(n - r < O2C_SVC_LANES ? n - r : O2C_SVC_LANES);
    int32_t on[O2C_SVC_LANES];
    float pqp[O2C_SVC_LANES];
    o2c_svc_pairs(scores + r * pairs, a, b, room, m, c);
    o2c_svc_matrix(room, q, p, c);
    for (int l = 0; l < O2C_SVC_LANES; l++)
      on[l] = 1;
    for (int turn = 0; turn < 100 && o2c_svc_open(q, qp, p, pqp, on, c); turn++)
      for (int64_t i = 0; i < c; i++)
        o2c_svc_step(q, qp, p, pqp, on, i, c);
    for (int l = 0; l < m; l++)
      for (int64_t i = 0; i < c; i++)
        y[(r + l) * c + i] = p[i * O2C_SVC_LANES + l];
  }
}

#endif
