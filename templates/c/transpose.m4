m4_divert(-1)
SPDX-License-Identifier: 0BSD
transpose.m4: matrices of ROWS x COLS elements; codegen/cpu/transpose.c.
m4_define(<%G_TRANSPOSE%>, <%  o2c_transpose_<%%>G_BITS<%%>(x, y, G_MATRICES, G_ROWS, G_COLS);
%>)
m4_divert(0)m4_dnl
