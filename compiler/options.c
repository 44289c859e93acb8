/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: a table of options, their parsing, and the help text.
 *
 * What other versions of the interface promise but this one does not have is
 * in the table too, so that the answer is "not available" and not "unknown". */
#include "ir.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef enum {
  O_FLAG, O_STR, O_COUNT, O_INT, O_REAL, O_DATA, O_DIM, O_WORD, O_BATCH,
  O_THREADS, O_CUSTOM, O_AXIS, O_LATER, O_PRINT
} OptKind;
typedef struct {
  const char *name;
  OptKind kind;
  size_t at;         /* offset in Options */
  const char *arg;   /* what follows, for --help; NULL: nothing follows */
  const char *help;  /* of O_WORD: the words */
} OptRow;
#define AT(field) offsetof(Options, field)
#define NOWHERE 0

static const OptRow rows[] = {
  {"-o", O_STR, AT(out), "FILE", ".c (and .h); .o .a .so .bc built; - stdout"},
  {"--name", O_STR, AT(name), "ID", "prefix of all symbols, else the file's"},
  {"--header", O_STR, AT(header), "FILE", "where the header goes"},
  {"--batch", O_BATCH, AT(batch), "N", "fix the batch (default: dynamic)"},
  {"--dim", O_DIM, AT(dim), "NAME=V", "fix a symbolic dimension"},
  {"--max-batch", O_INT, AT(max_batch), "N", "largest batch ever given"},
  {"--max-dim", O_DIM, AT(max_dim), "NAME=V", "largest value of a dimension"},
  {"--make-batch", O_FLAG, AT(make_batch), NULL,
   "a batch of 1 in the model becomes dynamic"},
  {"--batch-axis", O_AXIS, NOWHERE, "IN=K|IN=none",
   "which axis of an input that is, if not 0"},
  {"--weights", O_WORD, AT(weights), "auto|array|string|object|incbin|file",
   "how the weights reach the program"},
  {"--weights-for", O_STR, AT(weights_for), "ARCH", "machine of the object"},
  {"--section", O_STR, AT(section), "NAME", "section of the weights"},
  {"--target", O_STR, AT(target), "native|LIST",
   "instruction sets, chosen at run time"},
  {"--provider", O_WORD, AT(provider), "cpu|cuda|cuda,cpu",
   "what runs the nodes"},
  {"--math", O_WORD, AT(math), "exact|fast", "fast: products in bfloat16"},
  {"--hooks", O_FLAG, AT(hooks), NULL, "call cfg->hooks around each step"},
  {"--threads", O_THREADS, AT(threads), "T|hook|none",
   "workers (bench, run, verify), or who splits"},
  {"--simple", O_FLAG, AT(simple), NULL, "one function, static workspace"},
  {"--bundle", O_FLAG, AT(bundle), NULL, "copy the runtime's files beside it"},
  {"--package", O_WORD, AT(package), "cmake", "and how CMake builds it all"},
  {"--data", O_DATA, AT(data), "DIR", "test data (run, verify, bench)"},
  {"--save", O_STR, AT(save), "DIR", "where outputs go (run, verify)"},
  {"--rtol", O_REAL, AT(rtol), "R", "relative tolerance (verify)"},
  {"--atol", O_REAL, AT(atol), "A", "absolute tolerance (verify)"},
  {"--rows", O_FLAG, AT(rows), NULL, "row i alone equals row i (verify)"},
  {"--all", O_FLAG, AT(all), NULL, "go on behind a difference (diff)"},
  {"--fails", O_STR, AT(fails), "'CMD {}'", "what the model fails (reduce)"},
  {"--seed", O_COUNT, AT(seed), "K", "another draw of data (diff)"},
  {"--runs", O_COUNT, AT(runs), "K", "number of timed runs (bench)"},
  {"--profile", O_FLAG, AT(profile), NULL, "time of each step too (bench)"},
  {"--custom", O_CUSTOM, NOWHERE, "Domain.Op=FILE",
   "an operator of yours, in C; see README"},
  {"--tune", O_STR, AT(tune), "FILE", "choices of kernels; bench writes them"},
  {"--script", O_STR, AT(script), "FILE", "steps, one a line (edit)"},
  {"--dry-run", O_FLAG, AT(dry_run), NULL, "say what would change (edit)"},
  {"--cc", O_STR, AT(cc), "CC", "C compiler of run, verify and bench"},
  {"--cflags", O_STR, AT(cflags), "FLAGS", "and flags added to its own"},
  {"--report", O_WORD, AT(report), "text|json", "what info says, to stderr"},
  {"--json", O_FLAG, AT(json), NULL, "for programs (check, info, ..)"},
  {"--html", O_STR, AT(html), "FILE", "the model as a page (info)"},
  {"--times", O_STR, AT(times), "FILE",
   "times of steps for info, by bench --profile --json"},
  {"--dump-after", O_STR, AT(dump_after), "PASS", "print the graph after it"},
  {"-q", O_FLAG, AT(quiet), NULL, "errors only"},
  {"--list-passes", O_PRINT, NOWHERE, NULL, "print the passes"},
  {"--list-ops", O_PRINT, NOWHERE, NULL, "print operators and versions"},
  {"--list-schemas", O_PRINT, NOWHERE, NULL, "and ports, types, attributes"},
  {"--list-steps", O_PRINT, NOWHERE, NULL, "print the steps of edit"},
  {"--list-targets", O_PRINT, NOWHERE, NULL, "print instruction sets"},
  {"--version", O_PRINT, NOWHERE, NULL, "print the version"},
  {"--help", O_PRINT, NOWHERE, NULL, "print this"},
  {"--pool", O_LATER, NOWHERE, "NAME:SIZE", NULL},
  {"--emit-main", O_LATER, NOWHERE, NULL, NULL},
  {"--emit-test", O_LATER, NOWHERE, "DIR", NULL},
};
static const char *const commands[] = {"compile", "check", "info", "run",
  "verify", "bench", "edit", "diff", "reduce"};

