/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: lstm_f32.h against the product of all
   inputs and then recurrent_f32.h, bit for bit. */
#ifndef O2C_TEST_LSTM_H
#define O2C_TEST_LSTM_H
#include "../../runtime_min/kernels/lstm_f32.h"

typedef struct {
  o2c_lstm_f32_p p;
  size_t nx, ny, ns;
  float *in, *w, *b, *r, *h0, *c0, *x, *work;
  int32_t lens[4];
} Lstm;

static void lstm_make(Lstm *v)
{
  o2c_recurrent_f32_p *p = &v->p.r;
  memset(v, 0, sizeof *v);
  p->kind = 2;
  p->steps = (int32_t)rnd(70);
  p->rows = rnd(4) ? 1 : 2 + (int32_t)rnd(3);
  p->hidden = 16 * (1 + (int32_t)rnd(3));
  p->dirs = 1 + (int32_t)rnd(2);
  p->reverse = p->dirs == 1 && rnd(2);
  const int h = p->hidden, wide = p->dirs * 4 * h, rows = p->rows;
  const int all = p->steps * rows;
  v->p.in_size = 1 + (int32_t)rnd(70);
  v->p.in_pix = v->p.in_size + (int)rnd(3);
  p->x_row = wide;
  p->x_time = (int64_t)rows * wide;
  p->y_row = p->s_row = h;
  p->y_dir = p->s_dir = (int64_t)rows * h;
  p->y_time = (int64_t)p->dirs * rows * h;
  v->nx = (size_t)O2C_LSTM_ROOM(p->steps, rows, p->dirs, h, v->p.in_size);
  v->ns = (size_t)(p->dirs * rows * h);
  v->ny = v->ns * (size_t)p->steps;
  v->in = random_f32((size_t)(all * v->p.in_pix));
  v->w = random_f32((size_t)(v->p.in_size * wide));
  v->b = rnd(2) ? random_f32((size_t)wide) : NULL;
  v->r = random_f32((size_t)(wide * h));
  v->h0 = rnd(2) ? random_f32(v->ns) : NULL;
  v->c0 = rnd(2) ? random_f32(v->ns) : NULL;
  v->x = random_f32(v->nx);
  v->work = alloc_f32((size_t)O2C_RECURRENT_ROOM(rows, h));
  for (int i = 0; i < rows; i++)
    v->lens[i] = (int32_t)rnd((uint32_t)p->steps + 1);
}

static void lstm_free(Lstm *v)
{
  free(v->in), free(v->w), free(v->b), free(v->r), free(v->h0), free(v->c0);
  free(v->x), free(v->work);
}

/* The product, then the steps. */
static int lstm_apart(const Lstm *v, const int32_t *lens, float *y, float *yh,
                      float *yc)
{
  o2c_lstm_inputs(v->in, v->w, v->b, v->x, v->p.r.hidden * 4 * v->p.r.dirs, 0,
                  v->p.r.steps * v->p.r.rows, 0,
                  v->p.r.hidden * 4 * v->p.r.dirs, &v->p);
  return o2c_recurrent_f32(v->x, v->r, NULL, lens, v->h0, v->c0, y, yh, yc,
                           v->work, &v->p.r);
}

static void lstm_compare(const Lstm *v, const int32_t *lens, int outputs)
{
  float *y = random_f32(v->ny), *yh = random_f32(v->ns);
  float *yc = random_f32(v->ns), *wy = copy_f32(y, v->ny);
  float *wyh = copy_f32(yh, v->ns), *wyc = copy_f32(yc, v->ns);
  const int refused = lstm_apart(v, lens, outputs & 1 ? wy : NULL,
                                 outputs & 2 ? wyh : NULL,
                                 outputs & 4 ? wyc : NULL);
  for (size_t i = 0; i < v->nx; i++)
    v->x[i] = NAN;
  if (o2c_lstm_f32(v->in, v->w, v->b, v->r, lens, v->h0, v->c0,
                   outputs & 1 ? y : NULL, outputs & 2 ? yh : NULL,
                   outputs & 4 ? yc : NULL, v->x, v->work, &v->p) != refused)
    fail("lstm", "not refused, or refused, as recurrent");
  if (!same(y, wy, v->ny) || !same(yh, wyh, v->ns) || !same(yc, wyc, v->ns))
    fail("lstm", "other bits than the product and the steps apart");
  free(y), free(yh), free(yc), free(wy), free(wyh), free(wyc);
}

static void test_o2c_lstm_f32(void)
{
  for (int k = 0; k < 200; k++) {
    Lstm v;
    lstm_make(&v);
    lstm_compare(&v, NULL, 7);
    lstm_compare(&v, v.lens, (int)rnd(8));
    v.lens[rnd((uint32_t)v.p.r.rows)] = rnd(2) ? -1 : v.p.r.steps + 1;
    lstm_compare(&v, v.lens, 7);
    lstm_free(&v);
  }
}

#endif
