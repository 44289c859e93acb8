/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of to-opset where an operator's meaning or words changed: Softmax,
 * Resize, quantisation, constants, RoiAlign and others. */
#include "opset.h"
#include <math.h>
#include <string.h>

/* --- Softmax, LogSoftmax, Hardmax ----------------------------------------- */

/* Is axis the only one of x from there on that is not known to be 1? */
static bool alone(const Convert *c, const char *x, int64_t axis, int rank)
{
  for (int k = (int)axis + 1; k < rank; k++)
    if (opset_dim(c, x, k) != 1) return false;
  return true;
}

/* ONNX Softmax-13: along one axis; before, along all from it on. */
void up_softmax(Convert *c)
{
  const char *x = opset_in(c, 0), *op = c->n->op_type;
  int rank = opset_rank(c, x);
  int64_t axis = opset_int(c, "axis", 1);
  if (axis == -1 || (rank >= 0 && axis + (axis < 0 ? rank : 0) == rank - 1)) {
    opset_put_int(c, "axis", -1);
    return;
  }
  if (axis < 0 && rank < 0) {
    opset_refuse(c, "it counts its axis from the end, and the rank is not "
                 "known");
    return;
  }
  if (axis < 0) axis += rank;
  if (rank >= 0 && alone(c, x, axis, rank)) {
    opset_put_int(c, "axis", axis);
    return;
  }
  c->form = 13;
  opset_replace(c, "s = Shape($0); f = Flatten<axis=%d>($0);"
                "y = %s<axis=-1>(f); @0 = Reshape(y, s)", (int)axis, op);
}

void down_softmax(Convert *c)
{
  const char *x = opset_in(c, 0), *op = c->n->op_type;
  int rank = opset_rank(c, x);
  int64_t axis = opset_int(c, "axis", -1);
  const char *perm = "";
  if (rank < 0 && axis == -1 && c->to >= 11) {
    opset_put_int(c, "axis", -1);
    return;
  }
  if (rank < 0) {
    opset_refuse(c, "the rank of its input is not known, and before version 13 "
                 "it means all axes from one on");
    return;
  }
  if (axis < 0) axis += rank;
  if (rank == 0 || alone(c, x, axis, rank)) {
    opset_put_int(c, "axis", axis);
    return;
  }
  for (int k = 0; k < rank; k++) {
    int64_t from = k == axis ? rank - 1 : k == rank - 1 ? axis : k;
    perm = arena_printf(c->e->a, "%s%d,", perm, (int)from);
  }
  opset_replace(c, "t = Transpose<perm=[%s]>($0); y = %s<axis=%d>(t);"
                "@0 = Transpose<perm=[%s]>(y)", perm, op, rank - 1, perm);
}

/* --- Resize --------------------------------------------------------------- */

static bool word_is(Convert *c, const char *name, const char *dflt,
                    const char *want)
{
  return !strcmp(opset_word(c, name, dflt), want);
}

/* How the scales of input k change sizes: 1 grow (or stay), -1 shrink, 0 both,
 * or not known. */
static int direction(Convert *c, int k)
{
  const Tensor *t = opset_const(c, k);
  bool up = t && t->n, down = up;
  for (int64_t i = 0; t && i < t->n; i++) {
    up = up && tensor_f64(t, i) >= 1;
    down = down && tensor_f64(t, i) <= 1;
  }
  return up ? 1 : down ? -1 : 0;
}

/* ONNX Resize-10 has one way to find a pixel: at x / scale, rounded down where
 * the axis grows, up where it shrinks. Upsample has said that it grows. */
void up_resize_11(Convert *c)
{
  const char *scales = opset_in(c, 1);
  int way = opset_has(c, "nearest_mode") ? 1 : direction(c, 1);
  if (!way && word_is(c, "mode", "nearest", "nearest")) {
    opset_refuse(c, "Resize-10 rounds by whether an axis grows or shrinks, and "
                 "the scales do both, or are not known");
    return;
  }
  opset_set_in(c, 2, scales);
  opset_set_in(c, 1, opset_new_nums(c, NULL, 0));
  opset_put_word(c, "coordinate_transformation_mode", "asymmetric");
  opset_put_word(c, "nearest_mode", way < 0 ? "ceil" : "floor");
}

