/* SPDX-License-Identifier: 0BSD */
/* The ground under the 8-bit kernels: which instruction set, requantisation,
 * and a vector of int32 "lanes" (16 with AVX-512, 4 with MVE, else 8) that
 * turns into bytes, int32 or float. Activations are u8, weights s8, sums int32
 * that wrap.
 *
 * Requantisation is defined once, by o2c_requant_u8, and every path below
 * equals it bit for bit:
 *     v = (float)acc * scale            two roundings, to nearest even
 *     y = clamp(round_half_even(v) + zp, lo, hi)
 * with 0 <= lo <= hi <= 255, 0 <= zp <= 255 and a finite scale. The clamp is
 * done on v (bounds are integers, so it commutes with rounding), so a huge v
 * cannot overflow. The floating-point environment must round to nearest.
 *
 * bias and scale arrays of all 8-bit kernels hold a multiple of 16 elements,
 * the last ones zero: vectors read them whole. Activations are read and
 * written exactly. */
#ifndef O2C_U8_H
#define O2C_U8_H

#include "attr.h"
#include "isa.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__CUDACC__) || defined(O2C_SHIM)
#define O2C_U8_INLINE O2C_INLINE
#define O2C_U8_NOINLINE O2C_NOINLINE
#elif defined(__GNUC__)
#define O2C_U8_INLINE static inline __attribute__((always_inline, unused))
#define O2C_U8_NOINLINE static __attribute__((noinline, unused))
#elif defined(_MSC_VER)
#define O2C_U8_INLINE static __forceinline
#define O2C_U8_NOINLINE static
#else
#define O2C_U8_INLINE static inline
#define O2C_U8_NOINLINE static
#endif

/* clang unrolls loops as the machine's tuning says, for some (Zen 3) around
 * whole tiles, whose frames and text then grow tenfold: not these loops. */
#ifdef __clang__
#define O2C_U8_ROLLED _Pragma("clang loop unroll(disable)")
#else
#define O2C_U8_ROLLED
#endif

/* One of these is 1; O2C_U8_PORTABLE asks for plain C whatever the machine. */
#if defined(O2C_U8_PORTABLE)
#define O2C_U8_ISA_C 1
#elif defined(O2C_HAVE_AVX512F) && defined(O2C_HAVE_AVX512BW) && \
    defined(O2C_HAVE_AVX512VL) && defined(O2C_HAVE_AVX512VNNI)
#define O2C_U8_ISA_AVX512VNNI 1
#if defined(O2C_HAVE_AMX)
#define O2C_U8_ISA_AMX 1 /* besides */
#endif
#elif defined(O2C_HAVE_AVX2) && defined(O2C_HAVE_AVXVNNI)
#define O2C_U8_ISA_AVXVNNI 1
#elif defined(O2C_HAVE_AVX2)
#define O2C_U8_ISA_AVX2 1
#elif defined(O2C_HAVE_SSE2)
#define O2C_U8_ISA_SSE2 1
#elif defined(O2C_HAVE_NEON) && !defined(__ARM_BIG_ENDIAN)
#if defined(O2C_HAVE_I8MM)
#define O2C_U8_ISA_DOT 1
#define O2C_U8_I8MM 1
#elif defined(O2C_HAVE_DOTPROD)
#define O2C_U8_ISA_DOT 1
#else
#define O2C_U8_ISA_NEON 1
#endif
#elif defined(O2C_HAVE_MVE) && defined(__GNUC__) && !defined(__ARM_BIG_ENDIAN)
#define O2C_U8_ISA_MVE 1
#define O2C_U8_DSP 1
#elif defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED) && \
    defined(__GNUC__) && !defined(__ARM_BIG_ENDIAN)
#define O2C_U8_ISA_DSP 1
#define O2C_U8_DSP 1
#else
#define O2C_U8_ISA_C 1
#endif

