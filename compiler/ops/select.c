/* SPDX-License-Identifier: Apache-2.0 */
/* Operators whose output is as long as the data says: NonZero, Compress. */
#include "../ir.h"

static void infer_nonzero(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[2] = {0}, *bound;
  if (!infer_ready(n)) return;
  bound = value_numel(x);
  if (!infer_sizes(n, 1, &bound, dim + 1)) return;
  dim[0] = dim_int(node_dims(n), x->rank);
  infer_out(n, 0, DT_I64, 2, dim);
}

static void sizes_nonzero(Lower *l, Node *n)
{
  lower_call(l, n, "size_nonzero", n->in[0]->dtype, "idS", n->in[0],
             value_numel(n->in[0]));
}

static void lower_nonzero(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  lower_call(l, n, "nonzero", x->dtype, "iokdD", n->in[0], n->out[0],
             (int64_t)x->rank, n->out[0]->dim[1], x->dim, x->rank);
}

/* Compress works along an axis, or on the flattened input (axis -1 here). */
static bool compress_axis(Node *n, int *axis)
{
  *axis = -1;
  if (!attr_get(n, "axis")) return true;
  *axis = axis_norm(n, attr_int(n, "axis", 0), n->in[0]->rank);
  return *axis >= 0;
}

static void infer_compress(Node *n)
{
  const Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  const Dim *dim[MAX_RANK], *bound, *found = NULL;
  int axis;
  if (!infer_ready(n) || !compress_axis(n, &axis)) return;
  if (n->in[1]->rank != 1) {
    fail_model(n, "condition has rank %d (spec: 1)", n->in[1]->rank);
    return;
  }
  /* A condition that is too long picks no more than there is. */
  bound = dim_min(p, value_numel(n->in[1]),
                  axis < 0 ? value_numel(x) : x->dim[axis]);
  if (!infer_sizes(n, 1, &bound, &found)) return;
  for (int i = 0; axis >= 0 && i < x->rank; i++) dim[i] = x->dim[i];
  dim[axis < 0 ? 0 : axis] = found;
  infer_out(n, 0, x->dtype, axis < 0 ? 1 : x->rank, dim);
}

static void sizes_compress(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  int axis;
  if (!compress_axis(n, &axis)) return;
  lower_call(l, n, "size_nonzero", DT_BOOL, "idS", n->in[1],
             dim_min(node_dims(n), value_numel(n->in[1]),
                     axis < 0 ? value_numel(x) : x->dim[axis]));
}

static void lower_compress(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  DimPool *p = node_dims(n);
  const Dim *outer = dim_int(p, 1), *inner = outer, *size = value_numel(x);
  int axis;
  if (!compress_axis(n, &axis)) return;
  if (axis >= 0) {
    outer = dim_prod(p, x->dim, axis);
    size = x->dim[axis];
    inner = dim_prod(p, x->dim + axis + 1, x->rank - axis - 1);
  }
  lower_call(l, n, "compress", dtype_carrier(x->dtype), "iiodddd", n->in[0],
             n->in[1], n->out[0], outer, size, inner, value_numel(n->in[1]));
}

static const OpRow nonzero_rows[] = {
  {9, "X:T -> Y:I", "T=all; I=i64", "", NULL},
  {13, NULL, "T=all13; I=i64", NULL, NULL},
};
static const OpRow compress_rows[] = {
  {9, "input:T condition:B -> output:T", "T=all; B=bool", "axis:i", NULL},
  /* The corpus takes bfloat16 too, which the schema does not list. */
  {11, NULL, "T=all bf16; B=bool", NULL, NULL},
  {28, NULL, NULL, NULL, NULL},
};
static const OpDef defs[] = {
  {.name = "NonZero", .rows = nonzero_rows, .nrow = COUNT(nonzero_rows),
   .infer = infer_nonzero, .lower = lower_nonzero, .sizes = sizes_nonzero},
  {.name = "Compress", .rows = compress_rows, .nrow = COUNT(compress_rows),
   .infer = infer_compress, .lower = lower_compress, .sizes = sizes_compress},
};
OPS_DEFINE(select, defs)
