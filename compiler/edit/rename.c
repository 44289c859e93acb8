/* SPDX-License-Identifier: Apache-2.0 */
/* rename, rename-node: OLD=NEW pairs. Where OLD is a glob, each * of NEW is
 * the text that the same * of OLD stands for. */
#include "edit.h"
#include <string.h>

typedef struct { const char *s[9]; size_t n[9]; int count; } Stars;

/* Like edit_match, and notes what the stars stand for, each the shortest. */
static bool match_stars(const char *glob, const char *s, Stars *x, int k)
{
  while (*glob && *glob != '*') {
    if (!*s || (*glob != '?' && *glob != *s)) return false;
    glob++;
    s++;
  }
  if (!*glob) return !*s;
  if (k == COUNT(x->s)) return false;
  for (size_t n = 0;; n++) {
    x->s[k] = s;
    x->n[k] = n;
    x->count = k + 1;
    if (match_stars(glob + 1, s + n, x, k + 1)) return true;
    if (!s[n]) return false;
  }
}

static char *new_name(Edit *e, const char *to, const Stars *x)
{
  StrBuf b;
  sb_init(&b, e->a);
  for (int k = 0; *to; to++) {
    if (*to != '*' || k == x->count) {
      sb_write(&b, to, 1);
      continue;
    }
    sb_write(&b, x->s[k], x->n[k]);
    k++;
  }
  char *s = arena_strn(e->a, b.n ? b.s : "", b.n);
  sb_free(&b);
  return s;
}

/* Splits at the first '='. */
static bool split_pair(Edit *e, const char *word, const char **from,
                       const char **to)
{
  const char *eq = strchr(word, '=');
  if (!eq || eq == word || !eq[1])
    return edit_fail(e, EXIT_USAGE, "%s is not OLD=NEW", Q(e, word));
  *from = arena_strn(e->a, word, (size_t)(eq - word));
  *to = eq + 1;
  int want = 0, have = 0;
  for (const char *s = *from; *s; s++) have += *s == '*';
  for (const char *s = *to; *s; s++) want += *s == '*';
  if (have > 9 || want > have)
    return edit_fail(e, EXIT_USAGE, "%s has %d stars, and %s has %d: no more "
                     "than that, and at most 9", Q(e, *to), want, Q(e, *from),
                     have);
  return true;
}

static bool add_change(Edit *e, Map *change, const char *from, const char *to)
{
  void **slot = map_at(change, from, strlen(from));
  if (!*slot) *slot = edit_str(e, to);
  return true;
}

static bool is_made(const Named *t)
{
  return t->maker || t->is_input || t->init;
}

/* No name may be made twice, in a body or in those around it. */
static bool check_taken(Edit *e, const Map *change)
{
  int n;
  Body *all = edit_bodies(e, &n);
  Map after;
  map_init(&after, e->a);
  for (int k = 0; k < change->n; k++) {
    const char *to = change->slot[k].value;
    void **seen = map_at(&after, to, strlen(to));
    if (*seen)
      return edit_fail(e, EXIT_USAGE, "%s and %s would both be called %s",
                       Q(e, *seen), Q(e, change->slot[k].key), Q(e, to));
    *seen = (void *)(uintptr_t)change->slot[k].key;
  }
  for (int i = 0; i < n; i++) {
    Index *x = body_index(e, &all[i]);
    for (int k = 0; k < x->map.n; k++) {
      const char *s = x->map.slot[k].key;
      size_t len = strlen(s);
      const char *who = map_get(&after, s, len);
      if (!who || map_get(change, s, len) || !is_made(x->map.slot[k].value))
        continue;
      return edit_fail(e, EXIT_USAGE, "%s can't become %s: that name is made "
                       "in %s", Q(e, who), Q(e, s), body_text(e, &all[i]));
    }
  }
  return true;
}

static bool collect_tensors(Edit *e, const char *from, const char *to,
                            Map *change)
{
  int n, hits = 0;
  Body *all = edit_bodies(e, &n);
  if (!edit_is_glob(from)) {
    Body *b;
    Named *t;
    return edit_find_tensor(e, from, &b, &t) &&
           add_change(e, change, from, to);
  }
  for (int i = 0; i < n; i++) {
    Index *x = body_index(e, &all[i]);
    for (int k = 0; k < x->map.n; k++) {
      Stars stars = {.count = 0};
      const char *name = x->map.slot[k].key;
      if (!is_made(x->map.slot[k].value) ||
          !match_stars(from, name, &stars, 0))
        continue;
      hits++;
      add_change(e, change, name, new_name(e, to, &stars));
    }
  }
  return hits || edit_fail(e, EXIT_USAGE, "no tensor's name matches %s",
                           Q(e, from));
}

/* By way of names that only one body has, so that swapped names, and inner
 * ones that hide outer ones, can't be taken for each other. */
static void rename_bodies(Edit *e, const Map *change)
{
  int n;
  Body *all = edit_bodies(e, &n);
  Map *final = NEW(e->a, Map, n);
  for (int i = n - 1; i >= 0; i--) {
    Index *x = body_index(e, &all[i]);
    Map to;
    map_init(&to, e->a);
    map_init(&final[i], e->a);
    for (int k = 0; k < change->n; k++) {
      const struct MapSlot *c = &change->slot[k];
      const Named *t = index_get(x, c->key);
      if (!t || !is_made(t)) continue;
      char *via = arena_printf(e->a, "\1%d\1%s", i, c->key);
      *map_at(&to, c->key, c->len) = via;
      *map_at(&final[i], via, strlen(via)) = c->value;
    }
    if (to.n) body_rename_all(e, &all[i], &to);
  }
  for (int i = 0; i < n; i++)
    if (final[i].n) body_rename_all(e, &all[i], &final[i]);
}

/* All pairs count at once, so names may be swapped. */
bool step_rename(Edit *e, const EditStep *s)
{
  Map change;
  map_init(&change, e->a);
  for (int i = 0; i < s->n; i++) {
    const char *from, *to;
    if (!split_pair(e, s->arg[i], &from, &to) ||
        !collect_tensors(e, from, to, &change))
      return false;
  }
  if (!check_taken(e, &change)) return false;
  rename_bodies(e, &change);
  return true;
}

bool step_rename_node(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++) {
    const char *from, *to;
    int n, hits = 0;
    Body *all = edit_bodies(e, &n), *b;
    size_t at;
    if (!split_pair(e, s->arg[i], &from, &to)) return false;
    if (!edit_is_glob(from)) {
      if (!edit_find_node(e, from, &b, &at)) return false;
      body_node(b, at)->name = edit_str(e, to);
      continue;
    }
    for (int j = 0; j < n; j++)
      for (size_t k = 0; k < body_count(&all[j]); k++) {
        NodeProto *np = body_node(&all[j], k);
        Stars stars = {.count = 0};
        if (!np->name || !match_stars(from, np->name, &stars, 0)) continue;
        np->name = new_name(e, to, &stars);
        hits++;
      }
    if (!hits)
      return edit_fail(e, EXIT_USAGE, "no node's name matches %s", Q(e, from));
  }
  return true;
}
