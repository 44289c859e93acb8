m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/sample.m4: operators that look between pixels, written by
codegen/cuda/sample.c, over the functions of ref/sample.h for elements of type
TYPE. Images are [N, C, IN..], results have OUT; NI and NO elements each.

A point of the grid and CHUNK channels a thread.
m4_define(<%G_CUDA_GRID_SAMPLE%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const int64_t in[G_AXES] = G_IN;
  const int64_t chunks = (G_C + G_CHUNK - 1) / G_CHUNK, no = G_NO, ni = G_NI;
  const int64_t count = G_N * chunks * no;
G_IF(G_NEAREST, <%%>, <%m4_dnl
  const int64_t move = G_CUBIC && G_PAD == O2C_GRID_BORDER
    ? (int64_t)O2C_GRID_ZEROS : G_PAD;
%>)m4_dnl
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
    const int64_t o = e % no, image = e / no / chunks;
    const int64_t first = e / no % chunks * G_CHUNK;
    const int64_t end = first + G_CHUNK < G_C ? first + G_CHUNK : G_C;
G_IF(G_NEAREST, <%m4_dnl
    int64_t from = 0;
%>, <%m4_dnl
    int64_t tap[4 * O2C_GRID_AXES];
    double weight[4 * O2C_GRID_AXES];
%>)m4_dnl
    for (int64_t j = 0; j < G_AXES; j++) {
      const double at = o2c_grid_at(
        G_NARROW, G_WIDE, (image * no + o) * G_AXES + G_AXES - 1 - j, in[j],
        G_NEAREST, G_IF(G_NEAREST, G_PAD, move), G_CORNERS);
G_IF(G_NEAREST, <%m4_dnl
      const int64_t one = o2c_grid_tap((int64_t)at, in[j], G_PAD, G_CORNERS);
      from = one < 0 || from < 0 ? -1 : from * in[j] + one;
%>, <%m4_dnl
      const int64_t low = (int64_t)floor(at) - G_CUBIC;
      for (int64_t k = 0; k < G_TAPS; k++) {
        tap[j * G_TAPS + k] = o2c_grid_tap(low + k, in[j], G_PAD, G_CORNERS);
        weight[j * G_TAPS + k] =
          o2c_grid_weight((double)(low + k) - at, G_CUBIC);
      }
%>)m4_dnl
    }
    for (int64_t f = first; f < end; f++) {
      const G_T *const map = x + (image * G_C + f) * ni;
      y[(image * G_C + f) * no + o] =
G_IF(G_NEAREST, <%        from < 0 ? 0 : map[from];
%>, <%m4_dnl
        o2c_ref_grid_value_<%%>G_TYPE<%%>(o2c_ref_grid_sum_<%%>G_TYPE<%%>(
          map, 0, G_AXES, G_TAPS, in, tap, weight), 0);
%>)m4_dnl
    }
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT / G_CHUNK + 1, G_ARGUMENTS);
}
%>)

m4_define(<%G_CUDA_AFFINE%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const int64_t out[G_AXES] = G_OUT;
  const int64_t count = G_COUNT, no = G_NO;
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
    const int64_t k = e % G_AXES;
    const G_T *const row =
      theta + (e / G_AXES / no * G_AXES + k) * (G_AXES + 1);
    int64_t rest = e / G_AXES % no;
    double sum = (double)G_LOAD<%%>(row[G_AXES]);
    for (int j = 0; j < G_AXES; j++) {
      const int64_t size = out[G_AXES - 1 - j];
      const double i = (double)(rest % size);
      sum += (double)G_LOAD<%%>(row[j]) * (!G_CORNERS
        ? (2 * i + 1) / (double)size - 1
        : size > 1 ? 2 * i / (double)(size - 1) - 1 : -1);
      rest /= size;
    }
    y[e] = G_STORE<%%>((G_A)sum);
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS);
}
%>)

A region that names no image, or is not finite, is a fault.
m4_define(<%G_CUDA_ROI_ALIGN%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *fault)
{
G_KERNEL_OPEN<%%>m4_dnl
  const int64_t in[2] = G_IN, out[2] = G_OUT;
  const int64_t count = G_COUNT;
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
    const int64_t place[2] = { e / out[1] % out[0], e % out[1] };
    const int64_t f = e / (out[0] * out[1]) % G_C;
    const int64_t r = e / (out[0] * out[1]) / G_C;
    double from[2], step[2];
    int64_t grid[2];
    bool good = batch[r] >= 0 && batch[r] < G_N;
    for (int a = 0; a < 2; a++) {
      const double first = (double)G_LOAD<%%>(rois[4 * r + 1 - a]) * G_SCALE;
      double size =
        (double)G_LOAD<%%>(rois[4 * r + 3 - a]) * G_SCALE - first;
      if (!G_HALF && !(size > 1))
        size = 1;
      const double bin = size / (double)out[a];
      good = good && fabs(bin) < 1e6;
      grid[a] = G_RATIO > 0 ? G_RATIO : good ? (int64_t)ceil(bin) : 0;
      grid[a] = grid[a] > 0 ? grid[a] : 0;
      step[a] = grid[a] ? bin / (double)grid[a] : 0;
      from[a] = first - (G_HALF ? 0.5 : 0) + (double)place[a] * bin;
    }
    if (!good) {
      *fault = (int)O2C_E_DATA;
      y[e] = 0;
      continue;
    }
    y[e] = G_STORE<%%>((G_A)o2c_ref_roi_cell_<%%>G_TYPE<%%>(
      x + (batch[r] * G_C + f) * in[0] * in[1], in[0], in[1], from, step, grid,
      G_MAX));
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS, o2c_cuda_fault(cu));
}
%>)

