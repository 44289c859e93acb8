/* SPDX-License-Identifier: 0BSD */
/* DictVectorizer: a map of the interface becomes a row.

     static o2c_status o2c_dict_<t>(const void *map, const void *word,
                                    const void *slots, const void *at, void *y,
                                    void *seen, int64_t n, int64_t mask,
                                    int64_t key, int64_t type);

   <t>: u32 u64 str, the values' size. y[at[k]] becomes the value of key
   word[k]; words ascend, and may come again; what has no key is 0 or an empty
   string. slots[mask + 1]: a table as lookup.h has it, of each word's first
   place. seen: room for n bytes. Refusals are those of o2c_map_check. */
#ifndef O2C_DICT_H
#define O2C_DICT_H

#include "lookup.h"
#include "ref/map_check.h"

/* Where the words that equal key i begin; -1: there is none. */
O2C_INLINE int32_t o2c_dict_find(const void *keys, int64_t i, const void *word,
                                 const int32_t *slot, int64_t mask,
                                 int64_t key)
{
  if (key == O2C_STR)
    return o2c_text_find(((const o2c_str *)keys)[i], (const o2c_str *)word,
                         slot, mask);
  const int64_t v = ((const int64_t *)keys)[i];
  int64_t h = (int64_t)(o2c_hash_bits((uint64_t)v) & (uint64_t)mask);
  while (slot[h] >= 0 && ((const int64_t *)word)[slot[h]] != v)
    h = (h + 1) & mask;
  return slot[h];
}

O2C_INLINE o2c_status o2c_dict(const void *map, const void *word,
                               const void *slots, const void *at, void *y,
                               void *seen, int64_t n, int64_t mask, int64_t key,
                               int64_t type, size_t size)
{
  const o2c_value *m = (const o2c_value *)map;
  const int64_t *to = (const int64_t *)at;
  const o2c_status status = o2c_map_check(m, key, type);
  char *out = (char *)y, *had = (char *)seen;
  if (status != O2C_OK)
    return status;
  memset(had, 0, (size_t)n);
  for (int64_t i = 0; i < m->count; i++) {
    const void *keys = m->item[0].data;
    const char *value = (const char *)m->item[1].data + (size_t)i * size;
    int64_t k = o2c_dict_find(keys, i, word, (const int32_t *)slots, mask, key);
    if (k < 0)
      continue;
    if (had[k])
      return O2C_E_DATA;
    had[k] = 1;
    do
      memcpy(out + (size_t)to[k] * size, value, size);
    while (++k < n && !o2c_key_cmp(key, word, k, word, k - 1));
  }
  return O2C_OK;
}

#define O2C_DICT(name, T, clear) \
  O2C_UNUSED static o2c_status o2c_dict_##name( \
    const void *map, const void *word, const void *slots, const void *at, \
    void *y, void *seen, int64_t n, int64_t mask, int64_t key, int64_t type) \
  { \
    clear; \
    return o2c_dict(map, word, slots, at, y, seen, n, mask, key, type, \
                    sizeof(T)); \
  }
O2C_DICT(u32, uint32_t, memset(y, 0, (size_t)n * 4))
O2C_DICT(u64, uint64_t, memset(y, 0, (size_t)n * 8))
O2C_UNUSED static void o2c_dict_clear(o2c_str *y, int64_t n)
{
  for (int64_t i = 0; i < n; i++) {
    y[i].p = "";
    y[i].len = 0;
  }
}
O2C_DICT(str, o2c_str, o2c_dict_clear((o2c_str *)y, n))
#endif
