/* SPDX-License-Identifier: Apache-2.0 */
/* ai.onnx.ml: what changes features: ArrayFeatureExtractor, Binarizer,
 * FeatureVectorizer, Imputer, Normalizer, Scaler; and what its classifiers and
 * regressors do to scores.
 *
 * All are composites of ai.onnx operators, which fuse, fold and have kernels.
 * Where the specification is silent they do what onnxruntime does.
 */
#include "../ir.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* --- Shared: see ops.h ---------------------------------------------------- */

Value *ml_numbers(Node *n, const char *hint, const float *v, int64_t count)
{
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 1, &count);
  for (int64_t i = 0; i < count; i++) tensor_set_f64(t, i, v[i]);
  return value_const(n->g, hint, t);
}

Value *ml_rows(Node *n, Value *x)
{
  int64_t zero = 0;
  if (x->rank == 2) return x;
  return node_op(n, "Unsqueeze", 2, x,
                 value_const_ints(n->g, "axes", &zero, 1));
}

bool ml_matrix(Node *n, const Dim **rows, const Dim **columns)
{
  const Value *x = n->in[0];
  if (x->rank < 1 || x->rank > 2) {
    fail_model(n, "the input has rank %d (spec: [N, C], or [C] for one row)",
               x->rank);
    return false;
  }
  *rows = x->rank == 2 ? x->dim[0] : dim_int(node_dims(n), 1);
  *columns = x->dim[x->rank - 1];
  return true;
}

void ml_replace(Node *n, int out, Value *by)
{
  if (node_out(n, out)) value_replace(n->out[out], by);
}

/* A node of one attribute, which is an integer. */
static Value *with_int(Node *n, const char *op, const char *attr, int64_t v,
                       Value *a, Value *b)
{
  Node *m = node_new(n->g, n, op, b ? 2 : 1, 1, n);
  attr_set_int(m, attr, v);
  node_set_input(m, 0, a);
  if (b) node_set_input(m, 1, b);
  node_set_output(m, 0, value_tmp(n->g, op, NULL));
  infer_node(m);
  return m->out[0];
}

static Value *number(Node *n, double v)
{
  return value_const_scalar(n->g, "number", DT_F32, v);
}

static Value *along_rows(Node *n, const char *op, Value *x)
{
  int64_t last = -1;
  return node_op(n, op, 2, x, value_const_ints(n->g, "axes", &last, 1));
}

bool ml_post(Node *n, MlPost *post)
{
  static const char *const word[] = {"NONE", "SOFTMAX", "LOGISTIC",
                                     "SOFTMAX_ZERO", "PROBIT"};
  const char *s = attr_str(n, "post_transform", "NONE");
  for (int i = 0; i < COUNT(word); i++)
    if (!strcmp(s, word[i])) {
      *post = (MlPost)i;
      return true;
    }
  fail_model(n, "attribute post_transform is %s (spec: NONE, SOFTMAX, "
             "LOGISTIC, SOFTMAX_ZERO or PROBIT)", quote(&n->g->m->arena, s));
  return false;
}

/* sqrt(2) erfinv(2 v - 1), by the approximation of Winitzki that onnxruntime
 * uses. */
static Value *probit(Node *n, Value *v)
{
  const float a = 0.147f, pi = 3.14159f;
  Value *one = number(n, 1);
  Value *t = node_op(n, "Sub", 2, node_op(n, "Mul", 2, v, number(n, 2)), one);
  Value *low = node_op(n, "Less", 2, t, number(n, 0));
  Value *sign = node_op(n, "Where", 3, low, number(n, -1), one);
  Value *log = node_op(n, "Log", 1,
                       node_op(n, "Mul", 2, node_op(n, "Sub", 2, one, t),
                               node_op(n, "Add", 2, one, t)));
  Value *p = node_op(n, "Add", 2, number(n, 2 / (pi * a)),
                     node_op(n, "Mul", 2, log, number(n, 0.5)));
  Value *q = node_op(n, "Mul", 2, log, number(n, 1 / a));
  Value *root = node_op(n, "Sqrt", 1,
                        node_op(n, "Sub", 2, node_op(n, "Mul", 2, p, p), q));
  Value *r = node_op(n, "Sqrt", 1, node_op(n, "Sub", 2, root, p));
  return node_op(n, "Mul", 2, node_op(n, "Mul", 2, sign, r),
                 number(n, 1.41421356f));
}

