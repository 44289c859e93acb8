/* SPDX-License-Identifier: Apache-2.0 */
/* fold: what can be computed now becomes initializers.
 *
 * The model is imported as a compile does it, from the messages as they are,
 * and inferred; what inference finds of shapes, and what reference kernels
 * compute of constants, is then looked up by name and written back. Claims of
 * the file (value_info, types of outputs) are left out of that import, and so
 * are initializers that a caller may replace: what is folded must hold for any
 * input. An operator that onnx2c lacks only stops what depends on it.
 *
 * A result may be as large as the constants that it is made of, and 64 KB more;
 * or as large as LIMIT says. What QuantizeLinear and DequantizeLinear make
 * stays, and all that is computed from it, so that quantised models stay so.
 * Bodies are folded by their own constant nodes, as a small model each. */
#include "steps.h"
#include <string.h>

#define SMALL_BYTES 65536
#define ROUNDS 50 /* of Ifs in branches of Ifs */

typedef struct {
  Edit *e;
  int64_t limit;     /* bytes of a result; -1: relative to what it is made of */
  Look look;
  Map kept;          /* names that depend on Quantize or Dequantize */
  Map used;          /* names that something still reads */
  int folded;
} Fold;

static bool keeps(const char *op)
{
  return !strcmp(op, "QuantizeLinear") || !strcmp(op, "DequantizeLinear") ||
         !strcmp(op, "DynamicQuantizeLinear");
}

static int64_t bytes(const Value *v)
{
  int64_t n;
  if (v->data) return v->data->n * dtype_info(v->data->dtype)->size;
  if (v->rank < 0 || !dim_is_int(value_numel(v), &n)) return INT64_MAX;
  return n > INT64_MAX / 64 ? INT64_MAX : n * dtype_info(v->dtype)->size;
}

static bool fits(const Fold *f, int64_t in, int64_t out)
{
  return f->limit >= 0 ? out <= f->limit : out <= in || out - in <= SMALL_BYTES;
}

/* --- In the IR ------------------------------------------------------------ */

static bool worth_it(const Fold *f, const Node *n)
{
  int64_t in = 0, out = 0;
  bool known = true;
  for (int i = 0; i < n->nin; i++) {
    if (!n->in[i]) continue;
    if (!n->in[i]->data || n->in[i]->bad) return false;
    in += bytes(n->in[i]);
  }
  for (int i = 0; i < n->nout; i++) {
    if (!n->out[i]) continue;
    if (n->out[i]->bad || n->out[i]->kind != VK_TENSOR) return false;
    known &= n->out[i]->data != NULL;
    int64_t b = bytes(n->out[i]);
    if (b == INT64_MAX) return false;
    out += b;
  }
  return !known && fits(f, in, out);
}

static void evaluate(const Fold *f, const Graph *g)
{
  for (Node *n = g->first; n; n = n->next)
    if (n->op && !n->bad && !(n->op->flags & OP_RANDOM) &&
        !keeps(n->op_type) && worth_it(f, n))
      eval_node(n);
}

/* False where nothing could be learnt. */
static bool look(Fold *f, const ModelProto *mp)
{
  if (!look_open(f->e, mp, &f->look)) return false;
  Model *m = f->look.m;
  bool fine = !MODEL_EDGE(m);
  if (fine) evaluate(f, m->main);
  m->arena.panic = NULL;
  return fine;
}

/* --- In the messages ------------------------------------------------------ */

static bool has(const Map *m, const char *name)
{
  return map_get(m, name, strlen(name)) != NULL;
}

static void put(Map *m, const char *name)
{
  *map_at(m, name, strlen(name)) = m;
}

static const Value *constant(const Fold *f, const char *name)
{
  const Value *v = look_at(&f->look, name);
  return v && v->data ? v : NULL;
}

