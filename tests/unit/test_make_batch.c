/* SPDX-License-Identifier: Apache-2.0 */
/* --make-batch on single nodes: shapes, places of the batch, refusals. */
#include "make_batch.h"
#include "o2ctest.h"
#include "irbuild.h"

static Options opt;
static BatchChoices choices;

static void begin(void)
{
  options_default(&opt);
  opt.command = "compile";
  opt.make_batch = true;
  memset(&choices, 0, sizeof choices);
  m = model_new(&opt, "net.onnx");
}

/* The shape of the result of one node, or "refused"; its batch at `place`. */
static const char *shape_of(const char *op, const char *inputs,
                            const char *attrs, int *place)
{
  static char text[200];
  begin();
  Node *n = build_node(op, inputs, attrs, 1);
  Value *y = n->out[0];
  graph_add_output(m->main, y);
  bool ok = rebatch_begin(m, &choices);
  if (ok) {
    schema_check(m->main);
    infer_graph(m->main);
    rebatch_end(m);
  }
  ok = ok && !m->nerror;
  snprintf(text, sizeof text, "%s", ok ? value_shape_text(y) : "refused");
  *place = ok ? m->rebatch->out[0].axis : -1;
  model_free(m);
  return text;
}

static void is(const char *op, const char *inputs, const char *attrs,
               const char *shape, int at)
{
  int place;
  const char *got = shape_of(op, inputs, attrs, &place);
  if (!CHECK_STR(got, shape) || !CHECK_INT(place, at))
    printf("  %s %s %s\n", op, inputs, attrs);
}

static void targets(void)
{
  is("Reshape", "1 2 3;=1 6", "", "[N, 6]", 0);
  is("Reshape", "1 2 3;=1 -1", "", "[N, 6]", 0);
  is("Reshape", "1 4 S 8;=4 -1 8", "", "[N*4, S, 8]", 0);
  is("Reshape", "1 S 8;=1 -1 2 4", "", "[N, S, 2, 4]", 0);
  is("Reshape", "1 6;=6", "", "[N*6]", 0);
  is("Reshape", "1 1;=1 1 1 1", "", "[N, 1, 1, 1]", 0);
  is("Expand", "1 1 3;=1 4 3", "", "[N, 4, 3]", 0);
  is("Slice", "1 5;=0 1;=1 3", "", "[N, 2]", 0);
  is("Gather", "1 5;=0,", "axis=0", "[N, 5]", 0);
  is("Flatten", "1 2 3", "axis=2", "[N*2, 3]", 0);
}

static void operands(void)
{
  is("Concat", "1 2;1 3", "axis=1", "[N, 5]", 0);
  is("MatMul", "1 2 3;1 3 4", "", "[N, 2, 4]", 0);
  is("Transpose", "1 2 3", "perm=1,0,2", "[2, N, 3]", 1);
  is("Add", "1 2;2 1 2", "", "[2, N, 2]", 1);
}

static void refusals(void)
{
  is("Squeeze", "1 5;=0", "", "refused", -1);
  is("Softmax", "1 5", "axis=0", "refused", -1);
  is("ReduceSum", "1 5;=0", "", "refused", -1);
  is("Concat", "1 5;1 5", "axis=0", "refused", -1);
  is("CumSum", "1 5;=0", "", "refused", -1);
  is("Relu", "N 5", "", "refused", -1);
  is("Relu", "2 5", "", "refused", -1);
}

/* Choices are tried from the last one on which the error depends. */
static void order(void)
{
  BatchChoices c = {.n = 3, .blame = 3};
  for (int k = 0; k < 3; k++) c.c[k] = (BatchChoice){2, 0, NULL};
  CHECK(choices_next(&c) && c.n == 2 && c.c[1].taken == 1);
  CHECK(choices_next(&c) && c.n == 1 && c.c[0].taken == 1);
  CHECK(!choices_next(&c));
}

int main(void)
{
  targets();
  operands();
  refusals();
  order();
  return test_end();
}
