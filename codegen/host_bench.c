/* SPDX-License-Identifier: Apache-2.0 */
/* onnx2c bench: the time of NAME_run alone, after a warm-up, on seeded inputs.
 *
 * The program is the one that a user would get: symbols stay run-time
 * arguments, and --batch and --dim only say what they are in this run. --save
 * keeps the program and its job file, to be run again in turn with others.
 * With --data, inputs and sizes are those of its first data set. --profile
 * adds the least time of each step; its program is made with --hooks, so its
 * total is a little slower. --tune writes a file of choices (host_tune.c). */
#include "host.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
  Size size[64];
  int n;
  int64_t batch;
} Sizes;

static int64_t *size_at(Sizes *s, const char *name)
{
  for (int i = 0; i < s->n; i++)
    if (!strcmp(s->size[i].name, name)) return &s->size[i].v;
  if (s->n == COUNT(s->size)) return NULL;
  s->size[s->n] = (Size){name, 0};
  return &s->size[s->n++].v;
}

/* The name in C of a dimension, which --dim may call as the model does. */
static const char *c_name(const DimPool *d, const char *name)
{
  for (int i = 0; i < d->nsym; i++)
    if (d->sym[i].kind == SYM_ARG && !strcmp(d->sym[i].name, name))
      return d->sym[i].c_name;
  return name;
}

/* The leading symbols are the batch; every other one needs a --dim. */
static bool choose_sizes(const Ports *p, const Options *opt, Sizes *s)
{
  DimPool *d = &p->m->dims;
  int64_t v;
  s->n = 0;
  s->batch = opt->batch > 0 ? opt->batch : 1;
  for (int i = 0; i < opt->ndim; i++) {
    int64_t *at = size_at(s, c_name(d, opt->dim[i].name));
    if (at) *at = opt->dim[i].v;
  }
  for (int i = 0; i < p->nin; i++)
    for (int k = 0; k < p->in[i]->rank; k++) {
      if (p->in[i]->kind != VK_TENSOR) break; /* its data tells */
      const Dim *x = p->in[i]->dim[k];
      if (dim_is_int(x, &v)) continue;
      int64_t *at = size_at(s, dim_text(d, x));
      if (at && !*at && !k) *at = s->batch;
      if (at && *at > 0) continue;
      fprintf(stderr, "onnx2c: how large is dimension %s of input %s? "
              "Say --dim %s=SIZE\n", dim_text(d, x),
              quote(&p->m->arena, p->in[i]->name), dim_text(d, x));
      return false;
    }
  return true;
}

