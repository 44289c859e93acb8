m4_divert(-1)
SPDX-License-Identifier: 0BSD
linear.m4: linear_f32.h in one call; codegen/cpu/linear.c states the variables.
m4_define(<%G_LINEAR%>,
<%  G_STORAGE<%%>const o2c_linear_f32_p p = {
    .samples = G_SAMPLES, .tokens = G_TOKENS, .heads = G_HEADS,
    .groups = G_GROUPS, .keys = G_KEYS, .wide = G_WIDE,
    .per_key = G_PER_KEY, .per_head = G_PER_HEAD, .scale = G_SCALE
  };
  G_KERNEL<%%>(q, k, v, G_PAST, G_DECAY, G_BETA, y, state, room, &p<%%>m4_dnl
G_IF(G_SPLIT, <%, from, to%>));
%>)
m4_divert(0)m4_dnl
