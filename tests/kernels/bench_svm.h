/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: svm_f32.h. */
#ifndef O2C_BENCH_SVM_H
#define O2C_BENCH_SVM_H
#include "../../runtime_min/kernels/svm_f32.h"

typedef struct { float *x, *c, *y, *room; int64_t at[64], start[11]; } Machine;

/* Ten classes of 70 vectors, 16 rows. */
static void bench_machine(const char *name, void (*run)(void *))
{
  Machine v = {floats(16 * 700), floats(9 * 700), floats(16 * 45),
               floats(O2C_SVC_ROOM(10)), {0}, {0}};
  const Job job = {run, &v, 16.0, "Grow/s"};
  for (int i = 0; i <= 10; i++)
    v.start[i] = 70 * i;
  if (strstr(name, only))
    report(name, &job);
}

static void run_svr(void *arg)
{
  Machine *v = (Machine *)arg;
  o2c_svr_scores_f32(v->x, v->c, v->c, v->y, 16, 700);
}

static void run_svc(void *arg)
{
  Machine *v = (Machine *)arg;
  o2c_svc_scores_f32(v->x, v->c, v->start, v->c, v->y, 16, 10, 700);
}

static void run_votes(void *arg)
{
  Machine *v = (Machine *)arg;
  o2c_svc_votes(v->x, v->at, v->at + 16, 16, 10);
}

static void run_shares(void *arg)
{
  Machine *v = (Machine *)arg;
  o2c_svc_shares_f32(v->x, v->c, v->c, v->y, v->room, 16, 10);
}

static void bench_o2c_svr_scores_f32(void) { bench_machine("svr", run_svr); }
static void bench_o2c_svc_scores_f32(void) { bench_machine("svc", run_svc); }
static void bench_o2c_svc_votes(void) { bench_machine("votes", run_votes); }
static void bench_o2c_svc_shares_f32(void)
{
  bench_machine("shares", run_shares);
}
#endif
