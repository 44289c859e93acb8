m4_divert(-1)
SPDX-License-Identifier: 0BSD
ref.m4: calls of reference kernels, written by codegen/ref.c.
  BODY  the calls, with the local arrays that they read
m4_define(<%G_REF%>, <%G_BODY%>)

A tensor's bytes, copied.
  BYTES  how many
m4_define(<%G_COPY%>, <%  memcpy(y, x, (size_t)(G_BYTES));
%>)
m4_divert(0)m4_dnl
