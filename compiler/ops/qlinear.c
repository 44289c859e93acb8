/* SPDX-License-Identifier: Apache-2.0 */
/* ConvInteger, QLinearConv, MatMulInteger, QLinearMatMul.
 *
 * 8-bit integers are summed in int32 and requantised as DESIGN.md section 2
 * says. QLinearMatMul of float8 dequantises, multiplies in float and quantises.
 */
#include "ir.h"
#include "o2c.h"
#include "../../runtime_min/kernels/ref/base.h"
#include "../../runtime_min/kernels/ref/qlinear.h"

static bool one_element(const Value *v)
{
  return dim_is(value_numel(v), 1);
}

/* One element for all, or one for each filter. */
static bool per_filter(Node *n, const Value *v, const Dim *filters,
                       const char *what)
{
  return !v || one_element(v) || infer_equal(n, value_numel(v), filters, what);
}

static bool single(Node *n, int i, const char *what)
{
  const Value *v = node_in(n, i);
  return !v || one_element(v) ||
         infer_equal(n, value_numel(v), dim_int(node_dims(n), 1), what);
}

static void infer_conv_integer(Node *n)
{
  ConvGeom g;
  const Dim *dim[MAX_RANK];
  if (!infer_geometry(n, conv_geometry, &g) ||
      !single(n, 2, "elements of x_zero_point") ||
      !per_filter(n, node_in(n, 3), g.filters,
                  "elements of w_zero_point, filters"))
    return;
  int rank = geometry_out(&g, dim);
  infer_out(n, 0, DT_I32, rank, dim);
}

static void infer_qlinear_conv(Node *n)
{
  ConvGeom g;
  const Dim *dim[MAX_RANK];
  const Value *b = node_in(n, 8);
  if (!infer_geometry(n, conv_geometry, &g) ||
      !single(n, 1, "elements of x_scale") ||
      !single(n, 2, "elements of x_zero_point") ||
      !single(n, 6, "elements of y_scale") ||
      !single(n, 7, "elements of y_zero_point") ||
      !per_filter(n, node_in(n, 4), g.filters, "elements of w_scale, filters")
      || !per_filter(n, node_in(n, 5), g.filters,
                     "elements of w_zero_point, filters"))
    return;
  if (b && !infer_equal(n, value_numel(b), g.filters,
                        "elements of bias, filters"))
    return;
  int rank = geometry_out(&g, dim);
  infer_out(n, 0, n->in[7]->dtype, rank, dim);
}

static int64_t sign_flags(const Value *a, const Value *b)
{
  return (a->dtype == DT_I8 ? O2C_Q_X_SIGNED : 0) |
         (b->dtype == DT_I8 ? O2C_Q_W_SIGNED : 0);
}

static void lower_conv_integer(Lower *l, Node *n)
{
  ConvGeom g;
  Value *wz = node_in(n, 3);
  int64_t flags = sign_flags(n->in[0], n->in[1]);
  if (!conv_geometry(n, &g))
    return;
  if (wz && !one_element(wz))
    flags |= O2C_Q_ZEROS;
  lower_call(l, n, "conv_integer", DT_I32, "iiiiodddkkkkDDDKKK", n->in[0],
             n->in[1], node_in(n, 2), wz, n->out[0], g.batch, g.channels,
             g.filters, g.group, (int64_t)g.n, (int64_t)g.channels_last, flags,
             g.in, g.n, g.out, g.n, g.begin, g.n, g.kernel, g.n, g.stride, g.n,
             g.dilation, g.n);
}

static void lower_qlinear_conv(Lower *l, Node *n)
{
  ConvGeom g;
  int64_t flags = sign_flags(n->in[0], n->in[3]);
  if (!conv_geometry(n, &g))
    return;
  if (!one_element(n->in[4]))
    flags |= O2C_Q_SCALES;
  if (n->in[5] && !one_element(n->in[5]))
    flags |= O2C_Q_ZEROS;
  lower_call(l, n, "qlinear_conv", n->out[0]->dtype,
             "iiiiiiiiiodddkkkkDDDKKK", n->in[0], n->in[1], n->in[2], n->in[3],
             n->in[4], n->in[5], n->in[6], n->in[7], node_in(n, 8), n->out[0],
             g.batch, g.channels, g.filters, g.group, (int64_t)g.n,
             (int64_t)g.channels_last, flags, g.in, g.n, g.out, g.n, g.begin,
             g.n, g.kernel, g.n, g.stride, g.n, g.dilation, g.n);
}

