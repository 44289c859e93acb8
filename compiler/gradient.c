/* SPDX-License-Identifier: Apache-2.0 */
/* Gradient of ai.onnx.preview.training: the derivatives of a value by others,
 * as nodes of the same graph.
 *
 * Import gives the node the values that its attributes name as further inputs:
 * the given ones, then y, xs, zs. When the node is inferred, all that y is
 * made of stands before it, inferred and in the newest form. What lies between
 * xs and y is gone through backwards; the rule of each operator adds to the
 * gradients of its inputs. Where the inputs are others than the values named,
 * the part between is made again from them first. Of a y that has several
 * elements it is the derivative of their sum. A Gradient's nodes are nodes as
 * all others, so derivatives of derivatives need nothing more. */
#include "gradient.h"
#include <string.h>

/* --- Nodes ---------------------------------------------------------------- */

static Node *grad_node(Grad *g, const char *op, Value *a, Value *b, Value *c)
{
  Node *n = node_new(g->at->g, g->at, op, c ? 3 : b ? 2 : 1, 1, g->at);
  node_set_input(n, 0, a);
  if (b || c) node_set_input(n, 1, b);
  if (c) node_set_input(n, 2, c);
  node_set_output(n, 0, value_tmp(g->at->g, "grad", NULL));
  return n;
}

Value *grad_op(Grad *g, const char *op, Value *a, Value *b, Value *c)
{
  Node *n = grad_node(g, op, a, b, c);
  infer_node(n);
  return n->out[0];
}

Value *grad_op_int(Grad *g, const char *op, Value *a, Value *b,
                   const char *name, int64_t v)
{
  Node *n = grad_node(g, op, a, b, NULL);
  attr_set_int(n, name, v);
  infer_node(n);
  return n->out[0];
}

Value *grad_number(Grad *g, const Value *like, double v)
{
  return value_const_scalar(g->at->g, "number", like->dtype, v);
}

Value *grad_cast(Grad *g, Value *v, Dtype t)
{
  return v->dtype == t ? v : grad_op_int(g, "Cast", v, NULL, "to", t);
}

static Value *shape_of(Grad *g, Value *v)
{
  return grad_op(g, "Shape", v, NULL, NULL);
}

static Value *filled(Grad *g, Value *like, double v)
{
  Value *x = grad_number(g, like, v);
  return like->rank ? grad_op(g, "Expand", x, shape_of(g, like), NULL) : x;
}

Value *grad_zeros(Grad *g, Value *like)
{
  return filled(g, like, 0);
}

Value *grad_shaped(Grad *g, Value *v, Value *like)
{
  return value_same_shape(v, like) ? v
    : grad_op(g, "Reshape", v, shape_of(g, like), NULL);
}

Value *grad_ints(Grad *g, const int64_t *v, int n)
{
  return value_const_ints(g->at->g, "ints", v, n);
}

Value *grad_sum(Grad *g, Value *v, const int64_t *axes, int n)
{
  return n ? grad_op(g, "ReduceSum", v, grad_ints(g, axes, n), NULL) : v;
}

bool grad_refuse(Grad *g, Node *n, const char *why)
{
  Arena *a = &g->at->g->m->arena;
  const Origin *o = n->origin;
  const char *name = o && *o->name ? quote(a, o->name) : "";
  fail_unsupported(g->at, "node %d %s%s(%s), which %s depends on, %s",
                   o ? o->index : -1, name, *name ? " " : "", n->op_type,
                   quote(a, attr_str(g->at, "y", "")), why);
  return false;
}

/* --- Gradients of values -------------------------------------------------- */

Value *grad_of(const Grad *g, const Value *v)
{
  return v && v->id < g->n ? g->of[v->id] : NULL;
}

static bool is_active(const Grad *g, const Value *v)
{
  return v && v->id < g->n && g->active[v->id];
}

bool grad_wanted(const Grad *g, const Node *n, int in)
{
  return is_active(g, node_in(n, in));
}

/* What was broadcast is summed; then the shape is that of `like`. */
static Value *unbroadcast(Grad *g, Value *v, Value *like)
{
  int64_t axes[MAX_RANK];
  int n = 0, lead = v->rank - like->rank;
  if (value_same_shape(v, like)) return v;
  for (int i = 0; i < v->rank; i++) {
    bool gone = i < lead || (dim_is(like->dim[i - lead], 1) &&
                             !dim_is(v->dim[i], 1));
    if (gone) axes[n++] = i;
  }
  v = grad_sum(g, v, axes, n);
  if (v->rank == like->rank) return v;
  return grad_shaped(g, v, like);
}

