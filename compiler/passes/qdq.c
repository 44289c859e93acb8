/* SPDX-License-Identifier: Apache-2.0 */
/* QDQ form to integer arithmetic.
 *
 * A model in QDQ form computes in float between DequantizeLinear and
 * QuantizeLinear. Where both ends of an operator are 8-bit with constant
 * scales, it becomes its integer twin:
 *
 *   Q(act(Conv(DQ(x), DQ(w), b)))   QConv    sums in int32, requantised
 *   Q(act(Gemm or MatMul ...))      QGemm
 *   Conv, Gemm without the Q        the same, with f32 output
 *   Q(AveragePool(DQ(x)))           QAveragePool (also Global)
 *   Q(move(DQ(x))), same scale      move(x): MaxPool, Reshape, Transpose, ..
 *   Q(Concat(DQ(x), ..))            Concat of requantised bytes
 *
 * Activations are made unsigned first: int8 with zero point z is uint8 with
 * z + 128, bit for bit. act is Relu or Clip, which becomes bounds of the
 * clamp. A requantised value is round(sum * f32(x_s w_s / y_s)) + y_z, which
 * may differ from the float reading by one step where sums round otherwise.
 */
#include "../ir.h"

#include <math.h>
#include <string.h>

typedef struct {
  Value *q;       /* the 8-bit tensor */
  float scale;
  int zp;
} Quant;

static bool is_8bit(Dtype t) { return t == DT_U8 || t == DT_I8; }

static bool scalar_params(const Node *n, float *scale, int *zp, Dtype *zp_type)
{
  const Tensor *s = const_input(n, 1), *z = const_input(n, 2);
  if (!s || s->n != 1 || s->dtype != DT_F32 || (node_in(n, 2) && !z) ||
      (z && z->n != 1))
    return false;
  *scale = (float)tensor_f64(s, 0);
  *zp = z ? (int)tensor_i64(z, 0) : 0;
  *zp_type = z ? z->dtype : DT_U8;
  return *scale > 0;
}

/* v = DQ(q) with one scale for all of q. */
static bool dequantized(const Value *v, Quant *q)
{
  Dtype t;
  if (!v || !v->def || !node_is(v->def, "DequantizeLinear") ||
      v->dtype != DT_F32 || !scalar_params(v->def, &q->scale, &q->zp, &t))
    return false;
  q->q = v->def->in[0];
  return q->q->dtype == DT_U8 && !q->q->data;
}

/* The QuantizeLinear that alone reads v, to u8 with one scale. */
static Node *quantizer(const Value *v, Quant *q)
{
  Dtype t;
  Node *n = v ? value_only_user(v) : NULL;
  if (!n || !node_is(n, "QuantizeLinear") || n->in[0] != v ||
      !scalar_params(n, &q->scale, &q->zp, &t))
    return NULL;
  q->q = n->out[0];
  return q->q->dtype == DT_U8 ? n : NULL;
}

/* --- int8 activations become uint8 ------------------------------------- */

static void shift_zero(Node *n)
{
  const Tensor *z = const_input(n, 2);
  Tensor *t = tensor_new(&n->g->m->arena, DT_U8, 0, NULL);
  tensor_set_i64(t, 0, (z ? tensor_i64(z, 0) : 0) + 128);
  node_set_input(n, 2, value_const(n->g, "zero_point", t));
}

static bool make_unsigned(Node *n)
{
  float s;
  int zp;
  Dtype t;
  Value *v = n->out[0];
  if (!node_is(n, "QuantizeLinear") || v->dtype != DT_I8 || v->is_output ||
      !scalar_params(n, &s, &zp, &t))
    return false;
  for (int i = 0; i < v->nuse; i++) {
    Node *u = v->use[i];
    if (!node_is(u, "DequantizeLinear") || u->in[0] != v ||
        !scalar_params(u, &s, &zp, &t))
      return false;
  }
  shift_zero(n);
  attr_remove(n, "output_dtype");
  for (int i = 0; i < v->nuse; i++)
    shift_zero(v->use[i]);
  v->dtype = DT_U8;
  return true;
}

/* --- weights ------------------------------------------------------------ */

typedef struct {
  Tensor *w;            /* s8, zero point 0, first axis: filters */
  const Tensor *scale;  /* one, or one for each filter */
  int64_t filters;
} QWeight;

