/* SPDX-License-Identifier: 0BSD */
/* DictVectorizer and CastMap: maps of the interface (o2c_value) become tensors.
 * Keys and values of other types than the model's end in O2C_E_TYPE, a key that
 * stands there twice in O2C_E_DATA where it is seen. */
#include "decimal.h"
#include "map_check.h"
#ifndef O2C_REF_MAP_H
#define O2C_REF_MAP_H
#define O2C_FIXED_ROOM 48 /* the longest text of o2c_put_fixed */

/* |v| >= 2^24, an integer, in limbs of nine digits. */
O2C_UNUSED static size_t o2c_put_whole(char *to, double v) {
  uint32_t w[5] = {0, 0, 0, 0, 0};
  size_t at = 0;
  int e = 0, i, n = 5;
  uint32_t by;
  for (; v >= 16777216.0; v /= 2) e++;
  w[0] = (uint32_t)v;
  for (; e > 0; e--) {
    uint32_t carry = 0;
    for (i = 0; i < 5; i++) {
      w[i] = 2 * w[i] + carry;
      carry = w[i] >= 1000000000;
      if (carry) w[i] -= 1000000000;
    }
  }
  while (n > 1 && !w[n - 1]) n--;
  at = o2c_put_uint(to, w[n - 1]);
  for (i = n - 2; i >= 0; i--)
    for (by = 100000000; by; by /= 10) to[at++] = (char)('0' + w[i] / by % 10);
  return at;
}

/* A float with six digits behind the point, rounded to even: what printf writes
 * for %f, and std::to_string. */
O2C_UNUSED static size_t o2c_put_fixed(char *to, float f) {
  double v = fabs((double)f), part;
  size_t at = 0;
  int64_t whole, micro, by;
  if (signbit(f)) to[at++] = '-';
  if (f != f) return at + o2c_put(to + at, "nan");
  if (v > 3.4028234663852886e38) return at + o2c_put(to + at, "inf");
  if (v >= 16777216.0) {
    at += o2c_put_whole(to + at, v);
    return at + o2c_put(to + at, ".000000");
  }
  whole = (int64_t)v;
  part = (v - (double)whole) * 1e6; /* exact: 24 and 20 bits */
  micro = (int64_t)part;
  part -= (double)micro;
  micro += part > 0.5 || (part == 0.5 && (micro & 1));
  at += o2c_put_uint(to + at, (uint64_t)(whole + (micro == 1000000)));
  to[at++] = '.';
  for (by = 100000; by; by /= 10) to[at++] = (char)('0' + micro / by % 10);
  return at;
}
#endif

#if T_IS_CARRIER
/* y[at[k]] becomes the value of key word[k]; words ascend, and may come again;
 * 0 or an empty string where there is no such key. seen: room for n. The table
 * `slots` is for dict.h. */
O2C_UNUSED static o2c_status NAME(dict)(const void *map, const void *word,
                                        const void *slots, const void *at,
                                        void *y, void *seen, int64_t n,
                                        int64_t mask, int64_t key,
                                        int64_t type) {
  const o2c_value *m = (const o2c_value *)map;
  const int64_t *to = (const int64_t *)at;
  const o2c_status status = o2c_map_check(m, key, type);
  T *out = (T *)y;
  int8_t *had = (int8_t *)seen;
  int64_t i;
  (void)slots;
  (void)mask;
  if (status != O2C_OK) return status;
#if T_IS_STR
  for (i = 0; i < n; i++) out[i].p = "", out[i].len = 0;
#else
  if (n > 0) memset(out, 0, (size_t)n * sizeof(T));
#endif
  if (n > 0) memset(had, 0, (size_t)n);
  for (i = 0; i < m->count; i++) {
    const void *keys = m->item[0].data;
    int64_t lo = 0, hi = n;
    while (lo < hi) {
      const int64_t mid = lo + (hi - lo) / 2;
      if (o2c_key_cmp(key, word, mid, keys, i) < 0) lo = mid + 1;
      else hi = mid;
    }
    if (lo == n || o2c_key_cmp(key, word, lo, keys, i)) continue;
    if (had[lo]) return O2C_E_DATA;
    had[lo] = 1;
    for (hi = lo; hi < n && !o2c_key_cmp(key, word, hi, word, lo); hi++)
      memcpy(out + to[hi], (const T *)m->item[1].data + i, sizeof(T));
  }
  return O2C_OK;
}
#endif

#if T_IS_INT && T_IS_SIGNED && T_BITS == 64
O2C_UNUSED static o2c_status NAME(size_map)(const void *map, int64_t type,
                                            int64_t *size) {
  const o2c_value *m = (const o2c_value *)map;
  const o2c_status status = o2c_map_check(m, O2C_I64, type);
  size[0] = status == O2C_OK ? m->count : 0;
  return status;
}

