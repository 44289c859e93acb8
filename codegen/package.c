/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's files that a model comes with, and --package: how to build
 * them. The package's text is templates/package.m4. */
#include "target.h"

#include <string.h>

const char *runtime_cuda(int k)
{
  static const char folder[] = "runtime_min/", first[] = "runtime_min/o2c_cuda";
  for (int i = 0; embedded_name(i); i++)
    if (!strncmp(embedded_name(i), first, sizeof first - 1) && !k--)
      return embedded_name(i) + sizeof folder - 1;
  return NULL;
}

static bool has_images(const Plan *p)
{
  for (const Node *n = p->g->first; n; n = n->next)
    if (node_is(n, "ImageDecoder"))
      return true;
  return false;
}

const char *runtime_file(const Plan *p, int k)
{
  const struct { const char *name; bool wanted; } file[] = {
    {"o2c.h", true}, {"o2c_threads.h", plan_threads(p)},
    {"o2c_threads.c", plan_threads(p)}, {"o2c_image.c", has_images(p)},
  };
  for (int i = 0; i < COUNT(file); i++)
    if (file[i].wanted && !k--)
      return file[i].name;
  return p->device ? runtime_cuda(k) : NULL;
}

bool is_c_file(const char *name)
{
  size_t n = strlen(name);
  return n > 2 && !strcmp(name + n - 2, ".c");
}

static void put_sources(const Plan *p, const EmitFiles *f, StrBuf *b)
{
  const char *name;
  sb_printf(b, "  %s\n", f->source_name);
  if (p->device)
    sb_printf(b, "  %s\n", f->device_name);
  if (f->mode == WM_OBJECT)
    sb_printf(b, "  %s\n", last_component(f->side));
  /* Reading images takes other libraries: o2c_image.c is the caller's. */
  for (int k = 0; (name = runtime_file(p, k)) != NULL; k++)
    if (is_c_file(name) && strcmp(name, "o2c_image.c") != 0)
      sb_printf(b, "  %s\n", name);
}

/* A list in CMake takes no name with these in it. */
static bool name_fits(const char *s)
{
  return !strpbrk(s, " \t;()\"\\$#@");
}

bool package_possible(Plan *p, const EmitFiles *f)
{
  const char *why = NULL, *header = f->header, *source = f->source;
  size_t at = (size_t)(f->header_name - header);
  if (!p->m->opt->package)
    return true;
  if (!strcmp(source, "-"))
    why = "it stands beside the output, which standard output has nothing of";
  else if (at != (size_t)(f->source_name - source) ||
           memcmp(header, source, at) != 0)
    why = "the header must stand in the output's folder";
  else if (!name_fits(f->source_name) || !name_fits(f->header_name))
    why = "the output's name has characters that CMake does not take";
  if (why)
    diag_model(p->m, SEV_ERROR, EXIT_USAGE, "--package cmake: %s", why);
  return !why;
}

void package_plan(Plan *p, StrBuf *plan, const EmitFiles *f)
{
  StrBuf b;
  emit_names(p, plan, f);
  emit_set(plan, "DEVICE", p->device ? "1" : "");
  emit_set(plan, "PACKAGE_THREADS", plan_threads(p) ? "1" : "");
  sb_init(&b, p->a);
  put_sources(p, f, &b);
  emit_set_buf(plan, "PACKAGE_SOURCES", &b);
  sb_puts(plan, "G_PACKAGE_CMAKE");
}
