/* SPDX-License-Identifier: Apache-2.0 */
/* Comparison of an output with its reference.
 *
 * Floating point passes where |got - want| <= atol + rtol |want|; NaN equals
 * NaN, an infinity only itself. All else is exact: integers, bools, strings.
 * Where the rule comes from is part of the report: the options, tolerance.txt
 * beside the model, or the defaults of whole models. */
#include "host.h"
#include <math.h>
#include <string.h>

/* accuracy_level 4 of MatMulNBits lets the rows of each product be rounded to
 * 8 bits, which onnxruntime does and we do not. */
static bool may_round_rows(const Model *m)
{
  for (const Node *n = m->main ? m->main->first : NULL; n; n = n->next)
    if (!strcmp(n->op_type, "MatMulNBits") &&
        attr_int(n, "accuracy_level", 0) == 4) return true;
  return false;
}

/* Operators that round to 8 bits: one step of the scale is a fair error. */
static bool is_quantised(const Model *m)
{
  static const char *const ops[] = {"QuantizeLinear", "DequantizeLinear",
    "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger",
    "DynamicQuantizeLinear", "DynamicQuantizeMatMul", "MatMulIntegerToFloat",
    "QGemm", "QAttention"};
  for (const Node *n = m->main ? m->main->first : NULL; n; n = n->next)
    for (int i = 0; i < COUNT(ops); i++)
      if (!strcmp(n->op_type, ops[i])) return true;
  return may_round_rows(m);
}

/* More than one operator: errors add up, so the largest value counts. */
static bool is_whole(const Model *m)
{
  int n = 0;
  for (const Node *x = m->main ? m->main->first : NULL; x; x = x->next)
    n += strcmp(x->op_type, "Constant") && strcmp(x->op_type, "Identity");
  return n > 1;
}

static bool tolerance_file(Arena *a, const Model *m, Rule *r)
{
  const char *slash = strrchr(m->path, '/');
  size_t n = slash ? (size_t)(slash - m->path) + 1 : 0;
  const char *path = arena_printf(a, "%.*stolerance.txt", (int)n, m->path);
  FILE *f = fopen(path, "r");
  if (!f) return false;
  bool ok = fscanf(f, "%lf %lf", &r->rtol, &r->atol) == 2;
  fclose(f);
  if (ok) r->from = "tolerance.txt";
  return ok;
}

/* Sums that a result has passed through. */
static int sums_of(const Model *m)
{
  static const char *const ops[] = {
    "Conv", "ConvTranspose", "Gemm", "MatMul", "QLinearConv", "QLinearMatMul",
    "ConvInteger", "MatMulInteger", "MatMulNBits",
  };
  int n = 0;
  for (const Node *k = m->main->first; k; k = k->next)
    for (int i = 0; i < COUNT(ops); i++)
      n += !strcmp(k->op_type, ops[i]);
  return n;
}

/* Each requantised sum may round to the next step, as a sum in another order
 * does: steps of 1/128 of the largest value, adding up as a random walk.
 * Below 32 layers 1e-2 has always held. Measured: on mobilenet_v2-s8 and -u8,
 * of 53 layers, onnxruntime's optimisation levels differ by 3 to 5 % of the
 * largest value among themselves. */
static double quantised_share(const Model *m)
{
  int n = sums_of(m);
  double walk = sqrt((double)n) / 128;
  return (n > 32 || may_round_rows(m)) && walk > 1e-2 ? walk : 1e-2;
}

/* Networks of float16 round at each step, where onnxruntime's CPU computes
 * several steps in float32: a unit of the last place of the largest value,
 * adding up as a random walk. */
static double half_share(const Model *m)
{
  bool half = false;
  const Graph *g = m->main;
  for (const Node *n = g ? g->first : NULL; n && !half; n = n->next)
    for (int i = 0; i < n->nin; i++)
      half = half || (n->in[i] && n->in[i]->dtype == DT_F16);
  return half ? sqrt(1 + (double)sums_of(m)) / 1024 : 0;
}

