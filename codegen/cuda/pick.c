/* SPDX-License-Identifier: Apache-2.0 */
/* Gather, Pad, OneHot, Range and what else is a single call of a reference
 * kernel that picks, fills or reverses: the operator's record makes the call,
 * and its arguments are those of the step. An element of the output, or a word
 * of several, a thread; indices of the data are checked by whoever uses them.
 */
#include "cuda.h"

#include <string.h>

static bool is_check(const Call *c)
{
  return !c->custom && !strncmp(c->kernel, "check_", 6);
}

bool cuda_one_call(const Plan *p, const Node *n, Call *c)
{
  Call all[2];
  int count = node_calls(p, n, all, COUNT(all));
  if (count == 2 && is_check(&all[0]))
    all[0] = all[1];
  else if (count != 1)
    return false;
  *c = all[0];
  return !c->custom;
}

void cuda_put_checks(Plan *p, Node *n)
{
  Call all[4];
  bool any = false;
  int count = node_calls(p, n, all, COUNT(all));
  for (int i = 0; i < count && i < COUNT(all); i++)
    any = any || is_check(&all[i]);
  if (any)
    lower_checks_thread(p, n);
}

void cuda_put_unused(Step *s)
{
  const char *text = "";
  for (int i = 0; i < s->nptr; i++)
    text = arena_printf(s->plan->a, "%s%s(void)%s", text, i ? ", " : "  ",
                        s->ptr[i].name);
  step_text(s, "UNUSED", "%s%s;\n", text, s->symbols ? ", (void)s" : "");
}

void cuda_put_least(Step *s, const char *key, const Dim *d)
{
  step_dim(s, key, dim_is(d, 0) ? dim_int(&s->plan->m->dims, 1) : d);
}

/* Bytes of the widest word of which `elements` in a row are so many that each
 * row begins with a whole one. */
static int word_of(Dtype t, const Dim *elements)
{
  int size = dtype_info(t)->size, k = 16 / size;
  int64_t n = dim_is(elements, 0) ? 1 : dim_content(elements);
  while (k > 1 && n % k)
    k /= 2;
  return k * size;
}

static const Dim *in_words(DimPool *d, Dtype t, const Dim *elements, int word)
{
  int k = word / dtype_info(t)->size;
  return k > 1 ? dim_div(d, elements, dim_int(d, k)) : elements;
}

/* What every step of this file has, when its operands are there. */
static void finish(Step *s, const char *note)
{
  DimPool *d = &s->plan->m->dims;
  const Dim *most = dim_int(d, 1);
  for (int i = 0; i < s->nptr; i++)
    if (s->ptr[i].v)
      most = dim_max(d, most, value_numel(s->ptr[i].v));
  device_index(s, most);
  cuda_put_unused(s);
  step_kernel(s, "cuda/pick.h");
  s->kernel_note = note;
}

void cuda_put_words(Step *s, Dtype t, const Dim *inner, const Dim *numel)
{
  DimPool *d = &s->plan->m->dims;
  int word = word_of(t, inner);
  step_text(s, "WORD", "%s", cuda_word(word));
  cuda_put_least(s, "INNER", in_words(d, t, inner, word));
  step_dim(s, "WORDS", in_words(d, t, numel, word));
}

static void put_index(Step *s, const Call *c)
{
  if (c->arg[1].v == c->arg[0].v)
    step_text(s, "AT", "x");
  else
    step_in(s, "index", c->arg[1].v), step_text(s, "AT", "index");
}

/* A step of x, index and y, as the calls of all that gather begin. */
static Step *gather_step(Plan *p, Node *n, const Call *c, const char *macro)
{
  Step *s = device_step(p, n, macro);
  step_in(s, "x", c->arg[0].v);
  put_index(s, c);
  step_out(s, "y", c->arg[2].v);
  return s;
}

/* gather: x index y, width outer n inner count */
static void put_gather(Plan *p, Node *n, const Call *c)
{
  Step *s = gather_step(p, n, c, "CUDA_GATHER");
  cuda_put_words(s, c->arg[0].v->dtype, c->arg[6].dim[0],
                 value_numel(c->arg[2].v));
  step_dim(s, "N", c->arg[5].dim[0]);
  cuda_put_least(s, "COUNT", c->arg[7].dim[0]);
  finish(s, "cuda gather");
}

