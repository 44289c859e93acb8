/* SPDX-License-Identifier: 0BSD */
/* Unsigned, 2 bits, one to a byte; stores wrap.
 * See base.h for what the macros mean. */
#define T uint8_t
#define A uint64_t
#define LOAD(v) ((A)(v))
#define STORE(v) ((uint8_t)((uint64_t)(v) & 3))
#define NAME(k) o2c_ref_##k##_u2
#define K(c) ((A)(c))
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define MUL(a, b) ((a) * (b))
#define T_MIN 0
#define T_MAX 3
#define T_IS_FLOAT 0
#define T_IS_INT 1
#define T_IS_SIGNED 0
#define T_IS_BOOL 0
#define T_IS_STR 0
#define T_IS_COMPLEX 0
#define T_IS_CARRIER 0
#define T_BITS 2
