/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: strip.h and strip_f32.h. A chain of
   random convolutions by strips, in two parts, has the bits that whole maps
   have. */
#ifndef O2C_TEST_STRIP_H
#define O2C_TEST_STRIP_H
#include "../../runtime_min/kernels/strip_f32.h"

#define STRIP_MOST 5

typedef struct {
  o2c_conv_f32_p conv;
  o2c_dw_f32_p dw;
  int32_t tap[3], depthwise;
  int32_t k, s, pad[4];              /* kernel, stride; top left bottom right */
  int32_t h, w, c, oh, ow, oc;
  float *in, *w_packed, *bias, *r;   /* in: the whole map with its border */
  size_t nin;
} StripTest;

/* A stage over an image of h x w x c: any 3x3 or 1x1, or depthwise. */
static void strip_make(StripTest *t, int first)
{
  const int k = rnd(3) ? 3 : rnd(2) ? 1 : 5;
  t->depthwise = !first && rnd(2);
  t->k = t->depthwise || (k == 3 && first) ? k : 1;
  t->s = t->k > 1 ? 1 + (int32_t)rnd(2) : 1;
  for (int i = 0; i < 4; i++)
    t->pad[i] = (int32_t)rnd((uint32_t)(t->k + 1) / 2 + 1);
  t->oc = t->depthwise ? t->c : rnd(3) ? 1 + (int32_t)rnd(40) : 16;
  const int32_t wide = t->pad[1] + t->w + t->pad[3];
  const int32_t high = t->pad[0] + t->h + t->pad[2];
  t->oh = high < t->k ? 0 : (high - t->k) / t->s + 1;
  t->ow = wide < t->k ? 0 : (wide - t->k) / t->s + 1;
  t->nin = (size_t)(high * wide * t->c);
  t->in = alloc_f32(t->nin);
  memset(t->in, 0, t->nin * sizeof(float));
  for (int i = 0; i < 3; i++)
    t->tap[i] = i * wide * t->c;
  t->conv.oh = t->dw.oh = t->oh;
  t->conv.ow = t->dw.ow = t->ow;
  t->conv.oc = t->oc;
  t->conv.ntap = t->k;
  t->conv.kc = t->k * t->c;
  t->conv.tap = t->tap;
  t->dw.c = t->c;
  t->dw.kh = t->dw.kw = t->k;
  t->conv.x_row = t->dw.x_row = (int64_t)t->s * wide * t->c;
  t->conv.x_pix = t->dw.x_pix = (int64_t)t->s * t->c;
  t->dw.tap_row = (int64_t)wide * t->c;
  t->dw.tap_pix = t->dw.w_tap = t->c;
  t->conv.y_pix = t->dw.y_pix = t->conv.r_pix = t->oc;
  t->conv.r_row = (int64_t)t->ow * t->oc;
  t->conv.lo = t->dw.lo = rnd(2) ? 0.0f : -INFINITY;
  t->conv.hi = t->dw.hi = rnd(2) ? 1.0f : INFINITY;
  t->w_packed = random_f32((size_t)((t->oc + 15) / 16 * 16 * t->k * t->k *
                                    (t->depthwise ? 1 : t->c)));
  t->bias = rnd(3) ? random_f32((size_t)t->oc) : NULL;
  t->r = !t->depthwise && rnd(3) == 0
         ? random_f32((size_t)(t->oh * t->ow * t->oc)) : NULL;
}

/* The row of the strips' table, and the stage over its whole map. */
static o2c_strip_stage strip_stage(const StripTest *t)
{
  o2c_strip_stage s;
  memset(&s, 0, sizeof s);
  s.run = t->depthwise ? o2c_strip_dw_f32
        : !t->r && t->k == 1 && t->c == 16 ? o2c_strip_short_f32_1x16
        : !t->r && t->k == 3 && t->c == 3 ? o2c_strip_short_f32_3x9
        : o2c_strip_conv_f32;
  s.p = t->depthwise ? (const void *)&t->dw : (const void *)&t->conv;
  s.w = t->w_packed;
  s.b = t->bias;
  s.r = t->r;
  s.row = (int64_t)sizeof(float) * (t->pad[1] + t->w + t->pad[3]) * t->c;
  s.left = (int64_t)sizeof(float) * t->pad[1] * t->c;
  s.kh = t->k;
  s.sh = t->s;
  s.top = t->pad[0];
  s.rows = t->oh;
  return s;
}

