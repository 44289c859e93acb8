/* SPDX-License-Identifier: Apache-2.0 */
/* Part of bench_f32.c, which includes it: conv_short_f32.h, on the shapes that
   strips of MobileNetV2 have. */
#ifndef O2C_BENCH_SHORT_H
#define O2C_BENCH_SHORT_H
#include "../../runtime_min/kernels/conv_short_f32.h"

static void run_short(void *arg)
{
  Conv *v = (Conv *)arg;
  o2c_short_f32(v->x, v->w, v->bias, v->y, &v->p);
}

static void bench_o2c_short_f32(void)
{
  static const ConvShape shapes[] = {
    {"short 3x3/2 112 3>32", 112, 3, 32, 3, 2, 0},
    {"short 1x1 5x112 16>96", 5, 16, 96, 1, 1, 112},
    {"short 1x1 6x56 24>144", 6, 24, 144, 1, 1, 56},
  };
  bench_convs(shapes, sizeof shapes / sizeof *shapes, run_short);
}

#endif
