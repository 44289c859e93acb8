/* SPDX-License-Identifier: Apache-2.0 */
/* Activations of com.microsoft: Gelu, BiasGelu, FastGelu (which is tanh's
 * form), QuickGelu (x sigmoid(alpha x)), and two with sums: BiasAdd and
 * BiasSplitGelu (left half times the Gelu of the right one). */
#include "../ir.h"

static Value *gelu(Node *n, Value *x, bool tanh)
{
  Node *a = contrib_node(n, "Gelu", 1, x);
  if (tanh) attr_set_str(a, "approximate", "tanh");
  return contrib_out(a);
}

static void give(Node *n, Value *y)
{
  contrib_give(n, 0, y);
  node_remove(n);
}

/* A bias is a row of the last axis. */
static bool bias_fits(Node *n)
{
  const Value *x = n->in[0], *b = node_in(n, 1);
  return !b || (contrib_rank(n, 0, 1, MAX_RANK) && contrib_rank(n, 1, 1, 1) &&
                infer_equal(n, b->dim[0], x->dim[x->rank - 1],
                            "elements of bias, of the last axis"));
}

static void upgrade_gelu(Node *n)
{
  bool fast = n->op_type[0] == 'F';
  if (!contrib_ready(n) || !bias_fits(n)) return;
  Value *x = n->in[0], *b = node_in(n, 1);
  give(n, gelu(n, b ? node_op(n, "Add", 2, x, b) : x, fast));
}

static void upgrade_quick(Node *n)
{
  if (!contrib_ready(n)) return;
  Node *a = contrib_node(n, "Swish", 1, n->in[0]);
  attr_set_float(a, "alpha", attr_float(n, "alpha", 1.702f));
  give(n, contrib_out(a));
}

static void upgrade_bias_add(Node *n)
{
  if (!contrib_ready(n) || !contrib_rank(n, 0, 3, 3) || !bias_fits(n)) return;
  Value *x = node_op(n, "Add", 2, n->in[0], n->in[1]);
  give(n, node_op(n, "Add", 2, x, n->in[2]));
}

static void upgrade_split(Node *n)
{
  if (!contrib_ready(n) || !contrib_rank(n, 0, 3, 3) || !bias_fits(n)) return;
  Value *x = node_op(n, "Add", 2, n->in[0], n->in[1]);
  int64_t wide;
  if (!dim_is_int(n->in[0]->dim[2], &wide) || wide % 2) {
    fail_unsupported(n, "the last axis is %s; its size must be known, and even",
                     dim_text(node_dims(n), n->in[0]->dim[2]));
    return;
  }
  Value *left = contrib_slice(n, x, 2, 0, wide / 2);
  Value *right = contrib_slice(n, x, 2, wide / 2, wide);
  give(n, node_op(n, "Mul", 2, left, gelu(n, right, false)));
}

#define ALL "T=float bf16"
static const OpRow gelu_rows[] = {
  { 1, "X:T -> Y:T", ALL, "", upgrade_gelu },
};
static const OpRow bias_gelu_rows[] = {
  { 1, "A:T B:T -> C:T", ALL, "", upgrade_gelu },
};
static const OpRow fast_rows[] = {
  { 1, "X:T bias:T? -> Y:T", ALL, "", upgrade_gelu },
};
static const OpRow quick_rows[] = {
  { 1, "X:T -> Y:T", ALL, "alpha:f", upgrade_quick },
};
static const OpRow add_rows[] = {
  { 1, "X:T bias:T skip:T -> Y:T", "T=f16 f32", "", upgrade_bias_add },
};
static const OpRow split_rows[] = {
  { 1, "X:T bias:T -> Y:T", "T=f16 f32", "", upgrade_split },
};

#define MS(op, list) \
  { .name = op, .domain = "com.microsoft", .rows = list, .nrow = COUNT(list) }
static const OpDef defs[] = {
  MS("Gelu", gelu_rows), MS("BiasGelu", bias_gelu_rows),
  MS("FastGelu", fast_rows), MS("QuickGelu", quick_rows),
  MS("BiasAdd", add_rows), MS("BiasSplitGelu", split_rows),
};
OPS_DEFINE(ms_ew, defs)
