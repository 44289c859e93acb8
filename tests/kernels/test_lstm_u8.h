/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: lstm_u8.h against its sentences,
   written out over one row after another, bit for bit. */
#ifndef O2C_TEST_LSTM_U8_H
#define O2C_TEST_LSTM_U8_H
#include "../../runtime_min/kernels/lstm_u8.h"
#include "../../runtime_min/kernels/pack_u8.h"

typedef struct {
  o2c_recurrent_f32_p p;
  int gates, wide;
  size_t nx, ny, ns;
  float *x, *scale, *bias, *h0, *c0, *work;
  int8_t *r, *panels; /* r [dirs][gates][hidden]; sums, scale as panels */
  int32_t *sums, lens[4];
  uint8_t *bytes;
  int16_t *scratch;
} LstmBytes;

/* Where the panels have column j. */
static int lstm_u8_at(const LstmBytes *v, int j)
{
  const int n = v->p.hidden, unit = j % n;
  return unit / 16 * 64 + j / n * 16 + unit % 16;
}

static void lstm_u8_pack(LstmBytes *v)
{
  const int h = v->p.hidden;
  const size_t panel = o2c_pack_u8_size(v->wide, 1, h);
  v->panels = (int8_t *)malloc(panel * (size_t)v->p.dirs);
  v->sums = (int32_t *)calloc((size_t)(v->p.dirs * v->wide), sizeof *v->sums);
  for (int d = 0; d < v->p.dirs; d++) {
    int8_t *const w = (int8_t *)calloc((size_t)v->wide, (size_t)h);
    for (int i = 0; i < v->gates * h; i++) {
      const int8_t value = v->r[d * v->gates * h + i];
      const int to = lstm_u8_at(v, i / h);
      w[to * h + i % h] = value;
      v->sums[d * v->wide + to] += value;
    }
    o2c_pack_u8(v->panels + (size_t)d * panel, w, v->wide, 1, h);
    free(w);
  }
}

static void lstm_u8_make(LstmBytes *v)
{
  o2c_recurrent_f32_p *p = &v->p;
  memset(v, 0, sizeof *v);
  p->kind = 2;
  p->steps = (int32_t)rnd(6);
  p->rows = 1 + (int32_t)rnd(4);
  p->hidden = 1 + (int32_t)rnd(40);
  p->dirs = 1 + (int32_t)rnd(2);
  p->reverse = p->dirs == 1 && rnd(2);
  const int h = p->hidden, wide = p->dirs * 4 * h, rows = p->rows;
  v->gates = 4 * h;
  v->wide = O2C_LSTM_U8_WIDE(h);
  p->x_row = wide;
  p->x_time = (int64_t)rows * wide;
  p->y_row = p->s_row = h;
  p->y_dir = p->s_dir = (int64_t)rows * h;
  p->y_time = (int64_t)p->dirs * rows * h;
  v->nx = (size_t)(p->steps * rows * wide);
  v->ns = (size_t)(p->dirs * rows * h);
  v->ny = v->ns * (size_t)p->steps;
  v->x = random_f32(v->nx);
  v->scale = random_f32((size_t)(p->dirs * v->wide));
  v->bias = rnd(2) ? random_f32((size_t)wide) : NULL;
  v->h0 = rnd(2) ? random_f32(v->ns) : NULL;
  v->c0 = rnd(2) ? random_f32(v->ns) : NULL;
  v->work = alloc_f32((size_t)O2C_LSTM_U8_ROOM(rows, h));
  v->r = (int8_t *)malloc((size_t)(wide * h) + 1);
  v->bytes = (uint8_t *)malloc((size_t)(rows * h));
  v->scratch = (int16_t *)malloc(sizeof(int16_t) * 12 * (size_t)(h + 3));
  for (int i = 0; i < rows; i++)
    v->lens[i] = (int32_t)rnd((uint32_t)p->steps + 1);
  for (int i = 0; i < wide * h; i++)
    v->r[i] = (int8_t)((int)rnd(256) - 128);
  for (int i = 0; i < p->dirs * v->wide; i++)
    v->scale[i] *= 0.01f;
  lstm_u8_pack(v);
}

static void lstm_u8_free(LstmBytes *v)
{
  free(v->x), free(v->scale), free(v->bias), free(v->h0), free(v->c0);
  free(v->work), free(v->r), free(v->panels), free(v->sums), free(v->bytes);
  free(v->scratch);
}

