/* SPDX-License-Identifier: Apache-2.0 */
/* Derivatives of elementwise operators. At a corner an operator has the
 * derivative of the side where it is 0, or constant, and of equal operands of
 * Max and Min the first one counts. */
#include "gradient.h"
#include <math.h>
#include <string.h>

/* Short names: these rules are formulas. */
static Value *add(Grad *g, Value *a, Value *b)
{
  return grad_op(g, "Add", a, b, NULL);
}
static Value *sub(Grad *g, Value *a, Value *b)
{
  return grad_op(g, "Sub", a, b, NULL);
}
static Value *mul(Grad *g, Value *a, Value *b)
{
  return grad_op(g, "Mul", a, b, NULL);
}
static Value *quot(Grad *g, Value *a, Value *b)
{
  return grad_op(g, "Div", a, b, NULL);
}
static Value *un(Grad *g, const char *op, Value *a)
{
  return grad_op(g, op, a, NULL, NULL);
}
static Value *num(Grad *g, const Value *like, double v)
{
  return grad_number(g, like, v);
}
static Value *scale(Grad *g, double by, Value *v)
{
  return mul(g, num(g, v, by), v);
}
static Value *one_minus(Grad *g, Value *v)
{
  return sub(g, num(g, v, 1), v);
}
static Value *one_plus(Grad *g, Value *v)
{
  return add(g, num(g, v, 1), v);
}
static Value *where(Grad *g, Value *cond, Value *a, Value *b)
{
  return grad_op(g, "Where", cond, a, b);
}
static Value *more(Grad *g, Value *x, double than)
{
  return grad_op(g, "Greater", x, num(g, x, than), NULL);
}
static double attr_of(const Node *n, const char *name, double dflt)
{
  return (double)attr_float(n, name, (float)dflt);
}

/* --- One operand: dy times a function of x and y. ------------------------- */

static Value *slope_root(Grad *g, Value *x, double sign, double plus)
{
  Value *sq = add(g, scale(g, sign, mul(g, x, x)), num(g, x, plus));
  return un(g, "Reciprocal", un(g, "Sqrt", sq));
}

/* Functions without parameters; NULL: not one of them. */
static Value *slope_plain(Grad *g, const char *op, Value *x, Value *y)
{
  if (!strcmp(op, "Abs")) return un(g, "Sign", x);
  if (!strcmp(op, "Exp")) return y;
  if (!strcmp(op, "Log")) return un(g, "Reciprocal", x);
  if (!strcmp(op, "Sqrt")) return quot(g, num(g, y, 0.5), y);
  if (!strcmp(op, "Reciprocal")) return un(g, "Neg", mul(g, y, y));
  if (!strcmp(op, "Sin")) return un(g, "Cos", x);
  if (!strcmp(op, "Cos")) return un(g, "Neg", un(g, "Sin", x));
  if (!strcmp(op, "Tan")) return one_plus(g, mul(g, y, y));
  if (!strcmp(op, "Asin")) return slope_root(g, x, -1, 1);
  if (!strcmp(op, "Acos")) return un(g, "Neg", slope_root(g, x, -1, 1));
  if (!strcmp(op, "Atan"))
    return un(g, "Reciprocal", one_plus(g, mul(g, x, x)));
  if (!strcmp(op, "Sinh")) return un(g, "Cosh", x);
  if (!strcmp(op, "Cosh")) return un(g, "Sinh", x);
  if (!strcmp(op, "Tanh")) return one_minus(g, mul(g, y, y));
  if (!strcmp(op, "Asinh")) return slope_root(g, x, 1, 1);
  if (!strcmp(op, "Acosh")) return slope_root(g, x, 1, -1);
  if (!strcmp(op, "Atanh"))
    return un(g, "Reciprocal", one_minus(g, mul(g, x, x)));
  if (!strcmp(op, "Sigmoid")) return mul(g, y, one_minus(g, y));
  if (!strcmp(op, "Softplus")) return un(g, "Sigmoid", x);
  if (!strcmp(op, "Erf"))
    return scale(g, 2 / sqrt(acos(-1)),
                 un(g, "Exp", un(g, "Neg", mul(g, x, x))));
  return NULL;
}

