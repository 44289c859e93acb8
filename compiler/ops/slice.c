/* SPDX-License-Identifier: Apache-2.0 */
/* Slice and Pad. Slice: start, step and length of every axis, symbolic where
 * the model's dimensions are; then it is one strided copy. Pad: the sizes of
 * the padding of every axis, for a kernel that knows the modes. */
#include <string.h>
#include "../ir.h"

static void upgrade_slice_1(Node *n)
{
  static const char *const name[] = {"starts", "ends", "axes"};
  for (int i = 0; i < 3; i++) {
    int count = 0;
    const int64_t *v = attr_ints(n, name[i], &count);
    if (v) node_set_input(n, i + 1, value_const_ints(n->g, name[i], v, count));
    else if (i < 2) fail_model(n, "attribute %s is missing (spec: required)",
                               name[i]);
    attr_remove(n, name[i]);
  }
}

typedef struct {
  const Dim *start[MAX_RANK], *len[MAX_RANK];
  int64_t step[MAX_RANK];
} SlicePlan;

/* `v` as a position in [lo, hi]: negative counts from the end `d`, and is put
 * at an end of the range where beyond it. NULL: its sign is not known. */
static const Dim *position(DimPool *p, const Dim *v, const Dim *d,
                           const Dim *lo, const Dim *hi)
{
  int64_t c;
  if (dim_is_int(v, &c)) {
    if (c >= DIM_INFINITE) return hi;
    if (c <= -DIM_INFINITE) return lo;
    if (c < 0) v = dim_add(p, v, d);
  } else if (!dim_nonneg(p, v)) {
    if (!dim_nonneg(p, dim_sub(p, dim_int(p, -1), v))) return NULL;
    v = dim_add(p, v, d);
  }
  return dim_min(p, dim_max(p, v, lo), hi);
}

static bool slice_axis(Node *n, SlicePlan *s, int axis, const Dim *start,
                       const Dim *end)
{
  DimPool *p = node_dims(n);
  const Dim *d = n->in[0]->dim[axis], *zero = dim_int(p, 0), *diff;
  const Dim *last = dim_sub(p, d, dim_int(p, 1)), *before = dim_int(p, -1);
  int64_t step = s->step[axis];
  if (step > 0) {
    start = position(p, start, d, zero, d);
    end = position(p, end, d, zero, d);
  } else {
    start = position(p, start, d, before, last);
    end = position(p, end, d, before, last);
  }
  if (!start || !end) {
    fail_unsupported(n, "axis %d: the sign of a symbolic start or end is open; "
                        "give the dimension a value with --dim", axis);
    return false;
  }
  diff = step > 0 ? dim_sub(p, end, start) : dim_sub(p, start, end);
  diff = dim_ceil_div(p, dim_max(p, diff, zero),
                      dim_int(p, step > 0 ? step : -step));
  s->start[axis] = start;
  s->len[axis] = diff;
  return true;
}

/* Lists of starts, ends, axes and steps: all of one length. */
typedef struct {
  const Dim *const *v[5]; /* by input */
  int n;
} SliceLists;

static bool slice_lists(Node *n, SliceLists *s)
{
  static const char *const name[] = {"data", "starts", "ends", "axes", "steps"};
  for (int k = 1; k < 5; k++) {
    int count = 0;
    s->v[k] = NULL;
    if (!node_in(n, k)) {
      if (k > 2) continue;
      fail_model(n, "input %s is missing (spec: required)", name[k]);
      return false;
    }
    s->v[k] = infer_content(n, k, &count);
    if (k == 1) s->n = count;
    if (count == s->n) continue;
    fail_model(n, "%s has %d numbers, starts %d (spec: equal)", name[k], count,
               s->n);
    return false;
  }
  return true;
}

static bool slice_number(Node *n, const Dim *d, const char *what, int64_t *v)
{
  if (dim_is_int(d, v)) return true;
  fail_unsupported(n, "%s is not a constant; make it one", what);
  return false;
}

