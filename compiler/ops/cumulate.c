/* SPDX-License-Identifier: Apache-2.0 */
/* CumSum and CumProd. The axis is data: where it is no constant, the kernel
 * checks it. */
#include "../ir.h"

static void infer_cumulate(Node *n)
{
  const Value *x = node_in(n, 0), *axis = node_in(n, 1);
  int64_t one;
  if (!infer_ready(n)) return;
  if (dim_is_int(value_numel(axis), &one) && one != 1) {
    fail_model(n, "axis has %lld elements (spec: one)", (long long)one);
    return;
  }
  if (axis->data && axis_norm(n, tensor_i64(axis->data, 0), x->rank) < 0)
    return;
  infer_same(n, 0, 0);
}

static void lower_cumulate(Lower *l, Node *n)
{
  Value *x = n->in[0], *axis = n->in[1];
  lower_call(l, n, "cumulate", x->dtype, "iiokkkkkD", x, axis, n->out[0],
             (int64_t)dtype_info(axis->dtype)->size,
             (int64_t)node_is(n, "CumProd"),
             (int64_t)(attr_int(n, "reverse", 0) != 0),
             (int64_t)(attr_int(n, "exclusive", 0) != 0), (int64_t)x->rank,
             x->dim, x->rank);
}

static int axis_cumulate(const Node *n, int in, int axis, int out)
{
  const Tensor *t = n->in[1]->data;
  int64_t own = t ? tensor_i64(t, 0) : axis;
  (void)out;
  if (own < 0) own += n->in[0]->rank;
  return in == 0 && axis != own ? axis : AXIS_MIXES;
}

#define SIG "x:T axis:I -> y:T"
#define ATTRS "exclusive:i reverse:i"
static const OpRow sum_rows[] = {
  {11, SIG, "T=f32 f64 i32 i64 u32 u64; I=i32 i64", ATTRS, NULL},
  {14, NULL, "T=num32 bf16; I=i32 i64", NULL, NULL},
};
static const OpRow prod_rows[] = {
  {26, SIG, "T=num32 bf16; I=i32 i64", ATTRS, NULL},
};

static const OpDef defs[] = {
  {.name = "CumSum", .rows = sum_rows, .nrow = COUNT(sum_rows),
   .infer = infer_cumulate, .lower = lower_cumulate, .axis = axis_cumulate},
  {.name = "CumProd", .rows = prod_rows, .nrow = COUNT(prod_rows),
   .infer = infer_cumulate, .lower = lower_cumulate, .axis = axis_cumulate},
};
OPS_DEFINE(cumulate, defs)
