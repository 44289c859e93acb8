/* SPDX-License-Identifier: Apache-2.0 */
/* Trilu: matrices cut along a diagonal. The diagonal is data, and may lie
 * outside of the matrix. */
#include "../ir.h"

static void infer_trilu(Node *n)
{
  const Value *x = node_in(n, 0), *k = node_in(n, 1);
  int64_t one;
  if (!infer_ready(n)) return;
  if (x->rank < 2) {
    fail_model(n, "the input has rank %d (spec: at least 2)", x->rank);
    return;
  }
  if (k && dim_is_int(value_numel(k), &one) && one != 1) {
    fail_model(n, "k has %lld elements (spec: one)", (long long)one);
    return;
  }
  infer_same(n, 0, 0);
}

static void lower_trilu(Lower *l, Node *n)
{
  Value *x = n->in[0];
  lower_call(l, n, "trilu", dtype_carrier(x->dtype), "iiodddk", x,
             node_in(n, 1), n->out[0],
             dim_prod(node_dims(n), x->dim, x->rank - 2), x->dim[x->rank - 2],
             x->dim[x->rank - 1], (int64_t)(attr_int(n, "upper", 1) != 0));
}

static int axis_trilu(const Node *n, int in, int axis, int out)
{
  (void)out;
  return in == 0 && axis < n->in[0]->rank - 2 ? axis : AXIS_MIXES;
}

static const OpRow trilu_rows[] = {
  {14, "input:T k:i64? -> output:T", "T=all13", "upper:i", NULL},
};
static const OpDef defs[] = {
  {.name = "Trilu", .rows = trilu_rows, .nrow = COUNT(trilu_rows),
   .infer = infer_trilu, .lower = lower_trilu, .axis = axis_trilu,
   .flags = OP_MOVES},
};
OPS_DEFINE(band, defs)
