/* SPDX-License-Identifier: Apache-2.0 */
/* The least cut between vertices 0 and 1 of a directed graph: by the flow that
 * it bounds (Ford and Fulkerson), found as Dinic does, level by level. */
#include "target.h"

#include <string.h>

typedef struct { int to; double left; int next; } Arc; /* ^ 1: its reverse */
struct Cut {
  Arena *a;
  int n, narc;
  Arc *arc;
  int *first;          /* by vertex: its arcs, -1 ends */
  int *level, *queue;  /* level: distance from vertex 0, -1: out of reach */
  int *now;            /* arcs not tried yet in this round */
};

#define EPSILON 1e-9

Cut *cut_new(Arena *a, int n)
{
  Cut *c = NEW(a, Cut, 1);
  c->a = a;
  c->n = n;
  c->first = NEW(a, int, n);
  c->level = NEW(a, int, n);
  c->queue = NEW(a, int, n);
  c->now = NEW(a, int, n);
  for (int i = 0; i < n; i++)
    c->first[i] = -1;
  return c;
}

static void put_arc(Cut *c, int from, int to, double cost)
{
  c->arc = arena_grow(c->a, c->arc, c->narc, sizeof *c->arc);
  c->arc[c->narc] = (Arc){ to, cost, c->first[from] };
  c->first[from] = c->narc++;
}

void cut_edge(Cut *c, int from, int to, double cost)
{
  put_arc(c, from, to, cost);
  put_arc(c, to, from, 0);
}

/* Levels by breadth; is vertex 1 in reach? */
static bool find_levels(Cut *c)
{
  int head = 0, tail = 0;
  for (int i = 0; i < c->n; i++)
    c->level[i] = -1;
  c->level[0] = 0;
  c->queue[tail++] = 0;
  while (head < tail) {
    int v = c->queue[head++];
    for (int k = c->first[v]; k >= 0; k = c->arc[k].next) {
      int to = c->arc[k].to;
      if (c->arc[k].left <= EPSILON || c->level[to] >= 0)
        continue;
      c->level[to] = c->level[v] + 1;
      c->queue[tail++] = to;
    }
  }
  return c->level[1] >= 0;
}

/* One path to vertex 1, in queue[] as its arcs; false: there is none left. A
 * walk that steps back where a vertex leads nowhere, without recursion. */
static bool push_path(Cut *c)
{
  int depth = 0, v = 0;
  while (v != 1) {
    int k = c->now[v];
    while (k >= 0 && (c->arc[k].left <= EPSILON ||
                      c->level[c->arc[k].to] != c->level[v] + 1))
      k = c->arc[k].next;
    c->now[v] = k;
    if (k >= 0) {
      c->queue[depth++] = k;
      v = c->arc[k].to;
      continue;
    }
    if (!depth)
      return false;
    int back = c->queue[--depth];
    v = c->arc[back ^ 1].to;
    c->now[v] = c->arc[back].next;
  }
  double least = c->arc[c->queue[0]].left;
  for (int i = 1; i < depth; i++)
    if (c->arc[c->queue[i]].left < least)
      least = c->arc[c->queue[i]].left;
  for (int i = 0; i < depth; i++) {
    c->arc[c->queue[i]].left -= least;
    c->arc[c->queue[i] ^ 1].left += least;
  }
  return true;
}

void cut_solve(Cut *c)
{
  while (find_levels(c)) {
    memcpy(c->now, c->first, sizeof *c->now * (size_t)c->n);
    while (push_path(c))
      ;
  }
}

bool cut_side(const Cut *c, int v)
{
  return c->level[v] < 0;
}
