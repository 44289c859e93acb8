/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: products of bfloat16. */
#ifndef O2C_BENCH_BF16_H
#define O2C_BENCH_BF16_H
#include "../../runtime_min/kernels/conv_bf16.h"

typedef struct {
  const float *image, *bias;
  uint16_t *x, *w;
  float *y;
  o2c_conv_f32_p p;
  o2c_pad_f32_p pad;
} Bf16;

static void run_bf16(void *arg)
{
  Bf16 *v = (Bf16 *)arg;
  o2c_conv_bf16(v->x, v->w, v->bias, NULL, v->y, &v->p);
}

static void run_bf16_pad(void *arg)
{
  Bf16 *v = (Bf16 *)arg;
  o2c_pad_hwc_bf16(v->image, v->x, &v->pad);
}

static void bf16_product(int rows, int k, int columns)
{
  static const int32_t tap[] = {0};
  char name[48];
  Bf16 v;
  Job job = {run_bf16, &v, 0, "GFLOP/s"};
  snprintf(name, sizeof name, "bf16 gemm %d %d>%d", rows, k, columns);
  if (!strstr(name, only))
    return;
  memset(&v, 0, sizeof v);
  v.p.oh = 1;
  v.p.ow = rows;
  v.p.oc = columns;
  v.p.ntap = 1;
  v.p.kc = k;
  v.p.tap = tap;
  v.p.x_pix = k;
  v.p.y_pix = columns;
  v.p.lo = 0;
  v.p.hi = INFINITY;
  v.pad.h = 1;
  v.pad.w = rows;
  v.pad.c = k;
  v.pad.x_pix = k;
  v.image = floats((size_t)(rows * k));
  v.bias = floats((size_t)columns);
  /* Twice the room that pairs of bytes need. */
  v.x = (uint16_t *)(void *)floats((size_t)(rows * k) + 1);
  v.w = (uint16_t *)(void *)floats((size_t)((columns + 15) / 16 * 16 * k));
  v.y = floats((size_t)(rows * columns));
  o2c_pad_hwc_bf16(v.image, v.x, &v.pad);
  for (int i = 0; i < (columns + 15) / 16 * 16 * k; i++)
    v.w[i] = o2c_bf16_of((float)(i % 17) / 16.0f);
  job.work = 2.0 * rows * k * columns;
  report(name, &job);
  snprintf(name, sizeof name, "to bf16 %d x %d", rows, k);
  job.run = run_bf16_pad;
  job.work = 4.0 * rows * k;
  job.unit = "GB/s";
  if (strstr(name, only))
    report(name, &job);
}

static void bench_o2c_conv_bf16(void)
{
  bf16_product(1, 2048, 1000);
  bf16_product(49, 512, 2048);
  bf16_product(128, 384, 1536);
  bf16_product(196, 1024, 256);
}

/* Beside each product. */
static void bench_o2c_pad_hwc_bf16(void)
{
}

#endif
