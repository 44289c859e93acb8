/* SPDX-License-Identifier: Apache-2.0 */
/* DynamicQuantizeLinear by kernels/cuda/quantize.h; QuantizeLinear and
 * DequantizeLinear by blocks, or of 8-bit floats, for which there is no
 * elementwise chain, with the reference kernel's functions for an element. */
#include "cuda.h"

static bool is_quantize(const Node *n) { return node_is(n, "QuantizeLinear"); }

bool cuda_takes_quantize(const Plan *p, const Node *n)
{
  QuantSpan span;
  (void)p;
  if (node_is(n, "DynamicQuantizeLinear"))
    return node_out(n, 0) != NULL;
  return (is_quantize(n) || node_is(n, "DequantizeLinear")) &&
         quantize_span(n, &span);
}

/* An element of v as a float. */
static const char *load_text(Arena *a, const Value *v, const char *element)
{
  if (v->dtype == DT_F32)
    return element;
  if (dtype_info(v->dtype)->cls == DC_FLOAT)
    return arena_printf(a, "o2c_%s_to_f32(%s)", dtype_info(v->dtype)->name,
                        element);
  return arena_printf(a, "(float)%s", element);
}

/* The zero point as the kernel for `t` takes it. */
static const char *zero_text(const Node *n, Dtype t)
{
  Arena *a = &n->g->m->arena;
  if (!node_in(n, 2))
    return "0";
  return dtype_info(t)->cls == DC_FLOAT ? load_text(a, n->in[2], "zero[at]")
                                        : "(int64_t)zero[at]";
}

static const char *quantize_text(const Node *n)
{
  Arena *a = &n->g->m->arena;
  Dtype t = n->out[0]->dtype;
  int64_t by = attr_int(n, "precision", 0);
  by = by ? by : (int64_t)n->in[1]->dtype;
  const char *name = dtype_info(t)->name;
  return arena_printf(
    a, "o2c_ref_quantize_round_%s(o2c_ref_quantize_ratio_%s(%s, %s, %d), %s, "
    "%d)", name, name, load_text(a, n->in[0], "x[e]"),
    load_text(a, n->in[1], "scale[at]"),
    by == DT_F16 ? 16 : by == DT_BF16 ? 17 : 32, zero_text(n, t),
    attr_int(n, "saturate", 1) != 0);
}

static const char *dequantize_text(const Node *n)
{
  Arena *a = &n->g->m->arena;
  Dtype t = n->in[0]->dtype, to = n->out[0]->dtype;
  const char *x = dtype_info(t)->cls == DC_FLOAT
    ? load_text(a, n->in[0], "x[e]") : "(int64_t)x[e]";
  const char *v = arena_printf(a, "(float)(%s - %s) * %s", x, zero_text(n, t),
                               load_text(a, n->in[1], "scale[at]"));
  return to == DT_F32 ? v : arena_printf(a, "o2c_f32_to_%s(%s)",
                                         dtype_info(to)->name, v);
}

static void lower_spans(Plan *p, Node *n)
{
  QuantSpan span;
  quantize_span(n, &span);
  Step *s = device_step(p, n, "CUDA_QUANTIZE");
  step_in(s, "x", n->in[0]);
  step_in(s, "scale", n->in[1]);
  if (node_in(n, 2))
    step_in(s, "zero", n->in[2]);
  step_out(s, "y", n->out[0]);
  step_dim(s, "COUNT", value_numel(n->in[0]));
  cuda_put_least(s, "N", span.n);
  cuda_put_least(s, "INNER", span.inner);
  step_dim(s, "SO", span.so);
  step_dim(s, "SA", span.sa);
  step_dim(s, "SI", span.si);
  step_int(s, "BLOCK", span.block);
  step_text(s, "VALUE", "%s", is_quantize(n) ? quantize_text(n)
                                             : dequantize_text(n));
  step_kernel(s, "ref/convert.h");
  if (is_quantize(n))
    step_ref(s, "quantize", n->out[0]->dtype);
  device_index(s, value_numel(n->in[0]));
  s->kernel_note = "cuda quantise";
}

static void lower_dynamic(Plan *p, Node *n)
{
  Value *scale = node_out(n, 1), *zero = node_out(n, 2);
  Step *s = device_step(p, n, "CUDA_DYNAMIC_QUANTIZE");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  if (scale)
    step_out(s, "scale", scale);
  if (zero)
    step_out(s, "zero", zero);
  step_text(s, "SCALE", scale ? "scale" : "NULL");
  step_text(s, "ZERO", zero ? "zero" : "NULL");
  step_scratch(s, "range", DT_F32, dim_int(&p->m->dims, 512));
  step_dim(s, "COUNT", value_numel(n->in[0]));
  step_kernel(s, "cuda/quantize.h");
  device_index(s, value_numel(n->in[0]));
  s->kernel_note = "cuda quantise";
}

void cuda_lower_quantize(Plan *p, Node *n)
{
  if (node_is(n, "DynamicQuantizeLinear"))
    lower_dynamic(p, n);
  else
    lower_spans(p, n);
}
