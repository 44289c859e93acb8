/* SPDX-License-Identifier: Apache-2.0 */
/* Products and windows that onnxruntime fuses with what is around them:
 * FusedMatMul (transposes, alpha), FusedGemm and FusedConv (an activation; a
 * sum before it), NhwcMaxPool, and ConvTransposeWithDynamicPads. */
#include "../ir.h"
#include <string.h>

/* transBatch: [M, batch.., K] is meant as [batch.., M, K]. */
static Value *operand(Node *n, int in, bool swap, bool batch)
{
  Value *x = n->in[in];
  int64_t perm[MAX_RANK];
  int r = x->rank;
  if (r < 2) return x;
  for (int i = 0; i < r; i++) perm[i] = i;
  for (int i = 0; batch && i + 2 < r; i++) perm[i] = i + 1;
  if (batch) perm[r - 2] = 0;
  if (swap) {
    int64_t row = perm[r - 2];
    perm[r - 2] = perm[r - 1];
    perm[r - 1] = row;
  }
  return contrib_transpose(n, x, perm);
}

/* Functions of an activation, with the attributes of its ONNX operator, their
 * parameters in the order of alpha, beta, gamma. */
static const struct {
  const char *name, *attr[2];
} activations[] = {
  {"Relu", {NULL}}, {"Tanh", {NULL}}, {"Sigmoid", {NULL}},
  {"LeakyRelu", {"alpha"}}, {"HardSigmoid", {"alpha", "beta"}},
  {"Elu", {"alpha"}}, {"Selu", {"alpha", "gamma"}}, {"Softplus", {NULL}},
  {"Softsign", {NULL}}, {"ThresholdedRelu", {"alpha"}}, {"HardSwish", {NULL}},
};

static Value *clip(Node *n, Value *x, const float *par, int count)
{
  Value *lo = contrib_number(n, x->dtype, count > 0 ? (double)par[0] : 0);
  Value *hi = contrib_number(n, x->dtype, count > 1 ? (double)par[1] : 0);
  if (count == 2) return node_op(n, "Clip", 3, x, lo, hi);
  fail_model(n, "activation_params has %d numbers (spec: two for Clip)", count);
  return NULL;
}

/* NULL after a diagnostic. */
static Value *activated(Node *n, Value *x, const float *par, int count)
{
  const char *name = attr_str(n, "activation", "");
  if (!*name) return x;
  if (!strcmp(name, "Clip")) return clip(n, x, par, count);
  for (int i = 0; i < COUNT(activations); i++) {
    if (strcmp(name, activations[i].name)) continue;
    Node *a = contrib_node(n, name, 1, x);
    for (int k = 0; k < 2 && activations[i].attr[k] && k < count; k++)
      attr_set_float(a, activations[i].attr[k], par[k]);
    return contrib_out(a);
  }
  fail_unsupported(n, "activation %s is not supported",
                   quote(&n->g->m->arena, name));
  return NULL;
}

static void finish(Node *n, Value *y)
{
  if (!y) return;
  contrib_give(n, 0, y);
  node_remove(n);
}

static Value *scaled(Node *n, Value *y)
{
  const Attr *alpha = attr_get(n, "alpha");
  if (!alpha || alpha->f == 1 || y->bad) return y;
  return node_op(n, "Mul", 2, y,
                 contrib_number(n, y->dtype, (double)alpha->f));
}

static Value *matmul(Node *n)
{
  Value *a = operand(n, 0, attr_int(n, "transA", 0) != 0,
                     attr_int(n, "transBatchA", 0) != 0);
  Value *b = operand(n, 1, attr_int(n, "transB", 0) != 0,
                     attr_int(n, "transBatchB", 0) != 0);
  return scaled(n, node_op(n, "MatMul", 2, a, b));
}

static void upgrade_matmul(Node *n)
{
  if (contrib_ready(n)) finish(n, matmul(n));
}

/* activation_alpha .. are given where the function has them. */
static int scalar_params(const Node *n, float par[2])
{
  const char *name = attr_str(n, "activation", "");
  int count = 0;
  for (int i = 0; i < COUNT(activations); i++)
    for (int k = 0; !strcmp(name, activations[i].name) && k < 2; k++) {
      const char *attr = activations[i].attr[k];
      const Attr *a = !attr ? NULL : attr_get(
        n, arena_printf(&n->g->m->arena, "activation_%s", attr));
      if (a && count == k) par[count++] = a->f;
    }
  return count;
}

static void upgrade_matmul_act(Node *n)
{
  float par[2];
  if (!contrib_ready(n)) return;
  finish(n, activated(n, matmul(n), par, scalar_params(n, par)));
}

static void upgrade_gemm(Node *n)
{
  static const char *const ints[] = {"transA", "transB"};
  static const char *const floats[] = {"alpha", "beta"};
  float par[2];
  if (!contrib_ready(n)) return;
  Node *a = contrib_node(n, "Gemm", node_in(n, 2) ? 3 : 2, n->in[0], n->in[1],
                         node_in(n, 2));
  for (int i = 0; i < 2; i++) {
    attr_set_int(a, ints[i], attr_int(n, ints[i], 0) != 0);
    attr_set_float(a, floats[i], attr_float(n, floats[i], 1));
  }
  finish(n, activated(n, contrib_out(a), par, scalar_params(n, par)));
}

