/* SPDX-License-Identifier: Apache-2.0 */
/* onnx2c run: compile a model, run it on one data set, save or show what comes
 * out. The data set is --data's folder, else the first beside the model, else
 * seeded values. */
#include "host.h"
#include <string.h>

#define SHOWN 8 /* elements of an output on the terminal */

static void show_element(Arena *a, const Tensor *t, int64_t i)
{
  DtypeClass c = dtype_info(t->dtype)->cls;
  if (c == DC_STR) {
    const Str *s = (const Str *)t->data + i;
    printf(" %s", quote(a, arena_strn(a, s->p, s->n)));
  } else if (c == DC_COMPLEX) {
    Tensor parts = *t;
    parts.dtype = t->dtype == DT_C64 ? DT_F32 : DT_F64;
    printf(" %g%+gi", tensor_f64(&parts, 2 * i), tensor_f64(&parts, 2 * i + 1));
  } else if (c == DC_FLOAT) {
    printf(" %.6g", tensor_f64(t, i));
  } else {
    printf(" %lld", (long long)tensor_i64(t, i));
  }
}

static void show_map(Arena *a, const char *name, const Tensor *t)
{
  printf("%s map of %lld:", name, (long long)t->item[0]->n);
  for (int64_t i = 0; i < t->item[0]->n && i < SHOWN; i++) {
    show_element(a, t->item[0], i);
    printf(":");
    show_element(a, t->item[1], i);
  }
  puts(t->item[0]->n > SHOWN ? " ..." : "");
}

/* What a sequence or an optional value holds goes on lines of its own. */
static void show_output(Arena *a, const char *name, const Tensor *t)
{
  if (t->kind == VK_MAP) {
    show_map(a, name, t);
    return;
  }
  if (t->kind != VK_TENSOR) {
    printf("%s %s of %lld\n", name,
           t->kind == VK_SEQ ? "sequence" : "optional", (long long)t->n);
    for (int64_t i = 0; i < t->n; i++)
      show_output(a, arena_printf(a, "%s[%lld]", name, (long long)i),
                  t->item[i]);
    return;
  }
  printf("%s %s[", name, dtype_info(t->dtype)->onnx);
  for (int i = 0; i < t->rank; i++)
    printf(i ? ",%lld" : "%lld", (long long)t->dim[i]);
  printf("]:");
  for (int64_t i = 0; i < t->n && i < SHOWN; i++) show_element(a, t, i);
  puts(t->n > SHOWN ? " ..." : "");
}

static DataSet *run_data(Host *h, Case *c)
{
  int n = 0;
  DataSet *s = data_load(&c->ports, h->opt, &n);
  if (n) return s;
  if (!h->opt->quiet)
    fprintf(stderr, "onnx2c: no data beside the model: seeded inputs\n");
  return data_seeded(&c->ports, NULL, 0, 1);
}

static ExitCode run_case(Host *h, Arena *a, Case *c)
{
  DataSet *s = run_data(h, c);
  ExitCode code = diag_worst(c->ports.m);
  if (code != EXIT_OK) {
    diag_print(c->ports.m, stderr, SEV_ERROR);
    return code;
  }
  const char *program = cc_build(h, &c->unit, 1, 0);
  if (c->unit.broken && c->unit.log && !h->stop)
    host_print_log(c->unit.log, "the C compiler refuses the generated code:");
  if (c->unit.broken) return EXIT_VERIFY;
  Job job = {0, 0, s->in, c->ports.nin, false};
  Result *r = program ? jobs_run(h, a, program, &job, 1) : NULL;
  if (!r) return EXIT_ENVIRONMENT;
  if (r->kind != JR_DONE) {
    fprintf(stderr, "onnx2c: %s: %s\n%s", c->name, result_text(a, r), r->log);
    return EXIT_VERIFY;
  }
  if (h->opt->save)
    return case_save(h->opt->save, &c->ports, r) ? EXIT_OK : EXIT_ENVIRONMENT;
  for (int i = 0; i < r->nout && i < c->ports.nout; i++)
    if (r->out[i]) show_output(a, quote(a, c->ports.out[i]->name), r->out[i]);
  return EXIT_OK;
}

ExitCode cmd_run(const Options *opt)
{
  Host h;
  if (!host_open(&h, opt)) return EXIT_ENVIRONMENT;
  if (setjmp(h.panic)) {
    fprintf(stderr, "onnx2c: out of memory\n");
    return host_close(&h, EXIT_ENVIRONMENT);
  }
  if (opt->nmodel != 1 || opt->ndata > 1) {
    fprintf(stderr, "onnx2c: run takes one model and one --data\n");
    return host_close(&h, EXIT_USAGE);
  }
  if (!cc_choose(&h)) return host_close(&h, EXIT_ENVIRONMENT);
  int n = 0;
  const char **path = cases_find(&h, &n);
  if (n != 1) {
    fprintf(stderr, "onnx2c: run takes one model, not %d\n", n);
    return host_close(&h, EXIT_USAGE);
  }
  Case *c = NEW(&h.a, Case, 1);
  c->path = path[0];
  case_open(&h, &h.a, c, 0, true);
  ExitCode code = c->code == EXIT_OK ? run_case(&h, &h.a, c) : c->code;
  case_close(c);
  return host_close(&h, code);
}
