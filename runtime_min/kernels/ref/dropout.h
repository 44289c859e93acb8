/* SPDX-License-Identifier: 0BSD */
/* Dropout that drops: y = x / (1 - ratio) where a draw from [0, 1) is at least
 * ratio, else 0; where *train is 0, y = x. mask may be null. ratio null: 0.5.
 * Draws come from the Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998)
 * seeded as init_genrand does, 53 bits each: the generator that the ONNX
 * backend's expected outputs were made with. state: 624 words of scratch.
 * Trips of a loop are seeded apart, by *trip; elsewhere it is null. */
#if T_IS_FLOAT
O2C_UNUSED static void NAME(mt_refill)(uint32_t *s) {
  int i;
  for (i = 0; i < 624; i++) {
    uint32_t v = (s[i] & 0x80000000u) | (s[(i + 1) % 624] & 0x7fffffffu);
    s[i] = s[(i + 397) % 624] ^ (v >> 1) ^ (v & 1u ? 0x9908b0dfu : 0u);
  }
}

O2C_UNUSED static uint32_t NAME(mt_next)(uint32_t *s, int *at) {
  uint32_t v;
  if (*at == 624) {
    NAME(mt_refill)(s);
    *at = 0;
  }
  v = s[(*at)++];
  v ^= v >> 11;
  v ^= v << 7 & 0x9d2c5680u;
  v ^= v << 15 & 0xefc60000u;
  return v ^ v >> 18;
}

O2C_UNUSED static void NAME(dropout)(const T *x, const A *ratio,
                                     const uint8_t *train, T *y, uint8_t *mask,
                                     uint32_t *state, int64_t n,
                                     int64_t seed, const int64_t *trip) {
  const A p = ratio ? *ratio : K(0.5);
  const int drop = *train && p != 0;
  int at = 624, j;
  int64_t i;
  state[0] = (uint32_t)((uint64_t)seed +
                        (trip ? (uint64_t)*trip : 0) * 0x9e3779b9u);
  for (j = 1; j < 624; j++)
    state[j] = 1812433253u * (state[j - 1] ^ state[j - 1] >> 30) + (uint32_t)j;
  for (i = 0; i < n; i++) {
    int keep = 1;
    if (drop) {
      const uint32_t a = NAME(mt_next)(state, &at) >> 5;
      const uint32_t b = NAME(mt_next)(state, &at) >> 6;
      keep = ((double)a * 67108864.0 + (double)b) / 9007199254740992.0 >=
             (double)p;
    }
    y[i] = keep ? drop ? STORE(LOAD(x[i]) * (1 / (1 - p))) : x[i] : STORE(K(0));
    if (mask) mask[i] = (uint8_t)keep;
  }
}
#endif
