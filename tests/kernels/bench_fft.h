/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: frames of speech and music by
 * fft_f32.h; an operation is one of the 5/2 n log2 n of a real transform. */
#ifndef O2C_BENCH_FFT_H
#define O2C_BENCH_FFT_H
#include "../../runtime_min/kernels/fft_f32.h"
#include "fft_table.h"

typedef struct {
  float *x, *w, *y, *table, *room;
  int64_t factor[64];
  o2c_fft f;
} Frames;

static void run_fft(void *arg)
{
  Frames *v = (Frames *)arg;
  o2c_fft_f32(v->x, v->w, v->y, v->table, v->room, v->factor, &v->f);
}

static void bench_o2c_fft_f32(void)
{
  static const int64_t length[][2] = {
    {400, 98}, {512, 98}, {2048, 40}, {1024, 1}};
  for (size_t i = 0; i < sizeof length / sizeof *length; i++) {
    const int64_t n = length[i][0], frames = length[i][1], bins = n / 2 + 1;
    Frames v;
    char text[64];
    const Job job = {run_fft, &v,
                     2.5 * (double)(n * frames) * log2((double)n), "GFLOP/s"};
    snprintf(text, sizeof text, "fft %d of %d", (int)frames, (int)n);
    if (!strstr(text, only))
      continue;
    v.f = (o2c_fft){n, 1, frames, 0, 160, 1, 0, 2 * bins, 2, n, 1, bins, 2, 0,
                    0, 16};
    v.x = floats((size_t)(160 * frames + n));
    v.w = floats((size_t)n);
    v.y = floats((size_t)(2 * bins * frames));
    v.room = floats((size_t)(64 * n));
    v.table = floats((size_t)fft_factors(n, v.factor) + 1);
    fft_table(n, v.factor, v.table);
    report(text, &job);
  }
}

#endif