/* ONNX QLinearMatMul-10: scales and zero points are one for all, a vector (for
 * each row on the left, for each column on the right), or [.., m, 1] and
 * [.., 1, n]. `rows`: how many there are. */
static bool vector_fits(Node *n, const Value *v, bool left, const Dim *rows)
{
  const Dim *one = dim_int(node_dims(n), 1);
  const char *what = left ? "scales or zero points, rows"
                          : "scales or zero points, columns";
  if (!v || one_element(v))
    return true;
  if (v->rank <= 1)
    return infer_equal(n, value_numel(v), rows, what);
  return infer_equal(n, v->dim[v->rank - (left ? 2 : 1)], rows, what) &&
         infer_equal(n, v->dim[v->rank - (left ? 1 : 2)], one, what);
}

/* The batch of a scale is that of the product, or broadcasts to it. */
static bool batch_fits(Node *n, const Value *v, const MatShape *s)
{
  int own = v && !one_element(v) && v->rank > 2 ? v->rank - 2 : 0;
  if (own > s->rank) {
    fail_model(n, "a scale or zero point is rank %d, the product's batch %d",
               v->rank, s->rank);
    return false;
  }
  for (int i = 0; i < own; i++)
    if (!dim_is(v->dim[i], 1) &&
        !infer_equal(n, v->dim[i], s->batch[s->rank - own + i],
                     "batch of a scale or zero point, of the product"))
      return false;
  return true;
}

static bool vector_ok(Node *n, int i, bool left, const MatShape *s)
{
  const Value *v = node_in(n, i);
  return vector_fits(n, v, left, left ? s->m : s->n) && batch_fits(n, v, s);
}

static void infer_matmul_integer(Node *n)
{
  MatShape s;
  if (!infer_matmul_of(n, 0, 1, DT_I32))
    return;
  matmul_shape(n, 0, 1, &s);
  if (vector_ok(n, 2, true, &s))
    vector_ok(n, 3, false, &s);
}

static bool is_byte(const Value *v)
{
  return v->dtype == DT_U8 || v->dtype == DT_I8;
}

static bool all_bytes(const Node *n)
{
  return is_byte(n->in[0]) && is_byte(n->in[3]) && is_byte(n->in[7]);
}

/* Dequantised factors have scales with exactly their own batch. */
static bool own_scales(Node *n, int matrix, int scale, const Value *x)
{
  const Value *v = n->in[scale];
  bool same = v->rank <= 2 || one_element(v) || v->rank == x->rank;
  for (int i = 0; same && i + 2 < v->rank && !one_element(v); i++)
    same = v->dim[i] == x->dim[i];
  if (!same)
    fail_unsupported(n, "input %d: scales that broadcast along the batch of "
                        "float8 factors", matrix);
  return same && infer_equal(n, value_numel(n->in[scale + 1]), value_numel(v),
                             "elements of the zero point and of the scale");
}

static void infer_qlinear_matmul(Node *n)
{
  MatShape s;
  const Value *yz = node_in(n, 7);
  if (!yz || !infer_matmul_of(n, 0, 3, yz->dtype))
    return;
  matmul_shape(n, 0, 3, &s);
  for (int i = 1; i < 8; i++)
    if (i != 3 && !vector_ok(n, i, i < 3 || i > 5, &s))
      return;
  if (!all_bytes(n) && own_scales(n, 0, 1, n->in[0]) &&
      own_scales(n, 3, 4, n->in[3]))
    own_scales(n, 6, 6, n->out[0]);
}

/* Strides of a scale or zero point: along rows or columns, and the batch. */
typedef struct { int64_t step; const Dim *batch[MAX_RANK]; } VectorStride;

