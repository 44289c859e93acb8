/* SPDX-License-Identifier: Apache-2.0 */
/* o2c_shim_device.h: CUDA's device functions for the shim: barriers, shuffles
 * and votes (done by shim.cpp), atomics (plain operations, as only one thread
 * runs at a time), bit casts, rounding and integer intrinsics. Overloads are
 * those that CUDA has, and no others. */
#ifndef O2C_SHIM_DEVICE_H
#define O2C_SHIM_DEVICE_H

/* The line of the caller tells barriers apart: all threads of a block have to
 * come to the same one. */
static inline void __syncthreads(int line = __builtin_LINE())
{
  __asm__ volatile("" ::: "memory");
  o2c_shim::barrier(o2c_shim::wait_threads, 0, line);
  __asm__ volatile("" ::: "memory");
}

static inline int __syncthreads_count(int p, int line = __builtin_LINE())
{
  return o2c_shim::barrier(o2c_shim::wait_count, p, line).count;
}

static inline int __syncthreads_and(int p, int line = __builtin_LINE())
{
  return o2c_shim::barrier(o2c_shim::wait_and, p, line).all;
}

static inline int __syncthreads_or(int p, int line = __builtin_LINE())
{
  return o2c_shim::barrier(o2c_shim::wait_or, p, line).count != 0;
}

static inline void __syncwarp(unsigned mask = 0xffffffffu,
                              int line = __builtin_LINE())
{
  __asm__ volatile("" ::: "memory");
  o2c_shim::warp(o2c_shim::wait_warp, mask, 0, 0, line);
  __asm__ volatile("" ::: "memory");
}

