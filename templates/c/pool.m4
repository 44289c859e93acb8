m4_divert(-1)
SPDX-License-Identifier: 0BSD
pool.m4: pools by pool_f32.h and pool_u8.h. Written by codegen/cpu/pool.c, which
states the variables.

m4_define(<%G_POOL_IMAGES%>,
<%G_IF(G_MANY,
<%  for (int64_t image = 0; image < G_IMAGES; image++)
    G_KERNEL<%%>(x + image * G_X_IMAGE, y + image * G_Y_IMAGE, $1);
%>, <%  G_KERNEL<%%>(G_X, G_Y, $1);
%>)%>)

m4_define(<%G_POOL_F32%>,
<%  G_STORAGE<%%>const o2c_pool_f32_p p = {
    G_H, G_W, G_C, G_OH, G_OW, G_KH, G_KW, G_SH, G_SW, G_DH, G_DW,
    G_TOP, G_LEFT, G_BOTTOM, G_RIGHT, G_COUNT_PAD,
    G_X_ROW, G_X_PIX, G_Y_ROW, G_Y_PIX
  };
G_FILL_BORDER<%%>G_IF(G_SPLIT, <%m4_dnl
  const o2c_pool_f32_p part = o2c_pool_f32_rows(&p, from, to);
  G_KERNEL<%%>(G_X, G_Y + from * G_Y_ROW, &part);
%>, <%G_POOL_IMAGES(<%&p%>)%>)%>)

m4_define(<%G_GLOBAL_F32%>,
<%G_POOL_IMAGES(<%G_PIXELS, G_C, G_X_PIX%>)%>)

m4_define(<%G_POOL_U8%>,
<%  G_STORAGE<%%>const o2c_pool_u8_p p = {
    G_H, G_W, G_C, G_OH, G_OW, G_KH, G_KW, G_SH, G_SW, G_DH, G_DW,
    G_TOP, G_LEFT, G_BOTTOM, G_RIGHT, G_X_ROW, G_X_PIX, G_Y_ROW, G_Y_PIX,
    G_SCALE, G_X_ZP, G_Y_ZP, 0, 255, G_COUNT_PAD
  };
G_FILL_BORDER<%%>m4_dnl
G_POOL_IMAGES(<%&p%>)%>)
m4_divert(0)m4_dnl
