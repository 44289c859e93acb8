/* SPDX-License-Identifier: Apache-2.0 */
/* The C compiler: which one, with what flags, and how a set of generated
 * models becomes one program.
 *
 * Every model is one compilation, all of them run side by side, and one link
 * joins them with the driver. A model that the compiler refuses is left out of
 * the table, so the others of its group still run. */
#include "host.h"
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CC_TIMEOUT 1800 /* seconds: networks of a hundred megabytes */

typedef struct {
  Arena *a;
  char **v;
  int n;
} Args;

static void add(Args *l, const char *s)
{
  l->v = arena_grow(l->a, l->v, l->n, sizeof *l->v);
  l->v[l->n++] = arena_str(l->a, s);
  l->v = arena_grow(l->a, l->v, l->n, sizeof *l->v);
  l->v[l->n] = NULL;
}

/* Blanks separate; there is no quoting, as in make's CFLAGS without a shell. */
static void add_words(Args *l, const char *s)
{
  while (s && *s) {
    size_t n = strcspn(s, " \t\n");
    if (n) add(l, arena_strn(l->a, s, n));
    s += n + (s[n] != 0);
  }
}

static bool on_path(const char *name)
{
  const char *p = getenv("PATH");
  char file[4096];
  while (p && *p) {
    size_t n = strcspn(p, ":");
    snprintf(file, sizeof file, "%.*s/%s", (int)n, p, name);
    if (!access(file, X_OK)) return true;
    p += n + (p[n] != 0);
  }
  return false;
}

/* "aarch64" of "/usr/bin/aarch64-linux-gnu-gcc-12"; NULL: for this machine. */
static const char *cross_arch(Arena *a, const char *cc)
{
  const char *slash = strrchr(cc, '/');
  const char *name = slash ? slash + 1 : cc;
  const char *dash = strstr(name, "-linux-");
  struct utsname u;
  if (!dash || uname(&u)) return NULL;
  const char *arch = arena_strn(a, name, (size_t)(dash - name));
  return strcmp(arch, u.machine) ? arch : NULL;
}

static bool has_cpu_flag(const char *flags)
{
  return flags && (strstr(flags, "-march=") || strstr(flags, "-mcpu="));
}

static void add_target(Args *l, const Options *opt, const char *cross)
{
  if (!has_cpu_flag(opt->cflags) && levels_none(opt->target) && !cross)
    add(l, "-march=native");
}

bool cc_choose(Host *h)
{
  Args l = {&h->a, NULL, 0}, r = {&h->a, NULL, 0};
  const char *env = getenv("CC");
  if (h->opt->cc) add_words(&l, h->opt->cc);
  else if (env && *env) add_words(&l, env);
  else add(&l, on_path("clang") ? "clang" : "cc");
  if (!l.n || (!strchr(l.v[0], '/') && !on_path(l.v[0]))) {
    fprintf(stderr, "onnx2c: there is no C compiler '%s'; install one, or "
            "name it by --cc or $CC\n", l.n ? l.v[0] : "");
    return false;
  }
  const char *cross = h->cross = cross_arch(&h->a, l.v[0]);
  add(&l, "-std=c99");
  add(&l, "-O3");
  add_target(&l, h->opt, cross);
  if (cross) add(&l, "-static");
  add(&l, arena_printf(&h->a, "-DO2C_WEIGHTS_DIR=\"%s\"", h->dir));
  add_words(&l, h->opt->cflags);
  env = getenv("O2C_RUNNER");
  if (env && *env) add_words(&r, env);
  else if (cross) add(&r, arena_printf(&h->a, "qemu-%s", cross));
  h->cc = l.v;
  h->runner = r.v;
  return true;
}

static Proc compile_proc(Host *h, const char *stem, const char *flag)
{
  Args l = {&h->a, NULL, 0};
  for (char **p = h->cc; *p; p++) add(&l, *p);
  if (flag) add(&l, flag);
  add(&l, "-I");
  add(&l, h->dir);
  add(&l, "-c");
  add(&l, host_file(h, "%s.c", stem));
  add(&l, "-o");
  add(&l, host_file(h, "%s.o", stem));
  return (Proc){.argv = l.v, .log = host_file(h, "%s.log", stem),
                .timeout = CC_TIMEOUT};
}

/* $NVCC, else nvcc; flags of its own in the same variable. */
static char **nvcc(Host *h)
{
  Args l = {&h->a, NULL, 0};
  const char *env = getenv("NVCC");
  if (h->nvcc) return h->nvcc;
  add_words(&l, env && *env ? env : "nvcc");
  add(&l, "-std=c++17");
  add(&l, "-O3");
  return h->nvcc = l.v;
}

static Proc device_proc(Host *h, const char *file, const char *stem)
{
  Args l = {&h->a, NULL, 0};
  for (char **p = nvcc(h); *p; p++) add(&l, *p);
  add(&l, "-I");
  add(&l, h->dir);
  add(&l, "-c");
  add(&l, host_file(h, "%s", file));
  add(&l, "-o");
  add(&l, host_file(h, "%s.cu.o", stem));
  return (Proc){.argv = l.v, .log = host_file(h, "%s.cu.log", stem),
                .timeout = CC_TIMEOUT};
}

static bool write_embedded(Host *h, const char *name)
{
  size_t n = 0;
  const char *text =
      embedded_file(arena_printf(&h->a, "runtime_min/%s", name), &n);
  return text && host_write(host_file(h, "%s", name), text, n);
}