void grad_give(Grad *g, Node *n, int in, Value *v)
{
  Value *x = node_in(n, in);
  if (!is_active(g, x) || v->bad) return;
  v = unbroadcast(g, v, x);
  Value **sum = &g->of[x->id];
  *sum = *sum ? grad_op(g, "Add", *sum, v, NULL) : v;
}

static GradRule rule_of(const Node *n)
{
  static const GradRow *const lists[] = {grad_rows_ew, grad_rows_nn,
                                         grad_rows_move, grad_rows_window};
  if (*n->domain && !node_is_internal(n, "Select")) return NULL;
  for (int i = 0; i < COUNT(lists); i++)
    for (const GradRow *r = lists[i]; r->op; r++)
      if (!strcmp(r->op, n->op_type)) return r->rule;
  return NULL;
}

static bool back(Grad *g, Node *n)
{
  GradRule rule = rule_of(n);
  Value *dy = grad_of(g, n->out[0]);
  bool any = dy != NULL, wanted = false;
  int errors = g->at->g->m->nerror;
  for (int i = 1; i < n->nout; i++) any = any || grad_of(g, n->out[i]);
  for (int i = 0; i < n->nin; i++) wanted = wanted || grad_wanted(g, n, i);
  if (!any || !wanted) return true;
  if (rule && rule(g, n, dy)) return true;
  return g->at->g->m->nerror == errors
    ? grad_refuse(g, n, rule ? "can't be differentiated in this form"
                  : "has no derivative that onnx2c knows") : false;
}

/* --- What is differentiated ----------------------------------------------- */

typedef struct {
  Node **node;       /* what y needs, in order */
  int n;
  Value **leaf;      /* xs, then zs */
  int nx, nleaf;
} Part;

static bool is_leaf(const Part *p, const Value *v)
{
  for (int i = 0; i < p->nleaf; i++)
    if (p->leaf[i] == v) return true;
  return false;
}

/* The nodes that y is made of, as far as the leaves. */
static void find_part(Node *at, Value *y, Part *p)
{
  Model *m = at->g->m;
  bool *need = NEW(&m->arena, bool, m->nvalue + 1);
  need[y->id] = !is_leaf(p, y);
  int count = 0;
  for (Node *n = at->prev; n; n = n->prev) {
    bool used = false;
    for (int i = 0; i < n->nout; i++)
      used = used || (n->out[i] && need[n->out[i]->id] &&
                      !is_leaf(p, n->out[i]));
    if (!used) continue;
    count++;
    for (int i = 0; i < n->nin; i++)
      if (n->in[i]) need[n->in[i]->id] = true;
    p->node = arena_grow(&m->arena, p->node, p->n, sizeof *p->node);
    p->node[p->n++] = n;
  }
  for (int i = 0; i < count / 2; i++) {
    Node *n = p->node[i];
    p->node[i] = p->node[count - 1 - i];
    p->node[count - 1 - i] = n;
  }
}

static bool is_real(const Value *v)
{
  return v->kind == VK_TENSOR && dtype_info(v->dtype)->cls == DC_FLOAT;
}

/* Active: depends on a value of xs by floating-point numbers. */
static void mark_active(Grad *g, const Part *p)
{
  Model *m = g->at->g->m;
  g->n = m->nvalue;
  g->active = NEW(&m->arena, bool, g->n + 1);
  g->of = NEW(&m->arena, Value *, g->n + 1);
  for (int i = 0; i < p->nx; i++) g->active[p->leaf[i]->id] = true;
  for (int i = 0; i < p->n; i++) {
    const Node *n = p->node[i];
    bool any = false;
    for (int k = 0; k < n->nin; k++) any = any || is_active(g, n->in[k]);
    for (int k = 0; any && k < n->nout; k++)
      if (n->out[k] && is_real(n->out[k]) && !is_leaf(p, n->out[k]))
        g->active[n->out[k]->id] = true;
  }
}

/* --- The part made again, of other leaves --------------------------------- */

