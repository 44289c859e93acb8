/* SPDX-License-Identifier: Apache-2.0 */
/* RotaryEmbedding: a pair of numbers, or one that stays, a thread. */
#include "cuda.h"

bool cuda_takes_rotary(const Plan *p, const Node *n)
{
  Call c;
  return node_is(n, "RotaryEmbedding") &&
         cuda_float_type(n->in[0]->dtype) && cuda_one_call(p, n, &c);
}

/* rotary: x cosines sines place y, dim step, neighbours */
void cuda_lower_rotary(Plan *p, Node *n)
{
  static const char *const size[] = {
    "BATCH", "HEADS", "TOKENS", "WIDTH", "TURNED", "ROWS"
  };
  static const char *const step[] = { "XN", "XH", "XT", "PN", "PT" };
  Call c;
  DimPool *d = &p->m->dims;
  cuda_one_call(p, n, &c);
  const Dim *const *dim = c.arg[5].dim;
  Step *s = device_step(p, n, "CUDA_ROTARY");
  step_in(s, "x", c.arg[0].v);
  step_in(s, "cosines", c.arg[1].v);
  step_in(s, "sines", c.arg[2].v);
  if (c.arg[3].v)
    step_in(s, "place", c.arg[3].v);
  step_out(s, "y", n->out[0]);
  step_text(s, "PLACE", c.arg[3].v ? "place" : "");
  for (int i = 0; i < COUNT(size); i++)
    cuda_put_least(s, size[i], dim[i]);
  for (int i = 0; i < COUNT(step); i++)
    cuda_put_dim(s, step[i], c.arg[6].dim[i]);
  const Dim *half = dim_div(d, dim[4], dim_int(d, 2));
  const Dim *each = dim_sub(d, dim[3], half); /* pairs, and what stays */
  cuda_put_dim(s, "HALF", half);
  cuda_put_least(s, "EACH", each);
  step_dim(s, "COUNT", dim_mul(d, dim_prod(d, dim, 3), each));
  step_text(s, "NEIGHBOURS", dim_is(c.arg[7].dim[0], 0) ? "" : "1");
  cuda_put_class(s, "TYPE", n->in[0]->dtype);
  step_kernel(s, "cuda/type.h");
  step_kernel(s, "cuda/pick.h");
  device_index(s, value_numel(n->in[0]));
  s->kernel_note = "cuda rotary";
}
