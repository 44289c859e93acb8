/* SPDX-License-Identifier: 0BSD */
/* o2c_threads.h: threads for o2c_config.par, where a program has none of its
 * own. POSIX threads; C99 and C++. Link o2c_threads.c and -pthread.
 *
 *   static o2c_threads pool;
 *   o2c_threads_start(&pool, 4);
 *   cfg.par = &pool.par;     workspace for pool.par.workers
 *   ...
 *   o2c_threads_stop(&pool); after the last run
 *
 * The calling thread is one of the workers. Any number of contexts may share a
 * pool: while one of them uses it, the others' work stays on the threads that
 * call. The pool holds no memory but this struct. */
#ifndef O2C_THREADS_H
#define O2C_THREADS_H
#include <pthread.h>

#include "o2c.h"

#define O2C_THREADS_MAX 64 /* workers */

#ifdef __cplusplus
extern "C" {
#endif

struct o2c_threads;
/* What one worker still has to do, on cache lines of its own. */
typedef struct {
  unsigned next, end; /* chunks; others may take from here, too */
  unsigned number;
  pthread_t thread;
  struct o2c_threads *pool;
  char apart_[128];
} o2c_threads_worker;

/* `par` is for the caller; the rest belongs to o2c_threads.c. */
typedef struct o2c_threads {
  o2c_parallel par;
  o2c_task task; /* the region: what parallel_for was given, and its chunks */
  void *arg;
  size_t n;
  unsigned chunks, each, parts;
  unsigned busy, stop;
  char apart0_[128];
  unsigned gate; /* number of the region, is it open, how many are inside */
  char apart1_[128];
  unsigned asleep, waits; /* workers; the caller */
  pthread_mutex_t lock;
  pthread_cond_t work, done;
  o2c_threads_worker worker[O2C_THREADS_MAX];
} o2c_threads;

/* Starts workers - 1 threads; 0: as many workers as processors are online. If
 * the system has fewer threads to give, par.workers says so. O2C_E_ARG: null,
 * or more than O2C_THREADS_MAX. */
o2c_status o2c_threads_start(o2c_threads *pool, unsigned workers);
/* Waits for the threads to end; no run may be under way. */
void o2c_threads_stop(o2c_threads *pool);

#ifdef __cplusplus
}
#endif
#endif
