/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that keep the bytes and change the shape: Reshape, Flatten,
 * Squeeze, Unsqueeze, Identity, Dropout. Code generation aliases them where it
 * can (OP_VIEW); their kernel is a plain copy. */
#include <string.h>
#include "../control.h"

/* An attribute of an old version becomes input `at`. */
static void attr_to_input(Node *n, const char *name, int at)
{
  int count = 0;
  const int64_t *v = attr_ints(n, name, &count);
  if (v)
    node_set_input(n, at, value_const_ints(n->g, name, v, count));
  attr_remove(n, name);
}

static void upgrade_reshape(Node *n)
{
  if (!attr_get(n, "shape"))
    fail_model(n, "attribute shape is missing (spec: the shape of the output)");
  attr_to_input(n, "shape", 1);
  attr_remove(n, "consumed_inputs");
}

static void upgrade_axes(Node *n) { attr_to_input(n, "axes", 1); }

static void upgrade_unsqueeze(Node *n)
{
  if (!attr_get(n, "axes"))
    fail_model(n, "attribute axes is missing (spec: the axes to insert)");
  upgrade_axes(n);
}

static void lower_copy(Lower *l, Node *n)
{
  const Dim *one = dim_int(node_dims(n), 1);
  Block b = {.rank = 1, .xs = {one}, .ys = {one}};
  b.dim[0] = value_numel(n->out[0]);
  lower_block(l, n, n->in[0], n->out[0], &b);
}

/* Input 1, where only the run shows what it is. */
static Value *run_time_input(const Node *n)
{
  int count;
  Value *v = node_in(n, 1);
  return v && !value_content(v, &count) ? v : NULL;
}

static void sizes_reshape(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  lower_call(l, n, "size_reshape", DT_I64, "idkkDS", n->in[1],
             value_numel(n->in[1]), attr_int(n, "allowzero", 0),
             (int64_t)x->rank, x->dim, x->rank);
}

static void lower_reshape(Lower *l, Node *n)
{
  const Value *x = n->in[0], *y = n->out[0];
  Value *shape = run_time_input(n);
  if (shape && !n->size)
    lower_call(l, n, "check_reshape", DT_I64, "ikkkDD", shape, (int64_t)y->rank,
               attr_int(n, "allowzero", 0), (int64_t)x->rank, x->dim, x->rank,
               y->dim, y->rank);
  if (attr_int(n, ".count", 0) && !n->size)
    lower_call(l, n, "check_count", DT_I64, "dd", value_numel(x),
               value_numel(y));
  lower_copy(l, n);
}

static void sizes_axes(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  lower_call(l, n, "size_axes", DT_I64, "idkkDS", n->in[1],
             value_numel(n->in[1]), (int64_t)x->rank,
             (int64_t)node_is(n, "Unsqueeze"), x->dim, x->rank);
}

/* Squeeze and Unsqueeze. */
static void lower_axes(Lower *l, Node *n)
{
  const Value *x = n->in[0], *y = n->out[0];
  const Value *wide = x->rank > y->rank ? x : y, *narrow = wide == x ? y : x;
  Value *axes = run_time_input(n);
  if (axes && !n->size)
    lower_call(l, n, "check_axes", DT_I64, "idkDD", axes, value_numel(axes),
               (int64_t)wide->rank, wide->dim, wide->rank, narrow->dim,
               narrow->rank);
  lower_copy(l, n);
}

/* Output axis that begins where axis `axis` of the input does, and of which
 * one is a multiple of the other: the common factor stays outermost. */
static int axis_view(const Node *n, int in, int axis, int out)
{
  const Value *x = node_in(n, 0), *y = node_out(n, 0);
  DimPool *p = node_dims(n);
  const Dim *before = dim_int(p, 1), *passed = before, *d;
  if (in != 0 || out != 0 || !x || !y || x->rank < 0 || y->rank < 0)
    return AXIS_MIXES;
  d = x->dim[axis];
  for (int i = 0; i < axis; i++) before = dim_mul(p, before, x->dim[i]);
  for (int i = 0; i < y->rank; i++) {
    bool one = dim_is(y->dim[i], 1) && !dim_is(d, 1);
    if (passed == before && !one &&
        (dim_div_exact(p, y->dim[i], d) || dim_div_exact(p, d, y->dim[i])))
      return i;
    passed = dim_mul(p, passed, y->dim[i]);
  }
  return AXIS_MIXES;
}

