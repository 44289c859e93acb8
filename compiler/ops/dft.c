/* SPDX-License-Identifier: Apache-2.0 */
/* DFT and STFT. Lengths, axis and step are data; where they are no constants
 * and no expressions of dimensions, sizes are found at run time. */
#include "../ir.h"

static bool scalar_input(Node *n, int i, const char *what)
{
  int64_t count;
  if (!node_in(n, i) || !dim_is_int(value_numel(n->in[i]), &count) ||
      count == 1)
    return true;
  fail_model(n, "%s has %lld elements (spec: one)", what, (long long)count);
  return false;
}

/* A constant below 1 is refused; what only the run tells, it checks. */
static bool positive(Node *n, const Dim *d, const char *what)
{
  int64_t v;
  if (!d || !dim_is_int(d, &v) || v >= 1) return true;
  fail_model(n, "%s is %lld (spec: at least 1)", what, (long long)v);
  return false;
}

/* How many numbers the last axis of x is: 1 or 2; 0 after a diagnostic. */
static int parts_of(Node *n)
{
  const Value *x = n->in[0];
  int64_t v = 0;
  if (x->rank >= 2 && dim_is_int(x->dim[x->rank - 1], &v) && (v == 1 || v == 2))
    return (int)v;
  if (x->rank >= 2 && !v)
    fail_unsupported(n, "the last axis of the signal is %s; fix it to 1 (real) "
                     "or 2 (complex), with --dim",
                     dim_text(node_dims(n), x->dim[x->rank - 1]));
  else
    fail_model(n, "the signal has shape %s (spec: at least two axes, the last "
               "of 1 or 2)", value_shape_text(x));
  return 0;
}

/* What a real signal of n samples needs to be known by: n / 2 + 1. */
static const Dim *half_of(DimPool *p, const Dim *n)
{
  return dim_add(p, dim_div(p, n, dim_int(p, 2)), dim_int(p, 1));
}

/* DFT. */
static void upgrade_dft(Node *n)
{
  int64_t axis = attr_int(n, "axis", 1);
  node_set_input(n, 2, value_const_scalar(n->g, "axis", DT_I64, (double)axis));
  attr_remove(n, "axis");
}

bool dft_shape(const Node *n, DftShape *s)
{
  const Value *x = n->in[0], *axis = node_in(n, 2);
  DimPool *p = node_dims(n);
  s->inverse = attr_int(n, "inverse", 0) != 0;
  s->onesided = attr_int(n, "onesided", 0) != 0;
  s->axis = -1;
  s->n = node_in(n, 1) ? infer_scalar(n, 1) : NULL;
  if (axis && !axis->data) return false;
  s->axis = (int)(axis ? tensor_i64(axis->data, 0) : -2);
  if (s->axis < 0) s->axis += x->rank;
  if (!node_in(n, 1)) {
    s->n = x->dim[s->axis];
    if (s->inverse && s->onesided)
      s->n = dim_mul(p, dim_int(p, 2), dim_sub(p, s->n, dim_int(p, 1)));
  }
  return s->n != NULL;
}

/* The axis, where it is known, and what the spec says of the parts. */
static bool check_dft(Node *n)
{
  const Value *x = n->in[0], *axis = node_in(n, 2);
  bool inverse = attr_int(n, "inverse", 0), half = attr_int(n, "onesided", 0);
  int parts = parts_of(n), at;
  if (!parts || !scalar_input(n, 1, "dft_length") ||
      !scalar_input(n, 2, "axis"))
    return false;
  if (half && parts != 1 + inverse) {
    fail_model(n, "onesided, and the signal is %s (spec: real, or complex of "
               "the inverse)", parts == 1 ? "real" : "complex");
    return false;
  }
  if (axis && !axis->data) return true;
  at = axis_norm(n, axis ? tensor_i64(axis->data, 0) : -2, x->rank);
  if (at == x->rank - 1)
    fail_model(n, "axis is the last one (spec: that is for the parts)");
  return at >= 0 && at < x->rank - 1;
}