static int64_t zero_at(const Tensor *z, int64_t i)
{
  return z ? tensor_i64(z, z->n == 1 ? 0 : i) : 0;
}

/* w[k] - zp as s8, or false where it does not fit; trans: [K, N] to [N, K]. */
static bool signed_weight(Node *dq, int axis, bool trans, QWeight *out)
{
  const Tensor *w = const_input(dq, 0), *z = const_input(dq, 2);
  int64_t outer = trans ? w->dim[0] : 1;
  int64_t filters = w->dim[axis], per = filters ? w->n / filters : 0;
  int64_t dim[MAX_RANK];
  memcpy(dim, w->dim, sizeof dim);
  if (trans) {
    dim[0] = w->dim[1];
    dim[1] = w->dim[0];
  }
  out->w = tensor_new(&dq->g->m->arena, DT_I8, w->rank, dim);
  int8_t *to = (int8_t *)(uintptr_t)out->w->data;
  for (int64_t f = 0; f < filters; f++)
    for (int64_t k = 0; k < per; k++) {
      int64_t from = trans ? k * filters + f : f * per + k;
      int64_t v = tensor_i64(w, from) - zero_at(z, f);
      if (v < -128 || v > 127)
        return false;
      to[f * per + k] = (int8_t)v;
    }
  (void)outer;
  out->filters = filters;
  return true;
}

/* v = DQ(constant), its scale for the whole or along `axis`. */
static bool weight_of(const Value *v, int axis, bool trans, QWeight *out)
{
  Node *n = v ? v->def : NULL;
  if (!n || !node_is(n, "DequantizeLinear"))
    return false;
  const Tensor *w = const_input(n, 0), *z = const_input(n, 2);
  out->scale = const_input(n, 1);
  if (!w || !is_8bit(w->dtype) || !out->scale || (node_in(n, 2) && !z) ||
      out->scale->dtype != DT_F32 || w->rank <= axis)
    return false;
  int64_t at = attr_int(n, "axis", 1), filters = w->dim[axis];
  if (at < 0)
    at += w->rank;
  if (out->scale->n != 1 && (out->scale->n != filters || at != axis))
    return false;
  if (z && z->n != 1 && z->n != filters)
    return false;
  return signed_weight(n, axis, trans, out);
}

static float weight_scale(const QWeight *w, int64_t f)
{
  return (float)tensor_f64(w->scale, w->scale->n == 1 ? 0 : f);
}

/* --- bias, multipliers, bounds ------------------------------------------- */

/* Bias in steps of x_s w_s, before the zero point of x is folded in. */
static bool bias_steps(const Value *b, const Quant *x, const QWeight *w,
                       int64_t *steps)
{
  const Tensor *t = NULL;
  bool whole = false;
  if (b && b->def && node_is(b->def, "DequantizeLinear")) {
    t = const_input(b->def, 0);
    whole = t && t->dtype == DT_I32 && !node_in(b->def, 2);
    const Tensor *z = const_input(b->def, 2);
    whole = whole || (t && t->dtype == DT_I32 && z && z->n &&
                      tensor_i64(z, 0) == 0);
    if (!whole)
      return false;
  } else if (b) {
    t = b->data;
  }
  if (b && (!t || (t->n != w->filters && t->n != 1)))
    return false;
  for (int64_t f = 0; f < w->filters; f++) {
    int64_t at = t && t->n == 1 ? 0 : f;
    float step = x->scale * weight_scale(w, f);
    double v = !t ? 0 : whole ? (double)tensor_i64(t, at)
                              : nearbyint(tensor_f64(t, at) / (double)step);
    if (!(v > -2147483648.0 && v < 2147483648.0))
      return false;
    steps[f] = (int64_t)v;
  }
  return true;
}

/* -x_zp * sum(w) added; wraps as the sums do. */
static Value *folded_bias(Graph *g, const Quant *x, const QWeight *w,
                          const int64_t *steps)
{
  Tensor *t = tensor_new(&g->m->arena, DT_I32, 1, &w->filters);
  int64_t per = w->filters ? w->w->n / w->filters : 0;
  const int8_t *p = w->w->data;
  for (int64_t f = 0; f < w->filters; f++) {
    int64_t sum = 0;
    for (int64_t k = 0; k < per; k++)
      sum += p[f * per + k];
    tensor_set_i64(t, f, (int32_t)(uint32_t)(steps[f] - x->zp * sum));
  }
  return value_const(g, "bias", t);
}

