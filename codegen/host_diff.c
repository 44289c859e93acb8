/* SPDX-License-Identifier: Apache-2.0 */
/* onnx2c diff MODEL: the first layer whose generated code computes something
 * else than the reference kernels.
 *
 * The program tells what each step writes (codegen/tap.c). The reference comes
 * along behind it, node by node of the file's graph, up to that tensor; both
 * are compared, and the reference goes on with the program's. So a layer is
 * judged by what it was given, and one that is wrong does not make all behind
 * it look wrong. */
#include "host_diff.h"
#include <string.h>

typedef struct {
  Host *h;
  Case *c;
  Layers l;
  Rule rule;
  const DataSet *set;
  Reference r;
  bool open;               /* r is */
  int64_t first;           /* row of the batch that r begins with */
  int pass;
  int compared, wrong, skipped;
  const Layer *last;       /* that the program told of */
  const char *why;         /* the first difference */
  ExitCode code;
} Run;

/* --- The table ------------------------------------------------------------ */

static const char *shape_text(Arena *a, const Tensor *t)
{
  const char *s = arena_printf(a, "%s [", dtype_info(t->dtype)->name);
  for (int i = 0; i < t->rank; i++)
    s = arena_printf(a, "%s%s%lld", s, i ? ", " : "", (long long)t->dim[i]);
  return arena_printf(a, "%s]", s);
}

static void json_line(Arena *a, const DiffLine *l)
{
  StrBuf b;
  sb_init(&b, a);
  sb_puts(&b, "{\"step\": ");
  sb_json(&b, l->step);
  sb_puts(&b, ", \"kernel\": ");
  sb_json(&b, l->kernel);
  sb_puts(&b, ", \"nodes\": ");
  sb_json(&b, l->nodes);
  sb_puts(&b, ", \"tensor\": ");
  sb_json(&b, l->name);
  sb_puts(&b, ", \"type\": ");
  sb_json(&b, shape_text(a, l->got));
  if (l->d && l->d->numeric)
    sb_printf(&b, ", \"max_abs\": %.6g, \"max_rel\": %.6g", l->d->max_abs,
              l->d->max_rel);
  sb_printf(&b, ", \"status\": \"%s\"",
            !l->d ? "not compared" : l->d->ok ? "equal" : "differs");
  if (l->d && !l->d->ok) {
    sb_puts(&b, ", \"why\": ");
    sb_json(&b, l->d->why);
  }
  sb_puts(&b, "}\n");
  fwrite(b.s, 1, b.n, stdout);
  sb_free(&b);
}

static void head(const DiffLine *l)
{
  printf("%-*s  %-*s  %9s  %9s  %-12s  %s\n", l->step_width, "step",
         l->kernel_width, "kernel", "max abs", "max rel", "", "tensor");
}

void diff_line(Host *h, const DiffLine *l)
{
  Arena a = {.panic = &h->panic};
  if (h->opt->json) {
    json_line(&a, l);
  } else if (!h->opt->quiet) {
    char abs[16] = "", rel[16] = "";
    if (l->d && l->d->numeric) {
      snprintf(abs, sizeof abs, "%.3g", l->d->max_abs);
      snprintf(rel, sizeof rel, "%.3g", l->d->max_rel);
    }
    printf("%-*.*s  %-*.*s  %9s  %9s  %-12s  %s %s\n", l->step_width,
           l->step_width, l->step, l->kernel_width, l->kernel_width, l->kernel,
           abs, rel, !l->d ? "no reference" : l->d->ok ? "ok" : "DIFFERS",
           l->name, shape_text(&a, l->got));
  }
  arena_free(&a);
  fflush(stdout);
}

bool diff_save(Host *h, const char *label, const DiffLine *l)
{
  const char *dir = h->opt->save;
  if (!dir) return true;
  const char *got = arena_printf(&h->a, "%s/%s_got.pb", dir, label);
  const char *want = arena_printf(&h->a, "%s/%s_want.pb", dir, label);
  if (make_folder(dir) && export_tensor_file(got, l->got) &&
      export_tensor_file(want, l->want))
    return true;
  fprintf(stderr, "onnx2c: can't write %s\n", got);
  return false;
}

/* --- The reference -------------------------------------------------------- */

/* Rows [at, at + n) of the batch of `all` rows. */
static const Tensor *rows_of(Arena *a, const Tensor *t, int64_t all,
                             int64_t at, int64_t n)
{
  if (!t || !all || t->kind != VK_TENSOR || t->rank < 1) return t;
  Tensor *y = NEW(a, Tensor, 1);
  int64_t per = t->dim[0] / all, row = t->n / all;
  *y = *t;
  y->dim[0] = n * per;
  y->n = n * row;
  y->data = (const char *)t->data + at * row * dtype_info(t->dtype)->size;
  return y;
}

