m4_divert(-1)
SPDX-License-Identifier: 0BSD
matmul.m4: products of two run-time operands by matmul_f32.h; written by
codegen/cpu/matmul.c, which states the variables. Arrays of one element stand
for no batch axes.
m4_define(<%G_MATMUL_F32%>,
<%  G_STORAGE<%%>const int64_t batch[] = { G_BATCH };
  G_STORAGE<%%>const int64_t a_step[] = { G_A_STEP };
  G_STORAGE<%%>const int64_t b_step[] = { G_B_STEP };
  G_STORAGE<%%>const int64_t y_step[] = { G_Y_STEP };
  G_STORAGE<%%>const o2c_matmul_f32_p p = {
    .rank = G_RANK, .m = G_M, .n = G_N, .k = G_K,
    .batch = batch, .a_step = a_step, .b_step = b_step, .y_step = y_step,
    .a_row = G_A_ROW, .y_row = G_N, .b_k = G_B_K, .b_n = G_B_N
  };
  o2c_matmul_f32<%%>G_IF(G_SPLIT, <%_products%>)(a, b, y, panels, &p<%%>m4_dnl
G_IF(G_SPLIT, <%, from, to%>));
%>)
m4_divert(0)m4_dnl
