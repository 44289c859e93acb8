/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA provider: kernels written out by templates/cuda, and calls of
 * o2c_cuda.h, which cuDNN and cuBLASLt answer. */
#include "cuda.h"

/* The last resort: reference kernels by one thread. */
bool cuda_takes_ref(const Plan *p, const Node *n)
{
  return ref_fits_thread(p, (Node *)(uintptr_t)n);
}

void cuda_lower_ref(Plan *p, Node *n)
{
  lower_ref_thread(p, n);
}

static const DeviceLowering lowerings[] = {
#define LOWERING(name) { #name, cuda_takes_##name, cuda_lower_##name },
#include "lowerings.def"
#undef LOWERING
};

Step *device_step(Plan *p, Node *n, const char *macro)
{
  Step *s = step_new(p, n, macro);
  s->device = true;
  s->kernel_note = "cuda";
  return s;
}

void device_index(Step *s, const Dim *count)
{
  int64_t v;
  DimPool *d = &s->plan->m->dims;
  if (s->plan->block > 0)
    count = dim_subst(d, count, s->plan->batch, dim_int(d, s->plan->block));
  bool small = dim_is_int(count, &v) && v < (int64_t)1 << 30;
  step_text(s, "INDEX", small ? "int32_t" : "int64_t");
}

bool cuda_all_types(const Node *n, const Dtype *types)
{
  for (int i = 0; i < n->nin + n->nout; i++) {
    const Value *v = i < n->nin ? n->in[i] : n->out[i - n->nin];
    const Dtype *t = types;
    while (v && *t != DT_NONE && *t != v->dtype)
      t++;
    if (v && *t == DT_NONE)
      return false;
  }
  return true;
}

const char *cuda_dtype(Dtype t)
{
  return t == DT_F16 ? "O2C_F16" : t == DT_BF16 ? "O2C_BF16" : "O2C_F32";
}

bool cuda_float_type(Dtype t)
{
  return t == DT_F32 || t == DT_F64 || t == DT_F16 || t == DT_BF16;
}

void cuda_put_type(Step *s, Dtype t)
{
  const char *name = dtype_info(t)->name;
  bool narrow = t == DT_F16 || t == DT_BF16, real = cuda_float_type(t);
  step_text(s, "T", "%s", dtype_info(t)->c);
  step_text(s, "A", "%s", t == DT_F64 ? "double" : real ? "float" : "int32_t");
  step_text(s, "F", "%s", t == DT_F64 ? "" : "f");
  step_text(s, "LEAST", "%s", real ? "-INFINITY" : t == DT_I8 ? "-128" : "0");
  if (narrow) {
    step_text(s, "LOAD", "o2c_%s_to_f32", name);
    step_text(s, "STORE", "o2c_f32_to_%s", name);
    step_kernel(s, "ref/convert.h");
  } else {
    step_text(s, "LOAD", "%s", real ? "" : "(int32_t)");
    step_text(s, "STORE", real ? "" : "(%s)", dtype_info(t)->c);
  }
}

void cuda_put_class(Step *s, const char *key, Dtype t)
{
  step_text(s, key, "o2c_of_%s", dtype_info(t)->name);
}

const char *cuda_offset(Step *s, const char *e, int n, const Dim *const *dim,
                        const Dim *const *stride)
{
  Arena *a = s->plan->a;
  DimPool *d = &s->plan->m->dims;
  const Dim *inner = dim_int(d, 1);
  const char *text = NULL;
  for (int i = n - 1; i >= 0; inner = dim_mul(d, inner, dim[i--])) {
    if (dim_is(dim[i], 0)) /* nothing to be found, and no division by it */
      return arena_printf(a, "((void)%s, 0)", e);
    if (dim_is(dim[i], 1) || dim_is(stride[i], 0))
      continue;
    const char *at = dim_is(inner, 1) ? e
      : arena_printf(a, "%s / %s", e, step_dim_text(s, inner));
    if (i > 0)
      at = arena_printf(a, "%s %% %s", at, step_dim_text(s, dim[i]));
    if (!dim_is(stride[i], 1))
      at = arena_printf(a, "%s * %s", at, step_dim_text(s, stride[i]));
    text = text ? arena_printf(a, "%s + %s", at, text) : at;
  }
  return text ? text : arena_printf(a, "((void)%s, 0)", e);
}

const char *cuda_list(Step *s, int n, const Dim *const *dim)
{
  const char *text = n ? "" : "0";
  for (int i = 0; i < n; i++)
    text = arena_printf(s->plan->a, "%s%s%s", text, i ? ", " : "",
                        step_dim_text(s, dim[i]));
  return text;
}

void cuda_put_share(Step *s, const Dim *length)
{
  int64_t n;
  step_int(s, "SHARE", dim_is_int(length, &n) && n <= 1024 ? 32 : 256);
}

static const DeviceLowering *find(const Plan *p, const Node *n)
{
  for (int i = 0; i < COUNT(lowerings); i++)
    if (lowerings[i].takes(p, n))
      return &lowerings[i];
  return NULL;
}

static bool supports(const Plan *p, const Node *n)
{
  return find(p, n) != NULL;
}

static bool takes_strides(const Plan *p, Node *n, const Value *v, bool border)
{
  (void)p, (void)n, (void)v, (void)border;
  return false;
}

static bool by_one(const Plan *p, const Node *n)
{
  const DeviceLowering *l = find(p, n);
  return l && l->lower == cuda_lower_ref;
}

static void prepare(Plan *p)
{
  (void)p;
}

static void lower(Plan *p, Node *n)
{
  find(p, n)->lower(p, n);
}

const Target target_cuda = { "cuda", supports, takes_strides, by_one,
                             cuda_finds, cuda_join, prepare, lower };
