/* SPDX-License-Identifier: Apache-2.0 */
/* Products of com.microsoft by quantised matrices: MatMulIntegerToFloat,
 * DynamicQuantizeMatMul, QGemm and MatMulNBits. The first three become
 * MatMulInteger and the scales behind it; see ms_quant.c. MatMulNBits, whose
 * weights are of few bits in blocks, computes in float: its matrix is unpacked
 * here, and the product is a MatMul.
 */
#include "ms_quant.h"

#include <math.h>
#include <string.h>

/* a b, scaled by sa and sb, plus a bias; the zero points may be NULL. */
static Value *scaled(Node *n, Value *a, Value *b, Value *az, Value *bz,
                     Value *sa, Value *sb, Value *bias)
{
  Value *scale = ms_settled(node_op(n, "Mul", 2, sa, sb));
  Value *sum = node_op(n, "MatMulInteger", 4, a, b, az, bz);
  Value *y = node_op(n, "Mul", 2, node_op(n, "CastLike", 2, sum, scale), scale);
  return bias ? node_op(n, "Add", 2, y, bias) : y;
}

static void upgrade_to_float(Node *n)
{
  if (infer_ready(n))
    ms_becomes(n, scaled(n, n->in[0], n->in[1], node_in(n, 4), node_in(n, 5),
                         n->in[2], n->in[3], node_in(n, 6)));
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
  ms_becomes(n, scaled(n, q->out[0], n->in[1], q->out[2], node_in(n, 3),
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

/* --- MatMulNBits ---------------------------------------------------------- */

typedef struct {
  int64_t n, k, bits, block, blocks; /* blocks of a column */
  const Tensor *b, *scale, *zero, *group;
} NBits;

/* Number i of those that begin at byte `from`, the lowest bits first. */
static int packed(const Tensor *t, int64_t from, int64_t i, int64_t bits)
{
  const uint8_t *p = t->data;
  int64_t per = 8 / bits;
  return p[from + i / per] >> (i % per * bits) & ((1 << bits) - 1);
}

static bool constants(Node *n, NBits *q)
{
  const Value *zero = node_in(n, 3), *group = node_in(n, 4);
  q->b = const_input(n, 1);
  q->scale = const_input(n, 2);
  q->zero = zero ? zero->data : NULL;
  q->group = group ? group->data : NULL;
  if (q->b && q->scale && (!zero || q->zero) && (!group || q->group))
    return true;
  fail_unsupported(n, "its weights are only known at run time; make them "
                   "constants");
  return false;
}

static bool fits(Node *n, const Tensor *t, int64_t elements, const char *what)
{
  if (!t || t->n == elements)
    return true;
  fail_model(n, "%s has %lld elements (spec: %lld)", what, (long long)t->n,
             (long long)elements);
  return false;
}

static bool read_nbits(Node *n, NBits *q)
{
  q->n = attr_int(n, "N", 0);
  q->k = attr_int(n, "K", 0);
  q->bits = attr_int(n, "bits", 4);
  q->block = attr_int(n, "block_size", 0);
  if (q->n < 1 || q->k < 1 || q->block < 8 ||
      (q->bits != 2 && q->bits != 4 && q->bits != 8)) {
    fail_model(n, "N, K, block_size or bits is none (spec: bits 2, 4 or 8)");
    return false;
  }
  if (!constants(n, q))
    return false;
  q->blocks = (q->k + q->block - 1) / q->block;
  bool bytes = q->zero && q->zero->dtype == DT_U8;
  int64_t row = bytes ? (q->blocks * q->bits + 7) / 8 : q->blocks;
  return fits(n, q->b, q->n * q->blocks * (q->block * q->bits / 8), "B") &&
         fits(n, q->scale, q->n * q->blocks, "scales") &&
         fits(n, q->zero, q->n * row, "zero_points") &&
         fits(n, q->group, q->k, "g_idx");
}

/* Element (k, column), in float as onnxruntime has it. */
static float unpacked(const NBits *q, int64_t k, int64_t column)
{
  int64_t block = q->group ? tensor_i64(q->group, k) : k / q->block;
  int64_t of = column * q->blocks + block;
  float zero = (float)(1 << (q->bits - 1));
  if (q->zero && q->zero->dtype == DT_U8)
    zero = (float)packed(q->zero, column * ((q->blocks * q->bits + 7) / 8),
                         block, q->bits);
  else if (q->zero)
    zero = (float)tensor_f64(q->zero, of);
  int64_t bytes = q->block * q->bits / 8;
  int v = packed(q->b, (column * q->blocks + k / q->block) * bytes,
                 k % q->block, q->bits);
  return ((float)v - zero) * (float)tensor_f64(q->scale, of);
}

static bool groups_ok(Node *n, const NBits *q)
{
  for (int64_t k = 0; q->group && k < q->k; k++) {
    int64_t v = tensor_i64(q->group, k);
    if (v < 0 || v >= q->blocks) {
      fail_model(n, "g_idx holds %lld (spec: 0 to %lld)", (long long)v,
                 (long long)q->blocks - 1);
      return false;
    }
  }
  return true;
}

static void upgrade_nbits(Node *n)
{
  NBits q;
  if (!infer_ready(n) || !read_nbits(n, &q) || !groups_ok(n, &q))
    return;
  int64_t dim[] = { q.k, q.n };
  Tensor *t = tensor_new(&n->g->m->arena, n->in[0]->dtype, 2, dim);
  for (int64_t k = 0; k < q.k; k++)
    for (int64_t c = 0; c < q.n; c++)
      tensor_set_f64(t, k * q.n + c, (double)unpacked(&q, k, c));
  Value *y = node_op(n, "MatMul", 2, n->in[0],
                     value_const(n->g, n->in[1]->name, t));
  Value *bias = node_in(n, 5);
  ms_becomes(n, bias ? node_op(n, "Add", 2, y, bias) : y);
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
static const OpRow nbits_rows[] = {
  { 1, "A:T B:B scales:T zero_points:Z? g_idx:I? bias:T? -> Y:T",
    "T=f32 f16 bf16; B=u8; Z=u8 f32 f16 bf16; I=i32", "K:i! N:i! "
    "accuracy_level:i bits:i block_size:i! weight_prepacked:i",
    upgrade_nbits },
};

#define OP(op, its) \
  { .name = op, .domain = "com.microsoft", .rows = its, .nrow = COUNT(its), \
    .infer = infer_left }
static const OpDef defs[] = {
  OP("MatMulIntegerToFloat", to_float_rows),
  OP("DynamicQuantizeMatMul", dynamic_rows),
  OP("QGemm", gemm_rows),
  OP("MatMulNBits", nbits_rows),
};
OPS_DEFINE(ms_qproduct, defs)
