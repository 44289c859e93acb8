/* SPDX-License-Identifier: Apache-2.0 */
/* Inference of types, shapes and content, over nodes in order.
 *
 * Each operator's infer function states its outputs by the helpers here. A
 * node with a bad input is not looked at: its outputs are bad too, silently.
 * A symbolic dimension broadcasts only against itself and 1 (and see unify.c):
 * anything else would be a check at run time that a different size could fail.
 */
#include "make_batch.h"
#include <string.h>

DimPool *node_dims(const Node *n)
{
  return &n->g->m->dims;
}

bool infer_ready(const Node *n)
{
  for (int i = 0; i < n->nin; i++) {
    const Value *v = n->in[i];
    if (!v) continue;
    if (v->bad || v->kind != VK_TENSOR || !v->dtype || v->rank < 0)
      return false;
  }
  return true;
}

/* The file's claims about an output; what is inferred wins. */
static void compare_declared(Node *n, const Value *v, Dtype t, int rank,
                             const Dim *const *dim)
{
  const Type *d = v->declared;
  if (!d || d->kind != VK_TENSOR) return;
  const char *name = quote(&n->g->m->arena, v->name);
  if (d->dtype && t && d->dtype != t) {
    fail_model(n, "output %s is declared as %s, but the operator gives %s; "
               "correct the declaration", name, dtype_info(d->dtype)->onnx,
               dtype_info(t)->onnx);
    return;
  }
  if (d->rank >= 0 && d->rank != rank)
    diag(n, SEV_WARNING, EXIT_OK, "output %s is declared with rank %d, but "
         "its shape is %s, which is taken", name, d->rank,
         dims_text(node_dims(n), rank, dim));
  for (int i = 0; i < rank && d->rank == rank; i++) {
    int64_t x, y;
    if (!d->dim[i] || !dim_is_int(d->dim[i], &x) || !dim_is_int(dim[i], &y) ||
        x == y) continue;
    diag(n, SEV_WARNING, EXIT_OK, "dimension %d of output %s is declared as "
         "%lld, but its shape is %s, which is taken", i, name, (long long)x,
         dims_text(node_dims(n), rank, dim));
    return;
  }
}

void infer_out(Node *n, int i, Dtype t, int rank, const Dim *const *dim)
{
  Value *v = node_out(n, i);
  if (!v || v->bad) return;
  if (rank > MAX_RANK) {
    fail_unsupported(n, "output %s has rank %d; at most %d is supported",
                     quote(&n->g->m->arena, v->name), rank, MAX_RANK);
    return;
  }
  for (int k = 0; k < rank; k++) {
    int64_t size;
    if (dim_bad(dim[k])) {
      fail_model(n, "the shape of output %s can't be computed",
                 quote(&n->g->m->arena, v->name));
      return;
    }
    if (!dim_is_int(dim[k], &size) || size >= 0) continue;
    fail_model(n, "output %s would have the shape %s, with a negative "
               "dimension; the input is too small",
               quote(&n->g->m->arena, v->name),
               dims_text(node_dims(n), rank, dim));
    return;
  }
  if (!v->inferred) compare_declared(n, v, t, rank, dim);
  if (v->kind == VK_SPARSE) v->kind = VK_TENSOR; /* see sparse.c */
  v->inferred = true;
  v->dtype = t;
  value_set_shape(v, rank, dim);
}

void infer_same(Node *n, int out, int in)
{
  const Value *v = node_in(n, in);
  if (!v || v->bad || v->rank < 0) return;
  infer_out(n, out, v->dtype, v->rank, v->dim);
}

const Dim *infer_broadcast_dim(Node *n, const Dim *a, const Dim *b, int axis)
{
  DimPool *p = node_dims(n);
  const Dim *one;
  int64_t x, y;
  if (a == b || dim_is(b, 1)) return a;
  if (dim_is(a, 1)) return b;
  if (dim_bad(a) || dim_bad(b)) return p->bad;
  if (dim_is_int(a, &x) && dim_is_int(b, &y))
    fail_model(n, "the inputs' shapes do not broadcast: axis %d is %lld and "
               "%lld", axis, (long long)x, (long long)y);
  else if ((one = dims_unify(p, a, b, false)))
    return one;
  else
    fail_unsupported(n, "axis %d is %s in one input and %s in another, which "
                     "may or may not be equal; fix the sizes with --dim, or "
                     "give the dimensions one name", axis, dim_text(p, a),
                     dim_text(p, b));
  return NULL;
}

