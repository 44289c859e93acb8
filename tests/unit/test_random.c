/* SPDX-License-Identifier: Apache-2.0 */
/* The draws of kernels/ref/random.h: the generator against its authors' test
 * vector, distributions by chi-square, Kolmogorov-Smirnov and moments over 2^18
 * draws, and that a draw depends on key and element number alone. Bounds are
 * five standard deviations, and the draws the same on every run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ir.h"
#include "o2c.h"
#include "o2ctest.h"

enum { MANY = 1 << 18, BINS = 256 };
static double f64[MANY];
static float f32[MANY];
static uint16_t f16[MANY];
static double v[MANY];

static void draw(const char *kernel, Dtype t, void *y, int64_t n, int64_t key,
                 double a, double b)
{
  int status = 0;
  RefArgs r = {{y}, {n, key}, {0}, {a, b}};
  CHECK(ref_run(kernel, t, &r, &status) && !status);
}

/* Draws of a type as doubles in v. */
static void draws(const char *kernel, Dtype t, int64_t key, double a, double b)
{
  if (t == DT_F64) {
    draw(kernel, t, f64, MANY, key, a, b);
    memcpy(v, f64, sizeof f64);
  } else if (t == DT_F32) {
    draw(kernel, t, f32, MANY, key, a, b);
    for (int i = 0; i < MANY; i++) v[i] = (double)f32[i];
  } else {
    Tensor x = {.dtype = t, .n = MANY, .data = f16};
    draw(kernel, t, f16, MANY, key, a, b);
    for (int i = 0; i < MANY; i++) v[i] = tensor_f64(&x, i);
  }
}

static void moments(double mean, double deviation)
{
  double sum = 0, square = 0;
  for (int i = 0; i < MANY; i++) {
    sum += v[i];
    square += (v[i] - mean) * (v[i] - mean);
  }
  CHECK(fabs(sum / MANY - mean) < 5 * deviation / sqrt(MANY));
  CHECK(fabs(square / MANY / (deviation * deviation) - 1) <
        5 * sqrt(2.0 / MANY));
}

