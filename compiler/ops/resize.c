/* SPDX-License-Identifier: Apache-2.0 */
/* Resize, and Upsample, which becomes Resize. The sizes of the output come
 * from constant scales, or from sizes that are constants or expressions of the
 * input's dimensions; else a kernel finds them at run time. Axes are resized
 * one after the other; those that stay as they are cost nothing. */
#include <math.h>
#include <string.h>
#include "../ir.h"
#include "../../runtime_min/kernels/ref/resize_at.h"

enum { IN_ROI = 1, IN_SCALES, IN_SIZES };

/* A word of an attribute as its number in a list, or -1. */
static int word_of(const Node *n, const char *attr, const char *const *word)
{
  const char *s = attr_str(n, attr, word[0]);
  for (int i = 0; word[i]; i++)
    if (!strcmp(s, word[i])) return i;
  return -1;
}

/* In the order of the kernels' enums. */
static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
static const char *const coords[] = {
  "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
  "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize", NULL
};
static const char *const roundings[] = {
  "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL
};
static const char *const policies[] = {
  "stretch", "not_larger", "not_smaller", NULL
};

/* What the attributes allow, told. */
static bool words_ok(Node *n)
{
  static const struct { const char *attr; const char *const *word; } lists[] = {
    {"mode", modes}, {"coordinate_transformation_mode", coords},
    {"nearest_mode", roundings}, {"keep_aspect_ratio_policy", policies}
  };
  Arena *a = &n->g->m->arena;
  for (int i = 0; i < COUNT(lists); i++) {
    const char *list = lists[i].word[0], *attr = lists[i].attr;
    if (word_of(n, attr, lists[i].word) >= 0) continue;
    for (int k = 1; lists[i].word[k]; k++)
      list = arena_printf(a, "%s, %s", list, lists[i].word[k]);
    fail_model(n, "%s is %s (spec: %s)", attr, quote(a, attr_str(n, attr, "")),
               list);
    return false;
  }
  return true;
}

static bool axes_ok(Node *n)
{
  int count;
  const int64_t *v = attr_ints(n, "axes", &count);
  unsigned seen = 0;
  for (int i = 0; v && i < count; i++) {
    int a = axis_norm(n, v[i], n->in[0]->rank);
    if (a < 0) return false;
    if (seen & 1u << a) {
      fail_model(n, "axis %d stands twice in axes (spec: once)", a);
      return false;
    }
    seen |= 1u << a;
  }
  return true;
}

static void read_axes(const Node *n, ResizePlan *r)
{
  const int64_t *v = attr_ints(n, "axes", &r->naxis);
  int rank = n->in[0]->rank;
  if (!v || r->naxis == 0) v = NULL, r->naxis = rank;
  for (int i = 0; i < r->naxis; i++)
    r->axis[i] = (int)(!v ? i : v[i] < 0 ? v[i] + rank : v[i]);
}

/* Sizes along axis k of the list are the same, and so are the elements. */
static bool stays(const Node *n, const ResizePlan *r, int k)
{
  const Value *x = n->in[0], *y = n->out[0];
  const Value *scales = node_in(n, IN_SCALES), *roi = node_in(n, IN_ROI);
  int a = r->axis[k];
  if (r->coord == O2C_RS_CROP &&
      (!roi || !roi->data || tensor_f64(roi->data, k) != 0 ||
       tensor_f64(roi->data, r->naxis + k) != 1))
    return false;
  if (scales) return scales->data && tensor_f64(scales->data, k) == 1;
  return !r->policy && y->rank == x->rank && x->dim[a] == y->dim[a];
}

void resize_plan(const Node *n, ResizePlan *r)
{
  memset(r, 0, sizeof *r);
  r->mode = word_of(n, "mode", modes);
  r->coord = word_of(n, "coordinate_transformation_mode", coords);
  r->nearest = word_of(n, "nearest_mode", roundings);
  r->policy = word_of(n, "keep_aspect_ratio_policy", policies);
  r->antialias = attr_int(n, "antialias", 0) != 0;
  r->exclude = attr_int(n, "exclude_outside", 0) != 0;
  r->a = (double)attr_float(n, "cubic_coeff_a", -0.75f);
  r->outside = (double)attr_float(n, "extrapolation_value", 0);
  read_axes(n, r);
  if (attr_int(n, ".by_scale", 0)) r->nearest = O2C_RS_BY_SCALE;
  if (node_in(n, IN_SCALES)) r->policy = 0;
  for (int k = 0; k < r->naxis; k++) r->moves[r->axis[k]] = !stays(n, r, k);
}

