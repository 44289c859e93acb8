/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of onnxruntime that are written out as nodes of ai.onnx.
 *
 * A record of theirs has one row, whose `upgrade` puts the nodes before its own
 * and removes it: there is no newer version, and what they compute is said
 * once, by nodes that infer, fold and fuse as in a plain export. A hook that
 * returns early leaves the node with bad outputs, or with a diagnostic. */
#include "control.h"
#include "ir.h"

bool contrib_ready(Node *n)
{
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] && n->out[i]->bad) return false;
  return !n->bad && infer_ready(n) && schema_types(n);
}

Node *contrib_node(Node *at, const char *op, int nin, ...)
{
  Node *n = node_new(at->g, at, op, nin, 1, at);
  va_list ap;
  va_start(ap, nin);
  for (int i = 0; i < nin; i++) {
    Value *v = va_arg(ap, Value *);
    if (v) node_set_input(n, i, v);
  }
  va_end(ap);
  node_set_output(n, 0, value_tmp(at->g, op, NULL));
  return n;
}

Value *contrib_out(Node *made)
{
  infer_node(made);
  return made->out[0];
}

bool contrib_rank(Node *n, int in, int least, int most)
{
  const Value *v = node_in(n, in);
  if (!v || (v->rank >= least && v->rank <= most)) return true;
  fail_model(n, "input %d is rank %d (spec: %d to %d)", in, v->rank, least,
             most);
  return false;
}

bool contrib_heads(Node *n, int64_t *heads)
{
  *heads = attr_int(n, "num_heads", 0);
  if (*heads > 0) return true;
  fail_model(n, "num_heads is %lld (spec: at least 1)", (long long)*heads);
  return false;
}

Value *contrib_cast(Node *at, Value *x, Dtype t)
{
  if (x->dtype == t) return x;
  Node *n = contrib_node(at, "Cast", 1, x);
  attr_set_int(n, "to", t);
  return contrib_out(n);
}

Value *contrib_transpose(Node *at, Value *x, const int64_t *perm)
{
  bool moves = false;
  for (int i = 0; i < x->rank; i++) moves = moves || perm[i] != i;
  if (!moves) return x;
  Node *n = contrib_node(at, "Transpose", 1, x);
  attr_set_ints(n, "perm", perm, x->rank);
  return contrib_out(n);
}

Value *contrib_reshape(Node *at, Value *x, const int64_t *shape, int rank)
{
  return node_op(at, "Reshape", 2, x,
                 value_const_ints(at->g, "shape", shape, rank));
}

Value *contrib_slice(Node *at, Value *x, int64_t axis, int64_t from, int64_t to)
{
  Graph *g = at->g;
  return node_op(at, "Slice", 4, x, value_const_ints(g, "from", &from, 1),
                 value_const_ints(g, "to", &to, 1),
                 value_const_ints(g, "axis", &axis, 1));
}

Value *contrib_concat(Node *at, Value *a, Value *b, int64_t axis)
{
  Node *n = contrib_node(at, "Concat", 2, a, b);
  attr_set_int(n, "axis", axis);
  return contrib_out(n);
}

Value *contrib_unsqueeze(Node *at, Value *x, int64_t axis)
{
  return node_op(at, "Unsqueeze", 2, x,
                 value_const_ints(at->g, "axis", &axis, 1));
}

Value *contrib_number(Node *at, Dtype t, double v)
{
  return value_const_scalar(at->g, "number", t, v);
}

Value *contrib_size(Node *at, Value *x, int64_t axis)
{
  Node *n = contrib_node(at, "Shape", 1, x);
  attr_set_int(n, "start", axis);
  attr_set_int(n, "end", axis + 1);
  return contrib_out(n);
}

Value *contrib_range(Node *at, Value *from, Value *to)
{
  int64_t zero = 0;
  Value *axis = value_const_ints(at->g, "axis", &zero, 1);
  Value *one = contrib_number(at, DT_I64, 1);
  if (from) from = node_op(at, "Squeeze", 2, from, axis);
  else from = contrib_number(at, DT_I64, 0);
  return node_op(at, "Range", 3, from, node_op(at, "Squeeze", 2, to, axis),
                 one);
}

/* Output i of n, by an Identity, which keeps name and declaration. */
void contrib_give(Node *n, int i, Value *v)
{
  Value *y = node_out(n, i);
  if (!y) return;
  control_give(n, i, v);
  infer_node(y->def);
}
