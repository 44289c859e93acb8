/* SPDX-License-Identifier: Apache-2.0 */
/* Models, graphs, values and nodes: creation, surgery, attributes.
 *
 * What holds at all times: every use of a value by a node stands in the
 * value's use list, and every output's `def` is its node. The names by which
 * a caller knows inputs and outputs belong to the graph, not to the values, so
 * that a value may be replaced by another. */
#include "ir.h"
#include <stdlib.h>
#include <string.h>

Model *model_new(const Options *opt, const char *path)
{
  Model *m = calloc(1, sizeof *m);
  if (!m) return NULL;
  m->opt = opt;
  m->path = arena_str(&m->arena, path ? path : "");
  const char *slash = strrchr(m->path, '/');
  m->file = slash ? slash + 1 : m->path;
  dims_init(&m->dims, m);
  m->main = graph_new(m, NULL, "");
  return m;
}

void model_free(Model *m)
{
  if (!m) return;
  import_free(m);
  arena_free(&m->arena);
  free(m);
}

Graph *graph_new(Model *m, Graph *outer, const char *name)
{
  Graph *g = NEW(&m->arena, Graph, 1);
  g->m = m;
  g->outer = outer;
  g->name = arena_str(&m->arena, name);
  return g;
}

static void port_add(Graph *g, bool input, Value *v)
{
  Arena *a = &g->m->arena;
  Value ***list = input ? &g->in : &g->out;
  const char ***name = input ? &g->in_name : &g->out_name;
  int *n = input ? &g->nin : &g->nout;
  *list = arena_grow(a, *list, *n, sizeof **list);
  *name = arena_grow(a, *name, *n, sizeof **name);
  (*list)[*n] = v;
  (*name)[(*n)++] = v->name;
}

void graph_add_input(Graph *g, Value *v)
{
  port_add(g, true, v);
  v->is_input = true;
}

void graph_add_output(Graph *g, Value *v)
{
  port_add(g, false, v);
  v->is_output = true;
}

Value *value_new(Graph *g, const char *name, Dtype t, int rank,
                 const Dim *const *dim)
{
  Value *v = NEW(&g->m->arena, Value, 1);
  v->id = g->m->nvalue++;
  v->g = g;
  v->dtype = t;
  v->name = *name ? arena_str(&g->m->arena, name)
                  : arena_printf(&g->m->arena, "v%d", v->id);
  value_set_shape(v, rank, dim);
  return v;
}

void value_set_shape(Value *v, int rank, const Dim *const *dim)
{
  v->rank = rank;
  v->dim = NULL;
  if (rank < 0) return;
  v->dim = NEW(&v->g->m->arena, const Dim *, rank + 1);
  if (rank) memcpy(v->dim, dim, sizeof *dim * (size_t)rank);
}

Value *value_tmp(Graph *g, const char *hint, const Value *like)
{
  const char *name = arena_printf(&g->m->arena, "%s_%d", hint, g->m->nvalue);
  if (!like) return value_new(g, name, DT_NONE, -1, NULL);
  Value *v = value_new(g, name, like->dtype, like->rank, like->dim);
  v->kind = like->kind;
  return v;
}

Value *value_const(Graph *g, const char *hint, const Tensor *t)
{
  Value *v = value_tmp(g, hint, NULL);
  const Dim *dim[MAX_RANK];
  for (int i = 0; i < t->rank; i++) dim[i] = dim_int(&g->m->dims, t->dim[i]);
  v->dtype = t->dtype;
  v->data = t;
  value_set_shape(v, t->rank, dim);
  return v;
}

Value *value_const_ints(Graph *g, const char *hint, const int64_t *v, int n)
{
  int64_t dim = n;
  Tensor *t = tensor_new(&g->m->arena, DT_I64, 1, &dim);
  for (int i = 0; i < n; i++) tensor_set_i64(t, i, v[i]);
  return value_const(g, hint, t);
}

Value *value_const_scalar(Graph *g, const char *hint, Dtype t, double v)
{
  Tensor *x = tensor_new(&g->m->arena, t, 0, NULL);
  tensor_set_f64(x, 0, v);
  return value_const(g, hint, x);
}

const Dim *value_numel(const Value *v)
{
  return dim_prod(&v->g->m->dims, v->dim, v->rank < 0 ? 0 : v->rank);
}

bool value_static(const Value *v)
{
  int64_t k;
  for (int i = 0; i < v->rank; i++)
    if (!dim_is_int(v->dim[i], &k)) return false;
  return v->rank >= 0;
}

bool value_same_shape(const Value *a, const Value *b)
{
  if (a->rank < 0 || a->rank != b->rank) return false;
  for (int i = 0; i < a->rank; i++)
    if (a->dim[i] != b->dim[i]) return false;
  return true;
}

static void use_add(Value *v, Node *n)
{
  if (!v) return;
  v->use = arena_grow(&v->g->m->arena, v->use, v->nuse, sizeof *v->use);
  v->use[v->nuse++] = n;
}

