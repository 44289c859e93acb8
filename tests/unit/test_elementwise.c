/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise operators: what the expressions give at the ends of their types,
 * old versions, permutation, and the steps and results of fused chains. */
#include "ir.h"
#include "target.h"
#include "o2ctest.h"
#include <math.h>

static Model *m;
static Graph *g;

static void begin(void)
{
  m = model_new(NULL, "m");
  g = m->main;
}

static Value *scalar(Dtype t, double v)
{
  return value_const_scalar(g, "c", t, v);
}

static Node *node(const char *op, Value *a, Value *b, Value *c)
{
  Value *in[] = {a, b, c};
  int n = c ? 3 : b ? 2 : 1;
  Node *x = node_new(g, NULL, op, n, 1, NULL);
  for (int i = 0; i < n; i++) node_set_input(x, i, in[i]);
  node_set_output(x, 0, value_tmp(g, op, NULL));
  return x;
}

static Value *op(const char *name, Value *a, Value *b)
{
  Node *n = node(name, a, b, NULL);
  infer_node(n);
  return n->out[0];
}

/* The number that an operator makes of one or two scalars. */
static double eval(const char *name, Dtype t, double a, double b)
{
  const OpDef *def = op_find("", name);
  bool two = ((const EwOp *)def)->arity == 2;
  Node *n = node(name, scalar(t, a), two ? scalar(t, b) : NULL, NULL);
  infer_node(n);
  if (!CHECK(ew_eval(n))) return -999;
  return tensor_f64(n->out[0]->data, 0);
}

static void test_integers(void)
{
  begin();
  CHECK(eval("Div", DT_I32, 7, 0) == 0);
  CHECK(eval("Div", DT_I32, -2147483648.0, -1) == -2147483648.0);
  CHECK(eval("Div", DT_I8, -128, -1) == -128);
  CHECK(eval("Div", DT_I16, -7, 2) == -3);
  CHECK(eval("Div", DT_U8, 7, 0) == 0);
  CHECK(eval("Add", DT_I32, 2147483647.0, 1) == -2147483648.0);
  CHECK(eval("Add", DT_U8, 250, 10) == 4);
  CHECK(eval("Mul", DT_U16, 65535, 65535) == 1);
  CHECK(eval("Mul", DT_I16, -32768, -1) == -32768);
  CHECK(eval("Sub", DT_U64, 0, 1) == 18446744073709551615.0);
  CHECK(eval("Abs", DT_I8, -128, 0) == -128);
  CHECK(eval("Neg", DT_I64, 5, 0) == -5);
  CHECK(eval("Mod", DT_I32, -7, 3) == 2 && eval("Mod", DT_I32, 7, -3) == -2);
  CHECK(eval("Mod", DT_I32, 7, 0) == 0 && eval("Mod", DT_I64, 7, -1) == 0);
  CHECK(eval("Sign", DT_I8, -3, 0) == -1 && eval("Sign", DT_U8, 3, 0) == 1);
  CHECK(eval("BitwiseNot", DT_U8, 1, 0) == 254);
  CHECK(eval("Pow", DT_I32, 3, 4) == 81 && eval("Pow", DT_I32, 2, -1) == 0);
  CHECK(eval("Pow", DT_I32, -1, -3) == -1 && eval("Pow", DT_I64, 0, 0) == 1);
  model_free(m);
}

static double shift(const char *direction, Dtype t, double a, double b)
{
  Node *n = node("BitShift", scalar(t, a), scalar(t, b), NULL);
  attr_set_str(n, "direction", direction);
  infer_node(n);
  return CHECK(ew_eval(n)) ? tensor_f64(n->out[0]->data, 0) : -999;
}

static void test_shifts(void)
{
  begin();
  CHECK(shift("LEFT", DT_U8, 1, 7) == 128 && shift("LEFT", DT_U8, 1, 8) == 0);
  CHECK(shift("RIGHT", DT_U64, 8, 64) == 0);
  CHECK(shift("RIGHT", DT_U32, 8, 3) == 1);
  CHECK(shift("RIGHT", DT_I8, -1, 100) == -1);
  CHECK(shift("LEFT", DT_I8, 1, 8) == 0);
  CHECK(shift("RIGHT", DT_I32, -8, 1) == -4);
  CHECK(shift("LEFT", DT_I32, 3, -1) == 0);
  CHECK(m->nerror == 0);
  infer_node(node("BitShift", scalar(DT_U8, 1), scalar(DT_U8, 1), NULL));
  CHECK(m->nerror == 1 && strstr(m->diags->text, "direction is missing"));
  model_free(m);
}

