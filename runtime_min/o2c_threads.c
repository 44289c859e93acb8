/* SPDX-License-Identifier: 0BSD */
/* o2c_threads.c: a pool of POSIX threads behind o2c_parallel.
 *
 * A region, one call of parallel_for, is cut into chunks. Each worker owns an
 * equal run of them, and takes from the others' when it has no more. The caller
 * never waits for a worker that has not come: it does that one's chunks, too,
 * closes the region, and waits for those inside to finish the chunk they are
 * at. So a thread that the system has taken its processor away from, or that
 * still sleeps, costs at most one chunk.
 *
 * Workers look for the next region for some tens of microseconds, as a network
 * has one every so often, and sleep afterwards. The caller, too, spins shortly
 * and sleeps: the system can then move a thread it waits for to this processor.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "o2c_threads.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef __GNUC__
#error "o2c_threads.c needs the atomic operations of GCC or Clang"
#endif
#define LOAD(p) __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define STORE(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define ADD(p, v) __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)

#define CHUNKS 4         /* of each worker, where they are large enough */
#define SPIN_NS 40000
/* The gate: who is inside, is it open, the region's number. */
#define INSIDE 255u
#define OPEN 256u
#define REGION 512u

static void relax(void)
{
#if defined __x86_64__ || defined __i386__
  __builtin_ia32_pause();
#elif defined __aarch64__ || defined __arm__
  __asm__ volatile("yield");
#endif
}

static long long now_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Spins until the gate's bits `mask` are no longer `value`; false: in vain. */
static int spin(const unsigned *gate, unsigned mask, unsigned value)
{
  long long end = 0;
  int k;
  do {
    for (k = 0; k < 64; k++) {
      if ((LOAD(gate) & mask) != value) return 1;
      relax();
    }
    if (!end) end = now_ns() + SPIN_NS;
  } while (now_ns() < end);
  return 0;
}

/* Runs the chunks that `owner` has left, as worker `me`. */
static void work_off(o2c_threads *p, o2c_threads_worker *owner, unsigned me)
{
  unsigned k;
  while ((k = ADD(&owner->next, 1u) - 1) < owner->end) {
    const size_t begin = p->n / p->chunks * k +
                         p->n % p->chunks * k / p->chunks;
    const size_t end = p->n / p->chunks * (k + 1) +
                       p->n % p->chunks * (k + 1) / p->chunks;
    p->task(p->arg, begin, end, me);
  }
}

static void take_part(o2c_threads *p, unsigned me)
{
  unsigned k;
  for (k = 0; k < p->parts; k++)
    work_off(p, &p->worker[(me + k) % p->parts], me);
}

