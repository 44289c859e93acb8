/* SPDX-License-Identifier: 0BSD */
/* f32 LinearAttention: ref/linear.h says what it computes and in which order.

     static void o2c_linear_attention_f32(
       const float *q, const float *k, const float *v, const float *past,
       const float *decay, const float *beta, float *y, float *state,
       float *room, const o2c_linear_f32_p *p);
     static void o2c_linear_attention_f32_heads(.., int64_t from, int64_t to);

   past, decay and beta may be NULL; per_key: decay has an element for each key
   (else for each head), per_head: beta has one for each head of k (else for
   each token). state is worked on where it stands; heads of k of all samples
   are numbered for from and to. room: O2C_LINEAR_ROOM(keys) floats.

   Columns of the state have nothing to do with each other: two vectors of them
   go through a few tokens at a time, copied to one place, since rows of a power
   of two would meet in the first-level cache. What the state gives for k is
   summed before the decay is stored, by k times the decay, so a token reads the
   state twice and writes it once.

   One sum, one order: over even keys and odd ones, then both (what the state
   gives for k); over keys in order (what q reads). */
#ifndef O2C_LINEAR_F32_H
#define O2C_LINEAR_F32_H

#include "math_f32.h"

#define O2C_LINEAR_TOKENS 8
#define O2C_LINEAR_ROOM(keys) ((2 * O2C_LINEAR_TOKENS + 32) * (keys))

typedef struct {
  int32_t samples, tokens, heads, groups, keys, wide, per_key, per_head;
  float scale;
} o2c_linear_f32_p;

/* What a head of k has for one token; its columns begin at the tile's. */
typedef struct {
  const float *from;      /* the state before */
  float *to;              /* and after */
  ptrdiff_t row;          /* between rows of both */
  const float *k, *fk;    /* k, and k times the decay */
  const float *f;         /* decay of each key; NULL: none */
  const float *v, *beta;
  const float *q;         /* heads that share this one of k follow */
  float *y;
} o2c_linear_f32_t;

O2C_INLINE o2c_v o2c_linear_ld(const float *p, int n)
{
  return n >= O2C_LANES ? o2c_vld(p) : o2c_vld_n(p, n);
}

O2C_INLINE void o2c_linear_st(float *p, o2c_v v, int n)
{
  if (n >= O2C_LANES)
    o2c_vst(p, v);
  else
    o2c_vst_n(p, v, n);
}

/* beta (v - S' k): n0 and n1 columns, n1 only with `two`. */
O2C_INLINE void o2c_linear_error(const o2c_linear_f32_t *t, int keys, int two,
                                 int n0, int n1, o2c_v *u0, o2c_v *u1)
{
  const ptrdiff_t row = t->row;
  const float *s = t->from;
  const o2c_v by = o2c_vset1(*t->beta);
  o2c_v a0 = o2c_vzero(), a1 = a0, b0 = a0, b1 = a0;
  int d = 0;
  O2C_ROLLED
  for (; d + 2 <= keys; d += 2, s += 2 * row) {
    const o2c_v even = o2c_vset1(t->fk[d]), odd = o2c_vset1(t->fk[d + 1]);
    a0 = o2c_vfma(o2c_linear_ld(s, n0), even, a0);
    b0 = o2c_vfma(o2c_linear_ld(s + row, n0), odd, b0);
    if (two) {
      a1 = o2c_vfma(o2c_linear_ld(s + O2C_LANES, n1), even, a1);
      b1 = o2c_vfma(o2c_linear_ld(s + row + O2C_LANES, n1), odd, b1);
    }
  }
  if (d < keys) {
    const o2c_v even = o2c_vset1(t->fk[d]);
    a0 = o2c_vfma(o2c_linear_ld(s, n0), even, a0);
    if (two)
      a1 = o2c_vfma(o2c_linear_ld(s + O2C_LANES, n1), even, a1);
  }
  *u0 = o2c_vmul(by, o2c_vsub(*u0, o2c_vadd(a0, b0)));
  if (two)
    *u1 = o2c_vmul(by, o2c_vsub(*u1, o2c_vadd(a1, b1)));
}

