/* SPDX-License-Identifier: 0BSD */
/* Steps of an LSTM whose recurrent weights are bytes.

   static int o2c_lstm_u8(const float *x, const int8_t *r, const int32_t *sums,
                          const float *scale, const float *bias,
                          const int32_t *lens, const float *h0,
                          const float *c0, float *y, float *yh, float *yc,
                          float *work, uint8_t *bytes, int16_t *scratch,
                          const o2c_recurrent_f32_p *p);

   x      what W made of the inputs, 4*H sums a row for each direction
   r      for each direction the weights: panels as conv_u8.h has them, of 16
          units a gate, zeros for those past H; the four gates of the first 16
          units, then those of the next 16
   sums   of the weights of each column, as the panels have them; and
   scale  of each column: O2C_LSTM_U8_WIDE(H) for each direction
   bias   4*H for each direction, or NULL
   work   O2C_LSTM_U8_ROOM floats;  bytes: rows * H
   scratch  O2C_CONV_U8_SCRATCH(1, H), or NULL
   and the rest as recurrent_f32.h has it.

   A step quantises the states of all rows together, by their range, multiplies
   bytes, and adds (sum * (scale of the states * scale)) to x, then the bias. A
   row that has ended counts as 0 there where y is wanted, else with its last
   state; one of no steps ends with states of 0. Sigmoid and tanh are rational
   functions, each product added as it is written: these last bits decide which
   step a state is rounded to, and onnxruntime's are the same on machines that
   fuse multiplication and addition.

   One row waits for its weights to come from the second-level cache. So a step
   goes through its units by 16: while their functions are computed, the weights
   of the next ones arrive. */
#ifndef O2C_LSTM_U8_H
#define O2C_LSTM_U8_H

#include "conv_u8.h"
#include "ew_u8.h"
#include "recurrent_f32.h"

#define O2C_LSTM_U8_WIDE(h) (((h) + 15) / 16 * 64)
#define O2C_LSTM_U8_ROOM(rows, h) ((rows) * ((h) * 2 + 64))

/* Rational functions, from Eigen. */
O2C_INLINE float o2c_near_tanh(float x)
{
  const float top = o2c_select_f32(x > 9.0f, 9.0f, x);
  const float v = o2c_select_f32(top < -9.0f, -9.0f, top), s = v * v;
  float a = O2C_FMAF(s, -2.76076847742355e-16f, 2.00018790482477e-13f);
  float b = O2C_FMAF(s, 1.19825839466702e-06f, 1.18534705686654e-04f);
  a = O2C_FMAF(a, s, -8.60467152213735e-11f);
  a = O2C_FMAF(a, s, 5.12229709037114e-08f);
  a = O2C_FMAF(a, s, 1.48572235717979e-05f);
  a = O2C_FMAF(a, s, 6.37261928875436e-04f);
  a = O2C_FMAF(a, s, 4.89352455891786e-03f);
  b = O2C_FMAF(b, s, 2.26843463243900e-03f);
  b = O2C_FMAF(b, s, 4.89352518554385e-03f);
  return a * v / b;
}

O2C_INLINE float o2c_near_sigmoid(float x)
{
  const float top = o2c_select_f32(x > 18.0f, 18.0f, x);
  const float v = o2c_select_f32(top < -18.0f, -18.0f, top), s = v * v;
  float a = O2C_FMAF(s, 4.37031012579801e-11f, 1.15627324459942e-07f);
  float b = O2C_FMAF(s, 6.10247389755681e-13f, 5.76102136993427e-09f);
  a = O2C_FMAF(a, s, 6.08574864600143e-05f);
  a = O2C_FMAF(a, s, 8.51377133304701e-03f);
  a = O2C_FMAF(a, s, 2.48287947061529e-01f);
  b = O2C_FMAF(b, s, 6.29106785017040e-06f);
  b = O2C_FMAF(b, s, 1.70198817374094e-03f);
  b = O2C_FMAF(b, s, 1.16817656904453e-01f);
  b = O2C_FMAF(b, s, 9.93151921023180e-01f);
  a = a * v / b;
  a = a + 0.5f;
  a = o2c_select_f32(a < 0.0f, 0.0f, a);
  return o2c_select_f32(a > 1.0f, 1.0f, a);
}

