/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences whose length only the run tells, as tensors: the elements of all
 * items, one after the other, and for each item a row of its rank and sizes
 * (List of ir.h). Operators on them become Slice, Concat, Gather, Reshape of
 * sizes found at run time, so storage, capacities, loops and branches treat
 * them as they do any tensor. Unpack reads an o2c_value of the interface into
 * that form, Repack writes one.
 */
#include "control.h"
#include <string.h>

#define ROW (1 + MAX_RANK)

bool open_is(const Value *v)
{
  return v && v->kind == VK_SEQ && (!v->list || v->list->n < 0);
}

Value *open_value(Graph *g, const List *l)
{
  Value *v = value_tmp(g, "sequence", NULL);
  v->kind = l->has ? VK_OPTIONAL : VK_SEQ;
  v->list = l;
  v->inferred = true;
  return v;
}

bool open_is_optional(const Value *v)
{
  return v && v->kind == VK_OPTIONAL && v->list && v->list->n < 0;
}

static Value *ints(Node *n, int64_t v)
{
  return value_const_ints(n->g, "at", &v, 1);
}

static Value *number(Node *n, int64_t v)
{
  Tensor *t = tensor_new(&n->g->m->arena, DT_I64, 0, NULL);
  tensor_set_i64(t, 0, v);
  return value_const(n->g, "number", t);
}

static Value *op_axis(Node *n, const char *op, Value *a, Value *b,
                      int64_t axis)
{
  Value *y = control_op2(n, op, a, b);
  attr_set_int(y->def, "axis", axis);
  return y;
}

/* Elements [from, to) along an axis; both int64 [1]. */
static Value *cut(Node *n, Value *x, Value *from, Value *to, int64_t axis)
{
  Value *in[4] = {x, from, to, ints(n, axis)};
  return control_op(n, "Slice", 4, in);
}

static Value *flatten(Node *n, Value *x)
{
  return control_op2(n, "Reshape", x, ints(n, -1));
}

/* int64 [] as [1]. */
static Value *as_list(Node *n, Value *x)
{
  return control_op2(n, "Reshape", x, ints(n, 1));
}

static Value *nothing(Node *n, Dtype type, int rank, int64_t row)
{
  int64_t dim[2] = {0, row};
  return value_const(n->g, "nothing",
                     tensor_new(&n->g->m->arena, type, rank, dim));
}

const List *open_empty(Node *at, Dtype type)
{
  List *l = NEW(&at->g->m->arena, List, 1);
  l->n = -1;
  l->dtype = type;
  l->rank = -1;
  l->none = true;
  l->flat = nothing(at, type, 1, 0);
  l->rows = nothing(at, DT_I64, 2, ROW);
  return l;
}

/* int64 [1, ROW]: rank, sizes, ones. */
static Value *row_of(Node *n, Value *x)
{
  int64_t one[ROW];
  for (int i = 0; i < ROW; i++) one[i] = 1;
  Value *part[3] = {ints(n, x->rank), control_op(n, "Shape", 1, &x),
                    value_const_ints(n->g, "ones", one, MAX_RANK - x->rank)};
  Value *row = control_op(n, "Concat", x->rank < MAX_RANK ? 3 : 2, part);
  attr_set_int(row->def, "axis", 0);
  return control_op2(n, "Unsqueeze", row, ints(n, 0));
}

void open_meet(List *l, int rank, const Dim *const *dim)
{
  int64_t k;
  if (l->none) l->rank = rank;
  if (l->rank != rank) l->rank = -1;
  for (int i = 0; i < MAX_RANK; i++) {
    const Dim *d = i < l->rank && dim && dim[i] && dim_is_int(dim[i], &k)
      ? dim[i] : NULL;
    l->dim[i] = l->none || l->dim[i] == d ? d : NULL;
  }
  l->none = false;
}

bool open_same(const List *a, const List *b)
{
  bool same = a->none == b->none && a->rank == b->rank;
  for (int i = 0; i < MAX_RANK; i++) same = same && a->dim[i] == b->dim[i];
  return same;
}

/* The list with other tensors. */
static List *changed(Node *n, const List *l, Value *flat, Value *rows)
{
  List *y = NEW(&n->g->m->arena, List, 1);
  *y = *l;
  y->flat = flat;
  y->rows = rows;
  return y;
}

