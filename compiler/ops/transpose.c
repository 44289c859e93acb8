/* SPDX-License-Identifier: Apache-2.0 */
/* Transpose, Expand, Tile: one strided copy each. */
#include "../ir.h"

/* Output axis i is input axis perm[i]; false after a diagnostic. */
static bool transpose_perm(Node *n, int rank, int *perm)
{
  int count = 0;
  const int64_t *v = attr_ints(n, "perm", &count);
  unsigned seen = 0;
  for (int i = 0; i < rank; i++) perm[i] = rank - 1 - i;
  if (!v) return true;
  if (count != rank) {
    fail_model(n, "perm has %d numbers, the input rank %d (spec: equal)", count,
               rank);
    return false;
  }
  for (int i = 0; i < rank; i++) {
    perm[i] = axis_norm(n, v[i], rank);
    if (perm[i] < 0) return false;
    if (seen & 1u << perm[i]) {
      fail_model(n, "perm names axis %d twice (spec: a permutation)", perm[i]);
      return false;
    }
    seen |= 1u << perm[i];
  }
  return true;
}

static void infer_transpose(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK];
  int perm[MAX_RANK];
  if (!infer_ready(n) || !transpose_perm(n, x->rank, perm)) return;
  for (int i = 0; i < x->rank; i++) dim[i] = x->dim[perm[i]];
  infer_out(n, 0, x->dtype, x->rank, dim);
}

static void lower_transpose(Lower *l, Node *n)
{
  const Value *x = n->in[0], *y = n->out[0];
  const Dim *xs[MAX_RANK];
  int perm[MAX_RANK];
  Block b = {.rank = x->rank};
  if (!transpose_perm(n, x->rank, perm)) return;
  value_strides(x, xs);
  value_strides(y, b.ys);
  for (int i = 0; i < x->rank; i++) {
    b.dim[i] = y->dim[i];
    b.xs[i] = xs[perm[i]];
  }
  lower_block(l, n, n->in[0], n->out[0], &b);
}

static int axis_transpose(const Node *n, int in, int axis, int out)
{
  int count = 0, rank = n->in[0]->rank;
  const int64_t *v = attr_ints(n, "perm", &count);
  (void)in, (void)out;
  if (!v) return rank - 1 - axis;
  for (int i = 0; i < count; i++)
    if (v[i] == axis || v[i] + rank == axis) return i;
  return AXIS_MIXES;
}

/* Expand: numpy's broadcasting, both ways. */
static const Dim *expanded(Node *n, const Dim *a, const Dim *b, int axis)
{
  int64_t x, y;
  if (a == b || dim_is(b, 1)) return a;
  if (dim_is(a, 1)) return b;
  if (!dim_is_int(a, &x) || !dim_is_int(b, &y))
    return dim_max(node_dims(n), a, b);
  fail_model(n, "axis %d: %lld can't be expanded to %lld (spec: equal, or one "
                "of them 1)", axis, (long long)x, (long long)y);
  return NULL;
}

/* The shape is known at run time only. An axis of x that is not 1 stays. */
static void infer_expand_by_data(Node *n)
{
  const Value *x = n->in[0];
  const Dim *dim[MAX_RANK] = {0};
  int64_t count;
  int rank;
  if (!dim_is_int(value_numel(n->in[1]), &count) || count > MAX_RANK) {
    fail_unsupported(n, "the rank of the output depends on the data; give the "
                     "shape a constant number of elements, at most %d",
                     MAX_RANK);
    return;
  }
  rank = count > x->rank ? (int)count : x->rank;
  for (int i = 0; i < x->rank; i++)
    if (!dim_is(x->dim[i], 1)) dim[rank - x->rank + i] = x->dim[i];
  infer_by_sizes(n, 0, x->dtype, rank, NULL, dim);
}

static void sizes_expand(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  lower_call(l, n, "size_expand", DT_I64, "idkDS", n->in[1],
             value_numel(n->in[1]), (int64_t)x->rank, x->dim, x->rank);
}