/* ONNX Reshape-14: 0 copies the input's dimension unless allowzero. */
static const Dim *copied_dim(Node *n, const Value *x, int i)
{
  if (attr_int(n, "allowzero", 0)) return dim_int(node_dims(n), 0);
  if (i < x->rank) return x->dim[i];
  fail_model(n, "shape[%d] is 0, and the input has rank %d (spec: 0 copies a "
                "dimension of the input)", i, x->rank);
  return NULL;
}

/* Fills `dim`; returns the place of -1, count where there is none, or -2. */
static int read_shape(Node *n, const Dim *const *s, int count, const Dim **dim)
{
  int hole = count;
  for (int i = 0; i < count; i++) {
    int64_t v = 1;
    dim[i] = s[i];
    if (!dim_is_int(s[i], &v)) continue;
    if (v == 0 && !(dim[i] = copied_dim(n, n->in[0], i))) return -2;
    if (v == -1 && hole < count) {
      fail_model(n, "shape has -1 twice (spec: at most once)");
      return -2;
    }
    if (v == -1) hole = i;
    if (v < -1) {
      fail_model(n, "shape[%d] is %lld (spec: at least -1)", i, (long long)v);
      return -2;
    }
  }
  return hole;
}

/* The dimension that -1 stands for. */
static const Dim *missing_dim(Node *n, const Dim *total, const Dim *rest)
{
  DimPool *p = node_dims(n);
  const Dim *d;
  int64_t t, r;
  if (dim_is(rest, 0)) {
    fail_model(n, "shape has -1 beside a zero dimension: its size is open "
                  "(spec: it is inferred from the rest)");
    return NULL;
  }
  d = dim_div_exact(p, total, rest);
  if (d) return d;
  if (dim_is_int(total, &t) && dim_is_int(rest, &r)) {
    fail_model(n, "%s elements don't fit the shape: the other dimensions make "
                  "%s", dim_text(p, total), dim_text(p, rest));
    return NULL;
  }
  return dim_div(p, total, rest);
}

/* Sizes that the run tells must fit: one that can be is taken to be what it
 * must equal, else the node compares (`.count`). */
static bool same_count(Node *n, const Dim *total, const Dim *made, bool hole)
{
  DimPool *p = node_dims(n);
  int64_t t, m;
  bool open = total != made && (!dim_is_int(total, &t) ||
                                !dim_is_int(made, &m));
  if (open && hole) open = dim_has_capacity(p, total);
  else if (open) open = !dims_unify(p, total, made, true);
  if (open || attr_get(n, ".count")) attr_set_int(n, ".count", open);
  if (hole || !dim_is_int(total, &t) || !dim_is_int(made, &m) || t == m)
    return true;
  fail_model(n, "the input has %lld elements, the shape %lld (spec: equal)",
             (long long)t, (long long)m);
  return false;
}

/* The shape, or the axes, are known at run time only; rank of the output. */
static void infer_by_data(Node *n, const Dim *rank)
{
  const Value *x = n->in[0], *y = node_out(n, 0);
  const Dim *bound[MAX_RANK], *dim[MAX_RANK] = {0};
  int64_t r;
  if (!dim_is_int(rank, &r) || r < 0 || r > MAX_RANK) {
    fail_unsupported(n, "the rank of the output depends on the data; give "
                     "input 1 a constant number of elements, at most %d",
                     MAX_RANK);
    return;
  }
  for (int i = 0; i < r; i++) bound[i] = value_numel(x);
  if (!infer_by_sizes(n, 0, x->dtype, (int)r, bound, dim)) return;
  if (n->size) dims_joint(node_dims(n), n->size, n->nsize, value_numel(x));
  else
    infer_equal(n, value_numel(x), value_numel(y), "elements of input and "
                "output");
}

static void infer_reshape(Node *n)
{
  const Dim *dim[MAX_RANK], *made, *total;
  const Dim *const *s;
  DimPool *p = node_dims(n);
  int count, hole;
  if (!infer_ready(n)) return;
  s = infer_content(n, 1, &count);
  if (!s) {
    infer_by_data(n, value_numel(n->in[1]));
    return;
  }
  if (count > MAX_RANK) {
    fail_unsupported(n, "rank %d (onnx2c: at most %d)", count, MAX_RANK);
    return;
  }
  hole = read_shape(n, s, count, dim);
  if (hole == -2) return;
  total = value_numel(n->in[0]);
  if (hole < count) dim[hole] = dim_int(p, 1);
  made = dim_prod(p, dim, count);
  if (hole < count && !(dim[hole] = missing_dim(n, total, made))) return;
  if (hole < count) made = dim_prod(p, dim, count);
  if (same_count(n, total, made, hole < count))
    infer_out(n, 0, n->in[0]->dtype, count, dim);
}

