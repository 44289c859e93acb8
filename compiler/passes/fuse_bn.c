/* SPDX-License-Identifier: Apache-2.0 */
/* Per-channel scale and shift of a convolution's result go into its weight
 * and bias: W' = W a, B' = B a + b.
 *
 *   BatchNormalization (inference): a = scale / sqrt(var + eps),
 *                                   b = bias - mean a
 *   Mul by, Add of a constant [C,1,1]
 *
 * A BatchNormalization that follows no convolution becomes Mul and Add, which
 * other passes fuse into what surrounds them. f32 and f64 only: the half types
 * would round the folded constants differently.
 */
#include "../ir.h"

#include <math.h>
#include <string.h>

typedef struct { double *a, *b; int64_t n; } Affine;

static bool affine_new(Graph *g, Affine *f, int64_t n)
{
  f->n = n;
  f->a = NEW(&g->m->arena, double, n + 1);
  f->b = NEW(&g->m->arena, double, n + 1);
  for (int64_t i = 0; i < n; i++)
    f->a[i] = 1;
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

/* A constant operand that varies along the channel axis only: [C,1,1] and
 * the like, for a result of rank `rank` with `c` channels. */
static bool per_channel(const Tensor *t, int rank, int64_t c)
{
  if (t->n != 1 && t->n != c)
    return false;
  int lead = rank - t->rank;
  if (lead < 0)
    return false;
  for (int i = 0; i < t->rank; i++)
    if (t->dim[i] != 1 && (lead + i != 1 || t->dim[i] != c))
      return false;
  return true;
}

static bool affine_of_binary(Node *n, const Value *x, int64_t c, Affine *f)
{
  bool mul = node_is(n, "Mul"), add = node_is(n, "Add");
  if (!mul && !add)
    return false;
  const Tensor *t = const_input(n, n->in[0] == x ? 1 : 0);
  if (!t || !per_channel(t, x->rank, c))
    return false;
  affine_new(n->g, f, c);
  for (int64_t i = 0; i < c; i++)
    *(mul ? &f->a[i] : &f->b[i]) = tensor_f64(t, t->n == 1 ? 0 : i);
  return true;
}

static Value *scaled_weight(Graph *g, const Tensor *w, const Affine *f)
{
  Tensor *t = tensor_new(&g->m->arena, w->dtype, w->rank, w->dim);
  int64_t per = f->n ? w->n / f->n : 0;
  for (int64_t i = 0; i < w->n; i++)
    tensor_set_f64(t, i, tensor_f64(w, i) * f->a[i / per]);
  return value_const(g, "w_folded", t);
}

static Value *shifted_bias(Graph *g, Dtype dt, const Tensor *b,
                           const Affine *f)
{
  Tensor *t = tensor_new(&g->m->arena, dt, 1, &f->n);
  for (int64_t i = 0; i < f->n; i++)
    tensor_set_f64(t, i, (b ? tensor_f64(b, i) : 0) * f->a[i] + f->b[i]);
  return value_const(g, "b_folded", t);
}

void node_add_origin(Node *to, const Node *from)
{
  if (!from->origin)
    return;
  Origin *o = NEW(&to->g->m->arena, Origin, 1);
  *o = *from->origin;
  o->next = NULL;
  const Origin **at = &to->origin;
  Origin *copy = NULL;
  for (const Origin *p = to->origin; p; p = p->next) {
    copy = NEW(&to->g->m->arena, Origin, 1);
    *copy = *p;
    *at = copy;
    at = &copy->next;
  }
  *at = o;
}

void node_absorb(Node *to, Node *from)
{
  node_add_origin(to, from);
  node_remove(from);
}

static bool is_float(Dtype t) { return t == DT_F32 || t == DT_F64; }

static bool fold_into_conv(Node *n, Node *conv, const Affine *f)
{
  Graph *g = n->g;
  const Tensor *w = const_input(conv, 1), *b = const_input(conv, 2);
  if (!w || (node_in(conv, 2) && !b) || w->rank < 1 || w->dim[0] != f->n)
    return false;
  node_set_input(conv, 1, scaled_weight(g, w, f));
  node_set_input(conv, 2, shifted_bias(g, w->dtype, b, f));
  value_replace(n->out[0], conv->out[0]);
  node_absorb(conv, n);
  return true;
}

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

static bool split_bn(Node *n, const Affine *f)
{
  int rank = n->in[0]->rank;
  if (rank < 2)
    return false;
  Value *a = channel_const(n, "bn_scale", f->a, f->n, rank);
  Value *b = channel_const(n, "bn_shift", f->b, f->n, rank);
  Value *scaled = node_op(n, "Mul", 2, n->in[0], a);
  Value *shifted = node_op(n, "Add", 2, scaled, b);
  value_replace(n->out[0], shifted);
  node_remove(n);
  return true;
}

static Node *conv_before(const Node *n, Value **x)
{
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    if (v && v->def && node_is(v->def, "Conv") && value_only_user(v) == n) {
      *x = v;
      return v->def;
    }
  }
  return NULL;
}

static bool fold_node(Node *n)
{
  Affine f;
  Value *x = NULL;
  if (!n->nin || !n->in[0] || n->in[0]->rank < 1 || !is_float(n->in[0]->dtype))
    return false;
  Node *conv = conv_before(n, &x);
  if (node_is(n, "BatchNormalization")) {
    if (!affine_of_bn(n, &f))
      return false;
    return (conv && fold_into_conv(n, conv, &f)) || split_bn(n, &f);
  }
  const Tensor *w = conv ? const_input(conv, 1) : NULL;
  return w && w->rank > 0 && affine_of_binary(n, x, w->dim[0], &f) &&
         n->out[0]->rank == x->rank && fold_into_conv(n, conv, &f);
}

bool pass_fuse_bn(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    changed |= fold_node(n);
  }
  return changed;
}
