/* SPDX-License-Identifier: Apache-2.0 */
/* selftest.cu: tests of the shim itself, in the words that a generated model
 * uses. What has to end the program is tried in a child process. Prints what
 * fails, and gives exit status 1 then. The argument `time` measures too.
 * Build: nvcc_shim -O2 -I runtime_min -I runtime_min/kernels selftest.cu selftest_lib.cu
 *   selftest_tile.cu o2c_cuda.c -o selftest, where o2c_cuda.c lies in that folder. */
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "o2c_cuda.h"

#include <string>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vector>

static int failures;

#define CHECK(condition) \
  do { \
    if (!(condition)) { \
      printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      failures++; \
    } \
  } while (0)

/* A context as a model opens it. */
struct context {
  o2c_config cfg;
  o2c_device dev;
  o2c_cuda_setup setup;
  o2c_cuda_weight weight[2];
  float w[4];
  o2c_cuda *cu;
  const char *text;
  o2c_status status;

  explicit context(size_t arena = 1 << 20, cudaStream_t stream = nullptr)
  {
    memset((void *)this, 0, sizeof *this);
    for (int i = 0; i < 4; i++)
      w[i] = (float)i + 0.5f;
    dev.size = sizeof dev;
    dev.arena_size = arena + O2C_CUDA_SCRATCH;
    cfg.size = sizeof cfg;
    cfg.device = &dev;
    cfg.stream = stream;
    weight[0] = o2c_cuda_weight{ w, 0, 8, 64 };
    weight[1] = o2c_cuda_weight{ nullptr, 8, 8, 72 };
    setup.base = (const unsigned char *)w;
    setup.cfg = &cfg;
    setup.weight = weight;
    setup.nweight = 2;
    setup.weight_bytes = 64 + sizeof w;
    setup.nregion = 2;
    setup.nlibrary = 3;
  }
  context(const context &) = delete;
  context &operator=(const context &) = delete;
  ~context() { o2c_cuda_close(cu); }
  context &open()
  {
    status = o2c_cuda_open(&cu, &setup, &text);
    return *this;
  }
  template <class T> T *at(size_t byte) const
  {
    return (T *)(o2c_cuda_arena(cu) + byte);
  }
};

/* What of device memory is there, behind all work. */
template <class T> static std::vector<T> got(o2c_cuda *cu, const T *p, int n)
{
  std::vector<T> v((size_t)n);
  CHECK(o2c_cuda_get(cu, v.data(), p, v.size() * sizeof(T)) == O2C_OK);
  return v;
}

/* Whether fn ends the program, with all of the words in its message. */
static bool dies(void (*fn)(), const char *word, const char *other = "")
{
  int fd[2], status;
  char text[4096];
  size_t n = 0;
  ssize_t got;
  fflush(stdout);
  if (pipe(fd) != 0)
    return false;
  pid_t pid = fork();
  if (pid == 0) {
    dup2(fd[1], 2);
    close(fd[0]);
    fn();
    _exit(0);
  }
  close(fd[1]);
  while (n < sizeof text - 1 &&
         (got = read(fd[0], text + n, sizeof text - 1 - n)) > 0)
    n += (size_t)got;
  text[n] = 0;
  close(fd[0]);
  waitpid(pid, &status, 0);
  bool ok = !(WIFEXITED(status) && WEXITSTATUS(status) == 0) &&
            strstr(text, word) && strstr(text, other);
  if (!ok)
    printf("message: %s\n", text);
  return ok;
}

/* The block's sum by a tree in shared memory. */
static __global__ void __launch_bounds__(256)
sum_shared(const float *x, float *y)
{
  __shared__ float s[256];
  s[threadIdx.x] = x[blockIdx.x * blockDim.x + threadIdx.x];
  for (unsigned half = blockDim.x / 2; half; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half)
      s[threadIdx.x] += s[threadIdx.x + half];
  }
  if (threadIdx.x == 0)
    y[blockIdx.x] = s[0];
}

