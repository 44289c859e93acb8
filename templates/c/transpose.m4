m4_divert(-1)
SPDX-License-Identifier: 0BSD
transpose.m4: matrices of ROWS x COLS elements; codegen/cpu/transpose.c.

The border around the output, that convolutions will find there: for every step
that may write an image.
m4_define(<%G_FILL_BORDER%>,
<%G_IF(G_BORDER, <%G_IF(G_SPLIT, <%  if (from == 0)
  %>)  o2c_border(G_BORDER_TO, G_BORDER_ARGS);
%>)%>)

m4_define(<%G_TRANSPOSE%>,
<%G_FILL_BORDER<%%>m4_dnl
  for (int64_t i = 0; i < G_MATRICES; i++)
    o2c_transpose(x + i * G_X_NEXT, G_Y + i * G_Y_NEXT, G_SIZE, G_ROWS, G_COLS,
                  G_X_ROW, G_Y_ROW);
%>)
m4_divert(0)m4_dnl