#if defined(O2C_U8_ISA_AVX512VNNI)
#define O2C_U8_LANES 16
#elif defined(O2C_U8_ISA_DSP) || defined(O2C_U8_ISA_C)
#define O2C_U8_LANES 1
#elif defined(O2C_U8_ISA_MVE)
#define O2C_U8_LANES 4
#else
#define O2C_U8_LANES 8
#endif

#if defined(O2C_U8_ISA_AVX512VNNI) || defined(O2C_U8_ISA_AVXVNNI) || \
    defined(O2C_U8_ISA_AVX2)
#include <immintrin.h>
#elif defined(O2C_U8_ISA_SSE2)
#include <emmintrin.h>
#elif defined(O2C_U8_ISA_DOT) || defined(O2C_U8_ISA_NEON)
#include <arm_neon.h>
#elif defined(O2C_U8_ISA_MVE)
#include <arm_mve.h>
#endif

/* Bounds of v and the zero point: what o2c_requant_u8 works with. */
typedef struct {
  float lo, hi;
  int32_t zp;
  uint32_t lo4, over4; /* lo and 255 - hi, in all bytes */
} o2c_rq;

O2C_U8_INLINE o2c_rq o2c_rq_make(int32_t zp, int32_t lo, int32_t hi)
{
  o2c_rq q;
  q.lo = (float)(lo - zp);
  q.hi = (float)(hi - zp);
  q.zp = zp;
  q.lo4 = (uint32_t)lo * 0x1010101u;
  q.over4 = (uint32_t)(255 - hi) * 0x1010101u;
  return q;
}

#if defined(O2C_U8_DSP)
/* A parameter that only the assembly text of a naked function names. */
#define O2C_BY_ASM __attribute__((unused))
/* A function that is assembly from end to end. Without noipa, GCC may take
 * registers that it does not see written for unchanged by the call. */
#if defined(__clang__)
#define O2C_NAKED __attribute__((naked, noinline, unused))
#else
#define O2C_NAKED __attribute__((naked, noinline, noipa, unused))
#endif

/* ARMv7E-M instructions that compilers do not find: ROR is free in them. */
#define O2C_ASM1(name, text)              \
  O2C_U8_INLINE uint32_t name(uint32_t a) \
  {                                       \
    uint32_t r;                           \
    __asm__(text : "=r"(r) : "r"(a));     \
    return r;                             \
  }
#define O2C_ASM2(name, text)                                \
  O2C_U8_INLINE uint32_t name(uint32_t a, uint32_t b)       \
  {                                                         \
    uint32_t r;                                             \
    __asm__(text " %0, %1, %2" : "=r"(r) : "r"(a), "r"(b)); \
    return r;                                               \
  }
