/* SPDX-License-Identifier: 0BSD */
/* What every reference kernel needs, once per file, after o2c.h.
 *
 * A kernel file is written over the macros of one type_<t>.h, included before
 * it (type_end.h undoes them after it), and has no guard: it is included, or
 * pasted into generated code, once for each element type in use.
 *
 *   T            type of an element in memory     NAME(k)  o2c_<k>_<t>
 *   A            type that arithmetic is done in: float, double, (u)int64_t
 *   LOAD(v)      T to A                           STORE(v) A to T
 *   ADD SUB MUL  in A; integers wrap              K(c)     constant in A
 *   M(f)         function of math.h for A (floats only)
 *   T_MIN T_MAX  of T, in A; infinities where T has them (not str, complex)
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
#if defined __GNUC__
#define O2C_UNUSED __attribute__((unused))
#else
#define O2C_UNUSED
#endif
#define O2C_MAX_RANK 12
typedef struct {
  float re, im;
} o2c_c64;
typedef struct {
  double re, im;
} o2c_c128;
#endif
