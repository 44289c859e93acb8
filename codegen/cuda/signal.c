/* SPDX-License-Identifier: Apache-2.0 */
/* DFT and STFT by kernels/cuda/dft.h; HannWindow, HammingWindow, BlackmanWindow
 * and MelWeightMatrix by the functions of ref/window.h. A transform of constant
 * length that fits into shared memory is one launch. */
#include "cuda.h"

#include <math.h>
#include <string.h>

enum { THREADS = 256, SHORT = 2048 }; /* half of SHORT in double */

static Dtype arith_of(Dtype t)
{
  return t == DT_F64 ? DT_F64 : DT_F32;
}

bool cuda_takes_signal(const Plan *p, const Node *n)
{
  (void)p;
  return (node_is(n, "DFT") || node_is(n, "STFT")) &&
         cuda_float_type(n->in[0]->dtype);
}

/* The roots exp(-2 pi i k / length); exact where one part is 0. */
static Value *roots_of(Node *n, int64_t length)
{
  int64_t size = 2 * length;
  Tensor *t = tensor_new(&n->g->m->arena, arith_of(n->in[0]->dtype), 1, &size);
  for (int64_t k = 0; k < length; k++) {
    double turn = 6.283185307179586476925 * (double)k / (double)length;
    bool axis = 4 * k % length == 0, odd = axis && k * 4 / length % 2;
    tensor_set_f64(t, 2 * k, odd ? 0 : cos(turn));
    tensor_set_f64(t, 2 * k + 1, axis && !odd ? 0 : -sin(turn));
  }
  return value_const(n->g, "dft_roots", t);
}

/* Fours first, then a two, then odd primes: a line for each. */
static void put_passes(Step *s, int64_t n)
{
  StrBuf b;
  int64_t stride = 1, p = 4;
  const char *from = "a", *to = "b";
  sb_init(&b, s->plan->a);
  while (stride < n) {
    while (n / stride % p)
      p = p == 4 ? 2 : p == 2 ? 3 : p * p > n / stride ? n / stride : p + 2;
    sb_printf(&b, "G_CUDA_DFT_PASS(%lld, %lld, %s, %s)", (long long)p,
              (long long)stride, from, to);
    const char *t = from;
    from = to;
    to = t;
    stride *= p;
  }
  step_text(s, "PASSES", "%.*s", (int)b.n, b.s ? b.s : "");
  step_text(s, "LAST", "%s", from);
  sb_free(&b);
}

/* A step of rows of length n, in shared memory where that is short. */
static Step *rows_step(Plan *p, Node *n, Value *window, const Dim *length,
                       const Dim *rows)
{
  DimPool *d = &p->m->dims;
  Dtype t = n->in[0]->dtype, a = arith_of(t);
  int64_t v, share = 1;
  bool small = dim_is_int(length, &v) && v <= (a == DT_F64 ? SHORT / 2 : SHORT);
  Step *s = device_step(p, n, small ? "CUDA_DFT" : "CUDA_DFT_WIDE");
  step_in(s, "x", n->in[0]);
  if (window)
    step_in(s, "window", window);
  if (small)
    step_in(s, "roots", roots_of(n, v));
  step_out(s, "y", n->out[0]);
  if (small) {
    while (share < THREADS && share * 4 < v)
      share *= 2;
    step_int(s, "SHARE", share);
    step_int(s, "SIDE", THREADS / share);
    put_passes(s, v);
  } else {
    const Dim *all = dim_mul(d, dim_mul(d, length, rows), dim_int(d, 2));
    step_scratch(s, "w", a, dim_mul(d, length, dim_int(d, 2)));
    step_scratch(s, "u", a, all);
    step_scratch(s, "v", a, all);
  }
  step_dim(s, "N", length);
  step_dim(s, "ROWS", rows);
  step_text(s, "WINDOW", window ? "window" : "NULL");
  step_kernel(s, "cuda/dft.h");
  cuda_put_class(s, "TYPE", t);
  s->kernel_note = small ? "cuda fft" : "cuda fft, a launch a pass";
  return s;
}

static void lower_dft_rows(Plan *p, Node *n, const DftShape *f)
{
  const Value *x = n->in[0];
  DimPool *d = &p->m->dims;
  const Dim *const *dim = (const Dim *const *)x->dim;
  const Dim *inner = dim_prod(d, dim + f->axis + 1, x->rank - f->axis - 2);
  Step *s = rows_step(p, n, NULL, f->n,
                      dim_mul(d, dim_prod(d, dim, f->axis), inner));
  cuda_put_least(s, "INNER", step_dft_rows(s, f));
  step_text(s, "HALF", f->inverse && f->onesided ? "true" : "false");
  step_text(s, "INVERSE", f->inverse ? "true" : "false");
  cuda_put_unused(s);
}

