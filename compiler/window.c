/* SPDX-License-Identifier: Apache-2.0 */
/* Sliding windows: what Conv, ConvTranspose and the pools share.
 *
 * A ConvGeom states a node's window, axis by axis, with every default filled
 * in and auto_pad resolved to explicit padding. Extents are Dims, so that
 * symbolic batches and images work; kernels, strides and dilations are
 * numbers. Nothing here records diagnostics: what the specification forbids
 * becomes the text `error`, for infer functions to report; passes and
 * providers ask after inference and just see false.
 *
 * The internal attribute channels_last, made by passes, never read from a file,
 * says that x and y are [N, spatial.., C]; a weight stays as ONNX has it.
 */
#include "ir.h"

#include <string.h>

#define LIMIT ((int64_t)1 << 30) /* of kernel, stride, dilation, padding */

typedef enum { PAD_EXPLICIT, PAD_UPPER, PAD_LOWER, PAD_VALID, PAD_WRONG }
  PadMode;

static bool wrong(const Node *n, ConvGeom *g, const char *fmt, ...)
  PRINTF(3, 4);
static bool wrong(const Node *n, ConvGeom *g, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  g->error = arena_vprintf(&n->g->m->arena, fmt, ap);
  va_end(ap);
  return false;
}

/* An attribute with one number in [least, LIMIT] for each spatial axis. */
static bool per_axis(const Node *n, ConvGeom *g, const char *name,
                     int64_t least, int64_t *out)
{
  int count = 0;
  const int64_t *v = attr_ints(n, name, &count);
  for (int i = 0; i < g->n; i++)
    out[i] = 1;
  if (!v || !count)
    return true;
  if (count != g->n)
    return wrong(n, g, "%s has %d numbers for %d spatial axes (spec: equal)",
                 name, count, g->n);
  for (int i = 0; i < count; i++) {
    if (v[i] < least || v[i] > LIMIT)
      return wrong(n, g, "%s[%d] is %lld (spec: at least %lld)", name, i,
                   (long long)v[i], (long long)least);
    out[i] = v[i];
  }
  return true;
}

static PadMode pad_mode(const Node *n)
{
  static const char *const name[] = {
    "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"
  };
  const char *s = attr_str(n, "auto_pad", "NOTSET");
  for (int i = 0; i < COUNT(name); i++)
    if (!strcmp(s, name[i]))
      return (PadMode)i;
  return *s ? PAD_WRONG : PAD_EXPLICIT;
}

static bool explicit_pads(const Node *n, ConvGeom *g)
{
  int count = 0;
  const int64_t *v = attr_ints(n, "pads", &count);
  DimPool *p = &n->g->m->dims;
  if (v && count && count != 2 * g->n)
    return wrong(n, g, "pads has %d numbers for %d spatial axes (spec: two "
                 "for each)", count, g->n);
  for (int i = 0; i < 2 * g->n; i++) {
    int64_t pad = v && count ? v[i] : 0;
    if (pad < 0 || pad > LIMIT)
      return wrong(n, g, "pads[%d] is %lld (spec: at least 0)", i,
                   (long long)pad);
    *(i < g->n ? &g->begin[i] : &g->end[i - g->n]) = dim_int(p, pad);
  }
  return true;
}

/* Half of t, rounded toward zero. */
static const Dim *half(DimPool *p, const Dim *t)
{
  const Dim *zero = dim_int(p, 0), *two = dim_int(p, 2);
  const Dim *more = dim_div(p, dim_max(p, t, zero), two);
  const Dim *less = dim_div(p, dim_max(p, dim_sub(p, zero, t), zero), two);
  return dim_sub(p, more, less);
}

/* Splits `total` for SAME_UPPER and SAME_LOWER. */
static void split_pad(DimPool *p, ConvGeom *g, int i, const Dim *total,
                      bool upper)
{
  g->begin[i] = half(p, dim_add(p, total, dim_int(p, !upper)));
  g->end[i] = dim_sub(p, total, g->begin[i]);
}

/* SAME: one window for every stride, begun or not. Where strides are longer
 * than windows, convolutions are not padded, while pools, by the text of ONNX
 * AveragePool-1 on, are by a negative amount: elements at both ends are left
 * out. */
