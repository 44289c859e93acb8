/* SPDX-License-Identifier: Apache-2.0 */
/* The file becomes a Model, faithfully: nodes keep the version that the file
 * states, nothing is rewritten, and names are data.
 *
 * A graph is read in two rounds. The first makes a Value of each name that
 * something makes (initializer, input, output of a node); the second makes the
 * nodes, so that reading works in any order of the file. import_order then
 * sorts the nodes where the file didn't. Graphs in attributes (bodies) see
 * the names around them through Scope.outer; a function's nodes see only the
 * call's, and go to the graph of the call (import_function.c).
 *
 * An initializer that is also a graph input (all of them in IR version 3 and
 * before, by choice later) is a constant: ONNX calls it the input's default,
 * and what can be given at run time must not be an initializer. */
#include "custom.h"
#include "import.h"
#include <string.h>

#define IR_KNOWN 14      /* Version.IR_VERSION of proto/onnx.proto */
#define MAX_NESTING 200  /* of graphs and calls of functions */
#define MAX_ERRORS 1000  /* then the file is noise, and reading on is no use */

Import *import_state(Model *m)
{
  if (m->import) return m->import;
  Import *im = NEW(&m->arena, Import, 1);
  im->m = m;
  im->tmp.panic = &m->panic;
  im->memory = (Diag){.sev = SEV_ERROR, .code = EXIT_ENVIRONMENT,
                      .text = arena_printf(&m->arena, "%s: out of memory while "
                                           "reading the model", m->file)};
  im->pb = (Pb){.m = m, .tmp = &im->tmp};
  map_init(&im->functions, &im->tmp);
  map_init(&im->symbols, &im->tmp);
  map_init(&im->shadowed, &im->tmp);
  map_init(&im->prefixes, &im->tmp);
  m->import = im;
  return im;
}

const char *domain_name(const char *domain)
{
  return !domain || !strcmp(domain, "ai.onnx") ? "" : domain;
}

int opset_version(const Opset *o, int n, const char *domain)
{
  for (int i = 0; i < n; i++)
    if (!strcmp(o[i].domain, domain)) return o[i].version;
  return 0;
}

Opset *import_opsets(Import *im, Onnx__OperatorSetIdProto **p, size_t n,
                     int *count)
{
  Opset *o = NEW(&im->m->arena, Opset, n);
  *count = 0;
  for (size_t i = 0; i < n; i++) {
    const char *domain = domain_name(p[i]->domain);
    int64_t v = p[i]->version;
    int known = opset_version(o, *count, domain);
    if (v < 1 || v > INT32_MAX)
      diag_model(im->m, SEV_ERROR, EXIT_MODEL, "opset_import of %s has version "
                 "%lld; the first one is 1", quote(&im->tmp, domain),
                 (long long)v);
    else if (known && known != v)
      diag_model(im->m, SEV_ERROR, EXIT_MODEL, "opset_import names %s twice, "
                 "with versions %d and %lld; keep one", quote(&im->tmp, domain),
                 known, (long long)v);
    else if (!known)
      o[(*count)++] = (Opset){arena_str(&im->m->arena, domain), (int)v};
  }
  return o;
}

/* --- Names ---------------------------------------------------------------- */

Bind *scope_find(Scope *sc, const char *name)
{
  return map_get(&sc->names, name, strlen(name));
}

Bind *scope_bind(Scope *sc, const char *name, Value *v, bool made)
{
  Bind *b = NEW(sc->names.a, Bind, 1);
  *b = (Bind){v, made};
  *map_at(&sc->names, name, strlen(name)) = b;
  return b;
}

/* A value of a node of the scope, known by `name`. */
static Value *scope_value(Scope *sc, const char *name)
{
  if (*sc->path) name = arena_printf(sc->names.a, "%s%s", sc->path, name);
  Value *v = value_new(sc->g, name, DT_NONE, -1, NULL);
  v->file = !*sc->path;
  return v;
}

void scope_declare(Scope *sc, const Onnx__NodeProto *np)
{
  for (size_t i = 0; i < np->n_output; i++)
    if (*np->output[i] && !scope_find(sc, np->output[i]))
      scope_bind(sc, np->output[i], scope_value(sc, np->output[i]), false);
}

