m4_divert(-1)
SPDX-License-Identifier: 0BSD
file.cu.m4: the skeleton of a model's CUDA file, and what all its steps are.
Texts are written by codegen/emit_cu.c.
m4_define(<%G_FILE_CU_TOP%>, <%m4_dnl
/* SPDX-License-Identifier: 0BSD */
/* G_DEVICE_FILE: what runs on the GPU of the model in G_MODEL_FILE. C++17;
 * build it by nvcc beside G_SOURCE_FILE and o2c_cuda.c.
G_PROVENANCE */
#include "G_HEADER_FILE"

#include <cuda_runtime.h>
#include <math.h>
#include <string.h>

@@O2C_KERNELS@@
G_SIZES<%%>m4_dnl
%>)
m4_define(<%G_FILE_CU_END%>, <%G_REGIONS%>)

G_CUDA_STEP(macro): a kernel, if the step has one of its own, and the function
that launches it.
m4_define(<%G_CUDA_STEP%>, <%
G_BANNER
m4_indir(<%$1%>)<%%>%>)

G_GRID(count, body): a kernel whose threads take elements e = 0.. of count, in
any order, and its launch.
m4_define(<%G_GRID%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const G_INDEX count = $1;
  for (G_INDEX e = o2c_thread(); e < count; e += o2c_threads()) {
$2<%%>m4_dnl
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, $1, G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