/* The state by one token, and what the first head of q reads. */
O2C_INLINE void o2c_linear_step(const o2c_linear_f32_t *t, int keys, int two,
                                int n0, int n1, o2c_v scale)
{
  o2c_v u0 = o2c_linear_ld(t->v, n0), u1 = u0, y0 = o2c_vzero(), y1 = y0;
  const float *s = t->from;
  float *to = t->to;
  if (two)
    u1 = o2c_linear_ld(t->v + O2C_LANES, n1);
  if (t->beta)
    o2c_linear_error(t, keys, two, n0, n1, &u0, &u1);
  O2C_ROLLED
  for (int d = 0; d < keys; d++, s += t->row, to += t->row) {
    const o2c_v k = o2c_vset1(t->k[d]), q = o2c_vset1(t->q[d]);
    o2c_v r0 = o2c_linear_ld(s, n0), r1 = r0;
    if (two)
      r1 = o2c_linear_ld(s + O2C_LANES, n1);
    if (t->f) {
      const o2c_v f = o2c_vset1(t->f[d]);
      r0 = o2c_vmul(r0, f);
      r1 = o2c_vmul(r1, f);
    }
    r0 = o2c_vfma(k, u0, r0);
    o2c_linear_st(to, r0, n0);
    y0 = o2c_vfma(q, r0, y0);
    if (two) {
      r1 = o2c_vfma(k, u1, r1);
      o2c_linear_st(to + O2C_LANES, r1, n1);
      y1 = o2c_vfma(q, r1, y1);
    }
  }
  o2c_linear_st(t->y, o2c_vmul(scale, y0), n0);
  if (two)
    o2c_linear_st(t->y + O2C_LANES, o2c_vmul(scale, y1), n1);
}

/* What another head of q reads. */
O2C_INLINE void o2c_linear_read(const float *s, const float *q, float *y,
                                int keys, ptrdiff_t row, int n, o2c_v scale)
{
  o2c_v sum = o2c_vzero();
  O2C_ROLLED
  for (int d = 0; d < keys; d++, s += row)
    sum = o2c_vfma(o2c_vset1(q[d]), o2c_linear_ld(s, n), sum);
  o2c_linear_st(y, o2c_vmul(scale, sum), n);
}

/* n columns, at most two vectors of them, by one token. */
O2C_NOINLINE void o2c_linear_tile(const o2c_linear_f32_t *t, int n,
                                  const o2c_linear_f32_p *p)
{
  const int shared = p->heads / p->groups, keys = p->keys, wide = p->wide;
  const o2c_v scale = o2c_vset1(p->scale);
  if (n == 2 * O2C_LANES)
    o2c_linear_step(t, keys, 1, O2C_LANES, O2C_LANES, scale);
  else if (n > O2C_LANES)
    o2c_linear_step(t, keys, 1, O2C_LANES, n - O2C_LANES, scale);
  else
    o2c_linear_step(t, keys, 0, n, 0, scale);
  for (int h = 1; h < shared; h++)
    for (int i = 0; i < n; i += O2C_LANES)
      o2c_linear_read(t->to + i, t->q + h * keys, t->y + h * wide + i, keys,
                      t->row, n - i, scale);
}

/* Rows of n floats from one place to another. */
O2C_INLINE void o2c_linear_copy(const float *x, ptrdiff_t from, float *y,
                                ptrdiff_t to, int rows, int n)
{
  for (int d = 0; d < rows; d++, x += from, y += to)
    memcpy(y, x, (size_t)n * sizeof *y);
}

/* The decay of each key of `count` tokens from number `at` on, and k times it;
   of head g. */
