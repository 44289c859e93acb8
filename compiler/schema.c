/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes against the schema of their version: the operator is known, inputs and
 * outputs are as many as they may be, attributes exist and have their type,
 * and element types agree with the type variables.
 *
 * Signatures are small texts (see OpRow), read as they are needed: there is
 * one place less to keep in step, and reading them costs nothing that counts.
 * schema_types runs again, on the newest form, whenever a node is inferred. */
#include "custom.h"
#include <string.h>

#define EXPERTS \
  "it picks experts by the data; export them as MatMul and TopK"
#define SEARCH \
  "it runs a decoder until it is done; export the decoder and search in the " \
  "program that calls it"

typedef struct { const char *s; size_t n; } Span;
typedef struct {
  Span name, type;
  bool optional, variadic;
} Port;
typedef struct { const char *s; bool outputs; } SigIter;
typedef struct { Span name; Dtype type; int from; } Binding;

static bool span_is(Span a, const char *s)
{
  return strlen(s) == a.n && !memcmp(a.s, s, a.n);
}

static bool span_same(Span a, Span b)
{
  return a.n == b.n && !memcmp(a.s, b.s, a.n);
}

/* The next port of the inputs, or of the outputs, of a signature. */
static bool sig_next(SigIter *it, Port *p)
{
  const char *s = it->s + strspn(it->s, " ");
  if (!*s || !strncmp(s, "->", 2)) return false;
  p->name = (Span){s, strcspn(s, ": ?.")};
  s += p->name.n;
  p->type = (Span){"*", 1};
  if (*s == ':') {
    p->type = (Span){s + 1, strcspn(s + 1, " ?.")};
    s = p->type.s + p->type.n;
  }
  p->optional = *s == '?';
  s += p->optional;
  p->variadic = !strncmp(s, "...", 3);
  s += p->variadic ? 3 : 0;
  /* "T?..." and "T...?": any number, zero too */
  if (*s == '?') {
    p->optional = true;
    s++;
  }
  it->s = s;
  return true;
}

static SigIter sig_of(const OpDef *op, const OpRow *row, bool outputs)
{
  const char *sig = op_row_text(op, row, ROW_SIG);
  const char *arrow = strstr(sig, "->");
  if (!outputs) return (SigIter){sig, false};
  return (SigIter){arrow ? arrow + 2 : "", true};
}

/* The set that a variable, or a word, stands for; all types for `*`. */
static TypeSet type_set(const OpDef *op, const OpRow *row, Span var)
{
  const char *s = op_row_text(op, row, ROW_TYPES);
  if (span_is(var, "*")) return ~(TypeSet)0;
  while (*s) {
    s += strspn(s, " ;");
    Span name = {s, strcspn(s, "= ;")};
    const char *eq = s + strcspn(s, "=;");
    size_t n = *eq == '=' ? strcspn(eq + 1, ";") : 0;
    if (n && span_same(name, var)) return typeset_parse(eq + 1, n);
    s = *eq == '=' ? eq + 1 + n : eq;
  }
  return typeset_parse(var.s, var.n);
}

static const char *set_text(Arena *a, TypeSet set)
{
  const char *text = "";
  for (int t = 1; t < DT_COUNT; t++)
    if (set & DT_BIT(t))
      text = arena_printf(a, "%s%s%s", text, *text ? ", " : "",
                          dtype_info((Dtype)t)->onnx);
  return text;
}

