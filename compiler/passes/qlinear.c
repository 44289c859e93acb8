/* SPDX-License-Identifier: Apache-2.0 */
/* QLinearConv, ConvInteger, QLinearMatMul and MatMulInteger by a constant
 * weight become QConv and QGemm, bit for bit.
 *
 * A zero point of x that only the run tells (DynamicQuantizeLinear) is taken
 * from the raw sums afterwards, times the sum of each filter's weights; what
 * scales the sums does that in the same loop.
 *
 * Those take u8 activations: a signed one is turned (see quant.c), and so are
 * the operators between such products that only move bytes or take their
 * maximum, so that a signed network turns at its doors only.
 */
#include "../ir.h"

#include <string.h>

/* Where each operator has its inputs; -1: none. */
typedef struct {
  const char *op, *to;
  int x, xs, xz, w, ws, wz, ys, yz, b;
} Ports;

static const Ports ports[] = {
  { "QLinearConv", "QConv", 0, 1, 2, 3, 4, 5, 6, 7, 8 },
  { "ConvInteger", "QConv", 0, -1, 2, 1, -1, 3, -1, -1, -1 },
  { "QLinearMatMul", "QGemm", 0, 1, 2, 3, 4, 5, 6, 7, -1 },
  { "MatMulInteger", "QGemm", 0, -1, 2, 1, -1, 3, -1, -1, -1 },
};

static bool is_byte(Dtype t) { return t == DT_U8 || t == DT_I8; }

/* Input i as a constant of one element, or (most > 1) of `most`. */
static bool constant(const Node *n, int i, int64_t most, const Tensor **t)
{
  *t = i < 0 ? NULL : const_input(n, i);
  if (i < 0 || !node_in(n, i))
    return true;
  if (!*t || (*t)->n < 1)
    return false;
  return (*t)->n == 1 || ((*t)->n == most && (*t)->rank >= 1 &&
                          (*t)->dim[(*t)->rank - 1] == most);
}

/* A matrix, or a convolution of one or two axes. */
static bool shape_fits(const Node *n, const Ports *p, const Tensor *w)
{
  ConvGeom g;
  const Value *x = n->in[p->x];
  if (!strcmp(p->to, "QGemm"))
    return w->rank == 2 && x->rank >= 2;
  return conv_geometry(n, &g) && g.n <= 2;
}

/* ONNX QLinearConv-10: x_scale * w_scale / y_scale as f32. */
static float *multipliers(const Node *n, const Tensor *const t[3], int64_t m)
{
  float *s = NEW(&n->g->m->arena, float, m + 1);
  for (int64_t f = 0; f < m; f++) {
    float x = (float)tensor_f64(t[0], 0);
    float w = (float)tensor_f64(t[1], t[1]->n == 1 ? 0 : f);
    s[f] = x * w / (float)tensor_f64(t[2], 0);
  }
  return s;
}

static int64_t *bias_of(const Node *n, const Tensor *b, int64_t m)
{
  int64_t *v = NEW(&n->g->m->arena, int64_t, m + 1);
  for (int64_t f = 0; f < m && b; f++)
    v[f] = tensor_i64(b, b->n == 1 ? 0 : f);
  return v;
}

static Value *put(Node *n, ByteProduct *p, Dtype t)
{
  bool flips = t == DT_I8 && !p->w->part[1];
  p->y_zp += flips ? 128 : 0;
  Value *y = byte_product(n, p, flips ? DT_U8 : t);
  return flips ? bytes_signed(n, y) : y;
}

/* One zero point that only the run tells, where no padding stands for it. */
static bool late_zero(const Node *n, const Ports *p)
{
  ConvGeom g;
  const Value *z = node_in(n, p->xz);
  if (p->ys >= 0 || !z || z->data || !dim_is(value_numel(z), 1))
    return false;
  if (!strcmp(p->to, "QGemm"))
    return true;
  return conv_geometry(n, &g) && geometry_unpadded(&g);
}

