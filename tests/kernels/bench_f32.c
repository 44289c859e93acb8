/* SPDX-License-Identifier: Apache-2.0 */
/* Times the f32 kernels on one core, on the shapes of networks people run,
   and prints GFLOP/s (GB/s where no arithmetic is to be counted): the best of
   many runs. An argument keeps only the lines that contain it. */
#define _POSIX_C_SOURCE 200809L
#include "../../runtime_min/kernels/conv_f32.h"
#include "../../runtime_min/kernels/attention_f32.h"
#include "../../runtime_min/kernels/dw_f32.h"
#include "../../runtime_min/kernels/math_f32.h"
#include "../../runtime_min/kernels/move.h"
#include "../../runtime_min/kernels/lrn_f32.h"
#include "../../runtime_min/kernels/norm_f32.h"
#include "../../runtime_min/kernels/pad.h"
#include "../../runtime_min/kernels/reduce_f32.h"
#include "../../runtime_min/kernels/resize.h"
#include "../../runtime_min/kernels/pool_f32.h"
#include "../../runtime_min/kernels/softmax_f32.h"
#include "../../runtime_min/kernels/trig_f32.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *only = "";

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* n floats in a small range, 64-byte aligned, never freed. */
static float *floats(size_t n)
{
  void *mem = NULL;
  float *p;
  uint32_t seed = 12345;
  if (posix_memalign(&mem, 64, (n + 16) * sizeof(float)) != 0)
    exit(1);
  p = (float *)mem;
  for (size_t i = 0; i < n; i++) {
    seed = seed * 1664525u + 1013904223u;
    p[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
  }
  return p;
}

typedef struct {
  void (*run)(void *);
  void *arg;
  double work;            /* floating-point operations, or bytes */
  const char *unit;
} Job;

/* The best time of a call in batches of about 2 ms, over about 0.15 s. */
static void report(const char *name, const Job *job)
{
  double best = 1e9, start = now(), one;
  int batch;
  job->run(job->arg);
  one = now() - start;
  batch = one > 2e-3 ? 1 : (int)(2e-3 / (one + 1e-9)) + 1;
  start = now();
  do {
    double t = now();
    for (int i = 0; i < batch; i++)
      job->run(job->arg);
    t = (now() - t) / batch;
    best = t < best ? t : best;
  } while (now() - start < 0.15);
  printf("%-34s %10.2f us %8.1f %s\n", name, best * 1e6,
         job->work / best * 1e-9, job->unit);
  fflush(stdout);
}

/* ---- convolution and products ---- */

typedef struct {
  const char *name;
  int size, c, oc, k, stride; /* output size x size; k = 0: size rows, GEMM */
  int wide;                   /* columns, where not square */
} ConvShape;

static const ConvShape conv_shapes[] = {
  {"r50 conv1 7x7/2 3>64", 112, 3, 64, 7, 2, 0},
  {"r50 1x1 56 64>64", 56, 64, 64, 1, 1, 0},
  {"r50 3x3 56 64>64", 56, 64, 64, 3, 1, 0},
  {"r50 1x1 56 64>256", 56, 64, 256, 1, 1, 0},
  {"r50 1x1 56 256>64", 56, 256, 64, 1, 1, 0},
  {"r50 1x1 56 256>128", 56, 256, 128, 1, 1, 0},
  {"r50 3x3/2 28 128>128", 28, 128, 128, 3, 2, 0},
  {"r50 1x1/2 28 256>512", 28, 256, 512, 1, 2, 0},
  {"r50 1x1 28 512>128", 28, 512, 128, 1, 1, 0},
  {"r50 3x3 28 128>128", 28, 128, 128, 3, 1, 0},
  {"r50 1x1 28 128>512", 28, 128, 512, 1, 1, 0},
  {"r50 3x3 14 256>256", 14, 256, 256, 3, 1, 0},
  {"r50 1x1 14 1024>256", 14, 1024, 256, 1, 1, 0},
  {"r50 1x1 14 256>1024", 14, 256, 1024, 1, 1, 0},
  {"r50 1x1/2 7 1024>2048", 7, 1024, 2048, 1, 2, 0},
  {"r50 3x3 7 512>512", 7, 512, 512, 3, 1, 0},
  {"r50 1x1 7 2048>512", 7, 2048, 512, 1, 1, 0},
  {"r50 1x1 7 512>2048", 7, 512, 2048, 1, 1, 0},
  {"fc 2048>1000", 1, 2048, 1000, 0, 1, 0},
  {"vgg 3x3 224 3>64", 224, 3, 64, 3, 1, 0},
  {"vgg 3x3 224 64>64", 224, 64, 64, 3, 1, 0},
  {"vgg 3x3 56 256>256", 56, 256, 256, 3, 1, 0},
  {"vgg 3x3 14 512>512", 14, 512, 512, 3, 1, 0},
  {"vgg fc 25088>4096", 1, 25088, 4096, 0, 1, 0},
  {"mbv2 3x3/2 112 3>32", 112, 3, 32, 3, 2, 0},
  {"mbv2 1x1 112 32>16", 112, 32, 16, 1, 1, 0},
  {"mbv2 1x1 112 16>96", 112, 16, 96, 1, 1, 0},
  {"mbv2 1x1 56 96>24", 56, 96, 24, 1, 1, 0},
  {"mbv2 1x1 56 24>144", 56, 24, 144, 1, 1, 0},
  {"mbv2 1x1 28 144>32", 28, 144, 32, 1, 1, 0},
  {"mbv2 1x1 28 32>192", 28, 32, 192, 1, 1, 0},
  {"mbv2 1x1 14 64>384", 14, 64, 384, 1, 1, 0},
  {"mbv2 1x1 14 384>64", 14, 384, 64, 1, 1, 0},
  {"mbv2 1x1 7 160>960", 7, 160, 960, 1, 1, 0},
  {"mbv2 1x1 7 960>160", 7, 960, 160, 1, 1, 0},
  {"mbv2 1x1 7 320>1280", 7, 320, 1280, 1, 1, 0},
  {"tiny 3x3 32 3>16", 32, 3, 16, 3, 1, 0},
  {"tiny 3x3 32 16>16", 32, 16, 16, 3, 1, 0},
  {"tiny 3x3/2 16 16>32", 16, 16, 32, 3, 2, 0},
  {"tiny 3x3 8 64>64", 8, 64, 64, 3, 1, 0},
  {"tiny 1x1 25x5 64>64", 25, 64, 64, 1, 1, 5},
  {"tiny 1x1 25x5 16>16", 25, 16, 16, 1, 1, 5},
  {"gemm 128 384>384", 128, 384, 384, 0, 1, 0},
  {"gemm 128 384>1536", 128, 384, 1536, 0, 1, 0},
  {"gemm 128 1536>384", 128, 1536, 384, 0, 1, 0},
  {"gemm 128 768>3072", 128, 768, 3072, 0, 1, 0},
  {"gemm 128 3072>768", 128, 3072, 768, 0, 1, 0},
  {"gemm 2 784>256", 2, 784, 256, 0, 1, 0},
  {"gemm 3 784>256", 3, 784, 256, 0, 1, 0},
  {"gemm 4 784>256", 4, 784, 256, 0, 1, 0},
  {"gemm 8 784>256", 8, 784, 256, 0, 1, 0},
  {"gemv 784>256", 1, 784, 256, 0, 1, 0},
  {"gemv 256>128", 1, 256, 128, 0, 1, 0},
  {"gemv 128>10", 1, 128, 10, 0, 1, 0},
  {"gemv 64>64", 1, 64, 64, 0, 1, 0},
  {"gemv 16>16", 1, 16, 16, 0, 1, 0},
};

typedef struct {
  const float *x, *w, *bias;
  float *y;
  o2c_conv_f32_p p;
  int32_t tap[16];
} Conv;

static void run_conv(void *arg)
{
  Conv *v = (Conv *)arg;
  o2c_conv_f32(v->x, v->w, v->bias, NULL, v->y, &v->p);
}

static void bench_convs(const ConvShape *shapes, size_t n, void (*run)(void *))
{
  for (size_t i = 0; i < n; i++) {
    const ConvShape *s = &shapes[i];
    const int k = s->k ? s->k : 1, rows = s->k ? s->size : 1;
    const int cols = s->wide ? s->wide : s->size;
    const int wp = (cols - 1) * s->stride + k;
    const int hp = (rows - 1) * s->stride + k;
    const size_t kk = (size_t)k * (size_t)(k * s->c);
    Job job = {run, NULL, 0, "GFLOP/s"};
    Conv v;
    if (!strstr(s->name, only))
      continue;
    memset(&v, 0, sizeof v);
    for (int t = 0; t < k; t++)
      v.tap[t] = t * wp * s->c;
    v.p.oh = rows;
    v.p.ow = cols;
    v.p.oc = s->oc;
    v.p.ntap = k;
    v.p.kc = k * s->c;
    v.p.tap = v.tap;
    v.p.x_pix = (int64_t)s->stride * s->c;
    v.p.x_row = (int64_t)s->stride * wp * s->c;
    v.p.y_pix = s->oc;
    v.p.y_row = (int64_t)s->oc * cols;
    v.p.lo = 0;
    v.p.hi = INFINITY;
    v.x = floats((size_t)(hp * wp) * (size_t)s->c);
    v.w = floats(((size_t)s->oc + 15) / 16 * 16 * kk);
    v.bias = floats((size_t)s->oc);
    v.y = floats((size_t)(rows * cols) * (size_t)s->oc);
    job.arg = &v;
    job.work = 2.0 * (double)kk * s->oc * rows * cols;
    report(s->name, &job);
    free((void *)(uintptr_t)v.x);
    free((void *)(uintptr_t)v.w);
    free((void *)(uintptr_t)v.bias);
    free(v.y);
  }
}

static void bench_o2c_conv_f32(void)
{
  bench_convs(conv_shapes, sizeof conv_shapes / sizeof *conv_shapes, run_conv);
}

/* ---- border copies, depthwise, pooling: square images ---- */

typedef struct {
  float *x, *y, *w, *bias;
  o2c_pad_f32_p pad;
  o2c_dw_f32_p dw;
  o2c_pool_f32_p pool;
  int64_t rows, n, inner;
  size_t nx;
} Image;

static Image image(int size, int c)
{
  Image v;
  memset(&v, 0, sizeof v);
  v.nx = (size_t)(size * size) * (size_t)c;
  v.x = floats(v.nx);
  v.y = floats(v.nx * 2);
  return v;
}

static void image_free(const Image *v)
{
  free(v->x);
  free(v->y);
  free(v->w);
  free(v->bias);
}

static void run_pad(void *arg)
{
  Image *v = (Image *)arg;
  o2c_pad_hwc_f32(v->x, v->y, &v->pad);
}

static void bench_o2c_pad_hwc_f32(void)
{
  const o2c_pad_f32_p pad = {56, 56, 64, 1, 1, 1, 1, 0.0f, 56 * 64, 64};
  Image v;
  Job job = {run_pad, &v, 0, "GB/s"};
  if (!strstr("pad 56x56x64", only))
    return;
  v = image(56, 64);
  v.pad = pad;
  job.work = 4.0 * (double)v.nx;
  report("pad 56x56x64", &job);
  image_free(&v);
}

static void run_dw(void *arg)
{
  Image *v = (Image *)arg;
  o2c_dw_f32(v->x, v->w, v->bias, v->y, &v->dw);
}

static void bench_o2c_dw_f32(void)
{
  /* output size, channels, kernel, stride */
  static const int shapes[][4] = {
    {112, 32, 3, 1}, {56, 96, 3, 2}, {56, 144, 3, 1}, {28, 144, 3, 2},
    {28, 192, 3, 1}, {14, 384, 3, 1}, {14, 576, 3, 1}, {7, 960, 3, 1},
    {14, 480, 5, 1}, {14, 240, 5, 2}, {25, 64, 3, 1}, {12, 64, 7, 1}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    const int size = shapes[i][0], c = shapes[i][1], k = shapes[i][2];
    const int s = shapes[i][3], wide = (size - 1) * s + k;
    Image v;
    Job job = {run_dw, &v, 0, "GFLOP/s"};
    char name[64];
    snprintf(name, sizeof name, "dw %dx%d/%d %dx%dx%d", k, k, s, size, size, c);
    if (!strstr(name, only))
      continue;
    v = image(wide, c);
    v.w = floats((size_t)(k * k * c));
    v.bias = floats((size_t)c);
    v.dw.oh = v.dw.ow = size;
    v.dw.c = c;
    v.dw.kh = v.dw.kw = k;
    v.dw.tap_pix = v.dw.w_tap = v.dw.y_pix = c;
    v.dw.tap_row = (int64_t)wide * c;
    v.dw.x_pix = (int64_t)s * c;
    v.dw.x_row = (int64_t)s * wide * c;
    v.dw.y_row = (int64_t)size * c;
    v.dw.hi = 6.0f;
    job.work = 2.0 * k * k * (double)c * size * size;
    report(name, &job);
    image_free(&v);
  }
}

static void run_maxpool(void *arg)
{
  Image *v = (Image *)arg;
  o2c_maxpool_f32(v->x, v->y, &v->pool);
}

static void run_avgpool(void *arg)
{
  Image *v = (Image *)arg;
  o2c_avgpool_f32(v->x, v->y, &v->pool);
}

static void bench_pool(const char *name, void (*run)(void *))
{
  const o2c_pool_f32_p pool = {112, 112, 64, 56, 56, 3, 3, 2, 2, 1, 1,
                               1, 1, 1, 1, 0, 112 * 64, 64, 56 * 64, 64};
  Image v;
  Job job = {run, &v, 0, "GB/s"};
  if (!strstr(name, only))
    return;
  v = image(112, 64);
  v.pool = pool;
  job.work = 4.0 * (double)v.nx;
  report(name, &job);
  image_free(&v);
}

#include "bench_strip.h"

static void bench_o2c_maxpool_f32(void)
{
  bench_pool("maxpool 3x3/2 112x112x64", run_maxpool);
}

static void bench_o2c_avgpool_f32(void)
{
  bench_pool("avgpool 3x3/2 112x112x64", run_avgpool);
}

static void run_gmax(void *arg)
{
  Image *v = (Image *)arg;
  o2c_gmax_f32(v->x, v->y, 49, 2048, 2048);
}

static void run_gavg(void *arg)
{
  Image *v = (Image *)arg;
  o2c_gavg_f32(v->x, v->y, 49, 2048, 2048);
}

static void bench_global(const char *name, void (*run)(void *))
{
  Image v;
  Job job = {run, &v, 0, "GB/s"};
  if (!strstr(name, only))
    return;
  v = image(7, 2048);
  job.work = 4.0 * (double)v.nx;
  report(name, &job);
  image_free(&v);
}

static void bench_o2c_gmax_f32(void)
{
  bench_global("gmax 7x7x2048", run_gmax);
}

static void bench_o2c_gavg_f32(void)
{
  bench_global("gavg 7x7x2048", run_gavg);
}

/* ---- products of two run-time operands ---- */

typedef struct { float *a, *b, *y, *panels; o2c_matmul_f32_p p; } Product;

static void run_matmul(void *arg)
{
  Product *v = (Product *)arg;
  o2c_matmul_f32(v->a, v->b, v->y, v->panels, &v->p);
}

static void run_panels(void *arg)
{
  Product *v = (Product *)arg;
  o2c_pack_panels_f32(v->b, v->panels, v->p.k, v->p.n, v->p.b_k, v->p.b_n);
}

/* 12 heads of 128 rows within rows of 384: Q K^T, P V; then a square. */
static void bench_product(const char *what, void (*run)(void *), int flops)
{
  static const int64_t heads[] = {12}, in[] = {32}, out[] = {128 * 128};
  const o2c_matmul_f32_p p[] = {
    {1, 128, 128, 32, heads, in, in, out, 384, 128, 1, 384},
    {1, 128, 32, 128, heads, out, in, in, 128, 384, 384, 1},
    {0, 512, 512, 512, NULL, NULL, NULL, NULL, 512, 512, 512, 1}};
  static const char *const name[] = {"QK^T", "PV", "512"};
  for (int i = 0; i < 3; i++) {
    Product v = {floats(1 << 19), floats(1 << 19), floats(1 << 19),
                 floats(1 << 18), p[i]};
    const double size = (double)p[i].n * p[i].k;
    const Job job = {run, &v, flops ? 2.0 * size * p[i].m * (i < 2 ? 12 : 1)
                                    : 8.0 * size,
                     flops ? "GFLOP/s" : "GB/s"};
    char text[64];
    snprintf(text, sizeof text, "%s %s", what, name[i]);
    if (strstr(text, only))
      report(text, &job);
  }
}

static void bench_o2c_matmul_f32(void)
{
  bench_product("matmul", run_matmul, 1);
}

typedef struct { float *x, *y, *room; o2c_attention_f32_p p; } Heads;

static void run_attention(void *arg)
{
  Heads *v = (Heads *)arg;
  o2c_attention_f32(v->x, v->x + 49152, v->x + 98304, NULL, v->x, NULL, v->y,
                    v->room, &v->p);
}

/* 12 heads of 32 within rows of 384, 32 and 128 of them. */
static void bench_o2c_attention_f32(void)
{
  for (int s = 32; s <= 128; s += 96) {
    Heads v = {floats(1 << 18), floats(1 << 16), floats(1 << 16),
               {1, 12, 12, s, s, 32, 32, s, 0, 32, 384, 0, 32, 384, 1, 0, 32,
                384, 1, 0, 32, 384, 0, 0, 0, 1, 0, -1, -1, 0, 1, .18f, 0.0f}};
    const Job job = {run_attention, &v, 12.0 * 4.0 * 32.0 * s * s, "GFLOP/s"};
    char text[64];
    snprintf(text, sizeof text, "attention %d", s);
    if (strstr(text, only))
      report(text, &job);
  }
}

static void bench_o2c_pack_panels_f32(void)
{
  bench_product("pack_panels", run_panels, 0);
}

#include "bench_dense.h"
#include "bench_linear.h"
#include "bench_distance.h"
#include "bench_topk.h"
#include "bench_svm.h"
#include "bench_trees.h"

/* ---- softmax and functions: Gelem/s ---- */

static void run_softmax(void *arg)
{
  Image *v = (Image *)arg;
  o2c_softmax_f32(v->x, v->y, v->rows, v->n, v->inner);
}

static void run_log_softmax(void *arg)
{
  Image *v = (Image *)arg;
  o2c_log_softmax_f32(v->x, v->y, v->rows, v->n, v->inner);
}

static void bench_softmax(const char *what, void (*run)(void *))
{
  static const int64_t shapes[][3] = {
    {1536, 128, 1}, {1, 1000, 1}, {64, 10, 1}, {1, 21, 4096}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    Image v;
    Job job = {run, &v, 0, "Gelem/s"};
    char name[64];
    snprintf(name, sizeof name, "%s %dx%dx%d", what, (int)shapes[i][0],
             (int)shapes[i][1], (int)shapes[i][2]);
    if (!strstr(name, only))
      continue;
    v = image(512, 1);
    v.rows = shapes[i][0];
    v.n = shapes[i][1];
    v.inner = shapes[i][2];
    job.work = (double)(v.rows * v.n * v.inner);
    report(name, &job);
    image_free(&v);
  }
}

static void bench_o2c_softmax_f32(void)
{
  bench_softmax("softmax", run_softmax);
}

static void bench_o2c_log_softmax_f32(void)
{
  bench_softmax("log_softmax", run_log_softmax);
}

/* ---- normalisation: GB/s ---- */

typedef struct { float *x, *y; int64_t rows, n; int kind; } NormRun;

static void run_norm(void *arg)
{
  NormRun *v = (NormRun *)arg;
  if (v->kind == 0)
    o2c_layer_norm_f32(v->x, v->x, v->x, v->y, NULL, NULL, v->rows, v->n,
                       1e-5f);
  else if (v->kind == 1)
    o2c_rms_norm_f32(v->x, v->x, v->y, v->rows, v->n, 1e-5f);
  else
    o2c_group_norm_f32(v->x, v->x, v->x, v->y, 1, v->rows / 4, 4, v->n, 0,
                       1e-5f);
}

static void bench_norm(const char *what, int kind)
{
  static const int64_t shape[][2] = {{128, 384}, {128, 768}, {64, 3136}};
  for (int i = 0; i < 3; i++) {
    const int64_t rows = shape[i][0], n = shape[i][1];
    NormRun v = {floats((size_t)(rows * n)), floats((size_t)(rows * n)), rows,
                 n, kind};
    const Job job = {run_norm, &v, 8.0 * (double)(rows * n), "GB/s"};
    char name[64];
    snprintf(name, sizeof name, "%s %d x %d", what, (int)rows, (int)n);
    if (strstr(name, only))
      report(name, &job);
  }
}

static void bench_o2c_layer_norm_f32(void) { bench_norm("layer_norm", 0); }
static void bench_o2c_rms_norm_f32(void) { bench_norm("rms_norm", 1); }
static void bench_o2c_group_norm_f32(void) { bench_norm("group_norm", 2); }

static void run_lrn(void *arg)
{
  NormRun *v = (NormRun *)arg;
  const int64_t last = v->kind;
  o2c_lrn_f32(v->x, v->y, v->y + 55 * 55 * 96, last ? 55 * 55 : 1, 96,
              last ? 1 : 55 * 55, 5, 2e-5f, 0.75f, 1.0f);
}

static void bench_o2c_lrn_f32(void)
{
  for (int last = 0; last < 2; last++) {
    NormRun v = {floats(55 * 55 * 96), floats(55 * 55 * 96 + 256), 0, 0, last};
    const Job job = {run_lrn, &v, 8.0 * 55 * 55 * 96, "GB/s"};
    const char *name = last ? "lrn channels last" : "lrn channels first";
    if (strstr(name, only))
      report(name, &job);
  }
}

/* kind: bytes of an element. */
static void run_transpose(void *arg)
{
  NormRun *v = (NormRun *)arg;
  o2c_transpose(v->x, v->y, v->kind, v->rows, v->n, v->n, v->rows);
}

static void bench_o2c_transpose(void)
{
  for (int size = 1; size <= 8; size *= 2) {
    NormRun v = {floats(2 * 196 * 768), floats(2 * 196 * 768), 196, 768, size};
    const Job job = {run_transpose, &v, 2.0 * size * 196 * 768, "GB/s"};
    char name[64];
    snprintf(name, sizeof name, "transpose 196 x 768, %d bytes", size);
    if (strstr(name, only))
      report(name, &job);
  }
}

/* 64 maps of 56 x 56, one more on each side; kind: the mode. */
static void run_pad_any(void *arg)
{
  static const int64_t dim[] = {64, 56, 56}, by[] = {0, 1, 1};
  NormRun *v = (NormRun *)arg;
  const o2c_pad_p p = {3, v->kind, 4, 4};
  o2c_pad(v->x, NULL, v->y, &p, dim, by, by);
}

static void bench_o2c_pad(void)
{
  for (int mode = 0; mode < 2; mode++) {
    NormRun v = {floats(64 * 56 * 56), floats(64 * 58 * 58), 0, 0, mode};
    const Job job = {run_pad_any, &v, 4.0 * 64 * (56 * 56 + 58 * 58), "GB/s"};
    const char *name = mode ? "pad, reflected" : "pad, constant";
    if (strstr(name, only))
      report(name, &job);
  }
}

static void run_reduce(void *arg)
{
  NormRun *v = (NormRun *)arg;
  if (v->kind)
    o2c_reduce_max_f32(v->x, v->y, 1, v->rows, v->n, 1.0f);
  else
    o2c_reduce_sum_f32(v->x, v->y, v->rows, v->n, 1, 1.0f);
}

static void bench_reduce(const char *what, int kind)
{
  NormRun v = {floats(128 * 768), floats(768), 128, 768, kind};
  const Job job = {run_reduce, &v, 4.0 * 128 * 768, "GB/s"};
  if (strstr(what, only))
    report(what, &job);
}

/* 40 x 40 x 96 to twice the size, and one channel of 160 x 160. */
typedef struct { float *x, *y, *room; int32_t *at; int linear, c; } ResizeRun;

static void run_resize(void *arg)
{
  static const float how[8] = {2, 2, 0, 1, 2, 2, 0, 1};
  const ResizeRun *v = (const ResizeRun *)arg;
  const int64_t s = v->c == 1 ? 160 : 40, c = v->c;
  const o2c_resize_p p = {1, s, s, v->linear ? c : 4 * c, 2 * s, 2 * s,
                          O2C_RS_HALF_PIXEL, O2C_RS_FLOOR};
  if (v->linear)
    o2c_resize_linear_f32(v->x, v->y, v->at, v->room, how, &p);
  else
    o2c_resize_nearest(v->x, v->y, v->at, how, &p);
}

static void bench_resize(const char *what, int linear, int c)
{
  const int s = c == 1 ? 160 : 40;
  ResizeRun v = {floats((size_t)(s * s * c)), floats((size_t)(4 * s * s * c)),
                 floats((size_t)(4 * s + s * c)), NULL, linear, c};
  const Job job = {run_resize, &v, 16.0 * s * s * c, "GB/s"};
  v.at = (int32_t *)floats((size_t)(8 * s));
  if (strstr(what, only))
    report(what, &job);
}

static void bench_o2c_resize_nearest(void)
{
  bench_resize("nearest 80x80x96", 0, 96);
  bench_resize("nearest 320x320", 0, 1);
}

static void bench_o2c_resize_linear_f32(void)
{
  bench_resize("linear 80x80x96", 1, 96);
  bench_resize("linear 320x320", 1, 1);
}

static void bench_o2c_reduce_sum_f32(void) { bench_reduce("sum rows", 0); }
static void bench_o2c_reduce_max_f32(void) { bench_reduce("max columns", 1); }

static void bench_function(const char *name, void (*run)(void *))
{
  Image v;
  Job job = {run, &v, 4096.0, "Gelem/s"};
  if (!strstr(name, only))
    return;
  v = image(64, 1);
  report(name, &job);
  image_free(&v);
}

#include "bench_recurrent.h"
#include "bench_short.h"
#include "bench_winograd.h"

#define FUNCTION(f) \
  static void run_##f(void *arg) \
  { Image *v = (Image *)arg; \
    for (int i = 0; i < 4096; i++) v->y[i] = f(v->x[i]); } \
  static void bench_##f(void) { bench_function(#f, run_##f); }
FUNCTION(o2c_expf)
FUNCTION(o2c_logf)
FUNCTION(o2c_tanhf)
FUNCTION(o2c_sigmoidf)
FUNCTION(o2c_erff)
FUNCTION(o2c_expm1f)
FUNCTION(o2c_softplusf)
#define o2c_swish1(x) o2c_swishf(x, 1.702f)
FUNCTION(o2c_swish1)
#define bench_o2c_swishf bench_o2c_swish1
FUNCTION(o2c_geluf)
FUNCTION(o2c_gelu_tanhf)
FUNCTION(o2c_mishf)
FUNCTION(o2c_sinf)
FUNCTION(o2c_cosf)

#include "bench_bf16.h"
#include "bench_fft.h"
#include "bench_str.h"

int main(int argc, char **argv)
{
  if (argc > 1)
    only = argv[1];
#define BENCH_f32(function) bench_##function();
#define BENCH_u8(function)
#define BENCH_str(function) bench_##function();
#define KERNEL(function, type, file, what) BENCH_##type(function)
#include "../../runtime_min/kernels/kernels.def"
#undef KERNEL
  return 0;
}
