m4_divert(-1)
SPDX-License-Identifier: 0BSD
reduce.m4: calls of reduce_f32.h, one for each group of neighbouring axes, as
codegen/cpu/reduce.c writes them.
m4_define(<%G_REDUCE%>, <%G_BODY%>)

Norms and the like by norms_f32.h, over LENGTH elements, OUTER x INNER times.
m4_define(<%G_NORMS%>,
<%  o2c_norms_f32(x, y, G_OUTER, G_LENGTH, G_INNER, G_OF);
%>)
m4_divert(0)m4_dnl
