/* SPDX-License-Identifier: 0BSD */
/* 8-bit convolution and matrix product.
 *
 *   acc[o] = bias[o] + sum_t sum_k x[i*x_row + j*x_pix + tap[t] + k] w[o][t][k]
 *
 * for pixel (i, j); the sum wraps at 32 bits. x is u8, already padded with
 * the zero-point byte where a window hangs over the edge (o2c_pad_hwc_u8), w is
 * s8, and bias already holds -x_zp * sum(w). A k x k convolution without
 * dilation has one tap per kernel row and kc = k * channels; a matrix product
 * is ntap 1, tap {0}, oh 1, ow M. Exactly the elements named by the sum are
 * read, exactly the elements (i, j, o < oc) are written; y must not overlap x.
 *
 * Packed weights (pack_u8.h writes them), one layout for every machine:
 *   [ceil(oc/16)][ntap][ceil(kc/4)][16][4] s8, zeros where o >= oc.
 * Group g holds k = 4g .. 4g+3. Where kc is over 4 and no multiple of 4, the
 * last group holds k = kc-4 .. kc-1 with zeros at those that the group before
 * already had: so no kernel reads past the end of x. w is 4-byte aligned (64
 * is best); bias and scale have 16 * ceil(oc/16) elements. Part of the
 * outputs (threads) is asked for by moving w by panels and o by 16.
 *
 * Shape of the vector kernels: a tile of `mr` pixels by `nv` vectors of
 * outputs stays in registers over all taps; groups of 4 k are broadcast from
 * each pixel. Accumulators are named scalars, since compilers keep arrays of
 * vectors in memory. */
#ifndef O2C_CONV_U8_H
#define O2C_CONV_U8_H

#include "u8.h"

typedef struct {
    int32_t oh, ow, oc, ntap, kc;
    const int32_t *tap;
    int64_t x_row, x_pix, y_row, y_pix; /* in elements */
    int32_t y_zp, lo, hi;               /* u8 output only */
    const float *fbias;                 /* f32 output only; may be NULL */
    int16_t *scratch; /* O2C_CONV_U8_SCRATCH elements or NULL; DSP only */
} o2c_conv_u8_p;

/* Elements of scratch: three pixels as 16-bit values. */
#define O2C_CONV_U8_SCRATCH(ntap, kc) (12 * (ntap) * (((kc) + 3) / 4))

enum { O2C_TO_U8, O2C_TO_I32, O2C_TO_F32 };

/* What the tiles of one group of outputs share. */
typedef struct {
    const o2c_conv_u8_p *p;
    const int32_t *bias; /* of the group's first output, as are the next two */
    const float *scale, *fbias;
    o2c_rq q;
    int32_t n;     /* outputs from the group's first to oc */
    int32_t ng;    /* groups of 4 per tap */
    int32_t last;  /* step to the last group */
    int64_t panel; /* bytes of one panel of weights */
} o2c_u8_job;

O2C_U8_INLINE o2c_u8_job o2c_u8_job_make(const o2c_conv_u8_p *p, int32_t o,
                                         const int32_t *bias,
                                         const float *scale)
{
    o2c_u8_job j;
    j.p = p;
    j.bias = bias + o;
    j.scale = scale ? scale + o : 0;
    j.fbias = p->fbias ? p->fbias + o : 0;
    j.q = o2c_rq_make(p->y_zp, p->lo, p->hi);
    j.n = p->oc - o;
    j.ng = (p->kc + 3) / 4;
    j.last = p->kc % 4 ? p->kc % 4 : 4;
    j.panel = (int64_t)p->ntap * j.ng * 64;
    return j;
}

/* The element after e of an output of this kind. */
O2C_U8_INLINE void *o2c_u8_at(void *y, int64_t e, int kind)
{
    return (char *)y + (kind == O2C_TO_U8 ? e : 4 * e);
}

/* A group of a pixel; `few`: kc < 4, where 4 bytes may be too many. */
O2C_U8_INLINE uint32_t o2c_u8_group(const uint8_t *x, int few)
{
    uint32_t v;
    if (!few)
        return o2c_ld32(x);
    v = x[0];
    if (few > 1)
        v |= (uint32_t)x[1] << 8;
    if (few > 2)
        v |= (uint32_t)x[2] << 16;
    return v;
}

