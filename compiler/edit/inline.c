/* SPDX-License-Identifier: Apache-2.0 */
/* inline-functions: calls of the model's own functions become the functions'
 * nodes, in the graph of the call, as the compiler's import has it. Inside,
 * formal inputs and outputs are the call's values, and all other values are
 * called "<call>/<name>"; attributes that refer to the call's get its values.
 *
 * The nodes come from the function's operator sets to the model's, so an
 * operator must mean the same in both versions. */
#include "steps.h"
#include <string.h>

#define MAX_INLINED 1000000 /* nodes: calls that call calls grow fast */

typedef struct {
  FunctionProto *f;
  bool active, done;     /* of the walk that looks for recursion */
} Func;
typedef struct {
  Edit *e;
  Map func;              /* domain, name, overload -> Func */
  int64_t nodes, calls;
} Inline;

static Func *find(Inline *x, const char *domain, const char *name,
                  const char *overload, bool make)
{
  const char *key = arena_printf(x->e->a, "%s\n%s\n%s", domain_name(domain),
                                 name ? name : "", overload ? overload : "");
  if (!make) return map_get(&x->func, key, strlen(key));
  Func **p = (Func **)map_at(&x->func, key, strlen(key));
  if (!*p) *p = NEW(x->e->a, Func, 1);
  return *p;
}

static Func *called(Inline *x, const NodeProto *n)
{
  return find(x, n->domain, n->op_type, n->overload, false);
}

/* ONNX forbids functions that call themselves. */
static bool walk(Inline *x, NodeProto *const *n, size_t count)
{
  GraphProto **g;
  for (size_t i = 0; i < count; i++) {
    Func *f = called(x, n[i]);
    if (f && f->active)
      return edit_fail(x->e, EXIT_MODEL, "function %s calls itself, which ONNX "
                       "forbids; rewrite it as a Loop", Q(x->e, n[i]->op_type));
    if (f && !f->done) {
      f->active = true;
      if (!walk(x, f->f->node, f->f->n_node)) return false;
      f->active = false;
      f->done = true;
    }
    int k = node_graphs(x->e, n[i], &g);
    while (k--)
      if (!walk(x, g[k]->node, g[k]->n_node)) return false;
  }
  return true;
}

static int64_t version_in(const FunctionProto *f, const char *domain)
{
  for (size_t i = 0; i < f->n_opset_import; i++)
    if (!strcmp(domain_name(f->opset_import[i]->domain), domain_name(domain)))
      return f->opset_import[i]->version;
  return 0;
}

bool model_import_opset(Edit *e, const char *domain, int64_t version)
{
  Onnx__OperatorSetIdProto *o = NEW(e->a, Onnx__OperatorSetIdProto, 1);
  onnx__operator_set_id_proto__init(o);
  o->domain = edit_str(e, domain);
  o->has_version = true;
  o->version = version;
  LIST_ADD(e, e->mp, opset_import, o);
  return true;
}

static bool same_meaning(Inline *x, const FunctionProto *f, const NodeProto *n)
{
  Edit *e = x->e;
  const char *domain = domain_name(n->domain);
  int64_t here = edit_opset(e, edit_main(e), domain);
  int64_t there = version_in(f, domain);
  if (!there || here == there || called(x, n)) return true;
  if (!here) return model_import_opset(e, domain, there);
  const OpDef *op = op_find(domain, n->op_type);
  const OpRow *row = op ? op_row(op, (int)here) : NULL;
  if (row && here <= INT32_MAX && there <= INT32_MAX &&
      row == op_row(op, (int)there))
    return true;
  return edit_fail(e, EXIT_UNSUPPORTED, "function %s uses %s of opset %lld, "
                   "which differs in opset %lld of the model; put "
                   "to-opset:%lld before this step", Q(e, f->name),
                   Q(e, n->op_type),
                   (long long)there, (long long)here,
                   (long long)(here > there ? here : there));
}

