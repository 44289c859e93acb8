/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong on a GPU: each of it a status and a message, and nothing
 * stays allocated. Run by errors.sh in the shim, which counts and can make
 * things fail, and by real.sh (O2C_FAKE) with the real runtime. */
#include "errors.h"

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
  for (k = 0; k < sizeof t / sizeof *t && !FAKE; k++) {
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
  p.device.arena_size = 4096;
  CHECK(open_it(&p) == O2C_E_WORKSPACE);
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
    CHECK(run(&p, 1, x, pick, y) == O2C_E_WORKSPACE && *net_message(p.ctx));
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
  for (k = 0; k < sizeof fail / sizeof *fail && !FAKE; k++) {
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

/* One wait for some runs tells of all of them; a run that failed is no matter
 * of the next one's. */
static void test_queued(void)
{
  int64_t wrong[3] = { 0, 10, 0 };
  net_dims d;
  net_in in;
  net_out out;
  place p;
  set(&p);
  CHECK(open_it(&p) == O2C_OK);
  d.N = 3;
  in.x = x;
  out.y = y;
  in.pick = wrong;
  if (net_run(p.ctx, &d, &in, &out) == O2C_OK) { /* it runs on the GPU */
    in.pick = pick;
    CHECK(net_run(p.ctx, &d, &in, &out) == O2C_OK);
    CHECK(net_wait(p.ctx) == O2C_E_DATA && *net_message(p.ctx));
  }
  CHECK(run(&p, 3, x, pick, y) == O2C_OK);
  check_rows(y, 0, 3);
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
  test_queued();
  test_two();
  return 0;
}
