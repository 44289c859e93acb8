/* SPDX-License-Identifier: Apache-2.0 */
/* bench --tune FILE: measures, on this machine and with this compiler, each of
 * the ways in which the model's steps can be computed, and writes which one was
 * fastest; choice.c reads it.
 *
 * The model is compiled once for each way, with all decisions forced to it, and
 * profiled as by bench --profile, in turn and several times, since a machine's
 * speed drifts. A decision's time is that of its node's steps, added up over
 * nodes of equal key. Lines of other models stay in the file.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_WAYS = 8, ROUNDS = 3 };

typedef struct {
  const char *key;
  const char *way[MAX_WAYS];
  double ns[MAX_WAYS];      /* least of all rounds; of one program */
  double sum[MAX_WAYS];     /* of the run at hand */
  int nway;
} Decision;
typedef struct {
  Arena *a;
  Decision *d;
  int n;
} Decisions;

static Decision *decision_at(Decisions *all, const Choice *c)
{
  for (int i = 0; i < all->n; i++)
    if (!strcmp(all->d[i].key, c->key))
      return &all->d[i];
  all->d = arena_grow(all->a, all->d, all->n, sizeof *all->d);
  Decision *d = &all->d[all->n++];
  memset(d, 0, sizeof *d);
  d->key = arena_printf(all->a, "%s", c->key);
  d->nway = c->nway < MAX_WAYS ? c->nway : MAX_WAYS;
  for (int i = 0; i < d->nway; i++)
    d->way[i] = arena_printf(all->a, "%s", c->way[i].name);
  return d;
}

static double time_of(const Plan *p, const Node *n, const Result *r)
{
  const Str *name = r->out[0]->data;
  double ns = 0;
  for (const Step *s = p->first; s; s = s->next)
    for (int64_t i = 0; s->node == n && i < r->out[0]->n; i++)
      if (strlen(s->name) == name[i].n &&
          !memcmp(s->name, name[i].p, name[i].n))
        ns += (double)tensor_i64(r->out[1], i);
  return ns;
}

/* Adds what the steps of one program took, all made in way `k`. */
static bool add_times(Decisions *all, const Plan *p, const Result *r, int k)
{
  if (r->kind != JR_DONE || r->nout != 3 || !r->out[0] || !r->out[1])
    return false;
  for (int i = 0; i < all->n; i++)
    all->d[i].sum[k] = 0;
  for (int i = 0; i < p->nchoice; i++) {
    Decision *d = decision_at(all, &p->choice[i]);
    if (k < d->nway)
      d->sum[k] += time_of(p, p->choice[i].n, r);
  }
  for (int i = 0; i < all->n; i++) {
    Decision *d = &all->d[i];
    if (k < d->nway && d->sum[k] > 0 &&
        (d->ns[k] <= 0 || d->sum[k] < d->ns[k]))
      d->ns[k] = d->sum[k];
  }
  return true;
}

static int most_ways(const Plan *p)
{
  int most = 0;
  for (int i = 0; i < p->nchoice; i++)
    most = p->choice[i].nway > most ? p->choice[i].nway : most;
  return most < MAX_WAYS ? most : MAX_WAYS;
}

static int fastest(const Decision *d)
{
  int best = 0;
  for (int i = 1; i < d->nway; i++)
    if (d->ns[i] > 0 && (d->ns[best] <= 0 || d->ns[i] < d->ns[best]))
      best = i;
  return best;
}

static int by_key(const void *a, const void *b)
{
  return strcmp(((const struct MapSlot *)a)->key,
                ((const struct MapSlot *)b)->key);
}

