/* SPDX-License-Identifier: Apache-2.0 */
/* errors.h: what errors.c and real.c share: the model `net` of make_models.py
 * in a configuration that works, and its right answers, by cpu_*, the same
 * model without a GPU. */
#ifndef ERRORS_H
#define ERRORS_H
#include <cuda_runtime.h>
#include <math.h>
#include <string.h>

#include "../cli/check.h"
#include "fake/fake_test.h"
#include "cpu.h"
#include "net.h"

#ifdef O2C_FAKE
#define FAKE 1
#else
#define FAKE 0
#endif

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

#endif
