/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: svm_f32.h. */
#ifndef O2C_TEST_SVM_H
#define O2C_TEST_SVM_H
#include "../../runtime_min/kernels/svm_f32.h"

static double svm_dot(const float *a, const float *b, int64_t n)
{
  double s = 0.0;
  for (int64_t i = 0; i < n; i++)
    s += (double)(a[i] * b[i]);
  return s;
}

/* c classes of up to 40 vectors each, some of none. */
static void svm_check(int64_t n, int64_t c)
{
  int64_t start[12] = {0}, vectors;
  for (int64_t i = 0; i < c; i++)
    start[i + 1] = start[i] + rnd(41);
  vectors = start[c];
  const int64_t pairs = c * (c - 1) / 2;
  float *k = random_f32((size_t)(n * vectors));
  float *coef = random_f32((size_t)((c - 1) * vectors));
  float *rho = random_f32((size_t)pairs), *y = alloc_f32((size_t)(n * pairs));
  o2c_svc_scores_f32(k, coef, start, rho, y, n, c, vectors);
  for (int64_t r = 0, at = 0; r < n; r++)
    for (int64_t i = 0, pair = 0; i < c; i++)
      for (int64_t j = i + 1; j < c; j++, pair++, at++) {
        const float *row = k + r * vectors;
        const double want = (double)rho[pair] +
          svm_dot(coef + (j - 1) * vectors + start[i], row + start[i],
                  start[i + 1] - start[i]) +
          svm_dot(coef + i * vectors + start[j], row + start[j],
                  start[j + 1] - start[j]);
        if (!(fabs((double)y[at] - want) <= 1e-6 * fabs(want) + 1e-12))
          fail("svc_scores", "differs");
      }
  o2c_svr_scores_f32(k, coef, rho, y, n, vectors);
  for (int64_t r = 0; r < n; r++) {
    const double want = (double)rho[0] + svm_dot(coef, k + r * vectors,
                                                 vectors);
    if (!(fabs((double)y[r] - want) <= 1e-6 * fabs(want) + 1e-12))
      fail("svr_scores", "differs");
  }
  free(k), free(coef), free(rho), free(y);
}

static void test_o2c_svr_scores_f32(void)
{
  for (int i = 0; i < 40; i++)
    svm_check(1 + rnd(5), 2);
}

static void test_o2c_svc_scores_f32(void)
{
  for (int i = 0; i < 40; i++)
    svm_check(1 + rnd(5), 2 + rnd(9));
}

static void test_o2c_svc_votes(void)
{
  const float scores[] = {1, 1, 1, -1, -1, -1, 1, -1, 1, 0, 0, -1};
  const int64_t want[] = {0, 2, 0, 2};
  int64_t votes[3], y[4];
  o2c_svc_votes(scores, y, votes, 4, 3);
  if (memcmp(y, want, sizeof want))
    fail("svc_votes", "differs");
}

/* Probabilities of pairs that belong together give the classes' own, near
   enough; they add up to 1, and a row alone has the bits that it has here. */
static void shares_check(int64_t n, int64_t c)
{
  const int64_t pairs = c * (c - 1) / 2;
  float *scores = alloc_f32((size_t)(n * pairs)), *one = alloc_f32((size_t)c);
  float *room = alloc_f32((size_t)O2C_SVC_ROOM(c)), *y = alloc_f32((size_t)
    (n * c)), a[64], b[64], p[12];
  for (int64_t i = 0; i < pairs; i++)
    a[i] = -1.0f, b[i] = 0.0f;
  for (int64_t r = 0, at = 0; r < n; r++) {
    float *to = y + r * c, sum = 0.0f;
    for (int64_t i = 0; i < c; i++)
      sum += to[i] = 0.05f + (float)rnd(1000) * 1e-3f;
    for (int64_t i = 0; i < c; i++)
      to[i] /= sum;
    for (int64_t i = 0; i < c; i++)
      for (int64_t j = i + 1; j < c; j++)
        scores[at++] = logf(to[i] / to[j]);
  }
  float *got = alloc_f32((size_t)(n * c));
  o2c_svc_shares_f32(scores, a, b, got, room, n, c);
  for (int64_t r = 0; r < n; r++) {
    float sum = 0.0f;
    for (int64_t i = 0; i < c; i++) {
      sum += p[i] = got[r * c + i];
      if (!(fabsf(p[i] - y[r * c + i]) < 0.02f))
        fail("svc_shares", "differs");
    }
    if (!(fabsf(sum - 1.0f) < 1e-5f))
      fail("svc_shares", "sum");
    o2c_svc_shares_f32(scores + r * pairs, a, b, one, room, 1, c);
    if (!same(one, p, (size_t)c))
      fail("svc_shares", "other bits alone");
  }
  free(scores), free(one), free(room), free(y), free(got);
}

static void test_o2c_svc_shares_f32(void)
{
  for (int64_t n = 1; n < 40; n++)
    shares_check(n, 2 + rnd(9));
}
#endif
