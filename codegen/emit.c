/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a model's files: all as temporaries first, then renamed, the header
 * last, so that a failure leaves nothing behind and a build system never sees
 * a new header beside an old source.
 */
#include "target.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILES 32

typedef struct {
  Model *m;
  const char *tmp[MAX_FILES], *final[MAX_FILES];
  int n;
} Output;

static bool output_error(Model *m, const char *path)
{
  diag_model(m, SEV_ERROR, EXIT_ENVIRONMENT, "can't write %s: %s", path,
             strerror(errno));
  return false;
}

/* A temporary beside `path`; NULL after a diagnostic. */
static const char *output_add(Output *o, const char *path)
{
  char *tmp = arena_printf(&o->m->arena, "%s.XXXXXX", path);
  struct stat st;
  /* A rename would put a file in the place of a folder or a device. */
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
    diag_model(o->m, SEV_ERROR, EXIT_ENVIRONMENT,
               "%s is no regular file: name a file to write", path);
    return NULL;
  }
  int fd = mkstemp(tmp);
  if (fd < 0) {
    output_error(o->m, path);
    return NULL;
  }
  mode_t mask = umask(0);
  umask(mask);
  fchmod(fd, 0666 & ~mask);
  close(fd);
  o->tmp[o->n] = tmp;
  o->final[o->n++] = path;
  return tmp;
}

static bool output_text(Output *o, const char *path, const StrBuf *b)
{
  const char *tmp = output_add(o, path);
  if (!tmp)
    return false;
  FILE *f = fopen(tmp, "wb");
  if (!f)
    return output_error(o->m, path);
  bool ok = fwrite(b->s, 1, b->n, f) == b->n;
  ok = fclose(f) == 0 && ok;
  return ok || output_error(o->m, path);
}

static bool output_finish(Output *o, bool ok)
{
  for (int i = 0; i < o->n; i++) {
    if (ok && rename(o->tmp[i], o->final[i]) != 0)
      ok = output_error(o->m, o->final[i]);
    if (!ok)
      unlink(o->tmp[i]);
  }
  return ok;
}

