m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/window.m4: windows that slide over images, of one axis to three, in any
layout. codegen/cuda/window.c states the variables, an axis 0, 1, 2 each, of
which the first ones are single where there are fewer:
  IN OUT KERNEL STRIDE DILATION BEFORE AFTER
  X_N X_C X0 X1 X2    elements from neighbour to neighbour of x
  LAST                channels are last in x and y
  V                   channels that a thread takes
and of an element type
  T A                 in memory, and what arithmetic is done in
  LOAD STORE          from one to the other
  F                   suffix of functions of math.h
  LEAST               of all values

G_CUDA_PLACE(channels): where element e of y is: channel k, pixel, position o0,
o1, o2 and image.
m4_define(<%G_CUDA_PLACE%>, <%m4_dnl
G_IF(G_LAST, <%m4_dnl
    const G_INDEX k = e % (($1) / G_V) * G_V, pixel = e / (($1) / G_V);
%>, <%m4_dnl
    const G_INDEX area = G_OUT0 * G_OUT1 * G_OUT2, k = e / area % ($1);
    const G_INDEX pixel = e / area / ($1) * area + e % area;
%>)m4_dnl
    const G_INDEX o2 = pixel % G_OUT2, row = pixel / G_OUT2;
    const G_INDEX o1 = row % G_OUT1, plane = row / G_OUT1;
    const G_INDEX o0 = plane % G_OUT0, image = plane / G_OUT0;
%>)

G_CUDA_SPAN(axis): its taps f<axis> .. n<axis> - 1 that lie within x; tap 0 is
at b<axis>.
m4_define(<%G_CUDA_SPAN%>, <%m4_dnl
    const G_INDEX b$1 = o$1 * m4_indir(<%G_STRIDE$1%>) -
      m4_indir(<%G_BEFORE$1%>);
    const G_INDEX f$1 = o2c_first_tap<G_INDEX>(b$1, m4_indir(<%G_DILATION$1%>));
    const G_INDEX n$1 = o2c_end_tap<G_INDEX>(b$1, m4_indir(<%G_DILATION$1%>),
      m4_indir(<%G_IN$1%>), m4_indir(<%G_KERNEL$1%>));
%>)

G_CUDA_TAP(axis, indent): the loop over an axis of them, up to its index.
G_CUDA_FEW_TAP: unrolled, so that all loads are on their way together.
m4_define(<%G_CUDA_TAP%>, <%m4_dnl
$2for (G_INDEX t$1 = f$1; t$1 < n$1; t$1++) {
$2  const G_INDEX i$1 = b$1 + t$1 * m4_indir(<%G_DILATION$1%>);
%>)
m4_define(<%G_CUDA_FEW_TAP%>, <%m4_dnl
$2O2C_UNROLL
$2for (int t$1 = 0; t$1 < m4_indir(<%G_KERNEL$1%>); t$1++) {
$2  const G_INDEX i$1 = b$1 + t$1 * m4_indir(<%G_DILATION$1%>);
$2  if (t$1 < f$1 || t$1 >= n$1)
$2    continue;
%>)

G_CUDA_TAPS(body), G_CUDA_TAPS_BY(macro of a loop, body): body for each of them,
at i0, i1, i2, behind the spans.
m4_define(<%G_CUDA_TAPS%>, <%G_CUDA_TAPS_BY(<%G_CUDA_TAP%>, <%$1%>)%>)
m4_define(<%G_CUDA_TAPS_BY%>, <%m4_dnl
m4_indir(<%$1%>, 0, <%    %>)m4_indir(<%$1%>, 1, <%      %>)m4_dnl
m4_indir(<%$1%>, 2, <%        %>)m4_dnl
$2<%%>m4_dnl
        }
      }
    }
%>)
m4_divert(0)m4_dnl
