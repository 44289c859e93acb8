/* SPDX-License-Identifier: Apache-2.0 */
/* Attention, QAttention and MultiHeadAttention of com.microsoft, as ai.onnx's
 * Attention.
 *
 * Attention makes Q, K and V itself: of one matrix, whose parts become a
 * product each, as exporters write them. Masks are numbers added to the scores,
 * 0 or mask_filter_value, as onnxruntime has them: where all keys of a row are
 * masked, none is. `unidirectional` alone takes keys away. */
#include "ms_quant.h"

#include <math.h>

typedef struct {
  Node *n;
  Value *q, *k, *v;         /* all of rank 3, or of rank 4 with heads first */
  Value *past_key, *past_value, *mask, *bias;
  const Dim *batch, *total; /* total: keys, with those of the past */
  int64_t heads;
} Parts;

/* [keys] from 0, as int32. */
static Value *key_numbers(const Parts *p)
{
  bool last = p->k->rank == 3;
  Value *keys = contrib_size(p->n, p->k, last ? 1 : 2);
  if (p->past_key)
    keys = node_op(p->n, "Add", 2, contrib_size(p->n, p->past_key, 2), keys);
  return contrib_cast(p->n, contrib_range(p->n, NULL, keys), DT_I32);
}

/* bool [batch, keys], of a list of ends, or of ends and then starts. */
static Value *between(const Parts *p, Value *list)
{
  Node *n = p->n;
  DimPool *d = node_dims(n);
  const Dim *size = list->dim[0];
  const Dim *twice = dim_add(d, p->batch, p->batch);
  const Dim *packed = dim_add(d, dim_add(d, twice, p->batch), dim_int(d, 2));
  if (size != twice && size != packed &&
      !infer_equal(n, size, p->batch, "elements of the mask, batch"))
    return NULL;
  Value *at = key_numbers(p), *end = list, *start = NULL;
  if (size != p->batch) {
    int64_t zero = 0;
    Value *axis = value_const_ints(n->g, "axis", &zero, 1);
    Value *rows = contrib_size(n, p->q, 0);
    end = node_op(n, "Slice", 4, list, axis, rows, axis);
    if (size == twice)
      start = node_op(n, "Slice", 4, list, rows,
                      node_op(n, "Add", 2, rows, rows), axis);
  }
  Value *open = node_op(n, "Less", 2, at, contrib_unsqueeze(n, end, 1));
  if (!start) return open;
  return node_op(n, "And", 2, open,
                 node_op(n, "GreaterOrEqual", 2, at,
                         contrib_unsqueeze(n, start, 1)));
}

/* Megatron's, [batch, 1, M, M]: rows from the past on, keys from the first. */
static Value *cut(const Parts *p, Value *mask)
{
  Node *n = p->n;
  Value *rows = contrib_size(n, p->q, p->q->rank - 2), *from, *keys;
  int64_t zero = 0, axes[] = {2, 3};
  keys = contrib_size(n, p->k, p->k->rank - 2);
  from = value_const_ints(n->g, "from", &zero, 1);
  if (p->past_key) {
    from = contrib_size(n, p->past_key, 2);
    keys = node_op(n, "Add", 2, from, keys);
    rows = node_op(n, "Add", 2, from, rows);
  }
  from = contrib_concat(n, from, value_const_ints(n->g, "from", &zero, 1), 0);
  return node_op(n, "Slice", 4, mask, from, contrib_concat(n, rows, keys, 0),
                 value_const_ints(n->g, "axes", axes, 2));
}

/* A mask of rank 1 to 4 as numbers to add, [batch, 1, rows or 1, keys]. true
 * and *out NULL: it masks nothing. false after a diagnostic. */
