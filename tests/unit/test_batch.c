/* SPDX-License-Identifier: Apache-2.0 */
/* The batch law: which graphs run row by row, in blocks, or all at once. */
#include "target.h"
#include "o2ctest.h"
#include "irbuild.h"

static Options opt;

static void begin(void)
{
  options_default(&opt);
  opt.name = "net";
  m = model_new(&opt, "net.onnx");
}

/* One node of an operator makes the graph; returns its plan. */
static Plan *plan_of(const char *op, const char *inputs, const char *attrs)
{
  begin();
  Node *n = build_node(op, inputs, attrs, 1);
  n->version = 13;
  schema_check(m->main);
  infer_graph(m->main);
  graph_add_output(m->main, n->out[0]);
  Plan *p = plan_make(m);
  if (!CHECK(p != NULL)) {
    diag_print(m, stdout, SEV_NOTE);
    exit(1);
  }
  return p;
}

static void limit(void)
{
  begin();
  Node *n = build_node("MatMul", "N 100;100 100", "", 1);
  int s = dim_symbol(n->in[0]->dim[0]);
  m->dims.sym[s].max = 3;
  infer_graph(m->main);
  graph_add_output(m->main, n->out[0]);
  Plan *p = plan_make(m);
  CHECK(p && p->block == 3);
  model_free(m);
}

/* Weights beyond the cache are read once for many rows. */
static void large(void)
{
  int64_t size[] = {800, 800};
  begin();
  Node *n = build_node("MatMul", "N 800", "", 1);
  node_set_input(n, 1, value_const(m->main, "w", tensor_new(&m->arena, DT_F32,
                                                           2, size)));
  infer_graph(m->main);
  graph_add_output(m->main, n->out[0]);
  Plan *p = plan_make(m);
  CHECK(p && p->block == 56 && p->arena_static);
  model_free(m);
}

/* Many light steps share their calls: blocks as large as fit, unless products
 * are many. */
static void light(int columns, int products, int block)
{
  int64_t size[] = {4, 4};
  begin();
  Node *n = build_node("Softmax", arena_printf(&m->arena, "N %d", columns),
                       "axis=1", 1);
  n->version = 13;
  infer_graph(m->main);
  Value *v = n->out[0];
  for (int i = 0; i < 5 + products; i++) {
    Node *a = node_new(m->main, NULL, i < products ? "MatMul" : "Softmax",
                       i < products ? 2 : 1, 1, n);
    a->version = 13;
    node_set_input(a, 0, v);
    if (i < products)
      node_set_input(a, 1, value_const(m->main, "w", tensor_new(
        &m->arena, DT_F32, 2, size)));
    v = value_tmp(m->main, "v", NULL);
    node_set_output(a, 0, v);
  }
  infer_graph(m->main);
  graph_add_output(m->main, v);
  Plan *p = plan_make(m);
  CHECK(p && p->block == block);
  model_free(m);
}

static void law(const char *op, const char *inputs, const char *attrs,
                int block, bool mixes)
{
  Plan *p = plan_of(op, inputs, attrs);
  if (!CHECK_INT(p->block, block) + !CHECK_INT(p->mixes != NULL, mixes))
    printf("  %s %s %s\n", op, inputs, attrs);
  if (p->block) CHECK(p->arena_static);
  model_free(m);
}

int main(void)
{
  law("Relu", "N 4", "", 1, false);
  law("Add", "N 4;N 4", "", 1, false);
  law("Add", "N 4;4", "", 1, false);
  law("Softmax", "N 4", "axis=1", 1, false);
  law("Softmax", "N 4", "axis=0", 0, true);
  law("Conv", "N 3 8 8;5 3 3 3", "", 1, false);
  law("MatMul", "N 4;4 5", "", 1, false);
  law("MatMul", "N 90;90 90", "", 1, false);
  law("MatMul", "N 91;91 91", "", 8, false); /* above 32 KB */
  law("MatMul", "N 4;4 N", "", 0, false);
  law("Gemm", "N 4;4 5", "", 1, false);
  law("Gemm", "N 100;100 200", "", 8, false);
  law("Gemm", "N 4;N 5", "transA=1", 0, true);
  law("ReduceSum", "N 4;=1", "keepdims=0", 1, false);
  law("ReduceSum", "N 4;=0", "keepdims=0", 0, true);
  law("Reshape", "N 4;=-1 2", "", 1, false); /* 2N rows: two for each sample */
  law("Transpose", "N 4", "perm=1,0", 0, true);
  law("Concat", "N 4;N 4", "axis=1", 1, false);
  law("Concat", "N 4;N 4", "axis=0", 0, true);
  law("Slice", "N 4;=0 0;=9999999999 2", "", 1, false); /* all of axis 0 */
  law("Slice", "N 4;=1 0;=9999999999 2", "", 0, true);
  law("Slice", "N 4;=1;=2;=1", "", 1, false);
  law("Relu", "3 4", "", 0, false);          /* nothing is dynamic */
  law("Relu", "4 N", "", 0, false);
  light(4, 0, 56);
  light(4, 2, 56);
  light(4, 3, 56);
  light(4, 4, 1);
  light(500, 0, 10);   /* 128 KB */
  light(5000, 0, 1);
  limit();
  large();
  return test_end();
}
