/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that look between pixels: GridSample, AffineGrid, RoiAlign,
 * MaxRoiPool and DeformConv. */
#include <string.h>
#include "../ir.h"

#define GRID_AXES 5 /* O2C_GRID_AXES of kernels/ref/sample.h */

/* A word of an attribute as its number in a list; -1 after a diagnostic. */
static int word_of(Node *n, const char *attr, const char *const *word)
{
  const char *s = attr_str(n, attr, word[0]), *list = word[0];
  Arena *a = &n->g->m->arena;
  for (int i = 0; word[i]; i++) {
    if (!strcmp(s, word[i])) return i;
    if (i) list = arena_printf(a, "%s, %s", list, word[i]);
  }
  fail_model(n, "%s is %s (spec: %s)", attr, quote(a, s), list);
  return -1;
}

/* In the order of the kernels' numbers. */
static const char *const grid_modes[] = {"linear", "nearest", "cubic", NULL};
static const char *const grid_pads[] = {"zeros", "border", "reflection", NULL};
static const char *const roi_modes[] = {"avg", "max", NULL};
static const char *const roi_coords[] = {
  "half_pixel", "output_half_pixel", NULL
};

static bool rank_is(Node *n, int in, int rank, const char *what)
{
  if (n->in[in]->rank == rank) return true;
  fail_model(n, "%s has rank %d (spec: %d)", what, n->in[in]->rank, rank);
  return false;
}

/* GridSample. */
static void upgrade_grid(Node *n)
{
  const char *mode = attr_str(n, "mode", "bilinear");
  if (!strcmp(mode, "bilinear")) attr_set_str(n, "mode", "linear");
  if (!strcmp(mode, "bicubic")) attr_set_str(n, "mode", "cubic");
}

static bool grid_types(Node *n, int mode, int axes)
{
  Dtype t = n->in[0]->dtype;
  DtypeClass c = dtype_info(t)->cls;
  if (axes < 1)
    fail_model(n, "input has rank %d (spec: at least 3)", n->in[0]->rank);
  else if (axes > GRID_AXES)
    fail_unsupported(n, "%d spatial axes (onnx2c: at most %d)", axes,
                     GRID_AXES);
  else if (mode != 1 && (c == DC_BOOL || c == DC_STR))
    fail_unsupported(n, "%s of %s elements; feed numbers",
                     grid_modes[mode], dtype_info(t)->onnx);
  else
    return true;
  return false;
}

static void infer_grid_sample(Node *n)
{
  const Value *x = node_in(n, 0), *grid = node_in(n, 1);
  const Dim *dim[MAX_RANK];
  if (!infer_ready(n)) return;
  int mode = word_of(n, "mode", grid_modes), axes = x->rank - 2;
  if (mode < 0 || word_of(n, "padding_mode", grid_pads) < 0 ||
      !grid_types(n, mode, axes) || !rank_is(n, 1, x->rank, "grid") ||
      !infer_equal(n, x->dim[0], grid->dim[0], "batch of the input, grid") ||
      !infer_equal(n, grid->dim[axes + 1], dim_int(node_dims(n), axes),
                   "numbers of a position, spatial axes"))
    return;
  for (int i = 0; i < x->rank; i++)
    dim[i] = i < 2 ? x->dim[i] : grid->dim[i - 1];
  infer_out(n, 0, x->dtype, x->rank, dim);
}

