/* SPDX-License-Identifier: Apache-2.0 */
/* Attention, and o2c.Attention, which it becomes by `expand`, and attentions
 * that are written out by passes/fuse_attention.c:
 *
 *   Q [N,H,S,D]  K [N,G,T,D]  V [N,G,T,E]  mask?  valid?  past?  -> Y  qk?
 *
 * mask: bool, or numbers of Q's type; broadcasts to [N,H,S,T], its keys may be
 * fewer. valid: keys of each image that count. past: [.., P, ..], whose size P
 * alone is read; the keys hold it already. Y is [N,H,S,E], with heads_last
 * [N,S,H,E]. Attributes beside those of Attention: left, right (windows), mode
 * (of qk), wide (softmax in double), zero (rows that are zero: 0 masked ones, 1
 * none, 2 those that would be NaN), all_keys (a mask of one key is for all). */
#include "../ir.h"

#include <math.h>

typedef struct {
  const Dim *n, *heads, *groups, *rows, *keys, *past, *total, *size, *wide;
} Sizes; /* of Attention; wide: of a value */

static int64_t heads_of(const Node *n, bool keys)
{
  return attr_int(n, keys ? "kv_num_heads" : "q_num_heads", 0);
}

/* [N, heads, rows, size] of Q, K or V. */
static bool split_heads(Node *n, int in, const Dim *dim[4])
{
  const Value *x = n->in[in];
  int64_t heads = heads_of(n, in > 0);
  if (x->rank == 4) {
    for (int i = 0; i < 4; i++) dim[i] = x->dim[i];
    return true;
  }
  if (heads < 1) {
    fail_model(n, "%s is %lld (spec: needed for inputs of rank 3)",
               in ? "kv_num_heads" : "q_num_heads", (long long)heads);
    return false;
  }
  DimPool *p = node_dims(n);
  dim[0] = x->dim[0];
  dim[1] = dim_int(p, heads);
  dim[2] = x->dim[1];
  dim[3] = dim_div_exact(p, x->dim[2], dim[1]);
  if (!dim[3])
    fail_model(n, "input %d: %s elements are no multiple of %lld heads", in,
               dim_text(p, x->dim[2]), (long long)heads);
  return dim[3] != NULL;
}

static bool check_past(Node *n, const Sizes *z)
{
  static const char *const what[] = {
    "batch of Q, of a past", "heads of K, of a past", "past keys, past values",
    "elements of a head, of a past"
  };
  for (int i = 4; i < 6; i++) {
    const Value *x = node_in(n, i);
    const Dim *want[] = { z->n, z->groups, z->past,
                          i == 4 ? z->size : z->wide };
    if (x && x->rank != 4) {
      fail_model(n, "input %d is rank %d (spec: 4)", i, x->rank);
      return false;
    }
    for (int k = 0; x && k < 4; k++)
      if (!infer_equal(n, x->dim[k], want[k], what[k])) return false;
  }
  return true;
}

static bool read_sizes(Node *n, Sizes *z)
{
  const Dim *q[4], *k[4], *v[4];
  const Value *past = node_in(n, 4);
  int64_t heads, groups;
  for (int i = 0; i < 3; i++) {
    if (n->in[i]->rank != n->in[0]->rank ||
        (n->in[i]->rank != 3 && n->in[i]->rank != 4)) {
      fail_model(n, "input %d is rank %d (spec: Q, K and V of rank 3, or 4)", i,
                 n->in[i]->rank);
      return false;
    }
    if (!split_heads(n, i, i == 0 ? q : i == 1 ? k : v)) return false;
  }
  *z = (Sizes){ q[0], q[1], k[1], q[2], k[2], dim_int(node_dims(n), 0), k[2],
                q[3], v[3] };
  if (!past != !node_in(n, 5)) {
    fail_model(n, "past_key without past_value, or the other way round");
    return false;
  }
  if (past && past->rank == 4) {
    z->past = past->dim[2];
    z->total = dim_add(node_dims(n), z->past, z->keys);
  }
  if (dim_is_int(z->heads, &heads) && dim_is_int(z->groups, &groups) &&
      (groups < 1 || heads % groups)) {
    fail_model(n, "%lld heads of Q are no multiple of %lld of K",
               (long long)heads, (long long)groups);
    return false;
  }
  return infer_equal(n, k[0], q[0], "batch of K, of Q") &&
         infer_equal(n, v[0], q[0], "batch of V, of Q") &&
         infer_equal(n, v[1], k[1], "heads of V, of K") &&
         infer_equal(n, v[2], k[2], "rows of V, of K") &&
         infer_equal(n, k[3], q[3], "elements of a head of K, of Q") &&
         check_past(n, z);
}

