/* SPDX-License-Identifier: Apache-2.0 */
/* What names mean: makers, inputs, constants and the number of reads, by name.
 * A name that an inner graph makes itself hides the outer one of that name. */
#include "edit.h"
#include <string.h>

Named *index_get(const Index *x, const char *name)
{
  return name ? map_get(&x->map, name, strlen(name)) : NULL;
}

static Named *index_at(Edit *e, Index *x, const char *name)
{
  void **p = map_at(&x->map, name, strlen(name));
  if (!*p) {
    Named *t = NEW(&e->scratch, Named, 1);
    t->name = name;
    *p = t;
  }
  return *p;
}

static const char *sparse_name(const Onnx__SparseTensorProto *s)
{
  return s->values && s->values->name ? s->values->name : "";
}

static void index_graph(Edit *e, Index *x, const GraphProto *g)
{
  for (size_t i = 0; i < g->n_input; i++) {
    Named *t = index_at(e, x, g->input[i]->name ? g->input[i]->name : "");
    t->input = g->input[i];
    t->is_input = true;
  }
  for (size_t i = 0; i < g->n_initializer; i++) {
    const char *name = g->initializer[i]->name;
    index_at(e, x, name ? name : "")->init = g->initializer[i];
  }
  for (size_t i = 0; i < g->n_sparse_initializer; i++) {
    Named *t = index_at(e, x, sparse_name(g->sparse_initializer[i]));
    t->sparse = g->sparse_initializer[i];
    t->init = t->sparse->values;
  }
}

/* The names that a graph makes: those of outer graphs it does not mean. */
static void own_names(Map *own, const GraphProto *g)
{
  for (size_t i = 0; i < g->n_input; i++)
    if (g->input[i]->name)
      *map_at(own, g->input[i]->name, strlen(g->input[i]->name)) = own;
  for (size_t i = 0; i < g->n_initializer; i++)
    if (g->initializer[i]->name)
      *map_at(own, g->initializer[i]->name,
              strlen(g->initializer[i]->name)) = own;
  for (size_t i = 0; i < g->n_sparse_initializer; i++) {
    const char *s = sparse_name(g->sparse_initializer[i]);
    *map_at(own, s, strlen(s)) = own;
  }
  for (size_t i = 0; i < g->n_node; i++)
    for (size_t k = 0; k < g->node[i]->n_output; k++) {
      const char *s = g->node[i]->output[k];
      if (*s) *map_at(own, s, strlen(s)) = own;
    }
}

/* Calls `visit` for each name that a node, or a graph in it, reads from
 * outside; `hidden` lists the names of inner graphs. The name may be put in
 * the place of another one. */
typedef struct Hidden { const struct Hidden *outer; Map own; } Hidden;
typedef void Visit(Edit *e, char **name, void *user);

static bool is_hidden(const Hidden *h, const char *s)
{
  for (; h; h = h->outer)
    if (map_get(&h->own, s, strlen(s))) return true;
  return false;
}

static void visit_name(Edit *e, char **name, const Hidden *h, Visit *visit,
                       void *user)
{
  if (*name && **name && !is_hidden(h, *name)) visit(e, name, user);
}

/* ONNX Gradient-1 names values in attributes; what they name is read. */
static bool names_values(const NodeProto *n)
{
  return n->op_type && !strcmp(n->op_type, "Gradient") && n->domain &&
         !strcmp(n->domain, "ai.onnx.preview.training");
}

static void visit_strings(Edit *e, AttributeProto *a, uint32_t field,
                          Visit *visit, void *user)
{
  PbIter it = pb_iter(e->pb, a, field);
  PbItem x;
  const char **s = NULL;
  int n = 0;
  bool changed = false;
  while (pb_next(&it, &x)) {
    char *name = arena_strn(e->a, x.s.p, x.s.n), *was = name;
    visit(e, &name, user);
    changed |= name != was;
    s = arena_grow(e->a, s, n, sizeof *s);
    s[n++] = name;
  }
  if (!changed) return;
  pb_clear(e->pb, a, field);
  for (int i = 0; i < n; i++)
    msg_add_bytes(e, a, field, s[i], strlen(s[i]));
}