static bool mask_of(const Parts *p, Value *mask, Value **out)
{
  Node *n = p->n;
  Dtype t = p->q->dtype;
  Value *open = NULL;
  *out = NULL;
  if (!mask) return true;
  if (mask->rank < 1 || mask->rank > 4) {
    fail_model(n, "the mask is rank %d (spec: 1 to 4)", mask->rank);
    return false;
  }
  if (mask->rank == 2 && dim_is(mask->dim[1], 1) &&
      (!dim_is(p->total, 1) || mask->dim[0] != p->batch))
    return true;
  if (mask->rank == 1) {
    open = between(p, mask);
  } else {
    if (mask->rank == 4) mask = cut(p, mask);
    if (!infer_equal(n, mask->dim[0], p->batch, "batch of the mask, of Q") ||
        !infer_equal(n, mask->dim[mask->rank - 1], p->total,
                     "keys of the mask, keys"))
      return false;
    open = node_op(n, "Greater", 2, mask, contrib_number(n, mask->dtype, 0));
  }
  if (!open || open->bad) return false;
  float off = attr_float(n, "mask_filter_value", -10000);
  Value *add = node_op(n, "Where", 3, open, contrib_number(n, t, 0),
                       contrib_number(n, t, (double)off));
  while (add->rank < 4 && !add->bad) add = contrib_unsqueeze(n, add, 1);
  *out = add;
  return !add->bad;
}

static bool causal(const Parts *p)
{
  return attr_int(p->n, "unidirectional", 0) != 0 &&
         !dim_is(p->q->dim[p->q->rank - 2], 1);
}

static bool as_many_keys(const Parts *p)
{
  return p->q->dim[p->q->rank - 2] == p->k->dim[p->k->rank - 2];
}

/* Numbers to add, [rows, keys]: -inf at keys behind a row's own, but for the
 * last row, which onnxruntime lets see all. Where there are as many keys as
 * rows its own is the last one, and is_causal does. */
static Value *later_keys(const Parts *p)
{
  Node *n = p->n;
  Value *rows = contrib_size(n, p->q, p->q->rank - 2);
  Value *row = contrib_unsqueeze(n, contrib_range(n, NULL, rows), 1), *own;
  own = contrib_cast(n, row, DT_I32);
  if (p->past_key)
    own = node_op(n, "Add", 2, own,
                  contrib_cast(n, contrib_size(n, p->past_key, 2), DT_I32));
  Value *last = node_op(n, "Equal", 2, row,
                        node_op(n, "Sub", 2, rows,
                                contrib_number(n, DT_I64, 1)));
  Value *open = node_op(n, "LessOrEqual", 2, key_numbers(p), own);
  open = node_op(n, "Or", 2, open, last);
  return node_op(n, "Where", 3, open, contrib_number(n, p->q->dtype, 0),
                 contrib_number(n, p->q->dtype, -INFINITY));
}

/* The node that attends; outputs beside the first are to be set. */
static Node *attend(const Parts *p, Value *mask)
{
  Node *n = p->n;
  float scale = attr_float(n, "scale", 0);
  if (mask && p->bias) mask = node_op(n, "Add", 2, p->bias, mask);
  if (!mask) mask = p->bias;
  if (causal(p) && !as_many_keys(p)) {
    Value *later = later_keys(p);
    mask = mask ? node_op(n, "Add", 2, mask, later) : later;
  }
  Node *a = contrib_node(n, "Attention", 6, p->q, p->k, p->v, mask,
                         p->past_key, p->past_value);
  if (scale != 0) attr_set_float(a, "scale", scale);
  if (p->q->rank == 3) {
    attr_set_int(a, "q_num_heads", p->heads);
    attr_set_int(a, "kv_num_heads", p->heads);
  }
  if (causal(p) && as_many_keys(p)) attr_set_int(a, "is_causal", 1);
  return a;
}

static bool measure(Parts *p)
{
  int keys = p->k->rank == 4 ? 2 : 1;
  if (p->q->bad || p->k->bad || p->v->bad) return false;
  p->batch = p->q->dim[0];
  p->total = p->k->dim[keys];
  if (p->past_key && p->past_key->bad) return false;
  if (p->past_key)
    p->total = dim_add(node_dims(p->n), p->past_key->dim[2], p->total);
  return true;
}

