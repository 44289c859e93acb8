/* SPDX-License-Identifier: Apache-2.0 */
/* fake_all.cpp: the fake as one unit, which nvcc_shim puts beside the real
 * runtime where O2C_SHIM_CUDA names the headers of CUDA. */
#include <math.h>
#include "fake.h"
#include "fake_cuda.cpp"
#include "fake_blas.cpp"
#include "fake_dnn.cpp"
#include "fake_dnn_run.cpp"
