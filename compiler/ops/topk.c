/* SPDX-License-Identifier: Apache-2.0 */
/* TopK and OneHot: sizes of their outputs are content of an input. Where it is
 * known at run time only, the output has the shape that the file declares, and
 * a kernel compares; else the size is found before the output is made. */
#include "../ir.h"

/* TopK. */
static void upgrade_topk(Node *n)
{
  int64_t k = attr_int(n, "k", 0);
  node_set_input(n, 1, value_const_ints(n->g, "k", &k, 1));
  attr_remove(n, "k");
}

/* A size along `axis` of output i, of this rank, that input 1 holds at run
 * time: what the file declares, else that of infer_sizes. */
static const Dim *size_along(Node *n, int i, Dtype t, int rank, int axis,
                             const Dim *bound)
{
  const Type *d = node_out(n, i) ? n->out[i]->declared : NULL;
  const Dim *size = NULL;
  bool known = d && d->kind == VK_TENSOR && d->rank >= 0;
  for (int k = 0; known && k < d->rank; k++) known = d->dim[k] != NULL;
  if (!known || n->size) return infer_sizes(n, 1, &bound, &size) ? size : NULL;
  if (!infer_declared(n, i, t, "the size")) return NULL;
  if (n->out[i]->rank == rank) return n->out[i]->dim[axis];
  fail_model(n, "the output is declared of rank %d (spec: %d)",
             n->out[i]->rank, rank);
  return NULL;
}

static void sizes_along(Lower *l, Node *n)
{
  lower_call(l, n, "size_scalar", n->in[1]->dtype, "iS", n->in[1]);
}

/* Both outputs with k elements along the axis; k NULL: known at run time. */
static void topk_out(Node *n, int axis, const Dim *k)
{
  const Value *x = n->in[0];
  const Dim *dim[MAX_RANK];
  int own = node_out(n, 0) ? 0 : 1;
  if (!k)
    k = size_along(n, own, own ? DT_I64 : x->dtype, x->rank, axis,
                   x->dim[axis]);
  if (!k) return;
  for (int i = 0; i < x->rank; i++) dim[i] = i == axis ? k : x->dim[i];
  infer_out(n, 0, x->dtype, x->rank, dim);
  infer_out(n, 1, DT_I64, x->rank, dim);
}

static void infer_topk(Node *n)
{
  const Value *x = node_in(n, 0), *k = node_in(n, 1);
  const Dim *const *content;
  int64_t want, size;
  int axis, count = 0;
  if (!infer_ready(n)) return;
  axis = axis_norm(n, attr_int(n, "axis", -1), x->rank);
  if (axis < 0) return;
  if (dim_is_int(value_numel(k), &size) && size != 1) {
    fail_model(n, "k has %lld elements (spec: one)", (long long)size);
    return;
  }
  content = infer_content(n, 1, &count);
  if (content && dim_is_int(content[0], &want) &&
      (want < 0 || (dim_is_int(x->dim[axis], &size) && want > size))) {
    fail_model(n, "k is %lld, axis %d has size %s (spec: 0 to the size)",
               (long long)want, axis, dim_text(node_dims(n), x->dim[axis]));
    return;
  }
  topk_out(n, axis, content ? content[0] : NULL);
}

static void lower_topk(Lower *l, Node *n)
{
  Value *x = n->in[0], *values = node_out(n, 0), *index = node_out(n, 1);
  const Value *y = values ? values : index;
  DimPool *p = node_dims(n);
  int axis = (int)attr_int(n, "axis", -1);
  if (axis < 0) axis += x->rank;
  if (!y) return;
  if (!index) index = lower_scratch(l, n, DT_I64, value_numel(y));
  lower_call(l, n, "topk", x->dtype, "iiooddddk", x, n->in[1], values, index,
             dim_prod(p, x->dim, axis), x->dim[axis],
             dim_prod(p, x->dim + axis + 1, x->rank - axis - 1), y->dim[axis],
             (int64_t)(attr_int(n, "largest", 1) != 0));
}

static int axis_topk(const Node *n, int in, int axis, int out)
{
  int64_t own = attr_int(n, "axis", -1);
  (void)out;
  if (own < 0) own += n->in[0]->rank;
  return in == 0 && axis != own ? axis : AXIS_MIXES;
}

/* OneHot: the axis of the output, or -1 after a diagnostic. */
static int one_hot_axis(Node *n)
{
  return axis_norm(n, attr_int(n, "axis", -1), n->in[0]->rank + 1);
}

