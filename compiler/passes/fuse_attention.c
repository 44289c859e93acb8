/* SPDX-License-Identifier: Apache-2.0 */
/* Attentions that exporters write out become one o2c.Attention, in f32:
 *
 *   Softmax(Q K^T * scale + mask) V
 *
 * The scale is a Mul or Div by a constant of the scores, of Q or of K; it and
 * the mask may be absent. Operands are of rank 4, and batch and heads equal.
 * A row that is -inf all over stays NaN, as the Softmax has it, or is 0 where
 * Where(IsNaN(p), 0, p) says so. A Transpose that puts the heads of the result
 * next to the elements goes into the node. It runs after layout, which moves
 * Transposes, and before elementwise fusion. */
#include "../ir.h"

#include <string.h>

typedef struct {
  Node *softmax, *scores, *values; /* scores, values: the products */
  Node *is_nan, *where;            /* between softmax and values, or NULL */
  Value *q, *kt, *v, *mask;
  double scale;
} Found;

/* v = x * c or x / c; *x is v where it is not. */
static bool peel_scale(Value *v, Value **x, double *scale)
{
  Node *n = v->def;
  *x = v;
  if (!n || (!node_is(n, "Mul") && !node_is(n, "Div")))
    return false;
  bool div = node_is(n, "Div");
  for (int i = 0; i < (div ? 1 : 2); i++) {
    const Value *c = n->in[1 - i];
    if (!c->data || c->data->n != 1 || c->dtype != DT_F32 ||
        c->rank > n->in[i]->rank)
      continue;
    double by = tensor_f64(c->data, 0);
    *scale = div ? *scale / by : *scale * by;
    *x = n->in[i];
    return true;
  }
  return false;
}

/* Only read here, so that nobody misses it. */
static bool inner(const Value *v)
{
  return v->def && value_only_user(v) && v->rank == 4;
}

static bool match_scores(Value *v, Found *f)
{
  if (!inner(v))
    return false;
  for (Value *x; peel_scale(v, &x, &f->scale); v = x)
    if (!inner(x))
      return false;
  if (!node_is(v->def, "MatMul"))
    return false;
  f->scores = v->def;
  return true;
}

/* Does `mask` add to scores like s without making them more? */
static bool is_mask(const Value *mask, const Value *s)
{
  if (mask->dtype != DT_F32 || mask->rank > s->rank)
    return false;
  for (int i = 0; i < mask->rank; i++)
    if (!dim_is(mask->dim[i], 1) &&
        mask->dim[i] != s->dim[s->rank - mask->rank + i])
      return false;
  return true;
}

static bool match_masked(Value *v, Found *f)
{
  if (match_scores(v, f))
    return true;
  if (!inner(v) || !node_is(v->def, "Add"))
    return false;
  for (int i = 0; i < 2; i++) {
    f->scale = 1;
    f->mask = v->def->in[1 - i];
    if (match_scores(v->def->in[i], f) && is_mask(f->mask, v))
      return true;
  }
  return false;
}

/* The probabilities as the second product reads them: the Softmax's, or with 0
 * in the place of NaN. */
static Value *match_guard(Value *p, Found *f)
{
  if (p->nuse != 2 || p->is_output)
    return p;
  Node *a = p->use[0], *b = p->use[1];
  Node *is_nan = node_is(a, "IsNaN") ? a : b, *where = is_nan == a ? b : a;
  const Tensor *zero = node_is(where, "Where") ? const_input(where, 1) : NULL;
  if (!node_is(is_nan, "IsNaN") || !zero || zero->n != 1 ||
      tensor_f64(zero, 0) != 0 || where->in[0] != is_nan->out[0] ||
      where->in[2] != p || value_only_user(is_nan->out[0]) != where ||
      !value_same_shape(where->out[0], p))
    return p;
  f->is_nan = is_nan;
  f->where = where;
  return where->out[0];
}

static bool match(Node *softmax, Found *f)
{
  *f = (Found){ .softmax = softmax, .scale = 1 };
  Value *p = softmax->out[0];
  int64_t axis = attr_int(softmax, "axis", -1);
  if (p->dtype != DT_F32 || p->rank != 4 || (axis != -1 && axis != 3))
    return false;
  p = match_guard(p, f);
  f->values = value_only_user(p);
  if (!f->values || !node_is(f->values, "MatMul") || f->values->in[0] != p ||
      f->values->in[1]->rank != 4 || !match_masked(softmax->in[0], f))
    return false;
  f->v = f->values->in[1];
  f->q = f->scores->in[0];
  f->kt = f->scores->in[1];
  while (peel_scale(f->q, &f->q, &f->scale) ||
         peel_scale(f->kt, &f->kt, &f->scale))
    continue;
  if (f->q->rank != 4 || f->kt->rank != 4)
    return false;
  for (int i = 0; i < 2; i++)
    if (f->q->dim[i] != f->kt->dim[i] || f->q->dim[i] != f->v->dim[i])
      return false;
  return true;
}