static void visit_node(Edit *e, NodeProto *n, const Hidden *h, Visit *visit,
                       void *user);

static void visit_graph(Edit *e, GraphProto *g, const Hidden *outer,
                        Visit *visit, void *user)
{
  Hidden h = {.outer = outer};
  map_init(&h.own, &e->scratch);
  own_names(&h.own, g);
  for (size_t i = 0; i < g->n_node; i++)
    visit_node(e, g->node[i], &h, visit, user);
  for (size_t i = 0; i < g->n_output; i++)
    visit_name(e, &g->output[i]->name, &h, visit, user);
}

static void visit_node(Edit *e, NodeProto *n, const Hidden *h, Visit *visit,
                       void *user)
{
  for (size_t i = 0; i < n->n_input; i++)
    visit_name(e, &n->input[i], h, visit, user);
  for (size_t k = 0; k < n->n_attribute; k++) {
    AttributeProto *a = n->attribute[k];
    if (names_values(n)) {
      visit_strings(e, a, FIELD_A_S, visit, user);
      visit_strings(e, a, FIELD_A_STRINGS, visit, user);
    }
    if (a->g) visit_graph(e, a->g, h, visit, user);
    for (size_t j = 0; j < a->n_graphs; j++)
      visit_graph(e, a->graphs[j], h, visit, user);
  }
}

static void count_use(Edit *e, char **name, void *user)
{
  index_at(e, user, *name)->uses++;
}

static void uncount_use(Edit *e, char **name, void *user)
{
  Named *t = index_get(user, *name);
  (void)e;
  if (t) t->uses--;
}

void index_drop(Edit *e, Index *x, NodeProto *n)
{
  visit_node(e, n, NULL, uncount_use, x);
}

/* What training names of the main graph is in use. */
static void count_training(Edit *e, Index *x)
{
  for (size_t i = 0; i < e->mp->n_training_info; i++) {
    Onnx__TrainingInfoProto *t = e->mp->training_info[i];
    for (size_t k = 0; k < t->n_initialization_binding; k++)
      visit_name(e, &t->initialization_binding[k]->key, NULL, count_use, x);
    for (size_t k = 0; k < t->n_update_binding; k++)
      visit_name(e, &t->update_binding[k]->key, NULL, count_use, x);
    if (t->algorithm) visit_graph(e, t->algorithm, NULL, count_use, x);
  }
}

Index *body_index(Edit *e, const Body *b)
{
  Index *x = NEW(&e->scratch, Index, 1);
  map_init(&x->map, &e->scratch);
  if (b->g) index_graph(e, x, b->g);
  for (size_t i = 0; b->f && i < b->f->n_input; i++)
    index_at(e, x, b->f->input[i])->is_input = true;
  for (size_t i = 0; i < body_count(b); i++) {
    NodeProto *n = body_node(b, i);
    for (size_t k = 0; k < n->n_output; k++) {
      if (!*n->output[k]) continue;
      Named *t = index_at(e, x, n->output[k]);
      t->maker = n;
      t->out = k;
    }
  }
  for (size_t i = 0; i < body_count(b); i++)
    visit_node(e, body_node(b, i), NULL, count_use, x);
  if (b->g == e->mp->graph) count_training(e, x);
  for (size_t i = 0; b->g && i < b->g->n_output; i++)
    index_at(e, x, b->g->output[i]->name ? b->g->output[i]->name : "")
      ->is_output = true;
  for (size_t i = 0; b->f && i < b->f->n_output; i++)
    index_at(e, x, b->f->output[i])->is_output = true;
  return x;
}

static void note_read(Edit *e, char **name, void *user)
{
  (void)e;
  *map_at(user, *name, strlen(*name)) = user;
}

const char **node_reads(Edit *e, NodeProto *n, int *count)
{
  Map reads;
  map_init(&reads, &e->scratch);
  visit_node(e, n, NULL, note_read, &reads);
  const char **name = NEW(e->a, const char *, reads.n + 1);
  for (int i = 0; i < reads.n; i++) name[i] = reads.slot[i].key;
  *count = reads.n;
  return name;
}

/* --- Finding -------------------------------------------------------------- */

static bool is_made(const Named *t)
{
  return t && (t->maker || t->is_input || t->init);
}

