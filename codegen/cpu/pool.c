/* SPDX-License-Identifier: Apache-2.0 */
/* Pools of two spatial axes, channels last: f32 by pool_f32.h, bytes by
 * pool_u8.h (QAveragePool, and MaxPool of u8). A global pool is a window as
 * large as the image.
 */
#include "cpu.h"

#include <string.h>

static void put_window(Step *s, const Node *n, const ConvGeom *g, bool global)
{
  DimPool *d = &s->plan->m->dims;
  const Dim *one = dim_int(d, 1), *zero = dim_int(d, 0);
  static const char *const key[2][7] = {
    { "H", "OH", "KH", "SH", "DH", "TOP", "BOTTOM" },
    { "W", "OW", "KW", "SW", "DW", "LEFT", "RIGHT" },
  };
  for (int i = 0; i < 2; i++) {
    const Dim *in = n->in[0]->dim[i + 1];
    const Dim *v[7] = { in, one, in, one, one, zero, zero };
    if (!global) {
      v[1] = g->out[i];
      v[2] = dim_int(d, g->kernel[i]);
      v[3] = dim_int(d, g->stride[i]);
      v[4] = dim_int(d, g->dilation[i]);
      v[5] = g->begin[i];
      v[6] = g->end[i];
    }
    for (int k = 0; k < 7; k++)
      step_i32(s, key[i][k], v[k]);
  }
}

typedef struct {
  const char *macro, *kernel, *file;
  bool global;
} Pool;

static bool fits(const Node *n, const Pool *k)
{
  ConvGeom g;
  int64_t c;
  const Value *x = n->in[0];
  return x->rank == 4 && attr_int(n, "channels_last", 0) &&
         dim_is_int(x->dim[3], &c) && (k->global || pool_geometry(n, &g));
}

static void put_strides(Step *s, Value *x, Value *y)
{
  Plan *p = s->plan;
  step_text(s, "X", "%s", stored_pixels(s, "x", x));
  step_text(s, "Y", "%s", stored_pixels(s, "y", y));
  step_dim(s, "X_ROW", stored_row(p, x));
  step_dim(s, "Y_ROW", stored_row(p, y));
  step_int(s, "X_PIX", stored_pixel(p, x));
  step_int(s, "Y_PIX", stored_pixel(p, y));
  step_dim(s, "X_IMAGE", stored_image(p, x));
  step_dim(s, "Y_IMAGE", stored_image(p, y));
  halo_put_border(s, "y", y);
}

static void lower_pool(Plan *p, Node *n, const Pool *k)
{
  ConvGeom g;
  int64_t c = 0;
  Value *x = n->in[0], *y = n->out[0];
  if (!k->global)
    pool_geometry(n, &g);
  dim_is_int(x->dim[3], &c);
  Step *s = step_new(p, n, k->macro);
  step_in(s, "x", x);
  step_out(s, "y", y);
  put_window(s, n, &g, k->global);
  step_text(s, "KERNEL", "%s", k->kernel);
  step_int(s, "C", c);
  step_int(s, "COUNT_PAD", attr_int(n, "count_include_pad", 0));
  step_float(s, "SCALE", (double)attr_float(n, "scale", 1));
  step_int(s, "X_ZP", attr_int(n, "x_zp", 0));
  step_int(s, "Y_ZP", attr_int(n, "y_zp", 0));
  step_dim(s, "PIXELS", dim_mul(&p->m->dims, x->dim[1], x->dim[2]));
  step_dim(s, "IMAGES", x->dim[0]);
  step_int(s, "MANY", !dim_is(x->dim[0], 1));
  put_strides(s, x, y);
  step_text(s, "STORAGE", s->symbols ? "" : "static ");
  s->kernel_note = k->file;
  step_kernel(s, k->file);
  const Dim *line = dim_mul(&p->m->dims, y->dim[2], x->dim[3]);
  if (!strcmp(k->macro, "POOL_F32") && !k->global && dim_is(x->dim[0], 1))
    step_split(s, y->dim[1], 1, dim_mul(&p->m->dims, line,
               dim_int(&p->m->dims, TICKS_EW / 4 * g.kernel[0] *
                                    g.kernel[1])));
}

/* The kernel that fits the node; `average` is room for one. */
static const Pool *pool_of(const Node *n, Pool *average)
{
  static const struct { const char *op; Dtype t; Pool pool; } pools[] = {
    { "MaxPool", DT_U8, { "POOL_U8", "o2c_maxpool_u8", "pool_u8.h", false } },
    { "GlobalMaxPool", DT_U8,
      { "POOL_U8", "o2c_maxpool_u8", "pool_u8.h", true } },
    { "MaxPool", DT_F32,
      { "POOL_F32", "o2c_maxpool_f32", "pool_f32.h", false } },
    { "AveragePool", DT_F32,
      { "POOL_F32", "o2c_avgpool_f32", "pool_f32.h", false } },
    { "GlobalAveragePool", DT_F32,
      { "GLOBAL_F32", "o2c_gavg_f32", "pool_f32.h", true } },
    { "GlobalMaxPool", DT_F32,
      { "GLOBAL_F32", "o2c_gmax_f32", "pool_f32.h", true } },
  };
  if (node_is_internal(n, "QAveragePool")) {
    *average = (Pool){ "POOL_U8", "o2c_avgpool_u8", "pool_u8.h",
                       attr_int(n, "global", 0) != 0 };
    return fits(n, average) ? average : NULL;
  }
  for (int i = 0; i < COUNT(pools); i++)
    if (node_is(n, pools[i].op) && n->in[0]->dtype == pools[i].t &&
        !node_out(n, 1))
      return fits(n, &pools[i].pool) ? &pools[i].pool : NULL;
  return NULL;
}

bool pool_takes(Node *n)
{
  Pool room;
  return pool_of(n, &room) != NULL;
}

bool lower_pool_tuned(Plan *p, Node *n)
{
  Pool room;
  const Pool *k = pool_of(n, &room);
  if (k)
    lower_pool(p, n, k);
  return k != NULL;
}
