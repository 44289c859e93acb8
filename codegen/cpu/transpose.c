/* SPDX-License-Identifier: Apache-2.0 */
/* Transposes that swap two runs of axes, behind any number of leading ones:
 * [.., A, B] to [.., B, A], by transpose.h. Axes that stay neighbours count as
 * one. Others go to the reference kernel.
 */
#include "cpu.h"

typedef struct {
  const Dim *dim[MAX_RANK];   /* of the merged input axes */
  int perm[MAX_RANK], rank;
} Merged;

static void merge(DimPool *d, const Value *x, const int64_t *perm, Merged *m)
{
  int first[MAX_RANK];
  int order[MAX_RANK];
  m->rank = 0;
  for (int i = 0; i < x->rank; i++) {
    if (dim_is(x->dim[perm[i]], 1))
      continue;
    bool joins = m->rank > 0;
    for (int a = m->rank ? order[m->rank - 1] + 1 : 0; joins && a < perm[i]; a++)
      joins = dim_is(x->dim[a], 1);
    if (joins && order[m->rank - 1] < perm[i]) {
      m->dim[m->rank - 1] = dim_mul(d, m->dim[m->rank - 1],
                                    x->dim[perm[i]]);
      order[m->rank - 1] = (int)perm[i];
      continue;
    }
    first[m->rank] = order[m->rank] = (int)perm[i];
    m->dim[m->rank++] = x->dim[perm[i]];
  }
  for (int i = 0; i < m->rank; i++) {
    m->perm[i] = 0;
    for (int k = 0; k < m->rank; k++)
      m->perm[i] += first[k] < first[i];
  }
}

bool lower_transpose(Plan *p, Node *n)
{
  int count;
  const int64_t *perm = attr_ints(n, "perm", &count);
  int size = dtype_info(n->in[0]->dtype)->size;
  Merged m;
  if (!node_is(n, "Transpose") || !perm || count != n->in[0]->rank ||
      (size != 1 && size != 2 && size != 4 && size != 8))
    return false;
  DimPool *d = &p->m->dims;
  merge(d, n->in[0], perm, &m);
  int lead = m.rank - 2;
  if ((lead != 0 && lead != 1) || m.perm[lead] != lead + 1 ||
      m.perm[lead + 1] != lead || (lead && m.perm[0] != 0))
    return false;
  Step *s = step_new(p, n, "TRANSPOSE");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  step_int(s, "BITS", size * 8);
  step_dim(s, "MATRICES", lead ? m.dim[0] : dim_int(d, 1));
  step_dim(s, "COLS", m.dim[lead]);
  step_dim(s, "ROWS", m.dim[lead + 1]);
  s->kernel_note = "transpose, 16x16 blocks";
  step_kernel(s, "transpose.h");
  return true;
}
