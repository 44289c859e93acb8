/* SPDX-License-Identifier: 0BSD */
/* Steps of f32 RNN (kind 0: tanh), GRU (1) and LSTM (2: sigmoid, tanh, tanh)
   over what W and the biases made of the inputs beforehand.

   static int o2c_recurrent_f32(const float *x, const float *r,
                                const float *rb, const int32_t *lens,
                                const float *h0, const float *c0, float *y,
                                float *yh, float *yc, float *work,
                                const o2c_recurrent_f32_p *p);

   x     G*H sums a row for each direction, gates as iofc or zrh
   r     the recurrence, for each direction panels of 16 columns as conv_f32.h
         wants them: one set for all G*H gates; for GRU whose reset comes before
         the product one of 2*H and one of H
   rb    [dirs][H], added to the product that GRU resets (`linear`), or NULL
   lens  steps of each row, or NULL: all; 1 is returned, and nothing written,
         where one is not within 0 .. steps
   work  O2C_RECURRENT_ROOM floats
   lens, h0, c0, y, yh, yc may be NULL; nothing overlaps. Steps past a row's
   length make zeros in y; the reverse direction begins at the row's last step.

   All rows take a step together: one product [rows, H] x [H, G*H], then a row's
   gates while they are in cache. A row's bits do not depend on the others. */
#ifndef O2C_RECURRENT_F32_H
#define O2C_RECURRENT_F32_H

#include "conv_f32.h"
#include "math_f32.h"

/* Gates, the states, and the reset state. */
#define O2C_RECURRENT_ROOM(rows, h) ((rows) * (h) * 7)

typedef struct {
  int32_t kind, steps, rows, hidden, dirs;
  int32_t reverse, linear;
  int64_t x_time, x_row; /* elements between steps and rows of x, */
  int64_t y_time, y_dir, y_row, s_dir, s_row; /* .. of y, of the states */
} o2c_recurrent_f32_p;

O2C_INLINE void o2c_recur_add(float *y, const float *x, int32_t n)
{
  const int32_t whole = n - n % O2C_LANES;
  for (int32_t i = 0; i < whole; i += O2C_LANES)
    o2c_vst(y + i, o2c_vadd(o2c_vld(y + i), o2c_vld(x + i)));
  for (int32_t i = whole; i < n; i++)
    y[i] += x[i];
}

O2C_INLINE void o2c_recur_mul(float *y, const float *x, int32_t n)
{
  const int32_t whole = n - n % O2C_LANES;
  for (int32_t i = 0; i < whole; i += O2C_LANES)
    o2c_vst(y + i, o2c_vmul(o2c_vld(y + i), o2c_vld(x + i)));
  for (int32_t i = whole; i < n; i++)
    y[i] *= x[i];
}

/* One over sigmoid(x), at most exp(87): a gate is a factor, for which a few
   units in the last place are enough. */
O2C_INLINE float o2c_recur_over(float x)
{
  const float top = o2c_select_f32(x > 87.0f, 87.0f, x);
  const float v = o2c_select_f32(top < -87.0f, -87.0f, top);
  const o2c_exp_f32 e = o2c_exp_normal(-v);
  return O2C_FMAF(e.q, e.s, e.s) + 1.0f;
}

O2C_INLINE float o2c_recur_gate(float x)
{
  return 1.0f / o2c_recur_over(x);
}

/* tanh(x) = n / d with d within [1, 2], of exp(-2|x|) - 1. */
typedef struct {
  float n, d;
} o2c_recur_tanh_f32;

O2C_INLINE o2c_recur_tanh_f32 o2c_recur_tanh_parts(float x)
{
  const float v = -2.0f * o2c_absf(x);
  const o2c_exp_f32 e = o2c_exp_normal(o2c_select_f32(v < -20.0f, -20.0f, v));
  const float m = O2C_FMAF(e.q, e.s, e.s - 1.0f);
  o2c_recur_tanh_f32 t;
  t.n = o2c_copysignf(m, x);
  t.d = m + 2.0f;
  return t;
}

/* A unit of an LSTM, from its gates: the cell, and the state that comes back.
   Quotients are multiplied before they are divided. */
O2C_INLINE float o2c_lstm_unit(float in, float out, float forget, float fresh,
                               float *c)
{
  const o2c_recur_tanh_f32 f = o2c_recur_tanh_parts(fresh);
  const float add = f.n / (f.d * o2c_recur_over(in));
  const float cell = *c / o2c_recur_over(forget) + add;
  const o2c_recur_tanh_f32 t = o2c_recur_tanh_parts(cell);
  *c = cell;
  return t.n / (t.d * o2c_recur_over(out));
}

O2C_INLINE void o2c_recur_sigmoid(float *x, int32_t n)
{
  for (int32_t i = 0; i < n; i++)
    x[i] = o2c_recur_gate(x[i]);
}