static void lower_grid_sample(Lower *l, Node *n)
{
  Value *x = n->in[0], *grid = n->in[1], *y = n->out[0];
  bool wide = grid->dtype == DT_F64;
  Value *narrow = wide ? NULL : lower_real(l, n, grid, DT_F32);
  int mode = word_of(n, "mode", grid_modes), axes = x->rank - 2;
  int64_t pad = word_of(n, "padding_mode", grid_pads);
  int64_t corners = attr_int(n, "align_corners", 0) != 0;
  if (mode == 1)
    lower_call(l, n, "grid_pick", x->dtype, "iiioddkkkDD", x, narrow,
               wide ? grid : NULL, y, x->dim[0], x->dim[1], (int64_t)axes, pad,
               corners, x->dim + 2, axes, y->dim + 2, axes);
  else
    lower_call(l, n, "grid_sample", x->dtype, "iiioddkkkkDD", x, narrow,
               wide ? grid : NULL, y, x->dim[0], x->dim[1], (int64_t)axes,
               (int64_t)(mode == 2), pad, corners, x->dim + 2, axes, y->dim + 2,
               axes);
}

static int axis_grid_sample(const Node *n, int in, int axis, int out)
{
  (void)n, (void)out;
  return axis == 0 || (in == 0 && axis == 1) ? axis : AXIS_MIXES;
}

/* AffineGrid: size is [N, C, D.., H, W]. */
static void infer_affine_grid(Node *n)
{
  const Value *theta = node_in(n, 0);
  DimPool *p = node_dims(n);
  const Dim *dim[MAX_RANK], *size[5] = {0};
  const Dim *const *content;
  int64_t v;
  int count;
  if (!infer_ready(n) || !rank_is(n, 0, 3, "theta")) return;
  if (!dim_is_int(value_numel(n->in[1]), &v) || (v != 4 && v != 5)) {
    fail_model(n, "size has shape %s (spec: [4] or [5])",
               value_shape_text(n->in[1]));
    return;
  }
  int axes = (int)v - 2;
  if (!infer_equal(n, theta->dim[1], dim_int(p, axes), "rows of theta, axes") ||
      !infer_equal(n, theta->dim[2], dim_int(p, axes + 1),
                   "columns of theta, axes and one"))
    return;
  content = infer_content(n, 1, &count);
  size[0] = theta->dim[0];
  if (!content && !infer_sizes(n, axes + 2, NULL, size)) return;
  if (content &&
      !infer_equal(n, theta->dim[0], content[0], "batch of theta, size"))
    return;
  dim[0] = theta->dim[0];
  for (int i = 0; i < axes; i++) dim[1 + i] = (content ? content : size)[2 + i];
  dim[axes + 1] = dim_int(p, axes);
  infer_out(n, 0, theta->dtype, axes + 2, dim);
}

static void sizes_affine_grid(Lower *l, Node *n)
{
  lower_call(l, n, "size_ints", DT_I64, "idS", n->in[1],
             value_numel(n->in[1]));
}

static void lower_affine_grid(Lower *l, Node *n)
{
  Value *theta = n->in[0], *y = n->out[0];
  int axes = y->rank - 2;
  lower_call(l, n, "affine_grid", theta->dtype, "iodkkD", theta, y, y->dim[0],
             (int64_t)axes, (int64_t)(attr_int(n, "align_corners", 0) != 0),
             y->dim + 1, axes);
}

static int axis_affine_grid(const Node *n, int in, int axis, int out)
{
  (void)n, (void)out;
  return in == 0 && axis == 0 ? 0 : AXIS_MIXES;
}

/* RoiAlign, MaxRoiPool: [regions, C, oh, ow]. */
static void upgrade_roi_10(Node *n)
{
  attr_set_str(n, "coordinate_transformation_mode", "output_half_pixel");
}

static bool roi_size(Node *n, int64_t *size)
{
  int count = 2;
  const int64_t *v = attr_ints(n, "pooled_shape", &count);
  bool pool = node_is(n, "MaxRoiPool");
  if (pool && (!v || count != 2)) {
    fail_model(n, "pooled_shape has %d numbers (spec: 2)", count);
    return false;
  }
  size[0] = pool ? v[0] : attr_int(n, "output_height", 1);
  size[1] = pool ? v[1] : attr_int(n, "output_width", 1);
  if (size[0] > 0 && size[1] > 0 && size[0] <= INT32_MAX &&
      size[1] <= INT32_MAX)
    return true;
  fail_model(n, "the output's size is %lld x %lld (spec: positive)",
             (long long)size[0], (long long)size[1]);
  return false;
}