/* Nothing but conversions: each rounds once, and that can be told. */
static bool only_converts(const Model *m)
{
  for (const Node *n = m->main ? m->main->first : NULL; n; n = n->next)
    if (!node_is(n, "Cast") && !node_is(n, "CastLike") &&
        !node_is(n, "Constant") && !node_is(n, "Identity")) return false;
  return true;
}

/* A transform's output is a sum of all its inputs: what remains where they
 * cancel is the rounding of float32, by the size of the others. */
static bool transforms(const Model *m)
{
  for (const Node *n = m->main ? m->main->first : NULL; n; n = n->next)
    if (node_is(n, "DFT") || node_is(n, "STFT")) return true;
  return false;
}

Rule rule_choose(Arena *a, const Options *opt, const Model *m)
{
  Rule r = {.rtol = 1e-3, .atol = 1e-7, .from = "default"};
  r.quantised = is_quantised(m);
  if (!tolerance_file(a, m, &r) && is_whole(m)) {
    r.share = r.quantised ? quantised_share(m) : 1e-4;
    r.from = r.quantised ? "default, 8-bit network" : "default, network";
    double half = half_share(m);
    if (half > r.share) {
      r.share = half;
      r.from = "default, float16 network";
    }
  }
  if (transforms(m)) r.share = r.share > 1e-6 ? r.share : 1e-6;
  if (opt->math && !strcmp(opt->math, "fast")) {
    /* bfloat16 has 8 bits: products are off by 2^-8, sums by less. */
    r.rtol = r.rtol > 2e-2 ? r.rtol : 2e-2;
    r.share = r.share > 2e-2 ? r.share : 2e-2;
    r.from = "--math fast";
  }
  if (opt->rtol >= 0) r.rtol = opt->rtol;
  r.fixed = opt->rtol >= 0 || only_converts(m);
  if (opt->atol >= 0) {
    r.atol = opt->atol;
    r.share = 0;
  }
  if (opt->rtol >= 0 || opt->atol >= 0) r.from = "options";
  return r;
}

const char *rule_text(Arena *a, const Rule *r)
{
  if (r->share > 0)
    return arena_printf(a, "|got - want| <= %g |want| + max(%g, %g max|want|) "
                        "(%s)", r->rtol, r->atol, r->share, r->from);
  return arena_printf(a, "|got - want| <= %g |want| + %g (%s)", r->rtol,
                      r->atol, r->from);
}

/* Position on the number line of the type, so that neighbours differ by 1. */
static int64_t ordinal(uint64_t bits, int width)
{
  uint64_t sign = (uint64_t)1 << (width - 1);
  return bits & sign ? -(int64_t)(bits & (sign - 1)) : (int64_t)bits;
}

static double ulps(Dtype t, const void *got, const void *want, int64_t i)
{
  uint64_t g = 0, w = 0;
  int size = dtype_info(t)->size;
  if (t != DT_F32 && t != DT_F64 && t != DT_F16 && t != DT_BF16) return 0;
  if (size == 4) {
    g = ((const uint32_t *)got)[i];
    w = ((const uint32_t *)want)[i];
  } else if (size == 8) {
    g = ((const uint64_t *)got)[i];
    w = ((const uint64_t *)want)[i];
  } else {
    g = ((const uint16_t *)got)[i];
    w = ((const uint16_t *)want)[i];
  }
  return fabs((double)ordinal(g, size * 8) - (double)ordinal(w, size * 8));
}

static void wrong(Diff *d, int64_t i)
{
  if (!d->bad++) d->at = i;
}

/* Two steps of bfloat16, as the tests of onnx itself allow from 1.23 on: one
 * step is already more than the default. */
#define BF16_RTOL (1.0 / 64)

/* `r` with the atol of this tensor. */
static void compare_number(Diff *d, const Rule *r, double g, double w,
                           int64_t i)
{
  if (isnan(g) && isnan(w)) return;
  if (g == w) return;
  double abs = fabs(g - w);
  /* A NaN or an infinity against anything else fails. */
  if (!(abs <= r->atol + r->rtol * fabs(w)) || isinf(w) || isinf(g))
    wrong(d, i);
  if (!(abs <= d->max_abs)) d->max_abs = abs;
  if (w != 0 && !(abs / fabs(w) <= d->max_rel)) d->max_rel = abs / fabs(w);
}