static bool item_fits(Node *n, const List *l, const Value *item)
{
  if (item->kind == VK_TENSOR && item->rank >= 0 &&
      (!l->dtype || item->dtype == l->dtype)) return true;
  if (item->kind != VK_TENSOR || item->rank < 0)
    fail_unsupported(n, "items of a sequence whose length only the run tells "
                     "must be tensors");
  else
    fail_model(n, "an item is %s, those of the sequence %s",
               dtype_info(item->dtype)->onnx, dtype_info(l->dtype)->onnx);
  return false;
}

const List *open_append(Node *n, const List *l, Value *item)
{
  if (!item_fits(n, l, item)) return NULL;
  List *y = changed(n, l, op_axis(n, "Concat", l->flat, flatten(n, item), 0),
                    op_axis(n, "Concat", l->rows, row_of(n, item), 0));
  open_meet(y, item->rank, item->dim);
  y->dtype = item->dtype;
  return y;
}

/* Is it an optional tensor of the interface? */
static bool outer_tensor(const Value *v)
{
  while (v->def && node_is(v->def, "Identity")) v = v->def->in[0];
  const Type *t = v->declared;
  return v->kind == VK_OPTIONAL && !v->list && t && t->elem &&
         t->elem->kind == VK_TENSOR;
}

/* A sequence of the interface, an optional one, or an optional tensor. */
static const List *unpack(Node *at, Value *v)
{
  Graph *g = at->g;
  while (v->def && node_is(v->def, "Identity")) v = v->def->in[0];
  const Type *t = v->declared;
  while (t && (t->kind == VK_OPTIONAL || t->kind == VK_SEQ)) t = t->elem;
  if (!t || t->kind != VK_TENSOR || !t->dtype || v->def) {
    fail_unsupported(at, "what the sequence holds is not told; declare its "
                     "type, a sequence of tensors");
    return NULL;
  }
  Node *n = node_new(g, g->first, "Unpack", 1, 2, at);
  n->domain = "o2c";
  n->op = op_find("o2c", "Unpack");
  n->version = 1;
  node_set_input(n, 0, v);
  node_set_output(n, 0, value_tmp(g, "flat", NULL));
  node_set_output(n, 1, value_tmp(g, "rows", NULL));
  attr_set_int(n, "dtype", t->dtype);
  attr_set_int(n, "tensor", outer_tensor(v));
  infer_node(n);
  List *l = NEW(&g->m->arena, List, 1);
  l->n = -1;
  l->none = true;
  open_meet(l, t->rank, t->dim);
  l->flat = n->out[0];
  l->rows = n->out[1];
  l->dtype = t->dtype;
  if (v->kind == VK_SEQ) v->list = l; /* once is enough */
  return l;
}

const List *open_list(Node *at, Value *v)
{
  if (zip_refused(at, v)) return NULL;
  if (!v->list) return unpack(at, v);
  if (v->list->n < 0) return v->list;
  Dtype type = v->list->dtype;
  for (int i = 0; i < v->list->n; i++)
    if (v->list->item[i]->kind == VK_TENSOR) type = v->list->item[i]->dtype;
  const Type *t = v->declared;
  if (!type && t && t->elem) type = t->elem->dtype;
  const List *l = open_empty(at, type ? type : DT_F32);
  for (int i = 0; l && i < v->list->n; i++)
    l = open_append(at, l, v->list->item[i]);
  return l;
}

static Value *yes(Node *n, bool is)
{
  return value_const_scalar(n->g, "has", DT_BOOL, is);
}

const List *open_optional(Node *at, Value *v)
{
  const List *x = v->list;
  if (open_is_optional(v)) return x;
  bool empty = v->kind == VK_OPTIONAL && x && !x->n;
  bool full = v->kind == VK_OPTIONAL && x && x->n;
  Value *item = full ? x->item[0] : v;
  const Type *t = empty ? v->declared : NULL;
  while (t && t->elem) t = t->elem;
  List *l = NEW(&at->g->m->arena, List, 1);
  const List *from = empty ? open_empty(at, t && t->dtype ? t->dtype : DT_F32)
    : item->kind == VK_TENSOR
      ? open_append(at, open_empty(at, item->dtype), item)
      : open_list(at, item);
  if (!from) return NULL;
  *l = *from;
  l->tensor = item->kind == VK_TENSOR || outer_tensor(v);
  l->has = v->kind == VK_OPTIONAL && !x
    ? control_op(at, "OptionalHasElement", 1, &v) : yes(at, !empty);
  return l;
}

