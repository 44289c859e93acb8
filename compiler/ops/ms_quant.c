/* SPDX-License-Identifier: Apache-2.0 */
/* The quantised operators of com.microsoft that are operators of ONNX between
 * DequantizeLinear and QuantizeLinear, or around MatMulInteger: the upgrade
 * makes them so as the graph is inferred, and the passes of integers find them
 * there. onnxruntime computes the same in float, or by tables of it; where it
 * multiplies by quotients of scales, a result may differ by one step.
 */
#include "ms_quant.h"

#include <string.h>

Value *ms_dequantised(Node *at, int in)
{
  return node_op(at, "DequantizeLinear", node_in(at, in + 2) ? 3 : 2,
                 at->in[in], at->in[in + 1], node_in(at, in + 2));
}

Value *ms_quantised(Node *at, Value *y, int scale, Dtype t)
{
  Value *zero = node_in(at, scale + 1);
  if (!zero)
    zero = value_const_scalar(at->g, "zero", t, 0);
  return node_op(at, "QuantizeLinear", 3, y, at->in[scale], zero);
}

void ms_becomes(Node *n, Value *y)
{
  value_replace(n->out[0], y);
  node_remove(n);
}

Node *ms_node(Node *at, const char *op, int nin, Value *const *in)
{
  Node *c = node_new(at->g, at, op, nin, 1, at);
  for (int i = 0; i < nin; i++)
    node_set_input(c, i, in[i]);
  node_set_output(c, 0, value_tmp(at->g, op, NULL));
  return c;
}

Value *ms_made(Node *c)
{
  infer_node(c);
  return c->out[0];
}

Value *ms_settled(Value *v)
{
  Node *def = v->def;
  if (def && eval_node(def))
    node_remove(def);
  return v;
}

Value *ms_transposed(Node *at, Value *x, const int64_t *perm)
{
  Node *t = ms_node(at, "Transpose", 1, &x);
  attr_set_ints(t, "perm", perm, x->rank);
  return ms_settled(ms_made(t));
}

Value *ms_moved_channels(Node *at, Value *x, bool first)
{
  int64_t perm[MAX_RANK];
  int r = x->rank;
  for (int i = 0; i < r; i++)
    perm[i] = i == 0 ? 0 : first ? (i == 1 ? r - 1 : i - 1)
                                 : (i == r - 1 ? 1 : i + 1);
  return ms_transposed(at, x, perm);
}

void ms_copy_attrs(Node *to, const Node *from, const char *const *names)
{
  for (; *names; names++) {
    const Attr *a = attr_get(from, *names);
    if (!a)
      continue;
    to->attr = arena_grow(&to->g->m->arena, to->attr, to->nattr, sizeof *a);
    to->attr[to->nattr++] = *a;
  }
}

/* --- Elementwise ---------------------------------------------------------- */

static void binary(Node *n, const char *op)
{
  if (!infer_ready(n))
    return;
  Value *c = node_op(n, op, 2, ms_dequantised(n, 0), ms_dequantised(n, 3));
  ms_becomes(n, ms_quantised(n, c, 6, n->in[0]->dtype));
}

static void upgrade_add(Node *n) { binary(n, "Add"); }
static void upgrade_mul(Node *n) { binary(n, "Mul"); }

static void upgrade_sigmoid(Node *n)
{
  if (infer_ready(n))
    ms_becomes(n, ms_quantised(n, node_op(n, "Sigmoid", 1,
                                          ms_dequantised(n, 0)),
                               3, n->in[0]->dtype));
}

static void upgrade_leaky_relu(Node *n)
{
  if (!infer_ready(n))
    return;
  Value *x = ms_dequantised(n, 0);
  Node *c = ms_node(n, "LeakyRelu", 1, &x);
  attr_set_float(c, "alpha", attr_float(n, "alpha", 0.01f));
  ms_becomes(n, ms_quantised(n, ms_made(c), 3, n->in[0]->dtype));
}

static void upgrade_where(Node *n)
{
  if (!infer_ready(n))
    return;
  Value *z = node_op(n, "Where", 3, n->in[0], ms_dequantised(n, 1),
                     ms_dequantised(n, 4));
  ms_becomes(n, ms_quantised(n, z, 7, n->in[1]->dtype));
}

/* --- Of whole axes -------------------------------------------------------- */

/* `opset` below 13: along all axes from `axis` on. onnxruntime multiplies by
 * the whole part of 1 / y_scale. */
