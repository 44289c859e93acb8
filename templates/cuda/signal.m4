m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/signal.m4: DFT and STFT by kernels/cuda/dft.h, windows and mel weights by
the functions of ref/window.h; written by codegen/cuda/signal.c.
  TYPE    element      N  length of a transform    ROWS  how many
  XO XI   row r's numbers begin at r / INNER * XO + r % INNER * XI, XS apart;
  YO YI   so do its results, YS apart, which are MADE, of OUTS parts
  HAVE PARTS HALF INVERSE   of what is loaded      WINDOW  a pointer, or NULL
m4_define(<%G_CUDA_DFT_ROW%>, <%m4_dnl
  const o2c_dft_row how = { G_HAVE, G_XS, G_PARTS, G_HALF, G_INVERSE };
%>)
m4_define(<%G_CUDA_DFT_FROM%>,
<%x + row / G_INNER * (G_XO) + row % G_INNER * (G_XI)%>)
m4_define(<%G_CUDA_DFT_TO%>,
<%y + row / G_INNER * (G_YO) + row % G_INNER * (G_YI)%>)

In shared memory: SHARE threads a row, SIDE rows a block; PASSES.
m4_define(<%G_CUDA_DFT%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  typedef G_TYPE<%%>::A A;
  __shared__ o2c_pair<A> room[2][G_SIDE * G_N];
  const o2c_pair<A> *const w = (const o2c_pair<A> *)roots;
  const int own = (int)threadIdx.x % G_SHARE;
  o2c_pair<A> *const a = room[0] + (int)threadIdx.x / G_SHARE * G_N;
  o2c_pair<A> *const b = room[1] + (int)threadIdx.x / G_SHARE * G_N;
  const int64_t rows = G_ROWS, made = G_MADE;
  (void)b, (void)w;
G_CUDA_DFT_ROW<%%>m4_dnl
  for (int64_t r = (int64_t)blockIdx.x * G_SIDE; r < rows;
       r += (int64_t)gridDim.x * G_SIDE) {
    const int64_t row = r + (int)threadIdx.x / G_SHARE;
    for (int k = own; k < G_N && row < rows; k += G_SHARE)
      a[k] = o2c_dft_load<G_TYPE>(G_CUDA_DFT_FROM, G_WINDOW, how, k, G_N);
    __syncthreads();
G_PASSES<%%>m4_dnl
    for (int64_t k = own; k < made && row < rows; k += G_SHARE)
      o2c_dft_store<G_TYPE>(G_CUDA_DFT_TO + k * (G_YS), G_LAST[k], G_OUTS, G_N,
                            how.inverse);
    __syncthreads();
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_ROWS, G_SIDE), 256, G_ARGUMENTS);
}
%>)
G_CUDA_DFT_PASS(factor, stride, from, to)
m4_define(<%G_CUDA_DFT_PASS%>, <%m4_dnl
    o2c_dft_pass<A, G_N, $1, $2, G_SHARE>($3, $4, w);
%>)

In memory: w has the roots, u and v all rows. A launch for each pass.
m4_define(<%G_CUDA_DFT_WIDE%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>_roots(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  typedef G_TYPE<%%>::A A;
  for (int64_t k = o2c_thread(); k < G_N; k += o2c_threads())
    ((o2c_pair<A> *)w)[k] = o2c_dft_root<A>(k, G_N);
}
static __global__ void G_KERNEL_NAME<%%>_load(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  typedef G_TYPE<%%>::A A;
  const int64_t n = G_N, count = n * G_ROWS;
G_CUDA_DFT_ROW<%%>m4_dnl
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
    const int64_t row = e / n;
    ((o2c_pair<A> *)u)[e] =
      o2c_dft_load<G_TYPE>(G_CUDA_DFT_FROM, G_WINDOW, how, e % n, n);
  }
}
static __global__ void G_KERNEL_NAME<%%>_pass(G_KERNEL_PARAMETERS,
    int64_t p, int64_t stride, int back)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  typedef o2c_pair<G_TYPE<%%>::A> P;
  o2c_dft_wide_pass(back ? (const P *)v : (const P *)u, back ? (P *)u : (P *)v,
                    (const P *)w, G_ROWS, G_N, p, stride);
}
static __global__ void G_KERNEL_NAME<%%>_store(G_KERNEL_PARAMETERS, int back)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  typedef o2c_pair<G_TYPE<%%>::A> P;
  const P *const from = back ? (const P *)v : (const P *)u;
  const int64_t n = G_N, made = G_MADE, count = made * G_ROWS;
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
    const int64_t row = e / made, k = e % made;
    o2c_dft_store<G_TYPE>(G_CUDA_DFT_TO + k * (G_YS), from[row * n + k], G_OUTS,
                          n, G_INVERSE);
  }
}
G_FUNCTION
{
  const int64_t n = G_N, all = n * G_ROWS;
  int back = 0;
  O2C_SPREAD(cu, G_KERNEL_NAME<%%>_roots, n, G_ARGUMENTS);
  O2C_SPREAD(cu, G_KERNEL_NAME<%%>_load, all, G_ARGUMENTS);
  for (int64_t stride = 1; stride < n; back = !back) {
    const int64_t p = o2c_dft_factor(n / stride);
    O2C_SPREAD(cu, G_KERNEL_NAME<%%>_pass, all, G_ARGUMENTS, p, stride, back);
    stride *= p;
  }
  O2C_SPREAD(cu, G_KERNEL_NAME<%%>_store, all, G_ARGUMENTS, back);
}
%>)

