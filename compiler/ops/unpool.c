/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that put pixels into images of a given size: MaxUnpool, Col2Im,
 * CenterCropPad. The size is a constant, an expression of dimensions, or found
 * in the data. */
#include "../ir.h"

#define LIMIT ((int64_t)1 << 30) /* of kernel, stride, dilation, padding */

/* The `count` sizes that input `in` holds; must[k], unless NULL, is what size k
 * has to be. */
static bool sizes_of(Node *n, int in, int count, const Dim *const *must,
                     const Dim **dim)
{
  const Dim *const *v;
  int64_t size;
  int have = 0;
  if (!infer_equal(n, value_numel(n->in[in]), dim_int(node_dims(n), count),
                   "sizes, axes"))
    return false;
  v = infer_content(n, in, &have);
  for (int k = 0; k < count; k++) dim[k] = v ? v[k] : must[k];
  if (!v) return infer_sizes(n, count, NULL, dim);
  for (int k = 0; k < count; k++) {
    if (dim_is_int(v[k], &size) && size < 0) {
      fail_model(n, "size %d is %lld (spec: at least 0)", k, (long long)size);
      return false;
    }
    if (must[k] &&
        !infer_equal(n, v[k], must[k], "a size, and what it must be"))
      return false;
  }
  return true;
}

/* The input that holds sizes. */
static Value *size_input(const Node *n)
{
  return node_in(n, node_is(n, "MaxUnpool") ? 2 : 1);
}

static void sizes_ints(Lower *l, Node *n)
{
  Value *v = size_input(n);
  if (v) lower_call(l, n, "size_ints", v->dtype, "idS", v, value_numel(v));
}

/* `count` numbers of an attribute, or `dflt`; false after a diagnostic. */
static bool numbers(Node *n, const char *name, int count, int64_t dflt,
                    int64_t *out)
{
  int have = 0;
  const int64_t *v = attr_ints(n, name, &have);
  if (v && have && have != count) {
    fail_model(n, "%s has %d numbers (spec: %d)", name, have, count);
    return false;
  }
  for (int i = 0; i < count; i++) {
    out[i] = v && have ? v[i] : dflt;
    if (out[i] >= dflt && out[i] <= LIMIT) continue;
    fail_model(n, "%s[%d] is %lld (spec: at least %lld)", name, i,
               (long long)out[i], (long long)dflt);
    return false;
  }
  return true;
}

/* MaxUnpool: the shape that the window gives, in which indices count. */
static bool unpool_shape(Node *n, const Dim **dim)
{
  const Value *x = n->in[0];
  DimPool *p = node_dims(n);
  int64_t kernel[MAX_RANK], stride[MAX_RANK], pad[2 * MAX_RANK];
  int axes = x->rank - 2;
  if (axes < 1) {
    fail_model(n, "input has rank %d (spec: at least 3)", x->rank);
    return false;
  }
  if (!numbers(n, "kernel_shape", axes, 1, kernel) ||
      !numbers(n, "strides", axes, 1, stride) ||
      !numbers(n, "pads", 2 * axes, 0, pad))
    return false;
  dim[0] = x->dim[0];
  dim[1] = x->dim[1];
  for (int i = 0; i < axes; i++)
    dim[2 + i] = dim_add(p, dim_mul(p, dim_sub(p, x->dim[2 + i], dim_int(p, 1)),
                                    dim_int(p, stride[i])),
                         dim_int(p, kernel[i] - pad[i] - pad[axes + i]));
  return true;
}

static void infer_unpool(Node *n)
{
  const Value *x = node_in(n, 0), *index = node_in(n, 1);
  const Dim *dim[MAX_RANK], *must[MAX_RANK] = {0}, *inner[MAX_RANK];
  if (!infer_ready(n) || !unpool_shape(n, inner)) return;
  if (index->rank != x->rank) {
    fail_model(n, "indices have rank %d, the input %d (spec: equal)",
               index->rank, x->rank);
    return;
  }
  for (int i = 0; i < x->rank; i++) {
    if (!infer_equal(n, x->dim[i], index->dim[i], "size of input, indices"))
      return;
    dim[i] = inner[i];
    must[i] = i < 2 ? x->dim[i] : NULL;
  }
  if (node_in(n, 2) && !sizes_of(n, 2, x->rank, must, dim)) return;
  infer_out(n, 0, x->dtype, x->rank, dim);
}