/* ONNX Attention-24: the mask may have fewer keys; before, one is for all. */
static bool check_mask(Node *n, const Sizes *z)
{
  const Value *m = node_in(n, 3);
  const Dim *want[] = { z->n, z->heads, z->rows, z->total };
  int64_t has, total;
  if (!m) return true;
  if (m->rank > 4) {
    fail_model(n, "attn_mask is rank %d (spec: at most 4)", m->rank);
    return false;
  }
  for (int i = 0; i + 1 < m->rank; i++)
    if (!dim_is(m->dim[i], 1) &&
        !infer_equal(n, m->dim[i], want[4 - m->rank + i],
                     "axes of attn_mask, of the scores"))
      return false;
  if (m->rank < 1 || !dim_is_int(m->dim[m->rank - 1], &has) ||
      !dim_is_int(z->total, &total) || has <= total)
    return true;
  fail_model(n, "attn_mask has %lld keys of %lld", (long long)has,
             (long long)total);
  return false;
}

static bool check_rules(Node *n, const Sizes *z)
{
  int64_t mode = attr_int(n, "qk_matmul_output_mode", 0);
  int64_t precision = attr_int(n, "softmax_precision", DT_F32);
  const Value *valid = node_in(n, 6);
  if (mode < 0 || mode > 3) {
    fail_model(n, "qk_matmul_output_mode is %lld (spec: 0 to 3)",
               (long long)mode);
    return false;
  }
  if (precision != DT_F32 && precision != DT_F16 && precision != DT_F64 &&
      precision != DT_BF16) {
    fail_model(n, "softmax_precision is %lld (spec: a floating-point type)",
               (long long)precision);
    return false;
  }
  if (valid && node_in(n, 4)) {
    fail_model(n, "nonpad_kv_seqlen together with past_key");
    return false;
  }
  return !valid || infer_equal(n, value_numel(valid), z->n,
                               "elements of nonpad_kv_seqlen, batch of Q");
}

static void infer_attention(Node *n)
{
  Sizes z;
  if (!infer_ready(n) || !read_sizes(n, &z) || !check_mask(n, &z) ||
      !check_rules(n, &z))
    return;
  const Dim *y[] = { z.n, z.heads, z.rows, z.wide };
  const Dim *flat[] = { z.n, z.rows, dim_mul(node_dims(n), z.heads, z.wide) };
  const Dim *keys[] = { z.n, z.groups, z.total, z.size };
  const Dim *values[] = { z.n, z.groups, z.total, z.wide };
  const Dim *scores[] = { z.n, z.heads, z.rows, z.total };
  Dtype t = n->in[0]->dtype;
  int rank = n->in[0]->rank;
  infer_out(n, 0, t, rank, rank == 4 ? y : flat);
  infer_out(n, 1, t, 4, keys);
  infer_out(n, 2, n->in[2]->dtype, 4, values);
  infer_out(n, 3, t, 4, scores);
}

static Value *turned(Node *at, Value *x)
{
  static const int64_t perm[] = { 0, 2, 1, 3 };
  Node *n = node_new(at->g, at, "Transpose", 1, 1, at);
  node_set_input(n, 0, x);
  attr_set_ints(n, "perm", perm, 4);
  node_set_output(n, 0, value_tmp(at->g, "heads", NULL));
  infer_node(n);
  return n->out[0];
}

static Value *reshaped(Node *at, Value *x, const int64_t *shape, int rank)
{
  return node_op(at, "Reshape", 2, x,
                 value_const_ints(at->g, "shape", shape, rank));
}

/* As [N, heads, rows, size]. */
static Value *with_heads(Node *n, int in)
{
  Value *x = n->in[in];
  int64_t heads = heads_of(n, in > 0), size;
  if (x->rank == 4) return x;
  if (!dim_is_int(x->dim[2], &size)) size = -heads;
  const int64_t shape[] = { 0, 0, heads, size / heads };
  return turned(n, reshaped(n, x, shape, 4));
}

