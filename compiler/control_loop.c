/* SPDX-License-Identifier: Apache-2.0 */
/* A Loop or Scan as a loop of the generated code.
 *
 * The body is copied into the graph once, between two nodes of domain o2c:
 *
 *   it, go, v...     = LoopBegin(M, cond, initial...)
 *   ...                the body, which reads it and v
 *   final..., scan.. = LoopEnd(M, cond', it, go, v..., v'..., element...)
 *
 * v are the carried values, v' what the body makes of them, `go` whether there
 * is another trip, `element` what a trip adds to a scan output. All passes see
 * is data flow; codegen/loop.c makes a `while` of it. How many trips were made
 * is a size that LoopEnd finds, unless only M decides.
 */
#include "control.h"
#include "make_batch.h"
#include <string.h>

typedef struct {
  Node *n;            /* the Loop or Scan */
  Node *begin;
  Value *trips, *cond; /* M and the first condition; NULL: none */
  int carried, scans, first_scan; /* the last: among the node's outputs */
  Value **out;        /* of the body, Loop's order: cond', v'..., element... */
  const Dim *most;    /* what M says; NULL: only the run tells, or no M */
  const char *backward; /* Scan: attribute of the outputs' directions */
  bool *grows;        /* [carried][MAX_RANK]: trips change that size */
  Value **initial;
  bool again;         /* fill() learned what the copy should have known */
  LoopFill fill;      /* Loop: makes out[] */
  void *ctx;
} Structure;

static Node *inner(Node *at, const char *op, int nin, int nout)
{
  Node *n = node_new(at->g, at, op, nin, nout, at);
  n->domain = "o2c";
  n->op = op_find("o2c", op);
  n->version = 1;
  for (int i = 0; i < nout; i++)
    node_set_output(n, i, value_tmp(at->g, op, NULL));
  return n;
}

/* Pairs of carried value and axis. */
static void put_growing(Structure *s)
{
  int64_t *list = NEW(&s->n->g->m->arena, int64_t, s->carried * MAX_RANK * 2);
  int count = 0;
  for (int i = 0; s->grows && i < s->carried * MAX_RANK; i++) {
    if (!s->grows[i]) continue;
    list[count++] = i / MAX_RANK;
    list[count++] = i % MAX_RANK;
  }
  if (count) attr_set_ints(s->begin, "growing", list, count);
}

static void begin_loop(Structure *s, Value *const *initial)
{
  s->begin = inner(s->n, "LoopBegin", 2 + s->carried, 2 + s->carried);
  node_set_input(s->begin, 0, s->trips);
  node_set_input(s->begin, 1, s->cond);
  for (int i = 0; i < s->carried; i++)
    node_set_input(s->begin, 2 + i, initial[i]);
  put_growing(s);
  infer_node(s->begin);
}

/* Does a size that a trip finds decide on the shape of what n makes? */
static bool sized_by(const Node *n, const Node *begin, const Node *end)
{
  const DimPool *p = &n->g->m->dims;
  for (const Node *f = begin; f != end; f = f->next)
    for (int k = 0; k < f->nsize; k++)
      for (int i = 0; i < n->nout; i++)
        for (int j = 0; n->out[i] && j < n->out[i]->rank; j++)
          if (dim_symbol(f->size[k]) >= 0 &&
              dim_has(p, n->out[i]->dim[j], dim_symbol(f->size[k])))
            return true;
  return false;
}

static void hoist(Node *begin, const Node *end)
{
  Model *m = begin->g->m;
  bool *stays = NEW(&m->arena, bool, m->nvalue + 1);
  int depth = 0;
  for (int i = 0; i < begin->nout; i++) stays[begin->out[i]->id] = true;
  for (Node *n = begin->next, *next; n != end; n = next) {
    next = n->next;
    depth += node_is_internal(n, "LoopBegin");
    bool stay = depth > 0 || !n->op || n->op->flags & OP_RANDOM ||
                sized_by(n, begin, n);
    for (int i = 0; i < n->nin; i++)
      stay = stay || (n->in[i] && stays[n->in[i]->id]);
    depth -= node_is_internal(n, "LoopEnd");
    for (int i = 0; i < n->nout; i++)
      if (n->out[i]) stays[n->out[i]->id] = stay;
    if (!stay) node_move_before(n, begin);
  }
}

