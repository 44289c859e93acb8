m4_divert(-1)
SPDX-License-Identifier: 0BSD
distance.m4: distances of rows from others by distance_f32.h;
codegen/cpu/distance.c states the variables.
m4_define(<%G_DISTANCE%>, <%G_IF(G_SPLIT, <%  x += from * (G_FEATURES);
  y += from * (G_COLUMNS);
%>)<%%>m4_dnl
  o2c_distance_f32(x, panels, y, G_ROW_COUNT(G_ROWS), G_COLUMNS, G_FEATURES,
                   G_COLUMNS, G_POWER);
%>)

m4_define(<%G_DISTANCE_ROWS%>,
<%  o2c_distance_rows_f32(x, v, y, panels, G_ROWS, G_COLUMNS, G_FEATURES,
                        G_POWER);
%>)
m4_divert(0)m4_dnl
