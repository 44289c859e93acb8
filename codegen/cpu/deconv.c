/* SPDX-License-Identifier: Apache-2.0 */
/* ConvTranspose whose kernel is as large as its stride, channels last: every
 * input pixel becomes a block of its own, so a row of the kernel is a product
 * of pixels by [C, KW * M], which conv_f32.h writes where it belongs: KW
 * pixels of M channels lie together. Others go to the reference kernel. */
#include "cpu.h"

#include <math.h>

typedef struct {
  ConvGeom g;
  int64_t c, m, kh, kw;
  const Dim *h, *w;            /* of x; one axis is the columns */
} Deconv;

static bool blocks_only(const Node *n, Deconv *v)
{
  const Value *w = node_in(n, 1), *b = node_in(n, 2);
  DimPool *d = &n->g->m->dims;
  if (!node_is(n, "ConvTranspose") || n->in[0]->dtype != DT_F32 || !w->data ||
      (b && !b->data) || !conv_transpose_geometry(n, &v->g))
    return false;
  const ConvGeom *g = &v->g;
  if (!g->channels_last || g->group != 1 || g->n > 2)
    return false;
  for (int i = 0; i < g->n; i++)
    if (g->kernel[i] != g->stride[i] || g->extent[i] != g->kernel[i] ||
        !dim_is(g->begin[i], 0) ||
        g->out[i] != dim_mul(d, g->in[i], dim_int(d, g->stride[i])))
      return false;
  v->c = w->data->dim[0];
  v->m = w->data->dim[1];
  v->kh = g->n > 1 ? g->kernel[0] : 1;
  v->kw = g->kernel[g->n - 1];
  v->h = g->n > 1 ? g->in[0] : dim_int(d, 1);
  v->w = g->in[g->n - 1];
  return v->kw * v->m <= INT32_MAX / 16;
}

/* [KH][ceil(KW M / 16)][C][16] of [C, M, KH, KW]. */
static Value *pack_rows(const Node *n, const Deconv *v)
{
  Model *m = n->g->m;
  int64_t columns = v->kw * v->m, panels = (columns + 15) / 16;
  int64_t size = v->kh * panels * v->c * 16;
  Tensor *t = tensor_new(&m->arena, DT_F32, 1, &size);
  float *to = (float *)(uintptr_t)t->data;
  const float *from = tensor_aligned(m, n->in[1]->data);
  for (int64_t i = 0; i < v->kh; i++)
    for (int64_t o = 0; o < columns; o++)
      for (int64_t c = 0; c < v->c; c++)
        to[((i * panels + o / 16) * v->c + c) * 16 + o % 16] =
          from[((c * v->m + o % v->m) * v->kh + i) * v->kw + o / v->m];
  return value_const(n->g, "w_panels", t);
}

/* The bias of each of the KW pixels. */
static Value *repeat_bias(const Node *n, const Deconv *v)
{
  int64_t size = v->kw * v->m;
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 1, &size);
  for (int64_t i = 0; i < size; i++)
    tensor_set_f64(t, i, tensor_f64(n->in[2]->data, i % v->m));
  return value_const(n->g, "bias", t);
}

bool lower_deconv_f32(Plan *p, Node *n)
{
  Deconv v;
  DimPool *d = &p->m->dims;
  if (!blocks_only(n, &v))
    return false;
  int64_t columns = v.kw * v.m;
  const Dim *line = dim_mul(d, v.w, dim_int(d, columns));
  const Dim *x_row = dim_mul(d, v.w, dim_int(d, v.c));
  const Dim *y_row = dim_mul(d, line, dim_int(d, v.kh));
  Step *s = step_new(p, n, "DECONV_F32");
  step_in(s, "x", n->in[0]);
  step_in(s, "w", pack_rows(n, &v));
  if (node_in(n, 2))
    step_in(s, "b", repeat_bias(n, &v));
  step_out(s, "y", n->out[0]);
  step_text(s, "BIAS", node_in(n, 2) ? "b" : "NULL");
  step_i32(s, "H", v.h);
  step_i32(s, "W", v.w);
  step_int(s, "OC", columns);
  step_int(s, "C", v.c);
  step_int(s, "KH", v.kh);
  step_int(s, "WG", (columns + 15) / 16 * 16 * v.c);
  step_dim(s, "IMAGES", v.g.batch);
  step_dim(s, "LINE", line);
  step_dim(s, "X_ROW", x_row);
  step_dim(s, "Y_ROW", y_row);
  step_dim(s, "X_IMAGE", dim_mul(d, x_row, v.h));
  step_dim(s, "Y_IMAGE", dim_mul(d, y_row, v.h));
  step_float(s, "LO", -INFINITY);
  step_float(s, "HI", INFINITY);
  step_text(s, "STORAGE", s->symbols ? "" : "static ");
  s->kernel_note = "conv_f32 by rows of blocks";
  step_kernel(s, "conv_f32.h");
  int64_t pixels;
  if (dim_is_int(dim_mul(d, v.h, v.w), &pixels))
    s->macs = pixels * v.c * v.kh * columns;
  return true;
}