O2C_INLINE void o2c_linear_decay(const float *decay, const float *k,
                                 float *room, int64_t at, int count, int g,
                                 const o2c_linear_f32_p *p)
{
  const int keys = p->keys;
  float *fk = room + O2C_LINEAR_TOKENS * (ptrdiff_t)keys;
  for (int i = 0; i < count; i++, room += keys, fk += keys) {
    const int64_t own = (at + i) * p->groups + g;
    const float *of = decay + (p->per_key ? own * keys : own);
    const float one = o2c_expf(*of);
    for (int d = 0; d < keys; d++)
      room[d] = p->per_key ? o2c_expf(of[d]) : one;
    for (int d = 0; d < keys; d++)
      fk[d] = room[d] * k[own * keys + d];
  }
}

/* What the heads of a call read and write. */
typedef struct {
  const o2c_linear_f32_p *p;
  const float *q, *k, *v, *decay, *beta;
  float *y, *room;
} o2c_linear_f32_job;

/* Columns [c, c + n) of head g by tokens [at, at + count) of all; `old` is what
   the state s was before them. */
O2C_INLINE void o2c_linear_columns(const o2c_linear_f32_job *w,
                                   const float *old, float *s, int64_t at,
                                   int count, int g, int c, int n)
{
  const o2c_linear_f32_p *p = w->p;
  const int64_t keys = p->keys, wide = p->wide;
  const int first = g * (p->heads / p->groups), step = 2 * O2C_LANES;
  float *tile = w->room + 2 * O2C_LINEAR_TOKENS * keys;
  const int apart = count > 2;
  o2c_linear_f32_t t;
  t.from = apart ? tile : old + c;
  t.to = apart ? tile : s + c;
  t.row = apart ? step : wide;
  if (apart)
    o2c_linear_copy(old + c, wide, tile, step, (int)keys, n);
  for (int j = 0; j < count; j++, at++) {
    const int64_t own = at * p->groups + g;
    t.k = w->k + own * keys;
    t.f = w->decay ? w->room + j * keys : NULL;
    t.fk = t.f ? t.f + O2C_LINEAR_TOKENS * keys : t.k;
    t.v = w->v + own * wide + c;
    t.beta = !w->beta ? NULL : w->beta + (p->per_head ? own : at);
    t.q = w->q + (at * p->heads + first) * keys;
    t.y = w->y + (at * p->heads + first) * wide + c;
    o2c_linear_tile(&t, n, p);
    t.from = t.to;
  }
  if (apart)
    o2c_linear_copy(tile, step, s + c, wide, (int)keys, n);
}

O2C_UNUSED static void o2c_linear_attention_f32_heads(
  const float *q, const float *k, const float *v, const float *past,
  const float *decay, const float *beta, float *y, float *state, float *room,
  const o2c_linear_f32_p *p, int64_t from, int64_t to)
{
  const o2c_linear_f32_job w = {p, q, k, v, decay, beta, y, room};
  const int64_t one = (int64_t)p->keys * p->wide;
  const int step = 2 * O2C_LANES;
  for (int64_t i = from; i < to; i++) {
    const int g = (int)(i % p->groups);
    const int64_t first = i / p->groups * p->tokens;
    float *s = state + i * one;
    const float *old = past && p->tokens ? past + i * one : s;
    if (!past)
      memset(s, 0, (size_t)one * sizeof *s);
    else if (!p->tokens)
      memcpy(s, past + i * one, (size_t)one * sizeof *s);
    for (int t = 0; t < p->tokens; t += O2C_LINEAR_TOKENS, old = s) {
      const int left = p->tokens - t;
      const int count = left < O2C_LINEAR_TOKENS ? left : O2C_LINEAR_TOKENS;
      if (decay)
        o2c_linear_decay(decay, k, room, first + t, count, g, p);
      for (int c = 0; c < p->wide; c += step)
        o2c_linear_columns(&w, old, s, first + t, count, g, c,
                           p->wide - c < step ? p->wide - c : step);
    }
  }
}

O2C_UNUSED static void o2c_linear_attention_f32(
  const float *q, const float *k, const float *v, const float *past,
  const float *decay, const float *beta, float *y, float *state, float *room,
  const o2c_linear_f32_p *p)
{
  o2c_linear_attention_f32_heads(q, k, v, past, decay, beta, y, state, room, p,
                                 0, (int64_t)p->samples * p->groups);
}
#endif
