/* SPDX-License-Identifier: Apache-2.0 */
/* onnx2c verify: models against their reference outputs.
 *
 * Many models go in groups: one program for each group, one link, and a forked
 * child for each run. A model passes if all its data sets do. */
#include "host.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define GROUP 32
#define GROUP_BYTES ((int64_t)64 << 20) /* of model files: big ones go alone */

typedef struct {
  Host *h;
  Arena a;              /* of the group */
  Case c[GROUP];
  int n;
  Job *job;             /* of all cases, in order */
  int njob;
  const char *norows[GROUP];
  int rows[GROUP];      /* jobs of the row check, after those of the data */
  bool many;
} Group;

typedef struct { int passed, failed, unsupported; ExitCode worst; } Tally;

typedef struct { double abs, rel, ulp; bool numeric; } Maxima;

static void json_string(const char *s)
{
  putchar('"');
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\') printf("\\%c", c);
    else if (c < 0x20) printf("\\u%04x", c);
    else putchar(c);
  }
  putchar('"');
}

/* --- One case ------------------------------------------------------------- */

static void fail(Case *c, ExitCode code, const char *why)
{
  if (c->code == EXIT_OK) c->why = why;
  if (c->code != EXIT_VERIFY) c->code = code;
}

static void open_data(Host *h, Arena *a, Case *c)
{
  Model *m = c->ports.m;
  c->set = data_load(&c->ports, h->opt, &c->nset);
  if (!c->nset) {
    const char *why = NULL;
    c->set = data_seeded(&c->ports, NULL, 0, 1);
    c->nset = 1;
    c->seeded = true;
    if (diag_worst(m) == EXIT_OK &&
        !reference_run(h->opt, c->path, &c->ports, c->set, &why))
      fail(c, EXIT_UNSUPPORTED,
           arena_printf(a, "no data beside the model, and the reference "
                        "kernels can't make it: %s", why));
  }
  if (diag_worst(m) == EXIT_OK) return;
  diag_print(m, stderr, SEV_ERROR);
  fail(c, diag_worst(m), "the test data can't be read");
}

static void add_jobs(Group *g, int k, int unit)
{
  Case *c = &g->c[k];
  int nrow = 0;
  Job *rows = NULL;
  if (g->h->opt->rows || c->ports.in_rows)
    rows = rows_jobs(&g->a, c, unit, &nrow, &g->norows[k]);
  c->first_job = g->njob;
  c->njob = c->nset + nrow;
  g->rows[k] = nrow;
  for (int i = 0; i < c->njob; i++) {
    g->job = arena_grow(&g->a, g->job, g->njob, sizeof *g->job);
    g->job[g->njob++] = i >= c->nset ? rows[i - c->nset]
        : (Job){unit, 0, c->set[i].in, c->ports.nin, false};
  }
}

static bool wants_text(const Group *g)
{
  return !g->h->opt->json && (!g->many || g->h->opt->verbose > 0);
}

static void print_output(const Group *g, const Case *c, const char *set, int o,
                         const Diff *d)
{
  if (!wants_text(g)) return;
  Arena *a = c->ports.m ? &c->ports.m->arena : &g->h->a;
  printf("  %s, output %d %s: %s", set, o, quote(a, c->ports.out[o]->name),
         d->ok ? "ok" : "WRONG");
  if (d->numeric)
    printf(", max abs %.3g, max rel %.3g, max ulp %.6g", d->max_abs,
           d->max_rel, d->max_ulp);
  printf(d->ok ? "\n" : ": %s\n", d->why);
}

/* A run that must fail, as status.txt says. */
static void judge_status(Group *g, Case *c, const DataSet *s, const Result *r)
{
  const Result want = {.kind = JR_STATUS, .detail = s->status};
  bool ok = r->kind == JR_STATUS && r->detail == s->status;
  const char *got = result_text(&g->a, r);
  if (!ok)
    fail(c, EXIT_VERIFY, arena_printf(&g->a, "%s: %s, want: %s", s->name, got,
                                      result_text(&g->a, &want)));
  if (wants_text(g))
    printf("  %s: %s: %s\n", s->name, ok ? "ok" : "WRONG", got);
}

