/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of to-opset where an attribute became an input. Up, its value becomes a
 * constant; down, the input must be one, else the node is refused. */
#include "opset.h"
#include <string.h>

/* Attribute `name` as input k, and back. */
static void list_up(Convert *c, const char *name, int k)
{
  int n;
  const int64_t *v = opset_list(c, name, &n);
  if (v) opset_set_in(c, k, opset_new_ints(c, v, n));
  opset_drop_attr(c, name);
}

static const int64_t *list_down(Convert *c, int k, int *n, const char *what)
{
  const int64_t *v = opset_ints(c, k, n);
  if (!v && *opset_in(c, k))
    opset_refuse(c, "%s are an attribute in version %d, but the run computes "
                 "input %d; fold the model, or fix its sizes, first", what,
                 c->step - 1, k);
  return v;
}

void up_axes(Convert *c) { list_up(c, "axes", 1); }

void down_axes(Convert *c)
{
  int n;
  const int64_t *v = list_down(c, 1, &n, "axes");
  if (v) opset_put_list(c, "axes", v, n);
  if (!c->failed) c->n->n_input = 1;
}

/* ONNX ReduceSum-13: no axes are all, or none if noop_with_empty_axes. */
void down_reduce(Convert *c)
{
  static const char *const plain[] = {"ReduceSum", "ReduceMean", "ReduceMax",
                                      "ReduceMin", "ReduceProd"};
  int n = 0;
  const int64_t *v = list_down(c, 1, &n, "axes");
  bool none = opset_int(c, "noop_with_empty_axes", 0) != 0, same = false;
  if (c->failed) return;
  for (int i = 0; i < COUNT(plain); i++)
    same = same || !strcmp(c->n->op_type, plain[i]);
  if (!n && none && !same) {
    opset_refuse(c, "noop_with_empty_axes is new in version %d", c->step);
  } else if (!n && none) {
    opset_replace(c, "@0 = Identity($0)");
  } else {
    opset_drop_attr(c, "noop_with_empty_axes");
    if (n) opset_put_list(c, "axes", v, n);
    c->n->n_input = 1;
  }
}

void up_split_13(Convert *c) { list_up(c, "split", 1); }

void down_split_13(Convert *c)
{
  int n;
  const int64_t *v = list_down(c, 1, &n, "sizes of the parts");
  if (v) opset_put_list(c, "split", v, n);
  if (!c->failed) c->n->n_input = 1;
}

void up_split_2(Convert *c)
{
  int n;
  const int64_t *v = list_down(c, 1, &n, "sizes of the parts");
  if (v) opset_put_list(c, "split", v, n);
  if (!c->failed) c->n->n_input = 1;
}

void up_split_18(Convert *c)
{
  if (!*opset_in(c, 1))
    opset_put_int(c, "num_outputs", (int64_t)c->n->n_output);
}

/* ONNX Split-18: the last part is smaller where they can't be equal. */
void down_split_18(Convert *c)
{
  int64_t parts = opset_int(c, "num_outputs", 0), size[64];
  int64_t axis = opset_int(c, "axis", 0);
  int rank = opset_rank(c, opset_in(c, 0));
  if (!opset_has(c, "num_outputs")) return;
  opset_drop_attr(c, "num_outputs");
  if (axis < 0) axis += rank;
  int64_t d = rank < 0 ? -1 : opset_dim(c, opset_in(c, 0), (int)axis);
  if (d < 0 || parts < 1 || parts > COUNT(size)) {
    opset_refuse(c, "num_outputs is new in version 18, and the size of the "
                 "axis is not known; fix it first");
    return;
  }
  if (d % parts == 0) return;
  int64_t each = (d + parts - 1) / parts;
  for (int64_t k = 0; k < parts; k++)
    size[k] = k < parts - 1 ? each : d - each * (parts - 1);
  opset_set_in(c, 1, opset_new_ints(c, size, (int)parts));
}

/* --- Clip, Slice, Pad, TopK ----------------------------------------------- */

static void bound_up(Convert *c, const char *name, int k, double open)
{
  double v = opset_num(c, name, open);
  Dtype t = opset_dtype(c, opset_in(c, 0));
  bool has = opset_has(c, name);
  opset_drop_attr(c, name);
  if (!has || v == open) return;
  if (t) opset_set_in(c, k, opset_new_num(c, t, v));
  else
    opset_refuse(c, "the type of its input is not known, which %s needs", name);
}

void up_clip(Convert *c)
{
  bound_up(c, "min", 1, (double)-3.402823466e+38f);
  bound_up(c, "max", 2, (double)3.402823466e+38f);
}

