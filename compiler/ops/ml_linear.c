/* SPDX-License-Identifier: Apache-2.0 */
/* ai.onnx.ml: LinearClassifier, LinearRegressor: a Gemm, and what becomes of
 * its scores, as onnxruntime has it.
 */
#include "../ir.h"

typedef struct {
  int64_t outputs;          /* rows of coefficients */
  const Attr *weight, *bias; /* bias: NULL, or one number for each output */
  const Dim *rows, *columns;
} Linear;

/* `outputs` is known, or 0 where the coefficients tell. */
static bool linear_of(Node *n, int64_t outputs, Linear *l)
{
  const Attr *bias = attr_get(n, "intercepts");
  DimPool *p = node_dims(n);
  *l = (Linear){.outputs = outputs, .weight = attr_get(n, "coefficients"),
                .bias = bias && bias->n ? bias : NULL};
  int64_t count = l->weight ? l->weight->n : 0, columns;
  if (!ml_matrix(n, &l->rows, &l->columns)) return false;
  if (!count) {
    fail_model(n, "attribute coefficients has no numbers");
    return false;
  }
  if (!l->outputs && dim_is_int(l->columns, &columns) && columns)
    l->outputs = count / columns;
  if (l->outputs < 1 || count % l->outputs) {
    fail_model(n, "%lld coefficients are no matrix of %lld rows",
               (long long)count, (long long)l->outputs);
    return false;
  }
  if (l->bias && l->bias->n != l->outputs) {
    fail_model(n, "intercepts has %d numbers for %lld rows of coefficients",
               l->bias->n, (long long)l->outputs);
    return false;
  }
  return infer_equal(n, l->columns, dim_int(p, count / l->outputs),
                     "features, columns of coefficients");
}

static Value *product(Node *n, const Linear *l)
{
  Value *x = ml_rows(n, ml_cast(n, n->in[0], DT_F32));
  int64_t dim[] = {l->outputs, l->weight->n / l->outputs};
  Tensor *w = tensor_new(&n->g->m->arena, DT_F32, 2, dim);
  for (int64_t i = 0; i < w->n; i++)
    tensor_set_f64(w, i, (double)l->weight->floats[i]);
  Node *m = node_new(n->g, n, "Gemm", l->bias ? 3 : 2, 1, n);
  attr_set_int(m, "transB", 1);
  node_set_input(m, 0, x);
  node_set_input(m, 1, value_const(n->g, "coefficients", w));
  if (l->bias)
    node_set_input(m, 2, ml_numbers(n, "intercepts", l->bias->floats,
                                    l->outputs));
  node_set_output(m, 0, value_tmp(n->g, "scores", NULL));
  infer_node(m);
  return m->out[0];
}

/* --- LinearRegressor ------------------------------------------------------ */

static bool regressor_of(Node *n, Linear *l)
{
  int64_t targets = attr_int(n, "targets", 1);
  if (targets < 1) {
    fail_model(n, "attribute targets is %lld", (long long)targets);
    return false;
  }
  return linear_of(n, targets, l);
}

static void infer_regressor(Node *n)
{
  Linear l;
  MlPost post;
  if (infer_ready(n) && regressor_of(n, &l) && ml_post(n, &post))
    infer_out(n, 0, DT_F32, 2,
              (const Dim *[]){l.rows, dim_int(node_dims(n), l.outputs)});
}

static void expand_regressor(Node *n)
{
  Linear l;
  MlPost post;
  if (!regressor_of(n, &l) || !ml_post(n, &post)) return;
  ml_replace(n, 0, ml_transform(n, product(n, &l), post));
  node_remove(n);
}

/* --- LinearClassifier ----------------------------------------------------- */

typedef struct {
  Linear l;
  MlLabels labels;
  MlPost post;
  bool second;              /* one row of coefficients, two scores */
} Classifier;

