/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: recurrent_f32.h against the equations
   of ONNX RNN, GRU and LSTM in double, and each row alone against all rows. */
#ifndef O2C_TEST_RECURRENT_H
#define O2C_TEST_RECURRENT_H
#include "../../runtime_min/kernels/recurrent_f32.h"

#define RECUR_MOST 40 /* hidden units */

typedef struct {
  o2c_recurrent_f32_p p;
  int gates, twice;
  size_t nx, ny, ns;
  float *x, *r, *panels, *rb, *h0, *c0, *y, *yh, *yc, *work;
  int32_t lens[8];
} Recur;

/* Rows [from, from + n) of one direction's R [gates, h], in panels of 16. */
static float *recur_panels(float *to, const float *r, int n, int h)
{
  for (int j = 0; j < (n + 15) / 16 * 16; j++)
    for (int k = 0; k < h; k++)
      to[(j / 16 * h + k) * 16 + j % 16] = j < n ? r[j * h + k] : 0.0f;
  return to + (n + 15) / 16 * 16 * h;
}

static void recur_make(Recur *v, int kind, int layout)
{
  o2c_recurrent_f32_p *p = &v->p;
  memset(v, 0, sizeof *v);
  p->kind = kind;
  p->steps = (int32_t)rnd(6);
  p->rows = 1 + (int32_t)rnd(5);
  p->hidden = 1 + (int32_t)rnd(RECUR_MOST);
  p->dirs = 1 + (int32_t)rnd(2);
  p->reverse = p->dirs == 1 && rnd(2);
  p->linear = kind == 1 && rnd(2);
  v->twice = kind == 1 && !p->linear;
  v->gates = p->hidden * (kind == 2 ? 4 : kind == 1 ? 3 : 1);
  const int h = p->hidden, wide = p->dirs * v->gates;
  p->x_row = layout ? (int64_t)p->steps * wide : wide;
  p->x_time = layout ? wide : (int64_t)p->rows * wide;
  p->y_dir = layout ? h : (int64_t)p->rows * h;
  p->y_row = layout ? (int64_t)p->steps * p->dirs * h : h;
  p->y_time = (int64_t)p->dirs * h * (layout ? 1 : p->rows);
  p->s_dir = layout ? h : (int64_t)p->rows * h;
  p->s_row = layout ? (int64_t)p->dirs * h : h;
  v->nx = (size_t)(p->steps * p->rows * wide);
  v->ns = (size_t)(p->dirs * p->rows * h);
  v->ny = v->ns * (size_t)p->steps;
  v->x = random_f32(v->nx);
  v->r = random_f32((size_t)(wide * h));
  v->rb = p->linear && rnd(2) ? random_f32((size_t)(p->dirs * h)) : NULL;
  v->h0 = rnd(2) ? random_f32(v->ns) : NULL;
  v->c0 = rnd(2) ? random_f32(v->ns) : NULL;
  v->y = random_f32(v->ny);
  v->yh = random_f32(v->ns);
  v->yc = random_f32(v->ns);
  v->work = alloc_f32((size_t)O2C_RECURRENT_ROOM(p->rows, h));
  for (int i = 0; i < p->rows; i++)
    v->lens[i] = (int32_t)rnd((uint32_t)p->steps + 1);
  const int first = v->twice ? 2 * h : v->gates, rest = v->gates - first;
  float *to = v->panels = alloc_f32(
    (size_t)(p->dirs * ((first + 15) / 16 + (rest + 15) / 16) * 16 * h));
  for (int d = 0; d < p->dirs; d++) {
    const float *r = v->r + d * v->gates * h;
    to = recur_panels(to, r, first, h);
    to = recur_panels(to, r + first * h, rest, h);
  }
}

static void recur_free(Recur *v)
{
  free(v->x), free(v->r), free(v->panels), free(v->rb), free(v->h0);
  free(v->c0), free(v->y), free(v->yh), free(v->yc), free(v->work);
}

static double recur_sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }

static double recur_dot(const float *r, const double *h, int n)
{
  double s = 0.0;
  for (int k = 0; k < n; k++)
    s += (double)r[k] * h[k];
  return s;
}