/* Softmax in which scores of 0 have no share. */
static Value *softmax_zero(Node *n, Value *v)
{
  Value *most = along_rows(n, "ReduceMax", v);
  Value *share = node_op(n, "Exp", 1, node_op(n, "Sub", 2, v, most));
  Value *some = node_op(n, "Greater", 2, node_op(n, "Abs", 1, v),
                        number(n, 1e-7f));
  Value *sum = along_rows(n, "ReduceSum", node_op(n, "Where", 3, some, share,
                                                  number(n, 0)));
  Value *rest = node_op(n, "Mul", 2, v, node_op(n, "Exp", 1,
                                                node_op(n, "Neg", 1, most)));
  return node_op(n, "Div", 2, node_op(n, "Where", 3, some, share, rest), sum);
}

Value *ml_transform(Node *n, Value *scores, MlPost post)
{
  /* ONNX LinearClassifier-1: onnxruntime leaves a single score as it is. */
  if (dim_is(scores->dim[1], 1) && post != ML_PROBIT) return scores;
  switch (post) {
  case ML_SOFTMAX: return with_int(n, "Softmax", "axis", 1, scores, NULL);
  case ML_LOGISTIC: return node_op(n, "Sigmoid", 1, scores);
  case ML_SOFTMAX_ZERO: return softmax_zero(n, scores);
  case ML_PROBIT: return probit(n, scores);
  default: return scores;
  }
}

bool ml_labels(Node *n, const char *ints, const char *strings, MlLabels *l)
{
  const Attr *i = attr_get(n, ints), *s = attr_get(n, strings);
  *l = (MlLabels){.ints = i && i->n ? i : NULL,
                  .strings = s && s->n ? s : NULL};
  if (l->ints && l->strings) {
    fail_model(n, "has both %s and %s (spec: one of them)", ints, strings);
    return false;
  }
  l->type = l->strings ? DT_STR : DT_I64;
  l->n = l->strings ? l->strings->n : l->ints ? l->ints->n : 0;
  return true;
}

Value *ml_label_of(Node *n, const MlLabels *l, int first, int count,
                   Value *index)
{
  int64_t dim = count;
  bool plain = l->type == DT_I64;
  Tensor *t = tensor_new(&n->g->m->arena, l->type, 1, &dim);
  for (int i = 0; i < count && plain; i++) {
    tensor_set_i64(t, i, l->ints->ints[first + i]);
    plain = l->ints->ints[first + i] == i;
  }
  if (plain) return index;
  if (l->type == DT_STR) t->data = l->strings->strs + first;
  for (int i = 0; i < count && l->type == DT_I64; i++)
    tensor_set_i64(t, i, l->ints->ints[first + i]);
  return with_int(n, "Gather", "axis", 0, value_const(n->g, "labels", t),
                  index);
}

Value *ml_top(Node *n, Value *scores)
{
  Node *m = node_new(n->g, n, "ArgMax", 1, 1, n);
  attr_set_int(m, "axis", 1);
  attr_set_int(m, "keepdims", 0);
  node_set_input(m, 0, scores);
  node_set_output(m, 0, value_tmp(n->g, "top", NULL));
  infer_node(m);
  return m->out[0];
}

/* --- Features one by one -------------------------------------------------- */

static void infer_as_f32(Node *n)
{
  const Value *x = node_in(n, 0);
  if (infer_ready(n)) infer_out(n, 0, DT_F32, x->rank, x->dim);
}

/* A list that is one number, or one for each feature: along axis 1, which
 * broadcasting takes as the last one. */
