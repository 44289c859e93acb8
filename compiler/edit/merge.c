/* SPDX-License-Identifier: Apache-2.0 */
/* merge: another model behind this one, its inputs fed by values of this one.
 *
 * The other file is read by the same reader, so its weights stay where they
 * are, too. Names that both have get the other file's name in front. A named
 * size of a joined input becomes the size that is fed to it. Outputs that were
 * joined are outputs no more. The result needs one version of each operator
 * set: the older file is brought to the newer version. */
#include "steps.h"
#include <string.h>

typedef struct {
  Edit *e;
  ModelProto *to, *from; /* this model, the other one */
  const char *prefix;    /* "head/" */
  Map join;              /* input of the other -> value of this one */
} Joining;

/* The other file, by the same Pb: runs know their own memory. */
ModelProto *edit_read(Edit *e, const char *path)
{
  const char *why = NULL;
  const FileMap *f = file_map(e->im, path, &why);
  if (!f) {
    edit_fail(e, EXIT_USAGE, "%s can't be read: %s", Q(e, path), why);
    return NULL;
  }
  const uint8_t *p = e->pb->p;
  size_t n = e->pb->n;
  e->pb->p = f->p;
  e->pb->n = f->n;
  const ProtobufCMessage *msg = pb_read(e->pb, &onnx__model_proto__descriptor);
  e->pb->p = p;
  e->pb->n = n;
  ModelProto *mp = (ModelProto *)(uintptr_t)msg; /* ours to change */
  if (mp && mp->graph) {
    ModelProto *was = e->mp;
    e->mp = mp;
    names_fill(e);
    e->mp = was;
    return mp;
  }
  edit_fail(e, EXIT_MODEL, "%s is no ONNX model", Q(e, path));
  return NULL;
}

/* "head/" of "models/head.onnx". */
static const char *prefix_of(Edit *e, const char *path)
{
  const char *slash = strrchr(path, '/');
  const char *file = slash ? slash + 1 : path, *dot = strrchr(file, '.');
  size_t n = dot && dot != file ? (size_t)(dot - file) : strlen(file);
  return arena_printf(e->a, "%.*s/", (int)n, file);
}

static ValueInfoProto *input_of(const GraphProto *g, const char *name)
{
  for (size_t i = 0; i < g->n_input; i++)
    if (!strcmp(g->input[i]->name, name)) return g->input[i];
  return NULL;
}

static const char *inputs_text(Edit *e, const GraphProto *g)
{
  const char *s = "";
  for (size_t i = 0; i < g->n_input; i++)
    s = arena_printf(e->a, "%s%s%s", s, i ? ", " : "",
                     Q(e, g->input[i]->name));
  return s;
}

/* OUT=IN: the left part is a value of this model, the right one an input. */
static bool add_join(Joining *x, const Index *here, const char *pair)
{
  Edit *e = x->e;
  const char *eq = strchr(pair, '=');
  for (; eq; eq = strchr(eq + 1, '=')) {
    const char *out = arena_strn(e->a, pair, (size_t)(eq - pair));
    if (!index_get(here, out)) continue;
    if (!input_of(x->from->graph, eq + 1))
      return edit_fail(e, EXIT_USAGE, "%s is no input of the other model, "
                       "whose inputs are: %s", Q(e, eq + 1),
                       inputs_text(e, x->from->graph));
    *map_at(&x->join, eq + 1, strlen(eq + 1)) = edit_str(e, out);
    return true;
  }
  return edit_fail(e, EXIT_USAGE, "%s is not OUT=IN with a value of this model "
                   "as OUT and an input of the other one as IN", Q(e, pair));
}

static int32_t element(const ValueInfoProto *v)
{
  return v && v->type && v->type->tensor_type ? v->type->tensor_type->elem_type
                                              : 0;
}

/* --- Names ---------------------------------------------------------------- */

static void rename_other(Joining *x)
{
  Edit *e = x->e;
  GraphProto *g = x->from->graph;
  Map here, made, to;
  names_count(e, &here);
  map_init(&made, e->a);
  map_init(&to, e->a);
  names_of_graph(e, g, &made);
  for (int i = 0; i < made.n; i++) {
    const char *name = made.slot[i].key;
    size_t n = made.slot[i].len;
    char *join = map_get(&x->join, name, n);
    if (join) *map_at(&to, name, n) = join;
    else if (map_get(&here, name, n))
      *map_at(&to, name, n) =
        edit_str(e, edit_fresh(e, arena_printf(e->a, "%s%s", x->prefix, name)));
  }
  names_change_graph(e, g, &to);
}

static void node_names(Edit *e, Map *names, const GraphProto *g)
{
  for (size_t i = 0; i < g->n_node; i++)
    if (g->node[i]->name && *g->node[i]->name)
      *map_at(names, g->node[i]->name, strlen(g->node[i]->name)) = e;
}

static void rename_nodes(Joining *x)
{
  Map names;
  GraphProto *g = x->from->graph;
  map_init(&names, x->e->a);
  node_names(x->e, &names, x->to->graph);
  for (size_t i = 0; i < g->n_node; i++) {
    const char *s = g->node[i]->name;
    if (s && *s && map_get(&names, s, strlen(s)))
      g->node[i]->name = arena_printf(x->e->a, "%s%s", x->prefix, s);
  }
}

