/* SPDX-License-Identifier: Apache-2.0 */
/* The table of to-opset against the operators' records: each row is of a
 * version that exists, and where ports or attributes change there is a row. */
#include <string.h>
#include "edit/opset.h"
#include "o2ctest.h"

typedef struct { const char *op; int version; } Row;
#define OPSET(op, version, up, down) {#op, version},
#define OPSET_UP(op, version, up) {#op, version},
#define OPSET_DOWN(op, version, down) {#op, version},
#define OPSET_ATTR(op, version, name, value) {#op, version},
static const Row rows[] = {
#include "edit/opset.def"
};
#undef OPSET
#undef OPSET_UP
#undef OPSET_DOWN
#undef OPSET_ATTR

static const OpDef *find(const char *name)
{
  const OpDef *op = op_find("", name);
  return op ? op : op_find("ai.onnx.ml", name);
}

static void rows_are_of_versions(void)
{
  for (int i = 0; i < COUNT(rows); i++) {
    const OpDef *op = find(rows[i].op);
    bool found = false;
    for (int k = 0; op && k < op->nrow; k++)
      found = found || op->rows[k].since == rows[i].version;
    /* Of what version 5 of ai.onnx.ml deprecates, records end before. */
    found = found || !strncmp(rows[i].op, "TreeEnsemble", 12) ||
            !strcmp(rows[i].op, "Scatter");
    if (!found) printf("%s-%d\n", rows[i].op, rows[i].version);
    CHECK(found);
  }
}

static bool has_row(const char *op, int version)
{
  for (int i = 0; i < COUNT(rows); i++)
    if (rows[i].version == version && !strcmp(rows[i].op, op)) return true;
  return false;
}

/* The names of inputs and outputs, without types. */
static void ports(const OpDef *op, const OpRow *row, char *to, size_t n)
{
  const char *s = op_row_text(op, row, ROW_SIG);
  size_t k = 0;
  for (bool type = false; *s && k + 1 < n; s++) {
    if (*s == ':') type = true;
    else if (*s == ' ') type = false;
    if (!type || *s == '?' || *s == '.') to[k++] = *s;
  }
  to[k] = '\0';
}

static void changes_have_rows(void)
{
  /* Only wider down, or checked on every node: an input that older versions
   * lack, an attribute that nobody sets. */
  static const char *const fine[] = {"Attention-24", "Constant-11",
    "LabelEncoder-4", "TreeEnsembleClassifier-3", "TreeEnsembleRegressor-3"};
  for (int i = 0; i < op_count(); i++) {
    const OpDef *op = op_at(i);
    const char *domain = op->domain ? op->domain : "";
    if (*domain && strcmp(domain, "ai.onnx.ml") != 0) continue;
    for (int k = 1; k < op->nrow; k++) {
      char a[512], b[512], name[64];
      const OpRow *old = &op->rows[k - 1], *row = &op->rows[k];
      ports(op, old, a, sizeof a);
      ports(op, row, b, sizeof b);
      bool same = !strcmp(a, b) && !strcmp(op_row_text(op, old, ROW_ATTRS),
                                           op_row_text(op, row, ROW_ATTRS));
      snprintf(name, sizeof name, "%s-%d", op->name, row->since);
      for (int j = 0; j < COUNT(fine); j++)
        same = same || !strcmp(name, fine[j]);
      if (!same && !has_row(op->name, row->since))
        printf("%s: \"%s\" to \"%s\"\n", name,
               op_row_text(op, old, ROW_ATTRS),
               op_row_text(op, row, ROW_ATTRS));
      CHECK(same || has_row(op->name, row->since));
    }
  }
}

static void ports_of_rows(void)
{
  const OpDef *op = op_find("", "Max");
  Str var;
  TypeSet old = schema_port(op, op_row(op, 8), false, 0, &var);
  CHECK(old & DT_BIT(DT_F32));
  CHECK(!(old & DT_BIT(DT_I64)));
  CHECK(schema_port(op, op_row(op, 12), false, 5, &var) & DT_BIT(DT_I64));
  CHECK(!schema_port(op, op_row(op, 12), true, 1, &var));
  CHECK(schema_has_attr(op_find("", "Softmax"),
                        op_row(op_find("", "Softmax"), 13), "axis"));
  CHECK(!schema_has_attr(op, op_row(op, 8), "axis"));
}

int main(void)
{
  rows_are_of_versions();
  changes_have_rows();
  ports_of_rows();
  return test_end();
}
