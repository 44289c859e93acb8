/* SPDX-License-Identifier: Apache-2.0 */
/* QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear.
 *
 * A scale is for all, for each index of an axis, or for each block along an
 * axis; QuantSpan says the same by strides. Operands that are neither f32 nor
 * of the quantised type go through f32, which holds all of them but i32. */
#include "ir.h"

static bool per_tensor(const Node *n, const Value *scale)
{
  return scale->rank == 0 ||
         (dim_is(value_numel(scale), 1) && !attr_int(n, "block_size", 0));
}

/* ONNX QuantizeLinear-13: axis 1 by default, also of a vector, whose only axis
 * is then meant. */
static int64_t quant_axis(const Node *n, int rank)
{
  int64_t axis = attr_int(n, "axis", 1);
  return rank == 1 && axis == 1 ? 0 : axis;
}

bool quantize_span(const Node *n, QuantSpan *s)
{
  const Value *x = node_in(n, 0), *scale = node_in(n, 1);
  DimPool *p = node_dims(n);
  const Dim *zero = dim_int(p, 0), *one = dim_int(p, 1);
  *s = (QuantSpan){ one, one, value_numel(x), zero, zero, zero, 1, -1 };
  if (per_tensor(n, scale))
    return true;
  int64_t axis = quant_axis(n, x->rank);
  s->axis = (int)(axis < 0 ? axis + x->rank : axis);
  if (s->axis < 0 || s->axis >= x->rank)
    return false;
  s->outer = dim_prod(p, x->dim, s->axis);
  s->n = x->dim[s->axis];
  s->inner = dim_prod(p, x->dim + s->axis + 1, x->rank - s->axis - 1);
  s->block = attr_int(n, "block_size", 0);
  s->sa = one;
  if (s->block <= 0) {
    s->block = 1;
    return scale->rank == 1;
  }
  if (scale->rank != x->rank)
    return false;
  s->sa = s->inner;
  s->si = one;
  s->so = dim_mul(p, scale->dim[s->axis], s->inner);
  return true;
}

static bool blocks_fit(Node *n, int axis, int64_t block)
{
  const Value *x = n->in[0], *scale = n->in[1];
  DimPool *p = node_dims(n);
  for (int i = 0; i < x->rank; i++) {
    const Dim *want = x->dim[i];
    if (i == axis)
      want = dim_ceil_div(p, want, dim_int(p, block));
    if (!infer_equal(n, scale->dim[i], want,
                     "blocks of the scale and of the input"))
      return false;
  }
  return true;
}

/* The scale's shape against x, and the zero point's against the scale. */
static bool scale_fits(Node *n)
{
  const Value *x = n->in[0], *scale = n->in[1], *zero = node_in(n, 2);
  int64_t block = attr_int(n, "block_size", 0);
  if (zero && !infer_equal(n, value_numel(zero), value_numel(scale),
                           "elements of the zero point and of the scale"))
    return false;
  if (block < 0) {
    fail_model(n, "block_size is %lld (spec: positive)", (long long)block);
    return false;
  }
  if (per_tensor(n, scale))
    return true;
  int axis = axis_norm(n, quant_axis(n, x->rank), x->rank);
  if (axis < 0)
    return false;
  if (scale->rank != (block ? x->rank : 1)) {
    fail_model(n, "scale is rank %d (spec: %d)", scale->rank,
               block ? x->rank : 1);
    return false;
  }
  return block ? blocks_fit(n, axis, block)
               : infer_equal(n, scale->dim[0], x->dim[axis],
                             "elements of the scale and of the input's axis");
}

/* Attribute output_dtype; `dflt` where it does not say. */
static Dtype output_type(Node *n, Dtype dflt, TypeSet allowed)
{
  int64_t t = attr_int(n, "output_dtype", 0);
  if (t == 0)
    return dflt;
  if (t > 0 && t < DT_COUNT && (allowed & DT_BIT(t)))
    return (Dtype)t;
  fail_model(n, "output_dtype %lld is no type of the output", (long long)t);
  return DT_NONE;
}

#define QUANTISED "i8 u8 i16 u16 i4 u4 i2 u2 f8 f4e2m1" /* of opset 25 */
#define QUANTISED28 QUANTISED " f6"

