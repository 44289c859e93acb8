/* SPDX-License-Identifier: 0BSD */
/* A thin vector layer for the f32 kernels: one type o2c_v of O2C_LANES
   floats and the dozen operations they need, for AVX-512, AVX2+FMA, SSE2,
   AArch64 NEON, and plain C (one lane), as isa.h allows.

     o2c_vld(p) o2c_vst(p, v)          whole vectors, any alignment
     o2c_vld_n(p, n) o2c_vst_n(p, v, n)  the first min(n, LANES) lanes, n >= 1;
                                       nothing else is read or written
     o2c_vset1 o2c_vzero o2c_vadd o2c_vsub o2c_vmul o2c_vdiv o2c_vsqrt
     o2c_vfma(a, b, c)                 a * b + c, one rounding if O2C_HAS_FMA
     o2c_vmax(lim, v) o2c_vmin(lim, v) v where v is NaN
     o2c_vclamp(v, lo, hi)             NaN stays NaN
     o2c_vmaxnan(a, b)                 the larger; NaN if either is
     o2c_quad q = o2c_vquad(p)         p[0] to p[3], then
     O2C_QUAD_AT(q, i)                 p[i] in all lanes, i literal
     O2C_HOLD_QUAD(q)                  keeps it in its register
     O2C_QUAD_OF(v, i)                 quad i of v, with 16 lanes only
     o2c_vsum(v)                       of the lanes, half added to half
     o2c_vsums(a, b, ..., h)           vsum of the first O2C_VSUMS of them, in
                                       the first lanes: the same bits
     O2C_FMAF(a, b, c)                 the same product and sum on floats

   The same operation gives the same bits in a vector and on a float. */
#ifndef O2C_SIMD_H
#define O2C_SIMD_H

#include "attr.h"
#include "isa.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <math.h>

/* Unrolled by clang, loops around calls that inline much spill kilobytes where
   there are 16 vectors: this keeps them as they are written. */
#ifdef __clang__
#define O2C_ROLLED _Pragma("clang loop unroll(disable)")
#else
#define O2C_ROLLED
#endif

#if defined(O2C_HAVE_AVX512F)
#define O2C_AVX512 1
#include <immintrin.h>
#elif defined(O2C_HAVE_AVX2) && defined(O2C_HAVE_FMA)
#define O2C_AVX2 1
#include <immintrin.h>
#elif defined(O2C_HAVE_SSE2)
#define O2C_SSE2 1
#include <emmintrin.h>
#elif defined(O2C_HAVE_NEON)
#define O2C_NEON 1
#include <arm_neon.h>
#endif

/* Keeps a vector in its register: gcc loads one again for each of up to four
   products with it. */
#if defined(__GNUC__) && !defined(__clang__) && defined(O2C_AVX512)
#define O2C_HOLD(v) __asm__("" : "+v"(v))
#elif defined(__GNUC__) && !defined(__clang__) && \
    (defined(O2C_AVX2) || defined(O2C_SSE2))
#define O2C_HOLD(v) __asm__("" : "+x"(v))
#else
#define O2C_HOLD(v) ((void)(v))
#endif

/* clang would load each element of a quad by itself. */
#if defined(__clang__) && (defined(O2C_AVX512) || defined(O2C_AVX2))
#define O2C_HOLD_QUAD(q) __asm__("" : "+x"(q))
#else
#define O2C_HOLD_QUAD(q) ((void)(q))
#endif

/* Keeps integers in memory over a loop: short of registers, gcc would keep them
   in vector registers, and bringing them back takes the place of products. */
#if defined(__GNUC__) && !defined(__clang__) && defined(O2C_AVX512)
#define O2C_IN_MEMORY(v) __asm__("" : "+m"(v))
#else
#define O2C_IN_MEMORY(v) ((void)(v))
#endif

/* Small cores without vectors have no caches to fill. */
#if defined(__GNUC__) && (defined(O2C_AVX512) || defined(O2C_AVX2) || \
                          defined(O2C_SSE2) || defined(O2C_NEON))
