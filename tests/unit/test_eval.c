/* SPDX-License-Identifier: Apache-2.0 */
/* Folding by the reference kernels, and the symbolic content of shape
 * computations: what exporters write ends in dimensions. */
#include "irbuild.h"

/* Content of v as text: "N 3 N*2"; "?": not known. */
static const char *content(const Value *v)
{
  const Dim *const *d;
  const char *s = "";
  int n;
  d = value_content(v, &n);
  if (!d) return "?";
  for (int i = 0; i < n; i++)
    s = arena_printf(&m->arena, "%s%s%s", s, i ? " " : "",
                     dim_text(&m->dims, d[i]));
  return s;
}

/* A node on the values in[0..nin), further inputs from text; inferred. */
static Value *op(const char *name, const char *attrs, int nin, Value **in)
{
  Node *n = build_node(name, "", attrs, 1);
  for (int i = 0; i < nin; i++) node_set_input(n, i, in[i]);
  infer_node(n);
  if (!CHECK(m->nerror == 0)) printf("  %s: %s\n", name, m->diags->text);
  return n->out[0];
}

#define OP1(name, attrs, a) op(name, attrs, 1, (Value *[]){a})
#define OP2(name, attrs, a, b) op(name, attrs, 2, (Value *[]){a, b})
#define OP3(name, attrs, a, b, c) op(name, attrs, 3, (Value *[]){a, b, c})
static Value *ints(const char *s) { return build_value(s); }

static Value *scalar(int v)
{
  return value_const_scalar(m->main, "scalar", DT_I64, v);
}

/* PyTorch: x.view(x.size(0), -1), x.flatten(1, 2), .. */
static void test_shape_chain(void)
{
  m = model_new(NULL, "m");
  Value *x = build_value("N 3 H 4"), *shape = OP1("Shape", "", x), *n, *h, *s;
  CHECK_STR(content(shape), "N 3 H 4");
  n = OP2("Gather", "axis=0", shape, scalar(0));
  CHECK_STR(content(n), "N");
  CHECK(n->rank == 0);
  h = OP2("Gather", "axis=0", shape, ints("=-2"));
  CHECK_STR(content(h), "H");
  n = OP2("Unsqueeze", "", n, ints("=0"));
  s = OP3("Concat", "axis=0", n, OP2("Mul", "", h, ints("=3")), ints("=-1"));
  CHECK_STR(content(s), "N H*3 -1");
  CHECK_STR(value_shape_text(OP2("Reshape", "", x, s)), "[N, H*3, 4]");
  s = OP3("Slice", "", shape, ints("=0"), ints("=2"));
  CHECK_STR(content(s), "N 3");
  CHECK(s->data == NULL);
  s = OP3("Slice", "", shape, ints("=3"), ints("=4"));
  CHECK(s->data != NULL && tensor_i64(s->data, 0) == 4);
  s = op("Slice", "", 5, (Value *[]){shape, ints("=-1"), ints("=-9"),
                                     ints("=0"), ints("=-1")});
  CHECK_STR(content(s), "4 H 3 N");
  CHECK_STR(content(OP2("Tile", "", OP3("Slice", "", shape, ints("=0"),
                                        ints("=1")), ints("=3"))), "N N N");
  CHECK_STR(content(OP2("Pad", "", OP3("Slice", "", shape, ints("=0"),
                                       ints("=1")), ints("=1 1"))), "0 N 0");
  CHECK_STR(content(OP2("Expand", "", h, ints("=2"))), "H H");
  CHECK_STR(content(OP1("Size", "", x)), "N*H*12");
  CHECK_STR(content(OP1("Cast", "to=6", shape)), "N 3 H 4");
  CHECK_STR(content(OP1("Cast", "to=1", shape)), "?");
  model_free(m);
}

