m4_divert(-1)
SPDX-License-Identifier: 0BSD
conv_f32.m4: f32 convolutions and products by conv_f32.h,
winograd_f32.h and dw_f32.h. Written by codegen/cpu/conv.c and winograd.c,
which state the variables.

The image with its border, in scratch.
m4_define(<%G_CONV_PAD%>,
<%G_IF(G_PAD,
<%  G_STORAGE<%%>const o2c_pad_f32_p pad = {
    .h = G_H, .w = G_W, .c = G_C, .value = 0.0f,
    .top = G_TOP, .left = G_LEFT, .bottom = G_BOTTOM, .right = G_RIGHT,
    .x_row = G_PAD_ROW, .x_pix = G_PAD_PIX
  };
%>)%>)

Runs $1 for every image of the block.
m4_define(<%G_CONV_IMAGES%>,
<%G_IF(G_MANY,
<%  for (int64_t image = 0; image < G_IMAGES; image++) {
%>)G_IF(G_PAD, <%  o2c_pad_hwc_f32(x, xp, &pad);
%>)$1<%%>G_IF(G_MANY, <%    x += G_X_IMAGE;
    y += G_Y_IMAGE;
%>m4_ifelse(G_RESIDUAL, <%r%>, <%    r += G_R_IMAGE;
%>)<%  }
%>)%>)

The padded copy as a step of its own.
m4_define(<%G_BORDERED%>,
<%  G_STORAGE<%%>const G_STRUCT pad = {
    .h = G_H, .w = G_W, .c = G_C, .value = G_X_ZP,
    .top = G_TOP, .left = G_LEFT, .bottom = G_BOTTOM, .right = G_RIGHT,
    .x_row = G_PAD_ROW, .x_pix = G_PAD_PIX
  };
  G_KERNEL<%%>(x, xp, &pad);
%>)

The call for one image and group of pixels: of conv_short_f32.h, if that has
the size.
m4_define(<%G_CONV_CALL%>, <%m4_ifelse(G_SHORT, <%%>,
<%  o2c_conv_f32<%%>G_PART<%%>(G_IMAGE, w, G_BIAS,
    m4_ifelse(G_RESIDUAL, <%r%>, <%G_R%>, <%NULL%>), G_Y, &p<%%>G_RANGE);
%>,
<%  o2c_<%%>G_SHORT<%%>(G_IMAGE, w, G_BIAS, G_Y, &p, G_SHORT_RANGE);
%>)%>)

m4_define(<%G_CONV_F32%>,
<%G_CONV_PAD<%%>m4_dnl
  G_STORAGE<%%>const int32_t tap[] = { G_TAPS };
  G_STORAGE<%%>const o2c_conv_f32_p p = {
    .oh = G_OH, .ow = G_OW, .oc = G_OC,
    .ntap = G_NTAP, .kc = G_KC, .tap = tap,
    .x_row = G_X_ROW, .x_pix = G_X_PIX, .y_row = G_Y_ROW, .y_pix = G_Y_PIX,
    .r_row = G_R_ROW, .r_pix = G_R_PIX, .lo = G_LO, .hi = G_HI
  };
G_FILL_BORDER<%%>m4_dnl
G_CONV_IMAGES(m4_ifelse(G_GROUPS, 1, <%G_CONV_CALL%>,
<%  for (int64_t g = 0; g < G_GROUPS; g++)
    o2c_conv_f32<%%>G_PART<%%>(G_IMAGE + g * G_CG, w + g * G_WG,
                 m4_ifelse(G_BIAS, <%b%>, <%b + g * G_OC%>, <%NULL%>),
                 m4_ifelse(G_RESIDUAL, <%r%>, <%G_R + g * G_OC%>, <%NULL%>),
                 G_Y + g * G_OC, &p<%%>G_RANGE);
%>))%>)

m4_define(<%G_WINOGRAD_F32%>,
<%m4_dnl
  G_STORAGE<%%>const o2c_winograd_f32_p p = {
    .m = G_M, .tiles = G_TILES, .h = G_ROWS, .w = G_PIXELS, .c = G_C,
    .top = G_ABOVE, .left = G_BEFORE, .oh = G_OH, .ow = G_OW, .oc = G_OC,
    .x_row = G_PAD_ROW, .x_pix = G_PAD_PIX,
    .y_row = G_Y_ROW, .y_pix = G_Y_PIX,
    .r_row = G_R_ROW, .r_pix = G_R_PIX, .lo = G_LO, .hi = G_HI
  };
G_FILL_BORDER<%%>m4_dnl
G_CONV_IMAGES(<%  o2c_winograd_f32<%%>G_PART<%%>(G_IMAGE, w, G_BIAS,
    m4_ifelse(G_RESIDUAL, <%r%>, <%G_R%>, <%NULL%>), G_Y, scratch, &p<%%>m4_dnl
G_RANGE);
%>)%>)

m4_define(<%G_DW_F32%>,
<%G_CONV_PAD<%%>m4_dnl
  G_STORAGE<%%>const o2c_dw_f32_p p = {
    .oh = G_OH, .ow = G_OW, .c = G_C, .kh = G_KH, .kw = G_KW,
    .x_row = G_X_ROW, .x_pix = G_X_PIX,
    .tap_row = G_TAP_ROW, .tap_pix = G_TAP_PIX, .w_tap = G_C,
    .y_row = G_Y_ROW, .y_pix = G_Y_PIX, .lo = G_LO, .hi = G_HI
  };
G_FILL_BORDER<%%>m4_dnl
G_CONV_IMAGES(<%  o2c_dw_f32<%%>G_PART<%%>(G_IMAGE, w, G_BIAS, G_Y, &p<%%>m4_dnl
G_RANGE);
%>)%>)

m4_define(<%G_DECONV_F32%>,
<%m4_dnl
  static const int32_t tap[] = { 0 };
  G_STORAGE<%%>const o2c_conv_f32_p p = {
    .oh = G_H, .ow = G_W, .oc = G_OC, .ntap = 1, .kc = G_C, .tap = tap,
    .x_row = G_X_ROW, .x_pix = G_C, .y_row = G_Y_ROW, .y_pix = G_OC,
    .r_row = 0, .r_pix = 0, .lo = G_LO, .hi = G_HI
  };
  for (int64_t image = 0; image < G_IMAGES; image++)
    for (int64_t i = 0; i < G_KH; i++)
      o2c_conv_f32(x + image * G_X_IMAGE, w + i * G_WG, G_BIAS, NULL,
                   y + image * G_Y_IMAGE + i * G_LINE, &p);
%>)

m4_define(<%G_GEMM_F32%>,
<%m4_dnl
  static const int32_t tap[] = { 0 };
  G_STORAGE<%%>const o2c_conv_f32_p p = {
    .oh = 1, .ow = G_M, .oc = G_N, .ntap = 1, .kc = G_K, .tap = tap,
    .x_pix = G_X_PIX, .y_pix = G_Y_PIX, .r_pix = G_R_PIX,
    .lo = G_LO, .hi = G_HI
  };
  o2c_conv_f32<%%>G_PART<%%>(x, w, G_BIAS, G_RESIDUAL, y, &p<%%>G_RANGE);
%>)
m4_divert(0)m4_dnl
