/* SPDX-License-Identifier: Apache-2.0 */
/* Text of steps: words, lists, numbers, globs, and names that are near. */
#include "edit.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Quotes keep blanks; the other kind of quote may stand in them. */
const char **edit_words(Edit *e, const char *text, int *n)
{
  const char **word = NEW(e->a, const char *, 1);
  *n = 0;
  for (const char *s = text;;) {
    s += strspn(s, " \t\r\n");
    if (!*s) return word;
    char *w = arena_alloc(e->a, strlen(s) + 1);
    size_t k = 0;
    for (char in = 0; *s && (in || !strchr(" \t\r\n", *s)); s++) {
      if (in ? *s == in : *s == '"' || *s == '\'') in = in ? 0 : *s;
      else w[k++] = *s;
      if (in && !s[1]) {
        edit_fail(e, EXIT_USAGE, "a quote %c does not end in %s", in,
                  Q(e, text));
        return NULL;
      }
    }
    word = arena_grow(e->a, word, *n, sizeof *word);
    word[(*n)++] = w;
  }
}

static bool script_line(Edit *e, const char *path, int line, const char *text)
{
  int n;
  int errors = e->m->nerror;
  const char **word = edit_words(e, text, &n);
  if (word && (!n || *word[0] == '#')) return true;
  if (word && edit_step(e, word, n)) return true;
  if (e->m->nerror > errors)
    diag_model(e->m, SEV_NOTE, EXIT_OK, "this step stands in line %d of %s",
               line, Q(e, path));
  return false;
}

bool edit_script(Edit *e, const char *path)
{
  const char *text = read_text(e->a, path);
  if (!text)
    return edit_fail(e, EXIT_USAGE, "--script %s can't be read: %s",
                     Q(e, path), strerror(errno));
  int line = 1;
  for (const char *s = text; *s; line++) {
    size_t n = strcspn(s, "\n");
    if (!script_line(e, path, line, arena_strn(e->a, s, n))) return false;
    s += n + (s[n] == '\n');
  }
  return true;
}

bool edit_int(const char *s, int64_t *v)
{
  char *end;
  errno = 0;
  long long x = strtoll(s, &end, 10);
  if (end == s || *end || errno || strchr(" \t\n", *s)) return false;
  *v = x;
  return true;
}

bool edit_float(const char *s, double *v)
{
  char *end;
  *v = strtod(s, &end);
  return end != s && !*end;
}

const char **edit_split(Edit *e, const char *s, char at, int *n)
{
  const char **part = NEW(e->a, const char *, 1);
  *n = 0;
  while (*s) {
    const char *end = strchr(s, at);
    size_t len = end ? (size_t)(end - s) : strlen(s);
    part = arena_grow(e->a, part, *n, sizeof *part);
    part[(*n)++] = arena_strn(e->a, s, len);
    s += len + (end != NULL);
  }
  return part;
}

bool edit_is_glob(const char *s)
{
  return strchr(s, '*') || strchr(s, '?');
}

/* Goes back to the last star only, which is enough. */
bool edit_match(const char *glob, const char *s)
{
  const char *star = NULL, *from = s;
  while (*s) {
    if (*glob == '*') {
      star = glob++;
      from = s;
    } else if (*glob == '?' || *glob == *s) {
      glob++;
      s++;
    } else if (star) {
      glob = star + 1;
      s = ++from;
    } else {
      return false;
    }
  }
  while (*glob == '*') glob++;
  return !*glob;
}

/* --- Near names ----------------------------------------------------------- */

static int lower(int c)
{
  return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Edit distance without regard to case; long names count as far. */
static int distance(const char *a, const char *b)
{
  int row[96];
  int n = (int)strlen(b);
  if (n >= COUNT(row) || strlen(a) >= COUNT(row)) return 99;
  for (int j = 0; j <= n; j++) row[j] = j;
  for (int i = 1; a[i - 1]; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= n; j++) {
      int best = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
      diagonal = row[j];
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[n];
}

#define NEAR 3

const char *edit_near(Edit *e, const char *word, const char *const *name,
                      int n)
{
  const char *near[NEAR] = {NULL};
  int far[NEAR], limit = 2 + (int)strlen(word) / 3;
  for (int k = 0; k < NEAR; k++) far[k] = limit + 1;
  for (int i = 0; i < n; i++) {
    int d = distance(word, name[i]);
    bool part = strlen(word) > 2 && strstr(name[i], word);
    if (part && d > limit) d = limit;
    bool known = false;
    for (int k = 0; k < NEAR; k++)
      known |= near[k] && !strcmp(near[k], name[i]);
    for (int k = 0; k < NEAR && !known; k++) {
      if (d >= far[k]) continue;
      memmove(near + k + 1, near + k, (size_t)(NEAR - 1 - k) * sizeof *near);
      memmove(far + k + 1, far + k, (size_t)(NEAR - 1 - k) * sizeof *far);
      near[k] = name[i];
      far[k] = d;
      break;
    }
  }
  const char *s = "";
  for (int k = 0; k < NEAR && near[k]; k++)
    s = arena_printf(e->a, "%s%s%s", s, k ? ", " : "; near names: ",
                     Q(e, near[k]));
  return s;
}
