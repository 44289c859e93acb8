/* SPDX-License-Identifier: 0BSD */
/* Draws from Philox-4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random
 * Numbers: As Easy as 1, 2, 3; 2011). The key is the node's, the counter is the
 * number of the element, and above it, in a loop, what tells the trips apart
 * (`trip`, null elsewhere), so a draw depends on nothing else. Elements take 32
 * bits each, double ones 64: four or two to a block of the generator. */
#if T_IS_FLOAT
#define O2C_REF_DRAWS (T_BITS == 64 ? 2 : 4) /* of a block */

O2C_UNUSED static void NAME(philox)(uint64_t block, uint64_t key,
                                     const int64_t *trip, uint32_t *w) {
  const uint64_t above = trip ? (uint64_t)*trip : 0;
  uint32_t a = (uint32_t)key, b = (uint32_t)(key >> 32);
  int round;
  w[0] = (uint32_t)block;
  w[1] = (uint32_t)(block >> 32);
  w[2] = (uint32_t)above;
  w[3] = (uint32_t)(above >> 32);
  for (round = 0; round < 10; round++) {
    const uint64_t p = (uint64_t)w[0] * 0xd2511f53u;
    const uint64_t q = (uint64_t)w[2] * 0xcd9e8d57u;
    w[0] = (uint32_t)(q >> 32) ^ w[1] ^ a;
    w[1] = (uint32_t)q;
    w[2] = (uint32_t)(p >> 32) ^ w[3] ^ b;
    w[3] = (uint32_t)p;
    a += 0x9e3779b9u;
    b += 0xbb67ae85u;
  }
}

/* Draw k of a block, from [0, 1): as many bits as A holds. */
O2C_UNUSED static A NAME(unit)(const uint32_t *w, int64_t k) {
#if T_BITS == 64
  const uint64_t bits = (uint64_t)w[2 * k] << 32 | w[2 * k + 1];
  return (A)(bits >> 11) * K(1.0 / 9007199254740992.0);
#else
  return (A)(w[k] >> 8) * K(1.0 / 16777216.0);
#endif
}

/* A draw with the bits that T holds, so that none rounds up to 1. */
O2C_UNUSED static A NAME(unit_of)(const uint32_t *w, int64_t k) {
#if T_BITS < 32
  const int bits = LOAD(STORE(K(1.0009765625))) == K(1) ? 8 : 11;
  return (A)(w[k] >> (32 - bits)) / (A)(1 << bits);
#else
  return NAME(unit)(w, k);
#endif
}

O2C_UNUSED static void NAME(random_uniform)(T *y, int64_t n, int64_t key,
                                            double low, double high,
                                            const int64_t *trip) {
  uint32_t w[4];
  int64_t i;
  for (i = 0; i < n; i++) {
    const int64_t k = i % O2C_REF_DRAWS;
    if (!k)
      NAME(philox)((uint64_t)(i / O2C_REF_DRAWS), (uint64_t)key, trip, w);
    y[i] = STORE((A)low + ((A)high - (A)low) * NAME(unit_of)(w, k));
  }
}

/* Pairs by the method of Box and Muller. The radius is of a draw from (0, 1] of
 * all 32 bits, or 53, so that far values come too. */
O2C_UNUSED static void NAME(random_normal)(T *y, int64_t n, int64_t key,
                                           double mean, double scale,
                                           const int64_t *trip) {
  uint32_t w[4];
  int64_t i;
  for (i = 0; i < n; i += 2) {
    const int64_t k = i % O2C_REF_DRAWS;
    A radius, turn;
    if (!k)
      NAME(philox)((uint64_t)(i / O2C_REF_DRAWS), (uint64_t)key, trip, w);
#if T_BITS == 64
    radius = 1 - NAME(unit)(w, 0);
#else
    radius = ((A)w[k] + 1) * K(1.0 / 4294967296.0);
#endif
    radius = M(sqrt)(-2 * M(log)(radius));
    turn = K(6.283185307179586476925) * NAME(unit)(w, T_BITS == 64 ? 1 : k + 1);
    y[i] = STORE((A)mean + (A)scale * (radius * M(cos)(turn)));
    if (i + 1 < n)
      y[i + 1] = STORE((A)mean + (A)scale * (radius * M(sin)(turn)));
  }
}

/* y: `one` with the probability x[i], else zero; of `size` bytes. */
O2C_UNUSED static void NAME(bernoulli)(const T *x, void *y, int64_t n,
                                       int64_t key, int64_t size, int64_t one,
                                       const int64_t *trip) {
  uint32_t w[4];
  int64_t i;
  for (i = 0; i < n; i++) {
    const int64_t k = i % O2C_REF_DRAWS;
    uint64_t v;
    if (!k)
      NAME(philox)((uint64_t)(i / O2C_REF_DRAWS), (uint64_t)key, trip, w);
    v = NAME(unit)(w, k) < LOAD(x[i]) ? (uint64_t)one : 0;
    if (size == 1) ((uint8_t *)y)[i] = (uint8_t)v;
    else if (size == 2) ((uint16_t *)y)[i] = (uint16_t)v;
    else if (size == 4) ((uint32_t *)y)[i] = (uint32_t)v;
    else ((uint64_t *)y)[i] = v;
  }
}

/* y [batch, samples], of `size` bytes each, in [0, classes): x holds logarithms
 * of what the probabilities are proportional to. sum: `classes` doubles. Where
 * a row has no probabilities, O2C_E_DATA. */
O2C_UNUSED static o2c_status NAME(multinomial)(const T *x, void *y, double *sum,
                                               int64_t batch, int64_t classes,
                                               int64_t samples, int64_t key,
                                               int64_t size,
                                               const int64_t *trip) {
  int64_t b, i, k, at;
  for (b = 0; b < batch; b++, x += classes) {
    double most = -INFINITY, total = 0;
    for (i = 0; i < classes; i++)
      if ((double)LOAD(x[i]) > most) most = (double)LOAD(x[i]);
    for (i = 0; i < classes; i++)
      sum[i] = total += exp((double)LOAD(x[i]) - most);
    if (samples && !(total > 0 && total < INFINITY)) return O2C_E_DATA;
    for (k = 0; k < samples; k++) {
      int64_t low = 0, high = classes - 1;
      uint32_t w[4];
      double want;
      at = b * samples + k;
      NAME(philox)((uint64_t)at, (uint64_t)key, trip, w);
      want = (double)(((uint64_t)w[0] << 32 | w[1]) >> 11) * total /
             9007199254740992.0;
      while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (sum[mid] > want) high = mid;
        else low = mid + 1;
      }
      if (size == 4) ((int32_t *)y)[at] = (int32_t)low;
      else ((int64_t *)y)[at] = low;
    }
  }
  return O2C_OK;
}
#undef O2C_REF_DRAWS
#endif
