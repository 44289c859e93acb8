/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: 3x3 convolutions by winograd_f32.h.
   GFLOP/s count what the direct sum would take, so that the lines compare with
   those of conv_f32.h. */
#ifndef O2C_BENCH_WINOGRAD_H
#define O2C_BENCH_WINOGRAD_H
#include "../../runtime_min/kernels/winograd_f32.h"

typedef struct {
  float *x, *u, *bias, *y, *room;
  o2c_winograd_f32_p p;
} WinoRun;

static void run_winograd(void *arg)
{
  WinoRun *v = (WinoRun *)arg;
  o2c_winograd_f32(v->x, v->u, v->bias, NULL, v->y, v->room, &v->p);
}

static void bench_winograd(int size, int c, int oc, int m)
{
  const int tiles = m == 2 ? 28 : 14, e = (m + 2) * (m + 2);
  const size_t pixels = (size_t)(size * size);
  WinoRun v;
  Job job = {run_winograd, &v, 0, "GFLOP/s"};
  char name[64];
  snprintf(name, sizeof name, "winograd F(%d) %d %d>%d", m, size, c, oc);
  if (!strstr(name, only))
    return;
  memset(&v, 0, sizeof v);
  v.p.m = m;
  v.p.tiles = tiles;
  v.p.h = v.p.w = v.p.oh = v.p.ow = size;
  v.p.top = v.p.left = 1;
  v.p.c = c;
  v.p.oc = oc;
  v.p.x_pix = c;
  v.p.x_row = (int64_t)size * c;
  v.p.y_pix = oc;
  v.p.y_row = (int64_t)size * oc;
  v.p.hi = INFINITY;
  v.x = floats(pixels * (size_t)c);
  v.u = floats((size_t)(e * c) * (size_t)((oc + 15) / 16 * 16));
  v.bias = floats((size_t)oc);
  v.y = floats(pixels * (size_t)oc);
  v.room = floats((size_t)O2C_WINOGRAD_SCRATCH(m, c, oc, tiles));
  job.work = 2.0 * 9 * c * oc * (double)pixels;
  report(name, &job);
  free(v.x), free(v.u), free(v.bias), free(v.y), free(v.room);
}

static void bench_o2c_winograd_f32(void)
{
  static const int shapes[][3] = {
    {56, 64, 64}, {28, 128, 128}, {14, 256, 256}, {7, 512, 512},
    {32, 16, 16}, {16, 32, 32}, {8, 64, 64},
    {112, 128, 128}, {28, 512, 512}, {56, 128, 32}, {27, 32, 128}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int m = 2; m <= 4; m += 2)
      bench_winograd(shapes[i][0], shapes[i][1], shapes[i][2], m);
}

#endif
