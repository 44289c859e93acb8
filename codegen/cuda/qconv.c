/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions of bytes: sums of int32, exact, that become bytes, int32 or f32.
 *
 * Channels last, they are products by tiles, of pixels by filters, on tensor
 * cores: kernels/cuda/tile.h. Where each channel is by itself, and in other
 * layouts, a thread has an element of y or four channels.
 */
#include "cuda.h"

#include <string.h>

enum { WIDE = 4, DEEP = 64, NARROW = 32, MOST_TAPS = 7 };

typedef struct {
  Plan *p;
  Node *n;
  Step *s;
  ConvGeom g;
  int64_t c, k, cg, kg, area;   /* channels, filters; those of a group */
} QConv;

/* o2c.QGemm: each row an image of a pixel, W [columns, k]. */
static bool product_geometry(const Node *n, ConvGeom *g)
{
  DimPool *d = &n->g->m->dims;
  const Value *x = n->in[0];
  memset(g, 0, sizeof *g);
  g->n = 1;
  g->channels_last = true;
  g->group = g->kernel[0] = g->stride[0] = g->dilation[0] = g->extent[0] = 1;
  g->in[0] = g->out[0] = dim_int(d, 1);
  g->begin[0] = g->end[0] = dim_int(d, 0);
  g->batch = dim_prod(d, (const Dim *const *)x->dim, x->rank - 1);
  g->channels = x->dim[x->rank - 1];
  g->filters = n->in[1]->dim[0];
  return true;
}

static bool is_internal(const Node *n)
{
  return node_is_internal(n, "QConv") || node_is_internal(n, "QGemm");
}

static bool read_shape(Node *n, QConv *v)
{
  v->n = n;
  v->area = 1;
  if (!(node_is_internal(n, "QGemm") ? product_geometry(n, &v->g)
                                     : conv_geometry(n, &v->g)) ||
      !cuda_window_fits(&v->g) ||
      !dim_is_int(v->g.channels, &v->c) || !dim_is_int(v->g.filters, &v->k) ||
      v->c < 1 || v->k < 1)
    return false;
  v->cg = v->c / v->g.group;
  v->kg = v->k / v->g.group;
  for (int i = 0; i < v->g.n; i++)
    v->area *= v->g.kernel[i];
  return v->cg * v->area <= INT32_MAX / WIDE;
}

/* o2c.QConv-1, o2c.QGemm-1, ConvInteger-10, QLinearConv-10. */
bool cuda_takes_qconv(const Plan *p, const Node *n)
{
  QConv v = { .p = NULL };
  (void)p;
  return (is_internal(n) || node_is(n, "ConvInteger") ||
          node_is(n, "QLinearConv")) && read_shape((Node *)(uintptr_t)n, &v);
}

/* 64 bytes along k of all filters of a group: step `part` of it. Along k are
 * the taps, each of whole words of channels. W [k, cg, area]; arg: filters,
 * channels, taps, filters with those added that are not there. */
static void make_steps(const Packing *p, int64_t part, void *to)
{
  int64_t kg = p->arg[0], cg = p->arg[1], area = p->arg[2], wide = p->arg[3];
  int64_t tap = (cg + WIDE - 1) / WIDE * WIDE;
  int64_t steps = (tap * area + DEEP - 1) / DEEP, group = part / steps;
  const int8_t *from = (const int8_t *)p->from->data + group * kg * cg * area;
  int8_t *w = to;
  for (int64_t f = 0; f < wide; f++)
    for (int64_t i = part % steps * DEEP; i < (part % steps + 1) * DEEP; i++) {
      int64_t c = i % tap, t = i / tap;
      *w++ = f < kg && c < cg && t < area ? from[(f * cg + c) * area + t] : 0;
    }
}

/* W [k, cg * area] as [cg * area, k], a row a part. */
static void make_rows(const Packing *p, int64_t part, void *to)
{
  int64_t k = p->arg[0], row = p->arg[1];
  for (int64_t i = 0; i < k; i++)
    ((int8_t *)to)[i] = ((const int8_t *)p->from->data)[i * row + part];
}

/* Bytes of either sign, as numbers. */
static int64_t byte_at(const Tensor *t, int64_t i)
{
  return t->dtype == DT_I8 ? ((const int8_t *)t->data)[i]
                           : ((const uint8_t *)t->data)[i];
}

