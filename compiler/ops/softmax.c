/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax, LogSoftmax, Hardmax. The versions before 13 work on all axes from
 * `axis` on as one: the internal attribute `flatten` says so, unless there is
 * only one such axis. */
#include "ir.h"

void softmax_span(const Node *n, const Dim *e[3])
{
  const Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  int64_t axis = attr_int(n, "axis", -1);
  int at = (int)(axis < 0 ? axis + x->rank : axis);
  int end = attr_int(n, "flatten", 0) ? x->rank : at + 1;
  if (end > x->rank) /* a scalar */
    at = end = 0;
  e[0] = dim_prod(p, x->dim, at);
  e[1] = dim_prod(p, x->dim + at, end - at);
  e[2] = dim_prod(p, x->dim + end, x->rank - end);
}

static void infer_softmax(Node *n)
{
  const Value *x = node_in(n, 0);
  if (!infer_ready(n))
    return;
  if (x->rank > 0) {
    int axis = axis_norm(n, attr_int(n, "axis", -1), x->rank);
    if (axis < 0)
      return;
    if (axis == x->rank - 1)
      attr_remove(n, "flatten");
  }
  infer_same(n, 0, 0);
}

static void lower_softmax(Lower *l, Node *n)
{
  const Dim *e[3];
  const char *kernel = node_is(n, "Softmax")      ? "softmax"
                       : node_is(n, "LogSoftmax") ? "log_softmax"
                                                  : "hardmax";
  softmax_span(n, e);
  lower_call(l, n, kernel, node_in(n, 0)->dtype, "ioddd", node_in(n, 0),
             node_out(n, 0), e[0], e[1], e[2]);
}

static int axis_softmax(const Node *n, int in, int axis, int out)
{
  (void)in, (void)out;
  int64_t at = attr_int(n, "axis", -1);
  if (at < 0)
    at += n->in[0]->rank;
  bool mixes = attr_int(n, "flatten", 0) ? axis >= at : axis == at;
  return mixes ? AXIS_MIXES : axis;
}

static bool permute_softmax(Node *n, const int *perm, int rank)
{
  int64_t at = attr_int(n, "axis", -1);
  if (attr_int(n, "flatten", 0))
    return false;
  if (at < 0)
    at += rank;
  for (int i = 0; i < rank; i++)
    if (perm[i] == at) {
      attr_set_int(n, "axis", i);
      return true;
    }
  return false;
}

/* ONNX Softmax-13: one axis, by default the last. */
static void upgrade_flatten(Node *n)
{
  attr_set_int(n, "axis", attr_int(n, "axis", 1));
  attr_set_int(n, "flatten", 1);
}

static const OpRow rows[] = {
  { 1, "input:T -> output:T", "T=float", "axis:i", NULL },
  { 11, NULL, NULL, NULL, upgrade_flatten },
  { 13, NULL, "T=float bf16", NULL, NULL },
};

#define SOFTMAX(op) \
  { .name = op, .rows = rows, .nrow = COUNT(rows), .infer = infer_softmax, \
    .lower = lower_softmax, .axis = axis_softmax, .permute = permute_softmax }

static const OpDef defs[] = {
  SOFTMAX("Softmax"), SOFTMAX("LogSoftmax"), SOFTMAX("Hardmax"),
};

OPS_DEFINE(softmax, defs)
