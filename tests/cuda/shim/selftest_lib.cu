/* SPDX-License-Identifier: Apache-2.0 */
/* selftest_lib.cu: the shim's convolution, product and attention against
 * loops that follow o2c_cuda.h word by word, at random sizes in all types; and
 * how long launches and a large convolution take. */
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "o2c_cuda.h"

#include <string>
#include <time.h>
#include <vector>

static int failures;
static uint64_t seed = 1;

static int64_t draw(int64_t from, int64_t to)
{
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return from + (int64_t)((seed >> 33) % (uint64_t)(to - from + 1));
}

/* Of this process: others may keep the machine busy. */
static double seconds()
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A context whose arena gives out tensors of random numbers. */
struct store {
  o2c_cuda *cu;
  int32_t dtype;
  size_t used;

  explicit store(size_t bytes, int32_t t = O2C_F32) : dtype(t), used(0)
  {
    o2c_device dev = {};
    o2c_config cfg = {};
    o2c_cuda_setup setup = {};
    dev.size = sizeof dev;
    dev.arena_size = bytes + O2C_CUDA_SCRATCH;
    cfg.size = sizeof cfg;
    cfg.device = &dev;
    setup.cfg = &cfg;
    setup.nlibrary = setup.nregion = 1;
    if (o2c_cuda_open(&cu, &setup, nullptr) != O2C_OK)
      abort();
  }
  store(const store &) = delete;
  store &operator=(const store &) = delete;
  ~store() { o2c_cuda_close(cu); }
  unsigned char *make(int64_t n)
  {
    unsigned char *p = o2c_cuda_arena(cu) + used;
    used += ((size_t)n * o2c_dtype_size(dtype) + 255) / 256 * 256;
    if (used > o2c_cuda_arena_size(cu))
      abort();
    for (int64_t i = 0; i < n; i++)
      set(p, i, (float)draw(-8, 8) / 8);
    return p;
  }
  void set(void *p, int64_t i, float v) const
  {
    if (dtype == O2C_F32)
      ((float *)p)[i] = v;
    else if (dtype == O2C_F16)
      ((__half *)p)[i] = __float2half_rn(v);
    else
      ((__nv_bfloat16 *)p)[i] = __float2bfloat16_rn(v);
  }
  float get(const void *p, int64_t i) const
  {
    return dtype == O2C_F32   ? ((const float *)p)[i]
           : dtype == O2C_F16 ? __half2float(((const __half *)p)[i])
                              : __bfloat162float(((const __nv_bfloat16 *)p)[i]);
  }
  /* Within a unit in the last place of what is rounded to the type. */
  void same(const void *p, int64_t i, double want, const char *what) const
  {
    double near = dtype == O2C_F32 ? 1e-6 : dtype == O2C_F16 ? 1e-3 : 8e-3;
    double v = (double)get(p, i);
    if (fabs(v - want) <= near * (fabs(want) + 0.01))
      return;
    if (failures++ < 20)
      printf("%s: element %lld is %g, not %g\n", what, (long long)i, v, want);
  }
};

static double clamp(double v, float lo, float hi)
{
  return v < (double)lo ? (double)lo : v > (double)hi ? (double)hi : v;
}

/* One output of a convolution: n, position, channel. */
static double conv_at(const store &s, const o2c_cuda_conv_p &p, const void *x,
                      const void *w, int64_t n, const int64_t *out, int64_t k)
{
  int64_t cg = p.c / p.groups, c0 = k / (p.k / p.groups) * cg, taps = 1;
  double sum = 0;
  for (int i = 0; i < p.rank; i++)
    taps *= p.kernel[i];
  for (int64_t tap = 0; tap < taps; tap++) {
    int64_t rest = tap, at[3], offset = n;
    bool inside = true;
    for (int i = p.rank - 1; i >= 0; i--) {
      at[i] = out[i] * p.stride[i] - p.before[i] +
              rest % p.kernel[i] * p.dilation[i];
      rest /= p.kernel[i];
      inside = inside && at[i] >= 0 && at[i] < p.in[i];
    }
    for (int i = 0; i < p.rank; i++)
      offset = offset * p.in[i] + at[i];
    for (int64_t c = 0; c < cg && inside; c++)
      sum += (double)s.get(x, offset * p.c + c0 + c) *
             (double)s.get(w, (k * taps + tap) * cg + c);
  }
  return sum;
}

