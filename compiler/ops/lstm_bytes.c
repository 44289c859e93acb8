/* SPDX-License-Identifier: Apache-2.0 */
/* DynamicQuantizeLSTM of com.microsoft: an LSTM whose weights are bytes. X is
 * quantised as a whole, by the rule of DynamicQuantizeLinear, and multiplied by
 * all of W at once; so it becomes DynamicQuantizeLinear, MatMulInteger, and
 * scales, whose kernels are there, and the internal
 *
 *   LstmOfBytes  the steps: X is what W made of the inputs, R is [dirs, H, 4*H]
 *                of bytes; B (both biases), R_scale and R_zero_point have one
 *                number for each direction and column; W is absent
 *
 * A step quantises the states of all samples together, so they mix. Of X, only
 * steps that some sample takes count for the range, as onnxruntime has it. */
#include "ir.h"

#include <math.h>
#include <string.h>

enum { IN_X, IN_W, IN_R, IN_B, IN_LENS, IN_H0, IN_C0, IN_P, W_SCALE, W_ZERO,
       R_SCALE, R_ZERO };
/* Functions, by the numbers of ref/recurrent.h. */
enum { TANH = 4, SIGMOID = 6, NEAR_TANH = 11, NEAR_SIGMOID = 12 };

/* [dirs], or [dirs, 4*H]. */
static bool scales_ok(Node *n, int in, const Dim *dirs, const Dim *gh,
                      const char *what)
{
  const Dim *dim[] = { dirs, gh };
  int rank = n->in[in]->rank == 2 ? 2 : 1;
  return recurrent_shape(n, in, rank, dim, what);
}

static bool shapes_ok(Node *n)
{
  DimPool *d = node_dims(n);
  const Value *x = n->in[IN_X], *r = n->in[IN_R];
  const Dim *dirs = dim_int(d, recurrent_dirs(n)), *h = r->dim[1];
  const Dim *gh = dim_mul(d, h, dim_int(d, 4)), *batch = x->dim[1];
  const Dim *w[] = { dirs, x->dim[2], gh }, *rr[] = { dirs, h, gh };
  const Dim *b[] = { dirs, dim_mul(d, gh, dim_int(d, 2)) };
  const Dim *state[] = { dirs, batch, h }, *lens[] = { batch };
  const Dim *p[] = { dirs, dim_mul(d, h, dim_int(d, 3)) };
  return recurrent_shape(n, IN_W, 3, w, "W") &&
         recurrent_shape(n, IN_R, 3, rr, "R") &&
         recurrent_shape(n, IN_B, 2, b, "B") &&
         recurrent_shape(n, IN_LENS, 1, lens, "sequence_lens") &&
         recurrent_shape(n, IN_H0, 3, state, "initial_h") &&
         recurrent_shape(n, IN_C0, 3, state, "initial_c") &&
         recurrent_shape(n, IN_P, 2, p, "P") &&
         scales_ok(n, W_SCALE, dirs, gh, "W_scale") &&
         scales_ok(n, W_ZERO, dirs, gh, "W_zero_point") &&
         scales_ok(n, R_SCALE, dirs, gh, "R_scale") &&
         scales_ok(n, R_ZERO, dirs, gh, "R_zero_point");
}

static void infer_lstm(Node *n)
{
  int64_t v[2 * RECURRENT_PER_DIR], hidden;
  if (!infer_ready(n) || !recurrent_direction(n) || !recurrent_functions(n, v))
    return;
  const Value *x = n->in[IN_X], *r = n->in[IN_R];
  if (x->rank != 3 || r->rank != 3) {
    fail_model(n, "X is of rank %d, R of rank %d (spec: 3)", x->rank, r->rank);
    return;
  }
  if (!shapes_ok(n))
    return;
  if (!dim_is_int(r->dim[1], &hidden)) {
    fail_unsupported(n, "the hidden size is only known at run time; give R a "
                     "fixed shape");
    return;
  }
  if (attr_int(n, "hidden_size", hidden) != hidden) {
    fail_model(n, "hidden_size is %lld, but R is for %lld",
               (long long)attr_int(n, "hidden_size", 0), (long long)hidden);
    return;
  }
  const Dim *dirs = dim_int(node_dims(n), recurrent_dirs(n));
  const Dim *y[] = { x->dim[0], dirs, x->dim[1], r->dim[1] };
  const Dim *state[] = { dirs, x->dim[1], r->dim[1] };
  infer_out(n, 0, DT_F32, 4, y);
  infer_out(n, 1, DT_F32, 3, state);
  infer_out(n, 2, DT_F32, 3, state);
}