/* Names that a node reads, in its bodies too. */
static void reads(Fold *f, Map *to, const NodeProto *n)
{
  GraphProto **g;
  int count = node_graphs(f->e, n, &g);
  for (size_t i = 0; i < n->n_input; i++) put(to, n->input[i]);
  for (int k = 0; k < count; k++) {
    for (size_t i = 0; i < g[k]->n_node; i++) reads(f, to, g[k]->node[i]);
    for (size_t i = 0; i < g[k]->n_output; i++)
      put(to, g[k]->output[i]->name);
  }
}

/* Is something that the node makes to be left, since it is quantised? */
static bool is_kept(Fold *f, const NodeProto *n)
{
  Map in;
  bool kept = keeps(n->op_type);
  map_init(&in, f->e->a);
  reads(f, &in, n);
  for (int i = 0; i < in.n && !kept; i++) kept = has(&f->kept, in.slot[i].key);
  if (!strcmp(n->op_type, "Shape") || !strcmp(n->op_type, "Size"))
    return false;
  for (size_t i = 0; kept && i < n->n_output; i++)
    put(&f->kept, n->output[i]);
  return kept;
}

static bool is_output(const GraphProto *g, const NodeProto *n)
{
  for (size_t i = 0; i < g->n_output; i++)
    for (size_t k = 0; k < n->n_output; k++)
      if (*n->output[k] && !strcmp(g->output[i]->name, n->output[k]))
        return true;
  return false;
}

static bool foldable(Fold *f, const GraphProto *g, const NodeProto *n)
{
  int64_t in = 0, out = 0;
  int found = 0;
  bool copy = !strcmp(n->op_type, "Constant") ||
              (!strcmp(n->op_type, "Identity") && n->n_input == 1 &&
               constant(f, n->input[0]));
  if (is_kept(f, n) || (copy && is_output(g, n))) return false;
  for (size_t i = 0; i < n->n_output; i++) {
    if (!*n->output[i]) continue;
    const Value *v = constant(f, n->output[i]);
    if (!v) return false;
    out += bytes(v);
    found++;
  }
  for (size_t i = 0; i < n->n_input; i++) {
    const Value *v = constant(f, n->input[i]);
    if (v) in += bytes(v);
  }
  return found && (!strcmp(n->op_type, "Constant") || fits(f, in, out));
}

typedef struct { NodeProto **node; size_t n_node; } Nodes;

/* The output becomes an initializer; one of the graph, a copy of one. */
static void give(Fold *f, GraphProto *g, const char *name, bool output,
                 Nodes *to)
{
  Edit *e = f->e;
  Body b = {.g = g};
  const char *as = output ? edit_fresh(e, arena_printf(e->a, "%s_value", name))
                          : name;
  body_add_initializer(e, &b, tensor_write(e, as, constant(f, name)->data));
  if (!output) return;
  NodeProto *n = edit_node(e, "Identity", "");
  node_add_input(e, n, as);
  node_add_output(e, n, name);
  LIST_ADD(e, to, node, n);
}

/* Constant's own tensor, so that its payload is not copied. */
static bool move_tensor(Fold *f, GraphProto *g, NodeProto *n)
{
  Body b = {.g = g};
  AttributeProto *a = strcmp(n->op_type, "Constant") ? NULL
                                                     : node_attr(n, "value");
  if (!a || !a->t) return false;
  a->t->name = n->output[0];
  body_add_initializer(f->e, &b, a->t);
  return true;
}

static void replace(Fold *f, GraphProto *g, NodeProto *n, Nodes *to)
{
  bool output = is_output(g, n);
  for (size_t o = 0; o < n->n_output; o++)
    if (*n->output[o] && has(&f->used, n->output[o]) &&
        (output || !move_tensor(f, g, n)))
      give(f, g, n->output[o], output, to);
}

/* Initializers that only folded nodes read; and value_info of what is gone. */
static void sweep(Fold *f, GraphProto *g, const Map *read, const Map *made)
{
  Map gone;
  size_t k = 0;
  map_init(&gone, f->e->a);
  for (size_t i = 0; i < g->n_initializer; i++) {
    const char *name = g->initializer[i]->name;
    if (has(read, name) && !has(&f->used, name)) put(&gone, name);
    else g->initializer[k++] = g->initializer[i];
  }
  g->n_initializer = k;
  k = 0;
  for (size_t i = 0; i < g->n_input; i++) /* ONNX IR-3 lists them there too */
    if (!has(&gone, g->input[i]->name)) g->input[k++] = g->input[i];
  g->n_input = k;
  k = 0;
  for (size_t i = 0; i < g->n_value_info; i++)
    if (!has(made, g->value_info[i]->name) &&
        !has(&gone, g->value_info[i]->name))
      g->value_info[k++] = g->value_info[i];
  g->n_value_info = k;
}

