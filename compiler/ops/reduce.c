/* SPDX-License-Identifier: Apache-2.0 */
/* The Reduce operators, ArgMax and ArgMin.
 *
 * The kernels take the kept and the reduced axes as two shapes with strides in
 * x. Neighbouring axes of a kind are joined, so that loops are long. */
#include "ir.h"
#include "../../runtime_min/kernels/ref/reduce.h"
#include <string.h>

/* The numbers of the axes input; NULL with a count of -1: not known. */
static const Dim *const *axes_input(const Node *n, int *count)
{
  const Value *axes = node_in(n, 1);
  *count = 0;
  if (!axes || dim_is(value_numel(axes), 0))
    return NULL;
  const Dim *const *v = infer_content(n, 1, count);
  int64_t known;
  for (int i = 0; v && i < *count; i++)
    if (!dim_is_int(v[i], &known))
      v = NULL;
  if (!v)
    *count = -1;
  return v;
}

bool reduce_axes(const Node *n, bool gone[MAX_RANK])
{
  int count, rank = node_in(n, 0)->rank;
  const Dim *const *v = axes_input(n, &count);
  if (count < 0)
    return false;
  /* ONNX ReduceSum-13: none means all, or really none. */
  bool all = count == 0 && !attr_int(n, "noop_with_empty_axes", 0);
  for (int i = 0; i < rank; i++)
    gone[i] = all;
  for (int i = 0; i < count; i++) {
    int64_t axis = 0;
    if (!dim_is_int(v[i], &axis) || axis < -rank || axis >= rank)
      return false;
    gone[axis < 0 ? axis + rank : axis] = true;
  }
  return true;
}

/* What the file says of the shape of v: where it is silent, of what nodes make
 * of v alone that keep its shape, as in the bodies of ONNX's own functions. */
static const Type *declared_shape(const Value *v)
{
  for (int hops = 0; hops < 8 && v; hops++) {
    if ((v->declared && v->declared->rank >= 0) || v->nuse != 1)
      return v->declared;
    const Node *user = v->use[0];
    bool keeps = user->op && (user->op->flags & OP_ELEMENTWISE) &&
                 (user->nin == 1 || node_is(user, "CastLike"));
    v = keeps && user->in[0] == v ? node_out(user, 0) : NULL;
  }
  return NULL;
}

static void claim_shape(Node *n, Value *y)
{
  const Type *d = declared_shape(y);
  if (!d || d == y->declared)
    return;
  Type *own = NEW(&n->g->m->arena, Type, 1);
  *own = *d;
  own->dtype = n->in[0]->dtype;
  y->declared = own;
}

/* The rank of y; -1 where the number of axes that go is not known, either. */
static int rank_by_data(const Node *n)
{
  int64_t gone;
  int rank = n->in[0]->rank;
  if (attr_int(n, "keepdims", 1)) return rank;
  if (!dim_is_int(value_numel(n->in[1]), &gone) || gone > rank) return -1;
  return rank - (int)gone;
}

static void sizes_reduce(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  lower_call(l, n, "size_reduce", DT_I64, "idkkkkDS", n->in[1],
             value_numel(n->in[1]),
             (int64_t)!attr_int(n, "noop_with_empty_axes", 0),
             (int64_t)(attr_int(n, "keepdims", 1) != 0), (int64_t)x->rank,
             (int64_t)rank_by_data(n), x->dim, x->rank);
}

/* The axes are known at run time only. */
static void infer_unknown(Node *n)
{
  const Value *x = n->in[0];
  DimPool *p = node_dims(n);
  const Dim *dim[MAX_RANK] = {0}, *bound[MAX_RANK], *most = dim_int(p, 1);
  bool keep = attr_int(n, "keepdims", 1) != 0;
  int rank = rank_by_data(n);
  claim_shape(n, node_out(n, 0));
  if (rank < 0) {
    infer_declared(n, 0, x->dtype, "the list of axes");
    return;
  }
  for (int i = 0; i < x->rank; i++) most = dim_max(p, most, x->dim[i]);
  for (int i = 0; i < rank; i++)
    bound[i] = keep ? dim_max(p, x->dim[i], dim_int(p, 1)) : most;
  infer_by_sizes(n, 0, x->dtype, rank, bound, dim);
}

