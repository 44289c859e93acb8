m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/qconv.m4: convolutions of bytes, written by codegen/cuda/qconv.c. Variables
are those of window.m4, and
  N C K CG KG GROUPS AREA   images, channels, filters; those of a group; taps
  TYPE T                    of y: u8, i32 or f32
  X_ZP Y_ZP LO HI           of bytes
  LINEAR                    QLinearConv, with zero points XZ, WZ, YZ and scales
                            XS, WS, YS that the run may give

G_CUDA_Q_VALUE(sum, scale), G_CUDA_Q_RESULT(sum, filter): the element of y.
m4_define(<%G_CUDA_Q_VALUE%>, <%m4_dnl
m4_ifelse(G_LINEAR, 1, <%o2c_ref_requantize_<%%>G_TYPE<%%>($1, $2, G_YZ)%>,
  G_TYPE, <%u8%>, <%o2c_requant_u8($1, $2,
  o2c_rq_make(G_Y_ZP, G_LO, G_HI))%>,
  G_TYPE, <%f32%>, <%(float)($1) * $2%>, <%$1%>)%>)
m4_define(<%G_CUDA_Q_RESULT%>, <%m4_dnl
G_CUDA_Q_VALUE(<%$1%>, m4_ifelse(G_LINEAR, 1, <%G_XS * G_WS / G_YS%>,
  <%scale[$2]%>))%>)

By tiles of kernels/cuda/tile.h: rows are pixels, columns the filters of a
group. Along k are the taps, of each CP channels, of which CG are there.
  XT WT     C types of x and w          SIGNS  are they signed?
  FILL      a word of x outside of the image
  WHOLE     CG is a multiple of 16; FOURS: of 4
  PACKED    w is [group, step of 64 bytes, KP filters, 64]; else as in the model
  SUMS      are sums of rows and of columns needed?
  BIG TILE  names of tiles; BIG if it makes enough of them, or empty
  MORE      what is added to the raw sums of filter k
  ZERO      its zero point, times which the row's sum is taken from them
  X_ZERO    that of x, times which the column's sum is
  SCALE     of filter k
  WIDE      bytes of y stored together; 0: y has no bytes
m4_define(<%G_CUDA_QCONV_WORD%>, <%m4_dnl
        const int tap = ($1) / G_CP, c = ($1) % G_CP;
        const int t2 = tap % G_KERNEL2, t1 = tap / G_KERNEL2 % G_KERNEL1,
          t0 = tap / (G_KERNEL2 * G_KERNEL1);
        const G_INDEX i0 = b0[h] + t0 * G_DILATION0, i1 = b1[h] +
          t1 * G_DILATION1, i2 = b2[h] + t2 * G_DILATION2;
        const bool inside = i0 >= 0 && i0 < G_IN0 && i1 >= 0 && i1 < G_IN1 &&
          i2 >= 0 && i2 < G_IN2;
        const G_XT *const at = from[h] + i0 * G_X0 + i1 * G_X1 + i2 * G_X2 + c;
%>)
m4_define(<%G_CUDA_QCONV_LAUNCH%>, <%O2C_LAUNCH(cu, G_KERNEL_NAME<%%><$1>,
    o2c_blocks(o2c_tile_count<$1>(G_N * G_OUT0 * G_OUT1 * G_OUT2, G_KG) *
               G_GROUPS, 1),
             $1::THREADS, G_ARGUMENTS)%>)
