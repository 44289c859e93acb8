m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/deconv.m4: ConvTranspose, written by codegen/cuda/deconv.c. Variables are
those of window.m4, and
  M MG CG        channels of y; those of a group, of y and of x
  W_C W_K W_TAP  elements of w from channel to channel of x, of y, tap to tap

G_CUDA_DECONV_TAP(axis): the loop over taps that fall on a pixel, i<axis>.
m4_define(<%G_CUDA_DECONV_TAP%>, <%m4_dnl
    for (G_INDEX t$1 = 0; t$1 < m4_indir(<%G_KERNEL$1%>); t$1++) {
      const G_INDEX p$1 = o$1 + m4_indir(<%G_BEFORE$1%>) -
        t$1 * m4_indir(<%G_DILATION$1%>);
      const G_INDEX i$1 = p$1 / m4_indir(<%G_STRIDE$1%>);
      if (p$1 < 0 || p$1 % m4_indir(<%G_STRIDE$1%>) ||
          i$1 >= m4_indir(<%G_IN$1%>))
        continue;
%>)

m4_define(<%G_CUDA_DECONV%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const G_INDEX count = G_COUNT;
  for (G_INDEX e = o2c_thread(); e < count; e += o2c_threads()) {
G_CUDA_PLACE(G_M)m4_dnl
    const G_INDEX group = k / G_MG;
    const G_T *const from = x + image * G_X_N + group * G_CG * G_X_C;
    const G_T *const filter = w + group * G_CG * G_W_C + k % G_MG * G_W_K;
    o2c_pack<G_T, G_V> to;
    G_A sum[G_V];
    for (int v = 0; v < G_V; v++)
      sum[v] = G_IF(G_BIAS, <%G_LOAD<%%>(bias[k + v])%>, 0);
G_CUDA_DECONV_TAP(0)G_CUDA_DECONV_TAP(1)G_CUDA_DECONV_TAP(2)m4_dnl
      const G_T *const at = from + i0 * G_X0 + i1 * G_X1 + i2 * G_X2;
      const G_T *const tap = filter +
        ((t0 * G_KERNEL1 + t1) * G_KERNEL2 + t2) * G_W_TAP;
      for (G_INDEX c = 0; c < G_CG; c++) {
        const G_A a = G_LOAD<%%>(at[c * G_X_C]);
        const o2c_pack<G_T, G_V> b =
          *(const o2c_pack<G_T, G_V> *)(tap + c * G_W_C);
        for (int v = 0; v < G_V; v++)
          sum[v] += a * G_LOAD<%%>(b.v[v]);
      }
    }
    }
    }
    for (int v = 0; v < G_V; v++)
      to.v[v] = G_STORE<%%>(sum[v]);
    *(o2c_pack<G_T, G_V> *)(y + e * G_V) = to;
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