/* ONNX QLinearConv-10: one f32 number; rounded as x_s * w_s, then / y_s. */
static Value *multipliers(Graph *g, const Quant *x, const QWeight *w,
                          const Quant *y)
{
  Tensor *t = tensor_new(&g->m->arena, DT_F32, 1, &w->filters);
  for (int64_t f = 0; f < w->filters; f++) {
    float s = x->scale * weight_scale(w, f);
    tensor_set_f64(t, f, (double)(y ? s / y->scale : s));
  }
  return value_const(g, "scale", t);
}

static int to_step(float v, const Quant *y)
{
  float q = nearbyintf(v / y->scale) + (float)y->zp;
  return q <= 0 ? 0 : q >= 255 ? 255 : (int)q;
}

/* Follows v through Relu and Clip to a QuantizeLinear; bounds in steps. */
static Node *find_quantizer(Value *v, Quant *y, int *lo, int *hi, Node **acts,
                            int *nact)
{
  float low = -INFINITY, high = INFINITY;
  *nact = 0;
  for (;;) {
    Node *n = value_only_user(v);
    Node *q = quantizer(v, y);
    if (q) {
      *lo = to_step(low, y);
      *hi = to_step(high, y);
      return q;
    }
    float a, b;
    if (!n || *nact == 4 || n->in[0] != v || !clamp_bounds(n, &a, &b))
      return NULL;
    low = fmaxf(low, a);
    high = fminf(high, b);
    acts[(*nact)++] = n;
    v = n->out[0];
  }
}

typedef struct {
  Node *n, *q;          /* the operator, its QuantizeLinear or NULL */
  Quant x, y;
  QWeight w;
  int lo, hi;
  Node *act[4];
  int nact;
} Match;

/* Puts node `op` in the place of n .. q. */
static Node *put_integer(Match *m, const char *op, const Value *b)
{
  Node *n = m->n;
  Graph *g = n->g;
  int64_t *steps = NEW(&g->m->arena, int64_t, m->w.filters + 1);
  if (!bias_steps(b, &m->x, &m->w, steps))
    return NULL;
  Node *c = node_new(g, m->q ? m->q : n, op, 4, 1, n);
  c->domain = "o2c";
  c->version = 1;
  c->op = op_find("o2c", op);
  c->attr = n->attr;
  c->nattr = n->nattr;
  node_set_input(c, 0, m->x.q);
  node_set_input(c, 1, value_const(g, "w_s8", m->w.w));
  node_set_input(c, 2, folded_bias(g, &m->x, &m->w, steps));
  node_set_input(c, 3, multipliers(g, &m->x, &m->w, m->q ? &m->y : NULL));
  attr_set_int(c, "x_zp", m->x.zp);
  attr_set_int(c, "y_zp", m->q ? m->y.zp : 0);
  attr_set_int(c, "lo", m->q ? m->lo : 0);
  attr_set_int(c, "hi", m->q ? m->hi : 255);
  Value *old = m->q ? m->q->out[0] : n->out[0];
  Value *y = value_tmp(g, old->name, old);
  node_set_output(c, 0, y);
  value_replace(old, y);
  if (m->q)
    node_absorb(c, m->q);
  for (int i = m->nact - 1; i >= 0; i--)
    node_absorb(c, m->act[i]);
  node_remove(n);
  return c;
}

static bool match_conv(Node *n)
{
  Match m = { .n = n };
  ConvGeom g;
  if (!node_is(n, "Conv") || !dequantized(node_in(n, 0), &m.x) ||
      !conv_geometry(n, &g) || g.n > 2 ||
      !weight_of(node_in(n, 1), 0, false, &m.w))
    return false;
  m.q = find_quantizer(n->out[0], &m.y, &m.lo, &m.hi, m.act, &m.nact);
  if (!m.q)
    m.nact = 0;
  return put_integer(&m, "QConv", node_in(n, 2)) != NULL;
}