static bool port_type(Node *n, const OpRow *row, const Port *p, int i,
                      Binding *bound, int *nbound)
{
  const Value *v = n->in[i];
  Arena *a = &n->g->m->arena;
  /* A sparse one becomes dense in inference. */
  if (v && !v->bad && v->kind != VK_TENSOR && v->kind != VK_SPARSE &&
      !span_is(p->type, "*")) {
    fail_model(n, "input %d, %s, is of type %s; the operator takes a tensor "
               "there", i, quote(a, v->name), type_text(a, v->declared));
    return false;
  }
  if (!v || v->bad || !v->dtype || v->kind != VK_TENSOR) return true;
  const char *type = dtype_info(v->dtype)->onnx;
  TypeSet set = type_set(n->op, row, p->type);
  if (!(set & DT_BIT(v->dtype)) && !n->any_type) {
    fail_model(n, "input %d, %s, has type %s; version %d of the operator "
               "allows: %s", i, quote(a, v->name), type, row->since,
               set_text(a, set));
    return false;
  }
  if (span_is(p->type, "*")) return true;
  for (int k = 0; k < *nbound; k++) {
    if (!span_same(bound[k].name, p->type)) continue;
    if (bound[k].type == v->dtype) return true;
    fail_model(n, "input %d, %s, has type %s, but input %d has type %s; "
               "they must be equal (insert a Cast)", i, quote(a, v->name),
               type, bound[k].from, dtype_info(bound[k].type)->onnx);
    return false;
  }
  if (*nbound < 16) bound[(*nbound)++] = (Binding){p->type, v->dtype, i};
  return true;
}

static bool row_types(Node *n, const OpRow *row)
{
  SigIter it = sig_of(n->op, row, false);
  Binding bound[16];
  int nbound = 0;
  Port p;
  for (int i = 0; i < n->nin && sig_next(&it, &p); i++) {
    if (!port_type(n, row, &p, i, bound, &nbound)) return false;
    while (p.variadic && i + 1 < n->nin)
      if (!port_type(n, row, &p, ++i, bound, &nbound)) return false;
  }
  return true;
}

TypeSet schema_port(const OpDef *op, const OpRow *row, bool outputs, int i,
                    Str *type)
{
  SigIter it = sig_of(op, row, outputs);
  Port p = {0};
  *type = (Str){"*", 1};
  for (int k = 0; k <= i; k++)
    if (!sig_next(&it, &p)) {
      if (k && p.variadic) break;
      return 0;
    }
  *type = (Str){p.type.s, p.type.n};
  return type_set(op, row, p.type);
}

bool schema_types(Node *n)
{
  const OpRow *row = op_row(n->op, n->version);
  return !row || row_types(n, row);
}

/* Counts and presence of inputs or outputs. */
static bool check_ports(Node *n, const OpRow *row, bool outputs)
{
  SigIter it = sig_of(n->op, row, outputs);
  const char *what = outputs ? "output" : "input";
  int have = outputs ? n->nout : n->nin, i = 0;
  bool variadic = false;
  Port p;
  while (sig_next(&it, &p)) {
    Value *v = outputs ? node_out(n, i) : node_in(n, i);
    /* An output that nobody names is merely not wanted. */
    bool need = !p.optional && !v && !(outputs && i < have);
    if (need) {
      fail_model(n, "%s %d (%.*s) is missing; version %d of the operator "
                 "requires it", what, i, (int)p.name.n, p.name.s, row->since);
      return false;
    }
    variadic = p.variadic;
    i++;
  }
  if (have <= i || variadic) return true;
  fail_model(n, "has %d %ss; version %d of the operator has at most %d",
             have, what, row->since, i);
  return false;
}

static char attr_letter(AttrType t)
{
  static const char letter[] = {[AT_INT] = 'i', [AT_FLOAT] = 'f',
    [AT_STR] = 's', [AT_TENSOR] = 't', [AT_GRAPH] = 'g', [AT_INTS] = 'I',
    [AT_FLOATS] = 'F', [AT_STRS] = 'S', [AT_TYPE] = 'y'};
  return t > AT_NONE && (int)t < COUNT(letter) ? letter[t] : '?';
}

static const char *letter_text(char c)
{
  static const char *const text[] = {"i int", "f float", "s string",
    "t tensor", "g graph", "I list of ints", "F list of floats",
    "S list of strings", "y type"};
  for (int i = 0; i < COUNT(text); i++)
    if (*text[i] == c) return text[i] + 2;
  return "other";
}

