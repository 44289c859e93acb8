/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of the model: a node that calls one becomes the function's nodes,
 * in the graph of the call, with the versions of the function's operator sets.
 *
 * Inside, names mean: formal inputs, the values of the call; formal outputs,
 * the values the call makes; all else, new values called "<call>/<name>".
 * Attributes that refer to the call's are looked up there (import_attr.c).
 * Where the model has a function named as an operator of ONNX, it wins. */
#include "import.h"
#include <string.h>

#define MAX_INLINED 1000000 /* nodes: calls that call calls grow fast */

static const char *function_key(Arena *a, const char *domain, const char *name,
                                const char *overload, size_t *n)
{
  const char *d = domain_name(domain), *o = overload ? overload : "";
  name = name ? name : "";
  *n = strlen(d) + strlen(name) + strlen(o) + 2;
  return arena_printf(a, "%s\n%s\n%s", d, name, o);
}

void import_functions(Import *im, const Onnx__ModelProto *mp)
{
  for (size_t i = 0; i < mp->n_functions; i++) {
    const Onnx__FunctionProto *p = mp->functions[i];
    size_t n;
    const char *key = function_key(&im->tmp, p->domain, p->name, p->overload,
                                   &n);
    Function *f = NEW(&im->tmp, Function, 1);
    f->p = p;
    f->opset = import_opsets(im, p->opset_import, p->n_opset_import,
                             &f->nopset);
    void **at = map_at(&im->functions, key, n);
    if (*at)
      diag_model(im->m, SEV_ERROR, EXIT_MODEL, "two functions are called %s in "
                 "domain %s; remove one",
                 quote(&im->tmp, p->name ? p->name : ""),
                 quote(&im->tmp, domain_name(p->domain)));
    *at = f;
  }
}

Function *function_find(Import *im, const Onnx__NodeProto *np)
{
  size_t n;
  if (!im->functions.n) return NULL;
  const char *key = function_key(&im->tmp, np->domain, np->op_type,
                                 np->overload, &n);
  return map_get(&im->functions, key, n);
}

/* Attributes by name: the call's, else the defaults. */
static const Map *actual_attrs(Import *im, Scope *caller, Node *call,
                               const Onnx__NodeProto *np, const Function *f)
{
  Map *m = NEW(&im->tmp, Map, 1);
  map_init(m, &im->tmp);
  for (size_t i = 0; i < f->p->n_attribute_proto + np->n_attribute; i++) {
    bool is_default = i < f->p->n_attribute_proto;
    Onnx__AttributeProto *p = is_default ? f->p->attribute_proto[i]
      : np->attribute[i - f->p->n_attribute_proto];
    const char *name = p->name ? p->name : "";
    if (is_default && p->ref_attr_name && *p->ref_attr_name) {
      fail_model(call, "the default of attribute %s is a reference; give it a "
                 "value", quote(&im->tmp, name));
      continue;
    }
    ActualAttr *x = NEW(&im->tmp, ActualAttr, 1);
    *x = (ActualAttr){p, caller};
    *map_at(m, name, strlen(name)) = x;
  }
  return m;
}

static void bind_inputs(Scope *caller, Scope *sc, Node *call,
                        const Onnx__NodeProto *np, const Function *f)
{
  Arena *a = sc->names.a;
  if (np->n_input > f->p->n_input)
    fail_model(call, "passes %zu inputs to a function that takes %zu",
               np->n_input, f->p->n_input);
  for (size_t i = 0; i < f->p->n_input; i++) {
    const char *formal = f->p->input[i];
    Value *v = i < np->n_input ? scope_read(caller, call, np->input[i]) : NULL;
    if (scope_find(sc, formal))
      fail_model(call, "the function names input %s twice; rename one",
                 quote(a, formal));
    else
      scope_bind(sc, formal, v, true);
  }
}

/* Actual outputs; a formal one that is an input too, or is named twice, is
 * left for pass_through. */
