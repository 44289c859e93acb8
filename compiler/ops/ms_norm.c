/* SPDX-License-Identifier: Apache-2.0 */
/* Normalisations that onnxruntime fuses: SkipLayerNormalization and
 * SkipSimplifiedLayerNormalization (x + skip + bias first, and that sum as an
 * output), EmbedLayerNormalization and QEmbedLayerNormalization (rows of up to
 * three tables first), and SimplifiedLayerNormalization, its name in domain
 * ai.onnx for RMSNormalization. */
#include "../ir.h"

/* 1 / sqrt(mean(x x) + epsilon), f32. */
static Value *inverse_rms(Node *n, Value *x, int64_t axis, float epsilon)
{
  x = contrib_cast(n, x, DT_F32);
  int64_t count = x->rank - axis, axes[MAX_RANK];
  for (int64_t i = 0; i < count; i++) axes[i] = axis + i;
  Value *mean = node_op(n, "ReduceMean", 2, node_op(n, "Mul", 2, x, x),
                        value_const_ints(n->g, "axes", axes, (int)count));
  Value *sum = node_op(n, "Add", 2, mean,
                       contrib_number(n, DT_F32, (double)epsilon));
  return node_op(n, "Reciprocal", 1, node_op(n, "Sqrt", 1, sum));
}

/* Outputs `first` and on: the result, and of what was asked for, mean and
 * inverse deviation. */
static bool normalise(Node *n, Value *x, Value *scale, Value *bias, bool rms,
                      float epsilon)
{
  if (rms) {
    Node *a = contrib_node(n, "RMSNormalization", 2, x, scale);
    attr_set_float(a, "epsilon", epsilon);
    if (node_out(n, 1)) {
      fail_unsupported(n, "output mean is not supported, as nothing computes "
                       "it; leave it out");
      return false;
    }
    if (node_out(n, 2))
      contrib_give(n, 2, inverse_rms(n, x, x->rank - 1, epsilon));
    contrib_give(n, 0, contrib_out(a));
    return true;
  }
  Node *a = contrib_node(n, "LayerNormalization", bias ? 3 : 2, x, scale, bias);
  attr_set_float(a, "epsilon", epsilon);
  for (int i = 1; i < 3; i++)
    if (node_out(n, i))
      node_set_output(a, i, value_tmp(n->g, "statistic", NULL));
  infer_node(a);
  for (int i = 0; i < 3; i++)
    if (node_out(n, i)) contrib_give(n, i, a->out[i]);
  return true;
}

/* Skip has the shape of the input, but one sample may be for all. */
static bool skip_fits(Node *n)
{
  const Value *x = n->in[0], *skip = n->in[1];
  int lead = x->rank - skip->rank;
  if (!contrib_rank(n, 0, 2, 3) || !contrib_rank(n, 1, 2, x->rank))
    return false;
  for (int i = 0; i < skip->rank; i++)
    if (!(i == 0 && dim_is(skip->dim[i], 1)) &&
        !infer_equal(n, skip->dim[i], x->dim[lead + i],
                     "axes of skip, of the input"))
      return false;
  return true;
}

static void upgrade_skip(Node *n)
{
  bool rms = node_in(n, 4) == NULL && n->op_type[4] == 'S';
  if (!contrib_ready(n) || !skip_fits(n)) return;
  Value *beta = rms ? NULL : node_in(n, 3), *bias = node_in(n, rms ? 3 : 4);
  Value *x = node_op(n, "Add", 2, n->in[0], n->in[1]);
  if (bias) x = node_op(n, "Add", 2, x, bias);
  if (x->bad) return;
  if (!normalise(n, x, n->in[2], beta, rms, attr_float(n, "epsilon", 1e-12f)))
    return;
  contrib_give(n, 3, x);
  node_remove(n);
}

static void upgrade_simplified(Node *n)
{
  float epsilon = attr_float(n, "epsilon", 1e-5f);
  if (!contrib_ready(n)) return;
  Value *x = n->in[0];
  int axis = axis_norm(n, attr_int(n, "axis", -1), x->rank);
  if (axis < 0) return;
  Node *a = contrib_node(n, "RMSNormalization", 2, x, n->in[1]);
  attr_set_float(a, "epsilon", epsilon);
  attr_set_int(a, "axis", axis);
  if (node_out(n, 1)) contrib_give(n, 1, inverse_rms(n, x, axis, epsilon));
  contrib_give(n, 0, contrib_out(a));
  node_remove(n);
}

/* The inputs of EmbedLayerNormalization and of its quantised form, whose
 * tables are bytes: scales in the order of the tables, then zero points. */
typedef struct {
  int words, places, segments, gamma, beta, mask, at;
  int scales, zeros;        /* -1: the tables are floats */
} Embed;

/* x, of a table; in float. */
static Value *scaled(Node *n, const Embed *e, Value *x, int table)
{
  int which = table - e->words;
  if (e->scales < 0) return x;
  return node_op(n, "DequantizeLinear", 3, x, n->in[e->scales + which],
                 n->in[e->zeros + which]);
}

static Value *rows_of(Node *n, const Embed *e, int table, Value *at)
{
  return scaled(n, e, node_op(n, "Gather", 2, n->in[table], at), table);
}