/* --- What the steps are given --------------------------------------------- */

/* A constant now, where it is made of constants: passes look for those. */
static Value *settled(Value *v)
{
  Node *def = v->def;
  if (def && eval_node(def))
    node_remove(def);
  return v;
}

static Value *reshaped(Node *at, Value *v, const int64_t *dim, int rank)
{
  return settled(node_op(at, "Reshape", 2, v,
                         value_const_ints(at->g, "shape", dim, rank)));
}

static Value *turned(Node *at, Value *v)
{
  static const int64_t perm[] = { 1, 0, 2 };
  Node *t = node_new(at->g, at, "Transpose", 1, 1, at);
  attr_set_ints(t, "perm", perm, 3);
  node_set_input(t, 0, v);
  node_set_output(t, 0, value_tmp(at->g, v->name, NULL));
  infer_node(t);
  return settled(t->out[0]);
}

/* A number for each direction, or each column, as one vector of all columns. */
static Value *for_columns(Node *n, int in, int64_t gh)
{
  int64_t dirs = recurrent_dirs(n), shape[] = { dirs, gh }, all = -1;
  Value *v = n->in[in];
  if (v->rank == 1)
    v = reshaped(n, v, (const int64_t[]){ dirs, 1 }, 2);
  v = settled(node_op(n, "Expand", 2, v,
                      value_const_ints(n->g, "shape", shape, 2)));
  return reshaped(n, v, &all, 1);
}

/* Wb + Rb, as a vector of all columns. */
static Value *biases(Node *n, int64_t gh)
{
  int64_t split[] = { recurrent_dirs(n), 2, gh }, axis = 1, all = -1;
  Value *v = reshaped(n, n->in[IN_B], split, 3);
  Value *sum = settled(node_op(n, "ReduceSum", 2, v,
                               value_const_ints(n->g, "axes", &axis, 1)));
  return reshaped(n, sum, &all, 1);
}

/* X, with zeros in steps that no sample takes. */
static Value *taken(Node *n)
{
  int64_t zero = 0, column[] = { -1, 1, 1 };
  Value *x = n->in[IN_X];
  Node *shape = node_new(n->g, n, "Shape", 1, 1, n);
  attr_set_int(shape, "start", 0);
  attr_set_int(shape, "end", 1);
  node_set_input(shape, 0, x);
  node_set_output(shape, 0, value_tmp(n->g, "steps", NULL));
  infer_node(shape);
  Value *steps = node_op(n, "Squeeze", 2, shape->out[0],
                         value_const_ints(n->g, "axes", &zero, 1));
  Value *at = node_op(n, "Range", 3,
                      value_const_scalar(n->g, "zero", DT_I64, 0), steps,
                      value_const_scalar(n->g, "one", DT_I64, 1));
  Value *most = node_op(n, "ReduceMax", 1, n->in[IN_LENS]);
  Value *used = node_op(n, "Less", 2, at, node_op(n, "CastLike", 2, most, at));
  Value *mask = node_op(n, "Reshape", 2, used,
                        value_const_ints(n->g, "shape", column, 3));
  return node_op(n, "Where", 3, mask, x,
                 value_const_scalar(n->g, "zero", DT_F32, 0));
}

