/* SPDX-License-Identifier: Apache-2.0 */
/* Speed of the 8-bit kernels on layers of ResNet-50, MobileNetV2 and the
 * MLPerf Tiny networks: best of several runs, one thread, in GOP/s (two
 * operations per multiply-add) or GB/s. An argument is the number of runs. */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../runtime_min/kernels/conv_u8.h"
#include "../../runtime_min/kernels/dw_u8.h"
#include "../../runtime_min/kernels/ew_u8.h"
#include "../../runtime_min/kernels/pool_u8.h"

static uint8_t x[8 << 20], z[8 << 20], y[8 << 20];
static int8_t w[8 << 20];
static int32_t bias[4096];
static float scale[4096];
static int16_t scratch[12 * 7 * 4096];

/* Results must be seen to be used: y is only written otherwise, and a compiler
 * that notices leaves the kernels out. */
static uint8_t *volatile to = y;
static uint32_t seen;

static void look(void)
{
  size_t i;
  for (i = 0; i < sizeof y; i += 61)
    seen = seen * 31 + y[i];
}

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct {
  const char *name;
  int32_t o, c, oc, k, stride, count;
} Layer;

/* Whole network: `count` layers of each shape, output o x o. */
static const Layer resnet[] = {
    {"r50 7x7 s2 3->64", 112, 3, 64, 7, 2, 1},
    {"r50 1x1 64->64", 56, 64, 64, 1, 1, 1},
    {"r50 3x3 64", 56, 64, 64, 3, 1, 3},
    {"r50 1x1 64->256", 56, 64, 256, 1, 1, 4},
    {"r50 1x1 256->64", 56, 256, 64, 1, 1, 2},
    {"r50 1x1 256->128", 56, 256, 128, 1, 1, 1},
    {"r50 3x3 s2 128", 28, 128, 128, 3, 2, 1},
    {"r50 3x3 128", 28, 128, 128, 3, 1, 3},
    {"r50 1x1 128->512", 28, 128, 512, 1, 1, 4},
    {"r50 1x1 s2 256->512", 28, 256, 512, 1, 2, 1},
    {"r50 1x1 512->128", 28, 512, 128, 1, 1, 3},
    {"r50 1x1 512->256", 28, 512, 256, 1, 1, 1},
    {"r50 3x3 s2 256", 14, 256, 256, 3, 2, 1},
    {"r50 3x3 256", 14, 256, 256, 3, 1, 5},
    {"r50 1x1 256->1024", 14, 256, 1024, 1, 1, 6},
    {"r50 1x1 s2 512->1024", 14, 512, 1024, 1, 2, 1},
    {"r50 1x1 1024->256", 14, 1024, 256, 1, 1, 5},
    {"r50 1x1 1024->512", 14, 1024, 512, 1, 1, 1},
    {"r50 3x3 s2 512", 7, 512, 512, 3, 2, 1},
    {"r50 3x3 512", 7, 512, 512, 3, 1, 2},
    {"r50 1x1 512->2048", 7, 512, 2048, 1, 1, 3},
    {"r50 1x1 s2 1024->2048", 7, 1024, 2048, 1, 2, 1},
    {"r50 1x1 2048->512", 7, 2048, 512, 1, 1, 2},
    {"r50 fc 2048->1000", 1, 2048, 1000, 1, 1, 1}};
