/* SPDX-License-Identifier: Apache-2.0 */
/* --math fast: convolutions and products with constant weights by
 * conv_bf16.h. Weights are rounded to bfloat16 here, once; the input is
 * rounded as it is copied into scratch, with the convolution's border around
 * it. Groups and depthwise filters stay as they are: they have too few
 * products for each number that would have to be rounded.
 */
#include "cpu.h"

#include <string.h>

#include "conv_bf16.h"

bool math_is_fast(const Plan *p)
{
  return p->m->opt->math && !strcmp(p->m->opt->math, "fast");
}

/* Columns [k][..] of `filters` as [panel][tap][pair][16][2]. */
typedef struct {
  const float *from;
  int64_t filters, ntap, kc;
  int64_t filter, tap, k;   /* elements between them in `from` */
} Source;

static Value *pack_pairs(Node *n, const Source *s)
{
  int64_t pairs = (s->kc + 1) / 2;
  int64_t size = (s->filters + 15) / 16 * s->ntap * pairs * 32;
  Tensor *t = tensor_new(&n->g->m->arena, DT_BF16, 1, &size);
  uint16_t *to = (uint16_t *)(uintptr_t)t->data;
  for (int64_t o = 0; o < s->filters; o++)
    for (int64_t i = 0; i < s->ntap; i++)
      for (int64_t k = 0; k < s->kc; k++) {
        int64_t at = (o / 16 * s->ntap + i) * pairs + k / 2;
        to[(at * 16 + o % 16) * 2 + k % 2] =
          o2c_bf16_of(s->from[o * s->filter + i * s->tap + k * s->k]);
      }
  return value_const(n->g, "w_pairs", t);
}

/* Taps are kernel rows of kw * C inputs: those of one filter, reordered. */
static Value *pack_filters(const Conv *v, const Tensor *w)
{
  int64_t area = v->kh * v->kw, filter = area * v->c;
  const float *from = tensor_aligned(v->n->g->m, w);
  float *rows = arena_array(&v->n->g->m->arena, sizeof *rows,
                            (size_t)(v->oc * filter));
  for (int64_t o = 0; o < v->oc; o++)
    for (int64_t c = 0; c < v->c; c++)
      for (int64_t e = 0; e < area; e++)
        rows[o * filter + e * v->c + c] = from[o * filter + c * area + e];
  int64_t ntap = conv_row_taps(v) ? v->kh : area;
  const Source s = { rows, v->oc, ntap, filter / ntap, filter, filter / ntap,
                     1 };
  return pack_pairs(v->n, &s);
}

/* Worth it where each rounded input meets many filters. */
static bool conv_fits(const Conv *v)
{
  return v->g.group == 1 && v->oc >= 16 && v->c * v->kh * v->kw >= 8;
}

static bool lower_conv_bf16(Plan *p, Node *n)
{
  Conv v;
  if (!conv_shape(p, n, &v) || !conv_fits(&v))
    return false;
  /* The copy is dense, whatever the input's storage. */
  v.hx = NULL;
  v.pad = true;
  v.padded = DT_BF16;
  v.xc = v.c;
  v.wp = dim_add(v.d, v.w, dim_add(v.d, v.left, v.right));
  Step *s = v.s = step_new(p, n, "CONV_BF16");
  conv_put_taps(&v);
  conv_put_operands(&v, pack_filters(&v, n->in[1]->data));
  step_text(s, "FROM", "%s", stored_pixels(s, "x", n->in[0]));
  step_int(s, "OC", v.oc);
  s->kernel_note = "conv_bf16, panel-16 weights";
  step_kernel(s, "conv_bf16.h");
  return true;
}

static bool lower_gemm_bf16(Plan *p, Node *n)
{
  const Tensor *w = n->in[1]->data;
  int64_t k, columns;
  bool turned = gemm_is_turned(n, &k, &columns);
  DimPool *d = &p->m->dims;
  Value *x = n->in[0];
  const Dim *rows = dim_prod(d, (const Dim *const *)x->dim, x->rank - 1);
  const Source from = { tensor_aligned(n->g->m, w), columns, 1, k,
                        turned ? k : 1, 0, turned ? 1 : columns };
  if (k < 8)
    return false;
  Step *s = step_new(p, n, "GEMM_BF16");
  step_in(s, "x", x);
  step_in(s, "w", pack_pairs(n, &from));
  gemm_put_operands(s, n);
  step_scratch(s, "xp", DT_BF16,
               dim_add(d, dim_mul(d, rows, dim_int(d, k)), dim_int(d, 1)));
  step_kernel(s, "conv_bf16.h");
  s->kernel_note = "conv_bf16 as a product, panel-16 weights";
  return true;
}

bool lower_bf16(Plan *p, Node *n)
{
  if (!math_is_fast(p))
    return false;
  if (node_is_internal(n, "FusedConv"))
    return lower_conv_bf16(p, n);
  return node_is_internal(n, "FusedGemm") && lower_gemm_bf16(p, n);
}
