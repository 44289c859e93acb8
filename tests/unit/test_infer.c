/* SPDX-License-Identifier: Apache-2.0 */
/* Broadcasting, declared shapes, and that one cause gives one message. */
#include "ir.h"
#include "o2ctest.h"

static Model *m;

/* "N 3 1": words are symbols. */
static Value *value(const char *name, Dtype t, const char *shape)
{
  const Dim *dim[MAX_RANK];
  int rank = 0;
  for (const char *s = shape; *s;) {
    size_t n = strcspn(s, " ");
    char *word = arena_strn(&m->arena, s, n);
    int64_t v = 0;
    for (const char *d = word; *d >= '0' && *d <= '9'; d++)
      v = v * 10 + (*d - '0');
    dim[rank++] = *word >= '0' && *word <= '9' ? dim_int(&m->dims, v)
                                               : dim_named(&m->dims, word);
    s += n + (s[n] == ' ');
  }
  return value_new(m->main, name, t, rank, dim);
}

static Value *input(const char *name, const char *shape)
{
  Value *v = value(name, DT_F32, shape);
  graph_add_input(m->main, v);
  return v;
}

static Node *add(Value *a, Value *b, Value *y)
{
  Node *n = node_new(m->main, NULL, "Add", 2, 1, NULL);
  node_set_input(n, 0, a);
  node_set_input(n, 1, b);
  node_set_output(n, 0, y ? y : value_tmp(m->main, "y", NULL));
  return n;
}

static void check_add(const char *a, const char *b, const char *want)
{
  m = model_new(NULL, "m");
  Node *n = add(input("a", a), input("b", b), NULL);
  infer_graph(m->main);
  CHECK(m->nerror == (want ? 0 : 1));
  if (want) CHECK_STR(value_shape_text(n->out[0]), want);
  model_free(m);
}

/* A quotient is taken to be what it must equal, and the run compares. */
static void test_assumed(void)
{
  m = model_new(NULL, "m");
  DimPool *p = &m->dims;
  const Dim *h = dim_named(p, "H"), *two = dim_int(p, 2);
  const Dim *half = dim_div(p, dim_add(p, h, dim_int(p, 1)), two);
  const Dim *quarter = dim_div(p, dim_add(p, h, dim_int(p, 3)), dim_int(p, 4));
  const Dim *twice = dim_mul(p, quarter, two);
  Value *a = value_new(m->main, "a", DT_F32, 1, &half);
  Value *b = value_new(m->main, "b", DT_F32, 1, &twice);
  graph_add_input(m->main, a);
  graph_add_input(m->main, b);
  Node *n = add(a, b, NULL), *again = add(b, a, NULL);
  infer_graph(m->main);
  CHECK(m->nerror == 0 && again->out[0]->dim[0] == twice);
  CHECK(a->dim[0] == twice && n->out[0]->dim[0] == twice);
  CHECK(p->nequal == 1 && p->equal[0].a == half && p->equal[0].b == twice);
  /* Not where the other is made of it. */
  const Dim *more = dim_add(p, half, dim_div(p, half, dim_int(p, 3)));
  CHECK(!dims_unify(p, half, more, true));
  model_free(m);
}

static void test_broadcast(void)
{
  check_add("2 3", "2 3", "[2, 3]");
  check_add("2 3", "3", "[2, 3]");
  check_add("2 1", "1 3", "[2, 3]");
  check_add("", "4 5", "[4, 5]");
  check_add("N 3", "1 3", "[N, 3]");
  check_add("N 3", "N 1", "[N, 3]");
  check_add("0 3", "1 3", "[0, 3]");
  check_add("2 3", "2", NULL);
  check_add("N 3", "M 3", NULL);
  check_add("N 3", "5 3", NULL);
}

static void test_messages(void)
{
  m = model_new(NULL, "m");
  Node *n = add(input("a", "N"), input("b", "M"), NULL);
  Node *next = add(n->out[0], n->out[0], NULL);
  infer_graph(m->main);
  CHECK(m->nerror == 1 && diag_worst(m) == EXIT_UNSUPPORTED);
  CHECK(strstr(m->diags->text, "N in one input and M") != NULL);
  CHECK(next->out[0]->bad);
  model_free(m);

  m = model_new(NULL, "m");
  add(input("a", "2"), input("b", "3"), NULL);
  infer_graph(m->main);
  CHECK(diag_worst(m) == EXIT_MODEL);
  model_free(m);

  m = model_new(NULL, "m");
  Value *x = value_new(m->main, "x", DT_F32, -1, NULL);
  graph_add_input(m->main, x);
  add(x, x, NULL);
  infer_graph(m->main);
  CHECK(m->nerror == 1 && diag_worst(m) == EXIT_MODEL);
  CHECK(strstr(m->diags->text, "input 'x' has no shape") != NULL);
  model_free(m);
}