/* The attributes of a window that both operators have. */
static void copy_window(const Node *n, Node *a)
{
  static const char *const names[] = {
    "auto_pad", "dilations", "group", "kernel_shape", "pads", "strides",
    "output_padding", "ceil_mode"
  };
  for (int i = 0; i < COUNT(names); i++) {
    const Attr *from = attr_get(n, names[i]);
    if (!from) continue;
    if (from->type == AT_INT)
      attr_set_int(a, names[i], from->i);
    else if (from->type == AT_STR)
      attr_set_str(a, names[i], attr_str(n, names[i], ""));
    else
      attr_set_ints(a, names[i], from->ints, from->n);
  }
}

static void upgrade_conv(Node *n)
{
  const Attr *par = attr_get(n, "activation_params");
  if (!contrib_ready(n)) return;
  Value *bias = node_in(n, 2), *z = node_in(n, 3);
  Node *a = contrib_node(n, "Conv", bias ? 3 : 2, n->in[0], n->in[1], bias);
  copy_window(n, a);
  Value *y = contrib_out(a);
  if (z && !y->bad) y = node_op(n, "Add", 2, y, z);
  finish(n, activated(n, y, par ? par->floats : NULL, par ? par->n : 0));
}

static void upgrade_pool(Node *n)
{
  int64_t there[MAX_RANK], back[MAX_RANK];
  if (!contrib_ready(n) || !contrib_rank(n, 0, 3, MAX_RANK)) return;
  int r = n->in[0]->rank;
  for (int i = 0; i < r; i++) {
    there[i] = i < 2 ? i * (r - 1) : i - 1;
    back[i] = i == 0 ? 0 : i == r - 1 ? 1 : i + 1;
  }
  Node *a = contrib_node(n, "MaxPool", 1,
                         contrib_transpose(n, n->in[0], there));
  copy_window(n, a);
  Value *y = contrib_out(a);
  if (!y->bad) finish(n, contrib_transpose(n, y, back));
}

static void upgrade_conv_transpose(Node *n)
{
  const int64_t *pads = NULL;
  int count = 0;
  if (!contrib_ready(n)) return;
  Value *bias = node_in(n, 3);
  if (node_in(n, 2) && !infer_const_ints(n, 2, &pads, &count)) {
    fail_unsupported(n, "Pads is computed from the data at run time; make it "
                     "a constant");
    return;
  }
  Node *a = contrib_node(n, "ConvTranspose", bias ? 3 : 2, n->in[0], n->in[1],
                         bias);
  copy_window(n, a);
  if (pads) attr_set_ints(a, "pads", pads, count);
  finish(n, contrib_out(a));
}

#define FLOATS "T=float"
#define WINDOW "auto_pad:s dilations:I kernel_shape:I strides:I group:i "
#define TRANS "alpha:f transA:i transB:i "
#define BATCH TRANS "transBatchA:i transBatchB:i "
#define SCALARS \
  "activation_alpha:f activation_beta:f activation_gamma:f "
static const OpRow matmul_rows[] = {
  { 1, "A:T B:T -> Y:T", "T=float bf16", BATCH, upgrade_matmul },
};
static const OpRow transpose_rows[] = {
  { 1, "A:T B:T -> Y:T", "T=float bf16", TRANS, upgrade_matmul },
};
static const OpRow matmul_act_rows[] = {
  { 1, "A:T B:T -> Y:T", "T=float bf16",
    BATCH SCALARS "activation:s! activation_axis:i", upgrade_matmul_act },
};
static const OpRow gemm_rows[] = {
  { 1, "A:T B:T C:T? -> Y:T", "T=num32", TRANS SCALARS "beta:f activation:s",
    upgrade_gemm },
};
static const OpRow conv_rows[] = {
  { 1, "X:T W:T B:T? Z:T? -> Y:T", FLOATS,
    WINDOW "pads:I activation:s activation_params:F", upgrade_conv },
};
static const OpRow pool_rows[] = {
  { 1, "x:T -> y:T", "T=i8 u8", "auto_pad:s ceil_mode:i dilations:I "
    "kernel_shape:I! pads:I strides:I", upgrade_pool },
};
static const OpRow conv_transpose_rows[] = {
  { 1, "X:T W:T Pads:i64? B:T? -> Y:T", FLOATS, WINDOW "output_padding:I",
    upgrade_conv_transpose },
};

#define MS(op, list) \
  { .name = op, .domain = "com.microsoft", .rows = list, .nrow = COUNT(list) }
static const OpDef defs[] = {
  MS("FusedMatMul", matmul_rows), MS("TransposeMatMul", transpose_rows),
  MS("FusedMatMulActivation", matmul_act_rows), MS("FusedGemm", gemm_rows),
  MS("FusedConv", conv_rows), MS("NhwcMaxPool", pool_rows),
  MS("ConvTransposeWithDynamicPads", conv_transpose_rows),
};
OPS_DEFINE(ms_product, defs)