static void test_conv(int32_t dtype)
{
  store s(8 << 20, dtype);
  o2c_cuda_conv_p p = {};
  int64_t nx, ny, nw, pixels = 1;
  p.dtype = dtype;
  p.rank = (int32_t)draw(1, 3);
  p.n = draw(1, 3);
  p.groups = draw(1, 3);
  p.c = p.groups * draw(1, 6);
  p.k = p.groups * draw(1, 6);
  p.lo = draw(0, 1) ? 0 : -INFINITY;
  p.hi = p.lo == 0 && draw(0, 1) ? 1.5f : INFINITY;
  nx = p.n * p.c;
  nw = p.k * (p.c / p.groups);
  for (int i = 0; i < p.rank; i++) {
    p.kernel[i] = draw(1, 3);
    p.stride[i] = draw(1, 3);
    p.dilation[i] = draw(1, 2);
    p.before[i] = draw(0, 2);
    p.after[i] = draw(0, 2);
    p.in[i] = draw(5, 9);
    p.out[i] = (p.in[i] + p.before[i] + p.after[i] -
                (p.kernel[i] - 1) * p.dilation[i] - 1) / p.stride[i] + 1;
    nx *= p.in[i];
    nw *= p.kernel[i];
    pixels *= p.out[i];
  }
  ny = p.n * pixels * p.k;
  void *x = s.make(nx), *w = s.make(nw), *y = s.make(ny);
  void *bias = draw(0, 1) ? s.make(p.k) : nullptr;
  void *residual = draw(0, 1) ? s.make(ny) : nullptr;
  void *in_place = draw(0, 1) && residual ? residual : y;
  std::vector<double> want((size_t)ny);
  for (int64_t i = 0; i < ny; i++) {
    int64_t out[3], rest = i / p.k % pixels;
    for (int a = p.rank - 1; a >= 0; a--) {
      out[a] = rest % p.out[a];
      rest /= p.out[a];
    }
    double v = conv_at(s, p, x, w, i / p.k / pixels, out, i % p.k);
    v += bias ? (double)s.get(bias, i % p.k) : 0;
    v += residual ? (double)s.get(residual, i) : 0;
    want[(size_t)i] = clamp(v, p.lo, p.hi);
  }
  o2c_cuda_conv(s.cu, 0, &p, x, w, bias, residual, in_place);
  for (int64_t i = 0; i < ny; i++)
    s.same(in_place, i, want[(size_t)i], "conv");
}

static void test_matmul(int32_t dtype)
{
  store s(8 << 20, dtype);
  o2c_cuda_matmul_p p = {};
  p.dtype = dtype;
  p.x_turned = (int32_t)draw(0, 1);
  p.w_turned = (int32_t)draw(0, 1);
  p.m = draw(1, 9);
  p.n = draw(1, 9);
  p.k = draw(1, 20);
  p.batch = draw(1, 3);
  int64_t xr = p.x_turned ? p.k : p.m, wr = p.w_turned ? p.n : p.k;
  p.x_row = (p.x_turned ? p.m : p.k) + draw(0, 2);
  p.w_row = (p.w_turned ? p.k : p.n) + draw(0, 2);
  p.y_row = p.n + draw(0, 2);
  p.x_batch = draw(0, 1) * xr * p.x_row;
  p.w_batch = draw(0, 1) * wr * p.w_row;
  p.y_batch = p.m * p.y_row;
  p.alpha = 0.5f;
  p.beta = 2;
  p.lo = draw(0, 1) ? 0 : -INFINITY;
  p.hi = draw(0, 1) ? 2.0f : INFINITY;
  void *x = s.make(p.batch * xr * p.x_row), *w = s.make(p.batch * wr * p.w_row);
  void *y = s.make(p.batch * p.y_batch);
  void *bias = draw(0, 1) ? s.make(p.n) : nullptr;
  void *residual = draw(0, 1) ? s.make(p.batch * p.y_batch) : nullptr;
  float gap = p.y_row > p.n ? s.get(y, p.n) : 0;
  o2c_cuda_matmul(s.cu, 0, &p, x, w, bias, residual, y);
  for (int64_t b = 0; b < p.batch; b++)
    for (int64_t i = 0; i < p.m; i++)
      for (int64_t j = 0; j < p.n; j++) {
        int64_t at = b * p.y_batch + i * p.y_row + j;
        double v = 0;
        for (int64_t k = 0; k < p.k; k++)
          v += (double)s.get(x, b * p.x_batch + (p.x_turned ? k * p.x_row + i
                                                 : i * p.x_row + k)) *
               (double)s.get(w, b * p.w_batch + (p.w_turned ? j * p.w_row + k
                                                 : k * p.w_row + j));
        v *= (double)p.alpha;
        v += bias ? (double)s.get(bias, j) : 0;
        v += residual ? (double)p.beta * (double)s.get(residual, at) : 0;
        s.same(y, at, clamp(v, p.lo, p.hi), "matmul");
      }
  if (p.y_row > p.n)
    s.same(y, p.n, (double)gap, "matmul between rows");
}