/* K or V after what is past; output `in` shows it. */
static Value *with_past(Node *n, int in)
{
  Value *x = with_heads(n, in), *past = node_in(n, 3 + in);
  if (past) {
    Node *c = node_new(n->g, n, "Concat", 2, 1, n);
    attr_set_int(c, "axis", 2);
    node_set_input(c, 0, past);
    node_set_input(c, 1, x);
    node_set_output(c, 0, value_tmp(n->g, "present", NULL));
    infer_node(c);
    x = c->out[0];
  }
  if (node_out(n, in))
    value_replace(n->out[in], past ? x : node_op(n, "Identity", 1, x));
  return x;
}

static void copy_rules(const Node *n, Node *a)
{
  Dtype t = n->in[0]->dtype;
  const Attr *scale = attr_get(n, "scale");
  if (scale) attr_set_float(a, "scale", scale->f);
  attr_set_float(a, "softcap", attr_float(n, "softcap", 0));
  attr_set_int(a, "causal", attr_int(n, "is_causal", 0) != 0);
  attr_set_int(a, "left", attr_int(n, "left_window_size", -1));
  attr_set_int(a, "right", attr_int(n, "right_window_size", -1));
  attr_set_int(a, "mode", attr_int(n, "qk_matmul_output_mode", 0));
  attr_set_int(a, "wide", attr_int(n, "softmax_precision", t) == DT_F64);
  attr_set_int(a, "all_keys", attr_int(n, "all_keys", 0));
}

Node *attention_new(Node *at)
{
  Node *a = node_new(at->g, at, "Attention", 3, 1, at);
  a->domain = "o2c";
  a->version = 1;
  a->op = op_find("o2c", "Attention");
  return a;
}

static void expand_attention(Node *n)
{
  Dtype t = n->in[0]->dtype;
  Value *q = with_heads(n, 0), *k = with_past(n, 1), *v = with_past(n, 2);
  Value *mask = node_in(n, 3), *y = n->out[0], *qk = node_out(n, 3);
  v = node_cast(n, v, t);
  if (mask && mask->dtype != DT_BOOL) mask = node_cast(n, mask, t);
  Node *a = attention_new(n);
  copy_rules(n, a);
  node_set_input(a, 0, q);
  node_set_input(a, 1, k);
  node_set_input(a, 2, v);
  if (mask) node_set_input(a, 3, mask);
  if (node_in(n, 6)) node_set_input(a, 4, n->in[6]);
  if (node_in(n, 4)) node_set_input(a, 5, n->in[4]);
  node_set_output(a, 0, value_tmp(n->g, "attention", NULL));
  if (qk) node_set_output(a, 1, value_tmp(n->g, "scores", NULL));
  infer_node(a);
  if (qk) value_replace(qk, a->out[1]);
  Value *r = a->out[0];
  if (y->rank == 3) {
    int64_t wide = -1;
    dim_is_int(y->dim[2], &wide);
    const int64_t shape[] = { 0, 0, wide };
    r = reshaped(n, turned(n, r), shape, 3);
  }
  value_replace(y, r);
  node_remove(n);
}

void attention_shape(const Node *n, AttentionShape *s)
{
  const Value *q = n->in[0], *k = n->in[1], *m = node_in(n, 3);
  DimPool *p = node_dims(n);
  const Attr *scale = attr_get(n, "scale");
  *s = (AttentionShape){ .n = q->dim[0], .h = q->dim[1], .g = k->dim[1],
    .s = q->dim[2], .t = k->dim[2], .d = q->dim[3], .v = n->in[2]->dim[3] };
  const Dim *own[MAX_RANK], *zero = dim_int(p, 0);
  if (m) value_strides(m, own);
  for (int i = 0; i < 4; i++) {
    int axis = m ? i - (4 - m->rank) : -1;
    bool moves = axis >= 0 && !dim_is(m->dim[axis], 1);
    s->mask[i] = moves ? own[axis] : zero;
  }
  s->mask_keys = m && m->rank ? m->dim[m->rank - 1] : s->t;
  if (m && m->rank && attr_int(n, "all_keys", 0) && dim_is(s->mask_keys, 1))
    s->mask_keys = s->t;
  s->past = node_in(n, 5) ? n->in[5]->dim[2] : zero;
  s->has_scale = scale != NULL;
  s->scale = scale ? (double)scale->f : 0;
  s->softcap = (double)attr_float(n, "softcap", 0);
}