/* Row i takes step `now` in direction d; h, c: its states, q: its bytes. */
static void lstm_u8_row(const LstmBytes *v, int d, int i, int now, float by,
                        int zero, const uint8_t *q, float *h, float *c)
{
  const int n = v->p.hidden;
  float g[160];
  for (int j = 0; j < v->gates; j++) {
    int32_t sum = 0;
    for (int k = 0; k < n; k++)
      sum += (q[k] - zero) * v->r[(d * v->gates + j) * n + k];
    const float step = by * v->scale[d * v->wide + lstm_u8_at(v, j)];
    const float part = (float)sum * step;
    g[j] = v->x[now * v->p.x_time + i * v->p.x_row + d * v->gates + j] + part;
    if (v->bias)
      g[j] += v->bias[d * v->gates + j];
  }
  for (int j = 0; j < n; j++)
    o2c_lstm_u8_unit(g[j], g[n + j], g[2 * n + j], g[3 * n + j], c + j, h + j);
}

static void lstm_u8_naive(const LstmBytes *v, const int32_t *lens, float *y,
                          float *yh, float *yc)
{
  const int n = v->p.hidden, rows = v->p.rows;
  float h[160], c[160];
  uint8_t q[160], zero;
  float by;
  for (int d = 0; d < v->p.dirs; d++) {
    for (int i = 0; i < rows * n; i++) {
      h[i] = v->h0 ? v->h0[d * rows * n + i] : 0.0f;
      c[i] = v->c0 ? v->c0[d * rows * n + i] : 0.0f;
    }
    for (int t = 0; t < v->p.steps; t++) {
      o2c_dynamic_quantize_u8(h, q, &by, &zero, (size_t)(rows * n));
      for (int i = 0; i < rows; i++) {
        const int len = lens ? lens[i] : v->p.steps;
        const int now = t >= len ? t
                        : v->p.reverse || d ? len - 1 - t : t;
        if (t < len)
          lstm_u8_row(v, d, i, now, by, zero, q + i * n, h + i * n, c + i * n);
        else if (y)
          memset(h + i * n, 0, (size_t)n * sizeof *h);
        if (y)
          memcpy(y + now * v->p.y_time + d * v->p.y_dir + i * n, h + i * n,
                 (size_t)n * sizeof *h);
        if (yh && t == len - 1)
          memcpy(yh + (d * rows + i) * n, h + i * n, (size_t)n * sizeof *h);
      }
    }
    for (int i = 0; i < rows; i++) {
      const int none = lens ? lens[i] == 0 : v->p.steps == 0;
      for (int j = i * n; none && j < (i + 1) * n; j++) {
        if (yh)
          yh[d * rows * n + j] = lens ? 0.0f : h[j];
        c[j] = lens ? 0.0f : c[j];
      }
      if (yc)
        memcpy(yc + (d * rows + i) * n, c + i * n, (size_t)n * sizeof *c);
    }
  }
}

static void lstm_u8_compare(const LstmBytes *v, const int32_t *lens, int outs)
{
  float *y = random_f32(v->ny), *yh = random_f32(v->ns);
  float *yc = random_f32(v->ns), *wy = copy_f32(y, v->ny);
  float *wyh = copy_f32(yh, v->ns), *wyc = copy_f32(yc, v->ns);
  lstm_u8_naive(v, lens, outs & 1 ? wy : NULL, outs & 2 ? wyh : NULL,
                outs & 4 ? wyc : NULL);
  if (o2c_lstm_u8(v->x, v->panels, v->sums, v->scale, v->bias, lens, v->h0,
                  v->c0, outs & 1 ? y : NULL, outs & 2 ? yh : NULL,
                  outs & 4 ? yc : NULL, v->work, v->bytes, v->scratch, &v->p))
    fail("lstm_u8", "refused");
  if (!same(y, wy, v->ny) || !same(yh, wyh, v->ns) || !same(yc, wyc, v->ns))
    fail("lstm_u8", "other bits than its sentences");
  free(y), free(yh), free(yc), free(wy), free(wyh), free(wyc);
}

/* The rational functions, against the functions. */
static void lstm_u8_functions(void)
{
  for (int i = -2000; i <= 2000; i++) {
    const float x = (float)i * 0.0123f;
    const double t = (double)o2c_near_tanh(x) - tanh((double)x);
    const double s = (double)o2c_near_sigmoid(x) -
                     1.0 / (1.0 + exp(-(double)x));
    if (fabs(t) > 4e-7 || fabs(s) > 4e-7)
      fail("lstm_u8", "tanh or sigmoid is far off");
  }
}

static void test_o2c_lstm_u8(void)
{
  lstm_u8_functions();
  for (int k = 0; k < 200; k++) {
    LstmBytes v;
    lstm_u8_make(&v);
    lstm_u8_compare(&v, NULL, 7);
    lstm_u8_compare(&v, v.lens, (int)rnd(8));
    v.lens[rnd((uint32_t)v.p.rows)] = rnd(2) ? -1 : v.p.steps + 1;
    if (!o2c_lstm_u8(v.x, v.panels, v.sums, v.scale, NULL, v.lens, NULL, NULL,
                     NULL, NULL, NULL, v.work, v.bytes, v.scratch, &v.p))
      fail("lstm_u8", "took a length outside of 0 .. steps");
    lstm_u8_free(&v);
  }
}

#endif