static void lower_unpool(Lower *l, Node *n)
{
  Value *x = n->in[0], *y = n->out[0];
  const Dim *inner[MAX_RANK];
  if (!unpool_shape(n, inner)) return;
  lower_call(l, n, "max_unpool", x->dtype, "iiodkDD", x, n->in[1], y,
             value_numel(x), (int64_t)x->rank, inner, x->rank, y->dim, x->rank);
}

/* Col2Im. The block's shape may be data too. */
typedef struct {
  int axes;
  int64_t stride[MAX_RANK], dilation[MAX_RANK], pad[2 * MAX_RANK];
} Blocks;

static bool read_blocks(Node *n, Blocks *b)
{
  int64_t axes = 0;
  if (n->in[0]->rank != 3) {
    fail_model(n, "input has rank %d (spec: 3)", n->in[0]->rank);
    return false;
  }
  if (!dim_is_int(value_numel(n->in[2]), &axes) || axes < 1 ||
      axes > MAX_RANK - 2) {
    fail_model(n, "block_shape has shape %s (spec: one number for each axis)",
               value_shape_text(n->in[2]));
    return false;
  }
  b->axes = (int)axes;
  return numbers(n, "strides", b->axes, 1, b->stride) &&
         numbers(n, "dilations", b->axes, 1, b->dilation) &&
         numbers(n, "pads", 2 * b->axes, 0, b->pad) &&
         infer_equal(n, value_numel(n->in[1]), dim_int(node_dims(n), axes),
                     "numbers of image_shape, block_shape");
}

/* The channels; NULL: after a diagnostic, or (the node is not bad) open. */
static const Dim *col2im_channels(Node *n)
{
  const Value *x = n->in[0];
  DimPool *p = node_dims(n);
  const Dim *c;
  const int64_t *v;
  int64_t taps = 1;
  int count;
  if (!infer_const_ints(n, 2, &v, &count)) return NULL;
  for (int i = 0; i < count; i++) {
    if (v[i] < 1 || v[i] > LIMIT / taps) {
      fail_model(n, "block_shape[%d] is %lld (spec: positive)", i,
                 (long long)v[i]);
      return NULL;
    }
    taps *= v[i];
  }
  c = dim_div_exact(p, x->dim[1], dim_int(p, taps));
  if (!c)
    fail_model(n, "%s channels of blocks of %lld (spec: a multiple)",
               dim_text(p, x->dim[1]), (long long)taps);
  return c;
}

static void infer_col2im(Node *n)
{
  const Value *x = node_in(n, 0), *y = node_out(n, 0);
  const Type *d = y ? y->declared : NULL;
  const Dim *dim[MAX_RANK], *const *image;
  DtypeClass c;
  Blocks b;
  int count;
  if (!infer_ready(n) || !read_blocks(n, &b)) return;
  c = dtype_info(x->dtype)->cls;
  if (c == DC_BOOL || c == DC_STR) {
    /* ONNX Col2Im: "input and output types to all numeric tensor types". */
    fail_unsupported(n, "sums of %s elements; feed numbers",
                     dtype_info(x->dtype)->onnx);
    return;
  }
  image = infer_content(n, 1, &count);
  dim[0] = x->dim[0];
  dim[1] = col2im_channels(n);
  if (n->bad) return;
  for (int i = 0; i < b.axes; i++) dim[2 + i] = image ? image[i] : NULL;
  if (!image || !dim[1]) {
    bool told = d && d->kind == VK_TENSOR && d->rank == b.axes + 2;
    for (int i = 1; told && i < d->rank; i++)
      if (!dim[i]) dim[i] = d->dim[i];
    if (!infer_sizes(n, b.axes + 1, NULL, dim + 1)) return;
  }
  infer_out(n, 0, x->dtype, b.axes + 2, dim);
}

static void sizes_col2im(Lower *l, Node *n)
{
  lower_call(l, n, "size_col2im", DT_I64, "iiddS", n->in[1], n->in[2],
             n->in[0]->dim[1], value_numel(n->in[2]));
}

static void lower_col2im(Lower *l, Node *n)
{
  Value *x = n->in[0], *y = n->out[0];
  Blocks b;
  if (!read_blocks(n, &b)) return;
  lower_call(l, n, "col2im", x->dtype, "iioddddkDKKKK", x, n->in[2], y,
             y->dim[0], y->dim[1], x->dim[1], x->dim[2], (int64_t)b.axes,
             y->dim + 2, b.axes, b.pad, b.axes, b.pad + b.axes, b.axes,
             b.stride, b.axes, b.dilation, b.axes);
}