One block a multiprocessor is enough: rather registers than a second one.
m4_define(<%G_CUDA_QCONV%>, <%m4_dnl
template <class T>
static __global__ void __launch_bounds__(T::THREADS, 1)
G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  __shared__ o2c_four room[T::ROOM];
  o2c_tile_sums<T, G_SIGNS, G_SUMS> sums;
  const int deep = G_AREA * G_CP, across = (G_KG + T::N - 1) / T::N;
  const G_INDEX pixels = G_N * G_OUT0 * G_OUT1 * G_OUT2;
  const G_INDEX blocks = (pixels + T::M - 1) / T::M * (across * G_GROUPS);
  for (G_INDEX block = blockIdx.x; block < blocks; block += gridDim.x) {
    const G_INDEX first = block / (across * G_GROUPS) * T::M;
    const int group = (int)(block / across % G_GROUPS);
    const int k0 = (int)(block % across) * T::N;
    const G_XT *from[T::LEFT];
    G_INDEX b0[T::LEFT], b1[T::LEFT], b2[T::LEFT];
    O2C_UNROLL
    for (int h = 0; h < T::LEFT; h++) {
      const G_INDEX pixel = first + o2c_left_row<T, false>(h);
      const G_INDEX line = pixel / G_OUT2, plane = line / G_OUT1;
      b2[h] = pixel % G_OUT2 * G_STRIDE2 - G_BEFORE2;
      b1[h] = line % G_OUT1 * G_STRIDE1 - G_BEFORE1;
      b0[h] = pixel < pixels ? plane % G_OUT0 * G_STRIDE0 - G_BEFORE0 : G_IN0;
      from[h] = x + (pixel < pixels ? plane / G_OUT0 * G_X_N : 0) +
        group * G_CG;
    }
    const auto left = [&](int h, int k) {
      o2c_four v = {};
G_IF(G_WHOLE, <%m4_dnl
      if (k < deep) {
G_CUDA_QCONV_WORD(k)m4_dnl
        O2C_UNROLL
        for (int j = 0; j < 4; j++)
          v.v[j] = G_FILL;
        if (inside)
          v = *(const o2c_four *)at;
      }
%>, <%m4_dnl
      O2C_UNROLL
      for (int j = 0; j < 4; j++) {
        if (k + 4 * j >= deep)
          break;
G_CUDA_QCONV_WORD(k + 4 * j)m4_dnl
G_IF(G_FOURS, <%m4_dnl
        v.v[j] = inside ? *(const unsigned *)at : G_FILL;
%>, <%m4_dnl
        O2C_UNROLL
        for (int e = 0; e < 4; e++)
          if (c + e < G_CG)
            v.v[j] |= (inside ? (unsigned)(uint8_t)at[e] : G_FILL & 255) <<
              8 * e;
%>)m4_dnl
      }
%>)m4_dnl
      return v;
    };
    const auto right = [&](int h, int k) {
      o2c_four v = {};
      const int f = k0 + o2c_right_row<T, false>(h);
G_IF(G_PACKED, <%m4_dnl
      if (f < G_KP && k < deep)
        v = *(const o2c_four *)(w + (((int64_t)group * ((deep + 63) / 64) +
          k / 64) * G_KP + f) * 64 + k % 64);
%>, <%m4_dnl
      const G_WT *const own = w + ((int64_t)group * G_KG + f) * G_CG *
        G_AREA;
      O2C_UNROLL
      for (int e = 0; e < 16; e++) {
        const int tap = (k + e) / G_CP, c = (k + e) % G_CP;
        if (f < G_KG && k + e < deep && c < G_CG)
          v.v[e / 4] |= (unsigned)(uint8_t)own[c * G_AREA + tap] <<
            8 * (e % 4);
      }
%>)m4_dnl
      return v;
    };
    o2c_tile_multiply<false, false>(sums, room, deep, left, right);
    struct filter { int k; uint32_t more, zero; float scale; };
    const auto begin = [&](int column) {
      const int k = group * G_KG + k0 + column;
      if (k0 + column >= G_KG)
        return filter{ -1, 0, 0, 0 };
      return filter{ k, G_MORE, G_ZERO, G_SCALE };
    };
    o2c_tile_each(sums, begin, [&](int row, int column, const filter &f,
                                   int sum, int row_sum, int column_sum) {
      const int32_t total = (int32_t)((uint32_t)sum + f.more -
        f.zero * (uint32_t)row_sum - G_X_ZERO * (uint32_t)column_sum);
m4_ifelse(G_WIDE, 0, <%m4_dnl
      (void)column;
      if (f.k >= 0 && first + row < pixels)
        y[(first + row) * G_K + f.k] = G_CUDA_Q_VALUE(total, f.scale);
%>, <%m4_dnl
      ((G_T *)room)[row * T::PITCH + column] = G_CUDA_Q_VALUE(total, f.scale);
%>)m4_dnl
    });
m4_ifelse(G_WIDE, 0, <%%>, <%m4_dnl
    __syncthreads();
    o2c_tile_copy<T, G_WIDE>((const G_T *)room,
      y + first * G_K + group * G_KG + k0, G_K, pixels - first, G_KG - k0);
    __syncthreads();
%>)m4_dnl
  }
}
G_FUNCTION
{
G_IF(G_BIG, <%m4_dnl
  if (o2c_tile_count<G_BIG>(G_N * G_OUT0 * G_OUT1 * G_OUT2, G_KG) * G_GROUPS >=
      G_ENOUGH) {
    G_CUDA_QCONV_LAUNCH(G_BIG);
    return;
  }
%>)m4_dnl
  G_CUDA_QCONV_LAUNCH(G_TILE);
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
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS);
}
%>)

