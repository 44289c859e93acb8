/* SPDX-License-Identifier: 0BSD */
/* f32 LSTM with the product of its inputs.

   static int o2c_lstm_f32(const float *in, const float *w, const float *b,
                           const float *r, const int32_t *lens,
                           const float *h0, const float *c0, float *y,
                           float *yh, float *yc, float *x, float *work,
                           const o2c_lstm_f32_p *p);

   in    steps of all rows, in_pix elements apart, in_size elements each
   w, b  [in_size] x [dirs*4*H] in panels of 16; b may be NULL
   x     O2C_LSTM_ROOM floats for the sums
   and the rest as recurrent_f32.h has it, whose result this gives, bit for bit;
   H is a multiple of 16.

   With one row the recurrence waits for the second-level cache: it uses each
   weight once a step. The inputs' product waits for the multipliers. So they
   are done together: while a block of steps runs, the sums of the next block
   (or of the other direction's first one) are made beside it, multiplication
   by multiplication. Only the first block's come before. This needs registers
   for both; where there are 16, and with several rows, the product comes first.
   A step takes 16 units at a time: their four gates' products, then the gates,
   while the weights of the next 16 arrive. */
#ifndef O2C_LSTM_F32_H
#define O2C_LSTM_F32_H

#include "recurrent_f32.h"

/* Sums of one row's steps are O2C_LSTM_PITCH apart: powers of two would push
   each other out of the first-level cache. */
#define O2C_LSTM_PITCH(dirs, h) ((dirs) * 4 * (h) + 16)
#define O2C_LSTM_ROOM(steps, rows, dirs, h, in_size) \
  ((steps) * (rows) * O2C_LSTM_PITCH(dirs, h) + (in_size) * 16)

typedef struct {
  o2c_recurrent_f32_p r;
  int32_t in_size;
  int64_t in_pix;
} o2c_lstm_f32_p;

/* Sums, `wide` apart, of rows [from, from + rows) of the inputs, `columns` of
   them from direction d on. */
O2C_INLINE void o2c_lstm_inputs(const float *in, const float *w,
                                const float *b, float *x, ptrdiff_t wide,
                                ptrdiff_t from, int32_t rows, int32_t d,
                                int32_t columns, const o2c_lstm_f32_p *p)
{
  const ptrdiff_t at = (ptrdiff_t)p->r.hidden * 4 * d;
  o2c_recur_product(in + from * p->in_pix, (ptrdiff_t)p->in_pix,
                    w + at * p->in_size, b ? b + at : b, x + from * wide + at,
                    wide, rows, p->in_size, columns);
}

#if defined(O2C_AVX512)

#define O2C_LSTM_BLOCK 16 /* steps whose sums are made together */
#define O2C_LSTM_PARTS 4  /* of k, each done beside 16 units of a step */
#define O2C_LSTM_ROWS(X) O2C_LSTM_ROWS0(X) O2C_LSTM_ROWS1(X) \
  O2C_LSTM_ROWS2(X) O2C_LSTM_ROWS3(X)
#define O2C_LSTM_ROWS0(X) X(0) X(1) X(2) X(3)
#define O2C_LSTM_ROWS1(X) X(4) X(5) X(6) X(7)
#define O2C_LSTM_ROWS2(X) X(8) X(9) X(10) X(11)
#define O2C_LSTM_ROWS3(X) X(12) X(13) X(14) X(15)

/* The sums made beside: of a block of steps in one direction. */
typedef struct {
  const float *in, *w, *b;  /* in: 16 steps' elements beside each other; */
  float *x;                 /* b is NULL after the first part, as the sums */
  ptrdiff_t x_pix;          /* then stand in x */
  int32_t k;                /* elements of this part */
} o2c_lstm_beside;