bool infer_equal(Node *n, const Dim *a, const Dim *b, const char *what)
{
  DimPool *p = node_dims(n);
  int64_t x, y;
  if (a == b) return true;
  if (dim_bad(a) || dim_bad(b)) return false;
  if (dim_is_int(a, &x) && dim_is_int(b, &y))
    fail_model(n, "%s: %lld and %lld (spec: equal)", what, (long long)x,
               (long long)y);
  else if (dims_unify(p, a, b, true))
    return true;
  else
    fail_unsupported(n, "%s: %s and %s, which may or may not be equal; fix the "
                     "sizes with --dim, or give the dimensions one name", what,
                     dim_text(p, a), dim_text(p, b));
  return false;
}

bool infer_broadcast(Node *n, int nin, Dtype t)
{
  const Dim *dim[MAX_RANK];
  int rank = 0;
  if (!infer_ready(n)) return false;
  for (int i = 0; i < nin; i++)
    if (node_in(n, i) && n->in[i]->rank > rank) rank = n->in[i]->rank;
  for (int k = 0; k < rank; k++) {
    dim[k] = dim_int(node_dims(n), 1);
    for (int i = 0; i < nin; i++) {
      const Value *v = node_in(n, i);
      int axis = v ? k - (rank - v->rank) : -1;
      if (axis < 0) continue;
      dim[k] = infer_broadcast_dim(n, dim[k], v->dim[axis], k);
      if (!dim[k]) return false;
    }
  }
  infer_out(n, 0, t, rank, dim);
  return true;
}

const Dim *const *infer_content(const Node *n, int i, int *count)
{
  const Value *v = node_in(n, i);
  *count = 0;
  return v && !v->bad ? value_content(v, count) : NULL;
}

bool infer_const_ints(const Node *n, int i, const int64_t **v, int *count)
{
  const Value *x = node_in(n, i);
  *v = NULL;
  *count = 0;
  if (!x || x->bad || !x->data || x->data->n > INT32_MAX) return false;
  DtypeClass c = dtype_info(x->data->dtype)->cls;
  if (c != DC_INT && c != DC_UINT && c != DC_BOOL) return false;
  int64_t *r = NEW(&n->g->m->arena, int64_t, x->data->n + 1);
  *count = (int)x->data->n;
  for (int k = 0; k < *count; k++) r[k] = tensor_i64(x->data, k);
  *v = r;
  return true;
}

const Dim *infer_scalar(const Node *n, int i)
{
  int count;
  const Dim *const *c = infer_content(n, i, &count);
  return c && count == 1 ? c[0] : NULL;
}

const Dim *infer_declared_dim(const Node *n, int i, int rank, int k)
{
  const Value *y = node_out(n, i);
  const Type *d = y ? y->declared : NULL;
  return d && d->kind == VK_TENSOR && d->rank == rank ? d->dim[k] : NULL;
}

bool infer_declared(Node *n, int i, Dtype t, const char *what)
{
  Value *y = node_out(n, i);
  const Type *d = y ? y->declared : NULL;
  if (!y || y->bad) return false;
  if (y->rank >= 0) return true; /* seen before */
  bool known = d && d->kind == VK_TENSOR && d->rank >= 0;
  for (int k = 0; known && k < d->rank; k++) known = d->dim[k] != NULL;
  if (known) {
    infer_out(n, i, t, d->rank, d->dim);
    return !y->bad;
  }
  fail_unsupported(n, "%s is computed from the data at run time; make it a "
                   "constant or an expression of input dimensions, or declare "
                   "the shape of output %s in the model", what,
                   quote(&n->g->m->arena, y->name));
  return false;
}

static bool any_bad(Value *const *v, int n)
{
  for (int i = 0; i < n; i++)
    if (v[i] && v[i]->bad) return true;
  return false;
}

static void mark_bad(Node *n)
{
  for (int i = 0; i < n->nout; i++)
    if (n->out[i]) n->out[i]->bad = true;
}

/* nonzero_12, or nonzero_12_1 of several. */
static const char *size_name(Node *n, int k, int count)
{
  Arena *a = &n->g->m->arena;
  char *s = arena_printf(a, "%s_%d", n->op_type,
                         n->origin ? n->origin->index : 0);
  for (char *c = s; *c; c++)
    if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
  return count > 1 ? arena_printf(a, "%s_%d", s, k) : s;
}

