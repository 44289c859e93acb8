/* SPDX-License-Identifier: 0BSD */
/* String element; also the carrier of string moves.
 * See base.h for what the macros mean. */
#define T o2c_str
#define A o2c_str
#define LOAD(v) (v)
#define STORE(v) (v)
#define NAME(k) o2c_ref_##k##_str
#define T_IS_FLOAT 0
#define T_IS_INT 0
#define T_IS_SIGNED 0
#define T_IS_BOOL 0
#define T_IS_STR 1
#define T_IS_COMPLEX 0
#define T_IS_CARRIER 1
#define T_BITS 0
