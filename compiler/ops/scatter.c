/* SPDX-License-Identifier: Apache-2.0 */
/* Scatter, ScatterElements, ScatterND, TensorScatter. Indices of the data are
 * checked by the kernels, constant ones of ScatterElements here too. */
#include <string.h>
#include "../ir.h"

static const char *const reductions[] = {"none", "add", "mul", "max", "min"};

/* The number of the reduction in kernels/ref/scatter.h; -1: not a known one. */
static int reduction(const Node *n)
{
  const char *s = attr_str(n, "reduction", "none");
  for (int i = 0; i < COUNT(reductions); i++)
    if (!strcmp(s, reductions[i])) return i;
  return -1;
}

static bool reduction_ok(Node *n, Dtype t)
{
  int op = reduction(n);
  DtypeClass c = dtype_info(t)->cls;
  if (op < 0) {
    fail_model(n, "reduction is %s (spec: none, add, mul, max, min)",
               quote(&n->g->m->arena, attr_str(n, "reduction", "")));
    return false;
  }
  if (op && (c == DC_STR || c == DC_COMPLEX)) {
    fail_unsupported(n, "reduction %s of %s; only numbers and bool are reduced",
                     reductions[op], dtype_info(t)->onnx);
    return false;
  }
  return true;
}

/* Without reduction bytes move, whatever they mean. */
static Dtype scatter_type(const Node *n)
{
  Dtype t = n->in[0]->dtype;
  return reduction(n) ? t : dtype_carrier(t);
}

static bool index_constants_ok(Node *n, const Dim *d)
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

static void infer_scatter_elements(Node *n)
{
  const Value *x = node_in(n, 0), *index = node_in(n, 1), *u = node_in(n, 2);
  int64_t a, b;
  int axis;
  if (!infer_ready(n) || !reduction_ok(n, x->dtype)) return;
  if (index->rank != x->rank || u->rank != x->rank) {
    fail_model(n, "data has rank %d, indices %d, updates %d (spec: equal)",
               x->rank, index->rank, u->rank);
    return;
  }
  axis = axis_norm(n, attr_int(n, "axis", 0), x->rank);
  if (axis < 0 || !index_constants_ok(n, x->dim[axis])) return;
  for (int i = 0; i < x->rank; i++) {
    if (!infer_equal(n, index->dim[i], u->dim[i], "sizes of indices, updates"))
      return;
    if (i == axis || !dim_is_int(x->dim[i], &a) ||
        !dim_is_int(index->dim[i], &b) || b <= a)
      continue;
    fail_model(n, "indices have size %lld on axis %d, data %lld (spec: not "
                  "more)", (long long)b, i, (long long)a);
    return;
  }
  infer_same(n, 0, 0);
}

static void lower_scatter_elements(Lower *l, Node *n)
{
  Value *x = n->in[0], *index = n->in[1];
  int64_t axis = attr_int(n, "axis", 0);
  if (axis < 0) axis += x->rank;
  lower_call(l, n, "scatter_elements", scatter_type(n), "iiiokkkkDD", x, index,
             n->in[2], n->out[0], (int64_t)dtype_info(index->dtype)->size,
             (int64_t)reduction(n), (int64_t)x->rank, axis, x->dim, x->rank,
             index->dim, index->rank);
}

/* Samples stay where data and indices have the axis in full. */
static int axis_scatter_elements(const Node *n, int in, int axis, int out)
{
  int64_t own = attr_int(n, "axis", 0);
  (void)in, (void)out;
  if (own < 0) own += n->in[0]->rank;
  return axis != own && n->in[0]->dim[axis] == n->in[1]->dim[axis] ? axis
                                                                   : AXIS_MIXES;
}