const Dim *infer_size_symbol(Node *n, int k, int count, const Dim *bound)
{
  const char *name = size_name(n, k, count);
  DimPool *p = node_dims(n);
  const Options *o = n->g->m->opt;
  const Dim *d = dim_new(p, SYM_CAPACITY, name);
  Sym *s = &p->sym[dim_symbol(d)];
  for (int i = 0; o && i < o->nmax_dim; i++)
    if (!strcmp(o->max_dim[i].name, s->c_name))
      bound = dim_int(p, o->max_dim[i].v);
  s->bound = bound;
  if (bound) dim_is_int(bound, &s->max);
  return d;
}

bool infer_sizes(Node *n, int count, const Dim *const *bound, const Dim **dim)
{
  Arena *a = &n->g->m->arena;
  int64_t *size = NEW(a, int64_t, count + 1);
  int status = 0;
  if (!n->size) {
    n->size = NEW(a, const Dim *, count + 1);
    n->nsize = count;
    bool known = eval_sizes(n, count, size, &status);
    if (status) {
      fail_model(n, "the data does not fit the input's shape (status %d); "
                 "check shapes and indices that the model computes", status);
      return false;
    }
    for (int k = 0; k < count; k++)
      n->size[k] = known ? dim_int(node_dims(n), size[k]) : dim[k] ? dim[k]
        : infer_size_symbol(n, k, count, bound ? bound[k] : NULL);
  }
  for (int k = 0; k < count; k++) dim[k] = n->size[k];
  return true;
}

bool infer_by_sizes(Node *n, int i, Dtype t, int rank,
                    const Dim *const *bound, const Dim **dim)
{
  Value *y = node_out(n, i);
  const Type *d = y ? y->declared : NULL;
  bool known = d && d->kind == VK_TENSOR && d->rank == rank;
  for (int k = 0; known && k < rank; k++) known = d->dim[k] != NULL;
  if (known && !n->size) return infer_declared(n, i, t, "the shape");
  if (!infer_sizes(n, rank, bound, dim)) return false;
  infer_out(n, i, t, rank, dim);
  return y && !y->bad;
}

/* Every output must be known now, or the reason have been told. */
static void check_outputs(Node *n)
{
  Arena *a = &n->g->m->arena;
  for (int i = 0; i < n->nout; i++) {
    const Value *v = n->out[i];
    if (!v || v->bad || v->kind != VK_TENSOR) continue;
    if (v->inferred && v->dtype && v->rank >= 0) continue;
    fail_unsupported(n, "the %s of output %s can't be told from the inputs; "
                     "give the shapes of the model's inputs, or constants "
                     "where the operator computes with shapes",
                     v->dtype ? "shape" : "type and shape", quote(a, v->name));
    return;
  }
}

static void infer_one(Node *n)
{
  if (!n->op && !n->bad) schema_unknown(n);
  if (any_bad(n->in, n->nin) || any_bad(n->out, n->nout) || n->bad ||
      !n->op) {
    mark_bad(n);
    return;
  }
  if (!schema_types(n)) return;
  if (n->op->infer) n->op->infer(n);
  dims_settle(node_dims(n));
  check_outputs(n);
  if (!any_bad(n->out, n->nout)) sym_eval_node(n);
}

void infer_node(Node *n)
{
  const Rebatch *r = n->g->m->rebatch;
  if (r && !r->over) rebatch_node(n, infer_one);
  else infer_one(n);
}

static void check_inputs(Graph *g)
{
  Model *m = g->m;
  for (int i = 0; i < g->nin; i++) {
    Value *v = g->in[i];
    if (v->bad || v->kind != VK_TENSOR || (v->dtype && v->rank >= 0)) continue;
    diag_model(m, SEV_ERROR, EXIT_MODEL, "input %s has no %s; write it into "
               "the model's graph input", quote(&m->arena, v->name),
               v->dtype ? "shape" : "element type");
    v->bad = true;
  }
}

static void watched(const Model *m, Value *const *v, int n)
{
  for (int i = 0; m->watch && i < n; i++)
    if (v[i] && !v[i]->bad) m->watch(m->watcher, v[i]);
}

void infer_nodes(Node *n, const Node *end)
{
  for (Node *next, *before; n && n != end; n = next) {
    Graph *g = n->g;
    next = n->next;
    before = n->prev;
    watched(g->m, n->in, n->nin);
    sparse_inputs(n);
    if (control_inline(n, &next) || sequence_inline(n, &next)) continue;
    upgrade_node(n);
    /* What the upgrade made stands before the node. */
    n = before ? before->next : g->first;
    for (; n != next; n = n->next) {
      infer_node(n);
      watched(g->m, n->out, n->nout);
    }
  }
}

void infer_graph(Graph *g)
{
  if (!g->outer) check_inputs(g);
  infer_nodes(g->first, NULL);
  sequence_outputs(g);
}
