/* SPDX-License-Identifier: Apache-2.0 */
/* Attention of version 23 and later, written out for older operator sets: the
 * plain kind, and heads that share keys. What keeps a past, gives its scores
 * out or caps them is refused. */
#include "opset.h"
#include <math.h>

typedef struct {
  int64_t heads, groups, width, keys, rows; /* keys, rows: -1 if not known */
} Heads;

/* [batch, length, heads * width] as [batch, heads, length, width]. */
static void split_heads(Convert *c, int k, int64_t heads, const char *to)
{
  opset_text(c, "%s3 = Reshape($%d, [0,0,%lld,-1]);"
             "%s = Transpose<perm=[0,2,1,3]>(%s3)", to, k, (long long)heads, to,
             to);
}

static bool measure(Convert *c, Heads *h)
{
  const char *q = opset_in(c, 0), *k = opset_in(c, 1);
  int rank = opset_rank(c, q);
  if ((rank != 3 && rank != 4) || opset_rank(c, k) != rank) {
    opset_refuse(c, "the ranks of its inputs are not known");
    return false;
  }
  h->heads = rank == 4 ? opset_dim(c, q, 1) : opset_int(c, "q_num_heads", 0);
  h->groups = rank == 4 ? opset_dim(c, k, 1) : opset_int(c, "kv_num_heads", 0);
  h->width = opset_dim(c, q, rank - 1);
  h->rows = opset_dim(c, q, rank - 2);
  h->keys = opset_dim(c, k, rank - 2);
  if (h->heads < 1 || h->groups < 1 || h->heads % h->groups || h->width < 1) {
    opset_refuse(c, "its numbers of heads, or their width, are not known");
    return false;
  }
  if (rank == 3) h->width /= h->heads;
  return true;
}

/* Each of the groups' keys or values stands once for each head of the group. */
static void repeat(Convert *c, const char *x, const Heads *h, int64_t width)
{
  long long each = (long long)(h->heads / h->groups);
  if (each == 1) {
    opset_text(c, "%sr = Identity(%s)", x, x);
    return;
  }
  opset_text(c, "%su = Unsqueeze<axes=[2]>(%s);"
             "%se = Expand(%su, [1,1,%lld,1,1]);"
             "%sr = Reshape(%se, [0,%lld,-1,%lld])", x, x, x, x, each, x, x,
             (long long)h->heads, (long long)width);
}

static bool plain(Convert *c)
{
  for (int k = 4; k < (int)c->n->n_input; k++)
    if (*opset_in(c, k))
      opset_refuse(c, "it keeps a past, or has padded keys, and the operator "
                   "is new in version 23");
  for (int k = 1; k < (int)c->n->n_output; k++)
    if (*opset_out(c, k))
      opset_refuse(c, "it gives keys, values or scores out, and the operator "
                   "is new in version 23");
  if (opset_num(c, "softcap", 0) != 0 ||
      opset_int(c, "left_window_size", -1) >= 0 ||
      opset_int(c, "right_window_size", -1) >= 0)
    opset_refuse(c, "it caps its scores, or sees a window, and the operator is "
                 "new in version 23");
  return !c->failed;
}

/* The mask of input 3, and the triangle, on the scores "s"; gives "m". */
static void mask(Convert *c, const Heads *h)
{
  Dtype t = opset_dtype(c, opset_in(c, 3));
  if (!*opset_in(c, 3)) opset_text(c, "a = Identity(s)");
  else if (t == DT_BOOL) opset_text(c, "a = Where($3, s, -1e30f)");
  else opset_text(c, "a = Add(s, $3)");
  if (!opset_int(c, "is_causal", 0)) {
    opset_text(c, "m = Identity(a)");
    return;
  }
  if (h->rows < 1 || h->keys < 1 || h->rows * h->keys > 1 << 20) {
    opset_refuse(c, "it is causal, and its lengths are not known (or long)");
    return;
  }
  float *v = NEW(c->e->a, float, h->rows * h->keys);
  int64_t shape[2] = {h->rows, h->keys};
  for (int64_t i = 0; i < h->rows * h->keys; i++)
    v[i] = i % h->keys > i / h->keys ? -1e30f : 0;
  opset_alias(c, "f", opset_new_nums(c, v, (int)(h->rows * h->keys)));
  opset_text(c, "t = Reshape(f, [%lld,%lld]); m = Add(a, t)",
             (long long)shape[0], (long long)shape[1]);
}

void down_attention(Convert *c)
{
  Heads h;
  int rank = opset_rank(c, opset_in(c, 0));
  Dtype t = opset_dtype(c, opset_in(c, 0));
  if (!plain(c) || !measure(c, &h)) return;
  if (t != DT_F32) {
    opset_refuse(c, "the operator is new in version 23, and its inputs are not "
                 "known to be float32");
    return;
  }
  int64_t width = rank == 4 ? opset_dim(c, opset_in(c, 2), 3)
                : opset_dim(c, opset_in(c, 2), 2) / h.groups;
  double scale = opset_num(c, "scale", 1 / sqrt((double)h.width));
  if (rank == 3) {
    split_heads(c, 0, h.heads, "q");
    split_heads(c, 1, h.groups, "k");
    split_heads(c, 2, h.groups, "v");
  } else {
    opset_text(c, "q = Identity($0); k = Identity($1); v = Identity($2)");
  }
  repeat(c, "k", &h, h.width);
  repeat(c, "v", &h, width);
  opset_text(c, "kt = Transpose<perm=[0,1,3,2]>(kr); p = MatMul(q, kt);"
             "s = Mul(p, %.9gf)", scale);
  mask(c, &h);
  opset_text(c, "w = Softmax<axis=3>(m); y = MatMul(w, vr)");
  if (rank == 4) opset_text(c, "@0 = Identity(y)");
  else
    opset_text(c, "yt = Transpose<perm=[0,2,1,3]>(y);"
               "@0 = Reshape(yt, [0,0,%lld])", (long long)(h.heads * width));
  c->drop = true;
}
