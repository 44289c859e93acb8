/* SPDX-License-Identifier: 0BSD */
/* Boolean: a byte, 0 or 1. See base.h for what the macros mean. */
#define T uint8_t
#define A uint64_t
#define LOAD(v) ((A)(v))
#define STORE(v) ((uint8_t)((v) != 0))
#define NAME(k) o2c_ref_##k##_bool
#define T_MIN 0
#define T_MAX 1
#define T_IS_FLOAT 0
#define T_IS_INT 0
#define T_IS_SIGNED 0
#define T_IS_BOOL 1
#define T_IS_STR 0
#define T_IS_COMPLEX 0
#define T_IS_CARRIER 0
#define T_BITS 1
