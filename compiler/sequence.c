/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences and optional values as data flow.
 *
 * A sequence whose length inference knows is a list of values (Value.list):
 * what makes, changes or reads it is gone after inference, and costs nothing.
 * A position that only the run tells chooses by Selects. A list that is an
 * output of the graph becomes a Pack, which writes an o2c_value. What comes in
 * through the interface is no such list: its length is the run's, and
 * sequence_open.c does the work.
 */
#include "control.h"
#include <string.h>

void value_list(Value *v, ValueKind kind, Value *const *item, int n)
{
  List *l = NEW(&v->g->m->arena, List, 1);
  l->n = n;
  l->item = NEW(&v->g->m->arena, Value *, n + 1);
  if (n) memcpy(l->item, item, sizeof *item * (size_t)n);
  v->list = l;
  v->kind = kind;
  v->inferred = true;
}

/* Input i as a list of this kind; NULL after a diagnostic. */
static const List *list_in(Node *n, int i, ValueKind kind)
{
  const Value *v = node_in(n, i);
  if (v && v->list && v->kind == kind) return v->list;
  if (v && v->kind != VK_TENSOR)
    fail_unsupported(n, "how many items input %d holds is only known at run "
                     "time; make the sequence in the model, or pass tensors",
                     i);
  else
    fail_model(n, "input %d is no %s", i,
               kind == VK_SEQ ? "sequence" : "optional value");
  return NULL;
}

/* Position input i, from 0 on; *known: -1 where only the run tells, then the
 * value that comes back is it. `last`: without an input. */
static Value *position(Node *n, int i, int count, int end, int64_t last,
                       int64_t *known)
{
  Value *at = node_in(n, i);
  *known = last;
  if (!at) return NULL;
  if (control_scalar(at, known)) {
    if (*known < 0) *known += count;
    if (*known >= 0 && *known <= end) return NULL;
    fail_model(n, "position %lld is outside of a sequence of %d",
               (long long)(*known - (*known < 0 ? count : 0)), count);
    return NULL;
  }
  *known = -1;
  int64_t none = 0;
  Value *wide = control_op(n, "Cast", 1, &at);
  attr_set_int(wide->def, "to", DT_I64);
  wide = control_op2(n, "Reshape", wide, value_const_ints(n->g, "none", &none,
                                                          0));
  Value *zero = value_const_scalar(n->g, "zero", DT_I64, 0);
  Value *size = value_const_scalar(n->g, "size", DT_I64, count);
  Value *in[3] = {control_op2(n, "Less", wide, zero),
                  control_op2(n, "Add", wide, size), wide};
  return control_op(n, "Where", 3, in);
}

static Value *compare(Node *n, const char *op, Value *at, int64_t k)
{
  return control_op2(n, op, at,
                     value_const_scalar(n->g, "k", DT_I64, (double)k));
}

static void give_list(Node *n, int i, ValueKind kind, Value *const *v, int k)
{
  if (node_out(n, i)) value_list(n->out[i], kind, v, k);
}

/* A tensor, or a list. */
static void give_any(Node *n, Value *v)
{
  if (!v->list) {
    control_give(n, 0, v);
    return;
  }
  if (!node_out(n, 0)) return;
  n->out[0]->list = v->list;
  n->out[0]->kind = v->kind;
  n->out[0]->inferred = true;
}

static bool do_identity(Node *n)
{
  give_any(n, n->in[0]);
  return true;
}

static bool do_construct(Node *n)
{
  give_list(n, 0, VK_SEQ, n->in, n->nin);
  return true;
}

static bool do_empty(Node *n)
{
  give_list(n, 0, VK_SEQ, NULL, 0);
  if (node_out(n, 0))
    ((List *)(uintptr_t)n->out[0]->list)->dtype =
      (Dtype)attr_int(n, "dtype", DT_F32);
  return true;
}

static bool do_length(Node *n)
{
  const List *l = list_in(n, 0, VK_SEQ);
  if (l)
    control_give(n, 0, value_const_scalar(n->g, "length", DT_I64, l->n));
  return l;
}

