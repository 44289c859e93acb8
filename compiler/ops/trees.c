/* SPDX-License-Identifier: Apache-2.0 */
/* Ensembles of trees, of ai.onnx.ml. Their lists become tables (forest.c),
 * which kernels walk: the code does not grow with the forest. Sums are made in
 * f64 where the input is, else in f32.
 */
#include <string.h>
#include "../ir.h"

static const Dim *rows_of(const Node *n)
{
  const Value *x = n->in[0];
  return x->rank == 2 ? x->dim[0] : dim_int(node_dims(n), 1);
}

/* onnxruntime: a row alone may have rank 1. */
static const Forest *infer_forest(Node *n)
{
  const Value *x = node_in(n, 0);
  int64_t columns;
  if (!infer_ready(n)) return NULL;
  if (x->rank < 1 || x->rank > 2) {
    fail_model(n, "the input has rank %d (spec: [C] or [N, C])", x->rank);
    return NULL;
  }
  const Forest *f = forest_of(n);
  if (!f || !dim_is_int(x->dim[x->rank - 1], &columns) ||
      columns >= f->features)
    return f;
  fail_model(n, "a node compares feature %d, but the input has %lld",
             f->features - 1, (long long)columns);
  return NULL;
}

static void infer_classes(Node *n)
{
  const Forest *f = infer_forest(n);
  if (!f) return;
  const Dim *dim[2] = {rows_of(n), dim_int(node_dims(n), f->targets)};
  if (node_out(n, 0))
    infer_out(n, 0, f->labels->type == AT_STRS ? DT_STR : DT_I64, 1, dim);
  if (node_out(n, 1)) infer_out(n, 1, DT_F32, 2, dim);
}

static void infer_scores(Node *n)
{
  const Forest *f = infer_forest(n);
  if (!f) return;
  const Dim *dim[2] = {rows_of(n), dim_int(node_dims(n), f->targets)};
  bool old = !strcmp(n->op_type, "TreeEnsembleRegressor");
  infer_out(n, 0, old ? DT_F32 : n->in[0]->dtype, 2, dim);
}

static Value *table(Node *n, const char *name, Dtype t, int64_t count,
                    const void *data)
{
  Tensor *to = tensor_new(&n->g->m->arena, t, 1, &(int64_t){0});
  to->n = to->dim[0] = count;
  to->data = data;
  return value_const(n->g, name, to);
}

Value *forest_base(Node *n, const Forest *f)
{
  return f->base ? value_const(n->g, "base", f->base) : NULL;
}

Value *forest_labels(Node *n, const Forest *f)
{
  if (f->labels->type == AT_INTS)
    return table(n, "labels", DT_I64, f->targets, f->labels->ints);
  int64_t *number = NEW(&n->g->m->arena, int64_t, f->targets);
  for (int i = 0; i < f->targets; i++) number[i] = i;
  return table(n, "labels", DT_I64, f->targets, number);
}

/* y: sums [rows, targets] of f->real; is: of bytes, whether there are any. */
static void lower_walk(Lower *l, Node *n, const Forest *f, Value *y, Value *is)
{
  const Value *x = n->in[0];
  lower_call(l, n, "trees", f->real, "iiiiiioodddddk",
             lower_real(l, n, n->in[0], f->real),
             table(n, "node", DT_I32, 4 * (int64_t)f->nodes, f->node),
             value_const(n->g, "value", f->value),
             table(n, "root", DT_I32, f->trees, f->root),
             table(n, "target", DT_I32, f->weights, f->target),
             value_const(n->g, "weight", f->weight), y, is, rows_of(n),
             x->dim[x->rank - 1], dim_int(node_dims(n), f->features),
             dim_int(node_dims(n), f->trees),
             dim_int(node_dims(n), f->targets), (int64_t)f->aggregate);
}

/* Labels by number, where they are strings. */
static void lower_names(Lower *l, Node *n, const Forest *f, Value *number)
{
  DimPool *d = node_dims(n);
  if (number == n->out[0]) return;
  lower_call(l, n, "gather", DT_STR, "iiokdddd",
             table(n, "names", DT_STR, f->targets, f->labels->strs), number,
             n->out[0], (int64_t)sizeof(int64_t), dim_int(d, 1),
             dim_int(d, f->targets), dim_int(d, 1), rows_of(n));
}

void forest_classes(Lower *l, Node *n, const Forest *f, Value *y, Value *is)
{
  DimPool *d = node_dims(n);
  Value *number = node_out(n, 0);
  if (!number || number->dtype != DT_I64)
    number = lower_scratch(l, n, DT_I64, rows_of(n));
  lower_call(l, n, "tree_classes", f->real, "oiiiodddkkk", y, is,
             forest_base(n, f), forest_labels(n, f), number, rows_of(n),
             dim_int(d, f->targets),
             dim_int(d, f->base ? f->base->n : 0), (int64_t)f->post,
             (int64_t)!f->several, (int64_t)!f->negative);
  if (node_out(n, 0)) lower_names(l, n, f, number);
}

static void lower_classes(Lower *l, Node *n)
{
  const Forest *f = forest_of(n);
  if (!f) return;
  const Dim *size = dim_mul(node_dims(n), rows_of(n),
                            dim_int(node_dims(n), f->targets));
  Value *z = node_out(n, 1), *y = lower_real_for(l, n, z, f->real);
  Value *is = lower_scratch(l, n, DT_U8, size);
  if (!y) y = lower_scratch(l, n, f->real, size);
  lower_walk(l, n, f, y, is);
  forest_classes(l, n, f, y, is);
  if (z) lower_real_to(l, n, y, z);
}

