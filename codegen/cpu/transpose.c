/* SPDX-License-Identifier: Apache-2.0 */
/* Transposes that swap two runs of axes, behind any number of leading ones:
 * [.., A, B] to [.., B, A], by
 * ref/matrix.h. Axes that stay neighbours count as
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
    int a = m->rank ? order[m->rank - 1] + 1 : 0;
    for (; joins && a < perm[i]; a++)
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

/* The matrices one after the other, on both sides. */
static void put_dense(Step *s, const Dim *n, const Dim *rows, const Dim *cols)
{
  DimPool *d = &s->plan->m->dims;
  const Dim *all = dim_mul(d, rows, cols);
  step_dim(s, "MATRICES", n);
  step_dim(s, "ROWS", rows);
  step_dim(s, "COLS", cols);
  step_dim(s, "X_NEXT", all);
  step_dim(s, "X_ROW", cols);
  step_dim(s, "Y_NEXT", all);
  step_dim(s, "Y_ROW", rows);
  step_text(s, "Y", "y");
  step_int(s, "BORDER", 0);
}

/* [1, C, H, W] to [1, H, W, C] with a border: a matrix for each image row. */
static void put_bordered(Step *s, const Value *y, const Halo *h)
{
  int64_t rows, cols, c, size = dtype_info(y->dtype)->size;
  dim_is_int(y->dim[1], &rows);
  dim_is_int(y->dim[2], &cols);
  dim_is_int(y->dim[3], &c);
  int64_t wide = (cols + h->left + h->right) * c;
  step_int(s, "MATRICES", rows);
  step_int(s, "ROWS", c);
  step_int(s, "COLS", cols);
  step_int(s, "X_NEXT", cols);
  step_int(s, "X_ROW", rows * cols);
  step_int(s, "Y_NEXT", wide);
  step_int(s, "Y_ROW", c);
  step_text(s, "Y", "y + %lld", (long long)(h->top * wide + h->left * c));
  halo_put_border(s, h, rows, cols, c * size);
}

/* The image's Transpose to channels-last, for a border; see halo.c. */
bool transpose_to_last(const Node *n)
{
  int count;
  const int64_t *perm = attr_ints(n, "perm", &count);
  return node_is(n, "Transpose") && perm && count == 4 && perm[0] == 0 &&
         perm[1] == 2 && perm[2] == 3 && perm[3] == 1;
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
  const Halo *h = halo_find(p, n->out[0]);
  merge(d, n->in[0], perm, &m);
  int lead = m.rank - 2;
  if (!h && ((lead != 0 && lead != 1) || m.perm[lead] != lead + 1 ||
             m.perm[lead + 1] != lead || (lead && m.perm[0] != 0)))
    return false;
  Step *s = step_new(p, n, "TRANSPOSE");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  if (h)
    put_bordered(s, n->out[0], h);
  else /* m.dim is in the order of the result: columns of x come first */
    put_dense(s, lead ? m.dim[0] : dim_int(d, 1), m.dim[lead + 1],
              m.dim[lead]);
  Dtype carrier = dtype_carrier(n->in[0]->dtype);
  step_text(s, "KERNEL", "o2c_ref_matrix_%s", dtype_info(carrier)->name);
  s->kernel_note = "transpose, 16x16 blocks";
  step_ref(s, "matrix", carrier);
  return true;
}
