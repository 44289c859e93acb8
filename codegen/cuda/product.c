/* SPDX-License-Identifier: Apache-2.0 */
/* MatMul, Gemm and FusedGemm of every type: f32, f16 and bf16 by cuBLASLt,
 * unless they are small, or lie as it can't read them; the others by a kernel
 * of our own, which is product.h. What follows the sums and cuBLASLt does not
 * know (a column for C, a clamp that is no ReLU) is a launch more.
 *
 * A Transpose on the GPU that only moves an operand's axes is not waited for:
 * the operand is read where it stood, by strides.
 */
#include "cuda.h"

#include <math.h>
#include <string.h>

enum { SMALL = 32 * 32 * 32, MEDIUM = 128 * 128 * 128, FEW_WEIGHTS = 4096 };

typedef struct {
  Value *v;
  const Dim *step[MAX_RANK], *row, *col; /* elements between neighbours */
} Side;

typedef struct {
  Plan *p;
  Node *n;
  Step *s;
  const Dim *m, *cols, *k;
  int rank;
  const Dim *batch[MAX_RANK];
  Side a, b;
  Value *c, *r;
  const Dim *cm, *cn;     /* of c */
  double alpha, beta, lo, hi;
} Product;

static bool is_product(const Node *n)
{
  return node_is(n, "MatMul") || node_is(n, "Gemm") ||
         node_is_internal(n, "FusedGemm");
}

/* MatMul-13, Gemm-13, o2c.FusedGemm-1. */
bool cuda_takes_product(const Plan *p, const Node *n)
{
  static const Dtype types[] = { DT_F32, DT_F64, DT_F16, DT_BF16, DT_I32,
                                 DT_I64, DT_U32, DT_U64, DT_NONE };
  (void)p;
  if (!is_product(n) || !cuda_all_types(n, types))
    return false;
  const Dtype same[] = { n->out[0]->dtype, DT_NONE };
  return cuda_all_types(n, same);
}

Value *cuda_operand(const Plan *p, Value *v, const Dim **stride)
{
  const Dim *own[MAX_RANK];
  int count;
  const int64_t *perm;
  value_strides(v, stride);
  if (!v->def || !node_is(v->def, "Transpose") || v->is_output ||
      !v->def->device)
    return v;
  perm = attr_ints(v->def, "perm", &count);
  Value *from = v->def->in[0];
  if (!perm || count != v->rank ||
      (!from->data && !value_on_device(p, value_root(from))))
    return v;
  value_strides(from, own);
  for (int i = 0; i < v->rank; i++)
    stride[i] = own[perm[i]];
  return from;
}

/* `v` with the batch of the product; turned: its last two axes change. */
static void matrix_side(Product *t, Value *v, bool left, bool turned, Side *s)
{
  const Dim *stride[MAX_RANK], *one = dim_int(&t->p->m->dims, 1);
  int r = v->rank, skip = t->rank - (r - 2);
  s->v = cuda_operand(t->p, v, stride);
  for (int i = 0; i < t->rank; i++) {
    bool moves = r > 2 && i >= skip && !dim_is(v->dim[i - skip], 1);
    s->step[i] = moves ? stride[i - skip] : dim_int(&t->p->m->dims, 0);
  }
  if (r == 1) {
    s->row = left ? t->k : stride[0];
    s->col = left ? stride[0] : one;
  } else {
    s->row = stride[r - (turned ? 1 : 2)];
    s->col = stride[r - (turned ? 2 : 1)];
  }
}

/* x as rows, all that comes before its last axis. */
static void fused_shape(Product *t)
{
  const Node *n = t->n;
  Value *x = n->in[0], *w = n->in[1];
  DimPool *d = &t->p->m->dims;
  const Dim *zero = dim_int(d, 0), *one = dim_int(d, 1);
  bool turned = attr_int(n, "transB", 0) != 0;
  t->m = dim_prod(d, (const Dim *const *)x->dim, x->rank - 1);
  t->k = x->dim[x->rank - 1];
  t->cols = w->dim[turned ? 0 : 1];
  t->a = (Side){ .v = x, .row = t->k, .col = one };
  matrix_side(t, w, false, turned, &t->b);
  t->c = node_in(n, 2);
  t->cm = zero;
  t->cn = t->c && dim_is(value_numel(t->c), 1) ? zero : one;
  t->r = node_in(n, 3);
  t->lo = (double)attr_float(n, "lo", -INFINITY);
  t->hi = (double)attr_float(n, "hi", INFINITY);
}

