/* SPDX-License-Identifier: Apache-2.0 */
/* Control flow as data flow: If, Loop and Scan become nodes of their graph.
 *
 * A body is copied into the graph around it, its inputs bound to values there,
 * so that every pass works on branches as on anything else. What a condition
 * decides is a Select of domain o2c, whose operands generated code computes
 * only when they are chosen (codegen/guard.c): an If is a Select of its
 * branches' results. A condition that inference knows leaves one branch. A
 * Loop or Scan whose trips are known is written out, trip by trip; where the
 * data may end it earlier, Selects keep what the last trip gave. Other trips
 * are a loop of the generated code: control_loop.c.
 */
#include "control.h"
#include <string.h>

#define MAX_UNROLLED 20000 /* nodes that one Loop or Scan may become */
#define MAX_FORCED 64      /* nodes in a row computed to know a condition */

typedef struct {
  Graph *g;
  Node *at;          /* nodes go before it */
  Value **to;        /* by id of a body's value */
  int n;
  bool trips;        /* several copies: declared shapes may be of one only */
} Copy;

static Value *mapped(const Copy *c, Value *v)
{
  return v && v->id < c->n && c->to[v->id] ? c->to[v->id] : v;
}

static Value *copy_value(const Copy *c, Graph *g, Value *v)
{
  Value *y = value_new(g, v->name, DT_NONE, -1, NULL);
  y->kind = v->kind;
  y->declared = c->trips ? NULL : v->declared;
  y->bad = v->bad;
  y->file = v->file;
  if (!v->became) v->became = y;
  c->to[v->id] = y;
  return y;
}

static Graph *copy_graph(Copy *c, Graph *outer, const Graph *from);

static void copy_nodes(Copy *c, Graph *g, Node *at, const Graph *from)
{
  Arena *a = &g->m->arena;
  for (const Node *n = from->first; n; n = n->next) {
    Node *y = node_new(g, at, n->op_type, n->nin, n->nout, n);
    y->domain = n->domain;
    y->version = n->version;
    y->op = n->op;
    y->bad = n->bad;
    for (int i = 0; i < n->nin; i++) {
      Value *v = mapped(c, n->in[i]);
      if (v && v->g == from) v->g = g; /* a constant of the body */
      node_set_input(y, i, v);
    }
    for (int i = 0; i < n->nout; i++)
      if (n->out[i]) node_set_output(y, i, copy_value(c, g, n->out[i]));
    y->nattr = n->nattr;
    y->attr = NEW(a, Attr, n->nattr + 1);
    if (n->nattr) memcpy(y->attr, n->attr, sizeof *n->attr * (size_t)n->nattr);
    for (int i = 0; i < n->nattr; i++)
      if (n->attr[i].g) y->attr[i].g = copy_graph(c, g, n->attr[i].g);
  }
}

static Graph *copy_graph(Copy *c, Graph *outer, const Graph *from)
{
  Graph *g = graph_new(outer->m, outer, from->name);
  for (int i = 0; i < from->nin; i++)
    graph_add_input(g, copy_value(c, g, from->in[i]));
  copy_nodes(c, g, NULL, from);
  for (int i = 0; i < from->nout; i++)
    graph_add_output(g, mapped(c, from->out[i]));
  return g;
}

/* The body before `at`; in[] are its inputs, out[] receives its outputs. */
void control_copy(Node *at, const Graph *body, Value *const *in, int nin,
                      Value **out, bool trips)
{
  Model *m = at->g->m;
  Copy c = {at->g, at, NEW(&m->arena, Value *, m->nvalue + 1), m->nvalue,
            trips};
  for (int i = 0; i < nin && i < body->nin; i++) c.to[body->in[i]->id] = in[i];
  copy_nodes(&c, at->g, at, body);
  for (int i = 0; i < body->nout; i++) {
    out[i] = mapped(&c, body->out[i]);
    if (out[i]->g == body) out[i]->g = at->g;
  }
}

