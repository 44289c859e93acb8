m4_divert(-1)
SPDX-License-Identifier: 0BSD
transpose.m4: matrices of ROWS x COLS elements; codegen/cpu/transpose.c.
m4_define(<%G_TRANSPOSE%>,
<%  o2c_border(y, G_BORDER_ARGS);
  for (int64_t i = 0; i < G_MATRICES; i++)
    o2c_transpose(x + i * G_X_NEXT, G_Y + i * G_Y_NEXT, G_SIZE, G_ROWS, G_COLS,
                  G_X_ROW, G_Y_ROW);
%>)
m4_divert(0)m4_dnl
