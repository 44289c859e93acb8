/* SPDX-License-Identifier: Apache-2.0 */
/* What operators of ai.onnx.ml become: their nodes keep rows apart, and tables
 * are chosen by how near keys lie. */
#include "irbuild.h"
#include <string.h>

static Node *ml_node(const char *op, const char *inputs, const char *attrs,
                     int nout)
{
  Node *n = build_node(op, inputs, "", nout);
  n->domain = "ai.onnx.ml";
  n->version = 4;
  n->op = op_find(n->domain, op);
  for (const char *s = attrs; *s;) {
    int64_t v[64];
    size_t name = strcspn(s, "="), all = strcspn(s, " ");
    char *list = arena_strn(&m->arena, s + name + 1, all - name - 1);
    attr_set_ints(n, arena_strn(&m->arena, s, name), v,
                  build_numbers(list, v));
    s += all + (s[all] == ' ');
  }
  infer_node(n);
  return n;
}

static Node *first_of(const char *op)
{
  for (Node *n = m->main->first; n; n = n->next)
    if (!strcmp(n->op_type, op)) return n;
  return NULL;
}

static void test_lookup(const char *keys, const char *shape, bool near)
{
  m = model_new(NULL, "m");
  char *attrs = arena_printf(&m->arena, "keys_int64s=%s values_int64s=%s",
                             keys, keys);
  Node *n = ml_node("LabelEncoder", "i64:N 3", attrs, 1);
  CHECK(m->nerror == 0);
  CHECK_STR(value_shape_text(n->out[0]), shape);
  n->op->expand(n);
  Node *look = first_of("Lookup");
  if (CHECK(look && first_of("Gather") && m->nerror == 0)) {
    CHECK(!look->in[1] == near);
    CHECK(look->op->axis(look, 0, 1, 0) == 1);
    CHECK(look->op->axis(look, 2, 0, 0) == AXIS_MIXES);
  }
  model_free(m);
}

static void test_svm(void)
{
  static const char *const name[] = {"SvcScores", "SvcVotes", "SvcShares"};
  m = model_new(NULL, "m");
  Node *n = build_node("SvcScores", "N 7", "", 1);
  for (int i = 0; i < COUNT(name); i++) {
    const OpDef *op = op_find("o2c", name[i]);
    CHECK(op && op->flags & OP_INTERNAL);
    CHECK(op->axis(n, 0, 0, 0) == 0);
    CHECK(op->axis(n, 0, 1, 0) == AXIS_MIXES);
    CHECK(op->axis(n, 1, 0, 0) == AXIS_MIXES);
  }
  model_free(m);
}

/* Rows of A are rows of the result, rows of B its columns. */
static void test_distance(void)
{
  m = model_new(NULL, "m");
  Node *n = build_node("Gemm", "N 7;5 7", "transB=1", 1);
  Value *y = distance_of(n, n->in[0], n->in[1], 2);
  const OpDef *op = y->def->op;
  CHECK_STR(value_shape_text(y), "[N, 5]");
  CHECK(op->axis(y->def, 0, 0, 0) == 0 && op->axis(y->def, 1, 0, 0) == 1);
  CHECK(op->axis(y->def, 0, 1, 0) == AXIS_MIXES);
  model_free(m);
}

static void test_refused(const char *op, const char *inputs, const char *attrs,
                         const char *want)
{
  m = model_new(NULL, "m");
  ml_node(op, inputs, attrs, 1);
  if (!CHECK(m->nerror == 1 && strstr(m->diags->text, want)))
    printf("  %s: %s\n", op, m->diags ? m->diags->text : "no error");
  model_free(m);
}

int main(void)
{
  test_lookup("3,4,9", "[N, 3]", true);
  test_lookup("3,4,900000", "[N, 3]", false);
  test_svm();
  test_distance();
  test_refused("LabelEncoder", "i64:N", "", "0 attributes keys_");
  test_refused("LabelEncoder", "i64:N", "keys_int64s=1,2 values_int64s=3,",
               "2 keys and 1 values");
  test_refused("OneHotEncoder", "str:N", "cats_int64s=1,", "cats_strings");
  test_refused("FeatureVectorizer", "N 3;N 3", "inputdimensions=3,",
               "1 sizes for 2 inputs");
  test_refused("ArrayFeatureExtractor", ";i64:2", "", "X is a scalar");
  return test_end();
}