/* reduce_axes failed: the axes are wrong, or only known at run time. */
static void infer_by_data(Node *n)
{
  int count, rank = node_in(n, 0)->rank;
  const Dim *const *v = axes_input(n, &count);
  if (count < 0) {
    infer_unknown(n);
    return;
  }
  for (int i = 0; i < count; i++) {
    int64_t axis = 0;
    if (dim_is_int(v[i], &axis) && axis_norm(n, axis, rank) < 0)
      return;
  }
}

static void infer_reduce(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK];
  bool gone[MAX_RANK], keep = attr_int(n, "keepdims", 1) != 0;
  int rank = 0;
  if (!infer_ready(n))
    return;
  if (!reduce_axes(n, gone)) {
    infer_by_data(n);
    return;
  }
  for (int i = 0; i < x->rank; i++)
    if (!gone[i])
      dim[rank++] = x->dim[i];
    else if (keep)
      dim[rank++] = dim_int(node_dims(n), 1);
  infer_out(n, 0, x->dtype, rank, dim);
}

typedef struct {
  const Dim *dim[MAX_RANK], *stride[MAX_RANK];
  int n;
} Axes;

/* An axis outside of all that `a` has; joined to the last one if it may be. */
static void add_axis(DimPool *p, Axes *a, const Dim *dim, const Dim *stride,
                     bool join)
{
  if (join) {
    a->dim[a->n - 1] = dim_mul(p, a->dim[a->n - 1], dim);
    return;
  }
  a->dim[a->n] = dim;
  a->stride[a->n++] = stride;
}

static void reverse(Axes *a)
{
  for (int i = 0, j = a->n - 1; i < j; i++, j--) {
    const Dim *d = a->dim[i], *s = a->stride[i];
    a->dim[i] = a->dim[j], a->stride[i] = a->stride[j];
    a->dim[j] = d, a->stride[j] = s;
  }
}

static void split_axes(const Node *n, const bool *gone, Axes *kept, Axes *lost)
{
  const Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  const Dim *stride = dim_int(p, 1);
  kept->n = lost->n = 0;
  for (int i = x->rank; i-- > 0;) {
    bool join = i + 1 < x->rank && gone[i] == gone[i + 1];
    add_axis(p, gone[i] ? lost : kept, x->dim[i], stride, join);
    stride = dim_mul(p, stride, x->dim[i]);
  }
  if (!lost->n) /* the kernels want one */
    add_axis(p, lost, dim_int(p, 1), dim_int(p, 1), false);
  reverse(kept);
  reverse(lost);
}

typedef struct { const char *op, *kernel; int64_t number; } Reduction;
static const Reduction reductions[] = {
  { "ReduceSum", "reduce", O2C_RED_SUM },
  { "ReduceMean", "reduce", O2C_RED_MEAN },
  { "ReduceProd", "reduce", O2C_RED_PROD },
  { "ReduceL1", "reduce", O2C_RED_L1 },
  { "ReduceSumSquare", "reduce", O2C_RED_SUM_SQUARE },
  { "ReduceL2", "reduce_real", O2C_RED_L2 },
  { "ReduceLogSum", "reduce_real", O2C_RED_LOG_SUM },
  { "ReduceLogSumExp", "reduce_real", O2C_RED_LOG_SUM_EXP },
  { "ReduceMax", "reduce_extreme", O2C_RED_MAX },
  { "ReduceMin", "reduce_extreme", O2C_RED_MIN },
};

static const Reduction *reduction_of(const Node *n)
{
  const Reduction *r = reductions;
  while (strcmp(n->op_type, r->op))
    r++;
  return r;
}

static void lower_by_data(Lower *l, Node *n)
{
  const Value *x = node_in(n, 0), *y = node_out(n, 0);
  lower_call(l, n, "reduce_data", x->dtype, "iiokdkkkkDD", n->in[0], n->in[1],
             n->out[0], reduction_of(n)->number, value_numel(n->in[1]),
             (int64_t)!attr_int(n, "noop_with_empty_axes", 0),
             (int64_t)(attr_int(n, "keepdims", 1) != 0), (int64_t)x->rank,
             (int64_t)y->rank, x->dim, x->rank, y->dim, y->rank);
}

