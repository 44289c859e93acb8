m4_divert(-1)
SPDX-License-Identifier: 0BSD
move.m4: elements moved between two layouts, as codegen/cpu/move.c has decided.

G_BODY: the lines below, as the plan has them.
m4_define(<%G_MOVE%>, <%G_FILL_BORDER<%%>G_BODY%>)

G_MOVE_HOLD(name, value): a size that the loops need.
m4_define(<%G_MOVE_HOLD%>, <%  const int64_t $1 = $2;
%>)

G_MOVE_FREE(indent): the iterations of the loop below are independent.
m4_define(<%G_MOVE_FREE%>, <%$1O2C_INDEPENDENT
%>)
G_MOVE_FOR(indent, index, bound)
m4_define(<%G_MOVE_FOR%>, <%$1for (int64_t $2 = 0; $2 < $3; $2++)
%>)

G_MOVE_OPEN(indent), G_MOVE_CLOSE(indent): around several lines.
m4_define(<%G_MOVE_OPEN%>, <%$1{
%>)
m4_define(<%G_MOVE_CLOSE%>, <%$1}
%>)

G_MOVE_RUN(indent, to, from, bytes): neighbours, few; G_MOVE_COPY: many, or as
many as the run tells.
m4_define(<%G_MOVE_RUN%>, <%$1memcpy($2, $3, $4);
%>)
m4_define(<%G_MOVE_COPY%>, <%$1o2c_copy($2, $3, $4);
%>)

G_MOVE_ONE(indent, to, from): an element.
m4_define(<%G_MOVE_ONE%>, <%$1*($2) = *($3);
%>)

G_MOVE_TILES(indent, to, from, size, rows, cols, x_row, y_row)
m4_define(<%G_MOVE_TILES%>,
<%$1o2c_transpose($3, $2, $4, $5, $6, $7, $8);
%>)
m4_divert(0)m4_dnl
