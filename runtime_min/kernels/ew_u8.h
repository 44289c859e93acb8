/* SPDX-License-Identifier: 0BSD */
/* Elementwise 8-bit kernels. All arithmetic is f32, each operation rounded
 * once (compile with -std=c99 or -ffp-contract=off), then requantised as in
 * u8.h. In-place (y the same as a or b) is allowed, other overlaps are not.
 *
 *   o2c_add_u8         y = requant(((a - a_zp) * a_scale +
 *                                   (b - b_zp) * b_scale) / y_scale)
 *   o2c_mul_u8         y = requant((a - a_zp) * (b - b_zp) * a_scale)
 *   o2c_quantize_u8    y = requant(x / scale): ONNX QuantizeLinear
 *   o2c_dynamic_quantize_u8  the same with scale and zero point found in x:
 *                      ONNX DynamicQuantizeLinear
 *   o2c_dequantize_u8  y = (x - zp) * scale: ONNX DequantizeLinear
 *   o2c_map_u8         y = table[x]: any function of one u8, made at compile
 *                      time (also requantisation and s8 <-> u8)
 *
 * So add is what DequantizeLinear, Add and QuantizeLinear make; with the
 * inputs' scales over the output's and a y_scale of 1, what QLinearAdd does.
 * The scale of mul is a's times b's over the output's. */
#ifndef O2C_EW_U8_H
#define O2C_EW_U8_H

#include "u8.h"

/* rows of n elements; a row stride of 0 repeats the operand's one row. */
typedef struct {
  int64_t rows, n, a_row, b_row, y_row;
  float a_scale, b_scale, y_scale;
  int32_t a_zp, b_zp, y_zp, lo, hi;
} o2c_binary_u8_p;

/* ---- float lanes: as many floats as o2c_u8_lanes has integers -------------
 */
#if defined(O2C_U8_ISA_AVX512VNNI)
typedef __m512 o2c_flq;
#define O2C_FLQ2(op, a, b) _mm512_##op##_ps(a, b)
O2C_U8_INLINE o2c_flq o2c_flq_set(float v)
{
  return _mm512_set1_ps(v);
}
O2C_U8_INLINE o2c_flq o2c_flq_load(const float *p)
{
  return _mm512_loadu_ps(p);
}
O2C_U8_INLINE void o2c_flq_save(float *p, o2c_flq v)
{
  _mm512_storeu_ps(p, v);
}

O2C_U8_INLINE o2c_flq o2c_flq_u8(const uint8_t *p, int32_t zp)
{
  return _mm512_cvtepi32_ps(
      _mm512_sub_epi32(o2c_u8_lanes_widen(p), _mm512_set1_epi32(zp)));
}

O2C_U8_INLINE void o2c_flq_put(uint8_t *y, o2c_flq v, o2c_rq q)
{
  _mm_storeu_si128((__m128i *)(void *)y, o2c_bytes_f32(v, q));
}

#elif defined(O2C_U8_ISA_AVXVNNI) || defined(O2C_U8_ISA_AVX2)
typedef __m256 o2c_flq;
#define O2C_FLQ2(op, a, b) _mm256_##op##_ps(a, b)
O2C_U8_INLINE o2c_flq o2c_flq_set(float v)
{
  return _mm256_set1_ps(v);
}
O2C_U8_INLINE o2c_flq o2c_flq_load(const float *p)
{
  return _mm256_loadu_ps(p);
}
O2C_U8_INLINE void o2c_flq_save(float *p, o2c_flq v)
{
  _mm256_storeu_ps(p, v);
}

O2C_U8_INLINE o2c_flq o2c_flq_u8(const uint8_t *p, int32_t zp)
{
  return _mm256_cvtepi32_ps(
      _mm256_sub_epi32(o2c_u8_lanes_widen(p), _mm256_set1_epi32(zp)));
}

O2C_U8_INLINE void o2c_flq_put(uint8_t *y, o2c_flq v, o2c_rq q)
{
  _mm_storel_epi64((__m128i *)(void *)y, o2c_bytes_f32(v, q));
}

