/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions. f32 with constant weights, channels last, goes to cuDNN, with
 * bias, residual and clamp. Where each channel is by itself, a thread has four
 * channels of a few neighbouring pixels; of a single pixel with few weights, a
 * warp has a filter. What is left (weights of the run,
 * channels first, f64) is a kernel with an output element a thread.
 */
#include "cuda.h"

#include <math.h>
#include <string.h>

enum { WIDE = 4, MOST_TAPS = 7 }; /* channels together; taps of a row */
enum { FEW_WEIGHTS = 1 << 17, WARP = 32 };

static bool is_conv(const Node *n)
{
  return node_is(n, "Conv") || node_is_internal(n, "FusedConv");
}

static bool channels_last(const Node *n)
{
  return attr_int(n, "channels_last", 0) != 0;
}

/* Conv-22, o2c.FusedConv-1; X [N, C, D..] or [N, D.., C], W [K, C/g, ..]. */
bool cuda_takes_conv(const Plan *p, const Node *n)
{
  static const Dtype types[] = { DT_F32, DT_F16, DT_BF16, DT_F64, DT_NONE };
  ConvGeom g;
  int64_t c, k;
  (void)p;
  return is_conv(n) && cuda_all_types(n, types) && conv_geometry(n, &g) &&
         cuda_window_fits(&g) && dim_is_int(g.channels, &c) &&
         dim_is_int(g.filters, &k) && c > 0 && k > 0;
}

/* W [k, c/g, area] as [k, area, c/g], elements of arg[2] bytes: a filter a
 * part. */
static void make_last(const Packing *p, int64_t part, void *to)
{
  int64_t c = p->arg[0], area = p->arg[1], size = p->arg[2];
  const char *from = (const char *)p->from->data + part * c * area * size;
  char *w = to;
  for (int64_t i = 0; i < area; i++)
    for (int64_t j = 0; j < c; j++)
      memcpy(w + (i * c + j) * size, from + (j * area + i) * size,
             (size_t)size);
}

/* W [k, c/g, area] as [c/g, area, k]: one of its rows a part. */
static void make_turned(const Packing *p, int64_t part, void *to)
{
  int64_t k = p->arg[0], row = p->arg[1], size = p->arg[2];
  const char *from = (const char *)p->from->data;
  char *w = to;
  for (int64_t i = 0; i < k; i++)
    memcpy(w + i * size, from + (i * row + part) * size, (size_t)size);
}

typedef struct {
  Plan *p;
  Node *n;
  Step *s;
  ConvGeom g;
  int64_t c, k, area;     /* channels, filters, taps of a filter */
  bool last;
} Conv;

static void put_operands(Conv *v, Value *w, Value *bias)
{
  Step *s = v->s;
  Node *n = v->n;
  step_in(s, "x", n->in[0]);
  step_in(s, "w", w);
  if (bias)
    step_in(s, "bias", bias);
  if (node_in(n, 3))
    step_in(s, "residual", n->in[3]);
  step_out(s, "y", n->out[0]);
  step_text(s, "BIAS", bias ? "bias" : "NULL");
  step_text(s, "RESIDUAL", node_in(n, 3) ? "residual" : "NULL");
  if (n->fused)
    ew_put_then(s, n->fused);
  else
    step_text(s, "THEN", "%s", "");
  step_float(s, "LO", (double)attr_float(n, "lo", -INFINITY));
  step_float(s, "HI", (double)attr_float(n, "hi", INFINITY));
  step_dim(s, "N", v->g.batch);
  step_int(s, "C", v->c);
  step_int(s, "K", v->k);
  step_int(s, "GROUPS", v->g.group);
  cuda_put_window(s, &v->g);
  int64_t out;
  const Dim *pixels = dim_prod(&v->p->m->dims, v->g.out, v->g.n);
  if (dim_is_int(pixels, &out))
    s->macs = out * v->k * (v->c / v->g.group) * v->area;
}

/* What cuDNN does with the sums: nothing, or a ReLU that may have an upper
 * bound; other clamps are a kernel that follows. */
