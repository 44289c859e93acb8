/* SPDX-License-Identifier: 0BSD */
/* A warp's product of bytes by tensor cores: c [16, 8] += a [16, 32] b [32, 8],
 * in int32, which wraps. A word is four bytes along k. Lane 4 g + t has
 *   of a  rows g and g + 8 at byte 4 t, and then both at byte 16 + 4 t
 *   of b  column g at byte 4 t, and at byte 16 + 4 t
 *   of c  columns 2 t and 2 t + 1 of row g, and then of row g + 8
 * All lanes of the warp come here together. */
#ifndef O2C_MMA_H
#define O2C_MMA_H
#include "device.h"

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 750
#error "products of bytes need a GPU of sm_75 or later: nvcc -arch=sm_80"
#endif

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define O2C_MMA_QUARTER(types, c0, c1, a, b) \
  asm volatile("mma.sync.aligned.m8n8k16.row.col.s32." types ".s32 " \
               "{%0, %1}, {%2}, {%3}, {%0, %1};" \
               : "+r"(c0), "+r"(c1) : "r"(a), "r"(b))
#define O2C_MMA(types) \
  do { \
    O2C_MMA_QUARTER(types, c[0], c[1], a[0], b[0]); \
    O2C_MMA_QUARTER(types, c[2], c[3], a[1], b[0]); \
    O2C_MMA_QUARTER(types, c[0], c[1], a[2], b[1]); \
    O2C_MMA_QUARTER(types, c[2], c[3], a[3], b[1]); \
  } while (0)
#elif !defined(O2C_MMA)
#define O2C_MMA(types) \
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32." types ".s32 " \
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, " \
               "{%0, %1, %2, %3};" \
               : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3]) \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), \
                 "r"(b[1]))
#endif

/* A, B: are the bytes of this side signed? */
template <bool A, bool B>
O2C_DEVICE void o2c_mma(int (&c)[4], const unsigned (&a)[4],
                        const unsigned (&b)[2])
{
  if constexpr (A && B)
    O2C_MMA("s8.s8");
  else if constexpr (A)
    O2C_MMA("s8.u8");
  else if constexpr (B)
    O2C_MMA("u8.s8");
  else
    O2C_MMA("u8.u8");
}
#endif
