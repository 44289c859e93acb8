/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of a channels-last convolution: what its kernels and templates
 * need to know, whatever the element type. */
#include "cpu.h"

#include <string.h>

static bool is_zero(const Dim *d) { return dim_is(d, 0); }

bool conv_shape(Plan *p, Node *n, Conv *v)
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
  v->hx = halo_find(p, n->in[0]);
  v->hy = halo_find(p, n->out[0]);
  v->pad = !v->hx && !(is_zero(v->top) && is_zero(v->bottom) &&
                       is_zero(v->left) && is_zero(v->right));
  if (v->hx)
    v->wp = dim_add(v->d, v->w, dim_int(v->d, v->hx->left + v->hx->right));
  return true;
}

const Dim *conv_times(const Conv *v, const Dim *a, int64_t k)
{
  return dim_mul(v->d, a, dim_int(v->d, k));
}

bool conv_row_taps(const Conv *v)
{
  return v->g.group == 1 && v->dw == 1;
}

void conv_put_taps(Conv *v)
{
  StrBuf b;
  sb_init(&b, v->s->plan->a);
  bool rows = conv_row_taps(v);
  for (int64_t i = 0; i < v->kh; i++)
    for (int64_t j = 0; j < (rows ? 1 : v->kw); j++) {
      const Dim *row = conv_times(v, conv_times(v, v->wp, v->c), i * v->dh);
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

void step_i32(Step *s, const char *key, const Dim *d)
{
  int64_t fixed;
  step_text(s, key, "%s%s", dim_is_int(d, &fixed) ? "" : "(int32_t)",
            step_dim_text(s, d));
}

/* Elements from one row of an image of width w, with border `h`, to the next.
 */
static const Dim *halo_row(const Conv *v, const Halo *h, const Dim *w,
                           int64_t c)
{
  if (h)
    w = dim_add(v->d, w, dim_int(v->d, h->left + h->right));
  return conv_times(v, w, c);
}

/* "y + 123": `name` moved by rows and pixels of an image of width w. */
static const char *moved(const Conv *v, const char *name, const Halo *h,
                         const Dim *w, const int64_t at[2], int64_t c)
{
  int64_t row = 0;
  dim_is_int(halo_row(v, h, w, c), &row);
  int64_t offset = at[0] * row + at[1] * c;
  return offset ? arena_printf(v->s->plan->a, "%s + %lld", name,
                               (long long)offset) : name;
}

static const char *image_text(const Conv *v)
{
  int64_t top, left;
  if (!v->hx)
    return v->pad ? "xp" : "x";
  dim_is_int(v->top, &top);
  dim_is_int(v->left, &left);
  const int64_t at[2] = { v->hx->top - top, v->hx->left - left };
  return moved(v, "x", v->hx, v->w, at, v->c);
}

static void put_border(Conv *v, int size)
{
  int64_t ow = 0, oh = 0;
  dim_is_int(v->ow, &ow);
  dim_is_int(v->oh, &oh);
  halo_put_border(v->s, v->hy, oh, ow, v->oc * size);
}

/* A pointer to y, or to a residual of its shape: where its pixels begin. */
const char *conv_pixels(const Conv *v, const char *name, const Halo *h)
{
  const int64_t at[2] = { h ? h->top : 0, h ? h->left : 0 };
  return moved(v, name, h, v->ow, at, v->oc);
}

const Dim *conv_row(const Conv *v, const Halo *h)
{
  return halo_row(v, h, v->ow, v->oc);
}

void conv_put_image(Conv *v)
{
  Step *s = v->s;
  Node *n = v->n;
  Dtype t = n->in[0]->dtype;
  const Dim *hp = dim_add(v->d, v->h, dim_add(v->d, v->top, v->bottom));
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  if (v->pad)
    step_scratch(s, "xp", t,
                 conv_times(v, dim_mul(v->d, hp, v->wp), v->c));
  step_text(s, "IMAGE", "%s", image_text(v));
  step_text(s, "Y", "%s", conv_pixels(v, "y", v->hy));
  put_border(v, dtype_info(n->out[0]->dtype)->size);
  step_int(s, "PAD", v->pad);
  step_i32(s, "H", v->h);
  step_i32(s, "W", v->w);
  step_int(s, "C", v->c);
  step_i32(s, "TOP", v->top);
  step_i32(s, "LEFT", v->left);
  step_i32(s, "BOTTOM", v->bottom);
  step_i32(s, "RIGHT", v->right);
  step_i32(s, "OH", v->oh);
  step_i32(s, "OW", v->ow);
  step_dim(s, "IMAGES", v->g.batch);
  step_int(s, "MANY", !dim_is(v->g.batch, 1));
  step_dim(s, "X_IMAGE", conv_times(v, dim_mul(v->d, v->h, v->w), v->c));
  step_dim(s, "Y_IMAGE", conv_times(v, dim_mul(v->d, v->oh, v->ow), v->oc));
  step_dim(s, "X_ROW", conv_times(v, v->wp, v->sh * v->c));
  step_int(s, "X_PIX", v->sw * v->c);
  step_dim(s, "Y_ROW", conv_row(v, v->hy));
  step_int(s, "Y_PIX", v->oc);
  int64_t out;
  if (dim_is_int(value_numel(n->out[0]), &out))
    s->macs = out * v->kh * v->kw * v->cg;
}
