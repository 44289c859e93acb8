/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: linear_f32.h. */
#ifndef O2C_BENCH_LINEAR_H
#define O2C_BENCH_LINEAR_H
#include "../../runtime_min/kernels/linear_f32.h"

typedef struct { float *x, *y, *room; o2c_linear_f32_p p; } Tokens;

static void run_linear(void *arg)
{
  Tokens *v = (Tokens *)arg;
  const float *x = v->x;
  o2c_linear_attention_f32(x, x, x, x, x + 7, x + 9, v->y, v->y + (1 << 18),
                           v->room, &v->p);
}

/* Eight heads of 128 x 128, a token and 128 of them. */
static void bench_o2c_linear_attention_f32(void)
{
  for (int t = 1; t <= 128; t += 127) {
    Tokens v = {floats(1 << 18), floats(1 << 19), floats(1 << 16),
                {1, t, 8, 8, 128, 128, 0, 1, .1f}};
    for (int i = 0; i < 1 << 18; i++) v.x[i] = -fabsf(v.x[i]) * .1f;
    const Job job = {run_linear, &v, 7.0 * 8 * 128 * 128 * t, "GFLOP/s"};
    char text[64];
    snprintf(text, sizeof text, "linear attention %d", t);
    if (strstr(text, only))
      report(text, &job);
  }
}
#endif