static const Layer mobile[] = {{"mb2 3x3 s2 3->32", 112, 3, 32, 3, 2, 1},
                               {"mb2 1x1 32->16", 112, 32, 16, 1, 1, 1},
                               {"mb2 1x1 16->96", 112, 16, 96, 1, 1, 1},
                               {"mb2 1x1 96->24", 56, 96, 24, 1, 1, 1},
                               {"mb2 1x1 24->144", 56, 24, 144, 1, 1, 2},
                               {"mb2 1x1 144->24", 56, 144, 24, 1, 1, 1},
                               {"mb2 1x1 144->32", 28, 144, 32, 1, 1, 1},
                               {"mb2 1x1 32->192", 28, 32, 192, 1, 1, 3},
                               {"mb2 1x1 192->32", 28, 192, 32, 1, 1, 2},
                               {"mb2 1x1 192->64", 14, 192, 64, 1, 1, 1},
                               {"mb2 1x1 64->384", 14, 64, 384, 1, 1, 4},
                               {"mb2 1x1 384->64", 14, 384, 64, 1, 1, 3},
                               {"mb2 1x1 384->96", 14, 384, 96, 1, 1, 1},
                               {"mb2 1x1 96->576", 14, 96, 576, 1, 1, 3},
                               {"mb2 1x1 576->96", 14, 576, 96, 1, 1, 2},
                               {"mb2 1x1 576->160", 7, 576, 160, 1, 1, 1},
                               {"mb2 1x1 160->960", 7, 160, 960, 1, 1, 3},
                               {"mb2 1x1 960->160", 7, 960, 160, 1, 1, 2},
                               {"mb2 1x1 960->320", 7, 960, 320, 1, 1, 1},
                               {"mb2 1x1 320->1280", 7, 320, 1280, 1, 1, 1},
                               {"mb2 fc 1280->1000", 1, 1280, 1000, 1, 1, 1}};
static const Layer tiny[] = {{"res8 3x3 3->16", 32, 3, 16, 3, 1, 1},
                             {"res8 3x3 16", 32, 16, 16, 3, 1, 2},
                             {"res8 3x3 s2 16->32", 16, 16, 32, 3, 2, 1},
                             {"res8 3x3 32", 16, 32, 32, 3, 1, 1},
                             {"res8 1x1 s2 16->32", 16, 16, 32, 1, 2, 1},
                             {"res8 3x3 s2 32->64", 8, 32, 64, 3, 2, 1},
                             {"res8 3x3 64", 8, 64, 64, 3, 1, 1},
                             {"res8 1x1 s2 32->64", 8, 32, 64, 1, 2, 1}};
static const Layer depth[] = {{"dw 3x3 32 @112", 112, 32, 1, 3, 1, 1},
                              {"dw 3x3 s2 96 @56", 56, 96, 1, 3, 2, 1},
                              {"dw 3x3 144 @56", 56, 144, 1, 3, 1, 1},
                              {"dw 3x3 s2 144 @28", 28, 144, 1, 3, 2, 1},
                              {"dw 3x3 192 @28", 28, 192, 1, 3, 1, 2},
                              {"dw 3x3 s2 192 @14", 14, 192, 1, 3, 2, 1},
                              {"dw 3x3 384 @14", 14, 384, 1, 3, 1, 4},
                              {"dw 3x3 576 @14", 14, 576, 1, 3, 1, 2},
                              {"dw 3x3 s2 576 @7", 7, 576, 1, 3, 2, 1},
                              {"dw 3x3 960 @7", 7, 960, 1, 3, 1, 3},
                              {"dw 3x3 8 @48", 48, 8, 1, 3, 1, 0},
                              {"dw 3x3 16 @24", 24, 16, 1, 3, 1, 0},
                              {"dw 5x5 64 @28", 28, 64, 1, 5, 1, 0}};

static void conv_once(const Layer *l)
{
  const int32_t iw =
      l->k > 1 ? (l->o - 1) * l->stride + l->k : l->o * l->stride;
  int32_t tap[7], i;
  o2c_conv_u8_p p;
  memset(&p, 0, sizeof p);
  for (i = 0; i < l->k; ++i)
    tap[i] = i * iw * l->c;
  p.oh = p.ow = l->o;
  p.oc = l->oc;
  p.ntap = l->k;
  p.kc = l->k * l->c;
  p.tap = tap;
  p.x_pix = l->stride * l->c;
  p.x_row = (int64_t)l->stride * iw * l->c;
  p.y_pix = l->oc;
  p.y_row = (int64_t)l->o * l->oc;
  p.hi = 255;
  p.scratch = scratch;
  o2c_conv_u8(x, w, bias, scale, to, &p);
}

