/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions by kernels/cuda/reduce.h. What is reduced along the last axis goes
 * to a warp or a block for each output; else a block has 32 neighbouring
 * outputs, so that its warps read what lies side by side. Where there are few
 * outputs of many elements each, several blocks share them, and a second kernel
 * joins what they found. */
#include "cuda.h"

#include <string.h>

enum { BUSY = 128 }; /* blocks that keep a GPU busy */

typedef struct {
  const char *op, *red;
  bool real;              /* its state is that of roots and logarithms */
} Reduction;
static const Reduction known[] = {
  { "ReduceSum", "sum", false }, { "ReduceMean", "mean", false },
  { "ReduceMax", "max", false }, { "ReduceMin", "min", false },
  { "ReduceProd", "prod", false }, { "ReduceL1", "l1", false },
  { "ReduceSumSquare", "sum_square", false }, { "ReduceL2", "l2", true },
  { "ReduceLogSum", "log_sum", true },
  { "ReduceLogSumExp", "log_sum_exp", true },
};

static bool is_arg(const Node *n)
{
  return node_is(n, "ArgMax") || node_is(n, "ArgMin");
}

static const Reduction *reduction_of(const Node *n)
{
  for (int i = 0; i < COUNT(known); i++)
    if (node_is(n, known[i].op))
      return &known[i];
  return NULL;
}

static bool has_class(Dtype t)
{
  static const Dtype of[] = {
    DT_F32, DT_F64, DT_F16, DT_BF16, DT_I8, DT_I16, DT_I32, DT_I64, DT_U8,
    DT_U16, DT_U32, DT_U64, DT_BOOL,
  };
  for (int i = 0; i < COUNT(of); i++)
    if (of[i] == t)
      return true;
  return false;
}

bool cuda_takes_reduce(const Plan *p, const Node *n)
{
  (void)p;
  if (!reduction_of(n) && !is_arg(n))
    return false;
  return has_class(n->in[0]->dtype) &&
         (!is_arg(n) || n->in[0]->dtype != DT_BOOL);
}

typedef struct { const Dim *dim[MAX_RANK], *stride[MAX_RANK]; int n; } Axes;

/* The axes of x that stay (0) and that go (1), neighbours as one, the inner
 * ones first. Does the last one go? */
static bool split_axes(const Node *n, Axes of[2])
{
  const Value *x = n->in[0];
  DimPool *d = &n->g->m->dims;
  const Dim *stride = dim_int(d, 1);
  bool gone[MAX_RANK];
  int before = -1, last = -1;
  of[0].n = of[1].n = 0;
  reduce_axes(n, gone);
  for (int i = x->rank - 1; i >= 0; i--) {
    if (dim_is(x->dim[i], 1))
      continue;
    Axes *a = &of[gone[i]];
    last = last < 0 ? gone[i] : last;
    if (before == (int)gone[i]) {
      a->dim[a->n - 1] = dim_mul(d, a->dim[a->n - 1], x->dim[i]);
    } else {
      a->dim[a->n] = x->dim[i];
      a->stride[a->n++] = stride;
    }
    before = gone[i];
    stride = dim_mul(d, stride, x->dim[i]);
  }
  return last == 1;
}

/* The text for element number `e`, without the `skip` inner axes. */
static const char *offset_of(Step *s, const char *e, const Axes *a, int skip)
{
  const Dim *dim[MAX_RANK], *stride[MAX_RANK];
  int n = 0;
  for (int i = a->n - 1; i >= skip; i--, n++)
    dim[n] = a->dim[i], stride[n] = a->stride[i];
  return cuda_offset(s, e, n, dim, stride);
}

static Dtype state_type(const Reduction *r, Dtype t)
{
  bool floating = t == DT_F64 || dtype_info(t)->cls == DC_FLOAT;
  bool most = !strcmp(r->red, "max") || !strcmp(r->red, "min");
  if (!strcmp(r->red, "prod") && floating)
    return DT_F64;
  if (floating)
    return t == DT_F64 ? DT_F64 : DT_F32;
  return r->real ? DT_F64
         : most && dtype_info(t)->cls == DC_INT ? DT_I64 : DT_U64;
}

/* What a dimension is for a batch of one. */
static int64_t least_of(Plan *p, const Dim *v)
{
  int64_t *sym = NEW(p->a, int64_t, p->m->dims.nsym + 1);
  for (int i = 0; i < p->m->dims.nsym; i++)
    sym[i] = 1;
  return dim_eval(&p->m->dims, v, sym);
}

/* How many blocks share the outputs that one has else. */
static int64_t parts_of(Plan *p, const Reduction *r, const Dim *kept,
                        const Dim *length, bool rows)
{
  int64_t n, blocks = least_of(p, kept);
  if (!dim_is_int(length, &n) || !strcmp(r->red, "log_sum_exp"))
    return 1;
  blocks = rows ? blocks : (blocks + 31) / 32;
  int64_t parts = n / (rows ? 4096 : 128);
  if (blocks < 1 || parts * blocks > BUSY)
    parts = blocks < 1 ? 1 : BUSY / blocks;
  return parts > 1 ? parts : 1;
}

