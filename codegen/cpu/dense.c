/* SPDX-License-Identifier: Apache-2.0 */
/* Small f32 products with constant weights: FusedGemm of a few rows by
 * dense_f32.h, whose loops are inlined with literal sizes. Such a step has
 * nothing to prepare, and is inlined itself.
 */
#include "cpu.h"

/* Rows and weights that this is for: what stays in the first-level cache. */
#define MOST_ROWS 8
#define MOST_WEIGHTS 8192

/* [n][k]. */
static Value *pack_columns(Node *n)
{
  const Tensor *w = n->in[1]->data;
  int64_t k, columns, size = w->n;
  bool turned = gemm_is_turned(n, &k, &columns);
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 1, &size);
  float *to = (float *)(uintptr_t)t->data;
  const float *from = tensor_aligned(n->g->m, w);
  for (int64_t i = 0; i < k; i++)
    for (int64_t j = 0; j < columns; j++)
      to[j * k + i] = from[turned ? j * k + i : i * columns + j];
  return value_const(n->g, "w_columns", t);
}

static bool is_small(Plan *p, const Node *n)
{
  const Tensor *w = n->in[1]->data;
  const Value *x = n->in[0];
  const Dim *rows = dim_prod(&p->m->dims, (const Dim *const *)x->dim,
                             x->rank - 1);
  int64_t m;
  return dim_is_int(rows, &m) && m <= MOST_ROWS && w->n > 0 &&
         w->n <= MOST_WEIGHTS;
}

/* Do vectors along k, each summed at the end, take fewer loads than columns of
 * 16, which load each element of x once more? */
static bool by_dots(const Node *n)
{
  int64_t k, columns;
  gemm_is_turned(n, &k, &columns);
  return columns * ((k + 15) / 16 + 4) < ((columns + 15) / 16 + 1) * k;
}

bool lower_dense_f32(Plan *p, Node *n)
{
  if (!node_is_internal(n, "FusedGemm") || !is_small(p, n))
    return false;
  bool dots = by_dots(n);
  Step *s = step_new(p, n, "DENSE_F32");
  step_in(s, "x", n->in[0]);
  step_in(s, "w", dots ? pack_columns(n) : gemm_pack_panels(n));
  gemm_put_operands(s, n);
  step_text(s, "KERNEL", dots ? "o2c_dots_f32" : "o2c_dense_f32");
  step_kernel(s, "dense_f32.h");
  s->kernel_note = dots ? "dense_f32, columns" : "dense_f32, panel-16 weights";
  s->small = true;
  return true;
}
