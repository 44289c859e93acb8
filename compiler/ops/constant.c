/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors out of nothing but attributes and shapes: Constant, ConstantOfShape,
 * EyeLike, Shape, Size, Range. Most are gone after folding: their content is
 * known as data or as dimensions (sym.c). */
#include <math.h>
#include <string.h>
#include "../ir.h"

static Tensor *list_tensor(Node *n, Dtype t, int64_t count, bool scalar)
{
  return tensor_new(&n->g->m->arena, t, scalar ? 0 : 1, &count);
}

static const Tensor *int_tensor(Node *n, const int64_t *v, int count, bool one)
{
  Tensor *t = list_tensor(n, DT_I64, count, one);
  for (int i = 0; i < count; i++) tensor_set_i64(t, i, v[i]);
  return t;
}

static const Tensor *float_tensor(Node *n, const float *v, int count, bool one)
{
  Tensor *t = list_tensor(n, DT_F32, count, one);
  for (int i = 0; i < count; i++) tensor_set_f64(t, i, (double)v[i]);
  return t;
}

static const Tensor *str_tensor(Node *n, const Str *v, int count, bool one)
{
  Tensor *t = list_tensor(n, DT_STR, count, one);
  t->data = v;
  return t;
}

/* The attribute's content as a tensor; NULL: not one of Constant's. */
static const Tensor *constant_value(Node *n, const Attr *a)
{
  if (!strcmp(a->name, "value") || !strcmp(a->name, "sparse_value"))
    return a->t;
  if (!strcmp(a->name, "value_int")) return int_tensor(n, &a->i, 1, true);
  if (!strcmp(a->name, "value_ints"))
    return int_tensor(n, a->ints, a->n, false);
  if (!strcmp(a->name, "value_float")) return float_tensor(n, &a->f, 1, true);
  if (!strcmp(a->name, "value_floats"))
    return float_tensor(n, a->floats, a->n, false);
  if (!strcmp(a->name, "value_string")) return str_tensor(n, &a->s, 1, true);
  if (!strcmp(a->name, "value_strings"))
    return str_tensor(n, a->strs, a->n, false);
  return NULL;
}

static void infer_constant(Node *n)
{
  const Tensor *t = NULL;
  const Dim *dim[MAX_RANK];
  for (int i = 0; i < n->nattr; i++) {
    const Tensor *v = constant_value(n, &n->attr[i]);
    if (v && t) {
      fail_model(n, "has several values (spec: exactly one attribute)");
      return;
    }
    if (v) t = v;
  }
  if (!t) {
    fail_model(n, "has no value (spec: exactly one attribute)");
    return;
  }
  for (int i = 0; i < t->rank; i++) dim[i] = dim_int(node_dims(n), t->dim[i]);
  infer_out(n, 0, t->dtype, t->rank, dim);
  if (node_out(n, 0)) n->out[0]->data = t;
}

/* The shape is only known at run time, but how long it is. */
static void infer_fill_by_data(Node *n, Dtype t)
{
  const Dim *dim[MAX_RANK] = {0};
  int64_t rank;
  if (!dim_is_int(value_numel(n->in[0]), &rank) || rank > MAX_RANK)
    fail_unsupported(n, "the rank of the output depends on the data; give the "
                     "shape a constant number of elements, at most %d",
                     MAX_RANK);
  else
    infer_by_sizes(n, 0, t, (int)rank, NULL, dim);
}

static void sizes_fill(Lower *l, Node *n)
{
  lower_call(l, n, "size_list", DT_I64, "idS", n->in[0],
             value_numel(n->in[0]));
}

/* ConstantOfShape: the value is a tensor of one element, by default 0.0f. */
static void infer_constant_of_shape(Node *n)
{
  const Attr *value = attr_get(n, "value");
  const Dim *const *s;
  Dtype t = value && value->t ? value->t->dtype : DT_F32;
  int64_t v;
  int count;
  if (!infer_ready(n)) return;
  if (value && value->t && value->t->n != 1) {
    fail_model(n, "value has %lld elements (spec: 1)", (long long)value->t->n);
    return;
  }
  s = infer_content(n, 0, &count);
  if (!s) {
    infer_fill_by_data(n, t);
    return;
  }
  if (count > MAX_RANK) {
    fail_unsupported(n, "rank %d (onnx2c: at most %d)", count, MAX_RANK);
    return;
  }
  for (int i = 0; i < count; i++)
    if (dim_is_int(s[i], &v) && v < 0) {
      fail_model(n, "shape[%d] is %lld (spec: not negative)", i, (long long)v);
      return;
    }
  infer_out(n, 0, t, count, s);
}

static void lower_constant_of_shape(Lower *l, Node *n)
{
  const Attr *value = attr_get(n, "value");
  Value *y = n->out[0];
  int count;
  if (!value_content(n->in[0], &count) && !n->size)
    lower_call(l, n, "check_list", DT_I64, "ikD", n->in[0], (int64_t)y->rank,
               y->dim, y->rank);
  lower_call(l, n, "fill", dtype_carrier(y->dtype), "odk", y, value_numel(y),
             value && value->t ? tensor_bits(value->t) : 0);
}

