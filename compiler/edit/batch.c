/* SPDX-License-Identifier: Apache-2.0 */
/* set-batch: what --make-batch does, written into the file.
 *
 * The analysis runs on the IR, which is imported from the messages, and notes
 * what it changes; here the same is done to the nodes of the file, found by the
 * names of their outputs. Shapes that the file claims of values inside are
 * dropped, as they speak of one sample. */
#include "make_batch.h"
#include "steps.h"
#include <string.h>

typedef Onnx__TensorShapeProto Shape;
#define CASE(x) ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_##x

typedef struct {
  Edit *e;
  Options opt;
  const char *size;      /* the number of samples, int64 [1]; NULL: not made */
  const Rebatch *r;
} Step;

static Model *try_messages(void *ctx, BatchChoices *c, bool *ok)
{
  Step *s = ctx;
  Model *m = import_message(&s->opt, s->e->m->path, s->e->pb, s->e->mp);
  *ok = false;
  if (!MODEL_EDGE(m) && !m->nerror && rebatch_begin(m, c)) {
    schema_check(m->main);
    infer_graph(m->main);
    rebatch_end(m);
    *ok = !m->nerror;
  }
  m->arena.panic = NULL;
  return m;
}

/* --- Nodes of the file ---------------------------------------------------- */

static const char *ints(Step *s, const int64_t *v, int n)
{
  Edit *e = s->e;
  const char *name = edit_fresh(e, "batch");
  int64_t dim[1] = {n};
  body_add_initializer(e, edit_main(e),
                       tensor_make(e, name, DT_I64, 1, dim, v,
                                   sizeof *v * (size_t)n));
  return name;
}

typedef struct { Body *b; NodeProto *n; } At;

/* A node of these inputs before `at`; its output's name. */
static const char *before(Step *s, At at, const char *op, int n,
                          const char *const *in)
{
  Edit *e = s->e;
  NodeProto *x = edit_node(e, op, "");
  for (int i = 0; i < n; i++) node_add_input(e, x, in[i]);
  const char *name = edit_fresh(e, op);
  node_add_output(e, x, name);
  if (!strcmp(op, "Concat")) node_attr_int(e, x, "axis", 0);
  body_insert(e, at.b, at.n ? body_find(at.b, at.n) : 0, x);
  return name;
}

static const char *before2(Step *s, At at, const char *op, const char *a,
                           const char *b)
{
  const char *in[2] = {a, b};
  return before(s, at, op, 2, in);
}

/* From the shape of an input: first nodes of the graph. */
static const char *samples(Step *s)
{
  Edit *e = s->e;
  if (s->size) return s->size;
  int64_t axis = 0;
  const Graph *g = s->r->m->main;
  for (int i = 0; i < g->nin; i++)
    if (g->in[i] == s->r->source) axis = s->r->in[i].axis;
  Body *b = edit_main(e);
  const char *source = s->r->source->name;
  NodeProto *first = body_count(b) ? body_node(b, 0) : NULL;
  At at = {b, first};
  const char *shape = before(s, at, "Shape", 1, &source);
  return s->size = before2(s, at, "Gather", shape, ints(s, &axis, 1));
}

static const char *part(Step *s, At at, const char *v, int from, int to)
{
  int64_t list[MAX_RANK];
  for (int i = from; i < to; i++) list[i - from] = i;
  return before2(s, at, "Gather", v, ints(s, list, to - from));
}

static const char *patched(Step *s, At at, const char *old, const BatchEdit *x)
{
  const char *in[3];
  int n = 0;
  if (x->k) in[n++] = part(s, at, old, 0, x->k);
  in[n++] = before2(s, at, "Mul", part(s, at, old, x->k, x->k + 1),
                    samples(s));
  if (x->k + 1 < x->count) in[n++] = part(s, at, old, x->k + 1, x->count);
  return n == 1 ? in[0] : before(s, at, "Concat", n, in);
}

