/* SPDX-License-Identifier: Apache-2.0 */
/* f32 DFT and STFT by fft_f32.h, where the length of the transform is a
 * constant: its roots are then a constant too. Other lengths, axes and steps
 * that only the run tells are the reference kernel's. */
#include "cpu.h"

#include <math.h>

/* Fours first, then a two, then odd primes; the last is 0. Returns the floats
 * of their table. */
static int64_t factors_of(int64_t n, int64_t factor[64])
{
  int64_t size = 0, p = 4;
  int k = 0;
  while (n > 1) {
    while (n % p) p = p == 4 ? 2 : p == 2 ? 3 : p * p > n ? n : p + 2;
    n /= p;
    size += 2 * (p - 1) * n + (p % 2 ? 2 * p : 0);
    factor[k++] = p;
  }
  factor[k] = 0;
  return size;
}

/* exp(-2 pi i k / n), exact where it is 1, -1, i or -i. */
static float *put_root(float *to, int64_t k, int64_t n)
{
  const double turn = 6.283185307179586476925 * (double)k / (double)n;
  bool axis = 4 * k % n == 0;
  to[0] = axis && k * 4 / n % 2 ? 0 : (float)cos(turn);
  to[1] = axis && k * 4 / n % 2 == 0 ? 0 : (float)-sin(turn);
  return to + 2;
}

static Value *table_of(Node *n, int64_t length, const int64_t *factor,
                       int64_t size)
{
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 1, &size);
  float *to = (float *)(uintptr_t)t->data;
  int64_t m = length;
  for (; *factor; factor++) {
    const int64_t p = *factor;
    m /= p;
    for (int64_t k = 0; p % 2 && k < p; k++) to = put_root(to, k, p);
    for (int64_t j = 0; j < m; j++)
      for (int64_t k = 1; k < p; k++) to = put_root(to, j * k, m * p);
  }
  return value_const(n->g, "fft_roots", t);
}

/* What is beside each other: all lanes, while they fit the caches. */
#define LANES(n) ((n) <= 2048 ? 16 : 1)
#define LONGEST ((int64_t)1 << 18)

static Step *step_fft(Plan *p, Node *n, int64_t length)
{
  int64_t factor[64], size = factors_of(length, factor);
  DimPool *d = &p->m->dims;
  StrBuf b;
  sb_init(&b, p->a);
  for (int i = 0; factor[i]; i++)
    sb_printf(&b, "%s%lld", i ? ", " : "", (long long)factor[i]);
  Step *s = step_new(p, n, "FFT");
  step_in(s, "x", n->in[0]);
  step_in(s, "table", table_of(n, length, factor, size));
  step_out(s, "y", n->out[0]);
  step_scratch(s, "room", DT_F32, dim_int(d, 4 * length * LANES(length)));
  step_text(s, "FACTORS", "%.*s", (int)b.n, b.s);
  step_int(s, "N", length);
  step_int(s, "LANES", LANES(length));
  step_kernel(s, "fft_f32.h");
  s->kernel_note = "fft_f32";
  sb_free(&b);
  return s;
}

const Dim *step_dft_rows(Step *s, const DftShape *f)
{
  const Value *x = s->node->in[0], *y = s->node->out[0];
  DimPool *d = &s->plan->m->dims;
  const Dim *parts = x->dim[x->rank - 1], *outs = y->dim[y->rank - 1];
  const Dim *inner = dim_prod(d, (const Dim *const *)x->dim + f->axis + 1,
                              x->rank - f->axis - 2);
  const Dim *have = x->dim[f->axis], *made = y->dim[f->axis];
  step_dim(s, "XS", dim_mul(d, inner, parts));
  step_dim(s, "XO", dim_mul(d, have, dim_mul(d, inner, parts)));
  step_dim(s, "XI", parts);
  step_dim(s, "YS", dim_mul(d, inner, outs));
  step_dim(s, "YO", dim_mul(d, made, dim_mul(d, inner, outs)));
  step_dim(s, "YI", outs);
  step_dim(s, "HAVE", have);
  step_dim(s, "PARTS", parts);
  step_dim(s, "MADE", made);
  step_dim(s, "OUTS", outs);
  return inner;
}

static bool lower_dft(Plan *p, Node *n)
{
  const Value *x = n->in[0];
  DimPool *d = &p->m->dims;
  DftShape f;
  int64_t length;
  if (!dft_shape(n, &f) || !dim_is_int(f.n, &length) || length < 2 ||
      length > LONGEST)
    return false;
  Step *s = step_fft(p, n, length);
  const Dim *inner = step_dft_rows(s, &f);
  step_dim(s, "OUTER", dim_prod(d, (const Dim *const *)x->dim, f.axis));
  step_dim(s, "INNER", inner);
  step_int(s, "HALF", f.inverse && f.onesided);
  step_int(s, "INVERSE", f.inverse);
  step_text(s, "WINDOW", "NULL");
  return true;
}

static bool lower_stft(Plan *p, Node *n)
{
  const Value *x = n->in[0], *y = n->out[0];
  Value *window = node_in(n, 2);
  DimPool *d = &p->m->dims;
  StftShape f;
  int64_t length;
  stft_shape(n, &f);
  if (!f.n || !f.step || !dim_is_int(f.n, &length) || length < 2 ||
      length > LONGEST || (node_in(n, 3) && !infer_scalar(n, 3)))
    return false;
  const Dim *bins = dim_mul(d, y->dim[2], y->dim[3]), *parts = x->dim[2];
  Step *s = step_fft(p, n, length);
  if (window) step_in(s, "window", window);
  step_dim(s, "OUTER", x->dim[0]);
  step_dim(s, "INNER", y->dim[1]);
  step_dim(s, "XS", parts);
  step_dim(s, "XO", dim_mul(d, x->dim[1], parts));
  step_dim(s, "XI", dim_mul(d, f.step, parts));
  step_dim(s, "YS", y->dim[3]);
  step_dim(s, "YO", dim_mul(d, y->dim[1], bins));
  step_dim(s, "YI", bins);
  step_int(s, "HAVE", length);
  step_dim(s, "PARTS", parts);
  step_dim(s, "MADE", y->dim[2]);
  step_dim(s, "OUTS", y->dim[3]);
  step_int(s, "HALF", 0);
  step_int(s, "INVERSE", 0);
  step_text(s, "WINDOW", "%s", window ? "window" : "NULL");
  return true;
}

bool lower_fft_f32(Plan *p, Node *n)
{
  if (n->in[0] == NULL || n->in[0]->dtype != DT_F32) return false;
  return node_is(n, "DFT") ? lower_dft(p, n)
    : node_is(n, "STFT") && lower_stft(p, n);
}
