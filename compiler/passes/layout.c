/* SPDX-License-Identifier: Apache-2.0 */
/* Channels-last: convolutions and pools take and give [N, spatial.., C].
 *
 * Such a node is wrapped: its input comes through a Transpose to
 * channels-last, its output goes through the one back, and attribute
 * channels_last says what happened. Then transposes sink: a node all of whose
 * data inputs come out of the same Transpose is rewritten by its operator's
 * permute hook to work on what went in, and the Transpose moves behind it,
 * where it meets its inverse and both vanish. Where one operand of an
 * elementwise node is still in the old order, it is transposed too if that
 * does not add to the number of transposes.
 *
 * A Transpose that only moves axes of size 1 is no work: it becomes a
 * Squeeze and an Unsqueeze, which are views.
 */
#include "../ir.h"

#include <string.h>

static bool wants_channels_last(const Node *n)
{
  static const char *const ops[] = {
    "Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool",
    "LRN", "QLinearConv", "ConvInteger", "ConvTranspose",
  };
  const Value *x = node_in(n, 0);
  if (node_is_internal(n, "QConv") || node_is_internal(n, "QAveragePool"))
    return !attr_get(n, "channels_last");
  if (attr_get(n, "channels_last") || !x || x->rank < 3 || x->rank > 5)
    return false;
  for (int i = 1; i < n->nout; i++)
    if (n->out[i] && n->out[i]->nuse + n->out[i]->is_output)
      return false;
  for (int i = 0; i < COUNT(ops); i++)
    if (node_is(n, ops[i]))
      return true;
  return false;
}

/* to_last: axis k of the result is old axis p[k]: 0, 2, 3, .., 1. */
static void perm_last(int rank, int64_t *p)
{
  for (int i = 0; i < rank; i++)
    p[i] = i == 0 ? 0 : i == rank - 1 ? 1 : i + 1;
}

static void perm_inverse(const int64_t *p, int rank, int64_t *q)
{
  for (int i = 0; i < rank; i++)
    q[p[i]] = i;
}

static Value *put_transpose(Node *at, Value *x, const int64_t *perm,
                            const Node *from)
{
  Graph *g = at->g;
  Node *t = node_new(g, at, "Transpose", 1, 1, from);
  attr_set_ints(t, "perm", perm, x->rank);
  node_set_input(t, 0, x);
  const Dim *dim[MAX_RANK];
  for (int i = 0; i < x->rank; i++)
    dim[i] = x->dim[perm[i]];
  Value *y = value_new(g, "transposed", x->dtype, x->rank, dim);
  node_set_output(t, 0, y);
  same_permuted(y, x, perm);
  return y;
}

/* Output 0 of `n` becomes a new value with axes in the new order, and the old
 * value comes out of a Transpose by `back` behind it. */
static void turn_output(Node *n, int k, const int64_t *back)
{
  Value *y = n->out[k];
  int64_t order[MAX_RANK];
  const Dim *dim[MAX_RANK];
  perm_inverse(back, y->rank, order);
  for (int i = 0; i < y->rank; i++)
    dim[i] = y->dim[order[i]];
  Value *turned = value_new(n->g, y->name, y->dtype, y->rank, dim);
  same_permuted(turned, y, order);
  node_set_output(n, k, turned);
  Node *t = node_new(n->g, n->next, "Transpose", 1, 1, n);
  attr_set_ints(t, "perm", back, y->rank);
  node_set_input(t, 0, turned);
  node_set_output(t, 0, y);
}

static void wrap(Node *n)
{
  int64_t last[MAX_RANK], first[MAX_RANK];
  Value *x = n->in[0];
  perm_last(x->rank, last);
  perm_inverse(last, x->rank, first);
  node_set_input(n, 0, put_transpose(n, x, last, n));
  attr_set_int(n, "channels_last", 1);
  turn_output(n, 0, first);
}

/* The Transpose that made `v`, if it has an explicit permutation. */
static Node *transpose_of(const Value *v, const int64_t **perm)
{
  if (!v || !v->def || !node_is(v->def, "Transpose"))
    return NULL;
  int count;
  *perm = attr_ints(v->def, "perm", &count);
  return *perm && count == v->rank ? v->def : NULL;
}

/* Transpose of a Transpose: one, or none where they cancel. */
static bool compose(Node *n)
{
  const int64_t *outer, *inner;
  int64_t both[MAX_RANK];
  Value *x = n->in[0];
  if (!node_is(n, "Transpose") || !transpose_of(n->out[0], &outer) ||
      !transpose_of(x, &inner))
    return false;
  bool identity = true;
  for (int i = 0; i < x->rank; i++) {
    both[i] = inner[outer[i]];
    identity = identity && both[i] == i;
  }
  Value *source = x->def->in[0];
  if (identity) {
    /* A result of the graph is made by a node, and is one result only. */
    if (n->out[0]->is_output && (!source->def || source->is_output))
      return false;
    value_replace(n->out[0], source);
    node_remove(n);
    return true;
  }
  node_set_input(n, 0, source);
  attr_set_ints(n, "perm", both, source->rank);
  return true;
}

