/* SPDX-License-Identifier: Apache-2.0 */
/* The command `edit`: reading a model as messages, the table of steps, and
 * taking words to steps. */
#include "edit.h"
#include "snapshot.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *name;
  bool (*run)(Edit *e, const EditStep *s);
  int least, most;
  const char *args, *help;
} StepRow;
#define STEP(name, function, least, most, args, help) \
  {name, step_##function, least, most, args, help},
static const StepRow rows[] = {
#include "steps.def"
};
#undef STEP

void edit_list(FILE *f)
{
  for (int i = 0; i < COUNT(rows); i++)
    fprintf(f, "  %s %s\n      %s\n", rows[i].name, rows[i].args,
            rows[i].help);
}

/* --- Messages to the user ------------------------------------------------- */

static const char *at_step(Edit *e)
{
  if (!e->step) return "";
  return arena_printf(e->a, "step %d, %s: ", e->nstep + 1, e->step);
}

static void say(Edit *e, Severity s, ExitCode c, const char *fmt, va_list ap)
{
  char *text = arena_vprintf(e->a, fmt, ap);
  diag_model(e->m, s, c, "%s%s", at_step(e), text);
}

bool edit_fail(Edit *e, ExitCode c, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  say(e, SEV_ERROR, c, fmt, ap);
  va_end(ap);
  return false;
}

void edit_warn(Edit *e, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  say(e, SEV_WARNING, EXIT_OK, fmt, ap);
  va_end(ap);
}

void edit_note(Edit *e, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  say(e, SEV_NOTE, EXIT_OK, fmt, ap);
  va_end(ap);
}

/* --- Reading -------------------------------------------------------------- */

static void read_model(Edit *e, const char *path)
{
  const char *why = NULL;
  const FileMap *f = file_map(e->im, path, &why);
  if (!f && edit_new(e, path)) return;
  if (!f) {
    diag_model(e->m, SEV_ERROR, EXIT_USAGE, "cannot be read: %s", why);
    return;
  }
  const char *other = import_other(f->p, f->n);
  if (other) {
    diag_model(e->m, SEV_ERROR, EXIT_MODEL, "the file is %s", other);
    return;
  }
  e->pb->p = f->p;
  e->pb->n = f->n;
  e->mp = (void *)(uintptr_t)pb_read(e->pb, &onnx__model_proto__descriptor);
  if (e->mp && !e->mp->graph)
    diag_model(e->m, SEV_ERROR, EXIT_MODEL, "there is no graph in it: not an "
               "ONNX model, or damaged");
}

Edit *edit_open(const Options *opt, const char *path)
{
  Model *m = model_new(opt, path);
  if (!m) return NULL;
  Edit *e = NEW(&m->arena, Edit, 1);
  e->m = m;
  if (MODEL_EDGE(m)) {
    edit_panicked(e);
    return e;
  }
  e->im = import_state(m);
  e->im->tmp.panic = e->scratch.panic = &m->panic;
  e->a = &e->im->tmp;
  e->pb = &e->im->pb;
  if (path) read_model(e, path);
  return e;
}

void edit_panicked(Edit *e)
{
  e->m->arena.panic = NULL;
  if (e->im) sb_free(&e->pb->skel);
  diag_model(e->m, SEV_ERROR, EXIT_ENVIRONMENT, "%s%s",
             e->m->panic_text ? "internal error: " : "out of memory",
             e->m->panic_text ? e->m->panic_text : "");
}

void edit_free(Edit *e)
{
  for (int i = 0; e && i < e->ntyped; i++) model_free(e->typed[i]);
  if (e) arena_free(&e->scratch);
  if (e) model_free(e->m);
}

/* --- Steps ---------------------------------------------------------------- */

/* The step that a word names, with or without what is joined to it. */
static const StepRow *row_of(const char *word, const char **rest)
{
  size_t n = strcspn(word, "=:");
  *rest = word[n] ? word + n + 1 : NULL;
  for (int i = 0; i < COUNT(rows); i++)
    if (strlen(rows[i].name) == n && !memcmp(rows[i].name, word, n))
      return &rows[i];
  return NULL;
}

static bool unknown_step(Edit *e, const char *word)
{
  const char *name[COUNT(rows)];
  for (int i = 0; i < COUNT(rows); i++) name[i] = rows[i].name;
  return edit_fail(e, EXIT_USAGE, "there is no step %s%s; onnx2c --list-steps "
                   "prints them", Q(e, word),
                   edit_near(e, arena_strn(e->a, word, strcspn(word, "=:")),
                             name, COUNT(rows)));
}

static const char *step_text(Edit *e, const char *const *word, int n)
{
  const char *s = word[0];
  for (int i = 1; i < n; i++) s = arena_printf(e->a, "%s %s", s, word[i]);
  return Q(e, s);
}

bool edit_step(Edit *e, const char *const *word, int n)
{
  const char *rest;
  const StepRow *r = row_of(word[0], &rest);
  e->step = step_text(e, word, n);
  e->taken = NULL;
  e->now = NULL;
  if (!r) return unknown_step(e, word[0]);
  EditStep s = {.name = r->name, .arg = NEW(e->a, const char *, n + 1)};
  if (rest) s.arg[s.n++] = rest;
  for (int i = 1; i < n; i++) s.arg[s.n++] = word[i];
  bool ok = s.n >= r->least && (r->most < 0 || s.n <= r->most);
  if (!ok)
    return edit_fail(e, EXIT_USAGE, "it is written %s %s", r->name, r->args);
  int errors = e->m->nerror;
  ok = r->run(e, &s) && e->m->nerror == errors;
  e->nstep++;
  e->step = NULL;
  e->taken = NULL;
  arena_free(&e->scratch);
  return ok;
}

/* Words of the command line: how many belong to the first step. */
static int step_words(const char *const *word, int n)
{
  const char *rest;
  const StepRow *r = row_of(word[0], &rest);
  if (!r) return 1;
  int have = rest != NULL, k = 1;
  for (; k < n && (r->most < 0 || have < r->most); k++, have++) {
    const char *unused;
    if (have >= r->least && row_of(word[k], &unused)) break;
  }
  return k;
}

/* A word with blanks that begins with a step's name is a whole step. */
static bool run_word(Edit *e, const char *const *word, int n, int *used)
{
  size_t len = strcspn(word[0], " \t");
  const char *rest;
  *used = 1;
  if (word[0][len] && row_of(arena_strn(e->a, word[0], len), &rest)) {
    int count;
    const char **part = edit_words(e, word[0], &count);
    return part && edit_step(e, part, count);
  }
  *used = step_words(word, n);
  return edit_step(e, word, *used);
}

static bool run_steps(Edit *e, const Options *o)
{
  if (o->script && !edit_script(e, o->script)) return false;
  for (int i = 1, used; i < o->nmodel; i += used)
    if (!run_word(e, o->models + i, o->nmodel - i, &used)) return false;
  return true;
}

static void edit_file(Edit *e)
{
  const Options *o = e->m->opt;
  if (e->m->nerror) return;
  Snapshot *before = o->dry_run ? snapshot_make(e) : NULL;
  if (!run_steps(e, o)) return;
  if (o->dry_run) snapshot_print(e, before);
  else if (o->out) edit_save(e, o->out);
  else if (!e->quiet_out)
    edit_fail(e, EXIT_USAGE, "no output given: add -o OUT.onnx, or --dry-run");
}

ExitCode cmd_edit(const Options *o)
{
  Edit *e = edit_open(o, o->models[0]);
  if (!e) return EXIT_ENVIRONMENT;
  if (MODEL_EDGE(e->m)) edit_panicked(e);
  else edit_file(e);
  e->m->arena.panic = NULL;
  Severity least = o->quiet ? SEV_ERROR : o->verbose ? SEV_NOTE : SEV_WARNING;
  ExitCode code = diag_worst(e->m);
  diag_print(e->m, stderr, e->m->nerror && !o->quiet ? SEV_NOTE : least);
  edit_free(e);
  return code;
}
