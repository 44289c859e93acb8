/* SPDX-License-Identifier: 0BSD */
/* What trig_f32.h has for CPUs, for GPUs. */
#ifndef O2C_TRIG_F32_H
#define O2C_TRIG_F32_H
#include "attr.h"

O2C_INLINE float o2c_sinf(float x) { return sinf(x); }
O2C_INLINE float o2c_cosf(float x) { return cosf(x); }
#endif
