/* SPDX-License-Identifier: Apache-2.0 */
/* Names in C text; and files: the same bytes each time, all or none. */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "target.h"
#include "o2ctest.h"

static Options opt;
static char folder[] = "/tmp/o2c_emit_XXXXXX";

static Model *begin(const char *out)
{
  options_default(&opt);
  opt.out = out;
  Model *m = model_new(&opt, "dir/2nd net.onnx");
  memset(m->sha256, 'a', 64);
  return m;
}

static void build(Model *m)
{
  const Dim *dim[] = {dim_named(&m->dims, "N"), dim_int(&m->dims, 3)};
  Value *x = value_new(m->main, "x", DT_F32, 2, dim);
  Node *n = node_new(m->main, NULL, "Relu", 1, 1, NULL);
  n->version = 14;
  graph_add_input(m->main, x);
  node_set_input(n, 0, x);
  node_set_output(n, 0, value_tmp(m->main, "y", NULL));
  infer_graph(m->main);
  graph_add_output(m->main, n->out[0]);
}

static void test_prefix(void)
{
  static const char *const all[][2] = {
    {"a/net.c", "net"}, {"-", "model_2nd_net"}, {"x-y.v2.c", "x_y"},
    {"9.c", "model_9"},
  };
  for (int i = 0; i < COUNT(all); i++) {
    Model *m = begin(all[i][0]);
    CHECK_STR(plan_prefix(m), all[i][1]);
    opt.name = "given";
    CHECK_STR(plan_prefix(m), "given");
    model_free(m);
  }
}

static void test_fields(void)
{
  Model *m = begin("net.c");
  Plan p = {.m = m, .a = &m->arena};
  const char *const name[] = {"x", "x", "a/b", "a:b", "1", "", "int", "\xff"};
  const char **f = emit_fields(&p, name, COUNT(name));
  for (int i = 0; i < COUNT(name); i++) {
    if (!CHECK(c_valid(f[i]) && !c_reserved(f[i]))) printf("  %s\n", f[i]);
    for (int k = 0; k < i; k++) CHECK(strcmp(f[i], f[k]) != 0);
  }
  CHECK_STR(f[0], "x");
  CHECK_STR(f[2], "a_b");
  model_free(m);
}

static void test_safe(void)
{
  Model *m = begin("net.c");
  Plan p = {.m = m, .a = &m->arena};
  const char *s = emit_safe(&p, "a */ <% G_SET %> m4_define \\ \n ok");
  CHECK(!strpbrk(s, "*/<%>\\\n") && strstr(s, " ok"));
  CHECK(!strstr(s, "G_SET") && !strstr(s, "m4_define"));
  char *text = arena_alloc(&m->arena, 500);
  memset(text, 'x', 499);
  CHECK(strlen(emit_safe(&p, text)) <= 60);
  model_free(m);
}

static int files(void)
{
  DIR *d = opendir(folder);
  int n = 0;
  for (struct dirent *e; d && (e = readdir(d));) n += e->d_name[0] != '.';
  if (d) closedir(d);
  return n;
}

static char *contents(Model *m, const char *path, size_t *n)
{
  FILE *f = fopen(path, "rb");
  char *s = arena_alloc(&m->arena, 1 << 20);
  *n = f ? fread(s, 1, 1 << 20, f) : 0;
  if (f) fclose(f);
  return s;
}

static void test_same_bytes(void)
{
  Model *keep = begin(NULL);
  const char *out = arena_printf(&keep->arena, "%s/net.c", folder);
  const char *header = arena_printf(&keep->arena, "%s/net.h", folder);
  char *first[2] = {0};
  size_t n[2] = {0};
  for (int i = 0; i < 2; i++) {
    Model *m = begin(out);
    build(m);
    CHECK_INT(codegen_emit(m), EXIT_OK);
    model_free(m);
    CHECK_INT(files(), 2);
    for (int k = 0; k < 2; k++) {
      size_t size;
      char *s = contents(keep, k ? header : out, &size);
      CHECK(size > 500);
      if (i) CHECK(size == n[k] && !memcmp(s, first[k], size));
      first[k] = s;
      n[k] = size;
      unlink(k ? header : out);
    }
  }
  model_free(keep);
}

/* Nothing stays behind after an error, whatever the stage. */
static void test_all_or_nothing(void)
{
  Model *keep = begin(NULL);
  const char *out = arena_printf(&keep->arena, "%s/net.c", folder);
  for (int i = 0; i < 5; i++) {
    Model *m = begin(out);
    build(m);
    if (i == 0) opt.header = arena_printf(&keep->arena, "%s/no/x.h", folder);
    if (i == 1) opt.name = "while";
    if (i == 2) opt.section = "a\"b";
    if (i == 3) opt.weights = "object", opt.weights_for = "z80";
    if (i == 4) opt.header = folder; /* can't be replaced by a file */
    CHECK(codegen_emit(m) != EXIT_OK && m->nerror > 0);
    if (!CHECK_INT(files(), 0)) printf("  case %d\n", i);
    model_free(m);
  }
  model_free(keep);
}

int main(void)
{
  CHECK(mkdtemp(folder) != NULL);
  test_prefix();
  test_fields();
  test_safe();
  test_same_bytes();
  test_all_or_nothing();
  rmdir(folder);
  return test_end();
}