static void judge_set(Group *g, Case *c, const DataSet *s, const Result *r,
                      Maxima *max)
{
  int compared = 0;
  if (s->status) {
    judge_status(g, c, s, r);
    return;
  }
  if (r->kind != JR_DONE) {
    const char *log = *r->log ? arena_printf(&g->a, "; %s", r->log) : "";
    fail(c, EXIT_VERIFY, arena_printf(&g->a, "%s: %s%.2000s", s->name,
                                      result_text(&g->a, r), log));
    return;
  }
  for (int o = 0; o < c->ports.nout; o++) {
    if (!s->want[o]) continue;
    Diff d = tensor_compare(&g->a, &c->rule, o < r->nout ? r->out[o] : NULL,
                            s->want[o]);
    compared++;
    print_output(g, c, s->name, o, &d);
    if (d.numeric) {
      max->numeric = true;
      if (!(d.max_abs <= max->abs)) max->abs = d.max_abs;
      if (!(d.max_rel <= max->rel)) max->rel = d.max_rel;
      if (!(d.max_ulp <= max->ulp)) max->ulp = d.max_ulp;
    }
    if (!d.ok)
      fail(c, EXIT_VERIFY, arena_printf(&g->a, "%s, output %d: %s", s->name, o,
                                        d.why));
  }
  if (!compared)
    fail(c, EXIT_VERIFY, arena_printf(&g->a, "%s: no output_<j>.pb to compare "
                                      "with (or the graph has none)", s->name));
}

static void save_case(Group *g, Case *c, const DataSet *s, const Result *r)
{
  const char *dir = g->h->opt->save;
  if (!dir || r->kind != JR_DONE) return;
  if (g->many) dir = arena_printf(&g->a, "%s/%s", dir, c->name);
  if (c->nset > 1) dir = arena_printf(&g->a, "%s/%s", dir, s->name);
  if (!case_save(dir, &c->ports, r))
    fail(c, EXIT_ENVIRONMENT, "the outputs can't be saved");
}

static void judge_rows(Group *g, int k, const Result *r)
{
  Case *c = &g->c[k];
  if (!g->h->opt->rows && !c->ports.in_rows) return;
  const char *why = g->rows[k] ? rows_check(&g->a, c, r, g->rows[k]) : NULL;
  if (why) fail(c, EXIT_VERIFY, arena_printf(&g->a, "rows: %s", why));
  if (!wants_text(g)) return;
  if (!g->rows[k]) printf("  rows: not checked: %s\n", g->norows[k]);
  else if (why) printf("  rows: %s\n", why);
  else printf("  rows: the same bits at batch %s\n", rows_sizes(c));
}

static void judge(Group *g, int k, const Result *r, Maxima *max)
{
  Case *c = &g->c[k];
  if (wants_text(g)) {
    printf("%s: %d data set%s, %s\n", c->name, c->nset,
           c->nset == 1 ? "" : "s", rule_text(&g->a, &c->rule));
    if (c->seeded)
      printf("  no test data: seeded inputs against the reference kernels, "
             "a smoke test only\n");
  }
  for (int i = 0; i < c->nset; i++) {
    judge_set(g, c, &c->set[i], &r[i], max);
    save_case(g, c, &c->set[i], &r[i]);
  }
  judge_rows(g, k, r + c->nset);
}

static const char *verdict_word(ExitCode c)
{
  return c == EXIT_OK ? "passed"
       : c == EXIT_UNSUPPORTED ? "unsupported" : "failed";
}

static void report(const Group *g, const Case *c, const Maxima *max)
{
  const char *word = verdict_word(c->code);
  if (g->h->opt->json) {
    printf("{\"case\": ");
    json_string(c->name);
    printf(", \"path\": ");
    json_string(c->path);
    printf(", \"status\": \"%s\", \"code\": %d, \"why\": ", word, c->code);
    json_string(c->why ? c->why : "");
    if (max->numeric && c->code == EXIT_OK)
      printf(", \"max_abs\": %.6g, \"max_rel\": %.6g, \"max_ulp\": %.6g",
             max->abs, max->rel, max->ulp);
    puts("}");
  } else if (c->code != EXIT_OK) {
    bool refused = c->code == EXIT_UNSUPPORTED;
    printf("%s %s: %s\n", refused ? "UNSUPPORTED" : "FAILED", c->name,
           c->why);
  } else if (wants_text(g)) {
    printf("%s: passed\n", c->name);
  }
  fflush(stdout);
}