static bool slice_plan(Node *n, SlicePlan *s)
{
  const Value *x = n->in[0];
  SliceLists in = {0};
  unsigned seen = 0;
  if (!slice_lists(n, &in)) return false;
  for (int i = 0; i < x->rank; i++) {
    s->start[i] = dim_int(node_dims(n), 0);
    s->len[i] = x->dim[i];
    s->step[i] = 1;
  }
  for (int i = 0; i < in.n; i++) {
    int64_t a = i, step = 1;
    int axis;
    if (in.v[3] && !slice_number(n, in.v[3][i], "axes", &a)) return false;
    if (in.v[4] && !slice_number(n, in.v[4][i], "steps", &step)) return false;
    axis = axis_norm(n, a, x->rank);
    if (axis < 0) return false;
    if (step == 0 || seen & 1u << axis) {
      fail_model(n, step ? "axis %d stands twice in axes (spec: once)"
                         : "the step of axis %d is 0 (spec: not 0)", axis);
      return false;
    }
    seen |= 1u << axis;
    if (step > DIM_INFINITE) step = DIM_INFINITE;
    if (step < -DIM_INFINITE) step = -DIM_INFINITE;
    s->step[axis] = step;
    if (!slice_axis(n, s, axis, in.v[1][i], in.v[2][i])) return false;
  }
  return true;
}

/* Something that says where to cut is only known at run time. */
static bool slice_by_data(const Node *n)
{
  int count;
  for (int k = 1; k < 5; k++)
    if (node_in(n, k) && !value_content(n->in[k], &count)) return true;
  return false;
}

/* Axis k is named, or may be. */
static bool slice_names(const Node *n, int k)
{
  const Value *axes = node_in(n, 3);
  int64_t count, a;
  int listed;
  const Dim *const *v = axes ? value_content(axes, &listed) : NULL;
  if (!axes)
    return !dim_is_int(value_numel(n->in[1]), &count) || k < count;
  if (!v) return true;
  for (int i = 0; i < listed; i++)
    if (!dim_is_int(v[i], &a) || a == k || a + n->in[0]->rank == k) return true;
  return false;
}

/* All lists have one length, whatever is in them. An axis that no list names
 * stays as it is. */
static void infer_slice_by_data(Node *n)
{
  const Value *x = n->in[0];
  const Dim *count = value_numel(n->in[1]), *dim[MAX_RANK];
  for (int k = 2; k < 5; k++)
    if (node_in(n, k) && !infer_equal(n, value_numel(n->in[k]), count,
                                      "sizes of starts and another input"))
      return;
  for (int k = 0; k < x->rank; k++)
    dim[k] = slice_names(n, k) ? NULL : x->dim[k];
  infer_by_sizes(n, 0, x->dtype, x->rank, x->dim, dim);
}

static void sizes_slice(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  lower_call(l, n, "size_slice", dtype_carrier(x->dtype), "iiiikdkDS",
             n->in[1], n->in[2], node_in(n, 3), node_in(n, 4),
             (int64_t)dtype_info(n->in[1]->dtype)->size,
             value_numel(n->in[1]), (int64_t)x->rank, x->dim, x->rank);
}

static void infer_slice(Node *n)
{
  SlicePlan s;
  if (!infer_ready(n)) return;
  if (node_in(n, 1) && node_in(n, 2) && slice_by_data(n)) {
    infer_slice_by_data(n);
    return;
  }
  if (!slice_plan(n, &s)) return;
  infer_out(n, 0, n->in[0]->dtype, n->in[0]->rank, s.len);
}

static void lower_slice(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  DimPool *p = node_dims(n);
  const Dim *xs[MAX_RANK];
  SlicePlan s;
  Block b = {.rank = x->rank, .xoff = dim_int(p, 0)};
  if (slice_by_data(n)) {
    lower_call(l, n, "slice", dtype_carrier(x->dtype), "iiiiiokdkDD", n->in[0],
               n->in[1], n->in[2], node_in(n, 3), node_in(n, 4), n->out[0],
               (int64_t)dtype_info(n->in[1]->dtype)->size,
               value_numel(n->in[1]), (int64_t)x->rank, x->dim, x->rank,
               n->out[0]->dim, x->rank);
    return;
  }
  if (!slice_plan(n, &s)) return;
  value_strides(x, xs);
  value_strides(n->out[0], b.ys);
  for (int i = 0; i < x->rank; i++) {
    b.dim[i] = s.len[i];
    b.xs[i] = dim_mul(p, xs[i], dim_int(p, s.step[i]));
    b.xoff = dim_add(p, b.xoff, dim_mul(p, xs[i], s.start[i]));
  }
  lower_block(l, n, n->in[0], n->out[0], &b);
}