static void close_reference(Run *r)
{
  if (r->open) reference_close(&r->r);
  r->open = false;
}

static bool refused(Run *r)
{
  diag_print(r->r.m, stderr, SEV_ERROR);
  fprintf(stderr, "onnx2c: %s: the reference kernels can't go on\n",
          r->c->name);
  r->code = diag_worst(r->r.m) != EXIT_OK ? diag_worst(r->r.m)
                                          : EXIT_UNSUPPORTED;
  return false;
}

/* A reference for a block of rows, or for all. */
static bool open_reference(Run *r, int64_t first, int64_t rows)
{
  int nin = r->c->ports.nin, batch = r->l.batch;
  Arena *a = &r->h->a;
  const Tensor **in = NEW(a, const Tensor *, nin + 1);
  close_reference(r);
  if (first > 0 && !r->h->opt->json && !r->h->opt->quiet)
    printf("row %lld of the batch\n", (long long)first);
  for (int i = 0; i < nin; i++) {
    in[i] = r->set->in[i];
    if (batch >= 0 && r->l.leads[i] && r->set->in[batch])
      in[i] = rows_of(a, in[i], r->set->in[batch]->dim[0], first, rows);
  }
  bool ok = reference_open(&r->r, r->h->opt, r->c->path, in, nin);
  r->open = true;
  r->first = first;
  r->pass++;
  r->r.m->arena.panic = &r->h->panic;
  if (!ok || !reference_begin(&r->r)) return refused(r);
  r->r.wanted = NEW(&r->r.m->arena, int, r->l.nfile + 1);
  memcpy(r->r.wanted, r->l.wanted, (size_t)r->l.nfile * sizeof(int));
  return true;
}

/* --- One tensor ----------------------------------------------------------- */

static void differs(Run *r, const Layer *l, const DiffLine *line)
{
  r->wrong++;
  if (!r->why)
    r->why = arena_printf(&r->h->a, "%s (node %s), tensor %s: %s", l->step,
                          l->nodes, l->name, line->d->why);
  if (!diff_save(r->h, l->step, line)) r->code = EXIT_ENVIRONMENT;
}

/* False: there is no need to go on. */
static bool take(Run *r, TapRecord *t)
{
  Layer *l = t->id >= 0 && t->id < r->l.n ? &r->l.v[t->id] : NULL;
  if (!r->open || (r->l.batch >= 0 && t->first != r->first))
    if (!open_reference(r, t->first, t->rows)) return false;
  if (!l || !l->name || l->pass == r->pass) { /* a run that is repeated */
    arena_free(&t->a);
    return true;
  }
  r->last = l;
  l->pass = r->pass;
  Value *v = reference_value(&r->r, l->same.id);
  const Tensor *got = layer_tensor(&t->a, l, t->t);
  DiffLine line = {l->step, l->kernel, l->nodes, l->name, r->l.step_width,
                   r->l.kernel_width, got, v ? v->data : NULL, NULL};
  Diff d;
  if (line.want && line.want->kind == VK_TENSOR) {
    d = tensor_compare(&t->a, &r->rule, got, line.want);
    line.d = &d;
    r->compared++;
  } else {
    r->skipped++;
  }
  diff_line(r->h, &line);
  bool ok = !line.d || d.ok;
  if (!ok) differs(r, l, &line);
  r->r.wanted[l->same.id]--;
  if (v) reference_put(&r->r, v, got, &t->a);
  else arena_free(&t->a);
  return ok || r->h->opt->all;
}

/* --- One data set --------------------------------------------------------- */

/* Outputs that no step tells of: sequences and the like. */
static void compare_rest(Run *r, const Result *res)
{
  const Model *m = r->c->ports.m;
  for (int k = 0; k < res->nout && k < r->c->ports.nout; k++) {
    if (r->l.batch >= 0 || r->l.wanted[m->file_out[k]] || !res->out[k])
      continue;
    if (!r->open && !open_reference(r, 0, -1)) return;
    while (reference_step(&r->r)) continue;
    const Tensor *want = r->r.m->main->out[k]->data;
    const char *name = quote(&r->h->a, r->c->ports.out[k]->name);
    if (!want) {
      r->skipped++;
      continue;
    }
    Diff d = tensor_compare(&r->h->a, &r->rule, res->out[k], want);
    r->compared++;
    if (!r->h->opt->json && !r->h->opt->quiet)
      printf("output %d %s: %s%s\n", k, name, d.ok ? "ok" : "DIFFERS: ",
             d.ok ? "" : d.why);
    if (d.ok) continue;
    r->wrong++;
    if (!r->why)
      r->why = arena_printf(&r->h->a, "output %d %s: %s", k, name, d.why);
  }
}

