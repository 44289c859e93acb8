/* SPDX-License-Identifier: Apache-2.0 */
/* The files through which runtime_min/o2c_driver.c is told what to run, and
 * tells what became of it. Their format stands in that file; whatever the
 * program wrote is checked here, since the code that it ran may be wrong. */
#include "host.h"
#include <stdlib.h>
#include <string.h>

#define JOB_TIMEOUT 600 /* seconds for one run */
/* o2c_kind of o2c.h, by number. */
static const ValueKind kinds[] = {VK_TENSOR, VK_SEQ, VK_MAP, VK_OPTIONAL,
                                  VK_SPARSE};

/* For one run; with taps the program waits for us between its steps. */
static int timeout_of(const Host *h)
{
  return h->opt->tap ? 100 * JOB_TIMEOUT : JOB_TIMEOUT;
}

/* --- Writing jobs --------------------------------------------------------- */

static void put_word(StrBuf *b, int64_t v)
{
  sb_write(b, &v, sizeof v);
}

static void put_bytes(StrBuf *b, const void *p, size_t n)
{
  sb_write(b, p, n);
  sb_write(b, "\0\0\0\0\0\0\0", (8 - n % 8) % 8);
}

static void put_strings(StrBuf *b, const Tensor *t)
{
  const Str *s = t->data;
  size_t bytes = (size_t)t->n * 8;
  for (int64_t i = 0; i < t->n; i++) bytes += s[i].n;
  put_word(b, (int64_t)bytes);
  for (int64_t i = 0; i < t->n; i++) put_word(b, (int64_t)s[i].n);
  for (int64_t i = 0; i < t->n; i++) sb_write(b, s[i].p, s[i].n);
  sb_write(b, "\0\0\0\0\0\0\0", (8 - bytes % 8) % 8);
}

static void put_tensor(StrBuf *b, const Tensor *t)
{
  if (!t) {
    put_word(b, 0);
    return;
  }
  if (t->kind != VK_TENSOR) {
    for (int k = 1; k < COUNT(kinds); k++)
      if (kinds[k] == t->kind) put_word(b, -k);
    put_word(b, t->n);
    for (int64_t i = 0; i < t->n; i++) put_tensor(b, t->item[i]);
    return;
  }
  put_word(b, t->dtype);
  put_word(b, t->rank);
  for (int i = 0; i < t->rank; i++) put_word(b, t->dim[i]);
  if (t->dtype == DT_STR) {
    put_strings(b, t);
    return;
  }
  int64_t bytes = t->n * dtype_info(t->dtype)->size;
  put_word(b, bytes);
  put_bytes(b, t->data, (size_t)bytes);
}

static bool write_jobs(Host *h, const char *path, const Job *job, int n)
{
  StrBuf b;
  sb_init(&b, &h->a);
  sb_puts(&b, "O2CJOBS1");
  put_word(&b, n);
  /* For all jobs: times of steps, and the number of workers. */
  put_word(&b, (n && job->profile ? 2 : 0) +
               (h->opt->workers > 1 ? h->opt->workers * 256 : 0));
  put_word(&b, timeout_of(h));
  for (int k = 0; k < n; k++) {
    put_word(&b, job[k].unit);
    put_word(&b, job[k].times);
    put_word(&b, 0);
    put_word(&b, job[k].nin);
    for (int i = 0; i < job[k].nin; i++) put_tensor(&b, job[k].in[i]);
  }
  bool ok = host_write(path, b.s, b.n);
  sb_free(&b);
  return ok;
}

/* --- Reading results ------------------------------------------------------ */

typedef struct {
  Arena *a;
  const char *p, *end;
  bool bad;
} Reader;

static const void *get(Reader *r, int64_t bytes)
{
  const char *p = r->p;
  if (r->bad || bytes < 0 || bytes > r->end - r->p) {
    r->bad = true;
    return NULL;
  }
  bytes = (bytes + 7) / 8 * 8;
  r->p = bytes > r->end - r->p ? r->end : r->p + bytes;
  return p;
}

static int64_t get_word(Reader *r)
{
  const void *p = get(r, 8);
  int64_t v = 0;
  if (p) memcpy(&v, p, 8);
  return v;
}