/* Labels that are strings become their numbers, which a Gather names: what
 * computes handles numbers only. */
static void expand_classes(Node *n)
{
  Graph *g = n->g;
  const Forest *f = forest_of(n);
  Value *y = node_out(n, 0);
  if (!f || f->labels->type == AT_INTS) return;
  Value *names = table(n, "names", DT_STR, f->targets, f->labels->strs);
  int64_t *number = NEW(&g->m->arena, int64_t, f->targets);
  for (int i = 0; i < f->targets; i++) number[i] = i;
  attr_remove(n, "classlabels_strings");
  attr_set_ints(n, "classlabels_int64s", number, f->targets);
  Forest *own = NEW(&g->m->arena, Forest, 1);
  *own = *f;
  own->labels = attr_get(n, "classlabels_int64s");
  n->fused = own;
  if (!y) return;
  Node *pick = node_new(g, n->next, "Gather", 2, 1, n);
  node_set_output(n, 0, value_tmp(g, "label", NULL));
  infer_node(n);
  node_set_input(pick, 0, names);
  node_set_input(pick, 1, n->out[0]);
  node_set_output(pick, 0, y);
  infer_node(pick);
}

static void lower_scores(Lower *l, Node *n)
{
  const Forest *f = forest_of(n);
  if (!f) return;
  DimPool *d = node_dims(n);
  Value *y = lower_real_for(l, n, n->out[0], f->real);
  Value *is = lower_scratch(l, n, DT_U8, value_numel(n->out[0]));
  lower_walk(l, n, f, y, is);
  lower_call(l, n, "tree_scores", f->real, "oiidddkk", y, is,
             forest_base(n, f),
             rows_of(n), dim_int(d, f->targets),
             dim_int(d, f->base ? f->base->n : 0),
             (int64_t)(f->aggregate == FOREST_AVERAGE ? f->trees : 0),
             (int64_t)f->post);
  lower_real_to(l, n, y, n->out[0]);
}

static int axis_trees(const Node *n, int in, int axis, int out)
{
  (void)in, (void)out;
  return n->in[0]->rank == 2 && axis == 0 ? 0 : AXIS_MIXES;
}

#define NODES "nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F " \
  "nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I " \
  "nodes_treeids:I nodes_truenodeids:I nodes_values:F base_values:F " \
  "post_transform:s "
#define TENSORS "nodes_hitrates_as_tensor:t nodes_values_as_tensor:t " \
  "base_values_as_tensor:t "
#define CLASSES "class_ids:I class_nodeids:I class_treeids:I " \
  "class_weights:F classlabels_int64s:I classlabels_strings:S "
#define TARGETS "target_ids:I target_nodeids:I target_treeids:I " \
  "target_weights:F n_targets:i aggregate_function:s "

/* ONNX TreeEnsembleClassifier-5: "This operator is DEPRECATED. Please use
 * TreeEnsemble with provides similar functionality." */
/* ONNX TreeEnsembleClassifier-3: "All fields ending with <i>_as_tensor</i> can
 * be used instead of the same parameter without the suffix if the element type
 * is double and not float." */
static const OpRow classifier_rows[] = {
  {1, "X:T1 -> Y:T2 Z:f32", "T1=f32 f64 i64 i32; T2=str i64", NODES CLASSES,
   NULL},
  {3, NULL, NULL, NODES TENSORS CLASSES "class_weights_as_tensor:t", NULL},
  {5, NULL, NULL, NULL, NULL},
};
/* ONNX TreeEnsembleRegressor-5: "This operator is DEPRECATED. Please use
 * TreeEnsemble instead which provides the same functionality." */
/* ONNX TreeEnsembleRegressor-3: "All fields ending with <i>_as_tensor</i> can
 * be used instead of the same parameter without the suffix if the element type
 * is double and not float." */
static const OpRow regressor_rows[] = {
  {1, "X:T -> Y:f32", "T=f32 f64 i64 i32", NODES TARGETS, NULL},
  {3, NULL, NULL, NODES TENSORS TARGETS "target_weights_as_tensor:t", NULL},
  {5, NULL, NULL, NULL, NULL},
};
static const OpRow ensemble_rows[] = {
  {5, "X:T -> Y:T", "T=f32 f64 f16",
   "aggregate_function:i post_transform:i tree_roots:I! nodes_hitrates:t "
   "nodes_missing_value_tracks_true:I nodes_modes:t! leaf_weights:t! "
   "leaf_targetids:I! nodes_falsenodeids:I! n_targets:i nodes_trueleafs:I! "
   "nodes_featureids:I! nodes_splits:t! nodes_falseleafs:I! "
   "nodes_truenodeids:I! membership_values:t", NULL},
};
#define ML "ai.onnx.ml"
static const OpDef defs[] = {
  {.name = "TreeEnsemble", .domain = ML, .rows = ensemble_rows,
   .nrow = COUNT(ensemble_rows), .infer = infer_scores,
   .lower = lower_scores, .axis = axis_trees},
  {.name = "TreeEnsembleClassifier", .domain = ML, .rows = classifier_rows,
   .nrow = COUNT(classifier_rows), .infer = infer_classes,
   .expand = expand_classes, .lower = lower_classes, .axis = axis_trees},
  {.name = "TreeEnsembleRegressor", .domain = ML, .rows = regressor_rows,
   .nrow = COUNT(regressor_rows), .infer = infer_scores,
   .lower = lower_scores, .axis = axis_trees},
};
OPS_DEFINE(trees, defs)
