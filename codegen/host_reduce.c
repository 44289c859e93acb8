/* SPDX-License-Identifier: Apache-2.0 */
/* onnx2c reduce: the smallest part of a model on which a command still ends as
 * it does on the whole.
 *
 * Halves first, as long as one of two fails; then the shortest run of nodes
 * from the start that does, and of those the shortest up to the end. What is
 * left goes by chunks, from large ones to single nodes, and nodes that may be
 * passed by are. A part that is no
 * model is not tried. */
#include "host_reduce.h"
#include <string.h>

typedef struct {
  Host *h;
  Whole w;
  Subset best;
  int status;              /* of the command on the whole */
  ExitCode check;          /* what check says of the whole */
  Map tried;               /* cuts as text -> &tried or &failed */
  int runs;
  const char *why;         /* NULL, or why it can't go on */
} Reduce;

static const char yes = 'y', no = 'n';

/* --- The command ---------------------------------------------------------- */

/* 'it''s' for the shell. */
static void put_quoted(StrBuf *b, const char *s)
{
  sb_puts(b, "'");
  for (; *s; s++)
    if (*s == '\'') sb_puts(b, "'\\''");
    else sb_write(b, s, 1);
  sb_puts(b, "'");
}

static char *command_line(Reduce *r, const char *file)
{
  StrBuf b;
  sb_init(&b, &r->h->a);
  for (const char *s = r->h->opt->fails; *s; s++)
    if (s[0] == '{' && s[1] == '}') {
      put_quoted(&b, file);
      s++;
    } else {
      sb_write(&b, s, 1);
    }
  char *text = arena_strn(&r->h->a, b.s, b.n);
  sb_free(&b);
  return text;
}

#define COMMAND_TIMEOUT 3600 /* seconds */

/* Exit status of the command on a file; -1: it can't be run. */
static int run_command(Reduce *r, const char *file)
{
  char *argv[] = {arena_str(&r->h->a, "sh"), arena_str(&r->h->a, "-c"),
                  command_line(r, file), NULL};
  Proc p = {.argv = argv, .log = host_file(r->h, "command.log"),
            .timeout = COMMAND_TIMEOUT};
  procs_run(r->h, &p, 1);
  r->runs++;
  if (p.rc == -1 || r->h->stop) r->why = "the command can't be run";
  return p.rc;
}

/* --- Parts ---------------------------------------------------------------- */

/* Is it a model, as far as the whole is one? */
static ExitCode check(Reduce *r, const char *file)
{
  Model *m = import_file(r->h->opt, file);
  if (MODEL_EDGE(m)) {
    m->nerror++;
  } else if (!m->nerror) {
    schema_check(m->main);
    infer_graph(m->main);
  }
  m->arena.panic = NULL;
  ExitCode code = diag_worst(m);
  model_free(m);
  return code;
}

static void say(const Reduce *r, const Subset *c, const char *what)
{
  if (!r->h->opt->quiet)
    fprintf(stderr, "run %d: %d of %d nodes: %s\n", r->runs,
            subset_nodes(&r->w, c), r->w.n, what);
}

static void **memory_of(Reduce *r, const Subset *c)
{
  StrBuf b;
  sb_init(&b, &r->h->a);
  for (int i = 0; i < r->w.n; i++)
    sb_printf(&b, "%c", c->keep[i] ? 'k' : c->by[i] < 0 ? 'x' : '0' + c->by[i]);
  sb_puts(&b, c->outputs ? "o" : "");
  void **slot = map_at(&r->tried, b.s, b.n);
  sb_free(&b);
  return slot;
}

static bool run_part(Reduce *r, const Subset *c)
{
  const char *file = host_file(r->h, "candidate.onnx");
  if (!subset_nodes(&r->w, c) || !subset_apply(&r->w, c)) return false;
  if (!edit_save(r->w.e, file)) {
    r->why = "a part can't be written";
    return false;
  }
  ExitCode code = check(r, file);
  if (code != EXIT_OK && code != r->check) return false;
  int status = run_command(r, file);
  bool fails = !r->why && status == r->status;
  say(r, c, fails ? "fails" : arena_printf(&r->h->a, "ends with %d", status));
  return fails;
}

/* Does the command fail on this part? Then it is the best so far, if it is
 * smaller. */
static bool fails(Reduce *r, const Subset *c)
{
  if (r->why) return false;
  void **known = memory_of(r, c);
  if (*known) return *known == (void *)(uintptr_t)&yes;
  bool it_does = run_part(r, c);
  *memory_of(r, c) = (void *)(uintptr_t)(it_does ? &yes : &no);
  if (it_does) r->best = subset_copy(&r->w, c);
  return it_does;
}

