m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/recurrent.m4: RNN (KIND 0), GRU (1) and LSTM (2), by
codegen/cuda/recurrent.c: a block takes row i of direction d through all steps.
  T TYPE        of all numbers           HIDDEN GATES  units; sums of a row
  W             empty: x holds the inputs' sums
  R_GATE R_K    steps in r, W_GATE W_K in w
  FUNCTIONS     as in ref/recurrent.h    ACT   those of direction d
  BACK          it begins at the end     FLAG  linear_before_reset, or
                                               input_forget
  X_TIME .. S_ROW   as in c/recurrent.m4

G_CUDA_RECUR_SUM(sum, from, factor, gate): sum += from . R[gate]
m4_define(<%G_CUDA_RECUR_SUM%>, <%m4_dnl
        O2C_UNROLL_16
        for (int k = 0; k < $2; k++)
          $1 += $3[k] * $4;
%>)
The sum of gate j: of its inputs, and of its state.
m4_define(<%G_CUDA_RECUR_IN%>, <%m4_dnl
m4_ifelse(G_W, <%%>, <%m4_dnl
        G_T in = row[d * G_GATES + $1];
%>, <%m4_dnl
        G_T in = 0;
G_CUDA_RECUR_SUM(in, G_INPUTS, row,
                 w_own[(int64_t)($1) * G_W_GATE + (int64_t)k * G_W_K])<%%>m4_dnl
m4_ifelse(G_RB, <%NULL%>, <%%>, <%        in += rb[d * 2 * G_GATES + $1];
%>)%>)%>)
m4_define(<%G_CUDA_RECUR_STATE%>, <%m4_dnl
        G_T sum = 0;
G_CUDA_RECUR_SUM(sum, G_HIDDEN, $2,
                 r_own[(int64_t)($1) * G_R_GATE + (int64_t)k * G_R_K])<%%>m4_dnl
m4_ifelse(G_RB, <%NULL%>, <%%>, G_W, <%%>, <%%>, <%m4_dnl
        sum += rb[(d * 2 + 1) * G_GATES + $1];
%>)%>)
m4_define(<%G_CUDA_RECUR_ACT%>,
<%o2c_ref_recur_act_<%%>G_TYPE<%%>($1, G_ACT + $2, $3)%>)
m4_define(<%G_CUDA_RECUR_CLIP%>, <%(G_T)G_CLIP%>)
m4_define(<%G_CUDA_RECUR_UNITS%>,
<%for (int j = (int)threadIdx.x; j < G_HIDDEN; j += G_THREADS)%>)

m4_define(<%G_CUDA_RECUR_RNN%>, <%m4_dnl
      G_CUDA_RECUR_UNITS {
G_CUDA_RECUR_IN(j)G_CUDA_RECUR_STATE(j, h)m4_dnl
        gate[j] = G_CUDA_RECUR_ACT(in + sum, 0, G_CUDA_RECUR_CLIP);
      }
      __syncthreads();
      G_CUDA_RECUR_UNITS
        h[j] = gate[j];
%>)

m4_define(<%G_CUDA_RECUR_GRU%>, <%m4_dnl
      for (int j = (int)threadIdx.x; j < 2 * G_HIDDEN; j += G_THREADS) {
G_CUDA_RECUR_IN(j)G_CUDA_RECUR_STATE(j, h)m4_dnl
        gate[j] = G_CUDA_RECUR_ACT(in + sum, 0, G_CUDA_RECUR_CLIP);
      }
      __syncthreads();
      G_CUDA_RECUR_UNITS
        c[j] = G_IF(G_FLAG, <%h[j]%>, <%gate[G_HIDDEN + j] * h[j]%>);
      __syncthreads();
      G_CUDA_RECUR_UNITS {
        const int hidden = 2 * G_HIDDEN + j;
G_CUDA_RECUR_IN(hidden)G_CUDA_RECUR_STATE(hidden, c)m4_dnl
m4_ifelse(G_RB, <%NULL%>, <%%>, G_W, <%%>, <%m4_dnl
        sum += rb[d * G_HIDDEN + j];
%>)m4_dnl
G_IF(G_FLAG, <%        sum *= gate[G_HIDDEN + j];
%>)m4_dnl
        const G_T v = G_CUDA_RECUR_ACT(in + sum, 3, G_CUDA_RECUR_CLIP);
        h[j] = (1 - gate[j]) * v + gate[j] * h[j];
      }
%>)

