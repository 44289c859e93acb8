/* SPDX-License-Identifier: 0BSD */
/* Numbers of any type as float or double, and back: for operands whose type
 * the specification leaves free beside that of a kernel. */
#if T_IS_FLOAT || T_IS_INT
O2C_UNUSED static void NAME(to_f32)(const T *x, float *y, int64_t n) {
  int64_t i;
  for (i = 0; i < n; i++) y[i] = (float)LOAD(x[i]);
}

O2C_UNUSED static void NAME(to_f64)(const T *x, double *y, int64_t n) {
  int64_t i;
  for (i = 0; i < n; i++) y[i] = (double)LOAD(x[i]);
}
#endif
#if T_IS_FLOAT
O2C_UNUSED static void NAME(from_f32)(const float *x, T *y, int64_t n) {
  int64_t i;
  for (i = 0; i < n; i++) y[i] = STORE((A)x[i]);
}

O2C_UNUSED static void NAME(from_f64)(const double *x, T *y, int64_t n) {
  int64_t i;
  for (i = 0; i < n; i++) y[i] = STORE((A)x[i]);
}
#endif