O2C_INLINE void o2c_recur_tanh(float *x, int32_t n)
{
  for (int32_t i = 0; i < n; i++) {
    const o2c_recur_tanh_f32 t = o2c_recur_tanh_parts(x[i]);
    x[i] = t.n / t.d;
  }
}

/* `count` units of one row of an LSTM, from their gates' products g, which are
   `each` apart, and sums x, n apart. Nothing overlaps, without which clang
   makes no vectors of this. */
O2C_INLINE void o2c_lstm_units_of(const float *__restrict g, ptrdiff_t each,
                                  const float *__restrict x,
                                  float *__restrict c,
                                  float *__restrict h, ptrdiff_t n,
                                  int32_t count)
{
  for (int32_t i = 0; i < count; i++)
    h[i] = o2c_lstm_unit(g[i] + x[i], g[each + i] + x[n + i],
                         g[2 * each + i] + x[2 * n + i],
                         g[3 * each + i] + x[3 * n + i], c + i);
}

O2C_NOINLINE void o2c_lstm_row(const float *g, const float *x, float *h,
                               float *c, int32_t n)
{
  o2c_lstm_units_of(g, n, x, c, h, n, n);
}

/* h = (1 - z) g + z h, as g + z (h - g). */
O2C_INLINE void o2c_gru_mix(float *h, const float *z, const float *g,
                            int32_t n)
{
  const int32_t whole = n - n % O2C_LANES;
  for (int32_t i = 0; i < whole; i += O2C_LANES) {
    const o2c_v v = o2c_vld(g + i);
    const o2c_v d = o2c_vsub(o2c_vld(h + i), v);
    o2c_vst(h + i, o2c_vfma(o2c_vld(z + i), d, v));
  }
  for (int32_t i = whole; i < n; i++)
    h[i] = O2C_FMAF(z[i], h[i] - g[i], g[i]);
}

O2C_NOINLINE void o2c_rnn_row(const float *g, const float *x, float *h,
                              int32_t n)
{
  memcpy(h, g, (size_t)n * sizeof *h);
  o2c_recur_add(h, x, n);
  o2c_recur_tanh(h, n);
}

/* Update and reset gates; then the reset state, for the second product. */
O2C_NOINLINE void o2c_gru_reset(float *g, const float *x, const float *h,
                                float *reset, int32_t n)
{
  o2c_recur_add(g, x, 2 * n);
  o2c_recur_sigmoid(g, 2 * n);
  memcpy(reset, h, (size_t)n * sizeof *h);
  o2c_recur_mul(reset, g + n, n);
}

O2C_NOINLINE void o2c_gru_row(float *g, const float *x, float *h, int32_t n)
{
  float *const new_h = g + 2 * (ptrdiff_t)n;
  o2c_recur_add(new_h, x + 2 * (ptrdiff_t)n, n);
  o2c_recur_tanh(new_h, n);
  o2c_gru_mix(h, g, new_h, n);
}

O2C_NOINLINE void o2c_gru_linear_row(float *g, const float *x,
                                     const float *rb, float *h, int32_t n)
{
  float *const new_h = g + 2 * (ptrdiff_t)n;
  o2c_recur_add(g, x, 2 * n);
  o2c_recur_sigmoid(g, 2 * n);
  if (rb)
    o2c_recur_add(new_h, rb, n);
  o2c_recur_mul(new_h, g + n, n);
  o2c_gru_row(g, x, h, n);
}

/* y [rows, n], y_row apart, = a [rows, k], a_row apart, times panels, + b. */
O2C_INLINE void o2c_recur_product(const float *a, ptrdiff_t a_row,
                                  const float *panels, const float *b, float *y,
                                  ptrdiff_t y_row, int32_t rows, int32_t k,
                                  int32_t n)
{
  static const int32_t tap[] = {0};
  o2c_conv_f32_p q;
  memset(&q, 0, sizeof q);
  q.oh = 1;
  q.ow = rows;
  q.oc = n;
  q.ntap = 1;
  q.kc = k;
  q.tap = tap;
  q.x_pix = a_row;
  q.y_pix = y_row;
  q.lo = -INFINITY;
  q.hi = INFINITY;
  o2c_conv_f32(a, panels, b, NULL, y, &q);
}

/* The step that a row takes at time t; -1: none is left. */
O2C_INLINE int32_t o2c_recur_now(const int32_t *lens, int32_t row, int32_t t,
                                 int32_t steps, int back)
{
  const int32_t n = lens ? lens[row] : steps;
  return t >= n ? -1 : back ? n - 1 - t : t;
}

typedef struct {
  const float *x, *r, *rb;
  const int32_t *lens;
  float *y, *g, *h, *c, *reset;
  int back;
} o2c_recur_dir;