/* --- Sizes ---------------------------------------------------------------- */

typedef Onnx__TensorShapeProto Shape;
typedef Onnx__TensorShapeProto__Dimension DimProto;
#define PARAM ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM

static Shape *shape_of(const ValueInfoProto *v)
{
  return v && v->type && v->type->value_case ==
           ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? v->type->tensor_type->shape
                                               : NULL;
}

static void same_size(ValueInfoProto **v, size_t n, const char *name,
                      const DimProto *by)
{
  for (size_t i = 0; i < n; i++) {
    Shape *s = shape_of(v[i]);
    for (size_t k = 0; s && k < s->n_dim; k++)
      if (s->dim[k]->value_case == PARAM && s->dim[k] != by &&
          s->dim[k]->dim_param && !strcmp(s->dim[k]->dim_param, name))
        *s->dim[k] = *by;
  }
}

/* The other model's name of a size gives way to what is fed there. */
static void join_sizes(Joining *x, const ValueInfoProto *from,
                       const ValueInfoProto *in)
{
  const Shape *a = shape_of(from), *b = shape_of(in);
  GraphProto *g = x->from->graph;
  for (size_t k = 0; a && b && a->n_dim == b->n_dim && k < a->n_dim; k++) {
    if (b->dim[k]->value_case != PARAM || !a->dim[k]->value_case) continue;
    const char *name = edit_str(x->e, b->dim[k]->dim_param);
    same_size(g->input, g->n_input, name, a->dim[k]);
    same_size(g->output, g->n_output, name, a->dim[k]);
    same_size(g->value_info, g->n_value_info, name, a->dim[k]);
  }
}

static bool check_joins(Joining *x)
{
  Edit *e = x->e;
  Body *here = edit_main(e);
  for (int i = 0; i < x->join.n; i++) {
    const char *to = x->join.slot[i].key, *from = x->join.slot[i].value;
    const ValueInfoProto *a = body_info(here, from);
    const ValueInfoProto *b = input_of(x->from->graph, to);
    if (element(a) && element(b) && element(a) != element(b))
      return edit_fail(e, EXIT_USAGE, "%s is of type %s, and input %s of type "
                       "%s; insert a Cast first", Q(e, from),
                       dtype_info((Dtype)element(a))->onnx, Q(e, to),
                       dtype_info((Dtype)element(b))->onnx);
    join_sizes(x, a, b);
  }
  return true;
}

/* --- Operator sets and functions ------------------------------------------ */

/* The step to-opset on one of the two. */
static bool raise_opset(Edit *e, ModelProto *mp, const char *domain,
                        int64_t version)
{
  ModelProto *was = e->mp;
  const char *word = arena_printf(e->a, "%s%s%lld", domain, *domain ? ":" : "",
                                  (long long)version);
  e->mp = mp;
  e->taken = NULL; /* names in use are of the other model */
  bool ok = step_to_opset(e, &(EditStep){.name = "to-opset", .arg = &word,
                                         .n = 1});
  e->mp = was;
  e->taken = NULL;
  return ok;
}

static bool join_opsets(Joining *x)
{
  Edit *e = x->e;
  for (size_t i = 0; i < x->from->n_opset_import; i++) {
    Onnx__OperatorSetIdProto *o = x->from->opset_import[i];
    const char *domain = domain_name(o->domain);
    int64_t here = edit_opset(e, edit_main(e), domain);
    bool known = !*domain || !strcmp(domain, "ai.onnx.ml");
    if (!here) LIST_ADD(e, x->to, opset_import, o);
    if (!here || here == o->version) continue;
    if (!known)
      return edit_fail(e, EXIT_UNSUPPORTED, "the models use version %lld and "
                       "%lld of operator set %s, whose versions onnx2c does "
                       "not know; make them equal by import-opset",
                       (long long)here, (long long)o->version, Q(e, domain));
    if (here < o->version ? !raise_opset(e, x->to, domain, o->version)
                          : !raise_opset(e, x->from, domain, here))
      return false;
  }
  return true;
}

static bool same_text(const char *a, const char *b)
{
  return !strcmp(a ? a : "", b ? b : "");
}

bool function_same(const FunctionProto *a, const FunctionProto *b)
{
  return same_text(a->name, b->name) && same_text(a->overload, b->overload) &&
         !strcmp(domain_name(a->domain), domain_name(b->domain));
}

static void rename_calls(Edit *e, NodeProto **n, size_t count,
                         const FunctionProto *f, char *name)
{
  GraphProto **g;
  for (size_t i = 0; i < count; i++) {
    if (same_text(n[i]->op_type, f->name) &&
        same_text(n[i]->overload, f->overload) &&
        !strcmp(domain_name(n[i]->domain), domain_name(f->domain)))
      n[i]->op_type = name;
    int k = node_graphs(e, n[i], &g);
    while (k--) rename_calls(e, g[k]->node, g[k]->n_node, f, name);
  }
}