static void same_axis(DimPool *p, ConvGeom *g, int i, bool upper)
{
  const Dim *s = dim_int(p, g->stride[i]);
  g->out[i] = dim_ceil_div(p, g->in[i], s);
  const Dim *reach = dim_add(p,
    dim_mul(p, dim_sub(p, g->out[i], dim_int(p, 1)), s),
    dim_int(p, g->extent[i]));
  const Dim *total = dim_sub(p, reach, g->in[i]);
  if (g->extent[i] < g->stride[i]) {
    if (g->want_channels) /* a convolution */
      total = dim_max(p, total, dim_int(p, 0));
    split_pad(p, g, i, total, upper);
    return;
  }
  /* total is at least extent - stride: no case for less than 0 is needed. */
  g->begin[i] = dim_div(p, dim_add(p, total, dim_int(p, !upper)),
                        dim_int(p, 2));
  g->end[i] = dim_sub(p, total, g->begin[i]);
}

/* ceil_mode: windows may hang over the end, but one which would start in the
 * end padding is left out. ONNX MaxPool-22 says so; the texts before it do not,
 * but exporters and runtimes have always done it. The two bounds have the same
 * divisor, so that the smaller is known even if the extents are not. */
static const Dim *ceil_windows(DimPool *p, const ConvGeom *g, int i,
                               const Dim *room)
{
  const Dim *s = dim_int(p, g->stride[i]);
  const Dim *all = dim_add(p, room, s);
  const Dim *starts = dim_add(p, g->in[i], g->begin[i]);
  int64_t more = 0;
  if (dim_is_int(dim_sub(p, all, starts), &more) && more > 0)
    all = starts;
  return dim_ceil_div(p, all, s);
}

static bool out_axis(const Node *n, ConvGeom *g, int i, bool ceil_mode)
{
  DimPool *p = &n->g->m->dims;
  int64_t room_v, in_v;
  const Dim *padded = dim_add(p, g->in[i], dim_add(p, g->begin[i], g->end[i]));
  const Dim *room = dim_sub(p, padded, dim_int(p, g->extent[i]));
  if (ceil_mode)
    g->out[i] = ceil_windows(p, g, i, room);
  else
    g->out[i] = dim_add(p, dim_div(p, room, dim_int(p, g->stride[i])),
                        dim_int(p, 1));
  if (!dim_is_int(room, &room_v) || room_v >= 0)
    return true;
  if (dim_is_int(g->in[i], &in_v) && in_v == 0) { /* nothing in, nothing out */
    g->out[i] = dim_int(p, 0);
    return true;
  }
  return wrong(n, g, "the window of %lld is larger than the padded input of "
               "%s on spatial axis %d", (long long)g->extent[i],
               dim_text(p, padded), i);
}

static bool resolve_axes(const Node *n, ConvGeom *g)
{
  DimPool *p = &n->g->m->dims;
  PadMode mode = pad_mode(n);
  bool ceil_mode = attr_int(n, "ceil_mode", 0) != 0;
  if (mode == PAD_WRONG)
    return wrong(n, g, "auto_pad is '%s' (spec: NOTSET, SAME_UPPER, "
                 "SAME_LOWER or VALID)",
                 quote(&n->g->m->arena, attr_str(n, "auto_pad", "")));
  if (mode == PAD_EXPLICIT && !explicit_pads(n, g))
    return false;
  for (int i = 0; i < g->n; i++) {
    g->extent[i] = (g->kernel[i] - 1) * g->dilation[i] + 1;
    if (g->extent[i] > LIMIT)
      return wrong(n, g, "the dilated kernel of spatial axis %d is %lld wide",
                   i, (long long)g->extent[i]);
    if (mode == PAD_VALID)
      g->begin[i] = g->end[i] = dim_int(p, 0);
    if (mode == PAD_UPPER || mode == PAD_LOWER)
      same_axis(p, g, i, mode == PAD_UPPER);
    else if (!out_axis(n, g, i, ceil_mode && mode == PAD_EXPLICIT))
      return false;
  }
  return true;
}