Value *scope_read(Scope *sc, Node *n, const char *name)
{
  if (!*name) return NULL;
  for (Scope *s = sc; s; s = s->outer) {
    Bind *b = scope_find(s, name);
    if (b) return b->v;
  }
  fail_model(n, "reads %s, which nothing makes; check the names of its inputs",
             quote(&n->g->m->arena, name));
  Value *v = scope_value(sc, name);
  v->bad = true;
  scope_bind(sc, name, v, true);
  return v;
}

Value *scope_make(Scope *sc, Node *n, const char *name)
{
  if (!*name) return NULL;
  Bind *b = scope_find(sc, name);
  if (b && !b->made) {
    b->made = true;
    return b->v;
  }
  fail_model(n, "makes %s, which is made already; a value has one maker: "
             "rename one of them", quote(&n->g->m->arena, name));
  Value *v = scope_value(sc, name);
  v->bad = true;
  return v;
}

/* --- Nodes ---------------------------------------------------------------- */

static const Origin *origin_of(Import *im, Scope *sc, const Node *n, int index)
{
  Origin *o = NEW(&im->m->arena, Origin, 1);
  *o = (Origin){.index = sc->index < 0 ? index : sc->index, .name = n->name,
                .op = n->op_type, .version = n->version,
                .id = ++im->m->norigin};
  return o;
}

static int node_version(Import *im, Scope *sc, Node *n)
{
  int v = opset_version(sc->opset, sc->nopset, n->domain);
  if (!v) v = opset_version(im->m->opset, im->m->nopset, n->domain);
  return v;
}

/* ONNX Gradient-1 names values in its attributes: y, those of xs, those of zs
 * are inputs behind the given ones, as inputs are what orders nodes. */
static void add_named_inputs(Scope *sc, Node *n)
{
  static const char *const list[] = {"y", "xs", "zs"};
  if (strcmp(n->domain, "ai.onnx.preview.training") ||
      strcmp(n->op_type, "Gradient"))
    return;
  for (int i = 0; i < COUNT(list); i++) {
    const Attr *a = attr_get(n, list[i]);
    if (a && a->type == AT_STR)
      node_set_input(n, n->nin, scope_read(sc, n, a->s.p));
    for (int k = 0; a && a->type == AT_STRS && k < a->n; k++)
      node_set_input(n, n->nin, scope_read(sc, n, a->strs[k].p));
  }
}

void import_node(Import *im, Scope *sc, const Onnx__NodeProto *np, int index)
{
  Arena *a = &im->m->arena;
  Function *f = function_find(im, np);
  const char *op = np->op_type ? np->op_type : "";
  Node *n = f ? NEW(a, Node, 1)
            : node_new(sc->g, NULL, op, (int)np->n_input,
                       (int)np->n_output, NULL);
  n->g = sc->g;
  if (f) n->op_type = arena_str(a, op);
  n->domain = arena_str(a, domain_name(np->domain));
  n->name = arena_printf(a, "%s%s", sc->path, np->name ? np->name : "");
  n->version = node_version(im, sc, n);
  n->origin = origin_of(im, sc, n, index);
  if (!*op) fail_model(n, "has no op_type; the file is damaged");
  if (f) {
    import_call(im, sc, np, n, f);
    return;
  }
  n->op = custom_find(im->m, n->domain, n->op_type);
  if (!n->version && *op)
    fail_model(n, "is of domain %s, which the model does not import; add it "
               "to opset_import", quote(a, n->domain));
  for (size_t i = 0; i < np->n_input; i++)
    node_set_input(n, (int)i, scope_read(sc, n, np->input[i]));
  for (size_t i = 0; i < np->n_output; i++)
    node_set_output(n, (int)i, scope_make(sc, n, np->output[i]));
  import_attrs(im, sc, n, np);
  add_named_inputs(sc, n);
}

/* --- Graphs --------------------------------------------------------------- */

static bool visible_outside(Scope *sc, const char *name)
{
  for (Scope *s = sc->outer; s; s = s->outer)
    if (scope_find(s, name)) return true;
  return false;
}

/* ONNX forbids it; the inner one is meant, as in any language. */
static void warn_shadowed(Import *im, Scope *sc)
{
  for (int i = 0; sc->outer && i < sc->names.n; i++) {
    const struct MapSlot *s = &sc->names.slot[i];
    if (!visible_outside(sc, s->key)) continue;
    void **seen = map_at(&im->shadowed, s->key, s->len);
    if (!*seen)
      diag_model(im->m, SEV_WARNING, EXIT_OK, "%s in a nested graph hides the "
                 "value of that name outside; names should differ",
                 quote(&im->tmp, s->key));
    *seen = im;
  }
}