static const char *repeated(Step *s, At at, const char *v, const BatchEdit *x)
{
  int64_t one[MAX_RANK];
  const char *in[3];
  int n = 0;
  for (int i = 0; i < MAX_RANK; i++) one[i] = 1;
  if (x->k) in[n++] = ints(s, one, x->k);
  in[n++] = samples(s);
  if (x->k + 1 < x->count) in[n++] = ints(s, one, x->count - x->k - 1);
  const char *shape = n == 1 ? in[0] : before(s, at, "Concat", n, in);
  return before2(s, at, x->tile ? "Tile" : "Expand", v, shape);
}

/* The one node with that output; *at.n NULL: none, or several. */
static At find(Step *s, const BatchEdit *x)
{
  int count;
  Body *all = edit_bodies(s->e, &count);
  At at = {NULL, NULL};
  for (int i = 0; i < count; i++)
    for (size_t k = 0; k < body_count(&all[i]); k++) {
      NodeProto *n = body_node(&all[i], k);
      if (!n->n_output || strcmp(n->output[0], x->out)) continue;
      if (at.n || strcmp(n->op_type, x->op)) return (At){NULL, NULL};
      at = (At){&all[i], n};
    }
  return at;
}

static void become_identity(NodeProto *n)
{
  static char name[] = "Identity";
  n->op_type = name;
  n->n_input = 1;
  n->n_attribute = 0;
}

/* Of a node that inference copied, as those of a loop's trips. */
static bool is_done(const BatchEdit *x, int before)
{
  for (int i = 1; i <= before; i++) {
    const BatchEdit *y = x - i;
    if (x->kind == y->kind && x->in == y->in && x->k == y->k &&
        x->count == y->count && !strcmp(x->out, y->out) &&
        !memcmp(x->v, y->v, sizeof x->v)) return true;
  }
  return false;
}

static bool apply(Step *s, const BatchEdit *x)
{
  Edit *e = s->e;
  At at = find(s, x);
  const char *what = x->node->origin && *x->node->origin->name
    ? x->node->origin->name : x->out;
  if (!at.n || at.b->f || x->kind == BATCH_INNER)
    return edit_fail(e, EXIT_UNSUPPORTED, "the change at %s (%s) can't be "
                     "written into the file, as the node is in a function or "
                     "loop, or has a name twice; inline-functions may help, "
                     "and compile --make-batch does it", Q(e, what), x->op);
  if (x->kind == BATCH_IDENTITY) {
    become_identity(at.n);
    return true;
  }
  bool list = x->kind == BATCH_INTS;
  size_t in = (size_t)x->in;
  if (at.n->n_input < (x->in && list ? 2u : 1u) ||
      (!list && at.n->n_input <= in))
    return edit_fail(e, EXIT_UNSUPPORTED, "%s (%s) has its lists as "
                     "attributes; do to-opset=13 first", Q(e, what), x->op);
  const char *v = list ? ints(s, x->v, x->count)
    : x->kind == BATCH_PATCH ? patched(s, at, at.n->input[in], x)
    : repeated(s, at, at.n->input[in], x);
  while (at.n->n_input <= in) node_add_input(e, at.n, "");
  at.n->input[in] = edit_str(e, v);
  return true;
}

/* --- Shapes --------------------------------------------------------------- */

static Shape *shape_of(const ValueInfoProto *v)
{
  return v && v->type && v->type->value_case ==
           ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? v->type->tensor_type->shape
                                               : NULL;
}

