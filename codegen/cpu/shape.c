/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of a channels-last convolution: what its kernels and templates
 * need to know, whatever the element type. */
#include "cpu.h"

#include <string.h>

static bool is_zero(const Dim *d) { return dim_is(d, 0); }

bool conv_shape(Plan *p, Node *n, Conv *v)
{
  memset(v, 0, sizeof *v);
  v->p = p;
  v->n = n;
  v->x = n->in[0];
  v->d = &p->m->dims;
  v->padded = n->in[0]->dtype;
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
  v->hx = halo_find(p, n->in[0]);
  v->xc = stored_pixel(p, n->in[0]);
  v->yc = stored_pixel(p, n->out[0]);
  v->pad = !v->hx && !(is_zero(v->top) && is_zero(v->bottom) &&
                       is_zero(v->left) && is_zero(v->right));
  if (v->hx)
    v->wp = dim_add(v->d, v->w, dim_int(v->d, v->hx->left + v->hx->right));
  if (v->pad)
    v->xc = v->c;
  return true;
}

const Dim *conv_times(const Conv *v, const Dim *a, int64_t k)
{
  return dim_mul(v->d, a, dim_int(v->d, k));
}

bool conv_row_taps(const Conv *v)
{
  return v->g.group == 1 && v->dw == 1 && (v->xc == v->c || v->kw == 1);
}

void conv_put_taps(Conv *v)
{
  StrBuf b;
  sb_init(&b, v->p->a);
  bool rows = conv_row_taps(v);
  for (int64_t i = 0; i < v->kh; i++)
    for (int64_t j = 0; j < (rows ? 1 : v->kw); j++) {
      const Dim *row = conv_times(v, conv_times(v, v->wp, v->xc), i * v->dh);
      const Dim *at = dim_add(v->d, row, dim_int(v->d, j * v->dw * v->xc));
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

void step_i32(Step *s, const char *key, const Dim *d)
{
  int64_t fixed;
  step_text(s, key, "%s%s", dim_is_int(d, &fixed) ? "" : "(int32_t)",
            step_dim_text(s, d));
}

static const char *image_text(const Conv *v)
{
  Value *x = v->n->in[0];
  const Plan *p = v->p;
  if (!v->hx)
    return v->pad ? "xp" : "x";
  const Dim *before = dim_add(v->d, dim_mul(v->d, v->top, stored_row(p, x)),
                              conv_times(v, v->left, v->xc));
  return step_past(v->s, "x", dim_sub(v->d, halo_start(p, x), before));
}

/* Where an operand [N, spatial.., C] or [N, length, C] has its next row. */
static const Dim *next_row(const Conv *v, Value *x)
{
  return x->rank == 4 ? stored_row(v->p, x)
                      : stored_image(v->p, x);
}

void conv_put_residual(Conv *v)
{
  Step *s = v->s;
  Value *r = node_in(v->n, 3);
  step_text(s, "RESIDUAL", r ? "r" : "NULL");
  if (!r) {
    step_text(s, "R", "NULL");
    step_int(s, "R_ROW", 0);
    step_int(s, "R_PIX", 0);
    step_int(s, "R_IMAGE", 0);
    return;
  }
  step_in(s, "r", r);
  step_in_place(s, "y", "r");
  step_text(s, "R", "%s", stored_pixels(s, "r", r));
  step_dim(s, "R_ROW", next_row(v, r));
  step_int(s, "R_PIX", stored_pixel(s->plan, r));
  step_dim(s, "R_IMAGE", stored_image(s->plan, r));
}

/* H, W, C and the padding. */
static void put_padding(const Conv *v, Step *s)
{
  step_i32(s, "H", v->h);
  step_i32(s, "W", v->w);
  step_int(s, "C", v->c);
  step_i32(s, "TOP", v->top);
  step_i32(s, "LEFT", v->left);
  step_i32(s, "BOTTOM", v->bottom);
  step_i32(s, "RIGHT", v->right);
  step_dim(s, "PAD_ROW", next_row(v, v->n->in[0]));
  step_int(s, "PAD_PIX", stored_pixel(s->plan, v->n->in[0]));
}

static const Dim *padded_height(const Conv *v)
{
  return dim_add(v->d, v->h, dim_add(v->d, v->top, v->bottom));
}

void conv_pad_first(Conv *v, int ticks)
{
  if (!v->pad || !share_conv_pays(v, ticks))
    return;
  const Dim *dim[4] = { dim_int(v->d, 1), padded_height(v), v->wp,
                        dim_int(v->d, v->c) };
  Dtype t = v->x->dtype;
  Value *xp = value_tmp(v->n->g, "padded", v->x);
  value_set_shape(xp, 4, dim);
  Step *s = step_new(v->p, v->n, "BORDERED");
  step_in(s, "x", v->x);
  step_out(s, "xp", xp);
  put_padding(v, s);
  step_int(s, "X_ZP", attr_int(v->n, "x_zp", 0));
  step_text(s, "KERNEL", t == DT_F32 ? "o2c_pad_hwc_f32" : "o2c_pad_hwc_u8");
  step_text(s, "STRUCT", t == DT_F32 ? "o2c_pad_f32_p" : "o2c_pad_hwc_u8_p");
  step_text(s, "STORAGE", s->symbols ? "" : "static ");
  step_kernel(s, t == DT_F32 ? "conv_f32.h" : "conv_u8.h");
  s->kernel_note = "padded copy";
  v->x = xp;
  v->pad = false;
}

void conv_put_image(Conv *v)
{
  Step *s = v->s;
  Node *n = v->n;
  step_in(s, "x", v->x);
  step_out(s, "y", n->out[0]);
  if (v->pad)
    step_scratch(s, "xp", v->padded,
                 dim_add(v->d, conv_times(v, dim_mul(v->d, padded_height(v),
                                                     v->wp), v->c),
                         dim_int(v->d, v->padded == DT_BF16)));
  step_text(s, "IMAGE", "%s", image_text(v));
  step_text(s, "Y", "%s", stored_pixels(s, "y", n->out[0]));
  halo_put_border(s, "y", n->out[0]);
  step_int(s, "PAD", v->pad);
  put_padding(v, s);
  step_i32(s, "OH", v->oh);
  step_i32(s, "OW", v->ow);
  step_dim(s, "IMAGES", v->g.batch);
  step_int(s, "MANY", !dim_is(v->g.batch, 1));
  step_dim(s, "X_IMAGE", stored_image(s->plan, n->in[0]));
  step_dim(s, "Y_IMAGE", stored_image(s->plan, n->out[0]));
  step_dim(s, "X_ROW", conv_times(v, v->wp, v->sh * v->xc));
  step_int(s, "X_PIX", v->sw * v->xc);
  step_dim(s, "Y_ROW", next_row(v, n->out[0]));
  step_int(s, "Y_PIX", v->yc);
  int64_t out;
  if (dim_is_int(value_numel(n->out[0]), &out))
    s->macs = out * v->kh * v->kw * v->cg;
}
