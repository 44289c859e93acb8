/* SPDX-License-Identifier: Apache-2.0 */
/* Resize: where an element of y lies in x, and the weights of its neighbours
 * there, are computed by its thread, axis after axis, as the reference kernels
 * do. Nearest moves words of any type.
 */
#include "cuda.h"

#include <string.h>
#include "../../runtime_min/kernels/ref/resize_at.h"

enum { MOST = 5 };                /* axes that are resized together */

typedef struct {
  Step *s;
  Node *n;
  ResizePlan r;
  int move[MAX_RANK], nmove;      /* axes that change, in the order of lists */
  bool known;                     /* all numbers are */
  StrBuf b;
} Resize;

static bool is_number(Dtype t)
{
  return cuda_float_type(t) || t == DT_I8 || t == DT_U8 || t == DT_I16 ||
         t == DT_U16 || t == DT_I32 || t == DT_U32 || t == DT_I64 ||
         t == DT_U64;
}

static bool sizes_known(const Node *n, const ResizePlan *r)
{
  const Value *scales = node_in(n, 2), *roi = node_in(n, 1);
  int count;
  if (r->policy || (roi && !roi->data) || (scales && !scales->data))
    return false;
  return scales || value_content(node_in(n, 3), &count);
}

static void read_plan(Node *n, Resize *v)
{
  v->n = n;
  resize_plan(n, &v->r);
  v->nmove = 0;
  v->known = sizes_known(n, &v->r);
  for (int k = 0; k < v->r.naxis; k++)
    if (v->r.moves[v->r.axis[k]])
      v->move[v->nmove++] = k;
}

/* Resize-19, if the shape of y is known before the run; what scales, sizes and
 * regions the run gives is read, and checked, by a kernel before. */
bool cuda_takes_resize(const Plan *p, const Node *node)
{
  Resize v;
  Node *n = (Node *)(uintptr_t)node;
  (void)p;
  if (!node_is(n, "Resize") || n->nsize ||
      dim_is(value_numel(n->out[0]), 0))
    return false;
  Dtype t = n->in[0]->dtype;
  read_plan(n, &v);
  if (v.nmove < 1 || v.nmove > MOST || (node_in(n, 1) &&
                                        !cuda_float_type(n->in[1]->dtype)))
    return false;
  bool any = v.r.mode == 0 && v.r.coord != O2C_RS_CROP;
  return any ? t != DT_STR : is_number(t);
}

static const char *number(Step *s, double v)
{
  StrBuf b;
  sb_init(&b, s->plan->a);
  sb_float(&b, v, true);
  const char *text = arena_strn(s->plan->a, b.s, b.n);
  sb_free(&b);
  return text;
}

/* C text that makes the four floats of resize_at.h for entry k of the lists. */
static const char *how_text(const Resize *v, int k)
{
  Step *s = v->s;
  Arena *a = s->plan->a;
  const Value *scales = node_in(v->n, 2), *roi = node_in(v->n, 1);
  int axis = v->r.axis[k];
  const char *in = step_dim_text(s, v->n->in[0]->dim[axis]);
  const char *out = step_dim_text(s, v->n->out[0]->dim[axis]);
  bool region = roi && v->known;
  const char *from = region ? number(s, tensor_f64(roi->data, k)) : "0.0f";
  const char *to = region ? number(s, tensor_f64(roi->data, v->r.naxis + k))
                          : "1.0f";
  if (!v->known)
    return arena_printf(a, "how[%d], how[%d], how[%d], how[%d]", 4 * k,
                        4 * k + 1, 4 * k + 2, 4 * k + 3);
  if (!scales)
    return arena_printf(a, "(float)(%s) / (float)(%s), (float)(%s), %s, %s",
                        out, in, out, from, to);
  const char *scale = number(s, tensor_f64(scales->data, k));
  return arena_printf(a, "%s, %s * (float)(%s), %s, %s", scale, scale, in,
                      from, to);
}

/* The number of axis `axis` among those that move, or -1. */
static int moving(const Resize *v, int axis)
{
  for (int i = 0; i < v->nmove; i++)
    if (v->r.axis[v->move[i]] == axis)
      return i;
  return -1;
}