static void lower_reduce(Lower *l, Node *n)
{
  Axes kept, lost;
  Value *x = node_in(n, 0);
  const Reduction *r = reduction_of(n);
  bool gone[MAX_RANK];
  if (!reduce_axes(n, gone)) {
    lower_by_data(l, n);
    return;
  }
  split_axes(n, gone, &kept, &lost);
  bool extreme = !strcmp(r->kernel, "reduce_extreme");
  lower_call(l, n, r->kernel, x->dtype, "iokkkDDDD", x, node_out(n, 0),
             extreme ? (int64_t)(r->number == O2C_RED_MIN) : r->number,
             (int64_t)kept.n, (int64_t)lost.n, kept.dim, kept.n, kept.stride,
             kept.n, lost.dim, lost.n, lost.stride, lost.n);
}

static int axis_reduce(const Node *n, int in, int axis, int out)
{
  bool gone[MAX_RANK];
  (void)out;
  if (in != 0 || !reduce_axes(n, gone) || gone[axis])
    return AXIS_MIXES;
  if (attr_int(n, "keepdims", 1))
    return axis;
  int to = 0;
  for (int i = 0; i < axis; i++)
    to += !gone[i];
  return to;
}

/* With keepdims only: else the axes of y are not those of x. */
static bool permute_reduce(Node *n, const int *perm, int rank)
{
  bool gone[MAX_RANK];
  int64_t axes[MAX_RANK];
  int count = 0;
  if (!attr_int(n, "keepdims", 1) || !reduce_axes(n, gone))
    return false;
  for (int i = 0; i < rank; i++)
    if (gone[perm[i]])
      axes[count++] = i;
  if (node_in(n, 1) && count)
    node_set_input(n, 1, value_const_ints(n->g, "axes", axes, count));
  return true;
}

/* ONNX ReduceSum-13, the others -18: axes come as an input. */
static void upgrade_axes(Node *n)
{
  int count = 0;
  const int64_t *v = attr_ints(n, "axes", &count);
  if (v && count)
    node_set_input(n, 1, value_const_ints(n->g, "axes", v, count));
  attr_remove(n, "axes");
}

static int arg_axis(const Node *n)
{
  int64_t axis = attr_int(n, "axis", 0);
  return (int)(axis < 0 ? axis + node_in(n, 0)->rank : axis);
}

static void infer_arg(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK];
  int rank = 0;
  if (!infer_ready(n))
    return;
  if (x->rank == 0) { /* numpy's way: the only element is number 0 */
    infer_out(n, 0, DT_I64, 0, NULL);
    return;
  }
  int axis = axis_norm(n, attr_int(n, "axis", 0), x->rank);
  if (axis < 0)
    return;
  if (dim_is(x->dim[axis], 0)) {
    fail_model(n, "axis %d has no elements to choose from", axis);
    return;
  }
  for (int i = 0; i < x->rank; i++)
    if (i != axis)
      dim[rank++] = x->dim[i];
    else if (attr_int(n, "keepdims", 1))
      dim[rank++] = dim_int(node_dims(n), 1);
  infer_out(n, 0, DT_I64, rank, dim);
}

static void lower_arg(Lower *l, Node *n)
{
  Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  int axis = x->rank ? arg_axis(n) : 0;
  int after = x->rank ? axis + 1 : 0;
  lower_call(l, n, "arg_extreme", x->dtype, "iodddkk", x, node_out(n, 0),
             dim_prod(p, x->dim, axis),
             x->rank ? x->dim[axis] : dim_int(p, 1),
             dim_prod(p, x->dim + after, x->rank - after),
             (int64_t)node_is(n, "ArgMin"),
             (int64_t)(attr_int(n, "select_last_index", 0) != 0));
}