static void put_clamp(Conv *v)
{
  double lo = (double)attr_float(v->n, "lo", -INFINITY);
  double hi = (double)attr_float(v->n, "hi", INFINITY);
  bool apart = lo != 0 && (lo > -INFINITY || hi < INFINITY);
  step_float(v->s, "RELU_LO", apart ? -INFINITY : lo);
  step_float(v->s, "RELU_HI", apart ? INFINITY : hi);
  step_text(v->s, "APART", apart ? "1" : "");
  if (!apart)
    return;
  const Dim *count = value_numel(v->n->out[0]);
  v->s->kernel_note = "cuDNN convolution, and a clamp";
  step_kernel(v->s, "ew_math.h");
  cuda_put_type(v->s, v->n->out[0]->dtype);
  cuda_put_dim(v->s, "COUNT", count);
  device_index(v->s, count);
}

static void make_zeros(const Packing *p, int64_t part, void *to)
{
  (void)part;
  memset(to, 0, (size_t)p->arg[0]);
}

/* The bias; zeros if there is none and a ReLU or a residual follows: cuDNN's
 * engines that do those have one, and others may be missing. */
static Value *bias_of(const Conv *v)
{
  Node *n = v->n;
  const Tensor *w = n->in[1]->data;
  Packing k = { .make = make_zeros, .from = w, .parts = 1,
                .arg = { v->k * dtype_info(w->dtype)->size } };
  if (node_in(n, 2))
    return n->in[2];
  if (!node_in(n, 3) && attr_float(n, "lo", -INFINITY) != 0)
    return NULL;
  return value_packed(n, "no_bias", w->dtype, v->k, k);
}

static void lower_library(Conv *v)
{
  const Tensor *w = v->n->in[1]->data;
  int64_t cg = v->c / v->g.group;
  Packing k = { .make = make_last, .from = w, .parts = v->k,
                .arg = { cg, v->area, dtype_info(w->dtype)->size } };
  v->s = device_step(v->p, v->n, "CUDA_CONV");
  v->s->kernel_note = "cuDNN convolution";
  put_operands(v, value_packed(v->n, "w_last", w->dtype, w->n, k),
               bias_of(v));
  step_text(v->s, "DTYPE", "%s", cuda_dtype(v->n->out[0]->dtype));
  step_int(v->s, "RANK", v->g.n);
  step_int(v->s, "FAST", math_is_fast(v->p));
  step_int(v->s, "PLAN", v->p->nlibrary++);
  v->p->uses_dnn = true;
  put_clamp(v);
}

static Value *turned_weights(const Conv *v)
{
  Value *w = v->n->in[1];
  int64_t row = v->c / v->g.group * v->area;
  Packing k = { .make = make_turned, .from = w->data, .parts = row,
                .arg = { v->k, row, dtype_info(w->dtype)->size } };
  return value_packed(v->n, "w_turned", w->dtype, w->data->n, k);
}

static bool is_depthwise(const Conv *v)
{
  int i = v->g.n - 1;
  return v->last && v->n->in[1]->data && v->g.group == v->c && v->k == v->c &&
         v->c % WIDE == 0 && v->g.n <= 2 && v->g.kernel[i] <= MOST_TAPS &&
         v->g.dilation[i] <= 2 && v->g.stride[i] <= 2;
}

static void lower_depthwise(Conv *v)
{
  int i = v->g.n - 1;
  DimPool *d = &v->p->m->dims;
  int64_t many = v->g.stride[i] == 1 ? 4 : 2; /* pixels of a thread */
  const Dim *count = value_numel(v->n->out[0]), *lines = v->g.batch;
  v->s = device_step(v->p, v->n, "CUDA_CONV_DEPTHWISE");
  v->s->kernel_note = "cuda depthwise";
  step_kernel(v->s, "ew_math.h");
  put_operands(v, turned_weights(v), node_in(v->n, 2));
  cuda_put_strides(v->s, &v->g);
  cuda_put_type(v->s, v->n->out[0]->dtype);
  if (i)
    lines = dim_mul(d, lines, v->g.out[0]);
  cuda_put_dim(v->s, "LINES", lines);
  step_int(v->s, "MANY", many);
  step_int(v->s, "REACH", (many - 1) * v->g.stride[i] + v->g.extent[i]);
  device_index(v->s, dim_max(d, count, value_numel(v->n->in[0])));
}