/* EyeLike: the input gives no more than its shape. */
#define EYE_TYPES "num bool bf16"
static void infer_eye(Node *n)
{
  const Value *x = node_in(n, 0);
  int64_t t;
  if (!infer_ready(n)) return;
  t = attr_int(n, "dtype", x->dtype);
  if (x->rank != 2) {
    fail_model(n, "the input has rank %d (spec: 2)", x->rank);
    return;
  }
  if (t <= 0 || t >= DT_COUNT ||
      !(typeset_parse(EYE_TYPES, strlen(EYE_TYPES)) & DT_BIT((Dtype)t))) {
    fail_model(n, "dtype is %lld (spec: a number or bool)", (long long)t);
    return;
  }
  infer_out(n, 0, (Dtype)t, 2, x->dim);
}

static void lower_eye(Lower *l, Node *n)
{
  Value *y = n->out[0];
  Tensor *one = tensor_new(&n->g->m->arena, y->dtype, 0, NULL);
  tensor_set_f64(one, 0, 1);
  lower_call(l, n, "eye", dtype_carrier(y->dtype), "oddkk", y, y->dim[0],
             y->dim[1], attr_int(n, "k", 0), tensor_bits(one));
}

/* Shape. ONNX Shape-15: dimensions [start, end), clamped. */
static void infer_shape(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim;
  int64_t start = attr_int(n, "start", 0), end;
  if (!x || x->bad || x->rank < 0) return;
  end = attr_int(n, "end", x->rank);
  if (start < 0) start += x->rank;
  if (end < 0) end += x->rank;
  start = start < 0 ? 0 : start > x->rank ? x->rank : start;
  end = end < start ? start : end > x->rank ? x->rank : end;
  dim = dim_int(node_dims(n), end - start);
  infer_out(n, 0, DT_I64, 1, &dim);
}

static void lower_shape(Lower *l, Node *n)
{
  const Value *x = n->in[0], *y = n->out[0];
  int64_t start = attr_int(n, "start", 0), count = 0;
  if (start < 0) start += x->rank;
  start = start < 0 ? 0 : start > x->rank ? x->rank : start;
  dim_is_int(y->dim[0], &count);
  lower_call(l, n, "list", DT_I64, "okD", y, count, x->dim + start, (int)count);
}

static void infer_size(Node *n)
{
  const Value *x = node_in(n, 0);
  if (x && !x->bad && x->rank >= 0) infer_out(n, 0, DT_I64, 0, NULL);
}

static void lower_size(Lower *l, Node *n)
{
  const Dim *size = value_numel(n->in[0]);
  lower_call(l, n, "list", DT_I64, "okD", n->out[0], (int64_t)1, &size, 1);
}

/* Range: max(ceil((limit - start) / delta), 0) elements. */
static bool range_floats(Node *n, const Dim **size)
{
  double v[3], count;
  for (int i = 0; i < 3; i++) {
    if (!n->in[i]->data) return false;
    v[i] = tensor_f64(n->in[i]->data, 0);
  }
  count = ceil((v[1] - v[0]) / v[2]);
  *size = dim_int(node_dims(n), count > 0 && count < 4e18 ? (int64_t)count : 0);
  return true;
}

static bool range_ints(Node *n, const Dim **size)
{
  DimPool *p = node_dims(n);
  const Dim *v[3];
  int64_t step;
  for (int i = 0; i < 3; i++) {
    int count;
    const Dim *const *d = infer_content(n, i, &count);
    if (!d) return false;
    v[i] = d[0];
  }
  if (!dim_is_int(v[2], &step)) return false;
  v[0] = step > 0 ? dim_sub(p, v[1], v[0]) : dim_sub(p, v[0], v[1]);
  *size = dim_max(p, dim_ceil_div(p, v[0], dim_int(p, step > 0 ? step : -step)),
                  dim_int(p, 0));
  return true;
}

static bool range_size(Node *n, const Dim **size)
{
  return dtype_info(n->in[0]->dtype)->cls == DC_FLOAT ? range_floats(n, size)
                                                      : range_ints(n, size);
}

static void infer_range(Node *n)
{
  const Dim *size;
  bool known;
  if (!infer_ready(n)) return;
  for (int i = 0; i < 3; i++)
    if (!dim_is(value_numel(n->in[i]), 1)) {
      fail_model(n, "input %d is no scalar (spec: scalar)", i);
      return;
    }
  if (n->in[2]->data && tensor_f64(n->in[2]->data, 0) == 0) {
    fail_model(n, "delta is 0 (spec: not 0)");
    return;
  }
  known = range_size(n, &size);
  if (known) {
    infer_out(n, 0, n->in[0]->dtype, 1, &size);
    return;
  }
  size = NULL;
  infer_by_sizes(n, 0, n->in[0]->dtype, 1, NULL, &size);
}

