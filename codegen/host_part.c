/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a model, for onnx2c reduce.
 *
 * A part is some of the main graph's nodes. What they read and none of them
 * makes is what it was, where that is an input or a weight of the model; else
 * it becomes a weight where its content is known, or an input of the type and
 * shape that inference tells. What nothing reads is an output. The messages are
 * those of the file: a part takes other lists of them. */
#include "host_reduce.h"
#include <string.h>

static PartName *name_of(Whole *w, const char *name)
{
  void **slot = map_at(&w->names, name, strlen(name));
  if (!*slot) {
    PartName *x = NEW(w->e->a, PartName, 1);
    x->name = edit_str(w->e, name);
    x->maker = -1;
    slot = map_at(&w->names, name, strlen(name));
    *slot = x;
  }
  return *slot;
}

/* --- What nodes read ------------------------------------------------------ */

typedef struct Inner {
  struct Inner *up;
  Map made;
} Inner;

static bool made_inside(const Inner *s, const char *name)
{
  for (; s; s = s->up)
    if (map_get(&s->made, name, strlen(name))) return true;
  return false;
}

static void add_read(Whole *w, PartNode *p, const char *name, bool inner)
{
  if (!name || !*name) return;
  for (int i = 0; i < p->nread; i++)
    if (!strcmp(p->read[i], name)) return;
  p->read = arena_grow(w->e->a, p->read, p->nread, sizeof *p->read);
  p->read[p->nread++] = name;
  p->inner |= inner;
}

static void make(Inner *s, char *name)
{
  if (name) *map_at(&s->made, name, strlen(name)) = s;
}

static void read_inner(Whole *w, PartNode *p, const GraphProto *g, Inner *up)
{
  Inner s = {.up = up};
  map_init(&s.made, w->e->a);
  for (size_t i = 0; i < g->n_input; i++) make(&s, g->input[i]->name);
  for (size_t i = 0; i < g->n_initializer; i++)
    make(&s, g->initializer[i]->name);
  for (size_t i = 0; i < g->n_sparse_initializer; i++)
    if (g->sparse_initializer[i]->values)
      make(&s, g->sparse_initializer[i]->values->name);
  for (size_t i = 0; i < g->n_node; i++)
    for (size_t k = 0; k < g->node[i]->n_output; k++)
      make(&s, g->node[i]->output[k]);
  for (size_t i = 0; i < g->n_node; i++) {
    const NodeProto *n = g->node[i];
    GraphProto **in;
    for (size_t k = 0; k < n->n_input; k++)
      if (!made_inside(&s, n->input[k])) add_read(w, p, n->input[k], true);
    int count = node_graphs(w->e, n, &in);
    for (int k = 0; k < count; k++) read_inner(w, p, in[k], &s);
  }
  for (size_t i = 0; i < g->n_output; i++)
    if (g->output[i]->name && !made_inside(&s, g->output[i]->name))
      add_read(w, p, g->output[i]->name, true);
}

static void read_node(Whole *w, PartNode *p)
{
  GraphProto **g;
  for (size_t k = 0; k < p->n->n_input; k++)
    add_read(w, p, p->n->input[k], false);
  int count = node_graphs(w->e, p->n, &g);
  for (int k = 0; k < count; k++) read_inner(w, p, g[k], NULL);
}

/* --- The whole ------------------------------------------------------------ */

static bool ready(Whole *w, const PartNode *p, const bool *done)
{
  for (int k = 0; k < p->nread; k++) {
    int maker = name_of(w, p->read[k])->maker;
    if (maker >= 0 && !done[maker]) return false;
  }
  return true;
}

/* Files may list nodes in any order. What waits for itself stays behind. */
static void sort_nodes(Whole *w)
{
  PartNode *sorted = NEW(w->e->a, PartNode, w->n + 1);
  bool *done = NEW(w->e->a, bool, w->n + 1);
  int n = 0;
  for (bool more = true; more;) {
    more = false;
    for (int i = 0; i < w->n; i++) {
      if (done[i] || !ready(w, &w->node[i], done)) continue;
      done[i] = more = true;
      sorted[n++] = w->node[i];
    }
  }
  for (int i = 0; i < w->n; i++)
    if (!done[i]) sorted[n++] = w->node[i];
  w->node = sorted;
}

static void number_makers(Whole *w)
{
  for (int i = 0; i < w->n; i++)
    for (size_t k = 0; k < w->node[i].n->n_output; k++)
      if (*w->node[i].n->output[k])
        name_of(w, w->node[i].n->output[k])->maker = i;
}