static bool same_meanings(Inline *x, const FunctionProto *f,
                          NodeProto *const *n, size_t count)
{
  GraphProto **g;
  for (size_t i = 0; i < count; i++) {
    int k = node_graphs(x->e, n[i], &g);
    if (!same_meaning(x, f, n[i])) return false;
    while (k--)
      if (!same_meanings(x, f, g[k]->node, g[k]->n_node)) return false;
  }
  return true;
}

/* --- Attributes ----------------------------------------------------------- */

static AttributeProto *actual(const NodeProto *call, const FunctionProto *f,
                              const char *name)
{
  AttributeProto *a = node_attr(call, name);
  for (size_t i = 0; !a && i < f->n_attribute_proto; i++)
    if (f->attribute_proto[i]->name &&
        !strcmp(f->attribute_proto[i]->name, name))
      a = f->attribute_proto[i];
  return a;
}

/* A reference to what the call neither gives nor defaults is absent. */
static void resolve(Edit *e, NodeProto **n, size_t count,
                    const NodeProto *call, const FunctionProto *f)
{
  GraphProto **g;
  for (size_t i = 0; i < count; i++) {
    size_t k = 0;
    for (size_t j = 0; j < n[i]->n_attribute; j++) {
      AttributeProto *a = n[i]->attribute[j];
      if (a->ref_attr_name && *a->ref_attr_name) {
        AttributeProto *by = actual(call, f, a->ref_attr_name);
        if (!by) continue;
        by = edit_clone(e, by);
        by->name = a->name;
        a = by;
      }
      n[i]->attribute[k++] = a;
    }
    n[i]->n_attribute = k;
    int inner = node_graphs(e, n[i], &g);
    while (inner--) resolve(e, g[inner]->node, g[inner]->n_node, call, f);
  }
}

/* --- A call --------------------------------------------------------------- */

typedef struct { NodeProto **node; size_t n_node; } Nodes;

static void copy_value(Edit *e, Nodes *to, char *from, char *name)
{
  NodeProto *n = edit_node(e, "Identity", "");
  node_add_input(e, n, from);
  node_add_output(e, n, name);
  LIST_ADD(e, to, node, n);
}

/* New names for all that the function names; true where a formal output is
 * already something else, and needs a copy. */
static void map_names(Edit *e, Map *to, const NodeProto *call,
                      const FunctionProto *f, const Nodes *in)
{
  const char *prefix = call->name && *call->name ? call->name : call->op_type;
  Map made;
  map_init(to, e->a);
  map_init(&made, e->a);
  names_made(e, in->node, in->n_node, &made);
  for (size_t i = 0; i < f->n_input; i++)
    *map_at(to, f->input[i], strlen(f->input[i])) =
      i < call->n_input ? call->input[i] : edit_str(e, "");
  for (size_t i = 0; i < f->n_output && i < call->n_output; i++) {
    void **p = map_at(to, f->output[i], strlen(f->output[i]));
    if (!*p && *call->output[i]) *p = call->output[i];
  }
  for (int i = 0; i < made.n; i++) {
    void **p = map_at(to, made.slot[i].key, made.slot[i].len);
    if (!*p)
      *p = edit_str(e, edit_fresh(e, arena_printf(e->a, "%s/%s", prefix,
                                                  made.slot[i].key)));
  }
}

