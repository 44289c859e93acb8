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

/* The same for n threads, as many blocks as that takes. */
#define O2C_SPREAD(cu, kernel, n, ...) \
  O2C_LAUNCH(cu, kernel, o2c_blocks(n, o2c_block(n)), o2c_block(n), \
             __VA_ARGS__)
/* The same for rows of `share` threads each: 32, or a block of 256. */
#define O2C_SPREAD_ROWS(cu, kernel, share, rows, ...) \
  O2C_LAUNCH(cu, kernel, \
             o2c_blocks(INT64_C(1) * (share) * (rows), \
                        o2c_row_block(share, rows)), \
             o2c_row_block(share, rows), __VA_ARGS__)

/* Before a loop whose index must be known when compiling, as it goes over an
 * array that is to be held in registers; before one that should have 16 loads
 * on their way. */
#ifdef __CUDACC__
#define O2C_UNROLL _Pragma("unroll")
#define O2C_UNROLL_16 _Pragma("unroll 16")
#else
#define O2C_UNROLL
#define O2C_UNROLL_16
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

/* N elements in one load or store; their address is a multiple of its size. */
template <typename T, int N> struct alignas(N * sizeof(T)) o2c_pack {
  T v[N];
};

/* Threads of a block where there are n in all: small blocks of few, so that
 * there is one for each of a GPU's multiprocessors, some hundred. */
O2C_UNUSED static unsigned o2c_block(int64_t n)
{
  return n <= 1 << 15 ? 64 : n <= 1 << 16 ? 128 : 256;
}

O2C_UNUSED static unsigned o2c_row_block(int64_t share, int64_t rows)
{
  return share > 32 ? 256 : o2c_block(share * rows);
}

/* Blocks of `block` threads for n elements; a launch needs one. */
O2C_UNUSED static unsigned o2c_blocks(int64_t n, int64_t block)
{
  const int64_t want = (n + block - 1) / block;
  return (unsigned)(want < 1 ? 1 : want > O2C_MAX_BLOCKS ? O2C_MAX_BLOCKS
                                                         : want);
}
#endif
