m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/ref.m4: calls of reference kernels by one thread, written by codegen/ref.c.
  BODY    the calls, with the local arrays that they read
m4_define(<%G_CUDA_REF%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *const fault)
{
G_KERNEL_OPEN<%%>m4_dnl
  (void)fault;
G_BODY<%%>m4_dnl
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, 1, 1, G_ARGUMENTS, o2c_cuda_fault(cu));
}
%>)
m4_divert(0)m4_dnl
