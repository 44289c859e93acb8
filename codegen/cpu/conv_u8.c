/* SPDX-License-Identifier: Apache-2.0 */
/* 8-bit convolutions and products: QConv, QGemm by the kernels conv_u8.h and
 * dw_u8.h.
 *
 * Weights are packed by pack_u8.h, group by group; bias and multipliers hold
 * whole panels of 16. Padding is a copy of the image into scratch with a
 * border of the zero point. Kernels for 16-bit multipliers (Cortex-M) want
 * scratch for a few pixels, which is small, so it is always planned.
 */
#include "cpu.h"

#include "pack_u8.h"

#include <string.h>

static Tensor *bytes_tensor(const Node *n, int64_t size)
{
  return tensor_new(&n->g->m->arena, DT_I8, 1, &size);
}

/* Filter o as [taps][kc]: [O][I/g][kh][kw] to [O][kh][kw][I/g]. */
static void reorder_filter(const Conv *v, const int8_t *from, int8_t *to)
{
  int64_t area = v->kh * v->kw;
  for (int64_t c = 0; c < v->cg; c++)
    for (int64_t e = 0; e < area; e++)
      to[e * v->cg + c] = from[c * area + e];
}

static Value *pack_panels(const Conv *v, const Tensor *w, int64_t *group)
{
  bool rows = conv_row_taps(v);
  int32_t ntap = (int32_t)(rows ? v->kh : v->kh * v->kw);
  int32_t kc = (int32_t)(rows ? v->kw * v->c : v->cg);
  int64_t filter = v->cg * v->kh * v->kw;
  *group = (int64_t)o2c_pack_u8_size((int32_t)v->og, ntap, kc);
  Tensor *t = bytes_tensor(v->n, *group * v->g.group);
  int8_t *to = (int8_t *)(uintptr_t)t->data;
  int8_t *part = arena_alloc(&v->n->g->m->arena, (size_t)(v->og * filter + 1));
  const int8_t *from = w->data;
  for (int64_t g = 0; g < v->g.group; g++) {
    for (int64_t o = 0; o < v->og; o++)
      reorder_filter(v, from + (g * v->og + o) * filter, part + o * filter);
    o2c_pack_u8(to + g * *group, part, (int32_t)v->og, ntap, kc);
  }
  return value_const(v->n->g, "w_panels", t);
}

/* One value for each output, each group padded to whole panels with zeros. */
static Value *pad_panels(const Node *n, const Tensor *from, int64_t groups)
{
  int64_t per = from->n / groups, wide = (per + 15) / 16 * 16;
  int64_t size = wide * groups;
  Tensor *t = tensor_new(&n->g->m->arena, from->dtype, 1, &size);
  for (int64_t i = 0; i < size; i++) {
    bool there = i % wide < per;
    int64_t at = i / wide * per + i % wide;
    if (from->dtype == DT_F32)
      tensor_set_f64(t, i, there ? tensor_f64(from, at) : 0);
    else
      tensor_set_i64(t, i, there ? tensor_i64(from, at) : 0);
  }
  return value_const(n->g, from->dtype == DT_F32 ? "scale" : "bias", t);
}

/* [kh*kw][C]: one filter a channel. */
static Value *pack_depthwise(const Conv *v, const Tensor *w)
{
  int64_t e = v->kh * v->kw;
  Tensor *t = bytes_tensor(v->n, e * v->c);
  int8_t *to = (int8_t *)(uintptr_t)t->data;
  const int8_t *from = w->data;
  for (int64_t c = 0; c < v->c; c++)
    for (int64_t i = 0; i < e; i++)
      to[i * v->c + c] = from[c * e + i];
  return value_const(v->n->g, "w_depthwise", t);
}

static void put_requant(Step *s, const Node *n)
{
  step_int(s, "X_ZP", attr_int(n, "x_zp", 0));
  step_int(s, "Y_ZP", attr_int(n, "y_zp", 0));
  step_int(s, "LO", attr_int(n, "lo", 0));
  step_int(s, "HI", attr_int(n, "hi", 255));
}

/* The kernel by the type of the result; raw sums take no multipliers. */
static void put_result(Step *s, const Node *n, int64_t groups)
{
  Dtype t = n->out[0]->dtype;
  step_in(s, "b", pad_panels(n, n->in[2]->data, groups));
  if (t != DT_I32)
    step_in(s, "scale", pad_panels(n, n->in[3]->data, groups));
  step_text(s, "KERNEL", t == DT_U8 ? "o2c_conv_u8" :
            t == DT_I32 ? "o2c_conv_u8_i32" : "o2c_conv_u8_f32");
  step_int(s, "SCALED", t != DT_I32);
}

static void put_scratch(Step *s, int64_t ntap, int64_t kc)
{
  DimPool *d = &s->plan->m->dims;
  step_scratch(s, "pixels", DT_I16,
               dim_int(d, 12 * ntap * ((kc + 3) / 4)));
}