static void test_arithmetic(void)
{
  m = model_new(NULL, "m");
  Value *s = OP1("Shape", "", build_value("N 3 H")), *t;
  CHECK_STR(content(OP2("Add", "", s, ints("=1"))), "N + 1 4 H + 1");
  CHECK_STR(content(OP2("Sub", "", ints("=1 1 1"), s)), "-N + 1 -2 -H + 1");
  t = OP2("Mul", "", s, ints("=4 1 2"));
  CHECK_STR(content(OP2("Div", "", t, ints("=2"))), "N*2 1 H");
  CHECK_STR(content(OP2("Mod", "", t, ints("=2"))), "0 1 0");
  CHECK_STR(content(OP1("Neg", "", s)), "-N -3 -H");
  /* Truncation of what may be negative is not a floor. */
  CHECK_STR(content(OP2("Div", "", OP2("Sub", "", s, ints("=1")), ints("=2"))),
            "?");
  CHECK_STR(content(OP2("Div", "", s, ints("=0"))), "?");
  CHECK_STR(content(OP2("Max", "", s, ints("=0"))), "N 3 H");
  CHECK_STR(content(OP1("ReduceProd", "keepdims=0", s)), "N*H*3");
  CHECK_STR(content(OP1("ReduceSum", "", s)), "N + H + 3");
  CHECK_STR(content(OP3("Range", "", scalar(1), scalar(6), scalar(2))),
            "1 3 5");
  model_free(m);
}

/* Expand as PyTorch writes it: -1 in the shape means the input's dimension. */
static void test_where(void)
{
  m = model_new(NULL, "m");
  Value *x = build_value("N 1 4"), *shape = OP1("Shape", "", x);
  Value *want = OP3("Concat", "axis=0", OP3("Slice", "", shape, ints("=0"),
                                            ints("=1")),
                    ints("=7"), ints("=-1"));
  Value *ones = OP1("ConstantOfShape", "", ints("=3"));
  CHECK_STR(content(ones), "?"); /* float zeros */
  Tensor *one = tensor_new(&m->arena, DT_I64, 1, (int64_t[]){1});
  tensor_set_i64(one, 0, 1);
  Node *n = build_node("ConstantOfShape", "=3", "", 1);
  attr_set_tensor(n, "value", one);
  infer_node(n);
  ones = n->out[0];
  CHECK_STR(content(ones), "1 1 1");
  Value *minus = OP2("Mul", "", ones, ints("=-1"));
  Value *open = OP2("Equal", "", want, minus);
  CHECK_STR(content(open), "0 0 1");
  Value *s = OP3("Where", "", open, ones, want);
  CHECK_STR(content(s), "N 7 1");
  CHECK_STR(value_shape_text(OP2("Expand", "", x, s)), "[N, 7, 4]");
  /* N may be 7 or not. */
  CHECK_STR(content(OP2("Equal", "", want, ints("=7"))), "?");
  CHECK_STR(content(OP2("Less", "", ints("=-1"), shape)), "1 1 1");
  model_free(m);
}

static void test_constants(void)
{
  m = model_new(NULL, "m");
  int64_t dim[] = {2, 3};
  Tensor *t = tensor_new(&m->arena, DT_F16, 2, dim);
  for (int i = 0; i < 6; i++) tensor_set_f64(t, i, i * 0.5);
  Value *x = value_const(m->main, "x", t);
  Value *y = OP1("Transpose", "", x);
  CHECK(y->data != NULL && y->data->dim[0] == 3);
  CHECK(tensor_f64(y->data, 1) == 1.5 && tensor_f64(y->data, 4) == 1);
  /* An index out of range is left to the run. */
  Node *n = build_node("GatherND", "", "", 1);
  node_set_input(n, 0, x);
  node_set_input(n, 1, value_const_ints(m->main, "i", (int64_t[]){9}, 1));
  infer_node(n);
  CHECK(m->nerror == 0 && !n->out[0]->data);
  CHECK(!eval_node(n));
  /* Not constant, and not static. */
  n = build_node("Transpose", "N 3", "", 1);
  infer_node(n);
  CHECK(!eval_node(n) && !n->out[0]->data);
  model_free(m);
}

static void test_strings(void)
{
  m = model_new(NULL, "m");
  Node *n = build_node("Constant", "", "", 1);
  int64_t two = 2;
  Tensor *t = tensor_new(&m->arena, DT_STR, 1, &two);
  t->data = (const Str[]){{"ab", 2}, {"", 0}};
  attr_set_tensor(n, "value", t);
  infer_node(n);
  Value *y = OP2("Gather", "", n->out[0], ints("=-2 1 0"));
  const Str *s = y->data ? y->data->data : NULL;
  CHECK(s && s[0].n == 2 && !memcmp(s[2].p, "ab", 2) && s[1].n == 0);
  y = OP2("Pad", "", n->out[0], ints("=1 0"));
  s = y->data ? y->data->data : NULL;
  CHECK(s && s[0].n == 0 && s[1].n == 2);
  model_free(m);
}

int main(void)
{
  test_shape_chain();
  test_arithmetic();
  test_where();
  test_constants();
  test_strings();
  return test_end();
}
