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

static Value *node_of(const char *name, Value *a, Value *b)
{
  Node *n = node_new(g, NULL, name, b ? 2 : 1, 1, NULL);
  static const int64_t swap[] = {0, 2, 1, 3}, keys[] = {0, 2, 3, 1};
  node_set_input(n, 0, a);
  if (b) node_set_input(n, 1, b);
  if (!b && !strcmp(name, "Transpose"))
    attr_set_ints(n, "perm", a->is_input ? keys : swap, 4);
  node_set_output(n, 0, value_new(g, "t", DT_NONE, -1, NULL));
  infer_node(n);
  return n->out[0];
}

static Value *heads(const char *name)
{
  const Dim *dim[] = {dim_named(&m->dims, "N"), dim_named(&m->dims, "S"),
                      dim_int(&m->dims, 12), dim_int(&m->dims, 32)};
  Value *v = value_new(g, name, DT_F32, 4, dim);
  graph_add_input(g, v);
  return v;
}

/* scale: of the scores, of Q, or of both; a mask as wide as the scores, or one
 * that would widen them. */
static void test_attention(int scale, bool wide)
{
  static const int64_t swap[] = {0, 2, 1, 3};
  begin();
  Value *q = heads("q"), *k = heads("k"), *v = heads("v");
  Value *c = value_const_scalar(g, "c", DT_F32, 4), *x = NULL;
  Value *kt = node_of("Transpose", k, NULL);
  Value *ready[2] = {q, v};
  for (int i = 0; i < 2; i++) {
    ready[i] = node_of("Transpose", ready[i], NULL);
    attr_set_ints(ready[i]->def, "perm", swap, 4);
    infer_node(ready[i]->def);
  }
  const Dim *dim[] = {dim_named(&m->dims, wide ? "B" : "N"),
                      dim_int(&m->dims, 1), dim_int(&m->dims, 1),
                      dim_named(&m->dims, "S")};
  Value *mask = value_new(g, "mask", DT_F32, 4, dim);
  graph_add_input(g, mask);
  if (scale) ready[0] = node_of("Mul", c, ready[0]);
  x = node_of("MatMul", ready[0], kt);
  if (scale != 1) x = node_of("Div", x, c);
  x = node_of("Add", mask, x);
  x = node_of("MatMul", node_of("Softmax", x, NULL), ready[1]);
  graph_add_output(g, node_of("Transpose", x, NULL));
  CHECK(pass_fuse_attention(g) == !wide);
  if (!wide) {
    Node *a = g->last;
    CHECK(node_is_internal(a, "Attention") && attr_int(a, "heads_last", 0));
    const float want = scale == 0 ? .25f : scale == 1 ? 4 : 1;
    CHECK(attr_float(a, "scale", 0) == want);
    CHECK(a->in[3] == mask && nodes() == 4); /* and three Transposes */
    CHECK_STR(dims_text(&m->dims, 4, a->in[1]->dim), "[N, 12, S, 32]");
    CHECK_STR(dims_text(&m->dims, 4, g->out[0]->dim), "[N, S, 12, 32]");
    ir_check(g, "fuse_attention");
    CHECK(!pass_fuse_attention(g));
  }
  model_free(m);
}

static Value *constant(double v)
{
  return value_const_scalar(g, "k", DT_F32, v);
}

/* x (half + half erf(x root)), with any two factors */
static Value *by_erf(Value *x, double root, double half)
{
  Value *e = op("Erf", op("Mul", x, constant(root)), NULL);
  Value *s = op("Add", op("Mul", constant(half), e), constant(half));
  return op("Mul", s, x);
}

static void test_activation(void)
{
  Value *x = begin();
  graph_add_output(g, by_erf(x, 0.70710678, 0.5));
  graph_add_output(g, by_erf(x, 0.70710678, 0.6));
  graph_add_output(g, by_erf(x, 0.75, 0.5));
  Value *cube = op("Mul", op("Mul", x, x), op("Mul", x, constant(0.044715)));
  Value *u = op("Mul", op("Add", x, cube), constant(0.79788456));
  Value *t = op("Add", constant(1), op("Tanh", u, NULL));
  graph_add_output(g, op("Mul", constant(0.5), op("Mul", x, t)));
  Value *v = op("Sigmoid", op("Mul", x, constant(1.702)), NULL);
  graph_add_output(g, op("Mul", v, x));
  CHECK(pass_fuse_act(g) && node_is(g->out[0]->def, "Gelu"));
  CHECK(node_is(g->out[1]->def, "Mul") && node_is(g->out[2]->def, "Mul"));
  CHECK(node_is(g->out[3]->def, "Gelu"));
  CHECK(!strcmp(attr_str(g->out[3]->def, "approximate", ""), "tanh"));
  CHECK(node_is(g->out[4]->def, "Swish") && nodes() == 13);
  CHECK(attr_float(g->out[4]->def, "alpha", 1) == 1.702f);
  ir_check(g, "fuse_act");
  CHECK(!pass_fuse_act(g));
  model_free(m);
}

