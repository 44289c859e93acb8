m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/pool.m4: pools, written by codegen/cuda/pool.c. Variables are those of
window.m4, and
  C COUNT     channels; elements of y, or packs of them
  FEW         taps, so that their loops are unrolled
  KIND        max, average, lp (of order P), mean or quantised
  INDEX_OUT   max writes where it found them
  COLUMN      counted with the first axis fastest
  COUNT_PAD   average: padding counts
  P INVERSE   the order of the norm, and 1 / P; ORDER: it as 1 or 2, or 0
  SCALE X_ZP Y_ZP  of bytes

G_CUDA_POOL_TERM(v): what an element adds to a sum.
m4_define(<%G_CUDA_POOL_TERM%>, <%m4_dnl
m4_ifelse(G_KIND, <%lp%>, <%m4_ifelse(G_ORDER, 1, <%fabs<%%>G_F<%%>($1)%>,
  G_ORDER, 2, <%$1 * $1%>, <%pow<%%>G_F<%%>(fabs<%%>G_F<%%>($1), G_P)%>)%>,
  <%$1%>)%>)

G_CUDA_POOL_RESULT(sum, count): the element of y.
m4_define(<%G_CUDA_POOL_RESULT%>, <%m4_dnl
m4_ifelse(G_KIND, <%max%>, <%G_STORE<%%>($1)%>,
  G_KIND, <%lp%>, <%G_STORE<%%>(m4_ifelse(G_ORDER, 1, <%$1%>,
    G_ORDER, 2, <%sqrt<%%>G_F<%%>($1)%>, <%pow<%%>G_F<%%>($1, G_INVERSE)%>))%>,
  G_KIND, <%average%>, <%G_STORE<%%>($2 ? $1 / (G_A)($2) : $1)%>,
  G_KIND, <%mean%>, <%G_STORE<%%>($1 / (G_A)($2))%>,
  <%o2c_requant_u8($1 - (int32_t)($2) * G_X_ZP, G_SCALE / (float)($3),
    o2c_rq_make(G_Y_ZP, 0, 255))%>)%>)

G_CUDA_POOL_NAN(v, best): v takes the place of best as it is not a number.
m4_define(<%G_CUDA_POOL_NAN%>, <%m4_ifelse(G_A, <%int32_t%>, <%%>, <% ||
  ($1 != $1 && $2 == $2)%>)%>)

G_CUDA_POOL_PADDED(axis): taps before the end of the end padding.
m4_define(<%G_CUDA_POOL_PADDED%>, <%m4_dnl
o2c_end_tap<G_INDEX>(b$1, m4_indir(<%G_DILATION$1%>), m4_indir(<%G_IN$1%>) +
  m4_indir(<%G_AFTER$1%>), m4_indir(<%G_KERNEL$1%>))<%%>%>)

An output element, or a pack of V channels, a thread.
m4_define(<%G_CUDA_POOL%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const G_INDEX count = G_COUNT;
  for (G_INDEX e = o2c_thread(); e < count; e += o2c_threads()) {
G_CUDA_PLACE(G_C)G_CUDA_SPAN(0)G_CUDA_SPAN(1)G_CUDA_SPAN(2)m4_dnl
    const G_T *const from = x + image * G_X_N + k * G_X_C;
    o2c_pack<G_T, G_V> to;
    G_A best[G_V];
G_IF(G_INDEX_OUT, <%    G_INDEX at = -1;
%>)m4_dnl
    for (int v = 0; v < G_V; v++)
      best[v] = m4_ifelse(G_KIND, <%max%>, G_LEAST, 0);
G_CUDA_TAPS_BY(G_IF(G_FEW, <%<%G_CUDA_FEW_TAP%>%>, <%<%G_CUDA_TAP%>%>), <%m4_dnl
          const o2c_pack<G_T, G_V> one = *(const o2c_pack<G_T, G_V> *)(from +
            i0 * G_X0 + i1 * G_X1 + i2 * G_X2);
          for (int v = 0; v < G_V; v++) {
            const G_A a = G_LOAD<%%>(one.v[v]);
m4_ifelse(G_KIND, <%max%>, <%m4_dnl
            if (G_IF(G_INDEX_OUT, <%at < 0 ||
                %>)a > best[v]<%%>G_CUDA_POOL_NAN(a, best[v])) {
              best[v] = a;
G_IF(G_INDEX_OUT, <%              at = G_IF(G_COLUMN,
  <%(i2 * G_IN1 + i1) * G_IN0 + i0%>, <%(i0 * G_IN1 + i1) * G_IN2 + i2%>);
%>)m4_dnl
            }
%>, <%m4_dnl
            best[v] += G_CUDA_POOL_TERM(a);
%>)m4_dnl
          }
%>)m4_dnl
m4_ifelse(G_KIND, <%max%>, <%%>, G_KIND, <%lp%>, <%%>, <%m4_dnl
    const G_INDEX inside = (n0 > f0 ? n0 - f0 : 0) * (n1 > f1 ? n1 - f1 :
      0) * (n2 > f2 ? n2 - f2 : 0);
G_IF(G_COUNT_PAD, <%m4_dnl
    const G_INDEX taps = G_CUDA_POOL_PADDED(0) *
      G_CUDA_POOL_PADDED(1) *
      G_CUDA_POOL_PADDED(2);
%>, <%m4_dnl
    const G_INDEX taps = inside;
%>)m4_dnl
%>)m4_dnl
    for (int v = 0; v < G_V; v++)
      to.v[v] = m4_ifelse(G_KIND, <%quantised%>,
        <%G_CUDA_POOL_RESULT(<%best[v]%>, <%inside%>, <%taps%>)%>,
        <%G_CUDA_POOL_RESULT(<%best[v]%>, <%taps%>)%>);
m4_ifelse(G_KIND, <%average%>, <%    (void)inside;
%>)m4_dnl
    *(o2c_pack<G_T, G_V> *)(y + e * G_V) = to;
G_IF(G_INDEX_OUT, <%m4_dnl
    indices[e] = at < 0 ? 0 : ((int64_t)image * (G_C) +
      k) * (G_IN0 * G_IN1 * G_IN2) + at;
%>)m4_dnl
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS);
}
%>)

