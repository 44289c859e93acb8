/* SPDX-License-Identifier: Apache-2.0 */
/* Derivatives of operators that only move elements.
 *
 * Where a move has an inverse, or a sum for one, that is it. All others are
 * made a second time with the numbers of the elements, from 1, for elements: it
 * then says where each came from, and 0 of what is filled in; and the gradient
 * is scattered there, adding up. */
#include "gradient.h"

static bool d_reshape(Grad *g, Node *n, Value *dy)
{
  grad_give(g, n, 0, grad_shaped(g, dy, n->in[0]));
  return true;
}

static bool d_expand(Grad *g, Node *n, Value *dy)
{
  grad_give(g, n, 0, dy);
  return true;
}

static bool d_transpose(Grad *g, Node *n, Value *dy)
{
  int rank = n->in[0]->rank, count;
  const int64_t *perm = attr_ints(n, "perm", &count);
  int64_t inverse[MAX_RANK];
  for (int i = 0; i < rank; i++)
    inverse[perm ? perm[i] : rank - 1 - i] = perm ? i : rank - 1 - i;
  Node *t = node_new(n->g, g->at, "Transpose", 1, 1, g->at);
  attr_set_ints(t, "perm", inverse, rank);
  node_set_input(t, 0, dy);
  node_set_output(t, 0, value_tmp(n->g, "grad", NULL));
  infer_node(t);
  grad_give(g, n, 0, t->out[0]);
  return true;
}

/* The size of v along an axis, as a list of one. */
static Value *size_along(Grad *g, Value *v, int64_t axis)
{
  Node *s = node_new(v->g, g->at, "Shape", 1, 1, g->at);
  attr_set_int(s, "start", axis);
  attr_set_int(s, "end", axis + 1);
  node_set_input(s, 0, v);
  node_set_output(s, 0, value_tmp(v->g, "size", NULL));
  infer_node(s);
  return s->out[0];
}

static Value *joined(Grad *g, Value *const *v, int n, int64_t axis)
{
  Node *c = node_new(g->at->g, g->at, "Concat", n, 1, g->at);
  attr_set_int(c, "axis", axis);
  for (int i = 0; i < n; i++) node_set_input(c, i, v[i]);
  node_set_output(c, 0, value_tmp(g->at->g, "grad", NULL));
  infer_node(c);
  return c->out[0];
}

static bool d_concat(Grad *g, Node *n, Value *dy)
{
  int64_t axis = axis_norm(n, attr_int(n, "axis", 0), dy->rank);
  Value **size = NEW(&n->g->m->arena, Value *, n->nin + 1);
  if (axis < 0) return false;
  for (int i = 0; i < n->nin; i++) size[i] = size_along(g, n->in[i], axis);
  Value *sizes = joined(g, size, n->nin, 0);
  Node *s = node_new(n->g, g->at, "Split", 2, n->nin, g->at);
  attr_set_int(s, "axis", axis);
  node_set_input(s, 0, dy);
  node_set_input(s, 1, sizes);
  for (int i = 0; i < n->nin; i++)
    node_set_output(s, i, value_tmp(n->g, "grad", NULL));
  infer_node(s);
  for (int i = 0; i < n->nin; i++) grad_give(g, n, i, s->out[i]);
  return true;
}

static bool d_split(Grad *g, Node *n, Value *dy)
{
  Value **part = NEW(&n->g->m->arena, Value *, n->nout + 1);
  (void)dy;
  for (int i = 0; i < n->nout; i++) {
    if (!n->out[i]) return grad_refuse(g, n, "leaves out an output");
    part[i] = grad_of(g, n->out[i]);
    if (!part[i]) part[i] = grad_zeros(g, n->out[i]);
  }
  int64_t axis = attr_int(n, "axis", 0);
  grad_give(g, n, 0, joined(g, part, n->nout, axis));
  return true;
}

/* --- By places ------------------------------------------------------------ */

/* All elements of v in a row. */
static Value *flat(Grad *g, Value *v)
{
  static const int64_t all[] = {-1};
  return v->rank == 1 ? v : grad_op(g, "Reshape", v, grad_ints(g, all, 1),
                                    NULL);
}

static Value *plus(Grad *g, Value *v, int64_t by)
{
  return grad_op(g, "Add", v, grad_number(g, v, (double)by), NULL);
}

/* 1, 2, .. in the shape of x. */
static Value *places(Grad *g, Value *x)
{
  Value *end = plus(g, grad_op(g, "Size", x, NULL, NULL), 1);
  Value *one = grad_number(g, end, 1);
  return grad_shaped(g, grad_op(g, "Range", one, end, one), x);
}