Graph *control_clone(Node *at, const Graph *body)
{
  Model *m = at->g->m;
  Copy c = {at->g, at, NEW(&m->arena, Value *, m->nvalue + 1), m->nvalue,
            true};
  return copy_graph(&c, at->g, body);
}

/* The nodes of a body that has been copied use nothing any more. */
void control_drop(Graph *g)
{
  while (g->first) {
    Node *n = g->first;
    for (int i = 0; i < n->nattr; i++)
      if (n->attr[i].g) control_drop(n->attr[i].g);
    node_remove(n);
  }
}

Graph *control_body(const Node *n, const char *name)
{
  const Attr *a = attr_get(n, name);
  return a && a->type == AT_GRAPH ? a->g : NULL;
}

static int body_size(const Graph *g)
{
  int k = 0;
  for (const Node *n = g->first; n; n = n->next) {
    k++;
    for (int i = 0; i < n->nattr; i++)
      if (n->attr[i].g) k += body_size(n->attr[i].g);
  }
  return k;
}

/* Has `v` content, once what makes it is computed from constants? */
static bool force(Value *v, int depth)
{
  int n;
  if (!v || v->bad || value_content(v, &n) || v->data) return v && !v->bad;
  Node *d = v->def;
  if (!d || !d->op || d->op->flags & OP_RANDOM || depth > MAX_FORCED)
    return false;
  for (int i = 0; i < d->nin; i++)
    if (d->in[i] && (!force(d->in[i], depth + 1) || !d->in[i]->data))
      return false;
  return eval_node(d);
}

/* The number that `v` is; false: not known. */
bool control_scalar(Value *v, int64_t *x)
{
  int n;
  if (!v || !force(v, 0)) return false;
  if (v->data && v->data->n == 1) {
    *x = tensor_i64(v->data, 0);
    return true;
  }
  const Dim *const *d = value_content(v, &n);
  return d && n == 1 && d[0] && dim_is_int(d[0], x);
}

static Value *select_open(Node *at, Value *cond, Value *a, Value *b)
{
  bool some = a->kind == VK_OPTIONAL;
  const List *x = some ? open_optional(at, a) : open_list(at, a);
  const List *y = some ? open_optional(at, b) : open_list(at, b);
  if (!x || !y) return a;
  List *l = NEW(&at->g->m->arena, List, 1);
  *l = x->none ? *y : *x;
  if (!x->none && !y->none) open_meet(l, y->rank, y->dim);
  l->flat = control_select(at, cond, x->flat, y->flat);
  l->rows = control_select(at, cond, x->rows, y->rows);
  if (some) l->has = control_select(at, cond, x->has, y->has);
  return open_value(at->g, l);
}

/* Lists of one length, item by item. */
static Value *select_list(Node *at, Value *cond, Value *a, Value *b)
{
  bool open = !a->list || !b->list || a->list->n != b->list->n ||
              a->list->n < 0;
  if (a->kind == b->kind && open) return select_open(at, cond, a, b);
  if (!a->list || !b->list || a->kind != b->kind || a->list->n != b->list->n) {
    fail_unsupported(at, "which sequence or optional value is meant is only "
                     "known at run time, and how many items they hold is not "
                     "the same; let them hold as many, or choose by constants");
    return a;
  }
  int n = a->list->n;
  Value *y = value_tmp(at->g, "select", NULL);
  Value **item = NEW(&at->g->m->arena, Value *, n + 1);
  for (int i = 0; i < n; i++)
    item[i] = control_select(at, cond, a->list->item[i], b->list->item[i]);
  value_list(y, a->kind, item, n);
  return y;
}

Value *control_select(Node *at, Value *cond, Value *a, Value *b)
{
  if (a == b) return a;
  if (zip_is(a) || zip_is(b)) return zip_select(at, cond, a, b);
  if (a->kind != VK_TENSOR || b->kind != VK_TENSOR)
    return select_list(at, cond, a, b);
  Node *n = node_new(at->g, at, "Select", 3, 1, at);
  n->domain = "o2c";
  n->op = op_find("o2c", "Select");
  n->version = 1;
  node_set_input(n, 0, cond);
  node_set_input(n, 1, a);
  node_set_input(n, 2, b);
  node_set_output(n, 0, value_tmp(at->g, "select", NULL));
  return n->out[0];
}

