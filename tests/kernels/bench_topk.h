/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: topk_f32.h, norms_f32.h. */
#ifndef O2C_BENCH_TOPK_H
#define O2C_BENCH_TOPK_H
#include "../../runtime_min/kernels/norms_f32.h"
#include "../../runtime_min/kernels/topk_f32.h"

typedef struct { float *x, *y; int64_t rows, n, k; int64_t at[1 << 14]; } Tops;

static void run_topk(void *arg)
{
  Tops *v = (Tops *)arg;
  o2c_topk_f32(v->x, v->y, v->at, v->rows, v->n, v->k, 0);
}

/* 1,000 rows: all of 10, and 5 of 400. */
static void bench_o2c_topk_f32(void)
{
  static Tops v;
  const Job job = {run_topk, &v, 1e3, "Grow/s"};
  v.rows = 1000;
  v.x = floats(400000), v.y = floats(10000);
  v.n = 10, v.k = 10;
  if (strstr("topk 10 of 10", only))
    report("topk 10 of 10", &job);
  v.n = 400, v.k = 5;
  if (strstr("topk 5 of 400", only))
    report("topk 5 of 400", &job);
}

static void run_norms(void *arg)
{
  Tops *v = (Tops *)arg;
  o2c_norms_f32(v->x, v->y, v->rows, v->n, 1, O2C_OF_LOG_SUM_EXP);
}

static void bench_o2c_norms_f32(void)
{
  static Tops v;
  const Job job = {run_norms, &v, 1e4, "Gelem/s"};
  v.rows = 1000, v.n = 10;
  v.x = floats(10000), v.y = floats(1000);
  if (strstr("log sum exp of 10", only))
    report("log sum exp of 10", &job);
}
#endif
