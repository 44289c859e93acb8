/* SPDX-License-Identifier: Apache-2.0 */
/* What the interface promises at run time: the same bits with any number of
 * workers, limits of dimensions, flushing of denormals, --simple; see
 * runtime.sh. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "add.h"
#include "conv.h"
#include "one.h"
#include "prod.h"

static void *aligned(size_t n)
{
  void *p = NULL;
  CHECK(posix_memalign(&p, 64, n ? n : 1) == 0);
  return p;
}

enum { WORKERS = 4 };
typedef struct {
  o2c_task task;
  void *arg;
  size_t begin, end;
  unsigned worker;
} Part;

static void *part_main(void *arg)
{
  const Part *p = (const Part *)arg;
  p->task(p->arg, p->begin, p->end, p->worker);
  return NULL;
}

/* A thread for each worker; `user` counts the calls. */
static void parallel_for(void *user, size_t n, size_t grain, o2c_task task,
                         void *arg)
{
  pthread_t t[WORKERS];
  Part part[WORKERS];
  unsigned k;
  ++*(int *)user;
  CHECK(grain > 0);
  for (k = 0; k < WORKERS; k++) {
    part[k].task = task;
    part[k].arg = arg;
    part[k].begin = n * k / WORKERS;
    part[k].end = n * (k + 1) / WORKERS;
    part[k].worker = k;
    CHECK(!pthread_create(&t[k], NULL, part_main, &part[k]));
  }
  for (k = 0; k < WORKERS; k++) CHECK(!pthread_join(t[k], NULL));
}

/* Any model with one input, one output of `in` and `out` elements a row. */
static void run(const o2c_model *m, const float *in, float *out, int64_t n,
                const o2c_parallel *par)
{
  o2c_config cfg;
  const void *ins[1];
  void *outs[1], *ctx, *mem = aligned(m->ctx_size);
  memset(&cfg, 0, sizeof cfg);
  cfg.size = sizeof cfg;
  cfg.par = par;
  cfg.workspace_size = m->workspace_size(&n, par ? par->workers : 1);
  cfg.workspace = aligned(cfg.workspace_size);
  ins[0] = in;
  outs[0] = out;
  CHECK(cfg.workspace_size > 0);
  CHECK(m->init(mem, m->ctx_size, &cfg, &ctx) == O2C_OK);
  CHECK(m->run(ctx, &n, ins, outs) == O2C_OK);
  m->deinit(ctx);
  free(mem);
  free(cfg.workspace);
}

static void workers(const o2c_model *m, size_t in, size_t out, int64_t n)
{
  int calls = 0;
  size_t i, rows = (size_t)n;
  int64_t one = 1;
  o2c_parallel par;
  float *x = (float *)aligned(rows * in * sizeof *x);
  float *want = (float *)aligned(rows * out * sizeof *want);
  float *got = (float *)aligned(rows * out * sizeof *got);
  par.user = &calls;
  par.workers = WORKERS;
  par.parallel_for = parallel_for;
  for (i = 0; i < rows * in; i++) x[i] = (float)((i * 37) % 101) / 50.0f - 1;
  run(m, x, want, n, NULL);
  run(m, x, got, n, &par);
  CHECK(calls == 1);
  CHECK(!memcmp(want, got, rows * out * sizeof *want));
  for (i = 0; i < rows; i++) run(m, x + i * in, got + i * out, one, NULL);
  CHECK(!memcmp(want, got, rows * out * sizeof *want));
  CHECK(m->workspace_size(&n, WORKERS) == WORKERS * m->workspace_size(&n, 1));
  free(x);
  free(want);
  free(got);
}

/* conv is compiled with --max-batch 8. */
static void limits(void)
{
  conv_dims d = {8}, over = {9};
  CHECK(conv_workspace_size(&d, 1) == CONV_WORKSPACE_SIZE(8));
  CHECK(conv_workspace_size(&d, 3) == CONV_WORKSPACE_SIZE_MT(8, 3));
  CHECK(conv_workspace_size(&over, 1) == 0);
  CHECK(conv_workspace_size(&d, 0) == conv_workspace_size(&d, 1));
}