#define O2C_PREFETCH(p) __builtin_prefetch(p)
#define O2C_PREFETCH_L2(p) __builtin_prefetch((p), 0, 2)
#else
#define O2C_PREFETCH(p) ((void)(p))
#define O2C_PREFETCH_L2(p) ((void)(p))
#endif

/* Fused where the vectors fuse, so that a tail equals a body. */
#if defined(O2C_AVX512) || defined(O2C_AVX2) || defined(O2C_NEON) || \
    defined(O2C_HAVE_FMAF)
#define O2C_HAS_FMA 1
#if defined(__GNUC__)
#define O2C_FMAF(a, b, c) __builtin_fmaf((a), (b), (c))
#else
#define O2C_FMAF(a, b, c) fmaf((a), (b), (c))
#endif
#else
#define O2C_FMAF(a, b, c) ((a) * (b) + (c))
#endif

#if defined(O2C_AVX512)

#define O2C_LANES 16
typedef __m512 o2c_v;
O2C_INLINE o2c_v o2c_vld(const float *p) { return _mm512_loadu_ps(p); }
O2C_INLINE void o2c_vst(float *p, o2c_v v) { _mm512_storeu_ps(p, v); }
O2C_INLINE o2c_v o2c_vset1(float x) { return _mm512_set1_ps(x); }
O2C_INLINE o2c_v o2c_vzero(void) { return _mm512_setzero_ps(); }
O2C_INLINE o2c_v o2c_vadd(o2c_v a, o2c_v b) { return _mm512_add_ps(a, b); }
O2C_INLINE o2c_v o2c_vsub(o2c_v a, o2c_v b) { return _mm512_sub_ps(a, b); }
O2C_INLINE o2c_v o2c_vmul(o2c_v a, o2c_v b) { return _mm512_mul_ps(a, b); }
O2C_INLINE o2c_v o2c_vdiv(o2c_v a, o2c_v b) { return _mm512_div_ps(a, b); }
O2C_INLINE o2c_v o2c_vsqrt(o2c_v a) { return _mm512_sqrt_ps(a); }
O2C_INLINE o2c_v o2c_vmax(o2c_v l, o2c_v v) { return _mm512_max_ps(l, v); }
O2C_INLINE o2c_v o2c_vmin(o2c_v l, o2c_v v) { return _mm512_min_ps(l, v); }
O2C_INLINE o2c_v o2c_vmaxnan(o2c_v a, o2c_v b)
{
  const __mmask16 nan = _mm512_cmp_ps_mask(b, b, _CMP_UNORD_Q);
  return _mm512_mask_mov_ps(_mm512_max_ps(b, a), nan, b);
}
O2C_INLINE o2c_v o2c_vfma(o2c_v a, o2c_v b, o2c_v c)
{
  return _mm512_fmadd_ps(a, b, c);
}
O2C_INLINE __mmask16 o2c_vmask_n(int n)
{
  return (__mmask16)(n < 16 ? (1u << n) - 1u : 0xffffu);
}
O2C_INLINE o2c_v o2c_vld_n(const float *p, int n)
{
  return _mm512_maskz_loadu_ps(o2c_vmask_n(n), p);
}
O2C_INLINE void o2c_vst_n(float *p, o2c_v v, int n)
{
  _mm512_mask_storeu_ps(p, o2c_vmask_n(n), v);
}

typedef o2c_v o2c_quad;
O2C_INLINE o2c_quad o2c_vquad(const float *p)
{
  return _mm512_broadcast_f32x4(_mm_loadu_ps(p));
}
#define O2C_QUAD_AT(q, i) _mm512_permute_ps((q), (i) * 0x55)
#define O2C_QUAD_OF(v, i) _mm512_shuffle_f32x4((v), (v), (i) * 0x55)
O2C_INLINE float o2c_vsum(o2c_v v)
{
  v = _mm512_add_ps(v, _mm512_shuffle_f32x4(v, v, 0x4e));
  v = _mm512_add_ps(v, _mm512_shuffle_f32x4(v, v, 0xb1));
  v = _mm512_add_ps(v, _mm512_permute_ps(v, 0x4e));
  v = _mm512_add_ps(v, _mm512_permute_ps(v, 0xb1));
  return _mm512_cvtss_f32(v);
}
#define O2C_VSUMS 8
/* Halves of a vector, then quarters, pairs and lanes, are those of different
   sums, so each addition serves two. */