static void infer_dft(Node *n)
{
  const Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  const Dim *dim[MAX_RANK];
  DftShape s;
  if (!infer_ready(n) || !check_dft(n)) return;
  bool known = dft_shape(n, &s);
  if (!positive(n, s.n, "the length of the transform")) return;
  for (int i = 0; i < x->rank - 1; i++) dim[i] = x->dim[i];
  dim[x->rank - 1] = dim_int(p, s.inverse && s.onesided ? 1 : 2);
  if (known) {
    dim[s.axis] = s.onesided && !s.inverse ? half_of(p, s.n) : s.n;
    infer_out(n, 0, x->dtype, x->rank, dim);
    return;
  }
  for (int i = 0; i < x->rank - 1; i++)
    if (s.axis < 0 || i == s.axis)
      dim[i] = infer_declared_dim(n, 0, x->rank, i);
  if (infer_sizes(n, x->rank, NULL, dim))
    infer_out(n, 0, x->dtype, x->rank, dim);
}

/* The number that input 1 is, or -1: to be found by the run. */
static const Dim *length_or(const Node *n, const DftShape *s)
{
  return s->n ? s->n : dim_int(node_dims(n), -1);
}

static void sizes_dft(Lower *l, Node *n)
{
  Value *x = n->in[0], *length = node_in(n, 1);
  DftShape s;
  dft_shape(n, &s);
  lower_call(l, n, "size_dft", length ? length->dtype : DT_I64, "iidkkkkDS",
             length, node_in(n, 2), length_or(n, &s), (int64_t)s.axis,
             (int64_t)s.inverse, (int64_t)s.onesided, (int64_t)x->rank, x->dim,
             x->rank);
}

/* The most that the length can be, as far as the output tells. */
static const Dim *length_bound(const Node *n, const DftShape *s)
{
  const Value *y = n->out[0];
  DimPool *p = node_dims(n);
  const Dim *sum = dim_int(p, 0);
  if (s->n) return s->n;
  for (int i = 0; i < y->rank - 1; i++)
    if (s->axis < 0 || i == s->axis) sum = dim_add(p, sum, y->dim[i]);
  return s->onesided && !s->inverse ? dim_mul(p, sum, dim_int(p, 2)) : sum;
}

static void lower_dft(Lower *l, Node *n)
{
  Value *x = n->in[0], *y = n->out[0], *length = node_in(n, 1), *work;
  DimPool *p = node_dims(n);
  DftShape s;
  dft_shape(n, &s);
  if (s.n) length = NULL;
  work = lower_scratch(l, n, DT_F64,
                       dim_mul(p, dim_int(p, 6), length_bound(n, &s)));
  lower_call(l, n, "dft", x->dtype, "iiiookdkkkkDD", x, length,
             s.axis < 0 ? n->in[2] : NULL, y, work,
             (int64_t)(length ? dtype_info(length->dtype)->size : 8),
             length_or(n, &s), (int64_t)s.axis, (int64_t)s.inverse,
             (int64_t)s.onesided, (int64_t)x->rank, x->dim, x->rank, y->dim,
             y->rank);
}

static int axis_dft(const Node *n, int in, int axis, int out)
{
  DftShape s;
  (void)out;
  dft_shape(n, &s);
  return in == 0 && s.axis >= 0 && axis != s.axis &&
         axis < n->in[0]->rank - 1 ? axis : AXIS_MIXES;
}

/* STFT: 0 after a diagnostic. */
static int check_stft(Node *n)
{
  const Value *x = n->in[0], *window = node_in(n, 2);
  int parts = parts_of(n);
  if (!parts || !scalar_input(n, 1, "frame_step") ||
      !scalar_input(n, 3, "frame_length"))
    return 0;
  if (x->rank != 3 || (window && window->rank != 1)) {
    fail_model(n, "the %s has rank %d (spec: %d)",
               x->rank != 3 ? "signal" : "window",
               x->rank != 3 ? x->rank : window->rank, x->rank != 3 ? 3 : 1);
    return 0;
  }
  if (attr_int(n, "onesided", 1) && parts == 2) {
    fail_model(n, "onesided, and the signal is complex (spec: real)");
    return 0;
  }
  return parts;
}

void stft_shape(const Node *n, StftShape *s)
{
  const Value *window = node_in(n, 2);
  s->onesided = attr_int(n, "onesided", 1) != 0;
  s->step = infer_scalar(n, 1);
  s->n = window ? window->dim[0]
    : node_in(n, 3) ? infer_scalar(n, 3) : n->in[0]->dim[1];
  if (!s->n && n->size) s->n = n->size[2];
}

