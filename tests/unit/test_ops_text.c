/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes, refusals and batch axes of the operators on strings. */
#include "irbuild.h"

/* `want` is the shape of output 0; "!text": an error that contains it. */
static void infer(const char *op, const char *inputs, const char *attrs,
                  const char *want)
{
  m = model_new(NULL, "m");
  Node *n = build_node(op, inputs, attrs, strcmp(op, "StringSplit") ? 1 : 2);
  infer_node(n);
  const char *text = m->diags ? m->diags->text : "no error";
  if (*want == '!') {
    if (!CHECK(m->nerror == 1 && strstr(text, want + 1)))
      printf("  %s(%s): %s\n", op, inputs, text);
  } else if (CHECK(m->nerror == 0)) {
    CHECK_STR(value_shape_text(n->out[0]), want);
  } else {
    printf("  %s(%s): %s\n", op, inputs, text);
  }
  model_free(m);
}

static void test_strings(void)
{
  infer("StringConcat", "str:N 1;str:3", "", "[N, 3]");
  infer("StringConcat", "str:2;str:3", "", "!");
  infer("StringSplit", "str:N 3", "", "[N, 3, stringsplit_0]");
  infer("StringSplit", "str:", "maxsplit=2", "[stringsplit_0]");
  infer("StringSplit", "str:1 1 1 1 1 1 1 1 1 1 1 1", "", "!at most 12");
  infer("StringNormalizer", "str:3", "", "[3]");
  infer("StringNormalizer", "str:1 0", "", "[1, 0]");
  infer("StringNormalizer", "str:1 N", "", "[1, N]");
  infer("StringNormalizer", "str:2 3", "", "!rows, one");
  infer("StringNormalizer", "str:", "", "!rank 0");
  infer("StringNormalizer", "str:1 1 3", "", "!rank 3");
  infer("RegexFullMatch", "str:N 3", "pattern=a+", "[N, 3]");
  infer("RegexFullMatch", "str:N 3", "pattern=a(", "!a group has no )");
  infer("RegexFullMatch", "str:N 3", "", "!pattern: it is missing");
}

#define GRAMS "min_gram_length=1 max_gram_length=2 max_skip_count=0 "
static void test_tfidf(void)
{
  infer("TfIdfVectorizer", "i64:N 5", GRAMS "mode=tf ngram_counts=0,2 "
        "ngram_indexes=0,4,2 pool_int64s=1,2,3,4", "!mode is 'tf'");
}

static void test_axis(void)
{
  m = model_new(NULL, "m");
  Node *n = build_node("RegexFullMatch", "str:N 3", "pattern=a", 1);
  infer_node(n);
  CHECK(n->op->axis(n, 0, 1, 0) == 1);
  n = build_node("TfIdfVectorizer", "str:N 3", "", 1);
  const OpDef *op = op_find("", "TfIdfVectorizer");
  CHECK(op->axis(n, 0, 0, 0) == 0 && op->axis(n, 0, 1, 0) == AXIS_MIXES);
  n = build_node("TfIdfVectorizer", "str:N", "", 1);
  CHECK(op->axis(n, 0, 0, 0) == AXIS_MIXES);
  CHECK(!op_find("", "StringConcat")->axis);
  model_free(m);
}

int main(void)
{
  test_strings();
  test_tfidf();
  test_axis();
  return test_end();
}