static void infer_inner(Node *n)
{
  AttentionShape s;
  if (!infer_ready(n)) return;
  attention_shape(n, &s);
  bool last = attr_int(n, "heads_last", 0) != 0;
  const Dim *y[] = { s.n, last ? s.s : s.h, last ? s.h : s.s, s.v };
  const Dim *scores[] = { s.n, s.h, s.s, s.t };
  infer_out(n, 0, n->in[0]->dtype, 4, y);
  infer_out(n, 1, n->in[0]->dtype, 4, scores);
}

static void lower_inner(Lower *l, Node *n)
{
  AttentionShape s;
  const Dim *step[16], *own[MAX_RANK];
  Value *mask = node_in(n, 3);
  bool allow = mask && mask->dtype == DT_BOOL;
  bool last = attr_int(n, "heads_last", 0) != 0;
  int64_t size;
  attention_shape(n, &s);
  for (int i = 0; i < 4; i++) {
    value_strides(i < 3 ? n->in[i] : n->out[0], own);
    bool swap = i == 3 && last;
    step[3 * i] = own[0];
    step[3 * i + 1] = own[swap ? 2 : 1];
    step[3 * i + 2] = own[swap ? 1 : 2];
    step[12 + i] = s.mask[i];
  }
  const Dim *dim[] = { s.n, s.h, s.g, s.s, s.t, s.d, s.v, s.mask_keys,
                       s.past };
  const int64_t rule[] = {
    attr_int(n, "causal", 0), attr_int(n, "left", -1),
    attr_int(n, "right", -1), attr_int(n, "mode", 0), attr_int(n, "wide", 0),
    attr_int(n, "zero", 0)
  };
  if (!s.has_scale) {
    if (!dim_is_int(s.d, &size)) size = 0;
    s.scale = size > 0 ? 1 / sqrt((double)size) : 1;
  }
  Dtype t = n->in[0]->dtype;
  lower_call(l, n, "attention", t, "iiiiiioooDDKff", n->in[0], n->in[1],
             n->in[2], allow ? mask : NULL, allow ? NULL : mask, node_in(n, 4),
             n->out[0], node_out(n, 1),
             lower_scratch(l, n, real_of(t), s.t), dim, COUNT(dim), step,
             COUNT(step), rule, COUNT(rule), s.scale, s.softcap);
}

/* Images stay apart. */
static int axis_inner(const Node *n, int in, int axis, int out)
{
  (void)out;
  bool batch = axis == 0 && (in != 3 || n->in[3]->rank == 4);
  return batch ? 0 : AXIS_MIXES;
}

/* ONNX Attention-24: a mask of one key would be padded. */
static void upgrade_mask(Node *n)
{
  attr_set_int(n, "all_keys", 1);
}

#define SIG "Q:T K:T V:V attn_mask:M? past_key:T? past_value:V?"
#define OUT " -> Y:T present_key:T? present_value:V? qk_matmul_output:T?"
#define ATTRS \
  "is_causal:i kv_num_heads:i q_num_heads:i qk_matmul_output_mode:i " \
  "scale:f softcap:f softmax_precision:i"
static const OpRow rows[] = {
  { 23, SIG OUT, "T=float bf16; V=float bf16; M=num bf16 bool", ATTRS,
    upgrade_mask },
  { 24, SIG " nonpad_kv_seqlen:N?" OUT,
    "T=float bf16; V=float bf16; M=num bf16 bool; N=i64", NULL, NULL },
  /* ONNX Attention-25: "`-1` leaves the left side unbounded" */
  { 25, NULL, NULL, ATTRS " left_window_size:i right_window_size:i", NULL },
};
static const OpRow inner_rows[] = {
  { 1, "Q:T K:T V:T mask:M? valid:N? past:T? -> Y:T qk:T?",
    "T=float bf16; M=float bf16 bool; N=i64",
    "scale:f softcap:f causal:i left:i right:i mode:i wide:i zero:i "
    "all_keys:i heads_last:i", NULL },
};

static const OpDef defs[] = {
  { .name = "Attention", .rows = rows, .nrow = COUNT(rows),
    .infer = infer_attention, .expand = expand_attention },
  { .name = "Attention", .domain = "o2c", .rows = inner_rows, .nrow = 1,
    .infer = infer_inner, .lower = lower_inner, .axis = axis_inner,
    .flags = OP_INTERNAL },
};

OPS_DEFINE(attention, defs)
