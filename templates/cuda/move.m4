m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/move.m4: elements moved between layouts, by codegen/cuda/move.c: move
number blockIdx.y of the node, an element or a word of several a thread at a
time, or tiles of a matrix.
  MOVES  how many        COUNT  turns of a thread of the largest
  TILES  some go by tiles, of WORD
  BODY   the moves
m4_define(<%G_CUDA_MOVE%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
G_IF(G_TILES, <%m4_dnl
  /* A column more than threads: those of a column then use all banks. */
  __shared__ G_WORD tile[32][33];
%>)m4_dnl
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

All of x, in WORDS words, where cond holds, else of other.
m4_define(<%G_CUDA_SELECT%>, <%G_GRID(G_WORDS, <%m4_dnl
    ((G_WORD *)y)[e] = ((const G_WORD *)(*cond ? x : other))[e];
%>)%>)

All of x, in WORDS words, where cond is ON.
m4_define(<%G_CUDA_REQUIRE%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *const fault)
{
G_KERNEL_OPEN<%%>m4_dnl
  if ((*cond != 0) != G_ON) {
    *fault = (int)O2C_E_SHAPE;
    return;
  }
  for (G_INDEX e = (G_INDEX)o2c_thread(); e < G_WORDS;
       e += (G_INDEX)o2c_threads())
    ((G_WORD *)y)[e] = ((const G_WORD *)x)[e];
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_WORDS, 256), 256, G_ARGUMENTS,
             o2c_cuda_fault(cu));
}
%>)

G_CUDA_INDEX(name, value)
m4_define(<%G_CUDA_INDEX%>, <%      const G_INDEX $1 = $2;
%>)

G_CUDA_MOVE_ONE(number, count, lines, to, from)
m4_define(<%G_CUDA_MOVE_ONE%>, <%m4_dnl
  case $1:
    for (G_INDEX e = (G_INDEX)o2c_thread(); e < $2;
         e += (G_INDEX)o2c_threads()) {
$3<%%>m4_dnl
      $4 = $5;
    }
    break;
%>)

G_CUDA_MOVE_TILES(number, tiles, wide, high, lines, rows, columns, to, from,
row's axis, column's axis): columns follow each other in the output, rows in
the input. A warp reads 32 rows of a column, and writes 32 columns of a row.
m4_define(<%G_CUDA_MOVE_TILES%>, <%m4_dnl
  case $1:
    for (G_INDEX t = blockIdx.x; t < $2; t += gridDim.x) {
      const G_INDEX column = t % $3 * 32, row = t / $3 % $4 * 32;
      const G_INDEX image = t / $3 / $4;
      const int lane = (int)threadIdx.x % 32;
      (void)image;
$5<%%>m4_dnl
      for (int k = (int)threadIdx.x / 32; k < 32; k += 8) {
        const G_INDEX i$10 = row + lane, i$11 = column + k;
        if (i$10 < $6 && i$11 < $7)
          tile[k][lane] = $9;
      }
      __syncthreads();
      for (int k = (int)threadIdx.x / 32; k < 32; k += 8) {
        const G_INDEX i$10 = row + k, i$11 = column + lane;
        if (i$10 < $6 && i$11 < $7)
          $8 = tile[lane][k];
      }
      __syncthreads();
    }
    break;
%>)
m4_divert(0)m4_dnl
