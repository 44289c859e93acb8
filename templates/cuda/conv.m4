m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/conv.m4: convolutions, written by codegen/cuda/conv.c, which states the
variables: those of o2c_cuda_conv_p, for axes as window.m4 has them.

G_CUDA_CONV_AXIS(axis of p, axis)
m4_define(<%G_CUDA_CONV_AXIS%>, <%m4_dnl
  p.in[$1] = m4_indir(<%G_IN$2%>);
  p.out[$1] = m4_indir(<%G_OUT$2%>);
  p.kernel[$1] = m4_indir(<%G_KERNEL$2%>);
  p.stride[$1] = m4_indir(<%G_STRIDE$2%>);
  p.dilation[$1] = m4_indir(<%G_DILATION$2%>);
  p.before[$1] = m4_indir(<%G_BEFORE$2%>);
  p.after[$1] = m4_indir(<%G_AFTER$2%>);
%>)

By cuDNN.
  RELU_LO RELU_HI     the clamp that it does
  APART               the one to LO, HI is a kernel of ours, over COUNT elements
m4_define(<%G_CUDA_CONV%>, <%m4_dnl
G_IF(G_APART, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(int64_t count, G_T *y)
{
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads())
    y[e] = G_STORE<%%>(o2c_clampf(G_LOAD<%%>(y[e]), G_LO, G_HI));
}
%>)m4_dnl
G_FUNCTION
{
  o2c_cuda_conv_p p;
  memset(&p, 0, sizeof p);
  p.dtype = G_DTYPE;
  p.rank = G_RANK;
  p.n = G_N;
  p.c = G_C;
  p.k = G_K;
  p.groups = G_GROUPS;
m4_ifelse(G_RANK, 3, <%G_CUDA_CONV_AXIS(0, 0)G_CUDA_CONV_AXIS(1, 1)<%%>m4_dnl
G_CUDA_CONV_AXIS(2, 2)%>,
  G_RANK, 2, <%G_CUDA_CONV_AXIS(0, 1)G_CUDA_CONV_AXIS(1, 2)%>,
  <%G_CUDA_CONV_AXIS(0, 2)%>)m4_dnl
  p.lo = G_RELU_LO;
  p.hi = G_RELU_HI;
  p.fast = G_FAST;
  o2c_cuda_conv(cu, G_PLAN, &p, x, w, G_BIAS, G_RESIDUAL, y);
G_IF(G_APART, <%m4_dnl
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_COUNT, y);
%>)m4_dnl
}
%>)

G_CUDA_CONV_RESULT(sum, bias, residual): the element of y.
m4_define(<%G_CUDA_CONV_RESULT%>, <%m4_dnl
m4_define(<%G_CUDA_CONV_SUM%>, <%$1<%%>m4_ifelse(G_BIAS, <%NULL%>, <%%>, <% +
  G_LOAD<%%>($2)%>)<%%>m4_dnl
m4_ifelse(G_RESIDUAL, <%NULL%>, <%%>, <% + G_LOAD<%%>($3)%>)%>)m4_dnl
m4_ifelse(G_A, <%double%>, <%G_CUDA_CONV_SUM%>,
  <%G_IF(G_THEN, <%G_KERNEL_NAME<%%>_then%>, G_STORE)<%%>m4_dnl
(o2c_clampf(G_CUDA_CONV_SUM, G_LO, G_HI))%>)%>)

  THEN   lines that make an element of y of the clamped sum, or nothing
m4_define(<%G_CUDA_CONV_THEN%>, <%G_IF(G_THEN, <%m4_dnl
static __device__ __forceinline__ G_T G_KERNEL_NAME<%%>_then(float sum)
{
G_THEN<%%>m4_dnl
  return made;
}
%>)%>)

By our own kernel. Variables are those of window.m4, and
  W_K W_C W_TAP       elements of w, from filter to filter, channel, tap
m4_define(<%G_CUDA_CONV_DIRECT%>, <%m4_dnl
G_CUDA_CONV_THEN<%%>m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const G_INDEX count = G_COUNT;
  for (G_INDEX e = o2c_thread(); e < count; e += o2c_threads()) {
G_CUDA_PLACE(G_K)G_CUDA_SPAN(0)G_CUDA_SPAN(1)G_CUDA_SPAN(2)m4_dnl
    const G_T *const from = x + image * G_X_N +
      k / (G_K / G_GROUPS) * (G_C / G_GROUPS) * G_X_C;
    const G_T *const filter = w + k * G_W_K;
    G_A sum = 0;
G_CUDA_TAPS(<%m4_dnl
          for (G_INDEX c = 0; c < G_C / G_GROUPS; c++)
            sum += G_LOAD<%%>(from[i0 * G_X0 + i1 * G_X1 + i2 * G_X2 +
              c * G_X_C]) *
              G_LOAD<%%>(filter[c * G_W_C +
                ((t0 * G_KERNEL1 + t1) * G_KERNEL2 + t2) * G_W_TAP]);
%>)m4_dnl
    y[e] = G_CUDA_CONV_RESULT(sum, bias[k], residual[e]);
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS);
}
%>)