static bool write_table(Host *h, const Unit *u, int n, const char *stem)
{
  StrBuf b;
  int count = 0;
  sb_init(&b, &h->a);
  sb_puts(&b, "#include \"o2c.h\"\n");
  for (int i = 0; i < n; i++)
    if (!u[i].broken)
      sb_printf(&b, "const o2c_model *%s_model(void);\n", u[i].prefix);
  sb_puts(&b, "extern const o2c_model *(*const o2c_driver_models[])(void);\n"
              "extern const int o2c_driver_count;\n"
              "const o2c_model *(*const o2c_driver_models[])(void) = {\n");
  for (int i = 0; i < n; i++)
    if (!u[i].broken) {
      sb_printf(&b, "  %s_model,\n", u[i].prefix);
      count++;
    }
  sb_printf(&b, "  0};\nconst int o2c_driver_count = %d;\n", count);
  bool ok = host_write(host_file(h, "%s.c", stem), b.s, b.n);
  sb_free(&b);
  return ok;
}

void host_print_log(const char *path, const char *what)
{
  Arena a = {0};
  size_t n = 0;
  char *s = host_read(&a, path, &n);
  if (n > 4000) s[4000] = 0;
  fprintf(stderr, "onnx2c: %s\n%s", what, s ? s : "");
  arena_free(&a);
}

/* What a model for a GPU is linked with. */
static const char *const libraries[] = {"-lcudnn", "-lcublasLt"};

static const char *link_program(Host *h, const Unit *u, int n,
                                const char *table)
{
  const char *program = host_file(h, "%s.bin", table);
  Args l = {&h->a, NULL, 0};
  bool device = false;
  for (int i = 0; i < n; i++) device |= u[i].device && !u[i].broken;
  for (char **p = device ? nvcc(h) : h->cc; *p; p++) add(&l, *p);
  add(&l, "-o");
  add(&l, program);
  if (device) add(&l, host_file(h, "o2c_cuda.cu.o"));
  add(&l, host_file(h, "o2c_driver.o"));
  add(&l, host_file(h, "o2c_threads.o"));
  add(&l, host_file(h, "%s.o", table));
  bool image = false;
  for (int i = 0; i < n; i++) {
    if (u[i].broken) continue;
    image |= u[i].image;
    add(&l, host_file(h, "%s.o", u[i].prefix));
    if (u[i].device) add(&l, host_file(h, "%s.cu.o", u[i].prefix));
    if (u[i].object) add(&l, u[i].object);
  }
  for (int i = 0; device && i < COUNT(libraries); i++) add(&l, libraries[i]);
  for (char **p = image ? h->image_link : NULL; p && *p; p++) add(&l, *p);
  add(&l, "-lm");
  add(&l, device ? "-lpthread" : "-pthread");
  Proc p = {.argv = l.v, .log = host_file(h, "%s.log", table),
            .timeout = CC_TIMEOUT};
  procs_run(h, &p, 1);
  if (!p.rc) return program;
  if (!h->stop) host_print_log(p.log, "the program does not link:");
  return NULL;
}

/* Files of the driver, once; its compilation joins the first group's. */
static bool prepare_driver(Host *h, Proc *p, int *n)
{
  if (h->have_driver) return true;
  static const char *const file[] = {
    "o2c.h", "o2c_driver.c", "o2c_driver_io.h", "o2c_tap.h",
    "o2c_threads.h", "o2c_threads.c", "o2c_image.c",
  };
  for (int i = 0; i < COUNT(file); i++)
    if (!write_embedded(h, file[i])) return false;
  p[(*n)++] = compile_proc(h, "o2c_driver", NULL);
  p[(*n)++] = compile_proc(h, "o2c_threads", NULL);
  return true;
}

static bool wants_hook(Host *h, const Unit *u)
{
  return u->image && !u->broken && !image_hook_own(h) && image_hook(h);
}

/* The .cu files, and once the runtime's, each a further compilation. */
static bool add_device(Host *h, const Unit *u, int n, Proc *p, int *count)
{
  bool some = false;
  for (int i = 0; i < n; i++) {
    if (!u[i].device) continue;
    some = true;
    p[(*count)++] = device_proc(h, arena_printf(&h->a, "%s.cu", u[i].prefix),
                                u[i].prefix);
  }
  if (!some || h->have_device) return true;
  for (int i = 0; device_runtime(i); i++)
    if (!write_embedded(h, device_runtime(i))) return false;
  p[(*count)++] = device_proc(h, "o2c_cuda.c", "o2c_cuda");
  h->have_device = true;
  return true;
}

const char *cc_build(Host *h, Unit *u, int n, int serial)
{
  Proc *p = NEW(&h->a, Proc, 2 * n + 4);
  const char *table = arena_printf(&h->a, "program%d", serial);
  int count = n;
  if (!prepare_driver(h, p, &count)) return NULL;
  for (int i = 0; i < n; i++)
    p[i] = compile_proc(h, u[i].prefix, wants_hook(h, &u[i]) ?
                        "-DO2C_IMAGE_HOOK=o2c_image" : NULL);
  int own = count;
  if (!add_device(h, u, n, p, &count)) return NULL;
  procs_run(h, p, count);
  int models = 0; /* with a .cu file: their errors are their own */
  for (int i = 0; i < n; i++) models += u[i].device;
  for (int i = n; i < count; i++)
    if (p[i].rc && (i < own || i >= own + models)) {
      if (!h->stop) host_print_log(p[i].log, "the C compiler fails:");
      return NULL;
    }
  h->have_driver = true;
  for (int i = 0, k = own; i < n; i++) {
    const Proc *bad = u[i].device && !p[i].rc ? &p[k] : &p[i];
    k += u[i].device;
    u[i].broken = bad->rc != 0;
    u[i].log = bad->log;
  }
  if (!write_table(h, u, n, table)) return NULL;
  Proc t = compile_proc(h, table, NULL);
  procs_run(h, &t, 1);
  if (t.rc) return NULL;
  return link_program(h, u, n, table);
}
