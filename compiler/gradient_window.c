/* SPDX-License-Identifier: Apache-2.0 */
/* Derivatives of convolutions and averages. Conv and ConvTranspose are each
 * other's derivative by the input. By the weight it is a Conv of the images
 * over the gradients as filters: channels take the place of the batch, samples
 * that of channels, strides that of dilations and the other way round. */
#include "gradient.h"
#include <string.h>

static Value *finish(Grad *g, Node *n)
{
  node_set_output(n, 0, value_tmp(g->at->g, "grad", NULL));
  infer_node(n);
  return n->out[0];
}

static Node *window_node(Grad *g, const char *op, Value *x, Value *w)
{
  Node *n = node_new(g->at->g, g->at, op, w ? 2 : 1, 1, g->at);
  node_set_input(n, 0, x);
  if (w) node_set_input(n, 1, w);
  return n;
}

/* The sizes of a window as numbers; pads are begins, then ends. */
typedef struct {
  ConvGeom c;
  int64_t in[MAX_RANK], out[MAX_RANK], pads[2 * MAX_RANK];
} Window;

static bool read_window(Grad *g, Node *n,
                        bool (*of)(const Node *, ConvGeom *), Window *w)
{
  if (!of(n, &w->c)) return false;
  for (int i = 0; i < w->c.n; i++)
    if (!dim_is_int(w->c.in[i], &w->in[i]) ||
        !dim_is_int(w->c.out[i], &w->out[i]) ||
        !dim_is_int(w->c.begin[i], &w->pads[i]) ||
        !dim_is_int(w->c.end[i], &w->pads[w->c.n + i]))
      return grad_refuse(g, n, "has images of a size that is not known; fix it "
                         "with --dim");
  return true;
}

static void set_window(Node *n, const Window *w, bool swap)
{
  int k = w->c.n;
  attr_set_ints(n, "strides", swap ? w->c.dilation : w->c.stride, k);
  attr_set_ints(n, "dilations", swap ? w->c.stride : w->c.dilation, k);
  attr_set_ints(n, "pads", w->pads, 2 * k);
  attr_set_int(n, "group", w->c.group);
}

/* dy spread over the `size` elements that its windows took. */
static Value *spread(Grad *g, const Window *w, Value *dy, Value *weight,
                     const int64_t *size, const int64_t *taken)
{
  int64_t more[MAX_RANK];
  Node *t = window_node(g, "ConvTranspose", dy, weight);
  set_window(t, w, false);
  for (int i = 0; i < w->c.n; i++)
    more[i] = size[i] - ((taken[i] - 1) * w->c.stride[i] + w->c.extent[i] -
                         w->pads[i] - w->pads[w->c.n + i]);
  attr_set_ints(t, "output_padding", more, w->c.n);
  return finish(g, t);
}

/* The first two axes exchanged. */
static Value *turned(Grad *g, Value *v)
{
  int64_t perm[MAX_RANK];
  Node *t = window_node(g, "Transpose", v, NULL);
  for (int i = 0; i < v->rank; i++) perm[i] = i < 2 ? 1 - i : i;
  attr_set_ints(t, "perm", perm, v->rank);
  return finish(g, t);
}

/* [N, G C, ..] as [C, G N, ..]. */
static Value *by_channel(Grad *g, Value *x, int64_t group)
{
  int64_t split[MAX_RANK + 1], perm[MAX_RANK + 1], back[MAX_RANK];
  int64_t channels;
  if (group == 1) return turned(g, x);
  if (x->rank >= MAX_RANK || !dim_is_int(x->dim[1], &channels)) return NULL;
  split[0] = 0;
  split[1] = group;
  split[2] = channels / group;
  back[0] = channels / group;
  back[1] = -1;
  for (int i = 2; i < x->rank; i++) {
    if (!dim_is_int(x->dim[i], &split[i + 1])) return NULL;
    back[i] = split[i + 1];
  }
  for (int i = 0; i <= x->rank; i++) perm[i] = i < 3 ? 2 - i : i;
  x = grad_op(g, "Reshape", x, grad_ints(g, split, x->rank + 1), NULL);
  Node *t = window_node(g, "Transpose", x, NULL);
  attr_set_ints(t, "perm", perm, x->rank);
  x = finish(g, t);
  return grad_op(g, "Reshape", x, grad_ints(g, back, x->rank - 1), NULL);
}

/* By the weight [filters of small, ..]: `wide` are the images that windows are
 * cut from, `small` has an element for each window. */
static Value *by_weight(Grad *g, const Window *w, Value *wide, Value *small)
{
  int64_t axes[MAX_RANK], from[MAX_RANK] = {0};
  Value *x = by_channel(g, wide, w->c.group);
  if (!x) return NULL;
  Node *c = window_node(g, "Conv", x, turned(g, small));
  set_window(c, w, true);
  Value *d = turned(g, finish(g, c));
  for (int i = 0; i < w->c.n; i++) axes[i] = i + 2;
  /* Elements behind the last window made more than there are taps. */
  return node_op(g->at, "Slice", 4, d, grad_ints(g, from, w->c.n),
                 grad_ints(g, w->c.kernel, w->c.n),
                 grad_ints(g, axes, w->c.n));
}