static bool per_feature(Node *n, const char *name, int count)
{
  const Value *x = n->in[0];
  DimPool *p = node_dims(n);
  if (count == 1) return true;
  if (count == 0) {
    fail_model(n, "attribute %s has no numbers (spec: one, or one for each "
               "feature)", name);
    return false;
  }
  if (x->rank < 1) {
    fail_model(n, "the input is a scalar, %s has %d numbers", name, count);
    return false;
  }
  const char *what = count < 0 ? name
    : arena_printf(&n->g->m->arena, "features, numbers of %s", name);
  return infer_equal(n, x->dim[x->rank - 1], dim_int(p, count), what);
}

static void infer_scaler(Node *n)
{
  const Attr *offset = attr_get(n, "offset"), *scale = attr_get(n, "scale");
  if (!infer_ready(n) || (offset && !per_feature(n, "offset", offset->n)) ||
      (scale && !per_feature(n, "scale", scale->n)))
    return;
  infer_as_f32(n);
}

/* The list as a constant of type t; NULL where all numbers are `neutral`. */
static Value *list_of(Node *n, const char *name, Dtype t, float neutral)
{
  const Attr *a = attr_get(n, name);
  bool same = true;
  for (int i = 0; a && i < a->n; i++) same = same && a->floats[i] == neutral;
  if (same) return NULL;
  int64_t count = a->n;
  Tensor *v = tensor_new(&n->g->m->arena, t, 1, &count);
  for (int64_t i = 0; i < count; i++) tensor_set_f64(v, i, a->floats[i]);
  return value_const(n->g, name, v);
}

/* In float; doubles in double, and rounded at the end. */
static void expand_scaler(Node *n)
{
  Dtype t = n->in[0]->dtype == DT_F64 ? DT_F64 : DT_F32;
  Value *x = node_cast(n, n->in[0], t);
  Value *offset = list_of(n, "offset", t, 0);
  Value *scale = list_of(n, "scale", t, 1);
  if (offset) x = node_op(n, "Sub", 2, x, offset);
  if (scale) x = node_op(n, "Mul", 2, x, scale);
  ml_replace(n, 0, node_cast(n, x, DT_F32));
  node_remove(n);
}

static void infer_like(Node *n) { infer_same(n, 0, 0); }

static void expand_binarizer(Node *n)
{
  Value *x = n->in[0];
  double t = (double)attr_float(n, "threshold", 0);
  bool real = dtype_info(x->dtype)->cls == DC_FLOAT;
  double most = x->dtype == DT_I32 ? 2147483647.0 : 9223372036854774784.0;
  /* An integer exceeds t where it exceeds the integer below. */
  if (!real) t = t > most ? most : t < -most ? -most - 1 : floor(t);
  Value *at = value_const_scalar(n->g, "threshold", x->dtype, t);
  ml_replace(n, 0, node_cast(n, node_op(n, "Greater", 2, x, at), x->dtype));
  node_remove(n);
}

/* The list that Imputer is for: of x's class, as onnxruntime has it. */
static const Attr *imputed(const Node *n, bool *real)
{
  *real = dtype_info(n->in[0]->dtype)->cls == DC_FLOAT;
  const Attr *a = attr_get(n, *real ? "imputed_value_floats"
                                    : "imputed_value_int64s");
  return a && a->n ? a : NULL;
}

static void infer_imputer(Node *n)
{
  bool real;
  if (!infer_ready(n)) return;
  const Attr *a = imputed(n, &real);
  const char *name = real ? "imputed_value_floats" : "imputed_value_int64s";
  if (!a) {
    fail_model(n, "attribute %s is missing, which inputs of %s need", name,
               dtype_info(n->in[0]->dtype)->onnx);
    return;
  }
  if (per_feature(n, name, a->n)) infer_same(n, 0, 0);
}

