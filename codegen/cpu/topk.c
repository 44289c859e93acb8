/* SPDX-License-Identifier: Apache-2.0 */
/* TopK of f32 by topk_f32.h: constant k that is small, along the last axis. */
#include "cpu.h"

#define MOST 32 /* O2C_TOPK_MOST */

bool lower_topk_f32(Plan *p, Node *n)
{
  if (!node_is(n, "TopK") || n->in[0]->dtype != DT_F32)
    return false;
  const Value *x = n->in[0];
  const Tensor *k = const_input(n, 1);
  int64_t axis = attr_int(n, "axis", -1), size;
  if (!k || k->n != 1 || tensor_i64(k, 0) > MOST ||
      (axis != -1 && axis != x->rank - 1) ||
      (dim_is_int(x->dim[x->rank - 1], &size) && size > INT32_MAX))
    return false;
  Value *values = node_out(n, 0), *at = node_out(n, 1);
  const Value *y = values ? values : at;
  if (!y)
    return false;
  Step *s = step_new(p, n, "TOPK");
  step_in(s, "x", n->in[0]);
  if (values)
    step_out(s, "values", values);
  if (at)
    step_out(s, "indices", at);
  else
    step_scratch(s, "indices", DT_I64, value_numel(y));
  step_text(s, "VALUES", values ? "values" : "NULL");
  step_dim(s, "ROWS", dim_prod(&p->m->dims, x->dim, x->rank - 1));
  step_dim(s, "N", x->dim[x->rank - 1]);
  step_int(s, "K", tensor_i64(k, 0));
  step_int(s, "LARGEST", attr_int(n, "largest", 1) != 0);
  s->status = true;
  s->kernel_note = "topk_f32";
  step_kernel(s, "topk_f32.h");
  return true;
}
