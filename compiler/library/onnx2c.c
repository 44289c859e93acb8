/* SPDX-License-Identifier: Apache-2.0 */
/* The library is the edit layer behind handles: a node is a NodeProto, a graph
 * a Body. Each call that allocates is an edge: running out of memory comes
 * back to it. */
#include "onnx2c.h"
#include "edit/attrs.h"
#include "target.h"
#include <stdlib.h>
#include <string.h>

struct onnx2c_model {
  Edit *e;
  Options opt;
  bool dead;             /* no memory: nothing more is done */
};
/* Everything of a call that fails by lack of memory goes through here. */
#define EDGE(m) \
  do { \
    if ((m)->dead || MODEL_EDGE((m)->e->m)) return no_memory(m); \
  } while (0)

static onnx2c_status no_memory(onnx2c_model *m)
{
  m->dead = true;
  m->e->m->arena.panic = NULL;
  return ONNX2C_NO_MEMORY;
}

/* What a call returns: fine, or what the errors since `before` are. */
static onnx2c_status result(onnx2c_model *m, int before)
{
  const Model *model = m->e->m;
  if (model->nerror == before) return ONNX2C_OK;
  return (onnx2c_status)diag_worst(model);
}

static NodeProto *proto(const onnx2c_node *n)
{
  return (NodeProto *)(uintptr_t)n;
}

static onnx2c_node *handle(NodeProto *n)
{
  return (onnx2c_node *)n;
}

static Body *body(const onnx2c_graph *g)
{
  return (Body *)(uintptr_t)g;
}

/* --- Models --------------------------------------------------------------- */

const char *onnx2c_library_version(void)
{
  return onnx2c_version();
}

onnx2c_model *onnx2c_load(const char *path)
{
  onnx2c_model *m = calloc(1, sizeof *m);
  if (!m) return NULL;
  options_default(&m->opt);
  m->e = edit_open(&m->opt, path);
  if (m->e) return m;
  free(m);
  return NULL;
}

static void make_model(Edit *e, const char *name, int opset)
{
  ModelProto *mp = NEW(e->a, ModelProto, 1);
  onnx__model_proto__init(mp);
  mp->has_ir_version = true;
  mp->ir_version = opset >= 19 ? 9 : 8;
  mp->producer_name = edit_str(e, "onnx2c");
  mp->graph = NEW(e->a, GraphProto, 1);
  onnx__graph_proto__init(mp->graph);
  mp->graph->name = edit_str(e, name);
  Onnx__OperatorSetIdProto *o = NEW(e->a, Onnx__OperatorSetIdProto, 1);
  onnx__operator_set_id_proto__init(o);
  o->domain = edit_str(e, "");
  o->has_version = true;
  o->version = opset;
  LIST_ADD(e, mp, opset_import, o);
  e->mp = mp;
}

static onnx2c_status fill_model(onnx2c_model *m, const char *name, int opset)
{
  EDGE(m);
  make_model(m->e, name, opset);
  return ONNX2C_OK;
}

onnx2c_model *onnx2c_new(const char *name, int opset)
{
  onnx2c_model *m = calloc(1, sizeof *m);
  if (!m) return NULL;
  options_default(&m->opt);
  m->e = edit_open(&m->opt, NULL);
  if (m->e) {
    fill_model(m, name, opset);
    return m;
  }
  free(m);
  return NULL;
}

void onnx2c_free(onnx2c_model *m)
{
  if (!m) return;
  edit_free(m->e);
  free(m);
}

onnx2c_status onnx2c_state(const onnx2c_model *m)
{
  return m->dead ? ONNX2C_NO_MEMORY : (onnx2c_status)diag_worst(m->e->m);
}

const char *onnx2c_message(const onnx2c_model *m, int i)
{
  const Diag *d = m->e->m->diags;
  while (d && i-- > 0) d = d->next;
  return d ? d->text : NULL;
}

void onnx2c_forget(onnx2c_model *m)
{
  Model *model = m->e->m;
  model->diags = model->diag_last = NULL;
  model->nerror = model->nwarning = 0;
}

onnx2c_status onnx2c_save(onnx2c_model *m, const char *path)
{
  EDGE(m);
  if (m->e->m->nerror) return (onnx2c_status)diag_worst(m->e->m);
  edit_save(m->e, path);
  return result(m, 0);
}

