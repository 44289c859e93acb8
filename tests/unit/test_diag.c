/* SPDX-License-Identifier: Apache-2.0 */
/* What messages look like, with hostile names too; exit codes. */
#include "ir.h"
#include "o2ctest.h"

static const char *last(const Model *m)
{
  return m->diag_last ? m->diag_last->text : NULL;
}

static void test_nodes(void)
{
  Options o;
  options_default(&o);
  Model *m = model_new(&o, "dir/net.onnx");
  Graph *g = m->main;
  Node *n = node_new(g, NULL, "Relu", 1, 1, NULL);
  Value *y = value_new(g, "y", DT_F32, 0, NULL);
  node_set_output(n, 0, y);
  static const Origin origin = {.index = 12, .name = "conv1", .op = "Conv",
                                .version = 11};
  n->origin = &origin;
  CHECK(diag_worst(m) == EXIT_OK);
  diag(n, SEV_WARNING, EXIT_OK, "odd");
  CHECK(!y->bad && diag_worst(m) == EXIT_OK && m->nwarning == 1);
  CHECK_STR(last(m), "net.onnx: warning: node 12 'conv1' (Conv-11): odd");
  fail_model(n, "weight is rank %d", 3);
  CHECK(y->bad && n->bad && diag_worst(m) == EXIT_MODEL);
  CHECK_STR(last(m), "net.onnx: node 12 'conv1' (Conv-11): weight is rank 3");
  diag_model(m, SEV_ERROR, EXIT_UNSUPPORTED, "no");
  CHECK(diag_worst(m) == EXIT_MODEL && m->nerror == 2);
  CHECK_STR(last(m), "net.onnx: no");
  diag_model(m, SEV_ERROR, EXIT_ENVIRONMENT, "disk full");
  CHECK(diag_worst(m) == EXIT_ENVIRONMENT);
  model_free(m);
}

static void test_quote(void)
{
  Arena a = {0};
  CHECK_STR(quote(&a, "x"), "'x'");
  CHECK_STR(quote(&a, "a\nb'c\x1b[31m"), "'a\\x0ab\\'c\\x1b[31m'");
  CHECK_STR(quote(&a, "gr\xc3\xbc\xc3\x9f"), "'gr\xc3\xbc\xc3\x9f'");
  CHECK_STR(quote(&a, "\xff\xc3"), "'\\xff\\xc3'");
  CHECK_STR(quote(&a, "\xe2\x80\xae"), "'\\xe2\\x80\\xae'");
  char name[1000];
  memset(name, 'a', sizeof name);
  name[999] = 0;
  CHECK(strlen(quote(&a, name)) < 120);
  arena_free(&a);
}

static void test_panic(void)
{
  Model *m = model_new(NULL, "x");
  if (MODEL_EDGE(m)) {
    CHECK_STR(m->panic_text, "broken 7");
    model_free(m);
    return;
  }
  model_panic(m, "broken %d", 7);
}

/* Millions of errors are counted, not kept. */
static void test_flood(void)
{
  Model *m = model_new(NULL, "x");
  for (int i = 0; i < 30000; i++)
    diag_model(m, SEV_ERROR, EXIT_MODEL, "again");
  CHECK(m->nerror == 30000);
  int kept = 0;
  for (const Diag *d = m->diags; d; d = d->next) kept++;
  CHECK(kept == 10000);
  model_free(m);
}

int main(void)
{
  test_nodes();
  test_quote();
  test_panic();
  test_flood();
  return test_end();
}
