m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/random.m4: draws by the functions of ref/random.h, and Dropout's by
kernels/cuda/twister.h; written by codegen/cuda/random.c.
  ELEMENT TYPE  of floats       KEY   of the generator     TRIP  pointer or NULL
  DRAWS         of a block of the generator, which is a thread's
m4_define(<%G_CUDA_DRAWS%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  const int64_t count = G_COUNT, blocks = (count + G_DRAWS - 1) / G_DRAWS;
  for (int64_t b = o2c_thread(); b < blocks; b += o2c_threads()) {
    uint32_t w[4];
    o2c_ref_philox_<%%>G_ELEMENT<%%>((uint64_t)b, UINT64_C(G_KEY), G_TRIP, w);
$1<%%>m4_dnl
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT / G_DRAWS + 1, G_ARGUMENTS);
}
%>)

RandomUniform, from LOW to HIGH.
m4_define(<%G_CUDA_UNIFORM%>, <%G_CUDA_DRAWS(<%m4_dnl
    typedef G_TYPE E;
    const E::A low = (E::A)G_LOW, high = (E::A)G_HIGH;
    for (int k = 0; k < G_DRAWS && b * G_DRAWS + k < count; k++)
      y[b * G_DRAWS + k] = E::store(
        low + (high - low) * o2c_ref_unit_of_<%%>G_ELEMENT<%%>(w, k));
%>)%>)

RandomNormal: LOW is the mean, HIGH the scale.
m4_define(<%G_CUDA_NORMAL%>, <%G_CUDA_DRAWS(<%m4_dnl
    typedef G_TYPE E;
    for (int k = 0; k < G_DRAWS && b * G_DRAWS + k < count; k += 2) {
      const int64_t i = b * G_DRAWS + k;
m4_ifelse(G_DRAWS, 2, <%m4_dnl
      const E::A first = 1 - o2c_ref_unit_<%%>G_ELEMENT<%%>(w, 0);
%>, <%m4_dnl
      const E::A first = ((E::A)w[k] + 1) * (E::A)(1.0 / 4294967296.0);
%>)m4_dnl
      const E::A radius = o2c_root(-2 * o2c_log(first));
      const E::A turn = (E::A)6.283185307179586476925 *
        o2c_ref_unit_<%%>G_ELEMENT<%%>(w, k + 1);
      y[i] = E::store((E::A)G_LOW + (E::A)G_HIGH * (radius * G_COS<%%>(turn)));
      if (i + 1 < count)
        y[i + 1] =
          E::store((E::A)G_LOW + (E::A)G_HIGH * (radius * G_SIN<%%>(turn)));
    }
%>)%>)

Bernoulli: ONE, of type WORD, with the probability x.
m4_define(<%G_CUDA_BERNOULLI%>, <%G_CUDA_DRAWS(<%m4_dnl
    for (int k = 0; k < G_DRAWS && b * G_DRAWS + k < count; k++) {
      const int64_t i = b * G_DRAWS + k;
      ((G_WORD *)y)[i] = o2c_ref_unit_<%%>G_ELEMENT<%%>(w, k) <
        G_TYPE<%%>::load(x[i]) ? (G_WORD)G_ONE : (G_WORD)0;
    }
%>)%>)

Multinomial: a row a block; its sums in order, by one thread.
m4_define(<%G_CUDA_MULTINOMIAL%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *fault)
{
G_KERNEL_OPEN<%%>m4_dnl
  typedef G_TYPE E;
  const int64_t rows = G_ROWS, classes = G_CLASSES, samples = G_SAMPLES;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    double *const to = sum + row * classes;
    double most = -INFINITY;
    for (int64_t i = threadIdx.x; i < classes; i += blockDim.x)
      most = fmax(most, (double)E::load(x[row * classes + i]));
    most = o2c_all_max<256>(most);
    for (int64_t i = threadIdx.x; i < classes; i += blockDim.x)
      to[i] = exp((double)E::load(x[row * classes + i]) - most);
    __syncthreads();
    if (threadIdx.x == 0)
      for (int64_t i = 1; i < classes; i++)
        to[i] += to[i - 1];
    __syncthreads();
    const double total = classes > 0 ? to[classes - 1] : 0;
    if (samples && !(total > 0 && total < INFINITY))
      *fault = (int)O2C_E_DATA;
    for (int64_t k = threadIdx.x; k < samples; k += blockDim.x) {
      int64_t low = 0, high = classes - 1;
      uint32_t w[4];
      o2c_ref_philox_<%%>G_ELEMENT<%%>((uint64_t)(row * samples + k),
                                       UINT64_C(G_KEY), G_TRIP, w);
      const double want = (double)(((uint64_t)w[0] << 32 | w[1]) >> 11) *
        total / 9007199254740992.0;
      while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (to[mid] > want)
          high = mid;
        else
          low = mid + 1;
      }
      y[row * samples + k] = (G_WORD)low;
    }
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_ROWS, 1), 256, G_ARGUMENTS,
             o2c_cuda_fault(cu));
}
%>)

Dropout that drops: one block, as draws are one sequence. RATIO, TRAIN values.
m4_define(<%G_CUDA_DROPOUT%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  typedef G_TYPE E;
  __shared__ uint32_t state[O2C_TWISTER];
  const int64_t count = G_COUNT;
  const E::A ratio = (E::A)(G_RATIO);
  const bool drop = G_TRAIN && ratio != 0;
  const E::A by = 1 / (1 - ratio);
  if (drop)
    o2c_twister_seed(state, (uint32_t)(UINT64_C(G_SEED) + G_OFFSET));
  for (int64_t from = 0; from < count; from += O2C_TWISTER / 2) {
    if (drop)
      o2c_twister_next(state);
    for (int k = (int)threadIdx.x; k < O2C_TWISTER / 2 && from + k < count;
         k += (int)blockDim.x) {
      bool keep = true;
      if (drop) {
        const uint32_t a = o2c_twister_word(state[2 * k]) >> 5;
        const uint32_t b = o2c_twister_word(state[2 * k + 1]) >> 6;
        keep = ((double)a * 67108864.0 + (double)b) / 9007199254740992.0 >=
               (double)ratio;
      }
      const int64_t i = from + k;
      (void)i, (void)by;
G_IF(G_HAS_Y, <%m4_dnl
      y[i] = !keep ? E::store(0) : drop ? E::store(E::load(x[i]) * by) : x[i];
%>)m4_dnl
G_IF(G_HAS_MASK, <%m4_dnl
      mask[i] = (uint8_t)keep;
%>)m4_dnl
    }
    __syncthreads();
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, 1, 256, G_ARGUMENTS);
}
%>)

Dropout that does not: a copy, and a mask of ones, of type WORD.
m4_define(<%G_CUDA_KEEP%>, <%G_GRID(G_COUNT, <%m4_dnl
G_IF(G_HAS_Y, <%m4_dnl
    y[e] = x[e];
%>)m4_dnl
G_IF(G_HAS_MASK, <%m4_dnl
    ((G_WORD *)mask)[e] = (G_WORD)G_ONE;
%>)m4_dnl
%>)%>)
m4_divert(0)m4_dnl