/* All of an axis, in order: exporters from TensorFlow write such cuts. */
static bool slice_keeps(const Node *n, int axis)
{
  SlicePlan s;
  return !slice_by_data(n) && slice_plan((Node *)(uintptr_t)n, &s) &&
         s.step[axis] == 1 && dim_is(s.start[axis], 0) &&
         s.len[axis] == n->in[0]->dim[axis];
}

/* An axis that is not named stays, as one does of which nothing is cut; else
 * it mixes (another sample comes out than went in). */
static int axis_slice(const Node *n, int in, int axis, int out)
{
  const Value *axes = node_in(n, 3), *starts = node_in(n, 1);
  const Dim *const *v;
  int64_t a;
  int count = 0;
  (void)out;
  if (in != 0 || !starts) return AXIS_MIXES;
  if (slice_keeps(n, axis)) return axis;
  if (!axes) {
    v = value_content(starts, &count);
    return v && axis >= count ? axis : AXIS_MIXES;
  }
  v = value_content(axes, &count);
  if (!v) return AXIS_MIXES;
  for (int i = 0; i < count; i++)
    if (!dim_is_int(v[i], &a) || a == axis || a + n->in[0]->rank == axis)
      return AXIS_MIXES;
  return axis;
}

/* Input `at` lists axes (absent: the first `count`): the same axes at their
 * places after the permutation. */
static bool permute_axes(Node *n, int at, int count, const int *perm, int rank)
{
  const Value *axes = node_in(n, at);
  int64_t place[MAX_RANK];
  if (n->in[0]->rank != rank || count < 0 || count > rank) return false;
  if (axes && (!axes->data || axes->data->n != count)) return false;
  for (int i = 0; i < count; i++) {
    int64_t a = axes ? tensor_i64(axes->data, i) : i;
    if (a < 0) a += rank;
    place[i] = -1;
    for (int k = 0; k < rank; k++)
      if (perm[k] == a) place[i] = k;
    if (place[i] < 0) return false;
  }
  node_set_input(n, at, value_const_ints(n->g, "axes", place, count));
  return true;
}

/* Inputs of one node are of one integer type: the axes follow it. */
static bool permute_slice(Node *n, const int *perm, int rank)
{
  const Dim *const *v;
  int count = 0;
  v = infer_content(n, 1, &count);
  return v && permute_axes(n, 3, count, perm, rank);
}

/* Pad. The value of version 2 becomes an input when the type is known. */
static void upgrade_pad_1(Node *n)
{
  int count = 0;
  const int64_t *v = attr_ints(n, "paddings", &count);
  if (v) attr_set_ints(n, "pads", v, count);
  attr_remove(n, "paddings");
}

static void upgrade_pad_2(Node *n)
{
  int count = 0;
  const int64_t *v = attr_ints(n, "pads", &count);
  if (v) node_set_input(n, 1, value_const_ints(n->g, "pads", v, count));
  else fail_model(n, "attribute pads is missing (spec: required)");
  attr_remove(n, "pads");
  attr_set_float(n, ".value", attr_float(n, "value", 0));
  attr_remove(n, "value");
}

typedef struct {
  const Dim *begin[MAX_RANK], *end[MAX_RANK];
  int mode;
} PadPlan;

static int pad_mode(Node *n)
{
  static const char *const name[] = {"constant", "reflect", "edge", "wrap"};
  const char *mode = attr_str(n, "mode", "constant");
  for (int i = 0; i < COUNT(name); i++)
    if (!strcmp(mode, name[i])) return i;
  fail_model(n, "mode is %s (spec: constant, reflect, edge, wrap)",
             quote(&n->g->m->arena, mode));
  return -1;
}

/* Axes that the pads are for, in their order; false after a diagnostic. */
static bool pad_axes(Node *n, int *axis, int *count)
{
  int rank = n->in[0]->rank;
  const int64_t *v;
  unsigned seen = 0;
  *count = rank;
  for (int i = 0; i < rank; i++) axis[i] = i;
  if (!node_in(n, 3)) return true;
  infer_const_ints(n, 3, &v, count);
  for (int i = 0; i < *count; i++) {
    int a = axis_norm(n, v[i], rank);
    if (a < 0) return false;
    if (seen & 1u << a) {
      fail_model(n, "axis %d stands twice in axes (spec: once)", a);
      return false;
    }
    seen |= 1u << a;
    axis[i] = a;
  }
  return true;
}

