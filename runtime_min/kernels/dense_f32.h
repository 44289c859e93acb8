/* SPDX-License-Identifier: 0BSD */
/* f32 product of one row and constant weights, for small layers.

     y[j] = clamp(bias[j] + sum_{i<k} x[i] * W[i][j] + r[j], lo, hi)    j < n

   static inline void o2c_dense_f32(const float *x, const float *w,
       const float *bias, const float *r, float *y, int k, int n, float lo,
       float hi);
   static inline void o2c_dots_f32(the same);

   dense: w is packed [ceil(n/16)][k][16], the last panel padded with zeros;
   the vectors are columns. dots: w is [n][k]; the vectors run along k, for
   few columns of long sums. bias and r may be NULL; y may be r, and never
   overlaps x.

   Both are inlined where they are called, with literal sizes, limits and
   NULLs: what is left is the loop of that very layer, unrolled as the compiler
   likes it, without a call, a tile to choose, or a test.

   Few sums at a time can't hide the latency of adding, so a sum is split in up
   to four chains, which are added in pairs. How it is split depends on k, n
   and the machine's vectors alone. Elements of x are loaded four or more at a
   time and spread by shuffles: loads are what these loops wait for. NaN passes
   the clamp. */
#ifndef O2C_DENSE_F32_H
#define O2C_DENSE_F32_H

#include "simd.h"

O2C_INLINE o2c_v o2c_dense_clamp(o2c_v v, float lo, float hi)
{
  if (lo > -INFINITY)
    v = o2c_vmax(o2c_vset1(lo), v);
  if (hi < INFINITY)
    v = o2c_vmin(o2c_vset1(hi), v);
  return v;
}

/* Eight sums at a time, named s0 to s7: of up to `wide` vectors (or, in dots,
   columns), 8 / wide chains of each, but four at most. Sum e is chain e / wide
   of vector e % wide, of which there are nv: what these literals exclude
   vanishes. */
#define O2C_SUMS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define O2C_CHAINS(wide) ((wide) > 4 ? 1 : (wide) > 2 ? 2 : 4)
#define O2C_SUM_TAKES(e, t) \
  ((e) % wide < nv && (e) / wide == (t) % O2C_CHAINS(wide))
#define O2C_SUM_CHAINS() \
  if (wide == 2) { \
    s0 = o2c_vadd(o2c_vadd(s0, s2), o2c_vadd(s4, s6)); \
    s1 = o2c_vadd(o2c_vadd(s1, s3), o2c_vadd(s5, s7)); \
  } \
  if (wide == 4) { \
    s0 = o2c_vadd(s0, s4), s1 = o2c_vadd(s1, s5); \
    s2 = o2c_vadd(s2, s6), s3 = o2c_vadd(s3, s7); \
  }
/* X(nv, wide) for the `left` that are no more than eight: wide is the next
   power of 2. */
#define O2C_LAST(X) \
  if (left == 1) X(1, 2); \
  else if (left == 2) X(2, 2); \
  else if (left == 3) X(3, 4); \
  else if (left == 4) X(4, 4); \
  else if (left > 4) X(left, 8);

/* nv vectors of columns; w is the first column's, n columns are left. */
O2C_INLINE void o2c_dense_cols(const float *x, const float *w,
                               const float *bias, const float *r, float *y,
                               const int k, const int n, const int nv,
                               const int wide, float lo, float hi)
{
  const int fours = k - k % 4;
#define O2C_N(e) (n - (e) % wide * O2C_LANES)
#define O2C_X(e) const float *const w##e = w + \
    (e) % wide * O2C_LANES / 16 * (ptrdiff_t)k * 16 + \
    (e) % wide * O2C_LANES % 16; \
  o2c_v s##e = bias && (e) < nv && (e) < wide \
    ? o2c_vld_n(bias + (e) * O2C_LANES, O2C_N(e)) : o2c_vzero();
  O2C_SUMS(O2C_X)
#undef O2C_X
#define O2C_MUL(e, t) if (O2C_SUM_TAKES(e, t)) \
    s##e = o2c_vfma(v, o2c_vld(w##e + (i + (t)) * 16), s##e);
#define O2C_X0(e) O2C_MUL(e, 0)
#define O2C_X1(e) O2C_MUL(e, 1)
#define O2C_X2(e) O2C_MUL(e, 2)
#define O2C_X3(e) O2C_MUL(e, 3)
#define O2C_DENSE_4(quad) { \
    o2c_quad q = (quad); O2C_HOLD_QUAD(q); \
    o2c_v v = O2C_QUAD_AT(q, 0); \
    O2C_SUMS(O2C_X0) \
    v = O2C_QUAD_AT(q, 1); \
    O2C_SUMS(O2C_X1) \
    v = O2C_QUAD_AT(q, 2); \
    O2C_SUMS(O2C_X2) \
    v = O2C_QUAD_AT(q, 3); \
    O2C_SUMS(O2C_X3) }
  ptrdiff_t i = 0;
