/* SPDX-License-Identifier: Apache-2.0 */
/* What support vector machines need beside their kernels, by svm_f32.h. */
#include "cpu.h"

#define LANES 16 /* O2C_SVC_LANES */

static void put_scores(Step *s, Node *n, bool pairs)
{
  step_in(s, "k", n->in[0]);
  step_in(s, "coef", n->in[1]);
  if (pairs)
    step_in(s, "start", n->in[2]);
  step_in(s, "rho", n->in[pairs ? 3 : 2]);
  step_out(s, "y", n->out[0]);
  step_dim(s, "COLUMNS", n->in[0]->dim[1]);
}

/* Votes in scratch; or probabilities, which O2C_SVC_ROOM serves. */
static void put_classes(Step *s, Node *n, bool shares, int64_t c)
{
  DimPool *d = &s->plan->m->dims;
  step_in(s, "scores", n->in[0]);
  if (shares) {
    step_in(s, "a", n->in[1]);
    step_in(s, "b", n->in[2]);
  }
  step_out(s, "y", n->out[0]);
  if (shares)
    step_scratch(s, "room", DT_F32, dim_int(d, (2 * c * c + 2 * c) * LANES));
  else
    step_scratch(s, "votes", DT_I64, dim_int(d, c));
}

bool lower_svm_f32(Plan *p, Node *n)
{
  static const struct { const char *op, *step; } known[] = {
    { "SvrScores", "SVR_SCORES" }, { "SvcScores", "SVC_SCORES" },
    { "SvcVotes", "SVC_VOTES" }, { "SvcShares", "SVC_SHARES" },
  };
  int k = 0;
  while (k < COUNT(known) && !node_is_internal(n, known[k].op))
    k++;
  if (k == COUNT(known))
    return false;
  int64_t classes = attr_int(n, "classes", 1);
  Step *s = step_new(p, n, known[k].step);
  if (k < 2)
    put_scores(s, n, k == 1);
  else
    put_classes(s, n, k == 3, classes);
  step_dim(s, "ROWS", n->in[0]->dim[0]);
  step_int(s, "CLASSES", classes);
  s->kernel_note = "svm_f32";
  step_kernel(s, "svm_f32.h");
  return true;
}
