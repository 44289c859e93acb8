m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/loss.m4: NegativeLogLikelihoodLoss, as ref/loss.h: scores [.., CLASSES,
INNER], COUNT targets; written by codegen/cuda/loss.c.
  IGNORED  whether target `at` counts nothing     WEIGHT  of class `at`
The loss and weight of target e.
m4_define(<%G_CUDA_LOSS_ONE%>, <%m4_dnl
    const int64_t at = (int64_t)target[e];
    E::A loss = 0, weight = 0;
    if (!(G_IGNORED)) {
      if (at < 0 || at >= G_CLASSES) {
        *fault = (int)O2C_E_DATA;
      } else {
        const int64_t from = e / G_INNER * G_CLASSES + at;
        weight = G_WEIGHT;
        loss = -E::load(x[from * G_INNER + e % G_INNER]) * weight;
      }
    }
%>)
m4_define(<%G_CUDA_LOSS%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *fault)
{
G_KERNEL_OPEN<%%>m4_dnl
  typedef G_TYPE E;
  const int64_t count = G_COUNT;
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
G_CUDA_LOSS_ONE<%%>m4_dnl
    y[e] = E::store(loss);
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS,
             o2c_cuda_fault(cu));
}
%>)

The sum, or (MEAN) that over the sum of weights: PARTS blocks, and then one.
m4_define(<%G_CUDA_LOSS_SUM%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *fault)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  typedef G_TYPE E;
  const int64_t count = G_COUNT;
  double sum = 0, total = 0;
  for (int64_t e = o2c_thread(); e < count; e += o2c_threads()) {
G_CUDA_LOSS_ONE<%%>m4_dnl
    sum += (double)loss;
    total += (double)weight;
  }
  sum = o2c_all_sum<256>(sum);
  total = o2c_all_sum<256>(total);
  if (threadIdx.x == 0) {
    part[2 * blockIdx.x] = sum;
    part[2 * blockIdx.x + 1] = total;
  }
}
static __global__ void G_KERNEL_NAME<%%>_2(G_KERNEL_PARAMETERS, int parts)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  const bool mine = (int)threadIdx.x < parts;
  const double sum =
    o2c_all_sum<256>(mine ? part[2 * threadIdx.x] : 0.0);
  const double total =
    o2c_all_sum<256>(mine ? part[2 * threadIdx.x + 1] : 0.0);
  if (threadIdx.x == 0)
    y[0] = G_TYPE<%%>::store((G_TYPE<%%>::A)(G_MEAN ? sum / total : sum));
}
G_FUNCTION
{
  unsigned parts = o2c_blocks(G_COUNT, 1024);
  if (parts > 256)
    parts = 256;
  O2C_LAUNCH(cu, G_KERNEL_NAME, parts, 256, G_ARGUMENTS, o2c_cuda_fault(cu));
  O2C_LAUNCH(cu, G_KERNEL_NAME<%%>_2, 1, 256, G_ARGUMENTS, (int)parts);
}
%>)
m4_divert(0)m4_dnl
