/* SPDX-License-Identifier: 0BSD */
/* ReverseSequence; bits of narrow types under another name. */
#if T_IS_CARRIER
/* x[first][second][inner]: one of the two axes is time (the first, if
 * `time_first`), the other the batch. Of sample b the first lengths[b] steps
 * come in reverse. O2C_E_DATA where there are not so many. */
O2C_UNUSED static o2c_status NAME(reverse_sequence)(
    const void *x, const void *lengths, void *y, int64_t time_first,
    int64_t first, int64_t second, int64_t inner) {
  const unsigned char *from = (const unsigned char *)x;
  unsigned char *to = (unsigned char *)y;
  const int64_t *length = (const int64_t *)lengths;
  const int64_t bytes = inner * (int64_t)sizeof(T);
  const int64_t steps = time_first ? first : second;
  const int64_t samples = time_first ? second : first;
  int64_t b, t;
  for (b = 0; b < samples; b++) {
    const int64_t n = length[b];
    if (n < 0 || n > steps) return O2C_E_DATA;
    for (t = 0; t < steps && bytes; t++) {
      const int64_t s = t < n ? n - 1 - t : t;
      const int64_t at = time_first ? t * second + b : b * second + t;
      const int64_t of = time_first ? s * second + b : b * second + s;
      memcpy(to + at * bytes, from + of * bytes, (size_t)bytes);
    }
  }
  return O2C_OK;
}
#endif

#if T_IS_INT && !T_IS_SIGNED && T_BITS == 8
/* The lowest `bits` of each byte; `extend`: their sign in the rest. One bit is
 * whether the byte is not 0, as bool has no other values. */
O2C_UNUSED static void NAME(bitcast_narrow)(const void *x, void *y, int64_t n,
                                            int64_t bits, int64_t extend) {
  const unsigned char *from = (const unsigned char *)x;
  unsigned char *to = (unsigned char *)y;
  const int mask = (1 << bits) - 1, sign = 1 << (bits - 1);
  int64_t i;
  for (i = 0; i < n; i++) {
    int v = bits == 1 ? from[i] != 0 : from[i] & mask;
    to[i] = (unsigned char)(extend && (v & sign) ? v - mask - 1 : v);
  }
}
#endif
