/* SPDX-License-Identifier: 0BSD */
/* o2c_driver.c: one program that runs any set of generated models on test data.
 *
 *   program JOBS RESULTS
 *
 * It is linked with the models and with a table of them (o2c_driver_models).
 * JOBS holds the inputs of many runs, RESULTS receives what became of each.
 * Every run has its own child process, so a crash or an endless loop costs that
 * run only. Both files are made of native int64 words; all payloads are padded
 * to whole words:
 *
 *   JOBS    'O2CJOBS1' count flags timeout_s, then per job:
 *           model times  n, n dims (-1: take from the inputs)
 *           n, n tensors
 *           flags: 1 no child processes; 2 times of steps; the number of
 *           workers (o2c_threads.h) times 256
 *   RESULTS per job: 'O2CRSLT1' job kind detail workspace_bytes
 *           n, n times in ps  n, n dims as used  n, n tensors
 *           With flag 2, of models made with --hooks, the tensors are of the
 *           steps in order: names (strings), times of a run in ns (int64), the
 *           least of all runs, node indices (int64)
 *   tensor  dtype (0: absent) rank dims[rank] bytes payload; a string tensor's
 *           payload is a length word for each element, then all the text. A
 *           value of another kind: minus its o2c_kind, count, the items (of
 *           a map keys, values; of a sparse tensor elements, indices, dims)
 *
 * `times`: 0 runs once and keeps the outputs; k > 0 warms up, then takes k
 * times of run() alone (of short ones the mean of as many as calls_of_a_time
 * says); -1 chooses k by the clock. kind: 0 done; 1 run() returned the status
 * `detail`; 2 killed by signal `detail`; 3 out of time; 4 exited with code
 * `detail`; 5 the data does not fit the model; 6 wrote outside a buffer.
 * Weights of `--weights file` are read from <model>.weights beside JOBS. POSIX,
 * C99; also under user-mode emulation. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "o2c.h"
#include "o2c_driver_io.h"
#include "o2c_tap.h"
#include "o2c_threads.h"

extern const o2c_model *(*const o2c_driver_models[])(void);
extern const int o2c_driver_count;

enum { FLAG_NO_FORK = 1, FLAG_PROFILE = 2, FLAG_WORKERS = 256 };
enum { DONE, STATUS, KILLED, TIMEOUT, EXITED, MISFIT, OVERRUN };
#define JOBS_MAGIC "O2CJOBS1"
#define RESULT_MAGIC "O2CRSLT1"
#define MAX_RANK 16
#define MAX_TIMES 100000
/* A sanitizer finds a wrong access itself, and wants buffers of exact size. */
#if defined __SANITIZE_ADDRESS__
#define GUARD 0
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define GUARD 0
#endif
#endif
#ifndef GUARD
#define GUARD 256
#endif
#define GUARD_BYTE 0xA7

typedef struct {
  int64_t model, times, ndim, nin;
  const int64_t *dim;
  Tensor *in;
} Job;

typedef struct {
  const Job *job;
  const o2c_model *m;
  int64_t *dims;
  Buffer *in, *out, work, mem, weights;
  int64_t *shape; /* MAX_RANK for each output */
  o2c_value *value; /* of each output, where it is one */
  size_t *head;   /* where not 0, how much of its storage it is given */
  int64_t *ps, nps;
  struct Profile *profile; /* or NULL */
  const o2c_parallel *par; /* or NULL */
} Run;

/* --- The job file --------------------------------------------------------- */

static Job read_job(void)
{
  Job j;
  int64_t i;
  j.model = take_word();
  j.times = take_word();
  j.ndim = take_word();
  j.dim = take_words(j.ndim);
  j.nin = take_word();
  if (j.model < 0 || j.model >= o2c_driver_count || j.nin < 0)
    die("the job file is of other models");
  j.in = (Tensor *)need((size_t)j.nin * sizeof(Tensor));
  for (i = 0; i < j.nin; i++) take_tensor(&j.in[i], 0);
  return j;
}

/* --- Results -------------------------------------------------------------- */

static void put_head(int64_t job, int64_t kind, int64_t detail, size_t work)
{
  put(RESULT_MAGIC, 8);
  put_word(job);
  put_word(kind);
  put_word(detail);
  put_word((int64_t)work);
}

