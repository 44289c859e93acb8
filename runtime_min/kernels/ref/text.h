/* SPDX-License-Identifier: 0BSD */
/* Cast between numbers and strings. Text that is no number, and an integer out
 * of the range of its type, end in O2C_E_DATA. */
#include "decimal.h"
#if T_IS_FLOAT || T_IS_INT || T_IS_BOOL
/* `room` is for the characters, O2C_TEXT_ROOM of each element. p, emin: of the
 * format, see decimal.h. */
O2C_UNUSED static void NAME(to_text)(const T *x, void *y, void *room, int64_t n,
                                     int64_t p, int64_t emin) {
  o2c_str *to = (o2c_str *)y;
  char *at = (char *)room;
  int64_t i;
  (void)p;
  (void)emin;
  for (i = 0; i < n; i++, at += O2C_TEXT_ROOM) {
    const A v = LOAD(x[i]);
    to[i].p = at;
#if T_IS_FLOAT
    to[i].len = o2c_put_float(at, (double)v, (int)p, (int)emin);
#elif T_IS_SIGNED
    if (v < 0) at[0] = '-';
    to[i].len = v < 0 ? 1 + o2c_put_uint(at + 1, (uint64_t)0 - (uint64_t)v)
                      : o2c_put_uint(at, (uint64_t)v);
#else
    to[i].len = o2c_put_uint(at, (uint64_t)v);
#endif
  }
}

O2C_UNUSED static o2c_status NAME(from_text)(const void *x, T *y, int64_t n,
                                             int64_t saturate) {
  const o2c_str *text = (const o2c_str *)x;
  int64_t i;
  (void)saturate;
  for (i = 0; i < n; i++) {
    const o2c_number v = o2c_scan(text[i]);
    if (v.sort == O2C_NO_NUMBER) return O2C_E_DATA;
#if T_IS_BOOL
    y[i] = STORE(v.d || v.sort != O2C_FINITE);
#elif T_IS_INT
    {
      uint64_t size;
      if (!o2c_to_uint(&v, &size) ||
          size > (v.negative ? (uint64_t)0 - (uint64_t)(A)T_MIN
                             : (uint64_t)(A)T_MAX))
        return O2C_E_DATA;
      y[i] = STORE((A)(v.negative ? (uint64_t)0 - size : size));
    }
#else
    {
      A f = v.negative ? -(A)INFINITY : (A)INFINITY;
      if (v.sort == O2C_NAN) f = (A)NAN;
#if T_BITS == 64
      if (v.sort == O2C_FINITE) f = o2c_to_f64(&v);
      y[i] = STORE(f);
#else
      if (v.sort == O2C_FINITE) f = o2c_to_f32(&v, T_BITS < 32);
#if T_BITS > 8
      y[i] = STORE(f);
#else
      y[i] = STORE_MODE(f, saturate != 0);
#endif
#endif
    }
#endif
  }
  return O2C_OK;
}
#endif