#define O2C_TWO(a, b) \
  _mm512_add_ps(_mm512_mask_blend_ps(0xff00, (a), (b)), \
                _mm512_shuffle_f32x4((a), (b), 0x4e))
O2C_INLINE o2c_v o2c_vsums(o2c_v a, o2c_v b, o2c_v c, o2c_v d, o2c_v e,
                           o2c_v f, o2c_v g, o2c_v h)
{
  const o2c_v ae = O2C_TWO(a, e), bf = O2C_TWO(b, f), cg = O2C_TWO(c, g),
              dh = O2C_TWO(d, h);
  const o2c_v ab = _mm512_add_ps(_mm512_shuffle_f32x4(ae, bf, 0x88),
                                 _mm512_shuffle_f32x4(ae, bf, 0xdd));
  const o2c_v cd = _mm512_add_ps(_mm512_shuffle_f32x4(cg, dh, 0x88),
                                 _mm512_shuffle_f32x4(cg, dh, 0xdd));
  const o2c_v v = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44),
                                _mm512_shuffle_ps(ab, cd, 0xee));
  const __m512i order = _mm512_setr_epi32(0, 8, 2, 10, 4, 12, 6, 14,
                                          0, 8, 2, 10, 4, 12, 6, 14);
  return _mm512_permutexvar_ps(
    order, _mm512_add_ps(v, _mm512_permute_ps(v, 0xb1)));
}
#undef O2C_TWO

#elif defined(O2C_AVX2)

#define O2C_LANES 8
typedef __m256 o2c_v;
O2C_INLINE o2c_v o2c_vld(const float *p) { return _mm256_loadu_ps(p); }
O2C_INLINE void o2c_vst(float *p, o2c_v v) { _mm256_storeu_ps(p, v); }
O2C_INLINE o2c_v o2c_vset1(float x) { return _mm256_set1_ps(x); }
O2C_INLINE o2c_v o2c_vzero(void) { return _mm256_setzero_ps(); }
O2C_INLINE o2c_v o2c_vadd(o2c_v a, o2c_v b) { return _mm256_add_ps(a, b); }
O2C_INLINE o2c_v o2c_vsub(o2c_v a, o2c_v b) { return _mm256_sub_ps(a, b); }
O2C_INLINE o2c_v o2c_vmul(o2c_v a, o2c_v b) { return _mm256_mul_ps(a, b); }
O2C_INLINE o2c_v o2c_vdiv(o2c_v a, o2c_v b) { return _mm256_div_ps(a, b); }
O2C_INLINE o2c_v o2c_vsqrt(o2c_v a) { return _mm256_sqrt_ps(a); }
O2C_INLINE o2c_v o2c_vmax(o2c_v l, o2c_v v) { return _mm256_max_ps(l, v); }
O2C_INLINE o2c_v o2c_vmin(o2c_v l, o2c_v v) { return _mm256_min_ps(l, v); }
O2C_INLINE o2c_v o2c_vmaxnan(o2c_v a, o2c_v b)
{
  return _mm256_or_ps(_mm256_max_ps(b, a), _mm256_cmp_ps(b, b, _CMP_UNORD_Q));
}
O2C_INLINE o2c_v o2c_vfma(o2c_v a, o2c_v b, o2c_v c)
{
  return _mm256_fmadd_ps(a, b, c);
}
O2C_INLINE __m256i o2c_vmask_n(int n)
{
  const __m256i iota = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), iota);
}
O2C_INLINE o2c_v o2c_vld_n(const float *p, int n)
{
  return n >= 8 ? _mm256_loadu_ps(p)
                : _mm256_maskload_ps(p, o2c_vmask_n(n));
}
O2C_INLINE void o2c_vst_n(float *p, o2c_v v, int n)
{
  if (n >= 8) /* masked stores are slow on some cores */
    _mm256_storeu_ps(p, v);
  else
    _mm256_maskstore_ps(p, o2c_vmask_n(n), v);
}

