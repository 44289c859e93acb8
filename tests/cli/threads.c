/* SPDX-License-Identifier: Apache-2.0 */
/* o2c_threads.h alone, and models whose steps are divided: the same bits for
 * any number of workers and any split; see threads.sh. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "check.h"
#include "o2c_threads.h"

/* --- The pool ------------------------------------------------------------- */

enum { ITEMS = 5000 };
typedef struct {
  const o2c_threads *pool;
  unsigned char done[ITEMS]; /* how often */
  unsigned char inside[O2C_THREADS_MAX];
  size_t n, grain;
} Count;

/* Every item once, ranges not too small, no two at once with one number. */
static void count(void *arg, size_t begin, size_t end, unsigned worker)
{
  Count *c = (Count *)arg;
  size_t i;
  CHECK(worker < c->pool->par.workers && begin < end && end <= c->n);
  CHECK(end - begin >= c->grain || c->n < c->grain);
  CHECK(c->inside[worker]++ == 0);
  for (i = begin; i < end; i++) c->done[i]++;
  c->inside[worker]--;
}

static void region(const o2c_threads *pool, size_t n, size_t grain)
{
  static Count c;
  size_t i;
  memset(&c, 0, sizeof c);
  c.pool = pool;
  c.n = n;
  c.grain = grain;
  pool->par.parallel_for(pool->par.user, n, grain, count, &c);
  for (i = 0; i < ITEMS; i++) CHECK(c.done[i] == (i < n));
}

static void rest(long ns)
{
  struct timespec t = {0, 0};
  t.tv_nsec = ns;
  nanosleep(&t, NULL);
}

static void pool_of(unsigned workers)
{
  static o2c_threads pool;
  size_t k;
  CHECK(o2c_threads_start(&pool, workers) == O2C_OK);
  CHECK(workers ? pool.par.workers == workers : pool.par.workers > 0);
  for (k = 0; k < 3000; k++) region(&pool, k * 7 % ITEMS, 1 + k % 13);
  for (k = 0; k < 10; k++) {
    rest(1000000); /* until the workers sleep */
    region(&pool, k, 1);
  }
  region(&pool, ITEMS, ITEMS + 1);
  region(&pool, 3, 1);
  region(&pool, 3, 0);
  o2c_threads_stop(&pool);
  o2c_threads_stop(&pool);
}

static void nested_part(void *arg, size_t begin, size_t end, unsigned worker)
{
  o2c_threads *pool = (o2c_threads *)arg;
  Count *c = (Count *)calloc(1, sizeof *c);
  (void)worker;
  CHECK(c);
  c->pool = pool;
  c->n = 100;
  c->grain = 1;
  for (; begin < end; begin++)
    pool->par.parallel_for(pool->par.user, 100, 1, count, c);
  CHECK(c->done[0] > 0 && c->done[0] == c->done[99]);
  free(c);
}

static void *other_caller(void *arg)
{
  o2c_threads *pool = (o2c_threads *)arg;
  int k;
  for (k = 0; k < 200; k++)
    pool->par.parallel_for(pool->par.user, 50, 1, nested_part, pool);
  return NULL;
}

static void pools(void)
{
  static o2c_threads pool;
  pthread_t other;
  unsigned k;
  CHECK(o2c_threads_start(NULL, 1) == O2C_E_ARG);
  CHECK(o2c_threads_start(&pool, O2C_THREADS_MAX + 1) == O2C_E_ARG);
  o2c_threads_stop(NULL);
  for (k = 0; k < 5; k++) pool_of(k);
  pool_of(16);
  CHECK(o2c_threads_start(&pool, 3) == O2C_OK);
  CHECK(!pthread_create(&other, NULL, other_caller, &pool));
  other_caller(&pool);
  CHECK(!pthread_join(other, NULL));
  o2c_threads_stop(&pool);
}

/* --- Models --------------------------------------------------------------- */

extern const o2c_model *(*const models[])(void); /* NULL at the end */

static void *aligned(size_t n)
{
  void *p = NULL;
  CHECK(posix_memalign(&p, 64, n ? n : 1) == 0);
  return p;
}

/* Ranges one after the other, the last first, with all numbers in turn. */
static void backwards(void *user, size_t n, size_t grain, o2c_task task,
                      void *arg)
{
  const unsigned workers = *(const unsigned *)user;
  size_t end = n;
  unsigned k = 0;
  for (; end > 0; k++) {
    const size_t begin = end < 2 * grain + k ? 0 : end - grain - k % 3;
    task(arg, begin, end, k % workers);
    end = begin;
  }
}

/* Threads that run one after the other: they never meet. */
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

static void one_by_one(void *user, size_t n, size_t grain, o2c_task task,
                       void *arg)
{
  const unsigned workers = *(const unsigned *)user;
  unsigned k;
  (void)grain;
  for (k = 0; k < workers; k++) {
    pthread_t t;
    Part p;
    p.task = task;
    p.arg = arg;
    p.begin = n * k / workers;
    p.end = n * (k + 1) / workers;
    p.worker = workers - 1 - k;
    if (p.begin == p.end) continue;
    CHECK(!pthread_create(&t, NULL, part_main, &p));
    CHECK(!pthread_join(t, NULL));
  }
}

typedef struct {
  void *data[8];
  size_t bytes[8];
  uint32_t n;
} Set;

