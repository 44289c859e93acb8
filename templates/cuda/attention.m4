m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/attention.m4: attention, by codegen/cuda/attention.c.
  SHAPE                assignments to members of o2c_attend_p
  ROWS                 queries of all heads and images
  TYPE                 of an element
  ALLOW BIAS VALID QK  pointers, or NULL
m4_define(<%G_CUDA_ATTENTION%>, <%m4_dnl
G_FUNCTION
{
  o2c_attend_p p;
  memset(&p, 0, sizeof p);
G_SHAPE<%%>m4_dnl
  O2C_LAUNCH(cu, o2c_attend<o2c_of_<%%>G_TYPE>, o2c_blocks(G_ROWS, 8), 256, q,
             k, v, G_ALLOW, G_BIAS, G_VALID, y, G_QK, scores, p);
}
%>)
m4_divert(0)m4_dnl