Value *control_op(Node *at, const char *op, int nin, Value *const *in)
{
  Node *n = node_new(at->g, at, op, nin, 1, at);
  for (int i = 0; i < nin; i++) node_set_input(n, i, in[i]);
  node_set_output(n, 0, value_tmp(at->g, op, NULL));
  n->any_type = true; /* what a body carries may be of more types */
  return n->out[0];
}

Value *control_op2(Node *at, const char *op, Value *a, Value *b)
{
  Value *in[2] = {a, b};
  return control_op(at, op, 2, in);
}

/* Output i of n is `v`, by an Identity, which keeps name and declaration. */
void control_give(Node *n, int i, Value *v)
{
  Value *y = node_out(n, i);
  if (!y) return;
  Node *id = node_new(n->g, n, "Identity", 1, 1, n);
  node_set_input(id, 0, v);
  n->out[i] = NULL;
  node_set_output(id, 0, y);
}

/* Infers what stands before the node, for the condition of the next trip. */
bool control_infer(Node *from, const Node *to)
{
  infer_nodes(from, to);
  return !to->g->m->nerror;
}

Node *control_first(const Node *n, const Node *before)
{
  return before ? before->next : n->g->first;
}

/* The errors after `last` become warnings; false where one of them says what
 * onnx2c lacks, not what the model does wrong. */
static bool demote_errors(Model *m, Diag *last, int nerror)
{
  Diag *from = last ? last->next : m->diags;
  for (Diag *d = from; d; d = d->next)
    if (d->sev == SEV_ERROR && d->code != EXIT_MODEL) return false;
  for (Diag *d = from; d; d = d->next)
    if (d->sev == SEV_ERROR) {
      d->sev = SEV_WARNING;
      d->code = EXIT_OK;
      m->nwarning++;
    }
  m->nerror = nerror;
  return true;
}

/* A branch that the data may choose, inferred at once. One that can't hold,
 * as its shapes do not fit, is left out: *out is NULL then. */
static bool copy_branch(Node *n, const Graph *body, Value ***out)
{
  Model *m = n->g->m;
  Node *before = n->prev;
  Diag *last = m->diag_last;
  int nerror = m->nerror;
  control_copy(n, body, NULL, 0, *out, false);
  infer_nodes(control_first(n, before), n);
  bool fine = m->nerror == nerror;
  for (int i = 0; fine && i < n->nout; i++) fine = !(*out)[i]->bad;
  if (fine) return true;
  if (m->nerror == nerror || !demote_errors(m, last, nerror)) return false;
  while (n->prev != before) node_remove(n->prev);
  *out = NULL;
  return true;
}

static bool same_ranks(const Node *n, Value **const out[2])
{
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] && out[0][i]->rank != out[1][i]->rank) return false;
  return true;
}

/* 1: `cond` holds where two sizes are equal, 0: where they differ; -1: it is
 * no comparison of sizes. */
static int equal_when(const Value *cond)
{
  int holds = 1, k;
  for (const Node *d = cond->def; d; d = d->in[0]->def) {
    if (node_is(d, "Equal"))
      return value_content(d->in[0], &k) && value_content(d->in[1], &k)
        ? holds : -1;
    if (node_is(d, "Not")) holds = !holds;
    else if (!node_is(d, "Cast") && !node_is(d, "Identity") &&
             !node_is(d, "Squeeze") && !node_is(d, "Unsqueeze") &&
             !node_is(d, "Reshape")) return -1;
  }
  return -1;
}

/* The branch, of two with results of different rank, that is taken for
 * granted: where a size is as the condition asks (the If of a Squeeze), or the
 * one that gives the ranks that the file declares. -1: neither. */