/* Its length or axis is data. */
static void lower_dft_data(Plan *p, Node *n, const DftShape *f)
{
  const Value *x = n->in[0], *y = n->out[0];
  DimPool *d = &p->m->dims;
  bool half = f->inverse && f->onesided;
  Value *length = f->n ? NULL : node_in(n, 1);
  const Dim *most = dim_int(d, 1);
  for (int i = 0; i < y->rank - 1; i++)
    most = dim_add(d, most, dim_mul(d, dim_int(d, 2), y->dim[i]));
  Step *s = device_step(p, n, "CUDA_DFT_DATA");
  step_in(s, "x", n->in[0]);
  if (length)
    step_in(s, "length", length);
  if (f->axis < 0)
    step_in(s, "along", n->in[2]);
  step_out(s, "y", n->out[0]);
  step_scratch(s, "w", arith_of(x->dtype), dim_mul(d, most, dim_int(d, 2)));
  step_dim(s, "MOST", most);
  step_dim(s, "COUNT", value_numel(y));
  step_text(s, "AXIS", f->axis < 0 ? "*along" : "%d", f->axis);
  step_text(s, "GIVEN", "%s", length ? "*length" : f->n
            ? step_dim_text(s, f->n) : half ? "2 * (have - 1)" : "have");
  step_int(s, "RANK", x->rank);
  step_text(s, "DIM", "%s", cuda_list(s, x->rank, (const Dim *const *)x->dim));
  step_text(s, "OUT", "%s", cuda_list(s, y->rank, (const Dim *const *)y->dim));
  step_dim(s, "PARTS", x->dim[x->rank - 1]);
  step_dim(s, "OUTS", y->dim[y->rank - 1]);
  step_text(s, "ONESIDED", f->onesided && !f->inverse ? "true" : "false");
  step_text(s, "HALF", half ? "true" : "false");
  step_text(s, "INVERSE", f->inverse ? "true" : "false");
  step_kernel(s, "cuda/dft.h");
  cuda_put_class(s, "TYPE", x->dtype);
  cuda_put_unused(s);
  s->kernel_note = "cuda dft by sums";
}

static void lower_frames(Plan *p, Node *n)
{
  const Value *x = n->in[0], *y = n->out[0];
  Value *step = n->in[1];
  DimPool *d = &p->m->dims;
  StftShape f;
  stft_shape(n, &f);
  const Dim *parts = x->dim[2], *bins = dim_mul(d, y->dim[2], y->dim[3]);
  Step *s = rows_step(p, n, node_in(n, 2), f.n,
                      dim_mul(d, x->dim[0], y->dim[1]));
  if (!f.step)
    step_in(s, "hop", step);
  cuda_put_least(s, "INNER", y->dim[1]);
  step_dim(s, "XS", parts);
  step_dim(s, "XO", dim_mul(d, x->dim[1], parts));
  step_text(s, "XI", "%s * (%s)", step_dim_text(s, parts),
            f.step ? step_dim_text(s, f.step) : "(int64_t)*hop");
  step_dim(s, "YS", y->dim[3]);
  step_dim(s, "YO", dim_mul(d, y->dim[1], bins));
  step_dim(s, "YI", bins);
  step_dim(s, "HAVE", f.n);
  step_dim(s, "PARTS", parts);
  step_dim(s, "MADE", y->dim[2]);
  step_dim(s, "OUTS", y->dim[3]);
  step_text(s, "HALF", "false");
  step_text(s, "INVERSE", "false");
  cuda_put_unused(s);
}

void cuda_lower_signal(Plan *p, Node *n)
{
  DftShape f;
  if (node_is(n, "STFT"))
    lower_frames(p, n);
  else if (dft_shape(n, &f))
    lower_dft_rows(p, n, &f);
  else
    lower_dft_data(p, n, &f);
}

bool cuda_takes_table(const Plan *p, const Node *n)
{
  (void)p;
  return node_is(n, "HannWindow") || node_is(n, "HammingWindow") ||
         node_is(n, "BlackmanWindow") || node_is(n, "MelWeightMatrix");
}

static void lower_mel(Plan *p, Node *n)
{
  static const char *const name[] = {
    "length_of", "rate_of", "low_of", "high_of"
  };
  static const char *const key[] = { "LENGTH", "RATE", "LOW", "HIGH" };
  const Value *y = n->out[0];
  Step *s = device_step(p, n, "CUDA_MEL");
  for (int i = 0; i < 4; i++) {
    Value *v = n->in[1 + i];
    step_in(s, name[i], v);
    step_text(s, key[i], "%s", cuda_load(s, name[i], v->dtype));
  }
  step_out(s, "y", n->out[0]);
  step_dim(s, "SPECTRUM", y->dim[0]);
  step_dim(s, "BINS", y->dim[1]);
  step_text(s, "ELEMENT", "%s", dtype_info(y->dtype)->name);
  step_ref(s, "window", y->dtype);
  cuda_put_unused(s);
  s->kernel_note = "cuda mel weights";
}

void cuda_lower_table(Plan *p, Node *n)
{
  Call c;
  if (node_is(n, "MelWeightMatrix")) {
    lower_mel(p, n);
    return;
  }
  node_calls(p, n, &c, 1);
  /* window: y, n periodic, a0 a1 a2 */
  Step *s = device_step(p, n, "CUDA_TABLE");
  step_out(s, "y", n->out[0]);
  step_dim(s, "COUNT", c.arg[1].dim[0]);
  step_text(s, "PER", dim_is(c.arg[2].dim[0], 0) ? "%s - 1" : "%s",
            step_dim_text(s, c.arg[1].dim[0]));
  cuda_put_real(s, "A0", c.arg[3].f);
  cuda_put_real(s, "A1", c.arg[4].f);
  cuda_put_real(s, "A2", c.arg[5].f);
  step_text(s, "ELEMENT", "%s", dtype_info(c.type)->name);
  step_ref(s, "window", c.type);
  device_index(s, value_numel(n->out[0]));
  s->kernel_note = "cuda window";
}
