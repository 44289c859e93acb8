m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/find.m4: NonZero, Compress and NonMaxSuppression: a step that finds how
many there are, in `sizes`, and keeps `found`, and one that picks; by
kernels/cuda/find.h, written by codegen/cuda/find.c.
  COUNT  elements that are looked at         IS  whether element i is one
m4_define(<%G_CUDA_FIND%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  o2c_find_count(G_COUNT, found, [=](int64_t i) -> bool { return G_IS; });
}
static __global__ void G_KERNEL_NAME<%%>_2(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  o2c_find_sum((G_COUNT + O2C_CHUNK - 1) / O2C_CHUNK, found, sizes);
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_COUNT, O2C_CHUNK), 256,
             G_ARGUMENTS);
  O2C_LAUNCH(cu, G_KERNEL_NAME<%%>_2, 1, 256, G_ARGUMENTS);
}
%>)

NonZero: FOUND of them, with lines that put what element i is.
m4_define(<%G_CUDA_NONZERO%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  const int64_t count = G_FOUND;
  (void)count;
  o2c_find_put(G_COUNT, found, [=](int64_t i) -> bool { return G_IS; },
               [=](int64_t k, int64_t i) {
    (void)k, (void)i;
G_BODY<%%>m4_dnl
  });
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_COUNT, O2C_CHUNK), 256,
             G_ARGUMENTS);
}
%>)
m4_define(<%G_CUDA_NONZERO_AXIS%>, <%    y[$1 * count + k] = $2;
%>)

Compress: numbers of the slices, then words of those: x is [.., N, INNER].
m4_define(<%G_CUDA_COMPRESS%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>_at(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  o2c_find_put(G_COUNT, found, [=](int64_t i) -> bool { return G_IS; },
               [=](int64_t k, int64_t i) { at[k] = i; });
}
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  const int64_t count = G_FOUND, words = G_WORDS;
  for (int64_t e = o2c_thread(); e < words; e += o2c_threads()) {
    const int64_t row = e / G_INNER;
    ((G_WORD *)y)[e] = ((const G_WORD *)x)[
      (row / count * G_N + at[row % count]) * G_INNER + e % G_INNER];
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME<%%>_at, o2c_blocks(G_COUNT, O2C_CHUNK), 256,
             G_ARGUMENTS);
  O2C_SPREAD(cu, G_KERNEL_NAME, G_WORDS, G_ARGUMENTS);
}
%>)

NonMaxSuppression: found has, for each of CLASSES classes of BATCH images, how
many were picked, and the boxes. MOST OVERLAP LEAST  operands, or NULL
m4_define(<%G_CUDA_NMS%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  const int64_t n = G_N, classes = G_CLASSES, rows = G_BATCH * classes;
  const int64_t *const most_of = G_MOST;
  const float *const overlap_of = G_OVERLAP, *const least_of = G_LEAST;
  const int64_t most = most_of ? *most_of : 0;
  const float limit = overlap_of ? *overlap_of : 0;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const float *const box = boxes + row / classes * n * 4;
    const int64_t k = o2c_nms(scores + row * n, least_of, n,
      most < n ? most : n, list + row * n, found + row * (n + 1) + 1,
      [=](int64_t a, int64_t b) -> bool {
        return o2c_ref_nms_overlap_f32(box + 4 * a, box + 4 * b, G_CENTER,
                                       limit) != 0;
      });
    if (threadIdx.x == 0)
      found[row * (n + 1)] = (int32_t)k;
    __syncthreads();
  }
}
static __global__ void G_KERNEL_NAME<%%>_2(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  const int64_t n = G_N, rows = G_BATCH * G_CLASSES;
  int64_t sum = 0;
  for (int64_t row = threadIdx.x; row < rows; row += 256)
    sum += found[row * (n + 1)];
  sum = o2c_all_sum<256>(sum);
  if (threadIdx.x == 0)
    sizes[0] = sum;
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_BATCH * G_CLASSES, 1), 256,
             G_ARGUMENTS);
  O2C_LAUNCH(cu, G_KERNEL_NAME<%%>_2, 1, 256, G_ARGUMENTS);
}
%>)
m4_define(<%G_CUDA_NMS_PUT%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const int64_t n = G_N, classes = G_CLASSES, rows = G_BATCH * classes;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    int64_t before = 0;
    for (int64_t r = threadIdx.x; r < row; r += 256)
      before += found[r * (n + 1)];
    before = o2c_all_sum<256>(before);
    const int32_t *const pick = found + row * (n + 1);
    for (int64_t k = threadIdx.x; k < pick[0] && before + k < G_FOUND;
         k += 256) {
      y[3 * (before + k)] = row / classes;
      y[3 * (before + k) + 1] = row % classes;
      y[3 * (before + k) + 2] = pick[1 + k];
    }
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_BATCH * G_CLASSES, 1), 256,
             G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
