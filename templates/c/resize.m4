m4_divert(-1)
SPDX-License-Identifier: 0BSD
resize.m4: images resized by resize.h; codegen/cpu/resize.c.
  HOW    the scales and lengths of rows and columns
  EMPTY  whether there is nothing to make a pixel of
m4_define(<%G_RESIZE%>,
<%  const float how[8] = { G_HOW };
  const o2c_resize_p p = {
    G_IMAGES, G_H, G_W, G_C, G_OH, G_OW, G_COORD, G_NEAREST
  };
m4_ifelse(G_EMPTY, 0, <%%>, <%  if (G_EMPTY)
    return O2C_E_SHAPE;
%>)m4_dnl
m4_ifelse(G_LINEAR, 1,
<%  o2c_resize_linear_f32(x, y, at, room, how, &p);
%>, <%  o2c_resize_nearest(x, y, at, how, &p);
%>)%>)
m4_divert(0)m4_dnl
