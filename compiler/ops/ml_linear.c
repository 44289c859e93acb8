/* SPDX-License-Identifier: Apache-2.0 */
/* ai.onnx.ml: LinearClassifier, LinearRegressor, SVMClassifier, SVMRegressor:
 * products, and what becomes of the scores, as onnxruntime has it. What support
 * vector machines need beside products is in kernels/ref/svm.h.
 */
#include "../ir.h"
#include <string.h>

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
  Value *x = ml_rows(n, node_cast(n, n->in[0], DT_F32));
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
  Value *index = node_cast(n, above, DT_I64);
  index = node_op(n, "Reshape", 2, index,
                  value_const_ints(n->g, "shape", &flat, 1));
  return ml_label_of(n, &two, 0, 2, index);
}

/* [rows, 2] of one score: `all` - s and s; as onnxruntime has it only LOGISTIC
 * and PROBIT change them. */
static Value *both(Node *n, Value *s, MlPost post, float all)
{
  const float sign[] = {-1, 1}, more[] = {all, 0};
  if (post == ML_PROBIT) s = ml_transform(n, s, post);
  s = node_op(n, "Mul", 2, s, ml_numbers(n, "sign", sign, 2));
  return post == ML_LOGISTIC ? node_op(n, "Sigmoid", 1, s)
    : all == 0 ? s : node_op(n, "Add", 2, s, ml_numbers(n, "more", more, 2));
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
    ml_replace(n, 1, c.second ? both(n, scores, c.post, 1)
                              : ml_transform(n, scores, c.post));
  node_remove(n);
}

/* --- Support vector machines ---------------------------------------------- */

typedef enum { SK_LINEAR, SK_POLY, SK_RBF, SK_SIGMOID } SvmKernel;
typedef struct {
  SvmKernel kernel;
  float gamma, coef0, degree;
  int64_t vectors, features; /* no vectors: liblinear's model */
  const Attr *vector, *coef, *rho;
  const Dim *rows;
} Svm;

static bool svm_kernel(Node *n, Svm *s)
{
  static const char *const word[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};
  const char *type = attr_str(n, "kernel_type", "LINEAR");
  const Attr *par = attr_get(n, "kernel_params");
  int k = 0;
  while (k < COUNT(word) && strcmp(type, word[k]) != 0) k++;
  if (k == COUNT(word)) {
    fail_model(n, "attribute kernel_type is %s (spec: LINEAR, POLY, RBF or "
               "SIGMOID)", quote(&n->g->m->arena, type));
    return false;
  }
  if (par && par->n && par->n != 3) {
    fail_model(n, "kernel_params has %d numbers (spec: gamma, coef0, degree)",
               par->n);
    return false;
  }
  s->kernel = s->vectors ? (SvmKernel)k : SK_LINEAR;
  if (par && par->n) {
    s->gamma = par->floats[0];
    s->coef0 = par->floats[1];
    s->degree = par->floats[2];
  }
  return true;
}

/* Without vectors there are `outputs` rows of coefficients. */
static bool svm_of(Node *n, int64_t vectors, int64_t outputs, Svm *s)
{
  const Dim *columns;
  *s = (Svm){.vectors = vectors, .vector = attr_get(n, "support_vectors"),
             .coef = attr_get(n, "coefficients"), .rho = attr_get(n, "rho")};
  const Attr *per = vectors ? s->vector : s->coef;
  int64_t count = per ? per->n : 0, by = vectors ? vectors : outputs;
  if (!s->coef || !s->coef->n || !s->rho || !s->rho->n) {
    fail_model(n, "attribute %s has no numbers",
               s->coef && s->coef->n ? "rho" : "coefficients");
    return false;
  }
  if (!svm_kernel(n, s) || !ml_matrix(n, &s->rows, &columns)) return false;
  if (by < 1 || !count || count % by) {
    fail_model(n, "%lld numbers of %s are no matrix of %lld rows",
               (long long)count, vectors ? "support_vectors" : "coefficients",
               (long long)by);
    return false;
  }
  s->features = count / by;
  return infer_equal(n, columns, dim_int(node_dims(n), s->features),
                     "features, columns of the model");
}

/* alpha x w' + c: w is [rows, features]. */
static Value *affine(Node *n, Value *x, const float *w, int64_t rows,
                     int64_t features, float alpha, float c)
{
  const int64_t dim[] = {rows, features};
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 2, dim);
  t->data = w;
  Node *m = node_new(n->g, n, "Gemm", c != 0 ? 3 : 2, 1, n);
  attr_set_int(m, "transB", 1);
  attr_set_float(m, "alpha", alpha);
  node_set_input(m, 0, x);
  node_set_input(m, 1, value_const(n->g, "weights", t));
  if (c != 0) node_set_input(m, 2, ml_numbers(n, "shift", &c, 1));
  node_set_output(m, 0, value_tmp(n->g, "product", NULL));
  infer_node(m);
  return m->out[0];
}

