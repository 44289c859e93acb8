/* SPDX-License-Identifier: 0BSD */
/* f32 convolutions whose filters have few weights.

   static void o2c_short_f32_TxK(const float *x, const float *w,
                                 const float *bias, float *y,
                                 const o2c_conv_f32_p *p, int32_t from,
                                 int32_t to);
   static void o2c_short_f32(.., const o2c_conv_f32_p *p);

   The first, for each T, K of conv_short_sizes.h, is what o2c_conv_f32_pixels
   of conv_f32.h does without a residual, with the same bits, where p->ntap is T
   and p->kc K. The second takes all pixels, by the one that fits.

   A tile ends in a burst of stores, which after a short sum takes a third of
   its time. Where there are 32 vectors, a filter's weights stay in them while
   pixels pass, a few at a time; so a store comes after as many products as the
   filter has weights. Elsewhere it is the tiles of conv_f32.h. */
#ifndef O2C_CONV_SHORT_F32_H
#define O2C_CONV_SHORT_F32_H

#include "conv_f32.h"
#include "conv_short_sizes.h"

#if defined(O2C_AVX512)

/* Pixels [from, to) of one vector of columns, n of them valid. */
typedef struct {
  const float *x, *w, *bias;
  float *y;
  const o2c_conv_f32_p *p;
  int32_t from, to;
  int n;
} o2c_short_part;

#define O2C_SHORT_ALL(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) \
  X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) \
  X(22) X(23) X(24) X(25) X(26)

/* gcc would keep an address in memory for each of a loop's products, and not
   take pixels in turns. */
