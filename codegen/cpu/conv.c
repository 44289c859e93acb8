/* SPDX-License-Identifier: Apache-2.0 */
/* f32 convolutions and products with constant weights: FusedConv and FusedGemm
 * by the kernels conv_f32.h (implicit GEMM over panel-16 weights) and dw_f32.h
 * (one filter for each channel).
 *
 * A kernel row of a group-less, undilated convolution reads kw * C contiguous
 * inputs, so it is one tap; otherwise each kernel element is one. Padding is a
 * copy of the image into scratch with a border.
 */
#include "target.h"

#include <math.h>
#include <string.h>

typedef struct {
  Step *s;
  Node *n;
  DimPool *d;
  ConvGeom g;
  int64_t c, oc, cg, og;        /* channels; per group */
  int64_t kh, kw, sh, sw, dh, dw;
  const Dim *h, *w, *oh, *ow;   /* spatial extents; 1-D has one row */
  const Dim *top, *bottom, *left, *right;
  const Dim *wp;                /* width with padding */
  bool pad;
} Conv;

static bool is_zero(const Dim *d) { return dim_is(d, 0); }

/* Spatial axes as rows and columns: a single axis is the columns. */
static bool read_conv(Plan *p, Node *n, Conv *v)
{
  memset(v, 0, sizeof *v);
  v->n = n;
  v->d = &p->m->dims;
  if (!conv_geometry(n, &v->g) || !dim_is_int(v->g.channels, &v->c) ||
      !dim_is_int(v->g.filters, &v->oc))
    return false;
  const ConvGeom *g = &v->g;
  const Dim *one = dim_int(v->d, 1), *zero = dim_int(v->d, 0);
  bool rows = g->n == 2;
  int x = rows ? 1 : 0;
  v->cg = v->c / g->group;
  v->og = v->oc / g->group;
  v->kh = rows ? g->kernel[0] : 1;
  v->sh = rows ? g->stride[0] : 1;
  v->dh = rows ? g->dilation[0] : 1;
  v->kw = g->kernel[x];
  v->sw = g->stride[x];
  v->dw = g->dilation[x];
  v->h = rows ? g->in[0] : one;
  v->oh = rows ? g->out[0] : one;
  v->top = rows ? g->begin[0] : zero;
  v->bottom = rows ? g->end[0] : zero;
  v->w = g->in[x];
  v->ow = g->out[x];
  v->left = g->begin[x];
  v->right = g->end[x];
  v->wp = dim_add(v->d, v->w, dim_add(v->d, v->left, v->right));
  v->pad = !(is_zero(v->top) && is_zero(v->bottom) && is_zero(v->left) &&
             is_zero(v->right));
  return true;
}

static const Dim *times(const Conv *v, const Dim *a, int64_t k)
{
  return dim_mul(v->d, a, dim_int(v->d, k));
}

/* A whole row of the kernel is one tap. */
static bool row_taps(const Conv *v)
{
  return v->g.group == 1 && v->dw == 1;
}

/* [group][ceil(og/16)][taps][kc][16], zero where there is no filter. */
static Value *pack_panels(const Conv *v, const Tensor *w)
{
  Arena *a = &v->n->g->m->arena;
  int64_t panels = (v->og + 15) / 16, k = v->kh * v->kw * v->cg;
  int64_t n = v->g.group * panels * k * 16;
  Tensor *t = tensor_new(a, DT_F32, 1, &n);
  float *to = (float *)(uintptr_t)t->data;
  const float *from = tensor_aligned(v->n->g->m, w);
  for (int64_t o = 0; o < v->oc; o++) {
    int64_t g = o / v->og, j = o % v->og;
    float *panel = to + (g * panels + j / 16) * k * 16 + j % 16;
    const float *filter = from + o * v->cg * v->kh * v->kw;
    for (int64_t c = 0; c < v->cg; c++)
      for (int64_t e = 0; e < v->kh * v->kw; e++)
        panel[(e * v->cg + c) * 16] = filter[c * v->kh * v->kw + e];
  }
  return value_const(v->n->g, "w_panels", t);
}