static bool classifier_of(Node *n, Classifier *c)
{
  const Attr *bias = attr_get(n, "intercepts");
  if (!ml_post(n, &c->post) ||
      !ml_labels(n, "classlabels_ints", "classlabels_strings", &c->labels) ||
      !linear_of(n, bias ? bias->n : 0, &c->l))
    return false;
  c->second = c->l.outputs == 1 && c->labels.n == 2;
  if (c->l.outputs == 1 || c->labels.n >= c->l.outputs) return true;
  fail_model(n, "%d class labels for %lld rows of coefficients (spec: one for "
             "each)", c->labels.n, (long long)c->l.outputs);
  return false;
}

static void infer_classifier(Node *n)
{
  Classifier c;
  DimPool *p = node_dims(n);
  if (!infer_ready(n) || !classifier_of(n, &c)) return;
  infer_out(n, 0, c.labels.type, 1, (const Dim *[]){c.l.rows});
  infer_out(n, 1, DT_F32, 2, (const Dim *[]){
    c.l.rows, dim_int(p, c.second ? 2 : c.l.outputs)});
}

/* The labels of one score: the second where it is above 0. Where there are not
 * two, onnxruntime says 0 and 1. */
static Value *binary_label(Node *n, const MlLabels *l, Value *score)
{
  static const int64_t ints[] = {0, 1};
  static const Str strs[] = {{"0", 1}, {"1", 1}};
  const Attr own = {.n = 2, .ints = ints, .strs = strs};
  const int64_t flat = -1;
  MlLabels two = *l;
  if (l->n != 2) {
    two.n = 2;
    two.ints = l->type == DT_I64 ? &own : NULL;
    two.strings = l->type == DT_STR ? &own : NULL;
  }
  Value *above = node_op(n, "Greater", 2, score,
                         value_const_scalar(n->g, "zero", DT_F32, 0));
  Value *index = ml_cast(n, above, DT_I64);
  index = node_op(n, "Reshape", 2, index,
                  value_const_ints(n->g, "shape", &flat, 1));
  return ml_label_of(n, &two, 0, 2, index);
}

/* [rows, 2] of one score: 1 - s and s; as onnxruntime has it only LOGISTIC and
 * PROBIT change them. */
static Value *both(Node *n, Value *s, MlPost post)
{
  const float sign[] = {-1, 1}, more[] = {1, 0};
  if (post == ML_PROBIT) s = ml_transform(n, s, post);
  s = node_op(n, "Mul", 2, s, ml_numbers(n, "sign", sign, 2));
  return post == ML_LOGISTIC ? node_op(n, "Sigmoid", 1, s)
    : node_op(n, "Add", 2, s, ml_numbers(n, "more", more, 2));
}

static void expand_classifier(Node *n)
{
  Classifier c;
  if (!classifier_of(n, &c)) return;
  Value *scores = product(n, &c.l);
  if (node_out(n, 0))
    ml_replace(n, 0, c.l.outputs == 1 ? binary_label(n, &c.labels, scores)
               : ml_label_of(n, &c.labels, 0, (int)c.l.outputs,
                             ml_top(n, scores)));
  if (node_out(n, 1))
    ml_replace(n, 1, c.second ? both(n, scores, c.post)
                              : ml_transform(n, scores, c.post));
  node_remove(n);
}

#define NUMBERS "T=f32 f64 i64 i32"
static const OpRow classifier_rows[] = {
  {1, "X:T -> Y:L Z:f32", NUMBERS "; L=str i64",
   "classlabels_ints:I classlabels_strings:S coefficients:F! intercepts:F "
   "multi_class:i post_transform:s", NULL},
};
static const OpRow regressor_rows[] = {
  {1, "X:T -> Y:f32", NUMBERS,
   "coefficients:F intercepts:F post_transform:s targets:i", NULL},
};
static const OpDef defs[] = {
  {.name = "LinearClassifier", .domain = "ai.onnx.ml", .rows = classifier_rows,
   .nrow = COUNT(classifier_rows), .infer = infer_classifier,
   .expand = expand_classifier},
  {.name = "LinearRegressor", .domain = "ai.onnx.ml", .rows = regressor_rows,
   .nrow = COUNT(regressor_rows), .infer = infer_regressor,
   .expand = expand_regressor},
};
OPS_DEFINE(ml_linear, defs)