static void put_failure(int64_t job, int64_t kind, int64_t detail, size_t work)
{
  put_head(job, kind, detail, work);
  put_word(0);
  put_word(0);
  put_word(0);
}

/* --- Times of steps ------------------------------------------------------- */

#define MAX_STEPS 65536
#define MAX_NESTED 64
typedef struct {
  const char *name;
  int64_t node, now, least; /* ns of this run; of the best run */
} StepTime;
typedef struct Profile {
  StepTime *step;
  int64_t n, next;          /* next: that begins next, if as in the last run */
  int64_t open[MAX_NESTED], begin[MAX_NESTED]; /* steps that have begun */
  int depth;
} Profile;

static int64_t now_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The step's number; names are literals of the program, so pointers tell. */
static int64_t step_at(Profile *p, const char *name, uint32_t node)
{
  int64_t i = p->next;
  if (i >= p->n || p->step[i].name != name)
    for (i = 0; i < p->n && p->step[i].name != name;) i++;
  if (i == MAX_STEPS) die("too many steps");
  if (i == p->n) {
    p->step[i].name = name;
    p->step[i].node = node;
    p->step[i].now = 0;
    p->step[i].least = INT64_MAX;
    p->n++;
  }
  p->next = i + 1;
  return i;
}

static void step_hook(void *user, uint32_t node, const char *name, int end)
{
  Profile *p = (Profile *)user;
  int64_t t = now_ns();
  if (!end) {
    if (p->depth == MAX_NESTED) die("steps are nested too deep");
    p->open[p->depth] = step_at(p, name, node);
    p->begin[p->depth++] = now_ns();
  } else if (p->depth) {
    p->depth--;
    p->step[p->open[p->depth]].now += t - p->begin[p->depth];
  }
}

static void profile_run_ends(Profile *p)
{
  int64_t i;
  for (i = 0; i < p->n; i++) {
    if (p->step[i].now < p->step[i].least) p->step[i].least = p->step[i].now;
    p->step[i].now = 0;
  }
  p->next = p->depth = 0;
}

/* What warm-up took is no time of a run; the steps stay in their order. */
static void profile_forget(Profile *p)
{
  int64_t i;
  for (i = 0; i < p->n; i++) p->step[i].now = 0;
  p->next = p->depth = 0;
}

static void put_profile(const Profile *p)
{
  size_t n = (size_t)p->n, i;
  Buffer b;
  o2c_str *name = (o2c_str *)need(n * sizeof *name);
  for (i = 0; i < n; i++) {
    name[i].p = p->step[i].name;
    name[i].len = strlen(name[i].p);
  }
  b.p = (unsigned char *)name;
  b.n = n * sizeof *name;
  put_word(3);
  put_word(O2C_STR);
  put_word(1);
  put_word(p->n);
  put_strings(&b);
  put_word(O2C_I64);
  put_word(1);
  put_word(p->n);
  put_word(p->n * 8);
  for (i = 0; i < n; i++) put_word(p->step[i].least);
  put_word(O2C_I64);
  put_word(1);
  put_word(p->n);
  put_word(p->n * 8);
  for (i = 0; i < n; i++) put_word(p->step[i].node);
  free(name);
}

static void put_outputs(const Run *r)
{
  uint32_t k;
  put_word((int64_t)r->m->n_out);
  for (k = 0; k < r->m->n_out; k++) {
    const o2c_port *port = &r->m->out[k];
    const int64_t *shape =
        port->value ? r->value[k].dim : r->shape + k * MAX_RANK;
    Buffer used = r->out[k];
    int32_t i;
    if (port->kind != O2C_TENSOR) {
      put_value(&r->value[k]);
      continue;
    }
    used.n = (size_t)port->item_size;
    for (i = 0; i < port->rank; i++) used.n *= (size_t)shape[i];
    put_word(port->dtype);
    put_word(port->rank);
    put(shape, (size_t)port->rank * 8);
    if (port->dtype == O2C_STR) {
      put_strings(&used);
    } else {
      put_word((int64_t)used.n);
      put(used.p, used.n);
    }
  }
}

/* --- Buffers -------------------------------------------------------------- */

