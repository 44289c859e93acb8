m4_divert(-1)
SPDX-License-Identifier: 0BSD
strip_f32.m4: chains of f32 convolutions by strips of rows, by strip_f32.h.
Written by codegen/cpu/strip.c: variables of stage k end in k, and are those of
conv_f32.m4 but for the window's.

G_STRIP_CONV_F32(k), G_STRIP_DW_F32(k): the stage's parameters.
m4_define(<%G_STRIP_CONV_F32%>,
<%  static const int32_t tap_$1[] = { G_TAPS$1 };
  static const o2c_conv_f32_p p_$1 = {
    .oh = G_OH$1, .ow = G_OW$1, .oc = G_OC$1,
    .ntap = G_NTAP$1, .kc = G_KC$1, .tap = tap_$1,
    .x_row = G_X_ROW$1, .x_pix = G_X_PIX$1,
    .y_row = G_Y_ROW$1, .y_pix = G_Y_PIX$1,
    .r_row = G_R_ROW$1, .r_pix = G_R_PIX$1, .lo = G_LO$1, .hi = G_HI$1
  };
%>)

m4_define(<%G_STRIP_DW_F32%>,
<%  static const o2c_dw_f32_p p_$1 = {
    .oh = G_OH$1, .ow = G_OW$1, .c = G_C$1, .kh = G_KH$1, .kw = G_KW$1,
    .x_row = G_X_ROW$1, .x_pix = G_X_PIX$1,
    .tap_row = G_TAP_ROW$1, .tap_pix = G_TAP_PIX$1, .w_tap = G_C$1,
    .y_row = G_Y_ROW$1, .y_pix = G_Y_PIX$1, .lo = G_LO$1, .hi = G_HI$1
  };
%>)

G_STRIP_STAGE(k, run): a row of the table.
m4_define(<%G_STRIP_STAGE%>,
<%    { $2, &p_$1, w_$1, m4_ifelse(G_BIAS$1, <%b%>, <%b_$1%>, <%NULL%>), m4_dnl
m4_ifelse(G_RESIDUAL$1, <%r%>, <%G_R$1%>, <%NULL%>), m4_dnl
m4_ifelse(G_WINDOW$1, <%NULL%>, <%NULL%>, <%(unsigned char *)G_WINDOW$1%>),
      .row = G_BYTES$1, .left = G_BESIDE$1, .room = G_ROOM$1,
      .kh = G_EXTENT$1, .sh = G_STRIDE$1, .top = G_ABOVE$1, .rows = G_OH$1 },
%>)

G_STRIP_END(k): the border that later convolutions find around y; the work.
m4_define(<%G_STRIP_END%>,
<%G_IF(G_BORDER$1, <%  o2c_border(G_BORDER_TO$1, G_BORDER_ARGS$1);
%>)  static const o2c_strip_rows rows = { 0, G_OH$1, G_STEP_ROWS };
  o2c_strips(stage, G_COUNT, G_IMAGE0, G_Y$1, (int64_t)sizeof *y * G_Y_ROW$1,
             &rows);
%>)

m4_define(<%G_STRIP_F32%>,
<%G_PARAMS<%%>  o2c_strip_stage stage[] = {
G_STAGES<%%>  };
G_END%>)
m4_divert(0)m4_dnl