typedef o2c_v o2c_quad;
O2C_INLINE o2c_quad o2c_vquad(const float *p)
{
  const __m128 v = _mm_loadu_ps(p);
  return _mm256_insertf128_ps(_mm256_castps128_ps256(v), v, 1);
}
#define O2C_QUAD_AT(q, i) _mm256_permute_ps((q), (i) * 0x55)
O2C_INLINE float o2c_vsum(o2c_v v)
{
  v = _mm256_add_ps(v, _mm256_permute2f128_ps(v, v, 1));
  v = _mm256_add_ps(v, _mm256_permute_ps(v, 0x4e));
  v = _mm256_add_ps(v, _mm256_permute_ps(v, 0xb1));
  return _mm256_cvtss_f32(v);
}
#define O2C_VSUMS 8
/* As with AVX-512. */
#define O2C_TWO(a, b) \
  _mm256_add_ps(_mm256_blend_ps((a), (b), 0xf0), \
                _mm256_permute2f128_ps((a), (b), 0x21))
O2C_INLINE o2c_v o2c_vsums(o2c_v a, o2c_v b, o2c_v c, o2c_v d, o2c_v e,
                           o2c_v f, o2c_v g, o2c_v h)
{
  const o2c_v ae = O2C_TWO(a, e), bf = O2C_TWO(b, f), cg = O2C_TWO(c, g),
              dh = O2C_TWO(d, h);
  const o2c_v ab = _mm256_add_ps(_mm256_shuffle_ps(ae, bf, 0x44),
                                 _mm256_shuffle_ps(ae, bf, 0xee));
  const o2c_v cd = _mm256_add_ps(_mm256_shuffle_ps(cg, dh, 0x44),
                                 _mm256_shuffle_ps(cg, dh, 0xee));
  return _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x88),
                       _mm256_shuffle_ps(ab, cd, 0xdd));
}
#undef O2C_TWO

#elif defined(O2C_SSE2)

#define O2C_LANES 4
typedef __m128 o2c_v;
O2C_INLINE o2c_v o2c_vld(const float *p) { return _mm_loadu_ps(p); }
O2C_INLINE void o2c_vst(float *p, o2c_v v) { _mm_storeu_ps(p, v); }
O2C_INLINE o2c_v o2c_vset1(float x) { return _mm_set1_ps(x); }
O2C_INLINE o2c_v o2c_vzero(void) { return _mm_setzero_ps(); }
O2C_INLINE o2c_v o2c_vadd(o2c_v a, o2c_v b) { return _mm_add_ps(a, b); }
O2C_INLINE o2c_v o2c_vsub(o2c_v a, o2c_v b) { return _mm_sub_ps(a, b); }
O2C_INLINE o2c_v o2c_vmul(o2c_v a, o2c_v b) { return _mm_mul_ps(a, b); }
O2C_INLINE o2c_v o2c_vdiv(o2c_v a, o2c_v b) { return _mm_div_ps(a, b); }
O2C_INLINE o2c_v o2c_vsqrt(o2c_v a) { return _mm_sqrt_ps(a); }
O2C_INLINE o2c_v o2c_vmax(o2c_v l, o2c_v v) { return _mm_max_ps(l, v); }
O2C_INLINE o2c_v o2c_vmin(o2c_v l, o2c_v v) { return _mm_min_ps(l, v); }
O2C_INLINE o2c_v o2c_vmaxnan(o2c_v a, o2c_v b)
{
  return _mm_or_ps(_mm_max_ps(b, a), _mm_cmpunord_ps(b, b));
}
O2C_INLINE o2c_v o2c_vfma(o2c_v a, o2c_v b, o2c_v c)
{
  return _mm_add_ps(_mm_mul_ps(a, b), c);
}
O2C_INLINE o2c_v o2c_vld_n(const float *p, int n)
{
  __m128 lo, hi;
  if (n >= 4)
    return _mm_loadu_ps(p);
  if (n == 1)
    return _mm_load_ss(p);
  lo = _mm_unpacklo_ps(_mm_load_ss(p), _mm_load_ss(p + 1));
  hi = n == 3 ? _mm_load_ss(p + 2) : _mm_setzero_ps();
  return _mm_movelh_ps(lo, hi);
}
O2C_INLINE void o2c_vst_n(float *p, o2c_v v, int n)
{
  if (n >= 4) {
    _mm_storeu_ps(p, v);
    return;
  }
  _mm_store_ss(p, v);
  if (n > 1)
    _mm_store_ss(p + 1, _mm_shuffle_ps(v, v, 1));
  if (n > 2)
    _mm_store_ss(p + 2, _mm_movehl_ps(v, v));
}