static Buffer buffer_new(size_t n, size_t align)
{
  Buffer b;
  void *p = NULL;
  size_t i;
  if (align < sizeof(void *)) align = sizeof(void *);
  b.n = n;
  if (posix_memalign(&p, align, n || GUARD > 0 ? n + GUARD : 1))
    die("out of memory");
  b.p = (unsigned char *)p;
  /* Not zeros: a model must not count on cleared storage. */
  memset(b.p, 0xC5, n);
  for (i = n; i < n + GUARD; i++) b.p[i] = GUARD_BYTE;
  return b;
}

static int buffer_overrun(const Buffer *b)
{
  size_t i;
  for (i = b->n; b->p && i < b->n + GUARD; i++)
    if (b->p[i] != GUARD_BYTE) return 1;
  return 0;
}

/* <folder of the job file>/<model>.weights, where the model asks for it. */
static o2c_status load_weights(Run *r)
{
  const char *slash = strrchr(job_path, '/');
  size_t folder = slash ? (size_t)(slash - job_path) + 1 : 0, n;
  char path[4096];
  FILE *f;
  if (!r->m->weights_size) return O2C_OK;
  if (folder + strlen(r->m->name) + 16 > sizeof path) return O2C_E_WEIGHTS;
  sprintf(path, "%.*s%s.weights", (int)folder, job_path, r->m->name);
  f = fopen(path, "rb");
  if (!f) return O2C_E_WEIGHTS;
  r->weights = buffer_new(r->m->weights_size, 64);
  n = fread(r->weights.p, 1, r->weights.n, f);
  fclose(f);
  return n == r->weights.n ? O2C_OK : O2C_E_WEIGHTS;
}

static int buffers_overrun(const Run *r)
{
  uint32_t k;
  int bad = buffer_overrun(&r->work) || buffer_overrun(&r->mem);
  for (k = 0; k < r->m->n_in; k++) bad |= buffer_overrun(&r->in[k]);
  for (k = 0; k < r->m->n_out; k++) bad |= buffer_overrun(&r->out[k]);
  return bad;
}

static void input_new(Buffer *b, const Tensor *t)
{
  int64_t i, n = 1;
  for (i = 0; i < t->rank; i++) n *= t->dim[i];
  *b = buffer_new(t->dtype == O2C_STR ? (size_t)n * sizeof(o2c_str)
                                      : (size_t)t->bytes, 64);
  if (t->dtype != O2C_STR) {
    memcpy(b->p, t->payload, b->n);
  } else {
    o2c_str *s = (o2c_str *)(void *)b->p;
    const unsigned char *text = t->payload + n * 8;
    for (i = 0; i < n; i++) {
      int64_t len;
      memcpy(&len, t->payload + i * 8, 8);
      s[i].p = (const char *)text;
      s[i].len = (size_t)len;
      text += len;
    }
  }
}

/* A sequence or an optional value, as the host sent it. */
static void value_new(o2c_value *v, const Tensor *t)
{
  int64_t i;
  memset(v, 0, sizeof *v);
  if (t->dtype < 0) {
    v->kind = (int32_t)-t->dtype;
    v->count = t->count;
    v->item = (o2c_value *)need((size_t)t->count * sizeof *v);
    for (i = 0; i < t->count; i++) value_new(&v->item[i], &t->item[i]);
    if (v->kind == O2C_MAP && t->count == 2) v->count = v->item[0].dim[0];
    if (v->kind == O2C_SPARSE && t->count == 3) {
      v->count = v->item[0].dim[0];
      v->dtype = v->item[0].dtype;
      v->rank = (int32_t)v->item[2].dim[0];
      memcpy(v->dim, v->item[2].data, (size_t)v->rank * 8);
    }
  } else {
    Buffer b;
    input_new(&b, t);
    v->dtype = (int32_t)t->dtype;
    v->rank = (int32_t)t->rank;
    for (i = 0; i < t->rank; i++) v->dim[i] = t->dim[i];
    v->data = b.p;
    v->size = b.n;
  }
}

/* --- One run -------------------------------------------------------------- */

static int misfit(const Run *r, uint32_t k, const char *what)
{
  const o2c_port *port = &r->m->in[k];
  fprintf(stderr, "input %u '%s': %s\n", (unsigned)k, port->name, what);
  return MISFIT;
}