static void infer_expand(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK];
  const Dim *const *s;
  int64_t v;
  int count, rank;
  if (!infer_ready(n)) return;
  s = infer_content(n, 1, &count);
  if (!s) {
    infer_expand_by_data(n);
    return;
  }
  rank = count > x->rank ? count : x->rank;
  if (rank > MAX_RANK) {
    fail_unsupported(n, "rank %d (onnx2c: at most %d)", rank, MAX_RANK);
    return;
  }
  for (int i = 0; i < rank; i++) {
    int a = i - (rank - x->rank), b = i - (rank - count);
    if (b >= 0 && dim_is_int(s[b], &v) && v < 0) {
      fail_model(n, "shape[%d] is %lld (spec: not negative)", b, (long long)v);
      return;
    }
    dim[i] = a < 0 ? s[b] : b < 0 ? x->dim[a] : expanded(n, x->dim[a], s[b], i);
    if (!dim[i]) return;
  }
  infer_out(n, 0, x->dtype, rank, dim);
}

static void lower_expand(Lower *l, Node *n)
{
  const Value *x = n->in[0], *y = n->out[0];
  DimPool *p = node_dims(n);
  const Dim *xs[MAX_RANK], *one = dim_int(p, 1);
  Value *shape = n->in[1];
  int lead = y->rank - x->rank, count;
  Block b = {.rank = y->rank};
  if (!value_content(shape, &count) && !n->size)
    lower_call(l, n, "check_expand", DT_I64, "idkkDD", shape,
               value_numel(shape), (int64_t)x->rank, (int64_t)y->rank, x->dim,
               x->rank, y->dim, y->rank);
  value_strides(x, xs);
  value_strides(y, b.ys);
  for (int i = 0; i < y->rank; i++) {
    const Dim *d = i < lead ? one : x->dim[i - lead];
    b.dim[i] = y->dim[i];
    b.xs[i] = i < lead ? dim_int(p, 0) : xs[i - lead];
    /* A size of 1 is repeated, and may show only at run time. */
    if (d != y->dim[i])
      b.xs[i] = dim_mul(p, b.xs[i], dim_min(p, dim_sub(p, d, one), one));
  }
  lower_block(l, n, n->in[0], n->out[0], &b);
}

static int axis_expand(const Node *n, int in, int axis, int out)
{
  const Value *x = n->in[0], *y = node_out(n, 0);
  int to = y ? axis + y->rank - x->rank : -1;
  (void)out;
  return in == 0 && to >= 0 && x->dim[axis] == y->dim[to] ? to : AXIS_MIXES;
}

/* [x], as int64. */
static Value *as_index(Node *n, Value *x)
{
  int64_t one = 1;
  Value *like = value_const_scalar(n->g, "int64", DT_I64, 0);
  Value *shape = value_const_ints(n->g, "one", &one, 1);
  return node_op(n, "Reshape", 2, node_op(n, "CastLike", 2, x, like), shape);
}

/* ONNX Tile-1: a number of tiles along one axis. Known at run time only, they
 * become a list of ones with that number at its place. */
static void upgrade_tile_1(Node *n)
{
  Value *x = node_in(n, 0), *tiles = node_in(n, 1), *axis = node_in(n, 2);
  if (!tiles || !axis || !tiles->dtype || !axis->dtype || x->rank < 0) return;
  if (!dim_is(value_numel(tiles), 1) || !dim_is(value_numel(axis), 1)) {
    fail_model(n, "tiles has shape %s, axis %s (spec: one element)",
               value_shape_text(tiles), value_shape_text(axis));
    return;
  }
  if (!tiles->data || !axis->data) {
    int64_t one[MAX_RANK];
    for (int i = 0; i < MAX_RANK; i++) one[i] = 1;
    Value *ones = value_const_ints(n->g, "ones", one, x->rank);
    Value *repeats = node_op(n, "ScatterElements", 3, ones, as_index(n, axis),
                             as_index(n, tiles));
    node_set_input(n, 1, repeats);
    node_drop_inputs(n, 2);
    return;
  }
  attr_set_int(n, ".tiles", tensor_i64(tiles->data, 0));
  attr_set_int(n, ".axis", tensor_i64(axis->data, 0));
  node_drop_inputs(n, 1);
}

/* Known at run time only. */
static bool repeats_by_data(Node *n, const Dim **rep)
{
  int64_t count;
  if (dim_is_int(value_numel(n->in[1]), &count) && count != n->in[0]->rank) {
    fail_model(n, "repeats has %lld numbers, the input rank %d (spec: equal)",
               (long long)count, n->in[0]->rank);
    return false;
  }
  for (int i = 0; i < n->in[0]->rank; i++) rep[i] = NULL;
  return infer_sizes(n, n->in[0]->rank, NULL, rep);
}

static void sizes_tile(Lower *l, Node *n)
{
  lower_call(l, n, "size_list", DT_I64, "idS", n->in[1],
             dim_int(node_dims(n), n->in[0]->rank));
}