static void infer_stft(Node *n)
{
  const Value *x = node_in(n, 0);
  DimPool *p = node_dims(n);
  const Dim *dim[4], *size[3], *frame = NULL, *all;
  StftShape s;
  if (!infer_ready(n) || !check_stft(n)) return;
  stft_shape(n, &s);
  all = x->dim[1];
  if (node_in(n, 3)) frame = infer_scalar(n, 3);
  if (!positive(n, s.step, "frame_step") ||
      !positive(n, s.n, "the length of a frame") ||
      (frame && !infer_equal(n, frame, s.n, "frame_length, the window")))
    return;
  if (s.n && s.step) {
    const Dim *more = dim_sub(p, x->dim[1], s.n);
    size[0] = dim_add(p, dim_div(p, more, s.step), dim_int(p, 1));
    if (!dim_nonneg(p, more))
      size[0] = dim_max(p, size[0], dim_int(p, 0));
    size[1] = s.onesided ? half_of(p, s.n) : s.n;
  } else {
    size[0] = infer_declared_dim(n, 0, 4, 1);
    size[1] = s.n ? (s.onesided ? half_of(p, s.n) : s.n)
      : infer_declared_dim(n, 0, 4, 2);
    size[2] = s.n;
    /* Steps and frames of one at least: no more of both than samples. */
    if (!infer_sizes(n, 3, (const Dim *[]){all, all, all}, size)) return;
  }
  dim[0] = x->dim[0];
  dim[1] = size[0];
  dim[2] = size[1];
  dim[3] = dim_int(p, 2);
  infer_out(n, 0, x->dtype, 4, dim);
}

static void sizes_stft(Lower *l, Node *n)
{
  Value *x = n->in[0], *step = n->in[1], *frame = node_in(n, 3);
  StftShape s;
  stft_shape(n, &s);
  if (s.n && !(n->size && s.n == n->size[2])) frame = NULL;
  lower_call(l, n, "size_stft", step->dtype, "iiddkS", step, frame,
             frame ? dim_int(node_dims(n), 0) : s.n, x->dim[1],
             (int64_t)s.onesided);
}

static void lower_stft(Lower *l, Node *n)
{
  Value *x = n->in[0], *y = n->out[0], *step = n->in[1];
  Value *frame = node_in(n, 3);
  DimPool *p = node_dims(n);
  StftShape s;
  stft_shape(n, &s);
  if (frame && infer_scalar(n, 3)) frame = NULL;
  lower_call(l, n, "stft", x->dtype, "iiiiookddddddd", x,
             s.step ? NULL : step, node_in(n, 2), frame, y,
             lower_scratch(l, n, DT_F64, dim_mul(p, dim_int(p, 6), s.n)),
             (int64_t)dtype_info(step->dtype)->size,
             s.step ? s.step : dim_int(p, 0), s.n, x->dim[0], x->dim[1],
             x->dim[2], y->dim[1], y->dim[2]);
}

static int axis_stft(const Node *n, int in, int axis, int out)
{
  (void)n, (void)out;
  return in == 0 && axis == 0 ? 0 : AXIS_MIXES;
}

#define REAL "T=float bf16; I=i32 i64"
static const OpRow dft_rows[] = {
  {17, "input:T dft_length:I? -> output:T", REAL,
   "axis:i inverse:i onesided:i", upgrade_dft},
  {20, "input:T dft_length:I? axis:i64? -> output:T", NULL,
   "inverse:i onesided:i", NULL},
};
static const OpRow stft_rows[] = {
  {17, "signal:T frame_step:I window:T? frame_length:I? -> output:T", REAL,
   "onesided:i", NULL},
};

static const OpDef defs[] = {
  {.name = "DFT", .rows = dft_rows, .nrow = COUNT(dft_rows),
   .infer = infer_dft, .lower = lower_dft, .axis = axis_dft,
   .sizes = sizes_dft},
  {.name = "STFT", .rows = stft_rows, .nrow = COUNT(stft_rows),
   .infer = infer_stft, .lower = lower_stft, .axis = axis_stft,
   .sizes = sizes_stft},
};
OPS_DEFINE(dft, defs)