/* The diagnostics of a compile are those of another Model. */
static void take_messages(Edit *e, const Model *from)
{
  for (const Diag *d = from->diags; d; d = d->next) {
    const char *text = strchr(d->text, ' ');
    diag_model(e->m, d->sev, d->code, "%s", text ? text + 1 : d->text);
  }
}

static bool compile_options(Edit *e, const char *path, const char *options,
                            Options *o)
{
  int n;
  const char **word = edit_words(e, options ? options : "", &n);
  if (!word) return false;
  char **argv = NEW(e->a, char *, n + 6);
  int argc = 0;
  argv[argc++] = edit_str(e, "onnx2c");
  argv[argc++] = edit_str(e, "compile");
  argv[argc++] = edit_str(e, "model");
  argv[argc++] = edit_str(e, "-o");
  argv[argc++] = edit_str(e, path);
  for (int i = 0; i < n; i++) argv[argc++] = edit_str(e, word[i]);
  size_t len = strlen(path);
  if (len < 3 || strcmp(path + len - 2, ".c") != 0)
    return edit_fail(e, EXIT_USAGE, "%s must end in .c", Q(e, path));
  if (!options_parse(o, e->a, argc, argv) || o->print)
    return edit_fail(e, EXIT_USAGE, "%s are no options of a compile",
                     Q(e, options));
  return !o->make_batch ||
         edit_fail(e, EXIT_USAGE, "--make-batch is the step set-batch here");
}

onnx2c_status onnx2c_compile(onnx2c_model *m, const char *path,
                             const char *options)
{
  EDGE(m);
  Edit *e = m->e;
  int before = e->m->nerror;
  Options *o = NEW(e->a, Options, 1);
  if (!compile_options(e, path, options, o)) return result(m, before);
  Model *c = import_message(o, e->m->path, e->pb, e->mp);
  e->typed = arena_grow(e->a, e->typed, e->ntyped, sizeof *e->typed);
  e->typed[e->ntyped++] = c; /* freed with the Edit */
  edit_sha256(e, c->sha256);
  compile_imported(c);
  take_messages(e, c);
  return result(m, before);
}

onnx2c_status onnx2c_step(onnx2c_model *m, const char *step)
{
  EDGE(m);
  int n, before = m->e->m->nerror;
  const char **word = edit_words(m->e, step, &n);
  if (word && n) edit_step(m->e, word, n);
  else if (word) edit_fail(m->e, EXIT_USAGE, "the step is empty");
  m->e->step = NULL;
  return result(m, before);
}

/* --- Walking -------------------------------------------------------------- */

static onnx2c_status list_graphs(onnx2c_model *m, onnx2c_graph *const **list,
                                 size_t *count)
{
  EDGE(m);
  int n;
  Body *all = edit_bodies(m->e, &n);
  onnx2c_graph **g = NEW(m->e->a, onnx2c_graph *, n);
  for (int i = 0; i < n; i++) g[i] = (onnx2c_graph *)&all[i];
  *list = g;
  *count = (size_t)n;
  return ONNX2C_OK;
}

size_t onnx2c_graphs(onnx2c_model *m, onnx2c_graph *const **list)
{
  size_t n = 0;
  *list = NULL;
  if (m->e->mp && m->e->mp->graph) list_graphs(m, list, &n);
  return n;
}

onnx2c_graph *onnx2c_main(onnx2c_model *m)
{
  onnx2c_graph *const *list;
  return onnx2c_graphs(m, &list) ? list[0] : NULL;
}

const char *onnx2c_graph_name(const onnx2c_graph *g)
{
  const Body *b = body(g);
  const char *s = b->g ? b->g->name : b->f->name;
  return s ? s : "";
}

onnx2c_node *onnx2c_graph_holder(const onnx2c_graph *g)
{
  return handle(body(g)->holder);
}

size_t onnx2c_node_count(const onnx2c_graph *g)
{
  return body_count(body(g));
}

onnx2c_node *onnx2c_node_at(const onnx2c_graph *g, size_t i)
{
  return i < body_count(body(g)) ? handle(body_node(body(g), i)) : NULL;
}

onnx2c_node *onnx2c_producer(const onnx2c_graph *g, const char *tensor)
{
  for (size_t i = 0; *tensor && i < body_count(body(g)); i++) {
    NodeProto *n = body_node(body(g), i);
    for (size_t k = 0; k < n->n_output; k++)
      if (!strcmp(n->output[k], tensor)) return handle(n);
  }
  return NULL;
}