/* Symbolic dimensions take their sizes from the data. */
static int fit_dims(Run *r, uint32_t k, int64_t rank, const int64_t *dim)
{
  const o2c_port *port = &r->m->in[k];
  int32_t i;
  if (rank != port->rank) return misfit(r, k, "the rank differs");
  for (i = 0; i < port->rank; i++) {
    int32_t sym = port->dim[i].sym;
    if (sym >= 0) {
      if (r->dims[sym] < 0) r->dims[sym] = dim[i];
      if (r->dims[sym] != dim[i])
        return misfit(r, k, "a symbolic dimension has two sizes");
    } else if (sym == O2C_SYM_NONE && port->dim[i].size != dim[i]) {
      return misfit(r, k, "a dimension differs");
    }
  }
  return DONE;
}

static int fit_input(Run *r, uint32_t k)
{
  const o2c_port *port = &r->m->in[k];
  const Tensor *t = &r->job->in[k];
  int64_t n = 1;
  int32_t i;
  if (!t->dtype)
    return port->optional ? DONE : misfit(r, k, "no data is given");
  if (port->kind != O2C_TENSOR) {
    if (t->dtype != -port->kind) return misfit(r, k, "the kind differs");
    r->in[k] = buffer_new(sizeof(o2c_value), 16);
    value_new((o2c_value *)(void *)r->in[k].p, t);
    if (port->kind == O2C_SPARSE) {
      const o2c_value *v = (const o2c_value *)(const void *)r->in[k].p;
      return fit_dims(r, k, v->rank, v->dim);
    }
    return DONE;
  }
  if (t->dtype != port->dtype) return misfit(r, k, "the type differs");
  i = fit_dims(r, k, t->rank, t->dim);
  if (i != DONE) return i;
  for (i = 0; i < port->rank; i++) n *= t->dim[i];
  if (port->dtype != O2C_STR && n * port->item_size != t->bytes)
    return misfit(r, k, "the number of bytes differs");
  input_new(&r->in[k], t);
  return DONE;
}

static int fit_data(Run *r)
{
  uint32_t k;
  if (r->job->nin != (int64_t)r->m->n_in ||
      r->job->ndim > (int64_t)r->m->n_dim) {
    fprintf(stderr, "the model has %u inputs, the data %ld\n",
            (unsigned)r->m->n_in, (long)r->job->nin);
    return MISFIT;
  }
  for (k = 0; k < r->m->n_dim; k++)
    r->dims[k] = (int64_t)k < r->job->ndim ? r->job->dim[k] : -1;
  for (k = 0; k < r->m->n_in; k++) {
    int bad = fit_input(r, k);
    if (bad) return bad;
  }
  /* What no input tells is a capacity: it starts small and grows. */
  for (k = 0; k < r->m->n_dim; k++)
    if (r->dims[k] < 0) r->dims[k] = 1;
  return DONE;
}

/* Storage for the dims as they are now, and the context in it. */
static o2c_status set_up(Run *r, void **ctx)
{
  const o2c_model *m = r->m;
  o2c_config cfg = {0};
  o2c_device device = {0};
  const char *why = NULL;
  o2c_status status;
  static o2c_hooks hooks;
  uint32_t k;
  int32_t i;
  size_t size = m->workspace_size(r->dims, r->par ? r->par->workers : 1);
  free(r->work.p);
  free(r->mem.p);
  r->work = buffer_new(size, m->workspace_align);
  r->mem = buffer_new(m->ctx_size, m->ctx_align);
  for (k = 0; k < m->n_out; k++) {
    int64_t *shape = r->shape + k * MAX_RANK;
    size_t n = 1;
    m->out_shape(r->dims, k, shape);
    for (i = 0; i < m->out[k].rank; i++) {
      if (shape[i] < 0) return O2C_E_DIMS;
      n *= (size_t)shape[i];
    }
    free(r->out[k].p);
    r->out[k] = buffer_new(n * (size_t)m->out[k].item_size, 64);
  }
  cfg.size = sizeof cfg;
  cfg.workspace = r->work.p;
  cfg.workspace_size = size;
  cfg.weights = r->weights.p;
  cfg.weights_size = r->weights.n;
  cfg.par = r->par;
  hooks.user = r->profile;
  hooks.node = step_hook;
  if (r->profile) cfg.hooks = &hooks;
  if (m->device_size) {
    device.size = sizeof device;
    device.arena_size = m->device_size(r->dims);
    device.why = &why;
    cfg.device = &device;
  }
  status = m->init(r->mem.p, m->ctx_size, &cfg, ctx);
  if (status != O2C_OK && why) fprintf(stderr, "%s: %s\n", m->name, why);
  return status;
}