static void upgrade_softmax(Node *n)
{
  if (!infer_ready(n))
    return;
  bool flat = attr_int(n, "opset", 13) < 13;
  int64_t axis = attr_int(n, "axis", -1);
  Value *x = ms_dequantised(n, 0), *shape = NULL;
  if (axis_norm(n, axis, x->rank) < 0)
    return;
  if (flat) {
    shape = node_op(n, "Shape", 1, x);
    Node *f = ms_node(n, "Flatten", 1, &x);
    attr_set_int(f, "axis", axis);
    x = ms_made(f);
    axis = 1;
  }
  Node *s = ms_node(n, "Softmax", 1, &x);
  attr_set_int(s, "axis", axis);
  Value *y = ms_made(s);
  if (flat)
    y = node_op(n, "Reshape", 2, y, shape);
  Value *steps = ms_settled(node_op(n, "Reciprocal", 1, n->in[3]));
  steps = ms_settled(node_op(n, "Floor", 1, steps));
  ms_becomes(n, node_op(n, "QuantizeLinear", 3, node_op(n, "Mul", 2, y, steps),
                        value_const_scalar(n->g, "one", DT_F32, 1), n->in[4]));
}

static void upgrade_reduce_mean(Node *n)
{
  int count = 0;
  const int64_t *axes = attr_ints(n, "axes", &count);
  if (!infer_ready(n))
    return;
  Value *in[] = { ms_dequantised(n, 0),
                  value_const_ints(n->g, "axes", axes, count) };
  Node *c = ms_node(n, "ReduceMean", 2, in);
  attr_set_int(c, "keepdims", attr_int(n, "keepdims", 1));
  ms_becomes(n, ms_quantised(n, ms_made(c), 3, n->in[0]->dtype));
}

static bool byte_or_scale(Dtype t, bool scale)
{
  return scale ? t == DT_F32 : t == DT_I8 || t == DT_U8;
}

static void upgrade_concat(Node *n)
{
  if (!infer_ready(n))
    return;
  if (n->nin < 5 || (n->nin - 2) % 3) {
    fail_model(n, "%d inputs after the zero point (spec: a tensor, its scale "
               "and its zero point, each time)", n->nin - 2);
    return;
  }
  int count = (n->nin - 2) / 3;
  for (int i = 2; i < n->nin; i++)
    if (!byte_or_scale(n->in[i]->dtype, i % 3 == 0)) {
      fail_model(n, "input %d is of type %s (spec: int8 or uint8, and float as "
                 "each scale)", i, dtype_info(n->in[i]->dtype)->onnx);
      return;
    }
  Value **x = NEW(&n->g->m->arena, Value *, count);
  for (int i = 0; i < count; i++)
    x[i] = ms_dequantised(n, 2 + 3 * i);
  Node *c = ms_node(n, "Concat", count, x);
  attr_set_int(c, "axis", attr_int(n, "axis", 0));
  ms_becomes(n, ms_quantised(n, ms_made(c), 0, n->in[1]->dtype));
}

/* --- Windows -------------------------------------------------------------- */

static void pool(Node *n, const char *op)
{
  static const char *const names[] = {
    "auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads",
    "strides", NULL
  };
  if (!infer_ready(n))
    return;
  bool last = attr_int(n, "channels_last", 0) != 0;
  Value *x = ms_dequantised(n, 0);
  if (x->rank < 3) {
    fail_model(n, "X is of rank %d (spec: 3 or more)", x->rank);
    return;
  }
  if (last)
    x = ms_moved_channels(n, x, true);
  Node *c = ms_node(n, op, 1, &x);
  ms_copy_attrs(c, n, names);
  Value *y = ms_made(c);
  if (last)
    y = ms_moved_channels(n, y, false);
  ms_becomes(n, ms_quantised(n, y, 3, n->in[0]->dtype));
}

static void upgrade_average(Node *n) { pool(n, "AveragePool"); }
static void upgrade_global_average(Node *n) { pool(n, "GlobalAveragePool"); }

