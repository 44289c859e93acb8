/* SPDX-License-Identifier: Apache-2.0 */
/* Products of com.microsoft by matrices of bytes: MatMulIntegerToFloat,
 * DynamicQuantizeMatMul and QGemm. They become MatMulInteger and the scales
 * behind it; see ms_quant.c.
 */
#include "ms_quant.h"

Value *ms_scaled(Node *n, Value *a, Value *b, Value *az, Value *bz, Value *sa,
                 Value *sb, Value *bias)
{
  Value *scale = ms_settled(node_op(n, "Mul", 2, sa, sb));
  Value *sum = node_op(n, "MatMulInteger", 4, a, b, az, bz);
  Value *y = node_op(n, "Mul", 2, node_op(n, "CastLike", 2, sum, scale), scale);
  return bias ? node_op(n, "Add", 2, y, bias) : y;
}

static void upgrade_to_float(Node *n)
{
  if (infer_ready(n))
    ms_becomes(n, ms_scaled(n, n->in[0], n->in[1], node_in(n, 4),
                            node_in(n, 5), n->in[2], n->in[3], node_in(n, 6)));
}

static void upgrade_dynamic(Node *n)
{
  if (!infer_ready(n))
    return;
  Node *q = node_new(n->g, n, "DynamicQuantizeLinear", 1, 3, n);
  node_set_input(q, 0, n->in[0]);
  for (int i = 0; i < 3; i++)
    node_set_output(q, i, value_tmp(n->g, n->in[0]->name, NULL));
  infer_node(q);
  ms_becomes(n, ms_scaled(n, q->out[0], n->in[1], q->out[2], node_in(n, 3),
                          q->out[1], n->in[2], node_in(n, 4)));
}

/* --- QGemm ---------------------------------------------------------------- */

static Value *operand(Node *n, int in, const char *trans)
{
  static const int64_t perm[] = { 1, 0 };
  return attr_int(n, trans, 0) ? ms_transposed(n, n->in[in], perm) : n->in[in];
}

/* round(sum * (alpha a_scale b_scale / y_scale)) + y_zp, or in float. */
static void upgrade_gemm(Node *n)
{
  enum { A, A_SCALE, A_ZERO, B, B_SCALE, B_ZERO, C, Y_SCALE, Y_ZERO };
  Graph *g = n->g;
  if (!infer_ready(n))
    return;
  if (n->in[A]->rank != 2 || n->in[B]->rank != 2) {
    fail_model(n, "A is of rank %d, B of rank %d (spec: 2)", n->in[A]->rank,
               n->in[B]->rank);
    return;
  }
  Value *sum = node_op(n, "MatMulInteger", 4, operand(n, A, "transA"),
                       operand(n, B, "transB"), n->in[A_ZERO], n->in[B_ZERO]);
  if (node_in(n, C))
    sum = node_op(n, "Add", 2, sum, n->in[C]);
  double alpha = (double)attr_float(n, "alpha", 1);
  Value *s = ms_settled(node_op(n, "Mul", 2, n->in[A_SCALE], n->in[B_SCALE]));
  s = ms_settled(node_op(n, "Mul", 2, s, value_const_scalar(g, "alpha", DT_F32,
                                                            alpha)));
  Value *zero = node_in(n, Y_ZERO);
  if (node_in(n, Y_SCALE))
    s = ms_settled(node_op(n, "Div", 2, s, n->in[Y_SCALE]));
  Value *y = node_op(n, "Mul", 2, node_op(n, "CastLike", 2, sum, s), s);
  if (!zero)
    zero = value_const_scalar(g, "zero", n->in[A]->dtype, 0);
  if (node_in(n, Y_SCALE))
    y = node_op(n, "QuantizeLinear", 3, y,
                value_const_scalar(g, "one", DT_F32, 1), zero);
  ms_becomes(n, y);
}

/* What is left was not ready, and its inputs have been told of. */
static void infer_left(Node *n) { (void)n; }

static const OpRow to_float_rows[] = {
  { 1, "A:X B:W a_scale:F b_scale:F a_zero_point:X? b_zero_point:W? bias:F? "
    "-> Y:F", "X=i8 u8; W=i8 u8; F=f32 f16", "", upgrade_to_float },
};
static const OpRow dynamic_rows[] = {
  { 1, "A:F B:W b_scale:F b_zero_point:W? bias:F? -> Y:F", "W=i8 u8; F=f32", "",
    upgrade_dynamic },
};
static const OpRow gemm_rows[] = {
  { 1, "A:X a_scale:F a_zero_point:X B:W b_scale:F b_zero_point:W C:C? "
    "y_scale:F? y_zero_point:Z? -> Y:Y",
    "X=i8 u8; W=i8 u8; C=i32; F=f32; Z=i8 u8; Y=f32 i8 u8",
    "alpha:f transA:i transB:i", upgrade_gemm },
};
#define OP(op, its) \
  { .name = op, .domain = "com.microsoft", .rows = its, .nrow = COUNT(its), \
    .infer = infer_left }
static const OpDef defs[] = {
  OP("MatMulIntegerToFloat", to_float_rows),
  OP("DynamicQuantizeMatMul", dynamic_rows),
  OP("QGemm", gemm_rows),
};
OPS_DEFINE(ms_qproduct, defs)
