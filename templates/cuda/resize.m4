m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/resize.m4: Resize, written by codegen/cuda/resize.c; an element of y, or a
word of several, a thread.
  COORD NEAREST   of resize_at.h     CUBIC ANTIALIAS EXCLUDE COEFF  weights
  CROP FILL       elements outside of the region are FILL
  EMPTY           C text: x has no pixels, which y asks for
  T A LOAD STORE  element types; of nearest only T, which may be a word
  BODY            the lines below

G_CUDA_RESIZE_KEPT(n, step): an axis that stays, step elements to the next.
m4_define(<%G_CUDA_RESIZE_KEPT%>, <%m4_dnl
    base += rest % ($1) * ($2);
    rest /= ($1);
%>)
G_CUDA_RESIZE_AXIS(m, n, sizes of y, step, how): one that changes, number m.
m4_define(<%G_CUDA_RESIZE_AXIS%>, <%m4_dnl
    const G_INDEX n$1 = $2, step$1 = $4;
    const float how$1[4] = { $5 };
    const float p$1 =
      o2c_resize_at(rest % ($3), n$1, $3, how$1, G_COORD);
    rest /= ($3);
G_IF(G_CROP, <%    out |= p$1 < 0 || p$1 > (float)(n$1 - 1);
%>)m4_dnl
%>)
m4_define(<%G_CUDA_RESIZE_NEAR%>, <%m4_dnl
    const G_INDEX at$1 =
      (G_INDEX)o2c_resize_near(p$1, how$1[0], n$1, G_NEAREST);
%>)
m4_define(<%G_CUDA_RESIZE_MOVE%>, <%m4_dnl
    ((G_T *)y)[e] =
      G_IF(G_CROP, <%out ? G_FILL : %>)((const G_T *)x)[$1];
%>)
m4_define(<%G_CUDA_RESIZE_SPAN%>, <%m4_dnl
    const o2c_resize_span r$1 = o2c_resize_span_of(
      p$1, how$1[0], n$1, G_CUBIC, G_ANTIALIAS, G_EXCLUDE, G_COEFF);
%>)
G_CUDA_RESIZE_OPEN(m, m + 1): v<m + 1> becomes the sum over axis m.
m4_define(<%G_CUDA_RESIZE_OPEN%>, <%m4_dnl
    G_A v$2 = 0;
    for (int64_t j$1 = r$1.first; j$1 <= r$1.last; j$1++) {
      const G_A w$1 = o2c_resize_share<G_A>(
        r$1, j$1, G_CUBIC, !G_CUBIC && !G_ANTIALIAS && !G_EXCLUDE, G_COEFF);
      const G_INDEX at$1 = j$1 < 0 ? 0 : j$1 < n$1 ? (G_INDEX)j$1 : n$1 - 1;
      if (w$1 == 0<%%>G_IF(G_EXCLUDE, <% || at$1 != j$1%>))
        continue;
%>)
m4_define(<%G_CUDA_RESIZE_LOAD%>, <%m4_dnl
      const G_A v0 = G_LOAD<%%>(x[$1]);
%>)
m4_define(<%G_CUDA_RESIZE_CLOSE%>, <%m4_dnl
      v$2 += w$1 * v$1;
    }
%>)
m4_define(<%G_CUDA_RESIZE_STORE%>, <%m4_dnl
    y[e] = G_IF(G_CROP, <%out ? G_FILL : %>)G_STORE<%%>($1);
%>)

m4_define(<%G_CUDA_RESIZE_UNUSED%>, <%m4_dnl
m4_ifelse(G_ROI, <%NULL%>, <%%>, <%  (void)roi;
%>)m4_dnl
m4_ifelse(G_SCALES, <%NULL%>, <%%>, <%  (void)scales;
%>)m4_dnl
m4_ifelse(G_SIZES, <%NULL%>, <%%>, <%  (void)sizes;
%>)m4_dnl
%>)
GIVEN: the run gives ROI, SCALES and SIZES for NAXIS axes, or NULL; BEFORE and
AFTER are the sizes of those.
m4_define(<%G_CUDA_RESIZE_GIVEN%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>_2(G_KERNEL_PARAMETERS, int *fault)
{
G_KERNEL_OPEN<%%>m4_dnl
  const int64_t before[] = G_BEFORE, after[] = G_AFTER;
  (void)x, (void)y;
  if (o2c_ref_resize_how_<%%>G_ROI_TYPE<%%>(G_SCALES, G_SIZES, G_ROI, how,
        G_POLICY, 1, G_NAXIS, before, after) != O2C_OK) {
    for (int k = 0; k < 4 * G_NAXIS; k++)
      how[k] = 1.0f;
    *fault = (int)O2C_E_SHAPE;
  }
}
%>)

m4_define(<%G_CUDA_RESIZE%>, <%m4_dnl
G_IF(G_GIVEN, <%G_CUDA_RESIZE_GIVEN<%%>%>)m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS<%%>m4_dnl
G_IF(G_EMPTY, <%, int *fault%>))
{
G_KERNEL_OPEN<%%>m4_dnl
  const G_INDEX count = G_COUNT;
G_IF(G_GIVEN, <%G_CUDA_RESIZE_UNUSED<%%>%>)m4_dnl
G_IF(G_EMPTY, <%m4_dnl
  if (G_EMPTY) {
    if (count > 0)
      *fault = (int)O2C_E_SHAPE;
    return;
  }
%>)m4_dnl
  for (G_INDEX e = o2c_thread(); e < count; e += o2c_threads()) {
    G_INDEX rest = e, base = 0;
G_IF(G_CROP, <%    bool out = false;
%>)m4_dnl
G_BODY<%%>m4_dnl
  }
}
G_FUNCTION
{
G_IF(G_GIVEN, <%m4_dnl
  O2C_LAUNCH(cu, G_KERNEL_NAME<%%>_2, 1, 1, G_ARGUMENTS, o2c_cuda_fault(cu));
%>)m4_dnl
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT,
             G_ARGUMENTS<%%>G_IF(G_EMPTY, <%, o2c_cuda_fault(cu)%>));
}
%>)
m4_divert(0)m4_dnl
