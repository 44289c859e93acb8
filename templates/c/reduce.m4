m4_divert(-1)
SPDX-License-Identifier: 0BSD
reduce.m4: calls of reduce_f32.h, one for each group of neighbouring axes, as
codegen/cpu/reduce.c writes them.
m4_define(<%G_REDUCE%>, <%G_BODY%>)
m4_divert(0)m4_dnl
