m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/linear.m4: LinearAttention, as ref/linear.h: the state of a head of k in
registers, a column by LANES threads, 256 / LANES columns a block; written by
codegen/cuda/linear.c.
  TYPE STATE    of elements, of past and present   KEYS WIDE  of a state
  N T           samples, tokens                    PARTS  blocks of a head
  HEADS GROUPS SHARED   of q, of k, of q by head of k
  PAST DECAY BETA  are there, or ""    PER_KEY PER_HEAD  how decay, beta lie
m4_define(<%G_CUDA_LINEAR%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>m4_dnl
  typedef G_TYPE E;
  typedef E::A A;
  const int held = (G_KEYS + G_LANES - 1) / G_LANES;
  __shared__ A key[G_KEYS], query[G_SHARED * G_KEYS];
G_IF(G_DECAY, <%m4_dnl
  __shared__ A factor[G_KEYS];
%>)m4_dnl
  const int lane = (int)threadIdx.x % G_LANES;
  const int64_t tokens = G_T, wide = G_WIDE, heads = G_N * G_GROUPS;
  for (int64_t block = blockIdx.x; block < heads * G_PARTS;
       block += gridDim.x) {
    const int64_t head = block / G_PARTS, g = head % G_GROUPS;
    const int64_t m =
      block % G_PARTS * (256 / G_LANES) + (int)threadIdx.x / G_LANES;
    const bool some = m < wide;
    A state[held];
    O2C_UNROLL
    for (int i = 0; i < held; i++) {
      const int d = i * G_LANES + lane;
      state[i] = 0;
G_IF(G_PAST, <%m4_dnl
      if (some && d < G_KEYS)
        state[i] = G_STATE<%%>::load(past[(head * G_KEYS + d) * wide + m]);
%>, <%m4_dnl
      (void)d;
%>)m4_dnl
    }
    for (int64_t t = 0; t < tokens; t++) {
      const int64_t at = head / G_GROUPS * tokens + t, own = at * G_GROUPS + g;
      __syncthreads();
      for (int i = (int)threadIdx.x; i < G_KEYS; i += 256) {
        key[i] = E::load(k[own * G_KEYS + i]);
G_IF(G_DECAY, <%m4_dnl
        factor[i] = o2c_exp(E::load(decay[G_IF(G_PER_KEY,
                                               <%own * G_KEYS + i%>, own)]));
%>)m4_dnl
      }
      for (int i = (int)threadIdx.x; i < G_SHARED * G_KEYS; i += 256)
        query[i] = E::load(q[(at * G_HEADS + g * G_SHARED) * G_KEYS + i]);
      __syncthreads();
      A u = 0;
G_IF(G_DECAY<%%>G_BETA, <%m4_dnl
      O2C_UNROLL
      for (int i = 0; i < held; i++) {
        const int d = i * G_LANES + lane;
        if (d < G_KEYS) {
G_IF(G_DECAY, <%m4_dnl
          state[i] *= factor[d];
%>)m4_dnl
G_IF(G_BETA, <%m4_dnl
          u += state[i] * key[d];
%>)m4_dnl
        }
      }
%>)m4_dnl
      const A value = some ? E::load(v[own * wide + m]) : (A)0;
G_IF(G_BETA, <%m4_dnl
      for (int w = G_LANES / 2; w > 0; w /= 2)
        u += o2c_lane_xor(u, w);
      u = E::load(beta[G_IF(G_PER_HEAD, own, at)]) * (value - u);
%>, <%m4_dnl
      u = value;
%>)m4_dnl
      O2C_UNROLL
      for (int i = 0; i < held; i++)
        if (i * G_LANES + lane < G_KEYS)
          state[i] += key[i * G_LANES + lane] * u;
      for (int h = 0; h < G_SHARED; h++) {
        A sum = 0;
        O2C_UNROLL
        for (int i = 0; i < held; i++)
          if (i * G_LANES + lane < G_KEYS)
            sum += state[i] * query[h * G_KEYS + i * G_LANES + lane];
        for (int w = G_LANES / 2; w > 0; w /= 2)
          sum += o2c_lane_xor(sum, w);
        if (lane == 0 && some)
          y[(at * G_HEADS + g * G_SHARED + h) * wide + m] =
            E::store((A)G_SCALE * sum);
      }
    }
G_IF(G_PRESENT, <%m4_dnl
    O2C_UNROLL
    for (int i = 0; i < held; i++)
      if (some && i * G_LANES + lane < G_KEYS)
        present[(head * G_KEYS + i * G_LANES + lane) * wide + m] =
          G_STATE<%%>::store(state[i]);
%>)m4_dnl
    __syncthreads();
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME,
             o2c_blocks(INT64_C(1) * G_N * G_GROUPS * G_PARTS, 1), 256,
             G_ARGUMENTS);
}
%>)
m4_divert(0)m4_dnl
