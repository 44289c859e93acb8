/* SPDX-License-Identifier: 0BSD */
/* IEEE single. See base.h for what the macros mean. */
#define T float
#define A float
#define LOAD(v) (v)
#define STORE(v) ((float)(v))
#define NAME(k) o2c_ref_##k##_f32
#define M(fn) fn##f
#define K(c) ((A)(c))
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define MUL(a, b) ((a) * (b))
#define T_MIN (-INFINITY)
#define T_MAX INFINITY
#define T_IS_FLOAT 1
#define T_IS_INT 0
#define T_IS_SIGNED 1
#define T_IS_BOOL 0
#define T_IS_STR 0
#define T_IS_COMPLEX 0
#define T_IS_CARRIER 0
#define T_BITS 32