static void depth_once(const Layer *l)
{
  const int32_t iw = (l->o - 1) * l->stride + l->k;
  o2c_dw_u8_p p;
  memset(&p, 0, sizeof p);
  p.oh = p.ow = l->o;
  p.c = l->c;
  p.kh = p.kw = l->k;
  p.x_pix = l->stride * l->c;
  p.x_row = (int64_t)l->stride * iw * l->c;
  p.tap_pix = l->c;
  p.tap_row = (int64_t)iw * l->c;
  p.y_pix = l->c;
  p.y_row = (int64_t)l->o * l->c;
  p.hi = 255;
  o2c_dw_u8(x, w, bias, scale, to, &p);
}

/* Nearly normal, as quantised weights are: the largest of many is 127. */
static int8_t weight(void)
{
  static uint32_t seed = 1;
  int sum = 0, i;
  for (i = 0; i < 6; ++i) {
    seed = seed * 1664525u + 1013904223u;
    sum += (int)(seed >> 24) - 128;
  }
  sum /= 5;
  return (int8_t)(sum > 127 ? 127 : sum < -127 ? -127 : sum);
}

static double layers(const Layer *l, size_t n, int runs,
                     void (*once)(const Layer *))
{
  double total = 0, ops = 0;
  size_t i;
  for (i = 0; i < n; ++i, ++l) {
    const double op = 2.0 * l->o * l->o * l->c * l->oc * l->k * l->k;
    const int inner = (int)(2e6 / op) + 1;
    double best = 1e9;
    int r, m;
    for (r = 0; r < runs; ++r) {
      const double t = now();
      for (m = 0; m < inner; ++m)
        once(l);
      best = (now() - t) / inner < best ? (now() - t) / inner : best;
    }
    look();
    printf("%-24s %8.1f us %8.1f GOP/s\n", l->name, best * 1e6,
           op / best * 1e-9);
    total += best * l->count;
    ops += op * l->count;
  }
  printf("%-24s %8.1f us %8.1f GOP/s\n\n", "sum", total * 1e6,
         ops / total * 1e-9);
  return total;
}

static void bytes(const char *name, int which, int runs)
{
  const int32_t n = 56 * 56 * 256;
  const o2c_binary_u8_p p = {1,    n,   0,   0,  0, 0.7f,
                             0.4f, 1.1f, 120, 100, 90, 0, 255};
  const o2c_pool_u8_p q = {112, 112, 64, 56, 56, 3,   3,        2,  2,
                           1,   1,   1,  1,  1,  1,   112 * 64, 64, 56 * 64,
                           64,  1,   0,  0,  0,  255, 0};
  double best = 1e9;
  for (; runs > 0; --runs) {
    const double t = now();
    if (which == 0)
      o2c_add_u8(x, z, to, &p);
    else if (which == 1)
      o2c_map_u8(x, to, (size_t)n, z);
    else if (which == 2)
      o2c_maxpool_u8(x, to, &q);
    else
      o2c_avgpool_u8(x, to, &q);
    best = now() - t < best ? now() - t : best;
  }
  look();
  printf("%-24s %8.1f us %8.1f G elements/s\n", name, best * 1e6,
         n / best * 1e-9);
}

int main(int argc, char **argv)
{
  const int runs = argc > 1 ? atoi(argv[1]) : 20;
  size_t i;
#ifdef O2C_NEEDS_AMX
  if (!(o2c_cpu() & O2C_CPU_AMX))
    return 2; /* not granted */
#endif
  for (i = 0; i < sizeof x; ++i) {
    x[i] = (uint8_t)(i * 7 + i / 1000);
    z[i] = (uint8_t)(i * 13);
    w[i] = weight();
  }
  for (i = 0; i < 4096; ++i)
    scale[i] = 1e-4f;
  layers(resnet, sizeof resnet / sizeof *resnet, runs, conv_once);
  layers(mobile, sizeof mobile / sizeof *mobile, runs, conv_once);
  layers(tiny, sizeof tiny / sizeof *tiny, runs, conv_once);
  layers(depth, sizeof depth / sizeof *depth, runs, depth_once);
  bytes("add 56x56x256", 0, runs);
  bytes("map 56x56x256", 1, runs);
  bytes("maxpool 3x3 s2 112x64", 2, runs);
  bytes("avgpool 3x3 s2 112x64", 3, runs);
  printf("checksum %08x\n", (unsigned)seen);
  return 0;
}
