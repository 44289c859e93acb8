/* SPDX-License-Identifier: Apache-2.0 */
/* FlexAttention of ai.onnx.preview: attention with graphs that change its
 * scores and its probabilities. Without them it is an Attention; with them the
 * scores are written out, and the graphs' nodes stand among the others: passes
 * fuse them, and make an attention of those that only add a mask. */
#include "../control.h"
#include <math.h>

static Dtype precision_of(const Node *n)
{
  Dtype t = n->in[0]->dtype;
  return (Dtype)attr_int(n, "softmax_precision", t == DT_F64 ? t : DT_F32);
}

static bool check_heads(Node *n)
{
  int64_t heads, groups;
  const Dim *h = n->in[0]->dim[1], *g = n->in[1]->dim[1];
  if (h == g) return true;
  if (!dim_is_int(h, &heads) || !dim_is_int(g, &groups)) {
    fail_unsupported(n, "the numbers of heads, %s and %s, are not known; fix "
                     "them with --dim", dim_text(node_dims(n), h),
                     dim_text(node_dims(n), g));
    return false;
  }
  if (groups > 0 && heads % groups == 0) return true;
  fail_model(n, "%lld heads of Q are no multiple of %lld of K",
             (long long)heads, (long long)groups);
  return false;
}

static bool check_inputs(Node *n)
{
  Dtype t = precision_of(n);
  for (int i = 0; i < 3; i++) {
    if (n->in[i]->rank == 4) continue;
    fail_model(n, "input %d is rank %d (spec: 4)", i, n->in[i]->rank);
    return false;
  }
  if (t != DT_F32 && t != DT_F16 && t != DT_F64 && t != DT_BF16) {
    fail_model(n, "softmax_precision is %d (spec: a floating-point type)",
               (int)t);
    return false;
  }
  const Value *q = n->in[0], *k = n->in[1], *v = n->in[2];
  return infer_equal(n, k->dim[0], q->dim[0], "batch of K, of Q") &&
         infer_equal(n, v->dim[0], q->dim[0], "batch of V, of Q") &&
         infer_equal(n, v->dim[1], k->dim[1], "heads of V, of K") &&
         infer_equal(n, v->dim[2], k->dim[2], "rows of V, of K") &&
         infer_equal(n, k->dim[3], q->dim[3], "elements of a head of K, of Q")
         && check_heads(n);
}

/* --- Nodes before n; not inferred yet. ------------------------------------ */

static Value *cast(Node *n, Value *x, Dtype t)
{
  Value *y = control_op(n, "Cast", 1, &x);
  attr_set_int(y->def, "to", t);
  return y;
}

static Value *sizes_of(Node *n, Value *x, int from, int to)
{
  Value *y = control_op(n, "Shape", 1, &x);
  attr_set_int(y->def, "start", from);
  attr_set_int(y->def, "end", to);
  return y;
}

static Value *joined(Node *n, Value *a, Value *b, Value *c)
{
  Value *in[] = {a, b, c};
  Value *y = control_op(n, "Concat", c ? 3 : 2, in);
  attr_set_int(y->def, "axis", 0);
  return y;
}

/* Heads of Q that share those of K in an axis of their own. */
static bool grouped(const Node *n, int64_t split[2])
{
  int64_t heads = 1;
  if (!dim_is_int(n->in[1]->dim[1], &split[0]) ||
      !dim_is_int(n->in[0]->dim[1], &heads)) return false;
  split[1] = heads / (split[0] ? split[0] : 1);
  return split[1] != 1;
}

static Value *apart(Node *n, Value *x, const int64_t split[2])
{
  Value *shape = joined(n, sizes_of(n, x, 0, 1),
                        value_const_ints(n->g, "heads", split, 2),
                        sizes_of(n, x, 2, 4));
  return control_op2(n, "Reshape", x, shape);
}

static Value *unsqueezed(Node *n, Value *x)
{
  int64_t axis = 2;
  return control_op2(n, "Unsqueeze", x,
                     value_const_ints(n->g, "axis", &axis, 1));
}

static Value *turned(Node *n, Value *k)
{
  static const int64_t perm[] = {0, 1, 3, 2};
  Value *y = control_op(n, "Transpose", 1, &k);
  attr_set_ints(y->def, "perm", perm, 4);
  return y;
}

