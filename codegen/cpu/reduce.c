/* SPDX-License-Identifier: Apache-2.0 */
/* f32 ReduceSum, ReduceMean, ReduceMax and ReduceMin over neighbouring axes,
 * by reduce_f32.h. Others go to the reference kernels. */
#include "cpu.h"
#include "ops.h"

/* The reduced axes as the middle of [outer][n][inner]. */
static bool middle(const Node *n, const Dim *span[3])
{
  const Value *x = n->in[0];
  DimPool *d = &n->g->m->dims;
  bool gone[MAX_RANK];
  int first = -1, last = -1;
  if (!reduce_axes(n, gone))
    return false;
  for (int i = 0; i < x->rank; i++)
    if (gone[i] && !dim_is(x->dim[i], 1)) {
      first = first < 0 ? i : first;
      last = i;
    }
  if (first < 0)
    return false;
  for (int i = first; i <= last; i++)
    if (!gone[i] && !dim_is(x->dim[i], 1))
      return false;
  span[0] = dim_prod(d, x->dim, first);
  span[1] = dim_prod(d, x->dim + first, last + 1 - first);
  span[2] = dim_prod(d, x->dim + last + 1, x->rank - last - 1);
  return true;
}

bool lower_reduce_f32(Plan *p, Node *n)
{
  bool mean = node_is(n, "ReduceMean"), least = node_is(n, "ReduceMin");
  bool sum = mean || node_is(n, "ReduceSum");
  const Dim *span[3];
  if ((!sum && !least && !node_is(n, "ReduceMax")) ||
      n->in[0]->dtype != DT_F32 || !middle(n, span))
    return false;
  Step *s = step_new(p, n, "REDUCE");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  step_text(s, "KERNEL", sum ? "o2c_reduce_sum_f32" : "o2c_reduce_max_f32");
  step_dim(s, "OUTER", span[0]);
  step_dim(s, "LENGTH", span[1]);
  step_dim(s, "INNER", span[2]);
  if (mean)
    step_text(s, "FACTOR", "(float)(%s)", step_dim_text(s, span[1]));
  else
    step_float(s, "FACTOR", least ? -1.0 : 1.0);
  s->kernel_note = "reduce_f32";
  step_kernel(s, "reduce_f32.h");
  return true;
}