static bool expand(Inline *x, GraphProto *g, size_t at, FunctionProto *f)
{
  Edit *e = x->e;
  NodeProto *call = g->node[at];
  Nodes in = {0};
  Map to;
  if (call->n_input > f->n_input || call->n_output > f->n_output)
    return edit_fail(e, EXIT_MODEL, "%s passes %zu inputs and %zu outputs to "
                     "a function of %zu and %zu", node_text(e, call),
                     call->n_input, call->n_output, f->n_input, f->n_output);
  x->nodes += (int64_t)f->n_node;
  if (x->nodes > MAX_INLINED)
    return edit_fail(e, EXIT_UNSUPPORTED, "the functions come to more than %d "
                     "nodes; the model is better left as it is", MAX_INLINED);
  for (size_t i = 0; i < f->n_node; i++)
    LIST_ADD(e, &in, node, edit_clone(e, f->node[i]));
  resolve(e, in.node, in.n_node, call, f);
  map_names(e, &to, call, f, &in);
  names_change(e, in.node, in.n_node, &to);
  for (size_t i = 0; i < in.n_node; i++)
    if (in.node[i]->name && *in.node[i]->name)
      in.node[i]->name = arena_printf(e->a, "%s/%s", call->name && *call->name
                                        ? call->name : call->op_type,
                                      in.node[i]->name);
  for (size_t i = 0; i < call->n_output; i++) {
    char *is = map_get(&to, f->output[i], strlen(f->output[i]));
    if (*call->output[i] && is && strcmp(is, call->output[i]) != 0)
      copy_value(e, &in, is, call->output[i]);
  }
  LIST_DROP(g, node, at);
  for (size_t i = 0; i < in.n_node; i++)
    body_insert(e, &(Body){.g = g}, at + i, in.node[i]);
  x->calls++;
  return true;
}

static bool inline_graph(Inline *x, GraphProto *g)
{
  GraphProto **inner;
  for (size_t i = 0; g && i < g->n_node;) {
    Func *f = called(x, g->node[i]);
    if (f) {
      if (!expand(x, g, i, f->f)) return false;
      continue; /* its nodes may be calls */
    }
    int k = node_graphs(x->e, g->node[i++], &inner);
    while (k--)
      if (!inline_graph(x, inner[k])) return false;
  }
  return true;
}

static void domains(Edit *e, NodeProto *const *n, size_t count, Map *used)
{
  GraphProto **g;
  for (size_t i = 0; i < count; i++) {
    const char *d = domain_name(n[i]->domain);
    *map_at(used, d, strlen(d)) = used;
    int k = node_graphs(e, n[i], &g);
    while (k--) domains(e, g[k]->node, g[k]->n_node, used);
  }
}

/* Operator sets of functions that no node is of any more. */
static void drop_opsets(Edit *e, const Inline *x)
{
  ModelProto *mp = e->mp;
  Map used, of;
  map_init(&used, e->a);
  map_init(&of, e->a);
  domains(e, mp->graph->node, mp->graph->n_node, &used);
  for (int i = 0; i < x->func.n; i++) {
    const Func *f = x->func.slot[i].value;
    const char *d = domain_name(f->f->domain);
    *map_at(&of, d, strlen(d)) = e;
  }
  for (size_t i = mp->n_opset_import; i-- > 0;) {
    const char *d = domain_name(mp->opset_import[i]->domain);
    if (*d && map_get(&of, d, strlen(d)) && !map_get(&used, d, strlen(d)))
      LIST_DROP(mp, opset_import, i);
  }
}

bool step_inline_functions(Edit *e, const EditStep *s)
{
  Inline x = {.e = e};
  ModelProto *mp = e->mp;
  (void)s;
  names_fill(e);
  map_init(&x.func, e->a);
  for (size_t i = 0; i < mp->n_functions; i++) {
    FunctionProto *f = mp->functions[i];
    find(&x, f->domain, f->name, f->overload, true)->f = f;
  }
  if (!walk(&x, mp->graph->node, mp->graph->n_node)) return false;
  for (int i = 0; i < x.func.n; i++) {
    const Func *f = x.func.slot[i].value;
    if (f->done && !same_meanings(&x, f->f, f->f->node, f->f->n_node))
      return false;
  }
  if (!inline_graph(&x, mp->graph)) return false;
  for (size_t i = 0; i < mp->n_training_info; i++)
    if (!inline_graph(&x, mp->training_info[i]->initialization) ||
        !inline_graph(&x, mp->training_info[i]->algorithm))
      return false;
  drop_opsets(e, &x);
  mp->n_functions = 0;
  edit_note(e, "%lld calls became nodes", (long long)x.calls);
  return true;
}