static void add_constant(Import *im, Scope *sc, const char *name,
                         const Tensor *t)
{
  if (scope_find(sc, name)) {
    diag_model(im->m, SEV_ERROR, EXIT_MODEL, "two initializers are called %s; "
               "rename one", quote(&im->tmp, name));
    return;
  }
  const Dim *dim[MAX_RANK] = {NULL};
  for (int k = 0; t && k < t->rank; k++)
    dim[k] = dim_int(&im->m->dims, t->dim[k]);
  Value *v = value_new(sc->g, name, t ? t->dtype : DT_NONE,
                       t ? t->rank : -1, dim);
  v->data = t;
  v->bad = !t;
  v->file = true;
  scope_bind(sc, name, v, true);
}

static void add_initializers(Import *im, Scope *sc, const Onnx__GraphProto *gp)
{
  size_t n = gp->n_initializer + gp->n_sparse_initializer;
  for (size_t i = 0; i < n && im->m->nerror < MAX_ERRORS; i++) {
    bool sparse = i >= gp->n_initializer;
    const Onnx__SparseTensorProto *sp = !sparse ? NULL
      : gp->sparse_initializer[i - gp->n_initializer];
    const Onnx__TensorProto *tp = sparse ? sp->values : gp->initializer[i];
    if (!tp || !tp->name || !*tp->name) {
      diag_model(im->m, SEV_ERROR, EXIT_MODEL, "%sinitializer %zu has no name; "
                 "remove it or name it", sparse ? "sparse_" : "",
                 sparse ? i - gp->n_initializer : i);
      continue;
    }
    Place at = {im, NULL, arena_printf(&im->tmp, "initializer %s",
                                       quote(&im->tmp, tp->name))};
    add_constant(im, sc, tp->name, sparse ? import_sparse(&at, &im->pb, sp)
                                   : import_tensor(&at, &im->pb, tp));
  }
}

static void check_default(Import *im, const Value *v,
                          const Onnx__ValueInfoProto *vi)
{
  int32_t want = vi->type && vi->type->tensor_type
    ? vi->type->tensor_type->elem_type : 0;
  if (v->data && want && want != (int32_t)v->dtype)
    diag_model(im->m, SEV_ERROR, EXIT_MODEL, "initializer %s is of type %s, "
               "and as an input of type %d; make them equal",
               quote(&im->tmp, v->name), dtype_info(v->dtype)->onnx, want);
}

static void add_inputs(Import *im, Scope *sc, const Onnx__GraphProto *gp)
{
  Graph *g = sc->g;
  for (size_t i = 0; i < gp->n_input && im->m->nerror < MAX_ERRORS; i++) {
    const char *name = gp->input[i]->name;
    if (!name || !*name) {
      diag_model(im->m, SEV_ERROR, EXIT_MODEL, "graph input %zu has no name; "
                 "name it", i);
      continue;
    }
    Bind *b = scope_find(sc, name);
    if (b && b->v->data && !b->v->is_input) {
      check_default(im, b->v, gp->input[i]);
      continue;
    }
    if (b && !b->v->bad)
      diag_model(im->m, SEV_ERROR, EXIT_MODEL, "two graph inputs are called "
                 "%s; rename one", quote(&im->tmp, name));
    if (b) continue;
    Value *v = value_new(g, name, DT_NONE, -1, NULL);
    v->file = true;
    scope_bind(sc, name, v, true);
    graph_add_input(g, v);
    if (sc->outer) import_declared(im, v, gp->input[i]);
    else import_input(im, v, gp->input[i]);
  }
}

/* An output that the graph doesn't make itself goes through an Identity, so
 * that a graph's outputs are its own values. */
static Value *own_output(Scope *sc, Value *v)
{
  if (v->g == sc->g) return v;
  Node *n = node_new(sc->g, NULL, "Identity", 1, 1, NULL);
  int version = opset_version(sc->opset, sc->nopset, "");
  n->version = version ? version : 1;
  n->domain = n->name = "";
  n->op = op_find("", "Identity");
  node_set_input(n, 0, v);
  Value *out = value_new(sc->g, v->name, DT_NONE, -1, NULL);
  out->kind = v->kind;
  node_set_output(n, 0, out);
  return out;
}

static Value *output_value(Import *im, Scope *sc, const char *name)
{
  for (Scope *s = sc; s; s = s->outer) {
    Bind *b = scope_find(s, name);
    if (b && b->v) return own_output(sc, b->v);
  }
  diag_model(im->m, SEV_ERROR, EXIT_MODEL, "graph output %s is made by no "
             "node; check its name", quote(&im->tmp, name));
  return NULL;
}

