/* SPDX-License-Identifier: Apache-2.0 */
/* Activations that exporters write out become one node:
 *
 *   x (1 + erf(x / sqrt 2)) / 2                            Gelu
 *   x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2      Gelu, by tanh
 *   x sigmoid(a x)                                         Swish; SiLU
 *   x tanh(softplus(x))                                    Mish
 *   x hardsigmoid(x, 1/6, 1/2), x clip(x + 3, 0, 6) / 6    HardSwish
 *   log(1 + exp(x))                                        Softplus
 *   1 / (1 + exp(-x))                                      Sigmoid
 *
 * in f32 and f64. What stands around the function is read as P + Q f(U), with
 * polynomials of x by scalar constants; so the order of operands and the place
 * of factors do not matter. It is not only faster: the sum in a Gelu cancels
 * where x is negative, and the functions of math_f32.h do not.
 */
#include "../ir.h"

#include <math.h>
#include <string.h>

#define DEGREE 3

typedef struct { double c[DEGREE + 1]; } Poly;
typedef struct { Poly p, q; } Form; /* p + q f */

static bool scalar_of(const Value *v, double *c)
{
  if (!v || !v->data || v->data->n != 1 || v->rank > 1)
    return false;
  *c = tensor_f64(v->data, 0);
  return true;
}

static bool near(double a, double b) { return fabs(a - b) <= 1e-5 * fabs(b); }

/* Is it b0 + b1 x + b3 x^3? */
static bool poly_is(const Poly *p, double b0, double b1, double b3)
{
  return near(p->c[0], b0) && near(p->c[1], b1) && p->c[2] == 0 &&
         near(p->c[3], b3);
}

static bool poly_zero(const Poly *p) { return poly_is(p, 0, 0, 0); }

static bool poly_mul(const Poly *a, const Poly *b, Poly *y)
{
  Poly r = {{0}};
  for (int i = 0; i <= DEGREE; i++)
    for (int j = 0; j <= DEGREE; j++) {
      double c = a->c[i] * b->c[j];
      if (c != 0 && i + j > DEGREE)
        return false;
      if (c != 0)
        r.c[i + j] += c;
    }
  *y = r;
  return true;
}

/* a + k b */
static Poly poly_add(const Poly *a, double k, const Poly *b)
{
  Poly r;
  for (int i = 0; i <= DEGREE; i++)
    r.c[i] = a->c[i] + k * b->c[i];
  return r;
}

static bool form_mul(const Form *a, const Form *b, Form *y)
{
  Form r;
  Poly other;
  if ((!poly_zero(&a->q) && !poly_zero(&b->q)) ||
      !poly_mul(&a->p, &b->p, &r.p) || !poly_mul(&a->p, &b->q, &r.q) ||
      !poly_mul(&a->q, &b->p, &other))
    return false;
  r.q = poly_add(&r.q, 1, &other);
  *y = r;
  return true;
}

static bool is_power(const Node *n, int *e)
{
  double c;
  if (!node_is(n, "Pow") || !scalar_of(n->in[1], &c) ||
      (c != 1 && c != 2 && c != 3))
    return false;
  *e = (int)c;
  return true;
}

static bool combine(const Node *n, const Form *a, const Form *b, Form *y)
{
  Form k = {{{0}}, {{0}}};
  if (node_is(n, "Mul"))
    return form_mul(a, b, y);
  if (node_is(n, "Add") || node_is(n, "Sub")) {
    double sign = node_is(n, "Add") ? 1 : -1;
    y->p = poly_add(&a->p, sign, &b->p);
    y->q = poly_add(&a->q, sign, &b->q);
    return true;
  }
  if (!node_is(n, "Div") || !scalar_of(n->in[1], &k.p.c[0]) || k.p.c[0] == 0)
    return false;
  k.p.c[0] = 1 / k.p.c[0];
  return form_mul(a, &k, y);
}

