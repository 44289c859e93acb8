/* SPDX-License-Identifier: Apache-2.0 */
/* Borders instead of padded copies.
 *
 * An image that a padded convolution reads is stored with a border as wide as
 * the widest padding among its readers, if all steps around it can leave that
 * out. The writer puts its pixels in the middle and fills the border; readers
 * find their padding there. Where several steps write pieces of the image, the
 * first fills the border. One image at a time, of constant padding; its extents
 * may be what only the run tells.
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
  int64_t c;
  if (piece_find(p, v) || v->is_output || v->rank != 4 ||
      !dim_is_int(v->dim[3], &c) ||
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

static const char *size_arg(Step *s, const Dim *d)
{
  int64_t fixed;
  const char *text = step_dim_text(s, d);
  return dim_is_int(d, &fixed) ? text
                               : arena_printf(s->plan->a, "(size_t)(%s)", text);
}

/* Variables BORDER, BORDER_TO, BORDER_ARGS: the call that fills the border
 * around output `y` of the step, if this one is the first to write there. */
void halo_put_border(Step *s, const char *name, Value *y)
{
  Plan *p = s->plan;
  const Halo *h = halo_find(p, y);
  Value *root = stored_in(p, y);
  bool first = h && !p->bordered[root->id];
  int64_t at = stored_at(p, y);
  step_int(s, "BORDER", first);
  if (!first)
    return;
  p->bordered[root->id] = true;
  DimPool *d = &p->m->dims;
  int64_t pixel = stored_pixel(p, y) * dtype_info(y->dtype)->size;
  step_text(s, "BORDER_TO", at ? "%s - %lld" : "%s", name, (long long)at);
  step_text(s, "BORDER_ARGS", "%lld, %s, %lld, %lld, %s, %lld, %d",
            (long long)h->top, size_arg(s, y->dim[1]), (long long)h->bottom,
            (long long)(h->left * pixel),
            size_arg(s, dim_mul(d, y->dim[2], dim_int(d, pixel))),
            (long long)(h->right * pixel), h->fill);
  step_kernel(s, "border.h");
}

/* Values made after plan_halos have none. */
const Halo *halo_find(const Plan *p, const Value *v)
{
  const Value *root = stored_in(p, (Value *)(uintptr_t)v);
  return p->halo && root->id < p->halo_values ? p->halo[root->id] : NULL;
}

static const Dim *wider(DimPool *d, const Dim *n, int64_t before, int64_t after)
{
  return dim_add(d, n, dim_int(d, before + after));
}

const Dim *halo_start(const Plan *p, Value *v)
{
  DimPool *d = &p->m->dims;
  const Halo *h = halo_find(p, v);
  if (!h)
    return dim_int(d, 0);
  const Dim *row = wider(d, v->dim[2], h->left, h->right);
  return dim_mul(d, dim_int(d, stored_pixel(p, v)),
                 dim_add(d, dim_mul(d, row, dim_int(d, h->top)),
                         dim_int(d, h->left)));
}

const Dim *halo_elements(const Plan *p, const Halo *h, const Value *v)
{
  DimPool *d = &p->m->dims;
  return dim_mul(d, v->dim[3],
                 dim_mul(d, wider(d, v->dim[1], h->top, h->bottom),
                         wider(d, v->dim[2], h->left, h->right)));
}