static bool match_gemm(Node *n)
{
  Match m = { .n = n };
  bool gemm = node_is(n, "Gemm");
  if ((!gemm && !node_is(n, "MatMul")) || !dequantized(node_in(n, 0), &m.x) ||
      attr_int(n, "transA", 0) || attr_float(n, "alpha", 1) != 1 ||
      attr_float(n, "beta", 1) != 1 || !node_in(n, 1) ||
      n->in[1]->rank != 2 || n->in[0]->rank < 2)
    return false;
  bool trans = !gemm || !attr_int(n, "transB", 0); /* [K, N] in the file */
  if (!weight_of(n->in[1], trans ? 1 : 0, trans, &m.w))
    return false;
  m.q = find_quantizer(n->out[0], &m.y, &m.lo, &m.hi, m.act, &m.nact);
  if (!m.q)
    m.nact = 0;
  return put_integer(&m, "QGemm", gemm ? node_in(n, 2) : NULL) != NULL;
}

static bool same_params(const Quant *a, const Quant *b)
{
  return a->scale == b->scale && a->zp == b->zp;
}

/* Operators that take 8-bit tensors as they are. */
static bool moves_bytes(const Node *n)
{
  static const char *const ops[] = {
    "MaxPool", "GlobalMaxPool", "Reshape", "Flatten", "Squeeze", "Unsqueeze",
    "Transpose", "Slice", "Identity", "Expand", "Tile", "Gather",
  };
  for (int i = 0; i < COUNT(ops); i++)
    if (node_is(n, ops[i]))
      return node_out(n, 1) == NULL;
  return false;
}

static bool match_move(Node *n)
{
  Quant x, y;
  if (!moves_bytes(n) || !dequantized(node_in(n, 0), &x))
    return false;
  Node *q = quantizer(n->out[0], &y);
  if (!q || !same_params(&x, &y))
    return false;
  node_set_input(n, 0, x.q);
  n->out[0]->dtype = DT_U8;
  value_replace(q->out[0], n->out[0]);
  node_absorb(n, q);
  return true;
}

/* y = Q(DQ(x)): bytes with other parameters. */
static Value *requantized(Node *at, const Node *dq, const Node *q)
{
  Value *f = node_op(at, "DequantizeLinear", dq->nin, dq->in[0], dq->in[1],
                     node_in(dq, 2));
  return node_op(at, "QuantizeLinear", q->nin, f, q->in[1], node_in(q, 2));
}

static bool match_concat(Node *n)
{
  Quant x, y;
  if (!node_is(n, "Concat"))
    return false;
  Node *q = quantizer(n->out[0], &y);
  if (!q || q->nin < 3)
    return false;
  for (int i = 0; i < n->nin; i++)
    if (!dequantized(n->in[i], &x) || n->in[i]->def->nin < 3)
      return false;
  for (int i = 0; i < n->nin; i++) {
    Node *dq = n->in[i]->def;
    dequantized(n->in[i], &x);
    node_set_input(n, i, same_params(&x, &y) ? x.q : requantized(n, dq, q));
  }
  n->out[0]->dtype = DT_U8;
  value_replace(q->out[0], n->out[0]);
  node_absorb(n, q);
  return true;
}

static bool match_average(Node *n)
{
  Quant x, y;
  bool global = node_is(n, "GlobalAveragePool");
  if ((!global && !node_is(n, "AveragePool")) ||
      !dequantized(node_in(n, 0), &x) || n->in[0]->rank != 4 ||
      attr_int(n, "ceil_mode", 0))
    return false;
  Node *q = quantizer(n->out[0], &y);
  if (!q)
    return false;
  Node *c = node_new(n->g, q, "QAveragePool", 1, 1, n);
  c->domain = "o2c";
  c->version = 1;
  c->op = op_find("o2c", "QAveragePool");
  c->attr = n->attr;
  c->nattr = n->nattr;
  node_set_input(c, 0, x.q);
  attr_set_int(c, "global", global);
  attr_set_int(c, "x_zp", x.zp);
  attr_set_int(c, "y_zp", y.zp);
  attr_set_float(c, "scale", x.scale / y.scale);
  Value *made = value_tmp(n->g, q->out[0]->name, q->out[0]);
  node_set_output(c, 0, made);
  value_replace(q->out[0], made);
  node_absorb(c, q);
  node_remove(n);
  return true;
}

bool pass_qdq(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first; n; n = n->next)
    changed |= make_unsigned(n);
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    Node *before = n->prev;
    bool done = match_conv(n) || match_gemm(n) || match_move(n) ||
                match_concat(n) || match_average(n);
    changed |= done;
    if (done) /* the nodes behind `before` are not those they were */
      next = before ? before->next : g->first;
  }
  return changed;
}
