/* SPDX-License-Identifier: Apache-2.0 */
/* Files, mapped read-only, and tensors whose elements stand in another file.
 *
 * A model must not read what its user didn't give with it: the file lies in
 * the model's folder or below it, also after symbolic links are followed. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "import.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK: a FIFO in the place of a file must not make us wait. */
static const char *map_fd(int fd, FileMap *f)
{
  struct stat st;
  if (fstat(fd, &st)) return strerror(errno);
  if (S_ISDIR(st.st_mode)) return "it is a folder";
  if (!S_ISREG(st.st_mode)) return "it is not a regular file";
  f->n = (size_t)st.st_size;
  f->device = (uint64_t)st.st_dev;
  f->inode = (uint64_t)st.st_ino;
  if (!f->n) return NULL;
  f->p = mmap(NULL, f->n, PROT_READ, MAP_PRIVATE, fd, 0);
  return f->p == MAP_FAILED ? strerror(errno) : NULL;
}

const FileMap *file_map(Import *im, const char *path, const char **why)
{
  Arena *a = &im->m->arena;
  for (const FileMap *f = im->maps; f; f = f->next)
    if (!strcmp(f->path, path)) return f;
  FileMap *f = NEW(a, FileMap, 1);
  f->path = arena_str(a, path);
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    *why = arena_str(a, strerror(errno));
    return NULL;
  }
  *why = map_fd(fd, f);
  close(fd);
  if (*why) return NULL;
  f->next = im->maps;
  im->maps = f;
  return f;
}

void import_free(Model *m)
{
  Import *im = m->import;
  for (const FileMap *f = im ? im->maps : NULL; f; f = f->next)
    if (f->n) munmap(f->p, f->n);
  if (!im) return;
  im->maps = NULL;
  arena_free(&im->tmp);
}

/* The reason to refuse a location as it is written, or NULL. */
static const char *bad_location(const char *s)
{
  if (!*s) return "is empty";
  if (*s == '/' || *s == '\\' || strchr(s, ':')) return "is absolute";
  for (const char *p = s; *p;) {
    size_t n = strcspn(p, "/\\");
    if (n == 2 && p[0] == '.' && p[1] == '.') return "leaves the folder";
    p += n + (p[n] != 0);
  }
  return NULL;
}

/* The real path of `location` beside the model; NULL: `why` says it. */
static const char *confine(Import *im, const char *location, const char **why)
{
  Arena *a = &im->tmp;
  const char *model = im->m->path ? im->m->path : "";
  const char *slash = strrchr(model, '/');
  const char *folder = !slash ? "." : slash == model ? "/"
    : arena_strn(a, model, (size_t)(slash - model));
  *why = bad_location(location);
  if (*why) return NULL;
  const char *path = arena_printf(a, "%s/%s", folder, location);
  char *root = realpath(folder, NULL), *real = realpath(path, NULL);
  if (!root || !real) {
    *why = errno == ENOENT ? "is not there" : arena_str(a, strerror(errno));
  } else {
    size_t n = strlen(root);
    if (n == 1) n = 0; /* the root folder already ends in a slash */
    if (strncmp(real, root, n) || real[n] != '/')
      *why = "leaves the folder through a symbolic link";
  }
  const char *kept = *why ? NULL : arena_str(a, real);
  free(root);
  free(real);
  return kept;
}

static bool parse_size(const char *s, uint64_t *v)
{
  *v = 0;
  for (const char *p = s; *p; p++) {
    if (*p < '0' || *p > '9' || *v > (UINT64_MAX - 9) / 10) return false;
    *v = *v * 10 + (uint64_t)(*p - '0');
  }
  return *s != 0;
}

typedef struct { const char *location; uint64_t offset, length; bool whole; }
  External;

static bool read_entries(const Place *at, const Onnx__TensorProto *tp,
                         External *x)
{
  *x = (External){.whole = true};
  for (size_t i = 0; i < tp->n_external_data; i++) {
    const char *key = tp->external_data[i]->key;
    const char *value = tp->external_data[i]->value;
    bool ok = true;
    if (!key || !value) continue;
    if (!strcmp(key, "location")) x->location = value;
    if (!strcmp(key, "offset")) ok = parse_size(value, &x->offset);
    if (!strcmp(key, "length")) {
      ok = parse_size(value, &x->length);
      x->whole = false;
    }
    if (ok) continue;
    place_fail(at, EXIT_MODEL, "has external data with %s %s, which is no "
               "size; the file is damaged", key, quote(&at->im->tmp, value));
    return false;
  }
  if (x->location) return true;
  place_fail(at, EXIT_MODEL, "has external data without a location; the file "
             "is damaged");
  return false;
}

bool import_external(const Place *at, const Onnx__TensorProto *tp, Str *bytes)
{
  Import *im = at->im;
  External x;
  const char *why = NULL;
  if (!read_entries(at, tp, &x)) return false;
  const char *name = quote(&im->tmp, x.location);
  const char *path = confine(im, x.location, &why);
  const FileMap *f = path ? file_map(im, path, &why) : NULL;
  if (!f) {
    place_fail(at, EXIT_MODEL, "has its data in %s, which %s; put that file "
               "beside the model", name, why);
    return false;
  }
  if (x.whole && x.offset <= f->n) x.length = f->n - x.offset;
  if (x.offset > f->n || x.length > f->n - x.offset) {
    place_fail(at, EXIT_MODEL, "has its data in %llu bytes from %llu of %s, "
               "which ends at %zu; get that file again",
               (unsigned long long)x.length, (unsigned long long)x.offset,
               name, f->n);
    return false;
  }
  *bytes = (Str){f->n ? (const char *)f->p + x.offset : "", (size_t)x.length};
  return true;
}