/* The kept nodes, as a list of their numbers. */
static int *kept(Reduce *r, const Subset *c, int *n)
{
  int *v = NEW(&r->h->a, int, r->w.n + 1);
  *n = 0;
  for (int i = 0; i < r->w.n; i++)
    if (c->keep[i]) v[(*n)++] = i;
  return v;
}

/* Only nodes [from, to) of the list. */
static Subset slice(Reduce *r, const int *v, int n, int from, int to)
{
  Subset c = subset_copy(&r->w, &r->best);
  for (int i = 0; i < n; i++) c.keep[v[i]] = i >= from && i < to;
  return c;
}

/* --- Searches ------------------------------------------------------------- */

/* Either half, as long as one of them fails: each run is of half the size. */
static void halve(Reduce *r)
{
  for (bool more = true; more;) {
    int n, *v = kept(r, &r->best, &n);
    Subset first = slice(r, v, n, 0, n / 2), last = slice(r, v, n, n / 2, n);
    more = n > 1 && (fails(r, &last) || fails(r, &first));
  }
}

static void shorten_end(Reduce *r)
{
  int n, *v = kept(r, &r->best, &n), lo = 0, hi = n;
  while (hi - lo > 1) {
    int mid = lo + (hi - lo) / 2;
    Subset c = slice(r, v, n, 0, mid);
    if (fails(r, &c)) hi = mid;
    else lo = mid;
  }
}

static void shorten_start(Reduce *r)
{
  int n, *v = kept(r, &r->best, &n), lo = 0, hi = n;
  while (hi - lo > 1) {
    int mid = lo + (hi - lo) / 2;
    Subset c = slice(r, v, n, mid, n);
    if (fails(r, &c)) lo = mid;
    else hi = mid;
  }
}

/* Node `last` and all that it needs. */
static Subset ancestors(Reduce *r, int last)
{
  Subset c = subset_copy(&r->w, &r->best);
  bool *need = NEW(&r->h->a, bool, r->w.n + 1);
  need[last] = true;
  for (int i = last; i >= 0; i--) {
    if (!need[i]) continue;
    for (int k = 0; k < r->w.node[i].nread; k++) {
      const char *name = r->w.node[i].read[k];
      const PartName *x = map_get(&r->w.names, name, strlen(name));
      if (x && x->maker >= 0) need[x->maker] = true;
    }
  }
  for (int i = 0; i < r->w.n; i++) c.keep[i] = c.keep[i] && need[i];
  return c;
}

/* Chunks of `size` nodes are left out where that still fails. */
static bool drop_chunks(Reduce *r, int size)
{
  int n, *v = kept(r, &r->best, &n);
  bool some = false;
  for (int end = n; end > 0 && !r->why; end -= size) {
    Subset c = subset_copy(&r->w, &r->best);
    int from = end > size ? end - size : 0;
    for (int i = from; i < end; i++) c.keep[v[i]] = false;
    some |= fails(r, &c);
  }
  return some;
}

static bool pass_nodes(Reduce *r)
{
  int n, *v = kept(r, &r->best, &n);
  bool some = false;
  for (int i = n - 1; i >= 0 && n > 1; i--)
    for (int k = 0; k < (int)r->w.node[v[i]].n->n_input; k++) {
      Subset c = subset_copy(&r->w, &r->best);
      if (k > 9 || !subset_fits(&r->w, v[i], k)) continue;
      c.keep[v[i]] = false;
      c.by[v[i]] = k;
      if (!fails(r, &c)) continue;
      some = true;
      break;
    }
  return some;
}

static void search(Reduce *r)
{
  halve(r);
  shorten_end(r);
  int n, *v = kept(r, &r->best, &n);
  Subset c = ancestors(r, v[n - 1]);
  fails(r, &c);
  shorten_start(r);
  bool more = true;
  while (more && !r->why) {
    more = false;
    (void)kept(r, &r->best, &n);
    for (int size = n / 2; size >= 1 && !r->why; size /= 2) {
      more |= drop_chunks(r, size);
      (void)kept(r, &r->best, &n);
    }
    more |= pass_nodes(r);
  }
}

/* --- The command line ----------------------------------------------------- */