/* sum - zero * (sum of the filter's weights) */
static Value *less_zero(Node *n, const Ports *p, const ByteWeight *w,
                        Value *sum)
{
  int64_t dim[MAX_RANK] = { w->filters };
  bool conv = !strcmp(p->to, "QConv");
  int rank = conv ? sum->rank - 1 : 1; /* channels come second */
  for (int i = 1; i < rank; i++)
    dim[i] = 1;
  Tensor *t = tensor_new(&n->g->m->arena, DT_I32, rank, dim);
  for (int64_t f = 0; f < w->filters; f++) {
    int64_t all = 0;
    for (int i = 0; i < 2 && w->part[i]; i++)
      for (int64_t k = 0; k < w->per; k++)
        all += ((const int8_t *)w->part[i]->data)[f * w->per + k];
    tensor_set_i64(t, f, (int32_t)(uint32_t)all);
  }
  Value *one = value_const_scalar(n->g, "one", DT_I32, 1);
  Value *z = node_op(n, "CastLike", 2, n->in[p->xz], one);
  Value *scalar = node_op(n, "Reshape", 2, z,
                          value_const_ints(n->g, "scalar", NULL, 0));
  Value *part = node_op(n, "Mul", 2, value_const(n->g, "sums", t), scalar);
  return node_op(n, "Sub", 2, sum, part);
}

static bool rewrite(Node *n, const Ports *p)
{
  const Tensor *xz, *wz, *yz, *b, *s[3];
  Value *x = node_in(n, p->x);
  const Tensor *w = const_input(n, p->w);
  if (!x || x->data || !w || !is_byte(x->dtype) || !is_byte(w->dtype) ||
      !shape_fits(n, p, w))
    return false;
  bool gemm = !strcmp(p->to, "QGemm");
  bool late = late_zero(n, p);
  int64_t m = w->dim[gemm ? 1 : 0];
  xz = NULL;
  if ((!late && !constant(n, p->xz, 1, &xz)) || !constant(n, p->yz, 1, &yz) ||
      !constant(n, p->wz, m, &wz) || !constant(n, p->b, m, &b) ||
      !constant(n, p->xs, 1, &s[0]) || !constant(n, p->ws, m, &s[1]) ||
      !constant(n, p->ys, 1, &s[2]))
    return false;
  ByteWeight bytes;
  if ((p->ys >= 0 && !is_byte(n->out[0]->dtype)) ||
      !byte_weight(n->g, w, wz, gemm, &bytes))
    return false;
  bool flips = x->dtype == DT_I8;
  ByteProduct q = {
    .op = p->to, .n = n, .x = flips ? bytes_unsigned(n, x) : x, .w = &bytes,
    .bias = bias_of(n, b, m), .hi = 255,
    .scale = p->ys < 0 ? NULL : multipliers(n, s, m),
    .x_zp = (xz ? (int)tensor_i64(xz, 0) : 0) + (flips ? 128 : 0),
    .y_zp = yz ? (int)tensor_i64(yz, 0) : 0,
  };
  Value *y = put(n, &q, n->out[0]->dtype);
  value_replace(n->out[0], late ? less_zero(n, p, &bytes, y) : y);
  node_remove(n);
  return true;
}

/* The order of signed bytes is that of their unsigned twins. */
static bool keeps_order(const Node *n)
{
  static const char *const ops[] = {
    "MaxPool", "GlobalMaxPool", "Reshape", "Flatten", "Squeeze", "Unsqueeze",
    "Transpose", "Slice", "Identity",
  };
  for (int i = 0; i < COUNT(ops); i++)
    if (node_is(n, ops[i]))
      return node_out(n, 1) == NULL;
  return false;
}

/* move(signed(u)) = signed(move(u)) */
static bool turn(Node *n)
{
  Value *x = node_in(n, 0), *y = node_out(n, 0);
  Value *u = x && y && keeps_order(n) ? bytes_twin(x) : NULL;
  if (!u)
    return false;
  Node *c = node_new(n->g, n, n->op_type, n->nin, 1, n);
  c->attr = n->attr;
  c->nattr = n->nattr;
  for (int i = 0; i < n->nin; i++)
    node_set_input(c, i, i ? n->in[i] : u);
  Value *made = value_new(n->g, y->name, DT_U8, y->rank,
                          (const Dim *const *)y->dim);
  node_set_output(c, 0, made);
  same_flipped(made, y);
  value_replace(y, bytes_signed(n, made));
  node_remove(n);
  return true;
}

bool pass_qlinear(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    bool done = false;
    for (int i = 0; i < COUNT(ports) && !done; i++)
      done = node_is(n, ports[i].op) && rewrite(n, &ports[i]);
    changed |= done || turn(n);
  }
  return changed;
}