void loops_hoist(Graph *g)
{
  for (Node *n = g->first; n; n = n->next)
    if (node_is_internal(n, "LoopEnd")) hoist(n->in[2]->def, n);
}

/* How many trips are made, where M alone decides. */
static void find_most(Structure *s)
{
  DimPool *p = node_dims(s->n);
  int count;
  const Dim *const *d = s->trips ? value_content(s->trips, &count) : NULL;
  if (d && count == 1 && d[0])
    s->most = dim_nonneg(p, d[0]) ? d[0] : dim_max(p, d[0], dim_int(p, 0));
}

/* The number of rows of scan outputs, as the file declares it for one. */
static const Dim *declared_rows(const Structure *s)
{
  for (int i = s->first_scan; i < s->n->nout; i++) {
    const Type *t = s->n->out[i] ? s->n->out[i]->declared : NULL;
    if (t && t->kind == VK_TENSOR && t->rank > 0 && t->dim[0])
      return t->dim[0];
  }
  return NULL;
}

/* After the body's inference. `open`: the data may end the loop before M. */
static Node *end_loop(Structure *s, bool open)
{
  int c = s->carried;
  Node *e = inner(s->n, "LoopEnd", 4 + 2 * c + s->scans, c + s->scans);
  node_set_input(e, 0, s->trips);
  node_set_input(e, 1, s->out[0]);
  for (int i = 0; i < 2 + c; i++) node_set_input(e, 2 + i, s->begin->out[i]);
  for (int i = 0; i < c + s->scans; i++)
    node_set_input(e, 4 + c + i, s->out[1 + i]);
  attr_set_int(e, "carried", c);
  int64_t *back = NEW(&s->n->g->m->arena, int64_t, s->scans + 1);
  for (int i = 0; s->backward && i < s->scans; i++)
    back[i] = control_list(s->n, s->backward, i);
  attr_set_ints(e, "backward", back, s->scans);
  e->size = NEW(&s->n->g->m->arena, const Dim *, 1);
  e->size[0] = s->most;
  if (open && s->scans) {
    const Dim *rows = declared_rows(s);
    e->size[0] = rows ? rows : infer_size_symbol(s->n, 0, 1, s->most);
  }
  e->nsize = s->scans && open;
  return e;
}

/* Can b, of a trip's result, be a, of what it was given? No assumption on the
 * caller's sizes is made for it; what begins with nothing is expected to grow,
 * if it may. */
static bool same_size(DimPool *p, const Dim *a, const Dim *b, bool may_grow)
{
  int x = dim_symbol(a), y = dim_symbol(b);
  if (a == b) return true;
  if (may_grow && dim_is(a, 0)) return false;
  if (y < 0 || (p->sym[y].kind != SYM_CAPACITY &&
                (p->sym[y].kind != SYM_ARG || x < 0 ||
                 p->sym[x].kind != SYM_ARG)))
    return false;
  return dims_unify(p, a, b, false);
}

/* Sizes that a trip finds may turn out to be those of the carried values; one
 * that can't be is marked as growing. false: some were. */
static bool meet_carried(Structure *s)
{
  DimPool *p = node_dims(s->n);
  bool met = true;
  for (int i = 0; i < s->carried; i++) {
    const Value *v = s->begin->out[2 + i], *w;
    if (rebatch_carried(&s->initial[i], s->begin, &s->out[1 + i], s->n)) {
      met = false;
      continue;
    }
    w = s->out[1 + i];
    bool *grows = s->grows ? s->grows + i * MAX_RANK : NULL;
    for (int k = 0; v->rank == w->rank && k < v->rank; k++) {
      if (grows && grows[k]) continue;
      if (same_size(p, v->dim[k], w->dim[k], grows != NULL) || !grows) continue;
      grows[k] = true;
      met = false;
    }
  }
  dims_settle(p);
  met = met && !s->again;
  s->again = false;
  return met;
}

/* ONNX Loop-1: "It is an error if the dimensions or data type of these
 * scan_outputs change across loop iterations." */
