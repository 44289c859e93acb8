m4_divert(-1)
SPDX-License-Identifier: 0BSD
ew.m4: loops over elementwise expressions. codegen/cpu/ew.c decides on loops,
indices and types; the expressions are those of compiler/elementwise.def, whose
words T W M K P PICK x y z are macros while one of them is expanded.

G_BODY: the lines below, as the plan has them.
m4_define(<%G_EW%>, <%G_FILL_BORDER<%%>G_BODY%>)

G_EW_HOLD(indent, type, name, value): a value held for the loops inside.
m4_define(<%G_EW_HOLD%>, <%$1const $2 $3 = $4;
%>)

G_EW_FOR(indent, index, first, bound), G_EW_END(indent)
m4_define(<%G_EW_FOR%>, <%$1for (int64_t $2 = $3; $2 < $4; $2++) {
%>)
m4_define(<%G_EW_END%>, <%$1}
%>)

G_EW_FREE: iterations are independent, though the output may be an input.
m4_define(<%G_EW_FREE%>, <%$1O2C_INDEPENDENT
%>)

G_EW_LET(indent, target, before, after, T, W, suffix of functions and
constants, expression, x, y, z, P(0), P(1), which of PICK(0), of PICK(1))
m4_define(<%G_EW_LET%>,
<%$1$2 = $3<%%>G_EW_EXPR(m4_shift(m4_shift(m4_shift(m4_shift($@)))))$4;
%>)

m4_define(<%G_EW_EXPR%>,
<%m4_pushdef(<%T%>, <%$1%>)m4_pushdef(<%W%>, <%$2%>)m4_dnl
m4_define(<%G_EW_SUFFIX%>, <%$3%>)m4_dnl
m4_define(<%G_EW_P0%>, <%$8%>)m4_define(<%G_EW_P1%>, <%$9%>)m4_dnl
m4_define(<%G_EW_PICK0%>, <%$10%>)m4_define(<%G_EW_PICK1%>, <%$11%>)m4_dnl
m4_pushdef(<%M%>, m4_defn(<%G_EW_M%>))m4_dnl
m4_pushdef(<%K%>, m4_defn(<%G_EW_K%>))m4_dnl
m4_pushdef(<%P%>, m4_defn(<%G_EW_P%>))m4_dnl
m4_pushdef(<%PICK%>, m4_defn(<%G_EW_PICK%>))m4_dnl
m4_pushdef(<%x%>, <%<%$5%>%>)m4_dnl
m4_pushdef(<%y%>, <%<%$6%>%>)m4_pushdef(<%z%>, <%<%$7%>%>)m4_dnl
$4<%%>m4_dnl
m4_popdef(<%T%>, <%W%>, <%M%>, <%K%>, <%P%>, <%PICK%>, <%x%>, <%y%>, <%z%>)%>)

What the words are, in terms of the arguments above.
m4_define(<%G_EW_M%>, <%$1<%%>G_EW_SUFFIX<%%>%>)
m4_define(<%G_EW_K%>, <%G_EW_NUMBER(<%$1%>, G_EW_SUFFIX)%>)
m4_define(<%G_EW_P%>, <%m4_indir(<%G_EW_P%>$1)<%%>%>)
m4_define(<%G_EW_PICK%>,
  <%m4_ifelse(m4_indir(<%G_EW_PICK%>$1), 0, <%<%$2%>%>, <%<%$3%>%>)%>)

G_EW_NUMBER(digits, suffix): a constant of the type, in C.
m4_define(<%G_EW_NUMBER%>, <%G_EW_SIGN(m4_ifelse(m4_index(<%$1%>, <%.%>), -1,
  <%$1.0$2%>, <%$1$2%>))%>)
m4_define(<%G_EW_SIGN%>,
  <%m4_ifelse(m4_index(<%$1%>, <%-%>), 0, <%($1)%>, <%$1%>)%>)
m4_divert(0)m4_dnl