static bool do_at(Node *n)
{
  const List *l = list_in(n, 0, VK_SEQ);
  int64_t k;
  if (!l) return false;
  Value *at = position(n, 1, l->n, l->n - 1, 0, &k);
  if (n->bad) return false;
  if (!at) {
    give_any(n, l->item[k]);
    return true;
  }
  if (!l->n) {
    fail_model(n, "the sequence is empty");
    return false;
  }
  /* Conditions first: what they guard comes behind them. The last item asks for
   * no more than that there is one: where sizes depend on the position, it is
   * taken before the others are. */
  Value **is = NEW(&n->g->m->arena, Value *, l->n);
  for (int i = 0; i + 1 < l->n; i++) is[i] = compare(n, "Equal", at, i);
  Value *fits = control_op2(n, "And", compare(n, "Greater", at, -1),
                            compare(n, "Less", at, l->n));
  Value *y = control_require(n, fits, true, l->item[l->n - 1]);
  for (int i = l->n - 2; i >= 0; i--)
    y = control_select(n, is[i], l->item[i], y);
  control_give(n, 0, y);
  return true;
}

static bool do_erase(Node *n)
{
  const List *l = list_in(n, 0, VK_SEQ);
  int64_t k;
  if (!l) return false;
  if (!l->n) {
    fail_model(n, "the sequence is empty");
    return false;
  }
  Value **v = NEW(&n->g->m->arena, Value *, l->n);
  Value *at = position(n, 1, l->n, l->n - 1, l->n - 1, &k);
  if (n->bad) return false;
  for (int i = 0; i + 1 < l->n; i++)
    v[i] = at ? control_select(n, compare(n, "Greater", at, i), l->item[i],
                               l->item[i + 1])
              : l->item[i < k ? i : i + 1];
  give_list(n, 0, VK_SEQ, v, l->n - 1);
  return true;
}

static bool do_insert(Node *n)
{
  const List *l = list_in(n, 0, VK_SEQ);
  int64_t k;
  if (!l) return false;
  Value **v = NEW(&n->g->m->arena, Value *, l->n + 1);
  Value *at = position(n, 2, l->n, l->n, l->n, &k), *x = n->in[1];
  if (n->bad) return false;
  for (int i = 0; i <= l->n; i++) {
    if (!at) {
      v[i] = i == k ? x : l->item[i < k ? i : i - 1];
      continue;
    }
    v[i] = i ? control_select(n, compare(n, "Equal", at, i), x,
                              l->item[i - 1]) : x;
    if (i < l->n)
      v[i] = control_select(n, compare(n, "Greater", at, i), l->item[i], v[i]);
  }
  give_list(n, 0, VK_SEQ, v, l->n + 1);
  return true;
}

static bool do_concat(Node *n)
{
  const List *l = list_in(n, 0, VK_SEQ);
  int64_t axis = attr_int(n, "axis", 0);
  if (!l) return false;
  if (!l->n) {
    fail_model(n, "the sequence is empty");
    return false;
  }
  if (attr_int(n, "new_axis", 0)) {
    int to = axis_norm(n, axis, l->item[0]->rank + 1);
    if (to < 0) return false;
    control_give(n, 0, control_stack(n, l->item, l->n, to));
    return true;
  }
  Value *y = control_op(n, "Concat", l->n, l->item);
  attr_set_int(y->def, "axis", axis);
  control_give(n, 0, y);
  return true;
}

static Value *piece(Node *n, int64_t axis, int64_t from, int64_t to, bool keep)
{
  Value *at = value_const_ints(n->g, "axis", &axis, 1);
  Value *in[4] = {n->in[0], value_const_ints(n->g, "from", &from, 1),
                  value_const_ints(n->g, "to", &to, 1), at};
  Value *y = control_op(n, "Slice", 4, in);
  return keep ? y : control_op2(n, "Squeeze", y, at);
}

/* ONNX SplitToSequence: pieces of one size, the last maybe smaller; or of
 * sizes in a list. */
