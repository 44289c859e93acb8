/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of to-opset between the first ten operator sets: broadcasting by axis,
 * types by name, flags of training, Upsample. */
#include "opset.h"
#include <ctype.h>
#include <string.h>

void up_consumed(Convert *c) { opset_drop_attr(c, "consumed_inputs"); }

/* --- Broadcasting --------------------------------------------------------- */

/* ONNX Add-6: input 1 is laid along the axes of input 0 from `axis` on; since
 * version 7 the last axes meet, so it gets ones behind. */
void up_broadcast(Convert *c)
{
  bool wide = opset_int(c, "broadcast", 0) != 0, has = opset_has(c, "axis");
  int64_t axis = opset_int(c, "axis", 0);
  int a = opset_rank(c, opset_in(c, 0)), b = opset_rank(c, opset_in(c, 1));
  opset_drop_attr(c, "consumed_inputs");
  opset_drop_attr(c, "broadcast");
  opset_drop_attr(c, "axis");
  if (!wide || !has || c->failed) return;
  if (a < 0 || b < 0) {
    opset_refuse(c, "it broadcasts along axis %lld, and the ranks of its "
                 "inputs are not known", (long long)axis);
    return;
  }
  if (axis < 0) axis += a;
  if (axis + b >= a) return;
  int64_t ones[MAX_RANK];
  int n = 0;
  for (int k = b; k < a - axis; k++) ones[n++] = k;
  NodeProto *u = opset_node_new(c, "Unsqueeze", 1, 1), *was = c->n;
  const char *y = opset_name(c, "along");
  c->n = u;
  opset_set_in(c, 0, was->input[1]);
  opset_set_out(c, 0, y);
  opset_put_list(c, "axes", ones, n);
  c->n = was;
  opset_say(c, y, opset_dtype(c, opset_in(c, 1)), b + n);
  opset_add(c, &c->before, u);
  opset_set_in(c, 1, y);
}

/* Down, shapes must be equal, or those of input 1 the last ones of input 0. */
void down_broadcast(Convert *c)
{
  const char *x = opset_in(c, 0), *y = opset_in(c, 1);
  int a = opset_rank(c, x), b = opset_rank(c, y);
  if (opset_same_shape(c, x, y)) return;
  bool fits = a >= 0 && b >= 0 && b <= a;
  for (int k = 0; fits && k < b; k++) {
    int64_t d = opset_dim(c, y, k);
    fits = d >= 0 && d == opset_dim(c, x, a - b + k);
  }
  if (!fits) {
    opset_refuse(c, "before version 7 only the second input broadcasts, along "
                 "axes of the same sizes, which these are not known to be");
    return;
  }
  opset_put_int(c, "broadcast", 1);
}

/* ONNX Sum-8 broadcasts; before, all inputs have one shape. */
void down_equal_shapes(Convert *c)
{
  for (int k = 1; k < (int)c->n->n_input; k++)
    if (!opset_same_shape(c, opset_in(c, 0), opset_in(c, k)))
      opset_refuse(c, "before version 8 its inputs have one shape, which these "
                   "are not known to have");
}

/* ONNX PRelu-6: one slope for all, or one a channel. */
void up_prelu(Convert *c)
{
  int a = opset_rank(c, opset_in(c, 0)), b = opset_rank(c, opset_in(c, 1));
  int64_t d = opset_dim(c, opset_in(c, 1), 0), shape[MAX_RANK];
  if (b == 0 || (b == 1 && (d == 1 || a == 2 || a == 1))) return;
  if (a < 0 || b != 1) {
    opset_refuse(c, "the ranks of its inputs are not known, or slope is no "
                 "list of numbers");
    return;
  }
  for (int k = 0; k < a - 1; k++) shape[k] = k ? 1 : -1;
  const char *s = opset_new_ints(c, shape, a - 1);
  const char *y = opset_name(c, "slope");
  NodeProto *n = opset_node_new(c, "Reshape", 2, 1), *was = c->n;
  c->n = n;
  opset_set_in(c, 0, was->input[1]);
  opset_set_in(c, 1, s);
  opset_set_out(c, 0, y);
  c->n = was;
  opset_say(c, y, opset_dtype(c, opset_in(c, 1)), a - 1);
  opset_add(c, &c->before, n);
  opset_set_in(c, 1, y);
}

void down_prelu(Convert *c)
{
  int a = opset_rank(c, opset_in(c, 0)), b = opset_rank(c, opset_in(c, 1));
  int64_t d = opset_dim(c, opset_in(c, 1), 0);
  if (b == 0 || (b == 1 && (d == 1 || a == 2))) return;
  opset_refuse(c, "before version 7 slope is one number, or one a channel");
}

void up_gemm_7(Convert *c) { opset_drop_attr(c, "broadcast"); }

void down_gemm_7(Convert *c) { opset_put_int(c, "broadcast", 1); }

