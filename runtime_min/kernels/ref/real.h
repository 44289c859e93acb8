/* SPDX-License-Identifier: 0BSD */
/* Numbers of any type as float or double, and back: for operands whose type
 * the specification leaves free beside that of a kernel. */
#if T_IS_FLOAT || T_IS_INT
O2C_UNUSED static void NAME(to_f32)(const T *x, void *y, int64_t n) {
  float *to = (float *)y;
  int64_t i;
  for (i = 0; i < n; i++) to[i] = (float)LOAD(x[i]);
}

O2C_UNUSED static void NAME(to_f64)(const T *x, void *y, int64_t n) {
  double *to = (double *)y;
  int64_t i;
  for (i = 0; i < n; i++) to[i] = (double)LOAD(x[i]);
}
#endif
#if T_IS_FLOAT
O2C_UNUSED static void NAME(from_f32)(const void *x, T *y, int64_t n) {
  const float *from = (const float *)x;
  int64_t i;
  for (i = 0; i < n; i++) y[i] = STORE((A)from[i]);
}

O2C_UNUSED static void NAME(from_f64)(const void *x, T *y, int64_t n) {
  const double *from = (const double *)x;
  int64_t i;
  for (i = 0; i < n; i++) y[i] = STORE((A)from[i]);
}
#endif