/* b (NULL: 0) plus `times` the sum of each filter; sums wrap. */
static Value *sums_of(const QConv *v, const Tensor *w, const Tensor *b,
                      int64_t times, const char *name)
{
  int64_t size = v->k, row = v->cg * v->area;
  Tensor *t = tensor_new(&v->n->g->m->arena, DT_I32, 1, &size);
  for (int64_t i = 0; i < size; i++) {
    int64_t sum = 0;
    for (int64_t j = 0; j < row && times; j++)
      sum += byte_at(w, i * row + j);
    sum = (b ? tensor_i64(b, i) : 0) + times * sum;
    tensor_set_i64(t, i, (int32_t)(uint32_t)sum);
  }
  return value_const(v->n->g, name, t);
}

static void put_step(QConv *v, const char *macro, const char *note)
{
  Step *s = v->s = device_step(v->p, v->n, macro);
  const Dim *count = value_numel(v->n->out[0]);
  int64_t pixels;
  s->kernel_note = note;
  cuda_put_window(s, &v->g);
  cuda_put_strides(s, &v->g);
  cuda_put_dim(s, "N", v->g.batch);
  step_int(s, "C", v->c);
  step_int(s, "K", v->k);
  step_int(s, "CG", v->cg);
  step_int(s, "KG", v->kg);
  step_int(s, "GROUPS", v->g.group);
  step_int(s, "AREA", v->area);
  device_index(s, dim_max(&v->p->m->dims, count, value_numel(v->n->in[0])));
  if (dim_is_int(dim_prod(&v->p->m->dims, v->g.out, v->g.n), &pixels))
    s->macs = pixels * v->k * v->cg * v->area;
}

/* What becomes of a sum. */
static void put_result(QConv *v)
{
  Step *s = v->s;
  Node *n = v->n;
  Dtype t = n->out[0]->dtype;
  if (t != DT_I32)
    step_in(s, "scale", n->in[3]);
  step_out(s, "y", n->out[0]);
  step_text(s, "TYPE", "%s", dtype_info(t)->name);
  step_text(s, "T", "%s", dtype_info(t)->c);
  step_int(s, "X_ZP", attr_int(n, "x_zp", 0));
  step_int(s, "Y_ZP", attr_int(n, "y_zp", 0));
  step_int(s, "LO", attr_int(n, "lo", 0));
  step_int(s, "HI", attr_int(n, "hi", 255));
  step_int(s, "LINEAR", 0);
  step_kernel(s, "u8.h");
}

/* Pixels of all images, or, where only the run tells, of `images` of them; 0:
 * not known. */
static int64_t pixels_of(const QConv *v, int64_t images)
{
  DimPool *d = &v->p->m->dims;
  const Dim *all = dim_mul(d, v->g.batch, dim_prod(d, v->g.out, v->g.n));
  int64_t n;
  if (v->p->block > 0)
    all = dim_subst(d, all, v->p->batch, dim_int(d, images));
  return dim_is_int(all, &n) ? n : 0;
}

/* The step of tiles, for weights w of the node. */
static void put_tiles(QConv *v, Value *w)
{
  int64_t cp = (v->cg + WIDE - 1) / WIDE * WIDE;
  int64_t kp = (v->kg + NARROW - 1) / NARROW * NARROW;
  Packing k = { .make = make_steps, .from = w->data,
                .parts = (cp * v->area + DEEP - 1) / DEEP * v->g.group,
                .arg = { v->kg, v->cg, v->area, kp } };
  Step *s = v->s;
  Value *x = v->n->in[0];
  step_in(s, "x", x);
  step_in(s, "w", !w->data ? w : value_packed(v->n, "w_steps", w->dtype,
                                              k.parts * kp * DEEP, k));
  step_kernel(s, "cuda/tile.h");
  step_text(s, "XT", "%s", dtype_info(x->dtype)->c);
  step_text(s, "WT", "%s", dtype_info(w->dtype)->c);
  step_text(s, "SIGNS", "%s, %s", x->dtype == DT_I8 ? "true" : "false",
            w->dtype == DT_I8 ? "true" : "false");
  step_text(s, "PACKED", w->data ? "1" : "");
  step_int(s, "CP", cp);
  step_int(s, "KP", kp);
  step_text(s, "WHOLE", v->cg % 16 == 0 ? "1" : "");
  step_text(s, "FOURS", v->cg % WIDE == 0 ? "1" : "");
  cuda_put_tiles(s, pixels_of(v, 1), pixels_of(v, v->p->block), v->kg,
                 v->g.group);
  bool bytes = dtype_info(v->n->out[0]->dtype)->size == 1;
  step_int(s, "WIDE", !bytes ? 0 : v->kg % 16 == 0 ? 16
                                 : v->kg % WIDE == 0 ? WIDE : 1);
}