m4_define(<%G_CUDA_ROI_POOL%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *fault)
{
G_KERNEL_OPEN<%%>m4_dnl
  const int64_t in[2] = G_IN, out[2] = G_OUT;
  const int64_t count = G_COUNT;
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
    const int64_t place[2] = { e / out[1] % out[0], e % out[1] };
    const int64_t f = e / (out[0] * out[1]) % G_C;
    const G_T *const roi = rois + e / (out[0] * out[1]) / G_C * 5;
    const double image = (double)G_LOAD<%%>(roi[0]);
    bool good = image >= 0 && image < (double)G_N, some = false;
    int64_t from[2], to[2];
    G_A best = 0;
    for (int a = 0; a < 2; a++) {
      const double k = (double)place[a];
      const double begin = round((double)G_LOAD<%%>(roi[2 - a]) * G_SCALE);
      const double size =
        round((double)G_LOAD<%%>(roi[4 - a]) * G_SCALE) - begin + 1;
      const double bin = (size > 1 ? size : 1) / (double)out[a];
      good = good && fabs(begin) < 1e9 && fabs(size) < 1e9;
      from[a] = good ? (int64_t)begin + (int64_t)floor(k * bin) : 0;
      to[a] = good ? (int64_t)begin + (int64_t)ceil((k + 1) * bin) : 0;
      from[a] = from[a] < 0 ? 0 : from[a];
      to[a] = to[a] > in[a] ? in[a] : to[a];
    }
    if (!good) {
      *fault = (int)O2C_E_DATA;
      y[e] = 0;
      continue;
    }
    const G_T *const map = x + ((int64_t)image * G_C + f) * in[0] * in[1];
    for (int64_t i = from[0]; i < to[0]; i++)
      for (int64_t j = from[1]; j < to[1]; j++) {
        const G_A v = G_LOAD<%%>(map[i * in[1] + j]);
        if (!some || v > best)
          best = v;
        some = true;
      }
    y[e] = G_STORE<%%>(best);
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS, o2c_cuda_fault(cu));
}
%>)

m4_define(<%G_CUDA_DEFORM%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const int64_t in[G_AXES] = G_IN, out[G_AXES] = G_OUT;
  const int64_t begin[G_AXES] = G_BEGIN, kernel[G_AXES] = G_KERNEL;
  const int64_t stride[G_AXES] = G_STRIDE, dilation[G_AXES] = G_DILATION;
  const int64_t count = G_COUNT, no = G_NO, ni = G_NI;
  const int64_t cg = G_C / G_GROUP, mg = G_M / G_GROUP;
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
    const int64_t o = e % no, f = e / no % G_M, image = e / no / G_M;
    int64_t start[G_AXES];
    double sum = G_IF(G_BIAS, <%(double)G_LOAD<%%>(bias[f])%>, 0);
    o2c_window(o, G_AXES, out, stride, begin, start);
    for (int64_t k = 0; k < cg; k++)
      for (int64_t t = 0; t < G_TAPS; t++) {
        const int64_t c = f / mg * cg + k;
        const int64_t set =
          (image * G_SETS + c / (G_C / G_SETS)) * G_TAPS + t;
        double at[G_AXES];
        int64_t rest = t;
        for (int j = G_AXES - 1; j >= 0; j--) {
          at[j] = (double)(start[j] + rest % kernel[j] * dilation[j]) +
            (double)G_LOAD<%%>(offset[(set * G_AXES + j) * no + o]);
          rest /= kernel[j];
        }
        const double v =
          o2c_ref_deform_at_<%%>G_TYPE<%%>(x + (image * G_C + c) * ni, G_AXES,
                                           in, at) *
          (double)G_LOAD<%%>(w[(f * cg + k) * G_TAPS + t]);
        sum += G_IF(G_MASK, <%v * (double)G_LOAD<%%>(mask[set * no + o])%>, v);
      }
    y[e] = G_STORE<%%>((G_A)sum);
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