static void read_names(Whole *w)
{
  GraphProto *g = w->e->mp->graph;
  for (size_t i = 0; i < g->n_input; i++)
    if (g->input[i]->name) name_of(w, g->input[i]->name)->input = g->input[i];
  for (size_t i = 0; i < g->n_initializer; i++)
    if (g->initializer[i]->name)
      name_of(w, g->initializer[i]->name)->init = g->initializer[i];
  for (size_t i = 0; i < g->n_sparse_initializer; i++) {
    Onnx__SparseTensorProto *s = g->sparse_initializer[i];
    if (s->values && s->values->name) name_of(w, s->values->name)->sparse = s;
  }
  for (size_t i = 0; i < g->n_output; i++)
    if (g->output[i]->name) {
      PartName *x = name_of(w, g->output[i]->name);
      x->output = g->output[i];
      x->wanted = true;
    }
  for (int i = 0; i < w->n; i++)
    for (int k = 0; k < w->node[i].nread; k++)
      name_of(w, w->node[i].read[k])->wanted = true;
}

/* --- Types ---------------------------------------------------------------- */

static ValueInfoProto *info_of(Whole *w, const char *name, const Value *v)
{
  const char *dim[MAX_RANK];
  DimPool *d = &w->inferred->dims;
  int64_t size;
  if (v->kind != VK_TENSOR || v->bad || v->dtype == DT_NONE || v->rank < 0)
    return NULL;
  for (int i = 0; i < v->rank; i++) {
    int s = dim_symbol(v->dim[i]);
    dim[i] = dim_is_int(v->dim[i], &size)
        ? arena_printf(w->e->a, "%lld", (long long)size)
        : arena_str(w->e->a, s >= 0 ? d->sym[s].name
                                    : dim_text(d, v->dim[i]));
  }
  return edit_info(w->e, name, v->dtype, v->rank, dim);
}

static void take_value(Whole *w, const char *name, const Value *v)
{
  PartName *x = map_get(&w->names, name, strlen(name));
  if (!x || x->maker < 0) return;
  if (!x->info) x->info = info_of(w, name, v);
  if (v->data && v->data->kind == VK_TENSOR && v->data->dtype != DT_STR &&
      v->kind == VK_TENSOR)
    x->data = v->data;
}

typedef struct { const char *name; Value *v; } Known;

/* The file's values by id, and those that took their place in inference. */
static Known *file_values(Model *m)
{
  Known *all = NEW(&m->arena, Known, m->nfile + 1);
  for (Node *n = m->main->first; n; n = n->next)
    for (int i = 0; i < n->nout; i++)
      if (n->out[i]) all[n->out[i]->id] = (Known){n->out[i]->name, n->out[i]};
  return all;
}

static void take_types(Whole *w)
{
  Model *m = w->inferred;
  Known *all = file_values(m);
  schema_check(m->main);
  infer_graph(m->main);
  for (Node *n = m->main->first; n; n = n->next)
    for (int i = 0; i < n->nout; i++) {
      Same s;
      if (n->out[i] && value_same(n->out[i], &s) && !s.perm && all[s.id].name)
        all[s.id].v = n->out[i];
    }
  if (!m->nerror) pass_fold(m->main);
  for (int i = 0; i < m->nfile; i++)
    if (all[i].name) take_value(w, all[i].name, all[i].v);
}

bool whole_open(Whole *w, const Options *opt, const char *path)
{
  Edit *e = w->e;
  GraphProto *g = e->mp->graph;
  map_init(&w->names, e->a);
  w->n = (int)g->n_node;
  w->input = g->input;
  w->ninput = g->n_input;
  w->node = NEW(e->a, PartNode, w->n + 1);
  for (int i = 0; i < w->n; i++) {
    w->node[i].n = g->node[i];
    read_node(w, &w->node[i]);
  }
  number_makers(w);
  sort_nodes(w);
  number_makers(w);
  read_names(w);
  if (!edit_internalize(e)) return false;
  Model *m = w->inferred = import_file(opt, path);
  if (MODEL_EDGE(m)) m->panic_text = NULL;
  else if (!m->nerror) take_types(w);
  m->arena.panic = NULL;
  return true;
}

void whole_close(Whole *w)
{
  if (w->inferred) model_free(w->inferred);
}

/* --- Cuts ----------------------------------------------------------------- */

Subset subset_copy(const Whole *w, const Subset *c)
{
  Subset y = {NEW(w->e->a, bool, w->n + 1), NEW(w->e->a, int, w->n + 1), false};
  for (int i = 0; i < w->n; i++) {
    y.keep[i] = c ? c->keep[i] : true;
    y.by[i] = c ? c->by[i] : -1;
  }
  y.outputs = c && c->outputs;
  return y;
}

int subset_nodes(const Whole *w, const Subset *c)
{
  int n = 0;
  for (int i = 0; i < w->n; i++) n += c->keep[i];
  return n;
}

/* Through nodes whose output is their input. */
static const char *source(Whole *w, const Subset *c, const char *name)
{
  for (int k = 0; k <= w->n; k++) {
    const PartName *x = name_of(w, name);
    int i = x->maker;
    if (i < 0 || c->keep[i] || c->by[i] < 0 ||
        strcmp(w->node[i].n->output[0], name) != 0)
      return name;
    name = w->node[i].n->input[c->by[i]];
  }
  return name;
}