static void infer_roi(Node *n)
{
  const Value *x = node_in(n, 0), *rois = node_in(n, 1);
  DimPool *p = node_dims(n);
  bool pool = node_is(n, "MaxRoiPool");
  int64_t size[2];
  if (!infer_ready(n) || !rank_is(n, 0, 4, "the input") ||
      !rank_is(n, 1, 2, "rois") || !roi_size(n, size) ||
      !infer_equal(n, rois->dim[1], dim_int(p, pool ? 5 : 4),
                   "numbers of a region and what it needs"))
    return;
  if (!pool && (word_of(n, "mode", roi_modes) < 0 ||
                word_of(n, "coordinate_transformation_mode", roi_coords) < 0 ||
                !rank_is(n, 2, 1, "batch_indices") ||
                !infer_equal(n, rois->dim[0], n->in[2]->dim[0],
                             "regions, batch indices")))
    return;
  const Dim *dim[4] = {rois->dim[0], x->dim[1], dim_int(p, size[0]),
                       dim_int(p, size[1])};
  infer_out(n, 0, x->dtype, 4, dim);
}

static void lower_roi(Lower *l, Node *n)
{
  Value *x = n->in[0], *rois = n->in[1], *y = n->out[0];
  double scale = (double)attr_float(n, "spatial_scale", 1);
  if (node_is(n, "MaxRoiPool"))
    lower_call(l, n, "max_roi_pool", x->dtype, "iiodddDDf", x, rois, y,
               x->dim[0], x->dim[1], rois->dim[0], x->dim + 2, 2, y->dim + 2, 2,
               scale);
  else
    lower_call(l, n, "roi_align", x->dtype, "iiiodddkkkDDf", x, rois, n->in[2],
               y, x->dim[0], x->dim[1], rois->dim[0],
               (int64_t)word_of(n, "mode", roi_modes),
               (int64_t)(word_of(n, "coordinate_transformation_mode",
                                 roi_coords) == 0),
               attr_int(n, "sampling_ratio", 0), x->dim + 2, 2, y->dim + 2, 2,
               scale);
}

/* DeformConv. */
static bool deform_shapes(Node *n, const ConvGeom *g)
{
  const Value *offset = n->in[2], *b = node_in(n, 3), *mask = node_in(n, 4);
  DimPool *p = node_dims(n);
  int64_t groups = attr_int(n, "offset_group", 1), taps = 1, c;
  for (int i = 0; i < g->n; i++) taps *= g->kernel[i];
  if (groups < 1 || !dim_is_int(g->channels, &c) || c % groups) {
    fail_model(n, "offset_group is %lld, of %s channels (spec: divides them)",
               (long long)groups, dim_text(p, g->channels));
    return false;
  }
  if (!infer_equal(n, g->channels, g->want_channels,
                   "channels of the input and of the weight's groups") ||
      !rank_is(n, 2, g->n + 2, "offset") ||
      !infer_equal(n, offset->dim[1], dim_int(p, groups * taps * g->n),
                   "channels of offset and what it needs") ||
      !infer_equal(n, offset->dim[0], g->batch, "batch of offset, input") ||
      (b && !infer_equal(n, value_numel(b), g->filters,
                         "elements of bias, filters")))
    return false;
  if (mask && (!rank_is(n, 4, g->n + 2, "mask") ||
               !infer_equal(n, mask->dim[1], dim_int(p, groups * taps),
                            "channels of mask and what it needs") ||
               !infer_equal(n, mask->dim[0], g->batch, "batch of mask, input")))
    return false;
  for (int i = 0; i < g->n; i++)
    if (!infer_equal(n, offset->dim[2 + i], g->out[i], "size of offset, output")
        || (mask && !infer_equal(n, mask->dim[2 + i], g->out[i],
                                 "size of mask, output")))
      return false;
  return true;
}

