/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: distance_f32.h. */
#ifndef O2C_BENCH_DISTANCE_H
#define O2C_BENCH_DISTANCE_H
#include "../../runtime_min/kernels/distance_f32.h"

typedef struct { float *x, *v, *y, *room; int64_t n; int packed; } Rows;

static void run_distance(void *arg)
{
  Rows *r = (Rows *)arg;
  if (r->packed)
    o2c_distance_f32(r->x, r->v, r->y, r->n, 440, 30, 440, 2);
  else
    o2c_distance_rows_f32(r->x, r->v, r->y, r->room, r->n, 440, 30, 2);
}

/* One row and 1,000 of them, from 440 of 30 features. */
static void bench_distance(const char *what, int packed)
{
  for (int64_t n = 1; n <= 1000; n += 999) {
    Rows r = {floats(30000), floats(448 * 30), floats(440000), floats(448 * 30),
              n, packed};
    const Job job = {run_distance, &r, 3.0 * 440 * 30 * (double)n, "GFLOP/s"};
    char text[64];
    snprintf(text, sizeof text, "%s of %d", what, (int)n);
    if (strstr(text, only))
      report(text, &job);
  }
}

static void bench_o2c_distance_f32(void)
{
  bench_distance("distance", 1);
}

static void bench_o2c_distance_rows_f32(void)
{
  bench_distance("distance, packing", 0);
}
#endif
