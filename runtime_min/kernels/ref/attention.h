/* SPDX-License-Identifier: 0BSD */
/* Scaled dot-product attention, and the rotation of RotaryEmbedding.
 *
 * size: N images, H heads of q, G of k and v (H is a multiple), S queries, T
 * keys, D elements of a query, V of a value, keys that the mask has, keys that
 * stood there before the queries' own.
 * step: elements between images, heads and rows of q, k, v, y; between images,
 * heads, queries and keys of the mask, 0 where it is broadcast. Each row is
 * contiguous.
 * rule: causal, left, right (windows; negative: none), output of qk (0 to 3),
 * wide (exp in double), and which rows are zero: 0 those that are masked whole,
 * 1 none, 2 those that would be NaN. */
#if T_IS_FLOAT
#ifndef O2C_ATTENTION_ENUMS
#define O2C_ATTENTION_ENUMS
enum { O2C_AN, O2C_AH, O2C_AG, O2C_AS, O2C_AT, O2C_AD, O2C_AV, O2C_AMASK,
       O2C_APAST };
enum { O2C_ACAUSAL, O2C_ALEFT, O2C_ARIGHT, O2C_AMODE, O2C_AWIDE, O2C_AZERO };
/* The keys that query i of an image may see. */
O2C_UNUSED static void o2c_attention_keys(int64_t i, const int64_t *valid,
                                          const int64_t *size,
                                          const int64_t *rule, int64_t *first,
                                          int64_t *last) {
  int64_t at = i + (valid ? *valid - size[O2C_AS] : size[O2C_APAST]);
  *first = rule[O2C_ALEFT] >= 0 ? at - rule[O2C_ALEFT] : 0;
  *last = size[O2C_AT] - 1;
  if (rule[O2C_ACAUSAL] && at < *last) *last = at;
  if (rule[O2C_ARIGHT] >= 0 && *last - at > rule[O2C_ARIGHT])
    *last = at + rule[O2C_ARIGHT];
  if (valid && *valid - 1 < *last) *last = *valid - 1;
}
#endif

/* Scores to probabilities; `blocked`: the mask leaves no key. */
O2C_UNUSED static void NAME(attention_softmax)(A *row, int64_t n, int blocked,
                                               const int64_t *rule) {
  A max = -(A)INFINITY;
  int64_t j, zero = rule[O2C_AZERO];
  for (j = 0; j < n; j++)
    if (row[j] > max || row[j] != row[j]) max = row[j];
  blocked = zero == 0 && (blocked || max == -(A)INFINITY);
  if (rule[O2C_AWIDE]) {
    double sum = 0;
    for (j = 0; j < n; j++) sum += exp((double)row[j] - (double)max);
    for (j = 0; j < n; j++)
      row[j] = (A)(exp((double)row[j] - (double)max) / sum);
  } else {
    A sum = 0;
    for (j = 0; j < n; j++) sum += row[j] = M(exp)(row[j] - max);
    for (j = 0; j < n; j++) row[j] /= sum;
  }
  for (j = 0; j < n; j++)
    if (blocked || (zero == 2 && row[j] != row[j])) row[j] = 0;
}

/* The scores of one query, and qk where it is asked for before the softmax;
 * nonzero: the mask leaves no key. `at` is where the mask of this row is. */
O2C_UNUSED static int NAME(attention_scores)(
  const T *q, const T *k, const void *allow, const T *bias, const int64_t *keys,
  T *qk, A *row, int64_t at, const int64_t *size, const int64_t *step,
  const int64_t *rule, double scale, double softcap) {
  int64_t j, d, mode = rule[O2C_AMODE];
  int blocked = 1;
  for (j = 0; j < size[O2C_AT]; j++, k += step[5]) {
    A s = 0, add = 0;
    int open = j >= keys[0] && j <= keys[1];
    for (d = 0; d < size[O2C_AD]; d++) s += LOAD(q[d]) * LOAD(k[d]);
    s *= (A)scale;
    if (qk && mode == 0) qk[j] = STORE(s);
    if (softcap > 0) s = (A)softcap * M(tanh)(s / (A)softcap);
    if (qk && mode == 1) qk[j] = STORE(s);
    if ((allow || bias) && j >= size[O2C_AMASK])
      open = 0;
    else if (allow)
      open = open && ((const unsigned char *)allow)[at + j * step[15]];
    else if (bias)
      add = LOAD(bias[at + j * step[15]]);
    if (!open) add += -(A)INFINITY;
    if (add != -(A)INFINITY) blocked = 0;
    row[j] = s + add;
    if (qk && mode == 2) qk[j] = STORE(row[j]);
  }
  return blocked;
}

