/* SPDX-License-Identifier: Apache-2.0 */
/* BatchNormalization, LRN, InstanceNormalization, GroupNormalization,
 * LayerNormalization, RMSNormalization, MeanVarianceNormalization and
 * LpNormalization.
 *
 * Internal attributes, left by upgrades: spatial = 0 (BatchNormalization before
 * 9: statistics for every feature), per_group (GroupNormalization-18: scale and
 * bias for each group). BatchNormalization and LRN also take channels_last. */
#include "ir.h"

Dtype real_of(Dtype t)
{
  return t == DT_F64 ? DT_F64 : DT_F32;
}

Value *lower_real(Lower *l, Node *n, Value *v, Dtype real)
{
  if (!v || v->dtype == real)
    return v;
  Value *copy = lower_scratch(l, n, real, value_numel(v));
  lower_call(l, n, real == DT_F64 ? "to_f64" : "to_f32", v->dtype, "iod", v,
             copy, value_numel(v));
  return copy;
}

Value *lower_real_for(Lower *l, Node *n, Value *out, Dtype real)
{
  if (!out || out->dtype == real)
    return out;
  return lower_scratch(l, n, real, value_numel(out));
}

void lower_real_to(Lower *l, Node *n, Value *from, Value *out)
{
  if (out && from != out)
    lower_call(l, n, from->dtype == DT_F64 ? "from_f64" : "from_f32",
               out->dtype, "iod", from, out, value_numel(out));
}

/* Any input as [n, c, s], where c is the channels. */
typedef struct { const Dim *n, *c, *s; } Channels;

static int channel_axis(const Node *n)
{
  return attr_int(n, "channels_last", 0) ? n->in[0]->rank - 1 : 1;
}

static void channels_of(const Node *n, Channels *ch)
{
  const Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  ch->n = x->rank > 0 ? x->dim[0] : dim_int(p, 1);
  ch->c = ch->s = dim_int(p, 1); /* ONNX BatchNormalization-9: rank 1, C = 1 */
  if (x->rank < 2)
    return;
  int axis = channel_axis(n);
  ch->n = dim_prod(p, x->dim, axis);
  ch->c = x->dim[axis];
  ch->s = dim_prod(p, x->dim + axis + 1, x->rank - axis - 1);
  if (!attr_int(n, "spatial", 1)) {
    ch->c = dim_mul(p, ch->c, ch->s);
    ch->s = dim_int(p, 1);
  }
}

void norm_channels(const Node *n, const Dim *of[3])
{
  Channels ch;
  channels_of(n, &ch);
  of[0] = ch.n, of[1] = ch.c, of[2] = ch.s;
}

static bool training(const Node *n)
{
  return attr_int(n, "training_mode", 0) != 0;
}

static void infer_batch_norm(Node *n)
{
  Channels ch;
  if (!infer_ready(n))
    return;
  channels_of(n, &ch);
  for (int i = 1; i < 5; i++)
    if (!node_in(n, i) || !infer_equal(n, value_numel(n->in[i]), ch.c,
                                       "elements of a parameter, channels"))
      return;
  for (int i = 1; i < n->nout; i++)
    if (node_out(n, i) && !training(n)) {
      fail_model(n, "output %d needs training_mode (spec: only Y without it)",
                 i);
      return;
    }
  infer_same(n, 0, 0);
  infer_same(n, 1, 3);
  infer_same(n, 2, 4);
  infer_same(n, 3, 3);
  infer_same(n, 4, 4);
}

/* Statistics of the batch in `stat`; what the running ones become. */
static void lower_training(Lower *l, Node *n, const Channels *ch,
                           Value *stat[2])
{
  double momentum = (double)attr_float(n, "momentum", 0.9f);
  lower_call(l, n, "batch_stats", n->in[0]->dtype, "iooddd", n->in[0], stat[0],
             stat[1], ch->n, ch->c, ch->s);
  for (int i = 0; i < 2; i++) {
    Value *old = n->in[3 + i], *run = node_out(n, 1 + i);
    if (run)
      lower_call(l, n, "batch_running", run->dtype, "iiodf", old,
                 lower_real(l, n, stat[i], real_of(run->dtype)), run, ch->c,
                 momentum);
    if (node_out(n, 3 + i)) /* saved_mean, saved_var before 14 */
      lower_real_to(l, n, lower_real(l, n, stat[i],
                                     real_of(n->out[3 + i]->dtype)),
                    n->out[3 + i]);
  }
}

