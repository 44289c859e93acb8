m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/ew.m4: elementwise chains, an element or a pack of neighbours a thread at a
time. The lines are those of c/ew.m4, by codegen/cpu/ew.c.
  COUNT  elements of the output
  PACK   elements of a pack, or 1
  HEAD   sizes held in variables
  BODY   element e, the first of a pack: its indices, operands and expressions
m4_define(<%G_CUDA_EW%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>(G_KERNEL_PARAMETERS)
{
G_KERNEL_OPEN<%%>G_HEAD<%%>m4_dnl
  const G_INDEX count = G_COUNT;
  for (G_INDEX e = o2c_thread()m4_ifelse(G_PACK, 1, <%%>, <% * G_PACK%>);m4_dnl
 e < count;m4_dnl
m4_ifelse(G_PACK, 1, <% e += o2c_threads()%>, <%
       e += o2c_threads() * G_PACK%>)) {
G_BODY<%%>m4_dnl
  }
}
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT<%%>m4_dnl
m4_ifelse(G_PACK, 1, <%%>, <% / G_PACK%>), G_ARGUMENTS);
}
%>)

G_CUDA_EW_PACK(type, name, from), G_CUDA_EW_OPEN(type of the output),
G_CUDA_EW_CLOSE(it, place)
m4_define(<%G_CUDA_EW_PACK%>, <%m4_dnl
    const o2c_pack<$1, G_PACK> $2 =
      *(const o2c_pack<$1, G_PACK> *)($3);
%>)
m4_define(<%G_CUDA_EW_OPEN%>, <%m4_dnl
    o2c_pack<$1, G_PACK> to;
    O2C_UNROLL
    for (int part = 0; part < G_PACK; part++) {
%>)
m4_define(<%G_CUDA_EW_CLOSE%>, <%m4_dnl
    }
    *(o2c_pack<$1, G_PACK> *)(y + $2) = to;
%>)
m4_divert(0)m4_dnl
