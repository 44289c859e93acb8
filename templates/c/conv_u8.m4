m4_divert(-1)
SPDX-License-Identifier: 0BSD
conv_u8.m4: 8-bit convolutions and products by conv_u8.h and dw_u8.h.
Written by codegen/cpu/conv_u8.c, which states the variables.

The image with its border of the zero point, in scratch.
m4_define(<%G_PAD_U8%>,
<%G_IF(G_PAD,
<%  G_STORAGE<%%>const o2c_pad_hwc_u8_p pad = {
    .h = G_H, .w = G_W, .c = G_C, .value = G_X_ZP,
    .top = G_TOP, .left = G_LEFT, .bottom = G_BOTTOM, .right = G_RIGHT,
    .x_row = G_PAD_ROW, .x_pix = G_PAD_PIX
  };
%>)%>)

Runs $1 for every image of the block.
m4_define(<%G_IMAGES_U8%>,
<%G_IF(G_MANY,
<%  for (int64_t image = 0; image < G_IMAGES; image++) {
%>)G_IF(G_PAD, <%  o2c_pad_hwc_u8(x, xp, &pad);
%>)$1<%%>G_IF(G_MANY, <%    x += G_X_IMAGE;
    y += G_Y_IMAGE;
  }
%>)%>)

A step that is divided by output channels.
m4_define(<%G_COLUMNS_U8%>,
<%G_IF(G_BY_COLUMNS, <%  w += from * G_W_COLUMN;
  b += from;
G_IF(G_SCALED, <%  scale += from;
%>)<%%>  y += from;
%>)%>)

m4_define(<%G_CONV_U8%>,
<%G_PAD_U8<%%>m4_dnl
  G_STORAGE<%%>const int32_t tap[] = { G_TAPS };
  const o2c_conv_u8_p p = {
    .oh = G_IF(G_BY_PIXELS, <%(int32_t)((to - from) / G_OW)%>, <%G_OH%>),
    .ow = G_OW, .oc = G_IF(G_BY_COLUMNS, <%(int32_t)(to - from)%>, <%G_OC%>),
    .ntap = G_NTAP, .kc = G_KC, .tap = tap,
    .x_row = G_X_ROW, .x_pix = G_X_PIX, .y_row = G_Y_ROW, .y_pix = G_Y_PIX,
    .y_zp = G_Y_ZP, .lo = G_LO, .hi = G_HI, .scratch = pixels
  };
G_FILL_BORDER<%%>G_COLUMNS_U8<%%>G_IF(G_BY_PIXELS, <%m4_dnl
  x += from / G_OW * G_X_ROW;
  y += from / G_OW * G_Y_ROW;
%>)<%%>m4_dnl
G_IMAGES_U8(m4_ifelse(G_GROUPS, 1,
<%  G_KERNEL<%%>(G_IMAGE, w, b, G_IF(G_SCALED, <%scale, %>)G_Y, &p);
%>,
<%  for (int64_t g = 0; g < G_GROUPS; g++)
    G_KERNEL<%%>(G_IMAGE + g * G_CG, w + g * G_WG, b + g * G_PANELS,
                 G_IF(G_SCALED, <%scale + g * G_PANELS, %>)G_Y + g * G_OC, &p);
%>))%>)

m4_define(<%G_DW_U8%>,
<%G_PAD_U8<%%>m4_dnl
  const o2c_dw_u8_p p = {
    G_IF(G_SPLIT, <%(int32_t)(to - from)%>, <%G_OH%>), G_OW, G_C, G_KH, G_KW,
    G_X_ROW, G_X_PIX, G_TAP_ROW, G_TAP_PIX,
    G_Y_ROW, G_Y_PIX, G_Y_ZP, G_LO, G_HI, G_LINES
  };
G_FILL_BORDER<%%>G_IF(G_SPLIT, <%  x += from * G_X_ROW;
  y += from * G_Y_ROW;
%>)<%%>m4_dnl
G_IMAGES_U8(<%  o2c_dw_u8(G_IMAGE, w, b, scale, G_Y, &p);
%>)%>)

m4_define(<%G_GEMM_U8%>,
<%m4_dnl
  static const int32_t tap[] = { 0 };
  const o2c_conv_u8_p p = {
    .oh = 1, .ow = G_IF(G_BY_PIXELS, <%(int32_t)(to - from)%>, <%G_M%>),
    .oc = G_IF(G_BY_COLUMNS, <%(int32_t)(to - from)%>, <%G_N%>),
    .ntap = 1, .kc = G_K, .tap = tap, .x_pix = G_X_PIX, .y_pix = G_Y_PIX,
    .y_zp = G_Y_ZP, .lo = G_LO, .hi = G_HI, .scratch = pixels
  };
G_COLUMNS_U8<%%>G_IF(G_BY_PIXELS, <%  x += from * G_X_PIX;
  y += from * G_Y_PIX;
%>)<%%>m4_dnl
  G_KERNEL<%%>(x, w, b, G_IF(G_SCALED, <%scale, %>)y, &p);
%>)

m4_divert(0)m4_dnl