/* Lists of axes where two shapes of a rank meet: those that both have in full
 * become one. `axis` moves along. */
static int merge_axes(DimPool *d, const Dim **big, const Dim **small, int rank,
                      int *axis)
{
  int n = 0, own = *axis;
  for (int i = 0; i < rank; i++) {
    bool joins = i > 0 && i != own && i - 1 != own && big[i] == small[i];
    if (i == own)
      *axis = n;
    big[n] = big[i];
    small[n] = small[i];
    n++;
    if (joins) {
      n--;
      big[n - 1] = dim_mul(d, big[n - 1], big[n]);
      small[n - 1] = dim_mul(d, small[n - 1], small[n]);
    }
  }
  return n;
}

static bool fits(const Dim *small, const Dim *big)
{
  int64_t a, b;
  return small == big || dim_is(small, 1) ||
         (dim_is_int(small, &a) && dim_is_int(big, &b) && a <= b);
}

void cuda_put_axes(Step *s, const Dim *const *dim, const Dim *const *out,
                   int rank, int axis)
{
  DimPool *d = &s->plan->m->dims;
  Arena *a = s->plan->a;
  const Dim *big[MAX_RANK], *small[MAX_RANK], *step = dim_int(d, 1);
  const char *place = "", *outside = "";
  StrBuf b;
  memcpy(big, dim, (size_t)rank * sizeof *big);
  memcpy(small, out, (size_t)rank * sizeof *small);
  rank = merge_axes(d, big, small, rank, &axis);
  for (int i = rank - 1; i >= 0; i--) {
    place = arena_printf(a, "%s%s%s * (%s)", place, *place ? " + " : "",
                         i == axis ? "at" : arena_printf(a, "i%d", i),
                         step_dim_text(s, step));
    step = dim_mul(d, step, big[i]);
    if (i != axis && !fits(small[i], big[i]))
      outside = arena_printf(a, "%s%si%d >= %s", outside,
                             *outside ? " || " : "", i,
                             step_dim_text(s, big[i]));
  }
  sb_init(&b, a);
  cuda_put_indices(s, &b, small, rank, "i", "e");
  sb_printf(&b, "      (void)i%d;\n", axis);
  step_text(s, "INDICES", "%.*s", (int)b.n, b.s);
  sb_free(&b);
  step_text(s, "PLACE", "%s", place);
  step_text(s, "OUTSIDE", "%s", outside);
  step_dim(s, "N", big[axis]);
}

/* gather_elements: x index y, width rank axis, dim out */
static void put_gather_elements(Plan *p, Node *n, const Call *c)
{
  int64_t axis = 0;
  Step *s = gather_step(p, n, c, "CUDA_GATHER_ELEMENTS");
  dim_is_int(c->arg[5].dim[0], &axis);
  cuda_put_axes(s, c->arg[6].dim, c->arg[7].dim, c->arg[6].n, (int)axis);
  step_text(s, "WORD", "%s", cuda_word(dtype_info(c->arg[0].v->dtype)->size));
  step_dim(s, "WORDS", value_numel(c->arg[2].v));
  finish(s, "cuda gather");
}

void cuda_put_tuple(Step *s, const Dim *const *dim, int rank)
{
  StrBuf b;
  sb_init(&b, s->plan->a);
  for (int j = 0; j < rank; j++)
    sb_printf(&b, "G_CUDA_TUPLE(%d, <%%%s%%>)", j, step_dim_text(s, dim[j]));
  step_text(s, "TUPLE", "%.*s", (int)b.n, b.s);
  step_int(s, "RANK", rank);
  sb_free(&b);
}

/* gather_nd: x index y, batches count rank inner, dim */
static void put_gather_nd(Plan *p, Node *n, const Call *c)
{
  Step *s = gather_step(p, n, c, "CUDA_GATHER_ND");
  cuda_put_words(s, c->arg[0].v->dtype, c->arg[6].dim[0],
                 value_numel(c->arg[2].v));
  cuda_put_least(s, "COUNT", c->arg[4].dim[0]);
  cuda_put_tuple(s, c->arg[7].dim, c->arg[7].n);
  finish(s, "cuda gather");
}

static bool is_zero(const Value *v)
{
  return v->data && tensor_bits(v->data) == 0;
}

