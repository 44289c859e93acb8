/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c: products of one row with literal sizes. */
#include "../../runtime_min/kernels/dense_f32.h"

typedef struct { const float *x, *w, *bias; float *y; } Row;

#define DENSE_SHAPES(X) X(4, 16) X(16, 16) X(32, 64) X(64, 64) X(64, 8) \
  X(64, 10) X(128, 10) X(256, 2) X(16, 1)
#define LITERAL(kernel, k, n) \
  static void run_##kernel##_##k##_##n(void *arg) \
  { \
    Row *v = (Row *)arg; \
    o2c_##kernel##_f32(v->x, v->w, v->bias, NULL, v->y, k, n, 0.0f, \
                       INFINITY); \
  }
#define DENSE(k, n) LITERAL(dense, k, n) LITERAL(dots, k, n)
DENSE_SHAPES(DENSE)

static void bench_row(const char *name, void (*run)(void *), double work)
{
  const Row v = {floats(256), floats(8192), floats(64), floats(64)};
  const Job job = {run, (void *)(uintptr_t)&v, work, "GFLOP/s"};
  if (strstr(name, only))
    report(name, &job);
  free((void *)(uintptr_t)v.x);
  free((void *)(uintptr_t)v.w);
  free((void *)(uintptr_t)v.bias);
  free(v.y);
}

static void bench_o2c_dense_f32(void)
{
#define DENSE_BENCH(k, n) \
  bench_row("dense " #k ">" #n, run_dense_##k##_##n, 2.0 * k * n);
  DENSE_SHAPES(DENSE_BENCH)
#undef DENSE_BENCH
}

static void bench_o2c_dots_f32(void)
{
#define DENSE_BENCH(k, n) \
  bench_row("dots " #k ">" #n, run_dots_##k##_##n, 2.0 * k * n);
  DENSE_SHAPES(DENSE_BENCH)
#undef DENSE_BENCH
}
