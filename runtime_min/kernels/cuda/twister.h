/* SPDX-License-Identifier: 0BSD */
/* The Mersenne Twister of ref/dropout.h by a block: of 624 words, the first 227
 * new ones depend on old ones only, the next 227 on those, the rest on both. */
#ifndef O2C_CUDA_TWISTER_H
#define O2C_CUDA_TWISTER_H
#include "device.h"

enum { O2C_TWISTER = 624 };

O2C_DEVICE void o2c_twister_seed(uint32_t *s, uint32_t seed)
{
  if (threadIdx.x == 0) {
    s[0] = seed;
    for (int j = 1; j < O2C_TWISTER; j++)
      s[j] = 1812433253u * (s[j - 1] ^ s[j - 1] >> 30) + (uint32_t)j;
  }
  __syncthreads();
}

/* The next words, by a block of 256 threads. */
O2C_DEVICE void o2c_twister_next(uint32_t *s)
{
  for (int from = 0; from < O2C_TWISTER; from += 227) {
    const int i = from + (int)threadIdx.x;
    const bool mine = threadIdx.x < 227 && i < O2C_TWISTER;
    uint32_t v = 0, other = 0;
    if (mine) {
      v = (s[i] & 0x80000000u) | (s[(i + 1) % O2C_TWISTER] & 0x7fffffffu);
      other = s[(i + 397) % O2C_TWISTER];
    }
    __syncthreads();
    if (mine)
      s[i] = other ^ (v >> 1) ^ (v & 1u ? 0x9908b0dfu : 0u);
    __syncthreads();
  }
}

O2C_DEVICE uint32_t o2c_twister_word(uint32_t v)
{
  v ^= v >> 11;
  v ^= v << 7 & 0x9d2c5680u;
  v ^= v << 15 & 0xefc60000u;
  return v ^ v >> 18;
}
#endif