#define O2C_ASM3(name, text)                                            \
  O2C_U8_INLINE int32_t name(uint32_t a, uint32_t b, int32_t c)         \
  {                                                                     \
    int32_t r;                                                          \
    __asm__(text " %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(c)); \
    return r;                                                           \
  }
O2C_ASM1(o2c_uxtb16, "uxtb16 %0, %1")
O2C_ASM1(o2c_uxtb16_8, "uxtb16 %0, %1, ror #8")
O2C_ASM1(o2c_sxtb16, "sxtb16 %0, %1")
O2C_ASM1(o2c_sxtb16_8, "sxtb16 %0, %1, ror #8")
O2C_ASM1(o2c_usat8, "usat %0, #8, %1")
O2C_ASM2(o2c_qadd, "qadd")
O2C_ASM2(o2c_uqadd8, "uqadd8")
O2C_ASM2(o2c_uqsub8, "uqsub8")
O2C_ASM3(o2c_smlad, "smlad")
O2C_ASM3(o2c_smlabb, "smlabb")
O2C_ASM3(o2c_smlatt, "smlatt")
#if defined(__ARM_FP) && (__ARM_FP & 4)
#define O2C_U8_DSP_FP 1
#endif
#endif

/* Half to even of |v| <= 2^22, without libm: adding 1.5 x 2^23 leaves the
 * integer in the low bits of the sum. */
O2C_U8_INLINE int32_t o2c_round_i32(float v)
{
#if defined(O2C_U8_DSP_FP)
  float t;
  int32_t i;
  __asm__("vcvtr.s32.f32 %0, %1" : "=t"(t) : "t"(v));
  memcpy(&i, &t, 4);
  return i;
#else
  float t;
  int32_t i;
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0
  const volatile float rounded = v + 12582912.0f; /* x87 keeps more bits */
  t = rounded;
#else
  t = v + 12582912.0f;
#endif
  memcpy(&i, &t, 4);
  return i - 0x4B400000;
#endif
}

O2C_U8_INLINE uint8_t o2c_requant_f32(float v, o2c_rq q)
{
#if defined(O2C_U8_DSP_FP)
  /* VCVTR, QADD and USAT saturate, so the clamp can come last, on bytes. */
  uint32_t i = o2c_qadd((uint32_t)o2c_round_i32(v), (uint32_t)q.zp);
  i = o2c_uqsub8(o2c_usat8(i), q.lo4) + q.lo4;
  return (uint8_t)(o2c_uqadd8(i, q.over4) - q.over4);
#else
  v = v > q.lo ? v : q.lo;
  v = v < q.hi ? v : q.hi;
  return (uint8_t)(o2c_round_i32(v) + q.zp);
#endif
}

O2C_U8_INLINE uint8_t o2c_requant_u8(int32_t acc, float scale, o2c_rq q)
{
  return o2c_requant_f32((float)acc * scale, q);
}

/* The same value may be read as unsigned, so that sums wrap. */
O2C_U8_INLINE int32_t o2c_wrap_add(int32_t a, int32_t b)
{
  return (int32_t)((uint32_t)a + (uint32_t)b);
}

O2C_U8_INLINE uint32_t o2c_ld32(const void *p)
{
  uint32_t v;
  memcpy(&v, p, 4);
  return v;
}

#if defined(O2C_U8_DSP_FP)
/* Four bytes to lo .. hi. */
O2C_U8_INLINE uint32_t o2c_clamp_bytes(uint32_t v, o2c_rq q)
{
  v = o2c_uqsub8(v, q.lo4) + q.lo4;
  return o2c_uqadd8(v, q.over4) - q.over4;
}

/* Two outputs before the clamp to lo .. hi, in the low bytes. */
O2C_U8_INLINE uint32_t o2c_requant_pair(int32_t a, int32_t b, float s, float t,
                                        o2c_rq q)
{
  const uint32_t i = (uint32_t)o2c_round_i32((float)a * s);
  const uint32_t j = (uint32_t)o2c_round_i32((float)b * t);
  const uint32_t z = (uint32_t)q.zp;
  return o2c_usat8(o2c_qadd(i, z)) | o2c_usat8(o2c_qadd(j, z)) << 8;
}
#endif

/* Two outputs, in the low bytes; what is above them is not defined. */
O2C_U8_INLINE uint32_t o2c_requant_two(const int32_t *acc, const float *scale,
                                       o2c_rq q)
{
#if defined(O2C_U8_DSP_FP)
  return o2c_clamp_bytes(
      o2c_requant_pair(acc[0], acc[1], scale[0], scale[1], q), q);
#else
  return (uint32_t)(o2c_requant_u8(acc[0], scale[0], q) |
                    o2c_requant_u8(acc[1], scale[1], q) << 8);
#endif
}

/* ---- lanes ------------------------------------------------------------ */
#if defined(O2C_U8_ISA_AVX512VNNI)

typedef __m512i o2c_u8_lanes;

O2C_U8_INLINE __mmask16 o2c_u8_lanes_mask(int32_t n)
{
  return (__mmask16)(n >= 16 ? 0xFFFFu : (1u << n) - 1u);
}

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_load(const int32_t *p)
{
  return _mm512_loadu_si512(p);
}

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_add(o2c_u8_lanes a, o2c_u8_lanes b)
{
  return _mm512_add_epi32(a, b);
}

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_widen(const uint8_t *p)
{
  return _mm512_cvtepu8_epi32(
      _mm_loadu_si128((const __m128i *)(const void *)p));
}

O2C_U8_INLINE __m128i o2c_bytes_f32(__m512 v, o2c_rq q)
{
  __m512i i;
  v = _mm512_max_ps(v, _mm512_set1_ps(q.lo));
  v = _mm512_min_ps(v, _mm512_set1_ps(q.hi));
  i = _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(q.zp));
  return _mm512_cvtepi32_epi8(i);
}

/* Can no (float)acc * scale overflow the conversion to int32? Of whole vectors
 * of outputs that sum k products each. Sums that wrap are below 2^31, others
 * below what their bias and 255 * 128 k come to. */
O2C_U8_INLINE int o2c_u8_fits(const int32_t *bias, const float *scale,
                              int32_t n, int64_t k)
{
  const float most = 2.1e9f / (32640.0f * (float)k + 67108864.0f);
  const __m512 wrapped = _mm512_set1_ps(0.97f);
  const __m512 limit = _mm512_set1_ps(most > 0.97f ? most : 0.97f);
  unsigned large = 0, over = 0, over_wrapped = 0;
  int32_t i;
  for (i = 0; i < n; i += 16) {
    const __m512i b = _mm512_abs_epi32(_mm512_loadu_si512(bias + i));
    const __m512 s = _mm512_abs_ps(_mm512_loadu_ps(scale + i));
    large |= _mm512_cmpgt_epu32_mask(b, _mm512_set1_epi32(67108864));
    over |= _mm512_cmp_ps_mask(s, limit, _CMP_NLE_UQ);
    over_wrapped |= _mm512_cmp_ps_mask(s, wrapped, _CMP_NLE_UQ);
  }
  return !(large ? over_wrapped : over);
}

/* Where o2c_u8_fits: rounded but not yet clamped. */
O2C_U8_INLINE __m512i o2c_u8_round(__m512i a, __m512 scale)
{
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(a), scale));
}