static Value *transposed(Node *at, Value *x, const int64_t *perm)
{
  Node *n = node_new(at->g, at, "Transpose", 1, 1, at);
  node_set_input(n, 0, x);
  attr_set_ints(n, "perm", perm, 4);
  node_set_output(n, 0, value_tmp(at->g, "keys", NULL));
  infer_node(n);
  return n->out[0];
}

/* x of [n, h, s, d] where kt is it as [n, h, d, s], by way of [n h, s, d] and
 * [n h, d, s], as exporters write for any rank; else NULL. */
static Value *keys_reshaped(const Value *kt)
{
  Node *out, *turn, *in;
  int count;
  if (!match_op(kt, "Reshape", &out) ||
      !match_op(out->in[0], "Transpose", &turn) ||
      !match_op(turn->in[0], "Reshape", &in))
    return NULL;
  Value *x = in->in[0], *flat = in->out[0];
  const int64_t *perm = attr_ints(turn, "perm", &count);
  bool turns = perm && count == 3 && perm[0] == 0 && perm[1] == 2;
  bool same = turns && x->rank == 4 && x->dim[2] == flat->dim[1] &&
              x->dim[3] == flat->dim[2];
  for (int i = 0; same && i < 4; i++)
    same = x->dim[i] == kt->dim[i < 2 ? i : 5 - i];
  return same ? x : NULL;
}

/* A scale before the Transpose of v: then v without it. */
static Value *peel_transposed(Node *at, Value *v, double *scale)
{
  Node *t;
  Value *x;
  int count;
  if (!match_op(v, "Transpose", &t))
    return v;
  const int64_t *perm = attr_ints(t, "perm", &count);
  if (!perm || count != 4 || !peel_scale(t->in[0], &x, scale))
    return v;
  return transposed(at, x, perm);
}

/* K of K^T: a Transpose with its last axes changed, or no Transpose. */
static Value *keys_of(Node *at, Value *kt)
{
  static const int64_t same[] = { 0, 1, 2, 3 };
  int64_t perm[4] = { 0, 1, 3, 2 };
  Node *t;
  int count;
  Value *x = keys_reshaped(kt);
  if (x)
    return x;
  if (match_op(kt, "Transpose", &t)) {
    const int64_t *old = attr_ints(t, "perm", &count);
    if (old && count == 4) {
      for (int i = 0; i < 4; i++) perm[i] = old[i < 2 ? i : 5 - i];
      kt = t->in[0];
    }
  }
  return memcmp(perm, same, sizeof same) ? transposed(at, kt, perm) : kt;
}

static Node *fuse(const Found *f)
{
  Node *a = attention_new(f->values);
  Value *y = f->values->out[0];
  double scale = f->scale;
  node_set_input(a, 0, peel_transposed(a, f->q, &scale));
  node_set_input(a, 1, keys_of(a, f->kt));
  node_set_input(a, 2, f->v);
  if (f->mask)
    node_set_input(a, 3, f->mask);
  attr_set_float(a, "scale", (float)scale);
  attr_set_int(a, "zero", f->where ? 2 : 1);
  attr_set_int(a, "all_keys", 1);
  node_set_output(a, 0, value_tmp(a->g, y->name, NULL));
  infer_node(a);
  value_replace(y, a->out[0]);
  node_absorb(a, f->scores);
  node_absorb(a, f->softmax);
  if (f->where) {
    node_absorb(a, f->is_nan);
    node_absorb(a, f->where);
  }
  node_absorb(a, f->values);
  return a;
}

/* A Transpose of the result to [image, row, head, element]. */
static bool absorb_transpose(Node *a)
{
  static const int64_t swap[] = { 0, 2, 1, 3 };
  Node *t = value_only_user(a->out[0]);
  int count;
  if (!t || !node_is(t, "Transpose") || attr_int(a, "heads_last", 0))
    return false;
  const int64_t *perm = attr_ints(t, "perm", &count);
  if (!perm || count != 4 || memcmp(perm, swap, sizeof swap))
    return false;
  Value *y = t->out[0], *made = value_tmp(a->g, y->name, NULL);
  attr_set_int(a, "heads_last", 1);
  node_set_output(a, 0, made);
  infer_node(a);
  value_replace(y, made);
  node_absorb(a, t);
  return true;
}

bool pass_fuse_attention(Graph *g)
{
  bool changed = false;
  for (Node *n = g->last, *before; n; n = before) {
    Found f;
    before = n->prev;
    if (node_is_internal(n, "Attention")) {
      changed |= absorb_transpose(n);
    } else if (node_is(n, "Softmax") && match(n, &f)) {
      before = fuse(&f); /* looked at next, for its Transpose */
      changed = true;
    }
  }
  if (changed)
    dead_code(g);
  return changed;
}