O2C_NOINLINE void o2c_recur_step(const o2c_recur_dir *s, int32_t t,
                                 const o2c_recurrent_f32_p *p)
{
  const int32_t n = p->hidden;
  const int twice = p->kind == 1 && !p->linear;
  const int32_t gates = n * (p->kind == 2 ? 4 : p->kind == 1 ? 3 : 1);
  const int32_t first = twice ? 2 * n : gates;
  o2c_recur_product(s->h, n, s->r, NULL, s->g, gates, p->rows, n, first);
  for (int32_t i = 0; twice && i < p->rows; i++) {
    const int32_t now = o2c_recur_now(s->lens, i, t, p->steps, s->back);
    float *const g = s->g + (ptrdiff_t)i * gates;
    const ptrdiff_t at = (ptrdiff_t)i * n;
    if (now >= 0)
      o2c_gru_reset(g, s->x + now * p->x_time + i * p->x_row, s->h + at,
                    s->reset + at, n);
  }
  if (twice)
    o2c_recur_product(s->reset, n,
                      s->r + (ptrdiff_t)((2 * n + 15) / 16 * 16) * n, NULL,
                      s->g + 2 * (ptrdiff_t)n, gates, p->rows, n, n);
  for (int32_t i = 0; i < p->rows; i++) {
    const int32_t now = o2c_recur_now(s->lens, i, t, p->steps, s->back);
    float *const g = s->g + (ptrdiff_t)i * gates;
    float *const h = s->h + (ptrdiff_t)i * n;
    const float *const x = s->x + now * p->x_time + i * p->x_row;
    if (now >= 0) {
      if (p->kind == 2)
        o2c_lstm_row(g, x, h, s->c + (ptrdiff_t)i * n, n);
      else if (p->kind == 0)
        o2c_rnn_row(g, x, h, n);
      else if (p->linear)
        o2c_gru_linear_row(g, x, s->rb, h, n);
      else
        o2c_gru_row(g, x, h, n);
    }
    if (s->y) {
      float *const y = s->y + (now < 0 ? t : now) * p->y_time + i * p->y_row;
      if (now < 0)
        memset(y, 0, (size_t)n * sizeof *y);
      else
        memcpy(y, h, (size_t)n * sizeof *y);
    }
  }
}

O2C_INLINE void o2c_recur_load(float *to, const float *from, int64_t at,
                               const o2c_recurrent_f32_p *p)
{
  const size_t size = (size_t)p->hidden * sizeof *to;
  for (int32_t i = 0; i < p->rows; i++, to += p->hidden)
    if (from)
      memcpy(to, from + at + i * p->s_row, size);
    else
      memset(to, 0, size);
}

O2C_INLINE void o2c_recur_store(float *to, const float *from, int64_t at,
                                const o2c_recurrent_f32_p *p)
{
  for (int32_t i = 0; to && i < p->rows; i++, from += p->hidden)
    memcpy(to + at + i * p->s_row, from, (size_t)p->hidden * sizeof *to);
}

O2C_NOINLINE int o2c_recurrent_f32(const float *x, const float *r,
                                   const float *rb, const int32_t *lens,
                                   const float *h0, const float *c0, float *y,
                                   float *yh, float *yc, float *work,
                                   const o2c_recurrent_f32_p *p)
{
  const ptrdiff_t n = p->hidden, states = n * p->rows;
  const ptrdiff_t gates = n * (p->kind == 2 ? 4 : p->kind == 1 ? 3 : 1);
  const ptrdiff_t panels = p->kind == 1 && !p->linear
    ? (2 * n + 15) / 16 * 16 + (n + 15) / 16 * 16 : (gates + 15) / 16 * 16;
  for (int32_t i = 0; lens && i < p->rows; i++)
    if (lens[i] < 0 || lens[i] > p->steps)
      return 1;
  for (int32_t d = 0; d < p->dirs; d++) {
    o2c_recur_dir s;
    s.x = x + d * gates;
    s.r = r + d * panels * n;
    s.rb = rb ? rb + d * n : NULL;
    s.lens = lens;
    s.y = y ? y + d * p->y_dir : NULL;
    s.g = work;
    s.h = work + 4 * states;
    s.c = s.h + states;
    s.reset = s.c + states;
    s.back = p->reverse || d;
    o2c_recur_load(s.h, h0, d * p->s_dir, p);
    o2c_recur_load(s.c, c0, d * p->s_dir, p);
    for (ptrdiff_t i = 0; lens && i < states; i++)
      s.reset[i] = 0.0f; /* rows that have ended are multiplied, not read */
    for (int32_t t = 0; t < p->steps; t++)
      o2c_recur_step(&s, t, p);
    o2c_recur_store(yh, s.h, d * p->s_dir, p);
    o2c_recur_store(yc, s.c, d * p->s_dir, p);
  }
  return 0;
}

#endif
