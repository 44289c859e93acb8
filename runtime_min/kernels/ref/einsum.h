/* SPDX-License-Identifier: 0BSD */
/* One product of Einsum: y over the `rank` axes `dim` is the sum of x u over
 * the `inner` axes `over`, of which there is at least one. Lists of strides: of
 * x and u along both; 0 to broadcast. u null: the sum of x. Integers wrap. */
#if T_IS_FLOAT || T_IS_INT
O2C_UNUSED static void NAME(einsum)(const T *x, const T *u, T *y, int64_t rank,
                                    int64_t inner, const int64_t *dim,
                                    const int64_t *xs, const int64_t *us,
                                    const int64_t *over, const int64_t *xo,
                                    const int64_t *uo) {
  const int64_t total = o2c_numel(rank, dim), last = inner - 1;
  const int64_t rows = o2c_numel(last, over);
  int64_t i, r, k;
  for (i = 0; i < total; i++) {
    const T *a = x + o2c_offset(i, rank, dim, xs);
    const T *b = u ? u + o2c_offset(i, rank, dim, us) : u;
    A sum = 0;
    for (r = 0; r < rows; r++) {
      const T *v = a + o2c_offset(r, last, over, xo);
      const T *w = b ? b + o2c_offset(r, last, over, uo) : b;
      for (k = 0; k < over[last]; k++)
        sum = ADD(sum, w ? MUL(LOAD(v[k * xo[last]]), LOAD(w[k * uo[last]]))
                         : LOAD(v[k * xo[last]]));
    }
    y[i] = STORE(sum);
  }
}
#endif
