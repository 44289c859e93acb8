/* SPDX-License-Identifier: Apache-2.0 */
/* bench.c: times of a model for a GPU, for bench.py.
 *
 *   bench host|device RUNS NAME=SIZE...    of every run-time dimension
 *
 * Built with -DMODEL=<name>_model. Prints one line of JSON: from main's first
 * line to the first output, least and median of the runs; milliseconds. A run
 * is waited for. `device`: inputs and outputs are in the GPU's memory. */
#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "o2c.h"

extern const o2c_model *MODEL(void);

enum { PORTS = 64 };

static double now_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void demand(int ok, const char *what)
{
  if (ok)
    return;
  fprintf(stderr, "bench: %s\n", what);
  exit(1);
}

static void *aligned(size_t n)
{
  unsigned char *p = (unsigned char *)calloc(n + 256, 1);
  demand(p != NULL, "out of memory");
  return p + (256 - (uintptr_t)p % 256) % 256;
}

static void fill(const o2c_port *port, void *p, size_t n)
{
  uint32_t seed = 1;
  size_t k;
  for (k = 0; k < n; k++) {
    seed = seed * 1664525u + 1013904223u;
    if (port->dtype == O2C_F32)
      ((float *)p)[k] = (float)(seed >> 8) / 8388608.0f - 1.0f;
    else if (port->dtype == O2C_I64)
      ((int64_t *)p)[k] = seed >> 29;
    else if (port->dtype == O2C_I32)
      ((int32_t *)p)[k] = (int32_t)(seed >> 29);
    else if (port->dtype == O2C_F16) /* 1 to 2 and -1 to -2 */
      ((uint16_t *)p)[k] = (uint16_t)(0x3c00 | seed >> 22 | (seed & 0x8000));
    else if (port->dtype == O2C_BOOL)
      ((unsigned char *)p)[k] = 1;
  }
}

static int by_time(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void *place(int device, void *host, size_t bytes)
{
  void *p = NULL;
  if (!device)
    return host;
  demand(cudaMalloc(&p, bytes + 1) == cudaSuccess, "no memory on the GPU");
  /* From pageable memory it may return too early for other streams. */
  demand(cudaMemcpy(p, host, bytes, cudaMemcpyHostToDevice) == cudaSuccess &&
           cudaDeviceSynchronize() == cudaSuccess, "cudaMemcpy");
  return p;
}

static void *input(const o2c_port *port, const int64_t *dim, int device)
{
  size_t n = 1;
  void *host;
  int j;
  for (j = 0; j < port->rank; j++)
    n *= (size_t)(port->dim[j].sym < 0 ? port->dim[j].size
                                       : dim[port->dim[j].sym]);
  host = aligned(n * (size_t)port->item_size);
  fill(port, host, n);
  return place(device, host, n * (size_t)port->item_size);
}

static void read_dims(const o2c_model *m, int64_t *dim, int argc, char **argv)
{
  uint32_t k;
  int i;
  for (k = 0; k < m->n_dim; k++) {
    size_t n = strlen(m->dim_name[k]);
    for (i = 3; i < argc; i++)
      if (!strncmp(argv[i], m->dim_name[k], n) && argv[i][n] == '=')
        dim[k] = atoll(argv[i] + n + 1);
    demand(dim[k] > 0, m->dim_name[k]);
  }
}

int main(int argc, char **argv)
{
  double begin = now_ms(), start, *time;
  const o2c_model *m = MODEL();
  const void *in[PORTS];
  void *out[PORTS], *ctx = NULL;
  int64_t dim[PORTS] = { 0 };
  const char *why = "";
  o2c_device gpu;
  o2c_config cfg;
  uint32_t k;
  int runs, i, j, device;
  demand(argc > 2 && m->n_in <= PORTS && m->n_out <= PORTS &&
           m->n_dim <= PORTS, "host|device RUNS NAME=SIZE...");
  device = !strcmp(argv[1], "device");
  runs = atoi(argv[2]);
  demand(runs > 0, "how many runs?");
  read_dims(m, dim, argc, argv);
  memset(&gpu, 0, sizeof gpu);
  memset(&cfg, 0, sizeof cfg);
  gpu.size = sizeof gpu;
  gpu.why = &why;
  demand(m->device_size != NULL, "the model runs on the CPU alone");
  gpu.arena_size = m->device_size(dim);
  cfg.size = sizeof cfg;
  cfg.workspace_size = m->workspace_size(dim, 1);
  cfg.workspace = aligned(cfg.workspace_size);
  cfg.flags = device ? O2C_DEVICE_POINTERS : 0;
  cfg.device = &gpu;
  if (m->init(aligned(m->ctx_size), m->ctx_size, &cfg, &ctx) != O2C_OK)
    demand(0, why);
  for (k = 0; k < m->n_in; k++)
    in[k] = input(&m->in[k], dim, device);
  for (k = 0; k < m->n_out; k++) {
    int64_t shape[O2C_VALUE_RANK];
    size_t n = (size_t)m->out[k].item_size;
    m->out_shape(dim, k, shape);
    for (j = 0; j < m->out[k].rank; j++)
      n *= (size_t)shape[j];
    out[k] = place(device, aligned(n), n);
  }
  time = (double *)aligned((size_t)runs * sizeof *time);
  start = 0;
  for (i = -5; i < runs; i++) { /* five to warm up */
    double t = now_ms();
    if (m->run(ctx, dim, in, out) != O2C_OK || m->wait(ctx) != O2C_OK)
      demand(0, m->message(ctx));
    if (i >= 0)
      time[i] = now_ms() - t;
    else if (i == -5)
      start = now_ms() - begin;
  }
  qsort(time, (size_t)runs, sizeof *time, by_time);
  m->deinit(ctx);
  printf("{\"start\": %.3f, \"least\": %.6f, \"median\": %.6f}\n", start,
         time[0], time[runs / 2]);
  return 0;
}
