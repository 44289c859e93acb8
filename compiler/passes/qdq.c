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

/* One f32 scale and one zero point, constant; arithmetic in f32. */
static bool scalar_params(const Node *n, float *scale, int *zp)
{
  const Tensor *s = const_input(n, 1), *z = const_input(n, 2);
  int64_t precision = attr_int(n, "precision", 0);
  if (!s || s->n != 1 || s->dtype != DT_F32 || (node_in(n, 2) && !z) ||
      (z && z->n != 1) || (precision && precision != DT_F32))
    return false;
  *scale = (float)tensor_f64(s, 0);
  *zp = z ? (int)tensor_i64(z, 0) : 0;
  return *scale > 0;
}

/* v = DQ(q) with one scale for all of q. */
static bool dequantized(const Value *v, Quant *q)
{
  if (!v || !v->def || !node_is(v->def, "DequantizeLinear") ||
      v->dtype != DT_F32 || !scalar_params(v->def, &q->scale, &q->zp))
    return false;
  q->q = v->def->in[0];
  return q->q->dtype == DT_U8 && !q->q->data;
}

/* The QuantizeLinear that alone reads v, to u8 with one scale. */
static Node *quantizer(const Value *v, Quant *q)
{
  Node *n = v && v->dtype == DT_F32 ? value_only_user(v) : NULL;
  if (!n || !node_is(n, "QuantizeLinear") || n->in[0] != v ||
      !scalar_params(n, &q->scale, &q->zp))
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

static bool reads_scalar(const Node *n, const Value *v)
{
  float s;
  int zp;
  return node_is(n, "DequantizeLinear") && n->in[0] == v &&
         scalar_params(n, &s, &zp);
}

/* The DequantizeLinears of v, and only they, read `u` instead. */
static void read_unsigned(Value *v, Value *u)
{
  for (int i = v->nuse - 1; i >= 0; i--) {
    Node *n = v->use[i];
    if (!reads_scalar(n, v))
      continue;
    shift_zero(n);
    node_set_input(n, 0, u);
  }
}

/* Where all that read an s8 tensor dequantise it, it is made as u8; as a
 * result of the graph it is turned back. */
static bool make_unsigned(Node *n)
{
  float s;
  int zp;
  Value *v = n->out[0];
  if (!node_is(n, "QuantizeLinear") || v->dtype != DT_I8 || !v->nuse ||
      !scalar_params(n, &s, &zp))
    return false;
  for (int i = 0; i < v->nuse; i++)
    if (!reads_scalar(v->use[i], v))
      return false;
  Node *q = node_new(n->g, n, "QuantizeLinear", 3, 1, n);
  q->attr = n->attr;
  q->nattr = n->nattr;
  for (int i = 0; i < n->nin; i++)
    node_set_input(q, i, n->in[i]);
  shift_zero(q);
  attr_remove(q, "output_dtype");
  Value *u = value_new(n->g, v->name, DT_U8, v->rank,
                       (const Dim *const *)v->dim);
  node_set_output(q, 0, u);
  same_flipped(u, v);
  read_unsigned(v, u);
  if (v->is_output)
    value_replace(v, bytes_signed(n, u));
  node_remove(n);
  return true;
}

/* DQ of any other s8 tensor, such as an input. */
static bool read_input(Node *n)
{
  Value *v = node_in(n, 0);
  if (!v || v->dtype != DT_I8 || v->data || !reads_scalar(n, v) ||
      (v->def && node_is(v->def, "QuantizeLinear")))
    return false;
  read_unsigned(v, bytes_unsigned(n, v));
  return true;
}

/* --- weights ------------------------------------------------------------ */

typedef struct {
  ByteWeight bytes;
  const Tensor *scale;  /* one, or one for each filter */
} QWeight;

/* Of one element, or of one for each filter, and not in blocks. */
static bool along(const Tensor *t, int64_t filters, bool axis_fits)
{
  return t->n == 1 || (t->n == filters && t->rank == 1 && axis_fits);
}

/* v = DQ(constant), its scale for the whole or along `axis`. */
static bool weight_of(const Value *v, int axis, bool trans, QWeight *out)
{
  Node *n;
  if (!match_op(v, "DequantizeLinear", &n))
    return false;
  const Tensor *w = const_input(n, 0), *z = const_input(n, 2);
  out->scale = const_input(n, 1);
  if (!w || !is_8bit(w->dtype) || !out->scale || (node_in(n, 2) && !z) ||
      out->scale->dtype != DT_F32 || w->rank <= axis)
    return false;
  int64_t at = attr_int(n, "axis", 1), filters = w->dim[axis];
  bool fits = (at < 0 ? at + w->rank : at) == axis;
  return along(out->scale, filters, fits) && (!z || along(z, filters, fits)) &&
         byte_weight(n->g, w, z, trans, &out->bytes);
}

static float weight_scale(const QWeight *w, int64_t f)
{
  return (float)tensor_f64(w->scale, w->scale->n == 1 ? 0 : f);
}

/* --- bias, multipliers, bounds ------------------------------------------- */

/* Element f of a bias in float: a constant, or DQ(constant of int32). */
typedef struct { const Tensor *t, *scale; } Bias;

static bool all_zero(const Tensor *z)
{
  for (int64_t i = 0; z && i < z->n; i++)
    if (tensor_i64(z, i))
      return false;
  return true;
}

static bool bias_of(const Value *v, int64_t filters, Bias *b)
{
  Node *n;
  *b = (Bias){ NULL, NULL };
  if (!v)
    return true;
  b->t = v->data;
  if (match_op(v, "DequantizeLinear", &n)) {
    b->t = const_input(n, 0);
    b->scale = const_input(n, 1);
    if (!b->t || b->t->dtype != DT_I32 || !b->scale ||
        !along(b->scale, filters, true) || !all_zero(const_input(n, 2)) ||
        (node_in(n, 2) && !const_input(n, 2)))
      return false;
  }
  return b->t && (b->t->n == 1 || (b->t->n == filters &&
                                   b->t->dim[b->t->rank - 1] == filters));
}

/* As a multiple of x_s w_s: exact where it was quantised with that scale. */
static double bias_step(const Bias *b, int64_t f, float step)
{
  if (!b->t)
    return 0;
  double v = tensor_f64(b->t, b->t->n == 1 ? 0 : f);
  if (!b->scale)
    return v / (double)step;
  double s = tensor_f64(b->scale, b->scale->n == 1 ? 0 : f) / (double)step;
  return fabs(s - 1) < 1e-5 ? v : v * s;
}

/* Before the zero point of x is folded in. A step that is coarse for y, and
 * sums that int32 does not hold, are left to the float reading. */
static bool bias_steps(const Value *v, const Quant *x, const Quant *y,
                       const QWeight *w, int64_t *steps)
{
  Bias b;
  if (!bias_of(v, w->bytes.filters, &b))
    return false;
  for (int64_t f = 0; f < w->bytes.filters; f++) {
    float step = x->scale * weight_scale(w, f);
    double exact = bias_step(&b, f, step), n = nearbyint(exact);
    double room = 2147483647.0 - (double)byte_weight_most(&w->bytes, f);
    if (!(step > 0) || !(fabs(n) < room) ||
        (y && fabs(n - exact) * (double)step > 0.1 * (double)y->scale))
      return false;
    steps[f] = (int64_t)n;
  }
  return true;
}

/* ONNX QLinearConv-10: one f32 number; rounded as x_s * w_s, then / y_s. */
static float *multipliers(Graph *g, const Quant *x, const QWeight *w,
                          const Quant *y)
{
  float *t = NEW(&g->m->arena, float, w->bytes.filters + 1);
  for (int64_t f = 0; f < w->bytes.filters; f++) {
    float s = x->scale * weight_scale(w, f);
    t[f] = y ? s / y->scale : s;
  }
  return t;
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
    low = fminf(fmaxf(low, a), b);
    high = fminf(fmaxf(high, a), b);
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
static bool put_integer(Match *m, const char *op, const Value *b)
{
  Node *n = m->n;
  Graph *g = n->g;
  int64_t *steps = NEW(&g->m->arena, int64_t, m->w.bytes.filters + 1);
  if (!bias_steps(b, &m->x, m->q ? &m->y : NULL, &m->w, steps))
    return false;
  if (m->w.bytes.part[1]) { /* its product takes no clamp */
    m->q = NULL;
    m->nact = 0;
  }
  const Quant *y = m->q ? &m->y : NULL;
  ByteProduct p = {
    .op = op, .n = n, .x = m->x.q, .w = &m->w.bytes, .bias = steps,
    .scale = multipliers(g, &m->x, &m->w, y), .x_zp = m->x.zp,
    .y_zp = y ? y->zp : 0, .lo = y ? m->lo : 0, .hi = y ? m->hi : 255,
  };
  Value *old = y ? m->q->out[0] : n->out[0];
  Value *made = byte_product(y ? m->q : n, &p, y ? DT_U8 : DT_F32);
  value_replace(old, made);
  if (y)
    node_absorb(made->def, m->q);
  for (int i = m->nact - 1; i >= 0; i--)
    node_absorb(made->def, m->act[i]);
  node_remove(n);
  return true;
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
  return put_integer(&m, "QConv", node_in(n, 2));
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
  return put_integer(&m, "QGemm", gemm ? node_in(n, 2) : NULL);
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

/* A weight that is quantised in the graph: Q(constant). */
static bool fold_weight(Node *n)
{
  if (!node_is(n, "QuantizeLinear") || !const_input(n, 0) || !eval_node(n))
    return false;
  node_remove(n);
  return true;
}

bool pass_qdq(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    changed |= fold_weight(n) || make_unsigned(n) || read_input(n);
  }
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
