m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/qconv.m4: convolutions of bytes, written by codegen/cuda/qconv.c. Variables
are those of window.m4, and
  N C K CG KG GROUPS AREA   images, channels, filters; those of a group; taps
  TYPE T                    of y: u8, i32 or f32
  X_ZP Y_ZP LO HI           of bytes

G_CUDA_Q_RESULT(sum, filter): the element of y.
m4_define(<%G_CUDA_Q_RESULT%>, <%m4_dnl
m4_ifelse(G_TYPE, <%u8%>, <%o2c_requant_u8($1, scale[$2],
  o2c_rq_make(G_Y_ZP, G_LO, G_HI))%>,
  G_TYPE, <%f32%>, <%(float)($1) * scale[$2]%>, <%$1%>)%>)

By blocks of 64 pixels and 64 filters; a step has eight words of four channels.
A thread has four of each.
  PER QUADS   words of a tap, of a filter     KP  filters of a group in w
  TILES       blocks side by side             WHOLE  words are whole
  FOURS       groups have multiples of four filters
m4_define(<%G_CUDA_QCONV%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  __shared__ __align__(16) int xs[8][68], ws[8][64];
  const int me = threadIdx.x, word = me % 8, line = me / 8;
  const int col = me % 16 * 4, top = me / 16 * 4;
  const G_INDEX pixels = G_N * G_OUT0 * G_OUT1 * G_OUT2;
  const G_INDEX blocks = (pixels + 63) / 64 * G_TILES;
  const int *const words = (const int *)w;
  for (G_INDEX block = blockIdx.x; block < blocks; block += gridDim.x) {
    const G_INDEX first = block / G_TILES * 64;
    const int group = (int)(block % G_TILES) / (G_KP / 64),
      k0 = (int)(block % G_TILES) % (G_KP / 64) * 64;
    const uint8_t *from[2];
    G_INDEX b0[2], b1[2], b2[2];
    int sum[4][4] = {};
    for (int h = 0; h < 2; h++) {
      const G_INDEX pixel = first + line + 32 * h, row = pixel / G_OUT2;
      const G_INDEX plane = row / G_OUT1, image = plane / G_OUT0;
      b2[h] = pixel % G_OUT2 * G_STRIDE2 - G_BEFORE2;
      b1[h] = row % G_OUT1 * G_STRIDE1 - G_BEFORE1;
      b0[h] = pixel < pixels ? plane % G_OUT0 * G_STRIDE0 - G_BEFORE0 : G_IN0;
      from[h] = x + (pixel < pixels ? image * G_X_N : 0) + group * G_CG;
    }
    for (int q0 = 0; q0 < G_QUADS; q0 += 8) {
      const int q = q0 + word, tap = q / G_PER, c = q % G_PER * 4;
      const int t2 = tap % G_KERNEL2, t1 = tap / G_KERNEL2 % G_KERNEL1,
        t0 = tap / (G_KERNEL2 * G_KERNEL1);
      for (int h = 0; h < 2; h++) {
        const G_INDEX i0 = b0[h] + t0 * G_DILATION0, i1 = b1[h] +
          t1 * G_DILATION1, i2 = b2[h] + t2 * G_DILATION2;
        unsigned v = G_X_ZP * 0x1010101u;
        if (q < G_QUADS && i0 >= 0 && i0 < G_IN0 && i1 >= 0 && i1 < G_IN1 &&
            i2 >= 0 && i2 < G_IN2) {
          const uint8_t *const at = from[h] + i0 * G_X0 + i1 * G_X1 +
            i2 * G_X2 + c;
G_IF(G_WHOLE, <%m4_dnl
          v = *(const unsigned *)at;
%>, <%m4_dnl
          v = at[0];
          for (int j = 1; j < 4 && c + j < G_CG; j++)
            v |= (unsigned)at[j] << 8 * j;
%>)m4_dnl
        }
        xs[word][line + 32 * h] = (int)(v ^ 0x80808080u);
        const int part = me / 64 + 4 * h;
        ws[part][me % 64] = q0 + part < G_QUADS ?
          words[((int64_t)group * G_QUADS + q0 + part) * G_KP + k0 + me % 64] :
          0;
      }
      __syncthreads();
      O2C_UNROLL
      for (int j = 0; j < 8; j++) {
        const o2c_pack<int, 4> a = *(const o2c_pack<int, 4> *)&xs[j][top],
          b = *(const o2c_pack<int, 4> *)&ws[j][col];
        O2C_UNROLL
        for (int r = 0; r < 4; r++)
          O2C_UNROLL
          for (int f = 0; f < 4; f++)
            sum[r][f] = __dp4a(a.v[r], b.v[f], sum[r][f]);
      }
      __syncthreads();
    }
    for (int r = 0; r < 4 && first + top + r < pixels; r++) {
      G_T *const to = y + (first + top + r) * G_K + group * G_KG + k0 + col;
      o2c_pack<G_T, 4> out;
      for (int f = 0; f < 4 && k0 + col + f < G_KG; f++) {
        const int k = group * G_KG + k0 + col + f;
        const int32_t total = (int32_t)((uint32_t)sum[r][f] +
          (uint32_t)bias[k]);
        out.v[f] = G_CUDA_Q_RESULT(total, k);
G_IF(G_FOURS, <%%>, <%        to[f] = out.v[f];
%>)m4_dnl
      }
G_IF(G_FOURS, <%m4_dnl
      if (k0 + col < G_KG)
        *(o2c_pack<G_T, 4> *)to = out;
%>)m4_dnl
    }
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME,
    o2c_blocks((G_N * G_OUT0 * G_OUT1 * G_OUT2 + 63) / 64 * G_TILES, 1), 256,
             G_ARGUMENTS);
}
%>)