static int branch_meant(const Node *n, Value **const out[2])
{
  int k = equal_when(n->in[0]);
  for (int i = 0; k < 0 && i < n->nout; i++) {
    const Type *d = n->out[i] ? n->out[i]->declared : NULL;
    if (!d || d->kind != VK_TENSOR || d->rank < 0) continue;
    bool first = out[0][i]->rank == d->rank, then = out[1][i]->rank == d->rank;
    if (first != then) k = then;
  }
  return k;
}

Value *control_require(Node *at, Value *cond, bool on, Value *x)
{
  Node *n = node_new(at->g, at, "Require", 2, 1, at);
  n->domain = "o2c";
  n->op = op_find("o2c", "Require");
  n->version = 1;
  node_set_input(n, 0, cond);
  node_set_input(n, 1, x);
  attr_set_int(n, "on", on);
  node_set_output(n, 0, value_tmp(at->g, "require", NULL));
  return n->out[0];
}

/* Which branch is the only one that can be taken; -1: both, -2: an error. */
static int only_branch(Node *n, Value **const out[2])
{
  static const char *const name[2] = {"else_branch", "then_branch"};
  if (!out[0] && !out[1]) {
    fail_model(n, "neither branch fits its inputs; see the warnings before");
    return -2;
  }
  int k = !out[0] ? 1 : !out[1] ? 0 : -1;
  if (k < 0 && !same_ranks(n, out)) {
    k = branch_meant(n, out);
    if (k < 0) return -1;
  }
  if (k >= 0)
    diag(n, SEV_WARNING, EXIT_OK, "%s is taken for granted, as %s; a run in "
         "which the condition chooses the other branch ends in O2C_E_SHAPE",
         name[k], out[!k] ? "the branches give results of different rank"
                          : "the other branch does not fit its inputs");
  return k;
}

/* Of two results of one element, that of lower rank with ones before: alike to
 * all that broadcasts. */
static Value *raise_rank(Node *n, Value *v, const Value *other)
{
  int64_t one[MAX_RANK];
  if (v->kind != VK_TENSOR || other->kind != VK_TENSOR ||
      v->rank >= other->rank || !dim_is(value_numel(v), 1) ||
      !dim_is(value_numel(other), 1))
    return v;
  for (int i = 0; i < other->rank; i++) one[i] = 1;
  diag(n, SEV_WARNING, EXIT_OK, "the branches give one element each, of shape "
       "%s and %s; both are taken to have the latter", value_shape_text(v),
       value_shape_text(other));
  return control_op2(n, "Reshape", v,
                     value_const_ints(n->g, "shape", one, other->rank));
}

static bool inline_if(Node *n)
{
  Graph *body[2] = {control_body(n, "else_branch"),
                    control_body(n, "then_branch")};
  Value **out[2];
  int64_t known = 0;
  bool fixed = control_scalar(node_in(n, 0), &known);
  for (int k = 0; k < 2; k++) {
    if (!body[k]) return false;
    if (body[k]->nout != n->nout || body[k]->nin) {
      fail_model(n, "the branches must have no inputs and %d outputs, as the "
                 "node has", n->nout);
      return false;
    }
    out[k] = NEW(&n->g->m->arena, Value *, n->nout + 1);
    if (fixed && (known != 0) == k)
      control_copy(n, body[k], NULL, 0, out[k], false);
    if (!fixed && !copy_branch(n, body[k], &out[k])) return false;
  }
  int only = fixed ? -1 : only_branch(n, out);
  if (only == -2) return false;
  for (int i = 0; i < n->nout; i++)
    if (n->out[i])
      control_give(n, i, fixed ? out[known != 0][i]
                 : only >= 0 ? control_require(n, n->in[0], only, out[only][i])
                 : control_select(n, n->in[0],
                                  raise_rank(n, out[1][i], out[0][i]),
                                  raise_rank(n, out[0][i], out[1][i])));
  return true;
}

/* How often a Loop runs at most; false where that is not known, or too often
 * for being written out. */