/* A table of bytes: y = Gather(op(Cast(q), s), i), s of each row. */
static void test_gather_first(bool quantized)
{
  begin();
  int64_t size[] = {1000, 1000}, scales[] = {1000, 1};
  Value *q = value_const(g, "q", tensor_new(&m->arena, DT_I8, 2, size));
  Value *s = value_const(g, "s", tensor_new(&m->arena, DT_F32, 2 - quantized,
                                            scales));
  const Dim *dim[] = {dim_named(&m->dims, "N"), dim_int(&m->dims, 3)};
  Value *i = value_new(g, "i", DT_I64, 2, dim);
  graph_add_input(g, i);
  Value *t = op(quantized ? "DequantizeLinear" : "CastLike", q, s);
  if (quantized) attr_set_int(t->def, "axis", 0);
  Value *y = op("Gather", quantized ? t : op("Mul", t, s), i);
  graph_add_output(g, y);
  CHECK(!pass_fold(g) && pass_gather_first(g));
  ir_check(g, "gather_first");
  y = g->out[0];
  CHECK(node_is(y->def, "Mul") && y->rank == 3 && dim_is(y->dim[2], 1000));
  CHECK(node_is(y->def->in[0]->def->in[0]->def, "Gather"));
  CHECK(node_is(y->def->in[1]->def, "Gather"));
  CHECK(!pass_gather_first(g));
  model_free(m);
}

/* What dequantises a weight is folded, though it grows; a table is not. */
static void test_fold_weight(void)
{
  int64_t size[] = {4, 100000};
  Value *x = begin();
  Value *q = value_const(g, "q", tensor_new(&m->arena, DT_I8, 2, size));
  Value *f = op("CastLike", q, constant(1));
  attr_remove(f->def, "axis");
  f->def->op_type = "Cast";
  f->def->op = op_find("", "Cast");
  node_drop_inputs(f->def, 1);
  attr_set_int(f->def, "to", DT_F32);
  Value *w = op("Mul", f, constant(0.5));
  graph_add_output(g, op("MatMul", x, w));
  CHECK(pass_fold(g) && nodes() == 1 && w->data);
  model_free(m);
}

static void test_list(void)
{
  CHECK(pass_count() > 3 && !pass_at(pass_count()) && !pass_at(-1));
  for (int i = 0; i < pass_count(); i++)
    CHECK(*pass_at(i)->name && *pass_at(i)->what && pass_at(i)->level <= 3);
}

/* The constant is f32 afterwards; the product rounds where it ends. */
static void test_widen(void)
{
  Value *x = begin();
  x->dtype = DT_F16;
  Value *y = op("MatMul", x, value_const(g, "w", tensor_new(&m->arena, DT_F16,
                                         2, (int64_t[]){4, 4})));
  graph_add_output(g, y);
  CHECK(pass_widen(g) && nodes() == 3 && !pass_widen(g));
  CHECK(y->dtype == DT_F16 && node_is(y->def, "Cast"));
  CHECK(y->def->in[0]->def->in[1]->data->dtype == DT_F32);
  ir_check(g, "widen");
  model_free(m);
}

/* An average of two by two after a pointwise convolution comes before it; not
 * where it counts padding. */
static void test_pool_first(bool counts)
{
  int64_t two[] = {2, 2}, pads[] = {1, 1, 1, 1}, size[] = {8, 3, 1, 1};
  begin();
  const Dim *dim[] = {dim_int(&m->dims, 1), dim_int(&m->dims, 3),
                      dim_int(&m->dims, 6), dim_int(&m->dims, 6)};
  Value *x = value_new(g, "image", DT_F32, 4, dim);
  graph_add_input(g, x);
  Value *c = op("Conv", x, value_const(g, "w", tensor_new(&m->arena, DT_F32, 4,
                                                          size)));
  Value *y = value_tmp(g, "pool", NULL);
  Node *n = node_new(g, NULL, "AveragePool", 1, 1, NULL);
  n->version = 19;
  attr_set_ints(n, "kernel_shape", two, 2);
  attr_set_ints(n, "strides", two, 2);
  attr_set_ints(n, "pads", pads, 4);
  attr_set_int(n, "count_include_pad", counts);
  node_set_input(n, 0, c);
  node_set_output(n, 0, y);
  infer_node(n);
  graph_add_output(g, y);
  CHECK(pass_pool_first(g) == !counts && nodes() == 2);
  CHECK(node_is(g->out[0]->def, counts ? "AveragePool" : "Conv"));
  CHECK(dim_is(g->out[0]->dim[1], 8) && dim_is(g->out[0]->dim[2], 4));
  ir_check(g, "pool_first");
  model_free(m);
}

/* Exporters' Identity goes, so that what stands around it can be fused; but not
 * as an output, which keeps its name. */
static void test_drop_view(void)
{
  Value *x = begin(), *a = op("Identity", op("Relu", x, NULL), NULL);
  Value *y = op("Neg", a, NULL), *z = op("Identity", y, NULL);
  graph_add_output(g, z);
  CHECK(pass_cse(g) && nodes() == 3 && !pass_cse(g));
  CHECK(node_is(y->def->in[0]->def, "Relu") && z->def->in[0] == y);
  ir_check(g, "cse");
  model_free(m);
}

/* Transposed distances are those of the other rows. */
static void test_distance(void)
{
  Value *x = begin(), *w = op("Neg", x, NULL);
  Value *d = distance_of(op("Relu", x, NULL)->def, w, x, 1);
  Value *y = op("Transpose", d, NULL);
  graph_add_output(g, y);
  CHECK(pass_distance(g) && !pass_distance(g));
  const Node *n = g->out[0]->def;
  CHECK(node_is_internal(n, "Distance") && n->in[0] == x && n->in[1] == w);
  CHECK(attr_float(n, "p", 2) == 1);
  model_free(m);
}

int main(void)
{
  test_distance();
  test_drop_view();
  test_pool_first(false);
  test_pool_first(true);
  test_widen();
  test_fold();
  test_fold_limit();
  test_cse();
  test_activation();
  test_gather_first(false);
  test_gather_first(true);
  test_fold_weight();
  test_dce();
  for (int scale = 0; scale < 3; scale++) test_attention(scale, false);
  test_attention(0, true);
  test_list();
  return test_end();
}
