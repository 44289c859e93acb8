m4_divert(-1)
SPDX-License-Identifier: 0BSD
quantize.m4: N elements by their own range; codegen/cpu/quantize.c.
m4_define(<%G_DYNAMIC_QUANTIZE%>,
<%  o2c_dynamic_quantize_u8(x, y, scale, zero, (size_t)G_N);
%>)
m4_divert(0)m4_dnl