static void lower_direct(Conv *v)
{
  Value *w = v->n->in[1];
  int64_t row = v->c / v->g.group * v->area;
  bool turned = w->data != NULL && v->last;
  if (turned)
    w = turned_weights(v);
  v->s = device_step(v->p, v->n, "CUDA_CONV_DIRECT");
  v->s->kernel_note = "cuda convolution";
  step_kernel(v->s, "ew_math.h");
  put_operands(v, w, node_in(v->n, 2));
  cuda_put_strides(v->s, &v->g);
  cuda_put_type(v->s, v->n->out[0]->dtype);
  step_int(v->s, "V", 1);
  step_int(v->s, "W_K", turned ? 1 : row);
  step_int(v->s, "W_C", (turned ? v->k : 1) * v->area);
  step_int(v->s, "W_TAP", turned ? v->k : 1);
  const Dim *count = value_numel(v->n->out[0]);
  cuda_put_dim(v->s, "COUNT", count);
  device_index(v->s, dim_max(&v->p->m->dims, count,
                             value_numel(v->n->in[0])));
}

/* A product with a vector for each image, as blocks that squeeze and excite
 * channels have two: for so few weights the library's kernels take longer. */
static bool is_pixel(const Conv *v)
{
  bool is = v->g.group == 1 && v->c * v->k <= FEW_WEIGHTS;
  for (int i = 0; i < v->g.n; i++)
    is = is && v->g.kernel[i] == 1 && dim_is(v->g.in[i], 1) &&
         dim_is(v->g.out[i], 1);
  return is;
}

static void lower_pixel(Conv *v)
{
  const Dim *count = value_numel(v->n->out[0]);
  int64_t wide = 16 / dtype_info(v->n->out[0]->dtype)->size;
  while (v->c % wide || (wide > 1 && v->c / wide < WARP))
    wide /= 2;
  v->s = device_step(v->p, v->n, "CUDA_CONV_PIXEL");
  v->s->kernel_note = "cuda convolution, a pixel an image";
  step_kernel(v->s, "ew_math.h");
  step_kernel(v->s, "cuda/block.h");
  put_operands(v, v->n->in[1], node_in(v->n, 2));
  cuda_put_type(v->s, v->n->out[0]->dtype);
  step_int(v->s, "V", wide);
  cuda_put_dim(v->s, "COUNT", count);
  device_index(v->s, dim_max(&v->p->m->dims, count,
                             value_numel(v->n->in[0])));
}

static void read_conv(Plan *p, Node *n, Conv *v)
{
  *v = (Conv){ .p = p, .n = n, .last = channels_last(n), .area = 1 };
  conv_geometry(n, &v->g);
  dim_is_int(v->g.channels, &v->c);
  dim_is_int(v->g.filters, &v->k);
  for (int i = 0; i < v->g.n; i++)
    v->area *= v->g.kernel[i];
}

/* Elementwise nodes behind kernels of our own become part of them; halves that
 * the pass widen had in f32 are not rounded in between. */
void cuda_join(Plan *p)
{
  Conv v;
  for (Node *n = p->g->first; n; n = n->next) {
    if (!n->device || !is_conv(n) || !cuda_takes_conv(p, n))
      continue;
    Value *made = n->out[0];
    read_conv(p, n, &v);
    Node *next = value_only_user(made);
    if ((!is_pixel(&v) && !is_depthwise(&v)) || !next || !next->device ||
        made->dtype == DT_F64 ||
        (made->dtype != DT_F32 && made->dtype != n->half) ||
        !ew_follows(next, made))
      continue;
    Node *own = NEW(p->a, Node, 1);
    *own = *next;
    own->in = NEW(p->a, Value *, next->nin + 1);
    memcpy(own->in, next->in, sizeof *own->in * (size_t)next->nin);
    n->fused = own;
    Value *y = next->out[0];
    node_absorb(n, next);
    node_set_output(n, 0, y);
  }
}

void cuda_lower_conv(Plan *p, Node *n)
{
  Conv v;
  read_conv(p, n, &v);
  bool single = v.g.group == v.c && v.c > 1;
  bool wide = n->out[0]->dtype == DT_F64;
  if (is_pixel(&v))
    lower_pixel(&v);
  else if (is_depthwise(&v) && !wide)
    lower_depthwise(&v);
  else if (v.last && n->in[1]->data && !single && !wide)
    lower_library(&v);
  else
    lower_direct(&v);
}