#if defined(__GNUC__) && !defined(__clang__)
#define O2C_SHORT_PLAIN(p) __asm__("" : "+r"(p))
#define O2C_SHORT_TURNS(a, b, c, d) \
  __asm__("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d))
#else
#define O2C_SHORT_TURNS(a, b, c, d) ((void)0)
#define O2C_SHORT_PLAIN(p) ((void)(p))
#endif

/* Product e of px pixels, after their addresses where a tap begins; what
   constants exclude vanishes. */
#define O2C_SHORT_AT(q, e) if (px > q) { \
    x##q = x + tap[(e) / k] + (q) * x_pix; \
    O2C_SHORT_PLAIN(x##q); }
#define O2C_SHORT_FMA(q, e) if (px > q) \
    c##q = o2c_vfma(o2c_vset1(x##q[(e) % k]), w##e, c##q);
#define O2C_SHORT_STEP(e) if (t * k > e) { \
    if ((e) % k == 0) { O2C_SHORT_EACH(O2C_SHORT_AT, e) } \
    O2C_SHORT_EACH(O2C_SHORT_FMA, e) \
    if (px == 4) O2C_SHORT_TURNS(c0, c1, c2, c3); }
#define O2C_SHORT_EACH(X, e) X(0, e) X(1, e) X(2, e) X(3, e) X(4, e) X(5, e) \
  X(6, e) X(7, e)
#define O2C_SHORT_PUT(q, e) if (px > q) { \
    c##q = o2c_vclamp(c##q, o2c_vset1(a->p->lo), o2c_vset1(a->p->hi)); \
    o2c_vst_n(y + (q) * y_pix, c##q, n); }
#define O2C_SHORT_PIXELS(count) { \
    enum { px = count }; \
    const float *x0 = x, *x1 = x, *x2 = x, *x3 = x, *x4 = x, *x5 = x, \
                *x6 = x, *x7 = x; \
    o2c_v c0 = bias, c1 = bias, c2 = bias, c3 = bias, c4 = bias, c5 = bias, \
          c6 = bias, c7 = bias; \
    O2C_SHORT_ALL(O2C_SHORT_STEP) \
    O2C_SHORT_EACH(O2C_SHORT_PUT, 0) \
    x += px * x_pix; \
    y += px * y_pix; }

O2C_INLINE void o2c_short_f32_vector(const o2c_short_part *a, const int t,
                                     const int k)
{
  enum { few = 4, many = 8 };
  const int n = a->n;
  const o2c_conv_f32_p *const p = a->p;
  const ptrdiff_t x_pix = (ptrdiff_t)p->x_pix, y_pix = (ptrdiff_t)p->y_pix;
  const int32_t *const tap = p->tap;
  const o2c_v bias = a->bias ? o2c_vld_n(a->bias, n) : o2c_vzero();
#define O2C_X(e) o2c_v w##e = o2c_vld(a->w + (t * k > e ? 16 * e : 0)); \
  O2C_HOLD(w##e);
  O2C_SHORT_ALL(O2C_X)
#undef O2C_X
  for (int32_t m = a->from; m < a->to;) {
    const int32_t i = m / p->ow;
    int32_t j = m - i * p->ow;
    const int32_t end = a->to - m < p->ow - j ? j + a->to - m : p->ow;
    const float *x = a->x + i * p->x_row + j * x_pix;
    float *y = a->y + i * p->y_row + j * y_pix;
    m += end - j;
    if (t * k <= 16) {
      O2C_ROLLED
      for (; j + many <= end; j += many)
        O2C_SHORT_PIXELS(many)
    }
    O2C_ROLLED
    for (; j + few <= end; j += few)
      O2C_SHORT_PIXELS(few)
    O2C_ROLLED
    for (; j < end; j++)
      O2C_SHORT_PIXELS(1)
  }
}

#undef O2C_SHORT_PIXELS
#undef O2C_SHORT_PUT
#undef O2C_SHORT_STEP
#undef O2C_SHORT_EACH
#undef O2C_SHORT_FMA
#undef O2C_SHORT_AT
#undef O2C_SHORT_TURNS
#undef O2C_SHORT_PLAIN
#undef O2C_SHORT_ALL

/* Pixels to take through all columns before the next ones: so many that to
   load the weights is little, and that their inputs stay in the cache. */
#define O2C_SHORT_BLOCK 128

O2C_INLINE void o2c_short_f32_pixels(const float *x, const float *w,
                                     const float *bias, float *y,
                                     const o2c_conv_f32_p *conv, int32_t from,
                                     int32_t to, const int t, const int k)
{
  o2c_conv_f32_p p = *conv;
  o2c_short_part a;
  if (o2c_conv_f32_flat(&p, NULL)) {
    p.ow *= p.oh;
    p.oh = 1;
  }
  a.x = x;
  a.p = &p;
  for (; from < to; from = a.to) {
    a.from = from;
    a.to = to - from < 2 * O2C_SHORT_BLOCK ? to : from + O2C_SHORT_BLOCK;
    for (int32_t o = 0; o < p.oc; o += O2C_LANES) {
      a.w = w + (ptrdiff_t)o * t * k;
      a.bias = bias ? bias + o : bias;
      a.y = y + o;
      a.n = p.oc - o;
      o2c_short_f32_vector(&a, t, k);
    }
  }
}

#else

O2C_INLINE void o2c_short_f32_pixels(const float *x, const float *w,
                                     const float *bias, float *y,
                                     const o2c_conv_f32_p *p, int32_t from,
                                     int32_t to, const int t, const int k)
{
  (void)t;
  (void)k;
  o2c_conv_f32_pixels(x, w, bias, NULL, y, p, from, to);
}

#endif

#define O2C_X(t, k) O2C_NOINLINE void o2c_short_f32_##t##x##k( \
  const float *x, const float *w, const float *bias, float *y, \
  const o2c_conv_f32_p *p, int32_t from, int32_t to) \
{ \
  o2c_short_f32_pixels(x, w, bias, y, p, from, to, t, k); \
}
O2C_SHORT_SIZES(O2C_X)
#undef O2C_X

/* All pixels, of any size. */
O2C_UNUSED static void o2c_short_f32(const float *x, const float *w,
                                     const float *bias, float *y,
                                     const o2c_conv_f32_p *p)
{
  const int32_t n = p->oh * p->ow;
  switch (p->kc < 32 ? p->ntap * 32 + p->kc : 0) {
#define O2C_X(t, k) case t * 32 + k: \
    o2c_short_f32_##t##x##k(x, w, bias, y, p, 0, n); break;
  O2C_SHORT_SIZES(O2C_X)
#undef O2C_X
  default: o2c_conv_f32(x, w, bias, NULL, y, p); break;
  }
}

#endif