/* --- Attention, QAttention ------------------------------------------------ */

/* The inputs of Attention, and of QAttention beside them. */
enum { X, WEIGHT, BIAS, MASK, PAST, SCORES, PAST_ROWS };
enum { X_SCALE = 3, WEIGHT_SCALE, Q_MASK, X_ZERO, WEIGHT_ZERO, Q_PAST };

/* Sizes of Q, K and V in the columns of the weight. */
static bool widths(Node *n, int64_t wide[3])
{
  int count;
  const int64_t *given = attr_ints(n, "qkv_hidden_sizes", &count);
  int64_t columns;
  if (!dim_is_int(n->in[1]->dim[1], &columns)) {
    fail_unsupported(n, "the columns of weights, %s, are not known; fix them "
                     "with --dim", dim_text(node_dims(n), n->in[1]->dim[1]));
    return false;
  }
  for (int i = 0; i < 3; i++) wide[i] = count == 3 ? given[i] : columns / 3;
  if ((count == 0 || count == 3) && wide[0] == wide[1] && wide[0] > 0 &&
      wide[2] > 0 && wide[0] <= columns && wide[2] <= columns &&
      wide[0] + wide[1] + wide[2] == columns)
    return true;
  fail_model(n, "the %lld columns of weights do not fit qkv_hidden_sizes "
             "(spec: Q and K alike, or three equal parts)", (long long)columns);
  return false;
}

/* Columns from `from` on, `wide` of them, of an input, if it has columns. */
static Value *columns(Node *n, int in, int64_t from, int64_t wide)
{
  Value *v = node_in(n, in);
  if (!v || v->rank == 0 || dim_is(v->dim[v->rank - 1], 1)) return v;
  return ms_settled(contrib_slice(n, v, v->rank - 1, from, from + wide));
}

/* Those of the product. */
static Value *projected(Node *n, int64_t from, int64_t wide)
{
  Value *w = columns(n, WEIGHT, from, wide);
  Value *bias = columns(n, BIAS, from, wide), *x;
  if (n->in[X]->dtype == DT_I8 || n->in[X]->dtype == DT_U8)
    return ms_scaled(n, n->in[X], w, node_in(n, X_ZERO),
                     columns(n, WEIGHT_ZERO, from, wide), n->in[X_SCALE],
                     columns(n, WEIGHT_SCALE, from, wide), bias);
  x = node_op(n, "MatMul", 2, n->in[X], w);
  return bias && !x->bad ? node_op(n, "Add", 2, x, bias) : x;
}

/* Keys (0) or values (1) of what is past. */
static Value *past_part(Node *n, Value *past, int64_t which)
{
  int64_t axis = 0;
  if (!past) return NULL;
  return node_op(n, "Squeeze", 2,
                 contrib_slice(n, past, 0, which, which + 1),
                 value_const_ints(n->g, "axis", &axis, 1));
}

static bool attention_fits(Node *n, int past)
{
  if (!contrib_rank(n, X, 3, 3) || !contrib_rank(n, WEIGHT, 2, 2) ||
      !contrib_rank(n, BIAS, 1, 1) || !contrib_rank(n, past, 5, 5))
    return false;
  if (attr_int(n, "do_rotary", 0)) {
    fail_unsupported(n, "do_rotary is not supported; use RotaryEmbedding and "
                     "MultiHeadAttention");
    return false;
  }
  if (attr_int(n, "past_present_share_buffer", 0)) {
    fail_unsupported(n, "a past that shares its buffer with the present is not "
                     "supported; leave past_present_share_buffer out");
    return false;
  }
  return true;
}

static void give_present(Node *n, Node *a)
{
  if (!node_out(n, 1)) return;
  contrib_give(n, 1, contrib_concat(n, contrib_unsqueeze(n, a->out[1], 0),
                                    contrib_unsqueeze(n, a->out[2], 0), 0));
}