/* s = four gates' products of 16 units, whose weights are `gate` apart. */
O2C_NOINLINE void o2c_lstm_units(const float *h, const float *r,
                                 ptrdiff_t gate, float *s, int32_t n)
{
  const float *r0 = r, *r1 = r0 + gate, *r2 = r1 + gate, *r3 = r2 + gate;
  o2c_v c0 = o2c_vzero(), c1 = c0, c2 = c0, c3 = c0;
#define O2C_LSTM_UNITS(e) { \
    const o2c_v u = o2c_vset1(h[k + (e)]); \
    c0 = o2c_vfma(u, o2c_vld(r0 + 16 * (e)), c0); \
    c1 = o2c_vfma(u, o2c_vld(r1 + 16 * (e)), c1); \
    c2 = o2c_vfma(u, o2c_vld(r2 + 16 * (e)), c2); \
    c3 = o2c_vfma(u, o2c_vld(r3 + 16 * (e)), c3); }
#define O2C_LSTM_NEXT r0 += 64, r1 += 64, r2 += 64, r3 += 64
  for (int32_t k = 0; k < n; k += 4) {
    O2C_LSTM_UNITS(0) O2C_LSTM_UNITS(1) O2C_LSTM_UNITS(2) O2C_LSTM_UNITS(3)
    O2C_LSTM_NEXT;
  }
  o2c_vst(s, c0);
  o2c_vst(s + 16, c1);
  o2c_vst(s + 32, c2);
  o2c_vst(s + 48, c3);
}

/* The same, and a part of the sums beside. */
O2C_NOINLINE void o2c_lstm_both(const float *h, const float *r, ptrdiff_t gate,
                                float *s, int32_t n, const o2c_lstm_beside *a)
{
  const float *r0 = r, *r1 = r0 + gate, *r2 = r1 + gate, *r3 = r2 + gate;
  const float *in = a->in, *w = a->w;
  const ptrdiff_t x_pix = a->x_pix;
  o2c_v c0 = o2c_vzero(), c1 = c0, c2 = c0, c3 = c0;
  int32_t k = 0, e = 0;
#define O2C_X(i) \
  o2c_v x##i = o2c_vld(a->b ? a->b : a->x + (i) * x_pix);
  O2C_LSTM_ROWS(O2C_X)
#undef O2C_X
#define O2C_X(i) x##i = o2c_vfma(o2c_vset1(in[i]), v, x##i);
  for (; k < n && e < a->k; k += 4, e++) {
    const o2c_v v = o2c_vld(w);
    O2C_LSTM_UNITS(0) O2C_LSTM_ROWS0(O2C_X)
    O2C_LSTM_UNITS(1) O2C_LSTM_ROWS1(O2C_X)
    O2C_LSTM_UNITS(2) O2C_LSTM_ROWS2(O2C_X)
    O2C_LSTM_UNITS(3) O2C_LSTM_ROWS3(O2C_X)
    O2C_LSTM_NEXT;
    w += 16, in += 16;
  }
  for (; e < a->k; e++) {
    const o2c_v v = o2c_vld(w);
    O2C_LSTM_ROWS(O2C_X)
    w += 16, in += 16;
  }
#undef O2C_X
#define O2C_X(i) o2c_vst(a->x + (i) * x_pix, x##i);
  O2C_LSTM_ROWS(O2C_X)
#undef O2C_X
  for (; k < n; k += 4) {
    O2C_LSTM_UNITS(0) O2C_LSTM_UNITS(1) O2C_LSTM_UNITS(2) O2C_LSTM_UNITS(3)
    O2C_LSTM_NEXT;
  }
  o2c_vst(s, c0);
  o2c_vst(s + 16, c1);
  o2c_vst(s + 32, c2);
  o2c_vst(s + 48, c3);
}

#undef O2C_LSTM_UNITS
#undef O2C_LSTM_NEXT

/* 16 units, from their gates' products s and sums x: n units are in a gate. */
O2C_NOINLINE void o2c_lstm_gates(const float *s, const float *x, float *c,
                                 float *h, ptrdiff_t n)
{
  o2c_lstm_units_of(s, 16, x, c, h, n, 16);
}

/* Block i of those of all directions: n steps in order, of which each direction
   has its own first. */
typedef struct {
  int32_t d, from, count; /* direction; steps taken before; steps */
  ptrdiff_t first;        /* row of the inputs, the lowest of its rows */
} o2c_lstm_block;

