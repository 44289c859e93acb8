m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/softmax.m4: Softmax and its kin, by kernels/cuda/softmax.h, written by
codegen/cuda/softmax.c.
  TYPE KIND  of the kernel               OUTER LENGTH INNER  the shape
  SHARE      threads of a row            HELD  elements of each in registers
  SHORT      1: a warp where a run's rows are short, a block else
m4_define(<%G_CUDA_SOFTMAX_ROWS%>, <%m4_dnl
static __global__ void $1(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  o2c_softmax_rows<G_TYPE, G_INDEX, $2, G_HELD, G_KIND>(x, y, G_OUTER,
                                                        G_LENGTH);
}
%>)
m4_define(<%G_CUDA_SOFTMAX%>, <%m4_dnl
G_CUDA_SOFTMAX_ROWS(G_KERNEL_NAME, G_SHARE)m4_dnl
G_IF(G_SHORT, <%G_CUDA_SOFTMAX_ROWS(G_KERNEL_NAME<%%>_2, 32)%>)m4_dnl
G_FUNCTION
{
G_IF(G_SHORT, <%m4_dnl
  if (G_LENGTH <= 512) {
    O2C_SPREAD_ROWS(cu, G_KERNEL_NAME<%%>_2, 32, G_OUTER, G_ARGUMENTS);
    return;
  }
%>)m4_dnl
  O2C_SPREAD_ROWS(cu, G_KERNEL_NAME, G_SHARE, G_OUTER, G_ARGUMENTS);
}
%>)

m4_define(<%G_CUDA_SOFTMAX_COLUMNS%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  o2c_softmax_columns<G_TYPE, G_INDEX, G_KIND>(x, y, G_OUTER, G_LENGTH,
                                               G_INNER);
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, INT64_C(1) * G_OUTER * G_INNER, G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