static void compare_floats(Diff *d, const Rule *r, const Tensor *got,
                           const Tensor *want)
{
  double largest = 0;
  for (int64_t i = 0; i < want->n; i++) {
    double w = fabs(tensor_f64(want, i));
    if (w > largest && !isinf(w)) largest = w;
  }
  Rule here = *r;
  if (want->dtype == DT_BF16 && r->rtol < BF16_RTOL && !r->fixed)
    here.rtol = BF16_RTOL;
  if (r->share * largest > r->atol) here.atol = r->share * largest;
  d->numeric = true;
  for (int64_t i = 0; i < want->n; i++) {
    double g = tensor_f64(got, i), w = tensor_f64(want, i);
    compare_number(d, &here, g, w, i);
    if (isnan(g) || isnan(w)) continue;
    double u = ulps(want->dtype, got->data, want->data, i);
    if (u > d->max_ulp) d->max_ulp = u;
  }
}

/* Pairs of real and imaginary part, each by the rule. */
static void compare_complex(Diff *d, const Rule *r, const Tensor *got,
                            const Tensor *want)
{
  Tensor g = *got, w = *want;
  g.dtype = w.dtype = want->dtype == DT_C64 ? DT_F32 : DT_F64;
  g.n = w.n = want->n * 2;
  compare_floats(d, r, &g, &w);
}

/* 8-bit integers that may be some steps apart. */
static void compare_steps(Diff *d, int steps, const Tensor *got,
                          const Tensor *want)
{
  Rule r = {.atol = steps};
  d->numeric = true;
  for (int64_t i = 0; i < want->n; i++)
    compare_number(d, &r, tensor_f64(got, i), tensor_f64(want, i), i);
}

static void compare_exact(Diff *d, const Tensor *got, const Tensor *want)
{
  size_t size = (size_t)dtype_info(want->dtype)->size;
  const char *g = got->data, *w = want->data;
  bool is_number = want->dtype != DT_STR && want->dtype != DT_BOOL;
  d->numeric = is_number;
  for (int64_t i = 0; i < want->n; i++) {
    if (want->dtype == DT_STR) {
      const Str *a = (const Str *)got->data + i;
      const Str *b = (const Str *)want->data + i;
      if (a->n != b->n || memcmp(a->p, b->p, a->n)) wrong(d, i);
    } else if (memcmp(g + (size_t)i * size, w + (size_t)i * size, size)) {
      wrong(d, i);
      double gap = fabs(tensor_f64(got, i) - tensor_f64(want, i));
      if (is_number && gap > d->max_abs) d->max_abs = gap;
    }
  }
}

static const char *shape_text(Arena *a, const Tensor *t)
{
  StrBuf b;
  sb_init(&b, a);
  sb_printf(&b, "%s[", dtype_info(t->dtype)->onnx);
  for (int i = 0; i < t->rank; i++)
    sb_printf(&b, i ? ",%lld" : "%lld", (long long)t->dim[i]);
  sb_puts(&b, "]");
  const char *s = arena_str(a, b.s);
  sb_free(&b);
  return s;
}

static bool same_shape(const Tensor *a, const Tensor *b)
{
  bool same = a->dtype == b->dtype && a->rank == b->rank;
  for (int i = 0; same && i < a->rank; i++) same = a->dim[i] == b->dim[i];
  return same;
}

/* Element i as text, for the message about the first wrong one. */
static const char *element_text(Arena *a, const Tensor *t, int64_t i)
{
  if (t->dtype == DT_STR) {
    const Str *s = (const Str *)t->data + i;
    return quote(a, arena_strn(a, s->p, s->n));
  }
  if (dtype_info(t->dtype)->cls == DC_COMPLEX) return "a complex value";
  return arena_printf(a, "%.9g", tensor_f64(t, i));
}