/* How many items, int64 []. */
static Value *length(Node *n, const List *l)
{
  Value *rows = l->rows;
  return control_op2(n, "Gather", control_op(n, "Shape", 1, &rows),
                     number(n, 0));
}

/* Where each item begins in `flat`, and the end: int64 [items + 1]. */
static Value *offsets(Node *n, const List *l)
{
  Value *dims = cut(n, l->rows, ints(n, 1), ints(n, ROW), 1);
  Value *count = control_op2(n, "ReduceProd", dims, ints(n, 1));
  attr_set_int(count->def, "keepdims", 0);
  return op_axis(n, "Concat", ints(n, 0),
                 control_op2(n, "CumSum", count, number(n, 0)), 0);
}

/* Position input `in`, int64 [], from the end where it is negative; checked to
 * be below `size`, or not above it. */
static Value *position(Node *n, int in, Value *size, bool end)
{
  Value *at = control_op(n, "Cast", 1, n->in + in), *zero = number(n, 0);
  attr_set_int(at->def, "to", DT_I64);
  at = control_op2(n, "Reshape", at, value_const_ints(n->g, "none", NULL, 0));
  Value *pick[3] = {control_op2(n, "Less", at, zero),
                    control_op2(n, "Add", at, size), at};
  at = control_op(n, "Where", 3, pick);
  Value *fits = control_op2(n, "And",
    control_op2(n, "GreaterOrEqual", at, zero),
    control_op2(n, end ? "LessOrEqual" : "Less", at, size));
  return control_require(n, fits, true, at);
}

/* The item at a position that is within 0 .. length. */
static Value *item_at(Node *n, const List *l, Value *at, int rank)
{
  Value *where = offsets(n, l), *next = control_op2(n, "Add", at, number(n, 1));
  Value *row = control_op2(n, "Gather", l->rows, at);
  Value *same = control_op2(n, "Equal", control_op2(n, "Gather", row,
                                                    number(n, 0)),
                            number(n, rank));
  Value *from = as_list(n, control_op2(n, "Gather", where, at));
  Value *to = as_list(n, control_op2(n, "Gather", where, next));
  row = control_require(n, same, true, row);
  int64_t dim[MAX_RANK];
  bool known = rank == l->rank;
  for (int i = 0; known && i < rank; i++)
    known = l->dim[i] && dim_is_int(l->dim[i], &dim[i]);
  Value *y = control_op2(n, "Reshape", cut(n, l->flat, from, to, 0), known
    ? value_const_ints(n->g, "shape", dim, rank)
    : cut(n, row, ints(n, 1), ints(n, 1 + rank), 0));
  attr_set_int(y->def, "allowzero", 1);
  return y;
}

static int item_rank(Node *n, const List *l, const Value *y)
{
  const Type *t = y ? y->declared : NULL;
  int rank = l->rank >= 0 || !t || t->kind != VK_TENSOR ? l->rank : t->rank;
  if (rank < 0)
    fail_unsupported(n, "the rank of the sequence's items is only known at run "
                     "time; declare their shape in the sequence's type");
  return rank;
}

static void give_open(Node *n, int i, const List *l)
{
  if (!node_out(n, i)) return;
  n->out[i]->list = l;
  n->out[i]->kind = l->has ? VK_OPTIONAL : VK_SEQ;
  n->out[i]->inferred = true;
}

static bool do_length(Node *n, const List *l)
{
  control_give(n, 0, length(n, l));
  return true;
}

static bool do_at(Node *n, const List *l)
{
  int rank = item_rank(n, l, n->out[0]);
  if (rank < 0) return false;
  control_give(n, 0, item_at(n, l, position(n, 1, length(n, l), false), rank));
  return true;
}