onnx2c_node *onnx2c_find_node(const onnx2c_graph *g, const char *name)
{
  for (size_t i = 0; *name && i < body_count(body(g)); i++) {
    NodeProto *n = body_node(body(g), i);
    if (n->name && !strcmp(n->name, name)) return handle(n);
  }
  return onnx2c_producer(g, name);
}

onnx2c_node *onnx2c_consumer(const onnx2c_graph *g, const char *tensor,
                             size_t i)
{
  for (size_t j = 0; j < body_count(body(g)); j++) {
    NodeProto *n = body_node(body(g), j);
    bool reads = false;
    for (size_t k = 0; k < n->n_input; k++)
      reads |= !strcmp(n->input[k], tensor);
    if (reads && !i--) return handle(n);
  }
  return NULL;
}

const char *onnx2c_node_name(const onnx2c_node *n)
{
  return proto(n)->name ? proto(n)->name : "";
}

const char *onnx2c_node_op(const onnx2c_node *n)
{
  return proto(n)->op_type ? proto(n)->op_type : "";
}

const char *onnx2c_node_domain(const onnx2c_node *n)
{
  return domain_name(proto(n)->domain);
}

size_t onnx2c_input_count(const onnx2c_node *n)
{
  return proto(n)->n_input;
}

size_t onnx2c_output_count(const onnx2c_node *n)
{
  return proto(n)->n_output;
}

const char *onnx2c_input(const onnx2c_node *n, size_t i)
{
  return i < proto(n)->n_input ? proto(n)->input[i] : NULL;
}

const char *onnx2c_output(const onnx2c_node *n, size_t i)
{
  return i < proto(n)->n_output ? proto(n)->output[i] : NULL;
}

size_t onnx2c_attr_count(const onnx2c_node *n)
{
  return proto(n)->n_attribute;
}

const char *onnx2c_attr_name(const onnx2c_node *n, size_t i)
{
  if (i >= proto(n)->n_attribute) return NULL;
  const char *s = proto(n)->attribute[i]->name;
  return s ? s : "";
}

onnx2c_status onnx2c_attr_int(const onnx2c_node *n, const char *name,
                              int64_t *v)
{
  const AttributeProto *a = node_attr(proto(n), name);
  if (!a || !a->has_i) return ONNX2C_USAGE;
  *v = a->i;
  return ONNX2C_OK;
}

onnx2c_status onnx2c_attr_float(const onnx2c_node *n, const char *name,
                                float *v)
{
  const AttributeProto *a = node_attr(proto(n), name);
  if (!a || !a->has_f) return ONNX2C_USAGE;
  *v = a->f;
  return ONNX2C_OK;
}

onnx2c_status onnx2c_attr_ints(onnx2c_model *m, const onnx2c_node *n,
                               const char *name, const int64_t **v,
                               size_t *count)
{
  EDGE(m);
  const AttributeProto *a = node_attr(proto(n), name);
  if (!a || (a->has_type &&
             a->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS))
    return ONNX2C_USAGE;
  *v = msg_ints(m->e, a, FIELD_A_INTS, count);
  return ONNX2C_OK;
}

onnx2c_status onnx2c_attr_text(onnx2c_model *m, const onnx2c_node *n,
                               const char *name, const char **v)
{
  EDGE(m);
  const AttributeProto *a = node_attr(proto(n), name);
  if (!a || (a->has_type &&
             a->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING))
    return ONNX2C_USAGE;
  *v = msg_text(m->e, a, FIELD_A_S);
  return ONNX2C_OK;
}

static const char *info_name(ValueInfoProto **v, size_t n, size_t i)
{
  if (i >= n) return NULL;
  return v[i]->name ? v[i]->name : "";
}

const char *onnx2c_graph_input(const onnx2c_graph *g, size_t i)
{
  const Body *b = body(g);
  if (b->g) return info_name(b->g->input, b->g->n_input, i);
  return i < b->f->n_input ? b->f->input[i] : NULL;
}

const char *onnx2c_graph_output(const onnx2c_graph *g, size_t i)
{
  const Body *b = body(g);
  if (b->g) return info_name(b->g->output, b->g->n_output, i);
  return i < b->f->n_output ? b->f->output[i] : NULL;
}