/* A node of o2c before `at`; its output. */
static Value *internal(Node *at, const char *op, int64_t classes, int nin, ...)
{
  Node *n = node_new(at->g, at, op, nin, 1, at);
  va_list ap;
  va_start(ap, nin);
  for (int i = 0; i < nin; i++) node_set_input(n, i, va_arg(ap, Value *));
  va_end(ap);
  n->domain = "o2c";
  n->version = 1;
  n->op = op_find("o2c", op);
  attr_set_int(n, "classes", classes);
  node_set_output(n, 0, value_tmp(at->g, op, NULL));
  infer_node(n);
  return n->out[0];
}

static Value *distance(Node *n, Value *x, const Svm *s)
{
  const int64_t dim[] = {s->vectors, s->features};
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 2, dim);
  t->data = s->vector->floats;
  return distance_of(n, x, value_const(n->g, "vectors", t), 2);
}

static Value *number(Node *n, float v)
{
  return value_const_scalar(n->g, "number", DT_F32, (double)v);
}

/* [rows, vectors]. */
static Value *kernel_of(Node *n, Value *x, const Svm *s)
{
  bool plain = s->kernel == SK_LINEAR;
  if (s->kernel == SK_RBF)
    return node_op(n, "Exp", 1, node_op(n, "Mul", 2, distance(n, x, s),
                                        number(n, -s->gamma)));
  Value *k = affine(n, x, s->vector->floats, s->vectors, s->features,
                    plain ? 1 : s->gamma, plain ? 0 : s->coef0);
  if (plain) return k;
  if (s->kernel == SK_SIGMOID) return node_op(n, "Tanh", 1, k);
  if (s->degree == 2) return node_op(n, "Mul", 2, k, k);
  if (s->degree == 3)
    return node_op(n, "Mul", 2, node_op(n, "Mul", 2, k, k), k);
  return node_op(n, "Pow", 2, k, number(n, s->degree));
}

static bool svr_of(Node *n, Svm *s)
{
  int64_t vectors = attr_int(n, "n_supports", 0);
  if (!svm_of(n, vectors > 0 ? vectors : 0, 1, s)) return false;
  if (!s->vectors || s->coef->n == s->vectors) return true;
  fail_model(n, "has %d coefficients for %lld support vectors", s->coef->n,
             (long long)s->vectors);
  return false;
}

static void infer_svr(Node *n)
{
  Svm s;
  MlPost post;
  if (infer_ready(n) && svr_of(n, &s) && ml_post(n, &post))
    infer_out(n, 0, DT_F32, 2,
              (const Dim *[]){s.rows, dim_int(node_dims(n), 1)});
}

static void expand_svr(Node *n)
{
  Svm s;
  if (!svr_of(n, &s)) return;
  Value *x = ml_rows(n, node_cast(n, n->in[0], DT_F32));
  Value *y = s.vectors
      ? internal(n, "SvrScores", 1, 3, kernel_of(n, x, &s),
                 ml_numbers(n, "coefficients", s.coef->floats, s.coef->n),
                 ml_numbers(n, "rho", s.rho->floats, 1))
      : affine(n, x, s.coef->floats, 1, s.coef->n, 1, s.rho->floats[0]);
  if (attr_int(n, "one_class", 0))
    y = node_op(n, "Where", 3, node_op(n, "Greater", 2, y, number(n, 0)),
                number(n, 1), number(n, -1));
  ml_replace(n, 0, y);
  node_remove(n);
}

typedef struct {
  Svm s;
  MlLabels labels;
  MlPost post;
  const Attr *a, *b;        /* of Platt's probabilities, or NULL */
  const int64_t *each;      /* vectors of each class */
  int64_t pairs;
} Svc;

/* The lists of a model with support vectors: one for each pair of classes. */
static bool svc_lists_fit(Node *n, const Svc *c)
{
  int64_t want = (c->labels.n - 1) * c->s.vectors;
  const struct { const char *name; const Attr *a; int64_t n; } list[] = {
    {"coefficients", c->s.coef, want}, {"rho", c->s.rho, c->pairs},
    {"prob_a", c->a, c->pairs}, {"prob_b", c->b, c->pairs},
  };
  for (int i = 0; i < COUNT(list); i++) {
    if (i >= 2 && !c->a && !c->b) break;
    int64_t have = list[i].a ? list[i].a->n : 0;
    if (have == list[i].n) continue;
    fail_model(n, "attribute %s has %lld numbers (spec: %lld, for %d classes)",
               list[i].name, (long long)have, (long long)list[i].n,
               c->labels.n);
    return false;
  }
  return true;
}

