/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_runtime.h of the tests' shim: what a generated .cu needs of CUDA, so
 * that a plain C++17 compiler builds it and a machine without a GPU runs it.
 * Kernels become functions; the threads of a block take turns on fibers that
 * shim.cpp switches at barriers, shuffles and votes. Only what CUDA itself
 * offers is here, with its signatures: code that compiles with the shim should
 * compile with nvcc too. A C file may include it for the few calls of the
 * runtime that a test needs to have memory and streams of its own. */
#ifndef O2C_SHIM_CUDA_RUNTIME_H
#define O2C_SHIM_CUDA_RUNTIME_H
#define O2C_SHIM 1
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CUstream_st *cudaStream_t;
typedef enum {
  cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidResourceHandle = 400
} cudaError_t;
typedef enum {
  cudaMemcpyHostToHost = 0, cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3,
  cudaMemcpyDefault = 4
} cudaMemcpyKind;

cudaError_t cudaMalloc(void **p, size_t bytes);
cudaError_t cudaFree(void *p);
cudaError_t cudaMallocHost(void **p, size_t bytes);
cudaError_t cudaFreeHost(void *p);
/* Waits for no stream, as those of a model are non-blocking ones. */
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes,
                       cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes,
                            cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemset(void *p, int byte, size_t bytes);
cudaError_t cudaStreamCreate(cudaStream_t *stream);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaDeviceSynchronize(void);
cudaError_t cudaGetLastError(void);
const char *cudaGetErrorString(cudaError_t error);

/* For tests: what is allocated (contexts, streams, blocks of device memory),
 * and what has happened in this process so far. */
long o2c_shim_live(void);
long o2c_shim_launches(void);
long o2c_shim_replays(void);

#ifdef __cplusplus
}

/* The library's headers come before the keywords below. */
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <tuple>
#include <type_traits>
#include <math.h>
#include <stdlib.h>

#define __global__ __attribute__((unused))
#define __device__
#define __host__
#define __managed__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
/* One copy will do: blocks run one after the other. */
#define __shared__ static

/* Blocks that a launch of a grid-stride kernel gets at most: few, since each
 * thread costs time here, but more than one. */
#define O2C_MAX_BLOCKS 3

#include "o2c_shim_vector.h"

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
static constexpr int warpSize = 32;

typedef struct o2c_cuda o2c_cuda;
extern "C" void o2c_cuda_launched(o2c_cuda *cu);

namespace o2c_shim {

/* What a thread waits in: barriers of the block, then of a warp. */
enum wait_kind {
  wait_threads, wait_count, wait_and, wait_or, wait_warp, wait_shfl,
  wait_shfl_up, wait_shfl_down, wait_shfl_xor, wait_ballot, wait_any, wait_all,
  wait_mma
};

/* Waits for the block's threads that have not returned; of their predicates,
 * the number that hold and below it whether all do. */
struct tally {
  int count, all;
};
tally barrier(wait_kind kind, int predicate, int line);
/* Waits for the lanes of mask; the value that lane `from` brought, or, of a
 * vote, the lanes whose value is not 0, and above them all that took part. */
uint64_t warp(wait_kind kind, unsigned mask, uint64_t value, int from,
              int line);
int lane();
unsigned alive_lanes();
[[noreturn]] void trap();

/* Puts a launch on the context's stream. */
void launch(o2c_cuda *cu, const char *name, dim3 grid, dim3 block,
            std::function<void()> thread);

/* Has the kernel's parameters for its own, so that arguments convert as they
 * do in <<< >>>, and keeps them by value: a replay sees those of the launch. */
template <class... P> struct launcher {
  o2c_cuda *cu;
  const char *name;
  void (*kernel)(P...);
  dim3 grid, block;
  void operator()(P... p) const
  {
    launch(cu, name, grid, block,
           [k = kernel, t = std::tuple<P...>(p...)] { std::apply(k, t); });
    o2c_cuda_launched(cu);
  }
};

template <class... P>
launcher<P...> prepare(o2c_cuda *cu, const char *name, void (*kernel)(P...),
                       dim3 grid, dim3 block)
{
  return launcher<P...>{ cu, name, kernel, grid, block };
}

} // namespace o2c_shim

#define O2C_LAUNCH(cu, kernel, grid, block, ...) \
  (o2c_shim::prepare(cu, #kernel, kernel, grid, block)(__VA_ARGS__))

#include "o2c_shim_device.h"
#endif
#endif