static void infer_flatten(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[2];
  int64_t axis = attr_int(n, "axis", 1);
  if (!infer_ready(n)) return;
  if (axis < 0) axis += x->rank;
  if (axis < 0 || axis > x->rank) {
    fail_model(n, "axis is %lld (spec: -%d to %d for rank %d)",
               (long long)attr_int(n, "axis", 1), x->rank, x->rank, x->rank);
    return;
  }
  dim[0] = dim_prod(node_dims(n), x->dim, (int)axis);
  dim[1] = dim_prod(node_dims(n), x->dim + axis, x->rank - (int)axis);
  infer_out(n, 0, x->dtype, 2, dim);
}

/* Marks the axes that input 1 lists, of `rank`. */
static bool listed_axes(Node *n, int rank, bool *mark)
{
  const int64_t *v;
  int count;
  memset(mark, 0, (size_t)rank * sizeof *mark);
  infer_const_ints(n, 1, &v, &count);
  for (int i = 0; i < count; i++) {
    int axis = axis_norm(n, v[i], rank);
    if (axis < 0) return false;
    if (mark[axis]) {
      fail_model(n, "axis %d stands twice in axes (spec: once)", axis);
      return false;
    }
    mark[axis] = true;
  }
  return true;
}

static void infer_squeeze(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK];
  bool drop[MAX_RANK];
  int64_t v;
  int rank = 0;
  if (!infer_ready(n)) return;
  if (node_in(n, 1) && !n->in[1]->data) {
    infer_by_data(n, dim_sub(node_dims(n), dim_int(node_dims(n), x->rank),
                             value_numel(n->in[1])));
    return;
  }
  if (!node_in(n, 1))
    for (int i = 0; i < x->rank; i++) drop[i] = dim_is(x->dim[i], 1);
  else if (!listed_axes(n, x->rank, drop))
    return;
  for (int i = 0; i < x->rank; i++) {
    if (drop[i] && dim_is_int(x->dim[i], &v) && v != 1) {
      fail_model(n, "axis %d has size %lld (spec: 1)", i, (long long)v);
      return;
    }
    if (!drop[i]) dim[rank++] = x->dim[i];
  }
  infer_out(n, 0, x->dtype, rank, dim);
}

static void infer_unsqueeze(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK];
  bool added[MAX_RANK];
  const int64_t *v;
  int count, rank, from = 0;
  if (!infer_ready(n)) return;
  if (!infer_const_ints(n, 1, &v, &count)) {
    infer_by_data(n, dim_add(node_dims(n), dim_int(node_dims(n), x->rank),
                             value_numel(n->in[1])));
    return;
  }
  rank = count > MAX_RANK ? count : x->rank + count;
  if (rank > MAX_RANK) {
    fail_unsupported(n, "rank %d (onnx2c: at most %d)", rank, MAX_RANK);
    return;
  }
  if (!listed_axes(n, rank, added)) return;
  for (int i = 0; i < rank; i++)
    dim[i] = added[i] ? dim_int(node_dims(n), 1) : x->dim[from++];
  infer_out(n, 0, x->dtype, rank, dim);
}

static void infer_identity(Node *n)
{
  const Value *x = node_in(n, 0);
  Value *y = node_out(n, 0);
  if (x && x->kind != VK_TENSOR && !x->bad) {
    if (!y) return;
    Arena *a = &n->g->m->arena;
    const char *type = type_text(a, x->declared);
    if (y->declared && strcmp(type_text(a, y->declared), type)) {
      fail_model(n, "output %s is declared as %s, but the operator gives %s; "
                 "correct the model", quote(a, y->name),
                 type_text(a, y->declared), type);
      return;
    }
    y->kind = x->kind;
    y->declared = x->declared;
    value_set_shape(y, 0, NULL); /* it has none */
  } else if (infer_ready(n)) {
    infer_same(n, 0, 0);
  }
}

/* Dropout: in inference the identity, and a mask of ones, which before
 * version 10 has the type of the data (`.data_mask`). */
static void upgrade_dropout_1(Node *n) { attr_remove(n, "consumed_inputs"); }

/* ONNX Dropout-6 has is_test 0 by default, and exporters leave it so: what is
 * compiled is inference all the same. */
static void upgrade_dropout_6(Node *n) { attr_remove(n, "is_test"); }

static void upgrade_dropout_7(Node *n) { attr_set_int(n, ".data_mask", 1); }