/* --- A group -------------------------------------------------------------- */

static Result *run_group(Group *g, int serial)
{
  Unit unit[GROUP];
  int built = 0, index[GROUP], n = 0;
  for (int k = 0; k < g->n; k++)
    if (g->c[k].code == EXIT_OK) {
      index[n] = k;
      unit[n++] = g->c[k].unit;
    }
  if (!n) return NULL;
  const char *program = cc_build(g->h, unit, n, serial);
  for (int i = 0; i < n; i++) {
    Case *c = &g->c[index[i]];
    if (!program && !unit[i].broken) {
      fail(c, EXIT_ENVIRONMENT, "the C compiler makes no program");
    } else if (unit[i].broken) {
      if (!g->h->stop) host_print_log(unit[i].log, c->name);
      fail(c, EXIT_VERIFY, "the C compiler refuses the generated code");
    } else {
      add_jobs(g, index[i], built++);
    }
  }
  if (!g->njob) return NULL;
  Result *r = jobs_run(g->h, &g->a, program, g->job, g->njob);
  for (int k = 0; !r && k < g->n; k++)
    fail(&g->c[k], EXIT_ENVIRONMENT, "the program can't be run");
  return r;
}

/* Which code the command ends with when models fail in several ways. */
static int rank(ExitCode c)
{
  return c == EXIT_ENVIRONMENT ? 5 : c == EXIT_VERIFY ? 4 : c == EXIT_MODEL ? 3
       : c == EXIT_USAGE ? 2 : c == EXIT_UNSUPPORTED ? 1 : 0;
}

static void count(Tally *t, ExitCode c)
{
  if (c == EXIT_OK) t->passed++;
  else if (c == EXIT_UNSUPPORTED) t->unsupported++;
  else t->failed++;
  if (rank(c) > rank(t->worst)) t->worst = c;
}

static int64_t file_bytes(const char *path)
{
  struct stat s;
  return stat(path, &s) ? 0 : (int64_t)s.st_size;
}

/* Takes models from path[0]; returns how many. */
static int verify_group(Host *h, const char **path, int n, bool many, Tally *t)
{
  static const Maxima none;
  Group *g = NEW(&h->a, Group, 1);
  g->h = h;
  g->a.panic = &h->panic;
  g->many = many;
  int64_t bytes = 0;
  for (; g->n < n && g->n < GROUP && !h->stop; g->n++) {
    bytes += file_bytes(path[g->n]);
    if (g->n && bytes > GROUP_BYTES) break;
    Case *c = &g->c[g->n];
    c->path = path[g->n];
    case_open(h, &g->a, c, g->n, !many);
    if (c->code == EXIT_OK) open_data(h, &g->a, c);
  }
  Result *r = run_group(g, t->passed + t->failed + t->unsupported);
  for (int k = 0; k < g->n && !h->stop; k++) {
    Maxima max = none;
    if (r && g->c[k].code == EXIT_OK)
      judge(g, k, r + g->c[k].first_job, &max);
    report(g, &g->c[k], &max);
    count(t, g->c[k].code);
  }
  for (int k = 0; k < g->n; k++) case_close(&g->c[k]);
  arena_free(&g->a);
  return g->n;
}

ExitCode cmd_verify(const Options *opt)
{
  Host h;
  Tally t = {0, 0, 0, EXIT_OK};
  if (!host_open(&h, opt)) return EXIT_ENVIRONMENT;
  if (setjmp(h.panic)) {
    fprintf(stderr, "onnx2c: out of memory\n");
    return host_close(&h, EXIT_ENVIRONMENT);
  }
  if (!cc_choose(&h)) return host_close(&h, EXIT_ENVIRONMENT);
  int n = 0;
  const char **path = cases_find(&h, &n);
  bool many = n > 1 || (n == 1 && opt->nmodel > 1);
  for (int i = 0; i < n && !h.stop;)
    i += verify_group(&h, path + i, n - i, many, &t);
  if (!n) t.worst = EXIT_USAGE;
  if (h.stop) t.worst = EXIT_ENVIRONMENT;
  fprintf(opt->json ? stderr : stdout,
          "%d passed, %d failed, %d unsupported\n", t.passed, t.failed,
          t.unsupported);
  return host_close(&h, t.worst);
}
