/* SPDX-License-Identifier: Apache-2.0 */
/* register: operators that ONNX does not define. A function, taken from another
 * model, says what a node of its name computes; its operator set comes along.
 * import-opset alone is for operators that the runtime knows. And a model that
 * begins with nothing. */
#include "steps.h"
#include <string.h>

static bool set_version(Edit *e, const char *domain, int64_t version)
{
  ModelProto *mp = e->mp;
  for (size_t i = 0; i < mp->n_opset_import; i++) {
    Onnx__OperatorSetIdProto *o = mp->opset_import[i];
    if (strcmp(domain_name(o->domain), domain_name(domain)) != 0) continue;
    if (o->version == version) return true;
    return edit_fail(e, EXIT_USAGE, "operator set %s has version %lld here, "
                     "and %lld there; make them equal by import-opset",
                     Q(e, domain), (long long)o->version, (long long)version);
  }
  return model_import_opset(e, domain, version);
}

static bool has_function(const Edit *e, const FunctionProto *f)
{
  for (size_t k = 0; k < e->mp->n_functions; k++)
    if (function_same(f, e->mp->functions[k])) return true;
  return false;
}

/* The functions of another model, and their operator sets. */
static bool take_functions(Edit *e, const char *path)
{
  ModelProto *from = edit_read(e, path), *to = e->mp;
  if (!from) return false;
  if (!from->n_functions)
    return edit_fail(e, EXIT_USAGE, "%s has no functions to register",
                     Q(e, path));
  for (size_t i = 0; i < from->n_functions; i++) {
    FunctionProto *f = from->functions[i];
    if (has_function(e, f))
      return edit_fail(e, EXIT_USAGE, "function %s of domain %s is there "
                       "already", Q(e, f->name), Q(e, f->domain));
    LIST_ADD(e, to, functions, f);
    for (size_t k = 0; k < from->n_opset_import; k++) {
      const Onnx__OperatorSetIdProto *o = from->opset_import[k];
      if (!strcmp(domain_name(o->domain), domain_name(f->domain)) &&
          !set_version(e, o->domain, o->version))
        return false;
    }
  }
  if (to->ir_version < 8) to->ir_version = 8; /* ONNX IR-8: functions */
  return true;
}

/* --- A graph as a function ------------------------------------------------ */

static NodeProto *constant_node(Edit *e, TensorProto *t)
{
  NodeProto *n = edit_node(e, "Constant", "");
  node_add_output(e, n, t->name);
  node_attr_tensor(e, n, "value", t);
  return n;
}

/* Inputs and outputs of the graph are those of the function; initializers
 * become Constants. */
static FunctionProto *function_of(Edit *e, const ModelProto *from,
                                  const char *domain, const char *name)
{
  FunctionProto *f = NEW(e->a, FunctionProto, 1);
  const GraphProto *g = from->graph;
  Map given;
  onnx__function_proto__init(f);
  map_init(&given, e->a);
  f->domain = edit_str(e, domain);
  f->name = edit_str(e, name);
  for (size_t i = 0; i < g->n_initializer; i++) {
    TensorProto *t = g->initializer[i];
    *map_at(&given, t->name, strlen(t->name)) = t;
    LIST_ADD(e, f, node, constant_node(e, t));
  }
  for (size_t i = 0; i < g->n_input; i++)
    if (!map_get(&given, g->input[i]->name, strlen(g->input[i]->name)))
      LIST_ADD(e, f, input, edit_str(e, g->input[i]->name));
  for (size_t i = 0; i < g->n_output; i++)
    LIST_ADD(e, f, output, edit_str(e, g->output[i]->name));
  for (size_t i = 0; i < g->n_node; i++) LIST_ADD(e, f, node, g->node[i]);
  for (size_t i = 0; i < from->n_opset_import; i++)
    LIST_ADD(e, f, opset_import, from->opset_import[i]);
  return f;
}

/* DOMAIN.NAME=FILE: what FILE computes is what a node of that name does. */
static bool take_graph(Edit *e, const char *op, const char *path)
{
  const char *dot = strrchr(op, '.');
  if (!dot || dot == op || !dot[1])
    return edit_fail(e, EXIT_USAGE, "%s is not DOMAIN.NAME of a function",
                     Q(e, op));
  ModelProto *from = edit_read(e, path);
  if (!from) return false;
  if (from->graph->n_sparse_initializer)
    return edit_fail(e, EXIT_UNSUPPORTED, "%s has sparse initializers, which "
                     "a function can't hold", Q(e, path));
  const char *domain = arena_strn(e->a, op, (size_t)(dot - op));
  FunctionProto *f = function_of(e, from, domain, dot + 1);
  for (size_t i = 0; i < from->n_functions; i++)
    LIST_ADD(e, e->mp, functions, from->functions[i]);
  if (has_function(e, f))
    return edit_fail(e, EXIT_USAGE, "function %s of domain %s is there "
                     "already", Q(e, f->name), Q(e, domain));
  LIST_ADD(e, e->mp, functions, f);
  if (e->mp->ir_version < 8) e->mp->ir_version = 8;
  return edit_opset(e, edit_main(e), domain) > 0 ||
         model_import_opset(e, domain, 1);
}

bool step_register(Edit *e, const EditStep *s)
{
  names_fill(e);
  for (int i = 0; i < s->n; i++) {
    const char *word = s->arg[i], *eq = strchr(word, '=');
    bool ok = eq ? take_graph(e, arena_strn(e->a, word, (size_t)(eq - word)),
                              eq + 1)
                 : take_functions(e, word);
    if (!ok) return false;
  }
  return true;
}

/* --- A model from nothing ------------------------------------------------- */

#define NEW_IR 10 /* what runtimes of 2025 read */

bool edit_new(Edit *e, const char *word)
{
  int64_t version;
  if (strncmp(word, "new:", 4) != 0 || !edit_int(word + 4, &version) ||
      version < 1 || version > INT32_MAX)
    return false;
  e->mp = NEW(e->a, ModelProto, 1);
  onnx__model_proto__init(e->mp);
  e->mp->graph = NEW(e->a, GraphProto, 1);
  onnx__graph_proto__init(e->mp->graph);
  e->mp->has_ir_version = true;
  e->mp->ir_version = NEW_IR;
  e->mp->producer_name = edit_str(e, "onnx2c edit");
  e->mp->graph->name = edit_str(e, "graph");
  return model_import_opset(e, "", version);
}