static void put_way(Step *s, const Reduction *r, const Dim *kept,
                    const Dim *count, const Dim *length, bool rows)
{
  Plan *p = s->plan;
  DimPool *d = &p->m->dims;
  int64_t n, share = 256, parts = 1;
  bool known_size = dim_is_int(count, &n);
  if (known_size && n <= (rows ? 8 : 64))
    share = 1, rows = true;
  else if (!rows && !strcmp(r->red, "log_sum_exp"))
    share = 1, rows = true;
  else if (rows && known_size && n <= 1024)
    share = 32;
  if (share == 256)
    parts = parts_of(p, r, kept, length, rows);
  step_text(s, "WAY", rows ? "o2c_reduce_rows" : "o2c_reduce_tile");
  step_int(s, "SHARE", share);
  step_dim(s, "THREADS", dim_mul(d, kept, dim_int(d, rows ? share : 8)));
  step_text(s, "PARTS", "%s",
            parts > 1 ? arena_printf(p->a, "%lld", (long long)parts) : "");
  if (parts == 1)
    return;
  step_scratch(s, "part", state_type(r, s->node->in[0]->dtype),
               dim_mul(d, kept, dim_int(d, parts)));
}

static void lower_reduction(Plan *p, Node *n, const Reduction *r)
{
  DimPool *d = &p->m->dims;
  const Dim *one = dim_int(d, 1);
  Axes of[2];
  bool rows = split_axes(n, of);
  const Dim *kept = dim_prod(d, of[0].dim, of[0].n);
  const Dim *count = dim_prod(d, of[1].dim, of[1].n);
  const Dim *length = of[1].n ? of[1].dim[0] : one;
  Step *s = device_step(p, n, "CUDA_REDUCE");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  step_text(s, "RED", "o2c_red_%s", r->red);
  cuda_put_class(s, "TYPE", n->in[0]->dtype);
  step_dim(s, "KEPT", kept);
  step_dim(s, "COUNT", count);
  step_dim(s, "OUTER", dim_prod(d, of[1].dim + 1, of[1].n ? of[1].n - 1 : 0));
  step_dim(s, "LENGTH", length);
  step_dim(s, "STEP", of[1].n ? of[1].stride[0] : one);
  step_text(s, "BASE", "%s", offset_of(s, "o", &of[0], 0));
  step_text(s, "AT", "%s", offset_of(s, "r", &of[1], 1));
  put_way(s, r, kept, count, length, rows);
  step_kernel(s, "cuda/reduce.h");
  device_index(s, value_numel(n->in[0]));
  s->kernel_note = "cuda reduction";
}

/* Only the run tells the axes. */
static void lower_by_data(Plan *p, Node *n, const Reduction *r)
{
  const Value *x = n->in[0], *y = n->out[0];
  Step *s = device_step(p, n, "CUDA_REDUCE_DATA");
  step_in(s, "x", n->in[0]);
  step_in(s, "axes", n->in[1]);
  step_out(s, "y", n->out[0]);
  step_text(s, "RED", "o2c_red_%s", r->red);
  cuda_put_class(s, "TYPE", x->dtype);
  step_text(s, "DIM", "%s", cuda_list(s, x->rank, x->dim));
  step_text(s, "OUT", "%s", cuda_list(s, y->rank, y->dim));
  step_int(s, "RANK", x->rank);
  step_int(s, "OUT_RANK", y->rank);
  step_dim(s, "AXES", value_numel(n->in[1]));
  step_text(s, "ALL", attr_int(n, "noop_with_empty_axes", 0) ? "false"
                                                             : "true");
  step_text(s, "KEEP", attr_int(n, "keepdims", 1) ? "true" : "false");
  step_dim(s, "KEPT", value_numel(y));
  step_kernel(s, "cuda/reduce.h");
  device_index(s, value_numel(x));
  s->kernel_note = "cuda reduction";
}

static void lower_arg(Plan *p, Node *n)
{
  const Value *x = n->in[0];
  DimPool *d = &p->m->dims;
  const Dim *one = dim_int(d, 1), *inner = one;
  int64_t axis = attr_int(n, "axis", 0);
  int at = (int)(axis < 0 ? axis + x->rank : axis);
  if (x->rank)
    inner = dim_prod(d, x->dim + at + 1, x->rank - at - 1);
  Step *s = device_step(p, n, "CUDA_ARG");
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  cuda_put_class(s, "TYPE", x->dtype);
  step_dim(s, "OUTER", x->rank ? dim_prod(d, x->dim, at) : one);
  step_dim(s, "LENGTH", x->rank ? x->dim[at] : one);
  step_dim(s, "INNER", inner);
  step_text(s, "LEAST", node_is(n, "ArgMin") ? "true" : "false");
  step_text(s, "LAST", attr_int(n, "select_last_index", 0) ? "true" : "false");
  if (x->rank && dim_is(inner, 1))
    cuda_put_share(s, x->dim[at]);
  else
    step_int(s, "SHARE", 1);
  step_kernel(s, "cuda/reduce.h");
  device_index(s, value_numel(x));
  s->kernel_note = "cuda reduction";
}

void cuda_lower_reduce(Plan *p, Node *n)
{
  bool gone[MAX_RANK];
  if (is_arg(n))
    lower_arg(p, n);
  else if (!reduce_axes(n, gone))
    lower_by_data(p, n, reduction_of(n));
  else
    lower_reduction(p, n, reduction_of(n));
}
