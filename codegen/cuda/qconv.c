/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions of bytes: sums of int32, exact, that become bytes, int32 or f32.
 *
 * Channels last, four channels of a tap are a word, and __dp4a multiplies
 * words: a block has 64 pixels and 64 filters. Its bytes are signed, so pixels
 * lose 128, which the bias takes back. Where each channel is by itself, and in
 * other layouts, a thread has an element of y or four channels.
 */
#include "cuda.h"

#include <string.h>

enum { TILE = 64, WIDE = 4 };

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

/* The words of a tap's four channels, of all filters of a group: part q of it.
 * W [k, cg, area]; arg: filters, channels, taps, filters with those added that
 * are not there. */
static void make_words(const Packing *p, int64_t part, void *to)
{
  int64_t kg = p->arg[0], cg = p->arg[1], area = p->arg[2], wide = p->arg[3];
  int64_t per = (cg + WIDE - 1) / WIDE, group = part / (per * area);
  int64_t tap = part / per % area, c = part % per * WIDE;
  const int8_t *from = (const int8_t *)p->from->data + group * kg * cg * area;
  int8_t *w = to;
  for (int64_t f = 0; f < wide; f++)
    for (int64_t i = 0; i < WIDE; i++)
      *w++ = f < kg && c + i < cg ? from[(f * cg + c + i) * area + tap] : 0;
}

/* W [k, cg * area] as [cg * area, k], a row a part. */
static void make_rows(const Packing *p, int64_t part, void *to)
{
  int64_t k = p->arg[0], row = p->arg[1];
  for (int64_t i = 0; i < k; i++)
    ((int8_t *)to)[i] = ((const int8_t *)p->from->data)[i * row + part];
}

/* The bias plus `times` the sum of each filter; sums wrap. */
static Value *bias_with(const QConv *v, int64_t times)
{
  const Tensor *w = v->n->in[1]->data, *b = v->n->in[2]->data;
  int64_t size = v->k, row = v->cg * v->area;
  Tensor *t = tensor_new(&v->n->g->m->arena, DT_I32, 1, &size);
  for (int64_t i = 0; i < size; i++) {
    int64_t sum = 0;
    for (int64_t j = 0; j < row; j++)
      sum += ((const int8_t *)w->data)[i * row + j];
    tensor_set_i64(t, i, (int32_t)(uint32_t)(tensor_i64(b, i) + times * sum));
  }
  return value_const(v->n->g, "bias", t);
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
  step_kernel(s, "u8.h");
}

static void lower_tiles(QConv *v)
{
  int64_t per = (v->cg + WIDE - 1) / WIDE;
  int64_t wide = (v->kg + TILE - 1) / TILE * TILE, quads = per * v->area;
  const Tensor *w = v->n->in[1]->data;
  Packing k = { .make = make_words, .from = w, .parts = quads * v->g.group,
                .arg = { v->kg, v->cg, v->area, wide } };
  put_step(v, "CUDA_QCONV", "cuda dp4a convolution");
  step_in(v->s, "x", v->n->in[0]);
  step_in(v->s, "w", value_packed(v->n, "w_words", DT_I8,
                                  k.parts * wide * WIDE, k));
  step_in(v->s, "bias", bias_with(v, 128));
  put_result(v);
  step_int(v->s, "PER", per);
  step_int(v->s, "QUADS", quads);
  step_int(v->s, "KP", wide);
  step_int(v->s, "TILES", wide / TILE * v->g.group);
  step_text(v->s, "WHOLE", v->cg % WIDE == 0 ? "1" : "");
  step_text(v->s, "FOURS", v->kg % WIDE == 0 ? "1" : "");
}

static void put_count(QConv *v, int wide)
{
  step_int(v->s, "V", wide);
  step_text(v->s, "COUNT", "(%s) / %d",
            step_dim_text(v->s, value_numel(v->n->out[0])), wide);
}

static void lower_direct(QConv *v)
{
  const Tensor *w = v->n->in[1]->data;
  int64_t row = v->cg * v->area;
  bool single = v->cg == 1 && v->kg == 1 && v->g.channels_last;
  Packing k = { .make = make_rows, .from = w, .parts = row,
                .arg = { v->k, row } };
  put_step(v, "CUDA_QCONV_DIRECT", "cuda byte convolution");
  step_in(v->s, "x", v->n->in[0]);
  step_in(v->s, "w", value_packed(v->n, "w_rows", DT_I8, row * v->k, k));
  step_in(v->s, "bias", bias_with(v, attr_int(v->n, "x_zp", 0)));
  put_result(v);
  put_count(v, single && v->k % WIDE == 0 ? WIDE : 1);
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

/* With numbers that only the run tells. */
static void lower_given(QConv *v)
{
  Node *n = v->n;
  bool linear = node_is(n, "QLinearConv");
  put_step(v, "CUDA_QCONV_GIVEN", "cuda byte convolution");
  Step *s = v->s;
  step_in(s, "x", n->in[0]);
  step_in(s, "w", n->in[linear ? 3 : 1]);
  put_number(s, "XZ", "xz", node_in(n, 2));
  put_number(s, "WZ", "wz", node_in(n, linear ? 5 : 3));
  if (linear) {
    put_number(s, "XS", "xs", n->in[1]);
    put_number(s, "WS", "ws", n->in[4]);
    put_number(s, "YS", "ys", n->in[6]);
    put_number(s, "YZ", "yz", node_in(n, 7));
    if (node_in(n, 8))
      step_in(s, "bias", n->in[8]);
    step_ref(s, "qlinear", n->out[0]->dtype);
  }
  step_out(s, "y", n->out[0]);
  step_text(s, "BIAS", linear && node_in(n, 8) ? "1" : "");
  step_text(s, "LINEAR", linear ? "1" : "");
  step_text(s, "TYPE", "%s", dtype_info(n->out[0]->dtype)->name);
  put_count(v, 1);
}

void cuda_lower_qconv(Plan *p, Node *n)
{
  QConv v = { .p = p };
  read_shape(n, &v);
  if (!is_internal(n))
    lower_given(&v);
  else if (v.g.channels_last && v.cg * v.kg > 1)
    lower_tiles(&v);
  else
    lower_direct(&v);
}
