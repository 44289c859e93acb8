/* SPDX-License-Identifier: Apache-2.0 */
/* Pools. A window's element of y is a thread's, or, channels last, four of
 * them; a pool over everything has several threads for each result. */
#include "cuda.h"

#include <string.h>

enum { WIDE = 4, LANES = 32, FEW_TAPS = 16 };

static bool is_max(const Node *n)
{
  return node_is(n, "MaxPool") || node_is(n, "GlobalMaxPool");
}

static bool type_fits(const Node *n)
{
  Dtype t = n->in[0]->dtype;
  if (node_is_internal(n, "QAveragePool"))
    return t == DT_U8;
  return cuda_float_type(t) || (is_max(n) && (t == DT_U8 || t == DT_I8));
}

static bool is_global(const Node *n)
{
  return node_is(n, "GlobalMaxPool") || node_is(n, "GlobalAveragePool") ||
         node_is(n, "GlobalLpPool") ||
         (node_is_internal(n, "QAveragePool") && attr_int(n, "global", 0));
}

/* MaxPool-22, AveragePool-22, LpPool-22, o2c.QAveragePool-1. */
bool cuda_takes_pool(const Plan *p, const Node *n)
{
  ConvGeom g;
  (void)p;
  return (node_is(n, "MaxPool") || node_is(n, "AveragePool") ||
          node_is(n, "LpPool") || node_is_internal(n, "QAveragePool")) &&
         !is_global(n) && type_fits(n) && pool_geometry(n, &g) &&
         cuda_window_fits(&g);
}

bool cuda_takes_global_pool(const Plan *p, const Node *n)
{
  (void)p;
  return is_global(n) && type_fits(n) && !dim_is(value_numel(n->out[0]), 0);
}

static double norm_order(const Node *n)
{
  const Attr *a = attr_get(n, "p");
  if (!a)
    return 2;
  return a->type == AT_FLOAT ? (double)a->f : (double)a->i;
}

static void put_kind(Step *s, const Node *n)
{
  bool lp = strstr(n->op_type, "LpPool") != NULL;
  bool bytes = node_is_internal(n, "QAveragePool");
  step_text(s, "KIND", is_max(n) ? "max" : lp ? "lp" : bytes ? "quantised"
            : is_global(n) ? "mean" : "average");
  step_float(s, "P", lp ? norm_order(n) : 0);
  step_float(s, "INVERSE", lp ? 1 / norm_order(n) : 0);
  if (lp && (norm_order(n) == 1 || norm_order(n) == 2))
    step_int(s, "ORDER", (int64_t)norm_order(n));
  else
    step_int(s, "ORDER", 0);
  step_float(s, "SCALE", (double)attr_float(n, "scale", 1));
  step_int(s, "X_ZP", attr_int(n, "x_zp", 0));
  step_int(s, "Y_ZP", attr_int(n, "y_zp", 0));
  if (bytes)
    step_kernel(s, "u8.h");
}

static bool is_wide(const ConvGeom *g, const Node *n)
{
  int64_t c;
  return g->channels_last && !node_out(n, 1) && dim_is_int(g->channels, &c) &&
         c % WIDE == 0;
}

void cuda_lower_pool(Plan *p, Node *n)
{
  ConvGeom g;
  Value *x = n->in[0], *index = node_out(n, 1);
  pool_geometry(n, &g);
  Step *s = device_step(p, n, "CUDA_POOL");
  int64_t taps = 1;
  int wide = is_wide(&g, n) ? WIDE : 1;
  const Dim *count = value_numel(n->out[0]);
  step_in(s, "x", x);
  step_out(s, "y", n->out[0]);
  if (index)
    step_out(s, "indices", index);
  cuda_put_type(s, x->dtype);
  cuda_put_window(s, &g);
  cuda_put_strides(s, &g);
  put_kind(s, n);
  for (int i = 0; i < g.n; i++)
    taps *= g.kernel[i];
  step_text(s, "FEW", taps <= FEW_TAPS ? "1" : "");
  step_int(s, "V", wide);
  cuda_put_dim(s, "C", g.channels);
  step_text(s, "INDEX_OUT", index ? "1" : "");
  step_int(s, "COLUMN", attr_int(n, "storage_order", 0) != 0);
  step_int(s, "COUNT_PAD", attr_int(n, "count_include_pad", 0) != 0);
  step_text(s, "COUNT", "(%s) / %d", step_dim_text(s, count), wide);
  device_index(s, dim_max(&p->m->dims, count, value_numel(x)));
  s->kernel_note = "cuda pool";
}

/* Threads: 32 channels and so many parts of each, or 8 rows of 32 parts. */
static void put_threads(Step *s, const Dim *pixels, bool last)
{
  int64_t n;
  int parts = !last || !dim_is_int(pixels, &n) || n > 512 ? LANES : 8;
  int results = last ? LANES : 8;
  step_int(s, "PARTS", parts);
  step_int(s, "RESULTS", results);
  step_int(s, "THREADS", parts * results);
  step_int(s, "FAR", last ? 1 : parts);
  step_int(s, "NEAR", last ? results : 1);
}

void cuda_lower_global_pool(Plan *p, Node *n)
{
  Value *x = n->in[0];
  DimPool *d = &p->m->dims;
  bool last = attr_int(n, "channels_last", 0) != 0;
  const Dim *c = x->dim[last ? x->rank - 1 : 1];
  const Dim *pixels = dim_prod(d, x->dim + (last ? 1 : 2), x->rank - 2);
  Step *s = device_step(p, n, "CUDA_POOL_GLOBAL");
  step_in(s, "x", x);
  step_out(s, "y", n->out[0]);
  cuda_put_type(s, x->dtype);
  put_kind(s, n);
  put_threads(s, pixels, last);
  step_text(s, "LAST", last ? "1" : "");
  cuda_put_dim(s, "C", c);
  cuda_put_dim(s, "PIXELS", pixels);
  cuda_put_dim(s, "N", x->dim[0]);
  cuda_put_dim(s, "X_P", last ? c : dim_int(d, 1));
  device_index(s, value_numel(x));
  s->kernel_note = "cuda global pool";
}
