/* SPDX-License-Identifier: Apache-2.0 */
/* Every record is well formed; nodes that break their schema are told. */
#include "ir.h"
#include "o2ctest.h"

/* Each `X=words` of a row's types has words that exist. */
static bool types_known(const char *s)
{
  while (*s) {
    s += strspn(s, " ;");
    if (!*s) break;
    const char *eq = s + strcspn(s, "=;");
    if (*eq != '=') return false;
    size_t n = strcspn(eq + 1, ";");
    if (!typeset_parse(eq + 1, n)) return false;
    s = eq + 1 + n;
  }
  return true;
}

/* Each port's type is a variable of `types`, a word, or `*`. */
static bool sig_known(const char *sig, const char *types)
{
  for (const char *s = sig; (s = strchr(s, ':')); s++) {
    size_t n = strcspn(s + 1, " ?.");
    char var[32];
    if (!n || n > 24) return false;
    if (n == 1 && s[1] == '*') continue;
    snprintf(var, sizeof var, "%.*s=", (int)n, s + 1);
    const char *at = strstr(types, var);
    bool variable = at && (at == types || at[-1] == ' ' || at[-1] == ';');
    if (!variable && !typeset_parse(s + 1, n)) return false;
  }
  return true;
}

static bool attrs_known(const char *s)
{
  while (*s) {
    s += strspn(s, " ");
    if (!*s) break;
    size_t n = strcspn(s, ": ");
    if (!n || s[n] != ':' || !strchr("ifstgyIFS", s[n + 1]) || !s[n + 1])
      return false;
    s += n + 2;
    if (*s == '!') s++;
    if (*s && *s != ' ') return false;
  }
  return true;
}

static void test_records(void)
{
  CHECK(op_count() > 0 && !op_at(op_count()) && !op_at(-1));
  for (int i = 0; i < op_count(); i++) {
    const OpDef *op = op_at(i);
    /* Without inference the newest row rewrites the node. */
    bool ok = op->nrow > 0 && op->name &&
      (op->infer || op->rows[op->nrow - 1].upgrade);
    ok = ok && op->rows[0].sig && op->rows[0].types && op->rows[0].attrs;
    ok = ok && op_find(op->domain ? op->domain : "", op->name) == op;
    for (int k = 0; ok && k < op->nrow; k++) {
      const OpRow *row = &op->rows[k];
      const char *types = op_row_text(op, row, ROW_TYPES);
      const char *sig = op_row_text(op, row, ROW_SIG);
      ok = (!k || row[-1].since < row->since) && types_known(types) &&
        sig_known(sig, types) && strstr(sig, "->") &&
        attrs_known(op_row_text(op, row, ROW_ATTRS));
      if (!ok) fprintf(stderr, "%s-%d is malformed\n", op->name, row->since);
    }
    if (!ok) fprintf(stderr, "%s is malformed\n", op->name);
    CHECK(ok);
  }
}

static Model *m;
static Node *n;

/* A model of one node with float inputs, opset 13. */
static void begin(const char *op, int nin, int nout)
{
  m = model_new(NULL, "m");
  n = node_new(m->main, NULL, op, 0, 0, NULL);
  n->version = 13;
  for (int i = 0; i < nin; i++) {
    Value *v = value_new(m->main, "x", DT_F32, 0, NULL);
    graph_add_input(m->main, v);
    node_set_input(n, i, v);
  }
  for (int i = 0; i < nout; i++)
    node_set_output(n, i, value_tmp(m->main, "y", NULL));
}

static void expect(ExitCode code, const char *text)
{
  schema_check(m->main);
  CHECK(diag_worst(m) == code);
  CHECK(code == EXIT_OK || n->bad);
  const char *have = m->diags ? m->diags->text : "(nothing)";
  if (text && !strstr(have, text)) CHECK_STR(have, text);
  model_free(m);
}

static void test_nodes(void)
{
  begin("Relu", 1, 1);
  expect(EXIT_OK, NULL);
  begin("Relu", 0, 1);
  expect(EXIT_MODEL, "input 0 (X) is missing");
  begin("Relu", 2, 1);
  expect(EXIT_MODEL, "has 2 inputs");
  begin("Relu", 1, 2);
  expect(EXIT_MODEL, "has 2 outputs");
  begin("Relu", 1, 1);
  attr_set_int(n, "axis", 1);
  expect(EXIT_MODEL, "attribute 'axis' does not exist in version 13");
  begin("Relu", 1, 1);
  n->in[0]->dtype = DT_STR;
  expect(EXIT_MODEL, "has type string");
  begin("Add", 2, 1);
  n->in[1]->dtype = DT_I64;
  expect(EXIT_MODEL, "has type int64, but input 0 has type float");
  begin("Conv", 3, 1);
  attr_set_int(n, "pads", 1);
  expect(EXIT_MODEL, "'pads' is of type int");
  begin("Sum", 5, 1);
  expect(EXIT_OK, NULL);
  begin("HardSwish", 1, 1);
  expect(EXIT_MODEL, "exists since version 14");
  begin("Relu", 1, 1);
  n->version = 0;
  expect(EXIT_MODEL, "imports no opset");
  /* A later opset than any that we know has the newest form. */
  begin("Relu", 1, 1);
  n->version = 99;
  expect(EXIT_OK, NULL);
}

static void test_unknown(void)
{
  begin("Frobnicate", 1, 1);
  n->domain = "com.example\n";
  Node *second = node_new(m->main, NULL, "Frobnicate", 0, 0, NULL);
  second->domain = n->domain;
  second->version = 13;
  node_new(m->main, NULL, "Gnu", 0, 0, NULL)->version = 13;
  schema_check(m->main);
  CHECK(m->nerror == 2 && diag_worst(m) == EXIT_UNSUPPORTED);
  CHECK(strstr(m->diags->text, "'Frobnicate' of domain 'com.example\\x0a'"));
  CHECK(strstr(m->diags->text, "2 nodes"));
  CHECK(strstr(m->diags->next->text, "'Gnu' of domain 'ai.onnx', opset 13"));
  CHECK(n->out[0]->bad && second->bad);
  model_free(m);
}

static void test_rows(void)
{
  const OpDef *relu = op_find("ai.onnx", "Relu");
  CHECK(relu && relu == op_find("", "Relu") && !op_find("x", "Relu"));
  CHECK(op_row(relu, 0) == NULL && op_row(relu, 1)->since == 1);
  CHECK(op_row(relu, 12)->since == 6 && op_row(relu, 99)->since == 14);
}

int main(void)
{
  test_records();
  test_rows();
  test_nodes();
  test_unknown();
  return test_end();
}