/* [kh*kw][C] for one filter a channel. */
static Value *pack_depthwise(const Conv *v, const Tensor *w)
{
  int64_t e = v->kh * v->kw, n = e * v->c;
  Tensor *t = tensor_new(&v->n->g->m->arena, DT_F32, 1, &n);
  float *to = (float *)(uintptr_t)t->data;
  const float *from = tensor_aligned(v->n->g->m, w);
  for (int64_t c = 0; c < v->c; c++)
    for (int64_t i = 0; i < e; i++)
      to[i * v->c + c] = from[c * e + i];
  return value_const(v->n->g, "w_depthwise", t);
}

static void put_taps(Conv *v)
{
  StrBuf b;
  sb_init(&b, v->s->plan->a);
  bool rows = row_taps(v);
  for (int64_t i = 0; i < v->kh; i++)
    for (int64_t j = 0; j < (rows ? 1 : v->kw); j++) {
      const Dim *row = times(v, times(v, v->wp, v->c), i * v->dh);
      const Dim *at = dim_add(v->d, row, dim_int(v->d, j * v->dw * v->c));
      int64_t fixed;
      sb_printf(&b, "%s%s%s", i + j ? ", " : "",
                dim_is_int(at, &fixed) ? "" : "(int32_t)",
                step_dim_text(v->s, at));
    }
  step_text(v->s, "TAPS", "%.*s", (int)b.n, b.s);
  sb_free(&b);
  step_int(v->s, "NTAP", rows ? v->kh : v->kh * v->kw);
  step_int(v->s, "KC", rows ? v->kw * v->c : v->cg);
}

static void put_i32(Step *s, const char *key, const Dim *d)
{
  int64_t fixed;
  step_text(s, key, "%s%s", dim_is_int(d, &fixed) ? "" : "(int32_t)",
            step_dim_text(s, d));
}

/* Pointers, the padding copy, and the loop over the images of the block. */
static void put_common(Conv *v, Value *w)
{
  Step *s = v->s;
  Node *n = v->n;
  step_in(s, "x", n->in[0]);
  step_in(s, "w", w);
  if (node_in(n, 2))
    step_in(s, "b", n->in[2]);
  if (node_in(n, 3))
    step_in(s, "r", n->in[3]);
  step_out(s, "y", n->out[0]);
  const Dim *hp = dim_add(v->d, v->h, dim_add(v->d, v->top, v->bottom));
  if (v->pad)
    step_scratch(s, "xp", DT_F32, times(v, dim_mul(v->d, hp, v->wp), v->c));
  if (node_in(n, 3))
    step_in_place(s, "y", "r");
  step_text(s, "BIAS", node_in(n, 2) ? "b" : "NULL");
  step_text(s, "RESIDUAL", node_in(n, 3) ? "r" : "NULL");
  step_text(s, "IMAGE", v->pad ? "xp" : "x");
  step_int(s, "PAD", v->pad);
  put_i32(s, "H", v->h);
  put_i32(s, "W", v->w);
  step_int(s, "C", v->c);
  put_i32(s, "TOP", v->top);
  put_i32(s, "LEFT", v->left);
  put_i32(s, "BOTTOM", v->bottom);
  put_i32(s, "RIGHT", v->right);
  put_i32(s, "OH", v->oh);
  put_i32(s, "OW", v->ow);
  step_dim(s, "IMAGES", v->g.batch);
  step_int(s, "MANY", !dim_is(v->g.batch, 1));
  step_dim(s, "X_IMAGE", times(v, dim_mul(v->d, v->h, v->w), v->c));
  step_dim(s, "Y_IMAGE", times(v, dim_mul(v->d, v->oh, v->ow), v->oc));
  step_float(s, "LO", (double)attr_float(n, "lo", -INFINITY));
  step_float(s, "HI", (double)attr_float(n, "hi", INFINITY));
  step_text(s, "STORAGE", s->symbols ? "" : "static ");
  int64_t out;
  if (dim_is_int(value_numel(n->out[0]), &out))
    s->macs = out * v->kh * v->kw * v->cg;
}