typedef o2c_v o2c_quad;
O2C_INLINE o2c_quad o2c_vquad(const float *p) { return _mm_loadu_ps(p); }
#define O2C_QUAD_AT(q, i) _mm_shuffle_ps((q), (q), (i) * 0x55)
O2C_INLINE float o2c_vsum(o2c_v v)
{
  v = _mm_add_ps(v, _mm_shuffle_ps(v, v, 0x4e));
  v = _mm_add_ps(v, _mm_shuffle_ps(v, v, 0xb1));
  return _mm_cvtss_f32(v);
}
#define O2C_VSUMS 4
O2C_INLINE o2c_v o2c_vsums(o2c_v a, o2c_v b, o2c_v c, o2c_v d, o2c_v e,
                           o2c_v f, o2c_v g, o2c_v h)
{
  (void)e, (void)f, (void)g, (void)h;
  const o2c_v ab = _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a));
  const o2c_v cd = _mm_add_ps(_mm_movelh_ps(c, d), _mm_movehl_ps(d, c));
  return _mm_add_ps(_mm_shuffle_ps(ab, cd, 0x88),
                    _mm_shuffle_ps(ab, cd, 0xdd));
}

#elif defined(O2C_NEON)

#define O2C_LANES 4
typedef float32x4_t o2c_v;
O2C_INLINE o2c_v o2c_vld(const float *p) { return vld1q_f32(p); }
O2C_INLINE void o2c_vst(float *p, o2c_v v) { vst1q_f32(p, v); }
O2C_INLINE o2c_v o2c_vset1(float x) { return vdupq_n_f32(x); }
O2C_INLINE o2c_v o2c_vzero(void) { return vdupq_n_f32(0.0f); }
O2C_INLINE o2c_v o2c_vadd(o2c_v a, o2c_v b) { return vaddq_f32(a, b); }
O2C_INLINE o2c_v o2c_vsub(o2c_v a, o2c_v b) { return vsubq_f32(a, b); }
O2C_INLINE o2c_v o2c_vmul(o2c_v a, o2c_v b) { return vmulq_f32(a, b); }
O2C_INLINE o2c_v o2c_vdiv(o2c_v a, o2c_v b) { return vdivq_f32(a, b); }
O2C_INLINE o2c_v o2c_vsqrt(o2c_v a) { return vsqrtq_f32(a); }
/* Compare and select, not vmaxq: -0, +0 and NaN as on the other targets. */
O2C_INLINE o2c_v o2c_vmax(o2c_v l, o2c_v v)
{
  return vbslq_f32(vcgtq_f32(l, v), l, v);
}
O2C_INLINE o2c_v o2c_vmin(o2c_v l, o2c_v v)
{
  return vbslq_f32(vcltq_f32(l, v), l, v);
}
O2C_INLINE o2c_v o2c_vmaxnan(o2c_v a, o2c_v b) { return vmaxq_f32(a, b); }
O2C_INLINE o2c_v o2c_vfma(o2c_v a, o2c_v b, o2c_v c)
{
  return vfmaq_f32(c, a, b);
}
O2C_INLINE o2c_v o2c_vld_n(const float *p, int n)
{
  float32x4_t v = vdupq_n_f32(0.0f);
  if (n >= 4)
    return vld1q_f32(p);
  v = vld1q_lane_f32(p, v, 0);
  if (n > 1)
    v = vld1q_lane_f32(p + 1, v, 1);
  if (n > 2)
    v = vld1q_lane_f32(p + 2, v, 2);
  return v;
}
O2C_INLINE void o2c_vst_n(float *p, o2c_v v, int n)
{
  if (n >= 4) {
    vst1q_f32(p, v);
    return;
  }
  vst1q_lane_f32(p, v, 0);
  if (n > 1)
    vst1q_lane_f32(p + 1, v, 1);
  if (n > 2)
    vst1q_lane_f32(p + 2, v, 2);
}