static TensorProto *find_initializer(const Body *b, const char *name)
{
  for (size_t i = 0; b->g && i < b->g->n_initializer; i++) {
    TensorProto *t = b->g->initializer[i];
    if (t->name && !strcmp(t->name, name)) return t;
  }
  return NULL;
}

const char *onnx2c_initializer(const onnx2c_graph *g, size_t i)
{
  const Body *b = body(g);
  if (!b->g || i >= b->g->n_initializer) return NULL;
  const char *s = b->g->initializer[i]->name;
  return s ? s : "";
}

static void type_dims(const Onnx__TensorShapeProto *shape, onnx2c_type *type)
{
  for (size_t k = 0; k < shape->n_dim && k < ONNX2C_MAX_RANK; k++) {
    const Onnx__TensorShapeProto__Dimension *d = shape->dim[k];
    type->dim[k] = -1;
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
      type->dim[k] = d->dim_value;
    if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
      type->symbol[k] = d->dim_param;
  }
  type->rank = (int)shape->n_dim;
}

onnx2c_status onnx2c_tensor_type(onnx2c_model *m, const char *tensor,
                                 onnx2c_type *type)
{
  EDGE(m);
  memset(type, 0, sizeof *type);
  type->rank = -1;
  m->e->now = NULL; /* the model may have changed since */
  const ValueInfoProto *v = edit_value_info(m->e, tensor);
  arena_free(&m->e->scratch);
  if (!v || !v->type ||
      v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
    return ONNX2C_USAGE;
  const Onnx__TypeProto__Tensor *t = v->type->tensor_type;
  type->type = t->elem_type;
  if (t->shape && t->shape->n_dim <= ONNX2C_MAX_RANK)
    type_dims(t->shape, type);
  return ONNX2C_OK;
}

onnx2c_status onnx2c_tensor_data(onnx2c_model *m, const onnx2c_graph *g,
                                 const char *tensor, const void **data,
                                 size_t *size)
{
  EDGE(m);
  int before = m->e->m->nerror;
  TensorProto *t = find_initializer(body(g), tensor);
  Str raw = {"", 0};
  if (!t) edit_fail(m->e, EXIT_USAGE, "%s is no initializer", Q(m->e, tensor));
  else tensor_raw(m->e, t, &raw);
  *data = raw.p;
  *size = raw.n;
  return result(m, before);
}

/* --- Changing ------------------------------------------------------------- */

static onnx2c_status make_node(onnx2c_model *m, const char *op,
                               const char *domain, const char *name,
                               NodeProto **n)
{
  EDGE(m);
  *n = edit_node(m->e, op, domain);
  if (name && *name) (*n)->name = edit_str(m->e, name);
  return ONNX2C_OK;
}

onnx2c_node *onnx2c_node_new(onnx2c_model *m, const char *op,
                             const char *domain, const char *name)
{
  NodeProto *n = NULL;
  make_node(m, op, domain, name, &n);
  return handle(n);
}

onnx2c_status onnx2c_node_add_input(onnx2c_model *m, onnx2c_node *n,
                                    const char *tensor)
{
  EDGE(m);
  node_add_input(m->e, proto(n), tensor);
  return ONNX2C_OK;
}

onnx2c_status onnx2c_node_add_output(onnx2c_model *m, onnx2c_node *n,
                                     const char *tensor)
{
  EDGE(m);
  node_add_output(m->e, proto(n), tensor);
  return ONNX2C_OK;
}

onnx2c_status onnx2c_node_set_input(onnx2c_model *m, onnx2c_node *n, size_t i,
                                    const char *tensor)
{
  EDGE(m);
  if (i >= proto(n)->n_input) return ONNX2C_USAGE;
  proto(n)->input[i] = edit_str(m->e, tensor);
  return ONNX2C_OK;
}

onnx2c_status onnx2c_node_set_int(onnx2c_model *m, onnx2c_node *n,
                                  const char *name, int64_t v)
{
  EDGE(m);
  node_attr_int(m->e, proto(n), name, v);
  return ONNX2C_OK;
}

onnx2c_status onnx2c_node_set_float(onnx2c_model *m, onnx2c_node *n,
                                    const char *name, float v)
{
  EDGE(m);
  node_attr_float(m->e, proto(n), name, v);
  return ONNX2C_OK;
}

onnx2c_status onnx2c_node_set_text(onnx2c_model *m, onnx2c_node *n,
                                   const char *name, const char *v)
{
  EDGE(m);
  node_attr_str(m->e, proto(n), name, v);
  return ONNX2C_OK;
}

onnx2c_status onnx2c_node_set_ints(onnx2c_model *m, onnx2c_node *n,
                                   const char *name, const int64_t *v,
                                   size_t count)
{
  EDGE(m);
  node_attr_ints(m->e, proto(n), name, v, count);
  return ONNX2C_OK;
}

onnx2c_status onnx2c_node_insert(onnx2c_model *m, onnx2c_graph *g, size_t at,
                                 onnx2c_node *n)
{
  EDGE(m);
  if (at > body_count(body(g))) return ONNX2C_USAGE;
  const char *domain = proto(n)->domain;
  domain_import(m->e, body(g), domain ? domain : "");
  body_insert(m->e, body(g), at, proto(n));
  return ONNX2C_OK;
}

onnx2c_status onnx2c_node_remove(onnx2c_model *m, onnx2c_graph *g,
                                 onnx2c_node *n)
{
  EDGE(m);
  size_t at = body_find(body(g), proto(n));
  if (at == SIZE_MAX) return ONNX2C_USAGE;
  body_remove(body(g), at);
  return ONNX2C_OK;
}

size_t onnx2c_node_place(const onnx2c_graph *g, const onnx2c_node *n)
{
  return body_find(body(g), proto(n));
}

onnx2c_status onnx2c_redirect(onnx2c_model *m, onnx2c_graph *g,
                              const char *from, const char *to,
                              const onnx2c_node *except)
{
  EDGE(m);
  body_redirect(m->e, body(g), from, to, proto(except));
  arena_free(&m->e->scratch);
  return ONNX2C_OK;
}

static onnx2c_status make_name(onnx2c_model *m, const char *hint,
                               const char **name)
{
  EDGE(m);
  m->e->taken = NULL;
  *name = edit_str(m->e, edit_fresh(m->e, hint));
  m->e->taken = NULL;
  arena_free(&m->e->scratch);
  return ONNX2C_OK;
}

const char *onnx2c_fresh_name(onnx2c_model *m, const char *hint)
{
  const char *name = NULL;
  make_name(m, hint, &name);
  return name;
}

/* The steps of that name, so that a tensor of the graph may be meant. */
static onnx2c_status port_step(onnx2c_model *m, const char *step,
                               const char *name, const char *type)
{
  EDGE(m);
  int before = m->e->m->nerror;
  const char *word[2] = {step, name};
  if (type) word[1] = arena_printf(m->e->a, "%s=%s", name, type);
  edit_step(m->e, word, 2);
  m->e->step = NULL;
  return result(m, before);
}

onnx2c_status onnx2c_add_input(onnx2c_model *m, const char *name,
                               const char *type)
{
  return port_step(m, "add-input", name, type);
}

onnx2c_status onnx2c_add_output(onnx2c_model *m, const char *name,
                                const char *type)
{
  return port_step(m, "add-output", name, type);
}

onnx2c_status onnx2c_set_initializer(onnx2c_model *m, const char *name,
                                     int type, int rank, const int64_t *dim,
                                     const void *data)
{
  EDGE(m);
  Edit *e = m->e;
  int64_t n = 1;
  if (type <= 0 || type >= DT_COUNT || type == DT_STR || rank < 0 ||
      rank > ONNX2C_MAX_RANK)
    return ONNX2C_USAGE;
  for (int k = 0; k < rank; k++) {
    if (dim[k] < 0 || (dim[k] && n > INT64_MAX / 128 / dim[k]))
      return ONNX2C_USAGE;
    n *= dim[k];
  }
  size_t size = ((size_t)n * (size_t)dtype_info((Dtype)type)->bits + 7) / 8;
  TensorProto *t = tensor_make(e, name, (Dtype)type, rank, dim, data, size);
  GraphProto *g = e->mp->graph;
  for (size_t i = 0; i < g->n_initializer; i++)
    if (g->initializer[i]->name && !strcmp(g->initializer[i]->name, name)) {
      g->initializer[i] = t;
      return ONNX2C_OK;
    }
  LIST_ADD(e, g, initializer, t);
  return ONNX2C_OK;
}