static bool do_insert(Node *n, const List *l)
{
  Value *item = n->in[1];
  const List *one = open_append(n, l, item);
  if (!one) return false;
  if (!node_in(n, 2)) {
    give_open(n, 0, one);
    return true;
  }
  Value *at = position(n, 2, length(n, l), true), *most = ints(n, INT64_MAX);
  Value *from = as_list(n, control_op2(n, "Gather", offsets(n, l), at));
  Value *row = as_list(n, at), *begin = ints(n, 0);
  Value *flat[3] = {cut(n, l->flat, begin, from, 0), flatten(n, item),
                    cut(n, l->flat, from, most, 0)};
  Value *rows[3] = {cut(n, l->rows, begin, row, 0), row_of(n, item),
                    cut(n, l->rows, row, most, 0)};
  List *y = changed(n, one, control_op(n, "Concat", 3, flat),
                    control_op(n, "Concat", 3, rows));
  attr_set_int(y->flat->def, "axis", 0);
  attr_set_int(y->rows->def, "axis", 0);
  give_open(n, 0, y);
  return true;
}

static bool do_erase(Node *n, const List *l)
{
  Value *size = length(n, l), *one = number(n, 1), *begin = ints(n, 0);
  Value *last = control_op2(n, "Sub", size, one), *most = ints(n, INT64_MAX);
  Value *at = node_in(n, 1) ? position(n, 1, size, false)
    : control_require(n, control_op2(n, "Less", number(n, 0), size), true,
                      last);
  Value *next = control_op2(n, "Add", at, one), *where = offsets(n, l);
  Value *from = as_list(n, control_op2(n, "Gather", where, at));
  Value *to = as_list(n, control_op2(n, "Gather", where, next));
  give_open(n, 0, changed(n, l,
    op_axis(n, "Concat", cut(n, l->flat, begin, from, 0),
            cut(n, l->flat, to, most, 0), 0),
    op_axis(n, "Concat", cut(n, l->rows, begin, as_list(n, at), 0),
            cut(n, l->rows, as_list(n, next), most, 0), 0)));
  return true;
}

typedef struct {
  const List *l;
  int rank;
  int64_t axis;
  bool stack;
} Joined;

static Value *joined_item(Node *n, const Joined *j, Value *at)
{
  Value *x = item_at(n, j->l, at, j->rank);
  return j->stack ? control_op2(n, "Unsqueeze", x, ints(n, j->axis)) : x;
}

static bool join_trip(Node *n, void *ctx, Value *trip, Value *const *v,
                      Value **next)
{
  const Joined *j = ctx;
  next[0] = op_axis(n, "Concat", v[0], joined_item(n, j, trip), j->axis);
  return true;
}

/* ONNX ConcatFromSequence-11: item by item, from nothing of the first's shape
 * on, so that an empty sequence is an error. */
static bool do_concat(Node *n, const List *l)
{
  Joined j = {.l = l, .stack = attr_int(n, "new_axis", 0) != 0};
  const Type *t = n->out[0]->declared;
  Node *before = n->prev;
  j.rank = l->rank >= 0 || !t || t->rank < 0 ? l->rank : t->rank - j.stack;
  if (j.rank < 0 && item_rank(n, l, NULL) < 0) return false;
  j.axis = axis_norm(n, attr_int(n, "axis", 0), j.rank + j.stack);
  if (j.axis < 0) return false;
  Value *first = joined_item(n, &j, number(n, 0));
  Value *v = cut(n, first, ints(n, 0), ints(n, 0), j.axis);
  Value *trips = length(n, l);
  if (!control_infer(control_first(n, before), n) ||
      !control_repeat(n, trips, &v, 1, join_trip, &j)) return false;
  control_give(n, 0, v);
  return true;
}

typedef struct {
  Graph *body;
  const List **in;    /* of the node's inputs, those that are sequences */
  const List **out;
} Mapped;