typedef o2c_v o2c_quad;
O2C_INLINE o2c_quad o2c_vquad(const float *p) { return vld1q_f32(p); }
#define O2C_QUAD_AT(q, i) vdupq_laneq_f32((q), (i))
O2C_INLINE float o2c_vsum(o2c_v v)
{
  const float32x2_t half = vadd_f32(vget_low_f32(v), vget_high_f32(v));
  return vget_lane_f32(half, 0) + vget_lane_f32(half, 1);
}
#define O2C_VSUMS 4
O2C_INLINE o2c_v o2c_vsums(o2c_v a, o2c_v b, o2c_v c, o2c_v d, o2c_v e,
                           o2c_v f, o2c_v g, o2c_v h)
{
  (void)e, (void)f, (void)g, (void)h;
  const o2c_v ab = vcombine_f32(vadd_f32(vget_low_f32(a), vget_high_f32(a)),
                                vadd_f32(vget_low_f32(b), vget_high_f32(b)));
  const o2c_v cd = vcombine_f32(vadd_f32(vget_low_f32(c), vget_high_f32(c)),
                                vadd_f32(vget_low_f32(d), vget_high_f32(d)));
  return vpaddq_f32(ab, cd);
}

#else

#define O2C_LANES 1
typedef float o2c_v;
O2C_INLINE o2c_v o2c_vld(const float *p) { return *p; }
O2C_INLINE void o2c_vst(float *p, o2c_v v) { *p = v; }
O2C_INLINE o2c_v o2c_vset1(float x) { return x; }
O2C_INLINE o2c_v o2c_vzero(void) { return 0.0f; }
O2C_INLINE o2c_v o2c_vadd(o2c_v a, o2c_v b) { return a + b; }
O2C_INLINE o2c_v o2c_vsub(o2c_v a, o2c_v b) { return a - b; }
O2C_INLINE o2c_v o2c_vmul(o2c_v a, o2c_v b) { return a * b; }
O2C_INLINE o2c_v o2c_vdiv(o2c_v a, o2c_v b) { return a / b; }
O2C_INLINE o2c_v o2c_vsqrt(o2c_v a) { return sqrtf(a); }
O2C_INLINE o2c_v o2c_vmax(o2c_v l, o2c_v v) { return l > v ? l : v; }
O2C_INLINE o2c_v o2c_vmin(o2c_v l, o2c_v v) { return l < v ? l : v; }
O2C_INLINE o2c_v o2c_vmaxnan(o2c_v a, o2c_v b)
{
  return b > a || b != b ? b : a;
}
O2C_INLINE o2c_v o2c_vfma(o2c_v a, o2c_v b, o2c_v c)
{
  return O2C_FMAF(a, b, c);
}
typedef const float *o2c_quad;
O2C_INLINE o2c_quad o2c_vquad(const float *p) { return p; }
#define O2C_QUAD_AT(q, i) ((q)[i])
O2C_INLINE float o2c_vsum(o2c_v v) { return v; }
#define O2C_VSUMS 1
O2C_INLINE o2c_v o2c_vsums(o2c_v a, o2c_v b, o2c_v c, o2c_v d, o2c_v e,
                           o2c_v f, o2c_v g, o2c_v h)
{
  (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
  return a;
}
O2C_INLINE o2c_v o2c_vld_n(const float *p, int n)
{
  (void)n;
  return *p;
}
O2C_INLINE void o2c_vst_n(float *p, o2c_v v, int n)
{
  (void)n;
  *p = v;
}

#endif

O2C_INLINE o2c_v o2c_vclamp(o2c_v v, o2c_v lo, o2c_v hi)
{
  return o2c_vmin(hi, o2c_vmax(lo, v));
}

#endif
