/* SPDX-License-Identifier: Apache-2.0 */
/* Einsum, where the graph could not make it a MatMul: one or several threads
 * for each sum; and Det, a block for each matrix. */
#include "cuda.h"

#include <string.h>

static const Dtype numbers[] = {
  DT_F32, DT_F64, DT_F16, DT_BF16, DT_I8, DT_I16, DT_I32, DT_I64, DT_U8,
  DT_U16, DT_U32, DT_U64, DT_NONE,
};

bool cuda_takes_einsum(const Plan *p, const Node *n)
{
  Call c;
  return node_is(n, "Einsum") && cuda_all_types(n, numbers) &&
         cuda_one_call(p, n, &c);
}

/* Threads that share a sum: one where there are outputs enough. */
static int share_of(const Dim *outputs, const Dim *length)
{
  int64_t many, k;
  bool fixed = dim_is_int(length, &k);
  if (fixed && k <= 32)
    return 1;
  if (dim_is_int(outputs, &many) && many >= 1 << 15)
    return 1;
  return fixed && k > 4096 ? 256 : 32;
}

/* einsum: x u y, rank inner, dim xs us over xo uo */
void cuda_lower_einsum(Plan *p, Node *n)
{
  Call c;
  DimPool *d = &p->m->dims;
  node_calls(p, n, &c, 1);
  int rank = c.arg[5].n, inner = c.arg[8].n;
  const Dim *count = dim_prod(d, c.arg[5].dim, rank);
  const Dim *length = dim_prod(d, c.arg[8].dim, inner);
  Value *x = c.arg[0].v, *u = c.arg[1].v;
  Step *s = device_step(p, n, "CUDA_EINSUM");
  step_in(s, "x", x);
  if (u && u != x)
    step_in(s, "u", u);
  step_out(s, "y", n->out[0]);
  step_text(s, "U", "%s", !u ? "" : u == x ? "x" : "u");
  step_dim(s, "COUNT", count);
  step_dim(s, "LENGTH", length);
  step_int(s, "SHARE", share_of(count, length));
  step_text(s, "XAT", "%s", cuda_offset(s, "e", rank, c.arg[5].dim,
                                        c.arg[6].dim));
  step_text(s, "UAT", "%s", cuda_offset(s, "e", rank, c.arg[5].dim,
                                        c.arg[7].dim));
  step_text(s, "XR", "%s", cuda_offset(s, "r", inner, c.arg[8].dim,
                                       c.arg[9].dim));
  step_text(s, "UR", "%s", cuda_offset(s, "r", inner, c.arg[8].dim,
                                       c.arg[10].dim));
  cuda_put_class(s, "TYPE", x->dtype);
  step_kernel(s, "cuda/type.h");
  step_kernel(s, "cuda/block.h");
  device_index(s, dim_max(d, dim_mul(d, count, dim_int(d, 256)),
                          dim_max(d, value_numel(x), u ? value_numel(u)
                                                       : length)));
  s->kernel_note = "cuda contraction";
}

bool cuda_takes_det(const Plan *p, const Node *n)
{
  (void)p;
  return node_is(n, "Det") && cuda_float_type(n->in[0]->dtype);
}

void cuda_lower_det(Plan *p, Node *n)
{
  Step *s = device_step(p, n, "CUDA_DET");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  step_scratch(s, "room", DT_F64, value_numel(n->in[0]));
  step_dim(s, "N", n->in[0]->dim[n->in[0]->rank - 1]);
  step_dim(s, "COUNT", value_numel(n->out[0]));
  cuda_put_class(s, "TYPE", n->in[0]->dtype);
  step_kernel(s, "cuda/type.h");
  step_kernel(s, "cuda/block.h");
  s->kernel_note = "cuda determinant";
}