static void upgrade_dropout_10(Node *n) { attr_remove(n, "ratio"); }

/* ONNX Dropout-12: elements are dropped if training_mode says so, and ratio is
 * not 0; both may be known at run time only. */
static bool dropout_drops(const Node *n)
{
  const Value *ratio = node_in(n, 1), *train = node_in(n, 2);
  return train && !(train->data && !tensor_i64(train->data, 0)) &&
         !(ratio && ratio->data && tensor_f64(ratio->data, 0) == 0);
}

static bool dropout_scalars(Node *n)
{
  for (int i = 1; i <= 2; i++)
    if (node_in(n, i) && !dim_is(value_numel(n->in[i]), 1)) {
      fail_model(n, "input %d is no scalar (spec: scalar)", i);
      return false;
    }
  return true;
}

static void infer_dropout(Node *n)
{
  const Value *x = node_in(n, 0);
  bool old = attr_int(n, ".data_mask", 0);
  if (!infer_ready(n) || !dropout_scalars(n)) return;
  infer_same(n, 0, 0);
  if (dropout_drops(n)) (void)random_copy(n);
  if (node_out(n, 1))
    infer_out(n, 1, old ? x->dtype : DT_BOOL, x->rank, x->dim);
}

/* The bits of 1 in the types that a mask may have. */
static int64_t bits_of_one(Dtype t)
{
  switch (t) {
  case DT_F16: return 0x3c00;
  case DT_F32: return 0x3f800000;
  case DT_F64: return INT64_C(0x3ff0000000000000);
  default: return 1;
  }
}

/* In inference, where no mask is asked for: an Identity. */
static void expand_dropout(Node *n)
{
  Value *mask = node_out(n, 1);
  if (dropout_drops(n) || (mask && (mask->nuse || mask->is_output)) ||
      !node_out(n, 0))
    return;
  value_replace(n->out[0], node_op(n, "Identity", 1, n->in[0]));
  node_remove(n);
}

/* Without a seed attribute draws start from seed 0: runs can be repeated. The
 * copies of a node that a loop becomes, and its trips, are seeded apart. */
static void lower_drops(Lower *l, Node *n)
{
  Value *x = n->in[0], *ratio = node_in(n, 1);
  Dtype real = real_of(x->dtype);
  Value *state = lower_scratch(l, n, DT_U32, dim_int(node_dims(n), 624));
  Value *y = node_out(n, 0) ? node_out(n, 0)
                            : lower_scratch(l, n, x->dtype, value_numel(x));
  lower_call(l, n, "dropout", x->dtype, "iiiooodki", x,
             ratio ? lower_real(l, n, ratio, real) : NULL, node_in(n, 2), y,
             node_out(n, 1), state, value_numel(x),
             attr_int(n, "seed", 0) + attr_int(n, ".copy", 0) * 0x9e3779b9,
             attr_get(n, ".trip") ? node_in(n, 3) : NULL);
}

static void lower_dropout(Lower *l, Node *n)
{
  Value *mask = node_out(n, 1);
  if (dropout_drops(n)) {
    lower_drops(l, n);
    return;
  }
  if (node_out(n, 0)) lower_copy(l, n);
  if (mask)
    lower_call(l, n, "fill", dtype_carrier(mask->dtype), "odk", mask,
               value_numel(mask), bits_of_one(mask->dtype));
}

static int axis_dropout(const Node *n, int in, int axis, int out)
{
  (void)out; /* draws are numbered through the whole tensor */
  return in == 0 && !dropout_drops(n) ? axis : AXIS_MIXES;
}