/* What follows rounding: saturating packs do most of the clamp. Each 128 bits
 * hold four bytes of a, of b, of c, of d. */
O2C_U8_INLINE __m512i o2c_u8_pack(__m512i a, __m512i b, __m512i c, __m512i d,
                                  __m512i zp, __m512i lo, __m512i hi)
{
  const __m512i l = _mm512_adds_epi16(_mm512_packs_epi32(a, b), zp);
  const __m512i h = _mm512_adds_epi16(_mm512_packs_epi32(c, d), zp);
  const __m512i v = _mm512_packus_epi16(l, h);
  return _mm512_min_epu8(_mm512_max_epu8(v, lo), hi);
}

/* The bytes of o2c_u8_pack, one vector after the other. */
O2C_U8_INLINE __m512i o2c_u8_in_order(__m512i v)
{
  const __m512i order =
      _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, v);
}

O2C_U8_INLINE void o2c_u8_lanes_u8(o2c_u8_lanes a, const float *scale, o2c_rq q,
                                   uint8_t *y, int32_t n)
{
  __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(a), _mm512_loadu_ps(scale));
  __m128i b = o2c_bytes_f32(v, q);
  if (n >= 16)
    _mm_storeu_si128((__m128i *)(void *)y, b);
  else
    _mm_mask_storeu_epi8(y, o2c_u8_lanes_mask(n), b);
}

O2C_U8_INLINE void o2c_u8_lanes_i32(o2c_u8_lanes a, int32_t *y, int32_t n)
{
  _mm512_mask_storeu_epi32(y, o2c_u8_lanes_mask(n), a);
}

