/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that look between pixels: GridSample, AffineGrid, RoiAlign,
 * MaxRoiPool and DeformConv. Positions and weights are those of
 * kernels/ref/sample.h, whose functions the kernels call. */
#include "cuda.h"

#include <string.h>

enum { GRID_AXES = 5, CHUNK = 8 }; /* O2C_GRID_AXES; channels of a thread */

static int word_at(const Node *n, const char *attr, const char *const *word)
{
  const char *s = attr_str(n, attr, word[0]);
  int i = 0;
  while (strcmp(s, word[i]) != 0)
    i++;
  return i;
}

static bool some(const Node *n)
{
  return n->out[0] && !dim_is(value_numel(n->out[0]), 0);
}

static bool is_number(Dtype t)
{
  return cuda_float_type(t) || t == DT_I8 || t == DT_U8 || t == DT_I16 ||
         t == DT_U16 || t == DT_I32 || t == DT_U32 || t == DT_I64 ||
         t == DT_U64;
}

/* G_<key>: "{ 3, 4 }". */
static void put_list(Step *s, const char *key, const Dim *const *dim, int n)
{
  const char *text = "";
  for (int i = 0; i < n; i++)
    text = arena_printf(s->plan->a, "%s%s%s", text, i ? ", " : "",
                        step_dim_text(s, dim[i]));
  step_text(s, key, "{ %s }", text);
}

static void put_ints(Step *s, const char *key, const int64_t *v, int n)
{
  const char *text = "";
  for (int i = 0; i < n; i++)
    text = arena_printf(s->plan->a, "%s%s%lld", text, i ? ", " : "",
                        (long long)v[i]);
  step_text(s, key, "{ %s }", text);
}

static Step *sample_step(Plan *p, Node *n, const char *macro, const char *note)
{
  Value *y = n->out[0];
  Step *s = device_step(p, n, macro);
  step_ref(s, "sample", y->dtype);
  if (cuda_float_type(y->dtype))
    cuda_put_type(s, y->dtype);
  else
    step_text(s, "T", "%s", dtype_info(y->dtype)->c);
  step_text(s, "TYPE", "%s", dtype_info(y->dtype)->name);
  cuda_put_dim(s, "COUNT", value_numel(y));
  step_text(s, "INDEX", "int64_t");
  s->kernel_note = note;
  return s;
}

static const char *const grid_modes[] = { "linear", "nearest", "cubic" };
static const char *const grid_pads[] = { "zeros", "border", "reflection" };

/* GridSample-22; the grid is f32 or f64. */
bool cuda_takes_grid(const Plan *p, const Node *n)
{
  (void)p;
  if (!node_is(n, "GridSample") || !some(n) || !is_number(n->in[0]->dtype))
    return false;
  Dtype g = n->in[1]->dtype;
  return (g == DT_F32 || g == DT_F64) && n->in[0]->rank - 2 <= GRID_AXES;
}

void cuda_lower_grid(Plan *p, Node *n)
{
  Value *x = n->in[0], *grid = n->in[1], *y = n->out[0];
  DimPool *d = &p->m->dims;
  int axes = x->rank - 2, mode = word_at(n, "mode", grid_modes);
  bool wide = grid->dtype == DT_F64;
  Step *s = sample_step(p, n, "CUDA_GRID_SAMPLE", "cuda grid sample");
  step_in(s, "x", x);
  step_in(s, "grid", grid);
  step_out(s, "y", y);
  step_text(s, "NARROW", wide ? "NULL" : "grid");
  step_text(s, "WIDE", wide ? "grid" : "NULL");
  step_int(s, "AXES", axes);
  step_int(s, "CHUNK", CHUNK);
  cuda_put_dim(s, "N", x->dim[0]);
  cuda_put_dim(s, "C", x->dim[1]);
  cuda_put_dim(s, "NI", dim_prod(d, x->dim + 2, axes));
  cuda_put_dim(s, "NO", dim_prod(d, y->dim + 2, axes));
  put_list(s, "IN", x->dim + 2, axes);
  step_int(s, "NEAREST", mode == 1);
  step_int(s, "CUBIC", mode == 2);
  step_int(s, "TAPS", mode == 2 ? 4 : mode == 1 ? 1 : 2);
  step_int(s, "PAD", word_at(n, "padding_mode", grid_pads));
  step_int(s, "CORNERS", attr_int(n, "align_corners", 0) != 0);
}

