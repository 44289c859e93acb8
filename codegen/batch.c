/* SPDX-License-Identifier: Apache-2.0 */
/* The batch law: can the graph run over blocks of rows of its batch symbol?
 *
 * The batch symbol is the leading dimension of an input. The graph separates
 * along it when every value either does not depend on it, or has it as the
 * outermost factor of axis 0 only, and every node keeps the slices of that
 * axis apart (the operator's axis hook). Then the program runs blocks of rows,
 * and its workspace does not grow with the batch: one row at a time where
 * convolutions keep their maps in cache, several where a product's weights
 * should be read once for many rows, or many light steps shared by them, fewer
 * where each has many rows itself.
 * Each row's bits are the same either way.
 */
#include "target.h"

#include <string.h>

/* Rows per block of a network of matrix products: one where the weights stay
 * in the first-level cache, so that each step is a loop of literal sizes; few
 * where they stay in the second level, else a multiple of the row tiles of
 * every instruction set, and small enough that the rows stay there. */
#define FEW_ROWS 8
#define MANY_ROWS 56
#define DEVICE_ROWS 64 /* on a GPU, which has its own arena for them */
#define TREE_ROWS 256 /* a forest is read once for them */
#define NEAR_BYTES (32 << 10)
#define CACHE_BYTES (2 << 20)
#define LIGHT_BYTES (128 << 10) /* of what the light steps of a block make */

static bool has_batch(const Plan *p, const Value *v)
{
  return value_has(v, p->batch);
}

/* Axis 0 is a multiple of the batch, and no other axis knows it. */
static bool leading_only(Plan *p, const Value *v)
{
  DimPool *d = &p->m->dims;
  for (int k = 1; k < v->rank; k++)
    if (dim_has(d, v->dim[k], p->batch))
      return false;
  const Dim *per_row = dim_div_exact(d, v->dim[0], dim_sym(d, p->batch));
  return per_row && !dim_has(d, per_row, p->batch);
}

static bool node_separates(Plan *p, const Node *n)
{
  if (node_shape_only(n))
    return true;
  bool reads = false;
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    if (content_has(v, p->batch) && !node_reads_shape(n))
      return false;
    if (!has_batch(p, v))
      continue;
    reads = true;
    if (!leading_only(p, v))
      return false;
    for (int o = 0; o < n->nout; o++)
      if (n->out[o] && (node_axis(n, i, 0, o) != 0 || !has_batch(p, n->out[o])))
        return false;
  }
  for (int o = 0; o < n->nout; o++) {
    if (!n->out[o] || !has_batch(p, n->out[o]))
      continue;
    bool made = node_is(n, "Expand") || node_is(n, "ConstantOfShape");
    if (!leading_only(p, n->out[o]) || (!reads && !made))
      return false;
  }
  return true;
}

static int find_batch(const Plan *p)
{
  for (int i = 0; i < p->g->nin; i++) {
    const Value *v = p->g->in[i];
    for (int s = 0; v->rank > 0 && s < p->m->dims.nsym; s++)
      if (p->m->dims.sym[s].kind == SYM_ARG &&
          v->dim[0] == dim_sym(&p->m->dims, s))
        return s;
  }
  return -1;
}

/* Has the graph a node of one of these names, of ONNX's or our own? */
static bool has_node(const Plan *p, const char *const *name, int count)
{
  for (const Node *n = p->g->first; n; n = n->next)
    for (int i = 0; i < count; i++)
      if (!strcmp(n->op_type, name[i]))
        return true;
  return false;
}

/* What all rows read alike: constants, and operands without the batch. */
static int64_t shared_bytes(const Plan *p)
{
  int64_t sum = 0, count;
  for (const Node *n = p->g->first; n; n = n->next)
    for (int i = 0; i < n->nin; i++) {
      const Value *v = n->in[i];
      if (v && v->kind == VK_TENSOR && v->rank >= 0 && !has_batch(p, v))
        sum += dim_is_int(value_numel(v), &count)
          ? count * dtype_info(v->dtype)->size : NEAR_BYTES + 1;
    }
  return sum;
}

static bool is_product(const Node *n)
{
  return node_is(n, "Gemm") || node_is(n, "MatMul") ||
         node_is_internal(n, "FusedGemm") || node_is_internal(n, "QGemm") ||
         node_is_internal(n, "Distance");
}

/* Of a row, such a step takes hardly longer than its call. */
static bool is_light(const Node *n)
{
  static const char *const name[] = {
    "ArgMax", "ArgMin", "CumSum", "Gather", "GatherElements", "LogSoftmax",
    "Lookup", "OneHot", "Softmax", "SvcScores", "SvcShares", "SvcVotes",
    "SvrScores", "TopK",
  };
  for (int i = 0; i < COUNT(name); i++)
    if (!strcmp(n->op_type, name[i]))
      return true;
  return n->op->flags & (OP_ELEMENTWISE | OP_MOVES) ||
         !strncmp(n->op_type, "Reduce", 6);
}

/* Bytes of what n makes for one row; more than LIGHT_BYTES where the run alone
 * tells. */
static int64_t row_bytes(const Plan *p, const Node *n)
{
  DimPool *d = &p->m->dims;
  int64_t sum = 0, count;
  for (int i = 0; i < n->nout; i++) {
    const Value *v = n->out[i];
    if (!v || !has_batch(p, v))
      continue;
    const Dim *one = dim_subst(d, value_numel(v), p->batch, dim_int(d, 1));
    sum += dim_is_int(one, &count) ? count * dtype_info(v->dtype)->size
                                   : LIGHT_BYTES + 1;
  }
  return sum;
}