static void use_drop(Value *v, const Node *n)
{
  if (!v) return;
  for (int i = v->nuse; i-- > 0;)
    if (v->use[i] == n) {
      memmove(v->use + i, v->use + i + 1,
              sizeof *v->use * (size_t)(v->nuse - i - 1));
      v->nuse--;
      return;
    }
}

static void node_link(Node *n, Node *at)
{
  Graph *g = n->g;
  n->next = at;
  n->prev = at ? at->prev : g->last;
  *(n->prev ? &n->prev->next : &g->first) = n;
  *(at ? &at->prev : &g->last) = n;
}

static void node_unlink(Node *n)
{
  *(n->prev ? &n->prev->next : &n->g->first) = n->next;
  *(n->next ? &n->next->prev : &n->g->last) = n->prev;
  n->prev = n->next = NULL;
}

Node *node_new(Graph *g, Node *at, const char *op_type, int nin, int nout,
               const Node *from)
{
  Arena *a = &g->m->arena;
  Node *n = NEW(a, Node, 1);
  n->g = g;
  n->op_type = arena_str(a, op_type);
  n->domain = "";
  n->name = from ? from->name : "";
  n->origin = from ? from->origin : NULL;
  n->half = from ? from->half : DT_NONE;
  n->op = op_find("", op_type);
  if (n->op) n->version = n->op->rows[n->op->nrow - 1].since;
  n->nin = nin;
  n->nout = nout;
  n->in = NEW(a, Value *, nin + 1);
  n->out = NEW(a, Value *, nout + 1);
  node_link(n, at);
  return n;
}

Value *node_op(Node *at, const char *op_type, int nin, ...)
{
  Node *n = node_new(at->g, at, op_type, nin, 1, at);
  va_list ap;
  va_start(ap, nin);
  for (int i = 0; i < nin; i++) node_set_input(n, i, va_arg(ap, Value *));
  va_end(ap);
  node_set_output(n, 0, value_tmp(at->g, op_type, NULL));
  infer_node(n);
  return n->out[0];
}

Value *node_cast(Node *at, Value *x, Dtype t)
{
  if (x->dtype == t) return x;
  Node *c = node_new(at->g, at, "Cast", 1, 1, at);
  attr_set_int(c, "to", t);
  node_set_input(c, 0, x);
  node_set_output(c, 0, value_tmp(at->g, "cast", NULL));
  infer_node(c);
  return c->out[0];
}

void node_remove(Node *n)
{
  node_drop_inputs(n, 0);
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] && n->out[i]->def == n) n->out[i]->def = NULL;
  node_unlink(n);
}

void node_move_before(Node *n, Node *at)
{
  if (n == at) return;
  node_unlink(n);
  node_link(n, at);
}

void node_set_input(Node *n, int i, Value *v)
{
  while (n->nin <= i) {
    n->in = arena_grow(&n->g->m->arena, n->in, n->nin, sizeof *n->in);
    n->in[n->nin++] = NULL;
  }
  use_drop(n->in[i], n);
  n->in[i] = v;
  use_add(v, n);
}

void node_set_output(Node *n, int i, Value *v)
{
  while (n->nout <= i) {
    n->out = arena_grow(&n->g->m->arena, n->out, n->nout, sizeof *n->out);
    n->out[n->nout++] = NULL;
  }
  if (n->out[i] && n->out[i]->def == n) n->out[i]->def = NULL;
  n->out[i] = v;
  if (v) v->def = n;
}

void node_drop_inputs(Node *n, int from)
{
  while (n->nin > from) use_drop(n->in[--n->nin], n);
}

void value_replace(Value *old, Value *by)
{
  if (old == by) return;
  same_replaced(by, old);
  if (old->g->m->watch && old->file && !by->file) {
    by->file = true; /* for who asks for types by the file's names */
    by->name = old->name;
  }
  while (old->nuse) {
    Node *n = old->use[old->nuse - 1];
    for (int i = 0; i < n->nin; i++)
      if (n->in[i] == old) node_set_input(n, i, by);
  }
  Graph *g = old->g;
  for (int i = 0; i < g->nout; i++)
    if (g->out[i] == old) {
      g->out[i] = by;
      by->is_output = true;
    }
  old->is_output = false;
  by->became = NULL; /* so that no chain of these is a ring */
  old->became = by;
}

Value *node_in(const Node *n, int i)
{
  return i >= 0 && i < n->nin ? n->in[i] : NULL;
}

Value *node_out(const Node *n, int i)
{
  return i >= 0 && i < n->nout ? n->out[i] : NULL;
}

bool node_is(const Node *n, const char *op_type)
{
  return !*n->domain && !strcmp(n->op_type, op_type);
}

bool node_is_internal(const Node *n, const char *op_type)
{
  return !strcmp(n->domain, "o2c") && !strcmp(n->op_type, op_type);
}

Node *value_only_user(const Value *v)
{
  return v->nuse == 1 && !v->is_output ? v->use[0] : NULL;
}
