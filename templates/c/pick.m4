m4_divert(-1)
SPDX-License-Identifier: 0BSD
pick.m4: what codegen/cpu/pick.c makes of single calls of reference kernels.

DIMS, BEGIN, END: lists; VALUE: what fills, or NULL.
m4_define(<%G_PADDED%>,
<%  static const o2c_pad_p p = { G_RANK, G_MODE, G_SIZE, G_UNIT };
  G_CONST int64_t dim[] = { G_DIMS };
  G_CONST int64_t begin[] = { G_BEGIN };
  G_CONST int64_t end[] = { G_END };
  o2c_pad(x, G_VALUE, y, &p, dim, begin, end);
%>)

Blocks of INNER elements of x [OUTER, N, INNER], by COUNT indices.
  FEW  the bytes of a block where they are few, else 0
m4_define(<%G_GATHER%>,
<%  const int64_t outer = G_OUTER, n = G_N, count = G_COUNT;
m4_ifelse(G_ONE, 1, <%%>, <%  const int64_t inner = G_INNER;
%>)m4_dnl
  for (int64_t i = 0; i < outer; i++)
    for (int64_t k = 0; k < count; k++) {
      const int64_t v = (int64_t)index[k], at = v < 0 ? v + n : v;
      if (at < 0 || at >= n)
        return O2C_E_DATA;
m4_ifelse(G_FEW, 0,
<%      o2c_copy(y + (i * count + k) * inner, x + (i * n + at) * inner,
               inner * G_SIZE);
%>, G_ONE, 1, <%      y[i * count + k] = x[i * n + at];
%>, <%      memcpy(y + (i * count + k) * inner, x + (i * n + at) * inner,
             G_FEW);
%>)    }
%>)

Sums or products along the middle of [OUTER][N][INNER], element k of a row from
the one before it, in the order of G_AT.
m4_define(<%G_CUMULATE%>,
<%  const int64_t outer = G_OUTER, n = G_N, inner = G_INNER;
  for (int64_t o = 0; o < outer; o++, x += n * inner, y += n * inner)
    for (int64_t i = 0; i < n; i++) {
      const int64_t at = G_AT, past = G_PAST;
      if (i == 0) {
        for (int64_t k = 0; k < inner; k++)
          y[at * inner + k] = G_FIRST;
        continue;
      }
      O2C_INDEPENDENT
      for (int64_t k = 0; k < inner; k++)
        y[at * inner + k] = G_NEXT;
    }
%>)

v[1] at indices of [OUTER][INNER], v[0] elsewhere, in [OUTER][DEPTH][INNER] of
type T. Negative indices count from the end.
m4_define(<%G_ONE_HOT%>,
<%  const int64_t outer = G_OUTER, depth = G_DEPTH, inner = G_INNER;
  const G_T off = v[0], on = v[1];
  for (int64_t o = 0; o < outer; o++, x += inner, y += depth * inner) {
    for (int64_t k = 0; k < depth * inner; k++)
      y[k] = off;
    for (int64_t k = 0; k < inner; k++) {
      const int64_t i = x[k], at = i < 0 ? i + depth : i;
      if (at >= 0 && at < depth)
        y[at * inner + k] = on;
    }
  }
%>)

The index of the largest or least along the middle of [OUTER][N][INNER].
  T     the type of elements
  MORE  compares v with the best so far
m4_define(<%G_ARG_EXTREME%>,
<%  const int64_t outer = G_OUTER, n = G_N, inner = G_INNER;
m4_ifelse(G_INNER, 1,
<%  for (int64_t o = 0; o < outer; o++, x += n) {
    G_T best = x[0];
    y[o] = 0;
    for (int64_t i = 1; i < n; i++) {
      const G_T v = x[i];
      if (v G_MORE<%%>best) {
        best = v;
        y[o] = i;
      }
    }
  }
  (void)inner;
%>, <%  for (int64_t o = 0; o < outer; o++, x += n * inner, y += inner)
    for (int64_t j = 0; j < inner; j += 32) {
      const int m = (int)(inner - j < 32 ? inner - j : 32);
      G_T best[32];
      int32_t at[32] = { 0 };
      memcpy(best, x + j, (size_t)m * sizeof *best);
      for (int64_t i = 1; i < n; i++)
        for (int k = 0; k < m; k++) {
          const G_T v = x[i * inner + j + k], b = best[k];
          at[k] = v G_MORE<%%>b ? (int32_t)i : at[k];
          best[k] = v G_MORE<%%>b ? v : b;
        }
      for (int k = 0; k < m; k++)
        y[j + k] = at[k];
    }
%>)%>)
m4_divert(0)m4_dnl
