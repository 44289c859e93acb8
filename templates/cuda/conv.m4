m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/conv.m4: convolutions, written by codegen/cuda/conv.c, which states the
variables: those of o2c_cuda_conv_p, an axis 0, 1, 2 each, of which the first
ones are single where there are fewer.

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
m4_define(<%G_CUDA_CONV%>, <%m4_dnl
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
  p.lo = G_LO;
  p.hi = G_HI;
  p.fast = G_FAST;
  o2c_cuda_conv(cu, G_PLAN, &p, x, w, G_BIAS, G_RESIDUAL, y);
}
%>)

G_CUDA_CONV_TAP(axis): the loop over its taps, with i<axis> the input's index.
m4_define(<%G_CUDA_CONV_TAP%>, <%m4_dnl
    for (G_INDEX t$1 = 0; t$1 < m4_indir(<%G_KERNEL$1%>); t$1++) {
      const G_INDEX i$1 = o$1 * m4_indir(<%G_STRIDE$1%>) +
        t$1 * m4_indir(<%G_DILATION$1%>) - m4_indir(<%G_BEFORE$1%>);
      if (i$1 < 0 || i$1 >= m4_indir(<%G_IN$1%>))
        continue;
%>)

By our own kernel.
  X_N X_C X0 X1 X2    elements from neighbour to neighbour of x
  W_K W_C W_TAP       of w, from filter to filter, channel, tap
  LAST                channels are last in x and y
m4_define(<%G_CUDA_CONV_DIRECT%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const G_INDEX count = G_COUNT;
  for (G_INDEX e = o2c_thread(); e < count; e += o2c_threads()) {
G_IF(G_LAST, <%m4_dnl
    const G_INDEX k = e % G_K, pixel = e / G_K;
%>, <%m4_dnl
    const G_INDEX area = G_OUT0 * G_OUT1 * G_OUT2, k = e / area % G_K;
    const G_INDEX pixel = e / area / G_K * area + e % area;
%>)m4_dnl
    const G_INDEX o2 = pixel % G_OUT2, row = pixel / G_OUT2;
    const G_INDEX o1 = row % G_OUT1, plane = row / G_OUT1;
    const G_INDEX o0 = plane % G_OUT0, image = plane / G_OUT0;
    const G_T *const from = x + image * G_X_N +
      k / (G_K / G_GROUPS) * (G_C / G_GROUPS) * G_X_C;
    const G_T *const filter = w + k * G_W_K;
    float sum = 0.0f;
G_CUDA_CONV_TAP(0)G_CUDA_CONV_TAP(1)G_CUDA_CONV_TAP(2)m4_dnl
      for (G_INDEX c = 0; c < G_C / G_GROUPS; c++)
        sum += G_LOAD<%%>(from[i0 * G_X0 + i1 * G_X1 + i2 * G_X2 +
                               c * G_X_C]) *
          G_LOAD<%%>(filter[c * G_W_C + ((t0 * G_KERNEL1 + t1) * G_KERNEL2 +
                                         t2) * G_W_TAP]);
    }
    }
    }
m4_ifelse(G_BIAS, <%NULL%>, <%%>, <%    sum += G_LOAD<%%>(bias[k]);
%>)m4_dnl
m4_ifelse(G_RESIDUAL, <%NULL%>, <%%>, <%    sum += G_LOAD<%%>(residual[e]);
%>)m4_dnl
    y[e] = G_STORE<%%>(o2c_clampf(sum, G_LO, G_HI));
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_COUNT, 256), 256, G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
