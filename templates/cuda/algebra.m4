m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/algebra.m4: Einsum of what is no product of matrices, and Det; written by
codegen/cuda/algebra.c.

SHARE threads an output, of a sum of LENGTH products, or elements (U is "").
  XAT UAT  where output e begins in x and u     XR UR  where number r of it lies
m4_define(<%G_CUDA_EINSUM%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  typedef G_TYPE E;
  const G_INDEX count = G_COUNT, length = G_LENGTH;
  for (G_INDEX e = (G_INDEX)o2c_row<G_SHARE>(); e < count;
       e += (G_INDEX)o2c_rows<G_SHARE>()) {
    const E::T *const a = x + (G_XAT);
G_IF(G_U, <%m4_dnl
    const E::T *const b = G_U + (G_UAT);
%>)m4_dnl
    E::S sum = 0;
    for (G_INDEX r = (G_INDEX)o2c_own<G_SHARE>(); r < length; r += G_SHARE)
      sum += (E::S)E::load(a[G_XR])m4_dnl
G_IF(G_U, <% * (E::S)E::load(b[G_UR])%>);
    sum = o2c_all_sum<G_SHARE>(sum);
    if (o2c_own<G_SHARE>() == 0)
      y[e] = E::store((E::A)sum);
  }
}
G_FUNCTION
{
  O2C_SPREAD_ROWS(cu, G_KERNEL_NAME, G_SHARE, G_COUNT, G_ARGUMENTS);
}
%>)

Determinants, as ref/det.h: a matrix of N x N a block, worked on in `room`.
m4_define(<%G_CUDA_DET%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  typedef G_TYPE E;
  const int64_t n = G_N, all = n * n, count = G_COUNT;
  const o2c_first<double, false, false> best = {};
  for (int64_t b = blockIdx.x; b < count; b += gridDim.x) {
    double *const m = room + b * all;
    double d = 1;
    for (int64_t i = threadIdx.x; i < all; i += 256)
      m[i] = (double)E::load(x[b * all + i]);
    for (int64_t k = 0; k < n; k++) {
      __syncthreads();
      o2c_found<double> f = best.none();
      for (int64_t i = k + threadIdx.x; i < n; i += 256)
        f = best.join(f, o2c_found<double>{ fabs(m[i * n + k]), i });
      f = o2c_all<256>(f, best);
      for (int64_t j = k + threadIdx.x; j < n && f.at != k; j += 256) {
        const double t = m[k * n + j];
        m[k * n + j] = m[f.at * n + j];
        m[f.at * n + j] = t;
      }
      __syncthreads();
      const double pivot = m[k * n + k];
      const int64_t side = n - k - 1;
      d *= f.at != k ? -pivot : pivot;
      if (pivot == 0)
        break;
      for (int64_t e = threadIdx.x; e < side * side; e += 256) {
        const int64_t i = k + 1 + e / side, j = k + 1 + e % side;
        m[i * n + j] -= m[i * n + k] / pivot * m[k * n + j];
      }
    }
    if (threadIdx.x == 0)
      y[b] = E::store((E::A)d);
    __syncthreads();
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_COUNT, 1), 256, G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