/* v as a form of x and f (NULL: none), which have the shape of the whole. */
static bool form_of(const Value *v, const Value *x, const Value *f, int depth,
                    Form *y)
{
  Form a, b;
  int e;
  memset(y, 0, sizeof *y);
  if (v == x || v == f) {
    *(v == x ? &y->p.c[1] : &y->q.c[0]) = 1;
    return true;
  }
  if (scalar_of(v, &y->p.c[0]))
    return true;
  if (!v || !v->def || depth == 0 || !value_same_shape(v, x))
    return false;
  const Node *n = v->def;
  if (node_is(n, "Neg") && form_of(n->in[0], x, f, depth - 1, &a)) {
    b = (Form){{{-1}}, {{0}}};
    return form_mul(&a, &b, y);
  }
  if (is_power(n, &e) && form_of(n->in[0], x, f, depth - 1, &a)) {
    *y = a;
    while (--e > 0)
      if (!form_mul(y, &a, y))
        return false;
    return true;
  }
  return (node_is(n, "Mul") || node_is(n, "Div") || node_is(n, "Add") ||
          node_is(n, "Sub")) &&
         form_of(n->in[0], x, f, depth - 1, &a) &&
         form_of(n->in[1], x, f, depth - 1, &b) && combine(n, &a, &b, y);
}

/* --- which activation ----------------------------------------------------- */

typedef struct {
  const char *op;
  bool tanh;
  double alpha;
} Act;

static const double root_half = 0.70710678118654752440;
static const double tanh_1 = 0.79788456080286535588; /* sqrt(2 / pi) */
static const double tanh_3 = 0.044715 * 0.79788456080286535588;

static bool of_erf(const Form *y, const Poly *u, Act *a)
{
  double sign = u->c[1] < 0 ? -1 : 1;
  a->op = "Gelu";
  return poly_is(u, 0, sign * root_half, 0) && poly_is(&y->p, 0, 0.5, 0) &&
         poly_is(&y->q, 0, sign * 0.5, 0);
}

static bool of_tanh(const Form *y, const Poly *u, Act *a)
{
  if (!poly_is(&y->p, 0, 0.5, 0) || !poly_is(&y->q, 0, 0.5, 0))
    return false;
  a->op = "Gelu";
  a->tanh = true;
  if (poly_is(u, 0, tanh_1, tanh_3))
    return true;
  a->op = "Swish";
  a->tanh = false;
  a->alpha = 2 * u->c[1];
  return poly_is(u, 0, u->c[1], 0) && u->c[1] != 0;
}

static bool of_sigmoid(const Form *y, const Poly *u, Act *a)
{
  if (!poly_zero(&y->p) || !poly_is(&y->q, 0, 1, 0))
    return false;
  a->op = "Gelu";
  a->tanh = true;
  if (poly_is(u, 0, 2 * tanh_1, 2 * tanh_3))
    return true;
  a->op = "Swish";
  a->tanh = false;
  a->alpha = u->c[1];
  return poly_is(u, 0, u->c[1], 0) && u->c[1] != 0;
}

static bool of_hard(const Node *f, const Form *y, const Poly *u, Act *a)
{
  float lo, hi;
  a->op = "HardSwish";
  if (!poly_zero(&y->p))
    return false;
  if (node_is(f, "HardSigmoid"))
    return poly_is(u, 0, 1, 0) && poly_is(&y->q, 0, 1, 0) &&
           near((double)attr_float(f, "alpha", 0.2f), 1.0 / 6) &&
           attr_float(f, "beta", 0.5f) == 0.5f;
  return clamp_bounds(f, &lo, &hi) && lo == 0 && hi == 6 &&
         poly_is(u, 3, 1, 0) && poly_is(&y->q, 0, 1.0 / 6, 0);
}

static bool of_mish(const Form *y, Act *a)
{
  a->op = "Mish";
  return poly_zero(&y->p) && poly_is(&y->q, 0, 1, 0);
}

