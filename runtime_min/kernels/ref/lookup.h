/* SPDX-License-Identifier: 0BSD */
/* Keys of LabelEncoder, CategoryMapper and OneHotEncoder: elements become
 * numbers of keys, `nkey` where they are none. The table is made when
 * compiling, by the same hash: slot[h] is the key whose hash ended there, or
 * the next free slot; -1 ends a search. At most half of the slots are taken.
 * 0 and -0 are one key, and so is NaN. */
#include "hash.h"
#if T_IS_STR || (T_IS_INT && T_IS_SIGNED && T_BITS >= 16) || \
  (T_IS_FLOAT && T_BITS >= 32 && !T_IS_COMPLEX)
O2C_UNUSED static uint64_t NAME(lookup_hash)(T v) {
#if T_IS_STR
  return o2c_hash_text(v.p, v.len, o2c_head16(v.p, v.len));
#elif T_IS_FLOAT
  uint64_t h = UINT64_MAX;
  if (v == v) {
    v += 0; /* -0 becomes 0 */
    h = 0;
    memcpy(&h, &v, sizeof v);
  }
  return o2c_hash_bits(h);
#else
  return o2c_hash_bits((uint64_t)v);
#endif
}

O2C_UNUSED static int NAME(lookup_same)(T a, T b) {
#if T_IS_STR
  return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
#elif T_IS_FLOAT
  return a == b || (a != a && b != b);
#else
  return a == b;
#endif
}

/* Fills slot[mask + 1]; keys that are there already get none. */
O2C_UNUSED static void NAME(lookup_slots)(const T *key, void *slots,
                                          int64_t nkey, int64_t mask) {
  int32_t *slot = (int32_t *)slots;
  int64_t i;
  for (i = 0; i <= mask; i++) slot[i] = -1;
  for (i = 0; i < nkey; i++) {
    int64_t h = (int64_t)(NAME(lookup_hash)(key[i]) & (uint64_t)mask);
    while (slot[h] >= 0 && !NAME(lookup_same)(key[slot[h]], key[i]))
      h = (h + 1) & mask;
    if (slot[h] < 0) slot[h] = (int32_t)i;
  }
}

/* strict: an element that is no key is an error. */
O2C_UNUSED static o2c_status NAME(lookup)(const T *x, const T *key,
                                          const void *slots, void *id,
                                          int64_t n, int64_t nkey,
                                          int64_t mask, int64_t strict) {
  const int32_t *slot = (const int32_t *)slots;
  int32_t *to = (int32_t *)id;
  int64_t i;
  for (i = 0; i < n; i++) {
    int64_t h = (int64_t)(NAME(lookup_hash)(x[i]) & (uint64_t)mask);
    while (slot[h] >= 0 && !NAME(lookup_same)(key[slot[h]], x[i]))
      h = (h + 1) & mask;
    if (slot[h] < 0 && strict) return O2C_E_DATA;
    to[i] = slot[h] < 0 ? (int32_t)nkey : slot[h];
  }
  return O2C_OK;
}
#endif
#if T_IS_INT && T_IS_SIGNED && T_BITS >= 16
/* Keys from `low` on, `span` of them: table[k] is the number of key low + k, or
 * nkey. */
O2C_UNUSED static o2c_status NAME(lookup_near)(const T *x, const void *table,
                                               void *id, int64_t n,
                                               int64_t low, int64_t span,
                                               int64_t nkey, int64_t strict) {
  const int32_t *key = (const int32_t *)table;
  int32_t *to = (int32_t *)id;
  int64_t i;
  for (i = 0; i < n; i++) {
    const uint64_t at = (uint64_t)x[i] - (uint64_t)low;
    to[i] = at < (uint64_t)span ? key[at] : (int32_t)nkey;
    if (strict && to[i] == nkey) return O2C_E_DATA;
  }
  return O2C_OK;
}
#endif