static void program_ended(Run *r, TapPipe *t)
{
  Result *res = jobs_results(r->h, &r->h->a, &t->proc, 1);
  if (!res) {
    r->code = EXIT_ENVIRONMENT;
    return;
  }
  if (res->kind == JR_DONE && !t->broken) {
    compare_rest(r, res);
    return;
  }
  r->wrong++;
  if (!r->why)
    r->why = arena_printf(&r->h->a, "%s, after %s", t->broken
                          ? "the program wrote over what it told"
                          : result_text(&r->h->a, res),
                          r->last ? r->last->step : "the start");
}

static void run_set(Run *r, const char *program, const DataSet *s)
{
  Job job = {0, 0, s->in, r->c->ports.nin, false};
  TapPipe t;
  TapRecord x;
  bool go = true;
  r->set = s;
  r->last = NULL;
  if (!r->h->opt->json && !r->h->opt->quiet) {
    DiffLine l = {.step_width = r->l.step_width,
                  .kernel_width = r->l.kernel_width};
    printf("%s: %s\n", s->name, rule_text(&r->h->a, &r->rule));
    head(&l);
  }
  if (!tap_open(r->h, &t, program, &job)) {
    r->code = EXIT_ENVIRONMENT;
    return;
  }
  while (go && !r->h->stop && tap_next(&t, &x)) go = take(r, &x);
  tap_close(&t);
  if (r->h->stop) r->code = EXIT_ENVIRONMENT;
  else if (go && r->code == EXIT_OK) program_ended(r, &t);
  close_reference(r);
}

/* --- The command ---------------------------------------------------------- */

static const DataSet *diff_data(Host *h, Case *c, int *n)
{
  const DataSet *s = data_load(&c->ports, h->opt, n);
  if (*n) return s;
  *n = 1;
  return data_seeded(&c->ports, NULL, 0,
                     (uint64_t)(h->opt->seed ? h->opt->seed : 1));
}

static void summary(const Run *r)
{
  if (r->code != EXIT_OK && r->code != EXIT_VERIFY) return;
  FILE *f = r->h->opt->json ? stderr : stdout;
  if (r->why)
    fprintf(f, "%s: first difference: %s\n", r->c->name, r->why);
  fprintf(f, "%s: %d steps, %d tensors compared, %d differ", r->c->name,
          r->l.nstep, r->compared, r->wrong);
  if (r->skipped) fprintf(f, ", %d without reference", r->skipped);
  fprintf(f, "\n");
}

static ExitCode diff_one(Host *h, const char *path)
{
  Case *c = NEW(&h->a, Case, 1);
  Run r = {.h = h, .c = c};
  int n = 0;
  c->path = path;
  case_open(h, &h->a, c, 0, true);
  if (c->code != EXIT_OK) return c->code;
  const DataSet *s = diff_data(h, c, &n);
  if (diag_worst(c->ports.m) != EXIT_OK) {
    diag_print(c->ports.m, stderr, SEV_ERROR);
    return diag_worst(c->ports.m);
  }
  const char *program = cc_build(h, &c->unit, 1, 0);
  if (c->unit.broken && c->unit.log && !h->stop)
    host_print_log(c->unit.log, "the C compiler refuses the generated code:");
  if (c->unit.broken) return EXIT_VERIFY;
  if (!program || !layers_find(h, c, &r.l)) return EXIT_ENVIRONMENT;
  r.rule = c->rule;
  r.rule.steps = r.rule.quantised && h->opt->atol != 0;
  for (int i = 0; i < n && r.code == EXIT_OK && (!r.wrong || h->opt->all); i++)
    if (!s[i].status) run_set(&r, program, &s[i]);
  if (r.wrong && r.code == EXIT_OK) r.code = EXIT_VERIFY;
  summary(&r);
  case_close(c);
  return r.code;
}

ExitCode cmd_diff(const Options *opt)
{
  Host h;
  Options mine = *opt;
  mine.tap = true;
  if (!host_open(&h, &mine)) return EXIT_ENVIRONMENT;
  if (setjmp(h.panic)) {
    fprintf(stderr, "onnx2c: out of memory\n");
    return host_close(&h, EXIT_ENVIRONMENT);
  }
  int n = 0;
  const char **path = cases_find(&h, &n);
  if (opt->workers > 1) {
    fprintf(stderr, "onnx2c: diff runs one thread: leave --threads out\n");
    return host_close(&h, EXIT_USAGE);
  }
  if (n != opt->nmodel) {
    fprintf(stderr, "onnx2c: diff takes one model or two, not %d\n", n);
    return host_close(&h, EXIT_USAGE);
  }
  if (n == 2) return host_close(&h, diff_two(&h, path));
  if (!cc_choose(&h)) return host_close(&h, EXIT_ENVIRONMENT);
  return host_close(&h, diff_one(&h, path[0]));
}