static void strip_whole(const StripTest *t, float *y)
{
  if (t->depthwise)
    o2c_dw_f32(t->in, t->w_packed, t->bias, y, &t->dw);
  else
    o2c_conv_f32(t->in, t->w_packed, t->bias, t->r, y, &t->conv);
}

static void strip_free(const StripTest *t, int n)
{
  for (int i = 0; i < n; i++) {
    free(t[i].in);
    free(t[i].w_packed);
    free(t[i].bias);
    free(t[i].r);
  }
}

/* Stages of a random chain; 0 where a map got lost. */
static int strip_chain(StripTest *t)
{
  const int n = 2 + (int)rnd(STRIP_MOST - 1);
  int32_t h = 1 + (int32_t)rnd(30), w = 1 + (int32_t)rnd(12);
  int32_t c = rnd(2) ? 1 + (int32_t)rnd(20) : rnd(2) ? 3 : 16;
  for (int i = 0; i < n; i++) {
    t[i].h = h;
    t[i].w = w;
    t[i].c = c;
    strip_make(&t[i], i == 0);
    h = t[i].oh;
    w = t[i].ow;
    c = t[i].oc;
    if (h == 0 || w == 0) {
      strip_free(t, i + 1);
      return 0;
    }
  }
  for (int i = 0; i < n; i++) {
    const int32_t border = i + 1 < n ? t[i + 1].pad[1] + t[i + 1].pad[3] : 0;
    t[i].conv.y_row = (int64_t)(t[i].ow + border) * t[i].oc;
    t[i].dw.y_row = t[i].conv.y_row;
  }
  return n;
}

static void strip_check(void)
{
  StripTest t[STRIP_MOST];
  o2c_strip_stage stage[STRIP_MOST];
  const int n = strip_chain(t);
  if (n == 0)
    return;
  const StripTest *end = &t[n - 1];
  const size_t ny = (size_t)(end->oh * end->ow * end->oc);
  float *want = random_f32(ny), *y = copy_f32(want, ny);
  float *x = copy_f32(t[0].in, t[0].nin);
  for (size_t i = 0; i < t[0].nin; i++)
    x[i] = (float)rnd(1u << 20) / 524288.0f - 1.0f;
  memcpy(t[0].in, x, t[0].nin * sizeof(float));
  for (int i = 0; i < n; i++)
    strip_whole(&t[i], i + 1 < n ? t[i + 1].in + (t[i + 1].pad[0] *
      (t[i + 1].pad[1] + t[i + 1].w + t[i + 1].pad[3]) + t[i + 1].pad[1]) *
      t[i + 1].c : want);
  const int32_t cut = (int32_t)rnd((uint32_t)end->oh + 1);
  o2c_strip_rows rows = {0, cut, 1 + (int32_t)rnd(5)};
  int32_t room = rows.step;
  for (int i = n - 1; i >= 0; i--) {
    stage[i] = strip_stage(&t[i]);
    stage[i].room = room = (room - 1) * t[i].s + t[i].k;
    if (i > 0) /* of its exact size, filled with what must not be read */
      stage[i].window = (unsigned char *)
        random_f32((size_t)(room * stage[i].row) / sizeof(float));
  }
  const int64_t y_row = (int64_t)sizeof(float) * end->ow * end->oc;
  o2c_strips(stage, n, x, y, y_row, &rows);
  rows.first = cut;
  rows.last = end->oh;
  o2c_strips(stage, n, x, y, y_row, &rows);
  if (!same(want, y, ny)) {
    char name[96];
    snprintf(name, sizeof name, "strips, %d stages, %d rows of %d by %d", n,
             (int)end->oh, (int)end->ow, (int)rows.step);
    fail(name, "differ from whole maps");
  }
  for (int i = 1; i < n; i++)
    free(stage[i].window);
  strip_free(t, n);
  free(want), free(y), free(x);
}

static void test_o2c_strips(void)
{
  for (int i = 0; i < 3000; i++)
    strip_check();
}

#endif