G_CUDA_RECUR_PEEP(gate, cell)
m4_define(<%G_CUDA_RECUR_PEEP%>, <%gate[$1 * G_HIDDEN + j]<%%>m4_dnl
m4_ifelse(G_PEEP, <%%>, <%%>, <% + peep[(d * 3 + $1) * G_HIDDEN + j] * $2%>)%>)
m4_define(<%G_CUDA_RECUR_LSTM%>, <%m4_dnl
      for (int j = (int)threadIdx.x; j < G_GATES; j += G_THREADS) {
G_CUDA_RECUR_IN(j)G_CUDA_RECUR_STATE(j, h)m4_dnl
        gate[j] = in + sum;
      }
      __syncthreads();
      G_CUDA_RECUR_UNITS {
        G_T cell = c[j];
        const G_T in = G_CUDA_RECUR_ACT(G_CUDA_RECUR_PEEP(0, cell), 0,
                                        G_CUDA_RECUR_CLIP);
        const G_T forget = G_IF(G_FLAG, <%1 - in%>,
            <%G_CUDA_RECUR_ACT(G_CUDA_RECUR_PEEP(2, cell), 0,
                               G_CUDA_RECUR_CLIP)%>);
        cell = forget * cell +
            in * G_CUDA_RECUR_ACT(gate[3 * G_HIDDEN + j], 3,
                                  G_CUDA_RECUR_CLIP);
        const G_T out = G_CUDA_RECUR_ACT(G_CUDA_RECUR_PEEP(1, cell), 0,
                                         G_CUDA_RECUR_CLIP);
        c[j] = cell;
        h[j] = out * G_CUDA_RECUR_ACT(cell, 6, G_CUDA_RECUR_CLIP);
      }
%>)

m4_define(<%G_CUDA_RECURRENT%>, <%m4_dnl
static __global__ void __launch_bounds__(G_THREADS)
G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *const fault)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  __shared__ G_T h[G_HIDDEN], gate[G_GATES];
m4_ifelse(G_KIND, 0, <%%>, <%m4_dnl
  __shared__ G_T c[G_HIDDEN]; /* the cell; what a GRU's reset leaves of h */
%>)m4_dnl
  const int64_t functions[] = { G_FUNCTIONS };
  (void)fault;
  for (G_INDEX b = (G_INDEX)blockIdx.x; b < G_DIRS * (G_INDEX)(G_ROWS);
       b += (G_INDEX)gridDim.x) {
    const G_INDEX d = b % G_DIRS, i = b / G_DIRS;
    const G_INDEX n = m4_ifelse(G_LENS, <%NULL%>, <%G_STEPS%>,
                                <%(G_INDEX)lens[i]%>);
    const G_INDEX state = d * (G_S_DIR) + i * (G_S_ROW);
    const G_T *const r_own = r + d * (G_GATES * G_HIDDEN);
m4_ifelse(G_W, <%%>, <%%>, <%m4_dnl
    const G_T *const w_own = w + d * (G_GATES * G_INPUTS);
%>)m4_dnl
m4_ifelse(G_LENS, <%NULL%>, <%%>, <%m4_dnl
    if (n < 0 || n > G_STEPS) {
      if (threadIdx.x == 0)
        *fault = (int)O2C_E_DATA;
      continue;
    }
%>)m4_dnl
    (void)state;
    G_CUDA_RECUR_UNITS {
      h[j] = m4_ifelse(G_H0, <%NULL%>, <%0%>, <%h0[state + j]%>);
m4_ifelse(G_KIND, 2, <%m4_dnl
      c[j] = m4_ifelse(G_C0, <%NULL%>, <%0%>, <%c0[state + j]%>);
%>)m4_dnl
    }
    __syncthreads();
    for (G_INDEX t = 0; t < G_STEPS; t++) {
m4_ifelse(G_LENS, <%NULL%>, <%%>, <%m4_dnl
      if (t >= n) {
m4_ifelse(G_Y, <%NULL%>, <%%>, <%m4_dnl
        G_CUDA_RECUR_UNITS
          y[t * (G_Y_TIME) + d * (G_Y_DIR) + i * (G_Y_ROW) + j] = 0;
%>)m4_dnl
        continue;
      }
%>)m4_dnl
      const G_INDEX now = G_BACK ? n - 1 - t : t;
      const G_T *const row = x + now * (G_X_TIME) + i * (G_X_ROW);
m4_ifelse(G_KIND, 0, <%G_CUDA_RECUR_RNN<%%>%>,
          G_KIND, 1, <%G_CUDA_RECUR_GRU<%%>%>,
          <%G_CUDA_RECUR_LSTM<%%>%>)m4_dnl
m4_ifelse(G_Y, <%NULL%>, <%%>, <%m4_dnl
      G_CUDA_RECUR_UNITS
        y[now * (G_Y_TIME) + d * (G_Y_DIR) + i * (G_Y_ROW) + j] = h[j];
%>)m4_dnl
      __syncthreads();
    }
m4_ifelse(G_YH, <%NULL%>, <%%>, <%m4_dnl
    G_CUDA_RECUR_UNITS
      yh[state + j] = h[j];
%>)m4_dnl
m4_ifelse(G_YC, <%NULL%>, <%%>, <%m4_dnl
    G_CUDA_RECUR_UNITS
      yc[state + j] = c[j];
%>)m4_dnl
  }
}
G_FUNCTION
{
  O2C_LAUNCH(cu, G_KERNEL_NAME, o2c_blocks(G_DIRS * (int64_t)(G_ROWS), 1),
             G_THREADS, G_ARGUMENTS, o2c_cuda_fault(cu));
}
%>)
m4_divert(0)m4_dnl
