/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c: products of one row, whose order of sums dense_f32.h
   states: by chains, added in pairs; dots lane by lane, then half to half. */
#include "../../runtime_min/kernels/dense_f32.h"

typedef void DenseKernel(const float *x, const float *w, const float *bias,
                         const float *r, float *y, int k, int n, float lo,
                         float hi);

static int dense_chains(int vectors)
{
  return vectors > 4 ? 1 : vectors > 2 ? 2 : 4;
}

static float dense_pairs(const float s[4], int chains)
{
  return chains == 1 ? s[0] : chains == 2 ? s[0] + s[1]
                            : (s[0] + s[1]) + (s[2] + s[3]);
}

/* What column j of dense sums; w is [k][n] here. */
static float dense_ref(const float *x, const float *w, float bias, int k,
                       int n, int j)
{
  const int step = 8 * O2C_LANES, left = n - j / step * step;
  const int chains = left >= step ? 1
    : dense_chains((left + O2C_LANES - 1) / O2C_LANES);
  float s[4] = {bias, 0.0f, 0.0f, 0.0f};
  for (int i = 0; i < k; i++)
    s[i % chains] = O2C_FMAF(x[i], w[i * n + j], s[i % chains]);
  return dense_pairs(s, chains);
}

static float dots_ref(const float *x, const float *w, float bias, int k, int n,
                      int j)
{
  const int left = n - j / 8 * 8, chains = left >= 8 ? 1 : dense_chains(left);
  float lane[O2C_LANES];
  (void)n;
  for (int l = 0; l < O2C_LANES; l++) {
    float s[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int i = l, t = 0; i < k; i += O2C_LANES, t++)
      s[t % chains] = O2C_FMAF(x[i], w[i * n + j], s[t % chains]);
    lane[l] = dense_pairs(s, chains);
  }
  for (int half = O2C_LANES / 2; half > 0; half /= 2)
    for (int l = 0; l < half; l++)
      lane[l] = lane[l] + lane[l + half];
  return lane[0] + bias;
}

/* As the compiler packs w; exactly as large. */
static float *dense_pack(const float *w, int k, int n, int dots)
{
  const size_t size = (size_t)(dots ? n : (n + 15) / 16 * 16) * (size_t)k;
  float *to = alloc_f32(size);
  memset(to, 0, size * sizeof *to);
  for (int i = 0; i < k; i++)
    for (int j = 0; j < n; j++)
      to[dots ? j * k + i : (j / 16 * k + i) * 16 + j % 16] = w[i * n + j];
  return to;
}

static void dense_check(DenseKernel *kernel, int k, int n, int dots)
{
  float *x = random_f32((size_t)k), *w = random_f32((size_t)(k * n));
  float *bias = rnd(4) ? random_f32((size_t)n) : NULL;
  float *r = rnd(2) ? random_f32((size_t)n) : NULL;
  float *y = random_f32((size_t)n), *want = alloc_f32((size_t)n);
  float *packed = dense_pack(w, k, n, dots);
  const float lo = rnd(2) ? 0.0f : -INFINITY, hi = rnd(2) ? 1.5f : INFINITY;
  char name[64];
  if (rnd(4) == 0)
    x[rnd((uint32_t)k)] = rnd(2) ? NAN : INFINITY;
  for (int j = 0; j < n; j++) {
    const float b = bias ? bias[j] : 0.0f;
    float s = dots ? dots_ref(x, w, b, k, n, j) : dense_ref(x, w, b, k, n, j);
    s = r ? s + r[j] : s;
    want[j] = clamp_ref(s, lo, hi);
  }
  snprintf(name, sizeof name, "%s k %d n %d", dots ? "dots" : "dense", k, n);
  kernel(x, packed, bias, r, y, k, n, lo, hi);
  if (!same(want, y, (size_t)n))
    fail(name, "differs from the chains");
  if (r) {
    kernel(x, packed, bias, r, r, k, n, lo, hi);
    if (!same(want, r, (size_t)n))
      fail(name, "differs where y is r");
  }
  free(x);
  free(w);
  free(bias);
  free(r);
  free(y);
  free(want);
  free(packed);
}

/* Sizes that are literals, as in a model's code, next to any others. */
#define DENSE_SHAPES(X) X(4, 16) X(16, 16) X(64, 64) X(32, 64) X(64, 8) \
  X(17, 10) X(5, 33) X(3, 200) X(81, 20) X(40, 7) X(100, 5)
#define LITERAL(kernel, k, n) \
  static void kernel##_##k##_##n(const float *x, const float *w, \
    const float *bias, const float *r, float *y, int any, int other, \
    float lo, float hi) \
  { \
    (void)any, (void)other; \
    o2c_##kernel##_f32(x, w, bias, r, y, k, n, lo, hi); \
  }
#define DENSE(k, n) LITERAL(dense, k, n) LITERAL(dots, k, n)
DENSE_SHAPES(DENSE)

static void test_o2c_dense_f32(void)
{
  for (int n = 1; n <= 150; n++)
    dense_check(o2c_dense_f32, 1 + (int)rnd(40), n, 0);
#define DENSE_CHECK(k, n) dense_check(dense_##k##_##n, k, n, 0);
  DENSE_SHAPES(DENSE_CHECK)
#undef DENSE_CHECK
}

static void test_o2c_dots_f32(void)
{
  for (int k = 1; k <= 150; k++)
    dense_check(o2c_dots_f32, k, 1 + (int)rnd(20), 1);
#define DENSE_CHECK(k, n) dense_check(dots_##k##_##n, k, n, 1);
  DENSE_SHAPES(DENSE_CHECK)
#undef DENSE_CHECK
}