/* What run() takes; gathered once, as a small model runs for some ten
 * nanoseconds. */
typedef struct {
  const void *in[256];
  void *out[256];
  int values; /* are there outputs that are no plain tensors? */
} Ports;

static void gather(const Run *r, Ports *p)
{
  uint32_t k;
  if (r->m->n_in > 256 || r->m->n_out > 256) die("more than 256 ports");
  p->values = 0;
  for (k = 0; k < r->m->n_in; k++) p->in[k] = r->in[k].p;
  for (k = 0; k < r->m->n_out; k++) {
    p->out[k] = r->out[k].p;
    if (!r->m->out[k].value) continue;
    p->out[k] = &r->value[k];
    p->values = 1;
  }
}

static o2c_status call(const Run *r, void *ctx, const Ports *p)
{
  uint32_t k;
  o2c_status s;
  for (k = 0; p->values && k < r->m->n_out; k++) {
    if (!r->m->out[k].value) continue;
    memset(&r->value[k], 0, sizeof r->value[k]);
    r->value[k].data = r->out[k].p;
    r->value[k].size = r->head && r->head[k] ? r->head[k] : r->out[k].n;
  }
  s = r->m->run(ctx, r->dims, p->in, p->out);
  if (s == O2C_OK && r->m->wait) s = r->m->wait(ctx);
  if (s == O2C_E_DEVICE && r->m->message)
    fprintf(stderr, "%s: %s\n", r->m->name, r->m->message(ctx));
  return s;
}

/* What describes maps stands behind their values: times are without it. */
static void leave_maps(Run *r)
{
  uint32_t k;
  r->head = (size_t *)need((r->m->n_out + 1) * sizeof *r->head);
  for (k = 0; k < r->m->n_out; k++) {
    const o2c_value *v = &r->value[k];
    if (r->m->out[k].value && v->item && (void *)v->item != v->data)
      r->head[k] = (size_t)((unsigned char *)v->item -
                            (unsigned char *)v->data);
  }
}

/* Warm-up takes a fifth of a second at least; -1 measures for one second, 10
 * runs at least. */
static o2c_status time_runs(Run *r, void *ctx, const Ports *p)
{
  o2c_status s = O2C_OK;
  int64_t begin = now_ns(), t, k = 0, i, calls, want = r->job->times;
  do s = call(r, ctx, p), k++;
  while (s == O2C_OK && now_ns() - begin < 200000000);
  calls = r->profile ? 1 : calls_of_a_time((now_ns() - begin) / k);
  if (r->profile) profile_forget(r->profile);
  if (want > MAX_TIMES) want = MAX_TIMES;
  r->ps = (int64_t *)need(MAX_TIMES * sizeof *r->ps);
  begin = now_ns();
  for (k = 0; s == O2C_OK && k < MAX_TIMES; k++) {
    if (want >= 0 ? k >= want : k >= 10 && now_ns() - begin > 1000000000)
      break;
    t = now_ns();
    for (i = 0; s == O2C_OK && i < calls; i++) s = call(r, ctx, p);
    r->ps[k] = (now_ns() - t) * 1000 / calls;
    if (r->profile) profile_run_ends(r->profile);
  }
  r->nps = k;
  return s;
}

static o2c_status run_model(Run *r)
{
  Ports ports;
  int tries;
  o2c_status s = load_weights(r);
  if (s != O2C_OK) return s;
  s = O2C_E_CAPACITY;
  for (tries = 0; s == O2C_E_CAPACITY && tries < 64; tries++) {
    void *ctx = NULL;
    s = set_up(r, &ctx);
    if (s != O2C_OK) return s;
    gather(r, &ports);
    s = call(r, ctx, &ports);
    if (s == O2C_OK && r->job->times) {
      leave_maps(r);
      s = time_runs(r, ctx, &ports);
    }
    if (s == O2C_E_CAPACITY && r->m->need) r->m->need(ctx, r->dims);
    r->m->deinit(ctx);
  }
  return s;
}

