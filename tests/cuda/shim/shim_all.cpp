/* SPDX-License-Identifier: Apache-2.0 */
/* shim_all.cpp: the shim as one unit, which nvcc_shim compiles where it is
 * asked for the runtime's o2c_cuda.c. */
#include "shim.cpp"
#include "o2c_cuda_shim.cpp"
#include "o2c_cuda_api.cpp"
#include "o2c_cuda_calls.cpp"
#include "o2c_cuda_lib.cpp"