Over all of an image's positions: RESULTS results a block, each of PARTS
threads, whose sums are added in a tree.
  PIXELS      positions      N          images
  X_P         elements from position to position
  FAR NEAR    threads from result to result, from part to part
m4_define(<%G_CUDA_POOL_BLOCKS%>, <%m4_dnl
G_IF(G_LAST, <%G_N * ((G_C + 31) / 32)%>,
  <%(G_N * G_C + G_RESULTS - 1) / G_RESULTS%>)%>)
m4_define(<%G_CUDA_POOL_GLOBAL%>, <%m4_dnl
static __global__ void __launch_bounds__(G_THREADS)
G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  __shared__ G_A part[G_THREADS];
  const int me = threadIdx.x, mine = me / G_FAR % G_RESULTS,
    piece = me / G_NEAR % G_PARTS;
  const G_INDEX blocks = G_CUDA_POOL_BLOCKS, pixels = G_PIXELS;
  for (G_INDEX block = blockIdx.x; block < blocks; block += gridDim.x) {
G_IF(G_LAST, <%m4_dnl
    const G_INDEX tiles = (G_C + 31) / 32, image = block / tiles,
      k = block % tiles * 32 + mine;
    const bool there = k < G_C;
    const G_INDEX to = image * G_C + k;
    const G_T *const from = x + image * G_C * pixels + k;
%>, <%m4_dnl
    const G_INDEX to = block * G_RESULTS + mine;
    const bool there = to < G_N * G_C;
    const G_T *const from = x + to * pixels;
%>)m4_dnl
    G_A best = m4_ifelse(G_KIND, <%max%>, G_LEAST, 0);
    for (G_INDEX i = piece; there && i < pixels; i += G_PARTS) {
      const G_A a = G_LOAD<%%>(from[i * G_X_P]);
m4_ifelse(G_KIND, <%max%>, <%m4_dnl
      if (a > best<%%>G_CUDA_POOL_NAN(a, best))
        best = a;
%>, <%m4_dnl
      best += G_CUDA_POOL_TERM(a);
%>)m4_dnl
    }
    part[me] = best;
    for (int half = G_PARTS / 2; half > 0; half /= 2) {
      __syncthreads();
      if (piece < half) {
        const G_A a = part[me + half * G_NEAR];
m4_ifelse(G_KIND, <%max%>, <%m4_dnl
        if (a > part[me]<%%>G_CUDA_POOL_NAN(a, part[me]))
          part[me] = a;
%>, <%m4_dnl
        part[me] += a;
%>)m4_dnl
      }
    }
    if (there && piece == 0)
      y[to] = m4_ifelse(G_KIND, <%quantised%>,
        <%G_CUDA_POOL_RESULT(<%part[me]%>, <%pixels%>, <%pixels%>)%>,
        <%G_CUDA_POOL_RESULT(<%part[me]%>, <%pixels%>)%>);
    __syncthreads();
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_CUDA_POOL_BLOCKS, 1), G_THREADS,
    G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
