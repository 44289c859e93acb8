m4_divert(-1)
SPDX-License-Identifier: 0BSD
quantize.m4: N elements by their own range, by a table of 256, or as the sum of
two tensors; all by codegen/cpu/quantize.c.
m4_define(<%G_DYNAMIC_QUANTIZE%>,
<%  o2c_dynamic_quantize_u8(x, y, scale, zero, (size_t)G_N);
%>)
m4_define(<%G_TABLE_U8%>,
<%  o2c_map_u8((const uint8_t *)x, (uint8_t *)y, (size_t)G_N,
             (const uint8_t *)table);
%>)
m4_define(<%G_ADD_U8%>,
<%  const o2c_binary_u8_p p = {
    .rows = G_ROWS, .n = G_N,
    .a_row = G_A_ROW, .b_row = G_B_ROW, .y_row = G_Y_ROW,
    .a_scale = G_A_SCALE, .b_scale = G_B_SCALE, .y_scale = G_Y_SCALE,
    .a_zp = G_A_ZP, .b_zp = G_B_ZP, .y_zp = G_Y_ZP, .lo = G_LO, .hi = G_HI
  };
G_FILL_BORDER<%%>m4_dnl
  o2c_add_u8(G_A, G_B, G_Y, &p);
%>)
m4_divert(0)m4_dnl
