/* SPDX-License-Identifier: Apache-2.0 */
/* -o NAME.o, NAME.a, NAME.so, NAME.bc: on through the C compiler, with weights
 * linked in. LLVM bitcode (clang only) holds its weights as literals.
 *
 * The C text, its header and the weights are made in a temporary folder, and
 * what the caller asked for is copied beside the output at the end: each file
 * as a temporary, then renamed, the header last. Unlike run and bench, which
 * compile for the machine that they run on, this compiles for any machine of
 * the compiler's kind unless --target or --cflags say otherwise. */
#include "host.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUILD_TIMEOUT 1800 /* seconds */

typedef enum {
  BUILD_NONE, BUILD_OBJECT, BUILD_ARCHIVE, BUILD_SHARED, BUILD_BITCODE
} Kind;
typedef struct {
  Host *h;
  Options opt;             /* of the compilation in the folder */
  Kind kind;
  const char *stem;        /* "net" of "lib/net.a" */
  char **argv;
  int narg;
} Build;

static Kind kind_of(const char *out)
{
  static const struct { const char *suffix; Kind kind; } all[] = {
    {".o", BUILD_OBJECT}, {".a", BUILD_ARCHIVE}, {".so", BUILD_SHARED},
    {".bc", BUILD_BITCODE},
  };
  size_t n = out ? strlen(out) : 0;
  for (int i = 0; i < COUNT(all); i++) {
    size_t k = strlen(all[i].suffix);
    if (n > k && !strcmp(out + n - k, all[i].suffix)) return all[i].kind;
  }
  return BUILD_NONE;
}

bool build_wanted(const Options *opt)
{
  return kind_of(opt->out) != BUILD_NONE;
}

/* `out` without its suffix, and another one. */
static const char *beside(Arena *a, const char *out, const char *suffix)
{
  return arena_printf(a, "%.*s%s", (int)(strrchr(out, '.') - out), out,
                      suffix);
}

static const char *last_part(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void arg(Build *b, const char *s)
{
  Arena *a = &b->h->a;
  b->argv = arena_grow(a, b->argv, b->narg, sizeof *b->argv);
  b->argv[b->narg++] = arena_str(a, s);
  b->argv = arena_grow(a, b->argv, b->narg, sizeof *b->argv);
  b->argv[b->narg] = NULL;
}

static void arg_compiler(Build *b)
{
  b->argv = NULL;
  b->narg = 0;
  for (char **p = b->h->cc; *p; p++) arg(b, *p);
}

/* Runs what the arguments say; its output is shown if it fails. */
static bool call(Build *b, const char *what)
{
  Host *h = b->h;
  Proc p = {.argv = b->argv, .log = host_file(h, "build.log"),
            .timeout = BUILD_TIMEOUT};
  procs_run(h, &p, 1);
  if (!p.rc) return true;
  if (!h->stop) host_print_log(p.log, what);
  return false;
}

/* "aarch64-linux-gnu-ar" beside "aarch64-linux-gnu-gcc", else "ar". */
static const char *archiver(Build *b)
{
  const char *cc = b->h->cc[0], *dash = strrchr(cc, '-');
  const char *env = getenv("AR");
  if (env && *env) return env;
  if (!dash || !strstr(dash, "gcc")) return "ar";
  return arena_printf(&b->h->a, "%.*s-ar", (int)(dash - cc), cc);
}

static bool compile_c(Build *b, const char *object)
{
  Host *h = b->h;
  arg_compiler(b);
  if (b->kind == BUILD_SHARED) arg(b, "-fPIC");
  if (b->kind == BUILD_BITCODE) arg(b, "-emit-llvm");
  arg(b, "-I");
  arg(b, h->dir);
  arg(b, "-c");
  arg(b, b->opt.out);
  arg(b, "-o");
  arg(b, object);
  size_t n;
  const char *text = embedded_file("runtime_min/o2c.h", &n);
  return host_write(host_file(h, "o2c.h"), text, n) &&
         call(b, "the C compiler fails:");
}

static bool join(Build *b, const char *object, const char *result)
{
  const char *weights = host_file(b->h, "%s.weights.o", b->stem);
  bool two = access(weights, R_OK) == 0;
  if (b->kind == BUILD_BITCODE) return !rename(object, result);
  if (b->kind == BUILD_ARCHIVE) {
    b->argv = NULL;
    b->narg = 0;
    arg(b, archiver(b));
    arg(b, "rcs");
    arg(b, result);
  } else {
    arg_compiler(b);
    arg(b, b->kind == BUILD_SHARED ? "-shared" : "-r");
    if (b->kind == BUILD_OBJECT) arg(b, "-nostdlib");
    arg(b, "-o");
    arg(b, result);
  }
  arg(b, object);
  if (two) arg(b, weights);
  if (b->kind == BUILD_SHARED) arg(b, "-lm");
  return call(b, "the object files do not link:");
}

/* To `to` as a temporary beside it, renamed at once. */
static bool deliver(Build *b, const char *from, const char *to)
{
  size_t n = 0;
  Arena a = {.panic = &b->h->panic};
  char *text = host_read(&a, from, &n);
  char *tmp = arena_printf(&a, "%s.XXXXXX", to);
  int fd = text ? mkstemp(tmp) : -1;
  bool ok = fd >= 0;
  if (ok) {
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, (b->kind == BUILD_SHARED ? 0777 : 0666) & ~mask);
    close(fd);
    ok = host_write(tmp, text, n) && !rename(tmp, to);
    if (!ok) unlink(tmp);
  }
  if (!ok)
    fprintf(stderr, "onnx2c: can't write %s: %s\n", to, strerror(errno));
  arena_free(&a);
  return ok;
}

