/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: linear_f32.h. */
#ifndef O2C_TEST_LINEAR_H
#define O2C_TEST_LINEAR_H
#include "../../runtime_min/kernels/linear_f32.h"

typedef struct {
  o2c_linear_f32_p p;
  float *q, *k, *v, *past, *decay, *beta;
} LinearCase;

/* One head of k of one sample in double, by the formulas of the operator. */
static void linear_head(const LinearCase *c, int n, int g, const float *y,
                        const float *state, double *s, double *u)
{
  const o2c_linear_f32_p *p = &c->p;
  const int shared = p->heads / p->groups, one = p->keys * p->wide;
  const float *past = c->past ? c->past + (n * p->groups + g) * one : NULL;
  for (int i = 0; i < one; i++) s[i] = past ? (double)past[i] : 0.0;
  for (int t = 0; t < p->tokens; t++) {
    const int at = n * p->tokens + t, own = at * p->groups + g;
    const float *k = c->k + own * p->keys, *v = c->v + own * p->wide;
    for (int d = 0; c->decay && d < p->keys; d++)
      for (int m = 0; m < p->wide; m++)
        s[d * p->wide + m] *=
          exp((double)c->decay[p->per_key ? own * p->keys + d : own]);
    for (int m = 0; m < p->wide; m++) {
      u[m] = (double)v[m];
      for (int d = 0; c->beta && d < p->keys; d++)
        u[m] -= s[d * p->wide + m] * (double)k[d];
      if (c->beta) u[m] *= (double)c->beta[p->per_head ? own : at];
    }
    for (int i = 0; i < one; i++)
      s[i] += (double)k[i / p->wide] * u[i % p->wide];
    for (int h = 0; h < shared * p->wide; h++) {
      const int head = g * shared + h / p->wide;
      double want = 0.0;
      for (int d = 0; d < p->keys; d++)
        want += (double)c->q[(at * p->heads + head) * p->keys + d] *
                s[d * p->wide + h % p->wide];
      want *= (double)p->scale;
      const float got = y[(at * p->heads + head) * p->wide + h % p->wide];
      if (!(fabs((double)got - want) < 2e-4 * (1.0 + fabs(want))))
        fail("linear attention", "differs");
    }
  }
  for (int i = 0; i < one; i++)
    if (!(fabs((double)state[i] - s[i]) < 2e-4 * (1.0 + fabs(s[i]))))
      fail("linear attention", "leaves another state");
}

static void linear_run(const LinearCase *c)
{
  const o2c_linear_f32_p *p = &c->p;
  const int one = p->keys * p->wide, all = p->samples * p->groups;
  const size_t ny = (size_t)(p->samples * p->tokens * p->heads * p->wide);
  float *y = random_f32(ny + 1), *z = random_f32(ny + 1);
  float *state = random_f32((size_t)(all * one + 1));
  float *other = random_f32((size_t)(all * one + 1));
  float *room = alloc_f32((size_t)O2C_LINEAR_ROOM(p->keys));
  double *s = (double *)malloc((size_t)(one + p->wide) * sizeof *s);
  o2c_linear_attention_f32(c->q, c->k, c->v, c->past, c->decay, c->beta, y,
                           state, room, p);
  for (int i = 0; i < all; i++)
    linear_head(c, i / p->groups, i % p->groups, y, state + i * one, s,
                s + one);
  for (int i = all; i-- > 0;)
    o2c_linear_attention_f32_heads(c->q, c->k, c->v, c->past, c->decay,
                                   c->beta, z, other, room, p, i, i + 1);
  if (memcmp(y, z, ny * sizeof *y) ||
      memcmp(state, other, (size_t)(all * one) * sizeof *y))
    fail("linear attention", "other bits by single heads");
  free(s);
  free(room);
  free(other);
  free(state);
  free(z);
  free(y);
}

static void test_o2c_linear_attention_f32(void)
{
  static const int shape[][6] = { /* samples tokens heads groups keys wide */
    {2, 3, 4, 2, 5, 7}, {1, 1, 2, 2, 16, 32}, {2, 9, 2, 1, 8, 33},
    {1, 17, 6, 2, 3, 16}, {1, 0, 1, 1, 2, 3}, {1, 2, 1, 1, 1, 1},
    {1, 8, 3, 3, 12, 50}
  };
  for (int i = 0; i < (int)(sizeof shape / sizeof *shape); i++)
    for (int form = 0; form < 16; form++) {
      const int *n = shape[i], rows = n[0] * n[1];
      LinearCase c = {{n[0], n[1], n[2], n[3], n[4], n[5], form & 1,
                       form >> 1 & 1, .25f}, NULL, NULL, NULL, NULL, NULL,
                      NULL};
      c.q = random_f32((size_t)(rows * n[2] * n[4] + 1));
      c.k = random_f32((size_t)(rows * n[3] * n[4] + 1));
      c.v = random_f32((size_t)(rows * n[3] * n[5] + 1));
      for (int j = 0; j < rows * n[3] * n[4]; j++) c.k[j] *= .3f;
      float *past = random_f32((size_t)(n[0] * n[3] * n[4] * n[5] + 1));
      float *decay = random_f32((size_t)(rows * n[3] * n[4] + 1));
      float *beta = random_f32((size_t)(rows * n[3] + 1));
      for (int j = 0; j < rows * n[3] * n[4]; j++) decay[j] = -fabsf(decay[j]);
      if (form & 4) c.decay = decay;
      if (form & 8) c.beta = beta;
      if (form & 8 || form & 1) c.past = past;
      linear_run(&c);
      free(beta);
      free(decay);
      free(past);
      free(c.v);
      free(c.k);
      free(c.q);
    }
}
#endif