static void infer_quantize(Node *n)
{
  static const char types[] = QUANTISED28;
  const Value *zero = node_in(n, 2);
  if (!infer_ready(n) || !scale_fits(n))
    return;
  Dtype t = output_type(n, zero ? zero->dtype : DT_U8,
                        typeset_parse(types, sizeof types - 1));
  if (t == DT_NONE)
    return;
  if (zero && zero->dtype != t) {
    fail_model(n, "output_dtype is %s, the zero point %s (spec: equal)",
               dtype_info(t)->onnx, dtype_info(zero->dtype)->onnx);
    return;
  }
  infer_out(n, 0, t, n->in[0]->rank, n->in[0]->dim);
}

/* ONNX QuantizeLinear-23: the division is done in the scale's type, unless
 * `precision` says otherwise. */
static int64_t division(const Node *n)
{
  int64_t t = attr_int(n, "precision", 0);
  if (t == 0)
    t = n->in[1]->dtype;
  return t == DT_F16 ? 16 : t == DT_BF16 ? 17 : 32;
}

static void lower_quantize(Lower *l, Node *n)
{
  QuantSpan s;
  Value *y = n->out[0];
  if (!quantize_span(n, &s))
    return;
  lower_call(l, n, "quantize", y->dtype, "iiiodddkdddkk",
             lower_real(l, n, n->in[0], DT_F32),
             lower_real(l, n, n->in[1], DT_F32), node_in(n, 2), y, s.outer,
             s.n, s.inner, s.block, s.so, s.sa, s.si,
             (int64_t)(attr_int(n, "saturate", 1) != 0), division(n));
}

static void infer_dequantize(Node *n)
{
  if (!infer_ready(n) || !scale_fits(n))
    return;
  Dtype t = n->in[1]->dtype;
  if (t == DT_F8E8M0 && !attr_int(n, "output_dtype", 0)) {
    fail_model(n, "a float8e8m0 scale needs output_dtype");
    return;
  }
  t = output_type(n, t, DT_BIT(DT_F32) | DT_BIT(DT_F16) | DT_BIT(DT_BF16));
  if (t != DT_NONE)
    infer_out(n, 0, t, n->in[0]->rank, n->in[0]->dim);
}

static void lower_dequantize(Lower *l, Node *n)
{
  QuantSpan s;
  if (!quantize_span(n, &s))
    return;
  Value *to = lower_real_for(l, n, n->out[0], DT_F32);
  lower_call(l, n, "dequantize", n->in[0]->dtype, "iiiodddkddd", n->in[0],
             lower_real(l, n, n->in[1], DT_F32), node_in(n, 2), to, s.outer,
             s.n, s.inner, s.block, s.so, s.sa, s.si);
  lower_real_to(l, n, to, n->out[0]);
}

/* With a scale for each block, samples along that axis share scales. */
static int axis_quantize(const Node *n, int in, int axis, int out)
{
  QuantSpan s;
  (void)out;
  if (in != 0 || !quantize_span(n, &s))
    return AXIS_MIXES;
  return s.axis == axis ? AXIS_MIXES : axis;
}

static bool permute_quantize(Node *n, const int *perm, int rank)
{
  QuantSpan s;
  if (!quantize_span(n, &s))
    return false;
  if (s.axis < 0)
    return true;
  if (attr_int(n, "block_size", 0))
    return false;
  for (int i = 0; i < rank; i++)
    if (perm[i] == s.axis) {
      attr_set_int(n, "axis", i);
      return true;
    }
  return false;
}

static void infer_dynamic(Node *n)
{
  if (!infer_ready(n))
    return;
  infer_out(n, 0, DT_U8, n->in[0]->rank, n->in[0]->dim);
  infer_out(n, 1, DT_F32, 0, NULL);
  infer_out(n, 2, DT_U8, 0, NULL);
}

static void lower_dynamic(Lower *l, Node *n)
{
  lower_call(l, n, "dynamic_quantize", DT_F32, "ioood", n->in[0], n->out[0],
             n->out[1], n->out[2], value_numel(n->in[0]));
}

static int axis_dynamic(const Node *n, int in, int axis, int out)
{
  (void)n, (void)in, (void)axis, (void)out;
  return AXIS_MIXES; /* the scale is that of all samples together */
}

#define Q10 "x:T y_scale:S y_zero_point:Q? -> y:Q"
#define Q19 "x:T y_scale:T y_zero_point:Q? -> y:Q"
#define D10 "x:Q x_scale:S x_zero_point:Q? -> y:S"
#define D23 "x:Q x_scale:S x_zero_point:Q? -> y:R"
#define Q_ATTRS "axis:i saturate:i block_size:i output_dtype:i"