static void lower_tiles(QConv *v)
{
  put_step(v, "CUDA_QCONV", "cuda tensor-core convolution");
  put_tiles(v, v->n->in[1]);
  step_in(v->s, "bias", v->n->in[2]);
  put_result(v);
  step_text(v->s, "FILL", "0x%xu", (unsigned)attr_int(v->n, "x_zp", 0) *
            0x1010101u);
  step_text(v->s, "SUMS", "false, false");
  step_text(v->s, "MORE", "(uint32_t)bias[k]");
  step_text(v->s, "ZERO", "0u");
  step_text(v->s, "X_ZERO", "0u");
  step_text(v->s, "SCALE", v->n->out[0]->dtype == DT_I32 ? "0" : "scale[k]");
}

static void put_count(QConv *v, int wide)
{
  step_int(v->s, "V", wide);
  step_text(v->s, "COUNT", "(%s) / %d",
            step_dim_text(v->s, value_numel(v->n->out[0])), wide);
}

/* Channels of a thread that has an element of each. */
static int wide_of(const QConv *v)
{
  bool single = v->cg == 1 && v->kg == 1 && v->g.channels_last;
  return single && v->k % WIDE == 0 ? WIDE : 1;
}

/* Neighbours of a line share what they read. */
static bool shares_line(const QConv *v)
{
  int i = v->g.n - 1;
  return wide_of(v) == WIDE && v->g.n <= 2 && v->g.kernel[i] <= MOST_TAPS &&
         v->g.dilation[i] <= 2 && v->g.stride[i] <= 2;
}

static void put_line(QConv *v)
{
  int i = v->g.n - 1;
  int64_t many = v->g.stride[i] == 1 ? 4 : 2; /* pixels of a thread */
  const Dim *lines = v->g.batch;
  if (i)
    lines = dim_mul(&v->p->m->dims, lines, v->g.out[0]);
  cuda_put_dim(v->s, "LINES", lines);
  step_int(v->s, "MANY", many);
  step_int(v->s, "REACH", (many - 1) * v->g.stride[i] + v->g.extent[i]);
}

static void lower_direct(QConv *v)
{
  const Tensor *w = v->n->in[1]->data;
  int64_t row = v->cg * v->area;
  bool line = shares_line(v);
  Packing k = { .make = make_rows, .from = w, .parts = row,
                .arg = { v->k, row } };
  put_step(v, line ? "CUDA_QCONV_DEPTHWISE" : "CUDA_QCONV_DIRECT",
           line ? "cuda byte depthwise" : "cuda byte convolution");
  step_in(v->s, "x", v->n->in[0]);
  step_in(v->s, "w", value_packed(v->n, "w_rows", DT_I8, row * v->k, k));
  step_in(v->s, "bias", sums_of(v, w, v->n->in[2]->data,
                                attr_int(v->n, "x_zp", 0), "bias"));
  put_result(v);
  if (line)
    put_line(v);
  else
    put_count(v, wide_of(v));
}

static bool is_many(const Value *v)
{
  return v && !dim_is(value_numel(v), 1);
}

/* C text of an operand's number for the element's filter. */
static void put_number(Step *s, const char *key, const char *name, Value *v)
{
  if (v)
    step_in(s, name, v);
  step_text(s, key, v ? "%s[%s]" : "0", name, is_many(v) ? "k" : "0");
}

/* A zero point, or NULL where it is known to be 0. */
static Value *zero_point(const Node *n, int i)
{
  Value *z = node_in(n, i);
  if (!z || !z->data)
    return z;
  for (int64_t k = 0; k < z->data->n; k++)
    if (byte_at(z->data, k))
      return z;
  return NULL;
}