bool control_alike(Node *n, int scan, Value **v, int64_t trips)
{
  for (int64_t t = 1; t < trips; t++) {
    bool same = v[t]->rank == v[0]->rank && v[t]->dtype == v[0]->dtype;
    int64_t x, y;
    for (int k = 0; same && k < v[t]->rank; k++)
      same = !dim_is_int(v[0]->dim[k], &x) || !dim_is_int(v[t]->dim[k], &y) ||
             x == y;
    if (same) continue;
    fail_model(n, "scan output %d has elements of shape %s in trip 0, of %s in "
               "trip %lld (spec: of one)", scan, value_shape_text(v[0]),
               value_shape_text(v[t]), (long long)t);
    return false;
  }
  return true;
}

/* A size that each trip finds anew can't be one of all rows. */
static bool rows_alike(Structure *s, int nsym)
{
  DimPool *p = node_dims(s->n);
  for (int i = 1 + s->carried; i < 1 + s->carried + s->scans; i++)
    for (int k = 0; k < s->out[i]->rank; k++)
      for (int y = nsym; y < p->nsym; y++)
        if (p->sym[y].kind == SYM_CAPACITY && dim_has(p, s->out[i]->dim[k], y))
        {
          fail_unsupported(s->n, "scan output %d has elements whose shape, %s, "
                           "is found by each trip; pad them to one size",
                           i - 1 - s->carried, value_shape_text(s->out[i]));
          return false;
        }
  return true;
}

/* The body between its nodes; false after a diagnostic. */
static bool copy_body(Structure *s)
{
  Node *n = s->n, *before = n->prev;
  begin_loop(s, s->initial);
  return s->fill(n, s->ctx, s->begin->out[0], s->begin->out + 2, s->out) &&
         control_infer(control_first(n, before), n);
}

/* A copy is made with all sizes as they are at first; where a trip changes one,
 * another in which it is a size that each trip finds. */
static bool settle_body(Structure *s)
{
  if (!copy_body(s)) return false;
  while (!meet_carried(s)) {
    const Node *before = s->begin->prev;
    while (s->n->prev != before) node_remove(s->n->prev);
    if (!copy_body(s)) return false;
  }
  return true;
}

/* A Loop's body; a carried sequence is two carried values. */
typedef struct {
  const Graph *body;
  int carried;        /* of the file's */
  const List **list;  /* sequences and optional values among them, as they come
                         in; else NULL */
  Structure *s;
} Body;

/* What holds for the items before and after a trip. */
static void learn(Body *b, int i, const List *l)
{
  List *now = NEW(&b->s->n->g->m->arena, List, 1);
  *now = b->list[i]->none ? *l : *b->list[i];
  if (!l->none && !b->list[i]->none) open_meet(now, l->rank, l->dim);
  now->dtype = l->dtype;
  now->has = b->list[i]->has;
  now->tensor = l->none ? now->tensor : l->tensor;
  if (!open_same(now, b->list[i])) b->s->again = true;
  b->list[i] = now;
}

static bool fill_body(Node *n, void *ctx, Value *trip, Value *const *v,
                      Value **next)
{
  Body *b = ctx;
  Arena *a = &n->g->m->arena;
  Node *before = n->prev;
  Value **in = NEW(a, Value *, b->carried + 3);
  Value **out = NEW(a, Value *, b->body->nout + 1);
  in[0] = trip;
  in[1] = value_const_scalar(n->g, "go", DT_BOOL, 1);
  for (int i = 0; i < b->carried; i++) {
    in[2 + i] = *v++;
    if (!b->list[i]) continue;
    List *l = NEW(a, List, 1);
    *l = *b->list[i];
    l->flat = in[2 + i];
    l->rows = *v++;
    if (l->has) l->has = *v++;
    in[2 + i] = open_value(n->g, l);
  }
  control_copy(n, b->body, in, b->carried + 2, out, true);
  random_trips(control_first(n, before), n, trip);
  if (!control_infer(control_first(n, before), n)) return false;
  *next++ = out[0];
  for (int i = 1; i < b->body->nout; i++) {
    const List *was = i <= b->carried ? b->list[i - 1] : NULL;
    if (!was && out[i]->kind != VK_TENSOR) {
      fail_model(n, "output %d of the body is no tensor", i);
      return false;
    }
    const List *l = !was ? NULL : was->has ? open_optional(n, out[i])
                    : open_list(n, out[i]);
    if (was && !l) return false;
    if (l) learn(b, i - 1, l);
    *next++ = l ? l->flat : out[i];
    if (l) *next++ = l->rows;
    if (l && was->has) *next++ = l->has;
  }
  return true;
}

