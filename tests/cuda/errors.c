/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong on a GPU: each of it a status and a message, and nothing
 * stays allocated. Run by errors.sh, in the shim, which counts; cpu_* is the
 * same model without a GPU, whose answers are right. */
#include <cuda_runtime.h>
#include <math.h>
#include <string.h>

#include "../cli/check.h"
#include "cpu.h"
#include "net.h"

enum { ROWS = 130, IN = 8 * 16 * 16, OUT = 16 };

static float x[ROWS * IN], y[ROWS * OUT], right[ROWS * OUT];
static int64_t pick[ROWS];
static unsigned char *work;
static size_t work_size;
static const char *why;

/* A context, and where it lies. */
typedef struct {
  unsigned char mem[NET_CTX_SIZE + 16];
  net_ctx *ctx;
  unsigned char *work;
  o2c_device device;
  o2c_config cfg;
} place;

static void *at(unsigned char *p, size_t to)
{
  return p + (to - (uintptr_t)p % to) % to;
}

/* A configuration that works, to be spoilt. */
static void set(place *p)
{
  net_dims d;
  d.N = ROWS;
  memset(p, 0, sizeof *p);
  p->work = (unsigned char *)malloc(net_workspace_size(&d, 1) + 64);
  CHECK(p->work);
  why = NULL;
  p->device.size = sizeof p->device;
  p->device.arena_size = net_device_size(&d);
  p->device.why = &why;
  p->cfg.size = sizeof p->cfg;
  p->cfg.workspace = at(p->work, 64);
  p->cfg.workspace_size = net_workspace_size(&d, 1);
  p->cfg.device = &p->device;
}

static o2c_status open_it(place *p)
{
  return net_init(at(p->mem, 16), NET_CTX_SIZE, &p->cfg, &p->ctx);
}

static void close_it(place *p)
{
  net_deinit(p->ctx);
  free(p->work);
  CHECK(o2c_shim_live() == 0);
}

static o2c_status run(place *p, int64_t n, const void *in, const void *at_pick,
                      void *out)
{
  net_dims d;
  net_in i;
  net_out o;
  o2c_status status;
  d.N = n;
  i.x = (const float *)in;
  i.pick = (const int64_t *)at_pick;
  o.y = (float *)out;
  status = net_run(p->ctx, &d, &i, &o);
  return status == O2C_OK ? net_wait(p->ctx) : status;
}

static void check_rows(const float *got, int64_t from, int64_t n)
{
  int64_t k;
  for (k = 0; k < n * OUT; k++)
    CHECK(fabsf(got[k] - right[from * OUT + k]) <=
          1e-4f + 1e-3f * fabsf(right[from * OUT + k]));
}

static void make_answers(void)
{
  static union { double align; unsigned char b[CPU_CTX_SIZE + 16]; } mem;
  cpu_dims d;
  cpu_in i;
  cpu_out o;
  cpu_ctx *ctx;
  o2c_config cfg;
  int k;
  for (k = 0; k < ROWS * IN; k++)
    x[k] = (float)((k * 2654435761u >> 16) % 1000) / 500.0f - 1.0f;
  for (k = 0; k < ROWS; k++)
    pick[k] = k % 20 - 10;
  d.N = ROWS;
  memset(&cfg, 0, sizeof cfg);
  cfg.size = sizeof cfg;
  work_size = cpu_workspace_size(&d, 1);
  work = (unsigned char *)malloc(work_size + 64);
  CHECK(work);
  cfg.workspace = at(work, 64);
  cfg.workspace_size = work_size;
  i.x = x;
  i.pick = pick;
  o.y = right;
  CHECK(cpu_init(at(mem.b, 16), CPU_CTX_SIZE, &cfg, &ctx) == O2C_OK);
  CHECK(cpu_run(ctx, &d, &i, &o) == O2C_OK);
  cpu_deinit(ctx);
  free(work);
}

/* Init fails so, and says this. */
static void fails_to_open(place *p, o2c_status status, const char *text)
{
  o2c_status got = open_it(p);
  if (got != status || !why || !strstr(why, text))
    fprintf(stderr, "%d: %s, want %d: %s\n", (int)got, why ? why : "(none)",
            (int)status, text);
  CHECK(got == status && why && strstr(why, text));
  free(p->work);
  CHECK(o2c_shim_live() == 0);
}

