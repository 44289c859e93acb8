/* SPDX-License-Identifier: Apache-2.0 */
/* Borders instead of padded copies.
 *
 * An image that a padded convolution reads is stored with a border as wide as
 * the widest padding among its readers, if all steps around it can leave that
 * out. The writer puts its pixels in the middle and fills the border; readers
 * find their padding there. Where several steps write pieces of the image, the
 * first fills the border. Everything about it must be known at compile time:
 * one image at a time, constant extents.
 */
#include "cpu.h"

#include <string.h>

/* What a border must be for all that stands in one buffer. */
typedef struct {
  Plan *p;
  int64_t most[4];
  int fill;           /* -1: no convolution has been seen */
} Border;

static bool is_conv(const Node *n)
{
  return node_is_internal(n, "FusedConv") || node_is_internal(n, "QConv");
}

/* Constant padding of one spatial axis pair, or false. */
static bool paddings(const ConvGeom *g, int64_t *pad)
{
  memset(pad, 0, 4 * sizeof *pad);
  int x = g->n == 2 ? 1 : 0;
  if (g->n == 2 && (!dim_is_int(g->begin[0], &pad[0]) ||
                    !dim_is_int(g->end[0], &pad[2])))
    return false;
  return dim_is_int(g->begin[x], &pad[1]) && dim_is_int(g->end[x], &pad[3]);
}

/* A convolution that reads `v` as its image. */
static bool reads_image(Border *b, const Node *n)
{
  ConvGeom g;
  int64_t pad[4];
  int zero = (int)attr_int(n, "x_zp", 0);
  if (!conv_geometry(n, &g) || !paddings(&g, pad) ||
      (b->fill >= 0 && b->fill != zero))
    return false;
  b->fill = zero;
  for (int i = 0; i < 4; i++)
    if (pad[i] > b->most[i])
      b->most[i] = pad[i];
  return true;
}

static bool takes_border(Border *b, Value *v)
{
  const Piece *piece = piece_find(b->p, v);
  if (!v->def || v->is_output || v->rank != 4 || !dim_is(v->dim[0], 1) ||
      !cpu_takes_strides(b->p, v->def, v, true))
    return false;
  /* One border a step. */
  if (v->def->nout > 1 && !(piece && piece->whole == v->def->in[0]))
    return false;
  for (int i = 0; i < v->nuse; i++)
    if (!cpu_takes_strides(b->p, v->use[i], v, true) ||
        (is_conv(v->use[i]) && v->use[i]->in[0] == v &&
         !reads_image(b, v->use[i])))
      return false;
  return true;
}

/* All values that stand in the storage of `v`, which is no piece. */
static bool halo_of(Plan *p, Value *v, bool whole, Halo *h)
{
  Border b = { .p = p, .fill = -1 };
  if (piece_find(p, v) || !value_static(v) || v->is_output ||
      (v->dtype != DT_F32 && v->dtype != DT_U8) || !takes_border(&b, v))
    return false;
  for (Node *n = p->g->first; whole && n; n = n->next)
    for (int i = 0; i < n->nout; i++) {
      Value *part = n->out[i];
      if (part && part != v && value_root(part) == part &&
          stored_in(p, part) == v &&
          (!stored_pitch(p, part) || !takes_border(&b, part)))
        return false;
    }
  *h = (Halo){ .top = b.most[0], .left = b.most[1], .bottom = b.most[2],
               .right = b.most[3], .fill = b.fill };
  return b.most[0] + b.most[1] + b.most[2] + b.most[3] > 0;
}

void plan_halos(Plan *p)
{
  p->halo_values = p->m->nvalue;
  p->halo = NEW(p->a, const Halo *, p->halo_values + 1);
  bool *whole = NEW(p->a, bool, p->m->nvalue + 1);
  for (int i = 0; i < p->piece_values; i++)
    if (p->piece[i])
      whole[stored_in(p, p->piece[i]->whole)->id] = true;
  for (Node *n = p->g->first; n; n = n->next) {
    Halo h;
    if (!n->nout || !n->out[0] ||
        !halo_of(p, n->out[0], whole[n->out[0]->id], &h))
      continue;
    Halo *kept = NEW(p->a, Halo, 1);
    *kept = h;
    p->halo[n->out[0]->id] = kept;
  }
}

/* Variables BORDER, BORDER_TO, BORDER_ARGS: the call that fills the border
 * around output `y` of the step, if this one is the first to write there. */
void halo_put_border(Step *s, const char *name, Value *y)
{
  Plan *p = s->plan;
  const Halo *h = halo_find(p, y);
  Value *root = stored_in(p, y);
  bool first = h && !p->bordered[root->id];
  int64_t rows, cols, at = stored_at(p, y);
  step_int(s, "BORDER", first);
  if (!first)
    return;
  p->bordered[root->id] = true;
  dim_is_int(y->dim[1], &rows);
  dim_is_int(y->dim[2], &cols);
  int64_t pixel = stored_pixel(p, y) * dtype_info(y->dtype)->size;
  step_text(s, "BORDER_TO", at ? "%s - %lld" : "%s", name, (long long)at);
  step_text(s, "BORDER_ARGS", "%lld, %lld, %lld, %lld, %lld, %lld, %d",
            (long long)h->top, (long long)rows, (long long)h->bottom,
            (long long)(h->left * pixel), (long long)(cols * pixel),
            (long long)(h->right * pixel), h->fill);
  step_kernel(s, "border.h");
}

/* Values made after plan_halos have none. */
const Halo *halo_find(const Plan *p, const Value *v)
{
  const Value *root = stored_in(p, (Value *)(uintptr_t)v);
  return p->halo && root->id < p->halo_values ? p->halo[root->id] : NULL;
}

int64_t halo_start(const Plan *p, Value *v)
{
  const Halo *h = halo_find(p, v);
  int64_t cols, pixel = stored_pixel(p, v);
  if (!h)
    return 0;
  dim_is_int(v->dim[2], &cols);
  return (h->top * (cols + h->left + h->right) + h->left) * pixel;
}

int64_t halo_elements(const Halo *h, const Value *v)
{
  int64_t d[4];
  for (int i = 0; i < 4; i++)
    dim_is_int(v->dim[i], &d[i]);
  return (d[1] + h->top + h->bottom) * (d[2] + h->left + h->right) * d[3];
}