static const char *cropped(Step *s, const Dim *d)
{
  int64_t v;
  if (dim_is_int(d, &v))
    return arena_printf(s->plan->a, "%lld", (long long)(v < 0 ? -v : 0));
  const char *t = step_dim_text(s, d);
  return arena_printf(s->plan->a, "((%s) < 0 ? -(%s) : 0)", t, t);
}

/* pad: x value y, rank mode, dim begin end */
static void put_pad(Plan *p, Node *n, const Call *c)
{
  DimPool *d = &p->m->dims;
  Dtype t = c->arg[0].v->dtype;
  Padded v = { .rank = 0, .unit = dim_int(d, 1) };
  int64_t mode = 0;
  const Dim *out[MAX_RANK];
  Value *fill = c->arg[1].v && !is_zero(c->arg[1].v) ? c->arg[1].v : NULL;
  dim_is_int(c->arg[4].dim[0], &mode);
  if (c->arg[5].n)
    pad_axes(d, c, mode == 0, &v);
  int word = fill ? dtype_info(t)->size : word_of(t, v.unit);
  Step *s = device_step(p, n, "CUDA_PAD");
  step_in(s, "x", c->arg[0].v);
  if (fill)
    step_in(s, "value", fill);
  step_out(s, "y", c->arg[2].v);
  StrBuf b;
  sb_init(&b, p->a);
  for (int i = 0; i < v.rank; i++)
    out[i] = dim_add(d, dim_add(d, v.dim[i], v.begin[i]), v.end[i]);
  const Dim *unit = in_words(d, t, v.unit, word);
  bool whole = dim_is(unit, 1);
  cuda_put_indices(s, &b, out, v.rank, "i", whole ? "e" : "row");
  for (int i = 0; i < v.rank; i++)
    sb_printf(&b, "G_CUDA_PAD_AXIS(%d, <%%%s%%>, <%%%s%%>, <%%%s%%>, <%%%s%%>)",
              i, step_dim_text(s, v.dim[i]), step_dim_text(s, v.begin[i]),
              cropped(s, v.begin[i]), cropped(s, v.end[i]));
  step_text(s, "AXES", "%.*s", (int)b.n, b.s ? b.s : "");
  sb_free(&b);
  step_text(s, "TYPE", "%s", dtype_info(dtype_carrier(t))->name);
  step_text(s, "VALUE", fill ? "1" : "");
  step_int(s, "MODE", mode);
  step_text(s, "WORD", "%s", cuda_word(word));
  cuda_put_least(s, "INNER", unit);
  step_dim(s, "WORDS", in_words(d, t, value_numel(c->arg[2].v), word));
  step_ref(s, "pad", dtype_carrier(t));
  finish(s, "cuda pad");
}

/* one_hot: x values y, width outer depth inner */
static void put_one_hot(Plan *p, Node *n, const Call *c)
{
  Dtype t = c->arg[1].v->dtype;
  Step *s = device_step(p, n, "CUDA_ONE_HOT");
  step_in(s, "x", c->arg[0].v);
  if (c->arg[1].v != c->arg[0].v)
    step_in(s, "v", c->arg[1].v);
  step_text(s, "VALUES", c->arg[1].v != c->arg[0].v ? "v" : "x");
  step_out(s, "y", c->arg[2].v);
  cuda_put_least(s, "DEPTH", c->arg[5].dim[0]);
  cuda_put_least(s, "INNER", c->arg[6].dim[0]);
  step_dim(s, "WORDS", value_numel(c->arg[2].v));
  step_text(s, "WORD", "%s", cuda_word(dtype_info(t)->size));
  step_text(s, "TYPE", "%s", dtype_info(c->type)->name);
  step_ref(s, "topk", c->type);
  finish(s, "cuda one-hot");
}

/* range: start delta y, n;  range_data: start limit delta y, n */
static void put_range(Plan *p, Node *n, const Call *c)
{
  bool checks = c->narg == 5;
  Value *in[] = { c->arg[0].v, c->arg[1 + checks].v, c->arg[1].v };
  static const char *const name[] = { "start", "delta", "limit" };
  static const char *const key[] = { "START", "DELTA", "LIMIT" };
  Step *s = device_step(p, n, "CUDA_RANGE");
  for (int i = 0; i < 2 + checks; i++) {
    const char *own = name[i];
    for (int k = 0; k < i; k++)
      if (in[k] == in[i])
        own = step_var(s, key[k]);
    if (own == name[i])
      step_in(s, own, in[i]);
    step_text(s, key[i], "%s", own);
  }
  step_out(s, "y", n->out[0]);
  step_text(s, "CHECKED", checks ? "1" : "");
  step_dim(s, "WORDS", value_numel(n->out[0]));
  step_text(s, "TYPE", "%s", dtype_info(c->type)->name);
  step_ref(s, "range", c->type);
  finish(s, "cuda range");
}