static bool map_trip(Node *n, void *ctx, Value *trip, Value *const *v,
                     Value **next)
{
  const Mapped *m = ctx;
  Arena *a = &n->g->m->arena;
  Node *before = n->prev;
  Value **in = NEW(a, Value *, n->nin + 1);
  Value **out = NEW(a, Value *, m->body->nout + 1);
  for (int i = 0; i < n->nin; i++) {
    int rank = m->in[i] ? item_rank(n, m->in[i], m->body->in[i]) : 0;
    if (rank < 0) return false;
    in[i] = m->in[i] ? item_at(n, m->in[i], trip, rank) : n->in[i];
  }
  control_copy(n, m->body, in, n->nin, out, true);
  random_trips(control_first(n, before), n, trip);
  if (!control_infer(control_first(n, before), n)) return false;
  for (int i = 0; i < n->nout; i++) {
    List was = *open_empty(n, DT_NONE);
    was.flat = v[2 * i];
    was.rows = v[2 * i + 1];
    const List *l = open_append(n, &was, out[i]);
    if (!l) return false;
    m->out[i] = l;
    next[2 * i] = l->flat;
    next[2 * i + 1] = l->rows;
  }
  return true;
}

/* Types of the body's results, by a copy that is thrown away. */
static bool map_types(Node *n, const Mapped *m, Dtype *type)
{
  Node *before = n->prev;
  Arena *a = &n->g->m->arena;
  Value **in = NEW(a, Value *, n->nin + 1);
  Value **out = NEW(a, Value *, m->body->nout + 1);
  for (int i = 0; i < n->nin; i++) {
    int rank = m->in[i] ? item_rank(n, m->in[i], m->body->in[i]) : 0;
    if (rank < 0) return false;
    in[i] = m->in[i] ? item_at(n, m->in[i], number(n, 0), rank) : n->in[i];
  }
  control_copy(n, m->body, in, n->nin, out, true);
  bool fine = control_infer(control_first(n, before), n);
  for (int i = 0; fine && i < n->nout; i++) type[i] = out[i]->dtype;
  while (n->prev != before) node_remove(n->prev);
  return fine;
}

/* ONNX SequenceMap-17 as the Loop that its function is. */
static bool do_map(Node *n, const List *l)
{
  Arena *a = &n->g->m->arena;
  Node *before = n->prev;
  Mapped m = {.body = control_body(n, "body")};
  Value **v = NEW(a, Value *, 2 * n->nout + 1);
  Dtype *type = NEW(a, Dtype, n->nout + 1);
  (void)l;
  if (!m.body) return false;
  if (m.body->nin != n->nin || m.body->nout < n->nout) {
    fail_model(n, "the body has %d inputs and %d outputs, the node %d and %d",
               m.body->nin, m.body->nout, n->nin, n->nout);
    return false;
  }
  m.in = NEW(a, const List *, n->nin + 1);
  m.out = NEW(a, const List *, n->nout + 1);
  for (int i = 0; i < n->nin; i++)
    if (n->in[i]->kind == VK_SEQ && !(m.in[i] = open_list(n, n->in[i])))
      return false;
  Value *trips = length(n, m.in[0]);
  for (int i = 1; i < n->nin; i++)
    if (m.in[i])
      trips = control_require(n, control_op2(n, "Equal", trips,
                                             length(n, m.in[i])), true, trips);
  if (!control_infer(control_first(n, before), n) || !map_types(n, &m, type))
    return false;
  for (int i = 0; i < n->nout; i++) {
    const List *none = open_empty(n, type[i]);
    v[2 * i] = none->flat;
    v[2 * i + 1] = none->rows;
  }
  if (!control_repeat(n, trips, v, 2 * n->nout, map_trip, &m)) return false;
  for (int i = 0; i < n->nout; i++) {
    List *y = changed(n, m.out[i], v[2 * i], v[2 * i + 1]);
    give_open(n, i, y);
  }
  control_drop(m.body);
  return true;
}

typedef struct {
  Value *sizes;       /* int64 [pieces], or NULL: */
  Value *each, *size; /* int64 [1]: of each piece, of all */
  int64_t axis;
  bool squeeze;
  const List *y;
} Parts;

/* Carried: flat, rows, and where the next piece begins. */
static bool split_trip(Node *n, void *ctx, Value *trip, Value *const *v,
                       Value **next)
{
  Parts *p = ctx;
  Node *before = n->prev;
  Value *to = control_op2(n, "Add", v[2], p->sizes
    ? as_list(n, control_op2(n, "Gather", p->sizes, trip)) : p->each);
  if (!p->sizes) to = control_op2(n, "Min", to, p->size);
  Value *x = cut(n, n->in[0], v[2], to, p->axis);
  if (p->squeeze) x = control_op2(n, "Squeeze", x, ints(n, p->axis));
  if (!control_infer(control_first(n, before), n)) return false;
  List was = *open_empty(n, x->dtype);
  was.flat = v[0];
  was.rows = v[1];
  p->y = open_append(n, &was, x);
  if (!p->y) return false;
  next[0] = p->y->flat;
  next[1] = p->y->rows;
  next[2] = to;
  return true;
}