O2C_INLINE void o2c_lstm_u8_unit(float in, float out, float forget,
                                 float fresh, float *c, float *h)
{
  const float add = o2c_near_sigmoid(in) * o2c_near_tanh(fresh);
  const float kept = *c * o2c_near_sigmoid(forget);
  const float cell = kept + add;
  *c = cell;
  *h = o2c_near_tanh(cell) * o2c_near_sigmoid(out);
}

typedef struct {
  const float *x, *scale, *bias;
  const int8_t *r;
  const int32_t *sums, *lens;
  float *y, *yh, *h, *c;
  int32_t *dots; /* 64 for each row */
  uint8_t *bytes;
  int16_t *scratch;
  int back;
} o2c_lstm_u8_dir;

/* What a step's states were quantised by. */
typedef struct {
  float scale;
  int32_t zero;
} o2c_lstm_u8_by;

/* (x + sum * (scale of the states * scale)) + b, b being optional. */
O2C_INLINE float o2c_lstm_u8_gate(int32_t dot, int32_t sum, float scale,
                                  float x, const float *b, o2c_lstm_u8_by by)
{
  const float part = (float)(dot - by.zero * sum) * (by.scale * scale);
  const float all = x + part;
  return b ? all + *b : all;
}

/* `count` units of one row, of at most 16. x, b: the first unit's of a gate
   that has n of them. */
O2C_INLINE void o2c_lstm_u8_units(const int32_t *__restrict dot,
                                  const int32_t *__restrict sum,
                                  const float *__restrict scale,
                                  const float *__restrict x,
                                  const float *__restrict b,
                                  float *__restrict c, float *__restrict h,
                                  ptrdiff_t n, int32_t count,
                                  o2c_lstm_u8_by by)
{
#define O2C_GATE(k) \
  o2c_lstm_u8_gate(dot[16 * k + i], sum[16 * k + i], scale[16 * k + i], \
                   x[k * n + i], b ? b + k * n + i : NULL, by)
  for (int32_t i = 0; i < count; i++)
    o2c_lstm_u8_unit(O2C_GATE(0), O2C_GATE(1), O2C_GATE(2), O2C_GATE(3), c + i,
                     h + i);
#undef O2C_GATE
}

/* As many as a vector has lanes, b or none. A loop over them would keep the
   constants of all functions in a frame of more than 1 KiB. */
O2C_NOINLINE void o2c_lstm_u8_lanes(const int32_t *dot, const int32_t *sum,
                                    const float *scale, const float *x,
                                    const float *b, float *c, float *h,
                                    ptrdiff_t n, o2c_lstm_u8_by by)
{
  if (b)
    o2c_lstm_u8_units(dot, sum, scale, x, b, c, h, n, O2C_LANES, by);
  else
    o2c_lstm_u8_units(dot, sum, scale, x, NULL, c, h, n, O2C_LANES, by);
}

/* Fewer than that. */
O2C_NOINLINE void o2c_lstm_u8_tail(const int32_t *dot, const int32_t *sum,
                                   const float *scale, const float *x,
                                   const float *b, float *c, float *h,
                                   ptrdiff_t n, ptrdiff_t count,
                                   o2c_lstm_u8_by by)
{
  const size_t bytes = (size_t)count * sizeof *x;
  float own_x[4 * O2C_LANES] = {0}, own_b[4 * O2C_LANES] = {0};
  float own_c[O2C_LANES] = {0}, own_h[O2C_LANES];
  for (ptrdiff_t k = 0; k < 4; k++) {
    memcpy(own_x + k * O2C_LANES, x + k * n, bytes);
    if (b)
      memcpy(own_b + k * O2C_LANES, b + k * n, bytes);
  }
  memcpy(own_c, c, bytes);
  o2c_lstm_u8_lanes(dot, sum, scale, own_x, b ? own_b : b, own_c, own_h,
                    O2C_LANES, by);
  memcpy(c, own_c, bytes);
  memcpy(h, own_h, bytes);
}