/* `s` as a fraction: of small numbers, if one rounds to it, so that a third of
 * 3 n is n. */
static void fraction(float s, int64_t *num, int64_t *den)
{
  for (*den = 1; *den <= 1024; ++*den) {
    *num = (int64_t)llround((double)s * (double)*den);
    if ((float)((double)*num / (double)*den) == s) return;
  }
  *den = 1;
  for (double v = (double)s; v != floor(v) && *den < (int64_t)1 << 40; v *= 2)
    *den *= 2;
  *num = (int64_t)((double)s * (double)*den);
}

/* floor(d * s); of a number in float, as other runtimes compute it. */
static const Dim *scaled(DimPool *p, const Dim *d, float s)
{
  int64_t v, num, den;
  if (dim_is_int(d, &v)) return dim_int(p, (int64_t)floorf((float)v * s));
  fraction(s, &num, &den);
  return dim_div(p, dim_mul(p, d, dim_int(p, num)), dim_int(p, den));
}

/* Whether the sizes are known at compile time; what they are. */
static bool sizes_known(const Node *n, const ResizePlan *r)
{
  const Value *scales = node_in(n, IN_SCALES);
  int count;
  if (scales) return scales->data && r->coord != O2C_RS_CROP;
  return !r->policy && infer_content(n, IN_SIZES, &count);
}

static bool known_sizes(Node *n, const ResizePlan *r, const Dim **dim)
{
  const Value *scales = node_in(n, IN_SCALES);
  int64_t v;
  int count;
  const Dim *const *size = infer_content(n, IN_SIZES, &count);
  for (int k = 0; k < r->naxis; k++) {
    const Dim **d = &dim[r->axis[k]];
    float s = scales ? (float)tensor_f64(scales->data, k) : 0;
    if (scales && !(s > 0 && s < 1e6f)) {
      fail_model(n, "scales[%d] is %g (spec: positive; onnx2c: below 1e6)", k,
                 (double)s);
      return false;
    }
    if (!scales && dim_is_int(size[k], &v) && v < 0) {
      fail_model(n, "sizes[%d] is %lld (spec: positive)", k, (long long)v);
      return false;
    }
    bool empty = dim_is(*d, 0);
    *d = scales ? scaled(node_dims(n), *d, s) : size[k];
    if (empty && !dim_is(*d, 0)) {
      fail_model(n, "axis %d is empty, and has nothing to be resized to %s",
                 r->axis[k], dim_text(node_dims(n), *d));
      return false;
    }
  }
  return true;
}

/* Inputs that say nothing are left out: lists of no numbers, and regions that
 * the mode does not look at. */
static void drop_idle_inputs(Node *n)
{
  bool crop = word_of(n, "coordinate_transformation_mode", coords) ==
              O2C_RS_CROP;
  for (int i = IN_ROI; i <= IN_SIZES; i++)
    if (node_in(n, i) && ((i == IN_ROI && !crop) ||
                          dim_is(value_numel(n->in[i]), 0)))
      node_set_input(n, i, NULL);
}

static bool lists_ok(Node *n)
{
  static const char *const what[] = {
    "", "numbers in roi, twice the axes", "scales, axes", "sizes, axes"
  };
  const Value *scales = node_in(n, IN_SCALES), *sizes = node_in(n, IN_SIZES);
  DimPool *p = node_dims(n);
  int count;
  if (!attr_ints(n, "axes", &count) || count == 0) count = n->in[0]->rank;
  if (!scales == !sizes) {
    fail_model(n, "scales and sizes are both %s (spec: one of them)",
               scales ? "given" : "missing");
    return false;
  }
  if (!node_in(n, IN_ROI) &&
      word_of(n, "coordinate_transformation_mode", coords) == O2C_RS_CROP) {
    fail_model(n, "roi is missing (spec: tf_crop_and_resize needs it)");
    return false;
  }
  for (int i = IN_ROI; i <= IN_SIZES; i++)
    if (node_in(n, i) &&
        !infer_equal(n, value_numel(n->in[i]),
                     dim_int(p, count * (i == IN_ROI ? 2 : 1)), what[i]))
      return false;
  return true;
}

