m4_divert(-1)
SPDX-License-Identifier: 0BSD
norm.m4: rows of COUNT elements by norm_f32.h; codegen/cpu/norm.c states the
variables.
m4_define(<%G_LAYER_NORM%>,
<%G_FROM_ROW(x)G_FROM_ROW(y)<%%>m4_dnl
  o2c_layer_norm_f32(x, scale, G_BIAS, y, G_MEANS, G_INVERSES,
                     G_ROW_COUNT(G_ROWS), G_COUNT, G_EPSILON);
%>)

m4_define(<%G_RMS_NORM%>,
<%G_FROM_ROW(x)G_FROM_ROW(y)<%%>m4_dnl
  o2c_rms_norm_f32(x, scale, y, G_ROW_COUNT(G_ROWS), G_COUNT, G_EPSILON);
%>)

m4_define(<%G_GROUP_NORM%>,
<%  o2c_group_norm_f32(x, scale, bias, y, G_IMAGES, G_GROUPS, G_CHANNELS,
                     G_SIZE, G_PER_GROUP, G_EPSILON);
%>)

m4_define(<%G_LRN%>,
<%G_FROM_ROW(x)G_FROM_ROW(y)<%%>m4_dnl
  o2c_lrn_f32(x, y, room, G_ROW_COUNT(G_OUTER), G_CHANNELS, G_INNER, G_SIZE,
              G_ALPHA, G_BETA, G_BIAS);
%>)
m4_divert(0)m4_dnl