/* Where element e lies: axes that move; the rest adds to `base`. Elements of an
 * innermost axis that stays are moved `pack` at a time. */
static void put_place(Resize *v, int64_t pack)
{
  const Value *x = v->n->in[0], *y = v->n->out[0];
  DimPool *d = &v->s->plan->m->dims;
  const Dim *step = dim_int(d, 1), *run = step;
  for (int i = x->rank; i >= 0; i--) {
    int m = i > 0 ? moving(v, i - 1) : -1;
    if (i > 0 && m < 0) {
      int64_t c = 0;
      const Dim *n = x->dim[i - 1];
      if (i == x->rank && pack > 1 && dim_is_int(n, &c))
        n = dim_int(d, c / pack);
      run = dim_mul(d, run, n);
      continue;
    }
    if (!dim_is(run, 1))
      sb_printf(&v->b, "G_CUDA_RESIZE_KEPT(<%%%s%%>, <%%%s%%>)m4_dnl\n",
                step_dim_text(v->s, run), step_dim_text(v->s, step));
    step = dim_mul(d, step, run);
    run = dim_int(d, 1);
    if (i == 0)
      break;
    sb_printf(&v->b, "G_CUDA_RESIZE_AXIS(%d, <%%%s%%>, <%%%s%%>, <%%%s%%>, "
              "<%%%s%%>)m4_dnl\n", m, step_dim_text(v->s, x->dim[i - 1]),
              step_dim_text(v->s, y->dim[i - 1]), step_dim_text(v->s, step),
              how_text(v, v->move[m]));
    step = dim_mul(d, step, x->dim[i - 1]);
  }
}

/* C text of the place in x. */
static const char *place_text(const Resize *v)
{
  const char *at = "base";
  for (int i = 0; i < v->nmove; i++)
    at = arena_printf(v->s->plan->a, "%s + at%d * step%d", at, i, i);
  return at;
}

/* Sizes may ask for pixels of an image that has none. */
static void put_empty(Resize *v)
{
  const char *text = "";
  int64_t size;
  for (int i = 0; i < v->nmove; i++) {
    int axis = v->r.axis[v->move[i]];
    const Dim *in = v->n->in[0]->dim[axis];
    if (!dim_is_int(in, &size))
      text = arena_printf(v->s->plan->a, "%s%s(%s) == 0", text,
                          *text ? " || " : "", step_dim_text(v->s, in));
  }
  step_text(v->s, "EMPTY", "%s", text);
}

/* A kernel of one thread fills `how`. */
static void put_given(Resize *v)
{
  static const char *const name[] = { "", "roi", "scales", "sizes" };
  static const char *const key[] = { "", "ROI", "SCALES", "SIZES" };
  Step *s = v->s;
  const Value *roi = node_in(v->n, 1);
  Dtype t = roi ? roi->dtype : DT_F32;
  const char *in = "", *out = "";
  step_text(s, "GIVEN", v->known ? "" : "1");
  if (v->known)
    return;
  for (int i = 1; i < 4; i++) {
    if (node_in(v->n, i))
      step_in(s, name[i], v->n->in[i]);
    step_text(s, key[i], "%s", node_in(v->n, i) ? name[i] : "NULL");
  }
  for (int k = 0; k < v->r.naxis; k++) {
    int axis = v->r.axis[k];
    in = arena_printf(s->plan->a, "%s%s%s", in, k ? ", " : "",
                      step_dim_text(s, v->n->in[0]->dim[axis]));
    out = arena_printf(s->plan->a, "%s%s%s", out, k ? ", " : "",
                       step_dim_text(s, v->n->out[0]->dim[axis]));
  }
  step_text(s, "BEFORE", "{ %s }", in);
  step_text(s, "AFTER", "{ %s }", out);
  step_int(s, "POLICY", v->r.policy);
  step_int(s, "NAXIS", v->r.naxis);
  step_text(s, "ROI_TYPE", "%s", dtype_info(t)->name);
  step_ref(s, "resize", t);
}