static bool svc_of(Node *n, Svc *c)
{
  int count;
  int64_t vectors = 0;
  *c = (Svc){.a = attr_get(n, "prob_a"), .b = attr_get(n, "prob_b")};
  c->each = attr_ints(n, "vectors_per_class", &count);
  if (c->a && !c->a->n) c->a = NULL;
  if (c->b && !c->b->n) c->b = NULL;
  if (!ml_post(n, &c->post) ||
      !ml_labels(n, "classlabels_ints", "classlabels_strings", &c->labels))
    return false;
  for (int i = 0; i < count; i++) {
    vectors += c->each[i];
    if (c->each[i] < 0 || vectors > INT32_MAX) vectors = -1;
    if (vectors < 0) break;
  }
  int64_t classes = c->labels.n;
  if (classes < 1 || vectors < 0 || (vectors && (count != classes ||
                                                 classes < 2))) {
    fail_model(n, "has %d class labels and %d numbers in vectors_per_class "
               "(spec: as many, and at least two)", c->labels.n, count);
    return false;
  }
  c->pairs = classes * (classes - 1) / 2;
  return svm_of(n, vectors, classes, &c->s) &&
         (!vectors || svc_lists_fit(n, c));
}

static int64_t svc_columns(const Svc *c)
{
  bool votes = c->s.vectors && !c->a;
  return !votes || c->labels.n == 2 ? c->labels.n : c->pairs;
}

static void infer_svc(Node *n)
{
  Svc c;
  if (!infer_ready(n) || !svc_of(n, &c)) return;
  infer_out(n, 0, c.labels.type, 1, (const Dim *[]){c.s.rows});
  infer_out(n, 1, DT_F32, 2, (const Dim *[]){
    c.s.rows, dim_int(node_dims(n), svc_columns(&c))});
}

/* liblinear's models have one score for each class. Of two classes onnxruntime
 * takes the second where any score is above 0, or above a half where all
 * coefficients are positive. */
static void expand_liblinear(Node *n, const Svc *c, Value *x)
{
  int64_t last = -1, classes = c->labels.n;
  Value *scores = affine(n, x, c->s.coef->floats, classes, c->s.features, 1,
                         c->s.rho->floats[0]);
  Value *top = ml_top(n, scores);
  bool positive = true;
  for (int i = 0; i < c->s.coef->n; i++)
    positive = positive && c->s.coef->floats[i] >= 0;
  if (classes == 2 && !c->a) {
    Node *most = node_new(n->g, n, "ReduceMax", 2, 1, n);
    attr_set_int(most, "keepdims", 0);
    node_set_input(most, 0, scores);
    node_set_input(most, 1, value_const_ints(n->g, "axes", &last, 1));
    node_set_output(most, 0, value_tmp(n->g, "most", NULL));
    infer_node(most);
    Value *over = node_op(n, positive ? "GreaterOrEqual" : "Greater", 2,
                          most->out[0], number(n, positive ? 0.5f : 0));
    top = node_op(n, "Where", 3, over,
                  value_const_scalar(n->g, "second", DT_I64, 1), top);
  }
  if (node_out(n, 0))
    ml_replace(n, 0, ml_label_of(n, &c->labels, 0, (int)classes, top));
  ml_replace(n, 1, ml_transform(n, scores, c->post));
}

static Value *pair_scores(Node *n, const Svc *c, Value *k)
{
  int64_t dim[] = {c->labels.n - 1, c->s.vectors};
  int64_t *start = NEW(&n->g->m->arena, int64_t, c->labels.n + 1);
  for (int i = 0; i < c->labels.n; i++) start[i + 1] = start[i] + c->each[i];
  Tensor *coef = tensor_new(&n->g->m->arena, DT_F32, 2, dim);
  coef->data = c->s.coef->floats;
  return internal(n, "SvcScores", c->labels.n, 4, k,
                  value_const(n->g, "coefficients", coef),
                  value_const_ints(n->g, "start", start, c->labels.n + 1),
                  ml_numbers(n, "rho", c->s.rho->floats, c->pairs));
}

static void expand_svc(Node *n)
{
  Svc c;
  if (!svc_of(n, &c)) return;
  Value *x = ml_rows(n, node_cast(n, n->in[0], DT_F32));
  int64_t classes = c.labels.n;
  if (!c.s.vectors) {
    expand_liblinear(n, &c, x);
    node_remove(n);
    return;
  }
  Value *s = pair_scores(n, &c, kernel_of(n, x, &c.s));
  if (node_out(n, 0))
    ml_replace(n, 0, ml_label_of(n, &c.labels, 0, (int)classes,
                                 internal(n, "SvcVotes", classes, 1, s)));
  if (node_out(n, 1) && c.a)
    s = internal(n, "SvcShares", classes, 3, s,
                 ml_numbers(n, "prob_a", c.a->floats, c.pairs),
                 ml_numbers(n, "prob_b", c.b->floats, c.pairs));
  if (node_out(n, 1))
    ml_replace(n, 1, classes == 2 && !c.a
               ? both(n, s, c.post, c.post != ML_NONE)
               : ml_transform(n, s, c.post));
  node_remove(n);
}