static const char *near_tensors(Edit *e, const char *name, Body *all, int n)
{
  const char **names = NULL;
  int count = 0;
  for (int i = 0; i < n; i++) {
    Index *x = body_index(e, &all[i]);
    for (int k = 0; k < x->map.n; k++) {
      if (!is_made(x->map.slot[k].value)) continue;
      names = arena_grow(&e->scratch, names, count, sizeof *names);
      names[count++] = x->map.slot[k].key;
    }
  }
  return edit_near(e, name, names, count);
}

bool edit_find_tensor(Edit *e, const char *name, Body **b, Named **t)
{
  int n;
  Body *all = edit_bodies(e, &n);
  for (int i = 0; i < n && *name; i++) {
    Index *x = body_index(e, &all[i]);
    Named *found = index_get(x, name);
    if (!is_made(found)) continue;
    *b = &all[i];
    *t = found;
    return true;
  }
  return edit_fail(e, EXIT_USAGE, "no tensor is called %s%s", Q(e, name),
                   near_tensors(e, name, all, n));
}

static bool makes(const NodeProto *n, const char *name)
{
  for (size_t k = 0; k < n->n_output; k++)
    if (!strcmp(n->output[k], name)) return true;
  return false;
}

bool edit_find_node(Edit *e, const char *name, Body **b, size_t *at)
{
  int n, count = 0;
  int64_t number;
  Body *all = edit_bodies(e, &n);
  const char **names = NULL;
  if (*name == '#' && edit_int(name + 1, &number) && number >= 0 &&
      (uint64_t)number < body_count(all)) {
    *b = all;
    *at = (size_t)number;
    return true;
  }
  for (int by = 0; by < 2 && *name; by++)
    for (int i = 0; i < n; i++)
      for (size_t k = 0; k < body_count(&all[i]); k++) {
        NodeProto *np = body_node(&all[i], k);
        const char *s = np->name ? np->name : "";
        if (by ? !makes(np, name) : strcmp(s, name) != 0) {
          names = arena_grow(&e->scratch, names, count, sizeof *names);
          names[count++] = by || !*s ? np->n_output ? np->output[0] : "" : s;
          continue;
        }
        *b = &all[i];
        *at = k;
        return true;
      }
  return edit_fail(e, EXIT_USAGE, "no node is called %s, or makes a tensor of "
                   "that name%s", Q(e, name), edit_near(e, name, names, count));
}

const char *node_text(Edit *e, const NodeProto *n)
{
  const char *op = n->op_type ? n->op_type : "";
  if (n->name && *n->name)
    return arena_printf(e->a, "node %s (%s)", Q(e, n->name), op);
  return arena_printf(e->a, "the %s that makes %s", op,
                      Q(e, n->n_output ? n->output[0] : ""));
}

/* The names of a step's time, and those made since it began. */
static Map *taken_names(Edit *e)
{
  if (e->taken) return e->taken;
  int n;
  Body *all = edit_bodies(e, &n);
  e->taken = NEW(&e->scratch, Map, 1);
  map_init(e->taken, &e->scratch);
  for (int i = 0; i < n; i++) {
    Index *x = body_index(e, &all[i]);
    for (int k = 0; k < x->map.n; k++)
      *map_at(e->taken, x->map.slot[k].key, x->map.slot[k].len) = e;
    for (size_t k = 0; k < body_count(&all[i]); k++) {
      const char *s = body_node(&all[i], k)->name;
      if (s) *map_at(e->taken, s, strlen(s)) = e;
    }
  }
  return e->taken;
}

const char *edit_fresh(Edit *e, const char *hint)
{
  Map *taken = taken_names(e);
  const char *name = *hint ? hint : "t";
  while (map_get(taken, name, strlen(name)))
    name = arena_printf(e->a, "%s_%d", hint, ++e->fresh);
  *map_at(taken, name, strlen(name)) = e;
  return name;
}

/* --- Renaming ------------------------------------------------------------- */

static void change(Edit *e, char **name, void *user)
{
  char *to = *name ? map_get(user, *name, strlen(*name)) : NULL;
  (void)e;
  if (to) *name = to;
}

