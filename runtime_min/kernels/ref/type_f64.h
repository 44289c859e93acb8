/* SPDX-License-Identifier: 0BSD */
/* IEEE double. See base.h for what the macros mean. */
#define T double
#define A double
#define LOAD(v) (v)
#define STORE(v) ((double)(v))
#define NAME(k) o2c_ref_##k##_f64
#define M(f) f
#define K(c) ((A)(c))
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define MUL(a, b) ((a) * (b))
#define T_MIN (-(double)INFINITY)
#define T_MAX ((double)INFINITY)
#define T_IS_FLOAT 1
#define T_IS_INT 0
#define T_IS_SIGNED 1
#define T_IS_BOOL 0
#define T_IS_STR 0
#define T_IS_COMPLEX 0
#define T_IS_CARRIER 0
#define T_BITS 64
