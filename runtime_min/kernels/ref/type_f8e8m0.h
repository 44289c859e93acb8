/* SPDX-License-Identifier: 0BSD */
/* float8e8m0: powers of two, in software.
 * See base.h for what the macros mean. */
#define T uint8_t
#define A float
#define LOAD(v) o2c_f8e8m0_to_f32(v)
#define STORE(v) o2c_f32_to_f8e8m0(v, 1)
#define STORE_MODE(v, saturate) o2c_f32_to_f8e8m0(v, saturate)
#define NAME(k) o2c_ref_##k##_f8e8m0
#define M(fn) fn##f
#define K(c) ((A)(c))
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define MUL(a, b) ((a) * (b))
#define T_MIN 0.0f
#define T_MAX INFINITY
#define T_IS_FLOAT 1
#define T_IS_INT 0
#define T_IS_SIGNED 0
#define T_IS_BOOL 0
#define T_IS_STR 0
#define T_IS_COMPLEX 0
#define T_IS_CARRIER 0
#define T_BITS 8
