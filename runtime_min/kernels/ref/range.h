/* SPDX-License-Identifier: 0BSD */
/* Range: start, start + delta, ..; and a list of numbers as a tensor, which is
 * what Shape and Size are. */
#if T_IS_FLOAT || T_IS_INT
O2C_UNUSED static void NAME(range)(const T *start, const T *delta, T *y,
                                   int64_t n) {
  int64_t i;
  for (i = 0; i < n; i++)
    y[i] = STORE(ADD(LOAD(*start), MUL(K(i), LOAD(*delta))));
}
#endif

#if T_IS_INT
O2C_UNUSED static void NAME(list)(T *y, int64_t n, const int64_t *v) {
  int64_t i;
  for (i = 0; i < n; i++) y[i] = STORE((A)v[i]);
}
#endif
