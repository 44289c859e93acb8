/* SPDX-License-Identifier: Apache-2.0 */
/* Scales and shifts by channel, y = a x + b, go into the weight and bias of the
 * product beside them: Conv, ConvTranspose, Gemm, MatMul by a constant matrix.
 *
 *   behind it:   W' = W a,  B' = B a + b
 *   before it:   W' = a W,  B' = B + b W; a shift only without padding
 *
 *   BatchNormalization (inference): a = scale / sqrt(var + eps),
 *                                   b = bias - mean a
 *   Add, Sub, Mul, Div with a constant that varies along the channels only
 *
 * A BatchNormalization that finds no product becomes Mul and Add, which other
 * passes fuse into what surrounds them. f32 and f64 only: the half types would
 * round the folded constants differently.
 */
#include "../ir.h"

#include <math.h>
#include <string.h>

/* Above it a shift is a mask, and would drown the products. */
#define MOST_SHIFT 1e6

typedef struct { double *a, *b; int64_t n; bool scales, shifts; } Affine;

/* A product by constants, and which channels element i of its weight joins. */
typedef struct {
  Node *n;
  const Tensor *w;
  bool filters_first;        /* W is [filters, inputs, ..], not the reverse */
  int64_t group, inner;      /* inner: elements of one kernel */
  int64_t filters, inputs;
  int axis_in, axis_out;     /* of the channels in x and y */
} Product;

static bool is_float(Dtype t) { return t == DT_F32 || t == DT_F64; }

static bool product_conv(Node *n, Product *p)
{
  bool conv = node_is(n, "Conv");
  if (p->w->rank < 3)
    return false;
  p->filters_first = conv;
  p->group = attr_int(n, "group", 1);
  p->filters = conv ? p->w->dim[0] : p->w->dim[1] * p->group;
  p->inputs = conv ? p->w->dim[1] * p->group : p->w->dim[0];
  p->inner = p->w->dim[0] && p->w->dim[1]
               ? p->w->n / (p->w->dim[0] * p->w->dim[1]) : 0;
  p->axis_in = p->axis_out = 1;
  return p->group > 0 && p->filters % p->group == 0 &&
         p->inputs % p->group == 0;
}

static bool product_matrix(Node *n, Product *p)
{
  if (p->w->rank != 2 || attr_int(n, "transA", 0))
    return false;
  p->filters_first = attr_int(n, "transB", 0) != 0;
  p->group = p->inner = 1;
  p->filters = p->w->dim[p->filters_first ? 0 : 1];
  p->inputs = p->w->dim[p->filters_first ? 1 : 0];
  p->axis_in = n->in[0]->rank - 1;
  p->axis_out = n->out[0]->rank - 1;
  return p->axis_in > 0 && p->axis_out > 0;
}

/* Of Gemm: only a row, or one number, can take shifts. */
static bool bias_is_row(const Product *p)
{
  const Tensor *b = const_input(p->n, 2);
  if (!node_in(p->n, 2))
    return true;
  return b && (b->n == 1 || (b->n == p->filters && b->rank > 0 &&
                             b->dim[b->rank - 1] == p->filters));
}

static bool product_of(Node *n, Product *p)
{
  *p = (Product){ .n = n, .w = const_input(n, 1) };
  if (!p->w || !is_float(p->w->dtype) || !node_in(n, 0))
    return false;
  if (node_is(n, "Conv") || node_is(n, "ConvTranspose"))
    return product_conv(n, p) && bias_is_row(p);
  if (node_is(n, "Gemm") || node_is(n, "MatMul"))
    return product_matrix(n, p) && bias_is_row(p);
  return false;
}

static int64_t channel_out(const Product *p, int64_t i)
{
  int64_t first = i / (p->w->dim[1] * p->inner);
  int64_t second = i / p->inner % p->w->dim[1];
  if (p->filters_first)
    return first;
  return first / (p->inputs / p->group) * p->w->dim[1] + second;
}

static int64_t channel_in(const Product *p, int64_t i)
{
  int64_t first = i / (p->w->dim[1] * p->inner);
  int64_t second = i / p->inner % p->w->dim[1];
  if (!p->filters_first)
    return first;
  return first / (p->filters / p->group) * p->w->dim[1] + second;
}

/* --- The affine maps ------------------------------------------------------ */

static void affine_new(Graph *g, Affine *f, int64_t n)
{
  *f = (Affine){ .n = n };
  f->a = NEW(&g->m->arena, double, n + 1);
  f->b = NEW(&g->m->arena, double, n + 1);
  for (int64_t i = 0; i < n; i++)
    f->a[i] = 1;
}

