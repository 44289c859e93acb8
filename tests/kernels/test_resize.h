/* SPDX-License-Identifier: Apache-2.0 */
/* Resized images against the chain of one pixel; part of test_f32.c. */
#ifndef O2C_TEST_RESIZE_H
#define O2C_TEST_RESIZE_H

#include "../../runtime_min/kernels/resize.h"

static float resize_pixel(const float *x, const o2c_resize_p *p,
                          const float *how, int64_t i, int64_t o, int64_t q,
                          int64_t k, int linear)
{
  const float *m = x + i * p->h * p->w * p->c + k;
  const float v = o2c_resize_at(o, p->h, p->oh, how, p->coord);
  const float u = o2c_resize_at(q, p->w, p->ow, how + 4, p->coord);
  const float wv = v - floorf(v), wu = u - floorf(u);
  float side[2];
  if (!linear)
    return m[(o2c_resize_near(v, how[0], p->h, p->nearest) * p->w +
              o2c_resize_near(u, how[4], p->w, p->nearest)) * p->c];
  for (int s = 0; s < 2; s++) {
    const int64_t col = o2c_resize_clamp(floorf(u) + (float)s, p->w);
    const int64_t up = o2c_resize_clamp(floorf(v), p->h);
    const int64_t down = o2c_resize_clamp(floorf(v) + 1.0f, p->h);
    side[s] = up == down ? m[(up * p->w + col) * p->c]
                         : O2C_FMAF(m[(down * p->w + col) * p->c], wv,
                                    m[(up * p->w + col) * p->c] * (1 - wv));
  }
  return side[0] == side[1] ? side[0]
                            : O2C_FMAF(side[1], wu, side[0] * (1 - wu));
}

static void resize_check(o2c_resize_p p, int linear)
{
  const size_t nx = (size_t)(p.images * p.h * p.w * p.c);
  const size_t ny = (size_t)(p.images * p.oh * p.ow * p.c);
  float *x = random_f32(nx), *y = alloc_f32(ny), *want = alloc_f32(ny);
  float *room = alloc_f32((size_t)(p.oh + p.ow + p.w * p.c));
  int32_t *at = (int32_t *)malloc((size_t)(2 * (p.oh + p.ow)) * sizeof *at);
  const float how[8] = {
    (float)p.oh / (float)p.h, (float)p.oh, 0, 1,
    (float)p.ow / (float)p.w, (float)p.ow, 0, 1
  };
  o2c_resize_p bytes = p;
  size_t n = 0;
  if (!at)
    exit(2);
  for (int64_t i = 0; i < p.images; i++)
    for (int64_t o = 0; o < p.oh; o++)
      for (int64_t q = 0; q < p.ow; q++)
        for (int64_t k = 0; k < p.c; k++)
          want[n++] = resize_pixel(x, &p, how, i, o, q, k, linear);
  bytes.c *= 4;
  if (linear)
    o2c_resize_linear_f32(x, y, at, room, how, &p);
  else
    o2c_resize_nearest(x, y, at, how, &bytes);
  for (n = 0; n < ny; n++)
    if (linear ? fabsf(y[n] - want[n]) > 1e-6f : y[n] != want[n])
      fail(linear ? "resize linear" : "resize nearest", "differs");
  free(x), free(y), free(want), free(room), free(at);
}

static void resize_all(int linear)
{
  for (int i = 0; i < 400; i++) {
    o2c_resize_p p = {
      1 + rnd(2), 1 + rnd(9), 1 + rnd(9), 1 + rnd(40), 1 + rnd(20),
      1 + rnd(20), (int32_t)rnd(O2C_RS_CROP), (int32_t)rnd(O2C_RS_BY_SCALE)
    };
    if (i % 3 == 0)
      p.ow = p.w;
    if (i % 5 == 0)
      p.oh = 2 * p.h;
    if (i % 7 == 0) {
      p.ow = 2 * p.w;
      p.c = 1;
    }
    resize_check(p, linear);
  }
}

static void test_o2c_resize_nearest(void) { resize_all(0); }
static void test_o2c_resize_linear_f32(void) { resize_all(1); }

#endif