/* The number of axes that a tuple indexes; 0 after a diagnostic. */
static int tuple_size(Node *n)
{
  const Value *x = n->in[0], *index = n->in[1];
  int64_t k;
  if (x->rank < 1 || index->rank < 1) {
    fail_model(n, "data has rank %d, indices %d (spec: at least 1)", x->rank,
               index->rank);
    return 0;
  }
  if (!dim_is_int(index->dim[index->rank - 1], &k)) {
    fail_unsupported(n, "the last size of the indices is %s; it must be a "
                        "constant", dim_text(node_dims(n),
                                             index->dim[index->rank - 1]));
    return 0;
  }
  if (k >= 1 && k <= x->rank) return (int)k;
  fail_model(n, "indices have tuples of %lld for rank %d (spec: 1 to %d)",
             (long long)k, x->rank, x->rank);
  return 0;
}

static void infer_scatter_nd(Node *n)
{
  const Value *x = node_in(n, 0), *index = node_in(n, 1), *u = node_in(n, 2);
  int k, lead;
  if (!infer_ready(n) || !reduction_ok(n, x->dtype) || !(k = tuple_size(n)))
    return;
  lead = index->rank - 1;
  if (u->rank != lead + x->rank - k) {
    fail_model(n, "updates have rank %d (spec: %d by data and indices)",
               u->rank, lead + x->rank - k);
    return;
  }
  for (int i = 0; i < u->rank; i++)
    if (!infer_equal(n, u->dim[i],
                     i < lead ? index->dim[i] : x->dim[k + i - lead],
                     i < lead ? "sizes of updates, indices"
                              : "sizes of updates, data"))
      return;
  infer_same(n, 0, 0);
}

static void lower_scatter_nd(Lower *l, Node *n)
{
  Value *x = n->in[0], *index = n->in[1];
  DimPool *p = node_dims(n);
  int k = tuple_size(n);
  if (!k) return;
  lower_call(l, n, "scatter_nd", scatter_type(n), "iiiokdkdD", x, index,
             n->in[2], n->out[0], (int64_t)reduction(n),
             dim_prod(p, index->dim, index->rank - 1), (int64_t)k,
             dim_prod(p, x->dim + k, x->rank - k), x->dim, k);
}

static int axis_scatter_nd(const Node *n, int in, int axis, int out)
{
  const Value *index = n->in[1];
  int lead = index->rank - 1;
  int64_t k;
  (void)out;
  if (in == 1 || !dim_is_int(index->dim[lead], &k)) return AXIS_MIXES;
  if (in == 0) return axis < k ? AXIS_MIXES : axis;
  return axis < lead ? AXIS_MIXES : axis - lead + (int)k;
}

static void infer_tensor_scatter(Node *n)
{
  const Value *x = node_in(n, 0), *u = node_in(n, 1), *at = node_in(n, 2);
  const char *mode = attr_str(n, "mode", "linear");
  int64_t room, rows;
  int axis;
  if (!infer_ready(n)) return;
  if (u->rank != x->rank || x->rank < 2 || (at && at->rank != 1)) {
    fail_model(n, "cache has rank %d, update %d, write_indices %d (spec: equal "
                  "and at least 2, and 1)", x->rank, u->rank,
               at ? at->rank : 1);
    return;
  }
  if (strcmp(mode, "linear") && strcmp(mode, "circular")) {
    fail_model(n, "mode is %s (spec: linear or circular)",
               quote(&n->g->m->arena, mode));
    return;
  }
  axis = axis_norm(n, attr_int(n, "axis", -2), x->rank);
  if (axis < 0) return;
  if (axis == 0) {
    fail_model(n, "axis is the batch (spec: not axis 0)");
    return;
  }
  for (int i = 0; i < x->rank; i++)
    if (i != axis &&
        !infer_equal(n, x->dim[i], u->dim[i], "sizes of cache, update"))
      return;
  if (dim_is_int(x->dim[axis], &room) && dim_is_int(u->dim[axis], &rows) &&
      rows > room) {
    fail_model(n, "update has %lld rows, the cache %lld (spec: not more)",
               (long long)rows, (long long)room);
    return;
  }
  if (at && !infer_equal(n, x->dim[0], at->dim[0], "batch, write_indices"))
    return;
  infer_same(n, 0, 0);
}