static bool d_plain(Grad *g, Node *n, Value *dy)
{
  Value *s = slope_plain(g, n->op_type, n->in[0], n->out[0]);
  if (s) grad_give(g, n, 0, mul(g, dy, s));
  return s != NULL;
}

static bool d_neg(Grad *g, Node *n, Value *dy)
{
  grad_give(g, n, 0, un(g, "Neg", dy));
  return true;
}

/* The slope is 0, or nothing is said where it is not. */
static bool d_none(Grad *g, Node *n, Value *dy)
{
  (void)g;
  (void)n;
  (void)dy;
  return true;
}

static bool d_same(Grad *g, Node *n, Value *dy)
{
  grad_give(g, n, 0, dy);
  return true;
}

static bool d_cast(Grad *g, Node *n, Value *dy)
{
  grad_give(g, n, 0, grad_cast(g, dy, n->in[0]->dtype));
  return true;
}

/* --- Activations ---------------------------------------------------------- */

static bool d_relu(Grad *g, Node *n, Value *dy)
{
  Value *zero = num(g, dy, 0), *x = n->in[0];
  const char *op = n->op_type;
  double alpha = attr_of(n, "alpha", 1);
  if (!strcmp(op, "LeakyRelu"))
    zero = scale(g, attr_of(n, "alpha", 0.01), dy);
  if (!strcmp(op, "ThresholdedRelu")) {
    grad_give(g, n, 0, where(g, more(g, x, alpha), dy, zero));
    return true;
  }
  grad_give(g, n, 0, where(g, more(g, x, 0), dy, zero));
  return true;
}

static bool d_elu(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0], *right = dy;
  double alpha = attr_of(n, "alpha", 1), gamma = 1, rate = 1;
  if (node_is(n, "Selu")) {
    alpha = attr_of(n, "alpha", 1.67326319217681884765625);
    gamma = attr_of(n, "gamma", 1.05070102214813232421875);
    right = scale(g, gamma, dy);
  }
  if (node_is(n, "Celu")) {
    rate = 1 / alpha;
    alpha = 1;
  }
  Value *low = grad_op(g, "Min", x, num(g, x, 0), NULL);
  Value *left = mul(g, scale(g, alpha * gamma,
                             un(g, "Exp", scale(g, rate, low))), dy);
  grad_give(g, n, 0, where(g, more(g, x, 0), right, left));
  return true;
}

static bool d_prelu(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0], *zero = num(g, dy, 0), *right = more(g, x, 0);
  grad_give(g, n, 0, where(g, right, dy, mul(g, dy, n->in[1])));
  if (grad_wanted(g, n, 1))
    grad_give(g, n, 1, where(g, right, zero, mul(g, dy, x)));
  return true;
}

static bool d_softsign(Grad *g, Node *n, Value *dy)
{
  Value *d = one_plus(g, un(g, "Abs", n->in[0]));
  grad_give(g, n, 0, quot(g, dy, mul(g, d, d)));
  return true;
}

/* dy times slope, where lo < v < hi. */
static void give_between(Grad *g, Node *n, Value *v, double lo, double hi,
                         Value *d)
{
  Value *below = grad_op(g, "Less", v, num(g, v, hi), NULL);
  Value *inside = grad_op(g, "And", more(g, v, lo), below, NULL);
  grad_give(g, n, 0, where(g, inside, d, num(g, d, 0)));
}

static bool d_hard_sigmoid(Grad *g, Node *n, Value *dy)
{
  double alpha = attr_of(n, "alpha", 0.2);
  give_between(g, n, n->out[0], 0, 1, scale(g, alpha, dy));
  return true;
}

static bool d_hard_swish(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0], *zero = num(g, x, 0), *one = num(g, x, 1);
  Value *s = add(g, scale(g, 1.0 / 3, x), num(g, x, 0.5));
  s = where(g, more(g, x, -3), s, zero);
  s = where(g, more(g, x, 3), one, s);
  grad_give(g, n, 0, mul(g, dy, s));
  return true;
}