Each channel by itself, channels last: a thread has four channels of MANY pixels
of a line, and reads each of the REACH pixels that a row of taps needs once.
  LINES   lines of y in all images
m4_define(<%G_CUDA_QCONV_DEPTHWISE%>, <%m4_dnl
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
    const uint8_t *const from = x + line / G_OUT1 * G_X_N + k;
    int32_t sum[G_MANY][4] = {};
    for (int t1 = 0; t1 < G_KERNEL1; t1++) {
      const G_INDEX i1 = b1 + t1 * G_DILATION1;
      o2c_pack<int8_t, 4> tap[G_KERNEL2];
      if (i1 < 0 || i1 >= G_IN1)
        continue;
      O2C_UNROLL
      for (int t2 = 0; t2 < G_KERNEL2; t2++)
        tap[t2] = *(const o2c_pack<int8_t, 4> *)(w + (t1 * G_KERNEL2 + t2) *
          G_C + k);
      O2C_UNROLL
      for (int j = 0; j < G_REACH; j++) {
        const G_INDEX i2 = b2 + j;
        if (i2 < 0 || i2 >= G_IN2)
          continue;
        const o2c_pack<uint8_t, 4> one = *(const o2c_pack<uint8_t,
          4> *)(from + i1 * G_X1 + i2 * G_C);
        O2C_UNROLL
        for (int p = 0; p < G_MANY; p++) {
          const int off = j - p * G_STRIDE2;
          if (off >= 0 && off % G_DILATION2 == 0 &&
              off / G_DILATION2 < G_KERNEL2)
            O2C_UNROLL
            for (int v = 0; v < 4; v++)
              sum[p][v] += ((int32_t)one.v[v] - G_X_ZP) *
                tap[off / G_DILATION2].v[v];
        }
      }
    }
    O2C_UNROLL
    for (int p = 0; p < G_MANY; p++) {
      o2c_pack<G_T, 4> to;
      if (o2 + p >= G_OUT2)
        break;
      O2C_UNROLL
      for (int v = 0; v < 4; v++) {
        const int32_t total = (int32_t)((uint32_t)sum[p][v] +
          (uint32_t)bias[k + v]);
        to.v[v] = G_CUDA_Q_RESULT(total, <%k + v%>);
      }
      *(o2c_pack<G_T, 4> *)(y + (line * G_OUT2 + o2 + p) * G_C + k) = to;
    }
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME,
             (G_OUT2 + G_MANY - 1) / G_MANY * G_LINES * (G_C / 4), G_ARGUMENTS);
}
%>)

The same, an element a thread, with zero points XZ and WZ that the run may give.
  BIAS   there is one
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
    y[e] = G_CUDA_Q_RESULT(<%(int32_t)sum%>, k);
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
