/* SPDX-License-Identifier: 0BSD */
/* Optional values of the interface: whether there is an item, and the item. */
#if T_IS_CARRIER
O2C_UNUSED static void NAME(has_item)(const void *v, void *y) {
  *(uint8_t *)y = ((const o2c_value *)v)->count > 0;
}

/* The tensor that an optional value holds, of this type and shape. */
O2C_UNUSED static o2c_status NAME(get_item)(const void *v, void *y,
                                            int64_t dtype, int64_t rank,
                                            const int64_t *dim) {
  const o2c_value *from = (const o2c_value *)v, *x = from->item;
  int64_t i, n = 1;
  if (from->count < 1 || !x || x->kind != O2C_TENSOR || x->dtype != dtype ||
      x->rank != rank)
    return O2C_E_SHAPE;
  for (i = 0; i < rank; i++) {
    if (x->dim[i] != dim[i]) return O2C_E_SHAPE;
    n *= dim[i];
  }
  if (n > 0 && !x->data) return O2C_E_ARG;
  if (n > 0) memcpy(y, x->data, (size_t)n * sizeof(T));
  return O2C_OK;
}
#endif