static bool d_swish(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0], *a = scale(g, attr_of(n, "alpha", 1), x);
  Value *s = un(g, "Sigmoid", a);
  Value *d = mul(g, s, one_plus(g, mul(g, a, one_minus(g, s))));
  grad_give(g, n, 0, mul(g, dy, d));
  return true;
}

static bool d_mish(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0], *t = un(g, "Tanh", un(g, "Softplus", x));
  Value *d = mul(g, mul(g, x, un(g, "Sigmoid", x)),
                 one_minus(g, mul(g, t, t)));
  grad_give(g, n, 0, mul(g, dy, add(g, t, d)));
  return true;
}

/* x P(x), where P is the normal distribution, or its approximation by tanh. */
static bool d_gelu(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0], *p, *d;
  double pi = acos(-1);
  if (!strcmp(attr_str(n, "approximate", "none"), "tanh")) {
    double k = sqrt(2 / pi);
    Value *cube = mul(g, x, mul(g, x, x));
    Value *in = scale(g, k, add(g, x, scale(g, 0.044715, cube)));
    Value *t = un(g, "Tanh", in);
    Value *slope = one_plus(g, scale(g, 3 * 0.044715, mul(g, x, x)));
    p = scale(g, 0.5, one_plus(g, t));
    d = mul(g, one_minus(g, mul(g, t, t)), scale(g, 0.5 * k, slope));
  } else {
    p = scale(g, 0.5, one_plus(g, un(g, "Erf", scale(g, sqrt(0.5), x))));
    d = scale(g, 1 / sqrt(2 * pi),
              un(g, "Exp", scale(g, -0.5, mul(g, x, x))));
  }
  grad_give(g, n, 0, mul(g, dy, add(g, p, mul(g, x, d))));
  return true;
}

/* --- Several operands ----------------------------------------------------- */

static bool d_add(Grad *g, Node *n, Value *dy)
{
  bool mean = node_is(n, "Mean"), minus = node_is(n, "Sub");
  if (mean) dy = scale(g, 1.0 / n->nin, dy);
  for (int i = 0; i < n->nin; i++)
    if (grad_wanted(g, n, i))
      grad_give(g, n, i, minus && i ? un(g, "Neg", dy) : dy);
  return true;
}

static bool d_mul(Grad *g, Node *n, Value *dy)
{
  for (int i = 0; i < 2; i++)
    if (grad_wanted(g, n, i)) grad_give(g, n, i, mul(g, dy, n->in[1 - i]));
  return true;
}

static bool d_div(Grad *g, Node *n, Value *dy)
{
  Value *d = quot(g, dy, n->in[1]);
  grad_give(g, n, 0, d);
  if (grad_wanted(g, n, 1))
    grad_give(g, n, 1, un(g, "Neg", mul(g, d, n->out[0])));
  return true;
}

static bool d_pow(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0], *p = grad_cast(g, n->in[1], x->dtype), *y = n->out[0];
  if (grad_wanted(g, n, 0)) {
    Value *low = grad_op(g, "Pow", x, sub(g, p, num(g, p, 1)), NULL);
    grad_give(g, n, 0, mul(g, dy, mul(g, p, low)));
  }
  if (grad_wanted(g, n, 1)) {
    Value *d = mul(g, dy, mul(g, y, un(g, "Log", x)));
    /* 0 to the power of p is 0 beside it, too. */
    Value *zero = num(g, d, 0);
    d = where(g, grad_op(g, "Equal", x, num(g, x, 0), NULL), zero, d);
    grad_give(g, n, 1, grad_cast(g, d, n->in[1]->dtype));
  }
  return true;
}