/* Since version 13 what is empty is absent. */
void up_resize_13(Convert *c)
{
  for (int k = 1; k <= 2; k++)
    if (opset_dim(c, opset_in(c, k), 0) == 0) opset_set_in(c, k, "");
  opset_trim(c);
}

/* Scales that give the sizes exactly, as far as these are known. */
static const char *scales_of(Convert *c)
{
  const char *x = opset_in(c, 0), *y = opset_out(c, 0);
  const Tensor *given = opset_const(c, 2);
  int rank = opset_rank(c, x);
  float v[MAX_RANK];
  if (*opset_in(c, 2) && !(given && !given->n)) return opset_in(c, 2);
  for (int k = 0; k < rank; k++) {
    int64_t a = opset_dim(c, x, k), b = opset_dim(c, y, k);
    const NameType *s = types_find(c->types, x), *t = types_find(c->types, y);
    bool same = s && t && s->v && t->v && t->rank == rank &&
                s->v->dim[k] == t->v->dim[k];
    if (!same && (a < 1 || b < 1)) return NULL;
    v[k] = same ? 1 : (float)b / (float)a;
    if (!same && (int64_t)floorf(v[k] * (float)a) != b) return NULL;
  }
  return rank < 0 ? NULL : opset_new_nums(c, v, rank);
}

void down_resize_11(Convert *c)
{
  bool linear = word_is(c, "mode", "nearest", "linear");
  bool nearest = word_is(c, "mode", "nearest", "nearest");
  const char *scales = scales_of(c);
  if ((!linear && !nearest) ||
      !word_is(c, "coordinate_transformation_mode", "half_pixel",
               "asymmetric"))
    opset_refuse(c, "version 10 has nearest and linear only, asymmetric");
  else if (!scales)
    opset_refuse(c, "version 10 takes scales, and the sizes are not known");
  if (c->failed) return;
  opset_set_in(c, 1, scales);
  int way = direction(c, 1);
  if (nearest && (!way || !word_is(c, "nearest_mode", "round_prefer_floor",
                                   way < 0 ? "ceil" : "floor"))) {
    opset_refuse(c, "version 10 rounds down where axes grow, and up where they "
                 "shrink");
    return;
  }
  opset_drop_attr(c, "coordinate_transformation_mode");
  opset_drop_attr(c, "nearest_mode");
  opset_drop_attr(c, "cubic_coeff_a");
  opset_drop_attr(c, "exclude_outside");
  opset_drop_attr(c, "extrapolation_value");
  c->n->n_input = 2;
}

/* ONNX Resize-11 wants roi and scales, empty or not. */
void down_resize_13(Convert *c)
{
  for (int k = 1; k <= 2; k++)
    if (!*opset_in(c, k)) opset_set_in(c, k, opset_new_nums(c, NULL, 0));
}

void down_resize_18(Convert *c)
{
  int n, m = 0, rank = opset_rank(c, opset_in(c, 0));
  const int64_t *axes = opset_list(c, "axes", &n), *sizes = NULL;
  const Tensor *scales = opset_const(c, 2);
  float v[MAX_RANK];
  int64_t all[MAX_RANK];
  if (!axes) return;
  if (*opset_in(c, 3)) sizes = opset_ints(c, 3, &m);
  else m = scales ? (int)scales->n : 0;
  if (rank < 0 || m != n || (!sizes && !scales) || *opset_in(c, 1)) {
    opset_refuse(c, "axes are new in version 18; rank, scales or sizes are not "
                 "known, or it has a roi");
    return;
  }
  for (int k = 0; k < rank; k++) {
    v[k] = 1;
    all[k] = opset_dim(c, opset_in(c, 0), k);
  }
  for (int i = 0; i < n; i++) {
    int64_t at = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (at < 0 || at >= rank) continue;
    if (sizes) all[at] = sizes[i];
    else v[at] = (float)tensor_f64(scales, i);
  }
  opset_drop_attr(c, "axes");
  for (int k = 0; sizes && k < rank; k++)
    if (all[k] < 0)
      opset_refuse(c, "axes are new in version 18, and the sizes of the other "
                   "axes are not known");
  if (c->failed) return;
  if (sizes) opset_set_in(c, 3, opset_new_ints(c, all, rank));
  else opset_set_in(c, 2, opset_new_nums(c, v, rank));
}

void down_resize_19(Convert *c)
{
  if (word_is(c, "coordinate_transformation_mode", "half_pixel",
              "half_pixel_symmetric"))
    opset_refuse(c, "half_pixel_symmetric is new in version 19");
}

