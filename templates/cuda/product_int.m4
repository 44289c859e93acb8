m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/product_int.m4: products of matrices of bytes, by
codegen/cuda/product_int.c; variables are members of o2c_product_int_p, and
  AT BT  C types of elements   AZ BZ  pointers, or NULL
  BATCH  assignments of its axes
m4_define(<%G_CUDA_PRODUCT_INT%>, <%m4_dnl
G_FUNCTION
{
  o2c_product_int_p q;
  memset(&q, 0, sizeof q);
  q.p.m = G_M;
  q.p.n = G_N;
  q.p.k = G_K;
  q.p.rank = G_RANK;
G_BATCH<%%>m4_dnl
  q.azs = G_AZS;
  q.bzs = G_BZS;
  if (o2c_product_count(&q.p) == 0)
    return;
  O2C_LAUNCH(cu, (o2c_product_int<G_AT, G_BT>),
             o2c_blocks(o2c_product_tiles(&q.p), 1), 256, a, b, G_AZ, G_BZ, y,
             q);
}
%>)
m4_divert(0)m4_dnl