/* Words lie at multiples of 8 of an arena block. */
static const int64_t *get_words(Reader *r, int *n)
{
  int64_t count = get_word(r);
  if (count < 0 || count > (r->end - r->p) / 8) r->bad = true;
  *n = r->bad ? 0 : (int)count;
  return (const int64_t *)get(r, *n * 8);
}

bool take_strings(Arena *a, Tensor *t, const char *p, int64_t bytes)
{
  if (bytes / 8 < t->n) return false;
  Str *s = NEW(a, Str, t->n + 1);
  int64_t at = t->n * 8;
  for (int64_t i = 0; i < t->n; i++) {
    int64_t len;
    memcpy(&len, p + i * 8, 8);
    if (len < 0 || len > bytes - at) return false;
    s[i] = (Str){p + at, (size_t)len};
    at += len;
  }
  t->data = s;
  return true;
}

static const Tensor *get_tensor(Reader *r, int depth);

/* Keys, and a value for each. */
static bool is_map(const Tensor *t)
{
  return t->n == 2 && t->item[0]->kind == VK_TENSOR && t->item[0]->rank == 1 &&
         t->item[1]->kind == VK_TENSOR && t->item[1]->rank == 1 &&
         t->item[0]->n == t->item[1]->n;
}

/* Elements, where they are (as one number each, or a row), and dims. */
static bool is_sparse(const Tensor *t)
{
  const Tensor *const *x = t->item;
  for (int i = 0; i < 3; i++)
    if (t->n != 3 || x[i]->kind != VK_TENSOR || x[i]->rank < 1) return false;
  return x[0]->rank == 1 && x[1]->dtype == DT_I64 && x[2]->dtype == DT_I64 &&
         x[2]->rank == 1 && x[2]->n <= MAX_RANK &&
         x[1]->dim[0] == x[0]->n &&
         (x[1]->rank == 1 || x[1]->n == x[0]->n * x[2]->n);
}

/* A value that is no tensor. */
static const Tensor *get_value(Reader *r, int64_t kind, int depth)
{
  Tensor *t = NEW(r->a, Tensor, 1);
  int64_t n = get_word(r);
  r->bad |= kind >= COUNT(kinds) || n < 0 || n > (r->end - r->p) / 8 ||
            depth > MAX_VALUE_DEPTH;
  if (r->bad) return NULL;
  t->kind = kinds[kind];
  t->n = n;
  t->item = NEW(r->a, const Tensor *, n + 1);
  for (int64_t i = 0; i < n && !r->bad; i++) {
    t->item[i] = get_tensor(r, depth + 1);
    r->bad |= !t->item[i];
  }
  r->bad = r->bad || (t->kind == VK_MAP && !is_map(t)) ||
           (t->kind == VK_SPARSE && !is_sparse(t));
  return r->bad ? NULL : t;
}

static const Tensor *get_tensor(Reader *r, int depth)
{
  int64_t dtype = get_word(r);
  if (!dtype || r->bad) return NULL;
  if (dtype < 0 && dtype > -8) return get_value(r, -dtype, depth);
  Tensor *t = NEW(r->a, Tensor, 1);
  int rank;
  const int64_t *dim = get_words(r, &rank);
  if (r->bad || dtype < 0 || dtype >= DT_COUNT || rank > MAX_RANK) {
    r->bad = true;
    return NULL;
  }
  t->dtype = (Dtype)dtype;
  t->rank = rank;
  t->n = 1;
  for (int i = 0; i < rank; i++) {
    t->dim[i] = dim[i];
    if (dim[i] < 0 || (dim[i] && t->n > (r->end - r->p) / dim[i] + 1))
      r->bad = true;
    else t->n *= dim[i];
  }
  int64_t bytes = get_word(r);
  const char *p = get(r, bytes);
  t->data = p;
  if (t->dtype == DT_STR) r->bad |= !p || !take_strings(r->a, t, p, bytes);
  else r->bad |= bytes != t->n * dtype_info(t->dtype)->size;
  return r->bad ? NULL : t;
}