An element of y a thread, or V channels of which each is by itself. The bias is
for pixels less X_ZP.
m4_define(<%G_CUDA_QCONV_DIRECT%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const G_INDEX count = G_COUNT;
  for (G_INDEX e = o2c_thread(); e < count; e += o2c_threads()) {
G_CUDA_PLACE(G_K)G_CUDA_SPAN(0)G_CUDA_SPAN(1)G_CUDA_SPAN(2)m4_dnl
    const uint8_t *const from = x + image * G_X_N + k / G_KG * G_CG * G_X_C;
    o2c_pack<G_T, G_V> to;
    uint32_t sum[G_V];
    for (int v = 0; v < G_V; v++)
      sum[v] = (uint32_t)bias[k + v];
G_CUDA_TAPS(<%m4_dnl
          const G_INDEX tap = (t0 * G_KERNEL1 + t1) * G_KERNEL2 + t2;
          for (G_INDEX c = 0; c < G_CG; c++) {
            const o2c_pack<uint8_t,
              G_V> a = *(const o2c_pack<uint8_t, G_V> *)(from + i0 * G_X0 +
              i1 * G_X1 + i2 * G_X2 + c * G_X_C);
            const o2c_pack<int8_t,
              G_V> b = *(const o2c_pack<int8_t, G_V> *)(w +
              (c * G_AREA + tap) * G_K + k);
            for (int v = 0; v < G_V; v++)
              sum[v] += (uint32_t)(((int32_t)a.v[v] - G_X_ZP) * b.v[v]);
          }
%>)m4_dnl
    for (int v = 0; v < G_V; v++)
      to.v[v] = G_CUDA_Q_RESULT(<%(int32_t)sum[v]%>, <%k + v%>);
    *(o2c_pack<G_T, G_V> *)(y + e * G_V) = to;
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_COUNT, 256), 256, G_ARGUMENTS);
}
%>)

With numbers that the run gives: zero points XZ, WZ, YZ, scales XS, WS, YS.
  LINEAR   bytes come out; BIAS: there is one
m4_define(<%G_CUDA_QCONV_GIVEN%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const G_INDEX count = G_COUNT;
  for (G_INDEX e = o2c_thread(); e < count; e += o2c_threads()) {
G_CUDA_PLACE(G_K)G_CUDA_SPAN(0)G_CUDA_SPAN(1)G_CUDA_SPAN(2)m4_dnl
    const auto *const from = x + image * G_X_N + k / G_KG * G_CG * G_X_C;
    const auto *const filter = w + k * (G_CG * G_AREA);
    const int32_t x_zero = G_XZ, w_zero = G_WZ;
    uint32_t sum = G_IF(G_BIAS, <%(uint32_t)bias[k]%>, 0);
G_CUDA_TAPS(<%m4_dnl
          const G_INDEX tap = (t0 * G_KERNEL1 + t1) * G_KERNEL2 + t2;
          for (G_INDEX c = 0; c < G_CG; c++)
            sum += (uint32_t)(((int32_t)from[i0 * G_X0 + i1 * G_X1 +
              i2 * G_X2 + c * G_X_C] -
              x_zero) * ((int32_t)filter[c * G_AREA + tap] - w_zero));
%>)m4_dnl
    y[e] = G_IF(G_LINEAR, <%o2c_ref_requantize_<%%>G_TYPE<%%>((int32_t)sum,
      G_XS * G_WS / G_YS, G_YZ)%>, <%(int32_t)sum%>);
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_COUNT, 256), 256, G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
