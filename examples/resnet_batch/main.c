/* SPDX-License-Identifier: 0BSD */
/* ResNet50 for 1, 3 and 8 images a call, by one thread and by two: the same
 * generated source, and the same bits for each image whatever the batch. The
 * network's threads are the caller's: here parallel_for starts POSIX threads;
 * a program that has a pool gives its tasks to that. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "net.h"

enum { MOST = 8, WORKERS = 2, PIXELS = 3 * 224 * 224, CLASSES = 1000 };

typedef struct {
  o2c_task task;
  void *arg;
  size_t begin, end;
  unsigned worker;
} Part;

static void *run_part(void *p)
{
  const Part *part = (const Part *)p;
  part->task(part->arg, part->begin, part->end, part->worker);
  return NULL;
}

/* Equal shares of [0, n); worker 0 is this thread. If a thread can't be had,
 * this one does its share too. */
static void parallel_for(void *user, size_t n, size_t grain, o2c_task task,
                         void *arg)
{
  pthread_t thread[WORKERS];
  Part part[WORKERS];
  int started[WORKERS] = { 0 };
  unsigned k, workers = *(const unsigned *)user;
  (void)grain;
  for (k = 0; k < workers; k++) {
    part[k].task = task;
    part[k].arg = arg;
    part[k].begin = n * k / workers;
    part[k].end = n * (k + 1) / workers;
    part[k].worker = k;
    if (k)
      started[k] = !pthread_create(&thread[k], NULL, run_part, &part[k]);
  }
  for (k = 0; k < workers; k++)
    if (!started[k])
      run_part(&part[k]);
  for (k = 1; k < workers; k++)
    if (started[k])
      pthread_join(thread[k], NULL);
}

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void *need(size_t size)
{
  void *p = NULL;
  if (posix_memalign(&p, NET_WORKSPACE_ALIGN, size)) {
    fprintf(stderr, "out of memory\n");
    exit(1);
  }
  return p;
}

/* All images, n a call; the time of one in ms, or negative on failure. */
static double run_all(net_ctx *net, const float *images, float *scores, int n)
{
  const double start = now();
  int i;
  for (i = 0; i < MOST; i += n) {
    const net_dims d = { n < MOST - i ? n : MOST - i };
    const net_in in = { images + (size_t)i * PIXELS };
    const net_out out = { scores + (size_t)i * CLASSES };
    const o2c_status status = net_run(net, &d, &in, &out);
    if (status != O2C_OK) {
      fprintf(stderr, "net_run: %d\n", (int)status);
      return -1;
    }
  }
  return (now() - start) / MOST;
}

/* One line for each batch; false if a score is not what `alone` has. */
static int compare(unsigned workers, const float *images, float *alone)
{
  static const int batch[] = { 1, 3, 8 };
  const o2c_parallel par = { &workers, workers, parallel_for };
  float *scores = need(MOST * CLASSES * sizeof(float));
  void *ctx = need(NET_CTX_SIZE);
  o2c_config config = { 0 };
  net_ctx *net;
  int good = 1, k;
  config.size = sizeof config;
  config.workspace_size = NET_WORKSPACE_SIZE_MT(MOST, workers);
  config.workspace = need(config.workspace_size);
  config.par = &par;
  if (net_init(ctx, NET_CTX_SIZE, &config, &net) != O2C_OK)
    return 0;
  if (workers == 1)
    good = run_all(net, images, alone, 1) >= 0;
  for (k = 0; k < 3 && good; k++) {
    const double ms = run_all(net, images, scores, batch[k]);
    const int same = !memcmp(scores, alone, MOST * CLASSES * sizeof(float));
    printf("%7u  %5d  %12.1f  %s\n", workers, batch[k], ms,
           same ? "same bits" : "DIFFERENT");
    good = ms >= 0 && same;
  }
  net_deinit(net);
  free(config.workspace);
  free(ctx);
  free(scores);
  return good;
}

int main(void)
{
  float *images = need((size_t)MOST * PIXELS * sizeof(float));
  float *alone = need(MOST * CLASSES * sizeof(float));
  uint32_t seed = 1;
  int good;
  size_t i;
  for (i = 0; i < (size_t)MOST * PIXELS; i++) {
    seed = seed * 1664525u + 1013904223u;
    images[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
  }
  printf("threads  batch  ms per image\n");
  good = compare(1, images, alone) && compare(WORKERS, images, alone);
  free(images);
  free(alone);
  return good ? 0 : 1;
}