/* Enters the open region unless `*seen` is its number. */
static int enter(o2c_threads *p, unsigned *seen)
{
  unsigned g = LOAD(&p->gate);
  while ((g & OPEN) && g / REGION != *seen)
    if (__atomic_compare_exchange_n(&p->gate, &g, g + 1, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
      *seen = g / REGION;
      return 1;
    }
  return 0;
}

static void leave(o2c_threads *p)
{
  const unsigned g = ADD(&p->gate, -1u);
  if ((g & (INSIDE | OPEN)) || !LOAD(&p->waits)) return;
  pthread_mutex_lock(&p->lock);
  pthread_cond_signal(&p->done);
  pthread_mutex_unlock(&p->lock);
}

/* Until there may be a region after `seen`, or the end. */
static void await_work(o2c_threads *p, unsigned seen)
{
  if (spin(&p->gate, ~(OPEN | INSIDE), seen * REGION)) return;
  pthread_mutex_lock(&p->lock);
  ADD(&p->asleep, 1u);
  while (!LOAD(&p->stop) && LOAD(&p->gate) / REGION == seen)
    pthread_cond_wait(&p->work, &p->lock);
  ADD(&p->asleep, -1u);
  pthread_mutex_unlock(&p->lock);
}

static void *worker_main(void *arg)
{
  const o2c_threads_worker *w = (const o2c_threads_worker *)arg;
  o2c_threads *p = w->pool;
  unsigned seen = 0;
  while (!LOAD(&p->stop)) {
    if (enter(p, &seen)) {
      take_part(p, w->number);
      leave(p);
    } else {
      /* A region that closed before this worker came is over for it. */
      seen = LOAD(&p->gate) & OPEN ? seen : LOAD(&p->gate) / REGION;
      await_work(p, seen);
    }
  }
  return NULL;
}

static void wake(o2c_threads *p)
{
  if (!LOAD(&p->asleep)) return;
  pthread_mutex_lock(&p->lock);
  pthread_cond_broadcast(&p->work);
  pthread_mutex_unlock(&p->lock);
}

/* Closes the region and waits for the workers inside. */
static void finish(o2c_threads *p)
{
  __atomic_and_fetch(&p->gate, ~OPEN, __ATOMIC_SEQ_CST);
  while (LOAD(&p->gate) & INSIDE) {
    const unsigned g = LOAD(&p->gate);
    if (!(g & INSIDE) || spin(&p->gate, INSIDE, g & INSIDE)) continue;
    pthread_mutex_lock(&p->lock);
    STORE(&p->waits, 1u);
    while (LOAD(&p->gate) & INSIDE) pthread_cond_wait(&p->done, &p->lock);
    STORE(&p->waits, 0u);
    pthread_mutex_unlock(&p->lock);
  }
}

static void open_region(o2c_threads *p, size_t n, size_t grain, o2c_task task,
                        void *arg)
{
  const size_t most = n / (grain ? grain : 1);
  unsigned k;
  p->parts = most < p->par.workers ? (unsigned)most : p->par.workers;
  p->each = most / p->parts < CHUNKS ? (unsigned)(most / p->parts) : CHUNKS;
  p->chunks = p->parts * p->each;
  p->n = n;
  p->task = task;
  p->arg = arg;
  for (k = 0; k < p->parts; k++) {
    STORE(&p->worker[k].next, k * p->each);
    p->worker[k].end = (k + 1) * p->each;
  }
  STORE(&p->gate, ((LOAD(&p->gate) / REGION + 1) * REGION) | OPEN);
}

static void parallel_for(void *user, size_t n, size_t grain, o2c_task task,
                         void *arg)
{
  o2c_threads *p = (o2c_threads *)user;
  /* Within a region, or beside another caller's: on this thread alone. */
  if (n / (grain ? grain : 1) < 2 ||
      __atomic_exchange_n(&p->busy, 1u, __ATOMIC_SEQ_CST)) {
    if (n) task(arg, 0, n, 0);
    return;
  }
  open_region(p, n, grain, task, arg);
  wake(p);
  take_part(p, 0);
  finish(p);
  STORE(&p->busy, 0u);
}

o2c_status o2c_threads_start(o2c_threads *pool, unsigned workers)
{
  unsigned k;
  if (!pool || workers > O2C_THREADS_MAX) return O2C_E_ARG;
  if (!workers) {
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    workers = n < 1 ? 1 : n > O2C_THREADS_MAX ? O2C_THREADS_MAX : (unsigned)n;
  }
  memset(pool, 0, sizeof *pool);
  pool->par.user = pool;
  pool->par.parallel_for = parallel_for;
  if (pthread_mutex_init(&pool->lock, NULL)) return O2C_E_ARG;
  pthread_cond_init(&pool->work, NULL);
  pthread_cond_init(&pool->done, NULL);
  for (k = 1; k < workers; k++) {
    pool->worker[k].number = k;
    pool->worker[k].pool = pool;
    if (pthread_create(&pool->worker[k].thread, NULL, worker_main,
                       &pool->worker[k]))
      break;
  }
  pool->par.workers = k;
  return O2C_OK;
}

void o2c_threads_stop(o2c_threads *pool)
{
  unsigned k;
  if (!pool || !pool->par.workers) return;
  pthread_mutex_lock(&pool->lock);
  STORE(&pool->stop, 1u);
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
  for (k = 1; k < pool->par.workers; k++)
    pthread_join(pool->worker[k].thread, NULL);
  pthread_cond_destroy(&pool->work);
  pthread_cond_destroy(&pool->done);
  pthread_mutex_destroy(&pool->lock);
  pool->par.workers = 0;
}
