/* SPDX-License-Identifier: Apache-2.0 */
/* Adagrad, Adam and Momentum of ai.onnx.preview.training: one step of training.
 * All are elementwise, so they become nodes that fuse into one loop for each
 * tensor. Inputs are R (the rate), T (steps made), then the tensors, their
 * gradients, and one or two lists of state; outputs are the tensors and the
 * states. */
#include "../ir.h"
#include <string.h>

#define TRAINING "ai.onnx.preview.training"

/* Lists of tensors among the inputs: those, gradients, states. */
static int lists_of(const Node *n)
{
  return !strcmp(n->op_type, "Adam") ? 4 : 3;
}

static bool check_mode(Node *n)
{
  const char *mode = attr_str(n, "mode", "standard");
  if (!strcmp(mode, "standard") || !strcmp(mode, "nesterov")) return true;
  fail_model(n, "mode is \"%s\" (spec: standard or nesterov)", mode);
  return false;
}

static bool check_scalar(Node *n, int in, const char *name)
{
  int64_t one;
  if (!dim_is_int(value_numel(n->in[in]), &one) || one == 1) return true;
  fail_model(n, "%s has %lld elements (spec: a scalar)", name, (long long)one);
  return false;
}

static void infer_optimizer(Node *n)
{
  int lists = lists_of(n), count = (n->nin - 2) / lists;
  if (!infer_ready(n) || !check_mode(n) || !check_scalar(n, 0, "R") ||
      !check_scalar(n, 1, "T"))
    return;
  if (count < 1 || (n->nin - 2) % lists || n->nout > count * (lists - 1)) {
    fail_model(n, "%d tensors give %d outputs (spec: %d inputs and %d outputs "
               "for each tensor, beside R and T)", n->nin - 2, n->nout, lists,
               lists - 1);
    return;
  }
  for (int i = 2; i < n->nin; i++) {
    const Value *x = n->in[2 + (i - 2) % count], *v = node_in(n, i);
    if (!v || v->rank != x->rank || v->dtype != x->dtype ||
        (v->dtype != DT_F32 && v->dtype != DT_F64)) {
      fail_model(n, "input %d is not of the type and rank of its tensor, float "
                 "or double", i);
      return;
    }
    for (int k = 0; k < x->rank; k++)
      if (!infer_equal(n, v->dim[k], x->dim[k],
                       "extents of a tensor, of its gradient or state"))
        return;
  }
  for (int i = 0; i < n->nout; i++) infer_same(n, i, 2 + i % count);
}

/* --- Expressions: nodes before `at`, in the type of a tensor. ------------- */

typedef struct { Node *at; Dtype type; } Maker;

static Value *number(const Maker *k, double v)
{
  return value_const_scalar(k->at->g, "number", k->type, v);
}

static Value *op2(const Maker *k, const char *op, Value *a, Value *b)
{
  return node_op(k->at, op, 2, a, b);
}

static Value *scaled(const Maker *k, double by, Value *x)
{
  return op2(k, "Mul", number(k, by), x);
}

/* A scalar input in the type of the tensors. */
static Value *scalar(const Maker *k, int in)
{
  Value *x = k->at->in[in];
  if (x->rank)
    x = op2(k, "Reshape", x, value_const_ints(k->at->g, "shape", NULL, 0));
  return node_cast(k->at, x, k->type);
}

static double attr_of(const Node *n, const char *name, double dflt)
{
  return (double)attr_float(n, name, (float)dflt);
}

/* first where T > 0, else then. */
static Value *if_begun(const Maker *k, Value *first, Value *then)
{
  Value *begun = op2(k, "Greater", scalar(k, 1), number(k, 0));
  return node_op(k->at, "Where", 3, begun, first, then);
}

static Value *root(const Maker *k, Value *h)
{
  double epsilon = attr_of(k->at, "epsilon", 1e-6);
  return op2(k, "Add", node_op(k->at, "Sqrt", 1, h), number(k, epsilon));
}

static Value *square(const Maker *k, Value *g)
{
  return op2(k, "Mul", g, g);
}

/* y[0] the tensor, y[1..] its states; s[] are the states. */
static void adagrad(const Maker *k, Value *x, Value *g, Value *const *s,
                    Value **y)
{
  double decay = attr_of(k->at, "decay_factor", 0);
  Value *slow = op2(k, "Add", number(k, 1), scaled(k, decay, scalar(k, 1)));
  Value *rate = op2(k, "Div", scalar(k, 0), slow);
  y[1] = op2(k, "Add", s[0], square(k, g));
  y[0] = op2(k, "Sub", x, op2(k, "Div", op2(k, "Mul", rate, g), root(k, y[1])));
}