/* How many pieces, int64 []. */
static Value *pieces(Node *n, Parts *p)
{
  Value *split = node_in(n, 1), *one = ints(n, 1);
  if (split) {
    split = control_op(n, "Cast", 1, &split);
    attr_set_int(split->def, "to", DT_I64);
  }
  if (split && n->in[1]->rank == 1) {
    p->sizes = split;
    Value *shape = control_op(n, "Shape", 1, &split);
    return control_op2(n, "Gather", shape, number(n, 0));
  }
  p->each = split ? as_list(n, split) : one;
  p->each = control_require(n, control_op2(n, "Greater", p->each, ints(n, 0)),
                            true, p->each);
  Value *up = control_op2(n, "Sub", control_op2(n, "Add", p->size, p->each),
                          one);
  return control_op2(n, "Reshape", control_op2(n, "Div", up, p->each),
                     value_const_ints(n->g, "none", NULL, 0));
}

bool open_split(Node *n)
{
  Value *x = n->in[0], *shape = control_op(n, "Shape", 1, &x);
  Parts p = {.squeeze = !node_in(n, 1) && !attr_int(n, "keepdims", 1)};
  Node *before = shape->def->prev;
  p.axis = axis_norm(n, attr_int(n, "axis", 0), x->rank);
  if (p.axis < 0) return false;
  p.size = as_list(n, control_op2(n, "Gather", shape, number(n, p.axis)));
  const List *none = open_empty(n, x->dtype);
  Value *trips = pieces(n, &p), *v[3] = {none->flat, none->rows, ints(n, 0)};
  if (!control_infer(control_first(n, before), n) ||
      !control_repeat(n, trips, v, 3, split_trip, &p)) return false;
  v[1] = control_require(n, control_op2(n, "Equal", v[2], p.size), true, v[1]);
  give_open(n, 0, changed(n, p.y, v[0], v[1]));
  return true;
}

/* What an optional value that must hold something holds. */
static Value *content(Node *n, const List *l)
{
  int rank = l->tensor ? item_rank(n, l, n->out[0]) : 0;
  if (rank < 0) return NULL;
  List *y = changed(n, l, l->flat, control_require(n, l->has, true, l->rows));
  y->has = NULL;
  return l->tensor ? item_at(n, y, number(n, 0), rank) : open_value(n->g, y);
}

bool open_get(Node *n)
{
  const List *l = open_optional(n, n->in[0]);
  Value *y = l ? content(n, l) : NULL;
  if (y && y->list) give_open(n, 0, y->list);
  else if (y) control_give(n, 0, y);
  return y;
}

Value *open_made(Node *n, Value *v, ValueKind kind)
{
  if (v->kind == kind || kind == VK_TENSOR) return v;
  const List *l = open_optional(n, v);
  if (!l || kind == VK_OPTIONAL) return l ? open_value(n->g, l) : NULL;
  return content(n, l);
}

static const struct {
  const char *op;
  bool (*does)(Node *n, const List *l);
} ops[] = {
  {"SequenceLength", do_length}, {"SequenceAt", do_at},
  {"SequenceInsert", do_insert}, {"SequenceErase", do_erase},
  {"ConcatFromSequence", do_concat}, {"SequenceMap", do_map},
};

bool open_inline(Node *n)
{
  const List *l = open_list(n, n->in[0]);
  for (int i = 0; l && i < COUNT(ops); i++)
    if (node_is(n, ops[i].op)) return ops[i].does(n, l);
  return false;
}

Node *open_pack(Graph *g, const List *l)
{
  Node *n = node_new(g, NULL, "Repack", 3, 0, NULL);
  n->domain = "o2c";
  n->op = op_find("o2c", "Repack");
  n->version = 1;
  node_set_input(n, 0, l->flat);
  node_set_input(n, 1, l->rows);
  node_set_input(n, 2, l->has);
  attr_set_int(n, "tensor", l->tensor);
  return n;
}
