/* SPDX-License-Identifier: Apache-2.0 */
/* f32 convolutions and products with constant weights: FusedConv and FusedGemm
 * by the kernels conv_f32.h (implicit GEMM over panel-16 weights),
 * conv_short_f32.h (the same of few weights) and dw_f32.h (one filter for each
 * channel).
 *
 * A kernel row of a group-less, undilated convolution reads kw * C contiguous
 * inputs, so it is one tap; otherwise each kernel element is one. Padding is a
 * copy of the image into scratch with a border.
 *
 * A few filters fill a part of a vector only. Then `p` neighbouring pixels
 * become the channels of one: filters p times as many, each moved by its
 * pixel's place in a kernel that is wider by p - 1 strides, with zeros around.
 * (So what is no number spreads to the pixels beside it.)
 */
#include "cpu.h"
#include "../../runtime_min/kernels/conv_short_sizes.h"

#include <math.h>
#include <string.h>

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

/* Steps of vectors of `lanes` for one tap's channel, in 1 / p of a pixel. */
static int64_t join_cost(const Conv *v, int64_t p, int64_t lanes)
{
  return (p * v->oc + lanes - 1) / lanes * (v->kw + (p - 1) * v->sw);
}

/* How many pixels to join; 1: none. No gain for the widest vectors may be paid
 * for by narrower ones. */
static int64_t joined_pixels(const Conv *v)
{
  int64_t ow, best = 1;
  if (v->g.group != 1 || v->dw != 1 || node_in(v->n, 3) || v->yc != v->oc ||
      !dim_is_int(v->ow, &ow))
    return 1;
  for (int64_t p = 2; p <= 16 && p * v->oc <= 64; p++) {
    int64_t wide = join_cost(v, p, 16), narrow = join_cost(v, p, 8);
    if (ow % p == 0 && wide * best < join_cost(v, best, 16) * p &&
        10 * wide < 8 * p * join_cost(v, 1, 16) &&
        10 * narrow <= 11 * p * join_cost(v, 1, 8))
      best = p;
  }
  return best;
}

/* Makes `v` the convolution whose pixels are p of the node's. */
static const Tensor *join_pixels(Conv *v, const Tensor *w, int64_t p)
{
  Arena *a = &v->n->g->m->arena;
  int64_t wide = v->kw + (p - 1) * v->sw, rows = v->cg * v->kh, ow = 0;
  int64_t dim[] = { p * v->oc, v->cg, v->kh, wide };
  Tensor *t = tensor_new(a, DT_F32, 4, dim);
  float *to = (float *)(uintptr_t)t->data;
  const float *from = tensor_aligned(v->n->g->m, w);
  for (int64_t q = 0; q < p; q++)
    for (int64_t r = 0; r < v->oc * rows; r++)
      memcpy(to + (q * v->oc * rows + r) * wide + q * v->sw, from + r * v->kw,
             (size_t)v->kw * sizeof(float));
  dim_is_int(v->ow, &ow);
  v->ow = dim_int(v->d, ow / p);
  v->kw = wide;
  v->sw *= p;
  v->oc *= p;
  v->og *= p;
  v->yc *= p;
  return t;
}

/* The bias, for each of the pixels that are one. */
static Value *joined_bias(const Conv *v)
{
  Value *b = v->n->in[2];
  int64_t n = b->data->n, size = v->oc;
  if (n == size)
    return b;
  Tensor *t = tensor_new(&v->n->g->m->arena, DT_F32, 1, &size);
  for (int64_t i = 0; i < size; i++)
    tensor_set_f64(t, i, tensor_f64(b->data, i % n));
  return value_const(v->n->g, "bias", t);
}

void conv_put_operands(Conv *v, Value *w)
{
  Step *s = v->s;
  Node *n = v->n;
  step_in(s, "w", w);
  if (node_in(n, 2))
    step_in(s, "b", joined_bias(v));
  conv_put_image(v);
  conv_put_residual(v);
  step_text(s, "BIAS", node_in(n, 2) ? "b" : "NULL");
  step_float(s, "LO", (double)attr_float(n, "lo", -INFINITY));
  step_float(s, "HI", (double)attr_float(n, "hi", INFINITY));
  step_text(s, "STORAGE", s->symbols ? "" : "static ");
}

/* Filters of few weights have a kernel of their own, for as many pixels as are
 * worth the loading of the weights; it knows neither residuals nor columns. */
#define SHORT_PIXELS 16

static void put_short(Conv *v)
{
#define O2C_X(t, k) { t, k },
  static const struct { int t, k; } known[] = { O2C_SHORT_SIZES(O2C_X) };
#undef O2C_X
  Step *s = v->s;
  int64_t taps = conv_row_taps(v) ? v->kh : v->kh * v->kw, pixels;
  int64_t k = v->kh * v->kw * v->cg / taps;
  const char *name = "";
  for (int i = 0; i < COUNT(known); i++)
    if (known[i].t == taps && known[i].k == k)
      name = arena_printf(v->p->a, "short_f32_%dx%d", (int)taps, (int)k);
  bool few = dim_is_int(dim_mul(v->d, v->oh, v->ow), &pixels) &&
             pixels < SHORT_PIXELS;
  if (few || v->g.group != 1 || node_in(v->n, 3) ||
      !strcmp(step_var(s, "BY_COLUMNS"), "1"))
    name = "";
  step_text(s, "SHORT", "%s", name);
  step_text(s, "SHORT_RANGE", "%s", s->split ? "(int32_t)from, (int32_t)to"
                                             : "0, p.oh * p.ow");
  if (*name) {
    step_kernel(s, "conv_short_f32.h");
    s->kernel_note = "conv_short_f32, panel-16 weights";
  }
}