/* dy added up at the numbers `at`, in the shape of x; 0 is nowhere. */
static Value *scattered(Grad *g, Value *at, Value *dy, Value *x)
{
  static const int64_t first[] = {1}, last[] = {INT64_MAX}, shape[] = {1};
  Graph *graph = g->at->g;
  Value *size = grad_op(g, "Size", x, NULL, NULL);
  size = grad_op(g, "Reshape", plus(g, size, 1), grad_ints(g, shape, 1), NULL);
  Value *in[] = {grad_op(g, "Expand", grad_number(g, x, 0), size, NULL),
                 flat(g, at), flat(g, dy)};
  Node *s = node_new(graph, g->at, "ScatterElements", 3, 1, g->at);
  attr_set_str(s, "reduction", "add");
  for (int i = 0; i < 3; i++) node_set_input(s, i, in[i]);
  node_set_output(s, 0, value_tmp(graph, "grad", NULL));
  infer_node(s);
  Value *v = grad_op(g, "Slice", s->out[0], grad_ints(g, first, 1),
                     grad_ints(g, last, 1));
  return grad_shaped(g, v, x);
}

static bool d_move(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0];
  for (int i = 1; i < n->nin; i++)
    if (grad_wanted(g, n, i))
      return grad_refuse(g, n, "has a derivative by its first input only");
  Value *from = places(g, x);
  Node *c = node_new(n->g, g->at, n->op_type, n->nin, 1, g->at);
  c->nattr = n->nattr;
  c->attr = n->attr;
  node_set_input(c, 0, from);
  for (int i = 1; i < n->nin; i++) node_set_input(c, i, n->in[i]);
  if (node_is(n, "Pad") && c->nin > 2) node_set_input(c, 2, NULL);
  node_set_output(c, 0, value_tmp(n->g, "places", NULL));
  infer_node(c);
  if (c->out[0]->bad) return false;
  grad_give(g, n, 0, scattered(g, c->out[0], dy, x));
  return true;
}

static bool d_top(Grad *g, Node *n, Value *dy)
{
  Value *index = node_out(n, 1);
  if (!dy) return true;
  if (!index) {
    index = value_tmp(n->g, "index", NULL);
    node_set_output(n, 1, index);
    infer_node(n);
  }
  int64_t axis = attr_int(n, "axis", -1);
  Value *at = grad_op_int(g, "GatherElements", places(g, n->in[0]), index,
                          "axis", axis);
  grad_give(g, n, 0, scattered(g, at, dy, n->in[0]));
  return true;
}

static bool d_max_pool(Grad *g, Node *n, Value *dy)
{
  if (attr_int(n, "storage_order", 0))
    return grad_refuse(g, n, "has storage_order 1");
  if (!dy) return true;
  if (!node_out(n, 1)) {
    node_set_output(n, 1, value_tmp(n->g, "index", NULL));
    infer_node(n);
  }
  grad_give(g, n, 0, scattered(g, plus(g, n->out[1], 1), dy, n->in[0]));
  return true;
}

/* dy is taken where the updates went, and by the data where none did. */
static bool d_scatter(Grad *g, Node *n, Value *dy)
{
  int64_t axis = attr_int(n, "axis", 0);
  const char *how = attr_str(n, "reduction", "none");
  if (how[0] != 'a')
    return grad_refuse(g, n, "has a derivative with reduction \"add\" only");
  grad_give(g, n, 0, dy);
  if (grad_wanted(g, n, 2))
    grad_give(g, n, 2, grad_op_int(g, "GatherElements", dy, n->in[1], "axis",
                                   axis));
  return true;
}

const GradRow grad_rows_move[] = {
  {"Reshape", d_reshape}, {"Flatten", d_reshape}, {"Squeeze", d_reshape},
  {"Unsqueeze", d_reshape}, {"Expand", d_expand}, {"Transpose", d_transpose},
  {"Concat", d_concat}, {"Split", d_split}, {"Slice", d_move},
  {"Gather", d_move}, {"GatherElements", d_move}, {"GatherND", d_move},
  {"Tile", d_move}, {"Pad", d_move}, {"Trilu", d_move},
  {"DepthToSpace", d_move}, {"SpaceToDepth", d_move},
  {"ReverseSequence", d_move}, {"Compress", d_move}, {"TopK", d_top},
  {"MaxPool", d_max_pool}, {"ScatterElements", d_scatter}, {NULL, NULL}
};