static int by_time(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

static void print_times(Host *h, const Case *c, const Sizes *s,
                        const Result *r)
{
  int64_t *t = NEW(&h->a, int64_t, r->nps);
  memcpy(t, r->ps, (size_t)r->nps * sizeof *t);
  qsort(t, (size_t)r->nps, sizeof *t, by_time);
  double least = (double)t[0] / 1e3, median = (double)t[r->nps / 2] / 1e3;
  int digits = least < 1e5 ? 6 : 4;
  const char *target = h->opt->target ? h->opt->target : "native";
  int threads = h->opt->workers ? h->opt->workers : 1;
  if (h->opt->json)
    printf("{\"min_ns\": %.1f, \"median_ns\": %.1f, \"runs\": %d, "
           "\"batch\": %lld, \"threads\": %d, \"target\": \"%s\", "
           "\"workspace\": %lld", least, median, r->nps,
           (long long)s->batch, threads, target, (long long)r->workspace);
  else
    printf("%s: min %.*f ms, median %.*f ms, %d runs, batch %lld, %d thread%s, "
           "workspace %lld bytes\n", c->name, digits, least / 1e6, digits,
           median / 1e6, r->nps, (long long)s->batch, threads,
           threads > 1 ? "s" : "", (long long)r->workspace);
}

static bool copy_file(Host *h, const char *from, const char *to)
{
  size_t n = 0;
  char *p = host_read(&h->a, from, &n);
  return p && host_write(to, p, n);
}

static bool keep_program(Host *h, const Case *c, const char *program)
{
  const char *dir = h->opt->save;
  if (!dir) return true;
  const char *to = arena_printf(&h->a, "%s/bench", dir);
  const char *weights = host_file(h, "%s.weights", c->unit.prefix);
  struct stat s;
  if (!stat(weights, &s) &&
      (!make_folder(dir) ||
       !copy_file(h, weights, arena_printf(&h->a, "%s/%s.weights", dir,
                                           c->unit.prefix))))
    return false;
  return make_folder(dir) && copy_file(h, program, to) && !chmod(to, 0755) &&
         copy_file(h, host_file(h, "jobs"),
                   arena_printf(&h->a, "%s/bench.job", dir));
}

/* The leading symbol of the data is the batch. */
static void take_batch(const Ports *p, const DataSet *d, Sizes *s)
{
  int64_t v;
  s->batch = 1;
  for (int i = p->nin - 1; i >= 0; i--)
    if (d->in[i] && p->in[i]->kind == VK_TENSOR && p->in[i]->rank > 0 &&
        d->in[i]->rank > 0 && !dim_is_int(p->in[i]->dim[0], &v))
      s->batch = d->in[i]->dim[0];
}

/* Of --data; else seeded; else, where an input is no tensor, the first set
 * beside the model. NULL: some size is not told. */
static DataSet *bench_data(const Ports *p, const Options *opt, Sizes *s)
{
  bool tensors = !opt->ndata;
  if (!opt->ndata && !choose_sizes(p, opt, s)) return NULL;
  for (int i = 0; i < p->nin; i++) tensors &= p->in[i]->kind == VK_TENSOR;
  int n = 0;
  DataSet *d = tensors ? NULL : data_load(p, opt, &n);
  if (opt->ndata) take_batch(p, d, s);
  return n ? d : data_seeded(p, s->size, s->n, 1);
}

static ExitCode bench_case(Host *h, const Options *compiled, Case *c)
{
  Sizes s;
  DataSet *d = bench_data(&c->ports, h->opt, &s);
  if (!d) return EXIT_USAGE;
  ExitCode code = diag_worst(c->ports.m);
  if (code != EXIT_OK) {
    diag_print(c->ports.m, stderr, SEV_ERROR);
    return code;
  }
  if (h->opt->tune) return bench_tune(h, compiled, c, d->in);
  const char *program = cc_build(h, &c->unit, 1, 0);
  if (c->unit.broken && c->unit.log && !h->stop)
    host_print_log(c->unit.log, "the C compiler refuses the generated code:");
  if (!program) return EXIT_ENVIRONMENT;
  int64_t times = h->opt->runs > 0 ? h->opt->runs : -1;
  Job job = {0, times, d->in, c->ports.nin, h->opt->profile};
  Result *r = jobs_run(h, &h->a, program, &job, 1);
  if (!r || !keep_program(h, c, program)) return EXIT_ENVIRONMENT;
  if (r->kind != JR_DONE || !r->nps) {
    fprintf(stderr, "onnx2c: %s: %s\n%s", c->name, result_text(&h->a, r),
            r->log);
    return EXIT_VERIFY;
  }
  print_times(h, c, &s, r);
  bool ok = !h->opt->profile || profile_print(h, compiled, c, r);
  if (h->opt->json) printf("}\n");
  if (!ok) fprintf(stderr, "onnx2c: %s: no times of its steps\n", c->name);
  return ok ? EXIT_OK : EXIT_ENVIRONMENT;
}

ExitCode cmd_bench(const Options *opt)
{
  Host h;
  Options o = *opt;
  /* Sizes of the run, not of the compilation. */
  o.batch = 0;
  o.ndim = 0;
  o.hooks = opt->hooks || opt->profile;
  o.tune = NULL; /* it is written, not read */
  if (opt->nmodel != 1) {
    fprintf(stderr, "onnx2c: bench takes one model\n");
    return EXIT_USAGE;
  }
  if (!host_open(&h, &o)) return EXIT_ENVIRONMENT;
  if (setjmp(h.panic)) {
    fprintf(stderr, "onnx2c: out of memory\n");
    return host_close(&h, EXIT_ENVIRONMENT);
  }
  if (!cc_choose(&h)) return host_close(&h, EXIT_ENVIRONMENT);
  int n = 0;
  const char **path = cases_find(&h, &n);
  if (n != 1) return host_close(&h, EXIT_USAGE);
  Case *c = NEW(&h.a, Case, 1);
  c->path = path[0];
  case_open(&h, &h.a, c, 0, true);
  h.opt = opt;
  ExitCode code = c->code == EXIT_OK ? bench_case(&h, &o, c) : c->code;
  case_close(c);
  return host_close(&h, code);
}
