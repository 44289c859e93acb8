/* SPDX-License-Identifier: 0BSD */
/* Optional values of the interface: whether there is an item, and the item;
 * sequences, or optional ones, as tensors (see compiler/sequence_open.c). */
#if T_IS_CARRIER
/* The items of a sequence, or of the one in an optional value; an optional
 * `tensor` is one item. Their number is negative where v is something else. */
O2C_UNUSED static const o2c_value *NAME(items_of)(const void *v, int64_t tensor,
                                                  int64_t *count) {
  const o2c_value *s = (const o2c_value *)v;
  *count = -1;
  if (s->kind == O2C_OPTIONAL && s->count == 0) *count = 0;
  if (s->kind == O2C_OPTIONAL) s = s->count == 1 ? s->item : NULL;
  else if (tensor) s = NULL;
  if (!s || s->kind != (tensor ? O2C_TENSOR : O2C_SEQUENCE)) return NULL;
  *count = tensor ? 1 : s->count;
  return tensor ? s : s->item;
}

/* How many items, and how many elements in all; of this type, or an error. */
O2C_UNUSED static o2c_status NAME(size_items)(const void *v, int64_t dtype,
                                              int64_t tensor, int64_t *size) {
  const o2c_value *s = NAME(items_of)(v, tensor, size);
  int64_t i, j;
  size[1] = 0;
  if (size[0] < 0) return O2C_E_SHAPE;
  if (size[0] > 0 && !s) return O2C_E_ARG;
  for (i = 0; i < size[0]; i++) {
    const o2c_value *x = s + i;
    int64_t n = 1;
    if (x->kind != O2C_TENSOR || x->dtype != dtype || x->rank < 0 ||
        x->rank > O2C_VALUE_RANK)
      return O2C_E_SHAPE;
    for (j = 0; j < x->rank; j++) {
      if (x->dim[j] < 0 || (n > 0 && x->dim[j] > INT64_MAX / 16 / n))
        return O2C_E_SHAPE;
      n *= x->dim[j];
    }
    if (n > 0 && !x->data) return O2C_E_ARG;
    if (n > INT64_MAX / 16 - size[1]) return O2C_E_SHAPE;
    size[1] += n;
  }
  return O2C_OK;
}

/* flat: all elements; rows: for each item its rank, its sizes, and ones. */
O2C_UNUSED static void NAME(items)(const void *v, void *flat, void *rows,
                                   int64_t tensor) {
  int64_t *row = (int64_t *)rows, i, j, count;
  const o2c_value *s = NAME(items_of)(v, tensor, &count);
  T *to = (T *)flat;
  for (i = 0; i < count; i++, row += 1 + O2C_VALUE_RANK) {
    const o2c_value *x = s + i;
    int64_t n = 1;
    row[0] = x->rank;
    for (j = 0; j < O2C_VALUE_RANK; j++) {
      row[1 + j] = j < x->rank ? x->dim[j] : 1;
      n *= row[1 + j];
    }
    if (n > 0) memcpy(to, x->data, (size_t)n * sizeof(T));
    to += n;
  }
}

/* A sparse tensor of this type and shape as a dense one. Of an element that is
 * there twice the last one counts. */
O2C_UNUSED static o2c_status NAME(densify)(const void *v, void *y,
                                           int64_t dtype, int64_t rank,
                                           const int64_t *dim) {
  const o2c_value *s = (const o2c_value *)v;
  const int64_t n = o2c_numel(rank, dim), *at;
  T *to = (T *)y;
  int64_t i, j;
  if (s->kind != O2C_SPARSE || s->dtype != dtype) return O2C_E_TYPE;
  if (s->rank != rank || s->count < 0 || !s->item) return O2C_E_SHAPE;
  for (j = 0; j < rank; j++)
    if (s->dim[j] != dim[j]) return O2C_E_SHAPE;
#if T_IS_STR
  for (i = 0; i < n; i++) to[i].p = "", to[i].len = 0;
#else
  if (n > 0) memset(to, 0, (size_t)n * sizeof(T));
#endif
  if (s->count == 0) return O2C_OK;
  at = (const int64_t *)s->item[1].data;
  if (s->item[0].dtype != dtype || s->item[1].dtype != O2C_I64)
    return O2C_E_TYPE;
  if (s->item[0].rank != 1 || s->item[0].dim[0] != s->count ||
      s->item[1].rank < 1 || s->item[1].rank > 2 ||
      s->item[1].dim[0] != s->count ||
      (s->item[1].rank == 2 && s->item[1].dim[1] != rank))
    return O2C_E_SHAPE;
  if (!at || !s->item[0].data) return O2C_E_ARG;
  for (i = 0; i < s->count; i++) {
    int64_t k = s->item[1].rank == 1 ? at[i] : 0;
    for (j = 0; s->item[1].rank == 2 && j < rank; j++) {
      const int64_t x = at[i * rank + j];
      if (x < 0 || x >= dim[j]) return O2C_E_DATA;
      k = k * dim[j] + x;
    }
    if (k < 0 || k >= n) return O2C_E_DATA;
    memcpy(to + k, (const T *)s->item[0].data + i, sizeof(T));
  }
  return O2C_OK;
}

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
