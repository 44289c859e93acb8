/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of to-opset that write out an operator which the older set lacks, by
 * older ones. Sums go in the type that the operator's stash_type names. */
#include "opset.h"
#include <string.h>

static bool is_half(Dtype t) { return t == DT_F16 || t == DT_BF16; }

/* The input as "x" in f32, where the data is a half type and stashed so; then
 * c->literal is the type of numbers. */
static bool stash(Convert *c)
{
  Dtype t = opset_dtype(c, opset_in(c, 0));
  bool wide = opset_int(c, "stash_type", 1) == DT_F32;
  if (!t) {
    opset_refuse(c, "the type of its input is not known");
    return false;
  }
  c->literal = is_half(t) && wide ? DT_F32 : t;
  if (c->literal == t) opset_alias(c, "x", opset_in(c, 0));
  else opset_text(c, "x = Cast<to=1>($0)");
  return true;
}

/* "n" in the data's type as "y". */
static void unstash(Convert *c)
{
  Dtype t = opset_dtype(c, opset_in(c, 0));
  if (c->literal == t) opset_text(c, "y = Identity(n)");
  else opset_text(c, "y = Cast<to=%d>(n)", (int)t);
}

/* "-2,-1" of the axes from `axis` on. */
static const char *tail_axes(Convert *c, int64_t axis)
{
  int rank = opset_rank(c, opset_in(c, 0));
  const char *s = "";
  if (axis >= 0 && rank < 0)
    opset_refuse(c, "the rank of its input is not known");
  if (axis >= 0) axis -= rank;
  for (int64_t k = axis; k < 0 && !c->failed; k++)
    s = arena_printf(c->e->a, "%s%lld,", s, (long long)(k + (rank > 0
                     ? rank : 0)));
  return s;
}

void down_layer_norm(Convert *c)
{
  double eps = opset_num(c, "epsilon", 1e-5);
  const char *axes = tail_axes(c, opset_int(c, "axis", -1));
  if (c->failed || !stash(c)) return;
  opset_text(c, "m = ReduceMean<axes=[%s],keepdims=1>(x); d = Sub(x, m);"
             "q = Mul(d, d); v = ReduceMean<axes=[%s],keepdims=1>(q);"
             "e = Add(v, %.9gf); s = Sqrt(e); n = Div(d, s);"
             "@1 = Identity(m); @2 = Reciprocal(s)", axes, axes, eps);
  unstash(c);
  if (*opset_in(c, 2)) opset_text(c, "z = Mul(y, $1); @0 = Add(z, $2)");
  else opset_text(c, "@0 = Mul(y, $1)");
  c->drop = true;
}

void down_rms_norm(Convert *c)
{
  double eps = opset_num(c, "epsilon", 1e-5);
  const char *axes = tail_axes(c, opset_int(c, "axis", -1));
  if (c->failed || !stash(c)) return;
  opset_text(c, "q = Mul(x, x); v = ReduceMean<axes=[%s],keepdims=1>(q);"
             "e = Add(v, %.9gf); s = Sqrt(e); n = Div(x, s)", axes, eps);
  unstash(c);
  opset_text(c, "@0 = Mul(y, $1)");
  c->drop = true;
}

/* ONNX GroupNormalization-21: a scale a channel; 18 had one a group, and is
 * deprecated, so going down writes it out. */
void down_group_norm(Convert *c)
{
  const char *x = opset_in(c, 0), *ones = "";
  int rank = opset_rank(c, x);
  int64_t groups = opset_int(c, "num_groups", 1);
  double eps = opset_num(c, "epsilon", 1e-5);
  if (rank < 2) opset_refuse(c, "the rank of its input is not known");
  if (c->failed || !stash(c)) return;
  for (int k = 2; k < rank; k++)
    ones = arena_printf(c->e->a, "%s,1", ones);
  opset_text(c, "h = Shape($0); g = Reshape(x, [0,%lld,-1]);"
             "m = ReduceMean<axes=[2],keepdims=1>(g); d = Sub(g, m);"
             "q = Mul(d, d); v = ReduceMean<axes=[2],keepdims=1>(q);"
             "e = Add(v, %.9gf); s = Sqrt(e); r = Div(d, s);"
             "n = Reshape(r, h)", (long long)groups, eps);
  unstash(c);
  opset_text(c, "a = Reshape($1, [1,-1%s]); b = Reshape($2, [1,-1%s]);"
             "z = Mul(y, a); @0 = Add(z, b)", ones, ones);
  c->drop = true;
}

void up_group_norm(Convert *c)
{
  int64_t groups = opset_int(c, "num_groups", 1);
  int64_t channels = opset_dim(c, opset_in(c, 0), 1);
  if (channels < 1 || groups < 1 || channels % groups) {
    opset_refuse(c, "the number of channels is not known, and scales are those "
                 "of channels since version 21");
    return;
  }
  for (int k = 1; k <= 2; k++) {
    const char *y = opset_name(c, "per_channel");
    opset_set_out(c, 1, y);
    opset_text(c, "a%d = Reshape($%d, [-1,1]); b%d = Expand(a%d, [1,%lld]);"
               "@1 = Reshape(b%d, [-1])", k, k, k, k,
               (long long)(channels / groups), k);
    opset_set_in(c, k, y);
    c->n->n_output = 1;
  }
}