/* The carried values as tensors; s->initial and s->grows are told. */
static bool spread_carried(Structure *s, Body *b)
{
  Node *n = s->n;
  Arena *a = &n->g->m->arena;
  Value **v = s->initial = NEW(a, Value *, 3 * b->carried + 1);
  bool *grows = s->grows = NEW(a, bool, 3 * b->carried * MAX_RANK + 1);
  b->list = NEW(a, const List *, b->carried + 1);
  for (int i = 0; i < b->carried; i++) {
    Value *x = n->in[2 + i];
    const List *l = x->kind == VK_SEQ ? open_list(n, x)
                  : x->kind == VK_OPTIONAL ? open_optional(n, x) : NULL;
    if (x->kind == VK_MAP)
      fail_unsupported(n, "input %d is a map, which a loop can't carry", 2 + i);
    if (x->kind != VK_TENSOR && !l) return false;
    b->list[i] = l;
    if (l) grows[s->carried * MAX_RANK] = true;
    v[s->carried++] = l ? l->flat : x;
    if (l) grows[s->carried * MAX_RANK] = true;
    if (l) v[s->carried++] = l->rows;
    if (l && l->has) v[s->carried++] = l->has;
  }
  return true;
}

/* Outputs of the node: carried values, then scan outputs. */
static void give_outputs(Node *n, const Body *b, Value *const *y)
{
  for (int i = 0; i < n->nout; i++) {
    const List *was = i < b->carried ? b->list[i] : NULL;
    Value *v = *y++;
    if (was) {
      List *l = NEW(&n->g->m->arena, List, 1);
      *l = *was;
      l->flat = v;
      l->rows = *y++;
      if (l->has) l->has = *y++;
      v = open_value(n->g, l);
      const Type *t = n->out[i] ? n->out[i]->declared : NULL;
      if (t && t->kind == VK_SEQ) v = open_made(n, v, VK_SEQ);
    }
    if (n->out[i] && was) {
      n->out[i]->list = v->list;
      n->out[i]->kind = v->kind;
      n->out[i]->inferred = true;
    } else if (n->out[i]) {
      control_give(n, i, v);
    }
  }
}

bool control_loop(Node *n, const Graph *body, int carried, int scans)
{
  Body b = {.body = body, .carried = carried};
  Structure s = {.n = n, .scans = scans, .fill = fill_body, .ctx = &b,
                 .trips = node_in(n, 0), .cond = node_in(n, 1),
                 .first_scan = carried};
  Node *before = n->prev;
  int64_t first = 1, next = 0;
  int nsym = n->g->m->dims.nsym;
  b.s = &s;
  if (!spread_carried(&s, &b) ||
      !control_infer(control_first(n, before), n)) return false;
  find_most(&s);
  s.out = NEW(&n->g->m->arena, Value *, body->nout + s.carried + 1);
  if (!settle_body(&s) || !rows_alike(&s, nsym)) return false;
  bool open = !s.most || (s.cond && !control_scalar(s.cond, &first)) ||
              !control_scalar(s.out[0], &next) || !next;
  give_outputs(n, &b, end_loop(&s, open)->out);
  return true;
}

typedef struct { LoopFill fill; void *ctx; } Inner;

/* fill() of control_repeat: trips go on until all are made. */
static bool fill_always(Node *n, void *ctx, Value *trip, Value *const *v,
                        Value **next)
{
  const Inner *i = ctx;
  next[0] = value_const_scalar(n->g, "go", DT_BOOL, 1);
  return i->fill(n, i->ctx, trip, v, next + 1);
}

