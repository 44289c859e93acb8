/* SPDX-License-Identifier: 0BSD */
/* LinearAttention: token by token, a state S [keys, wide] for each head of k
 * becomes exp(decay) S + k (x) u, where u is v, or with beta the part of v that
 * S does not give for k: beta (v - S' k). Each head of q then reads S' q.
 *
 * size: N samples, T tokens, heads of q, heads of k, keys, wide.
 * rule: decay has an element for each key (else for each head); beta has one
 * for each head (else for each token). past NULL: zeros. state [N, heads of k,
 * keys, wide] is worked on in place. room: 2 wide + keys.
 * One pass over S a token: a row is decayed, and what it gives for k added up;
 * with beta a second one adds k (x) u. Sums run over keys in order. */
#if T_IS_FLOAT
#ifndef O2C_LINEAR_ENUMS
#define O2C_LINEAR_ENUMS
enum { O2C_LN, O2C_LT, O2C_LH, O2C_LG, O2C_LK, O2C_LV };
#endif

/* The state by one token: k [keys], u [wide] as A, factor [keys] or NULL. */
O2C_UNUSED static void NAME(linear_step)(A *s, const T *k, const T *v,
                                         const A *factor, const T *beta, A *u,
                                         const int64_t *size) {
  int64_t d, m, wide = size[O2C_LV], keys = size[O2C_LK];
  A *row = s;
  for (m = 0; m < wide; m++) u[m] = beta ? 0 : LOAD(v[m]);
  for (d = 0; d < keys && (factor || beta); d++, row += wide) {
    A by = factor ? factor[d] : 1, key = LOAD(k[d]);
    if (beta)
      for (m = 0; m < wide; m++) {
        row[m] *= by;
        u[m] += row[m] * key;
      }
    else
      for (m = 0; m < wide; m++) row[m] *= by;
  }
  if (beta)
    for (m = 0; m < wide; m++) u[m] = LOAD(*beta) * (LOAD(v[m]) - u[m]);
  for (d = 0, row = s; d < keys; d++, row += wide) {
    A key = LOAD(k[d]);
    for (m = 0; m < wide; m++) row[m] += key * u[m];
  }
}

O2C_UNUSED static void NAME(linear_read)(const A *s, const T *q, T *y, A *sum,
                                         const int64_t *size, A scale) {
  int64_t d, m, wide = size[O2C_LV];
  for (m = 0; m < wide; m++) sum[m] = 0;
  for (d = 0; d < size[O2C_LK]; d++, s += wide) {
    A by = LOAD(q[d]);
    for (m = 0; m < wide; m++) sum[m] += s[m] * by;
  }
  for (m = 0; m < wide; m++) y[m] = STORE(scale * sum[m]);
}

/* All tokens of head g of sample n. */
O2C_UNUSED static void NAME(linear_head)(
  const T *q, const T *k, const T *v, const T *decay, const T *beta, T *y,
  A *s, A *room, int64_t n, int64_t g, const int64_t *size,
  const int64_t *rule, double scale) {
  int64_t heads = size[O2C_LH], groups = size[O2C_LG], keys = size[O2C_LK];
  int64_t wide = size[O2C_LV], shared = heads / groups, t, d, h;
  A *u = room, *sum = room + wide, *factor = room + 2 * wide;
  for (t = 0; t < size[O2C_LT]; t++) {
    int64_t at = n * size[O2C_LT] + t, own = at * groups + g;
    const T *rate = !beta ? NULL : rule[1] ? beta + own : beta + at;
    for (d = 0; decay && d < keys; d++)
      factor[d] = rule[0] || !d
        ? M(exp)(LOAD(decay[rule[0] ? own * keys + d : own])) : factor[0];
    NAME(linear_step)(s, k + own * keys, v + own * wide,
                      decay ? factor : NULL, rate, u, size);
    for (h = g * shared; h < (g + 1) * shared; h++)
      NAME(linear_read)(s, q + (at * heads + h) * keys,
                        y + (at * heads + h) * wide, sum, size, (A)scale);
  }
}

O2C_UNUSED static void NAME(linear_attention)(
  const T *q, const T *k, const T *v, const A *past, const T *decay,
  const T *beta, T *y, A *state, A *room, const int64_t *size,
  const int64_t *rule, double scale) {
  int64_t one = size[O2C_LK] * size[O2C_LV], n, g;
  for (n = 0; n < size[O2C_LN]; n++)
    for (g = 0; g < size[O2C_LG]; g++, state += one) {
      int64_t i;
      for (i = 0; i < one; i++) state[i] = past ? past[i] : 0;
      if (past) past += one;
      NAME(linear_head)(q, k, v, decay, beta, y, state, room, n, g, size, rule,
                        scale);
    }
}
#endif