static void statuses(void)
{
  static float image[3 * 32 * 32], prob[10];
  conv_dims d = {1}, over = {9}, none = {0};
  o2c_config cfg;
  conv_ctx *ctx;
  conv_in in;
  conv_out out;
  size_t size = conv_workspace_size(&d, 1);
  unsigned char *work = (unsigned char *)aligned(size + 64);
  void *mem = aligned(CONV_CTX_SIZE);
  memset(&cfg, 0, sizeof cfg);
  cfg.size = sizeof cfg;
  cfg.workspace = work;
  cfg.workspace_size = size - 1;
  in.CONV_IN = image;
  out.prob = prob;
  CHECK(conv_init(mem, CONV_CTX_SIZE, &cfg, &ctx) == O2C_OK);
  CHECK(conv_run(ctx, &d, &in, &out) == O2C_E_WORKSPACE);
  CHECK(conv_run(ctx, NULL, &in, &out) == O2C_E_ARG);
  CHECK(conv_run(ctx, &over, &in, &out) == O2C_E_DIMS);
  cfg.workspace_size = size;
  CHECK(conv_init(mem, CONV_CTX_SIZE, &cfg, &ctx) == O2C_OK);
  CHECK(conv_run(ctx, &d, &in, &out) == O2C_OK);
  in.CONV_IN = NULL;
  CHECK(conv_run(ctx, &d, &in, &out) == O2C_E_ARG);
  CHECK(conv_run(ctx, &none, &in, &out) == O2C_OK); /* no rows, no pointers */
  conv_deinit(ctx);
  CHECK(conv_run(ctx, &none, &in, &out) == O2C_E_ARG);
  free(work);
  free(mem);
}

/* add is y = a + b, which makes denormals of denormals. */
static float add_tiny(uint32_t flags)
{
  float a[3] = {1e-40f, 1e-40f, 1e-40f}, b[3] = {0, 0, 0}, y[3] = {7, 7, 7};
  add_dims d = {1};
  o2c_config cfg;
  add_ctx *ctx;
  add_in in;
  add_out out;
  size_t size = add_workspace_size(&d, 1);
  void *work = aligned(size), *mem = aligned(ADD_CTX_SIZE);
  memset(&cfg, 0, sizeof cfg);
  cfg.size = sizeof cfg;
  cfg.workspace = work;
  cfg.workspace_size = size;
  cfg.flags = flags;
  in.a = a;
  in.b = b;
  out.y = y;
  CHECK(add_init(mem, ADD_CTX_SIZE, &cfg, &ctx) == O2C_OK);
  CHECK(add_run(ctx, &d, &in, &out) == O2C_OK);
  free(work);
  free(mem);
  return y[0];
}

static void flushing(void)
{
  volatile float tiny = 1e-40f;
  CHECK(add_tiny(0) == 1e-40f);
  CHECK(add_tiny(O2C_FLUSH) == 0.0f);
  CHECK(tiny * 0.5f > 0.0f); /* as before for the caller */
}

static void simple(void)
{
  float x[2 * 490], want[2 * 12], got[2 * 12];
  size_t i;
  for (i = 0; i < 2 * 490; i++) x[i] = (float)(i % 23) / 11.0f - 1;
  run(one_model(), x, want, 2, NULL);
  CHECK(one(x, got, 2) == O2C_OK);
  CHECK(!memcmp(want, got, sizeof want));
  CHECK(one(NULL, got, 2) == O2C_E_ARG);
  CHECK(one(x, got, -1) == O2C_E_DIMS);
}

int main(void)
{
  workers(conv_model(), 3 * 32 * 32, 10, 8);
  workers(prod_model(), 640, 640, 200);
  limits();
  statuses();
  flushing();
  simple();
  puts("all right");
  return 0;
}
