/* SPDX-License-Identifier: 0BSD */
/* o2c_cuda.c: the runtime of models for a GPU in one piece, so that a program
 * has one more file to compile: nvcc main.c net.c net.cu o2c_cuda.c -lcudnn
 * -lcublasLt. The parts stand beside it. */
#include "o2c_cuda_device.c"
#include "o2c_cuda_plan.c"
#include "o2c_cuda_blas.c"
#include "o2c_cuda_graph.c"
#include "o2c_cuda_dnn.c"