/* GRU: gates update, reset and new (z, r and h of the spec). */
static void recur_gru(const Recur *v, const float *x, const float *r,
                      const float *rb, double *h)
{
  const int n = v->p.hidden;
  double z[RECUR_MOST], reset[RECUR_MOST], was[RECUR_MOST];
  for (int i = 0; i < n; i++) {
    z[i] = recur_sigmoid((double)x[i] + recur_dot(r + i * n, h, n));
    reset[i] =
      recur_sigmoid((double)x[n + i] + recur_dot(r + (n + i) * n, h, n));
  }
  for (int i = 0; i < n; i++)
    was[i] = v->p.linear ? h[i] : h[i] * reset[i];
  for (int i = 0; i < n; i++) {
    double s = recur_dot(r + (2 * n + i) * n, was, n);
    if (v->p.linear)
      s = reset[i] * (s + (rb ? (double)rb[i] : 0.0));
    s = tanh((double)x[2 * n + i] + s);
    z[i] = (1.0 - z[i]) * s + z[i] * h[i];
  }
  memcpy(h, z, (size_t)n * sizeof *h);
}

/* RNN; LSTM: gates input, output, forget and cell. */
static void recur_cell(const Recur *v, const float *x, const float *r,
                       double *h, double *c)
{
  const int n = v->p.hidden;
  double g[4 * RECUR_MOST];
  for (int i = 0; i < v->gates; i++)
    g[i] = (double)x[i] + recur_dot(r + i * n, h, n);
  for (int i = 0; i < n; i++) {
    if (v->p.kind == 0) {
      h[i] = tanh(g[i]);
      continue;
    }
    c[i] = recur_sigmoid(g[2 * n + i]) * c[i] +
           recur_sigmoid(g[i]) * tanh(g[3 * n + i]);
    h[i] = recur_sigmoid(g[n + i]) * tanh(c[i]);
  }
}

static int recur_near(const float *x, const double *want, int n)
{
  for (int i = 0; i < n; i++)
    if (!(fabs((double)x[i] - want[i]) <= 2e-5))
      return 0;
  return 1;
}

static int recur_zero(const float *x, int n)
{
  for (int i = 0; i < n; i++)
    if (x[i] != 0.0f)
      return 0;
  return 1;
}

/* One row in one direction. */
static void recur_row(const Recur *v, const int32_t *lens, int row, int d)
{
  const o2c_recurrent_f32_p *p = &v->p;
  const int n = p->hidden, len = lens ? lens[row] : p->steps;
  const int64_t at = d * p->s_dir + row * p->s_row;
  const float *r = v->r + d * v->gates * n, *rb = v->rb ? v->rb + d * n : NULL;
  double h[RECUR_MOST], c[RECUR_MOST];
  for (int i = 0; i < n; i++) {
    h[i] = v->h0 ? (double)v->h0[at + i] : 0.0;
    c[i] = v->c0 ? (double)v->c0[at + i] : 0.0;
  }
  for (int t = 0; t < p->steps; t++) {
    const int now = p->reverse || d ? len - 1 - t : t;
    const float *x = v->x + now * p->x_time + row * p->x_row + d * v->gates;
    const float *y = v->y + d * p->y_dir + row * p->y_row +
                     (t < len ? now : t) * p->y_time;
    if (t >= len) {
      if (!recur_zero(y, n))
        fail("recurrent", "steps past the length are not zeros");
      continue;
    }
    if (p->kind == 1)
      recur_gru(v, x, r, rb, h);
    else
      recur_cell(v, x, r, h, c);
    if (!recur_near(y, h, n))
      fail("recurrent", "Y differs");
  }
  if (!recur_near(v->yh + at, h, n))
    fail("recurrent", "Y_h differs");
  if (p->kind == 2 && !recur_near(v->yc + at, c, n))
    fail("recurrent", "Y_c differs");
}