static Value **bind_outputs(Scope *caller, Scope *sc, Node *call,
                            const Onnx__NodeProto *np, const Function *f)
{
  if (np->n_output > f->p->n_output)
    fail_model(call, "takes %zu outputs of a function that gives %zu",
               np->n_output, f->p->n_output);
  Value **out = NEW(sc->names.a, Value *, f->p->n_output);
  for (size_t i = 0; i < f->p->n_output && i < np->n_output; i++) {
    Value *v = scope_make(caller, call, np->output[i]);
    if (v && !scope_find(sc, f->p->output[i]))
      scope_bind(sc, f->p->output[i], v, false);
    out[i] = v;
  }
  return out;
}

static void identity(Scope *sc, Node *call, Value *from, Value *to)
{
  Node *n = node_new(sc->g, NULL, "Identity", 1, 1, NULL);
  int version = opset_version(sc->opset, sc->nopset, "");
  n->domain = n->name = "";
  n->version = version ? version : 1;
  n->op = op_find("", "Identity");
  n->origin = call->origin;
  node_set_input(n, 0, from);
  node_set_output(n, 0, to);
}

static void pass_through(Scope *sc, Node *call, Value **out, const Function *f)
{
  for (size_t i = 0; i < f->p->n_output; i++) {
    Bind *b = scope_find(sc, f->p->output[i]);
    if (!out[i]) continue;
    if (!b || !b->made || !b->v)
      fail_model(call, "the function does not make its output %s",
                 quote(sc->names.a, f->p->output[i]));
    else if (b->v != out[i])
      identity(sc, call, b->v, out[i]);
  }
}

static void declared_types(Import *im, Scope *sc, const Function *f)
{
  for (size_t i = 0; i < f->p->n_value_info; i++) {
    const char *name = f->p->value_info[i]->name;
    Bind *b = name ? scope_find(sc, name) : NULL;
    if (b && !b->made && b->v && !b->v->declared)
      import_declared(im, b->v, f->p->value_info[i]);
  }
}

static bool may_call(Import *im, Node *call, const Function *f)
{
  if (f->active) {
    fail_model(call, "is a function that calls itself; ONNX forbids it");
    return false;
  }
  im->inlined += (int64_t)f->p->n_node;
  if (im->inlined <= MAX_INLINED) return true;
  if (im->inlined - (int64_t)f->p->n_node <= MAX_INLINED)
    fail_unsupported(call, "the functions of the model come to more than %d "
                     "nodes; inline fewer of them", MAX_INLINED);
  return false;
}

/* "<path of the caller><name of the call>/"; a repeated one gets a number. */
static const char *call_prefix(Import *im, const Scope *caller,
                               const Onnx__NodeProto *np, const Node *call)
{
  Arena *a = &im->tmp;
  const char *name = np->name && *np->name ? np->name : call->op_type;
  const char *plain = arena_printf(a, "%s%s/", caller->path, name), *s = plain;
  uintptr_t used = (uintptr_t)*map_at(&im->prefixes, plain, strlen(plain));
  for (; used && map_get(&im->prefixes, s, strlen(s)); used++)
    s = arena_printf(a, "%s%s_%zu/", caller->path, name, (size_t)used + 1);
  *map_at(&im->prefixes, plain, strlen(plain)) = (void *)(used ? used : 1);
  if (s != plain) *map_at(&im->prefixes, s, strlen(s)) = (void *)1;
  return s;
}

void import_call(Import *im, Scope *caller, const Onnx__NodeProto *np,
                 Node *call, Function *f)
{
  Scope sc = {.g = caller->g, .opset = f->opset, .nopset = f->nopset,
              .index = call->origin->index};
  map_init(&sc.names, &im->tmp);
  sc.path = call_prefix(im, caller, np, call);
  bind_inputs(caller, &sc, call, np, f);
  Value **out = bind_outputs(caller, &sc, call, np, f);
  if (!may_call(im, call, f)) return;
  sc.actual = actual_attrs(im, caller, call, np, f);
  f->active = true;
  for (size_t i = 0; i < f->p->n_node; i++) scope_declare(&sc, f->p->node[i]);
  declared_types(im, &sc, f);
  for (size_t i = 0; i < f->p->n_node; i++)
    import_node(im, &sc, f->p->node[i], (int)i);
  pass_through(&sc, call, out, f);
  f->active = false;
}