static bool same_type(const ValueInfoProto *a, const ValueInfoProto *b)
{
  if (!a || !b || !a->type || !b->type ||
      a->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ||
      b->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
    return false;
  const Onnx__TypeProto__Tensor *x = a->type->tensor_type,
                                *y = b->type->tensor_type;
  if (x->elem_type != y->elem_type || !x->shape || !y->shape ||
      x->shape->n_dim != y->shape->n_dim)
    return false;
  for (size_t i = 0; i < x->shape->n_dim; i++) {
    const Onnx__TensorShapeProto__Dimension *d = x->shape->dim[i],
                                            *f = y->shape->dim[i];
    if (d->value_case != f->value_case) return false;
    bool text = d->value_case ==
                ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    if (text ? strcmp(d->dim_param, f->dim_param) != 0
             : d->dim_value != f->dim_value)
      return false;
  }
  return true;
}

/* Inner graphs are not rewritten, so none may read it. */
bool subset_fits(const Whole *w, int i, int k)
{
  Whole *mine = (Whole *)(uintptr_t)w;
  const NodeProto *n = w->node[i].n;
  if ((size_t)k >= n->n_input || !*n->input[k] || !n->n_output) return false;
  const PartName *x = name_of(mine, n->input[k]);
  const PartName *y = name_of(mine, n->output[0]);
  if (!same_type(x->info ? x->info : x->input, y->info ? y->info : y->output))
    return false;
  for (int j = 0; j < w->n; j++)
    for (int r = 0; w->node[j].inner && r < w->node[j].nread; r++)
      if (!strcmp(w->node[j].read[r], y->name)) return false;
  return true;
}

/* --- A part --------------------------------------------------------------- */

typedef struct {
  Whole *w;
  const Subset *c;
  GraphProto *g;
  bool ok;
} Part;

static void take_in(Part *p, PartName *x)
{
  Edit *e = p->w->e;
  GraphProto *g = p->g;
  if (x->mark == p->w->serial || (x->maker >= 0 && p->c->keep[x->maker]))
    return;
  x->mark = p->w->serial;
  if (x->init) LIST_ADD(e, g, initializer, x->init);
  if (x->sparse) LIST_ADD(e, g, sparse_initializer, x->sparse);
  if (x->input || x->init || x->sparse) return; /* inputs are listed later */
  if (x->data) {
    if (!x->constant) x->constant = tensor_write(e, x->name, x->data);
    LIST_ADD(e, g, initializer, x->constant);
  } else if (!x->info) {
    p->ok = false;
  }
}

/* The node, or a copy that reads what stands for its inputs. */
static NodeProto *part_node(Part *p, const PartNode *x)
{
  Edit *e = p->w->e;
  NodeProto *n = x->n;
  for (size_t k = 0; k < x->n->n_input; k++) {
    if (!*x->n->input[k]) continue;
    const char *from = source(p->w, p->c, x->n->input[k]);
    if (!strcmp(from, x->n->input[k])) continue;
    if (n == x->n) n = edit_clone(e, n);
    n->input[k] = edit_str(e, from);
  }
  return n;
}

static void put_outputs(Part *p, const NodeProto *n)
{
  Edit *e = p->w->e;
  for (size_t k = 0; k < n->n_output; k++) {
    if (!*n->output[k]) continue;
    const PartName *x = name_of(p->w, n->output[k]);
    ValueInfoProto *v = x->output ? x->output : x->info;
    if (!x->wanted || !v) continue;
    if ((p->c->outputs && x->output) || x->read != p->w->serial)
      LIST_ADD(e, p->g, output, v);
  }
}

/* Those of the model first, in their order; then what was cut. */
static void put_inputs(Part *p)
{
  Whole *w = p->w;
  for (size_t i = 0; i < w->ninput; i++)
    if (name_of(w, w->input[i]->name)->mark == w->serial)
      LIST_ADD(w->e, p->g, input, w->input[i]);
  for (int i = 0; i < w->names.n; i++) {
    PartName *x = w->names.slot[i].value;
    if (x && x->mark == w->serial && x->maker >= 0 && !x->data)
      LIST_ADD(w->e, p->g, input, x->info);
  }
}

bool subset_apply(Whole *w, const Subset *c)
{
  Edit *e = w->e;
  GraphProto *was = e->mp->graph, *g = NEW(e->a, GraphProto, 1);
  Part p = {w, c, g, true};
  onnx__graph_proto__init(g);
  g->name = was->name;
  w->serial++;
  for (int i = 0; i < w->n; i++) {
    if (!c->keep[i]) continue;
    NodeProto *n = part_node(&p, &w->node[i]);
    LIST_ADD(e, g, node, n);
    for (int k = 0; k < w->node[i].nread; k++) {
      PartName *x = name_of(w, source(w, c, w->node[i].read[k]));
      x->read = w->serial;
      take_in(&p, x);
    }
  }
  for (size_t i = 0; i < g->n_node; i++) put_outputs(&p, g->node[i]);
  put_inputs(&p);
  e->mp->graph = g;
  return p.ok && g->n_output;
}