/* The first operand that is the result has the slope. */
static bool d_extreme(Grad *g, Node *n, Value *dy)
{
  Value *zero = num(g, dy, 0), *left = dy;
  for (int i = 0; i < n->nin; i++) {
    Value *is = grad_op(g, "Equal", n->in[i], n->out[0], NULL);
    if (grad_wanted(g, n, i)) grad_give(g, n, i, where(g, is, left, zero));
    if (i + 1 < n->nin) left = where(g, is, zero, left);
  }
  return true;
}

static bool d_clip(Grad *g, Node *n, Value *dy)
{
  Value *x = n->in[0], *zero = num(g, dy, 0);
  for (int i = 1; i < 3; i++) {
    Value *edge = node_in(n, i);
    if (!edge) continue;
    Value *out = grad_op(g, i == 1 ? "Less" : "Greater", x, edge, NULL);
    if (grad_wanted(g, n, i)) grad_give(g, n, i, where(g, out, dy, zero));
    dy = where(g, out, zero, dy);
  }
  grad_give(g, n, 0, dy);
  return true;
}

/* Where, and Select, in which only the operand that is chosen is computed. */
static bool d_where(Grad *g, Node *n, Value *dy)
{
  for (int i = 1; i < 3; i++) {
    if (!grad_wanted(g, n, i)) continue;
    Value *zero = grad_zeros(g, dy);
    grad_give(g, n, i, where(g, n->in[0], i == 1 ? dy : zero,
                             i == 1 ? zero : dy));
  }
  return true;
}

static bool d_select(Grad *g, Node *n, Value *dy)
{
  if (!value_same_shape(n->in[1], n->in[2]))
    return grad_refuse(g, n, "has branches of different shapes");
  for (int i = 1; i < 3; i++) {
    if (!grad_wanted(g, n, i)) continue;
    Value *zero = grad_zeros(g, dy);
    Value *v = control_select(g->at, n->in[0], i == 1 ? dy : zero,
                              i == 1 ? zero : dy);
    infer_node(v->def);
    grad_give(g, n, i, v);
  }
  return true;
}

static bool d_dropout(Grad *g, Node *n, Value *dy)
{
  const Value *train = node_in(n, 2);
  if (train && (!train->data || tensor_i64(train->data, 0)))
    return grad_refuse(g, n, "draws random numbers");
  if (dy) grad_give(g, n, 0, dy);
  return true;
}

const GradRow grad_rows_ew[] = {
  {"Abs", d_plain}, {"Exp", d_plain}, {"Log", d_plain}, {"Sqrt", d_plain},
  {"Reciprocal", d_plain}, {"Sin", d_plain}, {"Cos", d_plain},
  {"Tan", d_plain}, {"Asin", d_plain}, {"Acos", d_plain}, {"Atan", d_plain},
  {"Sinh", d_plain}, {"Cosh", d_plain}, {"Tanh", d_plain},
  {"Asinh", d_plain}, {"Acosh", d_plain}, {"Atanh", d_plain},
  {"Sigmoid", d_plain}, {"Softplus", d_plain}, {"Erf", d_plain},
  {"Neg", d_neg}, {"Identity", d_same}, {"Cast", d_cast},
  {"CastLike", d_cast}, {"Floor", d_none}, {"Ceil", d_none},
  {"Round", d_none}, {"Sign", d_none}, {"Relu", d_relu},
  {"LeakyRelu", d_relu}, {"ThresholdedRelu", d_relu}, {"Elu", d_elu},
  {"Selu", d_elu}, {"Celu", d_elu}, {"PRelu", d_prelu},
  {"Softsign", d_softsign}, {"HardSigmoid", d_hard_sigmoid},
  {"HardSwish", d_hard_swish}, {"Swish", d_swish}, {"Mish", d_mish},
  {"Gelu", d_gelu}, {"Add", d_add}, {"Sub", d_add}, {"Sum", d_add},
  {"Mean", d_add}, {"Mul", d_mul}, {"Div", d_div}, {"Pow", d_pow},
  {"Max", d_extreme}, {"Min", d_extreme}, {"Clip", d_clip},
  {"Where", d_where}, {"Select", d_select}, {"Dropout", d_dropout},
  {NULL, NULL}
};
