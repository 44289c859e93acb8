/* SPDX-License-Identifier: Apache-2.0 */
/* GroupQueryAttention of com.microsoft, as ai.onnx's Attention. Its past is
 * padded on the right: TensorScatter puts new rows behind what counts. */
#include "../ir.h"

#include <math.h>

/* What it works on: q, k and v are [batch, heads, rows, size]. */
typedef struct {
  Value *q, *k, *v;
  int64_t heads, groups;
  Value *total, *cache;     /* i64[1]: keys that count; rows of the present */
  Value *before;            /* i64[batch, 1, 1]: rows of the past that count */
  Value *last;              /* i64[batch, 1, 1]: the last key that counts */
  Value *first;             /* bool[1]: all keys are this call's */
} Group;

static bool group_fits(Node *n)
{
  static const char *const zero[] = {
    "kv_cache_bit_width", "qk_output", "sliding_window_cache"
  };
  for (int i = 0; i < COUNT(zero); i++)
    if (attr_int(n, zero[i], 0)) {
      fail_unsupported(n, "attribute %s is not supported; leave it out",
                       zero[i]);
      return false;
    }
  for (int i = 12; i < 17; i++)
    if (node_in(n, i)) {
      fail_unsupported(n, "input %d is not supported; leave it out", i);
      return false;
    }
  if (!attr_int(n, "causal", 1) || node_out(n, 3)) {
    fail_unsupported(n, "causal = 0 and output output_qk are not supported");
    return false;
  }
  for (int i = 3; i < 5; i++)
    if (node_in(n, i) && n->in[i]->dtype != n->in[0]->dtype) {
      fail_unsupported(n, "a past of other types than the query's is not "
                       "supported");
      return false;
    }
  if (!node_in(n, 1) != !node_in(n, 2) || !node_in(n, 3) != !node_in(n, 4) ||
      !node_in(n, 7) != !node_in(n, 8)) {
    fail_model(n, "key, past_key or cos_cache without the other one of its "
               "pair");
    return false;
  }
  return contrib_rank(n, 0, 3, 3) && contrib_rank(n, 1, 3, 3) &&
         contrib_rank(n, 2, 3, 3) && contrib_rank(n, 3, 4, 4) &&
         contrib_rank(n, 4, 4, 4) && contrib_rank(n, 7, 2, 2) &&
         contrib_rank(n, 8, 2, 2) && contrib_rank(n, 10, 4, 4) &&
         contrib_rank(n, 11, 1, 1);
}

/* `count` heads of x, whose columns start at `from`; heads first. */
static Value *some_heads(Node *n, Value *x, int64_t from, int64_t count,
                         int64_t size, bool packed)
{
  static const int64_t perm[] = {0, 2, 1, 3};
  const int64_t shape[] = {0, 0, count, size};
  if (packed) x = contrib_slice(n, x, 2, from * size, (from + count) * size);
  x = contrib_reshape(n, x, shape, 4);
  return x->bad ? x : contrib_transpose(n, x, perm);
}

static bool group_heads(Node *n, Group *g)
{
  int64_t h = g->heads, wide, count = h;
  bool packed = !node_in(n, 1);
  g->groups = attr_int(n, "kv_num_heads", 0);
  if (g->groups < 1 || h % g->groups) {
    fail_model(n, "num_heads is %lld, kv_num_heads %lld (spec: a multiple of "
               "it)", (long long)h, (long long)g->groups);
    return false;
  }
  if (packed) count += 2 * g->groups;
  if (!dim_is_int(n->in[0]->dim[2], &wide) || wide % count) {
    fail_unsupported(n, "%s columns of the query; the number must be known, "
                     "and a multiple of %lld heads",
                     dim_text(node_dims(n), n->in[0]->dim[2]),
                     (long long)count);
    return false;
  }
  wide /= count;
  Value *k = packed ? n->in[0] : n->in[1], *v = packed ? k : n->in[2];
  g->q = some_heads(n, n->in[0], 0, h, wide, packed);
  g->k = some_heads(n, k, h, g->groups, wide, packed);
  g->v = some_heads(n, v, h + g->groups, g->groups, wide, packed);
  return !g->q->bad && !g->k->bad && !g->v->bad;
}