template <class T> __device__ __forceinline__ T warp_sum(T v)
{
  for (int i = 16; i; i >>= 1)
    v += __shfl_xor_sync(0xffffffffu, v, i);
  return v;
}

/* The same by shuffles, in all types. */
template <class T> static __global__ void sum_warps(const float *x, float *y)
{
  __shared__ T s[32];
  T v = warp_sum((T)x[blockIdx.x * blockDim.x + threadIdx.x]);
  if (threadIdx.x % warpSize == 0)
    s[threadIdx.x / 32] = v;
  __syncthreads();
  if (threadIdx.x < 32) {
    v = warp_sum(threadIdx.x < blockDim.x / 32 ? s[threadIdx.x] : (T)0);
    if (threadIdx.x == 0)
      y[blockIdx.x] = (float)v;
  }
}

static void test_barriers()
{
  context c;
  o2c_cuda *cu = c.open().cu;
  std::vector<float> x(768);
  float *in = c.at<float>(0), *out = c.at<float>(4096);
  for (size_t i = 0; i < x.size(); i++)
    x[i] = (float)(i % 97);
  float want[3] = {};
  for (size_t i = 0; i < x.size(); i++)
    want[i / 256] += x[i];
  CHECK(o2c_cuda_put(cu, in, x.data(), x.size() * 4) == O2C_OK);
  O2C_LAUNCH(cu, sum_shared, 3, 256, in, out);
  O2C_LAUNCH(cu, sum_warps<float>, 3, 256, in, out + 3);
  O2C_LAUNCH(cu, (sum_warps<long long>), 3, 256, in, out + 6);
  O2C_LAUNCH(cu, sum_warps<unsigned>, 3, 256, in, out + 9);
  O2C_LAUNCH(cu, sum_warps<double>, 3, 256, in, out + 12);
  std::vector<float> y = got(cu, out, 15);
  for (size_t i = 0; i < 15; i++)
    CHECK(y[i] == want[i % 3]);
}

/* One thread of the block has returned before others come to barriers. */
static __global__ void early(int *y)
{
  if (threadIdx.x % 3 == 1)
    return;
  int n = __syncthreads_count(threadIdx.x % 2 == 0);
  int any = __syncthreads_or(threadIdx.x == 6);
  int all = __syncthreads_and(threadIdx.x % 3 != 1);
  y[threadIdx.x] = n * 100 + any * 10 + all;
}

/* Lane by lane what shuffles and votes say. Warp 1 has 8 lanes. */
static __global__ void lanes_of(int *y)
{
  unsigned mask = threadIdx.x < 32 ? 0xffffffffu : 0xffu;
  int t = (int)threadIdx.x, *to = y + t * 8;
  to[0] = __shfl_sync(mask, t, 3);
  to[1] = __shfl_sync(mask, t, 5, 4);
  to[2] = __shfl_up_sync(mask, t, 2);
  to[3] = __shfl_down_sync(mask, t, 1, 8);
  to[4] = __shfl_xor_sync(mask, t, 1);
  to[5] = (int)__ballot_sync(mask, t % 2);
  to[6] = __any_sync(mask, t == 35) * 2 + __all_sync(mask, t < 32);
  if (t % 2) /* part of a warp, each with its own mask */
    to[7] = __shfl_sync(0xaaaaaaaau, t, 7);
  else
    to[7] = __shfl_sync(0x55555555u, t, 4);
  __syncwarp();
}

static void test_lanes()
{
  context c;
  o2c_cuda *cu = c.open().cu;
  int *y = c.at<int>(0);
  O2C_LAUNCH(cu, early, 1, 70, y);
  std::vector<int> e = got(cu, y, 70);
  int even = 0;
  for (int i = 0; i < 70; i++)
    even += i % 3 != 1 && i % 2 == 0;
  for (int i = 0; i < 70; i++)
    CHECK(e[(size_t)i] == (i % 3 == 1 ? -1 : even * 100 + 11));
  O2C_LAUNCH(cu, lanes_of, 1, 40, y);
  std::vector<int> v = got(cu, y, 320);
  for (int t = 0; t < 40; t++) {
    const int *r = &v[(size_t)t * 8];
    int base = t / 32 * 32;
    CHECK(r[0] == base + 3);
    CHECK(r[1] == t / 4 * 4 + 1);
    CHECK(r[2] == (t % 32 < 2 ? t : t - 2));
    CHECK(r[3] == (t % 8 == 7 ? t : t + 1));
    CHECK(r[4] == (t ^ 1));
    CHECK((unsigned)r[5] == (t < 32 ? 0xaaaaaaaau : 0xaau));
    CHECK(r[6] == (t < 32 ? 1 : 2));
    CHECK(r[7] == base + (t % 2 ? 7 : 4));
  }
}