void down_gemm_11(Convert *c)
{
  Dtype t = opset_dtype(c, opset_in(c, 0));
  if (*opset_in(c, 2)) return;
  if (t) opset_set_in(c, 2, opset_new_num(c, t, 0));
  else opset_refuse(c, "C may be absent since version 11, and the type of A is "
                    "not known");
}

/* --- Cast ----------------------------------------------------------------- */

void up_cast_6(Convert *c)
{
  const char *s = opset_word(c, "to", NULL);
  char *word = s ? arena_str(c->e->a, s) : NULL;
  for (char *p = word; p && *p; p++) *p = (char)tolower((unsigned char)*p);
  for (int t = 1; word && t < DT_COUNT; t++) {
    if (strcmp(dtype_info((Dtype)t)->onnx, word) != 0) continue;
    opset_put_int(c, "to", t);
    return;
  }
  if (word) opset_refuse(c, "'%s' is no type", s);
}

void down_cast_6(Convert *c)
{
  int64_t t = opset_int(c, "to", 0);
  if (t < 1 || t >= DT_COUNT) return;
  char *word = arena_str(c->e->a, dtype_info((Dtype)t)->onnx);
  for (char *p = word; *p; p++) *p = (char)toupper((unsigned char)*p);
  opset_put_word(c, "to", word);
}

/* --- Flags of training ---------------------------------------------------- */

/* ONNX Dropout-6 has is_test 0 by default, and exporters leave it so; the model
 * is inference all the same. */
void up_dropout_7(Convert *c)
{
  opset_drop_attr(c, "consumed_inputs");
  opset_drop_attr(c, "is_test");
}

void down_dropout_7(Convert *c) { opset_put_int(c, "is_test", 1); }

/* ONNX Dropout-10: the mask is bool, and was of the data's type. */
void up_dropout_10(Convert *c)
{
  Dtype t = opset_dtype(c, opset_in(c, 0));
  const char *mask = opset_out(c, 1);
  if (!*mask) return;
  if (!t) {
    opset_refuse(c, "the type of its mask is not known");
    return;
  }
  const char *bits = opset_name(c, "mask");
  NodeProto *n = opset_node_new(c, "Cast", 1, 1), *was = c->n;
  c->n = n;
  opset_set_in(c, 0, bits);
  opset_set_out(c, 0, mask);
  opset_put_int(c, "to", (int64_t)t);
  c->n = was;
  opset_add(c, &c->after, n);
  opset_set_out(c, 1, bits);
}

void down_dropout_10(Convert *c)
{
  const char *mask = opset_out(c, 1);
  Dtype t = opset_dtype(c, opset_in(c, 0));
  if (!*mask) return;
  const char *numbers = opset_name(c, "mask");
  NodeProto *n = opset_node_new(c, "Cast", 1, 1), *was = c->n;
  c->n = n;
  opset_set_in(c, 0, numbers);
  opset_set_out(c, 0, mask);
  opset_put_int(c, "to", DT_BOOL);
  c->n = was;
  opset_say(c, numbers, t, -1);
  opset_add(c, &c->after, n);
  opset_set_out(c, 1, numbers);
}

void up_dropout_12(Convert *c)
{
  double ratio = opset_num(c, "ratio", 0.5);
  if (opset_has(c, "ratio"))
    opset_set_in(c, 1, opset_new_num(c, DT_F32, ratio));
  opset_drop_attr(c, "ratio");
}

void down_dropout_12(Convert *c)
{
  const Tensor *ratio = opset_const(c, 1), *train = opset_const(c, 2);
  if (*opset_in(c, 2) && !(train && train->n == 1 && !tensor_i64(train, 0))) {
    opset_refuse(c, "it drops elements, or may; before version 12 that is no "
                 "input");
    return;
  }
  if (ratio && ratio->n == 1)
    opset_put_num(c, "ratio", tensor_f64(ratio, 0));
  opset_drop_attr(c, "seed");
  c->n->n_input = 1;
}

static bool only_first(const Convert *c)
{
  for (int k = 1; k < (int)c->n->n_output; k++)
    if (*opset_out(c, k)) return false;
  return true;
}

void up_batch_7(Convert *c)
{
  if (!opset_int(c, "is_test", 0) && !only_first(c))
    opset_refuse(c, "it trains, as its outputs tell; the outputs of later "
                 "versions mean something else");
  opset_drop_attr(c, "consumed_inputs");
  opset_drop_attr(c, "is_test");
  if (!c->failed) c->n->n_output = 1;
}

/* ONNX BatchNormalization-1 requires to say that mean and variance change. */
void down_batch_6(Convert *c)
{
  static const int64_t used[] = {0, 0, 0, 1, 1};
  opset_put_list(c, "consumed_inputs", used, COUNT(used));
}

void down_batch_7(Convert *c)
{
  opset_put_int(c, "is_test", only_first(c));
}

/* ONNX BatchNormalization-7: without `spatial`, each element of a sample has
 * its own scale; these broadcast as they are. */
