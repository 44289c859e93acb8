/* SPDX-License-Identifier: Apache-2.0 */
/* MaxUnpool and Col2Im. The latter asks each pixel which blocks it is in, so
 * that its sum has one order. */
#include "cuda.h"

bool cuda_takes_unpool(const Plan *p, const Node *n)
{
  (void)p;
  return node_is(n, "MaxUnpool") && cuda_float_type(n->in[0]->dtype);
}

/* max_unpool: x index y, n rank, inner out */
void cuda_lower_unpool(Plan *p, Node *n)
{
  Call c;
  node_calls(p, n, &c, 1);
  Value *x = n->in[0], *y = n->out[0];
  Step *s = device_step(p, n, "CUDA_UNPOOL");
  step_in(s, "x", x);
  step_in(s, "index", n->in[1]);
  step_out(s, "y", y);
  step_scratch(s, "last", DT_I64, value_numel(y));
  step_dim(s, "COUNT", value_numel(x));
  step_dim(s, "PLACES", value_numel(y));
  step_text(s, "IN", "%s", cuda_list(s, x->rank, c.arg[5].dim));
  step_text(s, "OUT", "%s", cuda_list(s, y->rank, c.arg[6].dim));
  step_int(s, "RANK", x->rank);
  step_text(s, "T", "%s", dtype_info(x->dtype)->c);
  cuda_put_unused(s);
  step_kernel(s, "cuda/pick.h");
  s->kernel_note = "cuda unpool";
}

bool cuda_takes_col2im(const Plan *p, const Node *n)
{
  Call c;
  return node_is(n, "Col2Im") && cuda_one_call(p, n, &c);
}

/* col2im: x block y, n c rows blocks axes, in begin end stride dilation */
void cuda_lower_col2im(Plan *p, Node *n)
{
  static const char *const key[] = {
    "IN", "BEGIN", "END", "STRIDE", "DILATION"
  };
  Call c;
  node_calls(p, n, &c, 1);
  int axes = c.arg[8].n;
  Step *s = device_step(p, n, "CUDA_COL2IM");
  step_in(s, "x", n->in[0]);
  step_in(s, "block", n->in[2]);
  step_out(s, "y", n->out[0]);
  for (int i = 0; i < COUNT(key); i++)
    step_text(s, key[i], "%s", cuda_list(s, axes, c.arg[8 + i].dim));
  step_dim(s, "C", c.arg[4].dim[0]);
  step_dim(s, "ROWS", c.arg[5].dim[0]);
  step_dim(s, "BLOCKS", c.arg[6].dim[0]);
  cuda_put_least(s, "PIXELS", dim_prod(&p->m->dims, c.arg[8].dim, axes));
  step_dim(s, "COUNT", value_numel(n->out[0]));
  step_int(s, "AXES", axes);
  step_text(s, "ELEMENT", "%s", dtype_info(c.type)->name);
  step_ref(s, "unpool", c.type);
  s->kernel_note = "cuda col2im";
}