static bool usage(const char *fmt, ...) PRINTF(1, 2);
static bool usage(const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  fputs("onnx2c: ", stderr);
  vfprintf(stderr, fmt, ap);
  fputs("; see onnx2c --help\n", stderr);
  va_end(ap);
  return false;
}

/* Edit distance, for suggestions. */
static int distance(const char *a, const char *b)
{
  int row[64];
  int n = (int)strlen(b);
  if (n >= COUNT(row)) return 99;
  for (int j = 0; j <= n; j++) row[j] = j;
  for (int i = 1; a[i - 1]; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= n; j++) {
      int best = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[n];
}

const char *option_nearest(const char *word)
{
  const char *nearest = NULL;
  int least = 4;
  for (int i = 0; i < COUNT(rows); i++) {
    int d = rows[i].kind == O_LATER ? 99 : distance(word, rows[i].name);
    if (d >= least || d >= (int)strlen(word) - 2) continue;
    least = d;
    nearest = rows[i].name;
  }
  return nearest;
}

static const OptRow *find(const char *name, size_t n)
{
  for (int i = 0; i < COUNT(rows); i++)
    if (strlen(rows[i].name) == n && !memcmp(rows[i].name, name, n))
      return &rows[i];
  return NULL;
}

/* A whole number in [0, 2^31]: sizes beyond make no sense anywhere. */
static bool parse_int(const char *s, int64_t *v)
{
  *v = 0;
  if (!*s) return false;
  for (; *s; s++) {
    if (*s < '0' || *s > '9') return false;
    *v = *v * 10 + (*s - '0');
    if (*v > INT64_C(0x80000000)) return false;
  }
  return true;
}

static bool set_dim(Options *o, Arena *a, const OptRow *r, const char *s)
{
  bool max = r->at == AT(max_dim);
  NameInt **list = max ? &o->max_dim : &o->dim;
  int *n = max ? &o->nmax_dim : &o->ndim;
  const char *eq = strrchr(s, '=');
  NameInt x = {eq ? arena_strn(a, s, (size_t)(eq - s)) : s, 0};
  if (!eq || eq == s || !parse_int(eq + 1, &x.v) || (max && !x.v))
    return usage("%s wants NAME=NUMBER, not '%s'", r->name, s);
  *list = arena_grow(a, *list, *n, sizeof **list);
  (*list)[(*n)++] = x;
  return true;
}

static bool set_custom(Options *o, Arena *a, const OptRow *r, const char *s)
{
  const char *eq = strchr(s, '=');
  if (!eq || eq == s || !eq[1])
    return usage("%s wants %s, not '%s'", r->name, r->arg, s);
  o->custom = arena_grow(a, o->custom, o->ncustom, sizeof *o->custom);
  o->custom[o->ncustom++] =
    (NamePath){arena_strn(a, s, (size_t)(eq - s)), eq + 1};
  return true;
}

static bool set_axis(Options *o, Arena *a, const OptRow *r, const char *s)
{
  const char *eq = strrchr(s, '=');
  NameInt x = {eq ? arena_strn(a, s, (size_t)(eq - s)) : s, -1};
  bool none = eq && !strcmp(eq + 1, "none");
  if (!eq || eq == s || (!none && (!parse_int(eq + 1, &x.v) ||
                                   x.v >= MAX_RANK)))
    return usage("%s wants IN=AXIS or IN=none, not '%s'", r->name, s);
  o->batch_axis = arena_grow(a, o->batch_axis, o->nbatch_axis,
                             sizeof *o->batch_axis);
  o->batch_axis[o->nbatch_axis++] = x;
  return true;
}

static bool set_word(char *at, const OptRow *r, const char *s)
{
  size_t n = strlen(s);
  for (const char *w = r->arg; *w; w += strcspn(w, "|")) {
    w += *w == '|';
    if (strcspn(w, "|") != n || memcmp(w, s, n)) continue;
    memcpy(at, &s, sizeof s);
    return true;
  }
  return usage("%s takes %s in this version, not '%s'", r->name, r->arg, s);
}

static bool set_real(char *at, const OptRow *r, const char *s)
{
  char *end;
  double v = strtod(s, &end);
  if (end == s || *end || !(v >= 0))
    return usage("%s wants a number >= 0, not '%s'", r->name, s);
  memcpy(at, &v, sizeof v);
  return true;
}

static bool set_number(char *at, const OptRow *r, const char *s)
{
  int64_t v;
  if (r->kind == O_BATCH && !strcmp(s, "dynamic")) s = "0";
  else if (!parse_int(s, &v) || !v)
    return usage("%s wants a number > 0%s, not '%s'", r->name,
                 r->kind == O_BATCH ? " or 'dynamic'" : "", s);
  parse_int(s, &v);
  int count = (int)(v > INT32_MAX ? INT32_MAX : v);
  if (r->kind == O_COUNT) memcpy(at, &count, sizeof count);
  else memcpy(at, &v, sizeof v);
  return true;
}

/* A number of workers, or a word. */
static bool set_threads(Options *o, const OptRow *r, const char *s)
{
  int64_t v;
  bool number = parse_int(s, &v);
  if (number ? v < 1 || v > 64 : strcmp(s, "hook") && strcmp(s, "none"))
    return usage("%s takes a number from 1 to 64, hook or none, not '%s'",
                 r->name, s);
  o->workers = number ? (int)v : 0;
  o->threads = number ? NULL : s;
  return true;
}

static bool set(Options *o, Arena *a, const OptRow *r, const char *s)
{
  char *at = (char *)o + r->at;
  bool yes = true;
  switch (r->kind) {
  case O_FLAG: memcpy(at, &yes, sizeof yes); return true;
  case O_STR: memcpy(at, &s, sizeof s); return true;
  case O_WORD: return set_word(at, r, s);
  case O_REAL: return set_real(at, r, s);
  case O_DIM: return set_dim(o, a, r, s);
  case O_THREADS: return set_threads(o, r, s);
  case O_CUSTOM: return set_custom(o, a, r, s);
  case O_AXIS: return set_axis(o, a, r, s);
  case O_BATCH: case O_INT: case O_COUNT: return set_number(at, r, s);
  case O_PRINT: o->print = r->name + 2; return true;
  case O_LATER:
    return usage("%s is not available in this version", r->name);
  case O_DATA:
    o->data = arena_grow(a, o->data, o->ndata, sizeof *o->data);
    o->data[o->ndata++] = s;
    return true;
  }
  return false;
}

/* -v, -vv, -O2: options whose value is part of the word. */
static bool short_option(Options *o, const char *s)
{
  if (!strcmp(s, "-v") || !strcmp(s, "-vv")) {
    o->verbose += (int)strlen(s) - 1;
    return true;
  }
  if (s[1] != 'O' || s[2] < '0' || s[2] > '3' || s[3]) return false;
  o->level = s[2] - '0';
  return true;
}

static bool option(Options *o, Arena *a, char **argv, int *i)
{
  const char *s = argv[*i];
  size_t n = s[1] == '-' ? strcspn(s, "=") : strlen(s);
  const OptRow *r = find(s, n);
  if (!r && short_option(o, s)) return true;
  if (!r) {
    const char *near = option_nearest(arena_strn(a, s, n));
    return near ? usage("unknown option %s; did you mean %s?", s, near)
                : usage("unknown option %s", s);
  }
  if (!r->arg) {
    if (s[n]) return usage("%s takes no value", r->name);
    return set(o, a, r, NULL);
  }
  if (s[n]) return set(o, a, r, s + n + 1);
  if (r->kind == O_LATER) return set(o, a, r, NULL);
  if (!argv[*i + 1]) return usage("%s wants %s", r->name, r->arg);
  return set(o, a, r, argv[++*i]);
}

static bool command(Options *o, const char *word)
{
  for (int i = 0; i < COUNT(commands); i++)
    if (!strcmp(word, commands[i])) o->command = commands[i];
  return !strcmp(o->command, word);
}

static bool complete(const Options *o)
{
  bool compile = !strcmp(o->command, "compile");
  if (o->print) return true;
  if (!o->nmodel)
    return usage("no model given: onnx2c MODEL.onnx -o OUT.c");
  bool dump = !o->dump_after || !strcmp(o->dump_after, "import");
  for (int i = 0; i < pass_count() && !dump; i++)
    dump = !strcmp(pass_at(i)->name, o->dump_after);
  if (!dump)
    return usage("--dump-after: no pass is called '%s' (--list-passes)",
                 o->dump_after);
  if ((o->html || o->times) && strcmp(o->command, "info"))
    return usage("--html and --times are for onnx2c info MODEL");
  if (compile && !o->out) return usage("no output given: add -o OUT.c");
  if (o->nmodel == 2 && !strcmp(o->command, "diff")) return true;
  if (o->nmodel > 1 && strcmp(o->command, "verify") &&
      strcmp(o->command, "edit"))
    return usage("%s takes one model, not %d", o->command, o->nmodel);
  return true;
}

void options_default(Options *o)
{
  memset(o, 0, sizeof *o);
  o->command = "compile";
  o->level = 2;
  o->rtol = o->atol = -1;
}

bool options_parse(Options *o, Arena *a, int argc, char **argv)
{
  bool plain = false;
  options_default(o);
  for (int i = 1; i < argc; i++) {
    const char *s = argv[i];
    if (!plain && !strcmp(s, "--")) {
      plain = true;
      continue;
    }
    if (!plain && s[0] == '-' && s[1]) {
      if (!option(o, a, argv, &i)) return false;
      continue;
    }
    if (!plain && i == 1 && command(o, s)) continue;
    o->models = arena_grow(a, o->models, o->nmodel, sizeof *o->models);
    o->models[o->nmodel++] = s;
  }
  return complete(o);
}

void options_help(FILE *f)
{
  fputs("onnx2c: an ahead-of-time compiler from ONNX to C\n\n"
        "  onnx2c MODEL -o OUT.c [options]   writes OUT.c and OUT.h\n"
        "  onnx2c check MODEL                all that would stop a compile\n"
        "  onnx2c info MODEL                 what is in it; --html draws it\n"
        "  onnx2c run MODEL --data DIR --save DIR\n"
        "  onnx2c verify MODEL|DIR...        against the test data beside it\n"
        "  onnx2c bench MODEL                time of one run\n"
        "  onnx2c diff MODEL [MODEL2]        the first layer whose code is "
        "wrong,\n"
        "                                    or in which two models differ\n"
        "  onnx2c reduce MODEL --fails 'CMD {}' -o OUT.onnx\n"
        "  onnx2c edit MODEL -o OUT STEP...  graph surgery: see --list-steps\n"
        "\n", f);
  for (int i = 0; i < COUNT(rows); i++) {
    const OptRow *r = &rows[i];
    if (r->kind == O_LATER) continue;
    int n = fprintf(f, "  %s %s", r->name, r->arg ? r->arg : "");
    fprintf(f, "%*s%s\n", n < 28 ? 28 - n : 2, "", r->help);
  }
  fputs("  -O0 .. -O3                how much to optimise (default 2)\n"
        "  -v                        say more\n\n"
        "Exit codes: 0 ok, 1 usage, 2 bad model, 3 not supported, 4 verify "
        "failed,\n5 environment (no m4, no C compiler, disk full).\n", f);
}

bool provider_has(const Options *o, const char *name)
{
  const char *s = o && o->provider ? o->provider : "cpu";
  size_t n = strlen(name);
  for (;;) {
    size_t k = strcspn(s, ",");
    if (k == n && !memcmp(s, name, n))
      return true;
    if (!s[k])
      return false;
    s += k + 1;
  }
}
