m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/attention.m4: attention, by codegen/cuda/attention.c.
  SHAPE                assignments to members of o2c_attend_p
  TYPE                 of an element
  ALLOW BIAS VALID     pointers, or NULL
m4_define(<%G_CUDA_ATTENTION_SHAPE%>, <%m4_dnl
  o2c_attend_p p;
  memset(&p, 0, sizeof p);
G_SHAPE<%%>m4_dnl
%>)

Scores in memory, by the kernel that does all there is.
  ROWS  queries of all heads and images     QK  pointer, or NULL
m4_define(<%G_CUDA_ATTENTION%>, <%m4_dnl
G_FUNCTION
{
G_CUDA_ATTENTION_SHAPE<%%>m4_dnl
  O2C_LAUNCH(cu, o2c_attend<o2c_of_<%%>G_TYPE>, o2c_blocks(G_ROWS, 8), 256, q,
             k, v, G_ALLOW, G_BIAS, G_VALID, y, G_QK, scores, p);
}
%>)

Scores on chip.
  WIDE         room for elements of a row
  LIBRARY      cuDNN is asked first
  PLAN DTYPE   of o2c_cuda_sdpa
m4_define(<%G_CUDA_ATTENTION_TILES%>, <%m4_dnl
G_FUNCTION
{
G_CUDA_ATTENTION_SHAPE<%%>m4_dnl
G_IF(G_LIBRARY, <%m4_dnl
  if (o2c_attend_library(cu, G_PLAN, G_DTYPE, &p, q, k, v, G_BIAS, y))
    return;
%>)m4_dnl
  o2c_attend_call<o2c_of_<%%>G_TYPE, G_WIDE>(cu, q, k, v, G_ALLOW, G_BIAS,
                                             G_VALID, y, p);
}
%>)
m4_divert(0)m4_dnl