/* The pads or their axes are only known at run time. */
static bool pad_by_data(const Node *n)
{
  int count;
  return !value_content(n->in[1], &count) ||
         (node_in(n, 3) && !n->in[3]->data);
}

static const Dim *pad_count(const Node *n)
{
  return node_in(n, 3) ? value_numel(n->in[3])
                       : dim_int(node_dims(n), n->in[0]->rank);
}

/* Axis k is padded, or may be. */
static bool pad_names(const Node *n, int k)
{
  const Value *axes = node_in(n, 3);
  if (!axes || !axes->data) return true;
  for (int i = 0; i < axes->data->n; i++) {
    int64_t a = tensor_i64(axes->data, i);
    if (a == k || a + n->in[0]->rank == k) return true;
  }
  return false;
}

static void infer_pad_by_data(Node *n)
{
  const Value *x = n->in[0];
  DimPool *p = node_dims(n);
  const Dim *dim[MAX_RANK];
  if (pad_mode(n) < 0 ||
      !infer_equal(n, value_numel(n->in[1]),
                   dim_mul(p, pad_count(n), dim_int(p, 2)),
                   "number of pads and twice that of axes"))
    return;
  for (int k = 0; k < x->rank; k++) dim[k] = pad_names(n, k) ? NULL : x->dim[k];
  infer_by_sizes(n, 0, x->dtype, x->rank, NULL, dim);
}

static void sizes_pad(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  Value *axes = node_in(n, 3);
  lower_call(l, n, "size_pad", DT_I64, "iikdkDS", n->in[1], axes,
             (int64_t)dtype_info(axes ? axes->dtype : DT_I64)->size,
             pad_count(n), (int64_t)x->rank, x->dim, x->rank);
}

static bool pad_plan(Node *n, PadPlan *s)
{
  const Dim *const *v;
  int axis[MAX_RANK], naxis, count;
  for (int i = 0; i < n->in[0]->rank; i++)
    s->begin[i] = s->end[i] = dim_int(node_dims(n), 0);
  s->mode = pad_mode(n);
  if (s->mode < 0 || !pad_axes(n, axis, &naxis)) return false;
  v = infer_content(n, 1, &count);
  if (count != 2 * naxis) {
    fail_model(n, "pads has %d numbers for %d axes (spec: two for each)", count,
               naxis);
    return false;
  }
  for (int i = 0; i < naxis; i++) {
    s->begin[axis[i]] = v[i];
    s->end[axis[i]] = v[naxis + i];
  }
  return true;
}

/* Repeating modes need something to repeat, and nothing crops below zero. */
static bool pad_size_ok(Node *n, const PadPlan *s, int axis, const Dim *size)
{
  int64_t d, y;
  if (!dim_is_int(size, &y) || !dim_is_int(n->in[0]->dim[axis], &d))
    return true;
  if (y < 0 || (s->mode > 0 && d == 0 && y > 0)) {
    fail_model(n, "axis %d of size %lld can't be padded to %lld", axis,
               (long long)d, (long long)y);
    return false;
  }
  return true;
}

static void infer_pad(Node *n)
{
  const Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  const Dim *dim[MAX_RANK];
  PadPlan s;
  if (!infer_ready(n)) return;
  if (attr_get(n, ".value")) {
    node_set_input(n, 2, value_const_scalar(n->g, "value", x->dtype,
                                     (double)attr_float(n, ".value", 0)));
    attr_remove(n, ".value");
  }
  if (pad_by_data(n)) {
    infer_pad_by_data(n);
    return;
  }
  if (!pad_plan(n, &s)) return;
  for (int i = 0; i < x->rank; i++) {
    dim[i] = dim_add(p, x->dim[i], dim_add(p, s.begin[i], s.end[i]));
    if (!pad_size_ok(n, &s, i, dim[i])) return;
  }
  infer_out(n, 0, x->dtype, x->rank, dim);
}

