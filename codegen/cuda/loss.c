/* SPDX-License-Identifier: Apache-2.0 */
/* NegativeLogLikelihoodLoss; SoftmaxCrossEntropyLoss has become that and a
 * LogSoftmax. Sums are double, in one order. */
#include "cuda.h"

#include <string.h>

bool cuda_takes_loss(const Plan *p, const Node *n)
{
  Call c;
  return node_is(n, "NegativeLogLikelihoodLoss") &&
         cuda_float_type(n->in[0]->dtype) && cuda_one_call(p, n, &c);
}

/* nll_loss: x target weight y, width ignoring ignore reduction, n c s */
void cuda_lower_loss(Plan *p, Node *n)
{
  Call c;
  DimPool *d = &p->m->dims;
  node_calls(p, n, &c, 1);
  Value *weight = c.arg[2].v;
  bool sums = !dim_is(c.arg[7].dim[0], 0);
  Step *s = device_step(p, n, sums ? "CUDA_LOSS_SUM" : "CUDA_LOSS");
  step_in(s, "x", c.arg[0].v);
  step_in(s, "target", c.arg[1].v);
  if (weight)
    step_in(s, "weights", weight);
  step_out(s, "y", n->out[0]);
  if (sums)
    step_scratch(s, "part", DT_F64, dim_int(d, 512));
  step_text(s, "MEAN", dim_is(c.arg[7].dim[0], 2) ? "true" : "false");
  step_text(s, "IGNORED", "%s", dim_is(c.arg[5].dim[0], 0) ? "false"
            : arena_printf(p->a, "at == %s",
                           step_dim_text(s, c.arg[6].dim[0])));
  step_text(s, "WEIGHT", weight ? "E::load(weights[at])" : "1");
  step_dim(s, "COUNT", value_numel(c.arg[1].v));
  step_dim(s, "CLASSES", c.arg[9].dim[0]);
  cuda_put_least(s, "INNER", c.arg[10].dim[0]);
  cuda_put_class(s, "TYPE", c.type);
  cuda_put_unused(s);
  step_kernel(s, "cuda/type.h");
  step_kernel(s, "cuda/block.h");
  s->kernel_note = "cuda loss";
}
