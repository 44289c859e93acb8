/* SPDX-License-Identifier: Apache-2.0 */
/* DynamicQuantizeLinear by ew_u8.h. Quantisation by known scales is
 * elementwise. */
#include "cpu.h"

bool lower_dynamic_quantize(Plan *p, Node *n)
{
  static const char *const name[] = { "y", "scale", "zero" };
  if (!node_is(n, "DynamicQuantizeLinear"))
    return false;
  for (int i = 0; i < 3; i++)
    if (!node_out(n, i))
      return false;
  Step *s = step_new(p, n, "DYNAMIC_QUANTIZE");
  step_in(s, "x", n->in[0]);
  for (int i = 0; i < 3; i++)
    step_out(s, name[i], n->out[i]);
  step_dim(s, "N", value_numel(n->in[0]));
  step_kernel(s, "ew_u8.h");
  s->kernel_note = "ew_u8";
  return true;
}
