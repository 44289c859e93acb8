m4_divert(-1)
SPDX-License-Identifier: 0BSD
fft.m4: Fourier transforms by fft_f32.h, whose description names the numbers;
codegen/cpu/fft.c.
m4_define(<%G_FFT%>,
<%  static const int64_t factor[] = {G_FACTORS, 0};
  const o2c_fft f = {G_N, G_OUTER, G_INNER, G_XO, G_XI, G_XS, G_YO, G_YI, G_YS,
                     G_HAVE, G_PARTS, G_MADE, G_OUTS, G_HALF, G_INVERSE,
                     G_LANES};
  o2c_fft_f32(x, G_WINDOW, y, table, room, factor, &f);
%>)
m4_divert(0)m4_dnl