/* Row i of its own has the same bits; here its outputs are not all asked. */
static void recur_alone(const Recur *v, const int32_t *lens, int row)
{
  o2c_recurrent_f32_p p = v->p;
  const int64_t at = row * p.s_row;
  float *yh = random_f32(v->ns);
  p.rows = 1;
  if (o2c_recurrent_f32(v->x + row * p.x_row, v->panels, v->rb,
                        lens ? lens + row : NULL, v->h0 ? v->h0 + at : NULL,
                        v->c0 ? v->c0 + at : NULL, NULL, yh, NULL, v->work,
                        &p))
    fail("recurrent", "a row alone is refused");
  for (int d = 0; d < p.dirs; d++)
    if (!same(yh + d * p.s_dir, v->yh + d * p.s_dir + at, (size_t)p.hidden))
      fail("recurrent", "a row alone has other bits");
  free(yh);
}

/* A length that is out of range is told, and nothing written. */
static void recur_refuse(Recur *v)
{
  float *y = copy_f32(v->y, v->ny), *yh = copy_f32(v->yh, v->ns);
  v->lens[rnd((uint32_t)v->p.rows)] = rnd(2) ? -1 : v->p.steps + 1;
  if (!o2c_recurrent_f32(v->x, v->panels, v->rb, v->lens, v->h0, v->c0, v->y,
                         v->yh, v->yc, v->work, &v->p))
    fail("recurrent", "a wrong length is taken");
  if (!same(y, v->y, v->ny) || !same(yh, v->yh, v->ns))
    fail("recurrent", "a wrong length writes");
  free(y), free(yh);
}

static void recur_within(const char *what, float x, float y, double want)
{
  if (!(fabs((double)y - want) <= 4e-7 * fabs(want))) {
    printf("%s(%.9g) = %.9g, not %.9g\n", what, (double)x, (double)y, want);
    fail("recurrent", what);
  }
}

/* Functions of gates: near the exact ones, small results too, as far as
   exp(-87); a unit's quotients stay finite at all ends. */
static void recur_functions(void)
{
  const float far[] = {0.0f, 9.5f, 86.0f, 1e3f, 3e38f, INFINITY};
  for (int k = 0; k < 200000; k++) {
    const float part = (float)rnd(1u << 20) / 524288.0f - 1.0f;
    const float x = ldexpf(part, (int)rnd(30) - 23);
    const o2c_recur_tanh_f32 t = o2c_recur_tanh_parts(x);
    if (x > -87.0f)
      recur_within("o2c_recur_gate", x, o2c_recur_gate(x),
                   recur_sigmoid((double)x));
    recur_within("o2c_recur_tanh_parts", x, t.n / t.d, tanh((double)x));
  }
  for (int i = 0; i < 12 * 12; i++) {
    const float a = i % 12 < 6 ? far[i % 6] : -far[i % 6];
    const float b = i / 12 < 6 ? far[i / 12 % 6] : -far[i / 12 % 6];
    float c = 0.5f;
    const float h = o2c_lstm_unit(a, b, a, b, &c);
    const double cell = recur_sigmoid((double)a) * (0.5 + tanh((double)b));
    if (!(fabs((double)c - cell) <= 1e-6) ||
        !(fabs((double)h - recur_sigmoid((double)b) * tanh(cell)) <= 1e-6))
      fail("recurrent", "a unit at the ends");
  }
  if (!isnan(o2c_recur_gate(NAN)) || !isnan(o2c_recur_tanh_parts(NAN).n))
    fail("recurrent", "NaN");
}

static void test_o2c_recurrent_f32(void)
{
  recur_functions();
  for (int k = 0; k < 300; k++) {
    Recur v;
    recur_make(&v, k % 3, k / 3 % 2);
    const int32_t *lens = rnd(2) ? v.lens : NULL;
    if (o2c_recurrent_f32(v.x, v.panels, v.rb, lens, v.h0, v.c0, v.y, v.yh,
                          v.yc, v.work, &v.p))
      fail("recurrent", "refused");
    for (int i = 0; i < v.p.rows; i++) {
      for (int d = 0; d < v.p.dirs; d++)
        recur_row(&v, lens, i, d);
      recur_alone(&v, lens, i);
    }
    recur_refuse(&v);
    recur_free(&v);
  }
}

#endif