#if O2C_U8_LANES > 1
/* Bias, requantisation and store of the lanes from output o of the group. */
O2C_U8_INLINE void o2c_u8_put(const o2c_u8_job *j, o2c_lanes a, int32_t o,
                              void *y, int kind)
{
    const int32_t n = j->n - o;
    void *to = o2c_u8_at(y, o, kind);
    if (n <= 0)
        return;
    a = o2c_lanes_add(a, o2c_lanes_load(j->bias + o));
    if (kind == O2C_TO_U8)
        o2c_lanes_u8(a, j->scale + o, j->q, (uint8_t *)to, n);
    else if (kind == O2C_TO_I32)
        o2c_lanes_i32(a, (int32_t *)to, n);
    else
        o2c_lanes_f32(a, j->scale + o, j->fbias ? j->fbias + o : 0,
                      (float *)to, n);
}

/* ---- what each instruction set brings: o2c_u8_vec, and how to load a
 * group of a pixel (lda), of weights (ldb), and multiply (dot) ------------ */
#if defined(O2C_U8_ISA_AVX512VNNI)

#define O2C_U8_MR 14  /* pixels of the largest tile */
#define O2C_U8_NV 1   /* vectors per panel of 16 outputs */
#define O2C_U8_NP 2   /* panels of a tile */
typedef __m512i o2c_u8_vec;

