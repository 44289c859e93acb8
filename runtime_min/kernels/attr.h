/* SPDX-License-Identifier: 0BSD */
/* How functions of kernels are declared: O2C_UNUSED static, O2C_INLINE and
 * O2C_NOINLINE. In a .cu file they run on the GPU, too. */
#ifndef O2C_ATTR_H
#define O2C_ATTR_H
#if defined(__CUDACC__) || defined(O2C_SHIM)
#define O2C_UNUSED __attribute__((unused)) __host__ __device__
#define O2C_INLINE O2C_UNUSED static inline
#define O2C_NOINLINE O2C_UNUSED static
#elif defined(__GNUC__)
#define O2C_UNUSED __attribute__((unused))
#define O2C_INLINE static inline __attribute__((always_inline, unused))
#define O2C_NOINLINE static __attribute__((noinline, unused))
#else
#define O2C_UNUSED
#define O2C_INLINE static inline
#define O2C_NOINLINE static
#endif
#endif