static void expand_imputer(Node *n)
{
  bool real;
  Value *x = n->in[0], *is;
  const Attr *a = imputed(n, &real);
  int64_t count = a->n;
  float gone = attr_float(n, "replaced_value_float", 0);
  Tensor *t = tensor_new(&n->g->m->arena, x->dtype, 1, &count);
  Tensor *old = tensor_new(&n->g->m->arena, x->dtype, 0, NULL);
  for (int64_t i = 0; i < count; i++) {
    if (real) tensor_set_f64(t, i, a->floats[i]);
    else tensor_set_i64(t, i, a->ints[i]);
  }
  if (real) tensor_set_f64(old, 0, gone);
  else tensor_set_i64(old, 0, attr_int(n, "replaced_value_int64", 0));
  is = real && isnan(gone) ? node_op(n, "IsNaN", 1, x)
    : node_op(n, "Equal", 2, x, value_const(n->g, "replaced", old));
  if (count == 1) t->rank = 0;
  ml_replace(n, 0, node_op(n, "Where", 3, is, value_const(n->g, "imputed", t),
                           x));
  node_remove(n);
}

/* --- Rows of features ----------------------------------------------------- */

static int norm_of(const Node *n)
{
  const char *s = attr_str(n, "norm", "MAX");
  return !strcmp(s, "MAX") ? 0 : !strcmp(s, "L1") ? 1 : !strcmp(s, "L2") ? 2
       : -1;
}

static void infer_normalizer(Node *n)
{
  const Dim *rows, *columns;
  if (!infer_ready(n) || !ml_matrix(n, &rows, &columns)) return;
  if (norm_of(n) < 0)
    fail_model(n, "attribute norm is %s (spec: MAX, L1 or L2)",
               quote(&n->g->m->arena, attr_str(n, "norm", "")));
  else
    infer_as_f32(n);
}

static void expand_normalizer(Node *n)
{
  Value *x = node_cast(n, n->in[0], DT_F32), *by;
  Value *zero = number(n, 0), *least = number(n, -FLT_MAX);
  int norm = norm_of(n);
  if (norm == 1) {
    by = along_rows(n, "ReduceL1", x);
  } else if (norm == 2) {
    by = along_rows(n, "ReduceL2", x);
  } else {
    /* The largest, not the largest magnitude; NaN is none. */
    by = node_op(n, "Where", 3, node_op(n, "IsNaN", 1, x), least, x);
    by = node_op(n, "Max", 2, along_rows(n, "ReduceMax", by), least);
  }
  by = node_op(n, "Where", 3, node_op(n, "Equal", 2, by, zero), number(n, 1),
               by);
  ml_replace(n, 0, node_op(n, "Div", 2, x, by));
  node_remove(n);
}

static void infer_vectorizer(Node *n)
{
  DimPool *p = node_dims(n);
  int count;
  const int64_t *size = attr_ints(n, "inputdimensions", &count);
  const Dim *dim[2] = {NULL, dim_int(p, 0)};
  if (!infer_ready(n)) return;
  if (count != n->nin) {
    fail_model(n, "inputdimensions has %d sizes for %d inputs (spec: one for "
               "each)", count, n->nin);
    return;
  }
  for (int i = 0; i < n->nin; i++) {
    const Value *x = n->in[i];
    if (x->rank < 1 || size[i] < 0 || size[i] >= DIM_INFINITE) {
      fail_model(n, "input %d has rank %d, its size in inputdimensions is %lld",
                 i, x->rank, (long long)size[i]);
      return;
    }
    const Dim *rows = x->rank == 1 ? dim_int(p, 1) : x->dim[0];
    if (i && !infer_equal(n, dim[0], rows, "rows of the inputs")) return;
    dim[0] = rows;
    dim[1] = dim_add(p, dim[1], dim_int(p, size[i]));
  }
  infer_out(n, 0, DT_F32, 2, dim);
}

