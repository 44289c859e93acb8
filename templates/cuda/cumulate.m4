m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/cumulate.m4: CumSum and CumProd by kernels/cuda/cumulate.h, and Trilu;
written by codegen/cuda/cumulate.c.
  TYPE PRODUCT REVERSE EXCLUSIVE  of the kernel   OUTER LENGTH INNER  the shape
  WAY  o2c_cumulate_rows(.. or o2c_cumulate_columns(.., without arguments
  THREADS  of the launch                          ARGS  of the kernel
m4_define(<%G_CUDA_CUMULATE%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  G_WAY<%%><G_TYPE, G_INDEX, G_PRODUCT, G_REVERSE, G_EXCLUSIVE>(
    x, y, G_ARGS);
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_THREADS, G_ARGUMENTS);
}
%>)

An axis that the run tells: DIM is the shape, of RANK axes.
m4_define(<%G_CUDA_CUMULATE_DATA%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *fault)
{
G_KERNEL_OPEN<%%>m4_dnl
  const int64_t dim[] = { G_DIM }, rank = G_RANK;
  const int64_t at = *axis < 0 ? *axis + rank : *axis;
  if (at < 0 || at >= rank) {
    *fault = (int)O2C_E_DATA;
    return;
  }
  o2c_cumulate_columns<G_TYPE, int64_t, G_PRODUCT, G_REVERSE, G_EXCLUSIVE>(
    x, y, o2c_numel(at, dim), dim[at], o2c_numel(rank - at - 1, dim + at + 1));
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_THREADS, G_ARGUMENTS, o2c_cuda_fault(cu));
}
%>)

Trilu: column c of row r stays where c - r is at least, or at most, `shift`.
m4_define(<%G_CUDA_TRILU%>, <%G_GRID(G_COUNT, <%m4_dnl
    const int64_t c = e % G_COLS, r = e / G_COLS % G_ROWS;
    y[e] = (c - r G_KEEPS G_SHIFT) ? x[e] : (G_T)0;
%>)%>)
m4_divert(0)m4_dnl