static const OpRow reshape_rows[] = {
  {1, "data:T -> reshaped:T", "T=float", "shape:I consumed_inputs:I",
   upgrade_reshape},
  {5, "data:T shape:I -> reshaped:T", "T=all; I=i64", "", NULL},
  {13, NULL, "T=all13; I=i64", NULL, NULL},
  /* ONNX Reshape-14: "By default, when any value in the 'shape' input is
   * equal to zero the corresponding dimension value is copied" */
  {14, NULL, NULL, "allowzero:i", NULL},
  {19, NULL, "T=all19; I=i64", NULL, NULL},
  {21, NULL, "T=all21; I=i64", NULL, NULL},
  {23, NULL, "T=all23; I=i64", NULL, NULL},
  {24, NULL, "T=all24; I=i64", NULL, NULL},
  {25, NULL, "T=all25; I=i64", NULL, NULL},
};
static const OpRow flatten_rows[] = {
  {1, "input:T -> output:T", "T=float", "axis:i", NULL},
  {9, NULL, "T=all", NULL, NULL},     {11, NULL, "T=all", NULL, NULL},
  {13, NULL, "T=all13", NULL, NULL},  {21, NULL, "T=all21", NULL, NULL},
  {23, NULL, "T=all23", NULL, NULL},  {24, NULL, "T=all24", NULL, NULL},
  {25, NULL, "T=all25", NULL, NULL},
};
static const OpRow squeeze_rows[] = {
  {1, "data:T -> squeezed:T", "T=all", "axes:I", NULL},
  {11, NULL, NULL, NULL, upgrade_axes},
  {13, "data:T axes:I? -> squeezed:T", "T=all13; I=i64", "", NULL},
  {21, NULL, "T=all21; I=i64", NULL, NULL},
  {23, NULL, "T=all23; I=i64", NULL, NULL},
  {24, NULL, "T=all24; I=i64", NULL, NULL},
  {25, NULL, "T=all25; I=i64", NULL, NULL},
};
static const OpRow unsqueeze_rows[] = {
  {1, "data:T -> expanded:T", "T=all", "axes:I", NULL},
  {11, NULL, NULL, NULL, upgrade_unsqueeze},
  {13, "data:T axes:I -> expanded:T", "T=all13; I=i64", "", NULL},
  {21, NULL, "T=all21; I=i64", NULL, NULL},
  {23, NULL, "T=all23; I=i64", NULL, NULL},
  {24, NULL, "T=all24; I=i64", NULL, NULL},
  {25, NULL, "T=all25; I=i64", NULL, NULL},
};
static const OpRow identity_rows[] = {
  {1, "input:T -> output:T", "T=all", "", NULL},
  {13, NULL, "T=all13", NULL, NULL},
  {14, "input:* -> output:*", NULL, NULL, NULL},
  {16, NULL, NULL, NULL, NULL}, {19, NULL, NULL, NULL, NULL},
  {21, NULL, NULL, NULL, NULL}, {23, NULL, NULL, NULL, NULL},
  {24, NULL, NULL, NULL, NULL}, {25, NULL, NULL, NULL, NULL},
};
static const OpRow dropout_rows[] = {
  {1, "data:T -> output:T mask:T?", "T=float",
   "consumed_inputs:I is_test:i ratio:f", upgrade_dropout_1},
  {6, NULL, NULL, "is_test:i ratio:f", upgrade_dropout_6},
  {7, NULL, NULL, "ratio:f", upgrade_dropout_7},
  {10, "data:T -> output:T mask:B?", "T=float; B=bool", "ratio:f",
   upgrade_dropout_10},
  {12, "data:T ratio:R? training_mode:B? -> output:T mask:B?",
   "T=float; R=float; B=bool", "seed:i", NULL},
  {13, NULL, "T=float bf16; R=float; B=bool", NULL, NULL},
  {22, NULL, "T=float bf16 f8; R=float bf16 f8; B=bool", NULL, NULL},
};

static const OpDef defs[] = {
  {.name = "Reshape", .rows = reshape_rows, .nrow = COUNT(reshape_rows),
   .infer = infer_reshape, .lower = lower_reshape, .axis = axis_view,
   .sizes = sizes_reshape, .flags = OP_MOVES | OP_VIEW},
  {.name = "Flatten", .rows = flatten_rows, .nrow = COUNT(flatten_rows),
   .infer = infer_flatten, .lower = lower_copy, .axis = axis_view,
   .flags = OP_MOVES | OP_VIEW},
  {.name = "Squeeze", .rows = squeeze_rows, .nrow = COUNT(squeeze_rows),
   .infer = infer_squeeze, .lower = lower_axes, .axis = axis_view,
   .sizes = sizes_axes, .flags = OP_MOVES | OP_VIEW},
  {.name = "Unsqueeze", .rows = unsqueeze_rows, .nrow = COUNT(unsqueeze_rows),
   .infer = infer_unsqueeze, .lower = lower_axes, .axis = axis_view,
   .sizes = sizes_axes, .flags = OP_MOVES | OP_VIEW},
  {.name = "Identity", .rows = identity_rows, .nrow = COUNT(identity_rows),
   .infer = infer_identity, .lower = lower_copy, .axis = axis_dropout,
   .flags = OP_MOVES | OP_VIEW},
  {.name = "Dropout", .rows = dropout_rows, .nrow = COUNT(dropout_rows),
   .infer = infer_dropout, .lower = lower_dropout, .expand = expand_dropout,
   .axis = axis_dropout},
};
OPS_DEFINE(reshape, defs)
