/* SPDX-License-Identifier: 0BSD */
/* Signed, 4 bits, one to a byte, sign-extended; stores wrap.
 * See base.h for what the macros mean. */
#define T int8_t
#define A int64_t
#define LOAD(v) ((A)(v))
#define STORE(v) ((int8_t)((int)(((uint64_t)(v) & 15) ^ 8) - 8))
#define NAME(k) o2c_ref_##k##_i4
#define K(c) ((A)(c))
#define ADD(a, b) ((A)((uint64_t)(a) + (uint64_t)(b)))
#define SUB(a, b) ((A)((uint64_t)(a) - (uint64_t)(b)))
#define MUL(a, b) ((A)((uint64_t)(a) * (uint64_t)(b)))
#define T_MIN (-8)
#define T_MAX 7
#define T_IS_FLOAT 0
#define T_IS_INT 1
#define T_IS_SIGNED 1
#define T_IS_BOOL 0
#define T_IS_STR 0
#define T_IS_COMPLEX 0
#define T_IS_CARRIER 0
#define T_BITS 4