/* The same by vectors; x, b: of the row, c, h: of all of it; u: first unit. */
O2C_NOINLINE void o2c_lstm_u8_some(const o2c_lstm_u8_dir *s,
                                   const int32_t *dot, const float *x,
                                   float *c, float *h, ptrdiff_t u,
                                   ptrdiff_t n, o2c_lstm_u8_by by)
{
  const int32_t *const sum = s->sums + 4 * u;
  const float *const scale = s->scale + 4 * u, *const b = s->bias;
  const ptrdiff_t count = n - u < 16 ? n - u : 16;
  ptrdiff_t i = 0;
  for (; i + O2C_LANES <= count; i += O2C_LANES)
    o2c_lstm_u8_lanes(dot + i, sum + i, scale + i, x + u + i,
                      b ? b + u + i : b, c + u + i, h + u + i, n, by);
  if (i < count)
    o2c_lstm_u8_tail(dot + i, sum + i, scale + i, x + u + i,
                     b ? b + u + i : b, c + u + i, h + u + i, n,
                     count - i, by);
}

#if defined(O2C_U8_ISA_AVX512VNNI)
/* dot [64] = the bytes of one row times four panels. */
O2C_NOINLINE void o2c_lstm_u8_dots(const uint8_t *h, const int8_t *r,
                                   int32_t *dot, int32_t n)
{
  const ptrdiff_t panel = (ptrdiff_t)((n + 3) / 4) * 64;
  const int8_t *const r2 = r + 2 * panel;
  o2c_u8_vec a = _mm512_setzero_si512(), b = a, c = a, d = a;
#define O2C_DOTS(word) { \
    const o2c_u8_four v = o2c_u8_word(word); \
    a = o2c_u8_dot(a, v, o2c_u8_ldb(r + at, panel, 0)); \
    b = o2c_u8_dot(b, v, o2c_u8_ldb(r + at, panel, 1)); \
    c = o2c_u8_dot(c, v, o2c_u8_ldb(r2 + at, panel, 0)); \
    d = o2c_u8_dot(d, v, o2c_u8_ldb(r2 + at, panel, 1)); }
  ptrdiff_t at = 0;
  for (; at < panel - 64; at += 64)
    O2C_DOTS(o2c_ld32(h + at / 16))
  O2C_DOTS(n < 4 ? o2c_u8_group(h, n) : o2c_ld32(h + n - 4))
#undef O2C_DOTS
  _mm512_storeu_si512(dot, a);
  _mm512_storeu_si512(dot + 16, b);
  _mm512_storeu_si512(dot + 32, c);
  _mm512_storeu_si512(dot + 48, d);
}
#endif

/* dots [rows, 64] = the states, as bytes, times four panels. */
O2C_NOINLINE void o2c_lstm_u8_product(const o2c_lstm_u8_dir *s,
                                      const int8_t *r,
                                      const o2c_recurrent_f32_p *p)
{
  static const int32_t tap[] = {0}, none[64] = {0};
  o2c_conv_u8_p q;
#if defined(O2C_U8_ISA_AVX512VNNI)
  if (p->rows == 1) {
    o2c_lstm_u8_dots(s->bytes, r, s->dots, p->hidden);
    return;
  }
#endif
  memset(&q, 0, sizeof q);
  q.oh = 1;
  q.ow = p->rows;
  q.oc = 64;
  q.ntap = 1;
  q.kc = p->hidden;
  q.tap = tap;
  q.x_pix = p->hidden;
  q.y_pix = 64;
  q.scratch = s->scratch;
  o2c_conv_u8_i32(s->bytes, r, none, s->dots, &q);
}

/* The states after step t, from unit u on: 16 of them. */
O2C_INLINE void o2c_lstm_u8_part(const o2c_lstm_u8_dir *s, int32_t t,
                                 ptrdiff_t u, o2c_lstm_u8_by by,
                                 const o2c_recurrent_f32_p *p)
{
  const ptrdiff_t n = p->hidden;
  o2c_lstm_u8_product(s, s->r + 4 * u * ((n + 3) / 4 * 4), p);
  for (int32_t i = 0; i < p->rows; i++) {
    const int32_t now = o2c_recur_now(s->lens, i, t, p->steps, s->back);
    if (now >= 0)
      o2c_lstm_u8_some(s, s->dots + i * 64, s->x + now * p->x_time +
                       i * p->x_row, s->c + i * n, s->h + i * n, u, n, by);
  }
}