static void change_info(Edit *e, ValueInfoProto **v, size_t n, Map *c)
{
  for (size_t i = 0; i < n; i++) change(e, &v[i]->name, c);
}

static void change_annotations(Edit *e, GraphProto *g, Map *c)
{
  for (size_t i = 0; i < g->n_quantization_annotation; i++) {
    Onnx__TensorAnnotation *q = g->quantization_annotation[i];
    change(e, &q->tensor_name, c);
    for (size_t k = 0; k < q->n_quant_parameter_tensor_names; k++)
      change(e, &q->quant_parameter_tensor_names[k]->value, c);
  }
}

static void change_bindings(Edit *e, Map *c)
{
  for (size_t i = 0; i < e->mp->n_training_info; i++) {
    Onnx__TrainingInfoProto *t = e->mp->training_info[i];
    for (size_t k = 0; k < t->n_initialization_binding; k++)
      change(e, &t->initialization_binding[k]->key, c);
    for (size_t k = 0; k < t->n_update_binding; k++)
      change(e, &t->update_binding[k]->key, c);
    if (t->algorithm) visit_graph(e, t->algorithm, NULL, change, c);
  }
}

static void change_shards(Edit *e, NodeProto *n, Map *c)
{
  for (size_t i = 0; i < n->n_device_configurations; i++)
    for (size_t k = 0; k < n->device_configurations[i]->n_sharding_spec; k++)
      change(e, &n->device_configurations[i]->sharding_spec[k]->tensor_name,
             c);
}

void body_rename_all(Edit *e, const Body *b, Map *c)
{
  GraphProto *g = b->g;
  for (size_t i = 0; i < body_count(b); i++) {
    NodeProto *n = body_node(b, i);
    for (size_t k = 0; k < n->n_output; k++) change(e, &n->output[k], c);
    change_shards(e, n, c);
    visit_node(e, n, NULL, change, c);
  }
  if (b->f) {
    for (size_t i = 0; i < b->f->n_input; i++) change(e, &b->f->input[i], c);
    for (size_t i = 0; i < b->f->n_output; i++)
      change(e, &b->f->output[i], c);
    change_info(e, b->f->value_info, b->f->n_value_info, c);
    return;
  }
  change_info(e, g->input, g->n_input, c);
  change_info(e, g->output, g->n_output, c);
  change_info(e, g->value_info, g->n_value_info, c);
  change_annotations(e, g, c);
  for (size_t i = 0; i < g->n_initializer; i++)
    change(e, &g->initializer[i]->name, c);
  for (size_t i = 0; i < g->n_sparse_initializer; i++)
    if (g->sparse_initializer[i]->values)
      change(e, &g->sparse_initializer[i]->values->name, c);
  if (g == e->mp->graph) change_bindings(e, c);
}

static void one_change(Edit *e, Map *c, const char *from, const char *to)
{
  map_init(c, e->a);
  *map_at(c, from, strlen(from)) = edit_str(e, to);
}

void body_rename(Edit *e, const Body *b, const char *from, const char *to)
{
  Map c;
  one_change(e, &c, from, to);
  body_rename_all(e, b, &c);
}

void body_redirect_all(Edit *e, const Body *b, Map *to,
                       const NodeProto *except)
{
  for (size_t i = 0; i < body_count(b); i++)
    if (body_node(b, i) != except)
      visit_node(e, body_node(b, i), NULL, change, to);
}

void body_redirect(Edit *e, const Body *b, const char *from, const char *to,
                   const NodeProto *except)
{
  Map c;
  one_change(e, &c, from, to);
  body_redirect_all(e, b, &c, except);
}

ValueInfoProto *body_info(const Body *b, const char *name)
{
  ValueInfoProto **list[] = {b->g ? b->g->input : NULL,
    b->g ? b->g->output : NULL, b->g ? b->g->value_info : b->f->value_info};
  size_t n[] = {b->g ? b->g->n_input : 0, b->g ? b->g->n_output : 0,
    b->g ? b->g->n_value_info : b->f->n_value_info};
  for (int k = 0; k < COUNT(list); k++)
    for (size_t i = 0; i < n[k]; i++)
      if (list[k][i]->name && !strcmp(list[k][i]->name, name))
        return list[k][i];
  return NULL;
}
