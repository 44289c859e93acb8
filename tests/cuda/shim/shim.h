/* SPDX-License-Identifier: Apache-2.0 */
/* shim.h: what the parts of the shim have of each other: shim.cpp runs
 * kernels, o2c_cuda_shim.cpp is the runtime, o2c_cuda_calls.cpp and
 * o2c_cuda_lib.cpp do what libraries do on a GPU, o2c_cuda_api.cpp what CUDA
 * itself does. shim_all.cpp is all of them in one unit. */
#ifndef O2C_SHIM_H
#define O2C_SHIM_H
#include "cuda_runtime.h"
#include "o2c_cuda.h"

namespace o2c_shim {

/* O2C_SHIM_ORDER: in which order threads and blocks run. */
enum order_mode { order_ascending = 0, order_descending = 1, order_random = 2 };

void run(const char *name, dim3 grid, dim3 block,
         const std::function<void()> &body, order_mode mode, uint64_t seed);

/* The calculations of o2c_cuda_conv and so on; they check nothing. */
void conv(const o2c_cuda_conv_p &p, const void *x, const void *w,
          const void *bias, const void *residual, void *y);
void matmul(const o2c_cuda_matmul_p &p, const void *x, const void *w,
            const void *bias, const void *residual, void *y);
void sdpa(const o2c_cuda_sdpa_p &p, const void *q, const void *k,
          const void *v, const void *mask, void *y);

} // namespace o2c_shim

#endif
