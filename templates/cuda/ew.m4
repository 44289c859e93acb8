m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/ew.m4: elementwise chains, an element a thread at a time. The lines are
those of c/ew.m4, by codegen/cpu/ew.c.
  COUNT  elements of the output
  HEAD   sizes held in variables
  BODY   element e: its indices, operands and expressions
m4_define(<%G_CUDA_EW%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_HEAD<%%>m4_dnl
  const G_INDEX count = G_COUNT;
  for (G_INDEX e = o2c_thread(); e < count; e += o2c_threads()) {
G_BODY<%%>m4_dnl
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_COUNT, 256), 256, G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
