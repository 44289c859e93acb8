/* SPDX-License-Identifier: Apache-2.0 */
/* Normalisations by kernels/cuda/norm.h: a row, group or channel to a warp, or
 * to a block where it is long. */
#include "cuda.h"

#include <stdlib.h>

enum { MOST_HELD = 32 }; /* elements of a row in a thread's registers */

static const Dtype floats[] = { DT_F32, DT_F64, DT_F16, DT_BF16, DT_NONE };

static const char *const known[] = {
  "LayerNormalization", "RMSNormalization", "GroupNormalization",
  "InstanceNormalization", "BatchNormalization", "LRN", "LpNormalization",
  "MeanVarianceNormalization",
};

static int row_axis(const Node *n)
{
  int64_t axis = attr_int(n, "axis", -1);
  return (int)(axis < 0 ? axis + n->in[0]->rank : axis);
}

/* NULL: the channels are not known to be a multiple of the groups. */
static const Dim *group_size(const Node *n, const Dim **groups)
{
  DimPool *d = &n->g->m->dims;
  *groups = node_is(n, "GroupNormalization")
    ? dim_int(d, attr_int(n, "num_groups", 1)) : n->in[0]->dim[1];
  return *groups == n->in[0]->dim[1] ? dim_int(d, 1)
                                     : dim_div_exact(d, n->in[0]->dim[1],
                                                     *groups);
}

bool cuda_takes_norm(const Plan *p, const Node *n)
{
  const Dim *groups;
  bool gone[MAX_RANK], is = false;
  (void)p;
  for (int i = 0; i < COUNT(known); i++)
    is = is || node_is(n, known[i]);
  if (!is || !cuda_all_types(n, floats))
    return false;
  if (node_is(n, "GroupNormalization") || node_is(n, "InstanceNormalization"))
    return group_size(n, &groups) != NULL;
  return !node_is(n, "MeanVarianceNormalization") || norm_mean_axes(n, gone);
}

static Step *begin(Plan *p, Node *n, const char *macro)
{
  Step *s = device_step(p, n, macro);
  s->kernel_note = "cuda norm";
  step_kernel(s, "cuda/norm.h");
  step_in(s, "x", n->in[0]);
  cuda_put_class(s, "TYPE", n->in[0]->dtype);
  step_float(s, "EPSILON", (double)attr_float(n, "epsilon", 1e-5f));
  return s;
}

/* An output that need not be there. */
static void put_output(Step *s, const char *key, const char *name, Value *v)
{
  if (v)
    step_out(s, name, v);
  step_text(s, key, "%s", v ? name : "NULL");
}

/* Where element j of row r of x finds the one of v. */
static const char *place_of(Step *s, const Value *v)
{
  const Node *n = s->node;
  const Value *x = n->in[0];
  const Dim *stride[MAX_RANK];
  Arena *a = s->plan->a;
  if (!v || norm_row(x, v, row_axis(n)))
    return "j";
  norm_strides(n, v, stride);
  return cuda_offset(s, arena_printf(a, "(r * %s + j)", step_var(s, "COUNT")),
                     x->rank, x->dim, stride);
}

static void put_rows(Step *s)
{
  const Value *x = s->node->in[0];
  DimPool *d = &s->plan->m->dims;
  int at = row_axis(s->node);
  const Dim *count = dim_prod(d, x->dim + at, x->rank - at);
  step_dim(s, "ROWS", dim_prod(d, x->dim, at));
  step_dim(s, "COUNT", count);
  cuda_put_share(s, count);
  device_index(s, count);
}

/* A row of constant size is held in registers, in packs of up to 16 bytes: as
 * large ones as leave no thread more elements than others would. */