static int axis_arg(const Node *n, int in, int axis, int out)
{
  int at = arg_axis(n);
  (void)in, (void)out;
  if (axis == at)
    return AXIS_MIXES;
  return axis > at && !attr_int(n, "keepdims", 1) ? axis - 1 : axis;
}

static bool permute_arg(Node *n, const int *perm, int rank)
{
  int at = arg_axis(n);
  if (!attr_int(n, "keepdims", 1))
    return false;
  for (int i = 0; i < rank; i++)
    if (perm[i] == at) {
      attr_set_int(n, "axis", i);
      return true;
    }
  return false;
}

#define OLD_SIG "data:T -> reduced:T"
#define NEW_SIG "data:T axes:I? -> reduced:T"
#define OLD_ATTRS "axes:I keepdims:i"
#define NEW_ATTRS "keepdims:i noop_with_empty_axes:i"

static const OpRow sum_rows[] = {
  { 1, OLD_SIG, "T=num32", OLD_ATTRS, NULL },
  { 11, NULL, NULL, NULL, upgrade_axes },
  { 13, NEW_SIG, "T=num32 bf16; I=i64", NEW_ATTRS, NULL },
};
static const OpRow rows[] = {
  { 1, OLD_SIG, "T=num32", OLD_ATTRS, NULL },
  { 11, NULL, NULL, NULL, NULL },
  { 13, NULL, "T=num32 bf16", NULL, upgrade_axes },
  { 18, NEW_SIG, "T=num32 bf16; I=i64", NEW_ATTRS, NULL },
};
static const OpRow log_rows[] = {
  { 1, OLD_SIG, "T=num32", OLD_ATTRS, NULL },
  { 11, NULL, NULL, NULL, NULL },
  { 13, NULL, "T=num32 bf16", NULL, upgrade_axes },
  { 18, NEW_SIG, "T=num32 bf16; I=i64", NEW_ATTRS, NULL },
  /* 28 takes the integers away; nodes of the versions before it keep them. */
  { 28, NULL, NULL, NULL, NULL },
};
static const OpRow extreme_rows[] = {
  { 1, OLD_SIG, "T=num32", OLD_ATTRS, NULL },
  { 11, NULL, NULL, NULL, NULL },
  { 12, NULL, "T=num32 i8 u8", NULL, NULL },
  { 13, NULL, "T=num32 bf16 i8 u8", NULL, upgrade_axes },
  { 18, NEW_SIG, "T=num32 bf16 i8 u8; I=i64", NEW_ATTRS, NULL },
  { 20, NULL, "T=num32 bf16 i8 u8 bool; I=i64", NULL, NULL },
};
static const OpRow arg_rows[] = {
  { 1, "data:T -> reduced:I", "T=num; I=i64", "axis:i keepdims:i", NULL },
  { 11, NULL, NULL, NULL, NULL },
  /* ONNX ArgMax-12, ArgMin-12: "default is False (first index)" */
  { 12, NULL, NULL, "axis:i keepdims:i select_last_index:i", NULL },
  { 13, NULL, "T=num bf16; I=i64", NULL, NULL },
};

#define REDUCE(op, list) \
  { .name = op, .rows = list, .nrow = COUNT(list), .infer = infer_reduce, \
    .lower = lower_reduce, .sizes = sizes_reduce, .axis = axis_reduce, \
    .permute = permute_reduce }
#define ARG(op) \
  { .name = op, .rows = arg_rows, .nrow = COUNT(arg_rows), \
    .infer = infer_arg, .lower = lower_arg, .axis = axis_arg, \
    .permute = permute_arg }

static const OpDef defs[] = {
  REDUCE("ReduceSum", sum_rows), REDUCE("ReduceMean", rows),
  REDUCE("ReduceMax", extreme_rows), REDUCE("ReduceMin", extreme_rows),
  REDUCE("ReduceProd", rows), REDUCE("ReduceL1", rows),
  REDUCE("ReduceL2", rows), REDUCE("ReduceLogSum", log_rows),
  REDUCE("ReduceLogSumExp", log_rows), REDUCE("ReduceSumSquare", rows),
  ARG("ArgMax"), ARG("ArgMin"),
};

OPS_DEFINE(reduce, defs)