/* [rows, size]: columns too many are left out, missing ones are 0. */
static Value *vectorized(Node *n, Value *x, int64_t size)
{
  const int64_t zero = 0, one = 1, keep[] = {0, -1};
  if (x->rank == 1) x = ml_rows(n, x);
  if (x->rank > 2)
    x = node_op(n, "Reshape", 2, x, value_const_ints(n->g, "shape", keep, 2));
  int64_t have;
  if (!dim_is_int(x->dim[1], &have)) {
    fail_unsupported(n, "an input has %s columns; fix them with --dim",
                     dim_text(node_dims(n), x->dim[1]));
    return x;
  }
  if (have > size)
    x = node_op(n, "Slice", 4, x, value_const_ints(n->g, "from", &zero, 1),
                value_const_ints(n->g, "to", &size, 1),
                value_const_ints(n->g, "axis", &one, 1));
  const int64_t pads[] = {0, 0, 0, size - have};
  x = node_cast(n, x, DT_F32);
  return have >= size ? x : node_op(n, "Pad", 2, x,
                                    value_const_ints(n->g, "pads", pads, 4));
}

static void expand_vectorizer(Node *n)
{
  int count;
  const int64_t *size = attr_ints(n, "inputdimensions", &count);
  Node *c = node_new(n->g, n, "Concat", n->nin, 1, n);
  attr_set_int(c, "axis", 1);
  for (int i = 0; i < n->nin; i++)
    node_set_input(c, i, vectorized(c, n->in[i], size[i]));
  node_set_output(c, 0, value_tmp(n->g, "features", NULL));
  infer_node(c);
  ml_replace(n, 0, c->out[0]);
  node_remove(n);
}

static void infer_extractor(Node *n)
{
  const Value *x = node_in(n, 0), *y = node_in(n, 1);
  const Dim *dim[MAX_RANK];
  if (!infer_ready(n)) return;
  if (x->rank < 1) {
    fail_model(n, "X is a scalar (spec: features on the last axis)");
    return;
  }
  int rank = x->rank == 1 ? 2 : x->rank;
  dim[0] = dim_int(node_dims(n), 1);
  for (int i = 0; i + 1 < x->rank; i++) dim[i] = x->dim[i];
  dim[rank - 1] = value_numel(y);
  infer_out(n, 0, x->dtype, rank, dim);
}

static void expand_extractor(Node *n)
{
  const int64_t flat = -1;
  Value *y = n->in[1];
  if (y->rank != 1)
    y = node_op(n, "Reshape", 2, y, value_const_ints(n->g, "shape", &flat, 1));
  y = with_int(n, "Gather", "axis", -1, n->in[0], y);
  ml_replace(n, 0, n->in[0]->rank == 1 ? ml_rows(n, y) : y);
  node_remove(n);
}

#define NUMBERS "T=f32 f64 i64 i32"
#define AS_F32 "X:T -> Y:f32"
static const OpRow extractor_rows[] = {
  {1, "X:T Y:i64 -> Z:T", NUMBERS " str", "", NULL},
};
static const OpRow binarizer_rows[] = {
  {1, "X:T -> Y:T", NUMBERS, "threshold:f", NULL},
};
static const OpRow vectorizer_rows[] = {
  {1, "X:T... -> Y:f32", NUMBERS, "inputdimensions:I", NULL},
};
static const OpRow imputer_rows[] = {
  {1, "X:T -> Y:T", NUMBERS,
   "imputed_value_floats:F imputed_value_int64s:I replaced_value_float:f "
   "replaced_value_int64:i", NULL},
};
static const OpRow normalizer_rows[] = {{1, AS_F32, NUMBERS, "norm:s", NULL}};
static const OpRow scaler_rows[] = {
  {1, AS_F32, NUMBERS, "offset:F scale:F", NULL},
};
#define ML(op, family, infer_it) \
  {.name = op, .domain = "ai.onnx.ml", .rows = family##_rows, \
   .nrow = COUNT(family##_rows), .infer = infer_it, .expand = expand_##family}
static const OpDef defs[] = {
  ML("ArrayFeatureExtractor", extractor, infer_extractor),
  ML("Binarizer", binarizer, infer_like),
  ML("FeatureVectorizer", vectorizer, infer_vectorizer),
  ML("Imputer", imputer, infer_imputer),
  ML("Normalizer", normalizer, infer_normalizer),
  ML("Scaler", scaler, infer_scaler),
};
OPS_DEFINE(ml, defs)