static bool type_ok(Node *n, const ResizePlan *r)
{
  Dtype t = n->in[0]->dtype;
  DtypeClass c = dtype_info(t)->cls;
  bool number = c != DC_BOOL && c != DC_STR;
  if (r->mode == 0 && r->antialias)
    fail_model(n, "antialias is set (spec: for linear and cubic only)");
  else if (!number && (r->mode || (r->coord == O2C_RS_CROP && c != DC_BOOL)))
    fail_unsupported(n, "%s of %s elements; feed numbers",
                     r->mode ? modes[r->mode] : coords[r->coord],
                     dtype_info(t)->onnx);
  else if (r->mode && c == DC_COMPLEX && r->coord == O2C_RS_CROP && r->outside)
    fail_unsupported(n, "%s of %s elements with extrapolation_value; leave it "
                     "away", modes[r->mode], dtype_info(t)->onnx);
  else
    return true;
  return false;
}

/* Sizes that the data tells: numbers where it is constant; else those that the
 * file declares, for the kernel to check; else symbols. */
static void infer_by_data(Node *n, const ResizePlan *r)
{
  const Value *x = n->in[0];
  const Type *d = n->out[0]->declared;
  const Dim *dim[MAX_RANK], *size[MAX_RANK] = {0};
  bool known = d && d->kind == VK_TENSOR && d->rank == x->rank;
  bool constant = true;
  for (int i = IN_ROI; i <= IN_SIZES; i++)
    constant = constant && (!node_in(n, i) || n->in[i]->data);
  for (int k = 0; known && k < x->rank; k++) known = d->dim[k] != NULL;
  if (known && !constant && !n->size) {
    infer_declared(n, 0, x->dtype, "the size");
    return;
  }
  if (!infer_sizes(n, r->naxis, NULL, size)) return;
  for (int i = 0; i < x->rank; i++) dim[i] = x->dim[i];
  for (int k = 0; k < r->naxis; k++) dim[r->axis[k]] = size[k];
  infer_out(n, 0, x->dtype, x->rank, dim);
}

static void infer_resize(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *dim[MAX_RANK];
  ResizePlan r;
  if (!infer_ready(n) || !words_ok(n) || !axes_ok(n)) return;
  drop_idle_inputs(n);
  if (!lists_ok(n)) return;
  resize_plan(n, &r);
  if (!type_ok(n, &r)) return;
  for (int i = 0; i < x->rank; i++) dim[i] = x->dim[i];
  if (!sizes_known(n, &r)) infer_by_data(n, &r);
  else if (known_sizes(n, &r, dim)) infer_out(n, 0, x->dtype, x->rank, dim);
}

static Dtype region_type(const Node *n)
{
  return node_in(n, IN_ROI) ? n->in[IN_ROI]->dtype : DT_F32;
}

static void axis_sizes(const ResizePlan *r, const Value *v, const Dim **dim)
{
  for (int k = 0; k < r->naxis; k++) dim[k] = v->dim[r->axis[k]];
}

static void sizes_resize(Lower *l, Node *n)
{
  ResizePlan r;
  const Dim *x[MAX_RANK];
  resize_plan(n, &r);
  axis_sizes(&r, n->in[0], x);
  lower_call(l, n, "size_resize", region_type(n), "iiikkDS",
             node_in(n, IN_SCALES), node_in(n, IN_SIZES), node_in(n, IN_ROI),
             (int64_t)r.policy, (int64_t)r.naxis, x, r.naxis);
}

/* The calls that resize `x` to `y`, of one type, axis after axis. */
typedef struct {
  Lower *l;
  Node *n;
  const ResizePlan *r;
  Value *how;
} Axes;

/* The type that weights are applied in; complex numbers are pairs of it, their
 * parts being one more axis. */
static Dtype real_for(Dtype t)
{
  bool single = t == DT_F32 || t == DT_F16 || t == DT_BF16 || t == DT_C64;
  return single ? DT_F32 : DT_F64;
}

static bool is_pair(const Value *v)
{
  return dtype_info(v->dtype)->cls == DC_COMPLEX;
}