static void gemm_shape(Product *t)
{
  const Node *n = t->n;
  const Value *a = n->in[0], *b = n->in[1], *c = node_in(n, 2);
  const Dim *zero = dim_int(&t->p->m->dims, 0), *own[MAX_RANK];
  int ta = attr_int(n, "transA", 0) != 0, tb = attr_int(n, "transB", 0) != 0;
  t->m = a->dim[ta];
  t->k = a->dim[1 - ta];
  t->cols = b->dim[1 - tb];
  matrix_side(t, n->in[0], true, ta, &t->a);
  matrix_side(t, n->in[1], false, tb, &t->b);
  t->alpha = (double)attr_float(n, "alpha", 1);
  t->beta = (double)attr_float(n, "beta", 1);
  t->c = node_in(n, 2);
  t->cm = t->cn = zero;
  if (!c)
    return;
  value_strides(c, own);
  if (c->rank == 2 && !dim_is(c->dim[0], 1))
    t->cm = own[0];
  if (c->rank > 0 && !dim_is(c->dim[c->rank - 1], 1))
    t->cn = own[c->rank - 1];
}

/* Axes of the batch that both operands step over as one become one; one that
 * b has not becomes rows of a. */
static void join_batch(Product *t)
{
  DimPool *d = &t->p->m->dims;
  int n = 0;
  for (int i = 0; i < t->rank; i++) {
    if (dim_is(t->batch[i], 1))
      continue;
    int k = n;
    if (n > 0 && t->a.step[n - 1] == dim_mul(d, t->a.step[i], t->batch[i]) &&
        t->b.step[n - 1] == dim_mul(d, t->b.step[i], t->batch[i]))
      k = n - 1;
    t->batch[k] = k < n ? dim_mul(d, t->batch[k], t->batch[i]) : t->batch[i];
    t->a.step[k] = t->a.step[i];
    t->b.step[k] = t->b.step[i];
    n = k + 1;
  }
  if (n == 1 && dim_is(t->b.step[0], 0) &&
      t->a.step[0] == dim_mul(d, t->m, t->a.row)) {
    t->m = dim_mul(d, t->batch[0], t->m);
    n = 0;
  }
  t->rank = n;
}

static void matmul_of(Product *t)
{
  MatShape s;
  matmul_shape(t->n, 0, 1, &s);
  t->m = s.m;
  t->cols = s.n;
  t->k = s.k;
  t->rank = s.rank;
  memcpy(t->batch, s.batch, sizeof t->batch);
  matrix_side(t, t->n->in[0], true, false, &t->a);
  matrix_side(t, t->n->in[1], false, false, &t->b);
  join_batch(t);
}

/* Is it known to be at most `most`? */
static bool at_most(const Dim *d, int64_t most)
{
  int64_t v;
  return dim_is_int(d, &v) && v <= most;
}

/* Would cuBLASLt read it, and does a call of it pay? */
static bool by_library(const Product *t, Dtype type)
{
  DimPool *d = &t->p->m->dims;
  const Dim *weights = dim_mul(d, t->k, t->cols);
  const Dim *macs = dim_mul(d, weights, t->m);
  bool a = dim_is(t->a.col, 1) || dim_is(t->a.row, 1);
  bool b = dim_is(t->b.col, 1) || dim_is(t->b.row, 1);
  if ((type != DT_F32 && type != DT_F16 && type != DT_BF16) || !a || !b ||
      dim_is(t->k, 0))
    return false;
  return !at_most(macs, t->rank > 1 ? MEDIUM : SMALL) &&
         !at_most(weights, FEW_WEIGHTS);
}

static void put_list(Product *t, StrBuf *b, const char *key, int i,
                     const Dim *d)
{
  sb_printf(b, "  p.%s[%d] = %s;\n", key, i, step_dim_text(t->s, d));
}