static void test_floats(void)
{
  begin();
  double nan = (double)NAN, inf = (double)INFINITY;
  CHECK(isnan(eval("Relu", DT_F32, nan, 0)));
  CHECK(isnan(eval("Max", DT_F32, nan, 1)));
  CHECK(isnan(eval("Min", DT_F64, 1, nan)));
  CHECK(isnan(eval("HardSigmoid", DT_F32, nan, 0)));
  CHECK(eval("Round", DT_F32, 2.5, 0) == 2);
  CHECK(eval("Round", DT_F32, -1.5, 0) == -2);
  CHECK(isnan(eval("Sign", DT_F32, nan, 0)));
  CHECK(eval("Sign", DT_F32, -2, 0) == -1);
  CHECK(eval("Elu", DT_F32, -1e-6, 0) < -0.99e-6);
  CHECK(eval("Elu", DT_F32, -200, 0) == -1 && eval("Selu", DT_F32, 0, 0) == 0);
  CHECK(eval("Softplus", DT_F32, 200, 0) == 200);
  CHECK(eval("Softplus", DT_F32, -50, 0) > 1e-22);
  CHECK(eval("Sigmoid", DT_F32, -inf, 0) == 0);
  CHECK(eval("Sigmoid", DT_F64, inf, 0) == 1);
  CHECK(eval("Pow", DT_F32, 3, 2) == 9);
  CHECK(eval("Pow", DT_F64, 2, 0.5) == sqrt(2));
  CHECK(eval("IsInf", DT_F32, -inf, 0) == 1);
  CHECK(eval("IsNaN", DT_F16, nan, 0) == 1);
  CHECK(eval("ThresholdedRelu", DT_F32, 1, 0) == 0);
  CHECK(eval("Shrink", DT_I32, 3, 0) == 3);
  CHECK(eval("Shrink", DT_F32, 0.25, 0) == 0);
  /* A half type rounds: 2048 + 1 is a tie between 2048 and 2050. */
  CHECK(eval("Add", DT_F16, 2048, 1) == 2048);
  CHECK(eval("Add", DT_BF16, 256, 3) == 260);
  CHECK(fabs(eval("Gelu", DT_F64, 1, 0) - 0.8413447460685429) < 1e-15);
  model_free(m);
}

static double cast(Dtype from, double v, Dtype to)
{
  Node *n = node("Cast", scalar(from, v), NULL, NULL);
  attr_set_int(n, "to", to);
  infer_node(n);
  return CHECK(ew_eval(n)) ? tensor_f64(n->out[0]->data, 0) : -999;
}

static void test_casts(void)
{
  begin();
  CHECK(cast(DT_F32, 1e10, DT_I32) == 2147483647.0);
  CHECK(cast(DT_F64, -1e30, DT_I64) == -9223372036854775808.0);
  CHECK(cast(DT_F32, (double)NAN, DT_I32) == 0);
  CHECK(cast(DT_F32, -1.9, DT_I8) == -1 && cast(DT_F32, -1, DT_U64) == 0);
  CHECK(cast(DT_I16, 200, DT_I8) == -56 && cast(DT_I32, 9, DT_U4) == 9);
  CHECK(cast(DT_I32, 9, DT_I4) == -7 && cast(DT_I32, -1, DT_U16) == 65535);
  CHECK(cast(DT_F32, 0.25, DT_BOOL) == 1 && cast(DT_I64, 0, DT_BOOL) == 0);
  CHECK(cast(DT_BOOL, 1, DT_F16) == 1 && cast(DT_F32, 1e9, DT_F8E4M3FN) == 448);
  /* By way of float this double would round up twice. */
  CHECK(cast(DT_F64, 1 + 0x1p-11 + 0x1p-30, DT_F16) == 1 + 0x1p-10);
  CHECK(cast(DT_F64, 1 + 0x1p-11, DT_F16) == 1);
  CHECK(cast(DT_I64, 9007199254740993.0, DT_F64) == 9007199254740992.0);
  Node *n = node("Cast", scalar(DT_F32, 1), NULL, NULL);
  attr_set_int(n, "to", DT_STR);
  infer_node(n);
  CHECK(m->nerror == 0 && eval_node(n) && n->out[0]->data);
  Str text = *(const Str *)n->out[0]->data->data;
  CHECK(text.n == 3 && !memcmp(text.p, "1.0", 3));
  model_free(m);
}

