m4_divert(-1)
SPDX-License-Identifier: 0BSD
topk.m4: the first K of rows of N elements by topk_f32.h; codegen/cpu/topk.c
states the variables. VALUES may be NULL.
m4_define(<%G_TOPK%>,
<%  const int64_t rows = G_ROWS, n = G_N, k = G_K;
  if (k > n)
    return O2C_E_SHAPE;
  o2c_topk_f32(x, G_VALUES, indices, rows, n, k, G_LARGEST);
%>)
m4_divert(0)m4_dnl
