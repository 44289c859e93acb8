m4_divert(-1)
SPDX-License-Identifier: 0BSD
transpose.m4: matrices of ROWS x COLS elements; codegen/cpu/transpose.c.
m4_define(<%G_TRANSPOSE%>,
<%G_IF(G_BORDER, <%  o2c_border(y, G_BORDER_ARGS);
%>)  G_KERNEL<%%>(x, G_Y, G_MATRICES, G_ROWS, G_COLS, G_X_NEXT, G_X_ROW,
    G_Y_NEXT, G_Y_ROW);
%>)
m4_divert(0)m4_dnl