static void sizes_range(Lower *l, Node *n)
{
  lower_call(l, n, "size_range", n->in[0]->dtype, "iiiS", n->in[0], n->in[1],
             n->in[2]);
}

static void lower_range(Lower *l, Node *n)
{
  const Dim *size;
  if (!range_size(n, &size))
    lower_call(l, n, "range_data", n->out[0]->dtype, "iiiod", n->in[0],
               n->in[1], n->in[2], n->out[0], n->out[0]->dim[0]);
  else
    lower_call(l, n, "range", n->out[0]->dtype, "iiod", n->in[0],
               n->in[2], n->out[0], size);
}

#define VALUES \
  "value_strings:S value_string:s value_floats:F value_float:f value_ints:I " \
  "value_int:i sparse_value:t value:t"
static const OpRow constant_rows[] = {
  {1, "-> output:T", "T=float", "value:t", NULL},
  {9, NULL, "T=all", NULL, NULL},
  /* ONNX Constant-11, Constant-12: "Exactly one of the two attributes, either
   * value or sparse_value" */
  {11, NULL, NULL, "sparse_value:t value:t", NULL},
  {12, NULL, NULL, VALUES, NULL},
  {13, NULL, "T=all13", NULL, NULL}, {19, NULL, "T=all19", NULL, NULL},
  {21, NULL, "T=all21", NULL, NULL}, {23, NULL, "T=all23", NULL, NULL},
  {24, NULL, "T=all24", NULL, NULL}, {25, NULL, "T=all25", NULL, NULL},
};
static const OpRow constant_of_shape_rows[] = {
  {9, "input:I -> output:T", "I=i64; T=num bool", "value:t", NULL},
  {20, NULL, "I=i64; T=num bool bf16 f8", NULL, NULL},
  {21, NULL, "I=i64; T=num bool bf16 f8 i4 u4", NULL, NULL},
  {23, NULL, "I=i64; T=num bool bf16 f8 i4 u4 f4e2m1", NULL, NULL},
  {24, NULL, "I=i64; T=num bool bf16 f8 i4 u4 f4e2m1 f8e8m0", NULL, NULL},
  {25, NULL, "I=i64; T=num bool bf16 f8 i4 u4 f4e2m1 f8e8m0 i2 u2", NULL, NULL},
};
static const OpRow shape_rows[] = {
  {1, "data:T -> shape:I", "T=all; I=i64", "", NULL},
  {13, NULL, "T=all13; I=i64", NULL, NULL},
  /* ONNX Shape-15: "If start axis is omitted, the slice starts from axis 0" */
  {15, NULL, NULL, "start:i end:i", NULL},
  {19, NULL, "T=all19; I=i64", NULL, NULL},
  {21, NULL, "T=all21; I=i64", NULL, NULL},
  {23, NULL, "T=all23; I=i64", NULL, NULL},
  {24, NULL, "T=all24; I=i64", NULL, NULL},
  {25, NULL, "T=all25; I=i64", NULL, NULL},
};
static const OpRow size_rows[] = {
  {1, "data:T -> size:I", "T=all; I=i64", "", NULL},
  {13, NULL, "T=all13; I=i64", NULL, NULL},
  {19, NULL, "T=all19; I=i64", NULL, NULL},
  {21, NULL, "T=all21; I=i64", NULL, NULL},
  {23, NULL, "T=all23; I=i64", NULL, NULL},
  {24, NULL, "T=all24; I=i64", NULL, NULL},
  {25, NULL, "T=all25; I=i64", NULL, NULL},
};
static const OpRow range_rows[] = {
  {11, "start:T limit:T delta:T -> output:T", "T=f32 f64 i16 i32 i64", "",
   NULL},
  /* ONNX Range-27: "Has no effect for other types" */
  {27, NULL, "T=f32 f64 i16 i32 i64 f16 bf16", "stash_type:i", NULL},
};
static const OpRow eye_rows[] = {
  {9, "input:T1 -> output:*", "T1=num bool", "dtype:i k:i", NULL},
  {22, NULL, "T1=num bool bf16", NULL, NULL},
};

static const OpDef defs[] = {
  {.name = "Constant", .rows = constant_rows, .nrow = COUNT(constant_rows),
   .infer = infer_constant},
  {.name = "ConstantOfShape", .rows = constant_of_shape_rows,
   .nrow = COUNT(constant_of_shape_rows), .infer = infer_constant_of_shape,
   .lower = lower_constant_of_shape, .sizes = sizes_fill},
  {.name = "Shape", .rows = shape_rows, .nrow = COUNT(shape_rows),
   .infer = infer_shape, .lower = lower_shape},
  {.name = "Size", .rows = size_rows, .nrow = COUNT(size_rows),
   .infer = infer_size, .lower = lower_size},
  {.name = "Range", .rows = range_rows, .nrow = COUNT(range_rows),
   .infer = infer_range, .lower = lower_range, .sizes = sizes_range},
  {.name = "EyeLike", .rows = eye_rows, .nrow = COUNT(eye_rows),
   .infer = infer_eye, .lower = lower_eye},
};
OPS_DEFINE(constant, defs)