/* Lengths, by nodes: seqlens_k tells each sample's last key. */
static bool group_lengths(Node *n, Group *g)
{
  static const int64_t column[] = {-1, 1, 1}, one[] = {1};
  Value *rows = contrib_size(n, g->q, 2), *past = node_in(n, 3);
  g->last = contrib_cast(n, contrib_reshape(n, n->in[5], column, 3), DT_I64);
  g->total = contrib_cast(n, contrib_reshape(n, n->in[6], one, 1), DT_I64);
  g->cache = g->total;
  if (past)
    g->cache = node_op(n, "Max", 2, g->total, contrib_size(n, past, 2));
  g->first = node_op(n, "Equal", 2, g->total, rows);
  Value *after = node_op(n, "Sub", 2, node_op(n, "Add", 2, g->last,
                                              contrib_number(n, DT_I64, 1)),
                         rows);
  g->before = node_op(n, "Where", 3, g->first, contrib_number(n, DT_I64, 0),
                      after);
  if (g->before->bad || g->cache->bad) return false;
  int count;
  if (value_content(g->cache, &count)) return true;
  fail_unsupported(n, "total_sequence_length is computed from the data at run "
                   "time; make it a constant or an expression of input "
                   "dimensions");
  return false;
}

/* Places of this call's rows, [batch, rows]; a row of padding is at 1. */
static Value *places(Node *n, Group *g)
{
  int64_t axis = 1;
  if (node_in(n, 9)) return n->in[9];
  Value *at = contrib_range(n, NULL, contrib_size(n, g->q, 2));
  Value *moved = node_op(n, "Add", 2, g->before, at);
  Value *inside = node_op(n, "LessOrEqual", 2, at, g->last);
  Value *prompt = node_op(n, "Where", 3, inside, at,
                          contrib_number(n, DT_I64, 1));
  return node_op(n, "Squeeze", 2,
                 node_op(n, "Where", 3, g->first, prompt, moved),
                 value_const_ints(n->g, "axis", &axis, 1));
}

static Value *rotated(Node *n, Value *x, Value *at)
{
  int64_t half;
  Node *a = contrib_node(n, "RotaryEmbedding", 4, x, n->in[7], n->in[8], at);
  attr_set_int(a, "interleaved", attr_int(n, "rotary_interleaved", 0) != 0);
  if (dim_is_int(n->in[7]->dim[1], &half))
    attr_set_int(a, "rotary_embedding_dim", 2 * half);
  return contrib_out(a);
}

/* The past, its rows zero that do not count. */
static Value *counted(Node *n, Group *g, Value *past)
{
  Value *at = contrib_range(n, NULL, contrib_size(n, past, 2));
  Value *open = node_op(n, "Less", 2, contrib_unsqueeze(n, at, 1),
                        contrib_unsqueeze(n, g->before, 1));
  return node_op(n, "Where", 3, open, past,
                 contrib_number(n, past->dtype, 0));
}

/* Rows x behind the past of each sample, in a present that ends in zeros. */
static Value *present_of(Node *n, Group *g, Value *x, Value *past)
{
  static const int64_t list[] = {-1};
  Value *zero = contrib_number(n, x->dtype, 0), *room = g->cache;
  if (past)
    room = node_op(n, "Sub", 2, room, contrib_size(n, past, 2));
  Value *shape = contrib_concat(n, contrib_size(n, x, 0),
                                contrib_size(n, x, 1), 0);
  shape = contrib_concat(n, shape, room, 0);
  shape = contrib_concat(n, shape, contrib_size(n, x, 3), 0);
  Value *all = node_op(n, "Expand", 2, zero, shape);
  if (past) all = contrib_concat(n, counted(n, g, past), all, 2);
  return node_op(n, "TensorScatter", 3, all, x,
                 contrib_reshape(n, g->before, list, 1));
}

/* bool [batch, 1, rows, keys]: a row sees the keys up to its own. */
static Value *looks_back(Node *n, Group *g)
{
  int64_t window = attr_int(n, "local_window_size", -1);
  Value *rows = contrib_range(n, NULL, contrib_size(n, g->q, 2));
  Value *keys = contrib_range(n, NULL, g->total);
  Value *at = node_op(n, "Add", 2, g->before, contrib_unsqueeze(n, rows, 1));
  Value *open = node_op(n, "LessOrEqual", 2, keys, at);
  if (window > 0) {
    Value *from = node_op(n, "Sub", 2, at,
                          contrib_number(n, DT_I64, (double)window));
    open = node_op(n, "And", 2, open, node_op(n, "Greater", 2, keys, from));
  }
  return open->bad ? open : contrib_unsqueeze(n, open, 1);
}

static Value *group_mask(Node *n, Group *g)
{
  Value *open = looks_back(n, g), *bias = node_in(n, 10);
  if (!bias || open->bad) return open;
  return node_op(n, "Where", 3, open, bias,
                 contrib_number(n, bias->dtype, -HUGE_VAL));
}

/* i64[4]: the axes of q, with `last` instead of the size of a head. */
static Value *scores_shape(Node *n, Group *g, Value *last)
{
  Value *shape = contrib_size(n, g->q, 0);
  for (int64_t i = 1; i < 3; i++)
    shape = contrib_concat(n, shape, contrib_size(n, g->q, i), 0);
  return contrib_concat(n, shape, last, 0);
}

