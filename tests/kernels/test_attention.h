/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: attention_f32.h. */
#ifndef O2C_TEST_ATTENTION_H
#define O2C_TEST_ATTENTION_H
#include "../../runtime_min/kernels/attention_f32.h"

typedef struct {
  o2c_attention_f32_p p;
  float *q, *k, *v, *bias;
  uint8_t *allow;
  int64_t *valid;
} Attention;

static double score_of(const Attention *a, int b, int h, int i, int j)
{
  const o2c_attention_f32_p *p = &a->p;
  const float *q = a->q + b * p->q_image + h * p->q_head + i * p->q_row;
  const float *k = a->k + b * p->k_image +
                   h / (p->heads / p->groups) * p->k_head + j * p->k_row;
  const int64_t m = b * p->m_image + h * p->m_head + i * p->m_row +
                    j * p->m_col;
  const int64_t at = i + (a->valid ? a->valid[b] - p->rows : p->past);
  double s = 0.0;
  for (int c = 0; c < p->d; c++)
    s += (double)q[c] * (double)k[c * p->k_col];
  s *= (double)p->scale;
  if (p->softcap > 0.0f)
    s = (double)p->softcap * tanh(s / (double)p->softcap);
  if ((p->causal && j > at) || (a->valid && j >= a->valid[b]) ||
      (p->left >= 0 && at - j > p->left) ||
      (p->right >= 0 && j - at > p->right) ||
      ((a->allow || a->bias) && j >= p->mask_keys) ||
      (a->allow && !a->allow[m]))
    return (double)-INFINITY;
  return a->bias ? s + (double)a->bias[m] : s;
}

static void attention_row(const Attention *a, int b, int h, int i,
                          const float *y, double *s)
{
  const o2c_attention_f32_p *p = &a->p;
  const float *v = a->v + b * p->v_image +
                   h / (p->heads / p->groups) * p->v_head;
  double max = (double)-INFINITY, sum = 0.0;
  for (int j = 0; j < p->keys; j++) {
    s[j] = score_of(a, b, h, i, j);
    max = s[j] > max ? s[j] : max;
  }
  for (int j = 0; j < p->keys; j++)
    sum += s[j] = max > (double)-INFINITY ? exp(s[j] - max) : 0.0;
  for (int c = 0; c < p->v; c++) {
    double want = 0.0;
    for (int j = 0; j < p->keys; j++)
      want += s[j] * (double)v[j * p->v_row + c * p->v_col];
    want = sum > 0.0 ? want / sum : 0.0;
    if (!(fabs((double)y[c] - want) < 2e-5))
      fail("attention", "differs");
  }
}

/* All images at once, against doubles, and the last one alone: same bits. */
static void attention_run(const Attention *a)
{
  o2c_attention_f32_p one = a->p;
  const o2c_attention_f32_p *p = &a->p;
  const size_t n = (size_t)(p->images * p->y_image);
  const int last = p->images - 1;
  float *y = random_f32(n), *z = random_f32(n);
  float *room = alloc_f32((size_t)O2C_ATTENTION_ROOM(p->keys, p->d, p->v));
  double *s = (double *)malloc((size_t)(p->keys + 1) * sizeof *s);
  if (!s)
    exit(2);
  o2c_attention_f32(a->q, a->k, a->v, a->allow, a->bias, a->valid, y, room, p);
  for (int b = 0; b < p->images; b++)
    for (int h = 0; h < p->heads; h++)
      for (int i = 0; i < p->rows; i++)
        attention_row(a, b, h, i,
                      y + b * p->y_image + h * p->y_head + i * p->y_row, s);
  one.images = 1;
  o2c_attention_f32(a->q + last * p->q_image, a->k + last * p->k_image,
                    a->v + last * p->v_image,
                    a->allow ? a->allow + last * p->m_image : NULL,
                    a->bias ? a->bias + last * p->m_image : NULL,
                    a->valid ? a->valid + last : NULL, z, room, &one);
  if (!same(y + last * p->y_image, z, (size_t)p->y_image))
    fail("attention", "an image alone has other bits");
  free(y);
  free(z);
  free(room);
  free(s);
}

/* Sizes at random; `kind` says where operands and results stand, and the rules:
   bits 0 1: no mask, numbers, bytes, one number a row; 2: causal; 3: windows;
   4: valid; 5: K as [d, keys], results with heads last; 6: softcap. */
