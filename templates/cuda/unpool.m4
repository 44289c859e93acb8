m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/unpool.m4: MaxUnpool and Col2Im, written by codegen/cuda/unpool.c.

MaxUnpool: each place remembers the last index that names it. IN is the shape
that indices count in, OUT that of y, of RANK axes.
m4_define(<%G_CUDA_UNPOOL%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>_none(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  for (int64_t e = o2c_thread(); e < G_PLACES; e += o2c_threads())
    last[e] = -1;
}
static __global__ void G_KERNEL_NAME<%%>_last(G_KERNEL_PARAMETERS, int *fault)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  const int64_t in[] = { G_IN }, out[] = { G_OUT };
  const int64_t most = o2c_numel(G_RANK, in), count = G_COUNT;
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
    int64_t rest = index[e], at = 0, scale = 1;
    bool good = rest >= 0 && rest < most;
    for (int j = G_RANK - 1; j >= 0 && good; j--) {
      good = rest % in[j] < out[j];
      at += rest % in[j] * scale;
      scale *= out[j];
      rest /= in[j];
    }
    if (good)
      o2c_last(last + at, e);
    else
      *fault = (int)O2C_E_DATA;
  }
}
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  for (int64_t e = o2c_thread(); e < G_PLACES; e += o2c_threads())
    y[e] = last[e] < 0 ? (G_T)0 : x[last[e]];
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME<%%>_none, G_PLACES, G_ARGUMENTS);
  O2C_SPREAD(cu, G_KERNEL_NAME<%%>_last, G_COUNT, G_ARGUMENTS,
             o2c_cuda_fault(cu));
  O2C_SPREAD(cu, G_KERNEL_NAME, G_PLACES, G_ARGUMENTS);
}
%>)

Col2Im: a pixel a thread, by the functions of ref/unpool.h. IMAGES [ROWS,
BLOCKS] become C channels of PIXELS each; lists of AXES numbers.
m4_define(<%G_CUDA_COL2IM%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *fault)
{
G_KERNEL_OPEN<%%>m4_dnl
  const int64_t in[] = { G_IN }, begin[] = { G_BEGIN }, end[] = { G_END };
  const int64_t stride[] = { G_STRIDE }, dilation[] = { G_DILATION };
  const int64_t blocks = G_BLOCKS, pixels = G_PIXELS;
  const int64_t count = G_COUNT;
  const int64_t taps = o2c_ref_col2im_taps_<%%>G_ELEMENT<%%>(
    block, G_C, G_ROWS, blocks, G_AXES, in, begin, end, stride, dilation);
  if (!taps) {
    *fault = (int)O2C_E_SHAPE;
    return;
  }
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads())
    y[e] = o2c_ref_col2im_sum_<%%>G_ELEMENT<%%>(
      x + e / pixels * taps * blocks, e % pixels, taps, blocks, G_AXES, in,
      block, begin, end, stride, dilation);
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS,
             o2c_cuda_fault(cu));
}
%>)
m4_divert(0)m4_dnl
