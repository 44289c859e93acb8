/* SPDX-License-Identifier: Apache-2.0 */
/* f32 Softmax and LogSoftmax by softmax_f32.h. */
#include "cpu.h"

bool lower_softmax_f32(Plan *p, Node *n)
{
  bool log = node_is(n, "LogSoftmax");
  if ((!log && !node_is(n, "Softmax")) || n->in[0]->dtype != DT_F32)
    return false;
  const Dim *span[3];
  softmax_span(n, span);
  Step *s = step_new(p, n, "SOFTMAX");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  step_in_place(s, "y", "x");
  step_text(s, "KERNEL", log ? "o2c_log_softmax_f32" : "o2c_softmax_f32");
  step_dim(s, "OUTER", span[0]);
  step_dim(s, "LENGTH", span[1]);
  step_dim(s, "INNER", span[2]);
  s->kernel_note = "softmax_f32";
  step_kernel(s, "softmax_f32.h");
  DimPool *d = &p->m->dims;
  step_split_rows(s, span[0], dim_mul(d, span[1], span[2]), TICKS_EXP);
  return true;
}