static void lower_pad(Lower *l, Node *n)
{
  Value *x = n->in[0], *axes = node_in(n, 3);
  PadPlan s;
  if (pad_by_data(n)) {
    lower_call(l, n, "pad_data", dtype_carrier(x->dtype), "iiiiokdkkDD", x,
               node_in(n, 2), n->in[1], axes, n->out[0],
               (int64_t)dtype_info(axes ? axes->dtype : DT_I64)->size,
               pad_count(n), (int64_t)pad_mode(n), (int64_t)x->rank, x->dim,
               x->rank, n->out[0]->dim, x->rank);
    return;
  }
  if (!pad_plan(n, &s)) return;
  lower_call(l, n, "pad", dtype_carrier(x->dtype), "iiokkDDD", x,
             s.mode == 0 ? node_in(n, 2) : NULL, n->out[0], (int64_t)x->rank,
             (int64_t)s.mode, x->dim, x->rank, s.begin, x->rank, s.end,
             x->rank);
}

/* Elements before axis `axis` as input 1 gives them; NULL: not known. */
static const Dim *pad_begin(const Node *n, int axis)
{
  int count = 0, naxis = 0;
  const Dim *const *v = value_content(node_in(n, 1), &count), *const *axes;
  int64_t a;
  if (!v) return NULL;
  if (!node_in(n, 3)) return axis < count ? v[axis] : NULL;
  axes = value_content(node_in(n, 3), &naxis);
  if (!axes || count != 2 * naxis) return NULL;
  for (int i = 0; i < naxis; i++)
    if (dim_is_int(axes[i], &a) &&
        (a == axis || a + n->in[0]->rank == axis))
      return v[i];
  return dim_int(node_dims(n), 0);
}

/* Equal sizes may also be a shift: begin and end of opposite signs. */
static int axis_pad(const Node *n, int in, int axis, int out)
{
  const Value *x = n->in[0], *y = node_out(n, 0);
  const Dim *begin;
  (void)out;
  if (in != 0 || !y || y->rank != x->rank) return AXIS_MIXES;
  begin = pad_begin(n, axis);
  return begin && dim_is(begin, 0) && x->dim[axis] == y->dim[axis] ? axis
                                                                   : AXIS_MIXES;
}

static bool permute_pad(Node *n, const int *perm, int rank)
{
  const Dim *const *v;
  int count = 0;
  v = infer_content(n, 1, &count);
  return v && permute_axes(n, 3, count / 2, perm, rank);
}

static const OpRow slice_rows[] = {
  {1, "data:T -> output:T", "T=all", "axes:I ends:I starts:I", upgrade_slice_1},
  {10, "data:T starts:I ends:I axes:I? steps:I? -> output:T",
   "T=all; I=i32 i64", "", NULL},
  {11, NULL, NULL, NULL, NULL},
  {13, NULL, "T=all13; I=i32 i64", NULL, NULL},
};
static const OpRow pad_rows[] = {
  {1, "data:T -> output:T", "T=float", "mode:s paddings:I value:f",
   upgrade_pad_1},
  {2, NULL, NULL, "mode:s pads:I value:f", upgrade_pad_2},
  {11, "data:T pads:I constant_value:T? -> output:T", "T=num; I=i64", "mode:s",
   NULL},
  {13, NULL, "T=all13; I=i64", NULL, NULL},
  /* ONNX Pad-18: "If not provided, all axes are assumed" */
  {18, "data:T pads:I constant_value:T? axes:J? -> output:T",
   "T=all13; I=i64; J=i32 i64", NULL, NULL},
  {19, NULL, NULL, NULL, NULL},
  {21, NULL, "T=all21; I=i64; J=i32 i64", NULL, NULL},
  {23, NULL, "T=all23; I=i64; J=i32 i64", NULL, NULL},
  {24, NULL, "T=all24; I=i64; J=i32 i64", NULL, NULL},
  {25, NULL, "T=all25; I=i64; J=i32 i64", NULL, NULL},
};

static const OpDef defs[] = {
  {.name = "Slice", .rows = slice_rows, .nrow = COUNT(slice_rows),
   .infer = infer_slice, .lower = lower_slice, .sizes = sizes_slice,
   .axis = axis_slice,
   .permute = permute_slice, .flags = OP_MOVES},
  {.name = "Pad", .rows = pad_rows, .nrow = COUNT(pad_rows),
   .infer = infer_pad, .lower = lower_pad, .sizes = sizes_pad,
   .axis = axis_pad,
   .permute = permute_pad, .flags = OP_MOVES},
};
OPS_DEFINE(slice, defs)