/* The rows of the present that the mask speaks of. */
static Value *rows_used(Node *n, Group *g, Value *x)
{
  int64_t zero = 0, axis = 2;
  return node_op(n, "Slice", 4, x, value_const_ints(n->g, "from", &zero, 1),
                 g->total, value_const_ints(n->g, "axis", &axis, 1));
}

/* x with a row of zeros behind all others. */
static Value *zero_row(Node *n, Value *x)
{
  const int64_t pads[] = {0, 0, 0, 0, 0, 0, 1, 0};
  return node_op(n, "Pad", 2, x, value_const_ints(n->g, "pads", pads, 8));
}

/* A key more, whose score is head_sink, or 0 with smooth_softmax, and whose
 * value is 0: it takes a share of each softmax. The mask gets numbers. */
static Value *with_sink(Node *n, Group *g, Value *mask)
{
  static const int64_t heads[] = {1, -1, 1, 1};
  Value *sink = node_in(n, 11), *one = contrib_number(n, DT_I64, 1);
  Value *zero = contrib_number(n, g->q->dtype, 0);
  sink = sink ? contrib_reshape(n, sink, heads, 4) : zero;
  if (mask->dtype == DT_BOOL)
    mask = node_op(n, "Where", 3, mask, zero,
                   contrib_number(n, g->q->dtype, -HUGE_VAL));
  mask = node_op(n, "Expand", 2, mask, scores_shape(n, g, g->total));
  one = contrib_unsqueeze(n, one, 0);
  sink = node_op(n, "Expand", 2, sink, scores_shape(n, g, one));
  return contrib_concat(n, mask, sink, 3);
}

static void upgrade_group(Node *n)
{
  static const int64_t perm[] = {0, 2, 1, 3}, flat[] = {0, 0, -1};
  Group g = {0};
  if (!contrib_ready(n) || !group_fits(n) || !contrib_heads(n, &g.heads) ||
      !group_heads(n, &g) || !group_lengths(n, &g))
    return;
  if (attr_int(n, "do_rotary", 0) && node_in(n, 7)) {
    Value *at = places(n, &g);
    g.q = rotated(n, g.q, at);
    g.k = rotated(n, g.k, at);
  }
  Value *k = present_of(n, &g, g.k, node_in(n, 3));
  Value *v = present_of(n, &g, g.v, node_in(n, 4));
  Value *mask = group_mask(n, &g), *keys = k, *values = v;
  if (mask->bad) return;
  if (node_in(n, 11) || attr_int(n, "smooth_softmax", 0)) {
    mask = with_sink(n, &g, mask);
    keys = zero_row(n, rows_used(n, &g, k));
    values = zero_row(n, rows_used(n, &g, v));
  }
  Node *a = contrib_node(n, "Attention", 4, g.q, keys, values, mask);
  float scale = attr_float(n, "scale", 0);
  if (scale != 0) attr_set_float(a, "scale", scale);
  attr_set_float(a, "softcap", attr_float(n, "softcap", 0));
  Value *y = contrib_out(a);
  if (y->bad) return;
  y = contrib_reshape(n, contrib_transpose(n, y, perm), flat, 3);
  contrib_give(n, 1, k);
  contrib_give(n, 2, v);
  contrib_give(n, 0, y);
  node_remove(n);
}

static const OpRow group_rows[] = {
  { 1, "query:T key:T? value:T? past_key:C? past_value:C? seqlens_k:M "
    "total_sequence_length:M cos_cache:T? sin_cache:T? position_ids:i64? "
    "attention_bias:T? head_sink:T? k_scale:S? v_scale:S? q_norm_weight:T? "
    "k_norm_weight:T? query_seqlens:M? -> output:T present_key:C? "
    "present_value:C? output_qk:T?",
    "T=f16 bf16 f32; C=f32 f16 bf16 u8 i8 f8e4m3fn; M=i32; S=f32",
    "causal:i do_rotary:i k_norm_epsilon:f k_quant_type:s "
    "kv_cache_bit_width:i kv_num_heads:i! local_window_size:i num_heads:i! "
    "q_norm_epsilon:f qk_norm_epsilon:f qk_output:i rotary_interleaved:i "
    "scale:f sliding_window_cache:i smooth_softmax:i softcap:f v_quant_type:s",
    upgrade_group },
};

static const OpDef defs[] = {
  { .name = "GroupQueryAttention", .domain = "com.microsoft",
    .rows = group_rows, .nrow = COUNT(group_rows) },
};
OPS_DEFINE(ms_group, defs)
