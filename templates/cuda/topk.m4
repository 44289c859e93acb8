m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/topk.m4: TopK by kernels/cuda/topk.h, written by codegen/cuda/topk.c.
  TYPE LARGEST        of the kernel      GIVEN VALUES INDICES  operands, or NULL
  OUTER LENGTH INNER  the shape          TAKEN  how many of LENGTH are wanted
  SORTED  1: rows are sorted; 0: searched; "": as a run's rows are long
  MOST    elements that can be sorted    THREADS  of a block that sorts
m4_define(<%G_CUDA_TOPK_KERNEL%>, <%m4_dnl
static __global__ void $1(G_KERNEL_PARAMETERS, int *fault)
{
G_KERNEL_OPEN<%%>m4_dnl
  o2c_topk<G_TYPE, G_LARGEST, $2>(x, G_GIVEN, G_VALUES, G_INDICES,
    G_OUTER, G_LENGTH, G_INNER, G_TAKEN, fault);
}
%>)
m4_define(<%G_CUDA_TOPK_LAUNCH%>, <%m4_dnl
  O2C_LAUNCH(cu, $1, o2c_blocks(INT64_C(1) * G_OUTER * G_INNER, 1), $2,
             G_ARGUMENTS, o2c_cuda_fault(cu));
%>)
m4_define(<%G_CUDA_TOPK%>, <%m4_dnl
m4_ifelse(G_SORTED, <%0%>, <%%>,
  <%G_CUDA_TOPK_KERNEL(G_KERNEL_NAME, true)%>)m4_dnl
m4_ifelse(G_SORTED, <%1%>, <%%>,
  <%G_CUDA_TOPK_KERNEL(G_KERNEL_NAME<%%>_2, false)%>)m4_dnl
G_FUNCTION
{
m4_ifelse(G_SORTED, <%1%>, <%G_CUDA_TOPK_LAUNCH(G_KERNEL_NAME, G_THREADS)%>,
  G_SORTED, <%0%>, <%G_CUDA_TOPK_LAUNCH(G_KERNEL_NAME<%%>_2, 256)%>, <%m4_dnl
  if (G_LENGTH <= G_MOST) {
    G_CUDA_TOPK_LAUNCH(G_KERNEL_NAME, G_THREADS)m4_dnl
  } else {
    G_CUDA_TOPK_LAUNCH(G_KERNEL_NAME<%%>_2, 256)m4_dnl
  }
%>)m4_dnl
}
%>)
m4_divert(0)m4_dnl
