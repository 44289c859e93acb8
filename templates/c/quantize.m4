m4_divert(-1)
SPDX-License-Identifier: 0BSD
quantize.m4: N elements by their own range, or by a table of 256; both by
codegen/cpu/quantize.c.
m4_define(<%G_DYNAMIC_QUANTIZE%>,
<%  o2c_dynamic_quantize_u8(x, y, scale, zero, (size_t)G_N);
%>)
m4_define(<%G_TABLE_U8%>,
<%  o2c_map_u8((const uint8_t *)x, (uint8_t *)y, (size_t)G_N,
             (const uint8_t *)table);
%>)
m4_divert(0)m4_dnl
