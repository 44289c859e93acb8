m4_divert(-1)
SPDX-License-Identifier: 0BSD
conv_bf16.m4: convolutions and products of --math fast, by conv_bf16.h. Written
by codegen/cpu/bf16.c; the variables are those of conv_f32.m4.

m4_define(<%G_CONV_BF16%>,
<%  G_STORAGE<%%>const o2c_pad_f32_p pad = {
    .h = G_H, .w = G_W, .c = G_C, .value = 0.0f,
    .top = G_TOP, .left = G_LEFT, .bottom = G_BOTTOM, .right = G_RIGHT,
    .x_row = G_PAD_ROW, .x_pix = G_PAD_PIX
  };
  G_STORAGE<%%>const int32_t tap[] = { G_TAPS };
  G_STORAGE<%%>const o2c_conv_f32_p p = {
    .oh = G_OH, .ow = G_OW, .oc = G_OC,
    .ntap = G_NTAP, .kc = G_KC, .tap = tap,
    .x_row = G_X_ROW, .x_pix = G_X_PIX, .y_row = G_Y_ROW, .y_pix = G_Y_PIX,
    .r_row = G_R_ROW, .r_pix = G_R_PIX, .lo = G_LO, .hi = G_HI
  };
G_FILL_BORDER<%%>m4_dnl
G_IF(G_MANY, <%  for (int64_t image = 0; image < G_IMAGES; image++) {
%>)<%%>m4_dnl
  o2c_pad_hwc_bf16(G_FROM, xp, &pad);
  o2c_conv_bf16(xp, w, G_BIAS, m4_ifelse(G_RESIDUAL, <%r%>, <%G_R%>, <%NULL%>),
                G_Y, &p);
G_IF(G_MANY, <%    x += G_X_IMAGE;
    y += G_Y_IMAGE;
m4_ifelse(G_RESIDUAL, <%r%>, <%    r += G_R_IMAGE;
%>)<%  }
%>%>)%>)

m4_define(<%G_GEMM_BF16%>,
<%m4_dnl
  static const int32_t tap[] = { 0 };
  G_STORAGE<%%>const o2c_pad_f32_p pad = {
    .h = 1, .w = G_M, .c = G_K, .x_pix = G_X_PIX
  };
  G_STORAGE<%%>const o2c_conv_f32_p p = {
    .oh = 1, .ow = G_M, .oc = G_N, .ntap = 1, .kc = G_K, .tap = tap,
    .x_pix = G_K, .y_pix = G_Y_PIX, .r_pix = G_R_PIX, .lo = G_LO, .hi = G_HI
  };
  o2c_pad_hwc_bf16(x, xp, &pad);
  o2c_conv_bf16(xp, w, G_BIAS, G_RESIDUAL, y, &p);
%>)
m4_divert(0)m4_dnl