#elif defined(O2C_U8_ISA_SSE2)
typedef struct {
  __m128 a, b;
} o2c_flq;
#define O2C_FLQ2(op, x, y) \
  o2c_flq_of(_mm_##op##_ps((x).a, (y).a), _mm_##op##_ps((x).b, (y).b))
O2C_U8_INLINE o2c_flq o2c_flq_of(__m128 a, __m128 b)
{
  o2c_flq r;
  r.a = a;
  r.b = b;
  return r;
}

O2C_U8_INLINE o2c_flq o2c_flq_set(float v)
{
  return o2c_flq_of(_mm_set1_ps(v), _mm_set1_ps(v));
}

O2C_U8_INLINE o2c_flq o2c_flq_load(const float *p)
{
  return o2c_flq_of(_mm_loadu_ps(p), _mm_loadu_ps(p + 4));
}

O2C_U8_INLINE void o2c_flq_save(float *p, o2c_flq v)
{
  _mm_storeu_ps(p, v.a);
  _mm_storeu_ps(p + 4, v.b);
}

O2C_U8_INLINE o2c_flq o2c_flq_u8(const uint8_t *p, int32_t zp)
{
  const __m128i z = _mm_set1_epi32(zp);
  const o2c_u8_lanes x = o2c_u8_lanes_widen(p);
  return o2c_flq_of(_mm_cvtepi32_ps(_mm_sub_epi32(x.a, z)),
                    _mm_cvtepi32_ps(_mm_sub_epi32(x.b, z)));
}

O2C_U8_INLINE void o2c_flq_put(uint8_t *y, o2c_flq v, o2c_rq q)
{
  _mm_storel_epi64((__m128i *)(void *)y, o2c_bytes_f32(v.a, v.b, q));
}

#elif defined(O2C_U8_ISA_MVE)
typedef float32x4_t o2c_flq;
#define O2C_FLQ2(op, a, b) o2c_flq_##op(a, b)
O2C_U8_INLINE o2c_flq o2c_flq_add(o2c_flq a, o2c_flq b)
{
  return vaddq_f32(a, b);
}

O2C_U8_INLINE o2c_flq o2c_flq_mul(o2c_flq a, o2c_flq b)
{
  return vmulq_f32(a, b);
}

O2C_U8_INLINE o2c_flq o2c_flq_minnm(o2c_flq a, o2c_flq b)
{
  return vminnmq_f32(a, b);
}

O2C_U8_INLINE o2c_flq o2c_flq_maxnm(o2c_flq a, o2c_flq b)
{
  return vmaxnmq_f32(a, b);
}

/* There is no division of vectors. */
O2C_U8_INLINE o2c_flq o2c_flq_div(o2c_flq a, o2c_flq b)
{
  __asm__("vmov q0, %q0\n\tvmov q1, %q1\n\t"
          "vdiv.f32 s0, s0, s4\n\tvdiv.f32 s1, s1, s5\n\t"
          "vdiv.f32 s2, s2, s6\n\tvdiv.f32 s3, s3, s7\n\t"
          "vmov %q0, q0"
          : "+w"(a)
          : "w"(b)
          : "q0", "q1");
  return a;
}

O2C_U8_INLINE o2c_flq o2c_flq_set(float v)
{
  return vdupq_n_f32(v);
}

O2C_U8_INLINE o2c_flq o2c_flq_load(const float *p)
{
  return vld1q_f32(p);
}

O2C_U8_INLINE void o2c_flq_save(float *p, o2c_flq v)
{
  vst1q_f32(p, v);
}

O2C_U8_INLINE o2c_flq o2c_flq_u8(const uint8_t *p, int32_t zp)
{
  return vcvtq_f32_s32(vsubq_n_s32(o2c_u8_lanes_widen(p), zp));
}

O2C_U8_INLINE void o2c_flq_put(uint8_t *y, o2c_flq v, o2c_rq q)
{
  v = vmaxnmq_f32(v, vdupq_n_f32(q.lo)); /* NaN is the least */
  o2c_bytes_f32(v, q, y, 4);
}

#elif O2C_U8_LANES > 1
typedef struct {
  float32x4_t a, b;
} o2c_flq;
#define O2C_FLQ2(op, x, y) \
  o2c_flq_of(v##op##q_f32((x).a, (y).a), v##op##q_f32((x).b, (y).b))
O2C_U8_INLINE o2c_flq o2c_flq_of(float32x4_t a, float32x4_t b)
{
  o2c_flq r;
  r.a = a;
  r.b = b;
  return r;
}

O2C_U8_INLINE o2c_flq o2c_flq_set(float v)
{
  return o2c_flq_of(vdupq_n_f32(v), vdupq_n_f32(v));
}

O2C_U8_INLINE o2c_flq o2c_flq_load(const float *p)
{
  return o2c_flq_of(vld1q_f32(p), vld1q_f32(p + 4));
}

O2C_U8_INLINE void o2c_flq_save(float *p, o2c_flq v)
{
  vst1q_f32(p, v.a);
  vst1q_f32(p + 4, v.b);
}

O2C_U8_INLINE o2c_flq o2c_flq_u8(const uint8_t *p, int32_t zp)
{
  const int32x4_t z = vdupq_n_s32(zp);
  const o2c_u8_lanes x = o2c_u8_lanes_widen(p);
  return o2c_flq_of(vcvtq_f32_s32(vsubq_s32(x.a, z)),
                    vcvtq_f32_s32(vsubq_s32(x.b, z)));
}

O2C_U8_INLINE void o2c_flq_put(uint8_t *y, o2c_flq v, o2c_rq q)
{
  vst1_u8(y, o2c_bytes_f32(v.a, v.b, q));
}
#endif

#if O2C_U8_LANES > 1
/* How many of n elements vectors may take. MVE's flush what is subnormal: none
 * where a factor is so small that results may be. */
O2C_U8_INLINE size_t o2c_flq_whole(size_t n, float a, float b)
{
#if defined(O2C_U8_ISA_MVE)
  if ((a < 0 ? -a : a) < 1e-30f || (b < 0 ? -b : b) < 1e-30f)
    return 0;
#endif
  (void)a, (void)b;
  return n - n % O2C_U8_LANES;
}
#endif

/* ---- kernels: whole lanes, then one by one with the same operations ----- */
#if O2C_U8_LANES > 1
O2C_U8_INLINE o2c_flq o2c_addq_lanes(const uint8_t *a, const uint8_t *b,
                                     const o2c_binary_u8_p *p)
{
  const o2c_flq u =
      O2C_FLQ2(mul, o2c_flq_u8(a, p->a_zp), o2c_flq_set(p->a_scale));
  const o2c_flq v =
      O2C_FLQ2(mul, o2c_flq_u8(b, p->b_zp), o2c_flq_set(p->b_scale));
  return O2C_FLQ2(div, O2C_FLQ2(add, u, v), o2c_flq_set(p->y_scale));
}
#endif

#if defined(O2C_U8_ISA_AVX512VNNI)
/* 64 at a time, if no quotient can overflow; how many were done. */
O2C_U8_INLINE size_t o2c_addq_blocks(const uint8_t *a, const uint8_t *b,
                                     uint8_t *y, const o2c_binary_u8_p *p)
{
  const __m512i zp = _mm512_set1_epi16((short)p->y_zp);
  const __m512i lo = _mm512_set1_epi8((char)p->lo);
  const __m512i hi = _mm512_set1_epi8((char)p->hi);
  const float sa = p->a_scale < 0 ? -p->a_scale : p->a_scale;
  const float sb = p->b_scale < 0 ? -p->b_scale : p->b_scale;
  const size_t n = 256.0f * (sa + sb) < 2e9f * p->y_scale ? (size_t)p->n : 0;
  size_t i;
  for (i = 0; i + 64 <= n; i += 64) {
    const __m512i v = o2c_u8_pack(
        _mm512_cvtps_epi32(o2c_addq_lanes(a + i, b + i, p)),
        _mm512_cvtps_epi32(o2c_addq_lanes(a + i + 16, b + i + 16, p)),
        _mm512_cvtps_epi32(o2c_addq_lanes(a + i + 32, b + i + 32, p)),
        _mm512_cvtps_epi32(o2c_addq_lanes(a + i + 48, b + i + 48, p)), zp, lo,
        hi);
    _mm512_storeu_si512(y + i, o2c_u8_in_order(v));
  }
  return i;
}
#endif

O2C_U8_INLINE void o2c_addq_row(const uint8_t *a, const uint8_t *b, uint8_t *y,
                                const o2c_binary_u8_p *p)
{
  const o2c_rq q = o2c_rq_make(p->y_zp, p->lo, p->hi);
  const size_t n = (size_t)p->n;
  size_t i = 0;
#if defined(O2C_U8_ISA_AVX512VNNI)
  i = o2c_addq_blocks(a, b, y, p);
#endif
#if O2C_U8_LANES > 1
  const size_t whole = o2c_flq_whole(n, p->a_scale, p->b_scale);
  for (; i < whole; i += O2C_U8_LANES)
    o2c_flq_put(y + i, o2c_addq_lanes(a + i, b + i, p), q);
#endif
  for (; i < n; ++i) {
    const float u = (float)(a[i] - p->a_zp) * p->a_scale;
    const float v = (float)(b[i] - p->b_zp) * p->b_scale;
    y[i] = o2c_requant_f32((u + v) / p->y_scale, q);
  }
}

O2C_U8_INLINE void o2c_mulq_row(const uint8_t *a, const uint8_t *b, uint8_t *y,
                                const o2c_binary_u8_p *p)
{
  const o2c_rq q = o2c_rq_make(p->y_zp, p->lo, p->hi);
  const size_t n = (size_t)p->n;
  size_t i = 0;
#if O2C_U8_LANES > 1
  const o2c_flq s = o2c_flq_set(p->a_scale);
  const size_t whole = n - n % O2C_U8_LANES;
  for (; i < whole; i += O2C_U8_LANES) {
    const o2c_flq v =
        O2C_FLQ2(mul, o2c_flq_u8(a + i, p->a_zp), o2c_flq_u8(b + i, p->b_zp));
    o2c_flq_put(y + i, O2C_FLQ2(mul, v, s), q);
  }
#endif
  for (; i < n; ++i) {
    const int32_t v = (a[i] - p->a_zp) * (b[i] - p->b_zp);
    y[i] = o2c_requant_f32((float)v * p->a_scale, q);
  }
}

O2C_U8_NOINLINE void o2c_add_u8(const uint8_t *a, const uint8_t *b, uint8_t *y,
                                const o2c_binary_u8_p *p)
{
  int64_t i;
  for (i = 0; i < p->rows; ++i, a += p->a_row, b += p->b_row, y += p->y_row)
    o2c_addq_row(a, b, y, p);
}

O2C_U8_NOINLINE void o2c_mul_u8(const uint8_t *a, const uint8_t *b, uint8_t *y,
                                const o2c_binary_u8_p *p)
{
  int64_t i;
  for (i = 0; i < p->rows; ++i, a += p->a_row, b += p->b_row, y += p->y_row)
    o2c_mulq_row(a, b, y, p);
}

O2C_U8_NOINLINE void o2c_quantize_u8(const float *x, uint8_t *y, size_t n,
                                     float scale, int32_t zp)
{
  const o2c_rq q = o2c_rq_make(zp, 0, 255);
  size_t i = 0;
#if O2C_U8_LANES > 1
  const o2c_flq s = o2c_flq_set(scale);
  const size_t whole = n - n % O2C_U8_LANES;
  for (; i < whole; i += O2C_U8_LANES)
    o2c_flq_put(y + i, O2C_FLQ2(div, o2c_flq_load(x + i), s), q);
#endif
  for (; i < n; ++i) {
    const float v = x[i] / scale; /* NaN is the least, as vectors have it */
    y[i] = o2c_requant_f32(v > q.lo ? v : q.lo, q);
  }
}

#if O2C_U8_LANES > 1
/* The smaller or greater of v and what was found; v may be NaN. */
#if defined(O2C_U8_ISA_SSE2) || defined(O2C_U8_ISA_AVX2) || \
    defined(O2C_U8_ISA_AVXVNNI) || defined(O2C_U8_ISA_AVX512VNNI)
#define O2C_FLQ_LESS(v, found) O2C_FLQ2(min, v, found)
#define O2C_FLQ_MORE(v, found) O2C_FLQ2(max, v, found)
#else
#define O2C_FLQ_LESS(v, found) O2C_FLQ2(minnm, v, found)
#define O2C_FLQ_MORE(v, found) O2C_FLQ2(maxnm, v, found)
#endif

/* Of all whole lanes of x: O2C_U8_LANES smallest and greatest elements. */
O2C_U8_INLINE void o2c_range_lanes(const float *x, size_t n, float *lo,
                                   float *hi)
{
  o2c_flq a = o2c_flq_set(0.0f), b = a, c = a, d = a;
  size_t i = 0;
  for (; i + 2 * O2C_U8_LANES <= n; i += 2 * O2C_U8_LANES) {
    const o2c_flq u = o2c_flq_load(x + i);
    const o2c_flq v = o2c_flq_load(x + i + O2C_U8_LANES);
    a = O2C_FLQ_LESS(u, a);
    b = O2C_FLQ_MORE(u, b);
    c = O2C_FLQ_LESS(v, c);
    d = O2C_FLQ_MORE(v, d);
  }
  if (i + O2C_U8_LANES <= n) {
    a = O2C_FLQ_LESS(o2c_flq_load(x + i), a);
    b = O2C_FLQ_MORE(o2c_flq_load(x + i), b);
  }
  o2c_flq_save(lo, O2C_FLQ_LESS(a, c));
  o2c_flq_save(hi, O2C_FLQ_MORE(b, d));
}
#endif

/* The range of x and 0; NaN counts as nothing. gcc makes no vectors of it. */
O2C_U8_INLINE void o2c_range_f32(const float *x, size_t n, float *lo, float *hi)
{
  float a[O2C_U8_LANES] = {0}, b[O2C_U8_LANES] = {0};
  size_t i = 0;
  int k;
#if O2C_U8_LANES > 1
  o2c_range_lanes(x, n, a, b);
  i = n - n % O2C_U8_LANES;
#endif
  for (; i < n; ++i) {
    a[0] = x[i] < a[0] ? x[i] : a[0];
    b[0] = x[i] > b[0] ? x[i] : b[0];
  }
  for (k = 1; k < O2C_U8_LANES; ++k) {
    a[0] = a[k] < a[0] ? a[k] : a[0];
    b[0] = b[k] > b[0] ? b[k] : b[0];
  }
  *lo = a[0];
  *hi = b[0];
}

O2C_U8_NOINLINE void o2c_dynamic_quantize_u8(const float *x, uint8_t *y,
                                             float *scale, uint8_t *zero,
                                             size_t n)
{
  float lo, hi;
  o2c_range_f32(x, n, &lo, &hi);
  *scale = (hi - lo) / 255.0f;
  *zero = 0;
  if (*scale > 0)
    *zero = o2c_requant_f32(0.0f - lo / *scale, o2c_rq_make(0, 0, 255));
  o2c_quantize_u8(x, y, n, *scale, *zero);
}

O2C_U8_NOINLINE void o2c_dequantize_u8(const uint8_t *x, float *y, size_t n,
                                       float scale, int32_t zp)
{
  size_t i = 0;
#if O2C_U8_LANES > 1
  const o2c_flq s = o2c_flq_set(scale);
  const size_t whole = o2c_flq_whole(n, scale, 1);
  for (; i < whole; i += O2C_U8_LANES)
    o2c_flq_save(y + i, O2C_FLQ2(mul, o2c_flq_u8(x + i, zp), s));
#endif
  for (; i < n; ++i)
    y[i] = (float)(x[i] - zp) * scale;
}

O2C_U8_NOINLINE void o2c_map_u8(const uint8_t *x, uint8_t *y, size_t n,
                                const uint8_t *table)
{
  size_t i = 0;
#if defined(O2C_U8_ISA_AVX512VNNI) && defined(O2C_HAVE_AVX512VBMI)
  const __m512i t0 = _mm512_loadu_si512(table);
  const __m512i t1 = _mm512_loadu_si512(table + 64);
  const __m512i t2 = _mm512_loadu_si512(table + 128);
  const __m512i t3 = _mm512_loadu_si512(table + 192);
  for (; i < n; i += 64) {
    const __mmask64 m =
        n - i >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << (n - i)) - 1;
    const __m512i v = _mm512_maskz_loadu_epi8(m, x + i);
    const __m512i l = _mm512_permutex2var_epi8(t0, v, t1);
    const __m512i h = _mm512_permutex2var_epi8(t2, v, t3);
    _mm512_mask_storeu_epi8(
        y + i, m, _mm512_mask_blend_epi8(_mm512_movepi8_mask(v), l, h));
  }
#endif
  for (; i < n; ++i)
    y[i] = table[x[i]];
}

#endif /* O2C_EW_U8_H */
