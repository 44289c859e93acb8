/* SPDX-License-Identifier: Apache-2.0 */
/* ImageDecoder's hook in run, verify and bench: runtime_min/o2c_image.c over
 * those of its libraries that the C compiler finds. Each is tried by a program,
 * as only that tells about headers, link names and the compiler's machine at
 * once. What is missing is said; models then do without. */
#include "host.h"
#include <string.h>

typedef struct {
  const char *name, *format, *macro, *link[3];
} Library;

static const Library library[] = {
  {"libopenjp2", "JPEG 2000", "-DO2C_IMAGE_JPEG2000", {"-lopenjp2"}},
  {"libwebp", "WebP", "-DO2C_IMAGE_WEBP", {"-lwebpdemux", "-lwebp"}},
  {"libtiff", "compressed TIFF", "-DO2C_IMAGE_TIFF", {"-ltiff"}},
};
#define LIBRARIES COUNT(library)
#define TRY_TIMEOUT 120 /* seconds */

bool image_hook_own(const Host *h)
{
  return h->opt->cflags && strstr(h->opt->cflags, "-DO2C_IMAGE_HOOK");
}

/* The compiler's words, `more` (NULL at the end) and what a library needs. */
static char **command(Host *h, const char *const *more, const bool *use,
                      bool link)
{
  int n = 0, k = 0;
  while (h->cc[n]) n++;
  while (more[k]) k++;
  char **v = NEW(&h->a, char *, n + k + 4 * LIBRARIES + 1);
  n = 0;
  for (char **p = h->cc; *p; p++) v[n++] = *p;
  for (k = 0; more[k]; k++) v[n++] = arena_str(&h->a, more[k]);
  for (int i = 0; i < LIBRARIES; i++)
    if (use[i]) v[n++] = arena_str(&h->a, library[i].macro);
  for (int i = 0; link && i < LIBRARIES; i++)
    for (k = 0; use[i] && library[i].link[k]; k++)
      v[n++] = arena_str(&h->a, library[i].link[k]);
  return v;
}

/* Which libraries a program with o2c_image.c links to. */
static bool try_all(Host *h, bool *found)
{
  static const char text[] =
      "#include \"o2c_image.c\"\n"
      "int main(void) {\n"
      "  int64_t size[2];\n"
      "  return o2c_image((const uint8_t *)\"\", 0, 0, size, NULL) == O2C_OK;\n"
      "}\n";
  const char *source = host_file(h, "image_try.c");
  Proc p[LIBRARIES];
  if (!host_write(source, text, sizeof text - 1)) return false;
  for (int i = 0; i < LIBRARIES; i++) {
    bool use[LIBRARIES] = {false};
    const char *more[] = {"-O0", "-I", h->dir, source, "-o",
                          host_file(h, "image_try%d", i), NULL};
    use[i] = true;
    p[i] = (Proc){.argv = command(h, more, use, true),
                  .log = host_file(h, "image_try%d.log", i),
                  .timeout = TRY_TIMEOUT};
  }
  procs_run(h, p, LIBRARIES);
  for (int i = 0; i < LIBRARIES; i++) {
    found[i] = p[i].rc == 0;
    if (!found[i] && !h->stop && !h->opt->quiet)
      fprintf(stderr, "onnx2c: the C compiler has no %s: ImageDecoder reads no "
              "%s\n", library[i].name, library[i].format);
  }
  return !h->stop;
}

bool image_hook(Host *h)
{
  bool found[LIBRARIES], any = false;
  const char *none[] = {NULL};
  if (h->image_link) return h->image_link[0] != NULL;
  h->image_link = NEW(&h->a, char *, 1);
  if (!try_all(h, found)) return false;
  for (int i = 0; i < LIBRARIES; i++) any |= found[i];
  if (!any) return false;
  const char *more[] = {"-I", h->dir, "-c", host_file(h, "o2c_image.c"), "-o",
                        host_file(h, "o2c_image.o"), NULL};
  Proc p = {.argv = command(h, more, found, false),
            .log = host_file(h, "o2c_image.log"), .timeout = TRY_TIMEOUT};
  procs_run(h, &p, 1);
  if (p.rc) {
    if (!h->stop) host_print_log(p.log, "the C compiler fails:");
    return false;
  }
  char **all = command(h, none, found, true), **from = all;
  while (*from && strncmp(*from, "-l", 2) != 0) from++;
  *--from = arena_str(&h->a, host_file(h, "o2c_image.o"));
  h->image_link = from;
  return true;
}