O2C_U8_INLINE void o2c_u8_lanes_f32(o2c_u8_lanes a, const float *scale,
                                    const float *bias, float *y, int32_t n)
{
  __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(a), _mm512_loadu_ps(scale));
  if (bias)
    v = _mm512_add_ps(v, _mm512_loadu_ps(bias));
  _mm512_mask_storeu_ps(y, o2c_u8_lanes_mask(n), v);
}

#elif defined(O2C_U8_ISA_AVXVNNI) || defined(O2C_U8_ISA_AVX2)

typedef __m256i o2c_u8_lanes;

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_load(const int32_t *p)
{
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_add(o2c_u8_lanes a, o2c_u8_lanes b)
{
  return _mm256_add_epi32(a, b);
}

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_widen(const uint8_t *p)
{
  return _mm256_cvtepu8_epi32(
      _mm_loadl_epi64((const __m128i *)(const void *)p));
}

/* Eight bytes in the low half. */
O2C_U8_INLINE __m128i o2c_bytes_f32(__m256 v, o2c_rq q)
{
  __m256i i;
  __m128i h;
  v = _mm256_max_ps(v, _mm256_set1_ps(q.lo));
  v = _mm256_min_ps(v, _mm256_set1_ps(q.hi));
  i = _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(q.zp));
  h = _mm_packs_epi32(_mm256_castsi256_si128(i),
                      _mm256_extracti128_si256(i, 1));
  return _mm_packus_epi16(h, h);
}

O2C_U8_INLINE void o2c_u8_lanes_u8(o2c_u8_lanes a, const float *scale, o2c_rq q,
                                   uint8_t *y, int32_t n)
{
  __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(a), _mm256_loadu_ps(scale));
  int64_t b = _mm_cvtsi128_si64(o2c_bytes_f32(v, q));
  memcpy(y, &b, n >= 8 ? 8 : (size_t)n);
}

O2C_U8_INLINE void o2c_u8_lanes_i32(o2c_u8_lanes a, int32_t *y, int32_t n)
{
  int32_t t[8];
  if (n >= 8) {
    _mm256_storeu_si256((__m256i *)(void *)y, a);
    return;
  }
  _mm256_storeu_si256((__m256i *)(void *)t, a);
  memcpy(y, t, (size_t)n * 4);
}

O2C_U8_INLINE void o2c_u8_lanes_f32(o2c_u8_lanes a, const float *scale,
                                    const float *bias, float *y, int32_t n)
{
  __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(a), _mm256_loadu_ps(scale));
  float t[8];
  if (bias)
    v = _mm256_add_ps(v, _mm256_loadu_ps(bias));
  if (n >= 8) {
    _mm256_storeu_ps(y, v);
    return;
  }
  _mm256_storeu_ps(t, v);
  memcpy(y, t, (size_t)n * 4);
}

#elif defined(O2C_U8_ISA_SSE2)

typedef struct {
  __m128i a, b;
} o2c_u8_lanes;

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_load(const int32_t *p)
{
  o2c_u8_lanes r;
  r.a = _mm_loadu_si128((const __m128i *)(const void *)p);
  r.b = _mm_loadu_si128((const __m128i *)(const void *)(p + 4));
  return r;
}

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_add(o2c_u8_lanes x, o2c_u8_lanes y)
{
  x.a = _mm_add_epi32(x.a, y.a);
  x.b = _mm_add_epi32(x.b, y.b);
  return x;
}

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_widen(const uint8_t *p)
{
  const __m128i zero = _mm_setzero_si128();
  const __m128i b = _mm_unpacklo_epi8(
      _mm_loadl_epi64((const __m128i *)(const void *)p), zero);
  o2c_u8_lanes r;
  r.a = _mm_unpacklo_epi16(b, zero);
  r.b = _mm_unpackhi_epi16(b, zero);
  return r;
}