Of a length or along an axis that only data tells: GIVEN is the length, AXIS the
axis, of shapes DIM and OUT of RANK axes. w has the roots.
m4_define(<%G_CUDA_DFT_DATA_OPEN%>, <%m4_dnl
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  const int64_t rank = G_RANK, dim[] = { G_DIM }, out[] = { G_OUT };
  const int64_t given = G_AXIS, axis = given < 0 ? given + rank : given;
  const bool good = axis >= 0 && axis < rank - 1;
  const int64_t have = good ? dim[axis] : 0, made = good ? out[axis] : 0;
  const int64_t n = G_GIVEN;
  if (!good || n < 1 || made != (G_ONESIDED ? n / 2 + 1 : n)) {
    *fault = (int)O2C_E_DATA;
    return;
  }
%>)
m4_define(<%G_CUDA_DFT_DATA%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>_roots(G_KERNEL_PARAMETERS, int *fault)
{
G_CUDA_DFT_DATA_OPEN<%%>m4_dnl
  typedef G_TYPE<%%>::A A;
  (void)have;
  for (int64_t k = o2c_thread(); k < n; k += o2c_threads())
    ((o2c_pair<A> *)w)[k] = o2c_dft_root<A>(k, n);
}
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *fault)
{
G_CUDA_DFT_DATA_OPEN<%%>m4_dnl
  typedef G_TYPE<%%>::A A;
  const int64_t inner = o2c_numel(rank - axis - 2, dim + axis + 1);
  const int64_t count = o2c_numel(axis, dim) * inner * made;
  const o2c_dft_row how = { have, inner * G_PARTS, G_PARTS, G_HALF, G_INVERSE };
  const o2c_pair<A> *const root = (const o2c_pair<A> *)w;
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
    const int64_t i = e % inner, k = e / inner % made, o = e / inner / made;
    const G_TYPE<%%>::T *const from = x + (o * have * inner + i) * G_PARTS;
    o2c_pair<A> sum = { 0, 0 };
    for (int64_t j = 0, at = 0; j < n; j++) {
      const o2c_pair<A> v =
        o2c_turned(o2c_dft_load<G_TYPE>(from, NULL, how, j, n), root[at]);
      sum.re += v.re;
      sum.im += v.im;
      at = at + k < n ? at + k : at + k - n;
    }
    o2c_dft_store<G_TYPE>(y + e * G_OUTS, sum, G_OUTS, n, how.inverse);
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME<%%>_roots, G_MOST, G_ARGUMENTS,
             o2c_cuda_fault(cu));
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS,
             o2c_cuda_fault(cu));
}
%>)

A window: an element a thread. A0 A1 A2: as ref/window.h; PER is the period.
m4_define(<%G_CUDA_TABLE%>, <%G_GRID(G_COUNT, <%m4_dnl
    const double at = (double)e * 6.283185307179586476925 / (double)(G_PER);
    y[e] = o2c_ref_from_real_<%%>G_ELEMENT<%%>(
      G_A0 - G_A1 * cos(at) + G_A2 * cos(2 * at));
%>)%>)

Mel weights [SPECTRUM, BINS]: a column a thread.
m4_define(<%G_CUDA_MEL%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *fault)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  const double length = (double)G_LENGTH, rate = (double)G_RATE;
  const double low = (double)G_LOW, high = (double)G_HIGH;
  const int64_t rows = G_SPECTRUM, bins = G_BINS;
  for (int64_t i = o2c_thread(); i < bins; i += o2c_threads()) {
    int64_t edge[3];
    for (int k = 0; k < 3; k++)
      edge[k] = o2c_ref_mel_bin_<%%>G_ELEMENT<%%>(i + k, bins, length, rate,
                                                  low, high);
    const bool good = rate > 0 && length >= 0 && edge[0] >= 0 &&
                      edge[1] >= edge[0] && edge[2] >= edge[1] &&
                      edge[1] < rows && edge[2] <= rows;
    if (!good)
      *fault = (int)O2C_E_DATA;
    for (int64_t j = 0; j < rows; j++) {
      double v = 0;
      if (good && j >= edge[0] && j < edge[1])
        v = (double)(j - edge[0]) / (double)(edge[1] - edge[0]);
      else if (good && j >= edge[1] && j < edge[2])
        v = (double)(edge[2] - j) / (double)(edge[2] - edge[1]);
      else if (good && j == edge[1])
        v = 1;
      y[j * bins + i] = o2c_ref_from_real_<%%>G_ELEMENT<%%>(v);
    }
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_BINS, 64), 64, G_ARGUMENTS,
             o2c_cuda_fault(cu));
}
%>)
m4_divert(0)m4_dnl