static void put_type(Resize *v)
{
  Step *s = v->s;
  Dtype t = v->n->in[0]->dtype;
  bool crop = v->r.coord == O2C_RS_CROP, real = cuda_float_type(t);
  if (v->r.mode == 0 && !crop)
    return;
  step_ref(s, "resize", t);
  if (real) {
    cuda_put_type(s, t);
  } else {
    step_text(s, "T", "%s", dtype_info(t)->c);
    step_text(s, "A", "double");
    step_text(s, "LOAD", "(double)");
    step_text(s, "STORE", "o2c_ref_resize_value_%s", dtype_info(t)->name);
  }
  step_text(s, "FILL", "o2c_ref_resize_value_%s(%s)", dtype_info(t)->name,
            number(s, v->r.outside));
}

static void put_modes(Resize *v)
{
  Step *s = v->s;
  step_int(s, "COORD", v->r.coord);
  step_int(s, "NEAREST", v->r.nearest);
  step_int(s, "CUBIC", v->r.mode == 2);
  step_int(s, "ANTIALIAS", v->r.antialias);
  step_int(s, "EXCLUDE", v->r.exclude);
  step_int(s, "CROP", v->r.coord == O2C_RS_CROP);
  step_float(s, "COEFF", v->r.a);
}

static void put_nearest(Resize *v)
{
  Step *s = v->s;
  const Value *x = v->n->in[0], *y = v->n->out[0];
  int64_t size = dtype_info(x->dtype)->size, last = x->rank - 1, c, pack = 1;
  bool crop = v->r.coord == O2C_RS_CROP;
  /* Innermost elements that stay are moved by words of up to 16 bytes. */
  while (!crop && moving(v, (int)last) < 0 && dim_is_int(x->dim[last], &c) &&
         pack * size < 16 && c % (2 * pack) == 0)
    pack *= 2;
  if (!crop)
    step_text(s, "T", "%s", cuda_word((int)(pack * size)));
  put_place(v, pack);
  for (int i = 0; i < v->nmove; i++)
    sb_printf(&v->b, "G_CUDA_RESIZE_NEAR(%d)m4_dnl\n", i);
  sb_printf(&v->b, "G_CUDA_RESIZE_MOVE(<%%%s%%>)m4_dnl\n", place_text(v));
  step_text(s, "COUNT", "(%s) / %lld", step_dim_text(s, value_numel(y)),
            (long long)pack);
}

static void put_weighted(Resize *v)
{
  put_place(v, 1);
  for (int i = 0; i < v->nmove; i++)
    sb_printf(&v->b, "G_CUDA_RESIZE_SPAN(%d)m4_dnl\n", i);
  for (int i = v->nmove - 1; i >= 0; i--)
    sb_printf(&v->b, "G_CUDA_RESIZE_OPEN(%d, %d)m4_dnl\n", i, i + 1);
  sb_printf(&v->b, "G_CUDA_RESIZE_LOAD(<%%%s%%>)m4_dnl\n", place_text(v));
  for (int i = 0; i < v->nmove; i++)
    sb_printf(&v->b, "G_CUDA_RESIZE_CLOSE(%d, %d)m4_dnl\n", i, i + 1);
  sb_printf(&v->b, "G_CUDA_RESIZE_STORE(<%%v%d%%>)m4_dnl\n", v->nmove);
  step_dim(v->s, "COUNT", value_numel(v->n->out[0]));
}

void cuda_lower_resize(Plan *p, Node *n)
{
  Resize v;
  read_plan(n, &v);
  Step *s = v.s = device_step(p, n, "CUDA_RESIZE");
  sb_init(&v.b, p->a);
  step_in(s, "x", n->in[0]);
  put_given(&v);
  step_out(s, "y", n->out[0]);
  if (!v.known)
    step_scratch(s, "how", DT_F32, dim_int(&p->m->dims, 4 * v.r.naxis));
  put_type(&v);
  put_modes(&v);
  put_empty(&v);
  if (v.r.mode == 0)
    put_nearest(&v);
  else
    put_weighted(&v);
  step_text(s, "BODY", "%.*s", (int)v.b.n, v.b.s);
  device_index(s, dim_max(&p->m->dims, value_numel(n->out[0]),
                          value_numel(n->in[0])));
  step_kernel(s, "cuda/resize_span.h");
  s->kernel_note = "cuda resize";
  sb_free(&v.b);
}