static void put_held(Step *s, const Dim *count, int size, bool plain)
{
  int64_t n = 0, share = strtol(step_var(s, "SHARE"), NULL, 10);
  int64_t best = MOST_HELD + 1, held = 0, wide = 0;
  for (int64_t v = 16 / size; plain && dim_is_int(count, &n) && v > 0; v /= 2) {
    int64_t packs = (n / v + share - 1) / share;
    if (n > 0 && n % v == 0 && packs * v < best) {
      best = packs * v;
      held = packs;
      wide = v;
    }
  }
  step_int(s, "HELD", held);
  step_int(s, "WIDE", wide);
}

static void lower_layer(Plan *p, Node *n)
{
  const Value *x = n->in[0];
  Value *bias = node_in(n, 2);
  const Value *stat = node_out(n, 1) ? n->out[1] : node_out(n, 2);
  Step *s = begin(p, n, "CUDA_LAYER_NORM");
  step_in(s, "scale", n->in[1]);
  if (bias)
    step_in(s, "bias", bias);
  step_text(s, "BIAS", bias ? "bias" : "NULL");
  put_output(s, "Y", "y", node_out(n, 0));
  put_output(s, "MEANS", "means", node_out(n, 1));
  put_output(s, "INVERSES", "inverses", node_out(n, 2));
  cuda_put_class(s, "STAT", stat ? stat->dtype : n->in[0]->dtype);
  put_rows(s);
  step_text(s, "SCALE_AT", "%s", place_of(s, n->in[1]));
  step_text(s, "BIAS_AT", "%s", place_of(s, bias));
  put_held(s, dim_prod(&p->m->dims, x->dim + row_axis(n),
                       x->rank - row_axis(n)), dtype_info(x->dtype)->size,
           norm_row(x, n->in[1], row_axis(n)) &&
           (!bias || norm_row(x, bias, row_axis(n))));
}

static void lower_rms(Plan *p, Node *n)
{
  Dtype x = n->in[0]->dtype, scale = n->in[1]->dtype;
  Step *s = begin(p, n, "CUDA_RMS_NORM");
  step_in(s, "scale", n->in[1]);
  step_out(s, "y", n->out[0]);
  cuda_put_class(s, "OUT", scale);
  step_text(s, "REAL", x == DT_F64 || scale == DT_F64 ? "double" : "float");
  put_rows(s);
  step_text(s, "SCALE_AT", "%s", place_of(s, n->in[1]));
}

static void lower_groups(Plan *p, Node *n)
{
  const Value *x = n->in[0];
  DimPool *d = &p->m->dims;
  const Dim *groups, *size = group_size(n, &groups);
  const Dim *space = dim_prod(d, x->dim + 2, x->rank - 2);
  Step *s = begin(p, n, "CUDA_GROUP_NORM");
  step_in(s, "scale", n->in[1]);
  step_in(s, "bias", n->in[2]);
  step_out(s, "y", n->out[0]);
  step_dim(s, "ROWS", dim_mul(d, x->dim[0], groups));
  step_dim(s, "IMAGES", x->dim[0]);
  step_dim(s, "GROUPS", groups);
  step_dim(s, "CHANNELS", size);
  step_dim(s, "SIZE", space);
  step_text(s, "PER_GROUP", attr_int(n, "per_group", 0) ? "true" : "false");
  cuda_put_share(s, dim_mul(d, size, space));
  device_index(s, dim_mul(d, size, space));
}

static void lower_batch(Plan *p, Node *n)
{
  static const char *const name[] = { "x", "scale", "bias", "mean", "var" };
  static const char *const key[] = { "Y", "OUT1", "OUT2", "OUT3", "OUT4" };
  const Dim *of[3];
  bool train = attr_int(n, "training_mode", 0) != 0;
  Step *s = begin(p, n, train ? "CUDA_BATCH_TRAIN" : "CUDA_BATCH_NORM");
  norm_channels(n, of);
  for (int i = 1; i < 5; i++)
    step_in(s, name[i], n->in[i]);
  step_out(s, "y", n->out[0]);
  for (int i = 1; i < 5; i++)
    put_output(s, key[i], arena_printf(p->a, "out%d", i), node_out(n, i));
  cuda_put_class(s, "SCALE_TYPE", n->in[1]->dtype);
  cuda_put_class(s, "STAT", n->in[3]->dtype);
  step_float(s, "MOMENTUM", (double)attr_float(n, "momentum", 0.9f));
  step_dim(s, "IMAGES", of[0]);
  step_dim(s, "CHANNELS", of[1]);
  step_dim(s, "SIZE", of[2]);
  step_dim(s, "ROWS", train ? of[1] : value_numel(n->in[0]));
  step_int(s, "SHARE", train ? 256 : 1);
  device_index(s, value_numel(n->in[0]));
}

