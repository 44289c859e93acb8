/* SPDX-License-Identifier: 0BSD */
/* The Reduce operators, ArgMax and ArgMin.
 *
 * An element of y is one chain over the reduced axes in order. Sums of
 * integers wrap; roots, logarithms and exponentials of integers are computed
 * in double and cut off, as ONNX's own reference does. */
#ifndef O2C_REF_REDUCE
#define O2C_REF_REDUCE
enum {
  O2C_RED_SUM, O2C_RED_MEAN, O2C_RED_MAX, O2C_RED_MIN, O2C_RED_PROD,
  O2C_RED_L1, O2C_RED_SUM_SQUARE, O2C_RED_L2, O2C_RED_LOG_SUM,
  O2C_RED_LOG_SUM_EXP
};
#endif
#if T_IS_FLOAT || T_IS_INT || T_IS_BOOL
O2C_UNUSED static int NAME(reduce_nan)(A v) {
#if T_IS_FLOAT
  return v != v;
#else
  (void)v;
  return 0;
#endif
}

O2C_UNUSED static A NAME(reduce_best)(A best, const T *x, int64_t n,
                                      int64_t step, int least) {
  int64_t i;
  for (i = 0; i < n; i++) {
    A v = LOAD(x[i * step]);
    if ((least ? v < best : v > best) || NAME(reduce_nan)(v)) best = v;
  }
  return best;
}

/* The largest or least: not-a-number stays once met. Axes of x: `kept` ones
 * with dims kd and strides ks, then `gone` ones, at least one, gd and gs. */
O2C_UNUSED static void NAME(reduce_extreme)(const T *x, T *y, int64_t least,
                                            int64_t kept, int64_t gone,
                                            const int64_t *kd,
                                            const int64_t *ks,
                                            const int64_t *gd,
                                            const int64_t *gs) {
  int64_t count = o2c_numel(kept, kd), rows = o2c_numel(gone - 1, gd), o, r;
  for (o = 0; o < count; o++) {
    const T *from = x + o2c_offset(o, kept, kd, ks);
    A best = least ? T_MAX : T_MIN;
    for (r = 0; r < rows; r++)
      best = NAME(reduce_best)(best, from + o2c_offset(r, gone - 1, gd, gs),
                               gd[gone - 1], gs[gone - 1], least != 0);
    y[o] = STORE(best);
  }
}
#endif
#if T_IS_FLOAT || T_IS_INT
O2C_UNUSED static A NAME(reduce_row)(A sum, const T *x, int64_t n, int64_t step,
                                     int64_t op) {
  int64_t i;
  switch (op) {
  case O2C_RED_PROD:
    for (i = 0; i < n; i++) sum = MUL(sum, LOAD(x[i * step]));
    break;
  case O2C_RED_L1:
    for (i = 0; i < n; i++) {
      A v = LOAD(x[i * step]);
#if T_IS_SIGNED
      if (v < 0) v = SUB(K(0), v);
#endif
      sum = ADD(sum, v);
    }
    break;
  case O2C_RED_SUM_SQUARE:
    for (i = 0; i < n; i++) {
      A v = LOAD(x[i * step]);
      sum = ADD(sum, MUL(v, v));
    }
    break;
  default:
    for (i = 0; i < n; i++) sum = ADD(sum, LOAD(x[i * step]));
  }
  return sum;
}

/* Sum, mean, product, L1 norm, sum of squares; axes as above. */
O2C_UNUSED static void NAME(reduce)(const T *x, T *y, int64_t op, int64_t kept,
                                    int64_t gone, const int64_t *kd,
                                    const int64_t *ks, const int64_t *gd,
                                    const int64_t *gs) {
  int64_t count = o2c_numel(kept, kd), rows = o2c_numel(gone - 1, gd), o, r;
  int64_t n = rows * gd[gone - 1];
  for (o = 0; o < count; o++) {
    const T *from = x + o2c_offset(o, kept, kd, ks);
    A sum = op == O2C_RED_PROD ? K(1) : K(0);
    for (r = 0; r < rows; r++)
      sum = NAME(reduce_row)(sum, from + o2c_offset(r, gone - 1, gd, gs),
                             gd[gone - 1], gs[gone - 1], op);
#if T_IS_FLOAT
    if (op == O2C_RED_MEAN) sum /= (A)n;
#else
    if (op == O2C_RED_MEAN) sum = n ? sum / (A)n : 0;
#endif
    y[o] = STORE(sum);
  }
}

/* Real arithmetic: A, or double for integers. */
#if T_IS_FLOAT
#define REAL A
#define REAL_F(f) M(f)
#else
#define REAL double
#define REAL_F(f) f
#endif
O2C_UNUSED static REAL NAME(reduce_real_row)(REAL sum, const T *x, int64_t n,
                                             int64_t step, int64_t op,
                                             REAL max) {
  int64_t i;
  for (i = 0; i < n; i++) {
    REAL v = (REAL)LOAD(x[i * step]);
    sum += op == O2C_RED_L2        ? v * v
           : op == O2C_RED_LOG_SUM ? v
                                   : REAL_F(exp)(v - max);
  }
  return sum;
}