static void test_sdpa(int32_t dtype)
{
  store s(8 << 20, dtype);
  o2c_cuda_sdpa_p p = {};
  p.dtype = dtype;
  p.causal = (int32_t)draw(0, 1);
  p.b = draw(1, 2);
  p.hk = draw(1, 2);
  p.h = p.hk * draw(1, 3);
  p.s = draw(1, 5);
  p.t = p.s + draw(0, 4);
  p.d = 8 * draw(1, 2);
  p.dv = 8 * draw(1, 2);
  p.scale = 0.375f;
  /* q by heads, k and v with heads within a row, as projections give them. */
  const int64_t q[] = { p.h * p.s * p.d, p.s * p.d, p.d };
  const int64_t k[] = { p.t * p.hk * p.d, p.d, p.hk * p.d };
  const int64_t v[] = { p.t * p.hk * p.dv, p.dv, p.hk * p.dv };
  const int64_t y[] = { p.s * p.h * p.dv, p.dv, p.h * p.dv };
  const int64_t mask[] = { draw(0, 1) * p.s * p.t, 0, p.t };
  memcpy(p.q, q, sizeof q);
  memcpy(p.k, k, sizeof k);
  memcpy(p.v, v, sizeof v);
  memcpy(p.y, y, sizeof y);
  memcpy(p.mask, mask, sizeof mask);
  void *q_at = s.make(p.b * q[0]), *k_at = s.make(p.b * k[0]);
  void *v_at = s.make(p.b * v[0]), *y_at = s.make(p.b * y[0]);
  void *m_at = draw(0, 1) ? s.make(p.b * p.s * p.t) : nullptr;
  failures += o2c_cuda_sdpa(s.cu, 0, &p, q_at, k_at, v_at, m_at, y_at) != 1;
  for (int64_t b = 0; b < p.b; b++)
    for (int64_t h = 0; h < p.h; h++)
      for (int64_t i = 0; i < p.s; i++)
        for (int64_t e = 0; e < p.dv; e++) {
          int64_t hk = h * p.hk / p.h;
          double total = 0, sum = 0;
          for (int64_t j = 0; j < p.t; j++) {
            double x = 0;
            if (p.causal && j > i + p.t - p.s)
              continue;
            for (int64_t c = 0; c < p.d; c++)
              x += (double)s.get(q_at, b * q[0] + h * q[1] + i * q[2] + c) *
                   (double)s.get(k_at, b * k[0] + hk * k[1] + j * k[2] + c);
            x *= (double)p.scale;
            if (m_at)
              x += (double)s.get(m_at, b * mask[0] + i * p.t + j);
            total += exp(x);
            sum += exp(x) * (double)s.get(v_at, b * v[0] + hk * v[1] +
                                                  j * v[2] + e);
          }
          s.same(y_at, b * y[0] + h * y[1] + i * y[2] + e, sum / total,
                 "sdpa");
        }
  p.d = 7; /* which cuDNN has no kernel for */
  failures += o2c_cuda_sdpa(s.cu, 0, &p, q_at, k_at, v_at, m_at, y_at) != 0;
}

