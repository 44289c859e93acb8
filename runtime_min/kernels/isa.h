/* SPDX-License-Identifier: 0BSD */
/* Which instructions the kernels may use: O2C_HAVE_*, here by the compiler's
   flags. Kernels ask these and never the compiler's own macros, because a file
   for several instruction sets holds the kernels' text once for each, behind
   that set's row of codegen/levels.def instead of this text. */
#ifndef O2C_ISA_H
#define O2C_ISA_H

/* A GPU has none of these, whatever the CPU beside it has. */
#if !defined(__CUDACC__) && !defined(O2C_SHIM)
#if defined(__SSE2__) || defined(_M_X64)
#define O2C_HAVE_SSE2 1
#endif
#if defined(__AVX2__)
#define O2C_HAVE_AVX2 1
#endif
#if defined(__FMA__)
#define O2C_HAVE_FMA 1
#endif
#if defined(__AVXVNNI__)
#define O2C_HAVE_AVXVNNI 1
#endif
#if defined(__AVX512F__)
#define O2C_HAVE_AVX512F 1
#endif
#if defined(__AVX512BW__)
#define O2C_HAVE_AVX512BW 1
#endif
#if defined(__AVX512VL__)
#define O2C_HAVE_AVX512VL 1
#endif
#if defined(__AVX512VNNI__)
#define O2C_HAVE_AVX512VNNI 1
#endif
#if defined(__AVX512BF16__)
#define O2C_HAVE_AVX512BF16 1
#endif
#if defined(__AVX512VBMI__)
#define O2C_HAVE_AVX512VBMI 1
#endif
/* Tiles of bytes, as Linux gives them to processes that ask; gcc's name and
   clang's. */
#if (defined(__AMX_INT8__) || defined(__AMXINT8__)) && defined(__linux__) && \
    defined(__GNUC__) && defined(__x86_64__)
#define O2C_HAVE_AMX 1
#endif
/* NEON of AArch64: the older one rounds otherwise. */
#if defined(__ARM_NEON) && defined(__aarch64__)
#define O2C_HAVE_NEON 1
#endif
#if defined(__ARM_FEATURE_DOTPROD)
#define O2C_HAVE_DOTPROD 1
#endif
#if defined(__ARM_FEATURE_MATMUL_INT8)
#define O2C_HAVE_I8MM 1
#endif
/* Vectors of Cortex-M55 and M85, integers and floats. */
#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 2) && \
    defined(__ARM_FEATURE_UNALIGNED)
#define O2C_HAVE_MVE 1
#endif
/* Without vectors: fmaf as one instruction. */
#if defined(__FP_FAST_FMAF)
#define O2C_HAVE_FMAF 1
#endif
#endif
#endif
