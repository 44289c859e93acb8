/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of one graph in another one: names that both have are changed in what
 * comes in, everywhere at once, so that what its bodies read stays what they
 * read. */
#include "steps.h"
#include <string.h>

static void note(Map *made, const char *name)
{
  if (!name || !*name) return;
  void **p = map_at(made, name, strlen(name));
  *p = (void *)((uintptr_t)*p + 1);
}

static void note_values(const GraphProto *g, Map *made)
{
  for (size_t i = 0; i < g->n_input; i++) note(made, g->input[i]->name);
  for (size_t i = 0; i < g->n_initializer; i++)
    note(made, g->initializer[i]->name);
  for (size_t i = 0; i < g->n_sparse_initializer; i++)
    if (g->sparse_initializer[i]->values)
      note(made, g->sparse_initializer[i]->values->name);
}

static void note_outputs(NodeProto *const *n, size_t count, Map *made)
{
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < n[i]->n_output; k++) note(made, n[i]->output[k]);
}

void names_count(Edit *e, Map *count)
{
  int n;
  Body *all = edit_bodies(e, &n);
  map_init(count, e->a);
  for (int i = 0; i < n; i++) {
    if (all[i].g) note_values(all[i].g, count);
    for (size_t k = 0; all[i].f && k < all[i].f->n_input; k++)
      note(count, all[i].f->input[k]);
    note_outputs(all[i].g ? all[i].g->node : all[i].f->node,
                 body_count(&all[i]), count);
  }
}

void names_made(Edit *e, NodeProto *const *n, size_t count, Map *made)
{
  GraphProto **g;
  note_outputs(n, count, made);
  for (size_t i = 0; i < count; i++) {
    int k = node_graphs(e, n[i], &g);
    while (k--) names_of_graph(e, g[k], made);
  }
}

void names_of_graph(Edit *e, const GraphProto *g, Map *made)
{
  note_values(g, made);
  names_made(e, g->node, g->n_node, made);
}

static void fill(Edit *e, char **name)
{
  if (!*name) *name = edit_str(e, "");
}

static void fill_infos(Edit *e, ValueInfoProto **v, size_t n)
{
  for (size_t i = 0; i < n; i++) fill(e, &v[i]->name);
}

void names_fill(Edit *e)
{
  int n;
  Body *all = edit_bodies(e, &n);
  for (int i = 0; i < n; i++) {
    GraphProto *g = all[i].g;
    for (size_t k = 0; k < body_count(&all[i]); k++)
      fill(e, &body_node(&all[i], k)->op_type);
    if (all[i].f) fill(e, &all[i].f->name);
    if (!g) continue;
    fill_infos(e, g->input, g->n_input);
    fill_infos(e, g->output, g->n_output);
    fill_infos(e, g->value_info, g->n_value_info);
    for (size_t k = 0; k < g->n_initializer; k++)
      fill(e, &g->initializer[k]->name);
  }
}

static void change(char **name, const Map *to)
{
  char *s = *name ? map_get(to, *name, strlen(*name)) : NULL;
  if (s) *name = s;
}

static void change_infos(ValueInfoProto **v, size_t n, const Map *to)
{
  for (size_t i = 0; i < n; i++) change(&v[i]->name, to);
}

void names_change(Edit *e, NodeProto **n, size_t count, const Map *to)
{
  GraphProto **g;
  for (size_t i = 0; i < count; i++) {
    int k = node_graphs(e, n[i], &g);
    for (size_t j = 0; j < n[i]->n_input; j++) change(&n[i]->input[j], to);
    for (size_t j = 0; j < n[i]->n_output; j++) change(&n[i]->output[j], to);
    while (k--) names_change_graph(e, g[k], to);
  }
}

void names_change_graph(Edit *e, GraphProto *g, const Map *to)
{
  change_infos(g->input, g->n_input, to);
  change_infos(g->output, g->n_output, to);
  change_infos(g->value_info, g->n_value_info, to);
  for (size_t i = 0; i < g->n_initializer; i++)
    change(&g->initializer[i]->name, to);
  for (size_t i = 0; i < g->n_sparse_initializer; i++)
    if (g->sparse_initializer[i]->values)
      change(&g->sparse_initializer[i]->values->name, to);
  for (size_t i = 0; i < g->n_quantization_annotation; i++)
    change(&g->quantization_annotation[i]->tensor_name, to);
  names_change(e, g->node, g->n_node, to);
}