static size_t elements(const o2c_port *p, const int64_t *dims)
{
  size_t n = 1;
  int32_t i;
  for (i = 0; i < p->rank; i++)
    n *= (size_t)(p->dim[i].sym >= 0 ? dims[p->dim[i].sym] : p->dim[i].size);
  return n;
}

static void fill(const o2c_port *p, void *data, size_t n)
{
  size_t i;
  for (i = 0; i < n; i++)
    switch (p->dtype) {
    case O2C_F32: ((float *)data)[i] = (float)((i * 37) % 101) / 50.0f - 1;
      break;
    case O2C_I64: ((int64_t *)data)[i] = i % 5 != 0; break;
    default: ((unsigned char *)data)[i] = (unsigned char)(i * 31); break;
    }
}

static void make_inputs(const o2c_model *m, const int64_t *dims, Set *s)
{
  uint32_t k;
  s->n = m->n_in;
  CHECK(m->n_in <= 8 && m->n_out <= 8);
  for (k = 0; k < s->n; k++) {
    const size_t n = elements(&m->in[k], dims);
    s->bytes[k] = n * (size_t)m->in[k].item_size;
    s->data[k] = aligned(s->bytes[k]);
    fill(&m->in[k], s->data[k], n);
  }
}

static void make_outputs(const o2c_model *m, const int64_t *dims, Set *s)
{
  uint32_t k;
  s->n = m->n_out;
  for (k = 0; k < s->n; k++) {
    int64_t shape[16];
    int32_t i;
    m->out_shape(dims, k, shape);
    s->bytes[k] = (size_t)m->out[k].item_size;
    for (i = 0; i < m->out[k].rank; i++) s->bytes[k] *= (size_t)shape[i];
    s->data[k] = aligned(s->bytes[k]);
    memset(s->data[k], 0xA5, s->bytes[k]);
  }
}

static void drop(Set *s)
{
  uint32_t k;
  for (k = 0; k < s->n; k++) free(s->data[k]);
}

static void run(const o2c_model *m, const int64_t *dims, Set *in, Set *out,
                const o2c_parallel *par)
{
  o2c_config cfg;
  void *ctx, *mem = aligned(m->ctx_size);
  make_outputs(m, dims, out);
  memset(&cfg, 0, sizeof cfg);
  cfg.size = sizeof cfg;
  cfg.par = par;
  cfg.workspace_size = m->workspace_size(dims, par ? par->workers : 1);
  cfg.workspace = aligned(cfg.workspace_size);
  memset(cfg.workspace, 0xC5, cfg.workspace_size);
  CHECK(m->init(mem, m->ctx_size, &cfg, &ctx) == O2C_OK);
  CHECK(m->run(ctx, dims, (const void *const *)in->data, out->data) == O2C_OK);
  m->deinit(ctx);
  free(mem);
  free(cfg.workspace);
}

static void same(const o2c_model *m, const int64_t *dims, Set *in,
                 const Set *want, const o2c_parallel *par)
{
  Set got;
  uint32_t k;
  run(m, dims, in, &got, par);
  for (k = 0; k < got.n; k++)
    if (memcmp(got.data[k], want->data[k], want->bytes[k])) {
      printf("%s: output %u differs with %u workers\n", m->name, (unsigned)k,
             par->workers);
      exit(1);
    }
  drop(&got);
}

static unsigned task_calls;
static void count_calls(void *user, size_t n, size_t grain, o2c_task task,
                        void *arg)
{
  (void)user, (void)grain;
  task_calls++;
  task(arg, 0, n, 0);
}

/* ThreadSanitizer, ten times slower, looks at three workers: what one thread
 * does in all their places has no races. */
#ifdef __SANITIZE_THREAD__
#define FEWEST 3
#define MOST 3
#else
#define FEWEST 1
#define MOST 4
#endif

/* Any order, any parts, by one thread. */
static void orders(const o2c_model *m, const int64_t *dims, Set *in,
                   const Set *want)
{
  o2c_parallel hook;
  hook.user = NULL;
  hook.workers = 8;
  hook.parallel_for = count_calls;
  task_calls = 0;
  same(m, dims, in, want, &hook);
  CHECK(task_calls > 0);
  hook.user = &hook.workers;
  for (hook.workers = 2; hook.workers < 8; hook.workers += 3) {
    hook.parallel_for = backwards;
    same(m, dims, in, want, &hook);
    hook.parallel_for = one_by_one;
    same(m, dims, in, want, &hook);
  }
}

/* Dimension 0 is the batch; the others, lengths of sequences. */
static void model(const o2c_model *m, int64_t batch)
{
  static o2c_threads pool;
  int64_t dims[16];
  Set in, want;
  unsigned k;
  for (k = 0; k < 16; k++) dims[k] = k ? 24 : batch;
  make_inputs(m, dims, &in);
  run(m, dims, &in, &want, NULL);
  if (FEWEST == 1) orders(m, dims, &in, &want);
  for (k = FEWEST; k <= MOST; k++) {
    CHECK(o2c_threads_start(&pool, k) == O2C_OK);
    same(m, dims, &in, &want, &pool.par);
    o2c_threads_stop(&pool);
  }
  drop(&in);
  drop(&want);
}

int main(int argc, char **argv)
{
  int k;
  (void)argv;
  if (argc == 1) pools();
  for (k = 0; models[k]; k++) {
    const o2c_model *m = models[k]();
    model(m, 1);
    if (m->n_dim && argc == 1) model(m, 3);
  }
  puts("all right");
  return 0;
}
