/* SPDX-License-Identifier: Apache-2.0 */
/* A Scan that finds the distances of a matrix from each row of another, as
 * scikit-learn's exporter writes cdist:
 *
 *   keep, d = Scan(X, V): body (x, v) => (Identity(x), reduce(x - v))
 *
 * is no loop: its trips are rows of one o2c.Distance of V and X. The reduction
 * over the columns is ReduceSumSquare, or ReduceSum of the difference times
 * itself, of its Abs, or of a power of that. X may be carried unchanged or come
 * from around the body. Anything else is left to the general case.
 */
#include "control.h"
#include <string.h>

static const Value *plain(const Value *v)
{
  while (v && v->def && node_is(v->def, "Identity")) v = v->def->in[0];
  return v;
}

/* Reduces the last of two axes, and drops it. */
static bool reduces_columns(const Node *n)
{
  const Value *list = node_in(n, 1);
  int count = 0;
  const int64_t *axes = attr_ints(n, "axes", &count);
  int64_t axis = axes && count == 1 ? axes[0] : 0;
  if (list && list->data && list->data->n == 1) {
    axis = tensor_i64(list->data, 0);
    count = 1;
  }
  return count == 1 && (axis == 1 || axis == -1) &&
         !attr_int(n, "keepdims", 1);
}

/* v = |d|^p, what is summed. */
static bool power_of(const Value *v, const Value **d, float *p)
{
  Node *n;
  *p = 1;
  if (match_op(v, "Mul", &n) && plain(n->in[0]) == plain(n->in[1])) {
    *p = 2;
    *d = plain(n->in[0]);
    return true;
  }
  if (match_op(v, "Pow", &n)) {
    const Tensor *t = n->in[1]->data;
    if (!t || t->n != 1 || t->dtype == DT_STR) return false;
    *p = (float)tensor_f64(t, 0);
    v = plain(n->in[0]);
    if ((double)*p != tensor_f64(t, 0) || !(*p > 0)) return false;
  }
  bool bare = match_op(v, "Abs", &n);
  *d = bare ? plain(n->in[0]) : v;
  return bare || *p == 2;
}

/* The difference whose distances `v` has. */
static bool distance_in(const Value *v, Node **sub, float *p)
{
  Node *n;
  const Value *d;
  v = plain(v);
  if (match_op(v, "ReduceSumSquare", &n)) {
    *p = 2;
    d = plain(n->in[0]);
  } else if (!match_op(v, "ReduceSum", &n) ||
             !power_of(plain(n->in[0]), &d, p)) {
    return false;
  }
  return reduces_columns(n) && match_op(d, "Sub", sub);
}

/* What v is around the body; NULL where the body makes it. */
static Value *outside(const Node *n, const Graph *body, const Value *v)
{
  for (int i = 0; i < body->nin; i++)
    if (v == body->in[i]) return n->in[i];
  return v && v->g != body ? (Value *)(uintptr_t)v : NULL;
}

static bool plain_axes(const Node *n)
{
  return !control_list(n, "scan_input_axes", 0) &&
         !control_list(n, "scan_output_axes", 0) &&
         !control_list(n, "scan_output_directions", 0) &&
         !control_list(n, "scan_input_directions", 0);
}

static bool rows_alike(const Value *x, const Value *v)
{
  return x && x->kind == VK_TENSOR && x->rank == 2 && v->rank == 2 &&
         x->dtype == v->dtype && x->dim[1] == v->dim[1] &&
         (x->dtype == DT_F32 || x->dtype == DT_F64);
}

bool control_distance(Node *n, const Graph *body)
{
  Node *sub;
  float p;
  int carried = n->nin - 1;
  if (attr_int(n, "num_scan_inputs", 0) != 1 || body->nout != carried + 1 ||
      body->nin != n->nin || !plain_axes(n) ||
      !distance_in(body->out[carried], &sub, &p))
    return false;
  for (int i = 0; i < carried; i++)
    if (plain(body->out[i]) != body->in[i]) return false;
  const Value *row = body->in[carried];
  bool turned = plain(sub->in[0]) == row;
  if (!turned && plain(sub->in[1]) != row) return false;
  Value *x = outside(n, body, plain(sub->in[turned ? 1 : 0]));
  Value *v = n->in[carried];
  if (x == v || !rows_alike(x, v)) return false;
  for (int i = 0; i < carried; i++) control_give(n, i, n->in[i]);
  control_give(n, carried, distance_of(n, v, x, p));
  return true;
}