/* AffineGrid-20. */
bool cuda_takes_affine(const Plan *p, const Node *n)
{
  (void)p;
  return node_is(n, "AffineGrid") && some(n) &&
         cuda_float_type(n->out[0]->dtype);
}

void cuda_lower_affine(Plan *p, Node *n)
{
  Value *y = n->out[0];
  int axes = y->rank - 2;
  Step *s = sample_step(p, n, "CUDA_AFFINE", "cuda affine grid");
  step_in(s, "theta", n->in[0]);
  step_out(s, "y", y);
  step_int(s, "AXES", axes);
  cuda_put_dim(s, "NO", dim_prod(&p->m->dims, y->dim + 1, axes));
  put_list(s, "OUT", y->dim + 1, axes);
  step_int(s, "CORNERS", attr_int(n, "align_corners", 0) != 0);
}

/* RoiAlign-22, MaxRoiPool-22. */
bool cuda_takes_roi(const Plan *p, const Node *n)
{
  (void)p;
  return (node_is(n, "RoiAlign") || node_is(n, "MaxRoiPool")) && some(n) &&
         cuda_float_type(n->out[0]->dtype);
}

void cuda_lower_roi(Plan *p, Node *n)
{
  static const char *const modes[] = { "avg", "max" };
  static const char *const coords[] = { "half_pixel", "output_half_pixel" };
  Value *x = n->in[0], *y = n->out[0];
  bool pool = node_is(n, "MaxRoiPool");
  Step *s = sample_step(p, n, pool ? "CUDA_ROI_POOL" : "CUDA_ROI_ALIGN",
                        "cuda regions");
  step_in(s, "x", x);
  step_in(s, "rois", n->in[1]);
  if (!pool) {
    step_in(s, "batch", n->in[2]);
    step_int(s, "MAX", word_at(n, "mode", modes));
    step_int(s, "HALF", word_at(n, "coordinate_transformation_mode",
                                coords) == 0);
    step_int(s, "RATIO", attr_int(n, "sampling_ratio", 0));
  }
  step_out(s, "y", y);
  cuda_put_dim(s, "N", x->dim[0]);
  cuda_put_dim(s, "C", x->dim[1]);
  put_list(s, "IN", x->dim + 2, 2);
  put_list(s, "OUT", y->dim + 2, 2);
  step_float(s, "SCALE", (double)attr_float(n, "spatial_scale", 1));
}

/* DeformConv-22. */
bool cuda_takes_deform(const Plan *p, const Node *n)
{
  ConvGeom g;
  (void)p;
  return node_is(n, "DeformConv") && some(n) &&
         cuda_float_type(n->out[0]->dtype) && conv_geometry(n, &g) &&
         g.n <= GRID_AXES;
}

void cuda_lower_deform(Plan *p, Node *n)
{
  ConvGeom g;
  DimPool *d = &p->m->dims;
  int64_t taps = 1;
  conv_geometry(n, &g);
  for (int i = 0; i < g.n; i++)
    taps *= g.kernel[i];
  Step *s = sample_step(p, n, "CUDA_DEFORM", "cuda deformed convolution");
  step_in(s, "x", n->in[0]);
  step_in(s, "w", n->in[1]);
  step_in(s, "offset", n->in[2]);
  if (node_in(n, 3))
    step_in(s, "bias", n->in[3]);
  if (node_in(n, 4))
    step_in(s, "mask", n->in[4]);
  step_out(s, "y", n->out[0]);
  step_text(s, "BIAS", node_in(n, 3) ? "1" : "");
  step_text(s, "MASK", node_in(n, 4) ? "1" : "");
  step_int(s, "AXES", g.n);
  step_int(s, "TAPS", taps);
  step_int(s, "GROUP", g.group);
  step_int(s, "SETS", attr_int(n, "offset_group", 1));
  cuda_put_dim(s, "C", g.channels);
  cuda_put_dim(s, "M", g.filters);
  cuda_put_dim(s, "NI", dim_prod(d, g.in, g.n));
  cuda_put_dim(s, "NO", dim_prod(d, g.out, g.n));
  put_list(s, "IN", g.in, g.n);
  put_list(s, "OUT", g.out, g.n);
  put_list(s, "BEGIN", g.begin, g.n);
  put_ints(s, "KERNEL", g.kernel, g.n);
  put_ints(s, "STRIDE", g.stride, g.n);
  put_ints(s, "DILATION", g.dilation, g.n);
}