/* Heap sort: order[root] sinks among the first n. */
O2C_UNUSED static void NAME(map_sink)(const T *key, T *order, int64_t root,
                                      int64_t n) {
  const T at = order[root];
  int64_t k = 2 * root + 1;
  for (; k < n; root = k, k = 2 * k + 1) {
    if (k + 1 < n && key[order[k + 1]] > key[order[k]]) k++;
    if (key[order[k]] <= key[at]) break;
    order[root] = order[k];
  }
  order[root] = at;
}

/* Which entry stands at each of the n places, or -1. Dense: all of them, by
 * ascending keys; else the key is the place, and one beyond n is left out. */
O2C_UNUSED static o2c_status NAME(map_order)(const void *map, T *order,
                                             int64_t n, int64_t type,
                                             int64_t dense) {
  const o2c_value *m = (const o2c_value *)map;
  const o2c_status status = o2c_map_check(m, O2C_I64, type);
  const T *key = status == O2C_OK ? (const T *)m->item[0].data : NULL;
  int64_t i;
  if (status != O2C_OK) return status;
  if (!dense) {
    for (i = 0; i < n; i++) order[i] = -1;
    for (i = 0; i < m->count; i++) {
      if (key[i] < 0) return O2C_E_DATA;
      if (key[i] >= n) continue;
      if (order[key[i]] >= 0) return O2C_E_DATA;
      order[key[i]] = i;
    }
    return O2C_OK;
  }
  if (n != m->count) return O2C_E_SHAPE;
  for (i = 0; i < n; i++) order[i] = i;
  for (i = n / 2 - 1; i >= 0; i--) NAME(map_sink)(key, order, i, n);
  for (i = n - 1; i > 0; i--) {
    const T last = order[i];
    order[i] = order[0];
    order[0] = last;
    NAME(map_sink)(key, order, 0, i);
  }
  for (i = 1; i < n; i++)
    if (key[order[i]] == key[order[i - 1]]) return O2C_E_DATA;
  return O2C_OK;
}

O2C_UNUSED static o2c_status NAME(map_ints)(const void *map, const T *order,
                                            T *y, int64_t n) {
  const o2c_value *x = ((const o2c_value *)map)->item + 1;
  int64_t i;
  for (i = 0; i < n; i++) {
    y[i] = 0;
    if (order[i] >= 0 && x->dtype == O2C_F32) {
      const double v = (double)((const float *)x->data)[order[i]];
      const int fits = v >= -9223372036854775808.0 && v < 9223372036854775808.0;
      y[i] = fits ? (T)v : INT64_MIN; /* as x86 converts */
    } else if (order[i] >= 0) {
      const o2c_number v = o2c_scan(((const o2c_str *)x->data)[order[i]]);
      uint64_t size;
      if (!o2c_to_uint(&v, &size) ||
          size > (uint64_t)INT64_MAX + (v.negative ? 1u : 0u))
        return O2C_E_DATA;
      y[i] = (T)(v.negative ? (uint64_t)0 - size : size);
    }
  }
  return O2C_OK;
}
#endif

#if T_IS_FLOAT && T_BITS == 32
O2C_UNUSED static o2c_status NAME(map_floats)(const void *map,
                                              const void *order, T *y,
                                              int64_t n) {
  const o2c_value *x = ((const o2c_value *)map)->item + 1;
  const int64_t *at = (const int64_t *)order;
  int64_t i;
  for (i = 0; i < n; i++) {
    y[i] = 0;
    if (at[i] >= 0 && x->dtype == O2C_F32) {
      y[i] = ((const float *)x->data)[at[i]];
    } else if (at[i] >= 0) {
      const o2c_number v = o2c_scan(((const o2c_str *)x->data)[at[i]]);
      if (v.sort == O2C_NO_NUMBER) return O2C_E_DATA;
      y[i] = v.sort == O2C_FINITE ? o2c_to_f32(&v, 0)
           : v.sort == O2C_NAN ? (T)NAN
           : v.negative ? -(T)INFINITY : (T)INFINITY;
    }
  }
  return O2C_OK;
}
#endif

#if T_IS_STR
/* room: O2C_FIXED_ROOM bytes for each number that becomes text. What is missing
 * is "0.f", as onnxruntime has it. */
O2C_UNUSED static void NAME(map_texts)(const void *map, const void *order,
                                       T *y, void *room, int64_t n) {
  const o2c_value *x = ((const o2c_value *)map)->item + 1;
  const int64_t *at = (const int64_t *)order;
  int64_t i;
  for (i = 0; i < n; i++) {
    char *to = room ? (char *)room + i * O2C_FIXED_ROOM : NULL;
    y[i].p = "0.f";
    y[i].len = 3;
    if (at[i] >= 0 && x->dtype == O2C_F32) {
      y[i].len = o2c_put_fixed(to, ((const float *)x->data)[at[i]]);
      y[i].p = to;
    } else if (at[i] >= 0) {
      y[i] = ((const o2c_str *)x->data)[at[i]];
    }
  }
}
#endif
