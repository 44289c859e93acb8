m4_divert(-1)
SPDX-License-Identifier: 0BSD
reduce.m4: over LENGTH elements, OUTER x INNER times, divided by FACTOR or of
its sign; codegen/cpu/reduce.c.
m4_define(<%G_REDUCE%>,
<%  G_KERNEL<%%>(x, y, G_OUTER, G_LENGTH, G_INNER, G_FACTOR);
%>)
m4_divert(0)m4_dnl