/* sqrt(1 - beta**T) / (1 - alpha**T) times R, from the first step on. */
static Value *adam_rate(const Maker *k, double alpha, double beta)
{
  Value *t = scalar(k, 1), *r = scalar(k, 0), *one = number(k, 1);
  Value *a = op2(k, "Sub", one, op2(k, "Pow", number(k, alpha), t));
  Value *b = op2(k, "Sub", one, op2(k, "Pow", number(k, beta), t));
  b = op2(k, "Mul", r, node_op(k->at, "Sqrt", 1, b));
  return if_begun(k, op2(k, "Div", b, a), r);
}

static void adam(const Maker *k, Value *x, Value *g, Value *const *s, Value **y)
{
  double alpha = attr_of(k->at, "alpha", 0.9f);
  double beta = attr_of(k->at, "beta", 0.999f);
  double post = attr_of(k->at, "norm_coefficient_post", 0);
  Value *rate = adam_rate(k, alpha, beta);
  y[1] = op2(k, "Add", scaled(k, alpha, s[0]), scaled(k, 1 - alpha, g));
  y[2] = op2(k, "Add", scaled(k, beta, s[1]),
             scaled(k, 1 - beta, square(k, g)));
  Value *step = op2(k, "Div", op2(k, "Mul", rate, y[1]), root(k, y[2]));
  y[0] = op2(k, "Sub", x, step);
  if (post != 0) y[0] = scaled(k, 1 - post, y[0]);
}

static void momentum(const Maker *k, Value *x, Value *g, Value *const *s,
                     Value **y)
{
  double alpha = attr_of(k->at, "alpha", 0), beta = attr_of(k->at, "beta", 1);
  bool nesterov = !strcmp(attr_str(k->at, "mode", ""), "nesterov");
  Value *by = if_begun(k, number(k, beta), number(k, 1));
  y[1] = op2(k, "Add", scaled(k, alpha, s[0]), op2(k, "Mul", by, g));
  Value *way = !nesterov ? y[1] : op2(k, "Add", g, scaled(k, alpha, y[1]));
  y[0] = op2(k, "Sub", x, op2(k, "Mul", scalar(k, 0), way));
}

static void expand_optimizer(Node *n)
{
  int lists = lists_of(n), count = (n->nin - 2) / lists;
  double norm = attr_of(n, "norm_coefficient", 0);
  for (int i = 0; i < count; i++) {
    Value *x = n->in[2 + i], *g = n->in[2 + count + i], *s[2], *y[3];
    Maker k = {n, x->dtype};
    for (int j = 2; j < lists; j++) s[j - 2] = n->in[2 + j * count + i];
    if (norm != 0) g = op2(&k, "Add", scaled(&k, norm, x), g);
    (*n->op_type == 'M' ? momentum : lists == 4 ? adam : adagrad)
      (&k, x, g, s, y);
    for (int j = 0; j + 1 < lists; j++)
      if (node_out(n, j * count + i))
        value_replace(n->out[j * count + i], y[j]);
  }
  node_remove(n);
}

/* Each tensor may be of a type of its own. */
#define SIG "R:T1 T:i64 inputs:*... -> outputs:*..."
#define TYPES "T1=f32 f64"
static const OpRow adagrad_rows[] = {
  {1, SIG, TYPES, "norm_coefficient:f decay_factor:f epsilon:f", NULL},
};
static const OpRow adam_rows[] = {
  {1, SIG, TYPES, "norm_coefficient:f norm_coefficient_post:f alpha:f beta:f "
   "epsilon:f", NULL},
};
static const OpRow momentum_rows[] = {
  {1, SIG, TYPES, "norm_coefficient:f! alpha:f! beta:f! mode:s!", NULL},
};

#define OPTIMIZER(op, its) \
  {.name = op, .domain = TRAINING, .rows = its, .nrow = COUNT(its), \
   .infer = infer_optimizer, .expand = expand_optimizer}
static const OpDef defs[] = {
  OPTIMIZER("Adagrad", adagrad_rows),
  OPTIMIZER("Adam", adam_rows),
  OPTIMIZER("Momentum", momentum_rows),
};
OPS_DEFINE(optimizer, defs)