/* A product that fails, and one in a region that is replayed. */
static void test_calls()
{
  setenv("O2C_SHIM_FAIL", "library:1", 1);
  store s(1 << 20);
  unsetenv("O2C_SHIM_FAIL");
  o2c_cuda_matmul_p p = {};
  p.dtype = O2C_F32;
  p.m = p.n = p.k = p.batch = p.x_row = p.w_row = p.y_row = 1;
  p.alpha = 1;
  p.lo = -INFINITY;
  p.hi = INFINITY;
  float *x = (float *)s.make(1), *w = (float *)s.make(1);
  float *y = (float *)s.make(1), two = 2;
  o2c_cuda_matmul(s.cu, 0, &p, x, w, nullptr, nullptr, y);
  failures += !strstr(o2c_cuda_message(s.cu), "o2c_cuda_matmul");
  failures += o2c_cuda_region(s.cu, 0, "", 0) != 0;
  failures += o2c_cuda_wait(s.cu) != O2C_E_DEVICE;
  for (int i = 0; i < 4; i++) {
    float in = (float)i, out = -1;
    o2c_cuda_start(s.cu);
    o2c_cuda_put(s.cu, w, &two, 4);
    o2c_cuda_copy(s.cu, x, &in, 4);
    if (o2c_cuda_region(s.cu, 0, "", 0)) {
      p.alpha = 1;
      o2c_cuda_matmul(s.cu, 0, &p, x, w, nullptr, nullptr, y);
      p.alpha = 0; /* the call has a copy of its own */
      failures += o2c_cuda_end(s.cu, 0) != O2C_OK;
    }
    failures += o2c_cuda_get(s.cu, &out, y, 4) != O2C_OK;
    failures += out != 2 * in;
  }
}

/* Not the `add` of the other unit. */
static __global__ void add(float *y)
{
  y[blockIdx.x * blockDim.x + threadIdx.x] = 1;
}

static __global__ void add_after(float *y, int barriers)
{
  for (int i = 0; i < barriers; i++)
    __syncthreads();
  y[blockIdx.x * blockDim.x + threadIdx.x] = 2;
}

static __global__ void add_warp(float *y, int shuffles)
{
  float v = (float)threadIdx.x;
  for (int i = 0; i < shuffles; i++)
    v += __shfl_xor_sync(0xffffffffu, v, 1 << i % 5);
  y[blockIdx.x * blockDim.x + threadIdx.x] = v;
}

static void time_all()
{
  store s(64 << 20);
  float *y = (float *)s.make(768);
  const int times = 1000;
  double t = seconds();
  for (int i = 0; i < times; i++)
    O2C_LAUNCH(s.cu, add, 3, 256, y);
  printf("3 x 256 threads: %.1f us", (seconds() - t) * 1e6 / times);
  t = seconds();
  for (int i = 0; i < times; i++)
    O2C_LAUNCH(s.cu, add_after, 3, 256, y, 10);
  printf(", with 10 barriers %.1f us", (seconds() - t) * 1e6 / times);
  t = seconds();
  for (int i = 0; i < times; i++)
    O2C_LAUNCH(s.cu, add_warp, 3, 256, y, 10);
  printf(", with 10 shuffles %.1f us\n", (seconds() - t) * 1e6 / times);
  o2c_cuda_conv_p p = {};
  p.dtype = O2C_F32;
  p.rank = 2;
  p.n = p.groups = 1;
  p.c = p.k = 128;
  for (int i = 0; i < 2; i++) {
    p.in[i] = p.out[i] = 56;
    p.kernel[i] = 3;
    p.stride[i] = p.dilation[i] = p.before[i] = p.after[i] = 1;
  }
  p.lo = -INFINITY;
  p.hi = INFINITY;
  void *x = s.make(128 * 56 * 56), *w = s.make(128 * 128 * 9);
  void *z = s.make(128 * 56 * 56);
  t = seconds();
  o2c_cuda_conv(s.cu, 0, &p, x, w, nullptr, nullptr, z);
  t = seconds() - t;
  printf("convolution: %.2f GMAC/s\n", 56. * 56 * 128 * 128 * 9 / t * 1e-9);
}

int test_library(bool measure)
{
  static const int32_t dtype[] = { O2C_F32, O2C_F16, O2C_BF16 };
  for (int i = 0; i < 60; i++) {
    test_conv(dtype[i % 3]);
    test_matmul(dtype[i % 3]);
    test_sdpa(dtype[1 + i % 2]);
  }
  test_calls();
  setenv("O2C_SHIM_LATE", "1", 1);
  test_calls();
  unsetenv("O2C_SHIM_LATE");
  if (measure)
    time_all();
  return failures;
}