void down_clip(Convert *c)
{
  static const char *const name[] = {"min", "max"};
  for (int k = 1; k <= 2; k++) {
    const Tensor *t = opset_const(c, k);
    if (!*opset_in(c, k)) continue;
    if (!t || t->n != 1) {
      opset_refuse(c, "%s is an attribute in version 6, but the run computes "
                   "input %d", name[k - 1], k);
      return;
    }
    double v = tensor_f64(t, 0);
    if ((double)(float)v != v && t->dtype != DT_F64)
      opset_refuse(c, "%s is no float32", name[k - 1]);
    opset_put_num(c, name[k - 1], v);
  }
  if (!c->failed) c->n->n_input = 1;
}

void up_slice(Convert *c)
{
  list_up(c, "starts", 1);
  list_up(c, "ends", 2);
  list_up(c, "axes", 3);
}

void down_slice(Convert *c)
{
  static const char *const name[] = {"starts", "ends", "axes"};
  int n;
  const int64_t *step = list_down(c, 4, &n, "steps");
  int rank = opset_rank(c, opset_in(c, 0));
  for (int i = 0; step && i < n; i++)
    if (step[i] != 1) opset_refuse(c, "Slice-1 has no steps");
  for (int k = 1; k <= 3 && !c->failed; k++) {
    const int64_t *v = list_down(c, k, &n, name[k - 1]);
    if (!v) continue;
    int64_t *w = NEW(c->e->a, int64_t, n + 1);
    for (int i = 0; i < n; i++) {
      w[i] = v[i];
      if (k == 3 && v[i] < 0) w[i] += rank;
      if (k == 3 && w[i] < 0)
        opset_refuse(c, "axes are negative, and the rank is not known");
    }
    opset_put_list(c, name[k - 1], w, n);
  }
  if (!c->failed) c->n->n_input = 1;
}

void up_pad_2(Convert *c)
{
  int n;
  const int64_t *v = opset_list(c, "paddings", &n);
  if (v) opset_put_list(c, "pads", v, n);
  opset_drop_attr(c, "paddings");
}

void up_pad_11(Convert *c)
{
  double v = opset_num(c, "value", 0);
  Dtype t = opset_dtype(c, opset_in(c, 0));
  list_up(c, "pads", 1);
  opset_drop_attr(c, "value");
  if (v == 0) return;
  if (t) opset_set_in(c, 2, opset_new_num(c, t, v));
  else opset_refuse(c, "the type of its input is not known, which the value "
                    "of the padding needs");
}

void down_pad_11(Convert *c)
{
  int n;
  const int64_t *v = list_down(c, 1, &n, "pads");
  const Tensor *t = opset_const(c, 2);
  if (v) opset_put_list(c, "pads", v, n);
  if (*opset_in(c, 2) && !t)
    opset_refuse(c, "the value of the padding is an attribute in version 2, "
                 "but the run computes it");
  if (t && t->n == 1) opset_put_num(c, "value", tensor_f64(t, 0));
  if (!c->failed) c->n->n_input = 1;
}

/* ONNX Pad-18: pads of some axes become pads of all. */
void down_pad_18(Convert *c)
{
  int n, m, rank = opset_rank(c, opset_in(c, 0));
  if (!*opset_in(c, 3)) return;
  const int64_t *axes = list_down(c, 3, &n, "axes");
  const int64_t *pads = list_down(c, 1, &m, "pads");
  int64_t all[2 * MAX_RANK] = {0};
  if (c->failed) return;
  if (rank < 0 || m != 2 * n) {
    opset_refuse(c, "axes are new in version 18, and the rank is not known");
    return;
  }
  for (int i = 0; i < n; i++) {
    int64_t at = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (at < 0 || at >= rank) {
      opset_refuse(c, "axis %lld is out of range", (long long)axes[i]);
      return;
    }
    all[at] = pads[i];
    all[rank + at] = pads[n + i];
  }
  opset_set_in(c, 1, opset_new_ints(c, all, 2 * rank));
  opset_set_in(c, 3, "");
  opset_trim(c);
}

void down_pad_19(Convert *c)
{
  if (!strcmp(opset_word(c, "mode", "constant"), "wrap"))
    opset_refuse(c, "mode wrap is new in version 19");
}

void up_topk(Convert *c)
{
  int64_t k = opset_int(c, "k", 1);
  opset_drop_attr(c, "k");
  opset_set_in(c, 1, opset_new_ints(c, &k, 1));
}

