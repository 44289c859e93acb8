/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies: the main graph, graphs in attributes, training graphs, functions.
 * All of them are lists of nodes; a graph in an attribute sees the names of
 * those around it. */
#include "edit.h"
#include <string.h>

typedef struct { Body *b; int n; } Bodies;

static void add_body(Edit *e, Bodies *all, Body b)
{
  all->b = arena_grow(e->a, all->b, all->n, sizeof *all->b);
  all->b[all->n++] = b;
}

size_t body_count(const Body *b)
{
  return b->g ? b->g->n_node : b->f->n_node;
}

NodeProto *body_node(const Body *b, size_t i)
{
  return b->g ? b->g->node[i] : b->f->node[i];
}

static void add_inner(Edit *e, Bodies *all, int outer)
{
  size_t n = body_count(&all->b[outer]);
  for (size_t i = 0; i < n; i++) {
    NodeProto *np = body_node(&all->b[outer], i);
    for (size_t k = 0; k < np->n_attribute; k++) {
      AttributeProto *a = np->attribute[k];
      Body b = {.holder = np, .attr = a->name ? a->name : "",
                .outer = (Body *)(uintptr_t)(unsigned)(outer + 1)};
      if (a->g) {
        b.g = a->g;
        add_body(e, all, b);
      }
      for (size_t j = 0; j < a->n_graphs; j++) {
        b.g = a->graphs[j];
        add_body(e, all, b);
      }
    }
  }
}

/* The array moves while it grows, so `outer` is a number plus one until the
 * end. Nesting is at most what the reader of the file allows. */
Body *edit_bodies(Edit *e, int *n)
{
  Bodies all = {0};
  ModelProto *mp = e->mp;
  add_body(e, &all, (Body){.g = mp->graph});
  for (size_t i = 0; i < mp->n_training_info; i++) {
    Onnx__TrainingInfoProto *t = mp->training_info[i];
    if (t->initialization) add_body(e, &all, (Body){.g = t->initialization});
    if (t->algorithm)
      add_body(e, &all, (Body){.g = t->algorithm,
                               .outer = (Body *)(uintptr_t)1});
  }
  for (size_t i = 0; i < mp->n_functions; i++)
    add_body(e, &all, (Body){.f = mp->functions[i]});
  for (int i = 0; i < all.n; i++) add_inner(e, &all, i);
  for (int i = 0; i < all.n; i++)
    if (all.b[i].outer) all.b[i].outer = &all.b[(uintptr_t)all.b[i].outer - 1];
  *n = all.n;
  return all.b;
}

Body *edit_main(Edit *e)
{
  Body *b = NEW(e->a, Body, 1);
  b->g = e->mp->graph;
  return b;
}

const char *body_text(Edit *e, const Body *b)
{
  if (b->f) return arena_printf(e->a, "function %s", Q(e, b->f->name));
  if (b->holder)
    return arena_printf(e->a, "graph %s of %s", Q(e, b->attr),
                        node_text(e, b->holder));
  return b->g == e->mp->graph ? "the main graph" : "a training graph";
}

void body_insert(Edit *e, const Body *b, size_t at, NodeProto *n)
{
  if (b->g) b->g->node = list_put(e->a, b->g->node, &b->g->n_node, at, n);
  else b->f->node = list_put(e->a, b->f->node, &b->f->n_node, at, n);
}

void body_remove(const Body *b, size_t at)
{
  if (b->g) LIST_DROP(b->g, node, at);
  else LIST_DROP(b->f, node, at);
}

size_t body_find(const Body *b, const NodeProto *n)
{
  for (size_t i = 0; i < body_count(b); i++)
    if (body_node(b, i) == n) return i;
  return SIZE_MAX;
}

int node_graphs(Edit *e, const NodeProto *n, GraphProto ***g)
{
  int count = 0;
  *g = NULL;
  for (size_t k = 0; k < n->n_attribute; k++) {
    AttributeProto *a = n->attribute[k];
    for (size_t j = 0; j < a->n_graphs + (a->g != NULL); j++) {
      *g = arena_grow(e->a, *g, count, sizeof **g);
      (*g)[count++] = a->g && !j ? a->g : a->graphs[j - (a->g != NULL)];
    }
  }
  return count;
}
