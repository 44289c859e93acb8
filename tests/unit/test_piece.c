/* SPDX-License-Identifier: Apache-2.0 */
/* Values that stand in another one's storage: which do, where, and which must
 * be moved. That what then runs is right is for tests/cases and networks. */
#include "target.h"
#include "o2ctest.h"

#include <string.h>

static Options opt;
static Model *m;
static Graph *g;

static Value *input(int64_t rows, int64_t columns)
{
  options_default(&opt);
  opt.name = "net";
  m = model_new(&opt, "net.onnx");
  g = m->main;
  const Dim *dim[] = {dim_int(&m->dims, rows),
                      dim_int(&m->dims, columns)};
  Value *x = value_new(g, "x", DT_F32, 2, dim);
  graph_add_input(g, x);
  return x;
}

static Value *op(const char *name, Value *a, Value *b)
{
  Node *n = node_new(g, NULL, name, b ? 2 : 1, 1, NULL);
  n->version = 13;
  node_set_input(n, 0, a);
  if (b) node_set_input(n, 1, b);
  node_set_output(n, 0, value_tmp(g, name, NULL));
  infer_node(n);
  CHECK(!n->bad);
  return n->out[0];
}

static Value *concat(Value *a, Value *b, int axis)
{
  Node *n = node_new(g, NULL, "Concat", 2, 1, NULL);
  n->version = 13;
  attr_set_int(n, "axis", axis);
  node_set_input(n, 0, a);
  node_set_input(n, 1, b);
  node_set_output(n, 0, value_tmp(g, "concat", NULL));
  infer_node(n);
  CHECK(!n->bad);
  return n->out[0];
}

static Node *split(Value *x, int axis)
{
  Node *n = node_new(g, NULL, "Split", 1, 2, NULL);
  n->version = 18;
  attr_set_int(n, "axis", axis);
  attr_set_int(n, "num_outputs", 2);
  node_set_input(n, 0, x);
  for (int i = 0; i < 2; i++) node_set_output(n, i, value_tmp(g, "part", NULL));
  infer_node(n);
  CHECK(!n->bad);
  return n;
}

static Plan *plan(Value *y)
{
  graph_add_output(g, y);
  Plan *p = plan_make(m);
  if (!CHECK(p != NULL)) diag_print(m, stdout, SEV_NOTE);
  return p;
}

static int moves(const Plan *p)
{
  int n = 0;
  for (const Step *s = p->first; s; s = s->next) n += !strcmp(s->macro, "MOVE");
  return n;
}

static void stands(const Plan *p, Value *v, Value *whole, int64_t at,
                   int64_t pitch)
{
  CHECK(stored_in(p, v) == whole);
  CHECK_INT(stored_at(p, v), at);
  CHECK_INT(stored_pitch(p, v), pitch);
}

/* Side by side in rows; a result that is an input of a further Concat. */
static void test_columns(void)
{
  Value *x = input(3, 4), *a = op("Relu", x, NULL), *b = op("Neg", x, NULL);
  Value *c = concat(a, b, 1), *d = op("Sigmoid", c, NULL);
  Value *e = concat(c, d, 1);
  Plan *p = plan(op("Tanh", e, NULL));
  stands(p, a, e, 0, 16);
  stands(p, b, e, 4, 16);
  stands(p, c, e, 0, 16);
  stands(p, d, e, 8, 16);
  CHECK(storage_root(p, d) == e);
  CHECK_INT(moves(p), 0);
  CHECK_INT(p->nslot, 1);
  CHECK_INT(p->arena_bytes, p->arena_bound);
  model_free(m);
}

/* One after the other: any step can write there, and views stay views. */
static void test_rows(void)
{
  Value *x = input(2, 6), *a = op("Softmax", x, NULL);
  int64_t shape[] = {3, 4};
  Value *b = op("Reshape", a, value_const_ints(g, "s", shape, 2));
  Value *c = op("Reshape", op("Neg", x, NULL),
                value_const_ints(g, "s", shape, 2));
  Value *y = concat(b, c, 0);
  Plan *p = plan(y);
  stands(p, a, y, 0, 0);
  stands(p, c, y, 12, 0);
  CHECK_INT(store_of(p, a).kind, ST_OUTPUT);
  CHECK_INT(moves(p), 0);
  CHECK_INT(p->nslot, 0);
  model_free(m);
}

/* The caller's input, a value twice, an output, a step without strides. */
static void test_moved(void)
{
  Value *x = input(3, 4), *a = op("Relu", x, NULL);
  Value *twice = concat(a, a, 1), *in = concat(x, op("Neg", x, NULL), 1);
  Value *o = op("Abs", x, NULL), *s = op("Softmax", x, NULL);
  Value *out = concat(o, s, 1);
  Value *y = op("Add", op("Add", twice, in), out);
  graph_add_output(g, o);
  Plan *p = plan(y);
  stands(p, a, twice, 0, 8);
  stands(p, x, x, 0, 0);
  stands(p, o, o, 0, 0);
  stands(p, s, s, 0, 0);
  CHECK_INT(moves(p), 3);
  model_free(m);
}

/* Parts are read in place, and never overwritten there. */
static void test_split(void)
{
  Value *x = input(3, 8), *a = op("Relu", x, NULL);
  Node *n = split(a, 1);
  Value *b = op("Neg", n->out[0], NULL);
  Plan *p = plan(op("Add", b, n->out[1]));
  stands(p, n->out[0], a, 0, 8);
  stands(p, n->out[1], a, 4, 8);
  CHECK(storage_root(p, b) == b);
  CHECK_INT(moves(p), 0);
  model_free(m);
}

/* A step that takes no strides gets a copy of its own. */
static void test_split_moved(void)
{
  Value *x = input(3, 8), *a = op("Relu", x, NULL);
  Node *n = split(a, 1);
  Plan *p = plan(op("Add", op("Softmax", n->out[0], NULL), n->out[1]));
  stands(p, n->out[0], n->out[0], 0, 0);
  stands(p, n->out[1], a, 4, 8);
  CHECK_INT(moves(p), 1);
  model_free(m);
}

/* What holds parts that follow each other can't be spread out itself. */
static void test_firm(void)
{
  Value *x = input(2, 4), *a = op("Relu", x, NULL), *b = op("Neg", x, NULL);
  Value *c = concat(a, b, 0), *d = op("Sigmoid", c, NULL);
  Value *y = concat(c, d, 1);
  Plan *p = plan(op("Tanh", y, NULL));
  stands(p, a, c, 0, 0);
  stands(p, b, c, 8, 0);
  stands(p, c, c, 0, 0);
  stands(p, d, y, 4, 8);
  CHECK_INT(moves(p), 1);
  model_free(m);
}

int main(void)
{
  test_columns();
  test_rows();
  test_moved();
  test_split();
  test_split_moved();
  test_firm();
  return test_end();
}
