/* SPDX-License-Identifier: 0BSD */
/* n elements with the low bits of `bits`: of any type of the carrier's size. */
#if T_IS_CARRIER && T_IS_INT
O2C_UNUSED static void NAME(fill)(void *y, int64_t n, int64_t bits) {
  unsigned char *to = (unsigned char *)y;
  T v = (T)(uint64_t)bits;
  int64_t i;
  for (i = 0; i < n; i++) memcpy(to + i * (int64_t)sizeof(T), &v, sizeof(T));
}
#endif