void down_topk(Convert *c)
{
  int n;
  const int64_t *v = list_down(c, 1, &n, "k");
  if (v && n == 1) opset_put_int(c, "k", v[0]);
  if (!c->failed) c->n->n_input = 1;
}

void up_dft(Convert *c)
{
  int64_t axis = opset_int(c, "axis", 1);
  opset_drop_attr(c, "axis");
  opset_set_in(c, 2, opset_new_int(c, axis));
}

void down_dft(Convert *c)
{
  int n = 0, rank = opset_rank(c, opset_in(c, 0));
  const int64_t *v = list_down(c, 2, &n, "axes");
  int64_t axis = v && n == 1 ? v[0] : -2;
  if (c->failed) return;
  if (axis < 0 && rank < 0)
    opset_refuse(c, "the axis counts from the end, and the rank is not known");
  opset_put_int(c, "axis", axis < 0 ? axis + rank : axis);
  opset_set_in(c, 2, "");
  opset_trim(c);
}

/* --- Reshape, Tile -------------------------------------------------------- */

void up_reshape_5(Convert *c)
{
  opset_drop_attr(c, "consumed_inputs");
  list_up(c, "shape", 1);
}

void down_reshape_5(Convert *c)
{
  int n;
  const int64_t *v = list_down(c, 1, &n, "shapes");
  if (v) opset_put_list(c, "shape", v, n);
  if (!c->failed) c->n->n_input = 1;
}

/* ONNX Reshape-14: allowzero makes 0 a size. Without a 0 it says nothing; sizes
 * that the run tells are at least 1. */
void down_reshape_14(Convert *c)
{
  int n;
  bool zero = opset_int(c, "allowzero", 0) != 0;
  const NameType *t = types_find(c->types, opset_in(c, 1));
  const Dim *const *d = t && t->v ? value_content(t->v, &n) : NULL;
  for (int i = 0; zero && d && i < n; i++)
    if (dim_is(d[i], 0)) d = NULL;
  if (zero && !d)
    opset_refuse(c, "allowzero is new in version 14, and the shape has a zero, "
                 "or is not known");
  opset_drop_attr(c, "allowzero");
}

void up_tile(Convert *c)
{
  const Tensor *tiles = opset_const(c, 1), *axis = opset_const(c, 2);
  int rank = opset_rank(c, opset_in(c, 0));
  int64_t all[MAX_RANK];
  int64_t at = axis && axis->n == 1 ? tensor_i64(axis, 0) : -1;
  if (!tiles || tiles->n != 1 || at < 0 || at >= rank) {
    opset_refuse(c, "tiles, axis or the rank of its input is not known");
    return;
  }
  for (int i = 0; i < rank; i++) all[i] = i == at ? tensor_i64(tiles, 0) : 1;
  opset_set_in(c, 1, opset_new_ints(c, all, rank));
  c->n->n_input = 2;
}

/* --- Negative axes, new in version 11 ------------------------------------- */

static bool positive(Convert *c, int64_t *v, int rank)
{
  if (*v >= 0) return true;
  if (rank < 0)
    opset_refuse(c, "an axis counts from the end, which is new in version 11, "
                 "and the rank is not known");
  *v += rank;
  return rank >= 0;
}

void down_axis(Convert *c)
{
  int64_t axis = opset_int(c, "axis", 0);
  if (axis < 0 && positive(c, &axis, opset_rank(c, opset_in(c, 0))))
    opset_put_int(c, "axis", axis);
}

/* TopK has the last axis by default. */
void down_axis_last(Convert *c)
{
  int64_t axis = opset_int(c, "axis", -1);
  if (axis < 0 && positive(c, &axis, opset_rank(c, opset_in(c, 0))))
    opset_put_int(c, "axis", axis);
}

static void down_list(Convert *c, const char *name, int rank)
{
  int n;
  const int64_t *v = opset_list(c, name, &n);
  int64_t *w = NEW(c->e->a, int64_t, n + 1);
  for (int i = 0; i < n; i++) {
    w[i] = v[i];
    if (!positive(c, &w[i], rank)) return;
  }
  if (v) opset_put_list(c, name, w, n);
}

void down_axes_sign(Convert *c)
{
  down_list(c, "axes", opset_rank(c, opset_in(c, 0)));
}

void down_unsqueeze_sign(Convert *c)
{
  int n, rank = opset_rank(c, opset_in(c, 0));
  opset_list(c, "axes", &n);
  down_list(c, "axes", rank < 0 ? -1 : rank + n);
}