static bool uses(const Edit *e, const Onnx__FunctionProto *f)
{
  Edit *mine = (Edit *)(uintptr_t)e;
  int n;
  Body *b = edit_bodies(mine, &n);
  for (int i = 0; i < n; i++)
    for (size_t k = 0; k < body_count(&b[i]); k++) {
      const NodeProto *x = body_node(&b[i], k);
      if (f->name && x->op_type && !strcmp(x->op_type, f->name) &&
          !strcmp(x->domain ? x->domain : "", f->domain ? f->domain : ""))
        return true;
    }
  return false;
}

static void drop_functions(Edit *e)
{
  ModelProto *mp = e->mp;
  for (bool more = true; more;) {
    more = false;
    for (size_t i = mp->n_functions; i-- > 0;)
      if (!uses(e, mp->functions[i])) {
        LIST_DROP(mp, functions, i);
        more = true;
      }
  }
}

static ExitCode finish(Reduce *r)
{
  const Options *o = r->h->opt;
  subset_apply(&r->w, &r->best);
  drop_functions(r->w.e);
  r->w.e->mp->n_metadata_props = 0;
  if (!edit_save(r->w.e, o->out)) return EXIT_ENVIRONMENT;
  if (!o->quiet) {
    const GraphProto *g = r->w.e->mp->graph;
    printf("%s: %d of %d nodes", o->out, (int)g->n_node, r->w.n);
    for (size_t i = 0; i < g->n_node && i < 5; i++)
      printf("%s%s", i ? ", " : ": ", quote(&r->h->a, g->node[i]->op_type));
    printf("%s; %d runs, exit status %d\n", g->n_node > 5 ? ", .." : "",
           r->runs, r->status);
  }
  return EXIT_OK;
}

static ExitCode refuse(const char *why)
{
  fprintf(stderr, "onnx2c: reduce: %s\n", why);
  return EXIT_ENVIRONMENT;
}

/* Nothing can go, if a copy fails at all; maybe with its outputs as they were,
 * though they are read, too. */
static bool retry(Reduce *r)
{
  Subset all = subset_copy(&r->w, NULL);
  if (fails(r, &all)) return true;
  all.outputs = true;
  if (!fails(r, &all)) return false;
  search(r);
  return true;
}

static ExitCode reduce(Reduce *r, const char *path)
{
  map_init(&r->tried, &r->h->a);
  if (!whole_open(&r->w, r->h->opt, path)) return diag_worst(r->w.e->m);
  r->check = check(r, path);
  r->status = run_command(r, path);
  if (r->why) return refuse(r->why);
  if (!r->status) {
    fprintf(stderr, "onnx2c: reduce: the command ends with 0 on %s: it must "
            "fail there\n", path);
    return EXIT_USAGE;
  }
  if (!r->h->opt->quiet)
    fprintf(stderr, "%d nodes, the command ends with %d\n", r->w.n, r->status);
  r->best = subset_copy(&r->w, NULL);
  search(r);
  if (!r->why && subset_nodes(&r->w, &r->best) == r->w.n && !retry(r))
    return refuse("the command does not fail in the same way on any part of "
                  "the model, nor on a copy of it");
  return r->why ? refuse(r->why) : finish(r);
}

static ExitCode reduce_file(Host *h, const char *path)
{
  Reduce *r = NEW(&h->a, Reduce, 1);
  Edit *e = r->w.e = edit_open(h->opt, path);
  r->h = h;
  ExitCode code = EXIT_ENVIRONMENT;
  if (!e) return code;
  if (MODEL_EDGE(e->m)) edit_panicked(e);
  else if (e->m->nerror) code = diag_worst(e->m);
  else code = reduce(r, path);
  e->m->arena.panic = NULL;
  if (code == EXIT_OK) code = diag_worst(e->m);
  diag_print(e->m, stderr, SEV_ERROR);
  whole_close(&r->w);
  edit_free(e);
  return code;
}

ExitCode cmd_reduce(const Options *opt)
{
  Host h;
  if (!opt->fails || !strstr(opt->fails, "{}") || !opt->out) {
    fprintf(stderr, "onnx2c: it is written: onnx2c reduce MODEL --fails "
            "'CMD {}' -o OUT.onnx, where {} becomes the file\n");
    return EXIT_USAGE;
  }
  if (!host_open(&h, opt)) return EXIT_ENVIRONMENT;
  if (setjmp(h.panic)) {
    fprintf(stderr, "onnx2c: out of memory\n");
    return host_close(&h, EXIT_ENVIRONMENT);
  }
  int n = 0;
  const char **path = cases_find(&h, &n);
  if (n != 1) {
    fprintf(stderr, "onnx2c: reduce takes one model, not %d\n", n);
    return host_close(&h, EXIT_USAGE);
  }
  return host_close(&h, reduce_file(&h, path[0]));
}
