/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: recurrent_f32.h. */
#ifndef O2C_BENCH_RECURRENT_H
#define O2C_BENCH_RECURRENT_H
#include "../../runtime_min/kernels/recurrent_f32.h"

typedef struct { float *x, *r, *y, *work; o2c_recurrent_f32_p p; } RecurRun;

static void run_recurrent(void *arg)
{
  RecurRun *v = (RecurRun *)arg;
  o2c_recurrent_f32(v->x, v->r, NULL, NULL, NULL, NULL, v->y, NULL, NULL,
                    v->work, &v->p);
}

/* 50 steps of one row, 128 hidden. */
static void bench_o2c_recurrent_f32(void)
{
  static const char *const names[] = {"RNN 50 steps, 128", "GRU 50 steps, 128",
                                      "LSTM 50 steps, 128"};
  static const int gates[] = {1, 3, 4};
  for (int kind = 0; kind < 3; kind++) {
    const size_t n = 128, g = (size_t)gates[kind] * n;
    RecurRun v;
    Job job = {run_recurrent, &v, 2.0 * 50 * (double)(n * g), "GFLOP/s"};
    if (!strstr(names[kind], only))
      continue;
    memset(&v, 0, sizeof v);
    v.p.kind = kind;
    v.p.steps = 50;
    v.p.rows = v.p.dirs = 1;
    v.p.hidden = (int32_t)n;
    v.p.x_time = v.p.x_row = (int64_t)g;
    v.p.y_time = v.p.y_dir = v.p.y_row = v.p.s_dir = v.p.s_row = (int64_t)n;
    v.x = floats(50 * g);
    v.r = floats(n * g);
    v.y = floats(50 * n);
    v.work = floats(O2C_RECURRENT_ROOM(1, n));
    report(names[kind], &job);
    free(v.x), free(v.r), free(v.y), free(v.work);
  }
}

#endif
