/* SPDX-License-Identifier: Apache-2.0 */
/* CausalConvWithState: a depthwise convolution along a sequence that looks back
 * only, over what past_state holds of the steps before. It becomes a Conv,
 * padded in front or behind the past, and a Swish; the state is the end of the
 * sequence, cut from no more of it than that takes. */
#include "../ir.h"
#include <string.h>

static bool check_activation(Node *n)
{
  static const char *const names[] = {"none", "silu", "swish"};
  const char *name = attr_str(n, "activation", "none");
  for (int i = 0; i < COUNT(names); i++)
    if (!strcmp(name, names[i])) return true;
  fail_model(n, "activation is \"%s\" (spec: none, silu or swish)", name);
  return false;
}

static bool check_ranks(Node *n)
{
  static const int rank[] = {3, 3, 1, 3};
  for (int i = 0; i < COUNT(rank); i++) {
    const Value *v = node_in(n, i);
    if (!v || v->rank == rank[i]) continue;
    fail_model(n, "input %d is rank %d (spec: %d)", i, v->rank, rank[i]);
    return false;
  }
  return true;
}

static bool kernel_size(Node *n, int64_t *k)
{
  const Dim *d = n->in[1]->dim[2];
  if (dim_is_int(d, k) && *k > 0) return true;
  fail_unsupported(n, "the kernel has %s elements; the number must be known, "
                   "and 1 at least", dim_text(node_dims(n), d));
  return false;
}

static void infer_causal(Node *n)
{
  const Value *x = node_in(n, 0), *w = node_in(n, 1), *past = node_in(n, 3);
  DimPool *p = node_dims(n);
  int64_t k;
  if (!infer_ready(n) || !check_activation(n) || !check_ranks(n) ||
      !kernel_size(n, &k))
    return;
  const Dim *one = dim_int(p, 1);
  const Dim *state[] = {x->dim[0], x->dim[1], dim_int(p, k - 1)};
  if (!infer_equal(n, w->dim[0], x->dim[1], "kernels, channels") ||
      !infer_equal(n, w->dim[1], one, "channels of a kernel") ||
      (node_in(n, 2) && !infer_equal(n, n->in[2]->dim[0], x->dim[1],
                                     "elements of bias, channels")))
    return;
  for (int i = 0; past && i < 3; i++)
    if (!infer_equal(n, past->dim[i], state[i], "extents of past_state"))
      return;
  infer_same(n, 0, 0);
  infer_out(n, 1, x->dtype, 3, state);
}

/* --- Nodes before n ------------------------------------------------------- */

static Value *joined(Node *n, Value *a, Value *b)
{
  Node *c = node_new(n->g, n, "Concat", 2, 1, n);
  attr_set_int(c, "axis", 2);
  node_set_input(c, 0, a);
  node_set_input(c, 1, b);
  node_set_output(c, 0, value_tmp(n->g, "padded", NULL));
  infer_node(c);
  return c->out[0];
}

/* The last `count` elements of the sequence x, as far as there are any. */
static Value *end_of(Node *n, Value *x, int64_t count)
{
  int64_t from = count ? -count : 0, to = count ? INT64_MAX : 0, axis = 2;
  return node_op(n, "Slice", 4, x, value_const_ints(n->g, "from", &from, 1),
                 value_const_ints(n->g, "to", &to, 1),
                 value_const_ints(n->g, "axis", &axis, 1));
}

/* x after `count` zeros. */
static Value *after_zeros(Node *n, Value *x, int64_t count)
{
  const int64_t pads[] = {0, 0, count, 0, 0, 0};
  return node_op(n, "Pad", 2, x, value_const_ints(n->g, "pads", pads, 6));
}

static Value *state_of(Node *n, int64_t count)
{
  Value *x = end_of(n, n->in[0], count), *past = node_in(n, 3);
  if (dim_is(x->dim[2], count)) return x;
  return end_of(n, past ? joined(n, past, x) : after_zeros(n, x, count), count);
}

static Value *convolved(Node *n, int64_t k)
{
  const int64_t pads[] = {k - 1, 0}, one = 1;
  Value *past = k > 1 ? node_in(n, 3) : NULL, *bias = node_in(n, 2);
  Value *x = past ? joined(n, past, n->in[0]) : n->in[0];
  int64_t channels;
  Node *c = node_new(n->g, n, "Conv", bias ? 3 : 2, 1, n);
  if (!dim_is_int(n->in[0]->dim[1], &channels)) channels = 1;
  attr_set_int(c, "group", channels);
  attr_set_ints(c, "kernel_shape", &k, 1);
  attr_set_ints(c, "strides", &one, 1);
  if (!past) attr_set_ints(c, "pads", pads, 2);
  node_set_input(c, 0, x);
  node_set_input(c, 1, n->in[1]);
  if (bias) node_set_input(c, 2, bias);
  node_set_output(c, 0, value_tmp(n->g, "conv", NULL));
  infer_node(c);
  return c->out[0];
}

static void expand_causal(Node *n)
{
  int64_t k, channels;
  if (!kernel_size(n, &k)) return;
  if (!dim_is_int(n->in[0]->dim[1], &channels)) {
    fail_unsupported(n, "the number of channels, %s, is not known; fix it with "
                     "--dim", dim_text(node_dims(n), n->in[0]->dim[1]));
    return;
  }
  if (node_out(n, 1)) value_replace(n->out[1], state_of(n, k - 1));
  if (node_out(n, 0)) {
    Value *y = convolved(n, k);
    if (strcmp(attr_str(n, "activation", "none"), "none"))
      y = node_op(n, "Swish", 1, y);
    value_replace(n->out[0], y);
  }
  node_remove(n);
}

static const OpRow rows[] = {
  {27, "input:T weight:T bias:T? past_state:T? -> output:T present_state:T",
   "T=f32 f16 bf16", "activation:s", NULL},
};
static const OpDef defs[] = {
  {.name = "CausalConvWithState", .rows = rows, .nrow = COUNT(rows),
   .infer = infer_causal, .expand = expand_causal},
};
OPS_DEFINE(causal, defs)