static void give_bias(Grad *g, Node *n, Value *dy)
{
  int64_t axes[MAX_RANK];
  int count = 0;
  if (!grad_wanted(g, n, 2)) return;
  for (int i = 0; i < dy->rank; i++)
    if (i != 1) axes[count++] = i;
  grad_give(g, n, 2, grad_shaped(g, grad_sum(g, dy, axes, count), n->in[2]));
}

static bool d_conv(Grad *g, Node *n, Value *dy)
{
  Window w;
  if (!read_window(g, n, conv_geometry, &w)) return false;
  if (grad_wanted(g, n, 0))
    grad_give(g, n, 0, spread(g, &w, dy, n->in[1], w.in, w.out));
  if (grad_wanted(g, n, 1)) {
    Value *d = by_weight(g, &w, n->in[0], dy);
    if (!d) return false;
    grad_give(g, n, 1, d);
  }
  give_bias(g, n, dy);
  return true;
}

static bool d_conv_transpose(Grad *g, Node *n, Value *dy)
{
  Window w;
  if (!read_window(g, n, conv_transpose_geometry, &w)) return false;
  if (grad_wanted(g, n, 0)) {
    Node *c = window_node(g, "Conv", dy, n->in[1]);
    set_window(c, &w, false);
    grad_give(g, n, 0, finish(g, c));
  }
  if (grad_wanted(g, n, 1)) {
    Value *d = by_weight(g, &w, dy, n->in[0]);
    if (!d) return false;
    grad_give(g, n, 1, d);
  }
  give_bias(g, n, dy);
  return true;
}

/* --- Averages ------------------------------------------------------------- */

static Value *divided(Grad *g, Value *dy, Value *x, Value *y)
{
  Value *k = grad_op(g, "Div", grad_op(g, "Size", x, NULL, NULL),
                     grad_op(g, "Size", y, NULL, NULL), NULL);
  return grad_op(g, "Div", dy, grad_cast(g, k, dy->dtype), NULL);
}

static bool d_global_average(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0];
  grad_give(g, n, 0, grad_op(g, "Expand", divided(g, dy, x, n->out[0]),
                             grad_op(g, "Shape", x, NULL, NULL), NULL));
  return true;
}

static bool d_global_max(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0];
  int64_t axes[MAX_RANK];
  for (int i = 2; i < x->rank; i++) axes[i - 2] = i;
  Value *is = grad_cast(g, grad_op(g, "Equal", x, n->out[0], NULL), x->dtype);
  Value *share = grad_op(g, "Div", dy, grad_sum(g, is, axes, x->rank - 2),
                         NULL);
  grad_give(g, n, 0, grad_op(g, "Mul", is, share, NULL));
  return true;
}

/* What the sum over each window is divided by. */
static Value *counted(Grad *g, Node *n, const Window *w, Value *ones)
{
  int64_t all = 1;
  for (int i = 0; i < w->c.n; i++) all *= w->c.kernel[i];
  if (attr_int(n, "count_include_pad", 0))
    return grad_number(g, ones, (double)all);
  Node *p = window_node(g, "AveragePool", ones, NULL);
  attr_set_ints(p, "kernel_shape", w->c.kernel, w->c.n);
  attr_set_ints(p, "strides", w->c.stride, w->c.n);
  attr_set_ints(p, "dilations", w->c.dilation, w->c.n);
  attr_set_ints(p, "pads", w->pads, 2 * w->c.n);
  attr_set_int(p, "count_include_pad", 1);
  return grad_op(g, "Mul", grad_number(g, ones, (double)all), finish(g, p),
                 NULL);
}

static bool d_average(Grad *g, Node *n, Value *dy)
{
  Window w;
  Value *x = n->in[0];
  int64_t dim[MAX_RANK] = {0, 1}, channels;
  if (attr_int(n, "ceil_mode", 0))
    return grad_refuse(g, n, "has ceil_mode 1");
  if (!read_window(g, n, pool_geometry, &w)) return false;
  if (!dim_is_int(x->dim[1], &channels))
    return grad_refuse(g, n, "has a number of channels that is not known");
  dim[0] = w.c.group = channels;
  for (int i = 0; i < w.c.n; i++) dim[i + 2] = w.c.kernel[i];
  Value *one = grad_number(g, x, 1);
  Value *weight = grad_op(g, "Expand", one, grad_ints(g, dim, x->rank), NULL);
  Value *ones = grad_op(g, "Expand", one, grad_op(g, "Shape", x, NULL, NULL),
                        NULL);
  Value *d = grad_op(g, "Div", dy, counted(g, n, &w, ones), NULL);
  grad_give(g, n, 0, spread(g, &w, d, weight, w.in, w.out));
  return true;
}

const GradRow grad_rows_window[] = {
  {"Conv", d_conv}, {"ConvTranspose", d_conv_transpose},
  {"AveragePool", d_average}, {"GlobalAveragePool", d_global_average},
  {"GlobalMaxPool", d_global_max}, {NULL, NULL}
};
