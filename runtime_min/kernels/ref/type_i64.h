/* SPDX-License-Identifier: 0BSD */
/* Signed, 64 bits; arithmetic wraps in 64 bits.
 * See base.h for what the macros mean. */
#define T int64_t
#define A int64_t
#define LOAD(v) ((A)(v))
#define STORE(v) ((int64_t)(v))
#define NAME(k) o2c_ref_##k##_i64
#define K(c) ((A)(c))
#define ADD(a, b) ((A)((uint64_t)(a) + (uint64_t)(b)))
#define SUB(a, b) ((A)((uint64_t)(a) - (uint64_t)(b)))
#define MUL(a, b) ((A)((uint64_t)(a) * (uint64_t)(b)))
#define T_MIN INT64_MIN
#define T_MAX INT64_MAX
#define T_IS_FLOAT 0
#define T_IS_INT 1
#define T_IS_SIGNED 1
#define T_IS_BOOL 0
#define T_IS_STR 0
#define T_IS_COMPLEX 0
#define T_IS_CARRIER 0
#define T_BITS 64