/* The rows 0 to S - 1, where no position_ids say others. */
static Value *positions(Node *n, const Embed *e)
{
  Value *at = node_in(n, e->at);
  if (!at) at = contrib_range(n, NULL, contrib_size(n, n->in[0], 1));
  return rows_of(n, e, e->places, at);
}

/* Elements of each row of the mask that are 1; 0 without a mask. */
static Value *mask_index(Node *n, Value *mask)
{
  int64_t axis = 1;
  if (!mask) {
    Value *zero = contrib_number(n, DT_I32, 0);
    return node_op(n, "Expand", 2, zero, contrib_size(n, n->in[0], 0));
  }
  Value *is = node_op(n, "Equal", 2, mask, contrib_number(n, DT_I32, 1));
  Node *sum = contrib_node(n, "ReduceSum", 2, contrib_cast(n, is, DT_I32),
                           value_const_ints(n->g, "axis", &axis, 1));
  attr_set_int(sum, "keepdims", 0);
  return contrib_out(sum);
}

static bool embed_fits(Node *n, const Embed *e)
{
  const int matrix[] = {
    0, 1, e->words, e->places, e->segments, e->mask, e->at
  };
  for (int i = 0; i < COUNT(matrix); i++)
    if (!contrib_rank(n, matrix[i], 2, 2)) return false;
  if (!contrib_rank(n, e->gamma, 1, 1) || !contrib_rank(n, e->beta, 1, 1))
    return false;
  if (!node_in(n, 1) == !node_in(n, e->segments)) return true;
  fail_model(n, "segment_ids without segment_embedding, or the other way "
             "round");
  return false;
}

static void embeds(Node *n, const Embed *e)
{
  if (!contrib_ready(n) || !embed_fits(n, e)) return;
  Value *x = node_op(n, "Add", 2, rows_of(n, e, e->words, n->in[0]),
                     positions(n, e));
  if (node_in(n, 1))
    x = node_op(n, "Add", 2, x, rows_of(n, e, e->segments, n->in[1]));
  Node *a = contrib_node(n, "LayerNormalization", 3, x,
                         scaled(n, e, n->in[e->gamma], e->gamma),
                         scaled(n, e, n->in[e->beta], e->beta));
  attr_set_float(a, "epsilon", attr_float(n, "epsilon", 1e-12f));
  contrib_give(n, 0, contrib_out(a));
  if (node_out(n, 1)) contrib_give(n, 1, mask_index(n, node_in(n, e->mask)));
  contrib_give(n, 2, x);
  node_remove(n);
}

static void upgrade_embed(Node *n)
{
  static const Embed e = { 2, 3, 4, 5, 6, 7, 8, -1, -1 };
  embeds(n, &e);
}

static void upgrade_qembed(Node *n)
{
  static const Embed e = { 2, 3, 4, 5, 6, 7, -1, 8, 13 };
  embeds(n, &e);
}

static const OpRow skip_rows[] = {
  { 1, "input:T skip:T gamma:T beta:T? bias:T? -> output:T mean:U? "
    "inv_std_var:U? input_skip_bias_sum:T?", "T=float bf16; U=f32",
    "epsilon:f", upgrade_skip },
};
static const OpRow skip_rms_rows[] = {
  { 1, "input:T skip:T gamma:T bias:T? -> output:T mean:U? inv_std_var:U? "
    "input_skip_bias_sum:T?", "T=float bf16; U=f32", "epsilon:f",
    upgrade_skip },
};
static const OpRow simplified_rows[] = {
  { 1, "X:T scale:V -> Y:V inv_std_var:U?",
    "T=float bf16; V=float bf16; U=f32", "axis:i epsilon:f stash_type:i",
    upgrade_simplified },
};
static const OpRow embed_rows[] = {
  { 1, "input_ids:I segment_ids:I? word_embedding:T position_embedding:T "
    "segment_embedding:T? gamma:T beta:T mask:I? position_ids:I? -> output:T "
    "mask_index:I? embedding_sum:T?", "T=f32 f16; I=i32",
    "epsilon:f mask_index_type:i", upgrade_embed },
};
static const OpRow qembed_rows[] = {
  { 1, "input_ids:I segment_ids:I? word_embedding_quant:Q "
    "position_embedding_quant:Q segment_embedding:Q? gamma_quant:Q "
    "beta_quant:Q mask:I? word_embedding_scale:T position_embedding_scale:T "
    "segment_embedding_scale:T? gamma_scale:T beta_scale:T "
    "word_embedding_zero_point:Q position_embedding_zero_point:Q "
    "segment_embedding_zero_point:Q? gamma_zero_point:Q beta_zero_point:Q "
    "-> layernorm_out:T mask_index_out:I", "T=f32; I=i32; Q=i8 u8",
    "epsilon:f", upgrade_qembed },
};

#define MS(op, list) \
  { .name = op, .domain = "com.microsoft", .rows = list, .nrow = COUNT(list) }
static const OpDef defs[] = {
  MS("SkipLayerNormalization", skip_rows),
  MS("SkipSimplifiedLayerNormalization", skip_rms_rows),
  MS("EmbedLayerNormalization", embed_rows),
  MS("QEmbedLayerNormalization", qembed_rows),
  { .name = "SimplifiedLayerNormalization", .rows = simplified_rows,
    .nrow = COUNT(simplified_rows) },
};
OPS_DEFINE(ms_norm, defs)
