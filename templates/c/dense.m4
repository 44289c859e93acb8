m4_divert(-1)
SPDX-License-Identifier: 0BSD
dense.m4: a few rows by weights that stay in the first-level cache, by
dense_f32.h; written by codegen/cpu/dense.c, which states the variables.
m4_define(<%G_DENSE_F32%>,
<%m4_ifelse(G_M, 1,
<%  G_KERNEL<%%>(x, w, G_BIAS, G_RESIDUAL, y, G_K, G_N, G_LO, G_HI);
%>,
<%  for (int64_t i = 0; i < G_M; i++)
    G_KERNEL<%%>(x + i * G_X_PIX, w, G_BIAS,
      m4_ifelse(G_RESIDUAL, <%r%>, <%r + i * G_R_PIX%>, <%NULL%>),
      y + i * G_Y_PIX, G_K, G_N, G_LO, G_HI);
%>)%>)
m4_divert(0)m4_dnl
