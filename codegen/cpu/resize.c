/* SPDX-License-Identifier: Apache-2.0 */
/* Resize along one axis or two neighbouring ones, nearest (of any fixed-size
 * type) or linear (f32), by resize.h. What is cubic, smoothed, cropped, or of
 * sizes that only the data tells goes to the reference kernels. */
#include "cpu.h"
#include "../../runtime_min/kernels/ref/resize_at.h"

/* x as [images][h][w][c]. */
typedef struct {
  int rows, cols;              /* the axes; -1: there is none */
  const Dim *images, *c;
} View;

static bool view_of(const Node *n, const ResizePlan *r, View *v)
{
  const Value *x = n->in[0];
  DimPool *d = &n->g->m->dims;
  int first = -1, last = -1;
  for (int i = 0; i < x->rank; i++)
    if (r->moves[i]) {
      first = first < 0 ? i : first;
      last = i;
    }
  if (first < 0 || last > first + 1)
    return false;
  /* A single axis is rows of one pixel each, or, where its elements are next
   * to each other, the columns. */
  bool innermost = first == last && last == x->rank - 1;
  v->rows = innermost ? -1 : first;
  v->cols = innermost || last > first ? last : -1;
  v->images = dim_prod(d, x->dim, first);
  v->c = dim_prod(d, x->dim + last + 1, x->rank - last - 1);
  return true;
}

/* The number of axis `axis` in the node's lists. */
static int listed(const ResizePlan *r, int axis)
{
  int k = 0;
  while (r->axis[k] != axis)
    k++;
  return k;
}

/* C text of an axis' scale and length, and two numbers that are not used. */
static const char *how_text(Step *s, const Node *n, const ResizePlan *r,
                            int axis)
{
  const Value *scales = node_in(n, 2);
  if (axis < 0)
    return "1.0f, 1.0f, 0, 1";
  const char *in = step_dim_text(s, n->in[0]->dim[axis]);
  const char *out = step_dim_text(s, n->out[0]->dim[axis]);
  if (!scales)
    return arena_printf(s->plan->a, "(float)(%s) / (float)(%s), (float)(%s), "
                        "0, 1", out, in, out);
  StrBuf b;
  sb_init(&b, s->plan->a);
  sb_float(&b, tensor_f64(scales->data, listed(r, axis)), true);
  const char *text = arena_printf(s->plan->a, "%.*s, %.*s * (float)(%s), 0, 1",
                                  (int)b.n, b.s, (int)b.n, b.s, in);
  sb_free(&b);
  return text;
}

/* Sizes may ask for pixels of an image that has none. */
static void put_empty(Step *s, const Node *n, const View *v)
{
  const char *text = "0";
  for (int k = 0; k < 2; k++) {
    int axis = k ? v->cols : v->rows;
    int64_t size;
    if (axis < 0 || node_in(n, 2) || dim_is_int(n->in[0]->dim[axis], &size))
      continue;
    const char *one = arena_printf(
      s->plan->a, "(%s) == 0 && (%s) > 0",
      step_dim_text(s, n->in[0]->dim[axis]),
      step_dim_text(s, n->out[0]->dim[axis]));
    text = text[0] == '0' ? one
                          : arena_printf(s->plan->a, "(%s) || (%s)", text, one);
    s->status = true;
  }
  step_text(s, "EMPTY", "%s", text);
}

static void put_shape(Step *s, const Node *n, const View *v, const Dim *c)
{
  const Value *x = n->in[0], *y = n->out[0];
  const Dim *one = dim_int(&s->plan->m->dims, 1);
  step_dim(s, "IMAGES", v->images);
  step_dim(s, "H", v->rows < 0 ? one : x->dim[v->rows]);
  step_dim(s, "OH", v->rows < 0 ? one : y->dim[v->rows]);
  step_dim(s, "W", v->cols < 0 ? one : x->dim[v->cols]);
  step_dim(s, "OW", v->cols < 0 ? one : y->dim[v->cols]);
  step_dim(s, "C", c);
}

static void put_scratch(Step *s, const Node *n, const View *v, bool linear)
{
  const Value *x = n->in[0], *y = n->out[0];
  DimPool *d = &s->plan->m->dims;
  const Dim *one = dim_int(d, 1);
  const Dim *sum = dim_add(d, v->rows < 0 ? one : y->dim[v->rows],
                           v->cols < 0 ? one : y->dim[v->cols]);
  const Dim *row = dim_mul(d, v->c, v->cols < 0 ? one : x->dim[v->cols]);
  step_scratch(s, "at", DT_I32, dim_mul(d, sum, dim_int(d, 2)));
  if (linear)
    step_scratch(s, "room", DT_F32, dim_add(d, sum, row));
}

bool lower_resize(Plan *p, Node *n)
{
  ResizePlan r;
  View v;
  if (!node_is(n, "Resize") || n->nsize)
    return false;
  const Value *scales = node_in(n, 2), *sizes = node_in(n, 3);
  Value *x = n->in[0];
  DtypeClass cls = dtype_info(x->dtype)->cls;
  resize_plan(n, &r);
  int count;
  if ((scales ? !scales->data : r.policy || !value_content(sizes, &count)) ||
      r.coord == O2C_RS_CROP || r.mode > 1 || r.antialias || cls == DC_STR ||
      (r.mode == 1 && x->dtype != DT_F32) || !view_of(n, &r, &v))
    return false;
  DimPool *d = &p->m->dims;
  Step *s = step_new(p, n, "RESIZE");
  step_in(s, "x", x);
  step_out(s, "y", n->out[0]);
  put_scratch(s, n, &v, r.mode == 1);
  put_shape(s, n, &v, r.mode ? v.c
                             : dim_mul(d, v.c, dim_int(d, dtype_info(
                                                 x->dtype)->size)));
  step_text(s, "HOW", "%s,\n    %s", how_text(s, n, &r, v.rows),
            how_text(s, n, &r, v.cols));
  put_empty(s, n, &v);
  step_int(s, "COORD", r.coord);
  step_int(s, "NEAREST", r.nearest);
  step_int(s, "LINEAR", r.mode);
  s->kernel_note = r.mode ? "resize linear" : "resize nearest";
  step_kernel(s, "resize.h");
  return true;
}
