/* SPDX-License-Identifier: Apache-2.0 */
/* NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss, which is the former of
 * LogSoftmax along axis 1. */
#include "ir.h"

#include <string.h>

/* 0: none, 1: sum, 2: mean; -1: unknown. */
static int reduction_of(const Node *n)
{
  static const char *const names[] = {"none", "sum", "mean"};
  const char *name = attr_str(n, "reduction", "mean");
  for (int i = 0; i < COUNT(names); i++)
    if (!strcmp(name, names[i])) return i;
  return -1;
}

static bool is_entropy(const Node *n)
{
  return node_is(n, "SoftmaxCrossEntropyLoss");
}

static void infer_loss(Node *n)
{
  const Value *x = node_in(n, 0), *target = node_in(n, 1);
  const Value *weight = node_in(n, 2);
  if (!infer_ready(n)) return;
  int reduction = reduction_of(n), spatial = x->rank - 2;
  if (reduction < 0) {
    fail_model(n, "reduction is \"%s\" (spec: none, sum or mean)",
               attr_str(n, "reduction", "mean"));
    return;
  }
  if (spatial < 0 || target->rank != x->rank - 1) {
    fail_model(n, "scores of rank %d and targets of rank %d (spec: [N, C, ..] "
               "and [N, ..])", x->rank, target->rank);
    return;
  }
  for (int i = 0; i < target->rank; i++)
    if (!infer_equal(n, target->dim[i], x->dim[i ? i + 1 : 0],
                     "extents of targets and scores"))
      return;
  if (weight && !infer_equal(n, value_numel(weight), x->dim[1],
                             "elements of weight, classes"))
    return;
  infer_out(n, 0, x->dtype, reduction ? 0 : target->rank, target->dim);
  if (is_entropy(n)) infer_same(n, 1, 0);
}

/* `x` holds log-probabilities. */
static void lower_of(Lower *l, Node *n, Value *x)
{
  Value *target = n->in[1];
  lower_call(l, n, "nll_loss", x->dtype, "iiiokkkkddd", x, target,
             node_in(n, 2), n->out[0],
             (int64_t)dtype_info(target->dtype)->size,
             (int64_t)(attr_get(n, "ignore_index") != NULL),
             attr_int(n, "ignore_index", 0), (int64_t)reduction_of(n),
             x->dim[0], x->dim[1],
             dim_prod(node_dims(n), x->dim + 2, x->rank - 2));
}

static void lower_nll(Lower *l, Node *n)
{
  lower_of(l, n, n->in[0]);
}

static void lower_entropy(Lower *l, Node *n)
{
  Value *x = n->in[0], *y = node_out(n, 1);
  if (!y) {
    y = lower_scratch(l, n, x->dtype, value_numel(x));
    value_set_shape(y, x->rank, x->dim);
  }
  lower_call(l, n, "log_softmax", x->dtype, "ioddd", x, y, x->dim[0], x->dim[1],
             dim_prod(node_dims(n), x->dim + 2, x->rank - 2));
  lower_of(l, n, y);
}

/* LogSoftmax has kernels of its own. */
static void expand_entropy(Node *n)
{
  Value *x = n->in[0], *y = node_out(n, 1);
  Node *soft = node_new(n->g, n, "LogSoftmax", 1, 1, n);
  if (y)
    node_set_output(n, 1, NULL);
  else
    y = value_tmp(n->g, "log_prob", x);
  attr_set_int(soft, "axis", 1);
  node_set_input(soft, 0, x);
  node_set_output(soft, 0, y);
  infer_node(soft);
  node_set_input(n, 0, y);
  n->op_type = "NegativeLogLikelihoodLoss";
  n->op = op_find("", n->op_type);
  n->nout = 1;
}

static int axis_loss(const Node *n, int in, int axis, int out)
{
  if (in == 2 || (in == 0 && axis == 1)) return AXIS_MIXES;
  if (out == 1) return in == 0 ? axis : AXIS_MIXES;
  if (reduction_of(n)) return AXIS_MIXES;
  return in == 0 && axis > 1 ? axis - 1 : axis;
}

#define ATTRS "ignore_index:i reduction:s"
static const OpRow nll_rows[] = {
  {12, "input:T target:I weight:T? -> loss:T", "T=float; I=i32 i64", ATTRS,
   NULL},
  {13, NULL, NULL, NULL, NULL},
  {22, NULL, "T=float bf16; I=i32 i64", NULL, NULL},
};
static const OpRow entropy_rows[] = {
  {12, "scores:T labels:I weights:T? -> output:T log_prob:T?",
   "T=float; I=i32 i64", ATTRS, NULL},
  {13, NULL, "T=float bf16; I=i32 i64", NULL, NULL},
};
static const OpDef defs[] = {
  {.name = "NegativeLogLikelihoodLoss", .rows = nll_rows,
   .nrow = COUNT(nll_rows), .infer = infer_loss, .lower = lower_nll,
   .axis = axis_loss},
  {.name = "SoftmaxCrossEntropyLoss", .rows = entropy_rows,
   .nrow = COUNT(entropy_rows), .infer = infer_loss, .lower = lower_entropy,
   .expand = expand_entropy, .axis = axis_loss},
};
OPS_DEFINE(loss, defs)