static void put_bits(Step *s, const Value *y, const Dim *bits)
{
  int64_t v = 0;
  dim_is_int(bits, &v);
  int size = dtype_info(y->dtype)->size;
  step_text(s, "WORD", "%s", cuda_word(size));
  step_text(s, "BITS", "(%s)UINT64_C(%llu)", cuda_word(size),
            (unsigned long long)v);
  step_dim(s, "WORDS", value_numel(y));
}

/* fill: y n bits */
static void put_fill(Plan *p, Node *n, const Call *c)
{
  Step *s = device_step(p, n, "CUDA_FILL");
  step_out(s, "y", c->arg[0].v);
  put_bits(s, c->arg[0].v, c->arg[2].dim[0]);
  finish(s, "cuda fill");
}

/* eye: y rows cols k bits */
static void put_eye(Plan *p, Node *n, const Call *c)
{
  Step *s = device_step(p, n, "CUDA_EYE");
  step_out(s, "y", c->arg[0].v);
  cuda_put_least(s, "COLUMNS", c->arg[2].dim[0]);
  step_dim(s, "DIAGONAL", c->arg[3].dim[0]);
  put_bits(s, c->arg[0].v, c->arg[4].dim[0]);
  finish(s, "cuda eye");
}

/* reverse_sequence: x lengths y, time_first first second inner */
static void put_reverse(Plan *p, Node *n, const Call *c)
{
  Step *s = device_step(p, n, "CUDA_REVERSE");
  step_in(s, "x", c->arg[0].v);
  put_index(s, c);
  step_out(s, "y", c->arg[2].v);
  cuda_put_words(s, c->arg[0].v->dtype, c->arg[6].dim[0],
                 value_numel(c->arg[2].v));
  step_text(s, "TIME_FIRST", dim_is(c->arg[3].dim[0], 0) ? "" : "1");
  cuda_put_least(s, "FIRST", c->arg[4].dim[0]);
  cuda_put_least(s, "SECOND", c->arg[5].dim[0]);
  finish(s, "cuda reverse");
}

/* tensor_scatter: x updates starts y, circular batch outer n s inner */
static void put_tensor_scatter(Plan *p, Node *n, const Call *c)
{
  Step *s = device_step(p, n, "CUDA_TENSOR_SCATTER");
  step_in(s, "x", c->arg[0].v);
  if (c->arg[1].v != c->arg[0].v)
    step_in(s, "u", c->arg[1].v);
  step_text(s, "UPDATES", c->arg[1].v != c->arg[0].v ? "u" : "x");
  if (c->arg[2].v)
    step_in(s, "start", c->arg[2].v);
  step_text(s, "START", c->arg[2].v ? "start[b]" : "0");
  step_out(s, "y", c->arg[3].v);
  cuda_put_words(s, c->arg[0].v->dtype, c->arg[9].dim[0],
            value_numel(c->arg[3].v));
  step_text(s, "CIRCULAR", dim_is(c->arg[4].dim[0], 0) ? "" : "1");
  cuda_put_least(s, "OUTER", c->arg[6].dim[0]);
  cuda_put_least(s, "N", c->arg[7].dim[0]);
  step_dim(s, "ROWS", c->arg[8].dim[0]);
  finish(s, "cuda scatter");
}

/* list: y, n values */
static void put_list(Plan *p, Node *n, const Call *c)
{
  Step *s = device_step(p, n, "CUDA_LIST");
  step_out(s, "y", c->arg[0].v);
  step_text(s, "VALUES", "%s", cuda_list(s, c->arg[2].n, c->arg[2].dim));
  step_text(s, "WORD", "%s", dtype_info(c->arg[0].v->dtype)->c);
  step_dim(s, "WORDS", c->arg[1].dim[0]);
  finish(s, "cuda sizes");
}

/* Two shapes of a rank, arguments from `at` on: G_DIM, G_OUT; and what is moved
 * between tensors of these. */
