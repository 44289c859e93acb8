/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of nodes: reading with a default, and setting. */
#include "ir.h"
#include <string.h>

const Attr *attr_get(const Node *n, const char *name)
{
  for (int i = 0; i < n->nattr; i++)
    if (!strcmp(n->attr[i].name, name)) return &n->attr[i];
  return NULL;
}

static const Attr *typed(const Node *n, const char *name, AttrType t)
{
  const Attr *a = attr_get(n, name);
  return a && a->type == t ? a : NULL;
}

int64_t attr_int(const Node *n, const char *name, int64_t dflt)
{
  const Attr *a = typed(n, name, AT_INT);
  return a ? a->i : dflt;
}

float attr_float(const Node *n, const char *name, float dflt)
{
  const Attr *a = typed(n, name, AT_FLOAT);
  return a ? a->f : dflt;
}

const char *attr_str(const Node *n, const char *name, const char *dflt)
{
  const Attr *a = typed(n, name, AT_STR);
  return a ? arena_strn(&n->g->m->arena, a->s.p, a->s.n) : dflt;
}

const int64_t *attr_ints(const Node *n, const char *name, int *count)
{
  const Attr *a = typed(n, name, AT_INTS);
  *count = a ? a->n : 0;
  return a ? a->ints : NULL;
}

/* The attribute, emptied; its name is copied. */
static Attr *attr_at(Node *n, const char *name, AttrType t)
{
  Arena *arena = &n->g->m->arena;
  Attr *a = NULL;
  for (int i = 0; i < n->nattr && !a; i++)
    if (!strcmp(n->attr[i].name, name)) a = &n->attr[i];
  if (!a) {
    n->attr = arena_grow(arena, n->attr, n->nattr, sizeof *n->attr);
    a = &n->attr[n->nattr++];
  }
  *a = (Attr){.name = arena_str(arena, name), .type = t};
  return a;
}

void attr_set_int(Node *n, const char *name, int64_t v)
{
  attr_at(n, name, AT_INT)->i = v;
}

void attr_set_float(Node *n, const char *name, float v)
{
  attr_at(n, name, AT_FLOAT)->f = v;
}

void attr_set_str(Node *n, const char *name, const char *v)
{
  const char *copy = arena_str(&n->g->m->arena, v);
  attr_at(n, name, AT_STR)->s = (Str){copy, strlen(copy)};
}

void attr_set_ints(Node *n, const char *name, const int64_t *v, int count)
{
  int64_t *copy = NEW(&n->g->m->arena, int64_t, count + 1);
  if (count) memcpy(copy, v, sizeof *v * (size_t)count);
  Attr *a = attr_at(n, name, AT_INTS);
  a->n = count;
  a->ints = copy;
}

void attr_set_tensor(Node *n, const char *name, const Tensor *t)
{
  attr_at(n, name, AT_TENSOR)->t = t;
}

void attr_set_graph(Node *n, const char *name, Graph *g)
{
  attr_at(n, name, AT_GRAPH)->g = g;
}

void attr_remove(Node *n, const char *name)
{
  const Attr *a = attr_get(n, name);
  if (!a) return;
  int i = (int)(a - n->attr);
  memmove(n->attr + i, n->attr + i + 1,
          sizeof *n->attr * (size_t)(n->nattr - i - 1));
  n->nattr--;
}

int axis_norm(Node *n, int64_t axis, int rank)
{
  if (axis >= -rank && axis < rank) return (int)(axis < 0 ? axis + rank : axis);
  fail_model(n, "axis %lld is out of range for rank %d (allowed: %d to %d)",
             (long long)axis, rank, -rank, rank - 1);
  return -1;
}
