/* SPDX-License-Identifier: Apache-2.0 */
/* o2c_cuda_calls.cpp: o2c_cuda_conv, o2c_cuda_matmul and o2c_cuda_sdpa of the
 * shim, which hold a call against its contract before it goes to the stream:
 * sizes that fit each other, and memory of the device that is large enough. A
 * call that breaks it ends the program: on a GPU it might only be wrong. */
#include "o2c_cuda_state.h"

using namespace o2c_shim;

namespace {

#define DEMAND(call, condition) \
  do { \
    if (!(condition)) \
      fail("%s (plan %u): not so: %s", call, plan, #condition); \
  } while (0)

/* A tensor of the device's: from the arena below the scratch, the weights, or
 * a caller's device memory; n elements. */
void demand_memory(o2c_cuda *cu, const char *call, unsigned plan,
                   const char *what, const void *p, int64_t n, int32_t dtype)
{
  size_t left, bytes = (size_t)n * o2c_dtype_size(dtype);
  if (!p || !block_of(p, &left))
    fail("%s (plan %u): %s is not the device's memory", call, plan, what);
  size_t at = (size_t)((const unsigned char *)p - cu->arena);
  if ((uintptr_t)p >= (uintptr_t)cu->arena &&
      at < cu->arena_size + O2C_CUDA_SCRATCH)
    left = at < cu->arena_size ? cu->arena_size - at : 0;
  if (bytes > left)
    fail("%s (plan %u): %s takes %zu bytes, and %zu are there", call, plan,
         what, bytes, left);
  if ((uintptr_t)p % o2c_dtype_size(dtype))
    fail("%s (plan %u): %s is not aligned to its elements", call, plan, what);
}

/* y may be the residual itself, but overlaps nothing that is read elsewhere. */
void demand_apart(const char *call, unsigned plan, const char *what,
                  const void *p, int64_t n, const void *y, int64_t ny,
                  int32_t dtype)
{
  uintptr_t size = o2c_dtype_size(dtype), a = (uintptr_t)p, b = (uintptr_t)y;
  if (a < b + (uintptr_t)ny * size && b < a + (uintptr_t)n * size)
    fail("%s (plan %u): y overlaps %s", call, plan, what);
}

/* Whether the call is to be done: no error stays, and it isn't to fail. */
bool enter(o2c_cuda *cu, const char *call, unsigned plan, int32_t dtype)
{
  if (cu->status != O2C_OK)
    return false;
  DEMAND(call, plan < cu->nlibrary);
  DEMAND(call, dtype == O2C_F32 || dtype == O2C_F16 || dtype == O2C_BF16);
  if (++cu->libraries == cu->fail_library) {
    cu->keep(O2C_E_DEVICE, std::string(call) + ": the library failed");
    return false;
  }
  return true;
}

/* Elements from the first to the last of a strided tensor. */
int64_t extent(int64_t n0, int64_t s0, int64_t n1, int64_t s1, int64_t n2,
               int64_t s2, int64_t row)
{
  return (n0 - 1) * s0 + (n1 - 1) * s1 + (n2 - 1) * s2 + row;
}

/* Of each call of cuDNN its kind, sizes and which operands it has, as plans.c
 * reads them: appended to the file that O2C_SHIM_CALLS names. */
template <class P> void note(int32_t kind, const P *p, bool one, bool two)
{
  const char *path = getenv("O2C_SHIM_CALLS");
  FILE *f = path ? fopen(path, "ab") : nullptr;
  const int32_t with[2] = { one, two };
  if (!f)
    return;
  fwrite(&kind, sizeof kind, 1, f);
  fwrite(p, sizeof *p, 1, f);
  fwrite(with, sizeof with, 1, f);
  fclose(f);
}

} // namespace

void o2c_cuda_conv(o2c_cuda *cu, unsigned plan, const o2c_cuda_conv_p *p,
                   const void *x, const void *w, const void *bias,
                   const void *residual, void *y)
{
  const char *call = "o2c_cuda_conv";
  if (!enter(cu, call, plan, p->dtype))
    return;
  DEMAND(call, p->rank >= 1 && p->rank <= 3);
  DEMAND(call, p->n > 0 && p->c > 0 && p->k > 0 && p->groups > 0);
  DEMAND(call, p->c % p->groups == 0 && p->k % p->groups == 0);
  DEMAND(call, p->lo == 0 ? p->hi >= 0
                          : p->lo == -INFINITY && p->hi == INFINITY);
  int64_t nx = p->n * p->c, ny = p->n * p->k, nw = p->k * (p->c / p->groups);
  for (int i = 0; i < p->rank; i++) {
    DEMAND(call, p->in[i] > 0 && p->out[i] > 0 && p->kernel[i] > 0);
    DEMAND(call, p->stride[i] > 0 && p->dilation[i] > 0);
    DEMAND(call, p->before[i] >= 0 && p->after[i] >= 0);
    int64_t room = p->in[i] + p->before[i] + p->after[i] -
                   (p->kernel[i] - 1) * p->dilation[i] - 1;
    DEMAND(call, room >= 0 && p->out[i] == room / p->stride[i] + 1);
    nx *= p->in[i];
    ny *= p->out[i];
    nw *= p->kernel[i];
  }
  demand_memory(cu, call, plan, "x", x, nx, p->dtype);
  demand_memory(cu, call, plan, "w", w, nw, p->dtype);
  demand_memory(cu, call, plan, "y", y, ny, p->dtype);
  demand_apart(call, plan, "x", x, nx, y, ny, p->dtype);
  demand_apart(call, plan, "w", w, nw, y, ny, p->dtype);
  if (bias)
    demand_memory(cu, call, plan, "bias", bias, p->k, p->dtype);
  if (residual)
    demand_memory(cu, call, plan, "residual", residual, ny, p->dtype);
  if (residual && residual != y)
    demand_apart(call, plan, "residual", residual, ny, y, ny, p->dtype);
  note('c', p, bias != nullptr, residual != nullptr);
  o2c_cuda_conv_p kept = *p;
  cu->add([=] { conv(kept, x, w, bias, residual, y); });
}

void o2c_cuda_matmul(o2c_cuda *cu, unsigned plan, const o2c_cuda_matmul_p *p,
                     const void *x, const void *w, const void *bias,
                     const void *residual, void *y)
{
  const char *call = "o2c_cuda_matmul";
  if (!enter(cu, call, plan, p->dtype))
    return;
  DEMAND(call, p->m > 0 && p->n > 0 && p->k > 0 && p->batch > 0);
  DEMAND(call, p->x_row >= (p->x_turned ? p->m : p->k));
  DEMAND(call, p->w_row >= (p->w_turned ? p->k : p->n));
  DEMAND(call, p->y_row >= p->n);
  DEMAND(call, p->x_batch >= 0 && p->w_batch >= 0);
  DEMAND(call, p->batch == 1 || p->y_batch > 0);
  DEMAND(call, p->lo <= p->hi);
  int64_t last = p->batch, nx, nw, ny;
  nx = p->x_turned ? extent(1, 0, last, p->x_batch, p->k, p->x_row, p->m)
                   : extent(1, 0, last, p->x_batch, p->m, p->x_row, p->k);
  nw = p->w_turned ? extent(1, 0, last, p->w_batch, p->n, p->w_row, p->k)
                   : extent(1, 0, last, p->w_batch, p->k, p->w_row, p->n);
  ny = extent(1, 0, last, p->y_batch, p->m, p->y_row, p->n);
  demand_memory(cu, call, plan, "x", x, nx, p->dtype);
  demand_memory(cu, call, plan, "w", w, nw, p->dtype);
  demand_memory(cu, call, plan, "y", y, ny, p->dtype);
  DEMAND(call, x != y && w != y);
  if (bias)
    demand_memory(cu, call, plan, "bias", bias, p->n, p->dtype);
  if (residual)
    demand_memory(cu, call, plan, "residual", residual, ny, p->dtype);
  o2c_cuda_matmul_p kept = *p;
  cu->add([=] { matmul(kept, x, w, bias, residual, y); });
}

int o2c_cuda_sdpa(o2c_cuda *cu, unsigned plan, const o2c_cuda_sdpa_p *p,
                  const void *q, const void *k, const void *v, const void *mask,
                  void *y)
{
  const char *call = "o2c_cuda_sdpa";
  if (!enter(cu, call, plan, p->dtype))
    return 1;
  DEMAND(call, p->dtype != O2C_F32);
  DEMAND(call, p->b > 0 && p->h > 0 && p->hk > 0 && p->h % p->hk == 0);
  DEMAND(call, p->s > 0 && p->t > 0 && p->d > 0 && p->dv > 0);
  DEMAND(call, p->s == 1 || (p->q[2] >= p->d && p->y[2] >= p->dv));
  DEMAND(call, p->t == 1 || (p->k[2] >= p->d && p->v[2] >= p->dv));
  int64_t nq = extent(p->b, p->q[0], p->h, p->q[1], p->s, p->q[2], p->d);
  int64_t nk = extent(p->b, p->k[0], p->hk, p->k[1], p->t, p->k[2], p->d);
  int64_t nv = extent(p->b, p->v[0], p->hk, p->v[1], p->t, p->v[2], p->dv);
  int64_t ny = extent(p->b, p->y[0], p->h, p->y[1], p->s, p->y[2], p->dv);
  demand_memory(cu, call, plan, "q", q, nq, p->dtype);
  demand_memory(cu, call, plan, "k", k, nk, p->dtype);
  demand_memory(cu, call, plan, "v", v, nv, p->dtype);
  demand_memory(cu, call, plan, "y", y, ny, p->dtype);
  DEMAND(call, q != y && k != y && v != y);
  if (mask)
    demand_memory(cu, call, plan, "mask", mask,
                  extent(p->b, p->mask[0], p->h, p->mask[1], p->s, p->mask[2],
                         p->t),
                  p->dtype);
  DEMAND(call, !p->causal || p->s <= p->t);
  note('a', p, mask != nullptr, false);
  if (p->d % 8 || p->dv % 8 || p->d > 128 || p->dv > 128)
    return 0; /* as cuDNN has it on most GPUs */
  o2c_cuda_sdpa_p kept = *p;
  cu->add([=] { sdpa(kept, q, k, v, mask, y); });
  return 1;
}