static Node *copy_node(Grad *g, const Node *n, Value **to)
{
  Model *m = g->at->g->m;
  Node *y = node_new(g->at->g, g->at, n->op_type, n->nin, n->nout, n);
  y->domain = n->domain;
  y->version = n->version;
  y->op = n->op;
  y->nattr = n->nattr;
  y->attr = NEW(&m->arena, Attr, n->nattr + 1);
  if (n->nattr) memcpy(y->attr, n->attr, sizeof *n->attr * (size_t)n->nattr);
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    node_set_input(y, i, v && v->id < g->n && to[v->id] ? to[v->id] : v);
  }
  for (int i = 0; i < n->nout; i++) {
    if (!n->out[i]) continue;
    Value *v = value_tmp(g->at->g, n->out[i]->name, NULL);
    node_set_output(y, i, v);
    to[n->out[i]->id] = v;
  }
  return y;
}

/* A loop of the generated code can't be made twice, nor gone through. */
static bool no_loop(Grad *g, const Part *p)
{
  for (int i = 0; i < p->n; i++)
    if (node_is_internal(p->node[i], "LoopBegin") ||
        node_is_internal(p->node[i], "LoopEnd"))
      return grad_refuse(g, p->node[i], "is a loop whose trips only the run "
                         "tells; let it have a number of trips that is known");
  return true;
}

/* `given` in the place of the leaves; *y is then what it becomes. */
static bool remake(Grad *g, Part *p, Value *const *given, Value **y)
{
  Model *m = g->at->g->m;
  bool same = true;
  for (int i = 0; i < p->nleaf; i++) same = same && given[i] == p->leaf[i];
  if (same) return true;
  g->n = m->nvalue;
  Value **to = NEW(&m->arena, Value *, g->n + 1);
  for (int i = 0; i < p->nleaf; i++) to[p->leaf[i]->id] = given[i];
  for (int i = 0; i < p->n; i++) {
    bool moved = false;
    Node *n = p->node[i];
    for (int k = 0; k < n->nin; k++)
      moved = moved || (n->in[k] && to[n->in[k]->id]);
    if (!moved) continue;
    p->node[i] = copy_node(g, n, to);
    infer_node(p->node[i]);
  }
  if (to[(*y)->id]) *y = to[(*y)->id];
  for (int i = 0; i < p->nleaf; i++) p->leaf[i] = given[i];
  return !m->nerror;
}

/* --- The node ------------------------------------------------------------- */

static int names_of(const Node *n, const char *name)
{
  const Attr *a = attr_get(n, name);
  return a && a->type == AT_STRS ? a->n : 0;
}

static bool check_values(Node *n, const Value *y, const Part *p)
{
  Arena *a = &n->g->m->arena;
  for (int i = 0; i < n->nin; i++) {
    const Value *v = n->in[i];
    if (!v || v->bad) return false;
    if (v->kind == VK_TENSOR && v->dtype && v->rank >= 0) continue;
    fail_unsupported(n, "%s is no tensor of known shape", quote(a, v->name));
    return false;
  }
  for (int i = 0; i < p->nx; i++)
    if (!is_real(p->leaf[i])) y = p->leaf[i];
  if (is_real(y)) return true;
  fail_model(n, "%s is of type %s, by which nothing can be differentiated",
             quote(a, y->name), dtype_info(y->dtype)->onnx);
  return false;
}

bool gradient_inline(Node *n)
{
  int nx = names_of(n, "xs"), given = nx + names_of(n, "zs");
  Part p = {.nx = nx, .nleaf = given};
  Grad g = {.at = n};
  if (n->nin != 2 * given + 1 || n->nout > nx) {
    fail_model(n, "xs and zs name %d values, but there are %d inputs and %d "
               "outputs (spec: an input for each, an output for each of xs)",
               given, n->nin - 1 - given, n->nout);
    return false;
  }
  Value *y = n->in[given];
  p.leaf = NEW(&n->g->m->arena, Value *, given + 1);
  memcpy(p.leaf, n->in + given + 1, sizeof *p.leaf * (size_t)given);
  if (!check_values(n, y, &p)) return false;
  find_part(n, y, &p);
  if (!no_loop(&g, &p) || !remake(&g, &p, n->in, &y)) return false;
  mark_active(&g, &p);
  Value *seed = filled(&g, y, 1);
  if (is_active(&g, y)) g.of[y->id] = seed;
  for (int i = p.n; i-- > 0;)
    if (!back(&g, p.node[i])) return false;
  for (int i = 0; i < n->nout; i++) {
    if (!n->out[i]) continue;
    Value *v = grad_of(&g, p.leaf[i]);
    control_give(n, i, v ? v : grad_zeros(&g, p.leaf[i]));
  }
  return !n->g->m->nerror;
}