/* Only axes of size 1 move: the rest keep their order. */
static bool unit_transpose(Node *n)
{
  const int64_t *perm;
  if (!node_is(n, "Transpose") || !transpose_of(n->out[0], &perm))
    return false;
  const Value *x = n->in[0];
  int64_t squeeze[MAX_RANK], unsqueeze[MAX_RANK];
  int ns = 0, nu = 0;
  int64_t before = -1;
  for (int i = 0; i < x->rank; i++) {
    if (dim_is(x->dim[i], 1))
      squeeze[ns++] = i;
    if (dim_is(x->dim[perm[i]], 1)) {
      unsqueeze[nu++] = i;
      continue;
    }
    if (perm[i] < before)
      return false;
    before = perm[i];
  }
  Value *flat = node_op(n, "Squeeze", 2, n->in[0],
                        value_const_ints(n->g, "axes", squeeze, ns));
  Value *y = node_op(n, "Unsqueeze", 2, flat,
                     value_const_ints(n->g, "axes", unsqueeze, nu));
  value_replace(n->out[0], y);
  node_remove(n);
  return true;
}

/* An input that moves with the axes: not a constant, not a scalar. */
static bool is_data(const Value *v)
{
  return v && !v->data && v->rank > 0;
}

typedef struct {
  const int64_t *perm; /* of the Transposes above the node */
  int rank;            /* its length */
  int turned, plain;   /* data inputs that come out of one; that don't */
} Above;

static bool look_above(const Node *n, Above *a)
{
  *a = (Above){ NULL, 0, 0, 0 };
  for (int i = 0; i < n->nin; i++) {
    const int64_t *perm;
    Value *v = n->in[i];
    if (!is_data(v))
      continue;
    if (!transpose_of(v, &perm)) {
      a->plain++;
      continue;
    }
    size_t size = sizeof *perm * (size_t)v->rank;
    if (a->perm && (v->rank != a->rank || memcmp(a->perm, perm, size) != 0))
      return false;
    a->perm = perm;
    a->rank = v->rank;
    a->turned++;
  }
  return a->perm != NULL;
}

/* Some other node has `v` channels-last already: cse will share it. */
static bool has_twin(const Value *v)
{
  int64_t last[MAX_RANK];
  const int64_t *perm;
  perm_last(v->rank, last);
  for (int i = 0; i < v->nuse; i++)
    if (v->use[i]->nout && transpose_of(v->use[i]->out[0], &perm) &&
        !memcmp(perm, last, sizeof *last * (size_t)v->rank))
      return true;
  return false;
}

/* A transpose for each operand that is still in the old order pays where the
 * node becomes channels-last by it, and only there: else it would come back. */
static bool worth_it(const Node *n, const Above *a)
{
  int64_t last[MAX_RANK], first[MAX_RANK];
  const int64_t *perm;
  int missing = 0;
  if (a->plain == 0)
    return true;
  perm_last(a->rank, last);
  perm_inverse(last, a->rank, first);
  if (a->rank < 3 || memcmp(a->perm, first, sizeof *first * (size_t)a->rank))
    return false;
  for (int i = 0; i < n->nin; i++) {
    const Value *v = n->in[i];
    missing += is_data(v) && !transpose_of(v, &perm) && !has_twin(v);
  }
  return missing == 0 ||
         ((n->op->flags & OP_ELEMENTWISE) && missing <= a->turned);
}

/* Moves the Transposes above `n` below it. */
static bool sink(Node *n)
{
  Above a;
  if (!n->op || !n->op->permute || node_is(n, "Transpose") ||
      !look_above(n, &a) || !worth_it(n, &a))
    return false;
  int rank = 0;
  int64_t back[MAX_RANK], to[MAX_RANK];
  int p[MAX_RANK];
  for (int i = 0; i < n->nin; i++)
    if (is_data(n->in[i]) && n->in[i]->rank > rank)
      rank = n->in[i]->rank;
  for (int i = 0; i < n->nin; i++)
    if (is_data(n->in[i]) && n->in[i]->rank != rank)
      return false;
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] && n->out[i]->rank != rank)
      return false;
  memcpy(back, a.perm, sizeof *back * (size_t)rank);
  perm_inverse(back, rank, to);
  for (int i = 0; i < rank; i++)
    p[i] = (int)to[i];
  if (!n->op->permute(n, p, rank))
    return false;
  for (int i = 0; i < n->nin; i++) {
    const int64_t *perm;
    Value *v = n->in[i];
    if (!is_data(v))
      continue;
    Node *t = transpose_of(v, &perm);
    node_set_input(n, i, t ? t->in[0] : put_transpose(n, v, to, n));
  }
  for (int i = 0; i < n->nout; i++)
    if (n->out[i])
      turn_output(n, i, back);
  return true;
}

/* ONNX Transpose-1: reversed axes where perm is absent. */
static void write_perm(Node *n)
{
  int count;
  const int64_t *perm = attr_ints(n, "perm", &count);
  int64_t v[MAX_RANK];
  int rank = n->in[0]->rank;
  for (int i = 0; i < rank; i++) {
    v[i] = perm ? perm[i] : rank - 1 - i;
    v[i] += v[i] < 0 ? rank : 0;
  }
  attr_set_ints(n, "perm", v, rank);
}

bool pass_layout(Graph *g)
{
  bool changed = false, again = true;
  for (Node *n = g->first; n; n = n->next)
    if (node_is(n, "Transpose"))
      write_perm(n);
  for (Node *n = g->first; n; n = n->next)
    if (wants_channels_last(n)) {
      wrap(n);
      changed = true;
    }
  /* Each round moves transposes towards the outputs, or removes some. */
  for (int round = 0; again && round < 64; round++) {
    again = false;
    for (Node *n = g->first, *next; n; n = next) {
      next = n->next;
      again |= compose(n) || sink(n) || layout_sink_view(n);
    }
    dead_code(g);
    changed |= again;
  }
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    changed |= unit_transpose(n);
  }
  return changed;
}