static void add_outputs(Import *im, Scope *sc, const Onnx__GraphProto *gp)
{
  Graph *g = sc->g;
  for (size_t i = 0; i < gp->n_output; i++) {
    const char *name = gp->output[i]->name;
    if (!name || !*name) {
      diag_model(im->m, SEV_ERROR, EXIT_MODEL, "graph output %zu has no name; "
                 "name it", i);
      continue;
    }
    Value *v = output_value(im, sc, name);
    if (!v) continue;
    /* A body may give one value twice: Loop carries it and collects it. */
    if (v->is_output && !sc->outer && v->g == g)
      diag_model(im->m, SEV_ERROR, EXIT_MODEL, "two graph outputs are called "
                 "%s; keep one", quote(&im->tmp, name));
    graph_add_output(g, v);
    if (v->declared || v->is_input || v->data) continue;
    import_declared(im, v, gp->output[i]);
  }
  if (!gp->n_output && !sc->outer)
    diag_model(im->m, SEV_ERROR, EXIT_MODEL, "the graph has no outputs, so "
               "there is nothing to compute; name some");
}

static void add_value_info(Import *im, Scope *sc, const Onnx__GraphProto *gp)
{
  for (size_t i = 0; i < gp->n_value_info; i++) {
    const char *name = gp->value_info[i]->name;
    Bind *b = name ? scope_find(sc, name) : NULL;
    if (b && b->v && b->v->g == sc->g && !b->v->is_input && !b->v->data)
      import_declared(im, b->v, gp->value_info[i]);
  }
}

Graph *import_graph(Import *im, const Onnx__GraphProto *gp, Scope *outer)
{
  Scope sc = outer ? *outer : (Scope){.path = "", .index = -1};
  const char *name = gp->name ? gp->name : "";
  sc.g = outer ? graph_new(im->m, outer->g, name) : im->m->main;
  if (!outer) sc.g->name = arena_str(&im->m->arena, name);
  sc.outer = outer;
  if (!outer) {
    sc.opset = im->m->opset;
    sc.nopset = im->m->nopset;
    import_symbols(im, gp);
  }
  map_init(&sc.names, &im->tmp);
  if (++im->depth > MAX_NESTING) {
    diag_model(im->m, SEV_ERROR, EXIT_UNSUPPORTED, "graphs and functions nest "
               "more than %d deep; flatten them", MAX_NESTING);
    im->depth--;
    return sc.g;
  }
  add_initializers(im, &sc, gp);
  add_inputs(im, &sc, gp);
  for (size_t i = 0; i < gp->n_node; i++) scope_declare(&sc, gp->node[i]);
  add_value_info(im, &sc, gp);
  warn_shadowed(im, &sc);
  for (size_t i = 0; i < gp->n_node && im->m->nerror < MAX_ERRORS; i++)
    import_node(im, &sc, gp->node[i], (int)i);
  add_outputs(im, &sc, gp);
  import_order(im, sc.g);
  im->depth--;
  return sc.g;
}

/* --- The model ------------------------------------------------------------ */

static void import_header(Import *im, const Onnx__ModelProto *mp)
{
  Model *m = im->m;
  m->ir_version = mp->ir_version;
  if (mp->ir_version < 1)
    diag_model(m, SEV_ERROR, EXIT_MODEL, "ir_version is missing: the file is "
               "not an ONNX model, or damaged");
  if (mp->ir_version > IR_KNOWN)
    diag_model(m, SEV_WARNING, EXIT_OK, "IR version %lld is newer than %d, the "
               "newest this program knows: fields it adds are ignored",
               (long long)mp->ir_version, IR_KNOWN);
  m->opset = import_opsets(im, mp->opset_import, mp->n_opset_import,
                           &m->nopset);
  /* ONNX IR-3: before it there were no operator sets, all was version 1. */
  if (!m->nopset && mp->ir_version < 3) {
    m->opset = NEW(&m->arena, Opset, 1);
    m->opset[m->nopset++] = (Opset){"", 1};
  }
  if (!mp->n_opset_import && mp->ir_version >= 3)
    diag_model(m, SEV_ERROR, EXIT_MODEL, "opset_import is empty: add the "
               "version of the operators (domain \"\")");
  m->meta = NEW(&m->arena, Meta, mp->n_metadata_props);
  for (size_t i = 0; i < mp->n_metadata_props; i++) {
    const Onnx__StringStringEntryProto *e = mp->metadata_props[i];
    m->meta[m->nmeta++] = (Meta){arena_str(&m->arena, e->key ? e->key : ""),
      arena_str(&m->arena, e->value ? e->value : "")};
  }
  if (mp->n_training_info)
    diag_model(m, SEV_WARNING, EXIT_OK, "training_info is ignored: inference "
               "only");
}

