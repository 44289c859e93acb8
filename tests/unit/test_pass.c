/* SPDX-License-Identifier: Apache-2.0 */
/* Folding, sharing and dead code on small graphs. */
#include "ir.h"
#include "o2ctest.h"

static Model *m;
static Graph *g;

static Value *op(const char *name, Value *a, Value *b)
{
  Node *n = node_new(g, NULL, name, b ? 2 : 1, 1, NULL);
  node_set_input(n, 0, a);
  if (b) node_set_input(n, 1, b);
  node_set_output(n, 0, value_tmp(g, name, NULL));
  infer_node(n);
  return n->out[0];
}

static Value *begin(void)
{
  m = model_new(NULL, "m");
  g = m->main;
  const Dim *dim[] = {dim_named(&m->dims, "N"), dim_int(&m->dims, 4)};
  Value *x = value_new(g, "x", DT_F32, 2, dim);
  graph_add_input(g, x);
  return x;
}

static int nodes(void)
{
  int n = 0;
  for (const Node *x = g->first; x; x = x->next) n++;
  return n;
}

static void test_fold(void)
{
  Value *x = begin();
  Value *c = value_const_scalar(g, "c", DT_F32, 3);
  Value *k = op("Mul", op("Add", c, c), c);
  Value *y = op("Add", x, k);
  graph_add_output(g, y);
  CHECK(nodes() == 3);
  CHECK(pass_fold(g) && nodes() == 1 && !k->def);
  CHECK(k->data && tensor_f64(k->data, 0) == 18);
  ir_check(g, "fold");
  CHECK(!pass_fold(g));
  model_free(m);
}

/* A constant that would be much larger than what makes it stays a node. */
static void test_fold_limit(void)
{
  begin();
  int64_t size[] = {1024, 1024};
  Value *big = op("Expand", value_const_scalar(g, "c", DT_F32, 3),
                  value_const_ints(g, "s", size, 2));
  graph_add_output(g, big);
  CHECK(!pass_fold(g) && nodes() == 1);
  model_free(m);
}

static void test_cse(void)
{
  Value *x = begin();
  Value *a = op("Add", x, value_const_scalar(g, "c", DT_F32, 1));
  Value *b = op("Add", x, value_const_scalar(g, "d", DT_F32, 1));
  Value *c = op("Add", x, value_const_scalar(g, "e", DT_F32, 2));
  Value *y = op("Mul", a, b);
  graph_add_output(g, op("Mul", y, c));
  graph_add_output(g, b);
  CHECK(pass_cse(g) && nodes() == 4);
  CHECK(y->def->in[0] == a && y->def->in[1] == a && g->out[1] == a);
  CHECK(a->is_output && !strncmp(g->out_name[1], "Add", 3));
  ir_check(g, "cse");
  CHECK(!pass_cse(g));
  model_free(m);
}

static void test_dce(void)
{
  Value *x = begin();
  graph_add_output(g, op("Relu", x, NULL));
  op("Relu", op("Sqrt", x, NULL), NULL);
  CHECK(pass_dce(g) && nodes() == 1 && x->nuse == 1);
  CHECK(!pass_dce(g));
  model_free(m);
}

static void test_list(void)
{
  CHECK(pass_count() > 3 && !pass_at(pass_count()) && !pass_at(-1));
  for (int i = 0; i < pass_count(); i++)
    CHECK(*pass_at(i)->name && *pass_at(i)->what && pass_at(i)->level <= 3);
}

int main(void)
{
  test_fold();
  test_fold_limit();
  test_cse();
  test_dce();
  test_list();
  return test_end();
}