static double chi_square(const int64_t *count, const double *want, int bins)
{
  double sum = 0;
  for (int i = 0; i < bins; i++)
    sum += ((double)count[i] - want[i]) * ((double)count[i] - want[i]) /
           want[i];
  return sum;
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorts v; 1.95 / sqrt(n) is passed by one in a thousand. */
static void kolmogorov(double (*below)(double))
{
  double most = 0;
  qsort(v, MANY, sizeof *v, by_value);
  for (int i = 0; i < MANY; i++) {
    double d = fabs(below(v[i]) - (i + 0.5) / MANY);
    most = d > most ? d : most;
  }
  CHECK(most < 1.95 / sqrt(MANY));
}

static double below_uniform(double x) { return (x + 3) / 5; }
static double below_normal(double x)
{
  return 0.5 * erfc(-(x - 4) / (0.5 * sqrt(2)));
}

/* kat_vectors of Random123: counter and key of zeros. */
static void test_generator(void)
{
  static const uint32_t want[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c,
                                   0x9b00dbd8};
  draw("random_uniform", DT_F32, f32, 4, 0, 0, 1);
  for (int i = 0; i < 4; i++)
    CHECK((double)f32[i] == (want[i] >> 8) / 16777216.0);
  draw("random_uniform", DT_F64, f64, 2, 0, 0, 1);
  CHECK(f64[1] == (double)(((uint64_t)want[2] << 32 | want[3]) >> 11) /
                    9007199254740992.0);
}

static void test_uniform(void)
{
  static const Dtype type[] = {DT_F64, DT_F32, DT_F16, DT_BF16};
  double want[BINS];
  for (int i = 0; i < BINS; i++) want[i] = (double)MANY / BINS;
  for (int t = 0; t < COUNT(type); t++) {
    int64_t count[BINS] = {0}, pair[BINS] = {0};
    draws("random_uniform", type[t], 17 + t, 0, 1);
    for (int i = 0; i < MANY; i++) {
      CHECK(v[i] >= 0 && v[i] < 1);
      count[(int)(v[i] * BINS)]++;
      if (i) pair[(int)(v[i] * 16) * 16 + (int)(v[i - 1] * 16)]++;
    }
    CHECK(chi_square(count, want, BINS) < 255 + 5 * sqrt(2 * 255));
    CHECK(chi_square(pair, want, BINS) < 255 + 5 * sqrt(2 * 255));
    if (t > 1) continue;
    draws("random_uniform", type[t], 5, -3, 2);
    moments(-0.5, 5 / sqrt(12));
    kolmogorov(below_uniform);
  }
}

static void test_normal(void)
{
  static const Dtype type[] = {DT_F64, DT_F32, DT_F16};
  for (int t = 0; t < COUNT(type); t++) {
    double fourth = 0, beside = 0;
    draws("random_normal", type[t], 99, 4, 0.5);
    moments(4, 0.5);
    for (int i = 0; i < MANY; i++) {
      double z = (v[i] - 4) / 0.5;
      fourth += z * z * z * z;
      if (i) beside += z * (v[i - 1] - 4) / 0.5;
    }
    CHECK(fabs(fourth / MANY - 3) < 5 * sqrt(96.0 / MANY));
    CHECK(fabs(beside / MANY) < 5 / sqrt(MANY));
    if (type[t] != DT_F16) kolmogorov(below_normal);
  }
}

static void test_bernoulli(void)
{
  static const float p[] = {0, 0.01f, 0.3f, 0.5f, 0.97f, 1};
  static uint8_t hit[MANY];
  for (int k = 0; k < COUNT(p); k++) {
    int64_t sum = 0;
    int status = 0;
    double q = (double)p[k];
    for (int i = 0; i < MANY; i++) f32[i] = p[k];
    RefArgs r = {{f32, hit}, {MANY, 3, 1, 1}, {0}, {0}};
    CHECK(ref_run("bernoulli", DT_F32, &r, &status));
    for (int i = 0; i < MANY; i++) sum += hit[i];
    CHECK(fabs((double)sum / MANY - q) <= 5 * sqrt(q * (1 - q) / MANY));
  }
}

static void test_multinomial(void)
{
  static const float logit[5] = {0, 1, -INFINITY, 2, -1};
  static int32_t y[MANY];
  static double room[5];
  double want[4], total = 0;
  int64_t count[5] = {0}, some[4];
  int status = 0;
  RefArgs r = {{(void *)(uintptr_t)logit, y, room}, {1, 5, MANY, 7, 4}, {0},
               {0}};
  CHECK(ref_run("multinomial", DT_F32, &r, &status) && !status);
  for (int i = 0; i < MANY; i++)
    if (CHECK(y[i] >= 0 && y[i] < 5)) count[y[i]]++;
  CHECK(count[2] == 0);
  for (int i = 0, k = 0; i < 5; i++)
    if (i != 2) {
      some[k] = count[i];
      total += want[k++] = exp((double)logit[i]);
    }
  for (int k = 0; k < 4; k++) want[k] *= MANY / total;
  CHECK(chi_square(some, want, 4) < 3 + 5 * sqrt(6));
  static const float none[2] = {-INFINITY, -INFINITY};
  RefArgs bad = {{(void *)(uintptr_t)none, y, room}, {1, 2, 1, 7, 4}, {0}, {0}};
  CHECK(ref_run("multinomial", DT_F32, &bad, &status) && status);
}

/* A shorter tensor begins like a longer one; another key draws otherwise. */
static void test_key(void)
{
  static float other[1001];
  int same = 0;
  draw("random_normal", DT_F32, f32, 2000, 12, 0, 1);
  draw("random_normal", DT_F32, other, 1001, 12, 0, 1);
  CHECK(!memcmp(f32, other, sizeof other));
  draw("random_normal", DT_F32, other, 1001, 13, 0, 1);
  for (int i = 0; i < 1001; i++) same += f32[i] == other[i];
  CHECK(same < 3);
}

int main(void)
{
  test_generator();
  test_uniform();
  test_normal();
  test_bernoulli();
  test_multinomial();
  test_key();
  return test_end();
}
