/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. Refusals print to stderr; what counts is the answer. */
#include "ir.h"
#include "o2ctest.h"

static Options o;
static Arena a;

static bool parse(const char *line)
{
  char *argv[32] = {"onnx2c"};
  int argc = 1;
  for (const char *s = line; *s;) {
    size_t n = strcspn(s, " ");
    argv[argc++] = arena_strn(&a, s, n);
    s += n + (s[n] == ' ');
  }
  return options_parse(&o, &a, argc, argv);
}

static void test_accepted(void)
{
  CHECK(parse("net.onnx -o net.c"));
  CHECK_STR(o.command, "compile");
  CHECK_STR(o.models[0], "net.onnx");
  CHECK_STR(o.out, "net.c");
  CHECK(o.level == 2 && o.batch == 0 && o.rtol < 0 && !o.json);
  CHECK(parse("check --json net.onnx") && o.json);
  CHECK_STR(o.command, "check");
  CHECK(parse("-O3 -vv --batch=4 --dim S=128 --dim T=1 --max-dim N=9 -q "
              "net.onnx -o -"));
  CHECK(o.level == 3 && o.verbose == 2 && o.batch == 4 && o.quiet);
  CHECK(o.ndim == 2 && o.dim[0].v == 128 && o.nmax_dim == 1);
  CHECK_STR(o.dim[1].name, "T");
  CHECK(parse("net.onnx -o x.c --batch dynamic") && o.batch == 0);
  CHECK(parse("verify a b c --data d1 --data d2 --rtol 1e-3 --atol 0"));
  CHECK(o.nmodel == 3 && o.ndata == 2 && o.rtol == 1e-3 && o.atol == 0);
  CHECK(parse("bench m --runs 7 --weights object") && o.runs == 7);
  CHECK_STR(o.weights, "object");
  CHECK(parse("check -- -odd.onnx"));
  CHECK_STR(o.models[0], "-odd.onnx");
  CHECK(parse("--list-ops"));
  CHECK_STR(o.print, "list-ops");
  CHECK(parse("m -o x --dim a=b=3") && o.dim[0].v == 3);
  CHECK_STR(o.dim[0].name, "a=b");
}

static void test_refused(void)
{
  CHECK(!parse(""));
  CHECK(!parse("net.onnx"));
  CHECK(!parse("a b -o c"));
  CHECK(!parse("run a b"));
  CHECK(!parse("net.onnx -o"));
  CHECK(!parse("net.onnx -o x --frob"));
  CHECK(!parse("net.onnx -o x --json=1"));
  CHECK(!parse("net.onnx -o x --dim S"));
  CHECK(!parse("net.onnx -o x --dim =3"));
  CHECK(!parse("net.onnx -o x --dim S=-3"));
  CHECK(!parse("net.onnx -o x --max-dim S=0"));
  CHECK(!parse("net.onnx -o x --batch 0"));
  CHECK(!parse("net.onnx -o x --batch 99999999999999999999"));
  CHECK(!parse("net.onnx -o x --weights stone"));
  CHECK(!parse("net.onnx -o x --make-batch --batch-axis h0"));
  CHECK(!parse("net.onnx -o x --make-batch --batch-axis h0=one"));
  CHECK(parse("net.onnx -o x --make-batch --batch-axis h0=1"));
  CHECK(parse("net.onnx -o x --make-batch --batch-axis a=b=none"));
  CHECK(!parse("net.onnx -o x --rtol -1"));
  CHECK(!parse("net.onnx -o x --rtol 1x"));
  CHECK(!parse("net.onnx -o x -O4"));
  CHECK(!parse("net.onnx -o x --provider tpu"));
  CHECK(!parse("net.onnx -o x --package wheel"));
  CHECK(!parse("net.onnx -o x --dump-after nothing"));
  CHECK(!parse("reduce -o x"));
}

static void test_suggestions(void)
{
  CHECK_STR(option_nearest("--list-op"), "--list-ops");
  CHECK_STR(option_nearest("--wieghts"), "--weights");
  CHECK(!option_nearest("--qqqqqqqq"));
  CHECK(!option_nearest("-x"));
}

int main(void)
{
  test_accepted();
  test_refused();
  test_suggestions();
  arena_free(&a);
  return test_end();
}