const char *import_other(const void *p, size_t n)
{
  static const struct { const char *magic; size_t n; const char *what; }
  is[] = {
    {"version https://git-lfs", 23, "a Git LFS pointer: run git lfs pull"},
    {"PK\3\4", 4, "a ZIP archive (of PyTorch?): export it to ONNX"},
    {"\x1f\x8b", 2, "compressed: unpack it with gunzip"},
    {"<!DOCTYPE", 9, "a web page: the download went wrong"},
    {"<html", 5, "a web page: the download went wrong"},
  };
  if (!n) return "empty: get it again";
  for (int i = 0; i < COUNT(is); i++)
    if (n >= is[i].n && !memcmp(p, is[i].magic, is[i].n)) return is[i].what;
  if (n >= 8 && !memcmp((const char *)p + 4, "ORTM", 4))
    return "in the format of ONNX Runtime: use the .onnx it was made of";
  return NULL;
}

static void import_main(Import *im, const Onnx__ModelProto *mp)
{
  Model *m = im->m;
  custom_read(m);
  import_header(im, mp);
  if (!mp->graph) {
    diag_model(m, SEV_ERROR, EXIT_MODEL, "there is no graph in it: not an ONNX "
               "model, or damaged");
    return;
  }
  if (m->nerror) return;
  import_functions(im, mp);
  import_graph(im, mp->graph, NULL);
  same_import(m);
}

static void import_model(Import *im, const void *p, size_t n)
{
  Model *m = im->m;
  const char *other = import_other(p, n);
  if (other) {
    diag_model(m, SEV_ERROR, EXIT_MODEL, "the file is %s", other);
    return;
  }
  m->map = p;
  m->map_size = n;
  im->pb.p = p;
  im->pb.n = n;
  const Onnx__ModelProto *mp =
    (const void *)pb_read(&im->pb, &onnx__model_proto__descriptor);
  if (!mp) return;
  import_main(im, mp);
  if (m->nerror) return;
  sha256_hex(p, n, m->sha256);
}

/* Where the model is: a file, bytes, or messages that have been read. */
typedef struct {
  const char *path;
  const void *p;
  size_t n;
  const Pb *pb;
  const Onnx__ModelProto *mp;
} Source;

/* What only the import needs is freed, also when memory ran out. Afterwards
 * the caller says where a panic goes. */
static Model *import_guarded(Model *m, const Source *s)
{
  m->arena.panic = &m->panic;
  if (!setjmp(m->panic)) {
    Import *im = import_state(m);
    const char *why = NULL;
    const FileMap *f = s->path ? file_map(im, s->path, &why) : NULL;
    if (why) {
      diag_model(m, SEV_ERROR, EXIT_USAGE, "cannot be read: %s", why);
    } else if (s->mp) {
      im->pb = *s->pb;
      im->pb.m = m;
      import_main(im, s->mp);
    } else {
      import_model(im, f ? f->p : s->p, f ? f->n : s->n);
    }
  } else if (m->import) {
    Diag *d = &((Import *)m->import)->memory;
    if (m->panic_text) d->text = m->panic_text;
    if (m->diag_last) m->diag_last->next = d;
    else m->diags = d;
    m->diag_last = d;
    m->nerror++;
  }
  Import *im = m->import;
  if (im) {
    sb_free(&im->pb.skel);
    arena_free(&im->tmp);
    im->tmp.panic = NULL;
  }
  m->arena.panic = NULL;
  return m;
}

Model *import_file(const Options *opt, const char *path)
{
  Source s = {.path = path};
  return import_guarded(model_new(opt, path), &s);
}

Model *import_memory(const Options *opt, const char *path, const void *p,
                     size_t n)
{
  Source s = {.p = p, .n = n};
  return import_guarded(model_new(opt, path), &s);
}

Model *import_message(const Options *opt, const char *path, const Pb *pb,
                      const Onnx__ModelProto *mp)
{
  Source s = {.pb = pb, .mp = mp};
  return import_guarded(model_new(opt, path), &s);
}