static void lower_batch_norm(Lower *l, Node *n)
{
  Channels ch;
  Value *x = node_in(n, 0), *stat[2];
  Dtype real = real_of(x->dtype);
  channels_of(n, &ch);
  for (int i = 0; i < 2; i++)
    stat[i] = training(n) ? lower_scratch(l, n, real, ch.c)
                          : lower_real(l, n, n->in[3 + i], real);
  if (training(n))
    lower_training(l, n, &ch, stat);
  lower_call(l, n, "batch_norm", x->dtype, "iiiiiodddf", x,
             lower_real(l, n, n->in[1], real), lower_real(l, n, n->in[2], real),
             stat[0], stat[1], node_out(n, 0), ch.n, ch.c, ch.s,
             (double)attr_float(n, "epsilon", 1e-5f));
}

static int axis_batch_norm(const Node *n, int in, int axis, int out)
{
  if (in != 0 || out != 0)
    return AXIS_MIXES;
  bool stays = !training(n) ||
               (n->in[0]->rank > 1 && axis == channel_axis(n));
  return stays ? axis : AXIS_MIXES;
}

/* Only where the channels are matters. */
static bool permute_channels(Node *n, const int *perm, int rank)
{
  if (rank < 2 || !attr_int(n, "spatial", 1) || training(n))
    return false;
  int from = channel_axis(n);
  if (perm[1] != from && perm[rank - 1] != from)
    return false;
  if (perm[1] == from)
    attr_remove(n, "channels_last");
  else
    attr_set_int(n, "channels_last", 1);
  return true;
}

static void upgrade_consumed(Node *n)
{
  attr_remove(n, "consumed_inputs");
}

/* ONNX BatchNormalization-7: the outputs tell whether it is training. */
static void upgrade_is_test(Node *n)
{
  if (attr_int(n, "is_test", 0))
    attr_set_int(n, "training_mode", 0);
  attr_remove(n, "is_test");
}

/* ONNX BatchNormalization-14: training_mode tells. */
static void upgrade_training(Node *n)
{
  bool trains = false;
  for (int i = 1; i < n->nout; i++)
    trains = trains || n->out[i];
  if (trains && !attr_get(n, "training_mode"))
    attr_set_int(n, "training_mode", 1);
}

static void infer_lrn(Node *n)
{
  if (!infer_ready(n))
    return;
  if (n->in[0]->rank < 2) {
    fail_model(n, "input is rank %d (spec: batch, channels, more)",
               n->in[0]->rank);
    return;
  }
  if (attr_int(n, "size", 0) < 1) {
    fail_model(n, "size is %lld (spec: at least 1)",
               (long long)attr_int(n, "size", 0));
    return;
  }
  infer_same(n, 0, 0);
}

static void lower_lrn(Lower *l, Node *n)
{
  Channels ch;
  channels_of(n, &ch);
  lower_call(l, n, "lrn", n->in[0]->dtype, "iodddkfff", n->in[0], n->out[0],
             ch.n, ch.c, ch.s, attr_int(n, "size", 1),
             (double)attr_float(n, "alpha", 1e-4f),
             (double)attr_float(n, "beta", 0.75f),
             (double)attr_float(n, "bias", 1));
}

static int axis_lrn(const Node *n, int in, int axis, int out)
{
  (void)in, (void)out;
  return axis == channel_axis(n) ? AXIS_MIXES : axis;
}

/* InstanceNormalization is GroupNormalization with a group for each channel. */
static const Dim *groups_of(const Node *n, const Channels *ch)
{
  if (node_is(n, "InstanceNormalization"))
    return ch->c;
  return dim_int(node_dims(n), attr_int(n, "num_groups", 0));
}

