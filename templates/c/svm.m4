m4_divert(-1)
SPDX-License-Identifier: 0BSD
svm.m4: scores of support vector machines by svm_f32.h; codegen/cpu/svm.c states
the variables.
m4_define(<%G_SVR_SCORES%>,
<%  o2c_svr_scores_f32(k, coef, rho, y, G_ROWS, G_COLUMNS);
%>)

m4_define(<%G_SVC_SCORES%>,
<%  o2c_svc_scores_f32(k, coef, start, rho, y, G_ROWS, G_CLASSES, G_COLUMNS);
%>)

m4_define(<%G_SVC_VOTES%>,
<%  o2c_svc_votes(scores, y, votes, G_ROWS, G_CLASSES);
%>)

m4_define(<%G_SVC_SHARES%>,
<%  o2c_svc_shares_f32(scores, a, b, y, room, G_ROWS, G_CLASSES);
%>)
m4_divert(0)m4_dnl