struct three {
  int n;
  float by;
  int *count;
};

/* A grid-stride loop in three dimensions, with a struct for an argument. */
static __global__ void stride(const __grid_constant__ three p, float *y,
                       unsigned long long *most)
{
  int at = (int)((blockIdx.y * gridDim.x + blockIdx.x) * blockDim.x *
                   blockDim.y * blockDim.z +
                 (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x +
                 threadIdx.x);
  int step = (int)(gridDim.x * gridDim.y * blockDim.x * blockDim.y *
                   blockDim.z);
  for (int i = at; i < p.n; i += step) {
    atomicAdd(&y[i % 7], (float)i * p.by);
    atomicAdd(p.count, 1);
    atomicMax(most, (unsigned long long)i);
  }
}

static __global__ void cas(double *sum)
{
  unsigned long long *p = (unsigned long long *)sum, seen = *p, was;
  do {
    was = seen;
    double v = __longlong_as_double((long long)was) + 1.5;
    seen = atomicCAS(p, was, (unsigned long long)__double_as_longlong(v));
  } while (seen != was);
}

static void test_atomics()
{
  context c;
  o2c_cuda *cu = c.open().cu;
  struct {
    float y[8];
    double sum;
    unsigned long long most;
    int count;
  } z = {}, *d = c.at<decltype(z)>(0);
  CHECK(o2c_cuda_put(cu, d, &z, sizeof z) == O2C_OK);
  three p = { 1000, 2.0f, &d->count };
  O2C_LAUNCH(cu, stride, dim3(2, 2), dim3(4, 3, 2), p, d->y, &d->most);
  O2C_LAUNCH(cu, cas, 3, 64, &d->sum);
  CHECK(o2c_cuda_get(cu, &z, d, sizeof z) == O2C_OK);
  float all = 0;
  for (int i = 0; i < 7; i++)
    all += z.y[i];
  CHECK(all == 999000.0f && z.count == 1000 && z.most == 999);
  CHECK(z.sum == 3 * 64 * 1.5);
  unsigned u = 6;
  int n = 5;
  float f = 1;
  CHECK(atomicOr(&u, 9u) == 6 && u == 15 && atomicExch(&f, 2.0f) == 1 &&
        f == 2 && atomicMin(&n, 3) == 5 && n == 3);
}

static void test_numbers()
{
  CHECK(__dp4a((int)0xff02807f, (int)0x017f8002, 10) ==
        10 + -1 * 1 + 2 * 127 + -128 * -128 + 127 * 2);
  CHECK(__dp4a(0xff028001u, 0x01020304u, 1u) == 1 + 255 + 4 + 384 + 4);
  CHECK(min(3, -1) == -1 && max(3u, -1) == 0xffffffffu);
  CHECK(min(1.0f, NAN) == 1.0f && max(2LL, 3LL) == 3);
  CHECK(__float2int_rn(2.5f) == 2 && __float2int_rn(3e9f) == 2147483647 &&
        __float2int_rz(-3e9f) == -2147483647 - 1 && __float2int_rz(NAN) == 0);
  CHECK(__popc(0xf0) == 4 && __clz(1) == 31 && __clz(0) == 32 &&
        __ffs(8) == 4 && __umulhi(1u << 31, 4) == 2);
  CHECK(__float_as_int(1.0f) == 0x3f800000 && rsqrtf(4.0f) == 0.5f);
  /* All halves go to floats and back; between two, the nearest is taken, and
   * of a tie the even one. */
  for (unsigned i = 0; i < 0x7c00; i++) {
    float f = o2c_shim::half_to_float((uint16_t)i), g, mid;
    CHECK(o2c_shim::float_to_half(f) == i);
    CHECK(o2c_shim::float_to_half(-f) == (i | 0x8000));
    g = i == 0x7bff ? 65536.0f : o2c_shim::half_to_float((uint16_t)(i + 1));
    mid = (f + g) / 2;
    CHECK(o2c_shim::float_to_half(mid) == i + (i & 1));
    CHECK(o2c_shim::float_to_half(nextafterf(mid, 0)) == i);
    CHECK(o2c_shim::float_to_half(nextafterf(mid, 1e9f)) == i + 1);
  }
  for (unsigned i = 0; i < 0x7f80; i += 7) {
    float f = o2c_shim::bf16_to_float((uint16_t)i);
    CHECK(o2c_shim::float_to_bf16(f) == i);
    unsigned u = i << 16 | 0x8000;
    CHECK(o2c_shim::float_to_bf16(__uint_as_float(u)) == i + (i & 1));
    CHECK(o2c_shim::float_to_bf16(__uint_as_float(u - 1)) == i);
    CHECK(o2c_shim::float_to_bf16(__uint_as_float(u + 1)) == i + 1);
  }
  CHECK(o2c_shim::float_to_half(NAN) == 0x7fff &&
        o2c_shim::float_to_half(-INFINITY) == 0xfc00 &&
        o2c_shim::float_to_bf16(NAN) == 0x7fff);
  CHECK(__half2float(__float2half_rn(1.0f / 3)) == 0x1.554p-2f);
  CHECK(__bfloat162float(__float2bfloat16_rn(1.0f / 3)) == 0x1.56p-2f);
}

static __global__ void diverge_block(int *y)
{
  if (threadIdx.x < 40)
    __syncthreads();
  else
    __syncthreads();
  *y = 1;
}
static __global__ void diverge_mixed(int *y)
{
  if (threadIdx.x % 2)
    __syncthreads();
  else
    *y = __shfl_sync(0xffffffffu, 1, 0);
}
static __global__ void diverge_mask(int *y)
{
  if (threadIdx.x % 2)
    __syncwarp(0xffffffffu);
  else
    *y = __shfl_sync(0x0000ffffu, 1, 0);
}
static __global__ void outside_mask(int *y)
{
  *y = __shfl_sync(0x0000ffffu, 1, 0);
}
static __global__ void trapped(int *y)
{
  if (threadIdx.x == 5)
    __trap();
  *y = 0;
}

template <void (*kernel)(int *)> static void launch_it()
{
  context c;
  c.open();
  O2C_LAUNCH(c.cu, kernel, 1, 64, c.at<int>(0));
  o2c_cuda_wait(c.cu);
}

static void diverge_named()
{
  context c;
  c.open();
  O2C_LAUNCH(c.cu, diverge_block, 1, 64, c.at<int>(0));
  o2c_cuda_wait(c.cu);
}

static void test_divergence()
{
  CHECK(dies(diverge_named, "kernel diverge_block, block (0, 0, 0)",
             "thread (40, 0, 0) waits in __syncthreads"));
  CHECK(dies(launch_it<diverge_mixed>, "divergent", "__shfl_sync"));
  CHECK(dies(launch_it<diverge_mask>, "o2c_shim: kernel", "mask 0x"));
  CHECK(dies(launch_it<outside_mask>, "not in its own mask"));
  CHECK(dies(launch_it<trapped>, "__trap", "(5, 0, 0)"));
}

/* Right only if the threads run in ascending order. */
static __global__ void racy(int *y)
{
  __shared__ int last;
  last = (int)threadIdx.x;
  __syncthreads();
  y[0] = last;
}

static __global__ void order_of(int *y, int *n)
{
  y[atomicAdd(n, 1)] = (int)(blockIdx.x * blockDim.x + threadIdx.x);
}

static void test_order()
{
  static const char *const order[] = { "0", "1", "2" };
  int last[3];
  for (int k = 0; k < 3; k++) {
    setenv("O2C_SHIM_ORDER", order[k], 1);
    context c;
    o2c_cuda *cu = c.open().cu;
    int *y = c.at<int>(256), *n = c.at<int>(0), zero = 0;
    O2C_LAUNCH(cu, racy, 1, 100, y);
    last[k] = got(cu, y, 1)[0];
    o2c_cuda_put(cu, n, &zero, 4);
    O2C_LAUNCH(cu, order_of, 5, 100, y, n);
    std::vector<int> v = got(cu, y, 500);
    std::vector<bool> seen(500);
    bool up = true;
    for (int i = 0; i < 500; i++) {
      seen[(size_t)v[(size_t)i]] = true;
      up = up && v[(size_t)i] == i;
      CHECK(k != 1 || v[(size_t)i] == 499 - i);
    }
    for (int i = 0; i < 500; i++)
      CHECK(seen[(size_t)i]);
    CHECK(up == (k == 0));
    test_barriers();
    test_lanes();
  }
  unsetenv("O2C_SHIM_ORDER");
  CHECK(last[0] == 99 && last[1] == 0 && last[2] != 99);
}

static __global__ void add(const float *x, float *y, float v, int n)
{
  for (int i = (int)(blockIdx.x * blockDim.x + threadIdx.x); i < n;
       i += (int)(gridDim.x * blockDim.x))
    y[i] = x[i] + v;
}

/* A region's step takes v from the host; the key has it, or not. */
static float region_run(context &c, float v, bool keyed)
{
  struct {
    float v;
  } key = { keyed ? v : 0 };
  o2c_cuda *cu = c.cu;
  float *x = c.at<float>(0), in = 1, out = -1;
  o2c_cuda_start(cu);
  CHECK(o2c_cuda_copy(cu, x, &in, 4) == O2C_OK);
  if (o2c_cuda_region(cu, 1, &key, sizeof key)) {
    O2C_LAUNCH(cu, add, 1, 32, x, x + 1, v, 1);
    o2c_cuda_copy(cu, x + 2, x + 1, 4);
    CHECK(o2c_cuda_end(cu, 1) == O2C_OK);
  }
  CHECK(o2c_cuda_copy(cu, &out, x + 2, 4) == O2C_OK);
  CHECK(o2c_cuda_finish(cu, O2C_OK) == O2C_OK);
  CHECK(o2c_cuda_wait(cu) == O2C_OK);
  return out;
}

static void test_regions()
{
  context c;
  c.open();
  long replays = o2c_shim_replays();
  for (int i = 0; i < 5; i++)
    CHECK(region_run(c, 2, true) == 3);
  CHECK(o2c_shim_replays() - replays == 3);
  for (int i = 0; i < 2; i++)
    CHECK(region_run(c, 3, true) == 4);
  CHECK(region_run(c, 4, true) == 5);
  replays = o2c_shim_replays();
  CHECK(region_run(c, 3, true) == 4 && o2c_shim_replays() == replays + 1);
  /* 72 other keys push it out. */
  for (int i = 10; i < 82; i++)
    CHECK(region_run(c, (float)i, true) == (float)i + 1);
  replays = o2c_shim_replays();
  CHECK(region_run(c, 3, true) == 4 && o2c_shim_replays() == replays);
  /* What the key lacks is found. */
  CHECK(region_run(c, 5, false) == 6 && region_run(c, 6, false) == 7);
  CHECK(region_run(c, 7, false) == 7);
  setenv("O2C_SHIM_GRAPHS", "0", 1);
  context plain;
  plain.open();
  unsetenv("O2C_SHIM_GRAPHS");
  replays = o2c_shim_replays();
  for (int i = 0; i < 4; i++)
    CHECK(region_run(plain, (float)i, false) == (float)i + 1);
  CHECK(o2c_shim_replays() == replays);
}

static void get_inside()
{
  context c;
  int v;
  c.open();
  o2c_cuda_region(c.cu, 0, "", 0);
  o2c_cuda_get(c.cu, &v, c.at<int>(0), 4);
}
static void put_swapped()
{
  context c;
  int v = 0;
  c.open();
  o2c_cuda_put(c.cu, &v, c.at<int>(0), 4);
}
static void copy_too_much()
{
  context c;
  int v = 0;
  c.open();
  o2c_cuda_copy(c.cu, (char *)(uintptr_t)o2c_cuda_weights(c.cu) + 78, &v, 4);
}
static void conv_too_large()
{
  context c(64);
  o2c_cuda_conv_p p = {};
  c.open();
  p.dtype = O2C_F32;
  p.rank = 1;
  p.n = p.c = p.k = p.groups = p.in[0] = p.out[0] = 1;
  p.kernel[0] = p.stride[0] = p.dilation[0] = 1;
  p.lo = -INFINITY;
  p.hi = INFINITY;
  o2c_cuda_conv(c.cu, 0, &p, c.at<float>(0), c.at<float>(4), nullptr, nullptr,
                c.at<float>(60));
  o2c_cuda_conv(c.cu, 0, &p, c.at<float>(0), c.at<float>(4), nullptr, nullptr,
                c.at<float>(64));
}

/* Late work: results come with the wait, sources are read then. */
static void test_late()
{
  setenv("O2C_SHIM_LATE", "1", 1);
  cudaStream_t stream;
  CHECK(cudaStreamCreate(&stream) == cudaSuccess);
  {
    context c, shares(1 << 16, stream);
    o2c_cuda *cu = c.open().cu;
    float *x = c.at<float>(0), in = 1, out = -1, put = 5;
    o2c_cuda_start(cu);
    o2c_cuda_copy(cu, x, &in, 4);
    o2c_cuda_put(cu, x + 1, &put, 4);
    in = 2, put = 6;
    O2C_LAUNCH(cu, add, 1, 32, x, x + 2, 10.0f, 2);
    o2c_cuda_copy(cu, &out, x + 2, 4);
    CHECK(out == -1);
    CHECK(o2c_cuda_wait(cu) == O2C_OK && out == 12);
    CHECK(got(cu, x + 3, 1)[0] == 15 && o2c_cuda_waits(cu) == 2);
    CHECK(o2c_cuda_stream(shares.open().cu) == (void *)stream);
    for (int i = 0; i < 4; i++)
      CHECK(region_run(shares, 2, true) == 3);
  }
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
  test_barriers();
  test_regions();
  unsetenv("O2C_SHIM_LATE");
}

/* Opens with a failure; the status and a word of the message. */
static void fails(const char *what, o2c_status status, const char *word)
{
  setenv("O2C_SHIM_FAIL", what, 1);
  long live = o2c_shim_live();
  context c;
  c.open();
  unsetenv("O2C_SHIM_FAIL");
  CHECK(c.status == status && !c.cu && strstr(c.text, word));
  CHECK(o2c_shim_live() == live);
}

static __global__ void find_fault(int *fault)
{
  if (threadIdx.x == 3)
    *fault = O2C_E_DATA;
}

static void test_failures()
{
  fails("device", O2C_E_DEVICE, "no CUDA-capable device");
  fails("driver", O2C_E_DEVICE, "driver version");
  fails("memory", O2C_E_WORKSPACE, "memory");
  fails("weights", O2C_E_DEVICE, "weights");
  context none, small, c;
  none.cfg.device = nullptr;
  CHECK(none.open().status == O2C_E_ARG);
  small.dev.arena_size = O2C_CUDA_SCRATCH - 1;
  CHECK(small.open().status == O2C_E_WORKSPACE && small.text[0]);
  setenv("O2C_SHIM_FAIL", "launch:3", 1);
  o2c_cuda *cu = c.open().cu;
  unsetenv("O2C_SHIM_FAIL");
  float *x = c.at<float>(0);
  o2c_cuda_start(cu);
  O2C_LAUNCH(cu, add, 1, 32, x, x + 1, 1.0f, 1);
  O2C_LAUNCH(cu, add, 1, 32, x, x + 1, 1.0f, 1);
  CHECK(!o2c_cuda_message(cu)[0] && o2c_cuda_finish(cu, O2C_OK) == O2C_OK);
  O2C_LAUNCH(cu, add, 1, 32, x, x + 1, 1.0f, 1);
  CHECK(o2c_cuda_message(cu)[0] && o2c_cuda_finish(cu, O2C_OK) == O2C_E_DEVICE);
  CHECK(o2c_cuda_wait(cu) == O2C_E_DEVICE);
  o2c_cuda_start(cu);
  CHECK(!o2c_cuda_message(cu)[0] && o2c_cuda_wait(cu) == O2C_OK);
  O2C_LAUNCH(cu, add, 1, 1025, x, x + 1, 1.0f, 1);
  CHECK(o2c_cuda_wait(cu) == O2C_E_DEVICE);
  /* Data that a kernel finds wrong. */
  o2c_cuda_start(cu);
  O2C_LAUNCH(cu, find_fault, 1, 32, o2c_cuda_fault(cu));
  CHECK(o2c_cuda_finish(cu, O2C_OK) == O2C_OK && o2c_cuda_wait(cu) == O2C_E_DATA);
  o2c_cuda_start(cu);
  CHECK(o2c_cuda_finish(cu, O2C_OK) == O2C_OK && o2c_cuda_wait(cu) == O2C_OK);
  /* Pointers of the other side. */
  CHECK(o2c_cuda_check(cu, nullptr) == O2C_OK);
  CHECK(o2c_cuda_check(cu, &c) == O2C_OK);
  CHECK(o2c_cuda_check(cu, x) == O2C_E_ARG);
  CHECK(dies(get_inside, "o2c_cuda_get inside of region 0"));
  CHECK(dies(put_swapped, "o2c_cuda_put", "host"));
  CHECK(dies(copy_too_much, "o2c_cuda_copy", "4 bytes"));
  CHECK(dies(conv_too_large, "y takes 4 bytes, and 0 are there"));
}

static void test_memory()
{
  long live = o2c_shim_live();
  void *arena;
  {
    context a, b, c;
    a.open();
    const float *w = (const float *)(o2c_cuda_weights(a.cu) + 64);
    CHECK(w[3] == 3.5f && (uintptr_t)o2c_cuda_arena(a.cu) % 256 == 0);
    CHECK(isnan(*a.at<float>(128)));
    CHECK(o2c_cuda_arena_size(a.cu) == 1 << 20);
    CHECK(o2c_shim_live() == live + 5);
    b.dev.weights = o2c_cuda_weights(a.cu);
    CHECK(cudaMalloc(&arena, b.dev.arena_size) == cudaSuccess);
    b.dev.arena = arena;
    b.cfg.flags = O2C_DEVICE_POINTERS;
    CHECK(b.open().status == O2C_OK && o2c_cuda_arena(b.cu) == arena);
    CHECK(o2c_cuda_check(b.cu, arena) == O2C_OK);
    CHECK(o2c_cuda_check(b.cu, &b) == O2C_E_ARG);
    c.dev.arena = &c;
    CHECK(c.open().status == O2C_E_ARG);
  }
  CHECK(cudaFree(arena) == cudaSuccess);
  CHECK(cudaFree(&live) == cudaErrorInvalidValue);
  CHECK(cudaGetLastError() == cudaErrorInvalidValue);
  CHECK(o2c_shim_live() == live);
}

/* In selftest_lib.cu and selftest_tile.cu: several units link. */
int test_library(bool measure);
int test_tiles();

int main(int argc, char **argv)
{
  bool measure = argc > 1 && strcmp(argv[1], "time") == 0;
  test_numbers();
  test_barriers();
  test_lanes();
  test_atomics();
  test_divergence();
  test_order();
  test_regions();
  test_late();
  test_failures();
  test_memory();
  failures += test_library(measure) + test_tiles();
  CHECK(o2c_shim_live() == 0);
  printf("%s\n", failures ? "shim: failed" : "shim: ok");
  return failures != 0;
}