/* --- Reads only ----------------------------------------------------------- */

typedef struct Hidden { const struct Hidden *outer; Map own; } Hidden;

static void redirect(char **name, const Hidden *h, const Map *to)
{
  for (const Hidden *x = h; x; x = x->outer)
    if (*name && map_get(&x->own, *name, strlen(*name))) return;
  change(name, to);
}

static void redirect_nodes(Edit *e, NodeProto **n, size_t count,
                           const Hidden *h, const Map *to)
{
  GraphProto **g;
  for (size_t i = 0; i < count; i++) {
    int k = node_graphs(e, n[i], &g);
    for (size_t j = 0; j < n[i]->n_input; j++)
      redirect(&n[i]->input[j], h, to);
    while (k--) {
      Hidden own = {.outer = h};
      map_init(&own.own, e->a);
      note_values(g[k], &own.own);
      note_outputs(g[k]->node, g[k]->n_node, &own.own);
      redirect_nodes(e, g[k]->node, g[k]->n_node, &own, to);
      for (size_t j = 0; j < g[k]->n_output; j++)
        redirect(&g[k]->output[j]->name, &own, to);
    }
  }
}

void names_redirect(Edit *e, NodeProto **n, size_t count, const Map *to)
{
  redirect_nodes(e, n, count, NULL, to);
}

/* --- Branches ------------------------------------------------------------- */

static bool makes(const GraphProto *g, const char *name)
{
  for (size_t i = 0; i < g->n_node; i++)
    for (size_t k = 0; k < g->node[i]->n_output; k++)
      if (!strcmp(g->node[i]->output[k], name)) return true;
  return false;
}

/* Outputs get the names of the If's; what other graphs call so too, new ones.
 * An output that no node of the branch makes, or that stands there twice, goes
 * through an Identity. */
static void rename_branch(Edit *e, const NodeProto *n, GraphProto *branch)
{
  Map to, made, count;
  map_init(&to, e->a);
  map_init(&made, e->a);
  names_count(e, &count);
  names_of_graph(e, branch, &made);
  for (size_t k = 0; k < n->n_output; k++) {
    const char *name = branch->output[k]->name;
    if (!*n->output[k]) continue;
    if (makes(branch, name) && !map_get(&to, name, strlen(name))) {
      *map_at(&to, name, strlen(name)) = n->output[k];
      continue;
    }
    NodeProto *copy = edit_node(e, "Identity", "");
    node_add_input(e, copy, name);
    node_add_output(e, copy, n->output[k]);
    LIST_ADD(e, branch, node, copy);
  }
  for (int i = 0; i < made.n; i++) {
    const char *name = made.slot[i].key;
    void **p = map_at(&to, name, made.slot[i].len);
    if (!*p && (uintptr_t)map_get(&count, name, made.slot[i].len) > 1)
      *p = edit_str(e, edit_fresh(e, name));
  }
  names_change_graph(e, branch, &to);
}

size_t graft_branch(Edit *e, GraphProto *g, size_t at, const NodeProto *n,
                    GraphProto *branch)
{
  Body b = {.g = g};
  rename_branch(e, n, branch);
  for (size_t i = 0; i < branch->n_initializer; i++)
    body_add_initializer(e, &b, branch->initializer[i]);
  for (size_t i = 0; i < branch->n_sparse_initializer; i++)
    LIST_ADD(e, g, sparse_initializer, branch->sparse_initializer[i]);
  for (size_t i = 0; i < branch->n_value_info; i++)
    LIST_ADD(e, g, value_info, branch->value_info[i]);
  for (size_t i = 0; i < branch->n_node; i++)
    body_insert(e, &b, at + i, branch->node[i]);
  return branch->n_node;
}

bool edit_size(const char *s, int64_t *v)
{
  static const char unit[] = "KMG";
  size_t n = strlen(s);
  char number[24];
  if (!n || n >= sizeof number) return false;
  memcpy(number, s, n + 1);
  const char *u = strchr(unit, number[n - 1]);
  if (u) number[n - 1] = 0;
  if (!edit_int(number, v) || *v < 0 || *v > INT64_MAX >> 31) return false;
  if (u) *v <<= 10 * (u - unit + 1);
  return true;
}