static void upgrade_conv(Node *n)
{
  static const char *const names[] = {
    "auto_pad", "dilations", "group", "kernel_shape", "pads", "strides", NULL
  };
  if (!infer_ready(n))
    return;
  bool last = attr_int(n, "channels_last", 0) != 0;
  Value **in = NEW(&n->g->m->arena, Value *, n->nin);
  memcpy(in, n->in, (size_t)n->nin * sizeof *in);
  if (last)
    in[0] = ms_moved_channels(n, in[0], true);
  Node *c = ms_node(n, "QLinearConv", n->nin, in);
  ms_copy_attrs(c, n, names);
  Value *y = ms_made(c);
  ms_becomes(n, last ? ms_moved_channels(n, y, false) : y);
}

/* --- The same operator ---------------------------------------------------- */

/* Integers of 4 and 16 bits came to ONNX later. */
static void upgrade_same(Node *n)
{
  n->domain = "";
  n->op = op_find("", n->op_type);
  n->version = n->op->rows[n->op->nrow - 1].since;
}

/* What is left was not ready, and its inputs have been told of. */
static void infer_left(Node *n) { (void)n; }

#define X "X:T X_scale:S X_zero_point:T? "
#define Y "Y_scale:S Y_zero_point:T? -> Y:T"
#define BYTES "T=i8 u8; S=f32"
#define BINARY "A:T A_scale:S A_zero_point:T? B:T B_scale:S B_zero_point:T? " \
  "C_scale:S C_zero_point:T? -> C:T"
#define ONE(id, sig, types, attrs) \
  static const OpRow id##_rows[] = { { 1, sig, types, attrs, upgrade_##id } };

ONE(add, BINARY, BYTES, "")
ONE(mul, BINARY, BYTES, "")
ONE(sigmoid, X Y, BYTES, "")
ONE(leaky_relu, X Y, BYTES, "alpha:f")
ONE(where, "condition:B X:T x_scale:S x_zero_point:T Y:T y_scale:S "
    "y_zero_point:T z_scale:S z_zero_point:T -> Z:T", BYTES "; B=bool", "")
ONE(softmax, "X:T X_scale:S x_zero_point:T? y_scale:S y_zero_point:T -> Y:T",
    BYTES, "axis:i opset:i!")
ONE(reduce_mean, "data:T data_scale:S data_zero_point:T? reduced_scale:S "
    "reduced_zero_point:T? -> reduced:T", BYTES, "axes:I! keepdims:i!")
ONE(concat, "Y_scale:S Y_zero_point:T inputs:*... -> Y:T", BYTES, "axis:i!")
ONE(average, "X:T x_scale:S x_zero_point:T? y_scale:S y_zero_point:T? -> Y:T",
    BYTES, "auto_pad:s ceil_mode:i channels_last:i count_include_pad:i "
    "kernel_shape:I! pads:I strides:I")
ONE(global_average, "X:T x_scale:S x_zero_point:T y_scale:S y_zero_point:T "
    "-> Y:T", BYTES, "channels_last:i")
ONE(conv, "x:X x_scale:F x_zero_point:X w:W w_scale:F w_zero_point:W "
    "y_scale:F y_zero_point:Y B:B? -> y:Y",
    "X=i8 u8; W=i8 u8; Y=i8 u8; B=i32; F=f32", "auto_pad:s channels_last:i "
    "dilations:I group:i kernel_shape:I pads:I strides:I")
static const OpRow quantize_rows[] = {
  { 1, "x:T y_scale:T y_zero_point:Q? -> y:Q",
    "T=f32 f16; Q=i8 u8 i16 u16 i4 u4", "axis:i", upgrade_same },
};
static const OpRow dequantize_rows[] = {
  { 1, "x:Q x_scale:T x_zero_point:Q? -> y:T",
    "T=f32 f16; Q=i8 u8 i16 u16 i32 i4 u4", "axis:i", upgrade_same },
};

#define OP(op, id) \
  { .name = op, .domain = "com.microsoft", .rows = id##_rows, \
    .nrow = COUNT(id##_rows), .infer = infer_left }
static const OpDef defs[] = {
  OP("QLinearAdd", add),
  OP("QLinearMul", mul),
  OP("QLinearSigmoid", sigmoid),
  OP("QLinearLeakyRelu", leaky_relu),
  OP("QLinearWhere", where),
  OP("QLinearSoftmax", softmax),
  OP("QLinearReduceMean", reduce_mean),
  OP("QLinearConcat", concat),
  OP("QLinearAveragePool", average),
  OP("QLinearGlobalAveragePool", global_average),
  OP("QLinearConv", conv),
  OP("QuantizeLinear", quantize),
  OP("DequantizeLinear", dequantize),
};
OPS_DEFINE(ms_quant, defs)
