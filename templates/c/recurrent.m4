m4_divert(-1)
SPDX-License-Identifier: 0BSD
recurrent.m4: the steps of RNN, GRU, LSTM by recurrent_f32.h, or of LSTM with
the product of its inputs by lstm_f32.h, or by bytes by lstm_u8.h; written by
codegen/cpu/recurrent.c and lstm_u8.c, which state the variables.
m4_define(<%G_RECURRENT_CALL%>,
<%o2c_recurrent_f32(x, r, G_RB, G_LENS, G_H0, G_C0, G_Y, G_YH, G_YC, work,
                        &p)%>)

m4_define(<%G_LSTM_CALL%>,
<%o2c_lstm_f32(in, w, G_BIAS, r, G_LENS, G_H0, G_C0, G_Y, G_YH, G_YC, x,
                   work, &p)%>)

m4_define(<%G_RECURRENT_P%>,
<%    .kind = G_KIND, .steps = G_STEPS, .rows = G_ROWS, .hidden = G_HIDDEN,
    .dirs = G_DIRS, .reverse = G_REVERSE, .linear = G_LINEAR,
    .x_time = G_X_TIME, .x_row = G_X_ROW,
    .y_time = G_Y_TIME, .y_dir = G_Y_DIR, .y_row = G_Y_ROW,
    .s_dir = G_S_DIR, .s_row = G_S_ROW
%>)

m4_define(<%G_RECURRENT_RUN%>,
<%G_IF(G_CHECKED, <%  if ($1)
    return O2C_E_DATA;
%>, <%  (void)$1;
%>)%>)

m4_define(<%G_RECURRENT_F32%>,
<%  G_STORAGE<%%>const o2c_recurrent_f32_p p = {
G_RECURRENT_P<%%>  };
G_RECURRENT_RUN(<%G_RECURRENT_CALL%>)%>)

m4_define(<%G_LSTM_U8_CALL%>,
<%o2c_lstm_u8(x, r, sums, scale, G_RB, G_LENS, G_H0, G_C0, G_Y, G_YH, G_YC,
                  work, bytes, pixels, &p)%>)

m4_define(<%G_LSTM_U8%>,
<%  G_STORAGE<%%>const o2c_recurrent_f32_p p = {
G_RECURRENT_P<%%>  };
G_RECURRENT_RUN(<%G_LSTM_U8_CALL%>)%>)

m4_define(<%G_LSTM_F32%>,
<%  G_STORAGE<%%>const o2c_lstm_f32_p p = {
    .r = {
G_RECURRENT_P<%%>    },
    .in_size = G_IN_SIZE, .in_pix = G_IN_PIX
  };
G_RECURRENT_RUN(<%G_LSTM_CALL%>)%>)
m4_divert(0)m4_dnl
