/* SPDX-License-Identifier: Apache-2.0 */
/* Concat and Split: blocks side by side along one axis. */
#include "../ir.h"

static void upgrade_concat_1(Node *n)
{
  if (!attr_get(n, "axis")) attr_set_int(n, "axis", 1);
}

/* Where the axis stands after a permutation: new axis k is old perm[k]. */
static bool permute_axis(Node *n, const int *perm, int rank, int64_t dflt)
{
  int64_t axis = attr_int(n, "axis", dflt);
  if (n->in[0]->rank != rank) return false;
  if (axis < 0) axis += rank;
  for (int k = 0; k < rank; k++)
    if (perm[k] == axis) {
      attr_set_int(n, "axis", k);
      return true;
    }
  return false;
}

/* A size that the specification wants equal in inputs `in` and 0. */
static const Dim *agreed(Node *n, const Dim *a, const Dim *b, int in, int axis)
{
  const Dim *one = a == b || dim_bad(a) ? a : NULL;
  char what[64];
  if (!one && dim_bad(b)) one = b;
  if (!one) one = dims_unify(node_dims(n), a, b, true);
  if (one) return one;
  snprintf(what, sizeof what, "axis %d of inputs 0 and %d", axis, in);
  infer_equal(n, a, b, what); /* says why not */
  return NULL;
}

static void infer_concat(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK];
  int axis;
  if (!infer_ready(n) || !x) return;
  if (!attr_get(n, "axis")) {
    fail_model(n, "attribute axis is missing (spec: required)");
    return;
  }
  axis = axis_norm(n, attr_int(n, "axis", 1), x->rank);
  if (axis < 0) return;
  for (int i = 0; i < x->rank; i++) dim[i] = x->dim[i];
  for (int k = 1; k < n->nin; k++) {
    const Value *v = node_in(n, k);
    if (!v) continue;
    if (v->rank != x->rank) {
      fail_model(n, "input %d has rank %d, input 0 rank %d (spec: equal)", k,
                 v->rank, x->rank);
      return;
    }
    for (int i = 0; i < x->rank; i++) {
      dim[i] = i == axis ? dim_add(node_dims(n), dim[i], v->dim[i])
                         : agreed(n, dim[i], v->dim[i], k, i);
      if (!dim[i]) return;
    }
  }
  infer_out(n, 0, x->dtype, x->rank, dim);
}

/* The part of `whole` that `part` is, from `offset` along `axis`: strides. */
static void part_block(Block *b, const Value *part, const Value *whole)
{
  b->rank = part->rank;
  value_strides(part, b->xs);
  value_strides(whole, b->ys);
  for (int i = 0; i < part->rank; i++) b->dim[i] = part->dim[i];
}

static void lower_concat(Lower *l, Node *n)
{
  Value *y = n->out[0];
  DimPool *p = node_dims(n);
  int64_t axis = attr_int(n, "axis", 1);
  const Dim *at = dim_int(p, 0);
  if (axis < 0) axis += y->rank;
  for (int k = 0; k < n->nin; k++) {
    Block b = {0};
    if (!n->in[k]) continue;
    part_block(&b, n->in[k], y);
    b.yoff = dim_mul(p, at, b.ys[axis]);
    lower_block(l, n, n->in[k], y, &b);
    at = dim_add(p, at, n->in[k]->dim[axis]);
  }
}

static int axis_along(const Node *n, int axis, int64_t dflt)
{
  int64_t own = attr_int(n, "axis", dflt);
  if (own < 0) own += n->in[0]->rank;
  return axis == own ? AXIS_MIXES : axis;
}

static int axis_concat(const Node *n, int in, int axis, int out)
{
  (void)in, (void)out;
  return axis_along(n, axis, 1);
}

static bool permute_concat(Node *n, const int *perm, int rank)
{
  return permute_axis(n, perm, rank, 1);
}

/* Split. */
static void upgrade_split_attr(Node *n)
{
  int count = 0;
  const int64_t *v = attr_ints(n, "split", &count);
  if (v) node_set_input(n, 1, value_const_ints(n->g, "split", v, count));
  attr_remove(n, "split");
}

/* ONNX Split-1: the sizes may also be an input, of the data's type. */
static void upgrade_split_1(Node *n)
{
  Value *split = node_in(n, 1);
  int64_t *v;
  if (!split) return;
  if (!split->data) {
    Value *like = value_const_scalar(n->g, "int64", DT_I64, 0);
    node_set_input(n, 1, node_op(n, "CastLike", 2, split, like));
    return;
  }
  v = NEW(&n->g->m->arena, int64_t, split->data->n + 1);
  for (int64_t i = 0; i < split->data->n; i++)
    v[i] = tensor_i64(split->data, i);
  attr_set_ints(n, "split", v, (int)split->data->n);
  node_drop_inputs(n, 1);
}

static void upgrade_split_13(Node *n)
{
  if (!node_in(n, 1)) attr_set_int(n, "num_outputs", n->nout);
}

/* Known at run time only. */
static bool sizes_by_data(Node *n, int axis, const Dim **size)
{
  const Dim **bound = NEW(&n->g->m->arena, const Dim *, n->nout);
  for (int k = 0; k < n->nout; k++) {
    size[k] = NULL;
    bound[k] = n->in[0]->dim[axis];
  }
  return infer_equal(n, value_numel(n->in[1]),
                     dim_int(node_dims(n), n->nout),
                     "numbers of split, and outputs") &&
         infer_sizes(n, n->nout, bound, size);
}