/* An output about which the file claims something. */
static Value *declared(const char *name, Dtype t, const char *shape)
{
  Value *v = value(name, t, shape);
  Type *d = NEW(&m->arena, Type, 1);
  *d = (Type){VK_TENSOR, t, v->rank, v->dim, NULL};
  v->declared = d;
  v->dtype = DT_NONE;
  v->rank = -1;
  return v;
}

static void test_declared(void)
{
  m = model_new(NULL, "m");
  Value *a = input("a", "N 3");
  Node *good = add(a, a, declared("good", DT_F32, "batch 3"));
  Node *bad = add(a, a, declared("bad", DT_F32, "N 4"));
  Node *rank = add(a, a, declared("rank", DT_F32, "N"));
  infer_graph(m->main);
  CHECK(m->nerror == 0 && m->nwarning == 2);
  CHECK(value_same_shape(good->out[0], a) && value_same_shape(bad->out[0], a));
  CHECK(value_same_shape(rank->out[0], a));
  CHECK(strstr(m->diags->text, "declared as 4") != NULL);
  /* What was inferred is no declaration: it may change. */
  const Dim *dim[] = {dim_int(&m->dims, 2), dim_int(&m->dims, 5)};
  value_set_shape(a, 2, dim);
  infer_graph(m->main);
  CHECK(m->nwarning == 2 && value_same_shape(good->out[0], a));
  model_free(m);

  m = model_new(NULL, "m");
  a = input("a", "N 3");
  add(a, a, declared("y", DT_I64, "N 3"));
  infer_graph(m->main);
  CHECK(diag_worst(m) == EXIT_MODEL);
  CHECK(strstr(m->diags->text, "declared as int64") != NULL);
  model_free(m);
}

/* x[S] + x[min(S, 512)]: S is at most 512 then. */
static void test_bounded(void)
{
  m = model_new(NULL, "m");
  DimPool *p = &m->dims;
  const Dim *s = dim_named(p, "S"), *cut = dim_min(p, s, dim_int(p, 512));
  Value *b = value_new(m->main, "b", DT_F32, 1, &cut);
  Node *n = add(input("a", "S"), b, NULL);
  infer_graph(m->main);
  CHECK(m->nerror == 0);
  CHECK_STR(value_shape_text(n->out[0]), "[S]");
  CHECK(p->sym[dim_symbol(s)].max == 512);
  CHECK(dim_min(p, s, dim_int(p, 512)) == s);
  model_free(m);
}

/* Unnamed dimensions merge with what they meet; proven ones always. */
static void test_merge(void)
{
  m = model_new(NULL, "m");
  const Dim *made[] = {dim_unnamed(&m->dims, "x_d0"), dim_int(&m->dims, 3)};
  Value *x = value_new(m->main, "x", DT_F32, 2, made);
  graph_add_input(m->main, x);
  Value *b = input("b", "N 3");
  Node *n = add(add(x, x, NULL)->out[0], b, NULL);
  infer_graph(m->main);
  CHECK(m->nerror == 0 && value_same_shape(x, b));
  CHECK_STR(value_shape_text(n->out[0]), "[N, 3]");
  CHECK_STR(value_shape_text(n->in[0]), "[N, 3]");
  model_free(m);

  m = model_new(NULL, "m");
  Value *a = input("a", "N K"), *w = input("w", "7 L");
  Node *y = node_new(m->main, NULL, "MatMul", 2, 1, NULL);
  node_set_input(y, 0, a);
  node_set_input(y, 1, w);
  node_set_output(y, 0, value_tmp(m->main, "y", NULL));
  infer_graph(m->main);
  CHECK(m->nerror == 0);
  CHECK_STR(value_shape_text(a), "[N, 7]");
  CHECK_STR(value_shape_text(y->out[0]), "[N, L]");
  CHECK(dim_is(dim_named(&m->dims, "K"), 7));
  model_free(m);
}

static void test_upgrade(void)
{
  m = model_new(NULL, "m");
  Value *a = input("a", "2 3 4"), *b = input("b", "3");
  /* ONNX Add-1: b is aligned at `axis`. */
  Node *n = add(a, b, NULL);
  n->version = 1;
  attr_set_int(n, "broadcast", 1);
  attr_set_int(n, "axis", 1);
  schema_check(m->main);
  infer_graph(m->main);
  CHECK(m->nerror == 0 && n->version == 14);
  CHECK_STR(value_shape_text(n->out[0]), "[2, 3, 4]");
  ir_check(m->main, "upgrade");
  model_free(m);
}

int main(void)
{
  test_broadcast();
  test_assumed();
  test_messages();
  test_declared();
  test_merge();
  test_bounded();
  test_upgrade();
  return test_end();
}
