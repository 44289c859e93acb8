m4_divert(-1)
SPDX-License-Identifier: 0BSD
softmax.m4: over LENGTH elements, OUTER x INNER times; codegen/cpu/softmax.c.
m4_define(<%G_SOFTMAX%>, <%G_FROM_ROW(x)G_FROM_ROW(y)<%%>m4_dnl
  G_KERNEL<%%>(x, y, G_ROW_COUNT(G_OUTER), G_LENGTH, G_INNER);
%>)
m4_divert(0)m4_dnl
