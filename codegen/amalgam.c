/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the text of the kernels in use into the generated file.
 *
 * Every file comes once, after those it includes; its #include "..." lines
 * are taken out. A reference kernel comes once for each element type, between
 * the type's header, which defines T, LOAD and the like, and type_end.h.
 */
#include "../compiler/custom.h"
#include "target.h"

#include <string.h>

typedef struct {
  Model *m;
  StrBuf *c;
  Map done;
  bool device;        /* a GPU's own file of the same name comes first */
} Amalgam;

static void paste(Amalgam *g, const char *name);

/* The folder of `name`, with `file` put behind it. */
static const char *beside(Arena *a, const char *name, const char *file)
{
  const char *slash = strrchr(name, '/');
  int n = slash ? (int)(slash - name) + 1 : 0;
  return arena_printf(a, "%.*s%s", n, name, file);
}

static const char *resolve(Amalgam *g, const char *from, const char *file)
{
  Arena *a = &g->m->arena;
  if (!strncmp(file, "../", 3)) /* of kernels/ref, to the folder above */
    file += 3;
  const char *name = arena_printf(a, "runtime_min/kernels/cuda/%s", file);
  size_t n;
  if (g->device && embedded_file(name, &n))
    return name;
  name = beside(a, from, file);
  if (embedded_file(name, &n))
    return name;
  return arena_printf(&g->m->arena, "runtime_min/kernels/%s", file);
}

/* Copies a line, or pastes the file that it includes. */
static void paste_line(Amalgam *g, const char *name, const char *s, size_t n)
{
  static const char inc[] = "#include \"";
  size_t k = sizeof inc - 1;
  if (n > k && !memcmp(s, inc, k)) {
    const char *end = memchr(s + k, '"', n - k);
    const char *file = arena_strn(&g->m->arena, s + k, (size_t)(end - s) - k);
    if (strcmp(file, "o2c.h") != 0)
      paste(g, resolve(g, name, file));
    return;
  }
  if (n >= 7 && !memcmp(s, "/* SPDX", 7))
    return;
  sb_write(g->c, s, n);
  sb_puts(g->c, "\n");
}

static void paste_text(Amalgam *g, const char *name)
{
  size_t n;
  const char *s = embedded_file(name, &n);
  if (!s)
    model_panic(g->m, "kernel text '%s' is missing", name);
  while (n > 0) {
    const char *end = memchr(s, '\n', n);
    size_t len = end ? (size_t)(end - s) : n;
    paste_line(g, name, s, len);
    size_t step = end ? len + 1 : len;
    s += step;
    n -= step;
  }
}

static void paste(Amalgam *g, const char *name)
{
  void **seen = map_at(&g->done, name, strlen(name));
  if (*seen)
    return;
  *seen = g;
  paste_text(g, name);
}

/* Conversions of narrow floats come before text that names them. */
static void paste_needs(Amalgam *g, const char *name)
{
  size_t n;
  const char *s = embedded_file(name, &n);
  paste(g, "runtime_min/kernels/ref/base.h");
  if (s && (strstr(s, "_to_f") || strstr(s, "_to_bf16")))
    paste(g, "runtime_min/kernels/ref/convert.h");
}

static void paste_ref(Amalgam *g, const RefUse *r)
{
  Arena *a = &g->m->arena;
  const char *type = dtype_info(r->type)->name;
  const char *key = arena_printf(a, "%s %s", r->file, type);
  void **seen = map_at(&g->done, key, strlen(key));
  if (*seen)
    return;
  *seen = g;
  static const char dir[] = "runtime_min/kernels/ref";
  const char *head = arena_printf(a, "%s/type_%s.h", dir, type);
  const char *body = arena_printf(a, "%s/%s.h", dir, r->file);
  paste_needs(g, head);
  paste_needs(g, body);
  sb_printf(g->c, "/* Reference kernels: %s for %s. */\n", r->file, type);
  paste_text(g, head);
  paste_text(g, body);
  paste_text(g, arena_printf(a, "%s/type_end.h", dir));
}

void amalgam_file(const Plan *p, const char *file, StrBuf *c)
{
  Amalgam g = { .m = p->m, .c = c };
  map_init(&g.done, p->a);
  paste(&g, arena_printf(p->a, "runtime_min/kernels/%s", file));
}

static void paste_steps(const Plan *p, Amalgam *g, bool device)
{
  for (const Step *s = p->first; s; s = s->next)
    for (int i = 0; s->device == device && i < s->nkernel; i++)
      paste(g, arena_printf(p->a, "runtime_min/kernels/%s", s->kernel[i]));
  for (const Step *s = p->first; s; s = s->next)
    for (int i = 0; s->device == device && i < s->nref; i++)
      paste_ref(g, &s->ref[i]);
}

void amalgam_text(const Plan *p, StrBuf *c)
{
  Amalgam g = { .m = p->m, .c = c };
  map_init(&g.done, p->a);
  if (p->nlevel)
    levels_shared(&g.done);
  else
    paste(&g, "runtime_min/kernels/fpenv.h");
  paste_steps(p, &g, false);
}

void amalgam_device(const Plan *p, StrBuf *c)
{
  Amalgam g = { .m = p->m, .c = c, .device = true };
  map_init(&g.done, p->a);
  paste(&g, "runtime_min/kernels/cuda/device.h");
  paste_steps(p, &g, true);
}

void amalgam_custom(const Plan *p, StrBuf *c)
{
  Map done;
  map_init(&done, p->a);
  for (const Step *s = p->first; s; s = s->next) {
    if (!s->custom)
      continue;
    const char *path = s->custom->path;
    void **seen = map_at(&done, path, strlen(path));
    if (*seen)
      continue;
    *seen = &done;
    const char *slash = strrchr(path, '/');
    sb_printf(c, "\n/* Of the user: %s. */\n%s\n",
              c_identifier(p->a, slash ? slash + 1 : path, "file_"),
              s->custom->text);
  }
}
