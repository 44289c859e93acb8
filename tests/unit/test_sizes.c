/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes that only data tells: bounds of storage, joint bounds, equal nodes. */
#include "ir.h"
#include "o2ctest.h"

static Model *m;

static const Dim *capacity(const char *name, const Dim *bound)
{
  const Dim *d = dim_new(&m->dims, SYM_CAPACITY, name);
  m->dims.sym[dim_symbol(d)].bound = bound;
  return d;
}

static void check_text(const Dim *d, const char *want)
{
  CHECK_STR(dim_text(&m->dims, dim_upper(&m->dims, d)), want);
}

static void test_upper(void)
{
  m = model_new(NULL, "m");
  DimPool *p = &m->dims;
  const Dim *n = dim_named(p, "N"), *k = capacity("k", n);
  const Dim *free = capacity("room", NULL);
  check_text(n, "N");
  check_text(dim_mul(p, k, dim_int(p, 3)), "N*3");
  /* What is left is the most where nothing was found. */
  check_text(dim_sub(p, n, k), "N");
  check_text(free, "room");
  check_text(dim_sub(p, dim_int(p, 9), free), "9");
  check_text(dim_div(p, k, dim_int(p, 2)), "(N / 2)");
  CHECK(dim_has_capacity(p, dim_max(p, k, dim_int(p, 7))));
  CHECK(!dim_has_capacity(p, dim_mul(p, n, n)));
  model_free(m);
}

static void test_joint(void)
{
  m = model_new(NULL, "m");
  DimPool *p = &m->dims;
  const Dim *n = dim_named(p, "N");
  const Dim *part[2] = {capacity("a", n), capacity("b", n)};
  check_text(dim_mul(p, part[0], part[1]), "N*N");
  dims_joint(p, part, 2, n);
  check_text(dim_mul(p, part[0], part[1]), "N");
  check_text(dim_mul(p, dim_mul(p, part[0], part[1]), part[0]), "N*N");
  model_free(m);
}

static Node *nonzero(Value *x)
{
  Node *n = node_new(m->main, NULL, "NonZero", 1, 1, NULL);
  node_set_input(n, 0, x);
  node_set_output(n, 0, value_tmp(m->main, "y", NULL));
  return n;
}

static void test_nonzero(void)
{
  m = model_new(NULL, "m");
  DimPool *p = &m->dims;
  const Dim *dim[2] = {dim_named(p, "N"), dim_int(p, 4)};
  Value *x = value_new(m->main, "x", DT_F32, 2, dim);
  graph_add_input(m->main, x);
  Node *a = nonzero(x), *b = nonzero(x);
  a->version = b->version = 13;
  infer_graph(m->main);
  CHECK(m->nerror == 0 && a->nsize == 1 && b->nsize == 1);
  CHECK(dim_symbol(a->size[0]) >= 0 && a->size[0] != b->size[0]);
  check_text(a->out[0]->dim[1], "N*4");
  /* Equal nodes find equal sizes. */
  graph_add_output(m->main, b->out[0]);
  pass_cse(m->main);
  CHECK(m->main->out[0]->dim[1] == a->size[0]);
  model_free(m);
}

static void test_constant(void)
{
  m = model_new(NULL, "m");
  const int64_t v[] = {0, 5, 0, 7, 1};
  Node *n = nonzero(value_const_ints(m->main, "x", v, 5));
  n->version = 13;
  infer_graph(m->main);
  CHECK(m->nerror == 0);
  CHECK_STR(value_shape_text(n->out[0]), "[1, 3]");
  CHECK(n->out[0]->data && tensor_i64(n->out[0]->data, 2) == 4);
  model_free(m);
}

int main(void)
{
  test_upper();
  test_joint();
  test_nonzero();
  test_constant();
  return test_end();
}
