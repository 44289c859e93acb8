/* SPDX-License-Identifier: Apache-2.0 */
/* MaxPool, AveragePool, LpPool, and the global pools, which are reductions
 * over the spatial axes. */
#include "ir.h"
#include "../../runtime_min/kernels/ref/reduce.h"

static void infer_pool(Node *n)
{
  ConvGeom g;
  const Dim *dim[MAX_RANK];
  if (!infer_geometry(n, pool_geometry, &g))
    return;
  int rank = geometry_out(&g, dim);
  infer_out(n, 0, node_in(n, 0)->dtype, rank, dim);
  if (node_out(n, 1))
    infer_out(n, 1, DT_I64, rank, dim);
}

static void lower_max_pool(Lower *l, Node *n)
{
  ConvGeom g;
  Value *x = node_in(n, 0);
  if (!pool_geometry(n, &g))
    return;
  lower_call(l, n, "max_pool", x->dtype, "iooddkkkDDDKKK", x,
             node_out(n, 0), node_out(n, 1), g.batch, g.channels, (int64_t)g.n,
             (int64_t)g.channels_last, attr_int(n, "storage_order", 0), g.in,
             g.n, g.out, g.n, g.begin, g.n, g.kernel, g.n, g.stride, g.n,
             g.dilation, g.n);
}

static void lower_average_pool(Lower *l, Node *n)
{
  ConvGeom g;
  Value *x = node_in(n, 0);
  if (!pool_geometry(n, &g))
    return;
  lower_call(l, n, "average_pool", x->dtype, "ioddkkkDDDDKKK", x,
             node_out(n, 0), g.batch, g.channels, (int64_t)g.n,
             (int64_t)g.channels_last,
             (int64_t)(attr_int(n, "count_include_pad", 0) != 0), g.in, g.n,
             g.out, g.n, g.begin, g.n, g.end, g.n, g.kernel, g.n, g.stride,
             g.n, g.dilation, g.n);
}

/* ONNX LpPool-1 has a float, the later versions an integer. */
static double norm_order(const Node *n)
{
  const Attr *a = attr_get(n, "p");
  if (!a)
    return 2;
  return a->type == AT_FLOAT ? (double)a->f : (double)a->i;
}

static bool order_fits(Node *n)
{
  double p = norm_order(n);
  if (p > 0)
    return true;
  fail_model(n, "p is %g (spec: positive)", p);
  return false;
}

static void infer_lp_pool(Node *n)
{
  if (order_fits(n))
    infer_pool(n);
}

static void lower_lp_pool(Lower *l, Node *n)
{
  ConvGeom g;
  Value *x = node_in(n, 0);
  if (!pool_geometry(n, &g))
    return;
  lower_call(l, n, "lp_pool", x->dtype, "ioddkkDDDKKKf", x, node_out(n, 0),
             g.batch, g.channels, (int64_t)g.n, (int64_t)g.channels_last, g.in,
             g.n, g.out, g.n, g.begin, g.n, g.kernel, g.n, g.stride, g.n,
             g.dilation, g.n, norm_order(n));
}

static void infer_global(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK];
  if (!infer_ready(n))
    return;
  if (x->rank < 2) {
    fail_model(n, "input is rank %d (spec: batch, channels, spatial axes)",
               x->rank);
    return;
  }
  int channel = attr_int(n, "channels_last", 0) ? x->rank - 1 : 1;
  for (int i = 0; i < x->rank; i++)
    dim[i] = i == 0 || i == channel ? x->dim[i] : dim_int(node_dims(n), 1);
  infer_out(n, 0, x->dtype, x->rank, dim);
}

static void infer_global_lp(Node *n)
{
  if (order_fits(n))
    infer_global(n);
}

/* The reduction over the spatial axes of [n, c, s] or [n, s, c]. */
typedef struct {
  const Dim *kept[2], *kept_stride[2], *gone, *gone_stride;
} Spatial;

static void spatial_axes(const Node *n, Spatial *s)
{
  const Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  bool last = attr_int(n, "channels_last", 0) != 0;
  s->kept[0] = x->dim[0];
  s->kept[1] = x->dim[last ? x->rank - 1 : 1];
  s->gone = dim_prod(p, x->dim + (last ? 1 : 2), x->rank - 2);
  s->kept_stride[0] = dim_mul(p, s->kept[1], s->gone);
  s->kept_stride[1] = last ? dim_int(p, 1) : s->gone;
  s->gone_stride = last ? s->kept[1] : dim_int(p, 1);
}

static void lower_global(Lower *l, Node *n)
{
  Spatial s;
  Value *x = node_in(n, 0);
  spatial_axes(n, &s);
  if (node_is(n, "GlobalMaxPool"))
    lower_call(l, n, "reduce_extreme", x->dtype, "iokkkDDDD", x,
               node_out(n, 0), (int64_t)0, (int64_t)2, (int64_t)1, s.kept, 2,
               s.kept_stride, 2, &s.gone, 1, &s.gone_stride, 1);
  else
    lower_call(l, n, "reduce", x->dtype, "iokkkDDDD", x, node_out(n, 0),
               (int64_t)O2C_RED_MEAN, (int64_t)2, (int64_t)1, s.kept, 2,
               s.kept_stride, 2, &s.gone, 1, &s.gone_stride, 1);
}