static const char *value_text(Arena *a, const Tensor *t)
{
  if (!t) return "nothing";
  if (t->kind == VK_TENSOR) return shape_text(a, t);
  if (t->kind == VK_SPARSE)
    return arena_printf(a, "a sparse tensor of %lld", (long long)t->item[0]->n);
  if (t->kind == VK_MAP)
    return arena_printf(a, "a map of %lld from %s", (long long)t->item[0]->n,
                        dtype_info(t->item[0]->dtype)->onnx);
  return arena_printf(a, "%s of %lld",
                      t->kind == VK_SEQ ? "a sequence" : "an optional value",
                      (long long)t->n);
}

static Diff compare_sparse(Arena *a, const Rule *r, const Tensor *got,
                           const Tensor *want)
{
  const Tensor *g = sparse_dense(a, got), *w = sparse_dense(a, want);
  if (g && w) return tensor_compare(a, r, g, w);
  return (Diff){.why = "an index of the sparse tensor is outside of its shape"};
}

/* The same keys, in any order; then value by value. */
static Diff compare_maps(Arena *a, const Rule *r, const Tensor *got,
                         const Tensor *want)
{
  bool twice, any;
  got = map_sorted(a, got, &twice);
  want = map_sorted(a, want, &any);
  Diff d = tensor_compare(a, r, got->item[0], want->item[0]);
  if (d.ok && twice)
    d = (Diff){.why = "a key stands there twice"};
  else if (!d.ok)
    d.why = arena_printf(a, "keys: %s", d.why);
  else
    d = tensor_compare(a, r, got->item[1], want->item[1]);
  return d;
}

static void take_maxima(Diff *d, const Diff *x)
{
  if (!x->numeric) return;
  d->numeric = true;
  if (!(x->max_abs <= d->max_abs)) d->max_abs = x->max_abs;
  if (!(x->max_rel <= d->max_rel)) d->max_rel = x->max_rel;
  if (!(x->max_ulp <= d->max_ulp)) d->max_ulp = x->max_ulp;
}

/* Item by item; the first one that is wrong tells why. */
static Diff compare_items(Arena *a, const Rule *r, const Tensor *got,
                          const Tensor *want)
{
  Diff d = {.ok = true};
  for (int64_t i = 0; i < want->n && d.ok; i++) {
    Diff x = tensor_compare(a, r, got->item[i], want->item[i]);
    take_maxima(&d, &x);
    if (x.ok) continue;
    d.ok = false;
    d.bad = x.bad;
    d.at = x.at;
    d.why = arena_printf(a, "item %lld: %s", (long long)i, x.why);
  }
  return d;
}

Diff tensor_compare(Arena *a, const Rule *r, const Tensor *got,
                    const Tensor *want)
{
  Diff d = {0};
  if (want->kind == VK_SPARSE && got && got->kind == VK_SPARSE)
    return compare_sparse(a, r, got, want);
  if (want->kind == VK_MAP && got && got->kind == VK_MAP)
    return compare_maps(a, r, got, want);
  if (want->kind != VK_TENSOR && got && got->kind == want->kind &&
      got->n == want->n)
    return compare_items(a, r, got, want);
  if (!got || got->kind != want->kind || want->kind != VK_TENSOR ||
      !same_shape(got, want)) {
    d.why = arena_printf(a, "got %s, want %s", value_text(a, got),
                         value_text(a, want));
    return d;
  }
  DtypeClass cls = dtype_info(want->dtype)->cls;
  if (cls == DC_FLOAT) compare_floats(&d, r, got, want);
  else if (cls == DC_COMPLEX) compare_complex(&d, r, got, want);
  else if (r->steps && (want->dtype == DT_U8 || want->dtype == DT_I8))
    compare_steps(&d, r->steps, got, want);
  else compare_exact(&d, got, want);
  d.ok = !d.bad;
  if (d.bad) {
    int64_t at = cls == DC_COMPLEX ? d.at / 2 : d.at;
    d.why = arena_printf(a, "%lld of %lld wrong, first at %lld: got %s, "
                         "want %s", (long long)d.bad, (long long)want->n,
                         (long long)at, element_text(a, got, at),
                         element_text(a, want, at));
  }
  return d;
}