O2C_UNUSED static T NAME(reduce_result)(REAL v) {
#if T_IS_FLOAT
  return STORE(v);
#else
  return v > -9e18 && v < 9e18 ? STORE((int64_t)v) : STORE(0);
#endif
}

/* L2 norm, logarithm of the sum, and of the sum of exponentials. */
O2C_UNUSED static void NAME(reduce_real)(const T *x, T *y, int64_t op,
                                         int64_t kept, int64_t gone,
                                         const int64_t *kd, const int64_t *ks,
                                         const int64_t *gd, const int64_t *gs) {
  int64_t count = o2c_numel(kept, kd), rows = o2c_numel(gone - 1, gd), o, r;
  for (o = 0; o < count; o++) {
    const T *from = x + o2c_offset(o, kept, kd, ks);
    A best = T_MIN;
    REAL sum = 0, max = 0;
    if (op == O2C_RED_LOG_SUM_EXP) {
      for (r = 0; r < rows; r++)
        best = NAME(reduce_best)(best, from + o2c_offset(r, gone - 1, gd, gs),
                                 gd[gone - 1], gs[gone - 1], 0);
      max = (REAL)best;
      if (max - max != 0) max = 0; /* infinite: exp makes 0 or infinity */
    }
    for (r = 0; r < rows; r++)
      sum = NAME(reduce_real_row)(sum, from + o2c_offset(r, gone - 1, gd, gs),
                                  gd[gone - 1], gs[gone - 1], op, max);
    if (op == O2C_RED_L2)
      sum = REAL_F(sqrt)(sum);
    else
      sum = REAL_F(log)(sum) + max;
    y[o] = NAME(reduce_result)(sum);
  }
}
#undef REAL
#undef REAL_F

/* Index of the largest or least along the middle of [outer, n, inner]; of
 * equal ones the first, or the last. */
O2C_UNUSED static void NAME(arg_extreme)(const T *x, void *to, int64_t outer,
                                         int64_t n, int64_t inner,
                                         int64_t least, int64_t last) {
  int64_t *y = (int64_t *)to, o, k, i;
  for (o = 0; o < outer; o++, x += n * inner, y += inner)
    for (k = 0; k < inner; k++) {
      int64_t at = 0;
      for (i = 1; i < n; i++) {
        A v = LOAD(x[i * inner + k]), best = LOAD(x[at * inner + k]);
        if ((least ? v < best : v > best) || (last && v == best)) at = i;
      }
      y[k] = at;
    }
}
#endif
#if T_IS_FLOAT || T_IS_INT || T_IS_BOOL
/* The axes, `count` of them, are known at run time only; none means all if
 * `all`. O2C_E_SHAPE unless y, which keeps them as ones if `keep`, has shape
 * `out`. */
O2C_UNUSED static o2c_status NAME(reduce_data)(const T *x, const int64_t *axes,
                                               T *y, int64_t op, int64_t count,
                                               int64_t all, int64_t keep,
                                               int64_t rank, int64_t orank,
                                               const int64_t *dim,
                                               const int64_t *out) {
  int64_t kd[O2C_MAX_RANK], ks[O2C_MAX_RANK];
  int64_t gd[O2C_MAX_RANK + 1], gs[O2C_MAX_RANK + 1];
  int64_t kept = O2C_MAX_RANK, gone = O2C_MAX_RANK, stride = 1, j, k;
  gd[gone] = gs[gone] = 1; /* the kernels want one */
  for (k = 0; k < count; k++)
    if (axes[k] < -rank || axes[k] >= rank) return O2C_E_SHAPE;
  for (j = rank - 1; j >= 0; j--) {
    int64_t listed = all && count == 0;
    for (k = 0; k < count; k++) listed |= axes[k] == j || axes[k] + rank == j;
    if (listed) {
      gd[--gone] = dim[j];
      gs[gone] = stride;
    } else {
      kd[--kept] = dim[j];
      ks[kept] = stride;
    }
    stride *= dim[j];
    if (listed && !keep) continue;
    if (orank == 0 || out[--orank] != (listed ? 1 : dim[j])) return O2C_E_SHAPE;
  }
  if (orank != 0) return O2C_E_SHAPE;
  k = O2C_MAX_RANK + 1 - gone;
  j = O2C_MAX_RANK - kept;
  if (op == O2C_RED_MAX || op == O2C_RED_MIN)
    NAME(reduce_extreme)(x, y, op == O2C_RED_MIN, j, k, kd + kept, ks + kept,
                         gd + gone, gs + gone);
#if !T_IS_BOOL
  else if (op >= O2C_RED_L2)
    NAME(reduce_real)(x, y, op, j, k, kd + kept, ks + kept, gd + gone,
                      gs + gone);
  else
    NAME(reduce)(x, y, op, j, k, kd + kept, ks + kept, gd + gone, gs + gone);
#endif
  return O2C_OK;
}
#endif
