/* SPDX-License-Identifier: 0BSD */
/* o2c_cuda_plan.c: calls of libraries that were prepared, found again by their
 * sizes, and which of a library's algorithms was fastest. The latter is kept
 * in a file of text, if the caller names one: a line that tells the GPU and the
 * libraries, then one for each call: its key and the number of its algorithm.
 * A file of another GPU or library is replaced. */
#include "o2c_cuda_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one number: enough for every number of samples of a block. Sizes beyond
 * that are prepared over and over, which is slow but keeps a model whose sizes
 * never repeat from filling the memory. */
#define PLANS 72
#define TUNED_LINE (21 * O2C_CUDA_WORDS + 64)

/* ---- keys ---- */

void o2c_cuda_key_add(o2c_cuda_key *key, int64_t word)
{
  if (key->n < O2C_CUDA_WORDS)
    key->word[key->n++] = word;
}

void o2c_cuda_key_float(o2c_cuda_key *key, float value)
{
  uint32_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  o2c_cuda_key_add(key, bits);
}

int64_t o2c_cuda_alignment(const void *p)
{
  uintptr_t address = (uintptr_t)p;
  int64_t to = 256;
  if (!p)
    return 0;
  while (address % (uintptr_t)to)
    to /= 2;
  return to;
}

static int same(const o2c_cuda_key *a, const o2c_cuda_key *b)
{
  return a->n == b->n && !memcmp(a->word, b->word, a->n * sizeof *a->word);
}

/* ---- plans ---- */

static void drop_plan(o2c_cuda_plan *p)
{
  p->drop(p->what);
  free(p);
}

void *o2c_cuda_plan_find(o2c_cuda *cu, unsigned plan, const o2c_cuda_key *key)
{
  o2c_cuda_plan **link, *p;
  if (plan >= cu->nplan) {
    o2c_cuda_fail(cu, O2C_E_ARG, "a library's call", "no such number");
    return NULL;
  }
  for (link = &cu->plan[plan]; (p = *link) != NULL; link = &p->next)
    if (same(&p->key, key)) {
      *link = p->next;
      p->next = cu->plan[plan];
      cu->plan[plan] = p;
      return p->what;
    }
  if (o2c_cuda_records(cu))
    o2c_cuda_fail(cu, O2C_E_DEVICE, "recording a region",
                  "a library's call was not prepared before");
  return NULL;
}

int o2c_cuda_plan_keep(o2c_cuda *cu, unsigned plan, const o2c_cuda_key *key,
                       void *what, void (*drop)(void *what))
{
  o2c_cuda_plan *p = (o2c_cuda_plan *)malloc(sizeof *p), **link;
  int n = 1;
  if (!p) {
    drop(what);
    o2c_cuda_fail(cu, O2C_E_WORKSPACE, "a library's call",
                  "the host has no memory");
    return 0;
  }
  p->key = *key;
  p->what = what;
  p->drop = drop;
  p->next = cu->plan[plan];
  cu->plan[plan] = p;
  for (link = &p->next; *link && n < PLANS; link = &(*link)->next)
    n++;
  if (*link) {
    p = *link;
    *link = NULL;
    /* Its kernels may run, and records may hold them: both must end. */
    cu->waits++;
    o2c_cuda_failed(cu, cudaStreamSynchronize(cu->stream),
                    "cudaStreamSynchronize");
    o2c_cuda_forget_records(cu);
    drop_plan(p);
  }
  return cu->status == O2C_OK;
}

void o2c_cuda_plans_close(o2c_cuda *cu)
{
  unsigned i;
  for (i = 0; cu->plan && i < cu->nplan; i++)
    while (cu->plan[i]) {
      o2c_cuda_plan *p = cu->plan[i];
      cu->plan[i] = p->next;
      drop_plan(p);
    }
  free(cu->plan);
  free(cu->tuned_path);
  free(cu->tuned);
}

/* ---- tuned choices ---- */

/* The file's first line: numbers of algorithms mean nothing elsewhere. */
static int write_head(const o2c_cuda *cu, char *to, size_t size)
{
  struct cudaDeviceProp prop;
  if (cudaGetDeviceProperties(&prop, cu->device) != cudaSuccess)
    return 0;
  return snprintf(to, size, "o2c-tuned 1 cudnn %lu cublaslt %lu %s\n",
                  (unsigned long)cudnnGetVersion(),
                  (unsigned long)cublasLtGetVersion(), prop.name) > 0;
}