/* y = softmax(scale q k^T + mask) v. allow and bias: the mask, of bytes or
 * numbers; valid: keys of each image that count; qk: scores for the caller.
 * Each may be NULL. row: room for the scores of one query. */
O2C_UNUSED static void NAME(attention)(
  const T *q, const T *k, const T *v, const void *allow, const T *bias,
  const int64_t *valid, T *y, T *qk, A *row, const int64_t *size,
  const int64_t *step, const int64_t *rule, double scale, double softcap) {
  const int64_t H = size[O2C_AH], S = size[O2C_AS], n = size[O2C_AT];
  int64_t t, i, j, d, keys[2];
  for (t = 0; t < size[O2C_AN] * H; t++) {
    const int64_t b = t / H, h = t % H, g = h / (H / size[O2C_AG]);
    for (i = 0; i < S; i++) {
      const T *from = v + b * step[6] + g * step[7];
      T *to = y + b * step[9] + h * step[10] + i * step[11];
      int blocked;
      o2c_attention_keys(i, valid ? valid + b : valid, size, rule, keys,
                         keys + 1);
      blocked = NAME(attention_scores)(
        q + b * step[0] + h * step[1] + i * step[2],
        k + b * step[3] + g * step[4], allow, bias, keys, qk, row,
        b * step[12] + h * step[13] + i * step[14], size, step, rule, scale,
        softcap);
      NAME(attention_softmax)(row, n, blocked, rule);
      if (qk && rule[O2C_AMODE] == 3)
        for (j = 0; j < n; j++) qk[j] = STORE(row[j]);
      if (qk) qk += n;
      for (d = 0; d < size[O2C_AV]; d++) {
        A sum = 0;
        for (j = 0; j < n; j++) sum += row[j] * LOAD(from[j * step[8] + d]);
        to[d] = STORE(sum);
      }
    }
  }
}

/* Turns pairs of the first `turned` of D elements by the angles of a position:
 * x1 cos - x2 sin, x1 sin + x2 cos. The pairs are neighbours, or a half of
 * `turned` apart. dim: N, H, S, D, turned, rows of the tables; step: images,
 * heads and rows of x and y; images and rows of the tables (without place) or
 * of `place`. */
O2C_UNUSED static o2c_status NAME(rotary)(const T *x, const T *cosines,
                                          const T *sines, const int64_t *place,
                                          T *y, const int64_t *dim,
                                          const int64_t *step,
                                          int64_t neighbours) {
  const int64_t half = dim[4] / 2, apart = neighbours ? 1 : half;
  const int64_t next = neighbours ? 2 : 1;
  int64_t t, j;
  for (t = 0; t < dim[0] * dim[1] * dim[2]; t++) {
    const int64_t i = t % dim[2], h = t / dim[2] % dim[1];
    const int64_t b = t / dim[2] / dim[1];
    const int64_t at = b * step[0] + h * step[1] + i * step[2];
    int64_t row = b * step[3] + i * step[4];
    if (place) {
      row = place[row];
      if (row < 0) row += dim[5];
      if (row < 0 || row >= dim[5]) return O2C_E_DATA;
    }
    for (j = 0; j < half; j++) {
      const A c = LOAD(cosines[row * half + j]);
      const A s = LOAD(sines[row * half + j]);
      const A u = LOAD(x[at + j * next]), v = LOAD(x[at + j * next + apart]);
      y[at + j * next] = STORE(c * u - s * v);
      y[at + j * next + apart] = STORE(s * u + c * v);
    }
    for (j = dim[4]; j < dim[3]; j++) y[at + j] = x[at + j];
  }
  return O2C_OK;
}
#endif
