/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline, from a file to C, and the commands that look at a model. */
#include "file_graph.h"
#include "make_batch.h"
#include "target.h"
#include <string.h>

const char *onnx2c_version(void)
{
  return O2C_VERSION;
}

/* Dimension 0 of the inputs, where it is a symbol, becomes the batch. */
static void apply_batch(Model *m)
{
  const Options *o = m->opt;
  DimPool *p = &m->dims;
  Graph *g = m->main;
  int64_t v;
  if (!strcmp(o->command, "bench") || (!o->batch && !o->max_batch)) return;
  for (int i = 0; i < g->nin; i++) {
    Value *x = g->in[i];
    if (x->rank < 1) continue;
    if (dim_is_int(x->dim[0], &v)) {
      if (o->batch && v != o->batch && !m->rebatch)
        diag_model(m, SEV_ERROR, EXIT_MODEL, "--batch %lld: the batch of "
                   "input %s is fixed to %lld in the model",
                   (long long)o->batch, quote(&m->arena, x->name),
                   (long long)v);
      continue;
    }
    for (int s = 0; s < p->nsym; s++) {
      if (dim_sym(p, s) != x->dim[0]) continue;
      if (o->max_batch) p->sym[s].max = o->max_batch;
      if (!o->batch || m->rebatch) break; /* rebatch_end does it then */
      for (int k = 0; k < g->nin; k++)
        for (int d = 0; d < g->in[k]->rank; d++)
          g->in[k]->dim[d] = dim_subst(p, g->in[k]->dim[d], s,
                                       dim_int(p, o->batch));
      break;
    }
  }
}

/* A --dim that no input has is a mistake worth telling. */
static void check_dims(Model *m, const NameInt *dim, int n, const char *opt)
{
  for (int i = 0; i < n; i++) {
    if (dims_known(&m->dims, dim[i].name)) continue;
    diag_model(m, SEV_WARNING, EXIT_OK, "%s %s=%lld: the model has no "
               "dimension of this name", opt, quote(&m->arena, dim[i].name),
               (long long)dim[i].v);
  }
}

/* The imported model's types and shapes; false after errors. */
static bool infer(Model *m, BatchChoices *c)
{
  if (m->nerror) return false;
  if (m->opt->make_batch && !rebatch_begin(m, c)) return false;
  if (m->opt->ndim) check_dims(m, m->opt->dim, m->opt->ndim, "--dim");
  apply_batch(m);
  schema_check(m->main);
  bool shown = m->opt->report || !strcmp(m->opt->command, "info");
  if (shown) file_graph_take(m);
  infer_graph(m->main);
  if (m->rebatch) rebatch_end(m);
  if (!m->nerror && shown) file_graph_shapes(m);
  return !m->nerror;
}

static void panicked(Model *m)
{
  const char *why = m->panic_text;
  m->arena.panic = NULL;
  if (why)
    diag_model(m, SEV_ERROR, EXIT_ENVIRONMENT, "internal error: %s; please "
               "report it with the model", why);
  else
    diag_model(m, SEV_ERROR, EXIT_ENVIRONMENT, "out of memory");
}

typedef struct { const Options *opt; const char *path; } Source;

static Model *try_model(void *ctx, BatchChoices *c, bool *ok)
{
  const Source *s = ctx;
  Model *m = import_file(s->opt, s->path);
  *ok = false;
  if (MODEL_EDGE(m)) panicked(m);
  else *ok = infer(m, c);
  m->arena.panic = NULL;
  return m;
}

/* What every command does with a model first; *ok: it can be planned. */
static Model *open_model(const Options *opt, const char *path, bool *ok)
{
  Source s = {opt, path};
  Model *m = rebatch_search(try_model, &s, ok);
  if (!*ok) return m;
  if (MODEL_EDGE(m)) panicked(m);
  else passes_run(m->main);
  m->arena.panic = NULL;
  *ok = !m->nerror;
  return m;
}

Model *plan_model(const Options *opt, const char *path, Plan **p)
{
  bool ok;
  Model *m = open_model(opt, path, &ok);
  if (!ok) return m;
  if (MODEL_EDGE(m)) panicked(m);
  else *p = plan_make(m);
  m->arena.panic = NULL;
  return m;
}

Model *compile_model(const Options *opt, const char *path)
{
  bool ok;
  Model *m = open_model(opt, path, &ok);
  if (!ok) return m;
  if (MODEL_EDGE(m)) panicked(m);
  else codegen_emit(m);
  m->arena.panic = NULL;
  return m;
}

void compile_imported(Model *m)
{
  BatchChoices c = {0};
  if (MODEL_EDGE(m)) {
    panicked(m);
  } else if (infer(m, &c)) {
    passes_run(m->main);
    if (!m->nerror) codegen_emit(m);
  }
  m->arena.panic = NULL;
}

/* Prints what there is to say, frees the model; returns the exit code. */
static ExitCode finish(Model *m)
{
  ExitCode code = diag_worst(m);
  Severity least = m->opt->quiet ? SEV_ERROR :
                   m->opt->verbose ? SEV_NOTE : SEV_WARNING;
  diag_print(m, stderr, least);
  model_free(m);
  return code;
}

ExitCode compile_file(const Options *opt, const char *path)
{
  return finish(compile_model(opt, path));
}

static void check_json(Model *m)
{
  static const char *const word[] = {"note", "warning", "error"};
  StrBuf b;
  sb_init(&b, &m->arena);
  sb_puts(&b, "{\"model\": ");
  sb_json(&b, m->path);
  sb_printf(&b, ", \"ok\": %s, \"exit_code\": %d, \"diagnostics\": [",
            m->nerror ? "false" : "true", (int)diag_worst(m));
  for (const Diag *d = m->diags; d; d = d->next) {
    sb_printf(&b, "%s\n  {\"severity\": \"%s\", \"exit_code\": %d, \"text\": ",
              d == m->diags ? "" : ",", word[d->sev], (int)d->code);
    sb_json(&b, d->text);
    sb_puts(&b, "}");
  }
  sb_puts(&b, "]}\n");
  fwrite(b.s, 1, b.n, stdout);
  sb_free(&b);
}

ExitCode cmd_check(const Options *opt)
{
  Plan *p = NULL;
  Model *m = plan_model(opt, opt->models[0], &p);
  if (opt->json) {
    ExitCode code = diag_worst(m);
    check_json(m);
    model_free(m);
    return code;
  }
  const char *file = arena_str(&m->arena, m->file);
  if (!m->nerror && !opt->quiet) printf("%s: ok\n", file);
  return finish(m);
}

ExitCode cmd_info(const Options *opt)
{
  bool ok;
  Model *m = open_model(opt, opt->models[0], &ok);
  if (!ok) return finish(m);
  if (MODEL_EDGE(m)) panicked(m);
  else info_print(m);
  m->arena.panic = NULL;
  return finish(m);
}
