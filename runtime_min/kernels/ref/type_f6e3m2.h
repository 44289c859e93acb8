/* SPDX-License-Identifier: 0BSD */
/* float6e3m2, one to a byte, in software.
 * See base.h for what the macros mean. */
#define T uint8_t
#define A float
#define LOAD(v) o2c_f6e3m2_to_f32(v)
#define STORE(v) o2c_f32_to_f6e3m2(v)
#define STORE_MODE(v, saturate) o2c_f32_to_f6e3m2(v)
#define NAME(k) o2c_ref_##k##_f6e3m2
#define M(fn) fn##f
#define K(c) ((A)(c))
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define MUL(a, b) ((a) * (b))
#define T_MIN (-28.0f)
#define T_MAX 28.0f
#define T_IS_FLOAT 1
#define T_IS_INT 0
#define T_IS_SIGNED 1
#define T_IS_BOOL 0
#define T_IS_STR 0
#define T_IS_COMPLEX 0
#define T_IS_CARRIER 0
#define T_BITS 6
