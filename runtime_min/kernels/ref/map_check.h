/* SPDX-License-Identifier: 0BSD */
/* Maps of the interface (o2c_value): what is refused, and the order of keys. */
#ifndef O2C_REF_MAP_CHECK_H
#define O2C_REF_MAP_CHECK_H
#include "base.h"

O2C_UNUSED static o2c_status o2c_map_check(const o2c_value *m, int64_t key,
                                           int64_t type) {
  int i;
  if (m->kind != O2C_MAP) return O2C_E_TYPE;
  if (m->count < 0 || !m->item) return O2C_E_ARG;
  for (i = 0; i < 2; i++) {
    const o2c_value *x = m->item + i;
    if (x->kind != O2C_TENSOR || x->dtype != (i ? type : key))
      return O2C_E_TYPE;
    if (x->rank != 1 || x->dim[0] != m->count) return O2C_E_ARG;
    if (m->count > 0 && !x->data) return O2C_E_ARG;
  }
  return O2C_OK;
}

/* Key i of x against key j of y: int64, or strings by their bytes. */
O2C_UNUSED static int o2c_key_cmp(int64_t type, const void *x, int64_t i,
                                  const void *y, int64_t j) {
  if (type == O2C_STR) {
    const o2c_str *s = (const o2c_str *)x + i, *t = (const o2c_str *)y + j;
    const size_t n = s->len < t->len ? s->len : t->len;
    const int c = n ? memcmp(s->p, t->p, n) : 0;
    return c ? c : (s->len > t->len) - (s->len < t->len);
  } else {
    const int64_t a = ((const int64_t *)x)[i], b = ((const int64_t *)y)[j];
    return (a > b) - (a < b);
  }
}
#endif