static void fold_graph(Fold *f, GraphProto *g)
{
  Edit *e = f->e;
  bool *gone = NEW(e->a, bool, g->n_node);
  Map read, made;
  Nodes left = {0};
  int folded = f->folded;
  map_init(&f->used, e->a);
  map_init(&f->kept, e->a);
  map_init(&read, e->a);
  map_init(&made, e->a);
  for (size_t i = 0; i < g->n_node; i++) {
    NodeProto *n = g->node[i];
    gone[i] = foldable(f, g, n);
    f->folded += gone[i];
    reads(f, gone[i] ? &read : &f->used, n);
    for (size_t k = 0; gone[i] && k < n->n_output; k++)
      put(&made, n->output[k]);
  }
  if (f->folded == folded) return;
  for (size_t i = 0; i < g->n_output; i++) put(&f->used, g->output[i]->name);
  for (size_t i = 0; i < g->n_node; i++)
    if (gone[i]) replace(f, g, g->node[i], &left);
    else LIST_ADD(e, &left, node, g->node[i]);
  g->node = left.node;
  g->n_node = left.n_node;
  sweep(f, g, &read, &made);
}

/* --- Bodies --------------------------------------------------------------- */

/* Constants that a body sees: its own initializers, and those around it. */
typedef struct Seen {
  const struct Seen *outer;
  Map init;              /* -> TensorProto */
} Seen;

static TensorProto *seen(const Seen *s, const char *name)
{
  TensorProto *t = NULL;
  for (; s && !t; s = s->outer) t = map_get(&s->init, name, strlen(name));
  return t;
}

static void see(Fold *f, Seen *s, const GraphProto *g)
{
  map_init(&s->init, f->e->a);
  for (size_t i = 0; i < g->n_initializer; i++) {
    const char *name = g->initializer[i]->name;
    *map_at(&s->init, name, strlen(name)) = g->initializer[i];
  }
  /* What a caller may replace is no constant. */
  for (size_t i = 0; f->e->mp->ir_version >= 4 && i < g->n_input; i++)
    if (has(&s->init, g->input[i]->name))
      *map_at(&s->init, g->input[i]->name, strlen(g->input[i]->name)) = NULL;
}

/* The part of `g` that hangs on constants alone, as a graph; NULL: no node. */
static GraphProto *constant_part(Fold *f, const GraphProto *g, const Seen *s)
{
  Edit *e = f->e;
  GraphProto *part = NEW(e->a, GraphProto, 1), **inner;
  Map made, taken;
  map_init(&made, e->a);
  map_init(&taken, e->a);
  onnx__graph_proto__init(part);
  for (size_t i = 0; i < g->n_node; i++) {
    NodeProto *n = g->node[i];
    bool fixed = !keeps(n->op_type) && !node_graphs(e, n, &inner);
    for (size_t k = 0; k < n->n_input && fixed; k++)
      fixed = !*n->input[k] || has(&made, n->input[k]) || seen(s, n->input[k]);
    if (!fixed) continue;
    LIST_ADD(e, part, node, n);
    for (size_t k = 0; k < n->n_input; k++) {
      TensorProto *t = has(&made, n->input[k]) ? NULL : seen(s, n->input[k]);
      if (t && !has(&taken, n->input[k])) LIST_ADD(e, part, initializer, t);
      put(&taken, n->input[k]);
    }
    for (size_t k = 0; k < n->n_output; k++) {
      if (!*n->output[k]) continue;
      put(&made, n->output[k]);
      LIST_ADD(e, part, output, edit_info(e, n->output[k], DT_NONE, -1, NULL));
    }
  }
  return part->n_node ? part : NULL;
}

