/* SPDX-License-Identifier: Apache-2.0 */
/* Common subexpressions: of nodes with the same operator, inputs and
 * attributes the first serves all; small equal constants become one; a view
 * that changes nothing gives way to its input. */
#include "../ir.h"
#include <string.h>

#define CONST_BYTES 4096 /* larger constants are told apart by their address */

static void put(StrBuf *b, const void *p, size_t n)
{
  sb_write(b, &n, sizeof n);
  sb_write(b, p, n);
}

static void put_tensor(StrBuf *b, const Tensor *t)
{
  size_t n = (size_t)t->n * (size_t)dtype_info(t->dtype)->size;
  int head[2] = {(int)t->dtype, t->rank};
  put(b, head, sizeof head);
  put(b, t->dim, sizeof *t->dim * (size_t)t->rank);
  /* Strings are pointers, and belong together only if they are the same. */
  if (n <= CONST_BYTES && t->dtype != DT_STR) put(b, t->data, n);
  else put(b, &t->data, sizeof t->data);
}

static bool put_attr(StrBuf *b, const Attr *a)
{
  put(b, a->name, strlen(a->name));
  put(b, &a->type, sizeof a->type);
  switch (a->type) {
  case AT_INT: put(b, &a->i, sizeof a->i); return true;
  case AT_FLOAT: put(b, &a->f, sizeof a->f); return true;
  case AT_STR: put(b, a->s.p, a->s.n); return true;
  case AT_INTS: put(b, a->ints, sizeof *a->ints * (size_t)a->n); return true;
  case AT_FLOATS:
    put(b, a->floats, sizeof *a->floats * (size_t)a->n);
    return true;
  case AT_STRS:
    put(b, &a->n, sizeof a->n);
    for (int i = 0; i < a->n; i++) put(b, a->strs[i].p, a->strs[i].n);
    return true;
  case AT_TENSOR: put_tensor(b, a->t); return true;
  default: return false;
  }
}

/* False: a node that is like no other. */
static bool node_key(StrBuf *b, const Node *n)
{
  b->n = 0;
  if (!n->op || n->op->flags & OP_RANDOM || n->fused) return false;
  put(b, n->op_type, strlen(n->op_type));
  put(b, n->domain, strlen(n->domain));
  int head[3] = {n->version, n->nin, n->nout};
  put(b, head, sizeof head);
  for (int i = 0; i < n->nin; i++) {
    int id = n->in[i] ? n->in[i]->id : -1;
    put(b, &id, sizeof id);
  }
  for (int i = 0; i < n->nout; i++) {
    int have = n->out[i] ? (int)n->out[i]->dtype : -1;
    put(b, &have, sizeof have);
  }
  for (int i = 0; i < n->nattr; i++)
    if (!put_attr(b, &n->attr[i])) return false;
  return true;
}

static bool share_constants(Map *seen, StrBuf *b, Node *n)
{
  bool changed = false;
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    if (!v || !v->data || v->def || v->is_output || v->is_input) continue;
    b->n = 0;
    put_tensor(b, v->data);
    Value **first = (Value **)map_at(seen, b->s, b->n);
    if (!*first) *first = v;
    if (*first == v) continue;
    value_replace(v, *first);
    changed = true;
  }
  return changed;
}

/* A view that changes nothing, as exporters' Identity: its input does. */
static bool drop_view(Node *n)
{
  Value *x = node_in(n, 0), *y = node_out(n, 0);
  if (!op_is_view(n) || n->nsize || !x || !y || y->is_output ||
      x->kind != VK_TENSOR || y->kind != VK_TENSOR || x->dtype != y->dtype ||
      !value_same_shape(x, y))
    return false;
  value_replace(y, x);
  node_remove(n);
  return true;
}

bool pass_cse(Graph *g)
{
  Map nodes, constants;
  StrBuf b;
  bool changed = false;
  loops_hoist(g); /* nothing after a loop may need what it may never run */
  map_init(&nodes, &g->m->arena);
  map_init(&constants, &g->m->arena);
  sb_init(&b, &g->m->arena);
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    if (drop_view(n)) {
      changed = true;
      continue;
    }
    changed |= share_constants(&constants, &b, n);
    if (!node_key(&b, n)) continue;
    Node **first = (Node **)map_at(&nodes, b.s, b.n);
    if (!*first) {
      *first = n;
      continue;
    }
    for (int i = 0; i < n->nout; i++)
      if (n->out[i]) value_replace(n->out[i], (*first)->out[i]);
    if (n->nsize == (*first)->nsize)
      dims_same(&g->m->dims, (const Dim *const *)n->size,
                (const Dim *const *)(*first)->size, n->nsize);
    node_remove(n);
    changed = true;
  }
  sb_free(&b);
  return changed;
}
