/* SPDX-License-Identifier: 0BSD */
/* Element types for kernels that are templates: o2c_of_<type> has
 *   T        an element in memory        A  what arithmetic is done in
 *   S        sums: integers wrap         P  products, which must not overflow
 *   R        roots, logarithms: float, or double, also for integers
 *   load     T to A                      store  A to T
 *   least most  of T, in A
 *   real     is it a floating-point type?    sign  can it be less than 0? */
#ifndef O2C_TYPE_H
#define O2C_TYPE_H
#include "ew_math.h"
#include "ref/base.h"
#include "ref/convert.h"

/* What all types of a kind share. */
template <class Type, class Arith> struct o2c_real_type {
  typedef Type T;
  typedef Arith A;
  typedef Arith S;
  typedef double P;
  typedef Arith R;
  static const bool real = true, sign = true;
  static __device__ __forceinline__ A least() { return -INFINITY; }
  static __device__ __forceinline__ A most() { return INFINITY; }
};
template <class Type, class Arith, Arith LOW, Arith HIGH> struct o2c_int_type {
  typedef Type T;
  typedef Arith A;
  typedef uint64_t S;
  typedef uint64_t P;
  typedef double R;
  static const bool real = false, sign = LOW != 0;
  static __device__ __forceinline__ A load(T v) { return (A)v; }
  static __device__ __forceinline__ T store(A v) { return (T)v; }
  static __device__ __forceinline__ A least() { return LOW; }
  static __device__ __forceinline__ A most() { return HIGH; }
};

struct o2c_of_f32 : o2c_real_type<float, float> {
  static __device__ __forceinline__ float load(float v) { return v; }
  static __device__ __forceinline__ float store(float v) { return v; }
};
struct o2c_of_f64 : o2c_real_type<double, double> {
  static __device__ __forceinline__ double load(double v) { return v; }
  static __device__ __forceinline__ double store(double v) { return v; }
};
struct o2c_of_f16 : o2c_real_type<uint16_t, float> {
  static __device__ float load(uint16_t v) { return o2c_f16_to_f32(v); }
  static __device__ uint16_t store(float v) { return o2c_f32_to_f16(v); }
};
struct o2c_of_bf16 : o2c_real_type<uint16_t, float> {
  static __device__ float load(uint16_t v) { return o2c_bf16_to_f32(v); }
  static __device__ uint16_t store(float v) { return o2c_f32_to_bf16(v); }
};
typedef o2c_int_type<int8_t, int64_t, INT8_MIN, INT8_MAX> o2c_of_i8;
typedef o2c_int_type<int16_t, int64_t, INT16_MIN, INT16_MAX> o2c_of_i16;
typedef o2c_int_type<int32_t, int64_t, INT32_MIN, INT32_MAX> o2c_of_i32;
typedef o2c_int_type<int64_t, int64_t, INT64_MIN, INT64_MAX> o2c_of_i64;
typedef o2c_int_type<uint8_t, uint64_t, 0, UINT8_MAX> o2c_of_u8;
typedef o2c_int_type<uint16_t, uint64_t, 0, UINT16_MAX> o2c_of_u16;
typedef o2c_int_type<uint32_t, uint64_t, 0, UINT32_MAX> o2c_of_u32;
typedef o2c_int_type<uint64_t, uint64_t, 0, UINT64_MAX> o2c_of_u64;
struct o2c_of_bool : o2c_int_type<uint8_t, uint64_t, 0, 1> {
  static __device__ __forceinline__ uint8_t store(uint64_t v) { return v != 0; }
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