static void get_result(Reader *r, Result *all, int n)
{
  const char *magic = get(r, 8);
  int64_t k = get_word(r);
  if (r->bad || memcmp(magic, "O2CRSLT1", 8) || k < 0 || k >= n) {
    r->bad = true;
    return;
  }
  Result *x = &all[k];
  x->kind = (int)get_word(r);
  x->detail = get_word(r);
  x->workspace = get_word(r);
  x->ps = get_words(r, &x->nps);
  x->dim = get_words(r, &x->ndim);
  int64_t nout = get_word(r);
  if (r->bad || nout < 0 || nout > (r->end - r->p) / 8) {
    r->bad = true;
    return;
  }
  x->nout = (int)nout;
  x->out = NEW(r->a, const Tensor *, nout);
  for (int i = 0; i < x->nout; i++) x->out[i] = get_tensor(r, 0);
  if (r->bad) x->kind = JR_MISSING;
}

/* What the child printed while it did job k. */
static const char *log_of(Arena *a, const char *log, int k)
{
  const char *mark = arena_printf(a, "@job %d\n", k);
  const char *p = log ? strstr(log, mark) : NULL;
  if (!p) return "";
  p += strlen(mark);
  const char *end = strstr(p, "@job ");
  return arena_strn(a, p, end ? (size_t)(end - p) : strlen(p));
}

bool jobs_prepare(Host *h, const char *program, const Job *job, int n, Proc *p)
{
  const char *jobs = host_file(h, "jobs");
  if (!write_jobs(h, jobs, job, n)) return false;
  char **argv = NEW(&h->a, char *, 32);
  int argc = 0;
  for (char **w = h->runner; w && *w && argc < 24; w++) argv[argc++] = *w;
  argv[argc++] = arena_str(&h->a, program);
  argv[argc++] = arena_str(&h->a, jobs);
  argv[argc++] = arena_str(&h->a, host_file(h, "results"));
  /* The driver ends each run itself; this is for the driver. */
  *p = (Proc){.argv = argv, .log = host_file(h, "run.log"),
              .timeout = timeout_of(h) * (n < 4 ? n : 4) + 60};
  return true;
}

Result *jobs_results(Host *h, Arena *a, const Proc *p, int n)
{
  size_t size = 0, nlog = 0;
  char *data = host_read(a, host_file(h, "results"), &size);
  const char *log = host_read(a, p->log, &nlog);
  if (p->rc == -1 || h->stop) return NULL;
  Result *r = NEW(a, Result, n);
  for (int k = 0; k < n; k++) {
    r[k].kind = JR_MISSING;
    r[k].detail = p->rc;
    r[k].log = log_of(a, log, k);
  }
  Reader rd = {a, data, data + size, !data};
  while (!rd.bad && rd.p < rd.end) get_result(&rd, r, n);
  return r;
}

Result *jobs_run(Host *h, Arena *a, const char *program, const Job *job, int n)
{
  Proc p;
  if (!jobs_prepare(h, program, job, n, &p)) return NULL;
  procs_run(h, &p, 1);
  return jobs_results(h, a, &p, n);
}

/* --- Words ---------------------------------------------------------------- */

/* By o2c_status, from 0 down. */
static const char *const statuses[] = {
  "O2C_OK", "O2C_E_ARG", "O2C_E_DIMS", "O2C_E_WORKSPACE", "O2C_E_ALIGN",
  "O2C_E_WEIGHTS", "O2C_E_CAPACITY", "O2C_E_SHAPE", "O2C_E_DATA",
  "O2C_E_DEVICE", "O2C_E_ABI", "O2C_E_TYPE"
};

static const char *status_name(int64_t s)
{
  return s <= 0 && -s < COUNT(statuses) ? statuses[-s] : "an unknown status";
}

int64_t status_find(const char *name)
{
  for (int i = 0; i < COUNT(statuses); i++)
    if (!strcmp(name, statuses[i])) return -i;
  return 1;
}

const char *result_text(Arena *a, const Result *r)
{
  int d = (int)r->detail;
  switch (r->kind) {
  case JR_DONE: return "done";
  case JR_STATUS:
    return arena_printf(a, "run returned %s (%d)", status_name(d), d);
  case JR_KILLED: return arena_printf(a, "crashed: signal %d", d);
  case JR_TIMEOUT: return arena_printf(a, "no end after %d s", d);
  case JR_EXITED: return arena_printf(a, "the run exited with code %d", d);
  case JR_MISFIT: return "the data does not fit the model";
  case JR_OVERRUN: return "the model wrote outside its buffers";
  default: return arena_printf(a, "no result (program's exit code %d)", d);
  }
}