static void attends(Node *n, Value *mask, int past, Value *bias)
{
  Parts p = { .n = n, .bias = bias };
  int64_t wide[3];
  if (!attention_fits(n, past) || !contrib_heads(n, &p.heads) ||
      !widths(n, wide))
    return;
  p.q = projected(n, 0, wide[0]);
  p.k = projected(n, wide[0], wide[1]);
  p.v = projected(n, wide[0] + wide[1], wide[2]);
  p.past_key = past_part(n, node_in(n, past), 0);
  p.past_value = past_part(n, node_in(n, past), 1);
  if (!measure(&p) || !mask_of(&p, mask, &mask)) return;
  Node *a = attend(&p, mask);
  for (int i = 1; node_out(n, 1) && i < 3; i++)
    node_set_output(a, i, value_tmp(n->g, "present", NULL));
  Value *y = contrib_out(a);
  if (y->bad) return;
  give_present(n, a);
  contrib_give(n, 0, y);
  node_remove(n);
}

static void upgrade_attention(Node *n)
{
  if (!contrib_ready(n) || !contrib_rank(n, SCORES, 4, 4)) return;
  if (node_in(n, PAST_ROWS))
    fail_unsupported(n, "past_sequence_length is not supported; leave it out");
  else
    attends(n, node_in(n, MASK), PAST, node_in(n, SCORES));
}

static void upgrade_qattention(Node *n)
{
  if (contrib_ready(n)) attends(n, node_in(n, Q_MASK), Q_PAST, NULL);
}

/* --- MultiHeadAttention --------------------------------------------------- */

/* Part `which` of [batch, rows, heads, parts, size], as [batch, rows, ..]. */
static Value *unpacked(Node *n, Value *x, int64_t which)
{
  static const int64_t shape[] = {0, 0, -1};
  return contrib_reshape(n, contrib_slice(n, x, 3, which, which + 1), shape, 3);
}

static bool unpack(Node *n, Parts *p)
{
  Value *q = n->in[0], *k = node_in(n, 1), *v = node_in(n, 2);
  int64_t parts = q->rank == 5 ? 3 : k && k->rank == 5 ? 2 : 0;
  Value *packed = parts == 3 ? q : k;
  if (parts && (!dim_is(packed->dim[3], parts) || v || (parts == 3 && k))) {
    fail_model(n, "packed inputs of rank 5 are [batch, rows, heads, %d, size], "
               "without further ones", (int)parts);
    return false;
  }
  if (!parts && (!k || !v)) {
    fail_model(n, "key or value is missing (spec: or packed, of rank 5)");
    return false;
  }
  p->q = parts == 3 ? unpacked(n, q, 0) : q;
  p->k = parts ? unpacked(n, packed, parts - 2) : k;
  p->v = parts ? unpacked(n, packed, parts - 1) : v;
  return true;
}

/* Adds the parts of the bias, as wide as Q, K and V are. */
static bool add_bias(Node *n, Parts *p)
{
  Value **x[] = {&p->q, &p->k, &p->v};
  int64_t from = 0, wide;
  if (!node_in(n, 3)) return true;
  for (int i = 0; i < 3; i++) {
    const Value *v = *x[i];
    if (v->bad) return false;
    if (v->rank != 3 || !dim_is_int(v->dim[2], &wide)) {
      fail_unsupported(n, "bias needs Q, K and V of rank 3 whose last sizes "
                       "are known");
      return false;
    }
    *x[i] = node_op(n, "Add", 2, *x[i],
                    contrib_slice(n, n->in[3], 0, from, from + wide));
    from += wide;
  }
  return true;
}

/* Q with heads first, where K and V are so; the past stands in them. */
static bool heads_first(Node *n, Parts *p)
{
  static const int64_t perm[] = {0, 2, 1, 3};
  const int64_t shape[] = {0, 0, p->heads, -1};
  if (p->k->rank != 4 && p->v->rank != 4) return true;
  if (p->k->rank != 4 || p->v->rank != 4) {
    fail_model(n, "key is rank %d, value rank %d (spec: both 3, or both 4)",
               p->k->rank, p->v->rank);
    return false;
  }
  p->q = contrib_reshape(n, p->q, shape, 4);
  if (!p->q->bad) p->q = contrib_transpose(n, p->q, perm);
  return !p->q->bad;
}