static void infer_deform(Node *n)
{
  ConvGeom g;
  const Dim *dim[MAX_RANK];
  if (!infer_geometry(n, conv_geometry, &g)) return;
  if (g.n > GRID_AXES) {
    fail_unsupported(n, "%d spatial axes (onnx2c: at most %d)", g.n, GRID_AXES);
    return;
  }
  if (!deform_shapes(n, &g)) return;
  int rank = geometry_out(&g, dim);
  infer_out(n, 0, n->in[0]->dtype, rank, dim);
}

static void lower_deform(Lower *l, Node *n)
{
  ConvGeom g;
  Value *x = n->in[0];
  if (!conv_geometry(n, &g)) return;
  lower_call(l, n, "deform_conv", x->dtype, "iiiiiodddkkkDDDKKK", x, n->in[1],
             n->in[2], node_in(n, 3), node_in(n, 4), n->out[0], g.batch,
             g.channels, g.filters, g.group, attr_int(n, "offset_group", 1),
             (int64_t)g.n, g.in, g.n, g.out, g.n, g.begin, g.n, g.kernel, g.n,
             g.stride, g.n, g.dilation, g.n);
}

static int axis_deform(const Node *n, int in, int axis, int out)
{
  (void)n, (void)out;
  return axis == 0 && (in == 0 || in == 2 || in == 4) ? 0 : AXIS_MIXES;
}

static const OpRow grid_rows[] = {
  {16, "X:T1 grid:T2 -> Y:T1", "T1=all; T2=float",
   "align_corners:i mode:s padding_mode:s", upgrade_grid},
  {20, NULL, NULL, NULL, NULL},
  {22, NULL, "T1=all13; T2=float bf16", NULL, NULL},
};
static const OpRow affine_rows[] = {
  {20, "theta:T1 size:i64 -> grid:T1", "T1=float bf16", "align_corners:i",
   NULL},
};
#define ROI "mode:s output_height:i output_width:i sampling_ratio:i " \
            "spatial_scale:f"
static const OpRow roi_rows[] = {
  {10, "X:T rois:T batch_indices:i64 -> Y:T", "T=float", ROI, upgrade_roi_10},
  {16, NULL, NULL, ROI " coordinate_transformation_mode:s", NULL},
  {22, NULL, "T=float bf16", NULL, NULL},
};
static const OpRow roi_pool_rows[] = {
  {1, "X:T rois:T -> Y:T", "T=float", "pooled_shape:I! spatial_scale:f", NULL},
  {22, NULL, "T=float bf16", NULL, NULL},
};
static const OpRow deform_rows[] = {
  {19, "X:T W:T offset:T B:T? mask:T? -> Y:T", "T=float",
   "dilations:I group:i kernel_shape:I offset_group:i pads:I strides:I", NULL},
  {22, NULL, "T=float bf16", NULL, NULL},
};

static const OpDef defs[] = {
  {.name = "GridSample", .rows = grid_rows, .nrow = COUNT(grid_rows),
   .infer = infer_grid_sample, .lower = lower_grid_sample,
   .axis = axis_grid_sample},
  {.name = "AffineGrid", .rows = affine_rows, .nrow = COUNT(affine_rows),
   .infer = infer_affine_grid, .lower = lower_affine_grid,
   .sizes = sizes_affine_grid, .axis = axis_affine_grid},
  {.name = "RoiAlign", .rows = roi_rows, .nrow = COUNT(roi_rows),
   .infer = infer_roi, .lower = lower_roi},
  {.name = "MaxRoiPool", .rows = roi_pool_rows, .nrow = COUNT(roi_pool_rows),
   .infer = infer_roi, .lower = lower_roi},
  {.name = "DeformConv", .rows = deform_rows, .nrow = COUNT(deform_rows),
   .infer = infer_deform, .lower = lower_deform, .axis = axis_deform},
};
OPS_DEFINE(sample, defs)