/* [batch, heads, rows, keys], in the type of the softmax. */
static Value *scores_of(Node *n)
{
  Value *q = n->in[0], *k = turned(n, n->in[1]);
  const Attr *scale = attr_get(n, "scale");
  int64_t size = 1, split[2];
  double by = 1;
  if (!scale && dim_is_int(q->dim[3], &size) && size > 0)
    by = 1 / sqrt((double)size);
  if (scale) by = (double)scale->f;
  Value *x = control_op2(n, "Mul", q, value_const_scalar(n->g, "scale",
                                                         q->dtype, by));
  if (grouped(n, split)) {
    x = control_op2(n, "MatMul", apart(n, x, split), unsqueezed(n, k));
    x = control_op2(n, "Reshape", x, joined(n, sizes_of(n, q, 0, 3),
                                            sizes_of(n, n->in[1], 2, 3),
                                            NULL));
  } else {
    x = control_op2(n, "MatMul", x, k);
  }
  return precision_of(n) == q->dtype ? x : cast(n, x, precision_of(n));
}

/* x, as the graph called `name` makes it; NULL after a diagnostic. */
static Value *modified(Node *n, const char *name, Value *x)
{
  Graph *body = control_body(n, name);
  Value *y;
  if (!body) return x;
  if (body->nin != 1 || body->nout != 1) {
    fail_model(n, "%s has %d inputs and %d outputs (spec: one, and one)", name,
               body->nin, body->nout);
    return NULL;
  }
  Node *before = n->prev;
  control_copy(n, body, &x, 1, &y, false);
  if (!control_infer(control_first(n, before), n) || y->bad) return NULL;
  if (y->kind == VK_TENSOR && y->dtype == x->dtype && value_same_shape(x, y))
    return y;
  fail_model(n, "%s makes %s%s of %s%s (spec: the same type and shape)", name,
             dtype_info(y->dtype)->onnx, value_shape_text(y),
             dtype_info(x->dtype)->onnx, value_shape_text(x));
  return NULL;
}

static Value *weighted(Node *n, Value *x)
{
  Value *q = n->in[0], *v = n->in[2];
  Dtype t = x->dtype;
  int64_t split[2];
  if (v->dtype != t) v = cast(n, v, t);
  if (grouped(n, split)) {
    x = control_op2(n, "MatMul", apart(n, x, split), unsqueezed(n, v));
    x = control_op2(n, "Reshape", x, joined(n, sizes_of(n, q, 0, 3),
                                            sizes_of(n, n->in[2], 3, 4),
                                            NULL));
  } else {
    x = control_op2(n, "MatMul", x, v);
  }
  return q->dtype == t ? x : cast(n, x, q->dtype);
}

static Value *plain(Node *n)
{
  Value *y = control_op(n, "Attention", 3, n->in);
  const Attr *scale = attr_get(n, "scale");
  if (scale) attr_set_float(y->def, "scale", scale->f);
  attr_set_int(y->def, "softmax_precision", precision_of(n));
  return y;
}

bool flex_inline(Node *n)
{
  int64_t size;
  if (!infer_ready(n) || !schema_types(n) || !check_inputs(n)) return false;
  if (!control_body(n, "score_mod") && !control_body(n, "prob_mod")) {
    control_give(n, 0, plain(n));
    return true;
  }
  if (!attr_get(n, "scale") && !dim_is_int(n->in[0]->dim[3], &size)) {
    fail_unsupported(n, "the elements of a head, %s, are not known; fix them "
                     "with --dim, or give the attribute scale",
                     dim_text(node_dims(n), n->in[0]->dim[3]));
    return false;
  }
  Node *before = n->prev;
  Value *x = scores_of(n);
  if (!control_infer(control_first(n, before), n)) return false;
  x = modified(n, "score_mod", x);
  if (!x) return false;
  before = n->prev;
  x = control_op(n, "Softmax", 1, &x);
  attr_set_int(x->def, "axis", 3);
  if (!control_infer(control_first(n, before), n)) return false;
  x = modified(n, "prob_mod", x);
  if (x) control_give(n, 0, weighted(n, x));
  return x != NULL;
}

/* Only reached where flex_inline told why it could not. */
static void infer_flex(Node *n)
{
  if (!n->g->m->nerror)
    fail_unsupported(n, "its inputs' shapes are not known");
}

static const OpRow rows[] = {
  {1, "Q:T K:T V:T -> Y:T", "T=float bf16",
   "scale:f softmax_precision:i score_mod:g prob_mod:g", NULL},
};
static const OpDef defs[] = {
  {.name = "FlexAttention", .domain = "ai.onnx.preview", .rows = rows,
   .nrow = COUNT(rows), .infer = infer_flex},
};
OPS_DEFINE(flex, defs)