static bool loop_trips(Node *n, const Graph *body, int64_t *trips)
{
  int64_t go = 1;
  bool known = !node_in(n, 1) || control_scalar(n->in[1], &go);
  *trips = 0;
  if (known && !go) return true;
  if (!node_in(n, 0) || !control_scalar(n->in[0], trips)) return false;
  if (*trips < 0) *trips = 0;
  return *trips <= MAX_UNROLLED / (body_size(body) + 1);
}

/* The values of one scan output, put together along a new axis. */
Value *control_stack(Node *n, Value **v, int64_t trips, int64_t axis)
{
  Value **in = NEW(&n->g->m->arena, Value *, trips + 1);
  Value *at = value_const_ints(n->g, "axis", &axis, 1);
  for (int64_t t = 0; t < trips; t++)
    in[t] = control_op2(n, "Unsqueeze", v[t], at);
  Value *y = control_op(n, "Concat", (int)trips, in);
  attr_set_int(y->def, "axis", axis);
  return y;
}

/* None of the trips was made: as of one, and cut to nothing. */
static Value *cut(Node *n, Value *v, int64_t axis)
{
  int64_t zero = 0;
  Value *none = value_const_ints(n->g, "zero", &zero, 1);
  Value *in[4] = {v, none, none, value_const_ints(n->g, "axis", &axis, 1)};
  return control_op(n, "Slice", 4, in);
}

/* A condition of shape [1] as one of shape []. */
static Value *condition(Node *n, Value *go)
{
  if (!go || go->rank < 1) return go;
  Value *y = control_op(n, "Squeeze", 1, &go);
  infer_node(y->def);
  return y;
}

typedef struct {
  Node *n;
  Graph *body;
  int carried, scans;
  Value **v;          /* carried values */
  Value **go;         /* of each trip: NULL is always */
  Value ***got;       /* got[scan][trip] */
} Unrolled;

static void unroll_begin(Unrolled *u, int64_t trips)
{
  Arena *a = &u->n->g->m->arena;
  u->v = NEW(a, Value *, u->carried + 1);
  u->go = NEW(a, Value *, trips + 2);
  u->got = NEW(a, Value **, u->scans + 1);
  for (int i = 0; i < u->scans; i++) u->got[i] = NEW(a, Value *, trips + 1);
}

static bool loop_trip(Unrolled *u, int64_t t)
{
  Node *n = u->n;
  Graph *g = n->g;
  Arena *a = &g->m->arena;
  Value **in = NEW(a, Value *, u->carried + 3);
  Value **out = NEW(a, Value *, u->body->nout + 1);
  Node *before = n->prev;
  Tensor *count = tensor_new(a, DT_I64, 0, NULL);
  tensor_set_i64(count, 0, t);
  in[0] = value_const(g, "trip", count);
  in[1] = u->go[t] ? u->go[t] : value_const_scalar(g, "go", DT_BOOL, 1);
  memcpy(in + 2, u->v, sizeof *in * (size_t)u->carried);
  control_copy(n, u->body, in, u->carried + 2, out, true);
  if (!control_infer(control_first(n, before), n)) return false;
  for (int i = 0; i < u->scans; i++) u->got[i][t] = out[1 + u->carried + i];
  Value *go = u->go[t];
  before = n->prev;
  for (int i = 0; i < u->carried; i++)
    u->v[i] = go ? control_select(n, go, out[1 + i], u->v[i]) : out[1 + i];
  out[0] = condition(n, out[0]);
  u->go[t + 1] = go ? control_select(n, go, out[0], go) : out[0];
  return control_infer(control_first(n, before), n);
}

static Value *scan_result(Unrolled *u, int i, int64_t trips, bool open)
{
  Value *y = control_stack(u->n, u->got[i], trips ? trips : 1, 0);
  if (!trips) return cut(u->n, y, 0);
  if (!open) return y;
  /* The data ends the loop: those trips that were made. */
  int64_t one = 1;
  Value **in = NEW(&u->n->g->m->arena, Value *, trips + 1);
  Value *shape = value_const_ints(u->n->g, "one", &one, 1);
  Value *yes = value_const_scalar(u->n->g, "go", DT_BOOL, 1);
  for (int64_t t = 0; t < trips; t++)
    in[t] = control_op2(u->n, "Reshape", u->go[t] ? u->go[t] : yes, shape);
  Value *made = control_op(u->n, "Concat", (int)trips, in);
  attr_set_int(made->def, "axis", 0);
  y = control_op2(u->n, "Compress", y, made);
  attr_set_int(y->def, "axis", 0);
  return y;
}

