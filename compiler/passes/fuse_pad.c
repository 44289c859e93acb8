/* SPDX-License-Identifier: Apache-2.0 */
/* A Pad of the spatial axes becomes the padding of the window behind it, which
 * costs nothing there:
 *
 *   Conv          a border of 0
 *   MaxPool       a border that no maximum is: of what is least, or of 0 where
 *                 nothing is negative (as TensorFlow's ResNets have it)
 *   AveragePool   a border of 0, which counts
 */
#include "../ir.h"

#include <float.h>
#include <string.h>

typedef struct { int64_t begin[MAX_RANK], end[MAX_RANK]; double value; } Border;

/* Only axes from 2 on are padded, by constants. */
static bool border_of(const Node *n, Border *b)
{
  const int64_t *pad, *axis = NULL;
  int npad, naxis = n->in[0]->rank;
  memset(b, 0, sizeof *b);
  if (strcmp(attr_str(n, "mode", "constant"), "constant") ||
      !infer_const_ints(n, 1, &pad, &npad) ||
      (node_in(n, 3) && !infer_const_ints(n, 3, &axis, &naxis)) ||
      (node_in(n, 2) && !const_input(n, 2)) || npad != 2 * naxis)
    return false;
  if (node_in(n, 2))
    b->value = tensor_f64(const_input(n, 2), 0);
  for (int i = 0; i < naxis; i++) {
    int64_t k = axis ? axis[i] : i;
    k += k < 0 ? n->in[0]->rank : 0;
    if (pad[i] < 0 || pad[naxis + i] < 0 ||
        (k < 2 && (pad[i] || pad[naxis + i])))
      return false;
    if (k >= 2) {
      b->begin[k - 2] = pad[i];
      b->end[k - 2] = pad[naxis + i];
    }
  }
  return true;
}

static bool is_never_negative(const Value *v)
{
  float lo, hi;
  const Node *n = v->def;
  if (!n)
    return false;
  if (node_is(n, "MaxPool") || node_is(n, "AveragePool") ||
      node_is(n, "Transpose"))
    return is_never_negative(n->in[0]);
  return node_is(n, "Sigmoid") || (clamp_bounds(n, &lo, &hi) && lo >= 0);
}

/* Adds the border to a window's padding; false where it has another form. Pools
 * must see an element of their input in every window. */
static bool widen(Node *n, const Border *b, bool pool)
{
  int64_t pad[2 * MAX_RANK];
  int axes = n->in[0]->rank - 2, count = 0, nkernel = 0;
  const int64_t *kernel = attr_ints(n, "kernel_shape", &nkernel);
  const int64_t *old = attr_ints(n, "pads", &count);
  const char *mode = attr_str(n, "auto_pad", "NOTSET");
  bool valid = !strcmp(mode, "VALID");
  if ((!valid && strcmp(mode, "NOTSET")) || attr_int(n, "ceil_mode", 0) ||
      (pool && nkernel != axes))
    return false;
  for (int i = 0; i < 2 * axes; i++) {
    pad[i] = i < axes ? b->begin[i] : b->end[i - axes];
    if (!valid && count == 2 * axes)
      pad[i] += old[i];
    if (pool && pad[i] >= kernel[i % axes])
      return false;
  }
  attr_remove(n, "auto_pad");
  attr_set_ints(n, "pads", pad, 2 * axes);
  return true;
}

static bool pads_something(const Node *n)
{
  int count = 0;
  const int64_t *pad = attr_ints(n, "pads", &count);
  for (int i = 0; i < count; i++)
    if (pad[i])
      return true;
  return false;
}

/* What a border must not exceed to be no maximum. */
static double least(Dtype t)
{
  return t == DT_F64 ? -DBL_MAX : -(double)FLT_MAX;
}

static bool fits(const Node *n, const Value *x, const Border *b)
{
  if (node_is(n, "Conv"))
    return b->value == 0;
  if (node_is(n, "MaxPool"))
    return dtype_info(x->dtype)->cls == DC_FLOAT && !node_out(n, 1) &&
           ((b->value == 0 && is_never_negative(x)) ||
            b->value <= least(x->dtype));
  return node_is(n, "AveragePool") && b->value == 0 && !pads_something(n);
}

static bool fuse_pad(Node *n)
{
  Border b;
  Node *user = value_only_user(n->out[0]);
  if (!user || user->in[0] != n->out[0] || n->in[0]->rank < 3)
    return false;
  if (!border_of(n, &b) || !fits(user, n->in[0], &b) ||
      !widen(user, &b, !node_is(user, "Conv")))
    return false;
  if (node_is(user, "AveragePool"))
    attr_set_int(user, "count_include_pad", 1);
  node_set_input(user, 0, n->in[0]);
  node_absorb(user, n);
  return true;
}

bool pass_fuse_pad(Graph *g)
{
  bool changed = false;
  for (Node *n = g->first, *next; n; n = next) {
    next = n->next;
    if (node_is(n, "Pad") && node_in(n, 0) && n->in[0]->rank >= 0)
      changed |= fuse_pad(n);
  }
  return changed;
}