bool control_repeat(Node *n, Value *trips, Value **v, int carried,
                    LoopFill fill, void *ctx)
{
  Inner inner = {fill, ctx};
  Structure s = {.n = n, .trips = trips, .carried = carried, .initial = v,
                 .fill = fill_always, .ctx = &inner};
  s.grows = NEW(&n->g->m->arena, bool, carried * MAX_RANK + 1);
  for (int i = 0; i < carried; i++)
    s.grows[i * MAX_RANK] = v[i]->rank > 0;
  s.out = NEW(&n->g->m->arena, Value *, carried + 2);
  find_most(&s);
  if (!settle_body(&s)) return false;
  Node *end = end_loop(&s, false);
  memcpy(v, end->out, sizeof *v * (size_t)carried);
  return true;
}

/* The size of x along an axis, as a number of the run. */
static Value *size_of(Node *n, Value *x, int64_t axis)
{
  Tensor *at = tensor_new(&n->g->m->arena, DT_I64, 0, NULL);
  tensor_set_i64(at, 0, axis);
  Value *shape = control_op(n, "Shape", 1, &x);
  return control_op2(n, "Gather", shape, value_const(n->g, "axis", at));
}

/* The element of this trip. */
static Value *element_of(const Structure *s, Value *trip, Value *x,
                         int64_t axis, bool back)
{
  if (back) {
    Value *one = value_const_scalar(s->n->g, "one", DT_I64, 1);
    trip = control_op2(s->n, "Sub", control_op2(s->n, "Sub", s->trips, one),
                       trip);
  }
  Value *y = control_op2(s->n, "Gather", x, trip);
  attr_set_int(y->def, "axis", axis);
  return y;
}

/* Rows came together along axis 0. */
static Value *to_axis(Node *n, Value *y, int64_t axis, int rank)
{
  int64_t perm[MAX_RANK];
  if (!axis) return y;
  for (int i = 0; i < rank; i++)
    perm[i] = i < axis ? i + 1 : i == axis ? 0 : i;
  Value *t = control_op(n, "Transpose", 1, &y);
  attr_set_ints(t->def, "perm", perm, rank);
  return t;
}

typedef struct {
  const Graph *body;
  int nscan;
  const int64_t *axis;
  const Structure *s;
} ScanBody;

/* fill() of control_scan. */
static bool fill_scan(Node *n, void *ctx, Value *trip, Value *const *v,
                      Value **next)
{
  const ScanBody *b = ctx;
  int c = n->nin - b->nscan;
  Value **in = NEW(&n->g->m->arena, Value *, n->nin + 1);
  Node *before = n->prev;
  memcpy(in, v, sizeof *in * (size_t)c);
  for (int i = 0; i < b->nscan; i++)
    in[c + i] = element_of(b->s, trip, n->in[c + i], b->axis[i],
                           control_list(n, "scan_input_directions", i) != 0);
  control_copy(n, b->body, in, n->nin, next + 1, true);
  random_trips(control_first(n, before), n, trip);
  next[0] = value_const_scalar(n->g, "go", DT_BOOL, 1);
  return true;
}

bool control_scan(Node *n, const Graph *body, int nscan, const int64_t *axis)
{
  Arena *a = &n->g->m->arena;
  int c = n->nin - nscan;
  ScanBody b = {body, nscan, axis, NULL};
  Structure s = {.n = n, .carried = c, .scans = body->nout - c,
                 .fill = fill_scan, .ctx = &b,
                 .backward = "scan_output_directions"};
  Node *before = n->prev;
  b.s = &s;
  s.trips = size_of(n, n->in[c], axis[0]);
  s.most = n->in[c]->dim[axis[0]];
  if (!control_infer(control_first(n, before), n)) return false;
  int nsym = n->g->m->dims.nsym;
  s.initial = NEW(a, Value *, c + 1);
  memcpy(s.initial, n->in, sizeof *s.initial * (size_t)c);
  s.out = NEW(a, Value *, body->nout + 2);
  if (!settle_body(&s)) return false;
  if (!rows_alike(&s, nsym)) return false;
  Node *end = end_loop(&s, false);
  for (int i = 0; i < n->nout; i++) {
    Value *y = end->out[i];
    if (!n->out[i]) continue;
    if (i >= c) {
      int rank = s.out[1 + i]->rank + 1;
      int to = axis_norm(n, control_list(n, "scan_output_axes", i - c), rank);
      if (to < 0) return false;
      y = to_axis(n, y, to, rank);
    }
    control_give(n, i, y);
  }
  return true;
}