static void lower_lrn(Plan *p, Node *n)
{
  const Dim *of[3];
  int64_t size = attr_int(n, "size", 1);
  Step *s = begin(p, n, "CUDA_LRN");
  norm_channels(n, of);
  step_out(s, "y", n->out[0]);
  step_dim(s, "ROWS", value_numel(n->in[0]));
  step_dim(s, "CHANNELS", of[1]);
  step_dim(s, "SPACE", of[2]);
  step_int(s, "SIZE", size);
  step_float(s, "ALPHA",
             (double)attr_float(n, "alpha", 1e-4f) / (double)size);
  step_float(s, "BETA", (double)attr_float(n, "beta", 0.75f));
  step_float(s, "OFFSET", (double)attr_float(n, "bias", 1));
  step_int(s, "SHARE", 1);
  device_index(s, value_numel(n->in[0]));
}

static void lower_lp(Plan *p, Node *n)
{
  const Value *x = n->in[0];
  DimPool *d = &p->m->dims;
  int at = row_axis(n);
  const Dim *inner = dim_prod(d, x->dim + at + 1, x->rank - at - 1);
  Step *s = begin(p, n, "CUDA_LP_NORM");
  step_out(s, "y", n->out[0]);
  step_dim(s, "OUTER", dim_prod(d, x->dim, at));
  step_dim(s, "LENGTH", x->dim[at]);
  step_dim(s, "INNER", inner);
  step_dim(s, "ROWS", dim_mul(d, dim_prod(d, x->dim, at), inner));
  step_int(s, "POWER", attr_int(n, "p", 2));
  if (dim_is(inner, 1))
    cuda_put_share(s, x->dim[at]);
  else
    step_int(s, "SHARE", 1);
  device_index(s, value_numel(x));
}

static void lower_mean_variance(Plan *p, Node *n)
{
  const Value *x = n->in[0];
  const Dim *dim[2][MAX_RANK], *stride[2][MAX_RANK], *own[MAX_RANK];
  DimPool *d = &p->m->dims;
  int count[2] = { 0, 0 };
  bool gone[MAX_RANK];
  norm_mean_axes(n, gone);
  value_strides(x, own);
  for (int i = 0; i < x->rank; i++) {
    dim[gone[i]][count[gone[i]]] = x->dim[i];
    stride[gone[i]][count[gone[i]]++] = own[i];
  }
  Step *s = begin(p, n, "CUDA_MEAN_VARIANCE");
  step_out(s, "y", n->out[0]);
  step_dim(s, "ROWS", dim_prod(d, dim[0], count[0]));
  step_dim(s, "COUNT", dim_prod(d, dim[1], count[1]));
  step_text(s, "BASE", "%s", cuda_offset(s, "o", count[0], dim[0], stride[0]));
  step_text(s, "AT", "%s", cuda_offset(s, "i", count[1], dim[1], stride[1]));
  step_int(s, "SHARE", 256);
  device_index(s, value_numel(x));
}

void cuda_lower_norm(Plan *p, Node *n)
{
  static void (*const by[])(Plan *, Node *) = {
    lower_layer, lower_rms, lower_groups, lower_groups, lower_batch, lower_lrn,
    lower_lp, lower_mean_variance,
  };
  for (int i = 0; i < COUNT(known); i++)
    if (node_is(n, known[i]))
      by[i](p, n);
}
