/* SPDX-License-Identifier: Apache-2.0 */
/* Passes around products: one-hot rows, and attentions with a guard. */
#include "ir.h"
#include "o2ctest.h"

#include <math.h>

static Model *m;
static Graph *g;

static void begin(void)
{
  m = model_new(NULL, "m");
  g = m->main;
}

static Value *input(const char *name, Dtype t, const int64_t *size, int rank)
{
  const Dim *dim[MAX_RANK] = {dim_named(&m->dims, "N")};
  for (int i = 1; i < rank; i++)
    dim[i] = dim_int(&m->dims, size[i]);
  Value *v = value_new(g, name, t, rank, dim);
  graph_add_input(g, v);
  return v;
}

static Value *op(const char *name, int nin, Value *a, Value *b, Value *c)
{
  Value *in[] = {a, b, c};
  Node *n = node_new(g, NULL, name, nin, 1, NULL);
  for (int i = 0; i < nin; i++)
    node_set_input(n, i, in[i]);
  if (!strcmp(name, "Cast"))
    attr_set_int(n, "to", DT_F32);
  if (!strcmp(name, "Transpose")) {
    static const int64_t flat[] = {0, 2, 1}, swap[] = {0, 2, 1, 3};
    attr_set_ints(n, "perm", a->rank == 3 ? flat : swap, a->rank);
  }
  node_set_output(n, 0, value_new(g, "t", DT_NONE, -1, NULL));
  infer_node(n);
  return n->out[0];
}

static int count(const char *name)
{
  int n = 0;
  for (const Node *x = g->first; x; x = x->next)
    n += node_is(x, name) || node_is_internal(x, name);
  return n;
}

static Value *floats(int64_t rows, int64_t columns, double last)
{
  int64_t dim[] = {rows, columns};
  Tensor *t = tensor_new(&m->arena, DT_F32, 2, dim);
  for (int64_t i = 0; i < t->n; i++)
    tensor_set_f64(t, i, i + 1 < t->n ? (double)i : last);
  return value_const(g, "w", t);
}

/* Rows of w [4, 3] by the integers from..; `more`: indices of a sample; step:
 * between the integers; last: the last number of w. */
static void test_one_hot(int64_t more, int64_t step, double last, bool taken)
{
  begin();
  const int64_t size[] = {0, more, 1};
  const int64_t from[] = {2, 2 + step, 2 + 2 * step, 2 + 3 * step};
  Value *x = input("x", DT_I64, size, 3);
  Value *e = op("Equal", 2, x, value_const_ints(g, "c", from, 4), NULL);
  Value *p = op("MatMul", 2, op("Cast", 1, e, NULL, NULL),
                floats(4, 3, last), NULL);
  Value *y = op("Relu", 1, op("Add", 2, p, floats(1, 3, 7), NULL), NULL, NULL);
  graph_add_output(g, y);
  CHECK(pass_onehot(g) == taken);
  ir_check(g, "onehot");
  CHECK(count("MatMul") == !taken && count("Gather") == taken);
  const Node *end = g->out[0]->def;
  bool all = taken && more * 3 >= 15; /* Add and Relu are of the table */
  CHECK(node_is(end, all ? "Gather" : "Relu"));
  CHECK(dim_is(g->out[0]->dim[1], more) && dim_is(g->out[0]->dim[2], 3));
  CHECK(!pass_onehot(g));
  if (all) {
    pass_fold(g);
    const Tensor *t = const_input(end, 0);
    CHECK(t && t->dim[0] == 5 && tensor_f64(t, 4) == 4 + 1);
    CHECK(t && tensor_f64(t, 12) == 0 && tensor_f64(t, 14) == 7);
  }
  model_free(m);
}

/* Softmax(Q K^T) V of heads [N, 2, 5, 4], K turned by way of three axes; zero:
 * what stands in the place of NaN; other: of another tensor's NaN. */
static void test_guard(double zero, bool other, bool fused)
{
  begin();
  const int64_t size[] = {0, 5, 2, 4}, flat[] = {-1, 5, 4};
  const int64_t back[] = {-1, 2, 4, 5};
  Value *x = input("x", DT_F32, size, 4), *half;
  half = value_const_scalar(g, "half", DT_F32, 0.5);
  Value *h = op("Transpose", 1, x, NULL, NULL);
  Value *q = op("Transpose", 1, op("Mul", 2, x, half, NULL), NULL, NULL);
  Value *k = op("Reshape", 2, h, value_const_ints(g, "f", flat, 3), NULL);
  k = op("Reshape", 2, op("Transpose", 1, k, NULL, NULL),
         value_const_ints(g, "b", back, 4), NULL);
  Value *s = op("MatMul", 2, q, op("Mul", 2, k, half, NULL), NULL);
  Value *p = op("Softmax", 1, s, NULL, NULL);
  Value *bad = op("IsNaN", 1, other ? s : p, NULL, NULL);
  Value *w = op("Where", 3, bad, value_const_scalar(g, "z", DT_F32, zero), p);
  graph_add_output(g, op("MatMul", 2, w, h, NULL));
  CHECK(pass_fuse_attention(g) == fused);
  ir_check(g, "fuse_attention");
  CHECK(count("Attention") == fused && count("IsNaN") == !fused);
  if (fused) {
    const Node *a = g->out[0]->def;
    CHECK(attr_int(a, "zero", 0) == 2 && a->in[1] == h);
    CHECK(attr_float(a, "scale", 0) == 0.25f && count("Mul") == 0);
  }
  model_free(m);
}

int main(void)
{
  test_one_hot(6, 1, 11, true);
  test_one_hot(4, 1, 11, true);
  test_one_hot(6, 2, 11, false);
  test_one_hot(6, 1, (double)INFINITY, false);
  test_guard(0, false, true);
  test_guard(1, false, false);
  test_guard(0, true, false);
  return test_end();
}
