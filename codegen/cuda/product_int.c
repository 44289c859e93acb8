/* SPDX-License-Identifier: Apache-2.0 */
/* MatMulInteger and QLinearMatMul of bytes, whose weights, scales and zero
 * points the run may give: one for all, or one for each row of A or column of
 * B, of each matrix of the batch. Where B and the zero points are constant, a
 * pass has mostly made an o2c.QGemm of it, which is qconv.c. */
#include "cuda.h"

/* Where a node has its inputs; -1: none. */
typedef struct { int a, b, az, bz, as, bs, ys, yz; } Ports;

static const Ports *ports_of(const Node *n)
{
  static const Ports integer = { 0, 1, 2, 3, -1, -1, -1, -1 };
  static const Ports linear = { 0, 3, 2, 5, 1, 4, 6, 7 };
  return node_is(n, "MatMulInteger") ? &integer
         : node_is(n, "QLinearMatMul") ? &linear : NULL;
}

static bool is_byte(const Value *v)
{
  return v->dtype == DT_I8 || v->dtype == DT_U8;
}

/* MatMulInteger-10, QLinearMatMul-21 but for float8. */
bool cuda_takes_product_int(const Plan *p, const Node *n)
{
  const Ports *at = ports_of(n);
  (void)p;
  return at && is_byte(n->in[at->a]) && is_byte(n->in[at->b]) &&
         (at->yz < 0 || is_byte(n->out[0]));
}

static bool is_many(const Value *v)
{
  return v && !dim_is(value_numel(v), 1);
}

static void put_list(Step *s, StrBuf *b, const char *key, int i, const Dim *d)
{
  sb_printf(b, "  q.%s[%d] = %s;\n", key, i, step_dim_text(s, d));
}

typedef struct {
  Step *s;
  MatShape m;
  StrBuf shape;
} ByteMatrix;

/* A batch that only A has becomes rows of it. */
static void join_rows(const Node *n, const Ports *at, MatShape *m)
{
  const Value *a = n->in[at->a];
  if (n->in[at->b]->rank > 2 || a->rank < 3)
    return;
  for (int i = 0; i < n->nin; i++)
    if (i != at->a && i != at->b && is_many(node_in(n, i)))
      return;
  m->m = dim_prod(&n->g->m->dims, (const Dim *const *)a->dim, a->rank - 1);
  m->rank = 0;
}

/* C text of input number `input` for row or column `index`; NULL: none. */
static const char *element(ByteMatrix *x, int input, const char *name,
                           const char *index)
{
  const Dim *stride[MAX_RANK];
  Value *v = input < 0 ? NULL : node_in(x->s->node, input);
  Arena *a = x->s->plan->a;
  if (!v)
    return NULL;
  step_in(x->s, name, v);
  if (!is_many(v))
    return arena_printf(a, "%s[0]", name);
  if (v->rank <= 2 && x->m.rank == 0)
    return arena_printf(a, "%s[%s]", name, index);
  matmul_strides(&x->s->plan->m->dims, v, x->m.rank, stride);
  for (int i = 0; i < x->m.rank; i++)
    put_list(x->s, &x->shape, name, i, stride[i]);
  return arena_printf(a, "%s[o2c_offset(image, q.p.rank, q.p.batch, q.%s) + "
                      "%s]", name, name, index);
}

/* A scale as a float. */
static const char *scale(ByteMatrix *x, int input, const char *name,
                         const char *index)
{
  const char *text = element(x, input, name, index);
  Dtype t = x->s->node->in[input]->dtype;
  return t == DT_F32 ? text : arena_printf(x->s->plan->a, "o2c_%s_to_f32(%s)",
                                           dtype_info(t)->name, text);
}

static void put_total(ByteMatrix *x, const Ports *at)
{
  const char *az = element(x, at->az, "az", "i");
  const char *bz = element(x, at->bz, "bz", "j");
  Arena *a = x->s->plan->a;
  const char *text = "(uint32_t)sum";
  if (az)
    text = arena_printf(a, "%s -\n      (uint32_t)%s * (uint32_t)column_sum",
                        text, az);
  if (bz)
    text = arena_printf(a, "%s -\n      (uint32_t)%s * (uint32_t)row_sum", text,
                        bz);
  if (az && bz)
    text = arena_printf(a, "%s +\n      (uint32_t)q.p.k * (uint32_t)%s *\n"
                        "      (uint32_t)%s", text, az, bz);
  step_text(x->s, "TOTAL", "%s", text);
  step_text(x->s, "ROWS", bz ? "true" : "false");
  step_text(x->s, "COLUMNS", az ? "true" : "false");
}

static void put_value(ByteMatrix *x, const Ports *at)
{
  Dtype t = x->s->node->out[0]->dtype;
  if (at->ys < 0) {
    step_text(x->s, "VALUE", "total");
    return;
  }
  const char *as = scale(x, at->as, "as", "i");
  const char *bs = scale(x, at->bs, "bs", "j");
  const char *ys = scale(x, at->ys, "ys", "i");
  step_text(x->s, "VALUE", "o2c_ref_requantize_%s(total,\n      %s *\n      "
            "%s /\n      %s,\n      %s)", dtype_info(t)->name, as, bs, ys,
            element(x, at->yz, "yz", "i"));
  step_ref(x->s, "qlinear", t);
  step_kernel(x->s, "ref/convert.h");
}

static void put_shape(ByteMatrix *x)
{
  Step *s = x->s;
  const MatShape *m = &x->m;
  int64_t macs, rows, columns, images;
  for (int i = 0; i < m->rank; i++) {
    put_list(s, &x->shape, "p.batch", i, m->batch[i]);
    put_list(s, &x->shape, "p.as", i, m->as[i]);
    put_list(s, &x->shape, "p.bs", i, m->bs[i]);
  }
  step_text(s, "SHAPE", "%.*s", (int)x->shape.n, x->shape.s);
  step_dim(s, "M", m->m);
  step_dim(s, "N", m->n);
  step_dim(s, "K", m->k);
  step_int(s, "RANK", m->rank);
  DimPool *d = &s->plan->m->dims;
  if (!dim_is_int(m->m, &rows))
    rows = 0;
  if (!dim_is_int(m->n, &columns))
    columns = 64;
  if (!dim_is_int(dim_prod(d, m->batch, m->rank), &images))
    images = 1;
  cuda_put_tiles(s, rows, rows, columns, images);
  if (dim_is_int(dim_mul(d, value_numel(s->node->out[0]), m->k), &macs))
    s->macs = macs;
}

void cuda_lower_product_int(Plan *p, Node *n)
{
  const Ports *at = ports_of(n);
  ByteMatrix x = { .s = device_step(p, n, "CUDA_PRODUCT_INT") };
  sb_init(&x.shape, p->a);
  x.s->kernel_note = "cuda tensor-core product";
  step_kernel(x.s, "cuda/product_int.h");
  matmul_shape(n, at->a, at->b, &x.m);
  join_rows(n, at, &x.m);
  step_in(x.s, "a", n->in[at->a]);
  step_in(x.s, "b", n->in[at->b]);
  put_total(&x, at);
  put_value(&x, at);
  put_shape(&x);
  step_out(x.s, "y", n->out[0]);
  sb_free(&x.shape);
}