static void sizes_split(Lower *l, Node *n)
{
  int axis = axis_norm(n, attr_int(n, "axis", 0), n->in[0]->rank);
  if (axis < 0) return;
  lower_call(l, n, "size_split", DT_I64, "ikdS", n->in[1], (int64_t)n->nout,
             n->in[0]->dim[axis]);
}

static bool sizes_listed(Node *n, int axis, const Dim **size)
{
  const Dim *d = n->in[0]->dim[axis];
  const Dim *total = dim_int(node_dims(n), 0);
  const Dim *const *v;
  int64_t t, x;
  int count;
  v = infer_content(n, 1, &count);
  if (!v) return sizes_by_data(n, axis, size);
  if (count != n->nout) {
    fail_model(n, "split has %d sizes for %d outputs (spec: equal)", count,
               n->nout);
    return false;
  }
  for (int i = 0; i < count; i++) {
    size[i] = v[i];
    total = dim_add(node_dims(n), total, v[i]);
    if (!dim_is_int(v[i], &x) || x >= 0) continue;
    fail_model(n, "split[%d] is %lld (spec: not negative)", i, (long long)x);
    return false;
  }
  if (!dim_is_int(total, &t) || !dim_is_int(d, &x) || t == x) return true;
  fail_model(n, "split sums to %lld, the axis has size %lld (spec: equal)",
             (long long)t, (long long)x);
  return false;
}

/* ONNX Split-18: chunks of ceil(d / num_outputs), the last is smaller. */
static bool sizes_equal(Node *n, const Dim *d, const Dim **size)
{
  DimPool *p = node_dims(n);
  int64_t num = attr_int(n, "num_outputs", n->nout);
  const Dim *chunk, *at = dim_int(p, 0), *left;
  if (num != n->nout || num < 1) {
    fail_model(n, "num_outputs is %lld, the node has %d outputs (spec: equal)",
               (long long)num, n->nout);
    return false;
  }
  chunk = dim_ceil_div(p, d, dim_int(p, num));
  for (int i = 0; i < n->nout; i++) {
    left = dim_max(p, dim_sub(p, d, at), dim_int(p, 0));
    size[i] = i + 1 < n->nout || !dim_div_exact(p, d, dim_int(p, num))
                ? dim_min(p, chunk, left) : chunk;
    at = dim_add(p, at, chunk);
  }
  return true;
}

static void infer_split(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK], **size = NEW(&n->g->m->arena, const Dim *, n->nout);
  int axis;
  if (!infer_ready(n)) return;
  axis = axis_norm(n, attr_int(n, "axis", 0), x->rank);
  if (axis < 0) return;
  if (node_in(n, 1) ? !sizes_listed(n, (int)axis, size)
                    : !sizes_equal(n, x->dim[axis], size))
    return;
  for (int i = 0; i < x->rank; i++) dim[i] = x->dim[i];
  for (int k = 0; k < n->nout; k++) {
    dim[axis] = size[k];
    if (n->out[k]) infer_out(n, k, x->dtype, x->rank, dim);
  }
}

static void lower_split(Lower *l, Node *n)
{
  Value *x = n->in[0];
  DimPool *p = node_dims(n);
  int64_t axis = attr_int(n, "axis", 0);
  const Dim **size = NEW(&l->m->arena, const Dim *, n->nout);
  const Dim *at = dim_int(p, 0);
  if (axis < 0) axis += x->rank;
  if (node_in(n, 1) ? !sizes_listed(n, (int)axis, size)
                    : !sizes_equal(n, x->dim[axis], size))
    return;
  for (int k = 0; k < n->nout; k++) {
    Block part = {0}, b;
    if (n->out[k]) {
      part_block(&part, n->out[k], x);
      b = part;
      for (int i = 0; i < x->rank; i++) {
        b.xs[i] = part.ys[i];
        b.ys[i] = part.xs[i];
      }
      b.xoff = dim_mul(p, at, b.xs[axis]);
      lower_block(l, n, x, n->out[k], &b);
    }
    at = dim_add(p, at, size[k]);
  }
}

static int axis_split(const Node *n, int in, int axis, int out)
{
  (void)out;
  return in == 0 ? axis_along(n, axis, 0) : AXIS_MIXES;
}

static bool permute_split(Node *n, const int *perm, int rank)
{
  return permute_axis(n, perm, rank, 0);
}

static const OpRow concat_rows[] = {
  {1, "inputs:T... -> concat_result:T", "T=float", "axis:i", upgrade_concat_1},
  {4, NULL, "T=all", NULL, NULL}, {11, NULL, "T=all", NULL, NULL},
  {13, NULL, "T=all13", NULL, NULL},
};
static const OpRow split_rows[] = {
  {1, "input:T split:T? -> outputs:T...", "T=float", "axis:i split:I",
   upgrade_split_1},
  {2, "input:T -> outputs:T...", "T=all", NULL, NULL},
  {11, NULL, NULL, NULL, upgrade_split_attr},
  {13, "input:T split:I? -> outputs:T...", "T=all13; I=i64", "axis:i",
   upgrade_split_13},
  {18, NULL, NULL, "axis:i num_outputs:i", NULL},
};

static const OpDef defs[] = {
  {.name = "Concat", .rows = concat_rows, .nrow = COUNT(concat_rows),
   .infer = infer_concat, .lower = lower_concat, .axis = axis_concat,
   .permute = permute_concat, .flags = OP_MOVES},
  {.name = "Split", .rows = split_rows, .nrow = COUNT(split_rows),
   .infer = infer_split, .lower = lower_split, .axis = axis_split,
   .sizes = sizes_split,
   .permute = permute_split, .flags = OP_MOVES},
};
OPS_DEFINE(concat, defs)