/* The depth, or NULL: not known, or wrong. */
static const Dim *one_hot_depth(Node *n)
{
  const Value *v = n->in[1];
  const Dim *const *content;
  double d;
  int count;
  if (!v->data) {
    content = infer_content(n, 1, &count);
    return content && count == 1 ? content[0] : NULL;
  }
  d = tensor_f64(v->data, 0);
  if (d >= 0 && d < 1e15) return dim_int(node_dims(n), (int64_t)d);
  fail_model(n, "depth is %g (spec: a size)", d);
  return NULL;
}

static void infer_one_hot(Node *n)
{
  const Value *x = node_in(n, 0), *v = node_in(n, 2);
  const Dim *dim[MAX_RANK + 1], *depth;
  int64_t size;
  int axis;
  if (!infer_ready(n)) return;
  if (dim_is_int(value_numel(n->in[1]), &size) && size != 1) {
    fail_model(n, "depth has %lld elements (spec: one)", (long long)size);
    return;
  }
  if (v->rank != 1 || (dim_is_int(v->dim[0], &size) && size != 2)) {
    fail_model(n, "values have shape %s (spec: [2])", value_shape_text(v));
    return;
  }
  if (x->rank >= MAX_RANK) {
    fail_unsupported(n, "rank %d (onnx2c: at most %d)", x->rank + 1, MAX_RANK);
    return;
  }
  if ((axis = one_hot_axis(n)) < 0) return;
  depth = one_hot_depth(n);
  if (!depth) {
    if (n->bad) return;
    depth = size_along(n, 0, v->dtype, x->rank + 1, axis, NULL);
    if (!depth) return;
  }
  for (int i = 0; i <= x->rank; i++)
    dim[i] = i < axis ? x->dim[i] : i == axis ? depth : x->dim[i - 1];
  infer_out(n, 0, v->dtype, x->rank + 1, dim);
}

static void lower_one_hot(Lower *l, Node *n)
{
  Value *x = n->in[0], *depth = n->in[1], *v = n->in[2], *y = n->out[0];
  DimPool *p = node_dims(n);
  int axis = one_hot_axis(n);
  if (axis < 0) return;
  if (!depth->data)
    lower_call(l, n, "check_depth", depth->dtype, "id", depth, y->dim[axis]);
  lower_call(l, n, "one_hot", x->dtype, "iiokddd", x, v, y,
             (int64_t)dtype_info(v->dtype)->size, dim_prod(p, y->dim, axis),
             y->dim[axis],
             dim_prod(p, y->dim + axis + 1, y->rank - axis - 1));
}

static int axis_one_hot(const Node *n, int in, int axis, int out)
{
  int64_t own = attr_int(n, "axis", -1);
  (void)out;
  if (own < 0) own += n->in[0]->rank + 1;
  if (in != 0) return AXIS_MIXES;
  return axis < own ? axis : axis + 1;
}

static const OpRow topk_rows[] = {
  {1, "X:T -> Values:T? Indices:i64?", "T=float", "axis:i k:i!", upgrade_topk},
  {10, "X:T K:i64 -> Values:T? Indices:i64?", NULL, "axis:i", NULL},
  /* ONNX TopK-11: "the top-K largest or smallest elements" */
  {11, NULL, "T=num", "axis:i largest:i sorted:i", NULL},
  {24, NULL, "T=num bf16", NULL, NULL},
};
static const OpRow one_hot_rows[] = {
  {9, "indices:T1 depth:T2 values:T3 -> output:T3",
   "T1=num; T2=num; T3=all", "axis:i", NULL},
  /* bf16 is in ONNX's test cases, though not in the schema. */
  {11, NULL, "T1=num; T2=num; T3=all13", NULL, NULL},
  {28, NULL, NULL, NULL, NULL},
};

static const OpDef defs[] = {
  {.name = "TopK", .rows = topk_rows, .nrow = COUNT(topk_rows),
   .infer = infer_topk, .lower = lower_topk, .axis = axis_topk,
   .sizes = sizes_along},
  {.name = "OneHot", .rows = one_hot_rows, .nrow = COUNT(one_hot_rows),
   .infer = infer_one_hot, .lower = lower_one_hot, .axis = axis_one_hot,
   .sizes = sizes_along},
};
OPS_DEFINE(topk, defs)
