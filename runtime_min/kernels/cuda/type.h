/* SPDX-License-Identifier: 0BSD */
/* Element types for kernels that are templates: o2c_of_<type> has
 *   T        an element in memory        A  what arithmetic is done in
 *   S        sums: integers wrap         P  products, which must not overflow
 *   R        roots, logarithms: float, or double, also for integers
 *   load     T to A                      store  A to T
 *   least most  of T, in A               real   is it a floating-point type? */
#ifndef O2C_TYPE_H
#define O2C_TYPE_H
#include "ew_math.h"
#include "ref/base.h"
#include "ref/convert.h"

#define O2C_OF_FLOAT(name, type, arith, load_by, store_by) \
  struct o2c_of_##name { \
    typedef type T; \
    typedef arith A; \
    typedef arith S; \
    typedef double P; \
    typedef arith R; \
    static const bool real = true; \
    static __device__ __forceinline__ A load(T v) { return load_by(v); } \
    static __device__ __forceinline__ T store(A v) { return store_by(v); } \
    static __device__ __forceinline__ A least() { return -INFINITY; } \
    static __device__ __forceinline__ A most() { return INFINITY; } \
  };
#define O2C_OF_INT(name, type, arith, low, high) \
  struct o2c_of_##name { \
    typedef type T; \
    typedef arith A; \
    typedef uint64_t S; \
    typedef uint64_t P; \
    typedef double R; \
    static const bool real = false; \
    static __device__ __forceinline__ A load(T v) { return (A)v; } \
    static __device__ __forceinline__ T store(A v) { return (T)v; } \
    static __device__ __forceinline__ A least() { return low; } \
    static __device__ __forceinline__ A most() { return high; } \
  };
O2C_OF_FLOAT(f32, float, float, , )
O2C_OF_FLOAT(f64, double, double, , )
O2C_OF_FLOAT(f16, uint16_t, float, o2c_f16_to_f32, o2c_f32_to_f16)
O2C_OF_FLOAT(bf16, uint16_t, float, o2c_bf16_to_f32, o2c_f32_to_bf16)
O2C_OF_INT(i8, int8_t, int64_t, INT8_MIN, INT8_MAX)
O2C_OF_INT(i16, int16_t, int64_t, INT16_MIN, INT16_MAX)
O2C_OF_INT(i32, int32_t, int64_t, INT32_MIN, INT32_MAX)
O2C_OF_INT(i64, int64_t, int64_t, INT64_MIN, INT64_MAX)
O2C_OF_INT(u8, uint8_t, uint64_t, 0, UINT8_MAX)
O2C_OF_INT(u16, uint16_t, uint64_t, 0, UINT16_MAX)
O2C_OF_INT(u32, uint32_t, uint64_t, 0, UINT32_MAX)
O2C_OF_INT(u64, uint64_t, uint64_t, 0, UINT64_MAX)
#undef O2C_OF_FLOAT
#undef O2C_OF_INT

struct o2c_of_bool {
  typedef uint8_t T;
  typedef uint64_t A;
  typedef uint64_t S;
  static const bool real = false;
  static __device__ __forceinline__ A load(T v) { return v; }
  static __device__ __forceinline__ T store(A v) { return v != 0; }
  static __device__ __forceinline__ A least() { return 0; }
  static __device__ __forceinline__ A most() { return 1; }
};

/* Functions of math.h by type, so that none is taken in double by mistake;
 * ew_math.h has some for double. */
O2C_INLINE float o2c_exp(float v) { return expf(v); }
O2C_INLINE float o2c_log(float v) { return logf(v); }
O2C_INLINE float o2c_root(float v) { return sqrtf(v); }
O2C_INLINE double o2c_root(double v) { return sqrt(v); }
O2C_INLINE float o2c_pow(float v, float e) { return powf(v, e); }
O2C_INLINE double o2c_pow(double v, double e) { return pow(v, e); }
#endif
