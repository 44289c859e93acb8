/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that only passes make, in the domain "o2c".
 *
 *   Copy       y = x, as a tensor of its own
 *   Transfer   y = x, to or from a GPU's memory, or the caller's
 *   Sizes, FindSizes, TakeSizes   of the node behind them, which a GPU runs:
 *              codegen/device_sizes.c
 *   FusedConv  clamp(Conv(X, W, B) + R, lo, hi), channels last, f32: what a
 *              provider's convolution kernel does in one go. R may be absent.
 *              Half types, here and in FusedGemm: on a GPU only
 *   FusedGemm  clamp(x W + B + R, lo, hi): x [M, K] or [.., M, K], W [K, N], or
 *              [N, K] with transB
 *   QConv      the same on bytes: X u8, W s8, B i32 (with -x_zp sum(w)), S f32,
 *              one for each filter: clamp(round(sum S) + y_zp, lo, hi) as u8,
 *              or sum S as f32, or sum as i32, by the type of Y
 *   QGemm      a product of that kind: X [.., K], W [N, K]
 *   QAveragePool  round(scale / count * sum(x - x_zp)) + y_zp
 * They come after the passes that look into operators, and a provider that
 * has no kernel for them never gets them: the fusing pass asks first.
 */
#include "../ir.h"

static void infer_like_first(Node *n) { infer_same(n, 0, 0); }

/* The pass that makes the node sets the type and shape of its output. */
static void infer_given(Node *n) { (void)n; }

static void lower_copy_node(Lower *l, Node *n)
{
  const Dim *one = dim_int(node_dims(n), 1);
  Block b = { .rank = 1, .xs = { one }, .ys = { one } };
  b.dim[0] = value_numel(n->out[0]);
  lower_block(l, n, n->in[0], n->out[0], &b);
}

static int axis_same(const Node *n, int in, int axis, int out)
{
  (void)n, (void)in, (void)out;
  return axis;
}

static int axis_fused_conv(const Node *n, int in, int axis, int out)
{
  return in == 3 ? axis : geometry_axis(n, in, axis, out);
}

static int axis_fused_gemm(const Node *n, int in, int axis, int out)
{
  (void)out;
  const Value *x = n->in[in];
  return (in == 0 || in == 3) && axis + 1 < x->rank ? axis : AXIS_MIXES;
}

static const OpRow copy_rows[] = { { 1, "x:* -> y:*", "", "", NULL } };
static const OpRow conv_rows[] = {
  { 1, "X:T W:T B:T? R:T? -> Y:T", "T=f32 f16 bf16",
    "auto_pad:s dilations:I group:i kernel_shape:I pads:I strides:I "
    "channels_last:i lo:f hi:f", NULL }
};
static const OpRow gemm_rows[] = {
  { 1, "X:T W:T B:T? R:T? -> Y:T", "T=f32 f16 bf16",
    "transB:i lo:f hi:f", NULL }
};

static int axis_rows(const Node *n, int in, int axis, int out)
{
  (void)out;
  return in == 0 && axis + 1 < n->in[0]->rank ? axis : AXIS_MIXES;
}

static const OpRow qconv_rows[] = {
  { 1, "X:T W:U B:I S:F -> Y:V", "T=u8; U=i8; I=i32; F=f32; V=u8 i32 f32",
    "auto_pad:s dilations:I group:i kernel_shape:I pads:I strides:I "
    "channels_last:i x_zp:i y_zp:i lo:i hi:i", NULL }
};
static const OpRow qgemm_rows[] = {
  { 1, "X:T W:U B:I S:F -> Y:V", "T=u8; U=i8; I=i32; F=f32; V=u8 i32 f32",
    "alpha:f beta:f transA:i transB:i x_zp:i y_zp:i lo:i hi:i", NULL }
};
static const OpRow qpool_rows[] = {
  { 1, "X:T -> Y:T", "T=u8",
    "auto_pad:s ceil_mode:i count_include_pad:i dilations:I kernel_shape:I "
    "pads:I strides:I channels_last:i global:i x_zp:i y_zp:i scale:f", NULL }
};

static const OpRow sizes_rows[] = {
  { 1, "x:*... ->", "", "", NULL }
};

static const OpDef defs[] = {
  { .name = "QConv", .domain = "o2c", .rows = qconv_rows, .nrow = 1,
    .infer = infer_given, .axis = geometry_axis, .flags = OP_INTERNAL },
  { .name = "QGemm", .domain = "o2c", .rows = qgemm_rows, .nrow = 1,
    .infer = infer_given, .axis = axis_rows, .flags = OP_INTERNAL },
  { .name = "QAveragePool", .domain = "o2c", .rows = qpool_rows, .nrow = 1,
    .infer = infer_given, .axis = geometry_axis, .flags = OP_INTERNAL },
  { .name = "Copy", .domain = "o2c", .rows = copy_rows, .nrow = 1,
    .infer = infer_like_first, .lower = lower_copy_node, .axis = axis_same,
    .flags = OP_INTERNAL | OP_MOVES },
  { .name = "Transfer", .domain = "o2c", .rows = copy_rows, .nrow = 1,
    .infer = infer_like_first, .lower = lower_copy_node, .axis = axis_same,
    .flags = OP_INTERNAL | OP_MOVES },
  { .name = "Sizes", .domain = "o2c", .rows = sizes_rows, .nrow = 1,
    .infer = infer_given, .flags = OP_INTERNAL },
  { .name = "FindSizes", .domain = "o2c", .rows = sizes_rows, .nrow = 1,
    .infer = infer_given, .flags = OP_INTERNAL },
  { .name = "TakeSizes", .domain = "o2c", .rows = sizes_rows, .nrow = 1,
    .infer = infer_given, .flags = OP_INTERNAL },
  { .name = "FusedConv", .domain = "o2c", .rows = conv_rows, .nrow = 1,
    .infer = infer_given, .axis = axis_fused_conv, .flags = OP_INTERNAL },
  { .name = "FusedGemm", .domain = "o2c", .rows = gemm_rows, .nrow = 1,
    .infer = infer_given, .axis = axis_fused_gemm, .flags = OP_INTERNAL },
};
OPS_DEFINE(internal, defs)
