m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/quantize.m4: written by codegen/cuda/quantize.c.

DynamicQuantizeLinear, by kernels/cuda/quantize.h.
  COUNT  elements      SCALE ZERO  outputs, or NULL
m4_define(<%G_CUDA_DYNAMIC_QUANTIZE%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  (void)y, (void)G_SCALE, (void)G_ZERO;
  o2c_dynamic_range(x, range, G_COUNT);
}
static __global__ void G_KERNEL_NAME<%%>_2(G_KERNEL_PARAMETERS, int ranges)
{
G_KERNEL_OPEN<%%>m4_dnl
  o2c_dynamic_quantize(x, range, y, G_SCALE, G_ZERO, G_COUNT, ranges);
}
G_FUNCTION
{
  unsigned ranges = o2c_blocks(G_COUNT, 1024);
  if (ranges > (unsigned)O2C_RANGES)
    ranges = (unsigned)O2C_RANGES;
  O2C_LAUNCH(cu, G_KERNEL_NAME, ranges, 256, G_ARGUMENTS);
  O2C_LAUNCH(cu, G_KERNEL_NAME<%%>_2, o2c_blocks(G_COUNT, 1024), 256,
             G_ARGUMENTS, (int)ranges);
}
%>)

QuantizeLinear and DequantizeLinear of types and shapes of scales that chains
have no expression for. Element e = (o, i, k) of [outer, N, INNER] has scale
number `at`.
  COUNT  elements       SO SA SI BLOCK  how scales lie     VALUE  of y[e]
m4_define(<%G_CUDA_QUANTIZE%>, <%G_GRID(G_COUNT, <%m4_dnl
    const int64_t i = e / G_INNER % G_N, k = e % G_INNER;
    const int64_t at = e / G_INNER / G_N * G_SO + i / G_BLOCK * G_SA + k * G_SI;
    y[e] = G_VALUE;
%>)%>)
m4_divert(0)m4_dnl
