m4_divert(-1)
SPDX-License-Identifier: 0BSD
attention.m4: attention_f32.h in one call; codegen/cpu/attention.c states the
variables.
m4_define(<%G_ATTENTION%>,
<%  G_STORAGE<%%>const o2c_attention_f32_p p = {
    .images = G_IMAGES, .heads = G_HEADS, .groups = G_GROUPS, .rows = G_ROWS,
    .keys = G_KEYS, .d = G_SIZE, .v = G_WIDE, .mask_keys = G_MASK_KEYS,
    .q_image = G_Q_IMAGE, .q_head = G_Q_HEAD, .q_row = G_Q_ROW,
    .k_image = G_K_IMAGE, .k_head = G_K_HEAD, .k_row = G_K_ROW,
    .k_col = G_K_COL, .v_image = G_V_IMAGE, .v_head = G_V_HEAD,
    .v_row = G_V_ROW, .v_col = G_V_COL, .y_image = G_Y_IMAGE,
    .y_head = G_Y_HEAD, .y_row = G_Y_ROW, .m_image = G_M_IMAGE,
    .m_head = G_M_HEAD, .m_row = G_M_ROW, .m_col = G_M_COL, .past = G_PAST,
    .left = G_LEFT, .right = G_RIGHT, .causal = G_CAUSAL, .zero = G_ZERO,
    .scale = G_SCALE, .softcap = G_SOFTCAP
  };
  G_KERNEL<%%>(q, k, v, G_ALLOW, G_BIAS, G_VALID, y, room, &p<%%>m4_dnl
G_IF(G_SPLIT, <%, from, to%>));
%>)
m4_divert(0)m4_dnl