#ifdef O2C_AVX512
  /* Written out, it takes x from the registers in which another layer has just
     made it. */
#define O2C_DENSE_16() { \
    const o2c_v four = o2c_vld(x + i); \
    O2C_DENSE_4(O2C_QUAD_OF(four, 0)) i += 4; \
    O2C_DENSE_4(O2C_QUAD_OF(four, 1)) i += 4; \
    O2C_DENSE_4(O2C_QUAD_OF(four, 2)) i += 4; \
    O2C_DENSE_4(O2C_QUAD_OF(four, 3)) i += 4; \
  }
  if (k <= 64) {
#ifdef __GNUC__
#pragma GCC unroll 4
#endif
    while (i + 16 <= k)
      O2C_DENSE_16()
  } else {
    while (i + 16 <= k)
      O2C_DENSE_16()
  }
#undef O2C_DENSE_16
#endif
  for (; i < fours; i += 4)
    O2C_DENSE_4(o2c_vquad(x + i))
#undef O2C_DENSE_4
  if (fours < k) {
    o2c_v v = o2c_vset1(x[i]);
    O2C_SUMS(O2C_X0)
    if (i + 1 < k) {
      v = o2c_vset1(x[i + 1]);
      O2C_SUMS(O2C_X1)
    }
    if (i + 2 < k) {
      v = o2c_vset1(x[i + 2]);
      O2C_SUMS(O2C_X2)
    }
  }
#undef O2C_MUL
#undef O2C_X0
#undef O2C_X1
#undef O2C_X2
#undef O2C_X3
  O2C_SUM_CHAINS()
#define O2C_X(e) if ((e) < nv) { \
    if (r) \
      s##e = o2c_vadd(s##e, o2c_vld_n(r + (e) * O2C_LANES, O2C_N(e))); \
    o2c_vst_n(y + (e) * O2C_LANES, o2c_dense_clamp(s##e, lo, hi), O2C_N(e)); \
  }
  O2C_SUMS(O2C_X)
#undef O2C_X
#undef O2C_N
}

O2C_INLINE void o2c_dense_f32(const float *x, const float *w,
                              const float *bias, const float *r, float *y,
                              const int k, const int n, const float lo,
                              const float hi)
{
  const int l = O2C_LANES, step = 8 * l, end = n - n % step;
  const int left = (n - end + l - 1) / l; /* vectors */
  int j = 0;
#define O2C_COLS(nv, wide) \
  o2c_dense_cols(x, w + j / 16 * (ptrdiff_t)k * 16 + j % 16, \
                 bias ? bias + j : bias, r ? r + j : r, y + j, k, n - j, nv, \
                 wide, lo, hi)
  for (; j < end; j += step)
    O2C_COLS(8, 8);
  O2C_LAST(O2C_COLS)
#undef O2C_COLS
}