static bool affine_done(Affine *f)
{
  for (int64_t i = 0; i < f->n; i++) {
    if (!isfinite(f->a[i]) || !(fabs(f->b[i]) <= MOST_SHIFT))
      return false;
    f->scales |= f->a[i] != 1;
    f->shifts |= f->b[i] != 0;
  }
  return true;
}

static bool affine_of_bn(Node *n, Affine *f)
{
  const Tensor *t[4];
  for (int i = 0; i < 4; i++) {
    t[i] = const_input(n, i + 1);
    if (!t[i] || t[i]->n != t[0]->n)
      return false;
  }
  if (attr_int(n, "training_mode", 0) || attr_int(n, "spatial", 1) == 0)
    return false;
  for (int i = 1; i < n->nout; i++)
    if (n->out[i] && (n->out[i]->nuse || n->out[i]->is_output))
      return false;
  affine_new(n->g, f, t[0]->n);
  double eps = (double)attr_float(n, "epsilon", 1e-5f);
  for (int64_t i = 0; i < f->n; i++) {
    f->a[i] = tensor_f64(t[0], i) / sqrt(tensor_f64(t[3], i) + eps);
    f->b[i] = tensor_f64(t[1], i) - tensor_f64(t[2], i) * f->a[i];
  }
  return true;
}

/* A constant that varies along `axis` of a result of rank `rank` only, which
 * has c elements there: [C,1,1] and the like. */
static bool along_axis(const Tensor *t, int rank, int axis, int64_t c)
{
  int lead = rank - t->rank;
  if ((t->n != 1 && t->n != c) || lead < 0)
    return false;
  for (int i = 0; i < t->rank; i++)
    if (t->dim[i] != 1 && (lead + i != axis || t->dim[i] != c))
      return false;
  return true;
}

/* y = a x + b of one number c beside x. */
static void affine_step(const Node *n, bool x_first, double c, double *a,
                        double *b)
{
  if (node_is(n, "Mul"))
    *a = c;
  else if (node_is(n, "Div"))
    *a = 1 / c;
  else if (node_is(n, "Add"))
    *b = c;
  else {
    *a = x_first ? 1 : -1;
    *b = x_first ? -c : c;
  }
}

/* Of a binary node with operand x, which has c channels along `axis`. */
static bool affine_of_binary(Node *n, const Value *x, int axis, int64_t c,
                             Affine *f)
{
  bool x_first = n->in[0] == x, div = node_is(n, "Div");
  if (!div && !node_is(n, "Mul") && !node_is(n, "Add") && !node_is(n, "Sub"))
    return false;
  const Tensor *t = const_input(n, x_first ? 1 : 0);
  if (!t || (div && !x_first) || !is_float(t->dtype) ||
      n->out[0]->rank != x->rank || !along_axis(t, x->rank, axis, c))
    return false;
  affine_new(n->g, f, c);
  for (int64_t i = 0; i < c; i++)
    affine_step(n, x_first, tensor_f64(t, t->n == 1 ? 0 : i), &f->a[i],
                &f->b[i]);
  return affine_done(f);
}

static bool affine_of(Node *n, const Value *x, int axis, int64_t c, Affine *f)
{
  if (node_is(n, "BatchNormalization"))
    return x == n->in[0] && axis == 1 && affine_of_bn(n, f) && f->n == c &&
           affine_done(f);
  return affine_of_binary(n, x, axis, c, f);
}

/* --- Into a product ------------------------------------------------------- */

static Value *scaled_weight(const Product *p, const Affine *f, bool behind)
{
  Graph *g = p->n->g;
  Tensor *t = tensor_new(&g->m->arena, p->w->dtype, p->w->rank, p->w->dim);
  for (int64_t i = 0; i < t->n; i++)
    tensor_set_f64(t, i, tensor_f64(p->w, i) *
                           f->a[behind ? channel_out(p, i) : channel_in(p, i)]);
  return value_const(g, "w_folded", t);
}

/* What the shifts before a product give behind it: alpha b W. */
static double *shifts_behind(const Product *p, const Affine *f)
{
  double *b = NEW(&p->n->g->m->arena, double, p->filters + 1);
  double alpha = (double)attr_float(p->n, "alpha", 1);
  for (int64_t i = 0; i < p->w->n; i++)
    b[channel_out(p, i)] +=
      alpha * tensor_f64(p->w, i) * f->b[channel_in(p, i)];
  return b;
}

