/* SPDX-License-Identifier: Apache-2.0 */
/* A product with one-hot rows takes rows of its matrix:
 *
 *   MatMul(Cast(Equal(i, [c, c + 1, .. c + n - 1])), W)
 *     -> Gather([W; 0], i - c where that is within 0 .. n - 1, else n)
 *
 * as exporters write embeddings of small integers: n sums of zeros and one
 * number are that number. A row of constants added to it and an activation
 * after it are then computed of the table, which folding does, where that is
 * no larger than what they are computed of. W and that row are finite. It runs
 * after fuse_act and before the second folding.
 */
#include "../ir.h"

#include <math.h>
#include <string.h>

typedef struct {
  Value *index;    /* [.., 1] */
  int64_t first, n;
} OneHot;

/* Consecutive integers along the last axis, the others being 1. */
static bool is_count(const Value *v, OneHot *h)
{
  const Tensor *t = v->data;
  if (!t || t->rank < 1 || t->n < 2 || t->dim[t->rank - 1] != t->n)
    return false;
  h->n = t->n;
  h->first = tensor_i64(t, 0);
  for (int64_t i = 1; i < t->n; i++)
    if (tensor_i64(t, i) != h->first + i)
      return false;
  return h->first > INT32_MIN / 2 && h->first < INT32_MAX / 2 &&
         t->n < INT32_MAX / 2;
}

static bool match_one_hot(const Value *v, OneHot *h)
{
  Node *cast, *equal;
  if (!match_op(v, "Cast", &cast) || v->dtype != DT_F32 ||
      !match_op(cast->in[0], "Equal", &equal))
    return false;
  for (int i = 0; i < 2; i++) {
    Value *index = equal->in[1 - i];
    if ((index->dtype != DT_I32 && index->dtype != DT_I64) ||
        index->rank < 2 || index->rank != v->rank || index->data ||
        !dim_is(index->dim[index->rank - 1], 1) ||
        !is_count(equal->in[i], h) || equal->in[i]->rank > index->rank)
      continue;
    h->index = index;
    return true;
  }
  return false;
}

static bool finite_all(const Tensor *t)
{
  for (int64_t i = 0; i < t->n; i++)
    if (!isfinite(tensor_f64(t, i)))
      return false;
  return true;
}

/* W with a row of zeros behind it. */
static Value *table_of(Graph *g, const Tensor *w)
{
  int64_t dim[] = { w->dim[0] + 1, w->dim[1] };
  Tensor *t = tensor_new(&g->m->arena, DT_F32, 2, dim);
  float *to = (float *)(uintptr_t)t->data;
  memset(to, 0, (size_t)t->n * sizeof *to);
  memcpy(to, tensor_aligned(g->m, w), (size_t)w->n * sizeof *to);
  return value_const(g, "table", t);
}

/* The row of the table for each index: n where it is none of W. */
static Value *rows_of(Node *at, const OneHot *h)
{
  Graph *g = at->g;
  Dtype t = h->index->dtype;
  int64_t last = h->index->rank - 1;
  Value *i = node_op(at, "Squeeze", 2, h->index,
                     value_const_ints(g, "axes", &last, 1));
  Value *low = value_const_scalar(g, "first", t, (double)h->first);
  Value *high = value_const_scalar(g, "end", t, (double)(h->first + h->n));
  Value *in = node_op(at, "And", 2, node_op(at, "GreaterOrEqual", 2, i, low),
                      node_op(at, "Less", 2, i, high));
  i = node_op(at, "Where", 3, in, i, high);
  return h->first ? node_op(at, "Sub", 2, i, low) : i;
}

/* Elements of v are no fewer than n, for any sizes that are not zero. */
static bool at_least(const Value *v, int64_t n)
{
  int64_t d, all = 1;
  for (int i = 0; i < v->rank; i++)
    if (dim_is_int(v->dim[i], &d) && all < n)
      all *= d;
  return all >= n;
}

/* The row of constants that `add` adds to rows v of w->dim[1]. */
static Value *added_row(const Node *add, const Value *v, int64_t columns)
{
  const Value *c = add->in[add->in[0] == v ? 1 : 0];
  if (!c->data || c->data->n != columns || c->dtype != DT_F32 ||
      c->rank < 1 || c->rank > v->rank ||
      c->data->dim[c->rank - 1] != columns || !finite_all(c->data))
    return NULL;
  Tensor *t = tensor_new(&v->g->m->arena, DT_F32, 1, &columns);
  memcpy((void *)(uintptr_t)t->data, tensor_aligned(v->g->m, c->data),
         (size_t)columns * sizeof(float));
  return value_const(v->g, "row", t);
}

static bool is_activation(const Node *n)
{
  static const char *const ops[] = {
    "Relu", "Gelu", "Swish", "Sigmoid", "Tanh", "HardSwish", "HardSigmoid",
    "Mish", "Softplus", "LeakyRelu", "Elu",
  };
  for (int i = 0; i < COUNT(ops); i++)
    if (node_is(n, ops[i]))
      return true;
  return false;
}

/* The node's work on the table, before it is gathered; NULL: it stays. */
static Value *of_table(Node *n, const Value *v, Value *table)
{
  Value *row;
  if (is_activation(n)) {
    Value *y = node_op(v->def, n->op_type, 1, table);
    y->def->attr = n->attr;
    y->def->nattr = n->nattr;
    return y;
  }
  if (!node_is(n, "Add") || n->in[0] == n->in[1])
    return NULL;
  row = added_row(n, v, table->data ? table->data->dim[1] : -1);
  return row ? node_op(v->def, "Add", 2, table, row) : NULL;
}

/* The Gather that takes the place of product n, and of what follows it; NULL:
 * it is none of one-hot rows. */
static Node *take_rows(Node *n)
{
  OneHot h;
  const Tensor *w = node_is(n, "MatMul") ? const_input(n, 1) : NULL;
  if (!w || w->rank != 2 || w->dtype != DT_F32 ||
      !match_one_hot(n->in[0], &h) || h.n != w->dim[0] || !finite_all(w))
    return NULL;
  Value *table = table_of(n->g, w), *y = n->out[0];
  Value *v = node_op(n, "Gather", 2, table, rows_of(n, &h));
  value_replace(y, v);
  node_remove(n);
  if (!at_least(v, w->n + w->dim[1]))
    return v->def;
  for (Node *next; (next = value_only_user(v)) != NULL;) {
    Value *done = of_table(next, v, table);
    if (!done)
      break;
    node_set_input(v->def, 0, table = done);
    value_replace(next->out[0], v);
    node_remove(next);
  }
  return v->def;
}

bool pass_onehot(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first; n; n = n->next) {
    Node *made = take_rows(n);
    changed |= made != NULL;
    n = made ? made : n;
  }
  if (changed)
    dead_code(g);
  return changed;
}
