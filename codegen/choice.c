/* SPDX-License-Identifier: Apache-2.0 */
/* Where a node can be computed in several ways, which one is taken.
 *
 * A lowering names the ways and what each should take by the cost model
 * (cost.c); the least wins, unless --tune FILE says otherwise. The file has a
 * line for each decision, made by `onnx2c bench --tune FILE`:
 *
 *   key TAB way TAB what was measured, for people
 *
 * Its key tells the operation and its shape, not the model, so that one file
 * serves many models. A key that is not in it is decided by cost: the file and
 * the model decide the output, never the machine that compiles.
 */
#include "target.h"

#include <string.h>

/* One line: false where it is none of ours. */
static bool tune_line(Map *to, Arena *a, const char *line, size_t n)
{
  const char *tab = memchr(line, '\t', n);
  if (!n || *line == '#')
    return true;
  if (!tab || tab == line)
    return false;
  size_t left = n - (size_t)(tab - line) - 1;
  const char *way = tab + 1, *end = memchr(way, '\t', left);
  size_t size = end ? (size_t)(end - way) : left;
  if (!size)
    return false;
  *map_at(to, line, (size_t)(tab - line)) = arena_strn(a, way, size);
  return true;
}

/* 0: read; -1: it can't be opened; else the number of the line that is none. */
int tune_read(Map *to, Arena *a, const char *path)
{
  int number = 1;
  map_init(to, a);
  const char *s = read_text(a, path);
  if (!s)
    return -1;
  for (; *s; number++) {
    size_t n = strcspn(s, "\n");
    if (!tune_line(to, a, s, n))
      return number;
    s += n + (s[n] == '\n');
  }
  return 0;
}

void plan_tune(Plan *p)
{
  const char *path = p->m->opt->tune;
  map_init(&p->tuned, p->a);
  if (!path)
    return;
  int line = tune_read(&p->tuned, p->a, path);
  if (line < 0)
    diag_model(p->m, SEV_ERROR, EXIT_ENVIRONMENT, "--tune: can't read %s; "
               "onnx2c bench MODEL --tune FILE makes it", quote(p->a, path));
  else if (line > 0)
    diag_model(p->m, SEV_ERROR, EXIT_USAGE, "--tune: line %d of %s is no "
               "'key TAB way'; onnx2c bench MODEL --tune FILE makes such files",
               line, quote(p->a, path));
}

static int cheapest(const Way *way, int nway)
{
  int best = 0;
  for (int i = 1; i < nway; i++)
    if (way[i].ns < way[best].ns)
      best = i;
  return best;
}

/* The way that the file names, or -1. */
static int way_told(Plan *p, const char *key, const Way *way, int nway)
{
  const char *name = map_get(&p->tuned, key, strlen(key));
  if (!name)
    return -1;
  for (int i = 0; i < nway; i++)
    if (!strcmp(way[i].name, name))
      return i;
  diag_model(p->m, SEV_ERROR, EXIT_USAGE, "--tune: %s has no way %s; make the "
             "file again by onnx2c bench MODEL --tune FILE",
             quote(p->a, key), quote(p->a, name));
  return -1;
}

int plan_choose(Plan *p, const Node *n, const char *key, const Way *way,
                int nway)
{
  int force = p->m->opt->way;
  Choice c = { .n = n, .key = arena_printf(p->a, "%s", key), .nway = nway };
  Way *ways = NEW(p->a, Way, nway);
  memcpy(ways, way, (size_t)nway * sizeof *way);
  c.way = ways;
  c.taken = way_told(p, key, way, nway);
  c.told = c.taken >= 0;
  if (c.taken < 0)
    c.taken = cheapest(way, nway);
  if (force > 0)
    c.taken = force > nway ? nway - 1 : force - 1;
  p->choice = arena_grow(p->a, p->choice, p->nchoice, sizeof c);
  p->choice[p->nchoice++] = c;
  return c.taken;
}