/* How often each axis is repeated. */
static bool tile_repeats(Node *n, const Dim **rep)
{
  const Value *x = n->in[0];
  const Dim *const *v;
  int64_t c;
  int count, axis;
  for (int i = 0; i < x->rank; i++) rep[i] = dim_int(node_dims(n), 1);
  if (attr_get(n, ".tiles")) {
    axis = axis_norm(n, attr_int(n, ".axis", 0), x->rank);
    if (axis >= 0) rep[axis] = dim_int(node_dims(n), attr_int(n, ".tiles", 1));
    return axis >= 0;
  }
  v = infer_content(n, 1, &count);
  if (!v) return repeats_by_data(n, rep);
  if (count != x->rank) {
    fail_model(n, "repeats has %d numbers, the input rank %d (spec: equal)",
               count, x->rank);
    return false;
  }
  for (int i = 0; i < count; i++) {
    rep[i] = v[i];
    if (!dim_is_int(v[i], &c) || c >= 0) continue;
    fail_model(n, "repeats[%d] is %lld (spec: not negative)", i, (long long)c);
    return false;
  }
  return true;
}

static void infer_tile(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *rep[MAX_RANK], *dim[MAX_RANK];
  if (!infer_ready(n) || !tile_repeats(n, rep)) return;
  for (int i = 0; i < x->rank; i++)
    dim[i] = dim_mul(node_dims(n), x->dim[i], rep[i]);
  infer_out(n, 0, x->dtype, x->rank, dim);
}

/* Axis i of the output is two: the repetition, and the input's axis. */
static void lower_tile(Lower *l, Node *n)
{
  const Value *x = n->in[0], *y = n->out[0];
  DimPool *p = node_dims(n);
  const Dim *rep[MAX_RANK], *xs[MAX_RANK], *ys[MAX_RANK];
  Block b = {.rank = 2 * x->rank};
  if (!tile_repeats(n, rep)) return;
  value_strides(x, xs);
  value_strides(y, ys);
  for (int i = 0; i < x->rank; i++) {
    b.dim[2 * i] = rep[i];
    b.xs[2 * i] = dim_int(p, 0);
    b.ys[2 * i] = dim_mul(p, ys[i], x->dim[i]);
    b.dim[2 * i + 1] = x->dim[i];
    b.xs[2 * i + 1] = xs[i];
    b.ys[2 * i + 1] = ys[i];
  }
  lower_block(l, n, n->in[0], n->out[0], &b);
}

static int axis_tile(const Node *n, int in, int axis, int out)
{
  const Value *x = n->in[0], *y = node_out(n, 0);
  (void)out;
  return in == 0 && y && y->rank == x->rank && x->dim[axis] == y->dim[axis]
           ? axis : AXIS_MIXES;
}

static const OpRow transpose_rows[] = {
  {1, "data:T -> transposed:T", "T=all", "perm:I", NULL},
  {13, NULL, "T=all13", NULL, NULL}, {21, NULL, "T=all21", NULL, NULL},
  {23, NULL, "T=all23", NULL, NULL}, {24, NULL, "T=all24", NULL, NULL},
  {25, NULL, "T=all25", NULL, NULL},
};
static const OpRow expand_rows[] = {
  {8, "input:T shape:I -> output:T", "T=all; I=i64", "", NULL},
  {13, NULL, "T=all13; I=i64", NULL, NULL},
};
static const OpRow tile_rows[] = {
  {1, "input:T tiles:T axis:T -> output:T", "T=float", "",
   upgrade_tile_1},
  {6, "input:T repeats:I -> output:T", "T=all; I=i64", NULL, NULL},
  {13, NULL, "T=all13; I=i64", NULL, NULL},
};

static const OpDef defs[] = {
  {.name = "Transpose", .rows = transpose_rows, .nrow = COUNT(transpose_rows),
   .infer = infer_transpose, .lower = lower_transpose, .axis = axis_transpose,
   .flags = OP_MOVES},
  {.name = "Expand", .rows = expand_rows, .nrow = COUNT(expand_rows),
   .infer = infer_expand, .lower = lower_expand, .axis = axis_expand,
   .sizes = sizes_expand, .flags = OP_MOVES},
  {.name = "Tile", .rows = tile_rows, .nrow = COUNT(tile_rows),
   .infer = infer_tile, .lower = lower_tile, .axis = axis_tile,
   .sizes = sizes_tile, .flags = OP_MOVES},
};
OPS_DEFINE(transpose, defs)