static void vector_stride(const Node *n, int i, const MatShape *s,
                          VectorStride *v)
{
  const Value *x = node_in(n, i);
  DimPool *p = node_dims(n);
  bool many = x && !one_element(x);
  v->step = many;
  if (many)
    matmul_strides(p, x, s->rank, v->batch);
  else
    for (int k = 0; k < s->rank; k++)
      v->batch[k] = dim_int(p, 0);
}

/* The int32 product of inputs ia and ib, whose zero points follow. */
static void lower_product(Lower *l, Node *n, const MatShape *s, const int in[4],
                          Value *y)
{
  VectorStride a, b;
  Value *x = node_in(n, in[0]), *w = node_in(n, in[1]);
  vector_stride(n, in[2], s, &a);
  vector_stride(n, in[3], s, &b);
  lower_call(l, n, "matmul_integer", DT_I32, "iiiiodddkkkkDDDDD", x, w,
             node_in(n, in[2]), node_in(n, in[3]), y, s->m, s->n, s->k,
             (int64_t)s->rank, sign_flags(x, w), a.step, b.step, s->batch,
             s->rank, s->as, s->rank, s->bs, s->rank, a.batch, s->rank,
             b.batch, s->rank);
}

static void lower_matmul_integer(Lower *l, Node *n)
{
  MatShape s;
  matmul_shape(n, 0, 1, &s);
  lower_product(l, n, &s, (const int[]){ 0, 1, 2, 3 }, n->out[0]);
}

static void lower_bytes(Lower *l, Node *n, const MatShape *s)
{
  VectorStride v[4];
  static const int from[4] = { 1, 4, 6, 7 };
  Value *y = n->out[0];
  Value *sum = lower_scratch(l, n, DT_I32, value_numel(y));
  for (int i = 0; i < 4; i++)
    vector_stride(n, from[i], s, &v[i]);
  lower_product(l, n, s, (const int[]){ 0, 3, 2, 5 }, sum);
  lower_call(l, n, "qlinear_matmul", y->dtype, "iiiiioddkkkkkDDDDD", sum,
             lower_real(l, n, n->in[1], DT_F32),
             lower_real(l, n, n->in[4], DT_F32),
             lower_real(l, n, n->in[6], DT_F32), n->in[7], y, s->m, s->n,
             (int64_t)s->rank, v[0].step, v[1].step, v[2].step, v[3].step,
             s->batch, s->rank, v[0].batch, s->rank, v[1].batch, s->rank,
             v[2].batch, s->rank, v[3].batch, s->rank);
}

/* As the kernels of quantize.h want it: [outer, n, inner] and three strides.
 * A vector lies along the rows, or (right) the columns. */
typedef struct { const Dim *outer, *n, *inner, *so, *sa, *si; } Matrix;

static void matrix_of(const Node *n, const Value *x, const Value *scale,
                      bool left, Matrix *m)
{
  DimPool *p = node_dims(n);
  const Dim *zero = dim_int(p, 0), *one = dim_int(p, 1);
  *m = (Matrix){ one, one, value_numel(x), zero, zero, zero };
  if (one_element(scale))
    return;
  m->inner = x->dim[x->rank - 1];
  if (x->rank > 1) {
    m->outer = dim_prod(p, x->dim, x->rank - 2);
    m->n = x->dim[x->rank - 2];
  }
  m->so = scale->rank > 2 ? left ? m->n : m->inner : zero;
  *(left ? &m->sa : &m->si) = one;
}

static Value *dequantized(Lower *l, Node *n, int i, bool left)
{
  Matrix m;
  Value *x = n->in[i];
  Value *y = lower_scratch(l, n, DT_F32, value_numel(x));
  matrix_of(n, x, n->in[i + 1], left, &m);
  lower_call(l, n, "dequantize", x->dtype, "iiiodddkddd", x,
             lower_real(l, n, n->in[i + 1], DT_F32), n->in[i + 2], y, m.outer,
             m.n, m.inner, (int64_t)1, m.so, m.sa, m.si);
  return y;
}