static void lower_axis(const Axes *s, int k, Value *from, Value *to,
                       const Dim *const *before)
{
  const ResizePlan *r = s->r;
  const Value *x = s->n->in[0], *y = s->n->out[0];
  DimPool *p = node_dims(s->n);
  int a = r->axis[k];
  /* Axes before this one in the list are resized already. */
  const Dim *outer = dim_prod(p, before, a);
  const Dim *inner = dim_prod(p, before + a + 1, x->rank - a - 1);
  if (r->mode == 0)
    lower_call(s->l, s->n, "resize_pick", from->dtype, "ioikddddkkf", from,
               to, s->how, (int64_t)k, outer, x->dim[a], inner, y->dim[a],
               (int64_t)r->coord, (int64_t)r->nearest, r->outside);
  else
    lower_call(s->l, s->n, "resize_axis", real_for(from->dtype),
               "ioikddddkkkkff", from, to, s->how, (int64_t)k, outer,
               x->dim[a], dim_mul(p, inner, dim_int(p, is_pair(x) ? 2 : 1)),
               y->dim[a],
               (int64_t)r->coord, (int64_t)(r->mode == 2),
               (int64_t)r->antialias, (int64_t)r->exclude, r->a, r->outside);
}

static void lower_axes(const Axes *s, Value *from, Value *to)
{
  const Value *x = s->n->in[0], *y = s->n->out[0];
  DimPool *p = node_dims(s->n);
  const Dim *dim[MAX_RANK];
  int last = -1;
  for (int i = 0; i < x->rank; i++) dim[i] = x->dim[i];
  for (int k = 0; k < s->r->naxis; k++)
    if (s->r->moves[s->r->axis[k]]) last = k;
  for (int k = 0; k <= last; k++) {
    int a = s->r->axis[k];
    const Dim *before[MAX_RANK];
    if (!s->r->moves[a]) continue;
    memcpy(before, dim, sizeof before);
    dim[a] = y->dim[a];
    Value *next = k == last ? to : lower_scratch(s->l, s->n, from->dtype,
                                                 dim_prod(p, dim, x->rank));
    lower_axis(s, k, from, next, before);
    from = next;
  }
}

static void lower_real_axes(const Axes *s)
{
  Node *n = s->n;
  Value *x = n->in[0], *y = n->out[0];
  Dtype real = real_for(x->dtype);
  Value *to = lower_real_for(s->l, n, y, real);
  lower_axes(s, lower_real(s->l, n, x, real), to);
  if (dtype_info(x->dtype)->cls == DC_FLOAT) lower_real_to(s->l, n, to, y);
  else lower_call(s->l, n, "resize_store", y->dtype, "iod", to, y,
                  value_numel(y));
}

static void lower_resize(Lower *l, Node *n)
{
  ResizePlan r;
  Value *x = n->in[0], *y = n->out[0], *sizes = node_in(n, IN_SIZES);
  DimPool *p = node_dims(n);
  const Dim *before[MAX_RANK], *after[MAX_RANK];
  const Dim *numel = value_numel(y), *one = dim_int(p, 1);
  int moving = 0;
  resize_plan(n, &r);
  for (int i = 0; i < x->rank; i++) moving += r.moves[i];
  if (!moving) {
    lower_block(l, n, x, y, &(Block){.rank = 1, .dim = {numel}, .xs = {one},
                                     .ys = {one}});
    return;
  }
  axis_sizes(&r, x, before);
  axis_sizes(&r, y, after);
  bool check = !sizes_known(n, &r);
  Value *how = lower_scratch(l, n, DT_F32, dim_int(p, 4 * r.naxis));
  lower_call(l, n, "resize_how", region_type(n), "iiiokkkDD",
             node_in(n, IN_SCALES), r.policy || check ? sizes : NULL,
             node_in(n, IN_ROI), how, (int64_t)r.policy, (int64_t)check,
             (int64_t)r.naxis, before, r.naxis, after, r.naxis);
  Axes s = {l, n, &r, how};
  if (r.mode && !is_pair(x)) lower_real_axes(&s);
  else lower_axes(&s, x, y);
}