static bool write_file(Arena *a, const char *path, const Decisions *all)
{
  Map lines;
  int bad = tune_read(&lines, a, path);
  if (bad > 0) {
    fprintf(stderr, "onnx2c: --tune: line %d of %s is no 'key TAB way'; the "
            "file stays as it is\n", bad, path);
    return false;
  }
  for (int i = 0; i < all->n; i++) {
    const Decision *d = &all->d[i];
    StrBuf b;
    sb_init(&b, a);
    sb_puts(&b, d->way[fastest(d)]);
    for (int k = 0; k < d->nway; k++)
      sb_printf(&b, "%c%s %.0f ns", k ? ',' : '\t', d->way[k], d->ns[k]);
    *map_at(&lines, d->key, strlen(d->key)) = arena_strn(a, b.s, b.n);
    sb_free(&b);
  }
  qsort(lines.slot, (size_t)lines.n, sizeof *lines.slot, by_key);
  StrBuf b;
  sb_init(&b, a);
  sb_puts(&b, "# onnx2c bench --tune: key, fastest way, what was measured\n");
  for (int i = 0; i < lines.n; i++)
    sb_printf(&b, "%s\t%s\n", lines.slot[i].key,
              (const char *)lines.slot[i].value);
  bool ok = host_write(path, b.s, b.n);
  sb_free(&b);
  return ok;
}

static void print_decisions(const Decisions *all)
{
  for (int i = 0; i < all->n; i++) {
    const Decision *d = &all->d[i];
    printf("%s: %s", d->key, d->way[fastest(d)]);
    for (int k = 0; k < d->nway; k++)
      printf("%s%s %.4f ms", k ? ", " : " (", d->way[k], d->ns[k] / 1e6);
    puts(")");
  }
}

/* One program, all of whose decisions are made in way k (from 1). */
typedef struct {
  const char *program;
  Job job;
  Plan *plan;
  Model *m;
} Trial;

static ExitCode tune_all(Host *h, Trial *t, int n, Decisions *all)
{
  const Options *opt = h->opt;
  for (int round = 0; round < ROUNDS; round++)
    for (int k = 0; k < n; k++) {
      Result *r = jobs_run(h, &h->a, t[k].program, &t[k].job, 1);
      if (!r || !add_times(all, t[k].plan, r, k)) {
        fprintf(stderr, "onnx2c: --tune: no times of steps%s%s\n",
                r ? ": " : "", r ? result_text(&h->a, r) : "");
        return EXIT_ENVIRONMENT;
      }
    }
  if (!opt->json)
    print_decisions(all);
  return write_file(&h->a, opt->tune, all) ? EXIT_OK : EXIT_ENVIRONMENT;
}

static ExitCode make_trial(Host *h, Options *o, const Case *c, int serial,
                           Trial *t)
{
  const Options *opt = h->opt;
  const char *name = o->name;
  Case one = { .path = c->path };
  h->opt = o;
  case_open(h, &h->a, &one, serial, true);
  h->opt = opt;
  if (one.code == EXIT_OK) {
    t->program = cc_build(h, &one.unit, 1, serial);
    o->name = one.unit.prefix;
    o->command = "compile";
    t->m = plan_model(o, c->path, &t->plan);
    o->command = "bench";
    o->name = name;
    if (!t->program || !t->plan)
      one.code = EXIT_ENVIRONMENT;
  }
  case_close(&one);
  return one.code;
}

ExitCode bench_tune(Host *h, const Options *compiled, const Case *c,
                    const Tensor *const *in)
{
  Trial trial[MAX_WAYS];
  Decisions all = { .a = &h->a };
  Options o = *compiled;
  ExitCode code = EXIT_OK;
  int n = 1;
  memset(trial, 0, sizeof trial);
  o.tune = NULL;
  o.hooks = true;
  for (int k = 0; k < n && code == EXIT_OK; k++) {
    Trial *t = &trial[k];
    o.way = k + 1;
    t->job = (Job){ 0, h->opt->runs > 0 ? h->opt->runs : -1, in, c->ports.nin,
                    true };
    code = make_trial(h, &o, c, k + 1, t);
    if (code == EXIT_OK && k == 0 && most_ways(t->plan) > 1)
      n = most_ways(t->plan);
  }
  if (code == EXIT_OK)
    code = tune_all(h, trial, n, &all);
  for (int k = 0; k < MAX_WAYS; k++)
    if (trial[k].m)
      model_free(trial[k].m);
  return code;
}
