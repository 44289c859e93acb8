/* SPDX-License-Identifier: Apache-2.0 */
/* Weights of few bits, in blocks that share a scale: MatMulNBits, MatMulBnb4
 * and GatherBlockQuantized of com.microsoft. Products compute in float; their
 * matrices are unpacked here. Rows that are gathered are scaled as they are
 * taken, so a table stays at a byte an element. */
#include "ms_quant.h"

/* --- MatMulNBits ---------------------------------------------------------- */

typedef struct {
  int64_t n, k, bits, block, blocks; /* blocks of a column */
  const Tensor *b, *scale, *zero, *group;
} NBits;

/* Number i of those that begin at byte `from`, the lowest bits first. */
static int packed(const Tensor *t, int64_t from, int64_t i, int64_t bits)
{
  const uint8_t *p = t->data;
  int64_t per = 8 / bits;
  return p[from + i / per] >> (i % per * bits) & ((1 << bits) - 1);
}

static bool not_constant(Node *n)
{
  fail_unsupported(n, "its weights are only known at run time; make them "
                   "constants");
  return false;
}

static bool constants(Node *n, NBits *q)
{
  const Value *zero = node_in(n, 3), *group = node_in(n, 4);
  q->b = const_input(n, 1);
  q->scale = const_input(n, 2);
  q->zero = zero ? zero->data : NULL;
  q->group = group ? group->data : NULL;
  if (q->b && q->scale && (!zero || q->zero) && (!group || q->group))
    return true;
  return not_constant(n);
}

static bool fits(Node *n, const Tensor *t, int64_t elements, const char *what)
{
  if (!t || t->n == elements)
    return true;
  fail_model(n, "%s has %lld elements (spec: %lld)", what, (long long)t->n,
             (long long)elements);
  return false;
}

static bool read_nbits(Node *n, NBits *q)
{
  q->n = attr_int(n, "N", 0);
  q->k = attr_int(n, "K", 0);
  q->bits = attr_int(n, "bits", 4);
  q->block = attr_int(n, "block_size", 0);
  if (q->n < 1 || q->k < 1 || q->block < 8 ||
      (q->bits != 2 && q->bits != 4 && q->bits != 8)) {
    fail_model(n, "N, K, block_size or bits is none (spec: bits 2, 4 or 8)");
    return false;
  }
  if (!constants(n, q))
    return false;
  q->blocks = (q->k + q->block - 1) / q->block;
  bool bytes = q->zero && q->zero->dtype == DT_U8;
  int64_t row = bytes ? (q->blocks * q->bits + 7) / 8 : q->blocks;
  return fits(n, q->b, q->n * q->blocks * (q->block * q->bits / 8), "B") &&
         fits(n, q->scale, q->n * q->blocks, "scales") &&
         fits(n, q->zero, q->n * row, "zero_points") &&
         fits(n, q->group, q->k, "g_idx");
}

/* Element (k, column), in float as onnxruntime has it. */
static float unpacked(const NBits *q, int64_t k, int64_t column)
{
  int64_t block = q->group ? tensor_i64(q->group, k) : k / q->block;
  int64_t of = column * q->blocks + block;
  float zero = (float)(1 << (q->bits - 1));
  if (q->zero && q->zero->dtype == DT_U8)
    zero = (float)packed(q->zero, column * ((q->blocks * q->bits + 7) / 8),
                         block, q->bits);
  else if (q->zero)
    zero = (float)tensor_f64(q->zero, of);
  int64_t bytes = q->block * q->bits / 8;
  int v = packed(q->b, (column * q->blocks + k / q->block) * bytes,
                 k % q->block, q->bits);
  return ((float)v - zero) * (float)tensor_f64(q->scale, of);
}

static bool groups_ok(Node *n, const NBits *q)
{
  for (int64_t k = 0; q->group && k < q->k; k++) {
    int64_t v = tensor_i64(q->group, k);
    if (v < 0 || v >= q->blocks) {
      fail_model(n, "g_idx holds %lld (spec: 0 to %lld)", (long long)v,
                 (long long)q->blocks - 1);
      return false;
    }
  }
  return true;
}

static void upgrade_nbits(Node *n)
{
  NBits q;
  if (!infer_ready(n) || !read_nbits(n, &q) || !groups_ok(n, &q))
    return;
  int64_t dim[] = { q.k, q.n };
  Tensor *t = tensor_new(&n->g->m->arena, n->in[0]->dtype, 2, dim);
  for (int64_t k = 0; k < q.k; k++)
    for (int64_t c = 0; c < q.n; c++)
      tensor_set_f64(t, k * q.n + c, (double)unpacked(&q, k, c));
  Value *y = node_op(n, "MatMul", 2, n->in[0],
                     value_const(n->g, n->in[1]->name, t));
  Value *bias = node_in(n, 5);
  ms_becomes(n, bias ? node_op(n, "Add", 2, y, bias) : y);
}

