/* SPDX-License-Identifier: Apache-2.0 */
/* Borders instead of padded copies.
 *
 * A value that a convolution or the image's Transpose writes, and only
 * convolutions read, is stored with a border as wide as the widest padding
 * among its readers. The writer puts its pixels in the middle and fills the
 * border; readers find their padding there. Everything about it must be known
 * at compile time: one image at a time, constant extents.
 */
#include "cpu.h"

#include <string.h>

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

static bool reader(const Node *n, const Value *v, int64_t fill, int64_t *most)
{
  ConvGeom g;
  int64_t pad[4];
  if (!is_conv(n) || n->in[0] != v || node_in(n, 1) == v ||
      !conv_geometry(n, &g) || !paddings(&g, pad))
    return node_is_internal(n, "FusedConv") && node_in(n, 3) == v &&
           n->in[0] != v;
  if (node_in(n, 3) == v || attr_int(n, "x_zp", 0) != fill)
    return false;
  for (int i = 0; i < 4; i++)
    if (pad[i] > most[i])
      most[i] = pad[i];
  return true;
}

static bool halo_of(const Value *v, Halo *h)
{
  int64_t most[4] = { 0, 0, 0, 0 };
  bool image = v->def && transpose_to_last(v->def);
  if (!v->def || (!is_conv(v->def) && !image) || v->is_output || !v->nuse ||
      !value_static(v) || v->rank != 4 || !dim_is(v->dim[0], 1) ||
      (v->dtype != DT_F32 && v->dtype != DT_U8))
    return false;
  int64_t fill = attr_int(image ? v->use[0] : v->def,
                          image ? "x_zp" : "y_zp", 0);
  for (int i = 0; i < v->nuse; i++)
    if (!reader(v->use[i], v, fill, most))
      return false;
  *h = (Halo){ .top = most[0], .left = most[1], .bottom = most[2],
               .right = most[3], .fill = (int)fill };
  return most[0] + most[1] + most[2] + most[3] > 0;
}

void plan_halos(Plan *p)
{
  p->halo_values = p->m->nvalue;
  p->halo = NEW(p->a, const Halo *, p->halo_values + 1);
  for (Node *n = p->g->first; n; n = n->next) {
    Halo h;
    if (!n->nout || !n->out[0] || !halo_of(n->out[0], &h))
      continue;
    Halo *kept = NEW(p->a, Halo, 1);
    *kept = h;
    p->halo[n->out[0]->id] = kept;
  }
}

/* Variables BORDER, BORDER_ARGS: the call that fills the border of y. */
void halo_put_border(Step *s, const Halo *h, int64_t rows, int64_t cols,
                     int64_t pixel)
{
  step_int(s, "BORDER", h != NULL);
  if (!h)
    return;
  step_text(s, "BORDER_ARGS", "%lld, %lld, %lld, %lld, %lld, %lld, %d",
            (long long)h->top, (long long)rows, (long long)h->bottom,
            (long long)(h->left * pixel), (long long)(cols * pixel),
            (long long)(h->right * pixel), h->fill);
  step_kernel(s, "border.h");
}

/* Values made after plan_halos have none. */
const Halo *halo_find(const Plan *p, const Value *v)
{
  return p->halo && v->id < p->halo_values ? p->halo[v->id] : NULL;
}

int64_t halo_elements(const Halo *h, const Value *v)
{
  int64_t d[4];
  for (int i = 0; i < 4; i++)
    dim_is_int(v->dim[i], &d[i]);
  return (d[1] + h->top + h->bottom) * (d[2] + h->left + h->right) * d[3];
}
