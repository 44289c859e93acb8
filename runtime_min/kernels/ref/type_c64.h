/* SPDX-License-Identifier: 0BSD */
/* Complex of two singles; moved only. See base.h for what the macros mean. */
#define T o2c_c64
#define A o2c_c64
#define T_PART float
#define LOAD(v) (v)
#define STORE(v) (v)
#define NAME(k) o2c_ref_##k##_c64
#define T_IS_FLOAT 0
#define T_IS_INT 0
#define T_IS_SIGNED 0
#define T_IS_BOOL 0
#define T_IS_STR 0
#define T_IS_COMPLEX 1
#define T_IS_CARRIER 0
#define T_BITS 64