static void lower_panels(Conv *v, const Tensor *w)
{
  Step *s = v->s;
  int64_t joined = joined_pixels(v), own = v->kw;
  if (joined > 1)
    w = join_pixels(v, w, joined);
  conv_put_taps(v);
  step_int(s, "OC", v->og);
  step_int(s, "GROUPS", v->g.group);
  step_int(s, "CG", v->cg);
  step_int(s, "WG", (v->og + 15) / 16 * 16 * v->kh * v->kw * v->cg);
  conv_put_operands(v, panels_of_filters(v->n, w, v->g.group,
                                         v->kh * v->kw));
  s->macs = s->macs / v->kw * own;
  s->kernel_note = joined > 1 ? "conv_f32, panel-16 weights, pixels joined"
                              : "conv_f32, panel-16 weights";
  step_kernel(s, "conv_f32.h");
  const Share h = {
    .pixels = dim_mul(v->d, v->oh, v->ow),
    .x_bytes = conv_times(v, value_numel(v->n->in[0]), 4),
    .columns = v->g.group == 1 ? v->oc : 1, .unit = 14,
    .k = v->kh * v->kw * v->cg * (v->g.group == 1 ? 1 : v->oc),
    .ticks = TICKS_MAC, .w_size = 4
  };
  share_conv(v, &h);
  put_short(v);
}

static void lower_depthwise(Conv *v, const Tensor *w)
{
  Step *s = v->s;
  step_int(s, "KH", v->kh);
  step_int(s, "KW", v->kw);
  step_dim(s, "TAP_ROW", conv_times(v, v->wp, v->dh * v->xc));
  step_int(s, "TAP_PIX", v->dw * v->xc);
  conv_put_operands(v, pack_depthwise(v, w));
  s->kernel_note = "dw_f32";
  step_kernel(s, "conv_f32.h");
  step_kernel(s, "dw_f32.h");
  share_rows(v, TICKS_MAC);
}

bool lower_conv_f32(Plan *p, Node *n)
{
  Conv v;
  if (!node_is_internal(n, "FusedConv") || !conv_shape(p, n, &v))
    return false;
  bool depthwise = v.g.group == v.c && v.oc == v.c && v.c > 1 &&
                   !node_in(n, 3);
  conv_pad_first(&v, TICKS_MAC);
  v.s = step_new(p, n, depthwise ? "DW_F32" : "CONV_F32");
  if (depthwise)
    lower_depthwise(&v, n->in[1]->data);
  else
    lower_panels(&v, n->in[1]->data);
  return true;
}

/* All of a product but its weights and kernel: a convolution of 1x1 over one
 * row of M pixels. */
void gemm_put_operands(Step *s, Node *n)
{
  Plan *p = s->plan;
  int64_t k, columns;
  Value *x = n->in[0];
  const Dim *rows = dim_prod(&p->m->dims, (const Dim *const *)x->dim,
                             x->rank - 1);
  if (node_in(n, 2))
    step_in(s, "b", n->in[2]);
  if (node_in(n, 3))
    step_in(s, "r", n->in[3]);
  step_out(s, "y", n->out[0]);
  step_text(s, "BIAS", node_in(n, 2) ? "b" : "NULL");
  step_text(s, "RESIDUAL", node_in(n, 3) ? "r" : "NULL");
  step_i32(s, "M", rows);
  gemm_is_turned(n, &k, &columns);
  step_int(s, "K", k);
  step_int(s, "N", columns);
  step_int(s, "X_PIX", stored_pixel(p, x));
  step_int(s, "Y_PIX", stored_pixel(p, n->out[0]));
  step_int(s, "R_PIX", node_in(n, 3) ? stored_pixel(p, n->in[3]) : 0);
  step_float(s, "LO", (double)attr_float(n, "lo", -INFINITY));
  step_float(s, "HI", (double)attr_float(n, "hi", INFINITY));
  step_text(s, "STORAGE", s->symbols ? "" : "static ");
  int64_t m;
  if (dim_is_int(rows, &m))
    s->macs = m * k * columns;
}

bool lower_gemm_f32(Plan *p, Node *n)
{
  if (!node_is_internal(n, "FusedGemm"))
    return false;
  Step *s = step_new(p, n, "GEMM_F32");
  step_in(s, "x", n->in[0]);
  step_in(s, "w", gemm_pack_panels(n));
  gemm_put_operands(s, n);
  step_kernel(s, "conv_f32.h");
  s->kernel_note = "conv_f32 as a product, panel-16 weights";
  int64_t k, columns;
  gemm_is_turned(n, &k, &columns);
  const Dim *rows = dim_prod(&p->m->dims, (const Dim *const *)n->in[0]->dim,
                             n->in[0]->rank - 1);
  const Share h = {
    .pixels = rows, .columns = columns, .k = k, .unit = 14,
    .x_bytes = dim_mul(&p->m->dims, rows, dim_int(&p->m->dims, 4 * k)),
    .ticks = TICKS_MAC, .w_size = 4
  };
  share_product(s, &h);
  return true;
}