/* nv columns. Vector t of the k takes part in chain t % chains. */
O2C_INLINE void o2c_dots_cols(const float *x, const float *w,
                              const float *bias, const float *r, float *y,
                              const int k, const int nv, const int wide,
                              float lo, float hi)
{
  const int l = O2C_LANES, step = O2C_CHAINS(wide) * l;
  const int end = k - k % step;
#define O2C_X(e) const float *const w##e = w + (e) % wide * (ptrdiff_t)k; \
  o2c_v s##e = o2c_vzero();
  O2C_SUMS(O2C_X)
#undef O2C_X
#define O2C_MUL(e, t) if (O2C_SUM_TAKES(e, t)) \
    s##e = o2c_vfma(v##t, o2c_vld(w##e + i + (t) * l), s##e);
#define O2C_X(e) O2C_MUL(e, 0)
#define O2C_X1(e) if (O2C_CHAINS(wide) > 1) { O2C_MUL(e, 1) }
#define O2C_X2(e) if (O2C_CHAINS(wide) > 2) { O2C_MUL(e, 2) O2C_MUL(e, 3) }
  for (ptrdiff_t i = 0; i < end; i += step) {
    const o2c_v v0 = o2c_vld(x + i),
                v1 = O2C_CHAINS(wide) > 1 ? o2c_vld(x + i + l) : v0,
                v2 = O2C_CHAINS(wide) > 2 ? o2c_vld(x + i + 2 * l) : v0,
                v3 = O2C_CHAINS(wide) > 2 ? o2c_vld(x + i + 3 * l) : v0;
    O2C_SUMS(O2C_X)
    O2C_SUMS(O2C_X1)
    O2C_SUMS(O2C_X2)
  }
#undef O2C_MUL
#undef O2C_X
#undef O2C_X1
#undef O2C_X2
#define O2C_MUL(e, t) if (O2C_SUM_TAKES(e, t)) \
    s##e = o2c_vfma(v, o2c_vld_n(w##e + i, k - (int)i), s##e);
#define O2C_X0(e) O2C_MUL(e, 0)
#define O2C_X1(e) O2C_MUL(e, 1)
#define O2C_X2(e) O2C_MUL(e, 2)
#define O2C_X3(e) O2C_MUL(e, 3)
#define O2C_REST(t) if (end + (t) * l < k) { \
    const ptrdiff_t i = end + (t) * l; \
    const o2c_v v = o2c_vld_n(x + i, k - (int)i); \
    O2C_SUMS(O2C_X##t) \
  }
  O2C_REST(0)
  O2C_REST(1)
  O2C_REST(2)
  O2C_REST(3)
#undef O2C_MUL
#undef O2C_REST
#undef O2C_X0
#undef O2C_X1
#undef O2C_X2
#undef O2C_X3
  O2C_SUM_CHAINS()
/* Columns by themselves, or a vector of them at a time. */
#define O2C_X(e) if ((e) < nv) { \
    float s = o2c_vsum(s##e); \
    s = bias ? s + bias[e] : s; \
    s = r ? s + r[e] : s; \
    s = lo > -INFINITY && lo > s ? lo : s; \
    y[e] = hi < INFINITY && hi < s ? hi : s; \
  }
#define O2C_AT(e) ((e) < nv ? s##e : o2c_vzero())
#define O2C_VECTOR(at, v) { \
    o2c_v s = (v); \
    if (bias) \
      s = o2c_vadd(s, o2c_vld_n(bias + (at), nv - (at))); \
    if (r) \
      s = o2c_vadd(s, o2c_vld_n(r + (at), nv - (at))); \
    o2c_vst_n(y + (at), o2c_dense_clamp(s, lo, hi), nv - (at)); \
  }
  if (O2C_VSUMS == 1 || nv < 3) {
    O2C_SUMS(O2C_X)
    return;
  }
  O2C_VECTOR(0, o2c_vsums(s0, s1, s2, O2C_AT(3), O2C_AT(4), O2C_AT(5),
                          O2C_AT(6), O2C_AT(7)))
  if (nv > O2C_VSUMS)
    O2C_VECTOR(O2C_VSUMS, o2c_vsums(s4, O2C_AT(5), O2C_AT(6), O2C_AT(7), s0,
                                    s0, s0, s0))
#undef O2C_VECTOR
#undef O2C_AT
#undef O2C_X
}

O2C_INLINE void o2c_dots_f32(const float *x, const float *w,
                             const float *bias, const float *r, float *y,
                             const int k, const int n, const float lo,
                             const float hi)
{
  const int end = n - n % 8, left = n % 8;
  int j = 0;
#define O2C_COLS(nv, wide) \
  o2c_dots_cols(x, w + j * (ptrdiff_t)k, bias ? bias + j : bias, \
                r ? r + j : r, y + j, k, nv, wide, lo, hi)
  for (; j < end; j += 8)
    O2C_COLS(8, 8);
  O2C_LAST(O2C_COLS)
#undef O2C_COLS
}

#undef O2C_SUMS
#undef O2C_CHAINS
#undef O2C_SUM_TAKES
#undef O2C_LAST
#undef O2C_SUM_CHAINS

#endif