static int axis_col2im(const Node *n, int in, int axis, int out)
{
  (void)n, (void)out;
  return in == 0 && axis == 0 ? 0 : AXIS_MIXES;
}

/* CenterCropPad: axes of its sizes; -1 after a diagnostic. */
static int crop_axes(Node *n, int *axis)
{
  int count = 0, rank = n->in[0]->rank;
  const int64_t *v = attr_ints(n, "axes", &count);
  unsigned seen = 0;
  if (!v) count = rank;
  for (int i = 0; i < count; i++) {
    axis[i] = v ? axis_norm(n, v[i], rank) : i;
    if (axis[i] < 0) return -1;
    if (seen & 1u << axis[i]) {
      fail_model(n, "axis %d stands twice in axes (spec: once)", axis[i]);
      return -1;
    }
    seen |= 1u << axis[i];
  }
  return count;
}

static void infer_crop(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK], *must[MAX_RANK] = {0}, *size[MAX_RANK];
  int axis[MAX_RANK];
  if (!infer_ready(n)) return;
  int count = crop_axes(n, axis);
  if (count < 0 || !sizes_of(n, 1, count, must, size)) return;
  for (int i = 0; i < x->rank; i++) dim[i] = x->dim[i];
  for (int k = 0; k < count; k++) dim[axis[k]] = size[k];
  infer_out(n, 0, x->dtype, x->rank, dim);
}

/* Half of it, cut off towards zero. */
static const Dim *half(DimPool *p, const Dim *d)
{
  const Dim *zero = dim_int(p, 0), *two = dim_int(p, 2);
  return dim_sub(p, dim_div(p, dim_max(p, d, zero), two),
                 dim_div(p, dim_max(p, dim_sub(p, zero, d), zero), two));
}

static void lower_crop(Lower *l, Node *n)
{
  Value *x = n->in[0], *y = n->out[0];
  DimPool *p = node_dims(n);
  const Dim *begin[MAX_RANK], *end[MAX_RANK];
  for (int i = 0; i < x->rank; i++) {
    const Dim *more = dim_sub(p, y->dim[i], x->dim[i]);
    begin[i] = half(p, more);
    end[i] = dim_sub(p, more, begin[i]);
  }
  lower_call(l, n, "pad", dtype_carrier(x->dtype), "iiokkDDD", x, NULL, y,
             (int64_t)x->rank, (int64_t)0, x->dim, x->rank, begin, x->rank, end,
             x->rank);
}

static int axis_crop(const Node *n, int in, int axis, int out)
{
  const Value *x = n->in[0], *y = node_out(n, 0);
  (void)out;
  return in == 0 && y && y->rank == x->rank && x->dim[axis] == y->dim[axis]
           ? axis : AXIS_MIXES;
}

static const OpRow unpool_rows[] = {
  {9, "X:T I:i64 output_shape:i64? -> output:T", "T=float",
   "kernel_shape:I! pads:I strides:I", NULL},
  {11, NULL, NULL, NULL, NULL},
  {22, NULL, "T=float bf16", NULL, NULL},
};
static const OpRow col2im_rows[] = {
  {18, "input:T image_shape:i64 block_shape:i64 -> output:T", "T=all13",
   "dilations:I pads:I strides:I", NULL},
};
static const OpRow crop_rows[] = {
  {18, "input_data:T shape:I -> output_data:T", "T=all13; I=i32 i64", "axes:I",
   NULL},
};

static const OpDef defs[] = {
  {.name = "MaxUnpool", .rows = unpool_rows, .nrow = COUNT(unpool_rows),
   .infer = infer_unpool, .lower = lower_unpool, .sizes = sizes_ints},
  {.name = "Col2Im", .rows = col2im_rows, .nrow = COUNT(col2im_rows),
   .infer = infer_col2im, .lower = lower_col2im, .sizes = sizes_col2im,
   .axis = axis_col2im},
  {.name = "CenterCropPad", .rows = crop_rows, .nrow = COUNT(crop_rows),
   .infer = infer_crop, .lower = lower_crop, .sizes = sizes_ints,
   .axis = axis_crop, .flags = OP_MOVES},
};
OPS_DEFINE(unpool, defs)
