/* SPDX-License-Identifier: Apache-2.0 */
/* Unique and NonMaxSuppression: outputs as long as the data says. */
#include "../ir.h"

/* x as [outer, n, inner] around the axis, or flattened (*axis -1); false after
 * a diagnostic. */
static bool unique_span(Node *n, int *axis, const Dim *e[3])
{
  const Value *x = n->in[0];
  DimPool *p = node_dims(n);
  *axis = -1;
  e[0] = e[2] = dim_int(p, 1);
  e[1] = value_numel(x);
  if (!attr_get(n, "axis")) return true;
  *axis = axis_norm(n, attr_int(n, "axis", 0), x->rank);
  if (*axis < 0) return false;
  e[0] = dim_prod(p, x->dim, *axis);
  e[1] = x->dim[*axis];
  e[2] = dim_prod(p, x->dim + *axis + 1, x->rank - *axis - 1);
  return true;
}

static void infer_unique(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK], *e[3], *found = NULL;
  int axis;
  if (!infer_ready(n) || !unique_span(n, &axis, e) ||
      !infer_sizes(n, 1, &e[1], &found))
    return;
  for (int i = 0; axis >= 0 && i < x->rank; i++) dim[i] = x->dim[i];
  dim[axis < 0 ? 0 : axis] = found;
  infer_out(n, 0, x->dtype, axis < 0 ? 1 : x->rank, dim);
  infer_out(n, 1, DT_I64, 1, &found);
  infer_out(n, 2, DT_I64, 1, &e[1]);
  infer_out(n, 3, DT_I64, 1, &found);
}

static void sizes_unique(Lower *l, Node *n)
{
  const Dim *e[3];
  int axis;
  if (!unique_span(n, &axis, e)) return;
  lower_call(l, n, "size_unique", n->in[0]->dtype, "iodddS", n->in[0],
             lower_scratch(l, n, DT_I64, e[1]), e[0], e[1], e[2]);
}

static Value *or_scratch(Lower *l, Node *n, int i, const Dim *size)
{
  return node_out(n, i) ? n->out[i] : lower_scratch(l, n, DT_I64, size);
}

static void lower_unique(Lower *l, Node *n)
{
  const Dim *e[3];
  int axis;
  if (!unique_span(n, &axis, e)) return;
  lower_call(l, n, "unique", n->in[0]->dtype, "ioooooddddk", n->in[0],
             lower_scratch(l, n, DT_I64, e[1]), n->out[0], node_out(n, 1),
             or_scratch(l, n, 2, e[1]), or_scratch(l, n, 3, n->size[0]), e[0],
             e[1], e[2], n->size[0],
             (int64_t)(attr_int(n, "sorted", 1) != 0));
}

static bool scalars_ok(Node *n)
{
  int64_t size;
  for (int i = 2; i < 5; i++)
    if (node_in(n, i) && dim_is_int(value_numel(n->in[i]), &size) &&
        size != 1) {
      fail_model(n, "input %d has %lld elements (spec: one)", i,
                 (long long)size);
      return false;
    }
  return true;
}

static void infer_nms(Node *n)
{
  const Value *box = node_in(n, 0), *score = node_in(n, 1);
  DimPool *p = node_dims(n);
  const Dim *dim[2] = {0}, *bound;
  const int64_t *most;
  int count;
  if (!infer_ready(n) || !scalars_ok(n)) return;
  if (box->rank != 3 || score->rank != 3) {
    fail_model(n, "boxes have rank %d, scores %d (spec: 3)", box->rank,
               score->rank);
    return;
  }
  if (!infer_equal(n, box->dim[2], dim_int(p, 4), "numbers of a box, 4") ||
      !infer_equal(n, box->dim[0], score->dim[0], "batch of boxes, scores") ||
      !infer_equal(n, box->dim[1], score->dim[2], "boxes, scores"))
    return;
  bound = box->dim[1];
  if (!node_in(n, 2))
    bound = dim_int(p, 0);
  else if (infer_const_ints(n, 2, &most, &count) && count == 1)
    bound = dim_min(p, bound, dim_int(p, *most > 0 ? *most : 0));
  bound = dim_mul(p, bound, dim_mul(p, score->dim[0], score->dim[1]));
  if (!infer_sizes(n, 1, &bound, dim)) return;
  dim[1] = dim_int(p, 3);
  infer_out(n, 0, DT_I64, 2, dim);
}

static void sizes_nms(Lower *l, Node *n)
{
  const Dim *const *d = n->in[1]->dim;
  lower_call(l, n, "size_nms", DT_F32, "iiiiiodddkS", n->in[0], n->in[1],
             node_in(n, 2), node_in(n, 3), node_in(n, 4),
             lower_scratch(l, n, DT_I64, d[2]), d[0], d[1], d[2],
             attr_int(n, "center_point_box", 0));
}

static void lower_nms(Lower *l, Node *n)
{
  const Dim *const *d = n->in[1]->dim;
  lower_call(l, n, "nms", DT_F32, "iiiiiooddddk", n->in[0], n->in[1],
             node_in(n, 2), node_in(n, 3), node_in(n, 4),
             lower_scratch(l, n, DT_I64, d[2]), n->out[0], d[0], d[1], d[2],
             n->out[0]->dim[0], attr_int(n, "center_point_box", 0));
}

static const OpRow unique_rows[] = {
  {11, "X:T -> Y:T indices:i64? inverse_indices:i64? counts:i64?", "T=all",
   "axis:i sorted:i", NULL},
  {28, NULL, "T=all13", NULL, NULL},
};
static const OpRow nms_rows[] = {
  {10, "boxes:f32 scores:f32 max_output_boxes_per_class:i64? "
       "iou_threshold:f32? score_threshold:f32? -> selected_indices:i64",
   "", "center_point_box:i", NULL},
  {11, NULL, NULL, NULL, NULL},
};
static const OpDef defs[] = {
  {.name = "Unique", .rows = unique_rows, .nrow = COUNT(unique_rows),
   .infer = infer_unique, .lower = lower_unique, .sizes = sizes_unique},
  {.name = "NonMaxSuppression", .rows = nms_rows, .nrow = COUNT(nms_rows),
   .infer = infer_nms, .lower = lower_nms, .sizes = sizes_nms},
};
OPS_DEFINE(unique, defs)
