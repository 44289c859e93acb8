/* SPDX-License-Identifier: Apache-2.0 */
/* LinearAttention: a matrix of state for each head, which each token decays,
 * corrects and reads. It stays in one place over the whole sequence: in the
 * output where that is of the type that kernels compute in, else in scratch. */
#include "../ir.h"
#include <math.h>
#include <string.h>

static bool read_rule(Node *n, LinearShape *r)
{
  static const char *const names[] = {"linear", "gated", "delta",
                                      "gated_delta"};
  const char *rule = attr_str(n, "update_rule", "gated_delta");
  int k = 0;
  while (k < COUNT(names) && strcmp(rule, names[k])) k++;
  if (k == COUNT(names)) {
    fail_model(n, "update_rule is \"%s\" (spec: linear, gated, delta or "
               "gated_delta)", rule);
    return false;
  }
  r->gated = k & 1;
  r->delta = k & 2;
  if (r->gated == !node_in(n, 4) || r->delta == !node_in(n, 5)) {
    bool gate = r->gated == !node_in(n, 4), wants = gate ? r->gated : r->delta;
    fail_model(n, "input %s is %s, which update_rule \"%s\" %s",
               gate ? "decay" : "beta", wants ? "missing" : "given", rule,
               wants ? "needs" : "forbids");
    return false;
  }
  return true;
}

/* The size of one of `heads` in rows of input `in`. */
static const Dim *head_size(Node *n, int in, const Dim *heads)
{
  DimPool *p = node_dims(n);
  const Dim *d = dim_div_exact(p, n->in[in]->dim[2], heads);
  if (!d)
    fail_model(n, "input %d: %s elements are no multiple of %s heads", in,
               dim_text(p, n->in[in]->dim[2]), dim_text(p, heads));
  return d;
}

static bool read_sizes(Node *n, LinearShape *r)
{
  DimPool *p = node_dims(n);
  int64_t heads = attr_int(n, "q_num_heads", 0);
  int64_t groups = attr_int(n, "kv_num_heads", 0);
  if (groups < 1 || heads < 1 || heads % groups) {
    fail_model(n, "%lld heads of query, %lld of key (spec: a positive "
               "multiple)", (long long)heads, (long long)groups);
    return false;
  }
  static const int packed[] = {0, 1, 2, 4, 5};
  for (int i = 0; i < COUNT(packed); i++) {
    const Value *v = node_in(n, packed[i]);
    if (!v || v->rank == 3) continue;
    fail_model(n, "input %d is rank %d (spec: 3)", packed[i], v->rank);
    return false;
  }
  r->n = n->in[0]->dim[0];
  r->t = n->in[0]->dim[1];
  r->heads = dim_int(p, heads);
  r->groups = dim_int(p, groups);
  r->keys = head_size(n, 0, r->heads);
  r->wide = head_size(n, 2, r->groups);
  return r->keys && r->wide;
}

static bool check_shapes(Node *n, LinearShape *r)
{
  DimPool *p = node_dims(n);
  const Dim *keys = dim_mul(p, r->groups, r->keys);
  const Value *past = node_in(n, 3), *decay = node_in(n, 4);
  const Value *beta = node_in(n, 5);
  const Dim *state[] = {r->n, r->groups, r->keys, r->wide};
  for (int i = 1; i < 6; i++)
    if (i != 3 && node_in(n, i) &&
        (!infer_equal(n, n->in[i]->dim[0], r->n, "batch of inputs") ||
         !infer_equal(n, n->in[i]->dim[1], r->t, "tokens of inputs")))
      return false;
  if (!infer_equal(n, n->in[1]->dim[2], keys, "elements of key, of its heads"))
    return false;
  if (past && past->rank != 4) {
    fail_model(n, "past_state is rank %d (spec: 4)", past->rank);
    return false;
  }
  for (int k = 0; past && k < 4; k++)
    if (!infer_equal(n, past->dim[k], state[k], "extents of past_state"))
      return false;
  r->per_key = decay && decay->dim[2] != r->groups;
  if (r->per_key &&
      !infer_equal(n, decay->dim[2], keys, "elements of decay, of key"))
    return false;
  r->per_head = beta && !dim_is(beta->dim[2], 1);
  return !r->per_head ||
    infer_equal(n, beta->dim[2], r->groups, "elements of beta, heads of key");
}

bool linear_shape(Node *n, LinearShape *r)
{
  int64_t size;
  if (!read_rule(n, r) || !read_sizes(n, r) || !check_shapes(n, r))
    return false;
  r->scale = (double)attr_float(n, "scale", 0);
  if (r->scale == 0)
    r->scale = dim_is_int(r->keys, &size) && size ? 1 / sqrt((double)size) : 1;
  return true;
}

static void infer_linear(Node *n)
{
  LinearShape r;
  if (!infer_ready(n) || !linear_shape(n, &r)) return;
  const Value *past = node_in(n, 3);
  const Dim *y[] = {r.n, r.t, dim_mul(node_dims(n), r.heads, r.wide)};
  const Dim *state[] = {r.n, r.groups, r.keys, r.wide};
  infer_out(n, 0, n->in[0]->dtype, 3, y);
  infer_out(n, 1, past ? past->dtype : n->in[0]->dtype, 4, state);
}

static void lower_linear(Lower *l, Node *n)
{
  LinearShape r;
  DimPool *p = node_dims(n);
  Dtype t = n->in[0]->dtype, real = real_of(t);
  Value *present = node_out(n, 1), *state;
  if (!linear_shape(n, &r)) return;
  const Dim *matrix = dim_mul(p, r.keys, r.wide);
  state = present ? lower_real_for(l, n, present, real)
    : lower_scratch(l, n, real, dim_mul(p, dim_mul(p, r.n, r.groups), matrix));
  const Dim *dim[] = {r.n, r.t, r.heads, r.groups, r.keys, r.wide};
  const int64_t rule[] = {r.per_key, r.per_head};
  lower_call(l, n, "linear_attention", t, "iiiiiioooDKf", n->in[0], n->in[1],
             n->in[2], lower_real(l, n, node_in(n, 3), real), node_in(n, 4),
             node_in(n, 5), n->out[0], state,
             lower_scratch(l, n, real,
                           dim_add(p, dim_mul(p, dim_int(p, 2), r.wide),
                                   r.keys)), dim,
             COUNT(dim), rule, COUNT(rule), r.scale);
  lower_real_to(l, n, state, present);
}

/* Samples stay apart. */
static int axis_linear(const Node *n, int in, int axis, int out)
{
  (void)n;
  (void)in;
  (void)out;
  return axis == 0 ? 0 : AXIS_MIXES;
}

static const OpRow rows[] = {
  {27, "query:T key:T value:T past_state:S? decay:T? beta:T? "
   "-> output:T present_state:S", "T=f32 f16 bf16; S=f32 f16 bf16",
   "chunk_size:i kv_num_heads:i! q_num_heads:i! scale:f update_rule:s", NULL},
};
static const OpDef defs[] = {
  {.name = "LinearAttention", .rows = rows, .nrow = COUNT(rows),
   .infer = infer_linear, .lower = lower_linear, .axis = axis_linear},
};
OPS_DEFINE(linear, defs)
