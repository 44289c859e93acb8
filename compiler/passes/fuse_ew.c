/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise nodes that feed each other become one loop.
 *
 * From each node, last to first, the set grows by nodes whose result has the
 * shape of the last one's and is read by nodes of the set only; so no value is
 * computed twice. QuantizeLinear and DequantizeLinear take part, as steps with
 * a scale for all or for each index of an axis: an int8 Add between them
 * becomes one loop over bytes. The set becomes the internal node Fused, with
 * its EwChain in Node.fused. It runs after the passes that look for single
 * operators.
 */
#include "../ir.h"

#define MAX_NODES 32
#define MAX_INPUTS 16 /* streams that one loop reads */

typedef struct {
  Node *node[MAX_NODES];
  int result[MAX_NODES]; /* of a node that is in the chain: ~step; else 0 */
  int n;
} Set;

static bool is_quantization(const Node *n)
{
  return node_is(n, "QuantizeLinear") || node_is(n, "DequantizeLinear");
}

/* A constant scale along an axis which is not the last one: the fused node
 * takes it with as many axes of length 1 behind it. */
static bool needs_axes(const Node *n, int *axis)
{
  int rank;
  int64_t a;
  if (!is_quantization(n) || n->nin < 2 || !n->in[0] || !n->in[1])
    return false;
  rank = n->in[0]->rank;
  a = attr_int(n, "axis", 1);
  *axis = (int)(a < 0 ? a + rank : a);
  return n->in[1]->rank == 1 && !dim_is(value_numel(n->in[1]), 1) &&
         *axis < rank - 1;
}

static bool eligible(Node *n)
{
  int axis;
  if (!n->op || n->nout < 1 || !n->out[0] || n->out[0]->bad) return false;
  if (!(n->op->flags & OP_ELEMENTWISE) && !is_quantization(n)) return false;
  for (int i = 1; i < n->nout; i++)
    if (n->out[i]) return false;
  if (needs_axes(n, &axis) &&
      (!const_input(n, 1) || (node_in(n, 2) && !const_input(n, 2))))
    return false;
  EwChain c = {0};
  return ew_append(&c, n, NEW(&n->g->m->arena, int, n->nin + 1));
}

static int find(const Set *s, const Node *n)
{
  for (int i = 0; i < s->n; i++)
    if (s->node[i] == n) return i;
  return -1;
}

/* The streams from outside that the set reads. */
static int count_inputs(const Set *s)
{
  const Value *seen[MAX_NODES * 4];
  int n = 0;
  for (int i = 0; i < s->n; i++)
    for (int k = 0; k < s->node[i]->nin; k++) {
      const Value *v = s->node[i]->in[k];
      bool known = !v || (v->data && v->data->n == 1) ||
                   (v->def && find(s, v->def) >= 0);
      for (int j = 0; j < n && !known; j++) known = seen[j] == v;
      if (!known && n < COUNT(seen)) seen[n++] = v;
    }
  return n;
}

/* May the node that makes `v` join? */
static bool may_join(Set *s, const Value *v)
{
  bool fits;
  if (!v || !v->def || v->is_output || v->data || s->n == MAX_NODES ||
      find(s, v->def) >= 0)
    return false;
  for (int i = 0; i < v->nuse; i++)
    if (find(s, v->use[i]) < 0) return false;
  if (!value_same_shape(v, s->node[0]->out[0]) || !eligible(v->def))
    return false;
  s->node[s->n++] = v->def;
  fits = count_inputs(s) <= MAX_INPUTS;
  s->n--;
  return fits;
}

static void grow(Set *s)
{
  for (int i = 0; i < s->n; i++)
    for (int k = 0; k < s->node[i]->nin; k++) {
      const Value *v = s->node[i]->in[k];
      if (!may_join(s, v)) continue;
      s->node[s->n++] = v->def;
      i = -1; /* values that had a user outside may have none now */
      break;
    }
}

static Value *with_axes(Node *n, Value *v, int axis)
{
  int64_t dim[MAX_RANK];
  Tensor *t;
  int rank = n->in[0]->rank - axis;
  for (int i = 0; i < rank; i++) dim[i] = i ? 1 : v->data->n;
  t = tensor_new(&n->g->m->arena, v->dtype, rank, dim);
  t->data = v->data->data;
  return value_const(n->g, v->name, t);
}

/* The number of `v` among the inputs of the fused node. */
static int input_of(Node *f, Value *v)
{
  for (int i = 0; i < f->nin; i++)
    if (f->in[i] == v) return i;
  node_set_input(f, f->nin, v);
  return f->nin - 1;
}

/* Appends a node's steps after those of the nodes that it reads. */
static void append(Set *s, int at, Node *f, EwChain *c)
{
  Node *n = s->node[at];
  int *arg = NEW(&n->g->m->arena, int, n->nin + 1);
  int axis, k;
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    if (!v) continue;
    k = v->def ? find(s, v->def) : -1;
    if (k >= 0) {
      if (!s->result[k]) append(s, k, f, c);
      arg[i] = s->result[k];
    } else {
      if (i > 0 && needs_axes(n, &axis)) v = with_axes(n, v, axis);
      arg[i] = input_of(f, v);
    }
  }
  if (!ew_append(c, n, arg))
    model_panic(n->g->m, "fuse_ew: %s is no chain", n->op_type);
  s->result[at] = ~(c->n - 1);
}

static void fuse(Set *s)
{
  Node *last = s->node[0];
  Node *f = node_new(last->g, last, "Fused", 0, 1, last);
  EwChain *c = NEW(&last->g->m->arena, EwChain, 1);
  f->domain = "o2c";
  f->op = op_find("o2c", "Fused");
  f->version = 1;
  f->fused = c;
  append(s, 0, f, c);
  node_set_output(f, 0, last->out[0]);
  node_remove(last);
  for (int i = 1; i < s->n; i++) node_absorb(f, s->node[i]);
}

bool pass_fuse_ew(Graph *g)
{
  bool changed = false;
  for (Node *n = g->last, *before; n; n = before) {
    Set s = {.node = {n}, .n = 1};
    int axis;
    before = n->prev;
    if (!eligible(n)) continue;
    grow(&s);
    if (s.n == 1 && !needs_axes(n, &axis)) continue;
    while (before && find(&s, before) >= 0) before = before->prev;
    fuse(&s);
    changed = true;
  }
  return changed;
}
