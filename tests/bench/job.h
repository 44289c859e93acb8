/* SPDX-License-Identifier: Apache-2.0 */
/* job.h: the one job of a file that `onnx2c bench --save` wrote, for programs
 * that time somebody else's code on the same inputs, and their record of times
 * (both as in o2c_driver.c). */
#ifndef JOB_H
#define JOB_H
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include "o2c_driver_io.h"

#define WARM_UP_NS 200000000LL

static int64_t now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Goes to the inputs of the job and returns how many there are. */
static size_t open_job(const char *path)
{
  size_t size;
  cursor = read_file(path, &size);
  file_end = cursor + size;
  if (memcmp(take(8), "O2CJOBS1", 8)) die("not a job file");
  take_words(3); /* count, flags, limit of time */
  take_words(2); /* model, times */
  take_words(take_word());
  return (size_t)take_word();
}

static Tensor next_input(void)
{
  Tensor t;
  take_tensor(&t, 0);
  if (t.dtype <= 0) die("inputs must be tensors");
  return t;
}

/* A size of this process, by /proc, in bytes; 0: the system has none such. */
static int64_t memory(const char *what)
{
  char line[256];
  long long kb = 0;
  size_t n = strlen(what);
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (!strncmp(line, what, n) && line[n] == ':')
      kb = strtoll(line + n + 1, NULL, 10);
  if (f) fclose(f);
  return kb * 1024;
}

/* Makes the largest resident size (VmHWM) the present one, which it returns;
 * first, what loading has freed goes back to the system. */
static int64_t forget_peak(void)
{
  FILE *f = fopen("/proc/self/clear_refs", "w");
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  if (f) {
    fputs("5", f);
    fclose(f);
  }
  return memory("VmRSS");
}

/* Warms up, then takes `runs` times, or as many as fit the limit. The record's
 * workspace is what the process grew by in the first call. */
static int time_calls(void (*call)(void), int64_t runs, int64_t limit_ns,
                      const char *path)
{
  int64_t *took = (int64_t *)need((size_t)runs * sizeof *took), n = 0;
  int64_t before = forget_peak(), start, first, last, room, calls = 0, i;
  call();
  room = memory("VmHWM") - before;
  start = now();
  first = start + WARM_UP_NS;
  last = start + limit_ns;
  do call(), calls++;
  while (now() < first);
  calls = calls_of_a_time((now() - start) / calls);
  while (n < runs && (!n || now() < last)) {
    start = now();
    for (i = 0; i < calls; i++) call();
    took[n++] = (now() - start) * 1000 / calls;
  }
  results = fopen(path, "wb");
  if (!results) die("can't write the results");
  put("O2CRSLT1", 8);
  put_word(0); /* job */
  put_word(0); /* done */
  put_word(0);
  put_word(room > 0 ? room : 0);
  put_word(n);
  put(took, (size_t)n * sizeof *took);
  put_word(0); /* dims */
  put_word(0); /* tensors */
  return fclose(results) ? 1 : 0;
}

#endif
