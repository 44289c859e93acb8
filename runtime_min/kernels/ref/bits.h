/* SPDX-License-Identifier: 0BSD */
/* A float's bits, and back. */
#ifndef O2C_REF_BITS_H
#define O2C_REF_BITS_H
#include <stdint.h>
#include "base.h"

O2C_UNUSED static uint32_t o2c_bits_f32(float v) {
  uint32_t u;
  memcpy(&u, &v, 4);
  return u;
}

O2C_UNUSED static float o2c_float_of_bits(uint32_t u) {
  float v;
  memcpy(&v, &u, 4);
  return v;
}
#endif