static void infer_group_norm(Node *n)
{
  Channels ch;
  int64_t c, g = 1;
  if (!infer_ready(n))
    return;
  if (n->in[0]->rank < 2) {
    fail_model(n, "input is rank %d (spec: batch, channels, more)",
               n->in[0]->rank);
    return;
  }
  channels_of(n, &ch);
  const Dim *groups = groups_of(n, &ch);
  if (dim_is_int(groups, &g) && g < 1 && groups != ch.c) {
    fail_model(n, "num_groups is %lld (spec: at least 1)", (long long)g);
    return;
  }
  if (groups != ch.c && dim_is_int(ch.c, &c) && c % g) {
    fail_model(n, "%lld channels are no multiple of %lld groups", (long long)c,
               (long long)g);
    return;
  }
  for (int i = 1; i < 3; i++)
    if (!node_in(n, i) ||
        !infer_equal(n, value_numel(n->in[i]),
                     attr_int(n, "per_group", 0) ? groups : ch.c,
                     "elements of scale or bias, channels or groups"))
      return;
  infer_same(n, 0, 0);
}

static void lower_group_norm(Lower *l, Node *n)
{
  Channels ch;
  channels_of(n, &ch);
  lower_call(l, n, "group_norm", n->in[0]->dtype, "iiioddddkf", n->in[0],
             n->in[1], n->in[2], n->out[0], ch.n, ch.c, ch.s,
             groups_of(n, &ch), attr_int(n, "per_group", 0),
             (double)attr_float(n, "epsilon", 1e-5f));
}

static int axis_group_norm(const Node *n, int in, int axis, int out)
{
  (void)n, (void)out;
  return in == 0 && axis == 0 ? 0 : AXIS_MIXES;
}

/* ONNX GroupNormalization-21: scale and bias for each channel. */
static void upgrade_per_group(Node *n)
{
  attr_set_int(n, "per_group", 1);
}

/* The first of the normalised axes. */
static int row_axis(const Node *n)
{
  int64_t axis = attr_int(n, "axis", -1);
  return (int)(axis < 0 ? axis + n->in[0]->rank : axis);
}

/* `v` broadcasts to x, not the other way round. */
static bool row_operand(Node *n, const Value *v, const char *what)
{
  const Value *x = n->in[0];
  if (!v)
    return true;
  if (v->rank > x->rank) {
    fail_model(n, "%s: rank %d and %d (spec: at most that of X)", what, v->rank,
               x->rank);
    return false;
  }
  for (int i = 0; i < v->rank; i++)
    if (!dim_is(v->dim[i], 1) &&
        !infer_equal(n, v->dim[i], x->dim[x->rank - v->rank + i], what))
      return false;
  return true;
}

static bool infer_rows(Node *n)
{
  const Value *x = node_in(n, 0);
  if (!infer_ready(n) || !x || !node_in(n, 1))
    return false;
  if (x->rank < 1) {
    fail_model(n, "input is a scalar (spec: at least one axis)");
    return false;
  }
  return axis_norm(n, attr_int(n, "axis", -1), x->rank) >= 0 &&
         row_operand(n, node_in(n, 1), "axes of scale and of X") &&
         row_operand(n, node_in(n, 2), "axes of bias and of X");
}

static void infer_layer_norm(Node *n)
{
  const Dim *dim[MAX_RANK];
  if (!infer_rows(n))
    return;
  int64_t stash = attr_int(n, "stash_type", DT_F32);
  if (stash != DT_F32 && stash != DT_BF16 && stash != DT_F16 &&
      stash != DT_F64) {
    fail_model(n, "stash_type is %lld (spec: a floating-point type)",
               (long long)stash);
    return;
  }
  const Value *x = n->in[0];
  for (int i = 0; i < x->rank; i++)
    dim[i] = i < row_axis(n) ? x->dim[i] : dim_int(node_dims(n), 1);
  infer_same(n, 0, 0);
  infer_out(n, 1, (Dtype)stash, x->rank, dim);
  infer_out(n, 2, (Dtype)stash, x->rank, dim);
}

typedef struct {
  const Dim *rows, *count;
  const Dim *scale[MAX_RANK], *bias[MAX_RANK]; /* strides along the axes of x */
} Rows;

