/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's files that a model comes with, and --package: how to build
 * them. Reading images takes other libraries: o2c_image.c is left to the
 * caller. The package's text is templates/package.m4. */
#include "target.h"

#include <string.h>

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
  return p->device ? device_runtime(k) : NULL;
}

static void put_sources(const Plan *p, const EmitFiles *f, StrBuf *b)
{
  sb_printf(b, "  %s\n", f->source_name);
  if (p->device) /* o2c_cuda.c has the runtime's other files in it */
    sb_printf(b, "  %s\n  o2c_cuda.c\n", f->device_name);
  if (plan_threads(p))
    sb_puts(b, "  o2c_threads.c\n");
  if (f->mode == WM_OBJECT)
    sb_printf(b, "  %s\n", last_component(f->side));
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