static void test_open(void)
{
  static const struct {
    const char *fail;
    o2c_status status;
    const char *text;
  } t[] = {
    { "device", O2C_E_DEVICE, "" },
    { "driver", O2C_E_DEVICE, "driver" },
    { "memory", O2C_E_WORKSPACE, "memory" },
    { "weights", O2C_E_DEVICE, "weights" },
  };
  place p;
  size_t k;
  for (k = 0; k < sizeof t / sizeof *t; k++) {
    set(&p);
    setenv("O2C_SHIM_FAIL", t[k].fail, 1);
    fails_to_open(&p, t[k].status, t[k].text);
    unsetenv("O2C_SHIM_FAIL");
  }
  set(&p);
  p.device.arena_size = 4096;
  fails_to_open(&p, O2C_E_WORKSPACE, "scratch");
  set(&p);
  p.cfg.device = NULL;
  CHECK(open_it(&p) == O2C_E_ARG);
  free(p.work);
  set(&p);
  p.device.size = 8;
  CHECK(open_it(&p) == O2C_E_ARG);
  free(p.work);
  set(&p);
  p.device.why = NULL; /* nobody wants to know */
  setenv("O2C_SHIM_FAIL", "device", 1);
  CHECK(open_it(&p) == O2C_E_DEVICE);
  unsetenv("O2C_SHIM_FAIL");
  free(p.work);
  CHECK(o2c_shim_live() == 0);
}

/* Without a stream the model has its own; any batch. */
static void test_batches(void)
{
  static const int64_t batch[] = { 1, 0, 3, ROWS, 1, ROWS, 64, ROWS, 3 };
  place p;
  size_t k;
  set(&p);
  CHECK(open_it(&p) == O2C_OK);
  CHECK(!*net_message(p.ctx));
  for (k = 0; k < sizeof batch / sizeof *batch; k++) {
    memset(y, 0xff, sizeof y);
    CHECK(run(&p, batch[k], x, pick, y) == O2C_OK);
    check_rows(y, 0, batch[k]);
  }
  CHECK(getenv("O2C_SHIM_GRAPHS") || o2c_shim_replays() > 0);
  CHECK(run(&p, -1, x, pick, y) == O2C_E_DIMS);
  CHECK(run(&p, 1, x, pick, y) == O2C_OK);
  check_rows(y, 0, 1);
  close_it(&p);
}

static void test_small_arena(void)
{
  place p;
  net_dims d;
  set(&p);
  d.N = 1;
  CHECK(net_device_size(&d) > 0 && net_device_size(&d) <= p.device.arena_size);
  p.device.arena_size = O2C_CUDA_SCRATCH + 256;
  if (open_it(&p) == O2C_OK) {
    CHECK(run(&p, 1, x, pick, y) == O2C_E_WORKSPACE);
    close_it(&p);
  } else {
    free(p.work);
    CHECK(o2c_shim_live() == 0);
  }
}

static void *to_device(const void *from, size_t bytes)
{
  void *p = NULL;
  CHECK(cudaMalloc(&p, bytes) == cudaSuccess);
  CHECK(cudaMemcpy(p, from, bytes, cudaMemcpyHostToDevice) == cudaSuccess);
  return p;
}

/* Device pointers, on a stream and in an arena of the caller's; those of the
 * other side are refused, and the next run is as ever. */
static void test_pointers(void)
{
  void *dx = to_device(x, sizeof x), *dpick = to_device(pick, sizeof pick);
  void *dy = to_device(y, sizeof y), *arena = NULL;
  cudaStream_t stream;
  place p;
  set(&p);
  CHECK(cudaStreamCreate(&stream) == cudaSuccess);
  CHECK(cudaMalloc(&arena, p.device.arena_size) == cudaSuccess);
  p.device.arena = arena;
  p.cfg.stream = stream;
  p.cfg.flags = O2C_DEVICE_POINTERS;
  CHECK(open_it(&p) == O2C_OK);
  CHECK(run(&p, ROWS, dx, dpick, dy) == O2C_OK);
  CHECK(run(&p, ROWS, x, dpick, dy) == O2C_E_ARG && *net_message(p.ctx));
  CHECK(run(&p, ROWS, dx, pick, dy) == O2C_E_ARG && *net_message(p.ctx));
  CHECK(run(&p, ROWS, dx, dpick, y) == O2C_E_ARG && *net_message(p.ctx));
  CHECK(run(&p, 3, dx, dpick, dy) == O2C_OK && !*net_message(p.ctx));
  CHECK(cudaMemcpy(y, dy, sizeof y, cudaMemcpyDeviceToHost) == cudaSuccess);
  check_rows(y, 0, ROWS);
  net_deinit(p.ctx);
  free(p.work);
  set(&p);
  CHECK(open_it(&p) == O2C_OK);
  CHECK(run(&p, 3, dx, pick, y) == O2C_E_ARG && *net_message(p.ctx));
  CHECK(run(&p, 3, x, dpick, y) == O2C_E_ARG && *net_message(p.ctx));
  CHECK(run(&p, 3, x, pick, dy) == O2C_E_ARG && *net_message(p.ctx));
  CHECK(run(&p, 3, x, pick, y) == O2C_OK && !*net_message(p.ctx));
  net_deinit(p.ctx);
  CHECK(cudaFree(dx) == cudaSuccess && cudaFree(dy) == cudaSuccess);
  CHECK(cudaFree(dpick) == cudaSuccess && cudaFree(arena) == cudaSuccess);
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
  free(p.work);
  CHECK(o2c_shim_live() == 0);
}