/* The letter of an attribute in a row: 0 if the row has none of this name. */
static char attr_find(const char *attrs, Span name)
{
  for (const char *s = attrs; *s;) {
    s += strspn(s, " ");
    size_t n = strcspn(s, ": ");
    if (span_same((Span){s, n}, name) && s[n] == ':') return s[n + 1];
    s += strcspn(s, " ");
  }
  return 0;
}

bool schema_has_attr(const OpDef *op, const OpRow *row, const char *name)
{
  return attr_find(op_row_text(op, row, ROW_ATTRS),
                   (Span){name, strlen(name)}) != 0;
}

static void check_attr(Node *n, const OpRow *row, const Attr *a)
{
  const char *attrs = op_row_text(n->op, row, ROW_ATTRS);
  Arena *arena = &n->g->m->arena;
  char want = attr_find(attrs, (Span){a->name, strlen(a->name)});
  char have = attr_letter(a->type);
  /* Our own annotations, made by upgrades, start with '.'. */
  if (a->name[0] == '.') return;
  if (!want)
    fail_model(n, "attribute %s does not exist in version %d of the operator"
               "; remove it", quote(arena, a->name), row->since);
  else if (want != have)
    fail_model(n, "attribute %s is of type %s; version %d of the operator "
               "wants %s", quote(arena, a->name), letter_text(have),
               row->since, letter_text(want));
}

static void check_attrs(Node *n, const OpRow *row)
{
  const char *s = op_row_text(n->op, row, ROW_ATTRS);
  for (int i = 0; i < n->nattr; i++) check_attr(n, row, &n->attr[i]);
  for (; *s; s += strcspn(s, " ")) {
    s += strspn(s, " ");
    Span name = {s, strcspn(s, ": ")};
    if (!name.n || s[name.n] != ':' || s[name.n + 2] != '!') continue;
    bool found = false;
    for (int i = 0; i < n->nattr; i++)
      if (span_is(name, n->attr[i].name)) found = true;
    if (!found)
      fail_model(n, "attribute '%.*s' is missing; version %d of the operator "
                 "requires it", (int)name.n, name.s, row->since);
  }
}

/* The operator's version, not the opset, is what messages show. */
static void set_version(Node *n, int since)
{
  if (n->origin && n->origin->version == n->version) {
    Origin *o = NEW(&n->g->m->arena, Origin, 1);
    *o = *n->origin;
    o->version = since;
    n->origin = o;
  }
  n->version = since;
}

static void check_known(Node *n)
{
  const OpRow *row = op_row(n->op, n->version);
  if (!row) {
    fail_model(n, "the operator exists since version %d, but the model "
               "imports opset %d of its domain", n->op->rows[0].since,
               n->version);
    return;
  }
  set_version(n, row->since);
  bool fine = check_ports(n, row, false) && check_ports(n, row, true);
  check_attrs(n, row);
  if (fine) row_types(n, row);
}

/* The unknown operators of a model, each once, in order of appearance. */
typedef struct { Node *first; int count; } Unknown;

static void note_unknown(Map *unknown, Node *n)
{
  Arena *a = &n->g->m->arena;
  char *key = arena_printf(a, "%s %d %s", n->domain, n->version, n->op_type);
  Unknown **u = (Unknown **)map_at(unknown, key, strlen(key));
  if (!*u) {
    *u = NEW(a, Unknown, 1);
    (*u)->first = n;
  }
  (*u)->count++;
  n->bad = true;
  for (int i = 0; i < n->nout; i++)
    if (n->out[i]) n->out[i]->bad = true;
}