/* y = form of x and of the result of `f`, whose argument is a form of x. */
static bool classify(const Node *f, const Value *x, const Form *y, Act *a)
{
  Form u;
  Node *plus;
  if (node_is(f, "Tanh") && match_op(f->in[0], "Softplus", &plus) &&
      plus->in[0] == x)
    return of_mish(y, a);
  if (!form_of(f->in[0], x, NULL, 6, &u))
    return false;
  if (node_is(f, "Erf"))
    return of_erf(y, &u.p, a);
  if (node_is(f, "Tanh"))
    return of_tanh(y, &u.p, a);
  if (node_is(f, "Sigmoid"))
    return of_sigmoid(y, &u.p, a);
  return of_hard(f, y, &u.p, a);
}

static Value *put(Node *at, const Act *a, Value *x)
{
  Value *y = node_op(at, a->op, 1, x);
  if (a->tanh)
    attr_set_str(y->def, "approximate", "tanh");
  if (!strcmp(a->op, "Swish"))
    attr_set_float(y->def, "alpha", (float)a->alpha);
  return y;
}

/* Is `whole` an activation of some x that the argument of `f` is made of? */
static bool match_whole(Value *whole, Node *f, Value *x, int depth)
{
  Form y;
  Act a = { NULL, false, 1 };
  if (!x || x->data || depth == 0 || !value_same_shape(whole, x))
    return false;
  if (form_of(whole, x, f->out[0], 6, &y) && classify(f, x, &y, &a)) {
    Value *made = put(whole->def, &a, x);
    Node *last = whole->def;
    value_replace(whole, made);
    node_remove(last);
    return true;
  }
  for (int i = 0; x->def && i < x->def->nin && i < 2; i++)
    if (match_whole(whole, f, x->def->in[i], depth - 1))
      return true;
  return false;
}

static bool is_function(const Node *n)
{
  static const char *const ops[] = {
    "Erf", "Tanh", "Sigmoid", "HardSigmoid", "Clip",
  };
  for (int i = 0; i < COUNT(ops); i++)
    if (node_is(n, ops[i]))
      return true;
  return false;
}

static bool is_float(const Value *v)
{
  return v && (v->dtype == DT_F32 || v->dtype == DT_F64);
}

/* From the function outwards, while each result has one reader. */
static bool fuse(Node *f)
{
  if (!is_function(f) || !is_float(f->out[0]))
    return false;
  Node *n = value_only_user(f->out[0]);
  for (int i = 0; n && i < 5 && is_float(node_out(n, 0)); i++) {
    if ((node_is(n, "Mul") || node_is(n, "Div") || node_is(n, "Add")) &&
        match_whole(n->out[0], f, f->in[0], 6))
      return true;
    n = value_only_user(n->out[0]);
  }
  return false;
}

/* v = 1 + exp(*x) */
static bool one_plus_exp(const Value *v, Value **x)
{
  Node *sum, *e;
  double one;
  if (!match_op(v, "Add", &sum) || !is_float(v))
    return false;
  for (int i = 0; i < 2; i++)
    if (scalar_of(sum->in[i], &one) && one == 1 &&
        match_op(sum->in[1 - i], "Exp", &e) && value_same_shape(v, e->in[0])) {
      *x = e->in[0];
      return true;
    }
  return false;
}

/* log(1 + exp(x)), 1 / (1 + exp(-x)) and v / (1 + exp(-x)) */
static bool fuse_exp(Node *n)
{
  Value *x, *y;
  Node *neg;
  double one;
  bool log = node_is(n, "Log"), over = node_is(n, "Reciprocal");
  if ((!log && !over && !node_is(n, "Div")) ||
      !one_plus_exp(n->in[log || over ? 0 : 1], &x))
    return false;
  if (log) {
    y = node_op(n, "Softplus", 1, x);
  } else {
    if (!match_op(x, "Neg", &neg))
      return false;
    y = node_op(n, "Sigmoid", 1, neg->in[0]);
    if (!over && !(scalar_of(n->in[0], &one) && one == 1))
      y = node_op(n, "Mul", 2, n->in[0], y);
  }
  value_replace(n->out[0], y);
  node_remove(n);
  return true;
}

bool pass_fuse_act(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    changed |= fuse_exp(n);
  }
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    if (!fuse(n))
      continue;
    changed = true;
    next = n->next;
  }
  if (changed)
    dead_code(g);
  return changed;
}