namespace o2c_shim {

template <class T>
inline T shuffle(wait_kind kind, unsigned mask, T v, int from, int line)
{
  static_assert(std::is_arithmetic<T>::value &&
                  (sizeof(T) == 4 || sizeof(T) == 8),
                "CUDA shuffles numbers of 4 and 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &v, sizeof v);
  bits = warp(kind, mask, bits, from, line);
  memcpy(&v, &bits, sizeof v);
  return v;
}

} // namespace o2c_shim

template <class T>
inline T __shfl_sync(unsigned mask, T v, int from, int width = 32,
                     int line = __builtin_LINE())
{
  int base = o2c_shim::lane() & ~(width - 1);
  return o2c_shim::shuffle(o2c_shim::wait_shfl, mask, v,
                           base | (from & (width - 1)), line);
}

template <class T>
inline T __shfl_up_sync(unsigned mask, T v, unsigned delta, int width = 32,
                        int line = __builtin_LINE())
{
  int at = o2c_shim::lane(), base = at & ~(width - 1);
  return o2c_shim::shuffle(o2c_shim::wait_shfl_up, mask, v,
                           (int)delta > at - base ? at : at - (int)delta,
                           line);
}

template <class T>
inline T __shfl_down_sync(unsigned mask, T v, unsigned delta, int width = 32,
                          int line = __builtin_LINE())
{
  int at = o2c_shim::lane(), last = at | (width - 1);
  return o2c_shim::shuffle(o2c_shim::wait_shfl_down, mask, v,
                           (int)delta > last - at ? at : at + (int)delta,
                           line);
}

template <class T>
inline T __shfl_xor_sync(unsigned mask, T v, int with, int width = 32,
                         int line = __builtin_LINE())
{
  int at = o2c_shim::lane(), last = at | (width - 1), from = at ^ with;
  return o2c_shim::shuffle(o2c_shim::wait_shfl_xor, mask, v,
                           from > last ? at : from, line);
}

static inline unsigned __ballot_sync(unsigned mask, int p,
                                     int line = __builtin_LINE())
{
  return (unsigned)o2c_shim::warp(o2c_shim::wait_ballot, mask, p != 0, 0,
                                  line);
}

static inline int __any_sync(unsigned mask, int p, int line = __builtin_LINE())
{
  return (unsigned)o2c_shim::warp(o2c_shim::wait_any, mask, p != 0, 0, line)
         != 0;
}

static inline int __all_sync(unsigned mask, int p, int line = __builtin_LINE())
{
  uint64_t v = o2c_shim::warp(o2c_shim::wait_all, mask, p != 0, 0, line);
  return (unsigned)v == (unsigned)(v >> 32);
}

static inline unsigned __activemask() { return o2c_shim::alive_lanes(); }
static inline void __trap() { o2c_shim::trap(); }
static inline void __threadfence() {}
static inline void __threadfence_block() {}
static inline void __threadfence_system() {}
static inline void __nanosleep(unsigned) {}

#define O2C_SHIM_ATOMIC(name, type, result) \
  static inline type name(type *p, type v) \
  { \
    type old = *p; \
    *p = result; \
    return old; \
  }
#define O2C_SHIM_ATOMIC_INT(name, result) \
  O2C_SHIM_ATOMIC(name, int, result) \
  O2C_SHIM_ATOMIC(name, unsigned, result) \
  O2C_SHIM_ATOMIC(name, unsigned long long, result)
/* A sum of ints wraps. */
O2C_SHIM_ATOMIC(atomicAdd, int, (int)((unsigned)old + (unsigned)v))
O2C_SHIM_ATOMIC(atomicAdd, unsigned, old + v)
O2C_SHIM_ATOMIC(atomicAdd, unsigned long long, old + v)
O2C_SHIM_ATOMIC(atomicAdd, float, old + v)
O2C_SHIM_ATOMIC(atomicAdd, double, old + v)
O2C_SHIM_ATOMIC(atomicSub, int, (int)((unsigned)old - (unsigned)v))
O2C_SHIM_ATOMIC(atomicSub, unsigned, old - v)
O2C_SHIM_ATOMIC_INT(atomicMax, old > v ? old : v)
O2C_SHIM_ATOMIC(atomicMax, long long, old > v ? old : v)
O2C_SHIM_ATOMIC_INT(atomicMin, old < v ? old : v)
O2C_SHIM_ATOMIC(atomicMin, long long, old < v ? old : v)
O2C_SHIM_ATOMIC_INT(atomicOr, old | v)
O2C_SHIM_ATOMIC_INT(atomicAnd, old & v)
O2C_SHIM_ATOMIC_INT(atomicXor, old ^ v)
O2C_SHIM_ATOMIC_INT(atomicExch, v)
O2C_SHIM_ATOMIC(atomicExch, float, v)
#undef O2C_SHIM_ATOMIC
#undef O2C_SHIM_ATOMIC_INT

#define O2C_SHIM_CAS(type) \
  static inline type atomicCAS(type *p, type compare, type v) \
  { \
    type old = *p; \
    if (old == compare) \
      *p = v; \
    return old; \
  }
O2C_SHIM_CAS(int)
O2C_SHIM_CAS(unsigned)
O2C_SHIM_CAS(unsigned long long)
O2C_SHIM_CAS(unsigned short)
#undef O2C_SHIM_CAS

template <class T> inline T __ldg(const T *p) { return *p; }
template <class T> inline T __ldcs(const T *p) { return *p; }
template <class T> inline T __ldcg(const T *p) { return *p; }
template <class T> inline void __stcs(T *p, T v) { *p = v; }
template <class T> inline void __stcg(T *p, T v) { *p = v; }

#define O2C_SHIM_CAST(name, from, to) \
  static inline to name(from v) \
  { \
    to r; \
    static_assert(sizeof r == sizeof v, "a cast of bits"); \
    memcpy(&r, &v, sizeof r); \
    return r; \
  }
O2C_SHIM_CAST(__float_as_int, float, int)
O2C_SHIM_CAST(__int_as_float, int, float)
O2C_SHIM_CAST(__float_as_uint, float, unsigned)
O2C_SHIM_CAST(__uint_as_float, unsigned, float)
O2C_SHIM_CAST(__double_as_longlong, double, long long)
O2C_SHIM_CAST(__longlong_as_double, long long, double)
#undef O2C_SHIM_CAST

/* The fast versions are exact ones here. The C library declares functions of
 * some of these names, so they are macros. */
#define __expf(x) expf(x)
#define __exp10f(x) exp10f(x)
#define __logf(x) logf(x)
#define __log2f(x) log2f(x)
#define __log10f(x) log10f(x)
#define __powf(x, y) powf(x, y)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#define __tanf(x) tanf(x)
#define __sincosf(x, s, c) sincosf(x, s, c)

#define O2C_SHIM_MATH1(name, type, result) \
  static inline type name(type x) { return result; }
#define O2C_SHIM_MATH2(name, type, result) \
  static inline type name(type x, type y) { return result; }
O2C_SHIM_MATH1(rsqrtf, float, 1.0f / sqrtf(x))
O2C_SHIM_MATH1(rsqrt, double, 1.0 / sqrt(x))
O2C_SHIM_MATH1(__frsqrt_rn, float, (float)(1.0 / sqrt((double)x)))
O2C_SHIM_MATH1(__fsqrt_rn, float, sqrtf(x))
O2C_SHIM_MATH1(__frcp_rn, float, 1.0f / x)
O2C_SHIM_MATH1(__saturatef, float, x > 0 ? x < 1 ? x : 1.0f : 0.0f)
O2C_SHIM_MATH1(normcdff, float, 0.5f * erfcf(-0.707106781f * x))
O2C_SHIM_MATH2(fdividef, float, x / y)
O2C_SHIM_MATH2(__fdividef, float, x / y)
O2C_SHIM_MATH2(__fdiv_rn, float, x / y)
O2C_SHIM_MATH2(__fadd_rn, float, x + y)
O2C_SHIM_MATH2(__fsub_rn, float, x - y)
O2C_SHIM_MATH2(__fmul_rn, float, x * y)
O2C_SHIM_MATH2(__ddiv_rn, double, x / y)
O2C_SHIM_MATH2(__dadd_rn, double, x + y)
O2C_SHIM_MATH2(__dsub_rn, double, x - y)
O2C_SHIM_MATH2(__dmul_rn, double, x * y)
O2C_SHIM_MATH1(__dsqrt_rn, double, sqrt(x))
static inline float __fmaf_rn(float x, float y, float z)
{
  return fmaf(x, y, z);
}
static inline double __fma_rn(double x, double y, double z)
{
  return fma(x, y, z);
}

/* Floating point to integers saturates, and NaN becomes 0 (of 32 bits) or the
 * smallest number (of 64), as the conversions of a GPU do. */
#define O2C_SHIM_TO_INT(name, from, to, round, low, high, nan) \
  static inline to name(from x) \
  { \
    double v = round((double)x); \
    return v != v ? nan : v <= low ? (to)low \
           : v >= (double)high ? high : (to)v; \
  }
#define O2C_SHIM_TO_INTS(prefix, from) \
  O2C_SHIM_TO_INTS_BY(prefix, from, _rn, rint) \
  O2C_SHIM_TO_INTS_BY(prefix, from, _rz, trunc) \
  O2C_SHIM_TO_INTS_BY(prefix, from, _rd, floor) \
  O2C_SHIM_TO_INTS_BY(prefix, from, _ru, ceil)
#define O2C_SHIM_TO_INTS_BY(prefix, from, by, round) \
  O2C_SHIM_TO_INT(prefix##int##by, from, int, round, -2147483648.0, \
                  2147483647, 0) \
  O2C_SHIM_TO_INT(prefix##uint##by, from, unsigned, round, 0.0, \
                  4294967295u, 0u) \
  O2C_SHIM_TO_INT(prefix##ll##by, from, long long, round, \
                  -9223372036854775808.0, 9223372036854775807LL, \
                  (-9223372036854775807LL - 1))
O2C_SHIM_TO_INTS(__float2, float)
O2C_SHIM_TO_INTS(__double2, double)
#undef O2C_SHIM_TO_INTS
#undef O2C_SHIM_TO_INTS_BY
#undef O2C_SHIM_TO_INT
static inline float __int2float_rn(int x) { return (float)x; }
static inline float __uint2float_rn(unsigned x) { return (float)x; }
static inline float __ll2float_rn(long long x) { return (float)x; }
static inline float __double2float_rn(double x) { return (float)x; }
#undef O2C_SHIM_MATH1
#undef O2C_SHIM_MATH2

static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __popcll(unsigned long long x)
{
  return __builtin_popcountll(x);
}
static inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
static inline int __clzll(long long x)
{
  return x ? __builtin_clzll((unsigned long long)x) : 64;
}
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __ffsll(long long x) { return __builtin_ffsll(x); }
static inline int __mulhi(int x, int y)
{
  return (int)(((long long)x * y) >> 32);
}
static inline unsigned __umulhi(unsigned x, unsigned y)
{
  return (unsigned)(((unsigned long long)x * y) >> 32);
}
static inline long long __mul64hi(long long x, long long y)
{
  return (long long)(((__int128)x * y) >> 64);
}
static inline unsigned long long __umul64hi(unsigned long long x,
                                            unsigned long long y)
{
  return (unsigned long long)(((unsigned __int128)x * y) >> 64);
}

/* c and the products of four bytes each; wraps. */
static inline int __dp4a(int a, int b, int c)
{
  unsigned sum = (unsigned)c;
  for (int i = 0; i < 32; i += 8)
    sum += (unsigned)((signed char)((unsigned)a >> i) *
                      (signed char)((unsigned)b >> i));
  return (int)sum;
}
static inline unsigned __dp4a(unsigned a, unsigned b, unsigned c)
{
  for (int i = 0; i < 32; i += 8)
    c += (a >> i & 255) * (b >> i & 255);
  return c;
}

/* The instruction of kernels/cuda/mma.h: what a lane brings to it. */
namespace o2c_shim {

struct mma_lane {
  int *c;
  const unsigned *a, *b;
  bool a_signed, b_signed;
};

inline void mma(const char *types, int *c, const unsigned *a,
                const unsigned *b, int line = __builtin_LINE())
{
  mma_lane me = { c, a, b, types[0] == 's', types[3] == 's' };
  warp(wait_mma, 0xffffffffu, (uint64_t)(uintptr_t)&me, 0, line);
}

} // namespace o2c_shim
#define O2C_MMA(types) o2c_shim::mma(types, c, a, b)

/* min and max of two types are of C's common type of both. */
#define O2C_SHIM_MINMAX(a, b, type) \
  static inline type min(a x, b y) \
  { \
    return (type)x < (type)y ? (type)x : (type)y; \
  } \
  static inline type max(a x, b y) \
  { \
    return (type)x > (type)y ? (type)x : (type)y; \
  }
#define O2C_SHIM_MINMAX_MIXED(s, u) \
  O2C_SHIM_MINMAX(s, s, s) \
  O2C_SHIM_MINMAX(u, u, u) \
  O2C_SHIM_MINMAX(s, u, u) \
  O2C_SHIM_MINMAX(u, s, u)
O2C_SHIM_MINMAX_MIXED(int, unsigned)
O2C_SHIM_MINMAX_MIXED(long, unsigned long)
O2C_SHIM_MINMAX_MIXED(long long, unsigned long long)
#undef O2C_SHIM_MINMAX_MIXED
#undef O2C_SHIM_MINMAX

/* Of floats, NaN is the lesser choice, as in fminf. */
#define O2C_SHIM_MINMAX_FLOAT(a, b, type, suffix) \
  static inline type min(a x, b y) { return fmin##suffix((type)x, (type)y); } \
  static inline type max(a x, b y) { return fmax##suffix((type)x, (type)y); }
O2C_SHIM_MINMAX_FLOAT(float, float, float, f)
O2C_SHIM_MINMAX_FLOAT(double, double, double, )
O2C_SHIM_MINMAX_FLOAT(float, double, double, )
O2C_SHIM_MINMAX_FLOAT(double, float, double, )
#undef O2C_SHIM_MINMAX_FLOAT

#endif