/* Rows that share the calls of many light steps, as pipelines of scikit-learn
 * have them; 1 where products, or steps of other kinds, decide. */
static int light_rows(const Plan *p)
{
  int products = 0, light = 0;
  int64_t bytes = 1;
  for (const Node *n = p->g->first; n && bytes <= LIGHT_BYTES; n = n->next) {
    if (!n->nout || !n->out[0] || !has_batch(p, n->out[0]) || op_is_view(n))
      continue;
    if (!n->op || (!is_product(n) && !is_light(n)))
      return 1;
    products += is_product(n);
    light += is_light(n);
    bytes += row_bytes(p, n);
  }
  int64_t rows = LIGHT_BYTES / bytes;
  return light < 2 || light < 2 * products || rows < FEW_ROWS
    ? 1 : rows < MANY_ROWS ? (int)rows : MANY_ROWS;
}

/* Products of matrices gain from several rows at a time, and light steps; no
 * more than the caller will ever have. */
static int block_rows(const Plan *p)
{
  static const char *const maps[] = {
    "Conv", "FusedConv", "QLinearConv", "ConvInteger", "ConvTranspose",
    "QConv", "MaxPool", "AveragePool", "QMaxPool", "QAveragePool",
  };
  static const char *const products[] = {
    "Gemm", "FusedGemm", "MatMul", "QLinearMatMul", "QGemm", "MatMulInteger",
    "Distance",
  };
  static const char *const trees[] = {
    "TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor",
  };
  int64_t max = p->m->dims.sym[p->batch].max;
  if (p->device)
    return max > 0 && max < DEVICE_ROWS ? (int)max : DEVICE_ROWS;
  if (has_node(p, trees, COUNT(trees)) && !has_node(p, maps, COUNT(maps)))
    return max > 0 && max < TREE_ROWS ? (int)max : TREE_ROWS;
  if (has_node(p, maps, COUNT(maps)))
    return 1;
  bool some = has_node(p, products, COUNT(products));
  int64_t bytes = some ? shared_bytes(p) : 0;
  int rows = bytes > CACHE_BYTES ? MANY_ROWS :
             bytes > NEAR_BYTES ? FEW_ROWS : 1, light = light_rows(p);
  if (light > rows)
    rows = light;
  return max > 0 && max < rows ? (int)max : rows;
}

/* A sample has as many rows of a product as another run-time dimension says
 * (a sequence's length): then a block is as many samples as make the rows, at
 * least one. */
static const Dim *block_samples(Plan *p)
{
  DimPool *d = &p->m->dims;
  const Dim *block = dim_int(d, p->block), *one = dim_int(d, 1);
  if (p->device)
    return block;
  for (const Node *n = p->g->first; n; n = n->next) {
    int64_t fixed;
    if (!is_product(n) || !has_batch(p, n->in[0]))
      continue;
    const Value *x = n->in[0];
    const Dim *all = dim_prod(d, (const Dim *const *)x->dim, x->rank - 1);
    const Dim *rows = dim_div_exact(d, all, dim_sym(d, p->batch));
    if (rows && !dim_is_int(rows, &fixed))
      return dim_max(d, one, dim_div(d, block, dim_max(d, one, rows)));
  }
  return block;
}

static void subst_value(Plan *p, Value *v, bool *seen)
{
  if (!v || seen[v->id])
    return;
  seen[v->id] = true;
  DimPool *d = &p->m->dims;
  const Dim *one = dim_int(d, p->block);
  for (int k = 0; k < v->rank; k++)
    v->dim[k] = dim_subst(d, v->dim[k], p->batch, one);
  int64_t n;
  if (v->sym && dim_is_int(value_numel(v), &n))
    for (int64_t i = 0; i < n; i++)
      if (v->sym[i])
        v->sym[i] = dim_subst(d, v->sym[i], p->batch, one);
}

static void subst_graph(Plan *p)
{
  bool *seen = NEW(p->a, bool, p->m->nvalue + 1);
  for (int i = 0; i < p->g->nin; i++)
    subst_value(p, p->g->in[i], seen);
  for (Node *n = p->g->first; n; n = n->next) {
    for (int i = 0; i < n->nin; i++)
      subst_value(p, n->in[i], seen);
    for (int i = 0; i < n->nout; i++)
      subst_value(p, n->out[i], seen);
  }
}

void plan_batch(Plan *p)
{
  p->block = 0;
  p->batch = find_batch(p);
  if (p->batch < 0)
    return;
  /* What data tells of one block would not hold for the next. */
  for (Node *n = p->g->first; n && p->nfound && !p->mixes; n = n->next)
    if (n->nsize)
      p->mixes = n;
  if (p->nfound)
    return;
  for (int i = 0; i < p->g->nin && !p->mixes; i++)
    if (has_batch(p, p->g->in[i]) && !leading_only(p, p->g->in[i]))
      return;
  for (Node *n = p->g->first; n; n = n->next)
    if (!node_separates(p, n)) {
      p->mixes = n;
      return;
    }
  for (int i = 0; i < p->g->nout; i++)
    if (!has_batch(p, p->g->out[i]))
      return;
  p->block = block_rows(p);
  p->rows = block_samples(p);
  if (p->block == 1)
    subst_graph(p);
}
