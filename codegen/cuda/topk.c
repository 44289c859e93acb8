/* SPDX-License-Identifier: Apache-2.0 */
/* TopK by kernels/cuda/topk.h: rows are sorted where they fit into shared
 * memory; of longer ones, what is wanted is found first. */
#include "cuda.h"

bool cuda_takes_topk(const Plan *p, const Node *n)
{
  static const Dtype numbers[] = {
    DT_F32, DT_F64, DT_F16, DT_BF16, DT_I8, DT_I16, DT_I32, DT_I64, DT_U8,
    DT_U16, DT_U32, DT_U64, DT_NONE,
  };
  (void)p;
  return node_is(n, "TopK") && n->in[0]->rank > 0 &&
         cuda_all_types(n, numbers) && (node_out(n, 0) || node_out(n, 1));
}

static void put_shape(Step *s, const Value *x, const Value *y, int at)
{
  DimPool *d = &s->plan->m->dims;
  bool wide = x->dtype == DT_F64 || dtype_info(x->dtype)->cls != DC_FLOAT;
  int64_t n, most = wide ? 2048 : 4096;
  bool fixed = dim_is_int(x->dim[at], &n);
  step_dim(s, "OUTER", dim_prod(d, x->dim, at));
  step_dim(s, "LENGTH", x->dim[at]);
  step_dim(s, "INNER", dim_prod(d, x->dim + at + 1, x->rank - at - 1));
  step_dim(s, "TAKEN", y->dim[at]);
  step_int(s, "MOST", most);
  step_int(s, "THREADS", fixed && n <= 64 ? 32 : 256);
  step_text(s, "SORTED", !fixed ? "" : n <= most ? "1" : "0");
}

void cuda_lower_topk(Plan *p, Node *n)
{
  const Value *x = n->in[0], *y = node_out(n, 0) ? n->out[0] : n->out[1];
  int64_t axis = attr_int(n, "axis", -1);
  Step *s = device_step(p, n, "CUDA_TOPK");
  step_in(s, "x", n->in[0]);
  if (!const_input(n, 1))
    step_in(s, "given", n->in[1]);
  step_text(s, "GIVEN", const_input(n, 1) ? "NULL" : "given");
  if (node_out(n, 0))
    step_out(s, "values", n->out[0]);
  if (node_out(n, 1))
    step_out(s, "indices", n->out[1]);
  step_text(s, "VALUES", node_out(n, 0) ? "values" : "NULL");
  step_text(s, "INDICES", node_out(n, 1) ? "indices" : "NULL");
  cuda_put_class(s, "TYPE", x->dtype);
  step_text(s, "LARGEST", attr_int(n, "largest", 1) ? "true" : "false");
  put_shape(s, x, y, (int)(axis < 0 ? axis + x->rank : axis));
  step_kernel(s, "cuda/topk.h");
  device_index(s, value_numel(x));
  s->kernel_note = "cuda top k";
}
