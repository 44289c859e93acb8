/* SPDX-License-Identifier: Apache-2.0 */
/* Graph surgery keeps links, uses and the names of inputs and outputs. */
#include "ir.h"
#include "o2ctest.h"

static Value *input(Graph *g, const char *name, int64_t n)
{
  const Dim *dim[] = {dim_named(&g->m->dims, "N"), dim_int(&g->m->dims, n)};
  Value *v = value_new(g, name, DT_F32, 2, dim);
  graph_add_input(g, v);
  return v;
}

static void test_nodes(void)
{
  Model *m = model_new(NULL, "a/b/net.onnx");
  Graph *g = m->main;
  CHECK_STR(m->file, "net.onnx");
  Value *x = input(g, "x", 3);
  Node *end = node_new(g, NULL, "Relu", 1, 1, NULL);
  Value *y = value_new(g, "y", DT_NONE, -1, NULL);
  node_set_input(end, 0, x);
  node_set_output(end, 0, y);
  graph_add_output(g, y);
  infer_graph(g);
  CHECK(y->dtype == DT_F32 && value_same_shape(x, y) && !m->nerror);
  CHECK(end->version == 14 && node_is(end, "Relu"));
  Value *sum = node_op(end, "Add", 2, x, x);
  CHECK(sum->def->next == end && sum->def == g->first && x->nuse == 3);
  CHECK(value_same_shape(sum, x));
  node_set_input(end, 0, sum);
  CHECK(x->nuse == 2 && sum->nuse == 1);
  CHECK(value_only_user(sum) == end && !value_only_user(x));
  CHECK(!value_only_user(y));
  ir_check(g, "test");
  /* The output's place is taken; its name stays. */
  value_replace(y, sum);
  CHECK(g->out[0] == sum && sum->is_output && !y->is_output);
  CHECK_STR(g->out_name[0], "y");
  node_remove(end);
  CHECK(g->last == sum->def && sum->nuse == 0 && !y->def);
  value_replace(x, sum);
  CHECK(x->nuse == 0 && sum->nuse == 2);
  node_drop_inputs(sum->def, 0);
  CHECK(sum->nuse == 0 && !node_in(sum->def, 0));
  node_set_input(sum->def, 4, x);
  CHECK(sum->def->nin == 5 && !node_in(sum->def, 3) && x->nuse == 1);
  model_free(m);
}

static void test_order(void)
{
  Model *m = model_new(NULL, "");
  Node *n[4];
  for (int i = 0; i < 4; i++)
    n[i] = node_new(m->main, NULL, "Relu", 0, 0, NULL);
  node_move_before(n[3], n[0]);
  node_move_before(n[0], NULL);
  const Node *want[] = {n[3], n[1], n[2], n[0]};
  const Node *at = m->main->first;
  for (int i = 0; i < 4; i++, at = at->next) {
    CHECK(at == want[i]);
    CHECK(at->prev == (i ? want[i - 1] : NULL));
  }
  CHECK(!at && m->main->last == n[0]);
  model_free(m);
}

static void test_attrs(void)
{
  Model *m = model_new(NULL, "");
  Node *n = node_new(m->main, NULL, "Relu", 0, 0, NULL);
  int64_t list[] = {1, 2, 3};
  int count;
  attr_set_int(n, "axis", -1);
  attr_set_float(n, "alpha", 0.5f);
  attr_set_str(n, "mode", "nearest");
  attr_set_ints(n, "pads", list, 3);
  list[0] = 9;
  CHECK(attr_int(n, "axis", 7) == -1 && attr_int(n, "alpha", 7) == 7);
  CHECK(attr_float(n, "alpha", 1) == 0.5f && attr_float(n, "x", 1) == 1);
  CHECK_STR(attr_str(n, "mode", ""), "nearest");
  CHECK(attr_ints(n, "pads", &count)[0] == 1 && count == 3);
  CHECK(!attr_ints(n, "none", &count) && count == 0);
  attr_set_int(n, "mode", 3);
  CHECK(n->nattr == 4 && attr_int(n, "mode", 0) == 3);
  attr_remove(n, "axis");
  attr_remove(n, "axis");
  CHECK(n->nattr == 3 && attr_float(n, "alpha", 1) == 0.5f);
  CHECK(axis_norm(n, -1, 4) == 3 && axis_norm(n, 0, 4) == 0);
  CHECK(m->nerror == 0 && axis_norm(n, 4, 4) == -1 && m->nerror == 1);
  model_free(m);
}

