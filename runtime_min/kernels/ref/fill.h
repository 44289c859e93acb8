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

/* Dropout's training_mode and ratio (the size of its type's bits; null: not
 * 0), known at run time only: elements would be dropped at random. */
#if T_IS_CARRIER && T_IS_INT
O2C_UNUSED static o2c_status NAME(check_idle)(const uint8_t *train,
                                              const void *ratio) {
  T bits = 1;
  if (ratio) memcpy(&bits, ratio, sizeof bits);
  bits = (T)(bits << 1); /* -0 is 0 */
  return *train && bits != 0 ? O2C_E_DATA : O2C_OK;
}
#endif
