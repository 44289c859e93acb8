/* SPDX-License-Identifier: Apache-2.0 */
/* Distances of all rows of one matrix from all rows of another:
 *
 *   o2c.Distance       y[i][j] = sum over f of |A[i][f] - B[j][f]|^p
 *   com.microsoft CDist  that of p = 2, or its square root
 *
 * Scans of scikit-learn's exporter become the former (control_distance.c), and
 * the kernels of support vector machines are made of it.
 */
#include "../ir.h"
#include <string.h>

Value *distance_of(Node *at, Value *a, Value *b, float p)
{
  Node *n = node_new(at->g, at, "Distance", 2, 1, at);
  n->domain = "o2c";
  n->version = 1;
  n->op = op_find("o2c", "Distance");
  node_set_input(n, 0, a);
  node_set_input(n, 1, b);
  attr_set_float(n, "p", p);
  node_set_output(n, 0, value_tmp(at->g, "distance", NULL));
  infer_node(n);
  return n->out[0];
}

static void infer_distance(Node *n)
{
  if (infer_ready(n))
    infer_out(n, 0, n->in[0]->dtype, 2,
              (const Dim *[]){ n->in[0]->dim[0], n->in[1]->dim[0] });
}

static void lower_distance(Lower *l, Node *n)
{
  const Value *a = n->in[0];
  lower_call(l, n, "distance", a->dtype, "iiodddf", n->in[0], n->in[1],
             n->out[0], a->dim[0], n->in[1]->dim[0], a->dim[1],
             (double)attr_float(n, "p", 2));
}

/* Rows of A are rows of the result, those of B its columns. */
static int axis_distance(const Node *n, int in, int axis, int out)
{
  (void)n, (void)out;
  return axis == 0 ? in : AXIS_MIXES;
}

static void upgrade_cdist(Node *n)
{
  const char *metric = attr_str(n, "metric", "sqeuclidean");
  bool root = !strcmp(metric, "euclidean");
  if (!contrib_ready(n) || !contrib_rank(n, 0, 2, 2) ||
      !contrib_rank(n, 1, 2, 2))
    return;
  if (!root && strcmp(metric, "sqeuclidean")) {
    fail_unsupported(n, "metric '%s'; onnxruntime has 'euclidean' and "
                     "'sqeuclidean'", metric);
    return;
  }
  if (!infer_equal(n, n->in[1]->dim[1], n->in[0]->dim[1],
                   "columns of B, of A"))
    return;
  Value *y = distance_of(n, n->in[0], n->in[1], 2);
  contrib_give(n, 0, root ? node_op(n, "Sqrt", 1, y) : y);
  node_remove(n);
}

static const OpRow distance_rows[] = {
  { 1, "A:T B:T -> Y:T", "T=f32 f64", "p:f", NULL },
};
static const OpRow cdist_rows[] = {
  { 1, "A:T B:T -> C:T", "T=f32 f64", "metric:s", upgrade_cdist },
};
static const OpDef defs[] = {
  { .name = "Distance", .domain = "o2c", .rows = distance_rows, .nrow = 1,
    .infer = infer_distance, .lower = lower_distance, .axis = axis_distance,
    .flags = OP_INTERNAL },
  { .name = "CDist", .domain = "com.microsoft", .rows = cdist_rows, .nrow = 1 },
};
OPS_DEFINE(distance, defs)
