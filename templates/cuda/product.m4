m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/product.m4: products of matrices, by codegen/cuda/product.c; variables are
members of o2c_product_p, and
  TYPE  of an element          C R   pointers, or NULL
  BATCH assignments of its axes

G_CUDA_PRODUCT_SHAPE: p
m4_define(<%G_CUDA_PRODUCT_SHAPE%>, <%m4_dnl
  o2c_product_p p;
  memset(&p, 0, sizeof p);
  p.m = G_M;
  p.n = G_N;
  p.k = G_K;
  p.rank = G_RANK;
G_BATCH<%%>m4_dnl
  p.am = G_A_M;
  p.ak = G_A_K;
  p.bk = G_B_K;
  p.bn = G_B_N;
  p.cm = G_C_M;
  p.cn = G_C_N;
  p.alpha = G_ALPHA;
  p.beta = G_BETA;
  p.lo = G_LO;
  p.hi = G_HI;
  p.clamp = G_CLAMP;
  if (o2c_product_count(&p) == 0)
    return;
%>)

m4_define(<%G_CUDA_PRODUCT_LAUNCH%>, <%m4_dnl
$1  O2C_LAUNCH(cu, o2c_product<o2c_of_<%%>G_TYPE>,
$1             o2c_blocks(o2c_product_tiles(&p), 1), 256, a, b, G_C, G_R, y, p);
%>)

m4_define(<%G_CUDA_PRODUCT%>, <%m4_dnl
G_FUNCTION
{
G_CUDA_PRODUCT_SHAPE<%%>G_CUDA_PRODUCT_LAUNCH()m4_dnl
}
%>)

By cuBLASLt.
  DTYPE FAST PLAN        of o2c_cuda_matmul
  BIAS ADDED ADDED_BETA  its bias, residual and beta
  REST REST_C            something follows the sums: a clamp, C
  MAY_BE_EMPTY           K may be 0
m4_define(<%G_CUDA_PRODUCT_CALL%>, <%m4_dnl
G_FUNCTION
{
G_CUDA_PRODUCT_SHAPE<%%>m4_dnl
G_IF(G_MAY_BE_EMPTY, <%m4_dnl
  if (p.k == 0) {
G_CUDA_PRODUCT_LAUNCH(<%  %>)m4_dnl
    return;
  }
%>)m4_dnl
G_IF(G_REST, <%m4_dnl
  const o2c_product_p rest = p;
  p.clamp = 0;
%>)m4_dnl
  o2c_product_call(cu, G_PLAN, G_DTYPE, G_FAST, G_ADDED_BETA, &p, a, b, G_BIAS,
                   G_ADDED, y);
G_IF(G_REST, <%m4_dnl
  O2C_SPREAD(cu, o2c_product_rest<o2c_of_<%%>G_TYPE>, o2c_product_count(&rest),
             G_REST_C, y, rest);
%>)m4_dnl
}
%>)
m4_divert(0)m4_dnl