O2C_NOINLINE void o2c_lstm_u8_step(const o2c_lstm_u8_dir *s, int32_t t,
                                   const o2c_recurrent_f32_p *p)
{
  const ptrdiff_t n = p->hidden;
  o2c_lstm_u8_by by;
  uint8_t zero;
  o2c_dynamic_quantize_u8(s->h, s->bytes, &by.scale, &zero,
                          (size_t)p->rows * (size_t)n);
  by.zero = zero;
  for (ptrdiff_t u = 0; u < n; u += 16)
    o2c_lstm_u8_part(s, t, u, by, p);
  for (int32_t i = 0; i < p->rows; i++) {
    const int32_t now = o2c_recur_now(s->lens, i, t, p->steps, s->back);
    float *const h = s->h + i * n;
    if (now < 0 && s->y)
      memset(h, 0, (size_t)n * sizeof *h);
    if (s->y)
      memcpy(s->y + (now < 0 ? t : now) * p->y_time + i * p->y_row, h,
             (size_t)n * sizeof *h);
    if (s->yh && t == (s->lens ? s->lens[i] : p->steps) - 1)
      memcpy(s->yh + i * p->s_row, h, (size_t)n * sizeof *h);
  }
}

/* The states at the end of a direction, which steps have not written. */
O2C_NOINLINE void o2c_lstm_u8_end(const o2c_lstm_u8_dir *s, float *yc,
                                  const o2c_recurrent_f32_p *p)
{
  const size_t size = (size_t)p->hidden * sizeof(float);
  for (int32_t i = 0; i < p->rows; i++) {
    float *const c = s->c + (ptrdiff_t)i * p->hidden;
    const int none = s->lens && s->lens[i] == 0;
    if (none && s->yh)
      memset(s->yh + i * p->s_row, 0, size);
    else if (s->yh && p->steps == 0)
      memcpy(s->yh + i * p->s_row, s->h + (ptrdiff_t)i * p->hidden, size);
    if (none)
      memset(c, 0, size);
    if (yc)
      memcpy(yc + i * p->s_row, c, size);
  }
}

O2C_UNUSED static int o2c_lstm_u8(const float *x, const int8_t *r,
                                  const int32_t *sums, const float *scale,
                                  const float *bias, const int32_t *lens,
                                  const float *h0, const float *c0, float *y,
                                  float *yh, float *yc, float *work,
                                  uint8_t *bytes, int16_t *scratch,
                                  const o2c_recurrent_f32_p *p)
{
  const ptrdiff_t n = p->hidden, states = n * p->rows;
  const ptrdiff_t wide = O2C_LSTM_U8_WIDE(n);
  for (int32_t i = 0; lens && i < p->rows; i++)
    if (lens[i] < 0 || lens[i] > p->steps)
      return 1;
  for (int32_t d = 0; d < p->dirs; d++) {
    o2c_lstm_u8_dir s;
    s.x = x + d * 4 * n;
    s.r = r + d * wide * ((n + 3) / 4 * 4);
    s.sums = sums + d * wide;
    s.scale = scale + d * wide;
    s.bias = bias ? bias + d * 4 * n : NULL;
    s.lens = lens;
    s.y = y ? y + d * p->y_dir : NULL;
    s.yh = yh ? yh + d * p->s_dir : NULL;
    s.h = work;
    s.c = s.h + states;
    s.dots = (int32_t *)(void *)(s.c + states);
    s.bytes = bytes;
    s.scratch = scratch;
    s.back = p->reverse || d;
    o2c_recur_load(s.h, h0, d * p->s_dir, p);
    o2c_recur_load(s.c, c0, d * p->s_dir, p);
    for (int32_t t = 0; t < p->steps; t++)
      o2c_lstm_u8_step(&s, t, p);
    o2c_lstm_u8_end(&s, yc ? yc + d * p->s_dir : NULL, p);
  }
  return 0;
}

#endif
