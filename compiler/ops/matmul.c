/* SPDX-License-Identifier: Apache-2.0 */
/* MatMul, and the shape of products for its integer kin in qlinear.c. */
#include "ir.h"

static const Dim *matrix_dim(const Value *v, int from_end)
{
  return v->rank >= from_end ? v->dim[v->rank - from_end] : NULL;
}

void matmul_strides(DimPool *p, const Value *v, int rank, const Dim **stride)
{
  int own = v->rank > 2 ? v->rank - 2 : 0;
  const Dim *size = dim_int(p, 1);
  if (v->rank >= 2)
    size = dim_mul(p, matrix_dim(v, 1), matrix_dim(v, 2));
  for (int i = rank; i-- > 0;) {
    int axis = i - (rank - own);
    stride[i] = dim_int(p, 0);
    if (axis < 0)
      continue;
    if (!dim_is(v->dim[axis], 1))
      stride[i] = size;
    size = dim_mul(p, size, v->dim[axis]);
  }
}

/* All but the batch. */
static void matrix_shape(const Node *n, int ia, int ib, MatShape *s)
{
  const Value *a = node_in(n, ia), *b = node_in(n, ib);
  const Dim *one = dim_int(node_dims(n), 1);
  s->row = a->rank > 1;
  s->column = b->rank > 1;
  s->m = s->row ? matrix_dim(a, 2) : one;
  s->k = matrix_dim(a, 1);
  s->n = s->column ? matrix_dim(b, 1) : one;
  s->rank = a->rank > b->rank ? a->rank - 2 : b->rank - 2;
  if (s->rank < 0)
    s->rank = 0;
}

/* The batch dimension of `v` that meets axis i of the product's batch. */
static const Dim *batch_dim(const Node *n, const Value *v, const MatShape *s,
                            int i)
{
  int axis = i - (s->rank - (v->rank - 2));
  return v->rank > 2 && axis >= 0 ? v->dim[axis] : dim_int(node_dims(n), 1);
}

void matmul_shape(const Node *n, int ia, int ib, MatShape *s)
{
  const Value *a = node_in(n, ia), *b = node_in(n, ib);
  DimPool *p = node_dims(n);
  matrix_shape(n, ia, ib, s);
  for (int i = 0; i < s->rank; i++) {
    const Dim *of_a = batch_dim(n, a, s, i);
    s->batch[i] = dim_is(of_a, 1) ? batch_dim(n, b, s, i) : of_a;
  }
  matmul_strides(p, a, s->rank, s->as);
  matmul_strides(p, b, s->rank, s->bs);
}

bool infer_matmul_of(Node *n, int ia, int ib, Dtype t)
{
  MatShape s;
  const Dim *dim[MAX_RANK];
  const Value *a = node_in(n, ia), *b = node_in(n, ib);
  if (!infer_ready(n) || !a || !b)
    return false;
  if (a->rank < 1 || b->rank < 1) {
    fail_model(n, "an operand is a scalar (spec: at least one axis)");
    return false;
  }
  matrix_shape(n, ia, ib, &s);
  if (!infer_equal(n, s.k, matrix_dim(b, s.column ? 2 : 1),
                   "columns of A, rows of B"))
    return false;
  for (int i = 0; i < s.rank; i++) {
    dim[i] = infer_broadcast_dim(n, batch_dim(n, a, &s, i),
                                 batch_dim(n, b, &s, i), i);
    if (!dim[i])
      return false;
  }
  int rank = s.rank;
  if (s.row)
    dim[rank++] = s.m;
  if (s.column)
    dim[rank++] = s.n;
  infer_out(n, 0, t, rank, dim);
  return true;
}

/* Rows of a, columns of b, and the batch come out; k is summed over. */
int matmul_axis(const Node *n, bool left, int ia, int ib, int axis)
{
  MatShape s;
  const Value *v = node_in(n, left ? ia : ib);
  matrix_shape(n, ia, ib, &s);
  if (v->rank < 2 || axis == v->rank - (left ? 1 : 2))
    return AXIS_MIXES;
  if (axis < v->rank - 2)
    return axis + s.rank - (v->rank - 2);
  return left ? s.rank : s.rank + (int)s.row;
}

static void infer_matmul(Node *n)
{
  const Value *a = node_in(n, 0);
  infer_matmul_of(n, 0, 1, a ? a->dtype : DT_NONE);
}

static void lower_matmul(Lower *l, Node *n)
{
  MatShape s;
  matmul_shape(n, 0, 1, &s);
  lower_call(l, n, "matmul", node_in(n, 0)->dtype, "iiodddkDDD", node_in(n, 0),
             node_in(n, 1), node_out(n, 0), s.m, s.n, s.k, (int64_t)s.rank,
             s.batch, s.rank, s.as, s.rank, s.bs, s.rank);
}

static int axis_matmul(const Node *n, int in, int axis, int out)
{
  (void)out;
  return matmul_axis(n, in == 0, 0, 1, axis);
}

static const OpRow rows[] = {
  { 1, "A:T B:T -> Y:T", "T=float", "", NULL },
  { 9, NULL, "T=num32", NULL, NULL },
  { 13, NULL, "T=num32 bf16", NULL, NULL },
};

static const OpDef defs[] = {
  { .name = "MatMul", .rows = rows, .nrow = COUNT(rows), .infer = infer_matmul,
    .lower = lower_matmul, .axis = axis_matmul },
};

OPS_DEFINE(matmul, defs)