O2C_U8_INLINE o2c_u8_vec o2c_u8_word(uint32_t x)
{
    return _mm512_set1_epi32((int32_t)x);
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_ldb(const int8_t *w, int64_t panel, int v)
{
    return _mm512_loadu_si512(w + v * panel);
}

/* gcc 12 makes a slow loop of the intrinsic: it copies accumulators. */
O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, o2c_u8_vec a, o2c_u8_vec b)
{
#if defined(__GNUC__) && !defined(__clang__)
    __asm__("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(c) : "v"(a), "v"(b));
    return c;
#else
    return _mm512_dpbusd_epi32(c, a, b);
#endif
}

#elif defined(O2C_U8_ISA_AVXVNNI) || defined(O2C_U8_ISA_AVX2)

#define O2C_U8_NP 1
typedef __m256i o2c_u8_vec;

#if defined(O2C_U8_ISA_AVXVNNI)
#define O2C_U8_MR 6
#define O2C_U8_NV 2
O2C_U8_INLINE o2c_u8_vec o2c_u8_word(uint32_t x)
{
    return _mm256_set1_epi32((int32_t)x);
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_ldb(const int8_t *w, int64_t panel, int v)
{
    (void)panel;
    return _mm256_loadu_si256((const __m256i *)(const void *)(w + 32 * v));
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, o2c_u8_vec a, o2c_u8_vec b)
{
#if defined(__GNUC__) && !defined(__clang__)
    __asm__("%{vex%} vpdpbusd {%2, %1, %0|%0, %1, %2}"
            : "+x"(c) : "x"(a), "x"(b));
    return c;
#else
    return _mm256_dpbusd_avx_epi32(c, a, b);
#endif
}
#else
/* Products of s16 pairs: exact, where vpmaddubsw would saturate. A vector
 * holds two partial sums of each of four outputs. */
#define O2C_U8_MR 3
#define O2C_U8_NV 4
O2C_U8_INLINE o2c_u8_vec o2c_u8_word(uint32_t x)
{
    return _mm256_cvtepu8_epi16(_mm_set1_epi32((int32_t)x));
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_ldb(const int8_t *w, int64_t panel, int v)
{
    (void)panel;
    return _mm256_cvtepi8_epi16(
        _mm_loadu_si128((const __m128i *)(const void *)(w + 16 * v)));
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, o2c_u8_vec a, o2c_u8_vec b)
{
    return _mm256_add_epi32(c, _mm256_madd_epi16(a, b));
}

O2C_U8_INLINE o2c_lanes o2c_u8_fold(o2c_u8_vec a, o2c_u8_vec b)
{
    return _mm256_permute4x64_epi64(_mm256_hadd_epi32(a, b), 0xD8);
}
#endif

#elif defined(O2C_U8_ISA_SSE2)

#define O2C_U8_MR 2
#define O2C_U8_NV 4
#define O2C_U8_NP 1
#define O2C_U8_HALF 1 /* a tile has 8 of the panel's 16 outputs */
typedef __m128i o2c_u8_vec;

O2C_U8_INLINE o2c_u8_vec o2c_u8_word(uint32_t x)
{
    return _mm_unpacklo_epi8(_mm_set1_epi32((int32_t)x), _mm_setzero_si128());
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_ldb(const int8_t *w, int64_t panel, int v)
{
    __m128i b = _mm_loadl_epi64((const __m128i *)(const void *)(w + 8 * v));
    (void)panel;
    return _mm_srai_epi16(_mm_unpacklo_epi8(b, b), 8);
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, o2c_u8_vec a, o2c_u8_vec b)
{
    return _mm_add_epi32(c, _mm_madd_epi16(a, b));
}

O2C_U8_INLINE __m128i o2c_u8_fold(__m128i a, __m128i b)
{
    __m128 x = _mm_castsi128_ps(a), y = _mm_castsi128_ps(b);
    return _mm_add_epi32(_mm_castps_si128(_mm_shuffle_ps(x, y, 0x88)),
                         _mm_castps_si128(_mm_shuffle_ps(x, y, 0xDD)));
}

#elif defined(O2C_U8_ISA_DOT)

/* SDOT wants two signed operands: x - 128, and 128 * sum(w) added to the bias
 * once per panel (o2c_u8_signed_bias). */
#define O2C_U8_MR 6
#define O2C_U8_NV 4
#define O2C_U8_NP 1
#define O2C_U8_SIGNED 1
typedef int32x4_t o2c_u8_vec;

O2C_U8_INLINE int8x16_t o2c_u8_word(uint32_t x)
{
    return vreinterpretq_s8_u32(vdupq_n_u32(x ^ 0x80808080u));
}

O2C_U8_INLINE int8x16_t o2c_u8_ldb(const int8_t *w, int64_t panel, int v)
{
    (void)panel;
    return vld1q_s8(w + 16 * v);
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, int8x16_t a, int8x16_t b)
{
    return vdotq_s32(c, a, b);
}

#else /* NEON without SDOT: products of 8 bits, added in pairs */

#define O2C_U8_MR 4
#define O2C_U8_NV 4
#define O2C_U8_NP 1
#define O2C_U8_HALF 1
#define O2C_U8_SIGNED 1
typedef int32x4_t o2c_u8_vec;

O2C_U8_INLINE int8x8_t o2c_u8_word(uint32_t x)
{
    return vreinterpret_s8_u32(vdup_n_u32(x ^ 0x80808080u));
}

O2C_U8_INLINE int8x8_t o2c_u8_ldb(const int8_t *w, int64_t panel, int v)
{
    (void)panel;
    return vld1_s8(w + 8 * v);
}

O2C_U8_INLINE o2c_u8_vec o2c_u8_dot(o2c_u8_vec c, int8x8_t a, int8x8_t b)
{
    return vpadalq_s16(c, vmull_s8(a, b));
}

O2C_U8_INLINE int32x4_t o2c_u8_fold(int32x4_t a, int32x4_t b)
{
    return vpaddq_s32(a, b);
}
#endif

#if defined(O2C_U8_SIGNED)
#define O2C_U8_NONE vdupq_n_s32(0)
#elif defined(O2C_U8_ISA_AVX512VNNI)
#define O2C_U8_NONE _mm512_setzero_si512()
#elif defined(O2C_U8_ISA_SSE2)
#define O2C_U8_NONE _mm_setzero_si128()
#else
#define O2C_U8_NONE _mm256_setzero_si256()
#endif

/* Lanes out of two vectors of a pixel (NEON, SSE2: four). */
O2C_U8_INLINE o2c_lanes o2c_u8_pair(const o2c_u8_vec *v)
{
#if defined(O2C_U8_ISA_AVX512VNNI) || defined(O2C_U8_ISA_AVXVNNI)
    return v[0];
#elif defined(O2C_U8_ISA_AVX2)
    return o2c_u8_fold(v[0], v[1]);
#else
    o2c_lanes r;
#if defined(O2C_U8_HALF)
    r.a = o2c_u8_fold(v[0], v[1]);
    r.b = o2c_u8_fold(v[2], v[3]);
#else
    r.a = v[0];
    r.b = v[1];
#endif
    return r;
#endif
}

/* The nv vectors of one pixel, on their way out; o: the first's output. */
O2C_U8_INLINE void o2c_u8_out(const o2c_u8_job *j, const o2c_u8_vec *v, int nv,
                              int32_t o, void *y, int kind)
{
#if defined(O2C_U8_HALF)
    (void)nv;
    o2c_u8_put(j, o2c_u8_pair(v), o, y, kind);
#elif defined(O2C_U8_ISA_AVX512VNNI) || defined(O2C_U8_ISA_AVXVNNI)
    o2c_u8_put(j, v[0], o, y, kind);
    if (nv > 1)
        o2c_u8_put(j, v[1], o + O2C_U8_LANES, y, kind);
    if (nv > 2)
        o2c_u8_put(j, v[2], o + 2 * O2C_U8_LANES, y, kind);
    if (nv > 3)
        o2c_u8_put(j, v[3], o + 3 * O2C_U8_LANES, y, kind);
#else
    (void)nv;
    o2c_u8_put(j, o2c_u8_pair(v), o, y, kind);
    o2c_u8_put(j, o2c_u8_pair(v + 2), o + 8, y, kind);
#endif
}

/* ---- the tile ---------------------------------------------------------- */
#define O2C_U8_ROWS(F) \
    F(0, p0, 0) F(1, p0, s) F(2, p0, s + s) F(3, p3, 0) F(4, p3, s) \
    F(5, p3, s + s) F(6, p6, 0) F(7, p6, s) F(8, p6, s + s) F(9, p9, 0) \
    F(10, p9, s) F(11, p9, s + s) F(12, p12, 0) F(13, p12, s)
#define O2C_U8_ZERO(i, p, m) \
    o2c_u8_vec c##i = zero, d##i = zero, e##i = zero, f##i = zero;
#define O2C_U8_STEP(i, p, m) \
    if (mr > i) { \
        const uint32_t x##i = o2c_u8_group(p + (m), few); \
        O2C_U8_DOT(c##i, x##i, 0) O2C_U8_DOT(d##i, x##i, 1) \
        O2C_U8_DOT(e##i, x##i, 2) O2C_U8_DOT(f##i, x##i, 3) }
#define O2C_U8_DOT(c, x, v) \
    if (nv > v) c = o2c_u8_dot(c, o2c_u8_word(x), o2c_u8_ldb(w, panel, v));
#define O2C_U8_PUT(i, p, m) \
    if (mr > i) { \
        const o2c_u8_vec v##i[4] = { c##i, d##i, e##i, f##i }; \
        o2c_u8_out(j, v##i, nv, o, o2c_u8_at(y, i * s, kind), kind); }

/* mr pixels from x by nv vectors of outputs; o: the first, counted from the
 * group's first, which y and j point to. mr, nv, few, kind are literals at
 * every call, so what they rule out costs nothing. */
O2C_U8_INLINE void o2c_u8_tile(const o2c_u8_job *j, const uint8_t *x,
                               const int8_t *w, int32_t o, void *y,
                               const int mr, const int nv, const int few,
                               const int kind)
{
    const o2c_u8_vec zero = O2C_U8_NONE;
    const int64_t panel = j->panel;
    int64_t s = j->p->x_pix;
    int32_t t, g;
    O2C_U8_ROWS(O2C_U8_ZERO)

    for (t = 0; t < j->p->ntap; ++t) {
        const uint8_t *p0 = x + j->p->tap[t];
        const uint8_t *p3 = mr > 3 ? p0 + 3 * s : p0;
        const uint8_t *p6 = mr > 6 ? p3 + 3 * s : p0;
        const uint8_t *p9 = mr > 9 ? p6 + 3 * s : p0;
        const uint8_t *p12 = mr > 12 ? p9 + 3 * s : p0;
        for (g = j->ng; g > 0; --g) {
            const int32_t step = g == 2 ? j->last : 4;
            O2C_U8_ROWS(O2C_U8_STEP)
            w += 64;
            p0 += step, p3 += step, p6 += step, p9 += step, p12 += step;
        }
    }
    s = j->p->y_pix;
    O2C_U8_ROWS(O2C_U8_PUT)
}

/* The tile sizes of this machine, largest first. */
#if O2C_U8_MR == 14
#define O2C_U8_SIZES(F) F(14) F(8) F(7) F(4) F(2) F(1)
#elif O2C_U8_MR == 6
#define O2C_U8_SIZES(F) F(6) F(4) F(2) F(1)
#elif O2C_U8_MR == 4
#define O2C_U8_SIZES(F) F(4) F(2) F(1)
#elif O2C_U8_MR == 3
#define O2C_U8_SIZES(F) F(3) F(2) F(1)
#else
#define O2C_U8_SIZES(F) F(2) F(1)
#endif
#define O2C_U8_RUN(m) \
    for (; n >= m; n -= m) { \
        o2c_u8_tile(j, x, w, o, y, m, nv, 0, kind); \
        x += m * j->p->x_pix; \
        y = o2c_u8_at(y, m * j->p->y_pix, kind); }

/* n pixels of one row. */
O2C_U8_INLINE void o2c_u8_strip(const o2c_u8_job *j, const uint8_t *x,
                                const int8_t *w, int32_t o, void *y,
                                int64_t n, const int nv, const int kind)
{
    if (j->p->kc < 4) {
        const int few = j->p->kc;
        for (; n > 0; --n) {
            o2c_u8_tile(j, x, w, o, y, 1, nv, few, kind);
            x += j->p->x_pix;
            y = o2c_u8_at(y, j->p->y_pix, kind);
        }
        return;
    }
    O2C_U8_SIZES(O2C_U8_RUN)
}

/* The rows of one group of outputs: np panels, or a half of one. */
O2C_U8_INLINE void o2c_u8_rows(const o2c_u8_job *j, const uint8_t *x,
                               const int8_t *w, void *y, int64_t rows,
                               int64_t cols, const int np, const int kind)
{
    for (; rows > 0; --rows) {
        o2c_u8_strip(j, x, w, 0, y, cols, O2C_U8_NV * np, kind);
#if defined(O2C_U8_HALF)
        if (j->n > 8)
            o2c_u8_strip(j, x, w + 32, 8, y, cols, O2C_U8_NV, kind);
#endif
        x += j->p->x_row;
        y = o2c_u8_at(y, j->p->y_row, kind);
    }
}

#if defined(O2C_U8_SIGNED)
/* sum (x - 128) w = sum x w - 128 sum w: what the signed products lack. */
O2C_U8_INLINE void o2c_u8_signed_bias(const o2c_u8_job *j, const int8_t *w,
                                      int32_t *bias)
{
    int64_t i;
    int32_t o, sum[16] = { 0 };
    for (i = 0; i < j->panel; i += 64)
        for (o = 0; o < 16; ++o)
            sum[o] += w[i + 4 * o] + w[i + 4 * o + 1] + w[i + 4 * o + 2] +
                      w[i + 4 * o + 3];
    for (o = 0; o < 16; ++o)
        bias[o] = o2c_wrap_add(j->bias[o],
                               (int32_t)(128u * (uint32_t)sum[o]));
}
#endif

/* One pass over a block of pixels that fits the cache, all outputs. */
O2C_U8_INLINE void o2c_u8_block(const uint8_t *x, const int8_t *w,
                                const int32_t *bias, const float *scale,
                                void *y, const o2c_conv_u8_p *p,
                                const int64_t *size, const int kind)
{
    int32_t o, np;
    for (o = 0; o < p->oc; o += 16 * np) {
        o2c_u8_job j = o2c_u8_job_make(p, o, bias, scale);
        const int8_t *wo = w + o / 16 * j.panel;
        void *yo = o2c_u8_at(y, o, kind);
#if defined(O2C_U8_SIGNED)
        int32_t sb[16];
        o2c_u8_signed_bias(&j, wo, sb);
        j.bias = sb;
#endif
        np = j.n > 16 * (O2C_U8_NP - 1) ? O2C_U8_NP : 1;
#if defined(O2C_U8_ISA_AVX512VNNI)
        if (j.n > 48 && size[0] * size[1] == 1 && p->kc >= 4) {
            np = 4; /* one pixel: four chains hide the latency */
            o2c_u8_tile(&j, x, wo, 0, yo, 1, 4, 0, kind);
        } else if (np == 2)
            o2c_u8_rows(&j, x, wo, yo, size[0], size[1], 2, kind);
        else
#endif
            o2c_u8_rows(&j, x, wo, yo, size[0], size[1], 1, kind);
    }
}

/* Blocks of about 256 KB of input, so that it is read from the cache for all
 * outputs while a panel of weights is used for the whole block. */
O2C_U8_INLINE void o2c_u8_conv(const uint8_t *x, const int8_t *w,
                               const int32_t *bias, const float *scale,
                               void *y, const o2c_conv_u8_p *p, const int kind)
{
    const int64_t budget = 262144;
    int64_t n[2], size[2], at[2] = { 0, 0 };
    const int flat = p->oh == 1 || (p->x_row == p->ow * p->x_pix &&
                                    p->y_row == p->ow * p->y_pix);
    n[0] = flat ? 1 : p->oh;
    n[1] = flat ? (int64_t)p->oh * p->ow : p->ow;
    size[0] = p->x_row > 0 && !flat ? budget / p->x_row + 1 : 1;
    size[1] = flat && p->x_pix > 0 ? (budget / p->x_pix + 56) / 56 * 56 : n[1];
    for (at[0] = 0; at[0] < n[0]; at[0] += size[0]) {
        for (at[1] = 0; at[1] < n[1]; at[1] += size[1]) {
            int64_t now[2];
            now[0] = n[0] - at[0] < size[0] ? n[0] - at[0] : size[0];
            now[1] = n[1] - at[1] < size[1] ? n[1] - at[1] : size[1];
            o2c_u8_block(x + at[0] * p->x_row + at[1] * p->x_pix, w, bias,
                         scale,
                         o2c_u8_at(y, at[0] * p->y_row + at[1] * p->y_pix,
                                   kind), p, now, kind);
        }
    }
}

#else /* no vectors: blocks of 2 pixels by 2 outputs in plain registers */

#if defined(O2C_U8_ISA_DSP)

/* c: outputs o, o + 1 of the pixel at x0, then (if two) of that at x1. Bytes
 * 0, 2 and 1, 3 widen in one instruction each, on both sides alike. */
O2C_U8_INLINE void o2c_u8_quad(int32_t *c, const uint8_t *x0,
                               const uint8_t *x1, const int8_t *w,
                               const int two)
{
    const int8_t *v = (const int8_t *)__builtin_assume_aligned(w, 4);
    const uint32_t u = o2c_ld32(v), t = o2c_ld32(v + 4);
    const uint32_t u0 = o2c_sxtb16(u), u1 = o2c_sxtb16_8(u);
    const uint32_t t0 = o2c_sxtb16(t), t1 = o2c_sxtb16_8(t);
    uint32_t x = o2c_ld32(x0), e = o2c_uxtb16(x), o = o2c_uxtb16_8(x);
    c[0] = o2c_smlad(o, u1, o2c_smlad(e, u0, c[0]));
    c[1] = o2c_smlad(o, t1, o2c_smlad(e, t0, c[1]));
    if (!two)
        return;
    x = o2c_ld32(x1);
    e = o2c_uxtb16(x);
    o = o2c_uxtb16_8(x);
    c[2] = o2c_smlad(o, u1, o2c_smlad(e, u0, c[2]));
    c[3] = o2c_smlad(o, t1, o2c_smlad(e, t0, c[3]));
}

#else

/* A sum of 4 fits 32 bits whatever the operands; the running sum may wrap. */
O2C_U8_INLINE int32_t o2c_u8_dot4(int32_t c, const uint8_t *x, const int8_t *w)
{
    return o2c_wrap_add(c, x[0] * w[0] + x[1] * w[1] + x[2] * w[2] +
                               x[3] * w[3]);
}

O2C_U8_INLINE void o2c_u8_quad(int32_t *c, const uint8_t *x0,
                               const uint8_t *x1, const int8_t *w,
                               const int two)
{
    c[0] = o2c_u8_dot4(c[0], x0, w);
    c[1] = o2c_u8_dot4(c[1], x0, w + 4);
    if (!two)
        return;
    c[2] = o2c_u8_dot4(c[2], x1, w);
    c[3] = o2c_u8_dot4(c[3], x1, w + 4);
}

#endif

/* Adds to c outputs o, o + 1 (w: in their panel) of the pixels x0 and x1. */
O2C_U8_INLINE void o2c_u8_tile22(int32_t *c, const uint8_t *x0,
                                 const uint8_t *x1, const int8_t *w,
                                 const o2c_u8_job *j, const int two)
{
    int32_t t, g, k;
    for (t = 0; t < j->p->ntap; ++t) {
        const uint8_t *a = x0 + j->p->tap[t], *b = x1 + j->p->tap[t];
        if (j->p->kc < 4) {
            for (k = 0; k < j->p->kc; ++k) {
                c[0] = o2c_wrap_add(c[0], a[k] * w[k]);
                c[1] = o2c_wrap_add(c[1], a[k] * w[k + 4]);
                c[2] = o2c_wrap_add(c[2], b[k] * w[k]);
                c[3] = o2c_wrap_add(c[3], b[k] * w[k + 4]);
            }
            w += 64;
            continue;
        }
        for (g = j->ng - 1; g > 0; --g, a += 4, b += 4, w += 64)
            o2c_u8_quad(c, a, b, w, two);
        o2c_u8_quad(c, a + j->last - 4, b + j->last - 4, w, two);
        w += 64;
    }
}

/* Outputs o and (if there is one) o + 1 of one pixel. */
O2C_U8_INLINE void o2c_u8_put(const o2c_u8_job *j, const int32_t *acc,
                              int32_t o, void *y, const int kind)
{
    const int two = o + 1 < j->n;
    if (kind == O2C_TO_U8) {
        uint8_t *to = (uint8_t *)y + o;
        const uint32_t v = o2c_requant_two(acc, j->scale + o, j->q);
        to[0] = (uint8_t)v;
        if (two)
            to[1] = (uint8_t)(v >> 8);
    } else if (kind == O2C_TO_I32) {
        memcpy((int32_t *)y + o, acc, two ? 8 : 4);
    } else {
        int32_t k;
        for (k = 0; k <= two; ++k)
            o2c_lanes_f32(acc[k], j->scale + o + k,
                          j->fbias ? j->fbias + o + k : 0,
                          (float *)y + o + k, 1);
    }
}

/* One pixel, or two. */
O2C_U8_INLINE void o2c_u8_pixels(const o2c_u8_job *j, const uint8_t *x,
                                 const int8_t *w, void *y, const int two,
                                 const int kind)
{
    const uint8_t *x1 = two ? x + j->p->x_pix : x;
    int32_t o;
    for (o = 0; o < j->n; o += 2) {
        int32_t c[4];
        c[0] = c[2] = j->bias[o];
        c[1] = c[3] = j->bias[o + 1];
        o2c_u8_tile22(c, x, x1, w, j, two);
        o2c_u8_put(j, c, o, y, kind);
        if (two)
            o2c_u8_put(j, c + 2, o, o2c_u8_at(y, j->p->y_pix, kind), kind);
        w += o % 16 == 14 ? j->panel - 56 : 8;
    }
}

#if defined(O2C_U8_ISA_DSP)

/* One group of 4 k: weights r12, r0 and lr, r3; pixel after pixel r10, r11. */
#define O2C_U8_PIXEL(a, b) \
    "ldrd r10, r11, [r1], #8\n\t" \
    "smlad " a ", r10, r12, " a "\n\tsmlad " b ", r10, lr, " b "\n\t" \
    "smlad " a ", r11, r0, " a "\n\tsmlad " b ", r11, r3, " b "\n\t"
#define O2C_U8_GROUP \
    "ldrd r0, r3, [r2], #64\n\t" \
    "sxtb16 r12, r0\n\tsxtb16 r0, r0, ror #8\n\t" \
    "sxtb16 lr, r3\n\tsxtb16 r3, r3, ror #8\n\t" \
    O2C_U8_PIXEL("r4", "r5") O2C_U8_PIXEL("r6", "r7") O2C_U8_PIXEL("r8", "r9")

/* c[6] += three widened pixels x by two outputs, over n groups. It takes all
 * 14 registers, hence a function of its own: 41 instructions for 48 products
 * and 4 for the loop, whose counter lives on the stack. */
__attribute__((naked, noinline, unused)) static void o2c_u8_tile32(
    int32_t *c __attribute__((unused)), const int16_t *x __attribute__((unused)),
    const int8_t *w __attribute__((unused)), int32_t n __attribute__((unused)))
{
    __asm__ volatile(
        "push {r0, r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"
        "ldm r0, {r4, r5, r6, r7, r8, r9}\n\t"
        "lsrs r3, r3, #1\n\t"
        "str r3, [sp, #4]\n\t"
        "bcc 1f\n\t"
        O2C_U8_GROUP
        "1: ldr r0, [sp, #4]\n\t"
        "cmp r0, #0\n\t"
        "beq 3f\n"
        "2:\t" O2C_U8_GROUP O2C_U8_GROUP
        "ldr r0, [sp, #4]\n\t"
        "subs r0, r0, #1\n\t"
        "str r0, [sp, #4]\n\t"
        "bne 2b\n"
        "3:\tpop {r0, r3}\n\t"
        "stm r0, {r4, r5, r6, r7, r8, r9}\n\t"
        "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}");
}

/* All taps of three pixels as 16-bit values: of each group of 4 and each
 * pixel, first 0 and 2, then 1 and 3. */
O2C_U8_INLINE void o2c_u8_widen(const o2c_u8_job *j, const uint8_t *const *x,
                                uint32_t *to)
{
    int32_t t, g, i;
    for (t = 0; t < j->p->ntap; ++t) {
        const uint8_t *a = x[0] + j->p->tap[t];
        const ptrdiff_t b = x[1] - x[0], c = x[2] - x[0];
        for (g = j->ng; g > 0; --g) {
            if (j->p->kc < 4) {
                for (i = 0; i < 3; ++i, to += 2) {
                    const uint32_t v = o2c_u8_group(a + (x[i] - x[0]),
                                                    j->p->kc);
                    to[0] = o2c_uxtb16(v);
                    to[1] = o2c_uxtb16_8(v);
                }
                continue;
            }
            if (g == 1)
                a += j->last - 4;
            {
                const uint32_t u = o2c_ld32(a), v = o2c_ld32(a + b);
                const uint32_t z = o2c_ld32(a + c);
                to[0] = o2c_uxtb16(u);
                to[1] = o2c_uxtb16_8(u);
                to[2] = o2c_uxtb16(v);
                to[3] = o2c_uxtb16_8(v);
                to[4] = o2c_uxtb16(z);
                to[5] = o2c_uxtb16_8(z);
            }
            a += 4;
            to += 6;
        }
    }
}

/* All outputs of three pixels, widened in the scratch. */
O2C_U8_INLINE void o2c_u8_three(const o2c_u8_job *j, const int8_t *w,
                                void *const *y, const int kind)
{
    const int32_t n = j->p->ntap * j->ng;
    int32_t o;
    for (o = 0; o < j->n; o += 2) {
        int32_t c[6];
        c[0] = c[2] = c[4] = j->bias[o];
        c[1] = c[3] = c[5] = j->bias[o + 1];
        o2c_u8_tile32(c, j->p->scratch, w, n);
        o2c_u8_put(j, c, o, y[0], kind);
        o2c_u8_put(j, c + 2, o, y[1], kind);
        o2c_u8_put(j, c + 4, o, y[2], kind);
        w += o % 16 == 14 ? j->panel - 56 : 8;
    }
}

/* With scratch: pixels in threes, on over the ends of rows. */
O2C_U8_INLINE void o2c_u8_threes(const o2c_u8_job *j, const uint8_t *x,
                                 const int8_t *w, void *y, const int kind)
{
    const o2c_conv_u8_p *p = j->p;
    const uint8_t *a[3];
    void *b[3];
    int32_t i, k, n = 0;
    for (i = 0; i < p->oh; ++i)
        for (k = 0; k < p->ow; ++k) {
            a[n] = x + (ptrdiff_t)i * (ptrdiff_t)p->x_row +
                   (ptrdiff_t)k * (ptrdiff_t)p->x_pix;
            b[n] = o2c_u8_at(y, (ptrdiff_t)i * (ptrdiff_t)p->y_row +
                                    (ptrdiff_t)k * (ptrdiff_t)p->y_pix, kind);
            if (++n < 3)
                continue;
            n = 0;
            o2c_u8_widen(j, a, (uint32_t *)(void *)p->scratch);
            o2c_u8_three(j, w, b, kind);
        }
    for (i = 0; i < n; ++i)
        o2c_u8_pixels(j, a[i], w, b[i], 0, kind);
}
#endif

O2C_U8_INLINE void o2c_u8_conv(const uint8_t *x, const int8_t *w,
                               const int32_t *bias, const float *scale,
                               void *y, const o2c_conv_u8_p *p, const int kind)
{
    const o2c_u8_job j = o2c_u8_job_make(p, 0, bias, scale);
    int32_t i, k;
#if defined(O2C_U8_ISA_DSP)
    if (p->scratch) {
        o2c_u8_threes(&j, x, w, y, kind);
        return;
    }
#endif
    for (i = 0; i < p->oh; ++i) {
        const uint8_t *a = x + i * p->x_row;
        void *to = o2c_u8_at(y, i * p->y_row, kind);
        for (k = 0; k + 2 <= p->ow; k += 2, a += 2 * p->x_pix) {
            o2c_u8_pixels(&j, a, w, to, 1, kind);
            to = o2c_u8_at(to, 2 * p->y_pix, kind);
        }
        if (k < p->ow)
            o2c_u8_pixels(&j, a, w, to, 0, kind);
    }
}

#endif /* O2C_U8_LANES */

/* ---- the kernels ------------------------------------------------------- */
O2C_U8_NOINLINE void o2c_conv_u8(const uint8_t *x, const int8_t *w,
                                     const int32_t *bias, const float *scale,
                                     uint8_t *y, const o2c_conv_u8_p *p)
{
    o2c_u8_conv(x, w, bias, scale, y, p, O2C_TO_U8);
}

/* y = acc; scale, y_zp, lo, hi are not used. */
O2C_U8_NOINLINE void o2c_conv_u8_i32(const uint8_t *x, const int8_t *w,
                                     const int32_t *bias, int32_t *y,
                                     const o2c_conv_u8_p *p)
{
    o2c_u8_conv(x, w, bias, 0, y, p, O2C_TO_I32);
}

/* y = (float)acc * scale[o] + fbias[o], each operation rounded. */
O2C_U8_NOINLINE void o2c_conv_u8_f32(const uint8_t *x, const int8_t *w,
                                     const int32_t *bias, const float *scale,
                                     float *y, const o2c_conv_u8_p *p)
{
    o2c_u8_conv(x, w, bias, scale, y, p, O2C_TO_F32);
}

typedef struct {
    int32_t h, w, c; /* input */
    int32_t top, left, bottom, right;
    uint8_t value;
} o2c_pad_hwc_u8_p;

/* x [h][w][c] into the middle of y [top+h+bottom][left+w+right][c], whose
 * border is `value`, the zero point. */
O2C_U8_NOINLINE void o2c_pad_hwc_u8(const uint8_t *x, uint8_t *y,
                                    const o2c_pad_hwc_u8_p *p)
{
    const size_t c = (size_t)p->c, row = (size_t)p->w * c;
    const size_t left = (size_t)p->left * c, right = (size_t)p->right * c;
    const size_t all = left + row + right;
    int32_t i;
    memset(y, p->value, (size_t)p->top * all + left);
    y += (size_t)p->top * all + left;
    for (i = 0; i < p->h; ++i, x += row, y += all) {
        memcpy(y, x, row);
        if (i + 1 < p->h)
            memset(y + row, p->value, right + left);
    }
    y -= left + right;
    memset(y, p->value, right + (size_t)p->bottom * all);
}

#endif /* O2C_CONV_U8_H */
