/* SPDX-License-Identifier: 0BSD */
/* The products of product.h by o2c_cuda_matmul. */
#ifndef O2C_PRODUCT_CALL_H
#define O2C_PRODUCT_CALL_H
#include "product.h"

/* One call where the batch has an axis at most; else one for each matrix of
 * the others. Of a and of b, one of the two steps of a matrix is 1. bias is
 * [n]; r is taken `beta` times. */
static void o2c_product_call(o2c_cuda *cu, unsigned plan, int dtype, int fast,
                             double beta, const o2c_product_p *p,
                             const void *a, const void *b, const void *bias,
                             const void *r, void *y)
{
  const int64_t outer = p->rank > 1 ? p->rank - 1 : 0, size = p->m * p->n;
  const size_t bytes = dtype == O2C_F32 ? 4 : 2;
  o2c_cuda_matmul_p q;
  memset(&q, 0, sizeof q);
  q.dtype = dtype;
  q.m = p->m;
  q.n = p->n;
  q.k = p->k;
  q.batch = p->rank > 0 ? p->batch[p->rank - 1] : 1;
  q.x_turned = p->ak != 1;
  q.x_row = q.x_turned ? p->ak : p->am;
  q.w_turned = p->bn != 1;
  q.w_row = q.w_turned ? p->bn : p->bk;
  q.y_row = p->n;
  if (p->rank > 0) {
    q.x_batch = p->as[p->rank - 1];
    q.w_batch = p->bs[p->rank - 1];
    q.y_batch = size;
  }
  q.alpha = (float)p->alpha;
  q.beta = (float)beta;
  q.lo = p->clamp ? (float)p->lo : -INFINITY;
  q.hi = p->clamp ? (float)p->hi : INFINITY;
  q.fast = fast;
  for (int64_t t = 0; t < o2c_numel(outer, p->batch); t++) {
    const size_t at = (size_t)o2c_offset(t, outer, p->batch, p->as);
    const size_t bt = (size_t)o2c_offset(t, outer, p->batch, p->bs);
    const size_t yt = (size_t)(t * q.batch * size);
    o2c_cuda_matmul(cu, plan, &q, (const unsigned char *)a + at * bytes,
                    (const unsigned char *)b + bt * bytes, bias,
                    r ? (const unsigned char *)r + yt * bytes : NULL,
                    (unsigned char *)y + yt * bytes);
  }
}
#endif
