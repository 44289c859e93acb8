m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/move.m4: elements moved between layouts, by codegen/cuda/move.c: move
number blockIdx.y of the node, an element a thread at a time.
  MOVES  how many        COUNT  elements of the largest
  BODY   the moves
m4_define(<%G_CUDA_MOVE%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  switch (blockIdx.y) {
G_BODY<%%>m4_dnl
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, dim3(o2c_blocks(G_COUNT, 256), G_MOVES), 256,
             G_ARGUMENTS);
}
%>)

G_CUDA_MOVE_ONE(number, count, lines, to, from)
m4_define(<%G_CUDA_MOVE_ONE%>, <%m4_dnl
  case $1:
    for (G_INDEX e = o2c_thread(); e < $2; e += o2c_threads()) {
$3<%%>m4_dnl
      *($4) = *($5);
    }
    break;
%>)
G_CUDA_MOVE_INDEX(name, value)
m4_define(<%G_CUDA_MOVE_INDEX%>, <%      const G_INDEX $1 = $2;
%>)
m4_divert(0)m4_dnl