O2C_U8_INLINE __m128i o2c_ints_f32(__m128 v, o2c_rq q)
{
  v = _mm_max_ps(v, _mm_set1_ps(q.lo));
  v = _mm_min_ps(v, _mm_set1_ps(q.hi));
  return _mm_add_epi32(_mm_cvtps_epi32(v), _mm_set1_epi32(q.zp));
}

O2C_U8_INLINE __m128i o2c_bytes_f32(__m128 a, __m128 b, o2c_rq q)
{
  __m128i h = _mm_packs_epi32(o2c_ints_f32(a, q), o2c_ints_f32(b, q));
  return _mm_packus_epi16(h, h);
}

O2C_U8_INLINE void o2c_u8_lanes_u8(o2c_u8_lanes x, const float *scale, o2c_rq q,
                                   uint8_t *y, int32_t n)
{
  __m128 a = _mm_mul_ps(_mm_cvtepi32_ps(x.a), _mm_loadu_ps(scale));
  __m128 b = _mm_mul_ps(_mm_cvtepi32_ps(x.b), _mm_loadu_ps(scale + 4));
  uint8_t t[16];
  _mm_storeu_si128((__m128i *)(void *)t, o2c_bytes_f32(a, b, q));
  memcpy(y, t, n >= 8 ? 8 : (size_t)n);
}

O2C_U8_INLINE void o2c_u8_lanes_i32(o2c_u8_lanes x, int32_t *y, int32_t n)
{
  int32_t t[8];
  _mm_storeu_si128((__m128i *)(void *)t, x.a);
  _mm_storeu_si128((__m128i *)(void *)(t + 4), x.b);
  memcpy(y, t, n >= 8 ? 32 : (size_t)n * 4);
}

O2C_U8_INLINE void o2c_u8_lanes_f32(o2c_u8_lanes x, const float *scale,
                                    const float *bias, float *y, int32_t n)
{
  __m128 a = _mm_mul_ps(_mm_cvtepi32_ps(x.a), _mm_loadu_ps(scale));
  __m128 b = _mm_mul_ps(_mm_cvtepi32_ps(x.b), _mm_loadu_ps(scale + 4));
  float t[8];
  if (bias) {
    a = _mm_add_ps(a, _mm_loadu_ps(bias));
    b = _mm_add_ps(b, _mm_loadu_ps(bias + 4));
  }
  _mm_storeu_ps(t, a);
  _mm_storeu_ps(t + 4, b);
  memcpy(y, t, n >= 8 ? 32 : (size_t)n * 4);
}

#elif defined(O2C_U8_ISA_DOT) || defined(O2C_U8_ISA_NEON)

typedef struct {
  int32x4_t a, b;
} o2c_u8_lanes;

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_load(const int32_t *p)
{
  o2c_u8_lanes r;
  r.a = vld1q_s32(p);
  r.b = vld1q_s32(p + 4);
  return r;
}

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_add(o2c_u8_lanes x, o2c_u8_lanes y)
{
  x.a = vaddq_s32(x.a, y.a);
  x.b = vaddq_s32(x.b, y.b);
  return x;
}

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_widen(const uint8_t *p)
{
  const uint16x8_t b = vmovl_u8(vld1_u8(p));
  o2c_u8_lanes r;
  r.a = vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(b)));
  r.b = vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(b)));
  return r;
}

O2C_U8_INLINE int16x4_t o2c_ints_f32(float32x4_t v, o2c_rq q)
{
  v = vmaxnmq_f32(v, vdupq_n_f32(q.lo)); /* NaN is the least */
  v = vminq_f32(v, vdupq_n_f32(q.hi));
  return vmovn_s32(vaddq_s32(vcvtnq_s32_f32(v), vdupq_n_s32(q.zp)));
}