static Value *input(const char *name, Dtype t, int rank, const int64_t *size)
{
  const Dim *dim[MAX_RANK];
  for (int i = 0; i < rank; i++) dim[i] = dim_int(&m->dims, size[i]);
  Value *v = value_new(g, name, t, rank, dim);
  graph_add_input(g, v);
  return v;
}

static void test_upgrades(void)
{
  const int64_t nchw[] = {2, 3, 4, 5}, three[] = {3};
  begin();
  Value *x = input("x", DT_F32, 4, nchw), *c = input("c", DT_F32, 1, three);
  Node *add = node("Add", x, c, NULL);
  add->version = 6;
  attr_set_int(add, "broadcast", 1);
  attr_set_int(add, "axis", 1);
  Node *prelu = node("PRelu", x, c, NULL);
  prelu->version = 6;
  Node *clip = node("Clip", x, NULL, NULL);
  clip->version = 6;
  attr_set_float(clip, "max", 6);
  Node *selu = node("Selu", x, NULL, NULL);
  selu->version = 1;
  Node *to = node("Cast", x, NULL, NULL);
  to->version = 1;
  attr_set_str(to, "to", "FLOAT16");
  upgrade_graph(g);
  infer_graph(g);
  CHECK(m->nerror == 0);
  CHECK_STR(value_shape_text(add->in[1]), "[3, 1, 1]");
  CHECK_STR(value_shape_text(prelu->in[1]), "[3, 1, 1]");
  CHECK(!node_in(clip, 1) && tensor_f64(clip->in[2]->data, 0) == 6);
  CHECK(attr_float(selu, "alpha", 0) == 1.6732f);
  CHECK(to->out[0]->dtype == DT_F16);
  model_free(m);
}

static void test_permute(void)
{
  const int64_t nchw[] = {2, 3, 4, 5}, dim[] = {3, 1, 2};
  const int perm[] = {0, 2, 3, 1};
  begin();
  Value *x = input("x", DT_F32, 4, nchw);
  Value *low = input("l", DT_F32, 3, nchw + 1);
  Tensor *t = tensor_new(&m->arena, DT_F32, 3, dim);
  for (int i = 0; i < 6; i++) tensor_set_f64(t, i, i);
  Node *n = node("Add", x, value_const(g, "c", t), NULL);
  CHECK(n->op->permute(n, perm, 4));
  CHECK_STR(value_shape_text(n->in[1]), "[1, 1, 2, 3]");
  CHECK(tensor_f64(n->in[1]->data, 1) == 2);
  CHECK(tensor_f64(n->in[1]->data, 3) == 1);
  n = node("Add", x, low, NULL);
  CHECK(!n->op->permute(n, perm, 4));
  n = node("Mul", x, scalar(DT_F32, 2), NULL);
  CHECK(n->op->permute(n, perm, 4) && n->in[1]->rank == 0);
  model_free(m);
}

static int count(const char *name)
{
  int n = 0;
  for (const Node *x = g->first; x; x = x->next) n += !strcmp(x->op_type, name);
  return n;
}

static Tensor *wave(Dtype t, int64_t n)
{
  const int64_t dim[] = {2, n / 2};
  Tensor *w = tensor_new(&m->arena, t, 2, dim);
  for (int64_t i = 0; i < n; i++)
    tensor_set_f64(w, i,
                   (double)((i * 37) % 101 - 50) * (t == DT_F32 ? 0.1 : 1));
  return w;
}

/* Evaluates the graph's nodes in order, on the data of its inputs. */
static const Tensor *run(Value *y)
{
  for (Node *n = g->first; n; n = n->next) CHECK(eval_node(n));
  return y->data;
}

/* Fuses the graph, and compares its result before and after. */
static void same_fused(Value *y, Value *const *in, const Tensor *const *data,
                       int nin)
{
  graph_add_output(g, y);
  for (int i = 0; i < nin; i++) in[i]->data = data[i];
  const Tensor *want = run(y);
  for (Node *n = g->first; n; n = n->next) n->out[0]->data = NULL;
  for (int i = 0; i < nin; i++) in[i]->data = NULL;
  CHECK(pass_fuse_ew(g));
  ir_check(g, "fuse_ew");
  CHECK_INT(count("Fused"), 1);
  CHECK(g->first == g->last);
  for (int i = 0; i < nin; i++) in[i]->data = data[i];
  const Tensor *got = run(y);
  CHECK(got != want && got->n == want->n);
  CHECK(!memcmp(got->data, want->data, (size_t)got->n *
                (size_t)dtype_info(got->dtype)->size));
}

