/* SPDX-License-Identifier: Apache-2.0 */
/* f32 LayerNormalization, RMSNormalization, GroupNormalization and
 * InstanceNormalization by norm_f32.h, LRN by lrn_f32.h. A scale or bias that
 * is not of the row's shape is left to the reference kernels. */
#include "cpu.h"

static bool is_f32(const Value *v) { return !v || v->dtype == DT_F32; }

static Step *begin(Plan *p, Node *n, const char *macro)
{
  Step *s = step_new(p, n, macro);
  step_in(s, "x", n->in[0]);
  step_in(s, "scale", n->in[1]);
  step_float(s, "EPSILON", (double)attr_float(n, "epsilon", 1e-5f));
  s->kernel_note = "norm_f32";
  step_kernel(s, "norm_f32.h");
  return s;
}

static bool lower_rows(Plan *p, Node *n, bool layer)
{
  static const char *const name[] = { "y", "means", "inverses" };
  static const char *const key[] = { "Y", "MEANS", "INVERSES" };
  const Value *x = n->in[0];
  int64_t axis = attr_int(n, "axis", -1);
  int at = (int)(axis < 0 ? axis + x->rank : axis);
  Value *bias = layer ? node_in(n, 2) : NULL;
  if (!n->out[0] || !norm_row(x, n->in[1], at) ||
      (bias && !norm_row(x, bias, at)))
    return false;
  Step *s = begin(p, n, layer ? "LAYER_NORM" : "RMS_NORM");
  step_dim(s, "ROWS", dim_prod(&p->m->dims, x->dim, at));
  step_dim(s, "COUNT", dim_prod(&p->m->dims, x->dim + at, x->rank - at));
  if (bias)
    step_in(s, "bias", bias);
  step_text(s, "BIAS", bias ? "bias" : "NULL");
  for (int i = 0; i < 3; i++) {
    Value *v = node_out(n, i);
    if (v)
      step_out(s, name[i], v);
    step_text(s, key[i], "%s", v ? name[i] : "NULL");
  }
  step_in_place(s, "y", "x");
  if (!node_out(n, 1) && !node_out(n, 2))
    step_split_rows(s, dim_prod(&p->m->dims, x->dim, at),
                    dim_prod(&p->m->dims, x->dim + at, x->rank - at),
                    8 * TICKS_BYTE);
  return true;
}

static bool lower_groups(Plan *p, Node *n)
{
  const Value *x = n->in[0];
  DimPool *d = &p->m->dims;
  const Dim *groups = node_is(n, "GroupNormalization")
    ? dim_int(d, attr_int(n, "num_groups", 1)) : x->dim[1];
  const Dim *channels = dim_div_exact(d, x->dim[1], groups);
  if (!channels)
    return false;
  Step *s = begin(p, n, "GROUP_NORM");
  step_in(s, "bias", n->in[2]);
  step_out(s, "y", n->out[0]);
  step_in_place(s, "y", "x");
  step_dim(s, "IMAGES", x->dim[0]);
  step_dim(s, "GROUPS", groups);
  step_dim(s, "CHANNELS", channels);
  step_dim(s, "SIZE", dim_prod(d, x->dim + 2, x->rank - 2));
  step_int(s, "PER_GROUP", attr_int(n, "per_group", 0) != 0);
  return true;
}

/* LRN, whose channels are the last axis or the second. */
bool lower_lrn_f32(Plan *p, Node *n)
{
  const Value *x = n->in[0];
  int64_t size = attr_int(n, "size", 1);
  if (!node_is(n, "LRN") || x->dtype != DT_F32 || size > 255)
    return false;
  DimPool *d = &p->m->dims;
  int axis = attr_int(n, "channels_last", 0) ? x->rank - 1 : 1;
  const Dim *inner = dim_prod(d, x->dim + axis + 1, x->rank - axis - 1);
  double alpha = (double)attr_float(n, "alpha", 1e-4f);
  Step *s = step_new(p, n, "LRN");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  /* The squares of one row, with room to read a block of sums past its end. */
  step_scratch(s, "room", DT_F32,
               dim_add(d, x->dim[axis], dim_int(d, size + 64)));
  step_dim(s, "OUTER", dim_prod(d, x->dim, axis));
  step_dim(s, "CHANNELS", x->dim[axis]);
  step_dim(s, "INNER", inner);
  step_int(s, "SIZE", size);
  step_float(s, "ALPHA", alpha / (double)size);
  step_float(s, "BETA", (double)attr_float(n, "beta", 0.75f));
  step_float(s, "BIAS", (double)attr_float(n, "bias", 1));
  s->kernel_note = "lrn_f32";
  step_kernel(s, "lrn_f32.h");
  step_split_rows(s, dim_prod(d, x->dim, axis),
                  dim_mul(d, x->dim[axis], inner), 8 * TICKS_EXP);
  return true;
}

bool lower_norm_f32(Plan *p, Node *n)
{
  bool layer = node_is(n, "LayerNormalization");
  bool rms = node_is(n, "RMSNormalization");
  bool group = node_is(n, "GroupNormalization") ||
               node_is(n, "InstanceNormalization");
  if (!layer && !rms && !group)
    return false;
  for (int i = 0; i < n->nin; i++)
    if (!is_f32(n->in[i]))
      return false;
  for (int i = 0; i < n->nout; i++)
    if (!is_f32(n->out[i]))
      return false;
  return group ? lower_groups(p, n) : lower_rows(p, n, layer);
}