static bool do_split(Node *n)
{
  const Value *x = n->in[0];
  Value *split = node_in(n, 1);
  const int64_t *list = NULL;
  int64_t size, each = 1, from = 0;
  int count = 0;
  int axis = axis_norm(n, attr_int(n, "axis", 0), x->rank);
  if (axis < 0) return false;
  if (split && (split->rank == 1 ? !infer_const_ints(n, 1, &list, &count)
                                 : !control_scalar(split, &each)))
    return open_split(n);
  if (!dim_is_int(x->dim[axis], &size)) return open_split(n);
  bool listed = split && split->rank == 1, wrong = false;
  if (!listed) count = each > 0 ? (int)((size + each - 1) / each) : 0;
  Value **v = NEW(&n->g->m->arena, Value *, count + 1);
  for (int i = 0; i < count; i++) {
    int64_t step = listed ? list[i] : from + each > size ? size - from : each;
    wrong = wrong || step < 0;
    v[i] = piece(n, axis, from, from + step,
                 split || attr_int(n, "keepdims", 1));
    from += step;
  }
  if (wrong || from != size || each <= 0) {
    fail_model(n, "the pieces do not make up the size of axis %d, %lld", axis,
               (long long)size);
    return false;
  }
  give_list(n, 0, VK_SEQ, v, count);
  return true;
}

static bool do_map(Node *n)
{
  Arena *a = &n->g->m->arena;
  Graph *body = control_body(n, "body");
  const List *first = list_in(n, 0, VK_SEQ);
  if (!body || !first) return false;
  Value **in = NEW(a, Value *, n->nin + 1);
  Value **out = NEW(a, Value *, body->nout + 1);
  Value ***got = NEW(a, Value **, body->nout + 1);
  if (body->nin != n->nin || body->nout < n->nout) {
    fail_model(n, "the body has %d inputs and %d outputs, the node %d and %d",
               body->nin, body->nout, n->nin, n->nout);
    return false;
  }
  for (int i = 0; i < body->nout; i++) got[i] = NEW(a, Value *, first->n + 1);
  for (int k = 0; k < first->n; k++) {
    for (int i = 0; i < n->nin; i++) {
      const List *l = n->in[i]->list;
      if (l && l->n != first->n) {
        fail_model(n, "sequences of %d and %d items (spec: equal)", first->n,
                   l->n);
        return false;
      }
      in[i] = l ? l->item[k] : n->in[i];
    }
    control_copy(n, body, in, n->nin, out, true);
    for (int i = 0; i < body->nout; i++) got[i][k] = out[i];
  }
  for (int i = 0; i < n->nout; i++) give_list(n, i, VK_SEQ, got[i], first->n);
  control_drop(body);
  return true;
}

static bool do_optional(Node *n)
{
  give_list(n, 0, VK_OPTIONAL, n->in, node_in(n, 0) ? 1 : 0);
  return true;
}

static bool do_has(Node *n)
{
  const Value *x = node_in(n, 0);
  if (open_is_optional(x)) {
    control_give(n, 0, x->list->has);
    return true;
  }
  bool has = x && (x->kind != VK_OPTIONAL || (x->list && x->list->n));
  if (x && x->kind == VK_OPTIONAL && !x->list) return false;
  control_give(n, 0, value_const_scalar(n->g, "has", DT_BOOL, has));
  return true;
}

static bool do_get(Node *n)
{
  Value *x = n->in[0];
  if (open_is_optional(x)) return open_get(n);
  if (x->kind == VK_OPTIONAL && !x->list)
    return x->declared && x->declared->elem &&
           x->declared->elem->kind == VK_SEQ && open_get(n);
  if (x->kind == VK_OPTIONAL && !x->list->n) {
    fail_model(n, "the optional value is empty");
    return false;
  }
  if (open_is(x)) {
    give_any(n, open_value(n->g, open_list(n, x)));
    return !n->bad;
  }
  give_any(n, x->kind == VK_OPTIONAL ? x->list->item[0] : x);
  return true;
}

