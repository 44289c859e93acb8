/* SPDX-License-Identifier: Apache-2.0 */
/* Gather, GatherElements, GatherND. Indices of the data are checked by the
 * kernels, constant ones here too. */
#include "../ir.h"

static int64_t index_width(const Value *index)
{
  return dtype_info(index->dtype)->size;
}

/* Constant indices against a constant size. */
static bool indices_ok(Node *n, const Dim *d)
{
  const Tensor *t = n->in[1]->data;
  int64_t size;
  if (!t || !dim_is_int(d, &size)) return true;
  for (int64_t i = 0; i < t->n; i++) {
    int64_t v = tensor_i64(t, i);
    if (v >= -size && v < size) continue;
    fail_model(n, "index %lld is out of range for size %lld (spec: -size to "
                  "size - 1)", (long long)v, (long long)size);
    return false;
  }
  return true;
}

static void infer_gather(Node *n)
{
  const Value *x = node_in(n, 0), *index = node_in(n, 1);
  const Dim *dim[2 * MAX_RANK];
  int axis, rank = 0;
  if (!infer_ready(n)) return;
  axis = axis_norm(n, attr_int(n, "axis", 0), x->rank);
  if (axis < 0 || !indices_ok(n, x->dim[axis])) return;
  if (x->rank - 1 + index->rank > MAX_RANK) {
    fail_unsupported(n, "rank %d (onnx2c: at most %d)",
                     x->rank - 1 + index->rank, MAX_RANK);
    return;
  }
  for (int i = 0; i < axis; i++) dim[rank++] = x->dim[i];
  for (int i = 0; i < index->rank; i++) dim[rank++] = index->dim[i];
  for (int i = axis + 1; i < x->rank; i++) dim[rank++] = x->dim[i];
  infer_out(n, 0, x->dtype, rank, dim);
}

static void lower_gather(Lower *l, Node *n)
{
  Value *x = n->in[0], *index = n->in[1];
  DimPool *p = node_dims(n);
  int64_t axis = attr_int(n, "axis", 0);
  if (axis < 0) axis += x->rank;
  lower_call(l, n, "gather", dtype_carrier(x->dtype), "iiokdddd", x, index,
             n->out[0], index_width(index), dim_prod(p, x->dim, (int)axis),
             x->dim[axis],
             dim_prod(p, x->dim + axis + 1, x->rank - (int)axis - 1),
             value_numel(index));
}

static int axis_gather(const Node *n, int in, int axis, int out)
{
  const Value *x = n->in[0], *index = n->in[1];
  int64_t own = attr_int(n, "axis", 0);
  (void)out;
  if (own < 0) own += x->rank;
  if (in == 1) return (int)own + axis;
  if (axis == own) return AXIS_MIXES;
  return axis < own ? axis : axis - 1 + index->rank;
}

static void infer_gather_elements(Node *n)
{
  const Value *x = node_in(n, 0), *index = node_in(n, 1);
  int64_t a, b;
  int axis;
  if (!infer_ready(n)) return;
  if (index->rank != x->rank) {
    fail_model(n, "indices have rank %d, data rank %d (spec: equal)",
               index->rank, x->rank);
    return;
  }
  axis = axis_norm(n, attr_int(n, "axis", 0), x->rank);
  if (axis < 0 || !indices_ok(n, x->dim[axis])) return;
  for (int i = 0; i < x->rank; i++)
    if (i != axis && dim_is_int(x->dim[i], &a) &&
        dim_is_int(index->dim[i], &b) && b > a) {
      fail_model(n, "indices have size %lld on axis %d, data %lld (spec: not "
                    "more)", (long long)b, i, (long long)a);
      return;
    }
  infer_out(n, 0, x->dtype, index->rank, index->dim);
}

static void lower_gather_elements(Lower *l, Node *n)
{
  Value *x = n->in[0], *index = n->in[1];
  int64_t axis = attr_int(n, "axis", 0);
  if (axis < 0) axis += x->rank;
  lower_call(l, n, "gather_elements", dtype_carrier(x->dtype), "iiokkkDD", x,
             index, n->out[0], index_width(index), (int64_t)x->rank, axis,
             x->dim, x->rank, index->dim, x->rank);
}

/* Samples stay where data and indices have the axis in full. */
static int axis_gather_elements(const Node *n, int in, int axis, int out)
{
  int64_t own = attr_int(n, "axis", 0);
  (void)in, (void)out;
  if (own < 0) own += n->in[0]->rank;
  return axis != own && n->in[0]->dim[axis] == n->in[1]->dim[axis] ? axis
                                                                   : AXIS_MIXES;
}