static void lower_tensor_scatter(Lower *l, Node *n)
{
  Value *x = n->in[0], *u = n->in[1];
  DimPool *p = node_dims(n);
  int axis = (int)attr_int(n, "axis", -2);
  if (axis < 0) axis += x->rank;
  lower_call(l, n, "tensor_scatter", dtype_carrier(x->dtype), "iiiokddddd", x,
             u, node_in(n, 2), n->out[0],
             (int64_t)!strcmp(attr_str(n, "mode", "linear"), "circular"),
             x->dim[0], dim_prod(p, x->dim + 1, axis - 1), x->dim[axis],
             u->dim[axis], dim_prod(p, x->dim + axis + 1, x->rank - axis - 1));
}

static int axis_tensor_scatter(const Node *n, int in, int axis, int out)
{
  int64_t own = attr_int(n, "axis", -2);
  (void)out;
  if (own < 0) own += n->in[0]->rank;
  if (in == 2) return axis;
  return axis != own ? axis : AXIS_MIXES;
}

static void upgrade_scatter(Node *n)
{
  n->op_type = "ScatterElements";
  n->op = op_find("", n->op_type);
}

/* ONNX ScatterElements-18, ScatterND-18 brought max and min. */
static void upgrade_reduction(Node *n)
{
  if (reduction(n) > 2)
    fail_model(n, "reduction is %s (spec before opset 18: none, add, mul)",
               reductions[reduction(n)]);
}

#define SIG "data:T indices:I updates:T -> output:T"
#define TYPES(t) "T=" t "; I=i32 i64"
static const OpRow elements_rows[] = {
  {11, SIG, TYPES("all"), "axis:i", NULL},
  {13, NULL, TYPES("all13"), NULL, NULL},
  /* ONNX ScatterElements-16: "none (default)" */
  {16, NULL, NULL, "axis:i reduction:s", upgrade_reduction},
  {18, NULL, NULL, NULL, NULL},
};
static const OpRow scatter_rows[] = {
  {9, SIG, TYPES("all"), "axis:i", NULL},
  {11, NULL, NULL, NULL, upgrade_scatter},
};
static const OpRow nd_rows[] = {
  {11, "data:T indices:i64 updates:T -> output:T", "T=all", "", NULL},
  {13, NULL, "T=all13", NULL, NULL},
  /* ONNX ScatterND-16: "none (default)" */
  {16, NULL, NULL, "reduction:s", upgrade_reduction},
  {18, NULL, NULL, NULL, NULL},
};
static const OpRow tensor_rows[] = {
  {24, "past_cache:T update:T write_indices:i64? -> present_cache:T",
   "T=all24", "axis:i mode:s", NULL},
};

static const OpDef defs[] = {
  {.name = "Scatter", .rows = scatter_rows, .nrow = COUNT(scatter_rows),
   .infer = infer_scatter_elements, .lower = lower_scatter_elements,
   .axis = axis_scatter_elements},
  {.name = "ScatterElements", .rows = elements_rows,
   .nrow = COUNT(elements_rows), .infer = infer_scatter_elements,
   .lower = lower_scatter_elements, .axis = axis_scatter_elements},
  {.name = "ScatterND", .rows = nd_rows, .nrow = COUNT(nd_rows),
   .infer = infer_scatter_nd, .lower = lower_scatter_nd,
   .axis = axis_scatter_nd},
  {.name = "TensorScatter", .rows = tensor_rows, .nrow = COUNT(tensor_rows),
   .infer = infer_tensor_scatter, .lower = lower_tensor_scatter,
   .axis = axis_tensor_scatter},
};
OPS_DEFINE(scatter, defs)