static bool inline_loop(Node *n)
{
  Unrolled u = {.n = n, .body = control_body(n, "body")};
  int64_t trips, made = 0, known = 1;
  bool open = false;
  if (!u.body) return false;
  u.carried = n->nin > 2 ? n->nin - 2 : 0;
  u.scans = u.body->nout - 1 - u.carried;
  if (u.body->nin != u.carried + 2 || u.scans < 0 ||
      n->nout > u.carried + u.scans) {
    fail_model(n, "the body has %d inputs and %d outputs, which does not fit "
               "%d carried values", u.body->nin, u.body->nout, u.carried);
    return false;
  }
  if (!loop_trips(n, u.body, &trips))
    return control_loop(n, u.body, u.carried, u.scans);
  unroll_begin(&u, trips);
  for (int i = 0; i < u.carried; i++) u.v[i] = n->in[i + 2];
  if (node_in(n, 1) && !control_scalar(n->in[1], &known))
    u.go[0] = condition(n, n->in[1]);
  for (; made < trips; made++) {
    if (u.go[made] && control_scalar(u.go[made], &known)) {
      if (!known) break;
      u.go[made] = NULL;
    }
    open = open || u.go[made];
    if (!loop_trip(&u, made)) return false;
  }
  Value **last = NEW(&n->g->m->arena, Value *, u.carried + 1);
  memcpy(last, u.v, sizeof *last * (size_t)u.carried);
  /* No trip: the results' shapes are those of one that is thrown away. */
  if (!made && u.scans && !loop_trip(&u, 0)) return false;
  for (int i = 0; i < u.scans; i++)
    if (!control_alike(n, i, u.got[i], made)) return false;
  for (int i = 0; i < n->nout; i++)
    if (n->out[i])
      control_give(n, i, i < u.carried ? last[i]
                               : scan_result(&u, i - u.carried, made, open));
  return true;
}

int64_t control_list(const Node *n, const char *name, int i)
{
  int count;
  const int64_t *v = attr_ints(n, name, &count);
  return v && i < count ? v[i] : 0;
}

/* The trips of a Scan: the size of its inputs along their axes; -1 where only
 * the run tells. */
static bool scan_trips(Node *n, const Unrolled *u, int nscan, int64_t *axis,
                       int64_t *trips)
{
  for (int i = 0; i < nscan; i++) {
    const Value *x = n->in[u->carried + i];
    axis[i] = axis_norm(n, control_list(n, "scan_input_axes", i), x->rank);
    if (axis[i] < 0) return false;
    const Dim *d = x->dim[axis[i]];
    int64_t k;
    if (!dim_is_int(d, &k)) k = -1;
    if (i && (k < 0 || *trips < 0)) {
      const Value *x0 = n->in[u->carried];
      if (!infer_equal(n, x0->dim[axis[0]], d, "elements of scan inputs"))
        return false;
      k = *trips;
    }
    if (i && k != *trips) {
      fail_model(n, "scan inputs have %lld and %lld elements (spec: equal)",
                 (long long)*trips, (long long)k);
      return false;
    }
    *trips = k;
  }
  return true;
}

static Value *scan_element(Node *n, Value *x, int64_t axis, int64_t t)
{
  Tensor *at = tensor_new(&n->g->m->arena, DT_I64, 0, NULL);
  tensor_set_i64(at, 0, t);
  Value *y = control_op2(n, "Gather", x, value_const(n->g, "trip", at));
  attr_set_int(y->def, "axis", axis);
  return y;
}