static void put_shape(Product *t)
{
  Step *s = t->s;
  StrBuf b;
  sb_init(&b, t->p->a);
  for (int i = 0; i < t->rank; i++) {
    put_list(t, &b, "batch", i, t->batch[i]);
    put_list(t, &b, "as", i, t->a.step[i]);
    put_list(t, &b, "bs", i, t->b.step[i]);
  }
  step_text(s, "BATCH", "%.*s", (int)b.n, b.s);
  sb_free(&b);
  step_dim(s, "M", t->m);
  step_dim(s, "N", t->cols);
  step_dim(s, "K", t->k);
  step_int(s, "RANK", t->rank);
  step_dim(s, "A_M", t->a.row);
  step_dim(s, "A_K", t->a.col);
  step_dim(s, "B_K", t->b.row);
  step_dim(s, "B_N", t->b.col);
  step_dim(s, "C_M", t->cm);
  step_dim(s, "C_N", t->cn);
  step_float(s, "ALPHA", t->alpha);
  step_float(s, "BETA", t->beta);
  step_float(s, "LO", t->lo);
  step_float(s, "HI", t->hi);
  step_int(s, "CLAMP", t->lo > -INFINITY || t->hi < INFINITY);
}

static void put_operands(Product *t)
{
  Step *s = t->s;
  DimPool *d = &t->p->m->dims;
  int64_t macs;
  step_in(s, "a", t->a.v);
  step_in(s, "b", t->b.v);
  if (t->c)
    step_in(s, "c", t->c);
  if (t->r)
    step_in(s, "r", t->r);
  step_out(s, "y", t->n->out[0]);
  const Dim *all = dim_mul(d, value_numel(t->n->out[0]), t->k);
  if (dim_is_int(all, &macs))
    s->macs = macs;
}

/* Which arguments of o2c_cuda_matmul c and r are, and what is left to do. */
static void put_library(Product *t)
{
  Step *s = t->s;
  bool relu = t->lo == 0 && t->hi == INFINITY;
  bool clamp = (t->lo > -INFINITY || t->hi < INFINITY) && !relu;
  bool bias = t->c && dim_is(t->cm, 0) && dim_is(t->cn, 1) && t->beta == 1;
  bool full = t->c && !bias && !t->r && t->cm == t->cols &&
              dim_is(t->cn, 1);
  bool rest = clamp || (t->c && !bias && !full);
  step_text(s, "BIAS", bias ? "c" : "NULL");
  step_text(s, "ADDED", t->r ? "r" : full ? "c" : "NULL");
  step_float(s, "ADDED_BETA", full ? t->beta : t->r ? 1 : 0);
  step_text(s, "REST", rest ? "1" : "");
  step_text(s, "REST_C", t->c && !bias && !full ? "c" : "NULL");
  step_int(s, "FAST", math_is_fast(t->p));
  step_int(s, "PLAN", t->p->nlibrary++);
  t->p->uses_blas = true;
  int64_t k;
  step_text(s, "MAY_BE_EMPTY", dim_is_int(t->k, &k) ? "" : "1");
  s->kernel_note = rest ? "cuBLASLt product, and what follows"
                        : "cuBLASLt product";
}

/* Halves are rounded once: what follows their sums is not a launch more. */
static bool rounds_twice(const Product *t, Dtype type)
{
  bool bias = !t->c || (dim_is(t->cm, 0) && dim_is(t->cn, 1) && t->beta == 1);
  bool full = t->c && t->cm == t->cols && dim_is(t->cn, 1);
  return type != DT_F32 && !bias && !full;
}

void cuda_lower_product(Plan *p, Node *n)
{
  Product t = { .p = p, .n = n, .alpha = 1, .beta = 1, .lo = -INFINITY,
                .hi = INFINITY };
  Dtype type = n->out[0]->dtype;
  t.cm = t.cn = dim_int(&p->m->dims, 0);
  if (node_is(n, "MatMul"))
    matmul_of(&t);
  else if (node_is(n, "Gemm"))
    gemm_shape(&t);
  else
    fused_shape(&t);
  bool library = by_library(&t, type) && !rounds_twice(&t, type);
  t.s = device_step(p, n, library ? "CUDA_PRODUCT_CALL" : "CUDA_PRODUCT");
  step_kernel(t.s, library ? "cuda/product_call.h" : "cuda/product.h");
  put_operands(&t);
  put_shape(&t);
  step_text(t.s, "TYPE", "%s", dtype_info(type)->name);
  if (library)
    step_text(t.s, "DTYPE", "%s", cuda_dtype(type));
  step_text(t.s, "C", t.c ? "c" : "NULL");
  step_text(t.s, "R", t.r ? "r" : "NULL");
  if (library)
    put_library(&t);
  else
    t.s->kernel_note = "cuda product";
}
