/* SPDX-License-Identifier: Apache-2.0 */
/* Prints when the first output of the model MODEL was ready, on the monotonic
 * clock, and the least time of RUNS later runs; both in nanoseconds. */
#define _POSIX_C_SOURCE 200809L
#include "model_io.h"

#include <stdio.h>
#include <time.h>

static long long now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(int argc, char **argv)
{
  const int runs = argc > 1 ? atoi(argv[1]) : 5;
  long long first, least = 0;
  model_io io;
  void *ctx = NULL;
  int i;
  model_io_open(&io, 1);
  if (io.m->init(io.mem, io.m->ctx_size, &io.cfg, &ctx) != O2C_OK ||
      io.m->run(ctx, io.dim, io.in, io.out) != O2C_OK)
    return 1;
  first = now();
  for (i = 0; i < runs; i++) {
    const long long begin = now();
    if (io.m->run(ctx, io.dim, io.in, io.out) != O2C_OK)
      return 1;
    if (i == 0 || now() - begin < least)
      least = now() - begin;
  }
  printf("%lld %lld\n", first, least);
  return 0;
}