static bool deliver_all(Build *b, const Options *opt, const char *result)
{
  Host *h = b->h;
  const char *header = opt->header ? opt->header
                                   : beside(&h->a, opt->out, ".h");
  const char *weights = host_file(h, "%s.weights", b->stem);
  const char *slash = strrchr(header, '/');
  if (!deliver(b, result, opt->out)) return false;
  b->kind = BUILD_NONE; /* what follows is no program */
  if (!access(weights, R_OK) &&
      !deliver(b, weights, beside(&h->a, opt->out, ".weights")))
    return false;
  if (opt->bundle &&
      !deliver(b, host_file(h, "o2c.h"),
               arena_printf(&h->a, "%.*so2c.h",
                            slash ? (int)(slash - header) + 1 : 0, header)))
    return false;
  return deliver(b, b->opt.header, header);
}

/* An object of weights must be of the compiler's machine. */
static const char *weights_machine(const Host *h)
{
  if (h->opt->weights_for || h->cross)
    return h->opt->weights_for ? h->opt->weights_for : h->cross;
  return !strncmp(last_part(h->cc[0]), "arm-", 4) ? "arm" : NULL;
}

static ExitCode build(Host *h, const Options *opt, const char *path)
{
  const char *base = last_part(opt->out);
  Build b = {.h = h, .opt = *opt, .kind = kind_of(opt->out)};
  b.stem = arena_strn(&h->a, base, (size_t)(strrchr(base, '.') - base));
  b.opt.out = host_file(h, "%s.c", b.stem);
  b.opt.header = host_file(h, "%s", last_part(opt->header ? opt->header :
                           beside(&h->a, opt->out, ".h")));
  b.opt.weights_for = weights_machine(h);
  b.opt.bundle = false;
  if (b.kind == BUILD_BITCODE && !strstr(last_part(h->cc[0]), "clang")) {
    fprintf(stderr, "onnx2c: %s makes no LLVM bitcode: use --cc clang\n",
            h->cc[0]);
    return EXIT_ENVIRONMENT;
  }
  if (b.kind == BUILD_BITCODE && !opt->weights) b.opt.weights = "string";
  ExitCode code = compile_file(&b.opt, path);
  if (code != EXIT_OK) return code;
  const char *object = host_file(h, "%s.o", b.stem);
  const char *result = host_file(h, "result");
  bool ok = compile_c(&b, object) && join(&b, object, result) &&
            deliver_all(&b, opt, result);
  return ok ? EXIT_OK : EXIT_ENVIRONMENT;
}

ExitCode cmd_build(const Options *opt, const char *path)
{
  Host h;
  Options o = *opt;
  if (provider_has(opt, "cuda") || opt->package) {
    fprintf(stderr, "onnx2c: -o %s: %s: name a .c file, and build what is "
            "written by %s\n", opt->out, opt->package
            ? "--package is of sources" : "a model for a GPU is built by nvcc",
            opt->package ? "CMake" : "nvcc, or by --package cmake");
    return EXIT_USAGE;
  }
  if (!o.target) o.target = "any"; /* no -march=native */
  if (!host_open(&h, &o)) return EXIT_ENVIRONMENT;
  if (setjmp(h.panic)) {
    fprintf(stderr, "onnx2c: out of memory\n");
    return host_close(&h, EXIT_ENVIRONMENT);
  }
  ExitCode code = EXIT_ENVIRONMENT;
  if (cc_choose(&h)) code = build(&h, opt, path);
  return host_close(&h, code);
}