bool norm_row(const Value *x, const Value *v, int axis)
{
  int lead = x->rank - v->rank;
  for (int i = 0; i < x->rank; i++) {
    bool one = i < lead || dim_is(v->dim[i - lead], 1);
    if (i < axis ? !one : i < lead ? !dim_is(x->dim[i], 1)
                                   : v->dim[i - lead] != x->dim[i])
      return false;
  }
  return lead >= 0;
}

void norm_strides(const Node *n, const Value *v, const Dim **stride)
{
  int rank = n->in[0]->rank;
  const Dim *size = dim_int(node_dims(n), 1);
  for (int i = rank; i-- > 0;) {
    int axis = v ? i - (rank - v->rank) : -1;
    stride[i] = dim_int(node_dims(n), 0);
    if (axis < 0 || dim_is(v->dim[axis], 1))
      continue;
    stride[i] = size;
    size = dim_mul(node_dims(n), size, v->dim[axis]);
  }
}

static void rows_of(const Node *n, Rows *r)
{
  const Value *x = n->in[0];
  int axis = row_axis(n);
  r->rows = dim_prod(node_dims(n), x->dim, axis);
  r->count = dim_prod(node_dims(n), x->dim + axis, x->rank - axis);
  norm_strides(n, node_in(n, 1), r->scale);
  norm_strides(n, node_in(n, 2), r->bias);
}

static void lower_layer_norm(Lower *l, Node *n)
{
  Rows r;
  Value *x = n->in[0], *stat[2];
  Dtype real = real_of(x->dtype);
  rows_of(n, &r);
  for (int i = 0; i < 2; i++)
    stat[i] = lower_real_for(l, n, node_out(n, 1 + i), real);
  lower_call(l, n, "layer_norm", x->dtype, "iiioooddkDDDf", x, n->in[1],
             node_in(n, 2), node_out(n, 0), stat[0], stat[1], r.rows, r.count,
             (int64_t)x->rank, x->dim, x->rank, r.scale, x->rank, r.bias,
             x->rank, (double)attr_float(n, "epsilon", 1e-5f));
  for (int i = 0; i < 2; i++)
    lower_real_to(l, n, stat[i], node_out(n, 1 + i));
}

static int axis_rows(const Node *n, int in, int axis, int out)
{
  (void)out;
  return in == 0 && axis < row_axis(n) ? axis : AXIS_MIXES;
}

static void infer_rms_norm(Node *n)
{
  if (infer_rows(n))
    infer_out(n, 0, n->in[1]->dtype, n->in[0]->rank, n->in[0]->dim);
}

/* Where x and scale differ in type, all is computed in float or double. */
static void lower_rms_norm(Lower *l, Node *n)
{
  Rows r;
  Value *x = n->in[0], *scale = n->in[1], *y = n->out[0];
  Dtype t = x->dtype;
  rows_of(n, &r);
  if (x->dtype != scale->dtype)
    t = x->dtype == DT_F64 ? DT_F64 : real_of(scale->dtype);
  Value *to = y->dtype == t ? y : lower_real_for(l, n, y, t);
  lower_call(l, n, "rms_norm", t, "iioddkDDf",
             x->dtype == t ? x : lower_real(l, n, x, t),
             scale->dtype == t ? scale : lower_real(l, n, scale, t), to, r.rows,
             r.count, (int64_t)x->rank, x->dim, x->rank, r.scale, x->rank,
             (double)attr_float(n, "epsilon", 1e-5f));
  lower_real_to(l, n, to, y);
}

/* Its scale may be of another type; the sum is computed in that one. */
static void upgrade_layer_norm(Node *n)
{
  Value *x = node_in(n, 0), *scale = node_in(n, 1);
  if (x && scale && x->dtype && scale->dtype && x->dtype != scale->dtype)
    node_set_input(n, 0, contrib_cast(n, x, scale->dtype));
}

/* The axes that MeanVarianceNormalization takes the mean over. */
bool norm_mean_axes(const Node *n, bool gone[MAX_RANK])
{
  static const int64_t usual[] = { 0, 2, 3 };
  int count = 0, rank = n->in[0]->rank;
  const int64_t *v = attr_ints(n, "axes", &count);
  if (!v)
    v = usual, count = COUNT(usual);
  for (int i = 0; i < rank; i++)
    gone[i] = false;
  for (int i = 0; i < count; i++) {
    if (v[i] < -rank || v[i] >= rank)
      return false;
    gone[v[i] < 0 ? v[i] + rank : v[i]] = true;
  }
  return true;
}