/* --- Quantisation --------------------------------------------------------- */

void down_quant_axis(Convert *c)
{
  const char *s = opset_in(c, 1);
  int rank = opset_rank(c, s);
  bool one = rank == 0 || (rank == 1 && opset_dim(c, s, 0) == 1);
  if (!one)
    opset_refuse(c, "scales along an axis are new in version 13");
  opset_drop_attr(c, "axis");
}

/* ONNX QuantizeLinear-21: output_dtype tells the type where no zero point
 * does; it is uint8 by default. */
void down_quant_type(Convert *c)
{
  int64_t t = opset_int(c, "output_dtype", 0);
  const char *s = opset_in(c, 1);
  opset_drop_attr(c, "output_dtype");
  if (!t || t == DT_U8 || *opset_in(c, 2)) return;
  if (opset_rank(c, s) == 0 && (t == DT_I8 || t == DT_U16 || t == DT_I16 ||
                                t == DT_I32))
    opset_set_in(c, 2, opset_new_num(c, (Dtype)t, 0));
  else
    opset_refuse(c, "output_dtype is new in version 21");
}

/* Saturation is of 8-bit floats. */
void down_saturate(Convert *c)
{
  Dtype t = opset_dtype(c, opset_out(c, 0));
  bool float8 = t >= DT_F8E4M3FN && t <= DT_F8E5M2FNUZ;
  if (!opset_int(c, "saturate", 1) && (float8 || !t))
    opset_refuse(c, "saturate = 0 is new in version 19");
  opset_drop_attr(c, "saturate");
}

/* Rounding up is of float8e8m0. */
void down_round(Convert *c)
{
  if (opset_dtype(c, opset_out(c, 0)) == DT_F8E8M0 &&
      !word_is(c, "round_mode", "up", "up"))
    opset_refuse(c, "round_mode is new in version 24");
  opset_drop_attr(c, "round_mode");
}

/* --- Constants and shapes ------------------------------------------------- */

void down_constant_12(Convert *c)
{
  int n;
  const char *y = opset_out(c, 0), *made = NULL;
  NodeList was = c->before;
  if (opset_has(c, "value_float"))
    made = opset_new_num(c, DT_F32, opset_num(c, "value_float", 0));
  else if (opset_has(c, "value_int"))
    made = opset_new_int(c, opset_int(c, "value_int", 0));
  else if (opset_has(c, "value_floats")) {
    const float *v = opset_nums(c, "value_floats", &n);
    made = opset_new_nums(c, v, n);
  } else if (opset_has(c, "value_ints")) {
    const int64_t *v = opset_list(c, "value_ints", &n);
    made = opset_new_ints(c, v, n);
  } else if (opset_has(c, "value_string") || opset_has(c, "value_strings")) {
    opset_refuse(c, "strings as attributes are new in version 12; make it an "
                 "initializer");
  }
  if (!made || c->failed) return;
  /* The made node takes the place of this one; or an initializer feeds it. */
  if (c->before.n > was.n) {
    c->before.node[c->before.n - 1]->output[0] = edit_str(c->e, y);
  } else {
    opset_set_in(c, 0, made);
    opset_text(c, "@0 = Identity($0)");
  }
  c->drop = true;
}

/* ONNX Shape-15 takes a part of the shape. */
void down_shape_15(Convert *c)
{
  int64_t start = opset_int(c, "start", 0);
  int64_t end = opset_int(c, "end", INT64_MAX);
  opset_drop_attr(c, "start");
  opset_drop_attr(c, "end");
  if (c->failed || (start == 0 && end == INT64_MAX)) return;
  opset_replace(c, "s = Shape($0); @0 = Slice(s, [%lld], [%lld], [0])",
                (long long)start, (long long)end);
}

void down_reduction_18(Convert *c)
{
  const char *s = opset_word(c, "reduction", "none");
  if (!strcmp(s, "max") || !strcmp(s, "min"))
    opset_refuse(c, "reduction %s is new in version 18", s);
}

/* --- Samplers ------------------------------------------------------------- */

void up_roi_16(Convert *c)
{
  opset_put_word(c, "coordinate_transformation_mode", "output_half_pixel");
}

void down_roi_16(Convert *c)
{
  if (!word_is(c, "coordinate_transformation_mode", "half_pixel",
               "output_half_pixel"))
    opset_refuse(c, "half_pixel is new in version 16");
  opset_drop_attr(c, "coordinate_transformation_mode");
}