void down_gelu(Convert *c)
{
  if (!strcmp(opset_word(c, "approximate", "none"), "tanh"))
    opset_replace(c, "p = Pow($0, 3.f); a = Mul(p, 0.044715f); b = Add($0, a);"
                  "t = Mul(b, 0.797884583f); h = Tanh(t); o = Add(h, 1.f);"
                  "m = Mul($0, o); @0 = Mul(m, 0.5f)");
  else
    opset_replace(c, "a = Div($0, 1.41421354f); e = Erf(a); o = Add(e, 1.f);"
                  "m = Mul($0, o); @0 = Mul(m, 0.5f)");
}

void down_hard_swish(Convert *c)
{
  opset_replace(c, "h = HardSigmoid<alpha=0.166666672f,beta=0.5f>($0);"
                "@0 = Mul($0, h)");
}

void down_mish(Convert *c)
{
  opset_replace(c, "s = Softplus($0); t = Tanh(s); @0 = Mul($0, t)");
}

void down_swish(Convert *c)
{
  double alpha = opset_num(c, "alpha", 1);
  if (alpha == 1) opset_replace(c, "s = Sigmoid($0); @0 = Mul($0, s)");
  else
    opset_replace(c, "a = Mul($0, %.9gf); s = Sigmoid(a); @0 = Mul($0, s)",
                  alpha);
}

void down_celu(Convert *c)
{
  opset_replace(c, "d = Div($0, %.9gf); e = Elu<alpha=1.f>(d);"
                "@0 = Mul(e, %.9gf)", opset_num(c, "alpha", 1),
                opset_num(c, "alpha", 1));
}

void down_thresholded(Convert *c)
{
  c->form = 9;
  opset_replace(c, "g = Greater($0, %.9gf); w = Cast<to=%d>(g);"
                "@0 = Mul($0, w)", opset_num(c, "alpha", 1),
                (int)opset_dtype(c, opset_in(c, 0)));
}

/* Not the negation of Less: that is true of NaN. */
void down_greater_equal(Convert *c)
{
  opset_replace(c, "g = Greater($0, $1); e = Equal($0, $1); @0 = Or(g, e)");
}

void down_less_equal(Convert *c)
{
  opset_replace(c, "g = Less($0, $1); e = Equal($0, $1); @0 = Or(g, e)");
}

void down_cast_like(Convert *c)
{
  Dtype t = opset_dtype(c, opset_in(c, 1));
  if (t) opset_replace(c, "@0 = Cast<to=%d>($0)", (int)t);
  else opset_refuse(c, "the type of input 1 is not known");
}

/* ONNX MeanVarianceNormalization-9 divides by the deviation and 1e-9. */
void down_mean_variance(Convert *c)
{
  int n;
  const int64_t *axes = opset_list(c, "axes", &n);
  const char *s = axes ? "" : "0,2,3";
  for (int i = 0; axes && i < n; i++)
    s = arena_printf(c->e->a, "%s%lld,", s, (long long)axes[i]);
  opset_replace(c, "m = ReduceMean<axes=[%s],keepdims=1>($0); d = Sub($0, m);"
                "q = Mul(d, d); v = ReduceMean<axes=[%s],keepdims=1>(q);"
                "r = Sqrt(v); e = Add(r, 1e-9f); @0 = Div(d, e)", s, s);
}

/* The default, written: onnx's checker fails on the function without it. */
void up_mean_variance(Convert *c)
{
  static const int64_t axes[] = {0, 2, 3};
  if (!opset_has(c, "axes")) opset_put_list(c, "axes", axes, COUNT(axes));
}

/* ONNX Trilu-14: what stays is told by column less row, against k. */
void down_trilu(Convert *c)
{
  int rank = opset_rank(c, opset_in(c, 0));
  if (rank < 2) {
    opset_refuse(c, "the rank of its input is not known");
    return;
  }
  opset_text(c, "h = Shape($0); r = Gather(h, %d); l = Gather(h, %d);"
             "i = Range(0, r, 1); j = Range(0, l, 1);"
             "u = Unsqueeze<axes=[1]>(i); d = Sub(j, u)", rank - 2, rank - 1);
  if (*opset_in(c, 1)) opset_alias(c, "k", opset_in(c, 1));
  else opset_alias(c, "k", opset_new_int(c, 0));
  opset_text(c, opset_int(c, "upper", 1) ? "g = Less(d, k)"
             : "g = Greater(d, k)");
  opset_replace(c, "@0 = Where(g, 0.f, $0)");
}