/* Tiles with zero points that the run may give: they are taken from the raw
 * sums, by the sums of rows and of columns. */
static void put_given_tiles(QConv *v, Value *w, Value *xz, Value *wz)
{
  Step *s = v->s;
  bool sums = xz && w->data;
  put_tiles(v, w);
  if (sums)
    step_in(s, "w_sums", sums_of(v, w->data, NULL, 1, "w_sums"));
  step_text(s, "FILL", xz ? "(uint8_t)xz[0] * 0x1010101u" : "0u");
  step_text(s, "SUMS", "%s, %s", wz ? "true" : "false",
            xz && !sums ? "true" : "false");
  const char *zero = !wz ? "0u" : is_many(wz) ? "(uint32_t)wz[k]"
                                              : "(uint32_t)wz[0]";
  StrBuf b;
  sb_init(&b, v->p->a);
  if (sums)
    sb_puts(&b, "0u - (uint32_t)xz[0] * (uint32_t)w_sums[k]");
  else
    sb_puts(&b, "0u");
  if (xz && wz)
    sb_printf(&b, " +\n        %lldu * (uint32_t)xz[0] * %s",
              (long long)(v->cg * v->area), zero);
  if (node_is(v->n, "QLinearConv") && node_in(v->n, 8))
    sb_puts(&b, " + (uint32_t)bias[k]");
  step_text(s, "MORE", "%.*s", (int)b.n, b.s);
  sb_free(&b);
  step_text(s, "ZERO", "%s", zero);
  step_text(s, "X_ZERO", xz && !sums ? "(uint32_t)xz[0]" : "0u");
}

static void put_given_direct(QConv *v, Value *w, Value *xz, Value *wz)
{
  Step *s = v->s;
  step_in(s, "x", v->n->in[0]);
  step_in(s, "w", w);
  step_text(s, "XZ", xz ? "xz[0]" : "0");
  step_text(s, "WZ", !wz ? "0" : is_many(wz) ? "wz[k]" : "wz[0]");
  step_text(s, "BIAS", node_is(v->n, "QLinearConv") && node_in(v->n, 8) ? "1"
                                                                       : "");
  put_count(v, 1);
}

/* With numbers that only the run tells. */
static void lower_given(QConv *v, bool tiles)
{
  Node *n = v->n;
  bool linear = node_is(n, "QLinearConv");
  Value *xz = zero_point(n, 2), *wz = zero_point(n, linear ? 5 : 3);
  Dtype t = n->out[0]->dtype;
  put_step(v, tiles ? "CUDA_QCONV" : "CUDA_QCONV_GIVEN",
           tiles ? "cuda tensor-core convolution" : "cuda byte convolution");
  Step *s = v->s;
  if (xz)
    step_in(s, "xz", xz);
  if (wz)
    step_in(s, "wz", wz);
  (tiles ? put_given_tiles : put_given_direct)(v, n->in[linear ? 3 : 1], xz,
                                               wz);
  if (linear) {
    put_number(s, "XS", "xs", n->in[1]);
    put_number(s, "WS", "ws", n->in[4]);
    put_number(s, "YS", "ys", n->in[6]);
    put_number(s, "YZ", "yz", node_in(n, 7));
    if (node_in(n, 8))
      step_in(s, "bias", n->in[8]);
    step_ref(s, "qlinear", t);
  }
  if (linear)
    step_text(s, "SCALE", "%s * %s / %s", step_var(s, "XS"),
              step_var(s, "WS"), step_var(s, "YS"));
  else
    step_int(s, "SCALE", 0);
  step_out(s, "y", n->out[0]);
  step_text(s, "LINEAR", linear ? "1" : "");
  step_text(s, "TYPE", "%s", dtype_info(t)->name);
  step_text(s, "T", "%s", dtype_info(t)->c);
}

void cuda_lower_qconv(Plan *p, Node *n)
{
  QConv v = { .p = p };
  read_shape(n, &v);
  bool tiles = v.g.channels_last && v.cg * v.kg > 1;
  if (!is_internal(n))
    lower_given(&v, tiles);
  else if (tiles)
    lower_tiles(&v);
  else
    lower_direct(&v);
}
