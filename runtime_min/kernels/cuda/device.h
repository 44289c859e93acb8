/* SPDX-License-Identifier: 0BSD */
/* What every kernel of a .cu file needs: which elements a thread takes, how
 * many blocks a launch has, and the launch. Kernels go through their elements
 * in steps of the whole grid, so that any number of threads does. */
#ifndef O2C_DEVICE_H
#define O2C_DEVICE_H
#include "ref/base.h"

#ifndef O2C_MAX_BLOCKS
#define O2C_MAX_BLOCKS 65535
#endif

/* kernel<<<grid, block>>> on the model's stream, with its error taken. */
#ifndef O2C_LAUNCH
#define O2C_LAUNCH(cu, kernel, grid, block, ...) \
  do { \
    kernel<<<grid, block, 0, (cudaStream_t)o2c_cuda_stream(cu)>>>( \
      __VA_ARGS__); \
    o2c_cuda_launched(cu); \
  } while (0)
#endif

/* A function of kernels, and those a kernel may have no use for: nvcc warns of
 * unused static ones, inline or not, unless they are templates. */
#define O2C_DEVICE static __device__ __forceinline__ __attribute__((unused))

/* The first element of this thread, and the way to its next one. */
O2C_DEVICE int64_t o2c_thread(void)
{
  return (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
}
O2C_DEVICE int64_t o2c_threads(void)
{
  return (int64_t)gridDim.x * blockDim.x;
}

/* Blocks of `block` threads for n elements; a launch needs one. */
O2C_UNUSED static unsigned o2c_blocks(int64_t n, int64_t block)
{
  const int64_t want = (n + block - 1) / block;
  return (unsigned)(want < 1 ? 1 : want > O2C_MAX_BLOCKS ? O2C_MAX_BLOCKS
                                                         : want);
}
#endif