/* What to do without an operator that we refuse; NULL names: any of them. */
static const struct { const char *domain, *op, *remedy; } refused[] = {
  {"com.microsoft.nchwc", NULL, "it is a layout of one processor; let "
   "onnxruntime save its optimised model at level ORT_ENABLE_EXTENDED"},
  {"com.microsoft", "BeamSearch", SEARCH},
  {"com.microsoft", "WhisperBeamSearch", SEARCH},
  {"com.microsoft", "GreedySearch", SEARCH},
  {"com.microsoft", "Sampling", SEARCH},
  {"com.microsoft", "MoE", EXPERTS},
  {"com.microsoft", "QMoE", EXPERTS},
};

static const char *remedy_of(const Node *n)
{
  for (int i = 0; i < COUNT(refused); i++)
    if (!strcmp(refused[i].domain, n->domain) &&
        (!refused[i].op || !strcmp(refused[i].op, n->op_type)))
      return refused[i].remedy;
  return "onnx2c --list-ops prints what is, and --custom adds your own";
}

static void fail_unknown(Node *n, const char *more)
{
  Arena *a = &n->g->m->arena;
  fail_unsupported(n, "operator %s of domain %s, opset %d, is not supported"
                   "%s; %s", quote(a, n->op_type),
                   quote(a, *n->domain ? n->domain : "ai.onnx"), n->version,
                   more, remedy_of(n));
}

void schema_unknown(Node *n)
{
  fail_unknown(n, "");
}

static void report_unknown(const Map *unknown)
{
  for (int i = 0; i < unknown->n; i++) {
    const Unknown *u = unknown->slot[i].value;
    Node *n = u->first;
    Arena *a = &n->g->m->arena;
    const char *more = u->count == 1 ? "" :
      arena_printf(a, " (%d nodes use it)", u->count);
    fail_unknown(n, more);
  }
}

static void check_graph(Graph *g, Map *unknown)
{
  for (Node *n = g->first; n; n = n->next) {
    if (!n->op) n->op = custom_find(g->m, n->domain, n->op_type);
    if (n->op && n->op->flags & OP_INTERNAL) n->op = NULL;
    if (n->version <= 0)
      fail_model(n, "the model imports no opset for the domain %s of this "
                 "node; add it to opset_import",
                 quote(&g->m->arena, *n->domain ? n->domain : "ai.onnx"));
    else if (n->op) check_known(n);
    else if (!g->outer) note_unknown(unknown, n);
    for (int i = 0; i < n->nattr; i++)
      if (n->attr[i].type == AT_GRAPH && n->attr[i].g)
        check_graph(n->attr[i].g, unknown);
  }
}

void schema_check(Graph *g)
{
  Map unknown;
  map_init(&unknown, &g->m->arena);
  check_graph(g, &unknown);
  report_unknown(&unknown);
}

static void list_ports(FILE *f, Arena *a, const OpDef *op, const OpRow *row,
                       bool outputs)
{
  SigIter it = sig_of(op, row, outputs);
  Port p;
  while (sig_next(&it, &p)) {
    bool any = span_is(p.type, "*");
    fprintf(f, "  %s %.*s%s%s: %s\n", outputs ? "out" : "in", (int)p.name.n,
            p.name.s, p.optional ? "?" : "", p.variadic ? "..." : "",
            any ? "*" : set_text(a, type_set(op, row, p.type)));
  }
}

void schema_list(FILE *f, Arena *a)
{
  for (int i = 0; i < op_count(); i++) {
    const OpDef *op = op_at(i);
    if (op->flags & OP_INTERNAL) continue;
    for (int k = 0; k < op->nrow; k++) {
      const OpRow *row = &op->rows[k];
      const char *domain = op->domain && *op->domain ? op->domain : "ai.onnx";
      fprintf(f, "%s %s %d%s\n", op->name, domain, row->since,
              row->upgrade ? " upgrade" : "");
      list_ports(f, a, op, row, false);
      list_ports(f, a, op, row, true);
      for (const char *s = op_row_text(op, row, ROW_ATTRS); *s;) {
        s += strspn(s, " ");
        size_t n = strcspn(s, " ");
        if (n) fprintf(f, "  attr %.*s\n", (int)n, s);
        s += n;
      }
    }
  }
}
