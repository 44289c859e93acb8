/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA provider: kernels written out by templates/cuda, and calls of
 * o2c_cuda.h, which cuDNN and cuBLASLt answer. */
#include "cuda.h"

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

void cuda_put_type(Step *s, Dtype t)
{
  const char *name = dtype_info(t)->name;
  step_text(s, "T", "%s", dtype_info(t)->c);
  if (t == DT_F32) {
    step_text(s, "LOAD", "%s", "");
    step_text(s, "STORE", "%s", "");
    return;
  }
  step_kernel(s, "ref/convert.h");
  step_text(s, "LOAD", "o2c_%s_to_f32", name);
  step_text(s, "STORE", "o2c_f32_to_%s", name);
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

static void prepare(Plan *p)
{
  (void)p;
}

static void lower(Plan *p, Node *n)
{
  find(p, n)->lower(p, n);
}

const Target target_cuda = { "cuda", supports, takes_strides, prepare, lower };