static void attention_check(int kind)
{
  const int n = 1 + (int)rnd(3), g = 1 + (int)rnd(2), h = g * (1 + (int)rnd(3));
  const int s = 1 + (int)rnd(60), t = 1 + (int)rnd(90), d = 1 + (int)rnd(40);
  const int v = 1 + (int)rnd(40), mask = kind & 3, turned = kind >> 5 & 1;
  const int many = mask == 3 ? 1 : t;
  Attention a;
  memset(&a, 0, sizeof a);
  a.p.images = n, a.p.heads = h, a.p.groups = g, a.p.rows = s, a.p.keys = t;
  a.p.d = d, a.p.v = v, a.p.scale = 1.0f / (float)d;
  a.p.mask_keys = mask == 3 ? t : t - (int)rnd(2) * (t / 3);
  a.p.q_row = d, a.p.q_head = s * d, a.p.q_image = h * s * d;
  a.p.k_row = turned ? 1 : d, a.p.k_col = turned ? t : 1;
  a.p.k_head = t * d, a.p.k_image = g * t * d;
  a.p.v_row = v, a.p.v_col = 1, a.p.v_head = t * v, a.p.v_image = g * t * v;
  a.p.y_row = turned ? h * v : v, a.p.y_head = turned ? v : s * v;
  a.p.y_image = h * s * v;
  a.p.m_col = mask != 3, a.p.m_row = many, a.p.m_image = s * many;
  a.p.past = kind & 16 ? 0 : (int)rnd(9);
  a.p.causal = kind >> 2 & 1;
  a.p.left = kind & 8 ? (int)rnd(20) : -1;
  a.p.right = kind & 8 ? (int)rnd(20) - 1 : -1;
  a.p.softcap = kind & 64 ? 0.5f : 0.0f;
  a.q = random_f32((size_t)(n * h * s * d));
  a.k = random_f32((size_t)(n * g * t * d));
  a.v = random_f32((size_t)(n * g * t * v));
  if (mask & 1)
    a.bias = random_f32((size_t)(n * s * many));
  if (mask == 2) {
    a.allow = (uint8_t *)malloc((size_t)(n * s * many));
    for (int i = 0; a.allow && i < n * s * many; i++)
      a.allow[i] = (uint8_t)(rnd(4) > 0);
  }
  if (kind & 16) {
    a.valid = (int64_t *)malloc((size_t)n * sizeof *a.valid);
    for (int i = 0; a.valid && i < n; i++)
      a.valid[i] = (int64_t)rnd((uint32_t)t + 1);
  }
  attention_run(&a);
  free(a.q);
  free(a.k);
  free(a.v);
  free(a.bias);
  free(a.allow);
  free(a.valid);
}

/* A row whose mask is -inf: zero, or NaN; NaN in a score stays, but there. */
static void attention_zero(void)
{
  float q[] = {1.0f}, k[] = {1.0f, 2.0f}, v[] = {3.0f, 4.0f}, y[1];
  float bias[] = {-INFINITY, -INFINITY}, room[O2C_ATTENTION_ROOM(2, 1, 1)];
  o2c_attention_f32_p p;
  memset(&p, 0, sizeof p);
  p.images = p.heads = p.groups = p.rows = p.d = p.v = 1;
  p.keys = p.mask_keys = 2;
  p.k_row = p.k_col = p.v_row = p.v_col = p.m_col = 1;
  p.left = p.right = -1;
  p.scale = 1.0f;
  for (p.zero = 0; p.zero < 3; p.zero++)
    for (int nan = 0; nan < 3; nan++) {
      k[1] = nan ? NAN : 2.0f;
      bias[0] = nan == 2 ? 0.0f : -INFINITY;
      o2c_attention_f32(q, k, v, NULL, bias, NULL, y, room, &p);
      if ((y[0] != y[0]) != (p.zero == 1 || (p.zero == 0 && nan == 2)) ||
          (y[0] == y[0] && y[0] != 0.0f))
        fail("attention", "a blocked row");
    }
}

/* As o2c_expf, or 0 where that comes near the denormal numbers. */
static void attention_exp(void)
{
  for (float x = 0.0f; x > -120.0f; x -= 0.01f) {
    const float y = o2c_att_exp(x), want = x < -87.0f ? 0.0f : o2c_expf(x);
    if (!same(&y, &want, 1))
      fail("attention", "exponentials differ");
  }
  if (o2c_att_exp(-INFINITY) != 0.0f || !isnan(o2c_att_exp(NAN)))
    fail("attention", "exponential of infinity or NaN");
}

static void test_o2c_attention_f32(void)
{
  attention_exp();
  for (int kind = 0; kind < 128; kind++)
    attention_check(kind);
  attention_zero();
}

#endif