static Profile *profile_new(void)
{
  Profile *p = (Profile *)need(sizeof *p);
  p->step = (StepTime *)need(MAX_STEPS * sizeof *p->step);
  return p;
}

/* A job's process ends with its threads; without processes they serve all. */
static const o2c_parallel *threads_new(int64_t workers)
{
  static o2c_threads pool;
  if (!pool.par.workers &&
      o2c_threads_start(&pool, (unsigned)workers) != O2C_OK)
    die("can't start threads");
  return &pool.par;
}

static void do_job(const Job *job, int64_t index, int64_t flags)
{
  Run r = {0};
  int kind;
  o2c_status s;
  r.job = job;
  r.m = o2c_driver_models[job->model]();
  r.dims = (int64_t *)need((r.m->n_dim + 1) * sizeof *r.dims);
  r.in = (Buffer *)need((r.m->n_in + 1) * sizeof *r.in);
  r.out = (Buffer *)need((r.m->n_out + 1) * sizeof *r.out);
  r.value = (o2c_value *)need((r.m->n_out + 1) * sizeof *r.value);
  r.shape = (int64_t *)need((r.m->n_out + 1) * MAX_RANK * sizeof *r.shape);
  if (flags & FLAG_PROFILE) r.profile = profile_new();
  if (flags >= FLAG_WORKERS) r.par = threads_new(flags / FLAG_WORKERS);
  kind = fit_data(&r);
  if (kind) {
    put_failure(index, kind, 0, 0);
    return;
  }
  s = run_model(&r);
  if (s != O2C_OK || buffers_overrun(&r)) {
    put_failure(index, s == O2C_OK ? OVERRUN : STATUS, s, r.work.n);
    return;
  }
  put_head(index, DONE, 0, r.work.n);
  put_word(r.nps);
  put(r.ps, (size_t)r.nps * 8);
  put_word((int64_t)r.m->n_dim);
  put(r.dims, r.m->n_dim * sizeof *r.dims);
  if (r.profile) put_profile(r.profile);
  else if (job->times) put_word(0);
  else put_outputs(&r);
}

/* --- Isolation ------------------------------------------------------------ */

static void do_job_in_child(const Job *job, int64_t index, int64_t flags,
                            int64_t timeout)
{
  long at;
  int st = 0;
  pid_t pid;
  fflush(results);
  at = ftell(results);
  pid = fork();
  if (pid < 0) die("can't fork");
  if (!pid) {
    alarm((unsigned)timeout);
    do_job(job, index, flags);
    fflush(results);
    /* Not exit(): atexit handlers are the parent's (and leaks are not news). */
    _exit(ferror(results) ? 120 : 0);
  }
  while (waitpid(pid, &st, 0) < 0) continue;
  if (WIFEXITED(st) && !WEXITSTATUS(st)) {
    fseek(results, 0, SEEK_END);
    return;
  }
  /* What the child wrote so far is half a record. */
  if (ftruncate(fileno(results), (off_t)at)) die("can't write the results");
  fseek(results, at, SEEK_SET);
  if (WIFEXITED(st))
    put_failure(index, EXITED, WEXITSTATUS(st), 0);
  else if (WTERMSIG(st) == SIGALRM)
    put_failure(index, TIMEOUT, timeout, 0);
  else
    put_failure(index, KILLED, WTERMSIG(st), 0);
}

int main(int argc, char **argv)
{
  size_t size;
  int64_t n, k, flags, timeout;
  unsigned char *jobs;
  if (argc != 3) die("usage: program JOBS RESULTS");
  job_path = argv[1];
  jobs = read_file(argv[1], &size);
  cursor = jobs;
  file_end = jobs + size;
  if (size < 8 || memcmp(take(8), JOBS_MAGIC, 8)) die("no job file");
  results = fopen(argv[2], "wb+");
  if (!results) die("can't write the results");
  n = take_word();
  flags = take_word();
  timeout = take_word();
  for (k = 0; k < n; k++) {
    Job j = read_job();
    /* Tells the reader of this stream whose messages follow. */
    fprintf(stderr, "@job %ld\n", (long)k);
    if (flags & FLAG_NO_FORK) do_job(&j, k, flags);
    else do_job_in_child(&j, k, flags, timeout);
    free(j.in);
  }
  free(jobs);
  return fclose(results) ? 120 : 0;
}
