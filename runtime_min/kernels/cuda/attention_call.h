/* SPDX-License-Identifier: 0BSD */
/* Attention by o2c_cuda_sdpa, where sizes that are known only at run time allow
 * it. */
#ifndef O2C_ATTENTION_CALL_H
#define O2C_ATTENTION_CALL_H
#include "attention.h"

/* 0: nothing was done; the kernels of attention_tiles.h take all. */
static int o2c_attend_library(
  o2c_cuda *cu, unsigned plan, int dtype, const o2c_attend_p *p, const void *q,
  const void *k, const void *v, const void *bias, void *y)
{
  o2c_cuda_sdpa_p a;
  if (p->n * p->h * p->s * p->t * p->d * p->v == 0 || p->s < 8 ||
      p->qs[3] != 1 || p->ks[3] != 1 || p->vs[3] != 1 ||
      (p->causal && p->past != p->t - p->s) ||
      (bias && (p->mask_keys < p->t || p->ms[3] != 1)))
    return 0;
  memset(&a, 0, sizeof a);
  a.dtype = dtype;
  a.causal = p->causal && p->s > 1;
  a.b = p->n;
  a.h = p->h;
  a.hk = p->g;
  a.s = p->s;
  a.t = p->t;
  a.d = p->d;
  a.dv = p->v;
  a.scale = (float)p->scale;
  for (int i = 0; i < 3; i++) {
    a.q[i] = p->qs[i];
    a.k[i] = p->ks[i];
    a.v[i] = p->vs[i];
    a.y[i] = p->ys[i];
    a.mask[i] = p->ms[i];
  }
  return o2c_cuda_sdpa(cu, plan, &a, q, k, v, bias, y);
}
#endif
