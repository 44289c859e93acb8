/* SPDX-License-Identifier: Apache-2.0 */
/* f32 products of two run-time operands by matmul_f32.h: MatMul of any rank,
 * and Gemm without C whose A is not transposed. Products with constant weights
 * are FusedGemm (conv.c), which packs them beforehand.
 *
 * A Transpose that only this product reads is not run: its operand is read
 * where it stands, by strides, so that the heads of an attention need no copy.
 */
#include "cpu.h"

/* An operand as [batch.., rows, columns] over what is stored. */
typedef struct {
  Value *v;
  const Dim *step[MAX_RANK], *row, *col; /* elements between neighbours */
} Side;

Value *operand_stored(const Plan *p, Value *v, const int64_t **perm)
{
  int count;
  *perm = NULL;
  if (!v->def || !node_is(v->def, "Transpose") || v->is_output)
    return v;
  const int64_t *order = attr_ints(v->def, "perm", &count);
  Value *from = v->def->in[0];
  if (!order || count != v->rank || is_strided(p, from) || is_strided(p, v))
    return v;
  *perm = order;
  return from;
}

/* Strides of `v` as product `m` sees it; swap: its last two axes change. */
static void side_of(Plan *p, Value *v, const MatShape *m, bool swap,
                    bool by_rows, Side *s)
{
  const Dim *stride[MAX_RANK];
  const int64_t *perm;
  int r = v->rank, skip = m->rank - (r - 2);
  s->v = operand_stored(p, v, &perm);
  if (perm && by_rows && perm[r - 1] != r - 1) {
    s->v = v;
    perm = NULL;
  }
  value_strides(s->v, stride);
#define STRIDE(axis) stride[perm ? perm[axis] : (axis)]
  for (int i = 0; i < m->rank; i++) {
    bool moves = i >= skip && !dim_is(v->dim[i - skip], 1);
    s->step[i] = moves ? STRIDE(i - skip) : dim_int(&p->m->dims, 0);
  }
  s->row = STRIDE(r - (swap ? 1 : 2));
  s->col = STRIDE(r - (swap ? 2 : 1));
#undef STRIDE
}

bool dim_counts(const Dim *d)
{
  int64_t v;
  return !dim_is_int(d, &v) || (v > 0 && v <= INT32_MAX / 256);
}

static void put_dims(Step *s, const char *key, const Dim *const *dim, int n)
{
  const char *text = n ? "" : "0";
  for (int i = 0; i < n; i++)
    text = arena_printf(s->plan->a, "%s%s%s", text, i ? ", " : "",
                        step_dim_text(s, dim[i]));
  step_text(s, key, "%s", text);
}

/* O2C_MATMUL_PANELS of matmul_f32.h. */
static void put_panels(Step *s, const MatShape *m)
{
  DimPool *d = &s->plan->m->dims;
  const Dim *most = dim_int(d, 256), *panel = dim_int(d, 16);
  const Dim *whole = dim_mul(d, dim_ceil_div(d, m->n, panel), panel);
  step_scratch(s, "panels", DT_F32, dim_mul(d, m->k, dim_min(d, whole, most)));
}

static void put_product(Step *s, Value *y, const MatShape *m, const Side *a,
                        const Side *b)
{
  DimPool *d = &s->plan->m->dims;
  const Dim *step[MAX_RANK], *all = dim_mul(d, m->m, m->n);
  for (int i = m->rank; i-- > 0; all = dim_mul(d, all, m->batch[i]))
    step[i] = all;
  step_in(s, "a", a->v);
  step_in(s, "b", b->v);
  step_out(s, "y", y);
  put_panels(s, m);
  step_int(s, "RANK", m->rank);
  step_i32(s, "M", m->m);
  step_i32(s, "N", m->n);
  step_i32(s, "K", m->k);
  put_dims(s, "BATCH", m->batch, m->rank);
  put_dims(s, "A_STEP", a->step, m->rank);
  put_dims(s, "B_STEP", b->step, m->rank);
  put_dims(s, "Y_STEP", step, m->rank);
  step_dim(s, "A_ROW", a->row);
  step_dim(s, "B_K", b->row);
  step_dim(s, "B_N", b->col);
  step_text(s, "STORAGE", s->symbols ? "" : "static ");
  int64_t macs;
  if (dim_is_int(dim_mul(d, all, m->k), &macs))
    s->macs = macs;
  const Dim *one = dim_mul(d, m->m, dim_mul(d, m->n, m->k));
  step_split(s, dim_prod(d, m->batch, m->rank), 1,
             dim_mul(d, one, dim_int(d, TICKS_MAC)));
}

/* A Gemm has no batch. */
static bool gemm_shape(const Node *n, MatShape *m, bool *swap)
{
  const Value *a = n->in[0], *b = n->in[1];
  if (node_in(n, 2) || attr_int(n, "transA", 0) ||
      attr_float(n, "alpha", 1) != 1)
    return false;
  *swap = attr_int(n, "transB", 0) != 0;
  *m = (MatShape){ .m = a->dim[0], .k = a->dim[1] };
  m->n = b->dim[*swap ? 0 : 1];
  return true;
}

bool lower_matmul_f32(Plan *p, Node *n)
{
  MatShape m;
  Side a, b;
  bool gemm = node_is(n, "Gemm"), swap = false;
  if ((!gemm && !node_is(n, "MatMul")) || n->in[0]->dtype != DT_F32 ||
      n->in[0]->rank < 2 || n->in[1]->rank < 2)
    return false;
  if (!gemm)
    matmul_shape(n, 0, 1, &m);
  else if (!gemm_shape(n, &m, &swap))
    return false;
  if (!dim_counts(m.m) || !dim_counts(m.n) || !dim_counts(m.k))
    return false;
  side_of(p, n->in[0], &m, false, true, &a);
  side_of(p, n->in[1], &m, swap, false, &b);
  Step *s = step_new(p, n, "MATMUL_F32");
  put_product(s, n->out[0], &m, &a, &b);
  s->kernel_note = "matmul_f32, panels packed at run time";
  step_kernel(s, "matmul_f32.h");
  return true;
}