static void scan_trip(Unrolled *u, int nscan, const int64_t *axis, int64_t t,
                      int64_t trips)
{
  Node *n = u->n;
  Arena *a = &n->g->m->arena;
  Value **in = NEW(a, Value *, n->nin + 1);
  Value **out = NEW(a, Value *, u->body->nout + 1);
  memcpy(in, u->v, sizeof *in * (size_t)u->carried);
  for (int i = 0; i < nscan; i++) {
    bool back = control_list(n, "scan_input_directions", i) != 0;
    in[u->carried + i] = scan_element(n, n->in[u->carried + i], axis[i],
                                      back ? trips - 1 - t : t);
  }
  control_copy(n, u->body, in, n->nin, out, true);
  memcpy(u->v, out, sizeof *out * (size_t)u->carried);
  for (int i = 0; i < u->scans; i++) {
    bool back = control_list(n, "scan_output_directions", i) != 0;
    u->got[i][back ? trips - 1 - t : t] = out[u->carried + i];
  }
}

static bool inline_scan(Node *n)
{
  Unrolled u = {.n = n, .body = control_body(n, "body")};
  int nscan = (int)attr_int(n, "num_scan_inputs", 0);
  int64_t trips = 0;
  if (!u.body) return false;
  if (n->version < 9) return control_scan8(n, u.body, nscan);
  u.carried = n->nin - nscan;
  u.scans = u.body->nout - u.carried;
  if (nscan < 1 || u.carried < 0 || u.scans < 0 || u.body->nin != n->nin ||
      n->nout > u.body->nout) {
    fail_model(n, "the body has %d inputs and %d outputs, which does not fit "
               "%d inputs, %d of them scanned", u.body->nin, u.body->nout,
               n->nin, nscan);
    return false;
  }
  int64_t *axis = NEW(&n->g->m->arena, int64_t, nscan);
  if (!scan_trips(n, &u, nscan, axis, &trips)) return false;
  if (control_distance(n, u.body)) return true;
  if (trips <= 0 || trips > MAX_UNROLLED / (body_size(u.body) + 1))
    return control_scan(n, u.body, nscan, axis);
  unroll_begin(&u, trips);
  memcpy(u.v, n->in, sizeof *u.v * (size_t)u.carried);
  for (int64_t t = 0; t < trips; t++) {
    Node *before = n->prev;
    scan_trip(&u, nscan, axis, t, trips);
    if (!control_infer(control_first(n, before), n)) return false;
  }
  for (int i = 0; i < n->nout; i++) {
    int k = i - u.carried;
    if (!n->out[i]) continue;
    if (k < 0) {
      control_give(n, i, u.v[i]);
      continue;
    }
    int64_t to = axis_norm(n, control_list(n, "scan_output_axes", k),
                           u.got[k][0]->rank + 1);
    if (to < 0 || !control_alike(n, k, u.got[k], trips)) return false;
    control_give(n, i, control_stack(n, u.got[k], trips, to));
  }
  return true;
}

static bool inputs_bad(const Node *n)
{
  for (int i = 0; i < n->nin; i++)
    if (n->in[i] && n->in[i]->bad) return true;
  return n->bad;
}

bool control_inline(Node *n, Node **next)
{
  static const struct {
    const char *domain, *op;
    bool (*run)(Node *n);
  } by[] = {
    {"", "If", inline_if}, {"", "Loop", inline_loop}, {"", "Scan", inline_scan},
    {"ai.onnx.preview", "FlexAttention", flex_inline},
    {"ai.onnx.preview.training", "Gradient", gradient_inline},
  };
  Node *before = n->prev;
  int k = 0;
  while (k < COUNT(by) && (strcmp(n->op_type, by[k].op) ||
                           strcmp(n->domain, by[k].domain)))
    k++;
  if (k == COUNT(by) || inputs_bad(n)) return false;
  if (!by[k].run(n)) {
    n->bad = n->g->m->nerror > 0; /* told: the rest is silent */
    return false;
  }
  for (int i = 0; i < n->nattr; i++)
    if (n->attr[i].g) control_drop(n->attr[i].g);
  *next = control_first(n, before);
  if (*next == n) *next = n->next;
  node_remove(n);
  return true;
}
