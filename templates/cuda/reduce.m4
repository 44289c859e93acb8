m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/reduce.m4: the Reduce operators, ArgMax and ArgMin, by
kernels/cuda/reduce.h, written by codegen/cuda/reduce.c.
  WAY RED TYPE   of kernels/cuda/reduce.h       SHARE  threads of an output
  KEPT           outputs                        BASE   of output o in x
  OUTER AT       runs, and where run r lies     LENGTH STEP  of a run
  COUNT          elements of an output          PARTS  of a run, if several
  THREADS        of the launch
m4_define(<%G_CUDA_REDUCE%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  typedef G_RED<%%><G_TYPE> Red;
  const int64_t kept = G_KEPT, count = G_COUNT;
  (void)y;
  G_WAY<%%><G_TYPE, Red, G_INDEX, G_SHARE>(x, kept, G_OUTER, G_LENGTH, G_STEP,
    [=](int64_t o) -> int64_t { return G_BASE; },
    [=](int64_t r) -> int64_t { return G_AT; },
    [=](int64_t o, Red::S v, const Red &red) {
G_IF(G_PARTS, <%m4_dnl
      (void)count, (void)red;
      part[blockIdx.y * kept + o] = v;
%>, <%m4_dnl
      y[o] = red.end(v, count);
%>)m4_dnl
    });
}
G_IF(G_PARTS, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>_2(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  (void)x;
  o2c_reduce_parts<G_TYPE, G_RED<%%><G_TYPE>>(part, y, G_KEPT, G_PARTS,
    G_COUNT);
}
%>)m4_dnl
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME,
             dim3(o2c_blocks(G_THREADS, 256), G_IF(G_PARTS, G_PARTS, 1)), 256,
             G_ARGUMENTS);
G_IF(G_PARTS, <%m4_dnl
  O2C_SPREAD_ROWS(cu, G_KERNEL_NAME<%%>_2, 32, G_KEPT, G_ARGUMENTS);
%>)m4_dnl
}
%>)

Axes that the run tells: DIM and OUT are the shapes.
m4_define(<%G_CUDA_REDUCE_DATA%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *fault)
{
G_KERNEL_OPEN<%%>m4_dnl
  const int64_t dim[] = { G_DIM }, out[] = { G_OUT };
  o2c_reduce_axes a;
  if (o2c_reduce_split(&a, axes, G_AXES, G_ALL, G_KEEP, G_RANK, G_OUT_RANK,
                       dim, out))
    o2c_reduce_data<G_TYPE, G_RED<%%><G_TYPE>>(x, y, a);
  else
    *fault = (int)O2C_E_SHAPE;
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_KEPT, G_ARGUMENTS, o2c_cuda_fault(cu));
}
%>)

m4_define(<%G_CUDA_ARG%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  o2c_arg<G_TYPE, G_INDEX, G_SHARE, G_LEAST, G_LAST>(x, y,
    G_OUTER, G_LENGTH, G_INNER);
}
G_FUNCTION
{
  O2C_SPREAD_ROWS(cu, G_KERNEL_NAME, G_SHARE, INT64_C(1) * G_OUTER * G_INNER,
                  G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