const char *last_component(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static const char *with_suffix(Arena *a, const char *path, const char *suffix)
{
  size_t n = strlen(path);
  if (n > 2 && !strcmp(path + n - 2, ".c"))
    n -= 2;
  return arena_printf(a, "%.*s%s", (int)n, path, suffix);
}

/* m4_run, G_run and G_CTX_SIZE, of g, are words of our templates. */
static bool prefix_taken(const char *s)
{
  return c_reserved(s) || !strcmp(s, "m4") || !strcmp(s, "G") ||
         !strcmp(s, "g");
}

/* The C prefix: --name, else the output's or the model's name. */
const char *plan_prefix(Model *m)
{
  const Options *o = m->opt;
  if (o->name)
    return o->name;
  const char *from = o->out && strcmp(o->out, "-") != 0 ? o->out : m->file;
  char *s = arena_printf(&m->arena, "%s", last_component(from));
  char *dot = strchr(s, '.');
  if (dot)
    *dot = 0;
  char *to = s; /* C keeps names with __ for itself */
  for (const char *c = s; *c; c++)
    if (isalnum((unsigned char)*c))
      *to++ = *c;
    else if (to > s && to[-1] != '_')
      *to++ = '_';
  *to = 0;
  if (!isalpha((unsigned char)*s) || prefix_taken(s))
    s = arena_printf(&m->arena, "model_%s", s);
  return s;
}

static bool prefix_ok(Model *m, const char *s)
{
  bool ok = isalpha((unsigned char)*s) && strlen(s) < 64;
  for (const char *c = s; *c; c++)
    ok = ok && (isalnum((unsigned char)*c) || *c == '_');
  if (!ok || prefix_taken(s))
    diag_model(m, SEV_ERROR, EXIT_USAGE,
               "%s can't be the prefix of C names: give another by --name "
               "(letters, digits and _, no keyword, not o2c..., not g)",
               quote(&m->arena, s));
  return ok && !prefix_taken(s);
}

/* The name stands in C and assembly text. */
static bool section_ok(Model *m)
{
  const char *s = m->opt->section;
  bool ok = !s || *s;
  for (; s && *s; s++)
    ok = ok && (isalnum((unsigned char)*s) || strchr("._,$-", *s));
  if (!ok)
    diag_model(m, SEV_ERROR, EXIT_USAGE, "--section %s: letters, digits and "
               "._,$- only", quote(&m->arena, m->opt->section));
  return ok;
}

static EmitFiles file_names(Plan *p)
{
  const Options *o = p->m->opt;
  EmitFiles f = { .source = o->out, .mode = weights_mode(p) };
  bool to_stdout = !strcmp(o->out, "-");
  const char *base = to_stdout ? p->name : o->out;
  f.header = o->header ? o->header : with_suffix(p->a, base, ".h");
  f.source_name = to_stdout ? with_suffix(p->a, p->name, ".c")
                            : last_component(o->out);
  f.header_name = last_component(f.header);
  f.device = with_suffix(p->a, base, ".cu");
  f.device_name = last_component(f.device);
  if (f.mode == WM_OBJECT)
    f.side = with_suffix(p->a, base, ".weights.o");
  else if (f.mode == WM_INCBIN)
    f.side = arena_printf(p->a, "%s.weights", o->out);
  else if (f.mode == WM_FILE)
    f.side = with_suffix(p->a, base, ".weights");
  return f;
}

/* Replaces the marker lines by text that did not go through m4. */
static void put_source(Plan *p, const EmitFiles *f, const StrBuf *m4_out,
                       StrBuf *c)
{
  static const char kernels[] = "@@O2C_KERNELS@@\n";
  static const char weights[] = "@@O2C_WEIGHTS@@\n";
  static const char end[] = "@@O2C_ROWS_END@@\n"; /* of what levels copy */
  const char *s = m4_out->s;
  const char *k = strstr(s, kernels), *w = strstr(s, weights);
  const char *e = strstr(s, end);
  sb_write(c, s, (size_t)(k - s));
  if (p->nlevel)
    levels_top(p, c);
  else
    amalgam_text(p, c);
  amalgam_custom(p, c);
  k += sizeof kernels - 1;
  sb_write(c, k, (size_t)(w - k));
  weights_text(p, f->mode, c);
  w += sizeof weights - 1;
  if (p->nlevel)
    levels_text(p, arena_strn(p->a, w, (size_t)(e - w)), c);
  else
    sb_write(c, w, (size_t)(e - w));
  sb_puts(c, e + sizeof end - 1);
}

/* The .cu file: its kernels' text did not go through m4 either. */
static bool write_device(Plan *p, Output *o, const EmitFiles *f)
{
  static const char kernels[] = "@@O2C_KERNELS@@\n";
  StrBuf plan, text, c;
  if (!p->device)
    return true;
  sb_init(&plan, p->a);
  sb_init(&text, p->a);
  sb_init(&c, p->a);
  emit_cu_plan(p, &plan, f);
  bool ok = m4_expand(p->m, &plan, &text);
  if (ok) {
    sb_write(&text, "", 1);
    const char *k = strstr(text.s, kernels);
    sb_write(&c, text.s, (size_t)(k - text.s));
    amalgam_device(p, &c);
    sb_puts(&c, k + sizeof kernels - 1);
    ok = output_text(o, f->device, &c);
  }
  sb_free(&plan);
  sb_free(&text);
  sb_free(&c);
  return ok;
}

static bool write_header(Plan *p, Output *o, const EmitFiles *f)
{
  StrBuf plan, text;
  sb_init(&plan, p->a);
  sb_init(&text, p->a);
  emit_header_plan(p, &plan, f);
  bool ok = m4_expand(p->m, &plan, &text) && output_text(o, f->header, &text);
  sb_free(&plan);
  sb_free(&text);
  return ok;
}

static bool write_source(Plan *p, Output *o, const EmitFiles *f)
{
  StrBuf plan, text, c;
  sb_init(&plan, p->a);
  sb_init(&text, p->a);
  sb_init(&c, p->a);
  emit_source_plan(p, &plan, f);
  bool ok = m4_expand(p->m, &plan, &text);
  if (ok) {
    sb_write(&text, "", 1);
    put_source(p, f, &text, &c);
    if (strcmp(f->source, "-") != 0)
      ok = output_text(o, f->source, &c);
    else
      ok = (fwrite(c.s, 1, c.n, stdout) == c.n && fflush(stdout) == 0) ||
           output_error(p->m, "standard output");
  }
  sb_free(&plan);
  sb_free(&text);
  sb_free(&c);
  return ok;
}

/* The files of runtime_min that the program needs, beside the header. */
static bool write_bundle(Plan *p, Output *o, const EmitFiles *f)
{
  const char *name, *slash = strrchr(f->header, '/');
  int n = slash ? (int)(slash - f->header) + 1 : 0;
  bool ok = true;
  if (!p->m->opt->bundle && !p->m->opt->package)
    return true;
  for (int k = 0; ok && (name = runtime_file(p, k)) != NULL; k++) {
    size_t size;
    StrBuf b;
    const char *text = embedded_file(arena_printf(p->a, "runtime_min/%s",
                                                  name), &size);
    sb_init(&b, p->a);
    sb_write(&b, text, size);
    ok = output_text(o, arena_printf(p->a, "%.*s%s", n, f->header, name), &b);
    sb_free(&b);
  }
  return ok;
}

static bool write_package(Plan *p, Output *o, const EmitFiles *f)
{
  StrBuf plan, text;
  if (!p->m->opt->package)
    return true;
  sb_init(&plan, p->a);
  sb_init(&text, p->a);
  package_plan(p, &plan, f);
  bool ok = m4_expand(p->m, &plan, &text) &&
            output_text(o, arena_printf(p->a, "%.*sCMakeLists.txt",
                                        (int)(f->source_name - f->source),
                                        f->source), &text);
  sb_free(&plan);
  sb_free(&text);
  return ok;
}

static bool simple_possible(Plan *p)
{
  if (!p->m->opt->simple)
    return true;
  if (p->device)
    diag_model(p->m, SEV_ERROR, EXIT_UNSUPPORTED, "--simple is for models "
               "without a GPU, whose memory init allocates");
  if (p->arena_static)
    return !p->device;
  diag_model(p->m, SEV_ERROR, EXIT_UNSUPPORTED,
             "--simple needs a workspace of constant size, and this model's "
             "depends on its run-time dimensions: pin them by --dim NAME=V");
  return false;
}

ExitCode codegen_emit(Model *m)
{
  Plan *p = plan_make(m);
  if (!p || !prefix_ok(m, p->name) || !section_ok(m) || !simple_possible(p))
    return diag_worst(m);
  EmitFiles f = file_names(p);
  if (!package_possible(p, &f))
    return diag_worst(m);
  Output o = { .m = m };
  bool to_stdout = !strcmp(f.source, "-");
  bool ok = true;
  if (f.side && !to_stdout) { /* first, as the source may hold its hash */
    const char *tmp = output_add(&o, f.side);
    ok = tmp && weights_write(p, f.mode, tmp);
  }
  ok = ok && write_source(p, &o, &f) && (to_stdout || write_device(p, &o, &f))
       && write_bundle(p, &o, &f) && write_package(p, &o, &f);
  if (ok && !to_stdout)
    ok = write_header(p, &o, &f);
  if (output_finish(&o, ok) && f.mode == WM_OBJECT && !to_stdout)
    diag_model(m, SEV_NOTE, EXIT_OK, "link %s with the program", f.side);
  if (ok && m->opt->report)
    report_print(p, stderr);
  return diag_worst(m);
}