/* --- Their nodes ---------------------------------------------------------- */

static void infer_internal(Node *n)
{
  const Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  int64_t c = attr_int(n, "classes", 1);
  bool votes = !strcmp(n->op_type, "SvcVotes");
  if (!strcmp(n->op_type, "SvcScores")) c = c * (c - 1) / 2;
  if (infer_ready(n))
    infer_out(n, 0, votes ? DT_I64 : DT_F32, votes ? 1 : 2,
              (const Dim *[]){x->dim[0], dim_int(p, c)});
}

static void lower_sum(Lower *l, Node *n)
{
  const Value *k = n->in[0];
  lower_call(l, n, "svr_scores", DT_F32, "iiiodd", n->in[0], n->in[1],
             n->in[2], n->out[0], k->dim[0], k->dim[1]);
}

static void lower_scores(Lower *l, Node *n)
{
  const Value *k = n->in[0];
  lower_call(l, n, "svc_scores", DT_F32, "iiiiodkd", n->in[0], n->in[1],
             n->in[2], n->in[3], n->out[0], k->dim[0],
             attr_int(n, "classes", 1), k->dim[1]);
}

static void lower_votes(Lower *l, Node *n)
{
  int64_t c = attr_int(n, "classes", 1);
  lower_call(l, n, "svc_votes", DT_F32, "ioodk", n->in[0], n->out[0],
             lower_scratch(l, n, DT_I64, dim_int(node_dims(n), c)),
             n->in[0]->dim[0], c);
}

static void lower_shares(Lower *l, Node *n)
{
  int64_t c = attr_int(n, "classes", 1);
  const Dim *size = dim_int(node_dims(n), 2 * c * c + c);
  lower_call(l, n, "svc_shares", DT_F32, "iiioodk", n->in[0], n->in[1],
             n->in[2], n->out[0], lower_scratch(l, n, DT_F32, size),
             n->in[0]->dim[0], c);
}

static int axis_row(const Node *n, int in, int axis, int out)
{
  (void)n, (void)out;
  return in == 0 && axis == 0 ? 0 : AXIS_MIXES;
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
#define MODEL "coefficients:F kernel_params:F kernel_type:s post_transform:s " \
  "rho:F support_vectors:F"
static const OpRow svc_rows[] = {
  {1, "X:T -> Y:L Z:f32", NUMBERS "; L=str i64",
   "classlabels_ints:I classlabels_strings:S prob_a:F prob_b:F "
   "vectors_per_class:I " MODEL, NULL},
};
static const OpRow svr_rows[] = {
  {1, "X:T -> Y:f32", NUMBERS, "n_supports:i one_class:i " MODEL, NULL},
};
#define ONE_ROW(name, sig) \
  static const OpRow name[] = {{1, sig, "", "classes:i", NULL}};
ONE_ROW(sum_rows, "X:f32 C:f32 R:f32 -> Y:f32")
ONE_ROW(scores_rows, "X:f32 C:f32 S:i64 R:f32 -> Y:f32")
ONE_ROW(votes_rows, "X:f32 -> Y:i64")
ONE_ROW(shares_rows, "X:f32 A:f32 B:f32 -> Y:f32")
#define OWN(op, family) \
  {.name = op, .domain = "o2c", .rows = family##_rows, .nrow = 1, \
   .infer = infer_internal, .lower = lower_##family, .axis = axis_row, \
   .flags = OP_INTERNAL}
static const OpDef defs[] = {
  {.name = "LinearClassifier", .domain = "ai.onnx.ml", .rows = classifier_rows,
   .nrow = COUNT(classifier_rows), .infer = infer_classifier,
   .expand = expand_classifier},
  {.name = "LinearRegressor", .domain = "ai.onnx.ml", .rows = regressor_rows,
   .nrow = COUNT(regressor_rows), .infer = infer_regressor,
   .expand = expand_regressor},
  {.name = "SVMClassifier", .domain = "ai.onnx.ml", .rows = svc_rows,
   .nrow = COUNT(svc_rows), .infer = infer_svc, .expand = expand_svc},
  {.name = "SVMRegressor", .domain = "ai.onnx.ml", .rows = svr_rows,
   .nrow = COUNT(svr_rows), .infer = infer_svr, .expand = expand_svr},
  OWN("SvrScores", sum),
  OWN("SvcScores", scores), OWN("SvcVotes", votes), OWN("SvcShares", shares),
};
OPS_DEFINE(ml_linear, defs)