static const struct { const char *op; bool (*does)(Node *n); } ops[] = {
  {"SequenceConstruct", do_construct}, {"SequenceEmpty", do_empty},
  {"SequenceLength", do_length}, {"SequenceAt", do_at},
  {"SequenceErase", do_erase}, {"SequenceInsert", do_insert},
  {"ConcatFromSequence", do_concat}, {"SplitToSequence", do_split},
  {"SequenceMap", do_map}, {"Optional", do_optional},
  {"OptionalHasElement", do_has}, {"OptionalGetElement", do_get},
};

/* Is a sequence that the node works on one whose length only the run tells? */
static bool needs_open(Node *n)
{
  if (!n->nin || node_is(n, "SequenceConstruct") || node_is(n, "Optional"))
    return false;
  if (node_is(n, "OptionalGetElement") || node_is(n, "OptionalHasElement"))
    return false;
  for (int i = 0; i < n->nin; i++)
    if (open_is(n->in[i])) return true;
  return false;
}

bool sequence_inline(Node *n, Node **next)
{
  Node *before = n->prev;
  bool done = false;
  if (n->bad || !n->op) return false;
  for (int i = 0; i < n->nin; i++)
    if (n->in[i] && n->in[i]->bad) return false;
  bool zip = zip_takes(n);
  if (zip) done = zip_inline(n);
  if (node_is(n, "Identity") && node_in(n, 0) && n->in[0]->list)
    done = do_identity(n);
  for (int i = 0; i < COUNT(ops) && !zip; i++)
    if (node_is(n, ops[i].op))
      done = needs_open(n) ? open_inline(n) : ops[i].does(n);
  if (!done) return false;
  *next = control_first(n, before);
  if (*next == n) *next = n->next;
  node_remove(n);
  return true;
}

/* The values in v, level by level: kind and count of each, and the tensors. */
static Node *pack(Graph *g, Value *v)
{
  Arena *a = &g->m->arena;
  const Value **queue = NEW(a, const Value *, 1);
  int64_t *tree = NULL;
  int n = 1, ntree = 0, nin = 0;
  Node *p = node_new(g, NULL, "Pack", 0, 0, NULL);
  p->domain = "o2c";
  p->op = op_find("o2c", "Pack");
  p->version = 1;
  queue[0] = v;
  for (int i = 0; i < n; i++) {
    const List *l = queue[i]->list;
    tree = arena_grow(a, tree, ntree, sizeof *tree);
    tree[ntree++] = queue[i]->kind;
    tree = arena_grow(a, tree, ntree, sizeof *tree);
    tree[ntree++] = l ? l->n : 0;
    for (int k = 0; l && k < l->n; k++) {
      queue = arena_grow(a, queue, n, sizeof *queue);
      queue[n++] = l->item[k];
      if (!l->item[k]->list) node_set_input(p, nin++, l->item[k]);
    }
  }
  attr_set_ints(p, "tree", tree, ntree);
  return p;
}

/* Is there a sequence without known length in it? */
static bool holds_open(const Value *v)
{
  for (int i = 0; v->list && i < v->list->n; i++)
    if (open_is(v->list->item[i]) || holds_open(v->list->item[i])) return true;
  return false;
}

void sequence_outputs(Graph *g)
{
  for (int i = 0; i < g->nout; i++) {
    Value *v = g->out[i];
    sparse_output(g, i);
    if (!v->list || v->def || v->bad || v->is_input) continue;
    if (zip_is(v)) {
      zip_output(g, i);
      continue;
    }
    if (holds_open(v)) {
      diag_model(g->m, SEV_ERROR, EXIT_UNSUPPORTED, "output %s holds a "
                 "sequence whose length only the run tells; make the sequence "
                 "itself the output", quote(&g->m->arena, v->name));
      return;
    }
    bool open = open_is(v) || open_is_optional(v);
    Node *p = open ? open_pack(g, v->list) : pack(g, v);
    node_set_output(p, 0, v);
    if (!v->declared || v->declared->kind != v->kind)
      fail_model(p, "output %s is not declared as what it is, a %s",
                 quote(&g->m->arena, v->name),
                 v->kind == VK_SEQ ? "sequence" : "optional value");
    value_set_shape(v, 0, NULL);
  }
}