/* --- MatMulBnb4 ----------------------------------------------------------- */

/* The values of four bits: those of FP4 over its largest, 12; NF4's, of
 * QLoRA's appendix E, are quantiles of the normal distribution. */
static float bnb_value(int64_t kind, int code)
{
  static const float fp4[] = { 0, 0.0625f, 8, 12, 4, 6, 2, 3 };
  static const float nf4[] = {
    -1, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
    -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0,
    0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f,
    0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f,
    0.7229568362236023f, 1,
  };
  if (kind == 1) return nf4[code];
  return (code & 8 ? -fp4[code & 7] : fp4[code]) / 12;
}

static void upgrade_bnb(Node *n)
{
  int64_t wide = attr_int(n, "N", 0), k = attr_int(n, "K", 0);
  int64_t block = attr_int(n, "block_size", 0), all = wide * k;
  int64_t kind = attr_int(n, "quant_type", 0), dim[] = { wide, k };
  bool trans = attr_int(n, "transB", 1) != 0;
  if (!infer_ready(n))
    return;
  if (wide < 1 || k < 1 || block < 16 || kind < 0 || kind > 1) {
    fail_model(n, "N, K, block_size (spec: 16 or more) or quant_type (spec: 0 "
               "or 1) is none");
    return;
  }
  const Tensor *b = const_input(n, 1), *scale = const_input(n, 2);
  if (!b || !scale) {
    not_constant(n);
    return;
  }
  if (!fits(n, b, (all + 1) / 2, "B") ||
      !fits(n, scale, (all + block - 1) / block, "absmax"))
    return;
  Tensor *t = tensor_new(&n->g->m->arena, n->in[0]->dtype, 2, dim);
  for (int64_t i = 0; i < all; i++)
    tensor_set_f64(t, i, (double)(bnb_value(kind, packed(b, 0, i ^ 1, 4)) *
                                  (float)tensor_f64(scale, i / block)));
  Value *w = value_const(n->g, n->in[1]->name, t);
  static const int64_t perm[] = { 1, 0 };
  ms_becomes(n, node_op(n, "MatMul", 2, n->in[0],
                        trans ? ms_transposed(n, w, perm) : w));
}

/* --- GatherBlockQuantized ------------------------------------------------- */

/* Bytes that hold several elements of the last axis, as one byte each; the
 * last axis of the result has `size`. */
static Value *spread(Node *n, const Value *v, int64_t size, int64_t bits)
{
  const Tensor *t = v->data;
  int64_t dim[MAX_RANK], per = t->dim[t->rank - 1];
  for (int i = 0; i < t->rank; i++)
    dim[i] = i == t->rank - 1 ? size : t->dim[i];
  Tensor *to = tensor_new(&n->g->m->arena, t->dtype, t->rank, dim);
  for (int64_t i = 0; i < to->n; i++)
    tensor_set_i64(to, i, packed(t, i / size * per, i % size, bits));
  return value_const(n->g, v->name, to);
}

/* data, scales and zero points (or NULL), a byte an element. */
typedef struct { Value *data, *scale, *zero; } Table;

/* Bytes of less than 8 bits: along the last axis, zero at the middle. */
static bool spread_table(Node *n, Table *t)
{
  int64_t bits = attr_int(n, "bits", 4);
  if (bits != 2 && bits != 4 && bits != 8) {
    fail_model(n, "bits is %lld (spec: 2, 4 or 8)", (long long)bits);
    return false;
  }
  if (!t->data->data || !t->scale->data || (t->zero && !t->zero->data))
    return not_constant(n);
  const Tensor *s = t->scale->data, *d = t->data->data;
  int64_t blocks = s->dim[s->rank - 1], size = d->dim[d->rank - 1] * 8 / bits;
  t->data = spread(n, t->data, size, bits);
  if (t->zero) {
    if (!fits(n, t->zero->data, s->n / blocks * ((blocks * bits + 7) / 8),
              "zero_points"))
      return false;
    t->zero = spread(n, t->zero, blocks, bits);
    return true;
  }
  Tensor *zero = tensor_new(&n->g->m->arena, DT_U8, s->rank, s->dim);
  for (int64_t i = 0; i < zero->n; i++)
    tensor_set_i64(zero, i, 1 << (bits - 1));
  t->zero = value_const(n->g, "zero", zero);
  return true;
}