static void lower_panels(Conv *v)
{
  Step *s = v->s;
  int64_t group;
  bool rows = conv_row_taps(v);
  Value *w = pack_panels(v, v->n->in[1]->data, &group);
  step_in(s, "w", w);
  put_result(s, v->n, v->g.group);
  conv_put_image(v);
  conv_put_taps(v);
  put_requant(s, v->n);
  put_scratch(s, rows ? v->kh : v->kh * v->kw, rows ? v->kw * v->c : v->cg);
  step_int(s, "OC", v->og);
  step_int(s, "GROUPS", v->g.group);
  step_int(s, "CG", v->cg);
  step_int(s, "WG", group);
  step_int(s, "PANELS", (v->og + 15) / 16 * 16);
  s->kernel_note = "conv_u8, panel-16 weights";
  step_kernel(s, "conv_u8.h");
  int64_t ow = 1;
  bool one = v->g.group == 1;
  dim_is_int(v->ow, &ow);
  const Share h = {
    .pixels = dim_mul(v->d, v->oh, v->ow), .x_bytes = value_numel(v->n->in[0]),
    .columns = one ? v->oc : 1, .unit = ow,
    .k = v->kh * v->kw * v->cg * (one ? 1 : v->oc),
    .ticks = TICKS_MAC_U8, .w_size = 1
  };
  share_conv(v, &h);
  step_int(s, "W_COLUMN", group / ((v->og + 15) / 16 * 16));
}

/* Three lines of the padded image as 16-bit values, for Cortex-M. */
static void put_lines(Conv *v)
{
  bool three = v->kh == 3 && v->kw == 3;
  step_text(v->s, "LINES", three ? "lines" : "NULL");
  if (!three)
    return;
  const Dim *hp = dim_add(v->d, v->h, dim_add(v->d, v->top, v->bottom));
  const Dim *line = dim_add(v->d, dim_max(v->d, hp, v->wp), dim_int(v->d, 2));
  step_scratch(v->s, "lines", DT_I16, conv_times(v, line, 12));
}

static void lower_depthwise(Conv *v)
{
  Step *s = v->s;
  step_in(s, "w", pack_depthwise(v, v->n->in[1]->data));
  step_in(s, "b", pad_panels(v->n, v->n->in[2]->data, 1));
  step_in(s, "scale", pad_panels(v->n, v->n->in[3]->data, 1));
  conv_put_image(v);
  put_lines(v);
  put_requant(s, v->n);
  step_int(s, "KH", v->kh);
  step_int(s, "KW", v->kw);
  step_dim(s, "TAP_ROW", conv_times(v, v->wp, v->dh * v->xc));
  step_int(s, "TAP_PIX", v->dw * v->xc);
  share_rows(v, 2 * TICKS_MAC_U8);
  s->kernel_note = "dw_u8";
  step_kernel(s, "conv_u8.h");
  step_kernel(s, "dw_u8.h");
}

bool lower_conv_u8(Plan *p, Node *n)
{
  Conv v;
  if (!node_is_internal(n, "QConv") || !conv_shape(p, n, &v))
    return false;
  bool depthwise = v.g.group == v.c && v.oc == v.c && v.c > 1 &&
                   n->out[0]->dtype == DT_U8;
  conv_pad_first(&v, TICKS_MAC_U8);
  v.s = step_new(p, n, depthwise ? "DW_U8" : "CONV_U8");
  if (depthwise)
    lower_depthwise(&v);
  else
    lower_panels(&v);
  step_text(v.s, "STORAGE", v.s->symbols ? "" : "static ");
  return true;
}

bool lower_gemm_u8(Plan *p, Node *n)
{
  if (!node_is_internal(n, "QGemm"))
    return false;
  const Tensor *w = n->in[1]->data;
  int32_t columns = (int32_t)w->dim[0], k = (int32_t)w->dim[1];
  Tensor *t = bytes_tensor(n, (int64_t)o2c_pack_u8_size(columns, 1, k));
  o2c_pack_u8((int8_t *)(uintptr_t)t->data, w->data, columns, 1, k);
  Value *x = n->in[0];
  const Dim *rows = dim_prod(&p->m->dims, (const Dim *const *)x->dim,
                             x->rank - 1);
  Step *s = step_new(p, n, "GEMM_U8");
  step_in(s, "x", x);
  step_in(s, "w", value_const(n->g, "w_panels", t));
  put_result(s, n, 1);
  step_out(s, "y", n->out[0]);
  put_requant(s, n);
  put_scratch(s, 1, k);
  step_i32(s, "M", rows);
  step_int(s, "K", k);
  step_int(s, "N", columns);
  step_int(s, "X_PIX", stored_pixel(p, x));
  step_int(s, "Y_PIX", stored_pixel(p, n->out[0]));
  int64_t m;
  if (dim_is_int(rows, &m))
    s->macs = m * k * columns;
  const Share h = {
    .pixels = rows, .columns = columns, .k = k, .unit = 14,
    .x_bytes = dim_mul(&p->m->dims, rows, dim_int(&p->m->dims, k)),
    .ticks = TICKS_MAC_U8, .w_size = 1
  };
  share_product(s, &h);
  step_int(s, "W_COLUMN", t->n / ((columns + 15) / 16 * 16));
  s->kernel_note = "conv_u8 as a product, panel-16 weights";
  step_kernel(s, "conv_u8.h");
  return true;
}
