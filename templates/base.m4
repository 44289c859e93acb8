m4_divert(-1)
SPDX-License-Identifier: 0BSD
base.m4: the ground that all templates stand on. Run as m4 -P -E -E, before
the other templates and the plan.

Quotes are <% %>, comments are off, every macro of ours is G_UPPER. Templates
place text; they compute nothing. A plan sets a step's variables by G_SET,
calls G_STEP, and takes them back by G_UNSET, so that a name which a step
forgot stays in the output as a word G_..., which the compiler refuses.

m4_changequote(<%,%>)
m4_changecom()

m4_define(<%G_SET%>, <%m4_define(<%G_$1%>, <%$2%>)%>)
m4_define(<%G_UNSET%>, <%m4_undefine(<%G_$1%>)%>)

G_ASSERT(name, value, allowed...): the value is one of those allowed.
m4_define(<%G_ASSERT%>, <%m4_ifelse(<%$2%>, <%$3%>, <%%>,
  $#, 3, <%m4_errprint(<%template: $1 is '$2'
%>)m4_m4exit(1)%>,
  <%G_ASSERT(<%$1%>, <%$2%>, m4_shift(m4_shift(m4_shift($@))))%>)%>)

G_IF(text, yes, no): yes where the text is not empty and not 0.
m4_define(<%G_IF%>,
  <%m4_ifelse(<%$1%>, <%%>, <%$3%>, <%$1%>, <%0%>, <%$3%>, <%$2%>)%>)

G_FROM_ROW(pointer), G_ROW_COUNT(rows): the rows [from, to) of a step that is
divided by rows of G_ROW elements; all rows of one that is whole.
m4_define(<%G_FROM_ROW%>, <%G_IF(G_SPLIT, <%  $1 += from * (G_ROW);
%>)%>)
m4_define(<%G_ROW_COUNT%>, <%G_IF(G_SPLIT, <%to - from%>, <%$1%>)%>)

G_STEP(macro): one function of the plan.
m4_define(<%G_STEP%>, <%
G_BANNER
G_INLINE G_RESULT G_FUNCTION
{
G_OPEN<%%>m4_indir(<%$1%>)<%%>G_RETURN<%%>}
%>)

Nothing of a model or a plan may reach a shell or a file.
m4_undefine(<%m4_syscmd%>)
m4_undefine(<%m4_esyscmd%>)
m4_undefine(<%m4_include%>)
m4_undefine(<%m4_sinclude%>)
m4_undefine(<%m4_debugfile%>)
m4_divert(0)m4_dnl