static void test_tensors(void)
{
  static const Dtype narrow[] = {DT_F16, DT_BF16, DT_F8E4M3FN, DT_F8E4M3FNUZ,
    DT_F8E5M2, DT_F8E5M2FNUZ, DT_F4E2M1, DT_F6E2M3, DT_F6E3M2,
    DT_F32, DT_F64, DT_I4, DT_I2 + 0,
    DT_I8, DT_I16, DT_I32, DT_I64};
  Model *m = model_new(NULL, "");
  int64_t dim[] = {2, 2};
  for (int i = 0; i < COUNT(narrow); i++) {
    Tensor *t = tensor_new(&m->arena, narrow[i], 2, dim);
    CHECK(t->n == 4 && tensor_f64(t, 3) == 0);
    tensor_set_f64(t, 1, 1);
    tensor_set_i64(t, 2, -1);
    CHECK(tensor_f64(t, 1) == 1 && tensor_i64(t, 1) == 1);
    CHECK(tensor_f64(t, 2) == -1 && tensor_i64(t, 2) == -1);
    CHECK(tensor_f64(t, 0) == 0 && tensor_f64(t, 3) == 0);
  }
  Tensor *u = tensor_new(&m->arena, DT_U64, 0, NULL);
  tensor_set_f64(u, 0, 1e30);
  CHECK(((const uint64_t *)u->data)[0] == UINT64_MAX);
  CHECK(tensor_i64(u, 0) == INT64_MAX);
  /* Data in a file lies at any address. */
  char bytes[9] = {0};
  float f = 2.5f;
  memcpy(bytes + 1, &f, sizeof f);
  Tensor odd = {.dtype = DT_F32, .n = 1, .data = bytes + 1};
  CHECK(tensor_f64(&odd, 0) == 2.5);
  Value *c = value_const_scalar(m->main, "c", DT_I32, -3);
  CHECK(c->rank == 0 && c->dtype == DT_I32 && tensor_i64(c->data, 0) == -3);
  CHECK(value_static(c) && dim_is(value_numel(c), 1));
  int64_t list[] = {4, 5};
  c = value_const_ints(m->main, "c", list, 2);
  CHECK(c->rank == 1 && dim_is(c->dim[0], 2) && tensor_i64(c->data, 1) == 5);
  model_free(m);
}

static void test_print(void)
{
  Model *m = model_new(NULL, "");
  Graph *g = m->main;
  Value *x = input(g, "x\n", 3);
  Node *n = node_new(g, NULL, "Add", 2, 1, NULL);
  Value *y = value_tmp(g, "y", NULL);
  node_set_input(n, 0, x);
  node_set_input(n, 1, value_const_scalar(g, "c", DT_F32, 0.5));
  node_set_output(n, 0, y);
  graph_add_output(g, y);
  infer_graph(g);
  StrBuf b;
  sb_init(&b, NULL);
  ir_print(&b, g);
  CHECK_STR(b.s, "graph '' ('x\\x0a' %0:f32[N, 3]) -> ('y_1' %1:f32[N, 3]) {"
            "\n  %1:f32[N, 3] = Add-14(%0, %2[]{0.5f})\n}\n");
  sb_free(&b);
  model_free(m);
}

static void test_verify(void)
{
  Model *m = model_new(NULL, "");
  if (MODEL_EDGE(m)) {
    CHECK(strstr(m->panic_text, "before it is made") != NULL);
    model_free(m);
    return;
  }
  Value *x = input(m->main, "x", 3);
  Node *a = node_new(m->main, NULL, "Relu", 1, 1, NULL);
  Node *b = node_new(m->main, NULL, "Relu", 1, 1, NULL);
  node_set_input(a, 0, x);
  node_set_output(a, 0, value_tmp(m->main, "a", x));
  node_set_input(b, 0, a->out[0]);
  node_set_output(b, 0, value_tmp(m->main, "b", x));
  ir_check(m->main, "test");
  node_move_before(b, a);
  ir_check(m->main, "test");
  CHECK(0);
}

int main(void)
{
  test_nodes();
  test_order();
  test_attrs();
  test_tensors();
  test_print();
  test_verify();
  return test_end();
}
