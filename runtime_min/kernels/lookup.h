/* SPDX-License-Identifier: 0BSD */
/* Elements become numbers of constant keys.

     static o2c_status o2c_lookup_<t>(const T *x, const T *key,
                                      const void *slots, void *id, int64_t n,
                                      int64_t nkey, int64_t mask,
                                      int64_t strict);
     static o2c_status o2c_lookup_near_<t>(const T *x, const void *table,
                                           void *id, int64_t n, int64_t low,
                                           int64_t span, int64_t nkey,
                                           int64_t strict);

   id[i] (int32_t) is the number of x[i], nkey where it is no key, which is
   O2C_E_DATA if strict. slots[mask + 1] is a table with open addresses by the
   hashes of ref/hash.h: a key's number, or -1; at most half of them are taken.
   The "near" form has a table of `span` integers from `low` on. <t>: i64 i32
   i16, and str f32 f64 of the first form; 0 and -0 are one key, and so is NaN.

   A short string is one vector: with AVX-512 it is loaded by a mask, so that
   neither its length nor its contents are branched on. */
#ifndef O2C_LOOKUP_H
#define O2C_LOOKUP_H

#include "o2c.h"
#include "ref/hash.h"
#include "simd.h"

#if defined(O2C_HAVE_AVX512BW) && defined(O2C_HAVE_AVX512VL) && \
    defined(__x86_64__)
O2C_INLINE o2c_word16 o2c_text_head(const char *p, size_t n)
{
  const __mmask16 m = (__mmask16)(n < 16 ? (1u << n) - 1u : 0xffffu);
  const __m128i v = _mm_maskz_loadu_epi8(m, p);
  o2c_word16 w;
  w.lo = (uint64_t)_mm_cvtsi128_si64(v);
  w.hi = (uint64_t)_mm_extract_epi64(v, 1);
  return w;
}
#else
O2C_INLINE o2c_word16 o2c_text_head(const char *p, size_t n)
{
  return o2c_head16(p, n);
}
#endif

/* Is s, whose first bytes are w, the key? */
O2C_INLINE int o2c_text_is(o2c_str s, o2c_word16 w, o2c_str key)
{
  o2c_word16 k;
  if (s.len != key.len)
    return 0;
  k = o2c_text_head(key.p, key.len);
  if ((k.lo ^ w.lo) | (k.hi ^ w.hi))
    return 0;
  return s.len <= 16 || !memcmp(s.p + 16, key.p + 16, s.len - 16);
}

/* The number of s among the keys, or -1. */
O2C_INLINE int32_t o2c_text_find(o2c_str s, const o2c_str *key,
                                 const int32_t *slot, int64_t mask)
{
  const o2c_word16 w = o2c_text_head(s.p, s.len);
  int64_t h = (int64_t)(o2c_hash_text(s.p, s.len, w) & (uint64_t)mask);
  while (slot[h] >= 0 && !o2c_text_is(s, w, key[slot[h]]))
    h = (h + 1) & mask;
  return slot[h];
}

O2C_UNUSED static o2c_status o2c_lookup_str(const o2c_str *x,
                                            const o2c_str *key,
                                            const void *slots, void *id,
                                            int64_t n, int64_t nkey,
                                            int64_t mask, int64_t strict)
{
  const int32_t *slot = (const int32_t *)slots;
  int32_t *to = (int32_t *)id;
  for (int64_t i = 0; i < n; i++) {
    const int32_t k = o2c_text_find(x[i], key, slot, mask);
    if (k < 0 && strict)
      return O2C_E_DATA;
    to[i] = k < 0 ? (int32_t)nkey : k;
  }
  return O2C_OK;
}

/* The bits of key i of a list, equal for keys that are. */
#define O2C_KEY_INT(name, T) \
  O2C_INLINE uint64_t o2c_key_##name(const void *list, int64_t i) \
  { \
    return (uint64_t)((const T *)list)[i]; \
  }
O2C_KEY_INT(i64, int64_t)
O2C_KEY_INT(i32, int32_t)
O2C_KEY_INT(i16, int16_t)
#define O2C_KEY_FLOAT(name, T, U) \
  O2C_INLINE uint64_t o2c_key_##name(const void *list, int64_t i) \
  { \
    const T v = ((const T *)list)[i] + 0; /* -0 becomes 0 */ \
    U bits; \
    memcpy(&bits, &v, sizeof bits); \
    return v == v ? bits : UINT64_MAX; \
  }
O2C_KEY_FLOAT(f32, float, uint32_t)
O2C_KEY_FLOAT(f64, double, uint64_t)

O2C_INLINE o2c_status o2c_lookup(const void *x, const void *key,
                                 uint64_t (*bits)(const void *, int64_t),
                                 const int32_t *slot, int32_t *to, int64_t n,
                                 int64_t nkey, int64_t mask, int64_t strict)
{
  for (int64_t i = 0; i < n; i++) {
    const uint64_t v = bits(x, i);
    int64_t h = (int64_t)(o2c_hash_bits(v) & (uint64_t)mask);
    while (slot[h] >= 0 && bits(key, slot[h]) != v)
      h = (h + 1) & mask;
    if (slot[h] < 0 && strict)
      return O2C_E_DATA;
    to[i] = slot[h] < 0 ? (int32_t)nkey : slot[h];
  }
  return O2C_OK;
}

#define O2C_LOOKUP(name, T) \
  O2C_UNUSED static o2c_status o2c_lookup_##name( \
    const T *x, const T *key, const void *slots, void *id, int64_t n, \
    int64_t nkey, int64_t mask, int64_t strict) \
  { \
    return o2c_lookup(x, key, o2c_key_##name, (const int32_t *)slots, \
                      (int32_t *)id, n, nkey, mask, strict); \
  }
O2C_LOOKUP(i64, int64_t)
O2C_LOOKUP(i32, int32_t)
O2C_LOOKUP(i16, int16_t)
O2C_LOOKUP(f32, float)
O2C_LOOKUP(f64, double)

/* Errors are gathered, so that the loop has no branch, and may be one of
   vectors. */
O2C_INLINE o2c_status o2c_lookup_near(const void *x,
                                      uint64_t (*bits)(const void *, int64_t),
                                      const int32_t *key, int32_t *to,
                                      int64_t n, int64_t low, int64_t span,
                                      int64_t nkey, int64_t strict)
{
  const int32_t none = (int32_t)nkey;
  int32_t missing = 0;
  for (int64_t i = 0; i < n; i++) {
    const uint64_t at = bits(x, i) - (uint64_t)low;
    const int inside = at < (uint64_t)span;
    const int32_t k = key[inside ? at : 0];
    to[i] = inside ? k : none;
    missing |= to[i] == none;
  }
  return missing && strict ? O2C_E_DATA : O2C_OK;
}

#define O2C_LOOKUP_NEAR(name, T) \
  O2C_UNUSED static o2c_status o2c_lookup_near_##name( \
    const T *x, const void *table, void *id, int64_t n, int64_t low, \
    int64_t span, int64_t nkey, int64_t strict) \
  { \
    return o2c_lookup_near(x, o2c_key_##name, (const int32_t *)table, \
                           (int32_t *)id, n, low, span, nkey, strict); \
  }
O2C_LOOKUP_NEAR(i64, int64_t)
O2C_LOOKUP_NEAR(i32, int32_t)
O2C_LOOKUP_NEAR(i16, int16_t)
#endif
