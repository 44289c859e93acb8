m4_divert(-1)
SPDX-License-Identifier: 0BSD
ref.m4: calls of reference kernels, written by codegen/ref.c.
  BODY  the calls, with the local arrays that they read
m4_define(<%G_REF%>, <%G_BODY%>)

The same, where all of them have tuned kernels.
m4_define(<%G_CALLS%>, <%G_BODY%>)

A tensor's bytes, copied.
  BYTES  how many
m4_define(<%G_COPY%>, <%  memcpy(y, x, (size_t)(G_BYTES));
%>)

A sequence or an optional value, copied into the output's storage.
  KIND  its o2c_kind
  TAKE  takes the bytes that it needs, `found`
m4_define(<%G_VALUE_COPY%>, <%  const int64_t found = o2c_value_bytes(x);
  o2c_status status;
  if (found < 0)
    return O2C_E_ARG;
  if (x->kind != G_KIND<%%>G_TYPES)
    return O2C_E_TYPE;
G_TAKE<%%>  o2c_value_copy(y, x);
%>)
m4_divert(0)m4_dnl