static bool heads_fit(Node *n)
{
  if (!contrib_rank(n, 0, 3, 5) || !contrib_rank(n, 1, 3, 5) ||
      !contrib_rank(n, 2, 3, 4) || !contrib_rank(n, 3, 1, 1) ||
      !contrib_rank(n, 5, 4, 4) || !contrib_rank(n, 6, 4, 4) ||
      !contrib_rank(n, 7, 4, 4))
    return false;
  if (!node_in(n, 8) && !node_in(n, 9)) return true;
  fail_unsupported(n, "past_sequence_length and cache_indirection are not "
                   "supported; leave them out");
  return false;
}

static void upgrade_heads(Node *n)
{
  static const int64_t perm[] = {0, 2, 1, 3}, flat[] = {0, 0, -1};
  Parts p = { .n = n, .bias = NULL };
  Value *mask;
  if (!contrib_ready(n) || !heads_fit(n) || !contrib_heads(n, &p.heads) ||
      !unpack(n, &p) || !add_bias(n, &p) || !heads_first(n, &p))
    return;
  p.past_key = node_in(n, 6);
  p.past_value = node_in(n, 7);
  p.bias = node_in(n, 5);
  if (!measure(&p) || !mask_of(&p, node_in(n, 4), &mask)) return;
  Node *a = attend(&p, mask);
  if (node_out(n, 3)) attr_set_int(a, "qk_matmul_output_mode", 2);
  for (int i = 1; i < 4; i++)
    if (node_out(n, i))
      node_set_output(a, i, value_tmp(n->g, "present", NULL));
  Value *y = contrib_out(a);
  if (y->bad) return;
  if (y->rank == 4)
    y = contrib_reshape(n, contrib_transpose(n, y, perm), flat, 3);
  for (int i = 1; i < 4; i++)
    if (node_out(n, i)) contrib_give(n, i, a->out[i]);
  contrib_give(n, 0, y);
  node_remove(n);
}

static const OpRow attention_rows[] = {
  { 1, "input:T weights:T bias:T? mask_index:M? past:T? attention_bias:T? "
    "past_sequence_length:M? -> output:T present:T?", "T=f32 f16 bf16; M=i32",
    "do_rotary:i mask_filter_value:f num_heads:i! past_present_share_buffer:i "
    "qkv_hidden_sizes:I rotary_embedding_dim:i scale:f unidirectional:i",
    upgrade_attention },
};
static const OpRow qattention_rows[] = {
  { 1, "input:X weight:W bias:T input_scale:T weight_scale:T mask_index:M? "
    "input_zero_point:X? weight_zero_point:W? past:T? -> output:T present:T?",
    "X=i8 u8; W=i8 u8; T=f32 f16; M=i32",
    "do_rotary:i mask_filter_value:f num_heads:i! past_present_share_buffer:i "
    "scale:f unidirectional:i", upgrade_qattention },
};
static const OpRow heads_rows[] = {
  { 1, "query:T key:T? value:T? bias:T? key_padding_mask:M? attention_bias:T? "
    "past_key:T? past_value:T? past_sequence_length:M? cache_indirection:M? "
    "-> output:T present_key:T? present_value:T? qk:T?",
    "T=f32 f16 bf16; M=i32",
    "mask_filter_value:f num_heads:i! scale:f unidirectional:i",
    upgrade_heads },
};

static const OpDef defs[] = {
  { .name = "Attention", .domain = "com.microsoft", .rows = attention_rows,
    .nrow = COUNT(attention_rows) },
  { .name = "QAttention", .domain = "com.microsoft", .rows = qattention_rows,
    .nrow = COUNT(qattention_rows) },
  { .name = "MultiHeadAttention", .domain = "com.microsoft",
    .rows = heads_rows, .nrow = COUNT(heads_rows) },
};
OPS_DEFINE(ms_attention, defs)