void up_grid_20(Convert *c)
{
  if (word_is(c, "mode", "bilinear", "bilinear"))
    opset_put_word(c, "mode", "linear");
  if (word_is(c, "mode", "", "bicubic")) opset_put_word(c, "mode", "cubic");
}

void down_grid_20(Convert *c)
{
  if (opset_rank(c, opset_in(c, 0)) != 4)
    opset_refuse(c, "before version 20 it samples images only, of rank 4");
  if (word_is(c, "mode", "linear", "linear"))
    opset_put_word(c, "mode", "bilinear");
  if (word_is(c, "mode", "", "cubic")) opset_put_word(c, "mode", "bicubic");
}

/* Layout 1 of recurrent operators has the batch first. */
void down_layout(Convert *c)
{
  if (opset_int(c, "layout", 0))
    opset_refuse(c, "layout 1 is new in version 14");
  opset_drop_attr(c, "layout");
}

void down_optional(Convert *c)
{
  if (!*opset_in(c, 0))
    opset_refuse(c, "an absent input is new in version 18");
  else if (opset_dtype(c, opset_in(c, 0)))
    opset_refuse(c, "a tensor as its input is new in version 18");
}

/* ONNX OptionalGetElement-18 gives a tensor on as it is. */
void down_get_element(Convert *c)
{
  if (opset_dtype(c, opset_in(c, 0))) opset_replace(c, "@0 = Identity($0)");
}

/* ONNX Pow-12: base and exponent may be of two types. */
void down_pow_12(Convert *c)
{
  Dtype a = opset_dtype(c, opset_in(c, 0)), b = opset_dtype(c, opset_in(c, 1));
  if (a == b && a) return;
  if (!a || !b || dtype_info(a)->cls != DC_FLOAT) {
    opset_refuse(c, "base and exponent have one type before version 12");
    return;
  }
  const char *y = opset_name(c, "exponent");
  NodeProto *n = opset_node_new(c, "Cast", 1, 1), *was = c->n;
  c->n = n;
  opset_set_in(c, 0, was->input[1]);
  opset_set_out(c, 0, y);
  opset_put_int(c, "to", (int64_t)a);
  c->n = was;
  opset_say(c, y, a, opset_rank(c, opset_in(c, 1)));
  opset_add(c, &c->before, n);
  opset_set_in(c, 1, y);
}

/* Rounding up, a pool's last window may start in the padding; since version 22
 * ONNX leaves it out. The output tells whether there was one. */
void down_pool_22(Convert *c)
{
  const char *x = opset_in(c, 0), *y = opset_out(c, 0);
  int rank = opset_rank(c, x), n, m, s, d;
  const int64_t *kernel = opset_list(c, "kernel_shape", &n);
  const int64_t *pad = opset_list(c, "pads", &m);
  const int64_t *step = opset_list(c, "strides", &s);
  const int64_t *wide = opset_list(c, "dilations", &d);
  if (!opset_int(c, "ceil_mode", 0) || rank != n + 2) return;
  for (int k = 0; k < n; k++) {
    int64_t in = opset_dim(c, x, k + 2), out = opset_dim(c, y, k + 2);
    int64_t by = s == n ? step[k] : 1, far = d == n ? wide[k] : 1;
    int64_t pads = m == 2 * n ? pad[k] + pad[k + n] : 0;
    if (in < 0 || out < 0 || by < 1) continue;
    int64_t old = (in + pads - far * (kernel[k] - 1) - 1 + by - 1) / by + 1;
    if (old != out)
      opset_refuse(c, "its last window would start in the padding, which is "
                   "left out since version 22");
  }
}

void down_bfloat_28(Convert *c)
{
  for (int k = 0; k < (int)c->n->n_input; k++)
    if (opset_dtype(c, opset_in(c, k)) == DT_BF16)
      opset_refuse(c, "bfloat16 is new in version 28");
}

/* --- ai.onnx.ml ----------------------------------------------------------- */

void up_trees_5(Convert *c)
{
  opset_refuse(c, "version 5 of ai.onnx.ml deprecates it in favour of "
               "TreeEnsemble, which gives no labels");
}

void up_labels_2(Convert *c)
{
  opset_refuse(c, "LabelEncoder-1 numbers a list; export the model anew");
}