void up_batch_9(Convert *c)
{
  bool spatial = opset_int(c, "spatial", 1) != 0;
  double eps = opset_num(c, "epsilon", 1e-5);
  opset_drop_attr(c, "spatial");
  if (spatial || c->failed) return;
  if (!only_first(c)) {
    opset_refuse(c, "it trains element by element, which went with version 9");
    return;
  }
  opset_replace(c, "d = Sub($0, $3); e = Add($4, %.9gf); s = Sqrt(e);"
                "n = Div(d, s); m = Mul(n, $1); @0 = Add(m, $2)", eps);
}

void up_batch_14(Convert *c)
{
  if (only_first(c)) {
    if (c->n->n_output > 1) c->n->n_output = 1;
    return;
  }
  if (*opset_out(c, 3) || *opset_out(c, 4))
    opset_refuse(c, "saved_mean and saved_var went with version 14");
  else
    opset_put_int(c, "training_mode", 1);
  if (c->n->n_output > 3) c->n->n_output = 3;
}

void down_batch_14(Convert *c)
{
  for (int k = 1; !only_first(c) && k < 5; k++) /* one output, or five */
    if (!*opset_out(c, k)) opset_set_out(c, k, opset_name(c, "saved"));
  if (only_first(c) && opset_int(c, "training_mode", 0))
    opset_refuse(c, "it trains, which version 9 tells by outputs that the node "
                 "lacks");
  opset_drop_attr(c, "training_mode");
}

/* --- Upsample and Resize -------------------------------------------------- */

void up_upsample_7(Convert *c)
{
  float v[4] = {1, 1, (float)opset_num(c, "height_scale", 1),
                (float)opset_num(c, "width_scale", 1)};
  opset_drop_attr(c, "height_scale");
  opset_drop_attr(c, "width_scale");
  opset_put_nums(c, "scales", v, 4);
  if (!strcmp(opset_word(c, "mode", "nearest"), "bilinear"))
    opset_put_word(c, "mode", "linear");
}

void up_upsample_9(Convert *c)
{
  int n;
  const float *v = opset_nums(c, "scales", &n);
  if (!strcmp(opset_word(c, "mode", "nearest"), "bilinear"))
    opset_put_word(c, "mode", "linear");
  if (v) opset_set_in(c, 1, opset_new_nums(c, v, n));
  opset_drop_attr(c, "scales");
}

void down_upsample_9(Convert *c)
{
  const Tensor *t = opset_const(c, 1);
  if (!t) {
    opset_refuse(c, "scales are an attribute in version 7, but the run "
                 "computes them");
    return;
  }
  float *v = NEW(c->e->a, float, t->n + 1);
  for (int64_t i = 0; i < t->n; i++) v[i] = (float)tensor_f64(t, i);
  opset_put_nums(c, "scales", v, (int)t->n);
  c->n->n_input = 1;
}

void up_upsample_10(Convert *c)
{
  c->n->op_type = arena_str(c->e->a, "Resize");
  if (c->to >= 11) opset_put_word(c, "nearest_mode", "floor");
}

/* Upsample-9 does not make smaller. */
void down_resize_10(Convert *c)
{
  const Tensor *t = opset_const(c, 1);
  for (int64_t i = 0; t && i < t->n; i++)
    if (tensor_f64(t, i) < 1) t = NULL;
  if (t) c->n->op_type = arena_str(c->e->a, "Upsample");
  else
    opset_refuse(c, "before version 10 there is Upsample only, whose scales "
                 "are at least 1; these are less, or not known");
}

void up_scatter_11(Convert *c)
{
  c->n->op_type = arena_str(c->e->a, "ScatterElements");
}

void down_scatter_11(Convert *c)
{
  c->n->op_type = arena_str(c->e->a, "Scatter");
}

/* --- Defaults that changed ------------------------------------------------ */

void up_concat_4(Convert *c)
{
  if (!opset_has(c, "axis")) opset_put_int(c, "axis", 1);
}

void up_selu_6(Convert *c)
{
  opset_drop_attr(c, "consumed_inputs");
  if (!opset_has(c, "alpha")) opset_put_num(c, "alpha", 1.6732);
  if (!opset_has(c, "gamma")) opset_put_num(c, "gamma", 1.0507);
}

void up_lp_2(Convert *c)
{
  if (!opset_has(c, "p")) return;
  opset_put_int(c, "p", (int64_t)opset_num(c, "p", 2));
}

void up_recurrent_7(Convert *c) { opset_drop_attr(c, "output_sequence"); }

void up_gru_3(Convert *c)
{
  const char *s = opset_word(c, "direction", NULL);
  if (s && !strcmp(s, "foward")) opset_put_word(c, "direction", "forward");
}

void up_scan_9(Convert *c)
{
  opset_refuse(c, "Scan-8 scans a batch of sequences, each of its own length; "
               "later versions have no batch: export the model anew");
}

void down_scan_9(Convert *c)
{
  opset_refuse(c, "Scan-8 scans a batch of sequences; this one has no batch");
}