/* One window over everything, as one long axis. */
static void lower_global_lp(Lower *l, Node *n)
{
  Spatial s;
  Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  const Dim *one = dim_int(p, 1), *zero = dim_int(p, 0);
  spatial_axes(n, &s);
  lower_call(l, n, "lp_pool", x->dtype, "ioddkkDDDDDDf", x, node_out(n, 0),
             s.kept[0], s.kept[1], (int64_t)1,
             (int64_t)(attr_int(n, "channels_last", 0) != 0), &s.gone, 1, &one,
             1, &zero, 1, &s.gone, 1, &one, 1, &one, 1, norm_order(n));
}

static int axis_global(const Node *n, int in, int axis, int out)
{
  (void)in, (void)out;
  int channel = attr_int(n, "channels_last", 0) ? n->in[0]->rank - 1 : 1;
  return axis == 0 || axis == channel ? axis : AXIS_MIXES;
}

/* Channels stay apart too in pools. Indices count through all samples. */
static int axis_pool(const Node *n, int in, int axis, int out)
{
  return out == 0 ? axis_global(n, in, axis, out) : AXIS_MIXES;
}

#define OLD_ATTRS "pads:I auto_pad:s strides:I kernel_shape:I"
#define CEIL_ATTRS OLD_ATTRS " ceil_mode:i"

static const OpRow max_rows[] = {
  { 1, "X:T -> Y:T", "T=float", OLD_ATTRS, NULL },
  /* ONNX MaxPool-8: "0 is row major" */
  { 8, "X:T -> Y:T Indices:I?", "T=float; I=i64", OLD_ATTRS " storage_order:i",
    NULL },
  /* ONNX MaxPool-10: "Whether to use ceil or floor (default)" */
  { 10, NULL, NULL, CEIL_ATTRS " storage_order:i dilations:I", NULL },
  { 11, NULL, NULL, NULL, NULL },
  { 12, NULL, "T=float i8 u8; I=i64", NULL, NULL },
  { 22, NULL, "T=float bf16 i8 u8; I=i64", NULL, NULL },
};
static const OpRow average_rows[] = {
  { 1, "X:T -> Y:T", "T=float", OLD_ATTRS, NULL },
  /* ONNX AveragePool-7: "Default is 0, doesn't count include pad" */
  { 7, NULL, NULL, OLD_ATTRS " count_include_pad:i", NULL },
  /* ONNX AveragePool-10: "Whether to use ceil or floor (default)" */
  { 10, NULL, NULL, CEIL_ATTRS " count_include_pad:i", NULL },
  { 11, NULL, NULL, NULL, NULL },
  /* ONNX AveragePool-19: "the dilation defaults to 1" */
  { 19, NULL, NULL, CEIL_ATTRS " count_include_pad:i dilations:I", NULL },
  { 22, NULL, "T=float bf16", NULL, NULL },
};
static const OpRow lp_rows[] = {
  { 1, "X:T -> Y:T", "T=float", OLD_ATTRS " p:f", NULL },
  /* ONNX LpPool-1, whose p is read as a float: "default is 2.0" */
  { 2, NULL, NULL, OLD_ATTRS " p:i", NULL },
  { 11, NULL, NULL, NULL, NULL },
  /* ONNX LpPool-18: "the dilation defaults is 1" */
  { 18, NULL, NULL, CEIL_ATTRS " p:i dilations:I", NULL },
  { 22, NULL, "T=float bf16", NULL, NULL },
};
static const OpRow global_rows[] = {
  { 1, "X:T -> Y:T", "T=float", "", NULL },
  { 22, NULL, "T=float bf16", NULL, NULL },
};
static const OpRow global_lp_rows[] = {
  { 1, "X:T -> Y:T", "T=float", "p:f", NULL },
  /* ONNX GlobalLpPool-1, whose p is read as a float: "default is 2.0" */
  { 2, NULL, NULL, "p:i", NULL },
  { 22, NULL, "T=float bf16", NULL, NULL },
};

static const OpDef defs[] = {
  { .name = "MaxPool", .rows = max_rows, .nrow = COUNT(max_rows),
    .infer = infer_pool, .lower = lower_max_pool, .axis = axis_pool },
  { .name = "AveragePool", .rows = average_rows, .nrow = COUNT(average_rows),
    .infer = infer_pool, .lower = lower_average_pool, .axis = axis_pool },
  { .name = "LpPool", .rows = lp_rows, .nrow = COUNT(lp_rows),
    .infer = infer_lp_pool, .lower = lower_lp_pool, .axis = axis_pool },
  { .name = "GlobalAveragePool", .rows = global_rows,
    .nrow = COUNT(global_rows), .infer = infer_global, .lower = lower_global,
    .axis = axis_global },
  { .name = "GlobalMaxPool", .rows = global_rows, .nrow = COUNT(global_rows),
    .infer = infer_global, .lower = lower_global, .axis = axis_global },
  { .name = "GlobalLpPool", .rows = global_lp_rows,
    .nrow = COUNT(global_lp_rows), .infer = infer_global_lp,
    .lower = lower_global_lp, .axis = axis_global },
};

OPS_DEFINE(pool, defs)