O2C_U8_INLINE uint8x8_t o2c_bytes_f32(float32x4_t a, float32x4_t b, o2c_rq q)
{
  return vqmovun_s16(vcombine_s16(o2c_ints_f32(a, q), o2c_ints_f32(b, q)));
}

O2C_U8_INLINE void o2c_u8_lanes_u8(o2c_u8_lanes x, const float *scale, o2c_rq q,
                                   uint8_t *y, int32_t n)
{
  float32x4_t a = vmulq_f32(vcvtq_f32_s32(x.a), vld1q_f32(scale));
  float32x4_t b = vmulq_f32(vcvtq_f32_s32(x.b), vld1q_f32(scale + 4));
  uint8x8_t r = o2c_bytes_f32(a, b, q);
  uint8_t t[8];
  if (n >= 8) {
    vst1_u8(y, r);
    return;
  }
  vst1_u8(t, r);
  memcpy(y, t, (size_t)n);
}

O2C_U8_INLINE void o2c_u8_lanes_i32(o2c_u8_lanes x, int32_t *y, int32_t n)
{
  int32_t t[8];
  vst1q_s32(t, x.a);
  vst1q_s32(t + 4, x.b);
  memcpy(y, t, n >= 8 ? 32 : (size_t)n * 4);
}

O2C_U8_INLINE void o2c_u8_lanes_f32(o2c_u8_lanes x, const float *scale,
                                    const float *bias, float *y, int32_t n)
{
  float32x4_t a = vmulq_f32(vcvtq_f32_s32(x.a), vld1q_f32(scale));
  float32x4_t b = vmulq_f32(vcvtq_f32_s32(x.b), vld1q_f32(scale + 4));
  float t[8];
  if (bias) { /* separate statements: never contracted to an fma */
    a = vaddq_f32(a, vld1q_f32(bias));
    b = vaddq_f32(b, vld1q_f32(bias + 4));
  }
  vst1q_f32(t, a);
  vst1q_f32(t + 4, b);
  memcpy(y, t, n >= 8 ? 32 : (size_t)n * 4);
}

#elif defined(O2C_U8_ISA_MVE)

/* Its vectors of floats flush what is subnormal, which rounds to 0 anyway; what
 * stays a float is computed one by one. */
typedef int32x4_t o2c_u8_lanes;

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_load(const int32_t *p)
{
  return vld1q_s32(p);
}

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_add(o2c_u8_lanes a, o2c_u8_lanes b)
{
  return vaddq_s32(a, b);
}

O2C_U8_INLINE o2c_u8_lanes o2c_u8_lanes_widen(const uint8_t *p)
{
  return vreinterpretq_s32_u32(vldrbq_u32(p));
}

/* VCVTN and VQADD saturate, so the clamp can come last. */
O2C_U8_INLINE void o2c_bytes_f32(float32x4_t v, o2c_rq q, uint8_t *y, int32_t n)
{
  const int32x4_t lo = vdupq_n_s32((int32_t)(q.lo4 & 255));
  const int32x4_t hi = vdupq_n_s32((int32_t)(255 - (q.over4 & 255)));
  int32x4_t i = vqaddq_n_s32(vcvtnq_s32_f32(v), q.zp);
  i = vminq_s32(vmaxq_s32(i, lo), hi);
  if (n >= 4)
    vstrbq_u32(y, vreinterpretq_u32_s32(i));
  else
    vstrbq_p_u32(y, vreinterpretq_u32_s32(i), vctp32q((uint32_t)n));
}

O2C_U8_INLINE void o2c_u8_lanes_u8(o2c_u8_lanes a, const float *scale, o2c_rq q,
                                   uint8_t *y, int32_t n)
{
  o2c_bytes_f32(vmulq_f32(vcvtq_f32_s32(a), vld1q_f32(scale)), q, y, n);
}

#else /* one lane: a plain int32 */

typedef int32_t o2c_u8_lanes;

#endif
#endif /* O2C_U8_H */
