m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/product_int.m4: products of matrices of bytes, by
codegen/cuda/product_int.c; variables are members of o2c_product_int_p, and
  ROWS COLUMNS  are sums of a's rows and of b's columns needed?
  BIG TILE      names of tiles; BIG if it makes enough of them, or empty
  TOTAL         the sum of row i and column j, less what zero points do
  VALUE         the element of y, of its `total`
  SHAPE         assignments of axes of the batch
m4_define(<%G_CUDA_PRODUCT_INT_LAUNCH%>, <%O2C_LAUNCH(cu, G_KERNEL_NAME<%%><$1>,
    o2c_blocks(o2c_product_int_tiles<$1>(&q.p), 1), $1::THREADS, G_ARGUMENTS,
    q)%>)
m4_define(<%G_CUDA_PRODUCT_INT%>, <%m4_dnl
template <class T>
static __global__ void __launch_bounds__(T::THREADS, 1)
G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, const o2c_product_int_p q)
{
G_KERNEL_OPEN<%%>m4_dnl
  o2c_product_int<T, G_ROWS, G_COLUMNS>(a, b, q.p, [&](int64_t image, int64_t i,
    int64_t j, int sum, int row_sum, int column_sum) {
    (void)row_sum, (void)column_sum;
    const int32_t total = (int32_t)(G_TOTAL);
    y[(image * q.p.m + i) * q.p.n + j] = G_VALUE;
  });
}
G_FUNCTION
{
  o2c_product_int_p q;
  memset(&q, 0, sizeof q);
  q.p.m = G_M;
  q.p.n = G_N;
  q.p.k = G_K;
  q.p.rank = G_RANK;
G_SHAPE<%%>m4_dnl
  if (o2c_product_count(&q.p) == 0)
    return;
G_IF(G_BIG, <%m4_dnl
  if (o2c_product_int_tiles<G_BIG>(&q.p) >= G_ENOUGH) {
    G_CUDA_PRODUCT_INT_LAUNCH(G_BIG);
    return;
  }
%>)m4_dnl
  G_CUDA_PRODUCT_INT_LAUNCH(G_TILE);
}
%>)
m4_divert(0)m4_dnl
