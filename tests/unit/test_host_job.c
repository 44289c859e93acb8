/* SPDX-License-Identifier: Apache-2.0 */
/* The driver and its files, with models written by hand: one that computes,
 * and others that do all that a wrong model can do. */
#include "host.h"
#include <stdlib.h>
#include "o2ctest.h"

/* y[N,2] = 2 x[N,2]. Before that, what WRONG says. */
static const char model_text[] =
  "#include \"o2c.h\"\n"
  "#define _STR(x) #x\n"
  "#define STR(x) _STR(x)\n"
  "static size_t work(const int64_t *d, unsigned w)\n"
  "{ return w && d[0] >= 0 ? 64u * (size_t)d[0] : 0; }\n"
  "static o2c_status init(void *m, size_t n, const o2c_config *c, void **x)\n"
  "{ if (n < 16 || !c->workspace) return O2C_E_ARG;\n"
  "  *(void **)m = c->workspace; *x = m; return O2C_OK; }\n"
  "static o2c_status run(void *c, const int64_t *d, const void *const *in,\n"
  "                      void *const *out)\n"
  "{ const float *x = (const float *)in[0]; float *y = (float *)out[0];\n"
  "  volatile char *w = *(volatile char **)c; int64_t i;\n"
  "  w[0] = 1; WRONG;\n"
  "  for (i = 0; i < 2 * d[0]; i++) y[i] = 2 * x[i];\n"
  "  return O2C_OK; }\n"
  "static o2c_status wait_(void *c) { (void)c; return O2C_OK; }\n"
  "static void need(const void *c, int64_t *d) { (void)c; (void)d; }\n"
  "static void deinit(void *c) { (void)c; }\n"
  "static void shape(const int64_t *d, uint32_t k, int64_t *s)\n"
  "{ (void)k; s[0] = d[0]; s[1] = 2; }\n"
  "static const o2c_dim dim[2] = {{0, 0}, {O2C_SYM_NONE, 2}};\n"
  "static const o2c_port x = {\"x\", \"x\", O2C_F32, 4, 2, 0, dim};\n"
  "static const o2c_port y = {\"y\", \"y\", O2C_F32, 4, 2, 0, dim};\n"
  "static const char *const names[1] = {\"N\"};\n"
  "static const o2c_model m = {O2C_ABI_MAJOR, O2C_ABI_MINOR, \"m\", \"f\",\n"
  "  \"0\", 1, 1, 1, 0, &x, &y, names, 0, 16, 16, 64, 0, work, init, run,\n"
  "  wait_, need, deinit, shape};\n"
  "const o2c_model *NAME(void);\n"
  "const o2c_model *NAME(void) { return &m; }\n";

static const char *const wrong[] = {
  "", "return O2C_E_DATA", "*(volatile int *)0 = 1", "w[64 * d[0]] = 1",
  "((volatile float *)y)[2 * d[0]] = 1", "break_the_build"};

static void write_model(Host *h, Unit *u, int k)
{
  StrBuf b;
  sb_init(&b, &h->a);
  u->prefix = arena_printf(&h->a, "m%d", k);
  sb_printf(&b, "#define WRONG %s\n#define NAME %s_model\n",
            *wrong[k] ? wrong[k] : "(void)0", u->prefix);
  sb_write(&b, model_text, sizeof model_text - 1);
  CHECK(host_write(host_file(h, "%s.c", u->prefix), b.s, b.n));
  sb_free(&b);
}

static void check_good(const Result *r, const float *x)
{
  CHECK_INT(r->kind, JR_DONE);
  CHECK_INT(r->nout, 1);
  CHECK_INT(r->workspace, 192);
  CHECK_INT(r->ndim, 1);
  if (r->nout != 1 || !r->out[0] || r->ndim != 1) return;
  CHECK_INT(r->dim[0], 3);
  CHECK_INT(r->out[0]->dtype, DT_F32);
  CHECK_INT(r->out[0]->dim[0], 3);
  CHECK_INT(r->out[0]->n, 6);
  for (int i = 0; i < 6; i++)
    CHECK(((const float *)r->out[0]->data)[i] == 2 * x[i]);
}

static void check_results(const Result *r, const float *x)
{
  check_good(&r[0], x);
  CHECK_INT(r[1].kind, JR_STATUS);
  CHECK_INT(r[1].detail, -8);
  CHECK_INT(r[2].kind, JR_KILLED);
  CHECK_INT(r[2].detail, SIGSEGV);
  CHECK_INT(r[3].kind, JR_OVERRUN);
  CHECK_INT(r[4].kind, JR_OVERRUN);
  CHECK_INT(r[5].kind, JR_MISFIT);
  CHECK(strstr(r[5].log, "the type differs") != NULL);
  CHECK_INT(r[6].kind, JR_DONE);
  CHECK_INT(r[6].nps, 7);
  check_good(&r[7], x);
}

static void test_driver(Host *h)
{
  static const float x[6] = {1, 2, 3, 4, 5, 6};
  Tensor good = {.dtype = DT_F32, .rank = 2, .dim = {3, 2}, .n = 6, .data = x};
  Tensor bad = good;
  bad.dtype = DT_I32;
  const Tensor *in[1] = {&good}, *bad_in[1] = {&bad};
  Unit u[COUNT(wrong)] = {{0}};
  for (int k = 0; k < COUNT(wrong); k++) write_model(h, &u[k], k);
  const char *program = cc_build(h, u, COUNT(wrong), 0);
  CHECK(program != NULL);
  for (int k = 0; k < COUNT(wrong); k++)
    CHECK_INT(u[k].broken, k == COUNT(wrong) - 1);
  if (!program) return;
  const Job job[8] = {
    {0, 0, in, 1, false}, {1, 0, in, 1, false}, {2, 0, in, 1, false},
    {3, 0, in, 1, false}, {4, 0, in, 1, false}, {0, 0, bad_in, 1, false},
    {0, 7, in, 1, false}, {0, 0, in, 1, false}};
  Result *r = jobs_run(h, &h->a, program, job, COUNT(job));
  CHECK(r != NULL);
  if (r) check_results(r, x);
}

int main(void)
{
  Options opt = {.cflags = "-O1", .cc = "cc"};
  Host h;
  if (!host_open(&h, &opt)) return 1;
  if (setjmp(h.panic)) return 1;
  char *dir = strdup(h.dir);
  if (CHECK(cc_choose(&h))) test_driver(&h);
  CHECK_INT(host_close(&h, EXIT_OK), EXIT_OK);
  FILE *f = fopen(dir, "r");
  CHECK(f == NULL);
  free(dir);
  return test_end();
}