static void write_key(char *to, size_t size, unsigned plan,
                      const o2c_cuda_key *key)
{
  size_t at = (size_t)snprintf(to, size, "\n%u", plan);
  unsigned i;
  for (i = 0; i < key->n && at + 32 < size; i++)
    at += (size_t)snprintf(to + at, size - at, " %lld",
                           (long long)key->word[i]);
  snprintf(to + at, size - at, " = ");
}

static int append(o2c_cuda *cu, const char *text)
{
  size_t n = strlen(text);
  char *grown = (char *)realloc(cu->tuned, cu->tuned_size + n + 1);
  if (!grown)
    return 0;
  memcpy(grown + cu->tuned_size, text, n + 1);
  cu->tuned = grown;
  cu->tuned_size += n;
  return 1;
}

int o2c_cuda_tuned_open(o2c_cuda *cu, const char *path)
{
  char head[512], part[1025];
  FILE *f;
  size_t n = strlen(path) + 1;
  cu->tuned_path = (char *)malloc(n);
  if (!cu->tuned_path || !write_head(cu, head, sizeof head))
    return 0;
  memcpy(cu->tuned_path, path, n);
  f = fopen(path, "rb");
  while (f && (n = fread(part, 1, sizeof part - 1, f)) > 0) {
    part[n] = 0;
    if (!append(cu, part)) {
      fclose(f);
      return 0;
    }
  }
  if (f)
    fclose(f);
  if (cu->tuned && !strncmp(cu->tuned, head, strlen(head)))
    return 1;
  cu->tuned_size = 0;
  return append(cu, head);
}

int o2c_cuda_tuned(const o2c_cuda *cu, unsigned plan, const o2c_cuda_key *key)
{
  char line[TUNED_LINE];
  const char *found;
  if (!cu->tuned)
    return -1;
  write_key(line, sizeof line, plan, key);
  found = strstr(cu->tuned, line);
  return found ? atoi(found + strlen(line)) : -1;
}

/* Beside the file, then in its place, so that other processes never read half
 * of it. That a file cannot be written is no reason to fail: the next process
 * measures again. */
static void write_tuned(const o2c_cuda *cu)
{
  size_t n = strlen(cu->tuned_path), done;
  char *part = (char *)malloc(n + 32);
  FILE *f;
  if (!part)
    return;
  snprintf(part, n + 32, "%s.%llx", cu->tuned_path,
           (unsigned long long)(uintptr_t)cu);
  f = fopen(part, "wb");
  if (f) {
    done = fwrite(cu->tuned, 1, cu->tuned_size, f);
    if (fclose(f) != 0 || done != cu->tuned_size ||
        rename(part, cu->tuned_path) != 0)
      remove(part);
  }
  free(part);
}

void o2c_cuda_tuned_keep(o2c_cuda *cu, unsigned plan, const o2c_cuda_key *key,
                         int choice)
{
  char line[TUNED_LINE + 16];
  size_t n;
  if (!cu->tuned)
    return;
  write_key(line, sizeof line - 16, plan, key);
  n = strlen(line);
  snprintf(line + n, sizeof line - n, "%d\n", choice);
  /* The key begins with the end of the line before it. */
  if (!append(cu, cu->tuned[cu->tuned_size - 1] == '\n' ? line + 1 : line))
    return;
  write_tuned(cu);
}

/* Milliseconds of some runs; -1: fails. */
static float measure(o2c_cuda *cu, cudaEvent_t begin, cudaEvent_t end,
                     int (*run)(void *user, int i), void *user, int i)
{
  float ms = -1;
  int k, ok = run(user, i); /* the first one may load its code */
  ok = ok && cudaEventRecord(begin, cu->stream) == cudaSuccess;
  for (k = 0; ok && k < 5; k++)
    ok = run(user, i);
  if (!ok || cudaEventRecord(end, cu->stream) != cudaSuccess ||
      cudaEventSynchronize(end) != cudaSuccess ||
      cudaEventElapsedTime(&ms, begin, end) != cudaSuccess)
    ms = -1;
  return ms;
}

int o2c_cuda_tune(o2c_cuda *cu, int n, int (*run)(void *user, int i),
                  void *user)
{
  cudaEvent_t begin = NULL, end = NULL;
  float least = -1;
  int i, best = 0;
  if (cudaEventCreate(&begin) == cudaSuccess &&
      cudaEventCreate(&end) == cudaSuccess)
    for (i = 0; i < n; i++) {
      float ms = measure(cu, begin, end, run, user, i);
      if (ms >= 0 && (least < 0 || ms < least)) {
        least = ms;
        best = i;
      }
    }
  cu->waits += (uint64_t)n;
  if (begin)
    cudaEventDestroy(begin);
  if (end)
    cudaEventDestroy(end);
  cudaGetLastError(); /* an algorithm that fails is only not taken */
  return best;
}