/* Batch, channels and spatial extents of x. */
static bool read_input(const Node *n, ConvGeom *g)
{
  const Value *x = node_in(n, 0);
  memset(g, 0, sizeof *g);
  if (!x || x->rank < 0)
    return false;
  if (x->rank < 3)
    return wrong(n, g, "input is rank %d (spec: batch, channels and at least "
                 "one spatial axis)", x->rank);
  g->n = x->rank - 2;
  g->channels_last = attr_int(n, "channels_last", 0) != 0;
  g->batch = x->dim[0];
  g->channels = x->dim[g->channels_last ? x->rank - 1 : 1];
  g->filters = g->channels;
  g->group = 1;
  for (int i = 0; i < g->n; i++)
    g->in[i] = x->dim[i + (g->channels_last ? 1 : 2)];
  return per_axis(n, g, "strides", 1, g->stride) &&
         per_axis(n, g, "dilations", 1, g->dilation);
}

/* kernel_shape, which must agree with the weight. */
static bool weight_kernel(const Node *n, ConvGeom *g, const Value *w)
{
  int count = 0;
  const int64_t *shape = attr_ints(n, "kernel_shape", &count);
  if (!per_axis(n, g, "kernel_shape", 1, g->kernel))
    return false;
  for (int i = 0; i < g->n; i++) {
    int64_t k;
    if (!dim_is_int(w->dim[i + 2], &k)) {
      if (!shape || !count)
        return wrong(n, g, "the kernel's size is not known: give the weight a "
                     "static shape, or the node a kernel_shape");
      continue;
    }
    if (k < 1 || k > LIMIT || (shape && count && g->kernel[i] != k))
      return wrong(n, g, "weight is %lld on spatial axis %d, kernel_shape %lld "
                   "(spec: equal)", (long long)k, i, (long long)g->kernel[i]);
    g->kernel[i] = k;
  }
  return true;
}

/* The weight's place differs: X W, or x x_scale x_zero_point w. */
static const Value *weight_of(const Node *n)
{
  return node_in(n, node_is(n, "QLinearConv") ? 3 : 1);
}

static bool check_group(const Node *n, ConvGeom *g)
{
  int64_t c;
  g->group = attr_int(n, "group", 1);
  if (g->group < 1 || g->group > LIMIT)
    return wrong(n, g, "group is %lld (spec: at least 1)",
                 (long long)g->group);
  if (dim_is_int(g->channels, &c) && c % g->group)
    return wrong(n, g, "%lld channels are no multiple of %lld groups",
                 (long long)c, (long long)g->group);
  return true;
}

static bool weight_rank(const Node *n, ConvGeom *g, const Value *w)
{
  if (w->rank != g->n + 2)
    return wrong(n, g, "weight is rank %d, input rank %d (spec: equal)",
                 w->rank, g->n + 2);
  return check_group(n, g);
}

bool conv_geometry(const Node *n, ConvGeom *g)
{
  const Value *w = weight_of(n);
  DimPool *p = &n->g->m->dims;
  int64_t a;
  if (!read_input(n, g) || !w || w->rank < 0 || !weight_rank(n, g, w) ||
      !weight_kernel(n, g, w))
    return false;
  g->filters = w->dim[0];
  g->want_channels = dim_mul(p, w->dim[1], dim_int(p, g->group));
  if (dim_is_int(g->filters, &a) && a % g->group)
    return wrong(n, g, "%lld filters are no multiple of %lld groups",
                 (long long)a, (long long)g->group);
  return resolve_axes(n, g);
}

bool pool_geometry(const Node *n, ConvGeom *g)
{
  if (!read_input(n, g))
    return false;
  int count = 0;
  const int64_t *shape = attr_ints(n, "kernel_shape", &count);
  if (!shape || !count)
    return wrong(n, g, "kernel_shape is missing (spec: required)");
  return per_axis(n, g, "kernel_shape", 1, g->kernel) && resolve_axes(n, g);
}

/* ONNX ConvTranspose-11: output_shape wins over pads, which follow from it;
 * only SAME_UPPER puts the odd pad at the end. */
