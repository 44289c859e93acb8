/* SPDX-License-Identifier: 0BSD */
/* o2c_cuda_own.h: what the parts of the CUDA runtime share: o2c_cuda.c (the
 * device, copies, regions), o2c_cuda_plan.c (prepared calls and the file of
 * tuned choices), o2c_cuda_blas.c (products) and o2c_cuda_dnn.c (convolutions,
 * attention). Not for models. */
#ifndef O2C_CUDA_OWN_H
#define O2C_CUDA_OWN_H
#include "o2c_cuda.h"

#ifdef __GNUC__
/* CUDA's headers are not C99 to the letter. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#endif
#include <cuda_runtime_api.h>
#include <cublasLt.h>
#include <cudnn.h>
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define O2C_CUDA_WORDS 48 /* of the longest key */
#define O2C_CUDA_TRIES 4  /* algorithms that are timed for a call */

/* What a prepared call depends on: numbers, as a struct's padding would make
 * equal sizes differ. The first tells the kind of call. */
typedef struct {
  int64_t word[O2C_CUDA_WORDS];
  unsigned n;
} o2c_cuda_key;

/* A call prepared by a library; `drop` frees `what`. */
typedef struct o2c_cuda_plan {
  struct o2c_cuda_plan *next; /* used less recently */
  o2c_cuda_key key;
  void *what;
  void (*drop)(void *what);
} o2c_cuda_plan;

/* A region's steps with one key: run once, then recorded, then replayed. */
typedef struct o2c_cuda_record {
  struct o2c_cuda_record *next; /* used less recently */
  int life;                     /* O2C_CUDA_NEW .. O2C_CUDA_PLAIN */
  int failed;                   /* recordings */
  cudaGraphExec_t graph;
  size_t bytes;
  unsigned char key[256];
} o2c_cuda_record;
enum { O2C_CUDA_NEW, O2C_CUDA_SEEN, O2C_CUDA_RECORDED, O2C_CUDA_PLAIN };

struct o2c_cuda {
  int device, other; /* the caller's, during a run, if it is another; -1 */
  cudaStream_t stream;
  uint32_t flags;
  int hooks; /* steps are watched: none may be replayed */
  unsigned char *arena, *weights;
  size_t arena_size; /* without the scratch, which follows */
  int *fault;            /* on the device */
  int *found;            /* pinned: the fault that a run ended with */
  int dirty, finished;   /* fault may be set; found will be */
  unsigned char *stage;  /* pinned: what o2c_cuda_put was given */
  size_t staged;
  void *own_stream, *own_arena, *own_weights; /* freed by close */
  cublasLtHandle_t blas;
  cudnnHandle_t dnn;
  const char *library_text; /* why one of them was not opened */
  o2c_cuda_plan **plan; /* of each number, most recently used first */
  unsigned nplan;
  o2c_cuda_record **record; /* of each region, likewise */
  unsigned nregion;
  o2c_cuda_record *open; /* of the region that runs */
  unsigned open_region;
  int recording, again;
  char *tuned_path, *tuned; /* the file and its text */
  size_t tuned_size;
  uint64_t waits;
  o2c_status status;
  char message[512];
};

/* Keeps an error, unless there is one: "call: why". */
void o2c_cuda_fail(o2c_cuda *cu, o2c_status status, const char *call,
                   const char *why);
/* 1 if e is an error, which is then kept. */
int o2c_cuda_failed(o2c_cuda *cu, cudaError_t e, const char *call);
/* Opens a library, unless it is open; 0: failed. */
int o2c_cuda_blas(o2c_cuda *cu);
int o2c_cuda_dnn(o2c_cuda *cu);
void *o2c_cuda_scratch(const o2c_cuda *cu);
/* Recorded regions must not outlive the plans whose kernels they hold. */
void o2c_cuda_forget_records(o2c_cuda *cu);
/* The stream records, for this runtime or for the caller: nothing may wait. */
int o2c_cuda_records(const o2c_cuda *cu);

void o2c_cuda_key_add(o2c_cuda_key *key, int64_t word);
void o2c_cuda_key_float(o2c_cuda_key *key, float value);
/* Bytes that p is a multiple of, 256 at most. */
int64_t o2c_cuda_alignment(const void *p);

/* NULL: not prepared yet. While the stream records that is an error, as
 * libraries may do there what a recording forbids. */
void *o2c_cuda_plan_find(o2c_cuda *cu, unsigned plan, const o2c_cuda_key *key);
/* Takes over `what`; on an error, which it keeps, drops it and returns 0. */
int o2c_cuda_plan_keep(o2c_cuda *cu, unsigned plan, const o2c_cuda_key *key,
                       void *what, void (*drop)(void *what));
void o2c_cuda_plans_close(o2c_cuda *cu);

/* Reads the file of tuned choices; 0: no memory. */
int o2c_cuda_tuned_open(o2c_cuda *cu, const char *path);
/* Which algorithm was best; -1: not known. */
int o2c_cuda_tuned(const o2c_cuda *cu, unsigned plan, const o2c_cuda_key *key);
void o2c_cuda_tuned_keep(o2c_cuda *cu, unsigned plan, const o2c_cuda_key *key,
                         int choice);
/* The fastest of n algorithms, each run some times; 0 if none can be timed.
 * `run` returns 0 for one that fails. */
int o2c_cuda_tune(o2c_cuda *cu, int n, int (*run)(void *user, int i),
                  void *user);

#ifdef __cplusplus
}
#endif
#endif
