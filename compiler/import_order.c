/* SPDX-License-Identifier: Apache-2.0 */
/* Topological order of the nodes of a graph.
 *
 * ONNX wants the file's order to be one; where it is, nothing happens. Else
 * nodes are moved as little as a depth-first walk in the file's order does.
 * What the bodies of a node read from the graph counts as read by the node.
 * The walk keeps its own stack, so a long chain can't overflow the real one. */
#include "import.h"
#include <limits.h>
#include <string.h>

typedef struct {
  Graph *g;
  Arena *a;
  Node **node;           /* by position in the file */
  int n;
  int *maker;            /* by Value.id - low: position + 1 */
  int low, high;         /* ids of what the nodes make */
  int *first, *dep;      /* node i depends on dep[first[i] .. first[i + 1]) */
  int ndep;
} Order;

static void add_dep(Order *o, const Value *v)
{
  if (!v || v->g != o->g || v->id < o->low || v->id > o->high) return;
  int maker = o->maker[v->id - o->low];
  if (!maker) return;
  o->dep = arena_grow(o->a, o->dep, o->ndep, sizeof *o->dep);
  o->dep[o->ndep++] = maker - 1;
}

static void add_deps(Order *o, const Node *n)
{
  for (int i = 0; i < n->nin; i++) add_dep(o, n->in[i]);
  for (int i = 0; i < n->nattr; i++) {
    const Graph *body = n->attr[i].g;
    if (!body) continue;
    for (const Node *b = body->first; b; b = b->next) add_deps(o, b);
  }
}

static void span_ids(Order *o)
{
  o->low = INT_MAX;
  for (const Node *n = o->g->first; n; n = n->next)
    for (int i = 0; i < n->nout; i++) {
      int id = n->out[i] ? n->out[i]->id : o->low;
      if (id < o->low) o->low = id;
      if (id > o->high && n->out[i]) o->high = id;
    }
}

static void collect(Order *o)
{
  int k = 0;
  span_ids(o);
  o->node = NEW(o->a, Node *, o->n);
  o->first = NEW(o->a, int, o->n + 1);
  if (o->low <= o->high) o->maker = NEW(o->a, int, o->high - o->low + 1);
  for (Node *n = o->g->first; n; n = n->next) {
    o->node[k++] = n;
    for (int i = 0; i < n->nout; i++)
      if (n->out[i]) o->maker[n->out[i]->id - o->low] = k;
  }
  for (int i = 0; i < o->n; i++) {
    o->first[i] = o->ndep;
    add_deps(o, o->node[i]);
  }
  o->first[o->n] = o->ndep;
}

static bool sorted(const Order *o)
{
  for (int i = 0; i < o->n; i++)
    for (int d = o->first[i]; d < o->first[i + 1]; d++)
      if (o->dep[d] >= i) return false;
  return true;
}

static const char *node_text(const Order *o, int i)
{
  const Node *n = o->node[i];
  int index = n->origin ? n->origin->index : i;
  const char *name = "", *op = quote(o->a, n->op_type);
  if (*n->name) name = arena_printf(o->a, " %s", quote(o->a, n->name));
  return arena_printf(o->a, "node %d%s (%.*s)", index, name,
                      (int)strlen(op) - 2, op + 1);
}

/* stack[from .. top] read each other in a circle. */
static void report_cycle(const Order *o, const int *stack, int from, int top)
{
  const char *text = node_text(o, stack[from]);
  for (int i = top; i > from; i--) {
    if (top - i == 6) {
      text = arena_printf(o->a, "%s, .. %d more", text, i - from);
      break;
    }
    text = arena_printf(o->a, "%s, %s", text, node_text(o, stack[i]));
  }
  fail_model(o->node[stack[from]], "reads what depends on itself, in a circle "
             "of %d: %s; break it", top - from + 1, text);
}

/* Emits what node `root` needs, then the node; false: there is a circle. */
static bool visit(const Order *o, int root, char *state, int *next, int *out)
{
  int *stack = out + o->n, top = 0;
  stack[0] = root;
  state[root] = 1;
  while (top >= 0) {
    int i = stack[top];
    if (next[i] == o->first[i + 1]) {
      state[i] = 2;
      out[out[2 * o->n]++] = i;
      top--;
      continue;
    }
    int d = o->dep[next[i]++];
    if (state[d] == 2) continue;
    if (state[d] == 1) {
      int from = top;
      while (stack[from] != d) from--;
      report_cycle(o, stack, from, top);
      return false;
    }
    state[d] = 1;
    stack[++top] = d;
  }
  return true;
}

static void relink(const Order *o, const int *order)
{
  Node *prev = NULL;
  o->g->first = NULL;
  for (int k = 0; k < o->n; k++) {
    Node *n = o->node[order[k]];
    n->prev = prev;
    n->next = NULL;
    if (prev) prev->next = n;
    else o->g->first = n;
    prev = n;
  }
  o->g->last = prev;
}

void import_order(Import *im, Graph *g)
{
  Order o = {.g = g, .a = &im->tmp};
  for (const Node *n = g->first; n; n = n->next) o.n++;
  collect(&o);
  if (sorted(&o)) return;
  char *state = NEW(o.a, char, o.n + 1); /* 1: on the stack, 2: emitted */
  int *next = NEW(o.a, int, o.n + 1);
  memcpy(next, o.first, (size_t)(o.n + 1) * sizeof *next);
  /* The order, the stack, and how much of the order there is. */
  int *out = NEW(o.a, int, 2 * (size_t)o.n + 1);
  for (int i = 0; i < o.n; i++)
    if (!state[i] && !visit(&o, i, state, next, out)) return;
  relink(&o, out);
  diag_model(im->m, SEV_WARNING, EXIT_OK, "the nodes of graph %s are not in "
             "topological order; they were sorted", quote(o.a, g->name));
}