static void put_shapes(Step *s, const Call *c, int at)
{
  Dtype t = c->arg[0].v->dtype;
  step_text(s, "DIM", "%s", cuda_list(s, c->arg[at].n, c->arg[at].dim));
  step_text(s, "OUT", "%s", cuda_list(s, c->arg[at + 1].n, c->arg[at + 1].dim));
  step_int(s, "RANK", c->arg[at].n);
  step_text(s, "WORD", "%s", cuda_word(dtype_info(t)->size));
  step_text(s, "TYPE", "%s", dtype_info(dtype_carrier(t))->name);
  step_dim(s, "WORDS", dim_prod(&s->plan->m->dims, c->arg[at + 1].dim,
                                c->arg[at + 1].n));
  step_ref(s, !strcmp(c->kernel, "slice") ? "slice" : "pad", dtype_carrier(t));
  finish(s, !strcmp(c->kernel, "slice") ? "cuda slice" : "cuda pad");
}

/* slice: x starts ends axes steps y, width count rank, dim out */
static void put_slice(Plan *p, Node *n, const Call *c)
{
  static const char *const name[] = { "starts", "ends", "axes", "steps" };
  static const char *const key[] = { "STARTS", "ENDS", "ALONG", "BY" };
  Step *s = device_step(p, n, "CUDA_SLICE");
  step_in(s, "x", c->arg[0].v);
  for (int i = 0; i < 4; i++) {
    if (c->arg[1 + i].v)
      step_in(s, name[i], c->arg[1 + i].v);
    step_text(s, key[i], "%s", c->arg[1 + i].v ? name[i] : "NULL");
  }
  step_out(s, "y", c->arg[5].v);
  step_dim(s, "WIDTH", c->arg[6].dim[0]);
  step_dim(s, "COUNT", c->arg[7].dim[0]);
  put_shapes(s, c, 9);
}

/* pad_data: x value pads axes y, width count mode rank, dim out */
static void put_pad_data(Plan *p, Node *n, const Call *c)
{
  Step *s = device_step(p, n, "CUDA_PAD_DATA");
  step_in(s, "x", c->arg[0].v);
  if (c->arg[1].v)
    step_in(s, "value", c->arg[1].v);
  step_in(s, "pads", c->arg[2].v);
  if (c->arg[3].v)
    step_in(s, "axes", c->arg[3].v);
  step_out(s, "y", c->arg[4].v);
  step_text(s, "VALUE", c->arg[1].v ? "1" : "");
  step_text(s, "ALONG", c->arg[3].v ? "axes" : "NULL");
  step_dim(s, "WIDTH", c->arg[5].dim[0]);
  step_dim(s, "COUNT", c->arg[6].dim[0]);
  step_dim(s, "MODE", c->arg[7].dim[0]);
  put_shapes(s, c, 9);
}

static const struct {
  const char *kernel;
  void (*put)(Plan *p, Node *n, const Call *c);
} known[] = {
  { "gather", put_gather }, { "gather_elements", put_gather_elements },
  { "gather_nd", put_gather_nd }, { "pad", put_pad },
  { "one_hot", put_one_hot }, { "range", put_range },
  { "range_data", put_range }, { "fill", put_fill }, { "eye", put_eye },
  { "reverse_sequence", put_reverse },
  { "tensor_scatter", put_tensor_scatter }, { "slice", put_slice },
  { "pad_data", put_pad_data }, { "list", put_list },
};

static int kernel_of(const Plan *p, const Node *n, Call *c)
{
  static const char *const name[] = {
    "CenterCropPad", "ConstantOfShape", "EyeLike", "Gather", "GatherElements",
    "GatherND", "OneHot", "Pad", "Range", "ReverseSequence", "Shape",
    "Size", "Slice", "TensorScatter",
  };
  bool wanted = false;
  for (int i = 0; i < COUNT(name); i++)
    wanted = wanted || node_is(n, name[i]);
  if (!wanted || !cuda_one_call(p, n, c))
    return -1;
  for (int i = 0; i < COUNT(known); i++)
    if (!strcmp(c->kernel, known[i].kernel))
      return i;
  return -1;
}

bool cuda_takes_pick(const Plan *p, const Node *n)
{
  Call c;
  return kernel_of(p, n, &c) >= 0;
}

void cuda_lower_pick(Plan *p, Node *n)
{
  Call c;
  cuda_put_checks(p, n);
  known[kernel_of(p, n, &c)].put(p, n, &c);
}
