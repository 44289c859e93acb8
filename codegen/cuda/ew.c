/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise nodes and fused chains; the text is that of codegen/cpu/ew.c,
 * with an element for each thread in place of the loops. */
#include "cuda.h"

bool cuda_takes_ew(const Plan *p, const Node *n)
{
  (void)p;
  return ew_takes((Node *)(uintptr_t)n);
}

void cuda_lower_ew(Plan *p, Node *n)
{
  lower_ew_grid(p, n);
}