/* Batch axes of GatherND, and the number of axes that a tuple indexes. */
static bool gather_nd_form(Node *n, int *batch, int *tuple)
{
  const Value *x = n->in[0], *index = n->in[1];
  int64_t b = attr_int(n, "batch_dims", 0), k;
  if (x->rank < 1 || index->rank < 1) {
    fail_model(n, "data has rank %d, indices %d (spec: at least 1)", x->rank,
               index->rank);
    return false;
  }
  if (!dim_is_int(index->dim[index->rank - 1], &k)) {
    fail_unsupported(n, "the last size of the indices is %s; it must be a "
                        "constant", dim_text(node_dims(n),
                                             index->dim[index->rank - 1]));
    return false;
  }
  if (b < 0 || b >= x->rank || b >= index->rank) {
    fail_model(n, "batch_dims is %lld (spec: less than both ranks, %d and %d)",
               (long long)b, x->rank, index->rank);
    return false;
  }
  if (k < 1 || k > x->rank - b) {
    fail_model(n, "indices have tuples of %lld for rank %d (spec: 1 to %d)",
               (long long)k, x->rank, x->rank - (int)b);
    return false;
  }
  *batch = (int)b;
  *tuple = (int)k;
  return true;
}

static void infer_gather_nd(Node *n)
{
  const Value *x = node_in(n, 0), *index = node_in(n, 1);
  const Dim *dim[2 * MAX_RANK];
  int64_t a, b;
  int batch, tuple, rank = 0;
  if (!infer_ready(n) || !gather_nd_form(n, &batch, &tuple)) return;
  for (int i = 0; i < batch; i++)
    if (dim_is_int(x->dim[i], &a) && dim_is_int(index->dim[i], &b) && a != b) {
      fail_model(n, "batch axis %d: data has size %lld, indices %lld (spec: "
                    "equal)", i, (long long)a, (long long)b);
      return;
    }
  for (int i = 0; i < index->rank - 1; i++) dim[rank++] = index->dim[i];
  for (int i = batch + tuple; i < x->rank; i++) dim[rank++] = x->dim[i];
  if (rank > MAX_RANK)
    fail_unsupported(n, "rank %d (onnx2c: at most %d)", rank, MAX_RANK);
  else
    infer_out(n, 0, x->dtype, rank, dim);
}

static void lower_gather_nd(Lower *l, Node *n)
{
  Value *x = n->in[0], *index = n->in[1];
  DimPool *p = node_dims(n);
  int batch, tuple;
  if (!gather_nd_form(n, &batch, &tuple)) return;
  lower_call(l, n, "gather_nd", dtype_carrier(x->dtype), "iioddkdD", x, index,
             n->out[0], dim_prod(p, x->dim, batch),
             dim_prod(p, index->dim + batch, index->rank - 1 - batch),
             (int64_t)tuple,
             dim_prod(p, x->dim + batch + tuple, x->rank - batch - tuple),
             x->dim + batch, tuple);
}

static int axis_gather_nd(const Node *n, int in, int axis, int out)
{
  int64_t batch = attr_int(n, "batch_dims", 0), k;
  const Value *index = n->in[1];
  (void)out;
  if (axis < batch) return axis;
  if (in == 1) return axis < index->rank - 1 ? axis : AXIS_MIXES;
  if (!dim_is_int(index->dim[index->rank - 1], &k) || axis < batch + k)
    return AXIS_MIXES;
  return axis - (int)(batch + k) + index->rank - 1;
}

static const OpRow gather_rows[] = {
  {1, "data:T indices:I -> output:T", "T=all; I=i32 i64", "axis:i", NULL},
  {11, NULL, NULL, NULL, NULL}, {13, NULL, "T=all13; I=i32 i64", NULL, NULL},
};
static const OpRow gather_elements_rows[] = {
  {11, "data:T indices:I -> output:T", "T=all; I=i32 i64", "axis:i", NULL},
  {13, NULL, "T=all13; I=i32 i64", NULL, NULL},
};
static const OpRow gather_nd_rows[] = {
  {11, "data:T indices:I -> output:T", "T=all; I=i64", "", NULL},
  /* ONNX GatherND-12: "starts from dimension of data[batch_dims:]" */
  {12, NULL, NULL, "batch_dims:i", NULL},
  {13, NULL, "T=all13; I=i64", NULL, NULL},
};

static const OpDef defs[] = {
  {.name = "Gather", .rows = gather_rows, .nrow = COUNT(gather_rows),
   .infer = infer_gather, .lower = lower_gather, .axis = axis_gather,
   .flags = OP_MOVES},
  {.name = "GatherElements", .rows = gather_elements_rows,
   .nrow = COUNT(gather_elements_rows), .infer = infer_gather_elements,
   .lower = lower_gather_elements, .axis = axis_gather_elements,
   .flags = OP_MOVES},
  {.name = "GatherND", .rows = gather_nd_rows, .nrow = COUNT(gather_nd_rows),
   .infer = infer_gather_nd, .lower = lower_gather_nd, .axis = axis_gather_nd,
   .flags = OP_MOVES},
};
OPS_DEFINE(gather, defs)