static void test_fuse_float(void)
{
  const int64_t dim[] = {2, 300}, row[] = {300};
  begin();
  Value *x = input("x", DT_F32, 2, dim), *b = input("b", DT_F32, 1, row);
  Tensor *bias = tensor_new(&m->arena, DT_F32, 1, row);
  for (int i = 0; i < 300; i++) tensor_set_f64(bias, i, i * 0.01);
  Value *s = op("Add", x, b);
  Value *y = op("Mul", s, op("Sigmoid", s, NULL)); /* s has two users */
  y = op("Max", op("Mul", y, scalar(DT_F32, 0.5)), op("Neg", x, NULL));
  const Tensor *data[] = {wave(DT_F32, 600), bias};
  Value *in[] = {x, b};
  same_fused(y, in, data, 2);
  CHECK_INT(((EwChain *)g->first->fused)->n, 6);
  CHECK_INT(g->first->nin, 3);
  model_free(m);
}

static Value *quantized(const char *name, Value *x, Value *scale, Dtype zero_t,
                        double zero, int axis)
{
  Node *n = node(name, x, scale, NULL);
  Tensor *z = tensor_new(&m->arena, zero_t, scale->rank, scale->data->dim);
  for (int64_t i = 0; i < z->n; i++) tensor_set_f64(z, i, zero + (double)i);
  node_set_input(n, 2, value_const(g, "zero", z));
  attr_set_int(n, "axis", axis);
  infer_node(n);
  return n->out[0];
}

/* int8 Add: DequantizeLinear twice, Add, Relu, QuantizeLinear. */
static void test_fuse_int8(void)
{
  const int64_t dim[] = {2, 300}, two[] = {2};
  begin();
  Value *x = input("x", DT_I8, 2, dim), *z = input("z", DT_U8, 2, dim);
  Tensor *scales = tensor_new(&m->arena, DT_F32, 1, two);
  tensor_set_f64(scales, 0, 0.03);
  tensor_set_f64(scales, 1, 0.7);
  Value *a = quantized("DequantizeLinear", x, value_const(g, "s", scales),
                       DT_I8, 3, 0);
  Value *b = quantized("DequantizeLinear", z, scalar(DT_F32, 0.02), DT_U8, 128,
                       1);
  Value *y = op("Relu", op("Add", a, b), NULL);
  y = quantized("QuantizeLinear", y, scalar(DT_F32, 0.05), DT_I8, -5, 1);
  const Tensor *data[] = {wave(DT_I8, 600), wave(DT_U8, 600)};
  Value *in[] = {x, z};
  same_fused(y, in, data, 2);
  model_free(m);
}

static void test_fuse_not(void)
{
  const int64_t dim[] = {2, 4}, row[] = {4};
  begin();
  Value *x = input("x", DT_F32, 2, dim), *b = input("b", DT_F32, 1, row);
  Value *shown = op("Abs", x, NULL);         /* an output of the graph */
  Value *small = op("Exp", b, NULL);         /* would run once for each row */
  graph_add_output(g, shown);
  graph_add_output(g, op("Add", shown, small));
  CHECK(!pass_fuse_ew(g) && count("Fused") == 0);
  model_free(m);
}

/* The template, on a plan written by hand. */
static void test_template(void)
{
  static const char plan_text[] =
    "G_EW_HOLD(<%  %>, <%float%>, <%x0%>, <%a0[i]%>)m4_dnl\n"
    "G_EW_LET(<%  %>, <%y[i]%>, <%%>, <%%>, <%float%>, <%uint32_t%>, <%f%>,\n"
    "<%x < K(0) ? P(0) * M(exp)(-x) : PICK(1, K(-2), K(0.5)) * y%>, <%x0%>, "
    "<%a1[s->T]%>, <%0%>, <%0.1f%>, <%0.0f%>, 1, 0)m4_dnl\n";
  StrBuf in, out;
  begin();
  sb_init(&in, &m->arena);
  sb_init(&out, &m->arena);
  sb_puts(&in, plan_text);
  CHECK(m4_expand(m, &in, &out));
  sb_write(&out, "", 1);
  CHECK(strstr(out.s, "  const float x0 = a0[i];\n"
                      "  y[i] = x0 < 0.0f ? 0.1f * expf(-x0) : "
                      "(-2.0f) * a1[s->T];\n"));
  sb_free(&in);
  sb_free(&out);
  model_free(m);
}

int main(void)
{
  test_integers();
  test_shifts();
  test_floats();
  test_casts();
  test_upgrades();
  test_permute();
  test_fuse_float();
  test_fuse_int8();
  test_fuse_not();
  test_template();
  return test_end();
}
