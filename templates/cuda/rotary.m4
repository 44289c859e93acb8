m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/rotary.m4: RotaryEmbedding, as `rotary` of ref/attention.h; written by
codegen/cuda/rotary.c.
  HEADS TOKENS WIDTH TURNED ROWS  sizes     HALF  pairs of a row
  EACH   pairs of a row, and numbers that stay       COUNT  of all rows
  XN XH XT PN PT  from row to row in x and y, and of the table, or PLACE
m4_define(<%G_CUDA_ROTARY%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS, int *const fault)
{
G_KERNEL_OPEN<%%>m4_dnl
  typedef G_TYPE E;
  (void)fault;
  for (G_INDEX e = (G_INDEX)o2c_thread(); e < G_COUNT;
       e += (G_INDEX)o2c_threads()) {
    const G_INDEX j = e % G_EACH, t = e / G_EACH, i = t % G_TOKENS;
    const G_INDEX h = t / G_TOKENS % G_HEADS, b = t / G_TOKENS / G_HEADS;
    const G_INDEX at = b * G_XN + h * G_XH + i * G_XT;
    if (j >= G_HALF) {
      y[at + j + G_HALF] = x[at + j + G_HALF];
      continue;
    }
    int64_t row = b * G_PN + i * G_PT;
G_IF(G_PLACE, <%m4_dnl
    row = o2c_pick(place[row], G_ROWS, fault);
    if (row < 0)
      continue;
%>)m4_dnl
    const E::A c = E::load(cosines[row * G_HALF + j]);
    const E::A s1 = E::load(sines[row * G_HALF + j]);
    const G_INDEX first = at + G_IF(G_NEIGHBOURS, <%2 * j%>, j);
    const G_INDEX second = first + G_IF(G_NEIGHBOURS, 1, G_HALF);
    const E::A u = E::load(x[first]), v = E::load(x[second]);
    y[first] = E::store(c * u - s1 * v);
    y[second] = E::store(s1 * u + c * v);
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS, o2c_cuda_fault(cu));
}
%>)
m4_divert(0)m4_dnl
