/* SPDX-License-Identifier: Apache-2.0 */
/* NonZero, Compress and NonMaxSuppression, which find their sizes in data: a
 * node o2c.FindSizes (codegen/device_sizes.c) before them has a step that finds
 * how many there are, and keeps what the step of the node itself needs. */
#include "cuda.h"

#include <string.h>

enum { CHUNK = 4096 }; /* O2C_CHUNK */

/* What is looked at, and kept for it: a number for each chunk. */
typedef struct {
  Call call;
  const Dim *count, *kept;
} Found;

static bool is_number(Dtype t)
{
  DtypeClass c = dtype_info(t)->cls;
  return cuda_float_type(t) || c == DC_BOOL ||
         ((c == DC_INT || c == DC_UINT) && t != DT_I4 && t != DT_U4 &&
          t != DT_I2 && t != DT_U2);
}

static bool found_of(const Plan *p, const Node *n, Found *f)
{
  DimPool *d = &p->m->dims;
  bool nonzero = node_is(n, "NonZero"), compress = node_is(n, "Compress");
  if (!nonzero && !compress && !node_is(n, "NonMaxSuppression"))
    return false;
  if (n->nsize != 1 || node_calls(p, n, &f->call, 1) != 1 ||
      (nonzero && !is_number(n->in[0]->dtype)))
    return false;
  const Value *x = n->in[0];
  if (nonzero) {
    f->count = value_numel(x);
  } else if (compress) {
    f->count = dim_min(d, f->call.arg[6].dim[0], f->call.arg[4].dim[0]);
  } else {
    f->count = dim_mul(d, x->dim[0], n->in[1]->dim[1]);
    f->kept = dim_mul(d, f->count, dim_add(d, x->dim[1], dim_int(d, 1)));
    return true;
  }
  f->kept = dim_ceil_div(d, f->count, dim_int(d, CHUNK));
  return true;
}

bool cuda_finds(const Plan *p, const Node *n, Dtype *t, const Dim **elements)
{
  Found f;
  if (!found_of(p, n, &f))
    return false;
  *t = node_is(n, "NonMaxSuppression") ? DT_I32 : DT_I64;
  *elements = f.kept;
  return true;
}

/* The node whose sizes are found. */
static Node *found_for(const Node *n)
{
  Node *of = n->next;
  while (of && (node_is_internal(of, "Transfer") ||
                node_is_internal(of, "TakeSizes")))
    of = of->next;
  return of;
}

static Value *kept_for(const Node *n)
{
  const Node *z = n->prev;
  while (!node_is_internal(z, "FindSizes"))
    z = z->prev;
  return z->out[1];
}

bool cuda_takes_find(const Plan *p, const Node *n)
{
  (void)p;
  return node_is_internal(n, "FindSizes");
}

bool cuda_takes_found(const Plan *p, const Node *n)
{
  Found f;
  return found_of(p, n, &f);
}

static void put_is(Step *s, const Node *n)
{
  if (node_is(n, "Compress")) {
    step_in(s, "keep", n->in[1]);
    step_text(s, "IS", "keep[i] != 0");
    return;
  }
  step_in(s, "x", n->in[0]);
  step_text(s, "IS", "o2c_of_%s::load(x[i]) != 0",
            dtype_info(n->in[0]->dtype)->name);
}

/* nms: boxes scores most overlap least, .. , center is the last */
static void put_nms(Step *s, const Call *c)
{
  static const char *const name[] = { "most", "overlap", "least" };
  static const char *const key[] = { "MOST", "OVERLAP", "LEAST" };
  for (int i = 0; i < 3; i++) {
    Value *v = c->arg[2 + i].v;
    if (v)
      step_in(s, arena_printf(s->plan->a, "%s_in", name[i]), v);
    step_text(s, key[i], v ? "%s_in" : "NULL", name[i]);
  }
  step_dim(s, "CENTER", c->arg[c->narg - 1].dim[0]);
  step_ref(s, "nms", DT_F32);
}

static void put_rows(Step *s, const Node *n)
{
  cuda_put_dim(s, "N", n->in[0]->dim[1]);
  cuda_put_dim(s, "BATCH", n->in[0]->dim[0]);
  cuda_put_dim(s, "CLASSES", n->in[1]->dim[1]);
}

void cuda_lower_find(Plan *p, Node *z)
{
  Node *n = found_for(z);
  Found f;
  bool boxes = node_is(n, "NonMaxSuppression");
  Value **own = n->in;
  n->in = z->in; /* the node's hooks, of what lies here */
  found_of(p, n, &f);
  Step *s = device_step(p, z, boxes ? "CUDA_NMS" : "CUDA_FIND");
  if (boxes) {
    step_in(s, "boxes", n->in[0]);
    step_in(s, "scores", n->in[1]);
    put_nms(s, &f.call);
    put_rows(s, n);
  } else {
    put_is(s, n);
    cuda_put_dim(s, "COUNT", f.count);
  }
  n->in = own;
  step_out(s, "sizes", z->out[0]);
  step_out(s, "found", z->out[1]);
  if (boxes)
    step_scratch(s, "list", DT_I32, value_numel(z->out[1]));
  cuda_put_unused(s);
  step_kernel(s, "cuda/find.h");
  s->kernel_note = boxes ? "cuda boxes" : "cuda count";
}

static void put_places(Step *s, const Value *x)
{
  DimPool *d = &s->plan->m->dims;
  StrBuf b;
  sb_init(&b, s->plan->a);
  for (int i = 0; i < x->rank; i++) {
    const Dim *inner = dim_prod(d, (const Dim *const *)x->dim + i + 1,
                                x->rank - i - 1);
    bool none = dim_is(value_numel(x), 0);
    sb_printf(&b, "G_CUDA_NONZERO_AXIS(%d, <%%", i);
    if (none)
      sb_puts(&b, "0");
    else
      sb_printf(&b, "i / (%s) %% (%s)", step_dim_text(s, inner),
                step_dim_text(s, x->dim[i]));
    sb_puts(&b, "%>)");
  }
  step_text(s, "BODY", "%.*s", (int)b.n, b.s ? b.s : "");
  sb_free(&b);
}

void cuda_lower_found(Plan *p, Node *n)
{
  Found f;
  found_of(p, n, &f);
  DimPool *d = &p->m->dims;
  Value *found = kept_for(n), *x = n->in[0];
  bool boxes = node_is(n, "NonMaxSuppression");
  bool compress = node_is(n, "Compress");
  Step *s = device_step(p, n, boxes ? "CUDA_NMS_PUT" : compress
                        ? "CUDA_COMPRESS" : "CUDA_NONZERO");
  if (compress)
    step_in(s, "x", x);
  if (!boxes)
    put_is(s, n);
  step_in(s, "found", found);
  step_out(s, "y", n->out[0]);
  if (compress)
    step_scratch(s, "at", DT_I64, dim_max(d, n->size[0], dim_int(d, 1)));
  step_dim(s, "FOUND", n->size[0]);
  if (boxes)
    put_rows(s, n);
  else
    cuda_put_dim(s, "COUNT", f.count);
  if (compress) {
    cuda_put_words(s, x->dtype, f.call.arg[5].dim[0], value_numel(n->out[0]));
    step_dim(s, "N", f.call.arg[4].dim[0]);
  } else if (!boxes) {
    put_places(s, x);
  }
  cuda_put_unused(s);
  step_kernel(s, "cuda/find.h");
  s->kernel_note = boxes ? "cuda boxes" : compress ? "cuda compress"
                                                   : "cuda nonzero";
}
