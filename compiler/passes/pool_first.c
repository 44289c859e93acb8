/* SPDX-License-Identifier: Apache-2.0 */
/* Averages of a pointwise convolution are taken before it:
 *
 *   AveragePool(Conv1x1(x))  ->  Conv1x1(AveragePool(x))
 *
 * Both are linear, so where the pool leaves fewer pixels than it gets, the
 * convolution has that much less to do: a quarter in the transitions of
 * DenseNet. Not where the pool counts padding, which has no bias.
 */
#include "../ir.h"

#include <string.h>

/* Does the pool leave at most half of the pixels, and count nothing else? */
static bool pool_shrinks(const Node *n)
{
  ConvGeom g;
  int64_t stride = 1;
  if (node_is(n, "GlobalAveragePool"))
    return true;
  if (!node_is(n, "AveragePool") || !pool_geometry(n, &g))
    return false;
  for (int i = 0; i < g.n; i++)
    stride *= g.stride[i];
  return stride > 1 &&
         (geometry_unpadded(&g) || !attr_int(n, "count_include_pad", 0));
}

static bool is_pointwise(const Node *c)
{
  ConvGeom g;
  const Tensor *w = const_input(c, 1);
  if (!node_is(c, "Conv") || !w || w->dtype != DT_F32 ||
      !conv_geometry(c, &g) || g.group != 1 || !geometry_unpadded(&g))
    return false;
  for (int i = 0; i < g.n; i++)
    if (g.kernel[i] != 1 || g.stride[i] != 1)
      return false;
  return w->dim[0] >= 8; /* else the pool gets more to do than is saved */
}

static Node *like(Node *at, const Node *n)
{
  Node *c = node_new(at->g, at, n->op_type, n->nin, 1, n);
  c->domain = n->domain;
  c->version = n->version;
  c->op = n->op;
  c->attr = n->attr;
  c->nattr = n->nattr;
  for (int i = 0; i < n->nin; i++)
    node_set_input(c, i, n->in[i]);
  return c;
}

static bool swap(Node *n)
{
  Node *c = n->nin > 0 && n->in[0] ? n->in[0]->def : NULL;
  if (!c || value_only_user(c->out[0]) != n || !is_pointwise(c) ||
      !pool_shrinks(n))
    return false;
  Node *pool = like(n, n), *conv = like(n, c);
  node_set_input(pool, 0, c->in[0]);
  node_set_output(pool, 0, value_tmp(n->g, "pooled", NULL));
  infer_node(pool);
  node_set_input(conv, 0, pool->out[0]);
  Value *y = n->out[0], *made = value_tmp(n->g, y->name, y);
  node_set_output(conv, 0, made);
  value_replace(y, made);
  node_remove(n);
  node_remove(c);
  return true;
}

bool pass_pool_first(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    changed = swap(n) || changed;
  }
  return changed;
}