/* The bias by scales `a` (NULL: 1), plus b. A MatMul has none: an Add. */
static void set_bias(const Product *p, const double *a, const double *b)
{
  Node *n = p->n;
  const Tensor *old = const_input(n, 2);
  double beta = (double)attr_float(n, "beta", 1);
  Tensor *t = tensor_new(&n->g->m->arena, p->w->dtype, 1, &p->filters);
  for (int64_t i = 0; i < t->n; i++) {
    double was = old ? beta * tensor_f64(old, old->n == 1 ? 0 : i) : 0;
    tensor_set_f64(t, i, was * (a ? a[i] : 1) + b[i]);
  }
  Value *bias = value_const(n->g, "b_folded", t);
  if (!node_is(n, "MatMul")) {
    attr_remove(n, "beta");
    node_set_input(n, 2, bias);
    return;
  }
  Value *y = n->out[0], *product = value_tmp(n->g, y->name, y);
  node_set_output(n, 0, product);
  Value *sum = node_op(n, "Add", 2, product, bias);
  node_move_before(n, sum->def);
  value_replace(y, sum);
}

/* `f` is node n's, which reads the product's result. */
static bool fold_behind(Node *n, const Product *p, const Affine *f)
{
  if (node_is(p->n, "MatMul") && !f->scales)
    return false; /* it has no bias: the Add stays */
  if (f->scales)
    node_set_input(p->n, 1, scaled_weight(p, f, true));
  value_replace(n->out[0], p->n->out[0]);
  node_absorb(p->n, n);
  if (f->shifts || node_in(p->n, 2))
    set_bias(p, f->a, f->b);
  return true;
}

static bool pads_nothing(Node *n)
{
  ConvGeom g;
  if (!node_is(n, "Conv"))
    return !node_is(n, "ConvTranspose");
  return conv_geometry(n, &g) && geometry_unpadded(&g);
}

/* `f` is node n's, whose result the product reads. */
static bool fold_before(Node *n, Value *x, const Product *p, const Affine *f)
{
  if (f->shifts && !pads_nothing(p->n))
    return false;
  double *b = f->shifts ? shifts_behind(p, f) : NULL;
  if (f->scales)
    node_set_input(p->n, 1, scaled_weight(p, f, false));
  node_set_input(p->n, 0, x);
  node_absorb(p->n, n);
  if (b)
    set_bias(p, NULL, b);
  return true;
}

/* The operand of n that is not constant, if there is one. */
static Value *operand(const Node *n)
{
  bool second = n->nin > 1 && n->in[0] && n->in[0]->data;
  Value *x = n->in[second ? 1 : 0];
  return x && !x->data && x->rank > 0 && is_float(x->dtype) ? x : NULL;
}

static bool fold_node(Node *n)
{
  Affine f;
  Product p;
  Value *x = n->nin ? operand(n) : NULL;
  if (!x || n->nout < 1 || !n->out[0])
    return false;
  if (x->def && value_only_user(x) == n && product_of(x->def, &p) &&
      affine_of(n, x, p.axis_out, p.filters, &f) && fold_behind(n, &p, &f))
    return true;
  Node *user = value_only_user(n->out[0]);
  return user && product_of(user, &p) && user->in[0] == n->out[0] &&
         n->out[0]->rank == x->rank && value_same_shape(x, n->out[0]) &&
         affine_of(n, x, p.axis_in, p.inputs, &f) &&
         fold_before(n, x, &p, &f);
}

/* --- A BatchNormalization alone ------------------------------------------- */

static Value *channel_const(Node *n, const char *hint, const double *v,
                            int64_t c, int rank)
{
  int64_t dim[MAX_RANK];
  for (int i = 0; i < rank - 1; i++)
    dim[i] = i == 0 ? c : 1;
  Tensor *t = tensor_new(&n->g->m->arena, n->in[0]->dtype,
                         rank > 1 ? rank - 1 : 0, dim);
  for (int64_t i = 0; i < c; i++)
    tensor_set_f64(t, i, v[i]);
  return value_const(n->g, hint, t);
}

static bool split_bn(Node *n)
{
  Affine f;
  if (!node_is(n, "BatchNormalization") || !n->in[0] || n->in[0]->rank < 2 ||
      !is_float(n->in[0]->dtype) || !affine_of_bn(n, &f))
    return false;
  int rank = n->in[0]->rank;
  Value *a = channel_const(n, "bn_scale", f.a, f.n, rank);
  Value *b = channel_const(n, "bn_shift", f.b, f.n, rank);
  Value *scaled = node_op(n, "Mul", 2, n->in[0], a);
  Value *shifted = node_op(n, "Add", 2, scaled, b);
  value_replace(n->out[0], shifted);
  node_remove(n);
  return true;
}

/* Again after each change: what stood before a folded node may follow. */
static bool each_node(Graph *g, bool (*change)(Node *))
{
  bool changed = false, again = true;
  while (again) {
    again = false;
    for (Node *n = g->first, *next; n; n = next) {
      next = n->next;
      again |= change(n);
    }
    changed |= again;
  }
  return changed;
}

bool pass_fuse_affine(Graph *g)
{
  bool folded = each_node(g, fold_node);
  return each_node(g, split_bn) || folded;
}
