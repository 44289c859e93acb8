m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/norm.m4: normalisations by kernels/cuda/norm.h, written by
codegen/cuda/norm.c.
  TYPE .. classes of the operands     SHARE  threads of a row
  ROWS    of how many, for the launch

G_CUDA_ROWS(lines): a kernel for rows, and its launch.
m4_define(<%G_CUDA_ROWS%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
$1<%%>m4_dnl
}
G_FUNCTION
{
  O2C_SPREAD_ROWS(cu, G_KERNEL_NAME, G_SHARE, G_ROWS, G_ARGUMENTS);
}
%>)

  HELD WIDE  packs of a thread, and elements of a pack, or 0
m4_define(<%G_CUDA_LAYER_NORM%>, <%G_CUDA_ROWS(<%m4_dnl
m4_ifelse(G_HELD, 0, <%m4_dnl
  o2c_layer_norm<G_TYPE, G_STAT, G_INDEX, G_SHARE>(
    x, scale, G_BIAS, G_Y, G_MEANS, G_INVERSES, G_ROWS, G_COUNT, G_EPSILON,
    [=](int64_t r, int64_t j) -> int64_t { (void)r; return G_SCALE_AT; },
    [=](int64_t r, int64_t j) -> int64_t { (void)r; return G_BIAS_AT; });
%>, <%m4_dnl
  o2c_layer_norm_held<G_TYPE, G_STAT, G_INDEX, G_SHARE, G_HELD, G_WIDE>(
    x, scale, G_BIAS, G_Y, G_MEANS, G_INVERSES, G_ROWS, G_COUNT, G_EPSILON);
%>)m4_dnl
%>)%>)

m4_define(<%G_CUDA_RMS_NORM%>, <%G_CUDA_ROWS(<%m4_dnl
  o2c_rms_norm<G_TYPE, G_OUT, G_REAL, G_INDEX, G_SHARE>(
    x, scale, y, G_ROWS, G_COUNT, G_EPSILON,
    [=](int64_t r, int64_t j) -> int64_t { (void)r; return G_SCALE_AT; });
%>)%>)

m4_define(<%G_CUDA_GROUP_NORM%>, <%G_CUDA_ROWS(<%m4_dnl
  o2c_group_norm<G_TYPE, G_INDEX, G_SHARE, G_PER_GROUP>(
    x, scale, bias, y, G_IMAGES, G_GROUPS, G_CHANNELS, G_SIZE, G_EPSILON);
%>)%>)

m4_define(<%G_CUDA_BATCH_NORM%>, <%G_CUDA_ROWS(<%m4_dnl
  o2c_batch_norm<G_TYPE, G_SCALE_TYPE, G_STAT>(
    x, scale, bias, mean, var, y, G_ROWS, G_CHANNELS, G_SIZE, G_EPSILON);
%>)%>)

m4_define(<%G_CUDA_BATCH_TRAIN%>, <%G_CUDA_ROWS(<%m4_dnl
  o2c_batch_train<G_TYPE, G_SCALE_TYPE, G_STAT, G_SHARE>(
    x, scale, bias, mean, var, y, G_OUT1, G_OUT2, G_OUT3, G_OUT4, G_IMAGES,
    G_ROWS, G_SIZE, G_EPSILON, G_MOMENTUM);
%>)%>)

m4_define(<%G_CUDA_LRN%>, <%G_CUDA_ROWS(<%m4_dnl
  o2c_lrn<G_TYPE>(x, y, G_ROWS, G_CHANNELS, G_SPACE, G_SIZE, G_ALPHA, G_BETA,
                  G_OFFSET);
%>)%>)

m4_define(<%G_CUDA_LP_NORM%>, <%G_CUDA_ROWS(<%m4_dnl
  o2c_lp_norm<G_TYPE, G_INDEX, G_SHARE, G_POWER>(x, y, G_OUTER, G_LENGTH,
                                                 G_INNER);
%>)%>)

m4_define(<%G_CUDA_MEAN_VARIANCE%>, <%G_CUDA_ROWS(<%m4_dnl
  o2c_mean_variance<G_TYPE, G_SHARE>(x, y, G_ROWS, G_COUNT,
    [=](int64_t o) -> int64_t { return G_BASE; },
    [=](int64_t i) -> int64_t { return G_AT; });
%>)%>)
m4_divert(0)m4_dnl