static void expand_lstm(Node *n)
{
  int64_t h = 0, flat[] = { 0, -1 };
  dim_is_int(n->in[IN_R]->dim[1], &h);
  Value *x = node_in(n, IN_LENS) ? taken(n) : n->in[IN_X];
  Node *q = node_new(n->g, n, "DynamicQuantizeLinear", 1, 3, n);
  node_set_input(q, 0, x);
  for (int i = 0; i < 3; i++)
    node_set_output(q, i, value_tmp(n->g, x->name, NULL));
  infer_node(q);
  Value *w = reshaped(n, turned(n, n->in[IN_W]), flat, 2);
  Value *scale = node_op(n, "Mul", 2, for_columns(n, W_SCALE, 4 * h),
                         q->out[1]);
  Value *sum = node_op(n, "MatMulInteger", 4, q->out[0], w, q->out[2],
                       for_columns(n, W_ZERO, 4 * h));
  sum = node_op(n, "Mul", 2, node_op(n, "CastLike", 2, sum, scale), scale);
  Value *b = node_in(n, IN_B) ? biases(n, 4 * h) : NULL;
  Value *rs = for_columns(n, R_SCALE, 4 * h), *rz = for_columns(n, R_ZERO,
                                                                4 * h);
  node_set_input(n, IN_X, sum);
  node_set_input(n, IN_W, NULL);
  node_set_input(n, IN_B, b);
  node_set_input(n, W_SCALE, NULL);
  node_set_input(n, W_ZERO, NULL);
  node_set_input(n, R_SCALE, rs);
  node_set_input(n, R_ZERO, rz);
  n->domain = "o2c";
  n->op_type = "LstmOfBytes";
  n->op = op_find("o2c", n->op_type);
}

static void infer_given(Node *n) { (void)n; }

static void lower_steps(Lower *l, Node *n)
{
  DimPool *d = node_dims(n);
  const Value *x = n->in[IN_X], *r = n->in[IN_R];
  int64_t v[2 * RECURRENT_PER_DIR] = { 0 };
  const Dim *at[7], *h = r->dim[1];
  if (!recurrent_functions(n, v))
    return;
  for (int i = 0; i < 2 * RECURRENT_PER_DIR; i += 3) /* ref/recurrent.h */
    v[i] = v[i] == TANH ? NEAR_TANH : v[i] == SIGMOID ? NEAR_SIGMOID : v[i];
  recurrent_strides(n, at);
  const Dim *states = dim_mul(d, dim_mul(d, x->dim[1], h), dim_int(d, 3));
  lower_call(l, n, "lstm_bytes", DT_F32, "iiiiiiiiioooodddkkkkDKf", n->in[IN_X],
             n->in[IN_R], node_in(n, IN_B), n->in[R_SCALE], n->in[R_ZERO],
             node_in(n, IN_LENS), node_in(n, IN_H0), node_in(n, IN_C0),
             node_in(n, IN_P),
             node_out(n, 0), node_out(n, 1), node_out(n, 2),
             lower_scratch(l, n, DT_F32,
                           dim_add(d, states, dim_mul(d, h, dim_int(d, 4)))),
             x->dim[0], x->dim[1], h, (int64_t)recurrent_dirs(n),
             (int64_t)!strcmp(attr_str(n, "direction", ""), "reverse"),
             (int64_t)(attr_int(n, "input_forget", 0) != 0),
             (int64_t)(r->dtype == DT_I8), at, 7, v, 2 * RECURRENT_PER_DIR,
             (double)attr_float(n, "clip", INFINITY));
}

#define PORTS(w) \
  "X:T W:Q" w " R:Q B:T? sequence_lens:I? initial_h:T? initial_c:T? P:T? " \
  "W_scale:T" w " W_zero_point:Q" w " R_scale:T R_zero_point:Q " \
  "-> Y:T? Y_h:T? Y_c:T?"
#define TYPES "T=f32; Q=i8 u8; I=i32"
#define ATTRS "activation_alpha:F activation_beta:F activations:S clip:f " \
  "direction:s hidden_size:i input_forget:i"
static const OpRow lstm_rows[] = {
  { 1, PORTS(""), TYPES, ATTRS, NULL },
};
static const OpRow step_rows[] = {
  { 1, PORTS("?"), TYPES, ATTRS, NULL },
};

static const OpDef defs[] = {
  { .name = "DynamicQuantizeLSTM", .domain = "com.microsoft",
    .rows = lstm_rows, .nrow = COUNT(lstm_rows), .infer = infer_lstm,
    .expand = expand_lstm },
  { .name = "LstmOfBytes", .domain = "o2c", .rows = step_rows,
    .nrow = COUNT(step_rows), .infer = infer_given, .lower = lower_steps,
    .flags = OP_INTERNAL },
};
OPS_DEFINE(lstm_bytes, defs)