O2C_INLINE o2c_lstm_block o2c_lstm_block_at(int32_t i, int32_t n,
                                            const o2c_lstm_f32_p *p)
{
  const int32_t each = (n + O2C_LSTM_BLOCK - 1) / O2C_LSTM_BLOCK;
  o2c_lstm_block b;
  b.d = i / each;
  b.from = i % each * O2C_LSTM_BLOCK;
  b.count = n - b.from < O2C_LSTM_BLOCK ? n - b.from : O2C_LSTM_BLOCK;
  b.first = p->r.reverse || b.d ? n - b.from - b.count : b.from;
  return b;
}

/* Part i of a whole block's sums: 16 columns, a part of k. in: the block's
   inputs, turned. */
O2C_INLINE void o2c_lstm_part(o2c_lstm_beside *a, const o2c_lstm_block *b,
                              int32_t i, const float *in, const float *w,
                              const float *bias, float *x,
                              const o2c_lstm_f32_p *p)
{
  const int32_t each = (p->in_size + O2C_LSTM_PARTS - 1) / O2C_LSTM_PARTS;
  const int32_t want = i % O2C_LSTM_PARTS * each;
  const int32_t k = want < p->in_size ? want : p->in_size;
  const int32_t left = p->in_size - k;
  const ptrdiff_t wide = O2C_LSTM_PITCH(p->r.dirs, (ptrdiff_t)p->r.hidden);
  const ptrdiff_t column = (ptrdiff_t)p->r.hidden * 4 * b->d +
                           (ptrdiff_t)(i / O2C_LSTM_PARTS) * 16;
  static const float none[16] = {0.0f};
  a->in = in + (ptrdiff_t)k * 16;
  a->w = w + column * p->in_size + (ptrdiff_t)k * 16;
  a->b = i % O2C_LSTM_PARTS ? NULL : bias ? bias + column : none;
  a->x = x + b->first * wide + column;
  a->x_pix = wide;
  a->k = left < each ? left : each;
}

/* A whole block's inputs, [16][in_size], as [in_size][16]. */
O2C_NOINLINE void o2c_lstm_turn(const float *in, float *to,
                                const o2c_lstm_f32_p *p)
{
  const ptrdiff_t step = (ptrdiff_t)p->in_pix;
  for (int32_t k = 0; k < p->in_size; k++, in++)
    for (int i = 0; i < O2C_LSTM_BLOCK; i++)
      *to++ = in[i * step];
}

/* What a step of one row takes and gives. */
typedef struct {
  const float *r, *x, *h;
  float *c, *to;            /* the cell; the state after the step */
} o2c_lstm_now;

/* One step; next: a block whose sums are made beside, as step `at` of 16. */
O2C_NOINLINE void o2c_lstm_step(const o2c_lstm_now *now, int32_t at,
                                const o2c_lstm_block *next, const float *in,
                                const float *w, const float *b, float *x,
                                const o2c_lstm_f32_p *p)
{
  const int32_t n = p->r.hidden;
  const ptrdiff_t gate = (ptrdiff_t)n * n;
  float s[64];
  o2c_lstm_beside a;
  for (int32_t u = 0; u < n; u += 16) {
    const float *const r = now->r + (ptrdiff_t)u * n;
    if (next) {
      o2c_lstm_part(&a, next, at * (n / 16) + u / 16, in, w, b, x, p);
      o2c_lstm_both(now->h, r, gate, s, n, &a);
    } else {
      o2c_lstm_units(now->h, r, gate, s, n);
    }
    o2c_lstm_gates(s, now->x + u, now->c + u, now->to + u, n);
  }
}

/* The steps of block `i`; work holds two states and the cell; turned has room
   for the inputs of the next one. */