static bool transpose_axis(const Node *n, ConvGeom *g, int i, int64_t more,
                           const int64_t *shape)
{
  DimPool *p = &n->g->m->dims;
  PadMode mode = pad_mode(n);
  const Dim *s = dim_int(p, g->stride[i]);
  const Dim *full = dim_add(p,
    dim_mul(p, dim_sub(p, g->in[i], dim_int(p, 1)), s),
    dim_int(p, g->extent[i] + more));
  bool same = mode == PAD_UPPER || mode == PAD_LOWER;
  if (!shape && !same) {
    g->out[i] = dim_sub(p, full, dim_add(p, g->begin[i], g->end[i]));
  } else {
    g->out[i] = shape ? dim_int(p, shape[i]) : dim_mul(p, g->in[i], s);
    split_pad(p, g, i, dim_sub(p, full, g->out[i]), mode == PAD_UPPER);
  }
  int64_t out;
  if (dim_is_int(g->out[i], &out) && out < 0)
    return wrong(n, g, "output is %lld on spatial axis %d", (long long)out, i);
  return true;
}

static bool transpose_axes(const Node *n, ConvGeom *g)
{
  int nshape = 0, nmore = 0;
  const int64_t *shape = attr_ints(n, "output_shape", &nshape);
  const int64_t *more = attr_ints(n, "output_padding", &nmore);
  int64_t padding[MAX_RANK];
  if (!per_axis(n, g, "output_padding", 0, padding))
    return false;
  /* Some exporters give batch and channels too. */
  if (shape && nshape == g->n + 2)
    shape += 2;
  else if (shape && nshape && nshape != g->n)
    return wrong(n, g, "output_shape has %d numbers for %d spatial axes",
                 nshape, g->n);
  for (int i = 0; i < g->n; i++) {
    g->extent[i] = (g->kernel[i] - 1) * g->dilation[i] + 1;
    if (g->extent[i] > LIMIT ||
        (nshape && (shape[i] < 0 || shape[i] > LIMIT)))
      return wrong(n, g, "output_shape or dilated kernel of spatial axis %d "
                   "is out of range", i);
    if (!transpose_axis(n, g, i, more && nmore ? padding[i] : 0,
                        nshape ? shape : NULL))
      return false;
  }
  return true;
}

bool conv_transpose_geometry(const Node *n, ConvGeom *g)
{
  const Value *w = node_in(n, 1);
  DimPool *p = &n->g->m->dims;
  if (!read_input(n, g) || !w || w->rank < 0 || !weight_rank(n, g, w) ||
      !weight_kernel(n, g, w))
    return false;
  g->want_channels = w->dim[0];
  g->filters = dim_mul(p, w->dim[1], dim_int(p, g->group));
  PadMode mode = pad_mode(n);
  if (mode == PAD_WRONG)
    return wrong(n, g, "auto_pad is not one of the specification's words");
  for (int i = 0; i < g->n; i++)
    g->begin[i] = g->end[i] = dim_int(p, 0);
  if (mode == PAD_EXPLICIT && !explicit_pads(n, g))
    return false;
  return transpose_axes(n, g);
}

bool geometry_unpadded(const ConvGeom *g)
{
  for (int i = 0; i < g->n; i++)
    if (!dim_is(g->begin[i], 0) || !dim_is(g->end[i], 0))
      return false;
  return true;
}

bool infer_geometry(Node *n, bool (*of)(const Node *, ConvGeom *), ConvGeom *g)
{
  if (!infer_ready(n))
    return false;
  if (!of(n, g)) {
    if (g->error)
      fail_model(n, "%s", g->error);
    return false;
  }
  return !g->want_channels ||
         infer_equal(n, g->channels, g->want_channels,
                     "channels of the input and of the weight's groups");
}

/* Samples stay apart; channels and positions meet in a window. */
int geometry_axis(const Node *n, int in, int axis, int out)
{
  (void)n, (void)out;
  return in == 0 && axis == 0 ? 0 : AXIS_MIXES;
}

int geometry_out(const ConvGeom *g, const Dim **dim)
{
  int k = 0;
  dim[k++] = g->batch;
  if (!g->channels_last)
    dim[k++] = g->filters;
  for (int i = 0; i < g->n; i++)
    dim[k++] = g->out[i];
  if (g->channels_last)
    dim[k++] = g->filters;
  return k;
}