static int axis_resize(const Node *n, int in, int axis, int out)
{
  ResizePlan r;
  (void)out;
  if (in != 0) return AXIS_MIXES;
  resize_plan(n, &r);
  return r.moves[axis] ? AXIS_MIXES : axis;
}

static bool permute_resize(Node *n, const int *perm, int rank)
{
  ResizePlan r;
  int64_t axes[MAX_RANK];
  if (n->in[0]->rank != rank) return false;
  resize_plan(n, &r);
  for (int k = 0; k < r.naxis; k++)
    for (int i = 0; i < rank; i++)
      if (perm[i] == r.axis[k]) axes[k] = i;
  attr_set_ints(n, "axes", axes, r.naxis);
  return true;
}

/* Upsample. */
static void scales_input(Node *n, const float *v, int64_t count)
{
  Tensor *t = tensor_new(&n->g->m->arena, DT_F32, 1, &count);
  for (int64_t i = 0; i < count; i++) tensor_set_f64(t, i, (double)v[i]);
  node_set_input(n, 1, value_const(n->g, "scales", t));
}

static void upgrade_upsample_1(Node *n)
{
  float v[4] = {1, 1, attr_float(n, "height_scale", 0),
                attr_float(n, "width_scale", 0)};
  attr_remove(n, "height_scale");
  attr_remove(n, "width_scale");
  if (n->in[0]->rank >= 0 && n->in[0]->rank != 4)
    fail_model(n, "input has rank %d (spec: 4)", n->in[0]->rank);
  else
    scales_input(n, v, 4);
}

static void upgrade_upsample_7(Node *n)
{
  const Attr *a = attr_get(n, "scales");
  if (!a) return; /* the hook before has made the input */
  scales_input(n, a->floats, a->n);
  attr_remove(n, "scales");
}

static void upgrade_upsample(Node *n)
{
  if (!strcmp(attr_str(n, "mode", ""), "bilinear"))
    attr_set_str(n, "mode", "linear");
  n->op_type = "Resize";
  n->op = op_find("", "Resize");
  n->version = 10;
}

/* ONNX Resize-10 has one way to find a pixel. */
static void upgrade_resize_10(Node *n)
{
  Value *scales = n->in[1];
  node_set_input(n, 1, NULL);
  node_set_input(n, 2, scales);
  attr_set_str(n, "coordinate_transformation_mode", "asymmetric");
  attr_set_int(n, ".by_scale", 1);
}

#define LISTS "scales:f32? sizes:i64? -> Y:T1"
#define ATTRS "mode:s coordinate_transformation_mode:s nearest_mode:s " \
              "cubic_coeff_a:f exclude_outside:i extrapolation_value:f"
static const OpRow upsample_rows[] = {
  {1, "X:T -> Y:T", "T=bool i32 i64 float",
   "mode:s height_scale:f! width_scale:f!", upgrade_upsample_1},
  {7, NULL, "T=all", "mode:s scales:F!", upgrade_upsample_7},
  {9, "X:T scales:f32 -> Y:T", NULL, "mode:s", NULL},
  {10, NULL, NULL, NULL, upgrade_upsample},
};
static const OpRow resize_rows[] = {
  {10, "X:T1 scales:f32 -> Y:T1", "T1=all", "mode:s", upgrade_resize_10},
  {11, "X:T1 roi:T2? " LISTS, "T1=all; T2=float", ATTRS, NULL},
  /* ONNX Resize-13: "It only takes effect when coordinate_transformation_mode
   * is "tf_crop_and_resize"" */
  {13, NULL, "T1=all13; T2=float", NULL, NULL},
  /* ONNX Resize-18: "If not provided, all axes are assumed" */
  {18, NULL, NULL, ATTRS " antialias:i axes:I keep_aspect_ratio_policy:s",
   NULL},
  {19, NULL, NULL, NULL, NULL},
};

static const OpDef defs[] = {
  /* Resize by the time it is inferred. */
  {.name = "Upsample", .rows = upsample_rows, .nrow = COUNT(upsample_rows),
   .infer = infer_resize},
  {.name = "Resize", .rows = resize_rows, .nrow = COUNT(resize_rows),
   .infer = infer_resize, .lower = lower_resize, .sizes = sizes_resize,
   .axis = axis_resize, .permute = permute_resize},
};
OPS_DEFINE(resize, defs)
