/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of code points: classes of regular expressions.
 *
 * A set is a list of bounds in any order, until something needs it sorted.
 * Characters that differ in case only are found from the simple case mappings,
 * in both directions, until nothing is new: k, K and the Kelvin sign.
 */
#include "regex.h"

#include <stdlib.h>
#include <string.h>

#include "../runtime_min/o2c.h"
#include "../runtime_min/kernels/ref/unicode.h"

#define LAST_CODE 0x10ffff

void rx_add(RxSet *s, int lo, int hi)
{
  if (lo > hi) return;
  s->r = arena_grow(s->a, s->r, s->n, 2 * sizeof *s->r);
  s->r[2 * s->n] = lo;
  s->r[2 * s->n++ + 1] = hi;
}

static int by_bound(const void *a, const void *b)
{
  int x = *(const int *)a, y = *(const int *)b;
  return x < y ? -1 : x > y;
}

/* Sorted, and no two of them touch. */
static void normalise(RxSet *s)
{
  int k = 0;
  if (s->n == 0) return;
  qsort(s->r, (size_t)s->n, 2 * sizeof *s->r, by_bound);
  for (int i = 1; i < s->n; i++) {
    int lo = s->r[2 * i], hi = s->r[2 * i + 1];
    if (lo <= s->r[2 * k + 1] + 1) {
      if (hi > s->r[2 * k + 1]) s->r[2 * k + 1] = hi;
    } else {
      k++;
      s->r[2 * k] = lo;
      s->r[2 * k + 1] = hi;
    }
  }
  s->n = k + 1;
}

void rx_negate(RxSet *s)
{
  RxSet y = {.a = s->a};
  int from = 0;
  normalise(s);
  for (int i = 0; i < s->n; i++) {
    rx_add(&y, from, s->r[2 * i] - 1);
    from = s->r[2 * i + 1] + 1;
  }
  rx_add(&y, from, LAST_CODE);
  *s = y;
}

void rx_union(RxSet *s, const RxSet *other)
{
  for (int i = 0; i < other->n; i++)
    rx_add(s, other->r[2 * i], other->r[2 * i + 1]);
  normalise(s);
}

/* What the run maps from or (`back`) to [lo, hi]. */
static void add_mapped(RxSet *s, const o2c_case_run *run, int lo, int hi,
                       bool back)
{
  int first = (int)run->first, last = (int)run->last, step = (int)run->step;
  int from = back ? lo - run->delta : lo, to = back ? hi - run->delta : hi;
  if (from < first) from = first;
  if (to > last) to = last;
  if (from > to) return;
  from = first + (from - first + step - 1) / step * step;
  for (int c = from; c <= to; c += step)
    rx_add(s, back ? c : c + run->delta, back ? c : c + run->delta);
}

static int size_of(const RxSet *s)
{
  int n = 0;
  for (int i = 0; i < s->n; i++) n += s->r[2 * i + 1] - s->r[2 * i] + 1;
  return n;
}

void rx_fold(RxSet *s)
{
  int before;
  normalise(s);
  do {
    int n = s->n;
    before = size_of(s);
    for (int i = 0; i < n; i++) {
      int lo = s->r[2 * i], hi = s->r[2 * i + 1];
      for (int k = 0; k < COUNT(o2c_lower_runs); k++) {
        add_mapped(s, &o2c_lower_runs[k], lo, hi, false);
        add_mapped(s, &o2c_lower_runs[k], lo, hi, true);
      }
      for (int k = 0; k < COUNT(o2c_upper_runs); k++) {
        add_mapped(s, &o2c_upper_runs[k], lo, hi, false);
        add_mapped(s, &o2c_upper_runs[k], lo, hi, true);
      }
    }
    normalise(s);
  } while (size_of(s) != before);
}

Str str_case(Arena *a, Str s, int mode)
{
  char *to = arena_alloc(a, 4 * s.n + 1);
  size_t n = 0;
  for (size_t i = 0, used; i < s.n; i += used)
    n += o2c_utf8_put(to + n, o2c_case(o2c_utf8_get(s.p + i, s.n - i, &used),
                                       mode));
  return (Str){to, n};
}

static void add_to(void *user, int lo, int hi)
{
  rx_add(user, lo, hi);
}

bool rx_named(RxSet *s, const char *name)
{
  static const struct { const char *name, *bounds; } known[] = {
    {"d", "09"}, {"s", "\t\n\f\r  "}, {"w", "09AZ__az"}, {"alnum", "09AZaz"},
    {"alpha", "AZaz"}, {"ascii", NULL}, {"blank", "\t\t  "},
    {"cntrl", NULL}, {"digit", "09"}, {"graph", "!~"}, {"lower", "az"},
    {"print", " ~"}, {"punct", "!/:@[`{~"}, {"space", "\t\r  "},
    {"upper", "AZ"}, {"word", "09AZ__az"}, {"xdigit", "09AFaf"},
  };
  for (int i = 0; i < COUNT(known); i++) {
    if (strcmp(known[i].name, name) != 0) continue;
    for (const char *b = known[i].bounds; b && *b; b += 2)
      rx_add(s, b[0], b[1]);
    if (!strcmp(name, "ascii")) rx_add(s, 0, 127);
    if (!strcmp(name, "cntrl")) {
      rx_add(s, 0, 31);
      rx_add(s, 127, 127);
    }
    return true;
  }
  if (!strcmp(name, "Any")) {
    rx_add(s, 0, LAST_CODE);
    return true;
  }
  return name[0] >= 'A' && name[0] <= 'Z' &&
         unicode_category(name, add_to, s);
}