static void fold_bodies(Fold *f, GraphProto *g, const Seen *outer)
{
  Edit *e = f->e;
  Seen s = {.outer = outer};
  GraphProto **inner;
  see(f, &s, g);
  GraphProto *part = outer ? constant_part(f, g, &s) : NULL;
  if (part) {
    ModelProto mp = *e->mp;
    mp.graph = part;
    if (look(f, &mp)) fold_graph(f, g);
    look_close(&f->look);
    see(f, &s, g);
  }
  for (size_t i = 0; i < g->n_node; i++) {
    int n = node_graphs(e, g->node[i], &inner);
    for (int k = 0; k < n; k++) fold_bodies(f, inner[k], &s);
  }
}

/* --- Ifs whose condition is known ----------------------------------------- */

/* -1: not known. */
static int condition(Fold *f, const NodeProto *n)
{
  const Tensor *t = NULL;
  if (strcmp(n->op_type, "If") || n->n_input != 1) return -1;
  if (n->domain && *n->domain && strcmp(n->domain, "ai.onnx")) return -1;
  Seen s = {0};
  see(f, &s, f->e->mp->graph);
  TensorProto *p = seen(&s, n->input[0]);
  if (p) t = tensor_read(f->e, p);
  return t && t->dtype == DT_BOOL && t->n == 1 ? tensor_i64(t, 0) != 0 : -1;
}

/* The nodes of the branch take the place of the If. */
static bool flatten(Fold *f)
{
  Edit *e = f->e;
  GraphProto *g = e->mp->graph;
  bool any = false;
  for (size_t i = 0; i < g->n_node; i++) {
    NodeProto *n = g->node[i];
    int yes = condition(f, n);
    AttributeProto *a = yes < 0 ? NULL
                        : node_attr(n, yes ? "then_branch" : "else_branch");
    if (!a || !a->g || a->g->n_output < n->n_output) continue;
    LIST_DROP(g, node, i);
    i += graft_branch(e, g, i, n, a->g) - 1;
    any = true;
  }
  return any;
}

/* --- The step ------------------------------------------------------------- */

/* The main graph without what the file merely claims. */
static GraphProto *unclaimed(Edit *e)
{
  GraphProto *g = NEW(e->a, GraphProto, 1);
  Map init;
  *g = *e->mp->graph;
  g->n_value_info = g->n_output = g->n_initializer = 0;
  g->output = NULL;
  g->initializer = NULL;
  for (size_t i = 0; i < e->mp->graph->n_output; i++)
    LIST_ADD(e, g, output, edit_info(e, e->mp->graph->output[i]->name, DT_NONE,
                                     -1, NULL));
  map_init(&init, e->a);
  for (size_t i = 0; e->mp->ir_version >= 4 && i < g->n_input; i++)
    put(&init, g->input[i]->name);
  for (size_t i = 0; i < e->mp->graph->n_initializer; i++)
    if (!has(&init, e->mp->graph->initializer[i]->name))
      LIST_ADD(e, g, initializer, e->mp->graph->initializer[i]);
  return g;
}

bool step_fold(Edit *e, const EditStep *s)
{
  Fold f = {.e = e, .limit = -1};
  if (s->n && !edit_size(s->arg[0], &f.limit))
    return edit_fail(e, EXIT_USAGE, "%s is no number of bytes; write fold, or "
                     "fold:64K, fold:10M", Q(e, s->arg[0]));
  names_fill(e);
  for (int round = 0; round < ROUNDS; round++) {
    ModelProto mp = *e->mp;
    mp.graph = unclaimed(e);
    if (look(&f, &mp)) fold_graph(&f, e->mp->graph);
    else edit_warn(e, "the main graph can't be inferred, and is not folded; "
                   "onnx2c check says why");
    look_close(&f.look);
    if (!flatten(&f)) break;
  }
  fold_bodies(&f, e->mp->graph, NULL);
  edit_note(e, "%d nodes are constant now", f.folded);
  return true;
}