static void infer_mean_variance(Node *n)
{
  bool gone[MAX_RANK];
  if (!infer_ready(n))
    return;
  if (norm_mean_axes(n, gone))
    infer_same(n, 0, 0);
  else
    fail_model(n, "an axis is outside of the input's %d", n->in[0]->rank);
}

static void lower_mean_variance(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  const Dim *dim[2][MAX_RANK], *stride[2][MAX_RANK], *own[MAX_RANK];
  int count[2] = { 0, 0 };
  bool gone[MAX_RANK];
  if (!norm_mean_axes(n, gone))
    return;
  value_strides(x, own);
  for (int i = 0; i < x->rank; i++) {
    dim[gone[i]][count[gone[i]]] = x->dim[i];
    stride[gone[i]][count[gone[i]]++] = own[i];
  }
  lower_call(l, n, "mean_variance", x->dtype, "iokkDDDD", n->in[0], n->out[0],
             (int64_t)count[0], (int64_t)count[1], dim[0], count[0], stride[0],
             count[0], dim[1], count[1], stride[1], count[1]);
}

static int axis_mean_variance(const Node *n, int in, int axis, int out)
{
  bool gone[MAX_RANK];
  (void)in, (void)out;
  return norm_mean_axes(n, gone) && !gone[axis] ? axis : AXIS_MIXES;
}

static void infer_lp_norm(Node *n)
{
  int64_t p = attr_int(n, "p", 2);
  if (!infer_ready(n) ||
      axis_norm(n, attr_int(n, "axis", -1), n->in[0]->rank) < 0)
    return;
  if (p != 1 && p != 2) {
    fail_model(n, "p is %lld (spec: 1 or 2)", (long long)p);
    return;
  }
  infer_same(n, 0, 0);
}

static void lower_lp_norm(Lower *l, Node *n)
{
  const Value *x = n->in[0];
  DimPool *p = node_dims(n);
  int axis = row_axis(n);
  lower_call(l, n, "lp_norm", x->dtype, "iodddk", n->in[0], n->out[0],
             dim_prod(p, x->dim, axis), x->dim[axis],
             dim_prod(p, x->dim + axis + 1, x->rank - axis - 1),
             attr_int(n, "p", 2));
}

static int axis_lp_norm(const Node *n, int in, int axis, int out)
{
  (void)in, (void)out;
  return axis == row_axis(n) ? AXIS_MIXES : axis;
}

#define BN_IN "X:T scale:T B:T mean:T var:T -> "
#define BN_OLD BN_IN "Y:T mean:T? var:T? saved_mean:T? saved_var:T?"
#define BN_ATTRS "epsilon:f momentum:f"

