/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: recurrent_f32.h,
   lstm_f32.h and lstm_u8.h. */
#ifndef O2C_BENCH_RECURRENT_H
#define O2C_BENCH_RECURRENT_H
#include "../../runtime_min/kernels/lstm_f32.h"
#include "../../runtime_min/kernels/lstm_u8.h"

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

typedef struct {
  float *in, *w, *r, *x, *y, *work;
  o2c_lstm_f32_p p;
} LstmRun;

static void run_lstm(void *arg)
{
  LstmRun *v = (LstmRun *)arg;
  o2c_lstm_f32(v->in, v->w, NULL, v->r, NULL, NULL, NULL, v->y, NULL, NULL,
               v->x, v->work, &v->p);
}

/* 64 steps of one row, both directions, 128 inputs, 128 hidden. */
static void bench_o2c_lstm_f32(void)
{
  const size_t n = 128, wide = 8 * n, steps = 64;
  const char *const name = "LSTM and inputs, both ways, 128";
  LstmRun v;
  Job job = {run_lstm, &v, 4.0 * (double)(steps * n * wide), "GFLOP/s"};
  if (!strstr(name, only))
    return;
  memset(&v, 0, sizeof v);
  v.p.r.kind = v.p.r.dirs = 2;
  v.p.r.steps = (int32_t)steps;
  v.p.r.rows = 1;
  v.p.r.hidden = v.p.in_size = (int32_t)n;
  v.p.in_pix = (int64_t)n;
  v.p.r.x_time = v.p.r.x_row = (int64_t)wide;
  v.p.r.y_time = 2 * (int64_t)n;
  v.p.r.y_dir = v.p.r.y_row = v.p.r.s_dir = v.p.r.s_row = (int64_t)n;
  v.in = floats(steps * n);
  v.w = floats(n * wide);
  v.r = floats(n * wide);
  v.x = floats(O2C_LSTM_ROOM(steps, 1, 2, n, n));
  v.y = floats(steps * 2 * n);
  v.work = floats(O2C_RECURRENT_ROOM(1, n));
  report(name, &job);
  free(v.in), free(v.w), free(v.r), free(v.x), free(v.y), free(v.work);
}

typedef struct {
  float *x, *scale, *y, *work;
  int32_t *sums;
  int8_t *r;
  uint8_t *bytes;
  int16_t *scratch;
  o2c_recurrent_f32_p p;
} LstmBytesRun;

static void run_lstm_u8(void *arg)
{
  LstmBytesRun *v = (LstmBytesRun *)arg;
  o2c_lstm_u8(v->x, v->r, v->sums, v->scale, NULL, NULL, NULL, NULL, v->y,
              NULL, NULL, v->work, v->bytes, v->scratch, &v->p);
}

/* 50 steps of one row, 256 hidden. */
static void bench_o2c_lstm_u8(void)
{
  const size_t n = 256, g = 4 * n;
  const char *const name = "LSTM by bytes, 50 steps, 256";
  LstmBytesRun v;
  Job job = {run_lstm_u8, &v, 2.0 * 50 * (double)(n * g), "GOP/s"};
  if (!strstr(name, only))
    return;
  memset(&v, 0, sizeof v);
  v.p.kind = 2;
  v.p.steps = 50;
  v.p.rows = v.p.dirs = 1;
  v.p.hidden = (int32_t)n;
  v.p.x_time = v.p.x_row = (int64_t)g;
  v.p.y_time = v.p.y_dir = v.p.y_row = v.p.s_dir = v.p.s_row = (int64_t)n;
  v.x = floats(50 * g);
  v.scale = floats(g);
  v.y = floats(50 * n);
  v.work = floats(O2C_LSTM_U8_ROOM(1, n));
  v.sums = (int32_t *)calloc(g, sizeof *v.sums);
  v.r = (int8_t *)malloc(n * g);
  v.bytes = (uint8_t *)calloc(n, 1);
  v.scratch = (int16_t *)calloc(12 * n, sizeof *v.scratch);
  memset(v.r, 1, n * g); /* pages of their own, which untouched ones are not */
  report(name, &job);
  free(v.x), free(v.scale), free(v.y), free(v.work), free(v.sums), free(v.r);
  free(v.bytes), free(v.scratch);
}

#endif