static void lower_panels(Conv *v, const Tensor *w)
{
  Step *s = v->s;
  put_taps(v);
  step_int(s, "OC", v->og);
  step_dim(s, "X_ROW", times(v, v->wp, v->sh * v->c));
  step_int(s, "X_PIX", v->sw * v->c);
  step_dim(s, "Y_ROW", times(v, v->ow, v->oc));
  step_int(s, "Y_PIX", v->oc);
  step_int(s, "GROUPS", v->g.group);
  step_int(s, "CG", v->cg);
  step_int(s, "WG", (v->og + 15) / 16 * 16 * v->kh * v->kw * v->cg);
  put_common(v, pack_panels(v, w));
  s->kernel_note = "conv_f32, panel-16 weights";
  step_kernel(s, "conv_f32.h");
}

static void lower_depthwise(Conv *v, const Tensor *w)
{
  Step *s = v->s;
  step_int(s, "KH", v->kh);
  step_int(s, "KW", v->kw);
  step_dim(s, "X_ROW", times(v, v->wp, v->sh * v->c));
  step_int(s, "X_PIX", v->sw * v->c);
  step_dim(s, "TAP_ROW", times(v, v->wp, v->dh * v->c));
  step_int(s, "TAP_PIX", v->dw * v->c);
  step_dim(s, "Y_ROW", times(v, v->ow, v->c));
  put_common(v, pack_depthwise(v, w));
  s->kernel_note = "dw_f32";
  step_kernel(s, "conv_f32.h");
  step_kernel(s, "dw_f32.h");
}

bool lower_conv_f32(Plan *p, Node *n)
{
  Conv v;
  if (!node_is_internal(n, "FusedConv") || !read_conv(p, n, &v))
    return false;
  bool depthwise = v.g.group == v.c && v.oc == v.c && v.c > 1 &&
                   !node_in(n, 3);
  v.s = step_new(p, n, depthwise ? "DW_F32" : "CONV_F32");
  if (depthwise)
    lower_depthwise(&v, n->in[1]->data);
  else
    lower_panels(&v, n->in[1]->data);
  return true;
}

/* A product is a convolution of 1x1 over one row of M pixels. */
static Value *pack_product(Node *n, const Tensor *w)
{
  int64_t k = w->dim[0], columns = w->dim[1];
  int64_t size = (columns + 15) / 16 * k * 16;
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 1, &size);
  float *to = (float *)(uintptr_t)t->data;
  const float *from = tensor_aligned(n->g->m, w);
  for (int64_t i = 0; i < k; i++)
    for (int64_t j = 0; j < columns; j++)
      to[(j / 16 * k + i) * 16 + j % 16] = from[i * columns + j];
  return value_const(n->g, "w_panels", t);
}

bool lower_gemm_f32(Plan *p, Node *n)
{
  if (!node_is_internal(n, "FusedGemm"))
    return false;
  const Tensor *w = n->in[1]->data;
  Value *x = n->in[0];
  const Dim *rows = dim_prod(&p->m->dims, (const Dim *const *)x->dim,
                             x->rank - 1);
  Step *s = step_new(p, n, "GEMM_F32");
  step_in(s, "x", x);
  step_in(s, "w", pack_product(n, w));
  if (node_in(n, 2))
    step_in(s, "b", n->in[2]);
  if (node_in(n, 3))
    step_in(s, "r", n->in[3]);
  step_out(s, "y", n->out[0]);
  step_text(s, "BIAS", node_in(n, 2) ? "b" : "NULL");
  step_text(s, "RESIDUAL", node_in(n, 3) ? "r" : "NULL");
  put_i32(s, "M", rows);
  step_int(s, "K", w->dim[0]);
  step_int(s, "N", w->dim[1]);
  step_float(s, "LO", (double)attr_float(n, "lo", -INFINITY));
  step_float(s, "HI", (double)attr_float(n, "hi", INFINITY));
  step_text(s, "STORAGE", s->symbols ? "" : "static ");
  step_kernel(s, "conv_f32.h");
  s->kernel_note = "conv_f32 as a product, panel-16 weights";
  int64_t m;
  if (dim_is_int(rows, &m))
    s->macs = m * w->dim[0] * w->dim[1];
  return true;
}