Of images of a single pixel, in either layout: a warp for each element of y, in
packs of V channels.
m4_define(<%G_CUDA_CONV_PIXEL%>, <%m4_dnl
G_CUDA_CONV_THEN<%%>m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const G_INDEX count = G_COUNT;
  const int own = o2c_own<32>();
  for (G_INDEX e = o2c_row<32>(); e < count; e += o2c_rows<32>()) {
    const G_INDEX k = e % G_K, image = e / G_K;
    const o2c_pack<G_T, G_V> *const from =
      (const o2c_pack<G_T, G_V> *)(x + image * G_C);
    const o2c_pack<G_T, G_V> *const filter =
      (const o2c_pack<G_T, G_V> *)(w + k * G_C);
    G_A sum = 0;
    O2C_UNROLL_16
    for (int c = own; c < G_C / G_V; c += 32) {
      const o2c_pack<G_T, G_V> a = from[c], b = filter[c];
      O2C_UNROLL
      for (int v = 0; v < G_V; v++)
        sum += G_LOAD<%%>(a.v[v]) * G_LOAD<%%>(b.v[v]);
    }
    sum = o2c_all_sum<32>(sum);
    if (own == 0)
      y[e] = G_CUDA_CONV_RESULT(sum, bias[k], residual[e]);
  }
}
G_FUNCTION
{
  O2C_SPREAD_ROWS(cu, G_KERNEL_NAME, 32, G_COUNT, G_ARGUMENTS);
}
%>)

Each channel by itself, channels last: a thread has four channels of MANY pixels
of a line, and reads each of the REACH pixels that a row of taps needs once.
  LINES   lines of y in all images
m4_define(<%G_CUDA_CONV_DEPTHWISE%>, <%m4_dnl
G_CUDA_CONV_THEN<%%>m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const G_INDEX parts = (G_OUT2 + G_MANY - 1) / G_MANY,
    count = G_LINES * parts * (G_C / 4);
  for (G_INDEX e = o2c_thread(); e < count; e += o2c_threads()) {
    const G_INDEX k = e % (G_C / 4) * 4, part = e / (G_C / 4),
      line = part / parts;
    const G_INDEX o2 = part % parts * G_MANY, o1 = line % G_OUT1;
    const G_INDEX b2 = o2 * G_STRIDE2 - G_BEFORE2, b1 = o1 * G_STRIDE1 -
      G_BEFORE1;
    const G_T *const from = x + line / G_OUT1 * G_X_N + k;
    float sum[G_MANY][4] = {};
    for (int t1 = 0; t1 < G_KERNEL1; t1++) {
      const G_INDEX i1 = b1 + t1 * G_DILATION1;
      o2c_pack<G_T, 4> tap[G_KERNEL2];
      if (i1 < 0 || i1 >= G_IN1)
        continue;
      O2C_UNROLL
      for (int t2 = 0; t2 < G_KERNEL2; t2++)
        tap[t2] = *(const o2c_pack<G_T, 4> *)(w + (t1 * G_KERNEL2 + t2) * G_C +
          k);
      O2C_UNROLL
      for (int j = 0; j < G_REACH; j++) {
        const G_INDEX i2 = b2 + j;
        if (i2 < 0 || i2 >= G_IN2)
          continue;
        const o2c_pack<G_T, 4> one = *(const o2c_pack<G_T, 4> *)(from +
          i1 * G_X1 + i2 * G_C);
        O2C_UNROLL
        for (int p = 0; p < G_MANY; p++) {
          const int off = j - p * G_STRIDE2;
          if (off >= 0 && off % G_DILATION2 == 0 &&
              off / G_DILATION2 < G_KERNEL2)
            O2C_UNROLL
            for (int v = 0; v < 4; v++)
              sum[p][v] += G_LOAD<%%>(one.v[v]) *
                G_LOAD<%%>(tap[off / G_DILATION2].v[v]);
        }
      }
    }
m4_ifelse(G_BIAS, <%NULL%>, <%%>, <%m4_dnl
    const o2c_pack<G_T, 4> more = *(const o2c_pack<G_T, 4> *)(bias + k);
%>)m4_dnl
    O2C_UNROLL
    for (int p = 0; p < G_MANY; p++) {
      const G_INDEX at = (line * G_OUT2 + o2 + p) * G_C + k;
      o2c_pack<G_T, 4> to;
      if (o2 + p >= G_OUT2)
        break;
m4_ifelse(G_RESIDUAL, <%NULL%>, <%%>, <%m4_dnl
      const o2c_pack<G_T, 4> other = *(const o2c_pack<G_T, 4> *)(residual + at);
%>)m4_dnl
      O2C_UNROLL
      for (int v = 0; v < 4; v++)
        to.v[v] = G_CUDA_CONV_RESULT(sum[p][v], more.v[v], other.v[v]);
      *(o2c_pack<G_T, 4> *)(y + at) = to;
    }
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME,
             (G_OUT2 + G_MANY - 1) / G_MANY * G_LINES * (G_C / 4), G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