O2C_NOINLINE void o2c_lstm_run(int32_t i, int32_t steps, const float *in,
                               const float *w, const float *b, const float *r,
                               float *y, float *turned, float *x, float *work,
                               const o2c_lstm_f32_p *p)
{
  const ptrdiff_t n = p->r.hidden;
  const o2c_lstm_block own = o2c_lstm_block_at(i, steps, p);
  const o2c_lstm_block next = o2c_lstm_block_at(i + 1, steps, p);
  const int beside = next.d < p->r.dirs && next.count == O2C_LSTM_BLOCK &&
                     own.count == O2C_LSTM_BLOCK;
  o2c_lstm_now now;
  if (beside)
    o2c_lstm_turn(in + next.first * p->in_pix, turned, p);
  now.r = r + own.d * 4 * n * n;
  now.c = work + 2 * n;
  for (int32_t t = own.from; t < own.from + own.count; t++) {
    const ptrdiff_t at = p->r.reverse || own.d ? steps - 1 - t : t;
    now.x = x + at * O2C_LSTM_PITCH(p->r.dirs, n) + own.d * 4 * n;
    now.h = work + t % 2 * n;
    now.to = work + (t + 1) % 2 * n;
    o2c_lstm_step(&now, t - own.from, beside ? &next : NULL, turned, w, b,
                  x, p);
    if (y)
      memcpy(y + own.d * p->r.y_dir + at * p->r.y_time, now.to,
             (size_t)n * sizeof *y);
  }
  if (!beside && next.d < p->r.dirs)
    o2c_lstm_inputs(in, w, b, x, O2C_LSTM_PITCH(p->r.dirs, n), next.first,
                    next.count, next.d, p->r.hidden * 4, p);
}

/* One row, all directions; n steps of it count. */
O2C_NOINLINE void o2c_lstm_row_f32(int32_t n, const float *in, const float *w,
                                   const float *b, const float *r,
                                   const float *h0, const float *c0, float *y,
                                   float *yh, float *yc, float *room,
                                   float *work, const o2c_lstm_f32_p *p)
{
  float *const x = room + (ptrdiff_t)p->in_size * 16;
  const int32_t each = (n + O2C_LSTM_BLOCK - 1) / O2C_LSTM_BLOCK;
  const ptrdiff_t size = p->r.hidden;
  if (n > 0)
    o2c_lstm_inputs(in, w, b, x, O2C_LSTM_PITCH(p->r.dirs, size),
                    o2c_lstm_block_at(0, n, p).first,
                    o2c_lstm_block_at(0, n, p).count, 0, p->r.hidden * 4, p);
  for (int32_t d = 0; d < p->r.dirs; d++) {
    o2c_recur_load(work, h0, d * p->r.s_dir, &p->r);
    o2c_recur_load(work + 2 * size, c0, d * p->r.s_dir, &p->r);
    for (int32_t i = d * each; i < (d + 1) * each; i++)
      o2c_lstm_run(i, n, in, w, b, r, y, room, x, work, p);
    for (int32_t t = n; y && t < p->r.steps; t++)
      memset(y + d * p->r.y_dir + t * p->r.y_time, 0,
             (size_t)size * sizeof *y);
    o2c_recur_store(yh, work + n % 2 * size, d * p->r.s_dir, &p->r);
    o2c_recur_store(yc, work + 2 * size, d * p->r.s_dir, &p->r);
  }
}

#undef O2C_LSTM_BLOCK
#undef O2C_LSTM_PARTS
#undef O2C_LSTM_ROWS
#undef O2C_LSTM_ROWS0
#undef O2C_LSTM_ROWS1
#undef O2C_LSTM_ROWS2
#undef O2C_LSTM_ROWS3

#endif

O2C_UNUSED static int o2c_lstm_f32(const float *in, const float *w,
                                   const float *b, const float *r,
                                   const int32_t *lens, const float *h0,
                                   const float *c0, float *y, float *yh,
                                   float *yc, float *x, float *work,
                                   const o2c_lstm_f32_p *p)
{
#if defined(O2C_AVX512)
  const int32_t n = lens ? lens[0] : p->r.steps;
  if (p->r.rows == 1 && n >= 0 && n <= p->r.steps) {
    o2c_lstm_row_f32(n, in, w, b, r, h0, c0, y, yh, yc, x, work, p);
    return 0;
  }
#endif
  o2c_lstm_inputs(in, w, b, x, p->r.hidden * 4 * p->r.dirs, 0,
                  p->r.steps * p->r.rows, 0, p->r.hidden * 4 * p->r.dirs, p);
  return o2c_recurrent_f32(x, r, NULL, lens, h0, c0, y, yh, yc, work, &p->r);
}

#endif
