/* SPDX-License-Identifier: Apache-2.0 */
/* One model of a host command: found, imported, given data, made into C. */
#include "host.h"
#include "make_batch.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- Which models --------------------------------------------------------- */

typedef struct {
  Arena *a;
  const char **v;
  int n;
} Paths;

static void add_path(Paths *p, const char *path)
{
  p->v = arena_grow(p->a, p->v, p->n, sizeof *p->v);
  p->v[p->n++] = path;
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_folder(const char *path)
{
  struct stat s;
  return !stat(path, &s) && S_ISDIR(s.st_mode);
}

static bool is_file(const char *path)
{
  struct stat s;
  return !stat(path, &s) && S_ISREG(s.st_mode);
}

/* A folder with model.onnx is a case; one without holds cases below it. */
static void find_in(Paths *p, const char *folder, int depth)
{
  const char *model = arena_printf(p->a, "%s/model.onnx", folder);
  if (is_file(model)) {
    add_path(p, model);
    return;
  }
  DIR *d = depth < 8 ? opendir(folder) : NULL;
  Paths sub = {p->a, NULL, 0};
  for (struct dirent *e; d && (e = readdir(d));)
    if (e->d_name[0] != '.')
      add_path(&sub, arena_printf(p->a, "%s/%s", folder, e->d_name));
  if (d) closedir(d);
  if (sub.n) qsort(sub.v, (size_t)sub.n, sizeof *sub.v, by_name);
  for (int i = 0; i < sub.n; i++)
    if (is_folder(sub.v[i])) find_in(p, sub.v[i], depth + 1);
}

static const char *strip_slashes(Arena *a, const char *s)
{
  size_t n = strlen(s);
  while (n > 1 && s[n - 1] == '/') n--;
  return arena_strn(a, s, n);
}

const char **cases_find(Host *h, int *n)
{
  Paths p = {&h->a, NULL, 0};
  for (int i = 0; i < h->opt->nmodel; i++) {
    const char *path = strip_slashes(&h->a, h->opt->models[i]);
    int before = p.n;
    if (!is_folder(path)) add_path(&p, path);
    else find_in(&p, path, 0);
    if (p.n == before)
      fprintf(stderr, "onnx2c: %s: no model.onnx in it\n", path);
  }
  *n = p.n;
  return p.v;
}

/* A case is known by its folder: net of x/net/model.onnx. */
static const char *case_name(Arena *a, const char *path)
{
  const char *slash = strrchr(path, '/');
  if (!slash || strcmp(slash, "/model.onnx")) return slash ? slash + 1 : path;
  const char *p = slash;
  while (p > path && p[-1] != '/') p--;
  return arena_strn(a, p, (size_t)(slash - p));
}

/* --- One model ------------------------------------------------------------ */

static const char *first_error(Arena *a, const Model *m)
{
  for (const Diag *d = m->diags; d; d = d->next)
    if (d->sev == SEV_ERROR) return arena_str(a, d->text);
  return "unknown error";
}

static bool failed(Arena *a, Case *c, Model *m, bool loud)
{
  if (loud) diag_print(m, stderr, SEV_WARNING);
  c->code = diag_worst(m);
  if (c->code != EXIT_OK) c->why = first_error(a, m);
  return c->code != EXIT_OK;
}

/* Where the samples are in the tensors of a model of --make-batch, which is
 * freed; its inputs are those of the ports and constants. */
static void keep_rows(Ports *p, const Model *m)
{
  if (!m->rebatch) return;
  Arena *a = &p->m->arena;
  const Graph *g = p->m->main;
  BatchPort *in = NEW(a, BatchPort, p->nin + 1), *out;
  for (int i = 0, k = 0; k < p->nin && i < g->nin; i++)
    if (g->in[i] == p->in[k]) in[k++] = m->rebatch->in[i];
  out = NEW(a, BatchPort, p->nout + 1);
  for (int i = 0; i < p->nout; i++) out[i] = m->rebatch->out[i];
  p->in_rows = in;
  p->out_rows = out;
}

static void compile(Host *h, Arena *a, Case *c, bool loud)
{
  Options o = *h->opt;
  o.command = "compile";
  o.out = host_file(h, "%s.c", c->unit.prefix);
  o.name = c->unit.prefix;
  o.header = o.report = o.save = o.package = NULL;
  if (h->cross && !o.weights_for) o.weights_for = h->cross;
  o.json = o.simple = o.emit_main = o.bundle = false;
  Model *m = compile_model(&o, c->path);
  if (!failed(a, c, m, loud)) {
    if (!o.batch) keep_rows(&c->ports, m);
    const char *side = host_file(h, "%s.weights.o", c->unit.prefix);
    c->unit.object = is_file(side) ? side : NULL;
    c->unit.device = is_file(host_file(h, "%s.cu", c->unit.prefix));
    for (const Node *n = m->main->first; n; n = n->next)
      c->unit.image |= node_is(n, "ImageDecoder");
  }
  model_free(m);
}

void case_open(Host *h, Arena *a, Case *c, int serial, bool loud)
{
  const char *path = c->path;
  c->name = case_name(a, path);
  c->unit.prefix = arena_printf(a, "net%d", serial);
  c->unit.broken = true;
  Model *m = import_file(h->opt, path);
  m->arena.panic = &h->panic;
  ports_find(&c->ports, m);
  if (failed(a, c, m, loud)) return;
  c->rule = rule_choose(a, h->opt, m);
  compile(h, a, c, loud);
  c->unit.broken = c->code != EXIT_OK;
}

void case_close(Case *c)
{
  if (c->ports.m) model_free(c->ports.m);
  c->ports.m = NULL;
}

bool case_save(const char *folder, const Ports *p, const Result *r)
{
  if (!make_folder(folder)) return false;
  for (int i = 0; i < r->nout && i < p->nout; i++) {
    char path[4096];
    if (!r->out[i]) continue;
    Tensor t = *r->out[i];
    t.name = p->out[i]->name;
    int n = snprintf(path, sizeof path, "%s/output_%d.pb", folder, i);
    if (n >= (int)sizeof path || !export_value_file(path, &t)) {
      fprintf(stderr, "onnx2c: can't write %s\n", path);
      return false;
    }
  }
  return true;
}