/* One that both models have by name gets another name in the other one. */
static void join_functions(Joining *x)
{
  Edit *e = x->e;
  ModelProto *from = x->from, *to = x->to;
  size_t mine = to->n_functions;
  for (size_t i = 0; i < from->n_functions; i++) {
    FunctionProto *f = from->functions[i];
    bool twice = false;
    for (size_t k = 0; k < mine && !twice; k++)
      twice = function_same(f, to->functions[k]);
    if (twice) {
      char *name = arena_printf(e->a, "%.*s_%s", (int)strlen(x->prefix) - 1,
                                x->prefix, f->name);
      rename_calls(e, from->graph->node, from->graph->n_node, f, name);
      for (size_t k = 0; k < from->n_functions; k++)
        rename_calls(e, from->functions[k]->node, from->functions[k]->n_node,
                     f, name);
      f->name = name;
    }
    LIST_ADD(e, to, functions, f);
  }
}

/* --- The graphs ----------------------------------------------------------- */

/* Data in files beside the other model stays there: only its place is known
 * now. */
static bool place_data(Joining *x, const char *path)
{
  Edit *e = x->e;
  const char *was = e->m->path;
  bool ok = true;
  e->m->path = path;
  e->mp = x->from;
  Tensors all = edit_tensors(e);
  for (int i = 0; i < all.n && ok; i++) {
    TensorProto *t = all.t[i];
    Str raw;
    if (!tensor_is_external(t)) continue;
    ok = tensor_raw(e, t, &raw);
    if (ok) msg_set_place(e, t, FIELD_T_RAW, raw);
    t->n_external_data = 0;
    t->has_data_location = false;
  }
  e->m->path = was;
  e->mp = x->to;
  return ok;
}

static bool joined(const Joining *x, const char *name)
{
  for (int i = 0; i < x->join.n; i++)
    if (!strcmp(x->join.slot[i].value, name)) return true;
  return false;
}

static void join_graphs(Joining *x)
{
  Edit *e = x->e;
  GraphProto *to = x->to->graph, *from = x->from->graph;
  size_t k = 0;
  for (size_t i = 0; i < to->n_output; i++)
    if (!joined(x, to->output[i]->name)) to->output[k++] = to->output[i];
    else LIST_ADD(e, to, value_info, to->output[i]);
  to->n_output = k;
  for (size_t i = 0; i < from->n_input; i++)
    if (!joined(x, from->input[i]->name))
      LIST_ADD(e, to, input, from->input[i]);
  for (size_t i = 0; i < from->n_output; i++)
    LIST_ADD(e, to, output, from->output[i]);
  for (size_t i = 0; i < from->n_node; i++)
    LIST_ADD(e, to, node, from->node[i]);
  for (size_t i = 0; i < from->n_initializer; i++)
    if (!joined(x, from->initializer[i]->name)) /* its default */
      LIST_ADD(e, to, initializer, from->initializer[i]);
  for (size_t i = 0; i < from->n_sparse_initializer; i++)
    LIST_ADD(e, to, sparse_initializer, from->sparse_initializer[i]);
  for (size_t i = 0; i < from->n_value_info; i++)
    LIST_ADD(e, to, value_info, from->value_info[i]);
  for (size_t i = 0; i < from->n_quantization_annotation; i++)
    LIST_ADD(e, to, quantization_annotation, from->quantization_annotation[i]);
}

static void join_metadata(Joining *x)
{
  for (size_t i = 0; i < x->from->n_metadata_props; i++) {
    Onnx__StringStringEntryProto *p = x->from->metadata_props[i];
    bool there = false;
    for (size_t k = 0; k < x->to->n_metadata_props && !there; k++)
      there = same_text(p->key, x->to->metadata_props[k]->key);
    if (!there) LIST_ADD(x->e, x->to, metadata_props, p);
  }
}

bool step_merge(Edit *e, const EditStep *s)
{
  Joining x = {.e = e, .to = e->mp};
  const char *path = s->arg[0], *pairs = strstr(path, ".onnx:");
  int n = 0;
  const char **pair = NULL;
  if (pairs) {
    path = arena_strn(e->a, path, (size_t)(pairs - path) + strlen(".onnx"));
    pair = edit_split(e, pairs + strlen(".onnx:"), ',', &n);
  }
  names_fill(e);
  map_init(&x.join, e->a);
  x.prefix = prefix_of(e, path);
  x.from = edit_read(e, path);
  if (!x.from || !place_data(&x, path)) return false;
  const Index *here = body_index(e, edit_main(e));
  for (int i = 0; i < n; i++)
    if (!add_join(&x, here, pair[i])) return false;
  for (int i = 1; i < s->n; i++)
    if (!add_join(&x, here, s->arg[i])) return false;
  if (!check_joins(&x) || !join_opsets(&x)) return false;
  rename_other(&x);
  rename_nodes(&x);
  join_functions(&x);
  join_graphs(&x);
  join_metadata(&x);
  if (x.from->ir_version > e->mp->ir_version)
    e->mp->ir_version = x.from->ir_version;
  return true;
}
