/* SPDX-License-Identifier: 0BSD */
/* Complex numbers; apart from base.h, because weights have these types, too. */
#ifndef O2C_REF_C64_H
#define O2C_REF_C64_H
typedef struct {
  float re, im;
} o2c_c64;
typedef struct {
  double re, im;
} o2c_c128;
#endif