/* Axis `axis` of an input or output is `word`; NULL: of no name. */
static void set(Edit *e, ValueInfoProto **v, size_t n, const char *name,
                int axis, const char *word)
{
  for (size_t i = 0; i < n; i++) {
    Shape *s = shape_of(v[i]);
    if (strcmp(v[i]->name, name) || !s || (size_t)axis >= s->n_dim) continue;
    Onnx__TensorShapeProto__Dimension *d = s->dim[axis];
    d->value_case = CASE(_NOT_SET);
    if (!word) continue;
    if (edit_int(word, &d->dim_value)) {
      d->value_case = CASE(DIM_VALUE);
    } else {
      d->value_case = CASE(DIM_PARAM);
      d->dim_param = edit_str(e, word);
    }
  }
}

/* A body's ones may be the batch. */
static void forget_ones(ValueInfoProto **v, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    Shape *s = shape_of(v[i]);
    for (size_t k = 0; s && k < s->n_dim; k++)
      if (s->dim[k]->value_case == CASE(DIM_VALUE) && s->dim[k]->dim_value == 1)
        s->dim[k]->value_case = CASE(_NOT_SET);
  }
}

static void set_shapes(Step *s, const char *word)
{
  Edit *e = s->e;
  GraphProto *g = e->mp->graph;
  const Graph *m = s->r->m->main;
  int count;
  Body *all = edit_bodies(e, &count);
  for (int i = 0; i < count; i++) {
    if (!all[i].g) continue;
    all[i].g->n_value_info = 0;
    if (all[i].g == g) continue;
    forget_ones(all[i].g->input, all[i].g->n_input);
    forget_ones(all[i].g->output, all[i].g->n_output);
  }
  for (int i = 0; i < m->nin; i++)
    if (s->r->in[i].axis >= 0)
      set(e, g->input, g->n_input, m->in_name[i], s->r->in[i].axis, word);
  for (int i = 0; i < m->nout; i++) {
    int axis = s->r->out[i].axis;
    if (axis < 0) continue;
    bool whole = m->out[i]->dim[axis] == s->r->n;
    set(e, g->output, g->n_output, m->out_name[i], axis, whole ? word : NULL);
  }
}

/* --- The step ------------------------------------------------------------- */

static bool read_axes(Edit *e, const EditStep *s, Options *o)
{
  o->batch_axis = NEW(e->a, NameInt, s->n + 1);
  for (int i = 1; i < s->n; i++) {
    const char *eq = strrchr(s->arg[i], '=');
    NameInt x = {NULL, -1};
    if (!eq || (strcmp(eq + 1, "none") && (!edit_int(eq + 1, &x.v) ||
                                           x.v < 0 || x.v >= MAX_RANK)))
      return edit_fail(e, EXIT_USAGE, "INPUT=AXIS or INPUT=none is wanted, "
                       "not %s", Q(e, s->arg[i]));
    x.name = arena_strn(e->a, s->arg[i], (size_t)(eq - s->arg[i]));
    o->batch_axis[o->nbatch_axis++] = x;
  }
  return true;
}

static const char *first_error(const Model *m)
{
  const Diag *d = m->diags;
  while (d && d->sev != SEV_ERROR) d = d->next;
  return d ? d->text : "the model can't be imported";
}

bool step_set_batch(Edit *e, const EditStep *es)
{
  Step s = {.e = e, .opt = {.command = "edit", .quiet = true,
                            .make_batch = true}};
  int64_t v;
  bool ok;
  if (!*es->arg[0] || (edit_int(es->arg[0], &v) && v < 1))
    return edit_fail(e, EXIT_USAGE, "a name or a number above 0 is wanted");
  if (!read_axes(e, es, &s.opt)) return false;
  Model *m = rebatch_search(try_messages, &s, &ok);
  if (!ok) {
    edit_fail(e, diag_worst(m), "%s", arena_str(e->a, first_error(m)));
    model_free(m);
    return false;
  }
  s.r = m->rebatch;
  for (int i = 0; i < s.r->nedit && ok; i++)
    if (!is_done(&s.r->edit[i], i)) ok = apply(&s, &s.r->edit[i]);
  if (ok) set_shapes(&s, es->arg[0]);
  model_free(m);
  return ok;
}