static const OpRow batch_rows[] = {
  { 1, BN_OLD, "T=float", BN_ATTRS " consumed_inputs:I is_test:i spatial:i",
    upgrade_consumed },
  { 6, NULL, NULL, BN_ATTRS " is_test:i spatial:i", upgrade_is_test },
  { 7, NULL, NULL, BN_ATTRS " spatial:i", NULL },
  /* ONNX BatchNormalization-7, whose attribute stays: "If false, compute the
   * mean and variance across per feature" */
  { 9, NULL, NULL, BN_ATTRS, upgrade_training },
  { 14, "X:T scale:T B:T mean:U var:U -> Y:T mean:U? var:U?",
    "T=float bf16; U=float bf16", BN_ATTRS " training_mode:i", NULL },
  { 15, "X:T scale:S B:S mean:U var:U -> Y:T mean:U? var:U?",
    "T=float bf16; S=float bf16; U=float bf16", NULL, NULL },
};
static const OpRow lrn_rows[] = {
  { 1, "X:T -> Y:T", "T=float", "alpha:f beta:f bias:f size:i", NULL },
  { 13, NULL, "T=float bf16", NULL, NULL },
};
static const OpRow instance_rows[] = {
  { 1, "input:T scale:T B:T -> output:T", "T=float",
    "epsilon:f consumed_inputs:I", upgrade_consumed },
  { 6, NULL, NULL, "epsilon:f", NULL },
  { 22, NULL, "T=float bf16", NULL, NULL },
};
static const OpRow group_rows[] = {
  { 18, "X:T scale:T bias:T -> Y:T", "T=float bf16", "epsilon:f num_groups:i",
    upgrade_per_group },
  { 21, NULL, NULL, "epsilon:f num_groups:i stash_type:i", NULL },
};
static const OpRow layer_rows[] = {
  /* onnxruntime's own, which its optimiser writes for earlier opsets */
  { 1, "X:T Scale:V B:V? -> Y:V Mean:U? InvStdDev:U?",
    "T=float bf16; V=float bf16; U=f32 f64 bf16",
    "axis:i epsilon:f stash_type:i", upgrade_layer_norm },
  { 17, "X:T Scale:T B:T? -> Y:T Mean:U? InvStdDev:U?",
    "T=float bf16; U=f32 bf16", NULL, NULL },
};
static const OpRow rms_rows[] = {
  { 23, "X:T scale:V -> Y:V", "T=float bf16; V=float bf16",
    "axis:i epsilon:f stash_type:i", NULL },
};
/* MeanVarianceNormalization was experimental, with attributes of Caffe2, before
 * version 9: the statistics are those of a channel, or of a sample. */
static void upgrade_mean_variance(Node *n)
{
  static const int64_t sample[] = { 1, 2, 3 };
  if (!attr_int(n, "normalize_variance", 1)) {
    fail_unsupported(n, "normalize_variance = 0 of the experimental version is "
                     "not supported; use ReduceMean and Sub");
    return;
  }
  if (attr_int(n, "across_channels", 0))
    attr_set_ints(n, "axes", sample, COUNT(sample));
  attr_remove(n, "across_channels");
  attr_remove(n, "normalize_variance");
}

static const OpRow mean_rows[] = {
  { 1, "X:T -> Y:T", "T=float", "across_channels:i normalize_variance:i",
    upgrade_mean_variance },
  { 9, NULL, NULL, "axes:I", NULL },
  { 13, NULL, "T=float bf16", NULL, NULL },
};
static const OpRow lp_rows[] = {
  { 1, "input:T -> output:T", "T=float", "axis:i p:i", NULL },
  { 22, NULL, "T=float bf16", NULL, NULL },
};

static const OpDef defs[] = {
  { .name = "BatchNormalization", .rows = batch_rows,
    .nrow = COUNT(batch_rows), .infer = infer_batch_norm,
    .lower = lower_batch_norm, .axis = axis_batch_norm,
    .permute = permute_channels },
  { .name = "LRN", .rows = lrn_rows, .nrow = COUNT(lrn_rows),
    .infer = infer_lrn, .lower = lower_lrn, .axis = axis_lrn,
    .permute = permute_channels },
  { .name = "InstanceNormalization", .rows = instance_rows,
    .nrow = COUNT(instance_rows), .infer = infer_group_norm,
    .lower = lower_group_norm, .axis = axis_group_norm },
  { .name = "GroupNormalization", .rows = group_rows,
    .nrow = COUNT(group_rows), .infer = infer_group_norm,
    .lower = lower_group_norm, .axis = axis_group_norm },
  { .name = "LayerNormalization", .rows = layer_rows,
    .nrow = COUNT(layer_rows), .infer = infer_layer_norm,
    .lower = lower_layer_norm, .axis = axis_rows },
  { .name = "RMSNormalization", .rows = rms_rows, .nrow = COUNT(rms_rows),
    .infer = infer_rms_norm, .lower = lower_rms_norm, .axis = axis_rows },
  { .name = "MeanVarianceNormalization", .rows = mean_rows,
    .nrow = COUNT(mean_rows), .infer = infer_mean_variance,
    .lower = lower_mean_variance, .axis = axis_mean_variance },
  { .name = "LpNormalization", .rows = lp_rows, .nrow = COUNT(lp_rows),
    .infer = infer_lp_norm, .lower = lower_lp_norm, .axis = axis_lp_norm },
};

OPS_DEFINE(norm, defs)
