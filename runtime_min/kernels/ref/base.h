/* SPDX-License-Identifier: 0BSD */
/* What every reference kernel needs, once per file, after o2c.h.
 *
 * A kernel file is written over the macros of one type_<t>.h, included before
 * it (type_end.h undoes them after it), and has no guard: it is included, or
 * pasted into generated code, once for each element type in use.
 *
 *   T            type of an element in memory     NAME(k)  o2c_ref_<k>_<t>
 *   A            type that arithmetic is done in: float, double, (u)int64_t
 *   LOAD(v)      T to A                           STORE(v) A to T
 *   STORE_MODE(v, saturate)  of the 8- and 4-bit floats: else NaN or infinity
 *   ADD SUB MUL  in A; integers wrap              K(c)     constant in A
 *   M(f)         function of math.h for A (floats only)
 *   T_MIN T_MAX  of T, in A; infinities where T has them (not str, complex)
 *   T_PART       of complex types only: that of its parts
 *   T_IS_FLOAT T_IS_INT T_IS_SIGNED T_IS_BOOL T_IS_STR T_IS_COMPLEX  0 or 1
 *   T_IS_CARRIER 1 where kernels that only move data exist: u8 u16 u32 u64
 *                str c128. They take void pointers and copy by memcpy, so
 *                that one serves every type of its size.
 *   T_BITS       of a value (4-bit types take one byte each in memory)
 *
 * Parameters: pointers, then int64_t numbers, `const int64_t *` lists, doubles.
 * A kernel that checks data returns o2c_status, the others nothing. C99 that
 * is also C++; no allocation, no recursion, no static data. */
#ifndef O2C_REF_BASE_H
#define O2C_REF_BASE_H
#include <math.h>
#include <string.h>
#include "../attr.h"
#define O2C_MAX_RANK 24 /* of a kernel's blocks: twice a tensor's, for Tile */

/* Elements of a shape. */
O2C_UNUSED static int64_t o2c_numel(int64_t rank, const int64_t *dim) {
  int64_t n = 1, j;
  for (j = 0; j < rank; j++) n *= dim[j];
  return n;
}

/* Where element number i of a shape lies, for strides of its axes. */
O2C_UNUSED static int64_t o2c_offset(int64_t i, int64_t rank,
                                     const int64_t *dim,
                                     const int64_t *stride) {
  int64_t off = 0, j;
  for (j = rank - 1; j > 0; j--) {
    off += i % dim[j] * stride[j];
    i /= dim[j];
  }
  return rank > 0 ? off + i * stride[0] : 0;
}

/* First position of the window of output position o; negative in padding. */
O2C_UNUSED static void o2c_window(int64_t o, int64_t axes, const int64_t *out,
                                  const int64_t *stride, const int64_t *begin,
                                  int64_t *start) {
  int64_t j;
  for (j = axes - 1; j >= 0; j--) {
    start[j] = o % out[j] * stride[j] - begin[j];
    o /= out[j];
  }
}

/* Input position of tap t of a window; -1 in padding. */
O2C_UNUSED static int64_t o2c_tap(int64_t t, int64_t axes,
                                  const int64_t *start, const int64_t *in,
                                  const int64_t *kernel,
                                  const int64_t *dilation) {
  int64_t off = 0, scale = 1, j;
  for (j = axes - 1; j >= 0; j--) {
    int64_t at = start[j] + t % kernel[j] * dilation[j];
    if (at < 0 || at >= in[j]) return -1;
    off += at * scale;
    scale *= in[j];
    t /= kernel[j];
  }
  return off;
}
#endif
