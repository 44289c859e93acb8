/* SPDX-License-Identifier: Apache-2.0 */
/* MatMulInteger, whose zero points the run may give: one for all, or one for
 * each row of A or column of B, of each matrix of the batch. Where B and the
 * zero points are constant, a pass has mostly made an o2c.QGemm of it, which is
 * qconv.c. */
#include "cuda.h"

/* MatMulInteger-10. */
bool cuda_takes_product_int(const Plan *p, const Node *n)
{
  (void)p;
  return node_is(n, "MatMulInteger");
}

static bool is_many(const Value *v)
{
  return v && !dim_is(value_numel(v), 1);
}

static void put_list(Step *s, StrBuf *b, const char *key, int i, const Dim *d)
{
  sb_printf(b, "  q.%s[%d] = %s;\n", key, i, step_dim_text(s, d));
}

/* Zero points of a side; strides along the batch go to `stride`. */
static void put_zero(Step *s, const char *key, const char *name, Value *v,
                     int rank, const Dim **stride)
{
  DimPool *d = &s->node->g->m->dims;
  if (v)
    step_in(s, name, v);
  step_text(s, key, "%s", v ? name : "NULL");
  if (is_many(v))
    matmul_strides(d, v, rank, stride);
  else
    for (int i = 0; i < rank; i++)
      stride[i] = dim_int(d, 0);
}

/* A batch that B and the zero points do not have becomes rows of A. */
static void join_rows(const Node *n, MatShape *m)
{
  DimPool *d = &n->g->m->dims;
  const Value *a = n->in[0];
  if (n->in[1]->rank > 2 || is_many(node_in(n, 2)) || is_many(node_in(n, 3)) ||
      a->rank < 3)
    return;
  m->m = dim_prod(d, (const Dim *const *)a->dim, a->rank - 1);
  m->rank = 0;
}

void cuda_lower_product_int(Plan *p, Node *n)
{
  MatShape m;
  StrBuf b;
  const Dim *az[MAX_RANK], *bz[MAX_RANK];
  Step *s = device_step(p, n, "CUDA_PRODUCT_INT");
  s->kernel_note = "cuda dp4a product";
  step_kernel(s, "cuda/product_int.h");
  matmul_shape(n, 0, 1, &m);
  join_rows(n, &m);
  step_in(s, "a", n->in[0]);
  step_in(s, "b", n->in[1]);
  put_zero(s, "AZ", "az", node_in(n, 2), m.rank, az);
  put_zero(s, "BZ", "bz", node_in(n, 3), m.rank, bz);
  step_out(s, "y", n->out[0]);
  step_text(s, "AT", "%s", dtype_info(n->in[0]->dtype)->c);
  step_text(s, "BT", "%s", dtype_info(n->in[1]->dtype)->c);
  sb_init(&b, p->a);
  for (int i = 0; i < m.rank; i++) {
    put_list(s, &b, "p.batch", i, m.batch[i]);
    put_list(s, &b, "p.as", i, m.as[i]);
    put_list(s, &b, "p.bs", i, m.bs[i]);
    put_list(s, &b, "azb", i, az[i]);
    put_list(s, &b, "bzb", i, bz[i]);
  }
  step_text(s, "BATCH", "%.*s", (int)b.n, b.s);
  sb_free(&b);
  step_dim(s, "M", m.m);
  step_dim(s, "N", m.n);
  step_dim(s, "K", m.k);
  step_int(s, "RANK", m.rank);
  step_int(s, "AZS", is_many(node_in(n, 2)));
  step_int(s, "BZS", is_many(node_in(n, 3)));
  int64_t macs;
  if (dim_is_int(dim_mul(&p->m->dims, value_numel(n->out[0]), m.k), &macs))
    s->macs = macs;
}
