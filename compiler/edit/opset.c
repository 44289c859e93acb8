/* SPDX-License-Identifier: Apache-2.0 */
/* to-opset, over all graphs and functions of a model; opset.h tells how.
 *
 * Each node is brought to the new version by the steps of its operator. After
 * them its attributes and element types are checked against the operator's
 * record of that version: a type that the version lacks is cast to one that
 * holds all its values, and back, where the operator only moves, compares or
 * picks; all else is refused by the node's name. */
#include "opset.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *op;
  int version;
  OpsetStep *up, *down;
  const char *attr, *value;
} Row;

#define OPSET(op, version, up, down) {#op, version, up, down, NULL, NULL},
#define OPSET_UP(op, version, up) {#op, version, up, NULL, NULL, NULL},
#define OPSET_DOWN(op, version, down) {#op, version, NULL, down, NULL, NULL},
#define OPSET_ATTR(op, version, name, value) \
  {#op, version, NULL, NULL, #name, value},
static const Row rows[] = {
#include "opset.def"
};
#undef OPSET
#undef OPSET_UP
#undef OPSET_DOWN
#undef OPSET_ATTR

/* IR versions by the operator sets that came with them. */
static const struct { int opset, ir; } irs[] = {
  {1, 3}, {9, 4}, {10, 5}, {11, 6}, {12, 7}, {15, 8}, {19, 9}, {21, 10},
  {23, 11}, {24, 12}, {25, 13}, {28, 14}
};

static int ir_of(int opset)
{
  int ir = irs[0].ir;
  for (int i = 0; i < COUNT(irs); i++)
    if (irs[i].opset <= opset) ir = irs[i].ir;
  return ir;
}

/* The version of the next step of this operator, 0: none. */
static int next_row(const Convert *c, const char *op, int at)
{
  int next = 0;
  for (int i = 0; i < COUNT(rows); i++) {
    int v = rows[i].version;
    bool between = c->up ? v > at && v <= c->to : v <= at && v > c->to;
    bool nearer = !next || (c->up ? v < next : v > next);
    if (between && nearer && !strcmp(rows[i].op, op)) next = v;
  }
  return next;
}

/* Has the attribute the value that the older version works by? */
static bool attr_says(Convert *c, const char *name, const char *value)
{
  int n;
  if (!opset_has(c, name)) return true;
  if (*value == '\'') {
    const char *s = opset_word(c, name, "");
    return strlen(s) == strlen(value) - 2 &&
           !strncmp(s, value + 1, strlen(s));
  }
  if (*value == '[') { /* "[1]": a list, all of ones */
    const int64_t *v = opset_list(c, name, &n);
    for (int i = 0; i < n; i++)
      if (v[i] != atoi(value + 1)) return false;
    return true;
  }
  if (strchr(value, '.'))
    return (float)opset_num(c, name, 0) == (float)atof(value);
  return opset_int(c, name, 0) == atoll(value);
}

static void run_row(Convert *c, const Row *s)
{
  if (c->up && s->up) s->up(c);
  if (!c->up && s->down) s->down(c);
  if (c->up || !s->attr || c->failed) return;
  if (attr_says(c, s->attr, s->value)) opset_drop_attr(c, s->attr);
  else
    opset_refuse(c, "attribute %s is new in version %d of the operator, and "
                 "is not %s", s->attr, s->version, s->value);
}

static void convert_node(Convert *c, NodeProto *n, int at, NodeList *out);

/* One version of one node; false: the node is gone. */
static bool step_node(Convert *c, NodeProto *n, int version, NodeList *out,
                      NodeList *after)
{
  bool up = c->up;
  const char *op = n->op_type;
  c->n = n;
  c->step = version;
  c->form = *c->domain ? version : 12;
  c->drop = false;
  c->literal = DT_NONE;
  c->nlocal = 0;
  c->before = c->after = (NodeList){0};
  for (int i = 0; i < COUNT(rows) && !c->failed && !c->drop; i++)
    if (rows[i].version == version && !strcmp(rows[i].op, op))
      run_row(c, &rows[i]);
  NodeList before = c->before, behind = c->after;
  bool dropped = c->drop;
  int form = c->form;
  for (int i = 0; i < before.n; i++)
    convert_node(c, before.node[i], form, out);
  for (int i = 0; i < behind.n; i++)
    convert_node(c, behind.node[i], form, after);
  c->up = up;
  return !dropped;
}

/* --- Element types -------------------------------------------------------- */

/* Types that hold all values of another, the nearest first. */
static const Dtype *carriers(Dtype t)
{
  static const Dtype none[] = {DT_NONE},
    b[] = {DT_U8, DT_I32, DT_I64, DT_F32, DT_NONE},
    i8[] = {DT_I16, DT_I32, DT_I64, DT_F32, DT_F64, DT_NONE},
    u8[] = {DT_U16, DT_I32, DT_I64, DT_F32, DT_F64, DT_NONE},
    i16[] = {DT_I32, DT_I64, DT_F32, DT_F64, DT_NONE},
    u16[] = {DT_I32, DT_I64, DT_F32, DT_F64, DT_NONE},
    i32[] = {DT_I64, DT_F64, DT_NONE}, u32[] = {DT_I64, DT_F64, DT_NONE},
    half[] = {DT_F32, DT_F64, DT_NONE}, f32[] = {DT_F64, DT_NONE};
  switch (t) {
  case DT_BOOL: return b;
  case DT_I8: return i8;
  case DT_U8: return u8;
  case DT_I16: return i16;
  case DT_U16: return u16;
  case DT_I32: return i32;
  case DT_U32: return u32;
  case DT_F16: case DT_BF16: return half;
  case DT_F32: return f32;
  default: return none;
  }
}

/* What a wider type leaves as it is: moving, comparing and picking. */
static bool exact_wider(const OpDef *op, Dtype t)
{
  static const char *const list[] = {"Max", "Min", "ArgMax", "ArgMin", "Equal",
    "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "Where", "Relu", "Clip",
    "Sign", "MaxPool", "ReduceMax", "ReduceMin", "NonZero", "IsNaN", "TopK",
    "OneHot"};
  if (op->flags & (OP_MOVES | OP_VIEW)) return true;
  for (int i = 0; i < COUNT(list); i++)
    if (!strcmp(op->name, list[i]))
      return t != DT_BOOL || strcmp(op->name, "Relu");
  return false;
}

static TypeSet cast_types(int version)
{
  const OpDef *op = op_find("", "Cast");
  Str var;
  return version < 6 ? 0
    : schema_port(op, op_row(op, version), false, 0, &var);
}

static const char *cast(Convert *c, NodeList *to, const char *x, const char *y,
                        Dtype t)
{
  NodeProto *n = opset_node_new(c, "Cast", 1, 1), *was = c->n;
  if (!y) y = opset_name(c, "cast");
  c->n = n;
  opset_set_in(c, 0, x);
  opset_set_out(c, 0, y);
  opset_put_int(c, "to", (int64_t)t);
  c->n = was;
  opset_add(c, to, n);
  return y;
}

static bool same(Str a, Str b) { return a.n == b.n && !memcmp(a.p, b.p, a.n); }

/* All ports of type variable `var` in type `t` instead of `have`. */
static void widen(Convert *c, const OpDef *op, const OpRow *row, Str var,
                  Dtype t, Dtype have, NodeList *out, NodeList *after)
{
  Str other;
  for (int i = 0; i < (int)c->n->n_input; i++) {
    const char *x = opset_in(c, i);
    if (!*x || !schema_port(op, row, false, i, &other) || !same(var, other))
      continue;
    opset_set_in(c, i, cast(c, out, x, NULL, t));
  }
  for (int i = 0; i < (int)c->n->n_output; i++) {
    const char *y = opset_out(c, i);
    if (!*y || !schema_port(op, row, true, i, &other) || !same(var, other))
      continue;
    const char *wide = opset_name(c, "wide");
    cast(c, after, wide, y, have);
    opset_set_out(c, i, wide);
  }
}

static void fit_types(Convert *c, const OpDef *op, const OpRow *row,
                      NodeList *out, NodeList *after)
{
  TypeSet castable = cast_types(c->to);
  for (int i = 0; i < (int)c->n->n_input && !c->failed; i++) {
    Str var;
    Dtype t = opset_dtype(c, opset_in(c, i)), wide = DT_NONE;
    TypeSet set = schema_port(op, row, false, i, &var);
    if (!t || !set || set & DT_BIT(t)) continue;
    for (const Dtype *k = carriers(t); *k && !wide; k++)
      if (set & castable & DT_BIT(*k) && castable & DT_BIT(t)) wide = *k;
    if (wide && exact_wider(op, t)) {
      widen(c, op, row, var, wide, t, out, after);
      return;
    }
    opset_refuse(c, "version %d of the operator does not take input %d of type "
                 "%s, and no Cast would keep its results", row->since, i,
                 dtype_info(t)->onnx);
  }
  for (int i = 0; i < (int)c->n->n_output && !c->failed; i++) {
    Str var;
    Dtype t = opset_dtype(c, opset_out(c, i));
    TypeSet set = schema_port(op, row, true, i, &var);
    if (!t || !set || set & DT_BIT(t)) continue;
    opset_refuse(c, "version %d of the operator does not give output %d in "
                 "type %s", row->since, i, dtype_info(t)->onnx);
  }
}

/* --- Nodes and graphs ----------------------------------------------------- */

static void check_attrs(Convert *c, const OpDef *op, const OpRow *row)
{
  for (size_t i = 0; i < c->n->n_attribute && !c->failed; i++) {
    const char *name = c->n->attribute[i]->name;
    if (name && !schema_has_attr(op, row, name))
      opset_refuse(c, "attribute %s does not exist in version %d of the "
                   "operator", quote(c->e->a, name), row->since);
  }
}

static void check_node(Convert *c, const OpDef *op, NodeList *out,
                       NodeList *after)
{
  const OpRow *row = op_row(op, c->to);
  Str var;
  if (!row) {
    opset_refuse(c, "the operator came with version %d, and has no form in "
                 "older operators", op->rows[0].since);
    return;
  }
  check_attrs(c, op, row);
  for (int i = (int)c->n->n_input - 1; i >= 0 && !c->failed; i--)
    if (*opset_in(c, i) && !schema_port(op, row, false, i, &var))
      opset_refuse(c, "version %d of the operator has no input %d", row->since,
                   i);
  for (int i = (int)c->n->n_output - 1; i >= 0 && !c->failed; i--)
    if (*opset_out(c, i) && !schema_port(op, row, true, i, &var))
      opset_refuse(c, "version %d of the operator has no output %d", row->since,
                   i);
  if (!c->failed) fit_types(c, op, row, out, after);
}

static void convert_graph(Convert *c, GraphProto *g, int at, bool body);

static void convert_bodies(Convert *c, NodeProto *n, int at)
{
  GraphProto *g = c->g;
  bool body = c->body, failed = c->failed;
  const char *origin = c->origin;
  for (size_t i = 0; i < n->n_attribute; i++) {
    AttributeProto *a = n->attribute[i];
    if (a->g) convert_graph(c, a->g, at, true);
    for (size_t k = 0; k < a->n_graphs; k++)
      convert_graph(c, a->graphs[k], at, true);
  }
  c->g = g;
  c->body = body;
  c->failed = failed;
  c->origin = origin;
}

static void convert_node(Convert *c, NodeProto *n, int at, NodeList *out)
{
  NodeList after = {0};
  int first = at;
  bool here = !strcmp(domain_name(n->domain), c->domain) && n->op_type;
  c->up = at <= c->to;
  for (int v; here && !c->failed && (v = next_row(c, n->op_type, at));) {
    if (!step_node(c, n, v, out, &after)) return;
    at = c->up ? v : v - 1;
  }
  convert_bodies(c, n, first);
  if (here && !c->failed) {
    const OpDef *op = op_find(c->domain, n->op_type);
    c->n = n;
    if (op) check_node(c, op, out, &after);
    else opset_refuse(c, "the operator is not known");
  }
  opset_add(c, out, n);
  for (int i = 0; i < after.n; i++) opset_add(c, out, after.node[i]);
}

/* A call of a function of the model is no operator, whatever its name. */
static bool is_call(const Convert *c, const NodeProto *n)
{
  const ModelProto *mp = c->e->mp;
  for (size_t i = 0; i < mp->n_functions; i++) {
    const FunctionProto *f = mp->functions[i];
    if (f->name && n->op_type && !strcmp(f->name, n->op_type) &&
        !strcmp(domain_name(f->domain), domain_name(n->domain)))
      return true;
  }
  return false;
}

static const char *origin_of(Convert *c, const NodeProto *n, size_t i,
                             int at)
{
  Arena *a = c->e->a;
  const char *op = n->op_type ? n->op_type : "";
  const OpDef *def = op_find(c->domain, op);
  const OpRow *row = def ? op_row(def, at) : NULL;
  const char *where = c->where ? arena_printf(a, "function %s, ", c->where)
                    : c->body ? "in a body, " : "";
  return arena_printf(a, "%snode %zu %s (%s-%d)", where, i,
                      quote(a, n->name ? n->name : ""), op,
                      row ? row->since : at);
}

static void convert_nodes(Convert *c, NodeProto ***node, size_t *n,
                          int at)
{
  NodeList out = {0};
  for (size_t i = 0; i < *n; i++) {
    NodeProto *p = (*node)[i];
    bool call = is_call(c, p);
    c->failed = false;
    c->origin = origin_of(c, p, i, at);
    if (call) opset_add(c, &out, p);
    else convert_node(c, p, at, &out);
  }
  *node = out.node;
  *n = (size_t)out.n;
}

static void convert_graph(Convert *c, GraphProto *g, int at, bool body)
{
  c->g = g;
  c->body = body;
  convert_nodes(c, &g->node, &g->n_node, at);
}

/* --- The model ------------------------------------------------------------ */

static Onnx__OperatorSetIdProto *opset_of(Onnx__OperatorSetIdProto **list,
                                          size_t n, const char *domain)
{
  for (size_t i = 0; i < n; i++)
    if (!strcmp(domain_name(list[i]->domain), domain)) return list[i];
  return NULL;
}

/* Some writers import a domain twice. */
static void set_opset(const Convert *c, Onnx__OperatorSetIdProto **list,
                      size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (!strcmp(domain_name(list[i]->domain), c->domain))
      list[i]->version = c->to;
}

static int newest(const char *domain)
{
  int v = 0;
  for (int i = 0; i < op_count(); i++) {
    const OpDef *op = op_at(i);
    int last = op->rows[op->nrow - 1].since;
    if (!strcmp(op->domain ? op->domain : "", domain) && last > v) v = last;
  }
  return v;
}

/* What the file has that an older IR version lacks. */
static int ir_needed(Edit *e)
{
  const ModelProto *mp = e->mp;
  const GraphProto *g = mp->graph;
  int ir = 3;
  for (size_t i = 0; i < g->n_initializer && ir < 4; i++) {
    bool input = false;
    for (size_t k = 0; k < g->n_input && !input; k++)
      input = g->input[k]->name && g->initializer[i]->name &&
              !strcmp(g->input[k]->name, g->initializer[i]->name);
    if (!input) ir = 4;
  }
  int bodies;
  Body *body = edit_bodies(e, &bodies);
  for (int i = 1; i < bodies; i++)
    if (body[i].g && body[i].g->n_initializer && ir < 4) ir = 4;
  if (g->n_sparse_initializer && ir < 5) ir = 5;
  if (mp->n_training_info && ir < 7) ir = 7;
  if (mp->n_functions && ir < 8) ir = 8;
  for (size_t i = 0; i < mp->n_functions; i++)
    if (mp->functions[i]->overload && *mp->functions[i]->overload && ir < 10)
      ir = 10;
  return ir;
}

/* Constants are all that is known in a function. */
static void note_constants(Convert *c, const FunctionProto *f)
{
  for (size_t i = 0; i < f->n_node; i++) {
    const NodeProto *n = f->node[i];
    const AttributeProto *a = node_attr(n, "value");
    if (!n->op_type || strcmp(n->op_type, "Constant") || !n->n_output || !a ||
        !a->t)
      continue;
    const Tensor *t = tensor_read(c->e, a->t);
    if (t) types_add_const(c->types, n->output[0], t);
  }
}

static void convert_function(Convert *c, FunctionProto *f)
{
  Onnx__OperatorSetIdProto *id = opset_of(f->opset_import, f->n_opset_import,
                                          c->domain);
  NameTypes *types = c->types;
  if (!id) return;
  c->types = types_empty(c->e);
  c->where = f->name;
  c->g = NULL;
  c->body = false;
  c->up = id->version <= c->to;
  note_constants(c, f);
  convert_nodes(c, &f->node, &f->n_node, (int)id->version);
  types_free(c->types);
  c->types = types;
  c->where = NULL;
  set_opset(c, f->opset_import, f->n_opset_import);
}

static bool convert_model(Convert *c, Onnx__OperatorSetIdProto *id)
{
  ModelProto *mp = c->e->mp;
  c->types = types_read(c->e);
  convert_graph(c, mp->graph, (int)id->version, false);
  for (size_t i = 0; i < mp->n_functions; i++)
    convert_function(c, mp->functions[i]);
  types_free(c->types);
  if (c->refused) return false;
  int ir = ir_of(c->to), needed = ir_needed(c->e);
  bool up = id->version <= c->to;
  if (!*c->domain && (up ? mp->ir_version < ir : mp->ir_version > ir)) {
    mp->has_ir_version = true;
    mp->ir_version = up || ir > needed ? ir : needed;
  }
  set_opset(c, mp->opset_import, mp->n_opset_import);
  return true;
}

bool step_to_opset(Edit *e, const EditStep *s)
{
  Convert *c = NEW(e->a, Convert, 1);
  const char *colon = strrchr(s->arg[0], ':'), *v = s->arg[0];
  int64_t to = 0;
  *c = (Convert){.e = e, .domain = ""};
  if (colon) {
    c->domain = domain_name(arena_strn(e->a, v, (size_t)(colon - v)));
    v = colon + 1;
  }
  const char *text = *c->domain ? c->domain : "ai.onnx";
  int last = newest(c->domain);
  if (!last)
    return edit_fail(e, EXIT_USAGE, "no operators of domain %s are known",
                     Q(e, text));
  if (!strcmp(v, "newest")) to = last;
  else if (!edit_int(v, &to) || to < 1 || to > last)
    return edit_fail(e, EXIT_USAGE, "%s is no version of %s; it has 1 to %d, "
                     "or newest", Q(e, v), text, last);
  Onnx__OperatorSetIdProto *id = opset_of(e->mp->opset_import,
                                          e->mp->n_opset_import, c->domain);
  if (!id)
    return edit_fail(e, EXIT_MODEL, "the model does not import domain %s",
                     Q(e, text));
  c->to = (int)to;
  return convert_model(c, id);
}