static void lower_floats(Lower *l, Node *n, const MatShape *s)
{
  Matrix m;
  Value *y = n->out[0], *a = dequantized(l, n, 0, true);
  Value *b = dequantized(l, n, 3, false);
  Value *product = lower_scratch(l, n, DT_F32, value_numel(y));
  lower_call(l, n, "matmul", DT_F32, "iiodddkDDD", a, b, product, s->m, s->n,
             s->k, (int64_t)s->rank, s->batch, s->rank, s->as, s->rank, s->bs,
             s->rank);
  matrix_of(n, y, n->in[6], true, &m);
  lower_call(l, n, "quantize", y->dtype, "iiiodddkdddkk", product,
             lower_real(l, n, n->in[6], DT_F32), n->in[7], y, m.outer, m.n,
             m.inner, (int64_t)1, m.so, m.sa, m.si, (int64_t)1, (int64_t)32);
}

static void lower_qlinear_matmul(Lower *l, Node *n)
{
  MatShape s;
  matmul_shape(n, 0, 3, &s);
  if (all_bytes(n))
    lower_bytes(l, n, &s);
  else
    lower_floats(l, n, &s);
}

/* Samples that have scales or zero points of their own do not move freely. */
static int axis_product(const Node *n, int in, int axis, int right)
{
  for (int i = 0; i < n->nin; i++)
    if (i != 0 && i != right && node_in(n, i) && !one_element(n->in[i]))
      return AXIS_MIXES;
  return in == 0 || in == right ? matmul_axis(n, in == 0, 0, right, axis)
                                : AXIS_MIXES;
}

static int axis_matmul_integer(const Node *n, int in, int axis, int out)
{
  (void)out;
  return axis_product(n, in, axis, 1);
}

static int axis_qlinear_matmul(const Node *n, int in, int axis, int out)
{
  (void)out;
  return axis_product(n, in, axis, 3);
}

#define CONV_ATTRS \
  "group:i pads:I auto_pad:s strides:I dilations:I kernel_shape:I"

static const OpRow conv_integer_rows[] = {
  { 10, "x:X w:W x_zero_point:X? w_zero_point:W? -> y:Y",
    "X=i8 u8; W=i8 u8; Y=i32", CONV_ATTRS, NULL },
};
static const OpRow qlinear_conv_rows[] = {
  { 10, "x:X x_scale:F x_zero_point:X w:W w_scale:F w_zero_point:W y_scale:F "
    "y_zero_point:Y B:B? -> y:Y",
    "X=i8 u8; W=i8 u8; Y=i8 u8; B=i32; F=f32", CONV_ATTRS, NULL },
};
static const OpRow matmul_integer_rows[] = {
  { 10, "A:X B:W a_zero_point:X? b_zero_point:W? -> Y:Y",
    "X=i8 u8; W=i8 u8; Y=i32", "", NULL },
};
static const OpRow qlinear_matmul_rows[] = {
  { 10, "a:X a_scale:S a_zero_point:X b:W b_scale:S b_zero_point:W y_scale:S "
    "y_zero_point:Y -> y:Y", "X=i8 u8; W=i8 u8; Y=i8 u8; S=f32", "", NULL },
  { 21, NULL, "X=i8 u8 f8; W=i8 u8 f8; Y=i8 u8 f8; S=f32 f16 bf16", NULL,
    NULL },
};

static const OpDef defs[] = {
  { .name = "ConvInteger", .rows = conv_integer_rows,
    .nrow = COUNT(conv_integer_rows), .infer = infer_conv_integer,
    .lower = lower_conv_integer, .axis = geometry_axis },
  { .name = "QLinearConv", .rows = qlinear_conv_rows,
    .nrow = COUNT(qlinear_conv_rows), .infer = infer_qlinear_conv,
    .lower = lower_qlinear_conv, .axis = geometry_axis },
  { .name = "MatMulInteger", .rows = matmul_integer_rows,
    .nrow = COUNT(matmul_integer_rows), .infer = infer_matmul_integer,
    .lower = lower_matmul_integer, .axis = axis_matmul_integer },
  { .name = "QLinearMatMul", .rows = qlinear_matmul_rows,
    .nrow = COUNT(qlinear_matmul_rows), .infer = infer_qlinear_matmul,
    .lower = lower_qlinear_matmul, .axis = axis_qlinear_matmul },
};

OPS_DEFINE(qlinear, defs)