/* A launch, or a library's call, that fails; the next run does not. */
static void test_failures(void)
{
  static const char *const fail[] = { "launch:1", "library:1" };
  place p;
  size_t k;
  for (k = 0; k < sizeof fail / sizeof *fail; k++) {
    set(&p);
    setenv("O2C_SHIM_FAIL", fail[k], 1);
    CHECK(open_it(&p) == O2C_OK);
    CHECK(run(&p, 3, x, pick, y) == O2C_E_DEVICE && *net_message(p.ctx));
    CHECK(run(&p, 3, x, pick, y) == O2C_OK && !*net_message(p.ctx));
    check_rows(y, 0, 3);
    unsetenv("O2C_SHIM_FAIL");
    close_it(&p);
  }
}

/* Known when the run is waited for; or sooner, if the CPU looks at it. */
static void test_data(void)
{
  static const int64_t bad[] = { 10, -11, INT64_MAX, INT64_MIN };
  int64_t wrong[ROWS];
  place p;
  size_t k;
  set(&p);
  CHECK(open_it(&p) == O2C_OK);
  for (k = 0; k < sizeof bad / sizeof *bad; k++) {
    memcpy(wrong, pick, sizeof wrong);
    wrong[2] = bad[k];
    CHECK(run(&p, 3, x, wrong, y) == O2C_E_DATA);
    CHECK(run(&p, 3, x, pick, y) == O2C_OK);
    check_rows(y, 0, 3);
  }
  wrong[2] = 0;
  wrong[1] = 10; /* in the first of some blocks */
  CHECK(run(&p, ROWS, x, wrong, y) == O2C_E_DATA);
  CHECK(run(&p, ROWS, x, pick, y) == O2C_OK);
  check_rows(y, 0, ROWS);
  close_it(&p);
}

/* Two at once, with one upload of the weights. */
static void test_two(void)
{
  static float other[ROWS * OUT];
  static place a, b;
  net_dims d;
  net_in in;
  net_out out;
  set(&a);
  set(&b);
  CHECK(open_it(&a) == O2C_OK);
  b.device.weights = o2c_cuda_weights(net_cuda(a.ctx));
  CHECK(open_it(&b) == O2C_OK);
  memset(y, 0xff, sizeof y);
  memset(other, 0xff, sizeof other);
  d.N = 65;
  in.x = x;
  in.pick = pick;
  out.y = y;
  CHECK(net_run(a.ctx, &d, &in, &out) == O2C_OK);
  in.x = x + 65 * IN;
  in.pick = pick + 65;
  out.y = other;
  CHECK(net_run(b.ctx, &d, &in, &out) == O2C_OK);
  CHECK(net_wait(a.ctx) == O2C_OK && net_wait(b.ctx) == O2C_OK);
  check_rows(y, 0, 65);
  check_rows(other, 65, 65);
  net_deinit(b.ctx);
  free(b.work);
  CHECK(run(&a, 3, x, pick, y) == O2C_OK);
  check_rows(y, 0, 3);
  close_it(&a);
  CHECK(net_wait(a.ctx) == O2C_E_ARG);
}

int main(void)
{
  make_answers();
  test_open();
  test_batches();
  test_small_arena();
  test_pointers();
  test_failures();
  test_data();
  test_two();
  return 0;
}