static const OpRow quantize_rows[] = {
  { 10, Q10, "T=f32 i32; S=f32; Q=i8 u8", "", NULL },
  /* ONNX QuantizeLinear-13: "Ignored for per-tensor quantization" */
  { 13, NULL, NULL, "axis:i", NULL },
  /* ONNX QuantizeLinear-19: "It only applies for float 8 quantization" */
  { 19, Q19, "T=f32 f16 bf16 i32; Q=i8 u8 f8", "axis:i saturate:i", NULL },
  /* ONNX QuantizeLinear-21: "Used only for blocked quantization" */
  { 21, NULL, "T=f32 f16 bf16 i32; Q=i8 u8 f8 i16 u16 i4 u4", Q_ATTRS, NULL },
  /* ONNX QuantizeLinear-23: "If not provided, it will be the same as the type
   * of `y_scale`" */
  { 23, Q10, "T=f32 f16 bf16 i32; S=f32 f16 bf16 i32; "
    "Q=i8 u8 f8 i16 u16 i4 u4 f4e2m1", Q_ATTRS " precision:i", NULL },
  { 24, NULL, "T=f32 f16 bf16 i32; S=f32 f16 bf16 i32 f8e8m0; "
    "Q=i8 u8 f8 i16 u16 i4 u4 f4e2m1", NULL, NULL },
  { 25, NULL, "T=f32 f16 bf16 i32; S=f32 f16 bf16 i32 f8e8m0; Q=" QUANTISED,
    NULL, NULL },
  { 28, NULL, "T=f32 f16 bf16 i32; S=f32 f16 bf16 i32 f8e8m0; Q=" QUANTISED28,
    NULL, NULL },
};
static const OpRow dequantize_rows[] = {
  { 10, D10, "S=f32; Q=i8 u8 i32", "", NULL },
  /* ONNX DequantizeLinear-13: "Ignored for per-tensor quantization" */
  { 13, NULL, NULL, "axis:i", NULL },
  { 19, NULL, "S=f32 f16 bf16; Q=i8 u8 i32 f8", NULL, NULL },
  /* ONNX DequantizeLinear-21: "Used only for blocked quantization" */
  { 21, NULL, "S=f32 f16 bf16; Q=i8 u8 i32 f8 i16 u16 i4 u4",
    "axis:i block_size:i", NULL },
  /* ONNX DequantizeLinear-23: "the output data type is inferred from
   * `x_scale`" */
  { 23, D23, "S=f32 f16 bf16; Q=i8 u8 i32 f8 i16 u16 i4 u4 f4e2m1; "
    "R=f32 f16 bf16", "axis:i block_size:i output_dtype:i", NULL },
  { 24, NULL, "S=f32 f16 bf16 f8e8m0; Q=i8 u8 i32 f8 i16 u16 i4 u4 f4e2m1; "
    "R=f32 f16 bf16", NULL, NULL },
  { 25, NULL, "S=f32 f16 bf16 f8e8m0; Q=i32 " QUANTISED "; R=f32 f16 bf16",
    NULL, NULL },
  { 28, NULL, "S=f32 f16 bf16 f8e8m0; Q=i32 " QUANTISED28 "; R=f32 f16 bf16",
    NULL, NULL },
};
static const OpRow dynamic_rows[] = {
  { 11, "x:F -> y:U y_scale:F y_zero_point:U", "F=f32; U=u8", "", NULL },
};

static const OpDef defs[] = {
  { .name = "QuantizeLinear", .rows = quantize_rows,
    .nrow = COUNT(quantize_rows), .infer = infer_quantize,
    .lower = lower_quantize, .axis = axis_quantize,
    .permute = permute_quantize },
  { .name = "DequantizeLinear", .rows = dequantize_rows,
    .nrow = COUNT(dequantize_rows), .infer = infer_dequantize,
    .lower = lower_dequantize, .axis = axis_quantize,
    .permute = permute_quantize },
  { .name = "DynamicQuantizeLinear", .rows = dynamic_rows,
    .nrow = COUNT(dynamic_rows), .infer = infer_dynamic,
    .lower = lower_dynamic, .axis = axis_dynamic },
};

OPS_DEFINE(quantize, defs)
