/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: strip.h and strip_f32.h. */
#ifndef O2C_BENCH_STRIP_H
#define O2C_BENCH_STRIP_H
#include "../../runtime_min/kernels/strip_f32.h"

typedef struct {
  o2c_strip_stage stage[2];
  float *x, *y;
  int64_t y_row;
  o2c_strip_rows rows;
} Strips;

static void run_strips(void *arg)
{
  Strips *v = (Strips *)arg;
  o2c_strips(v->stage, 2, v->x, v->y, v->y_row, &v->rows);
}

/* 1x1 and depthwise 3x3 of MobileNetV2: 112x112, 16 to 96 channels, to 110. */
static void bench_o2c_strips(void)
{
  enum { SIZE = 112, OUT = 110, C = 16, OC = 96 };
  static const int32_t tap[] = {0};
  static const o2c_conv_f32_p conv = {SIZE, SIZE, OC, 1, C, tap, SIZE * C, C,
                                      SIZE * OC, OC, 0, 0, 0.0f, 6.0f};
  static const o2c_dw_f32_p dw = {OUT, OUT, OC, 3, 3, SIZE * OC, OC, SIZE * OC,
                                  OC, OC, OUT * OC, OC, 0.0f, 6.0f};
  Strips v;
  Job job = {run_strips, &v, 2.0 * SIZE * SIZE * OC * C +
             18.0 * OUT * OUT * OC, "GFLOP/s"};
  if (!strstr("strips", only))
    return;
  memset(&v, 0, sizeof v);
  v.x = floats(SIZE * SIZE * C);
  v.y = floats(OUT * OUT * OC);
  v.y_row = (int64_t)sizeof(float) * OUT * OC;
  v.rows.last = OUT;
  v.rows.step = 4;
  for (int i = 0; i < 2; i++) {
    o2c_strip_stage *s = &v.stage[i];
    s->run = i ? o2c_strip_dw_f32 : o2c_strip_conv_f32;
    s->p = i ? (const void *)&dw : (const void *)&conv;
    s->w = floats(C * OC);
    s->b = floats(OC);
    s->row = (int64_t)sizeof(float) * SIZE * (i ? OC : C);
    s->room = 6;
    s->kh = i ? 3 : 1;
    s->sh = 1;
    s->rows = i ? OUT : SIZE;
  }
  v.stage[1].window = (unsigned char *)floats(6 * SIZE * OC);
  report("strips", &job);
}

#endif