static Value *taken(Node *n, Value *from, int64_t axis)
{
  Value *in[] = { from, n->in[1] };
  if (!from) return NULL;
  Node *c = ms_node(n, "Gather", 2, in);
  attr_set_int(c, "axis", axis);
  return ms_made(c);
}

static Value *dequantised(Node *n, const Table *t, int64_t axis, int64_t block)
{
  Value *in[] = { t->data, t->scale, t->zero };
  Node *c = ms_node(n, "DequantizeLinear", t->zero ? 3 : 2, in);
  attr_set_int(c, "axis", axis);
  attr_set_int(c, "block_size", block);
  return ms_made(c);
}

/* Scales of one element along an axis serve all of it. */
static bool widen_scales(Node *n, Table *t, int axis)
{
  Value *shape = NULL;
  for (int i = 0; i < t->data->rank; i++) {
    Value *of = i == axis ? t->scale : t->data;
    Value *size = contrib_size(n, of, i);
    shape = shape ? contrib_concat(n, shape, size, 0) : size;
  }
  t->scale = node_op(n, "Expand", 2, t->scale, shape);
  return !t->scale->bad;
}

/* Gather has no types of 4 bits. */
static void byte_wide(Node *n, Table *t)
{
  Dtype to = t->data->dtype == DT_I4 ? DT_I8 : DT_U8;
  t->data = contrib_cast(n, t->data, to);
  if (t->zero)
    t->zero = contrib_cast(n, t->zero, to);
}

static void upgrade_gather(Node *n)
{
  if (!infer_ready(n))
    return;
  Table t = { n->in[0], n->in[2], node_in(n, 3) };
  int64_t block = attr_int(n, "block_size", 128);
  int rank = t.data->rank, from, along;
  if (rank < 1 || t.scale->rank != rank || (t.zero && t.zero->rank != rank)) {
    fail_model(n, "data is rank %d, scales %d (spec: the same)", rank,
               t.scale->rank);
    return;
  }
  from = axis_norm(n, attr_int(n, "gather_axis", 0), rank);
  along = axis_norm(n, attr_int(n, "quantize_axis", 1), rank);
  if (from < 0 || along < 0)
    return;
  if (t.data->dtype == DT_U8 && !spread_table(n, &t))
    return;
  if (block == 0 && !dim_is_int(t.data->dim[along], &block)) {
    fail_unsupported(n, "block_size is 0, and the axis of no known size");
    return;
  }
  if (!t.zero && !widen_scales(n, &t, along))
    return;
  if (from == along || dtype_info(t.data->dtype)->cls == DC_FLOAT) {
    ms_becomes(n, taken(n, dequantised(n, &t, along, block), from));
    return;
  }
  byte_wide(n, &t);
  t.data = taken(n, t.data, from);
  t.scale = taken(n, t.scale, from);
  t.zero = taken(n, t.zero, from);
  if (along > from)
    along += n->in[1]->rank - 1;
  ms_becomes(n, dequantised(n, &t, along, block));
}

/* What is left was not ready, and its inputs have been told of. */
static void infer_left(Node *n) { (void)n; }

static const OpRow nbits_rows[] = {
  { 1, "A:T B:B scales:T zero_points:Z? g_idx:I? bias:T? -> Y:T",
    "T=f32 f16 bf16; B=u8; Z=u8 f32 f16 bf16; I=i32", "K:i! N:i! "
    "accuracy_level:i bits:i block_size:i! weight_prepacked:i",
    upgrade_nbits },
};

static const OpRow bnb_rows[] = {
  { 1, "A:T B:B absmax:T -> Y:T", "T=f32 f16 bf16; B=u8", "K:i! N:i! "
    "block_size:i! quant_type:i! training_mode:i transB:i", upgrade_bnb },
};
static const OpRow gather_rows[] = {
  { 1, "data:Q indices:I scales:T zero_points:Q? -> output:T",
    "Q=i4 u4 u8 f8 f4e2m1; I=i32 i64; T=f32 f16 bf16",
    "bits:i block_size:i gather_axis:i quantize_axis:i", upgrade_gather },
};

#define OP(op, its) \
  { .name = op, .domain = "com.microsoft", .rows = its, .nrow = COUNT(its), \
    .infer = infer_left }
static const OpDef defs[] = {
  OP("MatMulNBits", nbits_rows),
  OP("MatMulBnb4", bnb_rows),
  OP("GatherBlockQuantized", gather_rows),
};
OPS_DEFINE(ms_blocks, defs)