static Value *sample_of(Node *n, Value *x, int64_t k)
{
  Tensor *at = tensor_new(&n->g->m->arena, DT_I64, 0, NULL);
  tensor_set_i64(at, 0, k);
  return control_op2(n, "Gather", x, value_const(n->g, "sample", at));
}

static Value *one_number(Node *n, int64_t x)
{
  return value_const_ints(n->g, "number", &x, 1);
}

/* The first elements of x along axis 0, as many as sequence_lens says for
 * sample k. */
static Value *first_of(Node *n, Value *x, Value *lens, int64_t k)
{
  Value *zero = one_number(n, 0);
  Value *end = control_op2(n, "Gather", lens, one_number(n, k));
  Value *in[4] = {x, zero, end, zero};
  return control_op(n, "Slice", 4, in);
}

/* How many elements `all` has along axis 0 that `some` lacks, as [0, number]:
 * the padding of axis 0. */
static Value *missing(Node *n, Value *all, Value *some)
{
  Value *size[2] = {all, some};
  for (int i = 0; i < 2; i++) {
    Value *shape = control_op(n, "Shape", 1, &size[i]);
    size[i] = control_op2(n, "Gather", shape, one_number(n, 0));
  }
  Value *pads = control_op2(n, "Concat", one_number(n, 0),
                            control_op2(n, "Sub", size[0], size[1]));
  attr_set_int(pads->def, "axis", 0);
  return pads;
}

/* The Scan-9 of sample k; out[] are its results. Of a sample that is shorter
 * than others the rest of scan outputs is zeros, as onnxruntime has it. */
static void scan_sample(Node *n, const Graph *body, int nscan, int64_t k,
                        Value **out)
{
  Node *y = node_new(n->g, n, "Scan", n->nin - 1, n->nout, n);
  Value *lens = node_in(n, 0), *all = NULL, *some = NULL;
  int count = 0, carried = n->nin - 1 - nscan;
  for (int i = 1; i < n->nin; i++) {
    Value *x = sample_of(y, n->in[i], k);
    if (lens && i > carried) {
      all = x;
      x = some = first_of(y, x, lens, k);
    }
    node_set_input(y, i - 1, x);
  }
  for (int i = 0; i < n->nout; i++) {
    out[i] = value_tmp(n->g, "sample", NULL);
    node_set_output(y, i, out[i]);
    if (!lens || i < carried) continue;
    Value *in[4] = {out[i], missing(n, all, some), NULL, one_number(n, 0)};
    out[i] = control_op(n, "Pad", 4, in);
  }
  attr_set_int(y, "num_scan_inputs", nscan);
  const int64_t *back = attr_ints(n, "directions", &count);
  if (back) attr_set_ints(y, "scan_input_directions", back, count);
  attr_set_graph(y, "body", control_clone(y, body));
}

bool control_scan8(Node *n, const Graph *body, int nscan)
{
  int64_t samples;
  if (n->nin < 2 || !n->in[1] || n->in[1]->rank < 1 ||
      !dim_is_int(n->in[1]->dim[0], &samples) || samples < 1) {
    fail_unsupported(n, "Scan-8 needs a batch that is a number; fix it with "
                     "--batch or --dim, or convert the model to opset 9");
    return false;
  }
  Value ***got = NEW(&n->g->m->arena, Value **, n->nout + 1);
  Value **out = NEW(&n->g->m->arena, Value *, n->nout + 1);
  for (int i = 0; i < n->nout; i++)
    got[i] = NEW(&n->g->m->arena, Value *, samples);
  for (int64_t k = 0; k < samples; k++) {
    scan_sample(n, body, nscan, k, out);
    for (int i = 0; i < n->nout; i++) got[i][k] = out[i];
  }
  for (int i = 0; i < n->nout; i++)
    if (n->out[i]) control_give(n, i, control_stack(n, got[i], samples, 0));
  return true;
}
