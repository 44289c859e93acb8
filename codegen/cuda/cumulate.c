/* SPDX-License-Identifier: Apache-2.0 */
/* CumSum and CumProd by kernels/cuda/cumulate.h, and Trilu, an element a
 * thread. */
#include "cuda.h"

static const Dtype numbers[] = {
  DT_F32, DT_F64, DT_F16, DT_BF16, DT_I8, DT_I16, DT_I32, DT_I64, DT_U8,
  DT_U16, DT_U32, DT_U64, DT_NONE,
};

bool cuda_takes_cumulate(const Plan *p, const Node *n)
{
  (void)p;
  return (node_is(n, "CumSum") || node_is(n, "CumProd")) &&
         n->in[0]->rank > 0 && cuda_all_types(n, numbers);
}

static void put_axis(Step *s, const Value *x, int64_t axis)
{
  DimPool *d = &s->plan->m->dims;
  int at = (int)(axis < 0 ? axis + x->rank : axis);
  const Dim *outer = dim_prod(d, x->dim, at);
  const Dim *inner = dim_prod(d, x->dim + at + 1, x->rank - at - 1);
  bool rows = dim_is(inner, 1);
  step_text(s, "WAY", rows ? "o2c_cumulate_rows" : "o2c_cumulate_columns");
  step_dim(s, "THREADS", dim_mul(d, outer, rows ? dim_int(d, 32) : inner));
  step_text(s, "ARGS", rows ? "%s, %s" : "%s, %s, %s",
            step_dim_text(s, outer), step_dim_text(s, x->dim[at]),
            step_dim_text(s, inner));
}

void cuda_lower_cumulate(Plan *p, Node *n)
{
  static const char *const word[] = { "false", "true" };
  const Value *x = n->in[0];
  const Tensor *axis = const_input(n, 1);
  Step *s = device_step(p, n, axis ? "CUDA_CUMULATE" : "CUDA_CUMULATE_DATA");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  cuda_put_class(s, "TYPE", x->dtype);
  step_text(s, "PRODUCT", "%s", word[node_is(n, "CumProd")]);
  step_text(s, "REVERSE", "%s", word[attr_int(n, "reverse", 0) != 0]);
  step_text(s, "EXCLUSIVE", "%s", word[attr_int(n, "exclusive", 0) != 0]);
  if (axis) {
    put_axis(s, x, tensor_i64(axis, 0));
  } else {
    step_in(s, "axis", n->in[1]);
    step_text(s, "DIM", "%s", cuda_list(s, x->rank, x->dim));
    step_int(s, "RANK", x->rank);
    step_dim(s, "THREADS", value_numel(x));
  }
  step_kernel(s, "cuda/cumulate.h");
  device_index(s, value_numel(x));
  s->kernel_note = "cuda cumulate";
}

bool cuda_takes_trilu(const Plan *p, const Node *n)
{
  (void)p;
  if (!node_is(n, "Trilu") || n->in[0]->rank < 2)
    return false;
  DtypeClass c = dtype_info(n->in[0]->dtype)->cls;
  return c != DC_COMPLEX && c != DC_STR && c != DC_NONE;
}

void cuda_lower_trilu(Plan *p, Node *n)
{
  const Value *x = n->in[0];
  Step *s = device_step(p, n, "CUDA_TRILU");
  step_in(s, "x", n->in[0]);
  if (node_in(n, 1))
    step_in(s, "shift", n->in[1]);
  step_out(s, "y", n->out[0]);
  step_text(s, "SHIFT", node_in(n, 1) ? "*shift" : "0");
  step_text(s, "KEEPS", attr_int(n, "upper", 1) ? ">=" : "<=");
  step_text(s, "T", "%s", dtype_info(x->dtype)->c);
  step_dim(s, "COUNT", value_numel(x));
  cuda_put_least(s, "ROWS", x->dim[x->rank - 2]);
  cuda_put_least(s, "COLS", x->dim[x->rank - 1]);
  device_index(s, value_numel(x));
  s->kernel_note = "cuda trilu";
}
