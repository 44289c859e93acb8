m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/lstm_bytes.m4: LSTMs with weights of bytes, by codegen/cuda/lstm_bytes.c;
variables are members of o2c_lstm_bytes_p, and
  FUNCTIONS  as in ref/recurrent.h   ACT  where those of direction d begin
m4_define(<%G_CUDA_LSTM_BYTES%>, <%m4_dnl
struct G_KERNEL_NAME<%%>_act {
  static __device__ float of(int64_t d, int k, float v, float clip)
  {
    const int64_t functions[] = { G_FUNCTIONS };
    (void)d;
    return o2c_ref_recur_act_f32(v, functions + G_ACT + 3 * k, clip);
  }
};
G_FUNCTION
{
  o2c_lstm_bytes_p p;
  memset(&p, 0, sizeof p);
  p.x = x;
  p.words = (const int *)(const void *)words;
  p.sums = sums;
  p.zero = G_ZERO;
  p.scale = scale;
  p.bias = G_RB;
  p.peep = G_PEEP;
  p.h0 = G_H0;
  p.c0 = G_C0;
  p.lens = G_LENS;
  p.y = G_Y;
  p.yh = G_YH;
  p.yc = G_YC;
  p.h = states;
  p.c = cells;
  p.range = range;
  p.fault = o2c_cuda_fault(cu);
  p.steps = G_STEPS;
  p.rows = G_ROWS;
  p.hidden = G_HIDDEN;
  p.dirs = G_DIRS;
  const int64_t at[] = { G_AT };
  memcpy(p.at, at, sizeof at);
  p.reverse = G_REVERSE;
  p.coupled = G_COUPLED;
  p.clip = G_CLIP;
  o2c_lstm_bytes<G_KERNEL_NAME<%%>_act>(cu, p);
}
%>)
m4_divert(0)m4_dnl
