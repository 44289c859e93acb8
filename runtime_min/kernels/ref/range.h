/* SPDX-License-Identifier: 0BSD */
/* Range: start, start + delta, ..; and a list of numbers as a tensor, which is
 * what Shape and Size are. */
#if T_IS_FLOAT || T_IS_INT
O2C_UNUSED static T NAME(range_at)(const T *start, const T *delta, int64_t i) {
  return STORE(ADD(LOAD(*start), MUL(K(i), LOAD(*delta))));
}

O2C_UNUSED static void NAME(range)(const T *start, const T *delta, T *y,
                                   int64_t n) {
  int64_t i;
  for (i = 0; i < n; i++) y[i] = NAME(range_at)(start, delta, i);
}

/* Has the range n elements? Else O2C_E_SHAPE. */
O2C_UNUSED static o2c_status NAME(range_check)(const T *start, const T *limit,
                                               const T *delta, int64_t n) {
  A from = LOAD(*start), to = LOAD(*limit), step = LOAD(*delta);
#if T_IS_FLOAT
  double count = ceil(((double)to - (double)from) / (double)step);
  if (!(step != 0) || !(count > 0 ? count == (double)n : n == 0))
    return O2C_E_SHAPE;
#else
  uint64_t gap, size;
  if (step == 0) return O2C_E_SHAPE;
  gap = step > 0 ? (uint64_t)to - (uint64_t)from
                 : (uint64_t)from - (uint64_t)to;
  size = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
  if (step > 0 ? to <= from : to >= from) gap = 0;
  if (gap / size + (gap % size != 0) != (uint64_t)n) return O2C_E_SHAPE;
#endif
  return O2C_OK;
}

/* The number of elements, too, is known at run time only. */
O2C_UNUSED static o2c_status NAME(range_data)(const T *start, const T *limit,
                                              const T *delta, T *y,
                                              int64_t n) {
  o2c_status status = NAME(range_check)(start, limit, delta, n);
  if (status == O2C_OK) NAME(range)(start, delta, y, n);
  return status;
}
#endif

#if T_IS_INT
O2C_UNUSED static void NAME(list)(T *y, int64_t n, const int64_t *v) {
  int64_t i;
  for (i = 0; i < n; i++) y[i] = STORE((A)v[i]);
}
#endif
